/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mealy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "../proto/endpoint.h"

enum { DUMP_TRIES_MAX = 3 };

struct mealy {
	struct ev_loop *loop;
	struct endpoint *endpoint;
	struct peer *peer; /* NULL: not connected now. */
	unsigned timeout_ms;
	char *url;
	struct keys *keys;  /* NULL: nothing is sealed. */
	char lost_why[256]; /* Why the connection ended last. */
	char error[1024];
	mealy_event_fn event; /* NULL: not watching. */
	void *event_data;
	int event_result;
	uint64_t event_sequence;
};

static int fail(struct mealy *mealy, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int fail(struct mealy *mealy, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(mealy->error, sizeof(mealy->error), format, args);
	va_end(args);
	return r;
}

const char *mealy_error(const struct mealy *mealy)
{
	return mealy->error;
}

/* ---- the connection ---------------------------------------------------------------------------- */

static enum error_code on_up(void *data, struct peer *peer, const struct msg_hello *hello)
{
	struct mealy *mealy = data;

	mealy->peer = peer;
	ev_break(mealy->loop, EVBREAK_ALL);
	return ERROR_NONE;
}

static void on_down(void *data, struct peer *peer, const char *why)
{
	struct mealy *mealy = data;

	mealy->peer = NULL;
	snprintf(mealy->lost_why, sizeof(mealy->lost_why), "%s", why);
	ev_break(mealy->loop, EVBREAK_ALL);
}

/* Gives one event to the program, until it has had enough. */
static void give(struct mealy *mealy, const struct msg_event *event)
{
	if (!mealy->event_result)
		mealy->event_result = mealy->event(mealy->event_data, event);
}

static void give_loss(struct mealy *mealy, uint64_t count, const char *text)
{
	struct msg_event event = message_event("lost", text);
	struct timespec ts;

	event.count = count;
	clock_gettime(CLOCK_REALTIME, &ts);
	event.time_ms = ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
	give(mealy, &event);
}

static void take_events(struct mealy *mealy, const struct msg_events *events)
{
	bool gap = mealy->event_sequence && events->sequence != mealy->event_sequence + 1;

	mealy->event_sequence = events->sequence;
	if (events->lost)
		give_loss(mealy, events->lost, "");
	else if (gap)
		give_loss(mealy, 0, "the sender's numbering has a gap");
	for (size_t i = 0; i < events->n; i++)
		give(mealy, &events->item[i]);
	if (mealy->event_result)
		ev_break(mealy->loop, EVBREAK_ALL);
}

static void on_request(void *data, struct peer *peer, const struct message *request)
{
	struct mealy *mealy = data;

	if (request->kind == MSG_EVENTS && mealy->event) {
		/* Answered after it was taken, so a slow program is sent no more than it can take. */
		take_events(mealy, &request->events);
		peer_reply_ok(peer, request->id, "", 0, 0);
	} else if (request->kind == MSG_EVENTS) {
		peer_reply_ok(peer, request->id, "", 0, 0);
	} else {
		peer_reply_error(peer, request->id, ERROR_UNKNOWN, "a program does not answer %s",
				 message_kind_name(request->kind));
	}
}

static void on_refused(void *data, enum error_code code, const char *why)
{
	struct mealy *mealy = data;

	snprintf(mealy->lost_why, sizeof(mealy->lost_why), "%s", why[0] ? why : error_code_name(code));
	ev_break(mealy->loop, EVBREAK_ALL);
}

static const struct endpoint_ops ops = {.up = on_up, .down = on_down, .request = on_request, .refused = on_refused};

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	*(bool *)timer->data = true;
	ev_break(loop, EVBREAK_ALL);
}

/* Runs the loop until something ends it, or 'timeout_ms' pass (true). */
static bool run_for(struct mealy *mealy, unsigned timeout_ms)
{
	bool over = false;
	ev_timer timer;

	ev_now_update(mealy->loop);
	ev_timer_init(&timer, on_timer, timeout_ms / 1000.0, 0.0);
	timer.data = &over;
	ev_timer_start(mealy->loop, &timer);
	ev_run(mealy->loop, 0);
	ev_timer_stop(mealy->loop, &timer);
	return over;
}

