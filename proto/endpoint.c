// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../common/cleanup.h"
#include "peer.h"

enum { WHY_SIZE = 256, FRAMES_AT_ONCE = 64, LINGER_MS = 50 };

/* ---- leaving callbacks ---- */

static void destroy(struct endpoint *endpoint)
{
	message_free(endpoint->hello);
	free(endpoint->url);
	free(endpoint);
}

void endpoint_enter(struct endpoint *endpoint)
{
	endpoint->depth++;
}

void endpoint_leave(struct endpoint *endpoint)
{
	if (--endpoint->depth)
		return;
	while (endpoint->gone) {
		struct peer *peer = endpoint->gone;

		endpoint->gone = peer->next;
		peer_free(peer);
	}
	if (endpoint->closing)
		destroy(endpoint);
}

/* ---- the wire ---- */

static void close_wire(struct endpoint *endpoint)
{
	ev_io_stop(endpoint->loop, &endpoint->receivable);
	ev_io_stop(endpoint->loop, &endpoint->sendable);
	seal_free(endpoint->seal);
	endpoint->seal = NULL;
	wire_close(endpoint->wire);
	endpoint->wire = NULL;
}

static void watch_wire(struct endpoint *endpoint)
{
	ev_io_set(&endpoint->receivable, wire_receive_fd(endpoint->wire), EV_READ);
	ev_io_start(endpoint->loop, &endpoint->receivable);
	if (!endpoint->listens)
		ev_io_set(&endpoint->sendable, wire_send_fd(endpoint->wire), EV_READ);
}

static int dial_wire(struct endpoint *endpoint, char *ret_why)
{
	int r = wire_dial(endpoint->url, endpoint->insecure || endpoint->keys, endpoint->backoff_min_ms,
			  endpoint->backoff_max_ms, &endpoint->wire, ret_why);

	if (r < 0)
		return r;
	watch_wire(endpoint);
	return endpoint_seal_wire(endpoint);
}

/* Frames outside of any session: refusals. */
void endpoint_reset(struct endpoint *endpoint, const struct wire_address *to, uint64_t session, enum error_code code,
		    const char *why)
{
	struct frame frame = {.kind = FRAME_RESET, .session = session};
	struct message msg = {.kind = MSG_ERROR, .error = {code, why}};
	_cleanup_free_ uint8_t *payload = NULL;
	uint8_t head[FRAME_HEAD_SIZE];
	size_t size = 0;

	endpoint->stats.refused++;
	frame_encode(&frame, head);
	if (message_pack(&msg, &payload, &size) == 0)
		endpoint_send(endpoint, to, head, sizeof(head), payload, size);
}

/* ---- server: strangers ---- */

static struct peer *find_by_address(struct endpoint *endpoint, const struct wire_address *address)
{
	for (struct peer *peer = endpoint->peers; peer; peer = peer->next)
		if (peer->address.size == address->size &&
		    memcmp(peer->address.bytes, address->bytes, address->size) == 0)
			return peer;
	return NULL;
}

/* A switch has one name and one session.  Users may have equal names, so only the same process
 * replaces its old session. */
static struct peer *find_replaced(struct endpoint *endpoint, const struct msg_hello *hello)
{
	for (struct peer *peer = endpoint->peers; peer; peer = peer->next) {
		const struct msg_hello *old = peer_hello(peer);

		if (old->role == hello->role && strcmp(old->name, hello->name) == 0 &&
		    (hello->role != ROLE_USER || old->instance == hello->instance))
			return peer;
	}
	return NULL;
}

/* Makes a peer of somebody who said hello; takes over 'hello'.  Its answer is queued before up()
 * runs, so that it precedes what up() asks, and leaves if up() agrees. */
static void admit(struct endpoint *endpoint, const struct wire_address *from, const struct frame *frame, size_t size,
		  struct message *hello)
{
	struct peer *peer = peer_new(endpoint, frame->session, from);
	enum error_code code;

	if (!peer) {
		message_free(hello);
		endpoint_reset(endpoint, from, frame->session, ERROR_NO_MEMORY, "no memory for another peer");
		return;
	}
	peer->hello = hello;
	peer->last_asking = hello->id;
	channel_hold(peer->channel, true, now_ms());
	channel_receive(peer->channel, frame, size, now_ms());
	if (peer_send_hello(peer, MSG_HELLO_REPLY, hello->id) < 0) {
		endpoint_reset(endpoint, from, frame->session, ERROR_NO_MEMORY, "no memory for another peer");
		peer_lose(peer, "no memory");
		return;
	}
	peer->up = true;
	code = endpoint->ops->up(endpoint->data, peer, peer_hello(peer));
	if (peer->gone)
		return;
	if (code != ERROR_NONE) {
		peer->up = false;
		endpoint_reset(endpoint, from, frame->session, code, error_code_name(code));
		peer_lose(peer, "refused");
		return;
	}
	channel_hold(peer->channel, false, now_ms());
	peer_run(peer);
}

