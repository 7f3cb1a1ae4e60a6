// SPDX-License-Identifier: GPL-2.0-or-later
#include "group.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../tables/group.h"
#include "why.h"

static bool is_fresh(const struct plan *plan, const struct plan_app *pa, enum registry_kind kind, const char *name)
{
	_cleanup_free_ char *full = NULL;
	const struct registry_shared *known;

	if (asprintf(&full, "%s/%s", held_get(pa->held)->name, name) < 0) {
		full = NULL;
		return true;
	}
	known = registry_find_shared(plan->registry, kind, full);
	return known && known->fresh;
}

static int write_group(struct instance *instance, const struct plan_app *pa, size_t i, const struct port_names *ports)
{
	_cleanup_free_ struct members *members = malloc(sizeof(*members));
	const struct app_group *group = &pa->app->group[i];
	const __u64 *table = &instance_groups(instance)->at[pa->placement.group[i]].table;
	const __u64 before = *table;
	int r;

	if (!members)
		return -ENOMEM;
	group_members(group, ports, held_get(pa->held)->members, members);
	r = group_write(instance_groups(instance), pa->placement.group[i], group, members);
	return r < 0 || !before || before == *table ? r : instance_grace(instance);
}

static int write_groups(struct instance *instance, struct counter_store *counters, const struct plan *plan,
			const struct plan_app *pa, const struct port_names *ports, enum groups_which which)
{
	int r = 0;

	for (size_t i = 0; i < pa->app->n_groups && r == 0; i++) {
		_cleanup_free_ char *name = plan_group_name(&pa->app->group[i]);
		bool fresh = !name || is_fresh(plan, pa, REGISTRY_GROUP, name);

		if (fresh != (which == GROUPS_FRESH))
			continue;
		if (fresh)
			r = counter_reset(counters, COUNTER_MEMBER(pa->placement.group[i], 0), GROUP_MEMBERS);
		if (r == 0)
			r = write_group(instance, pa, i, ports);
	}
	return r;
}

static void fill_meters(struct instance *instance, const struct plan *plan, const struct plan_app *pa)
{
	for (size_t i = 0; i < pa->app->n_meters; i++) {
		struct meter *meter = &instance_meters(instance)->at[pa->placement.meter[i]];

		if (!is_fresh(plan, pa, REGISTRY_METER, pa->app->meter[i].name))
			continue;
		/* Nobody charges it yet. */
		memset(meter->packets, 0, sizeof(meter->packets));
		__atomic_fetch_add(&meter->reset, 1, __ATOMIC_RELAXED);
	}
}

int groups_write(struct instance *instance, struct counter_store *counters, const struct plan *plan,
		 const struct port_names *ports, enum groups_which which, char **ret_text)
{
	for (size_t a = 0; a < plan->n_apps; a++) {
		const struct plan_app *pa = &plan->app[a];
		int r = write_groups(instance, counters, plan, pa, ports, which);

		if (r == -ENOSPC)
			return why_set(
				ret_text, r,
				"%s: no room for the slots of its groups; a smaller \"size\" helps (the switch has %d "
				"in all, and one table more while one is replaced)",
				held_get(pa->held)->name, GROUP_SLOTS);
		if (r < 0)
			return r;
		if (which == GROUPS_FRESH)
			fill_meters(instance, plan, pa);
	}
	return 0;
}

void groups_settle(struct instance *instance, const struct plan *plan)
{
	for (unsigned i = 0; i < GROUPS_MAX; i++)
		if (!registry_uses_shared(plan->registry, REGISTRY_GROUP, i))
			group_clear(instance_groups(instance), i);
}
