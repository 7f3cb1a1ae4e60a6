/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_parse - finds the headers of a frame, once per run of a hook.
 *
 * Fills s->off[], CELL_PRESENT (header bits only, see below), CELL_VLAN*, CELL_ETH_TYPE, CELL_IP_PROTO,
 * CELL_FRAG_OFFSET and CELL_PAYLOAD_LENGTH from the frame and from CELL_LENGTH, which is set before.
 *
 * What counts as what:
 * - Two tags, 802.1Q or 802.1ad; a third one is the ethertype of an unknown payload.
 * - IPv6: hop-by-hop, routing, fragment and destination headers, at most EXT_HEADERS_MAX together; when one
 *   comes twice, s->off[] names the last.  Any other (AH, ESP) is the protocol.
 * - A later fragment has no L4 header; CELL_IP_PROTO is what its first fragment begins with.
 * - EXIT_PARSE_SHORT: the frame ends before its headers, or IP's length, say.
 *   EXIT_PARSE_MALFORMED: headers contradict themselves or each other; a first fragment that cuts its L4 header too.
 *   EXIT_PARSE_DEPTH: a header lies in the frame but beyond PKT_OFF_MAX or the first buffer, or behind too
 *   many extension headers.
 * - ARP other than IPv4 over Ethernet, and other ethertypes, are no mistake: only Ethernet is present.  Of MPLS the
 *   outermost label is present.
 * - What an ICMP error quotes and what lies directly in IP (protocols 4 and 41): IP's header, and eight bytes behind it
 *   if it is no later fragment and has no extension header.  Nothing about it is a mistake, it is only not there. */
#ifndef MEALY_PKT_PARSE_H
#define MEALY_PKT_PARSE_H

#include "pkt_cursor.h"

enum { EXT_HEADERS_MAX = 8 };

enum {
	ETH_SIZE = 14,
	ARP_SIZE = 28,
	IPV4_SIZE = 20,
	IPV6_SIZE = 40,
	EXT_SIZE = 8,
	TCP_SIZE = 20,
	UDP_SIZE = 8,
	ICMP_SIZE = 8,
	ND_SIZE = 24,	   /* Neighbour solicitation, advertisement ... */
	ND_LINK_SIZE = 32, /* ... with an Ethernet address. */
	MPLS_SIZE = 4,
	VXLAN_SIZE = 8,
	VXLAN_PORT = 4789,
	SEGMENT_SIZE = 16,
};

enum ether_type {
	ETHER_IPV4 = 0x0800,
	ETHER_ARP = 0x0806,
	ETHER_IPV6 = 0x86dd,
	ETHER_8021Q = 0x8100,
	ETHER_8021AD = 0x88a8,
	ETHER_MPLS = 0x8847,
	ETHER_MPLS_MULTICAST = 0x8848,
};

enum ip_proto {
	PROTO_HOPOPTS = 0,
	PROTO_ICMP = 1,
	PROTO_IPIP = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_IPV6 = 41,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_ICMPV6 = 58,
	PROTO_DSTOPTS = 60,
};

/* Header bits of CELL_PRESENT: those the parser answers for. */
#define PRESENT_BIT(header) (1ULL << PRESENT_##header)
#define PRESENT_HEADERS                                                                                                \
	((((1ULL << PRESENT_MAX) - 1) & ~(PRESENT_BIT(IN_PORT) | PRESENT_BIT(OUT_PORT))) | PRESENT_BIT(SRH) |          \
	 PRESENT_BIT(MPLS) | PRESENT_BIT(ND) | PRESENT_BIT(ND_LINK) | 0xffULL << PRESENT_INNER_IPV4)

/* Around constant tables headers that none of them reads, and whose faults leave no reason, are not looked for. */
#ifdef MEALY_SPECIALISED
#define PARSE_WANTS(headers) (SPECIALISED_HEADERS & (headers))
#else
#define PARSE_WANTS(headers) true
#endif
/* Of the packet quoted or inside. */
#define PRESENT_INNER (0xffULL << PRESENT_INNER_IPV4)

/* VERIFIER: a value that went through memory is an unknown one, so that paths which differ only in it are
 * verified once.  Without this the paths through tags and extension headers multiply past a million instructions. */
#define FORGET(place, value)                                                                                           \
	({                                                                                                             \
		WRITE(place, value);                                                                                   \
		READ(place);                                                                                           \
	})

