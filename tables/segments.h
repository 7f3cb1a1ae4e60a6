/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segments - lists of SRv6 segments: as people write them, in the order of the path, and as packets carry them; and the
 * memory in which the datapath finds those that are in keys of entries. */
#ifndef MEALY_SEGMENTS_H
#define MEALY_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "../datapath/pipeline.h"

/* As text: addresses of up to 39 letters and a comma each. */
enum { SEGMENTS_TEXT_SIZE = SEGMENTS_MAX * 40 + 1, SEGMENTS_WHY = 160 };

struct segments {
	unsigned n; /* 0: none. */
	__u64 word[2 * SEGMENTS_MAX];
};

/* "fcff:3::1,fcff:4::1", blanks allowed behind commas.  0, or -EINVAL with a sentence in 'why' (SEGMENTS_WHY bytes). */
int segments_parse(const char *text, struct segments *ret_segments, char *why);
/* Into 'buf' of SEGMENTS_TEXT_SIZE bytes; returns it. */
const char *segments_render(const struct segments *segments, char *buf);

/* What stands for it in keys; never 0. */
__u64 segments_fingerprint(const struct segments *segments);

/* The list of this fingerprint, or -ENOENT. */
int segments_get(const struct segment_lists *lists, __u64 fingerprint, struct segments *ret_segments);

/* Packets find the list from now on.  0 also if they did; -ENOBUFS: no room; -EEXIST: another list has its fingerprint.
 * One writer. */
int segments_put(struct segment_lists *lists, const struct segments *segments);

/* Packets no longer find lists for which 'is_used' is false; once no packet can look at them any more,
 * segments_reclaim() makes their room free. */
void segments_unlink_unused(struct segment_lists *lists, bool (*is_used)(void *data, __u64 fingerprint), void *data);
void segments_reclaim(struct segment_lists *lists);

#endif
