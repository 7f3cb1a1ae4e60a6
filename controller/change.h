/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change - one change of desired state on its way to several switches, and the user waiting for it.
 *
 * It is answered (MSG_APPLIED) and freed when the last switch has a result; a user that went
 * away meanwhile is simply not answered.  A barrier is a change that changes nothing: in each switch's queue it comes
 * after everything asked before, and it is answered with MSG_OK. */
#ifndef MEALY_CHANGE_H
#define MEALY_CHANGE_H

#include "known.h"

enum change_step { CHANGE_DEPLOY, CHANGE_REMOVE, CHANGE_BARRIER };

struct change_result {
	struct known *known;
	enum change_step step;
	bool done;
	enum applied_status status;
	uint64_t sent_us, duration_us, since_ms;
	char *text;
};

struct change {
	struct controller *c;
	uint64_t user, request_id;
	struct deployment deployment; /* Of a removal only name and version. */
	char *text;		      /* What changes. */
	bool barrier;
	struct change_result *result;
	size_t n_results, n_waiting;
};

/* Room for every switch known now.  NULL without memory. */
struct change *change_new(struct controller *c, struct peer *user, uint64_t request_id);
void change_add(struct change *change, struct known *known, enum change_step step);

/* All switches are added: answers at once if there is nothing to wait for. */
void change_begin(struct change *change);
void change_set_result(struct change *change, size_t index, enum applied_status status, const char *text);
void change_free(struct change *change);

uint64_t monotonic_us(void);

#endif
