/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_native - the hook's vocabulary as ordinary code; one thread a struct hook. */
#ifndef MEALY_HOOK_NATIVE_H
#define MEALY_HOOK_NATIVE_H

#include <string.h>

#include "maps_native.h"

struct hook {
	enum hook_id id;
	struct native_switch *sw;
	struct scratch *scratch;
	struct native_result *result; /* NULL: nobody asks (control). */
	__u8 *begin, *end;	      /* The frame ... */
	__u8 *room_begin, *room_end;  /* ... and where it may move. */
	__u64 now_ns;
	__u32 port, frames;
};

enum native_verdict {
	NATIVE_DROP,
	NATIVE_PASS,
	NATIVE_DELIVER,
	NATIVE_OUTPUT,
	NATIVE_FLOOD,
	NATIVE_REFLECT,
	NATIVE_ROUTE
};

/* ---- the packet's surroundings ---------------------------------------------------------- */

HOOK_FN __u64 hook_now_ns(struct hook *h)
{
	return h->now_ns;
}

HOOK_FN __u64 hook_coarse_ns(struct hook *h)
{
	return h->now_ns;
}

HOOK_FN __u64 hook_random(struct hook *h)
{
	return native_random(h->sw);
}

HOOK_FN __u32 hook_cpu(struct hook *h)
{
	return 0;
}

HOOK_FN __u32 hook_length(struct hook *h)
{
	return h->end - h->begin;
}

HOOK_FN __u32 hook_frames(struct hook *h)
{
	return h->frames;
}

HOOK_FN __u32 hook_port(struct hook *h)
{
	return h->port;
}

HOOK_FN __u32 hook_in_port(struct hook *h)
{
	return h->id == HOOK_TC_EGRESS ? 0 : h->port;
}

HOOK_FN bool hook_is_copy(struct hook *h)
{
	return false;
}

HOOK_FN int hook_read(struct hook *h, void *buf, __u32 size)
{
	if (size > hook_length(h))
		return -1;
	memcpy(buf, h->begin, size);
	return 0;
}

/* ---- ways out ------------------------------------------------------------------------------ */

HOOK_FN int hook_pass(struct hook *h)
{
	return NATIVE_PASS;
}

HOOK_FN int hook_deliver(struct hook *h)
{
	return NATIVE_DELIVER;
}

HOOK_FN int hook_drop(struct hook *h)
{
	return NATIVE_DROP;
}

HOOK_FN int hook_fault(struct hook *h)
{
	return NATIVE_DROP;
}

HOOK_FN int hook_output(struct hook *h, __u32 port, enum exit_reason *reason)
{
	if (port == 0 || port > PORTS_MAX || !h->sw->port_up[port]) {
		*reason = EXIT_NO_PORT;
		return NATIVE_DROP;
	}
	*reason = EXIT_OUTPUT;
	if (h->result)
		h->result->out_port = port;
	return NATIVE_OUTPUT;
}

HOOK_FN int hook_copies(struct hook *h, __u64 ports, __u32 port, enum exit_reason *reason)
{
	*reason = EXIT_GROUP;
	if (port)
		ports &= ~(1ull << (port - 1));
	if (h->result)
		h->result->copies |= ports;
	return NATIVE_FLOOD;
}

HOOK_FN int hook_flood(struct hook *h, __u32 port, enum exit_reason *reason)
{
	*reason = EXIT_FLOOD;
	return NATIVE_FLOOD;
}

HOOK_FN int hook_reflect(struct hook *h, enum exit_reason *reason)
{
	*reason = EXIT_REFLECT;
	if (h->result)
		h->result->out_port = h->port;
	return NATIVE_REFLECT;
}

HOOK_FN int hook_tail(struct hook *h, enum interp_prog prog)
{
	switch (prog) {
	case INTERP_TABLE: return TAIL_TABLE;
	case INTERP_ACTION: return TAIL_ACTION;
	case INTERP_MATCH: return TAIL_MATCH;
	case INTERP_LEARN: return TAIL_LEARN;
	case INTERP_PACKET: return TAIL_PACKET;
	default: return TAIL_FAILED;
	}
}

/* ---- counters and events -------------------------------------------------------------------- */

/* The exit counter that goes up is the way out. */
HOOK_FN void hook_count(struct hook *h, __u32 index, __u64 packets, __u64 bytes)
{
	if (index >= COUNTERS)
		return;
	if (index < COUNTER_TX && h->result)
		h->result->exit = index % EXIT_REASON_ROOM;
	__atomic_fetch_add(&h->sw->counters[index].packets, packets, __ATOMIC_RELAXED);
	__atomic_fetch_add(&h->sw->counters[index].bytes, bytes, __ATOMIC_RELAXED);
}

