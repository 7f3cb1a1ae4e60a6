// SPDX-License-Identifier: GPL-2.0-or-later
#include "said.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdbool.h>

#include "../common/cleanup.h"

static char *said;
static bool listening;

static int hear(enum libbpf_print_level level, const char *format, va_list args)
{
	_cleanup_free_ char *line = NULL, *old = NULL;

	if (!listening || level != LIBBPF_WARN)
		return 0;
	if (vasprintf(&line, format, args) < 0) {
		line = NULL;
		return 0;
	}
	old = said;
	if (asprintf(&said, "%s%s", old ? old : "", line) < 0)
		said = NULL;
	return 0;
}

void said_begin(void)
{
	libbpf_set_print(hear);
	free(said);
	said = NULL;
	listening = true;
}

char *said_end(void)
{
	listening = false;
	return TAKE_PTR(said);
}
