/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/diag.h"
#include "field.h"
#include "literal.h"

static const struct value_name {
	enum value_type type;
	const char *name;
	uint64_t value;
} value_names[] = {
	{TYPE_PROTO, "icmp", 1},
	{TYPE_PROTO, "igmp", 2},
	{TYPE_PROTO, "tcp", 6},
	{TYPE_PROTO, "udp", 17},
	{TYPE_PROTO, "gre", 47},
	{TYPE_PROTO, "esp", 50},
	{TYPE_PROTO, "ah", 51},
	{TYPE_PROTO, "icmpv6", 58},
	{TYPE_PROTO, "ospf", 89},
	{TYPE_PROTO, "sctp", 132},
	{TYPE_ETHERTYPE, "ipv4", 0x0800},
	{TYPE_ETHERTYPE, "arp", 0x0806},
	{TYPE_ETHERTYPE, "ipv6", 0x86dd},
	{TYPE_ETHERTYPE, "vlan", 0x8100},
	{TYPE_ETHERTYPE, "qinq", 0x88a8},
	{TYPE_ETHERTYPE, "mpls", 0x8847},
	{TYPE_ETHERTYPE, "lldp", 0x88cc},
	{TYPE_FLAGS, "fin", 0x01},
	{TYPE_FLAGS, "syn", 0x02},
	{TYPE_FLAGS, "rst", 0x04},
	{TYPE_FLAGS, "psh", 0x08},
	{TYPE_FLAGS, "ack", 0x10},
	{TYPE_FLAGS, "urg", 0x20},
	{TYPE_FLAGS, "ece", 0x40},
	{TYPE_FLAGS, "cwr", 0x80},
	{TYPE_HOOK, "xdp", HOOK_XDP},
	{TYPE_HOOK, "tc-ingress", HOOK_TC_INGRESS},
	{TYPE_HOOK, "tc-egress", HOOK_TC_EGRESS},
	{TYPE_COLOUR, "green", COLOUR_GREEN},
	{TYPE_COLOUR, "yellow", COLOUR_YELLOW},
	{TYPE_COLOUR, "red", COLOUR_RED},
	{TYPE_BOOL, "false", 0},
	{TYPE_BOOL, "true", 1},
};

const char *value_type_name(enum value_type type)
{
	switch (type) {
	case TYPE_U64: return "number";
	case TYPE_BOOL: return "condition";
	case TYPE_INT: return "int";
	case TYPE_TIME: return "time";
	case TYPE_DURATION: return "duration";
	case TYPE_RATE: return "rate";
	case TYPE_SIZE: return "size";
	case TYPE_MAC: return "mac";
	case TYPE_ADDR: return "address";
	case TYPE_PREFIX: return "prefix";
	case TYPE_PORT: return "port";
	case TYPE_PROTO: return "protocol";
	case TYPE_ETHERTYPE: return "ethertype";
	case TYPE_FLAGS: return "flags";
	case TYPE_HOOK: return "hook";
	case TYPE_COLOUR: return "colour";
	case TYPE_FRACTION: return "fraction";
	case TYPE_LIST: return "list";
	case TYPE_FIELD: return "field";
	case TYPE_SEGMENTS: return "segments";
	case TYPE_MAX: break;
	}
	return "?";
}

/* A plain number may be compared with any named constant (a variable that holds a protocol). */
static bool takes_names_of(enum value_type type, enum value_type of)
{
	return type == of || type == TYPE_U64;
}

int value_name_find(enum value_type type, const char *name, uint64_t *ret_value)
{
	for (size_t i = 0; i < ARRAY_SIZE(value_names); i++)
		if (takes_names_of(type, value_names[i].type) && strcmp(value_names[i].name, name) == 0) {
			*ret_value = value_names[i].value;
			return 0;
		}
	return -ENOENT;
}

const char *value_name_nearest(enum value_type type, const char *name)
{
	const char *names[ARRAY_SIZE(value_names)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(value_names); i++)
		if (takes_names_of(type, value_names[i].type))
			names[n++] = value_names[i].name;
	return diag_nearest(name, names, n);
}

const char *value_name_at(size_t index, enum value_type *ret_type, uint64_t *ret_value)
{
	if (index >= ARRAY_SIZE(value_names))
		return NULL;
	*ret_type = value_names[index].type;
	*ret_value = value_names[index].value;
	return value_names[index].name;
}

const char *value_name_of(enum value_type type, uint64_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(value_names); i++)
		if (value_names[i].type == type && value_names[i].value == value)
			return value_names[i].name;
	return NULL;
}

