/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"

static const __u64 *registers_of(const struct entry_table *et, const __u64 *words)
{
	return words + FLOW_HEAD_WORDS + et->layout->key_words;
}

static bool has_id(const struct entry_table *et, const __u64 *words, __u64 id)
{
	return ((registers_of(et, words)[ENTRY_ID] ^ id) & ~ENTRY_OF_TEXT) == 0;
}

/* ---- where a record is, or should be ---- */

struct spot {
	__u64 key[KEY_WORDS_MAX]; /* With the number of the mask. */
	__u64 words[RECORD_WORDS(RECORD_256)];
	unsigned number; /* 0: the table has no masks. */
	bool found;
};

static void spot_key(const struct entry_table *et, const struct entry_record *record, unsigned number,
		     struct spot *ret_spot)
{
	memcpy(ret_spot->key, record->key, sizeof(ret_spot->key));
	ret_spot->number = number;
	if (et->table->masked)
		mask_put_number(et->layout, ret_spot->key, number);
}

/* The record of entry 'id' with this key.  0, -ENOENT (then '*ret_free' is a number whose place is free, 0: none). */
static int find_spot(struct entry_table *et, const struct entry_record *record, __u64 id, struct spot *ret_spot,
		     unsigned *ret_free)
{
	unsigned number = 0;

	*ret_free = 0;
	ret_spot->found = false;
	for (;;) {
		int r;

		if (et->table->masked) {
			number = mask_set_next(et->masks, record->mask, number);
			if (!number)
				return -ENOENT;
		}
		spot_key(et, record, number, ret_spot);
		r = et->ops->find(et->data, ret_spot->key, ret_spot->words);
		if (r < 0 && r != -ENOENT)
			return r;
		ret_spot->found = r == 0 && (!et->table->masked || has_id(et, ret_spot->words, id));
		if (ret_spot->found)
			return 0;
		if (r == -ENOENT && !*ret_free)
			*ret_free = number;
		if (!et->table->masked)
			return -ENOENT;
	}
}

/* A number for a mask that has none with room.  When all are taken, those that no entry has any more come free: first
 * packets must not search them. */
static unsigned new_number(struct entry_table *et, const __u64 *mask)
{
	unsigned number = mask_set_take(et->masks, mask);

	if (number)
		return number;
	/* Twice: whoever saw the first list is gone when the second is there. */
	if (entry_table_recount(et) < 0)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		et->masks->dirty = true;
		if (entry_table_publish(et) < 0)
			return 0;
	}
	return mask_set_take(et->masks, mask);
}

static int choose_spot(struct entry_table *et, const struct entry_record *record, __u64 id, struct spot *ret_spot)
{
	unsigned number;
	int r = find_spot(et, record, id, ret_spot, &number);

	if (r != -ENOENT)
		return r;
	if (et->table->masked && !number)
		number = new_number(et, record->mask);
	if (et->table->masked && !number)
		return -EDQUOT;
	spot_key(et, record, number, ret_spot);
	return 0;
}

/* ---- writing ---- */

static bool is_same(const struct entry_table *et, const struct spot *spot, unsigned state, const __u64 *registers,
		    const struct entry *entry)
{
	const __u64 *was = registers_of(et, spot->words);
	struct flow_head head;

	memcpy(&head, spot->words, sizeof(head));
	if (!spot->found || head.state != state || was[ENTRY_ID] != registers[ENTRY_ID] ||
	    was[ENTRY_RANK] != registers[ENTRY_RANK] || was[ENTRY_IDLE] != registers[ENTRY_IDLE] ||
	    !head.hard_deadline_ns != !entry->hard_ns)
		return false;
	return memcmp(was + ENTRY_WORDS, registers + ENTRY_WORDS,
		      (et->layout->n_registers - ENTRY_WORDS) * sizeof(was[0])) == 0;
}

