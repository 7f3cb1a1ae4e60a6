// SPDX-License-Identifier: GPL-2.0-or-later
/* The examples with groups and meters, by the packets they were published with. */
#include "tiers.h"

#include <stdio.h>
#include <string.h>

/* ---- round robin: use case 4 ---- */

/* Nobody here has a way to the servers, so what is for them leaves for the kernel as it was written. */
static struct rig *turns(void)
{
	return rig_before_kernel("examples/round-robin.yaml", NULL);
}

static struct rig_result request(struct rig *rig, unsigned sport)
{
	return rig_send(rig, 1, PKT(.ip_src = "192.0.2.1", .ip_dst = "1.0.0.1", .tcp_sport = sport, .tcp_dport = 80));
}

/* The last byte of the server's address. */
static unsigned asked(struct rig *rig, unsigned sport)
{
	struct rig_result r = request(rig, sport);

	assert_int_equal(r.exit, EXIT_ROUTE_KERNEL);
	return r.frame.data[frame_find(r.frame.data, r.frame.size, "ip.dst") + 3];
}

static void connections_take_turns_and_stay(void **state)
{
	struct rig *rig = turns();
	struct frame wanted = PKT(.ip_src = "192.0.2.1", .ip_dst = "10.0.0.3", .tcp_sport = 5000, .tcp_dport = 80);
	struct rig_result first = request(rig, 5000);

	assert_frame_equal(wanted.data, wanted.size, first.frame.data, first.frame.size);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(asked(rig, 5000 + i), i % 2 ? 2 : 3);
		assert_int_equal(asked(rig, 5000 + i), i % 2 ? 2 : 3);
	}
	rig_advance_ms(rig, 20000);
	assert_int_equal(asked(rig, 5000), 3); /* Forgotten; the seventh turn. */
	rig_close(rig);
}

static void replies_come_from_the_service(void **state)
{
	struct rig *rig = turns();
	struct rig_result result =
		rig_send(rig, 2, PKT(.ip_src = "10.0.0.2", .ip_dst = "192.0.2.1", .tcp_sport = 80, .tcp_dport = 5000));
	struct frame wanted = PKT(.ip_src = "1.0.0.1", .ip_dst = "192.0.2.1", .tcp_sport = 80, .tcp_dport = 5000);

	assert_int_equal(result.exit, EXIT_ROUTE_KERNEL);
	assert_frame_equal(wanted.data, wanted.size, result.frame.data, result.frame.size);
	rig_close(rig);
}

/* ---- one to many: use case 3 ---- */

static unsigned server_of(struct rig *rig, unsigned sport)
{
	return rig_send(rig, 1, PKT(.ip_src = "10.0.0.1", .ip_dst = "10.0.0.2", .tcp_sport = sport, .tcp_dport = 80))
		.out_port;
}

static void twenty_connections_reach_every_server(void **state)
{
	struct rig *rig = rig_with("examples/one-to-many.yaml", NULL);
	unsigned n[5] = {}, server[20];

	for (unsigned i = 0; i < 20; i++) {
		server[i] = server_of(rig, 6000 + i);
		assert_in_range(server[i], 2, 4);
		n[server[i]]++;
	}
	assert_true(n[2] > 0 && n[3] > 0 && n[4] > 0);
	rig_change_members(rig, "servers 1 weight=0\n");
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(server_of(rig, 6000 + i), server[i]);
	rig_close(rig);
}

/* ---- weighted ports ---- */

static void uplinks_share_flows_two_to_one(void **state)
{
	struct rig *rig = rig_with("examples/weighted-ports.yaml", NULL);
	unsigned n[4] = {};

	for (unsigned i = 0; i < 300; i++)
		n[rig_send(rig, 1, PKT(.ip_src = "10.0.0.1", .udp_sport = 1000 + i)).out_port & 3]++;
	assert_in_range(n[2], 170, 230);
	assert_int_equal(n[2] + n[3], 300);
	rig_change_members(rig, "uplinks 1 health=down\nuplinks 2 health=down\n");
	assert_int_equal(send_one(rig, 1, PKT(.udp_dport = 9)), EXIT_PASS);
	rig_close(rig);
}

/* ---- DDoS: use case 13 ---- */

static struct frame syn(unsigned sport)
{
	return PKT(.ip_src = "192.0.2.1", .ip_dst = "198.51.100.1", .tcp_sport = sport, .tcp_dport = 80);
}

static unsigned attack(struct rig *rig, unsigned first, unsigned n, unsigned gap_ms)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++) {
		passed += send_one(rig, 1, syn(first + i)) == EXIT_PASS;
		rig_advance_ms(rig, gap_ms);
	}
	return passed;
}

static void a_flood_of_new_connections_spares_the_old_ones(void **state)
{
	struct rig *rig = rig_with("examples/ddos-meter.yaml", NULL);
	unsigned passed;

	assert_int_equal(attack(rig, 1000, 50, 200), 50); /* A new one each 200 ms: all pass. */
	passed = attack(rig, 2000, 1000, 5);		  /* Each 5 ms: 10 a second, and the burst. */
	assert_in_range(passed, 50, 60);
	assert_int_equal(send_one(rig, 1, syn(1049)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, syn(2999)), EXIT_DROP); /* Known as bad. */
	rig_close(rig);
}

/* ---- policer ---- */

static void colours_are_marked_and_red_is_dropped(void **state)
{
	struct rig *rig = rig_open(tier);
	unsigned n[3] = {};

	/* 1,000 bytes a frame; a committed bucket of 4, a peak one of 8. */
	rig_load(rig, "examples/policer.yaml", "cir=8kbps", "cbs=4kB", "pir=16kbps", "pbs=8kB", NULL);
	rig_commit(rig);
	for (unsigned i = 0; i < 10; i++) {
		struct frame frame = PKT(.ip_src = "192.0.2.1", .udp_dport = 5, .payload_size = 958);
		struct frame green = PKT(.ip_src = "192.0.2.1", .udp_dport = 5, .payload_size = 958, .ip_dscp = 10);
		struct frame yellow = PKT(.ip_src = "192.0.2.1", .udp_dport = 5, .payload_size = 958, .ip_dscp = 12);
		struct rig_result result = rig_send(rig, 1, frame);

		assert_int_equal(frame.size, 1000);
		n[0] += !memcmp(result.frame.data, green.data, green.size);
		n[1] += !memcmp(result.frame.data, yellow.data, yellow.size);
		n[2] += result.exit == EXIT_DROP;
	}
	assert_int_equal(n[0], 4);
	assert_int_equal(n[1], 4);
	assert_int_equal(n[2], 2);
	rig_close(rig);
}

TESTS(group_examples, cmocka_unit_test(connections_take_turns_and_stay),
      cmocka_unit_test(replies_come_from_the_service), cmocka_unit_test(twenty_connections_reach_every_server),
      cmocka_unit_test(uplinks_share_flows_two_to_one),
      cmocka_unit_test(a_flood_of_new_connections_spares_the_old_ones),
      cmocka_unit_test(colours_are_marked_and_red_is_dropped));
