/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a name in an expression stands for. */
#include "app_check.h"

void expr_set_constant(struct expr *e, const struct value *value)
{
	static const enum expr_kind kinds[TYPE_MAX] = {
		[TYPE_ADDR] = EXPR_ADDRESS,
		[TYPE_PREFIX] = EXPR_PREFIX,
		[TYPE_MAC] = EXPR_MAC,
	};

	e->kind = kinds[value->type];
	e->type = value->type;
	e->hi = value->hi;
	e->value = value->lo;
	e->prefix_len = value->prefix_len;
	e->ref.kind = REF_CONSTANT;
	e->constant = value->type != TYPE_PREFIX;
}

static bool set_field(struct checker *c, struct expr *e, const struct field *field)
{
	if (field->type == TYPE_SEGMENTS && !c->entry_key) {
		ERROR(c, e->loc, "\"%s\" can only be part of a match table's key", e->name);
		return false;
	}
	e->ref = (struct ref){.kind = REF_FIELD, .field = field};
	e->type = field->type;
	return true;
}

bool expr_refuse_packet(struct checker *c, const struct expr *e)
{
	ERROR(c, e->loc,
	      "\"%s\": there is no packet when a state times out; on_timeout: knows registers, globals, constants and "
	      "now",
	      e->name);
	return false;
}

static bool resolve_parameter(struct checker *c, struct expr *e, const struct parameter *param)
{
	if (param->type == TYPE_FIELD && c->place == PLACE_TIMEOUT)
		return expr_refuse_packet(c, e);
	if (param->type == TYPE_FIELD)
		return param->value.field ? set_field(c, e, param->value.field) : false;
	if (param->type == TYPE_LIST) {
		ERROR(c, e->loc, "\"%s\" is a list; it can stand in match: and behind \"in\"", e->name);
		return false;
	}
	expr_set_constant(e, &param->value);
	return true;
}

/* Which table's records may be named here? */
static bool check_table_reach(struct checker *c, struct expr *e, unsigned index)
{
	const struct app_table *other = &c->app->table[index];
	unsigned own = c->table - c->app->table;

	if (index > own) {
		ERROR(c, e->loc, "table \"%s\" comes later; a packet can only know what earlier tables had",
		      other->name);
		return false;
	}
	if (index < own && other->hook >= 0 && c->table->hook >= 0 && other->hook != c->table->hook) {
		ERROR(c, e->loc, "table \"%s\" runs on another hook; its values end there", other->name);
		return false;
	}
	if (index < own && c->place == PLACE_TIMEOUT)
		return expr_refuse_packet(c, e);
	if (index == own && c->place == PLACE_ABSENT) {
		ERROR(c, e->loc, "there is no record where the key is absent");
		return false;
	}
	return true;
}

/* "TABLE.REGISTER.VALUE" of a register that names a member. */
static bool resolve_table_member(struct checker *c, struct expr *e, unsigned table, const char *name, bool *ret_found)
{
	const struct app_table *other = &c->app->table[table];
	const char *dot = strchr(name, '.');
	int reg = dot ? name_find_typed(other->reg, other->n_regs, arena_strndup(c->arena, name, dot - name)) : -ENOENT;

	*ret_found = reg >= 0 && other->reg[reg].group;
	if (!*ret_found)
		return false;
	other->reg[reg].read = true;
	e->ref = (struct ref){.kind = REF_MEMBER, .of = REF_TABLE_REGISTER, .table = table, .index = reg};
	return group_resolve_value(c, e, other->reg[reg].group - 1, dot + 1);
}

bool expr_resolve_register(struct checker *c, struct expr *e, const char *dot)
{
	char *table_name = arena_strndup(c->arena, e->name, dot - e->name);
	int index = c->table ? name_find_table(c->app, table_name) : -ENOENT, reg;
	struct app_table *other;
	bool found, good;

	if (index < 0) {
		name_report_unknown(c, e->loc, e->name);
		return false;
	}
	other = &c->app->table[index];
	if (!check_table_reach(c, e, index))
		return false;
	good = resolve_table_member(c, e, index, dot + 1, &found);
	if (found)
		return good;
	reg = name_find_typed(other->reg, other->n_regs, dot + 1);
	if (reg < 0) {
		const char **names = arena_alloc_array(c->arena, other->n_regs + 1, sizeof(*names));

		for (size_t i = 0; i < other->n_regs; i++)
			names[i] = other->reg[i].name;
		ERROR(c, e->loc, "table \"%s\" has no register \"%s\"%s", other->name, dot + 1,
		      did_you_mean(c, dot + 1, names, other->n_regs));
		return false;
	}
	other->reg[reg].read = true;
	e->ref = (struct ref){.kind = REF_TABLE_REGISTER, .table = index, .index = reg};
	e->type = other->reg[reg].type;
	return true;
}

/* "NAME.VALUE" of a register or variable that names a member of a group; NULL: there is none of that name. */
static struct typed *find_member_name(struct checker *c, const char *name, struct ref *ret_ref)
{
	char *base = arena_strndup(c->arena, name, strcspn(name, "."));
	int index = c->table ? name_find_typed(c->table->reg, c->table->n_regs, base) : -ENOENT;
	struct typed *typed;

