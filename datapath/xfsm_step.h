/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfsm_step - one packet, one stateful table: find, lock, fall, decide, update, unlock.
 *
 * With one scope a run does all of it.  With two scopes the first run (phase 0) decides on a copy of the looked-up
 * record and the second (phase 1) finds the update record and applies the rule to it.  Either run may have to begin
 * again; nothing of it has been seen by anybody then, and the variables are put back.
 *
 * The same straight line serves a flow that exists, whose lock is held from image_read() to image_write(), and one that
 * does not, whose image is empty: what may follow between is only what may run under a lock. */
#ifndef MEALY_XFSM_STEP_H
#define MEALY_XFSM_STEP_H

#include "event.h"
#include "flow_free.h"
#include "flow_room.h"
#include "meter.h"
#include "xfsm_op.h"
#include "xfsm_rule.h"
#include "xfsm_time.h"

/* How a run of a table ends: a fault or a full table (enum exit_reason), or one of these. */
enum outcome {
	OUT_RULE = EXIT_REASON_ROOM, /* The rule's actions. */
	OUT_PHASE,		     /* The table again, in its second phase. */
	OUT_AGAIN,		     /* The table again: another CPU was faster. */
	OUT_CLAIM,		     /* The table again, once INTERP_LEARN has claimed what the rule allocates. */
};

/* s->rule is always below RULES_ROOM; the mask, which leads no further than into the table's next members, is for
 * the verifier. */
enum { RULES_MASK = 2 * RULES_MAX - 1 };

/* Which part of the work a run does. */
enum role { ROLE_BOTH, ROLE_DECIDE, ROLE_APPLY };

HOOK_FN enum role step_role(const struct scratch *s, const struct table *t)
{
	if (!(AGAIN(t->flags) & TABLE_TWO_SCOPES))
		return ROLE_BOTH;
	return AGAIN(s->phase) ? ROLE_APPLY : ROLE_DECIDE;
}

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
HOOK_FN enum outcome step_lock(struct hook *h, struct scratch *s, const struct table *t, struct flow *flow)
{
	bool alive;

	flow->lock = map_lock(h, LOCK_OF_SLOT(t->flow_table, s->place.slot));
	if (!flow->lock)
		return (enum outcome)EXIT_INTERNAL;
	hook_lock(flow->lock);
	if (flow_is_mine(t, &step_image(s)[FLOW_HEAD_WORDS], &s->place, flow))
		return OUT_RULE;
	alive = READ(flow_head(flow)->alive);
	hook_unlock(flow->lock);
	if (!alive)
		COLD_CALL(flow_help, h, s);
	return OUT_AGAIN;
}

/* Time never runs backwards within a flow. */
HOOK_FN void step_clock_of_flow(struct scratch *s, const struct table *t, const struct flow_head *image)
{
	if (s->now >= image->last_used_ns)
		return;
	s->now = image->last_used_ns;
	if (t->flags & TABLE_TIME)
		s->cells[CELL_NOW] = s->now;
}

/* True if the flow must fall by FREE.  By the deadline in the record, which FREE sets anew.  A packet that comes too
 * late for its share of falls finds the flow where they brought it; the next packet, or the scan, goes on. */
HOOK_FN bool step_is_due(const struct scratch *s, const struct table *t, const struct flow_head *image)
{
	return (AGAIN(t->flags) & TABLE_UPDATES) && AGAIN(image->deadline_ns) - 1 < s->now &&
	       AGAIN(s->catch_ups) < CATCH_UPS_MAX;
}

/* The flow is due and its table has updates. */
HOOK_FN enum outcome step_fall_first(struct hook *h, struct scratch *s, struct flow *flow)
{
	hook_unlock(flow->lock);
	s->catch_ups++;
	s->free.at = s->place;
	s->free.why = FREE_DUE;
	s->free.now = s->now;
	COLD_CALL(flow_free, h, s);
	return OUT_AGAIN;
}

/* Finds the flow of the key in the image.  OUT_RULE: the image is read; a flow that exists is locked (flow->line[0] is
 * set). */
