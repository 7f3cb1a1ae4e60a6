/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "changes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "agent.h"
#include "describe.h"
#include "sync.h"
#include "why.h"

enum { PENDING_MAX = 256 };

struct item {
	struct asker from;
	struct message *msg; /* DEPLOY, REMOVE, BARRIER; owned. */
	bool local;	     /* Of a user of this host. */
	bool done;	     /* Answered. */
};

struct changes {
	struct agent *agent;
	struct item item[PENDING_MAX];
	unsigned n;
	ev_timer run;
	struct sync *sync; /* NULL: none under way. */
};

/* ---- answers ---- */

static enum error_code code_of(int r)
{
	return r == -ENOMEM		      ? ERROR_NO_MEMORY
	       : r == -EINVAL || r == -ENOSPC ? ERROR_INVALID
	       : r == -ESTALE		      ? ERROR_REFUSED
	       : r == -EBUSY		      ? ERROR_BUSY
					      : ERROR_INTERNAL;
}

static const char *name_of(const struct message *msg)
{
	return msg->kind == MSG_REMOVE ? msg->remove.name : msg->deploy.name;
}

static void refuse(struct changes *changes, struct item *item, int r, const char *text)
{
	uint64_t known = desired_version(versions_plan(changes->agent->versions)->desired, name_of(item->msg));

	if (r == -ESTALE)
		reply_error(&item->from, ERROR_REFUSED, "%s: this switch has version %" PRIu64 " already",
			    name_of(item->msg), known);
	else
		reply_error(&item->from, code_of(r), "%s", text ? text : strerror(-r));
	log_warn("%s: refused: %s", name_of(item->msg), r == -ESTALE ? "an older version" : text ? text : strerror(-r));
	item->done = true;
}

static void accept_item(struct changes *changes, struct item *item, const char *text)
{
	const struct desired *desired = versions_plan(changes->agent->versions)->desired;
	uint64_t version = item->msg->kind == MSG_BARRIER ? 0 : desired_version(desired, name_of(item->msg));

	if (item->local && item->msg->kind != MSG_BARRIER)
		changes->agent->drifted = true;
	reply_ok(&item->from, text, version, 0);
	item->done = true;
}

/* ---- a batch ---- */

/* Puts one change into 'desired'.  Returns what desired_put() does; BARRIER changes nothing. */
static int put(struct desired *desired, const struct message *msg)
{
	if (msg->kind == MSG_DEPLOY)
		return desired_put(desired, &msg->deploy, false);
	if (msg->kind == MSG_REMOVE)
		return desired_remove(desired, msg->remove.name, msg->remove.version);
	return DESIRED_SAME;
}

/* Applies items first..first+n-1 as one version; refuses those that cannot even be put.  On failure
 * none is in effect, and those not answered yet share '*ret_text'. */
static int apply_some(struct changes *changes, unsigned first, unsigned n, char **ret_text)
{
	struct versions *versions = changes->agent->versions;
	struct desired *desired = desired_copy(versions_plan(versions)->desired);
	bool changed = false;
	int r;

	if (!desired)
		return -ENOMEM;
	for (unsigned i = first; i < first + n; i++) {
		r = put(desired, changes->item[i].msg);
		if (r < 0)
			refuse(changes, &changes->item[i], r, NULL);
		changed |= r == DESIRED_CHANGED;
	}
	if (!changed) {
		desired_free(desired);
		return 0;
	}
	r = versions_apply(versions, desired, ret_text);
	if (r == 0)
		agent_version_changed(changes->agent, name_of(changes->item[first].msg));
	return r;
}

static void answer_all(struct changes *changes, unsigned first, unsigned n, const char *notes)
{
	for (unsigned i = first; i < first + n; i++)
		if (!changes->item[i].done)
			accept_item(changes, &changes->item[i], notes ? notes : "");
}

static void run(struct changes *changes)
{
	_cleanup_free_ char *text = NULL;
	unsigned n = changes->n;
	int r;

	changes->n = 0;
	r = apply_some(changes, 0, n, &text);
	if (r == 0) {
		answer_all(changes, 0, n, text);
	} else {
		for (unsigned i = 0; i < n; i++) {
			_cleanup_free_ char *one = NULL;

			if (changes->item[i].done)
				continue;
			r = n == 1 ? r : apply_some(changes, i, 1, &one);
			if (r == 0)
				answer_all(changes, i, 1, one);
			else if (!changes->item[i].done)
				refuse(changes, &changes->item[i], r, n == 1 ? text : one);
		}
	}
	for (unsigned i = 0; i < n; i++) {
		message_free(changes->item[i].msg);
		changes->item[i] = (struct item){};
	}
}

