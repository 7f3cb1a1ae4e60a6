/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "packet_build.h"

#include <errno.h>
#include <string.h>

#include "../common/cleanup.h"

enum {
	ETH_SIZE = 14,
	TAG_SIZE = 4,
	ARP_SIZE = 28,
	IPV4_SIZE = 20,
	IPV6_SIZE = 40,
	EXTENSION_SIZE = 8,
	TCP_SIZE = 20,
	UDP_SIZE = 8,
	ICMP_SIZE = 8
};

static bool has(const struct packet_build *b, uint64_t present)
{
	return b->present & present;
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static unsigned get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static uint8_t *grow(struct packet_build *b, unsigned size)
{
	uint8_t *at = b->frame + b->size;

	b->size += size;
	return at;
}

static unsigned l3_type(const struct packet_build *b)
{
	return has(b, HAS(ARP)) ? 0x0806 : has(b, HAS(IPV6)) ? 0x86dd : has(b, HAS(IPV4)) ? 0x0800 : b->ethertype;
}

static unsigned l4_proto(const struct packet_build *b)
{
	return has(b, HAS(TCP))	     ? 6
	       : has(b, HAS(UDP))    ? 17
	       : has(b, HAS(ICMP))   ? 1
	       : has(b, HAS(ICMPV6)) ? 58
				     : b->proto;
}

static void lay_ethernet(struct packet_build *b)
{
	static const uint8_t dst[] = {2, 0, 0, 0, 0, 2}, src[] = {2, 0, 0, 0, 0, 1};
	uint8_t *eth = grow(b, ETH_SIZE), *tag;

	memcpy(eth, dst, 6);
	memcpy(eth + 6, src, 6);
	if (has(b, HAS(ARP)))
		memset(eth, 0xff, 6);
	b->off[BASE_ETH] = 0;
	b->type_at = 12;
	if (has(b, HAS(VLAN))) {
		put16(b->frame + b->type_at, has(b, HAS(VLAN2)) ? 0x88a8 : 0x8100);
		tag = grow(b, TAG_SIZE);
		put16(tag, 1);
		b->type_at += TAG_SIZE;
	}
	if (has(b, HAS(VLAN2))) {
		put16(b->frame + b->type_at, 0x8100);
		tag = grow(b, TAG_SIZE);
		put16(tag, 1);
		b->type_at += TAG_SIZE;
	}
	put16(b->frame + b->type_at, l3_type(b));
}

static void lay_arp(struct packet_build *b)
{
	static const uint8_t question[ARP_SIZE] = {0,	1, 8, 0, 6, 4, 0, 1, 2, 0, 0,	0, 0, 1,
						   192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2};

	b->off[BASE_L3] = b->size;
	memcpy(grow(b, ARP_SIZE), question, ARP_SIZE);
}

static void lay_ipv4(struct packet_build *b)
{
	static const uint8_t header[IPV4_SIZE] = {0x45, 0, 0, 0, 0, 1, 0, 0, 64, 0, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};

	b->off[BASE_L3] = b->size;
	b->proto_at = b->size + 9;
	memcpy(grow(b, IPV4_SIZE), header, IPV4_SIZE);
}

/* One extension header of the smallest size, named by the header before it. */
static void lay_extension(struct packet_build *b, uint64_t present, unsigned base, unsigned proto)
{
	if (!has(b, present))
		return;
	b->frame[b->proto_at] = proto;
	b->off[base] = b->proto_at = b->size;
	/* Options are padding of 4 bytes and the two of its own head. */
	if (base == BASE_HOPOPTS || base == BASE_DSTOPTS)
		memcpy(b->frame + b->size + 2, (uint8_t[]){1, 4}, 2);
	grow(b, EXTENSION_SIZE);
}

static void lay_ipv6(struct packet_build *b)
{
	static const uint8_t header[IPV6_SIZE] = {0x60, 0,    0,    0,	      0,	   0,	 0,    64,   0x20,
						  0x01, 0x0d, 0xb8, [23] = 1, [24] = 0x20, 0x01, 0x0d, 0xb8, [39] = 2};

	b->off[BASE_L3] = b->size;
	b->proto_at = b->size + 6;
	memcpy(grow(b, IPV6_SIZE), header, IPV6_SIZE);
	lay_extension(b, HAS(HOPOPTS), BASE_HOPOPTS, 0);
	lay_extension(b, HAS(ROUTING), BASE_ROUTING, 43);
	lay_extension(b, HAS(FRAG6), BASE_FRAG6, 44);
	lay_extension(b, HAS(DSTOPTS), BASE_DSTOPTS, 60);
}

static void lay_l4(struct packet_build *b)
{
	static const uint8_t tcp[TCP_SIZE] = {0xc0, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff};
	static const uint8_t udp[UDP_SIZE] = {0xc0, 0, 0, 53};
	static const uint8_t icmp[ICMP_SIZE] = {8, 0, 0, 0, 0, 1, 0, 1}, icmpv6[ICMP_SIZE] = {128, 0, 0, 0, 0, 1, 0, 1};

	b->frame[b->proto_at] = l4_proto(b);
	b->off[BASE_L4] = b->size;
	if (has(b, HAS(TCP)))
		memcpy(grow(b, TCP_SIZE), tcp, TCP_SIZE);
	else if (has(b, HAS(UDP)))
		memcpy(grow(b, UDP_SIZE), udp, UDP_SIZE);
	else if (has(b, HAS(ICMP)))
		memcpy(grow(b, ICMP_SIZE), icmp, ICMP_SIZE);
	else if (has(b, HAS(ICMPV6)))
		memcpy(grow(b, ICMP_SIZE), icmpv6, ICMP_SIZE);
}

static void set_lengths(struct packet_build *b)
{
	if (has(b, HAS(IPV4)))
		put16(b->frame + b->off[BASE_L3] + 2, b->size - b->off[BASE_L3]);
	if (has(b, HAS(IPV6)))
		put16(b->frame + b->off[BASE_L3] + 4, b->size - b->off[BASE_L3] - IPV6_SIZE);
	if (has(b, HAS(UDP)))
		put16(b->frame + b->off[BASE_L4] + 4, b->size - b->off[BASE_L4]);
}

int packet_build_layout(struct packet_build *b)
{
	memset(b->frame, 0, sizeof(b->frame));
	memset(b->off, 0, sizeof(b->off));
	b->size = 0;
	lay_ethernet(b);
	if (has(b, HAS(ARP)))
		lay_arp(b);
	if (has(b, HAS(IPV4)))
		lay_ipv4(b);
	if (has(b, HAS(IPV6)))
		lay_ipv6(b);
	if (has(b, HAS(IPV4) | HAS(IPV6)))
		lay_l4(b);
	b->payload_at = b->size;
	if (b->payload > sizeof(b->frame) - b->size)
		return -EMSGSIZE;
	grow(b, b->payload);
	set_lengths(b);
	return 0;
}

/* 'size' bytes at 'at', big endian: the bits of 'mask' << 'shift' become 'value'. */
static void put_bits(uint8_t *at, unsigned size, unsigned shift, uint64_t mask, uint64_t value)
{
	uint64_t word = 0;

	for (unsigned i = 0; i < size; i++)
		word = word << 8 | at[i];
	word = (word & ~(mask << shift)) | (value & mask) << shift;
	for (unsigned i = size; i > 0; i--, word >>= 8)
		at[i - 1] = word;
}

static void put_address(uint8_t *at, uint64_t hi, uint64_t lo, bool v6)
{
	if (!v6) {
		put_bits(at, 4, 0, 0xffffffff, lo);
		return;
	}
	put_bits(at, 8, 0, ~0ull, hi);
	put_bits(at + 8, 8, 0, ~0ull, lo);
}

/* Fields that the switch keeps in cells of their own, because no fixed place has them. */
static void put_cell(struct packet_build *b, const struct load *load, uint64_t value)
{
	unsigned l3 = b->off[BASE_L3];

	switch (load->base) {
	case CELL_ETH_TYPE: put16(b->frame + b->type_at, value); break;
	case CELL_VLAN_TCI: put_bits(b->frame + 14, 2, load->shift, load->mask, value); break;
	case CELL_VLAN_TPID: put16(b->frame + 12, value); break;
	case CELL_VLAN2_TCI: put_bits(b->frame + 18, 2, load->shift, load->mask, value); break;
	case CELL_VLAN2_TPID: put16(b->frame + 16, value); break;
	case CELL_IP_PROTO: b->frame[b->proto_at] = value; break;
	case CELL_FRAG_OFFSET:
		if (has(b, HAS(IPV4)))
			put_bits(b->frame + l3 + 6, 2, 0, 0x1fff, value / 8);
		else
			put_bits(b->frame + b->off[BASE_FRAG6] + 2, 2, 3, 0x1fff, value / 8);
		break;
	default: break;
	}
}

void packet_build_write(struct packet_build *b, const struct field *field, uint64_t hi, uint64_t lo)
{
	const struct load *load = &field->load;
	bool v6 = has(b, HAS(IPV6));
	uint8_t *at;

	if (load->kind == LOAD_CELL) {
		put_cell(b, load, lo);
		return;
	}
	at = b->frame + b->off[load->base] + (v6 ? load->off6 : load->off);
	switch (load->kind) {
	case LOAD_BITS:
		put_bits(at, v6 && load->size6 ? load->size6 : load->size, v6 ? load->shift6 : load->shift, load->mask,
			 lo);
		break;
	case LOAD_ADDR: put_address(at, hi, lo, v6); break;
	case LOAD_ADDR4: put_address(b->frame + b->off[load->base] + load->off, hi, lo, false); break;
	case LOAD_ADDR6: put_address(at, hi, lo, true); break;
	default: break;
	}
}

static uint64_t sum(const uint8_t *at, unsigned size)
{
	uint64_t total = 0;

	for (unsigned i = 0; i + 1 < size; i += 2)
		total += get16(at + i);
	return size & 1 ? total + (at[size - 1] << 8) : total;
}

static unsigned fold(uint64_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return ~total & 0xffff;
}

/* Addresses, length and protocol, which TCP, UDP and ICMPv6 sum too. */
static uint64_t pseudo(const struct packet_build *b, unsigned size)
{
	const uint8_t *l3 = b->frame + b->off[BASE_L3];

	return (has(b, HAS(IPV6)) ? sum(l3 + 8, 32) : sum(l3 + 12, 8)) + size + l4_proto(b);
}

void packet_build_checksums(struct packet_build *b, uint64_t keep)
{
	static const struct {
		uint64_t present;
		unsigned off;
		bool pseudo;
	} l4[] = {{HAS(TCP), 16, true}, {HAS(UDP), 6, true}, {HAS(ICMP), 2, false}, {HAS(ICMPV6), 2, true}};
	uint8_t *l3 = b->frame + b->off[BASE_L3], *at = b->frame + b->off[BASE_L4];
	unsigned size = b->size - b->off[BASE_L4];

	for (size_t i = 0; i < ARRAY_SIZE(l4); i++) {
		unsigned value;

		if (!has(b, l4[i].present) || keep & l4[i].present)
			continue;
		put16(at + l4[i].off, 0);
		value = fold(sum(at, size) + (l4[i].pseudo ? pseudo(b, size) : 0));
		put16(at + l4[i].off, value || l4[i].present != HAS(UDP) ? value : 0xffff);
	}
	if (has(b, HAS(IPV4)) && !(keep & HAS(IPV4))) {
		put16(l3 + 10, 0);
		put16(l3 + 10, fold(sum(l3, IPV4_SIZE)));
	}
}
