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
	unsigned image; /* Where register names point: CELL_LOOKUP or CELL_UPDATE. */
};

struct eval_value {
	bool known; /* False for random and hash, and what follows from them. */
	uint64_t hi, lo;
};

struct eval_value eval_expr(const struct eval *eval, const struct expr *expr);
struct eval_value eval_ref(const struct eval *eval, const struct ref *ref);
bool eval_pattern(const struct pattern *p, struct eval_value value);
/* All alternatives, and the negation; a header that is absent is the caller's business. */
bool eval_match(const struct match *match, struct eval_value value);
/* x OP= y as `do` and `action` compute it. */
struct eval_value eval_assigned(const struct eval *eval, const struct stmt *stmt);

#endif
