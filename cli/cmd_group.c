/* SPDX-License-Identifier: GPL-2.0-or-later */
/* group list|show|add|set|remove|reset: members of groups. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../tables/group.h"
#include "handlers.h"

/* ---- list, show ---- */

static bool same_group(const struct msg_member *a, const struct msg_member *b)
{
	return strcmp(a->deployment, b->deployment) == 0 && strcmp(a->group, b->group) == 0;
}

/* One group, its members being neighbours; returns how many. */
static size_t print_group(struct render *out, const struct msg_member *first, const struct msg_member *end)
{
	uint64_t n = 0, n_up = 0, packets = 0, bytes = 0;
	const struct msg_member *m;

	for (m = first; m < end && same_group(m, first); m++) {
		n += !m->none;
		n_up += !m->none && m->up;
		packets += m->packets;
		bytes += m->bytes;
	}
	render_row_begin(out);
	render_string(out, "app", first->deployment);
	render_string(out, "group", first->group);
	render_string(out, "type", first->type);
	render_u64(out, "members", n);
	render_u64(out, "up", n_up);
	render_u64(out, "size", first->size);
	render_u64(out, "packets", packets);
	render_u64(out, "bytes", bytes);
	render_row_end(out);
	return m - first;
}

static void print_member(struct render *out, const struct msg_member *m)
{
	render_row_begin(out);
	render_u64(out, "id", m->id);
	render_string(out, "health", m->up ? "up" : "down");
	render_u64(out, "weight", m->weight);
	render_u64(out, "port", m->port);
	render_string(out, "values", m->values);
	render_u64(out, "slots", m->slots);
	render_u64(out, "packets", m->packets);
	render_u64(out, "bytes", m->bytes);
	render_row_end(out);
}

int group_list(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_GROUPS, .get = {.filter = args->n_args ? args->arg[0] : ""}};
	struct message *reply;
	struct render *out;
	int r = cli_call(cli, &request, MSG_GROUPS, &reply);

	if (r)
		return r;
	out = render_new(stdout, cli->json);
	for (size_t i = 0; out && i < reply->groups.n;)
		i += print_group(out, &reply->groups.item[i], reply->groups.item + reply->groups.n);
	if (out && !reply->groups.n)
		render_note(out, "no groups");
	render_free(out);
	message_free(reply);
	return out ? EXIT_OK : cli_fail("out of memory");
}

int group_show(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_GROUPS, .get = {.filter = args->arg[0]}};
	struct message *reply;
	struct render *out;
	bool found = false, any = false;
	int r = cli_call(cli, &request, MSG_GROUPS, &reply);

	if (r)
		return r;
	out = render_new(stdout, cli->json);
	for (size_t i = 0; out && i < reply->groups.n; i++) {
		const struct msg_member *m = &reply->groups.item[i];

		if (strcmp(m->group, args->arg[1]) != 0)
			continue;
		found = true;
		any |= !m->none;
		if (!m->none)
			print_member(out, m);
	}
	if (out && found && !any)
		render_note(out, "no members");
	render_free(out);
	message_free(reply);
	return found ? EXIT_OK : cli_fail("%s has no group \"%s\"", args->arg[0], args->arg[1]);
}

/* ---- changes ---- */

/* "weight=2 health=down ip=10.0.0.9": options, then VALUE=... of the arguments from 'first' on. */
static char *pairs_text(const struct args *args, size_t first)
{
	static const char *const options[] = {"weight", "health", "port"};
	const char *separator = "";
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (!args_get(args, options[i]))
			continue;
		fprintf(out, "%s%s=%s", separator, options[i], args_get(args, options[i]));
		separator = " ";
	}
	for (size_t i = first; i < args->n_args; i++) {
		fprintf(out, "%s%s", separator, args->arg[i]);
		separator = " ";
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

struct app *app_of_deployment(const struct deployment *d)
{
	_cleanup_free_ struct setting *setting = calloc(d->n_settings + 1, sizeof(*setting));
	struct diag_list diags;
	struct app *app = NULL;

	for (size_t i = 0; setting && i < d->n_settings; i++)
		setting[i] = (struct setting){d->setting[i].name, d->setting[i].text};
	diag_init(&diags, d->file[0] ? d->file : d->name);
	if (setting && app_parse(d->text, strlen(d->text), setting, d->n_settings, NULL, &diags, &app) < 0)
		diag_print(&diags, d->text, stderr);
	diag_done(&diags);
	return app;
}

static int deploy_change(struct cli *cli, const struct deployment *d, const struct group_change *change)
{
	struct message request = {.kind = MSG_DEPLOY, .deploy = *d};
	_cleanup_free_ char *members = NULL, *why = NULL;
	struct app *app = app_of_deployment(d);
	int r;

	if (!app)
		return cli_fail("%s cannot be read", d->name);
	r = group_change(app, NULL, d->members, change, &members, &why);
	app_free(app);
	if (r < 0)
		return cli_fail("%s", why ? why : strerror(-r));
	request.deploy.members = members;
	if (cli->is_agent)
		request.deploy.version = 0; /* An agent gives the next one itself. */
	return app_deploy(cli, &request);
}

static int change_members(struct cli *cli, const struct args *args, enum group_verb verb)
{
	struct message request = {.kind = MSG_GET_DEPLOYMENTS, .switch_name = "", .get = {.filter = args->arg[0]}};
	struct group_change change = {.verb = verb, .group = args->arg[1]};
	_cleanup_free_ char *text = NULL;
	struct message *reply = NULL;
	char *end = "";
	int r;

	if (verb != GROUP_RESET)
		change.id = strtoul(args->arg[2], &end, 10);
	if (*end || (verb != GROUP_RESET && !args->arg[2][0]))
		return cli_usage("expected the id of a member, a number, not \"%s\"", args->arg[2]);
	change.text = text = pairs_text(args, 3);
	if (!text)
		return cli_fail("out of memory");
	if (!text[0] && verb == GROUP_SET)
		return cli_usage("nothing to set: say --weight, --health, --port, or VALUE=...");
	r = cli_call(cli, &request, MSG_DEPLOYMENTS, &reply);
	if (r)
		return r;
	if (!reply->deployments.n || strcmp(reply->deployments.item[0].name, args->arg[0]))
		r = cli_fail("there is no deployment \"%s\" (mealy app list shows what there is)", args->arg[0]);
	else
		r = deploy_change(cli, &reply->deployments.item[0], &change);
	message_free(reply);
	return r;
}

int group_add(struct cli *cli, const struct args *args)
{
	return change_members(cli, args, GROUP_ADD);
}

int group_set(struct cli *cli, const struct args *args)
{
	return change_members(cli, args, GROUP_SET);
}

int group_remove(struct cli *cli, const struct args *args)
{
	return change_members(cli, args, GROUP_REMOVE);
}

int group_reset(struct cli *cli, const struct args *args)
{
	return change_members(cli, args, GROUP_RESET);
}
