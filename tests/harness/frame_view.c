/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dissects, verifies and compares frames. */
#include "frame.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* What the walk over a frame found. */
struct view {
	const uint8_t *data;
	unsigned size, end; /* 'end': where IP's length ends the packet. */
	unsigned at;
	struct frame_part *part;
	unsigned n_parts;
	unsigned ip, l4; /* Offsets; 0: none. */
	bool ip6, fragment, later;
	unsigned proto;
};

struct field {
	const char *name;
	unsigned size;
};

static const struct field eth_fields[] = {{"eth.dst", 6}, {"eth.src", 6}, {0}};
static const struct field arp_fields[] = {
	{"arp.htype", 2}, {"arp.ptype", 2}, {"arp.hlen", 1}, {"arp.plen", 1}, {"arp.op", 2},
	{"arp.sha", 6},	  {"arp.spa", 4},   {"arp.tha", 6},  {"arp.tpa", 4},  {0}};
static const struct field ipv4_fields[] = {{"ip.version_ihl", 1},
					   {"ip.tos", 1},
					   {"ip.length", 2},
					   {"ip.id", 2},
					   {"ip.frag", 2},
					   {"ip.ttl", 1},
					   {"ip.proto", 1},
					   {"ip.checksum", 2},
					   {"ip.src", 4},
					   {"ip.dst", 4},
					   {0}};
static const struct field ipv6_fields[] = {{"ip.version_class_flow", 4},
					   {"ip.length", 2},
					   {"ip.next", 1},
					   {"ip.ttl", 1},
					   {"ip.src", 16},
					   {"ip.dst", 16},
					   {0}};
static const struct field tcp_fields[] = {{"tcp.sport", 2},    {"tcp.dport", 2},	{"tcp.seq", 4},
					  {"tcp.ack", 4},      {"tcp.offset_flags", 2}, {"tcp.window", 2},
					  {"tcp.checksum", 2}, {"tcp.urgent", 2},	{0}};
static const struct field udp_fields[] = {
	{"udp.sport", 2}, {"udp.dport", 2}, {"udp.length", 2}, {"udp.checksum", 2}, {0}};
static const struct field icmp_fields[] = {
	{"icmp.type", 1}, {"icmp.code", 1}, {"icmp.checksum", 2}, {"icmp.rest", 4}, {0}};

static unsigned get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void add_part(struct view *v, unsigned size, const char *name)
{
	if (size > v->size - v->at)
		size = v->size - v->at;
	if (!size || v->n_parts == FRAME_PARTS_MAX)
		return;
	v->part[v->n_parts].off = v->at;
	v->part[v->n_parts].size = size;
	snprintf(v->part[v->n_parts].name, sizeof(v->part[0].name), "%s", name);
	v->n_parts++;
	v->at += size;
}

/* Returns whether the whole header is there. */
static bool add_header(struct view *v, const struct field *fields)
{
	unsigned size = 0;

	for (const struct field *f = fields; f->name; f++)
		size += f->size;
	if (size > v->end - v->at)
		return false;
	for (const struct field *f = fields; f->name; f++)
		add_part(v, f->size, f->name);
	return true;
}

static void view_l4(struct view *v)
{
	const struct field *fields = v->proto == IPPROTO_TCP				    ? tcp_fields
				     : v->proto == IPPROTO_UDP				    ? udp_fields
				     : v->proto == (v->ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) ? icmp_fields
											    : NULL;
	unsigned begin = v->at;

	if (v->later || !fields || !add_header(v, fields))
		return;
	v->l4 = begin;
	if (v->proto == IPPROTO_TCP) {
		unsigned header = (v->data[begin + 12] >> 4) * 4;

		if (header > 20 && header <= v->end - begin)
			add_part(v, header - 20, "tcp.options");
	}
}

