/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desired - the deployments a switch should run, and when each was removed.
 *
 * A set is never changed once a version was made of it: a change works on a copy (which shares the
 * deployments) and replaces the set when the version is committed.
 *
 * D1. Operations are absolute and versioned: doing one twice changes nothing, and what is older than
 *     what is known of the same name is refused.  Of two things with one version the later wins.
 * D2. Version 0 is a local user's change: it keeps the number the controller gave, so the controller's
 *     next change or synchronisation wins.
 *
 * Pure.  Single-threaded. */
#ifndef MEALY_DESIRED_H
#define MEALY_DESIRED_H

#include "../proto/message.h"

enum { DEPLOYMENTS_MAX = 64, REMOVED_MAX = 256 };

/* A deployment that several sets share; read-only. */
struct held;

struct removed {
	char *name;
	uint64_t version;
};

struct desired {
	struct held *item[DEPLOYMENTS_MAX]; /* Sorted by name. */
	size_t n;
	struct removed removed[REMOVED_MAX]; /* Oldest first; the oldest is forgotten for a new one. */
	size_t n_removed;
};

struct desired *desired_new(void);
void desired_free(struct desired *set);
struct desired *desired_copy(const struct desired *set);

const struct deployment *held_get(const struct held *held);
uint64_t held_digest(const struct held *held);

/* NULL: not there. */
const struct held *desired_find(const struct desired *set, const char *name);

/* What a change would do. */
enum desired_change { DESIRED_SAME, DESIRED_CHANGED };

/* Installs or replaces; the deployment is copied.  With 'force' (the controller synchronises) any
 * version replaces.  Returns an enum desired_change, or
 *   -ESTALE   a newer version is here, or this one was removed;
 *   -ENOSPC   too many;  -EINVAL  it cannot be packed (a limit of the message);  -ENOMEM. */
int desired_put(struct desired *set, const struct deployment *deployment, bool force);

/* Removes, and remembers that.  Removing what is not there is DESIRED_SAME.  -ESTALE: a newer one is here. */
int desired_remove(struct desired *set, const char *name, uint64_t version);

/* Version known of 'name', removed or not; 0: none. */
uint64_t desired_version(const struct desired *set, const char *name);

/* For msg_hello.state_digest. */
uint64_t desired_digest(const struct desired *set);

#endif
