/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/cleanup.h"
#include "apply.h"
#include "bundles.h"
#include "entries.h"
#include "gather.h"
#include "journal.h"
#include "relay.h"
#include "rights.h"
#include "work.h"

/* A request on its way to a switch. */
struct forward {
	struct controller *c;
	uint64_t user, request_id;
	char *switch_name;
	struct message *request; /* To be remembered once it is accepted; NULL: not to be. */
};

static void forward_free(struct forward *forward)
{
	free(forward->switch_name);
	message_free(forward->request);
	free(forward);
}

/* 0, or what the store says. */
static int remember(const struct forward *forward, const struct message *reply)
{
	if (forward->request->kind == MSG_BUNDLE)
		return bundles_answered(forward->c, forward->switch_name, forward->request, reply);
	return reply->kind == MSG_OK ? entries_accepted(forward->c, forward->switch_name, forward->request, reply) : 0;
}

static void forward_answered(void *data, int status, const struct message *reply)
{
	struct forward *forward = data;
	struct peer *user = peer_find(forward->c->users, forward->user);
	char why[256];

	if (status == 0 && forward->request && remember(forward, reply) < 0) {
		if (user)
			peer_reply_error(user, forward->request_id, ERROR_INTERNAL,
					 "switch %s has the entries, but the store failed: %s", forward->switch_name,
					 store_error(forward->c->store));
	} else if (user && status == 0)
		peer_reply(user, forward->request_id, reply);
	else if (user)
		peer_reply_error(user, forward->request_id, ERROR_NO_SWITCH, "switch %s: %s", forward->switch_name,
				 work_explain(status, NULL, why, sizeof(why)));
	forward_free(forward);
}

static void pass_on(struct controller *c, struct peer *user, const struct message *request, struct known *k)
{
	struct forward *forward = calloc(1, sizeof(*forward));
	struct message copy = *request;
	int r = -ENOMEM;

	copy.id = copy.reply_to = 0;
	copy.switch_name = "";
	if (forward) {
		*forward = (struct forward){
			.c = c, .user = peer_id(user), .request_id = request->id, .switch_name = strdup(k->name)};
		r = forward->switch_name ? 0 : -ENOMEM;
		if (r == 0 && (request->kind == MSG_ENTRIES || request->kind == MSG_BUNDLE))
			r = message_copy(request, &forward->request);
		if (r == 0)
			r = peer_request(known_peer(k), &copy, SWITCH_TIMEOUT_MS, forward_answered, forward);
	}
	if (r == 0)
		return;
	if (forward)
		forward_free(forward);
	peer_reply_error(user, request->id, r == -EAGAIN ? ERROR_BUSY : ERROR_INTERNAL, "switch %s: %s", k->name,
			 r == -EAGAIN ? "too many requests are waiting for it" : strerror(-r));
}

/* "a, b, c" of the switches that are connected, or of all; the caller frees. */
static char *names(const struct controller *c, bool connected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const char *between = "";

	if (!out)
		return NULL;
	for (size_t i = 0; i < c->n_known; i++) {
		if (connected && !c->known[i]->peer)
			continue;
		fprintf(out, "%s%s", between, c->known[i]->name);
		between = ", ";
	}
	fclose(out);
	return text;
}

static void refuse_absent(struct peer *user, uint64_t request_id, const struct known *k)
{
	time_t since = k->since_ms / 1000;
	char when[32];
	struct tm tm;

	strftime(when, sizeof(when), "%F %T", localtime_r(&since, &tm));
	peer_reply_error(user, request_id, ERROR_NO_SWITCH, "switch %s is not connected since %s", k->name, when);
}

/* The only connected switch; if there are none or several the user is told. */
static struct known *find_only(struct controller *c, struct peer *user, uint64_t request_id)
{
	_cleanup_free_ char *list = NULL;
	struct known *only = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->n_known; i++)
		if (c->known[i]->peer) {
			only = c->known[i];
			n++;
		}
	if (n == 1)
		return only;
	list = names(c, n > 0);
	if (n > 1)
		peer_reply_error(user, request_id, ERROR_INVALID, "which switch? connected are %s; say --switch NAME",
				 list);
	else if (c->n_known)
		peer_reply_error(user, request_id, ERROR_NO_SWITCH, "no switch is connected (known are %s)", list);
	else
		peer_reply_error(user, request_id, ERROR_NO_SWITCH, "no switch has connected to this controller yet");
	return NULL;
}

static void refuse_unknown(struct controller *c, struct peer *user, const struct message *request)
{
	_cleanup_free_ char *list = names(c, false);

	peer_reply_error(user, request->id, ERROR_UNKNOWN, "there is no switch \"%s\"%s%s", request->switch_name,
			 list && list[0] ? "; known are " : "; none has connected yet", list ? list : "");
}

/* The switch that 'request' means, connected; otherwise the user is told and NULL is returned. */
static struct known *find_switch(struct controller *c, struct peer *user, const struct message *request)
{
	struct known *k;

