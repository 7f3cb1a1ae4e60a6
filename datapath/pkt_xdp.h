/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_xdp - the frame at XDP: the first buffer, written directly. */
#ifndef MEALY_PKT_XDP_H
#define MEALY_PKT_XDP_H

#include "pkt_direct.h"

/* VERIFIER: the context is opaque, or clang keeps the address of a member, which may not be read through. */
HOOK_FN void *pkt_begin(struct hook *h)
{
	struct xdp_md *ctx = h->ctx;

	OPAQUE(ctx);
	return (void *)(long)ctx->data;
}

HOOK_FN void *pkt_end(struct hook *h)
{
	struct xdp_md *ctx = h->ctx;

	OPAQUE(ctx);
	return (void *)(long)ctx->data_end;
}

/* Fails without headroom; the kernel also refuses to leave less than an Ethernet header. */
HOOK_FN int pkt_move_begin(struct hook *h, int delta)
{
	return bpf_xdp_adjust_head(h->ctx, delta);
}

#endif
