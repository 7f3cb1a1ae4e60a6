/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "explain_eval.h"

enum { TEXT_SIZE = 96, SKIPPED_MAX = 16 };

struct explain {
	struct enc enc;
	struct placement placement;
	struct table table;
};

/* One packet's step while it is put into words. */
struct teller {
	const struct explain *ex;
	const struct layout *layout;
	const struct native_step *step;
	struct eval before; /* When the rule was chosen. */
	struct eval after;  /* After `do`, for the action. */
	__u64 cells[CELLS]; /* Of 'after'. */
};

/* ---- values --------------------------------------------------------------------------------- */

static uint64_t now_of(const struct teller *t)
{
	return t->step->cells[CELL_NOW];
}

static void tell_value(FILE *out, const struct teller *t, enum value_type type, struct eval_value value)
{
	char buf[TEXT_SIZE];

	if (!value.known)
		fputc('?', out);
	else
		fputs(value_render(type, value.hi, value.lo, now_of(t), buf, sizeof(buf)), out);
}

/* "start is 0.3 s ahead", "port is 2" */
static void tell_is(FILE *out, const struct teller *t, const char *name, enum value_type type, struct eval_value value)
{
	uint64_t now = now_of(t), away = value.lo >= now ? value.lo - now : now - value.lo;
	char buf[TEXT_SIZE];

	if (type == TYPE_TIME && value.known && value.lo != 0)
		fprintf(out, "%s %s %s %s", name, value.lo >= now ? "is" : "was",
			value_render(TYPE_DURATION, 0, away, 0, buf, sizeof(buf)), value.lo >= now ? "ahead" : "ago");
	else {
		fprintf(out, "%s is ", name);
		tell_value(out, t, type, value);
	}
}

/* ---- presence ------------------------------------------------------------------------------- */

static bool present(const struct teller *t, uint64_t needs)
{
	return eval_present(&t->before, needs);
}

/* The first name in 'expr' that the packet lacks, or NULL. */
static const char *absent_name(const struct teller *t, const struct expr *expr)
{
	const char *name = NULL;

	if (!expr || expr->constant || (expr->kind == EXPR_CALL && strcmp(expr->name, "has") == 0))
		return NULL;
	if (expr->kind == EXPR_NAME)
		return present(t, enc_ref_needs(&t->ex->enc, &expr->ref)) ? NULL : expr->name;
	for (unsigned i = 0; i < expr->n_args && !name; i++)
		name = absent_name(t, expr->arg[i]);
	return name;
}

/* Of what a rule does; a pushed tag may be written though the packet has none. */
static const char *absent_in_action(const struct teller *t, const struct app_rule *rule)
{
	const struct enc *e = &t->ex->enc;
	const char *name = NULL;

	if (present(t, enc_action_needs(e, &rule->do_, &rule->action)))
		return NULL;
	for (size_t i = 0; i < rule->do_.n && !name; i++)
		name = absent_name(t, rule->do_.item[i].value);
	for (size_t i = 0; i < rule->action.n && !name; i++) {
		const struct stmt *stmt = &rule->action.item[i];

		name = absent_name(t, stmt->value);
		if (!name && stmt->kind == STMT_ASSIGN)
			name = absent_name(t, stmt->lhs);
	}
	return name ? name : "a header that the action needs";
}

/* ---- conditions ----------------------------------------------------------------------------- */

static void tell_side(FILE *out, const struct teller *t, const struct expr *side, bool *first)
{
	_cleanup_free_ char *text = expr_render(side);
	bool is_now = side->kind == EXPR_NAME && side->ref.kind == REF_META && side->ref.cell == CELL_NOW;

	/* A literal says its value itself. */
	if (!text || is_now || side->kind == EXPR_PREFIX ||
	    (side->constant && (side->ref.kind != REF_CONSTANT || !side->name)))
		return;
	fputs(*first ? " (" : ", ", out);
	*first = false;
	tell_is(out, t, text, side->type, eval_expr(&t->before, side));
}

