/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expr - expressions of the language: text -> tree; the checker resolves the names in place.
 *
 * A tree is allocated from an arena of its application and never freed node by node. */
#ifndef MEALY_EXPR_H
#define MEALY_EXPR_H

#include "../common/diag.h"
#include "field.h"

struct arena;
struct yaml_node;

enum expr_kind {
	EXPR_NUMBER,  /* value, type tells the unit it was written with. */
	EXPR_ADDRESS, /* hi, value. */
	EXPR_PREFIX,  /* hi, value, prefix_len (of 128). */
	EXPR_MAC,
	EXPR_NAME,   /* 'name'; after the check 'ref'. */
	EXPR_UNARY,  /* arg[0] */
	EXPR_BINARY, /* arg[0], arg[1] */
	EXPR_CALL,   /* 'name', arg[0..n_args): min, max, seq_lt, seq_le, hash, random, has. After the
			check 'value' of has() is the bits of enum present that must be set, or arg[0]'s
			ref is a TABLE.REGISTER or a member.  Of select() and meter() 'value' is the index of the group
			or meter; of a table's own meter, with arg[0]'s ref being REF_REGISTER. */
	EXPR_SET,    /* [a, b, c-d] behind `in`, arg[0..n_args). Gone after the check: `x in [1, 4-6]`
			is then x == 1 or x >= 4 and x <= 6; only `x in PREFIX` stays EOP_IN. */
	EXPR_RANGE,  /* arg[0]-arg[1] in an EXPR_SET or behind `in`. Gone after the check too. */
};

enum expr_op {
	EOP_NONE,
	EOP_OR,
	EOP_AND,
	EOP_NOT,
	EOP_EQ,
	EOP_NE,
	EOP_LT,
	EOP_LE,
	EOP_GT,
	EOP_GE,
	EOP_IN,
	EOP_BOR,
	EOP_BXOR,
	EOP_BAND,
	EOP_SHL,
	EOP_SHR,
	EOP_ADD,
	EOP_SUB,
	EOP_MUL,
	EOP_DIV,
	EOP_MOD,
	EOP_NEG,
	EOP_INV,
};

/* What a resolved name means. */
enum ref_kind {
	REF_NONE,
	REF_FIELD,	    /* field */
	REF_META,	    /* 'cell': now, in_port, out_port, length, frames, direction, hook. */
	REF_CONSTANT,	    /* Parameter or named number: already replaced by its value (kind is EXPR_NUMBER,
			       EXPR_ADDRESS, ...); 'name' stays, for rendering. */
	REF_REGISTER,	    /* 'index' into the registers of the table itself: in `when` and actions the
			       looked-up record's, in `do` the update record's. */
	REF_TABLE_REGISTER, /* TABLE.REGISTER: 'table', 'index'; of an earlier table, or the table's own. */
	REF_VARIABLE,	    /* 'index' into the application's variables. */
	REF_GLOBAL,	    /* 'index' into the application's globals. */
	REF_LET,	    /* 'index' into the table's lets; the encoder computes it once. */
	REF_MEMBER, /* Of the member of 'group' that 'of' names (REF_REGISTER, REF_VARIABLE or REF_TABLE_REGISTER
		       with 'table' and 'index'): 'word' and what follows; MEMBER_VALID: whether it is there. */
};

struct ref {
	enum ref_kind kind;
	const struct field *field;
	unsigned cell;
	unsigned table;
	unsigned index;
	enum ref_kind of;
	unsigned group, word;
};

struct expr {
	enum expr_kind kind;
	enum expr_op op;
	struct loc loc;
	unsigned width; /* Characters of source. */
	char *name;	/* EXPR_NAME, EXPR_CALL; a literal as it was written, or NULL. */
	uint64_t hi, value;
	unsigned prefix_len;
	unsigned n_args;
	struct expr **arg;
	/* Filled in by the checker. */
	enum value_type type;
	struct ref ref;
	bool constant; /* 'hi' and 'value' hold the result; the tree below stays, for rendering. */
};

