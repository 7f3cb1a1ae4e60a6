/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The encoder, on whole applications: which rule is chosen, what the registers hold, where packets go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "back_machine.h"

#define S 1000000000ULL

static const char token_bucket[] =
	"app: token-bucket\n"
	"parameters: {burst: 5, interval: 1s}\n"
	"tables:\n"
	"  - name: police\n"
	"    state:\n"
	"      lookup: [ip.src]\n"
	"      capacity: 65536\n"
	"      when_full: drop\n"
	"      states: [NEW, {name: METERED, idle: (burst + 1) * interval}]\n"
	"      registers: [time start, time end]\n"
	"    rules:\n"
	"      - {name: first, state: NEW, do: start = now - (burst - 1) * interval; end = now + interval, next: "
	"METERED, action: pass}\n"
	"      - {name: over-rate, when: now < start, action: drop}\n"
	"      - {name: in-rate, when: now <= end, do: start += interval * frames; end += interval * frames, action: "
	"pass}\n"
	"      - {name: rested, do: start = now - (burst - 1) * interval; end = now + interval, action: pass}\n";

static void expect_rule(const struct machine *m, const char *table, const char *rule)
{
	assert_string_equal(machine_rule(m, table), rule);
}

static void a_token_bucket_passes_its_burst_and_then_its_rate(void **state)
{
	struct machine *m = machine_new(token_bucket, NULL, 0);
	unsigned passed = 0;

	for (unsigned i = 0; i < 10; i++) {
		SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"ip.proto", 0, 17});
		expect_rule(m, "police", i == 0 ? "first" : i < 6 ? "in-rate" : "over-rate");
		passed += m->verdict == VERDICT_PASS;
	}
	assert_int_equal(passed, 6);
	assert_true(machine_register(m, "police", "start") == m->now_ns + S);
	assert_true(machine_register(m, "police", "end") == m->now_ns + 6 * S);
	SEND(m, {"ip.src", IP4(10, 0, 0, 8)});
	expect_rule(m, "police", "first");
	m->now_ns += S;
	SEND(m, {"ip.src", IP4(10, 0, 0, 7)});
	expect_rule(m, "police", "in-rate");
	assert_int_equal(machine_count(m, "police"), 2);
	machine_free(m);
}

static void an_idle_bucket_is_forgotten_and_arp_has_no_key(void **state)
{
	struct machine *m = machine_new(token_bucket, NULL, 0);

	SEND(m, {"ip.src", IP4(10, 0, 0, 7)});
	m->now_ns += 6 * S;
	SEND(m, {"ip.src", IP4(10, 0, 0, 7)});
	expect_rule(m, "police", "first");
	SEND(m, {"arp.op", 0, 1});
	expect_rule(m, "police", "absent");
	assert_int_equal(m->verdict, VERDICT_PASS);
	machine_free(m);
}

static void an_aggregate_is_charged_by_its_frames(void **state)
{
	struct machine *m = machine_new(token_bucket, NULL, 0);

	SEND(m, {"ip.src", IP4(10, 0, 0, 7)});
	SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"frames", 0, 3});
	assert_true(machine_register(m, "police", "start") == m->now_ns - S);
	assert_true(m->table[0]->flags & TABLE_TIME);
	machine_free(m);
}

static void a_setting_moves_the_limits(void **state)
{
	const struct setting settings[] = {{"burst", "2"}};
	struct machine *m = machine_new(token_bucket, settings, 1);

	for (unsigned i = 0; i < 4; i++)
		SEND(m, {"ip.src", IP4(10, 0, 0, 7)});
	expect_rule(m, "police", "over-rate");
	machine_free(m);
}

