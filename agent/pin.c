// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>
#include <fcntl.h>
#include <sys/file.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "../common/cleanup.h"
#include "pin.h"
#include "why.h"

static const char default_bpffs[] = "/sys/fs/bpf";

enum { SWITCH_NAME_MAX = 63 };

static void close_dir_fn(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}
#define _cleanup_dir_ __attribute__((cleanup(close_dir_fn)))

/* A dot would be refused by the kernel, a slash would leave the folder. */
static bool name_fits(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > SWITCH_NAME_MAX)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '-' && *name != '_')
			return false;
	return true;
}

static int fill(const char *bpffs, const char *name, unsigned flow_format, struct pin *ret_pin, char **ret_why)
{
	struct pin pin = {.flow_format = flow_format};

	if (!name_fits(name))
		return why_set(ret_why, -EINVAL, "\"%s\" cannot name a switch: use 1-%d letters, digits, '-' and '_'",
			       name, SWITCH_NAME_MAX);
	/* Room for the folder and the longest name in it. */
	if (strlen(bpffs) > PIN_PATH_MAX - 160)
		return why_set(ret_why, -ENAMETOOLONG, "%s: the path is too long", bpffs);

	snprintf(pin.root, sizeof(pin.root), "%.*s/mealy/%.*s", PIN_PATH_MAX - 96, bpffs, SWITCH_NAME_MAX, name);
	pin_format_path(&pin, flow_format, pin.flow, sizeof(pin.flow));
	pin_join(pin.root, "links", pin.links, sizeof(pin.links));
	*ret_pin = pin;
	return 0;
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

bool pin_is_shared(const char *bpffs)
{
	_cleanup_file_ FILE *file = fopen("/proc/1/mountinfo", "re");
	unsigned major_no, minor_no;
	_cleanup_free_ char *line = NULL;
	struct stat st;
	size_t size = 0;

	if (stat(bpffs, &st) < 0)
		return false;
	if (!file)
		return true; /* Cannot be told; a host that hides process 1 knows why. */

	while (getline(&line, &size, file) >= 0)
		if (sscanf(line, "%*u %*u %u:%u", &major_no, &minor_no) == 2 &&
		    makedev(major_no, minor_no) == st.st_dev)
			return true;
	return false;
}

static int check_shared(const char *bpffs, char **ret_why)
{
	if (pin_is_shared(bpffs))
		return 0;
	return why_set(ret_why, -EXDEV,
		       "the bpffs at %s belongs to a private mount namespace and would vanish with this process, "
		       "and all flows with it: start the agent with `nsenter --net=...` instead of `ip netns exec`",
		       bpffs);
}

static int mount_bpffs(const char *bpffs, char **ret_why)
{
	int r;

	if (is_bpffs(bpffs))
		return check_shared(bpffs, ret_why);

	if (mount("bpf", bpffs, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME, "mode=0700") < 0)
		return why_set(ret_why, -errno, "no bpffs at %s, and mounting one failed: %m", bpffs);
	if (!is_bpffs(bpffs))
		return why_set(ret_why, -ENOTDIR, "%s is not a bpffs", bpffs);

	r = check_shared(bpffs, ret_why);
	if (r < 0)
		umount2(bpffs, MNT_DETACH);
	return r;
}

static int make_folder(const char *path, char **ret_why)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return why_set(ret_why, -errno, "%s: cannot make the folder: %m", path);
	return 0;
}

int pin_open(const char *bpffs, const char *name, unsigned flow_format, struct pin *ret_pin, char **ret_why)
{
	const char *where = bpffs ? bpffs : default_bpffs;
	char mealy[PIN_PATH_MAX];
	struct pin pin;
	int r;

	r = fill(where, name, flow_format, &pin, ret_why);
	if (r < 0)
		return r;
	r = mount_bpffs(where, ret_why);
	if (r < 0)
		return r;

	pin_join(where, "mealy", mealy, sizeof(mealy));
	const char *const folders[] = {mealy, pin.root, pin.flow, pin.links};
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		r = make_folder(folders[i], ret_why);
		if (r < 0)
			return r;
	}
	*ret_pin = pin;
	return 0;
}

