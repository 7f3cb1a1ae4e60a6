/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "where.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong(char *ret_why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int wrong(char *ret_why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret_why, 256, format, args);
	va_end(args);
	return -EINVAL;
}

int where_add(struct where *where, const char *text)
{
	if (where->n == WHERE_MAX)
		return -E2BIG;
	where->text[where->n++] = text;
	return 0;
}

/* Copies [from, to) without spaces at its ends. */
static int copy_trimmed(const char *from, const char *to, char *buf, size_t size)
{
	while (from < to && isspace((unsigned char)*from))
		from++;
	while (to > from && isspace((unsigned char)to[-1]))
		to--;
	if (from == to || (size_t)(to - from) >= size)
		return -EINVAL;
	memcpy(buf, from, to - from);
	buf[to - from] = '\0';
	return 0;
}

static int split(const char *text, char *name, size_t name_size, struct condition *c, char *value, size_t value_size,
		 char *ret_why)
{
	static const struct {
		const char *text;
		int op;
	} ops[] = {{"==", WHERE_EQ}, {"!=", WHERE_NE}, {"<=", WHERE_LE}, {">=", WHERE_GE},
		   {"=", WHERE_EQ},  {"<", WHERE_LT},  {">", WHERE_GT}};
	const char *at = strpbrk(text, "=!<>");

	for (size_t i = 0; at && i < sizeof(ops) / sizeof(ops[0]); i++) {
		size_t len = strlen(ops[i].text);

		if (strncmp(at, ops[i].text, len))
			continue;
		c->op = ops[i].op;
		if (copy_trimmed(text, at, name, name_size) < 0 ||
		    copy_trimmed(at + len, at + strlen(at), value, value_size) < 0)
			break;
		return 0;
	}
	return wrong(ret_why, "a condition is FIELD = VALUE (or != < <= > >=), not \"%.80s\"", text);
}

static const struct layout_field *find_field(const struct layout *layout, const char *name)
{
	for (size_t i = 0; i < layout->n_keys; i++)
		if (!strcmp(layout->key[i].name, name))
			return &layout->key[i];
	for (size_t i = 0; i < layout->n_regs; i++)
		if (!strcmp(layout->reg[i].name, name))
			return &layout->reg[i];
	return NULL;
}

static int unknown(const struct layout *layout, const char *name, char *ret_why)
{
	const char *names[2 * KEY_PARTS_MAX + 28 + 2];
	const char *near;
	char list[160] = "";
	size_t n = 0, len = 0;

	for (size_t i = 0; i < layout->n_keys; i++)
		names[n++] = layout->key[i].name;
	for (size_t i = 0; i < layout->n_regs; i++)
		names[n++] = layout->reg[i].name;
	names[n++] = "state";
	names[n++] = "idle";
	near = diag_nearest(name, names, n);
	if (near)
		return wrong(ret_why, "table %s has no \"%.60s\"; did you mean \"%s\"?", layout->table, name, near);
	for (size_t i = 0; i < n && len < sizeof(list) - 2; i++)
		len += snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "", names[i]);
	return wrong(ret_why, "table %s has no \"%.60s\"; there are %s", layout->table, name, list);
}