/* Waits until connected; a refusal ends it at once. */
static int connect_wait(struct mealy *mealy)
{
	mealy->lost_why[0] = '\0';
	while (!mealy->peer) {
		if (run_for(mealy, mealy->timeout_ms))
			return fail(mealy, -ETIMEDOUT, "%s does not answer", mealy->url);
		if (!mealy->peer && mealy->lost_why[0])
			return fail(mealy, -ECONNREFUSED, "%s refused the connection: %s", mealy->url, mealy->lost_why);
	}
	return 0;
}

static int dial(struct mealy *mealy, bool insecure, const char *name)
{
	struct msg_hello hello = {
		.role = ROLE_USER, .name = name, .wire_version = WIRE_VERSION, .build = MEALY_VERSION, .kernel = ""};
	char why[256] = "";
	int r;

	if (getrandom(&hello.instance, sizeof(hello.instance), 0) != sizeof(hello.instance))
		return fail(mealy, -EIO, "no random numbers");
	r = endpoint_dial_sealed(mealy->loop, mealy->url, insecure, mealy->keys, &hello, &ops, mealy, &mealy->endpoint,
				 why);
	if (r < 0)
		return fail(mealy, r, "cannot connect to %s: %s", mealy->url, why[0] ? why : strerror(-r));
	return connect_wait(mealy);
}

static int open_connection(const char *url, bool insecure, const char *keys, const char *name, unsigned timeout_ms,
			   struct mealy **ret_mealy)
{
	struct mealy *mealy = calloc(1, sizeof(*mealy));
	char why[256] = "";
	int r;

	*ret_mealy = NULL;
	if (!mealy)
		return -ENOMEM;
	mealy->timeout_ms = timeout_ms ? timeout_ms : ENDPOINT_TIMEOUT_MS;
	mealy->url = strdup(url);
	mealy->loop = ev_loop_new(EVFLAG_AUTO);
	*ret_mealy = mealy;
	if (!mealy->url || !mealy->loop)
		return fail(mealy, -ENOMEM, "out of memory");
	r = keys ? keys_open(keys, &mealy->keys, why) : 0;
	if (r < 0)
		return fail(mealy, r, "%s", why);
	return dial(mealy, insecure, name);
}

int mealy_open(const char *url, bool insecure, const char *name, unsigned timeout_ms, struct mealy **ret_mealy)
{
	return open_connection(url, insecure, NULL, name, timeout_ms, ret_mealy);
}

int mealy_open_sealed(const char *url, const char *keys, const char *name, unsigned timeout_ms,
		      struct mealy **ret_mealy)
{
	return open_connection(url, false, keys, name, timeout_ms, ret_mealy);
}

void mealy_set_timeout(struct mealy *mealy, unsigned timeout_ms)
{
	mealy->timeout_ms = timeout_ms ? timeout_ms : ENDPOINT_TIMEOUT_MS;
}

void mealy_close(struct mealy *mealy)
{
	if (!mealy)
		return;
	endpoint_close(mealy->endpoint);
	keys_close(mealy->keys);
	if (mealy->loop)
		ev_loop_destroy(mealy->loop);
	free(mealy->url);
	free(mealy);
}

/* ---- a request and its answer ------------------------------------------------------------------- */

struct call {
	struct mealy *mealy;
	bool done;
	int status;
	struct message *reply;
};

static void call_answered(void *data, int status, const struct message *reply)
{
	struct call *call = data;

	call->done = true;
	call->status = status;
	if (status == 0)
		call->status = message_copy(reply, &call->reply);
	ev_break(call->mealy->loop, EVBREAK_ALL);
}

/* A request that could not be sent, or ended without an answer. */
static int transport_error(struct mealy *mealy, int r, const struct message *request)
{
	char why[256];

	if (r == -EINVAL && message_check(request, why) < 0)
		return fail(mealy, r, "the request breaks a limit: %s", why);
	if (r == -ETIMEDOUT)
		return fail(mealy, r, "%s did not answer in time", mealy->url);
	if (r == -ECONNRESET)
		return fail(mealy, r, "the connection to %s was lost%s%s", mealy->url, mealy->lost_why[0] ? ": " : "",
			    mealy->lost_why);
	if (r == -EMSGSIZE)
		return fail(mealy, r, "the request is larger than %d KiB", MESSAGE_SIZE_MAX >> 10);
	return fail(mealy, r, "the request failed: %s", strerror(-r));
}

