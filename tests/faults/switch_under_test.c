/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "switch_under_test.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/xdp_link.h"
#include "inject.h"
#include "tests/datapath/agent_lab.h"
#include "tests/harness/frame.h"

enum { AT_ONCE = 16 };

static char state_path[] = "/tmp/mealy-fault-XXXXXX";

/* ---- packets ---- */

static struct {
	int root_fd;
	unsigned ifindex; /* The port may go meanwhile: then these frames come in by its number of before. */
	_Atomic uint64_t sent;
	atomic_bool stop, pause, paused;
	pthread_t thread;
} traffic;

/* Through the root, as the hook would call it.  The device of a test run is the loopback, which is a port too. */
static void *send_frames(void *data)
{
	struct frame frame = PKT(.ip_src = "192.0.2.1", .udp_dport = 9);
	struct xdp_md ctx = {.data_end = frame.size, .ingress_ifindex = traffic.ifindex};
	uint8_t out[FRAME_ROOM];

	inject_exempt();
	while (!traffic.stop) {
		traffic.paused = traffic.pause;
		if (traffic.paused) {
			usleep(100);
			continue;
		}
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data, .data_size_in = frame.size, .data_out = out,
			    .data_size_out = sizeof(out), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx),
			    .repeat = AT_ONCE);

		if (bpf_prog_test_run_opts(traffic.root_fd, &opts) == 0)
			traffic.sent += AT_ONCE;
		usleep(100);
	}
	return NULL;
}

static uint64_t exits(struct sut *sut, enum exit_reason reason)
{
	unsigned port = wiring_find(sut->wiring, "lo");
	struct counter counter;

	assert_int_equal(counter_read(sut->counters, COUNTER_EXIT(HOOK_XDP, port, reason), 1, &counter), 0);
	return counter.packets;
}

/* ---- applications ---- */

static struct desired *set_of(struct sut *sut, bool extra)
{
	struct desired *set = sut->versions ? desired_copy(versions_plan(sut->versions)->desired) : desired_new();
	char text[1024];
	struct deployment pair = {.name = "pair", .file = "pair.yaml", .switches = "", .text = text, .version = 1};
	struct deployment more = {.name = "extra",
				  .file = "extra.yaml",
				  .switches = "",
				  .hook = HOOK_TC_INGRESS,
				  .version = 1,
				  .text = "app: extra\n"
					  "tables:\n"
					  "  - name: t\n"
					  "    state: {lookup: [ip.src], capacity: 64, registers: [n]}\n"
					  "    rules: [{name: all, do: n += 1, action: pass}]\n"};

	snprintf(text, sizeof(text),
		 "app: pair\n"
		 "variables: [mark]\n"
		 "tables:\n"
		 "  - name: first\n"
		 "    state: {lookup: [ip.src], capacity: 64, registers: [n]}\n"
		 "    rules: [{name: all, do: n += 1; mark = %u}]\n"
		 "  - name: second\n"
		 "    rules:\n"
		 "      - {name: mixed, when: mark != %u, action: drop}\n"
		 "      - {name: pure, action: deliver}\n",
		 sut->number, sut->number);
	assert_non_null(set);
	assert_int_equal(desired_put(set, &pair, true), DESIRED_CHANGED);
	if (extra)
		assert_true(desired_put(set, &more, true) >= 0);
	else
		assert_true(desired_remove(set, "extra", 0) >= 0);
	return set;
}

struct desired *sut_next(struct sut *sut, bool extra)
{
	sut->number++;
	return set_of(sut, extra);
}

/* ---- checks ---- */

/* A port that is there keeps its root, whatever happened. */
static void check_root(struct sut *sut, const char *name)
{
	unsigned ifindex = if_nametoindex(name);
	struct xdp_there there = {};

	if (!ifindex)
		return;
	assert_int_equal(xdp_link_query(ifindex, &there), 0);
	if (there.prog_id != prog_id_of(instance_root_fd(sut->instance, HOOK_XDP)))
		fail_msg("%s has lost its root", name);
}

void sut_check(struct sut *sut)
{
	const struct plan *plan = versions_plan(sut->versions);
	unsigned slot = instance_active(sut->instance);
	struct desired *desired = NULL;
	struct registry *registry = NULL;
	uint64_t sent = traffic.sent;
	char *why = NULL;

	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		assert_int_equal(instance_chains(sut->instance)[CHAIN_INDEX(slot, hook)].version, plan->version);
	if (state_dir_read(sut->dir, plan->version, &desired, &registry, &why) < 0)
		fail_msg("the file of the version that runs: %s", why);
	assert_int_equal(desired_digest(desired), desired_digest(plan->desired));
	desired_free(desired);
	registry_free(registry);
	while (traffic.sent < sent + 2 * AT_ONCE)
		usleep(100);
	assert_int_equal(exits(sut, EXIT_DROP), 0);
	check_root(sut, "lo");
	check_root(sut, SUT_PORT);
}