static int resolve_state(struct condition *c, const struct layout *layout, const char *value, char *ret_why)
{
	const char *names[STATES_MAX];
	const char *near;

	c->kind = WHERE_STATE;
	if (c->op != WHERE_EQ && c->op != WHERE_NE)
		return wrong(ret_why, "a state can only be = or !=");
	for (size_t i = 0; i < layout->n_states; i++) {
		names[i] = layout->state[i].name;
		if (strcmp(names[i], value))
			continue;
		c->state = layout->state[i].id;
		return 0;
	}
	near = diag_nearest(value, names, layout->n_states);
	return wrong(ret_why, "table %s has no state \"%.60s\"%s%s%s", layout->table, value,
		     near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* "10.0.0.0/8" -> address and mask. */
static int resolve_prefix(struct condition *c, char *value, char *slash, char *ret_why)
{
	unsigned long len;
	char *end;

	*slash = '\0';
	len = strtoul(slash + 1, &end, 10);
	if (!isdigit((unsigned char)slash[1]) || *end || value_parse(TYPE_ADDR, value, &c->hi, &c->lo) < 0 ||
	    len > (strchr(value, ':') ? 128 : 32))
		return wrong(ret_why, "\"%.60s/%.20s\" is no prefix", value, slash + 1);
	if (c->op != WHERE_EQ && c->op != WHERE_NE)
		return wrong(ret_why, "a prefix can only be = or !=");
	if (!strchr(value, ':'))
		len += 96;
	c->mask_hi = len >= 64 ? ~0ull : len ? ~0ull << (64 - len) : 0;
	c->mask_lo = len <= 64 ? 0 : ~0ull << (128 - len);
	c->hi &= c->mask_hi;
	c->lo &= c->mask_lo;
	return 0;
}

static int resolve_value(struct condition *c, char *value, char *ret_why)
{
	enum value_type type = c->field.type;
	char *slash = strchr(value, '/');
	const char *text = value;

	c->mask_hi = c->mask_lo = ~0ull;
	if (type == TYPE_ADDR && slash)
		return resolve_prefix(c, value, slash, ret_why);
	if (type == TYPE_TIME && (value[0] == '-' || value[0] == '+')) {
		c->relative = true;
		if (value_parse(TYPE_DURATION, value + 1, &c->hi, &c->lo) < 0)
			return wrong(ret_why, "\"%.60s\" is no time: an offset from now is written -2s or +100ms",
				     value);
		if (value[0] == '-')
			c->lo = -c->lo;
		return 0;
	}
	if (value_parse(type, text, &c->hi, &c->lo) < 0)
		return wrong(ret_why, "\"%.60s\" is no %s, which %s is", value, value_type_name(type), c->field.name);
	return 0;
}

static int resolve_one(struct condition *c, const struct layout *layout, const char *text, char *ret_why)
{
	const struct layout_field *field;
	char name[NAME_LEN_MAX + 1], value[128];

	if (split(text, name, sizeof(name), c, value, sizeof(value), ret_why) < 0)
		return -EINVAL;
	field = find_field(layout, name);
	if (field) {
		c->kind = WHERE_FIELD;
		c->field = *field;
		return resolve_value(c, value, ret_why);
	}
	if (!strcmp(name, "state"))
		return resolve_state(c, layout, value, ret_why);
	if (!strcmp(name, "idle")) {
		c->kind = WHERE_IDLE;
		if (value_parse(TYPE_DURATION, value, &c->hi, &c->lo) < 0)
			return wrong(ret_why, "\"%.60s\" is no duration, as idle is", value);
		return 0;
	}
	return unknown(layout, name, ret_why);
}

int where_resolve(struct where *where, const struct layout *layout, char *ret_why)
{
	for (size_t i = 0; i < where->n; i++) {
		memset(&where->condition[i], 0, sizeof(where->condition[i]));
		if (resolve_one(&where->condition[i], layout, where->text[i], ret_why) < 0)
			return -EINVAL;
	}
	where->resolved = true;
	return 0;
}

static bool holds(const struct condition *c, int compared)
{
	switch (c->op) {
	case WHERE_EQ: return compared == 0;
	case WHERE_NE: return compared != 0;
	case WHERE_LT: return compared < 0;
	case WHERE_LE: return compared <= 0;
	case WHERE_GT: return compared > 0;
	case WHERE_GE: return compared >= 0;
	}
	return false;
}

static int compare(uint64_t a_hi, uint64_t a_lo, uint64_t b_hi, uint64_t b_lo)
{
	if (a_hi != b_hi)
		return a_hi < b_hi ? -1 : 1;
	return a_lo < b_lo ? -1 : a_lo > b_lo;
}

static bool matches_one(const struct condition *c, const uint64_t *words, uint64_t now_ns)
{
	struct flow_head head;
	__u64 hi, lo;

	memcpy(&head, words, sizeof(head));
	switch (c->kind) {
	case WHERE_STATE: return holds(c, head.state == c->state ? 0 : 1);
	case WHERE_IDLE:
		return holds(c, compare(0, now_ns > head.last_used_ns ? now_ns - head.last_used_ns : 0, 0, c->lo));
	case WHERE_FIELD: break;
	}
	layout_get(&c->field, (const __u64 *)words, &hi, &lo);
	return holds(c, compare(hi & c->mask_hi, lo & c->mask_lo, c->hi, c->relative ? now_ns + c->lo : c->lo));
}

bool where_matches(const struct where *where, const uint64_t *words, uint64_t now_ns)
{
	for (size_t i = 0; i < where->n; i++)
		if (!matches_one(&where->condition[i], words, now_ns))
			return false;
	return true;
}
