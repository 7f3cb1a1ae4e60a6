/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meter list|reset. */
#include <stdlib.h>

#include "handlers.h"

static void print_meter(struct render *out, const struct msg_meter *m)
{
	render_row_begin(out);
	render_string(out, "app", m->deployment);
	render_string(out, "name", m->name);
	render_string(out, "rates", m->rates);
	render_u64(out, "green", m->green);
	render_u64(out, "yellow", m->yellow);
	render_u64(out, "red", m->red);
	render_u64(out, "committed", m->committed);
	render_u64(out, "peak", m->peak);
	render_string(out, "unit", m->bytes ? "bytes" : "packets");
	render_row_end(out);
}

int meter_list(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_METERS, .get = {.filter = args->n_args ? args->arg[0] : ""}};
	struct message *reply;
	struct render *out;
	int r = cli_call(cli, &request, MSG_METERS, &reply);

	if (r)
		return r;
	out = render_new(stdout, cli->json);
	for (size_t i = 0; out && i < reply->meters.n; i++)
		print_meter(out, &reply->meters.item[i]);
	if (out && !reply->meters.n)
		render_note(out, "no meters that flows share");
	render_free(out);
	message_free(reply);
	return out ? EXIT_OK : cli_fail("out of memory");
}

int meter_reset(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_RESET_METER, .get = {.filter = args->arg[0]}};
	struct message *reply;
	int r = cli_call(cli, &request, MSG_OK, &reply);

	if (r)
		return r;
	message_free(reply);
	if (!cli->json)
		printf("%s: full\n", args->arg[0]);
	return EXIT_OK;
}
