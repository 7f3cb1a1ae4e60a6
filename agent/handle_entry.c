/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of match tables: written row by row, listed in chunks. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/csv.h"
#include "../tables/entry_render.h"
#include "agent.h"
#include "dispatch.h"
#include "version_entries.h"
#include "why.h"

/* What an export has beside what an import reads; passed over in rows that come back. */
static const char *const told[] = {"packets", "bytes", "age", "of"};

static bool is_told(const char *column)
{
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (strcmp(told[i], column) == 0)
			return true;
	return false;
}

/* Opens the match table that a request names; answers and returns false if there is none. */
static bool open_table(const struct request *rq, const char *deployment, const char *table, struct entry_table *ret_et)
{
	struct versions *versions = rq->agent->versions;
	const struct plan *plan = versions_plan(versions);
	const struct plan_table *t = plan_find_table(plan, deployment, table);
	int r;

	if (!desired_find(plan->desired, deployment)) {
		reply_error(&rq->from, ERROR_UNKNOWN, "there is no deployment \"%s\"", deployment);
		return false;
	}
	if (!t || !plan_app_table(t)->has_entries) {
		reply_error(&rq->from, ERROR_UNKNOWN,
			    t ? "table %2$s of %1$s is no match table" : "%s has no table \"%s\"", deployment, table);
		return false;
	}
	r = entry_store_open(versions_entries(versions), t->app->app, t->index, plan_placement(t), t->layout,
			     versions_element(versions, t), ret_et);
	if (r < 0)
		reply_error(&rq->from, ERROR_INTERNAL, "%s: %s", t->name, strerror(-r));
	return r == 0;
}

/* ---- one row ---- */

struct rows {
	const struct request *rq;
	struct entry_table et;
	struct entry_notes *notes;
	enum entry_op op;
	FILE *ids; /* Told to the controller: a line a row. */
	uint64_t n, changed;
	char why[ENTRY_WHY];
};

static int read_row(struct rows *rows, char **cell, int n, struct entry *ret_entry)
{
	const struct msg_entries *msg = &rows->rq->msg->entries;
	struct port_names names = {wiring_find, rows->rq->agent->wiring};

	entry_init(rows->et.table, ret_entry);
	if ((size_t)n != msg->n_columns) {
		snprintf(rows->why, ENTRY_WHY, "%d cells, but there are %zu columns", n, msg->n_columns);
		return -EINVAL;
	}
	for (int i = 0; i < n; i++)
		if (!is_told(msg->column[i]) &&
		    entry_set(rows->et.app, rows->et.table, &names, ret_entry, msg->column[i], cell[i], rows->why) < 0)
			return -EINVAL;
	return 0;
}

