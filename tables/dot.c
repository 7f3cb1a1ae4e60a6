/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Graphviz: one cluster a table, states as nodes with their timeouts, rules as edges.
 *
 * A rule that stays in its state is an edge from the state to itself; a rule of any state starts at a
 * small point of the table, so that it is drawn once; one that also stays is a line of a note.  Timeouts
 * are dashed.  With two scopes a rule asks one flow for its state and changes that of another, which may be
 * in any: so its edge starts at the point too, and the state it asks for is the first of its conditions. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "app.h"

/* A string of the DOT language; "\n" in 'text' breaks the line. */
static void print_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

/* "KNOWN or LOST", or nothing when any state will do. */
static void print_asked(FILE *out, const struct app_table *t, const struct app_rule *rule)
{
	unsigned n = 0;

	if (rule->any_state)
		return;
	fputs("looked up in ", out);
	for (size_t i = 0; i < t->n_states; i++)
		if (rule->states >> i & 1)
			fprintf(out, "%s%s", n++ ? " or " : "", t->state[i].name);
	fputc('\n', out);
}

/* What stands on a rule's arrow: its conditions, a line, what it does. */
static char *rule_label(const struct app_table *t, const struct app_rule *rule)
{
	_cleanup_free_ char *do_ = rule->do_.n > 0 ? stmt_render(&rule->do_) : NULL;
	_cleanup_free_ char *action = rule->action.n > 0 ? stmt_render(&rule->action) : NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (rule->name)
		fprintf(out, "%s\n", rule->name);
	if (t->n_update)
		print_asked(out, t, rule);
	for (size_t i = 0; i < rule->n_match; i++)
		fprintf(out, "%s\n", rule->match[i].text);
	if (rule->when)
		fprintf(out, "%s\n", rule->when_text);
	if (do_)
		fprintf(out, "/ %s\n", do_);
	fprintf(out, "/ %s", action ? action : "go on");
	fclose(out);
	return text;
}

static void print_node(FILE *out, unsigned table, unsigned state)
{
	fprintf(out, "t%us%u", table, state);
}

static void print_edge(FILE *out, unsigned table, int from, unsigned to, const char *label, const char *style)
{
	fputs("\t\t", out);
	if (from < 0)
		fprintf(out, "t%uany", table);
	else
		print_node(out, table, from);
	fputs(" -> ", out);
	print_node(out, table, to);
	fputs(" [label=", out);
	print_quoted(out, label);
	fprintf(out, "%s];\n", style);
}

static void print_timeout(FILE *out, unsigned table, const struct app_state *state, unsigned from, unsigned to,
			  const char *kind, uint64_t ns)
{
	_cleanup_free_ char *steps = state->on_timeout.n > 0 ? stmt_render(&state->on_timeout) : NULL;
	_cleanup_free_ char *label = NULL;
	char time[48];

	if (!ns)
		return;
	value_render(TYPE_DURATION, 0, ns, 0, time, sizeof(time));
	if (asprintf(&label, "%s %s%s%s", kind, time, steps ? "\n/ " : "", steps ? steps : "") < 0) {
		label = NULL;
		return;
	}
	print_edge(out, table, from, to, label, ", style=dashed");
}

static void print_state_label(FILE *out, const struct app_state *state)
{
	char idle[48], hard[48], label[2 * NAME_LEN_MAX];

	value_render(TYPE_DURATION, 0, state->idle_ns, 0, idle, sizeof(idle));
	value_render(TYPE_DURATION, 0, state->hard_ns, 0, hard, sizeof(hard));
	snprintf(label, sizeof(label), "%s%s%s%s%s", strcmp(state->name, "-") ? state->name : "(one state)",
		 state->idle_ns ? "\nidle " : "", state->idle_ns ? idle : "", state->hard_ns ? "\nhard " : "",
		 state->hard_ns ? hard : "");
	print_quoted(out, label);
}

