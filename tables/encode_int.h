/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode_int - what the files of the encoder share; nobody else includes it but explain.
 *
 * An encoder turns one table.  Operations are collected in three lists: 'pre' (before the lock),
 * 'let' (under it, before the rules) and those of the rule being encoded.  Results of 'pre' and
 * 'let' live in cells that are written once, allocated upwards from CELL_TEMP, so equal operations
 * are found and shared; a rule's temporaries are allocated downwards, from CELL_TEMP into the image that
 * a table with one scope does not use, else from CELL_VAR, and reused by every rule.  A mistake of size is reported
 * once, remembered in 'failed', and encoding goes on with harmless values. */
#ifndef MEALY_ENCODE_INT_H
#define MEALY_ENCODE_INT_H

#include "encode.h"

/* Where a value is first known; operations on it can come no earlier. */
enum stage { STAGE_PRE, STAGE_LET, STAGE_RULE };

/* Which list operations go to, and which record registers mean. */
enum context { IN_SHARED, IN_DO, IN_POST, IN_TIMEOUT };

struct operand {
	bool constant;
	bool wide;     /* 128 bits: cells 'cell' and 'cell' + 1, or 'hi' and 'lo'. */
	bool mutable_; /* The cell is a register or a variable, not a result. */
	enum stage stage;
	__u8 cell;
	uint64_t hi, lo;
};

struct op_list {
	struct op item[OPS_LET_MAX + 1];
	unsigned n, max;
	const char *name;
};

/* Bits of declared headers. */
#define HEADERS_DECLARED (((1ULL << CUSTOM_MAX) - 1) << PRESENT_CUSTOM)

/* Registers that later tables read: where their copies live; and globals. */
struct carry {
	__u8 cell[APP_TABLES_MAX][28]; /* By table and register; 0: not carried. */
	bool used[APP_TABLES_MAX];
	__u8 global; /* Cell of the first one, the others follow. */
};

/* What the rules, keys and conditions of one table name. */
struct table_uses {
	uint64_t globals; /* Those it reads. */
	uint64_t headers; /* Bits of enum present. */
};

enum { VARIABLE_WORDS_MAX = 2 * APP_VARIABLES_MAX, HASHES_MAX = 16, HASH_ARGS_MAX = 8, DRAWN_MAX = 64 };

/* A hash() already computed. */
struct hash_memo {
	struct operand arg[HASH_ARGS_MAX];
	unsigned n_args;
	__u8 cell;
};

/* A place of the text that has a value drawn before the lock. */
struct drawn {
	const struct expr *expr;
	__u8 cell;
};

/* A value of a member already looked up. */
struct member_memo {
	struct ref ref;
	__u8 cell;
};
enum { MEMBERS_KNOWN_MAX = 32, MEMBERS_ASKED_MAX = 4 };

struct steps;
struct row;
struct search_memo;

struct enc {
	const struct app *app;
	const struct app_table *at;
	unsigned index;
	enum hook_id default_hook;
	const struct placement *placement;
	const struct table_placement *place;
	struct diag_list *diags;
	struct layout layout;
	struct carry carry;
	unsigned n_var_words; /* Of the application: variables, carried registers, globals. */
	struct table *out;
	bool failed;

	unsigned next_cell; /* Upwards: loads and shared results. */
	unsigned rule_cell; /* Downwards: temporaries of a rule, */
	unsigned rule_top;  /* ... from here. */
	unsigned low_cell;  /* The lowest any rule needed. */

	const struct field *loaded[LOADS_MAX + 8];
	__u8 loaded_cell[LOADS_MAX + 8];
	unsigned n_loaded;
	struct load declared[LOADS_MAX]; /* Fields of declared headers: they lie behind the other loads. */
	unsigned n_declared;
	struct op_list pre, let, rule;
	struct hash_memo hash[HASHES_MAX];
	unsigned n_hashes;
	struct drawn drawn[DRAWN_MAX];
	unsigned n_drawn;
	struct member_memo member[MEMBERS_KNOWN_MAX];
	unsigned n_members;
	__u8 select_cell[APP_GROUPS_MAX]; /* The member chosen, 0: not yet ... */
	__u8 chosen_cell[APP_GROUPS_MAX]; /* ... and whether it is there. */
	unsigned n_meters;
	struct operand *let_value; /* By let. */
	bool *let_done;

