/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log - leveled lines on stderr, for the daemons only; libraries return errors. */
#ifndef MEALY_LOG_H
#define MEALY_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For what others can make happen as often as they like: true at most once a second. */
struct log_limit {
	long second;
};
int log_allowed(struct log_limit *limit);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
