/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Match tables: key:, values:, action(s):, entries:.
 *
 * A match table becomes a stateful one: an action is a state with one rule, which counts the entry's packets and
 * bytes; the miss is the first state, which has none, so `otherwise` applies. */
#include <stdlib.h>

#include "app_check.h"
#include "entry.h"

/* No names of the language: nobody can write them in an expression. */
static const struct {
	const char *name;
	enum value_type type;
} hidden[ENTRY_WORDS] = {
	[ENTRY_ID] = {"entry-id", TYPE_U64},	       [ENTRY_RANK] = {"entry-rank", TYPE_U64},
	[ENTRY_IDLE] = {"entry-idle", TYPE_DURATION},  [ENTRY_SINCE] = {"entry-since", TYPE_TIME},
	[ENTRY_PACKETS] = {"entry-packets", TYPE_U64}, [ENTRY_BYTES] = {"entry-bytes", TYPE_U64},
};

/* Columns of an entry that are no part of its key and no value. */
static const char *const extras[] = {"action", "priority", "idle", "hard", "name"};

/* ---- actions and values ---- */

static void add_state(struct checker *c, const char *name, struct loc loc)
{
	GROW(c, c->table->state, c->table->n_states);
	c->table->state[c->table->n_states++] = (struct app_state){.name = (char *)name, .loc = loc};
}

static void declare_action(struct checker *c, const struct yaml_node *key)
{
	char *name = node_name(c, key, "the name of an action", true);

	if (!name)
		return;
	if (strcmp(name, "otherwise") == 0 || strcmp(name, "absent") == 0 || strcmp(name, "miss") == 0)
		ERROR(c, key->loc, "\"%s\" cannot name an action: it is what applies when no entry does", name);
	else if (c->table->n_states == STATES_MAX)
		ERROR(c, key->loc, "more than %d actions", STATES_MAX - 1);
	else
		add_state(c, name, key->loc);
}

static void declare_actions(struct checker *c, const struct yaml_node *map)
{
	const struct yaml_node *one = yaml_get(map, "action"), *many = yaml_get(map, "actions");

	add_state(c, "miss", c->table->loc);
	c->table->has_actions = many != NULL;
	if (one && many)
		ERROR(c, one->loc, "\"action\" and \"actions\": one of them is enough");
	else if (many && (many->kind != YAML_MAP || !many->n))
		ERROR(c, many->loc, "expected names and actions, like {forward: output(port), blackhole: drop}");
	else if (many)
		for (size_t i = 0; i < many->n; i++)
			declare_action(c, many->key[i]);
	else
		add_state(c, "hit", one ? one->loc : map->loc);
}

static void declare_values(struct checker *c, const struct yaml_node *list)
{
	struct app_table *t = c->table;
	struct typed *values = NULL;
	size_t n = 0;

	for (unsigned i = 0; i < ENTRY_WORDS; i++) {
		GROW(c, t->reg, t->n_regs);
		t->reg[t->n_regs++] = (struct typed){.name = (char *)hidden[i].name,
						     .type = hidden[i].type,
						     .word = i,
						     .loc = t->loc,
						     .read = true,
						     .written = true};
	}
	if (list)
		name_parse_typed_list(c, list, "value", &values, &n, RECORD_WORDS_MAX);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(extras); j++)
			if (strcmp(values[i].name, extras[j]) == 0)
				ERROR(c, values[i].loc, "\"%s\" cannot name a value: entries have it anyway",
				      values[i].name);
		if (name_find_typed(values, i, values[i].name) >= 0)
			ERROR(c, values[i].loc, "value \"%s\" is declared twice", values[i].name);
		values[i].word += ENTRY_WORDS;
		values[i].written = true;
		GROW(c, t->reg, t->n_regs);
		t->reg[t->n_regs++] = values[i];
	}
}

void entry_check_declaration(struct checker *c, const struct yaml_node *map)
{
	c->table->has_states = true;
	declare_actions(c, map);
	declare_values(c, yaml_get(map, "values"));
	state_check_capacity(c, map);
}

/* ---- key ---- */

static void check_kind(struct checker *c, const struct yaml_node *node, struct app_key *key, enum key_match *ret_match)
{
	static const char *const words[] = {"exact", "prefix", "ternary", "range"};
	const char *text = node_text(c, node, "exact, prefix, ternary or range");

	*ret_match = MATCH_EXACT;
	if (!text)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i], text) == 0) {
			*ret_match = (enum key_match)i;
			if (i != MATCH_EXACT && key->type == TYPE_SEGMENTS)
				ERROR(c, node->loc, "\"%s\": lists of segments are compared whole, so exact",
				      key->text);
			else if (i == MATCH_PREFIX && key->type != TYPE_ADDR)
				ERROR(c, node->loc, "\"%s\" is %s; only addresses have prefixes", key->text,
				      type_noun(key->type));
			if (i == MATCH_RANGE && key->bits > 64)
				ERROR(c, node->loc,
				      "ranges of addresses in the key of a match table are not yet "
				      "supported; prefix and ternary are");
			return;
		}
	ERROR(c, node->loc, "\"%s\" is not one of exact, prefix, ternary, range%s", text,
	      did_you_mean(c, text, words, ARRAY_SIZE(words)));
}

