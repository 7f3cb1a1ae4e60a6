/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle open|add|commit|discard|list. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"

/* Commands whose changes a bundle takes. */
static const struct {
	const char *object, *verb;
} members[] = {
	{"entry", "add"},   {"entry", "set"}, {"entry", "delete"}, {"entry", "import"},
	{"global", "set"},  {"group", "add"}, {"group", "set"},	   {"group", "remove"},
	{"group", "reset"}, {"app", "load"},  {"app", "set"},	   {"app", "remove"},
};

static int read_id(const struct args *args, uint32_t *ret_id)
{
	char *end;
	unsigned long id = strtoul(args->arg[0], &end, 10);

	if (!id || id > UINT32_MAX || *end || args->arg[0][0] < '0' || args->arg[0][0] > '9')
		return cli_usage("expected the number of a bundle, not \"%s\"", args->arg[0]);
	*ret_id = id;
	return 0;
}

static int print(struct cli *cli, uint32_t id, const char *name, uint64_t value, const char *text)
{
	struct render *out = cli->json ? render_new(stdout, true) : NULL;

	if (out) {
		render_row_begin(out);
		render_u64(out, "bundle", id);
		render_u64(out, name, value);
		render_row_end(out);
	} else {
		puts(text);
	}
	render_free(out);
	return EXIT_OK;
}

/* A duration as milliseconds; 0: not given. */
static int read_timeout(const struct args *args, uint32_t *ret_ms)
{
	const char *text = args_get(args, "timeout");
	uint64_t hi, ns;

	*ret_ms = 0;
	if (!text)
		return 0;
	if (value_parse(TYPE_DURATION, text, &hi, &ns) < 0 || ns < 1000000 || ns / 1000000 > BUNDLE_TIMEOUT_MAX_MS)
		return cli_usage("--timeout is a duration from 1ms to 1h, not \"%s\"", text);
	*ret_ms = ns / 1000000;
	return 0;
}

int bundle_open(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_BUNDLE, .bundle = {.op = BUNDLE_OPEN}};
	struct message *reply;
	char text[128], buf[32];
	int r = read_timeout(args, &request.bundle.timeout_ms);

	if (r == 0)
		r = cli_call(cli, &request, MSG_OK, &reply);
	if (r)
		return r;
	snprintf(text, sizeof(text), "bundle %" PRIu64 " is open; it is discarded when nothing comes for %s",
		 reply->ok.version, cli_duration(reply->ok.count * 1000000, buf, sizeof(buf)));
	print(cli, reply->ok.version, "timeout_ms", reply->ok.count, text);
	message_free(reply);
	return EXIT_OK;
}

static bool is_member(const struct cmd *cmd)
{
	for (size_t i = 0; cmd && cmd->verb && i < sizeof(members) / sizeof(members[0]); i++)
		if (!strcmp(cmd->object, members[i].object) && !strcmp(cmd->verb, members[i].verb))
			return true;
	return false;
}

static int run_member(struct cli *cli, const struct args *args)
{
	if (!is_member(args->cmd))
		return cli_usage("a bundle takes changes of entries, globals, groups and applications (entry, global, "
				 "group, app), not \"%s\"",
				 args->object ? args->object : "");
	if ((!strcmp(args->object, "group") || !strcmp(args->object, "app")) && !cli->is_agent)
		return cli_usage("through a controller a bundle takes entries and globals only yet; say --agent");
	return args->cmd->run(cli, args);
}

int bundle_add(struct cli *cli, const struct args *args)
{
	struct args inner;
	char why[256];
	char **argv;
	int r = read_id(args, &cli->bundle);

	if (r)
		return r;
	argv = calloc(args->n_args + 1, sizeof(*argv));
	if (!argv)
		return cli_fail("out of memory");
	for (size_t i = 0; i < args->n_args; i++)
		argv[i] = (char *)args->arg[i];
	r = args_parse(args->n_args, argv, &inner, why);
	r = r < 0 ? cli_usage("%s", r == -ENOMEM ? "out of memory" : why) : run_member(cli, &inner);
	args_done(&inner);
	free(argv);
	return r;
}

static int end(struct cli *cli, const struct args *args, enum bundle_op op, struct message **ret_reply)
{
	struct message request = {.kind = MSG_BUNDLE, .bundle = {.op = op}};
	int r = read_id(args, &request.bundle.id);

	return r ? r : cli_call(cli, &request, MSG_OK, ret_reply);
}

int bundle_commit(struct cli *cli, const struct args *args)
{
	struct message *reply;
	char text[128];
	int r = end(cli, args, BUNDLE_COMMIT, &reply);

	if (r)
		return r;
	snprintf(text, sizeof(text), "bundle %s: %" PRIu64 " %s changed", args->arg[0], reply->ok.count,
		 reply->ok.count == 1 ? "entry" : "entries");
	print(cli, strtoul(args->arg[0], NULL, 10), "count", reply->ok.count, text);
	message_free(reply);
	return EXIT_OK;
}

int bundle_discard(struct cli *cli, const struct args *args)
{
	struct message *reply;
	char text[128];
	int r = end(cli, args, BUNDLE_DISCARD, &reply);

	if (r)
		return r;
	snprintf(text, sizeof(text), "bundle %s: discarded", args->arg[0]);
	print(cli, strtoul(args->arg[0], NULL, 10), "members", reply->ok.count, text);
	message_free(reply);
	return EXIT_OK;
}

int bundle_list(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_BUNDLES}, *reply;
	struct render *out;
	char buf[32];
	int r = cli_call(cli, &request, MSG_BUNDLES, &reply);

	if (r)
		return r;
	out = render_new(stdout, cli->json);
	for (size_t i = 0; out && i < reply->bundles.n; i++) {
		const struct msg_bundle_item *b = &reply->bundles.item[i];

		render_row_begin(out);
		render_u64(out, "bundle", b->id);
		render_u64(out, "members", b->n_members);
		render_u64(out, "rows", b->n_rows);
		render_u64(out, "bytes", b->bytes);
		if (cli->json)
			render_u64(out, "left_ms", b->left_ms);
		else
			render_string(out, "left", cli_duration(b->left_ms * 1000000ull, buf, sizeof(buf)));
		render_row_end(out);
	}
	if (out && !reply->bundles.n)
		render_note(out, "no bundle is open");
	render_free(out);
	message_free(reply);
	return out ? EXIT_OK : cli_fail("out of memory");
}

int bundle_taken(struct cli *cli, const struct message *reply)
{
	char text[128];

	snprintf(text, sizeof(text), "taken into bundle %" PRIu32 ", which has %" PRIu64 " %s of entries", cli->bundle,
		 reply->ok.count, reply->ok.count == 1 ? "row" : "rows");
	return print(cli, cli->bundle, "rows", reply->ok.count, text);
}
