/* SPDX-License-Identifier: GPL-2.0-or-later */
/* app - an application in memory: what the YAML said, checked, every name resolved.
 *
 * app_parse() is the only way to make one; after it succeeded, every reference is valid and
 * every limit of pipeline.h that can be known without a switch is kept.  Read-only from then
 * on, so threads may share it.  app_free() releases everything. */
#ifndef MEALY_APP_H
#define MEALY_APP_H

#include "expr.h"

enum {
	APP_TABLES_MAX = 16,
	APP_PARAMETERS_MAX = 64,
	APP_VARIABLES_MAX = 24,
	HEADER_FIELDS_MAX = 64,
	NAME_LEN_MAX = 63,
	APP_TEXT_MAX = 1 << 20,
	LET_WEIGHT_MAX = 512,
	APP_GROUPS_MAX = 16,
	APP_METERS_MAX = 16, /* Shared ones. */
	GROUP_HASH_MAX = 8,
	GROUP_SIZE_DEFAULT = 65537, /* As in the paper on Maglev. */
};

/* A constant: a number of any type, an address, a prefix, or a list of those. */
struct value {
	enum value_type type;
	uint64_t hi, lo;
	unsigned prefix_len;
	char *text; /* As written; the name of a port. */
	bool range; /* a-b, an item of a list: up to last_hi, last. */
	uint64_t last_hi, last;
	const struct field *field; /* TYPE_FIELD */
	struct value *item;	   /* TYPE_LIST */
	size_t n_items;
};

struct parameter {
	char *name;
	enum value_type type;
	bool has_default; /* Otherwise it must be set. */
	bool is_set;	  /* By app_parse()'s settings. */
	bool used;	  /* Anywhere in the tables. */
	struct value value;
	struct loc loc;
};

/* "NAME=TEXT" pairs given with --set. */
struct setting {
	const char *name, *text;
};

/* Port names -> numbers, known on a switch only.  Without one (the check by the command and the
 * controller) ports stay unresolved and read as 0. */
struct port_names {
	int (*find)(void *data, const char *name); /* Number, or -ENOENT. */
	void *data;
};

struct typed { /* A register or a variable. */
	char *name;
	enum value_type type;
	unsigned group; /* It names a member of this group: index + 1; 0: it does not ... */
	const char *group_name;
	bool hidden;   /* Not in the file: the state of a meter. */
	unsigned word; /* First 64-bit word among its fellows (addr takes two). */
	struct loc loc;
	bool read, written;
};

/* One value for all flows, which packets and the controller write. */
struct app_global {
	char *name;
	enum value_type type; /* TYPE_U64, DURATION, RATE or SIZE, as its initial value. */
	uint64_t initial;
	uint64_t min, max; /* What the controller may set. */
	char *initial_text;
	char *range_text; /* As written; NULL: none, so anything. */
	struct loc loc;
	bool read, written;
};

/* A header that the application declares.  Number i of them is the bit PRESENT_CUSTOM + i; its fields have names
 * like any other, "HEADER.FIELD". */
struct app_header {
	char *name;
	struct match *after; /* All must hold of a packet that has it. */
	size_t n_after;
	int parent; /* Number of the declared header it follows, -1: none. */
	enum pkt_base base;
	unsigned off, size; /* Bytes, from 'base'. */
	struct field *field;
	size_t n_fields;
	struct loc loc;
	bool read;
};

/* A packet that the switch makes. */
struct app_template {
	char *name;
	char *bytes_text;
	__u8 bytes[TEMPLATE_BYTES]; /* Lengths and checksums are right. */
	unsigned size;
	uint64_t present;	    /* Bits of enum present. */
	struct stmt_list set;	    /* As written; each use has its own, resolved. */
	struct yaml_node *set_node; /* Of the parser: valid while the text is checked. */
	bool good, used;
	struct loc loc;
};

/* ---- groups and meters ---- */

enum group_type { GROUP_SELECT, GROUP_ALL, GROUP_FIRST_LIVE, GROUP_INDEXED };

struct app_member {
	unsigned id;
	unsigned weight; /* 0: flows that have it keep it, new ones avoid it. */
	bool down;	 /* As if it were not there. */
	uint64_t port;	 /* Of the switch; 0: none, or its name is not known here. */
	char *port_text; /* NULL: none. */
	uint64_t word[MEMBER_VALUES];
	char **text; /* By value, as written. */
	struct loc loc;
};

