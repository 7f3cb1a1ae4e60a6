// SPDX-License-Identifier: GPL-2.0-or-later
#include "rig_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../common/cleanup.h"

static void die(const char *what, const char *name)
{
	fprintf(stderr, "rig: %s: %s\n", what, name);
	exit(1);
}

int rig_port_find(void *data, const char *name)
{
	unsigned number;

	return sscanf(name, "port%u", &number) == 1 && number >= 1 && number <= PORTS_MAX ? (int)number : -ENOENT;
}

static char *read_text(const char *path_or_text)
{
	_cleanup_file_ FILE *file = NULL;
	char path[512], *text;
	size_t size;

	if (!strncmp(path_or_text, "app:", 4))
		return strdup(path_or_text);
	snprintf(path, sizeof(path), "%s/%s", MEALY_TOP, path_or_text);
	file = fopen(path, "r");
	if (!file)
		die("cannot read", path);
	text = calloc(1, APP_TEXT_MAX);
	size = fread(text, 1, APP_TEXT_MAX - 1, file);
	text[size] = 0;
	return text;
}

static struct app *parse(const char *path_or_text, const struct setting *settings, size_t n_settings)
{
	const struct port_names ports = {.find = rig_port_find};
	_cleanup_free_ char *text = read_text(path_or_text);
	struct diag_list diags;
	struct app *app = NULL;

	diag_init(&diags, strncmp(path_or_text, "app:", 4) ? path_or_text : "text");
	if (app_parse(text, strlen(text), settings, n_settings, &ports, &diags, &app)) {
		diag_print(&diags, text, stderr);
		die("not an application", path_or_text);
	}
	diag_done(&diags);
	return app;
}

/* The flow table of that name and layout, a new one if there is none. */
static unsigned flow_table_for(struct rig_plan *plan, const char *name, const struct layout *layout)
{
	struct rig_flow_table *flow;

	for (unsigned i = 0; i < plan->n_flows; i++) {
		if (!strcmp(plan->flow[i].name, name) && plan->flow[i].layout_hash == layout->hash) {
			plan->flow[i].layout = layout;
			return i;
		}
	}
	if (plan->n_flows == RIG_FLOW_TABLES)
		die("too many flow tables", name);
	flow = &plan->flow[plan->n_flows];
	snprintf(flow->name, sizeof(flow->name), "%s", name);
	flow->layout_hash = layout->hash;
	flow->layout = layout;
	return plan->n_flows++;
}

static int find_global(const struct rig_plan *plan, const char *name)
{
	for (unsigned i = 0; i < plan->n_globals; i++)
		if (!strcmp(plan->global[i].name, name))
			return i;
	return -ENOENT;
}

unsigned rig_plan_global(const struct rig_plan *plan, const char *name)
{
	int index = find_global(plan, name);

	if (index < 0)
		die("no such global", name);
	return index;
}

static void place_global(struct rig_plan *plan, struct rig_app *a, unsigned i)
{
	struct rig_global global = {.initial = a->app->global[i].initial};
	int index;

	snprintf(global.name, sizeof(global.name), "%s/%s", a->app->name, a->app->global[i].name);
	index = find_global(plan, global.name);
	if (index < 0) {
		if (plan->n_globals == RIG_GLOBALS)
			die("too many globals", global.name);
		index = plan->n_globals++;
		plan->global[index] = global;
	}
	a->placement.global[i] = index;
}

static void place_table(struct rig_plan *plan, struct rig_app *a, unsigned i)
{
	struct table_placement *place = &a->placement.table[i];
	const struct app_table *table = &a->app->table[i];
	char name[2 * NAME_LEN_MAX + 2];
	const char *why = NULL;

	place->hook = plan->hook;
	place->hook_table = plan->n_tables++;
	place->first_on_hook = i == 0;
	place->app_index = plan->n_apps;
	place->id = place->hook_table + 1;
	place->stats = plan->next_counter;
	plan->next_counter += TABLE_STAT_MAX;
	for (unsigned r = 0; r < RULES_ROOM; r++)
		place->rule_counter[r] = plan->next_counter++;
	for (unsigned s = 0; s < STATES_MAX; s++)
		place->state_id[s] = s;
	if (!table->stateful)
		return;
	if (layout_make(a->app, table, &a->layout[i], &why))
		die("layout", why);
	snprintf(name, sizeof(name), "%s/%s", a->app->name, table->name);
	place->flow_table = flow_table_for(plan, name, &a->layout[i]);
}

