/* SPDX-License-Identifier: GPL-2.0-or-later */
/* noise: the published vectors of Noise_XX_25519_ChaChaPoly_BLAKE2b (cacophony), by both sides; what is not as it was.
 */
#include <errno.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../../../proto/noise.h"

#define PROLOGUE       "4a6f686e2047616c74"
#define INIT_STATIC    "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1"
#define INIT_EPHEMERAL "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"
#define RESP_STATIC    "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893"
#define RESP_EPHEMERAL "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"
#define HASH                                                                                                           \
	"8cf47d7b3cb5804c0109d48e8bcdbee2cbb65687d8ea2c92994ca361fb86151ad93627b98936cbb32de56e8abb21def3925011ac3e35" \
	"db9cbeea73ab9a4392c2"

static const struct {
	const char *payload, *bytes;
} message[] = {
	{"4c756477696720766f6e204d69736573",
	 "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477696720766f6e204d69736573"},
	{"4d757272617920526f746862617264",
	 "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088430505b6745ce64a5f33f0e8e3b83f11ce8802bca507f4"
	 "f2d8b564dbe277e1966116e132faa2dfd70b8b077b9f94b913df5056ae1319469b824a98d54bbaa82c325595587064f978c4b6d104f7"
	 "596e6f"},
	{"462e20412e20486179656b",
	 "99579e1c1ee15e422a57ddd6b16d37087b17558e8369c18991b4b2ca3a824abf904cdcf5458b5431a75af034ca9e9b982de039eaaf15"
	 "6775e2d580cd4e5ebae89c3f8cb2594b556d8a8169"},
	{"4361726c204d656e676572", "fc56eea290b3f3a21aac0c70cd5787b5ee99be37d2f4d751329b55"},
	{"4a65616e2d426170746973746520536179", "bb31c9da10d5639a4cdb88a12f5c61de41bbc7df09bf75d94f8184fe4157f5c68f"},
	{"457567656e2042f6686d20766f6e2042617765726b",
	 "f6199cadb152fb27f82be0a0891ec76a33598ae92a46cab2fb5a8ed5bf48b7f267f8370af7"},
};

static size_t unhex(const char *text, uint8_t *ret)
{
	size_t size;

	assert_int_equal(sodium_hex2bin(ret, 512, text, strlen(text), NULL, &size, NULL), 0);
	return size;
}

static void begin(struct noise *noise, bool initiator)
{
	uint8_t prologue[512], s[512], e[512];
	size_t size = unhex(PROLOGUE, prologue);

	unhex(initiator ? INIT_STATIC : RESP_STATIC, s);
	unhex(initiator ? INIT_EPHEMERAL : RESP_EPHEMERAL, e);
	noise_init(noise, initiator, prologue, size, s, e);
}

/* Message 2 or 3: made by 'from', as the vector has it, read by 'to'. */
static void pass(struct noise *from, struct noise *to, unsigned i)
{
	size_t plain = from->initiator ? NOISE_THIRD - NOISE_TAG : NOISE_SECOND - NOISE_TAG, size;
	uint8_t payload[512], want[512], made[512], got[512];

	size = unhex(message[i].payload, payload);
	assert_int_equal(noise_write_static(from, made), 0);
	noise_write_payload(from, payload, size, made + plain);
	assert_int_equal(unhex(message[i].bytes, want), plain + size + NOISE_TAG);
	assert_memory_equal(made, want, plain + size + NOISE_TAG);
	assert_int_equal(noise_read_static(to, made), 0);
	assert_int_equal(noise_read_payload(to, made + plain, size + NOISE_TAG, got), 0);
	assert_memory_equal(got, payload, size);
}

static void both_sides_make_the_published_bytes(void **state)
{
	struct noise a, b;
	struct noise_cipher a_send, a_receive, b_send, b_receive;
	uint8_t payload[512], want[512], made[512], hash[512];
	size_t size = unhex(message[0].payload, payload);

	begin(&a, true);
	begin(&b, false);
	noise_write_first(&a, payload, size, made);
	unhex(message[0].bytes, want);
	assert_memory_equal(made, want, NOISE_FIRST + size);
	noise_read_first(&b, made, NOISE_FIRST + size);
	pass(&b, &a, 1);
	pass(&a, &b, 2);
	unhex(HASH, hash);
	assert_memory_equal(a.h, hash, NOISE_HASH);
	assert_memory_equal(b.h, hash, NOISE_HASH);
	noise_split(&a, &a_send, &a_receive);
	noise_split(&b, &b_send, &b_receive);
	for (unsigned i = 3; i < 6; i++) {
		/* The responder speaks first here. */
		struct noise_cipher *send = i % 2 ? &b_send : &a_send, *receive = i % 2 ? &a_receive : &b_receive;

		size = unhex(message[i].payload, payload);
		noise_seal(send, NULL, 0, payload, size, made);
		unhex(message[i].bytes, want);
		assert_memory_equal(made, want, size + NOISE_TAG);
		assert_int_equal(noise_open(receive, NULL, 0, made, size + NOISE_TAG, want), 0);
		assert_memory_equal(want, payload, size);
	}
}

static void a_key_of_low_order_is_refused(void **state)
{
	uint8_t zero[NOISE_KEY] = {}, made[256];
	struct noise b;

	begin(&b, false);
	noise_read_first(&b, zero, sizeof(zero));
	assert_int_equal(noise_write_static(&b, made), -EBADMSG);
}

static void a_changed_bit_opens_nothing_and_moves_nothing(void **state)
{
	struct noise_cipher send = {.key = {1, 2, 3}}, receive = send;
	uint8_t sealed[4 + NOISE_TAG], plain[4];

	noise_seal(&send, (const uint8_t *)"head", 4, (const uint8_t *)"body", 4, sealed);
	for (unsigned bit = 0; bit < sizeof(sealed) * 8; bit++) {
		sealed[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(noise_open(&receive, (const uint8_t *)"head", 4, sealed, sizeof(sealed), plain),
				 -EBADMSG);
		sealed[bit / 8] ^= 1 << bit % 8;
	}
	assert_int_equal(noise_open(&receive, (const uint8_t *)"heat", 4, sealed, sizeof(sealed), plain), -EBADMSG);
	assert_int_equal(noise_open(&receive, (const uint8_t *)"head", 4, sealed, 3, plain), -EBADMSG);
	assert_int_equal(noise_open(&receive, (const uint8_t *)"head", 4, sealed, sizeof(sealed), plain), 0);
	assert_memory_equal(plain, "body", 4);
	noise_rekey(&send);
	noise_seal(&send, NULL, 0, (const uint8_t *)"body", 4, sealed);
	assert_int_equal(noise_open(&receive, NULL, 0, sealed, sizeof(sealed), plain), -EBADMSG);
	noise_rekey(&receive);
	assert_int_equal(noise_open(&receive, NULL, 0, sealed, sizeof(sealed), plain), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_make_the_published_bytes),
		cmocka_unit_test(a_key_of_low_order_is_refused),
		cmocka_unit_test(a_changed_bit_opens_nothing_and_moves_nothing),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
