/* SPDX-License-Identifier: GPL-2.0-or-later */
/* learn - INTERP_LEARN: a rule's writes to the records of other tables.
 *
 * A program of its own, for the verifier's budget.  The table program comes here
 *   - to claim, when it has decided on a rule that allocates: it holds no lock, and is run again afterwards with what
 *     was claimed; if it then decides otherwise, it comes here once more to give it back;
 *   - behind a rule that learns, or whose flow let a claimed record go: then the rule's actions follow from here.
 *
 * What is written has its image in cells of its own (CELL_LEARN), so the rule's actions still find theirs. */
#ifndef MEALY_LEARN_H
#define MEALY_LEARN_H

#include "switch.h"

enum {
	LEARN_TRIES = 8,
	/* Tail calls that a packet keeps for itself when it claims, so that it can give back. */
	CLAIM_TAILS = RESTARTS_MAX + 4,
};

/* How an attempt ended; the last three are for learn_help(). */
enum learned { LEARN_DONE, LEARN_AGAIN, LEARN_TAKEN, LEARN_FAILED, LEARN_DUE, LEARN_ENDS, LEARN_ROOM };

/* ---- the record to be written -------------------------------------------------------------------------- */

/* What the scratch's rule of table s->claim.from is to write. */
HOOK_FN const struct learn *learn_of(struct hook *h, const struct scratch *s)
{
	const struct table *t = map_other_table(h, TABLE_INDEX(s->slot, s->hook, s->claim.from));

	return t ? &t->learns[s->claim.learn & (LEARNS_MAX - 1)] : NULL;
}

/* Operations that the key and the values need. */
HOOK_FN void learn_ops(struct hook *h, struct scratch *s, const struct table *t, const struct learn *l)
{
	op_run_list(s->cells, t, l->first_op, &l->n_ops, OPS_DO_MAX);
}

HOOK_FN void learn_key(struct scratch *s, const struct learn *l)
{
	key_make(s->cells, l->part, &l->n_parts, &s->cells[CELL_LEARN + FLOW_HEAD_WORDS]);
}

HOOK_FN void learn_registers(struct scratch *s, const struct table *to, const struct learn *l)
{
	__u64 *image = &s->cells[CELL_LEARN];
	__u32 first = image_registers(to);

	LOOP
	for (__u32 i = 0; i < LEARN_SETS_MAX; i++) {
		if (i >= AGAIN(l->n_sets))
			break;
		image[(first + l->set[i].word) & (EVENT_WORDS_MAX - 1)] = s->cells[l->set[i].cell];
	}
}

/* State, registers and times of the image. */
HOOK_FN void learn_state(struct scratch *s, const struct table *to, const struct learn *l)
{
	struct flow_head *head = image_head(&s->cells[CELL_LEARN]);

	if (head->last_used_ns < s->cells[CELL_NOW])
		head->last_used_ns = s->cells[CELL_NOW];
	learn_registers(s, to, l);
	time_enter(to, head, l->state, head->last_used_ns);
	time_set_deadline(to, head);
}

HOOK_FN enum learned learn_create(struct hook *h, struct scratch *s, const struct table *to, const struct learn *l)
{
	__u64 *image = &s->cells[CELL_LEARN];
	__u32 record_slot = s->record_slot;
	enum learned ret = LEARN_FAILED;

	image_clear(to, image);
	if (l->flags & LEARN_CLAIM)
		image[AGAIN(to->claim_word) & (EVENT_WORDS_MAX - 1)] = 1;
	learn_state(s, to, l);
	switch (COLD_CALL(flow_create, h, s)) {
	case CREATE_DONE:
		s->cells[CELL_CLAIM] = s->record_slot;
		ret = LEARN_DONE;
		break;
	case CREATE_AGAIN: ret = LEARN_AGAIN; break;
	case CREATE_FULL: ret = LEARN_ROOM; break;
	}
	s->record_slot = record_slot;
	return ret;
}

/* ---- learn ------------------------------------------------------------------------------------------------ */

/* Timeouts of the record that the packet has not made up for.  Of many it makes up for a share, as a packet of the
 * record's own table does; then the record is changed where they brought it. */