/* Where the parser is.  What it found is in the scratch. */
struct parse {
	__u64 off;	 /* Of the next header. */
	__u64 frame_end; /* Bytes of the frame, reachable or not. */
	__u64 ip_end;	 /* Where IP's length ends the packet, at most frame_end. */
};

HOOK_FN void parse_found(struct scratch *s, __u64 present)
{
	s->cells[CELL_PRESENT] |= present;
}

HOOK_FN bool eth_is_vlan(__u32 type)
{
	return type == ETHER_8021Q || type == ETHER_8021AD;
}

/* Why 'size' bytes at p->off could not be reached. */
HOOK_FN enum exit_reason parse_missing(const struct parse *p, __u32 size)
{
	return p->off + size > p->frame_end ? EXIT_PARSE_SHORT : EXIT_PARSE_DEPTH;
}

/* ---- Ethernet ---------------------------------------------------------------------------- */

/* Takes a tag from the frame if CELL_ETH_TYPE says that there is one. */
HOOK_FN enum exit_reason parse_tag(struct hook *h, struct scratch *s, struct parse *p, __u32 tpid_cell, __u64 present)
{
	__u32 type = READ(s->cells[CELL_ETH_TYPE]);
	const __u8 *at;

	if (!eth_is_vlan(type))
		return EXIT_NONE;
	at = pkt_at(h, p->off, TAG_SIZE);
	if (!at)
		return parse_missing(p, TAG_SIZE);
	s->cells[tpid_cell] = type;
	s->cells[tpid_cell - 1] = pkt_be16(at);
	s->cells[CELL_ETH_TYPE] = pkt_be16(at + 2);
	parse_found(s, present);
	p->off += TAG_SIZE;
	return EXIT_NONE;
}

/* Ethernet and tags; leaves p->off behind them. */
HOOK_FN enum exit_reason parse_ether(struct hook *h, struct scratch *s, struct parse *p)
{
	enum exit_reason reason = EXIT_NONE;
	__u32 tpid = 0, tci = 0;
	const __u8 *at;

	_Static_assert(CELL_VLAN_TCI + 1 == CELL_VLAN_TPID && CELL_VLAN2_TCI + 1 == CELL_VLAN2_TPID, "parse_tag()");
	s->cells[CELL_VLAN_TPID] = s->cells[CELL_VLAN_TCI] = 0;
	s->cells[CELL_VLAN2_TPID] = s->cells[CELL_VLAN2_TCI] = 0;
	p->off = 0;
	at = pkt_at(h, 0, ETH_SIZE);
	if (!at)
		return parse_missing(p, ETH_SIZE);
	s->cells[CELL_ETH_TYPE] = pkt_be16(at + TAG_OFF);
	p->off = ETH_SIZE;

	if (pkt_vlan_beside(h, &tpid, &tci)) {
		s->cells[CELL_VLAN_TPID] = tpid;
		s->cells[CELL_VLAN_TCI] = tci;
		parse_found(s, PRESENT_BIT(VLAN));
	} else {
		reason = parse_tag(h, s, p, CELL_VLAN_TPID, PRESENT_BIT(VLAN));
	}
	if (!reason && READ(s->cells[CELL_VLAN_TPID]))
		reason = parse_tag(h, s, p, CELL_VLAN2_TPID, PRESENT_BIT(VLAN2));
	return reason;
}

HOOK_FN enum exit_reason parse_arp(struct hook *h, struct scratch *s, struct parse *p)
{
	const __u8 *at = pkt_at(h, p->off, 8);

	if (!at)
		return parse_missing(p, 8);
	/* Ethernet, IPv4, six bytes, four bytes. */
	if (pkt_be32(at) != 0x00010800 || pkt_be16(at + 4) != 0x0604)
		return EXIT_NONE;
	if (!pkt_at(h, p->off, ARP_SIZE))
		return parse_missing(p, ARP_SIZE);
	parse_found(s, PRESENT_BIT(ARP));
	return EXIT_NONE;
}

/* ---- IP ------------------------------------------------------------------------------------ */

/* Ends the packet 'length' bytes behind 'begin'.  An aggregated frame may be too long for IP to say (length 0). */
HOOK_FN enum exit_reason parse_ip_end(struct hook *h, struct parse *p, __u64 begin, __u32 length)
{
	p->ip_end = begin + length;
	if (!length && hook_frames(h) > 1)
		p->ip_end = p->frame_end;
	return p->ip_end > p->frame_end ? EXIT_PARSE_SHORT : EXIT_NONE;
}

