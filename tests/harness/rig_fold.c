// SPDX-License-Identifier: GPL-2.0-or-later
#include "rig_fold.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../agent/instance.h"
#include "../../common/cleanup.h"
#include "../../tables/specialise.h"

static void die(const char *what)
{
	fprintf(stderr, "rig: fold: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void print_tables(const struct rig_plan *plan, const char *path)
{
	struct table *tables = calloc(plan->n_tables ? plan->n_tables : 1, sizeof(*tables));
	FILE *out = fopen(path, "w");

	if (!tables || !out)
		die(path);
	for (unsigned a = 0; a < plan->n_apps; a++)
		for (unsigned i = 0; i < plan->app[a].app->n_tables; i++)
			rig_plan_encode(plan, a, i, &tables[plan->app[a].placement.table[i].hook_table]);
	if (specialise_print(out, "fold_tables", tables, plan->n_tables) || fclose(out))
		die(path);
	free(tables);
}

static void compile(const struct rig_plan *plan, const char *dir, char *object, size_t size)
{
	char command[1024], tables[256];

	snprintf(tables, sizeof(tables), "%s/fold_tables.h", dir);
	snprintf(object, size, "%s/fold.o", dir);
	print_tables(plan, tables);
	snprintf(command, sizeof(command), "%s -target bpf -O2 -g -mcpu=v3 -I%s -I%s/datapath -I/usr/include/%s -c %s/tests/fold/fold.bpf.c -o %s",
		 MEALY_CLANG, dir, MEALY_TOP, MEALY_ARCH, MEALY_TOP, object);
	if (system(command))
		die("clang");
	unlink(tables);
}

static struct bpf_map *rodata_of(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
		if (strstr(bpf_map__name(map), ".rodata"))
			return map;
	return NULL;
}

/* All maps but the read-only data are the instance's own; that begins as the instance's did. */
static void share_maps(struct bpf_object *object, struct instance *instance)
{
	struct bpf_map *map, *theirs = rodata_of(instance_object(instance)), *ours = rodata_of(object);
	size_t size, their_size;
	void *data = ours ? (void *)bpf_map__initial_value(ours, &size) : NULL;
	const void *their_data = theirs ? bpf_map__initial_value(theirs, &their_size) : NULL;

	if (data && their_data)
		memcpy(data, their_data, size < their_size ? size : their_size);
	bpf_object__for_each_map(map, object) {
		int fd = instance_map_fd(instance, bpf_map__name(map));

		if (map == ours || fd < 0)
			continue;
		if (bpf_map__reuse_fd(map, fd))
			die(bpf_map__name(map));
	}
}

void rig_fold_put(struct rig_fold *fold, const struct rig_plan *plan, struct instance *instance, unsigned slot)
{
	char dir[] = "/tmp/mealy-fold-XXXXXX", path[256];
	struct bpf_object *object;
	__u32 key = slot;
	int roots, prog;

	if (!mkdtemp(dir))
		die(dir);
	compile(plan, dir, path, sizeof(path));
	object = bpf_object__open(path);
	if (!object)
		die("open");
	share_maps(object, instance);
	if (bpf_object__load(object))
		die("load");
	prog = bpf_program__fd(bpf_object__find_program_by_name(object, "xdp_fold"));
	roots = instance_map_fd(instance, "root_xdp");
	if (bpf_map_update_elem(roots, &key, &prog, BPF_ANY))
		die("root");
	bpf_object__close(fold->object[slot]);
	fold->object[slot] = object;
	unlink(path);
	rmdir(dir);
}

void rig_fold_done(struct rig_fold *fold)
{
	for (unsigned i = 0; i < VERSIONS; i++)
		bpf_object__close(fold->object[i]);
	memset(fold, 0, sizeof(*fold));
}

unsigned rig_fold_program_size(struct bpf_object *object, const char *program)
{
	int fd = bpf_program__fd(bpf_object__find_program_by_name(object, program));
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		die(program);
	return info.jited_prog_len;
}

unsigned rig_fold_rodata_size(const struct rig_fold *fold)
{
	unsigned most = 0;

	for (unsigned i = 0; i < VERSIONS; i++) {
		struct bpf_map *map = fold->object[i] ? rodata_of(fold->object[i]) : NULL;

		if (map && bpf_map__value_size(map) > most)
			most = bpf_map__value_size(map);
	}
	return most;
}