static void check_flow_tables(struct sut *sut)
{
	const struct registry *registry = versions_plan(sut->versions)->registry;

	for (unsigned i = 0; i < FLOW_TABLES_MAX; i++) {
		struct flow_desc desc;
		bool there;

		assert_int_equal(bpf_map_lookup_elem(instance_map_fd(sut->instance, MAP_FLOW_DESC), &i, &desc), 0);
		there = desc.valid;
		if (there != registry_uses_flow(registry, i))
			fail_msg("flow table %u is %s", i, there ? "left over" : "missing");
	}
}

static void apply_next(struct sut *sut)
{
	char *text = NULL;

	if (versions_apply(sut->versions, sut_next(sut, false), &text) < 0)
		fail_msg("the next commit: %s", text ? text : "no memory");
	free(text);
}

void sut_commit(struct sut *sut)
{
	apply_next(sut);
	assert_string_equal(versions_problem(sut->versions), "");
	sut_check(sut);
	versions_settle(sut->versions);
	check_flow_tables(sut);
}

/* ---- one switch ---- */

void sut_make_port(void)
{
	lab_sh("ip link add " SUT_PORT " type veth peer name fault1 && ip link set " SUT_PORT " up");
}

void sut_drop_port(void)
{
	lab_sh("ip link del " SUT_PORT);
}

static void recover(struct sut *sut)
{
	struct version_parts parts = {.config = &sut->config,
				      .instance = sut->instance,
				      .flows = sut->flows,
				      .counters = sut->counters,
				      .dir = sut->dir};
	char *why = NULL;

	if (wiring_open(&sut->config, sut->instance, sut->dir, NULL, NULL, &sut->wiring, &why) < 0)
		fail_msg("wiring: %s", why);
	parts.wiring = sut->wiring;
	assert_int_equal(versions_new(&parts, &sut->versions), 0);
	if (versions_recover(sut->versions, &why) < 0)
		fail_msg("recover: %s", why);
}

static void forget(struct sut *sut)
{
	versions_free(sut->versions);
	wiring_close(sut->wiring);
	flow_store_free(sut->flows);
	sut->versions = NULL;
}

/* A start builds into the active slot of programs that no packet has met; these have. */
static void pause_traffic(bool pause)
{
	traffic.pause = pause;
	while (traffic.paused != pause)
		usleep(100);
}

void sut_restart(struct sut *sut)
{
	pause_traffic(true);
	forget(sut);
	assert_int_equal(flow_store_new(sut->instance, &sut->flows), 0);
	recover(sut);
	pause_traffic(false);
}

static void configure(struct sut *sut)
{
	char text[512], why[256];
	struct diag_list diags = {};

	config_init(&sut->config);
	snprintf(text, sizeof(text), "name: sut\nports: [lo, " SUT_PORT "]\nstate: %s\npin: %s\n", state_path,
		 lab_switch_name());
	assert_int_equal(config_parse(&sut->config, text, strlen(text), &diags), 0);
	assert_int_equal(config_complete(&sut->config, why), 0);
}

void sut_open(struct sut *sut)
{
	struct instance_options options = {.name = lab_switch_name()};
	char *why = NULL;

	lab_sh("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; ip link set lo up");
	sut_make_port();
	assert_non_null(mkdtemp(state_path));
	configure(sut);
	if (state_dir_open(state_path, &sut->dir, &why) < 0 || instance_load(&options, &sut->instance, &why) < 0 ||
	    counter_store_new(sut->instance, &sut->counters, &why) < 0)
		fail_msg("%s", why);
	assert_int_equal(flow_store_new(sut->instance, &sut->flows), 0);
	recover(sut);
	apply_next(sut);
	traffic.root_fd = instance_root_fd(sut->instance, HOOK_XDP);
	traffic.ifindex = if_nametoindex("lo");
	assert_int_equal(pthread_create(&traffic.thread, NULL, send_frames, NULL), 0);
}

static int add_first_register(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	const struct plan_table *table = versions_plan(((struct sut *)data)->versions)->table[HOOK_XDP][0];

	assert_int_equal(words[FLOW_HEAD_WORDS + table->layout->key_words], traffic.sent);
	return 0;
}

void sut_close(struct sut *sut)
{
	const struct plan_table *first = plan_find_table(versions_plan(sut->versions), "pair", "first");
	uint32_t cursor = 0;

	traffic.stop = true;
	pthread_join(traffic.thread, NULL);
	assert_int_equal(exits(sut, EXIT_DELIVER), traffic.sent);
	for (unsigned reason = 0; reason < EXIT_REASON_MAX; reason++)
		if (reason != EXIT_DELIVER)
			assert_int_equal(exits(sut, reason), 0);
	assert_int_equal(flow_store_count(sut->flows, plan_placement(first)->flow_table), 1);
	assert_int_equal(
		flow_store_walk(sut->flows, plan_placement(first)->flow_table, &cursor, 0, add_first_register, sut), 0);
	forget(sut);
	counter_store_free(sut->counters);
	instance_free(sut->instance);
	state_dir_close(sut->dir);
	config_done(&sut->config);
	assert_int_equal(state_dir_forget(state_path, NULL), 0);
}
