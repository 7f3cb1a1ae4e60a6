/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain - what one table did to one packet, in words, for `trace` and `simulate`.
 *
 * An explainer belongs to one table of one application; it knows in which cell each name of the
 * source lies, and evaluates the source's own expressions on the snapshot of a native_step.  It
 * reads nothing but its arguments, so it may be used from any thread, one at a time. */
#ifndef MEALY_EXPLAIN_H
#define MEALY_EXPLAIN_H

#include "../datapath/native.h"
#include "layout.h"

struct explain;

/* All strings belong to the caller until explain_done(); none is NULL after success, all may be "". */
struct explanation {
	char *key; /* "ip.src=10.0.0.7"; several parts with spaces between; "" without a record. */
	const char
		*fell_from; /* Where the timeouts found the flow that brought it to 'old_state'; "": none was over. */
	const char *old_state; /* Of the layout; "" when there is none. */
	const char *new_state;
	char *rule;	    /* Its name, or its text; "otherwise", "absent". */
	unsigned rule_line; /* Of the YAML; 0: none. */
	char *conditions;   /* Of the chosen rule: "now < start -> true (start is 0.3 s ahead)", one a line. */
	char *skipped;	    /* Why earlier rules of the state did not match: "over-rate: now < start -> false
			       (start was 2 s ago)", one a line. */
	char *updates;	    /* "start: -3.2 s -> -2.2 s; end: ..."; "" when nothing changed. */
	char *verdict;	    /* "ip.dscp = 10; output(3)": packet writes with their values, then the verdict. */
};

/* Prepares table 'index' of 'app', deployed with 'default_hook'.  'app' must outlive the explainer.
 * Returns 0, -E2BIG if the table cannot be encoded, or -ENOMEM. */
int explain_new(const struct app *app, unsigned index, enum hook_id default_hook, struct explain **ret_explain);
void explain_free(struct explain *explain);

/* Explains 'step', which this table made.  'layout' is the table's on that switch (state ids as in
 * records); NULL for a table without state.  Returns 0 or -ENOMEM. */
int explain_step(const struct explain *explain, const struct layout *layout, const struct native_step *step,
		 struct explanation *ret_explanation);
void explain_done(struct explanation *explanation);

#endif
