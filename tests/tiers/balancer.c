// SPDX-License-Identifier: GPL-2.0-or-later
/* Load balancers whose servers answer by themselves: by Ethernet address, and IP in IP. */
#include "tiers.h"

#include <string.h>

#define DSR    "examples/load-balancer-dsr.yaml"
#define IPIP   "examples/load-balancer-ipip.yaml"
#define VIP    "10.9.9.9"
#define CLIENT "192.0.2.1"
#define TABLE  "load-balancer-dsr/connections"

enum { SYN = 2, RST = 4, ACK = 16, FIN = 1, CONNECTIONS = 200 };

static struct frame segment(unsigned sport, int flags)
{
	return PKT(.ip_src = CLIENT, .ip_dst = VIP, .tcp_sport = sport, .tcp_dport = 80, .tcp_flags = flags,
		   .payload_size = 7);
}

/* The port a connection's segments leave by; only their destination address may have changed. */
static unsigned server(struct rig *rig, unsigned sport, int flags)
{
	struct frame wanted = segment(sport, flags);
	struct rig_result r = rig_send(rig, 1, wanted);

	if (r.exit != EXIT_OUTPUT)
		return 0;
	wanted.data[4] = r.out_port;
	wanted.data[5] = 1;
	assert_frame_equal(wanted.data, wanted.size, r.frame.data, r.frame.size);
	return r.out_port;
}

static void connections_are_spread_and_stay(void **state)
{
	struct rig *rig = rig_with(DSR, NULL);
	unsigned chosen[CONNECTIONS], n[4] = {};

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		chosen[i] = server(rig, 40000 + i, SYN);
		assert_in_range(chosen[i], 2, 3);
		n[chosen[i]]++;
	}
	assert_in_range(n[2], 70, 130);
	rig_change_members(rig, "backends 1 weight=0\n"); /* Drains: its connections go on, new ones go elsewhere. */
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		assert_int_equal(server(rig, 40000 + i, ACK), chosen[i]);
		assert_int_equal(server(rig, 50000 + i, SYN), 3);
	}
	rig_close(rig);
}

static void weights_count(void **state)
{
	struct rig *rig = rig_with(DSR, NULL);
	unsigned n[4] = {};

	rig_change_members(rig, "backends 1 weight=3\n");
	for (unsigned i = 0; i < CONNECTIONS; i++)
		n[server(rig, 40000 + i, SYN)]++;
	assert_in_range(n[2], 130, 170);
	rig_close(rig);
}

static void a_server_that_is_removed_takes_only_its_own_along(void **state)
{
	struct rig *rig = rig_with(DSR, NULL);
	unsigned chosen[20];

	for (unsigned i = 0; i < 20; i++)
		chosen[i] = server(rig, 40000 + i, SYN);
	rig_change_members(rig, "backends 1 health=down\n");
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(server(rig, 40000 + i, ACK), chosen[i] == 3 ? 3 : 0);
		assert_int_equal(server(rig, 40000 + i, ACK), 3); /* Chosen anew. */
	}
	rig_close(rig);
}

static void what_ends_is_forgotten_soon(void **state)
{
	struct rig *rig = rig_with(DSR, NULL);

	assert_int_equal(server(rig, 40000, RST), 0); /* Of nothing. */
	server(rig, 40000, SYN);
	server(rig, 40000, FIN | ACK);
	rig_advance_ms(rig, 10001);
	rig_expire(rig);
	assert_int_equal(rig_flows(rig, TABLE, NULL, NULL), 0);
	assert_int_equal(send_one(rig, 1, PKT(.ip_dst = "10.9.9.8", .tcp_dport = 80)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.ip_dst = VIP, .tcp_dport = 81)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.ip_dst = VIP, .icmp_type = 8)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.arp_op = 1)), EXIT_PASS);
	rig_close(rig);
}

static void a_packet_travels_whole_in_another(void **state)
{
	static const uint8_t own[] = {10, 1, 0, 1}, first[] = {10, 2, 0, 2}, second[] = {10, 3, 0, 2};
	struct rig *rig = rig_before_kernel(IPIP, NULL);
	struct frame sent = segment(40000, SYN);
	char why[64] = "";

	for (unsigned i = 0; i < 3; i++) {
		struct rig_result r = rig_send(rig, 1, sent);

		assert_int_equal(r.exit, EXIT_ROUTE_KERNEL);
		assert_int_equal(r.frame.size, sent.size + 20);
		assert_int_equal(r.frame.data[14 + 9], 4);
		assert_memory_equal(r.frame.data + 14 + 12, own, 4);
		assert_true(!memcmp(r.frame.data + 14 + 16, first, 4) || !memcmp(r.frame.data + 14 + 16, second, 4));
		assert_memory_equal(r.frame.data + 34, sent.data + 14, sent.size - 14);
		assert_true(frame_verify(r.frame.data, r.frame.size, why, sizeof(why)));
	}
	rig_close(rig);
}

TESTS(balancer, cmocka_unit_test(connections_are_spread_and_stay), cmocka_unit_test(weights_count),
      cmocka_unit_test(a_server_that_is_removed_takes_only_its_own_along),
      cmocka_unit_test(what_ends_is_forgotten_soon), cmocka_unit_test(a_packet_travels_whole_in_another));
