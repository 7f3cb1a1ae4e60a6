/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the cells of an entry say. */
#include "entry.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "app_check.h"
#include "literal.h"

static __attribute__((format(printf, 2, 3))) int refuse(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, ENTRY_WHY, format, args);
	va_end(args);
	return -EINVAL;
}

static uint64_t ones(unsigned bits)
{
	return bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
}

/* What a text is read as. */
struct target {
	const struct app *app;
	const struct port_names *ports;
	const char *name;
	enum value_type type;
	unsigned bits;
};

/* ---- one value ---- */

static bool fits(enum value_type to, enum value_type from)
{
	if (to == TYPE_ADDR || to == TYPE_MAC)
		return from == to || (to == TYPE_ADDR && from == TYPE_PREFIX);
	if (from == TYPE_ADDR || from == TYPE_MAC || from == TYPE_PREFIX || from == TYPE_FRACTION ||
	    from == TYPE_LIST || from == TYPE_FIELD)
		return false;
	if (to == TYPE_TIME || to == TYPE_DURATION)
		return from == TYPE_DURATION || (to == TYPE_TIME && from == TYPE_U64);
	return true;
}

/* A parameter, a constant, a literal or the name of a port. */
static int find_value(const struct target *t, const char *text, struct value *ret_value, char *why)
{
	const struct parameter *param = name_use_parameter(t->app, text);
	struct literal literal;
	int r;

	*ret_value = (struct value){.type = TYPE_U64};
	if (param) {
		*ret_value = param->value;
		return 0;
	}
	if (name_find_constant(t->type, text, &ret_value->type, &ret_value->lo) == 0)
		return 0;
	r = literal_parse(text, &literal, why);
	if (r == 0) {
		ret_value->type = literal.type;
		ret_value->hi = literal.hi;
		ret_value->lo = literal.lo;
		ret_value->prefix_len = literal.prefix_len;
		return 0;
	}
	if (r == -EINVAL)
		return r;
	r = t->ports ? t->ports->find(t->ports->data, text) : -ENOENT;
	if (r < 0)
		return refuse(why, "%s: \"%.60s\" is not understood", t->name, text);
	ret_value->type = TYPE_PORT;
	ret_value->lo = r;
	return 0;
}

static int read_value(const struct target *t, const char *text, struct value *ret_value, char *why)
{
	if (find_value(t, text, ret_value, why) < 0)
		return -EINVAL;
	if (!fits(t->type, ret_value->type))
		return refuse(why, "%s: \"%.60s\" is %s, not %s", t->name, text, type_noun(ret_value->type),
			      type_noun(t->type));
	if (ret_value->type == TYPE_INT && t->type != TYPE_INT)
		return refuse(why, "%s: \"%.60s\" is less than 0", t->name, text);
	if (t->bits < 64 && ret_value->lo > ones(t->bits))
		return refuse(why, "%s: \"%.60s\" does not fit into %u bits", t->name, text, t->bits);
	return 0;
}

/* ---- a part of the key ---- */

static bool is_any(const char *text)
{
	return !*text || strcmp(text, "*") == 0 || strcmp(text, "any") == 0;
}

static struct pattern exactly(const struct target *t, const struct value *value)
{
	struct pattern p = {.kind = PATTERN_VALUE, .hi = value->hi, .lo = value->lo, .mask_lo = ones(t->bits)};

	if (t->type == TYPE_ADDR)
		p.mask_hi = p.mask_lo = ~0ULL;
	return p;
}

static int set_one(const struct target *t, const char *text, enum key_match match, struct pattern *ret, char *why)
{
	struct value value;

	if (read_value(t, text, &value, why) < 0)
		return -EINVAL;
	if (value.type == TYPE_PREFIX && match != MATCH_PREFIX && match != MATCH_TERNARY)
		return refuse(why, "%s: \"%.60s\" is a prefix, but the table compares the whole address", t->name,
			      text);
	*ret = exactly(t, &value);
	if (value.type != TYPE_PREFIX)
		return 0;
	literal_mask(value.prefix_len, &ret->mask_hi, &ret->mask_lo);
	if (value.hi & ~ret->mask_hi || value.lo & ~ret->mask_lo)
		return refuse(why, "%s: \"%.60s\" has bits set behind its prefix", t->name, text);
	ret->kind = PATTERN_PREFIX;
	return 0;
}

/* "first-last" */
static int set_range(const struct target *t, const char *text, const char *dash, struct pattern *ret, char *why)
{
	char first[ENTRY_CELL_MAX + 1];
	struct value low, high;

	snprintf(first, sizeof(first), "%.*s", (int)(dash - text), text);
	if (read_value(t, first, &low, why) < 0 || read_value(t, dash + 1, &high, why) < 0)
		return -EINVAL;
	if (low.lo > high.lo)
		return refuse(why, "%s: the range \"%.60s\" is backwards", t->name, text);
	*ret = (struct pattern){.kind = PATTERN_RANGE, .lo = low.lo, .last = high.lo};
	if (low.lo == 0 && high.lo == ones(t->bits))
		*ret = (struct pattern){.kind = PATTERN_MASK};
	return 0;
}

