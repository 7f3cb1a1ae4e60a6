// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../common/cleanup.h"
#include "../datapath/object.h"
#include "../datapath/pipeline.h"
#include "loader.h"
#include "pin.h"
#include "said.h"
#include "why.h"

enum group {
	GROUP_OWN,
	GROUP_FLOWS,
	GROUP_COUNTERS,
	GROUP_GLOBALS,
	GROUP_GROUPS,
	GROUP_METERS,
	GROUP_EVENTS,
	GROUP_WATCH,
	GROUP_MAX,
};

struct shared_map {
	const char *name;
	enum group group;
};

static const struct shared_map shared_maps[] = {
	{MAP_RECORDS, GROUP_FLOWS},   {MAP_BUCKETS, GROUP_FLOWS},   {MAP_RETURNED, GROUP_FLOWS},
	{MAP_FLOW_DESC, GROUP_FLOWS}, {MAP_LOCKS, GROUP_FLOWS},	    {MAP_COUNTERS, GROUP_COUNTERS},
	{MAP_MATCH, GROUP_FLOWS},     {MAP_EVENTS, GROUP_EVENTS},   {MAP_EVENT_SEQ, GROUP_EVENTS},
	{MAP_WATCHER, GROUP_WATCH},   {MAP_GLOBALS, GROUP_GLOBALS}, {MAP_GROUPS, GROUP_GROUPS},
	{MAP_METERS, GROUP_METERS},   {MAP_SEGMENTS, GROUP_FLOWS},
};

static const char *const group_names[GROUP_MAX] = {
	[GROUP_FLOWS] = "all flow tables",
	[GROUP_COUNTERS] = "all counters",
	[GROUP_GLOBALS] = "all global registers",
	[GROUP_GROUPS] = "members of groups",
	[GROUP_METERS] = "all meters",
	[GROUP_EVENTS] = "events not yet read",
	[GROUP_WATCH] = "who counts failed redirects",
};

/* ---- shared maps -------------------------------------------------------------------------------------- */

static enum group group_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared_maps); i++)
		if (strcmp(shared_maps[i].name, name) == 0)
			return shared_maps[i].group;
	return GROUP_OWN;
}

/* Events, groups and meters change with the ABI, the rest of the folder with the flow format only.  A section's name
 * has dots, which bpffs refuses, so its last part is the file. */
static int shared_path(const struct pin *pin, const char *name, char *ret_path, size_t size)
{
	enum group group = group_of(name);
	const char *dot = strrchr(name, '.');
	char file[64];

	if (dot)
		name = dot + 1;
	if (group == GROUP_EVENTS || group == GROUP_GROUPS || group == GROUP_METERS)
		snprintf(file, sizeof(file), "%s-%d", name, MEALY_ABI_VERSION);
	else
		snprintf(file, sizeof(file), "%s", name);
	return pin_join(pin->flow, file, ret_path, size);
}

/* 1, 0, or -errno when the kernel does not say. */
static int is_like(int fd, const struct bpf_map *map)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int r = bpf_obj_get_info_by_fd(fd, &info, &size);

	if (r < 0)
		return r;
	return info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) && info.max_entries == bpf_map__max_entries(map) &&
	       info.map_flags == bpf_map__map_flags(map);
}

/* Looks at every map of a group: how many are pinned, and whether all of them can be reused.  Only what is not there
 * counts as missing: a kernel that is short of memory for a moment must not cost the flows.  1, 0 or -errno. */
static int group_fits(struct bpf_object *object, const struct pin *pin, enum group group, unsigned *ret_found)
{
	char path[PIN_PATH_MAX + 64];
	bool fits = true;
	int r;

	*ret_found = 0;
	for (size_t i = 0; i < ARRAY_SIZE(shared_maps); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, shared_maps[i].name);
		_cleanup_close_ int fd = -1;

		if (shared_maps[i].group != group || !map)
			continue;
		r = shared_path(pin, shared_maps[i].name, path, sizeof(path));
		if (r < 0)
			return r;
		fd = bpf_obj_get(path);
		if (fd < 0 && fd != -ENOENT)
			return fd;
		*ret_found += fd >= 0;
		r = fd < 0 ? 0 : is_like(fd, map);
		if (r < 0)
			return r;
		fits = fits && r;
	}
	return fits;
}

