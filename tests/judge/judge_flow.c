/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flows of a table: found, added, removed with what they claimed, and room where there is none. */
#include <stdlib.h>
#include <string.h>

#include "judge_int.h"

struct judge_flow *judge_find(struct judge_table *t, const struct judge_flow *key)
{
	for (unsigned i = 0; i < t->n_flows; i++)
		if (memcmp(t->flow[i].key, key->key, sizeof(key->key)) == 0)
			return &t->flow[i];
	return NULL;
}

void judge_add(struct judge_table *t, const struct judge_flow *flow)
{
	struct judge_flow *grown = realloc(t->flow, (t->n_flows + 1) * sizeof(*grown));

	if (!grown)
		abort();
	t->flow = grown;
	t->flow[t->n_flows++] = *flow;
}

void judge_release(struct judge *j, unsigned table, const struct judge_claim *claim)
{
	struct judge_flow held = {}, *found;
	struct judge_table *from;

	if (!claim->held)
		return;
	from = &j->table[j->app->table[table].claims_from - j->app->table];
	memcpy(held.key, claim->key, sizeof(held.key));
	found = judge_find(from, &held);
	*found = from->flow[--from->n_flows];
	from->freed++;
}

void judge_remove(struct judge *j, unsigned table, struct judge_flow *flow)
{
	struct judge_table *t = &j->table[table];

	judge_release(j, table, &flow->claim);
	*flow = t->flow[--t->n_flows];
}

void judge_catch_up(struct run *run, unsigned table, const struct judge_flow *key)
{
	struct judge_table *t = &run->judge->table[table];
	struct judge_flow *flow = judge_find(t, key);

	if (!flow || !(judge_has_updates(t->app) || t->app->claims_from) ||
	    !judge_fall(run->judge, run, table, flow, run->now_ns))
		return;
	judge_remove(run->judge, table, flow);
	t->expired++;
}

/* A full table: one that is due goes, else where the table evicts the one unused for longest. */
static bool make_room(struct run *run, unsigned table)
{
	struct judge_table *t = &run->judge->table[table];
	struct judge_flow now, *oldest = NULL;

	for (unsigned i = 0; i < t->n_flows; i++) {
		if (!judge_flow_now(run->judge, table, &t->flow[i], run->now_ns, &now)) {
			judge_fall(run->judge, run, table, &t->flow[i], run->now_ns);
			judge_remove(run->judge, table, &t->flow[i]);
			t->was_tight = true;
			t->expired++;
			return true;
		}
		if (!oldest || t->flow[i].last_used_ns < oldest->last_used_ns)
			oldest = &t->flow[i];
	}
	if (t->app->when_full != FULL_EVICT)
		return false;
	judge_remove(run->judge, table, oldest);
	t->evicted++;
	return true;
}

bool judge_room(struct run *run, unsigned table, unsigned n_events)
{
	struct judge_table *t = &run->judge->table[table];

	if (t->n_flows < t->app->capacity || make_room(run, table))
		return true;
	t->full++;
	run->result.n_events = n_events;
	if (!t->told_full_ns || run->now_ns >= t->told_full_ns + 1000000000) {
		judge_tell(run, EVENT_TABLE_FULL, table, 0, 0, RULES_ROOM);
		t->told_full_ns = run->now_ns;
	}
	return false;
}
