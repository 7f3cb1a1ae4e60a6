/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch - the bodies of the programs of a hook: root, entry, table, action.  See hook.h for how
 * they go on to each other.
 *
 * Every way out counts one exit of (hook, port, reason). */
#ifndef MEALY_SWITCH_H
#define MEALY_SWITCH_H

#include "hook.h"
#include "pkt_load.h"
#include "pkt_parse.h"
#include "pkt_rewrite.h"
#include "pkt_segments.h"
#include "xfsm_pre.h"
#include "xfsm_step.h"

/* The kernel allows 33 tail calls; the root took one. */
enum { TAILS_MAX = 32 };

/* ---- ways out -------------------------------------------------------------------------------------- */

HOOK_FN void exit_count(struct hook *h, const struct scratch *s, enum exit_reason reason)
{
	hook_count(h, COUNTER_EXIT(h->id, s->port, reason), s->cells[CELL_FRAMES], s->cells[CELL_LENGTH]);
}

#ifdef MEALY_SPECIALISED
/* Around constant tables every rule has ways out of its own; what they share is a function. */
static __attribute__((noinline)) void exit_shared(const struct scratch *s, enum hook_id id, enum exit_reason reason)
{
	struct hook h = {.id = id};

	exit_count(&h, s, reason);
}
#define exit_count(h, s, reason) exit_shared(s, (h)->id, reason)
#endif

HOOK_FN int switch_exit(struct hook *h, const struct scratch *s, enum exit_reason reason, int verdict)
{
	exit_count(h, s, reason);
	return verdict;
}

HOOK_FN int switch_fault(struct hook *h, const struct scratch *s, enum exit_reason reason)
{
	switch (reason) {
	case EXIT_TABLE_FULL:
	case EXIT_WRITE_FAILED:
	case EXIT_NO_MEMBER:
	case EXIT_PUSH_FAILED: return switch_exit(h, s, reason, hook_drop(h));
	case EXIT_TABLE_FULL_PASS: return switch_exit(h, s, reason, hook_pass(h));
	default: return switch_exit(h, s, reason, hook_fault(h));
	}
}

HOOK_FN int switch_go(struct hook *h, struct scratch *s, enum interp_prog prog)
{
	int ret;

	if (s->tails >= TAILS_MAX)
		return switch_fault(h, s, EXIT_BUDGET);
	s->tails++;
	ret = hook_tail(h, prog);
	return ret == TAIL_FAILED ? switch_fault(h, s, EXIT_NO_PROGRAM) : ret;
}

/* The packet comes to a table. */
HOOK_FN void table_enter(struct scratch *s, __u32 table)
{
	s->table = table & TARGET_TABLE;
	s->phase = 0;
	s->again = 0;
	s->keyed = 0;
	s->claim.want = 0;
	s->claim.slot = 0;
	s->claim.held = 0;
	s->claim.fault = 0;
	s->global_done = 0;
	s->step = 0;
}

#ifdef MEALY_SPECIALISED
HOOK_FN int switch_go_table(struct hook *h, struct scratch *s, __u32 table)
{
	int ret;

	table_enter(s, table);
	if (s->tails >= TAILS_MAX)
		return switch_fault(h, s, EXIT_BUDGET);
	s->tails++;
	ret = hook_tail_table(h, table);
	return ret == TAIL_FAILED ? switch_fault(h, s, EXIT_NO_PROGRAM) : ret;
}
#else
HOOK_FN int switch_go_table(struct hook *h, struct scratch *s, __u32 table)
{
	table_enter(s, table);
	return switch_go(h, s, table & TARGET_MATCH ? INTERP_MATCH : INTERP_TABLE);
}
#endif

/* ---- verdicts ------------------------------------------------------------------------------------------ */

