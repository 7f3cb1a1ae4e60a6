/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/csv.h"
#include "../common/log.h"
#include "work.h"

enum { SEND_ROWS = 1000, SEND_BYTES = 64 << 10 };

/* ---- storing ---- */

/* One row as cells by column. */
struct cells {
	char *column_text, *cell_text;
	char *column[ENTRY_COLUMNS_MAX], *cell[ENTRY_COLUMNS_MAX];
	int n;
};

static int cells_split(struct cells *cells)
{
	char *columns = cells->column_text, *row = cells->cell_text;
	int n = csv_row(&columns, cells->column, ENTRY_COLUMNS_MAX);

	cells->n = csv_row(&row, cells->cell, ENTRY_COLUMNS_MAX);
	return n == cells->n && n <= ENTRY_COLUMNS_MAX ? 0 : -EINVAL;
}

static char *join(char *const *cell, int n)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int i = 0; out && i < n; i++)
		csv_print(out, i == 0, cell[i]);
	if (out)
		fclose(out);
	return text;
}

/* What the row says replaces what was said before. */
static void cells_merge(struct cells *cells, const char **column, char **cell, int n)
{
	for (int i = 0; i < n; i++) {
		int at = 0;

		while (at < cells->n && strcmp(cells->column[at], column[i]) != 0)
			at++;
		if (at == ENTRY_COLUMNS_MAX || (at < cells->n && !*cell[i]))
			continue;
		cells->column[at] = (char *)column[i];
		cells->cell[at] = cell[i];
		cells->n += at == cells->n;
	}
}

static int store_row(struct controller *c, struct stored_entry *entry, const struct msg_entries *msg, char **cell,
		     int n)
{
	_cleanup_free_ char *columns = NULL, *row = NULL;
	struct cells cells = {};
	int r = store_get_entry(c->store, entry, &cells.column_text, &cells.cell_text);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0)
		r = cells_split(&cells);
	cells_merge(&cells, msg->column, cell, n);
	columns = join(cells.column, cells.n);
	row = join(cells.cell, cells.n);
	entry->columns = columns;
	entry->cells = row;
	r = columns && row ? store_put_entry(c->store, entry) : -ENOMEM;
	free(cells.column_text);
	free(cells.cell_text);
	return r;
}

static int store_rows(struct controller *c, const char *name, const struct msg_entries *msg, char *rows, char **ids)
{
	struct stored_entry entry = {.switch_name = name, .deployment = msg->deployment, .table = msg->table};
	char *cell[ENTRY_COLUMNS_MAX], *id;
	int n, r = 0;

	while (r == 0 && (n = csv_row(&rows, cell, ENTRY_COLUMNS_MAX)) > 0 && csv_row(ids, &id, 1) == 1) {
		entry.id = id;
		if (msg->op == ENTRY_DELETE)
			r = store_remove_entry(c->store, &entry);
		else
			r = store_row(c, &entry, msg, cell, n);
	}
	return r;
}

int entries_store(struct controller *c, const char *name, const struct msg_entries *msg, char **ids)
{
	_cleanup_free_ char *rows = strdup(msg->rows);

	if (!rows)
		return -ENOMEM;
	if (msg->op == ENTRY_CLEAR)
		return store_clear_entries(c->store, name, msg->deployment, msg->table);
	return store_rows(c, name, msg, rows, ids);
}

int entries_accepted(struct controller *c, const char *name, const struct message *request, const struct message *reply)
{
	_cleanup_free_ char *ids = strdup(reply->ok.text);
	char *at = ids;
	int r = ids ? store_begin(c->store) : -ENOMEM;

	return r < 0 ? r : store_end(c->store, entries_store(c, name, &request->entries, &at));
}

/* ---- sending ---- */

struct entries_way {
	void (*done)(struct known *k, const char *problem);
	char *deployment, *table, *id; /* Of the last one sent; NULL: none yet. */
	bool one_by_one;	       /* A piece was refused: by one row of it. */
};

struct piece {
	FILE *out;
	char *deployment, *table, *columns, *id;
	unsigned n;
};

static bool fits(const struct piece *piece, const struct stored_entry *entry)
{
	return strcmp(piece->deployment, entry->deployment) == 0 && strcmp(piece->table, entry->table) == 0 &&
	       strcmp(piece->columns, entry->columns) == 0;
}

