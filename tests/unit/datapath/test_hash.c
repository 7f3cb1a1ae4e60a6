// SPDX-License-Identifier: GPL-2.0-or-later
/* The flow tables' hash spreads keys that count upwards, whatever the secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/hash.h"

enum { KEYS = 4096, HEADS = KEYS / 4, SECRETS = 400 };

static uint64_t state_of_random = 1;

static uint64_t next_random(void)
{
	state_of_random += 0x9e3779b97f4a7c15ull;
	uint64_t x = state_of_random;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* Lines beyond the head that the chains would take, and the longest chain. */
static void fill(const __u64 *secret, uint64_t step, unsigned *ret_overflow, unsigned *ret_longest)
{
	static unsigned n[HEADS];
	unsigned most = 0;

	memset(n, 0, sizeof(n));
	*ret_overflow = 0;
	for (uint64_t i = 0; i < KEYS; i++) {
		const __u64 key[2] = {0, 0xffff0a000000ull + i * step};
		unsigned *in = &n[HASH_BUCKET(flow_hash(secret, key, 2), HEADS)];

		if (*in && *in % BUCKET_ENTRIES == 0)
			++*ret_overflow;
		if (++*in > most)
			most = *in;
	}
	*ret_longest = (most + BUCKET_ENTRIES - 1) / BUCKET_ENTRIES;
}

static void neighbouring_keys_fit_a_table_of_their_number(void **state)
{
	static const uint64_t steps[] = {1, 2, 256, 65536, 3};
	__u64 secret[HASH_WORDS];
	unsigned overflow, longest;

	for (unsigned i = 0; i < SECRETS; i++) {
		for (unsigned w = 0; w < HASH_WORDS; w++)
			secret[w] = next_random();
		fill(secret, steps[i % (sizeof(steps) / sizeof(steps[0]))], &overflow, &longest);
		assert_true(longest <= CHAIN_MAX);
		assert_true(overflow <= HEADS / 8);
	}
}

static void tags_differ_among_keys_of_one_bucket(void **state)
{
	__u64 secret[HASH_WORDS];
	unsigned same = 0, pairs = 0;

	for (unsigned w = 0; w < HASH_WORDS; w++)
		secret[w] = next_random();
	for (uint64_t i = 0; i < 2000; i++) {
		const __u64 a[1] = {i}, b[1] = {i + 1 + next_random() % 1000000};
		uint32_t ha = flow_hash(secret, a, 1), hb = flow_hash(secret, b, 1);

		pairs++;
		same += HASH_TAG(ha) == HASH_TAG(hb);
	}
	assert_true(same * 500 < pairs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbouring_keys_fit_a_table_of_their_number),
		cmocka_unit_test(tags_differ_among_keys_of_one_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
