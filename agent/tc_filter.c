// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/classifier.h>
#include <netlink/socket.h>
#include <string.h>

#include "../common/cleanup.h"
#include "loader.h"
#include "tc_filter.h"
#include "../datapath/pipeline.h"

static struct bpf_tc_hook hook_of(unsigned ifindex, enum bpf_tc_attach_point point)
{
	return (struct bpf_tc_hook){.sz = sizeof(struct bpf_tc_hook), .ifindex = ifindex, .attach_point = point};
}

static enum bpf_tc_attach_point point_of(enum tc_side side)
{
	return side == TC_SIDE_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

static bool is_root_program(__u32 prog_id, enum tc_side side)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(prog_id);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	char name[32];

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return false;
	loader_program_name(side == TC_SIDE_INGRESS ? HOOK_TC_INGRESS : HOOK_TC_EGRESS, "root", name, sizeof(name));
	return strcmp(info.name, name) == 0;
}

/* -ENOENT: our place is empty; -EBUSY: somebody else is there. */
static int look(unsigned ifindex, enum tc_side side)
{
	struct bpf_tc_hook hook = hook_of(ifindex, point_of(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_FILTER_HANDLE, .priority = TC_FILTER_PRIORITY);
	int r;

	r = bpf_tc_query(&hook, &opts);
	if (r == -EINVAL) /* What the kernel says without a qdisc. */
		return -ENOENT;
	if (r < 0)
		return r;
	return is_root_program(opts.prog_id, side) ? 0 : -EBUSY;
}

int tc_filter_make_qdisc(unsigned ifindex, bool *ret_made)
{
	struct bpf_tc_hook hook = hook_of(ifindex, BPF_TC_INGRESS);
	int r;

	r = bpf_tc_hook_create(&hook);
	if (r < 0 && r != -EEXIST)
		return r;
	*ret_made = r == 0;
	return 0;
}

int tc_filter_set(unsigned ifindex, enum tc_side side, int prog_fd)
{
	struct bpf_tc_hook hook = hook_of(ifindex, point_of(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_FILTER_HANDLE, .priority = TC_FILTER_PRIORITY, .prog_fd = prog_fd,
		    .flags = BPF_TC_F_REPLACE);
	int r;

	r = look(ifindex, side);
	if (r < 0 && r != -ENOENT)
		return r;
	return bpf_tc_attach(&hook, &opts);
}

int tc_filter_remove(unsigned ifindex, enum tc_side side)
{
	struct bpf_tc_hook hook = hook_of(ifindex, point_of(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_FILTER_HANDLE, .priority = TC_FILTER_PRIORITY);
	int r;

	r = look(ifindex, side);
	if (r < 0)
		return 0;
	r = bpf_tc_detach(&hook, &opts);
	return r == -ENOENT ? 0 : r;
}

static int count_filters(struct nl_sock *sock, unsigned ifindex, uint32_t parent)
{
	struct nl_cache *cache;
	int n;

	n = rtnl_cls_alloc_cache(sock, ifindex, parent, &cache);
	if (n < 0)
		return -EIO;
	n = nl_cache_nitems(cache);
	nl_cache_free(cache);
	return n;
}

int tc_filter_remove_qdisc(unsigned ifindex)
{
	struct bpf_tc_hook hook = hook_of(ifindex, BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct nl_sock *sock = nl_socket_alloc();
	int n = -ENOMEM;

	if (sock && nl_connect(sock, NETLINK_ROUTE) == 0) {
		n = count_filters(sock, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
		if (n == 0)
			n = count_filters(sock, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
	}
	nl_socket_free(sock);
	if (n != 0)
		return n < 0 ? n : 0;
	return bpf_tc_hook_destroy(&hook);
}
