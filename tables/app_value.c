/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Constants and parameters. */
#include <ctype.h>

#include "app_check.h"
#include "literal.h"

static const struct type_word {
	const char *word;
	enum value_type type;
	const char *example;
} type_words[] = {
	{"number", TYPE_U64, "5"},
	{"int", TYPE_INT, "-5"},
	{"duration", TYPE_DURATION, "10ms"},
	{"rate", TYPE_RATE, "10Mbps or 1kpps"},
	{"size", TYPE_SIZE, "64KiB"},
	{"fraction", TYPE_FRACTION, "0.875"},
	{"address", TYPE_ADDR, "10.0.0.1"},
	{"prefix", TYPE_PREFIX, "10.0.0.0/24"},
	{"mac", TYPE_MAC, "02:00:00:00:00:01"},
	{"port", TYPE_PORT, "the name of a port"},
	{"field", TYPE_FIELD, "ipv6.dscp"},
	{"list", TYPE_LIST, "80, 443"},
};

static const struct type_word *find_type_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_words); i++)
		if (strcmp(type_words[i].word, word) == 0)
			return &type_words[i];
	return NULL;
}

static const char *example_of(enum value_type type)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_words); i++)
		if (type_words[i].type == type)
			return type_words[i].example;
	return "a name like udp";
}

void value_trim_prefix(struct checker *c, struct loc loc, const char *text, struct value *value)
{
	uint64_t hi, lo;

	literal_mask(value->prefix_len, &hi, &lo);
	if (value->hi & ~hi || value->lo & ~lo)
		WARN(c, loc, "\"%s\" has bits set behind its prefix; they do not count", text);
	value->hi &= hi;
	value->lo &= lo;
}

bool value_in_order(enum value_type type, const struct value *a, const struct value *b)
{
	if (type == TYPE_INT)
		return (int64_t)a->lo <= (int64_t)b->lo;
	return a->hi != b->hi ? a->hi < b->hi : a->lo <= b->lo;
}

bool value_is_ipv4(uint64_t hi, uint64_t lo)
{
	return hi == 0 && lo >> 32 == 0xffff;
}

const char *value_range_mistake(enum value_type type, const struct value *first, const struct value *last)
{
	if (type == TYPE_ADDR && value_is_ipv4(first->hi, first->lo) != value_is_ipv4(last->hi, last->lo))
		return "the range has an IPv4 and an IPv6 end";
	return value_in_order(type, first, last) ? NULL : "the range is backwards";
}

static struct value value_of_literal(const struct literal *literal)
{
	return (struct value){.type = literal->type, .hi = literal->hi, .lo = literal->lo};
}

/* "a-b" with two literals; -ENOENT when it is none. */
static int parse_range(struct checker *c, const char *text, struct loc loc, struct value *ret_value)
{
	const char *dash = strchr(text + (*text == '-'), '-'), *mistake;
	struct literal literal[2];
	struct value last;
	char error[LITERAL_ERROR_SIZE];

	if (!dash || literal_parse(arena_strndup(c->arena, text, dash - text), &literal[0], error) < 0 ||
	    literal_parse(dash + 1, &literal[1], error) < 0)
		return -ENOENT;
	*ret_value = value_of_literal(&literal[0]);
	last = value_of_literal(&literal[1]);
	if (ret_value->type == TYPE_INT && last.type == TYPE_U64 && last.lo <= INT64_MAX)
		last.type = TYPE_INT;
	mistake = ret_value->type != last.type || last.type == TYPE_PREFIX || last.type == TYPE_FRACTION
			  ? "a range has two numbers of one unit, or two addresses"
			  : value_range_mistake(last.type, ret_value, &last);
	if (mistake) {
		ERROR(c, loc, "\"%s\": %s", text, mistake);
		return -EINVAL;
	}
	ret_value->range = true;
	ret_value->last_hi = last.hi;
	ret_value->last = last.lo;
	ret_value->text = arena_strdup(c->arena, text);
	return 0;
}

int value_parse_constant(struct checker *c, const char *text, struct loc loc, struct value *ret_value)
{
	char error[LITERAL_ERROR_SIZE];
	struct literal literal;
	enum value_type type;
	uint64_t number;
	int r = parse_range(c, text, loc, ret_value);

	if (r != -ENOENT)
		return r;
	if (name_find_constant(TYPE_U64, text, &type, &number) == 0) {
		*ret_value = (struct value){.type = type, .lo = number, .text = arena_strdup(c->arena, text)};
		return 0;
	}
	r = literal_parse(text, &literal, error);
	if (r < 0) {
		if (r == -EINVAL)
			ERROR(c, loc, "%s", error);
		else
			ERROR(c, loc, "\"%s\" is neither a number, an address nor a known constant", text);
		return -EINVAL;
	}
	*ret_value = (struct value){.type = literal.type,
				    .hi = literal.hi,
				    .lo = literal.lo,
				    .prefix_len = literal.prefix_len,
				    .text = arena_strdup(c->arena, text)};
	if (literal.type == TYPE_PREFIX)
		value_trim_prefix(c, loc, text, ret_value);
	return 0;
}