static bool is_comparison(const struct expr *expr)
{
	return expr->kind == EXPR_BINARY && expr->op >= EOP_EQ && expr->op <= EOP_IN;
}

static const struct expr *false_part(const struct teller *t, const struct expr *expr);

/* "now < start -> true (start is 0.3 s ahead)" */
static void tell_condition(FILE *out, const struct teller *t, const struct expr *expr)
{
	_cleanup_free_ char *text = expr_render(expr);
	struct eval_value value = eval_expr(&t->before, expr);
	const struct expr *inner = expr, *part;
	bool first = true;

	fprintf(out, "%s -> %s", text ? text : "?", !value.known ? "?" : value.lo ? "true" : "false");
	while (inner->kind == EXPR_NAME && inner->ref.kind == REF_LET)
		inner = t->ex->enc.at->let[inner->ref.index].expr;
	if (is_comparison(inner)) {
		tell_side(out, t, inner->arg[0], &first);
		tell_side(out, t, inner->arg[1], &first);
	}
	if (!first)
		fputc(')', out);
	if (inner == expr || is_comparison(inner) || !value.known || value.lo != 0)
		return;
	/* A named conjunction is false by one of its parts. */
	part = false_part(t, inner);
	if (part && part != inner) {
		fputs(": ", out);
		tell_condition(out, t, part);
	}
}

static void tell_conjuncts(FILE *out, const struct teller *t, const struct expr *expr)
{
	if (expr->kind == EXPR_BINARY && expr->op == EOP_AND && !expr->constant) {
		tell_conjuncts(out, t, expr->arg[0]);
		tell_conjuncts(out, t, expr->arg[1]);
		return;
	}
	tell_condition(out, t, expr);
	fputc('\n', out);
}

/* The part of a conjunction that is false, or NULL. */
static const struct expr *false_part(const struct teller *t, const struct expr *expr)
{
	const struct expr *part;
	struct eval_value value;

	if (expr->kind == EXPR_BINARY && expr->op == EOP_AND && !expr->constant) {
		part = false_part(t, expr->arg[0]);
		return part ? part : false_part(t, expr->arg[1]);
	}
	value = eval_expr(&t->before, expr);
	return value.known && value.lo == 0 ? expr : NULL;
}

/* "l4.dst: first -> true (l4.dst is 1111)" */
static void tell_match(FILE *out, const struct teller *t, const struct match *m)
{
	struct eval_value value = eval_ref(&t->before, &m->ref);
	size_t name_len = strcspn(m->text, ":");
	char name[TEXT_SIZE];

	/* Names of fields have no ":", so the text's first one ends the name. */
	snprintf(name, sizeof(name), "%.*s", (int)name_len, m->text);
	fprintf(out, "%s -> %s (", m->text, eval_match(m, value) ? "true" : "false");
	tell_is(out, t, name, m->type, value);
	fputc(')', out);
}

static void tell_conditions(FILE *out, const struct teller *t, const struct app_rule *rule)
{
	for (size_t i = 0; i < rule->n_match; i++) {
		tell_match(out, t, &rule->match[i]);
		fputc('\n', out);
	}
	if (rule->when)
		tell_conjuncts(out, t, rule->when);
}

/* ---- rules that did not match --------------------------------------------------------------- */

static void tell_rule_name(FILE *out, const struct app_rule *rule)
{
	if (rule->name)
		fputs(rule->name, out);
	else
		fprintf(out, "line %u", rule->loc.line);
}