HOOK_FN enum exit_reason parse_ipv4(struct hook *h, struct scratch *s, struct parse *p)
{
	const __u8 *at = pkt_at(h, p->off, IPV4_SIZE);
	__u32 header, fragment;
	enum exit_reason reason;

	if (!at)
		return parse_missing(p, IPV4_SIZE);
	header = (at[0] & 15) * 4;
	fragment = pkt_be16(at + 6);
	if (at[0] >> 4 != 4 || header < IPV4_SIZE)
		return EXIT_PARSE_MALFORMED;
	s->cells[CELL_IP_PROTO] = at[9];
	s->cells[CELL_FRAG_OFFSET] = (fragment & 0x1fff) * 8;
	reason = parse_ip_end(h, p, p->off, pkt_be16(at + 2));
	if (p->ip_end < p->off + header)
		return EXIT_PARSE_MALFORMED;
	parse_found(s, PRESENT_BIT(IPV4) | PRESENT_BIT(IP));
	if (fragment & 0x3fff)
		parse_found(s, PRESENT_BIT(FRAGMENT));
	p->off += header;
	return reason;
}

HOOK_FN bool ipv6_is_mapped(const __u8 *addr)
{
	return !pkt_be64(addr) && pkt_be32(addr + 8) == 0xffff;
}

/* A segment routing header, whole, is one also if its first segment stands in the destination only ("reduced"). */
HOOK_FN void parse_srh(struct scratch *s, struct parse *p, const __u8 *at)
{
	enum { SRH_TYPE = 4 };
	__u32 left = at[3], last = at[4];

	s->cells[CELL_PRESENT] &= ~PRESENT_BIT(SRH);
	if (at[2] != SRH_TYPE || last >= SEGMENTS_MAX || left > last + 1 || at[1] < (last + 1) * 2)
		return;
	s->off[BASE_SEGMENT] = left > last ? s->off[BASE_L3] + 24 : p->off + EXT_SIZE + left * SEGMENT_SIZE;
	parse_found(s, PRESENT_BIT(SRH));
}

/* The extension header of kind 'proto' at p->off; goes behind it. */
HOOK_FN enum exit_reason parse_ext(struct hook *h, struct scratch *s, struct parse *p, __u32 proto)
{
	const __u8 *at = pkt_at(h, p->off, EXT_SIZE);
	__u32 size = EXT_SIZE;

	if (!at)
		return parse_missing(p, EXT_SIZE);
	if (proto == PROTO_FRAGMENT) {
		s->off[BASE_FRAG6] = p->off;
		parse_found(s, PRESENT_BIT(FRAG6));
		if (pkt_be16(at + 2) & 0xfff9)
			parse_found(s, PRESENT_BIT(FRAGMENT));
		s->cells[CELL_FRAG_OFFSET] = pkt_be16(at + 2) & 0xfff8;
	} else {
		size += at[1] * 8;
		if (proto == PROTO_HOPOPTS) {
			s->off[BASE_HOPOPTS] = p->off;
			parse_found(s, PRESENT_BIT(HOPOPTS));
		} else if (proto == PROTO_ROUTING) {
			s->off[BASE_ROUTING] = p->off;
			parse_found(s, PRESENT_BIT(ROUTING));
			if (PARSE_WANTS(PRESENT_BIT(SRH)))
				parse_srh(s, p, at);
		} else {
			s->off[BASE_DSTOPTS] = p->off;
			parse_found(s, PRESENT_BIT(DSTOPTS));
		}
	}
	s->cells[CELL_IP_PROTO] = at[0];
	p->off += size;
	return p->off > p->ip_end ? EXIT_PARSE_MALFORMED : EXIT_NONE;
}

/* Whether another extension header follows. */
HOOK_FN bool ext_follows(const struct scratch *s, __u32 proto)
{
	return (proto == PROTO_HOPOPTS || proto == PROTO_ROUTING || proto == PROTO_FRAGMENT ||
		proto == PROTO_DSTOPTS) &&
	       !READ(s->cells[CELL_FRAG_OFFSET]);
}

