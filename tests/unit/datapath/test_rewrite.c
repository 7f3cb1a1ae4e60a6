// SPDX-License-Identifier: GPL-2.0-or-later
/* What steps write, as whole frames; every expected frame has its checksums computed from scratch. */
#include "bench.h"

#include <stdio.h>

#include "rewrite_cases.h"

enum { VALUE_CELL = 100 };

/* Executes one step on a parsed frame; the value is in VALUE_CELL. */
static enum exit_reason run_step(struct bench *b, struct step step, __u64 hi, __u64 lo)
{
	static struct table table;
	struct rule rule = {.n_steps = 1, .first_step = 7};

	step.cell = VALUE_CELL;
	table.steps[7] = step;
	b->s.cells[VALUE_CELL] = step.code == STEP_ADDR ? hi : lo;
	b->s.cells[VALUE_CELL + 1] = lo;
	return pkt_rewrite(&b->h, &b->s, &table, &rule);
}

static enum exit_reason write_field(struct bench *b, const char *name, __u64 hi, __u64 lo)
{
	const struct field *field = field_find(name);

	assert_non_null(field);
	assert_true(field->writable);
	return run_step(b, field->step, hi, lo);
}

static void assert_bench_frame(const struct bench *b, const struct frame *expected)
{
	assert_frame_equal(expected->data, expected->size, b->h.begin, (unsigned)(b->h.end - b->h.begin));
}

/* ---- named fields ---------------------------------------------------------------------------- */

static void a_field_is_written_and_nothing_else_but_checksums(void **state)
{
	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		struct frame before = frame_make(&writes[i].before), after = frame_make(&writes[i].after);
		struct bench b;

		print_message("%zu %s\n", i, writes[i].field);
		assert_int_equal(bench_parse(&b, before.data, before.size), EXIT_NONE);
		assert_int_equal(write_field(&b, writes[i].field, writes[i].hi, writes[i].lo), EXIT_NONE);
		assert_bench_frame(&b, &after);
		bench_done(&b);
	}
}

/* ---- every field, many values -------------------------------------------------------------------- */

static __u64 ones(unsigned bits)
{
	return bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
}

/* Puts the low 'bits' of 'value' where the load of the field finds them, one bit at a time. */
static void put_bits(uint8_t *at, unsigned size, unsigned shift, unsigned bits, __u64 value)
{
	for (unsigned i = 0; i < bits; i++) {
		unsigned bit = shift + i;
		uint8_t *byte = at + size - 1 - bit / 8, mask = 1 << bit % 8;

		*byte = value >> i & 1 ? *byte | mask : *byte & ~mask;
	}
}

static void check_value(const struct field *field, const struct frame *f, __u64 value)
{
	struct frame expected = *f;
	struct load load = field->load;
	struct bench b;
	bool ipv6;

	assert_int_equal(bench_parse(&b, f->data, f->size), EXIT_NONE);
	if (!pkt_has(&b.s, field->step.need)) {
		assert_int_equal(write_field(&b, field->name, 0, value), EXIT_WRITE_FAILED);
		assert_bench_frame(&b, f);
		bench_done(&b);
		return;
	}
	ipv6 = pkt_has(&b.s, PRESENT_IPV6);
	put_bits(expected.data + b.s.off[load.base] + (ipv6 ? load.off6 : load.off), ipv6 ? load.size6 : load.size,
		 ipv6 ? load.shift6 : load.shift, field->bits, value);
	frame_fix_checksums(expected.data, expected.size);
	assert_int_equal(write_field(&b, field->name, 0, value), EXIT_NONE);
	assert_bench_frame(&b, &expected);

	load.dst = VALUE_CELL;
	b.s.cells[VALUE_CELL] = ~0ULL;
	pkt_load(&b.h, &b.s, &load);
	assert_int_equal(b.s.cells[VALUE_CELL], value & ones(field->bits));
	bench_done(&b);
}

static void every_writable_field_takes_every_kind_of_value(void **state)
{
	const __u64 values[] = {0, 1, 0x80, 0xff, 0x8000, 0xffff, 0x123456789abcdef0, ~0ULL};

	for (size_t i = 0; i < n_fields; i++) {
		if (!fields[i].writable || fields[i].step.code != STEP_BITS)
			continue;
		for (size_t p = 0; p < sizeof(packets) / sizeof(packets[0]); p++) {
			struct frame f = frame_make(&packets[p]);

			for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
				check_value(&fields[i], &f, values[v]);
		}
	}
}