/* "value/mask" */
static int set_masked(const struct target *t, const char *text, const char *slash, struct pattern *ret, char *why)
{
	char first[ENTRY_CELL_MAX + 1];
	struct value value, mask;

	snprintf(first, sizeof(first), "%.*s", (int)(slash - text), text);
	if (read_value(t, first, &value, why) < 0 || read_value(t, slash + 1, &mask, why) < 0)
		return -EINVAL;
	*ret = (struct pattern){.kind = PATTERN_MASK, .hi = value.hi, .lo = value.lo};
	ret->mask_hi = mask.hi;
	ret->mask_lo = mask.lo;
	if (t->type == TYPE_ADDR && value_is_ipv4(value.hi, value.lo)) { /* ... and an IPv4 address. */
		ret->mask_hi = ~0ULL;
		ret->mask_lo |= 0xffffffff00000000;
	}
	if (ret->hi & ~ret->mask_hi || ret->lo & ~ret->mask_lo)
		return refuse(why, "%s: \"%.60s\" has bits set that its mask leaves out", t->name, text);
	return 0;
}

static int set_ternary(const struct target *t, const char *text, struct pattern *ret, char *why)
{
	const char *slash = strchr(text, '/');
	struct literal literal;

	if (t->type == TYPE_FLAGS && (*text == '+' || *text == '-')) {
		*ret = (struct pattern){.kind = PATTERN_MASK};
		if (value_flags_parse(text, &ret->lo, &ret->mask_lo) < 0)
			return refuse(why, "%s: \"%.60s\": flags are written +syn-ack", t->name, text);
		return 0;
	}
	if (slash && (literal_parse(text, &literal, why) < 0 || literal.type != TYPE_PREFIX))
		return set_masked(t, text, slash, ret, why);
	return set_one(t, text, MATCH_TERNARY, ret, why);
}

static int set_key(const struct target *t, enum key_match match, const char *text, struct pattern *ret, char *why)
{
	const char *dash = match == MATCH_RANGE ? strchr(text, '-') : NULL;

	if (is_any(text)) {
		if (match == MATCH_EXACT)
			return refuse(why, "%s must be said: the table compares it exactly", t->name);
		*ret = (struct pattern){.kind = PATTERN_MASK};
		return 0;
	}
	if (match == MATCH_TERNARY)
		return set_ternary(t, text, ret, why);
	if (dash && dash > text)
		return set_range(t, text, dash, ret, why);
	return set_one(t, text, match, ret, why);
}

/* ---- cells ---- */

void entry_init(const struct app_table *table, struct entry *ret_entry)
{
	*ret_entry = (struct entry){};
	for (size_t i = 0; i < table->n_lookup; i++)
		ret_entry->key[i].kind = PATTERN_MASK;
	if (!table->has_actions)
		ret_entry->action = 1;
}

static int set_action(const struct app_table *table, struct entry *entry, const char *text, char *why)
{
	size_t used;

	for (size_t i = 1; i < table->n_states; i++)
		if (strcmp(table->state[i].name, text) == 0) {
			entry->action = i;
			return 0;
		}
	used = snprintf(why, ENTRY_WHY, "table %s has no action \"%.60s\"; there is", table->name, text);
	for (size_t i = 1; i < table->n_states && used < ENTRY_WHY; i++)
		used += snprintf(why + used, ENTRY_WHY - used, "%s %s", i > 1 ? "," : "", table->state[i].name);
	return -EINVAL;
}

static int set_name(struct entry *entry, const char *text, char *why)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("_-.", text[i]))
			return refuse(why, "name: \"%.60s\" has other than letters, digits, \"_\", \"-\" and \".\"",
				      text);
	if (len > NAME_LEN_MAX)
		return refuse(why, "name: longer than %d letters", NAME_LEN_MAX);
	memcpy(entry->name, text, len + 1);
	return 0;
}

static int set_number(const struct app *app, const char *column, enum value_type type, uint64_t max, const char *text,
		      uint64_t *ret, char *why)
{
	struct target t = {.app = app, .name = column, .type = type, .bits = 64};
	struct value value;

	if (read_value(&t, text, &value, why) < 0)
		return -EINVAL;
	if (value.lo > max)
		return refuse(why, "%s: \"%.60s\" is too large", column, text);
	*ret = value.lo;
	return 0;
}

static int set_reg(const struct app *app, const struct port_names *ports, const struct typed *reg, const char *text,
		   struct entry *entry, char *why)
{
	struct target t = {.app = app, .ports = ports, .name = reg->name, .type = reg->type, .bits = 64};
	struct value value;

