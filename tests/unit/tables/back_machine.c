/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "back_machine.h"

/* Where the number of frames is more than 1. */
static const enum hook_id MACHINE_HOOK = HOOK_TC_INGRESS;

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "again.h"

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

void machine_free(struct machine *m)
{
	for (unsigned i = 0; i < m->app->n_tables; i++)
		free(m->table[i]);
	app_free(m->app);
	free(m);
}

/* ---- packet --------------------------------------------------------------------------------- */

static const struct part *find_part(const struct part *part, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(part[i].name, name) == 0)
			return &part[i];
	return NULL;
}

/* The name of the field that is loaded (or written) like this; NULL for metadata words. */
static const struct field *field_of_load(const struct load *load)
{
	for (size_t i = 0; i < n_fields; i++) {
		struct load other = fields[i].load;

		other.dst = load->dst;
		if (memcmp(&other, load, sizeof(other)) == 0)
			return &fields[i];
	}
	return NULL;
}

static uint64_t derived(uint64_t present)
{
	if (present & (1ULL << PRESENT_IPV4 | 1ULL << PRESENT_IPV6))
		present |= 1ULL << PRESENT_IP;
	if (present & (1ULL << PRESENT_TCP | 1ULL << PRESENT_UDP))
		present |= 1ULL << PRESENT_L4;
	return present | 1ULL << PRESENT_ETH;
}

static void set_meta(struct machine *m, const struct part *part, size_t n)
{
	static const struct {
		const char *name;
		unsigned cell;
	} whole[] = {
		{"in_port", CELL_IN_PORT},
		{"length", CELL_LENGTH},
		{"frames", CELL_FRAMES},
		{"ip.proto", CELL_IP_PROTO},
		{"eth.type", CELL_ETH_TYPE},
		{"present", CELL_PRESENT},
		{"ip.frag_offset", CELL_FRAG_OFFSET},
	};
	uint64_t present = 0;

	memset(m->cells, 0, sizeof(m->cells));
	m->cells[CELL_NOW] = m->now_ns;
	m->cells[CELL_FRAMES] = 1;
	m->cells[CELL_LENGTH] = 100;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		const struct part *p = find_part(part, n, whole[i].name);

		if (p)
			m->cells[whole[i].cell] = p->lo;
	}
	for (size_t i = 0; i < n; i++) {
		const struct field *f = field_find(part[i].name);

		present |= f ? f->needs : 0;
		if (f && f->type == TYPE_ADDR && strncmp(part[i].name, "ip.", 3) == 0)
			present |= 1ULL << (part[i].hi ? PRESENT_IPV6 : PRESENT_IPV4);
	}
	if (m->cells[CELL_IP_PROTO] == 6 || m->cells[CELL_IP_PROTO] == 17)
		present |= 1ULL << (m->cells[CELL_IP_PROTO] == 6 ? PRESENT_TCP : PRESENT_UDP);
	if (find_part(part, n, "in_port"))
		present |= 1ULL << PRESENT_IN_PORT;
	m->cells[CELL_PRESENT] |= derived(present);
}

static void run_loads(struct machine *m, const struct table *t, const struct part *part, size_t n)
{
	for (unsigned i = 0; i < t->n_loads; i++) {
		const struct load *load = &t->loads[i];
		const struct field *f = field_of_load(load);
		const struct part *p;

		assert_non_null(f);
		p = find_part(part, n, f->name);
		if (f->type == TYPE_ADDR) {
			m->cells[load->dst] = p ? p->hi : 0;
			m->cells[load->dst + 1] = p ? p->lo : 0;
		} else {
			m->cells[load->dst] = p ? p->lo : 0;
		}
	}
}

/* A load of a declared header's field: what the packet is said to hold, if the header is there. */
static void load_declared(struct machine *m, const struct op *op)
{
	const struct load *load = &m->at->loads[op->imm];

	assert_true(op->imm >= m->at->n_loads && op->imm < LOADS_MAX);
	m->cells[load->dst] = 0;
	for (unsigned h = 0; h < m->app->n_headers; h++)
		for (unsigned i = 0; i < m->app->header[h].n_fields; i++) {
			const struct field *f = &m->app->header[h].field[i];
			const struct part *p = find_part(m->part, m->n_parts, f->name);
			struct load other = f->load;

			other.dst = load->dst;
			if (memcmp(&other, load, sizeof(other)) == 0 && p && m->cells[CELL_PRESENT] >> load->need & 1)
				m->cells[load->dst] = p->lo;
		}
}

static void find_header(struct machine *m, const struct op *op)
{
	uint64_t bit = 1ULL << op->b;

	assert_true(op->b >= PRESENT_CUSTOM && op->b < PRESENT_CUSTOM + CUSTOM_MAX);
	m->cells[CELL_PRESENT] &= ~bit;
	if (m->cells[op->a])
		m->cells[CELL_PRESENT] |= bit;
}

/* ---- globals -------------------------------------------------------------------------------- */

static void load_globals(struct machine *m, const struct table *t)
{
	for (unsigned i = 0; i < t->n_globals; i++)
		m->cells[t->globals[i].cell] = m->global[t->globals[i].global];
}

static void run_global(struct machine *m, const struct op *op, uint64_t b)
{
	uint64_t *global = &m->global[op->global];

	switch (op->code) {
	case OP_GLOBAL_ADD: *global += b; break;
	case OP_GLOBAL_AND: *global &= b; break;
	case OP_GLOBAL_OR: *global |= b; break;
	case OP_GLOBAL_SET: *global = b; break;
	case OP_GLOBAL_MAX: *global = *global > b ? *global : b; break;
	}
	m->cells[op->dst] = *global;
}

