/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge_packet.h"

#include <netinet/in.h>
#include <string.h>

#include "judge_sum.h"

enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IPV6 = 0x86dd, TYPE_TAG = 0x8100, TYPE_TAG_AD = 0x88a8 };
enum { TAG_AT = 12, TAG_BYTES = 4, EXTENSIONS_MAX = 8 };

static unsigned get16(const struct judge_packet *p, unsigned at)
{
	return judge_bits_get(p->frame.data + at, 0, 16);
}

/* ---- headers --------------------------------------------------------------------------------- */

static bool reaches(const struct judge_packet *p, unsigned at, unsigned size)
{
	return at + size <= p->frame.size;
}

static void found(struct judge_packet *p, enum judge_header header, unsigned at)
{
	p->has[header] = true;
	p->at[header] = at;
}

/* Up to two tags.  Leaves in '*at' where the payload begins. */
static enum judge_fault read_tags(struct judge_packet *p, unsigned *at)
{
	static const enum judge_header tags[] = {JUDGE_VLAN, JUDGE_VLAN2};

	p->has[JUDGE_VLAN] = p->has[JUDGE_VLAN2] = false;
	*at = TAG_AT;
	p->eth_type = get16(p, *at);
	for (unsigned i = 0; i < 2 && (p->eth_type == TYPE_TAG || p->eth_type == TYPE_TAG_AD); i++) {
		if (!reaches(p, *at + 2, TAG_BYTES))
			return JUDGE_SHORT;
		found(p, tags[i], *at);
		*at += TAG_BYTES;
		p->eth_type = get16(p, *at);
	}
	*at += 2;
	return JUDGE_GOOD;
}

static enum judge_fault read_arp(struct judge_packet *p, unsigned at)
{
	static const uint8_t ethernet_ipv4[6] = {0, 1, 8, 0, 6, 4};

	if (!reaches(p, at, 8))
		return JUDGE_SHORT;
	if (memcmp(p->frame.data + at, ethernet_ipv4, sizeof(ethernet_ipv4)) != 0)
		return JUDGE_GOOD;
	if (!reaches(p, at, 28))
		return JUDGE_SHORT;
	found(p, JUDGE_ARP, at);
	return JUDGE_GOOD;
}

static enum judge_fault read_tcp(struct judge_packet *p, unsigned at)
{
	unsigned header;

	if (at + 20 > p->end)
		return JUDGE_MALFORMED;
	header = (p->frame.data[at + 12] >> 4) * 4;
	if (header < 20 || at + header > p->end)
		return JUDGE_MALFORMED;
	found(p, JUDGE_TCP, at);
	p->payload_length -= header;
	return JUDGE_GOOD;
}

static enum judge_fault read_udp(struct judge_packet *p, unsigned at)
{
	unsigned length;

	if (at + 8 > p->end)
		return JUDGE_MALFORMED;
	length = get16(p, at + 4);
	if (length < 8 || (at + length > p->end && !p->fragment))
		return JUDGE_MALFORMED;
	found(p, JUDGE_UDP, at);
	p->payload_length -= 8;
	return JUDGE_GOOD;
}

static enum judge_fault read_icmp(struct judge_packet *p, enum judge_header header, unsigned at)
{
	if (at + 8 > p->end)
		return JUDGE_MALFORMED;
	found(p, header, at);
	p->payload_length -= 8;
	return JUDGE_GOOD;
}

static enum judge_fault read_l4(struct judge_packet *p, unsigned at)
{
	p->l4 = at;
	p->payload_length = p->end - at;
	if (p->frag_offset)
		return JUDGE_GOOD;
	if (p->proto == IPPROTO_TCP)
		return read_tcp(p, at);
	if (p->proto == IPPROTO_UDP)
		return read_udp(p, at);
	if (p->proto == IPPROTO_ICMP && p->has[JUDGE_IPV4])
		return read_icmp(p, JUDGE_ICMP, at);
	if (p->proto == IPPROTO_ICMPV6 && p->has[JUDGE_IPV6])
		return read_icmp(p, JUDGE_ICMPV6, at);
	return JUDGE_GOOD;
}

