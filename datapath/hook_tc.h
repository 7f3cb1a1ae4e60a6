/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_tc - the hook's vocabulary at tc, ingress and egress; 'id' tells which and is constant.
 *
 * What is sent from tc ingress passes the egress applications of its port.  What is sent from tc
 * egress must not, or it would never end: it carries a mark in skb->tc_index, which nobody else uses since
 * the classifiers that did are gone, made of the device it was sent to.  The egress entry lets a marked frame through
 * and takes the mark off; the ingress entry takes it off frames that crossed to another switch. */
#ifndef MEALY_HOOK_TC_H
#define MEALY_HOOK_TC_H

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>

struct hook {
	enum hook_id id;
	struct __sk_buff *ctx;
};

#define COLD_PREFIX tc_
#include "hook_bpf.h"

enum { COPY_MARK = 0x4d4c, MACS_BYTES = 12, VLAN_TAG_BYTES = 4 };

HOOK_FN __u16 copy_mark(__u32 ifindex)
{
	__u16 mark = (COPY_MARK ^ ifindex) & 0xffff;

	return mark ? mark : COPY_MARK;
}

HOOK_FN __u32 hook_length(struct hook *h)
{
	return h->ctx->len + (h->ctx->vlan_present ? VLAN_TAG_BYTES : 0);
}

HOOK_FN __u32 hook_frames(struct hook *h)
{
	__u32 segments = h->ctx->gso_segs;

	return segments ? segments : 1;
}

HOOK_FN __u32 hook_port(struct hook *h)
{
	return map_port_of_ifindex(h->ctx->ifindex);
}

HOOK_FN __u32 hook_in_port(struct hook *h)
{
	__u32 ifindex = h->ctx->ingress_ifindex;

	return ifindex ? map_port_of_ifindex(ifindex) : 0;
}

HOOK_FN bool hook_is_copy(struct hook *h)
{
	__u32 mark = h->ctx->tc_index;

	if (!mark)
		return false;
	if (h->id == HOOK_TC_INGRESS) {
		h->ctx->tc_index = 0;
		return false;
	}
	if (mark != copy_mark(h->ctx->ifindex))
		return false;
	h->ctx->tc_index = 0;
	return true;
}

/* A tag that the kernel keeps beside the frame goes back to where it was. */
HOOK_FN int hook_read(struct hook *h, void *buf, __u32 size)
{
	__be16 *tag = buf + MACS_BYTES;

	if (!h->ctx->vlan_present)
		return bpf_skb_load_bytes(h->ctx, 0, buf, size);
	if (size <= MACS_BYTES + VLAN_TAG_BYTES || bpf_skb_load_bytes(h->ctx, 0, buf, MACS_BYTES))
		return -1;
	tag[0] = h->ctx->vlan_proto;
	tag[1] = bpf_htons(h->ctx->vlan_tci);
	size -= MACS_BYTES + VLAN_TAG_BYTES;
	OPAQUE(size);
	if (!size || size > PUNT_BYTES_MAX - MACS_BYTES - VLAN_TAG_BYTES)
		return -1;
	return bpf_skb_load_bytes(h->ctx, MACS_BYTES, buf + MACS_BYTES + VLAN_TAG_BYTES, size);
}

HOOK_FN struct scratch *map_scratch(struct hook *h)
{
	__u32 index = h->id;

	return bpf_map_lookup_elem(&scratch, &index);
}

/* Not TC_ACT_OK: that would silence the filters of other people after ours. */
HOOK_FN int hook_pass(struct hook *h)
{
	return TC_ACT_UNSPEC;
}

HOOK_FN int hook_deliver(struct hook *h)
{
	return TC_ACT_OK;
}

HOOK_FN int hook_drop(struct hook *h)
{
	return TC_ACT_SHOT;
}

HOOK_FN int hook_fault(struct hook *h)
{
	return switch_config.fault_verdict == VERDICT_DROP ? hook_drop(h) : hook_pass(h);
}

/* Interface of a port that is up, or 0. */
HOOK_FN __u32 port_ifindex(__u32 port)
{
	const struct port_info *info = bpf_map_lookup_elem(&ports, &port);

	return info && port && READ(info->up) ? READ(info->ifindex) : 0;
}

HOOK_FN int hook_redirect(struct hook *h, __u32 ifindex, __u32 flags, enum exit_reason *reason)
{
	if (h->id == HOOK_TC_EGRESS)
		h->ctx->tc_index = copy_mark(ifindex);
	if (bpf_redirect(ifindex, flags) == TC_ACT_REDIRECT)
		return TC_ACT_REDIRECT;
	*reason = EXIT_REDIRECT_FAILED;
	return TC_ACT_SHOT;
}

