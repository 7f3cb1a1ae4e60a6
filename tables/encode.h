/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode - struct app -> struct table, the exact bytes the datapath reads.
 *
 * Pure: everything that only a switch knows (indices of flow tables, counters, state ids, the
 * place of the application in the hook) comes in through struct placement. */
#ifndef MEALY_ENCODE_H
#define MEALY_ENCODE_H

#include "layout.h"

/* Where one table of an application goes on this switch. */
struct table_placement {
	unsigned hook_table; /* 0..HOOK_TABLES_MAX-1 on its hook. */
	enum hook_id hook;
	bool first_on_hook; /* First table of the application on that hook. */
	unsigned app_index; /* Of the application on that hook. */
	__u32 id;	    /* For events. */
	__u32 flow_table;
	__u32 stats;			/* First of TABLE_STAT_MAX counters. */
	__u8 state_id[STATES_MAX];	/* By index in app_table.state; [0] is 0. */
	__u32 rule_counter[RULES_ROOM]; /* By rule; [RULE_OTHERWISE], [RULE_ABSENT]. */
};

struct placement {
	struct table_placement table[APP_TABLES_MAX]; /* By index in app.table. */
	uint64_t hash_seed;			      /* Of hash(), from encode_hash_seed(). */
	__u16 global[APP_GLOBALS_MAX];		      /* Index in MAP_GLOBALS, by index in app.global. */
	__u16 group[APP_GROUPS_MAX];		      /* Index in MAP_GROUPS, by index in app.group. */
	__u16 meter[APP_METERS_MAX];		      /* Index in MAP_METERS, by index in app.meter. */
	__u8 first_template[HOOK_MAX];		      /* Number on the hook of the application's first template. */
};

/* How table 'index' is named as the next one. */
__u8 encode_target(const struct app *app, const struct placement *placement, unsigned index);

/* The seed of hash() follows the deployment's name, so that every switch hashes alike and two deployments do not. */
uint64_t encode_hash_seed(const char *deployment);

/* A table "continues" to the next table of the application on the same hook.  Returns its index in
 * app.table, or -1. 'default_hook' is the deployment's. */
int encode_next_on_hook(const struct app *app, unsigned table, enum hook_id default_hook);

/* Encodes table 'index' of 'app' into '*ret_table' (zeroed first).
 *
 * Returns 0, or -E2BIG with an error in 'diags' that names the limit and the rule. */
int encode_table(const struct app *app, unsigned index, enum hook_id default_hook, const struct placement *placement,
		 struct diag_list *diags, struct table *ret_table);

/* Encodes everything with a made-up placement: finds mistakes of size before anything is sent. */
int encode_check(const struct app *app, enum hook_id default_hook, struct diag_list *diags);

/* How many steps of the tail-call budget table 'index' takes: 1, +1 for two scopes or masks, +1 for packet writes, +2
 * for each step of one rule that pushes, pops, becomes, mirrors or emits. */
unsigned encode_steps(const struct table *table);

/* Element TEMPLATE_INDEX(slot, hook, placement.first_template[hook] + index). */
void encode_template(const struct app *app, unsigned index, struct template *ret_template);
/* How many templates an application has on a hook: all or, without a table there, none. */
unsigned encode_templates_on(const struct app *app, enum hook_id hook, enum hook_id default_hook);
/* Most steps that INTERP_PACKET makes for one rule. */
unsigned encode_big_steps(const struct table *table);

#endif
