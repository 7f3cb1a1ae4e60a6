// SPDX-License-Identifier: GPL-2.0-or-later
#include "noise.h"

#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { BLOCK = 128 }; /* Of BLAKE2b. */

static const char protocol[] = "Noise_XX_25519_ChaChaPoly_BLAKE2b";
_Static_assert(sizeof(protocol) - 1 <= NOISE_HASH, "a longer name would be hashed");

/* ---- HMAC and HKDF over BLAKE2b (RFC 2104, and 4.3 of the specification) ---- */

static void hash2(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *ret)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, NOISE_HASH);
	crypto_generichash_update(&state, a, a_size);
	crypto_generichash_update(&state, b, b_size);
	crypto_generichash_final(&state, ret, NOISE_HASH);
	sodium_memzero(&state, sizeof(state));
}

static void hmac(const uint8_t key[NOISE_HASH], const uint8_t *data, size_t size, uint8_t ret[NOISE_HASH])
{
	uint8_t pad[BLOCK], inner[NOISE_HASH];

	memset(pad, 0x36, sizeof(pad));
	for (size_t i = 0; i < NOISE_HASH; i++)
		pad[i] ^= key[i];
	hash2(pad, sizeof(pad), data, size, inner);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	hash2(pad, sizeof(pad), inner, sizeof(inner), ret);
	sodium_memzero(pad, sizeof(pad));
	sodium_memzero(inner, sizeof(inner));
}

static void hkdf(const uint8_t ck[NOISE_HASH], const uint8_t *input, size_t size, uint8_t ret_1[NOISE_HASH],
		 uint8_t ret_2[NOISE_HASH])
{
	uint8_t temp[NOISE_HASH], next[NOISE_HASH + 1];

	hmac(ck, input, size, temp);
	hmac(temp, (const uint8_t *)"\x01", 1, next);
	next[NOISE_HASH] = 2;
	hmac(temp, next, sizeof(next), ret_2);
	memcpy(ret_1, next, NOISE_HASH);
	sodium_memzero(temp, sizeof(temp));
	sodium_memzero(next, sizeof(next));
}

/* ---- cipher ---- */

static void make_nonce(uint64_t counter, uint8_t ret[12])
{
	uint64_t le = htole64(counter);

	memset(ret, 0, 4);
	memcpy(ret + 4, &le, sizeof(le));
}

