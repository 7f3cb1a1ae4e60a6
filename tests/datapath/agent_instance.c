// SPDX-License-Identifier: GPL-2.0-or-later
/* Loads, takeovers and unloads of the real programs, without a port. */
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/counter.h"
#include "agent/flow_store.h"
#include "agent/instance.h"
#include "agent/pin.h"
#include "agent/xdp_link.h"
#include "agent_lab.h"

enum { SOME_COUNTER = COUNTER_RULES + 7, CPUS_MAX = 1024 };

static struct instance *load_format(unsigned flow_format)
{
	const struct instance_options options = {
		.name = lab_switch_name(),
		.test_clock = true,
		.flow_format = flow_format,
		.hooks = 1u << HOOK_XDP,
	};
	struct instance *instance = NULL;
	char *why = NULL;

	if (instance_load(&options, &instance, &why) < 0)
		fail_msg("instance_load: %s", why);
	return instance;
}

static struct instance *load(void)
{
	return load_format(0);
}

static int clean(void **state)
{
	return instance_unload(NULL, lab_switch_name(), NULL);
}

/* Writes a version's number into slot 'slot', as an agent's plan would, and commits it. */
static void commit_version(struct instance *instance, unsigned slot, uint64_t version)
{
	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		struct chain *chain = &instance_chains(instance)[CHAIN_INDEX(slot, hook)];

		memset(chain->next_app, CHAIN_END, sizeof(chain->next_app));
		chain->version = version;
		chain->valid = 1;
	}
	instance_commit(instance, slot);
}

static unsigned map_id(struct instance *instance, const char *name)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(instance_map_fd(instance, name), &info, &size), 0);
	return info.id;
}

