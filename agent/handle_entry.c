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
#include "bundle_commit.h"
#include "dispatch.h"
#include "entry_rows.h"
#include "version_entries.h"

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

/* ---- write ---- */

static void clear(const struct request *rq, struct entry_table *et)
{
	const struct msg_entries *msg = &rq->msg->entries;
	const struct plan_table *t = plan_find_table(versions_plan(rq->agent->versions), msg->deployment, msg->table);
	uint64_t freed;
	int r = entry_store_clear(versions_entries(rq->agent->versions), et, &freed);

	if (r < 0)
		reply_error(&rq->from, ERROR_INTERNAL, "%s: %s", t->name, strerror(-r));
	else
		reply_ok(&rq->from, "", 0, freed);
}

static void write_rows(const struct request *rq, struct entry_rows *rows)
{
	const struct msg_entries *msg = &rq->msg->entries;
	_cleanup_free_ char *ids = NULL;
	size_t size;
	int r, published;

	rows->ids = open_memstream(&ids, &size);
	r = rows->ids ? entry_rows_write(rows) : -ENOMEM;
	if (rows->ids)
		fclose(rows->ids);
	published = entry_table_publish(&rows->et);
	if (r < 0)
		reply_error(&rq->from, entry_error_code(r), "%s/%s: row %" PRIu64 ": %s", msg->deployment, msg->table,
			    rows->n, rows->why[0] ? rows->why : strerror(-r));
	else if (published < 0)
		reply_error(&rq->from, ERROR_INTERNAL, "%s/%s: %s", msg->deployment, msg->table, strerror(-published));
	else
		reply_ok(&rq->from, ids, 0, rows->changed);
}

/* Records of one entry that packets must not see apart come as a bundle of their own. */
static void write_at_once(struct request *rq)
{
	struct bundle_result result = {};
	int r = bundle_commit(rq->agent, &rq->msg, 1, &result);

	if (r < 0)
		reply_error(&rq->from, result.code, "%s", result.why ? result.why : strerror(-r));
	else
		reply_ok(&rq->from, result.ids, 0, result.changed);
	bundle_result_done(&result);
}

void handle_entries(struct request *rq)
{
	const struct msg_entries *msg = &rq->msg->entries;
	struct entry_rows rows = {.msg = msg, .names = {wiring_find, rq->agent->wiring}};

	if (!open_table(rq, msg->deployment, msg->table, &rows.et))
		return;
	rows.notes = entry_store_notes(versions_entries(rq->agent->versions));
	if (msg->op == ENTRY_CLEAR)
		clear(rq, &rows.et);
	else if (entry_rows_need_bundle(&rows))
		write_at_once(rq);
	else
		write_rows(rq, &rows);
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
			csv_print(list->out, i == 0, entry_render_pattern(&t->lookup[i], &p, list->et.lists, buf));
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

	while (n < ENTRY_COLUMNS_MAX - ENTRY_TOLD && (ret_column[n] = entry_column(t, n)))
		n++;
	for (size_t i = 0; i < ENTRY_TOLD; i++)
		ret_column[n++] = entry_told[i];
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
