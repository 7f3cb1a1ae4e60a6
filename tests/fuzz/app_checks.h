/* SPDX-License-Identifier: GPL-2.0-or-later */
/* app_checks - what must hold of any text given to the language. */
#ifndef MEALY_TEST_FUZZ_APP_CHECKS_H
#define MEALY_TEST_FUZZ_APP_CHECKS_H

#include "tables/app.h"

/* Parses 'text': an application to be freed, or NULL and at least one mistake in words.  The application is printed
 * and read again with the same rules, has no difference to itself, and encodes or is refused in words. */
void app_check_text(const char *text, size_t size);

#endif
