// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/cleanup.h"
#include "message_scan.h"
#include "message_table.h"
#include "peer.h"

enum { WHY_SIZE = 256, TEXT_SIZE_MAX = 64 << 10 };

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* ---- new, free ---- */

/* A dialing wire that takes nothing tells when it does again; a listening one never refuses. */
static int emit_frame(void *data, const struct frame *frame, const uint8_t *payload, size_t size)
{
	struct peer *peer = data;
	struct endpoint *endpoint = peer->endpoint;
	uint8_t head[FRAME_HEAD_SIZE];
	int r;

	if (!endpoint->wire)
		return -EAGAIN;
	frame_encode(frame, head);
	r = endpoint_send(endpoint, &peer->address, head, sizeof(head), payload, size);
	if (r < 0 && !endpoint->listens && !ev_is_active(&endpoint->sendable))
		ev_io_start(endpoint->loop, &endpoint->sendable);
	return r;
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct peer *peer = timer->data;
	struct endpoint *endpoint = peer->endpoint;

	endpoint_enter(endpoint);
	peer->armed_ms = UINT64_MAX;
	peer_run(peer);
	endpoint_leave(endpoint);
}

struct peer *peer_new(struct endpoint *endpoint, uint64_t session, const struct wire_address *address)
{
	static uint64_t last_id;
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->channel = channel_new(session, &endpoint->limits, now_ms(), emit_frame, peer);
	if (!peer->channel) {
		free(peer);
		return NULL;
	}
	peer->endpoint = endpoint;
	peer->id = ++last_id;
	peer->address = *address;
	pending_init(&peer->asked);
	pending_init(&peer->asking);
	ev_timer_init(&peer->timer, on_timer, 0, 0);
	peer->timer.data = peer;
	peer->armed_ms = UINT64_MAX;
	peer->next = endpoint->peers;
	endpoint->peers = peer;
	endpoint->n_peers++;
	return peer;
}

void peer_free(struct peer *peer)
{
	pending_done(&peer->asked);
	pending_done(&peer->asking);
	channel_free(peer->channel);
	message_free(peer->hello);
	free(peer);
}

static void unlink_peer(struct peer *peer)
{
	struct endpoint *endpoint = peer->endpoint;
	struct peer **at = &endpoint->peers;

	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
	endpoint->n_peers--;
	peer->next = endpoint->gone;
	endpoint->gone = peer;
}

void peer_lose(struct peer *peer, const char *why)
{
	struct endpoint *endpoint = peer->endpoint;
	const struct channel_stats *stats = channel_stats(peer->channel);
	struct pending_request request;

	if (peer->gone)
		return;
	peer->gone = true;
	unlink_peer(peer);
	ev_timer_stop(endpoint->loop, &peer->timer);
	endpoint->stats.resent += stats->resent;
	endpoint->stats.duplicates += stats->duplicates;
	endpoint->stats.vanished += pending_count(&peer->asking);
	while (pending_take_any(&peer->asked, &request))
		if (request.reply)
			request.reply(request.data, -ECONNRESET, NULL);
	if (peer->up)
		endpoint->ops->down(endpoint->data, peer, why);
	peer->up = false;
}

void peer_say_bye(struct peer *peer)
{
	struct frame frame = {.kind = FRAME_BYE, .session = channel_session(peer->channel)};

	emit_frame(peer, &frame, NULL, 0);
}

/* ---- what came ---- */

/* A message that cannot be read is answered all the same, if it has an id. */
static void deliver_unreadable(struct peer *peer, const uint8_t *payload, size_t size, int error, const char *why)
{
	struct pending_request request = {.deadline_ms = UINT64_MAX};
	struct message_traits traits;
	enum error_code code = ERROR_MALFORMED;

	peer->endpoint->stats.malformed++;
	message_scan_traits(payload, size, &traits);
	if (traits.reply_to) {
		if (pending_take(&peer->asked, traits.reply_to, &request) && request.reply)
			request.reply(request.data, error, NULL);
		return;
	}
	if (traits.id <= peer->last_asking || pending_reserve(&peer->asking) < 0)
		return;
	if (error == -EPROTONOSUPPORT)
		code = ERROR_VERSION;
	else if (error == -ENOMEM)
		code = ERROR_NO_MEMORY;
	else if (traits.body_field >= BODY_FIELD + MSG_KIND_MAX)
		code = ERROR_UNKNOWN;
	peer->last_asking = traits.id;
	request.id = traits.id;
	pending_add(&peer->asking, &request);
	peer_reply_error(peer, traits.id, code, "%s", why);
}

