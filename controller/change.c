/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/log.h"
#include "relay.h"

uint64_t monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

struct change *change_new(struct controller *c, struct peer *user, uint64_t request_id)
{
	struct change *change = calloc(1, sizeof(*change));

	if (!change)
		return NULL;
	change->c = c;
	change->user = peer_id(user);
	change->request_id = request_id;
	change->result = calloc(c->n_known + 1, sizeof(*change->result));
	if (!change->result) {
		free(change);
		return NULL;
	}
	return change;
}

void change_free(struct change *change)
{
	if (!change)
		return;
	for (size_t i = 0; i < change->n_results; i++)
		free(change->result[i].text);
	free(change->result);
	free(change->text);
	deployment_done(&change->deployment);
	free(change);
}

void change_add(struct change *change, struct known *known, enum change_step step)
{
	change->result[change->n_results++] = (struct change_result){.known = known, .step = step};
	change->n_waiting++;
}

/* Switches that are not connected have nothing of it in effect; they are named. */
static void answer_barrier(struct change *change)
{
	struct peer *user = peer_find(change->c->users, change->user);
	char text[1024] = "";
	size_t len = 0, n = 0;

	for (size_t i = 0; i < change->n_results; i++) {
		const struct change_result *result = &change->result[i];

		n += result->status == APPLIED_ACTIVE;
		if (result->status != APPLIED_ACTIVE && len < sizeof(text))
			len += snprintf(text + len, sizeof(text) - len, "%s%s",
					len ? ", " : "pending: ", result->known->name);
	}
	if (user)
		peer_reply_ok(user, change->request_id, text, 0, n);
	change_free(change);
}

static void answer_change(struct change *change)
{
	struct peer *user = peer_find(change->c->users, change->user);
	struct msg_applied_switch *item = calloc(change->n_results + 1, sizeof(*item));
	struct message msg = {
		.kind = MSG_APPLIED,
		.switch_name = "",
		.applied = {.name = change->deployment.name,
			    .version = change->deployment.version,
			    .text = change->text ? change->text : "",
			    .item = item,
			    .n = change->n_results},
	};

	for (size_t i = 0; item && i < change->n_results; i++) {
		const struct change_result *result = &change->result[i];

		item[i] = (struct msg_applied_switch){.name = result->known->name,
						      .status = result->status,
						      .duration_us = result->duration_us,
						      .since_ms = result->since_ms,
						      .text = result->text ? result->text : ""};
	}
	if (user && !item)
		peer_reply_error(user, change->request_id, ERROR_NO_MEMORY,
				 "stored as version %llu; no memory to say more",
				 (unsigned long long)change->deployment.version);
	else if (user)
		peer_reply(user, change->request_id, &msg);
	free(item);
	change_free(change);
}

static void answer(struct change *change)
{
	if (change->barrier)
		answer_barrier(change);
	else
		answer_change(change);
}

void change_begin(struct change *change)
{
	if (!change->n_waiting)
		answer(change);
}

static void tell(const struct change *change, struct known *k, const char *word, const char *text)
{
	log_info("switch %s: %s %llu %s%s%s", k->name, change->deployment.name,
		 (unsigned long long)change->deployment.version, word, text[0] ? ": " : "", text);
	relay_own(k->c, "deployment", k->name, change->deployment.name, word);
}

void change_set_result(struct change *change, size_t index, enum applied_status status, const char *text)
{
	static const char *const words[] = {[APPLIED_ACTIVE] = "active",
					    [APPLIED_REFUSED] = "refused",
					    [APPLIED_PENDING] = "pending",
					    [APPLIED_REMOVED] = "removed"};
	struct change_result *result = &change->result[index];
	struct known *k = result->known;

	if (result->done)
		return;
	result->done = true;
	result->status = status;
	result->text = strdup(text);
	result->since_ms = status == APPLIED_PENDING ? k->since_ms : 0;
	if (result->sent_us)
		result->duration_us = monotonic_us() - result->sent_us;
	if (!change->barrier)
		tell(change, k, words[status], text);
	if (--change->n_waiting == 0)
		answer(change);
}
