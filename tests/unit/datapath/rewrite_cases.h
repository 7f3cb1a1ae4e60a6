/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rewrite_cases - fields written into packets, for the native tests and those in the kernel. */
#ifndef MEALY_TEST_REWRITE_CASES_H
#define MEALY_TEST_REWRITE_CASES_H

#include "tables/field.h"
#include "tests/harness/frame.h"

#define V4(a, b, c, d) (0xffffULL << 32 | (a##ULL) << 24 | (b) << 16 | (c) << 8 | (d))

struct write_case {
	const char *field;
	__u64 hi, lo;
	struct pkt before, after;
};

static const struct write_case writes[] = {
	{"eth.src", 0, 0x020000000099, {.tcp_dport = 80}, {.tcp_dport = 80, .eth_src = "02:00:00:00:00:99"}},
	{"eth.dst", 0, 0xffffffffffff, {.arp_op = 1}, {.arp_op = 1, .eth_dst = "ff:ff:ff:ff:ff:ff"}},
	{"arp.op", 0, 2, {.arp_op = 1}, {.arp_op = 2}},
	{"arp.sha", 0, 0x0a0b0c0d0e0f, {.arp_op = 1}, {.arp_op = 1, .arp_sha = "0a:0b:0c:0d:0e:0f"}},
	{"ip.src", 0, V4(203, 0, 113, 9), {.tcp_dport = 80}, {.tcp_dport = 80, .ip_src = "203.0.113.9"}},
	{"ip.dst",
	 0,
	 V4(203, 0, 113, 9),
	 {.udp_dport = 80, .payload_size = 3},
	 {.udp_dport = 80, .payload_size = 3, .ip_dst = "203.0.113.9"}},
	{"ip.dst", 0, V4(203, 0, 113, 9), {.icmp_id = 80}, {.icmp_id = 80, .ip_dst = "203.0.113.9"}},
	{"ip.dst", 0, V4(203, 0, 113, 9), {.udp_no_csum = true}, {.udp_no_csum = true, .ip_dst = "203.0.113.9"}},
	{"ip.dst",
	 0,
	 V4(203, 0, 113, 9),
	 {.ip_proto = 47, .payload_size = 40},
	 {.ip_proto = 47, .payload_size = 40, .ip_dst = "203.0.113.9"}},
	{"ip.src",
	 0,
	 V4(203, 0, 113, 9),
	 {.tcp_dport = 80, .frag_offset = 64, .payload_size = 40},
	 {.tcp_dport = 80, .frag_offset = 64, .payload_size = 40, .ip_src = "203.0.113.9"}},
	{"ip.src",
	 0,
	 V4(203, 0, 113, 9),
	 {.tcp_dport = 80, .ip_options = 8, .vlan_id = 3, .vlan2_id = 4},
	 {.tcp_dport = 80, .ip_options = 8, .vlan_id = 3, .vlan2_id = 4, .ip_src = "203.0.113.9"}},
	{"ip.src",
	 0x20010db800000000,
	 0x99,
	 {.ip6 = true, .tcp_dport = 80},
	 {.ip_src = "2001:db8::99", .tcp_dport = 80}},
	{"ip.dst",
	 0xffffffffffffffff,
	 0xfffffffffffffffe,
	 {.ip6 = true, .udp_dport = 80, .hopopts = 1},
	 {.ip6 = true, .ip_dst = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", .udp_dport = 80, .hopopts = 1}},
	{"ip.dst",
	 0x20010db800000000,
	 0x99,
	 {.ip6 = true, .icmp_id = 80},
	 {.ip6 = true, .ip_dst = "2001:db8::99", .icmp_id = 80}},
	{"ipv6.dst",
	 0x20010db800000000,
	 0x99,
	 {.ip6 = true, .frag_offset = 80, .payload_size = 9},
	 {.ip6 = true, .ip_dst = "2001:db8::99", .frag_offset = 80, .payload_size = 9}},
	{"ip.ttl", 0, 63, {.ip_ttl = 64}, {.ip_ttl = 63}},
	{"ip.ttl", 0, 63, {.ip6 = true, .ip_ttl = 64}, {.ip6 = true, .ip_ttl = 63}},
	{"ip.dscp", 0, 46, {.ip_dscp = 1, .ip_ecn = 3}, {.ip_dscp = 46, .ip_ecn = 3}},
	{"ip.dscp",
	 0,
	 46,
	 {.ip6 = true, .ip_dscp = 1, .ip_ecn = 3, .ip6_flow = 0xfffff},
	 {.ip6 = true, .ip_dscp = 46, .ip_ecn = 3, .ip6_flow = 0xfffff}},
	{"ip.ecn", 0, 2, {.ip_dscp = 63, .ip_ecn = 1}, {.ip_dscp = 63, .ip_ecn = 2}},
	{"ip.tos", 0, 0xb8, {.ip6 = true}, {.ip6 = true, .ip_dscp = 46}},
	{"ipv4.id", 0, 0xffff, {.udp_dport = 1}, {.udp_dport = 1, .ip_id = 0xffff}},
	{"ipv4.df", 0, 1, {.udp_dport = 1}, {.udp_dport = 1, .dont_fragment = 1}},
	{"ipv6.flow_label", 0, 0xabcde, {.ip6 = true, .ip_dscp = 5}, {.ip6 = true, .ip_dscp = 5, .ip6_flow = 0xabcde}},
	{"l4.src", 0, 7, {.udp_dport = 1}, {.udp_dport = 1, .udp_sport = 7}},
	{"l4.dst", 0, 7, {.ip6 = true, .tcp_dport = 1}, {.ip6 = true, .tcp_dport = 7}},
	{"l4.dst", 0, 7, {.udp_no_csum = true}, {.udp_no_csum = true, .udp_dport = 7}},
	{"tcp.seq", 0, 0xfffffffe, {.tcp_dport = 1}, {.tcp_dport = 1, .tcp_seq = 0xfffffffe}},
	{"tcp.ack", 0, 0xfffffffe, {.tcp_dport = 1}, {.tcp_dport = 1, .tcp_ack = 0xfffffffe}},
	{"tcp.flags", 0, 0x12, {.tcp_dport = 1}, {.tcp_dport = 1, .tcp_flags = 0x12}},
	{"tcp.window", 0, 0, {.tcp_dport = 1}, {.tcp_dport = 1, .tcp_window = FRAME_ZERO}},
	{"icmp.type", 0, 0, {.icmp_id = 5}, {.icmp_id = 5, .icmp_type = FRAME_ZERO}},
	{"icmp.id", 0, 9, {.icmp_id = 5}, {.icmp_id = 9}},
	{"icmpv6.code", 0, 9, {.ip6 = true, .icmp_id = 5}, {.ip6 = true, .icmp_id = 5, .icmp_code = 9}},
	{"vlan.id",
	 0,
	 0xfff,
	 {.vlan_id = 5, .vlan_prio = 5, .vlan2_id = 9},
	 {.vlan_id = 0xfff, .vlan_prio = 5, .vlan2_id = 9}},
	{"vlan.prio", 0, 7, {.vlan_id = 5}, {.vlan_id = 5, .vlan_prio = 7}},
	{"vlan.dei", 0, 1, {.vlan_id = 5, .arp_op = 1}, {.vlan_id = 5, .vlan_dei = 1, .arp_op = 1}},
};

/* One packet of each kind, for what holds in all of them. */
static const struct pkt packets[] = {
	{.tcp_dport = 80, .payload_size = 7},
	{.tcp_dport = 80, .tcp_options = 8, .ip_options = 4, .vlan_id = 5},
	{.udp_dport = 80, .payload_size = 2},
	{.udp_no_csum = true, .payload_size = 2},
	{.icmp_id = 3, .payload_size = 1},
	{.ip_proto = 47, .payload_size = 9},
	{.udp_dport = 80, .frag_offset = 800, .payload_size = 24},
	{.ip6 = true, .tcp_dport = 80, .payload_size = 7},
	{.ip6 = true, .udp_dport = 80, .hopopts = 1, .dstopts = 1, .vlan_id = 9, .vlan2_id = 7},
	{.ip6 = true, .icmp_id = 80},
	{.ip6 = true, .udp_dport = 80, .frag_offset = 800, .payload_size = 24},
	{.arp_op = 1},
};

#endif
