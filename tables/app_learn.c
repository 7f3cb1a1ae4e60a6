/* SPDX-License-Identifier: GPL-2.0-or-later */
/* learn: and allocate: of a rule: the record of another table that it writes. */
#include "app_check.h"

static const char *const learn_keys[] = {"table", "key", "state", "set", "else", NULL};
static const char *const allocate_keys[] = {"register", "from", "first", "table", "key", "state", "set", "else", NULL};
static const char *const none_planned[] = {NULL};

/* ---- the table ------------------------------------------------------------------------------- */

static struct app_table *check_target(struct checker *c, const struct yaml_node *map, const struct yaml_node *node)
{
	const char *text = node ? node_text(c, node, "the name of a table") : NULL;
	const char *names[APP_TABLES_MAX];
	struct app_table *to;
	int index;

	if (!node)
		ERROR(c, map->loc, "table: is missing: the table whose record is written");
	if (!text)
		return NULL;
	for (size_t i = 0; i < c->app->n_tables; i++)
		names[i] = c->app->table[i].name;
	index = name_find_table(c->app, text);
	if (index < 0) {
		ERROR(c, node->loc, "unknown table \"%s\"%s", text, did_you_mean(c, text, names, c->app->n_tables));
		return NULL;
	}
	to = &c->app->table[index];
	if (!to->stateful) {
		ERROR(c, node->loc, "table \"%s\" has no state:, so it has no records", text);
		return NULL;
	}
	if (to->has_entries) {
		ERROR(c, node->loc, "table \"%s\" is a match table: people write its entries, not packets", text);
		return NULL;
	}
	if (to->hook >= 0 && c->table->hook >= 0 && to->hook != c->table->hook) {
		ERROR(c, node->loc, "table \"%s\" runs at %s, this one at %s: a rule writes records of its own hook",
		      text, value_name_of(TYPE_HOOK, to->hook), value_name_of(TYPE_HOOK, c->table->hook));
		return NULL;
	}
	return to;
}

/* ---- key ------------------------------------------------------------------------------------- */

/* An expression whose value is put into something of type 'to'. */
static struct expr *check_value(struct checker *c, const struct yaml_node *node, enum value_type to, const char *what)
{
	struct expr *e = expr_parse_yaml(c->arena, node, c->diags);

	c->place = c->table->update ? PLACE_ACTION : PLACE_DO;
	if (!e || !expr_check(c, e, to))
		return NULL;
	if (!type_assignable(to, e->type)) {
		ERROR(c, node->loc, "\"%s\" is %s and cannot be %s, which is %s", node->text, type_noun(e->type), what,
		      type_noun(to));
		return NULL;
	}
	return e;
}

static void check_key(struct checker *c, const struct yaml_node *map, const struct yaml_node *list,
		      struct app_learn *learn, const struct app_table *to)
{
	if (!list) {
		ERROR(c, map->loc, "key: is missing: one expression for each part of the key of table \"%s\"",
		      to->name);
		return;
	}
	if (!node_is_list(c, list, "key"))
		return;
	if (list->n != to->n_lookup) {
		ERROR(c, list->loc, "the key has %zu parts, that of table \"%s\" has %zu", list->n, to->name,
		      to->n_lookup);
		return;
	}
	for (size_t i = 0; i < list->n; i++) {
		const struct app_key *part = &to->lookup[i];
		struct expr *e;

		if (part->kind == KEY_BIFLOW_L4 || part->kind == KEY_BIFLOW_IP || part->kind == KEY_BIFLOW_ETH) {
			ERROR(c, list->item[i]->loc,
			      "\"%s\" of table \"%s\" is made of a packet's two ends and cannot be computed",
			      part->text, to->name);
			return;
		}
		if (part->prefix_len && part->prefix_len < part->bits) {
			ERROR(c, list->item[i]->loc, "\"%s\" of table \"%s\" is a prefix and cannot be computed",
			      part->text, to->name);
			return;
		}
		e = check_value(c, list->item[i], part->type, part->text);
		if (!e)
			return;
		GROW(c, learn->key, learn->n_key);
		learn->key[learn->n_key++] = e;
	}
}

/* ---- state and registers --------------------------------------------------------------------- */

