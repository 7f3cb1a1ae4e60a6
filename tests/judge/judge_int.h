/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_int - what the files of the judge share. */
#ifndef MEALY_JUDGE_INT_H
#define MEALY_JUDGE_INT_H

#include "judge.h"

/* One packet on its way through the tables. */
struct run {
	struct judge *judge;
	uint64_t now_ns;
	unsigned in_port, out_port, direction;
	struct judge_value var[APP_VARIABLES_MAX];
	uint64_t global[APP_GLOBALS_MAX]; /* As they were when the packet came, or as it made them. */
	/* What tables that ran left to later ones. */
	bool ran[APP_TABLES_MAX];
	struct judge_value left[APP_TABLES_MAX][JUDGE_REGISTERS];
	struct judge_packet packet;
	struct judge_result result;
};

/* hash() and `random`: computed when the packet enters a table; colours: when their meter is charged. */
enum { JUDGE_DRAWS = 64 };
struct draw_of {
	const struct expr *call;
	uint64_t value;
};

/* One table at work on it. */
struct visit {
	struct run *run; /* NULL: a timeout, which has a flow, globals, a moment and nothing else. */
	unsigned table;
	const struct app_table *app;
	const uint64_t *global;
	uint64_t now_ns;
	struct judge_packet entered; /* The packet as it came into this table. */
	struct judge_flow looked_up; /* Before `do` with two scopes, else also after it. */
	struct judge_flow updated;   /* With two scopes. */
	bool in_do;
	unsigned n_events; /* Told before the rule. */
	struct judge_value let[64];
	unsigned n_draws;
	struct draw_of draw[JUDGE_DRAWS];
	struct judge_flow claimed;	   /* By the rule that is being applied. */
	const struct stmt_list *otherwise; /* The `else` that follows instead of the rule's action. */
};

/* The value of an expression here and now. */
struct judge_value judge_eval(const struct visit *v, const struct expr *e);
struct judge_value judge_ref(const struct visit *v, const struct ref *ref);
/* What `lhs op= value` assigns. */
struct judge_value judge_assigned(const struct visit *v, const struct stmt *stmt);

/* Charges the meters that an expression names, before it is evaluated: those of 'flow', or shared ones if it is NULL.
 */
void judge_charge(struct visit *v, struct judge_flow *flow, const struct expr *e);
bool judge_has_meter(const struct expr *e);

/* What an assignment to a global makes of it when it 'is' this. */
uint64_t judge_assigned_global(const struct visit *v, const struct stmt *stmt, uint64_t is);

/* Fields and headers by name, declared ones too.  judge_set() returns false as judge_packet_set() does. */
bool judge_has(const struct run *run, const struct judge_packet *p, const char *name);
struct judge_value judge_get(const struct run *run, const struct judge_packet *p, const char *field);
bool judge_set(struct run *run, const char *field, struct judge_value value);

/* Finds the declared headers of the packet as it enters a table. */
void judge_find_headers(struct visit *v);

/* A state is entered: its timeouts begin. */
void judge_enter(const struct app_table *t, struct judge_flow *flow, unsigned state, uint64_t when);

/* Whether a timeout of the table does more than tell. */
bool judge_has_updates(const struct app_table *t);

/* Replays the timeouts that are due, each from the moment of the one before.  True: the flow reached the first state.
 * 'run' is NULL when nobody is to be told. */
bool judge_fall(struct judge *j, struct run *run, unsigned table, struct judge_flow *flow, uint64_t now);

/* The flow with the key of 'key', or NULL; and one more. */
struct judge_flow *judge_find(struct judge_table *t, const struct judge_flow *key);
void judge_add(struct judge_table *t, const struct judge_flow *flow);

/* Ends a flow, and what it claimed with it; or only that. */
void judge_remove(struct judge *j, unsigned table, struct judge_flow *flow);
void judge_release(struct judge *j, unsigned table, const struct judge_claim *claim);

/* Timeouts that change something beside the flow have happened before anything else does, to the flow itself. */
void judge_catch_up(struct run *run, unsigned table, const struct judge_flow *key);

/* Room for one more, by the end of another if need be.  False: there is none, which is counted and told; of what this
 * packet told before, only 'n_events' remain: nobody is told of a change that did not happen. */
bool judge_room(struct run *run, unsigned table, unsigned n_events);

/* Writes the record that a rule learns.  False: there is no room. */
bool judge_learn(struct visit *v, const struct app_learn *learn);

/* Claims a record for the flow in 'v->looked_up', a copy as the rule's `do` leaves it.  'v->claimed' has the value in
 * its register then, and names the record.  False: no value was free, or there was no room. */
bool judge_allocate(struct visit *v, const struct app_learn *learn);

void judge_tell(struct run *run, enum event_kind kind, unsigned table, unsigned old_state, unsigned new_state,
		unsigned rule);

/* From now on 'call' has this value. */
void judge_remember(struct visit *v, const struct expr *call, uint64_t value);

/* 64 random bits. */
uint64_t judge_random(struct judge *j);

/* Computes what is drawn before the record is known. */
void judge_draw(struct visit *v);

/* Whether all that an expression names is there; what has() asks for need not be. */
bool judge_is_there(const struct visit *v, const struct expr *e);
bool judge_ref_is_there(const struct visit *v, const struct ref *ref);

bool judge_matches(const struct visit *v, const struct match *m);

/* A match table: the best of the text's entries for the key in 'v->looked_up', whose values its registers get.  NULL:
 * none matches. */
const struct entry *judge_entry(struct visit *v);

/* The key of a scope.  False: a part of it is absent. */
bool judge_key(struct visit *v, const struct app_key *key, size_t n, struct judge_flow *ret_flow);

#endif
