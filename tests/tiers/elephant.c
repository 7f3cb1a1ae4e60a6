// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 11: long flows are marked, in both families. */
#include "tiers.h"

#define EXAMPLE "examples/elephant-flow.yaml"
#define TABLE	"elephant-flow/connections"
#define SRC	"192.0.2.1"
#define SRC6	"2001:db8::7"

enum { THRESHOLD = 100, MARK = 8 };

static void expect_frame(struct rig *rig, struct frame sent, struct frame expected)
{
	struct rig_result result = rig_send(rig, 1, sent);

	assert_int_equal(result.exit, EXIT_PASS);
	assert_frame_equal(expected.data, expected.size, result.frame.data, result.frame.size);
}

/* The 101st packet is the first one marked, and its checksums are right. */
static void try_family(const char *src)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);
	struct frame plain = PKT(.ip_src = src, .tcp_dport = 80);
	struct frame marked = PKT(.ip_src = src, .tcp_dport = 80, .ip_dscp = MARK);

	rig_repeat(rig, 1, plain, THRESHOLD - 1);
	expect_frame(rig, plain, plain);
	assert_string_equal(rig_state(rig, TABLE, "ip.src", src), "MOUSE");
	expect_frame(rig, plain, marked);
	assert_string_equal(rig_state(rig, TABLE, "ip.src", src), "ELEPHANT");
	expect_frame(rig, plain, marked);
	assert_int_equal(rig_register(rig, TABLE, "ip.src", src, "packets"), THRESHOLD + 2);
	rig_close(rig);
}

static void packet_101_is_the_first_one_marked(void **state)
{
	try_family(SRC);
}

static void ipv6_is_marked_alike(void **state)
{
	try_family(SRC6);
}

static void ten_seconds_later_it_is_a_mouse_again(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);
	struct frame plain = PKT(.ip_src = SRC, .tcp_dport = 80);

	rig_repeat(rig, 1, plain, THRESHOLD + 1);
	rig_advance_ms(rig, 9999);
	expect_frame(rig, plain, PKT(.ip_src = SRC, .tcp_dport = 80, .ip_dscp = MARK));
	rig_advance_ms(rig, 1);
	expect_frame(rig, plain, plain);
	assert_int_equal(rig_register(rig, TABLE, "ip.src", SRC, "packets"), 1);
	rig_close(rig);
}

/* As the published tables have it: another threshold, the whole byte. */
static void the_field_that_is_written_is_a_parameter(void **state)
{
	struct rig *rig = rig_open(tier);
	struct frame plain = PKT(.ip_src = SRC, .tcp_dport = 80), marked = plain;

	rig_load(rig, EXAMPLE, "threshold=3", "mark=ip.tos", "value=150", NULL);
	rig_commit(rig);
	marked = PKT(.ip_src = SRC, .tcp_dport = 80, .ip_dscp = 150 >> 2, .ip_ecn = 150 & 3);
	rig_repeat(rig, 1, plain, 3);
	expect_frame(rig, plain, marked);
	rig_close(rig);
}

static void flows_do_not_disturb_each_other(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);
	struct frame other = PKT(.ip_src = SRC, .tcp_dport = 81);

	rig_repeat(rig, 1, PKT(.ip_src = SRC, .tcp_dport = 80), THRESHOLD + 5);
	expect_frame(rig, other, other);
	assert_int_equal(rig_rule_count(rig, TABLE "/grown"), 1);
	rig_close(rig);
}

TESTS(elephant, cmocka_unit_test(packet_101_is_the_first_one_marked), cmocka_unit_test(ipv6_is_marked_alike),
      cmocka_unit_test(ten_seconds_later_it_is_a_mouse_again),
      cmocka_unit_test(the_field_that_is_written_is_a_parameter), cmocka_unit_test(flows_do_not_disturb_each_other));
