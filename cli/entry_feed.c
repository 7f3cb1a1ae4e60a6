/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry_feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl_tree.h>

#include "../common/cleanup.h"
#include "../common/csv.h"

enum { WHY_SIZE = 256, JSON_ERROR = 160 };

struct entry_feed {
	FILE *in;
	bool json;
	char *line, *column[ENTRY_COLUMNS_MAX];
	size_t room, n_columns;
	uint64_t n_lines, first_line;
	bool pending; /* 'line' was read and not used. */
	char *rows;
};

static void forget_columns(struct entry_feed *feed)
{
	for (size_t i = 0; i < feed->n_columns; i++)
		free(feed->column[i]);
	feed->n_columns = 0;
}

void entry_feed_free(struct entry_feed *feed)
{
	if (!feed)
		return;
	forget_columns(feed);
	free(feed->line);
	free(feed->rows);
	free(feed);
}

static bool is_blank(const char *line)
{
	line += strspn(line, " \t\r\n");
	return !*line || *line == '#';
}

/* The next line that says something; false at the end. */
static bool next_line(struct entry_feed *feed)
{
	if (feed->pending) {
		feed->pending = false;
		return true;
	}
	while (getline(&feed->line, &feed->room, feed->in) >= 0) {
		feed->n_lines++;
		if (!is_blank(feed->line))
			return true;
	}
	return false;
}

static int add_column(struct entry_feed *feed, const char *name)
{
	if (feed->n_columns == ENTRY_COLUMNS_MAX)
		return -E2BIG;
	feed->column[feed->n_columns] = strdup(name);
	if (!feed->column[feed->n_columns])
		return -ENOMEM;
	feed->n_columns++;
	return 0;
}

static int read_header(struct entry_feed *feed, char *why)
{
	char *cell[ENTRY_COLUMNS_MAX], *at = feed->line;
	int n = csv_row(&at, cell, ENTRY_COLUMNS_MAX), r = 0;

	for (int i = 0; i < n && i < ENTRY_COLUMNS_MAX && r == 0; i++)
		r = add_column(feed, cell[i]);
	if (n > 0 && n <= ENTRY_COLUMNS_MAX)
		return r;
	snprintf(why, WHY_SIZE, "line %llu: the first line names the columns", (unsigned long long)feed->n_lines);
	return -EINVAL;
}

int entry_feed_new(FILE *in, int json, struct entry_feed **ret_feed, char *why)
{
	struct entry_feed *feed = calloc(1, sizeof(*feed));
	int r = 0;

	if (!feed)
		return -ENOMEM;
	feed->in = in;
	feed->pending = next_line(feed);
	feed->json = json < 0 ? feed->pending && feed->line[strspn(feed->line, " \t")] == '{' : json;
	if (feed->pending && !feed->json) {
		r = read_header(feed, why);
		feed->pending = false;
	}
	if (r < 0) {
		entry_feed_free(feed);
		return r;
	}
	*ret_feed = feed;
	return 0;
}

size_t entry_feed_columns(const struct entry_feed *feed, const char ***ret_column)
{
	*ret_column = (const char **)feed->column;
	return feed->n_columns;
}

uint64_t entry_feed_line(const struct entry_feed *feed, uint64_t row)
{
	return feed->first_line + row - 1;
}

/* ---- JSON ---- */

static bool same_columns(const struct entry_feed *feed, const yajl_val object)
{
	if (feed->n_columns != object->u.object.len)
		return false;
	for (size_t i = 0; i < feed->n_columns; i++)
		if (strcmp(feed->column[i], object->u.object.keys[i]) != 0)
			return false;
	return true;
}

static const char *cell_of(const yajl_val value)
{
	if (YAJL_IS_STRING(value))
		return YAJL_GET_STRING(value);
	if (YAJL_IS_NUMBER(value))
		return YAJL_GET_NUMBER(value);
	return YAJL_IS_NULL(value) ? "" : NULL;
}

static int refuse_json(const struct entry_feed *feed, char *why, const char *what)
{
	snprintf(why, WHY_SIZE, "line %llu: %s", (unsigned long long)feed->n_lines, what);
	return -EINVAL;
}

/* Writes the object of the line as a row.  -EAGAIN: it has other columns and must begin the next rows. */
static int print_object(struct entry_feed *feed, FILE *out, bool begin, char *why)
{
	char error[JSON_ERROR];
	yajl_val object = yajl_tree_parse(feed->line, error, sizeof(error));
	int r = 0;

	if (!object || !YAJL_IS_OBJECT(object)) {
		yajl_tree_free(object);
		return refuse_json(feed, why, "expected one JSON object a line");
	}
	if (!same_columns(feed, object)) {
		if (!begin)
			r = -EAGAIN;
		else
			forget_columns(feed);
		for (size_t i = 0; begin && i < object->u.object.len && r == 0; i++)
			r = add_column(feed, object->u.object.keys[i]);
	}
	for (size_t i = 0; i < object->u.object.len && r == 0; i++) {
		const char *text = cell_of(object->u.object.values[i]);

		if (text)
			csv_print(out, i == 0, text);
		else
			r = refuse_json(feed, why, "a value is neither text nor a number");
	}
	yajl_tree_free(object);
	return r;
}

/* ---- rows ---- */

static int add_row(struct entry_feed *feed, FILE *out, bool begin, char *why)
{
	int r = 0;

	if (feed->json)
		r = print_object(feed, out, begin, why);
	else
		fwrite(feed->line, 1, strcspn(feed->line, "\n"), out);
	if (r == 0)
		fputc('\n', out);
	return r;
}

int entry_feed_next(struct entry_feed *feed, size_t max, const char **ret_rows, size_t *ret_n, char *why)
{
	size_t size, n = 0;
	FILE *out;
	int r = 0;

	free(feed->rows);
	feed->rows = NULL;
	out = open_memstream(&feed->rows, &size);
	if (!out)
		return -ENOMEM;
	while (r == 0 && (size_t)ftell(out) < max && next_line(feed)) {
		feed->first_line = n ? feed->first_line : feed->n_lines;
		r = add_row(feed, out, n == 0, why);
		n += r == 0;
	}
	feed->pending = r == -EAGAIN;
	fclose(out);
	*ret_rows = feed->rows;
	*ret_n = n;
	return r == -EAGAIN ? 0 : r;
}
