// SPDX-License-Identifier: GPL-2.0-or-later
/* `route`: the kernel's FIB, asked with the packet as it was written. */
#include "tiers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../datapath/native.h"

#define NEXT_HOP "02:00:00:00:00:99"

static void run(const char *command)
{
	if (system(command))
		fail_msg("%s", command);
}

/* The kernel behind the switch: one way over port 2, another whose neighbour does not answer, one that leads nowhere.
 */
static void route_kernel(void)
{
	if (tier == RIG_NATIVE)
		return;
	run("echo 1 > /proc/sys/net/ipv4/ip_forward");
	run("ip addr replace 192.0.2.254/24 dev port1; ip addr replace 203.0.113.1/24 dev port2;"
	    "ip neigh replace 203.0.113.9 lladdr " NEXT_HOP " dev port2 nud permanent;"
	    "ip route replace 198.51.100.0/24 via 203.0.113.9; ip route replace 198.19.0.0/16 via 203.0.113.77;"
	    "ip route replace blackhole 198.18.0.0/16; ip route replace 198.20.0.0/16 via 203.0.113.9 mtu lock 600");
}

/* IPv6 only while it is needed: a kernel that has it speaks unasked. */
static void route_kernel6(bool on)
{
	if (tier == RIG_NATIVE)
		return;
	if (!on) {
		run("for p in port1 port2; do echo 1 > /proc/sys/net/ipv6/conf/$p/disable_ipv6; done");
		return;
	}
	run("cd /proc/sys/net/ipv6/conf; echo 1 > all/forwarding; for p in port1 port2; do echo 0 > $p/disable_ipv6; "
	    "done");
	run("ip -6 addr add 2001:db8::fe/64 dev port1 nodad; ip -6 addr add 2001:db8:cccc::1/64 dev port2 nodad");
	run("ip -6 neigh add 2001:db8:cccc::9 lladdr " NEXT_HOP " dev port2 nud permanent");
	run("ip -6 route add 2001:db8:ffff::/48 via 2001:db8:cccc::9");
}

/* Natively the same ways, by hand. */
static enum exit_reason answer(void *data, const struct native_route *ask, struct native_way *ret_way)
{
	static const uint8_t narrow[] = {198, 20}, dark[] = {198, 18}, far4[] = {198, 51, 100},
			     far6[] = {0x20, 1, 0xd, 0xb8, 0xff, 0xff};

	(void)data;
	*ret_way = (struct native_way){.port = 2, .src_mac = 0x020000000088, .dst_mac = 0x020000000099};
	if (!memcmp(ask->dst, far4, sizeof(far4)) || !memcmp(ask->dst, far6, sizeof(far6)))
		return EXIT_ROUTE;
	if (!memcmp(ask->dst, narrow, sizeof(narrow)))
		return ask->size > 600 ? EXIT_ROUTE_KERNEL : EXIT_ROUTE;
	return memcmp(ask->dst, dark, sizeof(dark)) ? EXIT_ROUTE_KERNEL : EXIT_ROUTE_NONE;
}

struct rig *rig_routing(const char *action)
{
	char text[512];
	struct rig *rig;

	snprintf(text, sizeof(text),
		 "app: router\ntables:\n  - name: t\n    rules:\n      - {name: all, action: \"%s\"}\n    otherwise: "
		 "pass\n",
		 action);
	rig = rig_with(text, NULL);
	if (tier == RIG_NATIVE)
		rig_set_router(rig, answer);
	route_kernel();
	return rig;
}

static void expect(const char *action, struct frame sent, struct frame expected, enum exit_reason reason)
{
	struct rig *rig = rig_routing(action);
	struct rig_result result = rig_send(rig, 1, sent);
	char why[64] = "";

	assert_int_equal(result.exit, reason);
	if (reason == EXIT_ROUTE) {
		assert_int_equal(result.out_port, 2);
		memcpy(expected.data + 6, result.frame.data + 6, 6); /* The port's own address. */
		assert_memory_not_equal(result.frame.data + 6, sent.data + 6, 6);
	}
	assert_frame_equal(expected.data, expected.size, result.frame.data, result.frame.size);
	assert_true(frame_verify(result.frame.data, result.frame.size, why, sizeof(why)));
	rig_close(rig);
}

