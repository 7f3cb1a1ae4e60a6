// SPDX-License-Identifier: GPL-2.0-or-later
/* Where frames go: at tc on real devices, elsewhere as the counters say. */
#include "tiers.h"

#include <stdio.h>

static bool on_devices(void)
{
	return tier == RIG_TC_INGRESS || tier == RIG_TC_EGRESS;
}

static struct rig *rig_doing(const char *action)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "app: way\ntables:\n  - name: t\n    rules:\n      - {name: all, action: \"%s\"}\n", action);
	return rig_with(text, NULL);
}

static void flood_reaches_every_other_port_once(void **state)
{
	struct rig *rig = rig_doing("flood");
	struct frame frame = PKT(.tcp_dport = 80);
	struct rig_result result = rig_send_real(rig, 2, frame);

	assert_int_equal(result.exit, EXIT_FLOOD);
	if (on_devices()) {
		assert_int_equal(result.left, 1 << 1 | 1 << 3 | 1 << 4);
		assert_frame_equal(frame.data, frame.size, result.frame.data, result.frame.size);
	}
	/* What the switch itself sends at egress passes the other ports' egress untouched, and is counted there. */
	for (unsigned port = 1; tier == RIG_TC_EGRESS && port <= RIG_PORTS; port++)
		assert_int_equal(rig_exit_count(rig, port, EXIT_COPY), port != 2);
	rig_close(rig);
}

static void output_leaves_by_its_port_only(void **state)
{
	struct rig *rig = rig_doing("output(3)");
	struct rig_result result = rig_send_real(rig, 1, PKT(.udp_dport = 9));

	assert_int_equal(result.exit, EXIT_OUTPUT);
	assert_int_equal(result.out_port, 3);
	if (on_devices())
		assert_int_equal(result.left, 1 << 3);
	rig_close(rig);
}

static void reflect_goes_back(void **state)
{
	struct rig *rig = rig_doing("reflect");
	struct rig_result result = rig_send_real(rig, 1, PKT(.udp_dport = 9));

	(void)result;
	assert_int_equal(rig_exit_count(rig, 1, EXIT_REFLECT), 1);
	if (tier == RIG_TC_INGRESS)
		assert_int_equal(result.left, 1 << 1);
	rig_close(rig);
}

static void what_is_dropped_leaves_nowhere(void **state)
{
	struct rig *rig = rig_doing("drop");
	struct rig_result result = rig_send_real(rig, 1, PKT(.udp_dport = 9));

	assert_int_equal(result.exit, EXIT_DROP);
	assert_int_equal(result.left, 0);
	rig_close(rig);
}

static void an_absent_port_is_counted_and_drops(void **state)
{
	struct rig *rig = rig_doing("output(60)");
	struct rig_result result = rig_send_real(rig, 1, PKT(.udp_dport = 9));

	assert_int_equal(result.exit, EXIT_NO_PORT);
	assert_int_equal(result.left, 0);
	rig_close(rig);
}

TESTS(ways_out, cmocka_unit_test(flood_reaches_every_other_port_once), cmocka_unit_test(output_leaves_by_its_port_only),
      cmocka_unit_test(reflect_goes_back), cmocka_unit_test(what_is_dropped_leaves_nowhere),
      cmocka_unit_test(an_absent_port_is_counted_and_drops));
