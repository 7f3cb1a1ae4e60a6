/* SPDX-License-Identifier: GPL-2.0-or-later */
/* groups: members that packets are given to. */
#include <inttypes.h>
#include <stdlib.h>

#include "app_check.h"
#include "maglev.h"

static const char *const type_names[] = {
	[GROUP_SELECT] = "select",
	[GROUP_ALL] = "all",
	[GROUP_FIRST_LIVE] = "first-live",
	[GROUP_INDEXED] = "indexed",
};

static const char *const default_hash[] = {"ip.src", "ip.dst", "ip.proto", "l4.src", "l4.dst"};

const char *app_group_type_name(enum group_type type)
{
	return type_names[type];
}

/* ---- declarations ---- */

void app_declare_groups(struct checker *c, const struct yaml_node *map)
{
	if (map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected groups as \"NAME: {type: select, members: [...]}\"");
		return;
	}
	if (map->n > APP_GROUPS_MAX) {
		ERROR(c, map->loc, "%zu groups; at most %d fit in one application", map->n, APP_GROUPS_MAX);
		return;
	}
	for (size_t i = 0; i < map->n; i++) {
		struct app_group group = {.loc = map->key[i]->loc};

		group.name = node_name(c, map->key[i], "the name of a group", false);
		if (!group.name || !name_check_free(c, group.loc, group.name, "group"))
			group.name = arena_printf(c->arena, "#%zu", i + 1); /* Reported; no name of a person. */
		GROW(c, c->app->group, c->app->n_groups);
		c->app->group[c->app->n_groups++] = group;
	}
}

static void check_type(struct checker *c, const struct yaml_node *map, struct app_group *group)
{
	const struct yaml_node *node = yaml_get(map, "type");
	const char *text = node ? node_text(c, node, "select, all, first-live or indexed") : NULL;

	if (!node)
		ERROR(c, map->loc, "group \"%s\" needs \"type\": select, all, first-live or indexed", group->name);
	if (!text)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
		if (strcmp(type_names[i], text) == 0) {
			group->type = i;
			return;
		}
	ERROR(c, node->loc, "unknown type of a group \"%s\"%s", text,
	      did_you_mean(c, text, type_names, ARRAY_SIZE(type_names)));
}

/* ---- what chooses a member ---- */

static void add_hash(struct checker *c, struct app_group *group, const char *text, struct loc loc)
{
	struct expr e = {.kind = EXPR_NAME, .loc = loc, .name = arena_strdup(c->arena, text)};
	size_t n = group->n_hash;

	c->place = PLACE_LET;
	if (!expr_resolve_name(c, &e, TYPE_U64))
		return;
	if (e.ref.kind != REF_FIELD && (e.ref.kind != REF_META || e.ref.cell == CELL_NOW)) {
		ERROR(c, loc, "\"%s\": a member is chosen by fields of the packet", text);
		return;
	}
	group->hash = arena_grow(c->arena, group->hash, n, sizeof(*group->hash));
	group->hash_text = arena_grow(c->arena, group->hash_text, n, sizeof(*group->hash_text));
	group->hash[n] = e.ref;
	group->hash_text[n] = e.name;
	group->n_hash++;
}

static void check_hash(struct checker *c, const struct yaml_node *node, struct app_group *group)
{
	group->default_hash = !node;
	if (group->type != GROUP_SELECT) {
		if (node)
			ERROR(c, node->loc, "only a group of type select is chosen from by a hash");
		return;
	}
	for (size_t i = 0; !node && i < ARRAY_SIZE(default_hash); i++)
		add_hash(c, group, default_hash[i], group->loc);
	if (!node || !node_is_list(c, node, "fields"))
		return;
	if (!node->n || node->n > GROUP_HASH_MAX) {
		ERROR(c, node->loc, "%zu fields; 1 to %d can be hashed", node->n, GROUP_HASH_MAX);
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		const char *text = node_text(c, node->item[i], "a field");

		if (text)
			add_hash(c, group, text, node->item[i]->loc);
	}
}

static void check_size(struct checker *c, const struct yaml_node *node, struct app_group *group)
{
	uint64_t size;
	char *text;

	group->default_size = !node;
	group->size = group->type == GROUP_SELECT ? GROUP_SIZE_DEFAULT : group->type == GROUP_FIRST_LIVE;
	if (node && group->type != GROUP_SELECT) {
		ERROR(c, node->loc, "only a group of type select has slots, and so a size");
		return;
	}
	if (!node || expr_constant_node(c, node, TYPE_U64, &size, &text) < 0)
		return;
	if (!maglev_is_size(size) || size > GROUP_SLOTS / 2)
		ERROR(c, node->loc, "the size of a group is a prime from 2 to %d, like 4099 or 65537", GROUP_SLOTS / 2);
	else
		group->size = size;
}

/* ---- members ---- */

