/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "special.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "host.h"
#include "loader.h"
#include "said.h"
#include "why.h"

static const char *const arrays[HOOK_MAX][VERSIONS] = {
	[HOOK_XDP] = {MAP_SPECIAL_XDP0, MAP_SPECIAL_XDP1},
	[HOOK_TC_INGRESS] = {MAP_SPECIAL_TC_INGRESS0, MAP_SPECIAL_TC_INGRESS1},
	[HOOK_TC_EGRESS] = {MAP_SPECIAL_TC_EGRESS0, MAP_SPECIAL_TC_EGRESS1},
};
static const char *const roots[HOOK_MAX] = {MAP_ROOT_XDP, MAP_ROOT_TC_INGRESS, MAP_ROOT_TC_EGRESS};
static const char *const roles[INTERP_MAX] = {"entry", "table", "action", "match", "learn", "packet"};
static const char config_section[] = ".rodata.config";

struct special {
	struct bpf_object *object;
	struct special_stats stats;
};

/* ---- the note --------------------------------------------------------------------------------------- */

/* The content of the note in a section, if it is ours and as long as a hash is. */
static bool read_note(Elf_Data *data, char ret_made_from[SHA256_TEXT])
{
	size_t name_at, at;
	GElf_Nhdr note;

	if (!data || !gelf_getnote(data, 0, &note, &name_at, &at))
		return false;
	if (note.n_namesz != sizeof("Mealy") || memcmp((char *)data->d_buf + name_at, "Mealy", sizeof("Mealy")) ||
	    note.n_descsz != SHA256_TEXT)
		return false;
	memcpy(ret_made_from, (char *)data->d_buf + at, SHA256_TEXT);
	return !ret_made_from[SHA256_TEXT - 1];
}

int special_read_note(const char *path, char ret_made_from[SHA256_TEXT])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	int r = -EPROTO;
	Elf *elf;

	if (fd < 0)
		return -errno;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && r < 0 && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE &&
		    read_note(elf_getdata(section, NULL), ret_made_from))
			r = 0;
	elf_end(elf);
	return r;
}

/* ---- the load ----------------------------------------------------------------------------------------- */

static bool is_config(const struct bpf_map *map)
{
	return !strcmp(bpf_map__name(map), config_section);
}

/* The configuration is that of the instance's programs. */
static int share_config(struct bpf_object *object, struct instance *instance)
{
	struct bpf_map *ours = bpf_object__find_map_by_name(object, config_section);
	struct bpf_map *theirs = bpf_object__find_map_by_name(instance_object(instance), config_section);
	size_t size = 0, their_size = 0;
	void *data = ours ? (void *)bpf_map__initial_value(ours, &size) : NULL;
	const void *their_data = theirs ? bpf_map__initial_value(theirs, &their_size) : NULL;

	if (!data || !their_data || size != their_size)
		return -EPROTO;
	memcpy(data, their_data, size);
	return 0;
}

/* All maps are the instance's but the read-only data. */
static int share_maps(struct bpf_object *object, struct instance *instance, const char *array)
{
	struct bpf_map *map;
	int r = share_config(object, instance);

	bpf_object__for_each_map(map, object)
	{
		const char *name = bpf_map__name(map);
		int fd;

		if (r < 0)
			break;
		if (is_config(map) || (bpf_map__is_internal(map) && strstr(name, ".rodata")))
			continue;
		fd = instance_map_fd(instance, strcmp(name, MAP_SPECIAL) ? name : array);
		r = fd < 0 ? fd : bpf_map__reuse_fd(map, fd);
	}
	return r;
}

static int program_fd(const struct special *special, unsigned role)
{
	struct bpf_program *program;
	char name[32];

	if (!special)
		return -ENOENT;
	snprintf(name, sizeof(name), "special_%s", roles[role]);
	program = bpf_object__find_program_by_name(special->object, name);
	return program ? bpf_program__fd(program) : -ENOENT;
}

static void add_stats(struct special *special)
{
	for (unsigned role = 0; role < INTERP_MAX; role++) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);
		int fd = program_fd(special, role);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		special->stats.instructions += info.xlated_prog_len / sizeof(struct bpf_insn);
		special->stats.machine_bytes += info.jited_prog_len;
		special->stats.verified += info.verified_insns;
	}
}

