/* SPDX-License-Identifier: GPL-2.0-or-later */
/* simulate: an application on a capture, here, without root or kernel. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../tables/explain.h"
#include "frames.h"
#include "handlers.h"
#include "simulator.h"
#include "step_print.h"

/* Room behind a frame for tags that a rule pushes. */
enum { ROOM = 64 };

struct simulation {
	struct cli *cli;
	struct source source;
	struct simulator_ports ports;
	struct simulator *sim;
	struct frames *frames;
	struct frame_writer *writer; /* NULL: not asked for. */
	struct render *out;	     /* JSON only. */
	unsigned port;
	bool explain;
	uint64_t n_frames, n_written, n_events, last_ns;
	uint8_t buffer[NATIVE_HEADROOM + FRAME_SIZE_MAX + ROOM];
};

/* The switch's clock: the capture's, moved to where the kernel's clock is moved. */
static uint64_t clock_of(const struct frame_view *frame)
{
	struct timespec ts;

	if (frame->time_ns)
		return frame->time_ns + (1ull << TIME_BASE_NS_SHIFT);
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec + (1ull << TIME_BASE_NS_SHIFT);
}

static const char *exit_name(enum exit_reason reason)
{
#define X(id, name, text) [EXIT_##id] = name,
	static const char *const names[] = {EXIT_REASON_LIST(X)};
#undef X
	return reason < EXIT_REASON_MAX ? names[reason] : "?";
}

static bool leaves(enum exit_reason reason)
{
	return reason == EXIT_PASS || reason == EXIT_DELIVER || reason == EXIT_OUTPUT || reason == EXIT_FLOOD ||
	       reason == EXIT_REFLECT || reason == EXIT_ROUTE || reason == EXIT_ROUTE_KERNEL ||
	       reason == EXIT_TABLE_FULL_PASS || reason == EXIT_NO_APP;
}

static int explain_steps(struct simulation *s, const struct native_result *result)
{
	for (unsigned i = 0; i < result->n_steps; i++) {
		struct explanation owner;
		struct msg_traced_step step;

		if (simulator_explain(s->sim, &result->step[i], &step, &owner) < 0)
			return cli_fail("out of memory");
		step.frame = s->n_frames;
		if (s->out)
			step_print_json(s->out, &step, NULL);
		else
			step_print_text(s->cli, &step);
		explain_done(&owner);
	}
	return 0;
}

static int explain(struct simulation *s, const struct frame_view *frame, const struct native_result *result,
		   const uint8_t *bytes)
{
	struct msg_traced_frame left = {
		.exit = exit_name(result->exit), .out_port = result->out_port, .bytes = bytes, .size = result->size};
	char when[40];

	if (!s->out)
		printf("frame %" PRIu64 ", %zu bytes, %s\n", s->n_frames + 1, frame->size,
		       frame->time_ns ? cli_clock(frame->time_ns / 1000000, true, when, sizeof(when)) : "now");
	if (explain_steps(s, result))
		return EXIT_FAILED;
	if (s->out)
		step_print_exit_json(s->out, s->n_frames, &left, 1);
	else
		step_print_exit(s->cli, &left, frame->bytes, frame->size);
	return 0;
}

static int run_one(struct simulation *s, const struct frame_view *frame)
{
	uint8_t *bytes = s->buffer + NATIVE_HEADROOM;
	const struct native_result *result;

	memcpy(bytes, frame->bytes, frame->size);
	s->last_ns = clock_of(frame);
	result = simulator_run(s->sim, s->port, s->last_ns, &bytes, frame->size, FRAME_SIZE_MAX + ROOM);
	if (!result)
		return cli_fail("frame %" PRIu64 " cannot be run", s->n_frames + 1);
	s->n_events += result->n_events;
	if (s->explain && explain(s, frame, result, bytes))
		return EXIT_FAILED;
	if (s->writer && leaves(result->exit)) {
		frame_writer_put(s->writer, bytes, result->size, frame->time_ns);
		s->n_written++;
	}
	s->n_frames++;
	if ((s->n_frames & 1023) == 0)
		cli_progress("frames", s->n_frames, 0);
	return ferror(stdout) ? EXIT_FAILED : 0;
}

static int run_all(struct simulation *s)
{
	struct frame_view frame;
	int r, status = 0;

	while (status == 0 && (r = frames_next(s->frames, &frame)) > 0)
		status = run_one(s, &frame);
	cli_progress_end();
	if (s->n_frames)
		simulator_expire(s->sim, s->last_ns);
	return status ? status : r < 0 ? EXIT_FAILED : EXIT_OK;
}

/* ---- the report ---------------------------------------------------------------------------------- */

static void count_row(struct simulation *s, struct render *r, const char *scope, const char *name, unsigned line,
		      const struct counter *counter)
{
	render_row_begin(r);
	render_string(r, "scope", scope);
	render_string(r, "name", name);
	if (line)
		render_u64(r, "line", line);
	else if (!s->cli->json)
		render_string(r, "line", "");
	render_u64(r, "packets", counter->packets);
	render_u64(r, "bytes", counter->bytes);
	render_row_end(r);
}

