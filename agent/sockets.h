/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockets - the agent's sockets: one to each controller, one for local users.
 *
 * Any controller may write in this version; a local user may if the configuration says so. */
#ifndef MEALY_SOCKETS_H
#define MEALY_SOCKETS_H

#include "../proto/endpoint.h"

struct agent;
struct sockets;

/* Who asked: stays valid when the peer is gone. */
struct asker {
	struct endpoint *endpoint;
	uint64_t peer, request;
};

/* A request on its way through a handler.  'msg' and 'peer' are valid during the call only. */
struct request {
	struct agent *agent;
	struct asker from;
	struct peer *peer;
	const struct message *msg;
	bool local; /* A user of this host. */
};

int sockets_open(struct agent *agent, struct sockets **ret_sockets, char **ret_why);
void sockets_close(struct sockets *sockets);

/* After a commit: what our hello says has changed. */
void sockets_update_hello(struct sockets *sockets);

/* Controllers that are connected. */
unsigned sockets_connected(const struct sockets *sockets);

/* Answers of handlers; harmless when the peer has gone.  An answer that is too large for a message
 * becomes an error that says so. */
void reply_message(const struct asker *to, const struct message *msg);
void reply_ok(const struct asker *to, const char *text, uint64_t version, uint64_t count);
void reply_error(const struct asker *to, enum error_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
