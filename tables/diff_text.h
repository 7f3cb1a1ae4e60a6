/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff_text - parts of an application as one line each: to be compared, and shown when they differ.
 *
 * Lines are the caller's; NULL without memory. */
#ifndef MEALY_DIFF_TEXT_H
#define MEALY_DIFF_TEXT_H

#include "app.h"

/* "[ip.src, in_port]"; without parts "as lookup". */
char *diff_text_keys(const struct app_key *part, size_t n);
/* "[n, time last]" of registers or variables. */
char *diff_text_typed(const struct typed *typed, size_t n);
/* "idle 5 s to REST, on_timeout n += 1"; "none". */
char *diff_text_timeouts(const struct app_table *table, const struct app_state *state);
/* "{udp.dst: 9000} [version 4, flags 4]" */
char *diff_text_header(const struct app_header *header);

#endif
