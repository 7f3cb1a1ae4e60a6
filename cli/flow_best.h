/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_best - the first N flows of an order, kept while a table of any size streams by.
 *
 * A bounded heap whose root is the last of those kept, so memory is N records. */
#ifndef MEALY_FLOW_BEST_H
#define MEALY_FLOW_BEST_H

#include "../tables/layout.h"

enum flow_order { FLOW_BY_KEY, FLOW_BY_IDLE }; /* IDLE: shortest idle first. */
enum { FLOW_BEST_MAX = 100000 };

struct flow_best;

/* NULL without memory. */
struct flow_best *flow_best_new(enum flow_order order, size_t limit);
void flow_best_free(struct flow_best *best);

/* Offers one record; 0 or -ENOMEM. */
int flow_best_offer(struct flow_best *best, const struct layout *layout, const uint64_t *words);

/* Puts what was kept in order; nothing may be offered afterwards.  Returns how many. */
size_t flow_best_sort(struct flow_best *best);
const uint64_t *flow_best_get(const struct flow_best *best, size_t index);

#endif