HOOK_FN bool learn_is_due(struct scratch *s, const struct table *to)
{
	__u32 share = AGAIN(to->flags) & TABLE_UPDATES ? CATCH_UPS_MAX : 1;

	return image_head(&s->cells[CELL_LEARN])->deadline_ns - 1 < s->cells[CELL_NOW] && AGAIN(s->catch_ups) < share;
}

/* The record exists. */
HOOK_FN enum learned learn_change(struct hook *h, struct scratch *s, const struct table *to, const struct learn *l,
				  struct flow *flow)
{
	__u64 *image = &s->cells[CELL_LEARN];
	bool mine, alive, due = false;

	flow->lock = map_lock(h, LOCK_OF_SLOT(to->flow_table, s->place.slot));
	if (!flow->lock)
		return LEARN_FAILED;
	hook_lock(flow->lock);
	mine = flow_is_mine(to, &image[FLOW_HEAD_WORDS], &s->place, flow);
	alive = READ(flow_head(flow)->alive);
	if (mine) {
		image_read(to, flow, image);
		due = learn_is_due(s, to);
		if (!due && !(l->flags & LEARN_END)) {
			learn_state(s, to, l);
			image_write(to, image, flow, true);
		}
	}
	hook_unlock(flow->lock);
	if (mine && due)
		return LEARN_DUE;
	if (mine)
		return l->flags & LEARN_END ? LEARN_ENDS : LEARN_DONE;
	if (!alive)
		COLD_CALL(flow_help, h, s);
	return LEARN_AGAIN;
}

/* One attempt at the record whose key is in the image; the scratch's table is the one written. */
COLD_FN(learn_once)
{
	COLD_BEGIN
	const struct table *to = cold_table(h, s);
	const struct learn *l = learn_of(h, s);
	const struct flow_desc *desc;
	struct flow flow;

	if (!to || !l)
		return LEARN_FAILED;
	desc = map_flow_desc(h, to->flow_table);
	if (!desc || !desc->valid)
		return LEARN_FAILED;
	flow_forget(&flow);
	place_of_hash(&s->place, desc, flow_hash(desc->secret, &s->cells[CELL_LEARN + FLOW_HEAD_WORDS], to->key_words));
	if (!flow_find(h, to, &s->cells[CELL_LEARN + FLOW_HEAD_WORDS], &s->place, &flow))
		return l->flags & LEARN_END ? LEARN_DONE : learn_create(h, s, to, l);
	if (l->flags & LEARN_CLAIM)
		return LEARN_TAKEN;
	return learn_change(h, s, to, l, &flow);
}

/* What an attempt left to be done with other flows: lets the one found fall, ends it, or makes room.  Apart from
 * learn_once(), because the calls below are as deep as the stack allows. */
COLD_FN(learn_help)
{
	COLD_BEGIN
	const struct table *to = cold_table(h, s);

	if (!to)
		return LEARN_FAILED;
	if (s->claim.left == LEARN_ROOM)
		return flow_make_room(h, s, to) ? LEARN_AGAIN : LEARN_FAILED;
	s->free.at = s->place;
	s->free.why = s->claim.left == LEARN_DUE ? FREE_DUE : FREE_DELETE;
	s->catch_ups += s->claim.left == LEARN_DUE;
	s->free.change = image_head(&s->cells[CELL_LEARN])->change;
	s->free.now = s->cells[CELL_NOW];
	if (COLD_CALL(flow_free, h, s) == CONTROL_FREED && s->claim.left == LEARN_ENDS)
		return LEARN_DONE;
	return LEARN_AGAIN;
}

HOOK_FN int learn_turn(struct hook *h, struct scratch *s)
{
	int ret = COLD_CALL(learn_once, h, s);

	if (ret < LEARN_DUE)
		return ret;
	s->claim.left = ret;
	return COLD_CALL(learn_help, h, s);
}

/* Makes the image the scratch's: LEARN's functions and those of the flow table work on it. */
HOOK_FN void learn_begin(struct hook *h, struct scratch *s, const struct learn *l, __u32 number)
{
	s->claim.from = s->table;
	s->claim.learn = number;
	s->table = l->table;
	s->base = CELL_LEARN;
	packet_now(h, s);
}

