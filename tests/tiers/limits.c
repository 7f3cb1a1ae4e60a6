// SPDX-License-Identifier: GPL-2.0-or-later
/* The sizes that are promised: rules, tables, ports, keys, registers; and the books for frames of every kind. */
#include "tiers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[65536];
static size_t length;

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	length += vsnprintf(text + length, sizeof(text) - length, format, args);
	va_end(args);
	assert_true(length < sizeof(text));
}

static void begin(const char *app)
{
	length = 0;
	put("app: %s\ntables:\n", app);
}

static void a_table_has_256_rules_in_their_order(void **state)
{
	struct rig *rig;
	char name[64];

	begin("rules");
	put("  - name: t\n    rules:\n");
	for (unsigned i = 0; i < RULES_MAX; i++)
		put("      - {name: r%u, match: {udp.dst: %u}, action: deliver}\n", i, 1000 + i);
	put("    otherwise: drop\n");
	rig = rig_with(text, NULL);
	for (unsigned i = 0; i < RULES_MAX; i += 51) {
		assert_int_equal(send_one(rig, 1, PKT(.udp_dport = 1000 + i)), EXIT_DELIVER);
		snprintf(name, sizeof(name), "rules/t/r%u", i);
		assert_int_equal(rig_rule_count(rig, name), 1);
	}
	assert_int_equal(send_one(rig, 1, PKT(.udp_dport = 1000 + RULES_MAX)), EXIT_DROP);
	rig_close(rig);
}

/* Counts in 'n' tables and goes on to the next one. */
static void put_tables(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		put("  - name: t%u\n    state: {lookup: [ip.src], capacity: 16, registers: [n]}\n    rules:\n", i);
		put("      - {name: count, do: n += 1%s}\n", i + 1 < n ? "" : ", action: pass");
	}
}

static void an_application_has_8_tables(void **state)
{
	struct rig *rig;

	begin("eight");
	put_tables(8);
	rig = rig_with(text, NULL);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(send_one(rig, 1, PKT(.ip_src = "192.0.2.1")), EXIT_PASS);
	assert_int_equal(rig_register(rig, "eight/t0", "ip.src", "192.0.2.1", "n"), 3);
	assert_int_equal(rig_register(rig, "eight/t7", "ip.src", "192.0.2.1", "n"), 3);
	rig_close(rig);
}

/* 8 applications of 3 tables. */
static void a_hook_has_24_tables(void **state)
{
	struct rig *rig = rig_open(tier);
	char app[16], name[64];

	for (unsigned a = 0; a < 8; a++) {
		snprintf(app, sizeof(app), "a%u", a);
		begin(app);
		put_tables(3);
		rig_load(rig, text, NULL);
	}
	rig_commit(rig);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "192.0.2.1")), EXIT_PASS);
	for (unsigned a = 0; a < 8; a++) {
		snprintf(name, sizeof(name), "a%u/t2", a);
		assert_int_equal(rig_register(rig, name, "ip.src", "192.0.2.1", "n"), 1);
	}
	rig_close(rig);
}

/* Two IPv6 addresses and 8 bytes more are 40. */
static void a_key_has_40_bytes(void **state)
{
	struct rig *rig;

	begin("long");
	put("  - name: t\n    state: {lookup: [ip.src, ip.dst, l4.src, l4.dst, ip.proto, ip.dscp], capacity: 64, "
	    "registers: [n]}\n"
	    "    rules:\n      - {name: count, do: n += 1, action: pass}\n");
	rig = rig_with(text, NULL);
	send_one(rig, 1, PKT(.ip_src = "2001:db8::1", .udp_dport = 1));
	send_one(rig, 1, PKT(.ip_src = "2001:db8::1", .udp_dport = 1));
	send_one(rig, 1, PKT(.ip_src = "2001:db8::1", .udp_dport = 1, .ip_dscp = 5));
	send_one(rig, 1, PKT(.ip_src = "2001:db8::2", .udp_dport = 1));
	send_one(rig, 1, PKT(.ip_src = "2001:db8::2", .tcp_dport = 1));
	assert_int_equal(rig_flows(rig, "long/t", NULL, NULL), 4);
	assert_int_equal(rig_register(rig, "long/t", "ip.src", "2001:db8::1", "n") != 0, 1);
	rig_close(rig);
}

static void eight_registers_lie_beside_a_5_tuple(void **state)
{
	char reg[8];
	struct rig *rig;

	begin("eight");
	put("  - name: t\n    state: {lookup: [ip.src, ip.dst, ip.proto, l4.src, l4.dst], capacity: 64, registers: [a, "
	    "b, c, d, e, f, g, h]}\n"
	    "    rules:\n      - {name: all, do: a += 1; b += 2; c += 3; d += 4; e += 5; f += 6; g += 7; h += 8, "
	    "action: pass}\n");
	rig = rig_with(text, NULL);
	for (unsigned i = 0; i < 10; i++)
		send_one(rig, 1, PKT(.ip_src = "192.0.2.1", .tcp_dport = 80));
	for (unsigned i = 0; i < 8; i++) {
		snprintf(reg, sizeof(reg), "%c", 'a' + i);
		assert_int_equal(rig_register(rig, "eight/t", "ip.src", "192.0.2.1", reg), 10 * (i + 1));
	}
	rig_close(rig);
}

/* Well-formed, cut, scribbled on and random frames: each has exactly one way out. */
static void the_books_balance_for_any_frame(void **state)
{
	enum { FRAMES = 600 };
	struct rig *rig = rig_open(tier);
	uint64_t sum = 0;

	srandom(1);
	rig_load(rig, "examples/token-bucket.yaml", NULL);
	rig_load(rig, "examples/packet-counter.yaml", NULL);
	rig_commit(rig);
	for (unsigned i = 0; i < FRAMES; i++) {
		struct frame frame =
			i % 2 ? PKT(.ip6 = i % 4 == 1, .hopopts = i % 3, .tcp_dport = 80, .payload_size = 60)
			      : PKT(.vlan_id = i % 5, .udp_dport = 53, .payload_size = 60);

		/* A test run at tc takes no frame that is shorter than the IP header it announces: those go over the
		 * devices in another test. */
		if (i % 8 >= 4)
			frame.size = 60 + random() % (frame.size - 59);
		for (unsigned n = i % 8 >= 6 ? 8 : 0; n; n--)
			frame.data[random() % frame.size] = random();
		rig_repeat(rig, 1, frame, 1);
	}
	for (unsigned r = 0; r < EXIT_REASON_ROOM; r++)
		sum += rig_exit_count(rig, 1, r);
	assert_int_equal(sum, FRAMES);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_INTERNAL), 0);
	assert_true(rig_exit_count(rig, 1, EXIT_PARSE_SHORT) > 10);
	rig_close(rig);
}

TESTS(limits, cmocka_unit_test(a_table_has_256_rules_in_their_order), cmocka_unit_test(an_application_has_8_tables),
      cmocka_unit_test(a_hook_has_24_tables), cmocka_unit_test(a_key_has_40_bytes),
      cmocka_unit_test(eight_registers_lie_beside_a_5_tuple), cmocka_unit_test(the_books_balance_for_any_frame));
