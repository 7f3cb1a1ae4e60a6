// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 19: a connection is followed through its handshake, its windows and its end. */
#include "tiers.h"

#include <stdio.h>

#define EXAMPLE "examples/tcp-track.yaml"
#define OPENING "tcp-track/handshake"
#define CLOSING "tcp-track/closing"
#define A	"198.51.100.9" /* Above B, so the record's ends change places. */
#define B	"192.0.2.1"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16, A_PORT = 40000, B_PORT = 80, WINDOW_A = 1000, WINDOW_B = 2000 };

/* Where the two sides are: the number of what they send next.  Both wrap soon. */
struct talk {
	struct rig *rig;
	uint32_t a, b;
};

static enum exit_reason from_a(struct talk *t, uint32_t seq, uint32_t ack, int flags, unsigned size)
{
	return send_one(t->rig, 1,
			PKT(.ip_src = A, .ip_dst = B, .tcp_sport = A_PORT, .tcp_dport = B_PORT,
			    .tcp_seq = seq ?: (int64_t)FRAME_ZERO, .tcp_ack = ack, .tcp_flags = flags,
			    .tcp_window = WINDOW_A, .payload_size = size));
}

static enum exit_reason from_b(struct talk *t, uint32_t seq, uint32_t ack, int flags, unsigned size)
{
	return send_one(t->rig, 2,
			PKT(.ip_src = B, .ip_dst = A, .tcp_sport = B_PORT, .tcp_dport = A_PORT,
			    .tcp_seq = seq ?: (int64_t)FRAME_ZERO, .tcp_ack = ack, .tcp_flags = flags,
			    .tcp_window = WINDOW_B, .payload_size = size));
}

/* Windows are taken as they are said. */
static struct talk nobody_yet(void)
{
	return (struct talk){.rig = rig_with(EXAMPLE, "scale=0"), .a = 0xfffffff0, .b = 0xffffffff};
}

static struct talk connected(void)
{
	struct talk t = nobody_yet();

	assert_int_equal(from_a(&t, t.a++, 0, SYN, 0), EXIT_PASS);
	assert_int_equal(from_b(&t, t.b++, t.a, SYN | ACK, 0), EXIT_PASS);
	assert_int_equal(from_a(&t, t.a, t.b, ACK, 0), EXIT_PASS);
	assert_int_equal(rig_rule_count(t.rig, OPENING "/established"), 1);
	return t;
}

static void only_a_handshake_opens(void **state)
{
	struct talk t = nobody_yet();

	assert_int_equal(from_b(&t, 5, 6, SYN | ACK, 0), EXIT_DROP);
	assert_int_equal(from_a(&t, 5, 6, ACK, 10), EXIT_DROP);
	assert_int_equal(rig_flows(t.rig, OPENING, NULL, NULL), 0);
	assert_int_equal(from_a(&t, t.a++, 0, SYN, 0), EXIT_PASS);
	assert_int_equal(from_a(&t, t.a, 1, ACK, 0), EXIT_DROP);	     /* No answer yet. */
	assert_int_equal(from_b(&t, t.b, t.a + 1, SYN | ACK, 0), EXIT_DROP); /* It answers something else. */
	assert_int_equal(from_a(&t, t.a - 1, 0, SYN, 0), EXIT_PASS);	     /* Asked again. */
	assert_int_equal(from_b(&t, t.b++, t.a, SYN | ACK, 0), EXIT_PASS);
	assert_int_equal(from_b(&t, t.b - 1, t.a, SYN | ACK, 0), EXIT_PASS);
	assert_int_equal(from_a(&t, t.a, t.b + 1, ACK, 0), EXIT_DROP);
	assert_int_equal(from_a(&t, t.a, t.b, ACK, 0), EXIT_PASS);
	assert_int_equal(rig_rule_count(t.rig, OPENING "/established"), 1);
	rig_close(t.rig);
}

