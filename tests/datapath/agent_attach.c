// SPDX-License-Identifier: GPL-2.0-or-later
/* Roots on the hooks of veths: put there, taken over, moved between modes, taken away. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/attach.h"
#include "agent/counter.h"
#include "agent/host.h"
#include "agent/pin.h"
#include "agent/port.h"
#include "agent/tc_filter.h"
#include "agent/xdp_link.h"
#include "agent_lab.h"

enum {
	ALL = 1 << HOOK_XDP | 1 << HOOK_TC_INGRESS | 1 << HOOK_TC_EGRESS,
	XDP = 1 << HOOK_XDP,
	KERNEL_TCX = 6 << 16 | 6 << 8,
};

static struct instance *load(unsigned hooks)
{
	const struct instance_options options = {.name = lab_switch_name(), .hooks = hooks};
	struct instance *instance = NULL;
	char *why = NULL;

	if (instance_load(&options, &instance, &why) < 0)
		fail_msg("instance_load: %s", why);
	return instance;
}

static struct attach *open_attach(struct instance *instance, enum xdp_mode xdp, enum tc_mode tc)
{
	struct attach *attach = NULL;

	assert_int_equal(attach_new(instance, xdp, tc, &attach), 0);
	return attach;
}

static void set(struct attach *attach, unsigned ifindex, unsigned hooks)
{
	char *why = NULL;

	if (attach_set(attach, ifindex, hooks, &why) < 0)
		fail_msg("attach_set: %s", why);
}

static int set_up(void **state)
{
	instance_unload(NULL, lab_switch_name(), NULL);
	/* No frames but those of the tests. */
	lab_sh("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 && ip link add a0 type veth peer name b0 && "
	       "ip link set a0 up && ip link set b0 up");
	return 0;
}

static int tear_down(void **state)
{
	int r = instance_unload(NULL, lab_switch_name(), NULL);

	lab_sh("ip link del a0 2>/dev/null; true");
	return r;
}

static struct xdp_there xdp_of(unsigned ifindex)
{
	struct xdp_there there = {};

	assert_int_equal(xdp_link_query(ifindex, &there), 0);
	return there;
}