HOOK_FN enum outcome step_find(struct hook *h, struct scratch *s, const struct table *t, struct flow *flow)
{
	const struct flow_desc *desc = map_flow_desc(h, t->flow_table);
	__u64 *image = step_image(s);
	enum outcome out;

	if (!desc || !desc->valid)
		return (enum outcome)EXIT_NO_TABLE;
	s->now = step_clock(h, s, t);
	s->was = WAS_FRESH;
	place_of_hash(&s->place, desc, flow_hash(desc->secret, &image[FLOW_HEAD_WORDS], t->key_words));
	if (!flow_find(h, t, &image[FLOW_HEAD_WORDS], &s->place, flow)) {
		flow_forget(flow);
		image_clear(t, image);
		return OUT_RULE;
	}
	out = step_lock(h, s, t, flow);
	if (out == OUT_RULE) {
		s->was = WAS_FOUND;
		image_read(t, flow, image);
		if (step_role(s, t) != ROLE_APPLY)
			hook_saw_flow(h, s, image);
		step_clock_of_flow(s, t, image_head(image));
		if (step_is_due(s, t, image_head(image)))
			return step_fall_first(h, s, flow);
	}
	return out;
}

/* ---- decide -------------------------------------------------------------------------------------------------- */

/* Brings the image of a flow that exists to the present. */
HOOK_FN void step_fall(struct scratch *s, const struct table *t)
{
	__u64 *image = step_image(s);
	struct flow_head *head = image_head(image);
	__u64 last_used = head->last_used_ns;
	__u32 was = WAS_FOUND;

	if (!(time_state(t, head->state)->flags & STATE_KNOWN))
		was |= WAS_FRESH | WAS_FOREIGN;
	else if (!(AGAIN(t->flags) & TABLE_UPDATES) && time_fall(s, t, head, s->now, step_role(s, t) != ROLE_DECIDE))
		was |= WAS_FRESH;
	if (head->last_used_ns != last_used)
		was |= WAS_FELL;
	s->was = was;
	if (!(was & WAS_FRESH))
		return;
	if (AGAIN(t->flags) & TABLE_CLAIMS)
		s->claim.held = image[AGAIN(t->claim_word) & (EVENT_WORDS_MAX - 1)];
	head->state = 0;
	head->hard_deadline_ns = 0;
	image_clear_registers(t, image);
}

/* What members are, that the record names.  A list of its own, because one more operation in each turn of the loops
 * over operations costs the verifier a fifth of its budget. */
HOOK_FN void step_members(struct hook *h, struct scratch *s, const struct table *t)
{
	LOOP
	for (__u32 i = 0; i < MEMBER_LOADS_MAX; i++) {
		const struct member_load *load = &t->members[i];

		if (i >= AGAIN(t->n_members))
			break;
		s->cells[load->dst] = op_member(h, s->cells[load->cell], load->first);
	}
}

/* Chooses the rule: s->rule. */
HOOK_FN void step_decide(struct hook *h, struct scratch *s, const struct table *t, __u32 state, __u32 slot)
{
	s->cells[CELL_STATE] = state;
	step_members(h, s, t);
	op_run_list(s->cells, t, t->first_let, &t->n_let, OPS_LET_MAX);
	s->rule = rule_find(s->cells, t, state);
	if (s->rule >= RULES_ROOM)
		s->rule = RULE_OTHERWISE;
	hook_saw_rule(h, s, t, slot);
}

/* The rule chosen, read back: what the search knew of it would keep its ways out apart. */
HOOK_FN const struct rule *step_rule(const struct scratch *s, const struct table *t)
{
	return &t->rules[AGAIN(s->rule) & RULES_MASK];
}

/* True if the rule allocates and nothing was claimed for it yet, or for the flow as it was then. */
HOOK_FN bool step_must_claim(const struct scratch *s, const struct rule *r, const struct flow_head *image)
{
	if (!AGAIN(r->claim))
		return false;
	return !AGAIN(s->claim.slot) || s->claim.rule != s->rule + 1 || s->claim.change != image->change;
}

/* A rule that must claim first is put off: the idle rule, which does nothing, takes its place while the lock is held.
 * An exit of its own from here would make the verifier walk the search once more. */
HOOK_FN void step_put_off(struct scratch *s, const struct table *t)
{
	const struct flow_head *image = image_head(step_image(s));

	WITH_RULE(s, t, r, s->claim.want = step_must_claim(s, r, image) ? s->rule + 1 : 0)
	if (AGAIN(s->claim.want))
		s->rule = RULE_IDLE;
}

/* ---- apply ------------------------------------------------------------------------------------------------------ */

/* Charges the meter that the flow has for itself.  Its state lies in the image.  Last of all, because what follows a
 * choice is followed by the verifier twice; so only the actions read the colour. */
HOOK_FN void step_meter(struct scratch *s, const struct table *t, const struct rule *r)
{
	const struct meter_rates *rates = &t->meters[(r->meter - 1) & (TABLE_METERS_MAX - 1)];

	s->cells[r->colour] = meter_charge(rates, (struct meter_state *)&s->cells[r->meter_cell], s->cells[CELL_NOW],
					   s->cells[rates->bytes ? CELL_LENGTH : CELL_FRAMES]);
}

