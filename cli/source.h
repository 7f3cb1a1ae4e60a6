/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source - an application's file with the settings and the hook of the command line, checked. */
#ifndef MEALY_SOURCE_H
#define MEALY_SOURCE_H

#include "cli.h"

struct source {
	const char *path;
	char *text;
	size_t size;
	enum hook_id hook;
	struct setting *setting; /* Of --set; point into 'owned'. */
	size_t n_settings;
	char **owned;
	struct diag_list diags;
	struct app *app; /* NULL: it has mistakes. */
};

/* Reads --hook and --set.  Returns 0, or an exit code after saying what is wrong. */
int source_init(struct source *source, const struct args *args);

/* Adds "NAME=VALUE".  Returns 0 or an exit code after saying what is wrong. */
int source_set(struct source *source, const char *pair);

/* Reads and checks the file; mistakes lie in 'diags' and 'app' is NULL then.  'ports' may be NULL.
 * Returns 0 also with mistakes; an exit code only when the file cannot be read. */
int source_read(struct source *source, const char *path, const struct port_names *ports);
void source_done(struct source *source);

/* Prints mistakes and warnings with their lines on stderr. */
void source_print_diags(const struct source *source);

/* "xdp" ...; -1: no such hook. */
int hook_find(const char *name);
const char *hook_name(unsigned hook);

#endif
