/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An application as YAML again: block style, keys always in the same order, parameters by name with
 * the values they have now. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "app.h"

/* ---- scalars -------------------------------------------------------------------------------- */

/* YAML would read these as something else than the text they are. */
static bool needs_quotes(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || !(isalnum((unsigned char)*text) || strchr("_+(.~/", *text)))
		return !(*text == '-' && isalnum((unsigned char)text[1]));
	if (isspace((unsigned char)text[len - 1]) || strchr(text, ':'))
		return true;
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || (*p == ' ' && p[1] == '#'))
			return true;
	return false;
}

static void print_scalar(FILE *out, const char *text)
{
	if (!needs_quotes(text)) {
		fputs(text, out);
		return;
	}
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', out);
		fputc(*text, out);
	}
	fputc('\'', out);
}

static void print_key(FILE *out, unsigned indent, const char *key)
{
	fprintf(out, "%*s", (int)indent, "");
	print_scalar(out, key);
	fputs(":", out);
}

static void print_pair(FILE *out, unsigned indent, const char *key, const char *value)
{
	print_key(out, indent, key);
	fputc(' ', out);
	print_scalar(out, value);
	fputc('\n', out);
}

static void print_item(FILE *out, unsigned indent, const char *text)
{
	fprintf(out, "%*s- ", (int)indent, "");
	print_scalar(out, text);
	fputc('\n', out);
}

/* "[a, b]" as a block list; anything else as the text it is. */
static void print_flat(FILE *out, unsigned indent, const char *key, const char *flat)
{
	_cleanup_free_ char *copy = NULL;
	size_t len = strlen(flat);
	char *save, *item;

	if (len < 2 || flat[0] != '[' || flat[len - 1] != ']') {
		print_pair(out, indent, key, flat);
		return;
	}
	print_key(out, indent, key);
	fputc('\n', out);
	copy = strndup(flat + 1, len - 2);
	for (item = copy ? strtok_r(copy, ",", &save) : NULL; item; item = strtok_r(NULL, ",", &save))
		print_item(out, indent + 2, item + strspn(item, " "));
}

/* The text of a match is "FIELD: value". */
static void print_match(FILE *out, unsigned indent, const struct match *m)
{
	_cleanup_free_ char *key = strndup(m->text, strcspn(m->text, ":"));
	const char *value = m->text + strcspn(m->text, ":");

	value += strlen(": "); /* And no more: an address may begin with ":". */
	if (key)
		print_flat(out, indent, key, value);
}

/* ---- declarations --------------------------------------------------------------------------- */

static void print_parameters(FILE *out, const struct app *app)
{
	if (app->n_params > 0)
		fputs("parameters:\n", out);
	for (size_t i = 0; i < app->n_params; i++) {
		const struct parameter *p = &app->param[i];

		/* A port has no literal: it stays something that must be set. */
		if (p->type == TYPE_PORT || !p->value.text)
			print_pair(out, 2, p->name, value_type_name(p->type));
		else if (p->type == TYPE_LIST && p->value.text[0] != '[' && p->value.n_items > 1)
			fprintf(out, "  %s: [%s]\n", p->name, p->value.text);
		else
			print_flat(out, 2, p->name, p->value.text);
	}
}

static void print_typed(FILE *out, unsigned indent, const char *key, const struct typed *typed, size_t n)
{
	if (n == 0 || typed[0].hidden)
		return;
	print_key(out, indent, key);
	fputc('\n', out);
	for (size_t i = 0; i < n && !typed[i].hidden; i++) {
		const char *word = typed[i].type == TYPE_ADDR ? "addr" : value_type_name(typed[i].type);

		if (typed[i].type == TYPE_U64)
			word = typed[i].group ? typed[i].group_name : "";
		fprintf(out, "%*s- %s%s%s\n", (int)indent + 2, "", word, *word ? " " : "", typed[i].name);
	}
}

static void print_headers(FILE *out, const struct app *app)
{
	if (app->n_headers > 0)
		fputs("headers:\n", out);
	for (size_t h = 0; h < app->n_headers; h++) {
		const struct app_header *header = &app->header[h];

		fprintf(out, "  %s:\n    after:\n", header->name);
		for (size_t i = 0; i < header->n_after; i++)
			print_match(out, 6, &header->after[i]);
		fputs("    fields:\n", out);
		for (size_t i = 0; i < header->n_fields; i++)
			fprintf(out, "      - %s %u\n", strchr(header->field[i].name, '.') + 1, header->field[i].bits);
	}
}

