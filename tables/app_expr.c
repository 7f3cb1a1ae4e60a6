/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types of expressions; `in` and calls. */
#include <stdlib.h>

#include "app_check.h"

/* ---- `in` ---- */

static struct expr *new_binary(struct checker *c, const struct expr *at, enum expr_op op, struct expr *a,
			       struct expr *b)
{
	struct expr *e = arena_alloc(c->arena, sizeof(*e));

	*e = (struct expr){.kind = EXPR_BINARY, .op = op, .loc = at->loc, .n_args = 2, .type = TYPE_BOOL};
	e->arg = arena_alloc_array(c->arena, 2, sizeof(*e->arg));
	e->arg[0] = a;
	e->arg[1] = b;
	return e;
}

static struct expr *new_literal(struct checker *c, const struct expr *at, const struct value *value, uint64_t hi,
				uint64_t lo)
{
	struct expr *e = arena_alloc(c->arena, sizeof(*e));
	struct value one = *value;

	one.hi = hi;
	one.lo = lo;
	e->loc = at->loc;
	expr_set_constant(e, &one);
	if (!value->range)
		e->name = value->text;
	return e;
}

static bool check_range(struct checker *c, const struct expr *x, const struct expr *first, const struct expr *last)
{
	const struct value a = {.hi = first->hi, .lo = first->value}, b = {.hi = last->hi, .lo = last->value};
	const char *mistake = "a prefix can be no end of a range";

	if (!first->constant || !last->constant)
		return true;
	if (first->type != TYPE_PREFIX && last->type != TYPE_PREFIX)
		mistake = value_range_mistake(x->type == TYPE_ADDR				? TYPE_ADDR
					      : expr_is_signed(EOP_LE, first->type, last->type) ? TYPE_INT
												: x->type,
					      &a, &b);
	if (mistake)
		ERROR(c, first->loc, "%s", mistake);
	return !mistake;
}

/* x == a; x >= a and x <= b; x in prefix.  All parts are checked already. */
static struct expr *member_test(struct checker *c, const struct expr *at, struct expr *x, struct expr *first,
				struct expr *last)
{
	struct expr *test, *upper;

	if (first->type == TYPE_PREFIX && !last) {
		if (x->type == TYPE_ADDR)
			return new_binary(c, at, EOP_IN, x, first);
		ERROR(c, first->loc, "only an address can be in a prefix");
		return NULL;
	}
	if (last && !check_range(c, x, first, last))
		return NULL;
	test = new_binary(c, at, last ? EOP_GE : EOP_EQ, x, first);
	if (expr_combine(c, at, test->op, x, first) == TYPE_MAX || !expr_fold(c, test))
		return NULL;
	if (!last)
		return test;
	upper = new_binary(c, at, EOP_LE, x, last);
	if (expr_combine(c, at, EOP_LE, x, last) == TYPE_MAX || !expr_fold(c, upper))
		return NULL;
	test = new_binary(c, at, EOP_AND, test, upper);
	return expr_fold(c, test) ? test : NULL;
}

static bool add_test(struct checker *c, const struct expr *at, struct expr **tests, struct expr *test)
{
	if (test)
		*tests = *tests ? new_binary(c, at, EOP_OR, *tests, test) : test;
	return test && expr_fold(c, *tests);
}

static bool add_list_parameter(struct checker *c, struct expr *e, const struct parameter *param, struct expr **tests)
{
	bool good = true;

	for (size_t i = 0; i < param->value.n_items; i++) {
		const struct value *item = &param->value.item[i];
		struct expr *first = new_literal(c, e, item, item->hi, item->lo);
		struct expr *last = item->range ? new_literal(c, e, item, item->last_hi, item->last) : NULL;

		good &= add_test(c, e, tests, member_test(c, e, e->arg[0], first, last));
	}
	return good;
}