/* MSG_ERROR as an error; anything else is left to the caller. */
static int reply_error(struct mealy *mealy, const struct message *reply, enum error_code *ret_code)
{
	if (reply->kind != MSG_ERROR)
		return 0;
	if (ret_code)
		*ret_code = reply->error.code;
	return fail(mealy, -EREMOTEIO, "%s",
		    reply->error.text[0] ? reply->error.text : error_code_name(reply->error.code));
}

int mealy_call(struct mealy *mealy, const struct message *request, struct message **ret_reply,
	       enum error_code *ret_code)
{
	struct call call = {.mealy = mealy};
	int r;

	if (ret_code)
		*ret_code = ERROR_NONE;
	r = connect_wait(mealy);
	if (r < 0)
		return r;
	r = peer_request(mealy->peer, request, mealy->timeout_ms, call_answered, &call);
	if (r < 0)
		return transport_error(mealy, r, request);
	while (!call.done)
		ev_run(mealy->loop, 0);
	if (call.status < 0)
		return transport_error(mealy, call.status, request);
	r = reply_error(mealy, call.reply, ret_code);
	if (r < 0) {
		message_free(call.reply);
		return r;
	}
	*ret_reply = call.reply;
	return 0;
}

/* ---- dump ----------------------------------------------------------------------------------------- */

/* A walk over a table.  The next chunk is asked for before the one that came is looked at, so the
 * switch copies records while this program prints others. */
struct dump {
	struct mealy *mealy;
	struct message request;
	struct layout *layout;
	mealy_flow_fn flow;
	void *data;
	bool waiting; /* For a chunk. */
	int result;   /* Of the walk so far. */
	bool lost;    /* The connection, with a chunk outstanding. */
};

static void chunk_came(void *data, int status, const struct message *reply);

static int ask_chunk(struct dump *dump)
{
	int r = peer_request(dump->mealy->peer, &dump->request, dump->mealy->timeout_ms, chunk_came, dump);

	dump->waiting = r == 0;
	return r;
}

/* The layout comes with the first chunk; its records must have the size that it says. */
static int take_layout(struct dump *dump, const struct msg_dump_chunk *chunk)
{
	if (chunk->layout && !dump->layout) {
		dump->layout = malloc(sizeof(*dump->layout));
		if (!dump->layout)
			return fail(dump->mealy, -ENOMEM, "out of memory");
		*dump->layout = *chunk->layout;
	}
	if (!dump->layout || dump->layout->record_class >= RECORD_CLASS_MAX ||
	    chunk->record_size != RECORD_SIZE(dump->layout->record_class) || chunk->size % chunk->record_size)
		return fail(dump->mealy, -EPROTO, "%s sent records that do not fit their layout", dump->mealy->url);
	return 0;
}

static int give_records(struct dump *dump, const struct msg_dump_chunk *chunk)
{
	uint64_t words[RECORD_WORDS(RECORD_256)];
	int r = 0;

	for (size_t at = 0; at < chunk->size && r >= 0; at += chunk->record_size) {
		memcpy(words, chunk->records + at, chunk->record_size);
		r = dump->flow(dump->data, dump->layout, words, chunk->now_ns, chunk->total);
	}
	return r < 0 ? r : 0;
}

static int take_chunk(struct dump *dump, const struct message *reply)
{
	const struct msg_dump_chunk *chunk = &reply->chunk;
	int r = reply_error(dump->mealy, reply, NULL);

	if (r < 0)
		return r;
	if (reply->kind != MSG_DUMP_CHUNK)
		return fail(dump->mealy, -EPROTO, "%s answered a dump with %s", dump->mealy->url,
			    message_kind_name(reply->kind));
	if (chunk->size || chunk->layout) {
		r = take_layout(dump, chunk);
		if (r < 0)
			return r;
	}
	if (chunk->next) {
		dump->request.dump.cursor = chunk->next;
		r = ask_chunk(dump);
		if (r < 0)
			return transport_error(dump->mealy, r, &dump->request);
	}
	return give_records(dump, chunk);
}

