/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry_store - the entries of the switch's match tables, in the kernel.
 *
 * An entry is a record of a flow table, so the flow store keeps it; this one keeps which masks each table has, which is
 * found again from the map and the records when an agent starts.
 *
 * One thread, that of the flow store. */
#ifndef MEALY_ENTRY_STORE_H
#define MEALY_ENTRY_STORE_H

#include "../tables/encode.h"
#include "../tables/entry_table.h"
#include "entry_note.h"
#include "flow_store.h"

struct entry_store;

/* 'flows' must outlive the store. */
int entry_store_new(struct flow_store *flows, struct entry_store **ret_store);
void entry_store_free(struct entry_store *store);

/* One match table for as long as nothing else is opened: 'place' and 'layout' are its, 'element' its place in `tables`
 * of a slot that has it.  0 or a negative errno. */
int entry_store_open(struct entry_store *store, const struct app *app, unsigned table,
		     const struct table_placement *place, const struct layout *layout, unsigned element,
		     struct entry_table *ret_table);

/* Names and ranges of the open table's entries. */
struct entry_notes *entry_store_notes(struct entry_store *store);
/* Notes those of the text, after it was installed. */
int entry_store_note_text(struct entry_store *store, const struct entry_table *et);

/* Deletes all entries of the open table but the text's, one after the other: 0 and how many records. */
int entry_store_clear(struct entry_store *store, struct entry_table *et, uint64_t *ret_n);

/* Of the open table: no packet searches it yet, so what is published next waits for nobody. */
void entry_store_unseen(struct entry_store *store);

/* flow_store_walk() over any flow table. */
int entry_store_walk(struct entry_store *store, unsigned flow_table, uint32_t *cursor, flow_fn record, void *data);

/* Adds to the counters of the open table's record that 'words' is the image of. */
int entry_store_count_more(struct entry_store *store, const __u64 *words, const struct counter *more);

/* The flow table is new, or gone: it has no masks. */
void entry_store_forget(struct entry_store *store, unsigned flow_table);

#endif
