/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fate - what becomes of flows in a change that is only asked for: switches know, so they are asked.
 *
 * Ends the answer to `app diff`.  Nothing is changed anywhere. */
#ifndef MEALY_FATE_H
#define MEALY_FATE_H

#include "known.h"

/* What the controller has found out itself. */
struct fate_answer {
	const char *text;
	uint64_t version;
	bool changes;
};

/* Answers the user with MSG_OK: 'answer', and lines of each connected switch that runs 'old' and matches 'wanted'.  One
 * that does not answer within SWITCH_LIST_TIMEOUT_MS is named. */
void fate_ask(struct controller *c, struct peer *user, uint64_t request_id, const struct deployment *old,
	      const struct deployment *wanted, const struct fate_answer *answer);

#endif
