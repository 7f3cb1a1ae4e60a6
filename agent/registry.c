/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "registry_text.h"

/* One of the growing arrays below; the element's first member is its name. */
#define GROW(array, n, room)                                                                                           \
	({                                                                                                             \
		int grow_r = 0;                                                                                        \
		if ((n) == (room)) {                                                                                   \
			size_t grow_room = (room) ? (room)*2 : 16;                                                     \
			void *grow_p = reallocarray(array, grow_room, sizeof(*(array)));                               \
			if (!grow_p) {                                                                                 \
				grow_r = -ENOMEM;                                                                      \
			} else {                                                                                       \
				(array) = grow_p;                                                                      \
				(room) = grow_room;                                                                    \
			}                                                                                              \
		}                                                                                                      \
		grow_r;                                                                                                \
	})

struct registry *registry_new(void)
{
	struct registry *reg = calloc(1, sizeof(*reg));

	if (reg)
		reg->next_table = 1;
	return reg;
}

static void flow_done(struct registry_flow *flow)
{
	for (size_t i = 0; i < flow->n_states; i++)
		free(flow->state[i].name);
	free(flow->state);
	free(flow->name);
}

void registry_free(struct registry *reg)
{
	if (!reg)
		return;
	for (size_t i = 0; i < reg->n_counters; i++)
		free(reg->counter[i].name);
	for (unsigned kind = 0; kind < REGISTRY_KINDS; kind++) {
		for (size_t i = 0; i < reg->shared[kind].n; i++)
			free(reg->shared[kind].item[i].name);
		free(reg->shared[kind].item);
	}
	for (size_t i = 0; i < reg->n_tables; i++)
		free(reg->table[i].name);
	for (size_t i = 0; i < reg->n_flows; i++)
		flow_done(&reg->flow[i]);
	free(reg->counter);
	free(reg->table);
	free(reg->flow);
	free(reg->used);
	free(reg);
}

static void mark(struct registry *reg, const struct registry *of)
{
	for (size_t i = 0; i < of->n_counters; i++)
		memset(reg->used + (of->counter[i].index - COUNTER_RULES), 1, of->counter[i].n);
	for (unsigned kind = 0; kind < REGISTRY_KINDS; kind++)
		for (size_t i = 0; i < of->shared[kind].n; i++)
			reg->shared_used[kind][of->shared[kind].item[i].index] = true;
	for (size_t i = 0; i < of->n_flows; i++)
		reg->flow_used[of->flow[i].index] = true;
}

struct registry *registry_next(const struct registry *old)
{
	struct registry *reg = registry_new();

	if (!reg)
		return NULL;
	reg->used = calloc(COUNTER_MEMBERS - COUNTER_RULES, 1);
	if (!reg->used) {
		registry_free(reg);
		return NULL;
	}
	mark(reg, old);
	reg->next_table = old->next_table;
	reg->old = old;
	return reg;
}

/* All kinds of named elements begin with their name. */
static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void registry_seal(struct registry *reg)
{
	if (reg->n_counters)
		qsort(reg->counter, reg->n_counters, sizeof(reg->counter[0]), compare_names);
	for (unsigned kind = 0; kind < REGISTRY_KINDS; kind++)
		if (reg->shared[kind].n)
			qsort(reg->shared[kind].item, reg->shared[kind].n, sizeof(struct registry_shared),
			      compare_names);
	if (reg->n_tables)
		qsort(reg->table, reg->n_tables, sizeof(reg->table[0]), compare_names);
	free(reg->used);
	reg->used = NULL;
	reg->old = NULL;
}

/* ---- counters ---- */

/* A rule and a table's block may have one name only if they differ in 'n'. */
static const struct registry_counter *find_counter(const struct registry *reg, const char *name, uint32_t n)
{
	const struct registry_counter *c;

	if (!reg || !reg->n_counters)
		return NULL;
	c = bsearch(&name, reg->counter, reg->n_counters, sizeof(*c), compare_names);
	return c && c->n == n ? c : NULL;
}

/* First fit; 'n' neighbours.  Returns an index of the counters map, or 0. */
static uint32_t free_counters(struct registry *reg, uint32_t n)
{
	uint32_t run = 0;

	for (uint32_t i = reg->hint[n > 1]; i < COUNTER_MEMBERS - COUNTER_RULES; i++) {
		run = reg->used[i] ? 0 : run + 1;
		if (run == n) {
			/* Nothing is given back while a candidate is filled, so what lies before is full. */
			reg->hint[n > 1] = i + 1;
			memset(reg->used + i + 1 - n, 1, n);
			return COUNTER_RULES + i + 1 - n;
		}
	}
	return 0;
}

int registry_put_counter(struct registry *reg, const char *name, uint32_t index, uint32_t n, bool fresh)
{
	char *copy;

	if (GROW(reg->counter, reg->n_counters, reg->counters_room) < 0)
		return -ENOMEM;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	reg->counter[reg->n_counters++] = (struct registry_counter){copy, index, n, fresh};
	return 0;
}

