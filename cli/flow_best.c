/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow_best.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct flow_best {
	enum flow_order order;
	size_t limit, n, room;
	size_t record_words, key_words;
	uint64_t *words; /* 'n' records. */
};

struct flow_best *flow_best_new(enum flow_order order, size_t limit)
{
	struct flow_best *best = calloc(1, sizeof(*best));

	if (best) {
		best->order = order;
		best->limit = limit;
	}
	return best;
}

void flow_best_free(struct flow_best *best)
{
	if (!best)
		return;
	free(best->words);
	free(best);
}

static uint64_t *at(const struct flow_best *best, size_t index)
{
	return best->words + index * best->record_words;
}

/* < 0: 'a' comes before 'b'. */
static int compare(const struct flow_best *best, const uint64_t *a, const uint64_t *b)
{
	struct flow_head head_a, head_b;

	memcpy(&head_a, a, sizeof(head_a));
	memcpy(&head_b, b, sizeof(head_b));
	if (best->order == FLOW_BY_IDLE && head_a.last_used_ns != head_b.last_used_ns)
		return head_a.last_used_ns > head_b.last_used_ns ? -1 : 1;
	for (size_t i = FLOW_HEAD_WORDS; i < FLOW_HEAD_WORDS + best->key_words; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static void swap(const struct flow_best *best, size_t i, size_t j)
{
	uint64_t record[RECORD_WORDS(RECORD_256)];
	size_t size = best->record_words * sizeof(uint64_t);

	memcpy(record, at(best, i), size);
	memcpy(at(best, i), at(best, j), size);
	memcpy(at(best, j), record, size);
}

/* Moves record 'i' down until no child of it comes after it. */
static void sift_down(struct flow_best *best, size_t i, size_t n)
{
	for (;;) {
		size_t last = i, child = 2 * i + 1;

		if (child < n && compare(best, at(best, child), at(best, last)) > 0)
			last = child;
		if (child + 1 < n && compare(best, at(best, child + 1), at(best, last)) > 0)
			last = child + 1;
		if (last == i)
			return;
		swap(best, i, last);
		i = last;
	}
}

static void sift_up(struct flow_best *best, size_t i)
{
	while (i > 0 && compare(best, at(best, i), at(best, (i - 1) / 2)) > 0) {
		swap(best, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static int grow(struct flow_best *best, const struct layout *layout)
{
	size_t room = best->room ? 2 * best->room : 64;
	uint64_t *words;

	best->record_words = RECORD_WORDS(layout->record_class);
	best->key_words = layout->key_words;
	if (room > best->limit)
		room = best->limit;
	words = realloc(best->words, room * best->record_words * sizeof(*words));
	if (!words)
		return -ENOMEM;
	best->words = words;
	best->room = room;
	return 0;
}

int flow_best_offer(struct flow_best *best, const struct layout *layout, const uint64_t *words)
{
	if (best->n == best->room && best->n < best->limit && grow(best, layout) < 0)
		return -ENOMEM;
	if (best->n < best->limit) {
		memcpy(at(best, best->n), words, best->record_words * sizeof(*words));
		sift_up(best, best->n++);
	} else if (best->n && compare(best, words, at(best, 0)) < 0) {
		memcpy(at(best, 0), words, best->record_words * sizeof(*words));
		sift_down(best, 0, best->n);
	}
	return 0;
}

size_t flow_best_sort(struct flow_best *best)
{
	for (size_t n = best->n; n > 1; n--) {
		swap(best, 0, n - 1);
		sift_down(best, 0, n - 1);
	}
	return best->n;
}

const uint64_t *flow_best_get(const struct flow_best *best, size_t index)
{
	return at(best, index);
}
