/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "native_entry.h"

#include <errno.h>
#include <string.h>

struct search {
	const __u64 *key;
	unsigned key_words, slot;
	__u64 words[RECORD_WORDS(RECORD_256)];
	unsigned n_words;
};

static int see_flow(void *data, unsigned slot, const __u64 *words)
{
	struct search *search = data;

	if (memcmp(words + FLOW_HEAD_WORDS, search->key, search->key_words * sizeof(*words)) != 0)
		return 0;
	search->slot = slot;
	memcpy(search->words, words, search->n_words * sizeof(*words));
	return 1;
}

static int find_slot(struct native_entries *entries, const __u64 *key, struct search *search)
{
	*search = (struct search){.key = key,
				  .key_words = entries->key_words,
				  .n_words = FLOW_HEAD_WORDS + entries->key_words + entries->n_registers};
	native_flows(entries->sw, entries->flow_table, see_flow, search);
	return search->slot ? 0 : -ENOENT;
}

static int set_record(void *data, const __u64 *key, unsigned state, const __u64 *registers, __u64 hard_at_ns,
		      bool *ret_created)
{
	struct native_entries *entries = data;
	struct control control = {.magic = CONTROL_MAGIC,
				  .op = CONTROL_SET,
				  .table = entries->element,
				  .now_ns = entries->now_ns,
				  .state = state,
				  .hard_ns = hard_at_ns};
	int r;

	memcpy(control.key, key, entries->key_words * sizeof(*key));
	memcpy(control.registers, registers, entries->n_registers * sizeof(*registers));
	r = native_control(entries->sw, &control);
	*ret_created = control.result == CONTROL_CREATED;
	return r == 0 && control.result == CONTROL_FULL ? -ENOSPC : r;
}

static int find_record(void *data, const __u64 *key, __u64 *ret_words)
{
	struct search search;
	int r = find_slot(data, key, &search);

	if (r == 0)
		memcpy(ret_words, search.words, sizeof(search.words));
	return r;
}

static int remove_record(void *data, const __u64 *key)
{
	struct native_entries *entries = data;
	struct search search;
	int r = find_slot(entries, key, &search);
	struct control control = {.magic = CONTROL_MAGIC,
				  .op = CONTROL_DELETE,
				  .table = entries->element,
				  .now_ns = entries->now_ns,
				  .n = 1,
				  .item = {{search.slot, 0}}};

	return r < 0 ? r : native_control(entries->sw, &control);
}

static int publish(void *data, const struct match_masks *masks)
{
	struct native_entries *entries = data;

	return native_set_masks(entries->sw, entries->flow_table, masks);
}

struct walk {
	int (*record)(void *data, const __u64 *words);
	void *data;
	int r;
};

static int walk_flow(void *data, unsigned slot, const __u64 *words)
{
	struct walk *walk = data;

	walk->r = walk->record(walk->data, words);
	return walk->r < 0;
}

static int walk_records(void *data, int (*record)(void *walk_data, const __u64 *words), void *walk_data)
{
	struct native_entries *entries = data;
	struct walk walk = {record, walk_data, 0};

	native_flows(entries->sw, entries->flow_table, walk_flow, &walk);
	return walk.r;
}

void native_entries_open(struct native_switch *sw, const struct app *app, unsigned table,
			 const struct table_placement *place, const struct layout *layout, unsigned element,
			 __u64 now_ns, struct native_entries *entries, struct entry_table *ret_table)
{
	static const struct entry_ops ops = {.set = set_record,
					     .find = find_record,
					     .remove = remove_record,
					     .publish = publish,
					     .walk = walk_records};

	entries->sw = sw;
	entries->flow_table = place->flow_table;
	entries->element = element;
	entries->key_words = layout->key_words;
	entries->n_registers = layout->n_registers;
	entries->now_ns = now_ns;
	*ret_table = (struct entry_table){
		.app = app,
		.table = &app->table[table],
		.layout = layout,
		.state_id = place->state_id,
		.masks = &entries->masks,
		.lists = native_segments(sw),
		.ops = &ops,
		.data = entries,
		.now_ns = now_ns,
	};
}
