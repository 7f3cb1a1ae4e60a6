/* SPDX-License-Identifier: GPL-2.0-or-later */
/* placement_diff - how two deployments of one name differ beside their application's text. */
#ifndef MEALY_PLACEMENT_DIFF_H
#define MEALY_PLACEMENT_DIFF_H

#include "../proto/message.h"

/* Lines for people about hook, order, ports and switches, without a final newline; "" when all are
 * equal.  Settings are the application's parameters, which app_diff() compares.  The caller frees; NULL without memory.
 */
char *placement_diff(const struct deployment *old, const struct deployment *new_, bool *ret_same);

#endif
