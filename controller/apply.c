/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "change.h"
#include "check.h"
#include "fate.h"
#include "placement_diff.h"
#include "sync.h"
#include "work.h"

static void answered(struct known *k, int status, const struct message *reply)
{
	struct change *change = k->work->change;
	const struct deployment *d = &change->deployment;
	size_t index = k->work->index;
	bool remove = change->result[index].step == CHANGE_REMOVE;
	char buf[2048];

	if (status < 0) {
		/* It may have acted before the answer was lost: only a synchronisation tells. */
		sync_later(k);
		change_set_result(change, index, APPLIED_PENDING, work_explain(status, NULL, buf, sizeof(buf)));
	} else if (change->barrier) {
		change_set_result(change, index, reply->kind == MSG_OK ? APPLIED_ACTIVE : APPLIED_REFUSED, "");
	} else if (reply->kind == MSG_OK) {
		if (remove)
			known_drop_outcome(k, d->name);
		else
			known_set_outcome(k, d->name, d->version, NULL);
		change_set_result(change, index, remove ? APPLIED_REMOVED : APPLIED_ACTIVE, reply->ok.text);
	} else if (reply->kind == MSG_ERROR && reply->error.code == ERROR_REFUSED) {
		/* It knows a later version than we ever gave (another store's?): synchronising overrules that. */
		work_add(k, NULL, 0);
		change_set_result(change, index, APPLIED_PENDING, work_explain(0, reply, buf, sizeof(buf)));
	} else {
		work_explain(0, reply, buf, sizeof(buf));
		known_set_outcome(k, d->name, d->version, buf);
		change_set_result(change, index, APPLIED_REFUSED, buf);
	}
	work_done(k);
}

void apply_start(struct known *k)
{
	struct change *change = k->work->change;
	struct change_result *result = &change->result[k->work->index];
	struct message msg = {.switch_name = ""};
	char buf[128];
	int r;

	if (result->step == CHANGE_BARRIER) {
		msg.kind = MSG_BARRIER;
	} else if (result->step == CHANGE_DEPLOY) {
		msg.kind = MSG_DEPLOY;
		msg.deploy = change->deployment;
	} else {
		msg.kind = MSG_REMOVE;
		msg.remove.name = change->deployment.name;
		msg.remove.version = change->deployment.version;
	}
	result->sent_us = monotonic_us();
	r = work_request(k, &msg, answered);
	if (r < 0) {
		sync_later(k);
		change_set_result(change, k->work->index, APPLIED_PENDING, work_explain(r, NULL, buf, sizeof(buf)));
		work_done(k);
	}
}

/* Gives every switch of the change its work; those not connected are pending at once. */
static void start(struct change *change)
{
	size_t n = change->n_results;

	/* One result held back keeps the change alive while work begins and may fail at once. */
	change->n_waiting++;
	for (size_t i = 0; i < n; i++) {
		if (change->result[i].known->peer)
			work_add(change->result[i].known, change, i);
		else
			change_set_result(change, i, APPLIED_PENDING, "");
	}
	change->n_waiting--;
	change_begin(change);
}

/* Reads the deployment of that name; *ret_found tells whether there is one. */
static int read_old(struct controller *c, const char *name, struct deployment_list *ret_list,
		    const struct deployment **ret_old)
{
	int r = store_get_deployments(c->store, name, ret_list);

	if (r == 0)
		*ret_old = ret_list->n ? &ret_list->item[0] : NULL;
	return r;
}

static void refuse_store(struct controller *c, struct peer *user, uint64_t request_id)
{
	log_error("store: %s", store_error(c->store));
	peer_reply_error(user, request_id, ERROR_INTERNAL, "the controller's store failed: %s; nothing was changed",
			 store_error(c->store));
}

/* A copy of 'wanted' with the pattern filled in, checked.  Answers the user if it is wrong. */
static int prepare(struct controller *c, struct peer *user, uint64_t request_id, const struct deployment *wanted,
		   struct deployment *ret_deployment, struct app **ret_app)
{
	struct deployment whole = *wanted;
	_cleanup_free_ char *why = NULL;
	struct app *app = NULL;
	int r;

	r = check_deployment(wanted, &app, &why);
	if (r < 0) {
		peer_reply_error(user, request_id, r == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INVALID, "%s",
				 why ? why : strerror(-r));
		return r;
	}
	if (!whole.switches[0])
		whole.switches = "*";
	r = deployment_copy(&whole, ret_deployment);
	if (r < 0) {
		app_free(app);
		peer_reply_error(user, request_id, ERROR_NO_MEMORY, "the controller has no memory left");
		return r;
	}
	*ret_app = app;
	return 0;
}

/* What becomes different, as lines; NULL without memory or when nothing can be said. */
static char *describe(const struct deployment *old, const struct deployment *new_, const struct app *new_app,
		      bool *ret_same)
{
	_cleanup_free_ char *lines = NULL, *why = NULL, *places = NULL;
	struct app *old_app = NULL;
	bool same = true, same_place;
	char *text;

	places = placement_diff(old, new_, &same_place);
	if (check_app(old, &old_app, &why) == 0) {
		lines = app_diff(old_app, new_app, &same);
		app_free(old_app);
	} else {
		same = false;
	}
	*ret_same = same && same_place;
	if (asprintf(&text, "%s%s%s", places ? places : "", places && places[0] && lines && lines[0] ? "\n" : "",
		     lines ? lines : "the old text is not understood by this version") < 0)
		return NULL;
	return text;
}

