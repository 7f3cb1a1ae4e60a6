/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters with names.  Scopes:
 *
 *     rule     limiter/police/over-rate          exit     xdp/wan0/drop: every way out of a hook
 *     table    limiter/police                    port     xdp/wan0: packets that hook saw; sent/wan0
 *     app      limiter                           switch   received, events-lost, punted, ...
 *
 * The exits of a port's hook sum up to what the port's counter of that hook says. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "agent.h"
#include "dispatch.h"
#include "why.h"

struct list {
	struct agent *agent;
	const char *filter;
	bool reset; /* What matches counts from 0 again. */
	struct msg_counter *item;
	size_t n, room;
	int error;
};

/* Filter: a scope, a part of a name, or a pattern with * and ?. */
static bool is_wanted(const struct list *list, const char *scope, const char *name)
{
	const char *filter = list->filter;

	if (!filter[0] || !strcmp(filter, scope))
		return true;
	return strpbrk(filter, "*?") ? fnmatch(filter, name, 0) == 0 : strstr(name, filter) != NULL;
}

static void add(struct list *list, const char *scope, const char *name, const struct counter *c)
{
	char *copy;

	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		struct msg_counter *grown = reallocarray(list->item, room, sizeof(*grown));

		if (!grown) {
			list->error = -ENOMEM;
			return;
		}
		list->item = grown;
		list->room = room;
	}
	copy = strdup(name);
	if (!copy) {
		list->error = -ENOMEM;
		return;
	}
	list->item[list->n++] = (struct msg_counter){scope, copy, c->packets, c->bytes};
}

static void list_done(struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free((char *)list->item[i].name);
	free(list->item);
}

static void read_some(struct list *list, unsigned index, unsigned n, struct counter *ret)
{
	int r = counter_read(list->agent->counters, index, n, ret);

	if (r < 0)
		list->error = r;
}

static void plus(struct counter *sum, const struct counter *c)
{
	sum->packets += c->packets;
	sum->bytes += c->bytes;
}

/* ---- rules, tables, applications ---- */

/* Shows or resets one counter; returns what it had. */
static struct counter one(struct list *list, const char *scope, const char *name, unsigned index)
{
	struct counter c = {};

	read_some(list, index, 1, &c);
	if (!is_wanted(list, scope, name))
		return c;
	add(list, scope, name, &c);
	if (list->reset)
		counter_reset(list->agent->counters, index, 1);
	return c;
}

static struct counter list_rules(struct list *list, const struct plan_table *t)
{
	const struct table_placement *place = plan_placement(t);
	struct counter sum = {};

	for (unsigned rule = 0; rule < RULES_ROOM; rule++) {
		_cleanup_free_ char *name = NULL;
		struct counter c;

		if (rule < RULES_MAX && rule >= plan_app_table(t)->n_rules)
			continue;
		why_set(&name, 0, "%s/%s", t->name, plan_rule_name(t, rule));
		c = one(list, "rule", name ? name : "?", place->rule_counter[rule]);
		plus(&sum, &c);
	}
	if (is_wanted(list, "table", t->name))
		add(list, "table", t->name, &sum);
	if (list->reset && is_wanted(list, "table", t->name))
		counter_reset(list->agent->counters, place->stats, TABLE_STAT_MAX);
	return sum;
}

/* A packet meets the first table of an application on a hook once, whatever follows. */
static void list_apps(struct list *list)
{
	const struct plan *plan = versions_plan(list->agent->versions);
	struct counter app[DEPLOYMENTS_MAX] = {};

	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		for (unsigned i = 0; i < plan->n_tables[hook]; i++) {
			const struct plan_table *t = plan->table[hook][i];
			struct counter sum = list_rules(list, t);

			if (plan_placement(t)->first_on_hook)
				plus(&app[t->app - plan->app], &sum);
		}
	}
	for (size_t i = 0; i < plan->n_apps; i++)
		if (is_wanted(list, "app", held_get(plan->app[i].held)->name))
			add(list, "app", held_get(plan->app[i].held)->name, &app[i]);
}

/* ---- ports and exits ---- */

