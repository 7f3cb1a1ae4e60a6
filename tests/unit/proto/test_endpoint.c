// SPDX-License-Identifier: GPL-2.0-or-later
/* Two endpoints in one process and one loop, over ipc:// and over TCP on the loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bench.h"
#include "proto/endpoint.h"

/* One side and what happened to it. */
struct side {
	struct endpoint *endpoint;
	uint64_t peer; /* The last that came up; 0: it is down. */
	unsigned ups, downs, requests, replies, errors, refusals, timeouts, resets, failures;
	unsigned burst; /* Requests to send at once when a peer comes up. */
	enum error_code answer_up, last_refusal, last_error;
	bool mute; /* Do not answer requests. */
	bool close_on_request;
	size_t chunk_size; /* Answer DUMP with as many bytes of records. */
	char why[256];
	uint64_t last_request;
};

struct bench {
	struct place place;
	struct side server, client;
};

static const struct endpoint_timings quick = {.resend_ms = 100,
					      .timeout_ms = 10000,
					      .echo_ms = 100,
					      .silent_ms = 600,
					      .backoff_min_ms = 10,
					      .backoff_max_ms = 80};

static void note_reply(void *data, int status, const struct message *reply)
{
	struct side *side = data;

	if (status == 0 && reply->kind == MSG_ERROR) {
		side->errors++;
		side->last_error = reply->error.code;
	} else if (status == 0) {
		side->replies++;
	} else if (status == -ETIMEDOUT) {
		side->timeouts++;
	} else if (status == -ECONNRESET) {
		side->resets++;
	} else {
		side->failures++;
	}
}

static struct peer *peer_of(struct side *side)
{
	return peer_find(side->endpoint, side->peer);
}

static void send_burst(struct side *side, struct peer *peer, unsigned n)
{
	struct message msg = {.kind = MSG_GET_COUNTERS, .get = {"limiter"}};

	for (unsigned i = 0; i < n; i++)
		assert_int_equal(peer_request(peer, &msg, 0, note_reply, side), 0);
}

static enum error_code on_up(void *data, struct peer *peer, const struct msg_hello *hello)
{
	struct side *side = data;

	assert_string_equal(hello->build, "test");
	assert_ptr_equal(hello, peer_hello(peer));
	if (side->answer_up)
		return side->answer_up;
	side->ups++;
	side->peer = peer_id(peer);
	peer_set_data(peer, side);
	send_burst(side, peer, side->burst);
	return ERROR_NONE;
}

static void on_down(void *data, struct peer *peer, const char *why)
{
	struct side *side = data;

	assert_ptr_equal(peer_data(peer), side);
	side->downs++;
	if (side->peer == peer_id(peer))
		side->peer = 0;
	snprintf(side->why, sizeof(side->why), "%s", why);
}

static void answer_dump(struct side *side, struct peer *peer, const struct message *request)
{
	uint8_t *records = calloc(1, side->chunk_size);
	struct message chunk = {.kind = MSG_DUMP_CHUNK, .chunk = {.record_size = 64, .size = side->chunk_size}};

	chunk.chunk.records = records;
	chunk.chunk.next = request->dump.cursor + 1;
	memset(records, request->dump.cursor, side->chunk_size);
	assert_int_equal(peer_reply(peer, request->id, &chunk), 0);
	free(records);
}

static void on_request(void *data, struct peer *peer, const struct message *request)
{
	struct side *side = data;

	side->requests++;
	side->last_request = request->id;
	if (side->close_on_request) {
		endpoint_close(side->endpoint);
		side->endpoint = NULL;
	} else if (request->kind == MSG_DUMP && side->chunk_size) {
		answer_dump(side, peer, request);
	} else if (!side->mute) {
		assert_int_equal(peer_reply_ok(peer, request->id, "done", 0, side->requests), 0);
		assert_int_equal(peer_reply_ok(peer, request->id, "twice", 0, 0), -ENOENT);
	}
}

static void on_refused(void *data, enum error_code code, const char *why)
{
	struct side *side = data;

	side->refusals++;
	side->last_refusal = code;
	snprintf(side->why, sizeof(side->why), "%s", why);
}

static const struct endpoint_ops ops = {.up = on_up, .down = on_down, .request = on_request, .refused = on_refused};

/* ---- bench ---- */

static struct msg_hello hello_of(enum role role, const char *name, uint64_t instance)
{
	return (struct msg_hello){.role = role, .name = name, .instance = instance, .build = "test"};
}

static void listen_again(struct bench *bench)
{
	struct msg_hello hello = hello_of(ROLE_CONTROLLER, "controller", 1);
	char why[256] = "";

	assert_int_equal(endpoint_listen(bench->place.loop, bench->place.url, true, &hello, &ops, &bench->server,
					 &bench->server.endpoint, why),
			 0);
	endpoint_set_timings(bench->server.endpoint, &quick);
}

