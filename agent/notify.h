/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notify - events to everyone who watches: controllers and subscribed local users.
 *
 * N1. Each watcher has a queue of its own with an end; what does not fit is counted, and the next batch
 *     announces it.  So a slow watcher loses events, knows how many, and slows nobody.
 * N2. One batch is under way to a watcher at a time; batches are numbered. */
#ifndef MEALY_NOTIFY_H
#define MEALY_NOTIFY_H

#include "../proto/endpoint.h"

enum { NOTIFY_QUEUE_MAX = 4096, WATCHERS_MAX = 64 };

struct notify;

struct notify *notify_new(struct ev_loop *loop);
void notify_free(struct notify *notify);

/* 'kinds' as in MSG_SUBSCRIBE.  Subscribing again replaces the kinds.  -ENOSPC, -ENOMEM. */
int notify_subscribe(struct notify *notify, struct endpoint *endpoint, struct peer *peer, const char *kinds);
void notify_unsubscribe(struct notify *notify, uint64_t peer);

/* Is anybody interested in this kind? */
bool notify_is_wanted(const struct notify *notify, const char *kind);

/* Copies the event into the queues of all who want its kind.  NULL strings count as "". */
void notify_add(struct notify *notify, const struct msg_event *event);

#endif