void rig_plan_add(struct rig_plan *plan, const char *path_or_text, const struct setting *settings, size_t n_settings)
{
	struct rig_app *a = &plan->app[plan->n_apps];

	if (plan->n_apps == RIG_APPS_MAX)
		die("too many applications", path_or_text);
	if (!plan->next_counter)
		plan->next_counter = COUNTER_RULES;
	a->app = parse(path_or_text, settings, n_settings);
	a->placement.hash_seed = encode_hash_seed(a->app->name);
	a->first_table = plan->n_tables;
	for (unsigned i = 0; i < a->app->n_tables; i++)
		place_table(plan, a, i);
	for (unsigned i = 0; i < a->app->n_globals; i++)
		place_global(plan, a, i);
	a->placement.first_template[plan->hook] = plan->n_templates;
	plan->n_templates += a->app->n_templates;
	for (unsigned i = 0; i < a->app->n_groups; i++)
		a->placement.group[i] = plan->n_groups++;
	for (unsigned i = 0; i < a->app->n_meters; i++)
		a->placement.meter[i] = plan->n_meters++;
	plan->n_apps++;
}

void rig_plan_clear(struct rig_plan *plan)
{
	for (unsigned i = 0; i < plan->n_apps; i++)
		app_free(plan->app[i].app);
	memset(plan->app, 0, sizeof(plan->app));
	plan->n_apps = plan->n_tables = plan->n_templates = 0;
	plan->next_counter = 0;
	plan->n_groups = plan->n_meters = 0;
}

void rig_plan_encode(const struct rig_plan *plan, unsigned a, unsigned i, struct table *ret_table)
{
	struct diag_list diags;

	diag_init(&diags, plan->app[a].app->name);
	if (encode_table(plan->app[a].app, i, plan->hook, &plan->app[a].placement, &diags, ret_table)) {
		diag_print(&diags, NULL, stderr);
		die("cannot encode", plan->app[a].app->table[i].name);
	}
	diag_done(&diags);
}

void rig_plan_chain(const struct rig_plan *plan, uint64_t version, struct chain *ret_chain)
{
	memset(ret_chain, 0, sizeof(*ret_chain));
	ret_chain->version = version;
	ret_chain->valid = 1;
	ret_chain->n_tables = plan->n_tables;
	ret_chain->parse_verdict = VERDICT_DROP;
	memset(ret_chain->next_app, CHAIN_END, sizeof(ret_chain->next_app));
	for (unsigned port = 0; port <= PORTS_MAX; port++)
		for (unsigned a = 0; a < plan->n_apps; a++)
			ret_chain->next_app[port][a] = encode_target(plan->app[a].app, &plan->app[a].placement, 0);
}

unsigned rig_plan_find(const struct rig_plan *plan, const char *name, unsigned *ret_app, unsigned *ret_table)
{
	char full[2 * NAME_LEN_MAX + 2];

	for (unsigned a = 0; a < plan->n_apps; a++) {
		for (unsigned i = 0; i < plan->app[a].app->n_tables; i++) {
			snprintf(full, sizeof(full), "%s/%s", plan->app[a].app->name, plan->app[a].app->table[i].name);
			if (strcmp(full, name))
				continue;
			*ret_app = a;
			*ret_table = i;
			return plan->app[a].placement.table[i].flow_table;
		}
	}
	die("no such table", name);
	return 0;
}

unsigned rig_plan_table_counter(const struct rig_plan *plan, const char *table)
{
	unsigned a, i;

	rig_plan_find(plan, table, &a, &i);
	return plan->app[a].placement.table[i].stats;
}

unsigned rig_plan_rule_counter(const struct rig_plan *plan, const char *name)
{
	_cleanup_free_ char *table = strdup(name);
	char *rule = strrchr(table, '/');
	const struct app_table *t;
	unsigned a, i;

	if (!rule)
		die("not app/table/rule", name);
	*rule++ = 0;
	rig_plan_find(plan, table, &a, &i);
	t = &plan->app[a].app->table[i];
	if (!strcmp(rule, "otherwise"))
		return plan->app[a].placement.table[i].rule_counter[RULE_OTHERWISE];
	if (!strcmp(rule, "absent"))
		return plan->app[a].placement.table[i].rule_counter[RULE_ABSENT];
	for (unsigned r = 0; r < t->n_rules; r++)
		if (t->rule[r].name && !strcmp(t->rule[r].name, rule))
			return plan->app[a].placement.table[i].rule_counter[r];
	die("no such rule", name);
	return 0;
}