static int group_reuse(struct bpf_object *object, const struct pin *pin, enum group group)
{
	char path[PIN_PATH_MAX + 64];
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(shared_maps); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, shared_maps[i].name);
		_cleanup_close_ int fd = -1;

		if (shared_maps[i].group != group || !map)
			continue;
		r = shared_path(pin, shared_maps[i].name, path, sizeof(path));
		if (r < 0)
			return r;
		fd = bpf_obj_get(path);
		if (fd < 0)
			return fd;
		r = bpf_map__reuse_fd(map, fd); /* Takes a copy. */
		if (r < 0)
			return r;
	}
	return 0;
}

static void add_lost(char **lost, const char *what)
{
	_cleanup_free_ char *old = *lost;

	if (asprintf(lost, "%s%s%s", old ? old : "", old ? "; " : "", what) < 0)
		*lost = NULL;
}

static int reuse_shared(struct bpf_object *object, const struct pin *pin, struct loader_result *result)
{
	bool reused[GROUP_MAX] = {};
	char text[128];
	unsigned found;
	int r;

	for (enum group group = GROUP_FLOWS; group < GROUP_MAX; group++) {
		r = group_fits(object, pin, group, &found);
		if (r < 0)
			return r;
		if (r) {
			r = group_reuse(object, pin, group);
			if (r < 0)
				return r;
			reused[group] = true;
		} else if (found) {
			snprintf(text, sizeof(text), "%s: their maps have another form", group_names[group]);
			add_lost(&result->lost, text);
		}
	}
	result->flows = reused[GROUP_FLOWS];
	result->counters = reused[GROUP_COUNTERS];
	result->globals = reused[GROUP_GLOBALS];
	return 0;
}

/* Flow tables of formats we cannot read, counted by their buckets. */
static void count_other_formats(const struct pin *pin, struct loader_result *result)
{
	char folder[PIN_PATH_MAX], path[PIN_PATH_MAX + 64], text[160];
	unsigned format[16];
	int n = pin_other_formats(pin, format, ARRAY_SIZE(format));

	for (int i = 0; i < n; i++) {
		_cleanup_close_ int fd = -1;
		unsigned n_tables = 0;
		__u32 id;

		pin_format_path(pin, format[i], folder, sizeof(folder));
		if (pin_join(folder, MAP_BUCKETS, path, sizeof(path)) < 0)
			continue;
		fd = bpf_obj_get(path);
		for (__u32 index = 0; fd >= 0 && index < FLOW_TABLES_MAX; index++)
			n_tables += bpf_map_lookup_elem(fd, &index, &id) == 0;
		snprintf(text, sizeof(text),
			 "%u flow tables of format %u with their flows, and its counters (this build has format %u)",
			 n_tables, format[i], pin->flow_format);
		add_lost(&result->lost, text);
	}
}

/* ---- configuration --------------------------------------------------------------------------------------- */

static const char config_section[] = ".rodata.config";

/* Offset of 'switch_config' in its section. */
static int config_offset(struct bpf_object *object, size_t *ret_offset)
{
	const struct btf *btf = bpf_object__btf(object);
	const struct btf_type *section;
	const struct btf_var_secinfo *var;
	int id;

	id = btf ? btf__find_by_name_kind(btf, config_section, BTF_KIND_DATASEC) : -ENOENT;
	if (id < 0)
		return id;
	section = btf__type_by_id(btf, id);
	var = btf_var_secinfos(section);
	for (int i = 0; i < btf_vlen(section); i++, var++) {
		const struct btf_type *type = btf__type_by_id(btf, var->type);

		if (strcmp(btf__name_by_offset(btf, type->name_off), "switch_config") == 0) {
			*ret_offset = var->offset;
			return 0;
		}
	}
	return -ENOENT;
}

