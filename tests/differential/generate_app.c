/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applications as text, one rule a line, so that a line, an element of a list or a step can be taken away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"

enum { TABLES_MAX = 4 };

/* What a rule may name together, so that packets have it all. */
static const struct family {
	int parent; /* -1: none. */
	unsigned weight;
	const char *names[8], *matches[7], *writes[10], *addresses[3];
} families[] = {
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
};

/* What the text so far has. */
struct writer {
	struct draw *d;
	FILE *out;
	const struct family *family; /* Of the rule being written. */
	unsigned table, n_tables;
	bool stateful, two_scopes, biflow, tight;
	unsigned n_states, n_lets;
	bool has_registers[TABLES_MAX]; /* a, b, time t, addr d, mac e, int i: all or none of them. */
};

static const char *const verdicts[] = {"pass",	  "drop",      "deliver",   "flood",
				       "reflect", "output(2)", "output(4)", "output(5)"};

static const char *ip_of(struct writer *w)
{
	return draw_chance(w->d, 60) ? DRAW_OF(w->d, generate_ip4) : DRAW_OF(w->d, generate_ip6);
}

/* ---- expressions ---- */

static void write_number(struct writer *w, unsigned depth);

static void write_constant(struct writer *w)
{
	static const char *const numbers[] = {"0",    "1",    "2",	    "3",    "7", "64",
					      "0xff", "1000", "0xffffffff", "1111", "80"};

	fputs(DRAW_OF(w->d, numbers), w->out);
}

enum family_list { FAMILY_NAMES, FAMILY_MATCHES, FAMILY_WRITES, FAMILY_ADDRESSES };

/* One of the family's, or of those it has from its parents. */
static const char *family_word(struct writer *w, enum family_list list)
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

static const struct family *draw_family(struct writer *w)
{
	unsigned sum = 0, at;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		sum += families[i].weight;
	at = draw_below(w->d, sum);
	for (size_t i = 0;; i++) {
		if (at < families[i].weight)
			return &families[i];
		at -= families[i].weight;
	}
}

static void write_name(struct writer *w)
{
	unsigned kind = draw_below(w->d, 10);

	static const char *const registers[] = {"a", "b", "a", "b", "i"}, *const variables[] = {"v", "u", "v", "u",
												"j"};

	if (kind < 3 && w->has_registers[w->table])
		fputs(DRAW_OF(w->d, registers), w->out);
	else if (kind < 5)
		fputs(DRAW_OF(w->d, variables), w->out);
	else if (kind == 5 && w->n_lets)
		fprintf(w->out, "l%u", draw_below(w->d, w->n_lets));
	else if (kind == 6 && w->table && w->has_registers[w->table - 1])
		fprintf(w->out, "t%u.%s", w->table - 1, draw_chance(w->d, 50) ? "a" : "b");
	else if (kind == 6 && w->two_scopes && w->has_registers[w->table])
		fprintf(w->out, "t%u.a", w->table);
	else if (kind == 7 && w->biflow)
		fputs("direction", w->out);
	else
		fputs(family_word(w, FAMILY_NAMES), w->out);
}

/* hash() takes what is known before the record. */
static void write_hash(struct writer *w)
{
	fprintf(w->out, "hash(%s, %s, %s)", family_word(w, FAMILY_NAMES), family_word(w, FAMILY_ADDRESSES),
		draw_chance(w->d, 50) ? "v" : "77");
}

/* avg, var and ewma of registers that anything may have been written to. */
static void write_statistic(struct writer *w)
{
	static const char *const names[] = {"a", "b", "i", "v", "j"};
	const char *m = DRAW_OF(w->d, names), *n = DRAW_OF(w->d, names), *x = family_word(w, FAMILY_NAMES);

	switch (w->has_registers[w->table] ? draw_below(w->d, 3) : 3) {
	case 0: fprintf(w->out, "avg(%s, %s, %s)", m, n, x); break;
	case 1: fprintf(w->out, "var(%s, %s, %s, %s)", DRAW_OF(w->d, names), m, n, x); break;
	case 2: fprintf(w->out, "ewma(%s, %s, 0.%u)", m, x, 1 + draw_below(w->d, 999)); break;
	default: fprintf(w->out, "avg(v, u, %s)", x); break;
	}
}