static void print_templates(FILE *out, const struct app *app)
{
	if (app->n_templates > 0)
		fputs("templates:\n", out);
	for (size_t i = 0; i < app->n_templates; i++) {
		const struct app_template *t = &app->template_[i];

		fprintf(out, "  %s:\n", t->name);
		print_pair(out, 4, "bytes", t->bytes_text);
		if (t->set.n > 0)
			fputs("    set:\n", out);
		for (size_t s = 0; s < t->set.n; s++) {
			_cleanup_free_ char *text = expr_render(t->set.item[s].value);

			if (text)
				print_pair(out, 6, t->set.item[s].lhs->name, text);
		}
	}
}

static void print_globals(FILE *out, const struct app *app)
{
	if (app->n_globals > 0)
		fputs("globals:\n", out);
	for (size_t i = 0; i < app->n_globals; i++) {
		const struct app_global *global = &app->global[i];

		if (!global->range_text) {
			print_pair(out, 2, global->name, global->initial_text);
			continue;
		}
		print_key(out, 2, global->name);
		fputc('\n', out);
		print_pair(out, 4, "initial", global->initial_text);
		print_pair(out, 4, "range", global->range_text);
	}
}

static void print_member(FILE *out, const struct app_group *group, const struct app_member *member)
{
	fprintf(out, "      - id: %u\n", member->id);
	if (member->weight != 1)
		fprintf(out, "        weight: %u\n", member->weight);
	if (member->port_text)
		print_pair(out, 8, "port", member->port_text);
	for (size_t i = 0; i < group->n_values; i++)
		print_pair(out, 8, group->value[i].name, member->text[i]);
}

static void print_groups(FILE *out, const struct app *app)
{
	if (app->n_groups > 0)
		fputs("groups:\n", out);
	for (size_t i = 0; i < app->n_groups; i++) {
		const struct app_group *group = &app->group[i];

		fprintf(out, "  %s:\n    type: %s\n", group->name, app_group_type_name(group->type));
		if (!group->default_hash && group->n_hash > 0)
			fputs("    hash:\n", out);
		for (size_t h = 0; !group->default_hash && h < group->n_hash; h++)
			print_item(out, 6, group->hash_text[h]);
		if (!group->default_size)
			fprintf(out, "    size: %u\n", group->size);
		print_typed(out, 4, "values", group->value, group->n_values);
		if (group->n_members > 0)
			fputs("    members:\n", out);
		for (size_t m = 0; m < group->n_members; m++)
			print_member(out, group, &group->member[m]);
	}
}

static void print_meters(FILE *out, unsigned indent, const struct app_meter *meter, size_t n)
{
	if (n > 0)
		fprintf(out, "%*smeters:\n", (int)indent, "");
	for (size_t i = 0; i < n; i++) {
		print_key(out, indent + 2, meter[i].name);
		fputc('\n', out);
		print_pair(out, indent + 4, "cir", meter[i].cir_text);
		print_pair(out, indent + 4, "cbs", meter[i].cbs_text);
		if (!meter[i].pir_text)
			continue;
		print_pair(out, indent + 4, "pir", meter[i].pir_text);
		print_pair(out, indent + 4, "pbs", meter[i].pbs_text);
	}
}

/* ---- state ---------------------------------------------------------------------------------- */

static void print_scope(FILE *out, const char *key, const struct app_key *part, size_t n)
{
	print_key(out, 6, key);
	fputc('\n', out);
	for (size_t i = 0; i < n; i++)
		print_item(out, 8, part[i].text);
}

static void print_state(FILE *out, const struct app_table *t, const struct app_state *state)
{
	_cleanup_free_ char *on_timeout = state->on_timeout.n > 0 ? stmt_render(&state->on_timeout) : NULL;

	if (!state->idle_text && !state->hard_text && !on_timeout) {
		print_item(out, 8, state->name);
		return;
	}
	fprintf(out, "        - name: %s\n", state->name);
	if (state->idle_text)
		print_pair(out, 10, "idle", state->idle_text);
	if (state->idle_text && state->idle_to > 0)
		print_pair(out, 10, "idle_to", t->state[state->idle_to].name);
	if (state->hard_text)
		print_pair(out, 10, "hard", state->hard_text);
	if (state->hard_text && state->hard_to > 0)
		print_pair(out, 10, "hard_to", t->state[state->hard_to].name);
	if (on_timeout)
		print_pair(out, 10, "on_timeout", on_timeout);
}

