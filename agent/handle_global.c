/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Globals: listed, and set by people within their range. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "agent.h"
#include "dispatch.h"

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

/* ---- set ---- */

/* Answers and returns NULL if there is none. */
static const struct plan_app *find_global(const struct request *rq, size_t *ret_index)
{
	const struct plan *plan = versions_plan(rq->agent->versions);
	const struct msg_set_global *wanted = &rq->msg->set_global;

	for (size_t a = 0; a < plan->n_apps; a++) {
		const struct plan_app *pa = &plan->app[a];

		if (strcmp(deployment_name(pa), wanted->deployment) != 0)
			continue;
		for (size_t i = 0; i < pa->app->n_globals; i++)
			if (strcmp(pa->app->global[i].name, wanted->name) == 0) {
				*ret_index = i;
				return pa;
			}
		reply_error(&rq->from, ERROR_UNKNOWN, "%s has no global \"%s\"", wanted->deployment, wanted->name);
		return NULL;
	}
	reply_error(&rq->from, ERROR_UNKNOWN, "there is no deployment \"%s\"", wanted->deployment);
	return NULL;
}

/* NULL, or answered. */
static bool check_value(const struct request *rq, const struct app_global *g, uint64_t *ret_value)
{
	const struct msg_set_global *wanted = &rq->msg->set_global;
	uint64_t hi;

	if (value_parse(g->type, wanted->text, &hi, ret_value) < 0) {
		reply_error(&rq->from, ERROR_INVALID, "\"%s\" is no %s, which %s/%s is", wanted->text,
			    value_type_name(g->type), wanted->deployment, g->name);
		return false;
	}
	if (*ret_value >= g->min && *ret_value <= g->max)
		return true;
	reply_error(&rq->from, ERROR_INVALID, "%s is outside of the range of %s/%s, which is %s", wanted->text,
		    wanted->deployment, g->name, g->range_text ? g->range_text : "any number");
	return false;
}

void handle_set_global(struct request *rq)
{
	size_t i;
	const struct plan_app *pa = find_global(rq, &i);
	uint64_t value, old;
	char text[64];

	if (!pa || !check_value(rq, &pa->app->global[i], &value))
		return;
	old = __atomic_exchange_n(value_of(rq, pa, i), value, __ATOMIC_RELAXED);
	reply_ok(&rq->from, value_render(pa->app->global[i].type, 0, old, 0, text, sizeof(text)), 0, 1);
}
