/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match: what a field or a variable must be. */
#include <ctype.h>
#include <inttypes.h>

#include "app_check.h"
#include "literal.h"

static uint64_t ones(unsigned bits)
{
	return bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
}

static void add_pattern(struct checker *c, struct match *m, struct pattern pattern)
{
	GROW(c, m->alt, m->n_alts);
	m->alt[m->n_alts++] = pattern;
}

static const char *target_name(const struct match *m)
{
	return m->ref.kind == REF_FIELD ? m->ref.field->name : m->text;
}

static bool check_width(struct checker *c, const struct match *m, struct loc loc, uint64_t value)
{
	if (value <= ones(m->bits))
		return true;
	ERROR(c, loc, "%" PRIu64 " does not fit in \"%s\", which has %u bit%s (at most %" PRIu64 ")", value,
	      target_name(m), m->bits, m->bits == 1 ? "" : "s", ones(m->bits));
	return false;
}

/* Nothing but an int is ever below 0, and an int is never above its largest. */
static bool check_sign(struct checker *c, const struct match *m, struct loc loc, const char *text, uint64_t value,
		       enum value_type type)
{
	bool is_negative = type == TYPE_INT && (int64_t)value < 0;

	if (m->type == TYPE_INT ? type == TYPE_INT || value <= INT64_MAX : !is_negative)
		return true;
	if (is_negative)
		ERROR(c, loc, "\"%s\" never matches: \"%s\" is never less than 0", text, target_name(m));
	else
		ERROR(c, loc, "\"%s\" never matches: it does not fit in a signed number", text);
	return false;
}

/* A field takes what it is; a variable whatever may have been assigned to it. */
static bool type_fits(const struct match *m, enum value_type type)
{
	if (m->type == TYPE_ADDR)
		return type == TYPE_ADDR || type == TYPE_PREFIX;
	if (type == TYPE_ADDR || type == TYPE_PREFIX || type == TYPE_FRACTION || type == TYPE_LIST ||
	    type == TYPE_FIELD)
		return false;
	if (m->type == TYPE_MAC)
		return type == TYPE_MAC;
	if ((m->ref.kind == REF_VARIABLE || m->ref.kind == REF_GLOBAL) && (m->type == TYPE_U64 || m->type == TYPE_INT))
		return true;
	return type == m->type || type == TYPE_U64 || type == TYPE_INT || (m->type == TYPE_U64 && type == TYPE_PORT);
}

static const char *expected(const struct match *m)
{
	switch (m->type) {
	case TYPE_ADDR: return "an address or a prefix";
	case TYPE_MAC: return "a MAC like \"02:00:00:00:00:01\"";
	case TYPE_PORT: return "a parameter of type port, or a port number";
	case TYPE_FLAGS: return "flags like +syn-ack";
	case TYPE_PROTO: return "a protocol like udp, or a number";
	case TYPE_ETHERTYPE: return "an ethertype like arp, or a number";
	case TYPE_HOOK: return "xdp, tc-ingress or tc-egress";
	default: return "a number, a range a-b, a constant or a parameter";
	}
}

static bool add_value(struct checker *c, struct match *m, struct loc loc, const char *text, const struct value *value)
{
	struct pattern p = {.kind = PATTERN_VALUE, .hi = value->hi, .lo = value->lo, .mask_lo = ones(m->bits)};

	if (!type_fits(m, value->type)) {
		ERROR(c, loc, "\"%s\" is %s; \"%s\" is compared with %s", text, type_noun(value->type), target_name(m),
		      expected(m));
		return false;
	}
	if (m->type != TYPE_ADDR && (!check_sign(c, m, loc, text, value->lo, value->type) ||
				     !check_sign(c, m, loc, text, value->range ? value->last : 0, value->type)))
		return false;
	if (value->range && m->type == TYPE_FLAGS) {
		ERROR(c, loc, "\"%s\": no ranges for %s", text, target_name(m));
		return false;
	}
	if (m->bits <= 64 && !check_width(c, m, loc, value->range ? value->last : value->lo))
		return false;
	if (m->type == TYPE_ADDR)
		p.mask_hi = p.mask_lo = ~0ULL;
	if (value->type == TYPE_PREFIX) {
		p.kind = PATTERN_PREFIX;
		literal_mask(value->prefix_len, &p.mask_hi, &p.mask_lo);
	}
	if (value->range) {
		p.kind = PATTERN_RANGE;
		p.last_hi = value->last_hi;
		p.last = value->last;
	}
	add_pattern(c, m, p);
	return true;
}

/* A literal, a constant or a parameter, not a range: reported when it is none. */
static int read_atom(struct checker *c, const struct match *m, struct loc loc, const char *text,
		     struct value *ret_value)
{
	const struct parameter *param = name_use_parameter(c->app, text);
	char error[LITERAL_ERROR_SIZE];
	struct literal literal;
	int r;

