/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields and headers that packets have together. */
#include "generate_int.h"

enum { FIRST_DECLARED = 14 }; /* From there on they need the application's headers. */

static const struct family families[] = {
	/* Any frame. */
	{-1,
	 12,
	 {"length", "length", "frames", "in_port", "eth.type", "eth.src"},
	 {"eth.src", "eth.dst", "in_port", "v", "u", "w", "j"},
	 {"eth.dst = eth.src; eth.src = eth.dst", "eth.src = 02:00:00:00:00:0a", "push(vlan)",
	  "push(vlan); vlan.id = 7; vlan.prio = 1", "push(vlan); push(vlan)"},
	 {"w"}},
	/* IP. */
	{0,
	 25,
	 {"ip.ttl", "ip.proto", "ip.dscp", "ip.ecn", "ip.tos", "ip.frag_offset", "ip.ttl"},
	 {"ip.src", "ip.dst", "ip.proto", "ip.ttl", "ip.ecn", "ip.src", "ip.frag_offset"},
	 {"ip.ttl -= 1", "ip.dscp = 10", "ip.ecn |= 1", "ip.src = ip.dst; ip.dst = ip.src", "ip.ttl -= 1; ip.ttl -= 1",
	  "ip.tos = 255", "ip.dst = w", "ip.src = 192.0.2.7", "ip.dst = 2001:db8::7", "ip.ttl = v"},
	 {"ip.src", "ip.dst"}},
	/* TCP or UDP. */
	{1,
	 25,
	 {"l4.dst", "l4.src", "l4.dst", "l4.src", "l4.payload_length"},
	 {"l4.dst", "l4.src", "l4.dst"},
	 {"l4.src = l4.dst", "l4.dst = 4000", "l4.src += v", "l4.dst = l4.src; l4.src = l4.dst"},
	 {}},
	{2,
	 12,
	 {"tcp.seq", "tcp.flags", "tcp.window", "tcp.offset", "tcp.urgent", "tcp.ack"},
	 {"tcp.flags", "tcp.dst", "tcp.urgent"},
	 {"tcp.flags |= 8", "tcp.seq += 1000", "tcp.window = 100", "tcp.urgent = 5; tcp.ack += 1", "tcp.flags = u"},
	 {}},
	{2, 6, {"udp.length", "udp.checksum", "udp.dst"}, {"udp.src"}, {"udp.dst = 4000", "udp.src = udp.dst"}, {}},
	{1,
	 6,
	 {"ipv4.id", "ipv4.ihl", "ipv4.df", "ipv4.mf", "ipv4.length", "ipv4.checksum"},
	 {"ipv4.src", "ipv4.df"},
	 {"ipv4.id = 77", "ipv4.src = 192.0.2.9", "ipv4.df = 1", "ipv4.id += length"},
	 {"ipv4.src"}},
	{1,
	 6,
	 {"ipv6.flow_label", "ipv6.next_header", "ipv6.payload_length", "ipv6.traffic_class"},
	 {"ipv6.src", "ipv6.dst"},
	 {"ipv6.flow_label = 0x12345", "ipv6.dst = 2001:db8::9", "ipv6.hop_limit -= 1"},
	 {"ipv6.dst"}},
	{1, 3, {"icmp.type", "icmp.id", "icmp.seq"}, {"icmp.type"}, {"icmp.type = 0", "icmp.id = 5"}, {}},
	{1, 3, {"icmpv6.type", "icmpv6.code"}, {"icmpv6.type"}, {"icmpv6.code += 1", "icmpv6.type = 129"}, {}},
	{0,
	 5,
	 {"arp.op", "arp.htype"},
	 {"arp.op", "arp.spa"},
	 {"arp.op = 2", "arp.sha = eth.src"},
	 {"arp.spa", "arp.tpa"}},
	{1,
	 7,
	 {"vlan.id", "vlan.prio", "vlan.dei", "vlan.tpid"},
	 {"vlan.id", "vlan.prio"},
	 {"vlan.id = 9", "vlan.prio = 3", "vlan.dei = 1", "pop(vlan)", "pop(vlan); push(vlan); vlan.id = 3"},
	 {}},
	{10, 2, {"vlan2.id", "vlan2.prio"}, {"vlan2.id"}, {"pop(vlan); vlan.id = 2"}, {}},
	{6, 2, {"frag6.offset", "frag6.mf", "frag6.id"}, {}, {}, {}},
	{6, 2, {"hopopts.length", "hopopts.next_header"}, {}, {}, {}},
	/* Declared. */
	{2,
	 30,
	 {"shim.version", "shim.kind", "shim.vni", "shim.next", "shim.vni"},
	 {"shim.version", "shim.kind", "shim.next"},
	 {"shim.vni = 0x123456", "shim.kind += 1", "shim.version = v; shim.next = 2", "shim.next |= 4"},
	 {}},
	{14, 20, {"opt.a", "opt.b", "opt.c"}, {"opt.a"}, {"opt.b = length", "opt.c += 1", "opt.a = 7"}, {}},
	{15, 12, {"tail.x", "tail.y", "tail.z"}, {"tail.y"}, {"tail.x = ~(v)", "tail.y = 1; tail.z = 0"}, {}},
	{1, 15, {"tun.flags", "tun.proto", "tun.key"}, {"tun.flags"}, {"tun.key = u", "tun.proto += 3"}, {}},
	{0, 12, {"beside.op", "beside.v", "beside.w"}, {"beside.op"}, {"beside.w += 1", "beside.v = 5"}, {}},
	{2, 12, {"seg.m", "seg.n", "seg.o"}, {"seg.m"}, {"seg.n = 9", "seg.o -= 1; seg.m = u"}, {}},
	{1, 10, {"echo.stamp"}, {"echo.stamp"}, {"echo.stamp = v", "echo.stamp += 1"}, {}},
};

