/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs: deployments, the switch, its ports and tables. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "../common/cleanup.h"
#include "agent.h"
#include "dispatch.h"
#include "why.h"

/* ---- deployments ---- */

void handle_deployments(struct request *rq)
{
	const struct desired *desired = versions_plan(rq->agent->versions)->desired;
	_cleanup_free_ struct deployment *item = calloc(desired->n + 1, sizeof(*item));
	struct message msg = {.kind = MSG_DEPLOYMENTS, .switch_name = rq->agent->config->name};
	const char *filter = rq->msg->get.filter;

	if (!item) {
		reply_error(&rq->from, ERROR_NO_MEMORY, "no memory");
		return;
	}
	for (size_t i = 0; i < desired->n; i++)
		if (!filter[0] || !strcmp(filter, held_get(desired->item[i])->name))
			item[msg.deployments.n++] = *held_get(desired->item[i]);
	if (filter[0] && !msg.deployments.n) {
		reply_error(&rq->from, ERROR_UNKNOWN, "there is no deployment \"%s\"", filter);
		return;
	}
	msg.deployments.item = item;
	reply_message(&rq->from, &msg);
}

/* ---- the switch ---- */

static void port_names(const struct agent *agent, uint64_t ports, char *buf, size_t size)
{
	size_t used = 0;

	if (ports == UINT64_MAX) {
		snprintf(buf, size, "all ports");
		return;
	}
	buf[0] = '\0';
	for (unsigned n = 1; n <= PORTS_MAX && used < size; n++) {
		const struct port *port = ports & 1ull << (n - 1) ? wiring_port(agent->wiring, n) : NULL;

		if (port)
			used += snprintf(buf + used, size - used, "%s%s", used ? ", " : "", port->name);
	}
}

static unsigned tables_on_hook(const struct plan *plan, const struct plan_app *app, unsigned hook)
{
	unsigned n = 0;

	for (unsigned i = 0; i < plan->n_tables[hook]; i++)
		n += plan->table[hook][i]->app == app;
	return n;
}

/* "hook xdp: limiter (1 table) on wan0 -> learning (1 table) on all ports", NULL: nothing there. */
static char *hook_line(const struct agent *agent, const struct plan *plan, unsigned hook)
{
	char *line = NULL, ports[PORTS_MAX * (IFNAMSIZ + 2)];

	for (size_t i = 0; i < plan->n_apps; i++) {
		unsigned n = tables_on_hook(plan, &plan->app[i], hook);

		if (!n)
			continue;
		port_names(agent, plan->app[i].ports, ports, sizeof(ports));
		if (!line)
			why_set(&line, 0, "hook %s: ", hook_name(hook));
		why_set(&line, 0, "%s%s%s (%u table%s) on %s", line ? line : "",
			line && line[strlen(line) - 1] == ' ' ? "" : " -> ", held_get(plan->app[i].held)->name, n,
			n == 1 ? "" : "s", ports);
	}
	return line;
}

static void count_flows(const struct agent *agent, const struct plan *plan, struct msg_switch *sw)
{
	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		for (unsigned i = 0; i < plan->n_tables[hook]; i++) {
			const struct plan_table *t = plan->table[hook][i];
			struct flow_spec spec;

			if (!t->layout)
				continue;
			spec = (struct flow_spec){.capacity = t->layout->capacity,
						  .record_class = t->layout->record_class,
						  .key_words = t->layout->key_words};
			sw->n_flows += flow_store_count(agent->flows, plan_placement(t)->flow_table);
			sw->flow_bytes += flow_store_memory(&spec);
		}
	}
}

static const char *problem(const struct agent *agent)
{
	const char *text = versions_problem(agent->versions);

	if (text[0] || !agent->drifted || !agent->config->n_controllers)
		return text;
	return "drift: a local user changed deployments; the controller's next synchronisation undoes it";
}

void handle_switch(struct request *rq)
{
	struct agent *agent = rq->agent;
	const struct plan *plan = versions_plan(agent->versions);
	struct version_stats stats = versions_stats(agent->versions);
	struct msg_switch sw = {
		.name = agent->config->name,
		.connected = true,
		.address = "",
		.build = MEALY_VERSION,
		.version = plan->version,
		.flows_max = agent->config->flows_max,
		.committed_ms = stats.committed_ms,
		.build_us = stats.build_us,
		.commit_us = stats.commit_us,
		.n_pending = changes_pending(agent->changes),
		.problem = problem(agent),
		.now_ns = instance_now_ns(agent->instance),
		.events_lost = agent->events_lost,
		.fail_mode = agent->config->fail_mode == FAIL_SECURE   ? "secure"
			     : versions_is_plain_pass(agent->versions) ? "standalone (plain pass now)"
								       : "standalone",
	};
	struct message msg = {.kind = rq->msg->kind == MSG_GET_SWITCH ? MSG_SWITCH : MSG_SWITCHES,
			      .switch_name = agent->config->name,
			      .switches = {.item = &sw, .n = 1}};
	const char *line[2 * HOOK_MAX + 1];
	struct utsname host;

	uname(&host);
	sw.kernel = host.release;
	sw.line = line;
	wiring_count(agent->wiring, &sw.n_ports_up, &sw.n_ports_down);
	count_flows(agent, plan, &sw);
	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		line[sw.n_lines] = hook_line(agent, plan, hook);
		sw.n_lines += line[sw.n_lines] != NULL;
		line[sw.n_lines] = specialiser_line(agent->specialiser, hook);
		sw.n_lines += line[sw.n_lines] != NULL;
	}
	line[sw.n_lines] = specialiser_sums(agent->specialiser);
	sw.n_lines += line[sw.n_lines] != NULL;
	reply_message(&rq->from, &msg);
	for (size_t i = 0; i < sw.n_lines; i++)
		free((char *)line[i]);
}

