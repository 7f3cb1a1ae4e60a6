/* SPDX-License-Identifier: GPL-2.0-or-later */
/* version - builds what a plan says in the slot that is not active, and commits it by one store.
 *
 *     plan -> grace, if the slot's last version may still have packets -> new flow tables, counters from 0, new globals
 *          -> tables encoded into the slot -> budget -> chains -> roots on new hooks -> file on disk
 *          -> commit -> `committed` on disk
 *     later: grace -> flow tables of the version before go, state ids come free, old files go
 *
 * V1. If any step before the commit fails nothing has changed, but for hooks that stay attached.
 * V2. The slot's memory, indices and flow tables of an old version are used again only after grace.
 *
 * One thread: that of the loop.  Building blocks it; a change of three tables takes a few ms. */
#ifndef MEALY_VERSION_H
#define MEALY_VERSION_H

#include "config.h"
#include "counter.h"
#include "entry_store.h"
#include "flow_store.h"
#include "plan.h"
#include "state_dir.h"
#include "wiring.h"

struct versions;

struct version_parts {
	const struct config *config;
	struct instance *instance;
	struct flow_store *flows;
	struct counter_store *counters;
	struct state_dir *dir;
	struct wiring *wiring;
};

struct version_stats {
	uint64_t build_us,
		commit_us;     /* Of the last change: until it was ready, then until it was on disk as committed. */
	uint64_t committed_ms; /* Unix time. */
};

/* The objects in 'parts' must outlive the versions. */
int versions_new(const struct version_parts *parts, struct versions **ret_versions);
void versions_free(struct versions *versions);

/* At start: finds out which version is meant (pins before files), builds and commits it in the new
 * instance, puts the roots in place and lets older instances go.  What had to be given up is in
 * versions_problem() and logged.  Fails only if not even an empty version can be committed. */
int versions_recover(struct versions *versions, char **ret_why);

/* Makes 'desired' (owned by the versions from now on, in any case) the active version.  On success
 * '*ret_text' may have notes for people (flows that are lost); on failure it has the mistakes:
 * -EINVAL, -ENOSPC, -ENOMEM, -EBUSY (a port cannot be attached) or what disk and kernel say. */
int versions_apply(struct versions *versions, struct desired *desired, char **ret_text);

/* What a version changes beside its deployments, before packets see it. */
struct version_edit {
	/* Match tables, "router/routes", that get a flow table of their own, a copy of the one that packets search. */
	bool (*renew)(void *data, const char *table);
	/* Fills them by way of versions_entries(); 'slot' is what instance_active() will be.  Fails with a text. */
	int (*fill)(void *data, const struct plan *plan, unsigned slot, char **ret_text);
	void *data;
};

/* versions_apply() with an edit: all of it is in effect by the one store, or nothing. */
int versions_edit(struct versions *versions, struct desired *desired, const struct version_edit *edit, char **ret_text);

/* Would 'desired' (taken as above) be accepted, as far as can be said without building it? */
int versions_try(struct versions *versions, struct desired *desired, struct plan **ret_plan, char **ret_text);

/* Does what a commit left for later, if anything; waits for grace (8-30 ms). */
void versions_settle(struct versions *versions);
bool versions_is_settled(const struct versions *versions);

/* fail_mode standalone: plain pass while no controller is there.  The deployments stay. */
int versions_set_plain_pass(struct versions *versions, bool on, char **ret_text);
bool versions_is_plain_pass(const struct versions *versions);

/* The entries of the match tables. */
struct entry_store *versions_entries(struct versions *versions);

/* The active plan; never NULL after versions_recover(). */
const struct plan *versions_plan(const struct versions *versions);

/* The plan of that number, or of the active one: for events, which are read late. */
const struct plan *versions_plan_of(const struct versions *versions, uint64_t version);

/* Element of the active version's table in `tables`. */
unsigned versions_element(const struct versions *versions, const struct plan_table *table);

struct version_stats versions_stats(const struct versions *versions);
const char *versions_problem(const struct versions *versions); /* "": none. */
void versions_set_problem(struct versions *versions, const char *text);

#endif
