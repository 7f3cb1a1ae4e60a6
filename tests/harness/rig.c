// SPDX-License-Identifier: GPL-2.0-or-later
#include "rig.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../agent/attach.h"
#include "../../agent/counter.h"
#include "../../agent/flow_store.h"
#include "../../agent/instance.h"
#include "../../common/cleanup.h"
#include "../../datapath/native.h"
#include "../../tables/group.h"
#include "leftover.h"
#include "rig_int.h"

#define NAME_PREFIX "rig_"

enum { EXITS = EXIT_REASON_ROOM, START_S = 1000 };

static const enum hook_id hook_of[RIG_TIER_MAX] = {HOOK_XDP, HOOK_TC_INGRESS, HOOK_TC_EGRESS, HOOK_XDP, HOOK_XDP};

const char *rig_tier_name(enum rig_tier tier)
{
	static const char *const names[] = {"xdp", "tc-ingress", "tc-egress", "native", "specialised"};

	return names[tier];
}

bool rig_can(enum rig_tier tier)
{
	return tier == RIG_NATIVE || geteuid() == 0;
}

/* ---- ports ------------------------------------------------------------------------------------ */

/* So that the interfaces go with the process, and nobody but the tests sends frames. */
static void own_namespace(void)
{
	_cleanup_file_ FILE *file = NULL;

	CHECK(unshare(CLONE_NEWNET) ? -errno : 0, "unshare");
	file = fopen("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w");
	if (file)
		fputs("1", file);
}

static void make_ports(struct rig *rig)
{
	static bool unshared;
	char command[256], name[IFNAMSIZ];

	if (!unshared)
		own_namespace();
	unshared = true;
	for (unsigned i = 1; i <= RIG_PORTS; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		rig->ifindex[i] = if_nametoindex(name);
		if (rig->ifindex[i])
			continue;
		snprintf(command, sizeof(command),
			 "ip link add %s type veth peer name peer%u && ip link set %s up && ip link set peer%u up",
			 name, i, name, i);
		if (system(command))
			CHECK(-ENODEV, "veth");
		rig->ifindex[i] = if_nametoindex(name);
	}
}

static void map_ports(struct rig *rig)
{
	int lines = instance_map_fd(rig->instance, MAP_PORT_OF_IFINDEX);
	int hash = instance_map_fd(rig->instance, MAP_PORT_HASH);
	int ports = instance_map_fd(rig->instance, MAP_PORTS);
	int tx = instance_map_fd(rig->instance, MAP_TX_PORTS);

	for (__u32 i = 1; i <= RIG_PORTS; i++) {
		__u32 ifindex = rig->ifindex[i], line_no = ifindex & (PORT_LINES - 1);
		struct port_line line = {.ifindex = ifindex, .port = i};
		struct port_info info = {.ifindex = ifindex, .up = 1};

		CHECK(bpf_map_update_elem(lines, &line_no, &line, BPF_ANY), "port lines");
		CHECK(bpf_map_update_elem(hash, &ifindex, &i, BPF_ANY), "port hash");
		CHECK(bpf_map_update_elem(ports, &i, &info, BPF_ANY), "ports");
		CHECK(bpf_map_update_elem(tx, &i, &ifindex, BPF_ANY), "tx ports");
	}
}

/* ---- open and close ---------------------------------------------------------------------------- */

/* Verifying the programs takes seconds: a rig that closes leaves its switch, emptied, to the next one of the process
 * at the same hook, the only one whose programs it has. */
static struct kernel spare[HOOK_MAX];

static void drop_kernel(struct kernel *kernel)
{
	char *why = NULL;

	if (!kernel->instance)
		return;
	counter_store_free(kernel->counters);
	flow_store_free(kernel->flows);
	instance_free(kernel->instance);
	instance_unload(NULL, kernel->name, &why);
	free(why);
	*kernel = (struct kernel){};
}

static void drop_spare(void)
{
	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		drop_kernel(&spare[hook]);
}

static void load_kernel(struct kernel *kernel, enum hook_id hook, bool real_clock)
{
	static unsigned count;
	struct instance_options options = {.test_clock = !real_clock, .hooks = 1u << hook, .name = kernel->name};
	char *why = NULL;

	if (count == 0)
		leftover_guard(NAME_PREFIX);
	snprintf(kernel->name, sizeof(kernel->name), NAME_PREFIX "%d_%u", (int)getpid(), count++);
	if (instance_load(&options, &kernel->instance, &why)) {
		fprintf(stderr, "rig: instance: %s\n", why ? why : "?");
		exit(1);
	}
	CHECK(flow_store_new(kernel->instance, &kernel->flows), "flow store");
	CHECK(counter_store_new(kernel->instance, &kernel->counters, &why), "counters");
	if (count == 1)
		atexit(drop_spare);
}