static char *trim(struct checker *c, const char *text, size_t len)
{
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	while (len && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	return arena_strndup(c->arena, text, len);
}

static void add_item(struct checker *c, struct value *list, const char *text, struct loc loc)
{
	struct value item;

	if (value_parse_constant(c, text, loc, &item) < 0)
		return;
	GROW(c, list->item, list->n_items);
	list->item[list->n_items++] = item;
}

/* "a, b" or "[a, b]", as --set has it. */
static void parse_list_text(struct checker *c, const char *text, struct loc loc, struct value *list)
{
	char *inner = trim(c, text, strlen(text));
	size_t len = strlen(inner);

	if (len >= 2 && inner[0] == '[' && inner[len - 1] == ']')
		inner = trim(c, inner + 1, len - 2);
	for (const char *p = inner;;) {
		size_t n = strcspn(p, ",");

		add_item(c, list, trim(c, p, n), loc);
		if (!p[n])
			return;
		p += n + 1;
	}
}

static void parse_list(struct checker *c, const struct yaml_node *node, struct value *ret_value)
{
	*ret_value = (struct value){.type = TYPE_LIST, .text = node_flat(c, node)};
	for (size_t i = 0; i < node->n; i++) {
		const char *text = node_text(c, node->item[i], "a constant");

		if (text)
			add_item(c, ret_value, text, node->item[i]->loc);
	}
	if (!node->n)
		ERROR(c, node->loc, "an empty list would never match");
}

static int parse_field(struct checker *c, const char *text, struct loc loc, struct value *ret_value)
{
	const struct field *field = field_find(text);

	if (!field) {
		const char *nearest = field_nearest(text);

		if (field_is_planned(text))
			ERROR(c, loc, "\"%s\" is not yet supported", text);
		else if (nearest)
			ERROR(c, loc, "unknown field \"%s\"; did you mean \"%s\"?", text, nearest);
		else
			ERROR(c, loc, "unknown field \"%s\"", text);
		return -EINVAL;
	}
	*ret_value = (struct value){.type = TYPE_FIELD, .field = field, .text = arena_strdup(c->arena, text)};
	return 0;
}

static bool looks_like_field(const char *text)
{
	return isalpha((unsigned char)*text) && strchr(text, '.');
}

/* A default: its value and its type, or only a type word. */
static bool parse_default(struct checker *c, const struct yaml_node *node, struct parameter *param)
{
	const struct type_word *word;
	const char *text;

	if (node->kind == YAML_LIST) {
		parse_list(c, node, &param->value);
	} else {
		text = node_text(c, node, "a default or a type");
		if (!text)
			return false;
		word = find_type_word(text);
		if (word) {
			param->type = param->value.type = word->type;
			return true;
		}
		if (looks_like_field(text) && strchr("abcdefghijklmnopqrstuvwxyz", *text) && !strchr(text, ':')) {
			if (parse_field(c, text, node->loc, &param->value) < 0)
				return false;
		} else if (value_parse_constant(c, text, node->loc, &param->value) < 0) {
			return false;
		}
	}
	if (param->value.range) {
		struct value *item = arena_alloc(c->arena, sizeof(*item));

		*item = param->value;
		param->value = (struct value){.type = TYPE_LIST, .item = item, .n_items = 1, .text = item->text};
	}
	param->type = param->value.type;
	param->has_default = true;
	return true;
}

static int parse_port(struct checker *c, const char *text, struct loc loc, const char *name, struct value *ret_value)
{
	char error[LITERAL_ERROR_SIZE];
	struct literal literal;
	int number;

	*ret_value = (struct value){.type = TYPE_PORT, .text = arena_strdup(c->arena, text)};
	if (literal_parse(text, &literal, error) == 0 && literal.type == TYPE_U64) {
		if (literal.lo < 1 || literal.lo > PORTS_MAX) {
			ERROR(c, loc, "parameter \"%s\": port numbers are 1 to %d", name, PORTS_MAX);
			return -EINVAL;
		}
		ret_value->lo = literal.lo;
		return 0;
	}
	if (!c->ports)
		return 0; /* Only a switch knows; there it is looked up. */
	number = c->ports->find(c->ports->data, text);
	if (number < 1 || number > PORTS_MAX) {
		ERROR(c, loc, "parameter \"%s\": port \"%s\" does not exist on this switch", name, text);
		return -EINVAL;
	}
	ret_value->lo = number;
	return 0;
}

/* A bare number may stand for nothing but a number: "interval=5" would be five of what? */
static bool fits_type(const struct parameter *param, const struct value *value)
{
	if (value->range)
		return false;
	if (param->type == TYPE_PREFIX)
		return value->type == TYPE_PREFIX || value->type == TYPE_ADDR;
	if (param->type == TYPE_INT)
		return value->type == TYPE_INT || (value->type == TYPE_U64 && value->lo <= INT64_MAX);
	if (value->type == TYPE_INT)
		return false;
	if (param->type == TYPE_U64)
		return type_is_plain(value->type);
	if (type_is_plain(param->type))
		return value->type == param->type || value->type == TYPE_U64;
	return value->type == param->type;
}

/* Mistakes in the text of a setting have no place in the file, so they say which parameter they mean. */
static int parse_setting(struct checker *c, const struct parameter *param, const char *text, struct value *ret_value)
{
	struct loc nowhere = {};
	size_t first = c->diags->n, n_errors = c->diags->n_errors;

	if (param->type == TYPE_FIELD)
		parse_field(c, text, nowhere, ret_value);
	else if (param->type == TYPE_LIST)
		parse_list_text(c, text, nowhere, ret_value);
	else
		value_parse_constant(c, text, nowhere, ret_value);
	if (c->diags->n_errors == n_errors)
		return 0;
	diag_prefix(c->diags, first, param->name);
	return -EINVAL;
}

static void apply_setting(struct checker *c, struct parameter *param, const char *text)
{
	struct loc nowhere = {};
	struct value value = {.type = TYPE_LIST, .text = arena_strdup(c->arena, text)};
	size_t n_errors = c->diags->n_errors;

	param->is_set = true;
	if (param->type == TYPE_PORT)
		parse_port(c, text, nowhere, param->name, &value);
	else if (parse_setting(c, param, text, &value) == 0 && param->type != TYPE_FIELD && param->type != TYPE_LIST &&
		 !fits_type(param, &value))
		ERROR(c, nowhere, "parameter \"%s\" is %s (like %s), but was set to \"%s\"", param->name,
		      type_noun(param->type), example_of(param->type), text);
	if (c->diags->n_errors != n_errors)
		return;
	if (param->type == TYPE_PREFIX && value.type == TYPE_ADDR) {
		value.type = TYPE_PREFIX;
		value.prefix_len = 128;
	}
	if (param->type != TYPE_LIST)
		value.type = param->type;
	param->value = value;
}

static void apply_settings(struct checker *c)
{
	for (size_t i = 0; i < c->n_settings; i++) {
		const char *name = c->settings[i].name;
		struct parameter *param = name_find_parameter(c->app, name);
		const char **names = arena_alloc_array(c->arena, c->app->n_params + 1, sizeof(*names));

		for (size_t j = 0; j < c->app->n_params; j++)
			names[j] = c->app->param[j].name;
		if (param)
			apply_setting(c, param, c->settings[i].text);
		else
			ERROR(c, (struct loc){}, "there is no parameter \"%s\" to set%s", name,
			      did_you_mean(c, name, names, c->app->n_params));
	}
}

static void declare(struct checker *c, const struct yaml_node *key, const struct yaml_node *node)
{
	struct parameter param = {.loc = key->loc};

	param.name = node_name(c, key, "the name of a parameter", false);
	if (!param.name || !name_check_free(c, key->loc, param.name, "parameter"))
		return;
	if (!parse_default(c, node, &param))
		param.has_default = param.is_set = true; /* Reported; its uses must not be reported again. */
	GROW(c, c->app->param, c->app->n_params);
	c->app->param[c->app->n_params++] = param;
}

void app_check_parameters(struct checker *c, const struct yaml_node *map)
{
	if (map && map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected parameters as \"NAME: default\" or \"NAME: TYPE\"");
		map = NULL;
	}
	for (size_t i = 0; map && i < map->n; i++) {
		if (c->app->n_params == APP_PARAMETERS_MAX) {
			ERROR(c, map->key[i]->loc, "more than %d parameters", APP_PARAMETERS_MAX);
			break;
		}
		declare(c, map->key[i], map->item[i]);
	}
	apply_settings(c);
	for (size_t i = 0; i < c->app->n_params; i++) {
		const struct parameter *param = &c->app->param[i];

		if (!param->has_default && !param->is_set)
			ERROR(c, param->loc, "parameter \"%s\" has no value: set it with --set %s=..., %s%s",
			      param->name, param->name, param->type == TYPE_PORT ? "" : "like ",
			      example_of(param->type));
	}
}
