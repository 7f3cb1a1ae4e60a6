// SPDX-License-Identifier: GPL-2.0-or-later
/* bench - what a packet costs, beside an empty program and a token bucket written by hand.
 *
 * Each candidate stands behind the same wheel (hand.bpf.c), which gives every round another source; "ns" is less the
 * floor, that is the empty program behind the wheel of the same hook. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../agent/flow_store.h"
#include "../harness/rig.h"
#include "hand.h"
#include "live.h"
#include "quiet.h"
#include "report.h"

enum { SLICE = 50000, MANY = 1 << 20 };

#define BUCKET "examples/token-bucket.yaml"

struct run {
	int fd;
	bool tc;
	unsigned ifindex;
	struct frame frame;
	struct rig *rig; /* Native. */
	unsigned flows;
	uint64_t seed;
};

static double cpu_seconds = 6;

static void fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- one slice ------------------------------------------------------------------------------- */

static double slice_kernel(void *data)
{
	struct run *run = data;
	uint8_t out[FRAME_ROOM];
	struct xdp_md xdp = {.data_end = run->frame.size, .ingress_ifindex = run->ifindex};
	struct __sk_buff skb = {.ifindex = run->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = run->frame.data, .data_size_in = run->frame.size,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = SLICE);

	opts.ctx_in = run->tc ? (void *)&skb : (void *)&xdp;
	opts.ctx_size_in = run->tc ? sizeof(skb) : sizeof(xdp);
	if (bpf_prog_test_run_opts(run->fd, &opts))
		return -1;
	if (!run->tc && opts.retval == 0) /* XDP_ABORTED: the wheel found nothing to turn to. */
		return -1;
	return opts.duration;
}

static double slice_native(void *data)
{
	struct run *run = data;
	uint64_t begin = quiet_now_ns();

	rig_repeat(run->rig, 1, run->frame, SLICE);
	return (double)(quiet_now_ns() - begin) / SLICE;
}

static struct rig *bucket_rig(enum rig_tier tier, unsigned flows)
{
	struct rig *rig = rig_open_live(tier);
	char sources[32];

	snprintf(sources, sizeof(sources), "sources=%u", flows > 65536 ? flows : 65536);
	rig_load(rig, BUCKET, sources, NULL);
	rig_commit(rig);
	return rig;
}

/* ---- cases ------------------------------------------------------------------------------------------ */

static void row_of(const char *what, const char *program, const char *tier, const char *hook, unsigned flows,
		   const struct quiet_candidate *c, const struct quiet_candidate *floor,
		   const struct quiet_candidate *hand)
{
	struct report_row row = {.what = what,
				 .program = program,
				 .tier = tier,
				 .hook = hook,
				 .flows = flows,
				 .gross_ns = c->median,
				 .ns = c->median - (floor ? floor->median : 0),
				 .minimum_ns = c->minimum - (floor ? floor->minimum : 0),
				 .plain_median_ns = c->plain_median,
				 .n_kept = c->n_kept,
				 .n_all = c->n_all};

	if (hand && c != floor) {
		row.ratio = row.ns / (hand->median - floor->median);
		row.ratio_minimum = row.minimum_ns / (hand->minimum - floor->minimum);
	}
	report_row(&row);
}

