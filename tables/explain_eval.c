/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explain_eval.h"

#include <string.h>

static struct eval_value number(uint64_t value)
{
	return (struct eval_value){.known = true, .lo = value};
}

static struct eval_value cell_value(const struct eval *eval, unsigned cell, bool wide)
{
	struct eval_value v = number(eval->cells[cell]);

	if (wide) {
		v.hi = v.lo;
		v.lo = eval->cells[cell + 1];
	}
	return v;
}

bool eval_present(const struct eval *eval, uint64_t needs)
{
	uint64_t tables = needs & PRESENT_TABLES;

	needs = (needs ^ tables) | tables << eval->offset;
	return (eval->cells[CELL_PRESENT] & needs) == needs;
}

static struct eval_value field_value(const struct eval *eval, const struct field *field)
{
	const struct enc *e = eval->enc;

	for (unsigned i = 0; i < e->n_loaded; i++)
		if (e->loaded[i] == field)
			return cell_value(eval, e->loaded_cell[i], field->type == TYPE_ADDR);
	if (field->load.kind == LOAD_CELL)
		return number(eval->cells[field->load.base] >> field->load.shift & field->load.mask);
	return (struct eval_value){};
}

static struct eval_value register_value(const struct eval *eval, unsigned index, unsigned image)
{
	const struct layout_field *f = &eval->enc->layout.reg[index];

	return cell_value(eval, image + f->word, f->bits == 128);
}

static struct eval_value let_value(const struct eval *eval, const struct expr *expr)
{
	struct eval first = *eval;

	if (!eval->before)
		return eval_expr(eval, expr);
	first.cells = eval->before;
	first.image = CELL_LOOKUP;
	return eval_expr(&first, expr);
}

/* Known if a condition asked: what only the action reads is not in the cells from before it. */
static struct eval_value member_value(const struct eval *eval, const struct ref *ref)
{
	const struct app_group *group = &eval->enc->app->group[ref->group];
	unsigned cell;
	bool wide = false;

	if (!enc_member_cell(eval->enc, ref, &cell))
		return (struct eval_value){};
	for (size_t i = 0; ref->word < MEMBER_VALUES && i < group->n_values; i++)
		wide |= group->value[i].word == ref->word && group->value[i].type == TYPE_ADDR;
	return cell_value(eval, cell, wide);
}

struct eval_value eval_ref(const struct eval *eval, const struct ref *ref)
{
	const struct app *app = eval->enc->app;
	const struct typed *var;

	switch (ref->kind) {
	case REF_FIELD: return field_value(eval, ref->field);
	case REF_META: return number(eval->cells[ref->cell]);
	case REF_REGISTER: return register_value(eval, ref->index, eval->image);
	case REF_TABLE_REGISTER:
		if (ref->table == eval->enc->index)
			return register_value(eval, ref->index, CELL_LOOKUP);
		return cell_value(eval, eval->enc->carry.cell[ref->table][ref->index],
				  app->table[ref->table].reg[ref->index].type == TYPE_ADDR);
	case REF_VARIABLE:
		var = &app->var[ref->index];
		return cell_value(eval, CELL_VAR + var->word, var->type == TYPE_ADDR);
	case REF_GLOBAL: return number(eval->cells[eval->enc->carry.global + ref->index]);
	case REF_LET: return let_value(eval, eval->enc->at->let[ref->index].expr);
	case REF_MEMBER: return member_value(eval, ref);
	case REF_NONE:
	case REF_CONSTANT: break;
	}
	return (struct eval_value){};
}

