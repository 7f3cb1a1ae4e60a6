/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pin - the folder in bpffs under which everything of one switch stays alive.
 *
 *     <bpffs>/mealy/<switch>/flow-<format>/      flow tables, locks, counters: shared by all instances
 *     <bpffs>/mealy/<switch>/instance-<n>/       version maps and programs of one load
 *     <bpffs>/mealy/<switch>/links/              what attaches the roots to the ports
 *
 * Names hold no dots, because the kernel refuses to pin those.  A bpffs that process 1 does not see
 * is refused: it lies in a private mount namespace and would vanish with this process, and every pin
 * with it. */
#ifndef MEALY_PIN_H
#define MEALY_PIN_H

#include <stdbool.h>
#include <stddef.h>

enum { PIN_PATH_MAX = 512 };

struct pin {
	char root[PIN_PATH_MAX]; /* <bpffs>/mealy/<switch> */
	char flow[PIN_PATH_MAX];
	char links[PIN_PATH_MAX];
	unsigned flow_format;
};

/* Finds (and mounts, if nothing is mounted there) the bpffs at 'bpffs' (NULL: /sys/fs/bpf), makes
 * the folders of switch 'name' and fills in '*ret_pin'.
 *
 *   -EINVAL  'name' cannot be a folder in bpffs (letters, digits, '-' and '_', at most 63);
 *   -EXDEV   the bpffs belongs to a private mount namespace;
 *   -ENOTDIR something else is mounted or lies there;
 *   or what mount and mkdir return. */
int pin_open(const char *bpffs, const char *name, unsigned flow_format, struct pin *ret_pin, char **ret_why);

/* The same without making or mounting anything: -ENOENT when the switch has no folder. */
int pin_find(const char *bpffs, const char *name, unsigned flow_format, struct pin *ret_pin, char **ret_why);

/* Holds the switch for one process, whatever its state directory: *ret_fd is closed to let go.  The folders as for
 * pin_open().  -EBUSY: another agent runs this switch. */
int pin_lock(const char *bpffs, const char *name, unsigned flow_format, int *ret_fd, char **ret_why);

/* Numbers of the instances that have a folder, ascending, at most 'room'.  Returns how many or -errno. */
int pin_instances(const struct pin *pin, unsigned *ret_numbers, size_t room);

/* Flow formats that have a folder besides our own.  Returns how many (at most 'room') or -errno. */
int pin_other_formats(const struct pin *pin, unsigned *ret_formats, size_t room);

/* "<root>/instance-<n>", "<root>/flow-<n>" */
void pin_instance_path(const struct pin *pin, unsigned number, char *ret_path, size_t size);
void pin_format_path(const struct pin *pin, unsigned format, char *ret_path, size_t size);

/* "<folder>/<name>" with the dots of 'name' turned into '_'.  Returns 0 or -ENAMETOOLONG. */
int pin_join(const char *folder, const char *name, char *ret_path, size_t size);

/* Removes every pin below 'folder' and the folder.  0 also when there is none. */
int pin_remove(const char *folder);

/* True if the device 'bpffs' lies on is mounted in the mount namespace of process 1. */
bool pin_is_shared(const char *bpffs);

#endif