struct app_group {
	char *name;
	enum group_type type;
	struct ref *hash; /* Fields. */
	char **hash_text;
	size_t n_hash;
	bool default_hash; /* None was written: addresses, protocol, ports, as far as the packet has them. */
	unsigned size;	   /* Slots. */
	bool default_size;
	struct typed *value;
	size_t n_values;
	struct app_member *member; /* As the file has them; people and controllers change them later. */
	size_t n_members;
	struct loc loc;
	bool used;
};

/* Text is as written. */
struct app_meter {
	char *name;
	char *cir_text, *cbs_text, *pir_text, *pbs_text; /* pir, pbs: NULL if there is no peak rate. */
	struct meter_rates rates;
	struct loc loc;
	bool used;
	unsigned reg; /* Of a table's own meter: first of its hidden registers. */
};

struct let {
	char *name;
	struct expr *expr;
	bool used;	 /* By a rule or another let. */
	unsigned weight; /* Nodes with the lets it names written out: at most LET_WEIGHT_MAX, so walks end soon. */
	struct loc loc;
};

struct app_state {
	char *name;
	uint64_t idle_ns, hard_ns;   /* 0: none. */
	unsigned idle_to, hard_to;   /* Indices into states. */
	char *idle_text, *hard_text; /* As written, parameters by name; NULL: none. */
	struct stmt_list on_timeout; /* Assignments and `notify`. */
	bool notify;		     /* One of them is. */
	struct loc loc;
};

enum key_kind { KEY_FIELD, KEY_VARIABLE, KEY_TABLE_REGISTER, KEY_BIFLOW_L4, KEY_BIFLOW_IP, KEY_BIFLOW_ETH };

struct app_key {
	enum key_kind kind;
	struct ref ref;	     /* KEY_FIELD: REF_FIELD or REF_META; VARIABLE, TABLE_REGISTER. */
	unsigned prefix_len; /* FIELD/bits: only the first bits count (an address has 128, so ipv4.src/24
				is 120 here); else the full width. */
	unsigned bits;	     /* The full width: 128, or 1..64. */
	enum value_type type;
	char *text;
	struct loc loc;
};

/* FIELD: value.  All of a rule's must hold; of 'alt' any, then 'negate'. */
enum pattern_kind { PATTERN_VALUE, PATTERN_RANGE, PATTERN_PREFIX, PATTERN_MASK };
struct pattern {
	enum pattern_kind kind;
	uint64_t hi, lo;	   /* Value, or first of a range. */
	uint64_t last_hi, last;	   /* Of a range. */
	uint64_t mask_hi, mask_lo; /* PREFIX and MASK; all ones of the width for VALUE. */
};
struct match {
	struct ref ref; /* Field, metadata or variable. */
	enum value_type type;
	unsigned bits;
	bool negate;
	struct pattern *alt;
	size_t n_alts;
	char *text; /* "ip.proto: not udp", for people. */
	struct loc loc;
};

/* The record of table 'table' that a rule writes (learn) or claims (allocate). */
struct learn_value {
	unsigned reg; /* Of that table. */
	struct expr *value;
	struct loc loc;
};
struct app_learn {
	unsigned table;
	unsigned state; /* Of that table. */
	bool ends;	/* It is the first one: the record is removed. */
	struct expr **key;
	size_t n_key;
	struct learn_value *set;
	size_t n_sets;
	struct stmt_list otherwise; /* else: */
	/* allocate: */
	unsigned reg; /* Of the rule's own table. */
	uint64_t from, to;
	char *from_text;
	struct expr *first; /* NULL: none. */
	struct loc loc;
};

struct app_rule {
	char *name; /* NULL: no name; counters then follow 'text'. */
	char *text; /* The rule as one line, canonical; distinct in its table. */
	bool any_state;
	uint64_t states; /* Bits of states, when not any_state. */
	struct match *match;
	size_t n_match;
	struct expr *when; /* NULL: none. */
	char *when_text;
	struct stmt_list do_;
	struct stmt_list action; /* Without verdict: on to the next table, after the last: pass. */
	int next;		 /* State, -1: none. */
	bool no_refresh;
	struct app_learn *learn, *allocate; /* NULL: none. */
	struct loc loc;
};

