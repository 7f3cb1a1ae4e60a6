/* SPDX-License-Identifier: GPL-2.0-or-later */
/* known - a switch that was connected once: what is known of it, and its queue of work.
 *
 * K1. A switch does one piece of work at a time (a synchronisation or one change), in the order
 *     asked, so a change never meets a synchronisation half done.
 * K2. A known switch is never freed before the controller, because changes under way name it; only its connection
 *     comes and goes, and known_forget() takes it off the list.
 * K3. When a connection ends, the work waiting on it ends as "pending"; the synchronisation at the
 *     next connection makes up for it. */
#ifndef MEALY_KNOWN_H
#define MEALY_KNOWN_H

#include "controller.h"

struct change;

struct work {
	struct work *next;
	struct change *change; /* NULL: synchronise. */
	size_t index;	       /* Of the switch in the change. */
};

/* What the switch said to one deployment. */
struct outcome {
	char *name;
	uint64_t version;
	char *problem; /* NULL: it runs. */
};

struct known {
	struct controller *c;
	char *name, *build, *kernel;
	uint64_t since_ms; /* Unix time; of the last change of 'peer' from or to 0. */
	uint64_t peer;	   /* peer_id() of its connection, 0: not connected. */
	uint64_t instance;
	uint64_t before;	 /* The instance that was connected before this one, 0: none. */
	uint64_t twin_ms;	 /* Unix time when both were last seen to be alive, 0: never. */
	uint64_t active_version; /* As in hello. */
	uint32_t n_ports;

	struct work *work, **work_end; /* The first is under way if 'busy'. */
	bool busy;
	ev_timer again;		     /* Synchronise again after a failure. */
	struct deployment_list sync; /* Of the synchronisation under way ... */
	bool *needed;		     /* ... which of them are to be sent ... */
	size_t next_needed;	     /* ... and how far that is. */
	char *sync_problem;	     /* NULL, or why the last one failed. */

	struct entries_way *entries; /* On their way to it, NULL: none. */

	struct outcome *outcome;
	size_t n_outcomes;
	uint64_t event_sequence; /* Of the last batch, 0: none yet. */
};

/* Finds by name; NULL: never seen. */
struct known *known_find(struct controller *c, const char *name);
struct known *known_add(struct controller *c, const char *name);
void known_free(struct known *k);

/* Takes a switch that is not connected out of the store and off the list; if it connects again it is new.  0, or what
 * the store says, and then it stays. */
int known_forget(struct known *k);

/* Its connection; NULL: not connected. */
struct peer *known_peer(struct known *k);
void known_connect(struct known *k, struct peer *peer, const struct msg_hello *hello);
void known_disconnect(struct known *k, const char *why);

/* A name of a switch, a deployment or a port is 1..63 characters of [A-Za-z0-9._-]. */
bool known_name_is_valid(const char *name);

/* Remembers what the switch said; 'problem' NULL: it runs. */
void known_set_outcome(struct known *k, const char *name, uint64_t version, const char *problem);
void known_drop_outcome(struct known *k, const char *name);
/* How many of 'desired' for this switch do not run there, and why the first of them does not ("" if
 * nothing says). */
uint32_t known_count_pending(const struct known *k, const struct deployment_list *desired, const char **ret_problem);

#endif
