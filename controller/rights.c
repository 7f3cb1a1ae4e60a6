/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rights.h"

#include <string.h>

#include "../common/cleanup.h"
#include "../common/log.h"

static bool same_ports(const struct deployment *a, const struct deployment *b)
{
	if (a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (strcmp(a->port[i], b->port[i]) != 0)
			return false;
	return true;
}

static bool is_tuning(const struct deployment *old, const struct deployment *new_)
{
	const char *switches = new_->switches[0] ? new_->switches : "*";

	return strcmp(old->text, new_->text) == 0 && strcmp(old->switches, switches) == 0 && old->hook == new_->hook &&
	       old->order == new_->order && same_ports(old, new_);
}

static enum key_right needed_for_deployment(struct controller *c, const struct deployment *wanted)
{
	struct deployment_list list = {};
	enum key_right right = RIGHT_DEPLOY;

	if (wanted->name[0] && store_get_deployments(c->store, wanted->name, &list) == 0) {
		if (list.n && is_tuning(&list.item[0], wanted))
			right = RIGHT_OPERATE;
		deployment_list_done(&list);
	}
	return right;
}

enum key_right rights_needed(struct controller *c, const struct message *request)
{
	switch ((int)request->kind) {
	case MSG_DEPLOY: return needed_for_deployment(c, &request->deploy);
	case MSG_REMOVE: return RIGHT_DEPLOY;
	case MSG_BACKUP:
	case MSG_RESTORE:
	case MSG_FORGET_SWITCH:
	case MSG_FORGET_PORT: return RIGHT_ADMIN;
	case MSG_FLOW: return request->flow.op == FLOW_GET ? RIGHT_READ : RIGHT_OPERATE;
	case MSG_RESET_COUNTERS:
	case MSG_RESET_METER:
	case MSG_SET_GLOBAL:
	case MSG_ENTRIES:
	case MSG_BUNDLE:
	case MSG_PACKET_OUT: return RIGHT_OPERATE;
	case MSG_BARRIER:
	case MSG_DIFF:
	case MSG_SUBSCRIBE:
	case MSG_DUMP:
	case MSG_TRACE:
	case MSG_GET_DEPLOYMENTS:
	case MSG_GET_SWITCHES:
	case MSG_GET_SWITCH:
	case MSG_GET_PORTS:
	case MSG_GET_TABLES:
	case MSG_GET_COUNTERS:
	case MSG_GET_GLOBALS:
	case MSG_GET_GROUPS:
	case MSG_GET_METERS:
	case MSG_GET_ENTRIES:
	case MSG_GET_PAST:
	case MSG_GET_LOG:
	case MSG_GET_BUNDLES: return RIGHT_READ;
	}
	return RIGHT_ADMIN;
}

bool rights_check(struct controller *c, struct peer *user, const struct message *request)
{
	const struct trusted *who = peer_who(user);
	enum key_right needed, has = peer_right(user);

	if (has == RIGHT_ADMIN)
		return true;
	needed = rights_needed(c, request);
	if (has >= RIGHT_READ && has >= needed)
		return true;
	if (log_allowed(&c->suspects))
		log_warn("refused %s of \"%s\": its key may %s", message_kind_name(request->kind),
			 who ? who->name : "?", key_right_name(has));
	peer_reply_error(user, request->id, ERROR_REFUSED, "that needs the right \"%s\"; this key (%s) has \"%s\"",
			 key_right_name(needed), who ? who->name : "?", key_right_name(has));
	return false;
}