static void dial(struct bench *bench, struct side *side, enum role role, uint64_t instance)
{
	struct msg_hello hello = hello_of(role, "edge-1", instance);
	char why[256] = "";

	assert_int_equal(
		endpoint_dial(bench->place.loop, bench->place.url, true, &hello, &ops, side, &side->endpoint, why), 0);
	endpoint_set_timings(side->endpoint, &quick);
}

static void bench_init(struct bench *bench)
{
	*bench = (struct bench){};
	place_init(&bench->place);
}

static void bench_done(struct bench *bench)
{
	endpoint_close(bench->client.endpoint);
	endpoint_close(bench->server.endpoint);
	place_done(&bench->place);
}

static void connect_both(struct bench *bench)
{
	listen_again(bench);
	dial(bench, &bench->client, ROLE_AGENT, 2);
	assert_true(RUN_UNTIL(&bench->place, 5000, bench->server.peer && bench->client.peer));
}

/* ---- tests ---- */

static void thousand_requests_each_way(struct bench *bench)
{
	bench->server.burst = 1000;
	bench->client.burst = 1000;
	connect_both(bench);
	assert_true(RUN_UNTIL(&bench->place, 10000, bench->server.replies == 1000 && bench->client.replies == 1000));
	assert_int_equal(bench->server.requests, 1000);
	assert_int_equal(bench->client.requests, 1000);
}

static void a_thousand_requests_each_way_over_ipc(void **state)
{
	struct bench bench;

	bench_init(&bench);
	thousand_requests_each_way(&bench);
	bench_done(&bench);
}

/* A port nobody has, for a moment at least. */
static unsigned free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void a_thousand_requests_each_way_over_tcp(void **state)
{
	struct bench bench;

	bench_init(&bench);
	snprintf(bench.place.url, sizeof(bench.place.url), "tcp://127.0.0.1:%u", free_port());
	thousand_requests_each_way(&bench);
	bench_done(&bench);
}

static void the_client_may_start_first(void **state)
{
	struct bench bench;

	bench_init(&bench);
	mkdir(bench.place.run, 0750);
	dial(&bench, &bench.client, ROLE_AGENT, 2);
	assert_false(RUN_UNTIL(&bench.place, 300, bench.client.peer));
	assert_int_equal(bench.client.refusals, 0);
	listen_again(&bench);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.client.peer && bench.server.peer));
	bench_done(&bench);
}

static void a_client_finds_a_restarted_server(void **state)
{
	struct bench bench;

	bench_init(&bench);
	connect_both(&bench);
	bench.server.mute = true;
	send_burst(&bench.client, peer_of(&bench.client), 3);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.server.requests == 3));

	endpoint_close(bench.server.endpoint);
	bench.server.endpoint = NULL;
	assert_int_equal(bench.server.downs, 1);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.client.downs == 1));
	assert_int_equal(bench.client.resets, 3);

	bench.server.mute = false;
	listen_again(&bench);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.client.ups == 2 && bench.server.ups == 2));
	send_burst(&bench.client, peer_of(&bench.client), 3);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.client.replies == 3));
	bench_done(&bench);
}

/* The process is made before there is any socket, because nanomsg's thread does not survive a fork. */
static pid_t fork_client(const struct bench *bench)
{
	struct bench own = *bench;
	pid_t child = fork();

	if (child)
		return child;
	own.place.loop = ev_loop_new(0);
	own.client.close_on_request = true;
	dial(&own, &own.client, ROLE_USER, 2);
	RUN_UNTIL(&own.place, 5000, !own.client.endpoint);
	_exit(0);
}

static void a_client_that_stops_is_lost_by_silence(void **state)
{
	struct bench bench;
	pid_t child;

	bench_init(&bench);
	child = fork_client(&bench);
	listen_again(&bench);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.server.peer));
	kill(child, SIGSTOP);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.server.downs == 1));
	assert_string_equal(bench.server.why, "silent");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	bench_done(&bench);
}

static void a_client_that_leaves_says_so(void **state)
{
	struct bench bench;
	pid_t child;

	bench_init(&bench);
	child = fork_client(&bench);
	listen_again(&bench);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.server.peer));
	send_burst(&bench.server, peer_of(&bench.server), 1);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.server.downs == 1));
	assert_string_equal(bench.server.why, "closed by the other side");
	assert_int_equal(bench.server.resets, 1);
	waitpid(child, NULL, 0);
	bench_done(&bench);
}

