/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry add|set|delete|list|import|export. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/csv.h"
#include "entry_feed.h"
#include "handlers.h"

enum { IMPORT_BYTES = 64 << 10 };

static int report(struct cli *cli, uint64_t n, const char *done)
{
	struct render *out = cli->json ? render_new(stdout, true) : NULL;

	if (out) {
		render_row_begin(out);
		render_u64(out, "count", n);
		render_row_end(out);
	} else {
		printf("%" PRIu64 " %s %s\n", n, n == 1 ? "entry" : "entries", done);
	}
	render_free(out);
	return EXIT_OK;
}

/* COLUMN=VALUE arguments as one row; 'copy' holds the columns' names. */
static int read_cells(const struct args *args, const char **column, char **copy, size_t *ret_n, char **ret_row)
{
	size_t size, n = 0;
	FILE *out = open_memstream(ret_row, &size);
	int r = out ? 0 : cli_fail("out of memory");

	for (size_t i = 2; r == 0 && i < args->n_args; i++) {
		const char *text = args->arg[i], *equals = strchr(text, '=');

		if (!equals || equals == text)
			r = cli_usage("expected COLUMN=VALUE, not \"%s\"", text);
		else if (n == ENTRY_COLUMNS_MAX)
			r = cli_usage("at most %d columns", ENTRY_COLUMNS_MAX);
		else if (!(copy[n] = strndup(text, equals - text)))
			r = cli_fail("out of memory");
		if (r)
			break;
		column[n] = copy[n];
		csv_print(out, n++ == 0, equals + 1);
	}
	if (out)
		fclose(out);
	*ret_n = n;
	return r;
}

static int write_one(struct cli *cli, const struct args *args, enum entry_op op, const char *done)
{
	struct message request = {.kind = MSG_ENTRIES,
				  .entries = {.op = op, .deployment = args->arg[0], .table = args->arg[1]}};
	const char *column[ENTRY_COLUMNS_MAX];
	char *copy[ENTRY_COLUMNS_MAX] = {};
	_cleanup_free_ char *row = NULL;
	struct message *reply;
	int r;

	r = read_cells(args, column, copy, &request.entries.n_columns, &row);
	request.entries.column = column;
	request.entries.rows = row ? row : "";
	if (r == 0)
		r = cli_change(cli, &request, MSG_OK, &reply);
	for (size_t i = 0; i < ENTRY_COLUMNS_MAX; i++)
		free(copy[i]);
	if (r)
		return r;
	if (cli->bundle)
		bundle_taken(cli, reply);
	else
		report(cli, reply->ok.count, done);
	message_free(reply);
	return EXIT_OK;
}

int entry_add(struct cli *cli, const struct args *args)
{
	return write_one(cli, args, ENTRY_ADD, "added");
}

int entry_set_command(struct cli *cli, const struct args *args)
{
	return write_one(cli, args, ENTRY_SET, "changed");
}

int entry_delete(struct cli *cli, const struct args *args)
{
	bool all = args_get(args, "all");

	if (all == (args->n_args > 2))
		return cli_usage(all ? "--all and an entry: which?"
				     : "which entry?  COLUMN=VALUE, name=NAME, or --all");
	return write_one(cli, args, all ? ENTRY_CLEAR : ENTRY_DELETE, "deleted");
}

/* ---- list, export ---- */

/* Calls for every row of every answer. */
typedef int (*row_fn)(void *data, const struct msg_entry_rows *rows, char **cell, size_t n);

static int take_rows(const struct msg_entry_rows *rows, row_fn row, void *data, uint64_t *n)
{
	_cleanup_free_ char *text = strdup(rows->rows);
	char *at = text, *cell[ENTRY_COLUMNS_MAX];
	int n_cells, r = text ? 0 : cli_fail("out of memory");

	while (r == 0 && (n_cells = csv_row(&at, cell, ENTRY_COLUMNS_MAX)) > 0) {
		if ((size_t)n_cells != rows->n_columns)
			return cli_fail("the switch sent a row with %d cells for %zu columns", n_cells,
					rows->n_columns);
		r = row(data, rows, cell, n_cells);
		++*n;
	}
	return r;
}

static int each_row(struct cli *cli, const struct args *args, row_fn row, void *data, uint64_t *ret_n)
{
	struct message request = {.kind = MSG_GET_ENTRIES,
				  .get_entries = {.deployment = args->arg[0], .table = args->arg[1]}};
	uint64_t total = 0;
	int r = 0;

	*ret_n = 0;
	do {
		struct message *reply;

		r = cli_call(cli, &request, MSG_ENTRY_ROWS, &reply);
		if (r)
			break;
		total = total ? total : reply->entry_rows.total;
		if (!*ret_n)
			row(data, &reply->entry_rows, NULL, 0);
		r = take_rows(&reply->entry_rows, row, data, ret_n);
		request.get_entries.cursor = reply->entry_rows.next;
		cli_progress("entries", *ret_n, total);
		message_free(reply);
	} while (r == 0 && request.get_entries.cursor);
	cli_progress_end();
	return r;
}

