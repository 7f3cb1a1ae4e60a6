/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_claim - records that belong to a record of another table (`allocate`).
 *
 * A claimed record is created like any other, before the record of its claimer is written, which then names its slot.
 * It has no end of its own: neither a timeout nor eviction nor the agent frees it, only the end of its claimer, or the
 * packet that claimed it in vain.  Whoever sets the claimer's 'alive' to 0 (12 of flow_table.h), or takes the name out
 * of its record under its lock, frees the claimed one, by the same protocol, after he has let the lock go; so it is
 * freed once.  Meanwhile a packet may still find it: as if it had come a moment earlier. */
#ifndef MEALY_FLOW_CLAIM_H
#define MEALY_FLOW_CLAIM_H

#include "flow_create.h"

/* 13 and 15: takes the name off.  'dead' is the record that must be dead, or NULL. */
HOOK_FN void entry_clear(struct lock_line *lock, struct bucket *line, __u32 entry, __u32 slot, const __u64 *dead)
{
	__u32 *word = &line->slot[entry & (BUCKET_ENTRIES - 1)];

	hook_lock(lock);
	if (READ(*word) == slot && !(dead && READ(((const struct flow_head *)dead)->alive)))
		WRITE(*word, 0);
	hook_unlock(lock);
}

/* Finds the entry that names p->slot in the chain of p->head. */
HOOK_FN bool entry_find(struct hook *h, const struct table *t, struct place *p, struct flow *flow)
{
	__u32 line = p->head;

	LOOP
	for (int i = 0; i < CHAIN_MAX; i++) {
		flow->bucket = map_bucket(h, t->flow_table, line);
		if (!flow->bucket)
			return false;
		p->line = line;
		LOOP
		for (__u32 e = 0; e < BUCKET_ENTRIES; e++) {
			p->entry = e;
			if (READ(flow->bucket->slot[e]) == p->slot)
				return true;
		}
		line = READ(flow->bucket->next);
		if (!line)
			return false;
	}
	return false;
}

/* The key of the record, as it is now. */
HOOK_FN void claim_key(const struct flow *flow, __u64 *key)
{
	key[0] = READ(flow->line[0][4]);
	key[1] = READ(flow->line[0][5]);
	key[2] = READ(flow->line[0][6]);
	key[3] = READ(flow->line[0][7]);
	key[4] = READ(flow->line[1][0]);
}

/* 12: only if nobody did before. */
HOOK_FN bool claim_end(const struct table *t, struct scratch *s, struct flow *flow)
{
	struct flow_head *head = flow_head(flow);
	__u32 change;
	bool mine;

	hook_lock(flow->lock);
	mine = flow_is_mine(t, s->claim.key, &s->claim.at, flow);
	if (mine) {
		change = READ(head->change);
		WRITE(head->change, change + 1);
		WRITE_BARRIER(head->change);
		WRITE(head->alive, 0);
		WRITE_RELEASE(head->change, change + 2);
	}
	hook_unlock(flow->lock);
	return mine;
}

/* 12 to 14 for slot s->claim.release of the table that the scratch's table claims from.  0: freed, or there was none.
 */
COLD_FN(claim_release)
{
	COLD_BEGIN
	const struct table *claimer = cold_table(h, s), *t;
	struct place *p = &s->claim.at;
	struct lock_line *head_lock;
	const struct flow_desc *desc;
	struct flow flow;

	if (!claimer || !s->claim.release)
		return 0;
	t = map_other_table(h, TABLE_INDEX(s->slot, s->hook, claimer->claim_table));
	if (!t)
		return -1;
	desc = map_flow_desc(h, t->flow_table);
	flow.lock = map_lock(h, LOCK_OF_SLOT(t->flow_table, s->claim.release));
	if (!desc || !desc->valid || !flow.lock || !flow_open(h, t, s->claim.release, &flow))
		return -1;
	claim_key(&flow, s->claim.key);
	place_of_hash(p, desc, flow_hash(desc->secret, s->claim.key, t->key_words));
	p->slot = s->claim.release;
	head_lock = map_lock(h, LOCK_OF_BUCKET(t->flow_table, p->head));
	if (!head_lock || !entry_find(h, t, p, &flow) || !claim_end(t, s, &flow))
		return -1;
	entry_clear(head_lock, flow.bucket, p->entry, p->slot, NULL);
	map_slot_push(h, t->flow_table, p->slot);
	hook_count(h, t->stats + TABLE_STAT_FREED, 1, 0);
	return 0;
}

#endif
