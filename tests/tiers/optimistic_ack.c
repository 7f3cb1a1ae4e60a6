// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 18: nobody may acknowledge what the other side has not sent. */
#include "tiers.h"

#define EXAMPLE "examples/optimistic-ack.yaml"
#define TABLE	"optimistic-ack/connections"
#define A	"192.0.2.1"
#define B	"198.51.100.9"

enum { FIN = 1, SYN = 2, ACK = 16, SEQ_A = (int)0xffffff00, SEQ_B = (int)0xfffffff0 };

static enum exit_reason from(struct rig *rig, bool a, uint32_t seq, uint32_t ack, int flags, unsigned size)
{
	return send_one(rig, a ? 1 : 2,
			PKT(.ip_src = a ? A : B, .ip_dst = a ? B : A, .tcp_sport = a ? 4000 : 80,
			    .tcp_dport = a ? 80 : 4000, .tcp_seq = seq ?: (int64_t)FRAME_ZERO, .tcp_ack = ack,
			    .tcp_flags = flags, .payload_size = size));
}

static struct rig *connected(void)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);

	from(rig, true, SEQ_A - 1, 0, SYN, 0);
	assert_int_equal(from(rig, false, SEQ_B - 1, SEQ_A, SYN | ACK, 0), EXIT_PASS);
	assert_int_equal(from(rig, true, SEQ_A, SEQ_B, ACK, 0), EXIT_PASS);
	return rig;
}

static void what_was_sent_may_be_acknowledged(void **state)
{
	struct rig *rig = connected();

	assert_int_equal(from(rig, false, SEQ_B, SEQ_A, ACK, 1000), EXIT_PASS); /* Wraps. */
	assert_int_equal(from(rig, true, SEQ_A, SEQ_B + 500u, ACK, 0), EXIT_PASS);
	assert_int_equal(from(rig, true, SEQ_A, SEQ_B + 1000u, ACK, 700), EXIT_PASS);
	assert_int_equal(from(rig, false, SEQ_B, SEQ_A + 700, ACK, 1000),
			 EXIT_PASS); /* Sent again: takes nothing back. */
	assert_int_equal(from(rig, true, SEQ_A + 700, SEQ_B + 1000u, ACK, 0), EXIT_PASS);
	rig_close(rig);
}

static void what_was_not_sent_may_not(void **state)
{
	struct rig *rig = connected();

	from(rig, false, SEQ_B, SEQ_A, ACK, 1000);
	assert_int_equal(from(rig, true, SEQ_A, SEQ_B + 1001u, ACK, 0), EXIT_DROP);
	assert_int_equal(from(rig, true, SEQ_A, SEQ_B + 1000u, ACK, 0), EXIT_DROP); /* It is over for both. */
	assert_int_equal(from(rig, false, SEQ_B + 1000u, SEQ_A, ACK, 1000), EXIT_DROP);
	assert_int_equal(rig_rule_count(rig, TABLE "/early-a"), 1);
	rig_advance_ms(rig, 60000);
	assert_int_equal(from(rig, true, SEQ_A, SEQ_B, ACK, 0), EXIT_PASS); /* The ban is over. */
	rig_close(rig);
}

static void the_server_is_held_to_it_too(void **state)
{
	struct rig *rig = connected();

	assert_int_equal(from(rig, false, SEQ_B, SEQ_A + 1, ACK, 0), EXIT_DROP);
	assert_int_equal(rig_rule_count(rig, TABLE "/early-b"), 1);
	rig_close(rig);
}

static void a_fin_counts_one(void **state)
{
	struct rig *rig = connected();

	assert_int_equal(from(rig, true, SEQ_A, SEQ_B, FIN | ACK, 10), EXIT_PASS);
	assert_int_equal(from(rig, false, SEQ_B, SEQ_A + 11, FIN | ACK, 0), EXIT_PASS);
	assert_int_equal(from(rig, true, SEQ_A + 11, SEQ_B + 1u, ACK, 0), EXIT_PASS);
	assert_int_equal(from(rig, true, SEQ_A + 11, SEQ_B + 2u, ACK, 0), EXIT_DROP);
	rig_close(rig);
}

static void what_it_did_not_see_open_passes(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);

	assert_int_equal(from(rig, true, 5, 77, ACK, 10), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.udp_dport = 53)), EXIT_PASS);
	assert_int_equal(rig_flows(rig, TABLE, NULL, NULL), 0);
	rig_close(rig);
}

TESTS(optimistic_ack, cmocka_unit_test(what_was_sent_may_be_acknowledged), cmocka_unit_test(what_was_not_sent_may_not),
      cmocka_unit_test(the_server_is_held_to_it_too), cmocka_unit_test(a_fin_counts_one),
      cmocka_unit_test(what_it_did_not_see_open_passes));