static void say_hello_first(struct endpoint *endpoint, const struct wire_address *from, const struct frame *frame)
{
	if (frame->kind != FRAME_RESET && frame->kind != FRAME_BYE)
		endpoint_reset(endpoint, from, frame->session, ERROR_REFUSED, "no such session: say hello first");
}

/* A frame of no session we know: a hello, or refused. */
static void take_stranger(struct endpoint *endpoint, const struct wire_address *from, const struct frame *frame,
			  const uint8_t *payload, size_t size)
{
	struct message *msg = NULL;
	struct peer *old;
	char why[WHY_SIZE] = "";
	int r;

	if (frame->kind != FRAME_DATA || frame->sequence != 1) {
		say_hello_first(endpoint, from, frame);
		return;
	}
	r = message_unpack(payload, size, &msg, why);
	if (r < 0) {
		endpoint->stats.malformed++;
		endpoint_reset(endpoint, from, frame->session, r == -EPROTONOSUPPORT ? ERROR_VERSION : ERROR_MALFORMED,
			       why);
		return;
	}
	if (msg->kind != MSG_HELLO || !msg->id || msg->reply_to) {
		say_hello_first(endpoint, from, frame);
		message_free(msg);
		return;
	}
	endpoint->stats.received++;
	old = find_by_address(endpoint, from) ?: find_replaced(endpoint, &msg->hello);
	if (old) {
		peer_say_bye(old);
		peer_lose(old, "replaced by a new session");
	}
	if (endpoint->closing || endpoint->n_peers >= ENDPOINT_PEERS_MAX) {
		endpoint_reset(endpoint, from, frame->session, ERROR_BUSY, "too many peers");
		message_free(msg);
		return;
	}
	admit(endpoint, from, frame, size, msg);
}

/* ---- client: sessions ---- */

static void schedule_redial(struct endpoint *endpoint, unsigned delay_ms)
{
	ev_timer_stop(endpoint->loop, &endpoint->redial);
	ev_timer_set(&endpoint->redial, delay_ms / 1e3, 0);
	ev_timer_start(endpoint->loop, &endpoint->redial);
}

void endpoint_end_session(struct endpoint *endpoint, const char *why)
{
	struct peer *peer = endpoint->peers;
	bool was_steady = peer && peer->up && now_ms() - endpoint->up_since_ms >= endpoint->backoff_max_ms;

	ev_timer_stop(endpoint->loop, &endpoint->check);
	if (peer)
		peer_lose(peer, why);
	if (endpoint->closing)
		return;
	close_wire(endpoint);
	if (was_steady)
		endpoint->backoff_ms = endpoint->backoff_min_ms;
	schedule_redial(endpoint, endpoint->backoff_ms);
	endpoint->backoff_ms *= 2;
	if (endpoint->backoff_ms > endpoint->backoff_max_ms)
		endpoint->backoff_ms = endpoint->backoff_max_ms;
}

void endpoint_refuse_address(struct endpoint *endpoint, const struct wire_address *address, const char *why)
{
	struct peer *peer = find_by_address(endpoint, address);

	if (peer)
		peer_lose(peer, why);
}

void endpoint_refused(struct endpoint *endpoint, enum error_code code, const char *why)
{
	endpoint->stats.refused++;
	if (endpoint->ops->refused)
		endpoint->ops->refused(endpoint->data, code, why);
	if (!endpoint->closing)
		endpoint_end_session(endpoint, why);
}

/* Without memory it is tried again later. */
void endpoint_begin_session(struct endpoint *endpoint)
{
	static const struct wire_address nowhere;
	struct peer *peer;
	uint64_t session = 0;

	while (getrandom(&session, sizeof(session), 0) != sizeof(session) || !session)
		;
	peer = peer_new(endpoint, session, &nowhere);
	if (!peer || peer_send_hello(peer, MSG_HELLO, 0) < 0) {
		endpoint_end_session(endpoint, "no memory");
		return;
	}
	peer_run(peer);
}

