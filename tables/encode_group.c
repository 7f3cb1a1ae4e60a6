/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of groups and meters.
 *
 * A member is looked up where its name is known: a chosen one before the lock, one that the record names under it,
 * before the lets, and what an action reads after the lock, by steps.  An absent member makes a rule not match, like an
 * absent field; one that `do` computes cannot be asked before, so the action asks. */
#include <string.h>

#include "encode_int.h"

/* ---- choosing ------------------------------------------------------------------------------- */

uint64_t enc_group_needs(const struct enc *e, unsigned group)
{
	const struct app_group *g = &e->app->group[group];
	uint64_t needs = 0;

	for (size_t i = 0; !g->default_hash && i < g->n_hash; i++)
		needs |= enc_ref_needs(e, &g->hash[i]);
	return needs;
}

struct operand enc_select(struct enc *e, unsigned group)
{
	const struct app_group *g = &e->app->group[group];
	struct operand arg[GROUP_HASH_MAX];
	enum context context = e->context;
	struct op op = {.code = OP_SELECT, .flags = OP_IMM, .imm = e->placement->group[group]};

	if (e->select_cell[group])
		return operand_cell(e->select_cell[group], STAGE_PRE);
	e->context = IN_SHARED;
	for (size_t i = 0; i < g->n_hash; i++)
		arg[i] = enc_ref(e, &g->hash[i]);
	op.a = g->n_hash > 0 ? enc_hash_cell(e, arg, g->n_hash) : CELL_ZERO;
	op.dst = e->select_cell[group] = enc_cells_new(e, 1);
	enc_append(e, &e->pre, op);
	e->context = context;
	return operand_cell(op.dst, STAGE_PRE);
}

/* ---- looking up ----------------------------------------------------------------------------- */

static struct ref base_of(const struct ref *member)
{
	return (struct ref){.kind = member->of, .table = member->table, .index = member->index};
}

static bool same_member(const struct ref *a, const struct ref *b)
{
	return a->of == b->of && a->table == b->table && a->index == b->index && a->group == b->group &&
	       a->word == b->word;
}

static bool is_wide(const struct enc *e, const struct ref *member)
{
	const struct app_group *g = &e->app->group[member->group];

	for (size_t i = 0; i < g->n_values; i++)
		if (g->value[i].word == member->word && member->word < MEMBER_VALUES)
			return g->value[i].type == TYPE_ADDR;
	return false;
}

static uint32_t first_of(const struct enc *e, const struct ref *member, unsigned word)
{
	return MEMBER_INDEX(e->placement->group[member->group], 0, word);
}

static bool is_own_register(const struct enc *e, const struct ref *member)
{
	return member->of == REF_REGISTER || (member->of == REF_TABLE_REGISTER && member->table == e->index);
}

/* Under the lock. */
static void add_load(struct enc *e, uint32_t first, unsigned cell, unsigned dst)
{
	if (e->out->n_members >= MEMBER_LOADS_MAX)
		enc_error(e, "table %s: conditions read more than %d values of members", e->at->name, MEMBER_LOADS_MAX);
	else
		e->out->members[e->out->n_members++] = (struct member_load){first, cell, dst, {}};
}

bool enc_member_cell(const struct enc *e, const struct ref *member, unsigned *ret_cell)
{
	for (unsigned i = 0; i < e->n_members; i++)
		if (same_member(&e->member[i].ref, member)) {
			*ret_cell = e->member[i].cell;
			return true;
		}
	return false;
}

/* As it was when the packet entered the table. */
static struct operand before_rule(struct enc *e, const struct ref *member)
{
	bool own = is_own_register(e, member), wide = is_wide(e, member);
	struct operand x = {.wide = wide, .stage = own ? STAGE_LET : STAGE_PRE};
	const struct ref base = base_of(member);
	enum context context = e->context;
	unsigned cell, id;

	if (enc_member_cell(e, member, &cell)) {
		x.cell = cell;
		return x;
	}
	e->context = IN_SHARED;
	id = enc_ref(e, &base).cell;
	x.cell = enc_cells_new(e, wide ? 2 : 1);
	for (unsigned i = 0; i <= wide; i++) {
		uint32_t first = first_of(e, member, member->word + i);

		if (own)
			add_load(e, first, id, x.cell + i);
		else
			enc_append(e, &e->pre, (struct op){OP_MEMBER, OP_IMM, x.cell + i, id, 0, 0, 0, first});
	}
	if (e->n_members < MEMBERS_KNOWN_MAX)
		e->member[e->n_members++] = (struct member_memo){*member, x.cell};
	e->context = context;
	return x;
}

