/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_xdp - the hook's vocabulary at XDP. */
#ifndef MEALY_HOOK_XDP_H
#define MEALY_HOOK_XDP_H

#include <linux/bpf.h>

struct hook {
	enum hook_id id;
	struct xdp_md *ctx;
};

#define COLD_PREFIX xdp_
#include "hook_bpf.h"

HOOK_FN __u32 hook_length(struct hook *h)
{
	return bpf_xdp_get_buff_len(h->ctx);
}

HOOK_FN __u32 hook_frames(struct hook *h)
{
	return 1;
}

HOOK_FN __u32 hook_port(struct hook *h)
{
	return map_port_of_ifindex(h->ctx->ingress_ifindex);
}

HOOK_FN __u32 hook_in_port(struct hook *h)
{
	return hook_port(h);
}

HOOK_FN bool hook_is_copy(struct hook *h)
{
	return false;
}

HOOK_FN int hook_read(struct hook *h, void *buf, __u32 size)
{
	return bpf_xdp_load_bytes(h->ctx, 0, buf, size);
}

HOOK_FN struct scratch *map_scratch(struct hook *h)
{
	__u32 index = HOOK_XDP;

	return bpf_map_lookup_elem(&scratch, &index);
}

HOOK_FN int hook_pass(struct hook *h)
{
	return XDP_PASS;
}

HOOK_FN int hook_deliver(struct hook *h)
{
	return XDP_PASS;
}

HOOK_FN int hook_drop(struct hook *h)
{
	return XDP_DROP;
}

HOOK_FN int hook_fault(struct hook *h)
{
	return switch_config.fault_verdict == VERDICT_DROP ? hook_drop(h) : hook_pass(h);
}

/* An absent port gives the flags back: XDP_ABORTED, which is 0. */
HOOK_FN int hook_output(struct hook *h, __u32 port, enum exit_reason *reason)
{
	if (port && bpf_redirect_map(&tx_ports, port, 0) == XDP_REDIRECT) {
		*reason = EXIT_OUTPUT;
		return XDP_REDIRECT;
	}
	*reason = EXIT_NO_PORT;
	return XDP_DROP;
}

/* The encoder refuses what would need it. */
HOOK_FN int hook_copies(struct hook *h, __u64 ports, __u32 port, enum exit_reason *reason)
{
	*reason = EXIT_INTERNAL;
	return XDP_DROP;
}

HOOK_FN int hook_flood(struct hook *h, __u32 port, enum exit_reason *reason)
{
	*reason = EXIT_FLOOD;
	return bpf_redirect_map(&tx_ports, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
}

HOOK_FN int hook_reflect(struct hook *h, enum exit_reason *reason)
{
	*reason = EXIT_REFLECT;
	return XDP_TX;
}

#ifdef MEALY_SPECIALISED
#include "hook_special.h"
#else
/* A constant index costs 1.5 ns, any other 12: hence one call each. */
HOOK_FN int hook_tail(struct hook *h, enum interp_prog prog)
{
	switch (prog) {
	case INTERP_TABLE: bpf_tail_call_static(h->ctx, &interp_xdp, INTERP_TABLE); break;
	case INTERP_ACTION: bpf_tail_call_static(h->ctx, &interp_xdp, INTERP_ACTION); break;
	case INTERP_MATCH: bpf_tail_call_static(h->ctx, &interp_xdp, INTERP_MATCH); break;
	case INTERP_LEARN: bpf_tail_call_static(h->ctx, &interp_xdp, INTERP_LEARN); break;
	case INTERP_PACKET: bpf_tail_call_static(h->ctx, &interp_xdp, INTERP_PACKET); break;
	default: break;
	}
	return TAIL_FAILED;
}
#endif

/* Goes to the first program of version 'slot'; returns only if there is none. */
HOOK_FN void hook_tail_version(struct hook *h, __u32 slot)
{
	if (slot == 0)
		bpf_tail_call_static(h->ctx, &root_xdp, 0);
	else
		bpf_tail_call_static(h->ctx, &root_xdp, 1);
}

#endif