/* A session begins: wire, handshake if it is sealed, peer, hello. */
static void on_redial(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct endpoint *endpoint = timer->data;
	char why[WHY_SIZE];

	endpoint_enter(endpoint);
	if (!endpoint->wire && dial_wire(endpoint, why) < 0) {
		endpoint_end_session(endpoint, "no memory");
	} else {
		endpoint->broken = wire_broken(endpoint->wire);
		ev_timer_again(endpoint->loop, &endpoint->check);
		if (endpoint->seal)
			seal_connect(endpoint->seal);
		else
			endpoint_begin_session(endpoint);
	}
	endpoint_leave(endpoint);
}

/* Silence would tell as well, but later. */
static void on_check(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct endpoint *endpoint = timer->data;

	endpoint_enter(endpoint);
	if (endpoint->wire && wire_broken(endpoint->wire) != endpoint->broken)
		endpoint_end_session(endpoint, "the connection broke");
	else if (endpoint->seal && !seal_is_up(endpoint->seal))
		seal_connect(endpoint->seal);
	endpoint_leave(endpoint);
}

void endpoint_greeted(struct endpoint *endpoint, struct peer *peer, struct message *reply)
{
	enum error_code code;

	peer->hello = reply;
	peer->up = true;
	endpoint->up_since_ms = now_ms();
	code = endpoint->ops->up(endpoint->data, peer, peer_hello(peer));
	if (peer->gone || code == ERROR_NONE)
		return;
	peer->up = false;
	peer_say_bye(peer);
	endpoint_end_session(endpoint, error_code_name(code));
}

static void take_reset(struct endpoint *endpoint, struct peer *peer, const uint8_t *payload, size_t size)
{
	struct message *msg = NULL;
	const char *text = "reset by the other side";
	enum error_code code = ERROR_REFUSED;

	if (message_unpack(payload, size, &msg, NULL) == 0 && msg->kind == MSG_ERROR) {
		text = msg->error.text;
		code = msg->error.code;
	}
	if (endpoint->listens)
		peer_lose(peer, text);
	else if (peer->up)
		endpoint_end_session(endpoint, text);
	else
		endpoint_refused(endpoint, code, text);
	message_free(msg);
}

/* ---- frames ---- */

static void take_other_version(struct endpoint *endpoint, const struct wire_address *from, const struct frame *frame)
{
	char why[WHY_SIZE];

	snprintf(why, sizeof(why), "the other side speaks version %u of the control channel, this one %d",
		 frame->wire_version, WIRE_VERSION);
	if (!endpoint->listens) {
		endpoint_refused(endpoint, ERROR_VERSION, why);
		return;
	}
	snprintf(why, sizeof(why), "this side speaks version %d of the control channel, the other one %u", WIRE_VERSION,
		 frame->wire_version);
	endpoint_reset(endpoint, from, frame->session, ERROR_VERSION, why);
}

/* A client that leaves waits for the answer: see linger(). */
static void take_bye(struct endpoint *endpoint, struct peer *peer)
{
	if (endpoint->listens) {
		peer_say_bye(peer);
		peer_lose(peer, "closed by the other side");
	} else {
		endpoint_end_session(endpoint, "closed by the other side");
	}
}

static void take_frame(struct endpoint *endpoint, struct peer *peer, const struct frame *frame, const uint8_t *payload,
		       size_t size)
{
	switch (frame->kind) {
	case FRAME_RESET: take_reset(endpoint, peer, payload, size); return;
	case FRAME_BYE: take_bye(endpoint, peer); return;
	default:
		if (channel_receive(peer->channel, frame, size, now_ms()))
			peer_deliver(peer, payload, size);
		peer_run(peer);
	}
}

static void take_bytes(struct endpoint *endpoint, const struct wire_address *from, const uint8_t *bytes, size_t size)
{
	struct frame frame;
	struct peer *peer;
	int r = frame_decode(bytes, size, &frame);

	if (r < 0) {
		endpoint->stats.malformed++;
		if (r == -EPROTONOSUPPORT)
			take_other_version(endpoint, from, &frame);
		return;
	}
	bytes += FRAME_HEAD_SIZE;
	size -= FRAME_HEAD_SIZE;
	peer = endpoint->listens ? find_by_address(endpoint, from) : endpoint->peers;
	if (peer && (channel_session(peer->channel) == frame.session ||
		     (endpoint->seal && frame.kind == FRAME_RESET && frame.session == FRAME_SESSION_ANY)))
		take_frame(endpoint, peer, &frame, bytes, size);
	else if (endpoint->listens)
		take_stranger(endpoint, from, &frame, bytes, size);
}

