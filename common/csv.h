/* SPDX-License-Identifier: GPL-2.0-or-later */
/* csv - rows of cells (RFC 4180): separated by commas, quoted where a cell has a comma, a quote or a line's end. */
#ifndef MEALY_CSV_H
#define MEALY_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Takes the row at '*at' apart, in place, and moves '*at' behind it; cells of blanks around are trimmed.
 *
 * Returns how many cells it has (at most 'max' are stored), 0 at the end of the text, -EINVAL: a quote is not closed.
 * Empty lines and lines that begin with "#" are passed over. */
int csv_row(char **at, char **ret_cell, int max);

/* Writes one cell, after a comma unless it is the first. */
void csv_print(FILE *out, bool first, const char *text);

#endif