static void print_stateful(FILE *out, const struct app_table *t)
{
	char capacity[16];

	fputs("    state:\n", out);
	print_scope(out, "lookup", t->lookup, t->n_lookup);
	if (t->update)
		print_scope(out, "update", t->update, t->n_update);
	snprintf(capacity, sizeof(capacity), "%u", t->capacity);
	print_pair(out, 6, "capacity", t->capacity_text ? t->capacity_text : capacity);
	print_pair(out, 6, "when_full", app_when_full_name(t->when_full));
	if (t->expire_soon)
		print_pair(out, 6, "expire_within", "10ms");
	if (t->has_states)
		fputs("      states:\n", out);
	for (size_t i = 0; i < t->n_states && t->has_states; i++)
		print_state(out, t, &t->state[i]);
	print_typed(out, 6, "registers", t->reg, t->n_regs);
	print_meters(out, 6, t->meter, t->n_meters);
}

/* ---- match tables --------------------------------------------------------------------------- */

static void print_entry(FILE *out, const struct app_entry *entry)
{
	for (size_t i = 0; i < entry->n_cells; i++) {
		fputs(i ? "        " : "      - ", out);
		print_pair(out, 0, entry->column[i], entry->text[i]);
	}
}

static void print_actions(FILE *out, const struct app_table *t)
{
	fputs(t->has_actions ? "    actions:\n" : "", out);
	for (size_t i = 0; i < t->n_rules; i++) {
		_cleanup_free_ char *text = t->rule[i].action.n > 0 ? stmt_render(&t->rule[i].action) : NULL;

		if (text) /* Else the packet goes on. */
			print_pair(out, t->has_actions ? 6 : 4, t->has_actions ? t->rule[i].name : "action", text);
	}
}

static void print_match_table(FILE *out, const struct app_table *t)
{
	static const char *const words[] = {"exact", "prefix", "ternary", "range"};
	char capacity[16];

	fputs("    key:\n", out);
	for (size_t i = 0; i < t->n_lookup; i++)
		print_pair(out, 6, t->lookup[i].text, words[t->key_match[i]]);
	snprintf(capacity, sizeof(capacity), "%u", t->capacity);
	print_pair(out, 4, "capacity", t->capacity_text ? t->capacity_text : capacity);
	print_typed(out, 4, "values", t->reg + ENTRY_WORDS, t->n_regs - ENTRY_WORDS);
	print_actions(out, t);
	fputs(t->n_entries ? "    entries:\n" : "", out);
	for (size_t i = 0; i < t->n_entries; i++)
		print_entry(out, &t->entry[i]);
}

/* ---- rules ---------------------------------------------------------------------------------- */

/* A list item's first line begins with "- ", the others with blanks. */
struct item {
	FILE *out;
	bool begun;
};

static void item_pair(struct item *item, const char *key, const char *value)
{
	fputs(item->begun ? "        " : "      - ", item->out);
	item->begun = true;
	print_pair(item->out, 0, key, value);
}

static void item_key(struct item *item, const char *key)
{
	fputs(item->begun ? "        " : "      - ", item->out);
	item->begun = true;
	fprintf(item->out, "%s:\n", key);
}

static void print_rule_states(struct item *item, const struct app_table *t, const struct app_rule *rule)
{
	if (rule->any_state)
		return;
	if ((rule->states & (rule->states - 1)) != 0)
		item_key(item, "state");
	for (size_t i = 0; i < t->n_states; i++) {
		if (!(rule->states >> i & 1))
			continue;
		if (rule->states == 1ULL << i)
			item_pair(item, "state", t->state[i].name);
		else
			print_item(item->out, 10, t->state[i].name);
	}
}

static void print_stmts(struct item *item, const char *key, const struct stmt_list *list)
{
	_cleanup_free_ char *text = list->n > 0 ? stmt_render(list) : NULL;

	if (text)
		item_pair(item, key, text);
}

static void print_expr(FILE *out, unsigned indent, const char *key, const struct expr *expr)
{
	_cleanup_free_ char *text = expr ? expr_render(expr) : NULL;

	if (text && key)
		print_pair(out, indent, key, text);
	else if (text)
		print_item(out, indent, text);
}