static bool is_pinned(struct instance *instance, const char *name, unsigned ifindex)
{
	char path[PIN_PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s-%u", instance_pin(instance)->links, name, ifindex);
	return access(path, F_OK) == 0;
}

static unsigned link_id(struct instance *instance, const char *name, unsigned ifindex)
{
	struct bpf_link_info info = {};
	char path[PIN_PATH_MAX + 64];
	__u32 size = sizeof(info);
	int fd;

	snprintf(path, sizeof(path), "%s/%s-%u", instance_pin(instance)->links, name, ifindex);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	close(fd);
	return info.id;
}

static void roots_come_and_go_hook_by_hook(void **state)
{
	struct instance *instance = load(ALL);
	struct attach *attach = open_attach(instance, XDP_MODE_AUTO, TC_MODE_AUTO);
	unsigned a0 = if_nametoindex("a0");
	struct attach_state there;

	assert_int_equal(attach_get(attach, a0, &there), -ENOENT);
	set(attach, a0, ALL);
	set(attach, a0, ALL);
	assert_int_equal(attach_get(attach, a0, &there), 0);
	assert_int_equal(there.hooks, ALL);
	assert_false(there.generic);
	assert_int_equal(there.tcx, host_kernel_version() >= KERNEL_TCX);
	assert_int_equal(xdp_of(a0).prog_id, prog_id_of(instance_root_fd(instance, HOOK_XDP)));

	set(attach, a0, XDP);
	assert_int_equal(attach_get(attach, a0, &there), 0);
	assert_int_equal(there.hooks, XDP);
	assert_false(is_pinned(instance, "tcx-in", a0));
	set(attach, a0, 0);
	assert_int_equal(xdp_of(a0).prog_id, 0);

	set(attach, a0, ALL);
	attach_drop(attach, a0);
	assert_int_equal(attach_get(attach, a0, &there), -ENOENT);
	assert_int_equal(xdp_of(a0).prog_id, 0);
	attach_free(attach);
	instance_free(instance);
}

static void xdp_runs_on_skbs_when_asked(void **state)
{
	struct instance *instance = load(XDP);
	struct attach *attach = open_attach(instance, XDP_MODE_GENERIC, TC_MODE_AUTO);
	unsigned a0 = if_nametoindex("a0");
	struct attach_state there;

	set(attach, a0, XDP);
	assert_int_equal(attach_get(attach, a0, &there), 0);
	assert_true(there.generic);
	assert_true(xdp_of(a0).generic);
	attach_free(attach);

	/* The next agent was told otherwise. */
	attach = open_attach(instance, XDP_MODE_NATIVE, TC_MODE_AUTO);
	set(attach, a0, XDP);
	assert_false(xdp_of(a0).generic);
	attach_free(attach);
	instance_free(instance);
}

static void a_driver_without_xdp_falls_back_or_says_no(void **state)
{
	struct instance *instance = load(XDP);
	struct attach *native = open_attach(instance, XDP_MODE_NATIVE, TC_MODE_AUTO);
	struct attach *any = open_attach(instance, XDP_MODE_AUTO, TC_MODE_AUTO);
	struct attach_state there;
	unsigned lo = if_nametoindex("lo");
	char *why = NULL;

	assert_true(attach_set(native, lo, XDP, &why) < 0);
	assert_non_null(strstr(why, "lo: attaching at XDP (native) failed"));
	free(why);
	set(any, lo, XDP);
	assert_int_equal(attach_get(any, lo, &there), 0);
	assert_true(there.generic);
	attach_drop(any, lo);
	attach_free(any);
	attach_free(native);
	instance_free(instance);
}

static void take_over_in_place(enum tc_mode tc, const char *in)
{
	struct instance *first = load(ALL), *second;
	struct attach *attach = open_attach(first, XDP_MODE_AUTO, tc);
	unsigned a0 = if_nametoindex("a0"), xdp_id, old_root = prog_id_of(instance_root_fd(first, HOOK_XDP));
	struct attach_state there;

	set(attach, a0, ALL);
	xdp_id = link_id(first, "xdp", a0);
	assert_true(is_pinned(first, in, a0));
	attach_free(attach);
	instance_free(first);
	assert_int_equal(xdp_of(a0).prog_id, old_root); /* Nobody is there, and it goes on. */

	second = load(ALL);
	attach = open_attach(second, XDP_MODE_AUTO, tc);
	assert_int_equal(xdp_of(a0).prog_id, old_root);
	set(attach, a0, ALL);
	assert_int_equal(link_id(second, "xdp", a0), xdp_id); /* The same link with another program. */
	assert_int_equal(xdp_of(a0).prog_id, prog_id_of(instance_root_fd(second, HOOK_XDP)));
	attach_settle(attach);
	assert_int_equal(instance_settle(second), 0);
	assert_int_equal(attach_get(attach, a0, &there), 0);
	assert_int_equal(there.hooks, ALL);
	attach_free(attach);
	instance_free(second);
}

static void a_takeover_updates_links_in_place(void **state)
{
	if (host_kernel_version() < KERNEL_TCX)
		skip();
	take_over_in_place(TC_MODE_TCX, "tcx-in");
}

static void a_takeover_replaces_filters_in_place(void **state)
{
	take_over_in_place(TC_MODE_FILTER, "filter-in");
}

/* ---- under load ---- */

enum { LOAD_FRAMES = 20000, LOAD_BURST = 20, TAKEOVERS = 4 };

/* Paced, so that the veth's ring never drops. */
static int send_frames(void)
{
	static const unsigned char frame[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5};
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex("b0")};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	for (int i = 0; i < LOAD_FRAMES; i++) {
		if (sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(frame))
			return 1;
		if (i % LOAD_BURST == 0)
			usleep(1000);
	}
	return 0;
}

static uint64_t seen_by_xdp(struct instance *instance, unsigned port)
{
	struct counter counter[EXIT_REASON_MAX];
	struct counter_store *counters = NULL;
	uint64_t sum = 0;

	assert_int_equal(counter_store_new(instance, &counters, NULL), 0);
	assert_int_equal(counter_read(counters, COUNTER_EXIT(HOOK_XDP, port, 0), EXIT_REASON_MAX, counter), 0);
	for (unsigned reason = 0; reason < EXIT_REASON_MAX; reason++)
		sum += counter[reason].packets;
	counter_store_free(counters);
	return sum;
}

/* What an agent does at its start, and then it dies. */
static void start_and_die(void)
{
	const struct port_pattern pattern[] = {{"a0", 1}};
	const struct port_options options = {.pattern = pattern, .n_patterns = 1};
	struct instance *instance = load(ALL);
	struct attach *attach = open_attach(instance, XDP_MODE_NATIVE, TC_MODE_AUTO);
	struct port_list *ports = NULL;

	assert_int_equal(port_open(instance, &options, &ports, NULL), 0);
	set(attach, if_nametoindex("a0"), ALL);
	attach_settle(attach);
	assert_int_equal(instance_settle(instance), 0);
	port_close(ports);
	attach_free(attach);
	instance_free(instance);
}

static void takeovers_under_load_lose_no_frame(void **state)
{
	struct instance *instance;
	int status = -1;
	pid_t child;

	start_and_die();
	instance = load(ALL);
	assert_int_equal(seen_by_xdp(instance, 1), 0);
	instance_free(instance);

	child = fork();
	if (child == 0)
		_exit(send_frames());
	for (int i = 0; i < TAKEOVERS; i++)
		start_and_die();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);

	instance = load(ALL);
	assert_int_equal(seen_by_xdp(instance, 1), LOAD_FRAMES);
	instance_free(instance);
}

