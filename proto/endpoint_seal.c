// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames of an endpoint by way of its seal, if it has one. */
#include <errno.h>
#include <string.h>

#include "peer.h"
#include "seal.h"

enum { NOTE_MS = 500 };

int endpoint_send(struct endpoint *endpoint, const struct wire_address *to, const void *head, size_t head_size,
		  const void *body, size_t body_size)
{
	if (!endpoint->seal)
		return wire_send(endpoint->wire, to, head, head_size, body, body_size);
	return seal_send(endpoint->seal, to, now_ms(), head, head_size, body, body_size);
}

int endpoint_seal_wire(struct endpoint *endpoint)
{
	if (!endpoint->keys)
		return 0;
	return seal_new(endpoint->wire, endpoint->listens, endpoint->url, endpoint->keys, &endpoint->seal);
}

struct keys *endpoint_keys_for(const char *url, struct keys *keys)
{
	return strncmp(url, "tcp://", 6) == 0 ? keys : NULL;
}

int endpoint_listen(struct ev_loop *loop, const char *url, bool insecure, const struct msg_hello *hello,
		    const struct endpoint_ops *ops, void *data, struct endpoint **ret_endpoint, char *ret_why)
{
	return endpoint_listen_sealed(loop, url, insecure, NULL, hello, ops, data, ret_endpoint, ret_why);
}

int endpoint_dial(struct ev_loop *loop, const char *url, bool insecure, const struct msg_hello *hello,
		  const struct endpoint_ops *ops, void *data, struct endpoint **ret_endpoint, char *ret_why)
{
	return endpoint_dial_sealed(loop, url, insecure, NULL, hello, ops, data, ret_endpoint, ret_why);
}

/* Server: the other side is told what is wrong, and noted for people to decide. */
static void refuse_key(struct endpoint *endpoint, const struct wire_address *from, const char *why)
{
	const struct trusted *who = seal_who(endpoint->seal, from);

	/* Others decide how often they come: a file is not written each time. */
	if (who && now_ms() - endpoint->noted_ms >= NOTE_MS) {
		endpoint->noted_ms = now_ms();
		keys_note_asked(endpoint->keys, who->key, endpoint->url);
	}
	endpoint_refuse_address(endpoint, from, why);
	endpoint_reset(endpoint, from, FRAME_SESSION_ANY, ERROR_REFUSED, why);
	seal_forget(endpoint->seal, from);
}

static void suspect(struct endpoint *endpoint, const char *why)
{
	if (endpoint->ops->suspect)
		endpoint->ops->suspect(endpoint->data, why);
}

/* What the seal reports beside frames; true: the wire is gone. */
static bool take_event(struct endpoint *endpoint, enum seal_event event, const struct wire_address *from,
		       const char *why)
{
	if (event == SEAL_UP) {
		endpoint_begin_session(endpoint);
	} else if (event == SEAL_REFUSED && endpoint->listens) {
		suspect(endpoint, why);
		refuse_key(endpoint, from, why);
	} else if (event == SEAL_REFUSED) {
		endpoint_refused(endpoint, ERROR_REFUSED, why);
	} else {
		suspect(endpoint, why);
	}
	return !endpoint->wire;
}

int endpoint_receive(struct endpoint *endpoint, struct wire_address *ret_from, uint8_t **ret_bytes, size_t *ret_size)
{
	if (!endpoint->seal)
		return wire_receive(endpoint->wire, ret_from, ret_bytes, ret_size);
	for (;;) {
		struct wire_address from = {};
		char why[SEAL_WHY];
		int r = seal_receive(endpoint->seal, now_ms(), &from, ret_bytes, ret_size, why);

		if (r < 0)
			return r;
		if (r == SEAL_FRAME) {
			*ret_from = from;
			return 0;
		}
		if (take_event(endpoint, r, &from, why))
			return -EAGAIN;
	}
}

enum key_right peer_right(const struct peer *peer)
{
	const struct trusted *who = peer_who(peer);

	if (!peer->endpoint->seal)
		return RIGHT_ADMIN;
	return who ? who->right : RIGHT_NONE;
}

const struct trusted *peer_who(const struct peer *peer)
{
	return peer->endpoint->seal ? seal_who(peer->endpoint->seal, &peer->address) : NULL;
}

void endpoint_get_seal_stats(const struct endpoint *endpoint, struct seal_stats *ret_stats)
{
	*ret_stats = (struct seal_stats){};
	if (endpoint->seal)
		seal_get_stats(endpoint->seal, ret_stats);
}
