// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the parser finds headers, and what it says of frames that end early or contradict themselves. */
#include "bench.h"

#include <stdio.h>

#define IPV4_BITS (NEED(ETH) | NEED(IPV4) | NEED(IP))
#define IPV6_BITS (NEED(ETH) | NEED(IPV6) | NEED(IP))

struct parse_case {
	const char *name;
	struct pkt pkt;
	__u64 present;
	unsigned l3, l4, eth_type, proto, payload, frag_offset;
};

static const struct parse_case cases[] = {
	{.name = "an unknown ethertype",
	 .pkt = {.eth_type = 0x88b5, .payload_size = 20},
	 .present = NEED(ETH),
	 .l3 = 14,
	 .payload = 20,
	 .eth_type = 0x88b5},
	{.name = "a length instead of a type",
	 .pkt = {.eth_type = 0x20, .payload_size = 32},
	 .present = NEED(ETH),
	 .l3 = 14,
	 .payload = 32,
	 .eth_type = 0x20},
	{.name = "ARP", .pkt = {.arp_op = 1}, .present = NEED(ETH) | NEED(ARP), .l3 = 14, .eth_type = 0x0806},
	{.name = "ARP behind a tag",
	 .pkt = {.arp_op = 2, .vlan_id = 7},
	 .present = NEED(ETH) | NEED(ARP) | NEED(VLAN),
	 .l3 = 18,
	 .eth_type = 0x0806},
	{.name = "UDP",
	 .pkt = {.udp_dport = 53, .payload_size = 9},
	 .present = IPV4_BITS | NEED(UDP) | NEED(L4),
	 .l3 = 14,
	 .eth_type = 0x0800,
	 .l4 = 34,
	 .proto = 17,
	 .payload = 9},
	{.name = "UDP with padding behind it",
	 .pkt = {.udp_dport = 53, .payload_size = 1, .trailer = 17},
	 .present = IPV4_BITS | NEED(UDP) | NEED(L4),
	 .l3 = 14,
	 .eth_type = 0x0800,
	 .l4 = 34,
	 .proto = 17,
	 .payload = 1},
	{.name = "TCP",
	 .pkt = {.tcp_dport = 80, .payload_size = 5},
	 .present = IPV4_BITS | NEED(TCP) | NEED(L4),
	 .l3 = 14,
	 .eth_type = 0x0800,
	 .l4 = 34,
	 .proto = 6,
	 .payload = 5},
	{.name = "TCP with options on both",
	 .pkt = {.tcp_dport = 80, .tcp_options = 12, .ip_options = 24, .payload_size = 5},
	 .present = IPV4_BITS | NEED(TCP) | NEED(L4),
	 .l3 = 14,
	 .eth_type = 0x0800,
	 .l4 = 58,
	 .proto = 6,
	 .payload = 5},
	{.name = "all the options there can be",
	 .pkt = {.tcp_dport = 80, .tcp_options = 40, .ip_options = 40},
	 .present = IPV4_BITS | NEED(TCP) | NEED(L4),
	 .l3 = 14,
	 .eth_type = 0x0800,
	 .l4 = 74,
	 .proto = 6},
	{.name = "ICMP",
	 .pkt = {.icmp_id = 1, .payload_size = 3},
	 .present = IPV4_BITS | NEED(ICMP),
	 .l3 = 14,
	 .eth_type = 0x0800,
	 .l4 = 34,
	 .proto = 1,
	 .payload = 3},
	{.name = "a protocol we do not know",
	 .pkt = {.ip_proto = 47, .payload_size = 3},
	 .present = IPV4_BITS,
	 .l3 = 14,
	 .eth_type = 0x0800,
	 .l4 = 34,
	 .proto = 47,
	 .payload = 3},
	{.name = "ICMPv6 inside IPv4",
	 .pkt = {.ip_proto = 58, .payload_size = 3},
	 .present = IPV4_BITS,
	 .l3 = 14,
	 .eth_type = 0x0800,
	 .l4 = 34,
	 .proto = 58,
	 .payload = 3},
	{.name = "one tag",
	 .pkt = {.udp_dport = 1, .vlan_id = 5},
	 .present = IPV4_BITS | NEED(UDP) | NEED(L4) | NEED(VLAN),
	 .l3 = 18,
	 .eth_type = 0x0800,
	 .l4 = 38,
	 .proto = 17},
	{.name = "two tags",
	 .pkt = {.udp_dport = 1, .vlan_id = 5, .vlan2_id = 6},
	 .present = IPV4_BITS | NEED(UDP) | NEED(L4) | NEED(VLAN) | NEED(VLAN2),
	 .l3 = 22,
	 .eth_type = 0x0800,
	 .l4 = 42,
	 .proto = 17},
	{.name = "a third tag",
	 .pkt = {.eth_type = 0x8100, .vlan_id = 5, .vlan2_id = 6, .payload_size = 30},
	 .present = NEED(ETH) | NEED(VLAN) | NEED(VLAN2),
	 .l3 = 22,
	 .payload = 30,
	 .eth_type = 0x8100},
	{.name = "a first fragment",
	 .pkt = {.udp_dport = 1, .more_fragments = 1, .payload_size = 16},
	 .present = IPV4_BITS | NEED(UDP) | NEED(L4) | NEED(FRAGMENT),
	 .l3 = 14,
	 .eth_type = 0x0800,
	 .l4 = 34,
	 .proto = 17,
	 .payload = 16},
	{.name = "a later fragment",
	 .pkt = {.udp_dport = 1, .frag_offset = 1480, .payload_size = 16},
	 .present = IPV4_BITS | NEED(FRAGMENT),
	 .l3 = 14,
	 .eth_type = 0x0800,
	 .l4 = 34,
	 .proto = 17,
	 .payload = 16,
	 .frag_offset = 1480},
	{.name = "the largest offset",
	 .pkt = {.tcp_dport = 1, .frag_offset = 65528, .payload_size = 3},
	 .present = IPV4_BITS | NEED(FRAGMENT),
	 .l3 = 14,
	 .eth_type = 0x0800,
	 .l4 = 34,
	 .proto = 6,
	 .payload = 3,
	 .frag_offset = 65528},
	{.name = "TCP over IPv6",
	 .pkt = {.ip6 = true, .tcp_dport = 80, .payload_size = 5},
	 .present = IPV6_BITS | NEED(TCP) | NEED(L4),
	 .l3 = 14,
	 .eth_type = 0x86dd,
	 .l4 = 54,
	 .proto = 6,
	 .payload = 5},
	{.name = "UDP over IPv6",
	 .pkt = {.ip6 = true, .udp_dport = 80, .payload_size = 5},
	 .present = IPV6_BITS | NEED(UDP) | NEED(L4),
	 .l3 = 14,
	 .eth_type = 0x86dd,
	 .l4 = 54,
	 .proto = 17,
	 .payload = 5},
	{.name = "ICMPv6",
	 .pkt = {.ip6 = true, .icmp_id = 1},
	 .present = IPV6_BITS | NEED(ICMPV6),
	 .l3 = 14,
	 .eth_type = 0x86dd,
	 .l4 = 54,
	 .proto = 58},
	{.name = "ICMP inside IPv6",
	 .pkt = {.ip6 = true, .ip_proto = 1, .payload_size = 9},
	 .present = IPV6_BITS,
	 .l3 = 14,
	 .eth_type = 0x86dd,
	 .l4 = 54,
	 .proto = 1,
	 .payload = 9},
	{.name = "no next header",
	 .pkt = {.ip6 = true, .ip_proto = 59, .payload_size = 9},
	 .present = IPV6_BITS,
	 .l3 = 14,
	 .eth_type = 0x86dd,
	 .l4 = 54,
	 .proto = 59,
	 .payload = 9},
	{.name = "one extension header of each kind",
	 .pkt = {.ip6 = true,
		 .tcp_dport = 80,
		 .hopopts = 1,
		 .routing = 1,
		 .frag6 = true,
		 .dstopts = 1,
		 .payload_size = 2},
	 .present = IPV6_BITS | NEED(TCP) | NEED(L4) | NEED(HOPOPTS) | NEED(ROUTING) | NEED(FRAG6) | NEED(DSTOPTS),
	 .l3 = 14,
	 .eth_type = 0x86dd,
	 .l4 = 86,
	 .proto = 6,
	 .payload = 2},
	{.name = "as many extension headers as are followed",
	 .pkt = {.ip6 = true, .udp_dport = 80, .dstopts = EXT_HEADERS_MAX},
	 .present = IPV6_BITS | NEED(UDP) | NEED(L4) | NEED(DSTOPTS),
	 .l3 = 14,
	 .eth_type = 0x86dd,
	 .l4 = 54 + 8 * EXT_HEADERS_MAX,
	 .proto = 17},
	{.name = "long extension headers",
	 .pkt = {.ip6 = true, .udp_dport = 80, .hopopts = 1, .ext_len = 30},
	 .present = IPV6_BITS | NEED(UDP) | NEED(L4) | NEED(HOPOPTS),
	 .l3 = 14,
	 .eth_type = 0x86dd,
	 .l4 = 54 + 248,
	 .proto = 17},
	{.name = "a first fragment of IPv6",
	 .pkt = {.ip6 = true, .udp_dport = 1, .more_fragments = 1, .payload_size = 16},
	 .present = IPV6_BITS | NEED(UDP) | NEED(L4) | NEED(FRAGMENT) | NEED(FRAG6),
	 .l3 = 14,
	 .eth_type = 0x86dd,
	 .l4 = 62,
	 .proto = 17,
	 .payload = 16},
	{.name = "a later fragment of IPv6",
	 .pkt = {.ip6 = true, .udp_dport = 1, .frag_offset = 1448, .payload_size = 16},
	 .present = IPV6_BITS | NEED(FRAGMENT) | NEED(FRAG6),
	 .l3 = 14,
	 .eth_type = 0x86dd,
	 .l4 = 62,
	 .proto = 17,
	 .payload = 16,
	 .frag_offset = 1448},
	{.name = "a later fragment that begins with an option header",
	 .pkt = {.ip6 = true, .udp_dport = 1, .frag_offset = 8, .dstopts = 1, .payload_size = 16},
	 .present = IPV6_BITS | NEED(FRAGMENT) | NEED(FRAG6),
	 .l3 = 14,
	 .eth_type = 0x86dd,
	 .l4 = 62,
	 .proto = 60,
	 .payload = 24,
	 .frag_offset = 8},
};