static bool value_fits(enum value_type type, const struct value *value)
{
	if (value->range || value->type == TYPE_PREFIX || value->type == TYPE_LIST || value->type == TYPE_FIELD)
		return false;
	if (type == TYPE_ADDR || type == TYPE_MAC || type == TYPE_TIME)
		return value->type == type;
	if (type == TYPE_INT)
		return value->type == TYPE_INT || type_is_plain(value->type);
	return value->type != TYPE_ADDR && value->type != TYPE_FRACTION && value->type != TYPE_INT;
}

static int read_constant(struct checker *c, const struct yaml_node *node, struct value *ret_value, char **ret_text)
{
	const char *text = node_text(c, node, "a constant");
	const struct parameter *param = text ? name_use_parameter(c->app, text) : NULL;

	if (!text)
		return -EINVAL;
	*ret_text = arena_strdup(c->arena, text);
	if (!param)
		return value_parse_constant(c, text, node->loc, ret_value);
	*ret_value = param->value;
	return 0;
}

static void check_value(struct checker *c, const struct yaml_node *node, const struct typed *typed,
			struct app_member *member, size_t i)
{
	struct value value = {};

	if (read_constant(c, node, &value, &member->text[i]) < 0)
		return;
	if (!value_fits(typed->type, &value)) {
		ERROR(c, node->loc, "\"%s\" is %s, but the value \"%s\" is %s", node->text, type_noun(value.type),
		      typed->name, type_noun(typed->type));
		return;
	}
	if (typed->type == TYPE_ADDR)
		member->word[typed->word] = value.hi;
	member->word[typed->word + (typed->type == TYPE_ADDR)] = value.lo;
}

static void check_port(struct checker *c, const struct yaml_node *node, struct app_member *member)
{
	struct value value = {};

	if (read_constant(c, node, &value, &member->port_text) < 0)
		return;
	if (value.type == TYPE_PORT || (value.type == TYPE_U64 && value.lo >= 1 && value.lo <= PORTS_MAX))
		member->port = value.lo;
	else
		ERROR(c, node->loc, "\"%s\" is no port: a number from 1 to %d, or a parameter of type port", node->text,
		      PORTS_MAX);
}

static bool read_number(struct checker *c, const struct yaml_node *node, const char *what, uint64_t max,
			unsigned *ret_number)
{
	uint64_t number;
	char *text;

	if (expr_constant_node(c, node, TYPE_U64, &number, &text) < 0)
		return false;
	if (number > max) {
		ERROR(c, node->loc, "%s is at most %" PRIu64, what, max);
		return false;
	}
	*ret_number = number;
	return true;
}

static bool has_own_port(const struct app_group *group)
{
	return name_find_typed(group->value, group->n_values, "port") >= 0;
}

static void check_member_keys(struct checker *c, const struct yaml_node *map, const struct app_group *group)
{
	const char *keys[MEMBER_VALUES + 4] = {"id", "weight", "port"};

	for (size_t i = 0; i < group->n_values; i++)
		keys[3 + i] = group->value[i].name;
	node_check_keys(c, map, "a member", keys, NULL);
}

static void check_member(struct checker *c, const struct yaml_node *map, struct app_group *group)
{
	struct app_member member = {.weight = 1, .loc = map->loc};
	const struct yaml_node *node;

	if (map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected a member as {id: number, ...}");
		return;
	}
	check_member_keys(c, map, group);
	node = yaml_get(map, "id");
	if (!node)
		ERROR(c, map->loc, "a member of \"%s\" without id", group->name);
	if (!node || !read_number(c, node, "the id of a member", GROUP_MEMBERS - 1, &member.id))
		return;
	for (size_t i = 0; i < group->n_members; i++)
		if (group->member[i].id == member.id)
			ERROR(c, node->loc, "group \"%s\" has two members %u", group->name, member.id);
	node = yaml_get(map, "weight");
	if (node)
		read_number(c, node, "a weight", MEMBER_WEIGHT_MAX, &member.weight);
	node = has_own_port(group) ? NULL : yaml_get(map, "port");
	if (node)
		check_port(c, node, &member);
	member.text = arena_alloc_array(c->arena, MEMBER_VALUES, sizeof(*member.text));
	for (size_t i = 0; i < group->n_values; i++) {
		node = yaml_get(map, group->value[i].name);
		if (node)
			check_value(c, node, &group->value[i], &member, i);
		else
			ERROR(c, map->loc, "member %u has no \"%s\"", member.id, group->value[i].name);
	}
	GROW(c, group->member, group->n_members);
	group->member[group->n_members++] = member;
}

