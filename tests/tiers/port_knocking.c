// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 1 and the reference system's sequences, with injected time. */
#include "tiers.h"

#define DOOR   "examples/port-knocking.yaml"
#define CLIENT "192.0.2.1"
#define OTHER  "192.0.2.2"

static enum exit_reason knock(struct rig *rig, const char *src, int port)
{
	return send_one(rig, 1, PKT(.ip_src = src, .udp_dport = port));
}

static enum exit_reason knock_all(struct rig *rig, const char *src, const int *ports)
{
	enum exit_reason last = EXIT_NONE;

	for (; *ports; ports++)
		last = knock(rig, src, *ports);
	return last;
}

static const char *state_of(struct rig *rig, const char *src)
{
	return rig_state(rig, "port-knocking/knocks", "ip.src", src);
}

static void the_sequence_opens_the_door(void **state)
{
	struct rig *rig = rig_with(DOOR, NULL);

	assert_int_equal(knock(rig, CLIENT, 9922), EXIT_DROP);
	assert_int_equal(knock(rig, CLIENT, 1111), EXIT_DROP);
	assert_string_equal(state_of(rig, CLIENT), "ONE");
	assert_int_equal(knock(rig, CLIENT, 2222), EXIT_DROP);
	assert_int_equal(knock(rig, CLIENT, 3333), EXIT_DROP);
	assert_string_equal(state_of(rig, CLIENT), "OPEN");
	assert_int_equal(knock(rig, CLIENT, 9922), EXIT_PASS);
	rig_close(rig);
}

static void tcp_and_ipv6_knock_alike(void **state)
{
	struct rig *rig = rig_with(DOOR, NULL);

	for (int i = 0; i < 3; i++)
		assert_int_equal(send_one(rig, 1, PKT(.ip_src = "2001:db8::9", .tcp_dport = 1111 * (i + 1))),
				 EXIT_DROP);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "2001:db8::9", .tcp_dport = 9922)), EXIT_PASS);
	rig_close(rig);
}

static void wrong_sequences_stay_closed(void **state)
{
	static const int sequences[][8] = {
		{1111, 2222, 9922}, {1111, 3333, 2222, 9922},	    {1111, 1111, 2222, 3333, 9922},
		{2222, 3333, 9922}, {1111, 2222, 3333, 9999, 9922},
	};

	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		struct rig *rig = rig_with(DOOR, NULL);

		assert_int_equal(knock_all(rig, CLIENT, sequences[i]), EXIT_DROP);
		assert_null(state_of(rig, CLIENT));
		rig_close(rig);
	}
}

static void a_stranger_costs_no_memory(void **state)
{
	struct rig *rig = rig_with(DOOR, NULL);

	assert_int_equal(knock(rig, CLIENT, 80), EXIT_DROP);
	assert_int_equal(rig_flows(rig, "port-knocking/knocks", NULL, NULL), 0);
	rig_close(rig);
}

static void a_step_lasts_five_seconds(void **state)
{
	struct rig *rig = rig_with(DOOR, NULL);

	knock(rig, CLIENT, 1111);
	rig_advance_ms(rig, 4999);
	knock(rig, CLIENT, 2222);
	assert_string_equal(state_of(rig, CLIENT), "TWO");
	rig_advance_ms(rig, 5001);
	assert_int_equal(knock(rig, CLIENT, 3333), EXIT_DROP);
	assert_null(state_of(rig, CLIENT));
	rig_close(rig);
}

static void an_open_door_closes_after_silence_and_after_a_minute(void **state)
{
	struct rig *rig = rig_with(DOOR, NULL);
	static const int open[] = {1111, 2222, 3333, 0};

	knock_all(rig, CLIENT, open);
	rig_advance_ms(rig, 9000);
	assert_int_equal(knock(rig, CLIENT, 9922), EXIT_PASS);
	rig_advance_ms(rig, 10001);
	assert_int_equal(knock(rig, CLIENT, 9922), EXIT_DROP);

	knock_all(rig, CLIENT, open);
	for (unsigned i = 0; i < 11; i++) {
		rig_advance_ms(rig, 5000);
		assert_int_equal(knock(rig, CLIENT, 9922), EXIT_PASS);
	}
	rig_advance_ms(rig, 5001);
	assert_int_equal(knock(rig, CLIENT, 9922), EXIT_DROP);
	rig_close(rig);
}

static void icmp_does_not_disturb(void **state)
{
	struct rig *rig = rig_with(DOOR, NULL);

	knock(rig, CLIENT, 1111);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = CLIENT, .icmp_type = 8)), EXIT_PASS);
	assert_string_equal(state_of(rig, CLIENT), "ONE");
	rig_close(rig);
}

static void sources_do_not_disturb_each_other(void **state)
{
	struct rig *rig = rig_with(DOOR, NULL);

	for (int i = 1; i <= 3; i++) {
		knock(rig, CLIENT, 1111 * i);
		knock(rig, OTHER, 1111 * i);
	}
	assert_int_equal(knock(rig, OTHER, 9922), EXIT_PASS);
	assert_int_equal(knock(rig, CLIENT, 9922), EXIT_PASS);
	rig_close(rig);
}

static void the_agent_frees_what_nobody_asks_for(void **state)
{
	struct rig *rig = rig_with(DOOR, NULL);

	knock(rig, CLIENT, 1111);
	rig_advance_ms(rig, 4000);
	rig_expire(rig);
	assert_int_equal(rig_flows(rig, "port-knocking/knocks", NULL, NULL), 1);
	rig_advance_ms(rig, 1001);
	rig_expire(rig);
	assert_int_equal(rig_flows(rig, "port-knocking/knocks", NULL, NULL), 0);
	rig_close(rig);
}

TESTS(port_knocking, cmocka_unit_test(the_sequence_opens_the_door), cmocka_unit_test(tcp_and_ipv6_knock_alike),
      cmocka_unit_test(wrong_sequences_stay_closed), cmocka_unit_test(a_stranger_costs_no_memory),
      cmocka_unit_test(a_step_lasts_five_seconds),
      cmocka_unit_test(an_open_door_closes_after_silence_and_after_a_minute), cmocka_unit_test(icmp_does_not_disturb),
      cmocka_unit_test(sources_do_not_disturb_each_other), cmocka_unit_test(the_agent_frees_what_nobody_asks_for));