/* First table of the application after this one, or CHAIN_END. */
#ifdef MEALY_SPECIALISED
HOOK_FN __u32 verdict_next_app(struct hook *h, const struct scratch *s)
{
	return specialised_next(s->port, specialised_table.app + 1);
}
#else
HOOK_FN __u32 verdict_next_app(struct hook *h, const struct scratch *s)
{
	const struct chain *chain = map_chain(h, CHAIN_INDEX(s->slot & 1, h->id));
	__u32 port = s->port, app = s->app + 1;

	if (!chain || port > PORTS_MAX || app > HOOK_APPS_MAX)
		return CHAIN_END;
	return chain->next_app[port][app];
}
#endif

HOOK_FN int verdict_pass(struct hook *h, struct scratch *s)
{
	__u32 next = verdict_next_app(h, s);

	if (next == CHAIN_END)
		return switch_exit(h, s, EXIT_PASS, hook_pass(h));
	return switch_go_table(h, s, next);
}

HOOK_FN int verdict_goto(struct hook *h, struct scratch *s, const struct rule *r)
{
	__u32 target = r->target & TARGET_TABLE;

	if (target <= s->table || target >= HOOK_TABLES_MAX)
		return switch_fault(h, s, EXIT_INTERNAL);
	return switch_go_table(h, s, r->target);
}

HOOK_FN int verdict_output(struct hook *h, const struct scratch *s, const struct rule *r)
{
	enum exit_reason reason = EXIT_NO_PORT;
	__u64 port = s->cells[r->arg];
	int verdict;

	if (port > PORTS_MAX)
		port = 0;
	verdict = hook_output(h, port, &reason);
	if (reason == EXIT_OUTPUT)
		hook_count(h, COUNTER_TX + port, s->cells[CELL_FRAMES], s->cells[CELL_LENGTH]);
	return switch_exit(h, s, reason, verdict);
}

/* The scratch is not looked at after the flood. */
HOOK_FN int verdict_flood(struct hook *h, const struct scratch *s)
{
	__u64 frames = s->cells[CELL_FRAMES], length = s->cells[CELL_LENGTH];
	enum exit_reason reason = EXIT_FLOOD;
	__u32 port = s->port;
	int verdict = hook_flood(h, port, &reason);

	hook_count(h, COUNTER_EXIT(h->id, port, reason), frames, length);
	return verdict;
}

HOOK_FN int verdict_reflect(struct hook *h, const struct scratch *s)
{
	enum exit_reason reason = EXIT_REFLECT;
	int verdict = hook_reflect(h, &reason);

	return switch_exit(h, s, reason, verdict);
}

HOOK_FN int verdict_apply(struct hook *h, struct scratch *s, const struct rule *r)
{
	switch (r->verdict) {
	case VERDICT_PASS: return verdict_pass(h, s);
	case VERDICT_DELIVER: return switch_exit(h, s, EXIT_DELIVER, hook_deliver(h));
	case VERDICT_DROP: return switch_exit(h, s, EXIT_DROP, hook_drop(h));
	case VERDICT_OUTPUT: return verdict_output(h, s, r);
	case VERDICT_FLOOD: return verdict_flood(h, s);
	case VERDICT_REFLECT: return verdict_reflect(h, s);
	case VERDICT_GOTO: return verdict_goto(h, s, r);
	}
	return switch_fault(h, s, EXIT_INTERNAL);
}

/* ---- entry ------------------------------------------------------------------------------------------------ */

HOOK_FN __u32 entry_port(__u32 port)
{
	if (port > PORTS_MAX)
		port = 0;
	/* Or the test is made on a copy, of which the verifier of 6.1 knows no relation to 'port'. */
	OPAQUE(port);
	return port;
}

