/* SPDX-License-Identifier: GPL-2.0-or-later */
/* app check|list|show: applications and deployments as they are. */
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "handlers.h"
#include "source.h"

/* Comments that `app show` writes above a text, and takes away again when it finds them there. */
#define SHOWN_MARK "# mealy: "

static void check_json(struct render *r, const struct source *source)
{
	for (size_t i = 0; i < source->diags.n; i++) {
		const struct diag *d = &source->diags.item[i];

		render_row_begin(r);
		render_string(r, "file", source->path);
		render_u64(r, "line", d->loc.line);
		render_u64(r, "column", d->loc.column);
		render_string(r, "level", d->level == DIAG_ERROR ? "error" : "warning");
		render_string(r, "message", d->message);
		render_row_end(r);
	}
	render_row_begin(r);
	render_string(r, "file", source->path);
	render_bool(r, "ok", source->app != NULL);
	render_u64(r, "errors", source->diags.n_errors);
	render_u64(r, "warnings", source->diags.n_warnings);
	render_row_end(r);
}

static int check_print(struct cli *cli, const struct source *source)
{
	if (cli->json) {
		struct render *r = render_new(stdout, true);

		if (!r)
			return cli_fail("out of memory");
		check_json(r, source);
		render_free(r);
		return 0;
	}
	source_print_diags(source);
	if (source->app)
		printf("%s: application %s, %zu table%s, no mistake found\n", source->path, source->app->name,
		       source->app->n_tables, source->app->n_tables == 1 ? "" : "s");
	return 0;
}

static int print_dot(const struct app *app)
{
	_cleanup_free_ char *dot = app_render_dot(app);

	if (!dot)
		return cli_fail("out of memory");
	fputs(dot, stdout);
	return 0;
}

static int check_one(struct cli *cli, const struct args *args, const char *path)
{
	struct source source;
	int r;

	r = source_init(&source, args);
	if (r == 0)
		r = source_read(&source, path, NULL);
	if (r == 0 && args_has(args, "dot") && source.app) {
		source_print_diags(&source);
		r = print_dot(source.app);
	} else if (r == 0) {
		r = check_print(cli, &source);
	}
	if (r == 0 && (!source.app || (args_has(args, "warnings") && source.diags.n_warnings)))
		r = EXIT_FAILED;
	source_done(&source);
	return r;
}

int app_check(struct cli *cli, const struct args *args)
{
	int status = 0;

	for (size_t i = 0; i < args->n_args; i++) {
		int r = check_one(cli, args, args->arg[i]);

		if (r > status)
			status = r;
	}
	return status;
}

/* "a=1 b=2", or "-"; the caller frees. */
static char *join_settings(const struct deployment *d)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < d->n_settings; i++)
		fprintf(out, "%s%s=%s", i ? " " : "", d->setting[i].name, d->setting[i].text);
	fclose(out);
	return text;
}

static char *join_ports(const struct deployment *d)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < d->n_ports; i++)
		fprintf(out, "%s%s", i ? "," : "", d->port[i]);
	fclose(out);
	return text;
}

static void list_row(struct render *r, const struct deployment *d, bool json)
{
	_cleanup_free_ char *settings = join_settings(d), *ports = join_ports(d);

	render_row_begin(r);
	render_string(r, "name", d->name);
	render_u64(r, "version", d->version);
	render_string(r, "hook", hook_name(d->hook));
	render_u64(r, "order", d->order);
	render_string(r, "ports", ports && ports[0] ? ports : json ? "" : "all");
	render_string(r, "switches", d->switches);
	render_string(r, "settings", settings && settings[0] ? settings : json ? "" : "-");
	render_row_end(r);
}

static int get_deployments(struct cli *cli, const char *name, struct message **ret_reply)
{
	struct message request = {.kind = MSG_GET_DEPLOYMENTS, .get = {.filter = name}};

	return cli_call(cli, &request, MSG_DEPLOYMENTS, ret_reply);
}

int app_list(struct cli *cli, const struct args *args)
{
	struct message *reply;
	struct render *out;
	int r;

	r = get_deployments(cli, "", &reply);
	if (r)
		return r;
	out = render_new(stdout, cli->json);
	if (out) {
		for (size_t i = 0; i < reply->deployments.n; i++)
			list_row(out, &reply->deployments.item[i], cli->json);
		if (!reply->deployments.n)
			render_note(out, "nothing is deployed; next: mealy app load FILE");
	}
	render_free(out);
	message_free(reply);
	return out ? 0 : cli_fail("out of memory");
}