static void requests_under_way_end_when_the_client_closes(void **state)
{
	struct bench bench;

	bench_init(&bench);
	connect_both(&bench);
	bench.server.mute = true;
	send_burst(&bench.client, peer_of(&bench.client), 1);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.server.requests == 1));
	endpoint_close(bench.client.endpoint);
	bench.client.endpoint = NULL;
	assert_int_equal(bench.client.resets, 1);
	assert_int_equal(bench.client.downs, 1);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.server.downs == 1));
	bench_done(&bench);
}

static void a_switch_that_comes_again_replaces_its_old_session(void **state)
{
	struct bench bench;
	struct side second = {};

	bench_init(&bench);
	connect_both(&bench);
	dial(&bench, &second, ROLE_AGENT, 3);
	assert_true(RUN_UNTIL(&bench.place, 5000, second.peer && bench.client.downs == 1));
	assert_int_equal(bench.server.downs, 1);
	assert_int_equal(bench.server.ups, 2);
	endpoint_close(second.endpoint);
	bench_done(&bench);
}

static void users_of_one_name_live_side_by_side(void **state)
{
	struct bench bench;
	struct side second = {}, third = {};

	bench_init(&bench);
	listen_again(&bench);
	dial(&bench, &second, ROLE_USER, 2);
	dial(&bench, &third, ROLE_USER, 3);
	assert_true(RUN_UNTIL(&bench.place, 5000, second.peer && third.peer));
	assert_false(RUN_UNTIL(&bench.place, 300, bench.server.downs));
	endpoint_close(second.endpoint);
	endpoint_close(third.endpoint);
	bench_done(&bench);
}

static void a_refused_client_is_told_and_tries_again(void **state)
{
	struct bench bench;

	bench_init(&bench);
	bench.server.answer_up = ERROR_BUSY;
	listen_again(&bench);
	dial(&bench, &bench.client, ROLE_AGENT, 2);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.client.refusals == 2));
	assert_int_equal(bench.client.last_refusal, ERROR_BUSY);
	assert_int_equal(bench.client.ups + bench.client.downs + bench.server.downs, 0);
	bench.server.answer_up = ERROR_NONE;
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.client.peer && bench.server.peer));
	bench_done(&bench);
}

static void an_unanswered_request_times_out(void **state)
{
	struct message msg = {.kind = MSG_BARRIER};
	struct bench bench;

	bench_init(&bench);
	connect_both(&bench);
	bench.server.mute = true;
	assert_int_equal(peer_request(peer_of(&bench.client), &msg, 100, note_reply, &bench.client), 0);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.client.timeouts == 1));
	assert_int_equal(bench.server.requests, 1);
	assert_int_equal(peer_reply_ok(peer_of(&bench.server), bench.server.last_request, "", 0, 0), 0);
	assert_false(RUN_UNTIL(&bench.place, 100, bench.client.replies));
	bench_done(&bench);
}

static void requests_time_out_later_when_asked_to(void **state)
{
	struct message msg = {.kind = MSG_BARRIER};
	struct bench bench;

	bench_init(&bench);
	connect_both(&bench);
	bench.server.mute = true;
	assert_int_equal(peer_request(peer_of(&bench.client), &msg, 400, note_reply, &bench.client), 0);
	assert_int_equal(peer_request(peer_of(&bench.client), &msg, 50, note_reply, &bench.client), 0);
	assert_true(RUN_UNTIL(&bench.place, 300, bench.client.timeouts == 1));
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.client.timeouts == 2));
	bench_done(&bench);
}

/* More than any window or socket buffer holds, in both directions at once. */
static void big_answers_do_not_block(void **state)
{
	struct message msg = {.kind = MSG_DUMP, .dump = {.deployment = "a", .table = "t", .state = ""}};
	struct endpoint_stats stats;
	struct bench bench;

	bench_init(&bench);
	bench.server.chunk_size = bench.client.chunk_size = DUMP_BYTES_MAX;
	connect_both(&bench);
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(peer_request(peer_of(&bench.client), &msg, 30000, note_reply, &bench.client), 0);
		assert_int_equal(peer_request(peer_of(&bench.server), &msg, 30000, note_reply, &bench.server), 0);
	}
	assert_true(RUN_UNTIL(&bench.place, 20000, bench.client.replies == 64 && bench.server.replies == 64));
	endpoint_get_stats(bench.server.endpoint, &stats);
	assert_int_equal(stats.malformed, 0);
	bench_done(&bench);
}

