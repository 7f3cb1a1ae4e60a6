/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_create - CREATE and EXTEND of the protocol in flow_table.h. */
#ifndef MEALY_FLOW_CREATE_H
#define MEALY_FLOW_CREATE_H

#include "flow_table.h"

enum create { CREATE_DONE, CREATE_AGAIN, CREATE_FULL, CREATE_FAULT };

/* A line and an entry where a flow may be put, or the end of the chain. */
struct hole {
	struct bucket *line; /* NULL: a map lacks its element. */
	__u32 entry;	     /* BUCKET_ENTRIES: no hole; 'line' is the last one. */
	__u32 depth;	     /* Lines looked at. */
};

/* Table that the scratch is at. */
HOOK_FN const struct table *cold_table(struct hook *h, struct scratch *s)
{
	return map_table(h, TABLE_INDEX(s->slot, s->hook, s->table));
}

/* A slot nobody uses, or 0.  Those given back first: that keeps what the agent scans small. */
HOOK_FN __u32 slot_take(struct hook *h, __u32 flow_table, struct flow_desc *desc)
{
	__u32 slot = map_slot_pop(h, flow_table);
	__u64 fresh;

	if (slot || READ(desc->fresh) >= desc->capacity)
		return slot;
	fresh = FETCH_ADD(&desc->fresh, 1);
	return fresh < desc->capacity ? fresh + 1 : 0;
}

HOOK_FN __u32 line_hole(const struct bucket *line)
{
	KEEP_LOOP
	for (__u32 i = 0; i < BUCKET_ENTRIES; i++) {
		if (!READ(line->slot[i]))
			return i;
	}
	return BUCKET_ENTRIES;
}

/* First hole of the chain.  Others may fill it, but not without a new version. */
HOOK_FN void hole_find(struct hook *h, __u32 flow_table, __u32 head, struct hole *hole)
{
	__u32 line = head;

	KEEP_LOOP
	for (__u32 i = 0; i < CHAIN_MAX; i++) {
		hole->depth = i + 1;
		hole->line = map_bucket(h, flow_table, line);
		if (!hole->line)
			return;
		hole->entry = line_hole(hole->line);
		line = READ(hole->line->next);
		if (hole->entry < BUCKET_ENTRIES || !line)
			return;
	}
}

/* 11: links an overflow line behind the last one, empty as the map was made. */
HOOK_FN enum create chain_extend(struct hook *h, struct flow_desc *desc, const struct place *p, struct bucket *head,
				 struct lock_line *lock, struct hole *hole)
{
	__u64 room = desc->n_buckets - desc->n_heads, taken;
	enum create ret = CREATE_AGAIN;

	if (hole->depth >= CHAIN_MAX || READ(desc->n_overflow) >= room)
		return CREATE_FULL;
	hook_lock(lock);
	if (READ(head->version) == p->version && !READ(hole->line->next)) {
		taken = FETCH_ADD(&desc->n_overflow, 1);
		if (taken < room) {
			WRITE_RELEASE(hole->line->next, desc->n_heads + (__u32)taken);
		} else {
			(void)FETCH_ADD(&desc->n_overflow, -1);
			ret = CREATE_FULL;
		}
	}
	hook_unlock(lock);
	return ret;
}

/* 8: a record that nobody can find yet. */
HOOK_FN void record_fill(const struct table *t, __u64 *image, struct flow *flow)
{
	image_head(image)->alive = 1;
	hook_lock(flow->lock);
	image_write(t, image, flow, true);
	hook_unlock(flow->lock);
}

/* 9: what was filled was never found. */
HOOK_FN void record_retract(struct flow *flow)
{
	hook_lock(flow->lock);
	WRITE(flow_head(flow)->alive, 0);
	hook_unlock(flow->lock);
}

/* 9, 10. */
HOOK_FN bool hole_publish(const struct place *p, __u32 slot, struct bucket *head, struct lock_line *lock,
			  struct hole *hole)
{
	__u32 entry = hole->entry & (BUCKET_ENTRIES - 1);
	bool same;

	hook_lock(lock);
	same = READ(head->version) == p->version && !READ(hole->line->slot[entry]);
	if (same) {
		WRITE(hole->line->tag[entry], HASH_TAG(p->hash));
		WRITE(hole->line->slot[entry], slot);
		WRITE_RELEASE(head->version, p->version + 1);
	}
	hook_unlock(lock);
	return same;
}

HOOK_FN enum create flow_create_in(struct hook *h, struct scratch *s, const struct table *t, struct flow_desc *desc,
				   struct bucket *head, struct hole *hole)
{
	struct lock_line *head_lock = map_lock(h, LOCK_OF_BUCKET(t->flow_table, s->place.head));
	struct flow flow = {.bucket = NULL};
	__u32 slot;

	if (!head_lock)
		return CREATE_FAULT;
	if (hole->entry >= BUCKET_ENTRIES)
		return chain_extend(h, desc, &s->place, head, head_lock, hole);
	slot = slot_take(h, t->flow_table, desc);
	if (!slot)
		return CREATE_FULL;
	flow.lock = map_lock(h, LOCK_OF_SLOT(t->flow_table, slot));
	if (!flow.lock || !flow_open(h, t, slot, &flow))
		return CREATE_FAULT;

	record_fill(t, step_image(s), &flow);
	if (!hole_publish(&s->place, slot, head, head_lock, hole)) {
		record_retract(&flow);
		map_slot_push(h, t->flow_table, slot);
		return CREATE_AGAIN;
	}
	s->record_slot = slot;
	hook_count(h, t->stats + TABLE_STAT_CREATED, 1, 0);
	return CREATE_DONE;
}

/* Creates the flow whose image is complete and whose place is in the scratch.  Returns enum create. */
COLD_FN(flow_create)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);
	struct flow_desc *desc;
	struct bucket *head;
	struct hole hole = {0};

	if (!t)
		return CREATE_FAULT;
	desc = map_flow_desc(h, t->flow_table);
	head = map_bucket(h, t->flow_table, s->place.head);
	if (!desc || !head)
		return CREATE_FAULT;
	hole_find(h, t->flow_table, s->place.head, &hole);
	if (!hole.line)
		return CREATE_FAULT;
	return flow_create_in(h, s, t, desc, head, &hole);
}

#endif