static void write_call(struct writer *w, unsigned depth)
{
	if (draw_chance(w->d, 20)) {
		write_hash(w);
		return;
	}
	if (draw_chance(w->d, 25)) {
		write_statistic(w);
		return;
	}
	fputs(draw_chance(w->d, 50) ? "min(" : "max(", w->out);
	write_number(w, depth - 1);
	fputs(", ", w->out);
	write_number(w, depth - 1);
	fputs(")", w->out);
}

static void write_number(struct writer *w, unsigned depth)
{
	static const char *const ops[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"};
	unsigned kind = draw_below(w->d, depth ? 8 : 2);

	if (kind == 0) {
		write_constant(w);
	} else if (kind < 3) {
		write_name(w);
	} else if (kind == 3) {
		write_call(w, depth);
	} else if (kind == 4) {
		fputs(draw_chance(w->d, 50) ? "~(" : "-(", w->out);
		write_name(w);
		fputc(')', w->out);
	} else {
		/* A name first: the checker refuses constants that overflow. */
		fputc('(', w->out);
		write_name(w);
		fprintf(w->out, " %s ", DRAW_OF(w->d, ops));
		write_number(w, depth - 1);
		fputc(')', w->out);
	}
}

static void write_address(struct writer *w)
{
	unsigned kind = draw_below(w->d, 6);

	if (kind == 0)
		fputs(ip_of(w), w->out);
	else if (kind < 3 && w->has_registers[w->table])
		fputs("d", w->out);
	else
		fputs(family_word(w, FAMILY_ADDRESSES), w->out);
}

static void write_time(struct writer *w)
{
	static const char *const times[] = {"now - t < 1s", "now < t + 50ms", "t + 5s >= now", "t == 0",
					    "now - t >= 1ms"};
	static const char *const others[] = {"x < now", "x == 0", "now - x > 1ms"};

	fputs(w->has_registers[w->table] ? DRAW_OF(w->d, times) : DRAW_OF(w->d, others), w->out);
}

static void write_test(struct writer *w)
{
	static const char *const compare[] = {"==", "!=", "<", "<=", ">", ">="};
	static const char *const has[] = {"tcp",  "ipv6",    "vlan",	"fragment", "l4",     "arp",
					  "icmp", "tcp.dst", "hopopts", "udp",	    "in_port"};
	static const char *const in[] = {"10.0.0.0/8", "192.0.2.0/30", "2001:db8::/32", "192.0.2.2-198.51.100.1",
					 "[192.0.2.1, 2001:db8::1]"};
	static const char *const sets[] = {"[1111, 3333]", "1-100", "[53, 2000-4000]"};

	switch (draw_below(w->d, 10)) {
	case 0: fprintf(w->out, "has(%s)", DRAW_OF(w->d, has)); break;
	case 1:
		write_address(w);
		fputs(draw_chance(w->d, 70) ? " == " : DRAW_OF(w->d, compare), w->out);
		write_address(w);
		break;
	case 2: fprintf(w->out, "%s in %s", family_word(w, FAMILY_ADDRESSES), DRAW_OF(w->d, in)); break;
	case 3: write_time(w); break;
	case 4:
		write_name(w);
		fprintf(w->out, " in %s", DRAW_OF(w->d, sets));
		break;
	case 5:
		fprintf(w->out, "seq_l%c(%s, %s)", draw_chance(w->d, 50) ? 't' : 'e', family_word(w, FAMILY_NAMES),
			draw_chance(w->d, 50) ? "3" : "v");
		break;
	default:
		write_name(w);
		fprintf(w->out, " %s ", DRAW_OF(w->d, compare));
		write_number(w, 2);
	}
}

static void write_condition(struct writer *w, unsigned depth)
{
	unsigned kind = draw_below(w->d, depth ? 6 : 1);

	if (kind < 3) {
		write_test(w);
		return;
	}
	fputs(kind == 3 ? "not (" : "(", w->out);
	write_condition(w, depth - 1);
	if (kind > 3) {
		fputs(kind == 4 ? ") and (" : ") or (", w->out);
		write_condition(w, depth - 1);
	}
	fputs(")", w->out);
}

/* ---- match ---- */

static void write_match_value(struct writer *w, const char *field)
{
	static const char *const ips[] = {"192.0.2.1",
					  "192.0.2.0/30",
					  "not 192.0.2.0/24",
					  "2001:db8::/32",
					  "10.0.0.0-192.0.2.1",
					  "not 192.0.2.2-192.0.2.200",
					  "2001:db8::2-2001:db8:ffff::1",
					  "not 2001:db8::1",
					  "[192.0.2.1, 10.0.0.0/8, 2001:db8::2]",
					  "0.0.0.1/0.0.0.1",
					  "not [10.1.2.3, 2001:db8::1]"};
	static const char *const ports[] = {
		"1111", "53", "1000-2999", "not 80", "not [53, 80]", "[1111, 2222, 50-90]", "0x10/0x30"};
	static const char *const protos[] = {"tcp", "udp", "[tcp, udp]", "not icmp", "icmpv6", "not [tcp, 50]"};
	static const char *const flags[] = {"+syn", "+syn-ack", "-rst", "+fin+ack", "2"};
	static const char *const macs[] = {"02:00:00:00:00:01", "01:00:00:00:00:00/01:00:00:00:00:00",
					   "not 02:00:00:00:00:02"};
	static const char *const ints[] = {"-5-5", "0", "not -1", "1-1000", "-9000000000000000000--1"};
	static const char *const small[] = {"1",      "2",  "1-3",  "not 1",   "0",
					    "[1, 3]", "64", "1-63", "not 2-5", "0x1/0x3"};

	if (strstr(field, "p.src") || strstr(field, "v4.src") || strstr(field, "v6.") || strstr(field, "arp.spa") ||
	    strstr(field, "ip.dst") || strcmp(field, "w") == 0)
		fputs(DRAW_OF(w->d, ips), w->out);
	else if (strstr(field, "l4.") || strstr(field, "tcp.dst") || strstr(field, "udp.src"))
		fputs(DRAW_OF(w->d, ports), w->out);
	else if (strstr(field, "proto"))
		fputs(DRAW_OF(w->d, protos), w->out);
	else if (strstr(field, "flags"))
		fputs(DRAW_OF(w->d, flags), w->out);
	else if (strncmp(field, "eth.", 4) == 0 && strcmp(field, "eth.type") != 0)
		fputs(DRAW_OF(w->d, macs), w->out);
	else if (strcmp(field, "j") == 0)
		fputs(DRAW_OF(w->d, ints), w->out);
	else
		fputs(DRAW_OF(w->d, small), w->out);
}

static void write_match(struct writer *w)
{
	const char *first = family_word(w, FAMILY_MATCHES), *second = family_word(w, FAMILY_MATCHES);

	fprintf(w->out, ", match: {%s: \"", first);
	write_match_value(w, first);
	if (draw_chance(w->d, 30) && strcmp(first, second) != 0) {
		fprintf(w->out, "\", %s: \"", second);
		write_match_value(w, second);
	}
	fputs("\"}", w->out);
}

/* ---- do and action ---- */

static void write_update(struct writer *w, bool registers)
{
	static const char *const ops[] = {"=", "+=", "-=", "|=", "&="};
	static const char *const times[] = {"t = now", "t += 100ms", "t = now + 1s", "x = now", "x = t"};
	unsigned kind = draw_below(w->d, registers ? 8 : 2);

	if (kind == 0) {
		fprintf(w->out, "%c %s ", "vvvuuj"[draw_below(w->d, 6)], DRAW_OF(w->d, ops));
		write_number(w, 2);
	} else if (kind == 1) {
		fputs("w = ", w->out);
		write_address(w);
	} else if (kind == 2) {
		fputs("d = ", w->out);
		write_address(w);
	} else if (kind == 3) {
		fputs(DRAW_OF(w->d, times), w->out);
	} else if (kind == 4) {
		fprintf(w->out, "e = %s", draw_chance(w->d, 50) ? "eth.src" : "eth.dst");
	} else {
		fprintf(w->out, "%c %s ", "aaabbi"[draw_below(w->d, 6)], DRAW_OF(w->d, ops));
		write_number(w, 2);
	}
}

static void write_field_write(struct writer *w)
{
	static const char *const targets[] = {"ip.ttl",	 "l4.dst",  "ip.tos", "tcp.window",
					      "ipv4.id", "vlan.id", "l4.src"};

	if (draw_chance(w->d, 85)) {
		fputs(family_word(w, FAMILY_WRITES), w->out);
		return;
	}
	fprintf(w->out, "%s %s ", DRAW_OF(w->d, targets), draw_chance(w->d, 60) ? "=" : "+=");
	write_number(w, 2);
}

static void write_verdict(struct writer *w)
{
	unsigned kind = draw_below(w->d, 12);

	if (kind == 0 && w->has_registers[w->table])
		fputs("output(a)", w->out);
	else if (kind == 1)
		fputs("output(v & 7)", w->out);
	else if (kind < 5 && w->table + 1 < w->n_tables)
		fprintf(w->out, "goto(t%u)", w->table + 1 + draw_below(w->d, w->n_tables - w->table - 1));
	else
		fputs(draw_chance(w->d, 40) ? "pass" : DRAW_OF(w->d, verdicts), w->out);
}

static void write_action(struct writer *w)
{
	unsigned n = draw_below(w->d, 3);
	const char *between = "";

	fputs(", action: \"", w->out);
	for (unsigned i = 0; i < n; i++, between = "; ") {
		fputs(between, w->out);
		if (draw_chance(w->d, 20))
			write_update(w, false);
		else if (draw_chance(w->d, 20))
			fputs("notify", w->out);
		else
			write_field_write(w);
	}
	if (!n || draw_chance(w->d, 70)) {
		fputs(between, w->out);
		write_verdict(w);
	}
	fputs("\"", w->out);
}

/* ---- rules ---- */

static void write_states(struct writer *w)
{
	if (w->n_states < 2 || draw_chance(w->d, 40))
		return;
	if (draw_chance(w->d, 60)) {
		fprintf(w->out, ", state: S%u", draw_below(w->d, w->n_states));
		return;
	}
	fputs(", state: [", w->out);
	for (unsigned i = 0, n = 0; i < w->n_states; i++)
		if (i + 1 == w->n_states ? !n : draw_chance(w->d, 50))
			fprintf(w->out, "%sS%u", n++ ? ", " : "", i);
	fputs("]", w->out);
}

static void write_updates(struct writer *w)
{
	fputs(", do: \"", w->out);
	for (unsigned i = 0, n = 1 + draw_below(w->d, 3); i < n; i++) {
		fputs(i ? "; " : "", w->out);
		write_update(w, w->has_registers[w->table]);
	}
	fputs("\"", w->out);
}

static void write_rule(struct writer *w, unsigned index, bool is_last)
{
	bool match = draw_chance(w->d, 60), when = draw_chance(w->d, 40);

	w->family = draw_family(w);
	fprintf(w->out, "      - {name: r%u", index);
	write_states(w);
	if (match || (!when && !is_last))
		write_match(w);
	if (when) {
		fputs(", when: \"", w->out);
		write_condition(w, 2);
		fputs("\"", w->out);
	}
	if (draw_chance(w->d, 60))
		write_updates(w);
	if (w->n_states > 1 && draw_chance(w->d, 55))
		fprintf(w->out, ", next: S%u", draw_chance(w->d, 20) ? 0 : draw_below(w->d, w->n_states));
	if (draw_chance(w->d, 15))
		fputs(", refresh: no", w->out);
	write_action(w);
	fputs("}\n", w->out);
}

/* ---- tables ---- */

static void write_keys(struct writer *w)
{
	static const char *const one[] = {"ip.src",
					  "ip.src, ip.dst",
					  "eth.src",
					  "ip.proto",
					  "l4.dst, ip.src",
					  "ipv4.src/24",
					  "ipv6.src/64, ip.proto",
					  "ip.src/120",
					  "tcp.dst/8",
					  "vlan.id",
					  "in_port",
					  "v",
					  "biflow.l4, ip.proto",
					  "biflow.ip",
					  "biflow.eth",
					  "biflow.l4",
					  "eth.src, vlan.id",
					  "arp.spa",
					  "ip.src, l4.src, v",
					  "eth.type",
					  "ip.dst, ip.src, l4.dst, l4.src, ip.proto"};
	static const char *const two[][2] = {{"ip.dst", "ip.src"},
					     {"eth.dst", "eth.src"},
					     {"ip.src, ip.dst", "ip.dst, ip.src"},
					     {"l4.dst", "l4.src"},
					     {"arp.tpa", "arp.spa"},
					     {"v", "u"},
					     {"ip.src", "arp.spa"},
					     {"ip.dst/120", "ip.src/120"},
					     {"l4.src", "tcp.dst"},
					     {"eth.dst, vlan.id", "eth.src, vlan.id"}};
	unsigned i;

	w->two_scopes = draw_chance(w->d, 30);
	if (w->two_scopes) {
		i = draw_below(w->d, sizeof(two) / sizeof(two[0]));
		fprintf(w->out, "      lookup: [%s]\n      update: [%s]\n", two[i][0], two[i][1]);
		return;
	}
	i = draw_below(w->d, sizeof(one) / sizeof(one[0]));
	w->biflow = strstr(one[i], "biflow");
	fprintf(w->out, "      lookup: [%s]\n", one[i]);
}

static void write_timeout(struct writer *w, const char *kind)
{
	static const char *const times[] = {"1ms", "50ms", "1s", "5s", "10s", "400us"};

	fprintf(w->out, ", %s: %s", kind, DRAW_OF(w->d, times));
	/* In a tight table whatever falls makes room. */
	if (!w->tight && draw_chance(w->d, 50))
		fprintf(w->out, ", %s_to: S%u", kind, draw_below(w->d, w->n_states));
}

static void write_state_list(struct writer *w)
{
	w->n_states = draw_chance(w->d, 75) ? 2 + draw_below(w->d, 3) : 1;
	if (w->n_states == 1 && draw_chance(w->d, 50))
		return;
	fputs("      states:\n", w->out);
	for (unsigned i = 0; i < w->n_states; i++) {
		bool idle = draw_chance(w->d, i ? 45 : 15), hard = i && draw_chance(w->d, 35);

		fprintf(w->out, "        - {name: S%u", i);
		if (idle)
			write_timeout(w, "idle");
		if (hard)
			write_timeout(w, "hard");
		if ((idle || hard) && draw_chance(w->d, 40))
			fputs(", on_timeout: notify", w->out);
		fputs("}\n", w->out);
	}
}

static void write_state(struct writer *w)
{
	static const char *const full[] = {"drop", "pass", "evict", "continue"};

	fputs("    state:\n", w->out);
	write_keys(w);
	/* Four flows are one bucket, so which is unused for longest is known; or there is room for all. */
	w->tight = draw_chance(w->d, 30);
	fprintf(w->out, "      capacity: %u\n", w->tight ? 1 + draw_below(w->d, 4) : 256);
	if (draw_chance(w->d, 70))
		fprintf(w->out, "      when_full: %s\n", DRAW_OF(w->d, full));
	write_state_list(w);
	if (draw_chance(w->d, 70)) {
		fputs("      registers: [a, b, time t, addr d, mac e, int i]\n", w->out);
		w->has_registers[w->table] = true;
	}
}

static void write_lets(struct writer *w)
{
	unsigned n = draw_below(w->d, 3);

	if (!n)
		return;
	w->family = &families[draw_below(w->d, 2)];
	fputs("    let:\n", w->out);
	for (unsigned i = 0; i < n; i++) {
		fprintf(w->out, "      l%u: \"", i);
		write_number(w, 2);
		fputs("\"\n", w->out);
		w->n_lets = i + 1;
	}
}

static void write_table(struct writer *w)
{
	w->stateful = draw_chance(w->d, 80);
	w->two_scopes = w->biflow = w->tight = false;
	w->n_states = 1;
	w->n_lets = 0;
	fprintf(w->out, "  - name: t%u\n", w->table);
	if (w->stateful)
		write_state(w);
	write_lets(w);
	fputs("    rules:\n", w->out);
	for (unsigned i = 0, n = 1 + draw_below(w->d, 6); i < n; i++)
		write_rule(w, i, i + 1 == n);
	if (draw_chance(w->d, 40))
		fprintf(w->out, "    otherwise: %s\n", draw_chance(w->d, 30) ? "v += 1" : DRAW_OF(w->d, verdicts));
	if (w->stateful && draw_chance(w->d, 40))
		fprintf(w->out, "    absent: %s\n", draw_chance(w->d, 30) ? "u = length" : DRAW_OF(w->d, verdicts));
}

char *generate_app(struct draw *d)
{
	char *yaml = NULL;
	size_t size;
	struct writer w = {.d = d, .out = open_memstream(&yaml, &size)};

	if (!w.out)
		abort();
	w.n_tables = draw_chance(d, 50) ? 1 : 2 + draw_below(d, TABLES_MAX - 1);
	fputs("app: generated\nvariables: [v, u, addr w, time x, int j]\ntables:\n", w.out);
	for (w.table = 0; w.table < w.n_tables; w.table++)
		write_table(&w);
	fclose(w.out);
	return yaml;
}
