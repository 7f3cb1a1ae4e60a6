/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pfplm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../common/cleanup.h"
#include "pfplm_int.h"

enum { CONNECT_TIMEOUT_MS = 3000, CALL_TIMEOUT_MS = 60000 };

extern const char pfplm_text_out[] __attribute__((visibility("hidden")));
extern const char pfplm_text_in[] __attribute__((visibility("hidden")));

const struct pfplm_end pfplm_ends[2] = {
	[PFPLM_INGRESS] = {"srv6-loss-in", "incoming", "received", pfplm_text_in, HOOK_XDP},
	[PFPLM_EGRESS] = {"srv6-loss-out", "outgoing", "sent", pfplm_text_out, HOOK_TC_EGRESS},
};

/* ---- connection ---- */

int pfplm_fail(struct pfplm *pfplm, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(pfplm->why, sizeof(pfplm->why), format, args);
	va_end(args);
	return r;
}

/* Over TCP the connection is sealed by the keys that the `mealy` command has too. */
static int open_connection(struct pfplm *pfplm, const char *url, bool insecure)
{
	const char *given = getenv("MEALY_KEYS"), *home = getenv("HOME");
	_cleanup_free_ char *keys = NULL;

	if (insecure || strncmp(url, "tcp://", 6) != 0)
		return mealy_open(url, insecure, "pfplm", CONNECT_TIMEOUT_MS, &pfplm->mealy);
	if (given && *given)
		keys = strdup(given);
	else if (asprintf(&keys, "%s/.config/mealy/keys", home ? home : "/root") < 0)
		keys = NULL;
	if (!keys)
		return -ENOMEM;
	return mealy_open_sealed(url, keys, "pfplm", CONNECT_TIMEOUT_MS, &pfplm->mealy);
}

int pfplm_open(const char *url, bool is_agent, bool insecure, struct pfplm **ret_pfplm)
{
	struct pfplm *pfplm = calloc(1, sizeof(*pfplm));
	int r;

	*ret_pfplm = pfplm;
	if (!pfplm)
		return -ENOMEM;
	pfplm->is_agent = is_agent;
	r = open_connection(pfplm, url, insecure);
	if (r == 0)
		mealy_set_timeout(pfplm->mealy, CALL_TIMEOUT_MS);
	return r;
}

void pfplm_close(struct pfplm *pfplm)
{
	if (!pfplm)
		return;
	mealy_close(pfplm->mealy);
	free(pfplm);
}

const char *pfplm_error(const struct pfplm *pfplm)
{
	if (pfplm->why[0])
		return pfplm->why;
	return pfplm->mealy ? mealy_error(pfplm->mealy) : "out of memory";
}

int pfplm_call(struct pfplm *pfplm, const char *at, struct message *request, struct message **ret_reply)
{
	enum error_code code = ERROR_INTERNAL;
	int r;

	pfplm->why[0] = '\0';
	request->switch_name = at;
	r = mealy_call(pfplm->mealy, request, ret_reply, &code);
	return r == -EREMOTEIO && code == ERROR_UNKNOWN ? -ENOENT : r;
}

/* ---- what runs ---- */

/* The first switch that refused. */
static int look_at_answer(struct pfplm *pfplm, const struct message *reply)
{
	for (size_t i = 0; reply->kind == MSG_APPLIED && i < reply->applied.n; i++) {
		const struct msg_applied_switch *sw = &reply->applied.item[i];

		if (sw->status == APPLIED_REFUSED)
			return pfplm_fail(pfplm, -EREMOTEIO, "%s: %s", sw->name, sw->text);
	}
	return 0;
}

