/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args - the command line: which command, its options, its arguments.
 *
 * Options may stand anywhere, as "--name value" or "--name=value"; "--" ends them.  Pure: looks
 * at nothing but its arguments. */
#ifndef MEALY_ARGS_H
#define MEALY_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cmd;

/* 'arg' NULL: a switch without a value. 'letter' 0: no short form. */
struct option_def {
	const char *name, *arg, *help;
	char letter;
};

enum { ARGS_OPTIONS_MAX = 256 };

struct args {
	const struct cmd *cmd; /* NULL: none was named (only --help or --version then). */
	const char *object;    /* As written; NULL: none. */
	bool help, version;
	const char **arg; /* Of the command; point into argv. */
	size_t n_args;
	struct {
		const char *name, *value;
	} option[ARGS_OPTIONS_MAX];
	size_t n_options;
};

/* Returns 0 and arguments for args_done(), or -EINVAL with '*ret_why' (256 bytes), one exact line;
 * 'ret_args->cmd' then names the command if it was found; or -ENOMEM. */
int args_parse(int argc, char **argv, struct args *ret_args, char *ret_why);
void args_done(struct args *args);

/* The last value given, NULL: not given.  For a switch "". */
const char *args_get(const struct args *args, const char *name);
bool args_has(const struct args *args, const char *name);
/* The values of an option that may be given often: begin with '*at' 0; NULL at the end. */
const char *args_next(const struct args *args, const char *name, size_t *at);

/* A number with 'fallback' when not given: 0, or -EINVAL with '*ret_why' (256 bytes). */
int args_number(const struct args *args, const char *name, uint64_t fallback, uint64_t min, uint64_t max,
		uint64_t *ret_number, char *ret_why);

#endif
