// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../common/cleanup.h"
#include "attach.h"
#include "host.h"
#include "instance.h"
#include "loader.h"
#include "pin.h"
#include "watch.h"
#include "why.h"

enum { INSTANCES_MAX = 64, NS_PER_S = 1000000000 };

/* An interval that no packet sees the end of, and that added to a time does not wrap. */
#define PUNT_NEVER_NS (1ull << 62)

/* A folder beside the pins of an instance whose roots may be on a port. */
static const char attached_name[] = "attached";

struct mapping {
	void *data;
	size_t size;
};

struct instance {
	struct pin pin;
	unsigned number;
	char folder[PIN_PATH_MAX];
	bool test_clock;
	unsigned hooks; /* Loaded. */
	struct instance_found found;
	struct bpf_object *object;
	struct mapping tables, chains, templates, active, clock, punt_limit, globals, groups, meters, match, segments;
	int grace_fd, grace_inner_fd;
	int root_fd[HOOK_MAX], control_fd;
};

/* ---- what an older instance left ----------------------------------------------------------------- */

static int open_pinned(const char *folder, const char *name, struct bpf_map_info *ret_info)
{
	char path[PIN_PATH_MAX + 32];
	__u32 size = sizeof(*ret_info);
	int fd, r;

	r = pin_join(folder, name, path, sizeof(path));
	if (r < 0)
		return r;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	memset(ret_info, 0, sizeof(*ret_info));
	r = bpf_obj_get_info_by_fd(fd, ret_info, &size);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* The version in the active slot of the instance in 'folder'; 0 if none was committed.  Another build's
 * chains may be longer: only version and valid, which begin them, are read.  -errno: the kernel does not say, which is
 * no reason to forget a version. */
static int committed_version(const char *folder, uint64_t *ret_version)
{
	_cleanup_close_ int active_fd = -1, chains_fd = -1;
	_cleanup_free_ struct chain *chain = NULL;
	struct bpf_map_info active = {}, chains = {};
	__u32 zero = 0, slot = 0, per_slot;
	uint64_t version = 0;
	int r;

	*ret_version = 0;
	active_fd = open_pinned(folder, MAP_ACTIVE, &active);
	if (active_fd < 0)
		return active_fd == -ENOENT ? 0 : active_fd;
	chains_fd = open_pinned(folder, MAP_CHAINS, &chains);
	if (chains_fd < 0)
		return chains_fd == -ENOENT ? 0 : chains_fd;
	if (active.value_size != sizeof(slot) || chains.value_size < offsetof(struct chain, n_tables))
		return 0;
	chain = calloc(1, chains.value_size + 8);
	if (!chain)
		return -ENOMEM;
	r = bpf_map_lookup_elem(active_fd, &zero, &slot);
	per_slot = chains.max_entries / VERSIONS;
	for (__u32 i = slot * per_slot; r == 0 && i < (slot + 1) * per_slot; i++) {
		r = bpf_map_lookup_elem(chains_fd, &i, chain);
		if (r == 0 && chain->valid && chain->version > version)
			version = chain->version;
	}
	if (r == 0)
		*ret_version = version;
	return r;
}

static bool is_attached(const char *folder)
{
	char path[PIN_PATH_MAX + 32];

	return pin_join(folder, attached_name, path, sizeof(path)) == 0 && access(path, F_OK) == 0;
}

/* The newest instance that had a version; the newest at all if none had.  Instances of agents that died
 * before they attached anything are removed: no packet ever met them. */
static int find_older(struct instance *instance)
{
	unsigned number[INSTANCES_MAX];
	char folder[PIN_PATH_MAX];
	int n = pin_instances(&instance->pin, number, INSTANCES_MAX), r;

	if (n < 0)
		return n;
	instance->number = n ? number[n - 1] + 1 : 1;
	instance->found.number = n ? number[n - 1] : 0;
	for (int i = n - 1; i >= 0 && !instance->found.version; i--) {
		pin_instance_path(&instance->pin, number[i], folder, sizeof(folder));
		r = committed_version(folder, &instance->found.version);
		if (r < 0)
			return r;
		if (instance->found.version)
			instance->found.number = number[i];
	}
	for (int i = 0; i < n; i++) {
		pin_instance_path(&instance->pin, number[i], folder, sizeof(folder));
		if (number[i] != instance->found.number && !is_attached(folder))
			pin_remove(folder);
	}
	return 0;
}

int instance_mark_attached(struct instance *instance)
{
	char path[PIN_PATH_MAX + 32];
	int r;

	r = pin_join(instance->folder, attached_name, path, sizeof(path));
	if (r < 0)
		return r;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	return watch_take(instance->object, instance->number);
}

/* ---- what this instance needs at hand --------------------------------------------------------------- */

static int map_whole(struct instance *instance, const char *name, size_t element_size, size_t n,
		     struct mapping *ret_mapping)
{
	size_t page = sysconf(_SC_PAGESIZE), size = (element_size * n + page - 1) / page * page;
	int fd = instance_map_fd(instance, name);
	void *data;

	if (fd < 0)
		return fd;
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	*ret_mapping = (struct mapping){data, size};
	return 0;
}

static void unmap(struct mapping *mapping)
{
	if (mapping->data)
		munmap(mapping->data, mapping->size);
	*mapping = (struct mapping){};
}

static int map_all(struct instance *instance)
{
	int r;

	r = map_whole(instance, MAP_TABLES, sizeof(struct table), TABLE_ELEMENTS, &instance->tables);
	if (r == 0)
		r = map_whole(instance, MAP_TEMPLATES, sizeof(struct template), TEMPLATE_ELEMENTS,
			      &instance->templates);
	if (r == 0)
		r = map_whole(instance, MAP_CHAINS, sizeof(struct chain), VERSIONS * HOOK_MAX, &instance->chains);
	if (r == 0)
		r = map_whole(instance, MAP_ACTIVE, sizeof(__u64), 1, &instance->active);
	if (r == 0)
		r = map_whole(instance, MAP_CLOCK, sizeof(struct test_input), 1, &instance->clock);
	if (r == 0)
		r = map_whole(instance, MAP_PUNT_LIMIT, sizeof(struct punt_limit), 1, &instance->punt_limit);
	if (r == 0)
		r = map_whole(instance, MAP_GLOBALS, sizeof(struct globals), 1, &instance->globals);
	if (r == 0)
		r = map_whole(instance, MAP_MATCH, sizeof(struct match_desc), FLOW_TABLES_MAX, &instance->match);
	if (r == 0)
		r = map_whole(instance, MAP_SEGMENTS, sizeof(struct segment_lists), 1, &instance->segments);
	if (r == 0)
		r = map_whole(instance, MAP_GROUPS, sizeof(struct groups), 1, &instance->groups);
	if (r == 0)
		r = map_whole(instance, MAP_METERS, sizeof(struct meters), 1, &instance->meters);
	return r;
}

static int find_program(struct instance *instance, const char *name, int *ret_fd)
{
	struct bpf_program *program = bpf_object__find_program_by_name(instance->object, name);

	if (!program)
		return -ENOENT;
	*ret_fd = bpf_program__fd(program);
	return 0;
}

static int find_programs(struct instance *instance)
{
	char name[32];
	int r;

	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		instance->root_fd[hook] = -1;
		if (!(instance->hooks >> hook & 1))
			continue;
		r = find_program(instance, loader_program_name(hook, "root", name, sizeof(name)),
				 &instance->root_fd[hook]);
		if (r < 0)
			return r;
	}
	return find_program(instance, PROG_CONTROL, &instance->control_fd);
}

