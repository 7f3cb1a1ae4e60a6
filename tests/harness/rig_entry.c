// SPDX-License-Identifier: GPL-2.0-or-later
/* The entries of a rig's match tables, in the kernel and natively. */
#include <errno.h>

#include "../../common/cleanup.h"
#include "rig_int.h"

static void open_table(struct rig *rig, unsigned a, unsigned i, unsigned slot, struct entry_table *ret_table)
{
	struct rig_app *app = &rig->plan.app[a];
	const struct table_placement *place = &app->placement.table[i];
	unsigned element = TABLE_INDEX(slot, rig->plan.hook, place->hook_table);
	struct native_entries **native = &rig->native_entries[place->flow_table];

	if (rig->native) {
		if (!*native)
			*native = calloc(1, sizeof(**native));
		native_entries_open(rig->native, app->app, i, place, &app->layout[i], element, rig->now_ns, *native,
				    ret_table);
		return;
	}
	if (!rig->entries)
		CHECK(entry_store_new(rig->flows, &rig->entries), "entry store");
	CHECK(entry_store_open(rig->entries, app->app, i, place, &app->layout[i], element, ret_table), "entries");
}

void rig_entries_install(struct rig *rig, unsigned slot)
{
	for (unsigned a = 0; a < rig->plan.n_apps; a++) {
		for (unsigned i = 0; i < rig->plan.app[a].app->n_tables; i++) {
			const struct app_entry *mistake;
			struct entry_table et;

			if (!rig->plan.app[a].app->table[i].has_entries)
				continue;
			open_table(rig, a, i, slot, &et);
			CHECK(entry_table_install(&et, &mistake), "entries of the text");
		}
	}
}

void rig_entries_close(struct rig *rig)
{
	for (unsigned i = 0; i < RIG_FLOW_TABLES; i++) {
		free(rig->native_entries[i]);
		if (rig->entries && i < rig->plan.n_flows)
			entry_store_forget(rig->entries, i);
	}
	entry_store_free(rig->entries);
}

static void read_entry(struct entry_table *et, const char *cells, struct entry *ret_entry)
{
	_cleanup_free_ char *copy = strdup(cells);
	char why[ENTRY_WHY], *save, *text;

	entry_init(et->table, ret_entry);
	for (char *cell = strtok_r(copy, " ", &save); cell; cell = strtok_r(NULL, " ", &save)) {
		text = strchr(cell, '=');
		*text++ = 0;
		if (entry_set(et->app, et->table, NULL, ret_entry, cell, text, why) < 0) {
			fprintf(stderr, "rig: entry %s: %s\n", cells, why);
			exit(1);
		}
	}
}

static void find_table(struct rig *rig, const char *table, struct entry_table *ret_table)
{
	unsigned a, i;

	rig_plan_find(&rig->plan, table, &a, &i);
	open_table(rig, a, i, rig->slot, ret_table);
}

int rig_put_entry(struct rig *rig, const char *table, const char *cells)
{
	enum entry_change change;
	struct entry_table et;
	struct entry entry;
	int r;

	find_table(rig, table, &et);
	read_entry(&et, cells, &entry);
	r = entry_table_put(&et, &entry, 0, &change);
	return r < 0 ? r : entry_table_publish(&et);
}

int rig_remove_entry(struct rig *rig, const char *table, const char *cells)
{
	struct entry_table et;
	struct entry entry;
	int r;

	find_table(rig, table, &et);
	read_entry(&et, cells, &entry);
	r = entry_table_remove(&et, &entry);
	return r < 0 ? r : entry_table_publish(&et);
}

uint64_t rig_entry_packets(struct rig *rig, const char *table, const char *cells)
{
	__u64 words[RECORD_WORDS(RECORD_256)];
	struct entry_table et;
	struct entry entry;

	find_table(rig, table, &et);
	read_entry(&et, cells, &entry);
	if (entry_table_find(&et, &entry, words) < 0)
		return ~0ull;
	return words[FLOW_HEAD_WORDS + et.layout->key_words + ENTRY_PACKETS];
}

struct segment_lists *rig_segments(struct rig *rig)
{
	return rig->native ? native_segments(rig->native) : instance_segments(rig->instance);
}
