/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "maglev.h"

#include <errno.h>
#include <stdlib.h>

#include "../common/cleanup.h"
#include "../datapath/pipeline.h"

/* Where a member of the group stands in its walk through the slots. */
struct walk {
	unsigned id, weight;
	unsigned next, skip;
	uint64_t credit; /* A slot costs the largest weight. */
};

bool maglev_is_size(uint64_t size)
{
	if (size < 2)
		return false;
	for (uint64_t i = 2; i * i <= size; i++)
		if (size % i == 0)
			return false;
	return true;
}

/* The finaliser of splitmix64 (Steele, Lea and Flood 2014). */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static int by_id(const void *a, const void *b)
{
	const struct walk *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void claim(struct walk *walk, uint16_t *slot, unsigned size)
{
	while (slot[walk->next] != MEMBER_NONE)
		walk->next = (walk->next + walk->skip) % size;
	slot[walk->next] = walk->id;
}

static void take_turns(struct walk *walk, size_t n, unsigned largest, uint16_t *slot, unsigned size)
{
	unsigned filled = 0;

	for (;;)
		for (size_t i = 0; i < n; i++) {
			walk[i].credit += walk[i].weight;
			if (walk[i].credit < largest)
				continue;
			walk[i].credit -= largest;
			claim(&walk[i], slot, size);
			if (++filled == size)
				return;
		}
}

int maglev_fill(const struct maglev_member *member, size_t n, uint16_t *ret_slot, unsigned size)
{
	_cleanup_free_ struct walk *walk = calloc(n + 1, sizeof(*walk));
	unsigned largest = 0;

	if (!walk)
		return -ENOMEM;
	for (unsigned i = 0; i < size; i++)
		ret_slot[i] = MEMBER_NONE;
	for (size_t i = 0; i < n; i++) {
		uint64_t hash = mix(member[i].id);

		walk[i].id = member[i].id;
		walk[i].weight = member[i].weight;
		walk[i].next = hash % size;
		walk[i].skip = size > 2 ? mix(hash) % (size - 1) + 1 : 1;
		if (member[i].weight > largest)
			largest = member[i].weight;
	}
	if (!largest)
		return 0;
	qsort(walk, n, sizeof(*walk), by_id);
	take_turns(walk, n, largest, ret_slot, size);
	return 0;
}
