// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>

#include "../common/cleanup.h"
#include "xdp_link.h"

/* enum bpf_attach_type of kernels 6.6 and later; Debian 12's headers are older. */
enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };

int xdp_link_query(unsigned ifindex, struct xdp_there *ret_there)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	int r;

	r = bpf_xdp_query(ifindex, 0, &opts);
	if (r < 0)
		return r;
	*ret_there = (struct xdp_there){.prog_id = opts.prog_id, .generic = opts.attach_mode == XDP_ATTACHED_SKB};
	return 0;
}

void xdp_link_describe(unsigned prog_id, char *buf, unsigned size)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(prog_id);
	struct bpf_prog_info info = {};
	__u32 info_size = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &info_size) < 0)
		snprintf(buf, size, "(id %u)", prog_id);
	else
		snprintf(buf, size, "\"%s\" (id %u)", info.name, prog_id);
}

static int create(int prog_fd, unsigned ifindex, unsigned flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);

	return bpf_link_create(prog_fd, ifindex, BPF_XDP, &opts);
}

/* What another mode would not cure. */
static bool is_final(int r)
{
	return r >= 0 || r == -EBUSY || r == -EEXIST || r == -ENODEV || r == -EPERM;
}

int xdp_link_create(int prog_fd, unsigned ifindex, enum xdp_mode mode, bool *ret_generic)
{
	int fd = -EOPNOTSUPP;

	*ret_generic = false;
	if (mode != XDP_MODE_GENERIC)
		fd = create(prog_fd, ifindex, XDP_FLAGS_DRV_MODE);
	if (mode == XDP_MODE_NATIVE || is_final(fd))
		return fd;
	*ret_generic = true;
	return create(prog_fd, ifindex, XDP_FLAGS_SKB_MODE);
}

int tcx_link_create(int prog_fd, unsigned ifindex, bool egress)
{
	int fd = bpf_link_create(prog_fd, ifindex, (enum bpf_attach_type)(egress ? TCX_EGRESS : TCX_INGRESS), NULL);

	return fd == -EINVAL ? -EOPNOTSUPP : fd;
}

int link_ifindex(int link_fd, unsigned *ret_ifindex)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	int r;

	r = bpf_obj_get_info_by_fd(link_fd, &info, &size);
	if (r < 0)
		return r;
	/* tcx has its index in the same place. */
	*ret_ifindex = info.xdp.ifindex;
	return 0;
}

unsigned prog_id_of(int prog_fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(prog_fd, &info, &size) < 0 ? 0 : info.id;
}
