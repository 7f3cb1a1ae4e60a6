/* SPDX-License-Identifier: GPL-2.0-or-later */
/* group probe: the health of a group's members, from what its servers answer. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/cleanup.h"
#include "../tables/group.h"
#include "handlers.h"
#include "probe.h"

struct watch {
	struct cli *cli;
	const char *deployment, *group;
	const char *address, *port; /* Names of values, or a port's number; NULL: the only ones. */
	char request[256];	    /* "": TCP only. */
	uint64_t interval_ms, timeout_ms, rise, fall;
	struct probe_run run[GROUP_MEMBERS + 1]; /* By place in the list, for the member 'id' there. */
	unsigned id[GROUP_MEMBERS + 1];
};

/* ---- options ---- */

static int read_duration(const struct args *args, const char *name, uint64_t fallback_ms, uint64_t *ret_ms)
{
	const char *text = args_get(args, name);
	uint64_t hi, ns;

	*ret_ms = fallback_ms;
	if (!text)
		return 0;
	if (value_parse(TYPE_DURATION, text, &hi, &ns) < 0 || ns < 1000000 || ns > 3600000000000ull)
		return cli_usage("--%s is a duration from 1ms to 1h, not \"%s\"", name, text);
	*ret_ms = ns / 1000000;
	return 0;
}

static int read_options(struct cli *cli, const struct args *args, struct watch *watch)
{
	const char *http = args_get(args, "http");
	char why[256];
	int r;

	*watch = (struct watch){.cli = cli, .deployment = args->arg[0], .group = args->arg[1]};
	watch->address = args_get(args, "address");
	watch->port = args_get(args, "service");
	if (http && (http[0] != '/' || strlen(http) > 128 || strpbrk(http, " \r\n")))
		return cli_usage("--http is a path, /health, not \"%s\"", http);
	if (http)
		snprintf(watch->request, sizeof(watch->request),
			 "GET %s HTTP/1.1\r\nHost: mealy-probe\r\nUser-Agent: mealy\r\nConnection: close\r\n\r\n",
			 http);
	r = read_duration(args, "interval", 1000, &watch->interval_ms);
	if (r == 0)
		r = read_duration(args, "timeout", 1000, &watch->timeout_ms);
	if (r == 0 && (args_number(args, "rise", 2, 1, 100, &watch->rise, why) < 0 ||
		       args_number(args, "fall", 3, 1, 100, &watch->fall, why) < 0))
		r = cli_usage("%s", why);
	return r;
}

/* ---- where to ask ---- */

static const struct typed *find_value(const struct app_group *group, const char *name, bool address)
{
	const struct typed *only = NULL;

	for (size_t i = 0; i < group->n_values; i++) {
		const struct typed *value = &group->value[i];

		if ((value->type == TYPE_ADDR) != address || (name && strcmp(value->name, name) != 0))
			continue;
		if (only)
			return NULL;
		only = value;
	}
	return only;
}

static int aim(const struct watch *watch, const struct app_group *group, const struct app_member *member,
	       struct probe *ret_probe)
{
	unsigned long fixed = watch->port ? strtoul(watch->port, NULL, 10) : 0;
	const struct typed *address = find_value(group, watch->address, true);
	const struct typed *port = fixed ? NULL : find_value(group, watch->port, false);
	char buf[64];

	if (!address)
		return cli_usage("which value of %s is the address to probe? say --address NAME", group->name);
	if (!fixed && !port)
		return cli_usage("which port of %s's members answers? say --service NAME or NUMBER", group->name);
	value_render(TYPE_ADDR, member->word[address->word], member->word[address->word + 1], 0, buf, sizeof(buf));
	if (probe_set(ret_probe, buf, fixed ? fixed : member->word[port->word]) < 0)
		return cli_fail("member %u of %s: %s and port %" PRIu64 " cannot be probed", member->id, group->name,
				buf, fixed ? (uint64_t)fixed : (uint64_t)member->word[port->word]);
	return 0;
}

/* ---- a round ---- */

static struct probe_run *run_of(struct watch *watch, unsigned id)
{
	size_t i = 0;

	while (i < GROUP_MEMBERS && watch->id[i] && watch->id[i] != id)
		i++;
	if (watch->id[i] != id)
		watch->run[i] = (struct probe_run){};
	watch->id[i] = id;
	return &watch->run[i];
}

static void tell(const struct watch *watch, unsigned id, bool up, const char *why)
{
	struct render *out = watch->cli->json ? render_new(stdout, true) : NULL;
	char clock[32];

	if (out) {
		render_row_begin(out);
		render_u64(out, "time_ms", cli_unix_ms());
		render_string(out, "app", watch->deployment);
		render_string(out, "group", watch->group);
		render_u64(out, "id", id);
		render_string(out, "health", up ? "up" : "down");
		render_string(out, "why", why);
		render_row_end(out);
	} else {
		printf("%s  %s/%s member %u is %s%s%s\n", cli_clock(cli_unix_ms(), false, clock, sizeof(clock)),
		       watch->deployment, watch->group, id, up ? "up" : "down", why[0] ? ": " : "", why);
	}
	render_free(out);
	fflush(stdout);
}