int pin_find(const char *bpffs, const char *name, unsigned flow_format, struct pin *ret_pin, char **ret_why)
{
	const char *where = bpffs ? bpffs : default_bpffs;
	struct pin pin;
	int r;

	r = fill(where, name, flow_format, &pin, ret_why);
	if (r < 0)
		return r;
	if (!is_bpffs(where))
		return why_set(ret_why, -ENOENT, "there is no bpffs at %s", where);
	if (access(pin.root, F_OK) < 0)
		return why_set(ret_why, -ENOENT, "switch %s has nothing in %s", name, where);
	*ret_pin = pin;
	return 0;
}

/* Collects n of every "<prefix><n>" in the root folder, ascending; 'skip' is left out. */
static int numbered(const struct pin *pin, const char *prefix, unsigned skip, unsigned *ret_numbers, size_t room)
{
	_cleanup_dir_ DIR *dir = opendir(pin->root);
	size_t n = 0;

	if (!dir)
		return -errno;

	for (struct dirent *entry; (entry = readdir(dir));) {
		unsigned long number;
		size_t i;
		char *end;

		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		number = strtoul(entry->d_name + strlen(prefix), &end, 10);
		if (*end || number == 0 || number > 1u << 30 || number == skip || n == room)
			continue;
		for (i = n++; i > 0 && ret_numbers[i - 1] > number; i--)
			ret_numbers[i] = ret_numbers[i - 1];
		ret_numbers[i] = number;
	}
	return n;
}

int pin_lock(const char *bpffs, const char *name, unsigned flow_format, int *ret_fd, char **ret_why)
{
	struct pin pin;
	int fd, r;

	r = pin_open(bpffs, name, flow_format, &pin, ret_why);
	if (r < 0)
		return r;
	fd = open(pin.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return why_set(ret_why, -errno, "%s: %m", pin.root);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = errno == EWOULDBLOCK
			    ? why_set(ret_why, -EBUSY, "another agent runs the switch \"%s\" of this host", name)
			    : why_set(ret_why, -errno, "%s: %m", pin.root);
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int pin_instances(const struct pin *pin, unsigned *ret_numbers, size_t room)
{
	return numbered(pin, "instance-", 0, ret_numbers, room);
}

int pin_other_formats(const struct pin *pin, unsigned *ret_formats, size_t room)
{
	return numbered(pin, "flow-", pin->flow_format, ret_formats, room);
}

void pin_instance_path(const struct pin *pin, unsigned number, char *ret_path, size_t size)
{
	snprintf(ret_path, size, "%.*s/instance-%u", PIN_PATH_MAX - 32, pin->root, number);
}

void pin_format_path(const struct pin *pin, unsigned format, char *ret_path, size_t size)
{
	snprintf(ret_path, size, "%.*s/flow-%u", PIN_PATH_MAX - 32, pin->root, format);
}

int pin_join(const char *folder, const char *name, char *ret_path, size_t size)
{
	int len = snprintf(ret_path, size, "%s/%s", folder, name);

	if (len < 0 || (size_t)len >= size)
		return -ENAMETOOLONG;
	for (char *c = ret_path + strlen(folder); *c; c++)
		if (*c == '.')
			*c = '_';
	return 0;
}

int pin_remove(const char *folder)
{
	_cleanup_dir_ DIR *dir = opendir(folder);
	char path[PIN_PATH_MAX + 256];
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;

	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%.*s/%s", PIN_PATH_MAX - 1, folder, entry->d_name);
		if (unlink(path) == 0)
			continue;
		if (errno == EISDIR || errno == EPERM)
			r = pin_remove(path) < 0 ? -EBUSY : r;
		else
			r = -errno;
	}
	if (rmdir(folder) < 0 && r == 0)
		r = -errno;
	return r;
}
