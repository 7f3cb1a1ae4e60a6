/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "back_machine.h"

/* Where the number of frames is more than 1. */
static const enum hook_id MACHINE_HOOK = HOOK_TC_INGRESS;

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "again.h"
#include "back_machine_op.h"

/* ---- life ----------------------------------------------------------------------------------- */

static void place_alone(const struct app *app, struct placement *p)
{
	unsigned n_on[HOOK_MAX] = {};

	for (unsigned i = 0; i < app->n_tables; i++) {
		enum hook_id hook = app->table[i].hook < 0 ? MACHINE_HOOK : app->table[i].hook;

		p->table[i].hook = hook;
		p->table[i].hook_table = n_on[hook]++;
		p->table[i].first_on_hook = p->table[i].hook_table == 0;
		/* Ids that are not the indices, as after changes of an application. */
		for (unsigned s = 1; s < app->table[i].n_states; s++)
			p->table[i].state_id[s] = s * 2 + 1;
	}
	/* Other numbers than the application's. */
	for (unsigned i = 0; i < app->n_globals; i++)
		p->global[i] = 500 - 7 * i;
}

static void encode_all(struct machine *m, struct diag_list *diags)
{
	for (unsigned i = 0; i < m->app->n_tables; i++) {
		const char *why = "";

		m->table[i] = calloc(1, sizeof(struct table));
		assert_non_null(m->table[i]);
		if (encode_table(m->app, i, MACHINE_HOOK, &m->placement, diags, m->table[i]) < 0)
			diag_print(diags, NULL, stderr);
		assert_int_equal(diags->n_errors, 0);
		if (m->app->table[i].stateful)
			assert_int_equal(layout_make(m->app, &m->app->table[i], &m->layout[i], &why), 0);
	}
}

struct machine *machine_new(const char *yaml, const struct setting *settings, size_t n_settings)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct diag_list diags;

	assert_non_null(m);
	diag_init(&diags, "test.yaml");
	if (app_parse(yaml, strlen(yaml), settings, n_settings, NULL, &diags, &m->app) < 0)
		diag_print(&diags, yaml, stderr);
	assert_non_null(m->app);
	expect_same_again(m->app, settings, n_settings);
	place_alone(m->app, &m->placement);
	m->placement.hash_seed = MACHINE_SEED;
	for (unsigned i = 0; i < m->app->n_globals; i++)
		m->global[m->placement.global[i]] = m->app->global[i].initial;
	encode_all(m, &diags);
	diag_done(&diags);
	m->now_ns = MACHINE_START;
	return m;
}

struct machine *machine_with_rules(const char *rules)
{
	char yaml[16384];

	snprintf(yaml, sizeof(yaml), "app: test\nvariables: [v, addr w]\ntables:\n  - name: t\n    rules:\n%s", rules);
	return machine_new(yaml, NULL, 0);
}

struct machine *machine_with_match(const char *match)
{
	char rules[1024];

	snprintf(rules, sizeof(rules), "      - {name: hit, match: {%s}, action: drop}\n", match);
	return machine_with_rules(rules);
}

struct machine *machine_with_when(const char *when)
{
	char rules[1024];

	snprintf(rules, sizeof(rules), "      - {name: hit, when: '%s', action: drop}\n", when);
	return machine_with_rules(rules);
}

bool machine_hit(const struct machine *m)
{
	return strcmp(machine_rule(m, "t"), "hit") == 0;
}

void machine_free(struct machine *m)
{
	for (unsigned i = 0; i < m->app->n_tables; i++)
		free(m->table[i]);
	app_free(m->app);
	free(m);
}

/* ---- records -------------------------------------------------------------------------------- */

static void make_key(struct machine *m, const struct key_part *part, unsigned n, __u64 *key)
{
	memset(key, 0, KEY_WORDS_MAX * sizeof(*key));
	for (unsigned i = 0; i < n; i++) {
		uint64_t mask = part[i].bits >= 64 ? ~0ULL : (1ULL << part[i].bits) - 1;

		key[part[i].word] |= (m->cells[part[i].cell] & mask) << part[i].shift;
	}
}

