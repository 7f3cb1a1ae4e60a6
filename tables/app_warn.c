/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is allowed and probably not meant. */
#include "app_check.h"

/* ---- what must be present in a packet for a rule to match ---- */

struct needs {
	uint64_t headers; /* Bits of enum present. */
	uint64_t tables;  /* Earlier tables that must have had a record. */
};

static void need_ref(struct needs *needs, const struct ref *ref)
{
	if (ref->kind == REF_FIELD)
		needs->headers |= ref->field->needs;
	if (ref->kind == REF_TABLE_REGISTER)
		needs->tables |= 1ULL << ref->table;
}

static void need_expr(const struct app_table *t, struct needs *needs, const struct expr *e)
{
	if (!e || (e->kind == EXPR_CALL && strcmp(e->name, "has") == 0))
		return;
	need_ref(needs, &e->ref);
	if (e->ref.kind == REF_LET)
		need_expr(t, needs, t->let[e->ref.index].expr);
	for (unsigned i = 0; i < e->n_args; i++)
		need_expr(t, needs, e->arg[i]);
}

static void need_steps(const struct app_table *t, struct needs *needs, const struct stmt_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		need_expr(t, needs, list->item[i].lhs);
		need_expr(t, needs, list->item[i].value);
	}
}

/* A header's presence implies that of others. */
static uint64_t implied(uint64_t headers)
{
#define BIT(x) (1ULL << PRESENT_##x)
	if (headers & (BIT(TCP) | BIT(UDP)))
		headers |= BIT(L4);
	if (headers & BIT(ICMP))
		headers |= BIT(IPV4);
	if (headers & (BIT(ICMPV6) | BIT(HOPOPTS) | BIT(ROUTING) | BIT(FRAG6) | BIT(DSTOPTS)))
		headers |= BIT(IPV6);
	if (headers & (BIT(IPV4) | BIT(IPV6) | BIT(L4)))
		headers |= BIT(IP);
	if (headers & BIT(VLAN2))
		headers |= BIT(VLAN);
	return headers | BIT(ETH);
#undef BIT
}

static uint64_t biflow_needs(enum key_kind kind)
{
	if (kind == KEY_BIFLOW_L4)
		return 1ULL << PRESENT_L4 | 1ULL << PRESENT_IP;
	return kind == KEY_BIFLOW_IP ? 1ULL << PRESENT_IP : 0;
}

static struct needs rule_needs(const struct app_table *t, const struct app_rule *rule, bool with_key)
{
	struct needs needs = {};

	for (size_t i = 0; i < rule->n_match; i++)
		need_ref(&needs, &rule->match[i].ref);
	need_expr(t, &needs, rule->when);
	need_steps(t, &needs, &rule->do_);
	need_steps(t, &needs, &rule->action);
	for (size_t i = 0; i < t->n_lookup && with_key; i++) {
		need_ref(&needs, &t->lookup[i].ref);
		needs.headers |= biflow_needs(t->lookup[i].kind);
	}
	needs.headers = with_key ? implied(needs.headers) : needs.headers;
	return needs;
}

/* The update scope must be present too, for rules that write. */
static bool writes_elsewhere(const struct app_table *t, const struct app_rule *rule)
{
	return t->n_update && (rule->do_.n || rule->next >= 0);
}

/* ---- rules never reached ---- */

/* Two ports that only a switch knows both read as 0 here; then their names decide. */
static bool same_match(const struct match *a, const struct match *b)
{
	if (a->type == TYPE_PORT && strcmp(a->text, b->text) != 0 && a->n_alts && !a->alt[0].lo)
		return false;
	return a->negate == b->negate && a->n_alts == b->n_alts && a->ref.kind == b->ref.kind &&
	       a->ref.field == b->ref.field && a->ref.cell == b->ref.cell && a->ref.index == b->ref.index &&
	       memcmp(a->alt, b->alt, a->n_alts * sizeof(*a->alt)) == 0;
}

static bool has_match(const struct app_rule *rule, const struct match *m)
{
	for (size_t i = 0; i < rule->n_match; i++)
		if (same_match(&rule->match[i], m))
			return true;
	return false;
}

/* The same text drawn twice gives two answers. */
static bool draws(const struct app_table *t, const struct expr *e)
{
	if (e->kind == EXPR_CALL && strcmp(e->name, "random") == 0)
		return true;
	if (e->ref.kind == REF_LET)
		return draws(t, t->let[e->ref.index].expr);
	for (unsigned i = 0; i < e->n_args; i++)
		if (draws(t, e->arg[i]))
			return true;
	return false;
}