static enum judge_fault read_ipv4(struct judge_packet *p, unsigned at)
{
	const uint8_t *header = p->frame.data + at;
	unsigned size, fragment;

	if (!reaches(p, at, 20))
		return JUDGE_SHORT;
	size = (header[0] & 15) * 4;
	fragment = get16(p, at + 6);
	p->end = at + get16(p, at + 2);
	if (header[0] >> 4 != 4 || size < 20 || p->end < at + size)
		return JUDGE_MALFORMED;
	if (p->end > p->frame.size)
		return JUDGE_SHORT;
	found(p, JUDGE_IPV4, at);
	p->proto = header[9];
	p->frag_offset = (fragment & 0x1fff) * 8;
	p->fragment = fragment & 0x3fff;
	return read_l4(p, at + size);
}

static bool is_mapped(const uint8_t *addr)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, prefix, sizeof(prefix)) == 0;
}

static bool extension(unsigned proto, enum judge_header *ret_header)
{
	switch (proto) {
	case IPPROTO_HOPOPTS: *ret_header = JUDGE_HOPOPTS; return true;
	case IPPROTO_ROUTING: *ret_header = JUDGE_ROUTING; return true;
	case IPPROTO_FRAGMENT: *ret_header = JUDGE_FRAG6; return true;
	case IPPROTO_DSTOPTS: *ret_header = JUDGE_DSTOPTS; return true;
	}
	return false;
}

/* The extension headers from '*at' on; behind a later fragment's header lies no other. */
static enum judge_fault read_extensions(struct judge_packet *p, unsigned *at)
{
	enum judge_header header;

	for (unsigned n = 0; extension(p->proto, &header) && !p->frag_offset; n++) {
		if (n == EXTENSIONS_MAX)
			return JUDGE_DEPTH;
		if (!reaches(p, *at, 8))
			return JUDGE_SHORT;
		found(p, header, *at);
		p->proto = p->frame.data[*at];
		if (header == JUDGE_FRAG6) {
			p->frag_offset = get16(p, *at + 2) & 0xfff8;
			p->fragment = p->fragment || get16(p, *at + 2) & 0xfff9;
			*at += 8;
		} else {
			*at += 8 + 8 * p->frame.data[*at + 1];
		}
		if (*at > p->end)
			return JUDGE_MALFORMED;
	}
	return JUDGE_GOOD;
}

static enum judge_fault read_ipv6(struct judge_packet *p, unsigned at)
{
	const uint8_t *header = p->frame.data + at;
	enum judge_fault fault;

	if (!reaches(p, at, 40))
		return JUDGE_SHORT;
	if (header[0] >> 4 != 6)
		return JUDGE_MALFORMED;
	if (is_mapped(header + 8) || is_mapped(header + 24))
		return JUDGE_MAPPED;
	found(p, JUDGE_IPV6, at);
	p->proto = header[6];
	p->end = at + 40 + get16(p, at + 4);
	if (p->end > p->frame.size)
		return JUDGE_SHORT;
	at += 40;
	fault = read_extensions(p, &at);
	return fault ? fault : read_l4(p, at);
}

enum judge_fault judge_packet_read(const struct frame *frame, struct judge_packet *ret_packet)
{
	struct judge_packet *p = ret_packet;
	enum judge_fault fault;
	unsigned at;

