/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which registers of which tables are read further on (TABLE.NAME), and in which cells they travel:
 * behind the packet variables, in the order of tables and registers, so that every table of the
 * application computes the same plan. */
#include <errno.h>
#include <string.h>

#include "../common/cleanup.h"
#include "encode_int.h"

struct walk {
	const struct app *app;
	unsigned table;
	bool (*read)[28]; /* [APP_TABLES_MAX] */
	struct table_uses uses;
};

static void see_ref(struct walk *w, const struct ref *ref)
{
	enum ref_kind kind = ref->kind == REF_MEMBER ? ref->of : ref->kind;

	if (kind == REF_TABLE_REGISTER && ref->table < w->table && ref->index < 28)
		w->read[ref->table][ref->index] = true;
	if (ref->kind == REF_GLOBAL)
		w->uses.globals |= 1ULL << ref->index;
	if (ref->kind == REF_FIELD)
		w->uses.headers |= ref->field->needs & HEADERS_DECLARED;
}

/* What a member is chosen by. */
static void see_group(struct walk *w, unsigned group)
{
	for (size_t i = 0; i < w->app->group[group].n_hash; i++)
		see_ref(w, &w->app->group[group].hash[i]);
}

static void see_expr(struct walk *w, const struct expr *expr)
{
	if (!expr || expr->constant)
		return;
	if (expr->kind == EXPR_NAME)
		see_ref(w, &expr->ref);
	if (expr->kind == EXPR_CALL && strcmp(expr->name, "has") == 0)
		w->uses.headers |= expr->value & HEADERS_DECLARED;
	if (expr->kind == EXPR_CALL && strcmp(expr->name, "select") == 0)
		see_group(w, expr->value);
	for (unsigned i = 0; i < expr->n_args; i++)
		see_expr(w, expr->arg[i]);
}

static void see_stmts(struct walk *w, const struct stmt_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct stmt *stmt = &list->item[i];
		bool is_global = stmt->kind == STMT_ASSIGN && stmt->lhs->ref.kind == REF_GLOBAL;
		enum op_code code;

		/* The old value of a global is not read: its operation is atomic. */
		see_expr(w, is_global ? app_global_operand(stmt, &code) : stmt->value);
		if (stmt->kind == STMT_VERDICT && stmt->verdict == VERDICT_GROUP)
			see_group(w, stmt->target);
		if (stmt->kind == STMT_ASSIGN && stmt->lhs->ref.kind == REF_FIELD)
			see_ref(w, &stmt->lhs->ref);
	}
}

static void see_learn(struct walk *w, const struct app_learn *learn)
{
	if (!learn)
		return;
	see_expr(w, learn->first);
	for (size_t i = 0; i < learn->n_key; i++)
		see_expr(w, learn->key[i]);
	for (size_t i = 0; i < learn->n_sets; i++)
		see_expr(w, learn->set[i].value);
	see_stmts(w, &learn->otherwise);
}

static void see_keys(struct walk *w, const struct app_key *key, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (key[i].kind == KEY_TABLE_REGISTER || key[i].kind == KEY_FIELD)
			see_ref(w, &key[i].ref);
}

static void see_table(struct walk *w, const struct app_table *t)
{
	see_keys(w, t->lookup, t->n_lookup);
	if (t->update)
		see_keys(w, t->update, t->n_update);
	for (size_t i = 0; i < t->n_lets; i++)
		see_expr(w, t->let[i].expr);
	for (size_t i = 0; i < t->n_rules; i++) {
		const struct app_rule *rule = &t->rule[i];

		for (size_t m = 0; m < rule->n_match; m++)
			see_ref(w, &rule->match[m].ref);
		see_expr(w, rule->when);
		see_stmts(w, &rule->do_);
		see_learn(w, rule->learn);
		see_learn(w, rule->allocate);
		see_stmts(w, &rule->action);
	}
	see_stmts(w, &t->otherwise);
	see_stmts(w, &t->absent);
}

static unsigned words_of(enum value_type type)
{
	return type == TYPE_ADDR ? 2 : 1;
}

struct table_uses carry_uses(const struct app *app, unsigned table)
{
	bool read[APP_TABLES_MAX][28] = {};
	struct walk w = {.app = app, .table = table, .read = read};

	see_table(&w, &app->table[table]);
	/* A header that follows another needs to know of it; earlier ones are followed only by later ones. */
	for (size_t i = app->n_headers; i-- > 0;)
		if (w.uses.headers >> (PRESENT_CUSTOM + i) & 1)
			for (size_t m = 0; m < app->header[i].n_after; m++)
				see_ref(&w, &app->header[i].after[m].ref);
	return w.uses;
}

int carry_plan(const struct app *app, struct carry *ret_carry, unsigned *ret_words)
{
	bool read[APP_TABLES_MAX][28] = {};
	struct carry carry = {};
	unsigned word = 0;

	for (unsigned i = 0; i < app->n_tables; i++) {
		struct walk w = {.app = app, .table = i, .read = read};

		see_table(&w, &app->table[i]);
	}
	for (size_t i = 0; i < app->n_vars; i++)
		word += words_of(app->var[i].type);
	for (unsigned t = 0; t < app->n_tables; t++)
		for (unsigned r = 0; r < app->table[t].n_regs && r < 28; r++) {
			if (!read[t][r])
				continue;
			carry.used[t] = true;
			carry.cell[t][r] = CELL_VAR + word;
			word += words_of(app->table[t].reg[r].type);
		}
	carry.global = CELL_VAR + word;
	word += app->n_globals;
	*ret_words = word;
	if (word > CELL_META - CELL_VAR)
		return -E2BIG;
	*ret_carry = carry;
	return 0;
}
