/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry - names -> indices that stay: counters, globals, groups, meters, table ids, flow tables, state ids.
 *
 * A registry belongs to one version and names exactly what that version uses.  The next one is
 * begun from it with registry_next(): a name known to the old one keeps its index, a new name
 * takes one that the old one does not use.
 *
 * R1. An index used by the old version is never given to another name in the next one, because
 *     packets of the old version may still be under way.  When the version after the next is
 *     built, grace has passed, so what only the old one used is free.
 * R2. Table ids name tables in events, which may be read late: they are never given twice.
 * R3. State 0 is the first state.  An id whose name went away stays "retired", because records may
 *     hold it, until registry_forget_retired() says that no record does.
 *
 * Pure: no maps, no files.  Single-threaded. */
#ifndef MEALY_REGISTRY_H
#define MEALY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../tables/layout.h"

struct registry;

struct registry_counter {
	char *name;	/* "limiter/police/over-rate"; of a table's block "limiter/police". */
	uint32_t index; /* Of the counters map. */
	uint32_t n;	/* 1 for a rule, TABLE_STAT_MAX for a table. */
	bool fresh;	/* Not in the registry before: the counters must be zeroed. */
};

struct registry_state {
	char *name;
	uint8_t id;
	bool retired;
};

struct registry_flow {
	char *name;	/* "limiter/police" */
	uint64_t hash;	/* Of the layout. */
	uint32_t index; /* Of the flow table. */
	bool fresh;	/* Must be created. */
	struct registry_state *state;
	size_t n_states;
};

/* What lies in an array of the datapath that versions share: each kind has indices of its own. */
enum registry_kind { REGISTRY_GLOBAL, REGISTRY_GROUP, REGISTRY_METER, REGISTRY_KINDS };

struct registry_shared {
	char *name;	/* "limiter/total"; of a group with the types of its members' values behind. */
	uint32_t index; /* Of MAP_GLOBALS, MAP_GROUPS, MAP_METERS. */
	bool fresh;	/* Not in the registry before: it begins anew. */
};

struct registry *registry_new(void);
void registry_free(struct registry *reg);

/* Begins the registry of the version after 'old', which is only read and must live as long.  NULL
 * without memory.  registry_seal() ends the tie. */
struct registry *registry_next(const struct registry *old);
void registry_seal(struct registry *reg);

/* All give the index of 'name', adding it.  -ENOSPC: no index is free; -ENOMEM. */
int registry_add_rule(struct registry *reg, const char *name, uint32_t *ret_index);
int registry_add_stats(struct registry *reg, const char *name, uint32_t *ret_index);
int registry_add_shared(struct registry *reg, enum registry_kind kind, const char *name, uint32_t *ret_index);
int registry_add_table(struct registry *reg, const char *name, uint32_t *ret_id);

/* The flow table of 'name' with 'layout'.  The one the old version used is kept when the layouts'
 * hashes are equal and its first state did not move to another place; otherwise it is a fresh one.
 * Sets layout->state[].id.  -ENOSPC: no flow table or state id is free. */
int registry_add_flow(struct registry *reg, const char *name, struct layout *layout,
		      const struct registry_flow **ret_flow);
/* The same, with a fresh flow table even where the old one could be kept; the ids of states stay as if it were. */
int registry_renew_flow(struct registry *reg, const char *name, struct layout *layout,
			const struct registry_flow **ret_flow);

/* After a pass over all records: retired state ids of flow table 'index' are free. */
void registry_forget_retired(struct registry *reg, uint32_t index);
bool registry_has_retired(const struct registry *reg, uint32_t index);

/* Readers; NULL when there is none. */
const struct registry_flow *registry_find_flow(const struct registry *reg, const char *name);
const struct registry_counter *registry_counter_at(const struct registry *reg, size_t i);
const struct registry_shared *registry_find_shared(const struct registry *reg, enum registry_kind kind,
						   const char *name);
/* How many there are, and "group". */
uint32_t registry_shared_max(enum registry_kind kind);
const char *registry_kind_word(enum registry_kind kind);
bool registry_uses_shared(const struct registry *reg, enum registry_kind kind, uint32_t index);
bool registry_uses_flow(const struct registry *reg, uint32_t index);

/* Text for the state directory, to be freed by the caller; NULL without memory. */
char *registry_render(const struct registry *reg);

/* Reads it back.  -EPROTO with *ret_line (from 1) where it is not understood; -ENOMEM. */
int registry_parse(const char *text, struct registry **ret_reg, unsigned *ret_line);

#endif