static void chunk_came(void *data, int status, const struct message *reply)
{
	struct dump *dump = data;

	dump->waiting = false;
	if (status == -ECONNRESET || status == -ETIMEDOUT)
		dump->lost = true;
	else if (dump->result == 0)
		dump->result =
			status < 0 ? transport_error(dump->mealy, status, &dump->request) : take_chunk(dump, reply);
	ev_break(dump->mealy->loop, EVBREAK_ALL);
}

/* Asks again for the chunk whose answer the connection lost: a reader that was held up (a pager) may
 * have been given up by the other side meanwhile. */
static int resume(struct dump *dump)
{
	int r = connect_wait(dump->mealy);

	if (r < 0)
		return r;
	dump->lost = false;
	r = ask_chunk(dump);
	return r < 0 ? transport_error(dump->mealy, r, &dump->request) : 0;
}

static int walk(struct dump *dump)
{
	uint64_t cursor = 0;
	unsigned tries = 0;
	int r;

	r = resume(dump);
	if (r < 0)
		return r;
	while (dump->waiting) {
		ev_run(dump->mealy->loop, 0);
		if (dump->lost && dump->result == 0) {
			tries = dump->request.dump.cursor == cursor ? tries + 1 : 1;
			cursor = dump->request.dump.cursor;
			if (tries > DUMP_TRIES_MAX)
				return transport_error(dump->mealy, -ECONNRESET, &dump->request);
			r = resume(dump);
			if (r < 0)
				return r;
		}
	}
	return dump->result;
}

int mealy_dump(struct mealy *mealy, const char *switch_name, const char *deployment, const char *table,
	       const char *state, mealy_flow_fn flow, void *data)
{
	struct dump dump = {
		.mealy = mealy,
		.flow = flow,
		.data = data,
		.request = {.kind = MSG_DUMP,
			    .switch_name = switch_name,
			    .dump = {.deployment = deployment, .table = table, .state = state}},
	};
	int r = walk(&dump);

	free(dump.layout);
	return r;
}

/* ---- events ----------------------------------------------------------------------------------------- */

static int subscribe(struct mealy *mealy, const char *switch_name, const char *kinds, bool off)
{
	struct message msg = {
		.kind = MSG_SUBSCRIBE, .switch_name = switch_name, .subscribe = {.kinds = kinds, .off = off}};
	struct message *reply;
	int r;

	mealy->event_sequence = 0;
	r = mealy_call(mealy, &msg, &reply, NULL);
	if (r == 0)
		message_free(reply);
	return r;
}

/* The connection is gone: waits for as long as it takes, and says so. */
static int watch_again(struct mealy *mealy, const char *switch_name, const char *kinds)
{
	int r;

	give_loss(mealy, 0, mealy->lost_why[0] ? mealy->lost_why : "the connection was lost");
	do {
		mealy->lost_why[0] = '\0';
		r = subscribe(mealy, switch_name, kinds, false);
	} while ((r == -ETIMEDOUT || r == -ECONNRESET) && !mealy->event_result);
	return r;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int mealy_watch(struct mealy *mealy, const char *switch_name, const char *kinds, unsigned seconds, mealy_event_fn event,
		void *data)
{
	double end = now_s() + seconds;
	int r;

	mealy->event = event;
	mealy->event_data = data;
	mealy->event_result = 0;
	r = subscribe(mealy, switch_name, kinds, false);
	while (r == 0 && !mealy->event_result) {
		double left = seconds ? end - now_s() : 3600;

		if (left <= 0)
			break;
		run_for(mealy, left * 1000);
		if (!mealy->peer)
			r = watch_again(mealy, switch_name, kinds);
	}
	if (r == 0)
		r = mealy->event_result < 0 ? mealy->event_result : 0;
	mealy->event = NULL;
	if (mealy->peer)
		subscribe(mealy, switch_name, kinds, true);
	return r;
}
