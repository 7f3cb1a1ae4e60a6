/* SPDX-License-Identifier: GPL-2.0-or-later */
/* global list|set. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "handlers.h"

static void print_range(struct render *out, const struct msg_global *g)
{
	char min[64], max[64], text[160];

	if (g->min == 0 && g->max == UINT64_MAX)
		strcpy(text, "any");
	else
		snprintf(text, sizeof(text), "%s-%s", value_render(g->type, 0, g->min, 0, min, sizeof(min)),
			 value_render(g->type, 0, g->max, 0, max, sizeof(max)));
	render_string(out, "range", text);
}

static void print_global(struct render *out, const struct msg_global *g)
{
	render_row_begin(out);
	render_string(out, "app", g->deployment);
	render_string(out, "name", g->name);
	render_value(out, "value", g->type, 0, g->value, 0);
	render_value(out, "initial", g->type, 0, g->initial, 0);
	print_range(out, g);
	render_row_end(out);
}

int global_list(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_GLOBALS, .get = {.filter = args->n_args ? args->arg[0] : ""}};
	struct message *reply;
	struct render *out;
	int r;

	r = cli_call(cli, &request, MSG_GLOBALS, &reply);
	if (r)
		return r;
	out = render_new(stdout, cli->json);
	for (size_t i = 0; out && i < reply->globals.n; i++)
		print_global(out, &reply->globals.item[i]);
	if (out && !reply->globals.n)
		render_note(out, "no globals");
	render_free(out);
	message_free(reply);
	return out ? EXIT_OK : cli_fail("out of memory");
}

int global_set(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_SET_GLOBAL, .set_global = {.deployment = args->arg[0]}};
	const char *setting = args->arg[1], *equals = strchr(setting, '=');
	_cleanup_free_ char *name = NULL;
	struct message *reply;
	struct render *out;
	int r;

	if (!equals || equals == setting || !equals[1])
		return cli_usage("expected NAME=VALUE, not \"%s\"", setting);
	name = strndup(setting, equals - setting);
	if (!name)
		return cli_fail("out of memory");
	request.set_global.name = name;
	request.set_global.text = equals + 1;
	r = cli_change(cli, &request, MSG_OK, &reply);
	if (r)
		return r;
	out = cli->json && !cli->bundle ? render_new(stdout, true) : NULL;
	if (cli->bundle) {
		bundle_taken(cli, reply);
	} else if (out) {
		render_row_begin(out);
		render_string(out, "name", name);
		render_string(out, "before", reply->ok.text);
		render_row_end(out);
	} else {
		printf("%s: %s -> %s\n", name, reply->ok.text, equals + 1);
	}
	render_free(out);
	message_free(reply);
	return EXIT_OK;
}