static bool add_member(struct checker *c, struct expr *e, struct expr *member, struct expr **tests)
{
	struct expr *x = e->arg[0], *last = NULL;
	const struct parameter *param = member->kind == EXPR_NAME ? name_use_parameter(c->app, member->name) : NULL;

	if (param && param->type == TYPE_LIST)
		return add_list_parameter(c, e, param, tests);
	if (member->kind == EXPR_RANGE) {
		last = member->arg[1];
		member = member->arg[0];
	}
	if (!expr_check(c, member, x->type) || (last && !expr_check(c, last, x->type)))
		return false;
	return add_test(c, e, tests, member_test(c, e, x, member, last));
}

static bool draws_random(const struct expr *e)
{
	if (e->kind == EXPR_CALL && strcmp(e->name, "random") == 0)
		return true;
	for (unsigned i = 0; i < e->n_args; i++)
		if (draws_random(e->arg[i]))
			return true;
	return false;
}

/* Turns `x in set` into comparisons, so that nothing behind the checker knows sets. */
static bool check_in(struct checker *c, struct expr *e)
{
	struct expr *set = e->arg[1], *tests = NULL;
	bool good = true;

	if (!expr_check(c, e->arg[0], TYPE_U64))
		return false;
	if (draws_random(e->arg[0])) {
		ERROR(c, e->loc,
		      "\"random\" cannot stand before \"in\", which looks at it several times: name it with let:");
		return false;
	}
	if (set->kind != EXPR_SET)
		good = add_member(c, e, set, &tests);
	for (unsigned i = 0; set->kind == EXPR_SET && i < set->n_args; i++)
		good &= add_member(c, e, set->arg[i], &tests);
	if (!good || !tests)
		return false;
	*e = *tests;
	return true;
}

/* ---- calls ---- */

static bool reads_record(const struct checker *c, const struct expr *e)
{
	if (e->ref.kind == REF_REGISTER ||
	    (e->ref.kind == REF_TABLE_REGISTER && &c->app->table[e->ref.table] == c->table))
		return true;
	if (e->ref.kind == REF_LET)
		return reads_record(c, c->table->let[e->ref.index].expr);
	for (unsigned i = 0; i < e->n_args; i++)
		if (reads_record(c, e->arg[i]))
			return true;
	return false;
}

/* "TABLE.NAME": there if the table had a record in this run. */
static bool names_table(struct checker *c, const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && name_find_table(c->app, arena_strndup(c->arena, name, dot - name)) >= 0;
}

/* A register that names a member is there if the member is. */
static bool has_table_member(struct checker *c, struct expr *arg)
{
	const struct typed *reg = &c->app->table[arg->ref.table].reg[arg->ref.index];

	if (arg->ref.kind != REF_TABLE_REGISTER || !reg->group)
		return true;
	arg->ref.kind = REF_MEMBER;
	arg->ref.of = REF_TABLE_REGISTER;
	return group_resolve_value(c, arg, reg->group - 1, MEMBER_ITSELF);
}

static bool check_has(struct checker *c, struct expr *e)
{
	const struct parameter *param;
	const struct field *field;
	struct expr *arg = e->n_args == 1 ? e->arg[0] : NULL;
	const char *nearest;
	enum value_type type;
	unsigned cell, bits;
	bool found, good;
	int declared;

	e->type = TYPE_BOOL;
	if (!arg || arg->kind != EXPR_NAME) {
		ERROR(c, e->loc, "has() takes the name of a header or a field, like has(tcp)");
		return false;
	}
	param = name_use_parameter(c->app, arg->name);
	field = param && param->type == TYPE_FIELD ? param->value.field : app_find_field(c->app, arg->name);
	if (field && field_is_declared(field))
		c->app->header[field->load.need - PRESENT_CUSTOM].read = true;
	if (field) {
		e->value = field->needs;
		return true;
	}
	if (header_find(arg->name, &e->value) == 0)
		return true;
	if (name_find_meta(arg->name, &cell, &type, &bits) == 0) {
		WARN(c, arg->loc, "\"%s\" is always there", arg->name);
		return true;
	}
	good = expr_resolve_member(c, arg, MEMBER_ITSELF, &found);
	if (found)
		return good;
	if (names_table(c, arg->name))
		return expr_resolve_register(c, arg, strchr(arg->name, '.')) && has_table_member(c, arg);
	declared = name_find_header(c->app, arg->name);
	if (declared >= 0) {
		c->app->header[declared].read = true;
		e->value = 1ULL << (PRESENT_CUSTOM + declared);
		return true;
	}
	nearest = strchr(arg->name, '.') ? field_nearest(arg->name) : header_nearest(arg->name);
	if (field_is_planned(arg->name))
		ERROR(c, arg->loc, "has(%s) is not yet supported", arg->name);
	else if (c->table && name_find_typed(c->table->reg, c->table->n_regs, arg->name) >= 0)
		ERROR(c, arg->loc, "register \"%s\" names no member of a group, so it is always there", arg->name);
	else if (nearest)
		ERROR(c, arg->loc, "unknown header or field \"%s\"; did you mean \"%s\"?", arg->name, nearest);
	else
		ERROR(c, arg->loc, "unknown header or field \"%s\"", arg->name);
	return false;
}

