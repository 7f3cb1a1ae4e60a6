// SPDX-License-Identifier: GPL-2.0-or-later
/* What a stateful table does to flows, on the native switch with tables written by hand. */
#include "tables_by_hand.h"

#include <stdio.h>

static void a_flow_is_created_and_found_again(void **state)
{
	struct hand hand;

	hand_open(&hand, hand_counting_table(), 100);
	hand_expect_none(&hand, CLIENT);
	for (unsigned i = 1; i <= 5; i++) {
		assert_int_equal(hand_send(&hand, .udp_dport = i), EXIT_PASS);
		hand_expect(&hand, CLIENT, 1, i);
	}
	assert_int_equal(hand_send(&hand, .ip_src = "192.0.2.9"), EXIT_PASS);
	hand_expect(&hand, KEY4(192, 0, 2, 9), 1, 1);
	hand_expect(&hand, CLIENT, 1, 5);
	assert_int_equal(hand_find(&hand, CLIENT).n, 2);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_CREATED), 2);
	assert_int_equal(hand_counter(&hand, HAND_RULES + 0), 2);
	assert_int_equal(hand_counter(&hand, HAND_RULES + 1), 4);
	assert_int_equal(hand_exits(&hand, EXIT_PASS), 6);
	hand_close(&hand);
}

static void ipv6_and_ipv4_share_a_table(void **state)
{
	struct hand hand;

	hand_open(&hand, hand_counting_table(), 100);
	hand_send(&hand, .ip_src = "2001:db8::1");
	hand_send(&hand, .ip_src = "2001:db8::1", .tcp_dport = 5);
	hand_send(&hand);
	assert_int_equal(hand_find(&hand, 1).n, 2);
	hand_expect(&hand, 1, 1, 2);
	hand_close(&hand);
}

static void a_rule_that_only_reads_creates_nothing(void **state)
{
	struct table *t = hand_table();
	struct hand hand;

	hand_row(t, 0, 0);
	t->rules[0].verdict = VERDICT_DROP;
	hand_open(&hand, t, 100);
	assert_int_equal(hand_send(&hand), EXIT_DROP);
	assert_int_equal(hand_find(&hand, CLIENT).n, 0);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_CREATED), 0);
	hand_close(&hand);
}

static void without_the_key_the_absent_verdict_holds(void **state)
{
	struct table *t = hand_counting_table();
	struct hand hand;

	t->rules[RULE_ABSENT].verdict = VERDICT_DELIVER;
	hand_open(&hand, t, 100);
	assert_int_equal(hand_send(&hand, .arp_op = 1), EXIT_DELIVER);
	assert_int_equal(hand_counter(&hand, HAND_RULES + RULE_ABSENT), 1);
	assert_int_equal(hand_find(&hand, CLIENT).n, 0);
	hand_close(&hand);
}

static void next_to_the_first_state_ends_the_flow(void **state)
{
	struct table *t = hand_counting_table();
	struct hand hand;

	t->rules[1].flags = RULE_WRITES | RULE_NEXT;
	t->rules[1].next = 0;
	hand_open(&hand, t, 1);
	for (unsigned i = 0; i < 10; i++) {
		hand_send(&hand);
		hand_expect(&hand, CLIENT, 1, 1);
		hand_send(&hand);
		hand_expect_none(&hand, CLIENT);
	}
	assert_int_equal(hand_stat(&hand, TABLE_STAT_CREATED), 10);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_FREED), 10);
	hand_close(&hand);
}

/* ---- timeouts ------------------------------------------------------------------------------- */

static void idle_ends_a_flow_at_its_moment(void **state)
{
	struct table *t = hand_counting_table();
	struct hand hand;

	hand_state(t, 1)->idle_ns = SECOND;
	hand_open(&hand, t, 100);
	hand_send(&hand);
	hand.now_ns += SECOND - 1;
	hand_send(&hand);
	hand_expect(&hand, CLIENT, 1, 2);
	hand.now_ns += SECOND;
	hand_send(&hand);
	hand_expect(&hand, CLIENT, 1, 1);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_EXPIRED), 1);
	hand_close(&hand);
}

