/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry_move - the entries of a match table taken along into a flow table of their own, which packets search from the
 * next commit on.
 *
 *     entry_moves_add(), more changes -> commit -> grace -> entry_moves_settle(): what packets of the version before
 *     counted meanwhile is added
 *
 * Masks keep their numbers, so keys are equal in both.  Hard timeouts go on, idle ones begin again.
 * One thread, that of the entry store. */
#ifndef MEALY_ENTRY_MOVE_H
#define MEALY_ENTRY_MOVE_H

#include "entry_store.h"
#include "plan.h"

struct entry_moves;

/* Copies the entries of 'from' (of the active plan) into the empty flow table of 'to', which is in 'slot', with their
 * names (those of the text's unless it changed).  '*moves' may be NULL and is made then.  0 or a negative errno. */
int entry_moves_add(struct entry_moves **moves, struct entry_store *entries, const struct plan_table *from,
		    const struct plan_table *to, unsigned slot);

/* After grace, while the flow tables of the version before still are there. */
void entry_moves_settle(struct entry_moves *moves, struct entry_store *entries, const struct plan *plan, unsigned slot);
void entry_moves_free(struct entry_moves *moves);

#endif
