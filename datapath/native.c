// SPDX-License-Identifier: GPL-2.0-or-later
/* The native switch as an object: memory, overlay, readers.  Frames run in switch_native.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hook.h"

enum { OVERFLOW_MIN = 16, OVERFLOW_SHARE = 8, CAPACITY_MAX = 1 << 26, COPY_TRIES = 1000 };

/* ---- random numbers ----------------------------------------------------------------------- */

__u64 native_random(struct native_switch *sw)
{
	return random_mix(atomic_fetch_add(&sw->random, RANDOM_STEP));
}

/* ---- returned slots -------------------------------------------------------------------------- */

static int queue_init(struct native_queue *queue, unsigned room)
{
	*queue = (struct native_queue){.room = room};
	queue->slot = calloc(room, sizeof(queue->slot[0]));
	if (!queue->slot)
		return -ENOMEM;
	pthread_mutex_init(&queue->mutex, NULL);
	return 0;
}

static void queue_done(struct native_queue *queue)
{
	if (!queue->slot)
		return;
	pthread_mutex_destroy(&queue->mutex);
	free(queue->slot);
	queue->slot = NULL;
}

__u32 native_queue_pop(struct native_queue *queue)
{
	__u32 slot = 0;

	pthread_mutex_lock(&queue->mutex);
	if (queue->n) {
		slot = queue->slot[queue->first];
		queue->first = (queue->first + 1) % queue->room;
		queue->n--;
	}
	pthread_mutex_unlock(&queue->mutex);
	return slot;
}

void native_queue_push(struct native_queue *queue, __u32 slot)
{
	pthread_mutex_lock(&queue->mutex);
	if (queue->n < queue->room)
		queue->slot[(queue->first + queue->n++) % queue->room] = slot;
	pthread_mutex_unlock(&queue->mutex);
}

/* ---- overlay ----------------------------------------------------------------------------------- */

/* Copies a record that others may be writing: between two equal and even change numbers.  A writer that was
 * stopped in the middle for long leaves us a torn copy, which is as good as what it shows. */
static void copy_record(__u64 *to, const __u64 *from, unsigned words)
{
	const struct flow_head *head = (const struct flow_head *)from;

	for (int i = 0; i < COPY_TRIES; i++) {
		__u32 change = READ_ACQUIRE(head->change);

		for (unsigned w = 0; w < words; w++)
			to[w] = READ(from[w]);
		atomic_thread_fence(memory_order_acquire);
		if (!(change & 1) && READ(head->change) == change)
			return;
	}
}

/* Where the source keeps an element, or NULL; '*ret_words' is its size. */
static const void *source_find(struct native_switch *sw, enum overlay_kind kind, __u32 flow_table, __u32 index,
			       unsigned *ret_words)
{
	const struct native_source *source = &sw->source;
	const struct bucket *buckets;
	const __u64 *records;

	switch (kind) {
	case OVERLAY_DESC:
		*ret_words = sizeof(struct flow_desc) / sizeof(__u64);
		return source->flow_desc ? source->flow_desc(source->data, flow_table) : NULL;
	case OVERLAY_BUCKET:
		*ret_words = sizeof(struct bucket) / sizeof(__u64);
		buckets = source->buckets ? source->buckets(source->data, flow_table) : NULL;
		return buckets ? &buckets[index] : NULL;
	case OVERLAY_RECORD:
		*ret_words = RECORD_WORDS(native_desc(sw, flow_table)->record_class);
		records = source->records ? source->records(source->data, flow_table) : NULL;
		return records ? &records[(size_t)index * *ret_words] : NULL;
	}
	return NULL;
}

static struct overlay_item *overlay_find(struct native_switch *sw, enum overlay_kind kind, __u32 flow_table,
					 __u32 index, unsigned *ret_list)
{
	struct overlay_item *item;

	*ret_list = random_mix((__u64)kind << 56 | (__u64)flow_table << 32 | index) % OVERLAY_LISTS;
	for (item = sw->overlay[*ret_list]; item; item = item->next)
		if (item->kind == kind && item->flow_table == flow_table && item->index == index)
			return item;
	return NULL;
}

__u64 *native_overlay(struct native_switch *sw, enum overlay_kind kind, __u32 flow_table, __u32 index)
{
	struct overlay_item *item;
	unsigned list, words;
	const void *from;

	item = overlay_find(sw, kind, flow_table, index, &list);
	if (item)
		return item->bytes;
	from = source_find(sw, kind, flow_table, index, &words);
	if (!from)
		return NULL;
	item = malloc(sizeof(*item) + words * sizeof(__u64));
	if (!item)
		return NULL;
	item->kind = kind;
	item->flow_table = flow_table;
	item->index = index;
	if (kind == OVERLAY_RECORD)
		copy_record(item->bytes, from, words);
	else
		for (unsigned w = 0; w < words; w++)
			item->bytes[w] = READ(((const __u64 *)from)[w]);
	item->next = sw->overlay[list];
	sw->overlay[list] = item;
	return item->bytes;
}

