/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan - what a version will consist of, worked out before anything is touched.
 *
 *     deployments -> applications parsed with this switch's port names
 *                 -> order by (order, name) on each hook -> numbers of applications and tables
 *                 -> indices by name (registry) -> chains
 *
 * A plan knows names, so the version's plan also answers what runs: tables, rules, events, traces.
 *
 * Pure: tables are encoded into memory of the caller.  Single-threaded. */
#ifndef MEALY_PLAN_H
#define MEALY_PLAN_H

#include "../tables/encode.h"
#include "desired.h"
#include "registry.h"

struct plan_app {
	const struct held *held; /* Of plan.desired. */
	struct app *app;
	uint64_t ports;	   /* Bit (number - 1). */
	enum hook_id hook; /* Where tables that name no hook go. */
	struct placement placement;
};

struct plan_table {
	struct plan_app *app;
	unsigned index;	       /* In app->app->table and app->placement.table. */
	char *name;	       /* "limiter/police" */
	struct layout *layout; /* With this switch's state ids; NULL: not stateful. */
	bool fresh;	       /* Its flow table must be created ... */
	bool renewed;	       /* ... and gets the entries of the one it follows, which is as it is. */
	bool new_entries;      /* Of a renewed one: the text's entries are not those of the version before. */
	unsigned steps;	       /* Of the tail-call budget, once encoded. */
};

struct plan {
	uint64_t version;
	struct desired *desired;   /* Owned. */
	struct registry *registry; /* Owned. */
	struct plan_app *app;	   /* In order. */
	size_t n_apps;
	struct plan_table *table[HOOK_MAX][HOOK_TABLES_MAX];
	unsigned n_tables[HOOK_MAX];
	struct chain chain[HOOK_MAX];
};

struct plan_options {
	uint64_t version;
	const struct registry *registry; /* Of the version before; an empty one at first. */
	const struct port_names *ports;
	const struct plan *before; /* The active one; NULL at start. */
	/* Match tables whose entries change in one go although the text does not ask for it; NULL: none. */
	bool (*renew)(void *renew_data, const char *table);
	void *renew_data;
	enum verdict parse_verdict;
	bool plain_pass; /* fail_mode standalone: tables stay, but no packet gets there. */
};

/* Plans 'desired', which the plan owns from now on in any case.
 *
 * Returns 0, or with a text of one or more lines, to be freed, in '*ret_text':
 *   -EINVAL  an application is wrong, or something does not fit; the lines say file and line;
 *   -ENOSPC  the switch's indices are used up;  -ENOMEM  (and then the text may be NULL). */
int plan_make(struct desired *desired, const struct plan_options *options, struct plan **ret_plan, char **ret_text);
void plan_free(struct plan *plan);

/* Encodes table 'i' of 'hook'.  Errors as above. */
int plan_encode(struct plan *plan, enum hook_id hook, unsigned i, struct table *ret_table, char **ret_text);

/* Writes the templates of a hook; 'ret_template' is its first one's. */
void plan_encode_templates(const struct plan *plan, enum hook_id hook, struct template *ret_template);

/* After all tables are encoded: does the longest chain of every port keep the budget? */
int plan_check_budget(const struct plan *plan, char **ret_text);

/* Hooks that have an application: bits 1 << enum hook_id. */
unsigned plan_hooks(const struct plan *plan);

const struct table_placement *plan_placement(const struct plan_table *table);
const struct app_table *plan_app_table(const struct plan_table *table);

/* By deployment and table name; with 'table' "" the only stateful one.  NULL: there is none. */
struct plan_table *plan_find_table(const struct plan *plan, const char *deployment, const char *table);
/* By its whole name, "limiter/police". */
struct plan_table *plan_find_name(const struct plan *plan, const char *name);
struct plan_table *plan_find_id(const struct plan *plan, uint32_t id);

/* Name of a rule, its text if it has none, "otherwise" or "absent"; "" out of range. */
const char *plan_rule_name(const struct plan_table *table, unsigned rule);

/* "backends address ip": a group with what its members have; to be freed. */
char *plan_group_name(const struct app_group *group);

const char *hook_name(enum hook_id hook); /* "xdp", "tc-ingress", "tc-egress" */

#endif
