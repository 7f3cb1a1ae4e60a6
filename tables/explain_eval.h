/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_eval - the source's expressions, computed on the cells a table had.
 *
 * Walks the trees, not the encoded operations, so it says what the application means. */
#ifndef MEALY_EXPLAIN_EVAL_H
#define MEALY_EXPLAIN_EVAL_H

#include "encode_int.h"

struct eval {
	const struct enc *enc; /* Knows in which cell each name lies. */
	const __u64 *cells;
	unsigned image;	     /* Where register names point: CELL_LOOKUP or CELL_UPDATE. */
	unsigned offset;     /* How many tables of the hook stand before the first one that 'enc' knows. */
	const __u64 *before; /* Cells of which lets are computed; NULL: 'cells'. */
};

struct eval_value {
	bool known; /* False for what lies in no cell, and what follows from it. */
	uint64_t hi, lo;
};

struct eval_value eval_expr(const struct eval *eval, const struct expr *expr);
/* Are these headers and tables there? */
bool eval_present(const struct eval *eval, uint64_t needs);
struct eval_value eval_ref(const struct eval *eval, const struct ref *ref);
bool eval_pattern(const struct pattern *p, struct eval_value value);
/* All alternatives, and the negation; a header that is absent is the caller's business. */
bool eval_match(const struct match *match, struct eval_value value);
/* x OP= y as `do` and `action` compute it. */
struct eval_value eval_assigned(const struct eval *eval, const struct stmt *stmt);

#endif
