/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "version_flows.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "why.h"

/* Calls for every stateful table of a plan. */
#define each_flow_table(plan, t)                                                                                       \
	for (unsigned hook_ = 0, i_ = 0; hook_ < HOOK_MAX; hook_++, i_ = 0)                                            \
		for (struct plan_table * t; i_ < (plan)->n_tables[hook_] && (t = (plan)->table[hook_][i_]); i_++)      \
			if (t->layout)

static struct flow_spec spec_of(const struct plan_table *t)
{
	return (struct flow_spec){
		.index = plan_placement(t)->flow_table,
		.capacity = t->layout->capacity,
		.record_class = t->layout->record_class,
		.key_words = t->layout->key_words,
	};
}

int version_flows_check(const struct plan *plan, const struct config *config, char **ret_text)
{
	uint64_t flows = 0, bytes = 0;

	each_flow_table(plan, t)
	{
		struct flow_spec spec = spec_of(t);

		if (spec.capacity > FLOW_CAPACITY_MAX)
			return why_set(ret_text, -EINVAL, "%s: capacity %u; this switch allows %u a table", t->name,
				       spec.capacity, FLOW_CAPACITY_MAX);
		flows += spec.capacity;
		bytes += flow_store_memory(&spec);
	}
	if (flows > config->flows_max)
		return why_set(ret_text, -EINVAL,
			       "%" PRIu64 " flows in all tables together; this switch allows %" PRIu64 " (flows_max)",
			       flows, config->flows_max);
	if (bytes > config->memory_max)
		return why_set(ret_text, -EINVAL,
			       "%" PRIu64 " MiB of flow tables; this switch allows %" PRIu64 " MiB (memory_max)",
			       bytes >> 20, config->memory_max >> 20);
	return 0;
}

static bool is_there(struct flow_store *flows, const struct flow_spec *spec)
{
	const struct flow_desc *desc = flow_store_desc(flows, spec->index);

	return desc && desc->capacity == spec->capacity && desc->record_class == (__u32)spec->record_class &&
	       desc->key_words == spec->key_words;
}

int version_flows_create(struct flow_store *flows, const struct plan *plan, struct version_flows *ret_made,
			 char **ret_text)
{
	struct flow_spec spec[FLOW_TABLES_MAX];
	unsigned stray[FLOW_TABLES_MAX];
	size_t n = 0, n_strays = 0;
	int r;

	each_flow_table(plan, t)
	{
		spec[n] = spec_of(t);
		if (!t->fresh && is_there(flows, &spec[n]))
			continue;
		if (flow_store_desc(flows, spec[n].index))
			stray[n_strays++] = spec[n].index;
		n++;
	}
	if (n_strays)
		flow_store_release(flows, stray, n_strays);
	r = n ? flow_store_create(flows, spec, n, ret_text) : 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		ret_made->index[ret_made->n++] = spec[i].index;
	return 0;
}

void version_flows_undo(struct flow_store *flows, const struct version_flows *made)
{
	if (made->n)
		flow_store_release(flows, made->index, made->n);
}

/* Its entries go along into another flow table. */
static bool is_renewed(const struct plan *plan, const char *name)
{
	each_flow_table(plan, t)
	{
		if (strcmp(t->name, name) == 0)
			return t->renewed;
	}
	return false;
}

void version_flows_lost(struct flow_store *flows, const struct plan *old, const struct plan *new_, char **ret_text)
{
	each_flow_table(old, t)
	{
		const struct registry_flow *kept = registry_find_flow(new_->registry, t->name);
		uint64_t n = flow_store_count(flows, plan_placement(t)->flow_table);

		if (is_renewed(new_, t->name) || (kept && kept->index == plan_placement(t)->flow_table) || !n)
			continue;
		why_set(ret_text, 0, "%s%s%" PRIu64 " flow%s of %s %s lost: %s", *ret_text ? *ret_text : "",
			*ret_text ? "\n" : "", n, n == 1 ? "" : "s", t->name, n == 1 ? "is" : "are",
			kept ? "its layout changed" : "it was removed");
	}
}

void version_flows_kept(struct flow_store *flows, const struct plan *old, const struct plan *new_,
			const char *deployment, char **ret_text)
{
	size_t len = strlen(deployment);

	each_flow_table(old, t)
	{
		const struct registry_flow *kept = registry_find_flow(new_->registry, t->name);
		uint64_t n = flow_store_count(flows, plan_placement(t)->flow_table);

		if (strncmp(t->name, deployment, len) != 0 || t->name[len] != '/' || !kept ||
		    (kept->index != plan_placement(t)->flow_table && !is_renewed(new_, t->name)))
			continue;
		why_set(ret_text, 0, "%s%s%" PRIu64 " flow%s of %s keep%s state and registers",
			*ret_text ? *ret_text : "", *ret_text ? "\n" : "", n, n == 1 ? "" : "s", t->name,
			n == 1 ? "s" : "");
	}
}

void version_flows_release(struct flow_store *flows, const struct registry *registry)
{
	unsigned index[FLOW_TABLES_MAX];
	size_t n = 0;
	int r;

	for (unsigned i = 0; i < FLOW_TABLES_MAX; i++)
		if (flow_store_desc(flows, i) && !registry_uses_flow(registry, i))
			index[n++] = i;
	r = n ? flow_store_release(flows, index, n) : 0;
	if (r < 0)
		log_error("flow tables of the version before cannot be released: %s", strerror(-r));
}

void version_flows_renumber(struct flow_store *flows, struct plan *plan, unsigned slot)
{
	each_flow_table(plan, t)
	{
		const struct table_placement *place = plan_placement(t);
		struct flow_scan scan = {};
		uint64_t known = 0;

		if (!registry_has_retired(plan->registry, place->flow_table))
			continue;
		for (size_t i = 0; i < t->layout->n_states; i++)
			known |= 1ull << t->layout->state[i].id;
		flow_store_renumber(flows, place->flow_table, TABLE_INDEX(slot, place->hook, place->hook_table), known,
				    &scan);
		if (!(flow_store_states(flows, place->flow_table) & ~known))
			registry_forget_retired(plan->registry, place->flow_table);
	}
}
