/* SPDX-License-Identifier: GPL-2.0-or-later */
/* app load|diff|remove|set: changes of what is deployed. */
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "handlers.h"
#include "wanted.h"

static const char *status_name(uint32_t status)
{
	static const char *const names[] = {[APPLIED_ACTIVE] = "active",
					    [APPLIED_REFUSED] = "refused",
					    [APPLIED_PENDING] = "pending",
					    [APPLIED_REMOVED] = "removed"};

	return status < APPLIED_STATUS_MAX ? names[status] : "?";
}

static void print_switch(struct cli *cli, const struct msg_applied_switch *sw, int width)
{
	char took[32], when[32], ago[32];

	printf("%-*s  ", width, sw->name);
	switch (sw->status) {
	case APPLIED_ACTIVE:
	case APPLIED_REMOVED:
		cli_paint(cli, stdout, "32", status_name(sw->status));
		printf(" after %s", cli_duration(sw->duration_us * 1000, took, sizeof(took)));
		if (sw->text[0]) {
			fputs("; ", stdout);
			cli_print_indented(stdout, sw->text, width + 2);
		}
		break;
	case APPLIED_REFUSED:
		cli_paint(cli, stdout, "31", "refused");
		fputs(": ", stdout);
		cli_print_indented(stdout, sw->text, width + 2);
		printf("\n%*sit goes on with what it had; mealy switch show %s", width + 2, "", sw->name);
		break;
	default:
		cli_paint(cli, stdout, "33", sw->text[0] ? "pending" : "not connected");
		if (sw->text[0]) {
			fputs(": ", stdout);
			cli_print_indented(stdout, sw->text, width + 2);
		} else if (sw->since_ms) {
			uint64_t now = cli_unix_ms();

			printf(" since %s (%s)", cli_clock(sw->since_ms, false, when, sizeof(when)),
			       cli_duration((now > sw->since_ms ? now - sw->since_ms : 0) * 1000000, ago, sizeof(ago)));
		}
		fputs(sw->text[0] ? "; it will be brought up to date" : "; will be brought up to date when it returns",
		      stdout);
	}
	putchar('\n');
}

static void print_text(struct cli *cli, const struct msg_applied *applied)
{
	int width = 8;

	printf("%s %llu", applied->name, (unsigned long long)applied->version);
	if (applied->text[0]) {
		fputs(": ", stdout);
		cli_print_indented(stdout, applied->text, 4);
	}
	putchar('\n');
	for (size_t i = 0; i < applied->n; i++)
		if ((int)strlen(applied->item[i].name) > width)
			width = strlen(applied->item[i].name);
	for (size_t i = 0; i < applied->n; i++)
		print_switch(cli, &applied->item[i], width);
	if (!applied->n)
		puts("no switch matches yet; one that does gets it when it connects");
}

static void print_json(const struct msg_applied *applied)
{
	struct render *r = render_new(stdout, true);

	for (size_t i = 0; r && (i < applied->n || (i == 0 && !applied->n)); i++) {
		const struct msg_applied_switch *sw = i < applied->n ? &applied->item[i] : NULL;

		render_row_begin(r);
		render_string(r, "deployment", applied->name);
		render_u64(r, "version", applied->version);
		render_string(r, "changes", applied->text);
		if (sw) {
			render_string(r, "switch", sw->name);
			render_string(r, "status", status_name(sw->status));
			render_u64(r, "duration_us", sw->duration_us);
			render_string(r, "text", sw->text);
		}
		render_row_end(r);
	}
	render_free(r);
}

/* What became of a change.  Exit 1 if any switch refused it. */
static int print_applied(struct cli *cli, const struct msg_applied *applied)
{
	int status = EXIT_OK;

	if (cli->json)
		print_json(applied);
	else
		print_text(cli, applied);
	for (size_t i = 0; i < applied->n; i++)
		if (applied->item[i].status == APPLIED_REFUSED)
			status = EXIT_FAILED;
	return status;
}

/* An agent asked directly answers for itself alone. */
static int print_agent_answer(struct cli *cli, const char *name, const struct message *reply,
			      enum applied_status status)
{
	struct msg_applied_switch sw = {.name = "here", .status = status, .text = reply->ok.text};
	struct msg_applied applied = {.name = name, .version = reply->ok.version, .text = "", .item = &sw, .n = 1};

	if (cli->json) {
		print_json(&applied);
		return EXIT_OK;
	}
	printf("%s %llu %s%s", name, (unsigned long long)reply->ok.version, status_name(status),
	       reply->ok.text[0] ? "; " : "");
	cli_print_indented(stdout, reply->ok.text, 4);
	putchar('\n');
	return EXIT_OK;
}

