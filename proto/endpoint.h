/* SPDX-License-Identifier: GPL-2.0-or-later */
/* endpoint - a nanomsg socket with reliable requests on top, in a libev loop.
 *
 * A server (raw REP) listens; its peers are told apart by the address that came with their
 * messages and by the instance in their hello.  A client (raw REQ) dials one server: one socket
 * per server.  Both sides may send requests at any time once hello has passed.
 *
 * E1. Every request is answered or ends with an error given to its callback: -ETIMEDOUT,
 *     -ECONNRESET (peer lost or endpoint closed), -EPROTO (the answer breaks a limit), never silently.
 *     The callbacks of a lost peer run before down(), and peer_request() refuses from then on.
 * E2. A request is re-sent after ENDPOINT_RESEND_MS until it has arrived or ENDPOINT_TIMEOUT_MS have
 *     passed; the receiver acts on it once in a session (channel.h: C1, C4).
 * E3. At most ENDPOINT_WINDOW_BYTES are unacknowledged towards a peer; more wait in a queue of
 *     ENDPOINT_QUEUE_BYTES, beyond which peer_request() returns -EAGAIN.  Answers share window and
 *     queue; a peer that lets so many answers pile up is given up as lost.
 * E4. Silence for ENDPOINT_SILENT_MS (heartbeats both ways every ENDPOINT_ECHO_MS) is a lost peer.
 *     A client then redials with a doubling back-off and says hello again.
 *
 * Single-threaded; callbacks run from the loop.  Logs nothing. */
#ifndef MEALY_ENDPOINT_H
#define MEALY_ENDPOINT_H

#include <ev.h>

#include "key.h"
#include "message.h"
#include "seal.h"

enum {
	ENDPOINT_WINDOW_BYTES = 256 << 10,
	ENDPOINT_QUEUE_BYTES = 64 << 20,
	ENDPOINT_RESEND_MS = 500,
	ENDPOINT_TIMEOUT_MS = 15000,
	ENDPOINT_ECHO_MS = 1000,
	ENDPOINT_SILENT_MS = 4000,
	ENDPOINT_BACKOFF_MIN_MS = 100,
	ENDPOINT_BACKOFF_MAX_MS = 5000,
	ENDPOINT_ACK_MS = 20, /* An acknowledgement that finds nothing to ride on. */
	ENDPOINT_PEERS_MAX = 4096,
	ENDPOINT_OPEN_MAX = 4096, /* Requests of a peer that wait for our answer; more are refused. */
};

struct endpoint;
struct peer;

/* 'status' is 0 with a reply (which may be MSG_ERROR), or a negative errno without one.  The reply
 * is freed by the endpoint after the call. */
typedef void (*peer_reply_fn)(void *data, int status, const struct message *reply);

struct endpoint_ops {
	/* A peer said hello (server), or our hello was answered (client).  Return an error_code to
	 * refuse it, ERROR_NONE to go on. */
	enum error_code (*up)(void *data, struct peer *peer, const struct msg_hello *hello);
	/* The peer is gone; 'peer' is invalid after the call. */
	void (*down)(void *data, struct peer *peer, const char *why);
	/* A request came, valid until the call returns (message_copy()).  Answer with peer_reply() now or
	 * later, exactly once.  MSG_HELLO and MSG_ECHO are answered by the endpoint. */
	void (*request)(void *data, struct peer *peer, const struct message *request);
	/* Client, may be NULL: our hello was refused, or the other side speaks another version; the
	 * endpoint goes on redialing.  A server that is not there is no refusal. */
	void (*refused)(void *data, enum error_code code, const char *why);
	/* May be NULL: request 'id' of the peer is answered by 'reply', before it goes. */
	void (*answered)(void *data, struct peer *peer, uint64_t id, const struct message *reply);
	/* May be NULL: something that nobody we trust sent was thrown away, or somebody was refused for his key. */
	void (*suspect)(void *data, const char *why);
};

/* urls: "ipc:///path", "tcp://127.0.0.1:7440".  'hello' is copied and sent (client) or answered
 * (server); endpoint_set_hello() changes it for later peers.
 * Returns 0, or a negative errno with *ret_why (256 bytes): -EPERM for tcp:// without 'insecure'. */
