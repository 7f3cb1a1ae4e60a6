/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_free - FREE and HELP of the protocol in flow_table.h. */
#ifndef MEALY_FLOW_FREE_H
#define MEALY_FLOW_FREE_H

#include "event.h"
#include "flow_claim.h"
#include "xfsm_op.h"
#include "xfsm_time.h"

/* Why a flow is freed. */
enum free_why {
	FREE_DUE, /* If its timeouts bring it to the first state; else it falls. */
	FREE_EVICT,
	FREE_DELETE,  /* If it has not changed since the change number given (0: anyway). */
	FREE_UNKNOWN, /* If its state is not known to the version. */
};

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

/* ---- falling with updates -------------------------------------------------------------------------------- *
 *
 * The updates of on_timeout are made by FREE and nowhere else: a packet that finds its flow due in a table that has
 * them (TABLE_UPDATES) calls FREE as anybody would, and begins the table again.  So the verifier meets them once.
 *
 * FREE works in s->timeout, whose first words are the image: the cells may still be needed by the packet. */

enum { FALL_TURNS = 2 * OPS_TIMEOUT_MAX };
_Static_assert(FALL_TURNS > (int)FALLS_MAX && FALL_TURNS > OPS_TIMEOUT_MAX + 1, "a fall fits");

HOOK_FN void fall_begin(struct scratch *s, const struct state_def *sd, __u64 when, __u32 to)
{
	s->free.when = when;
	s->free.to = to;
	s->free.leaving = 1;
	s->free.next_op = sd->first_timeout;
	s->free.n_ops = sd->n_timeout;
	s->free.updated |= sd->n_timeout;
	s->timeout[CELL_NOW] = when;
}

HOOK_FN void fall_end(struct scratch *s, const struct table *t, struct flow_head *image)
{
	if (time_state(t, image->state)->flags & STATE_NOTIFY)
		time_note_fall(s, image, s->free.to);
	time_enter(t, image, s->free.to, s->free.when);
	image->last_used_ns = s->free.when;
	s->free.leaving = 0;
}

/* One fall.  True: none is due, or the flow is over, or the turns do not suffice. */
HOOK_FN bool fall_one(struct scratch *s, const struct table *t, __u64 now, __u32 turn)
{
	struct flow_head *image = image_head(s->timeout);
	const struct state_def *sd;
	__u64 when;
	__u32 to;

	if (AGAIN(s->free.leaving)) {
		fall_end(s, t, image);
		s->free.ended = !image->state;
		if (AGAIN(s->free.ended))
			return true;
	}
	sd = time_state(t, image->state);
	when = time_next(t, image, &to);
	if (AGAIN(t->flags) & TABLE_ENTRIES)
		when = image->deadline_ns;
	if (!when || when > now || turn + sd->n_timeout + 1 >= FALL_TURNS)
		return true;
	fall_begin(s, sd, when, to);
	return false;
}

/* As time_fall(), with the updates of the states that the flow leaves.  Each turn is one update or one fall, and what
 * lasts from turn to turn lies in memory: a loop within a loop would be too much for the verifier.  Falls for which no
 * turns are left remain due.
 *
 * VERIFIER: the flags are read where the loop begins, each time.  Read before it, they let clang 14 jump into the
 * middle of the loop, and kernel 6.1 takes a loop only if it is closed by a jump. */
HOOK_FN bool fall_all(struct hook *h, struct scratch *s, const struct table *t, __u64 now)
{
	bool over = false;

	KEEP_LOOP
	for (__u32 i = 0; i < FALL_TURNS; i++) {
		if (over)
			break;
		if ((AGAIN(t->flags) & TABLE_UPDATES) && AGAIN(s->free.n_ops)) {
			op_run_write(h, s, s->timeout, &t->ops[s->free.next_op & (OPS_MAX - 1)], false);
			s->free.next_op++;
			s->free.n_ops--;
		} else {
			over = fall_one(s, t, now, i);
		}
	}
	return AGAIN(s->free.ended);
}

/* ---- freeing somebody else's flow --------------------------------------------------------------------- */