/* An entry that is addressed by its name only gets its key. */
static int resolve_name(struct rows *rows, struct entry *entry)
{
	const struct entry_note *note;

	if (entry->has_key || !entry->name[0])
		return 0;
	note = entry_notes_find_name(rows->notes, entry->name);
	if (!note && rows->op == ENTRY_ADD)
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
static void keep_unsaid(struct rows *rows, struct entry *entry, const __u64 *words)
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

static int write_entry(struct rows *rows, struct entry *entry)
{
	__u64 words[RECORD_WORDS(RECORD_256)];
	enum entry_change change;
	bool exists = entry_table_find(&rows->et, entry, words) == 0;
	int r;

	if (exists && rows->op == ENTRY_ADD) {
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

static int delete_entry(struct rows *rows, struct entry *entry)
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

static int do_row(struct rows *rows, char **cell, int n)
{
	struct entry entry;
	int r = read_row(rows, cell, n, &entry);

	if (r == 0)
		r = resolve_name(rows, &entry);
	if (r == 0)
		r = entry_check(rows->et.table, &entry, false, rows->why);
	if (r < 0)
		return r;
	fprintf(rows->ids, "%016" PRIx64 "\n", (uint64_t)entry_id(rows->et.table, &entry));
	return rows->op == ENTRY_DELETE ? delete_entry(rows, &entry) : write_entry(rows, &entry);
}

static int do_rows(struct rows *rows, char *text)
{
	char *cell[ENTRY_COLUMNS_MAX];
	int n, r = 0;

	while (r == 0 && (n = csv_row(&text, cell, ENTRY_COLUMNS_MAX)) != 0) {
		rows->n++;
		if (n < 0)
			snprintf(rows->why, ENTRY_WHY, "a quote is not closed");
		r = n < 0 || n > ENTRY_COLUMNS_MAX ? -EINVAL : do_row(rows, cell, n);
	}
	return r;
}

/* ---- all of them ---- */

static bool is_own(void *data, const uint64_t *words)
{
	const struct entry_table *et = data;

	return !(words[FLOW_HEAD_WORDS + et->layout->key_words + ENTRY_ID] & ENTRY_OF_TEXT);
}

static void clear(const struct request *rq, struct entry_table *et)
{
	const struct msg_entries *msg = &rq->msg->entries;
	const struct plan_table *t = plan_find_table(versions_plan(rq->agent->versions), msg->deployment, msg->table);
	struct flow_scan scan = {};
	int r;

	r = flow_store_delete_matching(rq->agent->flows, plan_placement(t)->flow_table,
				       versions_element(rq->agent->versions, t), is_own, et, &scan);
	if (r == 0)
		r = entry_table_recount(et);
	et->masks->dirty = true;
	if (r == 0)
		r = entry_table_publish(et);
	if (r < 0)
		reply_error(&rq->from, ERROR_INTERNAL, "%s: %s", t->name, strerror(-r));
	else
		reply_ok(&rq->from, "", 0, scan.freed);
}

static enum error_code code_of(int r)
{
	switch (r) {
	case -ENOENT: return ERROR_UNKNOWN;
	case -ENOSPC: return ERROR_NO_MEMORY;
	case -EBUSY: return ERROR_BUSY;
	}
	return ERROR_INVALID;
}

void handle_entries(struct request *rq)
{
	const struct msg_entries *msg = &rq->msg->entries;
	struct rows rows = {.rq = rq, .op = msg->op};
	_cleanup_free_ char *text = NULL, *ids = NULL;
	size_t size;
	int r, published;

	if (!open_table(rq, msg->deployment, msg->table, &rows.et))
		return;
	rows.notes = entry_store_notes(versions_entries(rq->agent->versions));
	if (rows.op == ENTRY_CLEAR) {
		clear(rq, &rows.et);
		return;
	}
	text = strdup(msg->rows);
	rows.ids = open_memstream(&ids, &size);
	r = text && rows.ids ? do_rows(&rows, text) : -ENOMEM;
	if (rows.ids)
		fclose(rows.ids);
	published = entry_table_publish(&rows.et);
	if (r < 0)
		reply_error(&rq->from, code_of(r), "%s/%s: row %" PRIu64 ": %s", msg->deployment, msg->table, rows.n,
			    rows.why[0] ? rows.why : strerror(-r));
	else if (published < 0)
		reply_error(&rq->from, ERROR_INTERNAL, "%s/%s: %s", msg->deployment, msg->table, strerror(-published));
	else
		reply_ok(&rq->from, ids, 0, rows.changed);
}

/* ---- list ---- */

enum { LIST_BYTES = 128 << 10 };

struct list {
	struct entry_table et;
	struct entry_notes *notes;
	FILE *out;
};

/* Only the first of the records that a range makes is shown, for all of them. */
static bool is_first(const struct list *list, const struct entry_note *note, const __u64 *words)
{
	for (size_t i = 0; note && i < list->et.table->n_lookup; i++) {
		__u64 hi, lo;

		if (note->key[i].kind != PATTERN_RANGE)
			continue;
		layout_get(&list->et.layout->key[i], words, &hi, &lo);
		if (lo != note->key[i].lo)
			return false;
	}
	return true;
}

/* Packets and bytes of all its records. */
static void sum_up(struct list *list, const struct entry_note *note, const __u64 *reg, struct counter *ret)
{
	struct entry entry;

	*ret = (struct counter){reg[ENTRY_PACKETS], reg[ENTRY_BYTES]};
	if (!note)
		return;
	entry_init(list->et.table, &entry);
	memcpy(entry.key, note->key, list->et.table->n_lookup * sizeof(entry.key[0]));
	if (entry_table_count(&list->et, &entry, ret) < 0)
		*ret = (struct counter){reg[ENTRY_PACKETS], reg[ENTRY_BYTES]};
}

static void print_told(struct list *list, const struct entry_note *note, const __u64 *reg)
{
	struct counter sum;
	uint64_t age_ns = list->et.now_ns > reg[ENTRY_SINCE] ? list->et.now_ns - reg[ENTRY_SINCE] : 0;

	sum_up(list, note, reg, &sum);
	fprintf(list->out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "ms,%s\n", (uint64_t)sum.packets, (uint64_t)sum.bytes,
		age_ns / 1000000, reg[ENTRY_ID] & ENTRY_OF_TEXT ? "text" : "entry");
}

static int print_entry(void *data, uint32_t slot, const uint64_t *image, unsigned n_words)
{
	struct list *list = data;
	const __u64 *words = (const __u64 *)image, *reg = words + FLOW_HEAD_WORDS + list->et.layout->key_words;
	const struct entry_note *note = entry_notes_find(list->notes, reg[ENTRY_ID] & ~ENTRY_OF_TEXT);
	const struct app_table *t = list->et.table;
	const __u64 *mask = NULL;
	const char *column;
	char buf[ENTRY_TEXT_SIZE];

	if (!is_first(list, note, words))
		return 0;
	if (t->masked)
		mask = list->et.masks->at[mask_number(list->et.layout, words + FLOW_HEAD_WORDS) % (MASKS_MAX + 1)].mask;
	for (size_t i = 0; (column = entry_column(t, i)); i++) {
		struct pattern p;

		if (i < t->n_lookup) {
			p = note ? note->key[i] : entry_part_of_record(t, list->et.layout, i, words, mask);
			csv_print(list->out, i == 0, entry_render_pattern(&t->lookup[i], &p, buf));
		} else if (strcmp(column, "name") == 0) {
			csv_print(list->out, false, note ? note->name : "");
		} else {
			csv_print(list->out, false,
				  entry_render_column(t, list->et.layout, column, words, list->et.now_ns, buf));
		}
	}
	print_told(list, note, reg);
	return ftell(list->out) > LIST_BYTES;
}

static size_t list_columns(const struct app_table *t, const char **ret_column)
{
	size_t n = 0;

	while (n < ENTRY_COLUMNS_MAX - ARRAY_SIZE(told) && (ret_column[n] = entry_column(t, n)))
		n++;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		ret_column[n++] = told[i];
	return n;
}

void handle_get_entries(struct request *rq)
{
	const struct msg_get_entries *msg = &rq->msg->get_entries;
	struct message reply = {.kind = MSG_ENTRY_ROWS, .switch_name = rq->agent->config->name};
	const char *column[ENTRY_COLUMNS_MAX];
	_cleanup_free_ char *text = NULL;
	uint32_t cursor = msg->cursor;
	struct list list = {};
	unsigned index;
	size_t size;
	int r;

	if (!open_table(rq, msg->deployment, msg->table, &list.et))
		return;
	index = plan_placement(plan_find_table(versions_plan(rq->agent->versions), msg->deployment, msg->table))
			->flow_table;
	list.notes = entry_store_notes(versions_entries(rq->agent->versions));
	list.out = open_memstream(&text, &size);
	r = list.out ? flow_store_walk(rq->agent->flows, index, &cursor, 0, print_entry, &list) : -ENOMEM;
	if (list.out)
		fclose(list.out);
	if (r < 0) {
		reply_error(&rq->from, ERROR_INTERNAL, "%s: %s", msg->table, strerror(-r));
		return;
	}
	reply.entry_rows.n_columns = list_columns(list.et.table, column);
	reply.entry_rows.column = column;
	reply.entry_rows.rows = text;
	reply.entry_rows.next = cursor;
	reply.entry_rows.total = msg->cursor ? 0 : flow_store_count(rq->agent->flows, index);
	reply_message(&rq->from, &reply);
}
