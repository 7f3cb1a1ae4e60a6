// SPDX-License-Identifier: GPL-2.0-or-later
/* The reading half of flow_store.h: records and buckets through the mapping, without a lock. */
#include <errno.h>
#include <string.h>

#include "../datapath/hash.h"
#include "flow_store.h"

/* A writer holds a record for well under a microsecond; who is unlucky this often meets a new writer
 * each time. */
enum { COPY_ATTEMPTS = 1000, IMAGE_WORDS_MAX = 32 };

struct view {
	const struct flow_desc *desc;
	const uint64_t *records;
	const struct bucket *buckets;
	unsigned n_words; /* Of a record. */
	uint32_t last;	  /* Slots 1..last have been handed out at some time. */
};

static int view_open(struct flow_store *store, unsigned index, struct view *ret_view)
{
	const struct flow_desc *desc = flow_store_desc(store, index);

	if (!desc)
		return -ENOENT;
	*ret_view = (struct view){
		.desc = desc,
		.records = flow_store_records(store, index),
		.buckets = flow_store_buckets(store, index),
		.n_words = RECORD_WORDS(desc->record_class),
		.last = desc->fresh < desc->capacity ? desc->fresh : desc->capacity,
	};
	return 0;
}

static const uint64_t *record_of(const struct view *view, uint32_t slot)
{
	return view->records + (size_t)slot * view->n_words;
}

/* A quick look at the head; may be torn. */
static struct flow_head peek(const struct view *view, uint32_t slot)
{
	struct flow_head head;
	uint64_t word = __atomic_load_n(record_of(view, slot), __ATOMIC_RELAXED);

	memcpy(&head, &word, sizeof(word));
	return head;
}

/* ---- one record ----------------------------------------------------------------------------------- */

static const uint32_t *change_of(const uint64_t *record)
{
	return (const uint32_t *)((const char *)record + offsetof(struct flow_head, change));
}

/* True if the record is still as it was when its change number was 'change'. */
static bool is_unchanged(const uint64_t *record, uint32_t change)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(change_of(record), __ATOMIC_RELAXED) == change;
}

/* Copies a record between two equal, even change numbers: 0 or -EAGAIN. */
static int copy_record(const uint64_t *record, unsigned n_words, uint64_t *ret_words)
{
	for (int i = 0; i < COPY_ATTEMPTS; i++) {
		uint32_t before = __atomic_load_n(change_of(record), __ATOMIC_ACQUIRE);

		if (before & 1)
			continue;
		for (unsigned w = 0; w < n_words; w++)
			ret_words[w] = __atomic_load_n(&record[w], __ATOMIC_RELAXED);
		if (is_unchanged(record, before))
			return 0;
	}
	return -EAGAIN;
}

/* Calls for each entry of the key's chain until 'wanted' accepts; returns the slot it accepted or 0. */
typedef bool (*entry_fn)(const struct view *view, uint32_t slot, uint16_t tag, const void *data);

static uint32_t chain_find(const struct view *view, uint32_t hash, entry_fn wanted, const void *data)
{
	uint32_t number = HASH_BUCKET(hash, view->desc->n_heads);

	for (int line = 0; line < CHAIN_MAX; line++) {
		const struct bucket *bucket = &view->buckets[number];

		for (int e = 0; e < BUCKET_ENTRIES; e++) {
			uint32_t slot = __atomic_load_n(&bucket->slot[e], __ATOMIC_ACQUIRE);
			uint16_t tag = __atomic_load_n(&bucket->tag[e], __ATOMIC_RELAXED);

			if (slot && slot <= view->desc->capacity && wanted(view, slot, tag, data))
				return slot;
		}
		number = __atomic_load_n(&bucket->next, __ATOMIC_ACQUIRE);
		if (number == 0 || number >= view->desc->n_buckets)
			break;
	}
	return 0;
}

static bool is_slot(const struct view *view, uint32_t slot, uint16_t tag, const void *data)
{
	return slot == *(const uint32_t *)data;
}

