// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 16 in its one-copy form: windows of 100 ms, weight of the old average 0.875, threshold 50. */
#include "tiers.h"

#define LOADER "examples/loader.yaml"
#define VICTIM "198.51.100.9"
#define OTHER  "198.51.100.8"

static unsigned dscp_of(const struct rig_result *r)
{
	return r->frame.data[15] >> 2; /* Of an IPv4 header behind Ethernet's. */
}

static unsigned send_to(struct rig *rig, const char *dst)
{
	struct rig_result r = rig_send(rig, 1, PKT(.ip_dst = dst, .udp_dport = 53));

	assert_int_equal(r.exit, EXIT_PASS);
	return dscp_of(&r);
}

/* One window of 100 ms with 'n' packets; returns the mark of the last. */
static unsigned window(struct rig *rig, const char *dst, unsigned n)
{
	unsigned dscp = 0;

	for (unsigned i = 0; i < n; i++)
		dscp = send_to(rig, dst);
	rig_advance_ms(rig, 100);
	return dscp;
}

static const char *state_of(struct rig *rig, const char *dst)
{
	return rig_state(rig, "loader/destinations", "ip.dst", dst);
}

static uint64_t load_of(struct rig *rig, const char *dst)
{
	return rig_register(rig, "loader/destinations", "ip.dst", dst, "load");
}

static void the_average_follows_the_windows(void **state)
{
	struct rig *rig = rig_with(LOADER, NULL);

	assert_int_equal(window(rig, VICTIM, 80), 13);
	assert_int_equal(load_of(rig, VICTIM), 0);
	assert_int_equal(window(rig, VICTIM, 80), 13);
	assert_int_equal(load_of(rig, VICTIM), 10000); /* 80 / 8, in thousandths. */
	window(rig, VICTIM, 80);
	assert_int_equal(load_of(rig, VICTIM), 18750);
	rig_close(rig);
}

/* 80 packets a window: the average after n windows is 80 * (1 - 0.875^n), over 50 after the eighth. */
static void a_destination_over_the_threshold_is_marked_until_it_calms_down(void **state)
{
	struct rig *rig = rig_with(LOADER, NULL);
	unsigned windows = 0;

	while (window(rig, VICTIM, 80) == 13 && windows < 20)
		windows++;
	assert_int_equal(windows, 8);
	assert_string_equal(state_of(rig, VICTIM), "ATTACKED");
	assert_int_equal(send_to(rig, OTHER), 13);
	assert_int_equal(rig_rule_count(rig, "loader/destinations/rise"), 1);
	for (windows = 0; window(rig, VICTIM, 10) == 26 && windows < 20;)
		windows++;
	assert_string_equal(state_of(rig, VICTIM), "CALM");
	assert_int_equal(rig_rule_count(rig, "loader/destinations/fall"), 1);
	rig_close(rig);
}

static void a_second_of_silence_ends_it(void **state)
{
	struct rig *rig = rig_with(LOADER, NULL);

	window(rig, VICTIM, 3);
	rig_advance_ms(rig, 899);
	assert_string_equal(state_of(rig, VICTIM), "CALM");
	rig_advance_ms(rig, 2);
	rig_expire(rig);
	assert_null(state_of(rig, VICTIM));
	rig_close(rig);
}

TESTS(loader, cmocka_unit_test(the_average_follows_the_windows),
      cmocka_unit_test(a_destination_over_the_threshold_is_marked_until_it_calms_down),
      cmocka_unit_test(a_second_of_silence_ends_it));
