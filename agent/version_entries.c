/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "version_entries.h"

#include <errno.h>
#include <string.h>

#include "why.h"

static bool is_made(const struct version_flows *made, unsigned flow_table)
{
	for (size_t i = 0; i < made->n; i++)
		if (made->index[i] == flow_table)
			return true;
	return false;
}

const char *entry_problem(int r)
{
	switch (r) {
	case -ENOSPC: return "the table is full";
	case -E2BIG: return "its ranges make too many prefixes";
	case -EDQUOT: return "the entries have more different masks than a table can have (64)";
	case -ENOBUFS: return "the switch has no room for another list of segments";
	case -EEXIST: return "another entry has its name";
	case -EBUSY: return "packets change it all the time; try again";
	}
	return strerror(-r);
}

static int install(struct entry_store *entries, const struct plan_table *t, unsigned slot, char **ret_text)
{
	const struct table_placement *place = plan_placement(t);
	const struct app_entry *mistake = NULL;
	struct entry_table et;
	int r;

	r = entry_store_open(entries, t->app->app, t->index, place, t->layout,
			     TABLE_INDEX(slot, place->hook, place->hook_table), &et);
	if (r == 0)
		r = entry_table_install(&et, &mistake);
	if (r == 0)
		r = entry_store_note_text(entries, &et);
	if (r == 0)
		return 0;
	if (mistake)
		return why_set(ret_text, r, "%s: the entry on line %u cannot be written: %s", t->name,
			       mistake->loc.line, entry_problem(r));
	return why_set(ret_text, r, "%s: entries cannot be written: %s", t->name, entry_problem(r));
}

enum error_code entry_error_code(int r)
{
	switch (r) {
	case -ENOENT: return ERROR_UNKNOWN;
	case -ENOMEM:
	case -ENOSPC: return ERROR_NO_MEMORY;
	case -EBUSY: return ERROR_BUSY;
	}
	return ERROR_INVALID;
}

typedef int (*table_fn)(struct entry_store *entries, const struct plan_table *t, unsigned slot, void *data,
			char **ret_text);

/* Calls for the match tables whose flow table is in 'made' ('fresh'), or is not. */
static int each_table(struct entry_store *entries, const struct plan *plan, unsigned slot,
		      const struct version_flows *made, bool fresh, table_fn each, void *data, char **ret_text)
{
	int r = 0;

	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		for (unsigned i = 0; i < plan->n_tables[hook] && r == 0; i++) {
			const struct plan_table *t = plan->table[hook][i];

			if (plan_app_table(t)->has_entries && is_made(made, plan_placement(t)->flow_table) == fresh)
				r = each(entries, t, slot, data, ret_text);
		}
	}
	return r;
}

struct begin {
	const struct plan *before;
	struct entry_moves **moves;
};

static int begin_table(struct entry_store *entries, const struct plan_table *t, unsigned slot, void *data,
		       char **ret_text)
{
	struct begin *begin = data;
	int r = 0;

	entry_store_forget(entries, plan_placement(t)->flow_table);
	if (t->renewed)
		r = entry_moves_add(begin->moves, entries, plan_find_name(begin->before, t->name), t, slot);
	if (r < 0)
		return why_set(ret_text, r, "%s: entries cannot be taken along: %s", t->name, entry_problem(r));
	if (!t->renewed || t->new_entries)
		r = install(entries, t, slot, ret_text);
	entry_store_unseen(entries);
	return r;
}

int version_entries_begin(struct entry_store *entries, const struct plan *before, const struct plan *plan,
			  unsigned slot, const struct version_flows *made, struct entry_moves **moves, char **ret_text)
{
	struct begin begin = {before, moves};

	return each_table(entries, plan, slot, made, true, begin_table, &begin, ret_text);
}

static int change_table(struct entry_store *entries, const struct plan_table *t, unsigned slot, void *data,
			char **ret_text)
{
	return install(entries, t, slot, ret_text);
}

int version_entries_change(struct entry_store *entries, const struct plan *plan, unsigned slot,
			   const struct version_flows *made, char **ret_text)
{
	return each_table(entries, plan, slot, made, false, change_table, NULL, ret_text);
}
