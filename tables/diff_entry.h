/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff_entry - what a new text changes in the entries of a match table. */
#ifndef MEALY_DIFF_ENTRY_H
#define MEALY_DIFF_ENTRY_H

#include <stdio.h>

#include "app.h"

/* A line for each entry that comes, goes or changes, up to ENTRY_LINES_MAX of them; clears *same if there is any. */
enum { ENTRY_LINES_MAX = 20 };
void diff_entries(FILE *out, const struct app_table *old, const struct app_table *new_, bool *same);

#endif