/* At XDP the kernel tells what a port that is down did not take; here it would drop without a word. */
HOOK_FN int hook_output(struct hook *h, __u32 port, enum exit_reason *reason)
{
	const struct port_info *info = bpf_map_lookup_elem(&ports, &port);
	__u32 ifindex = info && port ? READ(info->ifindex) : 0;

	*reason = !ifindex ? EXIT_NO_PORT : READ(info->up) ? EXIT_OUTPUT : EXIT_REDIRECT_FAILED;
	return *reason == EXIT_OUTPUT ? hook_redirect(h, ifindex, 0, reason) : TC_ACT_SHOT;
}

/* Clones for all ports but one, which gets the frame itself.  A clone may run the target's egress
 * program inside this one, so nothing is kept in the scratch. */
HOOK_FN int hook_copies(struct hook *h, __u64 ports, __u32 port, enum exit_reason *reason)
{
	__u32 previous = 0;

	*reason = EXIT_GROUP;
#pragma clang loop unroll(disable)
	for (__u32 i = 1; i <= PORTS_MAX; i++) {
		__u32 ifindex = port_ifindex(i);

		if (!ifindex || i == port || !(ports >> (i - 1) & 1))
			continue;
		if (previous) {
			if (h->id == HOOK_TC_EGRESS)
				h->ctx->tc_index = copy_mark(previous);
			if (bpf_clone_redirect(h->ctx, previous, 0))
				hook_count(h, COUNTER_XMIT_FAILED, 1, 0);
		}
		previous = ifindex;
	}
	return previous ? hook_redirect(h, previous, 0, reason) : TC_ACT_SHOT;
}

HOOK_FN int hook_flood(struct hook *h, __u32 port, enum exit_reason *reason)
{
	int verdict = hook_copies(h, ~0ull, port, reason);

	if (*reason == EXIT_GROUP)
		*reason = EXIT_FLOOD;
	return verdict;
}

/* At egress a frame came from this host, so it goes back there. */
HOOK_FN int hook_reflect(struct hook *h, enum exit_reason *reason)
{
	*reason = EXIT_REFLECT;
	if (h->id == HOOK_TC_EGRESS)
		return hook_redirect(h, h->ctx->ifindex, BPF_F_INGRESS, reason);
	return hook_redirect(h, h->ctx->ifindex, 0, reason);
}

/* A constant index costs 1.5 ns, any other 12: hence one call each. */
#define TC_TAIL(h, programs, prog)                                                                                     \
	do {                                                                                                           \
		switch (prog) {                                                                                        \
		case INTERP_TABLE: bpf_tail_call_static((h)->ctx, &programs, INTERP_TABLE); break;                     \
		case INTERP_ACTION: bpf_tail_call_static((h)->ctx, &programs, INTERP_ACTION); break;                   \
		case INTERP_MATCH: bpf_tail_call_static((h)->ctx, &programs, INTERP_MATCH); break;                     \
		case INTERP_LEARN: bpf_tail_call_static((h)->ctx, &programs, INTERP_LEARN); break;                     \
		case INTERP_PACKET: bpf_tail_call_static((h)->ctx, &programs, INTERP_PACKET); break;                   \
		default: break;                                                                                        \
		}                                                                                                      \
	} while (0)

#ifdef MEALY_SPECIALISED
#include "hook_special.h"
#else
HOOK_FN int hook_tail(struct hook *h, enum interp_prog prog)
{
	if (h->id == HOOK_TC_INGRESS)
		TC_TAIL(h, interp_tci, prog);
	else
		TC_TAIL(h, interp_tce, prog);
	return TAIL_FAILED;
}
#endif

/* Goes to the first program of version 'slot'; returns only if there is none. */
HOOK_FN void hook_tail_version(struct hook *h, __u32 slot)
{
	if (h->id == HOOK_TC_INGRESS && slot == 0)
		bpf_tail_call_static(h->ctx, &root_tci, 0);
	else if (h->id == HOOK_TC_INGRESS)
		bpf_tail_call_static(h->ctx, &root_tci, 1);
	else if (slot == 0)
		bpf_tail_call_static(h->ctx, &root_tce, 0);
	else
		bpf_tail_call_static(h->ctx, &root_tce, 1);
}

#endif
