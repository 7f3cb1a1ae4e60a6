/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry_rows - rows of entries as people write them, put into an open match table one after the other.
 *
 * One thread, that of the entry store. */
#ifndef MEALY_ENTRY_ROWS_H
#define MEALY_ENTRY_ROWS_H

#include "../proto/message.h"
#include "entry_store.h"

struct entry_rows {
	const struct msg_entries *msg;
	struct entry_table et;
	struct entry_notes *notes;
	struct port_names names;
	FILE *ids;	     /* The number of each row's key, a line each; NULL: nobody asks. */
	uint64_t n, changed; /* Rows read; entries that were not so before. */
	char why[ENTRY_WHY]; /* What is wrong with row 'n'; "": see the errno. */
};

/* Does all rows in order until one fails: 0, or a negative errno.  Not for ENTRY_CLEAR; nothing is published. */
int entry_rows_write(struct entry_rows *rows);

/* Would packets see one of the rows by halves, because it is, or was, several records?  What is wrong with a row is not
 * said here. */
bool entry_rows_need_bundle(struct entry_rows *rows);

/* Columns that `entry list` has beside what a row may say. */
enum { ENTRY_TOLD = 4 };
extern const char *const entry_told[ENTRY_TOLD];

#endif
