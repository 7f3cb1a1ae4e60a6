/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables_by_hand - small struct tables written without a checker, and a native switch that runs them.
 *
 * Every table here counts in register 0 and looks up by ip.src unless told otherwise. */
#ifndef MEALY_TEST_TABLES_BY_HAND_H
#define MEALY_TEST_TABLES_BY_HAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "datapath/native.h"
#include "tests/harness/frame.h"

#define SECOND 1000000000ULL
#define MS     1000000ULL
/* Tests begin here on the switch's clock. */
#define BEGIN	     (1ULL << TIME_BASE_NS_SHIFT)
#define NEED(header) (1ULL << PRESENT_##header)

enum { HAND_FLOWS = 3, HAND_STATS = 20000, HAND_RULES = 21000, HAND_PORT = 1 };

/* The image's register 'i' in the table's lookup record, and in a table with two scopes its update record. */
#define REGISTER(t, i)	(CELL_LOOKUP + FLOW_HEAD_WORDS + (t)->key_words + (i))
#define REGISTER2(t, i) (CELL_UPDATE + FLOW_HEAD_WORDS + (t)->key_words + (i))

static inline void hand_load(struct table *t, struct load load)
{
	t->loads[t->n_loads++] = load;
}

static inline struct state_def *hand_state(struct table *t, unsigned id)
{
	if (t->n_states <= id)
		t->n_states = id + 1;
	if (!(t->states[id].flags & STATE_KNOWN))
		t->states[id].first_test = FOUND(RULE_OTHERWISE);
	t->states[id].flags |= STATE_KNOWN;
	return &t->states[id];
}

/* An empty stateful table, key: source address. */
static inline struct table *hand_table(void)
{
	struct table *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->flags = TABLE_VALID | TABLE_STATEFUL | TABLE_FIRST | TABLE_TIME;
	t->key_needs = t->update_needs = NEED(IP);
	t->flow_table = HAND_FLOWS;
	t->stats = HAND_STATS;
	t->id = 77;
	t->record_class = RECORD_64;
	t->key_words = 2;
	t->n_registers = 1;
	t->n_lookup = 2;
	t->lookup[0] = (struct key_part){.cell = CELL_TEMP, .word = 0, .bits = 64};
	t->lookup[1] = (struct key_part){.cell = CELL_TEMP + 1, .word = 1, .bits = 64};
	hand_load(t, (struct load){.kind = LOAD_ADDR,
				   .dst = CELL_TEMP,
				   .base = BASE_L3,
				   .need = PRESENT_IP,
				   .off = 12,
				   .off6 = 8});
	for (unsigned i = 0; i < RULES_ROOM; i++)
		t->rules[i].counter = HAND_RULES + i;
	hand_state(t, 0);
	return t;
}

/* The state's only rule, for every packet. */
static inline void hand_row(struct table *t, unsigned state, unsigned number)
{
	hand_state(t, state)->first_test = FOUND(number);
}

/* Test 'at': low <= cell & mask <= high, then 'hit', else 'miss'. */
static inline void hand_test(struct table *t, unsigned at, struct test test, unsigned hit, unsigned miss)
{
	t->tests[at] = test;
	t->tests[at].limit = CELL_ZERO;
	t->tests[at].next[0] = hit;
	t->tests[at].next[1] = miss;
	if (t->n_tests <= at)
		t->n_tests = at + 1;
}

/* The rule's `do`: one op. */
static inline void hand_do(struct table *t, unsigned rule, struct op op)
{
	static unsigned n_ops;
	unsigned first = n_ops++ % (OPS_MAX / 2);

	assert_int_equal(t->rules[rule].n_do, 0);
	t->ops[first] = op;
	t->rules[rule].first_do = first;
	t->rules[rule].n_do = 1;
}

/* "count += 1; next: 'next'" */
static inline struct rule *hand_counting(struct table *t, unsigned rule, unsigned next)
{
	hand_do(t, rule,
		(struct op){.code = OP_ADD, .flags = OP_IMM, .dst = REGISTER(t, 0), .a = REGISTER(t, 0), .imm = 1});
	t->rules[rule].flags = RULE_WRITES | RULE_NEXT;
	t->rules[rule].next = next;
	return &t->rules[rule];
}

/* ---- a switch with one table on XDP ------------------------------------------------------------------ */

struct hand {
	struct native_switch *sw;
	__u64 now_ns;
	struct native_result result;
};