static bool concerns(const struct deployment *deployment, const struct known *k)
{
	return deployment && fnmatch(deployment->switches, k->name, 0) == 0;
}

/* Adds those that run it, and those that no longer shall. */
static void add_switches(struct change *change, const struct deployment *old, const struct deployment *new_)
{
	for (size_t i = 0; i < change->c->n_known; i++) {
		struct known *k = change->c->known[i];

		if (concerns(new_, k))
			change_add(change, k, CHANGE_DEPLOY);
		else if (concerns(old, k))
			change_add(change, k, CHANGE_REMOVE);
	}
}

/* Stores and sends; 'deployment' is taken. */
static void commit(struct controller *c, struct peer *user, uint64_t request_id, const struct deployment *old,
		   struct deployment *deployment, const struct app *app)
{
	struct change *change = change_new(c, user, request_id);
	bool same = false;

	if (!change) {
		peer_reply_error(user, request_id, ERROR_NO_MEMORY, "the controller has no memory left");
		deployment_done(deployment);
		return;
	}
	change->deployment = *deployment;
	deployment = &change->deployment;
	if (old)
		change->text = describe(old, deployment, app, &same);
	if (old && deployment_equal(old, deployment)) {
		deployment->version = old->version;
	} else if (store_put_deployment(c->store, deployment, &deployment->version) < 0) {
		refuse_store(c, user, request_id);
		change_free(change);
		return;
	}
	log_info("deployment %s %llu on '%s'", deployment->name, (unsigned long long)deployment->version,
		 deployment->switches);
	add_switches(change, old, deployment);
	start(change);
}

void apply_load(struct controller *c, struct peer *user, uint64_t request_id, const struct deployment *wanted)
{
	struct deployment deployment = {};
	struct deployment_list list = {};
	const struct deployment *old = NULL;
	struct app *app = NULL;

	if (prepare(c, user, request_id, wanted, &deployment, &app) < 0)
		return;
	if (read_old(c, deployment.name, &list, &old) < 0) {
		refuse_store(c, user, request_id);
	} else if (wanted->version && (!old || old->version != wanted->version)) {
		peer_reply_error(
			user, request_id, ERROR_REFUSED,
			"%s %llu, which this change is based on, is no longer what is desired (%s); look again",
			deployment.name, (unsigned long long)wanted->version,
			old ? "there is a newer one" : "it was removed");
	} else {
		commit(c, user, request_id, old, &deployment, app);
		memset(&deployment, 0, sizeof(deployment));
	}
	deployment_done(&deployment);
	deployment_list_done(&list);
	app_free(app);
}

void apply_remove(struct controller *c, struct peer *user, uint64_t request_id, const char *name)
{
	struct deployment_list list = {};
	const struct deployment *old = NULL;
	struct change *change = NULL;
	int r;

	r = read_old(c, name, &list, &old);
	if (r == 0 && (!name[0] || !old)) {
		peer_reply_error(user, request_id, ERROR_UNKNOWN, "there is no deployment \"%s\"", name);
	} else if (r < 0) {
		refuse_store(c, user, request_id);
	} else if (!(change = change_new(c, user, request_id)) || deployment_copy(old, &change->deployment) < 0) {
		peer_reply_error(user, request_id, ERROR_NO_MEMORY, "the controller has no memory left");
		change_free(change);
	} else if (store_remove_deployment(c->store, name, &change->deployment.version) < 0) {
		refuse_store(c, user, request_id);
		change_free(change);
	} else {
		log_info("deployment %s removed by version %llu", name, (unsigned long long)change->deployment.version);
		add_switches(change, old, NULL);
		start(change);
	}
	deployment_list_done(&list);
}

void apply_diff(struct controller *c, struct peer *user, uint64_t request_id, const struct deployment *wanted)
{
	struct deployment deployment = {};
	struct deployment_list list = {};
	const struct deployment *old = NULL;
	_cleanup_free_ char *text = NULL;
	struct app *app = NULL;
	bool same = false;

	if (prepare(c, user, request_id, wanted, &deployment, &app) < 0)
		return;
	if (read_old(c, deployment.name, &list, &old) < 0) {
		refuse_store(c, user, request_id);
	} else if (!old) {
		peer_reply_error(user, request_id, ERROR_UNKNOWN, "there is no deployment \"%s\"", deployment.name);
	} else {
		text = describe(old, &deployment, app, &same);
		fate_ask(c, user, request_id, old, &deployment,
			 &(struct fate_answer){text ? text : "", old->version, !same});
	}
	deployment_done(&deployment);
	deployment_list_done(&list);
	app_free(app);
}

void apply_barrier(struct controller *c, struct peer *user, uint64_t request_id, struct known *only)
{
	struct change *change = change_new(c, user, request_id);

	if (!change) {
		peer_reply_error(user, request_id, ERROR_NO_MEMORY, "the controller has no memory left");
		return;
	}
	change->barrier = true;
	for (size_t i = 0; i < c->n_known; i++)
		if (!only || c->known[i] == only)
			change_add(change, c->known[i], CHANGE_BARRIER);
	start(change);
}
