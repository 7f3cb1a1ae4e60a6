/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does what is assigned to a field fit?  The largest value of each register and variable follows from all that
 * is ever assigned to it; that is found by going over the assignments until nothing grows. */
#include <inttypes.h>

#include "app_check.h"

enum { EXACT_ROUNDS = 8 };

struct ranges {
	struct checker *c;
	uint64_t *var;	/* Largest value, by variable. */
	uint64_t **reg; /* By table and register. */
	uint64_t *global;
	bool grew;
	bool widen; /* What grows now may grow to anything (a counter). */
};

static uint64_t ones(unsigned bits)
{
	return bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
}

/* All ones as wide as 'value'. */
static uint64_t fill(uint64_t value)
{
	return value ? ~0ULL >> __builtin_clzll(value) : 0;
}

static uint64_t largest(const struct ranges *r, const struct app_table *t, const struct expr *e);

/* As the file has them. */
static uint64_t largest_of_members(const struct app_group *group, const struct expr *e)
{
	uint64_t largest = 0;

	if (e->type == TYPE_MAC)
		return ones(48);
	if (e->ref.word >= MEMBER_VALUES)
		return PORTS_MAX;
	for (size_t i = 0; i < group->n_members; i++)
		if (group->member[i].word[e->ref.word] > largest)
			largest = group->member[i].word[e->ref.word];
	return largest;
}

static uint64_t largest_name(const struct ranges *r, const struct app_table *t, const struct expr *e)
{
	enum value_type type;
	unsigned cell, bits = 64;

	switch (e->ref.kind) {
	case REF_FIELD: return ones(e->ref.field->bits);
	case REF_MEMBER: return largest_of_members(&r->c->app->group[e->ref.group], e);
	case REF_META: return name_find_meta(e->name, &cell, &type, &bits) == 0 ? ones(bits) : ~0ULL;
	case REF_REGISTER: return r->reg[t - r->c->app->table][e->ref.index];
	case REF_TABLE_REGISTER: return r->reg[e->ref.table][e->ref.index];
	case REF_VARIABLE: return r->var[e->ref.index];
	case REF_GLOBAL: return r->global[e->ref.index];
	case REF_LET: return largest(r, t, t->let[e->ref.index].expr);
	default: return ~0ULL;
	}
}

/* Values are taken as 64 bits, so what may be negative is as large as can be. */
static bool may_be_negative(uint64_t largest)
{
	return largest > INT64_MAX;
}

static uint64_t largest_binary(enum expr_op op, bool is_signed, uint64_t a, uint64_t b, const struct expr *right)
{
	uint64_t result;

	if (is_signed && op != EOP_BAND && (may_be_negative(a) || may_be_negative(b)))
		return ~0ULL;
	switch (op) {
	case EOP_ADD: return __builtin_add_overflow(a, b, &result) ? ~0ULL : result;
	case EOP_MUL: return __builtin_mul_overflow(a, b, &result) ? ~0ULL : result;
	case EOP_DIV: return right->constant && right->value ? a / right->value : ~0ULL;
	case EOP_MOD: return right->constant && right->value && right->value - 1 < a ? right->value - 1 : a;
	case EOP_BAND: return a < b ? a : b;
	case EOP_BOR:
	case EOP_BXOR: return fill(a | b);
	case EOP_SHR: return right->constant ? (right->value < 64 ? a >> right->value : 0) : a;
	default: return ~0ULL;
	}
}

static uint64_t largest(const struct ranges *r, const struct app_table *t, const struct expr *e)
{
	uint64_t a, b;

	if (e->constant)
		return e->value;
	if (e->type == TYPE_BOOL)
		return 1;
	if (e->type == TYPE_COLOUR)
		return COLOUR_RED;
	if (e->kind == EXPR_NAME)
		return largest_name(r, t, e);
	if (e->n_args != 2 || (e->kind == EXPR_CALL && strcmp(e->name, "hash") == 0))
		return ~0ULL;
	a = largest(r, t, e->arg[0]);
	b = largest(r, t, e->arg[1]);
	if (e->kind == EXPR_CALL && e->type == TYPE_INT && (may_be_negative(a) || may_be_negative(b)))
		return ~0ULL;
	if (e->kind == EXPR_CALL)
		return (strcmp(e->name, "min") == 0) == (a < b) ? a : b;
	return largest_binary(e->op, e->type == TYPE_INT, a, b, e->arg[1]);
}

static uint64_t *place_of(struct ranges *r, const struct app_table *t, const struct expr *lhs)
{
	if (lhs->ref.kind == REF_REGISTER)
		return &r->reg[t - r->c->app->table][lhs->ref.index];
	if (lhs->ref.kind == REF_GLOBAL)
		return &r->global[lhs->ref.index];
	return lhs->ref.kind == REF_VARIABLE ? &r->var[lhs->ref.index] : NULL;
}

