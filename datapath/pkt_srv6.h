/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_srv6 - segment routing headers (RFC 8754, 8986): encapsulate, insert, next segment, take off.
 *
 * People name segments in the order of the path; the header has them in the opposite order. */
#ifndef MEALY_PKT_SRV6_H
#define MEALY_PKT_SRV6_H

#include "pkt_tunnel.h"

enum { SRH_TYPE_4 = 4 };

HOOK_FN int put_segment(struct hook *h, const struct scratch *s, __u64 at, __u32 cell)
{
	return tunnel_put(h, at, 8, s->cells[cell & (CELLS - 1)]) ||
	       tunnel_put(h, at + 8, 8, s->cells[(cell + 1) & (CELLS - 1)]);
}

/* The header for a list of 'total' segments, of which the first 'n' in path order are in cells from 'cell' on. */
HOOK_FN int put_srh(struct hook *h, const struct scratch *s, __u64 at, __u32 proto, __u32 cell, __u32 n, __u32 total)
{
	__u64 first = (__u64)proto << 56 | (__u64)(total * 2) << 48 | (__u64)SRH_TYPE_4 << 40 |
		      (__u64)(total - 1) << 32 | (__u64)(total - 1) << 24;

	if (tunnel_put(h, at, 8, first))
		return -1;
	LOOP
	for (__u32 i = 0; i < SEGMENTS_MAX; i++) {
		if (i >= n)
			break;
		if (put_segment(h, s, at + EXT_SIZE + (total - 1 - i) * SEGMENT_SIZE, cell + 2 * i))
			return -1;
	}
	return 0;
}

/* The destination is the first segment. */
HOOK_FN int push_srv6(struct hook *h, struct scratch *s, __u32 cell, __u32 n)
{
	__u32 srh = EXT_SIZE + n * SEGMENT_SIZE, proto;
	struct wrapped w;

	if (!n || n > SEGMENTS_MAX || wrapped_of(h, s, &w))
		return -1;
	proto = w.is_ipv6 ? PROTO_IPV6 : PROTO_IPIP;
	if (pkt_room_make(h, ROOM_IPV6, w.l3, IPV6_SIZE + srh) || tunnel_type(h, w.l3, ETHER_IPV6) ||
	    put_ipv6(h, w.l3, w.size + srh, w.class_, PROTO_ROUTING) ||
	    put_srh(h, s, (__u64)w.l3 + IPV6_SIZE, proto, cell, n, n))
		return -1;
	return put_segment(h, s, (__u64)w.l3 + IPV6_DST_AT, cell);
}

/* Between the fixed IPv6 header and what follows; the old destination becomes the last segment. */
HOOK_FN int insert_srv6(struct hook *h, struct scratch *s, __u32 cell, __u32 n)
{
	__u32 srh = EXT_SIZE + (n + 1) * SEGMENT_SIZE;
	__u64 proto, hi, lo, l3 = s->off[BASE_L3], at = l3 + IPV6_SIZE;
	struct wrapped w;

	if (!n || n >= SEGMENTS_MAX || wrapped_of(h, s, &w) || !w.is_ipv6)
		return -1;
	if (pkt_get(h, l3 + 6, 1, &proto) || pkt_get(h, l3 + IPV6_DST_AT, 8, &hi) ||
	    pkt_get(h, l3 + IPV6_DST_AT + 8, 8, &lo))
		return -1;
	if (pkt_room_make(h, ROOM_SEGMENTS, at, srh) || tunnel_put(h, l3 + 4, 2, w.size - IPV6_SIZE + srh) ||
	    tunnel_put(h, l3 + 6, 1, PROTO_ROUTING) || put_srh(h, s, at, proto, cell, n, n + 1))
		return -1;
	return tunnel_put(h, at + EXT_SIZE, 8, hi) || tunnel_put(h, at + EXT_SIZE + 8, 8, lo) ||
	       put_segment(h, s, l3 + IPV6_DST_AT, cell);
}

/* The opposite: the destination stays what it is. */
HOOK_FN int remove_srv6(struct hook *h, struct scratch *s)
{
	__u64 l3 = s->off[BASE_L3], at = s->off[BASE_ROUTING], proto, words, size;

	if (!pkt_has(s, PRESENT_SRH) || at != l3 + IPV6_SIZE)
		return -1;
	if (pkt_get(h, at, 1, &proto) || pkt_get(h, at + 1, 1, &words) || pkt_get(h, l3 + 4, 2, &size))
		return -1;
	words = EXT_SIZE + words * 8;
	if (words > ROOM_BYTES_MAX || pkt_room_take(h, ROOM_SEGMENTS, at, words, true))
		return -1;
	return tunnel_put(h, l3 + 4, 2, size - words) || tunnel_put(h, l3 + 6, 1, proto);
}

/* End (RFC 8986, 4.1) without the hop limit, which is `route`'s. */
HOOK_FN int next_segment(struct hook *h, struct scratch *s)
{
	__u64 at = s->off[BASE_ROUTING], left, from, hi, lo, l3 = s->off[BASE_L3];

	if (!pkt_has(s, PRESENT_SRH) || pkt_get(h, at + 3, 1, &left) || !left || left > SEGMENTS_MAX)
		return -1;
	from = at + EXT_SIZE + (left - 1) * SEGMENT_SIZE;
	if (pkt_get(h, from, 8, &hi) || pkt_get(h, from + 8, 8, &lo) || tunnel_put(h, at + 3, 1, left - 1))
		return -1;
	return tunnel_put(h, l3 + IPV6_DST_AT, 8, hi) || tunnel_put(h, l3 + IPV6_DST_AT + 8, 8, lo);
}

#endif