HOOK_FN void learn_finish(struct scratch *s)
{
	s->table = s->claim.from;
	s->base = CELL_LOOKUP;
	s->cells[CELL_ZERO] = 0;
}

HOOK_FN void learn_count(struct hook *h, const struct scratch *s, const struct learn *l)
{
	const struct table *to = map_other_table(h, TABLE_INDEX(s->slot, s->hook, l->table));

	if (to && !(l->flags & LEARN_END))
		hook_count(h, to->stats + TABLE_STAT_LEARNED, 1, 0);
}

/* Element 'number' of the table's learns.  True: it is written. */
HOOK_FN bool learn_write(struct hook *h, struct scratch *s, const struct table *t, __u32 number)
{
	const struct learn *l = &t->learns[number & (LEARNS_MAX - 1)];
	int ret = LEARN_AGAIN;

	learn_ops(h, s, t, l);
	learn_begin(h, s, l, number);
	learn_key(s, l);
	s->catch_ups = 0;
	KEEP_LOOP
	for (__u32 i = 0; i < LEARN_TRIES && ret == LEARN_AGAIN; i++)
		ret = learn_turn(h, s);
	learn_finish(s);
	if (ret != LEARN_DONE)
		return false;
	learn_count(h, s, l);
	return true;
}

/* ---- allocate ---------------------------------------------------------------------------------------------- */

/* The value to try: the one asked for if it lies in the range, then any. */
HOOK_FN __u64 claim_value(struct hook *h, const struct scratch *s, const struct learn *l, __u32 turn)
{
	__u64 first = s->cells[l->first] - l->from;

	if (!turn && (l->flags & LEARN_FIRST) && first < l->n_values)
		return l->from + first;
	return l->from + hook_random(h) % (l->n_values ?: 1);
}

/* The key for one value.  A function apart from the attempt, because the calls below that one are as deep as the stack
 * allows. */
COLD_FN(claim_prepare)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);
	const struct learn *l;

	if (!t)
		return -1;
	l = &t->learns[s->claim.learn & (LEARNS_MAX - 1)];
	learn_ops(h, s, t, l);
	learn_begin(h, s, l, s->claim.learn);
	learn_key(s, l);
	return 0;
}

/* What an operation would make of a global that it does not write yet. */
HOOK_FN void claim_global(struct hook *h, struct scratch *s, const struct op *op)
{
	struct global *global = map_global(h, op->global);
	__u64 is = READ(global->value), value = op->flags & OP_IMM ? op->imm : s->cells[op->b];

	s->claim.global_cell = op->dst;
	s->claim.global_was = s->cells[op->dst];
	switch (op->code) {
	case OP_GLOBAL_ADD: value += is; break;
	case OP_GLOBAL_AND: value &= is; break;
	case OP_GLOBAL_OR: value |= is; break;
	case OP_GLOBAL_MAX: value = is >= value ? is : value; break;
	}
	s->cells[op->dst] = AGAIN(s->global_done) == op->global + 1u ? s->global_value : value;
}

/* The rule's `do` without what follows from the claim, for the key, the values and the value to be tried first, which
 * may read what it makes. */
HOOK_FN void claim_do(struct hook *h, struct scratch *s, const struct table *t, const struct rule *r)
{
	LOOP
	for (__u32 i = 0; i < OPS_DO_MAX; i++) {
		const struct op *op = &t->ops[(r->first_do + i) & (OPS_MAX - 1)];

		if (i + CLAIM_MOVES >= AGAIN(r->n_do))
			break;
		if (op->code >= OP_GLOBAL_FIRST)
			claim_global(h, s, op);
		else
			op_run(s->cells, op);
	}
}

/* The record's image and the cell of a global as they were found: what is decided again, and `else`, see them so. */
HOOK_FN void claim_save(struct scratch *s)
{
	s->claim.global_cell = CELL_ZERO;
	s->claim.global_was = 0;
	KEEP_LOOP
	for (__u32 i = 0; i < EVENT_WORDS_MAX; i++)
		s->claim.image[i] = s->cells[CELL_LOOKUP + i];
}

