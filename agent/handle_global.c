/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Globals: listed, and set by people within their range. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "agent.h"
#include "dispatch.h"
#include "global.h"

static __u64 *value_of(const struct request *rq, const struct plan_app *pa, size_t i)
{
	return &instance_globals(rq->agent->instance)->at[pa->placement.global[i]].value;
}

static const char *deployment_name(const struct plan_app *pa)
{
	return held_get(pa->held)->name;
}

void handle_globals(struct request *rq)
{
	const struct plan *plan = versions_plan(rq->agent->versions);
	struct message msg = {.kind = MSG_GLOBALS, .switch_name = rq->agent->config->name};
	const char *filter = rq->msg->get.filter;
	_cleanup_free_ struct msg_global *item = NULL;
	size_t n = 0;

	if (filter[0] && !desired_find(plan->desired, filter)) {
		reply_error(&rq->from, ERROR_UNKNOWN, "there is no deployment \"%s\"", filter);
		return;
	}
	item = calloc(GLOBALS_MAX, sizeof(*item));
	if (!item) {
		reply_error(&rq->from, ERROR_NO_MEMORY, "no memory");
		return;
	}
	for (size_t a = 0; a < plan->n_apps; a++) {
		const struct plan_app *pa = &plan->app[a];

		for (size_t i = 0; i < pa->app->n_globals && n < GLOBALS_MAX; i++) {
			const struct app_global *g = &pa->app->global[i];

			if (filter[0] && strcmp(filter, deployment_name(pa)) != 0)
				continue;
			item[n++] = (struct msg_global){.deployment = deployment_name(pa),
							.name = g->name,
							.type = g->type,
							.value = __atomic_load_n(value_of(rq, pa, i), __ATOMIC_RELAXED),
							.initial = g->initial,
							.min = g->min,
							.max = g->max};
		}
	}
	msg.globals.item = item;
	msg.globals.n = n;
	reply_message(&rq->from, &msg);
}

void handle_set_global(struct request *rq)
{
	const struct app_global *global;
	_cleanup_free_ char *why = NULL;
	uint64_t value, old;
	unsigned index;
	char text[64];
	int r = globals_find(versions_plan(rq->agent->versions), &rq->msg->set_global, &global, &index, &value, &why);

	if (r < 0) {
		reply_error(&rq->from, r == -ENOENT ? ERROR_UNKNOWN : ERROR_INVALID, "%s", why ? why : strerror(-r));
		return;
	}
	old = __atomic_exchange_n(&instance_globals(rq->agent->instance)->at[index].value, value, __ATOMIC_RELAXED);
	reply_ok(&rq->from, value_render(global->type, 0, old, 0, text, sizeof(text)), 0, 1);
}
