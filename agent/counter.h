/* SPDX-License-Identifier: GPL-2.0-or-later */
/* counter - the switch's per-CPU counters, summed, as people see them.
 *
 * The datapath only ever adds.  A reset stores a baseline that readers subtract; baselines lie in a
 * pinned map beside the counters, so they live exactly as long.  Indices are those of pipeline.h and
 * the ones the agent's registry gives from COUNTER_RULES on. */
#ifndef MEALY_COUNTER_H
#define MEALY_COUNTER_H

#include "instance.h"

struct counter_store;

int counter_store_new(struct instance *instance, struct counter_store **ret_counters, char **ret_why);
void counter_store_free(struct counter_store *counters);

/* Sums counters 'first' to 'first + n - 1' over the CPUs, less their baselines.  A reader sees each
 * counter's packets and bytes of nearly one moment, never less than before.  0, -EINVAL or -errno. */
int counter_read(struct counter_store *counters, unsigned first, unsigned n, struct counter *ret_counters);

/* From now on these count from 0; also for an index that is given to another rule. */
int counter_reset(struct counter_store *counters, unsigned first, unsigned n);

#endif
