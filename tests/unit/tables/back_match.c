/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patterns of match: values, ranges, sets, masks, negation, 128 bits; has(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "back_machine.h"

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
		struct machine *m = machine_with_match(cases[i].match);

		SEND(m, {"l4.dst", 0, cases[i].port}, {"ip.proto", 0, 17});
		if (machine_hit(m) != cases[i].hits)
			fail_msg("%s with %u", cases[i].match, cases[i].port);
		SEND(m, {"ip.proto", 0, 1});
		assert_false(machine_hit(m));
		machine_free(m);
	}
}

static void flags_match_by_mask(void **state)
{
	struct machine *m = machine_with_match("tcp.flags: +syn-ack");

	SEND(m, {"tcp.flags", 0, 0x02}, {"ip.proto", 0, 6});
	assert_true(machine_hit(m));
	SEND(m, {"tcp.flags", 0, 0xc2}, {"ip.proto", 0, 6});
	assert_true(machine_hit(m));
	SEND(m, {"tcp.flags", 0, 0x12}, {"ip.proto", 0, 6});
	assert_false(machine_hit(m));
	machine_free(m);
}

static const struct {
	const char *match;
	uint64_t hi, lo;
	bool hits;
} address_cases[] = {
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

static void addresses_match_and_are_denied(void **state)
{
	for (size_t i = 0; i < sizeof(address_cases) / sizeof(address_cases[0]); i++) {
		struct machine *m = machine_with_match(address_cases[i].match);

		SEND(m, {"ip.src", address_cases[i].hi, address_cases[i].lo});
		if (machine_hit(m) != address_cases[i].hits)
			fail_msg("%s with %llx %llx", address_cases[i].match, (unsigned long long)address_cases[i].hi,
				 (unsigned long long)address_cases[i].lo);
		machine_free(m);
	}
}

static void arp_addresses_need_no_family(void **state)
{
	struct machine *m = machine_with_match("arp.tpa: not 10.0.0.0/8");

	SEND(m, {"arp.tpa", IP4(10, 0, 0, 1)});
	assert_false(machine_hit(m));
	SEND(m, {"arp.tpa", IP4(11, 0, 0, 1)});
	assert_true(machine_hit(m));
	machine_free(m);
	m = machine_with_match("arp.tpa: 10.0.0.3-10.0.0.9, arp.spa: not 10.0.0.3-10.0.0.9");
	SEND(m, {"arp.tpa", IP4(10, 0, 0, 9)}, {"arp.spa", IP4(10, 0, 0, 10)});
	assert_true(machine_hit(m));
	SEND(m, {"arp.tpa", IP4(10, 0, 0, 9)}, {"arp.spa", IP4(10, 0, 0, 9)});
	assert_false(machine_hit(m));
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
		if (machine_hit(m) != cases[i].hits)
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
		struct machine *m = machine_with_match(cases[i].match);

		SEND(m, {"eth.src", 0, cases[i].mac});
		if (machine_hit(m) != cases[i].hits)
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
	m = machine_with_when(when);
	SEND(m, {name, field->type == TYPE_ADDR ? 0x20010db800000000ULL : 0, 1});
	if (!machine_hit(m))
		fail_msg("%s in a packet with %s", when, name);
	SEND(m, {"eth.dst", 0, 1});
	if (machine_hit(m) != always)
		fail_msg("%s in a packet of Ethernet only", when);
	machine_free(m);
	snprintf(when, sizeof(when), "not has(%s) or has(%s) == false", question, question);
	m = machine_with_when(when);
	SEND(m, {"eth.dst", 0, 1});
	if (machine_hit(m) == always)
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
	struct machine *m = machine_with_when("has(in_port) and not has(out_port) and has(length)");

	SEND(m, {"in_port", 0, 3}, {"eth.dst", 0, 1});
	assert_true(machine_hit(m));
	SEND(m, {"eth.dst", 0, 1});
	assert_false(machine_hit(m));
	machine_free(m);
}

static void sets_multiply_into_rows(void **state)
{
	struct machine *m = machine_with_match("ip.proto: [tcp, udp], l4.src: [1, 2, 3], l4.dst: [4, 5]");

	/* ip.proto, l4.src and l4.dst of each. */
	assert_in_range(m->table[0]->states[0].n_tests, 12 * 3, 12 * 4);
	SEND(m, {"ip.proto", 0, 17}, {"l4.src", 0, 3}, {"l4.dst", 0, 5});
	assert_true(machine_hit(m));
	SEND(m, {"ip.proto", 0, 17}, {"l4.src", 0, 5}, {"l4.dst", 0, 3});
	assert_false(machine_hit(m));
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
