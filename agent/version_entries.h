/* SPDX-License-Identifier: GPL-2.0-or-later */
/* version_entries - the entries of the applications' texts, put into the match tables of a version. */
#ifndef MEALY_VERSION_ENTRIES_H
#define MEALY_VERSION_ENTRIES_H

#include "entry_move.h"
#include "version_flows.h"

/* Before the commit: into the flow tables in 'made', which no packet knows yet; those of renewed tables first get what
 * the version 'before' has.  '*moves' is what is to be settled after the commit.  Fails with a text. */
int version_entries_begin(struct entry_store *entries, const struct plan *before, const struct plan *plan,
			  unsigned slot, const struct version_flows *made, struct entry_moves **moves, char **ret_text);

/* At a start, after the commit: the flow tables that were kept get, change and lose entries, one after the other.  What
 * could not be written is said. */
int version_entries_change(struct entry_store *entries, const struct plan *plan, unsigned slot,
			   const struct version_flows *made, char **ret_text);

/* What an error of an entry_table means, for people and for the channel. */
const char *entry_problem(int r);
enum error_code entry_error_code(int r);

#endif
