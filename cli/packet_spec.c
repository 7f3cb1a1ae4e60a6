/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "packet_spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/diag.h"
#include "packet_build.h"

enum { PAIRS_MAX = 64 };

struct pair {
	const struct field *field;
	uint64_t hi, lo;
};

struct spec {
	struct pair pair[PAIRS_MAX];
	size_t n;
	uint64_t wanted; /* Headers named or needed. */
	unsigned length; /* Of the frame, 0: not given. */
	uint8_t payload[PACKET_SPEC_FRAME_MAX];
	unsigned payload_size;
	struct packet_build build;
};

static int wrong(char *ret_why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int wrong(char *ret_why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret_why, 256, format, args);
	va_end(args);
	return -EINVAL;
}

/* ---- reading ----------------------------------------------------------------------------------- */

static bool is_v4(const struct pair *pair)
{
	return pair->hi == 0 && pair->lo >> 32 == 0xffff;
}

static int check_address(const struct pair *pair, const char *value, char *ret_why)
{
	bool only4 = pair->field->load.kind == LOAD_ADDR4, only6 = pair->field->load.kind == LOAD_ADDR6;

	if (only4 && !is_v4(pair))
		return wrong(ret_why, "%s is an IPv4 address, not \"%.60s\"", pair->field->name, value);
	if (only6 && is_v4(pair))
		return wrong(ret_why, "%s is an IPv6 address, not \"%.60s\"", pair->field->name, value);
	return 0;
}

static int unknown_field(const char *name, char *ret_why)
{
	const char *near = field_nearest(name);

	if (field_is_planned(name))
		return wrong(ret_why, "%.60s: this field is not yet in the language", name);
	if (near)
		return wrong(ret_why, "there is no field \"%.60s\"; did you mean \"%s\"?", name, near);
	return wrong(ret_why, "there is no field \"%.60s\"", name);
}

static int read_payload(struct spec *spec, const char *hex, char *ret_why)
{
	size_t n = strlen(hex);

	if (n % 2 || n / 2 > sizeof(spec->payload) || strspn(hex, "0123456789abcdefABCDEF") != n)
		return wrong(ret_why, "payload is an even number of hexadecimal digits, at most %zu bytes",
			     sizeof(spec->payload));
	for (size_t i = 0; i < n / 2; i++) {
		char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		spec->payload[i] = strtoul(byte, NULL, 16);
	}
	spec->payload_size = n / 2;
	return 0;
}

static int read_field(struct spec *spec, const char *name, const char *value, char *ret_why)
{
	struct pair *pair = &spec->pair[spec->n];

	if (spec->n == PAIRS_MAX)
		return wrong(ret_why, "more than %d fields", PAIRS_MAX);
	pair->field = field_find(name);
	if (!pair->field)
		return unknown_field(name, ret_why);
	if (pair->field->needs & NOT_BUILT)
		return wrong(ret_why, "%s cannot be described by its name here; give the whole frame", name);
	if (value_parse(pair->field->type, value, &pair->hi, &pair->lo) < 0)
		return wrong(ret_why, "%s=%.60s: that is no %s", name, value, value_type_name(pair->field->type));
	if (pair->field->bits < 64 && pair->lo >> pair->field->bits)
		return wrong(ret_why, "%s=%.60s does not fit: the field has %u bit%s", name, value, pair->field->bits,
			     pair->field->bits == 1 ? "" : "s");
	if (pair->field->type == TYPE_ADDR && check_address(pair, value, ret_why) < 0)
		return -EINVAL;
	spec->wanted |= pair->field->needs;
	spec->n++;
	return 0;
}

static int read_length(struct spec *spec, const char *value, char *ret_why)
{
	uint64_t hi, lo;

	if (value_parse(TYPE_SIZE, value, &hi, &lo) < 0 || lo < 14 || lo > PACKET_SPEC_FRAME_MAX)
		return wrong(ret_why, "length is from 14 to %d bytes, not \"%.60s\"", PACKET_SPEC_FRAME_MAX, value);
	spec->length = lo;
	return 0;
}

