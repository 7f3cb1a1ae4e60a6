/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maglev's table of slots: shares, and how little moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/pipeline.h"
#include "tables/maglev.h"

enum { SIZE = 65537, TEN = 10 };

static uint16_t before[SIZE], after[SIZE];

static void ten_members(struct maglev_member *member)
{
	for (unsigned i = 0; i < TEN; i++)
		member[i] = (struct maglev_member){.id = i + 1, .weight = 1};
}

static unsigned slots_of(const uint16_t *slot, unsigned id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SIZE; i++)
		n += slot[i] == id;
	return n;
}

static void shares_are_equal_within_one_per_cent(void **state)
{
	struct maglev_member member[TEN];

	ten_members(member);
	assert_int_equal(maglev_fill(member, TEN, before, SIZE), 0);
	for (unsigned id = 1; id <= TEN; id++)
		assert_in_range(slots_of(before, id), SIZE / TEN * 99 / 100, SIZE / TEN * 101 / 100);
}

static void shares_follow_weights(void **state)
{
	static const unsigned weight[TEN] = {1, 1, 1, 1, 1, 1, 1, 2, 3, 0};
	struct maglev_member member[TEN];

	ten_members(member);
	for (unsigned i = 0; i < TEN; i++)
		member[i].weight = weight[i];
	assert_int_equal(maglev_fill(member, TEN, before, SIZE), 0);
	for (unsigned i = 0; i < TEN; i++)
		assert_in_range(slots_of(before, i + 1), SIZE / 12 * weight[i] * 98 / 100,
				SIZE / 12 * weight[i] * 102 / 100 + 1);
}

/* Whoever it is: its slots move, of the others' under 15 % (the paper finds a few per cent). */
static void a_lost_member_of_ten_moves_few_of_the_others(void **state)
{
	for (unsigned lost = 0; lost < TEN; lost++) {
		struct maglev_member member[TEN];
		unsigned others = 0, moved = 0;

		ten_members(member);
		assert_int_equal(maglev_fill(member, TEN, before, SIZE), 0);
		member[lost].weight = 0;
		assert_int_equal(maglev_fill(member, TEN, after, SIZE), 0);
		for (unsigned i = 0; i < SIZE; i++) {
			assert_int_not_equal(after[i], lost + 1);
			others += before[i] != lost + 1;
			moved += before[i] != lost + 1 && before[i] != after[i];
		}
		assert_true(moved * 100 < others * 15);
	}
}

static void the_order_of_members_means_nothing(void **state)
{
	struct maglev_member member[TEN], turned[TEN];

	ten_members(member);
	for (unsigned i = 0; i < TEN; i++)
		turned[i] = member[TEN - 1 - i];
	assert_int_equal(maglev_fill(member, TEN, before, SIZE), 0);
	assert_int_equal(maglev_fill(turned, TEN, after, SIZE), 0);
	assert_memory_equal(before, after, sizeof(before));
}

static void nobody_with_a_weight_leaves_the_table_empty(void **state)
{
	const struct maglev_member member = {.id = 3};

	assert_int_equal(maglev_fill(&member, 1, before, SIZE), 0);
	assert_int_equal(slots_of(before, MEMBER_NONE), SIZE);
	assert_int_equal(maglev_fill(NULL, 0, before, 2), 0);
	assert_int_equal(before[1], MEMBER_NONE);
}

static void sizes_are_primes(void **state)
{
	assert_true(maglev_is_size(2) && maglev_is_size(3) && maglev_is_size(65537));
	assert_false(maglev_is_size(0) || maglev_is_size(1) || maglev_is_size(9) || maglev_is_size(65536));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_equal_within_one_per_cent),
		cmocka_unit_test(shares_follow_weights),
		cmocka_unit_test(a_lost_member_of_ten_moves_few_of_the_others),
		cmocka_unit_test(the_order_of_members_means_nothing),
		cmocka_unit_test(nobody_with_a_weight_leaves_the_table_empty),
		cmocka_unit_test(sizes_are_primes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
