/* SPDX-License-Identifier: GPL-2.0-or-later */
/* search.h has a struct entry of its own, for its hash tables. */
#define entry search_entry
#include <search.h>
#undef entry

#include "entry_note.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Two trees of the same notes. */
struct entry_notes {
	void *by_id, *by_name;
};

static int compare_ids(const void *a, const void *b)
{
	const struct entry_note *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct entry_note *)a)->name, ((const struct entry_note *)b)->name);
}

struct entry_notes *entry_notes_new(void)
{
	return calloc(1, sizeof(struct entry_notes));
}

static void keep(void *note) {}

void entry_notes_free(struct entry_notes *notes)
{
	if (!notes)
		return;
	tdestroy(notes->by_name, keep);
	tdestroy(notes->by_id, free);
	free(notes);
}

const struct entry_note *entry_notes_find(const struct entry_notes *notes, uint64_t id)
{
	struct entry_note like = {.id = id}, **found = tfind(&like, &notes->by_id, compare_ids);

	return found ? *found : NULL;
}

const struct entry_note *entry_notes_find_name(const struct entry_notes *notes, const char *name)
{
	struct entry_note like = {}, **found;

	if (strlen(name) > NAME_LEN_MAX)
		return NULL;
	strcpy(like.name, name);
	found = tfind(&like, &notes->by_name, compare_names);
	return found ? *found : NULL;
}

void entry_notes_remove(struct entry_notes *notes, uint64_t id)
{
	struct entry_note *note = (struct entry_note *)entry_notes_find(notes, id);

	if (!note)
		return;
	if (note->name[0])
		tdelete(note, &notes->by_name, compare_names);
	tdelete(note, &notes->by_id, compare_ids);
	free(note);
}

static bool has_ranges(const struct app_table *table, const struct entry *entry)
{
	for (size_t i = 0; i < table->n_lookup; i++)
		if (entry->key[i].kind == PATTERN_RANGE)
			return true;
	return false;
}

static int insert(struct entry_notes *notes, struct entry_note *note)
{
	if (!tsearch(note, &notes->by_id, compare_ids)) {
		free(note);
		return -ENOMEM;
	}
	if (note->name[0] && !tsearch(note, &notes->by_name, compare_names)) {
		note->name[0] = '\0';
		entry_notes_remove(notes, note->id);
		return -ENOMEM;
	}
	return 0;
}

int entry_notes_carry(struct entry_notes *to, const struct entry_notes *from, uint64_t id, size_t n_parts)
{
	const struct entry_note *old = entry_notes_find(from, id);
	size_t size = sizeof(*old) + n_parts * sizeof(old->key[0]);
	struct entry_note *note;

	if (!old || entry_notes_find(to, id))
		return 0;
	note = malloc(size);
	if (!note)
		return -ENOMEM;
	memcpy(note, old, size);
	return insert(to, note);
}

int entry_notes_put(struct entry_notes *notes, const struct app_table *table, const struct entry *entry)
{
	uint64_t id = entry_id(table, entry);
	const struct entry_note *named = entry->name[0] ? entry_notes_find_name(notes, entry->name) : NULL;
	struct entry_note *note;

	if (named && named->id != id)
		return -EEXIST;
	entry_notes_remove(notes, id);
	if (!entry->name[0] && !has_ranges(table, entry))
		return 0;
	note = calloc(1, sizeof(*note) + table->n_lookup * sizeof(note->key[0]));
	if (!note)
		return -ENOMEM;
	note->id = id;
	memcpy(note->name, entry->name, sizeof(note->name));
	memcpy(note->key, entry->key, table->n_lookup * sizeof(note->key[0]));
	return insert(notes, note);
}
