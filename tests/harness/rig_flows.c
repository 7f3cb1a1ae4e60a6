// SPDX-License-Identifier: GPL-2.0-or-later
/* The flows of a rig: walked, found, expired, in the kernel and natively. */
#include <errno.h>

#include "rig_int.h"

#include "../../agent/flow_store.h"
#include "../../datapath/native.h"

struct flow_walk {
	const struct layout *layout;
	rig_flow_fn flow;
	void *data;
	unsigned n;
};

static int on_kernel_flow(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	struct flow_walk *walk = data;

	walk->n++;
	if (walk->flow)
		walk->flow(walk->data, walk->layout, words);
	return 0;
}

static int on_native_flow(void *data, unsigned slot, const __u64 *words)
{
	return on_kernel_flow(data, slot, (const uint64_t *)words, 0);
}

unsigned rig_flows(struct rig *rig, const char *table, rig_flow_fn flow, void *data)
{
	unsigned a, i, index = rig_plan_find(&rig->plan, table, &a, &i);
	struct flow_walk walk = {.layout = &rig->plan.app[a].layout[i], .flow = flow, .data = data};
	uint32_t cursor = 0;

	if (rig->native)
		CHECK(native_flows(rig->native, index, on_native_flow, &walk), "native flows");
	else
		CHECK(flow_store_walk(rig->flows, index, &cursor, 0, on_kernel_flow, &walk), "walk");
	return walk.n;
}

struct flow_search {
	const char *key, *value, *reg;
	const char *state;
	uint64_t found;
};

static void search_flow(void *data, const struct layout *layout, const uint64_t *words)
{
	struct flow_search *search = data;
	const __u64 *image = (const __u64 *)words;
	char text[64];
	__u64 hi, lo;

	for (size_t i = 0; i < layout->n_keys; i++) {
		if (strcmp(layout->key[i].name, search->key))
			continue;
		layout_get(&layout->key[i], image, &hi, &lo);
		value_render(layout->key[i].type, hi, lo, 0, text, sizeof(text));
		if (strcmp(text, search->value))
			return;
	}
	search->state = layout_state_name(layout, ((const struct flow_head *)words)->state);
	for (size_t i = 0; search->reg && i < layout->n_regs; i++) {
		if (strcmp(layout->reg[i].name, search->reg))
			continue;
		layout_get(&layout->reg[i], image, &hi, &lo);
		search->found = lo;
	}
}

const char *rig_state(struct rig *rig, const char *table, const char *key, const char *value)
{
	struct flow_search search = {.key = key, .value = value};

	rig_flows(rig, table, search_flow, &search);
	return search.state;
}

uint64_t rig_register(struct rig *rig, const char *table, const char *key, const char *value, const char *reg)
{
	struct flow_search search = {.key = key, .value = value, .reg = reg};

	rig_flows(rig, table, search_flow, &search);
	return search.found;
}

/* Element of `tables` that "app/table" is. */
static unsigned element_of(const struct rig *rig, const char *table)
{
	unsigned a, i;

	rig_plan_find(&rig->plan, table, &a, &i);
	return TABLE_INDEX(rig->slot, rig->plan.hook, rig->plan.app[a].placement.table[i].hook_table);
}

uint64_t rig_table_stat(struct rig *rig, const char *table, enum table_stat stat)
{
	unsigned a, i;

	rig_plan_find(&rig->plan, table, &a, &i);
	return rig_counter(rig, rig->plan.app[a].placement.table[i].stats + stat);
}

enum { DELETE_MAX = 256, IMAGE_WORDS_MAX = 32 };

struct doomed {
	unsigned n;
	uint32_t slot[DELETE_MAX];
	uint64_t words[DELETE_MAX][IMAGE_WORDS_MAX];
};

static int doom(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	struct doomed *doomed = data;

	if (doomed->n == DELETE_MAX)
		return 1;
	doomed->slot[doomed->n] = slot;
	memcpy(doomed->words[doomed->n++], words, n_words * sizeof(words[0]));
	return 0;
}

unsigned rig_delete_flows(struct rig *rig, const char *table, rig_flow_fn flow, void *data)
{
	unsigned a, i, index = rig_plan_find(&rig->plan, table, &a, &i), n = 0;
	struct doomed doomed = {.n = 0};
	uint32_t cursor = 0;

	CHECK(flow_store_walk(rig->flows, index, &cursor, 0, doom, &doomed), "walk");
	for (unsigned d = 0; d < doomed.n; d++) {
		const struct flow_head *head = (const struct flow_head *)doomed.words[d];
		enum control_result result = CONTROL_NOTHING;

		CHECK(flow_store_delete(rig->flows, element_of(rig, table), doomed.slot[d], head->change, &result),
		      "delete");
		if (result != CONTROL_FREED)
			continue;
		n++;
		flow(data, &rig->plan.app[a].layout[i], doomed.words[d]);
	}
	return n;
}

void rig_set_flow(struct rig *rig, const char *table, const uint64_t *words)
{
	unsigned a, i;
	const struct layout *layout;
	const uint64_t *key = words + FLOW_HEAD_WORDS;
	enum control_result result = CONTROL_NOTHING;

	rig_plan_find(&rig->plan, table, &a, &i);
	layout = &rig->plan.app[a].layout[i];
	CHECK(flow_store_set(rig->flows, element_of(rig, table), key, layout->key_words,
			     ((const struct flow_head *)words)->state, key + layout->key_words, layout->n_registers,
			     &result),
	      "set");
	CHECK(result == CONTROL_CREATED || result == CONTROL_CHANGED ? 0 : -EAGAIN, "set");
}

/* The native tier has no scan of its own: every slot is offered to the control program. */
static void expire_native(struct rig *rig, unsigned element, unsigned capacity)
{
	for (uint32_t slot = 1; slot <= capacity;) {
		struct control *control = calloc(1, sizeof(*control));

		control->magic = CONTROL_MAGIC;
		control->op = CONTROL_EXPIRE;
		control->table = element;
		control->now_ns = rig->now_ns;
		for (; slot <= capacity && control->n < CONTROL_SLOTS_MAX; slot++)
			control->item[control->n++].slot = slot;
		CHECK(native_control(rig->native, control), "control");
		free(control);
	}
}

void rig_expire(struct rig *rig)
{
	for (unsigned a = 0; a < rig->plan.n_apps; a++) {
		for (unsigned i = 0; i < rig->plan.app[a].app->n_tables; i++) {
			const struct table_placement *place = &rig->plan.app[a].placement.table[i];
			unsigned element = TABLE_INDEX(rig->slot, rig->plan.hook, place->hook_table);
			struct flow_scan scan;

			if (!rig->plan.app[a].app->table[i].stateful)
				continue;
			if (rig->native)
				expire_native(rig, element, rig->plan.app[a].layout[i].capacity);
			else
				CHECK(flow_store_expire(rig->flows, place->flow_table, element, rig->now_ns, &scan),
				      "expire");
		}
	}
}
