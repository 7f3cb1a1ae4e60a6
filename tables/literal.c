/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "literal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/diag.h"

static const struct unit {
	const char *name;
	enum value_type type;
	uint64_t factor;
} units[] = {
	{"ns", TYPE_DURATION, 1},
	{"us", TYPE_DURATION, 1000},
	{"ms", TYPE_DURATION, 1000000},
	{"s", TYPE_DURATION, 1000000000},
	{"min", TYPE_DURATION, 60000000000},
	{"h", TYPE_DURATION, 3600000000000},
	{"d", TYPE_DURATION, 86400000000000},
	{"B", TYPE_SIZE, 1},
	{"kB", TYPE_SIZE, 1000},
	{"KB", TYPE_SIZE, 1000},
	{"KiB", TYPE_SIZE, 1024},
	{"MB", TYPE_SIZE, 1000000},
	{"MiB", TYPE_SIZE, 1 << 20},
	{"GB", TYPE_SIZE, 1000000000},
	{"GiB", TYPE_SIZE, 1 << 30},
	{"pps", TYPE_RATE, 1},
	{"kpps", TYPE_RATE, 1000},
	{"Mpps", TYPE_RATE, 1000000},
	{"bps", TYPE_RATE, 1},
	{"kbps", TYPE_RATE, 1000},
	{"Mbps", TYPE_RATE, 1000000},
	{"Gbps", TYPE_RATE, 1000000000},
};

static int fail(char *error, const char *format, const char *text, size_t len)
{
	snprintf(error, LITERAL_ERROR_SIZE, format, (int)(len > 60 ? 60 : len), text);
	return -EINVAL;
}

const char *unit_at(size_t index, enum value_type *ret_type, uint64_t *ret_factor)
{
	if (index >= ARRAY_SIZE(units))
		return NULL;
	*ret_type = units[index].type;
	*ret_factor = units[index].factor;
	return units[index].name;
}

static int find_unit(const char *text, size_t len, const struct unit **ret_unit, char *error)
{
	const char *names[ARRAY_SIZE(units)], *nearest;
	char word[16];

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		names[i] = units[i].name;
		if (strlen(units[i].name) == len && memcmp(units[i].name, text, len) == 0) {
			*ret_unit = &units[i];
			return 0;
		}
	}
	snprintf(word, sizeof(word), "%.*s", (int)(len > 15 ? 15 : len), text);
	nearest = diag_nearest(word, names, ARRAY_SIZE(units));
	if (nearest)
		snprintf(error, LITERAL_ERROR_SIZE, "unknown unit \"%s\"; did you mean \"%s\"?", word, nearest);
	else
		snprintf(error, LITERAL_ERROR_SIZE,
			 "unknown unit \"%s\" (expected ns us ms s min h d, B KB KiB MB MiB, pps kpps Mpps, bps kbps "
			 "Mbps Gbps)",
			 word);
	return -EINVAL;
}

static int scan_hex(const char *text, struct literal *literal, size_t *ret_len, char *error)
{
	size_t n = 2 + strspn(text + 2, "0123456789abcdefABCDEF");
	size_t rest = n;
	uint64_t value = 0;
	int r = 0;

	while (isalnum((unsigned char)text[rest]) || text[rest] == '_')
		rest++;
	*ret_len = rest;
	if (n == 2 || rest != n)
		return fail(error, "\"%.*s\" is not a hexadecimal number", text, rest);
	for (size_t i = 2; i < n; i++) {
		int digit =
			isdigit((unsigned char)text[i]) ? text[i] - '0' : tolower((unsigned char)text[i]) - 'a' + 10;

		if (value >> 60)
			r = fail(error, "%.*s does not fit in 64 bits", text, n);
		value = value << 4 | digit;
	}
	*literal = (struct literal){.type = TYPE_U64, .lo = value};
	return r;
}

/* digits * factor / 10^decimals, exact or not at all. */
static int scale(__uint128_t digits, unsigned decimals, uint64_t factor, uint64_t *ret_value)
{
	__uint128_t product = digits * factor;

	for (; decimals; decimals--) {
		if (product % 10)
			return -EDOM;
		product /= 10;
	}
	if (product >> 64)
		return -ERANGE;
	*ret_value = product;
	return 0;
}

static int scan_number(const char *text, struct literal *literal, size_t *ret_len, char *error)
{
	enum { DIGITS_MAX = 24 }; /* With a factor of 47 bits still within 128. */
	static const struct unit none = {"", TYPE_U64, 1}, fraction = {"", TYPE_FRACTION, 1000};
	const struct unit *unit = &none;
	__uint128_t digits = 0;
	unsigned decimals = 0, n_digits = 0;
	size_t n = 0, unit_len = 0;
	int r;

	for (; isdigit((unsigned char)text[n]); n++)
		if (n_digits < DIGITS_MAX + 1 && (digits = digits * 10 + (text[n] - '0')))
			n_digits++;
	if (text[n] == '.' && isdigit((unsigned char)text[n + 1]))
		for (n++; isdigit((unsigned char)text[n]); n++, decimals++)
			if (n_digits < DIGITS_MAX + 1 && (digits = digits * 10 + (text[n] - '0')))
				n_digits++;
	while (isalnum((unsigned char)text[n + unit_len]) || text[n + unit_len] == '_')
		unit_len++;
	*ret_len = n + unit_len;
	if (decimals && !unit_len)
		unit = &fraction;
	if (unit_len && find_unit(text + n, unit_len, &unit, error) < 0)
		return -EINVAL;
	if (n_digits > DIGITS_MAX || decimals > DIGITS_MAX)
		return fail(error, "%.*s does not fit in 64 bits", text, n + unit_len);
	r = scale(digits, decimals, unit->factor, &literal->lo);
	if (r == -EDOM && unit == &fraction)
		return fail(error, "%.*s has more than three decimals", text, n);
	if (r == -EDOM)
		return fail(error, "%.*s is not a whole number of the smallest unit", text, n + unit_len);
	if (r == -ERANGE)
		return fail(error, "%.*s does not fit in 64 bits", text, n + unit_len);
	literal->type = unit->type;
	return 0;
}

