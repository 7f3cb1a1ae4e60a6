/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of an agent's start fail: frames go on by what was there, and the next start takes over version and flows. */
#include <bpf/bpf.h>
#include <ev.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/agent.h"
#include "agent/xdp_link.h"
#include "common/log.h"
#include "inject.h"
#include "tests/datapath/agent_lab.h"
#include "tests/harness/frame.h"

/* A start takes seconds, most of them the verifier's, and each trial starts twice. */
enum { AT_ONCE = 16, TRIALS = 4 };

static const char counting[] = "app: counting\n"
			       "tables:\n"
			       "  - name: t\n"
			       "    state: {lookup: [ip.src], capacity: 64, registers: [n]}\n"
			       "    rules: [{name: all, do: n += 1, action: deliver}]\n";

static char state_path[] = "/tmp/mealy-start-XXXXXX";
static struct config config;
static struct ev_loop *loop;
static uint64_t sent, version;

/* ---- one agent ---- */

static struct agent *start(void)
{
	struct agent *agent = NULL;
	char *why = NULL;

	if (agent_new(&config, loop, &agent, &why) < 0)
		fail_msg("start: %s", why ? why : "?");
	return agent;
}

static void deploy(struct agent *agent)
{
	struct deployment app = {
		.name = "counting", .file = "counting.yaml", .switches = "", .text = counting, .version = 1};
	struct desired *desired = desired_copy(versions_plan(agent->versions)->desired);
	char *why = NULL;

	assert_non_null(desired);
	assert_int_equal(desired_put(desired, &app, true), DESIRED_CHANGED);
	if (versions_apply(agent->versions, desired, &why) < 0)
		fail_msg("deploy: %s", why ? why : "?");
	version = versions_plan(agent->versions)->version;
}

/* ---- frames ---- */

/* Through the root that is on the port now, whichever instance it is of. */
static void send_frames(void)
{
	struct frame frame = PKT(.ip_src = "192.0.2.1", .udp_dport = 9);
	unsigned ifindex = if_nametoindex("lo");
	struct xdp_md ctx = {.data_end = frame.size, .ingress_ifindex = ifindex};
	struct xdp_there there = {};
	uint8_t out[FRAME_ROOM];
	int fd;

	assert_int_equal(xdp_link_query(ifindex, &there), 0);
	fd = bpf_prog_get_fd_by_id(there.prog_id);
	if (fd < 0)
		fail_msg("the port has lost its root");
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data, .data_size_in = frame.size, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = AT_ONCE);
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	assert_int_equal(opts.retval, XDP_PASS);
	sent += AT_ONCE;
	close(fd);
}

static int has_all_frames(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	const struct plan_table *table = data;

	assert_int_equal(words[FLOW_HEAD_WORDS + table->layout->key_words], sent);
	return 0;
}

/* What runs is what was deployed, and every frame ever sent is in its flow. */
static void check(struct agent *agent)
{
	const struct plan_table *table = plan_find_table(versions_plan(agent->versions), "counting", "t");
	uint32_t cursor = 0;

	assert_int_equal(versions_plan(agent->versions)->version, version);
	assert_non_null(table);
	send_frames();
	assert_int_equal(flow_store_count(agent->flows, plan_placement(table)->flow_table), 1);
	assert_int_equal(flow_store_walk(agent->flows, plan_placement(table)->flow_table, &cursor, 0, has_all_frames,
					 (void *)table),
			 0);
}

/* ---- faults ---- */

/* True if the start was refused. */
static bool start_with_fault(unsigned n)
{
	struct agent *agent = NULL;
	char *why = NULL;
	const char *name;
	int r;

	inject_arm(INJECT_SYSTEM, n, INJECT_ONCE);
	r = agent_new(&config, loop, &agent, &why);
	name = inject_disarm();
	if (r < 0 && !name)
		fail_msg("no call failed, but the start did: %s", why ? why : "?");
	print_message("call %u, %s: %s\n", n, name ? name : "-", r < 0 ? why ? why : strerror(-r) : "started");
	if (r == 0)
		check(agent);
	else
		send_frames();
	agent_free(r == 0 ? agent : NULL);
	free(why);
	return r < 0;
}

static unsigned count_calls(void)
{
	struct agent *agent;
	unsigned n;

	inject_arm(INJECT_SYSTEM, 0, INJECT_ONCE);
	agent = start();
	n = inject_count();
	inject_disarm();
	check(agent);
	agent_free(agent);
	return n;
}

static void calls_of_a_start_fail(void **state)
{
	unsigned calls = count_calls(), trials = getenv("MEALY_LONG") ? calls : TRIALS, refused = 0;

	assert_true(calls > TRIALS);
	for (unsigned i = 0; i < trials; i++) {
		/* From the last one, which is always tried, to one among those that look at what the agent before left.
		 */
		bool failed = start_with_fault(calls - i * (uint64_t)calls / trials);
		struct agent *agent = start();

		refused += failed;
		check(agent);
		agent_free(agent);
	}
	printf("a start: %u calls, %u tried, %u refuse it\n", calls, trials, refused);
	assert_true(refused > trials / 4);
}

static int set_up(void **state)
{
	char text[512], why[256];
	struct diag_list diags = {};
	struct agent *agent;

	lab_sh("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; ip link set lo up");
	assert_non_null(mkdtemp(state_path));
	config_init(&config);
	snprintf(text, sizeof(text), "name: start\nports: [lo]\nstate: %s\npin: %s\nsocket: \"\"\n", state_path,
		 lab_switch_name());
	assert_int_equal(config_parse(&config, text, strlen(text), &diags), 0);
	assert_int_equal(config_complete(&config, why), 0);
	loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(loop);
	agent = start();
	deploy(agent);
	check(agent);
	agent_free(agent);
	return 0;
}

static int tear_down(void **state)
{
	ev_loop_destroy(loop);
	config_done(&config);
	assert_int_equal(state_dir_forget(state_path, NULL), 0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_of_a_start_fail),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_set_level(LOG_LEVEL_ERROR);
	lab_enter();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