static void on_run(struct ev_loop *loop, ev_timer *timer, int events)
{
	run(timer->data);
}

static void add(struct request *rq)
{
	struct changes *changes = rq->agent->changes;
	struct item *item = &changes->item[changes->n];

	if (changes->n == PENDING_MAX) {
		reply_error(&rq->from, ERROR_BUSY, "%d changes wait already", PENDING_MAX);
		return;
	}
	*item = (struct item){.from = rq->from, .local = rq->local};
	if (message_copy(rq->msg, &item->msg) < 0) {
		reply_error(&rq->from, ERROR_NO_MEMORY, "no memory");
		return;
	}
	changes->n++;
	/* Not at once: what else has arrived shall be in the same version. */
	if (!ev_is_active(&changes->run)) {
		ev_timer_set(&changes->run, 0.0, 0.0);
		ev_timer_start(rq->agent->loop, &changes->run);
	}
}

/* ---- handlers ---- */

void changes_deploy(struct request *rq)
{
	struct changes *changes = rq->agent->changes;

	if (!rq->msg->deploy.name[0])
		reply_error(&rq->from, ERROR_INVALID, "a deployment needs a name");
	else if (changes->sync && sync_peer(changes->sync) == rq->from.peer)
		sync_deploy(changes->sync, rq);
	else
		add(rq);
}

void changes_remove(struct request *rq)
{
	if (rq->local && !desired_find(versions_plan(rq->agent->versions)->desired, rq->msg->remove.name))
		reply_error(&rq->from, ERROR_UNKNOWN, "there is no deployment \"%s\"", rq->msg->remove.name);
	else
		add(rq);
}

void changes_barrier(struct request *rq)
{
	if (rq->agent->changes->n)
		add(rq);
	else
		reply_ok(&rq->from, "", 0, 0);
}

void changes_diff(struct request *rq)
{
	const struct plan *plan = versions_plan(rq->agent->versions);
	struct desired *desired = desired_copy(plan->desired);
	_cleanup_free_ char *text = NULL;
	struct plan *made;
	int r;

	if (!desired || desired_put(desired, &rq->msg->deploy, true) < 0) {
		desired_free(desired);
		reply_error(&rq->from, ERROR_INVALID, "the deployment is not accepted");
		return;
	}
	r = versions_try(rq->agent->versions, desired, &made, &text);
	if (r < 0) {
		reply_error(&rq->from, code_of(r), "%s", text ? text : strerror(-r));
		return;
	}
	describe_change(rq, plan, made);
	plan_free(made);
}

void changes_sync_begin(struct request *rq)
{
	struct changes *changes = rq->agent->changes;

	if (changes->n) {
		ev_timer_stop(rq->agent->loop, &changes->run);
		run(changes);
	}
	sync_free(changes->sync);
	changes->sync = sync_new(rq);
}

void changes_sync_end(struct request *rq)
{
	struct changes *changes = rq->agent->changes;
	struct sync *sync = changes->sync;

	if (!sync || sync_peer(sync) != rq->from.peer) {
		reply_error(&rq->from, ERROR_REFUSED, "no synchronisation was begun");
		return;
	}
	if (changes->n) {
		ev_timer_stop(rq->agent->loop, &changes->run);
		run(changes);
	}
	changes->sync = NULL;
	sync_end(sync, rq);
	sync_free(sync);
}

/* ---- the whole ---- */

struct changes *changes_new(struct agent *agent)
{
	struct changes *changes = calloc(1, sizeof(*changes));

	if (!changes)
		return NULL;
	changes->agent = agent;
	ev_timer_init(&changes->run, on_run, 0.0, 0.0);
	changes->run.data = changes;
	return changes;
}

void changes_free(struct changes *changes)
{
	if (!changes)
		return;
	ev_timer_stop(changes->agent->loop, &changes->run);
	for (unsigned i = 0; i < changes->n; i++)
		message_free(changes->item[i].msg);
	sync_free(changes->sync);
	free(changes);
}

unsigned changes_pending(const struct changes *changes)
{
	return changes ? changes->n : 0;
}

void changes_peer_gone(struct changes *changes, uint64_t peer)
{
	if (changes && changes->sync && sync_peer(changes->sync) == peer) {
		sync_free(changes->sync);
		changes->sync = NULL;
	}
}
