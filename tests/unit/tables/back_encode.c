/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The encoder's details: patterns, sets, negation, 128-bit values, conditions, sharing, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "back_machine.h"

/* A table of rules only; 'rules' are the lines of the list, the first one named "hit". */
static struct machine *rules_machine(const char *rules)
{
	char yaml[16384];

	snprintf(yaml, sizeof(yaml), "app: test\nvariables: [v, addr w]\ntables:\n  - name: t\n    rules:\n%s", rules);
	return machine_new(yaml, NULL, 0);
}

static struct machine *match_machine(const char *match)
{
	char rules[1024];

	snprintf(rules, sizeof(rules), "      - {name: hit, match: {%s}, action: drop}\n", match);
	return rules_machine(rules);
}

static struct machine *when_machine(const char *when)
{
	char rules[1024];

	snprintf(rules, sizeof(rules), "      - {name: hit, when: '%s', action: drop}\n", when);
	return rules_machine(rules);
}

static bool hit(const struct machine *m)
{
	return strcmp(machine_rule(m, "t"), "hit") == 0;
}

/* ---- one field, many patterns --------------------------------------------------------------- */

static void numbers_match_as_values_ranges_sets_and_masks(void **state)
{
	static const struct {
		const char *match;
		unsigned port;
		bool hits;
	} cases[] = {
		{"l4.dst: 80", 80, true},
		{"l4.dst: 80", 81, false},
		{"l4.dst: not 80", 81, true},
		{"l4.dst: not 80", 80, false},
		{"l4.dst: 80-90", 80, true},
		{"l4.dst: 80-90", 90, true},
		{"l4.dst: 80-90", 91, false},
		{"l4.dst: 80-90", 79, false},
		{"l4.dst: not 80-90", 85, false},
		{"l4.dst: not 80-90", 91, true},
		{"l4.dst: [22, 80-90]", 22, true},
		{"l4.dst: [22, 80-90]", 84, true},
		{"l4.dst: [22, 80-90]", 23, false},
		{"l4.dst: \"not [22, 80-90]\"", 22, false},
		{"l4.dst: \"not [22, 80-90]\"", 84, false},
		{"l4.dst: \"not [22, 80-90]\"", 23, true},
		{"l4.dst: 0x80/0xf0", 0x8f, true},
		{"l4.dst: 0x80/0xf0", 0x9f, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine *m = match_machine(cases[i].match);

		SEND(m, {"l4.dst", 0, cases[i].port}, {"ip.proto", 0, 17});
		if (hit(m) != cases[i].hits)
			fail_msg("%s with %u", cases[i].match, cases[i].port);
		SEND(m, {"ip.proto", 0, 1});
		assert_false(hit(m));
		machine_free(m);
	}
}

static void flags_match_by_mask(void **state)
{
	struct machine *m = match_machine("tcp.flags: +syn-ack");

	SEND(m, {"tcp.flags", 0, 0x02}, {"ip.proto", 0, 6});
	assert_true(hit(m));
	SEND(m, {"tcp.flags", 0, 0xc2}, {"ip.proto", 0, 6});
	assert_true(hit(m));
	SEND(m, {"tcp.flags", 0, 0x12}, {"ip.proto", 0, 6});
	assert_false(hit(m));
	machine_free(m);
}

#define V6(last) 0x20010db800000000ULL, (uint64_t)(last)

static void addresses_match_and_are_denied(void **state)
{
	static const struct {
		const char *match;
		uint64_t hi, lo;
		bool hits;
	} cases[] = {
		{"ip.src: 10.0.0.7", IP4(10, 0, 0, 7), true},
		{"ip.src: 10.0.0.7", IP4(10, 0, 0, 8), false},
		{"ip.src: 10.0.0.7", 0x20010db800000000ULL, 0xffff0a000007ULL, false},
		{"ip.src: 10.0.0.0/8", IP4(10, 9, 9, 9), true},
		{"ip.src: 10.0.0.0/8", IP4(11, 0, 0, 0), false},
		{"ip.src: 10.0.0.0/8", V6(0xffff0a000001ULL), false},
		{"ip.src: not 10.0.0.7", IP4(10, 0, 0, 7), false},
		{"ip.src: not 10.0.0.7", IP4(10, 0, 0, 8), true},
		{"ip.src: not 10.0.0.7", V6(0xffff0a000007ULL), true},
		{"ip.src: not 10.0.0.0/8", IP4(10, 1, 2, 3), false},
		{"ip.src: not 10.0.0.0/8", V6(0xffff0a000007ULL), true},
		{"ip.src: '2001:db8::1'", V6(1), true},
		{"ip.src: '2001:db8::1'", V6(2), false},
		{"ip.src: '2001:db8::/32'", V6(7), true},
		{"ip.src: '2001:db8::/32'", IP4(1, 2, 3, 4), false},
		{"ip.src: 'not 2001:db8::1'", V6(1), false},
		{"ip.src: 'not 2001:db8::1'", V6(2), true},
		{"ip.src: 'not 2001:db8::1'", 0x20010db900000000ULL, 1, true},
		{"ip.src: 'not 2001:db8::1'", IP4(0, 0, 0, 1), true},
		{"ip.src: 'not 2001:db8::/32'", V6(1), false},
		{"ip.src: 'not 2001:db8::/32'", IP4(1, 2, 3, 4), true},
		{"ip.src: 'not 2001:db8::/96'", V6(1), false},
		{"ip.src: 'not 2001:db8::/96'", V6(1ULL << 32), true},
		{"ip.src: '[10.0.0.0/8, 2001:db8::/32]'", V6(1), true},
		{"ip.src: '[10.0.0.0/8, 2001:db8::/32]'", IP4(9, 0, 0, 0), false},
		{"ip.src: 'not [10.0.0.0/8, 2001:db8::/32]'", V6(1), false},
		{"ip.src: 'not [10.0.0.0/8, 2001:db8::/32]'", IP4(10, 0, 0, 1), false},
		{"ip.src: 'not [10.0.0.0/8, 2001:db8::/32]'", IP4(9, 0, 0, 1), true},
		{"ip.src: 0.0.0.0/0", IP4(9, 0, 0, 1), true},
		{"ip.src: 0.0.0.0/0", V6(1), false},
		{"ip.src: 10.0.0.3-10.0.1.2", IP4(10, 0, 0, 3), true},
		{"ip.src: 10.0.0.3-10.0.1.2", IP4(10, 0, 1, 2), true},
		{"ip.src: 10.0.0.3-10.0.1.2", IP4(10, 0, 1, 3), false},
		{"ip.src: 10.0.0.3-10.0.1.2", IP4(10, 0, 0, 2), false},
		{"ip.src: 10.0.0.3-10.0.1.2", V6(0xffff0a000003ULL), false},
		{"ip.src: not 10.0.0.3-10.0.1.2", IP4(10, 0, 0, 3), false},
		{"ip.src: not 10.0.0.3-10.0.1.2", IP4(10, 0, 1, 3), true},
		{"ip.src: not 10.0.0.3-10.0.1.2", V6(0xffff0a000003ULL), true},
		{"ip.src: not 0.0.0.0-255.255.255.255", V6(1), true},
		{"ip.src: not 0.0.0.0-255.255.255.255", IP4(1, 2, 3, 4), false},
		{"ip.src: '2001:db8::5-2001:db8::9'", V6(5), true},
		{"ip.src: '2001:db8::5-2001:db8::9'", V6(9), true},
		{"ip.src: '2001:db8::5-2001:db8::9'", V6(10), false},
		{"ip.src: '2001:db8::5-2001:db8::9'", 0x20010db900000000ULL, 7, false},
		{"ip.src: '2001:db8::5-2001:db8::9'", IP4(0, 0, 0, 7), false},
		{"ip.src: 'not 2001:db8::5-2001:db8::9'", V6(7), false},
		{"ip.src: 'not 2001:db8::5-2001:db8::9'", V6(4), true},
		{"ip.src: 'not 2001:db8::5-2001:db8::9'", IP4(10, 0, 0, 7), true},
		{"ip.src: '2001:db8::5-2001:db9::3'", V6(4), false},
		{"ip.src: '2001:db8::5-2001:db9::3'", V6(~0ULL), true},
		{"ip.src: '2001:db8::5-2001:db9::3'", 0x20010db800000001ULL, 0, true},
		{"ip.src: '2001:db8::5-2001:db9::3'", 0x20010db900000000ULL, 3, true},
		{"ip.src: '2001:db8::5-2001:db9::3'", 0x20010db900000000ULL, 4, false},
		{"ip.src: 'not 2001:db8::5-2001:db9::3'", 0x20010db900000000ULL, 4, true},
		{"ip.src: 'not 2001:db8::5-2001:db9::3'", V6(5), false},
		{"ip.src: '[10.0.0.3-10.0.1.2, 2001:db8::5-2001:db8::9, 192.0.2.0/24]'", IP4(10, 0, 0, 9), true},
		{"ip.src: '[10.0.0.3-10.0.1.2, 2001:db8::5-2001:db8::9, 192.0.2.0/24]'", V6(6), true},
		{"ip.src: '[10.0.0.3-10.0.1.2, 2001:db8::5-2001:db8::9, 192.0.2.0/24]'", IP4(192, 0, 2, 1), true},
		{"ip.src: '[10.0.0.3-10.0.1.2, 2001:db8::5-2001:db8::9, 192.0.2.0/24]'", IP4(10, 0, 2, 9), false},
		{"ip.src: 'not [10.0.0.3-10.0.1.2, 2001:db8::5-2001:db8::9]'", IP4(10, 0, 0, 9), false},
		{"ip.src: 'not [10.0.0.3-10.0.1.2, 2001:db8::5-2001:db8::9]'", V6(6), false},
		{"ip.src: 'not [10.0.0.3-10.0.1.2, 2001:db8::5-2001:db8::9]'", V6(3), true},
		{"ip.src: 10.0.0.1/255.0.0.255", IP4(10, 7, 7, 1), true},
		{"ip.src: 10.0.0.1/255.0.0.255", IP4(10, 7, 7, 2), false},
		{"ip.src: not 10.0.0.1/255.0.0.255", IP4(10, 7, 7, 1), false},
		{"ip.src: not 10.0.0.1/255.0.0.255", V6(1), true},
		{"ip.src: '::1/::ff'", V6(0x201), true},
		{"ip.src: '::1/::ff'", V6(0x202), false},
		{"ip.src: 'not ::1/::ff'", V6(0x201), false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine *m = match_machine(cases[i].match);

		SEND(m, {"ip.src", cases[i].hi, cases[i].lo});
		if (hit(m) != cases[i].hits)
			fail_msg("%s with %llx %llx", cases[i].match, (unsigned long long)cases[i].hi,
				 (unsigned long long)cases[i].lo);
		machine_free(m);
	}
}

static void arp_addresses_need_no_family(void **state)
{
	struct machine *m = match_machine("arp.tpa: not 10.0.0.0/8");

	SEND(m, {"arp.tpa", IP4(10, 0, 0, 1)});
	assert_false(hit(m));
	SEND(m, {"arp.tpa", IP4(11, 0, 0, 1)});
	assert_true(hit(m));
	machine_free(m);
	m = match_machine("arp.tpa: 10.0.0.3-10.0.0.9, arp.spa: not 10.0.0.3-10.0.0.9");
	SEND(m, {"arp.tpa", IP4(10, 0, 0, 9)}, {"arp.spa", IP4(10, 0, 0, 10)});
	assert_true(hit(m));
	SEND(m, {"arp.tpa", IP4(10, 0, 0, 9)}, {"arp.spa", IP4(10, 0, 0, 9)});
	assert_false(hit(m));
	machine_free(m);
}

static void addresses_have_an_order_in_conditions(void **state)
{
	static const struct {
		const char *when;
		uint64_t hi, lo;
		bool hits;
	} cases[] = {
		{"ip.src in 10.0.0.3-10.0.1.2", IP4(10, 0, 0, 3), true},
		{"ip.src in 10.0.0.3-10.0.1.2", IP4(10, 0, 1, 3), false},
		{"ip.src in 10.0.0.3-10.0.1.2", V6(0xffff0a000003ULL), false},
		{"ip.src in [10.0.0.3-10.0.1.2, 2001:db8::5-2001:db9::1]", V6(5), true},
		{"ip.src in [10.0.0.3-10.0.1.2, 2001:db8::5-2001:db9::1]", V6(4), false},
		{"not ip.src in [10.0.0.3-10.0.1.2, 2001:db8::5-2001:db9::1]", V6(4), true},
		{"ip.src in nets", IP4(10, 0, 0, 9), true},
		{"ip.src in nets", IP4(10, 0, 1, 9), false},
		{"ip.src in nets", 0x20010db800000007ULL, 0, true},
		{"ip.src < 10.0.0.3", IP4(10, 0, 0, 2), true},
		{"ip.src < 10.0.0.3", IP4(10, 0, 0, 3), false},
		{"ip.src <= 10.0.0.3", IP4(10, 0, 0, 3), true},
		{"ip.src > 2001:db8::5", V6(6), true},
		{"ip.src > 2001:db8::5", V6(5), false},
		{"ip.src > 2001:db8::5", 0x20010db800000001ULL, 0, true},
		{"ip.src >= 2001:db8::5", V6(5), true},
		{"10.0.0.3 < ip.src", V6(0), true},
		{"ip.src < 2001:db8::", IP4(255, 255, 255, 255), true},
		{"ip.src >= ip.dst", IP4(10, 0, 0, 5), true},
		{"ip.src > ip.dst", IP4(10, 0, 0, 5), false},
		{"10.0.0.1 < 10.0.0.2 and 10.0.0.1 < 2001:db8::1", V6(1), true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char yaml[512];
		struct machine *m;

		snprintf(yaml, sizeof(yaml),
			 "app: test\nparameters: {nets: [10.0.0.3-10.0.0.9, '2001:db8::5-2001:db9::1']}\ntables:\n  - "
			 "name: "
			 "t\n    rules:\n      - {name: hit, when: '%s', action: drop}\n",
			 cases[i].when);
		m = machine_new(yaml, NULL, 0);
		SEND(m, {"ip.src", cases[i].hi, cases[i].lo}, {"ip.dst", IP4(10, 0, 0, 5)});
		if (hit(m) != cases[i].hits)
			fail_msg("%s with %llx %llx", cases[i].when, (unsigned long long)cases[i].hi,
				 (unsigned long long)cases[i].lo);
		machine_free(m);
	}
}

static void macs_match_in_ranges(void **state)
{
	static const struct {
		const char *match;
		uint64_t mac;
		bool hits;
	} cases[] = {
		{"eth.src: '02:00:00:00:00:03-02:00:00:00:01:02'", 0x020000000003, true},
		{"eth.src: '02:00:00:00:00:03-02:00:00:00:01:02'", 0x020000000102, true},
		{"eth.src: '02:00:00:00:00:03-02:00:00:00:01:02'", 0x020000000103, false},
		{"eth.src: 'not 02:00:00:00:00:03-02:00:00:00:01:02'", 0x020000000103, true},
		{"eth.src: 'not 02:00:00:00:00:03-02:00:00:00:01:02'", 0x020000000004, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine *m = match_machine(cases[i].match);

		SEND(m, {"eth.src", 0, cases[i].mac});
		if (hit(m) != cases[i].hits)
			fail_msg("%s with %llx", cases[i].match, (unsigned long long)cases[i].mac);
		machine_free(m);
	}
}

/* A packet with this field, and one of a header that no field but eth.* lies in. */
static void expect_asked(const char *name, const char *question, bool always)
{
	const struct field *field = field_find(name);
	char when[128];
	struct machine *m;

	snprintf(when, sizeof(when), "has(%s)", question);
	m = when_machine(when);
	SEND(m, {name, field->type == TYPE_ADDR ? 0x20010db800000000ULL : 0, 1});
	if (!hit(m))
		fail_msg("%s in a packet with %s", when, name);
	SEND(m, {"eth.dst", 0, 1});
	if (hit(m) != always)
		fail_msg("%s in a packet of Ethernet only", when);
	machine_free(m);
	snprintf(when, sizeof(when), "not has(%s) or has(%s) == false", question, question);
	m = when_machine(when);
	SEND(m, {"eth.dst", 0, 1});
	if (hit(m) == always)
		fail_msg("%s in a packet of Ethernet only", when);
	machine_free(m);
}

static void everything_that_may_be_absent_can_be_asked_for(void **state)
{
	for (size_t i = 0; i < n_fields; i++) {
		bool always = fields[i].needs == 1ULL << PRESENT_ETH;
		char header[32];
		uint64_t needs;

		expect_asked(fields[i].name, fields[i].name, always);
		snprintf(header, sizeof(header), "%.*s", (int)strcspn(fields[i].name, "."), fields[i].name);
		assert_int_equal(header_find(header, &needs), 0);
		expect_asked(fields[i].name, header, always);
	}
}

static void metadata_can_be_asked_for(void **state)
{
	struct machine *m = when_machine("has(in_port) and not has(out_port) and has(length)");

	SEND(m, {"in_port", 0, 3}, {"eth.dst", 0, 1});
	assert_true(hit(m));
	SEND(m, {"eth.dst", 0, 1});
	assert_false(hit(m));
	machine_free(m);
}

static void sets_multiply_into_rows(void **state)
{
	struct machine *m = match_machine("ip.proto: [tcp, udp], l4.src: [1, 2, 3], l4.dst: [4, 5]");

	/* ip.proto, l4.src and l4.dst of each. */
	assert_in_range(m->table[0]->states[0].n_tests, 12 * 3, 12 * 4);
	SEND(m, {"ip.proto", 0, 17}, {"l4.src", 0, 3}, {"l4.dst", 0, 5});
	assert_true(hit(m));
	SEND(m, {"ip.proto", 0, 17}, {"l4.src", 0, 5}, {"l4.dst", 0, 3});
	assert_false(hit(m));
	machine_free(m);
}

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
		struct machine *m = when_machine(cases[i].when);

		SEND(m, {"length", 0, cases[i].length}, {"l4.dst", 0, cases[i].port}, {"ip.proto", 0, 17});
		if (hit(m) != cases[i].hits)
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
		struct machine *m = when_machine(cases[i].when);

		SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"ip.dst", IP4(10, 0, 0, 7)});
		if (hit(m) != cases[i].equal)
			fail_msg("%s with equal ends", cases[i].when);
		SEND(m, {"ip.src", IP4(10, 0, 0, 7)}, {"ip.dst", IP4(10, 0, 0, 8)});
		if (hit(m) != cases[i].other)
			fail_msg("%s with other ends", cases[i].when);
		SEND(m, {"ip.src", V6(0xffff0a000007ULL)}, {"ip.dst", V6(2)});
		if (hit(m) != cases[i].v6)
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
		m = rules_machine(rules[i]);
		SEND(m, {"length", 0, 1});
		assert_false(hit(m));
		SEND(m, {"length", 0, 1}, {"udp.dst", 0, 5}, {"vlan.id", 0, 1}, {"in_port", 0, 3});
		assert_true(hit(m));
		machine_free(m);
	}
	m = rules_machine("      - {name: hit, action: 'push(vlan); vlan.id = 5; vlan.prio = length; drop'}\n");
	SEND(m, {"length", 0, 1});
	assert_true(hit(m));
	assert_int_equal(m->n_writes, 3);
	assert_string_equal(m->write[0].field, "push");
	assert_string_equal(m->write[1].field, "vlan.id");
	assert_int_equal(m->write[1].lo, 5);
	machine_free(m);
}

