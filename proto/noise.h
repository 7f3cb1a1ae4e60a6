/* SPDX-License-Identifier: GPL-2.0-or-later */
/* noise - Noise_XX_25519_ChaChaPoly_BLAKE2b (The Noise Protocol Framework, revision 34), by libsodium's primitives.
 *
 *     -> e                payload, in the open
 *     <- e, ee, s, es   payload
 *     -> s, se          payload
 *
 * Both sides learn each other's static key; what they think of it is the caller's business, and so is what the payloads
 * say.  No sockets, no clock; keys are wiped. */
#ifndef MEALY_NOISE_H
#define MEALY_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NOISE_KEY = 32,
	NOISE_HASH = 64,
	NOISE_TAG = 16,
	NOISE_FIRST = NOISE_KEY,			      /* Bytes of the first message. */
	NOISE_SECOND = NOISE_KEY + NOISE_KEY + 2 * NOISE_TAG, /* Of the second beside its payload. */
	NOISE_THIRD = NOISE_KEY + 2 * NOISE_TAG,	      /* Of the third beside its payload. */
};

/* One direction of a session. */
struct noise_cipher {
	uint8_t key[NOISE_KEY];
	uint64_t counter; /* Of the next message. */
};

struct noise {
	bool initiator;
	uint8_t h[NOISE_HASH], ck[NOISE_HASH];
	struct noise_cipher cipher;
	uint8_t s[NOISE_KEY], s_public[NOISE_KEY]; /* Ours. */
	uint8_t e[NOISE_KEY], e_public[NOISE_KEY];
	uint8_t rs[NOISE_KEY], re[NOISE_KEY]; /* Theirs. */
};

/* Begins a handshake with the static secret key 's'; the ephemeral one is drawn, unless a test gives it. */
void noise_init(struct noise *noise, bool initiator, const uint8_t *prologue, size_t prologue_size,
		const uint8_t s[NOISE_KEY], const uint8_t *e);
void noise_done(struct noise *noise);

/* The messages in order; the output has room for the sizes above and the payload.  'h' at the time a payload is made is
 * what it should be bound to: noise_write_static() and noise_read_static() do what comes before it, then the payload.
 */
void noise_write_first(struct noise *noise, const uint8_t *payload, size_t size, uint8_t *ret);
void noise_read_first(struct noise *noise, const uint8_t *bytes, size_t size);
/* Message 2 or 3 up to its payload: NOISE_SECOND or NOISE_THIRD bytes without the last tag.  -EBADMSG: forged. */
int noise_write_static(struct noise *noise, uint8_t *ret);
int noise_read_static(struct noise *noise, const uint8_t *bytes);
/* The payload and its tag. */
void noise_write_payload(struct noise *noise, const uint8_t *payload, size_t size, uint8_t *ret);
int noise_read_payload(struct noise *noise, const uint8_t *bytes, size_t size, uint8_t *ret_payload);

/* After the third message. */
void noise_split(struct noise *noise, struct noise_cipher *ret_send, struct noise_cipher *ret_receive);

/* 'ret' gets size + NOISE_TAG bytes; in place is fine.  Uses the cipher's counter as the nonce and moves it. */
void noise_seal(struct noise_cipher *cipher, const uint8_t *ad, size_t ad_size, const uint8_t *bytes, size_t size,
		uint8_t *ret);
/* The other way round; 'size' includes the tag.  -EBADMSG: forged; the counter has not moved then. */
int noise_open(struct noise_cipher *cipher, const uint8_t *ad, size_t ad_size, const uint8_t *bytes, size_t size,
	       uint8_t *ret);
/* The next key of this direction (REKEY of the specification); who learns it later cannot read what was. */
void noise_rekey(struct noise_cipher *cipher);

#endif
