// SPDX-License-Identifier: GPL-2.0-or-later
/* What two readings of counters say of a block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "apps/pfplm/pfplm.h"

static struct pfplm_block between(struct pfplm_stats sent_before, struct pfplm_stats sent,
				  struct pfplm_stats received_before, struct pfplm_stats received)
{
	struct pfplm_block block = {.has_two_way = true};

	pfplm_compute(&sent_before, &sent, &received_before, &received, &block);
	assert_false(block.has_two_way);
	return block;
}

static void loss_is_the_difference_of_differences(void **state)
{
	struct pfplm_block b = between((struct pfplm_stats){100, 9000, 0}, (struct pfplm_stats){1100, 99000, 0},
				       (struct pfplm_stats){90, 8000, 0}, (struct pfplm_stats){1083, 97370, 0});

	assert_true(b.is_valid);
	assert_int_equal(b.sent.packets, 1000);
	assert_int_equal(b.received.packets, 993);
	assert_int_equal(b.lost, 7);
	assert_int_equal(b.lost_bytes, 630);
	assert_false(b.has_delay);
}

static void more_than_were_sent_is_a_negative_loss(void **state)
{
	struct pfplm_block b = between((struct pfplm_stats){}, (struct pfplm_stats){10, 600, 5}, (struct pfplm_stats){},
				       (struct pfplm_stats){12, 720, 9});

	assert_true(b.is_valid);
	assert_int_equal(b.lost, -2);
	assert_int_equal(b.lost_bytes, -120);
	assert_false(b.has_delay);
}

static void counters_begun_anew_make_no_block(void **state)
{
	assert_false(between((struct pfplm_stats){5, 300, 0}, (struct pfplm_stats){4, 240, 0}, (struct pfplm_stats){},
			     (struct pfplm_stats){4, 240, 0})
			     .is_valid);
	assert_false(between((struct pfplm_stats){}, (struct pfplm_stats){4, 240, 0}, (struct pfplm_stats){9, 540, 0},
			     (struct pfplm_stats){4, 240, 0})
			     .is_valid);
}

/* The sums of moments wrap; clocks may differ either way. */
static void the_mean_delay_is_that_of_sums(void **state)
{
	uint64_t moment = 1ull << 60, sent = 0, received = 0;

	for (int i = 0; i < 100; i++) {
		sent += moment + 1000 * i;
		received += moment + 1000 * i + 50 + i % 2 * 20;
	}
	assert_int_equal(between((struct pfplm_stats){}, (struct pfplm_stats){100, 6000, sent}, (struct pfplm_stats){},
				 (struct pfplm_stats){100, 6000, received})
				 .delay_ns,
			 60);
	assert_int_equal(between((struct pfplm_stats){7, 420, 5}, (struct pfplm_stats){107, 6420, received + 5},
				 (struct pfplm_stats){7, 420, 3}, (struct pfplm_stats){107, 6420, sent + 3})
				 .delay_ns,
			 -60);
	assert_false(
		between((struct pfplm_stats){}, (struct pfplm_stats){}, (struct pfplm_stats){}, (struct pfplm_stats){})
			.has_delay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loss_is_the_difference_of_differences),
		cmocka_unit_test(more_than_were_sent_is_a_negative_loss),
		cmocka_unit_test(counters_begun_anew_make_no_block),
		cmocka_unit_test(the_mean_delay_is_that_of_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
