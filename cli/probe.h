/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe - asks servers whether they answer, all at once, over TCP or HTTP.
 *
 * A round takes at most its time-out, whatever servers do: sockets never block.  What many rounds say of one server is
 * judged by probe_judge(), which is pure. */
#ifndef MEALY_PROBE_H
#define MEALY_PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { PROBE_HEAD_MAX = 255, PROBE_WHY = 64 };

struct probe {
	struct sockaddr_storage to;
	socklen_t to_size;
	char head[PROBE_HEAD_MAX + 1]; /* Of the answer, what came of it. */
	size_t n_head, n_sent;
	int fd;
	bool done, ok;
	char why[PROBE_WHY]; /* Why not. */
};

/* Where a probe goes: a textual address and a port.  -EINVAL. */
int probe_set(struct probe *probe, const char *address, unsigned port);

/* Asks all: 'request' is what to send once connected ("": to be connected is enough); an answer is good when it begins
 * with "HTTP/1.x 2.." or "3..". */
void probe_round(struct probe *probe, size_t n, const char *request, unsigned timeout_ms);

/* How a server did in rounds. */
struct probe_run {
	unsigned good, bad; /* In a row; one of them is 0. */
};

enum probe_verdict { PROBE_STAYS, PROBE_COMES, PROBE_GOES };

/* One more result for a server that is 'up' or not: 'rise' good ones in a row bring it, 'fall' bad ones take it out. */
enum probe_verdict probe_judge(struct probe_run *run, bool ok, bool up, unsigned rise, unsigned fall);

#endif
