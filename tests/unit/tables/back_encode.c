/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The encoder's details: conditions, actions, keys, sharing, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "back_machine.h"

/* ---- conditions ----------------------------------------------------------------------------- */

static void conditions_hold_as_written(void **state)
{
	static const struct {
		const char *when;
		uint64_t length, port;
		bool hits;
	} cases[] = {
		{"length < 100", 99, 0, true},
		{"length < 100", 100, 0, false},
		{"length <= 100", 100, 0, true},
		{"length > 100", 100, 0, false},
		{"length > 100", 101, 0, true},
		{"length >= 100", 100, 0, true},
		{"100 > length", 99, 0, true},
		{"100 <= length", 99, 0, false},
		{"length != 5", 5, 0, false},
		{"length >= 0", 5, 0, true},
		{"length < 0", 5, 0, false},
		{"not length < 0", 5, 0, true},
		{"length & 0xf0 == 0x10", 0x1f, 0, true},
		{"length & 0xf0 == 0x10", 0x2f, 0, false},
		{"length > l4.dst", 10, 9, true},
		{"length > l4.dst", 9, 9, false},
		{"length >= l4.dst", 9, 9, true},
		{"l4.dst - length < 10", 5, 9, true},
		{"l4.dst - length < 10", 10, 9, false},
		{"1000 - length > 990", 5, 0, true},
		{"1000 / length == 10", 100, 0, true},
		{"1000 % length == 10", 99, 0, true},
		{"length == 1 or l4.dst == 2", 9, 2, true},
		{"length == 1 or l4.dst == 2", 1, 9, true},
		{"length == 1 or l4.dst == 2", 9, 9, false},
		{"not (length == 1 or l4.dst == 2)", 9, 9, true},
		{"not (length == 1 or l4.dst == 2)", 1, 9, false},
		{"not (length == 1 and l4.dst == 2)", 1, 9, true},
		{"not (length == 1 and l4.dst == 2)", 1, 2, false},
		{"length in [1, 5-7, 9]", 6, 0, true},
		{"length in [1, 5-7, 9]", 8, 0, false},
		{"not length in [1, 5-7, 9]", 8, 0, true},
		{"min(length, l4.dst) == 3", 3, 7, true},
		{"max(length, l4.dst) == 3", 3, 7, false},
		{"seq_lt(0xffffffff, length)", 1, 0, true},
		{"seq_le(length, 5)", 6, 0, false},
		{"~length & 0xff == 0xfe", 1, 0, true},
		{"-length + 5 == 0", 5, 0, true},
		{"(length << 4 | 1) ^ 1 == 0x50", 5, 0, true},
		{"has(udp)", 1, 0, true},
		{"has(tcp)", 1, 0, false},
		{"not has(tcp)", 1, 0, true},
		{"has(tcp) or length == 1", 1, 0, true},
		{"not (has(udp) and length == 1)", 1, 0, false},
		{"length == 1 and l4.dst == 2 and length != 7 and l4.dst != 8 and length != 9 and l4.dst > 1 and "
		 "length < 3 and "
		 "l4.dst < 9 and length != 4 and l4.dst != 5",
		 1, 2, true},
		{"length == 1 and l4.dst == 2 and length != 7 and l4.dst != 8 and length != 9 and l4.dst > 1 and "
		 "length < 3 and "
		 "l4.dst < 9 and length != 4 and l4.dst != 2",
		 1, 2, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine *m = machine_with_when(cases[i].when);

		SEND(m, {"length", 0, cases[i].length}, {"l4.dst", 0, cases[i].port}, {"ip.proto", 0, 17});
		if (machine_hit(m) != cases[i].hits)
			fail_msg("%s with %llu, %llu", cases[i].when, (unsigned long long)cases[i].length,
				 (unsigned long long)cases[i].port);
		machine_free(m);
	}
}

static void addresses_compare_in_conditions(void **state)
{
	static const struct {
		const char *when;
		bool equal, other, v6;
	} cases[] = {
		{"ip.src == ip.dst", true, false, false},
		{"ip.src != ip.dst", false, true, true},
		{"ip.src == 10.0.0.7", true, true, false},
		{"ip.src != 10.0.0.7", false, false, true},
		{"ip.src in 10.0.0.0/8", true, true, false},
		{"not ip.src in 10.0.0.0/8", false, false, true},
		{"ip.src in 2001:db8::/32", false, false, true},
		{"ip.src == ip.dst or ip.src in 2001:db8::/32", true, false, true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine *m = machine_with_when(cases[i].when);

		SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"ip.dst", IP4(10, 0, 0, 7)});
		if (machine_hit(m) != cases[i].equal)
			fail_msg("%s with equal ends", cases[i].when);
		SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"ip.dst", IP4(10, 0, 0, 8)});
		if (machine_hit(m) != cases[i].other)
			fail_msg("%s with other ends", cases[i].when);
		SEND(m, {"ip.src", V6(0xffff0a000007ULL)}, {"ip.dst", V6(2)});
		if (machine_hit(m) != cases[i].v6)
			fail_msg("%s with IPv6", cases[i].when);
		machine_free(m);
	}
}