	enum context context;
	bool learning;	  /* IN_DO is a `learn`, behind `do`: of two scopes it sees what the action does. */
	const char *what; /* "rule NAME", for messages. */
	struct loc loc;
	__u8 var_temp[VARIABLE_WORDS_MAX];    /* Cell that stands for a variable during `do`; 0: its own. */
	__u8 timeout_global[APP_GLOBALS_MAX]; /* Cell with its value in on_timeout; 0: not read yet. */
	struct rule *rule_out;		      /* The rule being encoded, */
	struct steps *steps;		      /* what its action writes, */
	bool stepping;			      /* from here on in written order with operations, */
	__u32 do_written;		      /* registers that its `do` has assigned, */
	__u8 do_chose[28];		      /* those that select() gave: group + 1, */
	__u8 counted_cell;		      /* and the member it has counted. */
	bool reads_time;
	bool absent; /* Encoding `absent`: there is no record. */
	unsigned n_ops, n_steps;
	unsigned n_learns, n_elses;
	unsigned claim_value; /* Cell of the value that the rule being encoded allocates. */
	struct row *row;      /* In file order, ROWS_MAX. */
	unsigned n_rows;
	struct search_memo *memo; /* Rows already in the tests, TESTS_MAX. */
	unsigned n_memos;
};

/* Holds when ((cell & mask) - low) <= range + limit, exclusive-or 'invert'. */
struct term {
	__u8 cell;
	__u8 limit; /* Cell; 0: none. */
	bool invert;
	__u64 mask, low, range;
};

/* One alternative of one rule. */
enum { ROWS_MAX = 1024, ROW_TERMS_MAX = 8, ROW_ROOM = 32 };
struct row {
	uint64_t needs; /* Headers that must be present. */
	struct term term[ROW_ROOM];
	unsigned n_terms;
	unsigned rule;
	bool never; /* Cannot match. */
};