static void report_rules(struct simulation *s, struct render *r, unsigned index)
{
	const struct app_table *table = &s->source.app->table[index];

	for (unsigned i = 0; i < RULES_ROOM; i++) {
		struct counter counter;
		char name[160];

		if (i >= table->n_rules && i < RULES_MAX)
			continue;
		counter = simulator_rule(s->sim, index, i);
		if (i >= RULES_MAX && !counter.packets)
			continue;
		snprintf(name, sizeof(name), "%s/%s", table->name,
			 i == RULE_OTHERWISE ? "(otherwise)" : i == RULE_ABSENT ? "(absent)" : table->rule[i].name ?: table->rule[i].text);
		count_row(s, r, "rule", name, i < RULES_MAX ? table->rule[i].loc.line : 0, &counter);
	}
}

static void report_global(struct simulation *s, struct render *r, unsigned index)
{
	const struct app_global *global = &s->source.app->global[index];

	render_row_begin(r);
	render_string(r, "global", global->name);
	render_value(r, "value", global->type, 0, simulator_global(s->sim, index), 0);
	render_row_end(r);
}

static void report_table(struct render *r, const struct simulator_table *t)
{
	render_row_begin(r);
	render_string(r, "table", t->table->name);
	render_u64(r, "flows", t->n_flows);
	render_u64(r, "capacity", t->table->capacity);
	render_u64(r, "created", t->stat[TABLE_STAT_CREATED]);
	render_u64(r, "expired", t->stat[TABLE_STAT_EXPIRED]);
	render_u64(r, "evicted", t->stat[TABLE_STAT_EVICTED]);
	render_u64(r, "freed", t->stat[TABLE_STAT_FREED]);
	render_u64(r, "full", t->stat[TABLE_STAT_FULL]);
	render_row_end(r);
}

/* One list of rows of a kind, aligned for itself. */
static struct render *begin_list(struct simulation *s)
{
	if (!s->cli->json)
		putchar('\n');
	return render_new(stdout, s->cli->json);
}

static void report(struct simulation *s)
{
	struct simulator_table table;
	struct render *r;

	if (!s->cli->json) {
		printf("%s%" PRIu64 " frame%s on %s, port %u", s->explain ? "\n" : "", s->n_frames,
		       s->n_frames == 1 ? "" : "s", hook_name(s->source.hook), s->port);
		for (unsigned i = 1; i <= s->ports.n; i++)
			if (s->ports.name[i][0])
				printf("; %s is port %u", s->ports.name[i], i);
		if (s->writer)
			printf("; %" PRIu64 " written", s->n_written);
		if (s->n_events)
			printf("; %" PRIu64 " notification%s", s->n_events, s->n_events == 1 ? "" : "s");
		putchar('\n');
	}
	r = begin_list(s);
	for (unsigned i = 0; r && i < s->source.app->n_tables; i++)
		if (simulator_table(s->sim, i, &table))
			report_rules(s, r, i);
	for (unsigned reason = 0; r && reason < EXIT_REASON_MAX; reason++) {
		struct counter counter = simulator_exit(s->sim, s->port, reason);

		if (counter.packets)
			count_row(s, r, "exit", exit_name(reason), 0, &counter);
	}
	render_free(r);
	r = begin_list(s);
	for (unsigned i = 0; r && i < s->source.app->n_tables; i++)
		if (simulator_table(s->sim, i, &table) && table.table->stateful)
			report_table(r, &table);
	render_free(r);
	if (!s->source.app->n_globals)
		return;
	r = begin_list(s);
	for (unsigned i = 0; r && i < s->source.app->n_globals; i++)
		report_global(s, r, i);
	render_free(r);
}

/* ---- putting it together ----------------------------------------------------------------------------- */

static int set_up(struct simulation *s, const struct args *args)
{
	struct port_names names = simulator_port_names(&s->ports);
	const char *port = args_get(args, "port"), *path = args_get(args, "write");
	uint64_t seed;
	char why[256];
	int r;

	if (args_number(args, "seed", 1, 0, UINT64_MAX, &seed, why) < 0)
		return cli_usage("%s", why);
	r = source_init(&s->source, args);
	if (r == 0)
		r = source_read(&s->source, args->arg[0], &names);
	if (r)
		return r;
	source_print_diags(&s->source);
	if (!s->source.app)
		return EXIT_FAILED;
	s->port = port ? simulator_port(&s->ports, port) : 1;
	if (!s->port)
		return cli_usage("there is no port \"%s\" (1 to %d, or a name)", port, PORTS_MAX);
	if (s->ports.n < s->port)
		s->ports.n = s->port;
	r = frames_open(args, 1, &s->frames);
	if (r == 0)
		r = simulator_new(&s->source, &s->ports, seed, &s->sim);
	if (r == 0 && path)
		r = frame_writer_open(path, &s->writer);
	if (r == 0 && s->cli->json) {
		s->out = render_new(stdout, true);
		r = s->out ? 0 : cli_fail("out of memory");
	}
	s->explain = args_has(args, "verbose") || !args_has(args, "pcap");
	return r;
}

int simulate(struct cli *cli, const struct args *args)
{
	struct simulation *s = calloc(1, sizeof(*s));
	int r, written;

	if (!s)
		return cli_fail("out of memory");
	s->cli = cli;
	r = set_up(s, args);
	if (r == 0)
		r = run_all(s);
	render_free(s->out);
	written = frame_writer_close(s->writer);
	if (s->sim && s->n_frames)
		report(s);
	simulator_free(s->sim);
	frames_close(s->frames);
	source_done(&s->source);
	free(s);
	return r ? r : written;
}
