/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfsm_rule - which rule applies: the first in file order whose tests all hold in the record's state.
 *
 * Yields a number.  Applying the rule inside the search would put the verifier over its limit, and it would
 * make 256 copies of the code around constant tables. */
#ifndef MEALY_XFSM_RULE_H
#define MEALY_XFSM_RULE_H

#include "hook.h"

HOOK_FN __u32 rule_test(const __u64 *cells, const struct test *test)
{
	return test->next[BELOW(test->range, (cells[test->cell] & test->mask) - test->low)];
}

#ifdef MEALY_SPECIALISED
/* Around constant tables the loop runs over the tests themselves, so that each is code of its own. */
HOOK_FN __u32 rule_find(const __u64 *cells, const struct table *t, __u32 state)
{
	__u32 next = t->states[state & (STATES_MAX - 1)].first_test;

	LOOP
	for (__u32 i = 0; i < t->n_tests; i++)
		if (next == i)
			next = (cells[t->tests[i].cell] & t->tests[i].mask) - t->tests[i].low <= t->tests[i].range ?
				       t->tests[i].next[0] :
				       t->tests[i].next[1];
	return next - TESTS_MAX;
}
#else
HOOK_FN __u32 rule_find(const __u64 *cells, const struct table *t, __u32 state)
{
	__u32 next = t->states[state & (STATES_MAX - 1)].first_test;

	LOOP
	for (__u32 i = 0; i < SEARCH_MAX; i++) {
		if (next >= TESTS_MAX)
			break;
		next = rule_test(cells, &t->tests[next]);
	}
	return next - TESTS_MAX;
}
#endif

#endif
