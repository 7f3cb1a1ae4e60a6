/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is allowed and probably not meant. */
#include "app_check.h"

/* ---- states ---- */

static bool in_states(const struct app_rule *rule, uint64_t states)
{
	return rule->any_state || rule->states & states;
}

/* The states in which a flow can be, as bits. */
static uint64_t entered_states(const struct app_table *t)
{
	uint64_t entered = 1, before;

	do {
		before = entered;
		for (size_t i = 0; i < t->n_rules; i++)
			if (t->rule[i].next >= 0 && in_states(&t->rule[i], entered))
				entered |= 1ULL << t->rule[i].next;
		for (size_t i = 0; i < t->n_states; i++) {
			if (!(entered >> i & 1))
				continue;
			if (t->state[i].idle_ns)
				entered |= 1ULL << t->state[i].idle_to;
			if (t->state[i].hard_ns)
				entered |= 1ULL << t->state[i].hard_to;
		}
	} while (entered != before);
	return entered;
}

/* Does anything lead to 'state', from wherever? */
static bool is_named(const struct app_table *t, unsigned state)
{
	for (size_t i = 0; i < t->n_rules; i++)
		if (t->rule[i].next == (int)state && (t->rule[i].any_state || t->rule[i].states != 1ULL << state))
			return true;
	for (size_t i = 0; i < t->n_states; i++)
		if (i != state && ((t->state[i].idle_ns && t->state[i].idle_to == state) ||
				   (t->state[i].hard_ns && t->state[i].hard_to == state)))
			return true;
	return false;
}

/* With two scopes a rule asks for the state of one flow and changes that of another. */
static bool is_left(const struct app_table *t, unsigned state)
{
	if (t->state[state].idle_ns || t->state[state].hard_ns)
		return true;
	for (size_t i = 0; i < t->n_rules; i++)
		if (t->rule[i].next >= 0 && t->rule[i].next != (int)state &&
		    (t->n_update || in_states(&t->rule[i], 1ULL << state)))
			return true;
	return false;
}

static void warn_states(struct checker *c, const struct app_table *t)
{
	uint64_t entered = entered_states(t);

	if (t->learned || t->claimed)
		return; /* Other tables' rules lead in and out. */

	for (size_t i = 1; i < t->n_states; i++) {
		if (!(entered >> i & 1))
			WARN(c, t->state[i].loc, "state \"%s\" is never entered: %s", t->state[i].name,
			     is_named(t, i) ? "only states that are never entered lead to it"
					    : "no rule and no timeout leads to it");
		else if (!is_left(t, i))
			WARN(c, t->state[i].loc,
			     "state \"%s\" is never left: no rule leads out of it and it has no timeout, so its flows "
			     "stay until evicted or deleted",
			     t->state[i].name);
	}
}

/* A record is in the first state only when a rule writes a register and stays there. */
static bool keeps_first_state(const struct app_table *t)
{
	if (t->learned || t->claimed)
		return true;
	for (size_t i = 0; i < t->n_rules; i++)
		if (t->rule[i].next < 0 && (t->n_update || in_states(&t->rule[i], 1)))
			for (size_t j = 0; j < t->rule[i].do_.n; j++)
				if (t->rule[i].do_.item[j].lhs->ref.kind == REF_REGISTER)
					return true;
	return false;
}

static void warn_timeouts(struct checker *c, const struct app_table *t)
{
	for (size_t i = 0; i < t->n_states; i++) {
		const struct app_state *state = &t->state[i];

		if (state->idle_ns && state->hard_ns && state->idle_ns >= state->hard_ns)
			WARN(c, state->loc,
			     "\"idle\" of state \"%s\" never runs: \"hard\" is not longer and counts from the entry, "
			     "so "
			     "it is always over first",
			     state->name);
	}
	if ((t->state[0].idle_ns || t->state[0].hard_ns) && !keeps_first_state(t))
		WARN(c, t->state[0].loc,
		     "the timeout of state \"%s\" never runs: no flow is kept in the first state, because no rule that "
		     "stays there writes a register",
		     t->state[0].name);
}

static void warn_refresh(struct checker *c, const struct app_table *t)
{
	for (size_t s = 0; s < t->n_states; s++)
		if (t->state[s].idle_ns)
			return;
	for (size_t i = 0; i < t->n_rules; i++)
		if (t->rule[i].no_refresh)
			WARN(c, t->rule[i].loc,
			     "\"refresh: no\" has no effect: no state of table \"%s\" has an idle time", t->name);
}

/* ---- registers and variables ---- */

