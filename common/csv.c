/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "csv.h"

#include <errno.h>
#include <string.h>

static void skip_lines(char **at)
{
	for (;;) {
		char *begin = *at + strspn(*at, " \t");

		if (*begin != '\n' && *begin != '\r' && *begin != '#')
			return;
		begin += strcspn(begin, "\n");
		*at = *begin ? begin + 1 : begin;
	}
}

/* The quoted cell that begins behind a quote; its end is where reading goes on. */
static char *unquote(char *from)
{
	char *to = from;

	for (; *from; from++) {
		if (*from == '"' && from[1] == '"')
			from++;
		else if (*from == '"')
			break;
		*to++ = *from;
	}
	if (!*from)
		return NULL;
	*from = ' ';
	*to = '\0';
	return from + 1;
}

static void trim_end(char *cell, char *end)
{
	while (end > cell && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	*end = '\0';
}

int csv_row(char **at, char **ret_cell, int max)
{
	char *p, separator;
	int n = 0;

	skip_lines(at);
	p = *at;
	if (!*p)
		return 0;
	do {
		char *cell = p + strspn(p, " \t"), *end;
		bool quoted = *cell == '"';

		p = quoted ? unquote(++cell) : cell;
		if (!p)
			return -EINVAL;
		end = p + strcspn(p, ",\n");
		separator = *end;
		if (!quoted)
			trim_end(cell, end);
		if (n < max)
			ret_cell[n] = cell;
		n++;
		p = separator ? end + 1 : end;
	} while (separator == ',');
	*at = p;
	return n;
}

void csv_print(FILE *out, bool first, const char *text)
{
	if (!first)
		fputc(',', out);
	if (!text[strcspn(text, ",\"\n\r#")]) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}