static const char *const reason_names[] = {
#define X(id, name, text) [EXIT_##id] = name,
	EXIT_REASON_LIST(X)
#undef X
};

static void list_exits(struct list *list, unsigned hook, unsigned port, const char *port_name, struct counter *ret_sum)
{
	struct counter c[EXIT_REASON_MAX] = {};
	char name[64 + IFNAMSIZ];

	read_some(list, COUNTER_EXIT(hook, port, 0), EXIT_REASON_MAX, c);
	*ret_sum = (struct counter){};
	for (unsigned reason = 0; reason < EXIT_REASON_MAX; reason++) {
		if (!c[reason].packets)
			continue;
		plus(ret_sum, &c[reason]);
		snprintf(name, sizeof(name), "%s/%s/%s", hook_name(hook), port_name, reason_names[reason]);
		if (!is_wanted(list, "exit", name))
			continue;
		add(list, "exit", name, &c[reason]);
		if (list->reset)
			counter_reset(list->agent->counters, COUNTER_EXIT(hook, port, reason), 1);
	}
}

/* Port 0 stands for packets that came from none of the switch's ports. */
static const char *port_name(const struct list *list, unsigned number)
{
	const struct port *port = number ? wiring_port(list->agent->wiring, number) : NULL;

	return number ? port ? port->name : NULL : "-";
}

static void list_ports(struct list *list, struct counter *ret_received)
{
	char text[64 + IFNAMSIZ];

	for (unsigned port = 0; port <= PORTS_MAX; port++) {
		const char *name = port_name(list, port);
		struct counter sum[HOOK_MAX];

		if (!name)
			continue;
		for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
			list_exits(list, hook, port, name, &sum[hook]);
			snprintf(text, sizeof(text), "%s/%s", hook_name(hook), name);
			if ((port || sum[hook].packets) && is_wanted(list, "port", text))
				add(list, "port", text, &sum[hook]);
		}
		plus(ret_received,
		     sum[HOOK_XDP].packets > sum[HOOK_TC_INGRESS].packets ? &sum[HOOK_XDP] : &sum[HOOK_TC_INGRESS]);
		snprintf(text, sizeof(text), "sent/%s", name);
		if (port)
			one(list, "port", text, COUNTER_TX + port);
	}
}

static void list_switch(struct list *list, const struct counter *received)
{
	if (is_wanted(list, "switch", "received"))
		add(list, "switch", "received", received);
	one(list, "switch", "events-lost", COUNTER_EVENT_LOST);
	one(list, "switch", "punted", COUNTER_PUNT);
	one(list, "switch", "punt-limited", COUNTER_PUNT_LIMITED);
	one(list, "switch", "punt-lost", COUNTER_PUNT_LOST);
	one(list, "switch", "transmit-failed", COUNTER_XMIT_FAILED);
}

static struct list list_all(struct request *rq, bool reset)
{
	struct list list = {.agent = rq->agent, .filter = rq->msg->get.filter, .reset = reset};
	struct counter received = {};

	list_apps(&list);
	list_ports(&list, &received);
	list_switch(&list, &received);
	return list;
}

/* ---- handlers ---- */

void handle_counters(struct request *rq)
{
	struct list list = list_all(rq, false);
	struct message msg = {.kind = MSG_COUNTERS,
			      .switch_name = rq->agent->config->name,
			      .counters = {.item = list.item, .n = list.n}};

	if (list.error)
		reply_error(&rq->from, ERROR_INTERNAL, "counters cannot be read: %s", strerror(-list.error));
	else
		reply_message(&rq->from, &msg);
	list_done(&list);
}

void handle_reset_counters(struct request *rq)
{
	struct list list = list_all(rq, true);

	if (list.error)
		reply_error(&rq->from, ERROR_INTERNAL, "counters cannot be reset: %s", strerror(-list.error));
	else if (!list.n)
		reply_error(&rq->from, ERROR_UNKNOWN, "no counter matches \"%s\"", list.filter);
	else
		reply_ok(&rq->from, "", 0, list.n);
	list_done(&list);
}
