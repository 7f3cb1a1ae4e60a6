/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subscriptions, packets out, traces. */
#include <errno.h>
#include <string.h>

#include "agent.h"
#include "dispatch.h"
#include "trace.h"

void handle_subscribe(struct request *rq)
{
	struct notify *notify = rq->agent->notify;
	int r = 0;

	if (rq->msg->subscribe.off)
		notify_unsubscribe(notify, rq->from.peer);
	else
		r = notify_subscribe(notify, rq->from.endpoint, rq->peer, rq->msg->subscribe.kinds);
	if (r < 0)
		reply_error(&rq->from, r == -ENOSPC ? ERROR_BUSY : ERROR_NO_MEMORY, "%s",
			    r == -ENOSPC ? "too many watch already" : "no memory");
	else
		reply_ok(&rq->from, "", 0, 0);
}

/* By name when there is one, else by number; 0 and an answer if there is none. */
static unsigned find_port(const struct request *rq, const char *name, unsigned number)
{
	int found = name[0] ? wiring_find(rq->agent->wiring, name) : (int)number;

	if (name[0] && found < 0)
		reply_error(&rq->from, ERROR_UNKNOWN, "there is no port \"%s\"", name);
	else if (found < 1 || found > PORTS_MAX || !wiring_port(rq->agent->wiring, found))
		reply_error(&rq->from, ERROR_UNKNOWN, "there is no port %d", found);
	else
		return found;
	return 0;
}

void handle_packet_out(struct request *rq)
{
	const struct msg_packet_out *out = &rq->msg->packet_out;
	unsigned port = find_port(rq, out->port_name, out->port);
	int r;

	if (!port)
		return;
	r = port_send(wiring_ports(rq->agent->wiring), port, out->packet, out->size);
	if (r == -ENOENT)
		reply_error(&rq->from, ERROR_UNKNOWN, "port %s is absent", wiring_port(rq->agent->wiring, port)->name);
	else if (r < 0)
		reply_error(&rq->from, ERROR_INVALID, "port %s: %s", wiring_port(rq->agent->wiring, port)->name,
			    strerror(-r));
	else
		reply_ok(&rq->from, "", 0, 1);
}

void handle_trace(struct request *rq)
{
	const struct msg_trace *trace = &rq->msg->trace;
	char name[IFNAMSIZ + 4] = "";
	unsigned port;

	if (!trace->n_frames || !trace->port[0]) {
		reply_error(&rq->from, ERROR_INVALID, "a trace needs a port and at least one frame");
		return;
	}
	snprintf(name, sizeof(name), "%.15s", trace->port);
	port = find_port(rq, name, 0);
	if (port)
		trace_run(rq, port);
}