	if (!request->switch_name[0])
		return find_only(c, user, request->id);
	k = known_find(c, request->switch_name);
	if (k && known_peer(k))
		return k;
	if (k) {
		refuse_absent(user, request->id, k);
		return NULL;
	}
	refuse_unknown(c, user, request);
	return NULL;
}

static void handle_pass_on(struct controller *c, struct peer *user, const struct message *request)
{
	struct known *k = find_switch(c, user, request);

	if (k)
		pass_on(c, user, request, k);
}

static void handle_bundle(struct controller *c, struct peer *user, const struct message *request)
{
	struct known *k = find_switch(c, user, request);
	enum error_code code;
	char why[256] = "";

	if (!k)
		return;
	code = bundles_check(c, k->name, request, why);
	if (code != ERROR_NONE)
		peer_reply_error(user, request->id, code, "%s", why);
	else
		pass_on(c, user, request, k);
}

static void handle_deploy(struct controller *c, struct peer *user, const struct message *request)
{
	apply_load(c, user, request->id, &request->deploy);
}

static void handle_remove(struct controller *c, struct peer *user, const struct message *request)
{
	apply_remove(c, user, request->id, request->remove.name);
}

static void handle_diff(struct controller *c, struct peer *user, const struct message *request)
{
	apply_diff(c, user, request->id, &request->deploy);
}

/* Desired state; of one switch what runs there. */
static void handle_get_deployments(struct controller *c, struct peer *user, const struct message *request)
{
	struct message reply = {.kind = MSG_DEPLOYMENTS, .switch_name = ""};
	struct deployment_list list;

	if (request->switch_name[0]) {
		handle_pass_on(c, user, request);
		return;
	}
	if (store_get_deployments(c->store, request->get.filter, &list) < 0) {
		peer_reply_error(user, request->id, ERROR_INTERNAL, "the store failed: %s", store_error(c->store));
		return;
	}
	reply.deployments.item = list.item;
	reply.deployments.n = list.n;
	if (peer_reply(user, request->id, &reply) == -EMSGSIZE) {
		/* Too much for one message: the list is still right without the texts. */
		for (size_t i = 0; i < list.n; i++) {
			free((char *)list.item[i].text);
			list.item[i].text = NULL;
		}
		peer_reply(user, request->id, &reply);
	}
	deployment_list_done(&list);
}

static bool fits(const struct message *msg)
{
	uint8_t *bytes = NULL;
	size_t size;
	int r = message_pack(msg, &bytes, &size);

	free(bytes);
	return r == 0;
}

static void handle_get_past(struct controller *c, struct peer *user, const struct message *request)
{
	struct message reply = {.kind = MSG_DEPLOYMENTS, .switch_name = ""};
	struct deployment_list list;

	if (store_get_past(c->store, request->get.filter, &list) < 0) {
		peer_reply_error(user, request->id, ERROR_INTERNAL, "the store failed: %s", store_error(c->store));
		return;
	}
	reply.deployments.item = list.item;
	reply.deployments.n = list.n;
	/* Where that is too much for one message the older ones stay out. */
	while (reply.deployments.n && !fits(&reply))
		reply.deployments.n--;
	peer_reply(user, request->id, &reply);
	deployment_list_done(&list);
}

struct log_list {
	struct msg_log_item *item;
	size_t n;
};

static int add_log_row(void *data, const struct log_row *row)
{
	struct log_list *list = data;
	struct msg_log_item *item = &list->item[list->n];

	*item = (struct msg_log_item){row->id, row->time_ms, strdup(row->who), strdup(row->what), strdup(row->result)};
	list->n++;
	return item->who && item->what && item->result ? 0 : -ENOMEM;
}

static void handle_get_log(struct controller *c, struct peer *user, const struct message *request)
{
	struct message reply = {.kind = MSG_LOG, .switch_name = ""};
	unsigned max = request->get_log.max ? request->get_log.max : LOG_ITEMS_MAX;
	struct log_list list = {.item = calloc(max, sizeof(*list.item))};
	int r = list.item ? store_each_log(c->store, max, add_log_row, &list) : -ENOMEM;

	reply.log.item = list.item;
	reply.log.n = list.n;
	if (r < 0)
		peer_reply_error(user, request->id, ERROR_INTERNAL, "the log cannot be read: %s", strerror(-r));
	else
		peer_reply(user, request->id, &reply);
	for (size_t i = 0; i < list.n; i++) {
		free((char *)list.item[i].who);
		free((char *)list.item[i].what);
		free((char *)list.item[i].result);
	}
	free(list.item);
}

static bool is_path(struct peer *user, const struct message *request)
{
	if (request->get.filter[0] == '/')
		return true;
	peer_reply_error(user, request->id, ERROR_INVALID,
			 "expected a path on the controller's host that begins with /");
	return false;
}

static void handle_backup(struct controller *c, struct peer *user, const struct message *request)
{
	if (!is_path(user, request))
		return;
	if (store_backup(c->store, request->get.filter) < 0)
		peer_reply_error(user, request->id, ERROR_INVALID, "%s: %s", request->get.filter,
				 store_error(c->store));
	else
		peer_reply_ok(user, request->id, "", 0, 0);
}

