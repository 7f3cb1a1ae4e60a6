/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply - a user's change of desired state (`app load`, `app remove`), to every switch at once.
 *
 * A1. A change is in the store before any switch hears of it; what the checker refuses is not stored.
 * A2. A deployment that a switch refuses stays desired: the switch goes on with its old version,
 *     the user is told (`mealy` exits with 1), `switch list` shows the problem, and each new
 *     connection tries again.  Another version, or a removal, ends that.
 * A3. A user who names the version his change is based on (deployment.version, 0: none) is refused
 *     when another one has replaced it meanwhile. */
#ifndef MEALY_APPLY_H
#define MEALY_APPLY_H

#include "known.h"

/* Request 'request_id' of 'user' gets exactly one answer: MSG_APPLIED, or MSG_ERROR when nothing
 * was stored. */
void apply_load(struct controller *c, struct peer *user, uint64_t request_id, const struct deployment *wanted);
void apply_remove(struct controller *c, struct peer *user, uint64_t request_id, const char *name);
/* Answers with what loading 'wanted' would change; 'count' is 1 if anything, else 0. */
void apply_diff(struct controller *c, struct peer *user, uint64_t request_id, const struct deployment *wanted);

/* Answers with MSG_OK when everything asked before is in effect on 'only' (NULL: on every switch); 'count' of them are
 * through, those not connected are named. */
void apply_barrier(struct controller *c, struct peer *user, uint64_t request_id, struct known *only);

/* The queue has come to the change in 'k->work'; ends with work_done(). */
void apply_start(struct known *k);

#endif
