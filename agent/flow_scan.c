// SPDX-License-Identifier: GPL-2.0-or-later
/* The writing half of flow_store.h: slots are chosen here by a look at the mapped records and handed to the
 * control program, which takes the lock and looks again. */
#include <errno.h>
#include <string.h>

#include "control_run.h"
#include "flow_store.h"

/* A creation begins again when packets changed its bucket meanwhile, and after it linked an overflow bucket. */
enum { SET_TRIES = 64 };

/* Slots on their way to the control program. */
struct batch {
	struct instance *instance;
	struct control control;
	struct flow_scan total;
};

static struct flow_head look(const char *record)
{
	struct flow_head head;

	/* May be torn: the control program decides. */
	memcpy(&head, record, sizeof(head));
	return head;
}

static void batch_begin(struct batch *batch, struct flow_store *store, enum control_op op, unsigned element,
			uint64_t now_ns)
{
	memset(batch, 0, sizeof(*batch));
	batch->instance = flow_store_instance(store);
	batch->control.op = op;
	batch->control.table = element;
	batch->control.now_ns = now_ns;
}

static int batch_flush(struct batch *batch)
{
	struct control *control = &batch->control;
	int r;

	if (control->n == 0)
		return 0;
	control->freed = control->changed = 0;
	r = control_run(batch->instance, control);
	if (r < 0)
		return r;

	batch->total.freed += control->freed;
	batch->total.changed += control->changed;
	for (unsigned i = 0; i < control->n && i < CONTROL_SLOTS_MAX; i++)
		batch->total.again += control->item[i].slot == CONTROL_AGAIN;
	control->n = 0;
	return 0;
}

static int batch_add(struct batch *batch, uint32_t slot, uint32_t change)
{
	batch->total.due++;
	batch->control.item[batch->control.n++] = (struct control_item){slot, change};
	return batch->control.n < CONTROL_SLOTS_MAX ? 0 : batch_flush(batch);
}

/* Adds every slot that 'pick' chooses. */
typedef bool (*pick_fn)(const void *data, const struct flow_head *head, const char *record);

static int batch_run(struct batch *batch, struct flow_store *store, unsigned index, bool by_change, pick_fn pick,
		     const void *data, struct flow_scan *ret_scan)
{
	const struct flow_desc *desc = flow_store_desc(store, index);
	const char *record = flow_store_records(store, index);
	uint32_t last;
	size_t size;
	int r = 0;

	if (!desc)
		return -ENOENT;
	size = RECORD_SIZE(desc->record_class);
	last = desc->fresh < desc->capacity ? desc->fresh : desc->capacity;

	for (uint32_t slot = 1; r == 0 && slot <= last; slot++) {
		struct flow_head head = look(record + slot * size);

		if (head.alive && pick(data, &head, record + slot * size))
			r = batch_add(batch, slot, by_change ? head.change : 0);
	}
	if (r == 0)
		r = batch_flush(batch);
	batch->total.scanned = last;
	if (ret_scan)
		*ret_scan = batch->total;
	return r;
}

static bool is_due(const void *data, const struct flow_head *head, const char *record)
{
	const uint64_t *now_ns = data;

	return head->deadline_ns && head->deadline_ns <= *now_ns;
}

int flow_store_expire(struct flow_store *store, unsigned index, unsigned element, uint64_t now_ns,
		      struct flow_scan *ret_scan)
{
	struct batch batch;

	batch_begin(&batch, store, CONTROL_EXPIRE, element, now_ns);
	return batch_run(&batch, store, index, false, is_due, &now_ns, ret_scan);
}

static bool is_unknown(const void *data, const struct flow_head *head, const char *record)
{
	const uint64_t *known = data;

	return head->state >= STATES_MAX || !(*known >> head->state & 1);
}

int flow_store_renumber(struct flow_store *store, unsigned index, unsigned element, uint64_t known,
			struct flow_scan *ret_scan)
{
	struct batch batch;

	batch_begin(&batch, store, CONTROL_RENUMBER, element, 0);
	return batch_run(&batch, store, index, false, is_unknown, &known, ret_scan);
}

struct matching {
	struct batch batch;
	flow_match_fn match;
	void *data;
};

static int delete_if_match(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	struct matching *matching = data;
	struct flow_head head;

	if (matching->match && !matching->match(matching->data, words))
		return 0;
	memcpy(&head, words, sizeof(head));
	return batch_add(&matching->batch, slot, matching->match ? head.change : 0);
}

int flow_store_delete_matching(struct flow_store *store, unsigned index, unsigned element, flow_match_fn match,
			       void *data, struct flow_scan *ret_scan)
{
	struct matching matching = {.match = match, .data = data};
	uint32_t cursor = 0;
	int r;

	batch_begin(&matching.batch, store, CONTROL_DELETE, element, 0);
	r = flow_store_walk(store, index, &cursor, 0, delete_if_match, &matching);
	if (r == 0)
		r = batch_flush(&matching.batch);
	if (ret_scan)
		*ret_scan = matching.batch.total;
	return r;
}

/* ---- one record ------------------------------------------------------------------------------------- */

int flow_store_set(struct flow_store *store, unsigned element, const uint64_t *key, unsigned key_words, unsigned state,
		   const uint64_t *registers, unsigned n_registers, enum control_result *ret_result)
{
	return flow_store_set_entry(store, element, key, key_words, state, registers, n_registers, 0, ret_result);
}

