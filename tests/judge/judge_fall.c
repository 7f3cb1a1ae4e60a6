/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What time does to flows: deadlines, and what a timeout updates. */
#include "judge_int.h"

/* How many timeouts of one flow a packet replays.  What updates nothing is cut off there by the datapath too; of what
 * does, no more are due. */
enum { FALLS_AT_ONCE = 8 };

/* When and where the flow falls next. */
static uint64_t next_fall(const struct app_table *t, const struct judge_flow *flow, unsigned *ret_to)
{
	const struct app_state *state = &t->state[flow->state];
	uint64_t idle = state->idle_ns ? flow->last_used_ns + state->idle_ns : 0;
	uint64_t hard = state->hard_ns ? flow->hard_ns : 0;

	if (hard && (!idle || hard <= idle)) {
		*ret_to = state->hard_to;
		return hard;
	}
	*ret_to = state->idle_to;
	return idle;
}

void judge_enter(const struct app_table *t, struct judge_flow *flow, unsigned state, uint64_t when)
{
	flow->state = state;
	flow->hard_ns = t->state[state].hard_ns ? when + t->state[state].hard_ns : 0;
}

void judge_tell(struct run *run, enum event_kind kind, unsigned table, unsigned old_state, unsigned new_state,
		unsigned rule)
{
	if (run && run->result.n_events < JUDGE_EVENTS)
		run->result.event[run->result.n_events++] =
			(struct judge_event){kind, table, old_state, new_state, rule};
}

bool judge_has_updates(const struct app_table *t)
{
	for (size_t s = 0; s < t->n_states; s++)
		for (size_t i = 0; i < t->state[s].on_timeout.n; i++)
			if (t->state[s].on_timeout.item[i].kind == STMT_ASSIGN)
				return true;
	return false;
}

/* What the state does when it is left at 'when', whose deadline it was. */
static void run_on_timeout(struct judge *j, unsigned table, struct judge_flow *flow, uint64_t when)
{
	const struct app_table *t = &j->app->table[table];
	const struct stmt_list *list = &t->state[flow->state].on_timeout;
	struct visit v = {.table = table, .app = t, .global = j->global, .now_ns = when};

	for (size_t i = 0; i < list->n; i++) {
		const struct stmt *stmt = &list->item[i];
		const struct ref *to = stmt->kind == STMT_ASSIGN ? &stmt->lhs->ref : NULL;

		v.looked_up = *flow;
		if (to && to->kind == REF_GLOBAL)
			j->global[to->index] = judge_assigned_global(&v, stmt, j->global[to->index]);
		else if (to)
			flow->reg[to->index] = judge_assigned(&v, stmt);
	}
}

bool judge_fall(struct judge *j, struct run *run, unsigned table, struct judge_flow *flow, uint64_t now)
{
	const struct app_table *t = &j->app->table[table];

	for (unsigned i = 0; i < FALLS_AT_ONCE; i++) {
		unsigned to;
		uint64_t when = next_fall(t, flow, &to);

		if (!when || when > now)
			return false;
		run_on_timeout(j, table, flow, when);
		if (t->state[flow->state].notify)
			judge_tell(run, EVENT_TIMEOUT, table, flow->state, to, RULES_ROOM);
		judge_enter(t, flow, to, when);
		flow->last_used_ns = when;
		if (to == 0)
			return true;
	}
	return false;
}

bool judge_flow_now(const struct judge *j, unsigned table, const struct judge_flow *flow, uint64_t now_ns,
		    struct judge_flow *ret_flow)
{
	struct judge copy = *j; /* Whose globals change instead. */

	*ret_flow = *flow;
	return !judge_fall(&copy, NULL, table, ret_flow, now_ns);
}
