/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows that are registered, and their counters. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../common/cleanup.h"
#include "../../common/csv.h"
#include "../../tables/segments.h"
#include "pfplm_int.h"

/* Both ends know the flow by the fingerprint of its list, so nothing has to be agreed on. */
static int flow_of(struct pfplm *pfplm, const char *text, uint64_t *ret_flow)
{
	char why[SEGMENTS_WHY];
	struct segments segments;

	if (segments_parse(text, &segments, why) < 0)
		return pfplm_fail(pfplm, -EINVAL, "%s", why);
	*ret_flow = segments_fingerprint(&segments);
	return 0;
}

static int change(struct pfplm *pfplm, enum pfplm_direction direction, const char *at, const char *segments,
		  enum entry_op op)
{
	const char *columns[] = {"srv6.segments", "flow"};
	_cleanup_free_ char *row = NULL;
	struct message request = {.kind = MSG_ENTRIES}, *reply;
	uint64_t flow;
	int r = flow_of(pfplm, segments, &flow);

	if (r < 0)
		return r;
	if (asprintf(&row, op == ENTRY_ADD ? "\"%s\",%" PRIu64 "\n" : "\"%s\"\n", segments, flow) < 0) {
		row = NULL;
		return pfplm_fail(pfplm, -ENOMEM, "out of memory");
	}
	request.entries = (struct msg_entries){.op = op,
					       .deployment = pfplm_ends[direction].deployment,
					       .table = pfplm_ends[direction].keys,
					       .column = columns,
					       .n_columns = op == ENTRY_ADD ? 2 : 1,
					       .rows = row};
	r = pfplm_call(pfplm, at, &request, &reply);
	if (r == 0)
		message_free(reply);
	return r;
}

/* ---- listed ---- */

static int take_rows(const struct msg_entry_rows *rows, void (*flow)(void *data, const char *segments), void *data)
{
	_cleanup_free_ char *text = strdup(rows->rows);
	char *at = text, *cell[ENTRY_COLUMNS_MAX];
	size_t column = 0;

	if (!text)
		return -ENOMEM;
	while (column < rows->n_columns && strcmp(rows->column[column], "srv6.segments"))
		column++;
	for (int n; (n = csv_row(&at, cell, ENTRY_COLUMNS_MAX)) > 0;)
		if (column < (size_t)n)
			flow(data, cell[column]);
	return 0;
}

int pfplm_list_flows(struct pfplm *pfplm, enum pfplm_direction direction, const char *at,
		     void (*flow)(void *data, const char *segments), void *data)
{
	struct message request = {
		.kind = MSG_GET_ENTRIES,
		.get_entries = {.deployment = pfplm_ends[direction].deployment, .table = pfplm_ends[direction].keys}};
	int r;

	do {
		struct message *reply;

		r = pfplm_call(pfplm, at, &request, &reply);
		if (r < 0)
			return r;
		if (reply->kind != MSG_ENTRY_ROWS)
			r = pfplm_fail(pfplm, -EPROTO, "entries were asked for, something else came");
		else
			r = take_rows(&reply->entry_rows, flow, data);
		request.get_entries.cursor = r == 0 ? reply->entry_rows.next : 0;
		message_free(reply);
	} while (request.get_entries.cursor);
	return r;
}

struct search {
	uint64_t flow;
	bool found;
};

static void see_flow(void *data, const char *text)
{
	struct search *search = data;
	char why[SEGMENTS_WHY];
	struct segments segments;

	if (segments_parse(text, &segments, why) == 0 && segments_fingerprint(&segments) == search->flow)
		search->found = true;
}

static int is_registered(struct pfplm *pfplm, enum pfplm_direction direction, const char *at, const char *segments,
			 bool *ret_is)
{
	struct search search = {};
	int r = flow_of(pfplm, segments, &search.flow);

	if (r == 0)
		r = pfplm_list_flows(pfplm, direction, at, see_flow, &search);
	*ret_is = search.found;
	return r;
}

int pfplm_add_flow(struct pfplm *pfplm, enum pfplm_direction direction, const char *at, const char *segments)
{
	bool is;
	int r = is_registered(pfplm, direction, at, segments, &is);

	if (r == 0 && is)
		return pfplm_fail(pfplm, -EEXIST, "%s is registered already", segments);
	return r < 0 ? r : change(pfplm, direction, at, segments, ENTRY_ADD);
}

int pfplm_del_flow(struct pfplm *pfplm, enum pfplm_direction direction, const char *at, const char *segments)
{
	return change(pfplm, direction, at, segments, ENTRY_DELETE);
}

/* ---- counters ---- */

struct counts {
	uint64_t flow;
	unsigned colour;
	struct pfplm_stats *stats;
};

static uint64_t field(const struct layout_field *fields, size_t n, const char *name, const uint64_t *words)
{
	__u64 hi = 0, lo = 0;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].name, name))
			layout_get(&fields[i], (const __u64 *)words, &hi, &lo);
	return lo;
}

static int see_counts(void *data, const struct layout *layout, const uint64_t *words, uint64_t now_ns, uint64_t total)
{
	const struct counts *counts = data;
	uint64_t flow = 0;

	for (size_t i = 0; i < layout->n_keys; i++)
		if (strcmp(layout->key[i].name, "colour"))
			flow = field(&layout->key[i], 1, layout->key[i].name, words);
	if (flow != counts->flow || field(layout->key, layout->n_keys, "colour", words) != counts->colour)
		return 0;
	counts->stats->packets = field(layout->reg, layout->n_regs, "packets", words);
	counts->stats->bytes = field(layout->reg, layout->n_regs, "bytes", words);
	counts->stats->times = field(layout->reg, layout->n_regs, "times", words);
	return 0;
}

int pfplm_get_stats(struct pfplm *pfplm, enum pfplm_direction direction, const char *at, const char *segments,
		    unsigned colour, struct pfplm_stats *ret_stats)
{
	struct counts counts = {.colour = colour, .stats = ret_stats};
	bool is;
	int r;

	*ret_stats = (struct pfplm_stats){};
	if (colour >= PFPLM_COLOURS)
		return pfplm_fail(pfplm, -EINVAL, "%u is no colour; 0 to %d are", colour, PFPLM_COLOURS - 1);
	r = flow_of(pfplm, segments, &counts.flow);
	if (r == 0)
		r = is_registered(pfplm, direction, at, segments, &is);
	if (r == 0 && !is)
		return pfplm_fail(pfplm, -ENOENT, "no such flow: %s", segments);
	if (r == 0)
		r = mealy_dump(pfplm->mealy, at, pfplm_ends[direction].deployment, pfplm_ends[direction].counts, "",
			       see_counts, &counts);
	return r;
}
