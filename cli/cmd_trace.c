/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace: what packets would meet in the live tables. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "handlers.h"
#include "source.h"
#include "step_print.h"

/* The frames of one request, copied because a reader gives one at a time. */
struct batch {
	struct msg_frame frame[TRACE_FRAMES_MAX];
	size_t n;
};

static void batch_done(struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		free((uint8_t *)batch->frame[i].bytes);
	batch->n = 0;
}

static int batch_add(struct batch *batch, const struct frame_view *frame)
{
	uint8_t *copy;

	if (batch->n == TRACE_FRAMES_MAX)
		return cli_fail("a trace takes at most %d frames, because they are run as one; cut the capture",
				TRACE_FRAMES_MAX);
	copy = malloc(frame->size ? frame->size : 1);
	if (!copy)
		return cli_fail("out of memory");
	memcpy(copy, frame->bytes, frame->size);
	batch->frame[batch->n++] = (struct msg_frame){.bytes = copy, .size = frame->size, .time_ns = frame->time_ns};
	return 0;
}

static int read_batch(const struct args *args, struct batch *batch)
{
	struct frame_view frame;
	struct frames *frames;
	int r, status;

	status = frames_open(args, 0, &frames);
	if (status)
		return status;
	while (status == 0 && (r = frames_next(frames, &frame)) > 0)
		status = batch_add(batch, &frame);
	if (status == 0 && r < 0)
		status = EXIT_FAILED;
	frames_close(frames);
	/* Times of a capture are kept as distances: the first frame comes now, or at --at. */
	for (size_t i = batch->n; i-- > 0;)
		batch->frame[i].time_ns -= batch->frame[0].time_ns;
	if (status == 0 && !batch->n)
		status = cli_fail("the capture has no frame");
	return status;
}

static void print_text(struct cli *cli, const struct message *request, const struct msg_traced *traced)
{
	size_t step = 0;

	printf("port %s, %s, version %" PRIu64 "\n", request->trace.port, hook_name(request->trace.hook),
	       traced->version);
	for (size_t i = 0; i < traced->n_frames; i++) {
		if (traced->n_frames > 1)
			printf("frame %zu, %zu bytes\n", i + 1, request->trace.frame[i].size);
		for (; step < traced->n_steps && traced->step[step].frame == i; step++)
			step_print_text(cli, &traced->step[step]);
		step_print_exit(cli, &traced->frame[i], request->trace.frame[i].bytes, request->trace.frame[i].size);
	}
	puts("Nothing was changed.");
}

static const struct layout *layout_of(const struct message *tables, const struct msg_traced_step *step)
{
	for (size_t i = 0; i < tables->tables.n; i++) {
		const struct msg_table *t = &tables->tables.item[i];

		if (!strcmp(t->deployment, step->deployment) && !strcmp(t->table, step->table))
			return t->layout;
	}
	return NULL;
}

static void print_json(const struct msg_traced *traced, const struct message *tables)
{
	struct render *r = render_new(stdout, true);
	size_t step = 0;

	for (size_t i = 0; r && i < traced->n_frames; i++) {
		for (; step < traced->n_steps && traced->step[step].frame == i; step++)
			step_print_json(r, &traced->step[step], layout_of(tables, &traced->step[step]));
		step_print_exit_json(r, i, &traced->frame[i], traced->version);
	}
	render_free(r);
}

/* Records are named by the layouts of the tables as they are now. */
static int show_json(struct cli *cli, const struct msg_traced *traced)
{
	struct message request = {.kind = MSG_GET_TABLES, .tables = {.layouts = true}}, *tables;
	int r = cli_call(cli, &request, MSG_TABLES, &tables);

	if (r)
		return r;
	print_json(traced, tables);
	message_free(tables);
	return 0;
}

int trace(struct cli *cli, const struct args *args)
{
	const char *port = args_get(args, "port"), *hook = args_get(args, "hook");
	struct batch batch = {};
	struct message request = {.kind = MSG_TRACE}, *reply;
	int r, hook_id = hook ? hook_find(hook) : HOOK_XDP;
	uint64_t at;
	char why[256];

	if (!port)
		return cli_usage("say where the packet comes in: --port NAME");
	if (hook_id < 0)
		return cli_usage("there is no hook \"%s\": xdp, tc-ingress, tc-egress", hook);
	if (args_number(args, "at", 0, 0, UINT64_MAX, &at, why) < 0)
		return cli_usage("%s", why);
	r = read_batch(args, &batch);
	if (r == 0) {
		request.trace.port = port;
		request.trace.hook = hook_id;
		request.trace.at_ns = at;
		request.trace.frame = batch.frame;
		request.trace.n_frames = batch.n;
		r = cli_call(cli, &request, MSG_TRACED, &reply);
	}
	if (r == 0) {
		if (cli->json)
			r = show_json(cli, &reply->traced);
		else
			print_text(cli, &request, &reply->traced);
		message_free(reply);
	}
	batch_done(&batch);
	return r;
}
