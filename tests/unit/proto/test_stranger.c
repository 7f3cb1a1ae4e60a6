// SPDX-License-Identifier: GPL-2.0-or-later
/* What an endpoint does with frames that no endpoint of ours would send, and a wire with urls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "bench.h"
#include "proto/endpoint.h"
#include "proto/frame.h"
#include "proto/wire.h"

enum { SESSION = 99 };

/* A server, and a bare wire that talks to it. */
struct bench {
	struct place place;
	struct endpoint *server;
	struct wire *wire;
	unsigned ups, requests;
	enum error_code refused;
	char why[256];
};

static enum error_code on_up(void *data, struct peer *peer, const struct msg_hello *hello)
{
	((struct bench *)data)->ups++;
	return ERROR_NONE;
}

static void on_down(void *data, struct peer *peer, const char *why) {}

static void on_request(void *data, struct peer *peer, const struct message *request)
{
	((struct bench *)data)->requests++;
	peer_reply_ok(peer, request->id, "", 0, 0);
}

static void on_refused(void *data, enum error_code code, const char *why)
{
	struct bench *bench = data;

	bench->refused = code;
	snprintf(bench->why, sizeof(bench->why), "%s", why);
}

static const struct endpoint_ops ops = {.up = on_up, .down = on_down, .request = on_request, .refused = on_refused};
static const struct msg_hello hello = {.role = ROLE_USER, .name = "stranger", .instance = 5};

static void bench_init(struct bench *bench)
{
	char why[256];

	*bench = (struct bench){};
	place_init(&bench->place);
	assert_int_equal(
		endpoint_listen(bench->place.loop, bench->place.url, false, &hello, &ops, bench, &bench->server, why),
		0);
	assert_int_equal(wire_dial(bench->place.url, false, 10, 10, &bench->wire, why), 0);
}

static void bench_done(struct bench *bench)
{
	wire_close(bench->wire);
	endpoint_close(bench->server);
	place_done(&bench->place);
}

static void send_bytes(struct bench *bench, const void *bytes, size_t size)
{
	assert_true(RUN_UNTIL(&bench->place, 5000, wire_send(bench->wire, NULL, bytes, size, NULL, 0) == 0));
}

/* A DATA frame of SESSION around 'payload'. */
static void send_payload(struct bench *bench, uint64_t sequence, const void *payload, size_t size)
{
	struct frame frame = {.kind = FRAME_DATA, .session = SESSION, .sequence = sequence};
	uint8_t bytes[1024];

	assert_true(FRAME_HEAD_SIZE + size <= sizeof(bytes));
	frame_encode(&frame, bytes);
	memcpy(bytes + FRAME_HEAD_SIZE, payload, size);
	send_bytes(bench, bytes, FRAME_HEAD_SIZE + size);
}

static void send_message(struct bench *bench, uint64_t sequence, const struct message *msg)
{
	uint8_t *payload;
	size_t size;

	assert_int_equal(message_pack(msg, &payload, &size), 0);
	send_payload(bench, sequence, payload, size);
	free(payload);
}

static bool try_receive(struct bench *bench, struct frame *ret_frame, struct message **ret_msg)
{
	uint8_t *bytes;
	size_t size;
	char why[256];

	if (wire_receive(bench->wire, NULL, &bytes, &size) < 0)
		return false;
	assert_int_equal(frame_decode(bytes, size, ret_frame), 0);
	*ret_msg = NULL;
	if (size > FRAME_HEAD_SIZE)
		assert_int_equal(message_unpack(bytes + FRAME_HEAD_SIZE, size - FRAME_HEAD_SIZE, ret_msg, why), 0);
	wire_release(bytes);
	return true;
}

/* The next frame from the server that carries a message, which the caller frees. */
static struct message *receive(struct bench *bench, enum frame_kind kind)
{
	struct frame frame;
	struct message *msg;

	do
		assert_true(RUN_UNTIL(&bench->place, 5000, try_receive(bench, &frame, &msg)));
	while (!msg);
	assert_int_equal(frame.kind, kind);
	assert_true(frame.session == SESSION);
	return msg;
}

static void expect_error(struct bench *bench, enum frame_kind kind, enum error_code code, uint64_t reply_to)
{
	struct message *msg = receive(bench, kind);

	assert_int_equal(msg->kind, MSG_ERROR);
	assert_int_equal(msg->error.code, code);
	assert_int_equal(msg->reply_to, reply_to);
	assert_true(strlen(msg->error.text) > 0);
	message_free(msg);
}

static void say_hello(struct bench *bench)
{
	struct message msg = {.kind = MSG_HELLO, .id = 1, .hello = hello};
	struct message *reply;

	send_message(bench, 1, &msg);
	reply = receive(bench, FRAME_DATA);
	assert_int_equal(reply->kind, MSG_HELLO_REPLY);
	assert_int_equal(reply->hello.wire_version, WIRE_VERSION);
	message_free(reply);
}

/* ---- strangers ---- */

