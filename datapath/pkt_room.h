/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_room - room for headers: bytes that appear or vanish behind Ethernet, or behind the fixed IPv6 header.
 *
 * At XDP and natively the frame's first byte moves, and the headers in front of the place with it.  At tc the kernel
 * does it (bpf_skb_adjust_room), which must be told what the room is for, or an aggregated frame would be cut wrongly;
 * it knows IP packets only, and the place only while no tag lies in the frame. */
#ifndef MEALY_PKT_ROOM_H
#define MEALY_PKT_ROOM_H

#include "pkt_parse.h"

/* What the room is for. */
enum room {
	ROOM_LABEL, /* Behind Ethernet: MPLS. */
	ROOM_IPV4,  /* ... an outer IP header ... */
	ROOM_IPV6,
	ROOM_VXLAN4, /* ... and UDP, VXLAN and Ethernet. */
	ROOM_VXLAN6,
	ROOM_SEGMENTS, /* Behind the fixed IPv6 header. */
};

/* Bytes before the place at most: two tags, IPv6; and bytes that vanish at most. */
enum { ROOM_FRONT_MAX = 62, ROOM_BYTES_MAX = 512 };

/* Makes 'size' bytes of room at 'at', or takes them away.  'inner_ipv6': of the packet behind.  Nonzero: it could not
 * be done.  What is in the room is undefined. */
HOOK_FN int pkt_room_make(struct hook *h, enum room room, __u32 at, __u32 size);
HOOK_FN int pkt_room_take(struct hook *h, enum room room, __u32 at, __u32 size, bool inner_ipv6);

#if defined(MEALY_HOOK_TC)
/* Not in the headers of Debian 12; since 6.3. */
enum { ADJ_ROOM_DECAP_L3_IPV4 = 1 << 7, ADJ_ROOM_DECAP_L3_IPV6 = 1 << 8 };

HOOK_FN int pkt_room_make(struct hook *h, enum room room, __u32 at, __u32 size)
{
	__u64 flags = 0;

	if (room == ROOM_IPV4 || room == ROOM_VXLAN4)
		flags = BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
	else if (room == ROOM_IPV6 || room == ROOM_VXLAN6)
		flags = BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
	if (room == ROOM_VXLAN4 || room == ROOM_VXLAN6)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2(ETH_SIZE);
	if (room == ROOM_SEGMENTS)
		return at == ETH_SIZE + IPV6_SIZE ? bpf_skb_adjust_room(h->ctx, size, BPF_ADJ_ROOM_NET, 0) : -1;
	return at == ETH_SIZE ? bpf_skb_adjust_room(h->ctx, size, BPF_ADJ_ROOM_MAC, flags) : -1;
}

/* Kernels that cannot be told of the family behind can take a header off one of the same. */
HOOK_FN int pkt_room_take(struct hook *h, enum room room, __u32 at, __u32 size, bool inner_ipv6)
{
	__s32 by = -(__s32)size;

	if (room == ROOM_SEGMENTS)
		return at == ETH_SIZE + IPV6_SIZE ? bpf_skb_adjust_room(h->ctx, by, BPF_ADJ_ROOM_NET, 0) : -1;
	if (at != ETH_SIZE)
		return -1;
	if (room == ROOM_LABEL || inner_ipv6 == (room == ROOM_IPV6 || room == ROOM_VXLAN6))
		return bpf_skb_adjust_room(h->ctx, by, BPF_ADJ_ROOM_MAC, 0);
	return bpf_skb_adjust_room(h->ctx, by, BPF_ADJ_ROOM_MAC,
				   inner_ipv6 ? ADJ_ROOM_DECAP_L3_IPV6 : ADJ_ROOM_DECAP_L3_IPV4);
}
#else
HOOK_FN int room_copy(struct hook *h, __u32 from, __u32 to)
{
	__u64 word;

	return pkt_get(h, from, 2, &word) || pkt_put(h, to, 2, word, true);
}

HOOK_FN int pkt_room_make(struct hook *h, enum room room, __u32 at, __u32 size)
{
	if (at > ROOM_FRONT_MAX || pkt_move_begin(h, -(int)size))
		return -1;
	LOOP
	for (__u32 i = 0; i < ROOM_FRONT_MAX; i += 2) {
		if (i >= at)
			break;
		if (room_copy(h, size + i, i))
			return -1;
	}
	return 0;
}

HOOK_FN int pkt_room_take(struct hook *h, enum room room, __u32 at, __u32 size, bool inner_ipv6)
{
	if (at > ROOM_FRONT_MAX)
		return -1;
	LOOP
	for (__u32 i = 0; i < ROOM_FRONT_MAX; i += 2) {
		if (i >= at)
			break;
		if (room_copy(h, at - 2 - i, at - 2 - i + size))
			return -1;
	}
	return pkt_move_begin(h, size);
}
#endif

#endif