static bool equal(struct eval_value a, struct eval_value b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

static bool less(struct eval_value a, struct eval_value b)
{
	return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo;
}

static struct eval_value wide_order(enum expr_op op, struct eval_value a, struct eval_value b)
{
	switch (op) {
	case EOP_LT: return number(less(a, b));
	case EOP_LE: return number(!less(b, a));
	case EOP_GT: return number(less(b, a));
	case EOP_GE: return number(!less(a, b));
	default: return (struct eval_value){};
	}
}

static bool in_prefix(struct eval_value x, const struct expr *prefix)
{
	struct pattern p = {.kind = PATTERN_PREFIX, .hi = prefix->hi, .lo = prefix->value};
	unsigned len = prefix->prefix_len;

	p.mask_hi = len == 0 ? 0 : len >= 64 ? ~0ULL : ~0ULL << (64 - len);
	p.mask_lo = len <= 64 ? 0 : ~0ULL << (128 - len);
	return eval_pattern(&p, x);
}

static struct eval_value binary_op(enum expr_op op, bool is_signed, struct eval_value a, struct eval_value b)
{
	switch (op) {
	case EOP_EQ: return number(equal(a, b));
	case EOP_NE: return number(!equal(a, b));
	case EOP_GT:
	case EOP_GE: return number(op_fold(enc_op_of(op, is_signed), b.lo, a.lo));
	default: return number(op_fold(enc_op_of(op, is_signed), a.lo, b.lo));
	}
}

static struct eval_value logic(const struct eval *eval, const struct expr *expr)
{
	struct eval_value a = eval_expr(eval, expr->arg[0]);
	bool decides = expr->op == EOP_OR;
	struct eval_value b;

	if (a.known && (a.lo != 0) == decides)
		return number(decides);
	b = eval_expr(eval, expr->arg[1]);
	if (b.known && (b.lo != 0) == decides)
		return number(decides);
	return a.known && b.known ? number(!decides) : (struct eval_value){};
}

static struct eval_value binary(const struct eval *eval, const struct expr *expr)
{
	struct eval_value a, b;

	if (expr->op == EOP_AND || expr->op == EOP_OR)
		return logic(eval, expr);
	a = eval_expr(eval, expr->arg[0]);
	if (expr->op == EOP_IN)
		return a.known ? number(in_prefix(a, expr->arg[1])) : a;
	b = eval_expr(eval, expr->arg[1]);
	if (!a.known || !b.known)
		return (struct eval_value){};
	if (expr->arg[0]->type == TYPE_ADDR && expr->op != EOP_EQ && expr->op != EOP_NE)
		return wide_order(expr->op, a, b);
	return binary_op(expr->op, expr_is_signed(expr->op, expr->arg[0]->type, expr->arg[1]->type), a, b);
}

static struct eval_value unary(const struct eval *eval, const struct expr *expr)
{
	struct eval_value a = eval_expr(eval, expr->arg[0]);

	if (!a.known)
		return a;
	switch (expr->op) {
	case EOP_NOT: return number(a.lo == 0);
	case EOP_NEG: return number(-a.lo);
	case EOP_INV: return number(~a.lo);
	default: return a;
	}
}

/* The quotient nearest to a / b for b > 0, halves away from 0. */
static uint64_t divide_rounded(int64_t a, int64_t b)
{
	uint64_t half = b / 2;

	return op_fold(OP_SDIV, a + (a < 0 ? -half : half), b);
}

static uint64_t mean_step(uint64_t mean, uint64_t n, uint64_t x, int64_t *ret_count)
{
	*ret_count = (n < 1 << 24 ? n : 1 << 24) + 1;
	return divide_rounded(x * 1000 - mean, *ret_count);
}

static uint64_t variance(uint64_t v, uint64_t mean, uint64_t n, uint64_t x)
{
	int64_t count;
	uint64_t step = mean_step(mean, n, x, &count), above = x * 1000 - mean;

	return v + divide_rounded(above * (above - step) - v * 1000, count * 1000);
}

/* avg, var, ewma */
static struct eval_value helper(const struct eval *eval, const struct expr *expr)
{
	uint64_t arg[4] = {};
	int64_t count;

	for (unsigned i = 0; i < expr->n_args && i < 4; i++) {
		struct eval_value value = eval_expr(eval, expr->arg[i]);

		if (!value.known)
			return value;
		arg[i] = value.lo;
	}
	if (strcmp(expr->name, "avg") == 0)
		return number(arg[0] + mean_step(arg[0], arg[1], arg[2], &count));
	if (strcmp(expr->name, "var") == 0)
		return number(variance(arg[0], arg[1], arg[2], arg[3]));
	if (strcmp(expr->name, "ewma") == 0)
		return number(arg[0] + divide_rounded((arg[1] * 1000 - arg[0]) * (1000 - arg[2]), 1000));
	return (struct eval_value){};
}

static struct eval_value call(const struct eval *eval, const struct expr *expr)
{
	static const struct {
		const char *name;
		enum op_code code[2]; /* Unsigned, signed. */
	} two[] = {{"min", {OP_MIN, OP_SMIN}},
		   {"max", {OP_MAX, OP_SMAX}},
		   {"seq_lt", {OP_SEQ_LT, OP_SEQ_LT}},
		   {"seq_le", {OP_SEQ_LE, OP_SEQ_LE}}};
	struct eval_value a, b;
	unsigned cell;

	if (enc_drawn(eval->enc, expr, &cell))
		return number(eval->cells[cell]);
	if (strcmp(expr->name, "select") == 0)
		return number(eval->cells[eval->enc->select_cell[expr->value]]);
	if (strcmp(expr->name, "meter") == 0)
		return (struct eval_value){};
	if (strcmp(expr->name, "has") == 0 && expr->arg[0]->ref.kind == REF_MEMBER)
		return member_value(eval, &expr->arg[0]->ref);
	if (strcmp(expr->name, "has") == 0)
		return number(eval_present(eval, enc_has(eval->enc, expr)));
	for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
		if (strcmp(expr->name, two[i].name) != 0 || expr->n_args != 2)
			continue;
		a = eval_expr(eval, expr->arg[0]);
		b = eval_expr(eval, expr->arg[1]);
		if (a.known && b.known)
			return number(op_fold(two[i].code[expr->type == TYPE_INT], a.lo, b.lo));
	}
	return helper(eval, expr);
}

