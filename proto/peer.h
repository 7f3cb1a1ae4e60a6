/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer - one session seen from an endpoint: a channel, the requests under way, a timer.  Private
 * to endpoint.c and peer.c; the rest of the world has endpoint.h.
 *
 * P1. Callbacks run only between endpoint_enter() and endpoint_leave(); what they close or lose
 *     stays in memory until the last endpoint_leave().  So after each callback only 'gone' and
 *     'closing' need to be looked at. */
#ifndef MEALY_PEER_H
#define MEALY_PEER_H

#include "channel.h"
#include "endpoint.h"
#include "pending.h"
#include "seal.h"
#include "wire.h"

struct peer {
	struct endpoint *endpoint;
	struct peer *next; /* Among the endpoint's peers, or its gone ones. */
	uint64_t id;
	struct wire_address address;
	struct channel *channel;
	struct pending asked;		  /* By us. */
	struct pending asking;		  /* Us. */
	uint64_t last_asked, last_asking; /* Ids. */
	struct message *hello;		  /* The other side's; NULL at a client that waits for it. */
	bool up, gone;
	void *data;
	ev_timer timer;
	uint64_t armed_ms; /* UINT64_MAX: the timer is stopped. */
};

struct endpoint {
	struct ev_loop *loop;
	char *url;
	bool listens, insecure;
	struct message *hello; /* Ours. */
	const struct endpoint_ops *ops;
	void *data;
	struct channel_limits limits;
	unsigned timeout_ms, backoff_min_ms, backoff_max_ms;
	struct endpoint_stats stats;

	struct wire *wire; /* NULL: a client between two sessions. */
	struct keys *keys; /* NULL: nothing is sealed. */
	struct seal *seal; /* Of 'wire'. */
	uint64_t noted_ms; /* When a refused key was last written down. */
	ev_io receivable, sendable;
	struct peer *peers, *gone;
	size_t n_peers;
	unsigned depth; /* Of callbacks under way. */
	bool closing;

	/* Client. */
	ev_timer redial, check;
	unsigned backoff_ms;
	uint64_t up_since_ms;
	uint64_t broken; /* wire_broken() when the session began. */
};

uint64_t now_ms(void);

void endpoint_enter(struct endpoint *endpoint);
void endpoint_leave(struct endpoint *endpoint);

/* endpoint_seal.c: wire_send(), wire_receive(), by way of the seal if there is one; and a seal for a new wire. */
int endpoint_send(struct endpoint *endpoint, const struct wire_address *to, const void *head, size_t head_size,
		  const void *body, size_t body_size);
int endpoint_receive(struct endpoint *endpoint, struct wire_address *ret_from, uint8_t **ret_bytes, size_t *ret_size);
int endpoint_seal_wire(struct endpoint *endpoint);
/* What goes by a socket file is guarded by its folder: NULL. */
struct keys *endpoint_keys_for(const char *url, struct keys *keys);

/* Client: frames may go, so hello is said.  Our hello, or their key, was refused. */
void endpoint_begin_session(struct endpoint *endpoint);
void endpoint_refused(struct endpoint *endpoint, enum error_code code, const char *why);
/* Server: whoever is at this address is a peer no more. */
void endpoint_refuse_address(struct endpoint *endpoint, const struct wire_address *address, const char *why);

/* The client's session is over: redial later.  Also frees the wire. */
void endpoint_end_session(struct endpoint *endpoint, const char *why);

/* Makes a peer and links it to the endpoint; NULL without memory. */
struct peer *peer_new(struct endpoint *endpoint, uint64_t session, const struct wire_address *address);

/* Ends all that is under way with -ECONNRESET, calls down() if the peer was up, and unlinks it. */
void peer_lose(struct peer *peer, const char *why);
void peer_free(struct peer *peer);

/* Sends a frame without payload, or a MSG_ERROR as payload of a FRAME_RESET. */
void peer_say_bye(struct peer *peer);
void endpoint_reset(struct endpoint *endpoint, const struct wire_address *to, uint64_t session, enum error_code code,
		    const char *why);

/* Queues a hello (kind MSG_HELLO or MSG_HELLO_REPLY): 0, -errno. */
int peer_send_hello(struct peer *peer, enum message_kind kind, uint64_t reply_to);

/* A payload of the peer that came in order. */
void peer_deliver(struct peer *peer, const uint8_t *payload, size_t size);

/* Lets the channel do what is due, ends what has waited too long, and sets the timer. */
void peer_run(struct peer *peer);

/* Client: the answer to our hello came; takes over 'reply'. */
void endpoint_greeted(struct endpoint *endpoint, struct peer *peer, struct message *reply);

#endif
