// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules that write other tables' records: learn, allocate. */
#include "tiers.h"

#include <string.h>

#define CLIENT "10.0.0.7"
#define SERVER "192.0.2.1"
#define PUBLIC "203.0.113.1"

/* ---- learn -------------------------------------------------------------------------------- */

#define LEARNER                                                                                                        \
	"app: learner\n"                                                                                               \
	"tables:\n"                                                                                                    \
	"  - name: teach\n"                                                                                            \
	"    rules:\n"                                                                                                 \
	"      - {match: {udp.dst: 1}, learn: {table: known, key: [ip.dst, udp.src], state: GOOD, set: {mark: "        \
	"udp.dst + 6, from: ip.src}, else: drop}, action: drop}\n"                                                     \
	"      - {match: {udp.dst: 2}, learn: {table: known, key: [ip.dst, udp.src], state: NEW, else: reflect}, "     \
	"action: drop}\n"                                                                                              \
	"      - {match: {udp.dst: 3}, learn: {table: known, key: [ip.dst, udp.src], state: BAD, else: reflect}, "     \
	"action: pass}\n"                                                                                              \
	"  - name: known\n"                                                                                            \
	"    state:\n"                                                                                                 \
	"      lookup: [ip.src, udp.dst]\n"                                                                            \
	"      capacity: 4\n"                                                                                          \
	"      states: [NEW, {name: GOOD, idle: 10s}, BAD]\n"                                                          \
	"      registers: [mark, addr from]\n"                                                                         \
	"    rules:\n"                                                                                                 \
	"      - {state: GOOD, name: good, when: mark == 7, action: pass}\n"                                           \
	"      - {state: BAD, name: bad, action: drop}\n"                                                              \
	"    otherwise: reflect\n"

static struct rig *learner(void)
{
	return rig_with(LEARNER, NULL);
}

static enum exit_reason teach(struct rig *rig, int about, int what)
{
	return send_one(rig, 1, PKT(.ip_src = CLIENT, .ip_dst = SERVER, .udp_sport = about, .udp_dport = what));
}

/* What the table knows of it. */
static enum exit_reason ask(struct rig *rig, int about)
{
	return send_one(rig, 1, PKT(.ip_src = SERVER, .ip_dst = CLIENT, .udp_sport = 99, .udp_dport = about));
}

static void a_rule_makes_another_tables_record(void **state)
{
	struct rig *rig = learner();

	assert_int_equal(ask(rig, 500), EXIT_REFLECT);
	assert_int_equal(teach(rig, 500, 1), EXIT_DROP);
	assert_string_equal(rig_state(rig, "learner/known", "udp.dst", "500"), "GOOD");
	assert_int_equal(rig_register(rig, "learner/known", "udp.dst", "500", "mark"), 7);
	assert_int_equal(ask(rig, 500), EXIT_PASS);
	assert_int_equal(ask(rig, 501), EXIT_REFLECT);
	rig_close(rig);
}

static void it_changes_one_that_is_there(void **state)
{
	struct rig *rig = learner();

	teach(rig, 500, 1);
	assert_int_equal(teach(rig, 500, 3), EXIT_PASS);
	assert_string_equal(rig_state(rig, "learner/known", "udp.dst", "500"), "BAD");
	assert_int_equal(rig_register(rig, "learner/known", "udp.dst", "500", "mark"), 7);
	assert_int_equal(ask(rig, 500), EXIT_DROP);
	assert_int_equal(rig_flows(rig, "learner/known", NULL, NULL), 1);
	assert_int_equal(rig_table_stat(rig, "learner/known", TABLE_STAT_LEARNED), 2);
	rig_close(rig);
}

static void the_first_state_removes_it(void **state)
{
	struct rig *rig = learner();

	teach(rig, 500, 1);
	assert_int_equal(teach(rig, 500, 2), EXIT_DROP);
	assert_int_equal(rig_flows(rig, "learner/known", NULL, NULL), 0);
	assert_int_equal(teach(rig, 500, 2), EXIT_DROP); /* Nothing to remove is no failure. */
	assert_int_equal(rig_table_stat(rig, "learner/known", TABLE_STAT_LEARNED), 1);
	rig_close(rig);
}

static void what_is_learned_has_the_times_of_its_state(void **state)
{
	struct rig *rig = learner();

	teach(rig, 500, 1);
	rig_advance_ms(rig, 9999);
	teach(rig, 500, 1); /* Refreshes. */
	rig_advance_ms(rig, 9999);
	assert_int_equal(ask(rig, 500), EXIT_PASS);
	rig_advance_ms(rig, 10000);
	teach(rig, 500, 1); /* Due: made anew. */
	assert_int_equal(rig_table_stat(rig, "learner/known", TABLE_STAT_EXPIRED), 1);
	assert_int_equal(ask(rig, 500), EXIT_PASS);
	rig_close(rig);
}