/* A step of `do` or `action`. */
enum stmt_kind {
	STMT_ASSIGN,  /* lhs op= value; op is EOP_NONE for '='. */
	STMT_VERDICT, /* enum verdict; 'value' is the port of output(), 'name' the table of goto(). */
	STMT_PUSH_VLAN,
	STMT_POP_VLAN,
	STMT_NOTIFY,
	STMT_CONTROLLER,
	STMT_PUSH, /* 'header', 'family'; of segments 'target' STMT_SEGMENT come before it. */
	STMT_POP,
	STMT_SEGMENT, /* 'value': one of the 'target' that are pushed. */
	STMT_NEXT_SEGMENT,
	STMT_MIRROR,  /* 'value' is the port. */
	STMT_BECOME,  /* 'name' and 'target': the template, whose fields are assigned by implicit steps behind it. */
	STMT_EMIT,    /* The same for a copy, 'value' is the port ... */
	STMT_EMITTED, /* ... and behind the assignments it is sent to the port 'value'. */
};

/* What push() and pop() name besides vlan. */
enum push_header { PUSH_MPLS, PUSH_IPIP, PUSH_VXLAN, PUSH_SRV6, PUSH_SRH, PUSH_MAX };

struct stmt {
	enum stmt_kind kind;
	enum push_header header;
	unsigned family; /* 4 or 6: of the outer IP header. */
	bool implicit;	 /* Follows from another step, and is not rendered. */
	enum verdict verdict;
	enum expr_op op;
	struct expr *lhs; /* EXPR_NAME. */
	struct expr *value;
	char *name;
	unsigned target; /* goto: index of the table in the application, group: of the group; after the check. */
	uint64_t makes;	 /* BECOME, EMIT: headers that the template has. */
	struct loc loc;
};

struct stmt_list {
	struct stmt *item;
	size_t n;
};

enum { EXPR_TEXT_MAX = 4096, EXPR_DEPTH_MAX = 64 };

/* Both report each mistake to 'diags' and return NULL / -EINVAL then.  'loc' is where 'text' begins. */
struct expr *expr_parse(struct arena *arena, const char *text, struct loc loc, struct diag_list *diags);
int stmt_parse(struct arena *arena, const char *text, struct loc loc, bool is_action, struct diag_list *diags,
	       struct stmt_list *ret_list);

/* The same for the text of a YAML node, with exact places also when it stands on several lines. */
struct expr *expr_parse_yaml(struct arena *arena, const struct yaml_node *node, struct diag_list *diags);
int stmt_parse_yaml(struct arena *arena, const struct yaml_node *node, bool is_action, struct diag_list *diags,
		    struct stmt_list *ret_list);

/* "drop", "push", ...: the word of a step that is no assignment. */
const char *stmt_word(const struct stmt *stmt);
const char *stmt_header_name(enum push_header header);

/* ---- stmt_effect.c ---- */

/* Headers that the step needs and that are not among 'there', those that earlier steps left. */
uint64_t stmt_asks(const struct stmt *stmt, uint64_t there);
/* What is there after the step. */
uint64_t stmt_leaves(const struct stmt *stmt, uint64_t there);

/* "==", "and", "+", ... */
const char *expr_op_text(enum expr_op op);

/* The comparison that says of (b, a) what 'op' says of (a, b); any other operator is itself. */
enum expr_op expr_op_mirrored(enum expr_op op);

/* Is 'a op b' signed?  If a side is an int; a shift by its left side alone. */
bool expr_is_signed(enum expr_op op, enum value_type a, enum value_type b);

/* How tightly it binds: 1 is the loosest; 0 for EOP_NONE. */
unsigned expr_op_level(enum expr_op op);

/* The words of the steps of `action`, in order; NULL behind the last. */
const char *stmt_word_at(size_t index);

/* Renders an expression with the fewest parentheses, parameters by name; the caller frees.  NULL
 * without memory. */
char *expr_render(const struct expr *expr);

/* Renders the steps of `do` or `action`, separated by "; "; the caller frees.  NULL without memory. */
char *stmt_render(const struct stmt_list *list);
/* With the implicit steps. */
char *stmt_render_all(const struct stmt_list *list);

#endif
