// SPDX-License-Identifier: GPL-2.0-or-later
#include "rig_special.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../agent/compiler.h"
#include "../../agent/instance.h"
#include "../../common/cleanup.h"
#include "../../tables/specialise.h"

static void die(const char *what, const char *why)
{
	fprintf(stderr, "rig: specialised: %s: %s\n", what, why);
	exit(1);
}

/* What was compiled before: many tests run the same application.  The files go when the program ends. */
enum { COMPILED_MAX = 256, PATH_SIZE = 128 };

static char made_from[COMPILED_MAX][SHA256_TEXT];
static unsigned n_compiled;
static char dir[] = "/tmp/mealy-special-XXXXXX";
static struct compiler compiler;
static const struct compile_limits limits = {.cpu_s = 8, .wall_s = 60, .memory_bytes = 2ull << 30};

static void object_path(const char *name, const char *end, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/%s.%s", dir, name, end);
}

static void forget_compiled(void)
{
	char path[PATH_SIZE];

	for (unsigned i = 0; i < n_compiled; i++) {
		object_path(made_from[i], "o", path);
		unlink(path);
	}
	rmdir(dir);
	compiler_close(&compiler);
}

static void begin(void)
{
	char *why = NULL;

	if (compiler.path)
		return;
	if (compiler_open(MEALY_CLANG, MEALY_TOP "/datapath", &compiler, &why) < 0)
		die("compiler", why);
	if (!mkdtemp(dir))
		die(dir, strerror(errno));
	atexit(forget_compiled);
}

static char *print_table(const struct specialise_hook *hook, unsigned i)
{
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!out || specialise_print(out, hook, i) || fclose(out))
		die("table", strerror(errno));
	return text;
}

/* What is too much for a compiler or the verifier stays with the interpreter, as with the agent. */
static void left_out(unsigned i, const char *why)
{
	fprintf(stderr, "table %u is left to the interpreter: %s\n", i, why ?: "");
}

static int compile(const char *text, const char *name, char **ret_why)
{
	char header[PATH_SIZE], object[PATH_SIZE];
	struct compile compile;
	FILE *out;
	int r;

	object_path(name, "h", header);
	object_path(name, "o", object);
	out = fopen(header, "w");
	if (!out || fputs(text, out) < 0 || fclose(out))
		die(header, strerror(errno));
	r = compile_start(&compiler, header, name, object, &limits, &compile);
	if (r == 0)
		r = compile_wait(&compile, ret_why);
	if (r < 0 && r != -ETIMEDOUT)
		die(header, compile.said);
	unlink(header);
	if (r < 0)
		unlink(object);
	return r;
}

/* What the object is made from, which is its name; NULL: it cannot be made. */
static const char *compiled_for(const struct specialise_hook *hook, unsigned i)
{
	_cleanup_free_ char *text = NULL, *why = NULL;
	char name[SHA256_TEXT];

	begin();
	text = print_table(hook, i);
	compiler_made_from(&compiler, text, name);
	for (unsigned j = 0; j < n_compiled; j++)
		if (!strcmp(made_from[j], name))
			return made_from[j];
	if (n_compiled == COMPILED_MAX)
		die("objects", "too many");
	if (compile(text, name, &why) < 0) {
		left_out(i, why);
		return NULL;
	}
	return memcpy(made_from[n_compiled++], name, sizeof(name));
}

static struct special *load(const struct specialise_hook *hook, struct instance *instance, unsigned slot, unsigned i)
{
	const char *name = compiled_for(hook, i);
	_cleanup_free_ char *why = NULL;
	struct special *special = NULL;
	char path[PATH_SIZE];

	if (!name)
		return NULL;
	object_path(name, "o", path);
	if (special_load(instance, hook->id, slot, path, name, &special, &why) < 0)
		left_out(i, why);
	return special;
}

static void free_slot(struct rig_special *special, unsigned slot)
{
	for (unsigned i = 0; i < HOOK_TABLES_MAX; i++)
		special_free(special->table[slot][i]);
	memset(special->table[slot], 0, sizeof(special->table[slot]));
}

void rig_special_put(struct rig_special *special, struct instance *instance, enum hook_id id, unsigned slot)
{
	const struct specialise_hook hook = {
		.id = id,
		.table = &instance_tables(instance)[TABLE_INDEX(slot, id, 0)],
		.chain = &instance_chains(instance)[CHAIN_INDEX(slot, id)],
		.n_tables = instance_chains(instance)[CHAIN_INDEX(slot, id)].n_tables,
	};

	special_take_off(instance, id, slot);
	special_clear(instance, id, slot);
	free_slot(special, slot);
	if (specialise_entry_table(&hook) < 0)
		return;
	for (unsigned i = 0; i < hook.n_tables; i++)
		special->table[slot][i] = load(&hook, instance, slot, i);
	if (special->table[slot][specialise_entry_table(&hook)] &&
	    special_put(instance, id, slot, special->table[slot], hook.n_tables))
		die("put", strerror(errno));
}

void rig_special_done(struct rig_special *special)
{
	for (unsigned slot = 0; slot < VERSIONS; slot++)
		free_slot(special, slot);
}

static void program_info(struct bpf_object *object, const char *name, struct bpf_prog_info *ret_info)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);
	__u32 size = sizeof(*ret_info);

	if (!program || bpf_obj_get_info_by_fd(bpf_program__fd(program), ret_info, &size))
		die(name, "no such program");
}

unsigned rig_program_size(struct bpf_object *object, const char *program)
{
	struct bpf_prog_info info = {};

	program_info(object, program, &info);
	return info.jited_prog_len;
}

bool rig_program_uses(struct bpf_object *object, const char *program, int map)
{
	struct bpf_map_info of_map = {};
	__u32 size = sizeof(of_map), ids[64];
	struct bpf_prog_info info = {.nr_map_ids = 64, .map_ids = (uintptr_t)ids};

	program_info(object, program, &info);
	if (bpf_obj_get_info_by_fd(map, &of_map, &size))
		die("map", strerror(errno));
	for (unsigned i = 0; i < info.nr_map_ids && i < 64; i++)
		if (ids[i] == of_map.id)
			return true;
	return false;
}

unsigned rig_special_rodata_size(struct bpf_object *object)
{
	struct bpf_map *map;
	unsigned size = 0;

	bpf_object__for_each_map(map, object)
	{
		const char *name = bpf_map__name(map);

		if (strstr(name, ".rodata") && strcmp(name, ".rodata.config"))
			size += bpf_map__value_size(map);
	}
	return size;
}
