/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "span.h"

#include <string.h>

#include "../common/arena.h"

static void insert_at(struct arena *arena, struct span_set *set, size_t at, struct span span)
{
	if (set->n == set->room) {
		size_t room = set->room ? 2 * set->room : 2;
		struct span *moved = arena_alloc_array(arena, room, sizeof(*moved));

		if (set->n)
			memcpy(moved, set->span, set->n * sizeof(*moved));
		set->span = moved;
		set->room = room;
	}
	memmove(&set->span[at + 1], &set->span[at], (set->n - at) * sizeof(*set->span));
	set->span[at] = span;
	set->n++;
}

/* Does 'a' end before 'b' begins, with a number between them? */
static bool is_apart(const struct span *a, const struct span *b)
{
	return a->last < b->first && b->first - a->last > 1;
}

void span_add(struct arena *arena, struct span_set *set, struct span more)
{
	size_t at = set->n, end;

	while (at && !is_apart(&set->span[at - 1], &more))
		at--;
	for (end = at; end < set->n && !is_apart(&more, &set->span[end]); end++) {
		if (set->span[end].first < more.first)
			more.first = set->span[end].first;
		if (set->span[end].last > more.last)
			more.last = set->span[end].last;
	}
	if (end == at) {
		insert_at(arena, set, at, more);
		return;
	}
	set->span[at] = more;
	memmove(&set->span[at + 1], &set->span[end], (set->n - end) * sizeof(*set->span));
	set->n -= end - at - 1;
}

void span_add_all(struct arena *arena, struct span_set *set, struct span_set more)
{
	for (size_t i = 0; i < more.n; i++)
		span_add(arena, set, more.span[i]);
}

struct span_set span_range(struct arena *arena, span_number first, span_number last)
{
	struct span_set set = {};

	if (first <= last)
		span_add(arena, &set, (struct span){first, last});
	return set;
}

struct span_set span_intersection(struct arena *arena, struct span_set a, struct span_set b)
{
	struct span_set set = {};
	size_t i = 0, j = 0;

	while (i < a.n && j < b.n) {
		const struct span *x = &a.span[i], *y = &b.span[j];
		struct span both = {x->first > y->first ? x->first : y->first, x->last < y->last ? x->last : y->last};

		if (both.first <= both.last)
			span_add(arena, &set, both);
		if (x->last < y->last)
			i++;
		else
			j++;
	}
	return set;
}

struct span_set span_without(struct arena *arena, struct span_set all, struct span_set a)
{
	struct span_set gaps = {};
	span_number from = 0;
	bool open = true; /* Numbers from 'from' on are in no span of 'a' so far. */

	for (size_t i = 0; i < a.n; i++) {
		if (a.span[i].first > from)
			span_add(arena, &gaps, (struct span){from, a.span[i].first - 1});
		from = a.span[i].last + 1;
		open = from != 0;
	}
	if (open)
		span_add(arena, &gaps, (struct span){from, ~(span_number)0});
	return span_intersection(arena, all, gaps);
}

bool span_includes(struct span_set outer, struct span_set inner)
{
	size_t i = 0;

	for (size_t j = 0; j < inner.n; j++) {
		while (i < outer.n && outer.span[i].last < inner.span[j].first)
			i++;
		if (i == outer.n || outer.span[i].first > inner.span[j].first ||
		    outer.span[i].last < inner.span[j].last)
			return false;
	}
	return true;
}