static int configure(struct bpf_object *object, const struct loader_options *options)
{
	const struct switch_config config = {
		.test_clock = options->test_clock,
		.fault_verdict = options->fault_drop ? VERDICT_DROP : VERDICT_PASS,
		.netns_cookie = options->netns_cookie,
		.instance = options->instance,
	};
	struct bpf_map *map = bpf_object__find_map_by_name(object, config_section);
	_cleanup_free_ char *data = NULL;
	size_t offset, size;
	const void *initial;
	int r;

	r = config_offset(object, &offset);
	if (r < 0)
		return r;
	initial = map ? bpf_map__initial_value(map, &size) : NULL;
	if (!initial || offset + sizeof(config) > size)
		return -ENOENT;
	data = malloc(size);
	if (!data)
		return -ENOMEM;
	memcpy(data, initial, size);
	memcpy(data + offset, &config, sizeof(config));
	return bpf_map__set_initial_value(map, data, size);
}

/* ---- the load ----------------------------------------------------------------------------------------------- */

static struct bpf_object *open_object(const char *btf_path)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = btf_path);

	return bpf_object__open_mem(mealy_bpf_object_data, mealy_bpf_object_size, &opts);
}

/* libbpf asks for the kernel's types if the object has places to adapt to them, even when the programs that have them
 * are left out.  Then it gets the object's own types, from this file. */
static int types_file(void)
{
	int fd = memfd_create("types", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, mealy_bpf_object_data, mealy_bpf_object_size) != (ssize_t)mealy_bpf_object_size) {
		close(fd);
		return -EIO;
	}
	return fd < 0 ? -errno : fd;
}

/* Programs at tracepoints, which need a kernel that describes its types. */
static void leave_out_watchers(struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		if (bpf_program__type(program) == BPF_PROG_TYPE_TRACING)
			bpf_program__set_autoload(program, false);
	}
}

/* Verifying is most of the time of a start: what no deployment may use here need not be looked at. */
static void leave_out_hooks(struct bpf_object *object, unsigned hooks)
{
	struct bpf_program *program;
	char prefix[32];

	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		size_t len = strlen(loader_program_name(hook, "", prefix, sizeof(prefix)));

		bpf_object__for_each_program(program, object)
		{
			if (!(hooks >> hook & 1) && strncmp(bpf_program__name(program), prefix, len) == 0)
				bpf_program__set_autoload(program, false);
		}
	}
}

static int load(struct loader_result *result, const struct loader_options *options, bool watch, char **ret_why)
{
	_cleanup_close_ int types = watch ? -1 : types_file();
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", types);
	result->object = open_object(watch ? NULL : path);
	if (!result->object)
		return why_set(ret_why, -errno, "the embedded BPF object cannot be read: %m");
	if (!watch)
		leave_out_watchers(result->object);
	leave_out_hooks(result->object, options->hooks);
	r = configure(result->object, options);
	if (r < 0)
		return why_set(ret_why, r, "the embedded BPF object has no configuration");
	r = reuse_shared(result->object, options->pin, result);
	if (r < 0)
		return why_set(ret_why, r, "cannot take over the pinned maps: %s", strerror(-r));
	count_other_formats(options->pin, result);
	return bpf_object__load(result->object);
}

/* One attempt.  On failure '*ret_log' is what libbpf said, and '*ret_why' what we say ourselves, if anything. */
static int try_load(const struct loader_options *options, bool watch, struct loader_result *ret_result, char **ret_why,
		    char **ret_log)
{
	struct loader_result result = {};
	int r;

	said_begin();
	r = load(&result, options, watch, ret_why);
	*ret_log = said_end();
	if (r == 0) {
		*ret_result = result;
		return 0;
	}
	bpf_object__close(result.object);
	free(result.lost);
	return r;
}

/* True if the programs at the tracepoints were what failed: then 'ret_result' is the rest. */
static bool load_rest(const struct loader_options *options, const char *log, struct loader_result *ret_result)
{
	_cleanup_free_ char *why = NULL, *second = NULL;

	if (try_load(options, false, ret_result, &why, &second) < 0)
		return false;
	ret_result->blind = strdup(log && *log ? log : "the kernel refused the programs that watch it");
	return true;
}

int loader_load(const struct loader_options *options, struct loader_result *ret_result, char **ret_why)
{
	_cleanup_free_ char *why = NULL, *log = NULL;
	int r;

	r = try_load(options, true, ret_result, &why, &log);
	if (r == 0)
		return 0;
	if (why)
		return why_set(ret_why, r, "%s%s%s", why, log ? "\n" : "", log ? log : "");
	if (r == -EPERM)
		return why_set(
			ret_why, r,
			"loading BPF programs is not permitted: run as root (CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN)");
	if (r != -ENOMEM && load_rest(options, log, ret_result))
		return 0;
	return why_set(ret_why, r, "the kernel refused the BPF programs: %s\n%s", strerror(-r), log ? log : "");
}

