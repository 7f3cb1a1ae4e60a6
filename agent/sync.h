/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sync - one synchronisation with a controller, from SYNC_BEGIN to SYNC_END; changes.h has the story. */
#ifndef MEALY_SYNC_H
#define MEALY_SYNC_H

#include "sockets.h"

struct sync;

/* Answers SYNC_BEGIN with SYNC_NEED.  NULL (and an error answered) without memory. */
struct sync *sync_new(struct request *rq);
void sync_free(struct sync *sync);
uint64_t sync_peer(const struct sync *sync);

/* Checks a deployment and keeps it for the end; answers. */
void sync_deploy(struct sync *sync, struct request *rq);

/* Applies it all; answers. */
void sync_end(struct sync *sync, struct request *rq);

#endif
