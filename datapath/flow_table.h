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
 *   EXTEND     11  no hole: lock(head); version == v and the last line is still the last: link an empty overflow line behind it;
 *                  unlock(head); begin again
 *   FREE s     12  lock(s); F1 and still wanted, else unlock, stop; alive[s] = 0; unlock(s)
 *              13  lock(head); slot[entry] == s: slot[entry] = 0; unlock(head)
 *              14  give s back
 *   HELP       15  lock(head); slot[entry] == s and not alive[s]: slot[entry] = 0; unlock(head)     s is not given back
 *
 * The head line's version and lock stand for its whole chain.  Never two locks at once.
 *
 * Invariants, and which lines keep them:
 *   I1  A record is written only under its slot's lock, by one who checked F1 (4, 12) or owns the slot because no
 *       entry names it (8, 9).
 *   I2  A key has at most one live record that an entry names.  Creations in one chain are ordered by its version: who
 *       read v before its scan (1) and finds v at 9 knows that nobody created since, so the key is still missing.
 *   I3  A slot is free only when no entry names it: 14 comes after 13, and only he gives back who set alive to 0 (12, 9).
 *   I4  Entries never move and lines are never unlinked, so a scan misses nothing that was there all the time.
 *   I5  Nobody waits for another: who meets a dead record that is still named removes the name himself (15).
 *
 * Why F1 needs all three: without 'alive' an update goes to a record that was just freed and is lost; without the key it
 * goes to another flow that took the slot; without 'slot[entry] == s' it goes to a record of the right key that is not
 * yet, or no more, published.
 *
 * Memory order: 1 is an acquire and the version's store at 10 a release, the last of the creation.  A reader without lock (the agent, through
 * the mapping) believes a record if its change number is even, the same before and after the copy, and a bucket names it. */
#ifndef MEALY_FLOW_TABLE_H
#define MEALY_FLOW_TABLE_H

#include "hash.h"
#include "hook.h"

/* A record found, with pointers; belongs to one program run. */
struct flow {
	struct bucket *line;      /* The line that names it. */
	__u64 *record;            /* NULL: none. */
	__u32 limit;              /* Words of the record. */
};

/* ---- keys ----------------------------------------------------------------------------------------- */

/* Packs the parts into key words; cells are masked to the width of their part. */
HOOK_FN void key_make(const __u64 *cells, const struct key_part *parts, __u32 n, __u64 *key)
{
	for (__u32 i = 0; i < KEY_WORDS_MAX; i++)
		key[i] = 0;
	LOOP
	for (__u32 i = 0; i < KEY_PARTS_MAX; i++) {
		const struct key_part *part = &parts[i];

		if (i >= n)
			break;
		key[part->word & 7] |= (cells[part->cell] & (~0ull >> ((64 - part->bits) & 63))) << (part->shift & 63);
	}
}

HOOK_FN bool key_equal(const __u64 *record, __u32 limit, const __u64 *key, __u32 key_words)
{
	LOOP
	for (__u32 i = 0; i < KEY_WORDS_MAX; i++) {
		if (i >= key_words)
			return true;
		if (FLOW_HEAD_WORDS + i >= limit || READ(record[FLOW_HEAD_WORDS + i]) != key[i])
			return false;
	}
	return true;
}

/* ---- bucket lines ------------------------------------------------------------------------------------ */