HOOK_FN void step_apply(struct hook *h, struct scratch *s, const struct table *t, const struct rule *r)
{
	struct flow_head *head = image_head(step_image(s));
	__u16 old_state = head->state;

	if (AGAIN(r->flags) & RULE_LETS_GO)
		s->claim.held = step_image(s)[AGAIN(t->claim_word) & (EVENT_WORDS_MAX - 1)];
	op_run_do(h, s, t, r->first_do, &r->n_do);
	if (AGAIN(r->flags) & RULE_NEXT)
		time_enter(t, head, r->next, s->now);
	if ((AGAIN(s->was) & WAS_FRESH) || !(AGAIN(r->flags) & RULE_NO_REFRESH))
		head->last_used_ns = s->now;
	time_set_deadline(t, head);
	if (AGAIN(r->flags) & RULE_NOTIFY)
		note_add(s, EVENT_STATE, old_state, head->state, s->rule);
	if (AGAIN(r->meter))
		step_meter(s, t, r);
}

HOOK_FN bool rule_writes(const struct rule *r)
{
	return AGAIN(r->flags) & RULE_WRITES;
}

HOOK_FN bool rule_ends_flow(const struct rule *r)
{
	return (AGAIN(r->flags) & RULE_NEXT) && !r->next;
}

/* True if the flow is over: by the rule, or because it fell to the first state and nobody wrote since. */
HOOK_FN bool step_is_over(const struct scratch *s, const struct rule *r)
{
	if (rule_ends_flow(r))
		return true;
	return !rule_writes(r) && (AGAIN(s->was) & (WAS_FRESH | WAS_FOREIGN)) == WAS_FRESH;
}

/* True if only the head changed: the flow is over, fell, or was used. */
HOOK_FN bool step_writes_head(const struct scratch *s, const struct rule *r)
{
	__u32 was = AGAIN(s->was);

	if (was & WAS_OVER)
		return true;
	if (was & WAS_FOREIGN)
		return false;
	return (was & WAS_FELL) || !(AGAIN(r->flags) & RULE_NO_REFRESH);
}

/* Writes the record as far as it changed, and unlocks. */
HOOK_FN void step_write(struct scratch *s, const struct table *t, const struct rule *r, struct flow *flow)
{
	__u64 *image = step_image(s);

	if (step_is_over(s, r)) {
		image_head(image)->alive = 0;
		s->was |= WAS_OVER;
	}
	if (rule_writes(r))
		image_write(t, image, flow, true);
	else if (step_writes_head(s, r))
		image_write(t, image, flow, false);
	hook_unlock(flow->lock);
}

HOOK_FN __u32 step_saw(const struct scratch *s)
{
	__u32 was = s->was, saw = 0;

	if ((was & (WAS_FRESH | WAS_OVER)) == WAS_FRESH)
		saw |= SAW_CREATED;
	if (was & WAS_OVER)
		saw |= SAW_FREED;
	return was & WAS_FELL ? saw | SAW_FELL : saw;
}

/* After the lock: frees what is over, counts. */
HOOK_FN void step_settle(struct hook *h, struct scratch *s, const struct table *t)
{
	__u32 was = AGAIN(s->was);

	s->record_slot = s->place.slot;
	hook_saw_record(h, s, t, s->place.slot, step_image(s), step_saw(s));
	if (was & WAS_OVER)
		COLD_CALL(flow_release, h, s);
	if (!(was & (WAS_FRESH | WAS_OVER)))
		return;
	if ((was & (WAS_FRESH | WAS_FOREIGN)) == WAS_FRESH)
		hook_count(h, t->stats + TABLE_STAT_EXPIRED, 1, 0);
	if (!(was & WAS_OVER))
		hook_count(h, t->stats + TABLE_STAT_CREATED, 1, 0);
	else if (!(was & WAS_FRESH))
		hook_count(h, t->stats + TABLE_STAT_FREED, 1, 0);
}

/* Where a full table says `continue`, the rule's action runs, its `notify` too; nothing else has happened. */
HOOK_FN enum outcome step_full(struct scratch *s, const struct table *t, const struct rule *r)
{
	s->n_notes = 0;
	switch (t->when_full) {
	case FULL_CONTINUE:
		if (AGAIN(r->flags) & RULE_NOTIFY)
			note_add(s, EVENT_STATE, 0, image_head(step_image(s))->state, s->rule);
		return OUT_RULE;
	case FULL_PASS: return (enum outcome)EXIT_TABLE_FULL_PASS;
	}
	return (enum outcome)EXIT_TABLE_FULL;
}