static void tell_why_not(FILE *out, const struct teller *t, const struct app_rule *rule)
{
	const char *absent = absent_name(t, rule->when);
	const struct expr *part;

	for (size_t i = 0; i < rule->n_match; i++) {
		const struct match *m = &rule->match[i];

		if (!present(t, enc_ref_needs(&t->ex->enc, &m->ref))) {
			fprintf(out, "%s -> absent", m->text);
			return;
		}
		if (!eval_match(m, eval_ref(&t->before, &m->ref))) {
			tell_match(out, t, m);
			return;
		}
	}
	if (!absent)
		absent = absent_in_action(t, rule);
	part = rule->when && !absent ? false_part(t, rule->when) : NULL;
	if (absent)
		fprintf(out, "%s is absent", absent);
	else if (part)
		tell_condition(out, t, part);
	else
		fputs("did not match", out);
}

static int state_index(const struct teller *t)
{
	const struct app_table *at = t->ex->enc.at;
	const char *name = t->layout ? layout_state_name(t->layout, t->step->old_state) : "";

	for (size_t i = 0; i < at->n_states; i++)
		if (strcmp(at->state[i].name, name) == 0)
			return i;
	return 0;
}

static void tell_skipped(FILE *out, const struct teller *t)
{
	const struct app_table *at = t->ex->enc.at;
	size_t end = t->step->rule < at->n_rules ? t->step->rule : at->n_rules;
	unsigned state = state_index(t), n = 0;

	if (t->step->rule == RULE_ABSENT)
		return;
	for (size_t i = 0; i < end; i++) {
		const struct app_rule *rule = &at->rule[i];

		if (at->stateful && !rule->any_state && !(rule->states >> state & 1))
			continue;
		if (n++ == SKIPPED_MAX) {
			fputs("...\n", out);
			return;
		}
		tell_rule_name(out, rule);
		fputs(": ", out);
		tell_why_not(out, t, rule);
		fputc('\n', out);
	}
}

/* ---- what the rule did ---------------------------------------------------------------------- */

/* Puts a value where `do` or an action would put it. */
static void assign(struct teller *t, const struct stmt *stmt, const struct eval *eval)
{
	const struct enc *e = &t->ex->enc;
	struct eval_value value = eval_assigned(eval, stmt);
	bool wide = stmt->lhs->type == TYPE_ADDR;
	unsigned cell;

	if (stmt->lhs->ref.kind == REF_VARIABLE)
		cell = CELL_VAR + e->app->var[stmt->lhs->ref.index].word;
	else if (stmt->lhs->ref.kind == REF_GLOBAL)
		cell = e->carry.global + stmt->lhs->ref.index;
	else if (stmt->lhs->ref.kind == REF_REGISTER || stmt->lhs->ref.kind == REF_TABLE_REGISTER)
		cell = eval->image + e->layout.reg[stmt->lhs->ref.index].word;
	else
		return;
	if (wide)
		t->cells[cell++] = value.hi;
	t->cells[cell] = value.lo;
}

static void run_do(struct teller *t, const struct app_rule *rule)
{
	struct eval eval = t->after;

	eval.image = t->ex->enc.at->update ? CELL_UPDATE : CELL_LOOKUP;
	for (size_t i = 0; i < rule->do_.n; i++)
		assign(t, &rule->do_.item[i], &eval);
	if (!t->ex->enc.at->update && t->step->n_after > 0)
		memcpy(&t->cells[CELL_LOOKUP], t->step->after, t->step->n_after * sizeof(__u64));
}

static bool is_register(const struct ref *ref)
{
	return ref->kind == REF_REGISTER || ref->kind == REF_TABLE_REGISTER;
}

static bool is_written(const struct app_rule *rule, size_t index)
{
	for (size_t i = 0; i < rule->do_.n; i++) {
		const struct ref *ref = &rule->do_.item[i].lhs->ref;

		if (is_register(ref) && ref->index == index)
			return true;
	}
	return rule->allocate && rule->allocate->reg == index;
}

