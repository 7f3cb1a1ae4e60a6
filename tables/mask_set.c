/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mask_set.h"

#include <stdlib.h>
#include <string.h>

static bool is_free(const struct mask_use *use)
{
	return !use->count && !use->listed;
}

unsigned mask_set_next(const struct mask_set *set, const __u64 *mask, unsigned after)
{
	for (unsigned i = after + 1; i <= MASKS_MAX; i++)
		if (!is_free(&set->at[i]) && memcmp(set->at[i].mask, mask, sizeof(set->at[i].mask)) == 0)
			return i;
	return 0;
}

unsigned mask_set_take(struct mask_set *set, const __u64 *mask)
{
	for (unsigned i = 1; i <= MASKS_MAX; i++) {
		if (!is_free(&set->at[i]))
			continue;
		set->at[i] = (struct mask_use){};
		memcpy(set->at[i].mask, mask, sizeof(set->at[i].mask));
		return i;
	}
	return 0;
}

void mask_set_add(struct mask_set *set, unsigned number, __u64 rank, bool created)
{
	struct mask_use *use = &set->at[number];

	set->dirty |= !use->listed || use->rank < rank;
	if (use->rank < rank)
		use->rank = rank;
	use->count += created;
}

void mask_set_remove(struct mask_set *set, unsigned number)
{
	struct mask_use *use = &set->at[number];

	if (use->count && --use->count == 0)
		set->dirty = true;
}

static int by_rank(const void *a, const void *b)
{
	const struct match_mask *x = a, *y = b;

	return x->rank > y->rank ? -1 : x->rank < y->rank;
}

void mask_set_list(struct mask_set *set, const struct layout *layout, struct match_masks *ret_masks)
{
	*ret_masks = (struct match_masks){.tag_word = layout->tag_word - FLOW_HEAD_WORDS};
	for (unsigned i = 1; i <= MASKS_MAX; i++) {
		struct mask_use *use = &set->at[i];
		struct match_mask *mask = &ret_masks->mask[ret_masks->n];

		use->listed = use->count > 0;
		if (!use->listed)
			continue;
		memcpy(mask->mask, use->mask, sizeof(mask->mask));
		mask->tag = (__u64)i << layout->tag_shift;
		mask->rank = use->rank;
		ret_masks->n++;
	}
	qsort(ret_masks->mask, ret_masks->n, sizeof(ret_masks->mask[0]), by_rank);
	set->dirty = false;
}

void mask_set_read(struct mask_set *set, const struct layout *layout, const struct match_masks *masks)
{
	*set = (struct mask_set){};
	for (unsigned i = 0; i < masks->n && i < MASKS_MAX; i++) {
		unsigned number = masks->mask[i].tag >> layout->tag_shift & ((1 << MASK_TAG_BITS) - 1);

		if (number < 1 || number > MASKS_MAX)
			continue;
		memcpy(set->at[number].mask, masks->mask[i].mask, sizeof(set->at[number].mask));
		set->at[number].rank = masks->mask[i].rank;
		set->at[number].listed = true;
	}
}

unsigned mask_number(const struct layout *layout, const __u64 *key)
{
	return key[layout->tag_word - FLOW_HEAD_WORDS] >> layout->tag_shift & ((1 << MASK_TAG_BITS) - 1);
}

void mask_put_number(const struct layout *layout, __u64 *key, unsigned number)
{
	key[layout->tag_word - FLOW_HEAD_WORDS] |= (__u64)number << layout->tag_shift;
}