static bool is_named(const struct view *view, uint32_t slot, const uint64_t *words)
{
	uint32_t hash = flow_hash(view->desc->secret, (const __u64 *)words + FLOW_HEAD_WORDS, view->desc->key_words);

	return chain_find(view, hash, is_slot, &slot) == slot;
}

/* A living flow's record: 0, -ENOENT or -EAGAIN.  The name may be that of the slot's next owner, while the copy is of a
 * record that was never found: so the change number is looked at once more. */
static int read_record(const struct view *view, uint32_t slot, uint64_t *ret_words)
{
	struct flow_head head;
	int r;

	if (slot < 1 || slot > view->last)
		return -ENOENT;
	for (int i = 0; i < COPY_ATTEMPTS; i++) {
		r = copy_record(record_of(view, slot), view->n_words, ret_words);
		if (r < 0)
			return r;
		memcpy(&head, ret_words, sizeof(head));
		if (!head.alive || !is_named(view, slot, ret_words))
			return -ENOENT;
		if (is_unchanged(record_of(view, slot), head.change))
			return 0;
	}
	return -EAGAIN;
}

struct wanted_key {
	const uint64_t *key;
	uint16_t tag;
	uint64_t *words;
};

static bool has_key(const struct view *view, uint32_t slot, uint16_t tag, const void *data)
{
	const struct wanted_key *wanted = data;

	return tag == wanted->tag && read_record(view, slot, wanted->words) == 0 &&
	       memcmp(wanted->words + FLOW_HEAD_WORDS, wanted->key, view->desc->key_words * 8) == 0;
}

int flow_store_find(struct flow_store *store, unsigned index, const uint64_t *key, uint32_t *ret_slot,
		    uint64_t *ret_words)
{
	struct view view;
	uint32_t hash, slot;
	int r;

	r = view_open(store, index, &view);
	if (r < 0)
		return r;
	hash = flow_hash(view.desc->secret, (const __u64 *)key, view.desc->key_words);
	slot = chain_find(&view, hash, has_key, &(struct wanted_key){key, HASH_TAG(hash), ret_words});
	if (!slot)
		return -ENOENT;
	*ret_slot = slot;
	return 0;
}

/* ---- all records ------------------------------------------------------------------------------------- */

int flow_store_walk(struct flow_store *store, unsigned index, uint32_t *cursor, uint32_t n_slots, flow_fn flow,
		    void *data)
{
	uint64_t words[IMAGE_WORDS_MAX];
	uint32_t slot, end;
	struct view view;
	int r;

	r = view_open(store, index, &view);
	if (r < 0)
		return r;

	slot = *cursor ? *cursor : 1;
	end = view.last + 1;
	if (n_slots && slot < end && end - slot > n_slots)
		end = slot + n_slots;
	for (; slot < end; slot++) {
		if (!peek(&view, slot).alive || read_record(&view, slot, words) < 0)
			continue;
		r = flow(data, slot, words, view.n_words);
		if (r != 0) {
			slot += r > 0;
			break;
		}
	}
	*cursor = slot > view.last ? 0 : slot;
	return r < 0 ? r : 0;
}

uint64_t flow_store_count(struct flow_store *store, unsigned index)
{
	uint64_t n = 0;
	struct view view;

	if (view_open(store, index, &view) < 0)
		return 0;
	for (uint32_t slot = 1; slot <= view.last; slot++)
		n += peek(&view, slot).alive != 0;
	return n;
}

uint64_t flow_store_states(struct flow_store *store, unsigned index)
{
	uint64_t states = 0;
	struct view view;

	if (view_open(store, index, &view) < 0)
		return 0;
	for (uint32_t slot = 1; slot <= view.last; slot++) {
		struct flow_head head = peek(&view, slot);

		if (head.alive && head.state < STATES_MAX)
			states |= 1ull << head.state;
	}
	return states;
}
