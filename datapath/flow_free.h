/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_free - FREE and HELP of the protocol in flow_table.h. */
#ifndef MEALY_FLOW_FREE_H
#define MEALY_FLOW_FREE_H

#include "flow_create.h"
#include "xfsm_time.h"

/* Why a flow is freed. */
enum free_why {
	FREE_DUE, /* If its timeouts bring it to the first state; else it falls. */
	FREE_EVICT,
	FREE_DELETE,  /* If it has not changed since the change number given (0: anyway). */
	FREE_UNKNOWN, /* If its state is not known to the version. */
};

/* 13 and 15: takes the name off.  'dead' is the record that must be dead, or NULL. */
HOOK_FN void entry_clear(struct lock_line *lock, struct bucket *line, __u32 entry, __u32 slot, const __u64 *dead)
{
	__u32 *word = &line->slot[entry & (BUCKET_ENTRIES - 1)];

	hook_lock(lock);
	if (READ(*word) == slot && !(dead && READ(((const struct flow_head *)dead)->alive)))
		WRITE(*word, 0);
	hook_unlock(lock);
}

/* 13 and 14, when the packet itself has set 'alive' to 0 under its lock. */
COLD_FN(flow_release)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);
	struct lock_line *lock;
	struct bucket *line;

	if (!t)
		return -1;
	lock = map_lock(h, LOCK_OF_BUCKET(t->flow_table, s->place.head));
	line = map_bucket(h, t->flow_table, s->place.line);
	if (!lock || !line)
		return -1;
	entry_clear(lock, line, s->place.entry, s->place.slot, NULL);
	map_slot_push(h, t->flow_table, s->place.slot);
	return 0;
}

/* 15. */
COLD_FN(flow_help)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);
	struct lock_line *lock;
	struct bucket *line;
	__u64 *record;

	if (!t)
		return -1;
	lock = map_lock(h, LOCK_OF_BUCKET(t->flow_table, s->place.head));
	line = map_bucket(h, t->flow_table, s->place.line);
	record = map_record_line(h, t->flow_table, t->record_class, s->place.slot, 0);
	if (!lock || !line || !record)
		return -1;
	entry_clear(lock, line, s->place.entry, s->place.slot, record);
	hook_count(h, t->stats + TABLE_STAT_HELPED, 1, 0);
	return 0;
}

/* ---- freeing somebody else's flow --------------------------------------------------------------------- *
 *
 * 's->fallen' holds its image: the cells may still be needed by the packet. */

/* Decides under the lock, on the image.  True: the flow ends. */
HOOK_FN bool free_wanted(struct scratch *s, const struct table *t, enum free_why why, __u32 change, __u64 now)
{
	struct flow_head *image = image_head(s->fallen);
	const struct state_def *sd = time_state(t, image->state);

	switch (why) {
	case FREE_DUE: return (sd->flags & STATE_KNOWN) && time_fall(s, t, image, now, true);
	case FREE_EVICT: return true;
	case FREE_DELETE: return !change || change == image->change;
	case FREE_UNKNOWN: return !(sd->flags & STATE_KNOWN);
	}
	return false;
}

HOOK_FN enum table_stat free_stat(enum free_why why)
{
	if (why == FREE_DUE)
		return TABLE_STAT_EXPIRED;
	return why == FREE_EVICT ? TABLE_STAT_EVICTED : TABLE_STAT_FREED;
}

/* 12.  The record's key lies in s->fallen. */
HOOK_FN enum control_result record_free(struct scratch *s, const struct table *t, const struct place *p,
					struct flow *flow, enum free_why why, __u32 change, __u64 now)
{
	enum control_result result = CONTROL_NOTHING;
	struct flow_head *image = image_head(s->fallen);
	__u16 state;

	hook_lock(flow->lock);
	if (flow_is_mine(t, &s->fallen[FLOW_HEAD_WORDS], p, flow)) {
		image_read(t, flow, s->fallen);
		state = image->state;
		if (free_wanted(s, t, why, change, now)) {
			image->alive = 0;
			image->deadline_ns = 0;
			result = CONTROL_FREED;
		} else if (why == FREE_DUE) {
			time_set_deadline(t, image);
			if (image->state != state)
				result = CONTROL_CHANGED;
		}
		if (result == CONTROL_FREED || why == FREE_DUE)
			image_write(t, s->fallen, flow, false);
	}
	hook_unlock(flow->lock);
	return result;
}

/* FREE of the flow that 'flow' and 'p' name.  What is read before the lock is its key, for F1.  Its timeouts are noted,
 * not yet told. */
HOOK_FN enum control_result flow_free(struct hook *h, struct scratch *s, const struct table *t, const struct place *p,
				      struct flow *flow, enum free_why why, __u32 change, __u64 now)
{
	struct lock_line *head_lock = map_lock(h, LOCK_OF_BUCKET(t->flow_table, p->head));
	enum control_result result;

	flow->lock = map_lock(h, LOCK_OF_SLOT(t->flow_table, p->slot));
	if (!flow->lock || !head_lock)
		return CONTROL_NOTHING;
	s->n_notes = 0;
	image_read(t, flow, s->fallen);
	result = record_free(s, t, p, flow, why, change, now);
	if (result == CONTROL_FREED) {
		entry_clear(head_lock, flow->bucket, p->entry, p->slot, NULL);
		map_slot_push(h, t->flow_table, p->slot);
		hook_count(h, t->stats + free_stat(why), 1, 0);
	}
	return result;
}

#endif