/* The line that says what the verifier did not like: the last one before its sums. */
static int verifier_refused(int r, const char *log, char **ret_why)
{
	const char *sums = log ? strstr(log, "\nprocessed ") : NULL, *line = sums;

	if (!sums)
		return why_set(ret_why, r, "the kernel refused the program: %s: %.400s", strerror(-r), log ?: "");
	while (line > log && line[-1] != '\n')
		line--;
	return why_set(ret_why, r, "the kernel refused the program: %.*s (%.*s)", (int)(sums - line), line,
		       (int)strcspn(sums + 1, "\n"), sums + 1);
}

static int load(struct special *special, struct instance *instance, const char *array, const char *path, char **ret_why)
{
	_cleanup_free_ char *log = NULL;
	uint64_t begin_ns = host_monotonic_ns();
	int r = 0;

	said_begin();
	special->object = bpf_object__open(path);
	if (!special->object)
		r = -errno;
	if (r == 0)
		r = share_maps(special->object, instance, array);
	if (r == 0)
		r = bpf_object__load(special->object);
	log = said_end();
	special->stats.load_us = (host_monotonic_ns() - begin_ns) / 1000;
	if (r < 0)
		return verifier_refused(r, log, ret_why);
	add_stats(special);
	return 0;
}

int special_load(struct instance *instance, enum hook_id hook, unsigned slot, const char *path, const char *made_from,
		 struct special **ret_special, char **ret_why)
{
	struct special *special = calloc(1, sizeof(*special));
	char says[SHA256_TEXT];
	int r;

	if (!special)
		return -ENOMEM;
	r = special_read_note(path, says);
	if (r < 0)
		why_set(ret_why, r, "%s: not an object of this switch", path);
	else if (strcmp(says, made_from))
		r = why_set(ret_why, -EPROTO, "%s: made from something else than it is named for", path);
	if (r == 0)
		r = load(special, instance, arrays[hook][slot], path, ret_why);
	if (r < 0) {
		special_free(special);
		return r;
	}
	*ret_special = special;
	return 0;
}

void special_free(struct special *special)
{
	if (!special)
		return;
	bpf_object__close(special->object);
	free(special);
}

struct special_stats special_stats(const struct special *special)
{
	return special->stats;
}

struct bpf_object *special_object(const struct special *special)
{
	return special->object;
}

/* ---- in place -------------------------------------------------------------------------------------------- */

static int interpreter_fd(struct instance *instance, unsigned hook, unsigned role)
{
	char name[32];
	struct bpf_program *program = bpf_object__find_program_by_name(
		instance_object(instance), loader_program_name(hook, roles[role], name, sizeof(name)));

	return program ? bpf_program__fd(program) : -ENOENT;
}

static int put(struct instance *instance, const char *array, __u32 index, int program)
{
	int map = instance_map_fd(instance, array);

	if (map < 0 || program < 0)
		return map < 0 ? map : program;
	return bpf_map_update_elem(map, &index, &program, BPF_ANY);
}

int special_put(struct instance *instance, enum hook_id hook, unsigned slot, struct special *const *table,
		unsigned n_tables)
{
	int entry = -ENOENT, r = 0;

	for (unsigned i = 0; i < n_tables; i++) {
		for (unsigned role = INTERP_TABLE; r == 0 && role < INTERP_MAX; role++) {
			int fd = program_fd(table[i], role);

			r = put(instance, arrays[hook][slot], SPECIAL_INDEX(i, role),
				fd < 0 ? interpreter_fd(instance, hook, role) : fd);
		}
		entry = entry < 0 ? program_fd(table[i], INTERP_ENTRY) : entry;
	}
	return r < 0 ? r : put(instance, roots[hook], slot, entry);
}

int special_take_off(struct instance *instance, enum hook_id hook, unsigned slot)
{
	if (instance_root_fd(instance, hook) < 0)
		return 0;
	return put(instance, roots[hook], slot, interpreter_fd(instance, hook, INTERP_ENTRY));
}

void special_clear(struct instance *instance, enum hook_id hook, unsigned slot)
{
	int map = instance_map_fd(instance, arrays[hook][slot]);

	for (__u32 i = 0; map >= 0 && i < SPECIAL_PROGRAMS; i++)
		bpf_map_delete_elem(map, &i);
}