HOOK_FN enum exit_reason parse_ipv6(struct hook *h, struct scratch *s, struct parse *p)
{
	const __u8 *at = pkt_at(h, p->off, IPV6_SIZE);
	enum exit_reason reason;
	__u32 proto;

	if (!at)
		return parse_missing(p, IPV6_SIZE);
	if (at[0] >> 4 != 6)
		return EXIT_PARSE_MALFORMED;
	if (ipv6_is_mapped(at + 8) || ipv6_is_mapped(at + 24))
		return EXIT_PARSE_MAPPED;
	parse_found(s, PRESENT_BIT(IPV6) | PRESENT_BIT(IP));
	s->cells[CELL_IP_PROTO] = at[6];
	p->off += IPV6_SIZE;
	reason = parse_ip_end(h, p, p->off, pkt_be16(at + 4));
	if (reason)
		return reason;

#pragma clang loop unroll(disable)
	for (int i = 0; i < EXT_HEADERS_MAX; i++) {
		proto = READ(s->cells[CELL_IP_PROTO]);
		if (!ext_follows(s, proto))
			return EXIT_NONE;
		reason = parse_ext(h, s, p, proto);
		if (reason)
			return reason;
		p->off = FORGET(s->off[BASE_L4], p->off);
	}
	return ext_follows(s, READ(s->cells[CELL_IP_PROTO])) ? EXIT_PARSE_DEPTH : EXIT_NONE;
}

/* ---- quoted and inside --------------------------------------------------------------------------- */

/* Eight bytes behind the inner IP header. */
HOOK_FN void parse_inner_l4(struct hook *h, struct scratch *s, struct parse *p, __u64 off, __u32 proto)
{
	const __u8 *at = pkt_at(h, off, ICMP_SIZE);

	s->off[BASE_INNER_L4] = off;
	if (!at || off + ICMP_SIZE > p->ip_end)
		return;
	if (proto == PROTO_TCP)
		parse_found(s, PRESENT_BIT(INNER_TCP) | PRESENT_BIT(INNER_L4));
	else if (proto == PROTO_UDP)
		parse_found(s, PRESENT_BIT(INNER_UDP) | PRESENT_BIT(INNER_L4));
	else if ((proto == PROTO_ICMP && (at[0] == 8 || at[0] == 0)) || (proto == PROTO_ICMPV6 && at[0] >> 1 == 64))
		parse_found(s, PRESENT_BIT(INNER_ICMP));
}

HOOK_FN void parse_inner4(struct hook *h, struct scratch *s, struct parse *p, __u64 off)
{
	const __u8 *at = pkt_at(h, off, IPV4_SIZE);
	__u32 header;

	if (!at || off + IPV4_SIZE > p->ip_end)
		return;
	header = (at[0] & 15) * 4;
	if (at[0] >> 4 != 4 || header < IPV4_SIZE)
		return;
	s->off[BASE_INNER_L3] = off;
	parse_found(s, PRESENT_BIT(INNER_IPV4) | PRESENT_BIT(INNER_IP));
	if (!(pkt_be16(at + 6) & 0x1fff))
		parse_inner_l4(h, s, p, FORGET(s->off[BASE_INNER_L4], off + header), at[9]);
}

HOOK_FN void parse_inner6(struct hook *h, struct scratch *s, struct parse *p, __u64 off)
{
	const __u8 *at = pkt_at(h, off, IPV6_SIZE);

	if (!at || off + IPV6_SIZE > p->ip_end || at[0] >> 4 != 6)
		return;
	s->off[BASE_INNER_L3] = off;
	parse_found(s, PRESENT_BIT(INNER_IPV6) | PRESENT_BIT(INNER_IP));
	parse_inner_l4(h, s, p, FORGET(s->off[BASE_INNER_L4], off + IPV6_SIZE), at[6]);
}

/* Ethernet in UDP; of it, IP is looked at. */
HOOK_FN void parse_vxlan(struct hook *h, struct scratch *s, struct parse *p)
{
	enum { FRAME = UDP_SIZE + VXLAN_SIZE, VNI_VALID = 8 };
	const __u8 *at = pkt_at(h, p->off, FRAME + ETH_SIZE);
	__u32 type;

	if (!at || p->off + FRAME + ETH_SIZE > p->ip_end || !(at[UDP_SIZE] & VNI_VALID))
		return;
	parse_found(s, PRESENT_BIT(VXLAN) | PRESENT_BIT(INNER_WHOLE));
	type = pkt_be16(at + FRAME + TAG_OFF);
	if (type == ETHER_IPV4)
		parse_inner4(h, s, p, p->off + FRAME + ETH_SIZE);
	else if (type == ETHER_IPV6)
		parse_inner6(h, s, p, p->off + FRAME + ETH_SIZE);
}