static void open_kernel(struct rig *rig)
{
	make_ports(rig);
	if (!rig->real_clock) {
		rig->kernel = spare[rig->plan.hook];
		spare[rig->plan.hook] = (struct kernel){};
	}
	if (!rig->kernel.instance)
		load_kernel(&rig->kernel, rig->plan.hook, rig->real_clock);
	rig->instance = rig->kernel.instance;
	rig->flows = rig->kernel.flows;
	rig->counters = rig->kernel.counters;
	rig->slot = instance_active(rig->instance);
	map_ports(rig);
}

/* Those that its versions had; all that there are take a while to read. */
static void reset_counters(struct rig *rig)
{
	unsigned exits = COUNTER_EXIT(rig->plan.hook, 0, 0), rest = COUNTER_TX;

	CHECK(counter_reset(rig->counters, exits, COUNTER_EXIT(rig->plan.hook, PORTS_MAX + 1, 0) - exits), "exits");
	CHECK(counter_reset(rig->counters, rest, COUNTER_RULES + rig->rule_counters - rest), "rules");
	CHECK(counter_reset(rig->counters, COUNTER_MEMBERS, rig->groups * GROUP_MEMBERS), "members");
}

/* Two empty versions, so that neither slot runs anything, then nothing that a version could have used. */
static void empty_kernel(struct rig *rig)
{
	enum hook_id hook = rig->plan.hook;
	unsigned index[RIG_FLOW_TABLES];
	unsigned n = 0;

	for (unsigned i = 0; i < rig->plan.n_flows; i++)
		if (rig->plan.flow[i].made)
			index[n++] = i;
	rig_plan_clear(&rig->plan);
	rig_commit(rig);
	rig_commit(rig);
	CHECK(flow_store_release(rig->flows, index, n), "release");
	reset_counters(rig);
	for (unsigned i = 0; i < GROUPS_MAX; i++)
		group_clear(instance_groups(rig->instance), i);
	for (unsigned i = 0; i < METERS_MAX; i++)
		__atomic_fetch_add(&instance_meters(rig->instance)->at[i].reset, 1, __ATOMIC_RELAXED);
	if (spare[hook].instance || rig->real_clock)
		drop_kernel(&rig->kernel);
	else
		spare[hook] = rig->kernel;
}

static struct rig *open_rig(enum rig_tier tier, bool real_clock)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->tier = tier;
	rig->real_clock = real_clock;
	rig->plan.hook = hook_of[tier];
	rig->now_ns = (1ull << TIME_BASE_NS_SHIFT) + START_S * 1000000000ull;
	if (tier == RIG_NATIVE) {
		CHECK(native_new(NULL, &rig->native), "native");
		for (unsigned i = 1; i <= RIG_PORTS; i++)
			native_set_port(rig->native, i, true);
	} else {
		open_kernel(rig);
	}
	if (!real_clock)
		rig_advance_ns(rig, 0);
	rig_commit(rig);
	return rig;
}

struct rig *rig_open(enum rig_tier tier)
{
	return open_rig(tier, false);
}

struct rig *rig_open_live(enum rig_tier tier)
{
	return open_rig(tier, true);
}

void rig_close(struct rig *rig)
{
	if (!rig)
		return;
	rig_real_close(&rig->real);
	rig_events_close(rig);
	rig_entries_close(rig);
	if (rig->instance)
		empty_kernel(rig);
	rig_plan_clear(&rig->plan);
	rig_special_done(&rig->special);
	native_free(rig->native);
	free(rig);
}

/* ---- versions ------------------------------------------------------------------------------------ */

void rig_load(struct rig *rig, const char *path_or_text, ...)
{
	struct setting settings[16];
	char *copies[16];
	size_t n = 0;
	va_list args;
	const char *text;

	va_start(args, path_or_text);
	while ((text = va_arg(args, const char *)) && n < 16) {
		copies[n] = strdup(text);
		settings[n].name = copies[n];
		settings[n].text = strchr(copies[n], '=') + 1;
		*strchr(copies[n], '=') = 0;
		n++;
	}
	va_end(args);
	rig_plan_add(&rig->plan, path_or_text, settings, n);
	while (n)
		free(copies[--n]);
}