/* Every switch that is connected is brought to it; the others when they come. */
static void handle_restore(struct controller *c, struct peer *user, const struct message *request)
{
	if (!is_path(user, request))
		return;
	if (store_restore(c->store, request->get.filter) < 0) {
		peer_reply_error(user, request->id, ERROR_INVALID, "%s: %s; nothing was changed", request->get.filter,
				 store_error(c->store));
		return;
	}
	log_warn("desired state is restored from %s", request->get.filter);
	for (size_t i = 0; i < c->n_known; i++)
		if (c->known[i]->peer)
			work_add(c->known[i], NULL, 0);
	peer_reply_ok(user, request->id, "", 0, 0);
}

static void handle_get_switches(struct controller *c, struct peer *user, const struct message *request)
{
	gather_all(c, user, request->id);
}

static void handle_get_switch(struct controller *c, struct peer *user, const struct message *request)
{
	struct known *k = request->switch_name[0] ? known_find(c, request->switch_name) : NULL;

	if (!k)
		k = find_switch(c, user, request);
	if (k)
		gather_one(c, user, request->id, k);
}

static void handle_forget_switch(struct controller *c, struct peer *user, const struct message *request)
{
	struct known *k = known_find(c, request->switch_name);
	int r;

	if (!k) {
		refuse_unknown(c, user, request);
	} else if (known_peer(k)) {
		peer_reply_error(user, request->id, ERROR_BUSY, "switch %s is connected: stop its agent first",
				 k->name);
	} else {
		r = known_forget(k);
		if (r < 0)
			peer_reply_error(user, request->id, ERROR_INTERNAL, "cannot be taken out of the store: %s",
					 store_error(c->store));
		else
			peer_reply_ok(user, request->id, "", 0, 1);
	}
}

static void handle_subscribe(struct controller *c, struct peer *user, const struct message *request)
{
	int r = relay_subscribe(c, user, request->switch_name, request->subscribe.kinds, request->subscribe.off);

	if (r < 0)
		peer_reply_error(user, request->id, ERROR_NO_MEMORY, "no room for another subscriber");
	else
		peer_reply_ok(user, request->id, "", 0, 0);
}

/* Behind everything asked before, on one switch or on all. */
static void handle_barrier(struct controller *c, struct peer *user, const struct message *request)
{
	struct known *k = request->switch_name[0] ? find_switch(c, user, request) : NULL;

	if (k || !request->switch_name[0])
		apply_barrier(c, user, request->id, k);
}

typedef void (*handler_fn)(struct controller *c, struct peer *user, const struct message *request);

static const handler_fn handlers[MSG_KIND_MAX] = {
	[MSG_BARRIER] = handle_barrier,
	[MSG_DEPLOY] = handle_deploy,
	[MSG_REMOVE] = handle_remove,
	[MSG_DIFF] = handle_diff,
	[MSG_GET_DEPLOYMENTS] = handle_get_deployments,
	[MSG_BACKUP] = handle_backup,
	[MSG_RESTORE] = handle_restore,
	[MSG_GET_PAST] = handle_get_past,
	[MSG_GET_LOG] = handle_get_log,
	[MSG_GET_SWITCHES] = handle_get_switches,
	[MSG_GET_SWITCH] = handle_get_switch,
	[MSG_SUBSCRIBE] = handle_subscribe,
	[MSG_FORGET_SWITCH] = handle_forget_switch,
	[MSG_GET_PORTS] = handle_pass_on,
	[MSG_FORGET_PORT] = handle_pass_on,
	[MSG_GET_TABLES] = handle_pass_on,
	[MSG_GET_COUNTERS] = handle_pass_on,
	[MSG_RESET_COUNTERS] = handle_pass_on,
	[MSG_GET_GLOBALS] = handle_pass_on,
	[MSG_SET_GLOBAL] = handle_pass_on,
	[MSG_GET_GROUPS] = handle_pass_on,
	[MSG_GET_METERS] = handle_pass_on,
	[MSG_RESET_METER] = handle_pass_on,
	[MSG_DUMP] = handle_pass_on,
	[MSG_FLOW] = handle_pass_on,
	[MSG_ENTRIES] = handle_pass_on,
	[MSG_GET_ENTRIES] = handle_pass_on,
	[MSG_BUNDLE] = handle_bundle,
	[MSG_GET_BUNDLES] = handle_pass_on,
	[MSG_PACKET_OUT] = handle_pass_on,
	[MSG_TRACE] = handle_pass_on,
};

void users_request(struct controller *c, struct peer *user, const struct message *request)
{
	handler_fn handler = request->kind < MSG_KIND_MAX ? handlers[request->kind] : NULL;

	if (handler)
		journal_asked(c, user, request);
	if (handler && rights_check(c, user, request))
		handler(c, user, request);
	else if (!handler)
		peer_reply_error(user, request->id, ERROR_UNKNOWN, "a controller does not answer %s",
				 message_kind_name(request->kind));
}
