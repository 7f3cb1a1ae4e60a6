/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "relay.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct subscriber {
	struct subscriber *next;
	uint64_t id; /* Of the subscription; never used again. */
	uint64_t user;
	char *pattern, *kinds;
	uint64_t sequence, lost;
	unsigned n_unanswered;
};

/* A batch on its way. */
struct batch {
	struct controller *c;
	uint64_t subscriber;
};

static void subscriber_free(struct subscriber *s)
{
	free(s->pattern);
	free(s->kinds);
	free(s);
}

void relay_user_gone(struct controller *c, uint64_t user)
{
	for (struct subscriber **at = &c->subscribers; *at; at = &(*at)->next) {
		struct subscriber *s = *at;

		if (s->user != user)
			continue;
		*at = s->next;
		subscriber_free(s);
		return;
	}
}

void relay_free_all(struct controller *c)
{
	while (c->subscribers)
		relay_user_gone(c, c->subscribers->user);
}

static unsigned count(const struct controller *c)
{
	unsigned n = 0;

	for (const struct subscriber *s = c->subscribers; s; s = s->next)
		n++;
	return n;
}

int relay_subscribe(struct controller *c, struct peer *user, const char *pattern, const char *kinds, bool off)
{
	static uint64_t last_id;
	struct subscriber *s;

	relay_user_gone(c, peer_id(user));
	if (off)
		return 0;
	if (count(c) >= SUBSCRIBERS_MAX)
		return -ENOSPC;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->id = ++last_id;
	s->user = peer_id(user);
	s->pattern = strdup(pattern[0] ? pattern : "*");
	s->kinds = strdup(kinds);
	if (!s->pattern || !s->kinds) {
		subscriber_free(s);
		return -ENOMEM;
	}
	s->next = c->subscribers;
	c->subscribers = s;
	return 0;
}

/* Is 'kind' one of a comma list?  An empty list means all. */
static bool kind_is_wanted(const char *kinds, const char *kind)
{
	size_t len = strlen(kind);

	if (!kinds[0] || !strcmp(kind, "lost"))
		return true; /* A loss concerns everyone who could have missed something. */
	for (const char *at = kinds; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, kind, len) && (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

static void send_batch(struct controller *c, struct subscriber *s, struct msg_event *item, size_t n);

static void batch_answered(void *data, int status, const struct message *reply)
{
	struct batch *batch = data;
	struct subscriber *s = batch->c->subscribers;

	while (s && s->id != batch->subscriber)
		s = s->next;
	if (s) {
		s->n_unanswered--;
		if (s->lost && status == 0)
			send_batch(batch->c, s, NULL, 0);
	}
	free(batch);
}

/* Sends events and what is to be said about lost ones; counts them as lost if it cannot. */
static void send_batch(struct controller *c, struct subscriber *s, struct msg_event *item, size_t n)
{
	struct peer *user = peer_find(c->users, s->user);
	struct batch *batch;
	struct message msg = {
		.kind = MSG_EVENTS,
		.switch_name = "",
		.events = {.sequence = s->sequence + 1, .lost = s->lost, .item = item, .n = n},
	};

	if (!user)
		return;
	batch = s->n_unanswered < RELAY_BATCHES_MAX ? malloc(sizeof(*batch)) : NULL;
	if (batch)
		*batch = (struct batch){.c = c, .subscriber = s->id};
	if (!batch || peer_request(user, &msg, 0, batch_answered, batch) < 0) {
		s->lost += n;
		free(batch);
		return;
	}
	s->sequence++;
	s->n_unanswered++;
	s->lost = 0;
}

/* Gives each subscriber those events that it wants.  The copies share their strings. */
static void distribute(struct controller *c, const char *switch_name, const struct msg_event *item, size_t n)
{
	struct msg_event *wanted;

	if (!c->subscribers || !n)
		return;
	wanted = calloc(n, sizeof(*wanted));
	for (struct subscriber *s = c->subscribers; s; s = s->next) {
		size_t n_wanted = 0;

		if (fnmatch(s->pattern, switch_name, 0) != 0)
			continue;
		if (!wanted) {
			s->lost += n;
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			if (!kind_is_wanted(s->kinds, item[i].kind))
				continue;
			wanted[n_wanted] = item[i];
			wanted[n_wanted++].switch_name = switch_name;
		}
		if (n_wanted)
			send_batch(c, s, wanted, n_wanted);
	}
	free(wanted);
}

static struct msg_event own_event(const char *kind, const char *switch_name, const char *deployment, const char *text)
{
	struct msg_event event = message_event(kind, text);

	event.switch_name = switch_name;
	event.deployment = deployment;
	event.time_ms = unix_ms();
	return event;
}

void relay_events(struct known *k, const struct msg_events *events)
{
	bool gap = k->event_sequence && events->sequence != k->event_sequence + 1;

	k->event_sequence = events->sequence;
	if (events->lost || gap) {
		struct msg_event event =
			own_event("lost", k->name, "", events->lost ? "" : "the switch's numbering has a gap");

		event.count = events->lost;
		distribute(k->c, k->name, &event, 1);
	}
	distribute(k->c, k->name, events->item, events->n);
}

void relay_own(struct controller *c, const char *kind, const char *switch_name, const char *deployment,
	       const char *text)
{
	struct msg_event event = own_event(kind, switch_name, deployment, text);

	distribute(c, switch_name, &event, 1);
}
