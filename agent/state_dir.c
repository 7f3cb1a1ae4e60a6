/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../common/cleanup.h"
#include "object_cache.h"
#include "version_file.h"
#include "why.h"

struct state_dir {
	char *path;
	int fd; /* The folder. */
	int lock;
};

enum { NAME_ROOM = 40 };

static void version_name(uint64_t version, char *ret_name)
{
	snprintf(ret_name, NAME_ROOM, "version-%" PRIu64, version);
}

/* True, and the number, for "version-<n>". */
static bool is_version_name(const char *name, uint64_t *ret_version)
{
	char back[NAME_ROOM];

	if (strncmp(name, "version-", 8))
		return false;
	*ret_version = strtoull(name + 8, NULL, 10);
	version_name(*ret_version, back);
	return !strcmp(back, name);
}

/* ---- the folder ---- */

static int make_folders(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int take_lock(struct state_dir *dir, char **ret_why)
{
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0)
		return why_set(ret_why, -errno, "%s: %m", dir->path);
	dir->lock = openat(dir->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dir->lock < 0)
		return why_set(ret_why, -errno, "%s/lock: %m", dir->path);
	if (flock(dir->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? why_set(ret_why, -EBUSY, "%s: another agent runs with this state directory", dir->path)
			       : why_set(ret_why, -errno, "%s/lock: %m", dir->path);
	return 0;
}

static int open_folder(const char *path, struct state_dir **ret_dir, char **ret_why)
{
	struct state_dir *dir = calloc(1, sizeof(*dir));
	int r;

	if (!dir)
		return -ENOMEM;
	dir->fd = dir->lock = -1;
	dir->path = strdup(path);
	r = dir->path ? take_lock(dir, ret_why) : -ENOMEM;
	if (r < 0) {
		state_dir_close(dir);
		return r;
	}
	*ret_dir = dir;
	return 0;
}

int state_dir_open(const char *path, struct state_dir **ret_dir, char **ret_why)
{
	int r = make_folders(path);

	if (r < 0)
		return why_set(ret_why, r, "%s: cannot be made: %s", path, strerror(-r));
	return open_folder(path, ret_dir, ret_why);
}

void state_dir_close(struct state_dir *dir)
{
	if (!dir)
		return;
	if (dir->lock >= 0)
		close(dir->lock);
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	free(dir);
}

/* Calls 'entry' for each name; the folder may change meanwhile. */
static void each_entry(struct state_dir *dir, void (*entry)(void *data, const char *name), void *data)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!stream) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(stream)))
		entry(data, e->d_name);
	closedir(stream);
}

static void forget_entry(void *data, const char *name)
{
	struct state_dir *dir = data;
	uint64_t version;

	if (is_version_name(name, &version) || !strcmp(name, "committed") || !strcmp(name, "ports") ||
	    !strcmp(name, "lock") || !strcmp(name, "new"))
		unlinkat(dir->fd, name, 0);
}

int state_dir_forget(const char *path, char **ret_why)
{
	static const char *const keys[] = {"keys/identity", "keys/trusted", "keys/asked", "keys"};
	struct state_dir *dir;
	int r;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = open_folder(path, &dir, ret_why);
	if (r < 0)
		return r;
	object_cache_forget(path);
	each_entry(dir, forget_entry, dir);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		unlinkat(dir->fd, keys[i], i == ARRAY_SIZE(keys) - 1 ? AT_REMOVEDIR : 0);
	state_dir_close(dir);
	if (rmdir(path) < 0)
		return why_set(ret_why, -errno, "%s: %m", path);
	return 0;
}

