// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seal_int.h"

static const uint8_t prologue[] = "mealy control channel 1";
static const char signed_as[] = "mealy handshake ";

static struct session *session_new(struct seal *seal, const struct wire_address *address, uint64_t now_ms)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	if (address)
		session->address = *address;
	session->heard_ms = now_ms;
	noise_init(&session->noise, !seal->listens, prologue, sizeof(prologue) - 1, seal->s, NULL);
	session->next = seal->sessions;
	seal->sessions = session;
	return session;
}

static void prune(struct seal *seal, uint64_t now_ms)
{
	struct session *next, *oldest = NULL;
	unsigned n = 0;

	for (struct session *s = seal->sessions; s; s = next) {
		next = s->next;
		if (now_ms - s->heard_ms > (s->state == STATE_WAITING ? WAITING_MS : IDLE_MS)) {
			seal_drop(seal, s);
		} else if (s->state == STATE_WAITING) {
			n++;
			oldest = s; /* The list is newest first. */
		}
	}
	if (n >= WAITING_MAX)
		seal_drop(seal, oldest);
}

/* ---- who ---- */

static size_t signed_text(bool initiator, const uint8_t h[NOISE_HASH], uint8_t ret[sizeof(signed_as) + NOISE_HASH])
{
	memcpy(ret, signed_as, sizeof(signed_as) - 1);
	ret[sizeof(signed_as) - 1] = initiator ? 'i' : 'r';
	memcpy(ret + sizeof(signed_as), h, NOISE_HASH);
	return sizeof(signed_as) + NOISE_HASH;
}

static void write_who(struct seal *seal, struct noise *noise, uint8_t *ret)
{
	const struct identity *identity = keys_identity(seal->keys);
	uint8_t text[sizeof(signed_as) + NOISE_HASH];
	size_t size = signed_text(noise->initiator, noise->h, text);
	struct who who;

	memcpy(who.key, identity->public, sizeof(who.key));
	memcpy(who.before, identity->before, sizeof(who.before));
	memcpy(who.follows, identity->follows, sizeof(who.follows));
	key_sign(identity, text, size, who.signature);
	noise_write_payload(noise, (const uint8_t *)&who, sizeof(who), ret);
}

static int read_who(struct noise *noise, const uint8_t *bytes, struct who *ret_who)
{
	uint8_t text[sizeof(signed_as) + NOISE_HASH];
	size_t size = signed_text(!noise->initiator, noise->h, text);

	if (noise_read_payload(noise, bytes, sizeof(*ret_who) + NOISE_TAG, (uint8_t *)ret_who) < 0 ||
	    !key_check(ret_who->key, text, size, ret_who->signature))
		return -EBADMSG;
	return 0;
}

/* Whose key the one before was, gets the new one. */
static const struct trusted *take_over(struct seal *seal, const struct who *who, const struct trusted *before)
{
	struct trusted next;

	if (!before || !key_is_followed(who->before, who->key, who->follows))
		return NULL;
	next = *before;
	memcpy(next.key, who->key, sizeof(next.key));
	if (keys_revoke(seal->keys, who->before) < 0 || keys_trust(seal->keys, &next) < 0)
		return NULL;
	return keys_find(seal->keys, who->key);
}

/* Server: admitted, and what for. */
static bool admit(struct seal *seal, struct session *session, const struct who *who)
{
	const struct trusted *trusted = keys_find(seal->keys, who->key);

	if (!trusted)
		trusted = take_over(seal, who, keys_find(seal->keys, who->before));
	session->generation = keys_generation(seal->keys);
	if (!trusted || trusted->right == RIGHT_SERVER) {
		memcpy(session->who.key, who->key, sizeof(who->key));
		return false;
	}
	session->who = *trusted;
	return true;
}