/* ---- ports ---- */

/* Exits of one hook of a port, all reasons together and those that dropped. */
static void sum_exits(struct agent *agent, unsigned hook, unsigned port, struct counter *ret_all, uint64_t *ret_dropped)
{
	struct counter c[EXIT_REASON_MAX] = {};

	*ret_all = (struct counter){};
	counter_read(agent->counters, COUNTER_EXIT(hook, port, 0), EXIT_REASON_MAX, c);
	for (unsigned reason = 0; reason < EXIT_REASON_MAX; reason++) {
		ret_all->packets += c[reason].packets;
		ret_all->bytes += c[reason].bytes;
	}
	*ret_dropped += c[EXIT_DROP].packets + c[EXIT_TABLE_FULL].packets;
	for (unsigned reason = EXIT_BUDGET; reason < EXIT_REASON_MAX; reason++)
		*ret_dropped += c[reason].packets;
}

static void fill_port(struct agent *agent, const struct port *port, char *mac, struct msg_port *out)
{
	struct counter xdp, ingress, egress, sent = {};

	*out = (struct msg_port){
		.number = port->number,
		.name = port->name,
		.ifindex = port->ifindex,
		.up = port->ifindex && port->up,
		.mode = wiring_mode(agent->wiring, port->number),
		.warning = wiring_warning(agent->wiring, port->number),
		.mac = mac,
	};
	snprintf(mac, 18, "%02x:%02x:%02x:%02x:%02x:%02x", port->mac[0], port->mac[1], port->mac[2], port->mac[3],
		 port->mac[4], port->mac[5]);
	sum_exits(agent, HOOK_XDP, port->number, &xdp, &out->dropped_packets);
	sum_exits(agent, HOOK_TC_INGRESS, port->number, &ingress, &out->dropped_packets);
	sum_exits(agent, HOOK_TC_EGRESS, port->number, &egress, &out->dropped_packets);
	counter_read(agent->counters, COUNTER_TX + port->number, 1, &sent);
	out->rx_packets = xdp.packets > ingress.packets ? xdp.packets : ingress.packets;
	out->rx_bytes = xdp.packets > ingress.packets ? xdp.bytes : ingress.bytes;
	out->tx_packets = sent.packets;
	out->tx_bytes = sent.bytes;
}

void handle_ports(struct request *rq)
{
	struct msg_port item[PORTS_MAX];
	char mac[PORTS_MAX][18];
	struct message msg = {.kind = MSG_PORTS, .switch_name = rq->agent->config->name, .ports = {.item = item}};

	for (unsigned n = 1; n <= PORTS_MAX; n++) {
		const struct port *port = wiring_port(rq->agent->wiring, n);

		if (!port)
			continue;
		fill_port(rq->agent, port, mac[msg.ports.n], &item[msg.ports.n]);
		msg.ports.n++;
	}
	reply_message(&rq->from, &msg);
}

/* ---- tables ---- */

static void fill_table(struct agent *agent, const struct plan_table *t, bool layouts, struct msg_table *out)
{
	const struct table_placement *place = plan_placement(t);
	struct counter stat[TABLE_STAT_MAX] = {};

	*out = (struct msg_table){
		.deployment = held_get(t->app->held)->name,
		.table = plan_app_table(t)->name,
		.hook = place->hook,
		.position = place->hook_table,
		.stateful = t->layout,
		.n_rules = plan_app_table(t)->n_rules,
	};
	counter_read(agent->counters, place->stats, TABLE_STAT_MAX, stat);
	out->created = stat[TABLE_STAT_CREATED].packets;
	out->expired = stat[TABLE_STAT_EXPIRED].packets;
	out->evicted = stat[TABLE_STAT_EVICTED].packets;
	out->freed = stat[TABLE_STAT_FREED].packets;
	out->full = stat[TABLE_STAT_FULL].packets;
	out->restarts = stat[TABLE_STAT_RESTARTS].packets;
	out->claim_tries = stat[TABLE_STAT_CLAIM_TRIES].packets;
	out->claim_failed = stat[TABLE_STAT_CLAIM_FAILED].packets;
	out->learned = stat[TABLE_STAT_LEARNED].packets;
	if (!t->layout)
		return;
	out->n_flows = flow_store_count(agent->flows, place->flow_table);
	out->capacity = t->layout->capacity;
	out->record_bytes = RECORD_SIZE(t->layout->record_class);
	out->layout = layouts ? t->layout : NULL;
}

void handle_tables(struct request *rq)
{
	const struct plan *plan = versions_plan(rq->agent->versions);
	struct msg_table item[HOOK_MAX * HOOK_TABLES_MAX];
	struct message msg = {.kind = MSG_TABLES, .switch_name = rq->agent->config->name, .tables = {.item = item}};

	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		for (unsigned i = 0; i < plan->n_tables[hook]; i++)
			fill_table(rq->agent, plan->table[hook][i], rq->msg->tables.layouts, &item[msg.tables.n++]);
	reply_message(&rq->from, &msg);
}