/* All that a packet knows before its headers. */
HOOK_FN void entry_metadata(struct hook *h, struct scratch *s)
{
	__u32 in_port = h->id == HOOK_TC_EGRESS ? entry_port(hook_in_port(h)) : s->port;
	__u32 out_port = h->id == HOOK_TC_EGRESS ? s->port : 0;
	__u64 present = 0;

	if (in_port)
		present |= 1ull << PRESENT_IN_PORT;
	if (out_port)
		present |= 1ull << PRESENT_OUT_PORT;
	s->cells[CELL_NOW] = 0;
	s->cells[CELL_IN_PORT] = in_port;
	s->cells[CELL_OUT_PORT] = out_port;
	s->cells[CELL_HOOK] = h->id;
	s->cells[CELL_PRESENT] = present;
	s->cells[CELL_DIRECTION] = 0;
	s->cells[CELL_STATE] = 0;
}

/* What is counted with every exit. */
HOOK_FN void entry_begin(struct hook *h, struct scratch *s)
{
	s->hook = h->id;
	s->port = entry_port(hook_port(h));
	s->tails = 0;
	s->restarts = 0;
	s->catch_ups = 0;
	s->record_slot = 0;
	s->n_notes = 0;
	s->cells[CELL_LENGTH] = hook_length(h);
	s->cells[CELL_FRAMES] = hook_frames(h);
}

HOOK_FN int entry_unparsed(struct hook *h, const struct scratch *s, __u32 verdict, enum exit_reason reason)
{
	return switch_exit(h, s, reason, verdict == VERDICT_DROP ? hook_drop(h) : hook_pass(h));
}

#ifndef MEALY_SPECIALISED
/* The first program of a version; 's->slot' says which. */
HOOK_FN int switch_entry(struct hook *h, struct scratch *s)
{
	const struct chain *chain = map_chain(h, CHAIN_INDEX(s->slot & 1, h->id));
	enum exit_reason reason;
	__u32 first;

	entry_begin(h, s);
	if (hook_is_copy(h))
		return switch_exit(h, s, EXIT_COPY, hook_pass(h));
	if (!chain || !chain->valid)
		return switch_exit(h, s, EXIT_NO_APP, hook_pass(h));
	first = chain->next_app[entry_port(s->port)][0];
	if (first == CHAIN_END)
		return switch_exit(h, s, EXIT_NO_APP, hook_pass(h));
	entry_metadata(h, s);
	reason = pkt_parse(h, s);
	if (reason)
		return entry_unparsed(h, s, chain->parse_verdict, reason);
	return switch_go_table(h, s, first);
}
#endif

/* ---- table ---------------------------------------------------------------------------------------------------- */

/* What the tables of an application hand on: zero, and the globals as they are now. */
HOOK_FN void table_variables(struct hook *h, struct scratch *s, const struct table *t)
{
	for (__u32 i = CELL_VAR; i < CELL_META; i++)
		s->cells[i] = 0;
	LOOP
	for (__u32 i = 0; i < APP_GLOBALS_MAX; i++) {
		if (i >= AGAIN(t->n_globals))
			break;
		s->cells[t->globals[i].cell] = READ(map_global(h, t->globals[i].global)->value);
	}
}

/* Variables and fields. */
HOOK_FN void table_prepare(struct hook *h, struct scratch *s, const struct table *t)
{
	s->app = t->app;
	if ((t->flags & (TABLE_FIRST | TABLE_CLEAN)) == TABLE_FIRST)
		table_variables(h, s, t);
	LOOP
	for (__u32 i = 0; i < LOADS_MAX; i++) {
		if (i >= AGAIN(t->n_loads))
			break;
		pkt_load(h, s, &t->loads[i]);
	}
	if (t->flags & TABLE_TIME)
		packet_now(h, s);
}

/* The operations before the lock, for a program that may look at the packet. */
HOOK_FN void table_pre(struct hook *h, struct scratch *s, const struct table *t)
{
	if (t->flags & TABLE_SEGMENTS)
		segments_read(h, s);
	LOOP
	for (__u32 i = 0; i < OPS_PRE_MAX; i++) {
		if (i >= AGAIN(t->n_pre))
			break;
		op_run_pre(h, s, t, &t->ops[(t->first_pre + i) & (OPS_MAX - 1)]);
	}
}

