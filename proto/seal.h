/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seal - what lies between a wire and the frames of channels when others can listen: handshakes and sealed frames.
 *
 *     dialing: INIT (e) -->                    listening (may answer COOKIE first, when many come)
 *              <-- REPLY (e, ee, s, es, who)
 *     FINISH (s, se, who) -->                  then DATA both ways
 *
 * The handshake is Noise_XX (noise.h); "who" is an Ed25519 identity and its signature over the handshake so far, which
 * has both ephemeral keys in it.  A server admits whom keys_find() knows; a client believes the server that it has
 * pinned for the address, or pins the first one.
 *
 * Until FINISH only messages of fixed sizes are looked at.  Logs nothing; time is given. */
#ifndef MEALY_SEAL_H
#define MEALY_SEAL_H

#include "key.h"
#include "wire.h"

enum {
	SEAL_OVERHEAD = 40, /* Bytes that a sealed frame is longer. */
	SEAL_WHY = 256,
};

enum seal_event {
	SEAL_FRAME,   /* A frame of somebody who is known. */
	SEAL_UP,      /* Client: frames may go. */
	SEAL_REFUSED, /* Client: we do not believe the server.  Server: 'from' is not, or no longer, admitted; it hears
			 what is sent to it until seal_forget(). */
	SEAL_SUSPECT, /* Something was thrown away; the session, if any, goes on. */
};

struct seal_stats {
	uint64_t handshakes, cookies;
	uint64_t malformed; /* Neither handshake nor frame, or of a wrong size. */
	uint64_t forged;    /* Wrong tag or signature: tampered with, reflected, of another session. */
	uint64_t replayed;  /* A counter that was there already. */
	uint64_t unknown;   /* Frames of no session. */
	uint64_t untrusted; /* Keys that nobody trusts. */
	uint64_t changed;   /* Servers with another key than the pinned one. */
	uint64_t rekeyed;
};

/* When keys of a session are renewed, and when cookies are asked for. */
struct seal_limits {
	uint64_t rekey_bytes, rekey_ms;
	unsigned handshakes_per_s;
};

struct seal;

/* 'keys' and 'wire' must outlive it.  'url' is what a server is pinned under. */
int seal_new(struct wire *wire, bool listens, const char *url, struct keys *keys, struct seal **ret_seal);
void seal_free(struct seal *seal);
void seal_set_limits(struct seal *seal, const struct seal_limits *limits);
void seal_get_stats(const struct seal *seal, struct seal_stats *ret_stats);

/* Client: begins, or says the first message again.  0, -EAGAIN (the wire takes nothing now). */
int seal_connect(struct seal *seal);
bool seal_is_up(const struct seal *seal);

/* As wire_send(); -ENOTCONN: no session with that address. */
int seal_send(struct seal *seal, const struct wire_address *to, uint64_t now_ms, const void *head, size_t head_size,
	      const void *body, size_t body_size);

/* The next event, or -EAGAIN.  SEAL_FRAME gives a frame for wire_release(), REFUSED and SUSPECT a sentence in 'ret_why'
 * (SEAL_WHY bytes). */
int seal_receive(struct seal *seal, uint64_t now_ms, struct wire_address *ret_from, uint8_t **ret_bytes,
		 size_t *ret_size, char *ret_why);

/* The session is over. */
void seal_forget(struct seal *seal, const struct wire_address *address);

/* Who is behind the address: its line among the trusted keys as it was last seen; NULL: nobody. */
const struct trusted *seal_who(const struct seal *seal, const struct wire_address *address);

#endif
