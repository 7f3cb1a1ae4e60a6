/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What replacing one application by another changes, in the order of the file. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "diff_entry.h"
#include "diff_text.h"
#include "layout.h"

struct diff {
	FILE *out;
	bool same;
};

static void change(struct diff *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void change(struct diff *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(d->out, format, args);
	va_end(args);
	fputc('\n', d->out);
	d->same = false;
}

static bool text_equal(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* ---- parameters and variables --------------------------------------------------------------- */

static const struct parameter *find_parameter(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_params; i++)
		if (strcmp(app->param[i].name, name) == 0)
			return &app->param[i];
	return NULL;
}

static bool value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type || a->hi != b->hi || a->lo != b->lo || a->prefix_len != b->prefix_len ||
	    a->range != b->range || a->last != b->last || a->field != b->field || a->n_items != b->n_items)
		return false;
	if (a->type == TYPE_PORT && !text_equal(a->text, b->text))
		return false;
	for (size_t i = 0; i < a->n_items; i++)
		if (!value_equal(&a->item[i], &b->item[i]))
			return false;
	return true;
}

static const char *shown(const struct parameter *p)
{
	if (p->value.text && (p->has_default || p->is_set))
		return p->value.text;
	return p->value.n_items > 0 ? "a list" : value_type_name(p->type);
}

static void diff_parameters(struct diff *d, const struct app *old, const struct app *new_)
{
	for (size_t i = 0; i < old->n_params; i++)
		if (!find_parameter(new_, old->param[i].name))
			change(d, "parameter %s removed", old->param[i].name);
	for (size_t i = 0; i < new_->n_params; i++) {
		const struct parameter *p = &new_->param[i], *was = find_parameter(old, p->name);

		if (!was)
			change(d, "parameter %s added: %s", p->name, shown(p));
		else if (!value_equal(&was->value, &p->value))
			change(d, "parameter %s: %s -> %s", p->name, shown(was), shown(p));
	}
}

/* 'what' with its values before and now, if they differ; both are taken. */
static void change_line(struct diff *d, const char *what, const char *name, char *was, char *is)
{
	if (!text_equal(was, is))
		change(d, "%s%s: %s -> %s", what, name, was ? was : "", is ? is : "");
	free(was);
	free(is);
}

static void diff_variables(struct diff *d, const struct app *old, const struct app *new_)
{
	change_line(d, "variables", "", diff_text_typed(old->var, old->n_vars),
		    diff_text_typed(new_->var, new_->n_vars));
}

static const struct app_global *find_global(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_globals; i++)
		if (strcmp(app->global[i].name, name) == 0)
			return &app->global[i];
	return NULL;
}

/* A global lives on: what it begins with is of no interest to one that has begun. */
static void diff_globals(struct diff *d, const struct app *old, const struct app *new_)
{
	for (size_t i = 0; i < old->n_globals; i++)
		if (!find_global(new_, old->global[i].name))
			change(d, "global %s removed: its value is lost", old->global[i].name);
	for (size_t i = 0; i < new_->n_globals; i++) {
		const struct app_global *g = &new_->global[i], *was = find_global(old, g->name);

		if (!was)
			change(d, "global %s added: %s", g->name, g->initial_text);
		else if (was->initial != g->initial || was->type != g->type)
			change(d, "global %s begins with %s instead of %s: the value it has is kept", g->name,
			       g->initial_text, was->initial_text);
		if (was && (was->min != g->min || was->max != g->max))
			change(d, "range of global %s: %s -> %s", g->name, was->range_text ? was->range_text : "any",
			       g->range_text ? g->range_text : "any");
	}
}

static const struct app_header *find_header(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_headers; i++)
		if (strcmp(app->header[i].name, name) == 0)
			return &app->header[i];
	return NULL;
}

static const struct app_template *find_template(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_templates; i++)
		if (strcmp(app->template_[i].name, name) == 0)
			return &app->template_[i];
	return NULL;
}

