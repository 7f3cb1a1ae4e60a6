/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sample - small texts of the language, given to the checker. */
#ifndef MEALY_DOCS_SAMPLE_H
#define MEALY_DOCS_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "../tables/app.h"

enum sample { SAMPLE_GOOD, SAMPLE_PLANNED, SAMPLE_BAD };

/* Checks one rule, as it stands between "{" and "}", in a table with state and a register of each type.  When it
 * is bad, says on stderr why. */
enum sample sample_rule(const char *rule);

/* The value of a constant expression: true and the value as people write it. */
bool sample_value(const char *expr, char *ret_text, size_t size);

#endif