static int add_to_piece(void *data, const struct stored_entry *entry)
{
	struct piece *piece = data;

	if (piece->n && !fits(piece, entry))
		return 1;
	if (!piece->n) {
		piece->deployment = strdup(entry->deployment);
		piece->table = strdup(entry->table);
		piece->columns = strdup(entry->columns);
	}
	free(piece->id);
	piece->id = strdup(entry->id);
	if (!piece->deployment || !piece->table || !piece->columns || !piece->id)
		return -ENOMEM;
	fprintf(piece->out, "%s\n", entry->cells);
	piece->n++;
	return ftell(piece->out) >= SEND_BYTES;
}

static void piece_done(struct piece *piece)
{
	free(piece->deployment);
	free(piece->table);
	free(piece->columns);
	free(piece->id);
}

static int note_one(void *data, const struct stored_entry *entry)
{
	*(bool *)data = true;
	return 1;
}

bool entries_has(struct known *k)
{
	bool any = false;

	store_each_entry(k->c->store, k->name, NULL, 1, note_one, &any);
	return any;
}

void entries_forget(struct known *k)
{
	struct entries_way *way = k->entries;

	if (!way)
		return;
	free(way->deployment);
	free(way->table);
	free(way->id);
	free(way);
	k->entries = NULL;
}

static void end(struct known *k, const char *problem)
{
	void (*done)(struct known * k, const char *problem) = k->entries->done;

	entries_forget(k);
	done(k, problem);
}

static void move_on(struct entries_way *way, struct piece *piece)
{
	free(way->deployment);
	free(way->table);
	free(way->id);
	way->deployment = TAKE_PTR(piece->deployment);
	way->table = TAKE_PTR(piece->table);
	way->id = TAKE_PTR(piece->id);
}

static void send_piece(struct known *k);

/* A row that is refused ends its piece, so from there on rows go one by one. */
static void piece_answered(struct known *k, int status, const struct message *reply)
{
	char buf[512];

	if (status < 0) {
		end(k, work_explain(status, NULL, buf, sizeof(buf)));
		return;
	}
	if (reply->kind != MSG_OK) {
		log_warn("switch %s: an entry is refused: %s", k->name, work_explain(0, reply, buf, sizeof(buf)));
		if (!k->entries->one_by_one) {
			/* All again: what is so already changes nothing. */
			free(k->entries->id);
			k->entries->id = NULL;
		}
		k->entries->one_by_one = true;
	}
	send_piece(k);
}

static int send_rows(struct known *k, const struct piece *piece, const char *rows)
{
	_cleanup_free_ char *columns = strdup(piece->columns);
	char *column[ENTRY_COLUMNS_MAX], *at = columns;
	struct message msg = {.kind = MSG_ENTRIES,
			      .switch_name = "",
			      .entries = {.op = ENTRY_SET, .deployment = piece->deployment, .table = piece->table}};
	int n = columns ? csv_row(&at, column, ENTRY_COLUMNS_MAX) : 0;

	msg.entries.column = (const char **)column;
	msg.entries.n_columns = n > 0 && n <= ENTRY_COLUMNS_MAX ? n : 0;
	msg.entries.rows = rows;
	return work_request(k, &msg, piece_answered);
}

static void send_piece(struct known *k)
{
	struct entries_way *way = k->entries;
	struct stored_entry after = {k->name, way->deployment, way->table, way->id, NULL, NULL};
	_cleanup_free_ char *rows = NULL;
	struct piece piece = {};
	size_t size;
	int r = -ENOMEM;

	piece.out = open_memstream(&rows, &size);
	if (piece.out) {
		r = store_each_entry(k->c->store, k->name, way->id ? &after : NULL, way->one_by_one ? 1 : SEND_ROWS,
				     add_to_piece, &piece);
		fclose(piece.out);
	}
	if (r == 0 && piece.n) {
		r = send_rows(k, &piece, rows);
		move_on(way, &piece);
	} else if (r == 0) {
		end(k, NULL);
	}
	piece_done(&piece);
	if (r < 0)
		end(k, strerror(-r));
}

void entries_send(struct known *k, void (*done)(struct known *k, const char *problem))
{
	entries_forget(k);
	k->entries = calloc(1, sizeof(*k->entries));
	if (!k->entries) {
		done(k, "no memory");
		return;
	}
	k->entries->done = done;
	send_piece(k);
}
