/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../tables/entry.h"
#include "why.h"

const char *hook_name(enum hook_id hook)
{
	static const char *const names[HOOK_MAX] = {"xdp", "tc-ingress", "tc-egress"};

	return hook < HOOK_MAX ? names[hook] : "?";
}

const struct table_placement *plan_placement(const struct plan_table *table)
{
	return &table->app->placement.table[table->index];
}

const struct app_table *plan_app_table(const struct plan_table *table)
{
	return &table->app->app->table[table->index];
}

static const struct deployment *deployment_of(const struct plan_app *app)
{
	return held_get(app->held);
}

/* ---- parsing ---- */

/* All diagnostics of an application as one text. */
static int refuse_app(const struct diag_list *diags, const struct deployment *deployment, char **ret_text)
{
	char *text = diags->n ? diag_text(diags) : NULL;

	if (text) {
		for (size_t len = strlen(text); len && text[len - 1] == '\n'; len--)
			text[len - 1] = '\0';
		free(*ret_text);
		*ret_text = text;
		return -EINVAL;
	}
	return why_set(ret_text, -EINVAL, "%s: not accepted", deployment->name);
}

static int parse_app(struct plan_app *pa, const struct port_names *ports, char **ret_text)
{
	const struct deployment *deployment = deployment_of(pa);
	_cleanup_free_ struct setting *setting = calloc(deployment->n_settings + 1, sizeof(*setting));
	struct diag_list diags;
	int r;

	if (!setting)
		return -ENOMEM;
	for (size_t i = 0; i < deployment->n_settings; i++)
		setting[i] = (struct setting){deployment->setting[i].name, deployment->setting[i].text};
	diag_init(&diags, deployment->file[0] ? deployment->file : deployment->name);
	r = app_parse(deployment->text, strlen(deployment->text), setting, deployment->n_settings, ports, &diags,
		      &pa->app);
	if (r == -EINVAL)
		r = refuse_app(&diags, deployment, ret_text);
	diag_done(&diags);
	return r;
}

static int resolve_ports(struct plan_app *pa, const struct port_names *ports, char **ret_text)
{
	const struct deployment *deployment = deployment_of(pa);

	if (!deployment->n_ports)
		pa->ports = UINT64_MAX; /* Also those that come later. */
	for (size_t i = 0; i < deployment->n_ports; i++) {
		int number = ports->find(ports->data, deployment->port[i]);

		if (number < 1 || number > PORTS_MAX)
			return why_set(ret_text, -EINVAL, "%s: port \"%s\" does not exist on this switch",
				       deployment->name, deployment->port[i]);
		pa->ports |= 1ull << (number - 1);
	}
	return 0;
}