static void a_full_queue_is_told(void **state)
{
	static char text[512 << 10];
	struct message msg = {.kind = MSG_DEPLOY, .deploy = {.name = "a", .text = text}};
	struct bench bench;
	int r;

	memset(text, ' ', sizeof(text) - 1);
	bench_init(&bench);
	connect_both(&bench);
	for (unsigned i = 0; i < 1000; i++) {
		r = peer_request(peer_of(&bench.client), &msg, 0, note_reply, &bench.client);
		if (r < 0)
			break;
	}
	assert_int_equal(r, -EAGAIN);
	bench_done(&bench);
	assert_int_equal(bench.client.resets, ENDPOINT_QUEUE_BYTES / (sizeof(text) + 1024 + 8));
}

static void too_many_open_requests_are_refused(void **state)
{
	struct bench bench;

	bench_init(&bench);
	connect_both(&bench);
	bench.server.mute = true;
	send_burst(&bench.client, peer_of(&bench.client), ENDPOINT_OPEN_MAX + 10);
	assert_true(RUN_UNTIL(&bench.place, 10000, bench.client.errors == 10));
	assert_int_equal(bench.client.last_error, ERROR_BUSY);
	assert_int_equal(bench.server.requests, ENDPOINT_OPEN_MAX);
	bench_done(&bench);
	assert_int_equal(bench.client.resets, ENDPOINT_OPEN_MAX);
}

static void what_cannot_be_sent_is_refused_or_excused(void **state)
{
	struct message bad = {.kind = MSG_DEPLOY, .deploy = {.name = ""}};
	struct bench bench;

	bench_init(&bench);
	connect_both(&bench);
	assert_int_equal(peer_request(peer_of(&bench.client), &bad, 0, note_reply, &bench.client), -EINVAL);
	bench.server.mute = true;
	send_burst(&bench.client, peer_of(&bench.client), 2);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.server.requests == 2));
	assert_int_equal(peer_reply(peer_of(&bench.server), bench.server.last_request, &bad), -EINVAL);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.client.errors == 1));
	assert_int_equal(bench.client.last_error, ERROR_INTERNAL);
	assert_int_equal(peer_reply_error(peer_of(&bench.server), bench.server.last_request - 1, ERROR_INVALID, "%s",
					  "a\x01\xff"
					  "b"),
			 0);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.client.errors == 2));
	assert_int_equal(bench.client.last_error, ERROR_INVALID);
	bench_done(&bench);
}

static void an_endpoint_may_be_closed_from_a_callback(void **state)
{
	struct bench bench;

	bench_init(&bench);
	connect_both(&bench);
	bench.server.close_on_request = true;
	send_burst(&bench.client, peer_of(&bench.client), 5);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.client.resets == 5));
	assert_int_equal(bench.server.requests, 1);
	assert_int_equal(bench.server.downs, 1);
	bench_done(&bench);
}

static void hello_changes_for_later_sessions(void **state)
{
	struct msg_hello hello = hello_of(ROLE_AGENT, "edge-2", 2);
	struct bench bench;

	bench_init(&bench);
	connect_both(&bench);
	assert_string_equal(peer_hello(peer_of(&bench.server))->name, "edge-1");
	endpoint_set_hello(bench.client.endpoint, &hello);
	endpoint_close(bench.server.endpoint);
	bench.server.endpoint = NULL;
	listen_again(&bench);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.server.ups == 2));
	assert_string_equal(peer_hello(peer_of(&bench.server))->name, "edge-2");
	bench_done(&bench);
}

static void an_idle_session_stays_up(void **state)
{
	struct bench bench;

	bench_init(&bench);
	connect_both(&bench);
	assert_false(RUN_UNTIL(&bench.place, 900, bench.client.downs || bench.server.downs));
	bench_done(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thousand_requests_each_way_over_ipc),
		cmocka_unit_test(a_thousand_requests_each_way_over_tcp),
		cmocka_unit_test(the_client_may_start_first),
		cmocka_unit_test(a_client_finds_a_restarted_server),
		cmocka_unit_test(a_client_that_stops_is_lost_by_silence),
		cmocka_unit_test(a_client_that_leaves_says_so),
		cmocka_unit_test(requests_under_way_end_when_the_client_closes),
		cmocka_unit_test(a_switch_that_comes_again_replaces_its_old_session),
		cmocka_unit_test(users_of_one_name_live_side_by_side),
		cmocka_unit_test(a_refused_client_is_told_and_tries_again),
		cmocka_unit_test(an_unanswered_request_times_out),
		cmocka_unit_test(requests_time_out_later_when_asked_to),
		cmocka_unit_test(big_answers_do_not_block),
		cmocka_unit_test(a_full_queue_is_told),
		cmocka_unit_test(too_many_open_requests_are_refused),
		cmocka_unit_test(what_cannot_be_sent_is_refused_or_excused),
		cmocka_unit_test(an_endpoint_may_be_closed_from_a_callback),
		cmocka_unit_test(hello_changes_for_later_sessions),
		cmocka_unit_test(an_idle_session_stays_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