static void check_part(struct checker *c, const struct yaml_node *name, const struct yaml_node *kind)
{
	struct app_table *t = c->table;
	enum key_match match;
	struct app_key key;

	bool good;

	c->entry_key = true;
	good = state_parse_key(c, name, &key);
	c->entry_key = false;
	if (!good)
		return;
	if (key.kind >= KEY_BIFLOW_L4 || strchr(name->text, '/')) {
		ERROR(c, name->loc,
		      "\"%s\" cannot be part of a match table's key; fields, variables and "
		      "TABLE.NAME can",
		      name->text);
		return;
	}
	check_kind(c, kind, &key, &match);
	if (t->n_lookup == KEY_PARTS_MAX) {
		ERROR(c, name->loc, "more than %d parts of a key", KEY_PARTS_MAX);
		return;
	}
	t->key_match[t->n_lookup] = match;
	t->masked |= match != MATCH_EXACT;
	GROW(c, t->lookup, t->n_lookup);
	t->lookup[t->n_lookup++] = key;
}

void entry_check_key(struct checker *c, const struct yaml_node *map)
{
	struct yaml_node *key = yaml_get(map, "key");
	struct app_table *t = c->table;
	unsigned bits = 0;

	if (key->kind != YAML_MAP || !key->n) {
		ERROR(c, key->loc, "expected fields and how they are compared, like {ip.dst: prefix}");
		return;
	}
	for (size_t i = 0; i < key->n; i++)
		check_part(c, key->key[i], key->item[i]);
	for (size_t i = 0; i < t->n_lookup; i++)
		bits += t->lookup[i].bits;
	bits += t->masked ? MASK_TAG_BITS : 0;
	if (bits > KEY_BITS_MAX)
		ERROR(c, key->loc, "the key has %u bytes%s; at most %d fit", (bits + 7) / 8,
		      t->masked ? " with the number of the mask" : "", KEY_BITS_MAX / 8);
}

/* ---- what actions do ---- */

static struct expr *name_expr(struct checker *c, const char *name, enum value_type type, struct ref ref)
{
	struct expr *e = arena_alloc(c->arena, sizeof(*e));

	*e = (struct expr){.kind = EXPR_NAME, .loc = c->table->loc, .name = (char *)name, .type = type, .ref = ref};
	return e;
}

static struct stmt count_stmt(struct checker *c, unsigned word, const char *what, enum value_type type, unsigned cell)
{
	return (struct stmt){
		.kind = STMT_ASSIGN,
		.op = EOP_ADD,
		.lhs = name_expr(c, hidden[word].name, TYPE_U64, (struct ref){.kind = REF_REGISTER, .index = word}),
		.value = name_expr(c, what, type, (struct ref){.kind = REF_META, .cell = cell}),
		.loc = c->table->loc,
	};
}

/* Without an action the packet goes on: the entry only gives values to later tables. */
static void add_rule(struct checker *c, unsigned state, const struct yaml_node *action)
{
	struct app_rule rule = {.name = c->table->state[state].name, .states = 1ULL << state, .next = -1};
	struct stmt *count = arena_alloc_array(c->arena, 2, sizeof(*count));
	char *text;

	rule.loc = action ? action->loc : c->table->loc;
	if (action)
		stmt_check_node(c, action, PLACE_ACTION, &rule.action);
	count[0] = count_stmt(c, ENTRY_PACKETS, "frames", TYPE_U64, CELL_FRAMES);
	count[1] = count_stmt(c, ENTRY_BYTES, "length", TYPE_SIZE, CELL_LENGTH);
	rule.do_ = (struct stmt_list){count, 2};
	text = rule.action.n ? stmt_render(&rule.action) : NULL;
	rule.text = arena_printf(c->arena, "action: %s", text ? text : "go on");
	rule.text = c->table->has_actions ? arena_printf(c->arena, "%s: %s", rule.name, rule.text + strlen("action: "))
					  : rule.text;
	free(text);
	GROW(c, c->table->rule, c->table->n_rules);
	c->table->rule[c->table->n_rules++] = rule;
}

/* ---- entries ---- */

static bool is_segments(const struct app_table *table, const char *column)
{
	for (size_t i = 0; column && i < table->n_lookup; i++)
		if (strcmp(table->lookup[i].text, column) == 0)
			return table->lookup[i].type == TYPE_SEGMENTS;
	return false;
}