HOOK_FN enum outcome step_create(struct hook *h, struct scratch *s, const struct table *t, const struct rule *r)
{
	switch (COLD_CALL(flow_create, h, s)) {
	case CREATE_DONE: hook_saw_record(h, s, t, s->record_slot, step_image(s), SAW_CREATED); return OUT_RULE;
	case CREATE_AGAIN: break;
	case CREATE_FULL:
		if (flow_make_room(h, s, t))
			break;
		return step_full(s, t, r);
	default: return (enum outcome)EXIT_INTERNAL;
	}
	vars_restore(s, t);
	return OUT_AGAIN;
}

/* Applies the rule where there is no record: to the image only, or to one that becomes a record. */
HOOK_FN enum outcome step_finish_image(struct hook *h, struct scratch *s, const struct table *t, const struct rule *r)
{
	bool create = rule_writes(r) && !rule_ends_flow(r) && (t->flags & TABLE_STATEFUL);

	if (create)
		vars_save(s, t);
	step_apply(h, s, t, r);
	return create ? step_create(h, s, t, r) : OUT_RULE;
}

/* True if the update record must be visited. */
HOOK_FN bool step_has_second(const struct scratch *s, const struct table *t, const struct rule *r)
{
	if ((s->cells[CELL_PRESENT] & t->update_needs) != t->update_needs)
		return false;
	return r->n_do || rule_writes(r) || !(r->flags & RULE_NO_REFRESH) || r->flags & RULE_NOTIFY;
}

/* ---- the step ---------------------------------------------------------------------------------------------------- */

/* Brings the copy of a looked-up flow to the present.  A function of its own, so that what follows is entered in one
 * way only: the verifier walks the search for a rule once for each. */
COLD_FN(step_fall_copy)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);

	if (!t)
		return EXIT_NO_TABLE;
	step_fall(s, t);
	return OUT_RULE;
}

/* All that holds no lock: tables of rules only, flows that do not exist, and the first phase of two.  A function of its
 * own, so that the verifier walks the search for a rule twice, here and under the lock, and not once for each way of
 * having no lock.  Returns an outcome. */
COLD_FN(step_unlocked)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);

	if (!t)
		return EXIT_NO_TABLE;
	if (step_role(s, t) != ROLE_APPLY)
		step_decide(h, s, t, image_head(step_image(s))->state, s->place.slot);
	if (step_role(s, t) == ROLE_DECIDE)
		WITH_RULE(s, t, r, return step_has_second(s, t, r) ? OUT_PHASE : OUT_RULE)
	step_put_off(s, t);
	if (AGAIN(s->claim.want))
		return OUT_CLAIM;
	WITH_RULE(s, t, r, return step_finish_image(h, s, t, r))
}

/* The flow is locked, and this run writes it. */
HOOK_FN enum outcome step_locked(struct hook *h, struct scratch *s, const struct table *t, struct flow *flow)
{
	step_fall(s, t);
	if (step_role(s, t) != ROLE_APPLY)
		step_decide(h, s, t, image_head(step_image(s))->state, s->place.slot);
	step_put_off(s, t);
	WITH_RULE(s, t, r, step_apply(h, s, t, r); step_write(s, t, r, flow))
	step_settle(h, s, t);
	return AGAIN(s->claim.want) ? OUT_CLAIM : OUT_RULE;
}

/* A table of rules only: always in its first state. */
HOOK_FN void step_without_flow(struct scratch *s)
{
	s->was = WAS_FRESH;
	s->place.slot = 0;
	image_head(step_image(s))->state = 0;
}

/* One run of a table.  A stateful one has its key in the image.  OUT_RULE leaves the rule's number in s->rule. */
HOOK_FN enum outcome xfsm_step(struct hook *h, struct scratch *s, const struct table *t)
{
	enum outcome out;
	struct flow flow;

	if (!(t->flags & TABLE_STATEFUL)) {
		step_without_flow(s);
		return COLD_CALL(step_unlocked, h, s);
	}
	flow_forget(&flow);
	out = step_find(h, s, t, &flow);
	if (out != OUT_RULE)
		return out;
	if (flow.line[0] && step_role(s, t) != ROLE_DECIDE)
		return step_locked(h, s, t, &flow);
	if (flow.line[0]) {
		hook_unlock(flow.lock);
		COLD_CALL(step_fall_copy, h, s);
	}
	return COLD_CALL(step_unlocked, h, s);
}

#endif