static void an_absent_field_anywhere_keeps_a_rule_from_matching(void **state)
{
	static const char *const rules[] = {
		"      - {name: hit, when: length == 1 or udp.dst == 5, action: drop}\n",
		"      - {name: hit, action: 'v = udp.dst; drop'}\n",
		"      - {name: hit, action: 'udp.dst = 5; drop'}\n",
		"      - {name: hit, action: 'vlan.id = 5; drop'}\n",
		"      - {name: hit, action: 'output(in_port)'}\n",
	};
	struct machine *m;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		m = machine_with_rules(rules[i]);
		SEND(m, {"length", 0, 1});
		assert_false(machine_hit(m));
		SEND(m, {"length", 0, 1}, {"udp.dst", 0, 5}, {"vlan.id", 0, 1}, {"in_port", 0, 3});
		assert_true(machine_hit(m));
		machine_free(m);
	}
	m = machine_with_rules("      - {name: hit, action: 'push(vlan); vlan.id = 5; vlan.prio = length; drop'}\n");
	SEND(m, {"length", 0, 1});
	assert_true(machine_hit(m));
	assert_int_equal(m->n_writes, 3);
	assert_string_equal(m->write[0].field, "push");
	assert_string_equal(m->write[1].field, "vlan.id");
	assert_int_equal(m->write[1].lo, 5);
	machine_free(m);
}

/* ---- actions -------------------------------------------------------------------------------- */

static void right_hand_fields_are_the_packet_as_it_came(void **state)
{
	struct machine *m = machine_with_rules(
		"      - {name: hit, action: 'eth.dst = eth.src; eth.src = eth.dst; ip.ttl -= 1; v = "
		"ip.ttl; ip.dscp = v; v = 7; w = ip.src; ip.src = ip.dst; ip.dst = w; reflect'}\n");

	SEND(m, {"eth.src", 0, 1}, {"eth.dst", 0, 2}, {"ip.ttl", 0, 64}, {"ip.dscp", 0, 3}, {"ip.src", IP4(1, 1, 1, 1)},
	     {"ip.dst", IP4(2, 2, 2, 2)});
	assert_true(machine_hit(m));
	assert_int_equal(m->verdict, VERDICT_REFLECT);
	assert_int_equal(m->n_writes, 6);
	assert_int_equal(m->write[0].lo, 1);
	assert_int_equal(m->write[1].lo, 2);
	assert_int_equal(m->write[2].lo, 63);
	assert_int_equal(m->write[3].lo, 64);
	assert_true(m->write[4].lo == 0xffff02020202ULL);
	assert_true(m->write[5].lo == 0xffff01010101ULL);
	assert_int_equal(m->cells[CELL_VAR], 7);
	assert_int_equal(encode_steps(m->table[0]), 2);
	machine_free(m);
}

static void a_hash_is_computed_once_and_random_drawn_apart(void **state)
{
	struct machine *m = machine_with_rules(
		"      - {name: hit, when: 'hash(ip.src, ip.dst) % 4 == 9', action: drop}\n"
		"      - {name: two, when: 'hash(ip.src, ip.dst) % 4 == 8', action: drop}\n"
		"      - {name: three, when: 'random % 2 == 5 and random % 2 == 4', action: drop}\n");
	unsigned n_init = 0, n_random = 0;

	for (unsigned i = 0; i < m->table[0]->n_pre; i++) {
		n_init += m->table[0]->ops[m->table[0]->first_pre + i].code == OP_HASH_INIT;
		n_random += m->table[0]->ops[m->table[0]->first_pre + i].code == OP_RANDOM;
	}
	assert_int_equal(n_init, 1);
	assert_int_equal(n_random, 2);
	machine_free(m);
}

