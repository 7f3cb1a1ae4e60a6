/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "../../../agent/plan.h"

static int find_port(void *data, const char *name)
{
	return !strcmp(name, "wan0") ? 1 : !strcmp(name, "lan0") ? 2 : -ENOENT;
}

static const struct port_names ports = {find_port, NULL};
static const char *wan[] = {"wan0"}, *lan[] = {"lan0"};

static struct deployment app(const char *name, const char *text, uint32_t order)
{
	return (struct deployment){
		.name = name, .version = 1, .file = "app.yaml", .text = text, .order = order, .switches = ""};
}

static struct desired *set_of(const struct deployment *d, size_t n)
{
	struct desired *set = desired_new();

	for (size_t i = 0; i < n; i++)
		assert_int_equal(desired_put(set, &d[i], true), DESIRED_CHANGED);
	return set;
}

static int try(const struct deployment *d, size_t n, const struct plan *before, struct plan **ret_plan, char **ret_text)
{
	struct registry *none = registry_new();
	struct plan_options options = {.version = before ? before->version + 1 : 1,
				       .registry = before ? before->registry : none,
				       .ports = &ports,
				       .parse_verdict = VERDICT_DROP};
	int r;

	*ret_text = NULL;
	r = plan_make(set_of(d, n), &options, ret_plan, ret_text);
	registry_free(none);
	return r;
}

static struct plan *make(const struct deployment *d, size_t n, const struct plan *before)
{
	struct plan *plan;
	char *text;

	if (try(d, n, before, &plan, &text) < 0)
		fail_msg("%s", text);
	return plan;
}

static void applications_are_chained_by_order_on_their_ports(void **state)
{
	struct msg_setting inside = {"inside", "lan0"};
	struct deployment d[] = {app("last", LIMITER, 90), app("first", LIMITER, 10), app("middle", GATE, 50)};
	const struct chain *chain;
	struct plan *plan;

	d[2].setting = &inside;
	d[2].n_settings = 1;
	d[2].port = lan;
	d[2].n_ports = 1;
	plan = make(d, 3, NULL);
	chain = &plan->chain[HOOK_XDP];
	assert_int_equal(plan->n_tables[HOOK_XDP], 3);
	assert_string_equal(plan->table[HOOK_XDP][0]->name, "first/police");
	assert_string_equal(plan->table[HOOK_XDP][1]->name, "middle/check");
	/* wan0: first -> last;  lan0: first -> middle -> last */
	assert_int_equal(chain->next_app[1][0], 0);
	assert_int_equal(chain->next_app[1][1], 2);
	assert_int_equal(chain->next_app[1][3], CHAIN_END);
	assert_int_equal(chain->next_app[2][1], 1);
	assert_int_equal(chain->next_app[2][2], 2);
	assert_int_equal(chain->next_app[64][1], 2);
	assert_int_equal(chain->next_app[0][0], CHAIN_END);
	assert_int_equal(plan->chain[HOOK_TC_INGRESS].next_app[1][0], CHAIN_END);
	assert_int_equal(chain->valid, 1);
	assert_int_equal(plan_hooks(plan), 1u << HOOK_XDP);
	plan_free(plan);
}

static void an_application_on_one_port_is_the_first_there(void **state)
{
	struct deployment d[] = {app("a", LIMITER, 1), app("b", LIMITER, 2)};
	struct plan *plan;

	d[0].port = wan;
	d[0].n_ports = 1;
	plan = make(d, 2, NULL);
	assert_int_equal(plan->chain[HOOK_XDP].next_app[1][0], 0);
	assert_int_equal(plan->chain[HOOK_XDP].next_app[1][1], 1);
	assert_int_equal(plan->chain[HOOK_XDP].next_app[2][0], 1);
	plan_free(plan);
}

