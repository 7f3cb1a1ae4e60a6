/* SPDX-License-Identifier: GPL-2.0-or-later */
/* app_check - what the app_*.c files share while they turn YAML into a checked application.
 *
 * Every function reports its mistakes to c->diags and goes on, so that one run shows them all; whether
 * the application is good is decided at the end by the number of errors.  All memory is the arena's. */
#ifndef MEALY_APP_CHECK_H
#define MEALY_APP_CHECK_H

#include <errno.h>
#include <string.h>

#include "../common/arena.h"
#include "../common/cleanup.h"
#include "app.h"
#include "span.h"
#include "yaml.h"

enum {
	CAPACITY_MAX = 1 << 24,
	CAPACITY_SOON_MAX = 10000, /* Of a table that is scanned every 10 ms. */
	KEY_BITS_MAX = KEY_WORDS_MAX * 64,
	RECORD_WORDS_MAX = RECORD_WORDS(RECORD_256) - FLOW_HEAD_WORDS
};
#define TIMEOUT_MAX_NS (1ULL << 60)

/* Where an expression stands: what it may name depends on it. */
enum place {
	PLACE_CONSTANT, /* Times and capacity: literals, parameters. */
	PLACE_LET,
	PLACE_WHEN,
	PLACE_DO,
	PLACE_ACTION,
	PLACE_ABSENT,  /* `absent:` of a table: there is no record. */
	PLACE_TIMEOUT, /* `on_timeout:` of a state: there is no packet. */
};

struct checker {
	struct arena *arena;
	struct diag_list *diags;
	struct app *app;
	const struct setting *settings;
	size_t n_settings;
	const struct port_names *ports;
	struct app_table *table; /* Being checked; NULL outside of tables. */
	enum place place;
	bool entry_key; /* The key of a match table is being read. */
	bool planned;	/* Something was refused with "not yet"; what depends on it would only confuse. */
	struct yaml_node **table_node; /* By table. */
};

#define ERROR(c, loc, ...) diag_error((c)->diags, loc, __VA_ARGS__)
#define WARN(c, loc, ...)  diag_warn((c)->diags, loc, __VA_ARGS__)
#define GROW(c, array, n)  ((array) = arena_grow((c)->arena, array, n, sizeof(*(array))))

/* ---- app_node.c: YAML nodes ---- */

/* Reports every key of 'map' that is neither in 'known' nor in 'planned' (both end with NULL); for the latter it
 * says "not yet".  'what' names the map for people ("a rule").  False when 'map' is no map at all. */
bool node_check_keys(struct checker *c, const struct yaml_node *map, const char *what, const char *const *known,
		     const char *const *planned);
/* The text under 'node', or NULL (reported) when it is a list, a map or empty. */
const char *node_text(struct checker *c, const struct yaml_node *node, const char *what);
/* The same for a name: letters, digits, "_", and "-" when 'with_dash'. */
char *node_name(struct checker *c, const struct yaml_node *node, const char *what, bool with_dash);
/* False (reported) when 'node' is no list. */
bool node_is_list(struct checker *c, const struct yaml_node *node, const char *what);
/* "text", or "[a, b]": a value as one line for people. */
char *node_flat(struct checker *c, const struct yaml_node *node);
/* "; did you mean "x"?", or "". */
const char *did_you_mean(struct checker *c, const char *word, const char *const *candidates, size_t n);

/* ---- app_name.c: the one name space ---- */

int name_find_meta(const char *name, unsigned *ret_cell, enum value_type *ret_type, unsigned *ret_bits);
int name_find_typed(const struct typed *typed, size_t n, const char *name);
int name_find_table(const struct app *app, const char *name);
int name_find_global(const struct app *app, const char *name);
int name_find_header(const struct app *app, const char *name);
int name_find_let(const struct app_table *table, const char *name);
struct parameter *name_find_parameter(const struct app *app, const char *name);
/* The same where the application uses it. */
struct parameter *name_use_parameter(const struct app *app, const char *name);
/* A named constant of any type; a type other than TYPE_U64 in 'hint' is tried first. */
int name_find_constant(enum value_type hint, const char *name, enum value_type *ret_type, uint64_t *ret_value);
/* Reports when 'name' hides something; 'what' is what it would name ("register"). */
bool name_check_free(struct checker *c, struct loc loc, const char *name, const char *what);
/* Says that 'name' is unknown, with the nearest of all names that could stand there. */
void name_report_unknown(struct checker *c, struct loc loc, const char *name);
/* "time start" -> a typed name. */
bool name_parse_typed(struct checker *c, const struct yaml_node *node, const char *what, struct typed *ret_typed);
void name_parse_typed_list(struct checker *c, const struct yaml_node *node, const char *what, struct typed **ret_typed,
			   size_t *ret_n, unsigned max);

