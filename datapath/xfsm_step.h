/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfsm_step - one packet, one stateful table: find, lock, fall, decide, update, unlock.
 *
 * With one scope a run does all of it.  With two scopes the first run (phase 0) decides on a copy of the looked-up record and the
 * second (phase 1) finds the update record and applies the rule to it.  Either run may have to begin again; nothing of it has
 * been seen by anybody then, and the variables are put back.
 *
 * The same straight line serves a flow that exists, whose lock is held from image_read() to image_write(), and one that does
 * not, whose image is empty: what may follow between is only what may run under a lock. */
#ifndef MEALY_XFSM_STEP_H
#define MEALY_XFSM_STEP_H

#include "event.h"
#include "flow_free.h"
#include "flow_room.h"
#include "xfsm_op.h"
#include "xfsm_rule.h"
#include "xfsm_time.h"

/* How a run of a table ends: a fault or a full table (enum exit_reason), or one of these. */
enum outcome {
	OUT_RULE = EXIT_REASON_ROOM,      /* The rule's actions. */
	OUT_PHASE,                        /* The table again, in its second phase. */
	OUT_AGAIN,                        /* The table again: another CPU was faster. */
};

struct step_of_flow {
	struct flow flow;         /* .record is NULL if no lock is held. */
	struct place place;
	struct lock_line *lock;
	__u64 now;
	bool found;               /* There is a record, fallen or not. */
	bool fresh;               /* The flow is in the first state for lack of a record, or fell there. */
	bool foreign;             /* Its state is of another version: leave it, unless the rule writes. */
	bool fell;
};

/* ---- variables that a creation must put back ------------------------------------------------------------- */

HOOK_FN void vars_save(struct scratch *s, const struct table *t)
{
	if (t->flags & TABLE_CLEAN)
		return;
	for (__u32 i = 0; i < CELL_META - CELL_VAR; i++)
		s->vars[i] = s->cells[CELL_VAR + i];
}

HOOK_FN void vars_restore(struct scratch *s, const struct table *t)
{
	if (t->flags & TABLE_CLEAN)
		return;
	for (__u32 i = 0; i < CELL_META - CELL_VAR; i++)
		s->cells[CELL_VAR + i] = s->vars[i];
}

/* ---- find and lock ------------------------------------------------------------------------------------------ */

HOOK_FN __u64 step_clock(struct hook *h, struct scratch *s, const struct table *t)
{
	if (t->flags & TABLE_TIME)
		return packet_now(h, s);
	return s->cells[CELL_NOW] ? s->cells[CELL_NOW] : hook_coarse_ns(h);
}

/* Lines 3 to 6 of the protocol; the lock is held if it returns OUT_RULE. */
HOOK_FN enum outcome step_lock(struct hook *h, struct scratch *s, const struct table *t, __u64 *image, struct step_of_flow *x)
{
	bool alive;

	x->lock = map_lock(h, LOCK_OF_SLOT(t->flow_table, x->place.slot));
	if (!x->lock)
		return (enum outcome)EXIT_INTERNAL;
	hook_lock(x->lock);
	if (flow_is_mine(t, &image[FLOW_HEAD_WORDS], &x->place, &x->flow))
		return OUT_RULE;
	alive = READ(((const struct flow_head *)x->flow.record)->alive);
	hook_unlock(x->lock);
	if (!alive) {
		s->place = x->place;
		COLD_CALL(flow_help, h, s);
	}
	return OUT_AGAIN;
}

/* Time never runs backwards within a flow. */
HOOK_FN void step_clock_of_flow(struct scratch *s, const struct table *t, const struct flow_head *image, struct step_of_flow *x)
{
	if (x->now >= image->last_used_ns)
		return;
	x->now = image->last_used_ns;
	if (t->flags & TABLE_TIME)
		s->cells[CELL_NOW] = x->now;
}

/* Brings the image to the present. */
HOOK_FN void step_fall(struct scratch *s, const struct table *t, __u64 *image, struct step_of_flow *x, bool noting)
{
	struct flow_head *head = image_head(image);
	__u64 last_used = head->last_used_ns;

	x->foreign = !(time_state(t, head->state)->flags & STATE_KNOWN);
	x->fresh = x->foreign || time_fall(s, t, head, x->now, noting);
	x->fell = head->last_used_ns != last_used;
	if (!x->fresh)
		return;
	head->state = 0;
	head->hard_deadline_ns = 0;
	image_clear_registers(t, image);
}

/* ---- apply ------------------------------------------------------------------------------------------------------ */

HOOK_FN void step_apply(struct scratch *s, const struct table *t, const struct rule *r, __u32 rule, __u64 *image, struct step_of_flow *x)
{
	struct flow_head *head = image_head(image);
	__u16 old_state = head->state;

	op_run_list(s->cells, t, r->first_do, r->n_do, OPS_DO_MAX);
	if (r->flags & RULE_NEXT)
		time_enter(t, head, r->next, x->now);
	if (x->fresh || !(r->flags & RULE_NO_REFRESH))
		head->last_used_ns = x->now;
	time_set_deadline(t, head);
	if (r->flags & RULE_NOTIFY)
		note_add(s, EVENT_STATE, old_state, head->state, rule);
}

HOOK_FN bool rule_ends_flow(const struct rule *r)
{
	return (r->flags & RULE_NEXT) && !r->next;
}

