/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expressions -> operands; what a name means in the place where it stands. */
#include <string.h>

#include "encode_int.h"

/* ---- names ---------------------------------------------------------------------------------- */

static struct operand meta_operand(struct enc *e, unsigned cell)
{
	bool locked = cell == CELL_NOW && e->at->stateful;

	if (cell == CELL_NOW)
		e->reads_time = true;
	if (cell == CELL_FRAMES && enc_hook_of(e->app, e->index, e->default_hook) == HOOK_XDP)
		return operand_number(1); /* Nothing is aggregated there. */
	/* Under the lock `now` may still move, to the flow's last use. */
	return operand_cell(cell, locked ? STAGE_LET : STAGE_PRE);
}

static struct operand register_operand(struct enc *e, unsigned index, unsigned image)
{
	const struct layout_field *f = &e->layout.reg[index];

	if (e->absent)
		enc_error(e, "%s: there is no record, so no register %s", e->what, f->name);
	return (struct operand){.cell = image + f->word, .wide = f->bits == 128, .stage = STAGE_LET, .mutable_ = true};
}

static struct operand table_register_operand(struct enc *e, const struct ref *ref)
{
	const struct app_table *from = &e->app->table[ref->table];

	if (ref->table == e->index)
		return register_operand(e, ref->index, CELL_LOOKUP);
	if (enc_hook_of(e->app, ref->table, e->default_hook) != e->place->hook)
		enc_error(e, "%s: table %s is on another hook, so its registers are not known here", e->what,
			  from->name);
	return (struct operand){.cell = e->carry.cell[ref->table][ref->index],
				.wide = from->reg[ref->index].type == TYPE_ADDR,
				.stage = STAGE_PRE};
}

/* In on_timeout nobody has read the globals before. */
static struct operand timeout_global(struct enc *e, unsigned index)
{
	unsigned cell = e->timeout_global[index];

	if (!cell) {
		cell = e->timeout_global[index] = enc_rule_cells_new(e, 1);
		enc_append(e, &e->rule,
			   (struct op){.code = OP_GLOBAL_GET, .dst = cell, .global = e->placement->global[index]});
	}
	return (struct operand){.cell = cell, .stage = STAGE_RULE, .mutable_ = true};
}

static struct operand global_operand(struct enc *e, unsigned index)
{
	if (e->context == IN_TIMEOUT)
		return timeout_global(e, index);
	return (struct operand){.cell = e->carry.global + index, .stage = STAGE_PRE, .mutable_ = true};
}

static struct operand variable_operand(struct enc *e, unsigned index)
{
	const struct typed *var = &e->app->var[index];
	unsigned cell = CELL_VAR + var->word;

	if (e->context == IN_DO && e->var_temp[var->word])
		cell = e->var_temp[var->word];
	if (e->context == IN_DO && e->rule_out && e->rule_out->meter && cell == e->rule_out->colour)
		enc_error(e, "%s: %s gets the colour of the flow's own meter behind `do`: read it in the action",
			  e->what, var->name);
	return (struct operand){.cell = cell, .wide = var->type == TYPE_ADDR, .stage = STAGE_PRE, .mutable_ = true};
}

/* A let has the value it had before `do`, wherever it is used. */
static struct operand let_operand(struct enc *e, unsigned index)
{
	enum context context = e->context;
	struct operand value;

	e->context = IN_SHARED;
	if (!e->let_done[index]) {
		e->let_value[index] = enc_expr(e, e->at->let[index].expr);
		e->let_done[index] = true;
	}
	value = e->let_value[index];
	if (e->absent && !value.constant && value.stage == STAGE_LET)
		enc_error(e, "%s: %s is computed with the record, which is not there", e->what, e->at->let[index].name);
	if (context != IN_SHARED && value.mutable_) {
		if (value.wide)
			enc_error(e, "%s: %s only renames an address; use its own name here", e->what,
				  e->at->let[index].name);
		value = enc_op(e, OP_OR, operand_half(value, false), operand_number(0)); /* A copy from before. */
	}
	e->context = context;
	return value;
}

struct operand enc_ref(struct enc *e, const struct ref *ref)
{
	bool update = e->context == IN_DO && e->at->update && !e->learning;

