// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 9: small machines, each with the packets it was published with. */
#include "tiers.h"

#define A "192.0.2.1"
#define B "198.51.100.1"
#define C "203.0.113.9"

static enum exit_reason from_to(struct rig *rig, const char *src, const char *dst)
{
	return send_one(rig, 1, PKT(.ip_src = src, .ip_dst = dst, .udp_dport = 1234));
}

static void the_fifth_packet_of_a_pair_is_dropped(void **state)
{
	struct rig *rig = rig_with("examples/first-packets.yaml", NULL);

	for (unsigned i = 1; i <= 6; i++)
		assert_int_equal(from_to(rig, A, B), i <= 4 ? EXIT_PASS : EXIT_DROP);
	assert_int_equal(from_to(rig, A, C), EXIT_PASS);
	assert_int_equal(from_to(rig, B, A), EXIT_PASS);
	rig_advance_ms(rig, 30000);
	assert_int_equal(from_to(rig, A, B), EXIT_PASS);
	rig_close(rig);
}

/* One packet a second: those at 0, 1, 2 and 3 s are in time. */
static void the_fifth_ping_misses_the_deadline(void **state)
{
	struct rig *rig = rig_with("examples/deadline.yaml", NULL);

	for (unsigned i = 1; i <= 7; i++) {
		assert_int_equal(send_one(rig, 1, PKT(.ip_src = A, .icmp_type = 8)), i <= 4 ? EXIT_PASS : EXIT_DROP);
		rig_advance_ms(rig, 1000);
	}
	assert_string_equal(rig_state(rig, "deadline/sources", "ip.src", A), "OVER");
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = C, .icmp_type = 8)), EXIT_PASS);
	rig_advance_ms(rig, 57000);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = A, .icmp_type = 8)), EXIT_PASS);
	rig_close(rig);
}

static void a_deadline_is_exact(void **state)
{
	struct rig *rig = rig_with("examples/deadline.yaml", NULL);

	from_to(rig, A, B);
	rig_advance_ms(rig, 3499);
	assert_int_equal(from_to(rig, A, B), EXIT_PASS);
	rig_advance_ms(rig, 1);
	assert_int_equal(from_to(rig, A, B), EXIT_DROP);
	rig_close(rig);
}

static void a_condition_on_the_port(void **state)
{
	struct rig *rig = rig_with("examples/header-conditions.yaml", NULL);

	for (unsigned port = 1; port <= RIG_PORTS; port++)
		assert_int_equal(send_one(rig, port, PKT(.tcp_dport = 80)), port < 4 ? EXIT_PASS : EXIT_DROP);
	assert_int_equal(rig_rule_count(rig, "header-conditions/ports/shut"), 1);
	rig_close(rig);
}

static void a_condition_on_an_absent_field_is_neither_true_nor_false(void **state)
{
	struct rig *rig = rig_with("examples/header-conditions.yaml", NULL);

	assert_int_equal(send_one(rig, 1, PKT(.tcp_dport = 80)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.tcp_dport = 79)), EXIT_DROP);
	assert_int_equal(send_one(rig, 1, PKT(.icmp_type = 8)), EXIT_DROP);
	assert_int_equal(rig_rule_count(rig, "header-conditions/services/low"), 1);
	assert_int_equal(rig_rule_count(rig, "header-conditions/services/otherwise"), 1);
	assert_int_equal(send_one(rig, 1, PKT(.arp_op = 1)), EXIT_PASS);
	rig_close(rig);
}

static enum exit_reason weigh(struct rig *rig, int first, int second, int third, int fourth)
{
	return send_one(rig, 1,
			PKT(.tcp_sport = first, .tcp_dport = second, .tcp_window = third, .tcp_urgent = fourth));
}

/* 2 * 30 + 1 * 4 + 0 * 5 - 5 * 6 = 34 */
static void a_polynomial_of_fields(void **state)
{
	struct rig *rig = rig_with("examples/poly-sum.yaml", NULL);

	assert_int_equal(weigh(rig, 30, 4, 5, 6), EXIT_PASS);
	assert_int_equal(weigh(rig, 30, 3, 5, 6), EXIT_DROP);
	assert_int_equal(weigh(rig, 30, 4, 5000, 6), EXIT_PASS);
	assert_int_equal(weigh(rig, 1, 1, 5, 6), EXIT_DROP); /* -27 */
	assert_int_equal(send_one(rig, 1, PKT(.udp_dport = 53)), EXIT_PASS);
	assert_int_equal(rig_rule_count(rig, "poly-sum/weigh/light"), 2);
	rig_close(rig);
}