static void interfaces_that_are_no_ports_any_more_are_let_go(void **state)
{
	struct instance *instance = load(ALL);
	struct attach *attach = open_attach(instance, XDP_MODE_AUTO, TC_MODE_AUTO);
	unsigned a0 = if_nametoindex("a0"), b0 = if_nametoindex("b0");

	set(attach, a0, XDP);
	set(attach, b0, ALL);
	attach_free(attach);

	attach = open_attach(instance, XDP_MODE_AUTO, TC_MODE_AUTO);
	set(attach, a0, XDP);
	attach_settle(attach);
	assert_int_equal(xdp_of(b0).prog_id, 0);
	assert_int_not_equal(xdp_of(a0).prog_id, 0);
	assert_false(is_pinned(instance, "xdp", b0));
	attach_free(attach);
	instance_free(instance);
}

static void a_foreign_xdp_program_is_named_and_left_alone(void **state)
{
	struct instance *instance = load(ALL), *other;
	struct attach *attach = open_attach(instance, XDP_MODE_AUTO, TC_MODE_AUTO);
	unsigned a0 = if_nametoindex("a0"), theirs;
	char *why = NULL, id[32];
	int link;
	bool generic;

	other = load(XDP); /* Its root stands for somebody's program. */
	theirs = prog_id_of(instance_root_fd(other, HOOK_XDP));
	link = xdp_link_create(instance_root_fd(other, HOOK_XDP), a0, XDP_MODE_AUTO, &generic);
	assert_true(link >= 0);

	assert_int_equal(attach_set(attach, a0, ALL, &why), -EBUSY);
	snprintf(id, sizeof(id), "(id %u)", theirs);
	assert_non_null(strstr(why, id));
	assert_non_null(strstr(why, "\"xdp_root\""));
	assert_non_null(strstr(why, "a0"));
	free(why);
	assert_int_equal(xdp_of(a0).prog_id, theirs);
	close(link);
	set(attach, a0, ALL);
	attach_free(attach);
	instance_free(other);
	instance_free(instance);
}

static void a_foreign_filter_in_our_place_is_left_alone(void **state)
{
	struct instance *instance = load(ALL);
	struct attach *attach = open_attach(instance, XDP_MODE_AUTO, TC_MODE_FILTER);
	unsigned a0 = if_nametoindex("a0");
	struct bpf_tc_hook hook = {.sz = sizeof(hook), .ifindex = a0, .attach_point = BPF_TC_INGRESS};
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_FILTER_HANDLE, .priority = TC_FILTER_PRIORITY,
		    .prog_fd = instance_root_fd(instance, HOOK_TC_EGRESS));
	char *why = NULL;

	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0); /* Not the program of this side, so not ours. */
	assert_int_equal(attach_set(attach, a0, ALL, &why), -EBUSY);
	assert_non_null(strstr(why, "taken by another program"));
	free(why);
	attach_drop(attach, a0);
	opts.prog_fd = opts.prog_id = opts.flags = 0;
	assert_int_equal(bpf_tc_query(&hook, &opts), 0);
	attach_free(attach);
	instance_free(instance);
}

static void the_qdisc_stays_while_others_use_it(void **state)
{
	struct instance *instance = load(ALL);
	struct attach *attach = open_attach(instance, XDP_MODE_AUTO, TC_MODE_FILTER);
	unsigned a0 = if_nametoindex("a0");
	struct bpf_tc_hook hook = {.sz = sizeof(hook), .ifindex = a0, .attach_point = BPF_TC_EGRESS};
	LIBBPF_OPTS(bpf_tc_opts, theirs, .handle = 1, .priority = 7,
		    .prog_fd = instance_root_fd(instance, HOOK_TC_EGRESS));

	set(attach, a0, ALL);
	assert_int_equal(bpf_tc_attach(&hook, &theirs), 0);
	attach_drop(attach, a0);
	theirs.prog_fd = theirs.prog_id = 0;
	assert_int_equal(bpf_tc_query(&hook, &theirs), 0);
	lab_sh("tc qdisc show dev a0 | grep -q clsact");

	lab_sh("tc qdisc del dev a0 clsact");
	set(attach, a0, ALL);
	attach_drop(attach, a0);
	lab_sh("! tc qdisc show dev a0 | grep -q clsact");

	lab_sh("tc qdisc add dev a0 clsact"); /* Somebody else's, empty. */
	set(attach, a0, ALL);
	attach_drop(attach, a0);
	lab_sh("tc qdisc show dev a0 | grep -q clsact");
	attach_free(attach);
	instance_free(instance);
}