	memset(p, 0, sizeof(*p));
	p->frame = *frame;
	if (!reaches(p, 0, 14))
		return JUDGE_SHORT;
	found(p, JUDGE_ETH, 0);
	fault = read_tags(p, &at);
	if (fault)
		return fault;
	p->l3 = at;
	switch (p->eth_type) {
	case TYPE_ARP: return read_arp(p, at);
	case TYPE_IPV4: return read_ipv4(p, at);
	case TYPE_IPV6: return read_ipv6(p, at);
	}
	p->end = frame->size;
	return JUDGE_GOOD;
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* Where a field's first bit is, from the beginning of its header.  A tag begins with its ethertype. */
static const struct field_place {
	const char *name;
	enum judge_header header;
	unsigned bit, bits;
} places[] = {
	{"eth.dst", JUDGE_ETH, 0, 48},
	{"eth.src", JUDGE_ETH, 48, 48},
	{"vlan.tpid", JUDGE_VLAN, 0, 16},
	{"vlan.prio", JUDGE_VLAN, 16, 3},
	{"vlan.dei", JUDGE_VLAN, 19, 1},
	{"vlan.id", JUDGE_VLAN, 20, 12},
	{"vlan2.tpid", JUDGE_VLAN2, 0, 16},
	{"vlan2.prio", JUDGE_VLAN2, 16, 3},
	{"vlan2.dei", JUDGE_VLAN2, 19, 1},
	{"vlan2.id", JUDGE_VLAN2, 20, 12},
	{"arp.htype", JUDGE_ARP, 0, 16},
	{"arp.ptype", JUDGE_ARP, 16, 16},
	{"arp.hlen", JUDGE_ARP, 32, 8},
	{"arp.plen", JUDGE_ARP, 40, 8},
	{"arp.op", JUDGE_ARP, 48, 16},
	{"arp.sha", JUDGE_ARP, 64, 48},
	{"arp.spa", JUDGE_ARP, 112, 32},
	{"arp.tha", JUDGE_ARP, 144, 48},
	{"arp.tpa", JUDGE_ARP, 192, 32},
	{"ipv4.version", JUDGE_IPV4, 0, 4},
	{"ipv4.ihl", JUDGE_IPV4, 4, 4},
	{"ipv4.tos", JUDGE_IPV4, 8, 8},
	{"ipv4.dscp", JUDGE_IPV4, 8, 6},
	{"ipv4.ecn", JUDGE_IPV4, 14, 2},
	{"ipv4.length", JUDGE_IPV4, 16, 16},
	{"ipv4.id", JUDGE_IPV4, 32, 16},
	{"ipv4.df", JUDGE_IPV4, 49, 1},
	{"ipv4.mf", JUDGE_IPV4, 50, 1},
	{"ipv4.frag_offset", JUDGE_IPV4, 51, 13},
	{"ipv4.ttl", JUDGE_IPV4, 64, 8},
	{"ipv4.proto", JUDGE_IPV4, 72, 8},
	{"ipv4.checksum", JUDGE_IPV4, 80, 16},
	{"ipv4.src", JUDGE_IPV4, 96, 32},
	{"ipv4.dst", JUDGE_IPV4, 128, 32},
	{"ipv6.version", JUDGE_IPV6, 0, 4},
	{"ipv6.traffic_class", JUDGE_IPV6, 4, 8},
	{"ipv6.dscp", JUDGE_IPV6, 4, 6},
	{"ipv6.ecn", JUDGE_IPV6, 10, 2},
	{"ipv6.flow_label", JUDGE_IPV6, 12, 20},
	{"ipv6.payload_length", JUDGE_IPV6, 32, 16},
	{"ipv6.next_header", JUDGE_IPV6, 48, 8},
	{"ipv6.hop_limit", JUDGE_IPV6, 56, 8},
	{"ipv6.src", JUDGE_IPV6, 64, 128},
	{"ipv6.dst", JUDGE_IPV6, 192, 128},
	{"hopopts.next_header", JUDGE_HOPOPTS, 0, 8},
	{"hopopts.length", JUDGE_HOPOPTS, 8, 8},
	{"routing.next_header", JUDGE_ROUTING, 0, 8},
	{"routing.length", JUDGE_ROUTING, 8, 8},
	{"routing.type", JUDGE_ROUTING, 16, 8},
	{"routing.segments_left", JUDGE_ROUTING, 24, 8},
	{"frag6.next_header", JUDGE_FRAG6, 0, 8},
	{"frag6.offset", JUDGE_FRAG6, 16, 13},
	{"frag6.mf", JUDGE_FRAG6, 31, 1},
	{"frag6.id", JUDGE_FRAG6, 32, 32},
	{"dstopts.next_header", JUDGE_DSTOPTS, 0, 8},
	{"dstopts.length", JUDGE_DSTOPTS, 8, 8},
	{"tcp.src", JUDGE_TCP, 0, 16},
	{"tcp.dst", JUDGE_TCP, 16, 16},
	{"tcp.seq", JUDGE_TCP, 32, 32},
	{"tcp.ack", JUDGE_TCP, 64, 32},
	{"tcp.offset", JUDGE_TCP, 96, 4},
	{"tcp.flags", JUDGE_TCP, 104, 8},
	{"tcp.window", JUDGE_TCP, 112, 16},
	{"tcp.checksum", JUDGE_TCP, 128, 16},
	{"tcp.urgent", JUDGE_TCP, 144, 16},
	{"udp.src", JUDGE_UDP, 0, 16},
	{"udp.dst", JUDGE_UDP, 16, 16},
	{"udp.length", JUDGE_UDP, 32, 16},
	{"udp.checksum", JUDGE_UDP, 48, 16},
	{"icmp.type", JUDGE_ICMP, 0, 8},
	{"icmp.code", JUDGE_ICMP, 8, 8},
	{"icmp.checksum", JUDGE_ICMP, 16, 16},
	{"icmp.id", JUDGE_ICMP, 32, 16},
	{"icmp.seq", JUDGE_ICMP, 48, 16},
	{"icmpv6.type", JUDGE_ICMPV6, 0, 8},
	{"icmpv6.code", JUDGE_ICMPV6, 8, 8},
	{"icmpv6.checksum", JUDGE_ICMPV6, 16, 16},
	{"icmpv6.id", JUDGE_ICMPV6, 32, 16},
	{"icmpv6.seq", JUDGE_ICMPV6, 48, 16},
};

/* One name for two protocols. */
static const struct alias {
	const char *name, *one, *other;
} aliases[] = {
	{"ip.src", "ipv4.src", "ipv6.src"},	  {"ip.dst", "ipv4.dst", "ipv6.dst"},
	{"ip.ttl", "ipv4.ttl", "ipv6.hop_limit"}, {"ip.dscp", "ipv4.dscp", "ipv6.dscp"},
	{"ip.ecn", "ipv4.ecn", "ipv6.ecn"},	  {"ip.tos", "ipv4.tos", "ipv6.traffic_class"},
	{"l4.src", "tcp.src", "udp.src"},	  {"l4.dst", "tcp.dst", "udp.dst"},
};

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static const struct field_place *find_place(const struct judge_packet *p, const char *name)
{
	for (unsigned i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (is(aliases[i].name, name)) {
			const struct field_place *one = find_place(p, aliases[i].one);

			return one ? one : find_place(p, aliases[i].other);
		}
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (is(places[i].name, name))
			return p->has[places[i].header] ? &places[i] : NULL;
	return NULL;
}

static bool has_ip(const struct judge_packet *p)
{
	return p->has[JUDGE_IPV4] || p->has[JUDGE_IPV6];
}

static bool has_l4(const struct judge_packet *p)
{
	return p->has[JUDGE_TCP] || p->has[JUDGE_UDP];
}

static bool has_header(const struct judge_packet *p, const char *name)
{
	static const char *const names[JUDGE_HEADER_MAX] = {
		[JUDGE_ETH] = "eth",	     [JUDGE_VLAN] = "vlan",	  [JUDGE_VLAN2] = "vlan2",
		[JUDGE_ARP] = "arp",	     [JUDGE_IPV4] = "ipv4",	  [JUDGE_IPV6] = "ipv6",
		[JUDGE_HOPOPTS] = "hopopts", [JUDGE_ROUTING] = "routing", [JUDGE_FRAG6] = "frag6",
		[JUDGE_DSTOPTS] = "dstopts", [JUDGE_TCP] = "tcp",	  [JUDGE_UDP] = "udp",
		[JUDGE_ICMP] = "icmp",	     [JUDGE_ICMPV6] = "icmpv6"};

	for (unsigned i = 0; i < JUDGE_HEADER_MAX; i++)
		if (p->has[i] && is(names[i], name))
			return true;
	return (is(name, "ip") && has_ip(p)) || (is(name, "l4") && has_l4(p)) || (is(name, "fragment") && p->fragment);
}

/* Fields that are found out while walking over the headers. */
static bool get_derived(const struct judge_packet *p, const char *name, bool *ret_has, uint64_t *ret_value)
{
	const struct {
		const char *name;
		bool has;
		uint64_t value;
	} derived[] = {
		{"eth.type", true, p->eth_type},
		{"ip.proto", has_ip(p), p->proto},
		{"ip.frag_offset", has_ip(p), p->frag_offset},
		{"l4.payload_length", has_l4(p), p->payload_length},
	};

	for (unsigned i = 0; i < sizeof(derived) / sizeof(derived[0]); i++)
		if (is(derived[i].name, name)) {
			*ret_has = derived[i].has;
			*ret_value = derived[i].has ? derived[i].value : 0;
			return true;
		}
	return false;
}

bool judge_packet_has(const struct judge_packet *p, const char *name)
{
	uint64_t value;
	bool has;

	if (get_derived(p, name, &has, &value))
		return has;
	return strchr(name, '.') ? find_place(p, name) != NULL : has_header(p, name);
}

static bool is_ipv4_address(const struct field_place *place)
{
	return place->bits == 32 &&
	       (place->header == JUDGE_IPV4 || is(place->name, "arp.spa") || is(place->name, "arp.tpa"));
}

struct judge_value judge_packet_get(const struct judge_packet *p, const char *field)
{
	const struct field_place *place;
	struct judge_value value = {};
	const uint8_t *at;
	bool has;

	if (get_derived(p, field, &has, &value.lo))
		return value;
	place = find_place(p, field);
	if (!place)
		return value;
	at = p->frame.data + p->at[place->header];
	if (place->bits == 128) {
		value.hi = judge_bits_get(at, place->bit, 64);
		value.lo = judge_bits_get(at, place->bit + 64, 64);
	} else {
		value.lo = judge_bits_get(at, place->bit, place->bits);
	}
	if (is_ipv4_address(place))
		value.lo |= 0xffffULL << 32;
	return value;
}

/* ---- writes ---------------------------------------------------------------------------------- */

bool judge_packet_set(struct judge_packet *p, const char *field, struct judge_value value)
{
	const struct field_place *place = find_place(p, field);
	bool ipv4 = !value.hi && value.lo >> 32 == 0xffff;
	struct judge_sums before;
	uint8_t *at;

	if (!place || (is_ipv4_address(place) && !ipv4) || (place->bits == 128 && ipv4))
		return false;
	before = judge_sums_of(p);
	at = p->frame.data + p->at[place->header];
	if (place->bits == 128) {
		judge_bits_put(at, place->bit, 64, value.hi);
		judge_bits_put(at, place->bit + 64, 64, value.lo);
	} else {
		judge_bits_put(at, place->bit, place->bits, value.lo);
	}
	judge_sums_move(p, before);
	return true;
}

static void move_headers(struct judge_packet *p, int by)
{
	for (unsigned i = JUDGE_ARP; i < JUDGE_HEADER_MAX; i++)
		p->at[i] += by;
	for (unsigned i = 0; i < JUDGE_DECLARED; i++)
		p->declared_at[i] += by;
	p->l3 += by;
	p->l4 += by;
	p->end += by;
	p->frame.size += by;
}

void judge_packet_write(struct judge_packet *p, unsigned at, unsigned bit, unsigned n, uint64_t value)
{
	struct judge_sums before = judge_sums_of(p);

	judge_bits_put(p->frame.data + at, bit, n, value);
	judge_sums_move(p, before);
}

void judge_packet_push_vlan(struct judge_packet *p)
{
	uint8_t *at = p->frame.data + TAG_AT;

	memmove(at + TAG_BYTES, at, p->frame.size - TAG_AT);
	judge_bits_put(at, 0, 16, TYPE_TAG);
	judge_bits_put(at, 16, 16, 0);
	move_headers(p, TAG_BYTES);
	if (p->has[JUDGE_VLAN])
		found(p, JUDGE_VLAN2, TAG_AT + TAG_BYTES);
	found(p, JUDGE_VLAN, TAG_AT);
}

bool judge_packet_pop_vlan(struct judge_packet *p)
{
	uint8_t *at = p->frame.data + TAG_AT;
	unsigned payload;

	if (!p->has[JUDGE_VLAN])
		return false;
	memmove(at, at + TAG_BYTES, p->frame.size - TAG_AT - TAG_BYTES);
	move_headers(p, -TAG_BYTES);
	return read_tags(p, &payload) == JUDGE_GOOD;
}