/* ---- files ---- */

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			size -= n;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int write_file(struct state_dir *dir, const char *name, const char *bytes, size_t size, char **ret_why)
{
	int fd = openat(dir->fd, "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : write_all(fd, bytes, size);

	if (fd >= 0)
		close(fd);
	if (r == 0 && renameat(dir->fd, "new", dir->fd, name) < 0)
		r = -errno;
	if (r == 0 && fsync(dir->fd) < 0)
		r = -errno;
	return r == 0 ? 0 : why_set(ret_why, r, "%s/%s: cannot be written: %s", dir->path, name, strerror(-r));
}

/* A file of at most 'limit' bytes as a string with its size. */
static int read_file(struct state_dir *dir, const char *name, size_t limit, char **ret_bytes, size_t *ret_size)
{
	_cleanup_close_ int fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *bytes = NULL;
	struct stat st;
	size_t size = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (size_t)st.st_size > limit)
		return -EPROTO;
	bytes = malloc(st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	while (size < (size_t)st.st_size) {
		ssize_t n = read(fd, bytes + size, st.st_size - size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		size += n > 0 ? n : 0;
	}
	bytes[size] = '\0';
	*ret_bytes = TAKE_PTR(bytes);
	*ret_size = size;
	return 0;
}

int state_dir_write(struct state_dir *dir, uint64_t version, const struct desired *desired,
		    const struct registry *registry, char **ret_why)
{
	_cleanup_free_ char *bytes = NULL;
	char name[NAME_ROOM];
	size_t size;
	int r;

	r = version_file_render(version, desired, registry, &bytes, &size);
	if (r < 0)
		return r;
	version_name(version, name);
	return write_file(dir, name, bytes, size, ret_why);
}

int state_dir_read(struct state_dir *dir, uint64_t version, struct desired **ret_desired,
		   struct registry **ret_registry, char **ret_why)
{
	_cleanup_free_ char *bytes = NULL, *detail = NULL;
	char name[NAME_ROOM];
	uint64_t found;
	size_t size;
	int r;

	version_name(version, name);
	r = read_file(dir, name, VERSION_FILE_MAX, &bytes, &size);
	if (r < 0)
		return why_set(ret_why, r, "%s/%s: %s", dir->path, name, strerror(-r));
	r = version_file_parse(bytes, size, &found, ret_desired, ret_registry, &detail);
	if (r == 0 && found != version) {
		desired_free(*ret_desired);
		registry_free(*ret_registry);
		*ret_desired = NULL;
		*ret_registry = NULL;
		return why_set(ret_why, -EPROTO, "%s/%s: holds version %" PRIu64, dir->path, name, found);
	}
	if (r < 0)
		return why_set(ret_why, r, "%s/%s: %s", dir->path, name, detail ? detail : strerror(-r));
	return 0;
}

int state_dir_commit(struct state_dir *dir, uint64_t version, char **ret_why)
{
	char text[NAME_ROOM];

	snprintf(text, sizeof(text), "%" PRIu64 "\n", version);
	return write_file(dir, "committed", text, strlen(text), ret_why);
}

int state_dir_committed(struct state_dir *dir, uint64_t *ret_version, char **ret_why)
{
	_cleanup_free_ char *text = NULL;
	char *end;
	size_t size;
	uint64_t version;
	int r;

	r = read_file(dir, "committed", 64, &text, &size);
	if (r == -ENOENT) {
		*ret_version = 0;
		return 0;
	}
	if (r < 0)
		return why_set(ret_why, r, "%s/committed: %s", dir->path, strerror(-r));
	errno = 0;
	version = strtoull(text, &end, 10);
	if (errno || end == text || strcmp(end, "\n") || !version || text[0] == '-')
		return why_set(ret_why, -EPROTO, "%s/committed: damaged", dir->path);
	*ret_version = version;
	return 0;
}

/* ---- the versions there are ---- */

struct before {
	uint64_t below, best;
};

static void before_entry(void *data, const char *name)
{
	struct before *b = data;
	uint64_t version;

	if (is_version_name(name, &version) && version < b->below && version > b->best)
		b->best = version;
}

uint64_t state_dir_before(struct state_dir *dir, uint64_t below)
{
	struct before b = {.below = below};

	each_entry(dir, before_entry, &b);
	return b.best;
}

struct prune {
	struct state_dir *dir;
	uint64_t keep[2];
};

static void prune_entry(void *data, const char *name)
{
	struct prune *p = data;
	uint64_t version;

	if (is_version_name(name, &version) && version != p->keep[0] && version != p->keep[1])
		unlinkat(p->dir->fd, name, 0);
}

void state_dir_prune(struct state_dir *dir, uint64_t keep, uint64_t keep_too)
{
	struct prune p = {dir, {keep, keep_too}};

	each_entry(dir, prune_entry, &p);
}

/* ---- port numbers ---- */

int state_dir_save_ports(struct state_dir *dir, const struct port_number *port, size_t n, char **ret_why)
{
	char text[PORTS_MAX * (IFNAMSIZ + 8) + 1];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n && i < PORTS_MAX; i++)
		used += snprintf(text + used, sizeof(text) - used, "%u %s\n", port[i].number, port[i].name);
	return write_file(dir, "ports", text, used, ret_why);
}

static int parse_port(const char *line, struct port_number *ret_port)
{
	unsigned number;
	int at = 0;

	if (sscanf(line, "%9u %n", &number, &at) != 1 || !at || number < 1 || number > PORTS_MAX)
		return -EPROTO;
	line += at;
	if (!line[0] || strlen(line) >= IFNAMSIZ || strpbrk(line, " /"))
		return -EPROTO;
	ret_port->number = number;
	snprintf(ret_port->name, sizeof(ret_port->name), "%s", line);
	return 0;
}

/* A number belongs to one name. */
static bool is_new_port(const struct port_number *port, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (port[i].number == port[n].number || !strcmp(port[i].name, port[n].name))
			return false;
	return true;
}

int state_dir_load_ports(struct state_dir *dir, struct port_number *ret_port, size_t *ret_n, char **ret_why)
{
	_cleanup_free_ char *text = NULL;
	size_t size, n = 0;
	int r;

	r = read_file(dir, "ports", PORTS_MAX * (IFNAMSIZ + 8), &text, &size);
	if (r == -ENOENT) {
		*ret_n = 0;
		return 0;
	}
	if (r < 0)
		return why_set(ret_why, r, "%s/ports: %s", dir->path, strerror(-r));
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (n == PORTS_MAX || parse_port(line, &ret_port[n]) < 0)
			return why_set(ret_why, -EPROTO, "%s/ports:%zu: not \"NUMBER NAME\"", dir->path, n + 1);
		if (!is_new_port(ret_port, n))
			return why_set(ret_why, -EPROTO, "%s/ports:%zu: port %u or interface %s is there twice",
				       dir->path, n + 1, ret_port[n].number, ret_port[n].name);
		n++;
	}
	*ret_n = n;
	return 0;
}
