/* SPDX-License-Identifier: GPL-2.0-or-later */
/* global - the registers of applications that packets and people share.
 *
 * An index follows deployment and name (registry.h), so a value outlives changes of its application and of the agent,
 * and ends with the deployment's name or with the host.  What a person sets is runtime state like a flow: it is not
 * part of the desired state, and no controller sets it again.
 *
 * Packets change a global by atomic operations while this side reads or stores it: the order of both is the memory's.
 */
#ifndef MEALY_GLOBAL_H
#define MEALY_GLOBAL_H

#include "instance.h"
#include "plan.h"

/* Gives globals that are new in 'plan' the value they begin with; 'all': none was taken over, so every one. */
void globals_begin(struct instance *instance, const struct plan *plan, bool all);

/* What a message sets: the global, its index and the value.  -ENOENT (no such deployment or global) or -EINVAL (no such
 * value, or out of its range), with a text. */
int globals_find(const struct plan *plan, const struct msg_set_global *wanted, const struct app_global **ret_global,
		 unsigned *ret_index, uint64_t *ret_value, char **ret_why);

#endif
