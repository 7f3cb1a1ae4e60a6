// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/pin.h"
#include "leftover.h"

static const char base[] = "/sys/fs/bpf/mealy";
static const char *prefix;
static pid_t owner;

/* The process in a name; 0 if it is none of ours. */
static pid_t process_of(const char *name)
{
	size_t len = strlen(prefix);
	char *end;
	long pid;

	if (strncmp(name, prefix, len) != 0 || name[len] < '1' || name[len] > '9')
		return 0;
	pid = strtol(name + len, &end, 10);
	return *end == '\0' || *end == '_' ? pid : 0;
}

static bool is_dead(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

/* Only the pins: what hangs on them goes too, and no interface is touched that may be another's by now. */
static void sweep(bool own)
{
	DIR *dir = opendir(base);
	struct dirent *entry;
	char path[PIN_PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		pid_t pid = process_of(entry->d_name);

		if (pid <= 0 || !(own ? pid == getpid() : is_dead(pid)))
			continue;
		snprintf(path, sizeof(path), "%s/%s", base, entry->d_name);
		pin_remove(path);
	}
	if (dir)
		closedir(dir);
}

static void at_exit(void)
{
	if (getpid() == owner) /* And not a child that was forked. */
		sweep(true);
}

void leftover_guard(const char *names)
{
	prefix = names;
	owner = getpid();
	sweep(false);
	atexit(at_exit);
}
