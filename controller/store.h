/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store - desired state that survives the controller: deployments, and the switches ever seen.
 *
 * The interface knows no SQL, so that another store can stand behind it.  Every call is one
 * transaction: when it returns 0 the change is on disk, otherwise nothing has changed.
 *
 * S1. Versions come from one counter for all deployments and only grow, also over a removal.
 * S2. One process at a time: the folder is locked while the store is open.
 *
 * Errors are -errno: -EBUSY (locked), -ENOSPC, -EROFS, -EUCLEAN (damaged), -EPROTO (made by a later
 * version), -EIO, -ENOMEM; store_error() has a sentence for people. */
#ifndef MEALY_STORE_H
#define MEALY_STORE_H

#include "deployment.h"

struct store;

struct known_switch {
	char *name, *address, *build, *kernel;
	uint64_t seen_ms; /* Unix time when its connection last came or went. */
};

/* Opens, and if needed creates, the store in folder 'dir'.  '*ret_why' (256 bytes) says what failed. */
int store_open(const char *dir, struct store **ret_store, char *ret_why);
void store_close(struct store *store);
const char *store_error(const struct store *store);

/* Stores 'deployment' in place of one of that name and gives it the next version. */
int store_put_deployment(struct store *store, const struct deployment *deployment, uint64_t *ret_version);
/* Also takes a version, which the removal is known by.  -ENOENT: there is none of that name. */
int store_remove_deployment(struct store *store, const char *name, uint64_t *ret_version);
/* All deployments in the order of their names, or the one called 'name' (none: an empty list). */
int store_get_deployments(struct store *store, const char *name, struct deployment_list *ret_list);

int store_put_switch(struct store *store, const struct known_switch *sw);
/* 0 also when it is not there. */
int store_remove_switch(struct store *store, const char *name);
typedef int (*store_switch_fn)(void *data, const struct known_switch *sw);
int store_each_switch(struct store *store, store_switch_fn each, void *data);

#endif
