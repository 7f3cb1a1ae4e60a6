/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state: of a table: scopes, capacity, states, registers. */
#include <ctype.h>
#include <stdlib.h>

#include "app_check.h"

static const char *const state_keys[] = {"lookup",    "update",	       "capacity", "when_full", "states",
					 "registers", "expire_within", "meters",   NULL};

int state_find(const struct app_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_states; i++)
		if (strcmp(table->state[i].name, name) == 0)
			return i;
	return -ENOENT;
}

int state_find_node(struct checker *c, const struct yaml_node *node)
{
	const char *text = node_text(c, node, "the name of a state"), *names[STATES_MAX];
	int index;

	if (!text)
		return -EINVAL;
	index = state_find(c->table, text);
	if (index >= 0 && c->table->has_states)
		return index;
	for (size_t i = 0; i < c->table->n_states; i++)
		names[i] = c->table->state[i].name;
	if (!c->table->has_states)
		ERROR(c, node->loc, "table \"%s\" has no states:, so no state \"%s\"", c->table->name, text);
	else
		ERROR(c, node->loc, "state \"%s\" is not declared%s", text,
		      did_you_mean(c, text, names, c->table->n_states));
	return -EINVAL;
}

/* ---- states ---- */

static void check_timeout(struct checker *c, const struct yaml_node *map, const char *key, const char *to_key,
			  uint64_t *ret_ns, unsigned *ret_to, char **ret_text)
{
	struct yaml_node *time = yaml_get(map, key), *to = yaml_get(map, to_key);
	int index;

	if (to && !time)
		ERROR(c, to->loc, "\"%s\" without \"%s\": when would it happen?", to_key, key);
	if (!time || expr_constant_node(c, time, TYPE_DURATION, ret_ns, ret_text) < 0)
		return;
	if (!*ret_ns || *ret_ns > TIMEOUT_MAX_NS)
		ERROR(c, time->loc,
		      *ret_ns ? "a time-out of more than 36 years" : "a time-out of 0; leave it out for none");
	index = to ? state_find_node(c, to) : 0;
	*ret_to = index > 0 ? index : 0;
}

static void check_on_timeout(struct checker *c, const struct yaml_node *map, struct app_state *state)
{
	struct yaml_node *node = yaml_get(map, "on_timeout");

	if (!node)
		return;
	stmt_check_node(c, node, PLACE_TIMEOUT, &state->on_timeout);
	global_check_writes(c, &state->on_timeout, arena_printf(c->arena, "state \"%s\"", state->name));
	for (size_t i = 0; i < state->on_timeout.n; i++)
		state->notify |= state->on_timeout.item[i].kind == STMT_NOTIFY;
	if (!state->idle_ns && !state->hard_ns && !yaml_get(map, "idle") && !yaml_get(map, "hard"))
		ERROR(c, node->loc, "state \"%s\" has neither \"idle\" nor \"hard\", so it never times out",
		      state->name);
}

static void declare_state(struct checker *c, const struct yaml_node *node)
{
	static const char *const keys[] = {"name", "idle", "idle_to", "hard", "hard_to", "on_timeout", NULL};
	static const char *const planned[] = {"every", "on_every", NULL};
	const struct yaml_node *name = node;
	struct app_state state = {.loc = node->loc};

	if (node->kind == YAML_MAP) {
		node_check_keys(c, node, "a state", keys, planned);
		name = yaml_get(node, "name");
		if (!name) {
			ERROR(c, node->loc, "a state without name");
			return;
		}
	}
	state.name = node_name(c, name, "the name of a state", true);
	if (!state.name)
		return;
	state.loc = name->loc;
	if (state_find(c->table, state.name) >= 0) {
		ERROR(c, name->loc, "state \"%s\" is declared twice", state.name);
		return;
	}
	GROW(c, c->table->state, c->table->n_states);
	c->table->state[c->table->n_states++] = state;
}

