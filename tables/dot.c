/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Graphviz: one cluster a stateful table, states as nodes, rules as edges.
 *
 * A rule that stays in its state is an edge from the state to itself; a rule of any state starts at a
 * small point of the table, so that it is drawn once.  Timeouts are dashed. */
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

/* What stands on a rule's arrow: its conditions, a line, what it does. */
static char *rule_label(const struct app_rule *rule)
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

static void print_timeout(FILE *out, unsigned table, unsigned from, unsigned to, const char *kind, uint64_t ns)
{
	char time[48], label[80];

	if (!ns)
		return;
	value_render(TYPE_DURATION, 0, ns, 0, time, sizeof(time));
	snprintf(label, sizeof(label), "%s %s", kind, time);
	print_edge(out, table, from, to, label, ", style=dashed");
}

static void print_states(FILE *out, unsigned table, const struct app_table *t)
{
	for (unsigned i = 0; i < t->n_states; i++) {
		const struct app_state *state = &t->state[i];

		fputs("\t\t", out);
		print_node(out, table, i);
		fputs(" [label=", out);
		print_quoted(out, *state->name ? state->name : "(one state)");
		fprintf(out, "%s];\n", i == 0 ? ", style=bold" : "");
		print_timeout(out, table, i, state->idle_to, "idle", state->idle_ns);
		print_timeout(out, table, i, state->hard_to, "hard", state->hard_ns);
	}
}

/* A rule of any state that stays where it is: a line beside the drawing, not an edge. */
static bool is_note(const struct app_rule *rule)
{
	return rule->any_state && rule->next < 0;
}

static void print_rule(FILE *out, unsigned table, const struct app_table *t, const struct app_rule *rule)
{
	_cleanup_free_ char *label = rule_label(rule);

	if (!label || is_note(rule))
		return;
	if (rule->any_state) {
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
		if (t->stateful && !is_note(&t->rule[i]))
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
		if (t->rule[i].any_state && !is_note(&t->rule[i]))
			return true;
	return false;
}

static void print_table(FILE *out, unsigned index, const struct app_table *t)
{
	fprintf(out, "\tsubgraph cluster_%u {\n\t\tlabel=", index);
	print_quoted(out, t->name);
	fputs(";\n", out);
	if (t->stateful) {
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
	fputs(" {\n\trankdir=LR;\n\tnode [shape=ellipse];\n", out);
	for (unsigned i = 0; i < app->n_tables; i++)
		print_table(out, i, &app->table[i]);
	fputs("}\n", out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
