/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"

/* More would help nobody, and hostile input must not fill memory. */
enum { DIAGS_MAX = 200, NEAREST_LEN_MAX = 63, LINE_LEN_MAX = 400 };

void diag_init(struct diag_list *list, const char *file)
{
	*list = (struct diag_list){.file = strdup(file ? file : "-")};
}

void diag_done(struct diag_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->item[i].message);
	free(list->item);
	free(list->file);
	*list = (struct diag_list){};
}

static bool make_room(struct diag_list *list)
{
	size_t room = list->room ? 2 * list->room : 8;
	struct diag *item;

	if (list->n >= DIAGS_MAX)
		return false;
	if (list->n < list->room)
		return true;
	item = realloc(list->item, room * sizeof(*item));
	if (!item)
		return false;
	list->item = item;
	list->room = room;
	return true;
}

/* An error that finds no room is still counted, so the caller cannot take the text for good. */
static void add(struct diag_list *list, enum diag_level level, struct loc loc, const char *format, va_list args)
{
	char *message;

	if (level == DIAG_ERROR)
		list->n_errors++;
	else
		list->n_warnings++;
	if (!make_room(list) || vasprintf(&message, format, args) < 0)
		return;
	list->item[list->n++] = (struct diag){.level = level, .loc = loc, .message = message};
}

void diag_error(struct diag_list *list, struct loc loc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(list, DIAG_ERROR, loc, format, args);
	va_end(args);
}

void diag_warn(struct diag_list *list, struct loc loc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(list, DIAG_WARNING, loc, format, args);
	va_end(args);
}

void diag_prefix(struct diag_list *list, size_t first, const char *prefix)
{
	for (size_t i = first; i < list->n; i++) {
		char *message;

		if (asprintf(&message, "%s: %s", prefix, list->item[i].message) < 0)
			return;
		free(list->item[i].message);
		list->item[i].message = message;
	}
}

static void print_line(const struct diag_list *list, const struct diag *diag, FILE *out)
{
	fprintf(out, "%s:", list->file ? list->file : "-");
	if (diag->loc.line)
		fprintf(out, "%u:", diag->loc.line);
	if (diag->loc.line && diag->loc.column)
		fprintf(out, "%u:", diag->loc.column);
	fprintf(out, " %s%s\n", diag->level == DIAG_WARNING ? "warning: " : "", diag->message);
}

static const char *find_line(const char *text, unsigned line, size_t *ret_len)
{
	while (--line) {
		text = strchr(text, '\n');
		if (!text)
			return NULL;
		text++;
	}
	*ret_len = strcspn(text, "\r\n");
	return text;
}

/* What to underline when the parser did not say: the word at the place. */
static unsigned word_width(const char *at, size_t len)
{
	size_t n = 0;

	while (n < len && !strchr(" \t,;:()[]{}\"'", at[n]))
		n++;
	return n ? n : 1;
}

/* Columns count characters, as editors do; bytes that continue a UTF-8 character count nothing. */
static size_t column_to_byte(const char *line, size_t len, unsigned column)
{
	size_t i = 0;

	while (i < len && column > 1) {
		i++;
		while (i < len && ((unsigned char)line[i] & 0xc0) == 0x80)
			i++;
		column--;
	}
	return i;
}

static void print_source(const struct diag *diag, const char *text, FILE *out)
{
	const char *line;
	size_t len, at;
	unsigned width;

	if (!diag->loc.line || !diag->loc.column)
		return;
	line = find_line(text, diag->loc.line, &len);
	if (!line || len > LINE_LEN_MAX || diag->loc.column > LINE_LEN_MAX)
		return;
	at = column_to_byte(line, len, diag->loc.column);
	fprintf(out, "%5u | ", diag->loc.line);
	for (size_t i = 0; i < len; i++)
		fputc((unsigned char)line[i] < ' ' ? ' ' : line[i], out);
	fprintf(out, "\n      | %*s^", (int)(diag->loc.column - 1), "");
	width = diag->width ? diag->width : word_width(line + at, len - at);
	for (unsigned i = 1; i < width; i++)
		fputc('~', out);
	fputc('\n', out);
}

static void print_count(size_t n, const char *noun, const char *after, FILE *out)
{
	fprintf(out, "%zu %s%s%s", n, noun, n == 1 ? "" : "s", after);
}

void diag_print(const struct diag_list *list, const char *text, FILE *out)
{
	for (size_t i = 0; i < list->n; i++) {
		print_line(list, &list->item[i], out);
		if (text)
			print_source(&list->item[i], text, out);
	}
	if (list->n_errors)
		print_count(list->n_errors, "error", list->n_warnings ? ", " : "\n", out);
	if (list->n_warnings)
		print_count(list->n_warnings, "warning", "\n", out);
}

char *diag_text(const struct diag_list *list)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return NULL;
	for (size_t i = 0; i < list->n; i++)
		print_line(list, &list->item[i], out);
	failed = ferror(out);
	if (fclose(out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}

/* Edits (insert, delete, replace, swap of neighbours) that turn 'a' into 'b', without regard to case. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned row[3][NEAREST_LEN_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *now = row[i % 3], *before = row[(i - 1) % 3], *two = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned best = before[j - 1] + !!strncasecmp(&a[i - 1], &b[j - 1], 1);

			if (before[j] + 1 < best)
				best = before[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && two[j - 2] + 1 < best)
				best = two[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[a_len % 3][b_len];
}

const char *diag_nearest(const char *word, const char *const *candidates, size_t n)
{
	size_t len = strlen(word);
	unsigned best = len < 3 ? 1 : len < 6 ? 2 : 3; /* Farther words are no help. */
	const char *nearest = NULL;

	if (!len || len > NEAREST_LEN_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t candidate_len = candidates[i] ? strlen(candidates[i]) : 0;
		unsigned distance;

		if (!candidate_len || candidate_len > NEAREST_LEN_MAX)
			continue;
		distance = edit_distance(word, len, candidates[i], candidate_len);
		if (distance >= len || distance > best || (nearest && distance == best))
			continue;
		best = distance;
		nearest = candidates[i];
	}
	return nearest;
}