	if (param) {
		*ret_value = param->value;
		return 0;
	}
	*ret_value = (struct value){.text = (char *)text};
	if (name_find_constant(m->type, text, &ret_value->type, &ret_value->lo) == 0)
		return 0;
	r = literal_parse(text, &literal, error);
	if (r == 0) {
		ret_value->type = literal.type;
		ret_value->hi = literal.hi;
		ret_value->lo = literal.lo;
		ret_value->prefix_len = literal.prefix_len;
		return 0;
	}
	if (r == -EINVAL)
		ERROR(c, loc, "%s", error);
	else if (m->type == TYPE_PORT)
		ERROR(c, loc, "unknown name \"%s\"; ports are named by parameters: \"parameters: {%s: port}\"", text,
		      text);
	else if (!*text)
		ERROR(c, loc, "expected %s, but nothing is written here", expected(m));
	else if (c->table &&
		 (name_find_typed(c->table->reg, c->table->n_regs, text) >= 0 || name_find_let(c->table, text) >= 0))
		ERROR(c, loc, "\"%s\" changes; match: compares with constants only, write it in when:", text);
	else if (isalpha((unsigned char)*text) &&
		 text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")] == '\0')
		name_report_unknown(c, loc, text);
	else
		ERROR(c, loc, "\"%s\" is not understood: expected %s", text, expected(m));
	return -EINVAL;
}

static bool is_atom_text(const char *text)
{
	text += *text == '-';
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:")] == '\0';
}

/* "a-b", of numbers or parameters.  False: it is something else. */
static bool split_range(struct checker *c, const char *text, char **ret_first, char **ret_last)
{
	const char *dash = strchr(text + (*text == '-'), '-');
	uint64_t hook;

	if (!dash || value_name_find(TYPE_HOOK, text, &hook) == 0)
		return false;
	*ret_first = arena_strndup(c->arena, text, dash - text);
	*ret_last = arena_strdup(c->arena, dash + 1);
	return is_atom_text(*ret_first) && is_atom_text(*ret_last);
}

static bool check_range(struct checker *c, struct match *m, struct loc loc, const char *text, const char *first_text,
			const char *last_text)
{
	struct value first, last;
	const char *mistake;

	if (read_atom(c, m, loc, first_text, &first) < 0 || read_atom(c, m, loc, last_text, &last) < 0)
		return false;
	if (!type_fits(m, first.type) || !type_fits(m, last.type) || first.type == TYPE_PREFIX ||
	    last.type == TYPE_PREFIX) {
		ERROR(c, loc, "\"%s\": a range has two %s", text,
		      m->type == TYPE_ADDR  ? "addresses"
		      : m->type == TYPE_MAC ? "MACs"
					    : "numbers");
		return false;
	}
	if (m->type != TYPE_ADDR &&
	    (!check_sign(c, m, loc, text, first.lo, first.type) || !check_sign(c, m, loc, text, last.lo, last.type)))
		return false;
	mistake = value_range_mistake(m->type, &first, &last);
	if (mistake) {
		ERROR(c, loc, "\"%s\": %s", text, mistake);
		return false;
	}
	if (m->type == TYPE_INT)
		first.type = TYPE_INT; /* Both fit, though only one may have a sign. */
	first.range = true;
	first.last_hi = last.hi;
	first.last = last.lo;
	return add_value(c, m, loc, text, &first);
}

static bool check_mask(struct checker *c, struct match *m, struct loc loc, const char *text, const char *slash)
{
	struct pattern p = {.kind = PATTERN_MASK};
	struct value value, mask;

	if (read_atom(c, m, loc, arena_strndup(c->arena, text, slash - text), &value) < 0 ||
	    read_atom(c, m, loc, slash + 1, &mask) < 0)
		return false;
	if (m->type == TYPE_INT && value.type == TYPE_U64 && mask.type == TYPE_INT)
		value.type = TYPE_INT;
	if (!type_fits(m, value.type) || value.type == TYPE_PREFIX || value.type != mask.type) {
		ERROR(c, loc, "\"%s\": value and mask must both be %s", text, expected(m));
		return false;
	}
	if (m->bits <= 64 && (!check_sign(c, m, loc, text, value.lo, value.type) || !check_width(c, m, loc, value.lo) ||
			      !check_width(c, m, loc, mask.lo)))
		return false;
	p.hi = value.hi;
	p.lo = value.lo;
	p.mask_hi = mask.hi;
	p.mask_lo = mask.lo;
	if (p.hi & ~p.mask_hi || p.lo & ~p.mask_lo) {
		ERROR(c, loc, "\"%s\" never matches: the value has bits set that the mask leaves out", text);
		return false;
	}
	add_pattern(c, m, p);
	return true;
}

/* The mask of an IPv4 address must ask that it is one. */
static void complete_mask(struct match *m)
{
	struct pattern *p = &m->alt[m->n_alts - 1];

	if (m->type == TYPE_ADDR && p->hi == 0 && p->lo >> 32 == 0xffff && p->mask_hi == 0 &&
	    p->mask_lo >> 32 == 0xffff) {
		p->mask_hi = ~0ULL;
		p->mask_lo |= 0xffffffff00000000;
	}
}

static bool check_flags(struct checker *c, struct match *m, struct loc loc, const char *text)
{
	struct pattern p = {.kind = PATTERN_MASK};

	if (value_flags_parse(text, &p.lo, &p.mask_lo) < 0) {
		ERROR(c, loc,
		      "\"%s\" is not understood: flags are written +syn-ack, of fin syn rst psh ack urg ece cwr", text);
		return false;
	}
	add_pattern(c, m, p);
	return true;
}

static bool check_list_parameter(struct checker *c, struct match *m, struct loc loc, const struct value *list)
{
	bool good = true;

	for (size_t i = 0; i < list->n_items; i++)
		good &= add_value(c, m, loc, list->item[i].text, &list->item[i]);
	return good;
}

static bool check_item(struct checker *c, struct match *m, struct loc loc, const char *text)
{
	const char *slash = strchr(text, '/');
	char error[LITERAL_ERROR_SIZE], *first, *last;
	struct literal literal;
	struct value value;

	if (strncmp(text, "not ", 4) == 0) {
		ERROR(c, loc, "\"not\" stands before a whole list, not in it: \"not [a, b]\"");
		return false;
	}
	if (m->type == TYPE_FLAGS && (*text == '+' || *text == '-'))
		return check_flags(c, m, loc, text);
	if (slash && (literal_parse(text, &literal, error) < 0 || literal.type != TYPE_PREFIX)) {
		if (!check_mask(c, m, loc, text, slash))
			return false;
		complete_mask(m);
		return true;
	}
	if (split_range(c, text, &first, &last))
		return check_range(c, m, loc, text, first, last);
	if (read_atom(c, m, loc, text, &value) < 0)
		return false;
	if (value.type == TYPE_LIST)
		return check_list_parameter(c, m, loc, &value);
	if (value.type == TYPE_PREFIX)
		value_trim_prefix(c, loc, text, &value);
	return add_value(c, m, loc, text, &value);
}

/* "[a, b]" inside one text, as behind a quoted "not". */
static bool check_inline_list(struct checker *c, struct match *m, struct loc loc, const char *text)
{
	size_t len = strlen(text);
	bool good = true;

	if (len < 2 || text[len - 1] != ']') {
		ERROR(c, loc, "\"[\" without \"]\" in \"%s\"", text);
		return false;
	}
	text = arena_strndup(c->arena, text + 1, len - 2);
	for (;;) {
		size_t n = strcspn(text, ","), end = n;

		text += strspn(text, " ");
		n = end = strcspn(text, ",");
		while (end && text[end - 1] == ' ')
			end--;
		good &= check_item(c, m, loc, arena_strndup(c->arena, text, end));
		if (!text[n])
			return good;
		text += n + 1;
	}
}

static bool check_value_node(struct checker *c, struct match *m, const struct yaml_node *node)
{
	const char *text;
	bool good = true;

	if (node->kind == YAML_LIST) {
		if (!node->n)
			ERROR(c, node->loc, "an empty list never matches");
		for (size_t i = 0; i < node->n; i++) {
			text = node_text(c, node->item[i], "a value");
			good &= text && check_item(c, m, node->item[i]->loc, text);
		}
		return good && node->n;
	}
	text = node_text(c, node, expected(m));
	if (!text)
		return false;
	if (strncmp(text, "not ", 4) == 0) {
		m->negate = true;
		text += 4 + strspn(text + 4, " ");
	}
	return *text == '[' ? check_inline_list(c, m, node->loc, text) : check_item(c, m, node->loc, text);
}

static bool resolve_target(struct checker *c, const struct yaml_node *key, struct match *m)
{
	struct expr name = {.kind = EXPR_NAME, .loc = key->loc, .name = key->text};
	enum value_type type;
	unsigned cell;

	c->place = PLACE_WHEN;
	if (!expr_resolve_name(c, &name, TYPE_U64))
		return false;
	m->ref = name.ref;
	m->type = name.type;
	switch (name.ref.kind) {
	case REF_FIELD: m->bits = name.ref.field->bits; return true;
	case REF_META: return name_find_meta(key->text, &cell, &type, &m->bits) == 0;
	case REF_GLOBAL:
	case REF_VARIABLE: m->bits = name.type == TYPE_ADDR ? 128 : name.type == TYPE_MAC ? 48 : 64; return true;
	default:
		ERROR(c, key->loc, "\"%s\" is no field, variable or global; compare it in when:", key->text);
		return false;
	}
}

void match_check(struct checker *c, const struct yaml_node *map, struct match **ret_match, size_t *ret_n)
{
	if (map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected fields and values, like {ip.proto: udp}");
		return;
	}
	for (size_t i = 0; i < map->n; i++) {
		struct match m = {.loc = map->key[i]->loc};

		m.text = map->key[i]->text;
		if (!resolve_target(c, map->key[i], &m) || !check_value_node(c, &m, map->item[i]))
			continue;
		m.text = arena_printf(c->arena, "%s: %s", map->key[i]->text, node_flat(c, map->item[i]));
		GROW(c, *ret_match, *ret_n);
		(*ret_match)[(*ret_n)++] = m;
	}
}