static void view_ipv4(struct view *v)
{
	unsigned begin = v->at, header, length;

	if (!add_header(v, ipv4_fields))
		return;
	header = (v->data[begin] & 15) * 4;
	length = get16(v->data + begin + 2);
	if (header < 20 || length < header || length > v->size - begin)
		return;
	v->ip = begin;
	v->end = begin + length;
	add_part(v, header - 20, "ip.options");
	v->proto = v->data[begin + 9];
	v->fragment = get16(v->data + begin + 6) & 0x3fff;
	v->later = get16(v->data + begin + 6) & 0x1fff;
	view_l4(v);
}

/* Returns the name of an extension header, or NULL. */
static const char *ext_name(unsigned proto)
{
	switch (proto) {
	case IPPROTO_HOPOPTS: return "hopopts";
	case IPPROTO_ROUTING: return "routing";
	case IPPROTO_FRAGMENT: return "frag6";
	case IPPROTO_DSTOPTS: return "dstopts";
	}
	return NULL;
}

static void view_ipv6(struct view *v)
{
	unsigned begin = v->at, length;

	if (!add_header(v, ipv6_fields))
		return;
	length = get16(v->data + begin + 4);
	if (length > v->size - v->at)
		return;
	v->ip = begin;
	v->ip6 = true;
	v->end = v->at + length;
	v->proto = v->data[begin + 6];
	while (ext_name(v->proto) && v->end - v->at >= 8 && !v->later) {
		const uint8_t *p = v->data + v->at;
		unsigned size = v->proto == IPPROTO_FRAGMENT ? 8 : 8 * (1 + p[1]);
		const char *name = ext_name(v->proto);

		if (size > v->end - v->at)
			return;
		if (v->proto == IPPROTO_FRAGMENT) {
			v->fragment = get16(p + 2) & 0xfff9;
			v->later = get16(p + 2) & 0xfff8;
		}
		v->proto = p[0];
		add_part(v, size, name);
	}
	view_l4(v);
}

static bool is_tag(unsigned type)
{
	return type == 0x8100 || type == 0x88a8;
}

/* Tags behind the second are none of the switch's, until one before them is popped. */
static void view_inner_tags(struct view *v)
{
	unsigned n = 0;

	while (is_tag(get16(v->data + v->at + n)) && v->size - v->at - n >= 6)
		n += 4;
	if (n)
		add_part(v, n, "tags");
}

static void view_frame(struct view *v, const uint8_t *data, unsigned size, struct frame_part *parts)
{
	unsigned type;
	char name[24];

	*v = (struct view){.data = data, .size = size, .end = size, .part = parts};
	if (!add_header(v, eth_fields) || size < 14)
		return add_part(v, size - v->at, "payload");
	type = get16(data + v->at);
	for (unsigned i = 1; is_tag(type) && i < 3 && size - v->at >= 6; i++) {
		snprintf(name, sizeof(name), "vlan%.*s.tpid", i > 1, "2");
		add_part(v, 2, name);
		snprintf(name, sizeof(name), "vlan%.*s.tci", i > 1, "2");
		add_part(v, 2, name);
		type = get16(data + v->at);
	}
	view_inner_tags(v);
	type = get16(data + v->at);
	add_part(v, 2, "eth.type");
	if (type == 0x0806)
		add_header(v, arp_fields);
	else if (type == 0x0800)
		view_ipv4(v);
	else if (type == 0x86dd)
		view_ipv6(v);
	if (v->end > v->at)
		add_part(v, v->end - v->at, "payload");
	add_part(v, v->size - v->at, "trailer");
}

unsigned frame_parts(const uint8_t *data, unsigned size, struct frame_part *ret_parts)
{
	struct view v;

	view_frame(&v, data, size, ret_parts);
	return v.n_parts;
}

int frame_find(const uint8_t *data, unsigned size, const char *name)
{
	struct frame_part parts[FRAME_PARTS_MAX];
	unsigned n = frame_parts(data, size, parts);

	for (unsigned i = 0; i < n; i++)
		if (!strcmp(parts[i].name, name))
			return parts[i].off;
	return -1;
}

