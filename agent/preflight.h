/* SPDX-License-Identifier: GPL-2.0-or-later */
/* preflight - what this host can do, in words, before anything is loaded.
 *
 * Changes nothing: small trial programs and maps are made and closed again. */
#ifndef MEALY_PREFLIGHT_H
#define MEALY_PREFLIGHT_H

#include <stddef.h>

enum preflight_level { PREFLIGHT_OK, PREFLIGHT_NOTE, PREFLIGHT_WARNING, PREFLIGHT_ERROR };

struct preflight_line {
	enum preflight_level level;
	char *subject; /* "kernel", "bpffs", "eth0", ... */
	char *text;    /* "6.1.0: new enough (6.1 is the oldest supported)" */
	char *fix;     /* What to do, NULL: nothing. */
};

struct preflight {
	struct preflight_line *line;
	size_t n;
	size_t n_errors, n_warnings;
};

struct preflight_options {
	const char *bpffs;	      /* NULL: /sys/fs/bpf */
	const char *const *interface; /* Names or fnmatch(3) patterns, as ports are configured. */
	size_t n_interfaces;
};

/* Runs every check.  0, or -ENOMEM; what the host lacks is in the lines.  preflight_done() releases them. */
int preflight_run(const struct preflight_options *options, struct preflight *ret_preflight);
void preflight_done(struct preflight *preflight);

const char *preflight_level_name(enum preflight_level level); /* "ok", "note", "warning", "error" */

#endif