void noise_seal(struct noise_cipher *cipher, const uint8_t *ad, size_t ad_size, const uint8_t *bytes, size_t size,
		uint8_t *ret)
{
	uint8_t nonce[12];

	make_nonce(cipher->counter++, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt(ret, NULL, bytes, size, ad, ad_size, NULL, nonce, cipher->key);
}

int noise_open(struct noise_cipher *cipher, const uint8_t *ad, size_t ad_size, const uint8_t *bytes, size_t size,
	       uint8_t *ret)
{
	uint8_t nonce[12];

	make_nonce(cipher->counter, nonce);
	if (size < NOISE_TAG || crypto_aead_chacha20poly1305_ietf_decrypt(ret, NULL, NULL, bytes, size, ad, ad_size,
									  nonce, cipher->key) != 0)
		return -EBADMSG;
	cipher->counter++;
	return 0;
}

void noise_rekey(struct noise_cipher *cipher)
{
	struct noise_cipher last = {.counter = UINT64_MAX};
	uint8_t out[NOISE_KEY + NOISE_TAG] = {};

	memcpy(last.key, cipher->key, NOISE_KEY);
	noise_seal(&last, NULL, 0, out, NOISE_KEY, out);
	memcpy(cipher->key, out, NOISE_KEY);
	sodium_memzero(out, sizeof(out));
	sodium_memzero(&last, sizeof(last));
}

/* ---- symmetric state ---- */

static void mix_hash(struct noise *noise, const uint8_t *data, size_t size)
{
	hash2(noise->h, sizeof(noise->h), data, size, noise->h);
}

/* A key that makes the result zero is a low-order point: refused. */
static int mix_dh(struct noise *noise, const uint8_t *secret, const uint8_t *public)
{
	uint8_t shared[NOISE_KEY], key[NOISE_HASH];

	if (crypto_scalarmult(shared, secret, public) != 0)
		return -EBADMSG;
	hkdf(noise->ck, shared, sizeof(shared), noise->ck, key);
	memcpy(noise->cipher.key, key, NOISE_KEY);
	noise->cipher.counter = 0;
	sodium_memzero(shared, sizeof(shared));
	sodium_memzero(key, sizeof(key));
	return 0;
}

void noise_write_payload(struct noise *noise, const uint8_t *payload, size_t size, uint8_t *ret)
{
	noise_seal(&noise->cipher, noise->h, sizeof(noise->h), payload, size, ret);
	mix_hash(noise, ret, size + NOISE_TAG);
}

int noise_read_payload(struct noise *noise, const uint8_t *bytes, size_t size, uint8_t *ret_payload)
{
	if (noise_open(&noise->cipher, noise->h, sizeof(noise->h), bytes, size, ret_payload) < 0)
		return -EBADMSG;
	mix_hash(noise, bytes, size);
	return 0;
}

/* ---- handshake ---- */

void noise_init(struct noise *noise, bool initiator, const uint8_t *prologue, size_t prologue_size,
		const uint8_t s[NOISE_KEY], const uint8_t *e)
{
	*noise = (struct noise){.initiator = initiator};
	memcpy(noise->h, protocol, sizeof(protocol) - 1);
	memcpy(noise->ck, noise->h, NOISE_HASH);
	mix_hash(noise, prologue, prologue_size);
	memcpy(noise->s, s, NOISE_KEY);
	crypto_scalarmult_base(noise->s_public, noise->s);
	if (e)
		memcpy(noise->e, e, NOISE_KEY);
	else
		randombytes_buf(noise->e, NOISE_KEY);
	crypto_scalarmult_base(noise->e_public, noise->e);
}

void noise_done(struct noise *noise)
{
	sodium_memzero(noise, sizeof(*noise));
}

void noise_write_first(struct noise *noise, const uint8_t *payload, size_t size, uint8_t *ret)
{
	memcpy(ret, noise->e_public, NOISE_KEY);
	mix_hash(noise, ret, NOISE_KEY);
	if (size)
		memcpy(ret + NOISE_KEY, payload, size);
	mix_hash(noise, ret + NOISE_KEY, size);
}

void noise_read_first(struct noise *noise, const uint8_t *bytes, size_t size)
{
	memcpy(noise->re, bytes, NOISE_KEY);
	mix_hash(noise, noise->re, NOISE_KEY);
	mix_hash(noise, bytes + NOISE_KEY, size - NOISE_KEY);
}

int noise_write_static(struct noise *noise, uint8_t *ret)
{
	int r = 0;

	if (!noise->initiator) {
		memcpy(ret, noise->e_public, NOISE_KEY);
		mix_hash(noise, ret, NOISE_KEY);
		r = mix_dh(noise, noise->e, noise->re); /* ee */
		ret += NOISE_KEY;
	}
	if (r == 0)
		noise_write_payload(noise, noise->s_public, NOISE_KEY, ret);
	return r == 0 ? mix_dh(noise, noise->s, noise->re) : r; /* es of the responder, se of the initiator */
}

int noise_read_static(struct noise *noise, const uint8_t *bytes)
{
	int r = 0;

	if (noise->initiator) {
		memcpy(noise->re, bytes, NOISE_KEY);
		mix_hash(noise, noise->re, NOISE_KEY);
		r = mix_dh(noise, noise->e, noise->re);
		bytes += NOISE_KEY;
	}
	if (r == 0)
		r = noise_read_payload(noise, bytes, NOISE_KEY + NOISE_TAG, noise->rs);
	return r == 0 ? mix_dh(noise, noise->e, noise->rs) : r;
}

void noise_split(struct noise *noise, struct noise_cipher *ret_send, struct noise_cipher *ret_receive)
{
	uint8_t one[NOISE_HASH], two[NOISE_HASH];

	hkdf(noise->ck, NULL, 0, one, two);
	*ret_send = (struct noise_cipher){};
	*ret_receive = (struct noise_cipher){};
	memcpy(ret_send->key, noise->initiator ? one : two, NOISE_KEY);
	memcpy(ret_receive->key, noise->initiator ? two : one, NOISE_KEY);
	sodium_memzero(one, sizeof(one));
	sodium_memzero(two, sizeof(two));
}
