/* SPDX-License-Identifier: GPL-2.0-or-later */
/* specialise - a table of a hook as a C constant, so that the datapath's own source can be compiled around it.
 *
 * With every index constant and every loop unrolled the compiler folds the interpreter away; there is no second
 * implementation. See datapath/README.md, "Specialised". */
#ifndef MEALY_SPECIALISE_H
#define MEALY_SPECIALISE_H

#include <stdbool.h>
#include <stdio.h>

#include "../datapath/pipeline.h"

/* All tables of one hook of a version, in their places. */
struct specialise_hook {
	enum hook_id id;
	const struct table *table;
	unsigned n_tables;
	const struct chain *chain;
};

/* Number of the table that has the hook's entry in its object: the one most ports begin with; -1: no port begins. */
int specialise_entry_table(const struct specialise_hook *hook);

/* Which programs the object of table 'i' has: bits 1 << enum interp_prog.  The others are the interpreter's. */
unsigned specialise_programs(const struct specialise_hook *hook, unsigned i);

/* Prints the file that datapath/specialised.bpf.c is compiled with for table 'i': only what differs from zero of
 * "specialised_table", but its `learns`, which the interpreter's program reads; and as macros what leads to the table
 * and from it.  It is the same for equal tables, so it serves as their name.  0, or -EIO when 'out' could not be
 * written. */
int specialise_print(FILE *out, const struct specialise_hook *hook, unsigned i);

#endif
