/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an application declares, run: globals, headers, and what a timeout does. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "back_machine.h"

#define UDP(port)                                                                                                      \
	{"ip.proto", 0, 17},                                                                                           \
	{                                                                                                              \
		"udp.dst", 0, port                                                                                     \
	}

/* ---- globals -------------------------------------------------------------------------------- */

static struct machine *rule_machine(const char *rule)
{
	char yaml[1024];

	snprintf(yaml, sizeof(yaml),
		 "app: test\nvariables: [v]\nglobals: {g: 12, limit: {initial: 3, range: 0-9}}\ntables:\n"
		 "  - name: t\n    rules:\n      - %s\n",
		 rule);
	return machine_new(yaml, NULL, 0);
}

static void each_write_is_one_operation(void **state)
{
	static const struct {
		const char *do_;
		uint64_t result;
	} cases[] = {
		{"g += 5", 17},
		{"g -= 5", 7},
		{"g |= 3", 15},
		{"g &= 6", 4},
		{"g = 6", 6},
		{"g = max(g, 90)", 90},
		{"g = max(length, g)", 100},
		{"g = max(g, 5)", 12},
		{"g -= length", (uint64_t)-88},
		{"g += limit * 2", 18},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char rule[128];
		struct machine *m;
		unsigned writes = 0;

		snprintf(rule, sizeof(rule), "{name: hit, do: '%s'}", cases[i].do_);
		m = rule_machine(rule);
		SEND(m, UDP(1));
		assert_int_equal(*machine_global(m, "g"), cases[i].result);
		for (unsigned op = 0; op < m->table[0]->rules[0].n_do; op++)
			writes += m->table[0]->ops[m->table[0]->rules[0].first_do + op].code >= OP_GLOBAL_FIRST;
		/* A `max` may need several tries. */
		assert_int_equal(writes, strstr(cases[i].do_, "max") ? GLOBAL_TRIES : 1);
		machine_free(m);
	}
}

/* Behind its write the name is what this packet made of it; before, and in conditions, what it was. */
static void the_value_that_a_packet_made_is_what_it_sees(void **state)
{
	struct machine *m = rule_machine("{name: hit, when: g % 2 == 0, do: v = g; g += 1; v = g * 100 + v, action: "
					 "ip.ttl = v; ip.dscp = g}");

	SEND(m, {"ip.ttl", 0, 64}, {"ip.dscp", 0, 0});
	assert_int_equal(m->write[0].lo, 1312);
	assert_int_equal(m->write[1].lo, 13);
	SEND(m, {"ip.ttl", 0, 64}, {"ip.dscp", 0, 0});
	assert_string_equal(machine_rule(m, "t"), "otherwise");
	assert_int_equal(*machine_global(m, "g"), 13);
	machine_free(m);
}

static void conditions_and_matches_read_globals(void **state)
{
	struct machine *m = rule_machine("{name: hit, match: {limit: 2-4}, when: g == 12, action: drop}");

	SEND(m, UDP(1));
	assert_string_equal(machine_rule(m, "t"), "hit");
	*machine_global(m, "limit") = 5;
	SEND(m, UDP(1));
	assert_string_equal(machine_rule(m, "t"), "otherwise");
	machine_free(m);
}

static void only_the_first_table_reads_and_only_what_is_read(void **state)
{
	struct machine *m = machine_new("app: test\nglobals: {a: 1, b: 2, c: 3, d: 4}\ntables:\n"
					"  - {name: t, rules: [{do: a += 1}]}\n"
					"  - {name: u, rules: [{when: b > 1}, {do: 'd = max(d, 9)'}]}\n"
					"  - {name: other, hook: tc-egress, rules: [{when: c > 1}]}\n",
					NULL, 0);

	assert_int_equal(m->table[0]->n_globals, 1);
	assert_int_equal(m->table[0]->globals[0].global, m->placement.global[1]);
	assert_false(m->table[0]->flags & TABLE_CLEAN);
	assert_int_equal(m->table[1]->n_globals, 0);
	assert_int_equal(m->table[2]->n_globals, 1);
	machine_free(m);
}

/* A rule that only writes a global needs no record. */
static void a_global_is_no_reason_for_a_record(void **state)
{
	struct machine *m = machine_new("app: test\nglobals: {seen: 0}\ntables:\n  - name: t\n"
					"    state: {lookup: [ip.src], capacity: 16, registers: [n]}\n"
					"    rules: [{name: count, when: n == 0, do: seen += 1}, {do: n = 1}]\n",
					NULL, 0);

	SEND(m, {"ip.src", IP4(10, 0, 0, 1)});
	SEND(m, {"ip.src", IP4(10, 0, 0, 1)});
	assert_int_equal(*machine_global(m, "seen"), 2);
	assert_int_equal(machine_count(m, "t"), 0);
	machine_free(m);
}

/* ---- headers -------------------------------------------------------------------------------- */

static const char headers[] =
	"app: test\n"
	"headers:\n"
	"  shim: {after: {udp.dst: [9000, 9010-9020]}, fields: [version 4, flags 4, vni 24, next 8]}\n"
	"  more: {after: {shim.next: 7}, fields: [a 8]}\n"
	"tables:\n  - name: t\n"
	"    state: {lookup: [shim.vni], capacity: 16, registers: [n]}\n"
	"    rules:\n"
	"      - {name: both, match: {shim.version: 1}, when: has(more), do: n += more.a, action: "
	"'shim.flags = 3'}\n"
	"      - {name: one, do: n += shim.next}\n"
	"    absent: drop\n";

