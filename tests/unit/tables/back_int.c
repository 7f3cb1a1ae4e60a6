/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signed numbers: registers, variables, constants, conditions, matches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "back_machine.h"

/* `i` is an int variable, `u` an unsigned one; `match` or `when` of the rule "hit", which leaves 'value' in the
 * register r. */
static struct machine *int_machine(const char *condition, const char *value, const struct setting *setting)
{
	char yaml[2048];

	snprintf(yaml, sizeof(yaml),
		 "app: test\nparameters: {least: -5, most: int}\nvariables: [int i, u]\ntables:\n"
		 "  - name: first\n    rules:\n      - {action: i = length; u = ip.ttl}\n"
		 "  - name: t\n    state: {lookup: [ip.ttl], capacity: 4, registers: [int r]}\n    rules:\n"
		 "      - {name: hit, %s, do: 'r = %s', action: drop}\n",
		 condition, value);
	return machine_new(yaml, setting, 1);
}

static const struct setting most = {"most", "-2"};

static void expect_hit(const char *condition, int64_t i, uint64_t u, bool hits)
{
	struct machine *m = int_machine(condition, "0", &most);

	SEND(m, {"length", 0, i}, {"ip.ttl", 0, u});
	if ((strcmp(machine_rule(m, "t"), "hit") == 0) != hits)
		fail_msg("%s with %lld, %llu", condition, (long long)i, (unsigned long long)u);
	machine_free(m);
}

static void an_int_is_compared_with_its_sign(void **state)
{
	static const struct {
		const char *when;
		int64_t i;
		uint64_t u;
		bool hits;
	} cases[] = {
		{"i < 0", -1, 0, true},
		{"i < 0", 0, 0, false},
		{"i < -5", -6, 0, true},
		{"i < -5", -5, 0, false},
		{"i < -5", 5, 0, false},
		{"i <= -5", -5, 0, true},
		{"i > -5", -4, 0, true},
		{"i > -5", 3, 0, true},
		{"i > -5", -5, 0, false},
		{"i >= least", -5, 0, true},
		{"i >= least", -6, 0, false},
		{"-5 < i", -4, 0, true},
		{"-5 < i", -6, 0, false},
		{"not i < -5", -6, 0, false},
		{"i == -5", -5, 0, true},
		{"i != -5", -5, 0, false},
		{"i in [-7, -3-3]", -3, 0, true},
		{"i in [-7, -3-3]", 2, 0, true},
		{"i in [-7, -3-3]", -4, 0, false},
		{"i >= -9223372036854775808", INT64_MIN, 0, true},
		{"i < -9223372036854775808", INT64_MIN, 0, false},
		{"i > 9223372036854775807", INT64_MAX, 0, false},
		{"i <= 9223372036854775807", -1, 0, true},
		{"i < u", -1, 0, true},
		{"i < u", 1, 0, false},
		{"i <= u", 7, 7, true},
		{"i > u", -1, 5, false},
		{"u >= i", 5, 5, true},
		{"u > i", -3, 5, true},
		{"u > i", 9, 5, false},
		{"u > -1", 0, 5, true},
		{"(i < u) == (u > i)", -1, 5, true},
		{"least < most", 0, 0, true},
		{"min(i, u) == -3", -3, 5, true},
		{"max(i, u) == 5", -3, 5, true},
		{"max(i, -7) == -3", -3, 0, true},
		{"i / 2 == -3", -7, 0, true},
		{"i % 4 == -3", -7, 0, true},
		{"i >> 1 == -4", -7, 0, true},
		{"u >> i == 0", -7, 5, true},
		{"-u < i", -4, 5, true},
		{"~i == 6", -7, 0, true},
	};
	char when[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(when, sizeof(when), "when: '%s'", cases[i].when);
		expect_hit(when, cases[i].i, cases[i].u, cases[i].hits);
		snprintf(when, sizeof(when), "when: 'i == 999 or %s'", cases[i].when);
		expect_hit(when, cases[i].i, cases[i].u, cases[i].hits);
	}
}

