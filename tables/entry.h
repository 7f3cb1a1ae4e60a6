/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry - one entry of a match table: what people write of it, and the records that it becomes.
 *
 * An entry is written as cells: a column, which is a part of the key, a value, `action`, `priority`, `idle`, `hard` or
 * `name`, and a text.  A part that is left out is any value, where the table does not ask for an exact one.  Its
 * records are one for each combination of the prefixes that its ranges make.
 *
 * Pure; needs the application of the table for its parameters. */
#ifndef MEALY_ENTRY_H
#define MEALY_ENTRY_H

#include "layout.h"
#include "segments.h"

enum { ENTRY_WHY = 256, ENTRY_RECORDS_MAX = 1024, ENTRY_CELL_MAX = SEGMENTS_TEXT_SIZE };

/* In ENTRY_ID: the entry is of the application's text. */
#define ENTRY_OF_TEXT (1ULL << 63)

struct entry {
	char name[NAME_LEN_MAX + 1]; /* "": none. */
	unsigned action;	     /* State of the table, 1..; 0: not said. */
	__u32 priority;
	uint64_t idle_ns, hard_ns; /* 0: none. */
	struct pattern key[KEY_PARTS_MAX];
	struct segments segments; /* What the key's part of that type stands for. */
	__u64 reg[28];		  /* Values, at the words of the table's registers. */
	__u64 has_value;	  /* Bits of the table's registers. */
	__u32 has_key;		  /* Bits of the key's parts. */
	bool has_priority, has_idle, has_hard;
};

/* An entry that says nothing yet. */
void entry_init(const struct app_table *table, struct entry *ret_entry);

/* What 'column' says: 0, or -EINVAL with a sentence in 'why' (ENTRY_WHY bytes).  'ports' may be NULL. */
int entry_set(const struct app *app, const struct app_table *table, const struct port_names *ports, struct entry *entry,
	      const char *column, const char *text, char *why);

/* Is the key complete, and, if 'whole', everything else?  0 or -EINVAL. */
int entry_check(const struct app_table *table, const struct entry *entry, bool whole, char *why);

/* The columns of a table, in the order of an export: "name", the key, "action", the values, ...; NULL behind the last.
 * Those without meaning for the table are left out. */
const char *entry_column(const struct app_table *table, size_t index);

/* Names the entry by its key, without ENTRY_OF_TEXT. */
__u64 entry_id(const struct app_table *table, const struct entry *entry);

/* Of two entries that a packet matches, the higher one applies: by priority, then by the bits that must be equal. */
__u64 entry_rank(const struct app_table *table, const struct entry *entry);

struct entry_record {
	__u64 key[KEY_WORDS_MAX]; /* Without the number of the mask. */
	__u64 mask[KEY_WORDS_MAX];
};

/* The records of an entry, to be freed: 0, -ENOMEM, or -E2BIG when they are more than ENTRY_RECORDS_MAX. */
int entry_records(const struct app_table *table, const struct layout *layout, const struct entry *entry,
		  struct entry_record **ret_records, size_t *ret_n);

/* The registers of its records; all but the counters. */
void entry_registers(const struct app_table *table, const struct entry *entry, __u64 id, __u64 now_ns,
		     __u64 *ret_registers);

#endif