static int compare_order(const void *a, const void *b)
{
	const struct deployment *x = deployment_of(a), *y = deployment_of(b);

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Every application is looked at, so that all mistakes are told at once. */
static int parse_all(struct plan *plan, const struct plan_options *options, char **ret_text)
{
	_cleanup_free_ char *all = NULL;

	plan->app = calloc(plan->desired->n + 1, sizeof(plan->app[0]));
	if (!plan->app)
		return -ENOMEM;
	for (size_t i = 0; i < plan->desired->n; i++) {
		struct plan_app *pa = &plan->app[plan->n_apps++];
		_cleanup_free_ char *text = NULL;
		int r;

		pa->held = plan->desired->item[i];
		pa->hook = deployment_of(pa)->hook;
		pa->placement.hash_seed = encode_hash_seed(deployment_of(pa)->name);
		r = parse_app(pa, options->ports, &text);
		if (r == 0)
			r = resolve_ports(pa, options->ports, &text);
		if (r == -EINVAL && text)
			why_set(&all, r, "%s%s%s", all ? all : "", all ? "\n" : "", text);
		else if (r < 0)
			return r;
	}
	if (all) {
		free(*ret_text);
		*ret_text = TAKE_PTR(all);
		return -EINVAL;
	}
	qsort(plan->app, plan->n_apps, sizeof(plan->app[0]), compare_order);
	return 0;
}

/* ---- numbers on the hooks ---- */

static enum hook_id table_hook(const struct plan_app *pa, unsigned index)
{
	int hook = pa->app->table[index].hook;

	return hook >= 0 ? (enum hook_id)hook : pa->hook;
}

static int add_table(struct plan *plan, struct plan_app *pa, unsigned index, enum hook_id hook, unsigned app_index,
		     bool first, char **ret_text)
{
	struct table_placement *place = &pa->placement.table[index];
	struct plan_table *table;

	if (plan->n_tables[hook] == HOOK_TABLES_MAX)
		return why_set(ret_text, -EINVAL, "%s: hook %s has %d tables already, of all applications together",
			       deployment_of(pa)->name, hook_name(hook), HOOK_TABLES_MAX);
	table = calloc(1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	place->hook = hook;
	place->hook_table = plan->n_tables[hook];
	place->app_index = app_index;
	place->first_on_hook = first;
	plan->table[hook][plan->n_tables[hook]++] = table;
	table->app = pa;
	table->index = index;
	if (asprintf(&table->name, "%s/%s", deployment_of(pa)->name, pa->app->table[index].name) < 0) {
		table->name = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* For ports in 'ports', what follows application a - 1 and has no follower yet begins at 'table'. */
static void chain_app(struct chain *chain, uint64_t ports, unsigned app_index, unsigned table)
{
	for (unsigned port = 1; port <= PORTS_MAX; port++) {
		if (!(ports & 1ull << (port - 1)))
			continue;
		for (unsigned a = 0; a <= app_index; a++)
			if (chain->next_app[port][a] == CHAIN_END)
				chain->next_app[port][a] = table;
	}
}

static int number_hook(struct plan *plan, enum hook_id hook, const struct plan_options *options, char **ret_text)
{
	struct chain *chain = &plan->chain[hook];
	unsigned n_apps = 0;
	int r;

	chain->version = options->version;
	chain->valid = 1;
	chain->parse_verdict = options->parse_verdict;
	memset(chain->next_app, CHAIN_END, sizeof(chain->next_app));
	for (size_t a = 0; a < plan->n_apps; a++) {
		struct plan_app *pa = &plan->app[a];
		bool first = true;

		for (unsigned t = 0; t < pa->app->n_tables; t++) {
			if (table_hook(pa, t) != hook)
				continue;
			if (first && n_apps == HOOK_APPS_MAX)
				return why_set(ret_text, -EINVAL, "%s: hook %s has %d applications already",
					       deployment_of(pa)->name, hook_name(hook), HOOK_APPS_MAX);
			if (first && !options->plain_pass)
				chain_app(chain, pa->ports, n_apps,
					  plan->n_tables[hook] | (pa->app->table[t].masked ? TARGET_MATCH : 0));
			r = add_table(plan, pa, t, hook, n_apps, first, ret_text);
			if (r < 0)
				return r;
			first = false;
		}
		n_apps += !first;
	}
	chain->n_tables = plan->n_tables[hook];
	return 0;
}

/* ---- indices by name ---- */

const char *plan_rule_name(const struct plan_table *table, unsigned rule)
{
	const struct app_table *t = plan_app_table(table);

	if (rule < t->n_rules)
		return t->rule[rule].name ? t->rule[rule].name : t->rule[rule].text;
	return rule == RULE_OTHERWISE ? "otherwise" : rule == RULE_ABSENT ? "absent" : "";
}

static int place_rule(struct plan *plan, struct plan_table *table, unsigned rule)
{
	struct table_placement *place = &table->app->placement.table[table->index];
	_cleanup_free_ char *name = NULL;
	/* Parentheses keep the two apart from rules that somebody names so. */
	const char *form = rule >= RULES_MAX ? "%s/(%s)" : "%s/%s";

	if (asprintf(&name, form, table->name, plan_rule_name(table, rule)) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	return registry_add_rule(plan->registry, name, &place->rule_counter[rule]);
}

/* By what they say, the names of actions included. */
static bool entries_are_equal(const struct app_table *a, const struct app_table *b)
{
	if (a->n_entries != b->n_entries)
		return false;
	for (size_t i = 0; i < a->n_entries; i++) {
		const struct entry *x = a->entry[i].entry, *y = b->entry[i].entry;

		if (memcmp(x, y, sizeof(*x)) != 0 || strcmp(a->state[x->action].name, b->state[y->action].name) != 0)
			return false;
	}
	return true;
}

/* Entries that packets search change in one go: in a flow table of their own, that follows the one of the version
 * before. */
static bool is_renewed(struct plan_table *table, const struct plan_options *options)
{
	const struct app_table *t = plan_app_table(table);
	const struct plan_table *before =
		options->before ? plan_find_table(options->before, deployment_of(table->app)->name, t->name) : NULL;

	if (!t->has_entries || !before || !before->layout || before->layout->hash != table->layout->hash ||
	    !plan_app_table(before)->has_entries)
		return false;
	table->new_entries = !entries_are_equal(plan_app_table(before), t);
	return table->new_entries || (options->renew && options->renew(options->renew_data, table->name));
}

static int place_flow(struct plan *plan, struct plan_table *table, const struct plan_options *options, char **ret_text)
{
	struct table_placement *place = &table->app->placement.table[table->index];
	const struct app_table *t = plan_app_table(table);
	const struct registry_flow *flow;
	const char *why = "";
	int r;

	table->layout = calloc(1, sizeof(*table->layout));
	if (!table->layout)
		return -ENOMEM;
	r = layout_make(table->app->app, t, table->layout, &why);
	if (r < 0)
		return why_set(ret_text, -EINVAL, "%s:%u:%u: table \"%s\": %s", deployment_of(table->app)->file,
			       t->loc.line, t->loc.column, t->name, why);
	table->renewed = is_renewed(table, options);
	r = (table->renewed ? registry_renew_flow : registry_add_flow)(plan->registry, table->name, table->layout,
								       &flow);
	if (r < 0)
		return r;
	place->flow_table = flow->index;
	table->fresh = flow->fresh;
	for (size_t i = 0; i < table->layout->n_states; i++)
		place->state_id[i] = table->layout->state[i].id;
	return 0;
}

static int place_table(struct plan *plan, struct plan_table *table, const struct plan_options *options, char **ret_text)
{
	struct table_placement *place = &table->app->placement.table[table->index];
	const struct app_table *t = plan_app_table(table);
	int r;

	r = registry_add_table(plan->registry, table->name, &place->id);
	if (r == 0)
		r = registry_add_stats(plan->registry, table->name, &place->stats);
	for (unsigned i = 0; r == 0 && i < t->n_rules; i++)
		r = place_rule(plan, table, i);
	for (unsigned i = RULE_OTHERWISE; r == 0 && i <= RULE_ABSENT; i++)
		r = place_rule(plan, table, i);
	if (r == 0 && t->stateful)
		r = place_flow(plan, table, options, ret_text);
	if (r == -ENOSPC)
		return why_set(ret_text, r,
			       "%s: no counter, flow table or state id is free on this switch; "
			       "those of what was removed come free within a second",
			       table->name);
	return r;
}

static int place_shared(struct plan *plan, const struct plan_app *pa, enum registry_kind kind, const char *name,
			__u16 *ret_index, char **ret_text)
{
	_cleanup_free_ char *full = NULL;
	uint32_t index = 0;
	int r;

	if (asprintf(&full, "%s/%s", deployment_of(pa)->name, name) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	r = registry_add_shared(plan->registry, kind, full, &index);
	*ret_index = index;
	if (r != -ENOSPC)
		return r;
	return why_set(ret_text, r,
		       "%s: the %u %ss of this switch are in use; those of what was removed come free within a second",
		       deployment_of(pa)->name, registry_shared_max(kind), registry_kind_word(kind));
}

/* Other values are other members: packets of the version before must not read them. */
char *plan_group_name(const struct app_group *group)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs(group->name, out);
	for (size_t i = 0; i < group->n_values; i++)
		fprintf(out, " %s %s", value_type_name(group->value[i].type), group->value[i].name);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int place_app(struct plan *plan, struct plan_app *pa, char **ret_text)
{
	const struct app *app = pa->app;
	int r = 0;

	for (size_t i = 0; r == 0 && i < app->n_globals; i++)
		r = place_shared(plan, pa, REGISTRY_GLOBAL, app->global[i].name, &pa->placement.global[i], ret_text);
	for (size_t i = 0; r == 0 && i < app->n_meters; i++)
		r = place_shared(plan, pa, REGISTRY_METER, app->meter[i].name, &pa->placement.meter[i], ret_text);
	for (size_t i = 0; r == 0 && i < app->n_groups; i++) {
		_cleanup_free_ char *name = plan_group_name(&app->group[i]);

		r = name ? place_shared(plan, pa, REGISTRY_GROUP, name, &pa->placement.group[i], ret_text) : -ENOMEM;
	}
	return r;
}

/* Numbers of one hook go by application. */
static int place_templates(struct plan *plan, char **ret_text)
{
	unsigned n[HOOK_MAX] = {};

	for (size_t i = 0; i < plan->n_apps; i++) {
		struct plan_app *pa = &plan->app[i];

		for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
			pa->placement.first_template[hook] = n[hook];
			n[hook] += encode_templates_on(pa->app, hook, pa->hook);
			if (n[hook] > TEMPLATES_MAX)
				return why_set(ret_text, -E2BIG, "hook %s: more than %d templates", hook_name(hook),
					       TEMPLATES_MAX);
		}
	}
	return 0;
}

static int place_all(struct plan *plan, const struct plan_options *options, char **ret_text)
{
	int r = 0;

	plan->registry = registry_next(options->registry);
	if (!plan->registry)
		return -ENOMEM;
	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		for (unsigned i = 0; r == 0 && i < plan->n_tables[hook]; i++)
			r = place_table(plan, plan->table[hook][i], options, ret_text);
	for (size_t i = 0; r == 0 && i < plan->n_apps; i++)
		r = place_app(plan, &plan->app[i], ret_text);
	if (r == 0)
		r = place_templates(plan, ret_text);
	registry_seal(plan->registry);
	return r;
}

/* ---- the whole ---- */

int plan_make(struct desired *desired, const struct plan_options *options, struct plan **ret_plan, char **ret_text)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	int r;

	if (!plan) {
		desired_free(desired);
		return -ENOMEM;
	}
	plan->desired = desired;
	plan->version = options->version;
	r = parse_all(plan, options, ret_text);
	for (unsigned hook = 0; r == 0 && hook < HOOK_MAX; hook++)
		r = number_hook(plan, hook, options, ret_text);
	if (r == 0)
		r = place_all(plan, options, ret_text);
	if (r < 0) {
		plan_free(plan);
		return r;
	}
	*ret_plan = plan;
	return 0;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		for (unsigned i = 0; i < plan->n_tables[hook]; i++) {
			free(plan->table[hook][i]->name);
			free(plan->table[hook][i]->layout);
			free(plan->table[hook][i]);
		}
	}
	for (size_t i = 0; i < plan->n_apps; i++)
		app_free(plan->app[i].app);
	free(plan->app);
	registry_free(plan->registry);
	desired_free(plan->desired);
	free(plan);
}

int plan_encode(struct plan *plan, enum hook_id hook, unsigned i, struct table *ret_table, char **ret_text)
{
	struct plan_table *table = plan->table[hook][i];
	const struct deployment *deployment = deployment_of(table->app);
	struct diag_list diags;
	int r;

	diag_init(&diags, deployment->file[0] ? deployment->file : deployment->name);
	r = encode_table(table->app->app, table->index, table->app->hook, &table->app->placement, &diags, ret_table);
	if (r == -E2BIG)
		r = refuse_app(&diags, deployment, ret_text);
	diag_done(&diags);
	if (r == 0)
		table->steps = encode_steps(ret_table);
	return r;
}

void plan_encode_templates(const struct plan *plan, enum hook_id hook, struct template *ret_template)
{
	for (size_t i = 0; i < plan->n_apps; i++) {
		const struct plan_app *pa = &plan->app[i];
		unsigned n = encode_templates_on(pa->app, hook, pa->hook);

		for (unsigned t = 0; t < n; t++)
			encode_template(pa->app, t, &ret_template[pa->placement.first_template[hook] + t]);
	}
}

static unsigned steps_of_port(const struct plan *plan, enum hook_id hook, unsigned port)
{
	unsigned steps = 0;

	for (unsigned i = 0; i < plan->n_tables[hook]; i++)
		if (plan->table[hook][i]->app->ports & 1ull << (port - 1))
			steps += plan->table[hook][i]->steps;
	return steps;
}

int plan_check_budget(const struct plan *plan, char **ret_text)
{
	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		for (unsigned port = 1; port <= PORTS_MAX; port++) {
			unsigned steps = steps_of_port(plan, hook, port);

			if (steps > HOOK_TABLES_MAX)
				return why_set(ret_text, -EINVAL,
					       "hook %s: the tables of all applications of a port take %u steps, at "
					       "most %d are "
					       "possible (two scopes and writing the packet cost one more each)",
					       hook_name(hook), steps, HOOK_TABLES_MAX);
		}
	}
	return 0;
}

unsigned plan_hooks(const struct plan *plan)
{
	unsigned hooks = 0;

	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		hooks |= plan->n_tables[hook] ? 1u << hook : 0;
	return hooks;
}

/* ---- finding ---- */

struct plan_table *plan_find_name(const struct plan *plan, const char *name)
{
	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		for (unsigned i = 0; i < plan->n_tables[hook]; i++)
			if (!strcmp(plan->table[hook][i]->name, name))
				return plan->table[hook][i];
	return NULL;
}

struct plan_table *plan_find_table(const struct plan *plan, const char *deployment, const char *table)
{
	struct plan_table *only = NULL;
	unsigned n = 0;

	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		for (unsigned i = 0; i < plan->n_tables[hook]; i++) {
			struct plan_table *t = plan->table[hook][i];

			if (strcmp(deployment_of(t->app)->name, deployment))
				continue;
			if (!strcmp(plan_app_table(t)->name, table))
				return t;
			if (!table[0] && t->layout) {
				only = t;
				n++;
			}
		}
	}
	return n == 1 ? only : NULL;
}

struct plan_table *plan_find_id(const struct plan *plan, uint32_t id)
{
	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		for (unsigned i = 0; i < plan->n_tables[hook]; i++)
			if (plan_placement(plan->table[hook][i])->id == id)
				return plan->table[hook][i];
	return NULL;
}
