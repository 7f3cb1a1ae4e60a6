// SPDX-License-Identifier: GPL-2.0-or-later
/* Known answers of FIPS 180-4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../common/sha256.h"

static void expect(const char *text, size_t times, const char *hash)
{
	struct sha256 sum;
	char got[SHA256_TEXT];

	sha256_init(&sum);
	for (size_t i = 0; i < times; i++)
		sha256_add(&sum, text, strlen(text));
	sha256_text(&sum, got);
	assert_string_equal(got, hash);
}

static void known_answers(void **state)
{
	expect("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	expect("aaaaaaaaaa", 100000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
