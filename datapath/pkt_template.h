/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_template - packets that the switch makes: the packet becomes a template, or a copy of it does and is sent. */
#ifndef MEALY_PKT_TEMPLATE_H
#define MEALY_PKT_TEMPLATE_H

#include "pkt_cursor.h"

/* The hook supplies: the frame becomes 'size' bytes at 'bytes' (ETH_SIZE..TEMPLATE_BYTES).  Nonzero: it could not. */
HOOK_FN int pkt_replace(struct hook *h, const struct template *t, __u32 size);

#ifdef __bpf__
HOOK_FN int replace_bytes(struct hook *h, const struct template *t, __u64 size)
{
	/* VERIFIER: each test on its own and next to the call; see punt_packet(). */
	OPAQUE(size);
	if ((__s64)size < ETH_SIZE)
		return -1;
	OPAQUE(size);
	if (size > TEMPLATE_BYTES)
		return -1;
#ifdef MEALY_HOOK_XDP
	return bpf_xdp_store_bytes(h->ctx, 0, (void *)t->bytes, size);
#else
	return bpf_skb_store_bytes(h->ctx, 0, t->bytes, size, BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH);
#endif
}
#endif

#if defined(MEALY_HOOK_XDP)
HOOK_FN int pkt_replace(struct hook *h, const struct template *t, __u32 size)
{
	__s32 old = bpf_xdp_get_buff_len(h->ctx);

	return bpf_xdp_adjust_tail(h->ctx, (__s32)size - old) || replace_bytes(h, t, size);
}
#elif defined(MEALY_HOOK_TC)
HOOK_FN int pkt_replace(struct hook *h, const struct template *t, __u32 size)
{
	if (h->ctx->vlan_present && bpf_skb_vlan_pop(h->ctx))
		return -1;
	return bpf_skb_change_tail(h->ctx, size, 0) || replace_bytes(h, t, size);
}
#else
HOOK_FN int pkt_replace(struct hook *h, const struct template *t, __u32 size)
{
	if (size > h->room_end - h->begin)
		return -1;
	memcpy(h->begin, t->bytes, size);
	h->end = h->begin + size;
	return 0;
}
#endif

HOOK_FN int pkt_become(struct hook *h, struct scratch *s, __u32 number)
{
	const struct template *t = map_template(h, TEMPLATE_INDEX(s->slot & 1, h->id, number & (TEMPLATES_MAX - 1)));
	__u32 size = t ? t->size : 0;

	if (!t || size < ETH_SIZE || size > TEMPLATE_BYTES)
		return -1;
	return pkt_replace(h, t, size);
}

#if defined(MEALY_HOOK_TC)
/* A copy of the packet as it is. */
HOOK_FN int pkt_mirror(struct hook *h, struct scratch *s, __u64 port)
{
	__u64 frames = s->cells[CELL_FRAMES], length = s->cells[CELL_LENGTH];
	__u32 ifindex = port_ifindex(port > PORTS_MAX ? 0 : port);

	if (!ifindex) {
		hook_count(h, COUNTER_XMIT_FAILED, 1, 0);
		return 0;
	}
	if (h->id == HOOK_TC_EGRESS)
		h->ctx->tc_index = copy_mark(ifindex);
	s->in_copy = 1;
	if (bpf_clone_redirect(h->ctx, ifindex, 0))
		hook_count(h, COUNTER_XMIT_FAILED, 1, 0);
	else
		hook_count(h, COUNTER_TX + (port & (PORTS_MAX - 1 + PORTS_MAX)), frames, length);
	s->in_copy = 0;
	if (h->id == HOOK_TC_EGRESS)
		h->ctx->tc_index = 0;
	return 0;
}

/* The packet into 's->punt', where it waits. */
HOOK_FN int pkt_put_away(struct hook *h, struct scratch *s)
{
	__u64 size = h->ctx->len;

	s->away_tpid = h->ctx->vlan_present ? PKT_SWAP(16, (__u16)h->ctx->vlan_proto) : 0;
	s->away_tci = h->ctx->vlan_tci & 0xffff;
	s->away_size = size;
	OPAQUE(size);
	if ((__s64)size <= 0 || s->cells[CELL_FRAMES] > 1)
		return -1;
	OPAQUE(size);
	if (size > PUNT_BYTES_MAX)
		return -1;
	return bpf_skb_load_bytes(h->ctx, 0, s->punt, size);
}

HOOK_FN int pkt_put_back(struct hook *h, struct scratch *s)
{
	__u64 size = s->away_size;

	if (bpf_skb_change_tail(h->ctx, size, 0))
		return -1;
	OPAQUE(size);
	if ((__s64)size <= 0)
		return -1;
	OPAQUE(size);
	if (size > PUNT_BYTES_MAX ||
	    bpf_skb_store_bytes(h->ctx, 0, s->punt, size, BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
		return -1;
	return s->away_tpid ? bpf_skb_vlan_push(h->ctx, PKT_SWAP(16, (__u16)s->away_tpid), s->away_tci) : 0;
}
#else
/* Only tc can send something besides the packet; at XDP the encoder refuses it, natively it is told. */
HOOK_FN int pkt_mirror(struct hook *h, struct scratch *s, __u64 port)
{
	hook_saw_copy(h, port);
	return 0;
}

#ifdef __bpf__
HOOK_FN int pkt_put_away(struct hook *h, struct scratch *s)
{
	return -1;
}

HOOK_FN int pkt_put_back(struct hook *h, struct scratch *s)
{
	return -1;
}
#else
HOOK_FN int pkt_put_away(struct hook *h, struct scratch *s)
{
	s->away_size = h->end - h->begin;
	if (s->away_size > PUNT_BYTES_MAX || s->cells[CELL_FRAMES] > 1)
		return -1;
	memcpy(s->punt, h->begin, s->away_size);
	return 0;
}

HOOK_FN int pkt_put_back(struct hook *h, struct scratch *s)
{
	if (s->away_size > h->room_end - h->begin)
		return -1;
	memcpy(h->begin, s->punt, s->away_size);
	h->end = h->begin + s->away_size;
	return 0;
}
#endif
#endif

#endif