	*ret_ref = (struct ref){.kind = REF_MEMBER, .of = REF_REGISTER, .index = index};
	if (index >= 0) {
		typed = &c->table->reg[index];
	} else {
		index = name_find_typed(c->app->var, c->app->n_vars, base);
		if (index < 0)
			return NULL;
		*ret_ref = (struct ref){.kind = REF_MEMBER, .of = REF_VARIABLE, .index = index};
		typed = &c->app->var[index];
	}
	return typed->group ? typed : NULL;
}

bool expr_resolve_member(struct checker *c, struct expr *e, const char *value, bool *ret_found)
{
	struct ref ref;
	struct typed *typed = find_member_name(c, e->name, &ref);

	*ret_found = typed != NULL;
	if (!typed)
		return false;
	if (c->place == PLACE_TIMEOUT)
		return expr_refuse_packet(c, e);
	if (c->place == PLACE_ABSENT && ref.of == REF_REGISTER) {
		ERROR(c, e->loc, "there is no record where the key is absent, so no register \"%s\"", typed->name);
		return false;
	}
	typed->read = true;
	e->ref = ref;
	return group_resolve_value(c, e, typed->group - 1, value);
}

static bool resolve_dotted(struct checker *c, struct expr *e)
{
	const struct field *field = app_find_field(c->app, e->name);
	bool found, good;

	if (c->place == PLACE_CONSTANT) {
		ERROR(c, e->loc,
		      "\"%s\" is no constant: only numbers, parameters and arithmetic on them can stand here", e->name);
		return false;
	}
	if (field && c->place == PLACE_TIMEOUT)
		return expr_refuse_packet(c, e);
	if (field && field_is_declared(field))
		c->app->header[field->load.need - PRESENT_CUSTOM].read = true;
	if (field)
		return set_field(c, e, field);
	good = expr_resolve_member(c, e, strchr(e->name, '.') + 1, &found);
	return found ? good : expr_resolve_register(c, e, strchr(e->name, '.'));
}

static bool resolve_let(struct checker *c, struct expr *e, int index)
{
	const struct expr *value = c->table->let[index].expr;

	if (!value)
		return false; /* Reported where it is declared. */
	c->table->let[index].used = true;
	e->ref = (struct ref){.kind = REF_LET, .index = index};
	e->type = value->type;
	e->constant = value->constant;
	e->hi = value->hi;
	e->value = value->value;
	return true;
}

static bool resolve_register(struct checker *c, struct expr *e, int index)
{
	if (c->place == PLACE_ABSENT) {
		ERROR(c, e->loc, "there is no record where the key is absent, so no register \"%s\"", e->name);
		return false;
	}
	c->table->reg[index].read = true;
	e->ref = (struct ref){.kind = REF_REGISTER, .index = index};
	e->type = c->table->reg[index].type;
	return true;
}

/* Names of things that change from packet to packet. */
static bool resolve_changing(struct checker *c, struct expr *e, bool *ret_found)
{
	unsigned cell, bits;
	int index;

	*ret_found = true;
	if (name_find_meta(e->name, &cell, &e->type, &bits) == 0) {
		if (c->place == PLACE_TIMEOUT && cell != CELL_NOW)
			return expr_refuse_packet(c, e);
		e->ref = (struct ref){.kind = REF_META, .cell = cell};
		return true;
	}
	index = name_find_typed(c->app->var, c->app->n_vars, e->name);
	if (index >= 0 && c->place == PLACE_TIMEOUT)
		return expr_refuse_packet(c, e);
	if (index >= 0) {
		c->app->var[index].read = true;
		e->ref = (struct ref){.kind = REF_VARIABLE, .index = index};
		e->type = c->app->var[index].type;
		return true;
	}
	index = name_find_global(c->app, e->name);
	if (index >= 0) {
		c->app->global[index].read = true;
		e->ref = (struct ref){.kind = REF_GLOBAL, .index = index};
		e->type = c->app->global[index].type;
		return true;
	}
	index = c->table ? name_find_let(c->table, e->name) : -ENOENT;
	if (index >= 0 && c->place == PLACE_TIMEOUT)
		return expr_refuse_packet(c, e);
	if (index >= 0)
		return resolve_let(c, e, index);
	index = c->table ? name_find_typed(c->table->reg, c->table->n_regs, e->name) : -ENOENT;
	if (index >= 0)
		return resolve_register(c, e, index);
	*ret_found = false;
	return false;
}

static bool resolve_word(struct checker *c, struct expr *e, enum value_type hint)
{
	struct value value = {};
	bool found, good;

	if (strcmp(e->name, "random") == 0 && c->place == PLACE_TIMEOUT)
		return expr_refuse_packet(c, e);
	if (strcmp(e->name, "random") == 0) {
		e->kind = EXPR_CALL;
		e->type = TYPE_U64;
		return true;
	}
	if (name_find_constant(hint, e->name, &value.type, &value.lo) == 0) {
		expr_set_constant(e, &value);
		return true;
	}
	good = resolve_changing(c, e, &found);
	if (!found)
		name_report_unknown(c, e->loc, e->name);
	else if (good && c->place == PLACE_CONSTANT && !e->constant) {
		ERROR(c, e->loc,
		      "\"%s\" is no constant: only numbers, parameters and arithmetic on them can stand here", e->name);
		return false;
	}
	return good;
}

bool expr_resolve_name(struct checker *c, struct expr *e, enum value_type hint)
{
	const struct parameter *param = name_use_parameter(c->app, e->name);

	if (param)
		return resolve_parameter(c, e, param);
	return strchr(e->name, '.') ? resolve_dotted(c, e) : resolve_word(c, e, hint);
}