static void a_full_table_takes_the_else(void **state)
{
	struct rig *rig = learner();

	for (int i = 0; i < 4; i++)
		assert_int_equal(teach(rig, 500 + i, 1), EXIT_DROP);
	assert_int_equal(teach(rig, 600, 3), EXIT_REFLECT);
	assert_int_equal(rig_table_stat(rig, "learner/known", TABLE_STAT_FULL), 1);
	assert_int_equal(rig_table_stat(rig, "learner/known", TABLE_STAT_LEARNED), 4);
	rig_close(rig);
}

/* ---- allocate ----------------------------------------------------------------------------- */

#define SHARE                                                                                                          \
	"app: share\n"                                                                                                 \
	"parameters: {ports: 2000-2003}\n"                                                                             \
	"variables: [port_of]\n"                                                                                       \
	"tables:\n"                                                                                                    \
	"  - name: sides\n"                                                                                            \
	"    rules:\n"                                                                                                 \
	"      - {match: {ip.dst: 203.0.113.1}, action: goto(holders)}\n"                                              \
	"      - {action: port_of = udp.src}\n"                                                                        \
	"  - name: mappings\n"                                                                                         \
	"    state:\n"                                                                                                 \
	"      lookup: [ip.src, udp.src]\n"                                                                            \
	"      capacity: 8\n"                                                                                          \
	"      when_full: drop\n"                                                                                      \
	"      states: [NEW, {name: OPEN, idle: 10s}, {name: AGED, idle: 10s}]\n"                                      \
	"      registers: [outside]\n"                                                                                 \
	"    rules:\n"                                                                                                 \
	"      - {match: {udp.dst: 9}, state: OPEN, next: NEW, action: drop}\n"                                        \
	"      - {match: {udp.dst: 8}, allocate: {register: outside, from: ports, table: holders, state: HELD, "       \
	"set: {to: ip.src, port: udp.src}, key: [outside], else: reflect}, next: AGED, action: drop}\n"                \
	"      - {name: claim, state: NEW, allocate: {register: outside, from: ports, first: port_of, table: "         \
	"holders, state: HELD, set: {to: ip.src, port: udp.src}, key: [outside], else: reflect}, next: OPEN, "         \
	"action: pass}\n"                                                                                              \
	"      - {action: pass}\n"                                                                                     \
	"  - name: holders\n"                                                                                          \
	"    state: {lookup: [udp.dst], capacity: 8, states: [FREE, HELD], registers: [addr to, port]}\n"              \
	"    rules:\n"                                                                                                 \
	"      - {state: HELD, action: ip.dst = to; udp.dst = port; pass}\n"                                           \
	"    otherwise: drop\n"

static struct rig *share(void)
{
	return rig_with(SHARE, NULL);
}

static enum exit_reason go(struct rig *rig, int port, int to)
{
	return send_one(rig, 1, PKT(.ip_src = CLIENT, .ip_dst = SERVER, .udp_sport = port, .udp_dport = to));
}

static uint64_t outside(struct rig *rig, const char *port)
{
	return rig_register(rig, "share/mappings", "udp.src", port, "outside");
}

static unsigned held(struct rig *rig)
{
	return rig_flows(rig, "share/holders", NULL, NULL);
}

static void the_value_asked_for_is_taken_if_it_is_free(void **state)
{
	struct rig *rig = share();

	assert_int_equal(go(rig, 2002, 1), EXIT_PASS);
	assert_int_equal(outside(rig, "2002"), 2002);
	assert_int_equal(held(rig), 1);
	assert_int_equal(rig_table_stat(rig, "share/mappings", TABLE_STAT_CLAIM_TRIES), 1);
	rig_close(rig);
}

static void otherwise_any_of_the_range(void **state)
{
	struct rig *rig = share();

	go(rig, 5000, 1);
	assert_in_range(outside(rig, "5000"), 2000, 2003);
	rig_close(rig);
}

static void the_claimed_record_leads_back(void **state)
{
	struct rig *rig = share();
	struct frame want = PKT(.ip_src = SERVER, .ip_dst = CLIENT, .udp_sport = 1, .udp_dport = 2002);
	struct rig_result r;

	go(rig, 2002, 1);
	r = rig_send(rig, 1, PKT(.ip_src = SERVER, .ip_dst = PUBLIC, .udp_sport = 1, .udp_dport = 2002));
	assert_int_equal(r.exit, EXIT_PASS);
	assert_frame_equal(want.data, want.size, r.frame.data, r.frame.size);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = SERVER, .ip_dst = PUBLIC, .udp_dport = 2001)), EXIT_DROP);
	rig_close(rig);
}