/* The text without the comments that an earlier `app show` put above it. */
static const char *skip_shown(const char *text)
{
	while (!strncmp(text, SHOWN_MARK, strlen(SHOWN_MARK))) {
		const char *end = strchr(text, '\n');

		if (!end)
			break;
		text = end + 1;
	}
	return text;
}

/* One word of a command line, quoted if the shell would take it apart. */
static void print_word(const char *word)
{
	if (word[0] &&
	    strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-,:/=+%@") == strlen(word)) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++)
		fputs(*word == '\'' ? "'\\''" : (char[]){*word == '\n' ? ' ' : *word, '\0'}, stdout);
	putchar('\'');
}

/* The command that would deploy it like this, as a comment. */
static void print_placement(const struct deployment *d)
{
	_cleanup_free_ char *ports = join_ports(d);

	printf(SHOWN_MARK "deployment %s, version %llu\n" SHOWN_MARK "mealy app load FILE --name ", d->name,
	       (unsigned long long)d->version);
	print_word(d->name);
	fputs(" --switch ", stdout);
	print_word(d->switches);
	printf(" --hook %s --order %u", hook_name(d->hook), d->order);
	if (ports && ports[0]) {
		fputs(" --ports ", stdout);
		print_word(ports);
	}
	for (size_t i = 0; i < d->n_settings; i++) {
		fputs(" --set ", stdout);
		print_word(d->setting[i].name);
		putchar('=');
		print_word(d->setting[i].text);
	}
	putchar('\n');
}

static void show_json(const struct deployment *d, const char *text)
{
	struct render *r = render_new(stdout, true);

	if (!r)
		return;
	_cleanup_free_ char *settings = join_settings(d), *ports = join_ports(d);

	render_row_begin(r);
	render_string(r, "name", d->name);
	render_u64(r, "version", d->version);
	render_string(r, "hook", hook_name(d->hook));
	render_u64(r, "order", d->order);
	render_string(r, "ports", ports ? ports : "");
	render_string(r, "switches", d->switches);
	render_string(r, "settings", settings ? settings : "");
	render_string(r, "file", d->file);
	render_string(r, "text", text);
	render_row_end(r);
	render_free(r);
}

/* The application of a deployment, parsed with its settings; NULL after saying what is wrong. */
static struct app *parse(const struct deployment *d)
{
	struct setting setting[APP_PARAMETERS_MAX];
	struct diag_list diags;
	struct app *app = NULL;

	for (size_t i = 0; i < d->n_settings && i < APP_PARAMETERS_MAX; i++)
		setting[i] = (struct setting){.name = d->setting[i].name, .text = d->setting[i].text};
	diag_init(&diags, d->file);
	if (app_parse(d->text, strlen(d->text), setting,
		      d->n_settings < APP_PARAMETERS_MAX ? d->n_settings : APP_PARAMETERS_MAX, NULL, &diags,
		      &app) < 0) {
		diag_print(&diags, d->text, stderr);
		app = NULL;
	}
	diag_done(&diags);
	return app;
}

static int show(struct cli *cli, const struct args *args, const struct deployment *d)
{
	const char *text = skip_shown(d->text);
	_cleanup_free_ char *canonical = NULL;
	struct app *app = NULL;
	int r = 0;

	if (args_has(args, "dot") || args_has(args, "canonical")) {
		app = parse(d);
		if (!app)
			return cli_fail("%s is not understood by this version of mealy", d->name);
	}
	if (args_has(args, "canonical")) {
		canonical = app_render_yaml(app);
		text = canonical ? canonical : "";
	}
	if (args_has(args, "dot")) {
		r = print_dot(app);
	} else if (cli->json) {
		show_json(d, text);
	} else {
		print_placement(d);
		fputs(text, stdout);
		if (text[0] && text[strlen(text) - 1] != '\n')
			putchar('\n');
	}
	app_free(app);
	return r;
}

int app_show(struct cli *cli, const struct args *args)
{
	struct message *reply;
	int r;

	r = get_deployments(cli, args->arg[0], &reply);
	if (r)
		return r;
	if (!reply->deployments.n || strcmp(reply->deployments.item[0].name, args->arg[0]))
		r = cli_fail("there is no deployment \"%s\" (mealy app list shows what there is)", args->arg[0]);
	else
		r = show(cli, args, &reply->deployments.item[0]);
	message_free(reply);
	return r;
}
