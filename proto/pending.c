// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pending.h"

void pending_init(struct pending *pending)
{
	*pending = (struct pending){.earliest_ms = UINT64_MAX};
}

void pending_done(struct pending *pending)
{
	free(pending->item);
	pending_init(pending);
}

int pending_reserve(struct pending *pending)
{
	size_t n = pending_count(pending);
	struct pending_request *item;
	size_t room;

	if (pending->end < pending->room)
		return 0;
	if (pending->first > pending->room / 2) {
		memmove(pending->item, pending->item + pending->first, n * sizeof(*item));
		pending->first = 0;
		pending->end = n;
		return 0;
	}
	room = pending->room ? 2 * pending->room : 16;
	item = reallocarray(pending->item, room, sizeof(*item));
	if (!item)
		return -ENOMEM;
	pending->item = item;
	pending->room = room;
	return 0;
}

void pending_add(struct pending *pending, const struct pending_request *request)
{
	assert(pending->end < pending->room);
	assert(!pending_count(pending) || pending->item[pending->end - 1].id < request->id);
	pending->item[pending->end++] = *request;
	if (request->deadline_ms < pending->earliest_ms)
		pending->earliest_ms = request->deadline_ms;
}

static void remove_at(struct pending *pending, size_t i)
{
	if (i == pending->first)
		pending->first++;
	else {
		memmove(pending->item + i, pending->item + i + 1, (pending->end - i - 1) * sizeof(*pending->item));
		pending->end--;
	}
	if (pending->first == pending->end)
		pending->first = pending->end = 0;
}

bool pending_take(struct pending *pending, uint64_t id, struct pending_request *ret_request)
{
	size_t low = pending->first, high = pending->end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pending->item[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == pending->end || pending->item[low].id != id)
		return false;
	*ret_request = pending->item[low];
	remove_at(pending, low);
	return true;
}

bool pending_take_expired(struct pending *pending, uint64_t now_ms, struct pending_request *ret_request)
{
	uint64_t earliest_ms = UINT64_MAX;

	if (now_ms < pending->earliest_ms)
		return false;
	for (size_t i = pending->first; i < pending->end; i++) {
		if (pending->item[i].deadline_ms <= now_ms) {
			*ret_request = pending->item[i];
			remove_at(pending, i);
			return true;
		}
		if (pending->item[i].deadline_ms < earliest_ms)
			earliest_ms = pending->item[i].deadline_ms;
	}
	pending->earliest_ms = earliest_ms;
	return false;
}

bool pending_take_any(struct pending *pending, struct pending_request *ret_request)
{
	if (!pending_count(pending))
		return false;
	*ret_request = pending->item[pending->first];
	remove_at(pending, pending->first);
	return true;
}
