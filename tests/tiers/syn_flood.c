// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 12: too many requests in a second, and a minute's ban. */
#include "tiers.h"

#define EXAMPLE "examples/syn-flood.yaml"
#define TABLE	"syn-flood/sources"
#define BAD	"192.0.2.1"
#define GOOD	"192.0.2.2"

enum { SYN = 0x02, ACK = 0x10, SYNS = 20 };

static enum exit_reason syn(struct rig *rig, const char *src, int sport)
{
	return send_one(rig, 1, PKT(.ip_src = src, .tcp_sport = sport, .tcp_flags = SYN));
}

/* How many of 'n' requests pass before one is dropped. */
static unsigned passed(struct rig *rig, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (syn(rig, BAD, 1000 + i) != EXIT_PASS)
			return i;
	return n;
}

static void one_more_than_the_limit_passes_in_a_second(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);

	assert_int_equal(passed(rig, 2 * SYNS), SYNS + 1);
	assert_string_equal(rig_state(rig, TABLE, "ip.src", BAD), "BANNED");
	assert_int_equal(syn(rig, BAD, 1), EXIT_DROP);
	rig_close(rig);
}

static void a_ban_ends_after_a_minute(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);

	passed(rig, SYNS + 2);
	rig_advance_ms(rig, 59999);
	assert_int_equal(syn(rig, BAD, 1), EXIT_DROP);
	rig_advance_ms(rig, 1);
	assert_int_equal(passed(rig, 2 * SYNS), SYNS + 1);
	rig_close(rig);
}

static void who_asks_slowly_is_never_banned(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);

	for (unsigned second = 0; second < 5; second++) {
		assert_int_equal(passed(rig, SYNS), SYNS);
		rig_advance_ms(rig, 1000);
	}
	assert_int_equal(rig_rule_count(rig, TABLE "/flood"), 0);
	rig_close(rig);
}

static void other_sources_and_connections_go_on(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);

	passed(rig, SYNS + 2);
	assert_int_equal(syn(rig, GOOD, 1), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = BAD, .tcp_dport = 80, .tcp_flags = ACK)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = BAD, .tcp_dport = 80, .tcp_flags = SYN | ACK)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = BAD, .udp_dport = 53)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.arp_op = 1)), EXIT_PASS);
	rig_close(rig);
}

static void who_never_asks_costs_no_memory(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);

	send_one(rig, 1, PKT(.ip_src = GOOD, .tcp_dport = 80, .tcp_flags = ACK));
	send_one(rig, 1, PKT(.ip_src = GOOD, .udp_dport = 53));
	assert_int_equal(rig_flows(rig, TABLE, NULL, NULL), 0);
	rig_close(rig);
}

TESTS(syn_flood, cmocka_unit_test(one_more_than_the_limit_passes_in_a_second),
      cmocka_unit_test(a_ban_ends_after_a_minute), cmocka_unit_test(who_asks_slowly_is_never_banned),
      cmocka_unit_test(other_sources_and_connections_go_on), cmocka_unit_test(who_never_asks_costs_no_memory));
