/* SPDX-License-Identifier: GPL-2.0-or-later */
/* changes - deployments that come and go, turned into versions.
 *
 * Changes that arrive together become one version.  If that is refused they are tried one by one, so
 * each gets its own answer.
 *
 * Synchronisation: SYNC_BEGIN lists what the switch should have and SYNC_NEED answers what is missing;
 * deployments of that controller are then held back until SYNC_END, which installs them and removes
 * what is not in its list, in one version.  Each is checked when it comes, so a wrong one is refused
 * by itself. */
#ifndef MEALY_CHANGES_H
#define MEALY_CHANGES_H

#include "sockets.h"

struct changes;

struct changes *changes_new(struct agent *agent);
void changes_free(struct changes *changes);

/* Number of changes that wait. */
unsigned changes_pending(const struct changes *changes);

/* Its synchronisation, if it had one, is off. */
void changes_peer_gone(struct changes *changes, uint64_t peer);

/* Handlers. */
void changes_deploy(struct request *rq);
void changes_remove(struct request *rq);
void changes_barrier(struct request *rq);
void changes_diff(struct request *rq);
void changes_sync_begin(struct request *rq);
void changes_sync_end(struct request *rq);

#endif