static uint64_t get_be64(const unsigned char *p)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 8; i++)
		value = value << 8 | p[i];
	return value;
}

static bool scan_mac(const char *run, size_t len, struct literal *literal)
{
	uint64_t value = 0;

	if (len != 17)
		return false;
	for (size_t i = 0; i < 17; i++) {
		if ((i % 3 == 2) != (run[i] == ':') || (i % 3 != 2 && !isxdigit((unsigned char)run[i])))
			return false;
		if (i % 3 == 2)
			continue;
		value = value << 4 |
			(isdigit((unsigned char)run[i]) ? run[i] - '0' : tolower((unsigned char)run[i]) - 'a' + 10);
	}
	*literal = (struct literal){.type = TYPE_MAC, .lo = value};
	return true;
}

/* "/24" right behind an address makes a prefix; "/255.0.0.0" is a mask and left to the caller. */
static int scan_prefix_len(const char *text, unsigned bits, struct literal *literal, size_t *len, char *error)
{
	size_t at = *len, digits;
	unsigned value = 0;

	if (text[at] != '/' || !isdigit((unsigned char)text[at + 1]))
		return 0;
	digits = strspn(text + at + 1, "0123456789");
	if (strchr(".:", text[at + 1 + digits]) && text[at + 1 + digits])
		return 0;
	if (isxdigit((unsigned char)text[at + 1 + digits]))
		return 0;
	for (size_t i = 0; i < digits && value <= bits; i++)
		value = value * 10 + (text[at + 1 + i] - '0');
	*len = at + 1 + digits;
	if (value > bits)
		return fail(error,
			    bits == 32 ? "\"%.*s\": an IPv4 prefix has at most 32 bits"
				       : "\"%.*s\": an IPv6 prefix has at most 128 bits",
			    text, *len);
	literal->type = TYPE_PREFIX;
	literal->prefix_len = value + 128 - bits;
	return 0;
}

static int scan_address(const char *text, size_t run_len, unsigned bits, struct literal *literal, size_t *ret_len,
			char *error)
{
	unsigned char bytes[16] = {[10] = 0xff, [11] = 0xff};
	char run[INET6_ADDRSTRLEN];

	*ret_len = run_len;
	if (run_len >= sizeof(run))
		return fail(error, "\"%.*s\" is not an address", text, run_len);
	memcpy(run, text, run_len);
	run[run_len] = '\0';
	if (inet_pton(bits == 32 ? AF_INET : AF_INET6, run, bits == 32 ? bytes + 12 : bytes) != 1)
		return fail(error,
			    bits == 32 ? "\"%.*s\" is not an IPv4 address"
				       : "\"%.*s\" is neither an IPv6 address nor a MAC",
			    text, run_len);
	*literal = (struct literal){.type = TYPE_ADDR, .hi = get_be64(bytes), .lo = get_be64(bytes + 8)};
	return scan_prefix_len(text, bits, literal, ret_len, error);
}

int literal_scan(const char *text, struct literal *ret_literal, size_t *ret_len, char ret_error[LITERAL_ERROR_SIZE])
{
	size_t run = strspn(text, "0123456789abcdefABCDEF:."), colons = 0, dots = 0;

	for (size_t i = 0; i < run; i++) {
		colons += text[i] == ':';
		dots += text[i] == '.';
	}
	*ret_literal = (struct literal){};
	if (colons >= 2) {
		*ret_len = run;
		if (scan_mac(text, run, ret_literal))
			return 0;
		return scan_address(text, run, 128, ret_literal, ret_len, ret_error);
	}
	if (!isdigit((unsigned char)*text))
		return -ENOENT;
	run = strspn(text, "0123456789.");
	if (dots >= 2)
		return scan_address(text, run, 32, ret_literal, ret_len, ret_error);
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return scan_hex(text, ret_literal, ret_len, ret_error);
	return scan_number(text, ret_literal, ret_len, ret_error);
}

static int negate(const char *text, struct literal *literal, char *error)
{
	if (literal->type == TYPE_ADDR || literal->type == TYPE_PREFIX || literal->type == TYPE_MAC ||
	    literal->type == TYPE_FRACTION)
		return fail(error, "\"-\" before \"%.*s\" makes no sense", text, strlen(text));
	if (literal->lo > 1ULL << 63)
		return fail(error, "-%.*s does not fit in 64 bits", text, strlen(text));
	*literal = (struct literal){.type = TYPE_INT, .lo = -literal->lo};
	return 0;
}

int literal_parse(const char *text, struct literal *ret_literal, char ret_error[LITERAL_ERROR_SIZE])
{
	size_t len;
	bool negative = *text == '-' && isdigit((unsigned char)text[1]);
	int r;

	text += negative;
	r = literal_scan(text, ret_literal, &len, ret_error);
	if (r < 0)
		return r;
	if (text[len])
		return fail(ret_error, "unexpected \"%.*s\"", text + len, strlen(text + len));
	return negative ? negate(text, ret_literal, ret_error) : 0;
}

void literal_mask(unsigned len, uint64_t *ret_hi, uint64_t *ret_lo)
{
	*ret_hi = len >= 64 ? ~0ULL : len ? ~0ULL << (64 - len) : 0;
	*ret_lo = len >= 128 ? ~0ULL : len > 64 ? ~0ULL << (128 - len) : 0;
}