static void each_holds_a_value_of_its_own_until_none_is_left(void **state)
{
	struct rig *rig = share();
	uint64_t seen = 0;
	char port[8];

	rig_set_random(rig, 1);
	for (int i = 0; i < 4; i++) {
		while (go(rig, 5000 + i, 1) != EXIT_PASS) /* 32 tries of 4 values may miss the last one. */
			;
		snprintf(port, sizeof(port), "%d", 5000 + i);
		seen |= 1ull << (outside(rig, port) - 2000);
	}
	assert_int_equal(seen, 15);
	assert_int_equal(held(rig), 4);
	assert_int_equal(go(rig, 6000, 1), EXIT_REFLECT);
	assert_int_equal(held(rig), 4);
	assert_int_equal(rig_flows(rig, "share/mappings", NULL, NULL), 4);
	assert_true(rig_table_stat(rig, "share/mappings", TABLE_STAT_CLAIM_FAILED) >= 1);
	rig_close(rig);
}

static void it_ends_with_its_claimer_by_a_rule(void **state)
{
	struct rig *rig = share();

	go(rig, 2002, 1);
	assert_int_equal(go(rig, 2002, 9), EXIT_DROP);
	assert_int_equal(held(rig), 0);
	assert_int_equal(go(rig, 2002, 1), EXIT_PASS);
	assert_int_equal(outside(rig, "2002"), 2002);
	rig_close(rig);
}

static void it_ends_with_its_claimer_by_time(void **state)
{
	struct rig *rig = share();

	go(rig, 2002, 1);
	rig_advance_ms(rig, 10000);
	rig_expire(rig);
	assert_int_equal(rig_flows(rig, "share/mappings", NULL, NULL), 0);
	assert_int_equal(held(rig), 0);
	rig_close(rig);
}

static void a_packet_that_comes_late_claims_anew(void **state)
{
	struct rig *rig = share();

	go(rig, 2002, 1);
	rig_advance_ms(rig, 10000);
	assert_int_equal(go(rig, 2002, 1), EXIT_PASS);
	assert_int_equal(held(rig), 1);
	assert_int_equal(outside(rig, "2002"), 2002);
	rig_close(rig);
}

static void claiming_again_lets_the_first_go(void **state)
{
	struct rig *rig = share();

	go(rig, 2002, 1);
	rig_set_random(rig, 3);
	assert_int_equal(go(rig, 2002, 8), EXIT_DROP);
	assert_string_equal(rig_state(rig, "share/mappings", "udp.src", "2002"), "AGED");
	assert_int_equal(held(rig), 1);
	rig_close(rig);
}

static void a_full_table_keeps_nothing_claimed(void **state)
{
	struct rig *rig = rig_open(tier);

	rig_load(rig, SHARE, "ports=1000-9999", NULL);
	rig_commit(rig);
	for (int i = 0; i < 7; i++)
		assert_int_equal(go(rig, 5000 + i, 1), EXIT_PASS);
	assert_int_equal(held(rig), 7);
	assert_int_equal(go(rig, 5007, 1), EXIT_PASS);
	assert_int_equal(go(rig, 5008, 1), EXIT_REFLECT); /* The holders are full first. */
	assert_int_equal(held(rig), 8);
	rig_close(rig);
}

static void not_seen(void *data, const struct layout *layout, const uint64_t *words) {}

static void nobody_but_the_claimer_frees_it(void **state)
{
	struct rig *rig;

	if (tier == RIG_NATIVE)
		skip();
	rig = share();
	go(rig, 2002, 1);
	assert_int_equal(rig_delete_flows(rig, "share/holders", not_seen, NULL), 0);
	assert_int_equal(held(rig), 1);
	assert_int_equal(rig_delete_flows(rig, "share/mappings", not_seen, NULL), 1);
	assert_int_equal(held(rig), 0);
	rig_close(rig);
}

TESTS(learn, cmocka_unit_test(a_rule_makes_another_tables_record), cmocka_unit_test(it_changes_one_that_is_there),
      cmocka_unit_test(the_first_state_removes_it), cmocka_unit_test(what_is_learned_has_the_times_of_its_state),
      cmocka_unit_test(a_full_table_takes_the_else), cmocka_unit_test(the_value_asked_for_is_taken_if_it_is_free),
      cmocka_unit_test(otherwise_any_of_the_range), cmocka_unit_test(the_claimed_record_leads_back),
      cmocka_unit_test(each_holds_a_value_of_its_own_until_none_is_left),
      cmocka_unit_test(it_ends_with_its_claimer_by_a_rule), cmocka_unit_test(it_ends_with_its_claimer_by_time),
      cmocka_unit_test(a_packet_that_comes_late_claims_anew), cmocka_unit_test(claiming_again_lets_the_first_go),
      cmocka_unit_test(a_full_table_keeps_nothing_claimed), cmocka_unit_test(nobody_but_the_claimer_frees_it));
