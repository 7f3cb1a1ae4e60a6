/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"

struct bundles {
	struct bundle *item[BUNDLES_MAX]; /* In order of their numbers. */
	size_t n;
	uint32_t last_id;
};

struct bundles *bundles_new(void)
{
	return calloc(1, sizeof(struct bundles));
}

static void bundle_free(struct bundle *bundle)
{
	for (size_t i = 0; i < bundle->n; i++)
		message_free(bundle->member[i]);
	free(bundle->member);
	free(bundle);
}

void bundles_free(struct bundles *bundles)
{
	for (size_t i = 0; bundles && i < bundles->n; i++)
		bundle_free(bundles->item[i]);
	free(bundles);
}

int bundle_open(struct bundles *bundles, uint64_t now_ms, uint32_t timeout_ms, struct bundle **ret_bundle)
{
	struct bundle *bundle;

	if (bundles->n == BUNDLES_MAX)
		return -EBUSY;
	bundle = calloc(1, sizeof(*bundle));
	if (!bundle)
		return -ENOMEM;
	bundle->id = ++bundles->last_id;
	bundle->timeout_ms = timeout_ms ? timeout_ms : BUNDLE_TIMEOUT_MS;
	bundle->due_ms = now_ms + bundle->timeout_ms;
	bundles->item[bundles->n++] = bundle;
	*ret_bundle = bundle;
	return 0;
}

struct bundle *bundle_find(struct bundles *bundles, uint32_t id)
{
	for (size_t i = 0; i < bundles->n; i++)
		if (bundles->item[i]->id == id)
			return bundles->item[i];
	return NULL;
}

void bundle_close(struct bundles *bundles, struct bundle *bundle)
{
	size_t i = 0;

	while (bundles->item[i] != bundle)
		i++;
	memmove(&bundles->item[i], &bundles->item[i + 1], (--bundles->n - i) * sizeof(bundles->item[0]));
	bundle_free(bundle);
}

/* ---- members ---- */

static int refuse(char *why, int r, const char *text)
{
	snprintf(why, 256, "%s", text);
	return r;
}

static bool can_hold(enum message_kind kind)
{
	return kind == MSG_ENTRIES || kind == MSG_SET_GLOBAL || kind == MSG_DEPLOY || kind == MSG_REMOVE;
}

/* Not less than there are. */
static uint64_t count_rows(const struct message *msg)
{
	uint64_t n = 0;

	if (msg->kind != MSG_ENTRIES)
		return 0;
	for (const char *at = msg->entries.rows; *at; at++)
		n += *at == '\n' || !at[1];
	return n;
}

static int append(struct bundle *bundle, struct message *msg)
{
	if (bundle->n == bundle->room) {
		size_t room = bundle->room ? 2 * bundle->room : 8;
		struct message **more = reallocarray(bundle->member, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		bundle->member = more;
		bundle->room = room;
	}
	bundle->member[bundle->n++] = msg;
	return 0;
}

int bundle_add(struct bundle *bundle, uint64_t now_ms, const uint8_t *bytes, size_t size, char *ret_why)
{
	struct message *msg;
	int r;

	bundle->due_ms = now_ms + bundle->timeout_ms;
	r = message_unpack(bytes, size, &msg, ret_why);
	if (r < 0)
		return r == -ENOMEM ? refuse(ret_why, r, "no memory") : -EPROTO;
	if (!can_hold(msg->kind))
		r = refuse(ret_why, -EOPNOTSUPP,
			   "a bundle takes entries, globals and deployments; flows and meters belong to the packets");
	else if (bundle->n == BUNDLE_MEMBERS_MAX)
		r = refuse(ret_why, -E2BIG, "a bundle has at most 4096 members");
	else if (bundle->n_rows + count_rows(msg) > BUNDLE_ROWS_MAX)
		r = refuse(ret_why, -E2BIG, "a bundle has at most 50000 rows of entries");
	else if (bundle->bytes + size > BUNDLE_BYTES_MAX)
		r = refuse(ret_why, -E2BIG, "a bundle has at most 16 MiB");
	else if (append(bundle, msg) < 0)
		r = refuse(ret_why, -ENOMEM, "no memory");
	if (r < 0) {
		message_free(msg);
		return r;
	}
	bundle->n_rows += count_rows(msg);
	bundle->bytes += size;
	return 0;
}

/* ---- time ---- */

struct bundle *bundle_next_due(struct bundles *bundles, uint64_t now_ms, uint64_t *ret_next_ms)
{
	*ret_next_ms = UINT64_MAX;
	for (size_t i = 0; i < bundles->n; i++) {
		if (bundles->item[i]->due_ms <= now_ms)
			return bundles->item[i];
		if (bundles->item[i]->due_ms < *ret_next_ms)
			*ret_next_ms = bundles->item[i]->due_ms;
	}
	return NULL;
}

const struct bundle *bundle_at(const struct bundles *bundles, size_t i)
{
	return i < bundles->n ? bundles->item[i] : NULL;
}