int pfplm_load(struct pfplm *pfplm, enum pfplm_direction direction, const char *at, const char *ports, const char *mark)
{
	const struct pfplm_end *end = &pfplm_ends[direction];
	struct msg_setting setting = {.name = "mark", .text = mark ? mark : "ipv6.ecn"};
	_cleanup_free_ char *copy = strdup(ports);
	const char *port[PORTS_MAX];
	struct message request = {.kind = MSG_DEPLOY}, *reply;
	size_t n = 0;
	int r;

	if (!copy)
		return pfplm_fail(pfplm, -ENOMEM, "out of memory");
	for (char *save, *name = strtok_r(copy, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		if (n == PORTS_MAX)
			return pfplm_fail(pfplm, -EINVAL, "more than %d ports", PORTS_MAX);
		port[n++] = name;
	}
	request.deploy = (struct deployment){.name = end->deployment,
					     .file = end->deployment,
					     .text = end->text,
					     .setting = &setting,
					     .n_settings = 1,
					     .hook = end->hook,
					     .port = port,
					     .n_ports = n,
					     .order = 100,
					     .switches = at[0] ? at : "*"};
	r = pfplm_call(pfplm, "", &request, &reply);
	if (r < 0)
		return r;
	r = look_at_answer(pfplm, reply);
	message_free(reply);
	return r;
}

int pfplm_unload(struct pfplm *pfplm, enum pfplm_direction direction)
{
	struct message request = {.kind = MSG_REMOVE, .remove = {.name = pfplm_ends[direction].deployment}}, *reply;
	int r = pfplm_call(pfplm, "", &request, &reply);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = look_at_answer(pfplm, reply);
	message_free(reply);
	return r;
}

/* ---- the colour ---- */

static int set_colour_at(struct pfplm *pfplm, const char *at, unsigned colour)
{
	struct message request = {.kind = MSG_SET_GLOBAL}, *reply;
	char text[16];
	int r;

	snprintf(text, sizeof(text), "%u", colour);
	request.set_global = (struct msg_set_global){
		.deployment = pfplm_ends[PFPLM_EGRESS].deployment, .name = "active", .text = text};
	r = pfplm_call(pfplm, at, &request, &reply);
	if (r == 0)
		message_free(reply);
	return r;
}

/* A switch that nothing leaves from has no colour. */
static int set_colours(struct pfplm *pfplm, unsigned colour, unsigned *ret_n)
{
	struct message request = {.kind = MSG_GET_SWITCHES}, *reply;
	int r = pfplm_call(pfplm, "", &request, &reply);

	if (r < 0)
		return r;
	for (size_t i = 0; reply->kind == MSG_SWITCHES && i < reply->switches.n && r == 0; i++) {
		if (!reply->switches.item[i].connected)
			continue;
		r = set_colour_at(pfplm, reply->switches.item[i].name, colour);
		*ret_n += r == 0;
		r = r == -ENOENT ? 0 : r;
	}
	message_free(reply);
	return r;
}

int pfplm_set_colour(struct pfplm *pfplm, unsigned colour)
{
	unsigned n = 0;
	int r;

	if (colour >= PFPLM_COLOURS)
		return pfplm_fail(pfplm, -EINVAL, "%u is no colour; 0 to %d are", colour, PFPLM_COLOURS - 1);
	if (pfplm->is_agent)
		return set_colour_at(pfplm, "", colour);
	r = set_colours(pfplm, colour, &n);
	return r == 0 && !n ? pfplm_fail(pfplm, -ENOENT, "no switch runs %s", pfplm_ends[PFPLM_EGRESS].deployment) : r;
}

int pfplm_get_colour(struct pfplm *pfplm, const char *at, unsigned *ret_colour)
{
	const char *name = pfplm_ends[PFPLM_EGRESS].deployment;
	struct message request = {.kind = MSG_GET_GLOBALS, .get = {.filter = name}}, *reply;
	int r = pfplm_call(pfplm, at, &request, &reply);

	if (r < 0)
		return r;
	r = -ENOENT;
	for (size_t i = 0; reply->kind == MSG_GLOBALS && i < reply->globals.n && r; i++) {
		const struct msg_global *g = &reply->globals.item[i];

		if (strcmp(g->deployment, name) || strcmp(g->name, "active"))
			continue;
		*ret_colour = g->value;
		r = 0;
	}
	message_free(reply);
	return r ? pfplm_fail(pfplm, r, "%s is not loaded", name) : 0;
}
