/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of other tables: written by `learn`, claimed by `allocate`. */
#include <string.h>

#include "judge_int.h"

enum { TRIES = 32 };

/* A part narrower than its value gets the low bits. */
static struct judge_flow key_of(const struct visit *v, const struct app_learn *learn)
{
	const struct app_key *part = v->run->judge->app->table[learn->table].lookup;
	struct judge_flow flow = {};

	for (; flow.n_key < learn->n_key; flow.n_key++, part++) {
		flow.key[flow.n_key] = judge_eval(v, learn->key[flow.n_key]);
		if (part->bits < 64)
			flow.key[flow.n_key].lo &= (1ULL << part->bits) - 1;
	}
	return flow;
}

static void write_record(const struct visit *v, const struct app_learn *learn, struct judge_flow *flow)
{
	flow->last_used_ns = v->now_ns;
	for (size_t i = 0; i < learn->n_sets; i++)
		flow->reg[learn->set[i].reg] = judge_eval(v, learn->set[i].value);
	judge_enter(&v->run->judge->app->table[learn->table], flow, learn->state, v->now_ns);
}

bool judge_learn(struct visit *v, const struct app_learn *learn)
{
	struct judge_table *t = &v->run->judge->table[learn->table];
	struct judge_flow new_ = key_of(v, learn), *flow = judge_find(t, &new_);

	if (flow && judge_fall(v->run->judge, v->run, learn->table, flow, v->now_ns)) {
		judge_remove(v->run->judge, learn->table, flow);
		t->expired++;
		flow = NULL;
	}
	if (learn->ends) {
		t->freed += flow != NULL;
		if (flow)
			judge_remove(v->run->judge, learn->table, flow);
		return true;
	}
	if (!flow && !judge_room(v->run, learn->table, v->run->result.n_events))
		return false;
	write_record(v, learn, flow ? flow : &new_);
	if (!flow)
		judge_add(t, &new_);
	t->created += !flow;
	t->learned++;
	return true;
}

/* The value asked for, if it lies in the range, then any. */
static uint64_t value_of(struct visit *v, const struct app_learn *learn, unsigned turn, uint64_t first)
{
	if (turn == 0 && learn->first && first >= learn->from && first <= learn->to)
		return first;
	return learn->from + judge_random(v->run->judge) % (learn->to - learn->from + 1);
}

static bool claim(struct visit *v, const struct app_learn *learn, const struct judge_flow *key)
{
	struct judge_flow flow = *key;

	if (!judge_room(v->run, learn->table, v->run->result.n_events))
		return false;
	write_record(v, learn, &flow);
	judge_add(&v->run->judge->table[learn->table], &flow);
	v->run->judge->table[learn->table].created++;
	return true;
}

bool judge_allocate(struct visit *v, const struct app_learn *learn)
{
	struct judge_table *own = &v->run->judge->table[v->table], *t = &v->run->judge->table[learn->table];
	uint64_t first = learn->first ? judge_eval(v, learn->first).lo : 0;

	for (unsigned i = 0; i < TRIES; i++) {
		struct judge_flow key;

		v->looked_up.reg[learn->reg].lo = value_of(v, learn, i, first);
		own->tries++;
		key = key_of(v, learn);
		if (judge_find(t, &key))
			continue;
		if (!claim(v, learn, &key))
			break;
		v->claimed = v->looked_up;
		v->claimed.claim.held = true;
		memcpy(v->claimed.claim.key, key.key, sizeof(key.key));
		return true;
	}
	own->failed++;
	return false;
}
