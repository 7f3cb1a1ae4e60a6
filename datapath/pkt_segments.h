/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_segments - the packet's segment list as part of a key.
 *
 * The list is read from the packet once, then looked for among the lists that entries have: by its fingerprint, and
 * what is found is compared whole.  The list of a "reduced" header is what stands in the header. */
#ifndef MEALY_PKT_SEGMENTS_H
#define MEALY_PKT_SEGMENTS_H

#include "hash.h"
#include "pkt_load.h"
#include "pkt_parse.h"

/* The number of the list with this fingerprint; 0: none. */
HOOK_FN __u32 segments_find(const struct segment_lists *lists, __u64 fingerprint)
{
	__u32 list = READ_ACQUIRE(lists->head[fingerprint & (SEGMENT_HEADS - 1)]);

	LOOP
	for (__u32 i = 0; i < SEGMENT_CHAIN_MAX; i++) {
		list &= SEGMENT_LISTS - 1;
		if (!list || lists->at[list].fingerprint == fingerprint)
			return list;
		list = READ(lists->at[list].next);
	}
	return 0;
}

HOOK_FN bool segments_equal(const struct scratch *s, const struct segment_list *list)
{
	__u64 differ = list->n ^ s->n_segments;

	LOOP
	for (__u32 i = 0; i < SEGMENTS_MAX; i++) {
		if (i >= AGAIN(s->n_segments))
			break;
		differ |= list->word[2 * i] ^ s->segment_word[2 * i];
		differ |= list->word[2 * i + 1] ^ s->segment_word[2 * i + 1];
	}
	return !differ;
}

/* s->segments of the list that was read.  A function of its own: it needs no packet. */
COLD_FN(segments_name)
{
	COLD_BEGIN
	const struct segment_lists *lists = map_segments(h);
	__u64 sum = AGAIN(s->n_segments);
	__u32 list;

	if (!lists)
		return -1;
	LOOP
	for (__u32 i = 0; i < SEGMENTS_MAX; i++) {
		if (i >= AGAIN(s->n_segments))
			break;
		sum = segments_mix(segments_mix(sum, s->segment_word[2 * i]), s->segment_word[2 * i + 1]);
	}
	sum = segments_end(sum);
	list = segments_find(lists, sum);
	if (list && segments_equal(s, &lists->at[list & (SEGMENT_LISTS - 1)]))
		s->segments = sum;
	return 0;
}

/* Reads the list; a packet without one, or whose list is out of reach, has none. */
HOOK_FN void segments_read(struct hook *h, struct scratch *s)
{
	__u64 at = s->off[BASE_ROUTING], last = 0;
	const __u8 *segment;

	s->segments = 0;
	if (!pkt_has(s, PRESENT_SRH) || pkt_get(h, at + 4, 1, &last) || last >= SEGMENTS_MAX)
		return;
	s->n_segments = last + 1;
	at += EXT_SIZE;
	if (!pkt_at(h, at + last * SEGMENT_SIZE, SEGMENT_SIZE) && pkt_pull(h))
		return;
	LOOP
	for (__u32 i = 0; i < SEGMENTS_MAX; i++) {
		if (i >= AGAIN(s->n_segments))
			break;
		segment = pkt_at(h, at + i * SEGMENT_SIZE, SEGMENT_SIZE);
		if (!segment)
			return;
		s->segment_word[2 * i] = pkt_be64(segment);
		s->segment_word[2 * i + 1] = pkt_be64(segment + 8);
	}
	COLD_CALL(segments_name, h, s);
}

#endif