static struct record *find_record(struct machine *m, unsigned table, const __u64 *key, bool create)
{
	unsigned n = m->table[table]->key_words;

	for (unsigned i = 0; i < MACHINE_RECORDS; i++) {
		struct record *r = &m->record[i];

		if (r->alive && r->table == table && memcmp(&r->words[FLOW_HEAD_WORDS], key, n * 8) == 0)
			return r;
	}
	for (unsigned i = 0; create && i < MACHINE_RECORDS; i++) {
		struct record *r = &m->record[i];

		if (r->alive)
			continue;
		*r = (struct record){.alive = true, .table = table};
		memcpy(&r->words[FLOW_HEAD_WORDS], key, n * 8);
		return r;
	}
	return NULL;
}

static struct flow_head *head_of(struct record *r)
{
	return (struct flow_head *)r->words;
}

/* on_timeout: cells of its own, in which only the record is. */
static void run_timeout(struct machine *m, unsigned table, struct record *r, const struct state_def *s,
			uint64_t deadline)
{
	__u64 cells[CELLS];

	memcpy(cells, m->cells, sizeof(cells));
	memset(m->cells, 0xee, sizeof(m->cells));
	memcpy(&m->cells[CELL_LOOKUP], r->words, sizeof(r->words));
	m->cells[CELL_NOW] = deadline;
	machine_run_ops(m, m->table[table], s->first_timeout, s->n_timeout);
	memcpy(r->words, &m->cells[CELL_LOOKUP], sizeof(r->words));
	memcpy(m->cells, cells, sizeof(cells));
}

/* One timeout is enough for these tests. */
static void fall(struct machine *m, unsigned table, struct record *r)
{
	struct flow_head *head = head_of(r);
	const struct state_def *s = &m->table[table]->states[head->state];
	bool hard = s->hard_ns && head->hard_deadline_ns <= m->now_ns;
	bool idle = s->idle_ns && head->last_used_ns + s->idle_ns <= m->now_ns;

	if (!hard && !idle)
		return;
	run_timeout(m, table, r, s, hard ? head->hard_deadline_ns : head->last_used_ns + s->idle_ns);
	head->state = hard ? s->hard_to : s->idle_to;
	head->hard_deadline_ns = 0;
	r->alive = head->state != 0;
}

/* ---- one table ------------------------------------------------------------------------------ */

static unsigned choose(struct machine *m, const struct table *t, unsigned state)
{
	const struct state_def *s = &t->states[state];
	unsigned next = s->first_test, n = 0;

	assert_true(s->flags & STATE_KNOWN);
	assert_int_equal(m->cells[CELL_ZERO], 0);
	while (next < TESTS_MAX) {
		const struct test *test = &t->tests[next];
		bool in = (m->cells[test->cell] & test->mask) - test->low <= test->range + m->cells[test->limit];

		assert_true(next < t->n_tests);
		assert_true(test->next[!in] > next);
		assert_true(n++ < s->n_tests);
		next = test->next[!in];
	}
	assert_true(next - TESTS_MAX <= RULE_OTHERWISE);
	return next - TESTS_MAX;
}

static void load_image(struct machine *m, unsigned cell, const struct record *r)
{
	memset(&m->cells[cell], 0, 32 * sizeof(__u64));
	if (r)
		memcpy(&m->cells[cell], r->words, sizeof(r->words));
}

static void note_record(struct machine *m, unsigned table, const struct record *r)
{
	struct native_step *step = &m->step[table];

	memcpy(step->after, r->words, sizeof(step->after));
	step->n_after = r->alive ? RECORD_WORDS(m->table[table]->record_class) : 0;
	step->freed = !r->alive;
	step->new_state = r->alive ? ((const struct flow_head *)r->words)->state : 0;
}