static void token_bucket(const char *what, unsigned flows)
{
	enum { EMPTY, HAND, XDP, SPECIAL, EMPTY_TC, TC, NATIVE, N };
	static struct quiet_candidate c[N];
	static struct run run[N];
	struct rig *xdp = bucket_rig(RIG_XDP, flows), *tc = bucket_rig(RIG_TC_INGRESS, flows),
		   *special = bucket_rig(RIG_SPECIALISED, flows), *native = bucket_rig(RIG_NATIVE, 65536);
	struct bpf_object *object[N] = {};

	memset(c, 0, sizeof(c));
	for (unsigned i = 0; i < NATIVE; i++) {
		bool is_tc = i == EMPTY_TC || i == TC;
		int target;

		object[i] = hand_open(flows, false, 0);
		target = i == EMPTY	 ? hand_fd(object[i], "empty_xdp")
			 : i == EMPTY_TC ? hand_fd(object[i], "empty_tc")
			 : i == HAND	 ? hand_fd(object[i], "hand_bucket")
					 : rig_root_fd(i == XDP	      ? xdp
						       : i == SPECIAL ? special
								      : tc);
		run[i] = (struct run){.fd = hand_wheel(object[i], is_tc, target),
				      .tc = is_tc,
				      .ifindex = rig_ifindex(xdp, 1),
				      .frame = PKT(.udp_dport = 9)};
		c[i] = (struct quiet_candidate){.name = what, .slice = slice_kernel, .data = &run[i]};
	}
	run[NATIVE] = (struct run){.rig = native, .frame = PKT(.udp_dport = 9)};
	c[NATIVE] = (struct quiet_candidate){.name = what, .slice = slice_native, .data = &run[NATIVE]};
	/* Many flows: let every source have its record before anything counts. */
	for (unsigned i = 0; flows > 1 && i < NATIVE; i++)
		for (unsigned round = 0; round < 4 * flows / SLICE; round++)
			if (slice_kernel(&run[i]) < 0)
				fail("warm-up");
	quiet_run(c, flows > 1 ? NATIVE : N, cpu_seconds, 0);
	row_of(what, "empty", "-", "xdp", flows, &c[EMPTY], &c[EMPTY], &c[HAND]);
	row_of(what, "hand-written", "-", "xdp", flows, &c[HAND], &c[EMPTY], &c[HAND]);
	row_of(what, "mealy", "interpreter", "xdp", flows, &c[XDP], &c[EMPTY], &c[HAND]);
	row_of(what, "mealy", "specialised", "xdp", flows, &c[SPECIAL], &c[EMPTY], &c[HAND]);
	row_of(what, "empty", "-", "tc-ingress", flows, &c[EMPTY_TC], &c[EMPTY_TC], NULL);
	row_of(what, "mealy", "interpreter", "tc-ingress", flows, &c[TC], &c[EMPTY_TC], NULL);
	if (flows == 1)
		row_of(what, "mealy", "native", "-", flows, &c[NATIVE], NULL, NULL);
	for (unsigned i = 0; i < N; i++)
		bpf_object__close(object[i]);
	rig_close(xdp);
	rig_close(special);
	rig_close(tc);
	rig_close(native);
}

static double bytes_a_flow(unsigned capacity)
{
	const struct flow_spec spec = {.capacity = capacity, .record_class = RECORD_64, .key_words = 2};

	return (double)flow_store_memory(&spec) / capacity;
}

/* Every packet is a new flow, until the table is nearly full; then everything again in a fresh table. */
static void creation(unsigned rounds)
{
	double best_hand = 1e18, best_mealy = 1e18;

	for (unsigned round = 0; round < rounds; round++) {
		struct rig *rig = bucket_rig(RIG_XDP, MANY);
		struct bpf_object *hand = hand_open(MANY, true, 0), *mealy = hand_open(MANY, true, 0);
		struct run a = {.fd = hand_wheel(hand, false, hand_fd(hand, "hand_bucket")),
				.ifindex = rig_ifindex(rig, 1),
				.frame = PKT(.udp_dport = 9)};
		struct run b = {.fd = hand_wheel(mealy, false, rig_root_fd(rig)),
				.ifindex = rig_ifindex(rig, 1),
				.frame = PKT(.udp_dport = 9)};

		for (unsigned i = 0; i < MANY / SLICE; i++) {
			double x = slice_kernel(&a), y = slice_kernel(&b);

			best_hand = x < best_hand ? x : best_hand;
			best_mealy = y < best_mealy ? y : best_mealy;
		}
		if (rig_flows(rig, "token-bucket/police", NULL, NULL) < MANY / SLICE * SLICE)
			fail("creation: flows are missing");
		bpf_object__close(hand);
		bpf_object__close(mealy);
		rig_close(rig);
	}
	report_figure("flows created per second, hand-written", 1e9 / best_hand, "flows/s");
	report_figure("flows created per second", 1e9 / best_mealy, "flows/s");
	report_figure("bytes a flow, 1,000,000 flows", bytes_a_flow(1000000), "bytes");
}