static int change(struct cli *cli, struct message *request, const char *name, enum applied_status done)
{
	struct message *reply;
	int r;

	request->switch_name = "";
	r = cli_change(cli, request, cli->is_agent ? MSG_OK : MSG_APPLIED, &reply);
	if (r)
		return r;
	if (cli->bundle)
		r = bundle_taken(cli, reply);
	else if (reply->kind == MSG_APPLIED)
		r = print_applied(cli, &reply->applied);
	else
		r = print_agent_answer(cli, name, reply, done);
	message_free(reply);
	return r;
}

int app_deploy(struct cli *cli, struct message *request)
{
	return change(cli, request, request->deploy.name, APPLIED_ACTIVE);
}

/* What was changed of the members of a deployment's groups stays when another file is loaded; NULL: nothing.
 * '*ret_reply' owns it. */
static const char *known_members(struct cli *cli, const char *name, struct message **ret_reply)
{
	struct message request = {.kind = MSG_GET_DEPLOYMENTS, .switch_name = "", .get = {.filter = name}};

	*ret_reply = NULL;
	if (cli_call(cli, &request, MSG_DEPLOYMENTS, ret_reply))
		return NULL;
	if (!(*ret_reply)->deployments.n || strcmp((*ret_reply)->deployments.item[0].name, name))
		return NULL;
	return (*ret_reply)->deployments.item[0].members;
}

int app_load(struct cli *cli, const struct args *args)
{
	struct wanted wanted;
	struct message request = {.kind = MSG_DEPLOY}, *known = NULL;
	int r;

	r = wanted_read(cli, args, &wanted);
	if (r) {
		if (r == EXIT_FAILED)
			fputs("nothing was sent\n", stderr);
		return r;
	}
	request.deploy = wanted.deployment;
	if (wanted.source.app->n_groups)
		request.deploy.members = known_members(cli, wanted.deployment.name, &known);
	r = change(cli, &request, wanted.deployment.name, APPLIED_ACTIVE);
	if (known)
		message_free(known);
	wanted_done(&wanted);
	return r;
}

int app_diff_command(struct cli *cli, const struct args *args)
{
	struct wanted wanted;
	struct message request = {.kind = MSG_DIFF, .switch_name = ""}, *reply, *known = NULL;
	int r;

	if (wanted_read(cli, args, &wanted))
		return EXIT_USAGE;
	request.deploy = wanted.deployment;
	if (wanted.source.app->n_groups)
		request.deploy.members = known_members(cli, wanted.deployment.name, &known);
	r = cli_call(cli, &request, MSG_OK, &reply) ? EXIT_USAGE : EXIT_OK;
	if (known)
		message_free(known);
	wanted_done(&wanted);
	if (r)
		return r;
	r = reply->ok.count ? EXIT_FAILED : EXIT_OK;
	if (cli->json) {
		struct render *out = render_new(stdout, true);

		if (out) {
			render_row_begin(out);
			render_bool(out, "same", r == EXIT_OK);
			render_u64(out, "version", reply->ok.version);
			render_string(out, "changes", reply->ok.text);
			render_row_end(out);
		}
		render_free(out);
	} else {
		cli_print_indented(stdout, r == EXIT_OK ? "no difference" : reply->ok.text, 0);
		putchar('\n');
	}
	message_free(reply);
	return r;
}

int app_remove(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_REMOVE, .remove = {.name = args->arg[0]}};

	return change(cli, &request, args->arg[0], APPLIED_REMOVED);
}

/* Puts the arguments of `app set` over the settings of the deployment; an empty value takes one away. */
static void merge_settings(struct source *source, const struct deployment *old, struct msg_setting *merged,
			   size_t *ret_n)
{
	size_t n = 0;

	for (size_t i = 0; i < old->n_settings; i++)
		merged[n++] = old->setting[i];
	for (size_t i = 0; i < source->n_settings; i++) {
		const struct setting *s = &source->setting[i];
		size_t at = 0;

		while (at < n && strcmp(merged[at].name, s->name))
			at++;
		if (s->text[0]) {
			merged[at] = (struct msg_setting){.name = s->name, .text = s->text};
			n += at == n;
		} else if (at < n) {
			memmove(&merged[at], &merged[at + 1], (--n - at) * sizeof(*merged));
		}
	}
	*ret_n = n;
}