static void check_values(struct checker *c, const struct yaml_node *node, struct app_group *group)
{
	unsigned words = 0;

	name_parse_typed_list(c, node, "value", &group->value, &group->n_values, MEMBER_VALUES);
	for (size_t i = 0; i < group->n_values; i++) {
		words += group->value[i].type == TYPE_ADDR ? 2 : 1;
		if (strcmp(group->value[i].name, "id") == 0 || strcmp(group->value[i].name, "weight") == 0 ||
		    strcmp(group->value[i].name, "health") == 0)
			ERROR(c, group->value[i].loc, "every member has \"%s\" already", group->value[i].name);
		if (group->value[i].group)
			ERROR(c, group->value[i].loc, "a member's values are numbers and addresses, no other members");
	}
	if (words > MEMBER_VALUES)
		ERROR(c, node->loc, "the values need %u words of 64 bits; a member has %d", words, MEMBER_VALUES);
}

static void check_group(struct checker *c, const struct yaml_node *map, struct app_group *group)
{
	static const char *const keys[] = {"type", "hash", "size", "values", "members", NULL};
	const struct yaml_node *node;

	if (!node_check_keys(c, map, "a group", keys, NULL))
		return;
	check_type(c, map, group);
	check_hash(c, yaml_get(map, "hash"), group);
	check_size(c, yaml_get(map, "size"), group);
	node = yaml_get(map, "values");
	if (node)
		check_values(c, node, group);
	node = yaml_get(map, "members");
	if (!node || !node_is_list(c, node, "members"))
		return;
	for (size_t i = 0; i < node->n; i++)
		check_member(c, node->item[i], group);
}

void app_check_groups(struct checker *c, const struct yaml_node *map)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->n && i < c->app->n_groups; i++)
		check_group(c, map->item[i], &c->app->group[i]);
}

/* ---- names ---- */

bool group_resolve_value(struct checker *c, struct expr *e, unsigned index, const char *value)
{
	struct app_group *group = &c->app->group[index];
	int i = name_find_typed(group->value, group->n_values, value);
	const char *names[MEMBER_VALUES + 1] = {"port"};

	group->used = true;
	e->ref.group = index;
	if (i >= 0) {
		group->value[i].read = true;
		e->ref.word = group->value[i].word;
		e->type = group->value[i].type;
		return true;
	}
	e->ref.word = strcmp(value, MEMBER_ITSELF) == 0 ? MEMBER_VALID : MEMBER_PORT;
	e->type = e->ref.word == MEMBER_VALID ? TYPE_BOOL : TYPE_PORT;
	if (e->ref.word == MEMBER_VALID || strcmp(value, "port") == 0)
		return true;
	for (size_t k = 0; k < group->n_values; k++)
		names[1 + k] = group->value[k].name;
	ERROR(c, e->loc, "members of \"%s\" have no value \"%s\"%s", group->name, value,
	      did_you_mean(c, value, names, 1 + group->n_values));
	return false;
}

/* The group that a call or a step names, or -EINVAL (reported). */
static int find_named(struct checker *c, struct loc loc, const char *name, const char *what)
{
	const char *names[APP_GROUPS_MAX];
	int index = name_find_group(c->app, name);

	for (size_t i = 0; i < c->app->n_groups; i++)
		names[i] = c->app->group[i].name;
	if (index < 0) {
		ERROR(c, loc, "%s(%s): there is no such group%s", what, name,
		      did_you_mean(c, name, names, c->app->n_groups));
		return -EINVAL;
	}
	c->app->group[index].used = true;
	return index;
}

bool group_check_select(struct checker *c, struct expr *e)
{
	int index;

	if (e->n_args != 1 || e->arg[0]->kind != EXPR_NAME) {
		ERROR(c, e->loc, "select() takes the name of a group");
		return false;
	}
	index = find_named(c, e->arg[0]->loc, e->arg[0]->name, "select");
	if (index < 0)
		return false;
	if (c->app->group[index].type == GROUP_ALL || c->app->group[index].type == GROUP_INDEXED) {
		ERROR(c, e->loc, "select(%s): a group of type %s chooses no member", c->app->group[index].name,
		      type_names[c->app->group[index].type]);
		return false;
	}
	e->value = index;
	e->type = TYPE_U64;
	return true;
}

void group_check_verdict(struct checker *c, struct stmt *stmt)
{
	int index = find_named(c, stmt->loc, stmt->name, "group");
	const struct app_group *group;

	if (index < 0)
		return;
	group = &c->app->group[index];
	stmt->target = index;
	if (group->type == GROUP_INDEXED)
		ERROR(c, stmt->loc, "group(%s): a group of type indexed chooses no member; write output(REGISTER.port)",
		      group->name);
	else if (has_own_port(group))
		ERROR(c, stmt->loc,
		      "group(%s): its value \"port\" is not a port of the switch; name it otherwise, like \"service\"",
		      group->name);
	else if (group->type == GROUP_ALL && c->table->hook == HOOK_XDP)
		ERROR(c, stmt->loc, "group(%s) sends copies, which XDP cannot; put the table on tc-ingress",
		      group->name);
}