static void on_receivable(struct ev_loop *loop, ev_io *io, int events)
{
	struct endpoint *endpoint = io->data;
	struct wire_address from = {};
	uint8_t *bytes;
	size_t size;

	endpoint_enter(endpoint);
	for (unsigned n = 0; n < FRAMES_AT_ONCE && endpoint->wire; n++) {
		if (endpoint_receive(endpoint, &from, &bytes, &size) < 0)
			break;
		take_bytes(endpoint, &from, bytes, size);
		wire_release(bytes);
	}
	endpoint_leave(endpoint);
}

static void on_sendable(struct ev_loop *loop, ev_io *io, int events)
{
	struct endpoint *endpoint = io->data;

	endpoint_enter(endpoint);
	ev_io_stop(loop, io);
	if (endpoint->peers)
		peer_run(endpoint->peers);
	endpoint_leave(endpoint);
}

/* ---- open, close ---- */

static void init_times(struct endpoint *endpoint)
{
	endpoint->limits = (struct channel_limits){
		.window_bytes = ENDPOINT_WINDOW_BYTES,
		.queue_bytes = ENDPOINT_QUEUE_BYTES,
		.resend_ms = ENDPOINT_RESEND_MS,
		.ack_ms = ENDPOINT_ACK_MS,
		.echo_ms = ENDPOINT_ECHO_MS,
		.silent_ms = ENDPOINT_SILENT_MS,
	};
	endpoint->timeout_ms = ENDPOINT_TIMEOUT_MS;
	endpoint->backoff_min_ms = ENDPOINT_BACKOFF_MIN_MS;
	endpoint->backoff_max_ms = ENDPOINT_BACKOFF_MAX_MS;
	endpoint->backoff_ms = ENDPOINT_BACKOFF_MIN_MS;
}

static void init_watchers(struct endpoint *endpoint)
{
	ev_init(&endpoint->receivable, on_receivable);
	ev_set_priority(&endpoint->receivable, 1); /* What has come counts before silence does. */
	ev_init(&endpoint->sendable, on_sendable);
	ev_timer_init(&endpoint->redial, on_redial, 0, 0);
	ev_timer_init(&endpoint->check, on_check, 0, endpoint->limits.echo_ms / 4e3);
	endpoint->receivable.data = endpoint;
	endpoint->sendable.data = endpoint;
	endpoint->redial.data = endpoint;
	endpoint->check.data = endpoint;
}

static int copy_hello(const struct msg_hello *hello, struct message **ret_copy, char *ret_why)
{
	struct message msg = {.kind = MSG_HELLO, .hello = *hello};
	int r;

	msg.hello.wire_version = WIRE_VERSION;
	if (message_check(&msg, ret_why) < 0)
		return -EINVAL;
	r = message_copy(&msg, ret_copy);
	if (r < 0)
		snprintf(ret_why, WHY_SIZE, "no memory");
	return r;
}

static int endpoint_new(struct ev_loop *loop, const char *url, bool listens, bool insecure, struct keys *keys,
			const struct msg_hello *hello, const struct endpoint_ops *ops, void *data,
			struct endpoint **ret_endpoint, char *ret_why)
{
	struct endpoint *endpoint = calloc(1, sizeof(*endpoint));
	int r = -ENOMEM;

	snprintf(ret_why, WHY_SIZE, "no memory");
	if (!endpoint)
		return r;
	endpoint->loop = loop;
	endpoint->listens = listens;
	endpoint->insecure = insecure;
	endpoint->keys = insecure ? NULL : endpoint_keys_for(url, keys);
	endpoint->ops = ops;
	endpoint->data = data;
	init_times(endpoint);
	init_watchers(endpoint);
	endpoint->url = strdup(url);
	if (endpoint->url)
		r = copy_hello(hello, &endpoint->hello, ret_why);
	if (r < 0) {
		destroy(endpoint);
		return r;
	}
	*ret_endpoint = endpoint;
	return 0;
}

int endpoint_listen_sealed(struct ev_loop *loop, const char *url, bool insecure, struct keys *keys,
			   const struct msg_hello *hello, const struct endpoint_ops *ops, void *data,
			   struct endpoint **ret_endpoint, char *ret_why)
{
	struct endpoint *endpoint;
	int r;

