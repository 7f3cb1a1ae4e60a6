/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle - changes that were collected and wait to be done together.
 *
 *     open -> add, add, ... -> commit (bundle_commit.h) or discard; or nothing comes for its time-out
 *
 * Bundles belong to the switch and not to a connection: whoever may write may go on with one.
 * Pure: time is given.  Single-threaded. */
#ifndef MEALY_BUNDLE_H
#define MEALY_BUNDLE_H

#include "../proto/message.h"

enum {
	BUNDLES_MAX = 16,
	BUNDLE_MEMBERS_MAX = 4096,
	BUNDLE_ROWS_MAX = 50000, /* The numbers of their keys fit into one answer. */
	BUNDLE_BYTES_MAX = 16 << 20,
	BUNDLE_TIMEOUT_MS = 60000,
};

struct bundle {
	uint32_t id;
	struct message **member; /* Owned. */
	size_t n, room;
	uint64_t n_rows, bytes;
	uint32_t timeout_ms;
	uint64_t due_ms; /* When it is discarded. */
};

struct bundles;

struct bundles *bundles_new(void); /* NULL: no memory. */
void bundles_free(struct bundles *bundles);

/* 'timeout_ms' 0: BUNDLE_TIMEOUT_MS.  -EBUSY: BUNDLES_MAX are open; -ENOMEM. */
int bundle_open(struct bundles *bundles, uint64_t now_ms, uint32_t timeout_ms, struct bundle **ret_bundle);
/* NULL: it was never opened, or is gone. */
struct bundle *bundle_find(struct bundles *bundles, uint32_t id);
/* Unpacks 'bytes' and takes the message in.  A failure leaves the bundle as it was, with a sentence in 'ret_why' (256
 * bytes): -EPROTO (no message), -EOPNOTSUPP (not a change that a bundle can have), -E2BIG (a limit above), -ENOMEM. */
int bundle_add(struct bundle *bundle, uint64_t now_ms, const uint8_t *bytes, size_t size, char *ret_why);
void bundle_close(struct bundles *bundles, struct bundle *bundle);

/* Those whose time is over: the first, or NULL and when the next one's is in '*ret_next_ms' (UINT64_MAX: none is open).
 */
struct bundle *bundle_next_due(struct bundles *bundles, uint64_t now_ms, uint64_t *ret_next_ms);
/* The open ones in order of their numbers; NULL behind the last. */
const struct bundle *bundle_at(const struct bundles *bundles, size_t i);

#endif
