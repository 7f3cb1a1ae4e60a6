/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "field.h"

#include <errno.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/diag.h"

/* One row is one line. */
/* clang-format off */
#define NEED(x) (1ULL << PRESENT_##x)
#define ONES(bits) ((bits) >= 64 ? ~0ULL : (1ULL << (bits)) - 1)

/* 'bits_' bits in 'size_' bytes at 'off_' of a header; the same place in every packet that has it. */
#define LOAD_AT(base_, off_, size_, shift_, bits_, present_)                                               \
	{.kind = LOAD_BITS, .base = BASE_##base_, .size = size_, .need = PRESENT_##present_,               \
	 .shift = shift_, .off = off_, .off6 = off_, .mask = ONES(bits_), .size6 = size_, .shift6 = shift_}
#define STEP_AT(base_, off_, size_, shift_, bits_, present_, csum4_, csum6_)                               \
	{.code = STEP_BITS, .base = BASE_##base_, .size = size_, .size6 = size_, .off = off_, .off6 = off_, \
	 .shift = shift_, .shift6 = shift_, .csum = csum4_, .csum6 = csum6_, .need = PRESENT_##present_,   \
	 .mask = ONES(bits_)}

#define READ(name_, type_, bits_, present_, base_, off_, size_, shift_, text_)                             \
	{.name = name_, .text = text_, .type = TYPE_##type_, .bits = bits_, .needs = NEED(present_),       \
	 .load = LOAD_AT(base_, off_, size_, shift_, bits_, present_)}
#define WRITE(name_, type_, bits_, present_, base_, off_, size_, shift_, csum4_, csum6_, text_)            \
	{.name = name_, .text = text_, .type = TYPE_##type_, .bits = bits_, .needs = NEED(present_),       \
	 .load = LOAD_AT(base_, off_, size_, shift_, bits_, present_), .writable = true,                   \
	 .step = STEP_AT(base_, off_, size_, shift_, bits_, present_, csum4_, csum6_)}

/* A byte-aligned field of one family, and one that lies elsewhere in IPv6. */
#define BOTH(name_, type_, bits_, off4_, size4_, shift4_, off6_, size6_, shift6_, text_)                   \
	{.name = name_, .text = text_, .type = TYPE_##type_, .bits = bits_, .needs = NEED(IP),             \
	 .load = {.kind = LOAD_BITS, .base = BASE_L3, .size = size4_, .need = PRESENT_IP, .shift = shift4_, \
		  .off = off4_, .off6 = off6_, .mask = ONES(bits_), .size6 = size6_, .shift6 = shift6_},   \
	 .writable = true,                                                                                  \
	 .step = {.code = STEP_BITS, .base = BASE_L3, .size = size4_, .size6 = size6_, .off = off4_,       \
		  .off6 = off6_, .shift = shift4_, .shift6 = shift6_, .csum = CSUM_IP, .csum6 = CSUM_NONE, \
		  .need = PRESENT_IP, .mask = ONES(bits_)}}