static void tell_register(FILE *out, const struct teller *t, size_t index, bool *first)
{
	const struct layout_field *f = &t->layout->reg[index];
	bool known = t->step->found && !t->ex->enc.at->update;
	struct eval_value old = {.known = true}, new_ = {.known = true};
	__u64 hi, lo;

	layout_get(f, &t->step->cells[CELL_LOOKUP], &hi, &lo);
	old.hi = hi;
	old.lo = lo;
	layout_get(f, t->step->after, &hi, &lo);
	new_.hi = hi;
	new_.lo = lo;
	if (known && old.hi == new_.hi && old.lo == new_.lo)
		return;
	fprintf(out, "%s%s%s", *first ? "" : "; ", f->name, known ? ": " : " = ");
	*first = false;
	if (known) {
		tell_value(out, t, f->type, old);
		fputs(" -> ", out);
	}
	tell_value(out, t, f->type, new_);
}

/* The record that the rule wrote elsewhere, or tried to. */
static void tell_learn(FILE *out, const struct teller *t, const char *what, const struct app_learn *learn, bool failed)
{
	const struct app_table *to = &t->ex->enc.app->table[learn->table];

	fprintf(out, "%s %s(", what, to->name);
	for (size_t i = 0; i < learn->n_key; i++) {
		fprintf(out, "%s%s=", i ? " " : "", to->lookup[i].text);
		tell_value(out, t, to->lookup[i].type, eval_expr(&t->after, learn->key[i]));
	}
	fputs(failed ? ") failed: else" : ")", out);
	if (failed)
		return;
	if (to->has_states)
		fprintf(out, " -> %s", to->state[learn->state].name);
	for (size_t i = 0; i < learn->n_sets; i++) {
		const struct typed *reg = &to->reg[learn->set[i].reg];

		fprintf(out, "%s%s = ", i ? ", " : ": ", reg->name);
		tell_value(out, t, reg->type, eval_expr(&t->after, learn->set[i].value));
	}
}

static void tell_learns(FILE *out, const struct teller *t, const struct app_rule *rule, bool first)
{
	if (rule->allocate) {
		fputs(first ? "" : "; ", out);
		tell_learn(out, t, "allocate", rule->allocate, t->step->else_of == ELSE_OF_ALLOCATE);
		first = false;
	}
	if (rule->learn && t->step->else_of != ELSE_OF_ALLOCATE) {
		fputs(first ? "" : "; ", out);
		tell_learn(out, t, "learn", rule->learn, t->step->else_of == ELSE_OF_LEARN);
	}
}

static void tell_updates(FILE *out, const struct teller *t, const struct app_rule *rule)
{
	bool first = true;

	for (size_t i = 0; t->layout && t->step->n_after > 0 && i < t->layout->n_regs; i++)
		if (is_written(rule, i))
			tell_register(out, t, i, &first);
	for (size_t i = 0; i < rule->do_.n; i++) {
		const struct stmt *stmt = &rule->do_.item[i];

		if (is_register(&stmt->lhs->ref))
			continue;
		fprintf(out, "%s%s = ", first ? "" : "; ", stmt->lhs->name);
		tell_value(out, t, stmt->lhs->type, eval_ref(&t->after, &stmt->lhs->ref));
		first = false;
	}
	tell_learns(out, t, rule, first);
}

/* ---- verdict -------------------------------------------------------------------------------- */

static void tell_assignment(FILE *out, struct teller *t, const struct stmt *stmt)
{
	fprintf(out, "%s = ", stmt->lhs->name);
	tell_value(out, t, stmt->lhs->type, eval_assigned(&t->after, stmt));
	assign(t, stmt, &t->after);
}

static void tell_stmt(FILE *out, struct teller *t, const struct stmt *stmt)
{
	/* A list of segments stands before its push. */
	unsigned before = stmt->kind == STMT_PUSH ? stmt->target : 0;
	const struct stmt_list one = {.item = (struct stmt *)stmt - before, .n = 1 + before};
	_cleanup_free_ char *text = NULL;

	if (stmt->kind == STMT_ASSIGN) {
		tell_assignment(out, t, stmt);
		return;
	}
	if (stmt->kind == STMT_VERDICT && stmt->verdict == VERDICT_OUTPUT) {
		fputs("output(", out);
		tell_value(out, t, TYPE_PORT, eval_expr(&t->after, stmt->value));
		fputc(')', out);
		return;
	}
	text = stmt_render(&one);
	fputs(text ? text : "?", out);
}

