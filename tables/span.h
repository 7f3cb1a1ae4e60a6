/* SPDX-License-Identifier: GPL-2.0-or-later */
/* span - sets of numbers of up to 128 bits, as ascending spans that neither overlap nor touch.
 *
 * The checker reasons with them about what rules match.  A set's memory is an arena's and is given back with
 * it; {} is the empty set.  Time is linear in the number of spans. */
#ifndef MEALY_SPAN_H
#define MEALY_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

typedef unsigned __int128 span_number;

struct span {
	span_number first, last;
};

struct span_set {
	struct span *span;
	size_t n, room;
};

/* The numbers from 'first' to 'last'; none when they are backwards. */
struct span_set span_range(struct arena *arena, span_number first, span_number last);
/* Adds 'more' to 'set'. */
void span_add(struct arena *arena, struct span_set *set, struct span more);
void span_add_all(struct arena *arena, struct span_set *set, struct span_set more);
struct span_set span_intersection(struct arena *arena, struct span_set a, struct span_set b);
/* What of 'all' is not in 'a'. */
struct span_set span_without(struct arena *arena, struct span_set all, struct span_set a);
bool span_includes(struct span_set outer, struct span_set inner);

#endif
