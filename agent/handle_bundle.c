/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bundles: opened, filled, committed, discarded; given up when nothing comes. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/log.h"
#include "agent.h"
#include "bundle.h"
#include "bundle_commit.h"
#include "dispatch.h"
#include "host.h"

static uint64_t now_ms(void)
{
	return host_monotonic_ns() / 1000000;
}

/* ---- time ---- */

static void arm(struct agent *agent)
{
	uint64_t now = now_ms(), next;
	struct bundle *due;

	while ((due = bundle_next_due(agent->bundles, now, &next))) {
		log_warn("bundle %" PRIu32 ": nothing came for %" PRIu32 " ms: discarded", due->id, due->timeout_ms);
		bundle_close(agent->bundles, due);
	}
	ev_timer_stop(agent->loop, &agent->bundle_due);
	if (next == UINT64_MAX)
		return;
	ev_timer_set(&agent->bundle_due, (next - now) / 1000.0, 0.0);
	ev_timer_start(agent->loop, &agent->bundle_due);
}

void bundles_on_due(struct ev_loop *loop, ev_timer *timer, int events)
{
	arm(timer->data);
}

/* ---- operations ---- */

static void open_one(struct request *rq)
{
	struct bundle *bundle;
	int r = bundle_open(rq->agent->bundles, now_ms(), rq->msg->bundle.timeout_ms, &bundle);

	if (r == -EBUSY)
		reply_error(&rq->from, ERROR_BUSY, "%d bundles are open already", BUNDLES_MAX);
	else if (r < 0)
		reply_error(&rq->from, ERROR_NO_MEMORY, "no memory");
	else
		reply_ok(&rq->from, "", bundle->id, bundle->timeout_ms);
}

static void add(struct request *rq, struct bundle *bundle)
{
	const struct msg_bundle *msg = &rq->msg->bundle;
	char why[256] = "";
	int r = bundle_add(bundle, now_ms(), msg->member, msg->member_size, why);

	if (r < 0)
		reply_error(&rq->from, r == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INVALID, "bundle %" PRIu32 ": %s",
			    bundle->id, why);
	else
		reply_ok(&rq->from, "", 0, bundle->n_rows);
}

/* Refused or not, it is gone: what failed may be collected anew. */
static void commit(struct request *rq, struct bundle *bundle)
{
	struct bundle_result result;
	uint32_t id = bundle->id;
	int r = bundle_commit(rq->agent, (const struct message *const *)bundle->member, bundle->n, &result);

	if (r < 0) {
		log_warn("bundle %" PRIu32 ": refused: %s", id, result.why ? result.why : strerror(-r));
		reply_error(&rq->from, result.code, "bundle %" PRIu32 ": %s", id,
			    result.why ? result.why : strerror(-r));
	} else {
		if (rq->local)
			rq->agent->drifted = true;
		reply_ok(&rq->from, result.ids, versions_plan(rq->agent->versions)->version, result.changed);
	}
	bundle_result_done(&result);
	bundle_close(rq->agent->bundles, bundle);
}

static void operate(struct request *rq)
{
	const struct msg_bundle *msg = &rq->msg->bundle;
	struct bundle *bundle = bundle_find(rq->agent->bundles, msg->id);

	if (!bundle) {
		reply_error(&rq->from, ERROR_UNKNOWN,
			    "there is no bundle %" PRIu32
			    " (it may have been committed or discarded, or its time was over)",
			    msg->id);
	} else if (msg->op == BUNDLE_ADD) {
		add(rq, bundle);
	} else if (msg->op == BUNDLE_COMMIT) {
		commit(rq, bundle);
	} else {
		uint64_t n = bundle->n;

		bundle_close(rq->agent->bundles, bundle);
		reply_ok(&rq->from, "", 0, n);
	}
}

void handle_bundle(struct request *rq)
{
	if (rq->msg->bundle.op == BUNDLE_OPEN)
		open_one(rq);
	else
		operate(rq);
	arm(rq->agent);
}

void handle_bundles(struct request *rq)
{
	struct message msg = {.kind = MSG_BUNDLES, .switch_name = rq->agent->config->name};
	struct msg_bundle_item item[BUNDLES_MAX];
	const struct bundle *b;
	size_t n;

	for (n = 0; (b = bundle_at(rq->agent->bundles, n)); n++)
		item[n] = (struct msg_bundle_item){
			.id = b->id,
			.n_members = b->n,
			.n_rows = b->n_rows,
			.bytes = b->bytes,
			.timeout_ms = b->timeout_ms,
			.left_ms = b->due_ms > now_ms() ? b->due_ms - now_ms() : 0,
		};
	msg.bundles.item = item;
	msg.bundles.n = n;
	reply_message(&rq->from, &msg);
}
