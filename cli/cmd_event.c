/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event watch: what happens on the switches, one line each. */
#include <inttypes.h>
#include <string.h>

#include "../common/cleanup.h"
#include "handlers.h"

struct watching {
	struct cli *cli;
	uint64_t count, limit; /* 0: no limit. */
};

static void field(const char *text, const char *before)
{
	if (!text[0])
		return;
	fputs(before, stdout);
	cli_print_indented(stdout, text, 14);
}

static void print_packet(const struct msg_event *e)
{
	printf("  %zu bytes", e->packet_size);
	for (size_t i = 0; i < e->packet_size && i < 64; i++)
		printf("%s%02x", i % 16 ? " " : "\n              ", e->packet[i]);
	if (e->packet_size > 64)
		fputs(" ...", stdout);
}

static void print_text(struct cli *cli, const struct msg_event *e)
{
	char when[32];

	printf("%s  ", cli_clock(e->time_ms, true, when, sizeof(when)));
	field(e->switch_name, "");
	fputs("  ", stdout);
	if (!strcmp(e->kind, "lost")) {
		if (e->count)
			printf("%" PRIu64 " ", e->count);
		cli_paint(cli, stdout, "33", "events were lost");
		field(e->text, ": ");
		putchar('\n');
		return;
	}
	cli_paint(cli, stdout, "1", e->kind);
	field(e->deployment, "  ");
	field(e->table, e->deployment[0] ? "/" : "  ");
	field(e->key, "  ");
	if (e->old_state[0] || e->new_state[0])
		printf("  %s -> %s", e->old_state[0] ? e->old_state : "-", e->new_state[0] ? e->new_state : "-");
	field(e->registers, "  ");
	field(e->rule, "  rule ");
	field(e->port, "  port ");
	field(e->text, "  ");
	if (e->packet_size)
		print_packet(e);
	putchar('\n');
}

static void print_json(const struct msg_event *e)
{
	static const char digits[] = "0123456789abcdef";
	_cleanup_free_ char *hex = malloc(2 * e->packet_size + 1);
	struct render *r = render_new(stdout, true);

	if (!r || !hex) {
		render_free(r);
		return;
	}
	for (size_t i = 0; i < e->packet_size; i++) {
		hex[2 * i] = digits[e->packet[i] >> 4];
		hex[2 * i + 1] = digits[e->packet[i] & 15];
	}
	hex[2 * e->packet_size] = '\0';
	render_row_begin(r);
	render_u64(r, "time_ms", e->time_ms);
	render_string(r, "switch", e->switch_name);
	render_string(r, "kind", e->kind);
	render_string(r, "deployment", e->deployment);
	render_string(r, "table", e->table);
	render_string(r, "key", e->key);
	render_string(r, "registers", e->registers);
	render_string(r, "old_state", e->old_state);
	render_string(r, "new_state", e->new_state);
	render_string(r, "rule", e->rule);
	render_string(r, "port", e->port);
	render_string(r, "text", e->text);
	render_u64(r, "change", e->change);
	render_u64(r, "cpu", e->cpu);
	render_u64(r, "sequence", e->sequence);
	render_u64(r, "count", e->count);
	render_string(r, "packet", hex);
	render_row_end(r);
	render_free(r);
}

static int take(void *data, const struct msg_event *event)
{
	struct watching *watching = data;

	if (watching->cli->json)
		print_json(event);
	else
		print_text(watching->cli, event);
	fflush(stdout);
	if (ferror(stdout))
		return 1;
	return watching->limit && ++watching->count >= watching->limit;
}

static int check_kinds(const char *kinds)
{
	static const char *const known[] = {"state",	 "timeout", "table-full", "port",
					    "packet-in", "lost",    "switch",	  "deployment"};

	for (const char *at = kinds; *at;) {
		size_t len = strcspn(at, ","), i = 0;
		char word[32];

		while (i < ARRAY_SIZE(known) && (strlen(known[i]) != len || strncmp(known[i], at, len)))
			i++;
		if (i == ARRAY_SIZE(known)) {
			const char *near;

			snprintf(word, sizeof(word), "%.*s", (int)len, at);
			near = diag_nearest(word, known, ARRAY_SIZE(known));
			return cli_usage("there are no events of kind \"%s\"%s%s%s", word,
					 near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		}
		at += len + (at[len] == ',');
	}
	return 0;
}

int event_watch(struct cli *cli, const struct args *args)
{
	struct watching watching = {.cli = cli};
	const char *kinds = args->n_args ? args->arg[0] : "";
	uint64_t seconds;
	char why[256];
	int r;

	if (args_number(args, "seconds", 0, 1, UINT32_MAX, &seconds, why) < 0 ||
	    args_number(args, "count", 0, 1, UINT64_MAX, &watching.limit, why) < 0)
		return cli_usage("%s", why);
	r = check_kinds(kinds);
	if (r == 0)
		r = cli_connect(cli);
	if (r)
		return r;
	r = mealy_watch(cli->mealy, cli->switch_name, kinds, seconds, take, &watching);
	return r < 0 ? cli_fail("%s", mealy_error(cli->mealy)) : EXIT_OK;
}
