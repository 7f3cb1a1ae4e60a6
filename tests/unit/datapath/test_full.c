// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables at their capacity, on the native switch with tables written by hand. */
#include "tables_by_hand.h"

static void the_declared_capacity_is_reached(void **state)
{
	static const unsigned capacities[] = {1, 2, 3, 7, 100, 1000, 10000};

	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		struct hand hand;

		hand_open(&hand, hand_counting_table(), capacities[i]);
		hand_fill(&hand, capacities[i]);
		assert_int_equal(hand_find(&hand, 0).n, capacities[i]);
		assert_int_equal(hand_send(&hand, .ip_src = hand_address(capacities[i])), EXIT_TABLE_FULL);
		assert_int_equal(hand_stat(&hand, TABLE_STAT_FULL), 1);
		hand_close(&hand);
	}
}

static void a_full_table_does_what_it_was_told(void **state)
{
	static const struct {
		enum when_full when_full;
		enum exit_reason exit;
	} cases[] = {
		{FULL_DROP, EXIT_TABLE_FULL},
		{FULL_PASS, EXIT_TABLE_FULL_PASS},
		{FULL_CONTINUE, EXIT_DELIVER},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct table *t = hand_counting_table();
		struct hand hand;

		t->when_full = cases[i].when_full;
		hand_open(&hand, t, 1);
		hand_fill(&hand, 1);
		t = hand_counting_table();
		t->when_full = cases[i].when_full;
		t->rules[0].verdict = VERDICT_DELIVER;
		assert_int_equal(native_set_table(hand.sw, TABLE_INDEX(0, HOOK_XDP, 0), t), 0);
		free(t);
		assert_int_equal(hand_send(&hand), cases[i].exit);
		assert_int_equal(hand.result.n_events, 1);
		assert_int_equal(hand.result.event[0].kind, EVENT_TABLE_FULL);
		hand_expect_none(&hand, CLIENT);
		hand_expect(&hand, hand_address_key(0), 1, 1);
		hand_close(&hand);
	}
}

static void a_table_that_evicts_gives_up_the_one_unused_for_longest(void **state)
{
	struct table *t = hand_counting_table();
	struct hand hand;

	t->when_full = FULL_EVICT;
	hand_open(&hand, t, 3);
	hand_fill(&hand, 3);
	hand.now_ns += MS;
	hand_send(&hand, .ip_src = hand_address(0));
	assert_int_equal(hand_send(&hand), EXIT_PASS);
	hand_expect(&hand, CLIENT, 1, 1);
	hand_expect(&hand, hand_address_key(0), 1, 2);
	hand_expect_none(&hand, hand_address_key(1));
	hand_expect(&hand, hand_address_key(2), 1, 1);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_EVICTED), 1);
	hand_close(&hand);
}

static void a_flow_that_is_due_makes_room_before_any_policy(void **state)
{
	struct table *t = hand_counting_table();
	struct hand hand;

	hand_state(t, 1)->idle_ns = SECOND;
	hand_open(&hand, t, 2);
	hand_fill(&hand, 2);
	hand.now_ns += SECOND - 1;
	assert_int_equal(hand_send(&hand), EXIT_PASS);
	hand_expect_none(&hand, hand_address_key(0));
	hand_expect(&hand, hand_address_key(1), 1, 1);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_EXPIRED), 1);
	hand_close(&hand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_declared_capacity_is_reached),
		cmocka_unit_test(a_full_table_does_what_it_was_told),
		cmocka_unit_test(a_table_that_evicts_gives_up_the_one_unused_for_longest),
		cmocka_unit_test(a_flow_that_is_due_makes_room_before_any_policy),
	};

	return cmocka_run_group_tests_name("full tables", tests, NULL, NULL);
}