static int add_counter(struct registry *reg, const char *name, uint32_t n, uint32_t *ret_index)
{
	const struct registry_counter *old = find_counter(reg->old, name, n);
	uint32_t index = old ? old->index : free_counters(reg, n);
	int r;

	if (!index)
		return -ENOSPC;
	r = registry_put_counter(reg, name, index, n, !old);
	if (r < 0)
		return r;
	*ret_index = index;
	return 0;
}

int registry_add_rule(struct registry *reg, const char *name, uint32_t *ret_index)
{
	return add_counter(reg, name, 1, ret_index);
}

int registry_add_stats(struct registry *reg, const char *name, uint32_t *ret_index)
{
	return add_counter(reg, name, TABLE_STAT_MAX, ret_index);
}

/* ---- globals, groups, meters ---- */

static const struct {
	uint32_t max;
	const char *word;
} shared_kinds[REGISTRY_KINDS] = {
	[REGISTRY_GLOBAL] = {GLOBALS_MAX, "global"},
	[REGISTRY_GROUP] = {GROUPS_MAX, "group"},
	[REGISTRY_METER] = {METERS_MAX, "meter"},
};

uint32_t registry_shared_max(enum registry_kind kind)
{
	return shared_kinds[kind].max;
}

const char *registry_kind_word(enum registry_kind kind)
{
	return shared_kinds[kind].word;
}

int registry_put_shared(struct registry *reg, enum registry_kind kind, const char *name, uint32_t index, bool fresh)
{
	char *copy;

	if (GROW(reg->shared[kind].item, reg->shared[kind].n, reg->shared[kind].room) < 0)
		return -ENOMEM;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	reg->shared[kind].item[reg->shared[kind].n++] = (struct registry_shared){copy, index, fresh};
	return 0;
}

int registry_add_shared(struct registry *reg, enum registry_kind kind, const char *name, uint32_t *ret_index)
{
	const struct registry_shared *old = reg->old ? registry_find_shared(reg->old, kind, name) : NULL;
	uint32_t index = old ? old->index : 0, max = registry_shared_max(kind);
	int r;

	while (!old && index < max && reg->shared_used[kind][index])
		index++;
	if (index == max)
		return -ENOSPC;
	r = registry_put_shared(reg, kind, name, index, !old);
	if (r < 0)
		return r;
	reg->shared_used[kind][index] = true;
	*ret_index = index;
	return 0;
}

bool registry_uses_shared(const struct registry *reg, enum registry_kind kind, uint32_t index)
{
	for (size_t i = 0; i < reg->shared[kind].n; i++)
		if (reg->shared[kind].item[i].index == index)
			return true;
	return false;
}

/* ---- table ids ---- */

int registry_put_table(struct registry *reg, const char *name, uint32_t id)
{
	char *copy;

	if (GROW(reg->table, reg->n_tables, reg->tables_room) < 0)
		return -ENOMEM;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	reg->table[reg->n_tables++] = (struct registry_table){copy, id};
	return 0;
}

int registry_add_table(struct registry *reg, const char *name, uint32_t *ret_id)
{
	const struct registry_table *old = NULL;
	uint32_t id;
	int r;

	if (reg->old && reg->old->n_tables)
		old = bsearch(&name, reg->old->table, reg->old->n_tables, sizeof(*old), compare_names);
	id = old ? old->id : reg->next_table++;
	r = registry_put_table(reg, name, id);
	if (r < 0)
		return r;
	*ret_id = id;
	return 0;
}

/* ---- flow tables and their states ---- */

static const struct registry_state *find_state(const struct registry_flow *flow, const char *name)
{
	for (size_t i = 0; i < flow->n_states; i++)
		if (!flow->state[i].retired && !strcmp(flow->state[i].name, name))
			return &flow->state[i];
	return NULL;
}

int registry_put_state(struct registry_flow *flow, const char *name, uint8_t id, bool retired)
{
	struct registry_state *grown = reallocarray(flow->state, flow->n_states + 1, sizeof(*grown));
	char *copy;

	if (!grown)
		return -ENOMEM;
	flow->state = grown;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	flow->state[flow->n_states++] = (struct registry_state){copy, id, retired};
	return 0;
}

/* Returns the new element, zeroed but for the name; NULL without memory. */
struct registry_flow *registry_put_flow(struct registry *reg, const char *name)
{
	struct registry_flow *flow;
	char *copy;

	if (GROW(reg->flow, reg->n_flows, reg->flows_room) < 0)
		return NULL;
	copy = strdup(name);
	if (!copy)
		return NULL;
	flow = &reg->flow[reg->n_flows++];
	*flow = (struct registry_flow){.name = copy};
	return flow;
}

static int free_flow_index(struct registry *reg)
{
	for (int i = 0; i < FLOW_TABLES_MAX; i++)
		if (!reg->flow_used[i])
			return i;
	return -ENOSPC;
}

