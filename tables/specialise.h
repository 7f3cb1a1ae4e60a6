/* SPDX-License-Identifier: GPL-2.0-or-later */
/* specialise - struct table as a C initialiser, so that the datapath's own source can be compiled around it.
 *
 * With every index constant and every loop unrolled the compiler folds the interpreter away; there is no second
 * implementation. See datapath/README.md, "Specialised". */
#ifndef MEALY_SPECIALISE_H
#define MEALY_SPECIALISE_H

#include <stdio.h>

#include "../datapath/pipeline.h"

/* Prints "static const struct table NAME = {...};", only what differs from zero, and before it the macros
 * SPECIALISED_RULES(X, ...) and SPECIALISED_STATES(X, ...), which are X(number, ...) for each rule but RULE_OTHERWISE
 * and each state but the first, and SPECIALISED_NOTES, 1 if a rule or a timeout notifies.  0, or -EIO when 'out' could
 * not be written. */
int specialise_print(FILE *out, const char *name, const struct table *table);

#endif