/* Stands for the queue of returned slots, which cannot be read without taking from it: the first used slot whose
 * record is dead.  Only the number can differ from what the live switch would take. */
__u32 native_overlay_slot(struct native_switch *sw, __u32 flow_table)
{
	struct flow_desc *desc = native_desc(sw, flow_table);
	__u64 used = desc->fresh < desc->capacity ? desc->fresh : desc->capacity;
	struct overlay_item *item;
	unsigned list, words;

	for (__u32 slot = 1; slot <= used; slot++) {
		const struct flow_head *head;

		item = overlay_find(sw, OVERLAY_RECORD, flow_table, slot, &list);
		head = item ? (const void *)item->bytes : source_find(sw, OVERLAY_RECORD, flow_table, slot, &words);
		if (head && !READ(head->alive))
			return slot;
	}
	return 0;
}

static void overlay_done(struct native_switch *sw)
{
	for (unsigned i = 0; i < OVERLAY_LISTS; i++) {
		while (sw->overlay[i]) {
			struct overlay_item *item = sw->overlay[i];

			sw->overlay[i] = item->next;
			free(item);
		}
	}
}

struct flow_desc *native_desc(struct native_switch *sw, __u32 flow_table)
{
	struct flow_desc *desc;

	if (flow_table >= FLOW_TABLES_MAX)
		return NULL;
	if (!sw->has_source)
		return sw->flows[flow_table].valid ? &sw->flows[flow_table].desc : NULL;
	desc = (struct flow_desc *)native_overlay(sw, OVERLAY_DESC, flow_table, 0);
	return desc && desc->valid && desc->record_class < RECORD_CLASS_MAX ? desc : NULL;
}

const struct match_desc *native_match(struct native_switch *sw, __u32 flow_table)
{
	if (flow_table >= FLOW_TABLES_MAX)
		return NULL;
	if (sw->has_source)
		return sw->source.match ? sw->source.match(sw->source.data, flow_table) : NULL;
	return sw->flows[flow_table].match;
}

int native_set_masks(struct native_switch *sw, unsigned flow_table, const struct match_masks *masks)
{
	struct native_flows *flows = &sw->flows[flow_table % FLOW_TABLES_MAX];

	if (flow_table >= FLOW_TABLES_MAX || sw->has_source)
		return -EINVAL;
	if (!flows->match)
		flows->match = calloc(1, sizeof(*flows->match));
	if (!flows->match)
		return -ENOMEM;
	flows->match->half[flows->match->active] = *masks;
	return 0;
}

/* ---- the switch ------------------------------------------------------------------------------------ */

int native_new(const struct native_source *source, struct native_switch **ret_switch)
{
	struct native_switch *sw = calloc(1, sizeof(*sw));

	if (!sw)
		return -ENOMEM;
	sw->locks = aligned_alloc(sizeof(struct lock_line), LOCKS * sizeof(struct lock_line));
	sw->counters = calloc(COUNTERS, sizeof(sw->counters[0]));
	sw->globals = calloc(1, sizeof(*sw->globals));
	sw->groups = calloc(1, sizeof(*sw->groups));
	sw->meters = calloc(1, sizeof(*sw->meters));
	if (!sw->locks || !sw->counters || !sw->globals || !sw->groups || !sw->meters) {
		native_free(sw);
		return -ENOMEM;
	}
	memset(sw->locks, 0, LOCKS * sizeof(struct lock_line));
	if (source) {
		sw->source = *source;
		sw->has_source = source->flow_desc || source->records || source->buckets;
		for (unsigned i = 0; source->globals && i < GLOBALS_MAX; i++)
			sw->globals->at[i].value = READ(source->globals->at[i].value);
		if (source->groups)
			*sw->groups = *source->groups;
		if (source->meters)
			*sw->meters = *source->meters;
	}
	*ret_switch = sw;
	return 0;
}

static void flows_done(struct native_flows *flows)
{
	queue_done(&flows->returned);
	free(flows->records);
	free(flows->buckets);
	free(flows->match);
	*flows = (struct native_flows){0};
}

void native_free(struct native_switch *sw)
{
	if (!sw)
		return;
	overlay_done(sw);
	for (unsigned i = 0; i < FLOW_TABLES_MAX; i++)
		flows_done(&sw->flows[i]);
	for (unsigned i = 0; i < TABLE_ELEMENTS; i++)
		free(sw->table[i]);
	for (unsigned i = 0; i < TEMPLATE_ELEMENTS; i++)
		free(sw->template_[i]);
	free(sw->locks);
	free(sw->counters);
	free(sw->globals);
	free(sw->groups);
	free(sw->segments);
	free(sw->meters);
	free(sw);
}

int native_set_table(struct native_switch *sw, unsigned element, const struct table *table)
{
	if (element >= TABLE_ELEMENTS || sw->source.table)
		return -EINVAL;
	if (!sw->table[element])
		sw->table[element] = malloc(sizeof(*table));
	if (!sw->table[element])
		return -ENOMEM;
	*sw->table[element] = *table;
	return 0;
}