/* What the entries of a match table say of a part of the key. */
enum key_match { MATCH_EXACT, MATCH_PREFIX, MATCH_TERNARY, MATCH_RANGE };

/* An entry of the application's text, as it was written. */
struct app_entry {
	struct entry *entry;
	char **column, **text;
	size_t n_cells;
	struct loc loc;
};

struct app_table {
	char *name;
	int hook; /* enum hook_id, -1: the deployment's. */
	bool stateful;
	/* A match table: its flows are entries.  State 0 is the miss, each other one an action with a rule of its
	 * own; registers begin with enum entry_word, the others are the values. */
	bool has_entries;
	bool masked;	  /* A part of the key is not exact. */
	bool has_actions; /* `actions:` was written, not `action:`. */
	enum key_match key_match[KEY_PARTS_MAX];
	struct app_entry *entry;
	size_t n_entries;
	struct app_key *lookup, *update; /* update is NULL when equal to lookup. */
	size_t n_lookup, n_update;
	unsigned capacity;
	char *capacity_text; /* As written, parameters by name. */
	bool has_states;     /* `states:` was written; else state[0] is named "-". */
	enum when_full when_full;
	bool expire_soon;	 /* expire_within: 10ms */
	struct app_state *state; /* At least one. */
	size_t n_states;
	struct typed *reg;
	size_t n_regs;
	struct app_meter *meter; /* One for each flow. */
	size_t n_meters;
	struct let *let;
	size_t n_lets;
	struct app_rule *rule;
	size_t n_rules;
	struct stmt_list otherwise, absent; /* Empty: go on. */
	bool learned;			    /* Some rule writes its records from elsewhere. */
	bool claimed;			    /* Its records are allocated ... */
	struct app_table *claims_from;	    /* ... and those of this table hold such of that one; NULL: none. */
	struct loc loc;
};

struct app {
	char *name;
	char *text; /* The YAML it was made from. */
	struct parameter *param;
	size_t n_params;
	struct typed *var;
	size_t n_vars;
	struct app_global *global;
	size_t n_globals;
	struct app_header *header; /* CUSTOM_MAX at most. */
	size_t n_headers;
	struct app_template *template_;
	size_t n_templates;
	struct app_group *group;
	size_t n_groups;
	struct app_meter *meter; /* Shared by all flows. */
	size_t n_meters;
	struct app_table *table;
	size_t n_tables;
	struct arena *arena; /* Owns all of it. */
};

/* Reads and checks 'text' ('size' bytes; file name for messages in 'diags').  'settings' override
 * parameters.  'ports' may be NULL.
 *
 * Returns 0 and an app that the caller frees, or -EINVAL with at least one error in 'diags', or
 * -ENOMEM.  Warnings leave 0. */
int app_parse(const char *text, size_t size, const struct setting *settings, size_t n_settings,
	      const struct port_names *ports, struct diag_list *diags, struct app **ret_app);
void app_free(struct app *app);

/* The names of what every packet has beside its fields (now, length, ...), in order; NULL behind the last. */
const char *app_meta_at(size_t index, enum value_type *ret_type, unsigned *ret_bits);

/* Words that no application may use as names, and what they are ("a helper"); NULL behind the last. */
const char *app_reserved_at(size_t index, const char **ret_what);

/* The operand of an assignment to a global and the atomic operation OP_GLOBAL_* it is; of "-=" the operand is still to
 * be negated. */
const struct expr *app_global_operand(const struct stmt *stmt, enum op_code *ret_code);

/* A field of the packet, of the table of fields or of a declared header; NULL if there is none. */
const struct field *app_find_field(const struct app *app, const char *name);

/* Canonical YAML that app_parse() accepts and that means the same; the caller frees. */
char *app_render_yaml(const struct app *app);

/* "first-live" */
const char *app_group_type_name(enum group_type type);

/* "drop" */
const char *app_when_full_name(enum when_full when_full);

/* Graphviz source of the state diagrams; the caller frees. */
char *app_render_dot(const struct app *app);

/* What replacing 'old' by 'new' changes, as lines for people ("rule police/over-rate changed",
 * "flows of police are kept"); *ret_same tells whether nothing changes.  The caller frees. */
char *app_diff(const struct app *old, const struct app *new_, bool *ret_same);

#endif
