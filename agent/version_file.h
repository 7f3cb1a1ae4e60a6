/* SPDX-License-Identifier: GPL-2.0-or-later */
/* version_file - a version as the bytes of its file; state_dir.h describes them.  Pure. */
#ifndef MEALY_VERSION_FILE_H
#define MEALY_VERSION_FILE_H

#include "desired.h"
#include "registry.h"

enum { VERSION_FILE_MAX = 128 << 20 };

int version_file_render(uint64_t version, const struct desired *desired, const struct registry *registry,
			char **ret_bytes, size_t *ret_size);

/* -EPROTO: damaged, '*ret_why' says how;  -ENOMEM. */
int version_file_parse(const char *bytes, size_t size, uint64_t *ret_version, struct desired **ret_desired,
		       struct registry **ret_registry, char **ret_why);

#endif
