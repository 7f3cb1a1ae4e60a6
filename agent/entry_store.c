/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry_store {
	struct flow_store *flows;
	struct mask_set *masks[FLOW_TABLES_MAX]; /* NULL: not looked at yet. */
	struct entry_notes *notes[FLOW_TABLES_MAX];
	struct layout_field segments[FLOW_TABLES_MAX]; /* The part of the key that is a list; .bits 0: none. */
	bool grace[FLOW_TABLES_MAX];		       /* The half that is not active may still be searched. */
	/* The table that is open. */
	unsigned index, element, key_words, n_registers;
};

int entry_store_new(struct flow_store *flows, struct entry_store **ret_store)
{
	struct entry_store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	store->flows = flows;
	*ret_store = store;
	return 0;
}

void entry_store_free(struct entry_store *store)
{
	if (!store)
		return;
	for (unsigned i = 0; i < FLOW_TABLES_MAX; i++) {
		free(store->masks[i]);
		entry_notes_free(store->notes[i]);
	}
	free(store);
}

/* ---- what an entry_table does ---- */

static int set_record(void *data, const __u64 *key, unsigned state, const __u64 *registers, __u64 hard_at_ns,
		      bool *ret_created)
{
	struct entry_store *store = data;
	enum control_result result = CONTROL_NOTHING;
	int r = flow_store_set_entry(store->flows, store->element, (const uint64_t *)key, store->key_words, state,
				     (const uint64_t *)registers, store->n_registers, hard_at_ns, &result);

	if (r < 0)
		return r;
	*ret_created = result == CONTROL_CREATED;
	if (result == CONTROL_FULL)
		return -ENOSPC;
	return result == CONTROL_CREATED || result == CONTROL_CHANGED ? 0 : -EBUSY;
}

static int find_record(void *data, const __u64 *key, __u64 *ret_words)
{
	struct entry_store *store = data;
	uint32_t slot;

	return flow_store_find(store->flows, store->index, (const uint64_t *)key, &slot, (uint64_t *)ret_words);
}

static int remove_record(void *data, const __u64 *key)
{
	struct entry_store *store = data;
	enum control_result result = CONTROL_NOTHING;
	uint64_t words[RECORD_WORDS(RECORD_256)];
	uint32_t slot;
	int r = flow_store_find(store->flows, store->index, (const uint64_t *)key, &slot, words);

	if (r == 0)
		r = flow_store_delete(store->flows, store->element, slot, 0, &result);
	return r == 0 && result != CONTROL_FREED ? -ENOENT : r;
}

static int publish(void *data, const struct match_masks *masks)
{
	struct entry_store *store = data;
	struct instance *instance = flow_store_instance(store->flows);
	struct match_desc *desc = &instance_match(instance)[store->index];
	unsigned other = !(desc->active & 1);
	int r = store->grace[store->index] ? instance_grace(instance) : 0;

	if (r < 0)
		return r;
	desc->half[other] = *masks;
	__atomic_store_n(&desc->active, other, __ATOMIC_RELEASE);
	store->grace[store->index] = true;
	return 0;
}

struct walk {
	int (*record)(void *data, const __u64 *words);
	void *data;
};

static int walk_flow(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	struct walk *walk = data;

	return walk->record(walk->data, (const __u64 *)words);
}

static int walk_records(void *data, int (*record)(void *walk_data, const __u64 *words), void *walk_data)
{
	struct entry_store *store = data;
	struct walk walk = {record, walk_data};
	uint32_t cursor = 0;

	return flow_store_walk(store->flows, store->index, &cursor, 0, walk_flow, &walk);
}

/* ---- lists of segments that no entry has any more ---- */

struct used {
	const struct layout_field *field;
	uint64_t *fingerprint;
	size_t n;
};

static int see_list(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	struct used *used = data;
	uint64_t *more = reallocarray(used->fingerprint, used->n + 1, sizeof(*more));
	__u64 hi, lo;

	if (!more)
		return -ENOMEM;
	layout_get(used->field, (const __u64 *)words, &hi, &lo);
	used->fingerprint = more;
	more[used->n++] = lo;
	return 0;
}

