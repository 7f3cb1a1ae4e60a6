/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../common/cleanup.h"

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

int probe_set(struct probe *probe, const char *address, unsigned port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&probe->to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&probe->to;

	*probe = (struct probe){.fd = -1};
	if (!port || port > 65535)
		return -EINVAL;
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		probe->to_size = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) != 1)
		return -EINVAL;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	probe->to_size = sizeof(*v6);
	return 0;
}

static void finish(struct probe *probe, bool ok, const char *why)
{
	probe->done = true;
	probe->ok = ok;
	snprintf(probe->why, sizeof(probe->why), "%s", why);
	if (probe->fd >= 0)
		close(probe->fd);
	probe->fd = -1;
}

static void begin(struct probe *probe)
{
	probe->done = probe->ok = false;
	probe->n_head = probe->n_sent = 0;
	probe->fd = socket(probe->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe->fd < 0 ||
	    (connect(probe->fd, (struct sockaddr *)&probe->to, probe->to_size) < 0 && errno != EINPROGRESS))
		finish(probe, false, strerror(errno));
}

/* "HTTP/1.1 200 OK": the first digit of the status decides. */
static void judge_head(struct probe *probe, bool ended)
{
	probe->head[probe->n_head] = '\0';
	if (probe->n_head >= 12 && strncmp(probe->head, "HTTP/1.", 7) == 0 && probe->head[8] == ' ') {
		char why[PROBE_WHY];

		snprintf(why, sizeof(why), "status %.3s", probe->head + 9);
		finish(probe, probe->head[9] == '2' || probe->head[9] == '3', why);
	} else if (ended || probe->n_head >= 12) {
		finish(probe, false, "no HTTP answer");
	}
}

/* The socket has something to say: connected or not, room to send, an answer. */
static void go_on(struct probe *probe, const char *request, short events)
{
	size_t size = strlen(request);
	socklen_t len = sizeof(int);
	int error = 0;
	ssize_t n;

	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
		finish(probe, false, strerror(error ? error : errno));
		return;
	}
	if (!size && events & POLLOUT) {
		finish(probe, true, "");
		return;
	}
	if (probe->n_sent < size) {
		n = send(probe->fd, request + probe->n_sent, size - probe->n_sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			finish(probe, false, strerror(errno));
		probe->n_sent += n > 0 ? n : 0;
		return;
	}
	n = recv(probe->fd, probe->head + probe->n_head, PROBE_HEAD_MAX - probe->n_head, 0);
	if (n < 0 && errno != EAGAIN)
		finish(probe, false, strerror(errno));
	else if (n >= 0) {
		probe->n_head += n;
		judge_head(probe, n == 0);
	}
}

static size_t list_open(const struct probe *probe, size_t n, const char *request, struct pollfd *ret_poll)
{
	size_t n_open = 0;

	for (size_t i = 0; i < n; i++) {
		bool sending = !request[0] || probe[i].n_sent < strlen(request);

		ret_poll[i] = (struct pollfd){probe[i].done ? -1 : probe[i].fd, sending ? POLLOUT : POLLIN, 0};
		n_open += !probe[i].done;
	}
	return n_open;
}

void probe_round(struct probe *probe, size_t n, const char *request, unsigned timeout_ms)
{
	_cleanup_free_ struct pollfd *poll_fd = calloc(n + 1, sizeof(*poll_fd));
	uint64_t end = now_ms() + timeout_ms, now;

	for (size_t i = 0; i < n; i++)
		begin(&probe[i]);
	while (poll_fd && list_open(probe, n, request, poll_fd) && (now = now_ms()) < end) {
		if (poll(poll_fd, n, end - now) < 0 && errno != EINTR)
			break;
		for (size_t i = 0; i < n; i++)
			if (!probe[i].done && poll_fd[i].revents)
				go_on(&probe[i], request, poll_fd[i].revents);
	}
	for (size_t i = 0; i < n; i++)
		if (!probe[i].done)
			finish(&probe[i], false, "no answer in time");
}

enum probe_verdict probe_judge(struct probe_run *run, bool ok, bool up, unsigned rise, unsigned fall)
{
	run->good = ok ? run->good + 1 : 0;
	run->bad = ok ? 0 : run->bad + 1;
	if (!up && run->good >= rise)
		return PROBE_COMES;
	return up && run->bad >= fall ? PROBE_GOES : PROBE_STAYS;
}
