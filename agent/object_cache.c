/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "object_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/cleanup.h"

/* ---- names ---- */

void object_cache_path(const struct object_cache *cache, const char *hash, const char *end, char ret_path[PATH_MAX])
{
	if (snprintf(ret_path, PATH_MAX, "%s/%s.%s", cache->folder, hash, end) >= PATH_MAX)
		ret_path[0] = '\0';
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && !strcmp(name + len - end_len, end);
}

static int is_object(const struct dirent *entry)
{
	return ends_with(entry->d_name, ".o");
}

static int is_left_over(const struct dirent *entry)
{
	return ends_with(entry->d_name, ".h") || ends_with(entry->d_name, ".new");
}

/* ---- the folder ---- */

struct aged {
	char path[PATH_MAX];
	struct timespec used;
};

static int by_age(const void *a, const void *b)
{
	const struct timespec *x = &((const struct aged *)a)->used, *y = &((const struct aged *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

/* Removes what 'filter' takes but the newest 'kept'. */
static void remove_all_but(const struct object_cache *cache, int (*filter)(const struct dirent *), size_t kept)
{
	_cleanup_free_ struct aged *file = NULL;
	struct dirent **entry;
	int n = scandir(cache->folder, &entry, filter, NULL);
	struct stat st;

	if (n < 0)
		return;
	file = calloc(n + 1, sizeof(*file));
	for (int i = 0; i < n; i++) {
		if (file && snprintf(file[i].path, PATH_MAX, "%s/%s", cache->folder, entry[i]->d_name) < PATH_MAX &&
		    stat(file[i].path, &st) == 0)
			file[i].used = st.st_mtim;
		free(entry[i]);
	}
	free(entry);
	if (!file)
		return;
	qsort(file, n, sizeof(*file), by_age);
	for (size_t i = kept; i < (size_t)n; i++)
		unlink(file[i].path);
}

int object_cache_open(struct object_cache *cache, const char *state)
{
	if (snprintf(cache->folder, sizeof(cache->folder), "%s/objects", state) >= (int)sizeof(cache->folder))
		return -ENAMETOOLONG;
	if (mkdir(cache->folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	remove_all_but(cache, is_left_over, 0);
	return 0;
}

void object_cache_prune(const struct object_cache *cache)
{
	remove_all_but(cache, is_object, OBJECTS_KEPT);
}

void object_cache_forget(const char *state)
{
	struct object_cache cache;

	if (snprintf(cache.folder, sizeof(cache.folder), "%s/objects", state) >= (int)sizeof(cache.folder))
		return;
	remove_all_but(&cache, is_left_over, 0);
	remove_all_but(&cache, is_object, 0);
	rmdir(cache.folder);
}

/* ---- objects ---- */

bool object_cache_has(const struct object_cache *cache, const char *hash)
{
	char path[PATH_MAX];

	object_cache_path(cache, hash, "o", path);
	return utimensat(AT_FDCWD, path, NULL, 0) == 0;
}

int object_cache_begin(const struct object_cache *cache, const char *hash, const char *constant)
{
	char path[PATH_MAX];
	FILE *out;
	int r = 0;

	object_cache_path(cache, hash, "h", path);
	out = fopen(path, "we");
	if (!out)
		return -errno;
	if (fputs(constant, out) < 0)
		r = -EIO;
	if (fclose(out) != 0 && r == 0)
		r = -errno;
	if (r < 0)
		unlink(path);
	return r;
}

int object_cache_end(const struct object_cache *cache, const char *hash, bool good)
{
	char header[PATH_MAX], made[PATH_MAX], path[PATH_MAX];
	int r = 0;

	object_cache_path(cache, hash, "h", header);
	object_cache_path(cache, hash, "new", made);
	object_cache_path(cache, hash, "o", path);
	unlink(header);
	if (good && rename(made, path) < 0)
		r = -errno;
	if (!good || r < 0)
		unlink(made);
	return r;
}

void object_cache_remove(const struct object_cache *cache, const char *hash)
{
	char path[PATH_MAX];

	object_cache_path(cache, hash, "o", path);
	unlink(path);
}
