// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 5: both directions of a conversation share one record. */
#include "tiers.h"

#define IN    "192.0.2.1"
#define OUT   "198.51.100.1"
#define TABLE "udp-firewall/conversations"
enum { INSIDE = 1, OUTSIDE = 2 };

static struct rig *firewall(void)
{
	struct rig *rig = rig_open(tier);

	rig_load(rig, "examples/udp-firewall.yaml", "inside=port1", "outside=port2", NULL);
	rig_commit(rig);
	return rig;
}

static struct rig_result ask(struct rig *rig, int sport, int dport)
{
	return rig_send(rig, INSIDE, PKT(.ip_src = IN, .ip_dst = OUT, .udp_sport = sport, .udp_dport = dport));
}

static struct rig_result answer(struct rig *rig, int sport, int dport)
{
	return rig_send(rig, OUTSIDE, PKT(.ip_src = OUT, .ip_dst = IN, .udp_sport = sport, .udp_dport = dport));
}

static void the_outside_cannot_begin(void **state)
{
	struct rig *rig = firewall();

	assert_int_equal(answer(rig, 53, 1000).exit, EXIT_DROP);
	assert_int_equal(rig_flows(rig, TABLE, NULL, NULL), 0);
	rig_close(rig);
}

static void an_answer_comes_in_by_the_same_record(void **state)
{
	struct rig *rig = firewall();

	assert_int_equal(ask(rig, 1000, 53).out_port, OUTSIDE);
	assert_int_equal(answer(rig, 53, 1000).out_port, INSIDE);
	assert_int_equal(rig_flows(rig, TABLE, NULL, NULL), 1);
	rig_close(rig);
}

static void crossed_ports_are_another_conversation(void **state)
{
	struct rig *rig = firewall();

	ask(rig, 1000, 53);
	assert_int_equal(answer(rig, 1000, 53).exit, EXIT_DROP);
	assert_int_equal(answer(rig, 54, 1000).exit, EXIT_DROP);
	rig_close(rig);
}

static void silence_of_the_inside_ends_it_even_if_the_outside_goes_on(void **state)
{
	struct rig *rig = firewall();

	ask(rig, 1000, 53);
	answer(rig, 53, 1000);
	for (unsigned i = 0; i < 3; i++) {
		rig_advance_ms(rig, 6000);
		assert_int_equal(answer(rig, 53, 1000).exit, EXIT_OUTPUT);
	}
	rig_advance_ms(rig, 2001);
	assert_int_equal(answer(rig, 53, 1000).exit, EXIT_DROP);
	rig_close(rig);
}

static void other_protocols_are_handed_on(void **state)
{
	struct rig *rig = firewall();

	assert_int_equal(send_one(rig, OUTSIDE, PKT(.tcp_dport = 80)), EXIT_PASS);
	assert_int_equal(send_one(rig, OUTSIDE, PKT(.icmp_type = 8)), EXIT_PASS);
	assert_int_equal(rig_rule_count(rig, "udp-firewall/conversations/not-udp"), 1);
	assert_int_equal(rig_rule_count(rig, "udp-firewall/conversations/absent"), 1);
	rig_close(rig);
}

TESTS(firewall, cmocka_unit_test(the_outside_cannot_begin), cmocka_unit_test(an_answer_comes_in_by_the_same_record),
      cmocka_unit_test(crossed_ports_are_another_conversation),
      cmocka_unit_test(silence_of_the_inside_ends_it_even_if_the_outside_goes_on),
      cmocka_unit_test(other_protocols_are_handed_on));
