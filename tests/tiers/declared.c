// SPDX-License-Identifier: GPL-2.0-or-later
/* What an application declares beside tables: globals, headers, and what a timeout does. */
#include <string.h>

#include "tiers.h"

#define QUOTA	"examples/tenant-quota.yaml"
#define TENANTS "tenant-quota/tenants"

/* A frame of a VXLAN network, checksum included; 'flags' 8: the VNI is valid. */
static struct frame overlay(unsigned vni, unsigned flags, unsigned inner)
{
	static uint8_t payload[1400];

	memset(payload, 0x55, sizeof(payload));
	memset(payload, 0, 8);
	payload[0] = flags;
	payload[4] = vni >> 16;
	payload[5] = vni >> 8;
	payload[6] = vni;
	return PKT(.udp_dport = 4789, .payload = payload, .payload_size = 8 + inner);
}

static uint64_t bytes_of(struct rig *rig, const char *vni)
{
	return rig_register(rig, TENANTS, "overlay.vni", vni, "bytes");
}

static const char *state_of(struct rig *rig, const char *vni)
{
	return rig_state(rig, TENANTS, "overlay.vni", vni);
}

static void the_key_is_in_the_declared_header(void **state)
{
	struct rig *rig = rig_with(QUOTA, NULL);
	struct frame f = overlay(0x123456, 8, 100);

	assert_int_equal(send_one(rig, 1, f), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, f), EXIT_PASS);
	assert_int_equal(bytes_of(rig, "1193046"), 2 * f.size);
	rig_close(rig);
}

static void a_packet_without_the_header_has_no_key(void **state)
{
	struct rig *rig = rig_with(QUOTA, NULL);

	assert_int_equal(send_one(rig, 1, PKT(.udp_dport = 53, .payload_size = 100)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.tcp_dport = 4789, .payload_size = 100)), EXIT_PASS);
	/* Seven of its eight bytes. */
	assert_int_equal(send_one(rig, 1, PKT(.udp_dport = 4789, .payload_size = 7)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.udp_dport = 4789, .frag_offset = 64, .payload_size = 100)), EXIT_PASS);
	assert_int_equal(rig_rule_count(rig, "tenant-quota/tenants/absent"), 4);
	assert_int_equal(send_one(rig, 1, overlay(7, 0, 100)), EXIT_DROP);
	assert_int_equal(rig_flows(rig, TENANTS, NULL, NULL), 0);
	rig_close(rig);
}

static void a_field_is_written_and_the_checksum_follows(void **state)
{
	struct rig *rig = rig_with(QUOTA, NULL);
	struct rig_result r;
	char why[64];

	rig_set_global(rig, "tenant-quota/quota", 10000);
	for (int i = 0; i < 9; i++)
		assert_int_equal(send_one(rig, 1, overlay(7, 8, 1000)), EXIT_PASS);
	assert_string_equal(state_of(rig, "7"), "WITHIN");
	r = rig_send(rig, 1, overlay(7, 8, 1000));
	assert_string_equal(state_of(rig, "7"), "OVER");
	/* The bit "policy applied" and the group 666 = 0x29a. */
	assert_int_equal(r.frame.data[14 + 20 + 8 + 0], 8);
	assert_int_equal(r.frame.data[14 + 20 + 8 + 1], 0x08);
	assert_int_equal(r.frame.data[14 + 20 + 8 + 2], 0x02);
	assert_int_equal(r.frame.data[14 + 20 + 8 + 3], 0x9a);
	assert_true(frame_verify(r.frame.data, r.frame.size, why, sizeof(why)));
	rig_close(rig);
}

/* A timeout to another state updates the record, and the moment is the deadline. */
static void a_timeout_begins_the_next_second(void **state)
{
	struct rig *rig = rig_with(QUOTA, NULL);
	uint64_t over_ns;

	rig_set_global(rig, "tenant-quota/quota", 10000);
	for (int i = 0; i < 20; i++)
		send_one(rig, 1, overlay(7, 8, 1000));
	over_ns = rig_now_ns(rig);
	assert_string_equal(state_of(rig, "7"), "OVER");
	rig_advance_ms(rig, 1300);
	rig_expire(rig);
	assert_string_equal(state_of(rig, "7"), "WITHIN");
	assert_int_equal(bytes_of(rig, "7"), 0);
	assert_int_equal(rig_register(rig, TENANTS, "overlay.vni", "7", "begin"), over_ns + 1000000000);
	rig_close(rig);
}

/* Ninety timeouts at once are more than one packet makes up for: it is not held up, and later ones go on. */
static void a_packet_that_comes_very_late_goes_on(void **state)
{
	struct rig *rig =
		rig_with("app: a\ntables:\n  - name: t\n    state:\n      lookup: [ip.src]\n      capacity: 16\n"
			 "      states: [IDLE, {name: TICKING, hard: 1ms, hard_to: TICKING, on_timeout: n += 1}]\n"
			 "      registers: [n]\n    rules:\n"
			 "      - {state: IDLE, next: TICKING}\n"
			 "      - {state: TICKING, action: drop}\n",
			 NULL);

	assert_int_equal(rig_send(rig, 1, PKT(.udp_dport = 53)).exit, EXIT_PASS);
	rig_advance_ms(rig, 90);
	assert_int_equal(rig_send(rig, 1, PKT(.udp_dport = 53)).exit, EXIT_DROP);
	assert_in_range(rig_register(rig, "a/t", "ip.src", FRAME_IP4_SRC, "n"), 8, 89);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(rig_send(rig, 1, PKT(.udp_dport = 53)).exit, EXIT_DROP);
	assert_int_equal(rig_register(rig, "a/t", "ip.src", FRAME_IP4_SRC, "n"), 90);
	rig_close(rig);
}