static void grow(struct ranges *r, const struct app_table *t, const struct stmt_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct stmt *stmt = &list->item[i];
		uint64_t *place = stmt->kind == STMT_ASSIGN ? place_of(r, t, stmt->lhs) : NULL, value;

		if (!place || stmt->lhs->type == TYPE_ADDR)
			continue;
		value = largest(r, t, stmt->value);
		if (stmt->op != EOP_NONE)
			value = largest_binary(stmt->op, stmt->lhs->type == TYPE_INT || stmt->value->type == TYPE_INT,
					       *place, value, stmt->value);
		if (value > *place) {
			*place = r->widen ? ~0ULL : value;
			r->grew = true;
		}
	}
}

static void grow_learn(struct ranges *r, const struct app_table *t, const struct app_learn *learn)
{
	if (!learn)
		return;
	for (size_t i = 0; i < learn->n_sets; i++) {
		uint64_t *place = &r->reg[learn->table][learn->set[i].reg];
		uint64_t value = largest(r, t, learn->set[i].value);

		if (value > *place) {
			*place = r->widen ? ~0ULL : value;
			r->grew = true;
		}
	}
	if (learn->from_text && learn->to > r->reg[t - r->c->app->table][learn->reg])
		r->reg[t - r->c->app->table][learn->reg] = learn->to;
	grow(r, t, &learn->otherwise);
}

static void grow_all(struct ranges *r)
{
	const struct app *app = r->c->app;

	for (size_t t = 0; t < app->n_tables; t++) {
		for (size_t i = 0; i < app->table[t].n_rules; i++) {
			grow(r, &app->table[t], &app->table[t].rule[i].do_);
			grow(r, &app->table[t], &app->table[t].rule[i].action);
			grow_learn(r, &app->table[t], app->table[t].rule[i].learn);
			grow_learn(r, &app->table[t], app->table[t].rule[i].allocate);
		}
		for (size_t i = 0; i < app->table[t].n_states; i++)
			grow(r, &app->table[t], &app->table[t].state[i].on_timeout);
		grow(r, &app->table[t], &app->table[t].otherwise);
		grow(r, &app->table[t], &app->table[t].absent);
	}
}

/* Ends: once widening, each place grows at most once more. */
static void settle(struct ranges *r)
{
	unsigned round = 0;

	do {
		r->grew = false;
		r->widen = round++ >= EXACT_ROUNDS;
		grow_all(r);
	} while (r->grew);
}

static void warn_steps(const struct ranges *r, const struct app_table *t, const struct stmt_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct stmt *stmt = &list->item[i];
		const struct field *field = stmt->kind == STMT_ASSIGN ? stmt->lhs->ref.field : NULL;

		if (!field || stmt->lhs->ref.kind != REF_FIELD || stmt->op != EOP_NONE || field->bits >= 64)
			continue;
		if (largest(r, t, stmt->value) <= ones(field->bits))
			continue;
		if (stmt->value->constant && stmt->value->type == TYPE_INT)
			WARN(r->c, stmt->value->loc, "%" PRId64 " does not fit in \"%s\"; its low %u bits are written",
			     (int64_t)stmt->value->value, field->name, field->bits);
		else if (stmt->value->constant)
			WARN(r->c, stmt->value->loc, "%" PRIu64 " does not fit in \"%s\"; its low %u bits are written",
			     stmt->value->value, field->name, field->bits);
		else
			WARN(r->c, stmt->value->loc,
			     "\"%s\" has %u bits and this may be more; the low bits are written", field->name,
			     field->bits);
	}
}

void app_warn_narrowing(struct checker *c)
{
	struct ranges r = {.c = c};
	struct app *app = c->app;

	r.var = arena_alloc_array(c->arena, app->n_vars + 1, sizeof(*r.var));
	r.reg = arena_alloc_array(c->arena, app->n_tables + 1, sizeof(*r.reg));
	r.global = arena_alloc_array(c->arena, app->n_globals + 1, sizeof(*r.global));
	for (size_t i = 0; i < app->n_globals; i++)
		r.global[i] = app->global[i].max; /* The controller may set it. */
	for (size_t t = 0; t < app->n_tables; t++)
		r.reg[t] = arena_alloc_array(c->arena, app->table[t].n_regs + 1, sizeof(**r.reg));
	settle(&r);
	for (size_t t = 0; t < app->n_tables; t++) {
		for (size_t i = 0; i < app->table[t].n_rules; i++)
			warn_steps(&r, &app->table[t], &app->table[t].rule[i].action);
		warn_steps(&r, &app->table[t], &app->table[t].otherwise);
		warn_steps(&r, &app->table[t], &app->table[t].absent);
	}
}