static void an_interface_that_is_gone_leaves_nothing(void **state)
{
	struct instance *instance = load(ALL);
	struct attach *attach = open_attach(instance, XDP_MODE_AUTO, TC_MODE_AUTO);
	unsigned a0 = if_nametoindex("a0");

	set(attach, a0, ALL);
	lab_sh("ip link del a0");
	assert_int_equal(attach_set(attach, a0, ALL, NULL), -ENODEV);
	attach_free(attach);

	attach = open_attach(instance, XDP_MODE_AUTO, TC_MODE_AUTO); /* An agent that was away meanwhile. */
	attach_settle(attach);
	assert_false(is_pinned(instance, "xdp", a0));
	assert_false(is_pinned(instance, "tcx-in", a0));
	attach_free(attach);
	instance_free(instance);
}

static void unload_detaches_everything(void **state)
{
	unsigned a0 = if_nametoindex("a0"), b0 = if_nametoindex("b0"), root[HOOK_MAX];
	struct instance *instance = load(ALL);
	struct attach *filters = open_attach(instance, XDP_MODE_GENERIC, TC_MODE_FILTER);
	struct attach *links = open_attach(instance, XDP_MODE_AUTO, TC_MODE_AUTO);

	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		root[hook] = prog_id_of(instance_root_fd(instance, hook));
	set(filters, a0, ALL);
	set(links, b0, ALL);
	attach_free(filters);
	attach_free(links);
	instance_free(instance);

	assert_int_equal(instance_unload(NULL, lab_switch_name(), NULL), 0);
	assert_int_equal(xdp_of(a0).prog_id, 0);
	assert_int_equal(xdp_of(b0).prog_id, 0);
	lab_sh("! tc qdisc show dev a0 | grep -q clsact");
	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		assert_true(lab_program_goes(root[hook]));
}

static void ports_reach_the_datapaths_maps(void **state)
{
	const struct port_pattern pattern[] = {{"a0", 9}, {"b*", 0}};
	const struct port_options options = {.pattern = pattern, .n_patterns = 2};
	struct instance *instance = load(XDP);
	struct port_list *ports = NULL;
	__u32 a0 = if_nametoindex("a0"), line = a0 & (PORT_LINES - 1), nine = 9, target = 0, number = 0;
	struct port_line found = {};
	struct port_info info = {};

	assert_int_equal(port_open(instance, &options, &ports, NULL), 0);
	assert_int_equal(bpf_map_lookup_elem(instance_map_fd(instance, MAP_PORT_OF_IFINDEX), &line, &found), 0);
	assert_int_equal(found.ifindex, a0);
	assert_int_equal(found.port, 9);
	assert_int_equal(bpf_map_lookup_elem(instance_map_fd(instance, MAP_PORTS), &nine, &info), 0);
	assert_int_equal(info.ifindex, a0);
	assert_int_equal(bpf_map_lookup_elem(instance_map_fd(instance, MAP_TX_PORTS), &nine, &target), 0);
	assert_int_equal(target, a0);

	/* An interface on the same line finds its number in the hash map. */
	lab_sh("ip link add b7 index %u type bridge", a0 + PORT_LINES);
	assert_int_equal(port_run(ports), 0);
	a0 += PORT_LINES;
	assert_int_equal(bpf_map_lookup_elem(instance_map_fd(instance, MAP_PORT_HASH), &a0, &number), 0);
	assert_int_equal(number, port_find(ports, "b7")->number);

	lab_sh("ip link del b7 && ip link del a0");
	assert_int_equal(port_run(ports), 0);
	assert_int_equal(bpf_map_lookup_elem(instance_map_fd(instance, MAP_PORT_HASH), &a0, &number), -ENOENT);
	assert_int_equal(bpf_map_lookup_elem(instance_map_fd(instance, MAP_PORT_OF_IFINDEX), &line, &found), 0);
	assert_int_equal(found.ifindex, 0);
	assert_int_equal(bpf_map_lookup_elem(instance_map_fd(instance, MAP_TX_PORTS), &nine, &target), -ENOENT);
	port_close(ports);
	instance_free(instance);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(roots_come_and_go_hook_by_hook),
		CASE(xdp_runs_on_skbs_when_asked),
		CASE(a_driver_without_xdp_falls_back_or_says_no),
		CASE(a_takeover_updates_links_in_place),
		CASE(a_takeover_replaces_filters_in_place),
		CASE(takeovers_under_load_lose_no_frame),
		CASE(interfaces_that_are_no_ports_any_more_are_let_go),
		CASE(a_foreign_xdp_program_is_named_and_left_alone),
		CASE(a_foreign_filter_in_our_place_is_left_alone),
		CASE(the_qdisc_stays_while_others_use_it),
		CASE(an_interface_that_is_gone_leaves_nothing),
		CASE(unload_detaches_everything),
		CASE(ports_reach_the_datapaths_maps),
	};

	lab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