static int put_record(struct entry_table *et, const struct entry_record *record, const struct entry *entry,
		      const __u64 *registers, enum entry_change *change)
{
	unsigned state = et->state_id[entry->action];
	bool created = false;
	struct spot spot;
	int r = choose_spot(et, record, registers[ENTRY_ID], &spot);

	if (r < 0 || is_same(et, &spot, state, registers, entry))
		return r;
	r = et->ops->set(et->data, spot.key, state, registers, entry->hard_ns ? et->now_ns + entry->hard_ns : 0,
			 &created);
	if (r == 0 && et->table->masked)
		mask_set_add(et->masks, spot.number, registers[ENTRY_RANK], created);
	if (r == 0)
		*change = spot.found && !created ? ENTRY_CHANGED : *change == ENTRY_SAME ? ENTRY_ADDED : *change;
	return r;
}

static int remove_record(struct entry_table *et, const struct entry_record *record, __u64 id)
{
	struct spot spot;
	unsigned number;
	int r = find_spot(et, record, id, &spot, &number);

	if (r < 0)
		return r;
	r = et->ops->remove(et->data, spot.key);
	if (r == 0 && spot.number)
		mask_set_remove(et->masks, spot.number);
	return r;
}

/* Before the entry itself, so whoever finds it finds the list. */
static int put_segments(struct entry_table *et, const struct entry *entry)
{
	int r;

	if (!entry->segments.n)
		return 0;
	if (!et->lists)
		return -ENOMEM;
	r = segments_put(et->lists, &entry->segments);
	if (r == -ENOBUFS && et->ops->sweep) {
		r = et->ops->sweep(et->data);
		if (r == 0)
			r = segments_put(et->lists, &entry->segments);
	}
	return r;
}

int entry_table_put(struct entry_table *et, const struct entry *entry, __u64 id_flags, enum entry_change *ret_change)
{
	__u64 registers[28], id = entry_id(et->table, entry);
	_cleanup_free_ struct entry_record *records = NULL;
	size_t n, done;
	int r = entry_records(et->table, et->layout, entry, &records, &n);

	*ret_change = ENTRY_SAME;
	if (r < 0)
		return r;
	r = put_segments(et, entry);
	if (r < 0)
		return r;
	entry_registers(et->table, entry, id | id_flags, et->now_ns, registers);
	for (done = 0; done < n && r == 0; done++)
		r = put_record(et, &records[done], entry, registers, ret_change);
	/* Half of a new entry is none. */
	if (r < 0 && *ret_change == ENTRY_ADDED)
		while (done-- > 0)
			remove_record(et, &records[done], id);
	return r;
}

int entry_table_find(struct entry_table *et, const struct entry *entry, __u64 *ret_words)
{
	_cleanup_free_ struct entry_record *records = NULL;
	struct spot spot;
	unsigned number;
	size_t n;
	int r = entry_records(et->table, et->layout, entry, &records, &n);

	if (r == 0)
		r = find_spot(et, &records[0], entry_id(et->table, entry), &spot, &number);
	if (r == 0)
		memcpy(ret_words, spot.words, sizeof(spot.words));
	return r;
}

int entry_table_count(struct entry_table *et, const struct entry *entry, struct counter *ret_sum)
{
	_cleanup_free_ struct entry_record *records = NULL;
	struct counter sum = {};
	bool any = false;
	size_t n = 0;
	int r = entry_records(et->table, et->layout, entry, &records, &n);

	for (size_t i = 0; i < n && r == 0; i++) {
		struct spot spot;
		unsigned number;

		r = find_spot(et, &records[i], entry_id(et->table, entry), &spot, &number);
		if (r == 0) {
			any = true;
			sum.packets += registers_of(et, spot.words)[ENTRY_PACKETS];
			sum.bytes += registers_of(et, spot.words)[ENTRY_BYTES];
		}
		r = r == -ENOENT ? 0 : r;
	}
	*ret_sum = sum;
	return r == 0 && !any ? -ENOENT : r;
}