static void who_does_not_say_hello_is_refused(void **state)
{
	struct message msg = {.kind = MSG_GET_SWITCH, .id = 1};
	struct bench bench;

	bench_init(&bench);
	send_message(&bench, 1, &msg);
	expect_error(&bench, FRAME_RESET, ERROR_REFUSED, 0);
	send_message(&bench, 2, &msg);
	expect_error(&bench, FRAME_RESET, ERROR_REFUSED, 0);
	assert_int_equal(bench.requests + bench.ups, 0);
	bench_done(&bench);
}

static void another_version_is_told_so(void **state)
{
	struct frame frame = {.kind = FRAME_DATA, .session = SESSION, .sequence = 1};
	uint8_t head[FRAME_HEAD_SIZE];
	struct bench bench;

	bench_init(&bench);
	frame_encode(&frame, head);
	head[4] = WIRE_VERSION + 3;
	send_bytes(&bench, head, 20); /* Too short for a frame of ours. */
	send_bytes(&bench, head, sizeof(head));
	expect_error(&bench, FRAME_RESET, ERROR_VERSION, 0);
	bench_done(&bench);
}

static void another_version_of_the_envelope_is_told_so(void **state)
{
	static const uint8_t payload[] = {1 << 3, WIRE_VERSION + 1, 0xff};
	struct bench bench;

	bench_init(&bench);
	send_payload(&bench, 1, payload, sizeof(payload));
	expect_error(&bench, FRAME_RESET, ERROR_VERSION, 0);
	bench_done(&bench);
}

static void garbage_is_counted(void **state)
{
	struct endpoint_stats stats;
	struct bench bench;
	uint8_t bytes[64];

	bench_init(&bench);
	memset(bytes, 0xa5, sizeof(bytes));
	for (unsigned i = 0; i < 20; i++)
		send_bytes(&bench, bytes, 1 + i * 3);
	say_hello(&bench);
	endpoint_get_stats(bench.server, &stats);
	assert_int_equal(stats.malformed, 20);
	bench_done(&bench);
}

/* ---- within a session ---- */

static void a_repeated_frame_is_acted_on_once(void **state)
{
	struct message msg = {.kind = MSG_PACKET_OUT, .packet_out = {.packet = (uint8_t[60]){}, .size = 60}};
	struct endpoint_stats stats;
	struct bench bench;

	bench_init(&bench);
	say_hello(&bench);
	msg.id = 2;
	send_message(&bench, 2, &msg);
	send_message(&bench, 2, &msg);
	send_message(&bench, 2, &msg);
	msg.id = 3;
	send_message(&bench, 3, &msg);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.requests == 2));
	endpoint_get_stats(bench.server, &stats);
	assert_true(stats.duplicates >= 2);
	bench_done(&bench);
}

static void an_id_that_was_used_is_not_acted_on(void **state)
{
	struct message msg = {.kind = MSG_GET_PORTS, .id = 2};
	struct endpoint_stats stats;
	struct bench bench;

	bench_init(&bench);
	say_hello(&bench);
	send_message(&bench, 2, &msg);
	send_message(&bench, 3, &msg);
	msg.id = 0;
	send_message(&bench, 4, &msg);
	msg.id = 9;
	send_message(&bench, 5, &msg);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.requests == 2));
	endpoint_get_stats(bench.server, &stats);
	assert_int_equal(stats.malformed, 2);
	bench_done(&bench);
}

static void what_cannot_be_read_is_answered_by_id(void **state)
{
	static const uint8_t unknown_kind[] = {1 << 3, WIRE_VERSION, 2 << 3, 2, 0xa2, 0x06, 0};
	static const uint8_t cut_off[] = {1 << 3, WIRE_VERSION, 2 << 3, 3, 0x9a, 0x01, 50};
	static const uint8_t other_version[] = {1 << 3, WIRE_VERSION + 1, 2 << 3, 4, 0x9a, 0x01, 0};
	struct bench bench;

	bench_init(&bench);
	say_hello(&bench);
	send_payload(&bench, 2, unknown_kind, sizeof(unknown_kind));
	expect_error(&bench, FRAME_DATA, ERROR_UNKNOWN, 2);
	send_payload(&bench, 3, cut_off, sizeof(cut_off));
	expect_error(&bench, FRAME_DATA, ERROR_MALFORMED, 3);
	send_payload(&bench, 4, other_version, sizeof(other_version));
	expect_error(&bench, FRAME_DATA, ERROR_VERSION, 4);
	bench_done(&bench);
}

static void echo_and_a_second_hello_are_answered_by_the_endpoint(void **state)
{
	struct message echo = {.kind = MSG_ECHO, .id = 2};
	struct message again = {.kind = MSG_HELLO, .id = 3, .hello = hello};
	struct message *reply;
	struct bench bench;

	bench_init(&bench);
	say_hello(&bench);
	send_message(&bench, 2, &echo);
	reply = receive(&bench, FRAME_DATA);
	assert_int_equal(reply->kind, MSG_OK);
	assert_int_equal(reply->reply_to, 2);
	message_free(reply);
	send_message(&bench, 3, &again);
	expect_error(&bench, FRAME_DATA, ERROR_REFUSED, 3);
	assert_int_equal(bench.ups, 1);
	assert_int_equal(bench.requests, 0);
	bench_done(&bench);
}