/* Decides under the lock, on the image.  True: the flow ends. */
HOOK_FN bool free_wanted(struct hook *h, struct scratch *s, const struct table *t)
{
	struct flow_head *image = image_head(s->timeout);
	const struct state_def *sd = time_state(t, image->state);

	if ((t->flags & TABLE_CLAIMED) && s->timeout[t->claim_word & (EVENT_WORDS_MAX - 1)])
		return false;
	switch (s->free.why) {
	case FREE_DUE: return (sd->flags & STATE_KNOWN) && fall_all(h, s, t, s->free.now);
	case FREE_EVICT: return true;
	case FREE_DELETE: return !s->free.change || s->free.change == image->change;
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

/* Decides and writes what follows; the flow is locked and its image read. */
HOOK_FN enum control_result free_decide(struct hook *h, struct scratch *s, const struct table *t, struct flow *flow)
{
	struct flow_head *image = image_head(s->timeout);
	enum control_result result = CONTROL_NOTHING;
	__u64 last_used = image->last_used_ns;

	if (free_wanted(h, s, t)) {
		image->alive = 0;
		image->deadline_ns = 0;
		result = CONTROL_FREED;
	} else if (s->free.why != FREE_DUE) {
		return CONTROL_NOTHING;
	} else {
		time_set_deadline(t, image);
		if (image->last_used_ns != last_used)
			result = CONTROL_CHANGED;
	}
	if (AGAIN(s->free.updated))
		image_write(t, s->timeout, flow, true);
	else
		image_write(t, s->timeout, flow, false);
	return result;
}

/* 12.  The record's key lies in the image. */
HOOK_FN enum control_result record_free(struct hook *h, struct scratch *s, const struct table *t, struct flow *flow)
{
	enum control_result result = CONTROL_NOTHING;

	hook_lock(flow->lock);
	if (flow_is_mine(t, &s->timeout[FLOW_HEAD_WORDS], &s->free.at, flow)) {
		image_read(t, flow, s->timeout);
		result = free_decide(h, s, t, flow);
	}
	hook_unlock(flow->lock);
	return result;
}

HOOK_FN void free_begin(struct scratch *s)
{
	s->free.n_ops = 0;
	s->free.leaving = 0;
	s->free.ended = 0;
	s->free.updated = 0;
	s->timeout[CELL_ZERO] = 0;
	s->n_notes = 0;
}

HOOK_FN void free_tell(struct hook *h, struct scratch *s)
{
	__u32 record_slot = s->record_slot;

	if (!event_waits(s))
		return;
	s->record_slot = s->free.at.slot;
	COLD_CALL(event_notes, h, s);
	s->record_slot = record_slot;
}

/* FREE of the flow at s->free.at, which tells its timeouts.  Returns enum control_result. */
COLD_FN(flow_free)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);
	struct lock_line *head_lock;
	struct flow flow = {.bucket = NULL};
	int result;

	if (!t || !s->free.at.slot)
		return CONTROL_NOTHING;
	flow.bucket = map_bucket(h, t->flow_table, s->free.at.line);
	head_lock = map_lock(h, LOCK_OF_BUCKET(t->flow_table, s->free.at.head));
	flow.lock = map_lock(h, LOCK_OF_SLOT(t->flow_table, s->free.at.slot));
	if (!flow.bucket || !head_lock || !flow.lock || !flow_open(h, t, s->free.at.slot, &flow))
		return CONTROL_NOTHING;
	free_begin(s);
	image_read(t, &flow, s->timeout);
	result = record_free(h, s, t, &flow);
	if (result == CONTROL_FREED) {
		entry_clear(head_lock, flow.bucket, s->free.at.entry, s->free.at.slot, NULL);
		map_slot_push(h, t->flow_table, s->free.at.slot);
		hook_count(h, t->stats + free_stat(s->free.why), 1, 0);
		if (t->flags & TABLE_CLAIMS) {
			s->claim.release = s->timeout[t->claim_word & (EVENT_WORDS_MAX - 1)];
			COLD_CALL(claim_release, h, s);
		}
	}
	free_tell(h, s);
	return result;
}

#endif