static void a_refusal_ends_it_and_an_unanswered_request_is_forgotten(void **state)
{
	struct talk t = nobody_yet();

	from_a(&t, t.a, 0, SYN, 0);
	assert_int_equal(from_b(&t, 0, t.a + 7, RST | ACK, 0), EXIT_DROP); /* Of something else. */
	assert_int_equal(from_b(&t, 0, t.a + 1, RST | ACK, 0), EXIT_PASS);
	assert_int_equal(rig_flows(t.rig, OPENING, NULL, NULL), 0);
	from_a(&t, t.a, 0, SYN, 0);
	rig_advance_ms(t.rig, 60000);
	assert_int_equal(from_b(&t, t.b, t.a + 1, SYN | ACK, 0), EXIT_DROP);
	rig_close(t.rig);
}

static void segments_outside_the_window_are_dropped(void **state)
{
	struct talk t = connected();

	assert_int_equal(from_a(&t, t.a, t.b, ACK, 100), EXIT_PASS);
	assert_int_equal(from_a(&t, t.a + WINDOW_B, t.b, ACK, 0), EXIT_PASS);
	assert_int_equal(from_a(&t, t.a + WINDOW_B + 1, t.b, ACK, 0), EXIT_DROP);
	assert_int_equal(from_a(&t, t.a - WINDOW_B, t.b, ACK, 0), EXIT_PASS);
	assert_int_equal(from_a(&t, t.a - WINDOW_B - 1, t.b, ACK, 0), EXIT_DROP);
	assert_int_equal(from_b(&t, t.b + WINDOW_A + 1, t.a, ACK, 0), EXIT_DROP);
	assert_int_equal(from_b(&t, t.b - WINDOW_A, t.a, ACK, 0), EXIT_PASS);
	assert_int_equal(from_b(&t, t.b - WINDOW_A - 1, t.a, ACK, 0), EXIT_DROP);
	assert_int_equal(from_b(&t, t.b + 50000, t.a, RST, 0), EXIT_DROP); /* A guess does not end it. */
	assert_int_equal(from_a(&t, t.a, t.b, ACK, 100), EXIT_PASS);
	assert_int_equal(rig_rule_count(t.rig, OPENING "/outside-a"), 2);
	assert_int_equal(rig_rule_count(t.rig, OPENING "/outside-b"), 3);
	rig_close(t.rig);
}

static void acknowledgements_move_the_window(void **state)
{
	struct talk t = connected();

	for (unsigned i = 0; i < 30; i++) { /* Past the wrap of both. */
		assert_int_equal(from_a(&t, t.a, t.b, ACK, 500), EXIT_PASS);
		t.a += 500;
		assert_int_equal(from_b(&t, t.b, t.a, ACK, 300), EXIT_PASS);
		t.b += 300;
	}
	assert_int_equal(from_a(&t, t.a + WINDOW_B + 1, t.b, ACK, 0), EXIT_DROP);
	assert_int_equal(from_b(&t, t.b + WINDOW_A - 299, t.a, ACK, 0),
			 EXIT_DROP); /* The last 300 are not acknowledged. */
	assert_int_equal(from_b(&t, t.b + WINDOW_A - 300, t.a, ACK, 0), EXIT_PASS);
	rig_close(t.rig);
}

/* A forged segment outside moves nothing, whatever it acknowledges. */
static void what_is_dropped_teaches_nothing(void **state)
{
	struct talk t = connected();

	assert_int_equal(from_b(&t, t.b + 5000, t.a + 700, ACK, 0), EXIT_DROP);
	assert_int_equal(from_a(&t, t.a + WINDOW_B + 1, t.b, ACK, 0), EXIT_DROP);
	rig_close(t.rig);
}

static const char *end_state(struct talk *t)
{
	static char states[16];
	static const char *const names[] = {"fin-a",	    "fin-b",	    "fin-b-acks", "a-acked",
					    "both-b-acked", "both-a-acked", "last-a",	  "last-b"};

	for (unsigned i = 0; i < 8; i++) {
		char rule[64];

		snprintf(rule, sizeof(rule), CLOSING "/%s", names[i]);
		states[i] = '0' + rig_rule_count(t->rig, rule);
	}
	return states;
}

static void assert_over(struct talk *t)
{
	assert_int_equal(from_a(t, t->a, t->b, ACK, 10), EXIT_DROP);
	assert_int_equal(from_b(t, t->b, t->a, ACK, 10), EXIT_DROP);
	assert_int_equal(from_a(t, t->a, t->b, ACK, 0), EXIT_PASS); /* The last one may come again. */
}

