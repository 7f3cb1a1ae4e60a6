// SPDX-License-Identifier: GPL-2.0-or-later
/* barrier URL SWITCH FILE... - deploys all files in one go, without waiting for an answer, then sends a barrier and
 * ends when that is answered.  A deployment is named like its file.  SWITCH "": the one asked, as a whole.
 *
 * Says how many deployments had been answered by then. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "proto/endpoint.h"

enum { FILE_MAX = 64 << 10, WAIT_MS = 30000 };

struct tool {
	struct ev_loop *loop;
	const char *switch_name;
	char **file;
	int n_files, n_answered, n_refused;
	int status; /* Of the barrier. */
};

static void on_deployed(void *data, int status, const struct message *reply)
{
	struct tool *tool = data;

	tool->n_answered++;
	if (status == 0 && reply->kind == MSG_ERROR)
		fprintf(stderr, "refused: %s\n", reply->error.text);
	tool->n_refused += status < 0 || reply->kind == MSG_ERROR;
}

static void on_barrier(void *data, int status, const struct message *reply)
{
	struct tool *tool = data;

	tool->status = status < 0 || reply->kind != MSG_OK;
	ev_break(tool->loop, EVBREAK_ALL);
}

static int deploy(struct tool *tool, struct peer *peer, const char *path)
{
	_cleanup_free_ char *text = calloc(1, FILE_MAX), *name = strdup(path);
	_cleanup_file_ FILE *file = fopen(path, "re");
	struct message msg = {.kind = MSG_DEPLOY, .switch_name = ""};

	if (!file || !text || !name)
		return -ENOENT;
	fread(text, 1, FILE_MAX - 1, file);
	msg.deploy = (struct deployment){.name = basename(name), .file = path, .text = text, .switches = ""};
	*strchrnul((char *)msg.deploy.name, '.') = '\0';
	return peer_request(peer, &msg, WAIT_MS, on_deployed, tool);
}

static enum error_code on_up(void *data, struct peer *peer, const struct msg_hello *hello)
{
	struct tool *tool = data;
	struct message barrier = {.kind = MSG_BARRIER, .switch_name = tool->switch_name};
	int r = 0;

	for (int i = 0; r == 0 && i < tool->n_files; i++)
		r = deploy(tool, peer, tool->file[i]);
	if (r == 0)
		r = peer_request(peer, &barrier, WAIT_MS, on_barrier, tool);
	if (r < 0) {
		fprintf(stderr, "cannot ask: %s\n", strerror(-r));
		ev_break(tool->loop, EVBREAK_ALL);
	}
	return ERROR_NONE;
}

static void on_down(void *data, struct peer *peer, const char *why)
{
	struct tool *tool = data;

	ev_break(tool->loop, EVBREAK_ALL);
}

static void on_request(void *data, struct peer *peer, const struct message *request)
{
	peer_reply_ok(peer, request->id, "", 0, 0);
}

int main(int argc, char **argv)
{
	static const struct endpoint_ops ops = {.up = on_up, .down = on_down, .request = on_request};
	struct msg_hello hello = {.role = ROLE_USER,
				  .name = "barrier",
				  .instance = (uint64_t)getpid(),
				  .wire_version = WIRE_VERSION,
				  .build = "",
				  .kernel = ""};
	struct tool tool = {.status = -1};
	struct endpoint *endpoint;
	char why[256] = "";

	if (argc < 3)
		return 2;
	tool.loop = ev_loop_new(EVFLAG_AUTO);
	tool.switch_name = argv[2];
	tool.file = argv + 3;
	tool.n_files = argc - 3;
	if (endpoint_dial(tool.loop, argv[1], false, &hello, &ops, &tool, &endpoint, why) < 0) {
		fprintf(stderr, "cannot connect: %s\n", why);
		return 2;
	}
	ev_run(tool.loop, 0);
	printf("%d answered, %d refused\n", tool.n_answered, tool.n_refused);
	fflush(stdout);
	endpoint_close(endpoint);
	ev_loop_destroy(tool.loop);
	return tool.status ? 1 : 0;
}
