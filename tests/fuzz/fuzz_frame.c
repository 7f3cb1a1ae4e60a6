// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames.  The parser and the writer by themselves: never an access outside, and what is left parses as before with
 * checksums as right as before.  Then the native datapath with several applications: every frame leaves by exactly
 * one counted exit, and the flow tables stay whole.
 *
 * An input is a set of applications, a port, how often the frame comes, the time between; then the frame. */
#include "fuzz.h"

#include <string.h>

#include "datapath/native.h"
#include "datapath/pkt_rewrite.h"
#include "tables/field.h"
#include "tests/harness/frame.h"
#include "tests/harness/rig_plan.h"

enum { ROOM_IN_FRONT = 8, VALUE = 100, HEAD_SIZE = 4, SWITCHES = 5, TIMES_MAX = 4, LINKED_MAX = 64 };

struct subject {
	struct hook h;
	struct scratch s;
};

void fuzz_seeds(void)
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

		for (uint8_t set = 0; set < SWITCHES; set++) {
			uint8_t input[HEAD_SIZE + FRAME_ROOM] = {set, 1 + i % 3, 3, 30 + i};

			memcpy(input + HEAD_SIZE, f.data, f.size);
			fuzz_seed(input, HEAD_SIZE + f.size);
		}
	}
}

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
		(void)write_step(&x->h, &x->s, NULL, &step);
	}
}

/* Headers that a written type or port makes, or unmakes, of what lies behind it; the parser finds them once a hook. */
#define MADE_BY_A_VALUE                                                                                                \
	(PRESENT_BIT(SRH) | PRESENT_BIT(VXLAN) | PRESENT_BIT(ND) | PRESENT_BIT(ND_LINK) | 0xffULL << PRESENT_INNER_IPV4)

/* A parse of what the frame is now finds what the scratch says, but for the headers in 'but'. */
static void check_again(const struct subject *x, __u64 but)
{
	const __u64 headers = PRESENT_HEADERS & ~but;
	struct subject y;

	CHECK(parse(&y, x->h.begin, x->h.end) == EXIT_NONE);
	CHECK((x->s.cells[CELL_PRESENT] & headers) == (y.s.cells[CELL_PRESENT] & headers));
	CHECK(x->s.off[BASE_L3] == y.s.off[BASE_L3]);
	if (y.s.cells[CELL_PRESENT] & PRESENT_BIT(IP))
		CHECK(x->s.off[BASE_L4] == y.s.off[BASE_L4]);
	for (unsigned cell = CELL_PRESENT + 1; cell < CELL_DIRECTION; cell++)
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
	CHECK(write_step(&x->h, &x->s, NULL, &push) == EXIT_NONE);
	CHECK(write_step(&x->h, &x->s, NULL, &push) == EXIT_NONE);
	CHECK(write_step(&x->h, &x->s, NULL, &push) == EXIT_PUSH_FAILED);
	CHECK(write_step(&x->h, &x->s, NULL, &pop) == EXIT_NONE);
	CHECK(write_step(&x->h, &x->s, NULL, &pop) == EXIT_NONE);
	CHECK(x->h.end - x->h.begin == size && !memcmp(before, x->h.begin, size));
}

static void check_writer(const uint8_t *data, size_t size)
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
		check_again(&x, 0);
		write_all(&x, data, size);
		check_again(&x, MADE_BY_A_VALUE);
		if (right)
			CHECK(frame_verify(x.h.begin, size, why, sizeof(why)));
	} else {
		load_all(&x);
	}
	free(block);
}

/* ---- the whole datapath ---- */

struct subject_switch {
	struct rig_plan plan;
	struct native_switch *native;
	uint64_t exits; /* Frames so far. */
};

static const struct {
	enum hook_id hook;
	const char *app[4];
} sets[SWITCHES] = {
	{HOOK_XDP, {"tests/fuzz/apps/keys.yaml"}},
	{HOOK_XDP, {"tests/fuzz/apps/rewrite.yaml"}},
	{HOOK_TC_EGRESS, {"tests/fuzz/apps/vlan.yaml"}},
	{HOOK_TC_INGRESS, {"tests/fuzz/apps/keys.yaml", "tests/fuzz/apps/vlan.yaml", "tests/fuzz/apps/rewrite.yaml"}},
	{HOOK_XDP, {"examples/port-knocking.yaml", "examples/token-bucket.yaml", "examples/packet-counter.yaml"}},
};

