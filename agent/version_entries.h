/* SPDX-License-Identifier: GPL-2.0-or-later */
/* version_entries - the entries of the applications' texts, put into the match tables of a version. */
#ifndef MEALY_VERSION_ENTRIES_H
#define MEALY_VERSION_ENTRIES_H

#include "entry_store.h"
#include "version_flows.h"

/* Before the commit: into the flow tables in 'made', which no packet knows yet.  Fails with a text. */
int version_entries_begin(struct entry_store *entries, const struct plan *plan, unsigned slot,
			  const struct version_flows *made, char **ret_text);

/* After the commit: the flow tables that were kept get, change and lose entries, one after the other.  What could not
 * be written is said. */
int version_entries_change(struct entry_store *entries, const struct plan *plan, unsigned slot,
			   const struct version_flows *made, char **ret_text);

/* What an error of an entry_table means, for people. */
const char *entry_problem(int r);

#endif