static const char door[] = "app: door\n"
			   "parameters: {first: 1111, second: 2222, third: 3333, key: 9922}\n"
			   "tables:\n"
			   "  - name: knocks\n"
			   "    state:\n"
			   "      lookup: [ip.src]\n"
			   "      capacity: 10000\n"
			   "      when_full: evict\n"
			   "      states: [CLOSED, {name: ONE, hard: 5s}, {name: TWO, hard: 5s}, {name: OPEN, idle: "
			   "10s, hard: 60s, on_timeout: notify}]\n"
			   "    rules:\n"
			   "      - {name: ping, match: {ip.proto: [icmp, icmpv6]}, refresh: no, action: pass}\n"
			   "      - {name: one, state: CLOSED, match: {l4.dst: first}, next: ONE, action: drop}\n"
			   "      - {name: two, state: ONE, match: {l4.dst: second}, next: TWO, action: drop}\n"
			   "      - {name: three, state: TWO, match: {l4.dst: third}, next: OPEN, action: drop}\n"
			   "      - {name: key, state: OPEN, match: {l4.dst: key}, action: pass}\n"
			   "      - {name: wrong, next: CLOSED, action: drop}\n"
			   "    absent: pass\n";

static void knock(struct machine *m, unsigned port, const char *rule)
{
	SEND(m, {"ip.src", IP4(192, 0, 2, 1)}, {"ip.proto", 0, 17}, {"l4.dst", 0, port});
	expect_rule(m, "knocks", rule);
}

static void a_door_opens_to_the_right_knocks(void **state)
{
	struct machine *m = machine_new(door, NULL, 0);

	knock(m, 9922, "wrong");
	assert_int_equal(machine_count(m, "knocks"), 0);
	knock(m, 1111, "one");
	knock(m, 2222, "two");
	knock(m, 3333, "three");
	knock(m, 9922, "key");
	assert_int_equal(m->verdict, VERDICT_PASS);
	knock(m, 80, "wrong");
	assert_int_equal(m->verdict, VERDICT_DROP);
	assert_int_equal(machine_count(m, "knocks"), 0);
	machine_free(m);
}

static void a_door_forgets_slow_knocks_and_lets_pings_through(void **state)
{
	struct machine *m = machine_new(door, NULL, 0);

	knock(m, 1111, "one");
	m->now_ns += 5 * S;
	knock(m, 2222, "wrong");
	SEND(m, {"ip.src", IP4(192, 0, 2, 1)}, {"ip.proto", 0, 58});
	expect_rule(m, "knocks", "ping");
	SEND(m, {"ip.src", IP4(192, 0, 2, 1)}, {"ip.proto", 0, 1});
	expect_rule(m, "knocks", "ping");
	assert_true(m->table[0]->rules[0].flags == RULE_NO_REFRESH);
	machine_free(m);
}

static const char learning[] =
	"app: learning\n"
	"tables:\n"
	"  - name: filter\n"
	"    rules:\n"
	"      - {name: group-source, match: {eth.src: '01:00:00:00:00:00/01:00:00:00:00:00'}, action: drop}\n"
	"  - name: stations\n"
	"    state:\n"
	"      lookup: [eth.dst]\n"
	"      update: [eth.src]\n"
	"      capacity: 8192\n"
	"      when_full: continue\n"
	"      states: [UNKNOWN, {name: KNOWN, idle: 300s}]\n"
	"      registers: [port]\n"
	"    rules:\n"
	"      - {name: back, state: KNOWN, when: port == in_port, do: port = in_port, next: KNOWN, action: drop}\n"
	"      - {name: known, state: KNOWN, do: port = in_port, next: KNOWN, action: output(port)}\n"
	"      - {name: unknown, do: port = in_port, next: KNOWN, action: flood}\n";

static void frame(struct machine *m, uint64_t src, uint64_t dst, unsigned port)
{
	SEND(m, {"eth.src", 0, src}, {"eth.dst", 0, dst}, {"in_port", 0, port});
}

static void a_switch_learns_where_stations_are(void **state)
{
	struct machine *m = machine_new(learning, NULL, 0);

	frame(m, 0x0200000000aa, 0x0200000000bb, 1);
	expect_rule(m, "filter", "otherwise");
	expect_rule(m, "stations", "unknown");
	assert_int_equal(m->verdict, VERDICT_FLOOD);
	frame(m, 0x0200000000bb, 0x0200000000aa, 2);
	expect_rule(m, "stations", "known");
	assert_int_equal(m->verdict, VERDICT_OUTPUT);
	assert_int_equal(m->out_port, 1);
	/* The station moves; the answer reads the old place, the record gets the new one. */
	frame(m, 0x0200000000bb, 0x0200000000aa, 1);
	expect_rule(m, "stations", "back");
	frame(m, 0x0200000000aa, 0x0200000000bb, 3);
	expect_rule(m, "stations", "known");
	assert_int_equal(m->out_port, 1);
	frame(m, 0x0300000000aa, 0x0200000000bb, 3);
	expect_rule(m, "filter", "group-source");
	expect_rule(m, "stations", "-");
	assert_int_equal(encode_steps(m->table[1]), 2);
	machine_free(m);
}

