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

/* An entry of a match table of a switch, as people wrote it. */
struct stored_entry {
	const char *switch_name, *deployment, *table;
	const char *id;	     /* The switch's name for its key. */
	const char *columns; /* CSV: what is said, ... */
	const char *cells;   /* ... and what of it; CSV too. */
};

/* Several changes of entries as one: begin, then the changes, then the end, which undoes them all if 'r' is negative
 * and returns it, or what the store says. */
int store_begin(struct store *store);
int store_end(struct store *store, int r);
/* Puts it in place of that of the same id.  It goes with its deployment and its switch. */
int store_put_entry(struct store *store, const struct stored_entry *entry);
int store_remove_entry(struct store *store, const struct stored_entry *like);
int store_clear_entries(struct store *store, const char *switch_name, const char *deployment, const char *table);
/* 0, or -ENOENT.  The strings are the caller's to free. */
int store_get_entry(struct store *store, const struct stored_entry *like, char **ret_columns, char **ret_cells);
/* At most 'max' of a switch, in order, behind 'after' (NULL: from the first on); a positive return of 'each' ends it.
 */
typedef int (*store_entry_fn)(void *data, const struct stored_entry *entry);
int store_each_entry(struct store *store, const char *switch_name, const struct stored_entry *after, unsigned max,
		     store_entry_fn each, void *data);

/* Versions of a deployment before the present one, the last one first; a few, and also of one that was removed. */
int store_get_past(struct store *store, const char *name, struct deployment_list *ret_list);

/* Who changed what, and what became of it; the last ten thousand. */
struct log_row {
	uint64_t id, time_ms;
	const char *who, *what, *result;
};
int store_log(struct store *store, const struct log_row *row);
/* The last 'max' in order. */
typedef int (*store_log_fn)(void *data, const struct log_row *row);
int store_each_log(struct store *store, uint64_t max, store_log_fn each, void *data);

/* A copy in a new file, whole and synced, while everything goes on.  -EEXIST: there is such a file. */
int store_backup(struct store *store, const char *path);
/* Desired state (deployments and entries) as it is in a backup, under new versions; the log stays.  -EUCLEAN: no
 * backup; -EPROTO: of another schema. */
int store_restore(struct store *store, const char *path);

int store_put_switch(struct store *store, const struct known_switch *sw);
/* 0 also when it is not there. */
int store_remove_switch(struct store *store, const char *name);
typedef int (*store_switch_fn)(void *data, const struct known_switch *sw);
int store_each_switch(struct store *store, store_switch_fn each, void *data);

#endif
