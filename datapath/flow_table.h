/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_table - finding and changing one flow: the part of the protocol that every packet runs.
 *
 * A flow table is records (one a slot), bucket lines that name slots, and locks.  The whole protocol, with
 * the names of its parts; flow_create.h and flow_free.h hold the others:
 *
 *   FIND k      1  v = version of the head line          before the scan
 *               2  for each entry of the chain whose tag is k's: s = slot[entry]; key[s] == k: found
 *   found       3  lock(s)
 *               4  mine = alive[s] and key[s] == k and slot[entry] == s          F1
 *               5  mine: decide, write, unlock(s)
 *               6  else unlock(s); if s was dead: HELP; begin again
 *   CREATE      7  s = a free slot
 *               8  lock(s); key, registers, alive[s] = 1; unlock(s)
 *               9  lock(head); version != v: unlock; lock(s); alive[s] = 0; unlock(s); give s back; begin again
 *              10  slot[hole] = s; version = v + 1; unlock(head)
 *   EXTEND     11  no hole: lock(head); version == v and the last line is still the last: link an empty line behind
 *                  it; unlock(head); begin again
 *   FREE s     12  lock(s); F1 and still wanted, else unlock, stop; alive[s] = 0; unlock(s)
 *              13  lock(head); slot[entry] == s: slot[entry] = 0; unlock(head)
 *              14  give s back
 *   HELP       15  lock(head); slot[entry] == s and not alive[s]: slot[entry] = 0; unlock(head)
 *                  s is not given back
 *
 * The head line's version and lock stand for its whole chain.  Never two locks at once.
 *
 * Invariants, and which lines keep them:
 *   I1  A record is written only under its slot's lock, by one who checked F1 (4, 12) or owns the slot because no
 *       entry names it (8, 9).
 *   I2  A key has at most one live record that an entry names.  Creations in one chain are ordered by its version: who
 *       read v before its scan (1) and finds v at 9 knows that nobody created since, so the key is still missing.
 *   I3  A slot is free only when no entry names it: 14 comes after 13, and only he gives back who set alive to 0
 *       (12, 9).
 *   I4  Entries never move and lines are never unlinked, so a scan misses nothing that was there all the time.
 *   I5  Nobody waits for another: who meets a dead record that is still named removes the name himself (15).
 *
 * Why F1 needs all three: without 'alive' an update goes to a record that was just freed and is lost; without the key
 * it goes to another flow that took the slot; without 'slot[entry] == s' it goes to a record of the right key that is
 * not yet, or no more, published.
 *
 * Memory order: 1 is an acquire and the version's store at 10 a release, the last of the creation.  A reader without
 * lock (the agent, through the mapping) believes a record if its change number is even, the same before and after the
 * copy, and still the same after a bucket was seen to name it.
 *
 * tests/model/ checks all of this in every state. */
#ifndef MEALY_FLOW_TABLE_H
#define MEALY_FLOW_TABLE_H

#include "hash.h"
#include "hook.h"

/* A record at hand, with pointers; belongs to one program run. */
struct flow {
	struct bucket *bucket;	       /* The line that names it. */
	__u64 *line[RECORD_LINES_MAX]; /* [0] is NULL: none.  A line that the table does not use is line 0 once more. */
	struct lock_line *lock;	       /* Of its slot. */
};

/* All of it, so that the verifier sees one way of having none. */
HOOK_FN void flow_forget(struct flow *flow)
{
	flow->bucket = NULL;
	flow->lock = NULL;
	for (__u32 i = 0; i < RECORD_LINES_MAX; i++)
		flow->line[i] = NULL;
}

/* Words of a record, head and key included. */
HOOK_FN __u32 table_words(const struct table *t)
{
	return FLOW_HEAD_WORDS + AGAIN(t->key_words) + AGAIN(t->n_registers);
}

/* ---- keys ----------------------------------------------------------------------------------------- */

/* Packs the parts into key words; cells are masked to the width of their part. */
HOOK_FN void key_make(const __u64 *cells, const struct key_part *parts, const __u8 *n, __u64 *key)
{
	for (__u32 i = 0; i < KEY_WORDS_MAX; i++)
		key[i] = 0;
	LOOP
	for (__u32 i = 0; i < KEY_PARTS_MAX; i++) {
		const struct key_part *part = &parts[i];

		if (i >= AGAIN(*n))
			break;
		key[part->word & 7] |= (cells[part->cell] & (~0ull >> ((64 - part->bits) & 63))) << (part->shift & 63);
	}
}

