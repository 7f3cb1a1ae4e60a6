/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hash() and `random`: values drawn before the lock.
 *
 * Each `random` of the text is one draw, made when the table is entered, whatever rule is chosen; in the order of the
 * lets, the rules (`when`, `do`, `action`), `otherwise`, `absent`.  So they are drawn before anything else is encoded,
 * and every later look at the same place of the text finds its cell. */
#include <string.h>

#include "encode_int.h"

/* ---- what is drawn where -------------------------------------------------------------------- */

static void remember(struct enc *e, const struct expr *expr, unsigned cell)
{
	if (e->n_drawn < DRAWN_MAX)
		e->drawn[e->n_drawn++] = (struct drawn){expr, cell};
}

bool enc_drawn(const struct enc *e, const struct expr *expr, unsigned *ret_cell)
{
	for (unsigned i = 0; i < e->n_drawn; i++)
		if (e->drawn[i].expr == expr) {
			*ret_cell = e->drawn[i].cell;
			return true;
		}
	return false;
}

/* ---- random --------------------------------------------------------------------------------- */

static void draw_expr(struct enc *e, const struct expr *expr)
{
	struct op op = {.code = OP_RANDOM};

	if (!expr || expr->constant)
		return;
	for (unsigned i = 0; i < expr->n_args; i++)
		draw_expr(e, expr->arg[i]);
	if (expr->kind != EXPR_CALL || strcmp(expr->name, "random") != 0)
		return;
	op.dst = enc_cells_new(e, 1);
	enc_append(e, &e->pre, op);
	remember(e, expr, op.dst);
}

static void draw_steps(struct enc *e, const struct stmt_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		draw_expr(e, list->item[i].value);
}

static void draw_learn(struct enc *e, const struct app_learn *learn)
{
	if (!learn)
		return;
	draw_expr(e, learn->first);
	for (size_t i = 0; i < learn->n_key; i++)
		draw_expr(e, learn->key[i]);
	for (size_t i = 0; i < learn->n_sets; i++)
		draw_expr(e, learn->set[i].value);
	draw_steps(e, &learn->otherwise);
}

void enc_draw(struct enc *e)
{
	const struct app_table *at = e->at;

	e->what = "random";
	for (size_t i = 0; i < at->n_lets; i++)
		draw_expr(e, at->let[i].expr);
	for (size_t i = 0; i < at->n_rules; i++) {
		draw_expr(e, at->rule[i].when);
		draw_steps(e, &at->rule[i].do_);
		draw_learn(e, at->rule[i].learn);
		draw_learn(e, at->rule[i].allocate);
		draw_steps(e, &at->rule[i].action);
	}
	draw_steps(e, &at->otherwise);
	draw_steps(e, &at->absent);
}

/* ---- hash ----------------------------------------------------------------------------------- */

uint64_t encode_hash_seed(const char *deployment)
{
	uint64_t seed = 0x9e3779b97f4a7c15ULL;

	for (const char *p = deployment; *p; p++)
		seed = (seed ^ (unsigned char)*p) * 0x100000001b3ULL;
	return seed;
}

static bool operand_same(const struct operand *a, const struct operand *b)
{
	if (a->constant != b->constant || a->wide != b->wide)
		return false;
	return a->constant ? a->hi == b->hi && a->lo == b->lo : a->cell == b->cell;
}

static struct hash_memo *hash_find(struct enc *e, const struct operand *arg, unsigned n_args)
{
	for (unsigned i = 0; i < e->n_hashes; i++) {
		struct hash_memo *memo = &e->hash[i];
		unsigned same = 0;

		while (memo->n_args == n_args && same < n_args && operand_same(&memo->arg[same], &arg[same]))
			same++;
		if (memo->n_args == n_args && same == n_args)
			return memo;
	}
	return NULL;
}

static void hash_add(struct enc *e, unsigned cell, struct operand word)
{
	struct op op = {.code = OP_HASH_ADD, .dst = cell, .a = cell};

	if (word.constant) {
		op.flags = OP_IMM;
		op.imm = word.lo;
	} else {
		op.b = word.cell;
	}
	enc_append(e, &e->pre, op);
}

static unsigned hash_ops(struct enc *e, const struct operand *arg, unsigned n_args)
{
	struct op op = {.code = OP_HASH_INIT, .flags = OP_IMM, .imm = e->placement->hash_seed};
	struct hash_memo *memo;

	op.dst = enc_cells_new(e, 1);
	enc_append(e, &e->pre, op);
	for (unsigned i = 0; i < n_args; i++) {
		if (arg[i].wide)
			hash_add(e, op.dst, operand_half(arg[i], true));
		hash_add(e, op.dst, operand_half(arg[i], false));
	}
	if (e->n_hashes < HASHES_MAX) {
		memo = &e->hash[e->n_hashes++];
		memcpy(memo->arg, arg, n_args * sizeof(*arg));
		memo->n_args = n_args;
		memo->cell = op.dst;
	}
	return op.dst;
}

unsigned enc_hash_cell(struct enc *e, const struct operand *arg, unsigned n_args)
{
	const struct hash_memo *memo = hash_find(e, arg, n_args);

	return memo ? memo->cell : hash_ops(e, arg, n_args);
}

static struct operand hash_call(struct enc *e, const struct expr *expr)
{
	struct operand arg[HASH_ARGS_MAX];
	enum context context = e->context;
	unsigned cell;

	if (expr->n_args > HASH_ARGS_MAX) {
		enc_error(e, "%s: hash() of %u values, the limit is %d", e->what, expr->n_args, HASH_ARGS_MAX);
		return operand_number(0);
	}
	e->context = IN_SHARED;
	for (unsigned i = 0; i < expr->n_args; i++) {
		arg[i] = enc_expr(e, expr->arg[i]);
		if (!arg[i].constant && arg[i].stage != STAGE_PRE)
			enc_error(e, "%s: hash() is computed before the lock: no register or `now` in it", e->what);
	}
	e->context = context;
	cell = enc_hash_cell(e, arg, expr->n_args);
	remember(e, expr, cell);
	return operand_cell(cell, STAGE_PRE);
}

struct operand enc_draw_call(struct enc *e, const struct expr *expr)
{
	unsigned cell;

	if (enc_drawn(e, expr, &cell))
		return operand_cell(cell, STAGE_PRE);
	return hash_call(e, expr);
}
