/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/csv.h"
#include "version_entries.h"

/* What an export has beside what an import reads; passed over in rows that come back. */
const char *const entry_told[ENTRY_TOLD] = {"packets", "bytes", "age", "of"};

static bool is_told(const char *column)
{
	for (size_t i = 0; i < ENTRY_TOLD; i++)
		if (strcmp(entry_told[i], column) == 0)
			return true;
	return false;
}

static int read_row(struct entry_rows *rows, char **cell, int n, struct entry *ret_entry)
{
	const struct msg_entries *msg = rows->msg;

	entry_init(rows->et.table, ret_entry);
	if ((size_t)n != msg->n_columns) {
		snprintf(rows->why, ENTRY_WHY, "%d cells, but there are %zu columns", n, msg->n_columns);
		return -EINVAL;
	}
	for (int i = 0; i < n; i++)
		if (!is_told(msg->column[i]) && entry_set(rows->et.app, rows->et.table, &rows->names, ret_entry,
							  msg->column[i], cell[i], rows->why) < 0)
			return -EINVAL;
	return 0;
}

/* An entry that is addressed by its name only gets its key. */
static int resolve_name(struct entry_rows *rows, struct entry *entry)
{
	const struct entry_note *note;

	if (entry->has_key || !entry->name[0])
		return 0;
	note = entry_notes_find_name(rows->notes, entry->name);
	if (!note && rows->msg->op == ENTRY_ADD)
		return 0;
	if (!note) {
		snprintf(rows->why, ENTRY_WHY, "no entry is named \"%s\"", entry->name);
		return -ENOENT;
	}
	memcpy(entry->key, note->key, rows->et.table->n_lookup * sizeof(entry->key[0]));
	entry->has_key = (1u << rows->et.table->n_lookup) - 1;
	return 0;
}

static unsigned action_of_state(const struct entry_table *et, unsigned state)
{
	for (unsigned i = 1; i < et->table->n_states; i++)
		if (et->state_id[i] == state)
			return i;
	return 0;
}

/* What the row does not say stays as it is. */
static void keep_unsaid(struct entry_rows *rows, struct entry *entry, const __u64 *words)
{
	const struct entry_note *note = entry_notes_find(rows->notes, entry_id(rows->et.table, entry));
	const __u64 *reg = words + FLOW_HEAD_WORDS + rows->et.layout->key_words;
	struct flow_head head;

	memcpy(&head, words, sizeof(head));
	if (!entry->action)
		entry->action = action_of_state(&rows->et, head.state);
	if (!entry->has_priority)
		entry->priority = reg[ENTRY_RANK] >> 32;
	if (!entry->has_idle)
		entry->idle_ns = reg[ENTRY_IDLE];
	if (!entry->has_hard && head.hard_deadline_ns > rows->et.now_ns)
		entry->hard_ns = head.hard_deadline_ns - rows->et.now_ns;
	if (!entry->name[0] && note)
		memcpy(entry->name, note->name, sizeof(entry->name));
	for (size_t i = ENTRY_WORDS; i < rows->et.table->n_regs; i++) {
		const struct typed *typed = &rows->et.table->reg[i];

		if (entry->has_value >> i & 1)
			continue;
		entry->reg[typed->word] = reg[typed->word];
		if (typed->type == TYPE_ADDR)
			entry->reg[typed->word + 1] = reg[typed->word + 1];
	}
}

static int write_entry(struct entry_rows *rows, struct entry *entry)
{
	__u64 words[RECORD_WORDS(RECORD_256)];
	enum entry_change change;
	bool exists = entry_table_find(&rows->et, entry, words) == 0;
	int r;

	if (exists && rows->msg->op == ENTRY_ADD) {
		snprintf(rows->why, ENTRY_WHY, "there is an entry with this key already");
		return -EEXIST;
	}
	if (exists)
		keep_unsaid(rows, entry, words);
	if (entry_check(rows->et.table, entry, true, rows->why) < 0)
		return -EINVAL;
	r = entry_notes_put(rows->notes, rows->et.table, entry);
	if (r == 0)
		r = entry_table_put(&rows->et, entry, 0, &change);
	if (r < 0) {
		if (!exists && r != -EEXIST)
			entry_notes_remove(rows->notes, entry_id(rows->et.table, entry));
		snprintf(rows->why, ENTRY_WHY, "%s", entry_problem(r));
		return r;
	}
	rows->changed += change != ENTRY_SAME;
	return 0;
}

static int delete_entry(struct entry_rows *rows, struct entry *entry)
{
	int r = entry_table_remove(&rows->et, entry);

	if (r == -ENOENT)
		snprintf(rows->why, ENTRY_WHY, "there is no such entry");
	else if (r < 0)
		snprintf(rows->why, ENTRY_WHY, "%s", strerror(-r));
	if (r < 0)
		return r;
	entry_notes_remove(rows->notes, entry_id(rows->et.table, entry));
	rows->changed++;
	return 0;
}

/* The entry that a row means; its key is complete. */
static int find_entry(struct entry_rows *rows, char **cell, int n, struct entry *ret_entry)
{
	int r = read_row(rows, cell, n, ret_entry);

	if (r == 0)
		r = resolve_name(rows, ret_entry);
	return r == 0 ? entry_check(rows->et.table, ret_entry, false, rows->why) : r;
}

static int do_row(struct entry_rows *rows, char **cell, int n)
{
	struct entry entry;
	int r = find_entry(rows, cell, n, &entry);

	if (r < 0)
		return r;
	if (rows->ids)
		fprintf(rows->ids, "%016" PRIx64 "\n", (uint64_t)entry_id(rows->et.table, &entry));
	return rows->msg->op == ENTRY_DELETE ? delete_entry(rows, &entry) : write_entry(rows, &entry);
}

static int each_row(struct entry_rows *rows, int (*row)(struct entry_rows *rows, char **cell, int n))
{
	_cleanup_free_ char *text = strdup(rows->msg->rows);
	char *cell[ENTRY_COLUMNS_MAX], *at = text;
	int n, r = text ? 0 : -ENOMEM;

	rows->n = 0;
	while (r == 0 && (n = csv_row(&at, cell, ENTRY_COLUMNS_MAX)) != 0) {
		rows->n++;
		if (n < 0)
			snprintf(rows->why, ENTRY_WHY, "a quote is not closed");
		r = n < 0 || n > ENTRY_COLUMNS_MAX ? -EINVAL : row(rows, cell, n);
	}
	return r;
}

int entry_rows_write(struct entry_rows *rows)
{
	return each_row(rows, do_row);
}

static int is_several(struct entry_rows *rows, char **cell, int n)
{
	_cleanup_free_ struct entry_record *records = NULL;
	struct entry entry;
	size_t n_records = 0;

	if (find_entry(rows, cell, n, &entry) < 0 ||
	    entry_records(rows->et.table, rows->et.layout, &entry, &records, &n_records) < 0)
		return 0;
	return n_records > 1;
}

bool entry_rows_need_bundle(struct entry_rows *rows)
{
	bool several = rows->et.table->masked && each_row(rows, is_several) > 0;

	rows->why[0] = '\0';
	return several;
}
