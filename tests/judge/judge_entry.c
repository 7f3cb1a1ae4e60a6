/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Match tables as the language says: every entry is looked at.  Only those of the text, and nothing of their times. */
#include "judge_int.h"

#include "tables/entry.h"

static bool in_range(struct judge_value x, const struct pattern *p)
{
	return x.lo >= p->lo && x.lo <= p->last;
}

static bool part_matches(struct judge_value x, const struct pattern *p)
{
	if (p->kind == PATTERN_RANGE)
		return in_range(x, p);
	return (x.hi & p->mask_hi) == (p->hi & p->mask_hi) && (x.lo & p->mask_lo) == (p->lo & p->mask_lo);
}

static unsigned bits_compared(const struct app_table *t, const struct entry *e)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->n_lookup; i++)
		if (e->key[i].kind != PATTERN_RANGE)
			n += __builtin_popcountll(e->key[i].mask_hi) + __builtin_popcountll(e->key[i].mask_lo);
	return n;
}

static bool is_better(const struct app_table *t, const struct entry *a, const struct entry *b)
{
	if (!b || a->priority != b->priority)
		return !b || a->priority > b->priority;
	return bits_compared(t, a) > bits_compared(t, b);
}

const struct entry *judge_entry(struct visit *v)
{
	const struct app_table *t = v->app;
	const struct entry *best = NULL;

	for (size_t i = 0; i < t->n_entries; i++) {
		const struct entry *e = t->entry[i].entry;
		bool matches = true;

		for (size_t k = 0; k < t->n_lookup; k++)
			matches &= part_matches(v->looked_up.key[k], &e->key[k]);
		if (matches && is_better(t, e, best))
			best = e;
	}
	for (size_t r = 0; best && r < t->n_regs; r++) {
		bool wide = t->reg[r].type == TYPE_ADDR;

		v->looked_up.reg[r].hi = wide ? best->reg[t->reg[r].word] : 0;
		v->looked_up.reg[r].lo = best->reg[t->reg[r].word + wide];
	}
	return best;
}
