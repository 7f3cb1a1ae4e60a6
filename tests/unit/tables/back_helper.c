/* SPDX-License-Identifier: GPL-2.0-or-later */
/* avg(), var(), ewma() and seq_lt() over many samples, against their formulas in wider numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "back_machine.h"

static const char statistics[] =
	"app: statistics\n"
	"parameters: {weight: 0.875}\n"
	"variables: [int i]\n"
	"tables:\n"
	"  - name: shift\n"
	"    rules:\n"
	"      - {action: i = length - 50000}\n"
	"  - name: t\n"
	"    state:\n"
	"      lookup: [ip.ttl]\n"
	"      capacity: 4\n"
	"      registers: [n, m, v, slow, int im, iv, int il]\n"
	"    rules:\n"
	"      - {name: start, match: {ip.ttl: 3}, when: n == 0, do: n = 16777210; m = 30000000; v = 5000}\n"
	"      - {name: signed, match: {ip.ttl: 2}, do: 'iv = var(iv, im, n, i); im = avg(im, n, i); n += 1'}\n"
	"      - {name: weighted, match: {ip.ttl: 1}, do: 'slow = ewma(slow, length, weight); il = ewma(il, i, "
	"0.25)'}\n"
	"      - {name: unsigned, do: 'v = var(v, m, n, length); m = avg(m, n, length); n += 1'}\n";

static uint64_t state_of_generator;

static uint64_t draw(uint64_t n)
{
	state_of_generator = state_of_generator * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state_of_generator >> 33) % n;
}

/* The integer nearest to a / b, halves away from 0. */
static __int128_t nearest(__int128_t a, __int128_t b)
{
	__int128_t twice = 2 * (a < 0 ? -a : a) + b;
	__int128_t x = twice / (2 * b);

	return a < 0 ? -x : x;
}

struct expected {
	__int128_t n, m, v;
};

static void add_sample(struct expected *x, __int128_t sample)
{
	__int128_t count = (x->n < 1 << 24 ? x->n : 1 << 24) + 1, old = x->m;

	x->m += nearest(1000 * sample - old, count);
	x->v += nearest((1000 * sample - old) * (1000 * sample - x->m) - 1000 * x->v, 1000 * count);
	x->n++;
}

static void expect_register(struct machine *m, const char *name, __int128_t value, unsigned sample)
{
	int64_t found = machine_register(m, "t", name);

	if (found != (int64_t)value)
		fail_msg("%s is %lld instead of %lld after %u samples", name, (long long)found, (long long)value,
			 sample);
}

static void mean_and_variance_follow_their_formulas(void **state)
{
	struct machine *m = machine_new(statistics, NULL, 0);
	struct expected x = {};

	for (unsigned i = 1; i <= 3000; i++) {
		uint64_t sample = i % 7 ? draw(65536) : draw(3000000);

		SEND(m, {"ip.ttl", 0, 9}, {"length", 0, sample}, {"ip.src", IP4(10, 0, 0, 1)});
		add_sample(&x, sample);
		expect_register(m, "n", x.n, i);
		expect_register(m, "m", x.m, i);
		expect_register(m, "v", x.v, i);
	}
	machine_free(m);
}

static void samples_below_0_are_counted_with_their_sign(void **state)
{
	struct machine *m = machine_new(statistics, NULL, 0);
	struct expected x = {};
	bool was_negative = false;

	for (unsigned i = 1; i <= 3000; i++) {
		uint64_t sample = i < 100 ? draw(40000) : draw(100000);

		SEND(m, {"ip.ttl", 0, 2}, {"length", 0, sample}, {"ip.src", IP4(10, 0, 0, 1)});
		add_sample(&x, (__int128_t)sample - 50000);
		expect_register(m, "im", x.m, i);
		expect_register(m, "iv", x.v, i);
		was_negative |= x.m < 0;
	}
	assert_true(was_negative);
	machine_free(m);
}

/* From 2^24 samples on each one weighs the same. */
static void the_count_saturates(void **state)
{
	struct machine *m = machine_new(statistics, NULL, 0);
	struct expected x = {.n = 16777210, .m = 30000000, .v = 5000};

	SEND(m, {"ip.ttl", 0, 3}, {"length", 0, 0}, {"ip.src", IP4(10, 0, 0, 1)});
	assert_string_equal(machine_rule(m, "t"), "start");
	for (unsigned i = 1; i <= 20; i++) {
		SEND(m, {"ip.ttl", 0, 3}, {"length", 0, 65535}, {"ip.src", IP4(10, 0, 0, 1)});
		add_sample(&x, 65535);
		expect_register(m, "n", x.n, i);
		expect_register(m, "m", x.m, i);
		expect_register(m, "v", x.v, i);
	}
	assert_true(x.n > 1 << 24);
	machine_free(m);
}

