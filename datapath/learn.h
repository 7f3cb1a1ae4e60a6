/* SPDX-License-Identifier: GPL-2.0-or-later */
/* learn - INTERP_LEARN: a rule's writes to the records of other tables.
 *
 * A program of its own, for the verifier's budget. */
#ifndef MEALY_LEARN_H
#define MEALY_LEARN_H

#include "switch.h"

HOOK_FN int switch_learn(struct hook *h, struct scratch *s)
{
	return switch_fault(h, s, EXIT_INTERNAL);
}

#endif