static bool exists(const struct pin *pin, const char *name)
{
	char path[PIN_PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", pin->root, name);
	return access(path, F_OK) == 0;
}

static void a_fresh_host_has_nothing_to_take_over(void **state)
{
	struct instance *instance = load();
	const struct instance_found *found = instance_found(instance);

	assert_int_equal(found->number, 0);
	assert_int_equal(found->version, 0);
	assert_false(found->flows);
	assert_false(found->counters);
	assert_null(found->lost);
	assert_int_equal(instance_number(instance), 1);
	assert_int_equal(instance_active(instance), 0);
	assert_int_equal(instance_grace(instance), 0);
	instance_free(instance);
}

static void a_commit_is_seen_in_the_map(void **state)
{
	struct instance *instance = load();
	__u32 zero = 0, slot = 0;

	commit_version(instance, 1, 12);
	assert_int_equal(instance_active(instance), 1);
	assert_int_equal(bpf_map_lookup_elem(instance_map_fd(instance, MAP_ACTIVE), &zero, &slot), 0);
	assert_int_equal(slot, 1);
	instance_free(instance);
}

static void the_last_element_of_the_mapped_tables_is_the_maps(void **state)
{
	struct instance *instance = load();
	struct table *seen = calloc(1, sizeof(*seen) + 8);
	__u32 last = TABLE_ELEMENTS - 1;

	instance_tables(instance)[last].id = 4711;
	instance_tables(instance)[last].tests[TESTS_MAX - 1].low = 42;
	assert_int_equal(bpf_map_lookup_elem(instance_map_fd(instance, MAP_TABLES), &last, seen), 0);
	assert_int_equal(seen->id, 4711);
	assert_int_equal(seen->tests[TESTS_MAX - 1].low, 42);
	free(seen);
	instance_free(instance);
}

static void a_second_instance_finds_version_flows_and_counters_of_the_first(void **state)
{
	struct instance *first = load(), *second;
	unsigned records = map_id(first, MAP_RECORDS), tables = map_id(first, MAP_TABLES);

	commit_version(first, 1, 34);
	instance_free(first); /* As if it was killed: what is pinned stays. */

	second = load();
	assert_int_equal(instance_found(second)->number, 1);
	assert_int_equal(instance_found(second)->version, 34);
	assert_true(instance_found(second)->flows);
	assert_true(instance_found(second)->counters);
	assert_null(instance_found(second)->lost);
	assert_int_equal(instance_number(second), 2);
	assert_int_equal(map_id(second, MAP_RECORDS), records);
	assert_int_not_equal(map_id(second, MAP_TABLES), tables);

	assert_true(exists(instance_pin(second), "instance-1"));
	assert_int_equal(instance_settle(second), 0);
	assert_false(exists(instance_pin(second), "instance-1"));
	assert_true(exists(instance_pin(second), "instance-2"));
	instance_free(second);
}

static void an_instance_that_died_before_its_first_commit_hides_nothing(void **state)
{
	struct instance *instance = load();

	commit_version(instance, 0, 5);
	instance_free(instance);
	instance_free(load()); /* Number 2 never got a version. */

	instance = load();
	assert_int_equal(instance_number(instance), 3);
	assert_int_equal(instance_found(instance)->number, 1);
	assert_int_equal(instance_found(instance)->version, 5);
	assert_true(exists(instance_pin(instance), "instance-1"));
	assert_false(exists(instance_pin(instance), "instance-2"));
	instance_free(instance);
}

static void an_instance_that_may_be_on_a_port_is_kept(void **state)
{
	struct instance *instance = load();

	assert_int_equal(instance_mark_attached(instance), 0);
	instance_free(instance);
	instance = load();
	assert_int_equal(instance_mark_attached(instance), 0);
	commit_version(instance, 0, 5);
	instance_free(instance); /* Died before it had replaced all roots of number 1. */

	instance = load();
	assert_int_equal(instance_found(instance)->number, 2);
	assert_true(exists(instance_pin(instance), "instance-1"));
	assert_true(exists(instance_pin(instance), "instance-2"));
	assert_int_equal(instance_settle(instance), 0);
	assert_false(exists(instance_pin(instance), "instance-1"));
	assert_false(exists(instance_pin(instance), "instance-2"));
	instance_free(instance);
}

static void another_flow_format_says_what_is_lost(void **state)
{
	const struct flow_spec spec = {.index = 3, .capacity = 100, .record_class = RECORD_64, .key_words = 1};
	struct instance *instance = load_format(77);
	struct flow_store *flows = NULL;

	assert_int_equal(flow_store_new(instance, &flows), 0);
	assert_int_equal(flow_store_create(flows, &spec, 1, NULL), 0);
	flow_store_free(flows);
	instance_free(instance);

	instance = load();
	assert_false(instance_found(instance)->flows);
	assert_non_null(instance_found(instance)->lost);
	assert_non_null(strstr(instance_found(instance)->lost, "1 flow tables of format 77"));
	assert_true(exists(instance_pin(instance), "flow-77"));
	assert_int_equal(instance_settle(instance), 0);
	assert_false(exists(instance_pin(instance), "flow-77"));
	instance_free(instance);
}

static void a_pinned_map_of_another_form_is_replaced_with_its_group(void **state)
{
	struct instance *instance = load();
	unsigned buckets = map_id(instance, MAP_BUCKETS);
	char path[PIN_PATH_MAX + 64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", instance_pin(instance)->flow, MAP_FLOW_DESC);
	instance_free(instance);
	assert_int_equal(unlink(path), 0);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "other", 4, 24, 3, NULL);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	close(fd);

	instance = load();
	assert_false(instance_found(instance)->flows);
	assert_true(instance_found(instance)->counters);
	assert_non_null(strstr(instance_found(instance)->lost, "all flow tables"));
	assert_int_not_equal(map_id(instance, MAP_BUCKETS), buckets);
	instance_free(instance);

	instance = load(); /* And the new ones are what the next finds. */
	assert_true(instance_found(instance)->flows);
	instance_free(instance);
}

/* Adds to a counter on each CPU, as packets would. */
static void count(struct instance *instance, __u32 index, uint64_t packets)
{
	static struct counter values[CPUS_MAX];

	assert_int_equal(bpf_map_lookup_elem(instance_map_fd(instance, MAP_COUNTERS), &index, values), 0);
	values[0].packets += packets;
	values[0].bytes += packets * 100;
	assert_int_equal(bpf_map_update_elem(instance_map_fd(instance, MAP_COUNTERS), &index, values, BPF_ANY), 0);
}

static struct counter_store *open_counters(struct instance *instance)
{
	struct counter_store *counters = NULL;

	assert_int_equal(counter_store_new(instance, &counters, NULL), 0);
	return counters;
}

static uint64_t packets_of(struct counter_store *counters, unsigned index)
{
	struct counter counter;

	assert_int_equal(counter_read(counters, index, 1, &counter), 0);
	assert_int_equal(counter.bytes, counter.packets * 100);
	return counter.packets;
}

static void a_reset_holds_across_a_takeover(void **state)
{
	struct instance *instance = load();
	struct counter_store *counters = open_counters(instance);

	count(instance, SOME_COUNTER, 10);
	assert_int_equal(packets_of(counters, SOME_COUNTER), 10);
	assert_int_equal(counter_reset(counters, SOME_COUNTER, 1), 0);
	assert_int_equal(packets_of(counters, SOME_COUNTER), 0);
	counter_store_free(counters);
	instance_free(instance);

	instance = load();
	counters = open_counters(instance);
	assert_int_equal(packets_of(counters, SOME_COUNTER), 0);
	count(instance, SOME_COUNTER, 3);
	assert_int_equal(packets_of(counters, SOME_COUNTER), 3);
	counter_store_free(counters);
	instance_free(instance);
}

static void all_counters_are_read_in_pieces(void **state)
{
	struct instance *instance = load();
	struct counter_store *counters = open_counters(instance);
	struct counter *all = calloc(COUNTERS, sizeof(*all));

	count(instance, 0, 1);
	count(instance, 1023, 2);
	count(instance, 1024, 3);
	count(instance, COUNTERS - 1, 4);
	assert_int_equal(counter_read(counters, 0, COUNTERS, all), 0);
	assert_int_equal(all[0].packets, 1);
	assert_int_equal(all[1].packets, 0);
	assert_int_equal(all[1023].packets, 2);
	assert_int_equal(all[1024].packets, 3);
	assert_int_equal(all[COUNTERS - 1].packets, 4);
	assert_int_equal(packets_of(counters, 1024), 3);
	assert_int_equal(counter_read(counters, COUNTERS - 1, 2, all), -EINVAL);
	assert_int_equal(counter_read(counters, COUNTERS, 1, all), -EINVAL);
	assert_int_equal(counter_reset(counters, 1, UINT32_MAX), -EINVAL);
	assert_int_equal(counter_reset(counters, 0, COUNTERS), 0);
	assert_int_equal(packets_of(counters, 1024), 0);
	free(all);
	counter_store_free(counters);
	instance_free(instance);
}

static void the_injected_clock_is_the_agents_too(void **state)
{
	struct instance *instance = load();

	assert_int_equal(instance_set_clock(instance, 123456789), 0);
	assert_int_equal(instance_now_ns(instance), 123456789);
	instance_free(instance);
}

static void unload_leaves_nothing(void **state)
{
	struct instance *instance = load();
	struct pin pin = *instance_pin(instance);
	unsigned root = prog_id_of(instance_root_fd(instance, HOOK_XDP));

	instance_free(instance);
	assert_int_equal(instance_unload(NULL, lab_switch_name(), NULL), 0);
	assert_int_equal(access(pin.root, F_OK), -1);
	assert_true(lab_program_goes(root));
	assert_int_equal(instance_unload(NULL, lab_switch_name(), NULL), 0);
}

static void names_that_cannot_be_folders_are_refused(void **state)
{
	static const char *const names[] = {
		"",    "a.b",	     "../x",
		"a/b", "with space", "0123456789012345678901234567890123456789012345678901234567890123"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct instance *instance = NULL;
		char *why = NULL;

		assert_int_equal(instance_load(&(struct instance_options){.name = names[i]}, &instance, &why), -EINVAL);
		assert_non_null(strstr(why, "cannot name a switch"));
		free(why);
	}
}

/* In a child, because a mount namespace cannot be left. */
static int load_in_private_namespace(void)
{
	const struct instance_options options = {.name = lab_switch_name(), .bpffs = "/tmp"};
	struct instance *instance = NULL;
	char *why = NULL;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return LAB_SKIP;
	if (instance_load(&options, &instance, &why) != -EXDEV)
		return 1;
	return why && strstr(why, "nsenter --net") ? 0 : 2;
}

static void a_bpffs_that_would_vanish_is_refused(void **state)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(load_in_private_namespace());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == LAB_SKIP)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* In a child, as above: what the kernel says of its types is hidden. */
static int load_without_types(void)
{
	const struct instance_options options = {.name = lab_switch_name()};
	struct instance *instance = NULL;
	const char *blind;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/sys/kernel/btf", "tmpfs", 0, NULL) < 0)
		return LAB_SKIP;
	if (instance_load(&options, &instance, NULL) < 0)
		return 1;
	blind = instance_found(instance)->blind;
	if (!blind || !strstr(blind, "BTF") || instance_mark_attached(instance) < 0)
		return 2;
	instance_free(instance);
	return 0;
}

