/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 16 * 1024, ALIGN_BYTES = 16 };

struct chunk {
	struct chunk *next;
	size_t used, room;
	_Alignas(ALIGN_BYTES) char bytes[];
};

struct arena {
	struct chunk *chunk; /* The newest first. */
	size_t given, limit;
	jmp_buf *where;
	bool hit_limit;
};

struct arena *arena_new(size_t limit_bytes)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (arena)
		arena->limit = limit_bytes;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->chunk) {
		struct chunk *chunk = arena->chunk;

		arena->chunk = chunk->next;
		free(chunk);
	}
	free(arena);
}

jmp_buf *arena_catch(struct arena *arena, jmp_buf *where)
{
	jmp_buf *before = arena->where;

	arena->where = where;
	return before;
}

bool arena_hit_limit(const struct arena *arena)
{
	return arena->hit_limit;
}

void arena_give_up(struct arena *arena)
{
	if (!arena->where)
		abort();
	longjmp(*arena->where, 1);
}

static void add_chunk(struct arena *arena, size_t size_bytes)
{
	size_t room = size_bytes > CHUNK_BYTES ? size_bytes : CHUNK_BYTES;
	struct chunk *chunk = calloc(1, sizeof(*chunk) + room);

	if (!chunk)
		arena_give_up(arena);
	chunk->room = room;
	chunk->next = arena->chunk;
	arena->chunk = chunk;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
	struct chunk *chunk;
	void *result;

	if (size_bytes > arena->limit - arena->given) {
		arena->hit_limit = true;
		arena_give_up(arena);
	}
	size_bytes = (size_bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
	if (!arena->chunk || arena->chunk->room - arena->chunk->used < size_bytes)
		add_chunk(arena, size_bytes);
	chunk = arena->chunk;
	result = chunk->bytes + chunk->used;
	chunk->used += size_bytes;
	arena->given = size_bytes > arena->limit - arena->given ? arena->limit : arena->given + size_bytes;
	return result;
}

void *arena_alloc_array(struct arena *arena, size_t n, size_t size_bytes)
{
	if (size_bytes && n > SIZE_MAX / size_bytes) {
		arena->hit_limit = true;
		arena_give_up(arena);
	}
	return arena_alloc(arena, n * size_bytes);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, text, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		arena_give_up(arena);
	text = arena_alloc(arena, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

void *arena_grow(struct arena *arena, void *array, size_t n, size_t size_bytes)
{
	void *moved;

	if (n & (n - 1))
		return array; /* Between two powers of two there is room. */
	moved = arena_alloc_array(arena, n ? 2 * n : 1, size_bytes);
	if (n)
		memcpy(moved, array, n * size_bytes);
	return moved;
}
