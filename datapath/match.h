/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match - INTERP_MATCH: which entry of a match table with masks a packet belongs to.
 *
 * Prepares the table as INTERP_TABLE would, makes the key of the best entry (or one that no entry has) and goes on to
 * INTERP_TABLE, which finds the entry by it like any flow.  A program of its own, for the verifier's budget.
 *
 * Tuple-space search (Srinivasan, Suri and Varghese 1999): for each mask, in descending order of the best rank that an
 * entry with it may have, the masked key is looked up; it ends where none can be better than the one found.  Nothing is
 * locked: what is found is only a key, and INTERP_TABLE sees whether there still is such an entry. */
#ifndef MEALY_MATCH_H
#define MEALY_MATCH_H

#include "switch.h"

HOOK_FN const struct match_masks *match_masks_of(struct hook *h, const struct scratch *s, const struct table *t)
{
	const struct match_desc *desc = map_match(h, t->flow_table);

	return desc ? &desc->half[s->match_half & 1] : NULL;
}

/* Rank of the entry found.  Registers begin behind the key, in the first line or the second. */
HOOK_FN __u64 match_rank_of(const struct table *t, const struct flow *flow)
{
	_Static_assert(FLOW_HEAD_WORDS == 4 && ENTRY_RANK == 1 && KEY_WORDS_MAX == 5, "cases below");
	switch (AGAIN(t->key_words)) {
	case 1: return READ(flow->line[0][6]);
	case 2: return READ(flow->line[0][7]);
	case 3: return READ(flow->line[1][0]);
	case 4: return READ(flow->line[1][1]);
	}
	return READ(flow->line[1][2]);
}

HOOK_FN bool match_is_over(const struct flow *flow, __u64 now)
{
	__u64 deadline = READ(flow_head(flow)->deadline_ns);

	return !READ(flow_head(flow)->alive) || (deadline && deadline <= now);
}

/* Looks the packet up under mask s->match_mask; a better entry becomes s->match_best.  A function of its own, which the
 * verifier walks once and not for each mask. */
COLD_FN(match_try)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);
	struct flow flow = {.bucket = NULL};
	const struct match_masks *masks;
	const struct match_mask *mask;
	const struct flow_desc *desc;
	__u64 *key = &s->cells[CELL_LOOKUP + FLOW_HEAD_WORDS], rank;

	if (!t)
		return -1;
	masks = match_masks_of(h, s, t);
	desc = map_flow_desc(h, t->flow_table);
	if (!masks || !desc || !desc->valid)
		return -1;
	mask = &masks->mask[s->match_mask & (MASKS_MAX - 1)];
	LOOP
	for (__u32 i = 0; i < KEY_WORDS_MAX; i++)
		key[i] = s->match_key[i] & mask->mask[i];
	key[masks->tag_word & 7] |= mask->tag;
	place_of_hash(&s->place, desc, flow_hash(desc->secret, key, t->key_words));
	if (!flow_find(h, t, key, &s->place, &flow) || match_is_over(&flow, s->now))
		return 0;
	rank = match_rank_of(t, &flow);
	if (s->match_found && rank <= s->match_rank)
		return 0;
	s->match_found = 1;
	s->match_rank = rank;
	LOOP
	for (__u32 i = 0; i < KEY_WORDS_MAX; i++)
		s->match_best[i] = key[i];
	return 0;
}

HOOK_FN void match_search(struct hook *h, struct scratch *s, const struct table *t)
{
	const struct match_masks *masks = match_masks_of(h, s, t);

	if (!masks)
		return;
	LOOP
	for (__u32 i = 0; i < MASKS_MAX; i++) {
		if (i >= AGAIN(masks->n) || (AGAIN(s->match_found) && masks->mask[i].rank <= AGAIN(s->match_rank)))
			break;
		s->match_mask = i;
		COLD_CALL(match_try, h, s);
	}
}

/* The key of the best entry; without one the packet's own, whose mask has number 0, which no entry has. */
HOOK_FN void match_key(struct hook *h, struct scratch *s, const struct table *t)
{
	const struct match_desc *desc = map_match(h, t->flow_table);
	__u64 *key = &s->cells[CELL_LOOKUP + FLOW_HEAD_WORDS];

	s->base = CELL_LOOKUP;
	table_key(s, t);
	LOOP
	for (__u32 i = 0; i < KEY_WORDS_MAX; i++)
		s->match_key[i] = s->match_best[i] = key[i];
	s->match_half = desc ? READ(desc->active) : 0;
	s->now = step_clock(h, s, t);
	match_search(h, s, t);
	LOOP
	for (__u32 i = 0; i < KEY_WORDS_MAX; i++)
		key[i] = s->match_best[i];
}

HOOK_FN int switch_match(struct hook *h, struct scratch *s)
{
	const struct table *t = map_table(h, TABLE_INDEX(s->slot & 1, h->id, s->table));

	if (!t || !(t->flags & TABLE_VALID))
		return switch_fault(h, s, EXIT_NO_TABLE);
	if (!s->again) {
		table_prepare(h, s, t);
		table_pre(h, s, t);
	}
	s->match_found = 0;
	s->match_rank = 0;
	s->base = CELL_LOOKUP;
	if (!(t->flags & TABLE_MASKED))
		table_key(s, t);
	else if ((s->cells[CELL_PRESENT] & t->key_needs) == t->key_needs)
		match_key(h, s, t);
	s->keyed = 1;
	return switch_go(h, s, INTERP_TABLE);
}

#endif
