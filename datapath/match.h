/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match - INTERP_MATCH: which entry of a match table with masks a packet belongs to.
 *
 * Prepares the table as INTERP_TABLE would, makes the key of the best entry (or one that no entry has) and goes on to
 * INTERP_TABLE, which finds the entry by it like any flow.  A program of its own, for the verifier's budget. */
#ifndef MEALY_MATCH_H
#define MEALY_MATCH_H

#include "switch.h"

HOOK_FN int switch_match(struct hook *h, struct scratch *s)
{
	const struct table *t = map_table(h, TABLE_INDEX(s->slot & 1, h->id, s->table));

	if (!t || !(t->flags & TABLE_VALID))
		return switch_fault(h, s, EXIT_NO_TABLE);
	table_prepare(h, s, t);
	s->base = CELL_LOOKUP;
	table_key(s, t);
	s->keyed = 1;
	return switch_go(h, s, INTERP_TABLE);
}

#endif