static int compare_words(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool is_used(void *data, __u64 fingerprint)
{
	const struct used *used = data;
	uint64_t word = fingerprint;

	return used->n && bsearch(&word, used->fingerprint, used->n, sizeof(word), compare_words);
}

static int sweep(void *data)
{
	struct entry_store *store = data;
	struct instance *instance = flow_store_instance(store->flows);
	struct used used = {};
	int r = 0;

	for (unsigned i = 0; i < FLOW_TABLES_MAX && r == 0; i++) {
		uint32_t cursor = 0;

		used.field = &store->segments[i];
		if (used.field->bits)
			r = flow_store_walk(store->flows, i, &cursor, 0, see_list, &used);
	}
	if (r == 0 && used.n)
		qsort(used.fingerprint, used.n, sizeof(*used.fingerprint), compare_words);
	if (r == 0) {
		segments_unlink_unused(instance_segments(instance), is_used, &used);
		r = instance_grace(instance);
	}
	if (r == 0)
		segments_reclaim(instance_segments(instance));
	free(used.fingerprint);
	return r;
}

static const struct entry_ops ops = {
	.set = set_record,
	.find = find_record,
	.remove = remove_record,
	.publish = publish,
	.walk = walk_records,
	.sweep = sweep,
};

/* ---- open ---- */

int entry_store_open(struct entry_store *store, const struct app *app, unsigned table,
		     const struct table_placement *place, const struct layout *layout, unsigned element,
		     struct entry_table *ret_table)
{
	struct instance *instance = flow_store_instance(store->flows);
	const struct match_desc *desc = &instance_match(instance)[place->flow_table];
	bool first = !store->masks[place->flow_table];

	if (first)
		store->masks[place->flow_table] = calloc(1, sizeof(struct mask_set));
	if (!store->notes[place->flow_table])
		store->notes[place->flow_table] = entry_notes_new();
	if (!store->masks[place->flow_table] || !store->notes[place->flow_table])
		return -ENOMEM;
	store->index = place->flow_table;
	store->element = element;
	store->key_words = layout->key_words;
	store->n_registers = layout->n_registers;
	for (size_t i = 0; i < layout->n_keys; i++)
		if (layout->key[i].type == TYPE_SEGMENTS)
			store->segments[store->index] = layout->key[i];
	*ret_table = (struct entry_table){
		.app = app,
		.table = &app->table[table],
		.layout = layout,
		.state_id = place->state_id,
		.masks = store->masks[place->flow_table],
		.lists = instance_segments(instance),
		.ops = &ops,
		.data = store,
		.now_ns = instance_now_ns(instance),
	};
	if (!first || !app->table[table].masked)
		return 0;
	store->grace[place->flow_table] = true;
	mask_set_read(ret_table->masks, layout, &desc->half[desc->active & 1]);
	return entry_table_recount(ret_table);
}

struct entry_notes *entry_store_notes(struct entry_store *store)
{
	return store->notes[store->index];
}

struct clear {
	const struct entry_table *et;
	struct entry_notes *notes;
};

static bool is_own(void *data, const uint64_t *words)
{
	struct clear *clear = data;
	uint64_t id = words[FLOW_HEAD_WORDS + clear->et->layout->key_words + ENTRY_ID];

	if (id & ENTRY_OF_TEXT)
		return false;
	entry_notes_remove(clear->notes, id);
	return true;
}

int entry_store_clear(struct entry_store *store, struct entry_table *et, uint64_t *ret_n)
{
	struct clear clear = {et, store->notes[store->index]};
	struct flow_scan scan = {};
	int r = flow_store_delete_matching(store->flows, store->index, store->element, is_own, &clear, &scan);

	if (r == 0)
		r = entry_table_recount(et);
	et->masks->dirty = true;
	if (r == 0)
		r = entry_table_publish(et);
	*ret_n = scan.freed;
	return r;
}

void entry_store_unseen(struct entry_store *store)
{
	store->grace[store->index] = false;
}

int entry_store_walk(struct entry_store *store, unsigned flow_table, uint32_t *cursor, flow_fn record, void *data)
{
	return flow_store_walk(store->flows, flow_table, cursor, 0, record, data);
}

int entry_store_count_more(struct entry_store *store, const __u64 *words, const struct counter *more)
{
	uint64_t registers[sizeof(((struct control *)NULL)->registers) / sizeof(__u64)];
	const __u64 *reg = words + FLOW_HEAD_WORDS + store->key_words;
	struct flow_head head;

	memcpy(&head, words, sizeof(head));
	memcpy(registers, reg, store->n_registers * sizeof(registers[0]));
	registers[ENTRY_PACKETS] = more->packets;
	registers[ENTRY_BYTES] = more->bytes;
	return flow_store_count_entry(store->flows, store->element, (const uint64_t *)words + FLOW_HEAD_WORDS,
				      store->key_words, head.state, registers, store->n_registers,
				      head.hard_deadline_ns);
}

int entry_store_note_text(struct entry_store *store, const struct entry_table *et)
{
	int r = 0;

	for (size_t i = 0; i < et->table->n_entries && r == 0; i++)
		r = entry_notes_put(store->notes[store->index], et->table, et->table->entry[i].entry);
	return r;
}

void entry_store_forget(struct entry_store *store, unsigned flow_table)
{
	struct instance *instance = flow_store_instance(store->flows);

	entry_notes_free(store->notes[flow_table]);
	store->notes[flow_table] = NULL;
	free(store->masks[flow_table]);
	store->masks[flow_table] = NULL;
	store->segments[flow_table].bits = 0;
	store->grace[flow_table] = false;
	memset(&instance_match(instance)[flow_table], 0, sizeof(struct match_desc));
}
