/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch list|show|forget, port list|forget: what there is and how it is. */
#include <inttypes.h>
#include <string.h>

#include "handlers.h"

static void list_row(struct render *r, const struct msg_switch *sw, bool json)
{
	char buf[32];

	render_row_begin(r);
	render_string(r, "name", sw->name);
	if (json) {
		render_bool(r, "connected", sw->connected);
		render_u64(r, "since_ms", sw->since_ms);
	} else {
		render_string(r, "state", !sw->connected ? "away" : sw->since_ms ? "connected" : "asked directly");
		render_string(r, "since", sw->since_ms ? cli_clock(sw->since_ms, false, buf, sizeof(buf)) : "-");
	}
	render_u64(r, "version", sw->version);
	render_u64(r, "ports_up", sw->n_ports_up);
	render_u64(r, "flows", sw->n_flows);
	render_u64(r, "pending", sw->n_pending);
	render_string(r, "build", sw->build);
	if (json)
		render_string(r, "problem", sw->problem);
	render_row_end(r);
}

static void note_problems(struct render *out, const struct message *reply)
{
	for (size_t i = 0; i < reply->switches.n; i++)
		if (reply->switches.item[i].problem[0])
			render_note(out, "%s: %s", reply->switches.item[i].name, reply->switches.item[i].problem);
	if (!reply->switches.n)
		render_note(out, "no switch has connected yet; start mealy-agent on one");
}

int switch_list(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = cli->is_agent ? MSG_GET_SWITCH : MSG_GET_SWITCHES, .switch_name = ""};
	struct message *reply;
	struct render *out;
	int r;

	r = cli_call(cli, &request, cli->is_agent ? MSG_SWITCH : MSG_SWITCHES, &reply);
	if (r)
		return r;
	out = render_new(stdout, cli->json);
	if (out) {
		for (size_t i = 0; i < reply->switches.n; i++)
			list_row(out, &reply->switches.item[i], cli->json);
		note_problems(out, reply);
	}
	render_free(out);
	message_free(reply);
	return out ? EXIT_OK : cli_fail("out of memory");
}

static void show_json(struct render *r, const struct msg_switch *sw)
{
	render_row_begin(r);
	render_string(r, "name", sw->name);
	render_bool(r, "connected", sw->connected);
	render_u64(r, "since_ms", sw->since_ms);
	render_string(r, "address", sw->address);
	render_string(r, "build", sw->build);
	render_string(r, "kernel", sw->kernel);
	render_u64(r, "version", sw->version);
	render_u64(r, "ports_up", sw->n_ports_up);
	render_u64(r, "ports_down", sw->n_ports_down);
	render_u64(r, "flows", sw->n_flows);
	render_u64(r, "flows_max", sw->flows_max);
	render_u64(r, "flow_bytes", sw->flow_bytes);
	render_u64(r, "committed_ms", sw->committed_ms);
	render_u64(r, "build_us", sw->build_us);
	render_u64(r, "commit_us", sw->commit_us);
	render_string(r, "fail_mode", sw->fail_mode);
	render_u64(r, "pending", sw->n_pending);
	render_string(r, "problem", sw->problem);
	render_u64(r, "now_ns", sw->now_ns);
	render_u64(r, "events_lost", sw->events_lost);
	render_row_end(r);
}

