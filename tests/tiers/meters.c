// SPDX-License-Identifier: GPL-2.0-or-later
/* Meters: shared by all flows, and one a flow; in packets and in bytes. */
#include "tiers.h"

#include <string.h>

static const char shared[] = "app: m\n"
			     "meters: {all: {cir: 10pps, cbs: 3}}\n"
			     "variables: [c, before]\n"
			     "tables:\n"
			     "  - name: t\n"
			     "    rules: [{action: c = meter(all); ip.dscp = c + 20; before = c * 2}]\n"
			     "  - name: u\n"
			     "    rules:\n"
			     "      - {match: {c: red}, action: reflect}\n"
			     "      - {match: {c: yellow}, when: before == 2, action: drop}\n";

static enum exit_reason one(struct rig *rig, const char *src)
{
	return send_one(rig, 1, PKT(.ip_src = src));
}

static void all_flows_share_one_bucket(void **state)
{
	struct rig *rig = rig_with(shared, NULL);

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(one(rig, i % 2 ? "192.0.2.1" : "192.0.2.2"), EXIT_PASS);
	assert_int_equal(one(rig, "192.0.2.3"), EXIT_DROP);
	rig_advance_ms(rig, 99);
	assert_int_equal(one(rig, "192.0.2.1"), EXIT_DROP);
	rig_advance_ms(rig, 1); /* 100 ms: one token. */
	assert_int_equal(one(rig, "192.0.2.1"), EXIT_PASS);
	assert_int_equal(one(rig, "192.0.2.1"), EXIT_DROP);
	rig_close(rig);
}

/* The write comes after the meter, and says what it said. */
static void a_colour_can_be_written(void **state)
{
	struct rig *rig = rig_with(shared, NULL);
	struct rig_result result = rig_send(rig, 1, PKT(.ip_src = "192.0.2.1"));
	struct frame wanted;

	wanted = PKT(.ip_src = "192.0.2.1", .ip_dscp = 20);
	assert_frame_equal(wanted.data, wanted.size, result.frame.data, result.frame.size);
	rig_close(rig);
}

static const char three_colours[] = "app: m\n"
				    "variables: [c]\n"
				    "tables:\n"
				    "  - name: t\n"
				    "    state:\n"
				    "      lookup: [ip.src]\n"
				    "      capacity: 10\n"
				    "      meters: {m: {cir: 8kbps, cbs: 200B, pir: 16kbps, pbs: 400B}}\n"
				    "    rules: [{do: c = meter(m)}]\n"
				    "  - name: u\n"
				    "    rules:\n"
				    "      - {match: {c: red}, action: drop}\n"
				    "      - {match: {c: yellow}, action: deliver}\n";

/* Frames of 100 bytes; the committed bucket has two of them and gets one each 100 ms, the other four and two. */
static void each_flow_has_two_buckets(void **state)
{
	static const struct {
		unsigned after_ms;
		enum exit_reason exit;
	} packets[] = {{0, EXIT_PASS},	  {0, EXIT_PASS},    {0, EXIT_DELIVER}, {0, EXIT_DELIVER}, {0, EXIT_DROP},
		       {49, EXIT_DROP},	  {1, EXIT_DELIVER}, {50, EXIT_PASS},	{0, EXIT_DROP},	   {199, EXIT_PASS},
		       {0, EXIT_DELIVER}, {1, EXIT_PASS},    {0, EXIT_DELIVER}, {0, EXIT_DROP}};
	struct rig *rig = rig_with(three_colours, NULL);

	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		rig_advance_ms(rig, packets[i].after_ms);
		assert_int_equal(send_one(rig, 1, PKT(.ip_src = "192.0.2.1", .udp_dport = 5, .payload_size = 58)),
				 packets[i].exit);
	}
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "192.0.2.2", .udp_dport = 5, .payload_size = 58)), EXIT_PASS);
	rig_close(rig);
}

TESTS(meters, cmocka_unit_test(all_flows_share_one_bucket), cmocka_unit_test(a_colour_can_be_written),
      cmocka_unit_test(each_flow_has_two_buckets));