static uint32_t sum_bytes(const uint8_t *p, unsigned size, uint32_t sum)
{
	for (unsigned i = 0; i < size; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static unsigned sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* With a routing header whose segments are not all used up the pseudo header has another destination
 * (RFC 8200 8.1); frame_make() makes none of those. */
static unsigned l4_checksum(const struct view *v)
{
	unsigned size = v->end - v->l4;
	uint32_t sum = v->proto + size;

	if (v->proto != IPPROTO_ICMP)
		sum = v->ip6 ? sum_bytes(v->data + v->ip + 8, 32, sum) : sum_bytes(v->data + v->ip + 12, 8, sum);
	else
		sum = 0;
	return sum_fold(sum_bytes(v->data + v->l4, size, sum));
}

/* Offset of the L4 checksum, 0: there is none to verify. */
static unsigned l4_checksum_at(const struct view *v)
{
	if (!v->l4 || v->fragment)
		return 0;
	switch (v->proto) {
	case IPPROTO_TCP: return v->l4 + 16;
	case IPPROTO_UDP: return get16(v->data + v->l4 + 6) ? v->l4 + 6 : 0;
	default: return v->l4 + 2;
	}
}

bool frame_verify(const uint8_t *data, unsigned size, char *why, size_t why_size)
{
	struct frame_part parts[FRAME_PARTS_MAX];
	struct view v;

	view_frame(&v, data, size, parts);
	if (v.ip && !v.ip6 && sum_fold(sum_bytes(data + v.ip, (data[v.ip] & 15) * 4, 0))) {
		snprintf(why, why_size, "ip.checksum");
		return false;
	}
	if (l4_checksum_at(&v) && l4_checksum(&v)) {
		snprintf(why, why_size, "%s.checksum",
			 v.proto == IPPROTO_TCP	  ? "tcp"
			 : v.proto == IPPROTO_UDP ? "udp"
						  : "icmp");
		return false;
	}
	return true;
}

static void put_checksum(uint8_t *at, unsigned sum)
{
	at[0] = sum >> 8;
	at[1] = sum;
}

void frame_fix_checksums(uint8_t *data, unsigned size)
{
	struct frame_part parts[FRAME_PARTS_MAX];
	struct view v;
	unsigned at, sum;

	view_frame(&v, data, size, parts);
	if (v.ip && !v.ip6) {
		put_checksum(data + v.ip + 10, 0);
		put_checksum(data + v.ip + 10, sum_fold(sum_bytes(data + v.ip, (data[v.ip] & 15) * 4, 0)));
	}
	at = l4_checksum_at(&v);
	if (!at)
		return;
	put_checksum(data + at, 0);
	sum = l4_checksum(&v);
	put_checksum(data + at, !sum && v.proto == IPPROTO_UDP ? 0xffff : sum);
}

static void print_hex(FILE *out, const uint8_t *p, unsigned size)
{
	for (unsigned i = 0; i < size && i < 24; i++)
		fprintf(out, "%02x", p[i]);
	if (size > 24)
		fprintf(out, "... (%u bytes)", size);
}

bool frame_same(const uint8_t *expected, unsigned expected_size, const uint8_t *is, unsigned is_size, char *text,
		size_t text_size)
{
	struct frame_part parts[FRAME_PARTS_MAX];
	unsigned n = frame_parts(expected, expected_size, parts);
	FILE *out;

	if (expected_size == is_size && !memcmp(expected, is, is_size))
		return true;
	out = fmemopen(text, text_size, "w");
	if (!out)
		return false;
	if (expected_size != is_size)
		fprintf(out, "size: expected %u, is %u\n", expected_size, is_size);
	for (unsigned i = 0; i < n; i++) {
		unsigned off = parts[i].off, size = parts[i].size;

		if (off + size <= is_size && !memcmp(expected + off, is + off, size))
			continue;
		fprintf(out, "%s: expected ", parts[i].name);
		print_hex(out, expected + off, size);
		fprintf(out, ", is ");
		print_hex(out, is + off, off >= is_size ? 0 : off + size > is_size ? is_size - off : size);
		fprintf(out, "\n");
	}
	fclose(out);
	return false;
}
