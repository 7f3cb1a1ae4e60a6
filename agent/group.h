/* SPDX-License-Identifier: GPL-2.0-or-later */
/* group - the members of a version's groups, and its meters, in the memory that packets read.
 *
 * A group that is new is written before the commit, one that goes on after it; then grace, so that the slots that were
 * are free for the next. */
#ifndef MEALY_AGENT_GROUP_H
#define MEALY_AGENT_GROUP_H

#include "counter.h"
#include "instance.h"
#include "plan.h"

enum groups_which { GROUPS_FRESH, GROUPS_KEPT };

/* Writes the groups of 'plan' that are new, or those that are not; counters of new ones begin at 0, new meters are
 * full.  -ENOSPC with '*ret_text': no room for slots; -ENOMEM. */
int groups_write(struct instance *instance, struct counter_store *counters, const struct plan *plan,
		 const struct port_names *ports, enum groups_which which, char **ret_text);

/* After grace: what no version uses gives its slots back. */
void groups_settle(struct instance *instance, const struct plan *plan);

#endif
