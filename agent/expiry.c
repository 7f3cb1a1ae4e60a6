/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expiry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "agent.h"
#include "host.h"

static const double SCAN_S = 1.0, SOON_S = 0.010;
enum { ROOM_PERCENT = 2 };

struct expiry {
	struct agent *agent;
	ev_timer scan, soon;
	unsigned n_connected;
	uint64_t alone_since_ns; /* Monotonic; 0: a controller is there. */
	bool failed;		 /* Said once. */
};

static bool has_timeouts(const struct app_table *table)
{
	if (table->has_entries)
		return true;
	for (size_t i = 0; i < table->n_states; i++)
		if (table->state[i].idle_ns || table->state[i].hard_ns)
			return true;
	return false;
}

static int expire_table(struct expiry *expiry, const struct plan_table *t, uint64_t now_ns)
{
	struct agent *agent = expiry->agent;
	unsigned index = plan_placement(t)->flow_table, element = versions_element(agent->versions, t);
	struct flow_scan scan = {};
	int r = 0;

	if (has_timeouts(plan_app_table(t)))
		r = flow_store_expire(agent->flows, index, element, now_ns, &scan);
	if (r == 0 && plan_app_table(t)->when_full == FULL_EVICT)
		r = flow_store_make_room(agent->flows, index, element, ROOM_PERCENT, &scan);
	if (r < 0 && !expiry->failed)
		log_error("%s: flows cannot be expired: %s", t->name, strerror(-r));
	return r;
}

static void scan_tables(struct expiry *expiry, bool only_soon)
{
	const struct plan *plan = versions_plan(expiry->agent->versions);
	uint64_t now_ns = instance_now_ns(expiry->agent->instance);
	bool failed = false;

	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		for (unsigned i = 0; i < plan->n_tables[hook]; i++)
			if (plan->table[hook][i]->layout &&
			    (!only_soon || plan_app_table(plan->table[hook][i])->expire_soon))
				failed |= expire_table(expiry, plan->table[hook][i], now_ns) < 0;
	expiry->failed = failed;
}

/* ---- fail_mode ---- */

static void check_alone(struct expiry *expiry)
{
	struct agent *agent = expiry->agent;
	_cleanup_free_ char *why = NULL;
	bool alone;

	if (agent->config->fail_mode != FAIL_STANDALONE || !agent->config->n_controllers)
		return;
	alone = expiry->alone_since_ns &&
		host_monotonic_ns() - expiry->alone_since_ns >= agent->config->standalone_after_ns;
	if (alone == versions_is_plain_pass(agent->versions))
		return;
	if (versions_set_plain_pass(agent->versions, alone, &why) < 0) {
		log_error("plain pass cannot be switched %s: %s", alone ? "on" : "off", why ? why : "no memory");
		return;
	}
	log_warn("%s", alone ? "no controller: plain pass" : "a controller is there: the tables are in effect again");
	agent_version_changed(agent, alone ? "plain pass" : "in effect again");
}

void expiry_controller(struct expiry *expiry, unsigned n_connected)
{
	expiry->n_connected = n_connected;
	if (n_connected)
		expiry->alone_since_ns = 0;
	else if (!expiry->alone_since_ns)
		expiry->alone_since_ns = host_monotonic_ns();
}

/* ---- timers ---- */

static void on_scan(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct expiry *expiry = timer->data;

	check_alone(expiry);
	scan_tables(expiry, false);
}

static void on_soon(struct ev_loop *loop, ev_timer *timer, int events)
{
	scan_tables(timer->data, true);
}

void expiry_version_changed(struct expiry *expiry)
{
	const struct plan *plan = versions_plan(expiry->agent->versions);
	bool soon = false;

	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		for (unsigned i = 0; i < plan->n_tables[hook]; i++)
			soon |= plan_app_table(plan->table[hook][i])->expire_soon;
	if (soon)
		ev_timer_again(expiry->agent->loop, &expiry->soon);
	else
		ev_timer_stop(expiry->agent->loop, &expiry->soon);
}

struct expiry *expiry_new(struct agent *agent)
{
	struct expiry *expiry = calloc(1, sizeof(*expiry));

	if (!expiry)
		return NULL;
	expiry->agent = agent;
	expiry->alone_since_ns = host_monotonic_ns();
	ev_timer_init(&expiry->scan, on_scan, SCAN_S, SCAN_S);
	ev_timer_init(&expiry->soon, on_soon, SOON_S, SOON_S);
	expiry->scan.data = expiry->soon.data = expiry;
	ev_timer_start(agent->loop, &expiry->scan);
	expiry_version_changed(expiry);
	return expiry;
}

void expiry_free(struct expiry *expiry)
{
	if (!expiry)
		return;
	ev_timer_stop(expiry->agent->loop, &expiry->scan);
	ev_timer_stop(expiry->agent->loop, &expiry->soon);
	free(expiry);
}