static void write_record(struct machine *m, unsigned table, const __u64 *key, const struct rule *rule)
{
	struct record *r = find_record(m, table, key, rule->flags & RULE_WRITES);
	unsigned cell = m->table[table]->flags & TABLE_TWO_SCOPES ? CELL_UPDATE : CELL_LOOKUP;
	unsigned first = FLOW_HEAD_WORDS + m->table[table]->key_words;
	struct flow_head *head;

	if (!r)
		return;
	head = head_of(r);
	memcpy(&r->words[first], &m->cells[cell + first], (32 - first) * sizeof(__u64));
	if (rule->flags & RULE_NEXT) {
		head->state = rule->next;
		head->hard_deadline_ns = m->now_ns + m->table[table]->states[rule->next].hard_ns;
		r->alive = rule->next != 0;
	}
	if (!(rule->flags & RULE_NO_REFRESH))
		head->last_used_ns = m->now_ns;
	note_record(m, table, r);
}

static void run_steps(struct machine *m, const struct table *t, const struct rule *rule)
{
	for (unsigned i = 0; i < rule->n_steps; i++) {
		const struct step *step = &t->steps[rule->first_step + i];

		assert_true(m->n_writes < MACHINE_WRITES);
		m->write[m->n_writes].field = step->code == STEP_PUSH_VLAN  ? "push"
					      : step->code == STEP_POP_VLAN ? "pop"
									    : "?";
		for (size_t f = 0; f < n_fields; f++) {
			struct step other = fields[f].step;

			other.cell = step->cell;
			if (fields[f].writable && memcmp(&other, step, sizeof(other)) == 0)
				m->write[m->n_writes].field = fields[f].name;
		}
		for (unsigned h = 0; h < m->app->n_headers; h++)
			for (unsigned f = 0; f < m->app->header[h].n_fields; f++) {
				struct step other = m->app->header[h].field[f].step;

				other.cell = step->cell;
				if (memcmp(&other, step, sizeof(other)) == 0)
					m->write[m->n_writes].field = m->app->header[h].field[f].name;
			}
		m->write[m->n_writes].hi = step->code == STEP_ADDR ? m->cells[step->cell] : 0;
		m->write[m->n_writes].lo = m->cells[step->cell + (step->code == STEP_ADDR)];
		m->n_writes++;
	}
}

static unsigned decide(struct machine *m, unsigned table, __u64 *key)
{
	const struct table *t = m->table[table];
	struct record *r;

	if (!(t->flags & TABLE_STATEFUL)) {
		machine_run_ops(m, t, t->first_let, t->n_let);
		return choose(m, t, 0);
	}
	if ((m->cells[CELL_PRESENT] & t->key_needs) != t->key_needs)
		return RULE_ABSENT;
	make_key(m, t->lookup, t->n_lookup, key);
	memcpy(m->key[table], key, sizeof(m->key[table]));
	r = find_record(m, table, key, false);
	if (r)
		fall(m, table, r);
	if (r && !r->alive)
		r = NULL;
	load_image(m, CELL_LOOKUP, r);
	machine_run_ops(m, t, t->first_let, t->n_let);
	m->step[table].found = r;
	m->step[table].old_state = r ? head_of(r)->state : 0;
	return choose(m, t, r ? head_of(r)->state : 0);
}

/* What a native build would tell about the choice. */
static void note_choice(struct machine *m, unsigned table)
{
	struct native_step *step = &m->step[table];

	step->element = TABLE_INDEX(0, m->placement.table[table].hook, m->placement.table[table].hook_table);
	step->rule = m->rule[table];
	step->absent = step->rule == RULE_ABSENT;
	step->verdict = m->table[table]->rules[step->rule].verdict;
	step->new_state = step->old_state;
	memcpy(step->key, m->key[table], sizeof(step->key));
	memcpy(step->cells, m->cells, sizeof(step->cells));
}