int entry_table_remove(struct entry_table *et, const struct entry *entry)
{
	_cleanup_free_ struct entry_record *records = NULL;
	bool any = false;
	size_t n = 0;
	int r = entry_records(et->table, et->layout, entry, &records, &n);

	for (size_t i = 0; i < n && (r == 0 || r == -ENOENT); i++) {
		r = remove_record(et, &records[i], entry_id(et->table, entry));
		any |= r == 0;
	}
	return any && r == -ENOENT ? 0 : r;
}

/* ---- masks ---- */

int entry_table_publish(struct entry_table *et)
{
	_cleanup_free_ struct match_masks *masks = NULL;

	if (!et->table->masked || !et->masks->dirty)
		return 0;
	masks = malloc(sizeof(*masks));
	if (!masks)
		return -ENOMEM;
	mask_set_list(et->masks, et->layout, masks);
	return et->ops->publish(et->data, masks);
}

static int count_record(void *data, const __u64 *words)
{
	struct entry_table *et = data;
	unsigned number = mask_number(et->layout, words + FLOW_HEAD_WORDS);

	if (number >= 1 && number <= MASKS_MAX)
		et->masks->at[number].count++;
	return 0;
}

int entry_table_recount(struct entry_table *et)
{
	if (!et->table->masked)
		return 0;
	for (unsigned i = 1; i <= MASKS_MAX; i++)
		et->masks->at[i].count = 0;
	return et->ops->walk(et->data, count_record, et);
}

/* ---- the entries of the text ---- */

struct text_ids {
	struct entry_table *et;
	__u64 *id;
	size_t n;
	__u64 (*gone)[KEY_WORDS_MAX]; /* Keys of records that are no longer in the text. */
	size_t n_gone;
};

static int compare_ids(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int see_record(void *data, const __u64 *words)
{
	struct text_ids *ids = data;
	__u64 id = registers_of(ids->et, words)[ENTRY_ID];
	__u64(*more)[KEY_WORDS_MAX];

	if (!(id & ENTRY_OF_TEXT))
		return 0;
	id &= ~ENTRY_OF_TEXT;
	if (bsearch(&id, ids->id, ids->n, sizeof(id), compare_ids))
		return 0;
	more = reallocarray(ids->gone, ids->n_gone + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	ids->gone = more;
	memcpy(more[ids->n_gone++], words + FLOW_HEAD_WORDS, sizeof(*more));
	return 0;
}

static int remove_gone(struct entry_table *et)
{
	const struct app_table *t = et->table;
	struct text_ids ids = {.et = et, .n = t->n_entries};
	int r;

	ids.id = calloc(t->n_entries + 1, sizeof(*ids.id));
	if (!ids.id)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_entries; i++)
		ids.id[i] = entry_id(t, t->entry[i].entry);
	qsort(ids.id, ids.n, sizeof(*ids.id), compare_ids);
	r = et->ops->walk(et->data, see_record, &ids);
	for (size_t i = 0; i < ids.n_gone && r == 0; i++) {
		r = et->ops->remove(et->data, ids.gone[i]);
		if (r == 0 && t->masked)
			mask_set_remove(et->masks, mask_number(et->layout, ids.gone[i]));
		if (r == -ENOENT)
			r = 0;
	}
	free(ids.id);
	free(ids.gone);
	return r;
}

int entry_table_install(struct entry_table *et, const struct app_entry **ret_mistake)
{
	const struct app_table *t = et->table;
	enum entry_change change;
	int r = remove_gone(et);

	*ret_mistake = NULL;
	for (size_t i = 0; i < t->n_entries && r == 0; i++) {
		r = entry_table_put(et, t->entry[i].entry, ENTRY_OF_TEXT, &change);
		if (r < 0)
			*ret_mistake = &t->entry[i];
	}
	return r < 0 ? r : entry_table_publish(et);
}