static void a_rule_without_refresh_leaves_the_idle_clock_running(void **state)
{
	struct table *t = hand_counting_table();
	struct hand hand;

	hand_state(t, 1)->idle_ns = SECOND;
	t->rules[1].flags |= RULE_NO_REFRESH;
	hand_open(&hand, t, 100);
	hand_send(&hand);
	hand.now_ns += SECOND - 1;
	hand_send(&hand);
	hand_expect(&hand, CLIENT, 1, 2);
	hand.now_ns += 1;
	hand_send(&hand);
	hand_expect(&hand, CLIENT, 1, 1);
	hand_close(&hand);
}

static void hard_is_armed_again_by_next_only(void **state)
{
	struct table *t = hand_counting_table();
	struct hand hand;

	hand_state(t, 1)->hard_ns = SECOND;
	hand_open(&hand, t, 100);
	hand_send(&hand);
	for (unsigned i = 2; i <= 5; i++) {
		hand.now_ns += SECOND / 5;
		hand_send(&hand);
		hand_expect(&hand, CLIENT, 1, i);
	}
	hand.now_ns += SECOND / 5;
	hand_send(&hand);
	hand_expect(&hand, CLIENT, 1, 1);
	hand_close(&hand);

	t = hand_counting_table();
	hand_state(t, 1)->hard_ns = SECOND;
	t->rules[1].flags |= RULE_NEXT;
	hand_open(&hand, t, 100);
	for (unsigned i = 1; i <= 5; i++) {
		hand_send(&hand);
		hand_expect(&hand, CLIENT, 1, i);
		hand.now_ns += SECOND - 1;
	}
	hand_close(&hand);
}

/* 1 -idle 1 s-> 2 -hard 2 s-> 3 -idle 3 s-> 0. */
static struct table *falling(void)
{
	struct table *t = hand_counting_table();

	*hand_state(t, 1) =
		(struct state_def){.flags = STATE_KNOWN, .idle_ns = SECOND, .idle_to = 2, .first_test = FOUND(1)};
	hand_row(t, 2, 2);
	hand_row(t, 3, 3);
	hand_state(t, 2)->hard_ns = 2 * SECOND;
	hand_state(t, 2)->hard_to = 3;
	hand_state(t, 2)->flags |= STATE_NOTIFY;
	hand_state(t, 3)->idle_ns = 3 * SECOND;
	for (unsigned rule = 2; rule <= 3; rule++)
		hand_counting(t, rule, rule)->flags = RULE_WRITES;
	return t;
}

