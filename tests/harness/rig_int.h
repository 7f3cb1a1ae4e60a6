/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rig_int - what the files of the rig share; tests include rig.h only. */
#ifndef MEALY_TEST_RIG_INT_H
#define MEALY_TEST_RIG_INT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../agent/entry_store.h"
#include "../../cli/native_entry.h"
#include "rig.h"
#include "rig_special.h"
#include "rig_plan.h"
#include "rig_real.h"

struct kernel {
	struct instance *instance;
	struct flow_store *flows;
	struct counter_store *counters;
	char name[64];
};

struct rig {
	enum rig_tier tier;
	struct rig_plan plan;
	unsigned slot;
	unsigned rule_counters, groups; /* The most that a version had. */
	uint64_t version, now_ns;
	unsigned ifindex[RIG_PORTS + 1];
	struct kernel kernel; /* The next three are its. */
	struct instance *instance;
	struct flow_store *flows;
	struct counter_store *counters;
	struct native_switch *native;
	struct entry_store *entries;				/* In the kernel, */
	struct native_entries *native_entries[RIG_FLOW_TABLES]; /* ... or by flow table. */
	struct rig_special special;
	struct rig_real real;
	struct frame left[RIG_PORTS + 1]; /* By port: the last real frame that left it. */
	bool real_clock;
	struct ring_buffer *ring; /* Of events, if they are watched. */
	struct rig_result *taker; /* Whose events are being taken. */
};

/* Entries of the texts into the version in 'slot'. */
void rig_entries_install(struct rig *rig, unsigned slot);
void rig_entries_close(struct rig *rig);

/* Empties the ring into 'result'; NULL: away with them. */
void rig_events_take(struct rig *rig, struct rig_result *result);
void rig_events_close(struct rig *rig);

#define CHECK(r, what)                                                                                                 \
	do {                                                                                                           \
		int r_ = (r);                                                                                          \
		if (r_ < 0) {                                                                                          \
			fprintf(stderr, "rig: %s: %s\n", what, strerror(-r_));                                         \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

#endif