	switch (ref->kind) {
	case REF_FIELD: return enc_load(e, ref->field);
	case REF_META: return meta_operand(e, ref->cell);
	case REF_REGISTER: return register_operand(e, ref->index, update ? CELL_UPDATE : CELL_LOOKUP);
	case REF_TABLE_REGISTER: return table_register_operand(e, ref);
	case REF_VARIABLE: return variable_operand(e, ref->index);
	case REF_GLOBAL: return global_operand(e, ref->index);
	case REF_LET: return let_operand(e, ref->index);
	case REF_MEMBER: return enc_member(e, ref);
	case REF_NONE:
	case REF_CONSTANT: break;
	}
	enc_error(e, "%s: a name without a meaning", e->what);
	return operand_number(0);
}

/* ---- operators ------------------------------------------------------------------------------ */

enum op_code enc_op_of(enum expr_op op, bool is_signed)
{
	switch (op) {
	case EOP_OR: return OP_OR;
	case EOP_AND: return OP_AND;
	case EOP_EQ: return OP_EQ;
	case EOP_NE: return OP_NE;
	case EOP_LT: return is_signed ? OP_SLT : OP_LT;
	case EOP_LE: return is_signed ? OP_SLE : OP_LE;
	case EOP_GT: return is_signed ? OP_SLT : OP_LT; /* With the sides exchanged. */
	case EOP_GE: return is_signed ? OP_SLE : OP_LE;
	case EOP_BOR: return OP_OR;
	case EOP_BXOR: return OP_XOR;
	case EOP_BAND: return OP_AND;
	case EOP_SHL: return OP_SHL;
	case EOP_SHR: return is_signed ? OP_SAR : OP_SHR;
	case EOP_ADD: return OP_ADD;
	case EOP_SUB: return OP_SUB;
	case EOP_MUL: return OP_MUL;
	case EOP_DIV: return is_signed ? OP_SDIV : OP_DIV;
	case EOP_MOD: return is_signed ? OP_SMOD : OP_MOD;
	case EOP_NONE:
	case EOP_NOT:
	case EOP_IN:
	case EOP_NEG:
	case EOP_INV: break;
	}
	return OP_NOP;
}

static struct operand masked_word(struct enc *e, struct operand x, uint64_t mask, uint64_t value)
{
	if (mask != ~0ULL)
		x = enc_op(e, OP_AND, x, operand_number(mask));
	return value ? enc_op(e, OP_XOR, x, operand_number(value)) : x;
}

/* Differences of both halves, or-ed: 0 means equal. */
struct operand enc_masked_equal(struct enc *e, struct operand x, const struct pattern *p)
{
	struct operand diff = operand_number(0);

	if (!x.wide)
		return enc_op(e, OP_EQ, masked_word(e, x, p->mask_lo, 0), operand_number(p->lo & p->mask_lo));
	if (p->mask_hi)
		diff = masked_word(e, operand_half(x, true), p->mask_hi, p->hi & p->mask_hi);
	if (p->mask_lo) {
		struct operand low = masked_word(e, operand_half(x, false), p->mask_lo, p->lo & p->mask_lo);

		diff = p->mask_hi ? enc_op(e, OP_OR, diff, low) : low;
	}
	return enc_op(e, OP_EQ, diff, operand_number(0));
}

static struct operand wide_equal(struct enc *e, struct operand a, struct operand b)
{
	struct operand hi, lo;

	if (a.constant && b.constant)
		return operand_number(a.hi == b.hi && a.lo == b.lo);
	hi = enc_op(e, OP_XOR, operand_half(a, true), operand_half(b, true));
	lo = enc_op(e, OP_XOR, operand_half(a, false), operand_half(b, false));
	return enc_op(e, OP_EQ, enc_op(e, OP_OR, hi, lo), operand_number(0));
}

static uint64_t prefix_mask(unsigned len)
{
	return len == 0 ? 0 : len >= 64 ? ~0ULL : ~0ULL << (64 - len);
}

static struct operand in_prefix(struct enc *e, const struct expr *expr)
{
	const struct expr *prefix = expr->arg[1];
	struct pattern p = {.kind = PATTERN_PREFIX, .hi = prefix->hi, .lo = prefix->value};
	struct operand x = enc_expr(e, expr->arg[0]);

	p.mask_hi = prefix_mask(prefix->prefix_len);
	p.mask_lo = prefix->prefix_len > 64 ? prefix_mask(prefix->prefix_len - 64) : 0;
	if (x.constant)
		return operand_number((x.hi & p.mask_hi) == (p.hi & p.mask_hi) &&
				      (x.lo & p.mask_lo) == (p.lo & p.mask_lo));
	return enc_masked_equal(e, x, &p);
}