static int read_word(struct spec *spec, char *word, char *ret_why)
{
	char *equals = strchr(word, '=');
	uint64_t needs;

	if (!equals) {
		if (header_find(word, &needs) < 0 || needs & (HAS(IN_PORT) | HAS(OUT_PORT)))
			return wrong(ret_why, "\"%.60s\" is neither FIELD=VALUE nor a header", word);
		spec->wanted |= needs;
		return 0;
	}
	*equals++ = '\0';
	if (!strcmp(word, "length"))
		return read_length(spec, equals, ret_why);
	if (!strcmp(word, "payload"))
		return read_payload(spec, equals, ret_why);
	return read_field(spec, word, equals, ret_why);
}

static int read_words(struct spec *spec, const char *text, char *ret_why)
{
	char *copy = strdup(text), *rest = copy, *word;
	int r = 0;

	if (!copy)
		return wrong(ret_why, "out of memory");
	while (r == 0 && (word = strsep(&rest, " \t\n")))
		if (word[0])
			r = read_word(spec, word, ret_why);
	free(copy);
	return r;
}

static const struct pair *find(const struct spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->n; i++)
		if (!strcmp(spec->pair[i].field->name, name))
			return &spec->pair[i];
	return NULL;
}

/* ---- which headers there are ------------------------------------------------------------------------ */

static int one_of(uint64_t wanted, const uint64_t *set, const char *const *names, size_t n, char *ret_why)
{
	const char *first = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!(wanted & set[i]))
			continue;
		if (first)
			return wrong(ret_why, "one packet cannot have both %s and %s", first, names[i]);
		first = names[i];
	}
	return 0;
}

static int check_conflicts(uint64_t wanted, char *ret_why)
{
	static const uint64_t l3[] = {HAS(ARP), HAS(IPV4), HAS(IPV6)};
	static const char *const l3_names[] = {"ARP", "IPv4", "IPv6"};
	static const uint64_t l4[] = {HAS(ARP), HAS(TCP), HAS(UDP), HAS(ICMP), HAS(ICMPV6)};
	static const char *const l4_names[] = {"ARP", "TCP", "UDP", "ICMP", "ICMPv6"};
	static const uint64_t icmp[] = {HAS(IPV6), HAS(ICMP)}, icmpv6[] = {HAS(IPV4), HAS(ICMPV6)};
	static const char *const icmp_names[] = {"IPv6", "ICMP"}, *const icmpv6_names[] = {"IPv4", "ICMPv6"};

	if (one_of(wanted, l3, l3_names, 3, ret_why) < 0 || one_of(wanted, l4, l4_names, 5, ret_why) < 0 ||
	    one_of(wanted, icmp, icmp_names, 2, ret_why) < 0)
		return -EINVAL;
	return one_of(wanted, icmpv6, icmpv6_names, 2, ret_why);
}

/* What one field says by its value: an address its family, a number its protocol. */
static void learn_from_values(struct spec *spec)
{
	const struct pair *type = find(spec, "eth.type"), *proto = find(spec, "ip.proto");

	for (size_t i = 0; i < spec->n; i++)
		if (spec->pair[i].field->load.kind == LOAD_ADDR)
			spec->wanted |= is_v4(&spec->pair[i]) ? HAS(IPV4) : HAS(IPV6);
	if (!proto)
		proto = find(spec, "ipv4.proto");
	if (!proto && !(spec->wanted & (HAS(HOPOPTS) | HAS(ROUTING) | HAS(FRAG6) | HAS(DSTOPTS))))
		proto = find(spec, "ipv6.next_header");
	if (type)
		spec->wanted |= type->lo == 0x0800   ? HAS(IPV4)
				: type->lo == 0x86dd ? HAS(IPV6)
				: type->lo == 0x0806 ? HAS(ARP)
						     : 0;
	if (proto)
		spec->wanted |= proto->lo == 6	  ? HAS(TCP)
				: proto->lo == 17 ? HAS(UDP)
				: proto->lo == 1  ? HAS(ICMP)
				: proto->lo == 58 ? HAS(ICMPV6)
						  : 0;
	spec->build.proto = proto ? proto->lo : 255;
	spec->build.ethertype = type ? type->lo : 0x88b5;
}