static void check_state(struct checker *c, const struct yaml_node *map, const struct yaml_node *node,
			struct app_learn *learn, const struct app_table *to)
{
	struct app_table *own = c->table;

	if (!to->has_states) {
		if (node)
			ERROR(c, node->loc, "table \"%s\" has no states:, so its records are in none", to->name);
		return;
	}
	if (!node) {
		ERROR(c, map->loc, "state: is missing: the state the record gets; the first one (%s) removes it",
		      to->state[0].name);
		return;
	}
	c->table = &c->app->table[learn->table];
	learn->state = state_find_node(c, node);
	c->table = own;
	learn->ends = learn->state == 0;
}

static void check_set(struct checker *c, const struct yaml_node *map, struct app_learn *learn, struct app_table *to)
{
	unsigned words = 0;

	if (map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected registers of table \"%s\" and expressions, like {REGISTER: ip.src}",
		      to->name);
		return;
	}
	for (size_t i = 0; i < map->n; i++) {
		int reg = name_find_typed(to->reg, to->n_regs, map->key[i]->text);
		struct learn_value set = {.loc = map->key[i]->loc};

		if (reg < 0) {
			ERROR(c, map->key[i]->loc, "table \"%s\" has no register \"%s\"", to->name, map->key[i]->text);
			continue;
		}
		set.reg = reg;
		set.value = check_value(c, map->item[i], to->reg[reg].type, to->reg[reg].name);
		if (!set.value)
			continue;
		words += to->reg[reg].type == TYPE_ADDR ? 2 : 1;
		to->reg[reg].written = true;
		GROW(c, learn->set, learn->n_sets);
		learn->set[learn->n_sets++] = set;
	}
	if (words > LEARN_SETS_MAX)
		ERROR(c, map->loc, "%u words of registers are set, the limit is %d (an address is two)", words,
		      LEARN_SETS_MAX);
}

static void check_else(struct checker *c, const struct yaml_node *map, struct app_learn *learn)
{
	const struct yaml_node *node = yaml_get(map, "else");

	if (node)
		stmt_check_node(c, node, PLACE_ACTION, &learn->otherwise);
	else
		ERROR(c, map->loc, "else: is missing: what happens to the packet when the record cannot be written");
}

/* NULL when anything of it is wrong: what renders a rule as text may then follow every index. */
static struct app_learn *check_common(struct checker *c, const struct yaml_node *map)
{
	struct app_learn *learn = arena_alloc(c->arena, sizeof(*learn));
	size_t n_errors = c->diags->n_errors;
	struct app_table *to;
	struct yaml_node *set;

	*learn = (struct app_learn){.loc = map->loc};
	to = check_target(c, map, yaml_get(map, "table"));
	if (!to)
		return NULL;
	learn->table = to - c->app->table;
	check_key(c, map, yaml_get(map, "key"), learn, to);
	check_state(c, map, yaml_get(map, "state"), learn, to);
	set = yaml_get(map, "set");
	if (set)
		check_set(c, set, learn, to);
	if (learn->ends && learn->n_sets)
		ERROR(c, set->loc, "\"%s\" is the first state: the record is removed, so nothing can be set",
		      to->state[0].name);
	check_else(c, map, learn);
	to->learned = true;
	return c->diags->n_errors == n_errors ? learn : NULL;
}

/* ---- learn ------------------------------------------------------------------------------------ */

void learn_check(struct checker *c, const struct yaml_node *map, struct app_rule *rule)
{
	if (!node_check_keys(c, map, "learn", learn_keys, none_planned))
		return;
	rule->learn = check_common(c, map);
}

/* ---- allocate --------------------------------------------------------------------------------- */

static void check_from(struct checker *c, const struct yaml_node *map, struct app_learn *learn)
{
	const struct yaml_node *node = yaml_get(map, "from");
	const char *text = node ? node_text(c, node, "a range, like 1024-65535") : NULL;
	const struct parameter *param;
	struct value value = {};

	if (!node)
		ERROR(c, map->loc, "from: is missing: the range of values, like 1024-65535");
	if (!text)
		return;
	param = name_use_parameter(c->app, text);
	if (param)
		value = param->value;
	else if (value_parse_constant(c, text, node->loc, &value) < 0)
		return;
	if (value.type == TYPE_LIST && value.n_items == 1)
		value = value.item[0];
	if (!type_is_plain(value.type)) {
		ERROR(c, node->loc, "\"%s\": expected a range of numbers, like 1024-65535", text);
		return;
	}
	learn->from_text = arena_strdup(c->arena, text);
	learn->from = value.lo;
	learn->to = value.range ? value.last : value.lo;
}