static uint64_t statistic(struct rig *rig, const char *name)
{
	return rig_register(rig, name[0] == 'r' ? "traffic-statistics/rates" : "traffic-statistics/lengths", "ip.src",
			    A, name);
}

static void send_length(struct rig *rig, unsigned length)
{
	enum { HEADERS = 14 + 20 + 8 };

	send_one(rig, 1, PKT(.ip_src = A, .udp_dport = 9, .payload_size = length - HEADERS));
}

/* The published machine came to 191,997 and 2,468; the true values are 192,000 and 2,500, here in thousandths. */
static void mean_and_variance_of_lengths(void **state)
{
	struct rig *rig = rig_with("examples/traffic-statistics.yaml", NULL);

	for (unsigned i = 0; i < 10; i++)
		send_length(rig, 142);
	assert_int_equal(statistic(rig, "mean"), 142000);
	assert_int_equal(statistic(rig, "variance"), 0);
	for (unsigned i = 0; i < 10; i++)
		send_length(rig, 242);
	assert_in_range(statistic(rig, "mean"), 191995, 192005);
	assert_in_range(statistic(rig, "variance"), 2499000, 2501000);
	assert_int_equal(statistic(rig, "packets"), 20);
	assert_int_equal(statistic(rig, "rate"), 0);
	assert_int_equal(rig_rule_count(rig, "traffic-statistics/rates/otherwise"), 19);
	rig_close(rig);
}

/* 142 bytes each 10 ms are 113,600 bit/s: each sample takes an eighth of the way there, then to the half. */
static void a_moving_average_of_the_rate(void **state)
{
	struct rig *rig = rig_with("examples/traffic-statistics.yaml", NULL);
	uint64_t rate = 0;

	send_length(rig, 142);
	for (unsigned i = 0; i < 60; i++) {
		uint64_t sample = (i < 40 ? 113600 : 56800) * 1000ULL;

		rig_advance_ms(rig, i < 40 ? 10 : 20);
		send_length(rig, 142);
		rate += ((int64_t)(sample - rate)) / 8;
		assert_in_range(statistic(rig, "rate"), rate - 10, rate + 10);
	}
	assert_in_range(rate, 56800000, 62000000);
	rig_close(rig);
}

static void ten_pings_and_their_answers_are_twenty_packets(void **state)
{
	struct rig *rig = rig_with("examples/conversation-counter.yaml", NULL);

	for (int i = 1; i <= 10; i++) {
		send_one(rig, 1, PKT(.ip_src = A, .ip_dst = B, .icmp_type = 8, .icmp_seq = i));
		send_one(rig, 2, PKT(.ip_src = B, .ip_dst = A, .icmp_type = FRAME_ZERO, .icmp_seq = i));
	}
	assert_int_equal(rig_flows(rig, "conversation-counter/conversations", NULL, NULL), 1);
	assert_int_equal(rig_register(rig, "conversation-counter/conversations", "a.ip", A, "packets"), 20);
	assert_int_equal(rig_register(rig, "conversation-counter/conversations", "a.ip", A, "back"), 10);
	assert_int_equal(rig_register(rig, "conversation-counter/conversations", "a.ip", A, "bytes"), 20 * 42);
	rig_close(rig);
}

TESTS(small_tables, cmocka_unit_test(the_fifth_packet_of_a_pair_is_dropped),
      cmocka_unit_test(the_fifth_ping_misses_the_deadline), cmocka_unit_test(a_deadline_is_exact),
      cmocka_unit_test(a_condition_on_the_port),
      cmocka_unit_test(a_condition_on_an_absent_field_is_neither_true_nor_false),
      cmocka_unit_test(a_polynomial_of_fields), cmocka_unit_test(mean_and_variance_of_lengths),
      cmocka_unit_test(a_moving_average_of_the_rate), cmocka_unit_test(ten_pings_and_their_answers_are_twenty_packets));