/* Client: 0, or -EPERM when another key is pinned for the address. */
static int believe(struct seal *seal, struct session *session, const struct who *who)
{
	const struct trusted *pinned = keys_find_name(seal->keys, RIGHT_SERVER, seal->url);
	struct trusted first = {.right = RIGHT_SERVER};

	if (pinned && memcmp(pinned->key, who->key, KEY_SIZE) != 0) {
		bool follows = memcmp(pinned->key, who->before, KEY_SIZE) == 0;

		pinned = follows ? take_over(seal, who, pinned) : NULL;
		if (!pinned)
			return -EPERM;
	}
	memcpy(first.key, who->key, KEY_SIZE);
	snprintf(first.name, sizeof(first.name), "%.255s", seal->url);
	if (!pinned) {
		int r = keys_trust(seal->keys, &first);

		if (r < 0)
			return r;
	}
	session->who = first;
	return 0;
}

/* ---- the handshake ---- */

static void go_up(struct session *session, uint64_t now_ms)
{
	noise_split(&session->noise, &session->send.cipher, &session->receive.cipher);
	noise_done(&session->noise);
	session->send.since_ms = session->checked_ms = session->heard_ms = now_ms;
	session->state = STATE_UP;
}

int seal_connect(struct seal *seal)
{
	struct init init = {.head = seal_head_of(KIND_INIT)};
	struct session *session = seal->sessions;

	if (session && session->state != STATE_WAITING)
		return 0;
	if (!session) {
		uint8_t e[NOISE_FIRST];

		session = session_new(seal, NULL, 0);
		if (!session)
			return -ENOMEM;
		noise_write_first(&session->noise, NULL, 0, e);
	}
	memcpy(init.e, session->noise.e_public, sizeof(init.e));
	memcpy(init.cookie, seal->cookie, sizeof(init.cookie));
	return seal_send_bytes(seal, NULL, &init, sizeof(init));
}

static void make_cookie(const struct seal *seal, unsigned which, const struct wire_address *from, const uint8_t *e,
			uint8_t ret[32])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, seal->cookie_key[which], sizeof(seal->cookie_key[which]), 32);
	crypto_generichash_update(&state, from->bytes, from->size);
	crypto_generichash_update(&state, e, NOISE_FIRST);
	crypto_generichash_final(&state, ret, 32);
}

/* Under load only who answers at its address gets the work of a handshake. */
static bool is_welcome(struct seal *seal, uint64_t now_ms, const struct wire_address *from, const struct init *init)
{
	uint8_t want[32];

	if (now_ms - seal->cookie_ms > COOKIE_MS) {
		memcpy(seal->cookie_key[1], seal->cookie_key[0], sizeof(seal->cookie_key[1]));
		randombytes_buf(seal->cookie_key[0], sizeof(seal->cookie_key[0]));
		seal->cookie_ms = now_ms;
	}
	if (now_ms - seal->second_ms >= 1000) {
		seal->second_ms = now_ms;
		seal->n_this_second = 0;
	}
	if (seal->n_this_second < seal->limits.handshakes_per_s) {
		seal->n_this_second++;
		return true;
	}
	for (unsigned i = 0; i < 2; i++) {
		make_cookie(seal, i, from, init->e, want);
		if (sodium_memcmp(want, init->cookie, sizeof(want)) == 0)
			return true;
	}
	return false;
}

int seal_take_init(struct seal *seal, uint64_t now_ms, const struct wire_address *from, const struct init *init,
		   char *ret_why)
{
	struct reply reply = {.head = seal_head_of(KIND_REPLY)};
	struct session *session;

	if (!is_welcome(seal, now_ms, from, init)) {
		struct cookie cookie = {.head = seal_head_of(KIND_COOKIE)};

		memcpy(cookie.e, init->e, sizeof(cookie.e));
		make_cookie(seal, 0, from, init->e, cookie.cookie);
		seal_send_bytes(seal, from, &cookie, sizeof(cookie));
		seal->stats.cookies++;
		return -EAGAIN;
	}
	prune(seal, now_ms);
	session = seal_find(seal, from, true);
	if (session)
		seal_drop(seal, session);
	session = session_new(seal, from, now_ms);
	if (!session)
		return -EAGAIN;
	noise_read_first(&session->noise, init->e, sizeof(init->e));
	if (noise_write_static(&session->noise, reply.noise) < 0) {
		seal_drop(seal, session);
		return seal_tell(SEAL_SUSPECT, &seal->stats.forged, ret_why, "a handshake with an impossible key");
	}
	write_who(seal, &session->noise, reply.who);
	seal_send_bytes(seal, from, &reply, sizeof(reply));
	return -EAGAIN;
}