static void check_register(struct checker *c, const struct yaml_node *map, struct app_learn *learn)
{
	const struct yaml_node *node = yaml_get(map, "register");
	const char *text = node ? node_text(c, node, "the name of a register") : NULL;
	int reg = text ? name_find_typed(c->table->reg, c->table->n_regs, text) : -1;

	if (!node)
		ERROR(c, map->loc, "register: is missing: the register of this table that gets the value");
	if (!text)
		return;
	if (reg < 0 || c->table->reg[reg].type == TYPE_ADDR) {
		ERROR(c, node->loc, "table \"%s\" has no register \"%s\" for a number", c->table->name, text);
		return;
	}
	learn->reg = reg;
	c->table->reg[reg].written = true;
}

/* What would free a claimed record alone, or free its claimer behind its back. */
static void check_owned(struct checker *c, const struct yaml_node *map, const struct app_learn *learn)
{
	struct app_table *to = &c->app->table[learn->table], *own = c->table;

	if (to == own || (own->claims_from && own->claims_from != to))
		ERROR(c, map->loc, "table \"%s\" allocates from %s: a table's records hold records of one other table",
		      own->name, to == own ? "itself" : "two tables");
	else if (own->claimed || to->claims_from)
		ERROR(c, map->loc, "records of \"%s\" are allocated themselves; one level is the limit",
		      own->claimed ? own->name : to->name);
	else if (own->update)
		ERROR(c, map->loc, "a table with two scopes cannot allocate");
	else if (own->when_full == FULL_CONTINUE)
		ERROR(c, map->loc, "a table that allocates needs the record: when_full: continue would lose it");
	else if (to->update)
		ERROR(c, map->loc, "table \"%s\" has two scopes; its records cannot be allocated", to->name);
	else if (to->when_full == FULL_EVICT)
		ERROR(c, map->loc, "records of \"%s\" belong to those of \"%s\": when_full: evict cannot free them",
		      to->name, own->name);
	for (size_t i = 0; i < to->n_states; i++)
		if (to->state[i].idle_ns || to->state[i].hard_ns)
			ERROR(c, to->state[i].loc,
			      "records of \"%s\" end with those of \"%s\" that allocated them: no timeouts here",
			      to->name, own->name);
	own->claims_from = to;
	to->claimed = true;
}

void allocate_check(struct checker *c, const struct yaml_node *map, struct app_rule *rule)
{
	size_t n_errors = c->diags->n_errors;
	const struct yaml_node *first;
	struct app_learn *learn;

	if (!node_check_keys(c, map, "allocate", allocate_keys, none_planned))
		return;
	if (!c->table->stateful) {
		ERROR(c, map->loc, "table \"%s\" has no state:, so no record of it can hold what is allocated",
		      c->table->name);
		return;
	}
	learn = check_common(c, map);
	if (!learn)
		return;
	check_register(c, map, learn);
	check_from(c, map, learn);
	first = yaml_get(map, "first");
	if (first)
		learn->first = check_value(c, first, c->table->reg[learn->reg].type, "the value to try first");
	if (learn->ends)
		ERROR(c, map->loc, "allocate makes a record; \"%s\" is the first state of table \"%s\"",
		      c->app->table[learn->table].state[0].name, c->app->table[learn->table].name);
	if (rule->next == 0)
		ERROR(c, map->loc, "a rule that ends the flow has nothing that could hold what it allocates");
	check_owned(c, map, learn);
	if (c->diags->n_errors == n_errors)
		rule->allocate = learn;
}

/* The rules of a table whose records are allocated must not end them. */
void learn_check_ends(struct checker *c, const struct app_table *t)
{
	if (!t->claimed)
		return;
	for (size_t i = 0; i < t->n_rules; i++)
		if (t->rule[i].next == 0)
			ERROR(c, t->rule[i].loc,
			      "records of \"%s\" belong to those that allocated them and end with these, not by next: "
			      "%s",
			      t->name, t->state[0].name);
}