HOOK_FN __u64 hook_event_sequence(struct hook *h)
{
	return atomic_fetch_add(&h->sw->events, 1) + 1;
}

/* Keeps the head of an event; a captured packet is the caller's anyway. */
HOOK_FN int hook_event(struct hook *h, void *event, __u32 size)
{
	struct native_result *result = h->result;

	if (!result)
		return 0;
	if (result->n_events >= sizeof(result->event) / sizeof(result->event[0]))
		return -1;
	memcpy(&result->event[result->n_events++], event, sizeof(struct event));
	return 0;
}

/* ---- maps -------------------------------------------------------------------------------------- */

HOOK_FN struct scratch *map_scratch(struct hook *h)
{
	return h->scratch;
}

HOOK_FN __u32 map_active(struct hook *h)
{
	return h->sw->active;
}

HOOK_FN const struct chain *map_chain(struct hook *h, __u32 element)
{
	if (element >= VERSIONS * HOOK_MAX)
		return NULL;
	if (h->sw->source.chain)
		return h->sw->source.chain(h->sw->source.data, element);
	return &h->sw->chain[element];
}

HOOK_FN const struct table *map_table(struct hook *h, __u32 element)
{
	if (element >= TABLE_ELEMENTS)
		return NULL;
	if (h->sw->source.table)
		return h->sw->source.table(h->sw->source.data, element);
	return h->sw->table[element];
}

HOOK_FN const struct table *map_other_table(struct hook *h, __u32 element)
{
	return map_table(h, element);
}

HOOK_FN struct global *map_global(struct hook *h, __u32 global)
{
	return &h->sw->globals->at[global & (GLOBALS_MAX - 1)];
}

HOOK_FN const struct template *map_template(struct hook *h, __u32 element)
{
	if (element >= TEMPLATE_ELEMENTS)
		return NULL;
	if (h->sw->source.template_)
		return h->sw->source.template_(h->sw->source.data, element);
	return h->sw->template_[element];
}

HOOK_FN const struct groups *map_groups(struct hook *h)
{
	return h->sw->groups;
}

HOOK_FN struct meter *map_meter(struct hook *h, __u32 meter)
{
	return &h->sw->meters->at[meter & (METERS_MAX - 1)];
}

HOOK_FN struct punt_limit *map_punt_limit(struct hook *h)
{
	return &h->sw->punt_limit;
}

HOOK_FN struct flow_desc *map_flow_desc(struct hook *h, __u32 flow_table)
{
	return native_desc(h->sw, flow_table);
}

HOOK_FN const struct match_desc *map_match(struct hook *h, __u32 flow_table)
{
	return native_match(h->sw, flow_table);
}

HOOK_FN const struct segment_lists *map_segments(struct hook *h)
{
	return h->sw->source.segments ? h->sw->source.segments : h->sw->segments;
}

HOOK_FN struct bucket *map_bucket(struct hook *h, __u32 flow_table, __u32 index)
{
	struct flow_desc *desc = native_desc(h->sw, flow_table);

	if (!desc || index >= desc->n_buckets)
		return NULL;
	if (h->sw->has_source)
		return (struct bucket *)native_overlay(h->sw, OVERLAY_BUCKET, flow_table, index);
	return &h->sw->flows[flow_table].buckets[index];
}

HOOK_FN __u64 *map_record(struct hook *h, __u32 flow_table, __u32 class_, __u32 slot, __u32 *words)
{
	struct flow_desc *desc = native_desc(h->sw, flow_table);

	if (!desc || class_ != desc->record_class || slot == 0 || slot > desc->capacity)
		return NULL;
	*words = RECORD_WORDS(class_);
	if (h->sw->has_source)
		return native_overlay(h->sw, OVERLAY_RECORD, flow_table, slot);
	return &h->sw->flows[flow_table].records[(size_t)slot * RECORD_WORDS(class_)];
}

HOOK_FN __u64 *map_record_line(struct hook *h, __u32 flow_table, __u32 class_, __u32 slot, __u32 line)
{
	__u32 words = 0;
	__u64 *record = map_record(h, flow_table, class_, slot, &words);

	return record && line * RECORD_LINE_WORDS < words ? record + line * RECORD_LINE_WORDS : NULL;
}

HOOK_FN __u32 map_slot_pop(struct hook *h, __u32 flow_table)
{
	if (!native_desc(h->sw, flow_table))
		return 0;
	if (h->sw->has_source)
		return native_overlay_slot(h->sw, flow_table);
	return native_queue_pop(&h->sw->flows[flow_table].returned);
}

