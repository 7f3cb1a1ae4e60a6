/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "folder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/cleanup.h"

int folder_make(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *at = copy; *at && (at = strchr(at + 1, '/'));) {
		*at = '\0';
		mkdir(copy, 0755); /* What fails here is told by the last one. */
		*at = '/';
	}
	return mkdir(path, 0750) < 0 && errno != EEXIST ? -errno : 0;
}
