/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfsm_rule - which rule applies: the rows of the record's state, in file order, first match.
 *
 * Yields a number.  Applying the rule inside the search would put the verifier over its limit, and it would
 * make 256 copies of the code around constant tables. */
#ifndef MEALY_XFSM_RULE_H
#define MEALY_XFSM_RULE_H

#include "hook.h"

HOOK_FN bool rule_term_holds(const __u64 *cells, const struct term *term)
{
	bool inside = (cells[term->cell] & term->mask) - term->low <= term->range;

	return inside != !!term->invert;
}

HOOK_FN bool rule_row_holds(const __u64 *cells, const struct table *t, const struct row *row)
{
	__u32 first = row->first_term, n = row->n_terms;

	if ((cells[CELL_PRESENT] & row->needs) != row->needs)
		return false;
	LOOP
	for (__u32 i = 0; i < ROW_TERMS_MAX; i++) {
		if (i >= n)
			break;
		if (!rule_term_holds(cells, &t->terms[(first + i) & (TERMS_MAX - 1)]))
			return false;
	}
	return true;
}

HOOK_FN __u32 rule_find(const __u64 *cells, const struct table *t, __u32 state)
{
	const struct state_def *sd = &t->states[state & (STATES_MAX - 1)];
	__u32 first = sd->first_row, n = sd->n_rows;

	LOOP
	for (__u32 i = 0; i < ROWS_MAX; i++) {
		const struct row *row;

		if (i >= n)
			break;
		row = &t->rows[t->row_list[(first + i) & (ROW_REFS_MAX - 1)] & (ROWS_MAX - 1)];
		if (rule_row_holds(cells, t, row))
			return row->rule;
	}
	return RULE_OTHERWISE;
}

#endif