/* ---- encode.c ------------------------------------------------------------------------------- */
void enc_error(struct enc *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prepares an encoder for table 'index'; *ret_table is zeroed.  0 or -ENOMEM. */
int enc_init(struct enc *e, const struct app *app, unsigned index, enum hook_id default_hook,
	     const struct placement *placement, struct diag_list *diags, struct table *out);
int enc_run(struct enc *e);
void enc_done(struct enc *e);
/* Hook of a table of the application. */
enum hook_id enc_hook_of(const struct app *app, unsigned table, enum hook_id default_hook);
/* A placement that fits any switch, for checks. */
void enc_made_up_placement(const struct app *app, enum hook_id default_hook, struct placement *ret_placement);

/* ---- encode_op.c: cells, loads, operations -------------------------------------------------- */
struct operand operand_number(uint64_t value);
struct operand operand_cell(unsigned cell, enum stage stage);
struct operand operand_half(struct operand wide, bool high);
/* The cells of a field of the packet, loaded once. */
struct operand enc_load(struct enc *e, const struct field *field);
/* Loads 'field' into the cells given, whatever else holds it already. */
void enc_load_at(struct enc *e, const struct field *field, unsigned cell);
unsigned enc_cells_new(struct enc *e, unsigned n);	/* Shared. */
unsigned enc_rule_cells_new(struct enc *e, unsigned n); /* Of the rule. */
/* a OP b in the current context; folds constants. */
struct operand enc_op(struct enc *e, enum op_code code, struct operand a, struct operand b);
/* Puts a value into cell 'dst' (two for a wide one), by the rule's operations. */
void enc_move(struct enc *e, unsigned dst, struct operand value);
/* A cell that holds 'value', made by the rule's operations if it is a constant or a variable. */
unsigned enc_settle(struct enc *e, struct operand value);
void enc_append(struct enc *e, struct op_list *list, struct op op);
/* Output cells of a biflow operation, and what its inputs need. */
unsigned enc_biflow(struct enc *e, enum key_kind kind, uint64_t *ret_needs);
uint64_t op_fold(enum op_code code, uint64_t a, uint64_t b);

/* ---- encode_expr.c: expressions ------------------------------------------------------------- */
struct operand enc_expr(struct enc *e, const struct expr *expr);
struct operand enc_ref(struct enc *e, const struct ref *ref);
/* 0 or 1. */
struct operand enc_bool(struct enc *e, const struct expr *expr);
/* Headers (and earlier tables) that must be there for 'expr' to have a value. */
uint64_t enc_needs(const struct enc *e, const struct expr *expr);
/* What a call of has() asks for; 0: nothing that could be absent. */
uint64_t enc_has(const struct enc *e, const struct expr *call);
uint64_t enc_ref_needs(const struct enc *e, const struct ref *ref);
/* OP_NOP for what is no single operation. */
enum op_code enc_op_of(enum expr_op op, bool is_signed);
/* All bits of the value that are 'mask' equal 'value': 0 or 1. */
struct operand enc_masked_equal(struct enc *e, struct operand x, const struct pattern *p);
/* An address within a range: 0 or 1. */
struct operand enc_in_range(struct enc *e, struct operand x, const struct pattern *p);

/* ---- encode_helper.c: avg, var, ewma --------------------------------------------------------- */
/* False if 'expr' calls none of them. */
bool enc_helper(struct enc *e, const struct expr *expr, struct operand *ret_value);

/* ---- encode_draw.c: random and hash() -------------------------------------------------------- */
/* Draws every `random` of the table; comes first. */
void enc_draw(struct enc *e);
/* The value of a call of random or hash(). */
struct operand enc_draw_call(struct enc *e, const struct expr *expr);
/* The cell of such a call that was encoded. */
bool enc_drawn(const struct enc *e, const struct expr *expr, unsigned *ret_cell);

/* The cell of the same hash of other values, all known before the lock. */
unsigned enc_hash_cell(struct enc *e, const struct operand *arg, unsigned n_args);

/* ---- encode_group.c: members of groups, meters ------------------------------------------------ */
/* The member that a group gives to the packet, chosen before the lock. */
struct operand enc_select(struct enc *e, unsigned group);
uint64_t enc_group_needs(const struct enc *e, unsigned group);
/* A value of a member (REF_MEMBER). */
struct operand enc_member(struct enc *e, const struct ref *member);
/* If a step says "NAME = select(GROUP)": the group's index, plus 1. */
unsigned enc_chosen_group(const struct stmt *stmt);
/* The cell of one that is looked up before the rule is chosen. */
bool enc_member_cell(const struct enc *e, const struct ref *member, unsigned *ret_cell);
/* Cells that must be 1 for the rule to match: its members are there. */
unsigned enc_rule_members(struct enc *e, const struct app_rule *rule, __u8 *ret_cell, unsigned max);
void enc_group_verdict(struct enc *e, struct rule *rule, unsigned group);
/* Charges a meter; the colour. */
struct operand enc_meter(struct enc *e, const struct expr *call);

/* ---- encode_match.c: `match` and `when` -> rows --------------------------------------------- */
void enc_rule_rows(struct enc *e, unsigned rule);

/* ---- encode_search.c: rows -> tests ---------------------------------------------------------- */
int enc_search_init(struct enc *e);
/* The tests of state number 'state' of the file; *def gets the first. */
void enc_search(struct enc *e, struct state_def *def, unsigned state);
/* After the last state. */
void enc_search_done(struct enc *e);
/* Headers a rule's `match` and `when` need. */
uint64_t enc_match_needs(const struct enc *e, const struct app_rule *rule);

/* ---- encode_action.c: `do` and `action` ----------------------------------------------------- */
/* Encodes what happens when rule 'index' (RULE_OTHERWISE, RULE_ABSENT too) is chosen. */
void enc_rule_action(struct enc *e, unsigned index, const struct app_rule *rule, const struct stmt_list *action);
/* Adds a step of the rule. */
void enc_step(struct enc *e, struct step step);
/* Adds an operation as a step: it comes between writes. */
void enc_step_op(struct enc *e, struct op op);
uint64_t enc_action_needs(const struct enc *e, const struct stmt_list *do_, const struct stmt_list *action);

/* Begins the operations of a `learn`, which see registers and variables as `do` left them; puts them into the table. */
void enc_begin_learn(struct enc *e);
unsigned enc_place_rule_ops(struct enc *e);

/* ---- encode_learn.c: `learn` and `allocate` -------------------------------------------------- */
uint64_t enc_learn_needs(const struct enc *e, const struct app_rule *rule);
void enc_learn(struct enc *e, struct rule *rule, const struct app_learn *learn);
/* In `do`, then behind it. */
void enc_claim_do(struct enc *e, const struct app_learn *learn);
void enc_claim(struct enc *e, struct rule *rule, const struct app_learn *learn);

/* Steps of the rule being encoded. */
struct steps {
	struct step item[RULE_STEPS_MAX];
	unsigned n;
	unsigned segments, n_segments; /* Cells of the list to be pushed. */
};
void enc_add_step(struct enc *e, struct steps *steps, struct step step);

/* ---- encode_packet.c: headers, templates, copies ---------------------------------------------- */
/* False: 'stmt' is none of these. */
bool enc_packet_step(struct enc *e, const struct stmt *stmt, struct steps *steps);

/* ---- encode_header.c: declared headers ------------------------------------------------------ */
/* Finds out which of the declared headers that the table names are there. */
void enc_headers(struct enc *e);
/* Loads a field of one into 'cell'. */
void enc_load_declared(struct enc *e, const struct field *field, unsigned cell);
/* Puts these loads behind the others.  At the end. */
void enc_headers_done(struct enc *e);

/* ---- encode_action.c: on_timeout ------------------------------------------------------------ */
void enc_on_timeout(struct enc *e, struct state_def *def, const struct app_state *state);

/* ---- encode_carry.c ------------------------------------------------------------------------- */
/* Plans the cells of carried registers.  0 or -E2BIG with *ret_words, the words needed. */
struct table_uses carry_uses(const struct app *app, unsigned table);
int carry_plan(const struct app *app, struct carry *ret_carry, unsigned *ret_words);

#endif