/* a < b, or a <= b: the high halves first. */
static struct operand wide_order(struct enc *e, struct operand a, struct operand b, bool or_equal)
{
	struct operand below, same, low;

	below = enc_op(e, OP_LT, operand_half(a, true), operand_half(b, true));
	same = enc_op(e, OP_EQ, operand_half(a, true), operand_half(b, true));
	low = enc_op(e, or_equal ? OP_LE : OP_LT, operand_half(a, false), operand_half(b, false));
	return enc_op(e, OP_OR, below, enc_op(e, OP_AND, same, low));
}

struct operand enc_in_range(struct enc *e, struct operand x, const struct pattern *p)
{
	const struct operand first = {.constant = true, .wide = true, .hi = p->hi, .lo = p->lo};
	const struct operand last = {.constant = true, .wide = true, .hi = p->last_hi, .lo = p->last};
	struct operand from = wide_order(e, first, x, true);

	return enc_op(e, OP_AND, from, wide_order(e, x, last, true));
}

static struct operand wide_binary(struct enc *e, const struct expr *expr, struct operand a, struct operand b)
{
	if (a.wide && b.wide)
		switch (expr->op) {
		case EOP_EQ: return wide_equal(e, a, b);
		case EOP_NE: return enc_op(e, OP_EQ, wide_equal(e, a, b), operand_number(0));
		case EOP_LT:
		case EOP_LE: return wide_order(e, a, b, expr->op == EOP_LE);
		case EOP_GT:
		case EOP_GE: return wide_order(e, b, a, expr->op == EOP_GE);
		default: break;
		}
	enc_error(e, "%s: addresses can be compared, not computed with", e->what);
	return operand_number(0);
}

static struct operand binary(struct enc *e, const struct expr *expr)
{
	struct operand a, b;
	bool is_signed;

	if (expr->op == EOP_IN)
		return in_prefix(e, expr);
	if (expr->op == EOP_AND || expr->op == EOP_OR) {
		a = enc_bool(e, expr->arg[0]);
		b = enc_bool(e, expr->arg[1]);
	} else {
		a = enc_expr(e, expr->arg[0]);
		b = enc_expr(e, expr->arg[1]);
	}
	if (a.wide || b.wide)
		return wide_binary(e, expr, a, b);
	is_signed = expr_is_signed(expr->op, expr->arg[0]->type, expr->arg[1]->type);
	if (expr->op == EOP_GT || expr->op == EOP_GE)
		return enc_op(e, enc_op_of(expr->op, is_signed), b, a);
	return enc_op(e, enc_op_of(expr->op, is_signed), a, b);
}

static struct operand unary(struct enc *e, const struct expr *expr)
{
	switch (expr->op) {
	case EOP_NOT: return enc_op(e, OP_EQ, enc_bool(e, expr->arg[0]), operand_number(0));
	case EOP_NEG: return enc_op(e, OP_SUB, operand_number(0), enc_expr(e, expr->arg[0]));
	case EOP_INV: return enc_op(e, OP_XOR, enc_expr(e, expr->arg[0]), operand_number(~0ULL));
	default: break;
	}
	return enc_expr(e, expr->arg[0]);
}

struct operand enc_bool(struct enc *e, const struct expr *expr)
{
	struct operand x = enc_expr(e, expr);

	if (expr->type == TYPE_BOOL || x.wide)
		return x;
	return enc_op(e, OP_NE, x, operand_number(0));
}

/* ---- calls ---------------------------------------------------------------------------------- */

/* Of a register of an earlier table also whether that had a record; what it left is 0 then, which may be an id. */
static struct operand has_member(struct enc *e, const struct expr *expr)
{
	struct operand member = enc_member(e, &expr->arg[0]->ref);
	uint64_t needs = enc_ref_needs(e, &expr->arg[0]->ref);

	if (!needs)
		return member;
	return enc_op(e, OP_AND, member,
		      enc_op(e, OP_HAS, operand_cell(CELL_PRESENT, STAGE_PRE), operand_number(needs)));
}

