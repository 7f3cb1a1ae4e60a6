/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fate.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"

struct fate {
	struct controller *c;
	uint64_t user, request_id;
	struct fate_answer answer;
	size_t n, n_waiting;
	struct part {
		struct fate *fate;
		const struct known *k;
		char *lines; /* NULL: it said nothing. */
	} part[];
};

static void fate_free(struct fate *fate)
{
	for (size_t i = 0; i < fate->n; i++)
		free(fate->part[i].lines);
	free((char *)fate->answer.text);
	free(fate);
}

/* Each line of the switch, with its name in front. */
static void print_part(FILE *out, const struct part *part)
{
	const char *line = part->lines ? part->lines : "it did not answer what becomes of its flows";

	while (*line) {
		size_t len = strcspn(line, "\n");

		fprintf(out, "%s: %.*s\n", part->k->name, (int)len, line);
		line += len + (line[len] == '\n');
	}
}

static void answer(struct fate *fate)
{
	struct peer *user = peer_find(fate->c->users, fate->user);
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out) {
		fputs(fate->answer.text, out);
		if (fate->answer.text[0] && fate->answer.text[strlen(fate->answer.text) - 1] != '\n')
			fputc('\n', out);
		for (size_t i = 0; i < fate->n; i++)
			print_part(out, &fate->part[i]);
		fclose(out);
	}
	if (user && text)
		peer_reply_ok(user, fate->request_id, text, fate->answer.version, fate->answer.changes);
	else if (user)
		peer_reply_error(user, fate->request_id, ERROR_NO_MEMORY, "the controller has no memory left");
	fate_free(fate);
}

static void part_answered(void *data, int status, const struct message *reply)
{
	struct part *part = data;

	if (status == 0 && reply->kind == MSG_OK)
		part->lines = strdup(reply->ok.text);
	else if (status == 0 && reply->kind == MSG_ERROR)
		part->lines = strdup(reply->error.text);
	if (--part->fate->n_waiting == 0)
		answer(part->fate);
}

static bool concerns(const struct deployment *deployment, const struct known *k)
{
	return fnmatch(deployment->switches, k->name, 0) == 0;
}

static void ask(struct fate *fate, struct known *k, const struct deployment *wanted)
{
	struct message msg = {.kind = MSG_DIFF, .switch_name = "", .deploy = *wanted};
	struct part *part = &fate->part[fate->n];
	struct peer *peer = known_peer(k);

	*part = (struct part){.fate = fate, .k = k};
	if (!peer || peer_request(peer, &msg, SWITCH_LIST_TIMEOUT_MS, part_answered, part) < 0)
		return;
	fate->n++;
	fate->n_waiting++;
}

void fate_ask(struct controller *c, struct peer *user, uint64_t request_id, const struct deployment *old,
	      const struct deployment *wanted, const struct fate_answer *found)
{
	struct fate *fate = calloc(1, sizeof(*fate) + c->n_known * sizeof(fate->part[0]));
	char *text = strdup(found->text);

	if (!fate || !text) {
		peer_reply_error(user, request_id, ERROR_NO_MEMORY, "the controller has no memory left");
		free(fate);
		free(text);
		return;
	}
	*fate = (struct fate){.c = c, .user = peer_id(user), .request_id = request_id, .answer = *found};
	fate->answer.text = text;
	for (size_t i = 0; found->changes && i < c->n_known; i++)
		if (concerns(old, c->known[i]) && concerns(wanted, c->known[i]))
			ask(fate, c->known[i], wanted);
	if (!fate->n_waiting)
		answer(fate);
}
