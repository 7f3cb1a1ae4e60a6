/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/log.h"
#include "entries.h"
#include "relay.h"
#include "work.h"

static const double AGAIN_S = 5.0;

static void again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct known *k = timer->data;

	if (k->peer)
		work_add(k, NULL, 0);
}

void sync_init(struct known *k)
{
	ev_timer_init(&k->again, again, AGAIN_S, 0.0);
	k->again.data = k;
}

/* Forgets the synchronisation under way. */
static void clear(struct known *k)
{
	deployment_list_done(&k->sync);
	free(k->needed);
	k->needed = NULL;
	k->next_needed = 0;
}

void sync_lost(struct known *k)
{
	ev_timer_stop(k->c->loop, &k->again);
	clear(k);
}

void sync_done(struct known *k)
{
	sync_lost(k);
	free(k->sync_problem);
	k->sync_problem = NULL;
}

void sync_later(struct known *k)
{
	if (k->peer && !ev_is_active(&k->again)) {
		ev_timer_set(&k->again, AGAIN_S, 0.0);
		ev_timer_start(k->c->loop, &k->again);
	}
}

/* What this switch should run. */
static int read_desired(struct known *k, struct deployment_list *ret_list)
{
	struct deployment_list all, list = {};
	int r;

	r = store_get_deployments(k->c->store, NULL, &all);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all.n && r == 0; i++)
		if (fnmatch(all.item[i].switches, k->name, 0) == 0)
			r = deployment_list_take(&list, &all.item[i]);
	deployment_list_done(&all);
	if (r < 0) {
		deployment_list_done(&list);
		return r;
	}
	*ret_list = list;
	return 0;
}

void sync_connected(struct known *k, uint64_t state_digest)
{
	struct deployment_list list;
	uint64_t desired = 0;

	if (read_desired(k, &list) == 0) {
		for (size_t i = 0; i < list.n; i++)
			desired = state_digest_add(desired, deployment_digest(&list.item[i]));
		for (size_t i = 0; i < list.n && desired == state_digest; i++)
			known_set_outcome(k, list.item[i].name, list.item[i].version, NULL);
		deployment_list_done(&list);
		if (desired == state_digest && !entries_has(k)) {
			log_info("switch %s: has the desired state", k->name);
			return;
		}
	}
	work_add(k, NULL, 0);
}

/* Ends the synchronisation; 'problem' NULL: well. */
static void finish(struct known *k, const char *problem)
{
	free(k->sync_problem);
	k->sync_problem = problem ? strdup(problem) : NULL;
	if (problem)
		log_warn("switch %s: not synchronised: %s", k->name, problem);
	else
		log_info("switch %s: synchronised, %zu deployment%s", k->name, k->sync.n, k->sync.n == 1 ? "" : "s");
	relay_own(k->c, "deployment", k->name, "", problem ? problem : "synchronised");
	clear(k);
	work_done(k);
}

/* The connection failed, not the switch. */
static void give_up(struct known *k, int status)
{
	char buf[256];

	sync_later(k);
	finish(k, work_explain(status, NULL, buf, sizeof(buf)));
}

static void end_answered(struct known *k, int status, const struct message *reply)
{
	char buf[512];

	if (status < 0) {
		give_up(k, status);
		return;
	}
	if (reply->kind != MSG_OK) {
		work_explain(0, reply, buf, sizeof(buf));
		for (size_t i = 0; i < k->sync.n; i++)
			if (k->needed[i])
				known_set_outcome(k, k->sync.item[i].name, k->sync.item[i].version, buf);
		/* Each of them was accepted, so it is the switch that lacks something: room on its disk, memory,
		 * a port.  Leftovers are still there, so one later change that succeeds is not enough. */
		sync_later(k);
		finish(k, buf);
		return;
	}
	entries_send(k, finish);
}

/* A message with the names, versions and digests of all that is desired. */
static int send_list(struct known *k, enum message_kind kind, work_reply_fn fn)
{
	struct msg_digest *item = calloc(k->sync.n + 1, sizeof(*item));
	struct message msg = {.kind = kind, .switch_name = "", .sync = {.item = item, .n = k->sync.n}};
	int r;

	if (!item)
		return -ENOMEM;
	for (size_t i = 0; i < k->sync.n; i++) {
		const struct deployment *d = &k->sync.item[i];

		item[i] = (struct msg_digest){.name = d->name, .version = d->version, .digest = deployment_digest(d)};
	}
	r = work_request(k, &msg, fn);
	free(item);
	return r;
}

static void send_next(struct known *k);

static void deploy_answered(struct known *k, int status, const struct message *reply)
{
	const struct deployment *d = &k->sync.item[k->next_needed - 1];
	char buf[512];

	if (status < 0) {
		give_up(k, status);
		return;
	}
	known_set_outcome(k, d->name, d->version,
			  reply->kind == MSG_OK ? NULL : work_explain(0, reply, buf, sizeof(buf)));
	if (reply->kind != MSG_OK) {
		k->needed[k->next_needed - 1] = false;
		log_warn("switch %s: refuses %s %llu: %s", k->name, d->name, (unsigned long long)d->version, buf);
	}
	send_next(k);
}

/* Sends the next deployment that the switch needs, after the last one the end. */
static void send_next(struct known *k)
{
	int r;

	while (k->next_needed < k->sync.n && !k->needed[k->next_needed])
		k->next_needed++;
	if (k->next_needed < k->sync.n) {
		struct message msg = {.kind = MSG_DEPLOY, .switch_name = "", .deploy = k->sync.item[k->next_needed++]};

		r = work_request(k, &msg, deploy_answered);
	} else {
		r = send_list(k, MSG_SYNC_END, end_answered);
	}
	if (r < 0)
		give_up(k, r);
}

static void begin_answered(struct known *k, int status, const struct message *reply)
{
	char buf[256];

	if (status < 0) {
		give_up(k, status);
		return;
	}
	if (reply->kind != MSG_SYNC_NEED) {
		finish(k, work_explain(0, reply, buf, sizeof(buf)));
		return;
	}
	for (size_t i = 0; i < k->sync.n; i++)
		known_set_outcome(k, k->sync.item[i].name, k->sync.item[i].version, NULL);
	for (size_t i = 0; i < reply->sync.n; i++) {
		const struct deployment *d = deployment_list_find(&k->sync, reply->sync.item[i].name);

		if (d)
			k->needed[d - k->sync.item] = true;
	}
	send_next(k);
}

void sync_start(struct known *k)
{
	int r;

	ev_timer_stop(k->c->loop, &k->again);
	clear(k);
	r = read_desired(k, &k->sync);
	if (r == 0) {
		k->needed = calloc(k->sync.n + 1, sizeof(*k->needed));
		r = k->needed ? send_list(k, MSG_SYNC_BEGIN, begin_answered) : -ENOMEM;
	}
	if (r < 0)
		give_up(k, r);
}
