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
	case -EEXIST: return "another entry has its name";
	case -EBUSY: return "packets change it all the time; try again";
	}
	return strerror(-r);
}

static int install(struct entry_store *entries, const struct plan_table *t, unsigned slot, char **ret_text)
{
	const struct table_placement *place = plan_placement(t);
	const struct app_entry *mistake;
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

static int install_all(struct entry_store *entries, const struct plan *plan, unsigned slot,
		       const struct version_flows *made, bool fresh, char **ret_text)
{
	int r = 0;

	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		for (unsigned i = 0; i < plan->n_tables[hook] && r == 0; i++) {
			const struct plan_table *t = plan->table[hook][i];

			if (!plan_app_table(t)->has_entries || is_made(made, plan_placement(t)->flow_table) != fresh)
				continue;
			if (fresh)
				entry_store_forget(entries, plan_placement(t)->flow_table);
			r = install(entries, t, slot, ret_text);
		}
	}
	return r;
}

int version_entries_begin(struct entry_store *entries, const struct plan *plan, unsigned slot,
			  const struct version_flows *made, char **ret_text)
{
	return install_all(entries, plan, slot, made, true, ret_text);
}

int version_entries_change(struct entry_store *entries, const struct plan *plan, unsigned slot,
			   const struct version_flows *made, char **ret_text)
{
	return install_all(entries, plan, slot, made, false, ret_text);
}