static void a_header_is_there_when_it_follows(void **state)
{
	struct machine *m = machine_new(headers, NULL, 0);

	SEND(m, UDP(9000), {"shim.version", 0, 1}, {"shim.vni", 0, 77}, {"shim.next", 0, 7}, {"more.a", 0, 5});
	assert_string_equal(machine_rule(m, "t"), "both");
	assert_int_equal(m->key[0][0], 77);
	assert_int_equal(machine_register(m, "t", "n"), 5);
	assert_string_equal(m->write[0].field, "shim.flags");
	SEND(m, UDP(9015), {"shim.version", 0, 1}, {"shim.vni", 0, 77}, {"shim.next", 0, 8}, {"more.a", 0, 5});
	assert_string_equal(machine_rule(m, "t"), "one");
	assert_int_equal(machine_register(m, "t", "n"), 13);
	SEND(m, UDP(9001), {"shim.version", 0, 1}, {"shim.vni", 0, 77}, {"shim.next", 0, 7});
	assert_string_equal(machine_rule(m, "t"), "absent");
	SEND(m, {"ip.proto", 0, 6}, {"tcp.dst", 0, 9000});
	assert_string_equal(machine_rule(m, "t"), "absent");
	machine_free(m);
}

/* The bits of a packet may come from another application. */
static void a_header_of_somebody_else_is_not_ours(void **state)
{
	struct machine *m = machine_new(headers, NULL, 0);

	SEND(m, UDP(9001), {"present", 0, 3ULL << PRESENT_CUSTOM});
	assert_string_equal(machine_rule(m, "t"), "absent");
	machine_free(m);
}

static void a_header_behind_ip_is_in_no_later_fragment(void **state)
{
	struct machine *m =
		machine_new("app: test\nheaders: {tun: {after: {ip.proto: 47}, fields: [flags 16, proto 16]}}\n"
			    "tables:\n  - {name: t, rules: [{name: hit, match: {tun.proto: 0x800}}]}\n",
			    NULL, 0);

	SEND(m, {"ip.proto", 0, 47}, {"ip.src", IP4(10, 0, 0, 1)}, {"tun.proto", 0, 0x800});
	assert_string_equal(machine_rule(m, "t"), "hit");
	SEND(m, {"ip.proto", 0, 47}, {"ip.src", IP4(10, 0, 0, 1)}, {"tun.proto", 0, 0x800}, {"ip.frag_offset", 0, 8});
	assert_string_equal(machine_rule(m, "t"), "otherwise");
	machine_free(m);
}

/* ---- on_timeout ------------------------------------------------------------------------------ */

static void a_timeout_updates_the_record_and_a_global(void **state)
{
	struct machine *m =
		machine_new("app: test\nglobals: {open: 0, most: 0}\ntables:\n  - name: t\n"
			    "    state:\n      lookup: [ip.src]\n      update: [ip.dst]\n      capacity: 16\n"
			    "      states: [A, {name: B, idle: 10s, idle_to: C, on_timeout: 'n = n * 2 + most; open -= "
			    "n; end = now; "
			    "notify'}, C]\n"
			    "      registers: [n, time end]\n"
			    "    rules: [{state: [A, B], do: n += 3; open += 100, next: B}]\n",
			    NULL, 0);
	const struct state_def *def = &m->table[0]->states[m->placement.table[0].state_id[1]];

	*machine_global(m, "most") = 1;
	SEND(m, {"ip.src", IP4(10, 0, 0, 1)}, {"ip.dst", IP4(10, 0, 0, 1)});
	assert_true(def->flags & STATE_NOTIFY);
	m->now_ns += 15000000000;
	SEND(m, {"ip.src", IP4(10, 0, 0, 1)}, {"ip.dst", IP4(10, 0, 0, 9)});
	assert_int_equal(machine_register(m, "t", "n"), 7);
	assert_int_equal(machine_register(m, "t", "end"), MACHINE_START + 10000000000);
	assert_int_equal(*machine_global(m, "open"), 100 - 7);
	machine_free(m);
}

static void a_timeout_has_few_operations(void **state)
{
	char steps[1024] = "", yaml[2048], says[128];
	struct diag_list diags;
	struct app *app = NULL;

	/* None can be folded. */
	for (unsigned i = 0; i <= OPS_TIMEOUT_MAX; i++)
		strcat(steps, i ? "; n += m" : "n += m");
	snprintf(yaml, sizeof(yaml),
		 "app: test\ntables:\n  - name: t\n    state: {lookup: [ip.src], capacity: 16, registers: [n, m], "
		 "states: "
		 "[A, {name: B, idle: 1s, on_timeout: '%s'}]}\n    rules: [{do: n = 1; m = 1, next: B}]\n",
		 steps);
	snprintf(says, sizeof(says), "state B: more than %d operations in `on_timeout`", OPS_TIMEOUT_MAX);
	diag_init(&diags, "test.yaml");
	assert_int_equal(app_parse(yaml, strlen(yaml), NULL, 0, NULL, &diags, &app), 0);
	assert_int_equal(encode_check(app, HOOK_XDP, &diags), -E2BIG);
	assert_string_equal(diags.item[diags.n - 1].message, says);
	diag_done(&diags);
	app_free(app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_write_is_one_operation),
		cmocka_unit_test(the_value_that_a_packet_made_is_what_it_sees),
		cmocka_unit_test(conditions_and_matches_read_globals),
		cmocka_unit_test(only_the_first_table_reads_and_only_what_is_read),
		cmocka_unit_test(a_global_is_no_reason_for_a_record),
		cmocka_unit_test(a_header_is_there_when_it_follows),
		cmocka_unit_test(a_header_of_somebody_else_is_not_ours),
		cmocka_unit_test(a_header_behind_ip_is_in_no_later_fragment),
		cmocka_unit_test(a_timeout_updates_the_record_and_a_global),
		cmocka_unit_test(a_timeout_has_few_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
