// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seal_int.h"

static const char magic[4] = "MSEA";

struct head seal_head_of(enum kind kind)
{
	struct head head = {.version = 1, .kind = kind};

	memcpy(head.magic, magic, sizeof(magic));
	return head;
}

static void session_free(struct session *session)
{
	sodium_memzero(session, sizeof(*session));
	free(session);
}

static bool is_at(const struct session *session, const struct wire_address *address)
{
	return session->address.size == address->size &&
	       memcmp(session->address.bytes, address->bytes, address->size) == 0;
}

struct session *seal_find(const struct seal *seal, const struct wire_address *address, bool waiting)
{
	for (struct session *s = seal->sessions; s; s = s->next)
		if ((s->state == STATE_WAITING) == waiting && (!seal->listens || is_at(s, address)))
			return s;
	return NULL;
}

void seal_drop(struct seal *seal, struct session *session)
{
	struct session **at = &seal->sessions;

	while (*at && *at != session)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = session->next;
	session_free(session);
}

void seal_forget(struct seal *seal, const struct wire_address *address)
{
	struct session *session = seal_find(seal, address, false);

	if (session)
		seal_drop(seal, session);
}

const struct trusted *seal_who(const struct seal *seal, const struct wire_address *address)
{
	const struct session *session = seal_find(seal, address, false);

	return session ? &session->who : NULL;
}

bool seal_is_up(const struct seal *seal)
{
	return seal->sessions && seal->sessions->state == STATE_UP;
}

/* ---- new, free ---- */

int seal_new(struct wire *wire, bool listens, const char *url, struct keys *keys, struct seal **ret_seal)
{
	struct seal *seal = calloc(1, sizeof(*seal));

	if (!seal)
		return -ENOMEM;
	seal->wire = wire;
	seal->listens = listens;
	seal->keys = keys;
	seal->url = strdup(url);
	seal->buffer = malloc(BUFFER);
	seal->limits = (struct seal_limits){1ull << 30, 120000, 20};
	randombytes_buf(seal->s, sizeof(seal->s));
	randombytes_buf(seal->cookie_key, sizeof(seal->cookie_key));
	if (!seal->url || !seal->buffer) {
		seal_free(seal);
		return -ENOMEM;
	}
	*ret_seal = seal;
	return 0;
}

void seal_free(struct seal *seal)
{
	if (!seal)
		return;
	while (seal->sessions)
		seal_drop(seal, seal->sessions);
	free(seal->url);
	free(seal->buffer);
	sodium_memzero(seal, sizeof(*seal));
	free(seal);
}

void seal_set_limits(struct seal *seal, const struct seal_limits *limits)
{
	seal->limits = *limits;
}

void seal_get_stats(const struct seal *seal, struct seal_stats *ret_stats)
{
	*ret_stats = seal->stats;
}

int seal_tell(enum seal_event event, uint64_t *stat, char *ret_why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret_why, SEAL_WHY, format, args);
	va_end(args);
	++*stat;
	return event;
}

/* ---- frames ---- */

int seal_send_bytes(struct seal *seal, const struct wire_address *to, const void *bytes, size_t size)
{
	return wire_send(seal->wire, to, bytes, size, NULL, 0);
}

static void renew(struct seal *seal, struct direction *direction, uint64_t now_ms)
{
	if (direction->bytes < seal->limits.rekey_bytes && now_ms - direction->since_ms < seal->limits.rekey_ms)
		return;
	noise_rekey(&direction->cipher);
	direction->epoch++;
	direction->bytes = 0;
	direction->since_ms = now_ms;
	seal->stats.rekeyed++;
}

int seal_send(struct seal *seal, const struct wire_address *to, uint64_t now_ms, const void *head, size_t head_size,
	      const void *body, size_t body_size)
{
	struct session *session = seal_find(seal, to, false);
	size_t size = head_size + body_size;
	struct data data = {.head = seal_head_of(KIND_DATA)};
	uint8_t *at = seal->buffer + sizeof(data);

	if (!session)
		return -ENOTCONN;
	if (size > BUFFER - SEAL_OVERHEAD)
		return -EMSGSIZE;
	renew(seal, &session->send, now_ms);
	data.epoch = htole32(session->send.epoch);
	data.counter = htole64(session->send.cipher.counter);
	memcpy(at, head, head_size);
	if (body_size)
		memcpy(at + head_size, body, body_size);
	memcpy(seal->buffer, &data, sizeof(data));
	noise_seal(&session->send.cipher, seal->buffer, sizeof(data), at, size, at);
	session->send.bytes += size;
	return seal_send_bytes(seal, to, seal->buffer, size + SEAL_OVERHEAD);
}

