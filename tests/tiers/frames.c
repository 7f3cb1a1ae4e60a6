// SPDX-License-Identifier: GPL-2.0-or-later
/* What a rule writes into a frame, compared as whole frames with every checksum from scratch. */
#include "tiers.h"

#include <stdio.h>
#include <string.h>

static struct rig *rig_doing(const char *action)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		 "app: edit\ntables:\n  - name: t\n    rules:\n      - {name: all, action: \"%s\"}\n", action);
	return rig_with(text, NULL);
}

static void expect(const char *action, struct frame sent, struct frame expected)
{
	struct rig *rig = rig_doing(action);
	struct rig_result result = rig_send_real(rig, 1, sent);
	char why[64] = "";

	assert_int_equal(result.exit, EXIT_PASS);
	assert_frame_equal(expected.data, expected.size, result.frame.data, result.frame.size);
	assert_true(frame_verify(result.frame.data, result.frame.size, why, sizeof(why)));
	rig_close(rig);
}

static void addresses_and_ports_are_written_with_their_checksums(void **state)
{
	expect("ip.dst = 203.0.113.9; l4.dst = 8080; pass", PKT(.tcp_dport = 80),
	       PKT(.ip_dst = "203.0.113.9", .tcp_dport = 8080));
	expect("ip.src = 203.0.113.9; l4.src = 1; pass", PKT(.udp_dport = 80),
	       PKT(.ip_src = "203.0.113.9", .udp_sport = 1, .udp_dport = 80));
	expect("ip.dst = 2001:db8::99; l4.dst = 8080; pass", PKT(.ip6 = true, .tcp_dport = 80),
	       PKT(.ip6 = true, .ip_dst = "2001:db8::99", .tcp_dport = 8080));
}

static void a_udp_checksum_of_zero_stays_zero(void **state)
{
	expect("ip.dst = 203.0.113.9; pass", PKT(.udp_no_csum = true),
	       PKT(.udp_no_csum = true, .ip_dst = "203.0.113.9"));
}

static void ttl_dscp_and_macs_are_written(void **state)
{
	expect("ip.ttl -= 1; ip.dscp = 46; pass", PKT(.ip_ttl = 64), PKT(.ip_ttl = 63, .ip_dscp = 46));
	expect("ip.ttl -= 1; ip.dscp = 46; pass", PKT(.ip6 = true, .ip_ttl = 64),
	       PKT(.ip6 = true, .ip_ttl = 63, .ip_dscp = 46));
	expect("eth.dst = eth.src; eth.src = eth.dst; pass", PKT(),
	       PKT(.eth_src = FRAME_MAC_DST, .eth_dst = FRAME_MAC_SRC));
}

static void vlan_tags_are_pushed_changed_and_popped(void **state)
{
	expect("push(vlan); vlan.id = 42; vlan.prio = 5; pass", PKT(.tcp_dport = 80),
	       PKT(.tcp_dport = 80, .vlan_id = 42, .vlan_prio = 5));
	expect("vlan.id = 7; pass", PKT(.vlan_id = 42, .vlan_prio = 3), PKT(.vlan_id = 7, .vlan_prio = 3));
	expect("pop(vlan); pass", PKT(.vlan_id = 42, .udp_dport = 9), PKT(.udp_dport = 9));
}

static void what_cannot_be_parsed_has_a_reason(void **state)
{
	struct rig *rig = rig_doing("pass");
	struct frame whole = PKT(.tcp_dport = 80), cut = whole;

	for (cut.size = 14; cut.size < whole.size; cut.size++)
		assert_int_equal(rig_send_real(rig, 1, cut).exit, EXIT_PARSE_SHORT);
	assert_int_equal(rig_send_real(rig, 1, whole).exit, EXIT_PASS);
	rig_close(rig);
}

static void a_rule_whose_field_is_absent_does_not_match(void **state)
{
	struct rig *rig = rig_with("app: has\ntables:\n  - name: t\n    rules:\n"
				   "      - {name: not-web, when: tcp.dst != 80, action: drop}\n"
				   "      - {name: tcp, when: has(tcp), action: deliver}\n"
				   "    otherwise: pass\n",
				   NULL);

	assert_int_equal(send_one(rig, 1, PKT(.tcp_dport = 81)), EXIT_DROP);
	assert_int_equal(send_one(rig, 1, PKT(.tcp_dport = 80)), EXIT_DELIVER);
	assert_int_equal(send_one(rig, 1, PKT(.udp_dport = 81)), EXIT_PASS);
	rig_close(rig);
}

static void a_window_is_limited(void **state)
{
	struct rig *rig = rig_with("examples/window-limiter.yaml", "to=198.51.100.0/24");
	struct pkt wide = {.ip_src = "198.51.100.1", .tcp_flags = 0x10, .tcp_window = 500, .payload_size = 3};
	struct pkt most = wide;
	struct rig_result r = rig_send_real(rig, 1, frame_make(&wide));
	struct frame wanted;

	most.tcp_window = 64;
	wanted = frame_make(&most);
	assert_frame_equal(wanted.data, wanted.size, r.frame.data, r.frame.size);
	r = rig_send_real(rig, 1, wanted);
	assert_frame_equal(wanted.data, wanted.size, r.frame.data, r.frame.size);
	send_one(rig, 1, PKT(.ip_src = "198.51.100.1", .tcp_flags = 0x12, .tcp_window = 500));
	send_one(rig, 1, PKT(.ip_src = "192.0.2.1", .tcp_flags = 0x10, .tcp_window = 500));
	assert_int_equal(rig_rule_count(rig, "window-limiter/limit/limited"), 1);
	rig_close(rig);
}

TESTS(frames, cmocka_unit_test(a_window_is_limited),
      cmocka_unit_test(addresses_and_ports_are_written_with_their_checksums),
      cmocka_unit_test(a_udp_checksum_of_zero_stays_zero), cmocka_unit_test(ttl_dscp_and_macs_are_written),
      cmocka_unit_test(vlan_tags_are_pushed_changed_and_popped), cmocka_unit_test(what_cannot_be_parsed_has_a_reason),
      cmocka_unit_test(a_rule_whose_field_is_absent_does_not_match));
