/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_tunnel - headers pushed and popped: MPLS, IP in IP, VXLAN.
 *
 * What a pushed header says of itself follows from the packet: lengths, the next protocol, the traffic class (copied);
 * addresses and numbers are 0 until the rule writes them.  TTL of an outer IP header is 64, of a label the packet's.
 * Each returns nonzero when it could not be done; the caller parses the packet again. */
#ifndef MEALY_PKT_TUNNEL_H
#define MEALY_PKT_TUNNEL_H

#include "pkt_load.h"
#include "pkt_room.h"

enum { TUNNEL_TTL = 64, IPV4_DF = 0x4000, LABEL_BOTTOM = 0x100, IPV6_DST_AT = 24 };

/* What is known of the packet before it is wrapped. */
struct wrapped {
	__u32 l3;
	bool is_ipv6;
	__u32 size;   /* Of the IP packet. */
	__u32 class_; /* DSCP and ECN. */
};

HOOK_FN int wrapped_of(struct hook *h, const struct scratch *s, struct wrapped *ret)
{
	__u64 head, size;

	ret->l3 = s->off[BASE_L3];
	ret->is_ipv6 = pkt_has(s, PRESENT_IPV6);
	if (!pkt_has(s, PRESENT_IP) || pkt_get(h, ret->l3, 4, &head))
		return -1;
	if (pkt_get(h, (__u64)ret->l3 + (ret->is_ipv6 ? 4 : 2), 2, &size))
		return -1;
	ret->size = ret->is_ipv6 ? size + IPV6_SIZE : size;
	ret->class_ = (ret->is_ipv6 ? head >> 20 : head >> 16) & 0xff;
	return 0;
}

HOOK_FN int tunnel_put(struct hook *h, __u64 off, __u32 size, __u64 value)
{
	return pkt_put(h, off, size, value, false);
}

/* The type of what follows the header that Ethernet is now, in front of 'l3'. */
HOOK_FN int tunnel_type(struct hook *h, __u64 l3, __u32 type)
{
	return pkt_put(h, l3 - 2, 2, type, true);
}

/* ---- MPLS ---- */

HOOK_FN int push_mpls(struct hook *h, struct scratch *s)
{
	__u64 ttl = TUNNEL_TTL, l3 = s->off[BASE_L3];
	bool label = pkt_has(s, PRESENT_MPLS);

	if (pkt_has(s, PRESENT_IP) && pkt_get(h, l3 + (pkt_has(s, PRESENT_IPV6) ? 7 : 8), 1, &ttl))
		return -1;
	if (label && pkt_get(h, l3 + 3, 1, &ttl))
		return -1;
	if (pkt_room_make(h, ROOM_LABEL, l3, MPLS_SIZE) || tunnel_type(h, l3, ETHER_MPLS))
		return -1;
	return tunnel_put(h, l3, MPLS_SIZE, (label ? 0 : LABEL_BOTTOM) | ttl);
}

/* Below the last label only IP is known. */
HOOK_FN int pop_mpls(struct hook *h, struct scratch *s)
{
	__u64 l3 = s->off[BASE_L3], label, first;
	__u32 type = ETHER_MPLS;

	if (!pkt_has(s, PRESENT_MPLS) || pkt_get(h, l3, MPLS_SIZE, &label))
		return -1;
	if (label & LABEL_BOTTOM) {
		if (pkt_get(h, l3 + MPLS_SIZE, 1, &first) || (first >> 4 != 4 && first >> 4 != 6))
			return -1;
		type = first >> 4 == 4 ? ETHER_IPV4 : ETHER_IPV6;
	}
	return pkt_room_take(h, ROOM_LABEL, l3, MPLS_SIZE, false) || tunnel_type(h, l3, type);
}

/* ---- an outer IP header ---- */

HOOK_FN int put_ipv4(struct hook *h, __u64 at, __u32 size, __u32 class_, __u32 proto)
{
	__u64 first = (__u64)(0x4500 | class_) << 48 | (__u64)(size & 0xffff) << 32 | IPV4_DF;
	__u64 second = (__u64)TUNNEL_TTL << 56 | (__u64)proto << 48;
	__u64 sum = (first >> 48) + (first >> 32 & 0xffff) + IPV4_DF + (second >> 48);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16)) & 0xffff;
	return tunnel_put(h, at, 8, first) || tunnel_put(h, at + 8, 8, second | sum << 32) ||
	       tunnel_put(h, at + 16, 4, 0);
}

HOOK_FN int put_ipv6(struct hook *h, __u64 at, __u32 payload, __u32 class_, __u32 proto)
{
	__u64 first = (__u64)6 << 60 | (__u64)class_ << 52 | (__u64)(payload & 0xffff) << 16 | proto << 8 | TUNNEL_TTL;

	return tunnel_put(h, at, 8, first) || tunnel_put(h, at + 8, 8, 0) || tunnel_put(h, at + 16, 8, 0) ||
	       tunnel_put(h, at + 24, 8, 0) || tunnel_put(h, at + 32, 8, 0);
}

