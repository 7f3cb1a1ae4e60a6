/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Warnings: what is allowed and probably not meant; and what must not be warned of. */
#include "front.h"

/* clang-format off */
#define WARNING(place, text) "t.yaml:" place ": warning: " text "\n"
#define TABLE(state, rules) "app: a\ntables:\n  - name: t\n    state: {lookup: [ip.src], capacity: 9" state "}\n    rules:\n" rules

#define TABLE2(rules) "app: a\ntables:\n  - name: t\n    state: {lookup: [ip.src], update: [arp.spa], capacity: 9, registers: [n]}\n    rules:\n" rules

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

#define RULES(...) "app: a\ntables:\n  - name: t\n    rules:\n" __VA_ARGS__
#define RULE(text) "      - {" text "}\n"
#define NEVER(place, who, what) WARNING(place, who " is never reached: " what " all of its packets")
#define ONE(line) "the one on line " line " already matches"

/* Sets of values: what one rule or several together take. */
static void test_shadowed_values(void **state)
{
	front_says(RULES(RULE("match: {l4.dst: [1-99, 200]}") RULE("match: {l4.dst: [7, 50-60, 200]}")), NEVER("6:9", "this rule", ONE("5")));
	front_says(RULES(RULE("match: {l4.dst: not 80}") RULE("match: {l4.dst: 81}")), NEVER("6:9", "this rule", ONE("5")));
	front_says(RULES(RULE("match: {ip.src: 10.0.0.0/8}") RULE("match: {ipv4.src: [10.1.0.0/16, 10.2.0.1]}")), NEVER("6:9", "this rule", ONE("5")));
	front_says(RULES(RULE("match: {ip.src: 10.0.0.0-10.0.3.255}") RULE("match: {ip.src: [10.0.2.0/24, 10.0.0.9-10.0.0.20]}")), NEVER("6:9", "this rule", ONE("5")));
	front_says(RULES(RULE("match: {l4.dst: 80}") RULE("match: {tcp.dst: 80}")), NEVER("6:9", "this rule", ONE("5")));
	front_says(RULES(RULE("match: {tcp.flags: +syn}") RULE("match: {tcp.flags: [+syn-ack, +syn+fin]}")), NEVER("6:9", "this rule", ONE("5")));
	front_says(RULES(RULE("when: ip.ttl < 9 and has(tcp)") RULE("match: {ip.ttl: 3, tcp.dst: 1}")), NEVER("6:9", "this rule", ONE("5")));
	front_says(RULES(RULE("when: 'length in [60-100, 1500]'") RULE("when: length >= 70 and length < 80 and ip.ttl > 1")), NEVER("6:9", "this rule", ONE("5")));
	front_says(RULES(RULE("match: {l4.dst: 0-1023}") RULE("match: {ip.ttl: 1}") RULE("match: {l4.dst: 1024-65535}") RULE("match: {l4.dst: not 7}")),
		   NEVER("8:9", "this rule", "those on lines 5 and 7 already match"));
	front_says(TABLE(", registers: [int n]", "      - {when: n < -5, do: n += 1}\n      - {when: n >= -5 and n < 0}\n      - {when: n >= 0}\n      - {action: drop}\n"),
		   NEVER("9:9", "this rule", "those on lines 6, 7 and 8 already match"));
	front_says(TABLE(", registers: [n]", "      - {when: n < 5, do: n += 1}\n      - {when: not (n < 5)}\n      - {when: n >= 5}\n      - {action: drop}\n"),
		   NEVER("9:9", "this rule", "those on lines 6 and 8 already match"));
}