/* Writes the record, unlocks, and frees it if it is over. */
HOOK_FN void step_store(struct hook *h, struct scratch *s, const struct table *t, const struct rule *r, __u64 *image,
			struct step_of_flow *x)
{
	bool writes = r->flags & RULE_WRITES;
	bool over = rule_ends_flow(r) || (x->fresh && !writes);

	if (x->foreign && !writes) {
		hook_unlock(x->lock);
		return;
	}
	if (over)
		image_head(image)->alive = 0;
	if (writes || x->fell || !(r->flags & RULE_NO_REFRESH))
		image_write(t, image, &x->flow, writes);
	hook_unlock(x->lock);

	s->record_slot = x->place.slot;
	if (x->fresh && !x->foreign)
		hook_count(h, t->stats + TABLE_STAT_EXPIRED, 1, 0);
	if (over) {
		s->place = x->place;
		COLD_CALL(flow_release, h, s);
		if (!x->fresh)
			hook_count(h, t->stats + TABLE_STAT_FREED, 1, 0);
	} else if (x->fresh) {
		hook_count(h, t->stats + TABLE_STAT_CREATED, 1, 0);
	}
}

HOOK_FN enum outcome step_full(const struct table *t)
{
	switch (t->when_full) {
	case FULL_CONTINUE: return OUT_RULE;
	case FULL_PASS: return (enum outcome)EXIT_TABLE_FULL_PASS;
	}
	return (enum outcome)EXIT_TABLE_FULL;
}

HOOK_FN enum outcome step_create(struct hook *h, struct scratch *s, const struct table *t)
{
	switch (COLD_CALL(flow_create, h, s)) {
	case CREATE_DONE: return OUT_RULE;
	case CREATE_AGAIN: break;
	case CREATE_FULL:
		if (COLD_CALL(flow_make_room, h, s) == 1)
			break;
		s->n_notes = 0;
		return step_full(t);
	default: return (enum outcome)EXIT_INTERNAL;
	}
	vars_restore(s, t);
	return OUT_AGAIN;
}

/* ---- the step ------------------------------------------------------------------------------------------------------ */

/* Finds the flow of the key at image[FLOW_HEAD_WORDS]; image_read() is done and the lock held if x->flow.record. */
HOOK_FN enum outcome step_find(struct hook *h, struct scratch *s, const struct table *t, __u64 *image, struct step_of_flow *x)
{
	const struct flow_desc *desc = map_flow_desc(h, t->flow_table);
	enum outcome out;

	if (!desc || !desc->valid)
		return (enum outcome)EXIT_NO_TABLE;
	x->now = step_clock(h, s, t);
	place_of_hash(&x->place, desc, flow_hash(desc->secret, &image[FLOW_HEAD_WORDS], t->key_words));
	x->found = flow_find(h, t, &image[FLOW_HEAD_WORDS], &x->place, &x->flow);
	if (!x->found) {
		x->flow.record = NULL;
		x->fresh = true;
		image_clear(t, image);
		return OUT_RULE;
	}
	out = step_lock(h, s, t, image, x);
	if (out == OUT_RULE) {
		image_read(t, &x->flow, image);
		step_clock_of_flow(s, t, image_head(image), x);
	}
	return out;
}

HOOK_FN __u32 step_decide(struct scratch *s, const struct table *t, __u32 state)
{
	s->cells[CELL_STATE] = state;
	op_run_list(s->cells, t, t->first_let, t->n_let, OPS_LET_MAX);
	return rule_find(s->cells, t, state);
}

/* True if the update record must be visited. */
HOOK_FN bool step_has_second(const struct scratch *s, const struct table *t, const struct rule *r)
{
	if ((s->cells[CELL_PRESENT] & t->update_needs) != t->update_needs)
		return false;
	return r->n_do || (r->flags & RULE_WRITES) || !(r->flags & RULE_NO_REFRESH);
}

HOOK_FN const struct rule *step_rule(const struct table *t, __u32 *rule)
{
	if (*rule >= RULES_ROOM)
		*rule = RULE_OTHERWISE;
	return &t->rules[*rule];
}

/* One run of a stateful table in a phase.  The key is in the image; OUT_RULE leaves the rule's number in '*rule'. */
HOOK_FN enum outcome xfsm_step(struct hook *h, struct scratch *s, const struct table *t, __u64 *image, __u32 *rule)
{
	const bool two = t->flags & TABLE_TWO_SCOPES, second = two && s->phase;
	struct step_of_flow x = { 0 };
	enum outcome out = step_find(h, s, t, image, &x);
	const struct rule *r;

	if (out != OUT_RULE)
		return out;
	if (two && !second && x.flow.record) {
		hook_unlock(x.lock);
		x.flow.record = NULL;
	}
	if (x.found)
		step_fall(s, t, image, &x, !two || second);
	if (!second)
		*rule = step_decide(s, t, image_head(image)->state);
	r = step_rule(t, rule);
	if (two && !second)
		return step_has_second(s, t, r) ? OUT_PHASE : OUT_RULE;

	if (!x.found && (r->flags & RULE_WRITES) && !rule_ends_flow(r)) {
		s->place = x.place;
		vars_save(s, t);
		step_apply(s, t, r, *rule, image, &x);
		s->rule = *rule;
		return step_create(h, s, t);
	}
	step_apply(s, t, r, *rule, image, &x);
	if (x.flow.record)
		step_store(h, s, t, r, image, &x);
	return OUT_RULE;
}

#endif
