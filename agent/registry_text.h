/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry_text - the inside of a registry, for registry.c and registry_text.c only. */
#ifndef MEALY_REGISTRY_TEXT_H
#define MEALY_REGISTRY_TEXT_H

#include "registry.h"

struct registry_table {
	char *name;
	uint32_t id;
};

struct registry {
	struct registry_counter *counter; /* Sorted by name once sealed. */
	struct registry_table *table;	  /* Likewise. */
	struct {
		struct registry_shared *item; /* Likewise. */
		size_t n, room;
	} shared[REGISTRY_KINDS];
	struct registry_flow *flow;
	size_t n_counters, counters_room, n_tables, tables_room, n_flows, flows_room;
	uint32_t next_table; /* Table id never given. */
	/* Only between registry_next() and registry_seal(). */
	const struct registry *old;
	uint8_t *used;	  /* By counter from COUNTER_RULES on. */
	uint32_t hint[2]; /* Where to look for one counter, for several. */
	bool flow_used[FLOW_TABLES_MAX];
	bool shared_used[REGISTRY_KINDS][GLOBALS_MAX];
};

int registry_put_counter(struct registry *reg, const char *name, uint32_t index, uint32_t n, bool fresh);
int registry_put_shared(struct registry *reg, enum registry_kind kind, const char *name, uint32_t index, bool fresh);
int registry_put_table(struct registry *reg, const char *name, uint32_t id);
struct registry_flow *registry_put_flow(struct registry *reg, const char *name);
int registry_put_state(struct registry_flow *flow, const char *name, uint8_t id, bool retired);

#endif