const char *loader_program_name(unsigned hook, const char *role, char *buf, unsigned size)
{
	static const char *const prefix[HOOK_MAX] = {"xdp", "tci", "tce"};

	snprintf(buf, size, "%s_%s", prefix[hook], role);
	return buf;
}

static int program_fd(struct bpf_object *object, unsigned hook, const char *role, char **ret_why)
{
	struct bpf_program *program;
	char name[32];

	program = bpf_object__find_program_by_name(object, loader_program_name(hook, role, name, sizeof(name)));
	if (!program)
		return why_set(ret_why, -ENOENT, "the embedded BPF object has no program %s", name);
	return bpf_program__fd(program);
}

static int put_program(struct bpf_object *object, const char *array, __u32 index, int fd, char **ret_why)
{
	int r, map_fd = bpf_object__find_map_fd_by_name(object, array);

	r = map_fd < 0 ? -ENOENT : bpf_map_update_elem(map_fd, &index, &fd, BPF_ANY);
	return r < 0 ? why_set(ret_why, r, "cannot fill program array %s: %s", array, strerror(-r)) : 0;
}

int loader_fill_arrays(struct bpf_object *object, unsigned hooks, char **ret_why)
{
	static const char *const roots[HOOK_MAX] = {MAP_ROOT_XDP, MAP_ROOT_TC_INGRESS, MAP_ROOT_TC_EGRESS};
	static const char *const interps[HOOK_MAX] = {MAP_INTERP_XDP, MAP_INTERP_TC_INGRESS, MAP_INTERP_TC_EGRESS};
	static const char *const roles[INTERP_MAX] = {"entry", "table", "action", "match", "learn", "packet"};

	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		for (unsigned i = 0; i < INTERP_MAX && hooks >> hook & 1; i++) {
			int fd = program_fd(object, hook, roles[i], ret_why);
			int r = fd < 0 ? fd : put_program(object, interps[hook], i, fd, ret_why);

			for (unsigned slot = 0; r == 0 && i == INTERP_ENTRY && slot < VERSIONS; slot++)
				r = put_program(object, roots[hook], slot, fd, ret_why);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int pin_map(struct bpf_map *map, const struct pin *pin, const char *folder)
{
	const char *name = bpf_map__name(map);
	char path[PIN_PATH_MAX + 64];
	_cleanup_close_ int old = -1;
	int r;

	if (group_of(name) == GROUP_OWN) {
		r = pin_join(folder, name, path, sizeof(path));
		return r < 0 ? r : bpf_obj_pin(bpf_map__fd(map), path);
	}
	r = shared_path(pin, name, path, sizeof(path));
	if (r < 0)
		return r;
	r = bpf_obj_pin(bpf_map__fd(map), path);
	if (r != -EEXIST)
		return r;

	/* Either the very map that was reused, or one that could not be. */
	struct bpf_map_info ours = {}, theirs = {};
	__u32 size = sizeof(ours);

	old = bpf_obj_get(path);
	if (old < 0)
		return old;
	r = bpf_obj_get_info_by_fd(bpf_map__fd(map), &ours, &size);
	if (r == 0)
		r = bpf_obj_get_info_by_fd(old, &theirs, &size);
	if (r < 0)
		return r;
	if (ours.id == theirs.id)
		return 0;
	if (unlink(path) < 0)
		return -errno;
	return bpf_obj_pin(bpf_map__fd(map), path);
}

int loader_pin(struct bpf_object *object, const struct pin *pin, const char *folder, char **ret_why)
{
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__is_internal(map) && group_of(bpf_map__name(map)) == GROUP_OWN)
			continue; /* Read-only data, which belongs to the programs. */
		r = pin_map(map, pin, folder);
		if (r < 0)
			return why_set(ret_why, r, "cannot pin map %s below %s: %s", bpf_map__name(map), pin->root,
				       strerror(-r));
	}
	return 0;
}