/* Among all values there are those whose checksum becomes 0 (written 0xffff in UDP) and those whose was. */
static void checksums_agree_for_every_port_and_id(void **state)
{
	struct frame udp = PKT(.udp_dport = 80), expected = udp, found = udp;
	const struct field *port = field_find("udp.dst"), *id = field_find("ipv4.id");
	unsigned all_ones = 0;
	struct bench b;

	assert_int_equal(bench_parse(&b, udp.data, udp.size), EXIT_NONE);
	for (unsigned value = 0; value < 0x10000; value++) {
		assert_int_equal(run_step(&b, port->step, 0, value), EXIT_NONE);
		assert_int_equal(run_step(&b, id->step, 0, value ^ 0xffff), EXIT_NONE);
		put_bits(expected.data + 36, 2, 0, 16, value);
		put_bits(expected.data + 18, 2, 0, 16, value ^ 0xffff);
		frame_fix_checksums(expected.data, expected.size);
		memcpy(found.data, b.h.begin, found.size);
		assert_frame_equal(expected.data, expected.size, found.data, found.size);
		all_ones += found.data[40] == 0xff && found.data[41] == 0xff;
	}
	assert_int_equal(all_ones, 1);
	bench_done(&b);
}

static void a_first_fragment_keeps_the_checksum_of_the_whole_packet_right(void **state)
{
	struct frame whole = PKT(.udp_dport = 80, .payload_size = 64);
	struct frame first = whole, changed = PKT(.udp_dport = 80, .payload_size = 64, .ip_src = "203.0.113.9");
	struct bench b;

	first.size -= 32;
	first.data[17] -= 32;
	first.data[20] = 0x20;
	assert_int_equal(bench_parse(&b, first.data, first.size), EXIT_NONE);
	assert_int_equal(write_field(&b, "ip.src", 0, V4(203, 0, 113, 9)), EXIT_NONE);
	assert_memory_equal(b.h.begin + 40, changed.data + 40, 2);
	bench_done(&b);
}

/* ---- what is refused --------------------------------------------------------------------------------- */

static void an_address_of_the_other_family_is_not_written(void **state)
{
	struct frame v4 = PKT(.udp_dport = 1), v6 = PKT(.ip6 = true, .udp_dport = 1);
	struct bench b;

	assert_int_equal(bench_parse(&b, v4.data, v4.size), EXIT_NONE);
	assert_int_equal(write_field(&b, "ip.src", 0x20010db800000000, 1), EXIT_WRITE_FAILED);
	assert_int_equal(write_field(&b, "ip.src", 0, 1), EXIT_WRITE_FAILED);
	assert_int_equal(write_field(&b, "ipv6.src", 0x20010db800000000, 1), EXIT_WRITE_FAILED);
	assert_bench_frame(&b, &v4);
	bench_done(&b);
	assert_int_equal(bench_parse(&b, v6.data, v6.size), EXIT_NONE);
	assert_int_equal(write_field(&b, "ip.src", 0, V4(1, 2, 3, 4)), EXIT_WRITE_FAILED);
	assert_bench_frame(&b, &v6);
	bench_done(&b);
}

static void a_step_beyond_the_table_is_a_fault(void **state)
{
	struct rule rule = {.n_steps = 1, .first_step = STEPS_MAX};
	static struct table table;
	struct frame f = PKT();
	struct bench b;

	assert_int_equal(bench_parse(&b, f.data, f.size), EXIT_NONE);
	assert_int_equal(pkt_rewrite(&b.h, &b.s, &table, &rule), EXIT_INTERNAL);
	bench_done(&b);
}

/* ---- tags ------------------------------------------------------------------------------------------------ */

static const struct step push = {.code = STEP_PUSH_VLAN, .imm = 0x8100};
static const struct step push_s = {.code = STEP_PUSH_VLAN, .imm = 0x88a8};
static const struct step pop = {.code = STEP_POP_VLAN};

/* What is known of the packet is what a parser that begins anew would find. */
static void assert_known_as_if_parsed(const struct bench *b)
{
	struct bench fresh;

	assert_int_equal(bench_parse(&fresh, b->h.begin, b->h.end - b->h.begin), EXIT_NONE);
	for (unsigned cell = CELL_LENGTH; cell < CELL_DIRECTION; cell++)
		if (cell != CELL_FRAMES && cell != CELL_HOOK)
			assert_int_equal(b->s.cells[cell], fresh.s.cells[cell]);
	assert_int_equal(b->s.off[BASE_L3], fresh.s.off[BASE_L3]);
	if (b->s.cells[CELL_PRESENT] & NEED(IP))
		assert_int_equal(b->s.off[BASE_L4], fresh.s.off[BASE_L4]);
	for (unsigned base = BASE_ROUTING; base <= BASE_DSTOPTS; base++)
		if (fresh.s.off[base] != 0x5a5a)
			assert_int_equal(b->s.off[base], fresh.s.off[base]);
	bench_done(&fresh);
}

