/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_packet - a packet as the language sees it: headers found, fields read and written by name.
 *
 * Written from the definitions of the protocols and of the language, apart from the datapath's parser and from
 * tables/field.c, so that it can judge both.  Nothing here is fast. */
#ifndef MEALY_JUDGE_PACKET_H
#define MEALY_JUDGE_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "../harness/frame.h"

struct judge_value {
	uint64_t hi, lo; /* An IPv4 address is ::ffff:a.b.c.d. */
};

/* Headers that has() may name. */
enum judge_header {
	JUDGE_ETH,
	JUDGE_VLAN,
	JUDGE_VLAN2,
	JUDGE_ARP,
	JUDGE_IPV4,
	JUDGE_IPV6,
	JUDGE_HOPOPTS,
	JUDGE_ROUTING,
	JUDGE_FRAG6,
	JUDGE_DSTOPTS,
	JUDGE_TCP,
	JUDGE_UDP,
	JUDGE_ICMP,
	JUDGE_ICMPV6,
	JUDGE_HEADER_MAX,
};

enum { JUDGE_DECLARED = 8 };

/* Why a frame is not looked at any further. */
enum judge_fault { JUDGE_GOOD, JUDGE_SHORT, JUDGE_MALFORMED, JUDGE_DEPTH, JUDGE_MAPPED };

struct judge_packet {
	struct frame frame;
	unsigned at[JUDGE_HEADER_MAX]; /* Offset of each header that is there. */
	bool has[JUDGE_HEADER_MAX];
	bool fragment;
	unsigned l3, l4; /* Where what follows Ethernet and its tags begins, and what follows IP. */
	unsigned end;	 /* Where IP's length, or the frame's, ends the packet; 0: ARP. */
	/* Of headers that an application declares, by number; see judge_header.c. */
	bool has_declared[JUDGE_DECLARED];
	unsigned declared_at[JUDGE_DECLARED];
	uint64_t eth_type, proto, frag_offset, payload_length;
};

enum judge_fault judge_packet_read(const struct frame *frame, struct judge_packet *ret_packet);

/* Whether the packet has a header ("tcp", "l4", "fragment") or a field ("tcp.dst"). */
bool judge_packet_has(const struct judge_packet *p, const char *name);

/* The value of a field; 0 where it is absent. */
struct judge_value judge_packet_get(const struct judge_packet *p, const char *field);

/* Writes a field's low bits and keeps the checksums right.  False: the packet has no such field, or the address is of
 * the other family. */
bool judge_packet_set(struct judge_packet *p, const char *field, struct judge_value value);

/* Writes 'n' bits, 'bit' bits behind byte 'at'. */
void judge_packet_write(struct judge_packet *p, unsigned at, unsigned bit, unsigned n, uint64_t value);

void judge_packet_push_vlan(struct judge_packet *p);
/* False: there is no tag. */
bool judge_packet_pop_vlan(struct judge_packet *p);

#endif