static void a_change_of_parameters_keeps_all_indices_and_flows(void **state)
{
	struct msg_setting burst = {"burst", "50"};
	struct deployment d[] = {app("limiter", LIMITER, 1), app("other", LIMITER, 2)};
	struct plan *one = make(&d[0], 1, NULL), *two;
	const struct table_placement *before, *after;

	d[0].setting = &burst;
	d[0].n_settings = 1;
	d[0].version = 2;
	two = make(d, 2, one);
	before = plan_placement(one->table[HOOK_XDP][0]);
	after = plan_placement(two->table[HOOK_XDP][0]);
	assert_true(one->table[HOOK_XDP][0]->fresh);
	assert_false(two->table[HOOK_XDP][0]->fresh);
	assert_true(two->table[HOOK_XDP][1]->fresh);
	assert_int_equal(before->flow_table, after->flow_table);
	assert_int_equal(before->id, after->id);
	assert_int_equal(before->stats, after->stats);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(before->rule_counter[i], after->rule_counter[i]);
	assert_int_equal(before->rule_counter[RULE_ABSENT], after->rule_counter[RULE_ABSENT]);
	assert_int_not_equal(after->flow_table, plan_placement(two->table[HOOK_XDP][1])->flow_table);
	plan_free(one);
	plan_free(two);
}

#define COUNTING                                                                                                       \
	"app: counting\nglobals: {total: %s, other: 2}\n"                                                              \
	"tables:\n  - {name: t, rules: [{when: other > 1, do: total += 1}]}\n"

/* Its index follows the name, so a new version goes on counting. */
static void a_global_belongs_to_the_deployment_and_its_name(void **state)
{
	struct deployment d[] = {app("a", LIMITER, 1), app("b", LIMITER, 2)};
	char first[256], second[256];
	struct plan *one, *two;
	struct table *table = calloc(1, sizeof(*table));
	char *text = NULL;

	snprintf(first, sizeof(first), COUNTING, "0");
	snprintf(second, sizeof(second), COUNTING, "7");
	d[0].text = d[1].text = first;
	one = make(d, 1, NULL);
	d[0].text = second;
	d[0].version = 2;
	two = make(d, 2, one);
	assert_int_equal(two->app[0].placement.global[0], one->app[0].placement.global[0]);
	assert_int_not_equal(two->app[1].placement.global[0], one->app[0].placement.global[0]);
	assert_true(registry_find_shared(one->registry, REGISTRY_GLOBAL, "a/total")->fresh);
	assert_false(registry_find_shared(two->registry, REGISTRY_GLOBAL, "a/total")->fresh);
	assert_true(registry_find_shared(two->registry, REGISTRY_GLOBAL, "b/total")->fresh);
	assert_int_equal(plan_encode(two, HOOK_XDP, 1, table, &text), 0);
	assert_int_equal(table->n_globals, 1);
	assert_int_equal(table->globals[0].global, two->app[1].placement.global[1]);
	free(table);
	plan_free(one);
	plan_free(two);
}

static void rules_have_names(void **state)
{
	struct deployment d = app("limiter", LIMITER, 1);
	struct plan *plan = make(&d, 1, NULL);
	const struct plan_table *t = plan_find_table(plan, "limiter", "police");

	assert_ptr_equal(t, plan_find_table(plan, "limiter", ""));
	assert_ptr_equal(t, plan_find_id(plan, plan_placement(t)->id));
	assert_null(plan_find_table(plan, "limiter", "fish"));
	assert_null(plan_find_id(plan, 12345));
	assert_string_equal(plan_rule_name(t, 1), "over-rate");
	assert_string_equal(plan_rule_name(t, RULE_OTHERWISE), "otherwise");
	assert_true(strlen(plan_rule_name(t, 2)) > 0);
	assert_string_equal(plan_rule_name(t, 77), "");
	plan_free(plan);
}

static void all_mistakes_are_told_with_file_and_line(void **state)
{
	struct deployment d[] = {
		app("a", "app: a\ntables:\n  - name: t\n    rules:\n      - {when: fish > 3, action: pass}\n", 1),
		app("b", "app: [", 2)};
	struct plan *plan;
	char *text;

	d[1].file = "b.yaml";
	assert_int_equal(try(d, 2, NULL, &plan, &text), -EINVAL);
	assert_text_has(text, "app.yaml:5:");
	assert_text_has(text, "fish");
	assert_text_has(text, "b.yaml:2:");
	free(text);
}

