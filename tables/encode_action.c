/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `do` and `action` of one rule -> operations, steps, verdict.
 *
 * `do` runs under the flow's lock and may run twice, when a flow is begun again; so it writes only the
 * record's image, and packet variables get their new values by post operations, once. */
#include <string.h>

#include "../common/cleanup.h"
#include "encode_int.h"

/* ---- presence ------------------------------------------------------------------------------- */

uint64_t enc_action_needs(const struct enc *e, const struct stmt_list *do_, const struct stmt_list *action)
{
	uint64_t needs = 0, there = 0;

	for (size_t i = 0; do_ && i < do_->n; i++)
		needs |= enc_needs(e, do_->item[i].value);
	for (size_t i = 0; i < action->n; i++) {
		const struct stmt *stmt = &action->item[i];

		/* `+=` reads the packet as it came. */
		if (stmt->kind == STMT_ASSIGN && stmt->lhs->ref.kind == REF_FIELD && stmt->op != EOP_NONE)
			needs |= enc_ref_needs(e, &stmt->lhs->ref);
		if (stmt->kind == STMT_VERDICT && stmt->verdict == VERDICT_GROUP)
			needs |= enc_group_needs(e, stmt->target);
		needs |= enc_needs(e, stmt->value) | stmt_asks(stmt, there);
		there = stmt_leaves(stmt, there);
	}
	return needs;
}

/* ---- placing operations --------------------------------------------------------------------- */

/* Appends the rule's list to the table, or finds the same sequence there.  Returns its first index. */
static unsigned place_ops(struct enc *e, const struct op_list *list)
{
	size_t size = list->n * sizeof(list->item[0]);
	unsigned at;

	for (at = 0; at + list->n <= e->n_ops; at++)
		if (memcmp(&e->out->ops[at], list->item, size) == 0)
			return at;
	if (e->n_ops + list->n > OPS_MAX) {
		enc_error(e, "%s: table %s needs more than %d operations", e->what, e->at->name, OPS_MAX);
		return 0;
	}
	at = e->n_ops;
	memcpy(&e->out->ops[at], list->item, size);
	e->n_ops += list->n;
	return at;
}

static void begin_list(struct enc *e, enum context context)
{
	static const struct {
		unsigned max;
		const char *name;
	} lists[] = {
		[IN_DO] = {OPS_DO_MAX, "in `do`"},
		[IN_POST] = {OPS_POST_MAX, "in the action"},
		[IN_TIMEOUT] = {OPS_TIMEOUT_MAX, "in `on_timeout`"},
	};

	e->context = context;
	e->learning = false;
	e->rule.n = 0;
	e->rule.max = lists[context].max;
	e->rule.name = lists[context].name;
}

void enc_begin_learn(struct enc *e)
{
	begin_list(e, IN_DO);
	e->learning = true;
	e->rule.name = "in `learn`";
}

unsigned enc_place_rule_ops(struct enc *e)
{
	return place_ops(e, &e->rule);
}

/* ---- assignments ---------------------------------------------------------------------------- */

static struct operand assigned(struct enc *e, const struct stmt *stmt)
{
	struct operand value = enc_expr(e, stmt->value);
	struct operand old;

	if (stmt->op == EOP_NONE)
		return value;
	old = enc_ref(e, &stmt->lhs->ref);
	if (old.wide || value.wide) {
		enc_error(e, "%s: addresses can be assigned, not computed with", e->what);
		return operand_number(0);
	}
	return enc_op(e, enc_op_of(stmt->op, false), old, value);
}

static void do_variable(struct enc *e, const struct typed *var, struct operand value)
{
	unsigned n = var->type == TYPE_ADDR ? 2 : 1;
	unsigned cell = e->var_temp[var->word];

	if (e->rule_out->meter && value.cell == e->rule_out->colour && !value.constant)
		cell = value.cell; /* Charged behind `do`: what stands for the variable is the colour itself. */
	if (!cell)
		cell = enc_rule_cells_new(e, n);
	enc_move(e, cell, value);
	e->var_temp[var->word] = cell;
}

