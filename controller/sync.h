/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sync - what happens when a switch connects with another state than the desired one:
 *
 *     SYNC_BEGIN (names, versions, digests) -> SYNC_NEED (names) -> DEPLOY each -> SYNC_END
 *
 * The switch removes leftovers and commits once at SYNC_END. */
#ifndef MEALY_SYNC_H
#define MEALY_SYNC_H

#include "known.h"

void sync_init(struct known *k);
void sync_done(struct known *k);

/* The switch has connected with a state of this digest: queues a synchronisation if it differs. */
void sync_connected(struct known *k, uint64_t state_digest);
void sync_lost(struct known *k);

/* The queue has come to it; ends with work_done(). */
void sync_start(struct known *k);

/* Once more, after a while: the switch's state is not known for sure. */
void sync_later(struct known *k);

#endif