/* ---- a client and a strange server ---- */

static void a_server_of_another_version_is_reported(void **state)
{
	struct bench bench = {};
	struct endpoint *client;
	struct wire_address from = {};
	uint8_t *bytes, head[FRAME_HEAD_SIZE];
	size_t size;
	char why[256];

	place_init(&bench.place);
	assert_int_equal(wire_listen(bench.place.url, false, &bench.wire, why), 0);
	assert_int_equal(endpoint_dial(bench.place.loop, bench.place.url, false, &hello, &ops, &bench, &client, why),
			 0);
	assert_true(RUN_UNTIL(&bench.place, 5000, wire_receive(bench.wire, &from, &bytes, &size) == 0));
	memcpy(head, bytes, sizeof(head));
	wire_release(bytes);
	head[4] = WIRE_VERSION + 1;
	head[6] = FRAME_RESET;
	assert_int_equal(wire_send(bench.wire, &from, head, sizeof(head), NULL, 0), 0);
	assert_true(RUN_UNTIL(&bench.place, 5000, bench.refused));
	assert_int_equal(bench.refused, ERROR_VERSION);
	assert_non_null(strstr(bench.why, "version 2"));
	endpoint_close(client);
	wire_close(bench.wire);
	place_done(&bench.place);
}

/* ---- urls ---- */

static int listen_on(const char *url, bool insecure)
{
	struct wire *wire = NULL;
	char why[256] = "";
	int r = wire_listen(url, insecure, &wire, why);

	assert_true(r == 0 || strlen(why) > 0);
	wire_close(wire);
	return r;
}

static void wrong_urls_are_told(void **state)
{
	char path[256] = "ipc:///";

	memset(path + 7, 'a', 150);
	assert_int_equal(listen_on("tcp://127.0.0.1:7440", false), -EPERM);
	assert_int_equal(listen_on("tcp://127.0.0.1", true), -EINVAL);
	assert_int_equal(listen_on("tcp://127.0.0.1:", true), -EINVAL);
	assert_int_equal(listen_on("tcp://127.0.0.1:0", true), -EINVAL);
	assert_int_equal(listen_on("tcp://127.0.0.1:65536", true), -EINVAL);
	assert_int_equal(listen_on("tcp://127.0.0.1:-1", true), -EINVAL);
	assert_int_equal(listen_on("tcp://:7440", true), -EINVAL);
	assert_int_equal(listen_on("tcp://no.such.interface:7440", true), -ENODEV);
	assert_int_equal(listen_on("ipc://relative", true), -EINVAL);
	assert_int_equal(listen_on(path, true), -ENAMETOOLONG);
	assert_int_equal(listen_on("ipc:///proc/nowhere/socket", true), -ENOENT);
	assert_int_equal(listen_on("http://127.0.0.1", true), -EINVAL);
	assert_int_equal(listen_on("", true), -EINVAL);
}

static void sockets_are_guarded_by_their_directory(void **state)
{
	struct place place;
	struct wire *wire;
	struct stat st;
	char why[256];

	place_init(&place);
	assert_int_equal(wire_listen(place.url, false, &wire, why), 0);
	assert_int_equal(stat(place.run, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	assert_int_equal(stat(place.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(listen_on(place.url, false), -EADDRINUSE);
	assert_int_equal(stat(place.path, &st), 0);
	wire_close(wire);
	assert_int_equal(stat(place.path, &st), -1);
	place_done(&place);
}

static void only_a_stale_socket_is_replaced(void **state)
{
	struct place place;
	FILE *file;

	place_init(&place);
	assert_int_equal(mkdir(place.run, 0700), 0);
	file = fopen(place.path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(listen_on(place.url, false), -EEXIST);
	assert_int_equal(access(place.path, F_OK), 0);
	assert_int_equal(unlink(place.path), 0);
	assert_int_equal(mknod(place.path, S_IFSOCK | 0600, 0), 0);
	assert_int_equal(listen_on(place.url, false), 0);
	place_done(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_does_not_say_hello_is_refused),
		cmocka_unit_test(another_version_is_told_so),
		cmocka_unit_test(another_version_of_the_envelope_is_told_so),
		cmocka_unit_test(garbage_is_counted),
		cmocka_unit_test(a_repeated_frame_is_acted_on_once),
		cmocka_unit_test(an_id_that_was_used_is_not_acted_on),
		cmocka_unit_test(what_cannot_be_read_is_answered_by_id),
		cmocka_unit_test(echo_and_a_second_hello_are_answered_by_the_endpoint),
		cmocka_unit_test(a_server_of_another_version_is_reported),
		cmocka_unit_test(wrong_urls_are_told),
		cmocka_unit_test(sockets_are_guarded_by_their_directory),
		cmocka_unit_test(only_a_stale_socket_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
