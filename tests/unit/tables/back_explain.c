/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a table did, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "back_machine.h"
#include "tables/explain.h"

#define S 1000000000ULL

static const char bucket[] = "app: token-bucket\n"
			     "parameters: {burst: 5, interval: 1s}\n"
			     "tables:\n"
			     "  - name: police\n"
			     "    state:\n"
			     "      lookup: [ip.src]\n"
			     "      capacity: 65536\n"
			     "      states: [NEW, {name: METERED, idle: 60s}]\n"
			     "      registers: [time start, time end]\n"
			     "    rules:\n"
			     "      - {name: first, state: NEW, do: start = now - (burst - 1) * interval; end = now + "
			     "interval, next: METERED, action: pass}\n"
			     "      - {name: over-rate, when: now < start, action: drop}\n"
			     "      - {name: in-rate, when: now <= end, do: start += interval * frames; end += "
			     "interval * frames, action: ip.dscp = 10; pass}\n"
			     "    absent: pass\n";

/* Explains the last packet in 'table' and checks each part that is not NULL. */
static void expect(struct machine *m, unsigned table, const struct explanation *want)
{
	const struct layout *layout = m->app->table[table].stateful ? &m->layout[table] : NULL;
	struct layout numbered = m->layout[table];
	struct explanation got;
	struct explain *ex;

	for (size_t i = 0; i < numbered.n_states; i++)
		numbered.state[i].id = m->placement.table[table].state_id[i];
	assert_int_equal(explain_new(m->app, table, HOOK_XDP, &ex), 0);
	assert_int_equal(explain_step(ex, layout ? &numbered : NULL, &m->step[table], &got), 0);
	if (want->key)
		assert_string_equal(got.key, want->key);
	if (want->rule)
		assert_string_equal(got.rule, want->rule);
	if (want->conditions)
		assert_string_equal(got.conditions, want->conditions);
	if (want->skipped)
		assert_string_equal(got.skipped, want->skipped);
	if (want->updates)
		assert_string_equal(got.updates, want->updates);
	if (want->verdict)
		assert_string_equal(got.verdict, want->verdict);
	if (want->old_state)
		assert_string_equal(got.old_state, want->old_state);
	if (want->new_state)
		assert_string_equal(got.new_state, want->new_state);
	explain_done(&got);
	explain_free(ex);
}

static void send_from(struct machine *m, unsigned last)
{
	SEND(m, {"ip.src", IP4(10, 0, 0, last)}, {"ip.dscp", 0, 0});
}

static void the_first_packet_of_a_flow(void **state)
{
	struct machine *m = machine_new(bucket, NULL, 0);

	send_from(m, 7);
	expect(m, 0,
	       &(struct explanation){.key = "ip.src=10.0.0.7",
				     .rule = "first",
				     .conditions = "",
				     .skipped = "",
				     .updates = "start = -4 s; end = +1 s",
				     .verdict = "pass",
				     .old_state = "NEW",
				     .new_state = "METERED"});
	machine_free(m);
}

static void a_packet_within_its_rate(void **state)
{
	struct machine *m = machine_new(bucket, NULL, 0);

	send_from(m, 7);
	m->now_ns += S / 4;
	send_from(m, 7);
	expect(m, 0,
	       &(struct explanation){.rule = "in-rate",
				     .conditions = "now <= end -> true (end is 750 ms ahead)",
				     .skipped = "over-rate: now < start -> false (start was 4.25 s ago)",
				     .updates = "start: -4.25 s -> -3.25 s; end: +750 ms -> +1.75 s",
				     .verdict = "ip.dscp = 10; pass",
				     .new_state = "METERED"});
	machine_free(m);
}

static void a_packet_over_its_rate(void **state)
{
	struct machine *m = machine_new(bucket, NULL, 0);

	for (unsigned i = 0; i < 7; i++)
		send_from(m, 7);
	expect(m, 0,
	       &(struct explanation){.rule = "over-rate",
				     .conditions = "now < start -> true (start is 1 s ahead)",
				     .updates = "",
				     .verdict = "drop"});
	SEND(m, {"arp.op", 0, 1});
	expect(m, 0,
	       &(struct explanation){.key = "",
				     .rule = "absent",
				     .conditions = "ip.src is absent",
				     .skipped = "",
				     .updates = "",
				     .verdict = "pass",
				     .old_state = ""});
	machine_free(m);
}

