/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log: who changed what. */
#include "handlers.h"

int log_show(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_LOG, .switch_name = ""}, *reply;
	struct render *out;
	char why[256], when[32];
	uint64_t max;
	int r;

	if (args_number(args, "limit", 50, 1, LOG_ITEMS_MAX, &max, why) < 0)
		return cli_usage("%s", why);
	if (cli->is_agent)
		return cli_usage("an agent keeps no log: ask the controller");
	request.get_log.max = max;
	r = cli_call(cli, &request, MSG_LOG, &reply);
	if (r)
		return r;
	out = render_new(stdout, cli->json);
	for (size_t i = 0; out && i < reply->log.n; i++) {
		const struct msg_log_item *item = &reply->log.item[i];

		render_row_begin(out);
		if (cli->json)
			render_u64(out, "time_ms", item->time_ms);
		else
			render_string(out, "time", cli_clock(item->time_ms, false, when, sizeof(when)));
		render_string(out, "who", item->who);
		render_string(out, "what", item->what);
		render_string(out, "result", item->result);
		render_row_end(out);
	}
	if (out && !reply->log.n)
		render_note(out, "nothing was changed yet");
	render_free(out);
	message_free(reply);
	return out ? EXIT_OK : cli_fail("out of memory");
}
