/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "version.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "global.h"
#include "group.h"
#include "host.h"
#include "special.h"
#include "version_entries.h"
#include "version_flows.h"
#include "why.h"

struct versions {
	struct version_parts parts;
	struct entry_store *entries;
	struct version_flows made;	 /* For the version being built. */
	struct entry_moves *moves;	 /* Of the version being built, then of the active one until it is settled. */
	const struct version_edit *edit; /* While such a version is built; else NULL. */
	struct port_names ports;
	struct plan *plan;   /* Active. */
	struct plan *before; /* The one before: events of it may still come. */
	bool settled;
	bool plain_pass;
	char *problem;
	struct version_stats stats;
};

int versions_new(const struct version_parts *parts, struct versions **ret_versions)
{
	struct versions *v = calloc(1, sizeof(*v));

	if (!v || entry_store_new(parts->flows, &v->entries) < 0) {
		free(v);
		return -ENOMEM;
	}
	v->parts = *parts;
	v->ports = (struct port_names){wiring_find, parts->wiring};
	v->settled = true;
	*ret_versions = v;
	return 0;
}

void versions_free(struct versions *v)
{
	if (!v)
		return;
	plan_free(v->plan);
	plan_free(v->before);
	entry_moves_free(v->moves);
	entry_store_free(v->entries);
	free(v->problem);
	free(v);
}

/* ---- readers ---- */

const struct plan *versions_plan(const struct versions *v)
{
	return v->plan;
}

struct entry_store *versions_entries(struct versions *v)
{
	return v->entries;
}

const struct plan *versions_plan_of(const struct versions *v, uint64_t version)
{
	return v->before && v->before->version == version ? v->before : v->plan;
}

unsigned versions_element(const struct versions *v, const struct plan_table *table)
{
	const struct table_placement *place = plan_placement(table);

	return TABLE_INDEX(instance_active(v->parts.instance), place->hook, place->hook_table);
}

struct version_stats versions_stats(const struct versions *v)
{
	return v->stats;
}

const char *versions_problem(const struct versions *v)
{
	return v->problem ? v->problem : "";
}

void versions_set_problem(struct versions *v, const char *text)
{
	free(v->problem);
	v->problem = text && text[0] ? strdup(text) : NULL;
}

bool versions_is_settled(const struct versions *v)
{
	return v->settled;
}

bool versions_is_plain_pass(const struct versions *v)
{
	return v->plain_pass;
}

/* ---- planning ---- */

/* Every hook with tables must be one whose programs were loaded. */
static int check_hooks(const struct plan *plan, const struct config *config, char **ret_text)
{
	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		if (config->hooks && !(config->hooks >> hook & 1) && plan->n_tables[hook])
			return why_set(ret_text, -EINVAL,
				       "%s runs at %s, whose programs this switch does not load (hooks)",
				       plan->table[hook][0]->name, hook_name(hook));
	return 0;
}

static int make_plan(struct versions *v, struct desired *desired, uint64_t version, const struct registry *registry,
		     struct plan **ret_plan, char **ret_text)
{
	struct plan_options options = {
		.version = version,
		.registry = registry,
		.before = v->plan,
		.renew = v->edit ? v->edit->renew : NULL,
		.renew_data = v->edit ? v->edit->data : NULL,
		.ports = &v->ports,
		.parse_verdict = v->parts.config->parse_verdict,
		.plain_pass = v->plain_pass,
	};
	struct plan *plan;
	int r;

	r = plan_make(desired, &options, &plan, ret_text);
	if (r < 0)
		return r;
	r = version_flows_check(plan, v->parts.config, ret_text);
	if (r == 0)
		r = check_hooks(plan, v->parts.config, ret_text);
	if (r < 0) {
		plan_free(plan);
		return r;
	}
	*ret_plan = plan;
	return 0;
}

int versions_try(struct versions *v, struct desired *desired, struct plan **ret_plan, char **ret_text)
{
	return make_plan(v, desired, v->plan->version + 1, v->plan->registry, ret_plan, ret_text);
}

/* ---- building ---- */

/* Names come in order of the alphabet, indices mostly in rows: neighbours are reset together. */
static int reset_fresh_counters(struct versions *v, const struct plan *plan, char **ret_text)
{
	_cleanup_free_ bool *fresh = calloc(COUNTERS + 1, sizeof(*fresh));
	const struct registry_counter *c;
	unsigned begin = 0;
	int r = fresh ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && (c = registry_counter_at(plan->registry, i)); i++)
		for (unsigned j = 0; c->fresh && j < c->n; j++)
			fresh[c->index + j] = true;
	for (unsigned i = 1; r == 0 && i <= COUNTERS; i++) {
		if (fresh[i] && !fresh[i - 1])
			begin = i;
		if (!fresh[i] && fresh[i - 1])
			r = counter_reset(v->parts.counters, begin, i - begin);
	}
	return r == 0 ? 0 : why_set(ret_text, r, "counters cannot be reset: %s", strerror(-r));
}