static void one_side_after_the_other_closes(void **state)
{
	struct talk t = connected();

	assert_int_equal(from_a(&t, t.a, t.b, FIN | ACK, 20), EXIT_PASS);
	t.a += 21;
	assert_int_equal(from_b(&t, t.b, t.a - 1, ACK, 100), EXIT_PASS); /* All but the fin: half closed. */
	t.b += 100;
	assert_string_equal(end_state(&t), "10000000");
	assert_int_equal(from_b(&t, t.b, t.a, ACK, 0), EXIT_PASS);
	assert_string_equal(end_state(&t), "10010000");
	assert_int_equal(from_b(&t, t.b, t.a, FIN | ACK, 0), EXIT_PASS);
	t.b++;
	assert_int_equal(from_a(&t, t.a, t.b, ACK, 0), EXIT_PASS);
	assert_string_equal(end_state(&t), "10110010");
	assert_over(&t);
	rig_close(t.rig);
}

static void both_close_at_once(void **state)
{
	struct talk t = connected();

	assert_int_equal(from_b(&t, t.b, t.a, FIN | ACK, 0), EXIT_PASS); /* B is the one who closes first. */
	assert_int_equal(from_a(&t, t.a, t.b, FIN | ACK, 0), EXIT_PASS);
	t.a++;
	t.b++;
	assert_string_equal(end_state(&t), "11000000");
	assert_int_equal(from_b(&t, t.b, t.a, ACK, 0), EXIT_PASS);
	assert_string_equal(end_state(&t), "11001000");
	assert_int_equal(from_a(&t, t.a, t.b, ACK, 0), EXIT_PASS);
	assert_string_equal(end_state(&t), "11001001");
	assert_over(&t);
	rig_close(t.rig);
}

static void a_reset_inside_the_window_ends_it_and_the_ports_may_be_used_again(void **state)
{
	struct talk t = connected();

	assert_int_equal(from_b(&t, t.b, t.a, RST, 0), EXIT_PASS);
	assert_over(&t);
	t.a += 100000;
	t.b += 900000;
	assert_int_equal(from_a(&t, t.a++, 0, SYN, 0), EXIT_PASS);
	assert_int_equal(from_b(&t, t.b++, t.a, SYN | ACK, 0), EXIT_PASS);
	assert_int_equal(from_a(&t, t.a, t.b, ACK, 0), EXIT_PASS);
	assert_int_equal(from_a(&t, t.a, t.b, ACK, 10), EXIT_PASS);
	rig_close(t.rig);
}

static void a_connection_ends_without_a_word_after_two_hours(void **state)
{
	struct talk t = connected();

	rig_advance_ms(t.rig, 7199999);
	assert_int_equal(from_a(&t, t.a, t.b, ACK, 10), EXIT_PASS);
	rig_advance_ms(t.rig, 7200000);
	assert_int_equal(from_a(&t, t.a, t.b, ACK, 10), EXIT_DROP);
	rig_close(t.rig);
}

static void other_protocols_pass(void **state)
{
	struct talk t = nobody_yet();

	assert_int_equal(send_one(t.rig, 1, PKT(.udp_dport = 53)), EXIT_PASS);
	assert_int_equal(send_one(t.rig, 1, PKT(.icmp_type = 8)), EXIT_PASS);
	assert_int_equal(rig_flows(t.rig, OPENING, NULL, NULL), 0);
	rig_close(t.rig);
}

TESTS(tcp_track, cmocka_unit_test(only_a_handshake_opens),
      cmocka_unit_test(a_refusal_ends_it_and_an_unanswered_request_is_forgotten),
      cmocka_unit_test(segments_outside_the_window_are_dropped), cmocka_unit_test(acknowledgements_move_the_window),
      cmocka_unit_test(what_is_dropped_teaches_nothing), cmocka_unit_test(one_side_after_the_other_closes),
      cmocka_unit_test(both_close_at_once),
      cmocka_unit_test(a_reset_inside_the_window_ends_it_and_the_ports_may_be_used_again),
      cmocka_unit_test(a_connection_ends_without_a_word_after_two_hours), cmocka_unit_test(other_protocols_pass));