int value_flags_parse(const char *text, uint64_t *ret_value, uint64_t *ret_mask)
{
	uint64_t value = 0, mask = 0;

	do {
		size_t len = strcspn(text + 1, "+-");
		char name[8];
		uint64_t bit;

		if ((*text != '+' && *text != '-') || len >= sizeof(name))
			return -EINVAL;
		memcpy(name, text + 1, len);
		name[len] = '\0';
		if (value_name_find(TYPE_FLAGS, name, &bit) < 0 || mask & bit)
			return -EINVAL;
		mask |= bit;
		if (*text == '+')
			value |= bit;
		text += 1 + len;
	} while (*text);
	*ret_value = value;
	*ret_mask = mask;
	return 0;
}

static const char *render_flags(uint64_t value, char *buf, size_t size)
{
	size_t used = 0;

	if (!value || value > 0xff) {
		snprintf(buf, size, "%" PRIu64, value);
		return buf;
	}
	buf[0] = '\0';
	for (unsigned bit = 0; bit < 8; bit++) {
		int n;

		if (!(value >> bit & 1) || used >= size)
			continue;
		n = snprintf(buf + used, size - used, "+%s", value_name_of(TYPE_FLAGS, 1ULL << bit));
		used += n > 0 ? (size_t)n : 0;
	}
	return buf;
}

static const char *render_addr(uint64_t hi, uint64_t lo, char *buf, size_t size)
{
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN] = "";
	bool v4 = hi == 0 && lo >> 32 == 0xffff;

	for (unsigned i = 0; i < 8; i++) {
		bytes[i] = hi >> (56 - 8 * i);
		bytes[8 + i] = lo >> (56 - 8 * i);
	}
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? bytes + 12 : bytes, text, sizeof(text));
	snprintf(buf, size, "%s", text);
	return buf;
}

static const struct scale {
	const char *unit;
	uint64_t factor;
	bool whole; /* Only for multiples: 90 s is not 1.5 min. */
} time_scales[] =
	{
		{"d", 86400000000000, true},
		{"h", 3600000000000, true},
		{"min", 60000000000, true},
		{"s", 1000000000, false},
		{"ms", 1000000, false},
		{"us", 1000, false},
		{"ns", 1, false},
},
  size_scales[] = {
	  {"GiB", 1 << 30, true},
	  {"MiB", 1 << 20, true},
	  {"KiB", 1 << 10, true},
	  {"B", 1, false},
};

static const struct scale *find_scale(const struct scale *scale, uint64_t value)
{
	while (scale->factor > 1 && (value < scale->factor || (scale->whole && value % scale->factor)))
		scale++;
	return scale;
}

/* "1.5 s": three decimals at most, none that are 0. */
static const char *render_scaled(const struct scale *scales, uint64_t value, char *buf, size_t size)
{
	const struct scale *scale;
	unsigned thousandths, digits = 3;

	if (!value)
		return snprintf(buf, size, "0 %s", scales == size_scales ? "B" : "s"), buf;
	scale = find_scale(scales, value);
	thousandths = scale->factor > 1 ? (__uint128_t)(value % scale->factor) * 1000 / scale->factor : 0;
	while (digits && thousandths % 10 == 0) {
		thousandths /= 10;
		digits--;
	}
	if (digits)
		snprintf(buf, size, "%" PRIu64 ".%0*u %s", value / scale->factor, (int)digits, thousandths,
			 scale->unit);
	else
		snprintf(buf, size, "%" PRIu64 " %s", value / scale->factor, scale->unit);
	return buf;
}