static void every_header_is_found_where_it_is(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct parse_case *c = &cases[i];
		struct frame f = frame_make(&c->pkt);
		struct bench b;

		print_message("%s\n", c->name);
		assert_int_equal(bench_parse(&b, f.data, f.size), EXIT_NONE);
		assert_int_equal(b.s.cells[CELL_PRESENT], c->present);
		assert_int_equal(b.s.off[BASE_ETH], 0);
		assert_int_equal(b.s.off[BASE_L3], c->l3);
		if (c->l4)
			assert_int_equal(b.s.off[BASE_L4], c->l4);
		assert_int_equal(b.s.cells[CELL_ETH_TYPE], c->eth_type);
		assert_int_equal(b.s.cells[CELL_IP_PROTO], c->proto);
		assert_int_equal(b.s.cells[CELL_PAYLOAD_LENGTH], c->payload);
		assert_int_equal(b.s.cells[CELL_FRAG_OFFSET], c->frag_offset);
		bench_done(&b);
	}
}

/* Where the packet ends, without what Ethernet added. */
static unsigned packet_end(const struct parse_case *c, const struct frame *f)
{
	switch (c->eth_type) {
	case ETHER_IPV4:
	case ETHER_IPV6: return f->size - c->pkt.trailer;
	case ETHER_ARP: return c->l3 + ARP_SIZE;
	default: return c->l3;
	}
}

