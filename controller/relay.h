/* SPDX-License-Identifier: GPL-2.0-or-later */
/* relay - events of switches and of the controller, to the users who subscribed.
 *
 * R1. A subscriber has at most RELAY_BATCHES_MAX batches unanswered.  What comes meanwhile is not
 *     kept but counted, and the count is announced in the next batch: a slow reader costs no
 *     memory and knows what it missed.
 * R2. A subscription ends with its user's connection. */
#ifndef MEALY_RELAY_H
#define MEALY_RELAY_H

#include "known.h"

enum { RELAY_BATCHES_MAX = 16, SUBSCRIBERS_MAX = 256 };

/* Adds, replaces or (off) ends the subscription of 'user'; 'pattern' of switches, "" is all.
 * Returns 0, -ENOMEM, or -ENOSPC beyond SUBSCRIBERS_MAX. */
int relay_subscribe(struct controller *c, struct peer *user, const char *pattern, const char *kinds, bool off);
void relay_user_gone(struct controller *c, uint64_t user);

/* A batch from a switch. */
void relay_events(struct known *k, const struct msg_events *events);
/* One event of the controller's own. */
void relay_own(struct controller *c, const char *kind, const char *switch_name, const char *deployment,
	       const char *text);
void relay_free_all(struct controller *c);

#endif
