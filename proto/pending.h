/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pending - requests that wait for an answer: ours, with whom to tell, or the other side's, with
 * nobody.  Ids are added in growing order.  No clock: deadlines are compared with what the caller
 * calls now. */
#ifndef MEALY_PENDING_H
#define MEALY_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoint.h"

struct pending_request {
	uint64_t id;
	uint64_t deadline_ms; /* UINT64_MAX: none. */
	peer_reply_fn reply;  /* May be NULL. */
	void *data;
};

struct pending {
	struct pending_request *item; /* item[first..end), by id. */
	size_t first, end, room;
	uint64_t earliest_ms; /* No deadline is earlier. */
};

void pending_init(struct pending *pending);
void pending_done(struct pending *pending);

/* Makes room for one more, so that the next pending_add() cannot fail: 0, -ENOMEM. */
int pending_reserve(struct pending *pending);
void pending_add(struct pending *pending, const struct pending_request *request);

/* Each removes a request and returns true, or returns false: request 'id'; one whose deadline is
 * not after 'now_ms'; any. */
bool pending_take(struct pending *pending, uint64_t id, struct pending_request *ret_request);
bool pending_take_expired(struct pending *pending, uint64_t now_ms, struct pending_request *ret_request);
bool pending_take_any(struct pending *pending, struct pending_request *ret_request);

static inline size_t pending_count(const struct pending *pending)
{
	return pending->end - pending->first;
}

#endif