static bool assigned_in_do(const struct enc *e, const struct ref *member)
{
	if (member->of == REF_VARIABLE)
		return e->var_temp[e->app->var[member->index].word] != 0;
	return is_own_register(e, member) && (e->do_written >> member->index & 1);
}

unsigned enc_chosen_group(const struct stmt *stmt)
{
	const struct expr *value = stmt->value;

	if (stmt->op != EOP_NONE || value->kind != EXPR_CALL || strcmp(value->name, "select") != 0)
		return 0;
	return value->value + 1;
}

/* Of the member that select() gave, which is known before the lock. */
static struct operand of_chosen(struct enc *e, const struct ref *member, unsigned group)
{
	struct operand x = {.wide = is_wide(e, member), .stage = STAGE_PRE};
	unsigned id = enc_select(e, group).cell;

	x.cell = enc_cells_new(e, x.wide ? 2 : 1);
	for (unsigned i = 0; i <= x.wide; i++)
		enc_append(
			e, &e->pre,
			(struct op){OP_MEMBER, OP_IMM, x.cell + i, id, 0, 0, 0, first_of(e, member, member->word + i)});
	return x;
}

static struct operand in_do(struct enc *e, const struct ref *member)
{
	if (member->of != REF_VARIABLE && is_own_register(e, member) && e->do_chose[member->index] == member->group + 1)
		return of_chosen(e, member, member->group);
	if (assigned_in_do(e, member) || (is_own_register(e, member) && e->at->update))
		enc_error(e, "%s: the values of a member that do: chooses are known in action:, not in do:", e->what);
	return before_rule(e, member);
}

/* The packet is for this member: once a rule. */
static void count_member(struct enc *e, unsigned group, unsigned cell)
{
	if (e->counted_cell == cell)
		return;
	e->counted_cell = cell;
	enc_step(e, (struct step){.code = STEP_MEMBER, .cell = cell, .imm = e->placement->group[group]});
	e->stepping = true;
}

static struct operand in_action(struct enc *e, const struct ref *member)
{
	struct operand x = {.wide = is_wide(e, member), .stage = STAGE_RULE};
	const struct ref base = base_of(member);
	unsigned id = enc_ref(e, &base).cell;

	if (member->word == MEMBER_VALID)
		e->stepping = true;
	else
		count_member(e, member->group, id);
	x.cell = enc_rule_cells_new(e, x.wide ? 2 : 1);
	for (unsigned i = 0; i <= x.wide; i++)
		enc_append(
			e, &e->rule,
			(struct op){OP_MEMBER, OP_IMM, x.cell + i, id, 0, 0, 0, first_of(e, member, member->word + i)});
	return x;
}

struct operand enc_member(struct enc *e, const struct ref *member)
{
	switch (e->context) {
	case IN_POST: return in_action(e, member);
	case IN_DO: return in_do(e, member);
	case IN_SHARED:
	case IN_TIMEOUT: break;
	}
	return before_rule(e, member);
}

/* ---- what a rule asks ----------------------------------------------------------------------- */

struct asked {
	struct enc *e;
	const struct app_rule *rule;
	__u8 *cell;
	unsigned n, max;
};

static void ask(struct asked *asked, unsigned cell)
{
	for (unsigned i = 0; i < asked->n; i++)
		if (asked->cell[i] == cell)
			return;
	if (asked->n < asked->max)
		asked->cell[asked->n++] = cell;
	else
		enc_error(asked->e, "%s: names more than %u members", asked->e->what, asked->max);
}

static bool assigns(const struct stmt_list *list, const struct ref *member)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct stmt *stmt = &list->item[i];

		if (stmt->kind == STMT_ASSIGN && stmt->lhs->ref.kind == member->of &&
		    stmt->lhs->ref.index == member->index && member->of != REF_TABLE_REGISTER)
			return true;
	}
	return false;
}

static void ask_chosen(struct asked *asked, unsigned group)
{
	struct enc *e = asked->e;
	struct operand member = enc_select(e, group);
	struct op op = {.code = OP_MEMBER, .flags = OP_IMM, .a = member.cell};

	if (!e->chosen_cell[group]) {
		op.dst = e->chosen_cell[group] = enc_cells_new(e, 1);
		op.imm = MEMBER_INDEX(e->placement->group[group], 0, MEMBER_VALID);
		enc_append(e, &e->pre, op);
	}
	ask(asked, e->chosen_cell[group]);
}