static int encode_all(struct versions *v, struct plan *plan, unsigned slot, char **ret_text)
{
	struct table *tables = instance_tables(v->parts.instance);
	struct template *templates = instance_templates(v->parts.instance);
	struct chain *chains = instance_chains(v->parts.instance);

	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		for (unsigned i = 0; i < plan->n_tables[hook]; i++) {
			int r = plan_encode(plan, hook, i, &tables[TABLE_INDEX(slot, hook, i)], ret_text);

			if (r < 0)
				return r;
		}
		for (unsigned i = plan->n_tables[hook]; i < HOOK_TABLES_MAX; i++)
			tables[TABLE_INDEX(slot, hook, i)].flags = 0;
		plan_encode_templates(plan, hook, &templates[TEMPLATE_INDEX(slot, hook, 0)]);
		chains[CHAIN_INDEX(slot, hook)] = plan->chain[hook];
	}
	return plan_check_budget(plan, ret_text);
}

/* At a start a full disk is no reason to leave the packets without a switch: the file the plan came from
 * is still there. */
static int write_file(struct versions *v, const struct plan *plan, char **ret_text)
{
	int r = state_dir_write(v->parts.dir, plan->version, plan->desired, plan->registry, ret_text);

	if (r == 0 || v->plan)
		return r;
	log_error("%s", *ret_text ? *ret_text : strerror(-r));
	versions_set_problem(v, *ret_text);
	return 0;
}

/* Every version begins on the interpreter; what the slot's last one was specialised to goes. */
static int begin_interpreted(struct versions *v, unsigned slot, char **ret_text)
{
	int r = 0;

	for (unsigned hook = 0; r == 0 && hook < HOOK_MAX; hook++) {
		r = special_take_off(v->parts.instance, hook, slot);
		if (v->parts.config->specialise)
			special_clear(v->parts.instance, hook, slot);
	}
	return r == 0 ? 0 : why_set(ret_text, r, "the interpreter cannot be put in place: %s", strerror(-r));
}

/* Everything up to the file on disk; gives flow tables back if it fails. */
static int build(struct versions *v, struct plan *plan, unsigned slot, char **ret_text)
{
	int r;

	v->made = (struct version_flows){};
	r = version_flows_create(v->parts.flows, plan, &v->made, ret_text);
	if (r == 0)
		r = reset_fresh_counters(v, plan, ret_text);
	if (r == 0)
		r = begin_interpreted(v, slot, ret_text);
	if (r == 0)
		r = encode_all(v, plan, slot, ret_text);
	if (r == 0)
		r = version_entries_begin(v->entries, v->plan, plan, slot, &v->made, &v->moves, ret_text);
	if (r == 0 && v->edit)
		r = v->edit->fill(v->edit->data, plan, slot, ret_text);
	if (r == 0)
		globals_begin(v->parts.instance, plan, !v->plan && !instance_found(v->parts.instance)->globals);
	if (r == 0)
		r = groups_write(v->parts.instance, v->parts.counters, plan, &v->ports, GROUPS_FRESH, ret_text);
	if (r == 0 && !v->plan)
		r = groups_write(v->parts.instance, v->parts.counters, plan, &v->ports, GROUPS_KEPT, ret_text);
	if (r == 0)
		r = write_file(v, plan, ret_text);
	if (r < 0) {
		version_flows_undo(v->parts.flows, &v->made);
		entry_moves_free(TAKE_PTR(v->moves));
	}
	return r;
}

static uint64_t unix_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* The store, and the note of it on disk.  Nothing can fail any more: without the note the version
 * before would come back after a reboot, so that is said. */
static void commit(struct versions *v, struct plan *plan, unsigned slot)
{
	_cleanup_free_ char *why = NULL, *entries_why = NULL;
	uint64_t begin_ns = host_monotonic_ns();

	instance_commit(v->parts.instance, slot);
	plan_free(v->before);
	v->before = v->plan;
	v->plan = plan;
	v->settled = false;
	if (state_dir_commit(v->parts.dir, plan->version, &why) < 0) {
		log_error("version %" PRIu64 " is active, but not noted as committed: %s", plan->version,
			  why ? why : "no memory");
		versions_set_problem(v, why);
	}
	if (!v->before && version_entries_change(v->entries, plan, slot, &v->made, &entries_why) < 0) {
		log_error("%s", entries_why ? entries_why : "no memory");
		versions_set_problem(v, entries_why);
	}
	v->stats.commit_us = (host_monotonic_ns() - begin_ns) / 1000;
	v->stats.committed_ms = unix_ms();
}

