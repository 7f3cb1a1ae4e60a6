/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch_trace - frames that are lost after a program of the switch gave its verdict.
 *
 * XDP learns nothing of what becomes of a frame that it redirects or reflects; the kernel's tracepoints do. They see
 * every device of the host, so a frame counts only if the device whose program decided is a port of this switch: its
 * index is in the port map and its network namespace is the agent's. A cookie names a namespace once per boot, an inode
 * number returns.
 *
 *     xdp_redirect_err   a frame was refused at once: port down, frame too long, driver that cannot take it
 *     xdp_devmap_xmit    the driver refused some frames of a batch: ring full, peer that does not listen
 *     xdp_bulk_tx        the same for reflected frames, where the driver has such batches
 *     xdp_exception      one reflected frame was refused, or one sent on by generic XDP
 *
 * xdp_redirect_map_err says nothing: since 5.14 the kernel tells these by xdp_redirect_err.
 *
 * A tracepoint cannot be handed from one program to the next, so during a takeover the older instance's and ours are
 * both attached, and `watcher` names the one that counts. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define MEALY_HOOK_TRACE
#include "hook.h"

/* Of the kernel's types what is read here; where the members lie is found at the load. */
struct net {
	__u64 net_cookie;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

struct bpf_prog;

HOOK_FN bool is_watcher(void)
{
	__u32 zero = 0;
	__u32 *instance = bpf_map_lookup_elem(&watcher, &zero);

	return instance && READ(*instance) == switch_config.instance;
}

HOOK_FN bool is_port(const struct net_device *device)
{
	return device->nd_net.net->net_cookie == switch_config.netns_cookie && map_port_of_ifindex(device->ifindex);
}

HOOK_FN void count_failed(const struct net_device *device, int frames)
{
	struct hook h = {.id = HOOK_XDP};

	if (frames > 0 && is_watcher() && is_port(device))
		hook_count(&h, COUNTER_XMIT_FAILED, frames, 0);
}

SEC("tp_btf/xdp_redirect_err")
int BPF_PROG(failed_redirect, const struct net_device *from, const struct bpf_prog *program, const void *target,
	     int err, __u32 map_type)
{
	/* `route` may send by an interface that is in no map. */
	if (map_type == BPF_MAP_TYPE_DEVMAP || map_type == BPF_MAP_TYPE_UNSPEC)
		count_failed(from, 1);
	return 0;
}

SEC("tp_btf/xdp_devmap_xmit")
int BPF_PROG(failed_xmit, const struct net_device *from, const struct net_device *to, int sent, int drops, int err)
{
	count_failed(from, drops);
	return 0;
}

SEC("tp_btf/xdp_bulk_tx")
int BPF_PROG(failed_reflect, const struct net_device *device, int sent, int drops, int err)
{
	count_failed(device, drops);
	return 0;
}

SEC("tp_btf/xdp_exception")
int BPF_PROG(failed_tx, const struct net_device *device, const struct bpf_prog *program, __u32 verdict)
{
	if (verdict == XDP_TX)
		count_failed(device, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