/* ---- app_template.c: templates ---- */

void app_check_templates(struct checker *c, const struct yaml_node *map);
/* Appends a use of a template and what follows from it: assignments to its fields, still to be checked. */
void template_use(struct checker *c, struct stmt *use, struct stmt_list *list);

/* ---- app_value.c: constants and parameters ---- */

void app_check_parameters(struct checker *c, const struct yaml_node *map);
/* Is a <= b, of values of 'type'? */
bool value_in_order(enum value_type type, const struct value *a, const struct value *b);
bool value_is_ipv4(uint64_t hi, uint64_t lo);
/* What is wrong with first-last, or NULL. */
const char *value_range_mistake(enum value_type type, const struct value *first, const struct value *last);
/* A literal, "a-b", or a named constant.  NULL in 'what' of no value: returns -EINVAL (reported). */
int value_parse_constant(struct checker *c, const char *text, struct loc loc, struct value *ret_value);
/* Clears the bits behind a prefix, with a warning when there were any. */
void value_trim_prefix(struct checker *c, struct loc loc, const char *text, struct value *value);

/* ---- app_global.c, app_header.c ---- */

void app_check_globals(struct checker *c, const struct yaml_node *map);
/* At most one global is written by 'list', which belongs to 'what' ("rule \"x\""). */
void global_check_writes(struct checker *c, const struct stmt_list *list, const char *what);
void app_check_headers(struct checker *c, const struct yaml_node *map);

/* ---- app_group.c, app_meter.c ---- */

/* Their names first, for registers and variables that name members. */
void app_declare_groups(struct checker *c, const struct yaml_node *map);
void app_check_groups(struct checker *c, const struct yaml_node *map);
int name_find_group(const struct app *app, const char *name);
/* What stands behind the dot of "MEMBER.VALUE", for a register or variable that 'e' already names; false (reported) if
 * its group has no such value. */
bool group_resolve_value(struct checker *c, struct expr *e, unsigned group, const char *value);
bool group_check_select(struct checker *c, struct expr *e);
void group_check_verdict(struct checker *c, struct stmt *stmt);

void app_check_meters(struct checker *c, const struct yaml_node *map, struct app_meter **ret_meter, size_t *ret_n,
		      unsigned max);
/* Behind the registers: those that hold the state of the table's own. */
void meter_add_registers(struct checker *c, struct app_table *t);
int name_find_meter(const struct app_meter *meter, size_t n, const char *name);
bool meter_check_call(struct checker *c, struct expr *e);
/* A rule's `do` charges at most one meter. */
void meter_check_rule(struct checker *c, const struct stmt_list *do_, struct loc loc);

/* ---- app_expr.c, app_resolve.c, app_fold.c: expressions ---- */

/* Resolves and types 'e' for c->place; false when something was wrong.  'hint' is the type it will be compared with or
 * assigned to. */
bool expr_check(struct checker *c, struct expr *e, enum value_type hint);
struct expr *expr_check_node(struct checker *c, const struct yaml_node *node, enum place place);
/* Resolves only the name. */
bool expr_resolve_name(struct checker *c, struct expr *e, enum value_type hint);
/* ... 'dot' in which stands between a table and its register. */
bool expr_resolve_register(struct checker *c, struct expr *e, const char *dot);
/* 'value' of the member that the register or variable before the dot names, or of that which is all of the name
 * (MEMBER_ITSELF asks whether it is there).  '*ret_found' is false, and nothing reported, if the name is none of such.
 */
#define MEMBER_ITSELF ""
bool expr_resolve_member(struct checker *c, struct expr *e, const char *value, bool *ret_found);
/* Makes 'e' the constant 'value'. */
void expr_set_constant(struct expr *e, const struct value *value);
/* Reports that 'e' needs a packet, where a state times out without one; false. */
bool expr_refuse_packet(struct checker *c, const struct expr *e);
/* The type of 'a op b'; TYPE_MAX (reported) when it makes no sense. */
enum value_type expr_combine(struct checker *c, const struct expr *e, enum expr_op op, const struct expr *a,
			     const struct expr *b);