static void tell_action(FILE *out, struct teller *t, const struct stmt_list *action)
{
	const struct enc *e = &t->ex->enc;
	bool verdict = false;
	int next;

	for (size_t i = 0; i < action->n; i++) {
		verdict |= action->item[i].kind == STMT_VERDICT;
		if (action->item[i].kind == STMT_SEGMENT || action->item[i].kind == STMT_EMITTED)
			continue;
		tell_stmt(out, t, &action->item[i]);
		if (i + 1 < action->n || !verdict)
			fputs("; ", out);
	}
	if (verdict)
		return;
	next = encode_next_on_hook(e->app, e->index, e->default_hook);
	if (next >= 0)
		fprintf(out, "on to %s", e->app->table[next].name);
	else
		fputs("pass", out);
}

/* ---- key ------------------------------------------------------------------------------------ */

static void tell_key(FILE *out, const struct teller *t)
{
	__u64 words[FLOW_HEAD_WORDS + KEY_WORDS_MAX + 1] = {};

	if (!t->layout || t->step->absent || t->step->rule == RULE_ABSENT)
		return;
	memcpy(&words[FLOW_HEAD_WORDS], t->step->key, sizeof(t->step->key));
	for (size_t i = 0; i < t->layout->n_keys; i++) {
		const struct layout_field *f = &t->layout->key[i];
		struct eval_value value = {.known = true};
		__u64 hi, lo;

		layout_get(f, words, &hi, &lo);
		value.hi = hi;
		value.lo = lo;
		fprintf(out, "%s%s=", i ? " " : "", f->name);
		tell_value(out, t, f->type, value);
	}
}

static void tell_absent(FILE *out, const struct teller *t)
{
	const struct app_table *at = t->ex->enc.at;

	for (size_t i = 0; i < at->n_lookup; i++) {
		const struct app_key *key = &at->lookup[i];
		bool known = key->kind == KEY_FIELD || key->kind == KEY_TABLE_REGISTER;

		if (known && !present(t, enc_ref_needs(&t->ex->enc, &key->ref)))
			fprintf(out, "%s is absent\n", key->text);
		else if (!known && key->kind != KEY_VARIABLE)
			fprintf(out, "%s needs fields that may be absent\n", key->text);
	}
}

/* ---- public
 * ---------------------------------------------------------------------------------------------------------- */

int explain_new(const struct app *app, unsigned index, enum hook_id default_hook, struct explain **ret_explain)
{
	struct explain *ex = calloc(1, sizeof(*ex));
	int r;

	if (!ex)
		return -ENOMEM;
	/* Cells do not depend on the place, so any placement will do. */
	enc_made_up_placement(app, default_hook, &ex->placement);
	r = enc_init(&ex->enc, app, index, default_hook, &ex->placement, NULL, &ex->table);
	if (r == 0)
		r = enc_run(&ex->enc);
	if (r < 0) {
		explain_free(ex);
		return r;
	}
	*ret_explain = ex;
	return 0;
}

void explain_free(struct explain *explain)
{
	if (!explain)
		return;
	enc_done(&explain->enc);
	free(explain);
}

struct telling {
	void (*tell)(FILE *out, struct teller *t, const struct app_rule *rule, const struct stmt_list *action);
	char **ret_text;
};

static void part_key(FILE *out, struct teller *t, const struct app_rule *rule, const struct stmt_list *action)
{
	tell_key(out, t);
}

