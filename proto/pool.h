/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pool - memory for one message: taken piece by piece, given back at once, and never more than
 * a budget that is fixed when the pool is made.  protobuf-c has no budget of its own. */
#ifndef MEALY_POOL_H
#define MEALY_POOL_H

#include <stddef.h>

struct pool;

/* NULL without memory. */
struct pool *pool_new(size_t budget);
void pool_free(struct pool *pool);

/* Aligned for anything; NULL when memory or budget is exhausted. */
void *pool_take(struct pool *pool, size_t size);
void *pool_take_zeroed(struct pool *pool, size_t size);

#endif
