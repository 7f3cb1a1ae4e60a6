/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trial_compare.h"

#include <inttypes.h>
#include <string.h>

/* ---- one packet ------------------------------------------------------------------------------ */

static const char *exit_name(enum exit_reason reason)
{
	static const char *const names[] = {
#define X(id, name, text) [EXIT_##id] = name,
		EXIT_REASON_LIST(X)
#undef X
	};

	return reason < EXIT_REASON_MAX ? names[reason] : "?";
}

static bool leaves(enum exit_reason reason)
{
	return reason == EXIT_PASS || reason == EXIT_DELIVER || reason == EXIT_OUTPUT || reason == EXIT_FLOOD ||
	       reason == EXIT_REFLECT;
}

/* A tag that is pushed at tc travels beside the bytes, where a test run does not show it. */
static bool same_without_tag(const struct frame *expected, const struct frame *is)
{
	return expected->size == is->size + 4 && !memcmp(expected->data, is->data, 12) &&
	       !memcmp(expected->data + 16, is->data + 12, is->size - 12);
}

static bool compare_frames(const struct rig_result *is, const struct judge_result *expected, enum rig_tier tier,
			   FILE *why)
{
	bool beside = expected->retagged && (tier == RIG_TC_INGRESS || tier == RIG_TC_EGRESS);
	char text[2048];

	if (beside && same_without_tag(&expected->frame, &is->frame))
		return true;
	if (frame_same(expected->frame.data, expected->frame.size, is->frame.data, is->frame.size, text, sizeof(text)))
		return true;
	fprintf(why, "%s", text);
	return false;
}

static bool same_event(const struct event *is, const struct judge_event *expected)
{
	bool about_rule = is->kind == EVENT_STATE;

	return is->kind == expected->kind && is->table == expected->table + 1 && is->old_state == expected->old_state &&
	       is->new_state == expected->new_state && (!about_rule || is->rule == expected->rule);
}

static void print_event(FILE *why, const char *who, unsigned kind, unsigned table, unsigned old_state,
			unsigned new_state, unsigned rule)
{
	fprintf(why, "event %s: kind %u table %u state %u -> %u rule %u\n", who, kind, table, old_state, new_state,
		rule);
}

static bool was_tight(const struct judge *judge)
{
	for (unsigned i = 0; i < judge->app->n_tables; i++)
		if (judge->table[i].was_tight)
			return true;
	return false;
}

static bool compare_events(const struct rig_result *is, const struct judge_result *expected, FILE *why)
{
	bool same = is->n_events == expected->n_events;

	for (unsigned i = 0; same && i < expected->n_events; i++)
		same = same_event(&is->event[i], &expected->event[i]);
	if (same || is->n_events >= RIG_EVENTS)
		return true;
	for (unsigned i = 0; i < expected->n_events; i++)
		print_event(why, "expected", expected->event[i].kind, expected->event[i].table,
			    expected->event[i].old_state, expected->event[i].new_state, expected->event[i].rule);
	for (unsigned i = 0; i < is->n_events; i++)
		print_event(why, "is", is->event[i].kind, is->event[i].table - 1, is->event[i].old_state,
			    is->event[i].new_state, is->event[i].rule);
	return false;
}

bool compare_results(const struct judge *judge, const struct rig_result *is, const struct judge_result *expected,
		     enum rig_tier tier, FILE *why)
{
	if (is->exit != expected->exit || is->out_port != expected->out_port) {
		fprintf(why, "verdict: expected %s port %u, is %s port %u\n", exit_name(expected->exit),
			expected->out_port, exit_name(is->exit), is->out_port);
		return false;
	}
	if (leaves(expected->exit) && !compare_frames(is, expected, tier, why))
		return false;
	return was_tight(judge) || compare_events(is, expected, why);
}

/* ---- flows ----------------------------------------------------------------------------------- */

struct flow_check {
	const struct judge *judge;
	unsigned index; /* Of the table. */
	const struct judge_table *table;
	uint64_t now_ns;
	unsigned n;
	bool good;
	FILE *why;
};