static void test_reached_values(void **state)
{
	app_free(front_good(TABLE(", registers: [int n]", "      - {when: n < 5, do: n -= 1}\n      - {when: n > 5}\n      - {action: drop}\n")));
	app_free(front_good(RULES(RULE("match: {l4.dst: [1-99]}") RULE("match: {l4.dst: 50-100}"))));
	app_free(front_good(RULES(RULE("match: {l4.dst: not 80}") RULE("match: {l4.dst: [80, 81]}"))));
	app_free(front_good(RULES(RULE("match: {ip.src: 10.0.0.0/8}") RULE("match: {ip.src: not 10.0.0.0/8}") RULE(""))));
	app_free(front_good(RULES(RULE("match: {ip.src: 10.0.0.1-10.0.3.255}") RULE("match: {ip.src: 10.0.0.0/24}"))));
	app_free(front_good(RULES(RULE("match: {tcp.dst: 80}") RULE("match: {l4.dst: 80}"))));
	app_free(front_good(RULES(RULE("match: {tcp.flags: +syn-ack}") RULE("match: {tcp.flags: +syn}"))));
	app_free(front_good(RULES(RULE("match: {eth.dst: '01:00:00:00:00:00/01:00:00:00:00:00'}") RULE("match: {eth.dst: '03:00:00:00:00:00'}"))));
	app_free(front_good(RULES(RULE("match: {l4.dst: 0-1022}") RULE("match: {l4.dst: 1024-65535}") RULE("match: {l4.dst: not 7}"))));
	app_free(front_good(RULES(RULE("match: {l4.dst: 0-1023, ip.ttl: 1}") RULE("match: {l4.dst: 1024-65535}") RULE("match: {l4.dst: not 7}"))));
	/* What pushing makes present is not needed; what popping takes away is. */
	app_free(front_good(RULES(RULE("action: vlan.prio = 1") RULE("action: push(vlan); vlan.id = 7"))));
	app_free(front_good(RULES(RULE("action: pop(vlan)") RULE("action: drop"))));
	/* Ports that only a switch can tell apart; a rule that writes needs the update key. */
	app_free(front_good(TABLE2("      - {do: n += 1}\n      - {action: drop}\n")));
}

/* By state: each state may have another rule to blame. */
static void test_shadowed_states(void **state)
{
	front_says(TABLE(", states: [A, {name: B, idle: 5s}]", "      - {state: A, next: B}\n      - {state: B, match: {ip.ttl: 1}}\n      - {state: B}\n      - {action: drop}\n"),
		   NEVER("9:9", "this rule", "those on lines 6 and 8 already match"));
	app_free(front_good(TABLE(", states: [A, {name: B, idle: 5s}]", "      - {state: A, next: B}\n      - {state: [A, B]}\n")));
}

static void test_never_matching(void **state)
{
	front_says(RULES(RULE("match: {ip.ttl: 1}, when: ip.ttl > 5, action: drop") RULE("")),
		   WARNING("5:9", "this rule never matches: no \"ip.ttl\" meets all of its conditions"));
	front_says("app: a\nparameters: {limit: 5}\ntables:\n  - name: t\n    rules:\n" RULE("when: limit > 7, action: drop") RULE(""),
		   WARNING("6:9", "this rule never matches: its condition is always false"));
	front_says(RULES(RULE("match: {tcp.dst: 5}, when: udp.src == 5, action: drop") RULE("")),
		   WARNING("5:9", "this rule never matches: no packet has both TCP and UDP"));
	front_says(RULES(RULE("match: {icmp.type: 8}, action: l4.dst = 7; pass") RULE("")),
		   WARNING("5:9", "this rule never matches: no packet has both ICMP and the ports of TCP or UDP"));
	app_free(front_good(RULES(RULE("match: {ip.proto: 1}, action: push(ipip); ip.ttl = 7") RULE(""))));
	front_says(RULES(RULE("when: 1 > 0, action: drop") RULE("")), NEVER("6:9", "this rule", ONE("5")));
	front_says(RULES(RULE("action: drop")) "    otherwise: pass\n", NEVER("6:16", "\"otherwise\"", ONE("5")));
	app_free(front_good(RULES(RULE("match: {ip.ttl: 1}, action: drop")) "    otherwise: pass\n"));
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
		   WARNING("4:56", "state \"B\" is never entered: no rule and no timeout leads to it")
		   WARNING("4:92", "state \"D\" is never left: no rule leads out of it and it has no timeout, so its flows stay until evicted or deleted"));
	/* B leads to C and C to B, but nothing to either. */
	front_says(TABLE(", states: [A, B, {name: C, idle: 1s, idle_to: B}]", "      - {state: B, next: C}\n      - {}\n"),
		   WARNING("4:56", "state \"B\" is never entered: only states that are never entered lead to it")
		   WARNING("4:66", "state \"C\" is never entered: only states that are never entered lead to it"));
	/* Of two scopes, the rule for the looked-up flow changes the other one. */
	app_free(front_good("app: a\ntables:\n  - name: t\n    state: {lookup: [eth.dst], update: [eth.src], capacity: 9, states: [A, B]}\n"
			    "    rules:\n      - {state: B, next: A}\n      - {next: B}\n"));
	front_says("app: a\ntables:\n  - name: t\n    state: {lookup: [eth.dst], update: [eth.src], capacity: 9, states: [A, B, C]}\n"
		   "    rules:\n      - {state: A, next: C}\n      - {state: B, next: C}\n      - {next: B}\n",
		   "");
}

