// SPDX-License-Identifier: GPL-2.0-or-later
/* hand - the alternatives bench measures against: an empty program, and a token bucket written by hand for XDP
 * with the same window, the same key (IPv4 source), a lock in the value of the kernel's hash map, and the same
 * counters (one per exit, one per rule) as the switch keeps. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

const volatile __u64 interval_ns = 1000;
const volatile __u64 burst = 5;

struct bucket {
	struct bpf_spin_lock lock;
	__u32 zero;
	__u64 start, end;
};

struct count {
	__u64 packets, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 21);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct count);
} counts SEC(".maps");

enum { RULE_FIRST, RULE_OVER, RULE_IN, RULE_RESTED, EXIT_PASSED, EXIT_DROPPED };

static __always_inline void count(__u32 which, __u64 bytes)
{
	struct count *c = bpf_map_lookup_elem(&counts, &which);

	if (c) {
		c->packets++;
		c->bytes += bytes;
	}
}

static __always_inline __u32 police(__u32 source)
{
	__u64 now = bpf_ktime_get_ns() + (1ull << 56);
	struct bucket *b = bpf_map_lookup_elem(&buckets, &source);
	struct bucket fresh = {.start = now - (burst - 2) * interval_ns, .end = now + 2 * interval_ns};
	__u32 rule;

	if (!b) {
		bpf_map_update_elem(&buckets, &source, &fresh, BPF_NOEXIST);
		return RULE_FIRST;
	}
	bpf_spin_lock(&b->lock);
	if (now < b->start) {
		rule = RULE_OVER;
	} else if (now <= b->end) {
		b->start += interval_ns;
		b->end += interval_ns;
		rule = RULE_IN;
	} else {
		b->start = fresh.start;
		b->end = fresh.end;
		rule = RULE_RESTED;
	}
	bpf_spin_unlock(&b->lock);
	return rule;
}

SEC("xdp.frags")
int hand_bucket(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u64 size = ctx->data_end - ctx->data;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	__u32 rule;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP)) {
		count(EXIT_PASSED, size);
		return XDP_PASS;
	}
	rule = police(ip->saddr);
	count(rule, size);
	count(rule == RULE_OVER ? EXIT_DROPPED : EXIT_PASSED, size);
	return rule == RULE_OVER ? XDP_DROP : XDP_PASS;
}

SEC("xdp.frags")
int empty_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("tc")
int empty_tc(struct __sk_buff *skb)
{
	return TC_ACT_OK;
}

/* The wheel: gives each round of a test run another source, because a test run reuses one buffer, then goes on with
 * the program under test.  Every candidate and the empty program are measured behind the same wheel. */
const volatile __u32 flow_mask = 0;   /* Flows - 1, a power of two less one; 0: one flow. */
const volatile __u32 in_order = 0;    /* Sources one after the other (creation) instead of at random. */
const volatile __u32 out_ifindex = 0; /* Live frames: the veth to send into. */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} wheel_state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} wheel_xdp_next SEC(".maps"), wheel_tc_next SEC(".maps");

static __always_inline __u32 next_source(void)
{
	__u32 zero = 0;
	__u64 *state = bpf_map_lookup_elem(&wheel_state, &zero);
	__u64 x;

	if (!state)
		return 0;
	x = *state;
	if (in_order) {
		*state = x + 1;
		return x & flow_mask;
	}
	x = x * 6364136223846793005ull + 1442695040888963407ull;
	*state = x;
	return (x >> 33) & flow_mask;
}

static __always_inline void turn(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);

	if ((void *)(ip + 1) <= end)
		ip->saddr = bpf_htonl(0x0a000000 + next_source());
}

SEC("xdp.frags")
int wheel_xdp(struct xdp_md *ctx)
{
	turn((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	bpf_tail_call(ctx, &wheel_xdp_next, 0);
	return XDP_ABORTED;
}

SEC("tc")
int wheel_tc(struct __sk_buff *skb)
{
	turn((void *)(long)skb->data, (void *)(long)skb->data_end);
	bpf_tail_call(skb, &wheel_tc_next, 0);
	return TC_ACT_SHOT;
}

/* Live frames into a veth; their pages come back with what the receiver wrote, so headers are written anew. */
SEC("xdp.frags")
int wheel_live(struct xdp_md *ctx)
{
	turn((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	return bpf_redirect(out_ifindex, 0);
}

SEC("xdp.frags")
int drop_xdp(struct xdp_md *ctx)
{
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