static void print_learn(struct item *item, const struct app *app, const struct app_table *t, const char *key,
			const struct app_learn *learn)
{
	const struct app_table *to = learn ? &app->table[learn->table] : NULL;
	_cleanup_free_ char *otherwise = learn ? stmt_render(&learn->otherwise) : NULL;
	FILE *out = item->out;

	if (!learn)
		return;
	item_key(item, key);
	if (learn->from_text) {
		print_pair(out, 10, "register", t->reg[learn->reg].name);
		print_pair(out, 10, "from", learn->from_text);
	}
	print_expr(out, 10, "first", learn->first);
	print_pair(out, 10, "table", to->name);
	print_key(out, 10, "key");
	fputc('\n', out);
	for (size_t i = 0; i < learn->n_key; i++)
		print_expr(out, 12, NULL, learn->key[i]);
	if (to->has_states)
		print_pair(out, 10, "state", to->state[learn->state].name);
	if (learn->n_sets > 0) {
		print_key(out, 10, "set");
		fputc('\n', out);
	}
	for (size_t i = 0; i < learn->n_sets; i++)
		print_expr(out, 12, to->reg[learn->set[i].reg].name, learn->set[i].value);
	if (otherwise)
		print_pair(out, 10, "else", otherwise);
}

static void print_rule(FILE *out, const struct app *app, const struct app_table *t, const struct app_rule *rule)
{
	_cleanup_free_ char *when = rule->when ? expr_render(rule->when) : NULL;
	struct item item = {.out = out};

	if (rule->name)
		item_pair(&item, "name", rule->name);
	if (t->stateful)
		print_rule_states(&item, t, rule);
	if (rule->n_match > 0)
		item_key(&item, "match");
	for (size_t i = 0; i < rule->n_match; i++)
		print_match(out, 10, &rule->match[i]);
	if (when)
		item_pair(&item, "when", when);
	print_stmts(&item, "do", &rule->do_);
	if (rule->next >= 0)
		item_pair(&item, "next", t->state[rule->next].name);
	if (rule->no_refresh)
		item_pair(&item, "refresh", "no");
	print_learn(&item, app, t, "learn", rule->learn);
	print_learn(&item, app, t, "allocate", rule->allocate);
	print_stmts(&item, "action", &rule->action);
	if (!item.begun)
		fputs("      - {}\n", out);
}

static void print_rules(FILE *out, const struct app *app, const struct app_table *t)
{
	fputs(t->n_rules > 0 ? "    rules:\n" : "    rules: []\n", out);
	for (size_t i = 0; i < t->n_rules; i++)
		print_rule(out, app, t, &t->rule[i]);
}

/* ---- tables --------------------------------------------------------------------------------- */

static void print_lets(FILE *out, const struct app_table *t)
{
	if (t->n_lets > 0)
		fputs("    let:\n", out);
	for (size_t i = 0; i < t->n_lets; i++) {
		_cleanup_free_ char *text = expr_render(t->let[i].expr);

		if (text)
			print_pair(out, 6, t->let[i].name, text);
	}
}

static void print_fallback(FILE *out, const char *key, const struct stmt_list *list)
{
	_cleanup_free_ char *text = list->n > 0 ? stmt_render(list) : NULL;

	if (text)
		print_pair(out, 4, key, text);
}

static void print_table(FILE *out, const struct app *app, const struct app_table *t)
{
	static const char *const hooks[HOOK_MAX] = {"xdp", "tc-ingress", "tc-egress"};

	fputs("  - name: ", out);
	print_scalar(out, t->name);
	fputc('\n', out);
	if (t->hook >= 0)
		print_pair(out, 4, "hook", hooks[t->hook]);
	print_lets(out, t);
	if (t->has_entries) {
		print_match_table(out, t);
	} else {
		if (t->stateful)
			print_stateful(out, t);
		print_rules(out, app, t);
	}
	print_fallback(out, "otherwise", &t->otherwise);
	print_fallback(out, "absent", &t->absent);
}

char *app_render_yaml(const struct app *app)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print_pair(out, 0, "app", app->name);
	print_parameters(out, app);
	print_headers(out, app);
	print_typed(out, 0, "variables", app->var, app->n_vars);
	print_globals(out, app);
	print_groups(out, app);
	print_meters(out, 0, app->meter, app->n_meters);
	print_templates(out, app);
	fputs("tables:\n", out);
	for (size_t i = 0; i < app->n_tables; i++)
		print_table(out, app, &app->table[i]);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

const char *app_when_full_name(enum when_full when_full)
{
	switch (when_full) {
	case FULL_DROP: return "drop";
	case FULL_PASS: return "pass";
	case FULL_EVICT: return "evict";
	case FULL_CONTINUE: return "continue";
	}
	return "drop";
}
