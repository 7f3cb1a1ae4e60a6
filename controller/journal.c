/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "rights.h"

enum { LINE = 512, RESULT_MAX = 300 };

struct asked {
	struct asked *next;
	uint64_t user, request_id, time_ms;
	char *who, *what;
};

/* ---- in words ---- */

static char *who_asks(struct peer *user)
{
	const struct trusted *who = peer_who(user);
	char key[KEY_TEXT], *text;

	if (who)
		key_render(who->key, key);
	if (asprintf(&text, "%s%s%s", who ? key : "local", who ? " " : "", who ? who->name : "") < 0)
		return NULL;
	return text;
}

static const char *const entry_ops[] = {"add", "set", "delete", "clear"};
static const char *const flow_ops[] = {"get", "set", "delete", "flush"};
static const char *const bundle_ops[] = {"open", "add to", "commit", "discard"};

static void describe(const struct message *m, char *ret, size_t size)
{
	switch ((int)m->kind) {
	case MSG_DEPLOY:
		snprintf(ret, size, "deploy %s (%s, %zu settings%s)", m->deploy.name, m->deploy.file,
			 m->deploy.n_settings, m->deploy.members[0] ? ", members" : "");
		break;
	case MSG_REMOVE: snprintf(ret, size, "remove %s", m->remove.name); break;
	case MSG_ENTRIES:
		snprintf(ret, size, "entry %s %s/%s: %.200s", entry_ops[m->entries.op], m->entries.deployment,
			 m->entries.table, m->entries.rows);
		break;
	case MSG_FLOW:
		snprintf(ret, size, "flow %s %s/%s", flow_ops[m->flow.op], m->flow.deployment, m->flow.table);
		break;
	case MSG_SET_GLOBAL:
		snprintf(ret, size, "global set %s/%s=%s", m->set_global.deployment, m->set_global.name,
			 m->set_global.text);
		break;
	case MSG_BUNDLE: snprintf(ret, size, "%s bundle %" PRIu32, bundle_ops[m->bundle.op], m->bundle.id); break;
	case MSG_BACKUP:
	case MSG_RESTORE:
	case MSG_FORGET_PORT:
	case MSG_RESET_METER:
	case MSG_RESET_COUNTERS: snprintf(ret, size, "%s %s", message_kind_name(m->kind), m->get.filter); break;
	default: snprintf(ret, size, "%s", message_kind_name(m->kind));
	}
}

static void clean(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = c[1] ? ';' : '\0';
}

static void result_of(const struct message *reply, char *ret, size_t size)
{
	unsigned n[APPLIED_STATUS_MAX] = {};

	if (reply->kind == MSG_ERROR) {
		snprintf(ret, size, "refused: %s", reply->error.text);
	} else if (reply->kind == MSG_APPLIED) {
		for (size_t i = 0; i < reply->applied.n; i++)
			n[reply->applied.item[i].status]++;
		snprintf(ret, size, "version %" PRIu64 ": %u active, %u refused, %u pending, %u removed",
			 reply->applied.version, n[APPLIED_ACTIVE], n[APPLIED_REFUSED], n[APPLIED_PENDING],
			 n[APPLIED_REMOVED]);
	} else {
		snprintf(ret, size, "done");
	}
	clean(ret);
}

/* ---- rows ---- */

static void asked_free(struct asked *asked)
{
	free(asked->who);
	free(asked->what);
	free(asked);
}

static void write_row(struct controller *c, const struct asked *asked, const char *result)
{
	struct log_row row = {0, asked->time_ms, asked->who, asked->what, result};

	if (store_log(c->store, &row) < 0 && log_allowed(&c->suspects))
		log_error("store: the log: %s", store_error(c->store));
}

void journal_asked(struct controller *c, struct peer *user, const struct message *request)
{
	struct asked *asked;
	char what[LINE], full[LINE + 80];

	if (rights_needed(c, request) == RIGHT_READ)
		return;
	describe(request, what, sizeof(what));
	clean(what);
	snprintf(full, sizeof(full), "%s%s%s", what, request->switch_name[0] ? " on " : "", request->switch_name);
	asked = calloc(1, sizeof(*asked));
	if (!asked)
		return;
	*asked = (struct asked){.next = c->asked,
				.user = peer_id(user),
				.request_id = request->id,
				.time_ms = unix_ms(),
				.who = who_asks(user),
				.what = strdup(full)};
	if (!asked->who || !asked->what) {
		asked_free(asked);
		return;
	}
	c->asked = asked;
}

void journal_answered(struct controller *c, struct peer *user, uint64_t request_id, const struct message *reply)
{
	struct asked **at = &c->asked, *asked;
	char result[RESULT_MAX];

	while (*at && ((*at)->user != peer_id(user) || (*at)->request_id != request_id))
		at = &(*at)->next;
	if (!*at)
		return;
	asked = *at;
	*at = asked->next;
	result_of(reply, result, sizeof(result));
	write_row(c, asked, result);
	asked_free(asked);
}

void journal_user_gone(struct controller *c, uint64_t user)
{
	struct asked **at = &c->asked;

	while (*at) {
		struct asked *asked = *at;

		if (asked->user != user) {
			at = &asked->next;
			continue;
		}
		*at = asked->next;
		write_row(c, asked, "not known: who asked was gone before the answer");
		asked_free(asked);
	}
}

void journal_free(struct controller *c)
{
	while (c->asked) {
		struct asked *next = c->asked->next;

		asked_free(c->asked);
		c->asked = next;
	}
}