/* Bit e is set if tag e of the four in 'word' equals 'tag'. */
HOOK_FN __u32 tags_equal4(__u64 word, __u16 tag)
{
	const __u64 low = 0x7fff7fff7fff7fffull;
	__u64 x = word ^ (tag * 0x0001000100010001ull);
	__u64 zero = ~(((x & low) + low) | x | low);      /* 0x8000 in each lane that was 0. */

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

/* Looks at the entries of one line. */
HOOK_FN bool flow_find_in_line(struct hook *h, const struct table *t, const __u64 *key, struct place *p, struct flow *flow)
{
	__u32 equal = line_tags_equal(flow->line, HASH_TAG(p->hash));

	LOOP
	for (int i = 0; i < BUCKET_ENTRIES; i++) {
		__u32 entry = lowest_bit(equal), slot;

		if (!equal)
			return false;
		equal &= equal - 1;
		slot = READ(flow->line->slot[entry]);
		if (!slot)
			continue;
		flow->record = map_record(h, t->flow_table, t->record_class, slot, &flow->limit);
		if (flow->record && key_equal(flow->record, flow->limit, key, t->key_words)) {
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

	LOOP
	for (int i = 0; i < CHAIN_MAX; i++) {
		flow->line = map_bucket(h, t->flow_table, line);
		if (!flow->line)
			return false;
		if (i == 0)
			p->version = READ_ACQUIRE(flow->line->version);
		if (flow_find_in_line(h, t, key, p, flow)) {
			p->line = line;
			return true;
		}
		line = READ(flow->line->next);
		if (!line)
			return false;
	}
	return false;
}

/* F1, under the slot's lock. */
HOOK_FN bool flow_is_mine(const struct table *t, const __u64 *key, const struct place *p, const struct flow *flow)
{
	const struct flow_head *head = (const struct flow_head *)flow->record;

	return READ(head->alive) && key_equal(flow->record, flow->limit, key, t->key_words) &&
	       READ(flow->line->slot[p->entry & (BUCKET_ENTRIES - 1)]) == p->slot;
}

/* ---- images ------------------------------------------------------------------------------------------------ *
 *
 * The image of a record lies in the cells: head, key, registers, in the record's order. */

HOOK_FN struct flow_head *image_head(__u64 *image)
{
	return (struct flow_head *)image;
}

HOOK_FN __u32 image_registers(const struct table *t)
{
	return FLOW_HEAD_WORDS + t->key_words;
}

HOOK_FN void image_clear_registers(const struct table *t, __u64 *image)
{
	__u32 first = image_registers(t), n = t->n_registers;

	LOOP
	for (__u32 i = 0; i < EVENT_WORDS_MAX - FLOW_HEAD_WORDS; i++) {
		if (i >= n || first + i >= EVENT_WORDS_MAX)
			break;
		image[first + i] = 0;
	}
}

/* The image of a flow that does not exist; its key stays. */
HOOK_FN void image_clear(const struct table *t, __u64 *image)
{
	for (__u32 i = 0; i < FLOW_HEAD_WORDS; i++)
		image[i] = 0;
	image_clear_registers(t, image);
}

HOOK_FN void image_read(const struct table *t, const struct flow *flow, __u64 *image)
{
	__u32 first = image_registers(t), n = t->n_registers;

	for (__u32 i = 0; i < FLOW_HEAD_WORDS; i++)
		image[i] = READ(flow->record[i]);
	LOOP
	for (__u32 i = 0; i < EVENT_WORDS_MAX - FLOW_HEAD_WORDS; i++) {
		if (i >= n || first + i >= flow->limit)
			break;
		image[first + i] = READ(flow->record[first + i]);
	}
}

/* Writes the image's head, and its registers if 'registers', to the record; the change number is odd meanwhile. */
HOOK_FN void image_write(const struct table *t, __u64 *image, struct flow *flow, bool registers)
{
	struct flow_head *from = image_head(image), *to = (struct flow_head *)flow->record;
	__u32 first = image_registers(t), n = registers ? t->n_registers : 0;
	__u32 change = READ(to->change);

	WRITE(to->change, change + 1);
	WRITE_BARRIER(to->change);
	WRITE(to->alive, from->alive);
	WRITE(to->state, from->state);
	WRITE(to->last_used_ns, from->last_used_ns);
	WRITE(to->hard_deadline_ns, from->hard_deadline_ns);
	WRITE(to->deadline_ns, from->deadline_ns);
	LOOP
	for (__u32 i = 0; i < EVENT_WORDS_MAX - FLOW_HEAD_WORDS; i++) {
		if (i >= n || first + i >= flow->limit)
			break;
		WRITE(flow->record[first + i], image[first + i]);
	}
	WRITE_RELEASE(to->change, change + 2);
	from->change = change + 2;
}

#endif