/* The inner map that is put into `grace` again and again. */
static int make_grace(struct instance *instance)
{
	instance->grace_fd = instance_map_fd(instance, MAP_GRACE);
	if (instance->grace_fd < 0)
		return instance->grace_fd;
	instance->grace_inner_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "grace", 4, 4, 1, NULL);
	return instance->grace_inner_fd < 0 ? instance->grace_inner_fd : 0;
}

static int set_up(struct instance *instance, char **ret_why)
{
	int r;

	pin_instance_path(&instance->pin, instance->number, instance->folder, sizeof(instance->folder));
	if (mkdir(instance->folder, 0700) < 0)
		return why_set(ret_why, -errno, "%s: cannot make the folder: %m", instance->folder);
	r = loader_fill_arrays(instance->object, instance->hooks, ret_why);
	if (r < 0)
		return r;
	r = loader_pin(instance->object, &instance->pin, instance->folder, ret_why);
	if (r < 0)
		return r;

	r = map_all(instance);
	if (r < 0)
		return why_set(ret_why, r, "cannot map the version maps: %s", strerror(-r));
	r = find_programs(instance);
	if (r < 0)
		return why_set(ret_why, r, "the embedded BPF object lacks a program");
	r = make_grace(instance);
	if (r < 0)
		return why_set(ret_why, r, "cannot make the map for grace periods: %s", strerror(-r));
	if (!instance->found.blind)
		watch_attach(instance->object, instance->folder, &instance->found.blind);
	return 0;
}

