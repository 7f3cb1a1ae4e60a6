/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules: of a table. */
#include <stdlib.h>

#include "app_check.h"

static const char *const rule_keys[] = {"name",	   "state", "match",	"when",	  "do", "next",
					"refresh", "learn", "allocate", "action", NULL};
static const char *const rule_planned[] = {NULL};

static void add_state(struct checker *c, const struct yaml_node *node, struct app_rule *rule)
{
	int index = state_find_node(c, node);

	if (index < 0)
		return;
	if (rule->states >> index & 1)
		ERROR(c, node->loc, "state \"%s\" is twice in the list", node->text);
	rule->states |= 1ULL << index;
}

static void check_states(struct checker *c, const struct yaml_node *node, struct app_rule *rule)
{
	rule->any_state = !node;
	if (!node)
		return;
	if (!c->table->stateful) {
		ERROR(c, node->loc, "table \"%s\" has no state:, so a rule cannot ask for one", c->table->name);
		return;
	}
	if (node->kind == YAML_TEXT)
		add_state(c, node, rule);
	else if (node_is_list(c, node, "states") && !node->n)
		ERROR(c, node->loc, "an empty list of states never matches");
	for (size_t i = 0; node->kind == YAML_LIST && i < node->n; i++)
		add_state(c, node->item[i], rule);
}

static void check_next(struct checker *c, const struct yaml_node *node, struct app_rule *rule)
{
	rule->next = -1;
	if (!node)
		return;
	if (c->table->stateful)
		rule->next = state_find_node(c, node);
	else
		ERROR(c, node->loc, "table \"%s\" has no state:, so a rule cannot change it", c->table->name);
}

static void check_refresh(struct checker *c, const struct yaml_node *node, struct app_rule *rule)
{
	const char *text = node ? node_text(c, node, "yes or no") : NULL;

	if (!text)
		return;
	if (strcmp(text, "no") != 0 && strcmp(text, "yes") != 0)
		ERROR(c, node->loc, "\"refresh: %s\": expected yes or no", text);
	rule->no_refresh = strcmp(text, "no") == 0;
}

static void check_when(struct checker *c, const struct yaml_node *node, struct app_rule *rule)
{
	struct expr *e = expr_check_node(c, node, PLACE_WHEN);
	char *text;

	if (!e)
		return;
	if (e->type != TYPE_BOOL) {
		ERROR(c, node->loc, "when: needs a condition, but this is %s%s", type_noun(e->type),
		      type_is_plain(e->type) ? "; a number becomes one by \"!= 0\"" : "");
		return;
	}
	text = expr_render(e);
	rule->when = e;
	rule->when_text = arena_strdup(c->arena, text ? text : node->text);
	free(text);
}

static void check_name(struct checker *c, const struct yaml_node *node, struct app_rule *rule)
{
	rule->name = node_name(c, node, "the name of a rule", true);
	if (!rule->name)
		return;
	if (strcmp(rule->name, "otherwise") == 0 || strcmp(rule->name, "absent") == 0)
		ERROR(c, node->loc, "\"%s\" cannot name a rule: it is what applies when none does", rule->name);
	for (size_t i = 0; i < c->table->n_rules; i++)
		if (c->table->rule[i].name && strcmp(c->table->rule[i].name, rule->name) == 0)
			ERROR(c, node->loc, "two rules are named \"%s\"; the first is on line %u", rule->name,
			      c->table->rule[i].loc.line);
}

/* ---- the rule as one line ---- */

static void append(struct checker *c, char **text, const char *key, const char *value)
{
	*text = arena_printf(c->arena, "%s%s%s: %s", *text, **text ? ", " : "", key, value);
}

static void append_states(struct checker *c, char **text, const struct app_rule *rule)
{
	char *names = "";
	unsigned n = 0;

	for (size_t i = 0; i < c->table->n_states; i++)
		if (rule->states >> i & 1)
			names = arena_printf(c->arena, "%s%s%s", names, n++ ? ", " : "", c->table->state[i].name);
	append(c, text, "state", n > 1 ? arena_printf(c->arena, "[%s]", names) : names);
}

static void append_match(struct checker *c, char **text, const struct app_rule *rule)
{
	char *fields = "";

	for (size_t i = 0; i < rule->n_match; i++)
		fields = arena_printf(c->arena, "%s%s%s", fields, i ? ", " : "", rule->match[i].text);
	append(c, text, "match", arena_printf(c->arena, "{%s}", fields));
}

static void append_steps(struct checker *c, char **text, const char *key, const struct stmt_list *list)
{
	char *steps = stmt_render(list);

	if (!steps)
		arena_give_up(c->arena);
	append(c, text, key, steps);
	free(steps);
}

