/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe: servers that answer well, badly, not at all; when a member comes and goes. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../cli/probe.h"

static void rise_and_fall_count_in_a_row(void **state)
{
	struct probe_run run = {};

	assert_int_equal(probe_judge(&run, false, true, 2, 3), PROBE_STAYS);
	assert_int_equal(probe_judge(&run, false, true, 2, 3), PROBE_STAYS);
	assert_int_equal(probe_judge(&run, true, true, 2, 3), PROBE_STAYS);
	assert_int_equal(probe_judge(&run, false, true, 2, 3), PROBE_STAYS);
	assert_int_equal(probe_judge(&run, false, true, 2, 3), PROBE_STAYS);
	assert_int_equal(probe_judge(&run, false, true, 2, 3), PROBE_GOES);
	assert_int_equal(probe_judge(&run, false, false, 2, 3), PROBE_STAYS);
	assert_int_equal(probe_judge(&run, true, false, 2, 3), PROBE_STAYS);
	assert_int_equal(probe_judge(&run, true, false, 2, 3), PROBE_COMES);
}

struct server {
	pthread_t thread;
	int fd;
	const char *answer; /* NULL: none, and the connection stays. */
};

static void *serve(void *data)
{
	struct server *server = data;
	char request[512];
	int fd = accept(server->fd, NULL, NULL);

	if (fd >= 0 && recv(fd, request, sizeof(request), 0) >= 0 && server->answer)
		send(fd, server->answer, strlen(server->answer), MSG_NOSIGNAL);
	if (fd >= 0 && !server->answer)
		recv(fd, request, sizeof(request), 0);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static unsigned start(struct server *server, const char *answer)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);

	server->answer = answer;
	server->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(server->fd, 4), 0);
	getsockname(server->fd, (struct sockaddr *)&at, &size);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
	return ntohs(at.sin_port);
}

static void stop(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

static void each_server_gets_what_it_deserves(void **state)
{
	static const char *const answers[] = {"HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 503 Sorry\r\n\r\n",
					      "SSH-2.0-x 200\r\n", NULL};
	static const char *const why[] = {"status 200", "status 503", "no HTTP answer", "no answer in time"};
	struct server server[4];
	struct probe probe[5];
	int reserved = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(probe_set(&probe[i], "127.0.0.1", start(&server[i], answers[i])), 0);
	/* Bound, but nobody listens. */
	assert_int_equal(bind(reserved, (struct sockaddr *)&at, sizeof(at)), 0);
	getsockname(reserved, (struct sockaddr *)&at, &size);
	assert_int_equal(probe_set(&probe[4], "127.0.0.1", ntohs(at.sin_port)), 0);
	probe_round(probe, 5, "GET / HTTP/1.1\r\n\r\n", 300);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(probe[i].ok, i == 0);
		assert_string_equal(probe[i].why, why[i]);
	}
	assert_false(probe[4].ok);
	assert_string_equal(probe[4].why, "Connection refused");
	for (unsigned i = 0; i < 4; i++)
		stop(&server[i]);
	close(reserved);
}

static void to_be_connected_is_enough_without_a_request(void **state)
{
	struct server server;
	struct probe probe;

	assert_int_equal(probe_set(&probe, "127.0.0.1", start(&server, NULL)), 0);
	probe_round(&probe, 1, "", 2000);
	assert_true(probe.ok);
	stop(&server);
	assert_true(probe_set(&probe, "127.0.0.1", 0) < 0);
	assert_true(probe_set(&probe, "example", 80) < 0);
	assert_int_equal(probe_set(&probe, "2001:db8::1", 80), 0);
	assert_int_equal(probe.to.ss_family, AF_INET6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rise_and_fall_count_in_a_row),
		cmocka_unit_test(each_server_gets_what_it_deserves),
		cmocka_unit_test(to_be_connected_is_enough_without_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