/* A key that was revoked, or has other rights now. */
static bool is_still_trusted(struct seal *seal, struct session *session, uint64_t now_ms)
{
	const struct trusted *trusted;

	if (!seal->listens || now_ms - session->checked_ms < TRUST_CHECK_MS)
		return true;
	session->checked_ms = now_ms;
	if (session->generation == keys_generation(seal->keys))
		return true;
	session->generation = keys_generation(seal->keys);
	trusted = keys_find(seal->keys, session->who.key);
	if (trusted)
		session->who = *trusted;
	return trusted != NULL;
}

static int open_frame(struct session *session, const uint8_t *bytes, size_t size, uint8_t *ret_plain)
{
	struct direction *in = &session->receive, next = *in;
	struct data data;
	uint32_t epoch;
	int r;

	memcpy(&data, bytes, sizeof(data));
	epoch = le32toh(data.epoch);
	if (le64toh(data.counter) < in->cipher.counter)
		return -EALREADY;
	if (epoch == in->epoch + 1) {
		noise_rekey(&next.cipher);
		next.epoch = epoch;
	} else if (epoch != in->epoch) {
		return -EBADMSG;
	}
	next.cipher.counter = le64toh(data.counter);
	r = noise_open(&next.cipher, bytes, sizeof(data), bytes + sizeof(data), size - sizeof(data), ret_plain);
	if (r == 0)
		*in = next;
	sodium_memzero(&next, sizeof(next));
	return r;
}

static int take_data(struct seal *seal, uint64_t now_ms, const struct wire_address *from, uint8_t *bytes, size_t *size,
		     char *ret_why)
{
	struct session *session = seal_find(seal, from, false);
	int r;

	if (!session || session->state != STATE_UP)
		return seal_tell(SEAL_SUSPECT, &seal->stats.unknown, ret_why, "a sealed frame of no session");
	r = *size - SEAL_OVERHEAD > BUFFER ? -EBADMSG : open_frame(session, bytes, *size, seal->buffer);
	if (r == -EALREADY)
		return seal_tell(SEAL_SUSPECT, &seal->stats.replayed, ret_why, "a sealed frame came again");
	if (r < 0)
		return seal_tell(SEAL_SUSPECT, &seal->stats.forged, ret_why,
				 "a sealed frame is forged, damaged or of another session");
	session->heard_ms = now_ms;
	if (!is_still_trusted(seal, session, now_ms)) {
		session->state = STATE_REFUSED;
		return seal_tell(SEAL_REFUSED, &seal->stats.untrusted, ret_why, "the key of \"%.60s\" was revoked",
				 session->who.name);
	}
	*size -= SEAL_OVERHEAD;
	memcpy(bytes, seal->buffer, *size);
	return SEAL_FRAME;
}

static int take(struct seal *seal, uint64_t now_ms, const struct wire_address *from, uint8_t *bytes, size_t *size,
		char *ret_why)
{
	struct head head, like;

	if (*size < sizeof(head))
		return seal_tell(SEAL_SUSPECT, &seal->stats.malformed, ret_why, "bytes that are no sealed frame");
	memcpy(&head, bytes, sizeof(head));
	like = seal_head_of(head.kind);
	if (memcmp(&head, &like, sizeof(head)) != 0)
		return seal_tell(SEAL_SUSPECT, &seal->stats.malformed, ret_why,
				 memcmp(head.magic, "MEAL", 4)
					 ? "bytes that are no sealed frame"
					 : "an unsealed frame (the other side runs with --insecure)");
	if (seal->listens && head.kind == KIND_INIT && *size == sizeof(struct init))
		return seal_take_init(seal, now_ms, from, (const struct init *)bytes, ret_why);
	if (seal->listens && head.kind == KIND_FINISH && *size == sizeof(struct finish))
		return seal_take_finish(seal, now_ms, from, (const struct finish *)bytes, ret_why);
	if (!seal->listens && head.kind == KIND_COOKIE && *size == sizeof(struct cookie))
		return seal_take_cookie(seal, (const struct cookie *)bytes);
	if (!seal->listens && head.kind == KIND_REPLY && *size == sizeof(struct reply))
		return seal_take_reply(seal, now_ms, (const struct reply *)bytes, ret_why);
	if (head.kind == KIND_DATA && *size >= SEAL_OVERHEAD)
		return take_data(seal, now_ms, from, bytes, size, ret_why);
	return seal_tell(SEAL_SUSPECT, &seal->stats.malformed, ret_why, "a handshake of a wrong kind or size");
}

int seal_receive(struct seal *seal, uint64_t now_ms, struct wire_address *ret_from, uint8_t **ret_bytes,
		 size_t *ret_size, char *ret_why)
{
	for (;;) {
		struct wire_address from = {};
		uint8_t *bytes;
		size_t size;
		int r = wire_receive(seal->wire, &from, &bytes, &size);

		if (r < 0)
			return r;
		r = take(seal, now_ms, &from, bytes, &size, ret_why);
		if (ret_from)
			*ret_from = from;
		if (r == SEAL_FRAME) {
			*ret_bytes = bytes;
			*ret_size = size;
			return r;
		}
		wire_release(bytes);
		if (r != -EAGAIN)
			return r;
	}
}
