/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mask_set - the masks that the entries of one match table have, by number.
 *
 * A number is part of the keys of its entries, so two entries whose patterns overlap to the last bit get two numbers of
 * equal masks.  How many entries have a mask may be more than there are, after some expired; mask_set_recount() puts it
 * right. */
#ifndef MEALY_MASK_SET_H
#define MEALY_MASK_SET_H

#include <stdbool.h>

#include "layout.h"

struct mask_use {
	__u64 mask[KEY_WORDS_MAX];
	__u64 rank;  /* No entry has a higher one. */
	__u32 count; /* Entries; 0: what packets find is no longer this mask, once the list was published. */
	bool listed; /* In what was published last. */
};

struct mask_set {
	struct mask_use at[MASKS_MAX + 1]; /* By number, 1.. */
	bool dirty;			   /* Packets should see another list than was published. */
};

/* The next number after 'after' with this mask; 0: none. */
unsigned mask_set_next(const struct mask_set *set, const __u64 *mask, unsigned after);
/* A number that nobody has, for this mask; 0: all are taken. */
unsigned mask_set_take(struct mask_set *set, const __u64 *mask);
/* One more record under 'number' (if 'created'), of this rank; one less. */
void mask_set_add(struct mask_set *set, unsigned number, __u64 rank, bool created);
void mask_set_remove(struct mask_set *set, unsigned number);

/* What packets should search, best rank first; it is published from now on. */
void mask_set_list(struct mask_set *set, const struct layout *layout, struct match_masks *ret_masks);
/* The set that was published; counts are 0 until they are counted. */
void mask_set_read(struct mask_set *set, const struct layout *layout, const struct match_masks *masks);

/* The number in a key of the table, and a key with it. */
unsigned mask_number(const struct layout *layout, const __u64 *key);
void mask_put_number(const struct layout *layout, __u64 *key, unsigned number);

#endif
