/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe - what a deployment would change, in words. */
#ifndef MEALY_DESCRIBE_H
#define MEALY_DESCRIBE_H

#include "plan.h"
#include "sockets.h"

/* Answers DIFF: lines for people, 'count' is 1 if anything changes.  'wanted' is the plan with the
 * deployment of the request in it.  A controller compares texts itself: it gets only what becomes of the flows. */
void describe_change(struct request *rq, const struct plan *old, const struct plan *wanted);

#endif
