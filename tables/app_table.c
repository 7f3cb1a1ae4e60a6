/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables: first what other tables may name (names, states, registers), then what names it. */
#include <stdlib.h>

#include "app_check.h"

static const char *const table_keys[] = {"name", "hook", "let", "state", "rules", "otherwise", "absent", NULL};
static const char *const match_keys[] = {"name",    "hook",   "let",	 "key",	      "capacity", "values",
					 "entries", "action", "actions", "otherwise", "absent",	  NULL};

static void check_hook(struct checker *c, const struct yaml_node *node, struct app_table *table)
{
	static const char *const hooks[] = {"xdp", "tc-ingress", "tc-egress"};
	const char *text = node_text(c, node, "xdp, tc-ingress or tc-egress");
	uint64_t hook;

	if (!text)
		return;
	if (value_name_find(TYPE_HOOK, text, &hook) == 0)
		table->hook = hook;
	else
		ERROR(c, node->loc, "unknown hook \"%s\"%s", text, did_you_mean(c, text, hooks, ARRAY_SIZE(hooks)));
}

static void declare_table(struct checker *c, struct yaml_node *map)
{
	struct app_table table = {.hook = -1, .loc = map->loc};
	struct yaml_node *node;

	if (!node_check_keys(c, map, yaml_get(map, "key") ? "a match table" : "a table",
			     yaml_get(map, "key") ? match_keys : table_keys, NULL))
		return;
	node = yaml_get(map, "name");
	if (!node)
		ERROR(c, map->loc, "a table without name");
	table.name = node ? node_name(c, node, "the name of a table", true) : NULL;
	if (!table.name)
		table.name = arena_printf(c->arena, "#%zu", c->app->n_tables + 1); /* No name of a person. */
	if (name_find_table(c->app, table.name) >= 0)
		ERROR(c, node->loc, "two tables are named \"%s\"; the first is on line %u", table.name,
		      c->app->table[name_find_table(c->app, table.name)].loc.line);
	if (name_find_header(c->app, table.name) >= 0)
		ERROR(c, node->loc, "table \"%s\" would hide the header of that name", table.name);
	node = yaml_get(map, "hook");
	if (node)
		check_hook(c, node, &table);
	table.has_entries = yaml_get(map, "key") != NULL;
	table.stateful = table.has_entries || yaml_get(map, "state");
	GROW(c, c->table_node, c->app->n_tables);
	c->table_node[c->app->n_tables] = map;
	GROW(c, c->app->table, c->app->n_tables);
	c->app->table[c->app->n_tables++] = table;
}

/* Each let may name the one before twice, so a few lines could grow without end. */
static unsigned weigh(const struct app_table *table, const struct expr *e)
{
	unsigned weight = 1;

	if (e->ref.kind == REF_LET)
		weight += table->let[e->ref.index].weight;
	for (unsigned i = 0; i < e->n_args && weight <= LET_WEIGHT_MAX; i++)
		weight += weigh(table, e->arg[i]);
	return weight;
}

static void check_let(struct checker *c, const struct yaml_node *key, const struct yaml_node *node)
{
	struct let let = {.loc = key->loc};

	let.name = node_name(c, key, "the name of a let", false);
	if (!let.name || !name_check_free(c, key->loc, let.name, "let"))
		return;
	let.expr = expr_check_node(c, node, PLACE_LET);
	if (let.expr && (let.expr->type == TYPE_PREFIX || let.expr->type == TYPE_LIST)) {
		ERROR(c, node->loc, "a let is one value, not %s", type_noun(let.expr->type));
		let.expr = NULL;
	}
	let.weight = let.expr ? weigh(c->table, let.expr) : 0;
	if (let.weight > LET_WEIGHT_MAX) {
		ERROR(c, key->loc,
		      "let \"%s\" is too large: more than %d operations with the lets it names written out", let.name,
		      LET_WEIGHT_MAX);
		let.expr = NULL;
		let.weight = 0;
	}
	GROW(c, c->table->let, c->table->n_lets);
	c->table->let[c->table->n_lets++] = let;
}

static void check_lets(struct checker *c, const struct yaml_node *map)
{
	if (map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected names and expressions, like {fresh: now - start < 1s}");
		return;
	}
	for (size_t i = 0; i < map->n; i++)
		check_let(c, map->key[i], map->item[i]);
}

static void check_body(struct checker *c, const struct yaml_node *map)
{
	struct yaml_node *state = yaml_get(map, "state"), *node;

	node = yaml_get(map, "let");
	if (node)
		check_lets(c, node);
	if (state && state->kind == YAML_MAP)
		state_check_on_timeout(c, state);
	node = yaml_get(map, "rules");
	if (c->table->has_entries)
		entry_check_actions(c, map);
	else if (node)
		rule_check_list(c, node);
	else
		ERROR(c, map->loc, "table \"%s\" has no rules:", c->table->name);
	node = yaml_get(map, "otherwise");
	if (node)
		stmt_check_node(c, node, PLACE_ACTION, &c->table->otherwise);
	node = yaml_get(map, "absent");
	if (node)
		stmt_check_node(c, node, PLACE_ABSENT, &c->table->absent);
	if (node && !c->table->stateful)
		WARN(c, node->loc, "\"absent\" has no meaning in a table without key");
}

static void make_stateless(struct checker *c, struct app_table *table)
{
	table->state = arena_alloc(c->arena, sizeof(*table->state));
	*table->state = (struct app_state){.name = "-", .loc = table->loc};
	table->n_states = 1;
}

void app_check_tables(struct checker *c, const struct yaml_node *list)
{
	if (!node_is_list(c, list, "tables"))
		return;
	if (!list->n)
		ERROR(c, list->loc, "an application needs at least one table");
	if (list->n > APP_TABLES_MAX) {
		ERROR(c, list->item[APP_TABLES_MAX]->loc, "%zu tables; at most %d fit in one application", list->n,
		      APP_TABLES_MAX);
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		declare_table(c, list->item[i]);
	for (size_t i = 0; i < c->app->n_tables; i++) {
		struct yaml_node *state = yaml_get(c->table_node[i], "state");

		c->table = &c->app->table[i];
		if (state)
			state_check_declaration(c, state);
		else if (c->table->has_entries)
			entry_check_declaration(c, c->table_node[i]);
		if (!c->table->n_states)
			make_stateless(c, c->table);
	}
	for (size_t i = 0; i < c->app->n_tables && !c->planned; i++) {
		struct yaml_node *state = yaml_get(c->table_node[i], "state");

		c->table = &c->app->table[i];
		if (state && state->kind == YAML_MAP)
			state_check_keys(c, state);
		if (c->table->has_entries)
			entry_check_key(c, c->table_node[i]);
	}
	for (size_t i = 0; i < c->app->n_tables && !c->planned; i++) {
		c->table = &c->app->table[i];
		check_body(c, c->table_node[i]);
	}
	for (size_t i = 0; i < c->app->n_tables; i++)
		learn_check_ends(c, &c->app->table[i]);
	c->table = NULL;
}
