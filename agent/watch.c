// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../datapath/pipeline.h"
#include "host.h"
#include "pin.h"
#include "watch.h"
#include "why.h"

static bool is_watcher(const struct bpf_program *program)
{
	return bpf_program__type(program) == BPF_PROG_TYPE_TRACING;
}

static int pin_path(const struct bpf_program *program, const char *folder, char *ret_path, size_t size)
{
	char name[64];

	snprintf(name, sizeof(name), "watch-%.32s", bpf_program__name(program));
	return pin_join(folder, name, ret_path, size);
}

static int attach(struct bpf_program *program, const char *folder)
{
	char path[PIN_PATH_MAX + 64];
	struct bpf_link *link;
	int r;

	r = pin_path(program, folder, path, sizeof(path));
	if (r < 0)
		return r;
	link = bpf_program__attach(program);
	if (!link)
		return -errno;
	r = bpf_link__pin(link, path);
	bpf_link__destroy(link); /* With a pin the program stays attached. */
	return r;
}

static void detach_all(struct bpf_object *object, const char *folder)
{
	char path[PIN_PATH_MAX + 64];
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		if (is_watcher(program) && pin_path(program, folder, path, sizeof(path)) == 0)
			unlink(path);
	}
}

int watch_attach(struct bpf_object *object, const char *folder, char **ret_why)
{
	struct bpf_program *program;
	int r;

	if (host_netns_cookie() == 0)
		return why_set(ret_why, -EOPNOTSUPP, "the kernel does not tell its network namespaces apart");
	bpf_object__for_each_program(program, object)
	{
		r = is_watcher(program) ? attach(program, folder) : 0;
		if (r < 0) {
			detach_all(object, folder);
			return why_set(ret_why, r, "cannot attach to the kernel's tracepoints: %s", strerror(-r));
		}
	}
	return 0;
}

int watch_take(struct bpf_object *object, unsigned number)
{
	int fd = bpf_object__find_map_fd_by_name(object, MAP_WATCHER);
	__u32 zero = 0, value = number;

	return fd < 0 ? -ENOENT : bpf_map_update_elem(fd, &zero, &value, BPF_ANY);
}
