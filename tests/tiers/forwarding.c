// SPDX-License-Identifier: GPL-2.0-or-later
/* Examples of match tables: router, port pairs, access list, fast drop. */
#include "tiers.h"

static struct rig *rig_between(const char *path, const char *first, const char *second)
{
	struct rig *rig = rig_open(tier);

	rig_load(rig, path, first, second, NULL);
	rig_commit(rig);
	return rig;
}

static void assert_macs(const struct rig_result *r, unsigned dst4, unsigned dst5, unsigned src5)
{
	assert_int_equal(r->frame.data[4], dst4);
	assert_int_equal(r->frame.data[5], dst5);
	assert_int_equal(r->frame.data[11], src5);
}

static void the_router_sends_by_the_longest_prefix(void **state)
{
	struct rig *rig = rig_between("examples/static-router.yaml", "inside=port1", "outside=port2");
	struct rig_result r = rig_send(rig, 3, PKT(.ip_dst = "10.2.1.1", .ip_ttl = 7, .udp_dport = 9));

	assert_int_equal(r.out_port, 2);
	assert_macs(&r, 2, 1, 2);
	assert_int_equal(r.frame.data[22], 6);
	r = rig_send(rig, 3, PKT(.ip_dst = "10.2.9.1", .udp_dport = 9));
	assert_int_equal(r.out_port, 1);
	assert_macs(&r, 1, 9, 1);
	r = rig_send(rig, 3, PKT(.ip_src = "2001:db8:1::1", .ip_dst = "2001:db8:2::1", .udp_dport = 9));
	assert_int_equal(r.out_port, 2);
	assert_macs(&r, 2, 1, 2);
	assert_int_equal(send_one(rig, 3, PKT(.ip_dst = "192.0.2.9", .udp_dport = 9)), EXIT_DROP);
	assert_int_equal(send_one(rig, 3, PKT(.ip_dst = "198.51.100.9", .udp_dport = 9)), EXIT_DELIVER);
	assert_int_equal(send_one(rig, 3, PKT(.ip_dst = "10.2.1.1", .ip_ttl = 1, .udp_dport = 9)), EXIT_DELIVER);
	assert_int_equal(send_one(rig, 3, PKT(.arp_op = 1)), EXIT_PASS);
	rig_put_entry(rig, "static-router/routes", "ip.dst=10.2.1.1 action=blackhole");
	assert_int_equal(send_one(rig, 3, PKT(.ip_dst = "10.2.1.1", .udp_dport = 9)), EXIT_DROP);
	rig_close(rig);
}

static void pairs_of_ports_are_joined(void **state)
{
	struct rig *rig = rig_between("examples/port-pairs.yaml", "inside=port1", "outside=port2");
	struct rig_result r;

	r = rig_send(rig, 1, PKT(.udp_dport = 9));
	assert_int_equal(r.out_port, 2);
	assert_macs(&r, 2, 1, 2);
	r = rig_send(rig, 2, PKT(.arp_op = 1));
	assert_int_equal(r.out_port, 1);
	assert_macs(&r, 1, 1, 1);
	assert_int_equal(send_one(rig, 3, PKT(.udp_dport = 9)), EXIT_DROP);
	assert_int_equal(rig_put_entry(rig, "port-pairs/pairs", "in_port=3 out=4"), 0);
	assert_int_equal(rig_send(rig, 3, PKT(.udp_dport = 9)).out_port, 4);
	rig_close(rig);
}

static void the_access_list_asks_its_priorities(void **state)
{
	struct rig *rig = rig_with("examples/acl.yaml", NULL);

	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "192.0.2.1", .udp_dport = 53)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "192.0.2.1", .tcp_dport = 53)), EXIT_DROP);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "10.0.0.1", .tcp_dport = 1023)), EXIT_DROP);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "10.0.0.1", .tcp_dport = 1024)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "10.0.0.1", .tcp_dport = 3306)), EXIT_DROP);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "10.0.0.9", .tcp_dport = 3306)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "192.0.2.1", .icmp_type = 8)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "203.0.113.1", .icmp_type = 8)), EXIT_DROP);
	assert_int_equal(send_one(rig, 1, PKT(.arp_op = 1)), EXIT_PASS);
	rig_close(rig);
}

static void what_is_dropped_is_counted_by_protocol(void **state)
{
	struct rig *rig = rig_with("examples/fast-drop.yaml", NULL);

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(send_one(rig, 1, PKT(.udp_dport = 9)), EXIT_DROP);
	assert_int_equal(send_one(rig, 1, PKT(.tcp_dport = 9)), EXIT_DROP);
	assert_int_equal(send_one(rig, 1, PKT(.arp_op = 1)), EXIT_DROP);
	assert_int_equal(rig_entry_packets(rig, "fast-drop/protocols", "ip.proto=udp"), 3);
	assert_int_equal(rig_entry_packets(rig, "fast-drop/protocols", "ip.proto=tcp"), 1);
	assert_int_equal(rig_entry_packets(rig, "fast-drop/others", "eth.type=arp"), 1);
	assert_int_equal(rig_rule_count(rig, "fast-drop/protocols/otherwise"), 0);
	rig_close(rig);
}

static void a_hub_floods(void **state)
{
	struct rig *rig = rig_with("examples/hub.yaml", NULL);

	assert_int_equal(send_one(rig, 1, PKT(.arp_op = 1)), EXIT_FLOOD);
	assert_int_equal(send_one(rig, 2, PKT(.ip6 = true)), EXIT_FLOOD);
	assert_int_equal(rig_rule_count(rig, "hub/hub/all"), 2);
	rig_close(rig);
}

TESTS(forwarding, cmocka_unit_test(a_hub_floods), cmocka_unit_test(the_router_sends_by_the_longest_prefix),
      cmocka_unit_test(pairs_of_ports_are_joined), cmocka_unit_test(the_access_list_asks_its_priorities),
      cmocka_unit_test(what_is_dropped_is_counted_by_protocol));