/* "-3.2 s": how far from now, with three digits that count. */
static const char *render_time(uint64_t moment, uint64_t now_ns, char *buf, size_t size)
{
	static const struct {
		const char *unit;
		double ns;
	} steps[] = {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
	uint64_t away = moment >= now_ns ? moment - now_ns : now_ns - moment;
	unsigned step = 0;

	if (!now_ns || !moment)
		return snprintf(buf, size, "%" PRIu64, moment), buf;
	while (step < 3 && (double)away < steps[step].ns)
		step++;
	if (away >= 1000000000000)
		snprintf(buf, size, "%c%" PRIu64 " s", moment >= now_ns ? '+' : '-', away / 1000000000);
	else
		snprintf(buf, size, (double)away / steps[step].ns < 999.5 ? "%c%.3g %s" : "%c%.0f %s",
			 moment >= now_ns ? '+' : '-', (double)away / steps[step].ns, steps[step].unit);
	return buf;
}

static const char *render_named(enum value_type type, uint64_t value, char *buf, size_t size)
{
	const char *name = value_name_of(type, value);

	if (name)
		snprintf(buf, size, "%s", name);
	else if (type == TYPE_ETHERTYPE)
		snprintf(buf, size, "0x%04" PRIx64, value);
	else
		snprintf(buf, size, "%" PRIu64, value);
	return buf;
}

const char *value_render(enum value_type type, uint64_t hi, uint64_t lo, uint64_t now_ns, char *buf, size_t size)
{
	switch (type) {
	case TYPE_BOOL:
	case TYPE_PROTO:
	case TYPE_ETHERTYPE:
	case TYPE_HOOK:
	case TYPE_COLOUR: return render_named(type, lo, buf, size);
	case TYPE_FLAGS: return render_flags(lo, buf, size);
	case TYPE_ADDR:
	case TYPE_PREFIX: return render_addr(hi, lo, buf, size);
	case TYPE_TIME: return render_time(lo, now_ns, buf, size);
	case TYPE_DURATION: return render_scaled(time_scales, lo, buf, size);
	case TYPE_SIZE: return render_scaled(size_scales, lo, buf, size);
	case TYPE_MAC:
		snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(lo >> 40 & 0xff),
			 (unsigned)(lo >> 32 & 0xff), (unsigned)(lo >> 24 & 0xff), (unsigned)(lo >> 16 & 0xff),
			 (unsigned)(lo >> 8 & 0xff), (unsigned)(lo & 0xff));
		return buf;
	case TYPE_INT: snprintf(buf, size, "%" PRId64, (int64_t)lo); return buf;
	case TYPE_FRACTION: snprintf(buf, size, "%" PRIu64 ".%03" PRIu64, lo / 1000, lo % 1000); return buf;
	case TYPE_U64:
	case TYPE_RATE:
	case TYPE_PORT:
	case TYPE_LIST:
	case TYPE_FIELD:
	case TYPE_MAX: break;
	case TYPE_SEGMENTS: snprintf(buf, size, "list %016" PRIx64, lo); return buf;
	}
	snprintf(buf, size, "%" PRIu64, lo);
	return buf;
}

/* As value_render() writes it, "1.5 s", the blank dropped. */
static int parse_literal(const char *text, struct literal *ret_literal)
{
	char joined[128], error[LITERAL_ERROR_SIZE];
	size_t n = 0;

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		if (n + 1 >= sizeof(joined))
			return -EINVAL;
		joined[n++] = *text;
	}
	joined[n] = '\0';
	return literal_parse(joined, ret_literal, error) < 0 ? -EINVAL : 0;
}

static bool literal_fits(enum value_type type, enum value_type literal)
{
	switch (type) {
	case TYPE_ADDR:
	case TYPE_MAC:
	case TYPE_PREFIX: return literal == type;
	case TYPE_TIME: return literal == TYPE_U64;
	case TYPE_INT: return literal == TYPE_U64 || literal == TYPE_INT;
	case TYPE_DURATION:
	case TYPE_RATE:
	case TYPE_SIZE: return literal == type || literal == TYPE_U64;
	case TYPE_FRACTION:
	case TYPE_LIST:
	case TYPE_FIELD:
	case TYPE_SEGMENTS:
	case TYPE_MAX: return false;
	default: return literal == TYPE_U64;
	}
}

int value_parse(enum value_type type, const char *text, uint64_t *ret_hi, uint64_t *ret_lo)
{
	struct literal literal;
	uint64_t mask, value;

	*ret_hi = 0;
	if (type != TYPE_U64 && value_name_find(type, text, &value) == 0) {
		*ret_lo = value;
		return 0;
	}
	if (type == TYPE_FLAGS && value_flags_parse(text, &value, &mask) == 0) {
		*ret_lo = value;
		return 0;
	}
	if (parse_literal(text, &literal) < 0 || !literal_fits(type, literal.type))
		return -EINVAL;
	if (type == TYPE_INT && literal.type == TYPE_U64 && literal.lo > INT64_MAX)
		return -EINVAL;
	*ret_hi = literal.hi;
	*ret_lo = literal.lo;
	return 0;
}

/* "now", "+5 s", "-200ms". */
static int parse_moment(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	struct literal away;

	if (!strcmp(text, "now")) {
		*ret_ns = now_ns;
		return 0;
	}
	if ((text[0] != '+' && text[0] != '-') || parse_literal(text + 1, &away) < 0 || away.type != TYPE_DURATION)
		return -EINVAL;
	if (text[0] == '-' ? away.lo > now_ns : away.lo > UINT64_MAX - now_ns)
		return -EINVAL;
	*ret_ns = text[0] == '-' ? now_ns - away.lo : now_ns + away.lo;
	return 0;
}

int value_parse_at(enum value_type type, const char *text, uint64_t now_ns, uint64_t *ret_hi, uint64_t *ret_lo)
{
	uint64_t moment;

	if (type != TYPE_TIME || !now_ns || parse_moment(text, now_ns, &moment) < 0)
		return value_parse(type, text, ret_hi, ret_lo);
	*ret_hi = 0;
	*ret_lo = moment;
	return 0;
}