/* In an overlay a free slot is one whose record is dead, so there is nothing to keep. */
HOOK_FN void map_slot_push(struct hook *h, __u32 flow_table, __u32 slot)
{
	if (native_desc(h->sw, flow_table) && !h->sw->has_source)
		native_queue_push(&h->sw->flows[flow_table].returned, slot);
}

/* ---- locks ---------------------------------------------------------------------------------------- */

HOOK_FN struct lock_line *map_lock(struct hook *h, __u32 index)
{
	return index < LOCKS ? &h->sw->locks[index] : NULL;
}

/* Threads may outnumber CPUs, so who waits gives way. */
HOOK_FN void hook_lock(struct lock_line *lock)
{
	while (atomic_exchange_explicit(&lock->taken, 1, memory_order_acquire))
		sched_yield();
}

HOOK_FN void hook_unlock(struct lock_line *lock)
{
	atomic_store_explicit(&lock->taken, 0, memory_order_release);
}

/* ---- what happened ---------------------------------------------------------------------------------- */

/* The step of the table that runs: a table begun again, or in its second phase, goes on with its own. */
HOOK_FN struct native_step *native_step(struct hook *h, const struct scratch *s)
{
	unsigned element = TABLE_INDEX(s->slot, s->hook, s->table);
	struct native_result *result = h->result;

	if (!result)
		return NULL;
	if (result->n_steps && result->step[result->n_steps - 1].element == element)
		return &result->step[result->n_steps - 1];
	if (result->n_steps >= sizeof(result->step) / sizeof(result->step[0]))
		return NULL;
	memset(&result->step[result->n_steps], 0, sizeof(result->step[0]));
	result->step[result->n_steps].element = element;
	return &result->step[result->n_steps++];
}

/* A flow with updates due is found a second time, fallen: the first time counts. */
HOOK_FN void hook_saw_flow(struct hook *h, const struct scratch *s, const __u64 *image)
{
	struct native_step *step = native_step(h, s);

	if (!step || step->was_there)
		return;
	step->was_there = true;
	step->stored_state = ((const struct flow_head *)image)->state;
}

HOOK_FN void hook_saw_copy(struct hook *h, __u64 port)
{
	if (h->result && port >= 1 && port <= PORTS_MAX)
		h->result->copies |= 1ULL << (port - 1);
}

HOOK_FN void hook_saw_rule(struct hook *h, const struct scratch *s, const struct table *t, __u32 slot)
{
	struct native_step *step = native_step(h, s);

	if (!step)
		return;
	step->absent = s->rule == RULE_ABSENT;
	step->else_of = ELSE_NOT;
	step->found = slot != 0;
	step->slot = slot;
	step->rule = s->rule;
	step->old_state = step->new_state = s->cells[CELL_STATE];
	if (s->rule < RULES_ROOM)
		step->verdict = t->rules[s->rule].verdict;
	memcpy(step->cells, s->cells, sizeof(step->cells));
	memcpy(step->key, &s->cells[CELL_LOOKUP + FLOW_HEAD_WORDS], sizeof(step->key));
	if (!(t->flags & TABLE_STATEFUL) || step->absent)
		memset(step->key, 0, sizeof(step->key));
}

HOOK_FN void hook_saw_else(struct hook *h, const struct scratch *s, const struct table *t, bool allocate)
{
	struct native_step *step = native_step(h, s);

	if (!step)
		return;
	step->else_of = allocate ? ELSE_OF_ALLOCATE : ELSE_OF_LEARN;
	if (s->rule < RULES_ROOM)
		step->verdict = t->rules[s->rule].verdict;
}

HOOK_FN void hook_saw_record(struct hook *h, const struct scratch *s, const struct table *t, __u32 slot,
			     const __u64 *image, __u32 what)
{
	struct native_step *step = native_step(h, s);

	if (!step)
		return;
	step->slot = slot;
	step->created = what & SAW_CREATED;
	step->freed = what & SAW_FREED;
	step->fell = what & SAW_FELL;
	step->new_state = what & SAW_FREED ? 0 : ((const struct flow_head *)image)->state;
	step->n_after = what & SAW_FREED ? 0 : FLOW_HEAD_WORDS + t->key_words + t->n_registers;
	if (step->n_after > sizeof(step->after) / sizeof(step->after[0]))
		step->n_after = sizeof(step->after) / sizeof(step->after[0]);
	memcpy(step->after, image, step->n_after * sizeof(step->after[0]));
}

#endif
