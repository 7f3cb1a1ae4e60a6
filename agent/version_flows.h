/* SPDX-License-Identifier: GPL-2.0-or-later */
/* version_flows - the flow tables of a plan, compared with those that the switch has. */
#ifndef MEALY_VERSION_FLOWS_H
#define MEALY_VERSION_FLOWS_H

#include "config.h"
#include "flow_store.h"
#include "plan.h"

/* Flow tables made for a version that is not committed yet. */
struct version_flows {
	unsigned index[FLOW_TABLES_MAX];
	size_t n;
};

/* -EINVAL, with a text: more flows or memory than the configuration allows. */
int version_flows_check(const struct plan *plan, const struct config *config, char **ret_text);

/* Creates what is not there; what is there and of another shape was left over and goes first. */
int version_flows_create(struct flow_store *flows, const struct plan *plan, struct version_flows *ret_made,
			 char **ret_text);
void version_flows_undo(struct flow_store *flows, const struct version_flows *made);

/* Lines for people about flows that 'new_' does not take over from 'old'; untouched when there are none. */
void version_flows_lost(struct flow_store *flows, const struct plan *old, const struct plan *new_, char **ret_text);

/* The same for those of one deployment that it does take over. */
void version_flows_kept(struct flow_store *flows, const struct plan *old, const struct plan *new_,
			const char *deployment, char **ret_text);

/* After grace: frees every flow table that the registry does not name. */
void version_flows_release(struct flow_store *flows, const struct registry *registry);

/* After grace: frees state ids that no record has any more. */
void version_flows_renumber(struct flow_store *flows, struct plan *plan, unsigned slot);

#endif
