/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "diff_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"

struct line {
	FILE *out;
	char *text;
	size_t size;
};

static bool line_begin(struct line *line)
{
	*line = (struct line){};
	line->out = open_memstream(&line->text, &line->size);
	return line->out;
}

static char *line_end(struct line *line)
{
	if (fclose(line->out) == 0)
		return line->text;
	free(line->text);
	return NULL;
}

static const char *comma(size_t i)
{
	return i ? ", " : "";
}

char *diff_text_keys(const struct app_key *part, size_t n)
{
	struct line line;

	if (!n)
		return strdup("as lookup");
	if (!line_begin(&line))
		return NULL;
	for (size_t i = 0; i < n; i++)
		fprintf(line.out, "%s%s", i ? ", " : "[", part[i].text);
	fputc(']', line.out);
	return line_end(&line);
}

char *diff_text_typed(const struct typed *typed, size_t n)
{
	struct line line;

	if (!line_begin(&line))
		return NULL;
	fputc('[', line.out);
	for (size_t i = 0; i < n; i++) {
		const char *type = typed[i].type == TYPE_ADDR  ? "addr "
				   : typed[i].group	       ? typed[i].group_name
				   : typed[i].type == TYPE_U64 ? ""
							       : value_type_name(typed[i].type);

		fprintf(line.out, "%s%s%s%s", comma(i), type, type[0] && typed[i].type != TYPE_ADDR ? " " : "",
			typed[i].name);
	}
	fputc(']', line.out);
	return line_end(&line);
}

static void print_timeout(FILE *out, const struct app_table *table, const char *what, uint64_t ns, unsigned to)
{
	char time[48];

	value_render(TYPE_DURATION, 0, ns, 0, time, sizeof(time));
	fprintf(out, "%s%s %s", comma(ftell(out) > 0), what, time);
	if (to)
		fprintf(out, " to %s", table->state[to].name);
}

char *diff_text_timeouts(const struct app_table *table, const struct app_state *state)
{
	_cleanup_free_ char *updates = stmt_render(&state->on_timeout);
	struct line line;

	if (!state->idle_ns && !state->hard_ns)
		return strdup("none");
	if (!line_begin(&line))
		return NULL;
	if (state->idle_ns)
		print_timeout(line.out, table, "idle", state->idle_ns, state->idle_to);
	if (state->hard_ns)
		print_timeout(line.out, table, "hard", state->hard_ns, state->hard_to);
	if (updates && updates[0])
		fprintf(line.out, ", on_timeout %s", updates);
	return line_end(&line);
}

char *diff_text_header(const struct app_header *header)
{
	struct line line;

	if (!line_begin(&line))
		return NULL;
	fputc('{', line.out);
	for (size_t i = 0; i < header->n_after; i++)
		fprintf(line.out, "%s%s", comma(i), header->after[i].text);
	fputs("} [", line.out);
	for (size_t i = 0; i < header->n_fields; i++)
		fprintf(line.out, "%s%s %u", comma(i), strchr(header->field[i].name, '.') + 1, header->field[i].bits);
	fputc(']', line.out);
	return line_end(&line);
}