static char *expr_text(struct checker *c, const struct expr *e)
{
	char *rendered = expr_render(e), *text;

	if (!rendered)
		arena_give_up(c->arena);
	text = arena_strdup(c->arena, rendered);
	free(rendered);
	return text;
}

static void append_learn(struct checker *c, char **text, const char *key, const struct app_learn *learn)
{
	const struct app_table *to = &c->app->table[learn->table];
	char *inner = "", *keys = "", *sets = "";

	for (size_t i = 0; i < learn->n_key; i++)
		keys = arena_printf(c->arena, "%s%s%s", keys, i ? ", " : "", expr_text(c, learn->key[i]));
	for (size_t i = 0; i < learn->n_sets; i++)
		sets = arena_printf(c->arena, "%s%s%s: %s", sets, i ? ", " : "", to->reg[learn->set[i].reg].name,
				    expr_text(c, learn->set[i].value));
	if (learn->from_text) {
		append(c, &inner, "register", c->table->reg[learn->reg].name);
		append(c, &inner, "from", learn->from_text);
	}
	if (learn->first)
		append(c, &inner, "first", expr_text(c, learn->first));
	append(c, &inner, "table", to->name);
	append(c, &inner, "key", arena_printf(c->arena, "[%s]", keys));
	if (to->has_states)
		append(c, &inner, "state", to->state[learn->state].name);
	if (learn->n_sets)
		append(c, &inner, "set", arena_printf(c->arena, "{%s}", sets));
	append_steps(c, &inner, "else", &learn->otherwise);
	append(c, text, key, arena_printf(c->arena, "{%s}", inner));
}

/* Counters of rules without a name follow this text, so it must not change with blanks and comments, and two
 * equal rules must differ. */
static void write_text(struct checker *c, struct app_rule *rule)
{
	char *text = "", *first;
	unsigned copies = 1;

	if (rule->name)
		append(c, &text, "name", rule->name);
	if (!rule->any_state)
		append_states(c, &text, rule);
	if (rule->n_match)
		append_match(c, &text, rule);
	if (rule->when_text)
		append(c, &text, "when", rule->when_text);
	if (rule->do_.n)
		append_steps(c, &text, "do", &rule->do_);
	if (rule->next >= 0)
		append(c, &text, "next", c->table->state[rule->next].name);
	if (rule->no_refresh)
		append(c, &text, "refresh", "no");
	if (rule->learn)
		append_learn(c, &text, "learn", rule->learn);
	if (rule->allocate)
		append_learn(c, &text, "allocate", rule->allocate);
	if (rule->action.n)
		append_steps(c, &text, "action", &rule->action);
	first = *text ? text : "{}";
	rule->text = first;
	for (size_t i = 0; i < c->table->n_rules; i++)
		if (strcmp(c->table->rule[i].text, rule->text) == 0) {
			rule->text = arena_printf(c->arena, "%s #%u", first, ++copies);
			i = -1; /* Look again from the beginning. */
		}
}

static void check_rule(struct checker *c, const struct yaml_node *map)
{
	struct app_rule rule = {.loc = map->loc, .next = -1, .any_state = true};
	struct yaml_node *node;

	if (!node_check_keys(c, map, "a rule", rule_keys, rule_planned))
		return;
	node = yaml_get(map, "name");
	if (node)
		check_name(c, node, &rule);
	check_states(c, yaml_get(map, "state"), &rule);
	node = yaml_get(map, "match");
	if (node)
		match_check(c, node, &rule.match, &rule.n_match);
	node = yaml_get(map, "when");
	if (node)
		check_when(c, node, &rule);
	node = yaml_get(map, "do");
	if (node)
		stmt_check_node(c, node, PLACE_DO, &rule.do_);
	meter_check_rule(c, &rule.do_, map->loc);
	global_check_writes(c, &rule.do_, rule.name ? arena_printf(c->arena, "rule \"%s\"", rule.name) : "this rule");
	check_next(c, yaml_get(map, "next"), &rule);
	check_refresh(c, yaml_get(map, "refresh"), &rule);
	node = yaml_get(map, "learn");
	if (node)
		learn_check(c, node, &rule);
	node = yaml_get(map, "allocate");
	if (node)
		allocate_check(c, node, &rule);
	node = yaml_get(map, "action");
	if (node)
		stmt_check_node(c, node, PLACE_ACTION, &rule.action);
	write_text(c, &rule);
	GROW(c, c->table->rule, c->table->n_rules);
	c->table->rule[c->table->n_rules++] = rule;
}

void rule_check_list(struct checker *c, const struct yaml_node *list)
{
	if (!node_is_list(c, list, "rules"))
		return;
	if (list->n > RULES_MAX) {
		ERROR(c, list->item[RULES_MAX]->loc, "table \"%s\" has %zu rules; at most %d fit", c->table->name,
		      list->n, RULES_MAX);
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		check_rule(c, list->item[i]);
}
