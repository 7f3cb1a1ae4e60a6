/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The number of a port that will not come back. */
#include <errno.h>
#include <string.h>

#include "../common/cleanup.h"
#include "agent.h"
#include "counter.h"
#include "dispatch.h"

static bool is_among(const struct deployment *deployment, const char *port)
{
	for (size_t i = 0; i < deployment->n_ports; i++)
		if (!strcmp(deployment->port[i], port))
			return true;
	return false;
}

static bool is_parameter(const struct app *app, const char *port)
{
	for (size_t i = 0; i < app->n_params; i++)
		if (app->param[i].type == TYPE_PORT && app->param[i].value.text &&
		    !strcmp(app->param[i].value.text, port))
			return true;
	return false;
}

/* Its tables hold the number, which would soon mean another interface. */
static const char *user_of(const struct plan *plan, const char *port)
{
	for (size_t i = 0; i < plan->n_apps; i++)
		if (is_among(held_get(plan->app[i].held), port) || is_parameter(plan->app[i].app, port))
			return held_get(plan->app[i].held)->name;
	return NULL;
}

/* Who gets the number next begins with counters at zero. */
static void reset_counters(struct counter_store *counters, unsigned number)
{
	counter_reset(counters, COUNTER_TX + number, 1);
	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		counter_reset(counters, COUNTER_EXIT(hook, number, 0), EXIT_REASON_MAX);
}

void handle_forget_port(struct request *rq)
{
	int number = wiring_find(rq->agent->wiring, rq->msg->get.filter);
	const struct port *port = number > 0 ? wiring_port(rq->agent->wiring, number) : NULL;
	_cleanup_free_ char *why = NULL;
	const char *user;
	int r;

	if (!port) {
		reply_error(&rq->from, ERROR_UNKNOWN, "no port has the name \"%s\"", rq->msg->get.filter);
		return;
	}
	user = user_of(versions_plan(rq->agent->versions), port->name);
	if (user) {
		reply_error(&rq->from, ERROR_REFUSED,
			    "deployment %s names port %s; set another one, or remove it, first", user, port->name);
		return;
	}
	r = wiring_forget(rq->agent->wiring, number, &why);
	if (r < 0) {
		reply_error(&rq->from, r == -EBUSY ? ERROR_REFUSED : ERROR_INTERNAL, "%s", why ? why : strerror(-r));
		return;
	}
	reset_counters(rq->agent->counters, number);
	reply_ok(&rq->from, "", 0, number);
}