static void print_states(FILE *out, unsigned table, const struct app_table *t)
{
	for (unsigned i = 0; i < t->n_states; i++) {
		const struct app_state *state = &t->state[i];

		fputs("\t\t", out);
		print_node(out, table, i);
		fputs(" [label=", out);
		print_state_label(out, state);
		fprintf(out, "%s];\n", i == 0 ? ", style=bold" : "");
		print_timeout(out, table, state, i, state->idle_to, "idle", state->idle_ns);
		print_timeout(out, table, state, i, state->hard_to, "hard", state->hard_ns);
	}
}

/* Does its arrow start at no state? */
static bool is_free(const struct app_table *t, const struct app_rule *rule)
{
	return rule->any_state || t->n_update;
}

/* A rule of any state that stays where it is: a line beside the drawing, not an edge. */
static bool is_note(const struct app_table *t, const struct app_rule *rule)
{
	return is_free(t, rule) && rule->next < 0;
}

static void print_rule(FILE *out, unsigned table, const struct app_table *t, const struct app_rule *rule)
{
	_cleanup_free_ char *label = rule_label(t, rule);

	if (!label || is_note(t, rule))
		return;
	if (is_free(t, rule)) {
		print_edge(out, table, -1, rule->next, label, "");
		return;
	}
	for (unsigned s = 0; s < t->n_states; s++)
		if (rule->states >> s & 1)
			print_edge(out, table, s, rule->next < 0 ? s : (unsigned)rule->next, label, "");
}

/* Rules without an arrow, in a box, left-aligned. */
static void print_notes(FILE *out, unsigned table, const struct app_table *t)
{
	_cleanup_free_ char *text = NULL;
	size_t size, n = 0;
	FILE *notes = open_memstream(&text, &size);

	if (!notes)
		return;
	for (size_t i = 0; i < t->n_rules; i++) {
		if (t->stateful && !t->has_entries && !is_note(t, &t->rule[i]))
			continue;
		fprintf(notes, "%s%s", n++ ? "\n" : "", t->rule[i].text);
	}
	fclose(notes);
	if (!text || n == 0)
		return;
	fprintf(out, "\t\tt%unotes [shape=note, label=", table);
	print_quoted(out, text);
	fputs("];\n", out);
}

static bool has_any_edges(const struct app_table *t)
{
	for (size_t i = 0; i < t->n_rules; i++)
		if (is_free(t, &t->rule[i]) && !is_note(t, &t->rule[i]))
			return true;
	return false;
}

static void append_scope(FILE *out, const struct app_key *key, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? ", " : "", key[i].text);
}

/* The table's name and what a flow of it is. */
static void print_title(FILE *out, const struct app_table *t)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *title = open_memstream(&text, &size);

	if (!title)
		return;
	fputs(t->name, title);
	if (t->n_lookup)
		fputs(t->n_update ? "\nlooked up by " : "\nby ", title);
	append_scope(title, t->lookup, t->n_lookup);
	if (t->n_update)
		fputs("\nwritten under ", title);
	append_scope(title, t->update, t->n_update);
	fclose(title);
	print_quoted(out, text ? text : t->name);
	fputs(";\n", out);
}

static void print_table(FILE *out, unsigned index, const struct app_table *t)
{
	fprintf(out, "\tsubgraph cluster_%u {\n\t\tlabel=", index);
	print_title(out, t);
	if (t->stateful && !t->has_entries) {
		print_states(out, index, t);
		if (has_any_edges(t))
			fprintf(out, "\t\tt%uany [shape=plaintext, label=\"any state\"];\n", index);
		for (size_t i = 0; i < t->n_rules; i++)
			print_rule(out, index, t, &t->rule[i]);
	}
	print_notes(out, index, t);
	fputs("\t}\n", out);
}

char *app_render_dot(const struct app *app)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("digraph ", out);
	print_quoted(out, app->name);
	fputs(" {\n\trankdir=LR;\n\tfontname=\"sans-serif\";\n\tnode [shape=ellipse, fontname=\"sans-serif\"];\n"
	      "\tedge [fontname=\"sans-serif\", fontsize=11];\n",
	      out);
	for (unsigned i = 0; i < app->n_tables; i++)
		print_table(out, i, &app->table[i]);
	fputs("}\n", out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