static void deliver_reply(struct peer *peer, const struct message *reply)
{
	struct pending_request request;

	if (!pending_take(&peer->asked, reply->reply_to, &request))
		peer->endpoint->stats.late++;
	else if (request.reply)
		request.reply(request.data, 0, reply);
}

static void deliver_request(struct peer *peer, const struct message *request)
{
	struct pending_request asking = {.id = request->id, .deadline_ms = UINT64_MAX};
	struct endpoint *endpoint = peer->endpoint;

	if (request->id <= peer->last_asking || pending_reserve(&peer->asking) < 0) {
		endpoint->stats.malformed++;
		return;
	}
	peer->last_asking = request->id;
	pending_add(&peer->asking, &asking);
	if (pending_count(&peer->asking) > ENDPOINT_OPEN_MAX) {
		endpoint->stats.refused++;
		peer_reply_error(peer, request->id, ERROR_BUSY, "%d requests are waiting already", ENDPOINT_OPEN_MAX);
	} else if (request->kind == MSG_HELLO) {
		endpoint->stats.refused++;
		peer_reply_error(peer, request->id, ERROR_REFUSED, "hello was said already");
	} else if (request->kind == MSG_ECHO) {
		peer_reply_ok(peer, request->id, "", 0, 0);
	} else {
		endpoint->ops->request(endpoint->data, peer, request);
	}
}

void peer_deliver(struct peer *peer, const uint8_t *payload, size_t size)
{
	struct message *msg = NULL;
	char why[WHY_SIZE] = "";
	int r = message_unpack(payload, size, &msg, why);

	if (r < 0) {
		deliver_unreadable(peer, payload, size, r, r == -ENOMEM ? "no memory" : why);
		return;
	}
	peer->endpoint->stats.received++;
	if (!peer->up && msg->kind == MSG_HELLO_REPLY)
		endpoint_greeted(peer->endpoint, peer, TAKE_PTR(msg));
	else if (!peer->up)
		peer->endpoint->stats.refused++;
	else if (msg->reply_to)
		deliver_reply(peer, msg);
	else
		deliver_request(peer, msg);
	message_free(msg);
}

/* ---- time ---- */

static void arm(struct peer *peer, uint64_t now)
{
	struct ev_loop *loop = peer->endpoint->loop;
	uint64_t deadline_ms = channel_deadline_ms(peer->channel);

	if (peer->asked.earliest_ms < deadline_ms)
		deadline_ms = peer->asked.earliest_ms;
	if (deadline_ms >= peer->armed_ms)
		return; /* It fires early and is set again. */
	peer->armed_ms = deadline_ms;
	ev_timer_stop(loop, &peer->timer);
	ev_timer_set(&peer->timer, deadline_ms > now ? (deadline_ms - now) / 1e3 : 0, 0);
	ev_timer_start(loop, &peer->timer);
}

static void expire_requests(struct peer *peer, uint64_t now)
{
	struct pending_request request;

	while (!peer->gone && pending_take_expired(&peer->asked, now, &request)) {
		peer->endpoint->stats.timeouts++;
		if (request.reply)
			request.reply(request.data, -ETIMEDOUT, NULL);
	}
}

/* A client that is not even connected waits for the server, not for the answer. */
static bool is_lost(struct peer *peer, uint64_t now)
{
	struct endpoint *endpoint = peer->endpoint;

	if (!channel_is_silent(peer->channel, now))
		return false;
	if (peer->up || endpoint->listens || wire_is_connected(endpoint->wire))
		return true;
	channel_forgive(peer->channel, now);
	return false;
}

void peer_run(struct peer *peer)
{
	uint64_t now = now_ms();

	if (peer->gone)
		return;
	expire_requests(peer, now);
	if (peer->gone)
		return;
	if (is_lost(peer, now)) {
		if (peer->endpoint->listens)
			peer_lose(peer, "silent");
		else
			endpoint_end_session(peer->endpoint, "silent");
		return;
	}
	channel_run(peer->channel, now);
	arm(peer, now);
}

/* ---- what goes ---- */

/* Packs and queues; counts what the queue refuses. */
static int send_message(struct peer *peer, const struct message *msg)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	uint64_t now = now_ms();
	size_t size;
	int r;

	r = message_pack(msg, &bytes, &size);
	if (r < 0)
		return r;
	r = channel_send(peer->channel, bytes, size, now);
	if (r < 0) {
		peer->endpoint->stats.queue_full += r == -EAGAIN;
		return r;
	}
	TAKE_PTR(bytes);
	peer->endpoint->stats.sent++;
	arm(peer, now);
	return 0;
}

