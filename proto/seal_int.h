/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What seal.c (sessions, frames) and seal_hand.c (handshakes) share. */
#ifndef MEALY_SEAL_INT_H
#define MEALY_SEAL_INT_H

#include "message.h"
#include "noise.h"
#include "seal.h"

enum {
	WAITING_MAX = 64, /* Handshakes half done. */
	WAITING_MS = 5000,
	IDLE_MS = 30000, /* Sessions that say nothing have no connection any more. */
	TRUST_CHECK_MS = 500,
	COOKIE_MS = 120000,
	BUFFER = MESSAGE_SIZE_MAX + 1024,
};

enum kind { KIND_INIT = 1, KIND_COOKIE, KIND_REPLY, KIND_FINISH, KIND_DATA };

/* ---- as it lies on the wire; numbers little endian ---- */

struct head {
	char magic[4];
	uint8_t version, kind, zero[2];
};

/* Who somebody is, within a handshake. */
struct who {
	uint8_t key[KEY_SIZE], signature[KEY_SIGNATURE];
	uint8_t before[KEY_SIZE], follows[KEY_SIGNATURE];
};

struct init {
	struct head head;
	uint8_t cookie[32], e[NOISE_FIRST];
};

struct cookie {
	struct head head;
	uint8_t e[NOISE_FIRST], cookie[32];
};

struct reply {
	struct head head;
	uint8_t noise[NOISE_SECOND - NOISE_TAG], who[sizeof(struct who) + NOISE_TAG];
};

struct finish {
	struct head head;
	uint8_t noise[NOISE_THIRD - NOISE_TAG], who[sizeof(struct who) + NOISE_TAG];
};

struct data {
	struct head head;
	uint32_t epoch, zero;
	uint64_t counter;
};
_Static_assert(sizeof(struct data) + NOISE_TAG == SEAL_OVERHEAD, "the overhead has changed");

struct head seal_head_of(enum kind kind);

/* ---- sessions ---- */

enum state { STATE_WAITING, STATE_UP, STATE_REFUSED };

struct direction {
	struct noise_cipher cipher;
	uint32_t epoch;
	uint64_t bytes, since_ms; /* Of this key. */
};

struct session {
	struct session *next;
	struct wire_address address;
	enum state state;
	struct noise noise; /* WAITING. */
	struct direction send, receive;
	struct trusted who;
	uint64_t heard_ms, checked_ms, generation;
};

struct seal {
	struct wire *wire;
	bool listens;
	char *url;
	struct keys *keys;
	uint8_t s[NOISE_KEY];	  /* Of this process. */
	struct session *sessions; /* Of a client: one. */
	uint8_t cookie_key[2][32], cookie[32];
	uint64_t cookie_ms, second_ms;
	unsigned n_this_second;
	uint8_t *buffer;
	struct seal_limits limits;
	struct seal_stats stats;
};

/* A session and a handshake may be there at once: the latter replaces the former only when it is done. */
struct session *seal_find(const struct seal *seal, const struct wire_address *address, bool waiting);
void seal_drop(struct seal *seal, struct session *session);

/* Counts, and says in 'ret_why' what happened; returns 'event'. */
int seal_tell(enum seal_event event, uint64_t *stat, char *ret_why, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

int seal_send_bytes(struct seal *seal, const struct wire_address *to, const void *bytes, size_t size);

/* Messages of a handshake, of their size: an event, or -EAGAIN: nothing to report. */
int seal_take_init(struct seal *seal, uint64_t now_ms, const struct wire_address *from, const struct init *init,
		   char *ret_why);
int seal_take_cookie(struct seal *seal, const struct cookie *cookie);
int seal_take_reply(struct seal *seal, uint64_t now_ms, const struct reply *reply, char *ret_why);
int seal_take_finish(struct seal *seal, uint64_t now_ms, const struct wire_address *from, const struct finish *finish,
		     char *ret_why);

#endif
