/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bundle_commit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "agent.h"
#include "entry_rows.h"
#include "global.h"
#include "version_entries.h"
#include "why.h"

struct commit {
	struct agent *agent;
	const struct message *const *member;
	size_t n;
	struct bundle_result *result;
	FILE *ids;
};

void bundle_result_done(struct bundle_result *result)
{
	free(result->ids);
	free(result->why);
}

/* "member 3: ", where there are several. */
static int fail(struct commit *commit, size_t i, int r, enum error_code code, const char *text)
{
	commit->result->code = code;
	if (commit->n > 1)
		return why_set(&commit->result->why, r, "member %zu: %s", i + 1, text);
	return why_set(&commit->result->why, r, "%s", text);
}

/* ---- deployments ---- */

static int put_deployments(struct commit *commit, struct desired *desired)
{
	for (size_t i = 0; i < commit->n; i++) {
		const struct message *msg = commit->member[i];
		int r = 0;

		if (msg->kind == MSG_DEPLOY)
			r = desired_put(desired, &msg->deploy, false);
		else if (msg->kind == MSG_REMOVE && !desired_find(desired, msg->remove.name))
			r = -ENOENT;
		else if (msg->kind == MSG_REMOVE)
			r = desired_remove(desired, msg->remove.name, msg->remove.version);
		if (r < 0)
			return fail(commit, i, r, r == -ENOENT ? ERROR_UNKNOWN : ERROR_REFUSED,
				    r == -ENOENT   ? "there is no such deployment"
				    : r == -ESTALE ? "this switch has a later version of the deployment"
						   : strerror(-r));
	}
	return 0;
}

/* ---- entries ---- */

static bool is_touched(void *data, const char *table)
{
	const struct commit *commit = data;

	for (size_t i = 0; i < commit->n; i++) {
		const struct msg_entries *msg = &commit->member[i]->entries;
		size_t len;

		if (commit->member[i]->kind != MSG_ENTRIES)
			continue;
		len = strlen(msg->deployment);
		if (strncmp(table, msg->deployment, len) == 0 && table[len] == '/' &&
		    strcmp(table + len + 1, msg->table) == 0)
			return true;
	}
	return false;
}

static int fill_table(struct commit *commit, size_t i, const struct plan_table *t, unsigned slot)
{
	struct entry_store *entries = versions_entries(commit->agent->versions);
	const struct table_placement *place = plan_placement(t);
	struct entry_rows rows = {
		.msg = &commit->member[i]->entries, .names = {wiring_find, commit->agent->wiring}, .ids = commit->ids};
	char text[ENTRY_WHY + 64];
	uint64_t cleared = 0;
	int r;

	r = entry_store_open(entries, t->app->app, t->index, place, t->layout,
			     TABLE_INDEX(slot, place->hook, place->hook_table), &rows.et);
	if (r < 0)
		return fail(commit, i, r, ERROR_INTERNAL, strerror(-r));
	rows.notes = entry_store_notes(entries);
	if (rows.msg->op == ENTRY_CLEAR)
		r = entry_store_clear(entries, &rows.et, &cleared);
	else
		r = entry_rows_write(&rows);
	if (r < 0) {
		snprintf(text, sizeof(text), "%s: row %" PRIu64 ": %s", t->name, rows.n,
			 rows.why[0] ? rows.why : strerror(-r));
		return fail(commit, i, r, entry_error_code(r), text);
	}
	r = entry_table_publish(&rows.et);
	entry_store_unseen(entries);
	commit->result->changed += rows.changed + cleared;
	return r < 0 ? fail(commit, i, r, ERROR_INTERNAL, strerror(-r)) : 0;
}

static int fill_entries(struct commit *commit, size_t i, const struct plan *plan, unsigned slot)
{
	const struct msg_entries *msg = &commit->member[i]->entries;
	const struct plan_table *t = plan_find_table(plan, msg->deployment, msg->table);
	char text[2 * NAME_LEN_MAX + 64];

	if (t && plan_app_table(t)->has_entries && (t->fresh || t->renewed))
		return fill_table(commit, i, t, slot);
	snprintf(text, sizeof(text), "there is no match table %s/%s", msg->deployment, msg->table);
	return fail(commit, i, -ENOENT, ERROR_UNKNOWN, text);
}

static int fill(void *data, const struct plan *plan, unsigned slot, char **ret_text)
{
	struct commit *commit = data;
	int r = 0;

	for (size_t i = 0; i < commit->n && r == 0; i++) {
		const struct message *msg = commit->member[i];
		const struct app_global *global;
		_cleanup_free_ char *why = NULL;
		unsigned index;
		uint64_t value;

		if (msg->kind == MSG_ENTRIES)
			r = fill_entries(commit, i, plan, slot);
		if (msg->kind == MSG_SET_GLOBAL) {
			r = globals_find(plan, &msg->set_global, &global, &index, &value, &why);
			if (r < 0)
				r = fail(commit, i, r, r == -ENOENT ? ERROR_UNKNOWN : ERROR_INVALID,
					 why ? why : strerror(-r));
		}
	}
	return r;
}

/* ---- the whole ---- */

static void set_globals(const struct commit *commit)
{
	const struct plan *plan = versions_plan(commit->agent->versions);

	for (size_t i = 0; i < commit->n; i++) {
		const struct app_global *global;
		unsigned index;
		uint64_t value;

		if (commit->member[i]->kind == MSG_SET_GLOBAL &&
		    globals_find(plan, &commit->member[i]->set_global, &global, &index, &value, NULL) == 0)
			__atomic_store_n(&instance_globals(commit->agent->instance)->at[index].value, value,
					 __ATOMIC_RELAXED);
	}
}

static int apply(struct commit *commit)
{
	struct versions *versions = commit->agent->versions;
	struct version_edit edit = {is_touched, fill, commit};
	struct desired *desired = desired_copy(versions_plan(versions)->desired);
	_cleanup_free_ char *text = NULL;
	int r;

	if (!desired)
		return -ENOMEM;
	r = put_deployments(commit, desired);
	if (r < 0) {
		desired_free(desired);
		return r;
	}
	r = versions_edit(versions, desired, &edit, &text);
	if (!commit->result->why)
		commit->result->why = TAKE_PTR(text);
	return r;
}

int bundle_commit(struct agent *agent, const struct message *const *member, size_t n, struct bundle_result *ret_result)
{
	struct commit commit = {.agent = agent, .member = member, .n = n, .result = ret_result};
	size_t size;
	int r;

	*ret_result = (struct bundle_result){};
	commit.ids = open_memstream(&ret_result->ids, &size);
	r = commit.ids ? apply(&commit) : -ENOMEM;
	if (commit.ids)
		fclose(commit.ids);
	if (r < 0 && ret_result->code == ERROR_NONE)
		ret_result->code = entry_error_code(r);
	if (r < 0)
		return r;
	set_globals(&commit);
	agent_version_changed(agent, n == 1 ? "a change of entries" : "a bundle");
	return 0;
}