static void a_port_that_is_not_there_is_refused(void **state)
{
	static const char *nowhere[] = {"wan9"};
	struct msg_setting inside = {"inside", "wan7"};
	struct deployment d = app("limiter", LIMITER, 1), gate = app("gate", GATE, 1);
	struct plan *plan;
	char *text;

	d.port = nowhere;
	d.n_ports = 1;
	assert_int_equal(try(&d, 1, NULL, &plan, &text), -EINVAL);
	assert_text_has(text, "port \"wan9\" does not exist on this switch");
	free(text);
	gate.setting = &inside;
	gate.n_settings = 1;
	assert_int_equal(try(&gate, 1, NULL, &plan, &text), -EINVAL);
	assert_text_has(text, "wan7");
	free(text);
}

static void a_hook_takes_so_many_applications_and_tables(void **state)
{
	static char two[2048];
	struct deployment d[DEPLOYMENTS_MAX];
	char names[DEPLOYMENTS_MAX][8];
	struct plan *plan;
	char *text;

	snprintf(two, sizeof(two),
		 "app: two\ntables:\n  - name: a\n    rules: [{name: r, action: \"goto(b)\"}]\n"
		 "  - name: b\n    rules: [{name: r, action: pass}]\n");
	for (unsigned i = 0; i < DEPLOYMENTS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "d%02u", i);
		d[i] = app(names[i], i < 12 ? two : GATE, i);
	}
	plan = make(d, 12, NULL);
	assert_int_equal(plan->n_tables[HOOK_XDP], HOOK_TABLES_MAX);
	plan_free(plan);
	for (unsigned i = 0; i < 13; i++)
		d[i].text = two;
	assert_int_equal(try(d, 13, NULL, &plan, &text), -EINVAL);
	assert_text_has(text, "24 tables already");
	free(text);
	for (unsigned i = 0; i < 17; i++)
		d[i].text = "app: one\ntables:\n  - name: a\n    rules: [{name: r, action: pass}]\n";
	assert_int_equal(try(d, 17, NULL, &plan, &text), -EINVAL);
	assert_text_has(text, "16 applications already");
	free(text);
}

static void steps_are_counted_per_port(void **state)
{
	struct deployment d[] = {app("a", LIMITER, 1), app("b", LIMITER, 2)};
	struct plan *plan;
	char *text = NULL;

	d[0].port = wan;
	d[1].port = lan;
	d[0].n_ports = d[1].n_ports = 1;
	plan = make(d, 2, NULL);
	plan->table[HOOK_XDP][0]->steps = plan->table[HOOK_XDP][1]->steps = 20;
	assert_int_equal(plan_check_budget(plan, &text), 0);
	plan->table[HOOK_XDP][1]->steps = 25;
	assert_int_equal(plan_check_budget(plan, &text), -EINVAL);
	assert_text_has(text, "25 steps");
	free(text);
	plan_free(plan);
}

static void tables_are_encoded_with_their_places(void **state)
{
	struct deployment d[] = {app("a", LIMITER, 1), app("b", LIMITER, 2)};
	struct plan *plan = make(d, 2, NULL);
	struct table *table = calloc(1, sizeof(*table));
	char *text = NULL;

	assert_int_equal(plan_encode(plan, HOOK_XDP, 1, table, &text), 0);
	assert_int_equal(table->flow_table, plan_placement(plan->table[HOOK_XDP][1])->flow_table);
	assert_int_equal(table->app, 1);
	assert_int_equal(table->id, plan_placement(plan->table[HOOK_XDP][1])->id);
	assert_true(table->flags & TABLE_VALID);
	assert_int_equal(plan->table[HOOK_XDP][1]->steps, 1);
	free(table);
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(applications_are_chained_by_order_on_their_ports),
		cmocka_unit_test(an_application_on_one_port_is_the_first_there),
		cmocka_unit_test(a_change_of_parameters_keeps_all_indices_and_flows),
		cmocka_unit_test(a_global_belongs_to_the_deployment_and_its_name),
		cmocka_unit_test(rules_have_names),
		cmocka_unit_test(all_mistakes_are_told_with_file_and_line),
		cmocka_unit_test(a_port_that_is_not_there_is_refused),
		cmocka_unit_test(a_hook_takes_so_many_applications_and_tables),
		cmocka_unit_test(steps_are_counted_per_port),
		cmocka_unit_test(tables_are_encoded_with_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