/* Members of groups that go on, in place.  What has no room stays as it was. */
static void change_members(struct versions *v)
{
	_cleanup_free_ char *why = NULL;
	int r = groups_write(v->parts.instance, v->parts.counters, v->plan, &v->ports, GROUPS_KEPT, &why);

	if (r == 0)
		return;
	log_error("members of groups: %s", why ? why : strerror(-r));
	versions_set_problem(v, why ? why : strerror(-r));
}

static int apply_plan(struct versions *v, struct plan *plan, uint64_t begin_ns, char **ret_text)
{
	unsigned slot = !instance_active(v->parts.instance);
	int r;

	versions_settle(v);
	if (!v->settled)
		return why_set(ret_text, -EBUSY, "the kernel did not end the grace period of the version before");
	r = wiring_add_hooks(v->parts.wiring, plan_hooks(plan), ret_text);
	if (r == 0)
		r = build(v, plan, slot, ret_text);
	if (r < 0)
		return r;
	v->stats.build_us = (host_monotonic_ns() - begin_ns) / 1000;
	commit(v, plan, slot);
	change_members(v);
	log_info("version %" PRIu64 ": %zu deployment%s, built in %" PRIu64 " us, committed in %" PRIu64 " us",
		 plan->version, plan->n_apps, plan->n_apps == 1 ? "" : "s", v->stats.build_us, v->stats.commit_us);
	return 0;
}

static int try_and_apply(struct versions *v, struct desired *desired, char **ret_text)
{
	uint64_t begin_ns = host_monotonic_ns();
	_cleanup_free_ char *notes = NULL;
	struct plan *plan;
	int r;

	r = versions_try(v, desired, &plan, ret_text);
	if (r < 0)
		return r;
	version_flows_lost(v->parts.flows, v->plan, plan, &notes);
	r = apply_plan(v, plan, begin_ns, ret_text);
	if (r < 0) {
		plan_free(plan);
		return r;
	}
	free(*ret_text);
	*ret_text = TAKE_PTR(notes);
	return 0;
}

int versions_apply(struct versions *v, struct desired *desired, char **ret_text)
{
	int r;

	versions_set_problem(v, NULL);
	r = try_and_apply(v, desired, ret_text);
	if (r < 0)
		versions_set_problem(v, *ret_text ? *ret_text : strerror(-r));
	return r;
}

int versions_edit(struct versions *v, struct desired *desired, const struct version_edit *edit, char **ret_text)
{
	int r;

	v->edit = edit;
	r = try_and_apply(v, desired, ret_text);
	v->edit = NULL;
	return r;
}

int versions_set_plain_pass(struct versions *v, bool on, char **ret_text)
{
	struct desired *desired;
	bool before = v->plain_pass;
	int r;

	if (on == before)
		return 0;
	desired = desired_copy(v->plan->desired);
	if (!desired)
		return -ENOMEM;
	v->plain_pass = on;
	r = versions_apply(v, desired, ret_text);
	if (r < 0)
		v->plain_pass = before;
	return r;
}

/* ---- afterwards ---- */

void versions_settle(struct versions *v)
{
	int r;

	if (v->settled)
		return;
	r = instance_grace(v->parts.instance);
	if (r < 0) {
		log_error("grace period failed: %s; the next change waits", strerror(-r));
		return;
	}
	entry_moves_settle(v->moves, v->entries, v->plan, instance_active(v->parts.instance));
	entry_moves_free(TAKE_PTR(v->moves));
	version_flows_release(v->parts.flows, v->plan->registry);
	groups_settle(v->parts.instance, v->plan);
	version_flows_renumber(v->parts.flows, v->plan, instance_active(v->parts.instance));
	state_dir_prune(v->parts.dir, v->plan->version, v->before ? v->before->version : 0);
	v->settled = true;
}

/* ---- start ---- */

/* What a file has; the numbers in it are kept only if they describe what is pinned. */
struct recovered {
	struct desired *desired;
	struct registry *registry;
	uint64_t version;
};

static bool read_version(struct versions *v, uint64_t version, struct recovered *ret)
{
	_cleanup_free_ char *why = NULL;

	if (!version)
		return false;
	if (state_dir_read(v->parts.dir, version, &ret->desired, &ret->registry, &why) < 0) {
		log_error("%s", why ? why : "no memory");
		versions_set_problem(v, why);
		return false;
	}
	ret->version = version;
	return true;
}

