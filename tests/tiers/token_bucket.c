// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 7 and the reference system's scenario, with injected time. */
#include "tiers.h"

#include <stdio.h>

#define BUCKET "examples/token-bucket.yaml"

static unsigned burst(struct rig *rig, const char *src, unsigned n, unsigned gap_ms)
{
	struct frame frame = PKT(.ip_src = src);
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++) {
		passed += send_one(rig, 1, frame) == EXIT_PASS;
		rig_advance_ms(rig, gap_ms);
	}
	return passed;
}

static void ten_in_a_burst_pass_five(void **state)
{
	struct rig *rig = rig_with(BUCKET, NULL);

	assert_int_equal(burst(rig, "192.0.2.1", 10, 1), 5);
	assert_int_equal(rig_rule_count(rig, "token-bucket/police/first"), 1);
	assert_int_equal(rig_rule_count(rig, "token-bucket/police/in-rate"), 4);
	assert_int_equal(rig_rule_count(rig, "token-bucket/police/over-rate"), 5);
	rig_close(rig);
}

static void a_second_later_one_token_is_back(void **state)
{
	struct rig *rig = rig_with(BUCKET, NULL);

	burst(rig, "192.0.2.1", 10, 1);
	rig_advance_ms(rig, 1000);
	assert_int_equal(burst(rig, "192.0.2.1", 3, 0), 1);
	rig_close(rig);
}

static void after_twenty_seconds_of_rest_the_bucket_is_full_again(void **state)
{
	struct rig *rig = rig_with(BUCKET, NULL);

	burst(rig, "192.0.2.1", 10, 1);
	rig_advance_ms(rig, 20000);
	assert_int_equal(burst(rig, "192.0.2.1", 10, 1), 5);
	rig_close(rig);
}

static void ten_a_second_for_twenty_seconds_pass_twenty_four(void **state)
{
	struct rig *rig = rig_with(BUCKET, NULL);

	assert_int_equal(burst(rig, "192.0.2.1", 200, 100), 24); /* 5 at once, then one each second of 19.9 s. */
	rig_close(rig);
}

static void a_reset_never_grants_more_than_the_budget(void **state)
{
	static const unsigned gaps_ms[] = {4900, 5900, 6000, 7100, 100, 1, 2500};
	struct rig *rig = rig_with(BUCKET, NULL);
	uint64_t begin = rig_now_ns(rig);
	unsigned passed = 0;

	for (unsigned i = 0; i < sizeof(gaps_ms) / sizeof(gaps_ms[0]); i++) {
		passed += burst(rig, "192.0.2.1", 10, 1);
		rig_advance_ms(rig, gaps_ms[i]);
		assert_true(passed <= 5 + (rig_now_ns(rig) - begin) / 1000000000);
	}
	rig_close(rig);
}

static void sources_are_apart_in_both_families(void **state)
{
	struct rig *rig = rig_with(BUCKET, NULL);

	assert_int_equal(burst(rig, "192.0.2.1", 10, 0), 5);
	assert_int_equal(burst(rig, "192.0.2.2", 10, 0), 5);
	assert_int_equal(burst(rig, "2001:db8::7", 10, 0), 5);
	assert_int_equal(rig_flows(rig, "token-bucket/police", NULL, NULL), 3);
	rig_close(rig);
}

static void three_hundred_sources_get_exactly_five_each(void **state)
{
	struct rig *rig = rig_with(BUCKET, NULL);
	unsigned passed[300] = {};
	char src[32];

	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 300; i++) {
			snprintf(src, sizeof(src), "10.1.%u.%u", i / 200, 1 + i % 200);
			passed[i] += send_one(rig, 1, PKT(.ip_src = src)) == EXIT_PASS;
		}
	}
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(passed[i], 5);
	rig_close(rig);
}

static void parameters_are_the_bucket(void **state)
{
	struct rig *rig = rig_open(tier);

	rig_load(rig, BUCKET, "burst=20", "rate=10pps", NULL);
	rig_commit(rig);
	assert_int_equal(burst(rig, "192.0.2.1", 50, 0), 20);
	rig_advance_ms(rig, 500);
	assert_int_equal(burst(rig, "192.0.2.1", 50, 0), 5);
	rig_close(rig);
}

static void a_new_version_keeps_the_flow(void **state)
{
	struct rig *rig = rig_with(BUCKET, NULL);

	assert_int_equal(burst(rig, "192.0.2.1", 10, 0), 5);
	rig_unload_all(rig);
	rig_load(rig, BUCKET, "rate=2pps", NULL);
	rig_commit(rig);
	assert_int_equal(burst(rig, "192.0.2.1", 10, 0), 0);
	rig_advance_ms(rig, 3000);
	assert_in_range(burst(rig, "192.0.2.1", 10, 0), 1, 5);
	rig_close(rig);
}

static void arp_is_absent_and_passes(void **state)
{
	struct rig *rig = rig_with(BUCKET, NULL);
	struct frame arp = PKT(.arp_op = 1);

	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(send_one(rig, 1, arp), EXIT_PASS);
	assert_int_equal(rig_rule_count(rig, "token-bucket/police/absent"), 10);
	rig_close(rig);
}

TESTS(token_bucket, cmocka_unit_test(ten_in_a_burst_pass_five), cmocka_unit_test(a_second_later_one_token_is_back),
      cmocka_unit_test(after_twenty_seconds_of_rest_the_bucket_is_full_again),
      cmocka_unit_test(ten_a_second_for_twenty_seconds_pass_twenty_four),
      cmocka_unit_test(a_reset_never_grants_more_than_the_budget), cmocka_unit_test(sources_are_apart_in_both_families),
      cmocka_unit_test(three_hundred_sources_get_exactly_five_each), cmocka_unit_test(parameters_are_the_bucket),
      cmocka_unit_test(a_new_version_keeps_the_flow), cmocka_unit_test(arp_is_absent_and_passes));
