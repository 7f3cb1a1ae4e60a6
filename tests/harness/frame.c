/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frame.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes into a frame from front to back. */
struct writer {
	struct frame *frame;
	const struct pkt *pkt;
	bool ip6;
};

static unsigned number(int64_t value, unsigned otherwise)
{
	if (value == 0)
		return otherwise;
	return value == FRAME_ZERO ? 0 : value;
}

static uint8_t *put(struct writer *w, const void *bytes, unsigned size)
{
	uint8_t *at = w->frame->data + w->frame->size;

	if (w->frame->size + size > FRAME_ROOM) {
		fprintf(stderr, "frame: larger than %d bytes\n", FRAME_ROOM);
		abort();
	}
	if (bytes)
		memcpy(at, bytes, size);
	else
		memset(at, 0, size);
	w->frame->size += size;
	return at;
}

static void put8(struct writer *w, unsigned value)
{
	put(w, &(uint8_t){value}, 1);
}

static void put16(struct writer *w, unsigned value)
{
	put(w, &(uint16_t){htons(value)}, 2);
}

static void put32(struct writer *w, uint32_t value)
{
	put(w, &(uint32_t){htonl(value)}, 4);
}

static void put_mac(struct writer *w, const char *text)
{
	uint8_t mac[6];

	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 6) {
		fprintf(stderr, "frame: \"%s\" is no MAC address\n", text);
		abort();
	}
	put(w, mac, 6);
}

static void put_ip(struct writer *w, int family, const char *text)
{
	uint8_t addr[16];

	if (inet_pton(family, text, addr) != 1) {
		fprintf(stderr, "frame: \"%s\" is no %s address\n", text, family == AF_INET ? "IPv4" : "IPv6");
		abort();
	}
	put(w, addr, family == AF_INET ? 4 : 16);
}

static void patch16(uint8_t *at, unsigned value)
{
	at[0] = value >> 8;
	at[1] = value;
}

enum l4 { L4_NONE, L4_UDP, L4_TCP, L4_ICMP };

static enum l4 pkt_l4(const struct pkt *p)
{
	if (p->tcp_sport || p->tcp_dport || p->tcp_seq || p->tcp_ack || p->tcp_flags || p->tcp_window ||
	    p->tcp_urgent || p->tcp_options)
		return L4_TCP;
	if (p->icmp_type || p->icmp_code || p->icmp_id || p->icmp_seq)
		return L4_ICMP;
	if (p->udp_sport || p->udp_dport || p->udp_no_csum || !p->ip_proto)
		return L4_UDP;
	return L4_NONE;
}

static unsigned pkt_proto(const struct pkt *p, bool ip6)
{
	switch (pkt_l4(p)) {
	case L4_UDP: return IPPROTO_UDP;
	case L4_TCP: return IPPROTO_TCP;
	case L4_ICMP: return ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	case L4_NONE: break;
	}
	return number(p->ip_proto, 0);
}

static void put_payload(struct writer *w)
{
	const struct pkt *p = w->pkt;

	if (p->payload) {
		put(w, p->payload, p->payload_size);
		return;
	}
	for (unsigned i = 0; i < p->payload_size; i++)
		put8(w, i & 0xff);
}

static void put_tcp(struct writer *w)
{
	const struct pkt *p = w->pkt;
	unsigned options = p->tcp_options;

	put16(w, number(p->tcp_sport, 49152));
	put16(w, number(p->tcp_dport, 80));
	put32(w, number(p->tcp_seq, 1));
	put32(w, number(p->tcp_ack, 0));
	put16(w, (5 + options / 4) << 12 | number(p->tcp_flags, 0x02));
	put16(w, number(p->tcp_window, 65535));
	put16(w, 0);
	put16(w, number(p->tcp_urgent, 0));
	memset(put(w, NULL, options), 1, options);
}

static void put_udp(struct writer *w)
{
	const struct pkt *p = w->pkt;

	put16(w, number(p->udp_sport, 49152));
	put16(w, number(p->udp_dport, 53));
	put16(w, 8 + p->payload_size);
	put16(w, p->udp_no_csum ? 0 : 0xffff); /* Not 0, so that it is computed. */
}

static void put_icmp(struct writer *w)
{
	const struct pkt *p = w->pkt;

	put8(w, number(p->icmp_type, w->ip6 ? 128 : 8));
	put8(w, number(p->icmp_code, 0));
	put16(w, 0);
	put16(w, number(p->icmp_id, 0));
	put16(w, number(p->icmp_seq, 0));
}

static void put_l4(struct writer *w)
{
	if (w->pkt->frag_offset > 0) {
		put_payload(w);
		return;
	}
	switch (pkt_l4(w->pkt)) {
	case L4_UDP: put_udp(w); break;
	case L4_TCP: put_tcp(w); break;
	case L4_ICMP: put_icmp(w); break;
	case L4_NONE: break;
	}
	put_payload(w);
}

static void put_ipv4(struct writer *w)
{
	const struct pkt *p = w->pkt;
	unsigned options = p->ip_options, begin = w->frame->size;

	put8(w, 0x40 | (5 + options / 4));
	put8(w, number(p->ip_dscp, 0) << 2 | number(p->ip_ecn, 0));
	put16(w, 0);
	put16(w, number(p->ip_id, 1));
	put16(w, (p->dont_fragment ? 0x4000 : 0) | (p->more_fragments ? 0x2000 : 0) | number(p->frag_offset, 0) / 8);
	put8(w, number(p->ip_ttl, 64));
	put8(w, pkt_proto(p, false));
	put16(w, 0);
	put_ip(w, AF_INET, p->ip_src ?: FRAME_IP4_SRC);
	put_ip(w, AF_INET, p->ip_dst ?: FRAME_IP4_DST);
	memset(put(w, NULL, options), 1, options);
	put_l4(w);
	patch16(w->frame->data + begin + 2, w->frame->size - begin);
}