static void test_timeouts(void **state)
{
	front_says(TABLE(", states: [A, {name: B, idle: 5s, hard: 5s}]", "      - {next: B}\n"),
		   WARNING("4:63", "\"idle\" of state \"B\" never runs: \"hard\" is not longer and counts from the entry, so it is always over first"));
	app_free(front_good(TABLE(", states: [A, {name: B, idle: 4s, hard: 5s}]", "      - {next: B}\n")));
	front_says(TABLE(", states: [{name: A, idle: 5s}, {name: B, hard: 5s}], registers: [n]", "      - {state: A, do: n += 1, next: B}\n      - {}\n"),
		   WARNING("4:60", "the timeout of state \"A\" never runs: no flow is kept in the first state, because no rule that stays there writes a register"));
	app_free(front_good(TABLE(", states: [{name: A, idle: 5s}], registers: [n]", "      - {do: n += 1}\n")));
}

static void test_names(void **state)
{
	front_says("app: a\nparameters: {used: 80, spare: 1s, ports: [1, 2]}\ntables:\n  - name: t\n    let: {x: length + 1, y: x * 2, z: 3}\n"
		   "    rules:\n      - {match: {l4.dst: ports}, when: y > used, action: drop}\n",
		   WARNING("5:36", "let \"z\" is never used: no rule or later let of table \"t\" names it")
		   WARNING("2:24", "parameter \"spare\" is never used: setting it changes nothing"));
	app_free(front_good("app: a\nparameters: {a: 1s, b: 2, c: 5, d: [7], f: ip.ttl}\ntables:\n  - name: t\n"
			    "    state: {lookup: [f], capacity: b, states: [N, {name: S, idle: a}]}\n"
			    "    rules:\n      - {match: {l4.dst: 1-c}, when: 'length in d', next: S, action: output(3)}\n"));
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
	front_says(TABLE("", "      - {when: has(length)}\n"), WARNING("6:20", "\"length\" is always there"));
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
		cmocka_unit_test(test_unreachable),	cmocka_unit_test(test_reachable),
		cmocka_unit_test(test_shadowed_values), cmocka_unit_test(test_reached_values),
		cmocka_unit_test(test_shadowed_states), cmocka_unit_test(test_never_matching),
		cmocka_unit_test(test_timeouts),	cmocka_unit_test(test_names),
		cmocka_unit_test(test_states),		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_variables),	cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_narrowing),	cmocka_unit_test(test_others),
		cmocka_unit_test(test_signs),
	};

	return cmocka_run_group_tests_name("warnings", tests, NULL, NULL);
}