static void diff_templates(struct diff *d, const struct app *old, const struct app *new_)
{
	for (size_t i = 0; i < old->n_templates; i++)
		if (!find_template(new_, old->template_[i].name))
			change(d, "template %s removed", old->template_[i].name);
	for (size_t i = 0; i < new_->n_templates; i++) {
		const struct app_template *t = &new_->template_[i], *was = find_template(old, t->name);

		if (!was) {
			change(d, "template %s added", t->name);
			continue;
		}
		if (was->size != t->size || memcmp(was->bytes, t->bytes, t->size) != 0)
			change(d, "bytes of template %s changed", t->name);
		change_line(d, "set of template ", t->name, stmt_render_all(&was->set), stmt_render_all(&t->set));
	}
}

static void diff_headers(struct diff *d, const struct app *old, const struct app *new_)
{
	for (size_t i = 0; i < old->n_headers; i++)
		if (!find_header(new_, old->header[i].name))
			change(d, "header %s removed", old->header[i].name);
	for (size_t i = 0; i < new_->n_headers; i++) {
		const struct app_header *header = &new_->header[i], *was = find_header(old, header->name);

		if (was)
			change_line(d, "header ", header->name, diff_text_header(was), diff_text_header(header));
		else
			change(d, "header %s added", header->name);
	}
}

/* ---- rules ---------------------------------------------------------------------------------- */

/* Counters follow the name, or the text of a rule without one: so do we. */
static const char *rule_id(const struct app_rule *rule)
{
	return rule->name ? rule->name : rule->text;
}

static const struct app_rule *find_rule(const struct app_table *t, const struct app_rule *like)
{
	for (size_t i = 0; i < t->n_rules; i++)
		if (!t->rule[i].name == !like->name && text_equal(rule_id(&t->rule[i]), rule_id(like)))
			return &t->rule[i];
	return NULL;
}

/* Rules that both have stand in another order. */
static bool is_reordered(const struct app_table *old, const struct app_table *new_)
{
	const struct app_rule *last = NULL;

	for (size_t i = 0; i < new_->n_rules; i++) {
		const struct app_rule *was = find_rule(old, &new_->rule[i]);

		if (!was)
			continue;
		if (last && was < last)
			return true;
		last = was;
	}
	return false;
}

static void diff_rules(struct diff *d, const struct app_table *old, const struct app_table *new_)
{
	const char *table = new_->name;

	for (size_t i = 0; i < old->n_rules; i++)
		if (!find_rule(new_, &old->rule[i]))
			change(d, "rule %s/%s removed", table, rule_id(&old->rule[i]));
	for (size_t i = 0; i < new_->n_rules; i++) {
		const struct app_rule *rule = &new_->rule[i], *was = find_rule(old, rule);

		if (!was)
			change(d, "rule %s/%s added", table, rule_id(rule));
		else if (!text_equal(was->text, rule->text))
			change(d, "rule %s/%s changed\n  was {%s}\n  is  {%s}", table, rule_id(rule), was->text,
			       rule->text);
	}
	if (is_reordered(old, new_))
		change(d, "rules of %s are in another order", table);
}

static char *action_text(const struct stmt_list *list)
{
	return list->n ? stmt_render(list) : strdup("go on");
}

static const struct let *find_let(const struct app_table *t, const char *name)
{
	for (size_t i = 0; i < t->n_lets; i++)
		if (strcmp(t->let[i].name, name) == 0)
			return &t->let[i];
	return NULL;
}

static void diff_lets(struct diff *d, const struct app_table *old, const struct app_table *new_)
{
	for (size_t i = 0; i < old->n_lets; i++)
		if (!find_let(new_, old->let[i].name))
			change(d, "let %s/%s removed", new_->name, old->let[i].name);
	for (size_t i = 0; i < new_->n_lets; i++) {
		const struct let *let = &new_->let[i], *was = find_let(old, let->name);
		char name[2 * NAME_LEN_MAX + 2];

		snprintf(name, sizeof(name), "%s/%s", new_->name, let->name);
		if (was)
			change_line(d, "let ", name, expr_render(was->expr), expr_render(let->expr));
		else
			change(d, "let %s added", name);
	}
}