static struct operand call(struct enc *e, const struct expr *expr)
{
	static const struct {
		const char *name;
		enum op_code code[2]; /* Unsigned, signed. */
	} two[] = {{"min", {OP_MIN, OP_SMIN}},
		   {"max", {OP_MAX, OP_SMAX}},
		   {"seq_lt", {OP_SEQ_LT, OP_SEQ_LT}},
		   {"seq_le", {OP_SEQ_LE, OP_SEQ_LE}}};
	struct operand a;

	if (strcmp(expr->name, "has") == 0 && expr->arg[0]->ref.kind == REF_MEMBER)
		return has_member(e, expr);
	if (strcmp(expr->name, "select") == 0)
		return enc_select(e, expr->value);
	if (strcmp(expr->name, "meter") == 0)
		return enc_meter(e, expr);
	if (strcmp(expr->name, "has") == 0)
		return enc_op(e, OP_HAS, operand_cell(CELL_PRESENT, STAGE_PRE), operand_number(enc_has(e, expr)));
	if (strcmp(expr->name, "random") == 0 || strcmp(expr->name, "hash") == 0)
		return enc_draw_call(e, expr);
	if (enc_helper(e, expr, &a))
		return a;
	for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
		if (strcmp(expr->name, two[i].name) != 0 || expr->n_args != 2)
			continue;
		a = enc_expr(e, expr->arg[0]);
		return enc_op(e, two[i].code[expr->type == TYPE_INT], a, enc_expr(e, expr->arg[1]));
	}
	enc_error(e, "%s: %s() is not yet supported", e->what, expr->name);
	return operand_number(0);
}

/* ---- trees ---------------------------------------------------------------------------------- */

static struct operand constant_operand(const struct expr *expr)
{
	return (struct operand){.constant = true,
				.wide = expr->type == TYPE_ADDR || expr->type == TYPE_PREFIX,
				.hi = expr->hi,
				.lo = expr->value};
}

struct operand enc_expr(struct enc *e, const struct expr *expr)
{
	if (expr->constant)
		return constant_operand(expr);
	switch (expr->kind) {
	case EXPR_NUMBER:
	case EXPR_ADDRESS:
	case EXPR_PREFIX:
	case EXPR_MAC: return constant_operand(expr);
	case EXPR_NAME: return enc_ref(e, &expr->ref);
	case EXPR_UNARY: return unary(e, expr);
	case EXPR_BINARY: return binary(e, expr);
	case EXPR_CALL: return call(e, expr);
	case EXPR_SET:
	case EXPR_RANGE: break;
	}
	enc_error(e, "%s: a list or range stands where a value is needed", e->what);
	return operand_number(0);
}

/* ---- presence ------------------------------------------------------------------------------- */

uint64_t enc_ref_needs(const struct enc *e, const struct ref *ref)
{
	struct ref base = *ref;

	switch (ref->kind) {
	case REF_FIELD: return ref->field->needs;
	case REF_META:
		if (ref->cell == CELL_IN_PORT)
			return 1ULL << PRESENT_IN_PORT;
		return ref->cell == CELL_OUT_PORT ? 1ULL << PRESENT_OUT_PORT : 0;
	case REF_TABLE_REGISTER:
		if (ref->table == e->index)
			return 0;
		return 1ULL << (PRESENT_TABLE_SHIFT + e->placement->table[ref->table].hook_table);
	case REF_LET: return enc_needs(e, e->at->let[ref->index].expr);
	case REF_MEMBER: base.kind = ref->of; return enc_ref_needs(e, &base);
	case REF_REGISTER:
	case REF_VARIABLE:
	case REF_GLOBAL:
	case REF_CONSTANT:
	case REF_NONE: break;
	}
	return 0;
}

uint64_t enc_has(const struct enc *e, const struct expr *call)
{
	return call->value | (call->arg[0]->ref.kind == REF_TABLE_REGISTER ? enc_ref_needs(e, &call->arg[0]->ref) : 0);
}

uint64_t enc_needs(const struct enc *e, const struct expr *expr)
{
	uint64_t needs = 0;

	if (!expr || expr->constant || (expr->kind == EXPR_CALL && strcmp(expr->name, "has") == 0))
		return 0;
	if (expr->kind == EXPR_NAME)
		return enc_ref_needs(e, &expr->ref);
	if (expr->kind == EXPR_CALL && strcmp(expr->name, "select") == 0)
		return enc_group_needs(e, expr->value);
	for (unsigned i = 0; i < expr->n_args; i++)
		needs |= enc_needs(e, expr->arg[i]);
	return needs;
}
