/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rig_plan - which flow table, counters and place each table of a rig's applications gets. */
#ifndef MEALY_TEST_RIG_PLAN_H
#define MEALY_TEST_RIG_PLAN_H

#include "../../tables/encode.h"

enum { RIG_APPS_MAX = HOOK_APPS_MAX, RIG_FLOW_TABLES = 64 };

struct rig_app {
	struct app *app;
	unsigned first_table; /* Of the hook. */
	struct placement placement;
	struct layout layout[APP_TABLES_MAX];
};

struct rig_flow_table {
	char name[2 * NAME_LEN_MAX + 2];
	uint64_t layout_hash;
	bool made;
	const struct layout *layout;
};

/* A global keeps its index, and so its value, while the rig lives. */
struct rig_global {
	char name[2 * NAME_LEN_MAX + 2];
	uint64_t initial;
	bool begun;
};

enum { RIG_GLOBALS = 32 };

struct rig_plan {
	enum hook_id hook;
	struct rig_app app[RIG_APPS_MAX];
	unsigned n_apps, n_tables, n_templates, next_counter;
	struct rig_flow_table flow[RIG_FLOW_TABLES];
	unsigned n_flows;
	struct rig_global global[RIG_GLOBALS];
	unsigned n_globals;
	unsigned n_groups, n_meters;
};

/* The ports of a rig, for struct port_names. */
int rig_port_find(void *data, const char *name);

/* Parses and places one application; ends the program on a mistake. */
void rig_plan_add(struct rig_plan *plan, const char *path_or_text, const struct setting *settings, size_t n_settings);
void rig_plan_clear(struct rig_plan *plan);
/* Encodes table 'i' of application 'a'. */
void rig_plan_encode(const struct rig_plan *plan, unsigned a, unsigned i, struct table *ret_table);
void rig_plan_chain(const struct rig_plan *plan, uint64_t version, struct chain *ret_chain);
/* Index of "app/table" among flow tables; its application and table. */
unsigned rig_plan_find(const struct rig_plan *plan, const char *name, unsigned *ret_app, unsigned *ret_table);
/* First of the table's enum table_stat counters. */
unsigned rig_plan_table_counter(const struct rig_plan *plan, const char *table);
/* Index of "app/global". */
unsigned rig_plan_global(const struct rig_plan *plan, const char *name);
unsigned rig_plan_rule_counter(const struct rig_plan *plan, const char *name);

#endif
