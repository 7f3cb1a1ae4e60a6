/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"

enum { BATCH_BYTES_MAX = 512 << 10, RETRY_MS = 50, GATHER_MS = 5 };

/* An event that several queues share. */
struct shared {
	unsigned n_refs;
	struct message *msg; /* EVENTS with one item. */
};

struct watcher {
	struct notify *notify;
	struct endpoint *endpoint;
	uint64_t peer;
	char *kinds;
	struct shared *queue[NOTIFY_QUEUE_MAX];
	unsigned head, n;
	uint64_t sequence, lost;
	bool under_way;
};

/* A batch under way; outlives its watcher. */
struct batch {
	struct notify *notify;
	uint64_t peer;
	uint64_t n_events; /* And what it announced as lost: lost again if it does not arrive. */
};

struct notify {
	struct ev_loop *loop;
	struct watcher *watcher[WATCHERS_MAX];
	size_t n;
	ev_timer flush;
};

/* ---- queues ---- */

static void shared_drop(struct shared *shared)
{
	if (--shared->n_refs)
		return;
	message_free(shared->msg);
	free(shared);
}

static struct watcher *find_watcher(const struct notify *notify, uint64_t peer)
{
	for (size_t i = 0; i < notify->n; i++)
		if (notify->watcher[i]->peer == peer)
			return notify->watcher[i];
	return NULL;
}

static void watcher_free(struct watcher *w)
{
	for (unsigned i = 0; i < w->n; i++)
		shared_drop(w->queue[(w->head + i) % NOTIFY_QUEUE_MAX]);
	free(w->kinds);
	free(w);
}

/* Is 'kind' in a comma list?  An empty list has all; a loss concerns everybody. */
static bool kind_is_wanted(const char *kinds, const char *kind)
{
	size_t len = strlen(kind);

	if (!kinds[0] || !strcmp(kind, "lost"))
		return true;
	for (const char *at = kinds; at; at = strchr(at, ',')) {
		at += strspn(at, ", ");
		if (!strncmp(at, kind, len) && (!at[len] || at[len] == ',' || at[len] == ' '))
			return true;
	}
	return false;
}

bool notify_is_wanted(const struct notify *notify, const char *kind)
{
	for (size_t i = 0; i < notify->n; i++)
		if (kind_is_wanted(notify->watcher[i]->kinds, kind))
			return true;
	return false;
}

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

static struct shared *share(const struct msg_event *event)
{
	struct shared *shared = calloc(1, sizeof(*shared));
	struct msg_event full = *event;
	struct message msg = {.kind = MSG_EVENTS, .switch_name = "", .events = {.item = &full, .n = 1}};

	full.switch_name = text_or_empty(full.switch_name);
	full.kind = text_or_empty(full.kind);
	full.deployment = text_or_empty(full.deployment);
	full.table = text_or_empty(full.table);
	full.key = text_or_empty(full.key);
	full.registers = text_or_empty(full.registers);
	full.old_state = text_or_empty(full.old_state);
	full.new_state = text_or_empty(full.new_state);
	full.rule = text_or_empty(full.rule);
	full.port = text_or_empty(full.port);
	full.text = text_or_empty(full.text);
	if (!shared || message_copy(&msg, &shared->msg) < 0) {
		free(shared);
		return NULL;
	}
	shared->n_refs = 1;
	return shared;
}

static void schedule(struct notify *notify, unsigned ms)
{
	if (ev_is_active(&notify->flush))
		return;
	ev_timer_set(&notify->flush, ms / 1000.0, 0.0);
	ev_timer_start(notify->loop, &notify->flush);
}

void notify_add(struct notify *notify, const struct msg_event *event)
{
	struct shared *shared = notify_is_wanted(notify, event->kind) ? share(event) : NULL;

	for (size_t i = 0; i < notify->n; i++) {
		struct watcher *w = notify->watcher[i];

		if (!kind_is_wanted(w->kinds, event->kind))
			continue;
		if (!shared || w->n == NOTIFY_QUEUE_MAX) {
			w->lost++;
			continue;
		}
		w->queue[(w->head + w->n++) % NOTIFY_QUEUE_MAX] = shared;
		shared->n_refs++;
	}
	if (shared)
		shared_drop(shared);
	if (notify->n)
		schedule(notify, GATHER_MS);
}

/* ---- sending ---- */