/* Flows can be kept: same layout, and what was the first state is not another one now (its records
 * have the id 0, which means the first state in every version). */
static bool can_keep(const struct registry_flow *old, const struct layout *layout)
{
	const struct registry_state *first = NULL;

	if (!old || old->hash != layout->hash)
		return false;
	for (size_t i = 0; i < old->n_states; i++)
		if (old->state[i].id == 0)
			first = &old->state[i];
	for (size_t i = 1; first && i < layout->n_states; i++)
		if (!strcmp(layout->state[i].name, first->name))
			return false;
	return true;
}

static bool layout_has_state(const struct layout *layout, const struct registry_state *state)
{
	for (size_t i = 0; i < layout->n_states; i++)
		if (layout->state[i].id == state->id && !strcmp(layout->state[i].name, state->name))
			return true;
	return false;
}

/* Gives each state of 'layout' its id and lists them in 'flow', with the ids of 'old' that records
 * may still hold. */
static int number_states(struct registry_flow *flow, const struct registry_flow *old, struct layout *layout)
{
	bool taken[STATES_MAX] = {true};
	unsigned next = 1;
	int r;

	for (size_t i = 0; old && i < old->n_states; i++)
		taken[old->state[i].id] = true;
	for (size_t i = 0; i < layout->n_states; i++) {
		const struct registry_state *known = old && i ? find_state(old, layout->state[i].name) : NULL;

		while (!known && i && next < STATES_MAX && taken[next])
			next++;
		if (!known && i && next == STATES_MAX)
			return -ENOSPC;
		layout->state[i].id = known ? known->id : i ? next++ : 0;
		r = registry_put_state(flow, layout->state[i].name, layout->state[i].id, false);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; old && i < old->n_states; i++) {
		if (!old->state[i].id || layout_has_state(layout, &old->state[i]))
			continue;
		r = registry_put_state(flow, old->state[i].name, old->state[i].id, true);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_flow(struct registry *reg, const char *name, struct layout *layout, bool renew,
		    const struct registry_flow **ret_flow)
{
	const struct registry_flow *old = reg->old ? registry_find_flow(reg->old, name) : NULL;
	bool keep = can_keep(old, layout);
	int index = keep && !renew ? (int)old->index : free_flow_index(reg);
	struct registry_flow *flow;
	int r;

	if (index < 0)
		return index;
	flow = registry_put_flow(reg, name);
	if (!flow)
		return -ENOMEM;
	flow->hash = layout->hash;
	flow->index = index;
	flow->fresh = !keep || renew;
	reg->flow_used[index] = true;
	r = number_states(flow, keep ? old : NULL, layout);
	if (r < 0)
		return r;
	*ret_flow = flow;
	return 0;
}

int registry_add_flow(struct registry *reg, const char *name, struct layout *layout,
		      const struct registry_flow **ret_flow)
{
	return add_flow(reg, name, layout, false, ret_flow);
}

int registry_renew_flow(struct registry *reg, const char *name, struct layout *layout,
			const struct registry_flow **ret_flow)
{
	return add_flow(reg, name, layout, true, ret_flow);
}

static struct registry_flow *flow_of_index(const struct registry *reg, uint32_t index)
{
	for (size_t i = 0; i < reg->n_flows; i++)
		if (reg->flow[i].index == index)
			return &reg->flow[i];
	return NULL;
}

void registry_forget_retired(struct registry *reg, uint32_t index)
{
	struct registry_flow *flow = flow_of_index(reg, index);
	size_t kept = 0;

	for (size_t i = 0; flow && i < flow->n_states; i++) {
		if (flow->state[i].retired)
			free(flow->state[i].name);
		else
			flow->state[kept++] = flow->state[i];
	}
	if (flow)
		flow->n_states = kept;
}

bool registry_has_retired(const struct registry *reg, uint32_t index)
{
	const struct registry_flow *flow = flow_of_index(reg, index);

	for (size_t i = 0; flow && i < flow->n_states; i++)
		if (flow->state[i].retired)
			return true;
	return false;
}

/* ---- readers ---- */

const struct registry_flow *registry_find_flow(const struct registry *reg, const char *name)
{
	for (size_t i = 0; i < reg->n_flows; i++)
		if (!strcmp(reg->flow[i].name, name))
			return &reg->flow[i];
	return NULL;
}

const struct registry_counter *registry_counter_at(const struct registry *reg, size_t i)
{
	return i < reg->n_counters ? &reg->counter[i] : NULL;
}

const struct registry_shared *registry_find_shared(const struct registry *reg, enum registry_kind kind,
						   const char *name)
{
	if (!reg->shared[kind].n)
		return NULL;
	return bsearch(&name, reg->shared[kind].item, reg->shared[kind].n, sizeof(struct registry_shared),
		       compare_names);
}

bool registry_uses_flow(const struct registry *reg, uint32_t index)
{
	return flow_of_index(reg, index) != NULL;
}