	r = endpoint_new(loop, url, true, insecure, keys, hello, ops, data, &endpoint, ret_why);
	if (r < 0)
		return r;
	r = wire_listen(url, insecure || endpoint->keys, &endpoint->wire, ret_why);
	if (r == 0)
		r = endpoint_seal_wire(endpoint);
	if (r < 0) {
		wire_close(endpoint->wire);
		destroy(endpoint);
		return r;
	}
	watch_wire(endpoint);
	*ret_endpoint = endpoint;
	return 0;
}

/* The wire is made at once, to tell a wrong url; the first session begins in the loop. */
int endpoint_dial_sealed(struct ev_loop *loop, const char *url, bool insecure, struct keys *keys,
			 const struct msg_hello *hello, const struct endpoint_ops *ops, void *data,
			 struct endpoint **ret_endpoint, char *ret_why)
{
	struct endpoint *endpoint;
	int r;

	r = endpoint_new(loop, url, false, insecure, keys, hello, ops, data, &endpoint, ret_why);
	if (r < 0)
		return r;
	r = dial_wire(endpoint, ret_why);
	if (r < 0) {
		destroy(endpoint);
		return r;
	}
	schedule_redial(endpoint, 0);
	*ret_endpoint = endpoint;
	return 0;
}

void endpoint_set_hello(struct endpoint *endpoint, const struct msg_hello *hello)
{
	struct message *copy;
	char why[WHY_SIZE];

	if (copy_hello(hello, &copy, why) < 0)
		return; /* The old one stays. */
	message_free(endpoint->hello);
	endpoint->hello = copy;
}

void endpoint_set_timings(struct endpoint *endpoint, const struct endpoint_timings *timings)
{
	struct channel_limits *limits = &endpoint->limits;

	limits->resend_ms = timings->resend_ms ?: limits->resend_ms;
	limits->echo_ms = timings->echo_ms ?: limits->echo_ms;
	limits->silent_ms = timings->silent_ms ?: limits->silent_ms;
	endpoint->timeout_ms = timings->timeout_ms ?: endpoint->timeout_ms;
	endpoint->backoff_min_ms = timings->backoff_min_ms ?: endpoint->backoff_min_ms;
	endpoint->backoff_max_ms = timings->backoff_max_ms ?: endpoint->backoff_max_ms;
	endpoint->backoff_ms = endpoint->backoff_min_ms;
	endpoint->check.repeat = limits->echo_ms / 4e3;
}

/* nanomsg throws away what it has not handed over when the connection ends, so our bye would be
 * lost and the server would keep the peer until it seems silent: stay for a moment until the
 * server has answered. */
static void linger(struct endpoint *endpoint)
{
	struct pollfd fd = {.fd = wire_receive_fd(endpoint->wire), .events = POLLIN};
	uint64_t end_ms = now_ms() + LINGER_MS;
	struct wire_address from;
	struct frame frame = {};
	uint8_t *bytes;
	size_t size;

	while (endpoint->wire && frame.kind != FRAME_BYE && frame.kind != FRAME_RESET) {
		uint64_t now = now_ms();

		if (now >= end_ms || poll(&fd, 1, end_ms - now) <= 0)
			return;
		if (endpoint_receive(endpoint, &from, &bytes, &size) < 0)
			continue;
		if (frame_decode(bytes, size, &frame) < 0)
			frame.kind = FRAME_ACK;
		wire_release(bytes);
	}
}

void endpoint_close(struct endpoint *endpoint)
{
	bool was_up;

	if (!endpoint || endpoint->closing)
		return;
	endpoint_enter(endpoint);
	endpoint->closing = true;
	was_up = endpoint->peers && endpoint->peers->up;
	while (endpoint->peers) {
		peer_say_bye(endpoint->peers);
		peer_lose(endpoint->peers, "closed");
	}
	ev_timer_stop(endpoint->loop, &endpoint->redial);
	ev_timer_stop(endpoint->loop, &endpoint->check);
	if (was_up && !endpoint->listens)
		linger(endpoint);
	close_wire(endpoint);
	endpoint_leave(endpoint);
}

void endpoint_get_stats(const struct endpoint *endpoint, struct endpoint_stats *ret_stats)
{
	*ret_stats = endpoint->stats;
	for (const struct peer *peer = endpoint->peers; peer; peer = peer->next) {
		ret_stats->resent += channel_stats(peer->channel)->resent;
		ret_stats->duplicates += channel_stats(peer->channel)->duplicates;
	}
}
