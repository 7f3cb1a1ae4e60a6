/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps of do: and action:, resolved and typed. */
#include <inttypes.h>

#include "app_check.h"

/* What `do` and `on_timeout` may write: the table's own registers, globals, and (`do` only) packet variables. */
static bool check_do_target(struct checker *c, struct expr *lhs)
{
	struct typed *typed;

	switch (lhs->ref.kind) {
	case REF_REGISTER: typed = &c->table->reg[lhs->ref.index]; break;
	case REF_VARIABLE: typed = &c->app->var[lhs->ref.index]; break;
	case REF_GLOBAL: c->app->global[lhs->ref.index].written = true; return true;
	case REF_FIELD:
		ERROR(c, lhs->loc, "\"%s\" is a packet field: fields are written in action:", lhs->name);
		return false;
	case REF_TABLE_REGISTER:
		ERROR(c, lhs->loc, "\"%s\" can only be read; a table writes its own registers", lhs->name);
		return false;
	default:
		ERROR(c, lhs->loc, "\"%s\" cannot be written: do: writes registers, variables and globals", lhs->name);
		return false;
	}
	typed->written = true;
	return true;
}

static bool check_action_target(struct checker *c, struct expr *lhs)
{
	switch (lhs->ref.kind) {
	case REF_VARIABLE: c->app->var[lhs->ref.index].written = true; return true;
	case REF_FIELD:
		if (lhs->ref.field->writable)
			return true;
		ERROR(c, lhs->loc, "\"%s\" can only be read", lhs->name);
		return false;
	case REF_GLOBAL: ERROR(c, lhs->loc, "\"%s\" is a global: globals are written in do:", lhs->name); return false;
	case REF_REGISTER:
		ERROR(c, lhs->loc, "\"%s\" is a register: registers are written in do:", lhs->name);
		return false;
	default:
		ERROR(c, lhs->loc, "\"%s\" cannot be written: action: writes fields and variables", lhs->name);
		return false;
	}
}

/* Resolving counts as reading; a plain "=" does not read. */
static bool resolve_target(struct checker *c, struct stmt *stmt)
{
	struct expr *lhs = stmt->lhs;
	struct typed *typed = NULL;
	int index = name_find_typed(c->app->var, c->app->n_vars, lhs->name);
	bool was_read;

	if (index >= 0)
		typed = &c->app->var[index];
	index = name_find_typed(c->table->reg, c->table->n_regs, lhs->name);
	if (index >= 0)
		typed = &c->table->reg[index];
	was_read = typed && typed->read;
	if (!expr_resolve_name(c, lhs, TYPE_U64))
		return false;
	if (typed && stmt->op == EOP_NONE)
		typed->read = was_read;
	return c->place == PLACE_DO || c->place == PLACE_TIMEOUT ? check_do_target(c, lhs)
								 : check_action_target(c, lhs);
}

/* A constant that changes its meaning where it is put. */
static void check_sign(struct checker *c, const struct stmt *stmt)
{
	const struct expr *value = stmt->value;

	if (!value->constant || value->value <= INT64_MAX || (stmt->lhs->type == TYPE_INT) == (value->type == TYPE_INT))
		return;
	if (stmt->lhs->type == TYPE_INT)
		ERROR(c, value->loc, "%" PRIu64 " does not fit in a signed number", value->value);
	else if (stmt->lhs->ref.kind != REF_FIELD)
		WARN(c, value->loc, "\"%s\" is not signed: %" PRId64 " becomes %" PRIu64, stmt->lhs->name,
		     (int64_t)value->value, value->value);
}

static void check_assignment(struct checker *c, struct stmt *stmt)
{
	bool good = resolve_target(c, stmt);
	enum value_type to = good ? stmt->lhs->type : TYPE_U64, from;

	good &= expr_check(c, stmt->value, to);
	if (!good)
		return;
	from = stmt->value->type;
	if (stmt->op != EOP_NONE) {
		from = expr_combine(c, stmt->lhs, stmt->op, stmt->lhs, stmt->value);
		if (from == TYPE_MAX)
			return;
	}
	if (type_assignable(to, from) && stmt->op == EOP_NONE)
		check_sign(c, stmt);
	if (!type_assignable(to, from))
		ERROR(c, stmt->value->loc, "\"%s\" holds %s and cannot become %s", stmt->lhs->name, type_noun(to),
		      type_noun(from));
}

static void check_output(struct checker *c, struct stmt *stmt)
{
	struct expr *port = stmt->value;

	if (!expr_check(c, port, TYPE_PORT))
		return;
	if (!type_is_plain(port->type) && port->type != TYPE_SIZE)
		ERROR(c, port->loc, "%s() takes a port, not %s", stmt_word(stmt), type_noun(port->type));
	else if (port->constant && port->type != TYPE_PORT && (port->value < 1 || port->value > PORTS_MAX))
		ERROR(c, port->loc, "port numbers are 1 to %d", PORTS_MAX);
}