/* A record as the judge would hold it. */
static struct judge_flow flow_of(const struct app_table *t, const struct layout *layout, const uint64_t *words)
{
	const struct flow_head *head = (const struct flow_head *)words;
	const __u64 *image = (const __u64 *)words;
	struct judge_flow flow = {.last_used_ns = head->last_used_ns, .hard_ns = head->hard_deadline_ns};
	__u64 hi, lo;

	for (size_t i = 0; i < t->n_states; i++)
		if (!strcmp(t->state[i].name, layout_state_name(layout, head->state)))
			flow.state = i;
	for (size_t i = 0; i < layout->n_keys; i++) {
		layout_get(&layout->key[i], image, &hi, &lo);
		flow.key[flow.n_key++] = (struct judge_value){hi, lo};
	}
	for (size_t i = 0; i < layout->n_regs; i++) {
		layout_get(&layout->reg[i], image, &hi, &lo);
		flow.reg[i] = (struct judge_value){hi, lo};
	}
	return flow;
}

static const struct judge_flow *find(const struct judge_table *t, const struct judge_flow *key)
{
	for (unsigned i = 0; i < t->n_flows; i++)
		if (!memcmp(t->flow[i].key, key->key, sizeof(key->key)))
			return &t->flow[i];
	return NULL;
}

static void print_flow(FILE *why, const char *who, const struct app_table *t, const struct judge_flow *flow)
{
	fprintf(why, "flow of %s, %s: key", t->name, who);
	for (unsigned i = 0; i < flow->n_key; i++)
		fprintf(why, " %" PRIx64 ":%" PRIx64, flow->key[i].hi, flow->key[i].lo);
	fprintf(why, ", state %s, used %" PRIu64 ", hard %" PRIu64, t->state[flow->state].name, flow->last_used_ns,
		flow->hard_ns);
	for (size_t i = 0; i < t->n_regs; i++)
		fprintf(why, ", %s %" PRIx64 ":%" PRIx64, t->reg[i].name, flow->reg[i].hi, flow->reg[i].lo);
	fputc('\n', why);
}

static bool same_flow(const struct app_table *t, const struct judge_flow *a, const struct judge_flow *b)
{
	bool timed = false;

	for (size_t i = 0; i < t->n_states; i++)
		timed |= t->state[i].idle_ns || t->state[i].hard_ns;
	return a->state == b->state && !memcmp(a->reg, b->reg, sizeof(a->reg)) &&
	       (!timed || (a->last_used_ns == b->last_used_ns && a->hard_ns == b->hard_ns));
}

static void check_flow(void *data, const struct layout *layout, const uint64_t *words)
{
	struct flow_check *check = data;
	const struct app_table *t = check->table->app;
	struct judge_flow raw = flow_of(t, layout, words), is, expected;
	const struct judge_flow *found;

	if (!judge_flow_now(check->judge, check->index, &raw, check->now_ns, &is))
		return;
	check->n++;
	found = find(check->table, &raw);
	if (!found || !judge_flow_now(check->judge, check->index, found, check->now_ns, &expected)) {
		print_flow(check->why, "not expected", t, &is);
		check->good = false;
	} else if (!same_flow(t, &expected, &is)) {
		print_flow(check->why, "expected", t, &expected);
		print_flow(check->why, "is", t, &is);
		check->good = false;
	}
}

static void table_name(const struct judge *judge, unsigned table, char *name, size_t size)
{
	snprintf(name, size, "%s/%s", judge->app->name, judge->app->table[table].name);
}

bool compare_flows(const struct judge *judge, struct rig *rig, FILE *why)
{
	struct flow_check check = {.judge = judge, .now_ns = rig_now_ns(rig), .good = true, .why = why};
	char name[2 * NAME_LEN_MAX + 2];

	for (unsigned i = 0; i < judge->app->n_tables && check.good; i++) {
		unsigned n = 0;

		check.table = &judge->table[i];
		check.index = i;
		check.n = 0;
		/* Entries are what people wrote. */
		if (!judge->app->table[i].stateful || judge->app->table[i].has_entries)
			continue;
		table_name(judge, i, name, sizeof(name));
		rig_flows(rig, name, check_flow, &check);
		for (unsigned f = 0; f < judge->table[i].n_flows; f++) {
			struct judge_flow now;

			n += judge_flow_now(judge, i, &check.table->flow[f], check.now_ns, &now);
		}
		if (check.good && check.n != n) {
			fprintf(why, "%s: %u flows expected, %u are there\n", name, n, check.n);
			check.good = false;
		}
	}
	return check.good;
}