int native_set_chain(struct native_switch *sw, unsigned element, const struct chain *chain)
{
	if (element >= VERSIONS * HOOK_MAX || sw->source.chain)
		return -EINVAL;
	sw->chain[element] = *chain;
	return 0;
}

/* Sizes as the agent chooses them, so that tables fill and overflow alike. */
static void describe(struct native_switch *sw, unsigned flow_table, enum record_class class_, unsigned key_words,
		     unsigned capacity, struct flow_desc *ret_desc)
{
	unsigned n_heads = 1;

	while (n_heads < (capacity + 3) / 4)
		n_heads *= 2;
	*ret_desc = (struct flow_desc){
		.capacity = capacity,
		.n_heads = n_heads,
		.n_buckets = n_heads + n_heads / OVERFLOW_SHARE + OVERFLOW_MIN,
		.record_class = class_,
		.key_words = key_words,
		.valid = 1,
	};
	for (unsigned i = 0; i < HASH_WORDS; i++)
		ret_desc->secret[i] = random_mix(sw->seed ^ random_mix((__u64)flow_table << 32 | i));
}

int native_add_flow_table(struct native_switch *sw, unsigned flow_table, enum record_class class_, unsigned key_words,
			  unsigned capacity)
{
	struct native_flows flows = {.valid = true};

	if (flow_table >= FLOW_TABLES_MAX || sw->has_source || class_ >= RECORD_CLASS_MAX || key_words == 0 ||
	    key_words > KEY_WORDS_MAX || FLOW_HEAD_WORDS + key_words > RECORD_WORDS(class_) || capacity == 0 ||
	    capacity > CAPACITY_MAX)
		return -EINVAL;
	describe(sw, flow_table, class_, key_words, capacity, &flows.desc);
	flows.records = calloc((size_t)capacity + 1, RECORD_SIZE(class_));
	flows.buckets = calloc(flows.desc.n_buckets, sizeof(struct bucket));
	if (!flows.records || !flows.buckets || queue_init(&flows.returned, capacity)) {
		flows_done(&flows);
		return -ENOMEM;
	}
	flows_done(&sw->flows[flow_table]);
	sw->flows[flow_table] = flows;
	return 0;
}

void native_set_active(struct native_switch *sw, unsigned slot)
{
	sw->active = slot % VERSIONS;
}

void native_set_port(struct native_switch *sw, unsigned port, bool up)
{
	if (port > 0 && port <= PORTS_MAX)
		sw->port_up[port] = up;
}

void native_set_seed(struct native_switch *sw, uint64_t seed)
{
	sw->seed = seed;
	atomic_store(&sw->random, seed);
}

void native_set_router(struct native_switch *sw, native_route_fn route, void *data)
{
	sw->route = route;
	sw->route_data = data;
}

int native_set_template(struct native_switch *sw, unsigned element, const struct template *template_)
{
	if (element >= TEMPLATE_ELEMENTS)
		return -EINVAL;
	if (!sw->template_[element])
		sw->template_[element] = malloc(sizeof(*template_));
	if (!sw->template_[element])
		return -ENOMEM;
	*sw->template_[element] = *template_;
	return 0;
}

void native_set_global(struct native_switch *sw, unsigned global, uint64_t value)
{
	if (global < GLOBALS_MAX)
		WRITE(sw->globals->at[global].value, value);
}

uint64_t native_global(struct native_switch *sw, unsigned global)
{
	return global < GLOBALS_MAX ? READ(sw->globals->at[global].value) : 0;
}

struct groups *native_groups(struct native_switch *sw)
{
	return sw->groups;
}

struct segment_lists *native_segments(struct native_switch *sw)
{
	if (!sw->segments && !sw->source.segments)
		sw->segments = calloc(1, sizeof(*sw->segments));
	return sw->segments;
}

const struct meter *native_meter(struct native_switch *sw, unsigned meter)
{
	return &sw->meters->at[meter & (METERS_MAX - 1)];
}

/* ---- readers ----------------------------------------------------------------------------------------- */

void native_counter(struct native_switch *sw, unsigned index, struct counter *ret_counter)
{
	*ret_counter = (struct counter){0};
	if (index >= COUNTERS)
		return;
	ret_counter->packets = READ(sw->counters[index].packets);
	ret_counter->bytes = READ(sw->counters[index].bytes);
}

int native_flows(struct native_switch *sw, unsigned flow_table, native_flow_fn flow, void *data)
{
	struct flow_desc *desc = native_desc(sw, flow_table);
	struct hook h = {.sw = sw};
	__u64 copy[RECORD_WORDS(RECORD_256)];

	if (!desc)
		return -ENOENT;
	for (__u32 slot = 1; slot <= desc->capacity && slot <= READ(desc->fresh); slot++) {
		__u32 words = 0;
		__u64 *record = map_record(&h, flow_table, desc->record_class, slot, &words);
		int r;

		if (!record || !READ(((struct flow_head *)record)->alive))
			continue;
		memset(copy, 0, sizeof(copy));
		copy_record(copy, record, words);
		if (!((struct flow_head *)copy)->alive)
			continue;
		r = flow(data, slot, copy);
		if (r)
			return r;
	}
	return 0;
}