/* The same where none looks at it.  A function of its own: within the table program the verifier would follow the loop
 * in every combination with what comes behind, which was half of all it did. */
COLD_FN(table_pre_pure)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);

	if (!t)
		return -1;
	LOOP
	for (__u32 i = 0; i < OPS_PRE_MAX; i++) {
		if (i >= AGAIN(t->n_pre))
			break;
		op_run_pure(h, s, &t->ops[(t->first_pre + i) & (OPS_MAX - 1)]);
	}
	return 0;
}

HOOK_FN void table_begin(struct hook *h, struct scratch *s, const struct table *t)
{
	table_prepare(h, s, t);
#ifdef MEALY_SPECIALISED
	table_pre(h, s, t);
#else
	if (AGAIN(t->n_pre))
		COLD_CALL(table_pre_pure, h, s);
#endif
}

HOOK_FN enum outcome table_absent(struct hook *h, struct scratch *s, const struct table *t)
{
	s->rule = RULE_ABSENT;
	if (t->rules[RULE_ABSENT].flags & RULE_NOTIFY)
		note_add(s, EVENT_STATE, 0, 0, RULE_ABSENT);
	hook_saw_rule(h, s, t, 0);
	return OUT_RULE;
}

HOOK_FN void table_key(struct scratch *s, const struct table *t)
{
	bool second = step_role(s, t) == ROLE_APPLY;

	s->base = second ? CELL_UPDATE : CELL_LOOKUP;
	key_make(s->cells, second ? t->update : t->lookup, second ? &t->n_update : &t->n_lookup,
		 &step_image(s)[FLOW_HEAD_WORDS]);
}

HOOK_FN enum outcome table_run(struct hook *h, struct scratch *s, const struct table *t)
{
	s->n_notes = 0;
	s->record_slot = 0;
	if (!s->phase) {
		if (!s->again && !s->keyed)
			table_begin(h, s, t);
		if ((s->cells[CELL_PRESENT] & t->key_needs) != t->key_needs)
			return table_absent(h, s, t);
	}
	if (s->keyed && !s->phase)
		s->base = CELL_LOOKUP;
	else
		table_key(s, t);
	return xfsm_step(h, s, t);
}

/* `controller`: a copy of the packet as it came into this table. */
HOOK_FN void punt_packet(struct hook *h, struct scratch *s)
{
	__u64 size = s->cells[CELL_LENGTH];

	if (COLD_CALL(punt_allowed, h, s) != 1)
		return;
	if (size > PUNT_BYTES_MAX)
		size = PUNT_BYTES_MAX;
	OPAQUE(size);
	s->punt_size = 0;
	/* Signed, because the verifier of 6.1 learns nothing from "not 0"; and each test on its own, because merged
	 * they are one of 'size - 1', from which no verifier before 6.18 learns anything of 'size'. */
	if ((__s64)size > 0) {
		OPAQUE(size);
		if (size <= PUNT_BYTES_MAX && !hook_read(h, s->punt, size))
			s->punt_size = size;
	}
	COLD_CALL(punt_send, h, s);
}

/* What the rule does after the record and before its way out. */
HOOK_FN void table_effects(struct hook *h, struct scratch *s, const struct table *t, const struct rule *r)
{
	if (r->flags & RULE_CONTROLLER)
		punt_packet(h, s);
	op_run_list(s->cells, t, r->first_post, &r->n_post, OPS_POST_MAX);
}

HOOK_FN void table_count(struct hook *h, struct scratch *s, const struct rule *r)
{
	hook_count(h, r->counter, s->cells[CELL_FRAMES], s->cells[CELL_LENGTH]);
	if (event_waits(s))
		COLD_CALL(event_notes, h, s);
}