/* ---- life --------------------------------------------------------------------------------------------- */

int instance_load(const struct instance_options *options, struct instance **ret_instance, char **ret_why)
{
	struct instance *instance = calloc(1, sizeof(*instance));
	struct loader_options load = {.test_clock = options->test_clock, .fault_drop = options->no_program_drop};
	struct loader_result result;
	int r;

	if (!instance)
		return -ENOMEM;
	instance->grace_inner_fd = -1;
	instance->test_clock = options->test_clock;
	instance->hooks = options->hooks ? options->hooks : (1u << HOOK_MAX) - 1;
	host_raise_memlock(); /* Where it fails and matters, the load says so. */

	r = pin_open(options->bpffs, options->name, options->flow_format ? options->flow_format : FLOW_FORMAT_VERSION,
		     &instance->pin, ret_why);
	if (r < 0)
		goto fail;
	r = find_older(instance);
	if (r < 0) {
		why_set(ret_why, r, "%s: cannot be read: %s", instance->pin.root, strerror(-r));
		goto fail;
	}
	load.pin = &instance->pin;
	load.hooks = instance->hooks;
	load.instance = instance->number;
	load.netns_cookie = host_netns_cookie();
	r = loader_load(&load, &result, ret_why);
	if (r < 0)
		goto fail;
	instance->object = result.object;
	instance->found.flows = result.flows;
	instance->found.counters = result.counters;
	instance->found.globals = result.globals;
	instance->found.lost = result.lost;
	instance->found.blind = result.blind;

	r = set_up(instance, ret_why);
	if (r < 0) {
		pin_remove(instance->folder);
		goto fail;
	}
	*ret_instance = instance;
	return 0;
fail:
	instance_free(instance);
	return r;
}

void instance_free(struct instance *instance)
{
	if (!instance)
		return;
	unmap(&instance->tables);
	unmap(&instance->templates);
	unmap(&instance->chains);
	unmap(&instance->active);
	unmap(&instance->clock);
	unmap(&instance->globals);
	unmap(&instance->match);
	unmap(&instance->groups);
	unmap(&instance->segments);
	unmap(&instance->meters);
	unmap(&instance->punt_limit);
	if (instance->grace_inner_fd >= 0)
		close(instance->grace_inner_fd);
	bpf_object__close(instance->object);
	free(instance->found.lost);
	free(instance->found.blind);
	free(instance);
}

int instance_settle(struct instance *instance)
{
	unsigned number[INSTANCES_MAX];
	char folder[PIN_PATH_MAX];
	int n, r, first;

	/* A packet may still be in an old root; without its pin the program array it goes on with would be empty. */
	first = instance_grace(instance);
	n = pin_instances(&instance->pin, number, INSTANCES_MAX);
	for (int i = 0; i < n; i++) {
		if (number[i] == instance->number)
			continue;
		pin_instance_path(&instance->pin, number[i], folder, sizeof(folder));
		r = pin_remove(folder);
		first = first ? first : r;
	}
	n = pin_other_formats(&instance->pin, number, INSTANCES_MAX);
	for (int i = 0; i < n; i++) {
		pin_format_path(&instance->pin, number[i], folder, sizeof(folder));
		r = pin_remove(folder);
		first = first ? first : r;
	}
	return first;
}

/* Waits for a grace period without an instance. */
static int wait_for_grace(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	_cleanup_close_ int inner = -1, outer = -1;
	__u32 zero = 0;

	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "grace", 4, 4, 1, NULL);
	if (inner < 0)
		return inner;
	opts.inner_map_fd = inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "grace", 4, 4, 1, &opts);
	return outer < 0 ? outer : bpf_map_update_elem(outer, &zero, &inner, BPF_ANY);
}