/* ---- states and flows ----------------------------------------------------------------------- */

static const struct app_state *find_state(const struct app_table *t, const char *name)
{
	for (size_t i = 0; i < t->n_states; i++)
		if (strcmp(t->state[i].name, name) == 0)
			return &t->state[i];
	return NULL;
}

static void diff_states(struct diff *d, const struct app_table *old, const struct app_table *new_)
{
	for (size_t i = 0; i < old->n_states; i++)
		if (!find_state(new_, old->state[i].name))
			change(d, "state %s/%s removed: its flows become %s", new_->name, old->state[i].name,
			       *new_->state[0].name ? new_->state[0].name : "new ones");
	for (size_t i = 0; i < new_->n_states; i++) {
		const struct app_state *state = &new_->state[i], *was = find_state(old, state->name);
		char name[2 * NAME_LEN_MAX + 2];

		snprintf(name, sizeof(name), "%s/%s", new_->name, state->name);
		if (was)
			change_line(d, "timeouts of state ", name, diff_text_timeouts(old, was),
				    diff_text_timeouts(new_, state));
		else
			change(d, "state %s added", name);
	}
}

static char *typed_of(const struct app_table *t)
{
	size_t hidden = t->has_entries ? ENTRY_WORDS : 0;

	return diff_text_typed(hidden ? t->reg + hidden : t->reg, t->n_regs - hidden);
}

static void diff_layout(struct diff *d, const struct app_table *old, const struct app_table *new_)
{
	change_line(d, new_->has_entries ? "key of " : "lookup of ", new_->name,
		    diff_text_keys(old->lookup, old->n_lookup), diff_text_keys(new_->lookup, new_->n_lookup));
	change_line(d, "update of ", new_->name, diff_text_keys(old->update, old->update ? old->n_update : 0),
		    diff_text_keys(new_->update, new_->update ? new_->n_update : 0));
	change_line(d, new_->has_entries ? "values of " : "registers of ", new_->name, typed_of(old), typed_of(new_));
	if (old->capacity != new_->capacity)
		change(d, "capacity of %s: %u -> %u", new_->name, old->capacity, new_->capacity);
}

static char *key_kinds(const struct app_table *t)
{
	static const char *const words[] = {"exact", "prefix", "ternary", "range"};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < t->n_lookup; i++)
		fprintf(out, "%s%s", i ? ", " : "", words[t->key_match[i]]);
	fclose(out);
	return text;
}

static void diff_key_kinds(struct diff *d, const struct app_table *old, const struct app_table *new_)
{
	change_line(d, "comparison of the key of ", new_->name, key_kinds(old), key_kinds(new_));
}

/* True if 'old' with the capacity of 'new_' has its layout. */
static bool only_capacity_differs(const struct app *old_app, const struct app_table *old, const struct app_table *new_,
				  const struct layout *layout)
{
	_cleanup_free_ struct layout *resized_layout = calloc(1, sizeof(*resized_layout));
	struct app_table resized = *old;
	const char *why;

	resized.capacity = new_->capacity;
	return resized_layout && layout_make(old_app, &resized, resized_layout, &why) == 0 &&
	       resized_layout->hash == layout->hash;
}

/* What the person wants to know most: are the flows still there? */
static void diff_flows(struct diff *d, const struct app *old_app, const struct app_table *old,
		       const struct app *new_app, const struct app_table *new_)
{
	_cleanup_free_ struct layout *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	const char *why;

	if (!a || !b || layout_make(old_app, old, a, &why) < 0 || layout_make(new_app, new_, b, &why) < 0)
		return;
	if (a->hash == b->hash) {
		fprintf(d->out, "%s of %s are kept\n", new_->has_entries ? "entries" : "flows", new_->name);
		return;
	}
	change(d, "%s of %s are lost: the %s changed", new_->has_entries ? "entries" : "flows", new_->name,
	       only_capacity_differs(old_app, old, new_, b) ? "capacity" : "layout of its records");
}

