/* SPDX-License-Identifier: GPL-2.0-or-later */
/* globals: registers of the application, one value for all flows. */
#include <inttypes.h>
#include <stdlib.h>

#include "app_check.h"

/* What one 64-bit number can be. */
static bool type_counts(enum value_type type)
{
	return type_is_plain(type) || type == TYPE_DURATION || type == TYPE_RATE || type == TYPE_SIZE;
}

static bool read_initial(struct checker *c, const struct yaml_node *node, struct app_global *global)
{
	struct expr *e = expr_check_node(c, node, PLACE_CONSTANT);
	char *text;

	if (!e)
		return false;
	if (!e->constant || !type_counts(e->type)) {
		ERROR(c, node->loc, "\"%s\" is %s; a global is a number", node->text, type_noun(e->type));
		return false;
	}
	if (e->type == TYPE_INT && (int64_t)e->value < 0) {
		ERROR(c, node->loc, "\"%s\" is negative; globals are unsigned", node->text);
		return false;
	}
	text = expr_render(e);
	global->initial_text = arena_strdup(c->arena, text ? text : node->text);
	free(text);
	global->initial = e->value;
	global->type = type_is_plain(e->type) ? TYPE_U64 : e->type;
	return true;
}

/* ---- range ---- */

static int read_bound(struct checker *c, const struct app_global *global, const struct yaml_node *node,
		      const char *text, uint64_t *ret_value)
{
	const struct parameter *param = name_use_parameter(c->app, text);
	struct value value = {.type = TYPE_MAX};

	if (param)
		value = param->value;
	else if (value_parse_constant(c, text, node->loc, &value) < 0)
		return -EINVAL;
	if (value.range || (!type_is_plain(value.type) && value.type != global->type)) {
		ERROR(c, node->loc, "\"%s\" is %s; the range of \"%s\" is written like its initial value", text,
		      type_noun(value.type), global->name);
		return -EINVAL;
	}
	*ret_value = value.lo;
	return 0;
}

static void read_range(struct checker *c, const struct yaml_node *node, struct app_global *global)
{
	const char *text = node_text(c, node, "a range like 0-100"), *dash = text ? strchr(text, '-') : NULL;

	if (!text)
		return;
	if (!dash || dash == text || !dash[1]) {
		ERROR(c, node->loc, "\"%s\" is no range; it is written like 0-100", text);
		return;
	}
	if (read_bound(c, global, node, arena_strndup(c->arena, text, dash - text), &global->min) < 0 ||
	    read_bound(c, global, node, dash + 1, &global->max) < 0)
		return;
	global->range_text = arena_strdup(c->arena, text);
	if (global->min > global->max)
		ERROR(c, node->loc, "\"%s\": the range is backwards", text);
	else if (global->initial < global->min || global->initial > global->max)
		ERROR(c, node->loc, "global \"%s\" begins with %s, which is not in its range %s", global->name,
		      global->initial_text, text);
}

/* ---- declarations ---- */

static bool read_global(struct checker *c, const struct yaml_node *node, struct app_global *global)
{
	static const char *const keys[] = {"initial", "range", NULL};
	struct yaml_node *initial, *range;

	if (node->kind != YAML_MAP)
		return read_initial(c, node, global);
	if (!node_check_keys(c, node, "a global", keys, NULL))
		return false;
	initial = yaml_get(node, "initial");
	range = yaml_get(node, "range");
	if (!initial) {
		ERROR(c, node->loc, "global \"%s\" needs \"initial\": the value it begins with", global->name);
		return false;
	}
	if (!read_initial(c, initial, global))
		return false;
	if (range)
		read_range(c, range, global);
	return true;
}

static void declare(struct checker *c, const struct yaml_node *key, const struct yaml_node *node)
{
	struct app_global global = {.loc = key->loc, .max = UINT64_MAX, .initial_text = "0"};

	global.name = node_name(c, key, "the name of a global", false);
	if (!global.name || !name_check_free(c, key->loc, global.name, "global"))
		return;
	/* Also after a mistake: its uses must not be reported again. */
	read_global(c, node, &global);
	GROW(c, c->app->global, c->app->n_globals);
	c->app->global[c->app->n_globals++] = global;
}

void app_check_globals(struct checker *c, const struct yaml_node *map)
{
	if (map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected globals as \"NAME: number\" or \"NAME: {initial: number, range: a-b}\"");
		return;
	}
	if (map->n > APP_GLOBALS_MAX) {
		ERROR(c, map->loc, "%zu globals; at most %d fit in one application", map->n, APP_GLOBALS_MAX);
		return;
	}
	for (size_t i = 0; i < map->n; i++)
		declare(c, map->key[i], map->item[i]);
}

/* ---- writes ---- */

static bool is_name_of(const struct expr *e, const struct expr *lhs)
{
	return e->kind == EXPR_NAME && e->ref.kind == REF_GLOBAL && e->ref.index == lhs->ref.index;
}

static bool names_global(const struct expr *e, const struct expr *lhs)
{
	if (is_name_of(e, lhs))
		return true;
	for (unsigned i = 0; i < e->n_args; i++)
		if (names_global(e->arg[i], lhs))
			return true;
	return false;
}

const struct expr *app_global_operand(const struct stmt *stmt, enum op_code *ret_code)
{
	const struct expr *value = stmt->value;

	switch (stmt->op) {
	case EOP_ADD:
	case EOP_SUB: *ret_code = OP_GLOBAL_ADD; return value;
	case EOP_BOR: *ret_code = OP_GLOBAL_OR; return value;
	case EOP_BAND: *ret_code = OP_GLOBAL_AND; return value;
	default: break;
	}
	*ret_code = OP_GLOBAL_SET;
	/* The atomic operation compares without signs. */
	if (value->kind != EXPR_CALL || value->constant || value->type == TYPE_INT || strcmp(value->name, "max") != 0 ||
	    value->n_args != 2)
		return value;
	for (unsigned i = 0; i < 2; i++)
		if (is_name_of(value->arg[i], stmt->lhs)) {
			*ret_code = OP_GLOBAL_MAX;
			return value->arg[!i];
		}
	return value;
}

void global_check_writes(struct checker *c, const struct stmt_list *list, const char *what)
{
	const struct stmt *first = NULL;

	for (size_t i = 0; i < list->n; i++) {
		const struct stmt *stmt = &list->item[i];
		enum op_code code;

		if (stmt->kind != STMT_ASSIGN || stmt->lhs->ref.kind != REF_GLOBAL)
			continue;
		if (first)
			ERROR(c, stmt->loc,
			      "%s writes globals twice (\"%s\" and \"%s\"); at most one write to one global is "
			      "possible, "
			      "because each is a single atomic operation",
			      what, first->lhs->name, stmt->lhs->name);
		else if (names_global(app_global_operand(stmt, &code), stmt->lhs))
			WARN(c, stmt->loc,
			     "\"%s\" is read and then written: another packet may have written it in between; += -= |= "
			     "&= and \"%s = max(%s, x)\" are atomic",
			     stmt->lhs->name, stmt->lhs->name, stmt->lhs->name);
		first = stmt;
	}
}