/* The key begins in the middle of the first line and may end with the first word of the second. */
HOOK_FN bool key_equal(const struct flow *flow, const __u64 *key, __u32 key_words)
{
	_Static_assert(FLOW_HEAD_WORDS == 4 && KEY_WORDS_MAX == 5, "cases below");
	switch (key_words) {
	case 5:
		if (READ(flow->line[1][0]) != key[4])
			return false; /* fall through */
	case 4:
		if (READ(flow->line[0][7]) != key[3])
			return false; /* fall through */
	case 3:
		if (READ(flow->line[0][6]) != key[2])
			return false; /* fall through */
	case 2:
		if (READ(flow->line[0][5]) != key[1])
			return false; /* fall through */
	case 1: return READ(flow->line[0][4]) == key[0];
	}
	return key_words == 0;
}

/* ---- bucket lines ------------------------------------------------------------------------------------ */

/* Bit e is set if tag e of the four in 'word' equals 'tag'. */
HOOK_FN __u32 tags_equal4(__u64 word, __u16 tag)
{
	const __u64 low = 0x7fff7fff7fff7fffull;
	__u64 x = word ^ (tag * 0x0001000100010001ull);
	__u64 zero = ~(((x & low) + low) | x | low); /* 0x8000 in each lane that was 0. */

	/* Moves bits 0, 16, 32, 48 to 48, 49, 50, 51. */
	return ((zero >> 15) * 0x0001000200040008ull) >> 48 & 15;
}

HOOK_FN __u32 line_tags_equal(const struct bucket *line, __u16 tag)
{
	const __u64 *words = (const __u64 *)line->tag;

	return tags_equal4(READ(words[0]), tag) | tags_equal4(READ(words[1]), tag) << 4;
}

/* Number of the lowest bit of a byte that is not 0 (a de Bruijn sequence: neither a loop nor a helper). */
HOOK_FN __u32 lowest_bit(__u32 byte)
{
	__u32 place = ((byte & -byte) * 0x17 & 0xff) >> 5;

	return 0x56374210u >> (place * 4) & 7;
}

/* ---- find ------------------------------------------------------------------------------------------------ */

HOOK_FN void place_of_hash(struct place *p, const struct flow_desc *desc, __u32 hash)
{
	p->hash = hash;
	p->head = HASH_BUCKET(hash, desc->n_heads);
	p->version = 0;
	p->slot = 0;
	p->line = 0;
	p->entry = 0;
}

/* The lines of a record. */
HOOK_FN bool flow_open(struct hook *h, const struct table *t, __u32 slot, struct flow *flow)
{
	__u64 *first = map_record_line(h, t->flow_table, t->record_class, slot, 0);

	for (__u32 i = 0; i < RECORD_LINES_MAX; i++)
		flow->line[i] = first;
	if (!first)
		return false;
	if (AGAIN(t->record_class) == RECORD_64)
		return true;
	flow->line[1] = map_record_line(h, t->flow_table, t->record_class, slot, 1);
	if (!flow->line[1])
		return false;
	if (AGAIN(t->record_class) == RECORD_128)
		return true;
	flow->line[2] = map_record_line(h, t->flow_table, t->record_class, slot, 2);
	flow->line[3] = map_record_line(h, t->flow_table, t->record_class, slot, 3);
	return flow->line[2] && flow->line[3];
}

/* Looks at the entries of one line. */
HOOK_FN bool flow_find_in_line(struct hook *h, const struct table *t, const __u64 *key, struct place *p,
			       struct flow *flow)
{
	__u32 equal = line_tags_equal(flow->bucket, HASH_TAG(p->hash));

	KEEP_LOOP
	for (int i = 0; i < BUCKET_ENTRIES; i++) {
		__u32 entry = lowest_bit(equal), slot;

		if (!equal)
			return false;
		equal &= equal - 1;
		slot = READ(flow->bucket->slot[entry]);
		if (slot && flow_open(h, t, slot, flow) && key_equal(flow, key, AGAIN(t->key_words))) {
			p->slot = slot;
			p->entry = entry;
			return true;
		}
	}
	return false;
}

/* FIND.  False: no flow of this key; then p->version tells of which moment. */
HOOK_FN bool flow_find(struct hook *h, const struct table *t, const __u64 *key, struct place *p, struct flow *flow)
{
	__u32 line = p->head;

	KEEP_LOOP
	for (int i = 0; i < CHAIN_MAX; i++) {
		flow->bucket = map_bucket(h, t->flow_table, line);
		if (!flow->bucket)
			return false;
		if (i == 0)
			p->version = READ_ACQUIRE(flow->bucket->version);
		if (flow_find_in_line(h, t, key, p, flow)) {
			p->line = line;
			return true;
		}
		line = READ(flow->bucket->next);
		if (!line)
			return false;
	}
	return false;
}