int peer_send_hello(struct peer *peer, enum message_kind kind, uint64_t reply_to)
{
	struct message msg = *peer->endpoint->hello;

	msg.kind = kind;
	msg.reply_to = reply_to;
	msg.id = reply_to ? 0 : ++peer->last_asked;
	return send_message(peer, &msg);
}

int peer_request(struct peer *peer, const struct message *msg, unsigned timeout_ms, peer_reply_fn reply, void *data)
{
	struct pending_request request = {.reply = reply, .data = data};
	struct message copy = *msg;
	int r;

	if (peer->gone || !peer->up)
		return -ECONNRESET;
	r = pending_reserve(&peer->asked);
	if (r < 0)
		return r;
	copy.id = peer->last_asked + 1;
	copy.reply_to = 0;
	request.id = copy.id;
	request.deadline_ms = now_ms() + (timeout_ms ?: peer->endpoint->timeout_ms);
	pending_add(&peer->asked, &request);
	r = send_message(peer, &copy);
	if (r < 0) {
		pending_take(&peer->asked, copy.id, &request);
		return r;
	}
	peer->last_asked = copy.id;
	return 0;
}

static int send_reply(struct peer *peer, uint64_t request_id, const struct message *reply)
{
	struct message copy = *reply;

	copy.id = 0;
	copy.reply_to = request_id;
	return send_message(peer, &copy);
}

/* The answer that says that there is no answer. */
static void send_excuse(struct peer *peer, uint64_t request_id, const struct message *reply, int error)
{
	char why[WHY_SIZE] = "", text[2 * WHY_SIZE];
	struct message excuse = {.kind = MSG_ERROR, .error = {ERROR_INTERNAL, text}};

	if (error == -EMSGSIZE)
		snprintf(why, sizeof(why), "larger than %d bytes", MESSAGE_SIZE_MAX);
	else if (error == -ENOMEM)
		snprintf(why, sizeof(why), "no memory");
	else
		message_check(reply, why);
	snprintf(text, sizeof(text), "the answer (%s) cannot be sent: %s", message_kind_name(reply->kind), why);
	send_reply(peer, request_id, &excuse);
}

int peer_reply(struct peer *peer, uint64_t request_id, const struct message *reply)
{
	struct pending_request request;
	int r;

	if (peer->gone) {
		peer->endpoint->stats.vanished++;
		return -ECONNRESET;
	}
	if (!pending_take(&peer->asking, request_id, &request))
		return -ENOENT;
	if (peer->endpoint->ops->answered)
		peer->endpoint->ops->answered(peer->endpoint->data, peer, request_id, reply);
	r = send_reply(peer, request_id, reply);
	if (r == -EINVAL || r == -EMSGSIZE || r == -ENOMEM)
		send_excuse(peer, request_id, reply, r);
	if (r == -EAGAIN) { /* It does not read what it asks for. */
		channel_give_up(peer->channel);
		arm(peer, now_ms());
	}
	return r;
}

/* People's text may quote anything: what a message must not hold becomes '?'. */
static char *clean_text(char *text)
{
	struct message probe = {.kind = MSG_OK, .ok = {.text = text}};
	bool is_utf8;

	if (strlen(text) > TEXT_SIZE_MAX)
		text[TEXT_SIZE_MAX] = 0;
	for (char *c = text; *c; c++)
		if (((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f)
			*c = '?';
	is_utf8 = message_check(&probe, NULL) == 0;
	for (char *c = text; *c && !is_utf8; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return text;
}

int peer_reply_ok(struct peer *peer, uint64_t request_id, const char *text, uint64_t version, uint64_t count)
{
	_cleanup_free_ char *copy = strdup(text ?: "");
	struct message reply = {.kind = MSG_OK, .ok = {copy ? clean_text(copy) : "", version, count}};

	return peer_reply(peer, request_id, &reply);
}

int peer_reply_error(struct peer *peer, uint64_t request_id, enum error_code code, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	struct message reply = {.kind = MSG_ERROR, .error = {.code = code}};
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	reply.error.text = text ? clean_text(text) : "";
	return peer_reply(peer, request_id, &reply);
}

/* ---- small things ---- */

uint64_t peer_id(const struct peer *peer)
{
	return peer->id;
}

struct peer *peer_find(struct endpoint *endpoint, uint64_t id)
{
	for (struct peer *peer = endpoint->peers; peer; peer = peer->next)
		if (peer->id == id)
			return peer->up ? peer : NULL;
	return NULL;
}

const struct msg_hello *peer_hello(const struct peer *peer)
{
	return &peer->hello->hello;
}

void peer_set_data(struct peer *peer, void *data)
{
	peer->data = data;
}

void *peer_data(const struct peer *peer)
{
	return peer->data;
}
