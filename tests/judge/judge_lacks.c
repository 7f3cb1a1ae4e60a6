/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the judge does not execute yet. */
#include <string.h>

#include "judge.h"

static const char *lacks_ref(const struct ref *ref)
{
	static const char *const headers[] = {"mpls.", "srv6.", "nd.", "vxlan.", "inner."};

	for (unsigned i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (ref->kind == REF_FIELD && strncmp(ref->field->name, headers[i], strlen(headers[i])) == 0)
			return ref->field->name;
	return NULL;
}

static const char *lacks_expr(const struct expr *e)
{
	const char *what = e ? lacks_ref(&e->ref) : NULL;

	for (unsigned i = 0; e && i < e->n_args && !what; i++)
		what = lacks_expr(e->arg[i]);
	return what;
}

static const char *lacks_step(const struct stmt *stmt)
{
	const char *what = lacks_expr(stmt->value);

	if (!what)
		what = lacks_expr(stmt->lhs);
	if (what)
		return what;
	switch (stmt->kind) {
	case STMT_PUSH:
	case STMT_POP:
	case STMT_SEGMENT:
	case STMT_NEXT_SEGMENT: return "headers pushed and popped, other than tags";
	case STMT_BECOME:
	case STMT_EMIT:
	case STMT_EMITTED: return "templates";
	case STMT_MIRROR: return "mirror()";
	case STMT_VERDICT:
		return stmt->verdict == VERDICT_ROUTE ? "route" : stmt->verdict == VERDICT_GROUP ? "group()" : NULL;
	default: return NULL;
	}
}

static const char *lacks_steps(const struct stmt_list *list)
{
	const char *what = NULL;

	for (size_t i = 0; i < list->n && !what; i++)
		what = lacks_step(&list->item[i]);
	return what;
}

static const char *lacks_rule(const struct app_rule *rule)
{
	const char *what = lacks_steps(&rule->action);

	if (!what)
		what = lacks_expr(rule->when);
	if (!what)
		what = lacks_steps(&rule->do_);
	for (size_t i = 0; i < rule->n_match && !what; i++)
		what = lacks_ref(&rule->match[i].ref);

	if (!what && rule->learn)
		what = lacks_steps(&rule->learn->otherwise);
	if (!what && rule->allocate)
		what = lacks_steps(&rule->allocate->otherwise);
	return what;
}

static const char *lacks_table(const struct app_table *t)
{
	const char *what = lacks_steps(&t->otherwise);

	for (size_t i = 0; i < t->n_lookup && !what; i++)
		what = lacks_ref(&t->lookup[i].ref);
	for (size_t i = 0; i < t->n_lets && !what; i++)
		what = lacks_expr(t->let[i].expr);

	if (!what)
		what = lacks_steps(&t->absent);
	for (size_t i = 0; i < t->n_rules && !what; i++)
		what = lacks_rule(&t->rule[i]);
	return what;
}

const char *judge_lacks(const struct app *app)
{
	const char *what = app->n_groups ? "groups" : app->n_templates ? "templates" : NULL;

	for (size_t i = 0; i < app->n_tables && !what; i++)
		what = lacks_table(&app->table[i]);
	return what;
}
