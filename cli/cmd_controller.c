/* SPDX-License-Identifier: GPL-2.0-or-later */
/* controller backup|restore. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handlers.h"

static int ask(struct cli *cli, const struct args *args, enum message_kind kind, const char *done)
{
	struct message request = {.kind = kind, .switch_name = ""}, *reply;
	char here[PATH_MAX / 2] = "", path[PATH_MAX];
	int r;

	if (cli->is_agent)
		return cli_usage("an agent has no store: ask the controller");
	if (args->arg[0][0] != '/' && !getcwd(here, sizeof(here)))
		return cli_fail("this folder: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s%s%.2000s", here, here[0] ? "/" : "", args->arg[0]);
	request.get.filter = path;
	r = cli_call(cli, &request, MSG_OK, &reply);
	if (r)
		return r;
	if (!cli->json)
		printf("%s: %s\n", path, done);
	message_free(reply);
	return EXIT_OK;
}

int controller_backup(struct cli *cli, const struct args *args)
{
	return ask(cli, args, MSG_BACKUP, "written");
}

int controller_restore(struct cli *cli, const struct args *args)
{
	return ask(cli, args, MSG_RESTORE, "is what every switch shall run");
}