	if (read_value(&t, text, &value, why) < 0)
		return -EINVAL;
	if (value.type == TYPE_PREFIX)
		return refuse(why, "%s: \"%.60s\" is a prefix, not an address", reg->name, text);
	if (reg->type == TYPE_ADDR) {
		entry->reg[reg->word] = value.hi;
		entry->reg[reg->word + 1] = value.lo;
	} else {
		entry->reg[reg->word] = value.lo;
	}
	return 0;
}

static int set_segments(const struct app_key *key, const char *text, struct entry *entry, struct pattern *ret,
			char *why)
{
	char reason[SEGMENTS_WHY];

	if (segments_parse(text, &entry->segments, reason) < 0)
		return refuse(why, "%s: %s", key->text, reason);
	*ret = (struct pattern){.kind = PATTERN_VALUE, .lo = segments_fingerprint(&entry->segments), .mask_lo = ~0ULL};
	return 0;
}

static int set_part(const struct app *app, const struct app_table *table, const struct port_names *ports, size_t i,
		    const char *text, struct entry *entry, char *why)
{
	const struct app_key *key = &table->lookup[i];
	struct target t = {.app = app, .ports = ports, .name = key->text, .type = key->type, .bits = key->bits};

	if (entry->has_key >> i & 1)
		return refuse(why, "%s is said twice", key->text);
	entry->has_key |= 1u << i;
	if (key->type == TYPE_SEGMENTS)
		return set_segments(key, text, entry, &entry->key[i], why);
	return set_key(&t, table->key_match[i], text, &entry->key[i], why);
}

static int set_time(const struct app *app, const char *column, const char *text, uint64_t *ret, bool *has, char *why)
{
	*has = *text;
	return *text ? set_number(app, column, TYPE_DURATION, TIMEOUT_MAX_NS, text, ret, why) : 0;
}

static int set_priority(const struct app *app, const struct app_table *table, struct entry *entry, const char *text,
			char *why)
{
	uint64_t number = 0;
	int r = *text ? set_number(app, "priority", TYPE_U64, UINT32_MAX, text, &number, why) : 0;

	if (r == 0 && number && !table->masked)
		return refuse(why, "priority has no meaning in table %s: all of its key is exact", table->name);
	entry->has_priority = *text;
	entry->priority = number;
	return r;
}

static int set_extra(const struct app *app, const struct app_table *table, struct entry *entry, const char *column,
		     const char *text, char *why)
{
	if (strcmp(column, "name") == 0)
		return set_name(entry, text, why);
	if (strcmp(column, "action") == 0)
		return *text ? set_action(table, entry, text, why) : 0;
	if (strcmp(column, "idle") == 0)
		return set_time(app, column, text, &entry->idle_ns, &entry->has_idle, why);
	if (strcmp(column, "hard") == 0)
		return set_time(app, column, text, &entry->hard_ns, &entry->has_hard, why);
	if (strcmp(column, "priority") == 0)
		return set_priority(app, table, entry, text, why);
	return refuse(why, "table %s has no part of the key and no value \"%.60s\"", table->name, column);
}

int entry_set(const struct app *app, const struct app_table *table, const struct port_names *ports, struct entry *entry,
	      const char *column, const char *text, char *why)
{
	int r;

	if (strlen(text) > ENTRY_CELL_MAX)
		return refuse(why, "%.60s: longer than %d letters", column, ENTRY_CELL_MAX);
	for (size_t i = 0; i < table->n_lookup; i++)
		if (strcmp(table->lookup[i].text, column) == 0)
			return set_part(app, table, ports, i, text, entry, why);
	for (size_t i = ENTRY_WORDS; i < table->n_regs; i++) {
		if (strcmp(table->reg[i].name, column) != 0)
			continue;
		r = *text ? set_reg(app, ports, &table->reg[i], text, entry, why) : 0;
		entry->has_value |= *text ? 1ULL << i : 0;
		return r;
	}
	return set_extra(app, table, entry, column, text, why);
}

int entry_check(const struct app_table *table, const struct entry *entry, bool whole, char *why)
{
	for (size_t i = 0; i < table->n_lookup; i++)
		if (table->key_match[i] == MATCH_EXACT && !(entry->has_key >> i & 1))
			return refuse(why, "the key needs %s too", table->lookup[i].text);
	if (!whole)
		return 0;
	if (!entry->action)
		return refuse(why, "no action is said; table %s has several", table->name);
	return 0;
}

const char *entry_column(const struct app_table *table, size_t index)
{
	static const char *const extras[] = {"priority", "idle", "hard", "name"};
	size_t n_values = table->n_regs - ENTRY_WORDS;

	if (index < table->n_lookup)
		return table->lookup[index].text;
	index -= table->n_lookup;
	if (table->has_actions && index-- == 0)
		return "action";
	if (index < n_values)
		return table->reg[ENTRY_WORDS + index].name;
	index -= n_values;
	index += table->masked ? 0 : 1;
	return index < ARRAY_SIZE(extras) ? extras[index] : NULL;
}