/* What the comparison of every rule with every other asks, found once. */
struct facts {
	struct needs needs;	     /* Of the rule itself. */
	struct needs needs_with_key; /* And of the table's key. */
	bool draws;
};

/* Does 'first' match every packet that 'later' could? */
static bool covers(const struct app_table *t, const struct facts *facts, size_t i, size_t j)
{
	const struct app_rule *first = &t->rule[i], *later = &t->rule[j];
	const struct needs *a = &facts[i].needs, *b = &facts[j].needs_with_key;

	if (!first->any_state && (later->any_state || later->states & ~first->states))
		return false;
	if (first->when && (!later->when || strcmp(first->when_text, later->when_text) != 0 || facts[i].draws))
		return false;
	for (size_t m = 0; m < first->n_match; m++)
		if (!has_match(later, &first->match[m]))
			return false;
	if (writes_elsewhere(t, first) && !writes_elsewhere(t, later))
		return false;
	return !(a->headers & ~b->headers) && !(a->tables & ~b->tables);
}

static struct facts *find_facts(struct checker *c, const struct app_table *t)
{
	struct facts *facts = arena_alloc_array(c->arena, t->n_rules + 1, sizeof(*facts));

	for (size_t i = 0; i < t->n_rules; i++) {
		facts[i].needs = rule_needs(t, &t->rule[i], false);
		facts[i].needs_with_key = rule_needs(t, &t->rule[i], true);
		facts[i].draws = t->rule[i].when && draws(t, t->rule[i].when);
	}
	return facts;
}

static void warn_unreachable(struct checker *c, const struct app_table *t)
{
	const struct facts *facts = find_facts(c, t);

	for (size_t j = 1; j < t->n_rules; j++)
		for (size_t i = 0; i < j; i++)
			if (covers(t, facts, i, j)) {
				WARN(c, t->rule[j].loc,
				     "this rule is never reached: the one on line %u already matches all of its "
				     "packets",
				     t->rule[i].loc.line);
				break;
			}
}

/* ---- states ---- */

static bool is_entered(const struct app_table *t, unsigned state)
{
	for (size_t i = 0; i < t->n_rules; i++)
		if (t->rule[i].next == (int)state)
			return true;
	for (size_t i = 0; i < t->n_states; i++)
		if ((t->state[i].idle_ns && t->state[i].idle_to == state && i != state) ||
		    (t->state[i].hard_ns && t->state[i].hard_to == state && i != state))
			return true;
	return false;
}

static bool is_left(const struct app_table *t, unsigned state)
{
	if (t->state[state].idle_ns || t->state[state].hard_ns)
		return true;
	for (size_t i = 0; i < t->n_rules; i++)
		if (t->rule[i].next >= 0 && t->rule[i].next != (int)state &&
		    (t->rule[i].any_state || t->rule[i].states >> state & 1))
			return true;
	return false;
}

static void warn_states(struct checker *c, const struct app_table *t)
{
	for (size_t i = 1; i < t->n_states; i++) {
		if (!is_entered(t, i))
			WARN(c, t->state[i].loc, "state \"%s\" is never entered", t->state[i].name);
		else if (!is_left(t, i))
			WARN(c, t->state[i].loc, "state \"%s\" is never left: its flows stay until evicted or deleted",
			     t->state[i].name);
	}
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

static void mark_key_variables(struct checker *c)
{
	for (size_t t = 0; t < c->app->n_tables; t++)
		for (size_t i = 0; i < c->app->table[t].n_lookup; i++)
			if (c->app->table[t].lookup[i].kind == KEY_VARIABLE)
				c->app->var[c->app->table[t].lookup[i].ref.index].read = true;
}

/* ---- the whole ---- */

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

		warn_unreachable(c, t);
		warn_states(c, t);
		warn_refresh(c, t);
		for (size_t r = 0; r < t->n_regs; r++)
			warn_typed(c, &t->reg[r], "register");
	}
	mark_key_variables(c);
	for (size_t i = 0; i < c->app->n_vars; i++)
		warn_typed(c, &c->app->var[i], "variable");
	warn_direction(c);
	warn_hooks(c);
	app_warn_narrowing(c);
}