static const char firewall[] =
	"app: udp-firewall\n"
	"parameters: {inside: port, outside: port, idle: 20s}\n"
	"tables:\n"
	"  - name: conversations\n"
	"    state:\n"
	"      lookup: [biflow.l4, ip.proto]\n"
	"      capacity: 100000\n"
	"      when_full: drop\n"
	"      states: [NONE, {name: ASKED, idle: idle}, {name: BOTH, idle: idle}]\n"
	"    rules:\n"
	"      - {name: not-udp, match: {ip.proto: not udp}, action: pass}\n"
	"      - {name: stranger, state: NONE, match: {in_port: outside}, refresh: no, action: drop}\n"
	"      - {name: ask, state: NONE, match: {in_port: inside}, next: ASKED, action: output(outside)}\n"
	"      - {name: answer, state: ASKED, match: {in_port: outside}, next: BOTH, action: output(inside)}\n"
	"      - {name: out, match: {in_port: inside}, action: output(outside)}\n"
	"      - {name: in, match: {in_port: outside}, refresh: no, action: output(inside)}\n"
	"    absent: pass\n";

static void datagram(struct machine *m, bool from_inside)
{
	if (from_inside)
		SEND(m, {"ip.src", IP4(10, 0, 0, 9)}, {"ip.dst", IP4(10, 0, 0, 1)}, {"ip.proto", 0, 17},
		     {"l4.src", 0, 5000}, {"l4.dst", 0, 53}, {"in_port", 0, 1});
	else
		SEND(m, {"ip.src", IP4(10, 0, 0, 1)}, {"ip.dst", IP4(10, 0, 0, 9)}, {"ip.proto", 0, 17},
		     {"l4.src", 0, 53}, {"l4.dst", 0, 5000}, {"in_port", 0, 2});
}

static void a_firewall_lets_answers_in_but_no_strangers(void **state)
{
	const struct setting settings[] = {{"inside", "1"}, {"outside", "2"}};
	struct machine *m = machine_new(firewall, settings, 2);

	datagram(m, false);
	expect_rule(m, "conversations", "stranger");
	datagram(m, true);
	expect_rule(m, "conversations", "ask");
	assert_int_equal(m->out_port, 2);
	datagram(m, false);
	expect_rule(m, "conversations", "answer");
	assert_int_equal(m->out_port, 1);
	datagram(m, false);
	expect_rule(m, "conversations", "in");
	datagram(m, true);
	expect_rule(m, "conversations", "out");
	assert_int_equal(machine_count(m, "conversations"), 1);
	m->now_ns += 20 * S;
	datagram(m, false);
	expect_rule(m, "conversations", "stranger");
	SEND(m, {"ip.src", IP4(10, 0, 0, 1)}, {"ip.dst", IP4(10, 0, 0, 9)}, {"ip.proto", 0, 6}, {"l4.src", 0, 53},
	     {"l4.dst", 0, 5000}, {"in_port", 0, 2});
	expect_rule(m, "conversations", "not-udp");
	assert_int_equal(m->layout[0].n_keys, 5);
	assert_string_equal(m->layout[0].key[0].name, "a.ip");
	machine_free(m);
}

static const char counter[] =
	"app: counter\n"
	"tables:\n"
	"  - name: sources\n"
	"    state:\n"
	"      lookup: [ip.src]\n"
	"      capacity: 1024\n"
	"      registers: [packets, bytes, largest]\n"
	"    rules:\n"
	"      - {do: 'packets += frames; bytes += length; largest = max(largest, length)', action: pass}\n";