#define ADDR(name_, present_, kind_, off4_, off6_, text_)                                                  \
	{.name = name_, .text = text_, .type = TYPE_ADDR, .bits = 128, .needs = NEED(present_),            \
	 .load = {.kind = kind_, .base = BASE_L3, .need = PRESENT_##present_, .off = off4_, .off6 = off6_}, \
	 .writable = true,                                                                                  \
	 .step = {.code = STEP_ADDR, .base = BASE_L3, .off = off4_, .off6 = off6_,                          \
		  .csum = CSUM_IP | CSUM_PSEUDO, .csum6 = CSUM_PSEUDO, .need = PRESENT_##present_}}
#define ADDR_ARP(name_, off_, text_)                                                                       \
	{.name = name_, .text = text_, .type = TYPE_ADDR, .bits = 128, .needs = NEED(ARP),                 \
	 .load = {.kind = LOAD_ADDR4, .base = BASE_L3, .need = PRESENT_ARP, .off = off_, .off6 = off_},    \
	 .writable = true,                                                                                  \
	 .step = {.code = STEP_ADDR, .base = BASE_L3, .off = off_, .off6 = off_, .need = PRESENT_ARP}}

/* Of the packet quoted or inside: both families, then an address. */
#define INNER(name_, type_, bits_, present_, base_, off4_, size4_, shift4_, off6_, size6_, shift6_, csum4_, csum6_, text_) \
	{.name = name_, .text = text_, .type = TYPE_##type_, .bits = bits_, .needs = NEED(present_),       \
	 .load = {.kind = LOAD_BITS, .base = BASE_##base_, .size = size4_, .need = PRESENT_##present_,      \
		  .shift = shift4_, .off = off4_, .off6 = off6_, .mask = ONES(bits_), .size6 = size6_,     \
		  .shift6 = shift6_, .inner = INNER_FAMILY},                                                                      \
	 .writable = true,                                                                                  \
	 .step = {.code = STEP_BITS, .base = BASE_##base_, .size = size4_, .size6 = size6_, .off = off4_,  \
		  .off6 = off6_, .shift = shift4_, .shift6 = shift6_, .csum = CSUM_INNER | (csum4_),       \
		  .csum6 = CSUM_INNER | (csum6_), .need = PRESENT_##present_, .mask = ONES(bits_)}}
#define INNER_READ(name_, type_, bits_, present_, base_, off4_, size_, shift4_, off6_, shift6_, text_)     \
	{.name = name_, .text = text_, .type = TYPE_##type_, .bits = bits_, .needs = NEED(present_),       \
	 .load = {.kind = LOAD_BITS, .base = BASE_##base_, .size = size_, .need = PRESENT_##present_,       \
		  .shift = shift4_, .off = off4_, .off6 = off6_, .mask = ONES(bits_), .size6 = size_,      \
		  .shift6 = shift6_, .inner = INNER_FAMILY}}
#define INNER_ADDR(name_, off4_, off6_, text_)                                                             \
	{.name = name_, .text = text_, .type = TYPE_ADDR, .bits = 128, .needs = NEED(INNER_IP),            \
	 .load = {.kind = LOAD_ADDR, .base = BASE_INNER_L3, .need = PRESENT_INNER_IP, .off = off4_,        \
		  .off6 = off6_, .inner = INNER_FAMILY},                                                                          \
	 .writable = true,                                                                                  \
	 .step = {.code = STEP_ADDR, .base = BASE_INNER_L3, .off = off4_, .off6 = off6_,                    \
		  .csum = CSUM_INNER | CSUM_IP | CSUM_PSEUDO, .csum6 = CSUM_INNER | CSUM_PSEUDO,           \
		  .need = PRESENT_INNER_IP}}
#define ADDR6(name_, present_, base_, off_, csum_, text_)                                                  \
	{.name = name_, .text = text_, .type = TYPE_ADDR, .bits = 128, .needs = NEED(present_),            \
	 .load = {.kind = LOAD_ADDR6, .base = BASE_##base_, .need = PRESENT_##present_, .off = off_,       \
		  .off6 = off_},                                                                           \
	 .writable = true,                                                                                  \
	 .step = {.code = STEP_ADDR, .base = BASE_##base_, .off = off_, .off6 = off_, .csum = csum_,       \
		  .csum6 = csum_, .need = PRESENT_##present_}}

#define CELL(name_, type_, bits_, present_, cell_, shift_, text_)                                          \
	{.name = name_, .text = text_, .type = TYPE_##type_, .bits = bits_, .needs = NEED(present_),       \
	 .load = {.kind = LOAD_CELL, .base = CELL_##cell_, .need = PRESENT_##present_, .shift = shift_,    \
		  .mask = ONES(bits_), .shift6 = shift_}}
#define CELL_STEP(name_, bits_, cell_, shift_, step_, text_)                                               \
	{.name = name_, .text = text_, .type = TYPE_U64, .bits = bits_, .needs = NEED(VLAN),               \
	 .load = {.kind = LOAD_CELL, .base = CELL_##cell_, .need = PRESENT_VLAN, .shift = shift_,          \
		  .mask = ONES(bits_), .shift6 = shift_},                                                  \
	 .writable = true, .step = {.code = step_, .need = PRESENT_VLAN, .mask = ONES(bits_)}}

/* In the order of the reference page: from the outside of a packet inwards. */
const struct field fields[] = {
	WRITE("eth.dst", MAC, 48, ETH, ETH, 0, 6, 0, CSUM_NONE, CSUM_NONE, "destination address"),
	WRITE("eth.src", MAC, 48, ETH, ETH, 6, 6, 0, CSUM_NONE, CSUM_NONE, "source address"),
	CELL("eth.type", ETHERTYPE, 16, ETH, ETH_TYPE, 0, "type of the payload, after VLAN tags"),

	CELL_STEP("vlan.id", 12, VLAN_TCI, 0, STEP_VLAN_ID, "outer tag: number of the VLAN"),
	CELL_STEP("vlan.prio", 3, VLAN_TCI, 13, STEP_VLAN_PRIO, "outer tag: priority"),
	CELL_STEP("vlan.dei", 1, VLAN_TCI, 12, STEP_VLAN_DEI, "outer tag: may be dropped first"),
	CELL("vlan.tpid", ETHERTYPE, 16, VLAN, VLAN_TPID, 0, "outer tag: its own ethertype"),
	CELL("vlan2.id", U64, 12, VLAN2, VLAN2_TCI, 0, "inner tag: number of the VLAN"),
	CELL("vlan2.prio", U64, 3, VLAN2, VLAN2_TCI, 13, "inner tag: priority"),
	CELL("vlan2.dei", U64, 1, VLAN2, VLAN2_TCI, 12, "inner tag: may be dropped first"),
	CELL("vlan2.tpid", ETHERTYPE, 16, VLAN2, VLAN2_TPID, 0, "inner tag: its own ethertype"),

	WRITE("mpls.label", U64, 20, MPLS, MPLS, 0, 4, 12, CSUM_NONE, CSUM_NONE, "outermost label"),
	WRITE("mpls.tc", U64, 3, MPLS, MPLS, 2, 1, 1, CSUM_NONE, CSUM_NONE, "traffic class of the outermost label"),
	READ("mpls.bottom", U64, 1, MPLS, MPLS, 2, 1, 0, "1: no further label follows"),
	WRITE("mpls.ttl", U64, 8, MPLS, MPLS, 3, 1, 0, CSUM_NONE, CSUM_NONE, "time to live of the outermost label"),

	READ("arp.htype", U64, 16, ARP, L3, 0, 2, 0, "hardware type"),
	READ("arp.ptype", ETHERTYPE, 16, ARP, L3, 2, 2, 0, "protocol type"),
	READ("arp.hlen", U64, 8, ARP, L3, 4, 1, 0, "length of hardware addresses"),
	READ("arp.plen", U64, 8, ARP, L3, 5, 1, 0, "length of protocol addresses"),
	WRITE("arp.op", U64, 16, ARP, L3, 6, 2, 0, CSUM_NONE, CSUM_NONE, "1 asks, 2 answers"),
	WRITE("arp.sha", MAC, 48, ARP, L3, 8, 6, 0, CSUM_NONE, CSUM_NONE, "hardware address of the sender"),
	ADDR_ARP("arp.spa", 14, "protocol address of the sender"),
	WRITE("arp.tha", MAC, 48, ARP, L3, 18, 6, 0, CSUM_NONE, CSUM_NONE, "hardware address asked for"),
	ADDR_ARP("arp.tpa", 24, "protocol address asked for"),

	ADDR("ip.src", IP, LOAD_ADDR, 12, 8, "source address, IPv4 or IPv6"),
	ADDR("ip.dst", IP, LOAD_ADDR, 16, 24, "destination address, IPv4 or IPv6"),
	CELL("ip.proto", PROTO, 8, IP, IP_PROTO, 0, "protocol, after IPv6 extension headers"),
	BOTH("ip.ttl", U64, 8, 8, 1, 0, 7, 1, 0, "time to live, or hop limit"),
	BOTH("ip.dscp", U64, 6, 1, 1, 2, 0, 2, 6, "differentiated services code point"),
	BOTH("ip.ecn", U64, 2, 1, 1, 0, 0, 2, 4, "explicit congestion notification"),
	BOTH("ip.tos", U64, 8, 1, 1, 0, 0, 2, 4, "dscp and ecn as one byte"),
	CELL("ip.frag_offset", U64, 16, IP, FRAG_OFFSET, 0, "place of a fragment, in bytes; 0 in whole packets"),

	READ("ipv4.version", U64, 4, IPV4, L3, 0, 1, 4, "4"),
	READ("ipv4.ihl", U64, 4, IPV4, L3, 0, 1, 0, "length of the header, in words of 4 bytes"),
	WRITE("ipv4.tos", U64, 8, IPV4, L3, 1, 1, 0, CSUM_IP, CSUM_NONE, "dscp and ecn as one byte"),
	WRITE("ipv4.dscp", U64, 6, IPV4, L3, 1, 1, 2, CSUM_IP, CSUM_NONE, "differentiated services code point"),
	WRITE("ipv4.ecn", U64, 2, IPV4, L3, 1, 1, 0, CSUM_IP, CSUM_NONE, "explicit congestion notification"),
	READ("ipv4.length", SIZE, 16, IPV4, L3, 2, 2, 0, "bytes of the packet, header included"),
	WRITE("ipv4.id", U64, 16, IPV4, L3, 4, 2, 0, CSUM_IP, CSUM_NONE, "identification"),
	WRITE("ipv4.df", U64, 1, IPV4, L3, 6, 1, 6, CSUM_IP, CSUM_NONE, "do not fragment"),
	READ("ipv4.mf", U64, 1, IPV4, L3, 6, 1, 5, "more fragments follow"),
	READ("ipv4.frag_offset", U64, 13, IPV4, L3, 6, 2, 0, "place of a fragment, in units of 8 bytes"),
	WRITE("ipv4.ttl", U64, 8, IPV4, L3, 8, 1, 0, CSUM_IP, CSUM_NONE, "time to live"),
	READ("ipv4.proto", PROTO, 8, IPV4, L3, 9, 1, 0, "protocol"),
	READ("ipv4.checksum", U64, 16, IPV4, L3, 10, 2, 0, "checksum of the header"),
	ADDR("ipv4.src", IPV4, LOAD_ADDR4, 12, 12, "source address"),
	ADDR("ipv4.dst", IPV4, LOAD_ADDR4, 16, 16, "destination address"),

	READ("ipv6.version", U64, 4, IPV6, L3, 0, 1, 4, "6"),
	WRITE("ipv6.traffic_class", U64, 8, IPV6, L3, 0, 2, 4, CSUM_NONE, CSUM_NONE, "dscp and ecn as one byte"),
	WRITE("ipv6.dscp", U64, 6, IPV6, L3, 0, 2, 6, CSUM_NONE, CSUM_NONE, "differentiated services code point"),
	WRITE("ipv6.ecn", U64, 2, IPV6, L3, 0, 2, 4, CSUM_NONE, CSUM_NONE, "explicit congestion notification"),
	WRITE("ipv6.flow_label", U64, 20, IPV6, L3, 0, 4, 0, CSUM_NONE, CSUM_NONE, "flow label"),
	READ("ipv6.payload_length", SIZE, 16, IPV6, L3, 4, 2, 0, "bytes behind the fixed header"),
	READ("ipv6.next_header", PROTO, 8, IPV6, L3, 6, 1, 0, "of the fixed header; ip.proto is the last one"),
	WRITE("ipv6.hop_limit", U64, 8, IPV6, L3, 7, 1, 0, CSUM_NONE, CSUM_NONE, "hop limit"),
	ADDR("ipv6.src", IPV6, LOAD_ADDR6, 8, 8, "source address"),
	ADDR("ipv6.dst", IPV6, LOAD_ADDR6, 24, 24, "destination address"),

	READ("hopopts.next_header", PROTO, 8, HOPOPTS, HOPOPTS, 0, 1, 0, "what follows the hop-by-hop options"),
	READ("hopopts.length", U64, 8, HOPOPTS, HOPOPTS, 1, 1, 0, "in units of 8 bytes, less one"),
	READ("routing.next_header", PROTO, 8, ROUTING, ROUTING, 0, 1, 0, "what follows the routing header"),
	READ("routing.length", U64, 8, ROUTING, ROUTING, 1, 1, 0, "in units of 8 bytes, less one"),
	READ("routing.type", U64, 8, ROUTING, ROUTING, 2, 1, 0, "kind of routing header; 4 is segment routing"),
	READ("routing.segments_left", U64, 8, ROUTING, ROUTING, 3, 1, 0, "hops still to visit"),
	WRITE("srv6.segments_left", U64, 8, SRH, ROUTING, 3, 1, 0, CSUM_NONE, CSUM_NONE, "segments still to visit"),
	READ("srv6.last_entry", U64, 8, SRH, ROUTING, 4, 1, 0, "segments in the list, less one"),
	WRITE("srv6.flags", U64, 8, SRH, ROUTING, 5, 1, 0, CSUM_NONE, CSUM_NONE, "flags of the segment routing header"),
	WRITE("srv6.tag", U64, 16, SRH, ROUTING, 6, 2, 0, CSUM_NONE, CSUM_NONE, "tag of the segment routing header"),
	{.name = "srv6.segments", .text = "the list in the header, in the order of the path; part of a match table's key only",
	 .type = TYPE_SEGMENTS, .bits = 64, .needs = NEED(SRH), .load = {.kind = LOAD_NONE, .need = PRESENT_SRH}},
	{.name = "srv6.active", .text = "the active segment", .type = TYPE_ADDR, .bits = 128, .needs = NEED(SRH),
	 .load = {.kind = LOAD_ADDR6, .base = BASE_SEGMENT, .need = PRESENT_SRH}},
	READ("frag6.next_header", PROTO, 8, FRAG6, FRAG6, 0, 1, 0, "what follows the fragment header"),
	READ("frag6.offset", U64, 13, FRAG6, FRAG6, 2, 2, 3, "place of a fragment, in units of 8 bytes"),
	READ("frag6.mf", U64, 1, FRAG6, FRAG6, 3, 1, 0, "more fragments follow"),
	READ("frag6.id", U64, 32, FRAG6, FRAG6, 4, 4, 0, "identification"),
	READ("dstopts.next_header", PROTO, 8, DSTOPTS, DSTOPTS, 0, 1, 0, "what follows the destination options"),
	READ("dstopts.length", U64, 8, DSTOPTS, DSTOPTS, 1, 1, 0, "in units of 8 bytes, less one"),

	WRITE("l4.src", U64, 16, L4, L4, 0, 2, 0, CSUM_L4, CSUM_L4, "source port, TCP or UDP"),
	WRITE("l4.dst", U64, 16, L4, L4, 2, 2, 0, CSUM_L4, CSUM_L4, "destination port, TCP or UDP"),
	CELL("l4.payload_length", SIZE, 16, L4, PAYLOAD_LENGTH, 0, "bytes behind the TCP or UDP header"),

	WRITE("tcp.src", U64, 16, TCP, L4, 0, 2, 0, CSUM_L4, CSUM_L4, "source port"),
	WRITE("tcp.dst", U64, 16, TCP, L4, 2, 2, 0, CSUM_L4, CSUM_L4, "destination port"),
	WRITE("tcp.seq", U64, 32, TCP, L4, 4, 4, 0, CSUM_L4, CSUM_L4, "sequence number; compare with seq_lt()"),
	WRITE("tcp.ack", U64, 32, TCP, L4, 8, 4, 0, CSUM_L4, CSUM_L4, "acknowledgement number"),
	READ("tcp.offset", U64, 4, TCP, L4, 12, 1, 4, "length of the header, in words of 4 bytes"),
	WRITE("tcp.flags", FLAGS, 8, TCP, L4, 13, 1, 0, CSUM_L4, CSUM_L4, "flags"),
	WRITE("tcp.window", U64, 16, TCP, L4, 14, 2, 0, CSUM_L4, CSUM_L4, "window, not scaled"),
	READ("tcp.checksum", U64, 16, TCP, L4, 16, 2, 0, "checksum"),
	WRITE("tcp.urgent", U64, 16, TCP, L4, 18, 2, 0, CSUM_L4, CSUM_L4, "urgent pointer"),

	WRITE("udp.src", U64, 16, UDP, L4, 0, 2, 0, CSUM_L4, CSUM_L4, "source port"),
	WRITE("udp.dst", U64, 16, UDP, L4, 2, 2, 0, CSUM_L4, CSUM_L4, "destination port"),
	READ("udp.length", SIZE, 16, UDP, L4, 4, 2, 0, "bytes of header and payload"),
	READ("udp.checksum", U64, 16, UDP, L4, 6, 2, 0, "checksum, 0: none"),

	WRITE("vxlan.vni", U64, 24, VXLAN, PAYLOAD, 4, 4, 8, CSUM_L4, CSUM_L4, "number of the virtual network"),

	WRITE("icmp.type", U64, 8, ICMP, L4, 0, 1, 0, CSUM_L4, CSUM_L4, "type; 8 asks for an echo, 0 is one"),
	WRITE("icmp.code", U64, 8, ICMP, L4, 1, 1, 0, CSUM_L4, CSUM_L4, "code"),
	READ("icmp.checksum", U64, 16, ICMP, L4, 2, 2, 0, "checksum"),
	WRITE("icmp.id", U64, 16, ICMP, L4, 4, 2, 0, CSUM_L4, CSUM_L4, "identifier, in echo messages"),
	WRITE("icmp.seq", U64, 16, ICMP, L4, 6, 2, 0, CSUM_L4, CSUM_L4, "sequence number, in echo messages"),

	WRITE("icmpv6.type", U64, 8, ICMPV6, L4, 0, 1, 0, CSUM_L4, CSUM_L4, "type; 128 asks for an echo, 129 is one"),
	WRITE("icmpv6.code", U64, 8, ICMPV6, L4, 1, 1, 0, CSUM_L4, CSUM_L4, "code"),
	READ("icmpv6.checksum", U64, 16, ICMPV6, L4, 2, 2, 0, "checksum"),
	WRITE("icmpv6.id", U64, 16, ICMPV6, L4, 4, 2, 0, CSUM_L4, CSUM_L4, "identifier, in echo messages"),
	WRITE("icmpv6.seq", U64, 16, ICMPV6, L4, 6, 2, 0, CSUM_L4, CSUM_L4, "sequence number, in echo messages"),

	WRITE("nd.flags", U64, 3, ND, L4, 4, 1, 5, CSUM_L4, CSUM_L4, "neighbour discovery: 4 router, 2 solicited, 1 override"),
	ADDR6("nd.target", ND, L4, 8, CSUM_L4, "neighbour discovery: the address asked for or told"),
	WRITE("nd.link", MAC, 48, ND_LINK, L4, 26, 6, 0, CSUM_L4, CSUM_L4,
	      "neighbour discovery: hardware address in the first option"),

	INNER_ADDR("inner.ip.src", 12, 8, "source address"),
	INNER_ADDR("inner.ip.dst", 16, 24, "destination address"),
	INNER_READ("inner.ip.proto", PROTO, 8, INNER_IP, INNER_L3, 9, 1, 0, 6, 0, "protocol, or IPv6's first next header"),
	INNER("inner.ip.ttl", U64, 8, INNER_IP, INNER_L3, 8, 1, 0, 7, 1, 0, CSUM_IP, CSUM_NONE, "time to live, or hop limit"),
	INNER("inner.ip.dscp", U64, 6, INNER_IP, INNER_L3, 1, 1, 2, 0, 2, 6, CSUM_IP, CSUM_NONE,
	      "differentiated services code point"),
	INNER("inner.ip.ecn", U64, 2, INNER_IP, INNER_L3, 1, 1, 0, 0, 2, 4, CSUM_IP, CSUM_NONE,
	      "explicit congestion notification"),
	INNER("inner.l4.src", U64, 16, INNER_L4, INNER_L4, 0, 2, 0, 0, 2, 0, CSUM_L4, CSUM_L4, "source port, TCP or UDP"),
	INNER("inner.l4.dst", U64, 16, INNER_L4, INNER_L4, 2, 2, 0, 2, 2, 0, CSUM_L4, CSUM_L4,
	      "destination port, TCP or UDP"),
	INNER("inner.tcp.seq", U64, 32, INNER_TCP, INNER_L4, 4, 4, 0, 4, 4, 0, CSUM_L4, CSUM_L4, "sequence number"),
	INNER_READ("inner.icmp.type", U64, 8, INNER_ICMP, INNER_L4, 0, 1, 0, 0, 0, "type of an echo, ICMP or ICMPv6"),
	INNER("inner.icmp.id", U64, 16, INNER_ICMP, INNER_L4, 4, 2, 0, 4, 2, 0, CSUM_L4, CSUM_L4,
	      "identifier of an echo, ICMP or ICMPv6"),
	INNER("inner.icmp.seq", U64, 16, INNER_ICMP, INNER_L4, 6, 2, 0, 6, 2, 0, CSUM_L4, CSUM_L4,
	      "sequence number of an echo, ICMP or ICMPv6"),
};
/* clang-format on */

const size_t n_fields = ARRAY_SIZE(fields);

const struct field *field_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

const char *field_nearest(const char *name)
{
	const char *names[ARRAY_SIZE(fields)];

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		names[i] = fields[i].name;
	return diag_nearest(name, names, ARRAY_SIZE(names));
}

bool field_is_planned(const char *name)
{
	static const char *const prefixes[] = {"gre.", "ipip.", "payload", "altmark."};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static const struct header {
	const char *name;
	uint64_t needs;
} headers[] = {
	{"eth", NEED(ETH)},	    {"vlan", NEED(VLAN)},	{"vlan2", NEED(VLAN2)},
	{"mpls", NEED(MPLS)},	    {"arp", NEED(ARP)},		{"ip", NEED(IP)},
	{"ipv4", NEED(IPV4)},	    {"ipv6", NEED(IPV6)},	{"fragment", NEED(FRAGMENT)},
	{"hopopts", NEED(HOPOPTS)}, {"routing", NEED(ROUTING)}, {"srv6", NEED(SRH)},
	{"frag6", NEED(FRAG6)},	    {"dstopts", NEED(DSTOPTS)}, {"l4", NEED(L4)},
	{"tcp", NEED(TCP)},	    {"udp", NEED(UDP)},		{"vxlan", NEED(VXLAN)},
	{"icmp", NEED(ICMP)},	    {"icmpv6", NEED(ICMPV6)},	{"nd", NEED(ND)},
	{"inner", NEED(INNER_IP)},  {"in_port", NEED(IN_PORT)}, {"out_port", NEED(OUT_PORT)},
};

int header_find(const char *name, uint64_t *ret_needs)
{
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		if (strcmp(headers[i].name, name) == 0) {
			*ret_needs = headers[i].needs;
			return 0;
		}
	return -ENOENT;
}

const char *header_at(size_t index)
{
	return index < ARRAY_SIZE(headers) ? headers[index].name : NULL;
}

const char *header_nearest(const char *name)
{
	const char *names[ARRAY_SIZE(headers)];

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		names[i] = headers[i].name;
	return diag_nearest(name, names, ARRAY_SIZE(names));
}
