/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libmealy - for programs that look at and steer switches; the `mealy` command is its first user.
 *
 * One connection, to a controller or straight to one agent, with the same requests.  Blocking
 * calls, one thread per connection.  Every function returns 0 or a negative errno; after a
 * failure mealy_error() has one sentence for people. */
#ifndef MEALY_LIB_H
#define MEALY_LIB_H

#include "../proto/message.h"
#include "../tables/layout.h"

struct mealy;

/* 'url' as in endpoint.h; 'name' says who asks, in logs of the other side.  Waits 'timeout_ms' for
 * the connection, and so long for each answer (0: a default).  Also after a failure *ret_mealy
 * is set (but for -ENOMEM), to be asked with mealy_error() and closed. */
int mealy_open(const char *url, bool insecure, const char *name, unsigned timeout_ms, struct mealy **ret_mealy);
/* The same over tcp://, sealed by the keys in folder 'keys' (proto/key.h), which are made if there are none; a server's
 * key is pinned at the first contact. */
int mealy_open_sealed(const char *url, const char *keys, const char *name, unsigned timeout_ms,
		      struct mealy **ret_mealy);
void mealy_set_timeout(struct mealy *mealy, unsigned timeout_ms);
void mealy_close(struct mealy *mealy); /* NULL is fine. */
const char *mealy_error(const struct mealy *mealy);

/* Sends any request and waits for its answer, which the caller releases with message_free().  An
 * answer MSG_ERROR becomes -EREMOTEIO, mealy_error() has its text and *ret_code its code. */
int mealy_call(struct mealy *mealy, const struct message *request, struct message **ret_reply,
	       enum error_code *ret_code);

/* Calls 'flow' for every record of a table, in chunks; memory does not grow with the table.  A
 * negative return of 'flow' ends the walk and is returned. */
typedef int (*mealy_flow_fn)(void *data, const struct layout *layout, const uint64_t *words, uint64_t now_ns,
			     uint64_t total);
int mealy_dump(struct mealy *mealy, const char *switch_name, const char *deployment, const char *table,
	       const char *state, mealy_flow_fn flow, void *data);

/* Subscribes and calls 'event' for each until it returns non-zero or 'seconds' (0: for ever) pass;
 * a negative return is returned.  What was missed (a full queue, a lost connection, which is
 * made again) comes as an event of kind "lost". */
typedef int (*mealy_event_fn)(void *data, const struct msg_event *event);
int mealy_watch(struct mealy *mealy, const char *switch_name, const char *kinds, unsigned seconds, mealy_event_fn event,
		void *data);

#endif
