/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state_dir - what must outlive a reboot: the switch's versions and port numbers, as files.
 *
 *     lock             held while an agent runs
 *     version-<n>      everything version n was made of: deployments, indices
 *     committed        the number of the version that was committed last
 *     ports            "<number> <name>", a line for each number ever given
 *
 * A version file begins with "mealy-version <format> <n> <bytes> <checksum>" and a newline, then come
 * sections, each "<kind> <bytes>", newline, bytes, newline:
 *
 *     deployment       a packed MSG_DEPLOY
 *     removed          "<version> <name>"
 *     registry         registry_text.c says
 *
 * S1. A file appears whole or not at all: written aside, synced, renamed, folder synced.
 * S2. version-<n> is on disk before n is committed; `committed` follows the commit.
 *
 * Single-threaded.  Logs nothing. */
#ifndef MEALY_STATE_DIR_H
#define MEALY_STATE_DIR_H

#include "desired.h"
#include "port.h"
#include "registry.h"

struct state_dir;

/* Makes the folder (mode 0700) if it is missing and takes its lock.
 *   -EBUSY  another agent has it;  or what the system says. */
int state_dir_open(const char *path, struct state_dir **ret_dir, char **ret_why);
void state_dir_close(struct state_dir *dir);

/* Removes a folder's files and the folder, unless something else lies in it.  -EBUSY as above. */
int state_dir_forget(const char *path, char **ret_why);

int state_dir_write(struct state_dir *dir, uint64_t version, const struct desired *desired,
		    const struct registry *registry, char **ret_why);
int state_dir_commit(struct state_dir *dir, uint64_t version, char **ret_why);

/* 0 and 0: nothing was ever committed here.  -EPROTO: the file is damaged. */
int state_dir_committed(struct state_dir *dir, uint64_t *ret_version, char **ret_why);

/* -ENOENT: no such version;  -EPROTO: damaged, the text says how;  -ENOMEM. */
int state_dir_read(struct state_dir *dir, uint64_t version, struct desired **ret_desired,
		   struct registry **ret_registry, char **ret_why);

/* The highest version below 'below' that has a file, 0: none. */
uint64_t state_dir_before(struct state_dir *dir, uint64_t below);

/* Removes all versions but two. */
void state_dir_prune(struct state_dir *dir, uint64_t keep, uint64_t keep_too);

/* Port numbers; at most PORTS_MAX. */
int state_dir_save_ports(struct state_dir *dir, const struct port_number *port, size_t n, char **ret_why);
int state_dir_load_ports(struct state_dir *dir, struct port_number *ret_port, size_t *ret_n, char **ret_why);

#endif
