/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/log.h"
#include "apply.h"
#include "change.h"
#include "sync.h"

struct call {
	struct known *k;
	uint64_t peer;
	work_reply_fn fn;
};

static void call_answered(void *data, int status, const struct message *reply)
{
	struct call *call = data;

	if (call->k->peer == call->peer)
		call->fn(call->k, status, reply);
	free(call);
}

int work_request(struct known *k, const struct message *msg, work_reply_fn fn)
{
	struct peer *peer = known_peer(k);
	struct call *call;
	int r;

	if (!peer)
		return -ENOTCONN;
	call = malloc(sizeof(*call));
	if (!call)
		return -ENOMEM;
	*call = (struct call){.k = k, .peer = k->peer, .fn = fn};
	r = peer_request(peer, msg, SWITCH_TIMEOUT_MS, call_answered, call);
	if (r < 0)
		free(call);
	return r;
}

const char *work_explain(int status, const struct message *reply, char *buf, size_t size)
{
	if (status == -ECONNRESET || status == -ENOTCONN)
		snprintf(buf, size, "the connection was lost");
	else if (status == -ETIMEDOUT)
		snprintf(buf, size, "no answer within %d s", SWITCH_TIMEOUT_MS / 1000);
	else if (status < 0)
		snprintf(buf, size, "%s", strerror(-status));
	else if (reply->kind == MSG_ERROR)
		snprintf(buf, size, "%s",
			 reply->error.text[0] ? reply->error.text : error_code_name(reply->error.code));
	else
		snprintf(buf, size, "an unexpected answer (%s)", message_kind_name(reply->kind));
	return buf;
}

static void run(struct known *k)
{
	if (k->busy || !k->work || !k->peer)
		return;
	k->busy = true;
	if (k->work->change)
		apply_start(k);
	else
		sync_start(k);
}

void work_add(struct known *k, struct change *change, size_t index)
{
	struct work *work;

	/* One that waits already reads the store when it begins, so it covers this wish too. */
	for (work = k->work; !change && work; work = work->next)
		if (!work->change && !(work == k->work && k->busy))
			return;
	work = malloc(sizeof(*work));
	if (!work) {
		log_error("switch %s: no memory for its queue", k->name);
		if (change)
			change_set_result(change, index, APPLIED_PENDING, "the controller has no memory left");
		return;
	}
	*work = (struct work){.change = change, .index = index};
	*k->work_end = work;
	k->work_end = &work->next;
	run(k);
}

static void pop(struct known *k)
{
	struct work *work = k->work;

	k->work = work->next;
	if (!k->work)
		k->work_end = &k->work;
	free(work);
}

void work_done(struct known *k)
{
	k->busy = false;
	pop(k);
	run(k);
}

void work_drop(struct known *k)
{
	k->busy = false;
	while (k->work) {
		struct change *change = k->work->change;
		size_t index = k->work->index;

		pop(k);
		if (change)
			change_set_result(change, index, APPLIED_PENDING, "the connection was lost before it answered");
	}
}