static bool check_hash(struct checker *c, struct expr *e)
{
	if (!e->n_args) {
		ERROR(c, e->loc, "hash() takes at least one value");
		return false;
	}
	for (unsigned i = 0; i < e->n_args; i++) {
		if (e->arg[i]->type == TYPE_PREFIX || e->arg[i]->type == TYPE_FRACTION) {
			ERROR(c, e->arg[i]->loc, "hash() of %s makes no sense", type_noun(e->arg[i]->type));
			return false;
		}
		if (reads_record(c, e->arg[i])) {
			ERROR(c, e->arg[i]->loc,
			      "hash() is drawn before the record is locked: it takes fields, variables and constants, "
			      "no registers");
			return false;
		}
	}
	e->type = TYPE_U64;
	return true;
}

static bool check_pair(struct checker *c, struct expr *e, bool serial)
{
	enum value_type type;

	if (e->n_args != 2) {
		ERROR(c, e->loc, "%s() takes two values", e->name);
		return false;
	}
	type = expr_combine(c, e, EOP_LT, e->arg[0], e->arg[1]);
	if (type == TYPE_MAX)
		return false;
	if (serial)
		e->type = TYPE_BOOL;
	else if (expr_is_signed(EOP_LT, e->arg[0]->type, e->arg[1]->type))
		e->type = TYPE_INT;
	else
		e->type = type_is_plain(e->arg[0]->type) ? e->arg[1]->type : e->arg[0]->type;
	return expr_fold(c, e);
}

static bool check_call(struct checker *c, struct expr *e)
{
	static const char *const known[] = {"min", "max", "seq_lt", "seq_le", "hash",	"random",
					    "has", "avg", "var",    "ewma",   "select", "meter"};
	bool good = true;

	if (c->place == PLACE_TIMEOUT &&
	    (strcmp(e->name, "has") == 0 || strcmp(e->name, "hash") == 0 || strcmp(e->name, "random") == 0 ||
	     strcmp(e->name, "select") == 0 || strcmp(e->name, "meter") == 0))
		return expr_refuse_packet(c, e);
	if (strcmp(e->name, "select") == 0)
		return group_check_select(c, e);
	if (strcmp(e->name, "meter") == 0)
		return meter_check_call(c, e);
	if (strcmp(e->name, "has") == 0)
		return check_has(c, e);
	for (unsigned i = 0; i < e->n_args; i++)
		good &= expr_check(c, e->arg[i], i ? e->arg[0]->type : TYPE_U64);
	if (!good)
		return false;
	if (strcmp(e->name, "hash") == 0)
		return check_hash(c, e);
	if (strcmp(e->name, "min") == 0 || strcmp(e->name, "max") == 0)
		return check_pair(c, e, false);
	if (strcmp(e->name, "seq_lt") == 0 || strcmp(e->name, "seq_le") == 0)
		return check_pair(c, e, true);
	if (helper_find(e->name))
		return helper_check(c, e);
	if (strcmp(e->name, "random") == 0 && !e->n_args) {
		e->type = TYPE_U64;
		return true;
	}
	if (strcmp(e->name, "random") == 0)
		ERROR(c, e->loc, "random() takes no values");
	else
		ERROR(c, e->loc, "unknown helper \"%s\"%s", e->name,
		      did_you_mean(c, e->name, known, ARRAY_SIZE(known)));
	return false;
}

