// SPDX-License-Identifier: GPL-2.0-or-later
/* Windows of traffic, and what the monitor makes of them. */
#include "../../../examples/entropy/monitor.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* 'values' values with 'each' packets, and one more with 'extra'. */
static struct counts spread(unsigned values, unsigned each, unsigned extra)
{
	struct counts counts = {};
	char text[16];

	for (unsigned i = 0; i < values; i++) {
		snprintf(text, sizeof(text), "%u", i);
		counts_add(&counts, text, each);
	}
	if (extra)
		counts_add(&counts, "most", extra);
	return counts;
}

static void assert_near(double is, double wanted)
{
	if (fabs(is - wanted) > 1e-9)
		fail_msg("%f is not %f", is, wanted);
}

static void test_entropy(void **state)
{
	struct counts none = {}, one = spread(0, 0, 7), equal = spread(8, 5, 0), skewed = spread(1, 1, 3);

	(void)state;
	assert_near(counts_entropy(&none), 0);
	assert_near(counts_entropy(&one), 0);
	assert_near(counts_entropy(&equal), 1);
	assert_near(counts_entropy(&skewed), 2 - 0.75 * log2(3));
	assert_string_equal(skewed.top, "most");
	assert_int_equal(equal.packets, 40);
}

/* A web of ten clients and five servers, one of them liked more. */
static void usual_traffic(struct counts *counts, unsigned more)
{
	counts[SRC] = spread(10, 10, more);
	counts[DST] = spread(5, 10, 50 + more);
	counts[TCP_SRC] = spread(50, 2, more);
	counts[TCP_DST] = spread(4, 5, 80 + more);
	counts[UDP_SRC] = counts[UDP_DST] = (struct counts){};
}

static struct monitor trained(void)
{
	struct monitor monitor = {.training = 6, .sigmas = 3, .least = 0.05, .packets = 50};
	struct counts counts[FEATURES] = {};

	assert_int_equal(monitor_judge(&monitor, counts), WINDOW_EMPTY);
	for (unsigned i = 0; i < 6; i++) {
		usual_traffic(counts, i % 3);
		assert_int_equal(monitor_judge(&monitor, counts), WINDOW_TRAINED);
	}
	usual_traffic(counts, 1);
	assert_int_equal(monitor_judge(&monitor, counts), WINDOW_USUAL);
	return monitor;
}

static void test_attacks(void **state)
{
	struct monitor monitor = trained();
	struct counts counts[FEATURES];

	(void)state;
	usual_traffic(counts, 0);
	counts_add(&counts[DST], "victim", 3000);
	counts_add(&counts[TCP_DST], "80", 3000);
	assert_int_equal(monitor_judge(&monitor, counts), WINDOW_DDOS);
	assert_string_equal(counts[DST].top, "victim");

	usual_traffic(counts, 0);
	counts_add(&counts[DST], "victim", 3000);
	counts[TCP_DST] = spread(3000, 1, 0);
	assert_int_equal(monitor_judge(&monitor, counts), WINDOW_SCAN);
	assert_int_equal(monitor.way[TCP_DST], 1);

	usual_traffic(counts, 0);
	counts_add(&counts[DST], "victim", 3000);
	counts_add(&counts[SRC], "who", 3000);
	assert_int_equal(monitor_judge(&monitor, counts), WINDOW_ICMP_DOS);
}

static void test_attack_of_many(void **state)
{
	struct monitor monitor = trained();
	struct counts counts[FEATURES];

	(void)state;
	usual_traffic(counts, 0);
	monitor.usual[SRC].mean = 0.5; /* A few sources were most of it. */
	counts_add(&counts[DST], "victim", 3000);
	assert_int_equal(monitor_judge(&monitor, counts), WINDOW_ICMP_DDOS);
}

static void test_what_is_none_of_these(void **state)
{
	struct monitor monitor = trained();
	struct counts counts[FEATURES];

	(void)state;
	usual_traffic(counts, 0);
	counts_add(&counts[TCP_SRC], "one", 3000);
	assert_int_equal(monitor_judge(&monitor, counts), WINDOW_UNUSUAL);
	usual_traffic(counts, 0);
	counts[UDP_DST] = spread(1, 900, 0); /* Never seen in training. */
	assert_int_equal(monitor_judge(&monitor, counts), WINDOW_USUAL);
	memset(counts, 0, sizeof(counts));
	assert_int_equal(monitor_judge(&monitor, counts), WINDOW_EMPTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entropy),
		cmocka_unit_test(test_attacks),
		cmocka_unit_test(test_attack_of_many),
		cmocka_unit_test(test_what_is_none_of_these),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
