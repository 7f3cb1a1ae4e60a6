/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/diag.h"
#include "cmd.h"

static int wrong(char *ret_why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int wrong(char *ret_why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret_why, 256, format, args);
	va_end(args);
	return -EINVAL;
}

/* Does 'text' (of 'len' characters, without dashes) name 'def'? */
static bool is_named(const struct option_def *def, const char *text, size_t len, bool is_short)
{
	if (is_short)
		return def->letter && len == 1 && def->letter == text[0];
	return strlen(def->name) == len && !strncmp(def->name, text, len);
}

static const struct option_def *find_option(const struct option_def *defs, const char *text, size_t len, bool is_short)
{
	for (; defs && defs->name; defs++)
		if (is_named(defs, text, len, is_short))
			return defs;
	return NULL;
}

static const char *nearest_option(const struct cmd *cmd, const char *text)
{
	const char *names[64];
	size_t n = 0;

	for (const struct option_def *def = global_options; def->name && n < 64; def++)
		names[n++] = def->name;
	for (const struct option_def *def = cmd ? cmd->options : NULL; def && def->name && n < 64; def++)
		names[n++] = def->name;
	return diag_nearest(text, names, n);
}

static int unknown_option(const struct cmd *cmd, const char *word, const char *name, size_t len, char *ret_why)
{
	char text[64];
	const char *near;

	snprintf(text, sizeof(text), "%.*s", (int)len, name);
	near = word[1] == '-' ? nearest_option(cmd, text) : NULL;
	if (near)
		return wrong(ret_why, "unknown option %.60s; did you mean --%s?", word, near);
	return wrong(ret_why, "unknown option %.60s", word);
}

static int add_option(struct args *args, const struct option_def *def, const char *value, char *ret_why)
{
	if (args->n_options == ARGS_OPTIONS_MAX)
		return wrong(ret_why, "more than %d options", ARGS_OPTIONS_MAX);
	args->option[args->n_options].name = def->name;
	args->option[args->n_options++].value = value;
	args->help |= !strcmp(def->name, "help");
	args->version |= !strcmp(def->name, "version");
	return 0;
}

/* Takes the option at argv[*i] and its value. */
static int take_option(struct args *args, int argc, char **argv, int *i, char *ret_why)
{
	const char *word = argv[*i];
	bool is_short = word[1] != '-';
	const char *name = word + (is_short ? 1 : 2);
	const char *equals = is_short ? NULL : strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_def *def = find_option(global_options, name, len, is_short);

	if (!def && args->cmd)
		def = find_option(args->cmd->options, name, len, is_short);
	if (!def)
		return unknown_option(args->cmd, word, name, len, ret_why);
	if (!def->arg && equals)
		return wrong(ret_why, "option --%s takes no value", def->name);
	if (!def->arg)
		return add_option(args, def, "", ret_why);
	if (equals)
		return add_option(args, def, equals + 1, ret_why);
	if (*i + 1 >= argc)
		return wrong(ret_why, "option --%s needs a value: %s", def->name, def->arg);
	return add_option(args, def, argv[++*i], ret_why);
}

static int unknown_word(const char *object, const char *word, char *ret_why)
{
	const char *near = object ? cmd_nearest(object, word) : cmd_nearest(word, NULL);

	if (near)
		return wrong(ret_why, "there is no command \"%s%s%.60s\"; did you mean \"%s\"?", object ? object : "",
			     object ? " " : "", word, near);
	return wrong(ret_why, "there is no command \"%s%s%.60s\"", object ? object : "", object ? " " : "", word);
}

/* The first word is an object, the second its verb unless the object is the whole command. */
static int take_word(struct args *args, const char *word, char *ret_why)
{
	if (args->cmd) {
		args->arg[args->n_args++] = word;
		return 0;
	}
	if (!args->object && !strcmp(word, "help")) {
		args->help = true;
		return 0;
	}
	if (!args->object) {
		if (!cmd_is_object(word))
			return unknown_word(NULL, word, ret_why);
		args->object = word;
		args->cmd = cmd_find(word, NULL);
		return 0;
	}
	args->cmd = cmd_find(args->object, word);
	return args->cmd ? 0 : unknown_word(args->object, word, ret_why);
}

static int check_count(const struct args *args, char *ret_why)
{
	const struct cmd *cmd = args->cmd;

	if (args->help || args->version)
		return 0;
	if (!cmd && !args->object)
		return wrong(ret_why, "say what to do, for instance: mealy switch list");
	if (!cmd)
		return wrong(ret_why, "say what to do with %s, for instance: mealy %s --help", args->object,
			     args->object);
	if (args->n_args < cmd->args_min)
		return wrong(ret_why, "expected: mealy %s%s%s %s", cmd->object, cmd->verb ? " " : "",
			     cmd->verb ? cmd->verb : "", cmd->args);
	if (args->n_args > cmd->args_max)
		return wrong(ret_why, "\"%.60s\" is too much; expected: mealy %s%s%s %s", args->arg[cmd->args_max],
			     cmd->object, cmd->verb ? " " : "", cmd->verb ? cmd->verb : "", cmd->args);
	return 0;
}

int args_parse(int argc, char **argv, struct args *ret_args, char *ret_why)
{
	bool options = true;
	int r = 0;

	memset(ret_args, 0, sizeof(*ret_args));
	ret_args->arg = calloc(argc + 1, sizeof(*ret_args->arg));
	if (!ret_args->arg)
		return -ENOMEM;
	for (int i = 1; i < argc && r == 0; i++) {
		if (options && !strcmp(argv[i], "--"))
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1])
			r = take_option(ret_args, argc, argv, &i, ret_why);
		else
			r = take_word(ret_args, argv[i], ret_why);
	}
	return r < 0 ? r : check_count(ret_args, ret_why);
}

void args_done(struct args *args)
{
	free(args->arg);
	args->arg = NULL;
}

const char *args_get(const struct args *args, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < args->n_options; i++)
		if (!strcmp(args->option[i].name, name))
			value = args->option[i].value;
	return value;
}

bool args_has(const struct args *args, const char *name)
{
	return args_get(args, name) != NULL;
}

const char *args_next(const struct args *args, const char *name, size_t *at)
{
	for (; *at < args->n_options; (*at)++)
		if (!strcmp(args->option[*at].name, name))
			return args->option[(*at)++].value;
	return NULL;
}

int args_number(const struct args *args, const char *name, uint64_t fallback, uint64_t min, uint64_t max,
		uint64_t *ret_number, char *ret_why)
{
	const char *text = args_get(args, name);
	unsigned long long number;
	char *end;

	if (!text) {
		*ret_number = fallback;
		return 0;
	}
	errno = 0;
	number = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || number < min || number > max)
		return wrong(ret_why, "--%s is a number from %llu to %llu, not \"%.40s\"", name,
			     (unsigned long long)min, (unsigned long long)max, text);
	*ret_number = number;
	return 0;
}