struct eval_value eval_expr(const struct eval *eval, const struct expr *expr)
{
	if (expr->constant)
		return (struct eval_value){true, expr->hi, expr->value};
	switch (expr->kind) {
	case EXPR_NUMBER:
	case EXPR_ADDRESS:
	case EXPR_PREFIX:
	case EXPR_MAC: return (struct eval_value){true, expr->hi, expr->value};
	case EXPR_NAME: return eval_ref(eval, &expr->ref);
	case EXPR_UNARY: return unary(eval, expr);
	case EXPR_BINARY: return binary(eval, expr);
	case EXPR_CALL: return call(eval, expr);
	case EXPR_SET:
	case EXPR_RANGE: break;
	}
	return (struct eval_value){};
}

bool eval_pattern(const struct pattern *p, struct eval_value value)
{
	const struct eval_value first = {.hi = p->hi, .lo = p->lo}, last = {.hi = p->last_hi, .lo = p->last};

	if (p->kind == PATTERN_RANGE && (p->hi || value.hi || p->last_hi))
		return !less(value, first) && !less(last, value);
	if (p->kind == PATTERN_RANGE)
		return value.lo - p->lo <= p->last - p->lo;
	return (value.hi & p->mask_hi) == (p->hi & p->mask_hi) && (value.lo & p->mask_lo) == (p->lo & p->mask_lo);
}

bool eval_match(const struct match *match, struct eval_value value)
{
	for (size_t i = 0; i < match->n_alts; i++)
		if (eval_pattern(&match->alt[i], value))
			return !match->negate;
	return match->negate;
}

struct eval_value eval_assigned(const struct eval *eval, const struct stmt *stmt)
{
	struct eval_value value = eval_expr(eval, stmt->value), old;

	if (stmt->op == EOP_NONE || !value.known)
		return value;
	old = eval_ref(eval, &stmt->lhs->ref);
	return old.known ? binary_op(stmt->op, false, old, value) : old;
}