/* Computes operations on constants; false (reported) when they overflow. */
bool expr_fold(struct checker *c, struct expr *e);
/* Can a value of type 'from' be assigned to 'to'? */
bool type_assignable(enum value_type to, enum value_type from);
bool type_is_plain(enum value_type type);
/* "an address" */
const char *type_noun(enum value_type type);
/* A constant number under 'node' (a time, a capacity): 0 or -EINVAL (reported). */
int expr_constant_node(struct checker *c, const struct yaml_node *node, enum value_type type, uint64_t *ret_value,
		       char **ret_text);

/* ---- app_helper.c: avg, var, ewma ---- */

bool helper_find(const char *name);
/* Types a call of which the arguments are checked already; false (reported) when it makes no sense. */
bool helper_check(struct checker *c, struct expr *e);

/* ---- app_match.c, app_stmt.c, app_state.c, app_rule.c, app_table.c ---- */

/* FIELD: value, all of them. */
void match_check(struct checker *c, const struct yaml_node *map, struct match **ret_match, size_t *ret_n);
void stmt_check_node(struct checker *c, const struct yaml_node *node, enum place place, struct stmt_list *ret_list);
void state_check_declaration(struct checker *c, const struct yaml_node *map);
/* Behind the lets, which it says it cannot name. */
void state_check_on_timeout(struct checker *c, const struct yaml_node *map);
void state_check_keys(struct checker *c, const struct yaml_node *map);
void state_check_capacity(struct checker *c, const struct yaml_node *map);
/* A part of a key; false (reported) when it is none. */
bool state_parse_key(struct checker *c, const struct yaml_node *node, struct app_key *ret_key);
int state_find(const struct app_table *table, const char *name);
int state_find_node(struct checker *c, const struct yaml_node *node);
void rule_check_list(struct checker *c, const struct yaml_node *list);
/* Behind match, do and next of the rule. */
void learn_check(struct checker *c, const struct yaml_node *map, struct app_rule *rule);
void allocate_check(struct checker *c, const struct yaml_node *map, struct app_rule *rule);
/* When all rules are checked. */
void learn_check_ends(struct checker *c, const struct app_table *t);
void app_check_tables(struct checker *c, const struct yaml_node *list);

/* ---- app_entry.c: match tables ---- */

/* Actions as states, values as registers, capacity. */
void entry_check_declaration(struct checker *c, const struct yaml_node *map);
void entry_check_key(struct checker *c, const struct yaml_node *map);
/* What the actions do, and the entries. */
void entry_check_actions(struct checker *c, const struct yaml_node *map);

/* ---- app_needs.c: what must be present in a packet for a rule to match ---- */

struct needs {
	uint64_t headers; /* Bits of enum present. */
	uint64_t tables;  /* Earlier tables that must have had a record. */
};

struct needs needs_of_rule(const struct app_table *t, const struct app_rule *rule);
/* And for the table to look at the packet at all; with what those headers imply. */
struct needs needs_with_key(const struct app_table *t, struct needs needs);
/* What of it no packet has together, like "both TCP and UDP"; NULL: nothing.  Asks for needs_with_key(). */
const char *needs_conflict(const struct needs *needs);

/* ---- app_demand.c: what a rule demands of a packet ---- */

struct demand {
	const char *key;     /* What is compared: a field, an expression as text. */
	bool opaque;	     /* No set of values: 'key' is the whole condition. */
	bool drawn;	     /* Another answer each time. */
	struct span_set set; /* Its values. */
	struct span_set all; /* All it could have. */
};

struct demands { /* All of them must be met. */
	struct demand *item;
	size_t n;
	struct needs needs;
	bool never;		/* A condition is false whatever the packet. */
	const char *impossible; /* Key whose set is empty, or NULL. */
};

struct demands demands_of_rule(struct checker *c, const struct app_table *t, const struct app_rule *rule);

/* ---- app_warn.c, app_reach.c, app_range.c ---- */

void app_warn(struct checker *c);
void app_warn_reach(struct checker *c, const struct app_table *t);
void app_warn_narrowing(struct checker *c);

#endif
