/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of each state -> the tests that the datapath walks.
 *
 * A state's rows are laid out from the last to the first, because a test names what follows it: the next test of its
 * row if it holds, the first test of the next row if not.  So equal ends of two states' lists are the same tests, and
 * 256 rules for every state are there once.  Numbers are turned round at the end: a walk then goes upwards only. */
#include <stdlib.h>

#include "encode_int.h"

/* Row 'row' in front of 'miss' begins at test 'first'. */
struct search_memo {
	unsigned row, miss, first;
};

static bool row_applies(const struct enc *e, const struct row *row, unsigned state)
{
	const struct app_rule *rule = &e->at->rule[row->rule];

	return !e->at->stateful || rule->any_state || (rule->states >> state & 1);
}

int enc_search_init(struct enc *e)
{
	e->memo = calloc(TESTS_MAX, sizeof(*e->memo));
	return e->memo ? 0 : -1;
}

static unsigned add_test(struct enc *e, const struct term *term, unsigned hit, unsigned miss)
{
	struct table *out = e->out;

	if (out->n_tests >= TESTS_MAX) {
		enc_error(e, "table %s: its rules take more than %d comparisons in all states together", e->at->name,
			  TESTS_MAX);
		return miss;
	}
	out->tests[out->n_tests] = (struct test){
		.cell = term->cell,
		.limit = term->limit ? term->limit : CELL_ZERO,
		.mask = term->mask,
		.low = term->low,
		.range = term->range,
		.next = {term->invert ? miss : hit, term->invert ? hit : miss},
	};
	return out->n_tests++;
}

/* Headers are looked for first: without them the cells of the fields are 0. */
static unsigned add_row(struct enc *e, const struct row *row, unsigned miss)
{
	uint64_t needs = e->at->stateful ? row->needs & ~e->out->key_needs : row->needs;
	struct term present = {.cell = CELL_PRESENT, .mask = needs, .low = needs};
	unsigned next = FOUND(row->rule);

	for (unsigned i = row->n_terms; i-- > 0;)
		next = add_test(e, &row->term[i], next, miss);
	return needs ? add_test(e, &present, next, miss) : next;
}

static unsigned place_row(struct enc *e, unsigned index, unsigned miss)
{
	unsigned first;

	for (unsigned i = e->n_memos; i-- > 0;)
		if (e->memo[i].row == index && e->memo[i].miss == miss)
			return e->memo[i].first;
	first = add_row(e, &e->row[index], miss);
	if (e->n_memos < TESTS_MAX)
		e->memo[e->n_memos++] = (struct search_memo){.row = index, .miss = miss, .first = first};
	return first;
}

static unsigned row_tests(const struct enc *e, const struct row *row)
{
	uint64_t needs = e->at->stateful ? row->needs & ~e->out->key_needs : row->needs;

	return row->n_terms + (needs != 0);
}

void enc_search(struct enc *e, struct state_def *def, unsigned state)
{
	unsigned next = FOUND(RULE_OTHERWISE), n_tests = 0;

	for (unsigned i = e->n_rows; i-- > 0 && !e->failed;) {
		if (!row_applies(e, &e->row[i], state))
			continue;
		n_tests = row_tests(e, &e->row[i]) ? n_tests + row_tests(e, &e->row[i]) : 0;
		next = place_row(e, i, next);
	}
	if (n_tests > SEARCH_MAX)
		enc_error(e, "table %s: the rules of one state take %u comparisons, the limit is %d", e->at->name,
			  n_tests, SEARCH_MAX);
	def->first_test = next;
	def->n_tests = n_tests;
}

static unsigned turned(const struct table *t, unsigned next)
{
	return next < TESTS_MAX ? t->n_tests - 1 - next : next;
}

void enc_search_done(struct enc *e)
{
	struct table *t = e->out;

	for (unsigned i = 0; i < t->n_tests; i++)
		for (unsigned way = 0; way < 2; way++)
			t->tests[i].next[way] = turned(t, t->tests[i].next[way]);
	for (unsigned low = 0, high = t->n_tests; low + 1 < high; low++) {
		struct test swap = t->tests[low];

		t->tests[low] = t->tests[--high];
		t->tests[high] = swap;
	}
	for (unsigned i = 0; i < STATES_MAX; i++)
		if (t->states[i].flags & STATE_KNOWN)
			t->states[i].first_test = turned(t, t->states[i].first_test);
}
