/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry_table - entries put into the flow table of a match table, wherever that is.
 *
 * Each record is written as the flow of a packet would be, by the owner of the flow table, so packets go on meanwhile.
 * An entry of several records (a range) appears one by one; masks that are new to packets are published at the end. */
#ifndef MEALY_ENTRY_TABLE_H
#define MEALY_ENTRY_TABLE_H

#include "entry.h"
#include "mask_set.h"

/* What the owner of a flow table does; all return 0 or a negative errno. */
struct entry_ops {
	/* -ENOSPC: the table is full. */
	int (*set)(void *data, const __u64 *key, unsigned state, const __u64 *registers, __u64 hard_at_ns,
		   bool *ret_created);
	/* The image of the record, or -ENOENT. */
	int (*find)(void *data, const __u64 *key, __u64 *ret_words);
	int (*remove)(void *data, const __u64 *key);
	/* What packets search from now on; the list before is used by nobody when the next one is published. */
	int (*publish)(void *data, const struct match_masks *masks);
	/* Frees lists of segments that no entry has; NULL: none ever are. */
	int (*sweep)(void *data);
	/* Calls 'record' with the image of each; nothing is written meanwhile. */
	int (*walk)(void *data, int (*record)(void *walk_data, const __u64 *words), void *walk_data);
};

struct entry_table {
	const struct app *app;
	const struct app_table *table;
	const struct layout *layout;
	const __u8 *state_id; /* By state of the table. */
	struct mask_set *masks;
	struct segment_lists *lists; /* Of the switch. */
	const struct entry_ops *ops;
	void *data;
	__u64 now_ns; /* On the switch's clock. */
};

enum entry_change { ENTRY_SAME, ENTRY_ADDED, ENTRY_CHANGED };

/* Writes an entry; one of the same key is changed and goes on counting.  'id_flags': ENTRY_OF_TEXT or 0.
 *
 *   -ENOSPC  the table has no room;  -E2BIG  its ranges make more than ENTRY_RECORDS_MAX records;
 *   -ENOBUFS the switch has no room for another list of segments;
 *   -EDQUOT  the entries have more than MASKS_MAX different masks. */
int entry_table_put(struct entry_table *et, const struct entry *entry, __u64 id_flags, enum entry_change *ret_change);

/* Is there an entry of this key?  0 and the image of its first record, or -ENOENT. */
int entry_table_find(struct entry_table *et, const struct entry *entry, __u64 *ret_words);
/* Packets and bytes of all its records: 0 or -ENOENT. */
int entry_table_count(struct entry_table *et, const struct entry *entry, struct counter *ret_sum);
/* 0 or -ENOENT. */
int entry_table_remove(struct entry_table *et, const struct entry *entry);

/* Makes the entries of the text what they are in 'et->table': adds, changes, removes; others stay.  '*ret_mistake' is
 * the entry that could not be written. */
int entry_table_install(struct entry_table *et, const struct app_entry **ret_mistake);

/* Packets see masks that came or went.  After each batch of changes. */
int entry_table_publish(struct entry_table *et);
/* Counts the records of each mask. */
int entry_table_recount(struct entry_table *et);

#endif
