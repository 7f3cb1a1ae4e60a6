/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry_feed - entries from a file, row by row, as CSV: what `entry import` sends.
 *
 * CSV with a line of columns first, or JSON, one object a line as `entry export --json` writes them; memory does not
 * grow with the file. */
#ifndef MEALY_ENTRY_FEED_H
#define MEALY_ENTRY_FEED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../proto/message.h"

struct entry_feed;

/* 'in' stays the caller's.  'json': -1 finds out.  0, -ENOMEM, or -EINVAL with a sentence in 'why' (256 bytes). */
int entry_feed_new(FILE *in, int json, struct entry_feed **ret_feed, char *why);
void entry_feed_free(struct entry_feed *feed);

/* The columns of the rows that come next; the feed's. */
size_t entry_feed_columns(const struct entry_feed *feed, const char ***ret_column);

/* Rows of at most 'max' bytes, and how many: 0, with 0 rows at the end, or -EINVAL and 'why'.  Rows have the same
 * columns; when those change, it ends early.  The text is valid until the next call. */
int entry_feed_next(struct entry_feed *feed, size_t max, const char **ret_rows, size_t *ret_n, char *why);

/* The line of the file that row 'row' (1..) of the last rows stood on. */
uint64_t entry_feed_line(const struct entry_feed *feed, uint64_t row);

#endif