uint64_t *machine_global(struct machine *m, const char *name)
{
	for (unsigned i = 0; i < m->app->n_globals; i++)
		if (strcmp(m->app->global[i].name, name) == 0)
			return &m->global[m->placement.global[i]];
	fail_msg("no global %s", name);
	return NULL;
}

/* ---- operations ----------------------------------------------------------------------------- */

static uint64_t compute(enum op_code code, uint64_t a, uint64_t b, uint64_t present)
{
	switch ((unsigned)code) {
	case OP_MOV: return b;
	case OP_ADD: return a + b;
	case OP_SUB: return a - b;
	case OP_MUL: return a * b;
	case OP_DIV: return b ? a / b : a ? ~0ULL : 0;
	case OP_MOD: return b ? a % b : 0;
	case OP_AND: return a & b;
	case OP_OR: return a | b;
	case OP_XOR: return a ^ b;
	case OP_SHL: return b > 63 ? 0 : a << b;
	case OP_SHR: return b > 63 ? 0 : a >> b;
	case OP_MIN: return a < b ? a : b;
	case OP_MAX: return a > b ? a : b;
	case OP_EQ: return a == b;
	case OP_NE: return a != b;
	case OP_LT: return a < b;
	case OP_LE: return a <= b;
	case OP_SLT: return (int64_t)a < (int64_t)b;
	case OP_SLE: return (int64_t)a <= (int64_t)b;
	case OP_SMIN: return (int64_t)a < (int64_t)b ? a : b;
	case OP_SMAX: return (int64_t)a > (int64_t)b ? a : b;
	case OP_SAR: return (int64_t)a >> (b > 63 ? 63 : b);
	case OP_SDIV: return b ? (uint64_t)((__int128_t)(int64_t)a / (int64_t)b) : a ? ~0ULL : 0;
	case OP_SMOD: return b ? (uint64_t)((__int128_t)(int64_t)a % (int64_t)b) : 0;
	case OP_SEQ_LT: return (int32_t)((uint32_t)a - (uint32_t)b) < 0;
	case OP_SEQ_LE: return (int32_t)((uint32_t)a - (uint32_t)b) <= 0;
	case OP_HAS: return (present & b) == b;
	}
	fail_msg("operation %d", code);
	return 0;
}

uint64_t machine_hash(uint64_t hash, uint64_t word)
{
	hash ^= word;
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdULL;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return hash ^ hash >> 33;
}

static void biflow_l4(struct machine *m, const struct op *op)
{
	const __u64 *in = &m->cells[op->a];
	__u64 src[3] = {in[0], in[1], in[4]}, dst[3] = {in[2], in[3], in[5]};
	bool swap = src[0] != dst[0] ? src[0] > dst[0] : src[1] != dst[1] ? src[1] > dst[1] : src[2] > dst[2];
	const __u64 *a = swap ? dst : src, *b = swap ? src : dst;
	__u64 out[6] = {a[0], a[1], b[0], b[1], a[2], b[2]};

	memcpy(&m->cells[op->dst], out, sizeof(out));
	m->cells[CELL_DIRECTION] = swap;
}

static void run_op(struct machine *m, const struct op *op)
{
	__u64 a = m->cells[op->a], b = op->flags & OP_IMM ? op->imm : m->cells[op->b], c = a;

	if (op->flags & OP_SWAP) {
		a = b;
		b = c;
	}
	if (op->code >= OP_GLOBAL_FIRST) {
		run_global(m, op, b);
		return;
	}
	switch (op->code) {
	case OP_HEADER: find_header(m, op); break;
	case OP_LOAD: load_declared(m, op); break;
	case OP_BIFLOW_L4: biflow_l4(m, op); break;
	case OP_RANDOM: m->cells[op->dst] = ++m->n_draws; break;
	case OP_HASH_INIT: m->cells[op->dst] = b; break;
	case OP_HASH_ADD: m->cells[op->dst] = machine_hash(a, b); break;
	default: m->cells[op->dst] = compute(op->code, a, b, m->cells[CELL_PRESENT]); break;
	}
}

static void run_ops(struct machine *m, const struct table *t, unsigned first, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		run_op(m, &t->ops[first + i]);
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
	run_ops(m, m->table[table], s->first_timeout, s->n_timeout);
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
		run_ops(m, t, t->first_let, t->n_let);
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
	run_ops(m, t, t->first_let, t->n_let);
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
	run_ops(m, t, rule->first_do, rule->n_do);
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
	load_globals(m, t);
	run_loads(m, t, part, n);
	run_ops(m, t, t->first_pre, t->n_pre);
	m->step[table] = (struct native_step){};
	m->rule[table] = decide(m, table, key);
	note_choice(m, table);
	rule = &t->rules[m->rule[table]];
	if ((t->flags & TABLE_STATEFUL) && m->rule[table] != RULE_ABSENT)
		apply(m, table, key, rule);
	else
		run_ops(m, t, rule->first_do, rule->n_do);
	run_ops(m, t, rule->first_post, rule->n_post);
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
	set_meta(m, part, n);
	m->n_writes = 0;
	for (unsigned i = 0; i < APP_TABLES_MAX; i++)
		m->rule[i] = RULES_ROOM;
	for (int table = 0; table >= 0;)
		table = run_table(m, table, part, n);
}

/* ---- looking -------------------------------------------------------------------------------- */

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