static int show_row(void *data, const struct msg_entry_rows *rows, char **cell, size_t n)
{
	struct render *out = data;

	if (!cell)
		return 0;
	render_row_begin(out);
	for (size_t i = 0; i < n; i++)
		render_string(out, rows->column[i], cell[i]);
	render_row_end(out);
	return 0;
}

int entry_list(struct cli *cli, const struct args *args)
{
	struct render *out = render_new(stdout, cli->json);
	uint64_t n;
	int r;

	if (!out)
		return cli_fail("out of memory");
	r = each_row(cli, args, show_row, out, &n);
	if (r == 0)
		render_note(out, "%" PRIu64 " %s", n, n == 1 ? "entry" : "entries");
	render_free(out);
	return r;
}

/* The counters are not the entry's to be given again. */
static int export_row(void *data, const struct msg_entry_rows *rows, char **cell, size_t n)
{
	size_t last = rows->n_columns;

	for (size_t i = 0; i < rows->n_columns; i++)
		if (!strcmp(rows->column[i], "packets"))
			last = i;
	for (size_t i = 0; i < last; i++)
		csv_print(data, i == 0, cell ? cell[i] : rows->column[i]);
	fputc('\n', data);
	return 0;
}

int entry_export(struct cli *cli, const struct args *args)
{
	uint64_t n;

	if (cli->json)
		return entry_list(cli, args);
	return each_row(cli, args, export_row, stdout, &n);
}

/* ---- import ---- */

static int find_format(const struct args *args, int *ret_json)
{
	const char *format = args_get(args, "format");

	*ret_json = !format ? -1 : !strcmp(format, "json") ? 1 : 0;
	if (format && strcmp(format, "json") && strcmp(format, "csv"))
		return cli_usage("--format is csv or json, not \"%s\"", format);
	return 0;
}

/* Rows are sent in pieces: memory does not grow with the file. */
static int import(struct cli *cli, const struct args *args, struct entry_feed *feed, uint64_t *ret_read,
		  uint64_t *ret_changed)
{
	struct message request = {.kind = MSG_ENTRIES,
				  .entries = {.op = ENTRY_SET, .deployment = args->arg[0], .table = args->arg[1]}};
	char why[256];
	size_t n;
	int r;

	for (;;) {
		struct message *reply;

		if (entry_feed_next(feed, IMPORT_BYTES, &request.entries.rows, &n, why) < 0)
			return cli_fail("%s: %s", args->arg[2], why);
		if (!n)
			return 0;
		request.entries.n_columns = entry_feed_columns(feed, &request.entries.column);
		r = cli_change(cli, &request, MSG_OK, &reply);
		if (r) {
			fprintf(stderr,
				"mealy: row 1 is line %" PRIu64 " of %s; the %" PRIu64 " rows before it are %s\n",
				entry_feed_line(feed, 1), args->arg[2], *ret_read,
				cli->bundle ? "in the bundle" : "written");
			return r;
		}
		*ret_read += n;
		*ret_changed += reply->ok.count;
		cli_progress("entries", *ret_read, 0);
		message_free(reply);
	}
}

int entry_import(struct cli *cli, const struct args *args)
{
	bool from_stdin = !strcmp(args->arg[2], "-");
	_cleanup_file_ FILE *file = from_stdin ? NULL : fopen(args->arg[2], "re");
	struct entry_feed *feed = NULL;
	uint64_t n = 0, changed = 0;
	char why[256] = "";
	int json, r;

	if (!from_stdin && !file)
		return cli_fail("cannot read %s: %s", args->arg[2], strerror(errno));
	r = find_format(args, &json);
	if (r)
		return r;
	r = entry_feed_new(from_stdin ? stdin : file, json, &feed, why);
	if (r < 0)
		return cli_fail("%s: %s", args->arg[2], why[0] ? why : strerror(-r));
	r = import(cli, args, feed, &n, &changed);
	cli_progress_end();
	entry_feed_free(feed);
	if (r)
		return r;
	if (cli->bundle)
		return report(cli, n, "taken into the bundle");
	if (!cli->json && changed != n)
		printf("%" PRIu64 " of %" PRIu64 " were so already\n", n - changed, n);
	return report(cli, changed, "written");
}
