/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet_build - headers laid out in a frame, fields written into them, checksums at the end.
 *
 * Knows layers and bytes; which headers there are is decided by packet_spec.c. */
#ifndef MEALY_PACKET_BUILD_H
#define MEALY_PACKET_BUILD_H

#include "../tables/field.h"
#include "packet_spec.h"

#define HAS(present) (1ull << PRESENT_##present)

/* Headers that a frame given in words has not. */
#define NOT_BUILT (HAS(SRH) | HAS(MPLS) | HAS(ND) | HAS(ND_LINK) | HAS(VXLAN) | 0xffull << PRESENT_INNER_IPV4)

struct packet_build {
	uint64_t present;   /* Headers there are; PRESENT_IP and _L4 are not used. */
	unsigned payload;   /* Bytes behind the last header. */
	uint8_t proto;	    /* Of IP when there is no L4 header. */
	uint16_t ethertype; /* When there is no L3 header. */
	uint8_t frame[PACKET_SPEC_FRAME_MAX];
	unsigned size;
	unsigned off[BASE_MAX];	    /* Of each header. */
	unsigned type_at, proto_at; /* Bytes of the frame that name the L3 and the L4 protocol. */
	unsigned payload_at;
};

/* Lays out the headers with their defaults and lengths.  -EMSGSIZE: more than a frame may have. */
int packet_build_layout(struct packet_build *b);

/* Writes one field where the field table says; 'hi' of an address only. */
void packet_build_write(struct packet_build *b, const struct field *field, uint64_t hi, uint64_t lo);

/* Makes the checksums right. 'keep' has HAS() bits of those that were given: IPV4, TCP, UDP ... */
void packet_build_checksums(struct packet_build *b, uint64_t keep);

#endif