int instance_unload(const char *bpffs, const char *name, char **ret_why)
{
	struct pin pin;
	int r, first;

	r = pin_find(bpffs, name, FLOW_FORMAT_VERSION, &pin, NULL);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return pin_find(bpffs, name, FLOW_FORMAT_VERSION, &pin, ret_why);

	first = attach_remove_all(&pin, ret_why);
	wait_for_grace(); /* For packets that are in a root; without it they meet a fault. */
	r = pin_remove(pin.root);
	if (r < 0 && first == 0)
		return why_set(ret_why, r, "%s: cannot be removed: %s", pin.root, strerror(-r));
	return first;
}

/* ---- versions ------------------------------------------------------------------------------------------- */

struct table *instance_tables(const struct instance *instance)
{
	return instance->tables.data;
}

struct template *instance_templates(const struct instance *instance)
{
	return instance->templates.data;
}

struct chain *instance_chains(const struct instance *instance)
{
	return instance->chains.data;
}

unsigned instance_active(const struct instance *instance)
{
	return __atomic_load_n((__u32 *)instance->active.data, __ATOMIC_ACQUIRE);
}

void instance_commit(struct instance *instance, unsigned slot)
{
	/* Release: whoever reads the new number sees the version it stands for. */
	__atomic_store_n((__u32 *)instance->active.data, slot, __ATOMIC_RELEASE);
}

int instance_grace(struct instance *instance)
{
	__u32 zero = 0;

	return bpf_map_update_elem(instance->grace_fd, &zero, &instance->grace_inner_fd, BPF_ANY);
}

struct segment_lists *instance_segments(struct instance *instance)
{
	return instance->segments.data;
}

struct groups *instance_groups(struct instance *instance)
{
	return instance->groups.data;
}

struct meters *instance_meters(struct instance *instance)
{
	return instance->meters.data;
}

struct globals *instance_globals(struct instance *instance)
{
	return instance->globals.data;
}

struct match_desc *instance_match(struct instance *instance)
{
	return instance->match.data;
}

/* ---- clock and limits -------------------------------------------------------------------------------------- */

uint64_t instance_now_ns(const struct instance *instance)
{
	if (instance->test_clock)
		return __atomic_load_n(&((struct test_input *)instance->clock.data)->now_ns, __ATOMIC_RELAXED);
	return host_monotonic_ns() + (1ull << TIME_BASE_NS_SHIFT);
}

int instance_set_clock(struct instance *instance, uint64_t now_ns)
{
	if (!instance->test_clock)
		return -ENOTSUP;
	__atomic_store_n(&((struct test_input *)instance->clock.data)->now_ns, now_ns, __ATOMIC_RELAXED);
	return 0;
}

int instance_set_random(struct instance *instance, uint64_t state)
{
	if (!instance->test_clock)
		return -ENOTSUP;
	__atomic_store_n(&((struct test_input *)instance->clock.data)->random, state, __ATOMIC_RELAXED);
	return 0;
}

int instance_set_punt_limit(struct instance *instance, unsigned rate_pps, unsigned burst)
{
	struct punt_limit *limit = instance->punt_limit.data;
	uint64_t interval_ns = rate_pps ? NS_PER_S / rate_pps : PUNT_NEVER_NS;

	/* A packet that meets the old half of this is one packet more or less. */
	__atomic_store_n(&limit->burst_ns, rate_pps ? interval_ns * burst : 0, __ATOMIC_RELAXED);
	__atomic_store_n(&limit->next_ns, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&limit->interval_ns, interval_ns, __ATOMIC_RELEASE);
	return 0;
}

/* ---- at hand ------------------------------------------------------------------------------------------------ */

const struct instance_found *instance_found(const struct instance *instance)
{
	return &instance->found;
}

unsigned instance_number(const struct instance *instance)
{
	return instance->number;
}

const struct pin *instance_pin(const struct instance *instance)
{
	return &instance->pin;
}

struct bpf_object *instance_object(const struct instance *instance)
{
	return instance->object;
}

int instance_map_fd(const struct instance *instance, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(instance->object, name);

	return fd < 0 ? -ENOENT : fd;
}

int instance_root_fd(const struct instance *instance, enum hook_id hook)
{
	return instance->root_fd[hook];
}

int instance_control_fd(const struct instance *instance)
{
	return instance->control_fd;
}
