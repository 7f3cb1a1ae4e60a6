/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_tc - the frame at tc: read directly, written through helpers.
 *
 * Helpers make a shared skb writable, and know whether its checksum is whole, partial (filled in by the
 * device later) or beside it (computed by the device over all bytes, skb->csum):
 * - a checksum in the packet and the bytes that it covers change by opposite amounts, so skb->csum stays;
 * - an IPv6 address is under no header checksum: its bytes are stored with BPF_F_RECOMPUTE_CSUM, and the
 *   kernel's BPF_F_PSEUDO_HDR takes as much off again for the L4 checksum. */
#ifndef MEALY_PKT_TC_H
#define MEALY_PKT_TC_H

/* VERIFIER: the context is opaque, or clang keeps the address of a member, which may not be read through. */
HOOK_FN void *pkt_begin(struct hook *h)
{
	struct __sk_buff *ctx = h->ctx;

	OPAQUE(ctx);
	return (void *)(long)ctx->data;
}

HOOK_FN void *pkt_end(struct hook *h)
{
	struct __sk_buff *ctx = h->ctx;

	OPAQUE(ctx);
	return (void *)(long)ctx->data_end;
}

HOOK_FN int pkt_pull(struct hook *h)
{
	__u32 size = h->ctx->len;

	if (pkt_begin(h) + size <= pkt_end(h))
		return -1;
	return bpf_skb_pull_data(h->ctx, size > PKT_OFF_MAX + 1 ? PKT_OFF_MAX + 1 : size);
}

HOOK_FN bool pkt_vlan_beside(struct hook *h, __u32 *ret_tpid, __u32 *ret_tci)
{
	if (!h->ctx->vlan_present)
		return false;
	*ret_tpid = PKT_SWAP(16, (__u16)h->ctx->vlan_proto);
	*ret_tci = h->ctx->vlan_tci & 0xffff;
	return true;
}

HOOK_FN int pkt_put(struct hook *h, __u32 off, __u32 size, __u64 value, bool balanced)
{
	__u64 bytes, length = size;

	/* VERIFIER: 1 to 8 bytes, as the caller has read before it writes.  A comparison would not do: clang 19 makes
	 * it of length - 1, and from that 6.1 learns nothing about the length. */
	OPAQUE(length);
	length = ((length - 1) & 7) + 1;
	bytes = PKT_SWAP(64, value << (64 - 8 * length));
	return bpf_skb_store_bytes(h->ctx, off, &bytes, length, balanced ? 0 : BPF_F_RECOMPUTE_CSUM);
}

HOOK_FN int pkt_sum_ip(struct hook *h, __u32 off, __u32 delta)
{
	return bpf_l3_csum_replace(h->ctx, off, 0, PKT_SWAP(16, (__u16)delta), 0);
}

HOOK_FN int pkt_sum_l4(struct hook *h, __u32 off, __u32 delta, bool pseudo, bool none)
{
	__u64 flags = (pseudo ? BPF_F_PSEUDO_HDR : 0) | (none ? BPF_F_MARK_MANGLED_0 : 0);

	return bpf_l4_csum_replace(h->ctx, off, 0, PKT_SWAP(16, (__u16)delta), flags);
}

/* The kernel puts the tag beside the frame; one that was there goes into it. */
HOOK_FN int pkt_vlan_push(struct hook *h, __u32 tpid, __u32 tci, int *ret_move)
{
	__u32 size = h->ctx->len;

	if (bpf_skb_vlan_push(h->ctx, PKT_SWAP(16, (__u16)tpid), tci))
		return -1;
	*ret_move = h->ctx->len - size;
	return 0;
}

/* The kernel does nothing, without an error, when it does not know the frame as a tagged one. */
HOOK_FN int pkt_vlan_pop(struct hook *h, int *ret_move)
{
	__u32 beside = h->ctx->vlan_present, size = h->ctx->len;

	if (bpf_skb_vlan_pop(h->ctx))
		return -1;
	*ret_move = h->ctx->len - size;
	return *ret_move || h->ctx->vlan_present != beside ? 0 : -1;
}

HOOK_FN int pkt_vlan_set(struct hook *h, __u32 tpid, __u32 tci)
{
	int move;

	if (!h->ctx->vlan_present)
		return pkt_put(h, TAG_TCI_OFF, 2, tci, false);
	return pkt_vlan_pop(h, &move) ?: pkt_vlan_push(h, tpid, tci, &move);
}

#endif