void rig_unload_all(struct rig *rig)
{
	rig_plan_clear(&rig->plan);
}

static void make_flow_tables(struct rig *rig)
{
	for (unsigned i = 0; i < rig->plan.n_flows; i++) {
		struct rig_flow_table *flow = &rig->plan.flow[i];
		struct flow_spec spec = {.index = i,
					 .capacity = flow->layout->capacity,
					 .record_class = flow->layout->record_class,
					 .key_words = flow->layout->key_words};
		char *why = NULL;

		if (flow->made)
			continue;
		if (rig->native)
			CHECK(native_add_flow_table(rig->native, i, spec.record_class, spec.key_words, spec.capacity),
			      "flow table");
		else
			CHECK(flow_store_create(rig->flows, &spec, 1, &why), why ? why : "flow table");
		flow->made = true;
	}
}

static void put_table(struct rig *rig, unsigned slot, unsigned a, unsigned i)
{
	unsigned element = TABLE_INDEX(slot, rig->plan.hook, rig->plan.app[a].placement.table[i].hook_table);
	struct table *table = calloc(1, sizeof(*table));

	rig_plan_encode(&rig->plan, a, i, table);
	if (rig->native)
		CHECK(native_set_table(rig->native, element, table), "native table");
	else
		memcpy(&instance_tables(rig->instance)[element], table, sizeof(*table));
	free(table);
}

static void put_templates(struct rig *rig, unsigned slot, unsigned a)
{
	const struct placement *placement = &rig->plan.app[a].placement;

	for (unsigned i = 0; i < rig->plan.app[a].app->n_templates; i++) {
		unsigned number = placement->first_template[rig->plan.hook] + i;
		unsigned element = TEMPLATE_INDEX(slot, rig->plan.hook, number);
		struct template t;

		encode_template(rig->plan.app[a].app, i, &t);
		if (rig->native)
			CHECK(native_set_template(rig->native, element, &t), "native template");
		else
			instance_templates(rig->instance)[element] = t;
	}
}

static void set_global(struct rig *rig, unsigned index, uint64_t value)
{
	if (rig->native)
		native_set_global(rig->native, index, value);
	else
		__atomic_store_n(&instance_globals(rig->instance)->at[index].value, value, __ATOMIC_RELAXED);
}

void rig_set_global(struct rig *rig, const char *name, uint64_t value)
{
	set_global(rig, rig_plan_global(&rig->plan, name), value);
}

uint64_t rig_global(struct rig *rig, const char *name)
{
	unsigned index = rig_plan_global(&rig->plan, name);

	if (rig->native)
		return native_global(rig->native, index);
	return __atomic_load_n(&instance_globals(rig->instance)->at[index].value, __ATOMIC_RELAXED);
}

static void begin_globals(struct rig *rig)
{
	for (unsigned i = 0; i < rig->plan.n_globals; i++) {
		struct rig_global *global = &rig->plan.global[i];

		if (!global->begun)
			set_global(rig, i, global->initial);
		global->begun = true;
	}
}

/* The members of the file, and what was changed since. */
static void write_groups(struct rig *rig, const struct rig_app *a, const char *changes)
{
	struct groups *groups = rig->native ? native_groups(rig->native) : instance_groups(rig->instance);
	const struct port_names ports = {.find = rig_port_find};
	struct members *members = malloc(sizeof(*members));

	for (unsigned i = 0; i < a->app->n_groups; i++) {
		group_members(&a->app->group[i], &ports, changes, members);
		CHECK(group_write(groups, a->placement.group[i], &a->app->group[i], members), "members");
	}
	free(members);
}

void rig_change_members(struct rig *rig, const char *changes)
{
	write_groups(rig, &rig->plan.app[0], changes);
}

uint64_t rig_member_packets(struct rig *rig, unsigned group, unsigned id)
{
	return rig_counter(rig, COUNTER_MEMBER(group, id));
}