static int write_entry(struct flow_store *store, enum control_op op, unsigned element, const uint64_t *key,
		       unsigned key_words, unsigned state, const uint64_t *registers, unsigned n_registers,
		       uint64_t hard_ns, enum control_result *ret_result)
{
	struct control control = {.op = op, .table = element, .state = state, .hard_ns = hard_ns};
	int r, tries = SET_TRIES;

	if (key_words > KEY_WORDS_MAX || n_registers > sizeof(control.registers) / sizeof(control.registers[0]))
		return -EINVAL;
	for (unsigned i = 0; i < key_words; i++)
		control.key[i] = key[i];
	for (unsigned i = 0; i < n_registers; i++)
		control.registers[i] = registers[i];
	do {
		control.result = CONTROL_NOTHING;
		r = control_run(flow_store_instance(store), &control);
	} while (r == 0 && control.result == CONTROL_AGAIN && --tries);
	if (r == 0)
		*ret_result = control.result;
	return r;
}

int flow_store_set_entry(struct flow_store *store, unsigned element, const uint64_t *key, unsigned key_words,
			 unsigned state, const uint64_t *registers, unsigned n_registers, uint64_t hard_ns,
			 enum control_result *ret_result)
{
	return write_entry(store, CONTROL_SET, element, key, key_words, state, registers, n_registers, hard_ns,
			   ret_result);
}

int flow_store_count_entry(struct flow_store *store, unsigned element, const uint64_t *key, unsigned key_words,
			   unsigned state, const uint64_t *registers, unsigned n_registers, uint64_t hard_ns)
{
	enum control_result result;

	return write_entry(store, CONTROL_COUNT, element, key, key_words, state, registers, n_registers, hard_ns,
			   &result);
}

int flow_store_delete(struct flow_store *store, unsigned element, uint32_t slot, uint32_t change,
		      enum control_result *ret_result)
{
	struct control control = {.op = CONTROL_DELETE, .table = element, .n = 1, .item = {{slot, change}}};
	int r;

	r = control_run(flow_store_instance(store), &control);
	if (r == 0)
		*ret_result = control.item[0].slot;
	return r;
}

/* ---- room for new flows ------------------------------------------------------------------------------ */

enum { AGE_BINS = 1024 };

/* How long records have been idle, as a histogram. */
struct ages {
	uint64_t oldest_ns, newest_ns; /* Last use. */
	uint64_t live;
	uint64_t bin[AGE_BINS]; /* From the longest idle on. */
};

static unsigned bin_of(const struct ages *ages, uint64_t used_ns)
{
	uint64_t span = ages->newest_ns - ages->oldest_ns;

	if (used_ns <= ages->oldest_ns || span == 0)
		return 0;
	if (used_ns >= ages->newest_ns)
		return AGE_BINS - 1;
	return (used_ns - ages->oldest_ns) / (span / AGE_BINS + 1);
}

static void measure(const char *record, size_t size, uint32_t last, struct ages *ages)
{
	*ages = (struct ages){.oldest_ns = UINT64_MAX};
	for (uint32_t slot = 1; slot <= last; slot++) {
		struct flow_head head = look(record + slot * size);

		if (!head.alive)
			continue;
		ages->live++;
		if (head.last_used_ns < ages->oldest_ns)
			ages->oldest_ns = head.last_used_ns;
		if (head.last_used_ns > ages->newest_ns)
			ages->newest_ns = head.last_used_ns;
	}
	for (uint32_t slot = 1; ages->live && slot <= last; slot++) {
		struct flow_head head = look(record + slot * size);

		if (head.alive)
			ages->bin[bin_of(ages, head.last_used_ns)]++;
	}
}

struct room {
	struct ages ages;
	unsigned last_bin; /* Of those that go whole ... */
	uint64_t rest;	   /* ... and how many of the next one. */
};

static bool is_longest_idle(const void *data, const struct flow_head *head, const char *record)
{
	struct room *room = (struct room *)data;
	unsigned bin = bin_of(&room->ages, head->last_used_ns);

	if (bin < room->last_bin)
		return true;
	if (bin > room->last_bin || room->rest == 0)
		return false;
	room->rest--;
	return true;
}

int flow_store_make_room(struct flow_store *store, unsigned index, unsigned element, unsigned percent,
			 struct flow_scan *ret_scan)
{
	const struct flow_desc *desc = flow_store_desc(store, index);
	struct room room = {};
	struct batch batch;
	uint64_t wanted;

	if (!desc)
		return -ENOENT;
	if (ret_scan)
		*ret_scan = (struct flow_scan){};
	wanted = desc->capacity * (uint64_t)(percent > 100 ? 100 : percent) / 100;
	if (desc->fresh + wanted <= desc->capacity)
		return 0;
	measure(flow_store_records(store, index), RECORD_SIZE(desc->record_class),
		desc->fresh < desc->capacity ? desc->fresh : desc->capacity, &room.ages);
	if (room.ages.live + wanted <= desc->capacity)
		return 0;

	room.rest = room.ages.live + wanted - desc->capacity;
	while (room.rest > room.ages.bin[room.last_bin])
		room.rest -= room.ages.bin[room.last_bin++];

	batch_begin(&batch, store, CONTROL_DELETE, element, 0);
	return batch_run(&batch, store, index, true, is_longest_idle, &room, ret_scan);
}