static void part_rule(FILE *out, struct teller *t, const struct app_rule *rule, const struct stmt_list *action)
{
	fputs(rule			     ? (rule->name ? rule->name : rule->text)
	      : t->step->rule == RULE_ABSENT ? "absent"
					     : "otherwise",
	      out);
}

static void part_conditions(FILE *out, struct teller *t, const struct app_rule *rule, const struct stmt_list *action)
{
	if (rule)
		tell_conditions(out, t, rule);
	else if (t->step->rule == RULE_ABSENT)
		tell_absent(out, t);
}

static void part_skipped(FILE *out, struct teller *t, const struct app_rule *rule, const struct stmt_list *action)
{
	tell_skipped(out, t);
}

static void part_updates(FILE *out, struct teller *t, const struct app_rule *rule, const struct stmt_list *action)
{
	if (rule)
		tell_updates(out, t, rule);
}

static void part_verdict(FILE *out, struct teller *t, const struct app_rule *rule, const struct stmt_list *action)
{
	tell_action(out, t, action);
}

/* Without the end of the last line. */
static int tell(const struct telling *telling, struct teller *t, const struct app_rule *rule,
		const struct stmt_list *action)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	telling->tell(out, t, rule, action);
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	if (size > 0 && text[size - 1] == '\n')
		text[size - 1] = '\0';
	*telling->ret_text = text;
	return 0;
}

int explain_step(const struct explain *explain, const struct layout *layout, const struct native_step *step,
		 struct explanation *ret_explanation)
{
	const struct app_table *at = explain->enc.at;
	const struct app_rule *rule = step->rule < at->n_rules ? &at->rule[step->rule] : NULL;
	const struct stmt_list *action = rule && step->else_of == ELSE_OF_LEARN	     ? &rule->learn->otherwise
					 : rule && step->else_of == ELSE_OF_ALLOCATE ? &rule->allocate->otherwise
					 : rule					     ? &rule->action
					 : step->rule == RULE_ABSENT		     ? &at->absent
										     : &at->otherwise;
	struct explanation ret = {
		.fell_from = "", .old_state = "", .new_state = "", .rule_line = rule ? rule->loc.line : 0};
	struct teller t = {.ex = explain, .layout = layout, .step = step};
	unsigned offset;
	const struct telling telling[] = {
		{part_key, &ret.key},	      {part_rule, &ret.rule},	    {part_conditions, &ret.conditions},
		{part_skipped, &ret.skipped}, {part_updates, &ret.updates}, {part_verdict, &ret.verdict},
	};

	/* The explainer numbers tables as if its application were alone on the hook. */
	offset = (step->element % HOOK_TABLES_MAX - explain->enc.place->hook_table) % HOOK_TABLES_MAX;
	t.before = (struct eval){&explain->enc, step->cells, CELL_LOOKUP, offset, NULL};
	memcpy(t.cells, step->cells, sizeof(t.cells));
	t.after = (struct eval){&explain->enc, t.cells, CELL_LOOKUP, offset, step->cells};
	if (rule && step->else_of != ELSE_OF_ALLOCATE)
		run_do(&t, rule);
	if (layout && step->rule != RULE_ABSENT) {
		ret.old_state = layout_state_name(layout, step->old_state);
		ret.new_state = layout_state_name(layout, step->new_state);
		if (step->was_there && strcmp(layout_state_name(layout, step->stored_state), ret.old_state) != 0)
			ret.fell_from = layout_state_name(layout, step->stored_state);
	}
	for (size_t i = 0; i < ARRAY_SIZE(telling); i++)
		if (tell(&telling[i], &t, rule, action) < 0) {
			explain_done(&ret);
			return -ENOMEM;
		}
	*ret_explanation = ret;
	return 0;
}

void explain_done(struct explanation *explanation)
{
	free(explanation->key);
	free(explanation->rule);
	free(explanation->conditions);
	free(explanation->skipped);
	free(explanation->updates);
	free(explanation->verdict);
	memset(explanation, 0, sizeof(*explanation));
}
