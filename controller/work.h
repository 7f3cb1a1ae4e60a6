/* SPDX-License-Identifier: GPL-2.0-or-later */
/* work - the queue of what one switch is to do, one piece after the other (K1 in known.h), and
 * requests to a switch whose answers are dropped once its connection was replaced. */
#ifndef MEALY_WORK_H
#define MEALY_WORK_H

#include "known.h"

/* Runs when the switch has answered 'k->work->change' or a step of the synchronisation. */
typedef void (*work_reply_fn)(struct known *k, int status, const struct message *reply);

/* Queues a synchronisation ('change' NULL; at most one waits) or switch 'index' of a change. */
void work_add(struct known *k, struct change *change, size_t index);

/* The piece under way is finished: goes on with the next one. */
void work_done(struct known *k);

/* Ends everything as pending: the connection is gone. */
void work_drop(struct known *k);

/* Sends 'msg'; 'fn' runs later, unless the connection is replaced first.  Returns 0 or a negative errno. */
int work_request(struct known *k, const struct message *msg, work_reply_fn fn);

/* One line about an answer that is not the one hoped for, into 'buf'; returns 'buf'. */
const char *work_explain(int status, const struct message *reply, char *buf, size_t size);

#endif
