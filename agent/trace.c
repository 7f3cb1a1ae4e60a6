/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../datapath/native.h"
#include "../tables/explain.h"
#include "agent.h"
#include "route_ask.h"
#include "why.h"

enum { FRAME_ROOM = 65536 + 64, STEPS_ROOM = TRACE_FRAMES_MAX * HOOK_TABLES_MAX };

struct trace {
	struct agent *agent;
	const struct msg_trace *wanted;
	struct native_switch *native;
	struct native_result *result; /* Large. */
	uint8_t *buffer;
	struct msg_traced_step *step;
	struct explanation *explanation; /* Of the steps; they own most strings. */
	char **text;			 /* Conditions of the steps, joined. */
	size_t n_steps;
	struct msg_traced_frame frame[TRACE_FRAMES_MAX];
	size_t n_frames;
	struct explain *explain[HOOK_TABLES_MAX];
};

/* ---- the live maps ---- */

static const struct table *read_table(void *data, unsigned element)
{
	struct agent *agent = data;

	return element < TABLE_ELEMENTS ? &instance_tables(agent->instance)[element] : NULL;
}

static const struct template *read_template(void *data, unsigned element)
{
	struct agent *agent = data;

	return element < TEMPLATE_ELEMENTS ? &instance_templates(agent->instance)[element] : NULL;
}

static const struct chain *read_chain(void *data, unsigned element)
{
	struct agent *agent = data;

	return element < VERSIONS * HOOK_MAX ? &instance_chains(agent->instance)[element] : NULL;
}

static const struct flow_desc *read_desc(void *data, unsigned flow_table)
{
	return flow_store_desc(((struct agent *)data)->flows, flow_table);
}

static const void *read_records(void *data, unsigned flow_table)
{
	return flow_store_records(((struct agent *)data)->flows, flow_table);
}

static const struct bucket *read_buckets(void *data, unsigned flow_table)
{
	return flow_store_buckets(((struct agent *)data)->flows, flow_table);
}

static const struct match_desc *read_match(void *data, unsigned flow_table)
{
	return &instance_match(((struct agent *)data)->instance)[flow_table];
}

static enum exit_reason ask_route(void *data, const struct native_route *ask, struct native_way *ret_way)
{
	struct wiring *wiring = ((struct agent *)data)->wiring;
	const struct port *in = wiring_port(wiring, ask->in_port);
	unsigned ifindex = 0;
	enum exit_reason reason = route_ask_kernel(ask, in ? in->ifindex : 0, &ifindex, ret_way);

	for (unsigned n = 1; ifindex && n <= PORTS_MAX; n++) {
		const struct port *port = wiring_port(wiring, n);

		if (port && port->ifindex == ifindex)
			ret_way->port = n;
	}
	return reason;
}

static int open_native(struct trace *trace)
{
	struct native_source source = {
		.data = trace->agent,
		.table = read_table,
		.chain = read_chain,
		.flow_desc = read_desc,
		.records = read_records,
		.buckets = read_buckets,
		.match = read_match,
		.template_ = read_template,
		.globals = instance_globals(trace->agent->instance),
		.groups = instance_groups(trace->agent->instance),
		.segments = instance_segments(trace->agent->instance),
		.meters = instance_meters(trace->agent->instance),
	};
	int r = native_new(&source, &trace->native);

	if (r < 0)
		return r;
	native_set_router(trace->native, ask_route, trace->agent);
	native_set_active(trace->native, instance_active(trace->agent->instance));
	for (unsigned n = 1; n <= PORTS_MAX; n++) {
		const struct port *port = wiring_port(trace->agent->wiring, n);

		native_set_port(trace->native, n, port && port->ifindex);
	}
	return 0;
}

/* ---- words ---- */

static int explainer_of(struct trace *trace, const struct plan_table *t, struct explain **ret_explain)
{
	unsigned i = plan_placement(t)->hook_table;
	int r = 0;

	if (!trace->explain[i])
		r = explain_new(t->app->app, t->index, t->app->hook, &trace->explain[i]);
	*ret_explain = trace->explain[i];
	return r;
}

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

static void fill_step(struct trace *trace, const struct plan_table *t, const struct native_step *step)
{
	const struct explanation *e = &trace->explanation[trace->n_steps];
	struct msg_traced_step *out = &trace->step[trace->n_steps];
	char **text = &trace->text[trace->n_steps];

	why_set(text, 0, "%s%s%s", text_or_empty(e->conditions),
		e->conditions && e->conditions[0] && e->skipped && e->skipped[0] ? "\n" : "",
		text_or_empty(e->skipped));
	*out = (struct msg_traced_step){
		.frame = trace->n_frames,
		.deployment = held_get(t->app->held)->name,
		.table = plan_app_table(t)->name,
		.key = text_or_empty(e->key),
		.absent = step->absent,
		.found = step->found,
		.created = step->created,
		.freed = step->freed,
		.fell_from = text_or_empty(e->fell_from),
		.old_state = text_or_empty(e->old_state),
		.new_state = text_or_empty(e->new_state),
		.rule = text_or_empty(e->rule),
		.rule_line = e->rule_line,
		.conditions = text_or_empty(*text),
		.updates = text_or_empty(e->updates),
		.verdict = text_or_empty(e->verdict),
	};
}

