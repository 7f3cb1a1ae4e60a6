// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

enum { BLOCK_SIZE_MIN = 4 << 10, BLOCK_SIZE_MAX = 64 << 10, ALIGNMENT = alignof(max_align_t) };

struct block {
	struct block *next;
	alignas(ALIGNMENT) char bytes[];
};

struct pool {
	struct block *blocks;
	char *at;
	size_t left;	   /* Bytes at 'at'. */
	size_t budget;	   /* Bytes that may still be allocated. */
	size_t block_size; /* Of the next block. */
};

struct pool *pool_new(size_t budget)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->budget = budget;
	pool->block_size = BLOCK_SIZE_MIN;
	return pool;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	for (struct block *block = pool->blocks; block;) {
		struct block *next = block->next;

		free(block);
		block = next;
	}
	free(pool);
}

static char *take_block(struct pool *pool, size_t size)
{
	struct block *block;

	if (size > pool->budget)
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	pool->budget -= size;
	block->next = pool->blocks;
	pool->blocks = block;
	return block->bytes;
}

void *pool_take(struct pool *pool, size_t size)
{
	void *piece;

	if (size == 0)
		size = 1;
	if (size > SIZE_MAX - ALIGNMENT)
		return NULL;
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (size > BLOCK_SIZE_MIN / 4 && size > pool->left)
		return take_block(pool, size);
	if (size > pool->left) {
		piece = take_block(pool, pool->block_size);
		if (!piece)
			return NULL;
		pool->at = piece;
		pool->left = pool->block_size;
		if (pool->block_size < BLOCK_SIZE_MAX)
			pool->block_size *= 2;
	}
	piece = pool->at;
	pool->at += size;
	pool->left -= size;
	return piece;
}

void *pool_take_zeroed(struct pool *pool, size_t size)
{
	void *piece = pool_take(pool, size);

	return piece ? memset(piece, 0, size) : NULL;
}