static void old_samples_fade(void **state)
{
	struct machine *m = machine_new(statistics, NULL, 0);
	__int128_t slow = 0, il = 0;

	for (unsigned i = 1; i <= 2000; i++) {
		uint64_t sample = i < 100 ? 1500 : draw(100000);

		SEND(m, {"ip.ttl", 0, 1}, {"length", 0, sample}, {"ip.src", IP4(10, 0, 0, 1)});
		slow += nearest((1000 * (__int128_t)sample - slow) * 125, 1000);
		il += nearest((1000 * ((__int128_t)sample - 50000) - il) * 750, 1000);
		expect_register(m, "slow", slow, i);
		expect_register(m, "il", il, i);
		if (i == 99)
			assert_in_range((uint64_t)slow, 1499990, 1500000);
	}
	machine_free(m);
}

/* Mean, variance and count of one sample fit in one rule because equal operations are done once. */
static void equal_operations_of_a_rule_are_done_once(void **state)
{
	struct machine *m = machine_new(statistics, NULL, 0);

	assert_in_range(m->table[1]->rules[3].n_do, 20, 25);
	machine_free(m);
}

static void what_changed_is_computed_again(void **state)
{
	static const struct {
		const char *steps;
		uint64_t a, b;
	} cases[] = {
		{"a = length + 1; b = length + 1", 101, 101},
		{"b = length + 1; b = length + 1; a = b", 101, 101},
		{"a = length + 1; b = length + 1; a += 1", 102, 101},
		{"a = length + 1; a = a + 1; b = a + 1", 102, 103},
		{"a = 5; b = a * 2; a = 7; b = a * 2", 7, 14},
		{"a = length + 1; a = 3; b = length + 1", 3, 101},
		{"b = (length + 1) * (length + 1); a = length + 1", 101, 10201},
		{"v = length + 1; a = length + 1; v = 3; b = v + a", 101, 104},
		{"v = length + 1; v = v + 1; a = v; b = length + 1", 102, 101},
		{"a = length * 2 + 1; b = 1; a = length * 2; b = length * 2 + 1", 200, 201},
	};
	char yaml[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine *m;

		snprintf(yaml, sizeof(yaml),
			 "app: again\nvariables: [v]\ntables:\n  - name: t\n    state: {lookup: [ip.ttl], capacity: 4, "
			 "registers: [a, b]}\n    rules:\n      - {do: '%s'}\n",
			 cases[i].steps);
		m = machine_new(yaml, NULL, 0);
		SEND(m, {"ip.ttl", 0, 3}, {"length", 0, 100}, {"ip.src", IP4(10, 0, 0, 1)});
		if (machine_register(m, "t", "a") != cases[i].a || machine_register(m, "t", "b") != cases[i].b)
			fail_msg("%s: %llu, %llu", cases[i].steps, (unsigned long long)machine_register(m, "t", "a"),
				 (unsigned long long)machine_register(m, "t", "b"));
		machine_free(m);
	}
}

static void serial_numbers_compare_in_rules_and_updates(void **state)
{
	static const struct {
		uint64_t a, b;
		bool lt, le;
	} cases[] = {
		{1, 2, true, true},
		{2, 1, false, false},
		{5, 5, false, true},
		{0xffffffff, 0, true, true},
		{0, 0xffffffff, false, false},
		{0, 0x7fffffff, true, true},
		{0, 0x80000000, true, true},
		{0x80000000, 0, true, true},
		{0, 0x80000001, false, false},
		{0x100000005, 5, false, true},
		{0x1ffffffff, 5, true, true},
	};
	static const char text[] =
		"app: serial\nvariables: [lt]\ntables:\n  - name: t\n"
		"    state: {lookup: [ip.ttl], capacity: 4, registers: [low, le]}\n    rules:\n"
		"      - {name: less, when: 'seq_lt(length, frames)', do: 'low += 1; lt = seq_lt(length, frames); le = "
		"seq_le(length, frames)', action: ip.dscp = lt}\n"
		"      - {name: equal, when: 'seq_le(length, frames)', do: 'le = seq_le(length, frames)'}\n"
		"      - {name: more, do: 'le = seq_le(length, frames)', action: ip.dscp = 2}\n";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine *m = machine_new(text, NULL, 0);
		const char *rule = cases[i].lt ? "less" : cases[i].le ? "equal" : "more";

		SEND(m, {"ip.ttl", 0, 3}, {"length", 0, cases[i].a}, {"frames", 0, cases[i].b},
		     {"ip.src", IP4(10, 0, 0, 1)});
		assert_string_equal(machine_rule(m, "t"), rule);
		assert_int_equal(machine_register(m, "t", "le"), cases[i].le);
		if (cases[i].lt)
			assert_int_equal(m->write[0].lo, 1);
		machine_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mean_and_variance_follow_their_formulas),
		cmocka_unit_test(samples_below_0_are_counted_with_their_sign),
		cmocka_unit_test(the_count_saturates),
		cmocka_unit_test(old_samples_fade),
		cmocka_unit_test(equal_operations_of_a_rule_are_done_once),
		cmocka_unit_test(what_changed_is_computed_again),
		cmocka_unit_test(serial_numbers_compare_in_rules_and_updates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