/* Takes the table. */
static inline void hand_open(struct hand *hand, struct table *t, unsigned capacity)
{
	static struct chain chain = {.version = 1, .valid = 1, .n_tables = 1, .parse_verdict = VERDICT_DROP};

	memset(hand, 0, sizeof(*hand));
	hand->now_ns = BEGIN;
	memset(chain.next_app, CHAIN_END, sizeof(chain.next_app));
	for (unsigned port = 0; port <= PORTS_MAX; port++)
		chain.next_app[port][0] = 0;
	assert_int_equal(native_new(NULL, &hand->sw), 0);
	native_set_seed(hand->sw, 42);
	assert_int_equal(native_set_table(hand->sw, TABLE_INDEX(0, HOOK_XDP, 0), t), 0);
	assert_int_equal(native_set_chain(hand->sw, CHAIN_INDEX(0, HOOK_XDP), &chain), 0);
	assert_int_equal(native_add_flow_table(hand->sw, HAND_FLOWS, t->record_class, t->key_words, capacity), 0);
	for (unsigned port = 1; port <= 4; port++)
		native_set_port(hand->sw, port, true);
	free(t);
}

static inline void hand_close(struct hand *hand)
{
	native_free(hand->sw);
	hand->sw = NULL;
}

static inline enum exit_reason hand_run(struct hand *hand, unsigned port, struct frame frame)
{
	uint8_t *data = frame.data;

	assert_int_equal(
		native_run(hand->sw, HOOK_XDP, port, hand->now_ns, &data, frame.size, FRAME_ROOM, 1, &hand->result), 0);
	return hand->result.exit;
}

#define hand_send(hand, ...) hand_run(hand, HAND_PORT, PKT(__VA_ARGS__))

static inline __u64 hand_counter(struct hand *hand, unsigned index)
{
	struct counter c;

	native_counter(hand->sw, index, &c);
	return c.packets;
}

static inline __u64 hand_exits(struct hand *hand, enum exit_reason reason)
{
	return hand_counter(hand, COUNTER_EXIT(HOOK_XDP, HAND_PORT, reason));
}

static inline __u64 hand_stat(struct hand *hand, enum table_stat stat)
{
	return hand_counter(hand, HAND_STATS + stat);
}

/* ---- flows ---------------------------------------------------------------------------------------------- */

struct hand_flow {
	__u64 key_lo; /* Looked for: word 1 of the key. */
	bool found;
	unsigned n;
	__u64 words[RECORD_WORDS(RECORD_256)];
	__u32 slot;
	__u64 sum; /* Of register 0 over all flows with keys of two words. */
};

static inline int hand_on_flow(void *data, unsigned slot, const __u64 *words)
{
	struct hand_flow *f = data;

	f->n++;
	f->sum += words[FLOW_HEAD_WORDS + 2];
	if (words[FLOW_HEAD_WORDS + 1] == f->key_lo) {
		assert_false(f->found);
		f->found = true;
		f->slot = slot;
		memcpy(f->words, words, sizeof(f->words));
	}
	return 0;
}

/* The flow whose second key word is 'key_lo'; '.found' tells. */
static inline struct hand_flow hand_find(struct hand *hand, __u64 key_lo)
{
	struct hand_flow f = {.key_lo = key_lo};

	assert_int_equal(native_flows(hand->sw, HAND_FLOWS, hand_on_flow, &f), 0);
	return f;
}

/* 192.0.2.1 as a key's second word. */
#define KEY4(a, b, c, d) (0xffffULL << 32 | (a##ULL) << 24 | (b) << 16 | (c) << 8 | (d))
#define CLIENT		 KEY4(192, 0, 2, 1)

static inline unsigned hand_flow_state(const struct hand_flow *f)
{
	return ((const struct flow_head *)f->words)->state;
}

static inline void hand_expect(struct hand *hand, __u64 key, unsigned state, __u64 count)
{
	struct hand_flow f = hand_find(hand, key);

	assert_true(f.found);
	assert_int_equal(hand_flow_state(&f), state);
	assert_int_equal(f.words[FLOW_HEAD_WORDS + 2], count);
}

static inline void hand_expect_none(struct hand *hand, __u64 key)
{
	assert_false(hand_find(hand, key).found);
}

/* State 0: count, go to 1.  State 1: count, stay. */
static inline struct table *hand_counting_table(void)
{
	struct table *t = hand_table();

	hand_row(t, 0, 0);
	hand_row(t, 1, 1);
	hand_counting(t, 0, 1);
	hand_counting(t, 1, 1)->flags = RULE_WRITES;
	return t;
}

/* Source 'i' of many; the text is good for four calls. */
static inline const char *hand_address(unsigned i)
{
	static char text[4][32];
	char *ret = text[i % 4];

	snprintf(ret, sizeof(text[0]), "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
	return ret;
}

static inline __u64 hand_address_key(unsigned i)
{
	return KEY4(10, 0, 0, 0) | (i & 0xffffff);
}

/* One packet from each of the first 'n' sources, a millisecond apart. */
static inline void hand_fill(struct hand *hand, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		hand->now_ns += MS;
		assert_int_equal(hand_send(hand, .ip_src = hand_address(i)), EXIT_PASS);
	}
}

#endif
