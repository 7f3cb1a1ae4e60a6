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
	/* What tables that ran left to later ones. */
	bool ran[APP_TABLES_MAX];
	struct judge_value left[APP_TABLES_MAX][JUDGE_REGISTERS];
	struct judge_packet packet;
	struct judge_result result;
};

/* hash(): computed when the packet enters a table. */
enum { JUDGE_DRAWS = 64 };
struct draw_of {
	const struct expr *call;
	uint64_t value;
};

/* One table at work on it. */
struct visit {
	struct run *run;
	unsigned table;
	const struct app_table *app;
	struct judge_packet entered; /* The packet as it came into this table. */
	struct judge_flow looked_up; /* Before `do` with two scopes, else also after it. */
	struct judge_flow updated;   /* With two scopes. */
	bool in_do;
	unsigned n_events; /* Told by the tables before. */
	struct judge_value let[64];
	unsigned n_draws;
	struct draw_of draw[JUDGE_DRAWS];
};

/* The value of an expression here and now. */
struct judge_value judge_eval(const struct visit *v, const struct expr *e);
struct judge_value judge_ref(const struct visit *v, const struct ref *ref);
/* What `lhs op= value` assigns. */
struct judge_value judge_assigned(const struct visit *v, const struct stmt *stmt);

/* Computes what is drawn before the record is known. */
void judge_draw(struct visit *v);

/* Whether all that an expression names is there; what has() asks for need not be. */
bool judge_is_there(const struct visit *v, const struct expr *e);
bool judge_ref_is_there(const struct visit *v, const struct ref *ref);

bool judge_matches(const struct visit *v, const struct match *m);

/* The key of a scope.  False: a part of it is absent. */
bool judge_key(struct visit *v, const struct app_key *key, size_t n, struct judge_flow *ret_flow);

#endif
