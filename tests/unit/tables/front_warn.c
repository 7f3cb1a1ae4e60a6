/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Warnings: what is allowed and probably not meant; and what must not be warned of. */
#include "front.h"

/* clang-format off */
#define WARNING(place, text) "t.yaml:" place ": warning: " text "\n"
#define TABLE(state, rules) "app: a\ntables:\n  - name: t\n    state: {lookup: [ip.src], capacity: 9" state "}\n    rules:\n" rules

static void test_unreachable(void **state)
{
	front_says("app: a\ntables:\n  - name: t\n    rules:\n      - {action: pass}\n      - {match: {l4.dst: 80}, action: drop}\n",
		   WARNING("6:9", "this rule is never reached: the one on line 5 already matches all of its packets"));
	front_says("app: a\ntables:\n  - name: t\n    rules:\n      - {match: {l4.dst: 80}}\n      - {match: {ip.ttl: 1, l4.dst: 80}, action: drop}\n",
		   WARNING("6:9", "this rule is never reached: the one on line 5 already matches all of its packets"));
	front_says(TABLE(", states: [A, {name: B, idle: 5s}]",
			 "      - {state: [A, B], next: B}\n      - {state: B, action: drop}\n"),
		   WARNING("7:9", "this rule is never reached: the one on line 6 already matches all of its packets"));
}

static void test_reachable(void **state)
{
	/* The first rule needs a header that the second does not. */
	app_free(front_good("app: a\ntables:\n  - name: t\n    rules:\n      - {action: ip.ttl -= 1; pass}\n      - {action: drop}\n"));
	app_free(front_good("app: a\ntables:\n  - name: t\n    rules:\n      - {match: {l4.dst: 80}}\n      - {match: {l4.dst: 81}}\n"));
	app_free(front_good("app: a\ntables:\n  - name: t\n    rules:\n      - {when: ip.ttl == 1}\n      - {when: ip.ttl == 2}\n      - {}\n"));
	app_free(front_good("app: a\ntables:\n  - name: t\n    rules:\n      - {when: random % 2 == 0}\n      - {when: random % 2 == 0}\n"));
	/* The key of the table has what the first rule needs. */
	front_says(TABLE("", "      - {action: ip.ttl -= 1; pass}\n      - {action: drop}\n"),
		   WARNING("7:9", "this rule is never reached: the one on line 6 already matches all of its packets"));
}

static void test_states(void **state)
{
	front_says(TABLE(", states: [A, B, {name: C, idle: 1s, idle_to: D}, D]", "      - {state: A, next: C}\n      - {}\n"),
		   WARNING("4:56", "state \"B\" is never entered")
		   WARNING("4:92", "state \"D\" is never left: its flows stay until evicted or deleted"));
}

static void test_registers(void **state)
{
	front_says(TABLE(", registers: [unused, unread, unwritten, count]",
			 "      - {when: unwritten == 0, do: unread = 1; count += 1}\n"),
		   WARNING("4:56", "register \"unused\" is never used")
		   WARNING("4:64", "register \"unread\" is written and never read by a rule")
		   WARNING("4:72", "register \"unwritten\" is never written, so it is always 0"));
}

static void test_variables(void **state)
{
	front_says("app: a\nvariables: [x, y]\ntables:\n  - {name: t, rules: [{action: y = 1}]}\n"
		   "  - {name: u, state: {lookup: [y], capacity: 1}, rules: [{}]}\n",
		   WARNING("2:13", "variable \"x\" is never used"));
}

static void test_refresh(void **state)
{
	front_says(TABLE("", "      - {refresh: no}\n"),
		   WARNING("6:9", "\"refresh: no\" has no effect: no state of table \"t\" has an idle time"));
}

static void test_narrowing(void **state)
{
	front_says(TABLE(", registers: [n, p]",
			 "      - {when: ip.ttl == 1, do: n += 1; p = l4.src, action: l4.dst = n}\n"
			 "      - {when: ip.ttl == 2, action: l4.dst = p}\n"
			 "      - {when: ip.ttl == 3, action: l4.dst = n & 0xfff}\n"
			 "      - {when: ip.ttl == 4, action: \"l4.dst = 5000 + hash(ip.src) % 100\"}\n"
			 "      - {when: ip.ttl == 5, action: ip.dscp = 64}\n"),
		   WARNING("6:70", "\"l4.dst\" has 16 bits and this may be more; the low bits are written")
		   WARNING("10:47", "64 does not fit in \"ip.dscp\"; its low 6 bits are written"));
}

static void test_signs(void **state)
{
	front_says(TABLE(", registers: [u, int i]",
			 "      - {when: u > i, do: u = -1; i = 5, action: ip.dscp = -1}\n"
			 "      - {do: i = 3, action: \"ip.dscp = i / 2; l4.dst = i\"}\n"),
		   WARNING("6:31", "\"u\" is not signed: -1 becomes 18446744073709551615")
		   WARNING("6:60", "-1 does not fit in \"ip.dscp\"; its low 6 bits are written"));
	front_says(TABLE(", registers: [int i]", "      - {when: i < 3, do: i -= 1, action: ip.dscp = i / 1000}\n"),
		   WARNING("6:53", "\"ip.dscp\" has 6 bits and this may be more; the low bits are written"));
}

static void test_others(void **state)
{
	front_says(TABLE("", "      - {match: {direction: 1}}\n"),
		   WARNING("6:9", "\"direction\" is always 0 here: no key up to this table has a biflow"));
	front_says(TABLE("", "      - {match: {ip.dst: 10.0.0.1/8}}\n"),
		   WARNING("6:26", "\"10.0.0.1/8\" has bits set behind its prefix; they do not count"));
	front_says(TABLE("", "      - {when: length / 0 == 1}\n"), WARNING("6:16", "division by 0: the result is all ones"));
	front_says("app: a\ntables:\n  - {name: t, hook: xdp, rules: [{}]}\n  - {name: u, hook: tc-egress, rules: [{}], absent: drop}\n",
		   WARNING("4:53", "\"absent\" has no meaning in a table without key")
		   WARNING("4:5", "tables on two hooks: while a change is committed, one packet may meet the old version on one and "
				  "the new on the other"));
}
/* clang-format on */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unreachable), cmocka_unit_test(test_reachable), cmocka_unit_test(test_states),
		cmocka_unit_test(test_registers),   cmocka_unit_test(test_variables), cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_narrowing),   cmocka_unit_test(test_signs),     cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests_name("warnings", tests, NULL, NULL);
}
