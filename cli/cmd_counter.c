/* SPDX-License-Identifier: GPL-2.0-or-later */
/* counter show|reset|watch. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "handlers.h"

static int get_counters(struct cli *cli, const char *filter, struct message **ret_reply)
{
	struct message request = {.kind = MSG_GET_COUNTERS, .get = {.filter = filter}};

	return cli_call(cli, &request, MSG_COUNTERS, ret_reply);
}

static void counter_row(struct render *r, const struct msg_counter *c)
{
	render_row_begin(r);
	render_string(r, "scope", c->scope);
	render_string(r, "name", c->name);
	render_u64(r, "packets", c->packets);
	render_u64(r, "bytes", c->bytes);
}

int counter_show(struct cli *cli, const struct args *args)
{
	const char *filter = args->n_args ? args->arg[0] : "";
	struct message *reply;
	struct render *out;
	int r;

	r = get_counters(cli, filter, &reply);
	if (r)
		return r;
	if (filter[0] && !reply->counters.n) {
		message_free(reply);
		return cli_fail("no counter fits \"%s\" (mealy counter show lists all)", filter);
	}
	out = render_new(stdout, cli->json);
	for (size_t i = 0; out && i < reply->counters.n; i++) {
		counter_row(out, &reply->counters.item[i]);
		render_row_end(out);
	}
	if (out && !reply->counters.n)
		render_note(out, "no counter");
	render_free(out);
	message_free(reply);
	return out ? EXIT_OK : cli_fail("out of memory");
}

int counter_reset(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_RESET_COUNTERS, .get = {.filter = args->n_args ? args->arg[0] : ""}};
	struct message *reply;
	int r;

	r = cli_call(cli, &request, MSG_OK, &reply);
	if (r)
		return r;
	if (cli->json)
		printf("{\"count\":%" PRIu64 "}\n", reply->ok.count);
	else
		printf("%" PRIu64 " counter%s reset\n", reply->ok.count, reply->ok.count == 1 ? "" : "s");
	message_free(reply);
	return EXIT_OK;
}

static const struct msg_counter *find(const struct message *reply, const struct msg_counter *like, size_t hint)
{
	const struct msg_counter *item = reply->counters.item;

	/* The order seldom changes between two looks. */
	if (hint < reply->counters.n && !strcmp(item[hint].name, like->name) && !strcmp(item[hint].scope, like->scope))
		return &item[hint];
	for (size_t i = 0; i < reply->counters.n; i++)
		if (!strcmp(item[i].name, like->name) && !strcmp(item[i].scope, like->scope))
			return &item[i];
	return NULL;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static uint64_t rate(uint64_t now, uint64_t before, double seconds)
{
	return now > before && seconds > 0 ? (now - before) / seconds + 0.5 : 0;
}

static void print_rates(struct cli *cli, const struct message *before, const struct message *now, double seconds,
			bool all)
{
	struct render *out = render_new(stdout, cli->json);

	for (size_t i = 0; out && i < now->counters.n; i++) {
		const struct msg_counter *c = &now->counters.item[i], *was = find(before, c, i);
		uint64_t packets = was ? was->packets : 0, bytes = was ? was->bytes : 0;

		if (c->packets == packets && !all)
			continue;
		counter_row(out, c);
		render_u64(out, "packets_per_s", rate(c->packets, packets, seconds));
		render_u64(out, "bytes_per_s", rate(c->bytes, bytes, seconds));
		render_row_end(out);
	}
	render_free(out);
	if (!cli->json)
		putchar('\n');
	fflush(stdout);
}

static void sleep_s(double seconds)
{
	struct timespec ts = {.tv_sec = seconds, .tv_nsec = (seconds - (time_t)seconds) * 1e9};

	nanosleep(&ts, NULL);
}

/* "1", "0.5", "500ms", "2s"; the answer in seconds, negative: wrong. */
static double read_interval(const char *text)
{
	uint64_t hi, ns;
	char *end;
	double seconds = strtod(text, &end);

	if (end != text && !*end)
		return seconds;
	return value_parse(TYPE_DURATION, text, &hi, &ns) < 0 ? -1 : ns / 1e9;
}

int counter_watch(struct cli *cli, const struct args *args)
{
	const char *filter = args->n_args ? args->arg[0] : "", *text = args_get(args, "interval");
	double seconds = text ? read_interval(text) : 1, then;
	struct message *before = NULL, *now;
	uint64_t count;
	char why[256];
	int r;

	if (!(seconds >= 0.05 && seconds <= 86400))
		return cli_usage("--interval is from 50ms to a day, not \"%s\"", text);
	if (args_number(args, "count", 0, 1, UINT64_MAX, &count, why) < 0)
		return cli_usage("%s", why);
	r = get_counters(cli, filter, &before);
	then = now_s();
	for (uint64_t i = 0; r == 0 && (!count || i < count) && !ferror(stdout); i++) {
		double at;

		sleep_s(seconds);
		r = get_counters(cli, filter, &now);
		if (r)
			break;
		at = now_s();
		print_rates(cli, before, now, at - then, args_has(args, "all"));
		then = at;
		message_free(before);
		before = now;
	}
	message_free(before);
	return r;
}