static void declare_states(struct checker *c, const struct yaml_node *list)
{
	if (!list || !node_is_list(c, list, "states"))
		goto nameless;
	c->table->has_states = true;
	if (!list->n)
		ERROR(c, list->loc, "no state; leave \"states\" out, and the table has one without name");
	if (list->n > STATES_MAX)
		ERROR(c, list->loc, "%zu states; at most %d fit", list->n, STATES_MAX);
	for (size_t i = 0; i < list->n && i < STATES_MAX; i++)
		declare_state(c, list->item[i]);
	if (c->table->n_states)
		return;
nameless:
	c->table->state = arena_alloc(c->arena, sizeof(*c->table->state));
	*c->table->state = (struct app_state){.name = "-", .loc = c->table->loc};
	c->table->n_states = 1;
}

/* The state that 'node' declares, or NULL: it has no times, or was refused. */
static struct app_state *state_of_node(struct checker *c, const struct yaml_node *node)
{
	const struct yaml_node *name = yaml_get(node, "name");
	int index = name && name->kind == YAML_TEXT ? state_find(c->table, name->text) : -ENOENT;
	struct app_state *state = index >= 0 ? &c->table->state[index] : NULL;

	if (!state || state->loc.line != name->loc.line || state->loc.column != name->loc.column)
		return NULL;
	return state;
}

void state_check_on_timeout(struct checker *c, const struct yaml_node *map)
{
	struct yaml_node *list = yaml_get(map, "states");

	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->n; i++) {
		struct app_state *state = state_of_node(c, list->item[i]);

		if (state)
			check_on_timeout(c, list->item[i], state);
	}
}

static void check_timeouts(struct checker *c, const struct yaml_node *list)
{
	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->n; i++) {
		const struct yaml_node *node = list->item[i];
		struct app_state *state = state_of_node(c, node);

		if (!state)
			continue;
		check_timeout(c, node, "idle", "idle_to", &state->idle_ns, &state->idle_to, &state->idle_text);
		check_timeout(c, node, "hard", "hard_to", &state->hard_ns, &state->hard_to, &state->hard_text);
	}
}

/* ---- the rest ---- */

void state_check_capacity(struct checker *c, const struct yaml_node *map)
{
	struct yaml_node *node = yaml_get(map, "capacity");
	uint64_t value;

	c->table->capacity = 1;
	c->table->capacity_text = "1";
	if (!node) {
		ERROR(c, map->loc, "table \"%s\" needs a capacity: how many flows it may hold", c->table->name);
		return;
	}
	if (expr_constant_node(c, node, TYPE_U64, &value, &c->table->capacity_text) < 0)
		return;
	if (!value || value > CAPACITY_MAX)
		ERROR(c, node->loc, "capacity %s; it must be 1 to %d", value ? node->text : "0", CAPACITY_MAX);
	else
		c->table->capacity = value;
}