HOOK_FN struct flow_head *flow_head(const struct flow *flow)
{
	return (struct flow_head *)flow->line[0];
}

/* F1, under the slot's lock. */
HOOK_FN bool flow_is_mine(const struct table *t, const __u64 *key, const struct place *p, const struct flow *flow)
{
	return READ(flow_head(flow)->alive) && key_equal(flow, key, AGAIN(t->key_words)) &&
	       READ(flow->bucket->slot[p->entry & (BUCKET_ENTRIES - 1)]) == p->slot;
}

/* ---- images ------------------------------------------------------------------------------------------------ *
 *
 * The image of a record lies in the cells: head, key, registers, in the record's order. */

HOOK_FN __u64 *step_image(struct scratch *s)
{
	return &s->cells[AGAIN(s->base) & (CELLS - CELL_UPDATE)];
}

HOOK_FN struct flow_head *image_head(__u64 *image)
{
	return (struct flow_head *)image;
}

/* First word of the registers. */
HOOK_FN __u32 image_registers(const struct table *t)
{
	return FLOW_HEAD_WORDS + t->key_words;
}

/* The image of a flow that does not exist, or that ended: its key stays. */
HOOK_FN void image_clear_registers(const struct table *t, __u64 *image)
{
	__u32 first = image_registers(t);

	LOOP
	for (__u32 i = 0; i < EVENT_WORDS_MAX - FLOW_HEAD_WORDS; i++) {
		__u64 word = first + i;

		OPAQUE(word);
		if (i >= AGAIN(t->n_registers) || word >= EVENT_WORDS_MAX)
			break;
		image[word] = 0;
	}
}

HOOK_FN void image_clear(const struct table *t, __u64 *image)
{
	for (__u32 i = 0; i < FLOW_HEAD_WORDS; i++)
		image[i] = 0;
	image_clear_registers(t, image);
}

/* Words 'from'.. of a line; no loop, for offsets that are constants need no bounds.  What the table does not use of
 * a line is copied too, as that is faster than asking. */
HOOK_FN void line_copy(__u64 *to, const __u64 *from, __u32 first)
{
	_Static_assert(RECORD_LINE_WORDS == 8 && FLOW_HEAD_WORDS == 4, "a head and four words, or eight");
	if (!first) {
		WRITE(to[0], READ(from[0]));
		WRITE(to[1], READ(from[1]));
		WRITE(to[2], READ(from[2]));
		WRITE(to[3], READ(from[3]));
	}
	WRITE(to[4], READ(from[4]));
	WRITE(to[5], READ(from[5]));
	WRITE(to[6], READ(from[6]));
	WRITE(to[7], READ(from[7]));
}

HOOK_FN void image_read(const struct table *t, const struct flow *flow, __u64 *image)
{
	line_copy(image, flow->line[0], 0);
	if (AGAIN(t->record_class) == RECORD_64)
		return;
	line_copy(image + 8, flow->line[1], 0);
	if (AGAIN(t->record_class) == RECORD_128)
		return;
	line_copy(image + 16, flow->line[2], 0);
	line_copy(image + 24, flow->line[3], 0);
}

/* Key and registers. */
HOOK_FN void body_write(const struct table *t, const __u64 *image, struct flow *flow)
{
	line_copy(flow->line[0], image, FLOW_HEAD_WORDS);
	if (AGAIN(t->record_class) == RECORD_64)
		return;
	line_copy(flow->line[1], image + 8, 0);
	if (AGAIN(t->record_class) == RECORD_128)
		return;
	line_copy(flow->line[2], image + 16, 0);
	line_copy(flow->line[3], image + 24, 0);
}

/* Writes the image's head, and key and registers if 'body', to the record; the change number is odd meanwhile. */
HOOK_FN void image_write(const struct table *t, __u64 *image, struct flow *flow, bool body)
{
	struct flow_head *from = image_head(image), *to = flow_head(flow);
	__u32 change = READ(to->change);

	WRITE(to->change, change + 1);
	WRITE_BARRIER(to->change);
	WRITE(to->alive, from->alive);
	WRITE(to->state, from->state);
	WRITE(to->last_used_ns, from->last_used_ns);
	WRITE(to->hard_deadline_ns, from->hard_deadline_ns);
	WRITE(to->deadline_ns, from->deadline_ns);
	if (body)
		body_write(t, image, flow);
	WRITE_RELEASE(to->change, change + 2);
	from->change = change + 2;
}

#endif