static void a_late_packet_replays_the_chain_of_timeouts(void **state)
{
	static const struct {
		__u64 late;
		unsigned state, count;
	} cases[] = {
		{SECOND - 1, 1, 2},	{SECOND, 2, 2},	    {3 * SECOND - 1, 2, 2}, {3 * SECOND, 3, 2},
		{6 * SECOND - 1, 3, 2}, {6 * SECOND, 1, 1}, {600 * SECOND, 1, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hand hand;

		hand_open(&hand, falling(), 100);
		hand_send(&hand);
		hand.now_ns += cases[i].late;
		hand_send(&hand);
		hand_expect(&hand, CLIENT, cases[i].state, cases[i].count);
		assert_int_equal(hand.result.n_events, cases[i].late >= 3 * SECOND);
		hand_close(&hand);
	}
}

static void a_fall_that_notifies_says_from_where_to_where(void **state)
{
	struct hand hand;

	hand_open(&hand, falling(), 100);
	hand_send(&hand);
	hand.now_ns += 4 * SECOND;
	hand_send(&hand);
	assert_int_equal(hand.result.n_events, 1);
	assert_int_equal(hand.result.event[0].kind, EVENT_TIMEOUT);
	assert_int_equal(hand.result.event[0].old_state, 2);
	assert_int_equal(hand.result.event[0].new_state, 3);
	assert_int_equal(hand.result.event[0].table, 77);
	assert_int_equal(hand.result.event[0].words[FLOW_HEAD_WORDS + 1], CLIENT);
	hand_close(&hand);
}

static void time_does_not_run_backwards_within_a_flow(void **state)
{
	struct table *t = hand_counting_table();
	struct hand hand;

	hand_state(t, 1)->idle_ns = SECOND;
	hand_open(&hand, t, 100);
	hand.now_ns += SECOND;
	hand_send(&hand);
	hand.now_ns -= SECOND / 2;
	hand_send(&hand);
	hand_expect(&hand, CLIENT, 1, 2);
	assert_int_equal(((struct flow_head *)hand_find(&hand, CLIENT).words)->last_used_ns, BEGIN + SECOND);
	hand_close(&hand);
}

/* ---- two scopes ----------------------------------------------------------------------------------- */

/* A learning switch: looked up by eth.dst, updated under eth.src; register: port. */
static struct table *learning(void)
{
	struct table *t = hand_table();

	t->key_needs = t->update_needs = NEED(ETH);
	t->flags |= TABLE_TWO_SCOPES;
	t->key_words = t->n_lookup = t->n_update = 1;
	t->n_loads = 0;
	hand_load(t,
		  (struct load){
			  .kind = LOAD_BITS, .dst = CELL_TEMP, .base = BASE_ETH, .size = 6, .size6 = 6, .mask = ~0ULL});
	hand_load(t, (struct load){.kind = LOAD_BITS,
				   .dst = CELL_TEMP + 1,
				   .base = BASE_ETH,
				   .size = 6,
				   .size6 = 6,
				   .off = 6,
				   .off6 = 6,
				   .mask = ~0ULL});
	t->lookup[0] = (struct key_part){.cell = CELL_TEMP, .bits = 48};
	t->update[0] = (struct key_part){.cell = CELL_TEMP + 1, .bits = 48};
	hand_row(t, 0, 0);
	hand_row(t, 1, 1);
	for (unsigned rule = 0; rule < 2; rule++) {
		hand_do(t, rule, (struct op){.code = OP_MOV, .dst = REGISTER2(t, 0), .b = CELL_IN_PORT});
		t->rules[rule].flags = RULE_WRITES | RULE_NEXT;
		t->rules[rule].next = 1;
	}
	t->rules[0].verdict = VERDICT_FLOOD;
	t->rules[1].verdict = VERDICT_OUTPUT;
	t->rules[1].arg = REGISTER(t, 0);
	return t;
}

#define A "02:00:00:00:00:0a"
#define B "02:00:00:00:00:0b"

static void one_record_is_read_and_another_written(void **state)
{
	struct hand hand;

	hand_open(&hand, learning(), 10);
	assert_int_equal(hand_run(&hand, 1, PKT(.eth_src = A, .eth_dst = B)), EXIT_FLOOD);
	assert_int_equal(hand_run(&hand, 2, PKT(.eth_src = B, .eth_dst = A)), EXIT_OUTPUT);
	assert_int_equal(hand.result.out_port, 1);
	assert_int_equal(hand_run(&hand, 1, PKT(.eth_src = A, .eth_dst = B)), EXIT_OUTPUT);
	assert_int_equal(hand.result.out_port, 2);
	/* A station that looks itself up, and one that moves. */
	assert_int_equal(hand_run(&hand, 1, PKT(.eth_src = A, .eth_dst = A)), EXIT_OUTPUT);
	assert_int_equal(hand_run(&hand, 3, PKT(.eth_src = A, .eth_dst = B)), EXIT_OUTPUT);
	assert_int_equal(hand_run(&hand, 2, PKT(.eth_src = B, .eth_dst = A)), EXIT_OUTPUT);
	assert_int_equal(hand.result.out_port, 3);
	hand_close(&hand);
}

static void a_port_that_is_down_has_a_reason(void **state)
{
	struct hand hand;

	hand_open(&hand, learning(), 10);
	hand_run(&hand, 1, PKT(.eth_src = A, .eth_dst = B));
	native_set_port(hand.sw, 1, false);
	assert_int_equal(hand_run(&hand, 2, PKT(.eth_src = B, .eth_dst = A)), EXIT_NO_PORT);
	hand_close(&hand);
}

/* ---- rules without flows ---------------------------------------------------------------------------- */

static void rules_are_tried_in_order_with_all_their_terms(void **state)
{
	struct table *t = hand_table();
	struct hand hand;

	t->flags &= ~TABLE_STATEFUL;
	hand_load(t, (struct load){.kind = LOAD_BITS,
				   .dst = CELL_TEMP + 2,
				   .base = BASE_L4,
				   .size = 2,
				   .size6 = 2,
				   .off = 2,
				   .off6 = 2,
				   .need = PRESENT_L4,
				   .mask = 0xffff});
	hand_state(t, 0)->first_test = 0;
	hand_test(t, 0, (struct test){.cell = CELL_PRESENT, .mask = NEED(UDP), .low = NEED(UDP)}, 1, 3);
	hand_test(t, 1, (struct test){.cell = CELL_TEMP + 2, .mask = ~0ULL, .low = 1000, .range = 999}, 2, 3);
	hand_test(t, 2, (struct test){.cell = CELL_TEMP + 1, .mask = ~0ULL, .low = CLIENT}, FOUND(0), 3);
	hand_test(t, 3, (struct test){.cell = CELL_PRESENT, .mask = NEED(L4), .low = NEED(L4)}, 4,
		  FOUND(RULE_OTHERWISE));
	hand_test(t, 4, (struct test){.cell = CELL_TEMP + 2, .mask = ~0ULL, .low = 1000, .range = 999}, FOUND(1),
		  FOUND(RULE_OTHERWISE));
	t->rules[0].verdict = VERDICT_DROP;
	t->rules[1].verdict = VERDICT_DELIVER;
	t->rules[RULE_OTHERWISE].verdict = VERDICT_REFLECT;
	hand_open(&hand, t, 1);
	assert_int_equal(hand_send(&hand, .udp_dport = 1000), EXIT_DROP);
	assert_int_equal(hand_send(&hand, .udp_dport = 1999), EXIT_DROP);
	assert_int_equal(hand_send(&hand, .udp_dport = 999), EXIT_REFLECT);
	assert_int_equal(hand_send(&hand, .udp_dport = 2000), EXIT_REFLECT);
	assert_int_equal(hand_send(&hand, .tcp_dport = 1500), EXIT_DELIVER);
	assert_int_equal(hand_send(&hand, .udp_dport = 1500, .ip_src = "192.0.2.2"), EXIT_DELIVER);
	assert_int_equal(hand_send(&hand, .icmp_id = 1), EXIT_REFLECT);
	hand_close(&hand);
}

static void faults_and_strangers_have_reasons(void **state)
{
	struct frame cut = PKT();
	struct hand hand;
	struct chain chain = {.valid = 1};
	__u64 sum = 0;

	hand_open(&hand, hand_counting_table(), 10);
	cut.size = 20;
	assert_int_equal(hand_run(&hand, HAND_PORT, cut), EXIT_PARSE_SHORT);
	memset(chain.next_app, CHAIN_END, sizeof(chain.next_app));
	assert_int_equal(native_set_chain(hand.sw, CHAIN_INDEX(0, HOOK_XDP), &chain), 0);
	assert_int_equal(hand_send(&hand), EXIT_NO_APP);
	chain.next_app[HAND_PORT][0] = 5;
	assert_int_equal(native_set_chain(hand.sw, CHAIN_INDEX(0, HOOK_XDP), &chain), 0);
	assert_int_equal(hand_send(&hand), EXIT_NO_TABLE);
	native_set_active(hand.sw, 1);
	assert_int_equal(hand_send(&hand), EXIT_NO_APP);
	for (unsigned reason = 0; reason < EXIT_REASON_MAX; reason++)
		sum += hand_exits(&hand, reason);
	assert_int_equal(sum, 4);
	hand_close(&hand);
}

/* ---- the control program ------------------------------------------------------------------------------ */

static struct control command(struct hand *hand, enum control_op op)
{
	return (struct control){
		.magic = CONTROL_MAGIC, .op = op, .table = TABLE_INDEX(0, HOOK_XDP, 0), .now_ns = hand->now_ns};
}

static void the_agent_expires_deletes_and_sets(void **state)
{
	struct table *t = hand_counting_table();
	struct control c;
	struct hand hand;

	hand_state(t, 1)->idle_ns = SECOND;
	hand_open(&hand, t, 10);
	hand_fill(&hand, 3);
	hand.now_ns += SECOND - MS;
	c = command(&hand, CONTROL_EXPIRE);
	for (c.n = 0; c.n < 3; c.n++)
		c.item[c.n].slot = c.n + 1;
	assert_int_equal(native_control(hand.sw, &c), 0);
	assert_int_equal(c.freed, 2);
	hand_expect(&hand, hand_address_key(2), 1, 1);

	c = command(&hand, CONTROL_DELETE);
	c.n = 1;
	c.item[0].slot = hand_find(&hand, hand_address_key(2)).slot;
	c.item[0].change = 1;
	assert_int_equal(native_control(hand.sw, &c), 0);
	assert_int_equal(c.item[0].slot, CONTROL_NOTHING);
	c = command(&hand, CONTROL_DELETE);
	c.n = 1;
	c.item[0].slot = hand_find(&hand, hand_address_key(2)).slot;
	assert_int_equal(native_control(hand.sw, &c), 0);
	assert_int_equal(c.item[0].slot, CONTROL_FREED);
	assert_int_equal(hand_find(&hand, 0).n, 0);

	for (unsigned i = 0; i < 2; i++) {
		c = command(&hand, CONTROL_SET);
		c.key[1] = CLIENT;
		c.state = 1;
		c.registers[0] = 41 + i;
		assert_int_equal(native_control(hand.sw, &c), 0);
		assert_int_equal(c.result, i ? CONTROL_CHANGED : CONTROL_CREATED);
	}
	hand_send(&hand);
	hand_expect(&hand, CLIENT, 1, 43);

	c.magic = 0;
	assert_int_equal(native_control(hand.sw, &c), -22);
	hand_close(&hand);
}

/* ---- trace ------------------------------------------------------------------------------------------------- */

static void a_result_tells_what_each_table_did(void **state)
{
	const struct native_step *step;
	struct table *t = hand_counting_table();
	struct hand hand;

	hand_state(t, 1)->idle_ns = SECOND;
	hand_open(&hand, t, 10);
	step = &hand.result.step[0];
	hand_send(&hand);
	assert_int_equal(hand.result.n_steps, 1);
	assert_int_equal(step->element, TABLE_INDEX(0, HOOK_XDP, 0));
	assert_false(step->found);
	assert_true(step->created);
	assert_int_equal(step->rule, 0);
	assert_int_equal(step->old_state, 0);
	assert_int_equal(step->new_state, 1);
	assert_int_equal(step->key[1], CLIENT);
	assert_int_equal(step->n_after, FLOW_HEAD_WORDS + 3);
	assert_int_equal(step->after[FLOW_HEAD_WORDS + 2], 1);

	hand_send(&hand);
	assert_true(step->found);
	assert_false(step->created);
	assert_int_equal(step->rule, 1);
	assert_int_equal(step->cells[CELL_LOOKUP + FLOW_HEAD_WORDS + 2], 1);
	assert_int_equal(step->after[FLOW_HEAD_WORDS + 2], 2);

	hand.now_ns += SECOND;
	hand_send(&hand);
	assert_true(step->found);
	assert_true(step->fell);
	assert_int_equal(step->old_state, 0);
	assert_int_equal(step->new_state, 1);

	hand_send(&hand, .arp_op = 1);
	assert_true(step->absent);
	assert_int_equal(step->rule, RULE_ABSENT);
	assert_int_equal(step->n_after, 0);
	hand_close(&hand);
}

static void two_scopes_are_one_step_with_two_records(void **state)
{
	const struct native_step *step;
	struct hand hand;

	hand_open(&hand, learning(), 10);
	step = &hand.result.step[0];
	hand_run(&hand, 1, PKT(.eth_src = A, .eth_dst = B));
	hand_run(&hand, 2, PKT(.eth_src = B, .eth_dst = A));
	assert_int_equal(hand.result.n_steps, 1);
	assert_true(step->found);
	assert_true(step->created);
	assert_int_equal(step->key[0], 0x02000000000a);
	assert_int_equal(step->after[FLOW_HEAD_WORDS], 0x02000000000b);
	assert_int_equal(step->after[FLOW_HEAD_WORDS + 1], 2);
	hand_close(&hand);
}

/* ---- arguments ------------------------------------------------------------------------------------------ */

static void impossible_arguments_are_refused(void **state)
{
	struct native_result result;
	struct frame f = PKT();
	uint8_t *data = f.data;
	struct hand hand;

	hand_open(&hand, hand_counting_table(), 10);
	assert_int_equal(native_add_flow_table(hand.sw, FLOW_TABLES_MAX, RECORD_64, 1, 1), -22);
	assert_int_equal(native_add_flow_table(hand.sw, 1, RECORD_64, 0, 1), -22);
	assert_int_equal(native_add_flow_table(hand.sw, 1, RECORD_64, 5, 1), -22);
	assert_int_equal(native_add_flow_table(hand.sw, 1, RECORD_CLASS_MAX, 1, 1), -22);
	assert_int_equal(native_add_flow_table(hand.sw, 1, RECORD_64, 1, 0), -22);
	assert_int_equal(native_run(hand.sw, HOOK_MAX, 1, BEGIN, &data, f.size, FRAME_ROOM, 1, &result), -22);
	assert_int_equal(native_run(hand.sw, HOOK_XDP, PORTS_MAX + 1, BEGIN, &data, f.size, FRAME_ROOM, 1, &result),
			 -22);
	assert_int_equal(native_run(hand.sw, HOOK_XDP, 1, BEGIN, &data, f.size, f.size - 1, 1, &result), -22);
	hand_close(&hand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_is_created_and_found_again),
		cmocka_unit_test(ipv6_and_ipv4_share_a_table),
		cmocka_unit_test(a_rule_that_only_reads_creates_nothing),
		cmocka_unit_test(without_the_key_the_absent_verdict_holds),
		cmocka_unit_test(next_to_the_first_state_ends_the_flow),
		cmocka_unit_test(idle_ends_a_flow_at_its_moment),
		cmocka_unit_test(a_rule_without_refresh_leaves_the_idle_clock_running),
		cmocka_unit_test(hard_is_armed_again_by_next_only),
		cmocka_unit_test(a_late_packet_replays_the_chain_of_timeouts),
		cmocka_unit_test(a_fall_that_notifies_says_from_where_to_where),
		cmocka_unit_test(time_does_not_run_backwards_within_a_flow),
		cmocka_unit_test(one_record_is_read_and_another_written),
		cmocka_unit_test(a_port_that_is_down_has_a_reason),
		cmocka_unit_test(rules_are_tried_in_order_with_all_their_terms),
		cmocka_unit_test(faults_and_strangers_have_reasons),
		cmocka_unit_test(the_agent_expires_deletes_and_sets),
		cmocka_unit_test(a_result_tells_what_each_table_did),
		cmocka_unit_test(two_scopes_are_one_step_with_two_records),
		cmocka_unit_test(impossible_arguments_are_refused),
	};

	return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}