static void a_packet_with_a_way_is_sent(void **state)
{
	expect("route", PKT(.ip_dst = "198.51.100.1", .udp_dport = 9),
	       PKT(.ip_dst = "198.51.100.1", .udp_dport = 9, .ip_ttl = 63, .eth_dst = NEXT_HOP), EXIT_ROUTE);
	expect("route", PKT(.ip_dst = "198.51.100.1", .ip_ttl = 2),
	       PKT(.ip_dst = "198.51.100.1", .ip_ttl = 1, .eth_dst = NEXT_HOP), EXIT_ROUTE);
}

/* At tc egress the programs would see what the kernel says of itself. */
static void ipv6_goes_the_same_way(void **state)
{
	if (tier == RIG_TC_EGRESS)
		return;
	route_kernel6(true);
	expect("route", PKT(.ip6 = true, .tcp_dport = 9),
	       PKT(.ip6 = true, .tcp_dport = 9, .ip_ttl = 63, .eth_dst = NEXT_HOP), EXIT_ROUTE);
	route_kernel6(false);
}

static void the_packet_counts_as_it_is_written(void **state)
{
	expect("ip.dst = 198.51.100.7; l4.dst = 7; route", PKT(.ip_dst = "192.0.2.254", .udp_dport = 9),
	       PKT(.ip_dst = "198.51.100.7", .udp_dport = 7, .ip_ttl = 63, .eth_dst = NEXT_HOP), EXIT_ROUTE);
}

static void what_the_kernel_must_do_is_left_to_it(void **state)
{
	/* Time exceeded; a neighbour that is not known; addresses of its own or of nobody; a group; too large for the
	 * way. */
	expect("route", PKT(.ip_dst = "198.51.100.1", .ip_ttl = 1), PKT(.ip_dst = "198.51.100.1", .ip_ttl = 1),
	       EXIT_ROUTE_KERNEL);
	expect("route", PKT(.ip_dst = "198.19.0.1"), PKT(.ip_dst = "198.19.0.1"), EXIT_ROUTE_KERNEL);
	expect("route", PKT(.ip_dst = "192.0.2.254"), PKT(.ip_dst = "192.0.2.254"), EXIT_ROUTE_KERNEL);
	expect("route", PKT(.ip_dst = "100.64.0.1"), PKT(.ip_dst = "100.64.0.1"), EXIT_ROUTE_KERNEL);
	expect("route", PKT(.ip_dst = "224.0.0.5"), PKT(.ip_dst = "224.0.0.5"), EXIT_ROUTE_KERNEL);
	if (tier == RIG_XDP || tier == RIG_NATIVE)
		expect("route", PKT(.ip_dst = "198.20.0.1", .payload_size = 700),
		       PKT(.ip_dst = "198.20.0.1", .payload_size = 700), EXIT_ROUTE_KERNEL);
}

static void a_way_that_leads_nowhere_drops(void **state)
{
	expect("route", PKT(.ip_dst = "198.18.0.1"), PKT(.ip_dst = "198.18.0.1"), EXIT_ROUTE_NONE);
}

static void what_is_no_ip_is_not_routed(void **state)
{
	expect("route", PKT(.arp_op = 1), PKT(.arp_op = 1), EXIT_PASS);
}

TESTS(routes, cmocka_unit_test(a_packet_with_a_way_is_sent), cmocka_unit_test(ipv6_goes_the_same_way),
      cmocka_unit_test(the_packet_counts_as_it_is_written), cmocka_unit_test(what_the_kernel_must_do_is_left_to_it),
      cmocka_unit_test(a_way_that_leads_nowhere_drops), cmocka_unit_test(what_is_no_ip_is_not_routed));
