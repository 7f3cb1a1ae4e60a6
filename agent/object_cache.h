/* SPDX-License-Identifier: GPL-2.0-or-later */
/* object_cache - compiled objects in the state directory, each named by the hash of what it is made from.
 *
 *     <state>/objects/<hash>.o     compiled whole (written aside, then renamed)
 *     <state>/objects/<hash>.h     its constant, while the compiler runs
 *
 * A cache: what is missing is compiled again, so nothing is synced and nobody misses what cannot be kept. */
#ifndef MEALY_OBJECT_CACHE_H
#define MEALY_OBJECT_CACHE_H

#include <limits.h>
#include <stdbool.h>

enum { OBJECTS_KEPT = 256 };

struct object_cache {
	char folder[PATH_MAX];
};

/* Makes the folder if it is missing, and removes what a compiler left that was stopped. -errno. */
int object_cache_open(struct object_cache *cache, const char *state);

/* "<folder>/<hash>.<end>": end is "o", "h", or "new" for an object being written. */
void object_cache_path(const struct object_cache *cache, const char *hash, const char *end, char ret_path[PATH_MAX]);

bool object_cache_has(const struct object_cache *cache, const char *hash);
/* Writes the constant for the compiler.  -errno. */
int object_cache_begin(const struct object_cache *cache, const char *hash, const char *constant);
/* The compiler is done: keeps the new object if 'good'.  -errno. */
int object_cache_end(const struct object_cache *cache, const char *hash, bool good);
void object_cache_remove(const struct object_cache *cache, const char *hash);

/* Removes the folder of a state directory with all that is ours in it. */
void object_cache_forget(const char *state);

/* Removes the oldest beyond OBJECTS_KEPT. */
void object_cache_prune(const struct object_cache *cache);

#endif
