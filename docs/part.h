/* SPDX-License-Identifier: GPL-2.0-or-later */
/* part - the parts of the language reference that are made from the tables the code itself uses.
 *
 * Names, widths, units and levels come from there; the sentence and the example for each word are here.
 * A word without them, and a sentence for no word, is an error: so nothing new stays undocumented.
 * Every example is given to the checker before it is printed. */
#ifndef MEALY_DOCS_PART_H
#define MEALY_DOCS_PART_H

#include <stdio.h>

/* Prints the part called 'name' as Markdown.  -ENOENT: there is no such part; -EINVAL after saying on stderr
 * what is wrong. */
int part_print(const char *name, FILE *out);

/* The names of all parts, NULL at the end. */
extern const char *const part_names[];

#endif
