/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arena - many small things that live and die together.
 *
 * Memory is zeroed.  An allocation never returns NULL: when there is no memory, or more than the
 * arena's limit is asked for, it jumps to the place that arena_catch() names, and without one it
 * aborts.  So code that only builds trees needs no checks; such code must own nothing but
 * arena memory.  Not thread safe. */
#ifndef MEALY_ARENA_H
#define MEALY_ARENA_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* An empty arena that gives out at most 'limit_bytes'; NULL without memory. */
struct arena *arena_new(size_t limit_bytes);
void arena_free(struct arena *arena);

/* Where to go when memory runs out: longjmp(*where, 1).  NULL: abort.  Returns where it was until now,
 * so that who owns more than arena memory can clean up, restore it and call arena_give_up(). */
jmp_buf *arena_catch(struct arena *arena, jmp_buf *where);
void arena_give_up(struct arena *arena) __attribute__((noreturn));

/* After such a jump: was it the limit, not the machine? */
bool arena_hit_limit(const struct arena *arena);

void *arena_alloc(struct arena *arena, size_t size_bytes);
void *arena_alloc_array(struct arena *arena, size_t n, size_t size_bytes);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for one more element behind 'n' of an array from the same arena: returns the array, moved
 * and doubled when 'n' is 0 or a power of two. */
void *arena_grow(struct arena *arena, void *array, size_t n, size_t size_bytes);

#endif