static void open_switch(struct subject_switch *sw, unsigned set)
{
	struct table *table = calloc(1, sizeof(*table));
	struct chain chain;

	CHECK(table && native_new(NULL, &sw->native) == 0);
	sw->plan.hook = sets[set].hook;
	for (unsigned i = 0; i < 4 && sets[set].app[i]; i++)
		rig_plan_add(&sw->plan, sets[set].app[i], NULL, 0);
	for (unsigned a = 0; a < sw->plan.n_apps; a++) {
		for (unsigned i = 0; i < sw->plan.app[a].app->n_tables; i++) {
			unsigned place = sw->plan.app[a].placement.table[i].hook_table;

			rig_plan_encode(&sw->plan, a, i, table);
			CHECK(native_set_table(sw->native, TABLE_INDEX(0, sw->plan.hook, place), table) == 0);
		}
	}
	rig_plan_chain(&sw->plan, 1, &chain);
	CHECK(native_set_chain(sw->native, CHAIN_INDEX(0, sw->plan.hook), &chain) == 0);
	native_set_port(sw->native, 1, true);
	native_set_port(sw->native, 2, true);
	free(table);
}

/* Flow tables are new for each input, so that it alone decides what happens.  Examples ask for many flows: few do. */
static void empty_flows(struct subject_switch *sw)
{
	native_set_seed(sw->native, 1);
	for (unsigned i = 0; i < sw->plan.n_flows; i++) {
		const struct layout *layout = sw->plan.flow[i].layout;

		CHECK(native_add_flow_table(sw->native, i, layout->record_class, layout->key_words,
					    layout->capacity < 8 ? layout->capacity : 8) == 0);
	}
}

static uint64_t count_exits(struct subject_switch *sw)
{
	uint64_t sum = 0;
	struct counter c;

	for (unsigned port = 0; port <= PORTS_MAX; port++) {
		for (unsigned reason = 0; reason < EXIT_REASON_ROOM; reason++) {
			native_counter(sw->native, COUNTER_EXIT(sw->plan.hook, port, reason), &c);
			sum += c.packets;
		}
	}
	return sum;
}

struct walk {
	const struct layout *layout;
	unsigned n;
	uint64_t key[8][KEY_WORDS_MAX];
};

/* At most one live record a key (F2), in a state the table has. */
static int check_flow(void *data, unsigned slot, const __u64 *words)
{
	struct walk *walk = data;
	const __u64 *key = words + FLOW_HEAD_WORDS;
	size_t size = walk->layout->key_words * sizeof(key[0]);
	struct flow_head head;

	memcpy(&head, words, sizeof(head));
	CHECK(!(head.change & 1) && head.state < STATES_MAX);
	for (unsigned i = 0; i < walk->n; i++)
		CHECK(memcmp(walk->key[i], key, size) != 0);
	CHECK(walk->n < 8);
	memcpy(walk->key[walk->n++], key, size);
	return 0;
}

static void run_frame(struct subject_switch *sw, unsigned port, uint64_t now_ns, const uint8_t *data, size_t size)
{
	size_t room = NATIVE_HEADROOM + size + LINKED_MAX;
	uint8_t *block = malloc(room), *frame;
	static struct native_result result;
	char why[64];

	CHECK(block);
	frame = block + NATIVE_HEADROOM;
	memcpy(frame, data, size);
	CHECK(native_run(sw->native, sw->plan.hook, port, now_ns, &frame, size, room - NATIVE_HEADROOM, 1, &result) ==
	      0);
	CHECK(count_exits(sw) == ++sw->exits && result.exit != EXIT_NONE);
	CHECK(frame >= block && frame + result.size <= block + room);
	if (frame_verify(data, size, why, sizeof(why)))
		CHECK(frame_verify(frame, result.size, why, sizeof(why)));
	for (unsigned i = 0; i < sw->plan.n_flows; i++) {
		struct walk walk = {.layout = sw->plan.flow[i].layout};

		CHECK(native_flows(sw->native, i, check_flow, &walk) == 0);
	}
	free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct subject_switch switches[SWITCHES];
	struct bytes in = {data, size};
	unsigned set = bytes_u8(&in) % SWITCHES, port = bytes_u8(&in) % (PORTS_MAX + 1);
	unsigned times = 1 + bytes_u8(&in) % TIMES_MAX;
	uint64_t step_ns = 1ull << bytes_u8(&in) % 64, now_ns = 1000000000;

	check_writer(in.at, in.left);
	if (!switches[set].native)
		open_switch(&switches[set], set);
	empty_flows(&switches[set]);
	for (unsigned i = 0; i < times; i++, now_ns += step_ns)
		run_frame(&switches[set], port, now_ns, in.at, in.left);
	return 0;
}