/* ---- operators ---- */

static bool check_unary(struct checker *c, struct expr *e)
{
	enum value_type type;

	if (!expr_check(c, e->arg[0], TYPE_U64))
		return false;
	type = e->arg[0]->type;
	if (e->op == EOP_NOT && type != TYPE_BOOL) {
		ERROR(c, e->loc, "\"not\" needs a condition; a number becomes one by \"!= 0\"");
		return false;
	}
	if (type == TYPE_ADDR || type == TYPE_PREFIX || type == TYPE_FRACTION) {
		ERROR(c, e->loc, "\"%s\" of %s makes no sense", expr_op_text(e->op), type_noun(type));
		return false;
	}
	e->type = e->op == EOP_NOT ? TYPE_BOOL : e->op == EOP_NEG || type == TYPE_INT ? TYPE_INT : TYPE_U64;
	return expr_fold(c, e);
}

static bool check_binary(struct checker *c, struct expr *e)
{
	bool good;

	if (e->op == EOP_IN)
		return check_in(c, e);
	good = expr_check(c, e->arg[0], TYPE_U64);
	good &= expr_check(c, e->arg[1], good ? e->arg[0]->type : TYPE_U64);
	if (!good)
		return false;
	e->type = expr_combine(c, e, e->op, e->arg[0], e->arg[1]);
	if (e->type == TYPE_MAX)
		return false;
	if ((e->op == EOP_DIV || e->op == EOP_MOD) && e->arg[1]->constant && !e->arg[1]->value && !e->arg[0]->constant)
		WARN(c, e->loc, "division by 0: the result is %s", e->op == EOP_DIV ? "all ones" : "0");
	return expr_fold(c, e);
}

static void trim_prefix(struct checker *c, struct expr *e)
{
	struct value value = {.hi = e->hi, .lo = e->value, .prefix_len = e->prefix_len};

	value_trim_prefix(c, e->loc, e->name, &value);
	e->hi = value.hi;
	e->value = value.lo;
}

bool expr_check(struct checker *c, struct expr *e, enum value_type hint)
{
	switch (e->kind) {
	case EXPR_NUMBER:
	case EXPR_ADDRESS:
	case EXPR_MAC: e->constant = true; return true;
	case EXPR_PREFIX: trim_prefix(c, e); return true;
	case EXPR_NAME: return expr_resolve_name(c, e, hint);
	case EXPR_UNARY: return check_unary(c, e);
	case EXPR_BINARY: return check_binary(c, e);
	case EXPR_CALL: return check_call(c, e);
	case EXPR_SET:
	case EXPR_RANGE: break;
	}
	ERROR(c, e->loc, "a set can only stand behind \"in\"");
	return false;
}

struct expr *expr_check_node(struct checker *c, const struct yaml_node *node, enum place place)
{
	const char *text = node_text(c, node, "an expression");
	struct expr *e = text ? expr_parse_yaml(c->arena, node, c->diags) : NULL;

	c->place = place;
	return e && expr_check(c, e, TYPE_U64) ? e : NULL;
}

int expr_constant_node(struct checker *c, const struct yaml_node *node, enum value_type type, uint64_t *ret_value,
		       char **ret_text)
{
	struct expr *e = expr_check_node(c, node, PLACE_CONSTANT);
	char *text;

	if (!e)
		return -EINVAL;
	if (!e->constant) {
		ERROR(c, node->loc, "\"%s\" is no constant", node->text);
		return -EINVAL;
	}
	if (type == TYPE_U64 ? !type_is_plain(e->type) : e->type != type) {
		ERROR(c, node->loc, "expected %s%s, but \"%s\" is %s", type_noun(type),
		      type == TYPE_DURATION ? " like 10ms" : "", node->text, type_noun(e->type));
		return -EINVAL;
	}
	text = expr_render(e);
	*ret_text = arena_strdup(c->arena, text ? text : node->text);
	free(text);
	*ret_value = e->value;
	return 0;
}
