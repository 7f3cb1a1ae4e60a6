/* SPDX-License-Identifier: GPL-2.0-or-later */
/* specialise - struct table as a C initialiser, so that the datapath's own source can be compiled around it.
 *
 * With every index constant and every loop unrolled the compiler folds the interpreter away; there is no second
 * implementation. See datapath/README.md, "Specialised". */
#ifndef MEALY_SPECIALISE_H
#define MEALY_SPECIALISE_H

#include <stdio.h>

#include "../datapath/pipeline.h"

/* Prints "static const struct table NAME[N] = {...};" and "enum { NAME_n = N };".  Only what differs from zero is
 * printed.  0, or -EIO when 'out' could not be written. */
int specialise_print(FILE *out, const char *name, const struct table *tables, unsigned n);

#endif