void rig_commit(struct rig *rig)
{
	unsigned slot = !rig->slot;
	struct chain chain;

	if (rig->plan.next_counter > COUNTER_RULES + rig->rule_counters)
		rig->rule_counters = rig->plan.next_counter - COUNTER_RULES;
	if (rig->plan.n_groups > rig->groups)
		rig->groups = rig->plan.n_groups;
	make_flow_tables(rig);
	begin_globals(rig);
	for (unsigned a = 0; a < rig->plan.n_apps; a++)
		write_groups(rig, &rig->plan.app[a], NULL);
	for (unsigned a = 0; a < rig->plan.n_apps; a++)
		for (unsigned i = 0; i < rig->plan.app[a].app->n_tables; i++)
			put_table(rig, slot, a, i);
	rig_entries_install(rig, slot);
	for (unsigned a = 0; a < rig->plan.n_apps; a++)
		put_templates(rig, slot, a);
	rig_plan_chain(&rig->plan, ++rig->version, &chain);
	if (rig->native) {
		CHECK(native_set_chain(rig->native, CHAIN_INDEX(slot, rig->plan.hook), &chain), "native chain");
		native_set_active(rig->native, slot);
	} else {
		instance_chains(rig->instance)[CHAIN_INDEX(slot, rig->plan.hook)] = chain;
		if (rig->tier == RIG_SPECIALISED)
			rig_special_put(&rig->special, rig->instance, rig->plan.hook, slot);
		instance_commit(rig->instance, slot); /* No grace: no packet of a rig is on its way now. */
	}
	rig->slot = slot;
}

/* ---- counters --------------------------------------------------------------------------------------- */

static uint64_t counter_of(struct rig *rig, unsigned index)
{
	struct counter c;

	if (rig->native)
		native_counter(rig->native, index, &c);
	else
		CHECK(counter_read(rig->counters, index, 1, &c), "counter");
	return c.packets;
}

static void counters_of(struct rig *rig, unsigned first, unsigned n, struct counter *ret)
{
	if (!rig->native) {
		CHECK(counter_read(rig->counters, first, n, ret), "counters");
		return;
	}
	for (unsigned i = 0; i < n; i++)
		native_counter(rig->native, first + i, &ret[i]);
}

uint64_t rig_rule_count(struct rig *rig, const char *name)
{
	return counter_of(rig, rig_plan_rule_counter(&rig->plan, name));
}

uint64_t rig_table_count(struct rig *rig, const char *table, enum table_stat stat)
{
	return counter_of(rig, rig_plan_table_counter(&rig->plan, table) + stat);
}

uint64_t rig_exit_count(struct rig *rig, unsigned port, enum exit_reason reason)
{
	return counter_of(rig, COUNTER_EXIT(rig->plan.hook, port, reason));
}

/* ---- frames --------------------------------------------------------------------------------------------- */

static void run_kernel(struct rig *rig, unsigned port, struct frame *frame, unsigned times)
{
	_Alignas(8) uint8_t out[FRAME_ROOM];
	struct xdp_md xdp = {.data_end = frame->size, .ingress_ifindex = rig->ifindex[port]};
	struct __sk_buff skb = {.ifindex = rig->ifindex[port], .ingress_ifindex = rig->ifindex[port]};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data, .data_size_in = frame->size, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = times);

	if (rig->plan.hook == HOOK_XDP) {
		opts.ctx_in = &xdp;
		opts.ctx_size_in = sizeof(xdp);
	} else {
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
	}
	CHECK(bpf_prog_test_run_opts(rig_root_fd(rig), &opts), "test run");
	memcpy(frame->data, out, opts.data_size_out);
	frame->size = opts.data_size_out;
}

static struct native_result native;

static void run_native(struct rig *rig, unsigned port, struct frame *frame)
{
	uint8_t *data = frame->data;

	CHECK(native_run(rig->native, rig->plan.hook, port, rig->now_ns, &data, frame->size,
			 FRAME_ROOM - FRAME_HEADROOM, 1, &native),
	      "native run");
	memmove(frame->data, data, native.size);
	frame->size = native.size;
}

static void run(struct rig *rig, unsigned port, struct frame *frame, unsigned times)
{
	if (!rig->native) {
		run_kernel(rig, port, frame, times);
		return;
	}
	for (unsigned i = 0; i < times; i++)
		run_native(rig, port, frame);
}

/* What the counters of a port say. */
struct books {
	struct counter exits[EXITS], tx[PORTS_MAX + 1];
};

static void read_books(struct rig *rig, unsigned port, struct books *books)
{
	counters_of(rig, COUNTER_EXIT(rig->plan.hook, port, 0), EXITS, books->exits);
	counters_of(rig, COUNTER_TX, PORTS_MAX + 1, books->tx);
}

