// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "why.h"

int why_set(char **ret_why, int r, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	if (!ret_why)
		return r;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);

	free(*ret_why);
	*ret_why = text;
	return r;
}
