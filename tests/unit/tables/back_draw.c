/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `random` and hash(): when and in which order they are drawn, and what they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "back_machine.h"

static const char draws[] =
	"app: draws\n"
	"tables:\n"
	"  - name: t\n"
	"    let: {unused: random, coin: random + 100}\n"
	"    state: {lookup: [ip.src], capacity: 8, registers: [a, b, c, d]}\n"
	"    rules:\n"
	"      - {name: never, action: ip.dscp = random & 63, do: 'a = random', when: random == 0}\n"
	"      - {name: long, when: length == 1 and length != 2 and length != 3 and length != 4 and length != 5 and "
	"length != 6 and length != 7 and length != 8 and length != 9 and random != 0, do: a = random}\n"
	"      - {name: hit, do: 'a = coin; b = random; c = random; d = coin', action: ip.dscp = random & 63}\n"
	"    absent: eth.src = random & 0xff\n";

static void each_random_of_the_text_is_drawn_once_in_its_order(void **state)
{
	struct machine *m = machine_new(draws, NULL, 0);

	SEND(m, {"ip.src", IP4(10, 0, 0, 1)}, {"length", 0, 9});
	assert_string_equal(machine_rule(m, "t"), "hit");
	assert_int_equal(machine_register(m, "t", "a"), 102);
	assert_int_equal(machine_register(m, "t", "b"), 8);
	assert_int_equal(machine_register(m, "t", "c"), 9);
	assert_int_equal(machine_register(m, "t", "d"), 102);
	assert_int_equal(m->write[0].lo, 10);
	assert_int_equal(m->n_draws, 11);
	SEND(m, {"arp.op", 0, 1});
	assert_int_equal(m->write[0].lo, 22);
	m->n_draws = 0;
	SEND(m, {"ip.src", IP4(10, 0, 0, 1)}, {"length", 0, 1});
	assert_string_equal(machine_rule(m, "t"), "long");
	assert_int_equal(machine_register(m, "t", "a"), 7);
	machine_free(m);
}

static void random_before_in_needs_a_name(void **state)
{
	struct machine *m = machine_new("app: a\ntables:\n  - name: t\n    let: {r: random % 6}\n    rules:\n"
					"      - {name: hit, when: 'r in [2, 4-5]', action: drop}\n",
					NULL, 0);
	static const bool hits[] = {false, true, false, true, true, false};

	for (unsigned i = 0; i < 12; i++) {
		SEND(m, {"ip.src", IP4(10, 0, 0, 1)});
		assert_int_equal(strcmp(machine_rule(m, "t"), "hit") == 0, hits[i % 6]);
	}
	machine_free(m);
}

static const char hashes[] =
	"app: hashes\n"
	"variables: [v, int i]\n"
	"tables:\n"
	"  - name: before\n"
	"    rules:\n"
	"      - {action: 'v = length; i = -5'}\n"
	"  - name: t\n"
	"    let: {h: 'hash(ip.src, l4.dst)'}\n"
	"    state: {lookup: [ip.src], capacity: 8, registers: [a, b, c, d, e]}\n"
	"    rules:\n"
	"      - {name: in, when: 'hash(ip.src, l4.dst) % 4 in [1, 3]', do: 'a = h'}\n"
	"      - {name: out, do: 'a = h; b = hash(l4.dst, ip.src); v = 3; c = hash(v, 7); d = hash(i); e = hash(h)'}\n";

static void a_hash_is_the_documented_one(void **state)
{
	struct machine *m = machine_new(hashes, NULL, 0);
	unsigned n_in = 0;

	for (unsigned port = 1; port <= 64; port++) {
		uint64_t low = 0xffff0a000001ULL,
			 h = machine_hash(machine_hash(machine_hash(MACHINE_SEED, 0), low), port);

		SEND(m, {"ip.src", 0, low}, {"ip.proto", 0, 17}, {"l4.dst", 0, port}, {"length", 0, 60 + port});
		assert_string_equal(machine_rule(m, "t"), h % 4 == 1 || h % 4 == 3 ? "in" : "out");
		assert_true(machine_register(m, "t", "a") == h);
		if (h % 4 == 1 || h % 4 == 3) {
			n_in++;
			continue;
		}
		h = machine_hash(machine_hash(machine_hash(MACHINE_SEED, port), 0), low);
		assert_true(machine_register(m, "t", "b") == h);
		h = machine_hash(machine_hash(MACHINE_SEED, 60 + port), 7);
		assert_true(machine_register(m, "t", "c") == h);
		assert_true(machine_register(m, "t", "d") == machine_hash(MACHINE_SEED, -5ULL));
		h = machine_register(m, "t", "a");
		assert_true(machine_register(m, "t", "e") == machine_hash(MACHINE_SEED, h));
	}
	assert_in_range(n_in, 20, 44);
	machine_free(m);
}

static void the_seed_follows_the_deployment(void **state)
{
	assert_true(encode_hash_seed("") == 0x9e3779b97f4a7c15ULL);
	assert_true(encode_hash_seed("a") == (0x9e3779b97f4a7c15ULL ^ 'a') * 0x100000001b3ULL);
	assert_true(encode_hash_seed("lb") != encode_hash_seed("lc"));
	assert_true(encode_hash_seed("lb") != encode_hash_seed("bl"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_random_of_the_text_is_drawn_once_in_its_order),
		cmocka_unit_test(random_before_in_needs_a_name),
		cmocka_unit_test(a_hash_is_the_documented_one),
		cmocka_unit_test(the_seed_follows_the_deployment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
