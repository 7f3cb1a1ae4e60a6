// SPDX-License-Identifier: GPL-2.0-or-later
#include "global.h"

#include <stdio.h>

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