/* 'members' with one more change; the text before is freed. */
static int set_health(const struct app *app, const struct watch *watch, unsigned id, bool up, char **members)
{
	struct group_change change = {GROUP_SET, watch->group, id, up ? "health=up" : "health=down"};
	_cleanup_free_ char *why = NULL;
	char *next;
	int r = group_change(app, NULL, *members, &change, &next, &why);

	if (r < 0)
		return cli_fail("%s", why ? why : strerror(-r));
	free(*members);
	*members = next;
	return 0;
}

static int send_members(struct watch *watch, const struct deployment *d, const char *text)
{
	struct message request = {.kind = MSG_DEPLOY, .switch_name = "", .deploy = *d}, *reply;
	int r;

	request.deploy.members = text;
	if (watch->cli->is_agent)
		request.deploy.version = 0; /* An agent gives the next one itself. */
	r = cli_call(watch->cli, &request, watch->cli->is_agent ? MSG_OK : MSG_APPLIED, &reply);
	if (r == 0)
		message_free(reply);
	return r;
}

/* Asks every member, and writes the health of those that changed. */
static int ask_members(struct watch *watch, const struct deployment *d, const struct app *app,
		       const struct app_group *group, const struct members *members)
{
	struct probe probe[GROUP_MEMBERS];
	enum probe_verdict verdict[GROUP_MEMBERS] = {};
	_cleanup_free_ char *text = strdup(d->members);
	bool any = false;
	int r = text ? 0 : cli_fail("out of memory");

	for (size_t i = 0; i < members->n && r == 0; i++)
		r = aim(watch, group, &members->item[i], &probe[i]);
	if (r)
		return r;
	probe_round(probe, members->n, watch->request, watch->timeout_ms);
	for (size_t i = 0; i < members->n && r == 0; i++) {
		const struct app_member *member = &members->item[i];

		verdict[i] =
			probe_judge(run_of(watch, member->id), probe[i].ok, !member->down, watch->rise, watch->fall);
		if (verdict[i] == PROBE_STAYS)
			continue;
		any = true;
		r = set_health(app, watch, member->id, verdict[i] == PROBE_COMES, &text);
	}
	if (r == 0 && any)
		r = send_members(watch, d, text);
	for (size_t i = 0; i < members->n && r == 0; i++)
		if (verdict[i] != PROBE_STAYS)
			tell(watch, members->item[i].id, verdict[i] == PROBE_COMES, probe[i].ok ? "" : probe[i].why);
	return r;
}

static int look_at_group(struct watch *watch, const struct deployment *d)
{
	struct app *app = app_of_deployment(d);
	struct members *members = malloc(sizeof(*members));
	const struct app_group *group = NULL;
	int r;

	for (size_t i = 0; app && i < app->n_groups; i++)
		if (!strcmp(app->group[i].name, watch->group))
			group = &app->group[i];
	if (!app || !members) {
		r = cli_fail("%s cannot be read", d->name);
	} else if (!group) {
		r = cli_usage("%s has no group \"%s\"", d->name, watch->group);
	} else {
		group_members(group, NULL, d->members, members);
		r = ask_members(watch, d, app, group, members);
	}
	free(members);
	app_free(app);
	return r;
}

static int one_round(struct watch *watch)
{
	struct message request = {.kind = MSG_GET_DEPLOYMENTS, .switch_name = "", .get = {.filter = watch->deployment}};
	struct message *reply;
	int r = cli_call(watch->cli, &request, MSG_DEPLOYMENTS, &reply);

	if (r)
		return r;
	if (!reply->deployments.n || strcmp(reply->deployments.item[0].name, watch->deployment))
		r = cli_fail("there is no deployment \"%s\"", watch->deployment);
	else
		r = look_at_group(watch, &reply->deployments.item[0]);
	message_free(reply);
	return r;
}

/* What a round could not do (a controller that is away, a change that came between) the next one may. */
int group_probe(struct cli *cli, const struct args *args)
{
	struct watch watch;
	uint64_t count, begin, took;
	char why[256];
	int r = read_options(cli, args, &watch);

	if (r == 0 && args_number(args, "count", 0, 1, UINT32_MAX, &count, why) < 0)
		r = cli_usage("%s", why);
	for (uint64_t i = 0; r != EXIT_USAGE && (!count || i < count); i++) {
		begin = cli_unix_ms();
		r = one_round(&watch);
		if (r == EXIT_FAILED)
			mealy_close(TAKE_PTR(cli->mealy));
		took = cli_unix_ms() - begin;
		if (r != EXIT_USAGE && took < watch.interval_ms) {
			uint64_t left = watch.interval_ms - took;

			nanosleep(&(struct timespec){left / 1000, left % 1000 * 1000000}, NULL);
		}
	}
	return r;
}