static void tags_are_pushed_and_popped(void **state)
{
	static const struct pkt inner[] = {{.tcp_dport = 80},
					   {.ip6 = true, .udp_dport = 7, .hopopts = 1},
					   {.arp_op = 1},
					   {.eth_type = 0x88b5, .payload_size = 3}};

	for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
		struct pkt one = inner[i], two = inner[i];
		struct frame none_frame = frame_make(&inner[i]), one_frame, two_frame;
		struct bench b;

		one.vlan_id = FRAME_ZERO;
		one.vlan_tpid = 0x8100;
		two.vlan_id = 77;
		two.vlan_tpid = 0x88a8;
		two.vlan2_tpid = 0x8100;
		one_frame = frame_make(&one);
		two_frame = frame_make(&two);

		assert_int_equal(bench_parse(&b, none_frame.data, none_frame.size), EXIT_NONE);
		assert_int_equal(run_step(&b, push, 0, 0), EXIT_NONE);
		assert_bench_frame(&b, &one_frame);
		assert_known_as_if_parsed(&b);
		assert_int_equal(run_step(&b, push_s, 0, 0), EXIT_NONE);
		assert_int_equal(write_field(&b, "vlan.id", 0, 77), EXIT_NONE);
		assert_bench_frame(&b, &two_frame);
		assert_known_as_if_parsed(&b);

		assert_int_equal(run_step(&b, pop, 0, 0), EXIT_NONE);
		assert_bench_frame(&b, &one_frame);
		assert_known_as_if_parsed(&b);
		assert_int_equal(run_step(&b, pop, 0, 0), EXIT_NONE);
		assert_bench_frame(&b, &none_frame);
		assert_known_as_if_parsed(&b);
		assert_int_equal(run_step(&b, pop, 0, 0), EXIT_PUSH_FAILED);
		assert_bench_frame(&b, &none_frame);
		bench_done(&b);
	}
}

static void a_third_tag_hides_nothing_that_was_found(void **state)
{
	struct frame f = PKT(.vlan_id = 1, .vlan2_id = 2, .tcp_dport = 80);
	struct bench b;

	assert_int_equal(bench_parse(&b, f.data, f.size), EXIT_NONE);
	assert_int_equal(run_step(&b, push, 0, 0), EXIT_NONE);
	assert_int_equal(write_field(&b, "tcp.dst", 0, 81), EXIT_NONE);
	assert_int_equal(run_step(&b, pop, 0, 0), EXIT_NONE);
	f = PKT(.vlan_id = 1, .vlan2_id = 2, .tcp_dport = 81);
	assert_bench_frame(&b, &f);
	assert_known_as_if_parsed(&b);
	bench_done(&b);
}

static void a_push_without_room_is_refused(void **state)
{
	struct frame f = PKT(.tcp_dport = 80);
	struct bench b;

	assert_int_equal(bench_parse(&b, f.data, f.size), EXIT_NONE);
	for (int i = 0; i < BENCH_HEADROOM / TAG_SIZE; i++)
		assert_int_equal(run_step(&b, push, 0, 0), EXIT_NONE);
	assert_int_equal(run_step(&b, push, 0, 0), EXIT_PUSH_FAILED);
	bench_done(&b);
}

static void steps_run_in_order_until_one_fails(void **state)
{
	static struct table table;
	struct rule rule = {.n_steps = 3, .first_step = 0};
	struct frame f = PKT(.udp_dport = 1), expected = PKT(.udp_dport = 2);
	struct bench b;

	table.steps[0] = field_find("udp.dst")->step;
	table.steps[1] = field_find("tcp.dst")->step;
	table.steps[2] = field_find("udp.src")->step;
	for (int i = 0; i < 3; i++)
		table.steps[i].cell = VALUE_CELL;
	assert_int_equal(bench_parse(&b, f.data, f.size), EXIT_NONE);
	b.s.cells[VALUE_CELL] = 2;
	assert_int_equal(pkt_rewrite(&b.h, &b.s, &table, &rule), EXIT_WRITE_FAILED);
	assert_bench_frame(&b, &expected);
	bench_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_is_written_and_nothing_else_but_checksums),
		cmocka_unit_test(every_writable_field_takes_every_kind_of_value),
		cmocka_unit_test(checksums_agree_for_every_port_and_id),
		cmocka_unit_test(a_first_fragment_keeps_the_checksum_of_the_whole_packet_right),
		cmocka_unit_test(an_address_of_the_other_family_is_not_written),
		cmocka_unit_test(a_step_beyond_the_table_is_a_fault),
		cmocka_unit_test(tags_are_pushed_and_popped),
		cmocka_unit_test(a_third_tag_hides_nothing_that_was_found),
		cmocka_unit_test(a_push_without_room_is_refused),
		cmocka_unit_test(steps_run_in_order_until_one_fails),
	};

	return cmocka_run_group_tests_name("pkt_rewrite", tests, NULL, NULL);
}