HOOK_FN int table_way_out(struct hook *h, struct scratch *s, const struct rule *r)
{
	if (r->n_steps)
		return switch_go(h, s, INTERP_ACTION);
	return verdict_apply(h, s, r);
}

/* True if INTERP_LEARN must come before the rule's actions. */
HOOK_FN bool table_owes(const struct scratch *s, const struct rule *r)
{
	return AGAIN(r->learn) || AGAIN(s->claim.held) || (AGAIN(s->claim.slot) && !AGAIN(r->claim));
}

#ifdef MEALY_SPECIALISED
/* Rules share what they have in common. */
HOOK_FN int table_finish(struct hook *h, struct scratch *s, const struct table *t)
{
	struct rule all;

	WITH_RULE(s, t, r, all.counter = r->counter; all.learn = table_owes(s, r))
	table_count(h, s, &all);
	if (all.learn)
		return switch_go(h, s, INTERP_LEARN);
	WITH_RULE(s, t, r, table_effects(h, s, t, r); all.n_steps = r->n_steps; all.verdict = r->verdict;
		  all.arg = r->arg; all.target = r->target)
	return table_way_out(h, s, &all);
}
#else
HOOK_FN int table_finish(struct hook *h, struct scratch *s, const struct table *t)
{
	const struct rule *r = step_rule(s, t);

	table_count(h, s, r);
	if (table_owes(s, r))
		return switch_go(h, s, INTERP_LEARN);
	table_effects(h, s, t, r);
	return table_way_out(h, s, r);
}
#endif

/* Leaves by a fault; what was claimed for nothing is given back first. */
HOOK_FN int table_fault(struct hook *h, struct scratch *s, enum exit_reason reason)
{
	if (!AGAIN(s->claim.slot))
		return switch_fault(h, s, reason);
	s->claim.fault = reason;
	return switch_go(h, s, INTERP_LEARN);
}

HOOK_FN bool table_may_restart(struct hook *h, struct scratch *s, const struct table *t)
{
	hook_count(h, t->stats + TABLE_STAT_RESTARTS, 1, 0);
	return s->restarts++ < RESTARTS_MAX;
}

/* The entry that INTERP_MATCH chose went before the table found it; another one may be the best now. */
HOOK_FN bool table_lost_entry(const struct scratch *s, const struct table *t)
{
	return (t->flags & TABLE_MASKED) && AGAIN(s->rule) == RULE_OTHERWISE && s->match_found && !s->cells[CELL_STATE];
}

HOOK_FN int table_leave(struct hook *h, struct scratch *s, const struct table *t, enum outcome out)
{
	switch (out) {
	case OUT_RULE:
		if (!table_lost_entry(s, t))
			return table_finish(h, s, t);
		/* fall through */
	case OUT_AGAIN:
		if (!table_may_restart(h, s, t))
			return table_fault(h, s, EXIT_CONTENTION);
		s->again = 1;
		if (t->flags & TABLE_MASKED)
			return switch_go(h, s, INTERP_MATCH);
		break;
	case OUT_PHASE: s->phase = 1; break;
	case OUT_CLAIM: s->again = 1; return switch_go(h, s, INTERP_LEARN);
	default: return table_fault(h, s, (enum exit_reason)out);
	}
	return switch_go(h, s, INTERP_TABLE);
}

/* One table that is at hand. */
HOOK_FN int switch_run_table(struct hook *h, struct scratch *s, const struct table *t)
{
	return table_leave(h, s, t, table_run(h, s, t));
}

HOOK_FN int switch_table(struct hook *h, struct scratch *s)
{
	const struct table *t = map_table(h, TABLE_INDEX(s->slot & 1, h->id, s->table));

	if (!t || !(t->flags & TABLE_VALID))
		return switch_fault(h, s, EXIT_NO_TABLE);
#ifndef MEALY_SPECIALISED
	if ((t->flags & TABLE_PACKET) && !s->keyed)
		return switch_go(h, s, INTERP_MATCH);
#endif
	return switch_run_table(h, s, t);
}

