/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dispatch.h"

#include <string.h>

#include "agent.h"

static const struct handler {
	void (*run)(struct request *rq);
	bool writes; /* FLOW decides by its operation. */
} handlers[MSG_KIND_MAX] = {
	[MSG_BARRIER] = {changes_barrier, false},
	[MSG_DEPLOY] = {changes_deploy, true},
	[MSG_REMOVE] = {changes_remove, true},
	[MSG_SYNC_BEGIN] = {changes_sync_begin, true},
	[MSG_SYNC_END] = {changes_sync_end, true},
	[MSG_DIFF] = {changes_diff, false},
	[MSG_GET_DEPLOYMENTS] = {handle_deployments, false},
	[MSG_GET_SWITCH] = {handle_switch, false},
	[MSG_GET_SWITCHES] = {handle_switch, false},
	[MSG_GET_PORTS] = {handle_ports, false},
	[MSG_FORGET_PORT] = {handle_forget_port, true},
	[MSG_GET_TABLES] = {handle_tables, false},
	[MSG_GET_COUNTERS] = {handle_counters, false},
	[MSG_RESET_COUNTERS] = {handle_reset_counters, true},
	[MSG_GET_GLOBALS] = {handle_globals, false},
	[MSG_SET_GLOBAL] = {handle_set_global, true},
	[MSG_GET_GROUPS] = {handle_groups, false},
	[MSG_GET_METERS] = {handle_meters, false},
	[MSG_RESET_METER] = {handle_reset_meter, true},
	[MSG_DUMP] = {handle_dump, false},
	[MSG_FLOW] = {handle_flow, false},
	[MSG_ENTRIES] = {handle_entries, true},
	[MSG_BUNDLE] = {handle_bundle, true},
	[MSG_GET_BUNDLES] = {handle_bundles, false},
	[MSG_GET_ENTRIES] = {handle_get_entries, false},
	[MSG_SUBSCRIBE] = {handle_subscribe, false},
	[MSG_PACKET_OUT] = {handle_packet_out, true},
	[MSG_TRACE] = {handle_trace, false},
};

static bool writes(const struct message *msg)
{
	return handlers[msg->kind].writes || (msg->kind == MSG_FLOW && msg->flow.op != FLOW_GET);
}

void dispatch(struct request *rq)
{
	const struct handler *handler = &handlers[rq->msg->kind];
	const char *wanted = rq->msg->switch_name;

	if (!handler->run)
		reply_error(&rq->from, ERROR_UNKNOWN, "an agent does not answer %s", message_kind_name(rq->msg->kind));
	else if (wanted[0] && strcmp(wanted, rq->agent->config->name))
		reply_error(&rq->from, ERROR_UNKNOWN, "this is switch %s, not \"%s\"", rq->agent->config->name, wanted);
	else if (rq->local && writes(rq->msg) && !rq->agent->config->local_write)
		reply_error(&rq->from, ERROR_REFUSED,
			    "this agent lets local users look, not change; start it with --local-write");
	else
		handler->run(rq);
}