/* A mistake is found here, with the text at hand, before anything is sent. */
static int check_settings(const struct deployment *d)
{
	struct setting *setting = calloc(d->n_settings + 1, sizeof(*setting));
	struct diag_list diags;
	struct app *app = NULL;
	int r;

	if (!setting)
		return cli_fail("out of memory");
	for (size_t i = 0; i < d->n_settings; i++)
		setting[i] = (struct setting){.name = d->setting[i].name, .text = d->setting[i].text};
	diag_init(&diags, d->file[0] ? d->file : d->name);
	r = app_parse(d->text, strlen(d->text), setting, d->n_settings, NULL, &diags, &app);
	if (r < 0) {
		diag_print(&diags, d->text, stderr);
		fputs("nothing was sent\n", stderr);
	} else {
		app_free(app);
	}
	diag_done(&diags);
	free(setting);
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}

static int set(struct cli *cli, struct source *source, const struct deployment *old)
{
	_cleanup_free_ struct msg_setting *merged = calloc(old->n_settings + source->n_settings, sizeof(*merged));
	struct message request = {.kind = MSG_DEPLOY, .deploy = *old};
	int r;

	if (!merged)
		return cli_fail("out of memory");
	if (cli->switch_name[0] && !cli->is_agent && strcmp(cli->switch_name, old->switches))
		return cli_usage(
			"%s is deployed on '%s', and `app set` changes it there: leave --switch out, or load it under "
			"another name for %s",
			old->name, old->switches, cli->switch_name);
	merge_settings(source, old, merged, &request.deploy.n_settings);
	request.deploy.setting = merged;
	if (cli->is_agent)
		request.deploy.version = 0; /* An agent gives the next one itself. */
	r = check_settings(&request.deploy);
	return r ? r : change(cli, &request, old->name, APPLIED_ACTIVE);
}

int app_set(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_DEPLOYMENTS, .switch_name = "", .get = {.filter = args->arg[0]}};
	struct message *reply = NULL;
	struct source source;
	int r;

	r = source_init(&source, args);
	for (size_t i = 1; i < args->n_args && r == 0; i++)
		r = source_set(&source, args->arg[i]);
	if (r == 0)
		r = cli_call(cli, &request, MSG_DEPLOYMENTS, &reply);
	if (r == 0) {
		if (!reply->deployments.n || strcmp(reply->deployments.item[0].name, args->arg[0]))
			r = cli_fail("there is no deployment \"%s\" (mealy app list shows what there is)",
				     args->arg[0]);
		else
			r = set(cli, &source, &reply->deployments.item[0]);
		message_free(reply);
	}
	source_done(&source);
	return r;
}

/* ---- rollback ---- */

static const struct deployment *choose_past(const struct message *past, uint64_t to)
{
	for (size_t i = 0; i < past->deployments.n; i++)
		if (!to || past->deployments.item[i].version == to)
			return &past->deployments.item[i];
	return NULL;
}

static void print_past(struct cli *cli, const struct message *past)
{
	struct render *out = render_new(stdout, cli->json);

	for (size_t i = 0; out && i < past->deployments.n; i++) {
		const struct deployment *d = &past->deployments.item[i];

		render_row_begin(out);
		render_string(out, "name", d->name);
		render_u64(out, "version", d->version);
		render_string(out, "file", d->file);
		render_u64(out, "settings", d->n_settings);
		render_row_end(out);
	}
	if (out && !past->deployments.n)
		render_note(out, "no version before");
	render_free(out);
}

/* 'now' is what the change is based on; 0: the deployment was removed. */
static int deploy_past(struct cli *cli, const struct message *past, const char *name, uint64_t to, uint64_t now)
{
	const struct deployment *found = choose_past(past, to);
	struct message request = {.kind = MSG_DEPLOY};

	if (!found && to)
		return cli_fail("there is no version %llu of %s to go back to (--list shows which)",
				(unsigned long long)to, name);
	if (!found)
		return cli_fail("%s has no version before this one", name);
	request.deploy = *found;
	request.deploy.version = now;
	return change(cli, &request, name, APPLIED_ACTIVE);
}

int app_rollback(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_PAST, .switch_name = "", .get = {.filter = args->arg[0]}};
	struct message *past, *now;
	char why[256];
	uint64_t to, version = 0;
	int r;

	if (args_number(args, "to", 0, 1, INT64_MAX, &to, why) < 0)
		return cli_usage("%s", why);
	if (cli->is_agent)
		return cli_usage("an agent knows no versions before: ask the controller");
	r = cli_call(cli, &request, MSG_DEPLOYMENTS, &past);
	if (r)
		return r;
	request.kind = MSG_GET_DEPLOYMENTS;
	if (args_has(args, "list")) {
		print_past(cli, past);
	} else if ((r = cli_call(cli, &request, MSG_DEPLOYMENTS, &now)) == 0) {
		if (now->deployments.n)
			version = now->deployments.item[0].version;
		message_free(now);
		r = deploy_past(cli, past, args->arg[0], to, version);
	}
	message_free(past);
	return r;
}