static void a_frame_cut_anywhere_is_short_and_never_read_outside(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame f = frame_make(&cases[i].pkt);
		unsigned end = packet_end(&cases[i], &f);

		print_message("%s\n", cases[i].name);
		for (unsigned size = 0; size < f.size; size++) {
			struct bench b;

			assert_int_equal(bench_parse(&b, f.data, size), size < end ? EXIT_PARSE_SHORT : EXIT_NONE);
			bench_done(&b);
		}
	}
}

struct patch {
	unsigned off;
	uint8_t value;
};
struct broken_case {
	const char *name;
	struct pkt pkt;
	struct patch patch[4];
	enum exit_reason reason;
};

static const struct broken_case broken[] = {
	{"IPv4: another version", {.udp_dport = 1}, {{14, 0x55}}, EXIT_PARSE_MALFORMED},
	{"IPv4: header of 16 bytes", {.udp_dport = 1}, {{14, 0x44}}, EXIT_PARSE_MALFORMED},
	{"IPv4: length shorter than the header", {.udp_dport = 1}, {{16, 0}, {17, 19}}, EXIT_PARSE_MALFORMED},
	{"IPv4: length 0", {.udp_dport = 1}, {{16, 0}, {17, 0}}, EXIT_PARSE_MALFORMED},
	{"IPv4: header longer than the length", {.udp_dport = 1}, {{14, 0x4f}}, EXIT_PARSE_MALFORMED},
	{"IPv4: length longer than the frame", {.udp_dport = 1}, {{17, 29}}, EXIT_PARSE_SHORT},
	{"IPv4: length cuts UDP", {.udp_dport = 1}, {{17, 27}}, EXIT_PARSE_MALFORMED},
	{"IPv4: length cuts TCP", {.tcp_dport = 1}, {{17, 39}}, EXIT_PARSE_MALFORMED},
	{"IPv4: length cuts ICMP", {.icmp_id = 1}, {{17, 27}}, EXIT_PARSE_MALFORMED},
	{"TCP: offset 4", {.tcp_dport = 1}, {{46, 0x40}}, EXIT_PARSE_MALFORMED},
	{"TCP: offset beyond the packet", {.tcp_dport = 1}, {{46, 0x60}}, EXIT_PARSE_MALFORMED},
	{"UDP: length 7", {.udp_dport = 1}, {{39, 7}}, EXIT_PARSE_MALFORMED},
	{"UDP: length beyond the packet", {.udp_dport = 1}, {{39, 9}}, EXIT_PARSE_MALFORMED},
	{"UDP: length of all fragments",
	 {.udp_dport = 1, .more_fragments = 1, .payload_size = 8},
	 {{38, 9}},
	 EXIT_NONE},
	{"a first fragment that cuts TCP",
	 {.ip_proto = 6, .more_fragments = 1, .payload_size = 8},
	 {{0}},
	 EXIT_PARSE_MALFORMED},
	{"IPv6: another version", {.ip6 = true}, {{14, 0x40}}, EXIT_PARSE_MALFORMED},
	{"IPv6: length longer than the frame", {.ip6 = true}, {{19, 9}}, EXIT_PARSE_SHORT},
	{"IPv6: length cuts UDP", {.ip6 = true}, {{19, 7}}, EXIT_PARSE_MALFORMED},
	{"IPv6: length cuts an extension header", {.ip6 = true, .hopopts = 1}, {{19, 7}}, EXIT_PARSE_MALFORMED},
	{"IPv6: extension header longer than the packet", {.ip6 = true, .hopopts = 1}, {{55, 3}}, EXIT_PARSE_MALFORMED},
	{"IPv6: v4-mapped source", {.ip_src = "::ffff:192.0.2.1"}, {{0}}, EXIT_PARSE_MAPPED},
	{"IPv6: v4-mapped destination", {.ip_dst = "::ffff:192.0.2.1", .ip_src = "::1"}, {{0}}, EXIT_PARSE_MAPPED},
	{"IPv6: nearly v4-mapped", {.ip_src = "::fffe:192.0.2.1"}, {{0}}, EXIT_NONE},
	{"IPv6: one extension header too many", {.ip6 = true, .dstopts = EXT_HEADERS_MAX + 1}, {{0}}, EXIT_PARSE_DEPTH},
	{"IPv6: options beyond the offsets that are followed",
	 {.ip6 = true, .hopopts = 7, .ext_len = 35, .payload_size = 8},
	 {{0}},
	 EXIT_PARSE_DEPTH},
	{"ARP: not Ethernet", {.arp_op = 1}, {{15, 6}}, EXIT_NONE},
	{"ARP: other address lengths", {.arp_op = 1}, {{18, 8}}, EXIT_NONE},
};

