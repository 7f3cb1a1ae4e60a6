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

/* What was compiled before: many tests run the same application.  The files go when the program ends. */
struct compiled {
	char *table;
	char object[64];
};

static struct compiled compiled[64];
static unsigned n_compiled;
static char dir[] = "/tmp/mealy-fold-XXXXXX";

static void forget_compiled(void)
{
	for (unsigned i = 0; i < n_compiled; i++) {
		unlink(compiled[i].object);
		free(compiled[i].table);
	}
	rmdir(dir);
}

static char *print_table(const struct rig_plan *plan)
{
	struct table *table = calloc(1, sizeof(*table));
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!table || !out)
		die("table");
	rig_plan_encode(plan, 0, 0, table);
	if (specialise_print(out, "specialised_table", table) || fclose(out))
		die("table");
	free(table);
	return text;
}

static void write_text(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	if (!out || fputs(text, out) < 0 || fclose(out))
		die(path);
}

static void compile(const char *text, const char *object)
{
	char command[1024], path[64];

	snprintf(path, sizeof(path), "%s/fold_table.h", dir);
	write_text(path, text);
	snprintf(command, sizeof(command),
		 "%s -target bpf -O2 -g -mcpu=v3 " MEALY_TSO_FLAG
		 " -I%s -I%s/datapath -idirafter /usr/include/%s -c %s/tests/fold/fold.bpf.c -o %s",
		 MEALY_CLANG, dir, MEALY_TOP, MEALY_ARCH, MEALY_TOP, object);
	if (system(command))
		die("clang");
	unlink(path);
}

/* Path of the object. */
static const char *compiled_for(const struct rig_plan *plan)
{
	struct compiled *c = &compiled[n_compiled];

	if (!n_compiled) {
		if (!mkdtemp(dir))
			die(dir);
		atexit(forget_compiled);
	}
	if (n_compiled == sizeof(compiled) / sizeof(compiled[0]))
		die("too many");
	c->table = print_table(plan);
	for (unsigned i = 0; i < n_compiled; i++) {
		if (strcmp(compiled[i].table, c->table))
			continue;
		free(c->table);
		return compiled[i].object;
	}
	snprintf(c->object, sizeof(c->object), "%s/%u.o", dir, n_compiled++);
	compile(c->table, c->object);
	return c->object;
}

static bool is_config(const struct bpf_map *map)
{
	return !strcmp(bpf_map__name(map), ".rodata.config");
}

static struct bpf_map *config_of(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) if (is_config(map)) return map;
	return NULL;
}

static void share_config(struct bpf_object *object, struct instance *instance)
{
	struct bpf_map *theirs = config_of(instance_object(instance)), *ours = config_of(object);
	size_t size = 0, their_size = 0;
	void *data = ours ? (void *)bpf_map__initial_value(ours, &size) : NULL;
	const void *their_data = theirs ? bpf_map__initial_value(theirs, &their_size) : NULL;

	if (data && their_data && size == their_size)
		memcpy(data, their_data, size);
}

/* All maps but the read-only data and the array of its own programs are the instance's; the configuration is as there.
 */
static void share_maps(struct bpf_object *object, struct instance *instance)
{
	struct bpf_map *map;

	share_config(object, instance);
	bpf_object__for_each_map(map, object)
	{
		int fd = is_config(map) ? -1 : instance_map_fd(instance, bpf_map__name(map));

		if (fd >= 0 && bpf_map__reuse_fd(map, fd))
			die(bpf_map__name(map));
	}
}

static int program_fd(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	if (!program)
		die(name);
	return bpf_program__fd(program);
}

static void put_program(int map, __u32 key, int prog)
{
	if (bpf_map_update_elem(map, &key, &prog, BPF_ANY))
		die("program array");
}

static struct bpf_object *load(const struct rig_plan *plan, struct instance *instance)
{
	struct bpf_object *object = bpf_object__open(compiled_for(plan));
	int programs;

	if (!object)
		die("open");
	share_maps(object, instance);
	if (bpf_object__load(object))
		die("load");
	programs = bpf_object__find_map_fd_by_name(object, "fold_xdp");
	put_program(programs, INTERP_TABLE, program_fd(object, "fold_table"));
	put_program(programs, INTERP_ACTION, program_fd(object, "fold_action"));
	return object;
}

void rig_fold_put(struct rig_fold *fold, const struct rig_plan *plan, struct instance *instance, unsigned slot)
{
	int roots = instance_map_fd(instance, MAP_ROOT_XDP);
	struct bpf_object *object = NULL;

	if (plan->n_tables == 1)
		object = load(plan, instance);
	put_program(roots, slot,
		    object ? program_fd(object, "fold_entry") : program_fd(instance_object(instance), "xdp_entry"));
	bpf_object__close(fold->object[slot]);
	fold->object[slot] = object;
}

void rig_fold_done(struct rig_fold *fold)
{
	for (unsigned i = 0; i < VERSIONS; i++)
		bpf_object__close(fold->object[i]);
	memset(fold, 0, sizeof(*fold));
}

static void program_info(struct bpf_object *object, const char *program, struct bpf_prog_info *ret_info)
{
	__u32 size = sizeof(*ret_info);

	if (bpf_obj_get_info_by_fd(program_fd(object, program), ret_info, &size))
		die(program);
}

unsigned rig_fold_program_size(struct bpf_object *object, const char *program)
{
	struct bpf_prog_info info = {};

	program_info(object, program, &info);
	return info.jited_prog_len;
}

bool rig_fold_program_uses(struct bpf_object *object, const char *program, int map)
{
	struct bpf_map_info of_map = {};
	__u32 size = sizeof(of_map), ids[64];
	struct bpf_prog_info info = {.nr_map_ids = 64, .map_ids = (uintptr_t)ids};

	program_info(object, program, &info);
	if (bpf_obj_get_info_by_fd(map, &of_map, &size))
		die("map");
	for (unsigned i = 0; i < info.nr_map_ids && i < 64; i++)
		if (ids[i] == of_map.id)
			return true;
	return false;
}

unsigned rig_fold_rodata_size(struct bpf_object *object)
{
	struct bpf_map *map;
	unsigned size = 0;

	bpf_object__for_each_map(map, object) if (strstr(bpf_map__name(map), ".rodata") && !is_config(map)) size +=
		bpf_map__value_size(map);
	return size;
}