static int find_word(struct checker *c, const struct yaml_node *node, const char *what, const char *const *words,
		     size_t n)
{
	const char *text = node_text(c, node, what);

	for (size_t i = 0; text && i < n; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	if (text)
		ERROR(c, node->loc, "\"%s\" is not %s%s", text, what,
		      isdigit((unsigned char)text[0]) ? "" : did_you_mean(c, text, words, n));
	return -EINVAL;
}

static void check_policies(struct checker *c, const struct yaml_node *map)
{
	static const char *const policies[] = {
		[FULL_DROP] = "drop",
		[FULL_PASS] = "pass",
		[FULL_EVICT] = "evict",
		[FULL_CONTINUE] = "continue",
	};
	static const char *const within[] = {"1s", "10ms"};
	struct yaml_node *node = yaml_get(map, "when_full");
	int word;

	if (node) {
		word = find_word(c, node, "one of drop, pass, evict, continue", policies, ARRAY_SIZE(policies));
		c->table->when_full = word > 0 ? word : FULL_DROP;
	}
	node = yaml_get(map, "expire_within");
	if (!node)
		return;
	c->table->expire_soon = find_word(c, node, "1s or 10ms", within, ARRAY_SIZE(within)) == 1;
	if (c->table->expire_soon && c->table->capacity > CAPACITY_SOON_MAX)
		ERROR(c, node->loc, "expire_within: 10ms is for tables of at most %d flows, not %u", CAPACITY_SOON_MAX,
		      c->table->capacity);
}

void state_check_declaration(struct checker *c, const struct yaml_node *map)
{
	struct yaml_node *registers, *states, *meters;

	if (!node_check_keys(c, map, "state:", state_keys, NULL))
		return;
	registers = yaml_get(map, "registers");
	states = yaml_get(map, "states");
	if (registers)
		name_parse_typed_list(c, registers, "register", &c->table->reg, &c->table->n_regs, RECORD_WORDS_MAX);
	meters = yaml_get(map, "meters");
	if (meters) {
		app_check_meters(c, meters, &c->table->meter, &c->table->n_meters, TABLE_METERS_MAX);
		meter_add_registers(c, c->table);
	}
	for (size_t i = 0; i < c->table->n_regs; i++) {
		const char *full = arena_printf(c->arena, "%s.%s", c->table->name, c->table->reg[i].name);

		if (app_find_field(c->app, full))
			ERROR(c, c->table->reg[i].loc,
			      "\"%s\" would hide the field of that name; rename table or register", full);
	}
	declare_states(c, states);
	state_check_capacity(c, map);
	check_policies(c, map);
	check_timeouts(c, states);
}

/* ---- keys ---- */

static int biflow_kind(const char *text, enum key_kind *ret_kind, unsigned *ret_bits)
{
	static const struct {
		const char *text;
		enum key_kind kind;
		unsigned bits;
	} biflows[] = {
		{"biflow.l4", KEY_BIFLOW_L4, 2 * (128 + 16)},
		{"biflow.ip", KEY_BIFLOW_IP, 2 * 128},
		{"biflow.eth", KEY_BIFLOW_ETH, 2 * 48},
	};

	for (size_t i = 0; i < ARRAY_SIZE(biflows); i++)
		if (strcmp(biflows[i].text, text) == 0) {
			*ret_kind = biflows[i].kind;
			*ret_bits = biflows[i].bits;
			return 0;
		}
	return -ENOENT;
}

/* FIELD/bits: an address of one family counts its own bits. */
static void check_prefix(struct checker *c, struct app_key *key, const char *text)
{
	const struct field *field = key->ref.field;
	unsigned full = key->bits, shift = 0;
	unsigned long len;
	char *end;

	if (key->ref.kind != REF_FIELD) {
		ERROR(c, key->loc, "\"%s\": only fields can be cut to a prefix", key->text);
		return;
	}
	len = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
	if (key->bits == 128 && field->load.kind == LOAD_ADDR4)
		shift = 96;
	if (!len || *end || len > full - shift) {
		ERROR(c, key->loc, "\"%s\": a prefix of %s has 1 to %u bits", key->text, field->name, full - shift);
		return;
	}
	if (field->load.kind == LOAD_ADDR && len <= 32)
		ERROR(c, key->loc,
		      "\"%s\" holds IPv4 and IPv6: write \"ipv4%s/%lu\", or \"%s/%lu\" (an IPv4 address ends at bit "
		      "128)",
		      field->name, field->name + 2, len, field->name, 96 + len);
	key->prefix_len = len + shift;
}

static bool resolve_key(struct checker *c, const char *name, struct app_key *key)
{
	struct expr e = {.kind = EXPR_NAME, .loc = key->loc, .name = (char *)name};
	enum value_type type;
	unsigned cell;

	if (name_find_typed(c->table->reg, c->table->n_regs, name) >= 0) {
		ERROR(c, key->loc, "\"%s\" is a register of this table, which is found by its key only", name);
		return false;
	}
	c->place = PLACE_ABSENT; /* No record yet. */
	if (!expr_resolve_name(c, &e, TYPE_U64))
		return false;
	key->ref = e.ref;
	key->type = e.type;
	key->bits = e.type == TYPE_ADDR ? 128 : e.type == TYPE_MAC ? 48 : 64;
	switch (e.ref.kind) {
	case REF_VARIABLE: key->kind = KEY_VARIABLE; return true;
	case REF_TABLE_REGISTER: key->kind = KEY_TABLE_REGISTER; return true;
	case REF_FIELD:
		key->kind = KEY_FIELD;
		key->bits = e.ref.field->bits;
		return true;
	case REF_META:
		key->kind = KEY_FIELD;
		if (e.ref.cell != CELL_NOW)
			return name_find_meta(name, &cell, &type, &key->bits) == 0;
		break;
	default: break;
	}
	ERROR(c, key->loc, "\"%s\" cannot be part of a key: fields, variables, TABLE.REGISTER and biflow can", name);
	return false;
}

bool state_parse_key(struct checker *c, const struct yaml_node *node, struct app_key *ret_key)
{
	const char *text = node_text(c, node, "a field"), *slash;

	if (!text)
		return false;
	*ret_key = (struct app_key){.text = arena_strdup(c->arena, text), .loc = node->loc};
	if (biflow_kind(text, &ret_key->kind, &ret_key->bits) == 0) {
		ret_key->prefix_len = ret_key->bits;
		return true;
	}
	if (strncmp(text, "biflow", 6) == 0) {
		ERROR(c, node->loc, "unknown \"%s\" (expected biflow.l4, biflow.ip or biflow.eth)", text);
		return false;
	}
	slash = strchr(text, '/');
	if (!resolve_key(c, slash ? arena_strndup(c->arena, text, slash - text) : text, ret_key))
		return false;
	ret_key->prefix_len = ret_key->bits;
	if (slash)
		check_prefix(c, ret_key, slash + 1);
	return true;
}

static unsigned check_key_list(struct checker *c, const struct yaml_node *list, struct app_key **ret_key, size_t *ret_n)
{
	unsigned bits = 0, biflows = 0;

	if (!node_is_list(c, list, "fields"))
		return 0;
	if (!list->n)
		ERROR(c, list->loc, "a key needs at least one field");
	for (size_t i = 0; i < list->n; i++) {
		struct app_key key;

		if (!state_parse_key(c, list->item[i], &key))
			continue;
		for (size_t j = 0; j < *ret_n; j++)
			if (strcmp((*ret_key)[j].text, key.text) == 0)
				ERROR(c, key.loc, "\"%s\" is twice in the key", key.text);
		biflows += key.kind >= KEY_BIFLOW_L4;
		bits += key.bits == 128 ? key.prefix_len : key.bits;
		GROW(c, *ret_key, *ret_n);
		(*ret_key)[(*ret_n)++] = key;
	}
	if (biflows > 1)
		ERROR(c, list->loc, "one biflow in a key is enough");
	if (bits > KEY_BITS_MAX)
		ERROR(c, list->loc, "the key has %u bytes; at most %d fit", (bits + 7) / 8, KEY_BITS_MAX / 8);
	else if (*ret_n > KEY_PARTS_MAX)
		ERROR(c, list->loc, "the key has %zu parts; at most %d fit", *ret_n, KEY_PARTS_MAX);
	return bits;
}

static bool same_keys(const struct app_table *t, bool texts)
{
	if (t->n_lookup != t->n_update)
		return false;
	for (size_t i = 0; i < t->n_lookup; i++) {
		const struct app_key *a = &t->lookup[i], *b = &t->update[i];

		if (texts ? strcmp(a->text, b->text) != 0
			  : a->bits != b->bits || a->prefix_len != b->prefix_len ||
				    (a->bits == 128 && a->type != b->type))
			return false;
	}
	return true;
}

void state_check_keys(struct checker *c, const struct yaml_node *map)
{
	struct yaml_node *lookup = yaml_get(map, "lookup"), *update = yaml_get(map, "update");
	struct app_table *t = c->table;
	size_t n_errors = c->diags->n_errors;
	unsigned bits = 0, words = 0;

	if (lookup)
		bits = check_key_list(c, lookup, &t->lookup, &t->n_lookup);
	else
		ERROR(c, map->loc, "table \"%s\" needs \"lookup\": the fields that name a flow", t->name);
	if (update)
		check_key_list(c, update, &t->update, &t->n_update);
	for (size_t i = 0; i < t->n_regs; i++)
		words += t->reg[i].type == TYPE_ADDR ? 2 : 1;
	if (c->diags->n_errors != n_errors)
		return;
	if (update && same_keys(t, true)) {
		t->update = NULL;
		t->n_update = 0;
	} else if (update && !same_keys(t, false)) {
		ERROR(c, update->loc, "lookup and update must have parts of the same widths in the same order");
	}
	if (words + (bits + 63) / 64 > RECORD_WORDS_MAX)
		ERROR(c, map->loc, "table \"%s\": key and registers need %u words of 64 bits; a record has %d", t->name,
		      words + (bits + 63) / 64, RECORD_WORDS_MAX);
}
