/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfsm_rule - which rule applies: the first in file order whose tests all hold in the record's state.
 *
 * Yields a number.  Applying the rule inside the search would put the verifier over its limit, and it would
 * make 256 copies of the code around constant tables. */
#ifndef MEALY_XFSM_RULE_H
#define MEALY_XFSM_RULE_H

#include "xfsm_time.h"

HOOK_FN __u32 rule_test(const __u64 *cells, const struct test *test)
{
	return test->next[BELOW(test->range + cells[test->limit], (cells[test->cell] & test->mask) - test->low)];
}

#ifdef MEALY_SPECIALISED
/* Around constant tables the loop runs over the tests themselves, so that each is code of its own.  A test leads to
 * later ones only, so once over all of them is enough. */
HOOK_FN bool rule_holds(const __u64 *cells, const struct test *test)
{
	__u64 limit = test->limit == CELL_ZERO ? 0 : cells[test->limit];

	return (cells[test->cell] & test->mask) - test->low <= test->range + limit;
}

HOOK_FN __u32 rule_find(const __u64 *cells, const struct table *t, __u32 state)
{
	__u32 next = time_state(t, state)->first_test;

	LOOP
	for (__u32 i = 0; i < t->n_tests; i++)
		if (next == i)
			next = rule_holds(cells, &t->tests[i]) ? t->tests[i].next[0] : t->tests[i].next[1];
	return next - TESTS_MAX;
}

/* What follows from a rule is written once and compiled once for each rule, in which 'r' is constant. */
#define RULE_CASE(i, t, r, ...)                                                                                        \
	case i: {                                                                                                      \
		const struct rule *r = &(t)->rules[i];                                                                 \
                                                                                                                       \
		__VA_ARGS__;                                                                                           \
		break;                                                                                                 \
	}
#define WITH_RULE(s, t, r, ...)                                                                                        \
	switch ((s)->rule) {                                                                                           \
		SPECIALISED_RULES(RULE_CASE, t, r, __VA_ARGS__)                                                        \
	default: {                                                                                                     \
		const struct rule *r = &(t)->rules[RULE_OTHERWISE];                                                    \
                                                                                                                       \
		__VA_ARGS__;                                                                                           \
	}                                                                                                              \
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

/* The chosen rule is 'r' in what follows. */
#define WITH_RULE(s, t, r, ...)                                                                                        \
	{                                                                                                              \
		const struct rule *r = step_rule(s, t);                                                                \
                                                                                                                       \
		__VA_ARGS__;                                                                                           \
	}
#endif

#endif