static const char *join_segments(struct checker *c, const struct yaml_node *list)
{
	const char *text = "";

	for (size_t i = 0; i < list->n && i <= SEGMENTS_MAX; i++)
		if (list->item[i]->kind == YAML_TEXT)
			text = arena_printf(c->arena, "%s%s%s", text, i ? "," : "", list->item[i]->text);
	return text;
}

static const char *cell_text(struct checker *c, const char *column, const struct yaml_node *node)
{
	if (node->kind == YAML_TEXT)
		return node->text;
	if (node->kind == YAML_LIST && is_segments(c->table, column))
		return join_segments(c, node);
	ERROR(c, node->loc, "expected one value; an entry has no lists");
	return NULL;
}

static void check_entry(struct checker *c, const struct yaml_node *map)
{
	struct app_entry entry = {.loc = map->loc};
	char why[ENTRY_WHY];
	bool good = true;

	if (map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected the parts of the key, values and an action, like {ip.dst: 10.0.0.0/8}");
		return;
	}
	entry.entry = arena_alloc(c->arena, sizeof(*entry.entry));
	entry.column = arena_alloc_array(c->arena, map->n + 1, sizeof(*entry.column));
	entry.text = arena_alloc_array(c->arena, map->n + 1, sizeof(*entry.text));
	entry_init(c->table, entry.entry);
	for (size_t i = 0; i < map->n; i++) {
		const char *text = cell_text(c, map->key[i]->text, map->item[i]);

		if (text && entry_set(c->app, c->table, c->ports, entry.entry, map->key[i]->text, text, why) < 0)
			ERROR(c, map->item[i]->loc, "%s", why);
		good &= text && map->key[i]->text;
		entry.column[i] = map->key[i]->text;
		entry.text[i] = (char *)text;
	}
	entry.n_cells = map->n;
	if (good && entry_check(c->table, entry.entry, true, why) < 0)
		ERROR(c, map->loc, "%s", why);
	GROW(c, c->table->entry, c->table->n_entries);
	c->table->entry[c->table->n_entries++] = entry;
}

struct same {
	__u64 id;
	const struct app_entry *entry;
};

static int compare_ids(const void *a, const void *b)
{
	const struct same *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->entry->loc.line < y->entry->loc.line ? -1 : x->entry->loc.line > y->entry->loc.line;
}

/* Ports of parameters get their numbers on a switch; before, they are all 0. */
static bool is_unresolved(const struct checker *c, const struct entry *entry)
{
	for (size_t i = 0; i < c->table->n_lookup && !c->ports; i++)
		if (c->table->lookup[i].type == TYPE_PORT && entry->key[i].kind == PATTERN_VALUE && !entry->key[i].lo)
			return true;
	return false;
}

static void check_distinct(struct checker *c)
{
	struct app_table *t = c->table;
	struct same *list = arena_alloc_array(c->arena, t->n_entries + 1, sizeof(*list));

	for (size_t i = 0; i < t->n_entries; i++)
		list[i] = (struct same){entry_id(t, t->entry[i].entry), &t->entry[i]};
	qsort(list, t->n_entries, sizeof(*list), compare_ids);
	for (size_t i = 1; i < t->n_entries; i++)
		if (list[i].id == list[i - 1].id && !is_unresolved(c, list[i].entry->entry))
			ERROR(c, list[i].entry->loc, "two entries have this key; the first is on line %u",
			      list[i - 1].entry->loc.line);
}

static void check_entries(struct checker *c, const struct yaml_node *list)
{
	size_t n_errors = c->diags->n_errors;

	if (!node_is_list(c, list, "entries"))
		return;
	for (size_t i = 0; i < list->n; i++)
		check_entry(c, list->item[i]);
	if (c->table->n_entries > c->table->capacity)
		ERROR(c, list->loc, "%zu entries; the capacity of table \"%s\" is %u", c->table->n_entries,
		      c->table->name, c->table->capacity);
	if (c->diags->n_errors == n_errors)
		check_distinct(c);
}

void entry_check_actions(struct checker *c, const struct yaml_node *map)
{
	const struct yaml_node *one = yaml_get(map, "action"), *many = yaml_get(map, "actions");
	struct yaml_node *entries = yaml_get(map, "entries");

	if (!many)
		add_rule(c, 1, one);
	for (size_t i = 0; many && !one && many->kind == YAML_MAP && i < many->n; i++) {
		int state = many->key[i]->kind == YAML_TEXT ? state_find(c->table, many->key[i]->text) : -1;

		if (state > 0)
			add_rule(c, state, many->item[i]);
	}
	if (entries)
		check_entries(c, entries);
}