/* An error quotes the packet behind its eight bytes. */
HOOK_FN void parse_icmpv4(struct hook *h, struct scratch *s, struct parse *p)
{
	const __u8 *at = pkt_at(h, p->off, ICMP_SIZE);

	/* Unreachable, source quench, redirect, time exceeded, parameter problem. */
	if (at && at[0] < 32 && (0x1838 >> at[0] & 1))
		parse_inner4(h, s, p, p->off + ICMP_SIZE);
}

HOOK_FN void parse_icmpv6(struct hook *h, struct scratch *s, struct parse *p)
{
	enum { SOLICITATION = 135, ADVERTISEMENT = 136, ERRORS_MAX = 127, SOURCE_LINK = 1, TARGET_LINK = 2 };
	const __u8 *at = pkt_at(h, p->off, ICMP_SIZE);

	if (!at)
		return;
	if (at[0] <= ERRORS_MAX) {
		parse_inner6(h, s, p, p->off + ICMP_SIZE);
		return;
	}
	if (at[0] != SOLICITATION && at[0] != ADVERTISEMENT)
		return;
	if (p->off + ND_SIZE > p->ip_end || !pkt_at(h, p->off, ND_SIZE))
		return;
	parse_found(s, PRESENT_BIT(ND));
	at = pkt_at(h, p->off, ND_LINK_SIZE);
	if (at && p->off + ND_LINK_SIZE <= p->ip_end && at[25] == 1 && (at[24] == SOURCE_LINK || at[24] == TARGET_LINK))
		parse_found(s, PRESENT_BIT(ND_LINK));
}

/* ---- L4 -------------------------------------------------------------------------------------- */

/* Each takes the fixed header at p->off and says in '*ret_size' how much of the packet is header.  IP's length ends
 * in the frame, so what cannot be reached lies too deep. */
HOOK_FN enum exit_reason parse_tcp(struct hook *h, struct scratch *s, struct parse *p, __u64 *ret_size)
{
	const __u8 *at = pkt_at(h, p->off, TCP_SIZE);

	if (p->off + TCP_SIZE > p->ip_end)
		return EXIT_PARSE_MALFORMED;
	if (!at)
		return EXIT_PARSE_DEPTH;
	*ret_size = (at[12] >> 4) * 4;
	if (*ret_size < TCP_SIZE || p->off + *ret_size > p->ip_end)
		return EXIT_PARSE_MALFORMED;
	parse_found(s, PRESENT_BIT(TCP) | PRESENT_BIT(L4));
	return EXIT_NONE;
}

HOOK_FN enum exit_reason parse_udp(struct hook *h, struct scratch *s, struct parse *p, __u64 *ret_size)
{
	const __u8 *at = pkt_at(h, p->off, UDP_SIZE);
	__u32 length;

	if (p->off + UDP_SIZE > p->ip_end)
		return EXIT_PARSE_MALFORMED;
	if (!at)
		return EXIT_PARSE_DEPTH;
	*ret_size = UDP_SIZE;
	length = pkt_be16(at + 4);
	if (PARSE_WANTS(PRESENT_INNER | PRESENT_BIT(VXLAN)) && pkt_be16(at + 2) == VXLAN_PORT)
		parse_vxlan(h, s, p);
	/* A first fragment's length counts what the others bring. */
	if (length < UDP_SIZE || (p->off + length > p->ip_end && !(s->cells[CELL_PRESENT] & PRESENT_BIT(FRAGMENT))))
		return EXIT_PARSE_MALFORMED;
	parse_found(s, PRESENT_BIT(UDP) | PRESENT_BIT(L4));
	return EXIT_NONE;
}

HOOK_FN enum exit_reason parse_icmp(struct hook *h, struct scratch *s, struct parse *p, __u64 present, __u64 *ret_size)
{
	if (p->off + ICMP_SIZE > p->ip_end)
		return EXIT_PARSE_MALFORMED;
	if (!pkt_at(h, p->off, ICMP_SIZE))
		return EXIT_PARSE_DEPTH;
	*ret_size = ICMP_SIZE;
	parse_found(s, present);
	if (!PARSE_WANTS(PRESENT_INNER | PRESENT_BIT(ND) | PRESENT_BIT(ND_LINK)))
		return EXIT_NONE;
	if (present & PRESENT_BIT(ICMPV6))
		parse_icmpv6(h, s, p);
	else
		parse_icmpv4(h, s, p);
	return EXIT_NONE;
}

