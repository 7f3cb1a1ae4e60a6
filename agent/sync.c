/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "agent.h"

struct sync {
	uint64_t peer;
	struct message *wanted; /* SYNC_BEGIN. */
	struct message *got[DEPLOYMENTS_MAX];
	size_t n;
};

uint64_t sync_peer(const struct sync *sync)
{
	return sync->peer;
}

void sync_free(struct sync *sync)
{
	if (!sync)
		return;
	message_free(sync->wanted);
	for (size_t i = 0; i < sync->n; i++)
		message_free(sync->got[i]);
	free(sync);
}

static void answer_need(struct sync *sync, const struct request *rq)
{
	const struct desired *desired = versions_plan(rq->agent->versions)->desired;
	const struct msg_sync *list = &sync->wanted->sync;
	_cleanup_free_ struct msg_digest *need = calloc(list->n + 1, sizeof(*need));
	struct message msg = {.kind = MSG_SYNC_NEED, .switch_name = ""};

	if (!need) {
		reply_error(&rq->from, ERROR_NO_MEMORY, "no memory");
		return;
	}
	for (size_t i = 0; i < list->n; i++) {
		const struct held *held = desired_find(desired, list->item[i].name);

		if (!held || held_digest(held) != list->item[i].digest ||
		    held_get(held)->version != list->item[i].version)
			need[msg.sync.n++] = list->item[i];
	}
	msg.sync.item = need;
	log_info("synchronisation: %zu deployment%s, %zu of them needed", list->n, list->n == 1 ? "" : "s", msg.sync.n);
	reply_message(&rq->from, &msg);
}

struct sync *sync_new(struct request *rq)
{
	struct sync *sync = calloc(1, sizeof(*sync));

	if (!sync || message_copy(rq->msg, &sync->wanted) < 0) {
		free(sync);
		reply_error(&rq->from, ERROR_NO_MEMORY, "no memory");
		return NULL;
	}
	sync->peer = rq->from.peer;
	answer_need(sync, rq);
	return sync;
}

static bool is_wanted(const struct msg_sync *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->item[i].name, name))
			return true;
	return false;
}

/* What the switch would run: what it has, without leftovers, with what came.  *ret_changed: it differs. */
static int make_desired(const struct sync *sync, const struct msg_sync *list, const struct desired *have,
			struct desired **ret_desired, bool *ret_changed)
{
	struct desired *desired = desired_copy(have);
	int r = desired ? 0 : -ENOMEM;

	*ret_changed = false;
	for (size_t i = 0; r >= 0 && i < have->n; i++) {
		const struct deployment *deployment = held_get(have->item[i]);

		if (is_wanted(list, deployment->name))
			continue;
		r = desired_remove(desired, deployment->name, 0);
		*ret_changed = true;
	}
	for (size_t i = 0; r >= 0 && i < sync->n; i++) {
		r = desired_put(desired, &sync->got[i]->deploy, true);
		*ret_changed |= r == DESIRED_CHANGED;
	}
	if (r < 0) {
		desired_free(desired);
		return r;
	}
	*ret_desired = desired;
	return 0;
}

void sync_deploy(struct sync *sync, struct request *rq)
{
	struct versions *versions = rq->agent->versions;
	_cleanup_free_ char *text = NULL;
	struct desired *desired;
	struct plan *plan;
	bool changed;
	int r;

	if (sync->n == DEPLOYMENTS_MAX || message_copy(rq->msg, &sync->got[sync->n]) < 0) {
		reply_error(&rq->from, ERROR_NO_MEMORY, "no room for another deployment");
		return;
	}
	sync->n++;
	r = make_desired(sync, &sync->wanted->sync, versions_plan(versions)->desired, &desired, &changed);
	if (r == 0)
		r = versions_try(versions, desired, &plan, &text);
	if (r < 0) {
		message_free(sync->got[--sync->n]);
		log_warn("%s: refused: %s", rq->msg->deploy.name, text ? text : strerror(-r));
		reply_error(&rq->from, r == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INVALID, "%s",
			    text ? text : strerror(-r));
		return;
	}
	plan_free(plan);
	reply_ok(&rq->from, "", rq->msg->deploy.version, 0);
}

void sync_end(struct sync *sync, struct request *rq)
{
	struct versions *versions = rq->agent->versions;
	_cleanup_free_ char *text = NULL;
	struct desired *desired;
	bool changed;
	int r;

	r = make_desired(sync, &rq->msg->sync, versions_plan(versions)->desired, &desired, &changed);
	if (r == 0 && changed)
		r = versions_apply(versions, desired, &text);
	else if (r == 0)
		desired_free(desired);
	if (r < 0) {
		reply_error(&rq->from, r == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INVALID, "%s",
			    text ? text : strerror(-r));
		return;
	}
	rq->agent->drifted = false;
	if (changed)
		agent_version_changed(rq->agent, "synchronised");
	reply_ok(&rq->from, text ? text : "", versions_plan(versions)->version, 0);
}
