/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame - packets for tests: composed by layers, verified from scratch, compared by header names.
 *
 *     struct frame f = PKT(.ip_src = CLIENT, .tcp_dport = 1111);
 *
 * A field left out takes its default, written beside it below.  Which headers the frame has
 * follows from what is named: an address with ':' makes IPv6, tcp_* makes TCP, icmp_* ICMP or
 * ICMPv6, arp_op ARP, vlan_* a tag; otherwise it is IPv4 and UDP.  To write a 0 where 0 means
 * the default, write FRAME_ZERO.  Lengths and checksums are correct unless overridden.
 *
 * The dissector here is written apart from the datapath's parser, so one can judge the other.
 * A name that cannot be understood (an address, a frame too large) ends the test program. */
#ifndef MEALY_TEST_FRAME_H
#define MEALY_TEST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 5737 and RFC 3849 addresses. */
#define FRAME_MAC_SRC "02:00:00:00:00:01"
#define FRAME_MAC_DST "02:00:00:00:00:02"
#define FRAME_IP4_SRC "192.0.2.1"
#define FRAME_IP4_DST "198.51.100.1"
#define FRAME_IP6_SRC "2001:db8::1"
#define FRAME_IP6_DST "2001:db8:ffff::1"

enum { FRAME_ZERO = -1, FRAME_HEADROOM = 256, FRAME_ROOM = 3072, FRAME_PARTS_MAX = 96 };

struct frame {
	unsigned size;
	uint8_t headroom[FRAME_HEADROOM]; /* Directly before 'data', for native_run(). */
	uint8_t data[FRAME_ROOM];
};

struct pkt {
	/* Ethernet */
	const char *eth_src; /* FRAME_MAC_SRC */
	const char *eth_dst; /* FRAME_MAC_DST */
	int eth_type;	     /* Given: no ARP or IP header, the payload follows. */
	/* Outer tag (in front), inner tag.  One of a group named: the tag is there. */
	int vlan_tpid; /* 0x8100, or 0x88a8 before a second tag */
	int vlan_id, vlan_prio, vlan_dei;
	int vlan2_tpid; /* 0x8100 */
	int vlan2_id, vlan2_prio, vlan2_dei;
	/* ARP, Ethernet and IPv4.  Hardware addresses default to Ethernet's and to zero. */
	int arp_op;
	const char *arp_sha, *arp_spa, *arp_tha, *arp_tpa;
	/* IP.  The first address that is named decides the family. */
	const char *ip_src, *ip_dst;
	bool ip6;	     /* IPv6 without naming an address. */
	int ip_ttl;	     /* 64; IPv6: hop limit */
	int ip_dscp, ip_ecn; /* 0 */
	int ip_proto;	     /* Given without tcp_*, udp_*, icmp_*: the payload follows IP. */
	int ip_id;	     /* 1 */
	int ip_options;	     /* IPv4: bytes of no-operations, a multiple of 4. */
	int ip6_flow;	     /* 0 */
	int dont_fragment;
	int frag_offset; /* Bytes; above 0 no L4 header is made. */
	int more_fragments;
	bool frag6; /* IPv6: a fragment header even if it says "whole". */
	/* IPv6 extension headers: how many, in this order. */
	int hopopts, routing, dstopts;
	int ext_len; /* Of each of those: 8 bytes * (1 + ext_len). */
	/* L4 */
	int tcp_sport, tcp_dport; /* 49152, 80 */
	int64_t tcp_seq, tcp_ack; /* 1, 0 */
	int tcp_flags;		  /* 0x02 (SYN) */
	int tcp_window;		  /* 65535 */
	int tcp_urgent;		  /* 0 */
	int tcp_options;	  /* Bytes of no-operations, a multiple of 4. */
	int udp_sport, udp_dport; /* 49152, 53 */
	bool udp_no_csum;	  /* Checksum 0, IPv4 only. */
	int icmp_type;		  /* Echo request: 8 or 128 */
	int icmp_code, icmp_id, icmp_seq;
	/* Payload: 'payload', or a pattern of 'payload_size' bytes. */
	const void *payload;
	unsigned payload_size; /* 0 */
	unsigned trailer;      /* Bytes of Ethernet padding behind IP's length. */
};

struct frame frame_make(const struct pkt *pkt);
#define PKT(...) frame_make(&(const struct pkt){__VA_ARGS__})

/* A frame of 'size' given bytes. */
struct frame frame_of_bytes(const void *bytes, unsigned size);

/* One named field of a frame. */
struct frame_part {
	unsigned off, size;
	char name[40]; /* "ip.ttl", "vlan2.tci", "tcp.dport" */
};

/* Dissects 'size' bytes into at most FRAME_PARTS_MAX parts; what is not understood is "payload".
 * Returns the number of parts; they cover the frame without gaps. */
unsigned frame_parts(const uint8_t *data, unsigned size, struct frame_part *ret_parts);

/* Verifies every checksum, computed from scratch.  Returns true, or false with the checksum's name
 * in 'why' ("ip.checksum").  Later fragments have an IP checksum only; a first fragment's L4
 * checksum covers bytes that are not there, so it is not verified. */
bool frame_verify(const uint8_t *data, unsigned size, char *why, size_t why_size);

/* Writes every checksum that frame_verify() would verify; UDP's 0 stays 0. */
void frame_fix_checksums(uint8_t *data, unsigned size);

/* Compares whole frames.  Returns true if they are equal; otherwise false and one line per part that
 * differs in 'text': "tcp.dport: expected 0050, is 0051". */
bool frame_same(const uint8_t *expected, unsigned expected_size, const uint8_t *is, unsigned is_size, char *text,
		size_t text_size);

/* Fails the cmocka test with those lines. */
#define assert_frame_equal(expected, expected_size, is, is_size)                                                       \
	do {                                                                                                           \
		char text_[2048];                                                                                      \
		if (!frame_same(expected, expected_size, is, is_size, text_, sizeof(text_)))                           \
			fail_msg("frames differ:\n%s", text_);                                                         \
	} while (0)

/* Finds a part by name.  Returns its offset, or -1. */
int frame_find(const uint8_t *data, unsigned size, const char *name);

#endif