static void headers_that_contradict_have_their_reason(void **state)
{
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct frame f = frame_make(&broken[i].pkt);
		struct bench b;

		for (int k = 0; k < 4; k++)
			if (broken[i].patch[k].off)
				f.data[broken[i].patch[k].off] = broken[i].patch[k].value;
		print_message("%s\n", broken[i].name);
		assert_int_equal(bench_parse(&b, f.data, f.size), broken[i].reason);
		if (broken[i].pkt.arp_op)
			assert_int_equal(b.s.cells[CELL_PRESENT], NEED(ETH));
		bench_done(&b);
	}
}

static void an_aggregate_too_long_for_ip_ends_with_the_frame(void **state)
{
	struct frame f = PKT(.tcp_dport = 80, .payload_size = 100);
	struct bench b;

	f.data[16] = f.data[17] = 0;
	bench_set(&b, f.data, f.size);
	b.h.frames = 2;
	assert_int_equal(pkt_parse(&b.h, &b.s), EXIT_NONE);
	assert_int_equal(b.s.cells[CELL_PAYLOAD_LENGTH], 100);
	bench_done(&b);
}

static void tags_are_kept_as_cells(void **state)
{
	struct frame f = PKT(.vlan_id = 5, .vlan_prio = 3, .vlan_dei = 1, .vlan2_id = 0xfff);
	struct bench b;

	assert_int_equal(bench_parse(&b, f.data, f.size), EXIT_NONE);
	assert_int_equal(b.s.cells[CELL_VLAN_TPID], 0x88a8);
	assert_int_equal(b.s.cells[CELL_VLAN_TCI], 0x7005);
	assert_int_equal(b.s.cells[CELL_VLAN2_TPID], 0x8100);
	assert_int_equal(b.s.cells[CELL_VLAN2_TCI], 0xfff);
	bench_done(&b);
	f = PKT();
	assert_int_equal(bench_parse(&b, f.data, f.size), EXIT_NONE);
	for (unsigned cell = CELL_VLAN_TCI; cell <= CELL_VLAN2_TPID; cell++)
		assert_int_equal(b.s.cells[cell], 0);
	bench_done(&b);
}

static void bits_that_are_no_headers_stay(void **state)
{
	const __u64 others = NEED(IN_PORT) | NEED(OUT_PORT) | 1ULL << (PRESENT_TABLE_SHIFT + 3);
	struct frame f = PKT(.arp_op = 1);
	struct bench b;

	bench_set(&b, f.data, f.size);
	b.s.cells[CELL_PRESENT] = others | NEED(TCP);
	assert_int_equal(pkt_parse(&b.h, &b.s), EXIT_NONE);
	assert_int_equal(b.s.cells[CELL_PRESENT], others | NEED(ETH) | NEED(ARP));
	bench_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_header_is_found_where_it_is),
		cmocka_unit_test(a_frame_cut_anywhere_is_short_and_never_read_outside),
		cmocka_unit_test(headers_that_contradict_have_their_reason),
		cmocka_unit_test(an_aggregate_too_long_for_ip_ends_with_the_frame),
		cmocka_unit_test(tags_are_kept_as_cells),
		cmocka_unit_test(bits_that_are_no_headers_stay),
	};

	return cmocka_run_group_tests_name("pkt_parse", tests, NULL, NULL);
}
