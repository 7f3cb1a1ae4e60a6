/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd - the one table of commands: it yields dispatch and every --help. */
#ifndef MEALY_CMD_H
#define MEALY_CMD_H

#include <stdio.h>

#include "args.h"

struct cli;

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

struct cmd {
	const char *object, *verb; /* verb NULL: the object is the whole command. */
	const char *args;	   /* "NAME TABLE" */
	unsigned args_min, args_max;
	const char *summary;				      /* One line. */
	const char *help;				      /* More, with an example. */
	const struct option_def *options;		      /* Ended by a NULL name; NULL: none of its own. */
	int (*run)(struct cli *cli, const struct args *args); /* Returns the exit code. */
};

extern const struct cmd commands[];
extern const size_t n_commands;
extern const struct option_def global_options[];

/* NULL: no such command. */
const struct cmd *cmd_find(const char *object, const char *verb);
bool cmd_is_object(const char *object);

void cmd_print_help(const struct args *args, FILE *out);

/* The object or verb nearest to what was written, or NULL. */
const char *cmd_nearest(const char *object, const char *verb);

#endif
