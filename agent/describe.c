/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "describe.h"

#include <string.h>

#include "../common/cleanup.h"
#include "agent.h"
#include "version_flows.h"
#include "why.h"

static const struct plan_app *find_app(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_apps; i++)
		if (!strcmp(held_get(plan->app[i].held)->name, name))
			return &plan->app[i];
	return NULL;
}

/* What app_diff() does not see: where the application runs. */
static bool placement_same(const struct deployment *a, const struct deployment *b)
{
	if (a->hook != b->hook || a->order != b->order || a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (strcmp(a->port[i], b->port[i]))
			return false;
	return strcmp(a->members ?: "", b->members ?: "") == 0;
}

void describe_change(struct request *rq, const struct plan *old, const struct plan *wanted)
{
	const char *name = rq->msg->deploy.name;
	const struct plan_app *before = find_app(old, name), *after = find_app(wanted, name);
	_cleanup_free_ char *text = NULL, *lost = NULL, *kept = NULL, *all = NULL;
	bool same = true, place;

	if (!before || !after) {
		reply_error(&rq->from, ERROR_UNKNOWN, "there is no deployment \"%s\"", name);
		return;
	}
	text = app_diff(before->app, after->app, &same);
	place = placement_same(held_get(before->held), held_get(after->held));
	version_flows_lost(rq->agent->flows, old, wanted, &lost);
	version_flows_kept(rq->agent->flows, old, wanted, name, &kept);
	why_set(&all, 0, "%s%s%s%s%s%s", text && rq->local ? text : "",
		place || !rq->local ? "" : "placement changed (hook, ports, order or members of groups)\n",
		lost ? lost : "", lost ? "\n" : "", kept ? kept : "", kept ? "\n" : "");
	reply_ok(&rq->from, all ? all : "", held_get(before->held)->version, !same || !place);
}
