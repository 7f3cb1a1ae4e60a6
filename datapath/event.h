/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event - what the agent is told: noted under the lock, sent after it.
 *
 * Each event carries this CPU's next sequence number, also one that is then lost, so the agent sees the gap. */
#ifndef MEALY_EVENT_H
#define MEALY_EVENT_H

#include "flow_create.h"

enum { TOLD_FULL_NS = 1000000000, PUNT_TRIES = 4 };

/* The packet's time; read at most once a run of a hook. */
HOOK_FN __u64 packet_now(struct hook *h, struct scratch *s)
{
	if (!s->cells[CELL_NOW])
		s->cells[CELL_NOW] = hook_now_ns(h);
	return s->cells[CELL_NOW];
}

HOOK_FN void event_words(struct scratch *s, const struct table *t, const __u64 *image)
{
	__u32 n = image_registers(t) + t->n_registers;

	if (n > EVENT_WORDS_MAX)
		n = EVENT_WORDS_MAX;
	s->event.n_words = n;
	KEEP_LOOP
	for (__u32 i = 0; i < EVENT_WORDS_MAX; i++)
		s->event.words[i] = image[i];
}

/* Everything of an event but its words. */
HOOK_FN void event_begin(struct hook *h, struct scratch *s, const struct table *t, const struct note *note)
{
	const struct chain *chain = map_chain(h, CHAIN_INDEX(s->slot, s->hook));
	struct event *e = &s->event;

	e->kind = note->kind;
	e->cpu = hook_cpu(h);
	e->size = sizeof(*e);
	e->sequence = hook_event_sequence(h);
	e->time_ns = packet_now(h, s);
	e->version = chain ? chain->version : 0;
	e->table = t->id;
	e->slot = s->record_slot;
	e->change = 0;
	e->old_state = note->old_state;
	e->new_state = note->new_state;
	e->rule = note->rule;
	e->hook = s->hook;
	e->port = s->port;
	e->n_words = 0;
	e->packet_size = 0;
	e->frame_size = 0;
	e->zero = 0;
}

/* Sends s->event and what follows it in s->punt. */
HOOK_FN void event_send(struct hook *h, struct scratch *s, __u32 lost)
{
	__u32 size = s->event.size;

	if (size < sizeof(s->event) || size > sizeof(s->event) + PUNT_BYTES_MAX)
		return;
	if (hook_event(h, &s->event, size))
		hook_count(h, lost, 1, 0);
}

HOOK_FN void event_of_note(struct hook *h, struct scratch *s, const struct table *t, const struct note *note)
{
	__u64 *image = note->kind == EVENT_TIMEOUT ? s->fallen : step_image(s);

	event_begin(h, s, t, note);
	/* Without a key there is no flow. */
	if ((t->flags & TABLE_STATEFUL) && note->rule != RULE_ABSENT) {
		s->event.change = image_head(image)->change;
		event_words(s, t, image);
	}
	event_send(h, s, COUNTER_EVENT_LOST);
}

/* Whether there is something to tell; where tables are constant it may be known that there never is. */
HOOK_FN bool event_waits(const struct scratch *s)
{
#ifdef MEALY_SPECIALISED
	if (!SPECIALISED_NOTES)
		return false;
#endif
	return s->n_notes;
}

/* Sends what was noted. */
COLD_FN(event_notes)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);

	if (!t)
		return -1;
	KEEP_LOOP
	for (__u32 i = 0; i < NOTES_MAX; i++) {
		if (i >= s->n_notes)
			break;
		event_of_note(h, s, t, &s->note[i]);
	}
	s->n_notes = 0;
	return 0;
}

/* Tells that a table is full, at most once a second. */
HOOK_FN void event_table_full(struct hook *h, struct scratch *s, const struct table *t, struct flow_desc *desc)
{
	const struct note note = {.kind = EVENT_TABLE_FULL, .rule = RULES_ROOM};
	__u64 now = packet_now(h, s), told = READ(desc->told_full_ns);

	if (told && now < told + TOLD_FULL_NS)
		return;
	if (FETCH_CAS(&desc->told_full_ns, told, now) != told)
		return;
	event_of_note(h, s, t, &note);
}

/* ---- packets for the controller ----------------------------------------------------------------------- */

/* Virtual scheduling: 'next_ns' is when the next packet would be due at exactly the rate; it may come earlier by the
 * burst.  No rate (interval 0): no limit. */
HOOK_FN bool punt_conforms(struct punt_limit *limit, __u64 now)
{
	__u64 interval = READ(limit->interval_ns), burst = READ(limit->burst_ns);

	KEEP_LOOP
	for (int i = 0; i < PUNT_TRIES; i++) {
		__u64 next = READ(limit->next_ns), after = (next > now ? next : now) + interval;

		if (after > now + burst && interval)
			return false;
		if (!interval || FETCH_CAS(&limit->next_ns, next, after) == next)
			return true;
	}
	return false;
}

/* 1: a packet may go to the controller now. */
COLD_FN(punt_allowed)
{
	COLD_BEGIN
	struct punt_limit *limit = map_punt_limit(h);

	if (limit && punt_conforms(limit, packet_now(h, s)))
		return 1;
	hook_count(h, COUNTER_PUNT_LIMITED, 1, s->cells[CELL_LENGTH]);
	return 0;
}

/* Sends the s->punt_size bytes captured in s->punt. */
COLD_FN(punt_send)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);
	const struct note note = {.kind = EVENT_PUNT, .rule = s->rule};
	__u32 size = s->punt_size;

	if (!t || size > PUNT_BYTES_MAX)
		return -1;
	event_begin(h, s, t, &note);
	s->event.packet_size = size;
	s->event.frame_size = s->cells[CELL_LENGTH];
	s->event.size = sizeof(s->event) + size;
	hook_count(h, COUNTER_PUNT, 1, s->cells[CELL_LENGTH]);
	event_send(h, s, COUNTER_PUNT_LOST);
	return 0;
}

#endif