static bool same_width(struct enc *e, struct operand value, bool wide)
{
	if (value.wide == wide)
		return true;
	enc_error(e, "%s: an address and a number do not fit", e->what);
	return false;
}

/* Another CPU may be faster than a try of `max`. */
static void add_global_op(struct enc *e, struct op op)
{
	for (unsigned i = 1; op.code == OP_GLOBAL_MAX && i < GLOBAL_TRIES; i++) {
		struct op again = op;

		again.flags |= OP_TRY;
		enc_append(e, &e->rule, again);
	}
	enc_append(e, &e->rule, op);
}

/* One atomic operation, which leaves the global's value in its cell. */
static void do_global(struct enc *e, const struct stmt *stmt)
{
	unsigned index = stmt->lhs->ref.index;
	enum op_code code;
	struct operand value = enc_expr(e, app_global_operand(stmt, &code));
	struct op op = {.code = code, .global = e->placement->global[index]};

	if (stmt->op == EOP_SUB)
		value = enc_op(e, OP_SUB, operand_number(0), value);
	if (value.constant) {
		op.flags = OP_IMM;
		op.imm = value.lo;
	} else {
		op.b = value.cell;
	}
	if (e->context == IN_TIMEOUT)
		op.dst = e->timeout_global[index] = enc_rule_cells_new(e, 1);
	else
		op.dst = e->carry.global + index;
	add_global_op(e, op);
}

static bool only_colour(const struct enc *e, const struct stmt *stmt, struct operand value)
{
	return stmt->lhs->ref.kind == REF_VARIABLE && !value.constant && value.cell == e->rule_out->colour;
}

static void encode_do(struct enc *e, const struct stmt_list *do_)
{
	bool metered = false;

	for (size_t i = 0; i < do_->n; i++) {
		const struct stmt *stmt = &do_->item[i];
		struct operand value;

		if (stmt->kind != STMT_ASSIGN)
			continue;
		if (stmt->lhs->ref.kind == REF_GLOBAL) {
			do_global(e, stmt);
			continue;
		}
		value = assigned(e, stmt);
		if (e->rule_out->meter && !metered && !only_colour(e, stmt, value))
			enc_error(e,
				  "%s: a flow's own meter is charged behind `do`: assign its colour to a variable, by "
				  "itself, "
				  "for the action",
				  e->what);
		metered = e->rule_out->meter;
		if (!same_width(e, value, stmt->lhs->type == TYPE_ADDR))
			return;
		if (stmt->lhs->ref.kind == REF_VARIABLE) {
			do_variable(e, &e->app->var[stmt->lhs->ref.index], value);
			continue;
		}
		enc_move(e, enc_ref(e, &stmt->lhs->ref).cell, value);
		e->do_written |= 1u << stmt->lhs->ref.index;
		e->do_chose[stmt->lhs->ref.index] = enc_chosen_group(stmt);
	}
}

/* The values `do` gave to variables become theirs. */
static void publish_variables(struct enc *e)
{
	for (size_t i = 0; i < e->app->n_vars; i++) {
		const struct typed *var = &e->app->var[i];
		struct operand value = {.cell = e->var_temp[var->word],
					.wide = var->type == TYPE_ADDR,
					.mutable_ = true,
					.stage = STAGE_RULE};

		if (value.cell)
			enc_move(e, CELL_VAR + var->word, value);
	}
}

/* ---- steps ---------------------------------------------------------------------------------- */

void enc_step(struct enc *e, struct step step)
{
	enc_add_step(e, e->steps, step);
}

void enc_add_step(struct enc *e, struct steps *steps, struct step step)
{
	if (steps->n >= RULE_STEPS_MAX) {
		enc_error(e, "%s: writes the packet in more than %d steps", e->what, RULE_STEPS_MAX);
		return;
	}
	steps->item[steps->n++] = step;
}