#ifdef MEALY_SPECIALISED
/* As the interpreter's, with the chain's constants; the table that most packets meet first is part of it. */
HOOK_FN int switch_entry(struct hook *h, struct scratch *s)
{
	enum exit_reason reason;
	__u32 first;

	entry_begin(h, s);
	if (hook_is_copy(h))
		return switch_exit(h, s, EXIT_COPY, hook_pass(h));
	first = specialised_next(s->port, 0);
	if (first == CHAIN_END)
		return switch_exit(h, s, EXIT_NO_APP, hook_pass(h));
	entry_metadata(h, s);
	reason = pkt_parse(h, s);
	if (reason)
		return entry_unparsed(h, s, SPECIALISED_PARSE_VERDICT, reason);
	if (first != SPECIALISED_TABLE)
		return switch_go_table(h, s, first);
	table_enter(s, first);
	s->tails++;
	return switch_table(h, s);
}
#endif

/* A copy that this hook sends comes by, perhaps within what a port made of it: not looked at, because the run that
 * sends it needs its scratch. */
HOOK_FN int switch_nested(struct hook *h)
{
	(void)hook_is_copy(h);
	hook_count(h, COUNTER_EXIT(h->id, entry_port(hook_port(h)), EXIT_COPY), hook_frames(h), hook_length(h));
	return hook_pass(h);
}

/* ---- action ------------------------------------------------------------------------------------------------------ */

#include "pkt_route.h"

HOOK_FN void group_count(struct hook *h, const struct scratch *s, const struct group_desc *desc, __u32 group,
			 __u64 ports)
{
	KEEP_LOOP
	for (__u32 i = 0; i < PORTS_MAX; i++)
		if (ports >> i & 1)
			hook_count(h, COUNTER_MEMBER(group, desc->member[i]), s->cells[CELL_FRAMES],
				   s->cells[CELL_LENGTH]);
}

/* Copies to every member but one at the port that the packet came from.  The scratch is not looked at after them. */
HOOK_FN int verdict_group(struct hook *h, const struct scratch *s, const struct rule *r)
{
	__u32 group = r->target & (GROUPS_MAX - 1), port = s->port;
	const struct group_desc *desc = &map_groups(h)->at[group];
	__u64 ports = READ(desc->all), frames = s->cells[CELL_FRAMES], length = s->cells[CELL_LENGTH];
	enum exit_reason reason = EXIT_GROUP;
	int verdict;

	if (port > 0 && port <= PORTS_MAX)
		ports &= ~(1ull << (port - 1));
	if (!ports)
		return switch_fault(h, s, EXIT_NO_MEMBER);
	group_count(h, s, desc, group, ports);
	verdict = hook_copies(h, ports, port, &reason);
	hook_count(h, COUNTER_EXIT(h->id, port, reason), frames, length);
	return verdict;
}

HOOK_FN int action_run(struct hook *h, struct scratch *s, const struct table *t, const struct rule *r)
{
	enum exit_reason reason = pkt_rewrite(h, s, t, r);

	if (reason == STEP_IS_BIG)
		return switch_go(h, s, INTERP_PACKET);
	if (!reason && r->verdict == VERDICT_ROUTE)
		return verdict_route(h, s);
	if (reason)
		return switch_fault(h, s, reason);
	if (r->verdict == VERDICT_GROUP && h->id != HOOK_XDP)
		return verdict_group(h, s, r);
	return verdict_apply(h, s, r);
}

/* Writes the packet as the rule says, then the verdict. */
HOOK_FN int switch_action(struct hook *h, struct scratch *s)
{
	const struct table *t = map_table(h, TABLE_INDEX(s->slot & 1, h->id, s->table));

	if (!t)
		return switch_fault(h, s, EXIT_NO_TABLE);
	WITH_RULE(s, t, r, return action_run(h, s, t, r))
}

#endif