static void check_goto(struct checker *c, struct stmt *stmt)
{
	int own = c->table - c->app->table, target = name_find_table(c->app, stmt->name);
	const struct app_table *other;
	const char *names[APP_TABLES_MAX];

	for (size_t i = 0; i < c->app->n_tables; i++)
		names[i] = c->app->table[i].name;
	if (target < 0) {
		ERROR(c, stmt->loc, "unknown table \"%s\"%s", stmt->name,
		      did_you_mean(c, stmt->name, names, c->app->n_tables));
		return;
	}
	other = &c->app->table[target];
	if (target == own)
		ERROR(c, stmt->loc, "goto(%s) would stay in the same table; goto leads to a later one", stmt->name);
	else if (target < own)
		ERROR(c, stmt->loc,
		      "goto(%s) leads backwards (line %u); goto leads to a later table, so that every packet ends",
		      stmt->name, other->loc.line);
	else if (other->hook >= 0 && c->table->hook >= 0 && other->hook != c->table->hook)
		ERROR(c, stmt->loc, "goto(%s) leads to another hook: this table runs at %s, that one at %s", stmt->name,
		      value_name_of(TYPE_HOOK, c->table->hook), value_name_of(TYPE_HOOK, other->hook));
	stmt->target = target;
}

static void check_segment(struct checker *c, struct stmt *stmt)
{
	struct expr *value = stmt->value;

	if (!expr_check(c, value, TYPE_ADDR))
		return;
	if (value->type != TYPE_ADDR)
		ERROR(c, value->loc, "a segment is an IPv6 address, not %s", type_noun(value->type));
	else if (value->constant && value_is_ipv4(value->hi, value->value))
		ERROR(c, value->loc, "a segment is an IPv6 address");
}

/* Something besides the packet itself. */
static void check_beside(struct checker *c, const struct stmt *stmt)
{
	if (c->table->hook == HOOK_XDP)
		ERROR(c, stmt->loc,
		      "%s() sends something besides the packet, which XDP cannot; it needs hook: tc-ingress or "
		      "tc-egress",
		      stmt_word(stmt));
}

static void check_step(struct checker *c, struct stmt *stmt)
{
	if (c->place == PLACE_TIMEOUT && stmt->kind != STMT_ASSIGN && stmt->kind != STMT_NOTIFY) {
		ERROR(c, stmt->loc,
		      "there is no packet when a state times out: on_timeout: has assignments and notify, no \"%s\"",
		      stmt_word(stmt));
		return;
	}
	switch (stmt->kind) {
	case STMT_ASSIGN: check_assignment(c, stmt); break;
	case STMT_VERDICT:
		if (stmt->verdict == VERDICT_OUTPUT)
			check_output(c, stmt);
		if (stmt->verdict == VERDICT_GOTO)
			check_goto(c, stmt);
		if (stmt->verdict == VERDICT_GROUP)
			group_check_verdict(c, stmt);
		break;
	case STMT_SEGMENT: check_segment(c, stmt); break;
	case STMT_MIRROR:
	case STMT_EMIT:
		check_beside(c, stmt);
		check_output(c, stmt);
		break;
	case STMT_EMITTED: /* Its port is its emit()'s. */
	case STMT_PUSH:
	case STMT_POP:
	case STMT_NEXT_SEGMENT:
	case STMT_BECOME:
	case STMT_PUSH_VLAN:
	case STMT_POP_VLAN:
	case STMT_NOTIFY:
	case STMT_CONTROLLER: break;
	}
}

/* become() and emit() are followed by what they write. */
static void use_templates(struct checker *c, struct stmt_list *list)
{
	struct stmt_list whole = {};

	for (size_t i = 0; i < list->n; i++) {
		if (list->item[i].kind == STMT_BECOME || list->item[i].kind == STMT_EMIT) {
			template_use(c, &list->item[i], &whole);
			continue;
		}
		GROW(c, whole.item, whole.n);
		whole.item[whole.n++] = list->item[i];
	}
	*list = whole;
}

void stmt_check_node(struct checker *c, const struct yaml_node *node, enum place place, struct stmt_list *ret_list)
{
	struct stmt_list list = {};
	bool is_action = place != PLACE_DO;

	if (!node_text(c, node,
		       place == PLACE_TIMEOUT ? "assignments or notify, like \"n = 0; notify\""
		       : is_action	      ? "steps, like \"ip.ttl -= 1; drop\""
					      : "assignments, like \"n += 1\"") ||
	    stmt_parse_yaml(c->arena, node, is_action, c->diags, &list) < 0)
		return;
	c->place = place;
	use_templates(c, &list);
	for (size_t i = 0; i < list.n; i++)
		check_step(c, &list.item[i]);
	*ret_list = list;
}
