/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_load - a table's loads: packet fields and metadata -> cells.  A field of a header that is not there is 0. */
#ifndef MEALY_PKT_LOAD_H
#define MEALY_PKT_LOAD_H

#include "pkt_cursor.h"

/* High half of the low word of a v4-mapped address. */
#define ADDR_MAPPED (0xffffULL << 32)

HOOK_FN bool pkt_has(const struct scratch *s, __u8 need)
{
	return s->cells[CELL_PRESENT] >> (need & 63) & 1;
}

/* Offset in the frame of a field of the header 'base'. */
HOOK_FN __u64 pkt_off(const struct scratch *s, __u8 base, __u8 off)
{
	_Static_assert((int)BASE_MAX <= (int)BASE_ROOM, "mask of a base");
	return (__u64)s->off[base & (BASE_ROOM - 1)] + off;
}

HOOK_FN void load_addr(struct hook *h, struct scratch *s, __u32 dst, __u64 off, bool is_ipv6)
{
	__u64 hi = 0, lo = 0;
	const __u8 *at;

	if (is_ipv6) {
		at = pkt_at(h, off, 16);
		if (at) {
			hi = pkt_be64(at);
			lo = pkt_be64(at + 8);
		}
	} else {
		at = pkt_at(h, off, 4);
		if (at)
			lo = ADDR_MAPPED | pkt_be32(at);
	}
	s->cells[dst & (CELLS - 1)] = hi;
	s->cells[(dst + 1) & (CELLS - 1)] = lo;
}

HOOK_FN __u64 load_bits(struct hook *h, const struct scratch *s, const struct load *load, bool is_ipv6)
{
	__u64 off = pkt_off(s, load->base, is_ipv6 ? load->off6 : load->off);
	__u8 shift = is_ipv6 ? load->shift6 : load->shift;
	__u64 value = 0;

	if (pkt_get(h, off, is_ipv6 ? load->size6 : load->size, &value))
		return 0;
	return value >> (shift & 63) & load->mask;
}

/* Executes one load. */
HOOK_FN void pkt_load(struct hook *h, struct scratch *s, const struct load *load)
{
	bool has = pkt_has(s, load->need), ipv6 = pkt_has(s, PRESENT_IPV6 + load->inner);
	__u8 kind = load->kind;
	__u64 value = 0;

	if (kind == LOAD_ADDR || kind == LOAD_ADDR4 || kind == LOAD_ADDR6) {
		bool wide = kind == LOAD_ADDR6 || (kind == LOAD_ADDR && ipv6);
		/* Nothing lies beyond the largest offset, so an absent address reads as 0. */
		__u64 off = has ? pkt_off(s, load->base, ipv6 ? load->off6 : load->off) : PKT_OFF_MAX + 1;

		load_addr(h, s, load->dst, off, wide);
		return;
	}
	if (has && kind == LOAD_BITS)
		value = load_bits(h, s, load, ipv6);
	else if (has && kind == LOAD_CELL)
		value = s->cells[load->base] >> (load->shift & 63) & load->mask;
	s->cells[load->dst] = value;
}

#endif