HOOK_FN int push_ip(struct hook *h, struct scratch *s, bool ipv6)
{
	struct wrapped w;
	__u32 proto;

	if (wrapped_of(h, s, &w))
		return -1;
	proto = w.is_ipv6 ? PROTO_IPV6 : PROTO_IPIP;
	if (pkt_room_make(h, ipv6 ? ROOM_IPV6 : ROOM_IPV4, w.l3, ipv6 ? IPV6_SIZE : IPV4_SIZE) ||
	    tunnel_type(h, w.l3, ipv6 ? ETHER_IPV6 : ETHER_IPV4))
		return -1;
	return ipv6 ? put_ipv6(h, w.l3, w.size, w.class_, proto)
		    : put_ipv4(h, w.l3, w.size + IPV4_SIZE, w.class_, proto);
}

/* The outer header and its extension headers. */
HOOK_FN int pop_ip(struct hook *h, struct scratch *s)
{
	bool inner_ipv6 = pkt_has(s, PRESENT_INNER_IPV6);
	__u32 at = s->off[BASE_L3], size = s->off[BASE_INNER_L3] - at;

	if (!pkt_has(s, PRESENT_INNER_WHOLE) || !pkt_has(s, PRESENT_INNER_IP) || pkt_has(s, PRESENT_VXLAN))
		return -1;
	if (size < IPV4_SIZE || size > ROOM_BYTES_MAX)
		return -1;
	if (pkt_room_take(h, pkt_has(s, PRESENT_IPV6) ? ROOM_IPV6 : ROOM_IPV4, at, size, inner_ipv6))
		return -1;
	return tunnel_type(h, at, inner_ipv6 ? ETHER_IPV6 : ETHER_IPV4);
}

/* ---- VXLAN ---- */

/* Packets of one flow have one source port (RFC 7348). */
HOOK_FN __u32 vxlan_entropy(struct hook *h, const struct scratch *s)
{
	__u64 a = 0, b = 0, c = 0, d = 0;
	__u64 l3 = s->off[BASE_L3];

	if (pkt_has(s, PRESENT_IPV4)) {
		pkt_get(h, l3 + 12, 8, &a);
	} else if (pkt_has(s, PRESENT_IPV6)) {
		pkt_get(h, l3 + 16, 8, &a);
		pkt_get(h, l3 + 32, 8, &b);
	} else {
		pkt_get(h, 0, 6, &a);
		pkt_get(h, 6, 6, &b);
	}
	if (pkt_has(s, PRESENT_L4))
		pkt_get(h, s->off[BASE_L4], 4, &c);
	d = (a ^ b << 7 ^ c << 13) * 0x9e3779b97f4a7c15ULL;
	return 0xc000 | d >> 50;
}

HOOK_FN int push_vxlan(struct hook *h, struct scratch *s, bool ipv6)
{
	enum { ABOVE_IP = UDP_SIZE + VXLAN_SIZE + ETH_SIZE };
	__u32 outer = ipv6 ? IPV6_SIZE : IPV4_SIZE, size = s->cells[CELL_LENGTH] + UDP_SIZE + VXLAN_SIZE;
	__u64 port = vxlan_entropy(h, s), dst, src, type, at = ETH_SIZE + outer;
	__u32 tpid, tci;

	if (pkt_vlan_beside(h, &tpid, &tci) || s->cells[CELL_FRAMES] > 1)
		return -1;
	if (pkt_get(h, 0, 6, &dst) || pkt_get(h, 6, 6, &src) || pkt_get(h, TAG_OFF, 2, &type))
		return -1;
	if (pkt_room_make(h, ipv6 ? ROOM_VXLAN6 : ROOM_VXLAN4, ETH_SIZE, outer + ABOVE_IP) ||
	    tunnel_type(h, ETH_SIZE, ipv6 ? ETHER_IPV6 : ETHER_IPV4))
		return -1;
	if (ipv6 ? put_ipv6(h, ETH_SIZE, size, 0, PROTO_UDP) : put_ipv4(h, ETH_SIZE, size + IPV4_SIZE, 0, PROTO_UDP))
		return -1;
	if (tunnel_put(h, at, 8, port << 48 | (__u64)VXLAN_PORT << 32 | (__u64)(size & 0xffff) << 16) ||
	    tunnel_put(h, at + 8, 8, 0x08ULL << 56))
		return -1;
	at += UDP_SIZE + VXLAN_SIZE;
	return tunnel_put(h, at, 6, dst) || tunnel_put(h, at + 6, 6, src) || tunnel_put(h, at + TAG_OFF, 2, type);
}

/* Everything up to the inner frame; its Ethernet header takes the place of the outer one. */
HOOK_FN int pop_vxlan(struct hook *h, struct scratch *s)
{
	__u64 dst, src, type, inner = s->off[BASE_PAYLOAD] + VXLAN_SIZE;
	bool outer6 = pkt_has(s, PRESENT_IPV6);

	if (!pkt_has(s, PRESENT_VXLAN) || s->off[BASE_L3] != ETH_SIZE || inner > ROOM_BYTES_MAX)
		return -1;
	if (pkt_get(h, inner, 6, &dst) || pkt_get(h, inner + 6, 6, &src) || pkt_get(h, inner + TAG_OFF, 2, &type))
		return -1;
	if (pkt_room_take(h, outer6 ? ROOM_VXLAN6 : ROOM_VXLAN4, ETH_SIZE, inner, type == ETHER_IPV6))
		return -1;
	return pkt_put(h, 0, 6, dst, true) || pkt_put(h, 6, 6, src, true) || pkt_put(h, TAG_OFF, 2, type, true);
}

#endif