static int choose_headers(struct spec *spec, char *ret_why)
{
	const uint64_t extensions = HAS(HOPOPTS) | HAS(ROUTING) | HAS(FRAG6) | HAS(DSTOPTS);
	const uint64_t l4 = HAS(TCP) | HAS(UDP) | HAS(ICMP) | HAS(ICMPV6);
	bool other_type = find(spec, "eth.type"), other_proto;

	learn_from_values(spec);
	other_proto = spec->build.proto != 255;
	if (spec->wanted & (extensions | HAS(ICMPV6)))
		spec->wanted |= HAS(IPV6);
	if (spec->wanted & HAS(VLAN2))
		spec->wanted |= HAS(VLAN);
	if (!(spec->wanted & (HAS(ARP) | HAS(IPV4) | HAS(IPV6))) &&
	    (!other_type || spec->wanted & (HAS(IP) | HAS(L4) | l4 | HAS(FRAGMENT))))
		spec->wanted |= HAS(IPV4);
	if (spec->wanted & HAS(FRAGMENT) && spec->wanted & HAS(IPV6))
		spec->wanted |= HAS(FRAG6);
	if (find(spec, "ip.frag_offset") && spec->wanted & HAS(IPV6))
		spec->wanted |= HAS(FRAG6);
	if (spec->wanted & (HAS(IPV4) | HAS(IPV6)) && !(spec->wanted & l4) && (!other_proto || spec->wanted & HAS(L4)))
		spec->wanted |= HAS(UDP);
	if (spec->wanted & HAS(L4) && !(spec->wanted & (HAS(TCP) | HAS(UDP))))
		return wrong(ret_why, "l4 fields need TCP or UDP");
	if (spec->wanted & HAS(IP) && spec->wanted & HAS(ARP))
		return wrong(ret_why, "one packet cannot have both ARP and IP");
	spec->build.present = spec->wanted;
	return check_conflicts(spec->wanted, ret_why);
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static int lay_out(struct spec *spec, char *ret_why)
{
	struct packet_build *b = &spec->build;
	const struct pair *payload = find(spec, "l4.payload_length");
	unsigned headers;

	b->payload = payload && payload->lo > spec->payload_size ? payload->lo : spec->payload_size;
	if (packet_build_layout(b) < 0)
		return wrong(ret_why, "the frame would be longer than %d bytes", PACKET_SPEC_FRAME_MAX);
	headers = b->payload_at;
	if (!spec->length)
		return 0;
	if (spec->length < headers + b->payload)
		return wrong(ret_why, "length=%u is too short: headers and payload take %u bytes", spec->length,
			     headers + b->payload);
	b->payload = spec->length - headers;
	packet_build_layout(b);
	return 0;
}

/* Checksums that were given, by the header they are in. */
static uint64_t kept_checksums(const struct spec *spec)
{
	uint64_t keep = 0;

	for (size_t i = 0; i < spec->n; i++) {
		const char *dot = strchr(spec->pair[i].field->name, '.');

		if (dot && !strcmp(dot, ".checksum"))
			keep |= spec->pair[i].field->needs;
	}
	return keep;
}

int packet_spec_compose(const char *const *words, size_t n_words, uint8_t *ret_frame, size_t *ret_size, char *ret_why)
{
	struct spec *spec = calloc(1, sizeof(*spec));
	int r = spec ? 0 : wrong(ret_why, "out of memory");

	for (size_t i = 0; i < n_words && r == 0; i++)
		r = read_words(spec, words[i], ret_why);
	if (r == 0)
		r = choose_headers(spec, ret_why);
	if (r == 0)
		r = lay_out(spec, ret_why);
	if (r < 0) {
		free(spec);
		return r;
	}
	memcpy(spec->build.frame + spec->build.payload_at, spec->payload, spec->payload_size);
	for (size_t i = 0; i < spec->n; i++)
		packet_build_write(&spec->build, spec->pair[i].field, spec->pair[i].hi, spec->pair[i].lo);
	if (find(spec, "ipv4.mf") == NULL && spec->wanted & HAS(FRAGMENT) && spec->wanted & HAS(IPV4) &&
	    !find(spec, "ip.frag_offset") && !find(spec, "ipv4.frag_offset"))
		spec->build.frame[spec->build.off[BASE_L3] + 6] |= 0x20;
	packet_build_checksums(&spec->build, kept_checksums(spec));
	memcpy(ret_frame, spec->build.frame, spec->build.size);
	*ret_size = spec->build.size;
	free(spec);
	return 0;
}