static void apply(struct machine *m, unsigned table, __u64 *key, const struct rule *rule)
{
	const struct table *t = m->table[table];

	if (t->flags & TABLE_TWO_SCOPES) {
		struct record *r;

		make_key(m, t->update, t->n_update, key);
		r = find_record(m, table, key, false);
		if (r)
			fall(m, table, r);
		load_image(m, CELL_UPDATE, r && r->alive ? r : NULL);
	}
	machine_run_ops(m, t, rule->first_do, rule->n_do);
	write_record(m, table, key, rule);
}

/* Returns the next table, or -1 at the end. */
static int run_table(struct machine *m, unsigned table, const struct part *part, size_t n)
{
	const struct table *t = m->table[table];
	__u64 key[KEY_WORDS_MAX];
	const struct rule *rule;

	m->at = t;
	m->part = part;
	m->n_parts = n;
	machine_load_globals(m, t);
	machine_run_loads(m, t, part, n);
	machine_run_ops(m, t, t->first_pre, t->n_pre);
	m->step[table] = (struct native_step){};
	m->rule[table] = decide(m, table, key);
	note_choice(m, table);
	rule = &t->rules[m->rule[table]];
	if ((t->flags & TABLE_STATEFUL) && m->rule[table] != RULE_ABSENT)
		apply(m, table, key, rule);
	else
		machine_run_ops(m, t, rule->first_do, rule->n_do);
	machine_run_ops(m, t, rule->first_post, rule->n_post);
	run_steps(m, t, rule);
	m->verdict = rule->verdict;
	m->out_port = rule->verdict == VERDICT_OUTPUT ? m->cells[rule->arg] : 0;
	if (rule->verdict != VERDICT_GOTO)
		return -1;
	assert_true(rule->target > table);
	return rule->target;
}

void machine_send(struct machine *m, const struct part *part, size_t n)
{
	machine_set_meta(m, part, n);
	m->n_writes = 0;
	for (unsigned i = 0; i < APP_TABLES_MAX; i++)
		m->rule[i] = RULES_ROOM;
	for (int table = 0; table >= 0;)
		table = run_table(m, table, part, n);
}

/* ---- looking -------------------------------------------------------------------------------- */

uint64_t *machine_global(struct machine *m, const char *name)
{
	for (unsigned i = 0; i < m->app->n_globals; i++)
		if (strcmp(m->app->global[i].name, name) == 0)
			return &m->global[m->placement.global[i]];
	fail_msg("no global %s", name);
	return NULL;
}

static unsigned find_table(const struct machine *m, const char *name)
{
	for (unsigned i = 0; i < m->app->n_tables; i++)
		if (strcmp(m->app->table[i].name, name) == 0)
			return i;
	fail_msg("no table %s", name);
	return 0;
}

const char *machine_rule(const struct machine *m, const char *table)
{
	unsigned i = find_table(m, table), rule = m->rule[i];

	if (rule == RULE_OTHERWISE)
		return "otherwise";
	if (rule == RULE_ABSENT)
		return "absent";
	if (rule >= m->app->table[i].n_rules)
		return "-";
	return m->app->table[i].rule[rule].name ? m->app->table[i].rule[rule].name : m->app->table[i].rule[rule].text;
}

struct record *machine_record(struct machine *m, const char *table)
{
	unsigned i = find_table(m, table);

	return find_record(m, i, m->key[i], false);
}

uint64_t machine_register(struct machine *m, const char *table, const char *name)
{
	const struct layout *layout = &m->layout[find_table(m, table)];
	struct record *r = machine_record(m, table);
	__u64 hi, lo;

	assert_non_null(r);
	for (size_t i = 0; i < layout->n_regs; i++)
		if (strcmp(layout->reg[i].name, name) == 0) {
			layout_get(&layout->reg[i], r->words, &hi, &lo);
			return lo;
		}
	fail_msg("no register %s", name);
	return 0;
}

unsigned machine_count(const struct machine *m, const char *table)
{
	unsigned i = find_table(m, table), n = 0;

	for (unsigned r = 0; r < MACHINE_RECORDS; r++)
		n += m->record[r].alive && m->record[r].table == i;
	return n;
}