static void answered(void *data, int status, const struct message *reply)
{
	struct batch *batch = data;
	struct watcher *w = find_watcher(batch->notify, batch->peer);

	if (w) {
		w->under_way = false;
		if (status < 0)
			w->lost += batch->n_events;
		if (w->n || w->lost)
			schedule(batch->notify, 0);
	}
	free(batch);
}

/* How many events from the head fit into one message. */
static unsigned gather(const struct watcher *w, struct msg_event *item)
{
	size_t bytes = 0;
	unsigned n = 0;

	while (n < w->n && n < EVENT_BATCH_MAX) {
		const struct msg_event *event = &w->queue[(w->head + n) % NOTIFY_QUEUE_MAX]->msg->events.item[0];

		bytes += event->packet_size + 1024;
		if (n && bytes > BATCH_BYTES_MAX)
			break;
		item[n++] = *event;
	}
	return n;
}

static void drop_head(struct watcher *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		shared_drop(w->queue[(w->head + i) % NOTIFY_QUEUE_MAX]);
	w->head = (w->head + n) % NOTIFY_QUEUE_MAX;
	w->n -= n;
}

static void send_batch(struct watcher *w, struct peer *peer)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	struct msg_event item[EVENT_BATCH_MAX];
	struct message msg = {.kind = MSG_EVENTS, .switch_name = ""};
	int r;

	if (!batch)
		return;
	msg.events.item = item;
	msg.events.n = gather(w, item);
	msg.events.lost = w->lost;
	msg.events.sequence = w->sequence + 1;
	*batch = (struct batch){w->notify, w->peer, msg.events.n + w->lost};
	r = peer_request(peer, &msg, 0, answered, batch);
	if (r < 0) {
		free(batch);
		if (r == -EMSGSIZE)
			drop_head(w, msg.events.n);
		w->lost += r == -EMSGSIZE ? msg.events.n : 0;
		schedule(w->notify, RETRY_MS);
		return;
	}
	w->under_way = true;
	w->sequence++;
	w->lost = 0;
	drop_head(w, msg.events.n);
}

static void on_flush(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct notify *notify = timer->data;

	for (size_t i = 0; i < notify->n; i++) {
		struct watcher *w = notify->watcher[i];
		struct peer *peer = peer_find(w->endpoint, w->peer);

		if (peer && !w->under_way && (w->n || w->lost))
			send_batch(w, peer);
	}
}

/* ---- the whole ---- */

static int add_watcher(struct notify *notify, struct endpoint *endpoint, struct peer *peer,
		       struct watcher **ret_watcher)
{
	struct watcher *w;

	if (notify->n == WATCHERS_MAX)
		return -ENOSPC;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->notify = notify;
	w->endpoint = endpoint;
	w->peer = peer_id(peer);
	notify->watcher[notify->n++] = w;
	*ret_watcher = w;
	return 0;
}

int notify_subscribe(struct notify *notify, struct endpoint *endpoint, struct peer *peer, const char *kinds)
{
	struct watcher *w = find_watcher(notify, peer_id(peer));
	char *copy = strdup(kinds);
	int r = copy ? 0 : -ENOMEM;

	if (r == 0 && !w)
		r = add_watcher(notify, endpoint, peer, &w);
	if (r < 0) {
		free(copy);
		return r;
	}
	free(w->kinds);
	w->kinds = copy;
	return 0;
}

void notify_unsubscribe(struct notify *notify, uint64_t peer)
{
	struct watcher *w = find_watcher(notify, peer);

	for (size_t i = 0; w && i < notify->n; i++) {
		if (notify->watcher[i] != w)
			continue;
		notify->watcher[i] = notify->watcher[--notify->n];
		watcher_free(w);
		return;
	}
}

struct notify *notify_new(struct ev_loop *loop)
{
	struct notify *notify = calloc(1, sizeof(*notify));

	if (!notify)
		return NULL;
	notify->loop = loop;
	ev_timer_init(&notify->flush, on_flush, 0.0, 0.0);
	notify->flush.data = notify;
	return notify;
}

void notify_free(struct notify *notify)
{
	if (!notify)
		return;
	ev_timer_stop(notify->loop, &notify->flush);
	for (size_t i = 0; i < notify->n; i++)
		watcher_free(notify->watcher[i]);
	free(notify);
}