static void a_kernel_without_types_gets_the_switch_but_no_watchers(void **state)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(load_without_types());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == LAB_SKIP)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void watchers_are_attached_and_go_with_their_instance(void **state)
{
	struct instance *first = load(), *second;

	assert_null(instance_found(first)->blind);
	assert_true(exists(instance_pin(first), "instance-1/watch-failed_xmit"));
	assert_int_equal(instance_mark_attached(first), 0);
	second = load();
	assert_true(exists(instance_pin(second), "instance-1/watch-failed_xmit"));
	assert_true(exists(instance_pin(second), "instance-2/watch-failed_xmit"));
	assert_int_equal(instance_settle(second), 0);
	assert_false(exists(instance_pin(second), "instance-1"));
	instance_free(first);
	instance_free(second);
}

static void only_the_hooks_asked_for_are_loaded(void **state)
{
	struct instance *instance = load();

	assert_true(instance_root_fd(instance, HOOK_XDP) >= 0);
	assert_true(instance_root_fd(instance, HOOK_TC_INGRESS) < 0);
	assert_true(instance_root_fd(instance, HOOK_TC_EGRESS) < 0);
	instance_free(instance);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, clean, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_fresh_host_has_nothing_to_take_over),
		CASE(only_the_hooks_asked_for_are_loaded),
		CASE(a_commit_is_seen_in_the_map),
		CASE(the_last_element_of_the_mapped_tables_is_the_maps),
		CASE(a_second_instance_finds_version_flows_and_counters_of_the_first),
		CASE(an_instance_that_died_before_its_first_commit_hides_nothing),
		CASE(an_instance_that_may_be_on_a_port_is_kept),
		CASE(another_flow_format_says_what_is_lost),
		CASE(a_pinned_map_of_another_form_is_replaced_with_its_group),
		CASE(a_reset_holds_across_a_takeover),
		CASE(all_counters_are_read_in_pieces),
		CASE(the_injected_clock_is_the_agents_too),
		CASE(unload_leaves_nothing),
		CASE(names_that_cannot_be_folders_are_refused),
		CASE(a_bpffs_that_would_vanish_is_refused),
		CASE(watchers_are_attached_and_go_with_their_instance),
		CASE(a_kernel_without_types_gets_the_switch_but_no_watchers),
	};

	lab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