/* ---- tables --------------------------------------------------------------------------------- */

static const struct app_table *find_table(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_tables; i++)
		if (strcmp(app->table[i].name, name) == 0)
			return &app->table[i];
	return NULL;
}

static void diff_stateful(struct diff *d, const struct app *old_app, const struct app_table *old,
			  const struct app *new_app, const struct app_table *new_)
{
	if (old->has_entries != new_->has_entries && old->stateful && new_->stateful) {
		change(d, "table %s %s: its flows are lost", new_->name,
		       new_->has_entries ? "is a match table now" : "is no match table any more");
	} else if (old->has_entries && new_->has_entries) {
		diff_key_kinds(d, old, new_);
		diff_layout(d, old, new_);
		diff_flows(d, old_app, old, new_app, new_);
		diff_entries(d->out, old, new_, &d->same);
	} else if (old->stateful && new_->stateful) {
		diff_states(d, old, new_);
		if (old->when_full != new_->when_full)
			change(d, "when_full of %s: %s -> %s", new_->name, app_when_full_name(old->when_full),
			       app_when_full_name(new_->when_full));
		if (old->expire_soon != new_->expire_soon)
			change(d, "expire_within of %s: %s", new_->name,
			       new_->expire_soon ? "1s -> 10ms" : "10ms -> 1s");
		diff_layout(d, old, new_);
		diff_flows(d, old_app, old, new_app, new_);
	} else if (old->stateful) {
		change(d, "table %s keeps no state any more: its flows are lost", new_->name);
	} else if (new_->stateful) {
		change(d, "table %s now keeps state", new_->name);
	}
}

static void diff_table(struct diff *d, const struct app *old_app, const struct app_table *old,
		       const struct app *new_app, const struct app_table *new_)
{
	if (old->hook != new_->hook)
		change(d, "table %s moves to another hook", new_->name);
	diff_lets(d, old, new_);
	diff_rules(d, old, new_);
	change_line(d, "otherwise of ", new_->name, action_text(&old->otherwise), action_text(&new_->otherwise));
	change_line(d, "absent of ", new_->name, action_text(&old->absent), action_text(&new_->absent));
	diff_stateful(d, old_app, old, new_app, new_);
}

static void diff_tables(struct diff *d, const struct app *old, const struct app *new_)
{
	const struct app_table *last = NULL;

	for (size_t i = 0; i < old->n_tables; i++)
		if (!find_table(new_, old->table[i].name))
			change(d, "table %s removed%s", old->table[i].name,
			       old->table[i].stateful ? ": its flows are lost" : "");
	for (size_t i = 0; i < new_->n_tables; i++) {
		const struct app_table *was = find_table(old, new_->table[i].name);

		if (!was) {
			change(d, "table %s added", new_->table[i].name);
			continue;
		}
		if (last && was < last)
			change(d, "table %s is in another place", new_->table[i].name);
		last = was;
		diff_table(d, old, was, new_, &new_->table[i]);
	}
}

char *app_diff(const struct app *old, const struct app *new_, bool *ret_same)
{
	char *text = NULL;
	size_t size;
	struct diff d = {.out = open_memstream(&text, &size), .same = true};

	if (!d.out)
		return NULL;
	if (strcmp(old->name, new_->name) != 0)
		change(&d, "name: %s -> %s", old->name, new_->name);
	diff_parameters(&d, old, new_);
	diff_headers(&d, old, new_);
	diff_variables(&d, old, new_);
	diff_globals(&d, old, new_);
	diff_templates(&d, old, new_);
	diff_tables(&d, old, new_);
	if (fclose(d.out) != 0) {
		free(text);
		return NULL;
	}
	*ret_same = d.same;
	return text;
}