const char generate_headers[] =
	"headers:\n"
	"  shim: {after: {udp.dst: [1111, 2222, 53]}, fields: [version 4, kind 4, vni 24, next 8]}\n"
	"  opt: {after: {shim.next: [1-3, 6]}, fields: [a 3, b 13, c 48]}\n"
	"  tail: {after: {opt.a: not 5, shim.kind: 0-7}, fields: [x 64, y 1, z 7]}\n"
	"  tun: {after: {ip.proto: [47, 50]}, fields: [flags 16, proto 16, key 32]}\n"
	"  beside: {after: {eth.type: 0x88cc}, fields: [op 8, v 24, w 40]}\n"
	"  seg: {after: {tcp.dst: not 80, ip.proto: tcp}, fields: [m 12, n 20, o 56]}\n"
	"  echo: {after: {icmp.type: [0, 8]}, fields: [stamp 64]}\n";

const char *family_word(struct writer *w, enum family_list list)
{
	const struct family *f = w->family;
	const char *const *words;
	unsigned n, max;

	for (;;) {
		words = list == FAMILY_NAMES	 ? f->names
			: list == FAMILY_MATCHES ? f->matches
			: list == FAMILY_WRITES	 ? f->writes
						 : f->addresses;
		max = list == FAMILY_NAMES ? 8 : list == FAMILY_MATCHES ? 7 : list == FAMILY_WRITES ? 10 : 3;
		for (n = 0; n < max && words[n];)
			n++;
		if (n && (f->parent < 0 || draw_chance(w->d, 55)))
			return words[draw_below(w->d, n)];
		if (f->parent < 0)
			return "w";
		f = &families[f->parent];
	}
}

static unsigned weight_of(const struct writer *w, const struct family *f)
{
	return f - families >= FIRST_DECLARED && !w->has_headers ? 0 : f->weight;
}

const struct family *draw_family(struct writer *w)
{
	unsigned sum = 0, at;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		sum += weight_of(w, &families[i]);
	at = draw_below(w->d, sum);
	for (size_t i = 0;; i++) {
		if (at < weight_of(w, &families[i]))
			return &families[i];
		at -= weight_of(w, &families[i]);
	}
}

const struct family *draw_common_family(struct writer *w)
{
	return &families[draw_below(w->d, 2)];
}