/* Not the version that was meant: another one that can be read, the newest first, or an empty one. */
static int find_other(struct versions *v, uint64_t pinned, uint64_t committed, struct recovered *ret)
{
	uint64_t newest = state_dir_before(v->parts.dir, UINT64_MAX);
	uint64_t highest = newest > pinned ? newest : pinned;

	for (uint64_t at = newest; at && !ret->desired; at = state_dir_before(v->parts.dir, at))
		if (at != pinned && (pinned || at != committed) && read_version(v, at, ret))
			log_warn("version %" PRIu64 " is used instead", at);
	/* Its flow tables are those that are pinned only if the version meant was the very next one (R1 of
	 * the registry). */
	if (!ret->desired || (pinned && ret->version + 1 != pinned)) {
		registry_free(ret->registry);
		ret->registry = registry_new();
	}
	if (!ret->desired)
		ret->desired = desired_new();
	ret->version = (highest > committed ? highest : committed) + 1;
	return ret->desired && ret->registry ? 0 : -ENOMEM;
}

/* Pins before files. */
static int find_version(struct versions *v, struct recovered *ret)
{
	uint64_t pinned = instance_found(v->parts.instance)->version, committed = 0;
	_cleanup_free_ char *why = NULL;

	if (state_dir_committed(v->parts.dir, &committed, &why) < 0) {
		log_error("%s", why ? why : "no memory");
		versions_set_problem(v, why);
	}
	if (pinned && committed && pinned != committed)
		log_warn("version %" PRIu64 " runs, %" PRIu64 " was noted as committed: what runs is kept", pinned,
			 committed);
	if (read_version(v, pinned ? pinned : committed, ret))
		return 0;
	return find_other(v, pinned, committed, ret);
}

/* The deployments that this switch can still run, tried one after the other. */
static int keep_what_works(struct versions *v, const struct recovered *found, struct desired **ret_desired)
{
	struct desired *kept = desired_new();

	for (size_t i = 0; kept && i < found->desired->n; i++) {
		const struct deployment *deployment = held_get(found->desired->item[i]);
		struct desired *more = desired_copy(kept), *next = NULL;
		_cleanup_free_ char *why = NULL;
		struct plan *plan;

		if (!more || desired_put(more, deployment, true) < 0 || !(next = desired_copy(more))) {
			desired_free(more);
			continue;
		}
		if (make_plan(v, more, found->version, found->registry, &plan, &why) < 0) {
			log_error("%s is left out: %s", deployment->name, why ? why : "no memory");
			desired_free(next);
			continue;
		}
		plan_free(plan);
		desired_free(kept);
		kept = next;
	}
	*ret_desired = kept;
	return kept ? 0 : -ENOMEM;
}

/* Plans what was found; when this switch cannot run it any more (memory, another build's checks), leaves
 * out what fails, under a number of its own. */
static int plan_recovered(struct versions *v, struct recovered *found, struct plan **ret_plan, char **ret_why)
{
	struct desired *desired = desired_copy(found->desired);
	int r;

	if (!desired)
		return -ENOMEM;
	r = make_plan(v, desired, found->version, found->registry, ret_plan, ret_why);
	if (r != -EINVAL)
		return r;
	log_error("version %" PRIu64 " cannot be built again: %s", found->version, *ret_why ? *ret_why : "");
	versions_set_problem(v, *ret_why);
	found->version++;
	r = keep_what_works(v, found, &desired);
	return r < 0 ? r : make_plan(v, desired, found->version, found->registry, ret_plan, ret_why);
}

static int recover(struct versions *v, struct recovered *found, char **ret_why)
{
	struct plan *plan = NULL;
	int r;

	r = plan_recovered(v, found, &plan, ret_why);
	if (r == 0)
		r = build(v, plan, instance_active(v->parts.instance), ret_why);
	if (r == 0)
		commit(v, plan, instance_active(v->parts.instance));
	else
		plan_free(plan);
	return r;
}

int versions_recover(struct versions *v, char **ret_why)
{
	struct recovered found = {};
	int r;

	if (instance_found(v->parts.instance)->lost) {
		log_warn("not taken over: %s", instance_found(v->parts.instance)->lost);
		versions_set_problem(v, instance_found(v->parts.instance)->lost);
	}
	if (instance_found(v->parts.instance)->blind)
		log_warn("redirects that fail after the verdict are not counted: %s",
			 instance_found(v->parts.instance)->blind);
	r = find_version(v, &found);
	if (r == 0)
		r = recover(v, &found, ret_why);
	if (r < 0 && found.desired && found.desired->n) {
		log_error("version %" PRIu64 " cannot be built again: %s; starting without applications", found.version,
			  *ret_why ? *ret_why : strerror(-r));
		versions_set_problem(v, *ret_why);
		desired_free(found.desired);
		found.desired = desired_new();
		found.version++;
		r = found.desired ? recover(v, &found, ret_why) : -ENOMEM;
	}
	desired_free(found.desired);
	registry_free(found.registry);
	if (r == 0)
		r = wiring_take_over(v->parts.wiring, plan_hooks(v->plan), ret_why);
	if (r < 0)
		return r;
	r = instance_settle(v->parts.instance);
	if (r < 0)
		log_warn("older instances cannot be removed: %s", strerror(-r));
	return 0;
}
