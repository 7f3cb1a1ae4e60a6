/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic int log_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	atomic_store(&log_level, level);
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR: return "error";
	case LOG_LEVEL_WARN: return "warning";
	case LOG_LEVEL_INFO: return "info";
	case LOG_LEVEL_DEBUG: return "debug";
	}
	return "?";
}

/* One write per line, so lines of several threads and processes do not mix. */
void log_line(enum log_level level, const char *format, ...)
{
	char message[2048], when[16];
	struct timespec now;
	struct tm tm;
	va_list args;

	if ((int)level > atomic_load(&log_level))
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%H:%M:%S", &tm);
	fprintf(stderr, "%s.%03ld %s: %s\n", when, now.tv_nsec / 1000000, level_name(level), message);
}

int log_allowed(struct log_limit *limit)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (limit->second == ts.tv_sec + 1)
		return 0;
	limit->second = ts.tv_sec + 1;
	return 1;
}
