/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry_note - what an entry is called and which ranges it was written with, which its records cannot say.
 *
 * Only entries that have a name or a range have a note, so a million others cost nothing here. */
#ifndef MEALY_ENTRY_NOTE_H
#define MEALY_ENTRY_NOTE_H

#include "../tables/entry.h"

struct entry_notes; /* Of one match table. */

struct entry_note {
	uint64_t id; /* Without ENTRY_OF_TEXT. */
	char name[NAME_LEN_MAX + 1];
	struct pattern key[]; /* One a part. */
};

struct entry_notes *entry_notes_new(void); /* NULL: no memory. */
void entry_notes_free(struct entry_notes *notes);

/* Notes 'entry', or that it needs no note.  -EEXIST: another entry has its name; -ENOMEM. */
int entry_notes_put(struct entry_notes *notes, const struct app_table *table, const struct entry *entry);
/* The note of 'id' also in 'to'; 0 if there is none. */
int entry_notes_carry(struct entry_notes *to, const struct entry_notes *from, uint64_t id, size_t n_parts);
void entry_notes_remove(struct entry_notes *notes, uint64_t id);
const struct entry_note *entry_notes_find(const struct entry_notes *notes, uint64_t id);
const struct entry_note *entry_notes_find_name(const struct entry_notes *notes, const char *name);

#endif
