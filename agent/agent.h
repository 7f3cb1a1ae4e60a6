/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent - owns every other object of the process; creation order is reverse destruction order.
 *
 *     state_dir -> instance -> flow_store, counters -> notify -> wiring (ports) -> versions
 *       -> version recovered, roots in place -> event ring, timers -> changes -> sockets (users, controllers)
 *
 * Controllers and users are not heard before the switch runs.  Everything happens in one thread and
 * one libev loop. */
#ifndef MEALY_AGENT_H
#define MEALY_AGENT_H

#include <ev.h>

#include "sockets.h"
#include "bundle.h"
#include "changes.h"
#include "config.h"
#include "counter.h"
#include "event_ring.h"
#include "expiry.h"
#include "flow_store.h"
#include "notify.h"
#include "specialiser.h"
#include "state_dir.h"
#include "version.h"
#include "wiring.h"

struct agent {
	const struct config *config;
	struct ev_loop *loop;
	struct state_dir *dir;
	int pin_lock; /* Of the switch on this host. */
	struct instance *instance;
	struct flow_store *flows;
	struct counter_store *counters;
	struct notify *notify;
	struct wiring *wiring;
	struct versions *versions;
	struct event_ring *ring;
	struct expiry *expiry;
	struct specialiser *specialiser;
	struct changes *changes;
	struct bundles *bundles;
	struct sockets *sockets;
	ev_io ports_io, ring_io;
	ev_timer settle; /* What a commit left for later. */
	ev_timer bundle_due;
	ev_signal term, interrupt;
	uint64_t process; /* Random: tells the other side that this is another process. */
	uint64_t events_lost;
	bool drifted; /* A local user changed deployments since the last synchronisation. */
	struct {
		uint32_t table;
		uint64_t flows;
	} dumped; /* Counted at a dump's first chunk, told with each. */
};

/* Starts everything.  On failure '*ret_why' says what for people, and nothing is left but what an older
 * agent had. */
int agent_new(const struct config *config, struct ev_loop *loop, struct agent **ret_agent, char **ret_why);

/* Stops; the datapath goes on. */
void agent_free(struct agent *agent);

/* After each commit: tells the other side's hello, watchers and timers. */
void agent_version_changed(struct agent *agent, const char *what);

/* An event of the agent itself, "port", "deployment", "lost", for all who watch. */
void agent_tell(struct agent *agent, const char *kind, const char *port, const char *text, uint64_t count);

#endif