/* ---- actions -------------------------------------------------------------------------------- */

static void right_hand_fields_are_the_packet_as_it_came(void **state)
{
	struct machine *m =
		rules_machine("      - {name: hit, action: 'eth.dst = eth.src; eth.src = eth.dst; ip.ttl -= 1; v = "
			      "ip.ttl; ip.dscp = v; v = 7; w = ip.src; ip.src = ip.dst; ip.dst = w; reflect'}\n");

	SEND(m, {"eth.src", 0, 1}, {"eth.dst", 0, 2}, {"ip.ttl", 0, 64}, {"ip.dscp", 0, 3}, {"ip.src", IP4(1, 1, 1, 1)},
	     {"ip.dst", IP4(2, 2, 2, 2)});
	assert_true(hit(m));
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
	struct machine *m =
		rules_machine("      - {name: hit, when: 'hash(ip.src, ip.dst) % 4 == 9', action: drop}\n"
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
		       "table t: the rules of one state take 2400 comparisons, the limit is 2048");
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
	m = rules_machine(rules);
	assert_int_equal(m->table[0]->n_pre, OPS_PRE_MAX);
	assert_int_equal(m->table[0]->n_let, 40 - OPS_PRE_MAX);
	SEND(m, {"length", 0, 3});
	assert_true(hit(m));
	SEND(m, {"length", 0, 49}); /* 49 * 21 = 1029 = 1009 + 20 */
	assert_false(hit(m));
	SEND(m, {"length", 0, 338}); /* 338 * 3 = 1014 */
	assert_string_equal(machine_rule(m, "t"), "r1");
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_match_as_values_ranges_sets_and_masks),
		cmocka_unit_test(flags_match_by_mask),
		cmocka_unit_test(addresses_match_and_are_denied),
		cmocka_unit_test(arp_addresses_need_no_family),
		cmocka_unit_test(addresses_have_an_order_in_conditions),
		cmocka_unit_test(macs_match_in_ranges),
		cmocka_unit_test(everything_that_may_be_absent_can_be_asked_for),
		cmocka_unit_test(metadata_can_be_asked_for),
		cmocka_unit_test(sets_multiply_into_rows),
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