void enc_step_op(struct enc *e, struct op op)
{
	const struct op_list one = {.item = {op}, .n = 1};

	enc_step(e, (struct step){.code = STEP_OP, .imm = place_ops(e, &one)});
}

static unsigned place_steps(struct enc *e, const struct steps *steps)
{
	unsigned at = e->n_steps;

	if (at + steps->n > STEPS_MAX) {
		enc_error(e, "%s: table %s writes the packet in more than %d steps", e->what, e->at->name, STEPS_MAX);
		return 0;
	}
	memcpy(&e->out->steps[at], steps->item, steps->n * sizeof(steps->item[0]));
	e->n_steps += steps->n;
	return at;
}

/* ---- action --------------------------------------------------------------------------------- */

static void assign(struct enc *e, const struct stmt *stmt)
{
	struct operand value = assigned(e, stmt);
	struct step step;

	if (!same_width(e, value, stmt->lhs->type == TYPE_ADDR))
		return;
	if (stmt->lhs->ref.kind == REF_VARIABLE) {
		enc_move(e, CELL_VAR + e->app->var[stmt->lhs->ref.index].word, value);
		return;
	}
	step = stmt->lhs->ref.field->step;
	step.cell = enc_settle(e, value);
	enc_step(e, step);
}

static void set_verdict(struct enc *e, struct rule *rule, const struct stmt *stmt)
{
	struct operand port;

	rule->verdict = stmt->verdict;
	if (stmt->verdict == VERDICT_GOTO) {
		if (enc_hook_of(e->app, stmt->target, e->default_hook) != e->place->hook)
			enc_error(e, "%s: goto(%s) leads to a table on another hook", e->what,
				  e->app->table[stmt->target].name);
		rule->target = encode_target(e->app, e->placement, stmt->target);
	} else if (stmt->verdict == VERDICT_GROUP) {
		enc_group_verdict(e, rule, stmt->target);
	} else if (stmt->verdict == VERDICT_OUTPUT) {
		port = enc_expr(e, stmt->value);
		rule->arg = enc_settle(e, port);
	}
}

static void encode_stmt(struct enc *e, struct rule *rule, const struct stmt *stmt)
{
	if (enc_packet_step(e, stmt, e->steps))
		return;
	switch (stmt->kind) {
	case STMT_ASSIGN: assign(e, stmt); break;
	case STMT_VERDICT: set_verdict(e, rule, stmt); break;
	case STMT_PUSH_VLAN:
		enc_step(e, (struct step){.code = STEP_PUSH_VLAN, .need = PRESENT_ETH, .imm = 0x8100});
		break;
	case STMT_POP_VLAN: enc_step(e, (struct step){.code = STEP_POP_VLAN, .need = PRESENT_VLAN}); break;
	case STMT_NOTIFY: rule->flags |= RULE_NOTIFY; break;
	case STMT_CONTROLLER: rule->flags |= RULE_CONTROLLER; break;
	default: break;
	}
}

/* What a rule without verdict does. */
static void go_on(struct enc *e, struct rule *rule)
{
	int next = encode_next_on_hook(e->app, e->index, e->default_hook);

	rule->verdict = next < 0 ? VERDICT_PASS : VERDICT_GOTO;
	if (next >= 0)
		rule->target = encode_target(e->app, e->placement, next);
}

/* Later tables know the record of this one, unless there was none. */
static bool carries(const struct enc *e, const struct rule *rule, unsigned index)
{
	if (rule->verdict != VERDICT_GOTO || !e->carry.used[e->index] || index == RULE_ABSENT)
		return false;
	return !e->at->has_entries || index != RULE_OTHERWISE;
}

