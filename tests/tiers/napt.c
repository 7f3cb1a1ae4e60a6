// SPDX-License-Identifier: GPL-2.0-or-later
/* NAPT: mappings, their times (RFC 4787, 5382, 5508, 7857), hairpinning, ports that run out.  Nobody here has a way for
 * what is translated, so it leaves for the kernel as it was written. */
#include "tiers.h"

#include <stdio.h>

#define HOST	"10.0.0.2"
#define OTHER	"10.0.0.3"
#define PUBLIC	"203.0.113.1"
#define FAR	"203.0.113.7"
#define FARTHER "203.0.113.8"
#define MAPS	"napt/mappings"

enum { INSIDE = 1, OUTSIDE = 2, FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static struct rig *napt(const char *setting)
{
	return rig_before_kernel("examples/napt.yaml", setting);
}

static struct rig_result out_udp(struct rig *rig, const char *src, int sport, const char *dst)
{
	return rig_send(rig, INSIDE, PKT(.ip_src = src, .ip_dst = dst, .udp_sport = sport, .udp_dport = 53));
}

static enum exit_reason out_tcp(struct rig *rig, int flags)
{
	return send_one(rig, INSIDE,
			PKT(.ip_src = HOST, .ip_dst = FAR, .tcp_sport = 4000, .tcp_dport = 80, .tcp_flags = flags));
}

static enum exit_reason in_tcp(struct rig *rig, int flags)
{
	return send_one(rig, OUTSIDE,
			PKT(.ip_src = FAR, .ip_dst = PUBLIC, .tcp_sport = 80, .tcp_dport = 4000, .tcp_flags = flags));
}

/* Whether a packet from there gets to the host behind that port. */
static bool gets_in(struct rig *rig, const char *from, int port)
{
	return send_one(rig, OUTSIDE, PKT(.ip_src = from, .ip_dst = PUBLIC, .udp_sport = 53, .udp_dport = port)) ==
	       EXIT_ROUTE_KERNEL;
}

static void a_mapping_is_of_the_host_and_its_port_alone(void **state)
{
	struct rig *rig = napt(NULL);
	struct frame wanted = PKT(.ip_src = PUBLIC, .ip_dst = FAR, .udp_sport = 4000, .udp_dport = 53);
	struct rig_result r = out_udp(rig, HOST, 4000, FAR);

	assert_int_equal(r.exit, EXIT_ROUTE_KERNEL);
	assert_frame_equal(wanted.data, wanted.size, r.frame.data, r.frame.size);
	wanted = PKT(.ip_src = PUBLIC, .ip_dst = FARTHER, .udp_sport = 4000, .udp_dport = 53);
	r = out_udp(rig, HOST, 4000, FARTHER);
	assert_frame_equal(wanted.data, wanted.size, r.frame.data, r.frame.size);
	assert_int_equal(rig_flows(rig, MAPS, NULL, NULL), 1);
	assert_true(gets_in(rig, "192.0.2.99", 4000)); /* Filtering is the endpoint's business. */
	assert_false(gets_in(rig, FAR, 4001));
	rig_close(rig);
}

static void two_hosts_with_one_port_get_two(void **state)
{
	struct rig *rig = napt(NULL);
	struct rig_result r;
	int at;

	out_udp(rig, HOST, 4000, FAR);
	r = out_udp(rig, OTHER, 4000, FAR);
	at = frame_find(r.frame.data, r.frame.size, "udp.sport");
	assert_true(at > 0);
	assert_int_not_equal(r.frame.data[at] << 8 | r.frame.data[at + 1], 4000);
	assert_int_equal(rig_flows(rig, "napt/holders", NULL, NULL), 2);
	rig_close(rig);
}

static void only_the_inside_keeps_a_mapping_of_udp(void **state)
{
	struct rig *rig = napt(NULL);

	out_udp(rig, HOST, 4000, FAR);
	out_udp(rig, HOST, 4000, FAR);
	rig_advance_ms(rig, 299000);
	assert_true(gets_in(rig, FAR, 4000));
	out_udp(rig, HOST, 4000, FAR);
	rig_advance_ms(rig, 299000);
	assert_true(gets_in(rig, FAR, 4000));
	rig_advance_ms(rig, 1001);
	rig_expire(rig);
	assert_false(gets_in(rig, FAR, 4000));
	assert_int_equal(rig_flows(rig, "napt/holders", NULL, NULL), 0);
	rig_close(rig);
}

static void a_ping_is_remembered_for_a_minute(void **state)
{
	struct rig *rig = napt(NULL);
	struct frame ping = PKT(.ip_src = HOST, .ip_dst = FAR, .icmp_type = 8, .icmp_id = 2077);
	struct frame pong = PKT(.ip_src = FAR, .ip_dst = PUBLIC, .icmp_type = FRAME_ZERO, .icmp_id = 2077);

	assert_int_equal(send_one(rig, INSIDE, ping), EXIT_ROUTE_KERNEL);
	assert_int_equal(send_one(rig, INSIDE, ping), EXIT_ROUTE_KERNEL);
	rig_advance_ms(rig, 59000);
	assert_int_equal(send_one(rig, OUTSIDE, pong), EXIT_ROUTE_KERNEL);
	rig_advance_ms(rig, 1001);
	rig_expire(rig);
	assert_int_equal(send_one(rig, OUTSIDE, pong), EXIT_PASS);
	rig_close(rig);
}

/* Whether the mapping is there so many seconds after its last packet from the inside, and not a second later. */
static void assert_lasts(struct rig *rig, unsigned seconds)
{
	rig_advance_ms(rig, seconds * 1000 - 500);
	rig_expire(rig);
	assert_int_equal(in_tcp(rig, ACK), EXIT_ROUTE_KERNEL);
	rig_advance_ms(rig, 1000);
	rig_expire(rig);
	assert_int_equal(in_tcp(rig, ACK), EXIT_PASS);
}

static void a_connection_that_opens_lasts_four_minutes(void **state)
{
	struct rig *rig = napt(NULL);

	out_tcp(rig, SYN);
	assert_lasts(rig, 240);
	rig_close(rig);
}

static void one_that_is_open_lasts_two_hours_and_four_minutes(void **state)
{
	struct rig *rig = napt(NULL);

	out_tcp(rig, SYN);
	in_tcp(rig, SYN | ACK);
	out_tcp(rig, ACK);
	assert_lasts(rig, 7440);
	rig_close(rig);
}

static void one_that_ends_lasts_four_minutes_more(void **state)
{
	static const int ends[] = {FIN | ACK, RST};

	for (unsigned i = 0; i < 2; i++) {
		struct rig *rig = napt(NULL);

		out_tcp(rig, SYN);
		out_tcp(rig, ACK);
		out_tcp(rig, ends[i]);
		assert_int_equal(in_tcp(rig, ACK), EXIT_ROUTE_KERNEL);
		assert_lasts(rig, 240);
		out_tcp(rig, SYN); /* And the port again. */
		assert_int_equal(in_tcp(rig, SYN | ACK), EXIT_ROUTE_KERNEL);
		rig_close(rig);
	}
}

static void hosts_reach_each_other_by_the_public_address(void **state)
{
	struct rig *rig = napt(NULL);
	struct frame wanted = PKT(.ip_src = PUBLIC, .ip_dst = HOST, .udp_sport = 5000, .udp_dport = 4000);
	struct rig_result r;

	out_udp(rig, HOST, 4000, FAR);
	r = rig_send(rig, INSIDE, PKT(.ip_src = OTHER, .ip_dst = PUBLIC, .udp_sport = 5000, .udp_dport = 4000));
	assert_int_equal(r.exit, EXIT_ROUTE_KERNEL);
	assert_frame_equal(wanted.data, wanted.size, r.frame.data, r.frame.size);
	assert_int_equal(rig_rule_count(rig, "napt/outward/hairpin"), 1);
	rig_close(rig);
}

static void when_no_port_is_free_it_is_counted_and_nothing_leaves(void **state)
{
	struct rig *rig = napt("ports=2000-2003");

	for (int i = 0; i < 4; i++)
		assert_int_equal(out_udp(rig, HOST, 3000 + i, FAR).exit, EXIT_ROUTE_KERNEL);
	assert_int_equal(out_udp(rig, HOST, 3004, FAR).exit, EXIT_DROP);
	assert_int_equal(rig_table_stat(rig, MAPS, TABLE_STAT_CLAIM_FAILED), 1);
	assert_int_equal(rig_flows(rig, MAPS, NULL, NULL), 4);
	assert_int_equal(out_udp(rig, HOST, 3002, FAR).exit, EXIT_ROUTE_KERNEL); /* Those that are go on. */
	rig_advance_ms(rig, 300001);
	rig_expire(rig);
	assert_int_equal(out_udp(rig, HOST, 3004, FAR).exit, EXIT_ROUTE_KERNEL);
	rig_close(rig);
}

/* The kernel must see who sent it, to say so: the first hop of a traceroute. */
static void what_expires_here_is_not_translated(void **state)
{
	struct rig *rig = napt(NULL);

	assert_int_equal(send_one(rig, INSIDE, PKT(.ip_src = HOST, .ip_dst = FAR, .ip_ttl = 1, .udp_dport = 33434)),
			 EXIT_PASS);
	assert_int_equal(rig_flows(rig, MAPS, NULL, NULL), 0);
	rig_close(rig);
}

TESTS(napt, cmocka_unit_test(a_mapping_is_of_the_host_and_its_port_alone),
      cmocka_unit_test(two_hosts_with_one_port_get_two), cmocka_unit_test(only_the_inside_keeps_a_mapping_of_udp),
      cmocka_unit_test(a_ping_is_remembered_for_a_minute), cmocka_unit_test(a_connection_that_opens_lasts_four_minutes),
      cmocka_unit_test(one_that_is_open_lasts_two_hours_and_four_minutes),
      cmocka_unit_test(one_that_ends_lasts_four_minutes_more),
      cmocka_unit_test(hosts_reach_each_other_by_the_public_address),
      cmocka_unit_test(when_no_port_is_free_it_is_counted_and_nothing_leaves),
      cmocka_unit_test(what_expires_here_is_not_translated));