/* Option headers carry one PadN; a routing header of type 4 with no segments left is its like. */
static uint8_t *put_ext(struct writer *w, unsigned ext, uint8_t *next, unsigned ext_len)
{
	unsigned size = 8 * (1 + ext_len);
	uint8_t *at = put(w, NULL, size);

	*next = ext;
	at[1] = ext_len;
	if (ext == IPPROTO_ROUTING) {
		at[2] = 4;
	} else {
		at[2] = 1;
		at[3] = size - 4;
	}
	return at;
}

static uint8_t *put_frag6(struct writer *w, uint8_t *next)
{
	const struct pkt *p = w->pkt;
	uint8_t *at = put(w, NULL, 8);

	*next = IPPROTO_FRAGMENT;
	patch16(at + 2, number(p->frag_offset, 0) | (p->more_fragments ? 1 : 0));
	at[7] = number(p->ip_id, 1);
	return at;
}

static void put_ipv6(struct writer *w)
{
	const struct pkt *p = w->pkt;
	unsigned begin = w->frame->size, payload;
	uint8_t *next = w->frame->data + begin + 6;

	put32(w, 6u << 28 | number(p->ip_dscp, 0) << 22 | number(p->ip_ecn, 0) << 20 | number(p->ip6_flow, 0));
	put32(w, number(p->ip_ttl, 64));
	put_ip(w, AF_INET6, p->ip_src ?: FRAME_IP6_SRC);
	put_ip(w, AF_INET6, p->ip_dst ?: FRAME_IP6_DST);
	payload = w->frame->size;
	for (int i = 0; i < p->hopopts; i++)
		next = put_ext(w, IPPROTO_HOPOPTS, next, p->ext_len);
	for (int i = 0; i < p->routing; i++)
		next = put_ext(w, IPPROTO_ROUTING, next, p->ext_len);
	if (p->frag6 || p->frag_offset || p->more_fragments)
		next = put_frag6(w, next);
	for (int i = 0; i < p->dstopts; i++)
		next = put_ext(w, IPPROTO_DSTOPTS, next, p->ext_len);
	*next = pkt_proto(p, true);
	put_l4(w);
	patch16(w->frame->data + begin + 4, w->frame->size - payload);
}

static void put_arp(struct writer *w)
{
	const struct pkt *p = w->pkt;

	put16(w, 1);
	put16(w, 0x0800);
	put16(w, 0x0604);
	put16(w, number(p->arp_op, 1));
	put_mac(w, p->arp_sha ?: p->eth_src ?: FRAME_MAC_SRC);
	put_ip(w, AF_INET, p->arp_spa ?: FRAME_IP4_SRC);
	put_mac(w, p->arp_tha ?: "00:00:00:00:00:00");
	put_ip(w, AF_INET, p->arp_tpa ?: FRAME_IP4_DST);
	put_payload(w);
}

static unsigned vlan_tci(int id, int prio, int dei)
{
	return number(prio, 0) << 13 | number(dei, 0) << 12 | number(id, 0);
}

static void put_vlans(struct writer *w)
{
	const struct pkt *p = w->pkt;
	bool tag2 = p->vlan2_tpid || p->vlan2_id || p->vlan2_prio || p->vlan2_dei;
	bool tag = tag2 || p->vlan_tpid || p->vlan_id || p->vlan_prio || p->vlan_dei;

	if (tag) {
		put16(w, number(p->vlan_tpid, tag2 ? 0x88a8 : 0x8100));
		put16(w, vlan_tci(p->vlan_id, p->vlan_prio, p->vlan_dei));
	}
	if (tag2) {
		put16(w, number(p->vlan2_tpid, 0x8100));
		put16(w, vlan_tci(p->vlan2_id, p->vlan2_prio, p->vlan2_dei));
	}
}

static bool pkt_is_ip6(const struct pkt *p)
{
	const char *addr = p->ip_src ?: p->ip_dst;

	return p->ip6 || (addr && strchr(addr, ':'));
}

struct frame frame_make(const struct pkt *pkt)
{
	struct frame f = {0};
	struct writer w = {.frame = &f, .pkt = pkt, .ip6 = pkt_is_ip6(pkt)};

	put_mac(&w, pkt->eth_dst ?: FRAME_MAC_DST);
	put_mac(&w, pkt->eth_src ?: FRAME_MAC_SRC);
	put_vlans(&w);
	if (pkt->eth_type) {
		put16(&w, number(pkt->eth_type, 0));
		put_payload(&w);
	} else if (pkt->arp_op) {
		put16(&w, 0x0806);
		put_arp(&w);
	} else if (w.ip6) {
		put16(&w, 0x86dd);
		put_ipv6(&w);
	} else {
		put16(&w, 0x0800);
		put_ipv4(&w);
	}
	frame_fix_checksums(f.data, f.size);
	put(&w, NULL, pkt->trailer);
	return f;
}

struct frame frame_of_bytes(const void *bytes, unsigned size)
{
	struct frame f = {0};
	struct writer w = {.frame = &f};

	put(&w, bytes, size);
	return f;
}
