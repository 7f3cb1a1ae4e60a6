/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gather.h"

#include <stdlib.h>

struct gather {
	struct controller *c;
	uint64_t user, request_id;
	enum message_kind kind;
	size_t n, n_waiting;
	struct part {
		struct gather *gather;
		struct known *k;
		struct message *reply; /* NULL: no answer. */
	} part[];
};

static void gather_free(struct gather *gather)
{
	for (size_t i = 0; i < gather->n; i++)
		message_free(gather->part[i].reply);
	free(gather);
}

static void fill(const struct part *part, const struct deployment_list *desired, struct msg_switch *sw)
{
	const struct known *k = part->k;
	const char *problem;

	if (part->reply) {
		*sw = part->reply->switches.item[0];
	} else {
		*sw = (struct msg_switch){.address = "",
					  .build = k->build,
					  .kernel = k->kernel,
					  .fail_mode = "",
					  .problem = "",
					  .version = k->active_version};
	}
	sw->name = k->name;
	sw->connected = k->peer != 0;
	sw->since_ms = k->since_ms;
	sw->n_pending = known_count_pending(k, desired, &problem);
	if (problem[0])
		sw->problem = problem;
	else if (!part->reply && k->peer)
		sw->problem = "connected, but it did not answer";
}

static void answer(struct gather *gather)
{
	struct peer *user = peer_find(gather->c->users, gather->user);
	struct msg_switch *item = calloc(gather->n + 1, sizeof(*item));
	struct message msg = {.kind = gather->kind, .switch_name = "", .switches = {.item = item, .n = gather->n}};
	struct deployment_list desired = {};

	if (!user)
		goto out;
	if (!item || store_get_deployments(gather->c->store, NULL, &desired) < 0) {
		peer_reply_error(user, gather->request_id, ERROR_INTERNAL, "cannot read what is desired: %s",
				 store_error(gather->c->store));
		goto out;
	}
	for (size_t i = 0; i < gather->n; i++)
		fill(&gather->part[i], &desired, &item[i]);
	peer_reply(user, gather->request_id, &msg);
out:
	deployment_list_done(&desired);
	free(item);
	gather_free(gather);
}

static void part_answered(void *data, int status, const struct message *reply)
{
	struct part *part = data;

	if (status == 0 && reply->kind == MSG_SWITCH && reply->switches.n == 1 && message_copy(reply, &part->reply) < 0)
		part->reply = NULL;
	if (--part->gather->n_waiting == 0)
		answer(part->gather);
}

static void ask(struct part *part)
{
	struct message msg = {.kind = MSG_GET_SWITCH, .switch_name = ""};
	struct peer *peer = known_peer(part->k);

	if (peer && peer_request(peer, &msg, SWITCH_LIST_TIMEOUT_MS, part_answered, part) == 0)
		part->gather->n_waiting++;
}

static void gather(struct controller *c, struct peer *user, uint64_t request_id, enum message_kind kind,
		   struct known **known, size_t n)
{
	struct gather *gather = calloc(1, sizeof(*gather) + n * sizeof(gather->part[0]));

	if (!gather) {
		peer_reply_error(user, request_id, ERROR_NO_MEMORY, "the controller has no memory left");
		return;
	}
	*gather = (struct gather){.c = c, .user = peer_id(user), .request_id = request_id, .kind = kind, .n = n};
	for (size_t i = 0; i < n; i++) {
		gather->part[i] = (struct part){.gather = gather, .k = known[i]};
		ask(&gather->part[i]);
	}
	if (!gather->n_waiting)
		answer(gather);
}

void gather_all(struct controller *c, struct peer *user, uint64_t request_id)
{
	gather(c, user, request_id, MSG_SWITCHES, c->known, c->n_known);
}

void gather_one(struct controller *c, struct peer *user, uint64_t request_id, struct known *k)
{
	gather(c, user, request_id, MSG_SWITCH, &k, 1);
}