static void ask_expr(struct asked *asked, const struct expr *expr)
{
	struct ref ref;

	if (!expr || expr->constant || (expr->kind == EXPR_CALL && strcmp(expr->name, "has") == 0))
		return;
	if (expr->kind == EXPR_CALL && strcmp(expr->name, "select") == 0) {
		ask_chosen(asked, expr->value);
		return;
	}
	if (expr->kind == EXPR_NAME && expr->ref.kind == REF_LET)
		ask_expr(asked, asked->e->at->let[expr->ref.index].expr);
	if (expr->kind == EXPR_NAME && expr->ref.kind == REF_MEMBER && !assigns(&asked->rule->do_, &expr->ref) &&
	    !assigns(&asked->rule->action, &expr->ref)) {
		ref = expr->ref;
		ref.word = MEMBER_VALID;
		ask(asked, before_rule(asked->e, &ref).cell);
	}
	for (unsigned i = 0; i < expr->n_args; i++)
		ask_expr(asked, expr->arg[i]);
}

static void ask_steps(struct asked *asked, const struct stmt_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct stmt *stmt = &list->item[i];

		ask_expr(asked, stmt->value);
		if (stmt->kind == STMT_VERDICT && stmt->verdict == VERDICT_GROUP &&
		    asked->e->app->group[stmt->target].type != GROUP_ALL)
			ask_chosen(asked, stmt->target);
	}
}

static void ask_learn(struct asked *asked, const struct app_learn *learn)
{
	if (!learn)
		return;
	ask_expr(asked, learn->first);
	for (size_t i = 0; i < learn->n_key; i++)
		ask_expr(asked, learn->key[i]);
	for (size_t i = 0; i < learn->n_sets; i++)
		ask_expr(asked, learn->set[i].value);
	ask_steps(asked, &learn->otherwise);
}

unsigned enc_rule_members(struct enc *e, const struct app_rule *rule, __u8 *ret_cell, unsigned max)
{
	struct asked asked = {.e = e, .rule = rule, .cell = ret_cell, .max = max};

	ask_expr(&asked, rule->when);
	ask_learn(&asked, rule->learn);
	ask_learn(&asked, rule->allocate);
	ask_steps(&asked, &rule->do_);
	ask_steps(&asked, &rule->action);
	return asked.n;
}

/* ---- group() -------------------------------------------------------------------------------- */

void enc_group_verdict(struct enc *e, struct rule *rule, unsigned group)
{
	struct operand member;

	if (e->app->group[group].type == GROUP_ALL) {
		if (e->place->hook == HOOK_XDP)
			enc_error(e, "%s: group(%s) sends copies, which XDP cannot; put table %s on tc-ingress",
				  e->what, e->app->group[group].name, e->at->name);
		rule->verdict = VERDICT_GROUP;
		rule->target = e->placement->group[group];
		enc_step(e, (struct step){.code = STEP_NONE});
		return;
	}
	member = enc_select(e, group);
	count_member(e, group, member.cell);
	rule->verdict = VERDICT_OUTPUT;
	rule->arg = enc_rule_cells_new(e, 1);
	enc_append(e, &e->rule,
		   (struct op){OP_MEMBER, OP_IMM, rule->arg, member.cell, 0, 0, 0,
			       MEMBER_INDEX(e->placement->group[group], 0, MEMBER_PORT)});
}

/* ---- meters --------------------------------------------------------------------------------- */

/* Element of table.meters with these rates. */
static unsigned meter_element(struct enc *e, const struct meter_rates *rates)
{
	for (unsigned i = 0; i < e->n_meters; i++)
		if (memcmp(&e->out->meters[i], rates, sizeof(*rates)) == 0)
			return i;
	if (e->n_meters >= TABLE_METERS_MAX) {
		enc_error(e, "table %s charges more than %d meters", e->at->name, TABLE_METERS_MAX);
		return 0;
	}
	e->out->meters[e->n_meters] = *rates;
	return e->n_meters++;
}

static unsigned own_meter(struct enc *e, const struct expr *call)
{
	const struct app_meter *meter = &e->at->meter[call->value];

	e->rule_out->meter = meter_element(e, &meter->rates) + 1;
	e->rule_out->meter_cell = (e->at->update ? CELL_UPDATE : CELL_LOOKUP) + e->layout.reg[meter->reg].word;
	return e->rule_out->colour = enc_rule_cells_new(e, 1);
}

static unsigned shared_meter(struct enc *e, const struct expr *call)
{
	unsigned cell = enc_rule_cells_new(e, 1);

	enc_step(e, (struct step){.code = STEP_METER,
				  .cell = cell,
				  .base = meter_element(e, &e->app->meter[call->value].rates),
				  .imm = e->placement->meter[call->value]});
	e->stepping = true;
	return cell;
}

struct operand enc_meter(struct enc *e, const struct expr *call)
{
	bool own = call->arg[0]->ref.kind == REF_REGISTER;

	e->reads_time = true;
	return operand_cell(own ? own_meter(e, call) : shared_meter(e, call), STAGE_RULE);
}