/* IP in IP: to the outer packet it is payload. */
HOOK_FN void parse_inside(struct hook *h, struct scratch *s, struct parse *p, __u32 proto)
{
	parse_found(s, PRESENT_BIT(INNER_WHOLE));
	if (proto == PROTO_IPIP)
		parse_inner4(h, s, p, p->off);
	else
		parse_inner6(h, s, p, p->off);
}

/* Of a protocol that we do not know, everything is payload. */
HOOK_FN enum exit_reason parse_l4(struct hook *h, struct scratch *s, struct parse *p)
{
	bool is_ipv6 = s->cells[CELL_PRESENT] & PRESENT_BIT(IPV6);
	__u32 proto = READ(s->cells[CELL_IP_PROTO]);
	enum exit_reason reason = EXIT_NONE;
	__u64 size = 0;

	p->off = FORGET(s->off[BASE_L4], p->off);
	if (!READ(s->cells[CELL_FRAG_OFFSET])) {
		if (proto == PROTO_TCP)
			reason = parse_tcp(h, s, p, &size);
		else if (proto == PROTO_UDP)
			reason = parse_udp(h, s, p, &size);
		else if (proto == PROTO_ICMP && !is_ipv6)
			reason = parse_icmp(h, s, p, PRESENT_BIT(ICMP), &size);
		else if (proto == PROTO_ICMPV6 && is_ipv6)
			reason = parse_icmp(h, s, p, PRESENT_BIT(ICMPV6), &size);
		else if (PARSE_WANTS(PRESENT_INNER) && (proto == PROTO_IPIP || proto == PROTO_IPV6))
			parse_inside(h, s, p, proto);
	}
	s->off[BASE_PAYLOAD] = p->off + size;
	s->cells[CELL_PAYLOAD_LENGTH] = p->ip_end - p->off - size;
	return reason;
}

/* ---- the frame -------------------------------------------------------------------------------- */

HOOK_FN enum exit_reason parse_l3(struct hook *h, struct scratch *s, struct parse *p)
{
	__u32 type = READ(s->cells[CELL_ETH_TYPE]);
	enum exit_reason reason;

	p->off = FORGET(s->off[BASE_L3], p->off);
	switch (type) {
	case ETHER_ARP: return parse_arp(h, s, p);
	case ETHER_IPV4: reason = parse_ipv4(h, s, p); break;
	case ETHER_IPV6: reason = parse_ipv6(h, s, p); break;
	case ETHER_MPLS:
	case ETHER_MPLS_MULTICAST:
		s->off[BASE_MPLS] = p->off;
		if (pkt_at(h, p->off, MPLS_SIZE))
			parse_found(s, PRESENT_BIT(MPLS));
		/* fallthrough */
	default:
		s->off[BASE_PAYLOAD] = p->off;
		s->cells[CELL_PAYLOAD_LENGTH] = p->frame_end - p->off;
		return EXIT_NONE;
	}
	return reason ?: parse_l4(h, s, p);
}

HOOK_FN enum exit_reason parse_frame(struct hook *h, struct scratch *s)
{
	struct parse p = {.frame_end = s->cells[CELL_LENGTH]};
	__u32 tpid, tci;

	if (pkt_vlan_beside(h, &tpid, &tci))
		p.frame_end -= TAG_SIZE;
	s->cells[CELL_PRESENT] = (s->cells[CELL_PRESENT] & ~PRESENT_HEADERS) | PRESENT_BIT(ETH);
	s->cells[CELL_IP_PROTO] = 0;
	s->cells[CELL_FRAG_OFFSET] = 0;
	s->cells[CELL_PAYLOAD_LENGTH] = 0;
	s->off[BASE_ETH] = 0;
	s->off[BASE_PAYLOAD] = 0;
	return parse_ether(h, s, &p) ?: parse_l3(h, s, &p);
}

/* Parses the frame.  Returns EXIT_NONE, or a reason EXIT_PARSE_*; what came before the mistake is filled in. */
HOOK_FN enum exit_reason pkt_parse(struct hook *h, struct scratch *s)
{
	enum exit_reason reason = parse_frame(h, s);

	/* Headers of an skb may lie outside its linear part; seldom, so they are fetched only when missed. */
	if (reason == EXIT_PARSE_DEPTH && !pkt_pull(h))
		reason = parse_frame(h, s);
	return reason;
}

#endif