int seal_take_cookie(struct seal *seal, const struct cookie *cookie)
{
	struct session *session = seal->sessions;

	if (!session || session->state != STATE_WAITING ||
	    memcmp(cookie->e, session->noise.e_public, sizeof(cookie->e)) != 0)
		return -EAGAIN;
	memcpy(seal->cookie, cookie->cookie, sizeof(seal->cookie));
	seal_connect(seal);
	return -EAGAIN;
}

static int refuse_server(struct seal *seal, const struct who *who, int r, char *ret_why)
{
	const struct trusted *pinned = keys_find_name(seal->keys, RIGHT_SERVER, seal->url);
	char shown[KEY_TEXT], known[KEY_TEXT] = "";

	key_render(who->key, shown);
	if (r != -EPERM || !pinned)
		return seal_tell(SEAL_REFUSED, &seal->stats.untrusted, ret_why, "its key cannot be noted in %.100s: %s",
				 keys_folder(seal->keys), strerror(-r));
	key_render(pinned->key, known);
	return seal_tell(
		SEAL_REFUSED, &seal->stats.changed, ret_why,
		"its key has CHANGED: it shows %s, trusted is %s. Somebody may be in between; if its owner renewed "
		"it: mealy key revoke, with the trusted one",
		shown, known);
}

int seal_take_reply(struct seal *seal, uint64_t now_ms, const struct reply *reply, char *ret_why)
{
	struct finish finish = {.head = seal_head_of(KIND_FINISH)};
	struct session *session = seal->sessions;
	struct who who;
	int r;

	if (!session || session->state != STATE_WAITING)
		return -EAGAIN;
	if (noise_read_static(&session->noise, reply->noise) < 0 || read_who(&session->noise, reply->who, &who) < 0) {
		seal_drop(seal, session);
		return seal_tell(SEAL_REFUSED, &seal->stats.forged, ret_why, "its handshake is forged or damaged");
	}
	r = believe(seal, session, &who);
	if (r < 0) {
		seal_drop(seal, session);
		return refuse_server(seal, &who, r, ret_why);
	}
	if (noise_write_static(&session->noise, finish.noise) < 0) {
		seal_drop(seal, session);
		return seal_tell(SEAL_REFUSED, &seal->stats.forged, ret_why, "its handshake has an impossible key");
	}
	write_who(seal, &session->noise, finish.who);
	seal_send_bytes(seal, NULL, &finish, sizeof(finish));
	go_up(session, now_ms);
	seal->stats.handshakes++;
	return SEAL_UP;
}

int seal_take_finish(struct seal *seal, uint64_t now_ms, const struct wire_address *from, const struct finish *finish,
		     char *ret_why)
{
	struct session *session = seal_find(seal, from, true), *old;
	char key[KEY_TEXT];
	struct who who;

	if (!session)
		return seal_tell(SEAL_SUSPECT, &seal->stats.unknown, ret_why,
				 "the end of a handshake that nobody began");
	if (noise_read_static(&session->noise, finish->noise) < 0 || read_who(&session->noise, finish->who, &who) < 0) {
		seal_drop(seal, session);
		return seal_tell(SEAL_SUSPECT, &seal->stats.forged, ret_why, "a handshake is forged or damaged");
	}
	old = seal_find(seal, from, false);
	if (old)
		seal_drop(seal, old);
	go_up(session, now_ms);
	if (admit(seal, session, &who)) {
		seal->stats.handshakes++;
		return -EAGAIN;
	}
	session->state = STATE_REFUSED;
	key_render(who.key, key);
	return seal_tell(SEAL_REFUSED, &seal->stats.untrusted, ret_why,
			 "nobody trusts the key %s here; if it is who it should be: mealy key trust %s RIGHT NAME", key,
			 key);
}