static void an_int_matches_with_its_sign(void **state)
{
	static const struct {
		const char *match;
		int64_t i;
		bool hits;
	} cases[] = {
		{"-5", -5, true},	    {"-5", 5, false},
		{"least", -5, true},	    {"least", -4, false},
		{"-5-5", -5, true},	    {"-5-5", 0, true},
		{"-5-5", 5, true},	    {"-5-5", -6, false},
		{"-5-5", 6, false},	    {"-5--2", -2, true},
		{"-5--2", -1, false},	    {"least-most", -3, true},
		{"least-most", -6, false},  {"not -5-5", 0, false},
		{"not -5-5", -6, true},	    {"[-1, 3]", -1, true},
		{"[-1, 3]", 3, true},	    {"[-1, 3]", 1, false},
		{"-8/-8", -3, true},	    {"-8/-8", 3, false},
		{"'not [-1, 3]'", 1, true}, {"'not [-1, 3]'", -1, false},
	};
	char match[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(match, sizeof(match), "match: {i: %s}", cases[i].match);
		expect_hit(match, cases[i].i, 0, cases[i].hits);
	}
}

static void an_int_is_computed_with_its_sign(void **state)
{
	static const struct {
		const char *value;
		int64_t i;
		uint64_t u;
		int64_t r;
	} cases[] = {
		{"i / 2", -7, 0, -3},
		{"i / -2", -7, 0, 3},
		{"-7 / i", 2, 0, -3},
		{"i % 4", -7, 0, -3},
		{"7 % i", -4, 0, 3},
		{"i / 0", 5, 0, -1},
		{"i / 0", 0, 0, 0},
		{"i / u", -7, 0, -1},
		{"i % u", -7, 0, 0},
		{"i / -1", INT64_MIN, 0, INT64_MIN},
		{"i % -1", INT64_MIN, 0, 0},
		{"i >> 1", -7, 0, -4},
		{"i >> u", -7, 200, -1},
		{"i << 2", -7, 0, -28},
		{"u >> 1", 0, 7, 3},
		{"u / 2 + i", -7, 7, -4},
		{"(u + i) / 2", -10, 7, -1},
		{"u - 10", 0, 7, -3},
		{"i * -3", -7, 0, 21},
		{"-i", -7, 0, 7},
		{"-(-i)", -7, 0, -7},
		{"~i", -7, 0, 6},
		{"min(i, u)", -7, 3, -7},
		{"max(i, u)", -7, 3, 3},
		{"min(-2, i)", 4, 0, -2},
		{"i & 0xff", -1, 0, 255},
		{"(u << 56) >> 56", 0, 0xf0, 0xf0},
		{"((u + 0 * i) << 56) >> 56", 0, 0xf0, -16},
		{"least + most", 0, 0, -7},
		{"-7 / 2", 0, 0, -3},
		{"-7 % 4", 0, 0, -3},
		{"-7 >> 1", 0, 0, -4},
		{"-7 >> 100", 0, 0, -1},
		{"min(-7, 3)", 0, 0, -7},
		{"max(-7, 3)", 0, 0, 3},
		{"-10ms", 0, 0, -10000000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine *m = int_machine("when: has(ip)", cases[i].value, &most);

		SEND(m, {"length", 0, cases[i].i}, {"ip.ttl", 0, cases[i].u}, {"ip.src", IP4(10, 0, 0, 1)});
		if (machine_register(m, "t", "r") != (uint64_t)cases[i].r)
			fail_msg("%s with %lld, %llu: %lld", cases[i].value, (long long)cases[i].i,
				 (unsigned long long)cases[i].u, (long long)machine_register(m, "t", "r"));
		machine_free(m);
	}
}

/* A signed order of two words is one test, as an unsigned one. */
static void a_signed_order_is_a_plain_test(void **state)
{
	struct machine *m = int_machine("when: 'i < u and i > -5'", "0", &most);

	assert_int_equal(m->table[1]->n_let, 0);
	assert_int_equal(m->table[1]->n_pre, 0);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_int_is_compared_with_its_sign),
		cmocka_unit_test(an_int_matches_with_its_sign),
		cmocka_unit_test(an_int_is_computed_with_its_sign),
		cmocka_unit_test(a_signed_order_is_a_plain_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