static void globals_count_the_tenants(void **state)
{
	struct rig *rig = rig_with(QUOTA, NULL);

	for (unsigned vni = 1; vni <= 5; vni++)
		send_one(rig, 1, overlay(vni, 8, 100));
	assert_int_equal(rig_global(rig, "tenant-quota/tenants"), 5);
	assert_int_equal(rig_global(rig, "tenant-quota/most"), 5);
	/* One falls when a packet finds it and begins again, the others by the scan. */
	rig_advance_ms(rig, 31000);
	send_one(rig, 1, overlay(1, 8, 100));
	assert_int_equal(rig_global(rig, "tenant-quota/tenants"), 5);
	rig_expire(rig);
	assert_int_equal(rig_global(rig, "tenant-quota/tenants"), 1);
	assert_int_equal(rig_global(rig, "tenant-quota/most"), 5);
	rig_close(rig);
}

static void a_global_outlives_a_change_of_its_application(void **state)
{
	struct rig *rig = rig_with(QUOTA, NULL);

	send_one(rig, 1, overlay(1, 8, 100));
	rig_set_global(rig, "tenant-quota/quota", 12345);
	rig_unload_all(rig);
	rig_load(rig, QUOTA, "scavenger=7", NULL);
	rig_commit(rig);
	send_one(rig, 1, overlay(2, 8, 100));
	assert_int_equal(rig_global(rig, "tenant-quota/quota"), 12345);
	assert_int_equal(rig_global(rig, "tenant-quota/tenants"), 2);
	rig_close(rig);
}

static void each_operation_is_what_it_says(void **state)
{
	static const struct {
		const char *do_;
		uint64_t result;
	} cases[] = {
		{"g += 5", 17}, {"g -= 5", 7},		{"g |= 3", 15},	       {"g &= 6", 4},
		{"g = 6", 6},	{"g = max(g, 90)", 90}, {"g = max(g, 5)", 12},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		struct rig *rig;

		snprintf(text, sizeof(text),
			 "app: a\nvariables: [v]\nglobals: {g: 12}\ntables:\n  - name: t\n    rules:\n"
			 "      - {match: {ip.proto: udp}, do: '%s; v = g', action: ip.ttl = v}\n",
			 cases[i].do_);
		rig = rig_with(text, NULL);
		/* What this packet made of it is what it sees. */
		assert_int_equal(rig_send(rig, 1, PKT(.udp_dport = 53)).frame.data[14 + 8], cases[i].result);
		assert_int_equal(rig_global(rig, "a/g"), cases[i].result);
		rig_close(rig);
	}
}

static void headers_follow_one_another(void **state)
{
	static const uint8_t chain[] = {0x17, 0xab, 0xcd, 0xef, 7, 0x9f, 0xff, 1, 2, 3, 4, 5, 6};
	struct rig *rig =
		rig_with("app: a\nheaders:\n"
			 "  shim: {after: {udp.dst: 9000-9009}, fields: [version 4, kind 4, vni 24, next 8]}\n"
			 "  opt: {after: {shim.next: [6, 7]}, fields: [a 3, b 13, c 48]}\n"
			 "tables:\n  - name: t\n    rules:\n"
			 "      - {name: both, match: {shim.version: 1, shim.kind: 7, opt.a: 4, opt.b: 0x1fff}, when: "
			 "shim.vni == 0xabcdef and opt.c == 0x010203040506, action: opt.b = 1; opt.c = 5}\n"
			 "      - {name: shim, when: has(shim) and not has(opt)}\n",
			 NULL);
	struct rig_result r = rig_send(rig, 1, PKT(.udp_dport = 9003, .payload = chain, .payload_size = sizeof(chain)));
	char why[64];

	assert_int_equal(rig_rule_count(rig, "a/t/both"), 1);
	assert_int_equal(r.frame.data[42 + 5], 0x80);
	assert_int_equal(r.frame.data[42 + 6], 0x01);
	assert_int_equal(r.frame.data[42 + 12], 0x05);
	assert_true(frame_verify(r.frame.data, r.frame.size, why, sizeof(why)));
	send_one(rig, 1, PKT(.udp_dport = 9003, .payload = chain, .payload_size = 9)); /* The second is cut off. */
	assert_int_equal(rig_rule_count(rig, "a/t/shim"), 1);
	rig_close(rig);
}

TESTS(declared, cmocka_unit_test(the_key_is_in_the_declared_header),
      cmocka_unit_test(a_packet_without_the_header_has_no_key),
      cmocka_unit_test(a_field_is_written_and_the_checksum_follows), cmocka_unit_test(a_timeout_begins_the_next_second),
      cmocka_unit_test(a_packet_that_comes_very_late_goes_on), cmocka_unit_test(globals_count_the_tenants),
      cmocka_unit_test(a_global_outlives_a_change_of_its_application), cmocka_unit_test(each_operation_is_what_it_says),
      cmocka_unit_test(headers_follow_one_another));
