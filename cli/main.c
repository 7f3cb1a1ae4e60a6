/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mealy: find the command, run it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define DEFAULT_CONTROLLER "ipc:///run/mealy/users.sock"

/* A path alone means a local socket. */
static char *to_url(const char *text)
{
	char *url;

	return asprintf(&url, "%s%s", text[0] == '/' ? "ipc://" : "", text) < 0 ? NULL : url;
}

/* Where the keys of whoever runs this are; the caller frees. */
static char *keys_folder_of(const struct args *args)
{
	const char *given = args_get(args, "keys"), *home = getenv("HOME");
	char *folder;

	if (!given)
		given = getenv("MEALY_KEYS");
	if (given && given[0])
		return strdup(given);
	return asprintf(&folder, "%s/.config/mealy/keys", home ? home : "/root") < 0 ? NULL : folder;
}

static int run(const struct args *args)
{
	const char *agent = args_get(args, "agent"), *controller = args_get(args, "controller");
	struct cli cli = {
		.json = args_has(args, "json"),
		.insecure = args_has(args, "insecure"),
		.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
		.is_agent = agent != NULL,
		.switch_name = args_has(args, "switch") ? args_get(args, "switch") : "",
	};
	char *url, *keys;
	int status;

	if (agent && controller)
		return cli_usage("--agent and --controller exclude each other");
	if (!controller)
		controller = getenv("MEALY_CONTROLLER");
	url = to_url(agent ? agent : controller && controller[0] ? controller : DEFAULT_CONTROLLER);
	keys = keys_folder_of(args);
	if (!url || !keys) {
		free(url);
		free(keys);
		return cli_fail("out of memory");
	}
	cli.url = url;
	cli.keys = keys;
	status = args->cmd->run(&cli, args);
	mealy_close(cli.mealy);
	free(url);
	free(keys);
	return status;
}

/* An answer that could not be written was not given. */
static int finish(int status)
{
	bool whole = !ferror(stdout); /* Of an earlier write the reason is gone, unless the rest fails alike. */

	errno = 0;
	if (fflush(stdout) == 0 && whole)
		return status;
	if (status)
		return status;
	return cli_fail("cannot write the output: %s", errno ? strerror(errno) : "not all of it was taken");
}

/* What is wrong, and where to read more. */
static int usage(const struct args *args, const char *why)
{
	const struct cmd *cmd = args->cmd;

	if (cmd && cmd->verb)
		return cli_usage("%s (see mealy %s %s --help)", why, cmd->object, cmd->verb);
	return cli_usage("%s (see mealy%s%s --help)", why, cmd ? " " : "", cmd ? cmd->object : "");
}

int main(int argc, char **argv)
{
	struct args args;
	char why[256];
	int r;

	r = args_parse(argc, argv, &args, why);
	if (r < 0) {
		r = usage(&args, r == -ENOMEM ? "out of memory" : why);
	} else if (args.help) {
		cmd_print_help(&args, stdout);
		r = finish(EXIT_OK);
	} else if (args.version) {
		puts("mealy " MEALY_VERSION);
		r = finish(EXIT_OK);
	} else {
		r = finish(run(&args));
	}
	args_done(&args);
	return r;
}