/* "1,234,567" */
static const char *grouped(uint64_t number, char *buf, size_t size)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, number);
	size_t at = 0;

	for (int i = 0; i < n && at + 2 < size; i++) {
		if (i && (n - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = '\0';
	return buf;
}

static void show_head(struct cli *cli, const struct msg_switch *sw, int width)
{
	char when[32], ago[32];
	uint64_t now = cli_unix_ms(), since = now > sw->since_ms ? now - sw->since_ms : 0;

	printf("%-*s  ", width, sw->name);
	if (cli->is_agent)
		cli_paint(cli, stdout, "32", "asked directly");
	else if (sw->connected)
		cli_paint(cli, stdout, "32", "connected");
	else
		cli_paint(cli, stdout, "33", "not connected");
	if (!cli->is_agent)
		printf(" since %s (%s)", cli_clock(sw->since_ms, false, when, sizeof(when)),
		       cli_duration(since * 1000000, ago, sizeof(ago)));
	if (sw->address[0])
		printf(" from %s", sw->address);
	printf(", agent %s, kernel %s", sw->build, sw->kernel);
	if (sw->n_ports_up || sw->n_ports_down)
		printf(", %u port%s up, %u down", sw->n_ports_up, sw->n_ports_up == 1 ? "" : "s", sw->n_ports_down);
	putchar('\n');
}

static void show_text(struct cli *cli, const struct msg_switch *sw)
{
	int width = strlen(sw->name) > 8 ? (int)strlen(sw->name) : 8;
	char a[32], b[32], c[32];

	show_head(cli, sw, width);
	if (sw->committed_ms)
		printf("%-*s  %" PRIu64 " since %s, built in %s, committed in %s\n", width, "version", sw->version,
		       cli_clock(sw->committed_ms, false, a, sizeof(a)),
		       cli_duration(sw->build_us * 1000, b, sizeof(b)),
		       cli_duration(sw->commit_us * 1000, c, sizeof(c)));
	for (size_t i = 0; i < sw->n_lines; i++) {
		printf("%-*s  ", width, i ? "" : "runs");
		cli_print_indented(stdout, sw->line[i], width + 2);
		putchar('\n');
	}
	if (sw->flows_max)
		printf("%-*s  %s of %s, %.1f MB\n", width, "flows", grouped(sw->n_flows, a, sizeof(a)),
		       grouped(sw->flows_max, b, sizeof(b)), sw->flow_bytes / 1e6);
	if (sw->fail_mode[0])
		printf("%-*s  %s\n", width, "fail", sw->fail_mode);
	if (sw->events_lost)
		printf("%-*s  %s lost\n", width, "events", grouped(sw->events_lost, a, sizeof(a)));
	if (sw->n_pending)
		printf("%-*s  %u deployment%s not applied\n", width, "pending", sw->n_pending,
		       sw->n_pending == 1 ? "" : "s");
	if (sw->problem[0]) {
		printf("%-*s  ", width, "problem");
		cli_print_indented(stdout, sw->problem, width + 2);
		putchar('\n');
	}
}

int switch_show(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_SWITCH, .switch_name = args->n_args ? args->arg[0] : NULL};
	struct message *reply;
	int r;

	if (cli->is_agent)
		request.switch_name = "";
	r = cli_call(cli, &request, MSG_SWITCH, &reply);
	if (r)
		return r;
	for (size_t i = 0; i < reply->switches.n; i++) {
		struct render *out = cli->json ? render_new(stdout, true) : NULL;

		if (out)
			show_json(out, &reply->switches.item[i]);
		else
			show_text(cli, &reply->switches.item[i]);
		render_free(out);
	}
	message_free(reply);
	return EXIT_OK;
}

int switch_forget(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_FORGET_SWITCH, .switch_name = args->arg[0]}, *reply;
	int r;

	if (cli->is_agent)
		return cli_usage("a controller knows switches, an agent is one: leave out --agent");
	r = cli_call(cli, &request, MSG_OK, &reply);
	if (r)
		return r;
	if (cli->json)
		printf("{\"count\":%" PRIu64 "}\n", reply->ok.count);
	else
		printf("switch %s forgotten\n", args->arg[0]);
	message_free(reply);
	return EXIT_OK;
}

static void port_row(struct render *r, const struct msg_port *port)
{
	render_row_begin(r);
	render_u64(r, "number", port->number);
	render_string(r, "name", port->name);
	render_string(r, "state", !port->ifindex ? "absent" : port->up ? "up" : "down");
	render_string(r, "mode", port->mode);
	render_string(r, "mac", port->mac);
	render_u64(r, "rx_packets", port->rx_packets);
	render_u64(r, "rx_bytes", port->rx_bytes);
	render_u64(r, "tx_packets", port->tx_packets);
	render_u64(r, "tx_bytes", port->tx_bytes);
	render_u64(r, "dropped_packets", port->dropped_packets);
	render_row_end(r);
}

int port_list(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_PORTS};
	struct message *reply;
	struct render *out;
	int r;

	r = cli_call(cli, &request, MSG_PORTS, &reply);
	if (r)
		return r;
	out = render_new(stdout, cli->json);
	for (size_t i = 0; out && i < reply->ports.n; i++)
		port_row(out, &reply->ports.item[i]);
	for (size_t i = 0; out && i < reply->ports.n; i++)
		if (reply->ports.item[i].warning[0])
			render_note(out, "%s: %s", reply->ports.item[i].name, reply->ports.item[i].warning);
	if (out && !reply->ports.n)
		render_note(out, "no interface matches the agent's `ports` yet");
	render_free(out);
	message_free(reply);
	return out ? EXIT_OK : cli_fail("out of memory");
}

int port_forget(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_FORGET_PORT, .get = {.filter = args->arg[0]}}, *reply;
	int r;

	r = cli_call(cli, &request, MSG_OK, &reply);
	if (r)
		return r;
	if (cli->json)
		printf("{\"number\":%" PRIu64 "}\n", reply->ok.count);
	else
		printf("port %s forgotten; number %" PRIu64 " is free\n", args->arg[0], reply->ok.count);
	message_free(reply);
	return EXIT_OK;
}