int endpoint_listen(struct ev_loop *loop, const char *url, bool insecure, const struct msg_hello *hello,
		    const struct endpoint_ops *ops, void *data, struct endpoint **ret_endpoint, char *ret_why);
int endpoint_dial(struct ev_loop *loop, const char *url, bool insecure, const struct msg_hello *hello,
		  const struct endpoint_ops *ops, void *data, struct endpoint **ret_endpoint, char *ret_why);
/* The same; over tcp:// everything is sealed by 'keys', unless 'insecure' says that it shall be open.  The keys must
 * outlive the endpoint. */
int endpoint_listen_sealed(struct ev_loop *loop, const char *url, bool insecure, struct keys *keys,
			   const struct msg_hello *hello, const struct endpoint_ops *ops, void *data,
			   struct endpoint **ret_endpoint, char *ret_why);
int endpoint_dial_sealed(struct ev_loop *loop, const char *url, bool insecure, struct keys *keys,
			 const struct msg_hello *hello, const struct endpoint_ops *ops, void *data,
			 struct endpoint **ret_endpoint, char *ret_why);
void endpoint_set_hello(struct endpoint *endpoint, const struct msg_hello *hello);

/* Peers are told; callbacks get -ECONNRESET, then down() is called for each peer.  May be called from
 * a callback. */
void endpoint_close(struct endpoint *endpoint);

/* Shorter times, for tests: hold for sessions that begin after the call.  0 leaves a time as it is. */
struct endpoint_timings {
	unsigned resend_ms, timeout_ms, echo_ms, silent_ms, backoff_min_ms, backoff_max_ms;
};
void endpoint_set_timings(struct endpoint *endpoint, const struct endpoint_timings *timings);

/* Sends a request; 'reply' (may be NULL) runs later, never from within. 'timeout_ms' 0: the default.
 * Returns 0, -EAGAIN (queue full), -EINVAL (message_check() says why), -EMSGSIZE, -ENOMEM, -ECONNRESET. */
int peer_request(struct peer *peer, const struct message *msg, unsigned timeout_ms, peer_reply_fn reply, void *data);

/* Answers request 'id' of the peer.  peer_find() gives a peer again that may have gone meanwhile.
 * Returns 0; -ENOENT (no such open request); -EINVAL, -EMSGSIZE or -ENOMEM when 'reply' cannot be
 * packed: the peer has then been sent a MSG_ERROR that says so; -ECONNRESET (peer gone). */
int peer_reply(struct peer *peer, uint64_t request_id, const struct message *reply);
int peer_reply_ok(struct peer *peer, uint64_t request_id, const char *text, uint64_t version, uint64_t count);
int peer_reply_error(struct peer *peer, uint64_t request_id, enum error_code code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* What the peer may do: RIGHT_ADMIN where nothing is sealed (a socket's folder decides, or nobody), else that of its
 * key now; and its line among the trusted ones, NULL where nothing is sealed. */
enum key_right peer_right(const struct peer *peer);
const struct trusted *peer_who(const struct peer *peer);

uint64_t peer_id(const struct peer *peer);			/* Unique in the process; never reused. */
struct peer *peer_find(struct endpoint *endpoint, uint64_t id); /* NULL: gone. */
const struct msg_hello *peer_hello(const struct peer *peer);
void peer_set_data(struct peer *peer, void *data);
void *peer_data(const struct peer *peer);

/* Messages, but for 'resent' and 'duplicates', which count frames. */
struct endpoint_stats {
	uint64_t sent, received, resent, duplicates, malformed, refused, timeouts, queue_full;
	uint64_t late;	   /* Answers that came after their request had timed out. */
	uint64_t vanished; /* Requests whose peer had gone before they were answered. */
};
void endpoint_get_seal_stats(const struct endpoint *endpoint, struct seal_stats *ret_stats);
void endpoint_get_stats(const struct endpoint *endpoint, struct endpoint_stats *ret_stats);

#endif
