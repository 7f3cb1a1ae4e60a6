/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry_render - the cells of an entry as people write them, so that entry_set() reads them again. */
#ifndef MEALY_ENTRY_RENDER_H
#define MEALY_ENTRY_RENDER_H

#include "entry.h"

enum { ENTRY_TEXT_SIZE = SEGMENTS_TEXT_SIZE };

/* Part 'part' of the key as a pattern: of a record and its mask (NULL: exact). */
struct pattern entry_part_of_record(const struct app_table *table, const struct layout *layout, size_t part,
				    const __u64 *words, const __u64 *mask);

/* "10.0.0.0/8", "80-90", "0x2/0x12", "*"; segments as 'lists' has them. */
const char *entry_render_pattern(const struct app_key *key, const struct pattern *pattern,
				 const struct segment_lists *lists, char *buf);

/* Any other column of entry_column() but `name`, of a record at 'now_ns'. */
const char *entry_render_column(const struct app_table *table, const struct layout *layout, const char *column,
				const __u64 *words, __u64 now_ns, char *buf);

#endif