/* Returns how many exits were counted in between. */
static unsigned compare_books(const struct books *before, const struct books *after, struct rig_result *result)
{
	unsigned ups = 0;

	result->exit = EXIT_NONE;
	for (unsigned i = 0; i < EXITS; i++) {
		ups += after->exits[i].packets - before->exits[i].packets;
		if (after->exits[i].packets != before->exits[i].packets)
			result->exit = i;
	}
	if (ups != 1)
		result->exit = EXIT_NONE;
	for (unsigned i = 1; i <= PORTS_MAX; i++)
		if (after->tx[i].packets != before->tx[i].packets)
			result->out_port = i;
	return ups;
}

struct rig_result rig_send(struct rig *rig, unsigned port, struct frame frame)
{
	struct rig_result result = {.frame = frame};
	struct books before, after;

	read_books(rig, port, &before);
	run(rig, port, &result.frame, 1);
	read_books(rig, port, &after);
	compare_books(&before, &after, &result);
	rig_events_take(rig, &result);
	for (unsigned i = 0; rig->native && i < native.n_events && i < RIG_EVENTS; i++)
		result.event[result.n_events++] = native.event[i];
	return result;
}

enum { REAL_WAIT_MS = 1000, REAL_QUIET_MS = 30 };

/* Frames that left the ports. */
static void take_frames(struct rig *rig, struct rig_result *result)
{
	bool leaves = result->exit == EXIT_PASS || result->exit == EXIT_OUTPUT || result->exit == EXIT_FLOOD;
	struct frame frame;

	for (unsigned i = 1; i <= RIG_PORTS; i++) {
		unsigned wait = leaves && !result->left ? REAL_QUIET_MS : 0;

		while (rig_real_take(&rig->real, i, wait, &frame)) {
			result->frame = rig->left[i] = frame;
			result->left |= 1u << i;
			wait = 0;
		}
	}
}

struct rig_result rig_send_real(struct rig *rig, unsigned port, struct frame frame)
{
	struct rig_result result = {.exit = EXIT_NONE};
	struct books before, after;
	unsigned waited = 0;

	if (rig->plan.hook == HOOK_XDP)
		return rig_send(rig, port, frame);
	if (!rig->real.open)
		rig_real_open(&rig->real, rig->plan.hook, rig_root_fd(rig), RIG_PORTS);
	read_books(rig, port, &before);
	rig_real_send(&rig->real, port, &frame);
	do {
		read_books(rig, port, &after);
		if (compare_books(&before, &after, &result))
			break;
		usleep(1000);
	} while (waited++ < REAL_WAIT_MS);
	take_frames(rig, &result);
	return result;
}

const struct frame *rig_left(struct rig *rig, unsigned port)
{
	return &rig->left[port];
}

void rig_repeat(struct rig *rig, unsigned port, struct frame frame, unsigned times)
{
	run(rig, port, &frame, times);
}

/* ---- what lies beneath --------------------------------------------------------------------------------- */

int rig_map_fd(struct rig *rig, const char *name)
{
	return instance_map_fd(rig->instance, name);
}

void rig_set_punt_limit(struct rig *rig, unsigned rate_pps, unsigned burst)
{
	CHECK(instance_set_punt_limit(rig->instance, rate_pps, burst), "punt limit");
}

uint64_t rig_counter(struct rig *rig, unsigned index)
{
	return counter_of(rig, index);
}

int rig_root_fd(struct rig *rig)
{
	return instance_root_fd(rig->instance, rig->plan.hook);
}

unsigned rig_ifindex(struct rig *rig, unsigned port)
{
	return rig->ifindex[port];
}

static unsigned program_sizes(struct bpf_object *object, const char *prefix)
{
	static const char *const programs[] = {"entry", "table", "action"};
	unsigned size = 0;
	char name[16];

	for (unsigned i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		snprintf(name, sizeof(name), "%s_%s", prefix, programs[i]);
		size += rig_program_size(object, name);
	}
	return size;
}

unsigned rig_interpreter_size(struct rig *rig)
{
	return program_sizes(instance_object(rig->instance), "xdp");
}

static struct bpf_object *special_of(struct rig *rig)
{
	struct special *special = rig->special.table[rig->slot][0];

	CHECK(special ? 0 : -ENOENT, "not specialised");
	return special_object(special);
}

unsigned rig_special_size(struct rig *rig, unsigned *ret_rodata)
{
	*ret_rodata = rig_special_rodata_size(special_of(rig));
	return rig_program_size(special_of(rig), "special_entry");
}

bool rig_special_uses(struct rig *rig, const char *map)
{
	int fd = instance_map_fd(rig->instance, map);

	return rig_program_uses(special_of(rig), "special_entry", fd);
}
