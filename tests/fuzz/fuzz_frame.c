// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames: never an access outside, and what the rewriter leaves parses as before with checksums as right as before. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pkt_rewrite.h"
#include "tables/field.h"
#include "tests/harness/frame.h"

#define CHECK(x)                                                                                                       \
	do {                                                                                                           \
		if (!(x)) {                                                                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                        \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

enum { ROOM_IN_FRONT = 8, VALUE = 100 };

struct subject {
	struct hook h;
	struct scratch s;
};

void fuzz_begin(void)
{
	static const struct pkt packets[] = {
		{.tcp_dport = 80, .tcp_options = 8, .ip_options = 4, .vlan_id = 5, .payload_size = 3},
		{.udp_dport = 80, .vlan_id = 1, .vlan2_id = 2, .payload_size = 2},
		{.udp_no_csum = true, .payload_size = 2},
		{.icmp_id = 3, .payload_size = 1, .trailer = 10},
		{.udp_dport = 80, .frag_offset = 800, .payload_size = 24},
		{.udp_dport = 80, .more_fragments = 1, .payload_size = 24},
		{.ip6 = true, .tcp_dport = 80, .payload_size = 7},
		{.ip6 = true, .udp_dport = 80, .hopopts = 1, .routing = 1, .frag6 = true, .dstopts = 2, .ext_len = 1},
		{.ip6 = true, .icmp_id = 80},
		{.ip6 = true, .udp_dport = 80, .frag_offset = 800, .payload_size = 24},
		{.arp_op = 1},
	};

	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		struct frame f = frame_make(&packets[i]);

		fuzz_example(f.data, f.size);
	}
}

void fuzz_end(void) {}

static enum exit_reason parse(struct subject *x, uint8_t *begin, uint8_t *end)
{
	memset(x, 0, sizeof(*x));
	memset(&x->s, 0x5a, sizeof(x->s));
	x->h = (struct hook){
		.room_begin = begin - ROOM_IN_FRONT, .begin = begin, .end = end, .room_end = end, .frames = 1};
	x->s.cells[CELL_PRESENT] = 0;
	x->s.cells[CELL_LENGTH] = end - begin;
	return pkt_parse(&x->h, &x->s);
}

static void load_all(struct subject *x)
{
	for (size_t i = 0; i < n_fields; i++) {
		struct load load = fields[i].load;

		load.dst = VALUE;
		pkt_load(&x->h, &x->s, &load);
		if (!pkt_has(&x->s, load.need))
			CHECK(x->s.cells[VALUE] == 0);
	}
}

/* Values come from the frame itself. */
static void write_all(struct subject *x, const uint8_t *data, size_t size)
{
	uint64_t value = 0x0123456789abcdef;

	for (size_t i = 0; i < n_fields; i++) {
		struct step step = fields[i].step;

		if (!fields[i].writable)
			continue;
		for (size_t k = 0; k < 8; k++)
			value = value * 31 + data[(i * 8 + k) % size];
		step.cell = VALUE;
		x->s.cells[VALUE] = value & 1 ? 0 : value;
		x->s.cells[VALUE + 1] = value & 1 ? (0xffffULL << 32 | value >> 32) : value;
		if (step.code != STEP_ADDR)
			x->s.cells[VALUE] = value;
		(void)write_step(&x->h, &x->s, &step);
	}
}

static void check_again(const struct subject *x)
{
	struct subject y;
	const __u64 headers = PRESENT_HEADERS;

	CHECK(parse(&y, x->h.begin, x->h.end) == EXIT_NONE);
	CHECK((x->s.cells[CELL_PRESENT] & headers) == (y.s.cells[CELL_PRESENT] & headers));
	CHECK(x->s.off[BASE_L3] == y.s.off[BASE_L3]);
	if (y.s.cells[CELL_PRESENT] & PRESENT_BIT(IP))
		CHECK(x->s.off[BASE_L4] == y.s.off[BASE_L4]);
	for (unsigned cell = CELL_PRESENT; cell < CELL_DIRECTION; cell++)
		CHECK(x->s.cells[cell] == y.s.cells[cell]);
}

/* Tags go on and off again, and nothing has changed. */
static void push_and_pop(struct subject *x)
{
	const struct step push = {.code = STEP_PUSH_VLAN, .imm = 0x8100}, pop = {.code = STEP_POP_VLAN};
	uint8_t before[FRAME_ROOM * 2];
	size_t size = x->h.end - x->h.begin;

	CHECK(size <= sizeof(before));
	memcpy(before, x->h.begin, size);
	CHECK(write_step(&x->h, &x->s, &push) == EXIT_NONE);
	CHECK(write_step(&x->h, &x->s, &push) == EXIT_NONE);
	CHECK(write_step(&x->h, &x->s, &push) == EXIT_PUSH_FAILED);
	CHECK(write_step(&x->h, &x->s, &pop) == EXIT_NONE);
	CHECK(write_step(&x->h, &x->s, &pop) == EXIT_NONE);
	CHECK(x->h.end - x->h.begin == size && !memcmp(before, x->h.begin, size));
}

void fuzz_one(const uint8_t *data, size_t size)
{
	uint8_t *block = malloc(ROOM_IN_FRONT + size + !size);
	char why[64];
	struct subject x;
	bool right;

	CHECK(block);
	memcpy(block + ROOM_IN_FRONT, data, size);
	if (parse(&x, block + ROOM_IN_FRONT, block + ROOM_IN_FRONT + size) == EXIT_NONE) {
		right = frame_verify(data, size, why, sizeof(why));
		load_all(&x);
		push_and_pop(&x);
		check_again(&x);
		write_all(&x, data, size);
		check_again(&x);
		if (right)
			CHECK(frame_verify(x.h.begin, size, why, sizeof(why)));
	} else {
		load_all(&x);
	}
	free(block);
}
