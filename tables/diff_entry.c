/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "diff_entry.h"

#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "entry.h"

struct keyed {
	__u64 id;
	const struct app_entry *entry;
};

static int compare(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int r = x->id < y->id ? -1 : x->id > y->id;

	/* Where nobody knows the numbers of ports, keys with them are alike. */
	for (size_t i = 0; r == 0 && i < x->entry->n_cells && i < y->entry->n_cells; i++)
		r = strcmp(x->entry->text[i], y->entry->text[i]);
	return r;
}

/* By key, because nothing else names an entry. */
static struct keyed *sorted(const struct app_table *t)
{
	struct keyed *list = calloc(t->n_entries + 1, sizeof(*list));

	for (size_t i = 0; list && i < t->n_entries; i++)
		list[i] = (struct keyed){entry_id(t, t->entry[i].entry), &t->entry[i]};
	if (list)
		qsort(list, t->n_entries, sizeof(*list), compare);
	return list;
}

static void print(FILE *out, const char *what, const struct app_table *t, const struct app_entry *entry, bool *same,
		  unsigned *n)
{
	*same = false;
	if ((*n)++ >= ENTRY_LINES_MAX)
		return;
	fprintf(out, "entry of %s %s: {", t->name, what);
	for (size_t i = 0; i < entry->n_cells; i++)
		fprintf(out, "%s%s: %s", i ? ", " : "", entry->column[i], entry->text[i]);
	fputs("}\n", out);
}

/* State numbers are those of two texts, so actions go by name. */
static bool equal(const struct app_table *old, const struct entry *a, const struct app_table *new_,
		  const struct entry *b)
{
	return strcmp(old->state[a->action].name, new_->state[b->action].name) == 0 && a->priority == b->priority &&
	       a->idle_ns == b->idle_ns && a->hard_ns == b->hard_ns && strcmp(a->name, b->name) == 0 &&
	       memcmp(a->reg, b->reg, sizeof(a->reg)) == 0;
}

void diff_entries(FILE *out, const struct app_table *old, const struct app_table *new_, bool *same)
{
	_cleanup_free_ struct keyed *was = sorted(old), *is = sorted(new_);
	size_t i = 0, j = 0;
	unsigned n = 0;

	while (was && is && (i < old->n_entries || j < new_->n_entries)) {
		if (j == new_->n_entries || (i < old->n_entries && was[i].id < is[j].id)) {
			print(out, "removed", old, was[i++].entry, same, &n);
		} else if (i == old->n_entries || is[j].id < was[i].id) {
			print(out, "added", new_, is[j++].entry, same, &n);
		} else {
			if (!equal(old, was[i].entry->entry, new_, is[j].entry->entry))
				print(out, "changed", new_, is[j].entry, same, &n);
			i++;
			j++;
		}
	}
	if (n > ENTRY_LINES_MAX)
		fprintf(out, "... and %u more entries of %s\n", n - ENTRY_LINES_MAX, new_->name);
}
