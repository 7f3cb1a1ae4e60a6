/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table list|dump: the tables of a switch; the rules of one with what they have counted. */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "source.h"

static void list_row(struct render *r, const struct msg_table *t)
{
	char name[2 * NAME_LEN_MAX + 4];

	snprintf(name, sizeof(name), "%s/%s", t->deployment, t->table);
	render_row_begin(r);
	render_string(r, "hook", hook_name(t->hook));
	render_u64(r, "position", t->position);
	render_string(r, "table", name);
	render_string(r, "kind", t->stateful ? "stateful" : "rules");
	render_u64(r, "rules", t->n_rules);
	render_u64(r, "flows", t->n_flows);
	render_u64(r, "capacity", t->capacity);
	render_u64(r, "record_bytes", t->record_bytes);
	render_u64(r, "created", t->created);
	render_u64(r, "expired", t->expired);
	render_u64(r, "evicted", t->evicted);
	render_u64(r, "freed", t->freed);
	render_u64(r, "full", t->full);
	render_u64(r, "restarts", t->restarts);
	render_u64(r, "claim_tries", t->claim_tries);
	render_u64(r, "claim_failed", t->claim_failed);
	render_u64(r, "learned", t->learned);
	render_row_end(r);
}

int table_list(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_TABLES};
	struct message *reply;
	struct render *out;
	int r;

	r = cli_call(cli, &request, MSG_TABLES, &reply);
	if (r)
		return r;
	out = render_new(stdout, cli->json);
	for (size_t i = 0; out && i < reply->tables.n; i++)
		list_row(out, &reply->tables.item[i]);
	if (out && !reply->tables.n)
		render_note(out, "no table: nothing is deployed here; next: mealy app load FILE");
	render_free(out);
	message_free(reply);
	return out ? EXIT_OK : cli_fail("out of memory");
}

/* Rules are counted under "deployment/table/rule". */
static int counter_row(struct render *r, const struct msg_counter *c, const char *prefix, const struct app_table *table)
{
	const char *name;

	if (strcmp(c->scope, "rule") || strncmp(c->name, prefix, strlen(prefix)))
		return 0;
	name = c->name + strlen(prefix);
	render_row_begin(r);
	render_string(r, "rule", name);
	render_u64(r, "packets", c->packets);
	render_u64(r, "bytes", c->bytes);
	for (size_t i = 0; table && i < table->n_rules; i++)
		if (!strcmp(table->rule[i].name ?: table->rule[i].text, name)) {
			render_u64(r, "line", table->rule[i].loc.line);
			render_string(r, "text", table->rule[i].text);
		}
	render_row_end(r);
	return 1;
}

static int dump_rules(struct cli *cli, const char *deployment, const struct app_table *table, const char *table_name)
{
	struct message request = {.kind = MSG_GET_COUNTERS, .get = {.filter = "rule"}};
	struct message *reply;
	struct render *out;
	char prefix[2 * NAME_LEN_MAX + 4];
	int r, n = 0;

	r = cli_call(cli, &request, MSG_COUNTERS, &reply);
	if (r)
		return r;
	snprintf(prefix, sizeof(prefix), "%s/%s/", deployment, table_name);
	out = render_new(stdout, cli->json);
	for (size_t i = 0; out && i < reply->counters.n; i++)
		n += counter_row(out, &reply->counters.item[i], prefix, table);
	render_free(out);
	message_free(reply);
	return n ? EXIT_OK
		 : cli_fail("there is no table %s of %s here (mealy table list shows what there is)", table_name,
			    deployment);
}

static struct app *parse(const struct deployment *d)
{
	struct setting *setting = calloc(d->n_settings + 1, sizeof(*setting));
	struct diag_list diags;
	struct app *app = NULL;

	if (!setting)
		return NULL;
	for (size_t i = 0; i < d->n_settings; i++)
		setting[i] = (struct setting){.name = d->setting[i].name, .text = d->setting[i].text};
	diag_init(&diags, d->file);
	if (app_parse(d->text, strlen(d->text), setting, d->n_settings, NULL, &diags, &app) < 0)
		app = NULL;
	diag_done(&diags);
	free(setting);
	return app;
}

/* The texts of the rules come with the deployment; without them the counters alone are shown. */
int table_dump(struct cli *cli, const struct args *args)
{
	struct message request = {.kind = MSG_GET_DEPLOYMENTS, .switch_name = "", .get = {.filter = args->arg[0]}};
	const struct app_table *table = NULL;
	struct app *app = NULL;
	struct message *reply;
	int r;

	r = cli_call(cli, &request, MSG_DEPLOYMENTS, &reply);
	if (r)
		return r;
	if (reply->deployments.n)
		app = parse(&reply->deployments.item[0]);
	for (size_t i = 0; app && i < app->n_tables; i++)
		if (!strcmp(app->table[i].name, args->arg[1]))
			table = &app->table[i];
	r = dump_rules(cli, args->arg[0], table, args->arg[1]);
	app_free(app);
	message_free(reply);
	return r;
}
