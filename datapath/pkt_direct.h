/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_direct - writes where the frame is plain memory: XDP and native.
 *
 * The hook supplies pkt_move_begin(): moves the frame's first byte by 'delta' (negative: room in front). */
#ifndef MEALY_PKT_DIRECT_H
#define MEALY_PKT_DIRECT_H

HOOK_FN int pkt_move_begin(struct hook *h, int delta);

/* The tag is always in the frame. */
HOOK_FN bool pkt_vlan_beside(struct hook *h, __u32 *ret_tpid, __u32 *ret_tci)
{
	return false;
}

HOOK_FN int pkt_pull(struct hook *h)
{
	return -1;
}

HOOK_FN int pkt_put(struct hook *h, __u32 off, __u32 size, __u64 value, bool balanced)
{
	__u8 *p;

	switch (size) {
	case 1:
		p = pkt_at(h, off, 1);
		if (!p)
			return -1;
		*p = value;
		return 0;
	case 2:
		p = pkt_at(h, off, 2);
		if (!p)
			return -1;
		PKT_WRITE(__u16, p, PKT_SWAP(16, (__u16)value));
		return 0;
	case 4:
		p = pkt_at(h, off, 4);
		if (!p)
			return -1;
		PKT_WRITE(__u32, p, PKT_SWAP(32, (__u32)value));
		return 0;
	case 6:
		p = pkt_at(h, off, 6);
		if (!p)
			return -1;
		PKT_WRITE(__u16, p, PKT_SWAP(16, (__u16)(value >> 32)));
		PKT_WRITE(__u32, p + 2, PKT_SWAP(32, (__u32)value));
		return 0;
	case 8:
		p = pkt_at(h, off, 8);
		if (!p)
			return -1;
		PKT_WRITE(__u64, p, PKT_SWAP(64, value));
		return 0;
	}
	return -1;
}

HOOK_FN int pkt_sum_l4(struct hook *h, __u32 off, __u32 delta, bool pseudo, bool none)
{
	__u8 *p = pkt_at(h, off, 2);
	__u32 sum;

	if (!p)
		return -1;
	sum = pkt_be16(p);
	if (none && !sum)
		return 0;
	/* RFC 1624: HC' = ~(~HC + ~m + m'). */
	sum = (~sum & 0xffff) + delta;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16)) & 0xffff;
	if (none && !sum)
		sum = 0xffff;
	PKT_WRITE(__u16, p, PKT_SWAP(16, (__u16)sum));
	return 0;
}

HOOK_FN int pkt_sum_ip(struct hook *h, __u32 off, __u32 delta)
{
	return pkt_sum_l4(h, off, delta, false, false);
}

HOOK_FN int pkt_vlan_set(struct hook *h, __u32 tpid, __u32 tci)
{
	return pkt_put(h, TAG_TCI_OFF, 2, tci, false);
}

HOOK_FN int pkt_vlan_push(struct hook *h, __u32 tpid, __u32 tci, int *ret_move)
{
	__u8 *p;
	__u64 a;
	__u32 b;

	if (pkt_move_begin(h, -TAG_SIZE))
		return -1;
	p = pkt_at(h, 0, TAG_OFF + TAG_SIZE);
	if (!p)
		return -1;
	a = PKT_READ(__u64, p + TAG_SIZE);
	b = PKT_READ(__u32, p + TAG_SIZE + 8);
	PKT_WRITE(__u64, p, a);
	PKT_WRITE(__u32, p + 8, b);
	PKT_WRITE(__u16, p + TAG_OFF, PKT_SWAP(16, (__u16)tpid));
	PKT_WRITE(__u16, p + TAG_TCI_OFF, PKT_SWAP(16, (__u16)tci));
	*ret_move = TAG_SIZE;
	return 0;
}

HOOK_FN int pkt_vlan_pop(struct hook *h, int *ret_move)
{
	__u8 *p = pkt_at(h, 0, TAG_OFF + TAG_SIZE);
	__u64 a;
	__u32 b;

	if (!p)
		return -1;
	a = PKT_READ(__u64, p);
	b = PKT_READ(__u32, p + 8);
	PKT_WRITE(__u64, p + TAG_SIZE, a);
	PKT_WRITE(__u32, p + TAG_SIZE + 8, b);
	*ret_move = -TAG_SIZE;
	return pkt_move_begin(h, TAG_SIZE);
}

#endif