static const char lets[] =
	"app: lets\n"
	"tables:\n"
	"  - name: t\n"
	"    let: {next: n + 1, old: n, twice: next * 2, coin: random % 2 == 0}\n"
	"    state: {lookup: [ip.src], capacity: 16, registers: [n, a, b, c]}\n"
	"    rules:\n"
	"      - {name: hit, when: twice > 10 and coin, do: n = 0}\n"
	"      - {name: grow, when: twice <= 12 or coin, do: n = next; a = old; b = next; c = n * 10; n += c}\n";

static void a_let_keeps_the_value_from_before_the_updates(void **state)
{
	struct machine *m = machine_new(lets, NULL, 0);
	unsigned n_random = 0;

	SEND(m, {"ip.src", IP4(10, 0, 0, 1)});
	assert_string_equal(machine_rule(m, "t"), "grow");
	assert_int_equal(machine_register(m, "t", "n"), 11);
	assert_int_equal(machine_register(m, "t", "a"), 0);
	assert_int_equal(machine_register(m, "t", "b"), 1);
	assert_int_equal(machine_register(m, "t", "c"), 10);
	for (unsigned i = 0; i < m->table[0]->n_pre; i++)
		n_random += m->table[0]->ops[m->table[0]->first_pre + i].code == OP_RANDOM;
	assert_int_equal(n_random, 1);
	machine_free(m);
}