/* The record as it would lie in the map. The image outlives the result that the next frame overwrites. */
static int keep_record(const struct layout *layout, const struct native_step *step, struct msg_traced_step *out)
{
	size_t room = layout ? RECORD_SIZE(layout->record_class) : 0, size = step->n_after * sizeof(step->after[0]);

	if (!room || !size)
		return 0;
	out->record = calloc(1, room);
	if (!out->record)
		return -ENOMEM;
	out->record_size = room;
	memcpy(out->record, step->after, size < room ? size : room);
	return 0;
}

static int add_step(struct trace *trace, const struct native_step *step)
{
	const struct plan *plan = versions_plan(trace->agent->versions);
	unsigned i = step->element % HOOK_TABLES_MAX;
	struct explain *explain;
	const struct plan_table *t;
	int r;

	if (trace->n_steps == STEPS_ROOM || i >= plan->n_tables[trace->wanted->hook])
		return 0;
	t = plan->table[trace->wanted->hook][i];
	r = explainer_of(trace, t, &explain);
	if (r == 0)
		r = explain_step(explain, t->layout, step, &trace->explanation[trace->n_steps]);
	if (r < 0)
		return r;
	fill_step(trace, t, step);
	r = keep_record(t->layout, step, &trace->step[trace->n_steps]);
	trace->n_steps++;
	return r;
}

/* ---- frames ---- */

static const char *exit_name(unsigned reason)
{
	static const char *const names[] = {
#define X(id, name, text) [EXIT_##id] = name,
		EXIT_REASON_LIST(X)
#undef X
	};

	return reason < ARRAY_SIZE(names) ? names[reason] : "?";
}

static int keep_frame(struct trace *trace, const uint8_t *bytes)
{
	struct msg_traced_frame *out = &trace->frame[trace->n_frames];
	uint8_t *copy = malloc(trace->result->size + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, trace->result->size);
	*out = (struct msg_traced_frame){exit_name(trace->result->exit), trace->result->out_port, copy,
					 trace->result->size};
	trace->n_frames++;
	return 0;
}

static int run_frame(struct trace *trace, unsigned port, const struct msg_frame *frame, uint64_t now_ns)
{
	uint8_t *bytes = trace->buffer + NATIVE_HEADROOM;
	int r;

	if (frame->size > FRAME_ROOM)
		return -EINVAL;
	memcpy(bytes, frame->bytes, frame->size);
	r = native_run(trace->native, trace->wanted->hook, port, now_ns, &bytes, frame->size, FRAME_ROOM, 1,
		       trace->result);
	for (unsigned i = 0; r == 0 && i < trace->result->n_steps; i++)
		r = add_step(trace, &trace->result->step[i]);
	return r < 0 ? r : keep_frame(trace, bytes);
}

/* Frames of a capture keep their distances; the first is now, or at the time asked for. */
static int run_frames(struct trace *trace, unsigned port)
{
	const struct msg_trace *wanted = trace->wanted;
	uint64_t begin_ns = wanted->at_ns ? wanted->at_ns : instance_now_ns(trace->agent->instance), last_ns = begin_ns;
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->n_frames; i++) {
		uint64_t first = wanted->frame[0].time_ns, at = wanted->frame[i].time_ns;
		uint64_t now_ns = at >= first ? begin_ns + (at - first) : begin_ns;

		last_ns = now_ns > last_ns ? now_ns : last_ns;
		r = run_frame(trace, port, &wanted->frame[i], last_ns);
	}
	return r;
}

/* ---- the whole ---- */

static void trace_done(struct trace *trace)
{
	for (size_t i = 0; i < trace->n_steps; i++) {
		explain_done(&trace->explanation[i]);
		free(trace->step[i].record);
		free(trace->text[i]);
	}
	for (size_t i = 0; i < trace->n_frames; i++)
		free((void *)trace->frame[i].bytes);
	for (unsigned i = 0; i < HOOK_TABLES_MAX; i++)
		explain_free(trace->explain[i]);
	free(trace->step);
	free(trace->explanation);
	free(trace->text);
	free(trace->buffer);
	free(trace->result);
	native_free(trace->native);
	free(trace);
}

static struct trace *trace_new(struct request *rq)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return NULL;
	trace->agent = rq->agent;
	trace->wanted = &rq->msg->trace;
	trace->step = calloc(STEPS_ROOM, sizeof(trace->step[0]));
	trace->explanation = calloc(STEPS_ROOM, sizeof(trace->explanation[0]));
	trace->text = calloc(STEPS_ROOM, sizeof(trace->text[0]));
	trace->result = calloc(1, sizeof(*trace->result));
	trace->buffer = malloc(NATIVE_HEADROOM + FRAME_ROOM);
	if (!trace->step || !trace->explanation || !trace->text || !trace->result || !trace->buffer ||
	    open_native(trace) < 0) {
		trace_done(trace);
		return NULL;
	}
	return trace;
}

void trace_run(struct request *rq, unsigned port)
{
	struct trace *trace = trace_new(rq);
	struct message msg = {.kind = MSG_TRACED, .switch_name = rq->agent->config->name};
	int r;

	if (!trace) {
		reply_error(&rq->from, ERROR_NO_MEMORY, "no memory for a trace");
		return;
	}
	r = run_frames(trace, port);
	if (r < 0) {
		reply_error(&rq->from, r == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INVALID,
			    "the frames cannot be traced: %s", strerror(-r));
	} else {
		msg.traced.version = versions_plan(rq->agent->versions)->version;
		msg.traced.step = trace->step;
		msg.traced.n_steps = trace->n_steps;
		msg.traced.frame = trace->frame;
		msg.traced.n_frames = trace->n_frames;
		reply_message(&rq->from, &msg);
	}
	trace_done(trace);
}