/* Registers that later tables read, and the bit that says they are there. */
static void carry_registers(struct enc *e)
{
	for (size_t i = 0; i < e->at->n_regs; i++) {
		struct ref ref = {.kind = REF_TABLE_REGISTER, .table = e->index, .index = i};

		if (e->carry.cell[e->index][i])
			enc_move(e, e->carry.cell[e->index][i], enc_ref(e, &ref));
	}
	enc_append(e, &e->rule,
		   (struct op){.code = OP_OR,
			       .flags = OP_IMM,
			       .dst = CELL_PRESENT,
			       .a = CELL_PRESENT,
			       .imm = 1ULL << (PRESENT_TABLE_SHIFT + e->place->hook_table)});
}

static bool writes_registers(const struct stmt_list *do_)
{
	for (size_t i = 0; i < do_->n; i++)
		if (do_->item[i].lhs->ref.kind != REF_VARIABLE && do_->item[i].lhs->ref.kind != REF_GLOBAL)
			return true;
	return false;
}

static void rule_state(struct enc *e, struct rule *out, const struct app_rule *rule)
{
	if (rule->next >= 0) {
		out->flags |= RULE_NEXT;
		out->next = e->place->state_id[rule->next];
	}
	/* Going to the first state frees the record: nothing is there to be refreshed, created or written. */
	if (rule->no_refresh && rule->next != 0)
		out->flags |= RULE_NO_REFRESH;
	if (rule->next > 0 || (rule->next < 0 && writes_registers(&rule->do_)) || rule->allocate)
		out->flags |= RULE_WRITES;
	if (e->at->claims_from && (rule->next == 0 || rule->allocate))
		out->flags |= RULE_LETS_GO;
}

void enc_rule_action(struct enc *e, unsigned index, const struct app_rule *rule, const struct stmt_list *action)
{
	struct rule *out = &e->out->rules[index];
	struct steps steps = {};

	out->counter = e->place->rule_counter[index];
	e->rule_out = out;
	e->steps = &steps;
	e->stepping = false;
	e->do_written = 0;
	memset(e->do_chose, 0, sizeof(e->do_chose));
	e->counted_cell = 0;
	memset(e->var_temp, 0, sizeof(e->var_temp));
	e->rule_cell = e->rule_top;
	if (rule) {
		rule_state(e, out, rule);
		begin_list(e, IN_DO);
		encode_do(e, &rule->do_);
		if (rule->allocate)
			enc_claim_do(e, rule->allocate);
		if (out->meter && rule->next != 0)
			out->flags |= RULE_WRITES;
		out->n_do = e->rule.n;
		out->first_do = place_ops(e, &e->rule);
		if (rule->learn)
			enc_learn(e, out, rule->learn);
		if (rule->allocate)
			enc_claim(e, out, rule->allocate);
	}
	go_on(e, out);
	begin_list(e, IN_POST);
	publish_variables(e);
	for (size_t i = 0; i < action->n; i++)
		encode_stmt(e, out, &action->item[i]);
	e->stepping = false;
	if (carries(e, out, index))
		carry_registers(e);
	out->n_post = e->rule.n;
	out->first_post = place_ops(e, &e->rule);
	/* The table's program cannot route; the action's can. */
	if (out->verdict == VERDICT_ROUTE && !steps.n)
		enc_add_step(e, &steps, (struct step){.code = STEP_NONE, .need = PRESENT_ETH});
	out->n_steps = steps.n;
	out->first_step = place_steps(e, &steps);
	e->context = IN_SHARED;
}

/* Its cells are not those of a packet, so nothing is shared with the rules and temporaries are free. */
void enc_on_timeout(struct enc *e, struct state_def *def, const struct app_state *state)
{
	if (!state->on_timeout.n)
		return;
	e->rule_cell = e->rule_top;
	memset(e->timeout_global, 0, sizeof(e->timeout_global));
	begin_list(e, IN_TIMEOUT);
	encode_do(e, &state->on_timeout);
	def->n_timeout = e->rule.n;
	def->first_timeout = place_ops(e, &e->rule);
	e->context = IN_SHARED;
}