HOOK_FN void claim_restore(struct scratch *s)
{
	s->cells[s->claim.global_cell] = s->claim.global_was;
	KEEP_LOOP
	for (__u32 i = 0; i < EVENT_WORDS_MAX; i++)
		s->cells[CELL_LOOKUP + i] = s->claim.image[i];
}

/* Tries values until one is free.  The rule's `do` is made first, and undone. */
HOOK_FN bool claim_take(struct hook *h, struct scratch *s, const struct table *t, const struct rule *r)
{
	const struct learn *l = &t->learns[(r->claim - 1) & (LEARNS_MAX - 1)];
	__u32 change = image_head(&s->cells[CELL_LOOKUP])->change;
	int ret = LEARN_AGAIN;

	s->claim.learn = r->claim - 1;
	s->base = CELL_LOOKUP;
	claim_save(s);
	claim_do(h, s, t, r);
	if (COLD_CALL(claim_prepare, h, s)) /* For the value to be tried first. */
		return false;
	learn_finish(s);
	KEEP_LOOP
	for (__u32 i = 0; i < CLAIM_TRIES_MAX; i++) {
		s->cells[l->value] = claim_value(h, s, l, i);
		hook_count(h, t->stats + TABLE_STAT_CLAIM_TRIES, 1, 0);
		if (COLD_CALL(claim_prepare, h, s))
			return false;
		ret = learn_turn(h, s);
		learn_finish(s);
		if (ret == LEARN_DONE || ret == LEARN_FAILED)
			break;
	}
	claim_restore(s);
	if (ret != LEARN_DONE) {
		hook_count(h, t->stats + TABLE_STAT_CLAIM_FAILED, 1, 0);
		return false;
	}
	s->claim.slot = s->cells[CELL_CLAIM];
	s->claim.rule = s->rule + 1;
	s->claim.change = change;
	return true;
}

HOOK_FN void claim_give_back(struct hook *h, struct scratch *s, __u32 slot)
{
	s->claim.release = slot;
	COLD_CALL(claim_release, h, s);
}

/* ---- the program -------------------------------------------------------------------------------------------- */

/* The actions of s->rule, which is counted already. */
HOOK_FN int learn_leave(struct hook *h, struct scratch *s, const struct table *t)
{
	const struct rule *r = step_rule(s, t);

	table_effects(h, s, t, r);
	return table_way_out(h, s, r);
}

HOOK_FN int learn_claim(struct hook *h, struct scratch *s, const struct table *t)
{
	const struct rule *r;

	s->rule = s->claim.want - 1;
	r = step_rule(s, t);
	s->claim.want = 0;
	if (s->claim.slot)
		claim_give_back(h, s, s->claim.slot);
	s->claim.slot = 0;
	if (s->tails > TAILS_MAX - CLAIM_TAILS)
		return switch_fault(h, s, EXIT_BUDGET);
	if (claim_take(h, s, t, r))
		return switch_go(h, s, INTERP_TABLE);
	table_count(h, s, r);
	s->rule = t->learns[(r->claim - 1) & (LEARNS_MAX - 1)].else_rule;
	hook_saw_else(h, s, t, true);
	return learn_leave(h, s, t);
}

HOOK_FN int switch_learn(struct hook *h, struct scratch *s)
{
	const struct table *t = map_table(h, TABLE_INDEX(s->slot & 1, h->id, s->table));
	const struct rule *r;

	if (!t)
		return switch_fault(h, s, EXIT_NO_TABLE);
	if (s->claim.want)
		return learn_claim(h, s, t);
	r = step_rule(s, t);
	if (s->claim.fault) {
		claim_give_back(h, s, s->claim.slot);
		return switch_fault(h, s, (enum exit_reason)s->claim.fault);
	}
	if (s->claim.held && (rule_writes(r) || rule_ends_flow(r)))
		claim_give_back(h, s, s->claim.held);
	if (s->claim.slot && !r->claim)
		claim_give_back(h, s, s->claim.slot);
	s->claim.slot = 0;
	s->claim.held = 0;
	if (r->learn && !learn_write(h, s, t, r->learn - 1)) {
		s->rule = t->learns[(r->learn - 1) & (LEARNS_MAX - 1)].else_rule;
		hook_saw_else(h, s, t, false);
	}
	return learn_leave(h, s, t);
}

#endif