/* A ternary match table.  One entry takes every source; of 'n' entries, each a source's, a tenth has each of ten masks,
 * which differ in the bit of the port that they compare.  What has no entry is searched under all of them. */
static struct rig *entries_rig(unsigned n)
{
	struct rig *rig = rig_open_live(RIG_XDP);
	char cells[128];

	rig_load(rig,
		 "app: acl\ntables:\n  - name: t\n    key: {ip.src: ternary, udp.dst: ternary}\n    capacity: 16384\n"
		 "    action: drop\n    otherwise: drop\n",
		 NULL);
	rig_commit(rig);
	for (unsigned i = 0; i < n; i++) {
		unsigned bit = 1u << i % 10;

		snprintf(cells, sizeof(cells), "ip.src=10.0.%u.%u udp.dst=%u/%u", i >> 8, i & 255, 9 & bit, bit);
		if (rig_put_entry(rig, "acl/t", n == 1 ? "ip.src=10.0.0.0/8" : cells) < 0)
			fail("entries");
	}
	return rig;
}

static void entries(void)
{
	enum { EMPTY, ONE, MANY_RULES, N, RULES = 10000, SOURCES = 16384 };
	static struct quiet_candidate c[N];
	static struct run run[N];
	struct rig *rig[N] = {NULL, entries_rig(1), entries_rig(RULES)};
	struct bpf_object *object[N];

	memset(c, 0, sizeof(c));
	for (unsigned i = 0; i < N; i++) {
		object[i] = hand_open(SOURCES, false, 0);
		run[i] = (struct run){
			.fd = hand_wheel(object[i], false,
					 i == EMPTY ? hand_fd(object[i], "empty_xdp") : rig_root_fd(rig[i])),
			.ifindex = rig_ifindex(rig[ONE], 1),
			.frame = PKT(.udp_dport = 9),
		};
		c[i] = (struct quiet_candidate){.name = "entries", .slice = slice_kernel, .data = &run[i]};
	}
	quiet_run(c, N, cpu_seconds, 0);
	row_of("entries", "empty", "-", "xdp", 0, &c[EMPTY], &c[EMPTY], NULL);
	row_of("entries", "mealy", "interpreter", "xdp", 1, &c[ONE], &c[EMPTY], &c[ONE]);
	row_of("entries", "mealy", "interpreter", "xdp", RULES, &c[MANY_RULES], &c[EMPTY], &c[ONE]);
	for (unsigned i = 0; i < N; i++) {
		bpf_object__close(object[i]);
		rig_close(rig[i]);
	}
}

static int usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: mealy-bench [--quick] [--json] [one-flow|many-flows|entries|create|live]...\n"
		"       mealy-bench --fill INTERFACE    a million frames of a million sources\n"
		"Example: mealy-bench --quick one-flow\n");
	return status;
}

static bool wanted(int argc, char **argv, const char *name)
{
	bool any = false;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		if (!strcmp(argv[i], name))
			return true;
		any = true;
	}
	return !any;
}

int main(int argc, char **argv)
{
	bool json = false, quick = false;
	const char *fill = NULL;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (!strcmp(argv[i], "--quick"))
			quick = true;
		else if (!strcmp(argv[i], "--fill") && i + 1 < argc)
			fill = argv[++i];
		else if (!strcmp(argv[i], "--help"))
			return usage(0);
		else if (argv[i][0] == '-')
			return usage(2);
	}
	if (!rig_can(RIG_XDP)) {
		fprintf(stderr, "bench: needs root\n");
		return 1;
	}
	cpu_seconds = quick ? 6 : 30;
	if (fill)
		return live_fill(fill);
	report_begin(json);
	if (wanted(argc, argv, "one-flow"))
		token_bucket("one-flow", 1);
	if (wanted(argc, argv, "many-flows"))
		token_bucket("many-flows", MANY);
	if (wanted(argc, argv, "entries"))
		entries();
	if (wanted(argc, argv, "live"))
		live_run(quick);
	if (wanted(argc, argv, "create"))
		creation(quick ? 1 : 3);
	return 0;
}