static void warn_typed(struct checker *c, const struct typed *typed, const char *what)
{
	if (!typed->read && !typed->written)
		WARN(c, typed->loc, "%s \"%s\" is never used", what, typed->name);
	else if (!typed->written)
		WARN(c, typed->loc, "%s \"%s\" is never written, so it is always 0", what, typed->name);
	else if (!typed->read)
		WARN(c, typed->loc, "%s \"%s\" is written and never read by a rule", what, typed->name);
}

/* A global that is only written is for people to read. */
static void warn_declared(struct checker *c)
{
	for (size_t i = 0; i < c->app->n_globals; i++)
		if (!c->app->global[i].read && !c->app->global[i].written)
			WARN(c, c->app->global[i].loc, "global \"%s\" is never used", c->app->global[i].name);
	for (size_t i = 0; i < c->app->n_headers; i++)
		if (!c->app->header[i].read)
			WARN(c, c->app->header[i].loc, "header \"%s\" is never used", c->app->header[i].name);
}

static void mark_key_variables(struct checker *c)
{
	for (size_t t = 0; t < c->app->n_tables; t++)
		for (size_t i = 0; i < c->app->table[t].n_lookup; i++)
			if (c->app->table[t].lookup[i].kind == KEY_VARIABLE)
				c->app->var[c->app->table[t].lookup[i].ref.index].read = true;
}

static void warn_lets(struct checker *c, const struct app_table *t)
{
	for (size_t i = 0; i < t->n_lets; i++)
		if (!t->let[i].used)
			WARN(c, t->let[i].loc,
			     "let \"%s\" is never used: no rule or later let of table \"%s\" names it", t->let[i].name,
			     t->name);
}

static void warn_parameters(struct checker *c)
{
	for (size_t i = 0; i < c->app->n_params; i++)
		if (!c->app->param[i].used)
			WARN(c, c->app->param[i].loc, "parameter \"%s\" is never used: setting it changes nothing",
			     c->app->param[i].name);
}

/* ---- direction, hooks ---- */

static bool expr_reads_direction(const struct app_table *t, const struct expr *e)
{
	if (!e)
		return false;
	if (e->ref.kind == REF_META && e->ref.cell == CELL_DIRECTION)
		return true;
	for (unsigned i = 0; i < e->n_args; i++)
		if (expr_reads_direction(t, e->arg[i]))
			return true;
	return false;
}

static bool reads_direction(const struct app_table *t, struct loc *ret_loc)
{
	for (size_t i = 0; i < t->n_lets; i++)
		if (expr_reads_direction(t, t->let[i].expr)) {
			*ret_loc = t->let[i].loc;
			return true;
		}
	for (size_t i = 0; i < t->n_rules; i++) {
		bool reads = expr_reads_direction(t, t->rule[i].when);

		for (size_t j = 0; j < t->rule[i].n_match; j++)
			reads |= t->rule[i].match[j].ref.kind == REF_META &&
				 t->rule[i].match[j].ref.cell == CELL_DIRECTION;
		for (size_t j = 0; j < t->rule[i].do_.n; j++)
			reads |= expr_reads_direction(t, t->rule[i].do_.item[j].value);
		if (reads) {
			*ret_loc = t->rule[i].loc;
			return true;
		}
	}
	return false;
}

static void warn_direction(struct checker *c)
{
	bool biflow = false;
	struct loc loc;

	for (size_t t = 0; t < c->app->n_tables; t++) {
		const struct app_table *table = &c->app->table[t];

		for (size_t i = 0; i < table->n_lookup; i++)
			biflow |= table->lookup[i].kind >= KEY_BIFLOW_L4;
		if (!biflow && reads_direction(table, &loc))
			WARN(c, loc, "\"direction\" is always 0 here: no key up to this table has a biflow");
	}
}

static void warn_hooks(struct checker *c)
{
	const struct app_table *first = c->app->table;

	for (size_t i = 1; i < c->app->n_tables; i++)
		if (c->app->table[i].hook != first->hook) {
			WARN(c, c->app->table[i].loc,
			     "tables on two hooks: while a change is committed, one packet may meet the old version on "
			     "one and the new on the other");
			return;
		}
}

void app_warn(struct checker *c)
{
	for (size_t i = 0; i < c->app->n_tables; i++) {
		struct app_table *t = &c->app->table[i];

		warn_lets(c, t);
		if (!t->has_entries) {
			app_warn_reach(c, t);
			warn_states(c, t);
			warn_timeouts(c, t);
			warn_refresh(c, t);
		}
		for (size_t r = 0; r < t->n_regs; r++)
			warn_typed(c, &t->reg[r], t->has_entries ? "value" : "register");
	}
	mark_key_variables(c);
	for (size_t i = 0; i < c->app->n_vars; i++)
		warn_typed(c, &c->app->var[i], "variable");
	warn_parameters(c);
	warn_declared(c);
	warn_direction(c);
	warn_hooks(c);
	app_warn_narrowing(c);
}
