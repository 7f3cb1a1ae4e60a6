// SPDX-License-Identifier: GPL-2.0-or-later
/* The generator is an XDP program run with live frames; one CPU makes and receives them. The fixed cost of a live
 * test run (9-42 ms) is taken out by running N and 3 N frames and using the difference. */
#include "live.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../harness/rig.h"
#include "hand.h"
#include "quiet.h"
#include "report.h"

enum { FRAMES = 200000, LIVE_FLOWS = 1024, CANDIDATES = 4 };

enum receiver { DROP, HAND, MEALY, NFTABLES };

struct live {
	enum receiver receiver;
	struct rig *rig;
	struct bpf_object *hand, *generator;
	struct frame frame;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench: live: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double run_frames(const struct live *live, unsigned n)
{
	struct xdp_md xdp = {.data_end = live->frame.size};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = live->frame.data, .data_size_in = live->frame.size, .repeat = n,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64, .ctx_in = &xdp, .ctx_size_in = sizeof(xdp));
	uint64_t begin = quiet_now_ns();

	if (bpf_prog_test_run_opts(hand_fd(live->generator, "wheel_live"), &opts))
		fail("live frames");
	return quiet_now_ns() - begin;
}

static uint64_t received(const struct live *live)
{
	char path[128], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/net/dev");
	file = fopen(path, "r");
	if (!file)
		fail(path);
	while (fscanf(file, " %31s", text) == 1) {
		unsigned long long bytes, packets;

		if (!strcmp(text, "port1:") && fscanf(file, "%llu %llu", &bytes, &packets) == 2) {
			fclose(file);
			return packets;
		}
	}
	fclose(file);
	return 0;
}

/* Puts the receiver on port1 for the slice only: candidates take turns on one wire. */
static int attach(const struct live *live)
{
	unsigned ifindex = rig_ifindex(live->rig, 1);
	int prog = live->receiver == DROP   ? hand_fd(live->hand, "drop_xdp")
		   : live->receiver == HAND ? hand_fd(live->hand, "hand_bucket")
					    : rig_root_fd(live->rig);
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int link;

	if (live->receiver == NFTABLES) {
		if (system("ethtool -K port1 gro on >/dev/null 2>&1; nft -f - <<'E'\n"
			   "table netdev bench { set sources { type ipv4_addr; size 65535; flags dynamic,timeout; "
			   "timeout 1m; }\n"
			   "chain in { type filter hook ingress device port1 priority 0; policy accept;\n"
			   "ip saddr 0.0.0.0/0 update @sources { ip saddr limit rate over 1/second burst 5 packets } "
			   "drop; }\n}\nE\n"))
			fail("nft");
		return -1;
	}
	link = bpf_link_create(prog, ifindex, BPF_XDP, &opts);
	if (link < 0)
		fail("attach");
	return link;
}

static double slice(void *data)
{
	struct live *live = data;
	int link = attach(live);
	uint64_t before = received(live);
	double few, many;

	run_frames(live, FRAMES / 4);
	few = run_frames(live, FRAMES);
	many = run_frames(live, 3 * FRAMES);
	if (received(live) - before < 4ull * FRAMES)
		fprintf(stderr, "bench: live: receiver %d missed frames\n", live->receiver);
	if (link >= 0)
		close(link);
	else if (system("nft delete table netdev bench"))
		fail("nft delete");
	return (many - few) / (2.0 * FRAMES);
}

void live_run(bool quick)
{
	static const char *const names[] = {"xdp-drop", "hand-written", "mealy", "nftables"};
	static struct quiet_candidate c[CANDIDATES];
	struct live live[CANDIDATES];
	struct rig *rig = rig_open_live(RIG_XDP);
	struct bpf_object *hand = hand_open(1, false, 0);
	struct bpf_object *generator = hand_open(LIVE_FLOWS, false, if_nametoindex("peer1"));

	rig_load(rig, "examples/token-bucket.yaml", NULL);
	rig_commit(rig);
	for (unsigned i = 0; i < CANDIDATES; i++) {
		live[i] = (struct live){
			.receiver = i, .rig = rig, .hand = hand, .generator = generator, .frame = PKT(.udp_dport = 9)};
		c[i] = (struct quiet_candidate){.name = names[i], .slice = slice, .data = &live[i]};
	}
	quiet_run(c, CANDIDATES, quick ? 20 : 60, 0);
	for (unsigned i = 0; i < CANDIDATES; i++) {
		struct report_row row = {.what = "live",
					 .program = names[i],
					 .tier = i == MEALY ? "interpreter" : "-",
					 .hook = i == NFTABLES ? "nft-ingress" : "xdp",
					 .flows = LIVE_FLOWS,
					 .ns = c[i].median,
					 .gross_ns = c[i].median,
					 .minimum_ns = c[i].minimum,
					 .plain_median_ns = c[i].plain_median,
					 .mpps = 1000 / c[i].median,
					 .ratio = c[i].median / c[HAND].median,
					 .ratio_minimum = c[i].minimum / c[HAND].minimum,
					 .n_kept = c[i].n_kept,
					 .n_all = c[i].n_all};

		report_row(&row);
	}
	bpf_object__close(hand);
	bpf_object__close(generator);
	rig_close(rig);
}

int live_fill(const char *interface)
{
	struct live live = {.generator = hand_open(1 << 20, true, if_nametoindex(interface)),
			    .frame = PKT(.udp_dport = 9)};

	/* Paced, so that the receiver's ring of 256 keeps up. */
	for (unsigned i = 0; i < (1 << 20) / 4096; i++) {
		run_frames(&live, 4096);
		usleep(1000);
	}
	bpf_object__close(live.generator);
	return 0;
}