static void equal_conditions_are_computed_once(void **state)
{
	struct machine *m = machine_new(
		"app: share\ntables:\n  - name: t\n    state: {lookup: [ip.src], capacity: 16, registers: [time x]}\n"
		"    rules:\n      - {when: now - x > 1s and length == 5, action: drop}\n"
		"      - {when: now - x > 1s and length == 6, action: drop}\n"
		"      - {when: x < now, do: x = now}\n",
		NULL, 0);

	assert_int_equal(m->table[0]->n_pre, 0);
	assert_int_equal(m->table[0]->n_let, 1); /* The order of two words is a test. */
	machine_free(m);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static void prefixes_of_keys_fold_flows_together(void **state)
{
	struct machine *m = machine_new("app: nets\ntables:\n  - name: t\n    state: {lookup: [ipv4.src/24, l4.dst/8], "
					"capacity: 16, registers: [n]}\n"
					"    rules:\n      - {name: hit, do: n += 1}\n",
					NULL, 0);
	__u64 hi, lo;

	SEND(m, {"ipv4.src", IP4(10, 0, 0, 1)}, {"l4.dst", 0, 0x1234}, {"ip.proto", 0, 17});
	SEND(m, {"ipv4.src", IP4(10, 0, 0, 200)}, {"l4.dst", 0, 0x12ff}, {"ip.proto", 0, 17});
	assert_int_equal(machine_count(m, "t"), 1);
	assert_int_equal(machine_register(m, "t", "n"), 2);
	layout_get(&m->layout[0].key[0], machine_record(m, "t")->words, &hi, &lo);
	assert_true(hi == 0 && lo == 0xffff0a000000ULL);
	layout_get(&m->layout[0].key[1], machine_record(m, "t")->words, &hi, &lo);
	assert_int_equal(lo, 0x1200);
	SEND(m, {"ipv4.src", IP4(10, 0, 1, 1)}, {"l4.dst", 0, 0x1234}, {"ip.proto", 0, 17});
	assert_int_equal(machine_count(m, "t"), 2);
	machine_free(m);
}

/* ---- limits --------------------------------------------------------------------------------- */

/* Encodes what parses; returns the messages for the caller to free. */
static char *messages(const char *yaml)
{
	struct diag_list diags;
	struct app *app = NULL;
	char *text;

	diag_init(&diags, "t.yaml");
	if (app_parse(yaml, strlen(yaml), NULL, 0, NULL, &diags, &app) == 0 && encode_check(app, HOOK_XDP, &diags) < 0)
		assert_true(diags.n_errors > 0);
	text = diag_text(&diags);
	diag_done(&diags);
	app_free(app);
	assert_non_null(text);
	return text;
}

static void expect_message(const char *rules, const char *part)
{
	char yaml[16384], *text;

	snprintf(yaml, sizeof(yaml), "app: test\ntables:\n  - name: t\n    rules:\n%s", rules);
	text = messages(yaml);
	if (!strstr(text, part))
		fail_msg("no \"%s\" in: %s", part, text);
	free(text);
}

static void limits_name_the_rule(void **state)
{
	char rules[8192];
	int n = 0;

	expect_message("      - {name: many, match: {l4.dst: 'not [1, 2, 3, 4, 5, 6, 7, 8, 9]'}, action: drop}\n",
		       "rule many: 9 comparisons at once, the limit is 8");
	expect_message("      - {name: sets, match: {l4.dst: [1,2,3,4,5,6,7,8,9,10], l4.src: [1,2,3,4,5,6,7,8,9,10], "
		       "ip.ttl: [1,2,3,4,5,6]}, action: drop}\n",
		       "table t: the rules of one state take 2400 comparisons, the limit is 1024");
	expect_message("      - {name: sets, match: {l4.dst: [1,2,3,4,5,6,7,8,9,10], l4.src: [1,2,3,4,5,6,7,8,9,10], "
		       "ip.ttl: [1,2,3,4,5,6,7,8,9,10,11]}, action: drop}\n",
		       "rule sets: its sets make more rows");
	n = snprintf(rules, sizeof(rules), "      - {name: wide, action: '");
	for (unsigned i = 0; i < 17; i++)
		n += snprintf(rules + n, sizeof(rules) - n, "ip.ttl = %u; ", i);
	snprintf(rules + n, sizeof(rules) - n, "drop'}\n");
	expect_message(rules, "rule wide: writes the packet in more than 16 steps");
}

static void a_chain_of_steps_has_an_end(void **state)
{
	char yaml[8192], *text;
	int n = snprintf(yaml, sizeof(yaml), "app: long\ntables:\n");

	for (unsigned i = 0; i < 13; i++)
		n += snprintf(yaml + n, sizeof(yaml) - n, "  - name: t%u\n    rules:\n      - {action: ip.ttl -= 1}\n",
			      i);
	text = messages(yaml);
	assert_non_null(strstr(text, "take 26 steps"));
	free(text);
}

static void what_does_not_fit_before_the_lock_comes_behind_it(void **state)
{
	char rules[8192];
	struct machine *m;
	int n = 0;

	for (unsigned i = 0; i < 20; i++)
		n += snprintf(rules + n, sizeof(rules) - n,
			      "      - {name: r%u, when: '(length * %u) %% 1009 == 5', action: drop}\n", i, i + 2);
	snprintf(rules + n, sizeof(rules) - n,
		 "      - {name: hit, when: '(length * 2) %% 1009 == 6', action: drop}\n");
	m = machine_with_rules(rules);
	assert_int_equal(m->table[0]->n_pre, OPS_PRE_MAX);
	assert_int_equal(m->table[0]->n_let, 40 - OPS_PRE_MAX);
	SEND(m, {"length", 0, 3});
	assert_true(machine_hit(m));
	SEND(m, {"length", 0, 49}); /* 49 * 21 = 1029 = 1009 + 20 */
	assert_false(machine_hit(m));
	SEND(m, {"length", 0, 338}); /* 338 * 3 = 1014 */
	assert_string_equal(machine_rule(m, "t"), "r1");
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_hold_as_written),
		cmocka_unit_test(addresses_compare_in_conditions),
		cmocka_unit_test(an_absent_field_anywhere_keeps_a_rule_from_matching),
		cmocka_unit_test(right_hand_fields_are_the_packet_as_it_came),
		cmocka_unit_test(a_hash_is_computed_once_and_random_drawn_apart),
		cmocka_unit_test(a_let_keeps_the_value_from_before_the_updates),
		cmocka_unit_test(equal_conditions_are_computed_once),
		cmocka_unit_test(prefixes_of_keys_fold_flows_together),
		cmocka_unit_test(limits_name_the_rule),
		cmocka_unit_test(what_does_not_fit_before_the_lock_comes_behind_it),
		cmocka_unit_test(a_chain_of_steps_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