static const char words[] =
	"app: words\n"
	"parameters: {port: 53, limit: 3}\n"
	"variables: [v]\n"
	"tables:\n"
	"  - name: count\n"
	"    let: {many: n >= limit and n != 100}\n"
	"    state: {lookup: [ip.src, ip.proto], capacity: 16, registers: [n]}\n"
	"    rules:\n"
	"      - {name: tcp-only, match: {tcp.dst: 80}, action: drop}\n"
	"      - {name: other-port, match: {l4.dst: not port}, action: goto(last)}\n"
	"      - {name: enough, when: many, action: output(n + 4)}\n"
	"      - {name: more, match: {ip.proto: [udp, tcp]}, do: n += 1; v = n * 2, action: ip.ttl -= 1}\n"
	"  - name: last\n"
	"    rules:\n"
	"      - {name: seen, when: count.n == 1 and v == 2 and has(udp), action: drop}\n";

static void datagram(struct machine *m, unsigned port)
{
	SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"ip.proto", 0, 17}, {"l4.dst", 0, port}, {"ip.ttl", 0, 64});
}

static void conditions_name_the_values_they_saw(void **state)
{
	struct machine *m = machine_new(words, NULL, 0);

	datagram(m, 53);
	expect(m, 0,
	       &(struct explanation){.key = "ip.src=10.0.0.7 ip.proto=udp",
				     .rule = "more",
				     .conditions = "ip.proto: [udp, tcp] -> true (ip.proto is udp)",
				     .skipped = "tcp-only: tcp.dst: 80 -> absent\n"
						"other-port: l4.dst: not port -> false (l4.dst is 53)\n"
						"enough: many -> false: n >= limit -> false (n is 0, limit is 3)",
				     .updates = "n = 1; v = 2",
				     .verdict = "ip.ttl = 63; on to last"});
	expect(m, 1,
	       &(struct explanation){
		       .key = "",
		       .rule = "seen",
		       .verdict = "drop",
		       .conditions = "count.n == 1 -> true (count.n is 1)\nv == 2 -> true (v is 2)\nhas(udp) -> true"});
	datagram(m, 53);
	expect(m, 0, &(struct explanation){.updates = "n: 1 -> 2; v = 4"});
	expect(m, 1,
	       &(struct explanation){.rule = "otherwise",
				     .skipped = "seen: count.n == 1 -> false (count.n is 2)",
				     .verdict = "pass"});
	datagram(m, 53);
	datagram(m, 53);
	expect(m, 0, &(struct explanation){.rule = "enough", .conditions = "many -> true", .verdict = "output(7)"});
	datagram(m, 54);
	expect(m, 0,
	       &(struct explanation){.rule = "other-port",
				     .verdict = "goto(last)",
				     .conditions = "l4.dst: not port -> true (l4.dst is 54)"});
	machine_free(m);
}

static const char scopes[] = "app: learning\n"
			     "tables:\n"
			     "  - name: stations\n"
			     "    state: {lookup: [eth.dst], update: [eth.src], capacity: 16, states: [UNKNOWN, {name: "
			     "KNOWN, idle: 300s}], registers: [port]}\n"
			     "    rules:\n"
			     "      - {name: known, state: KNOWN, when: port != in_port, do: port = in_port, next: "
			     "KNOWN, action: output(port)}\n"
			     "      - {name: unknown, do: port = in_port, next: KNOWN, action: flood}\n";

static void two_scopes_read_one_record_and_write_another(void **state)
{
	struct machine *m = machine_new(scopes, NULL, 0);

	SEND(m, {"eth.src", 0, 0x0200000000aa}, {"eth.dst", 0, 0x0200000000bb}, {"in_port", 0, 1});
	expect(m, 0,
	       &(struct explanation){.key = "eth.dst=02:00:00:00:00:bb",
				     .rule = "unknown",
				     .updates = "port = 1",
				     .verdict = "flood"});
	SEND(m, {"eth.src", 0, 0x0200000000bb}, {"eth.dst", 0, 0x0200000000aa}, {"in_port", 0, 2});
	expect(m, 0,
	       &(struct explanation){.rule = "known",
				     .updates = "port = 2",
				     .verdict = "output(1)",
				     .conditions = "port != in_port -> true (port is 1, in_port is 2)"});
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_packet_of_a_flow),
		cmocka_unit_test(a_packet_within_its_rate),
		cmocka_unit_test(a_packet_over_its_rate),
		cmocka_unit_test(conditions_name_the_values_they_saw),
		cmocka_unit_test(two_scopes_read_one_record_and_write_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
