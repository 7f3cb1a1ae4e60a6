// SPDX-License-Identifier: GPL-2.0-or-later
#include "rig_real.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MACS = 12, TAG = 4 };

static int check(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "rig: real: %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return r;
}

/* Sends the frame out of the interface that it came in by. */
static int load_hairpin(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_REG_1,
		 .off = offsetof(struct __sk_buff, ifindex)},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return check(
		bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "hairpin", "GPL", insns, sizeof(insns) / sizeof(insns[0]), NULL),
		"hairpin");
}

static void put_filter(unsigned ifindex, enum bpf_tc_attach_point point, int prog, unsigned priority)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog, .handle = 1, .priority = priority);

	errno = -bpf_tc_attach(&hook, &opts);
	check(errno ? -1 : 0, "filter");
}

static void put_filters(struct rig_real *real, unsigned ifindex, enum hook_id hook, int root)
{
	LIBBPF_OPTS(bpf_tc_hook, clsact, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	errno = -bpf_tc_hook_create(&clsact);
	check(errno && errno != EEXIST ? -1 : 0, "clsact");
	put_filter(ifindex, hook == HOOK_TC_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS, root, 1);
	put_filter(ifindex, BPF_TC_INGRESS, real->hairpin, 2);
}

static int far_end(unsigned port)
{
	int fd = check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)), "socket"), on = 1;
	struct sockaddr_ll addr = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "peer%u", port);
	addr.sll_ifindex = (int)if_nametoindex(name);
	check(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), "bind");
	check(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)), "auxdata");
	check(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), "ignore outgoing");
	return fd;
}

void rig_real_open(struct rig_real *real, enum hook_id hook, int root, unsigned n_ports)
{
	char name[IFNAMSIZ];

	real->open = true;
	real->n_ports = n_ports;
	real->hairpin = load_hairpin();
	for (unsigned i = 1; i <= n_ports; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		real->ifindex[i] = if_nametoindex(name);
		put_filters(real, real->ifindex[i], hook, root);
		real->socket[i] = far_end(i);
	}
}

void rig_real_close(struct rig_real *real)
{
	if (!real->open)
		return;
	for (unsigned i = 1; i <= real->n_ports; i++) {
		LIBBPF_OPTS(bpf_tc_hook, clsact, .ifindex = (int)real->ifindex[i],
			    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

		bpf_tc_hook_destroy(&clsact);
		close(real->socket[i]);
	}
	close(real->hairpin);
	memset(real, 0, sizeof(*real));
}

void rig_real_send(struct rig_real *real, unsigned port, const struct frame *frame)
{
	check(send(real->socket[port], frame->data, frame->size, 0) == (ssize_t)frame->size ? 0 : -1, "send");
}

static void put_tag_back(struct frame *frame, const struct tpacket_auxdata *aux)
{
	__be16 tag[2] = {htons(aux->tp_status & TP_STATUS_VLAN_TPID_VALID ? aux->tp_vlan_tpid : ETH_P_8021Q),
			 htons(aux->tp_vlan_tci)};

	if (!(aux->tp_status & TP_STATUS_VLAN_VALID) || frame->size < MACS)
		return;
	memmove(frame->data + MACS + TAG, frame->data + MACS, frame->size - MACS);
	memcpy(frame->data + MACS, tag, TAG);
	frame->size += TAG;
}

bool rig_real_take(struct rig_real *real, unsigned port, unsigned wait_ms, struct frame *ret_frame)
{
	struct pollfd fd = {.fd = real->socket[port], .events = POLLIN};
	struct iovec iov = {.iov_base = ret_frame->data, .iov_len = FRAME_ROOM - TAG};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct tpacket_auxdata aux = {};
	struct cmsghdr *c;

	if (poll(&fd, 1, (int)wait_ms) <= 0)
		return false;
	ret_frame->size = (unsigned)check((int)recvmsg(fd.fd, &msg, 0), "recvmsg");
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	put_tag_back(ret_frame, &aux);
	return true;
}
