/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An entry as records: ranges become prefixes, patterns become keys and masks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "entry.h"

/* Values and masks of one part of a key: one, or the prefixes of a range. */
enum { PIECES_MAX = 2 * 64 };
struct pieces {
	struct {
		__u64 hi, lo, mask_hi, mask_lo;
	} item[PIECES_MAX];
	unsigned n;
};

/* The largest aligned block that begins at 'low' and ends at 'high' at most, again and again. */
static void split_range(struct pieces *pieces, unsigned bits, __u64 low, __u64 high)
{
	__u64 all = bits >= 64 ? ~0ULL : (1ULL << bits) - 1;

	pieces->n = 0;
	for (;;) {
		unsigned free_bits = 0;

		while (free_bits < bits - 1 && !(low >> free_bits & 1) && high - low >= (2ULL << free_bits) - 1)
			free_bits++;
		pieces->item[pieces->n].lo = low;
		pieces->item[pieces->n++].mask_lo = all & ~((1ULL << free_bits) - 1);
		low += 1ULL << free_bits;
		if (low > high || low == 0)
			return;
	}
}

static void make_pieces(struct pieces *pieces, const struct pattern *p, unsigned bits)
{
	if (p->kind == PATTERN_RANGE) {
		split_range(pieces, bits, p->lo, p->last);
		return;
	}
	pieces->item[0].hi = p->hi & p->mask_hi;
	pieces->item[0].lo = p->lo & p->mask_lo;
	pieces->item[0].mask_hi = p->mask_hi;
	pieces->item[0].mask_lo = p->mask_lo;
	pieces->n = 1;
}

static void put_piece(const struct layout *layout, size_t part, const struct pieces *pieces, unsigned i,
		      struct entry_record *record)
{
	__u64 words[RECORD_WORDS(RECORD_256)] = {};

	layout_put(&layout->key[part], words, pieces->item[i].hi, pieces->item[i].lo);
	for (unsigned w = 0; w < KEY_WORDS_MAX; w++)
		record->key[w] |= words[FLOW_HEAD_WORDS + w];
	memset(words, 0, sizeof(words));
	layout_put(&layout->key[part], words, pieces->item[i].mask_hi, pieces->item[i].mask_lo);
	for (unsigned w = 0; w < KEY_WORDS_MAX; w++)
		record->mask[w] |= words[FLOW_HEAD_WORDS + w];
}

int entry_records(const struct app_table *table, const struct layout *layout, const struct entry *entry,
		  struct entry_record **ret_records, size_t *ret_n)
{
	_cleanup_free_ struct pieces *pieces = calloc(table->n_lookup, sizeof(*pieces));
	struct entry_record *records;
	size_t n = 1;

	if (!pieces)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_lookup; i++) {
		make_pieces(&pieces[i], &entry->key[i], table->lookup[i].bits);
		n *= pieces[i].n;
		if (n > ENTRY_RECORDS_MAX)
			return -E2BIG;
	}
	records = calloc(n, sizeof(*records));
	if (!records)
		return -ENOMEM;
	for (size_t r = 0; r < n; r++) {
		size_t rest = r;

		for (size_t i = 0; i < table->n_lookup; i++) {
			put_piece(layout, i, &pieces[i], rest % pieces[i].n, &records[r]);
			rest /= pieces[i].n;
		}
	}
	*ret_records = records;
	*ret_n = n;
	return 0;
}

/* ---- identity and order ---- */

static void mix(__u64 *hash, __u64 value)
{
	*hash = (*hash ^ value) * 0x9e3779b97f4a7c15ULL;
	*hash ^= *hash >> 29;
}

__u64 entry_id(const struct app_table *table, const struct entry *entry)
{
	__u64 hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < table->n_lookup; i++) {
		const struct pattern *p = &entry->key[i];

		mix(&hash, p->kind == PATTERN_RANGE);
		mix(&hash, p->hi);
		mix(&hash, p->lo);
		mix(&hash, p->kind == PATTERN_RANGE ? p->last : p->mask_lo);
		mix(&hash, p->kind == PATTERN_RANGE ? 0 : p->mask_hi);
	}
	return hash & ~ENTRY_OF_TEXT;
}

__u64 entry_rank(const struct app_table *table, const struct entry *entry)
{
	__u64 bits = 0;

	if (!table->masked)
		return 0;
	for (size_t i = 0; i < table->n_lookup; i++)
		if (entry->key[i].kind != PATTERN_RANGE)
			bits += __builtin_popcountll(entry->key[i].mask_hi) +
				__builtin_popcountll(entry->key[i].mask_lo);
	return (__u64)entry->priority << 32 | bits;
}

void entry_registers(const struct app_table *table, const struct entry *entry, __u64 id, __u64 now_ns,
		     __u64 *ret_registers)
{
	memcpy(ret_registers, entry->reg, sizeof(entry->reg));
	ret_registers[ENTRY_ID] = id;
	ret_registers[ENTRY_RANK] = entry_rank(table, entry);
	ret_registers[ENTRY_IDLE] = entry->idle_ns;
	ret_registers[ENTRY_SINCE] = now_ns;
	ret_registers[ENTRY_PACKETS] = ret_registers[ENTRY_BYTES] = 0;
}
