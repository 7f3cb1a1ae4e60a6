/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_room - room in a full table: a flow that is due, else, where the table evicts, the one unused for longest.
 *
 * Looked for in the chain where the new flow belongs (which also helps when only the chain is full), then in the
 * buckets that follow. */
#ifndef MEALY_FLOW_ROOM_H
#define MEALY_FLOW_ROOM_H

#include "flow_free.h"

enum { ROOM_NEIGHBOURS = 8, ROOM_LINES = CHAIN_MAX + ROOM_NEIGHBOURS };

/* Reads without lock; FREE checks again. */
HOOK_FN void victim_look(struct hook *h, const struct table *t, __u64 now, struct victims *v)
{
	const struct flow_head *head;
	__u64 *record, last, deadline;

	record = v->at.slot ? map_record_line(h, t->flow_table, t->record_class, v->at.slot, 0) : NULL;
	if (!record)
		return;
	head = (const struct flow_head *)record;
	last = READ(head->last_used_ns);
	deadline = READ(head->deadline_ns);
	if (deadline && deadline <= now && !AGAIN(v->due.slot))
		v->due = v->at;
	if (!AGAIN(v->oldest.slot) || last < AGAIN(v->last_used_ns)) {
		v->oldest = v->at;
		v->last_used_ns = last;
	}
}

HOOK_FN void victims_in_line(struct hook *h, const struct table *t, const struct bucket *line, __u64 now,
			     struct victims *v)
{
	KEEP_LOOP
	for (__u32 i = 0; i < BUCKET_ENTRIES; i++) {
		v->at.slot = READ(line->slot[i]);
		v->at.entry = i;
		victim_look(h, t, now, v);
	}
}

/* Goes on behind the end of a chain only if it named nobody. */
HOOK_FN void victims_find(struct hook *h, const struct table *t, const struct flow_desc *desc, __u32 home, __u64 now,
			  struct victims *v)
{
	v->due.slot = 0;
	v->oldest.slot = 0;
	v->at.head = home;
	v->at.line = home;
	KEEP_LOOP
	for (__u32 i = 0; i < ROOM_LINES; i++) {
		struct bucket *line = map_bucket(h, t->flow_table, AGAIN(v->at.line));

		if (!line)
			return;
		victims_in_line(h, t, line, now, v);
		v->at.line = READ(line->next);
		if (AGAIN(v->at.line))
			continue;
		if (AGAIN(v->oldest.slot))
			return;
		v->at.head = (v->at.head + 1) & (desc->n_heads - 1);
		v->at.line = v->at.head;
	}
}

/* Who may give room: s->victims.  Nonzero: a map lacks its element. */
COLD_FN(room_look)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);
	const struct flow_desc *desc;

	if (!t)
		return -1;
	desc = map_flow_desc(h, t->flow_table);
	if (!desc)
		return -1;
	victims_find(h, t, desc, s->place.head, packet_now(h, s), &s->victims);
	return 0;
}

/* Nobody gave any. */
COLD_FN(room_none)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);
	struct flow_desc *desc;

	if (!t)
		return -1;
	desc = map_flow_desc(h, t->flow_table);
	if (!desc)
		return -1;
	hook_count(h, t->stats + TABLE_STAT_FULL, 1, 0);
	event_table_full(h, s, t, desc);
	return 0;
}

HOOK_FN bool victim_free(struct hook *h, struct scratch *s, const struct place *p, enum free_why why)
{
	s->free.at = *p;
	s->free.why = why;
	s->free.change = 0;
	s->free.now = s->cells[CELL_NOW];
	return COLD_CALL(flow_free, h, s) == CONTROL_FREED;
}

/* True: a flow of the scratch's table was freed, so a creation may be tried again.  Not a function of its own: the
 * calls below flow_free() are as deep as the stack allows. */
HOOK_FN bool flow_make_room(struct hook *h, struct scratch *s, const struct table *t)
{
	if (COLD_CALL(room_look, h, s))
		return false;
	if (victim_free(h, s, &s->victims.due, FREE_DUE))
		return true;
	if (t->when_full == FULL_EVICT && victim_free(h, s, &s->victims.oldest, FREE_EVICT))
		return true;
	COLD_CALL(room_none, h, s);
	return false;
}

#endif
