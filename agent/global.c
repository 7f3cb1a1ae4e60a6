// SPDX-License-Identifier: GPL-2.0-or-later
#include "global.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "why.h"

static bool is_fresh(const struct plan *plan, const struct plan_app *pa, const struct app_global *global)
{
	const struct registry_shared *known;
	char name[2 * NAME_LEN_MAX + 2];

	snprintf(name, sizeof(name), "%s/%s", held_get(pa->held)->name, global->name);
	known = registry_find_shared(plan->registry, REGISTRY_GLOBAL, name);
	return known && known->fresh;
}

void globals_begin(struct instance *instance, const struct plan *plan, bool all)
{
	struct globals *globals = instance_globals(instance);

	for (size_t a = 0; a < plan->n_apps; a++) {
		const struct plan_app *pa = &plan->app[a];

		for (size_t i = 0; i < pa->app->n_globals; i++)
			if (all || is_fresh(plan, pa, &pa->app->global[i]))
				__atomic_store_n(&globals->at[pa->placement.global[i]].value,
						 pa->app->global[i].initial, __ATOMIC_RELAXED);
	}
}

static int find(const struct plan *plan, const struct msg_set_global *wanted, const struct app_global **ret_global,
		unsigned *ret_index, char **ret_why)
{
	for (size_t a = 0; a < plan->n_apps; a++) {
		const struct plan_app *pa = &plan->app[a];

		if (strcmp(held_get(pa->held)->name, wanted->deployment) != 0)
			continue;
		for (size_t i = 0; i < pa->app->n_globals; i++)
			if (strcmp(pa->app->global[i].name, wanted->name) == 0) {
				*ret_global = &pa->app->global[i];
				*ret_index = pa->placement.global[i];
				return 0;
			}
		return why_set(ret_why, -ENOENT, "%s has no global \"%s\"", wanted->deployment, wanted->name);
	}
	return why_set(ret_why, -ENOENT, "there is no deployment \"%s\"", wanted->deployment);
}

int globals_find(const struct plan *plan, const struct msg_set_global *wanted, const struct app_global **ret_global,
		 unsigned *ret_index, uint64_t *ret_value, char **ret_why)
{
	const struct app_global *g;
	uint64_t hi;
	int r = find(plan, wanted, &g, ret_index, ret_why);

	if (r < 0)
		return r;
	if (value_parse(g->type, wanted->text, &hi, ret_value) < 0)
		return why_set(ret_why, -EINVAL, "\"%s\" is no %s, which %s/%s is", wanted->text,
			       value_type_name(g->type), wanted->deployment, g->name);
	if (*ret_value < g->min || *ret_value > g->max)
		return why_set(ret_why, -EINVAL, "%s is outside of the range of %s/%s, which is %s", wanted->text,
			       wanted->deployment, g->name, g->range_text ? g->range_text : "any number");
	*ret_global = g;
	return 0;
}