/* ---- globals --------------------------------------------------------------------------------- */

bool compare_globals(const struct judge *judge, struct rig *rig, FILE *why)
{
	char name[2 * NAME_LEN_MAX + 2];
	bool good = true;

	for (size_t i = 0; i < judge->app->n_globals; i++) {
		uint64_t is;

		snprintf(name, sizeof(name), "%s/%s", judge->app->name, judge->app->global[i].name);
		is = rig_global(rig, name);
		if (is == judge->global[i])
			continue;
		fprintf(why, "global %s: expected %" PRIu64 ", is %" PRIu64 "\n", name, judge->global[i], is);
		good = false;
	}
	return good;
}

/* ---- counters -------------------------------------------------------------------------------- */

static bool compare_counter(FILE *why, const char *name, const char *what, uint64_t expected, uint64_t is)
{
	if (expected == is)
		return true;
	fprintf(why, "counter %s %s: expected %" PRIu64 ", is %" PRIu64 "\n", name, what, expected, is);
	return false;
}

static bool compare_rule(const struct judge *judge, struct rig *rig, unsigned table, unsigned rule, FILE *why)
{
	const struct app_table *t = &judge->app->table[table];
	const char *rule_name = rule == RULE_OTHERWISE ? "otherwise"
				: rule == RULE_ABSENT  ? "absent"
						       : t->rule[rule].name;
	char name[3 * NAME_LEN_MAX + 3];

	if (!rule_name)
		return true;
	snprintf(name, sizeof(name), "%s/%s/%s", judge->app->name, t->name, rule_name);
	return compare_counter(why, name, "packets", judge->table[table].rule[rule], rig_rule_count(rig, name));
}

static bool compare_table(const struct judge *judge, struct rig *rig, unsigned table, FILE *why)
{
	const struct judge_table *t = &judge->table[table];
	char name[2 * NAME_LEN_MAX + 2];
	bool good;

	table_name(judge, table, name, sizeof(name));
	good = compare_counter(why, name, "learned", t->learned, rig_table_count(rig, name, TABLE_STAT_LEARNED)) &
	       compare_counter(why, name, "tries", t->tries, rig_table_count(rig, name, TABLE_STAT_CLAIM_TRIES)) &
	       compare_counter(why, name, "failed", t->failed, rig_table_count(rig, name, TABLE_STAT_CLAIM_FAILED)) &
	       compare_counter(why, name, "full", t->full, rig_table_count(rig, name, TABLE_STAT_FULL)) &
	       compare_counter(why, name, "freed", t->freed, rig_table_count(rig, name, TABLE_STAT_FREED)) &
	       compare_counter(why, name, "evicted", t->evicted, rig_table_count(rig, name, TABLE_STAT_EVICTED));
	/* Which of several due flows made room decides how many are found due later. */
	if (t->was_tight)
		return good;
	return good &
	       compare_counter(why, name, "created", t->created, rig_table_count(rig, name, TABLE_STAT_CREATED)) &
	       compare_counter(why, name, "expired", t->expired, rig_table_count(rig, name, TABLE_STAT_EXPIRED));
}

bool compare_counters(const struct judge *judge, struct rig *rig, FILE *why)
{
	bool good = true;

	for (unsigned i = 0; i < judge->app->n_tables; i++) {
		for (unsigned r = 0; r < judge->app->table[i].n_rules; r++)
			good &= compare_rule(judge, rig, i, r, why);
		good &= compare_rule(judge, rig, i, RULE_OTHERWISE, why);
		good &= compare_rule(judge, rig, i, RULE_ABSENT, why);
		if (judge->app->table[i].stateful && !judge->app->table[i].has_entries)
			good &= compare_table(judge, rig, i, why);
	}
	return good;
}