static void a_counter_counts(void **state)
{
	struct machine *m = machine_new(counter, NULL, 0);

	SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"length", 0, 60});
	SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"length", 0, 1500}, {"frames", 0, 2});
	SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"length", 0, 90});
	assert_int_equal(machine_register(m, "sources", "packets"), 4);
	assert_int_equal(machine_register(m, "sources", "bytes"), 1650);
	assert_int_equal(machine_register(m, "sources", "largest"), 1500);
	assert_false(m->table[0]->flags & TABLE_TIME);
	machine_free(m);
}

/* ---- values carried from table to table ----------------------------------------------------- */

static const char carried[] =
	"app: carried\n"
	"variables: [seen, addr who]\n"
	"tables:\n"
	"  - name: hosts\n"
	"    state:\n"
	"      lookup: [ip.src]\n"
	"      capacity: 64\n"
	"      registers: [count, addr last]\n"
	"    rules:\n"
	"      - {name: known, match: {ip.proto: udp}, do: count += 1; seen = count * 10; seen += 1; last = ip.dst, "
	"action: who = ip.dst}\n"
	"      - {name: skip, match: {ip.proto: tcp}, do: count += 100, action: goto(use)}\n"
	"  - name: between\n"
	"    rules:\n"
	"      - {name: many, when: hosts.count > 1 and seen == hosts.count * 10 + 1, action: ip.dscp = seen}\n"
	"  - name: use\n"
	"    state:\n"
	"      lookup: [hosts.count]\n"
	"      capacity: 64\n"
	"      registers: [n, addr copy]\n"
	"    rules:\n"
	"      - {name: same, when: who == hosts.last, do: n += 1; copy = hosts.last}\n"
	"      - {name: other, do: n += 1}\n"
	"    absent: drop\n";

static void registers_and_variables_travel_to_later_tables(void **state)
{
	struct machine *m = machine_new(carried, NULL, 0);

	SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"ip.dst", IP4(10, 0, 0, 8)}, {"ip.proto", 0, 17});
	expect_rule(m, "hosts", "known");
	expect_rule(m, "between", "otherwise");
	expect_rule(m, "use", "same");
	assert_int_equal(machine_register(m, "hosts", "count"), 1);
	assert_int_equal(machine_register(m, "use", "n"), 1);
	SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"ip.dst", IP4(10, 0, 0, 8)}, {"ip.proto", 0, 17});
	expect_rule(m, "between", "many");
	assert_int_equal(m->n_writes, 1);
	assert_string_equal(m->write[0].field, "ip.dscp");
	assert_int_equal(m->write[0].lo, 21);
	assert_int_equal(machine_count(m, "use"), 2);
	SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"ip.dst", IP4(10, 0, 0, 8)}, {"ip.proto", 0, 6});
	expect_rule(m, "between", "-");
	expect_rule(m, "use", "other");
	assert_int_equal(machine_register(m, "hosts", "count"), 102);
	machine_free(m);
}

static void a_table_that_did_not_run_has_no_registers(void **state)
{
	struct machine *m = machine_new(carried, NULL, 0);

	SEND(m, {"eth.type", 0, 0x88cc});
	expect_rule(m, "hosts", "absent");
	expect_rule(m, "between", "otherwise");
	expect_rule(m, "use", "absent");
	assert_int_equal(m->verdict, VERDICT_DROP);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_bucket_passes_its_burst_and_then_its_rate),
		cmocka_unit_test(an_idle_bucket_is_forgotten_and_arp_has_no_key),
		cmocka_unit_test(an_aggregate_is_charged_by_its_frames),
		cmocka_unit_test(a_setting_moves_the_limits),
		cmocka_unit_test(a_door_opens_to_the_right_knocks),
		cmocka_unit_test(a_door_forgets_slow_knocks_and_lets_pings_through),
		cmocka_unit_test(a_switch_learns_where_stations_are),
		cmocka_unit_test(a_firewall_lets_answers_in_but_no_strangers),
		cmocka_unit_test(a_counter_counts),
		cmocka_unit_test(registers_and_variables_travel_to_later_tables),
		cmocka_unit_test(a_table_that_did_not_run_has_no_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
