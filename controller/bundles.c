/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bundles.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "entries.h"

enum { OPEN_MAX = 16 }; /* Of one switch; a switch has no more. */

struct kept_bundle {
	struct kept_bundle *next;
	char *switch_name;
	uint32_t id;
	struct message **member; /* ENTRIES only, owned. */
	size_t n;
};

static void kept_free(struct kept_bundle *kept)
{
	for (size_t i = 0; i < kept->n; i++)
		message_free(kept->member[i]);
	free(kept->member);
	free(kept->switch_name);
	free(kept);
}

void bundles_free(struct controller *c)
{
	while (c->bundles) {
		struct kept_bundle *next = c->bundles->next;

		kept_free(c->bundles);
		c->bundles = next;
	}
}

static struct kept_bundle **find(struct controller *c, const char *name, uint32_t id)
{
	struct kept_bundle **at = &c->bundles;

	while (*at && ((*at)->id != id || strcmp((*at)->switch_name, name) != 0))
		at = &(*at)->next;
	return at;
}

static void drop(struct kept_bundle **at)
{
	struct kept_bundle *kept = *at;

	if (!kept)
		return;
	*at = kept->next;
	kept_free(kept);
}

/* Newest first, so what is behind the OPEN_MAXth of a switch is over. */
static void drop_old(struct controller *c, const char *name)
{
	struct kept_bundle **at = &c->bundles;
	unsigned n = 0;

	while (*at) {
		if (strcmp((*at)->switch_name, name) == 0 && ++n > OPEN_MAX)
			drop(at);
		else
			at = &(*at)->next;
	}
}

static int opened(struct controller *c, const char *name, uint32_t id)
{
	struct kept_bundle *kept = calloc(1, sizeof(*kept));

	drop(find(c, name, id));
	if (!kept || !(kept->switch_name = strdup(name))) {
		free(kept);
		return -ENOMEM;
	}
	kept->id = id;
	kept->next = c->bundles;
	c->bundles = kept;
	drop_old(c, name);
	return 0;
}

static int added(struct kept_bundle *kept, const struct msg_bundle *msg)
{
	struct message *member, **more;
	char why[256];
	int r = message_unpack(msg->member, msg->member_size, &member, why);

	if (r < 0)
		return r;
	if (member->kind != MSG_ENTRIES) {
		message_free(member);
		return 0;
	}
	more = reallocarray(kept->member, kept->n + 1, sizeof(*more));
	if (!more) {
		message_free(member);
		return -ENOMEM;
	}
	kept->member = more;
	more[kept->n++] = member;
	return 0;
}

static int store_all(struct controller *c, const struct kept_bundle *kept, const char *ids)
{
	_cleanup_free_ char *copy = strdup(ids);
	char *at = copy;
	int r = copy ? store_begin(c->store) : -ENOMEM;

	if (r < 0)
		return r;
	for (size_t i = 0; i < kept->n && r == 0; i++)
		r = entries_store(c, kept->switch_name, &kept->member[i]->entries, &at);
	return store_end(c->store, r);
}

static int committed(struct controller *c, struct kept_bundle **at, const struct message *reply)
{
	int r = 0;

	if (*at && reply->kind == MSG_OK)
		r = store_all(c, *at, reply->ok.text);
	drop(at);
	return r;
}

int bundles_answered(struct controller *c, const char *name, const struct message *request, const struct message *reply)
{
	const struct msg_bundle *msg = &request->bundle;
	struct kept_bundle **at = find(c, name, msg->id);

	switch ((enum bundle_op)msg->op) {
	case BUNDLE_OPEN: return reply->kind == MSG_OK ? opened(c, name, reply->ok.version) : 0;
	case BUNDLE_ADD: return *at && reply->kind == MSG_OK ? added(*at, msg) : 0;
	case BUNDLE_COMMIT: return committed(c, at, reply);
	case BUNDLE_DISCARD: drop(at); return 0;
	}
	return 0;
}

static enum error_code check_member(const struct msg_bundle *msg, char *ret_why)
{
	struct message *member;
	enum message_kind kind;

	if (message_unpack(msg->member, msg->member_size, &member, ret_why) < 0)
		return ERROR_MALFORMED;
	kind = member->kind;
	message_free(member);
	if (kind != MSG_DEPLOY && kind != MSG_REMOVE)
		return ERROR_NONE;
	snprintf(ret_why, 256,
		 "a controller takes no deployments into a bundle yet: they go to every switch by app "
		 "and group, or with --agent to one");
	return ERROR_REFUSED;
}

enum error_code bundles_check(struct controller *c, const char *name, const struct message *request, char *ret_why)
{
	const struct msg_bundle *msg = &request->bundle;

	if (msg->op == BUNDLE_OPEN || msg->op == BUNDLE_DISCARD)
		return ERROR_NONE;
	if (!*find(c, name, msg->id)) {
		snprintf(ret_why, 256, "switch %s has no bundle %" PRIu32 " that was opened here (mealy bundle list)",
			 name, msg->id);
		return ERROR_UNKNOWN;
	}
	return msg->op == BUNDLE_ADD ? check_member(msg, ret_why) : ERROR_NONE;
}
