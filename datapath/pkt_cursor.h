/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_cursor - bounded access to the frame; the only place that compares with its end.
 *
 * Offsets count bytes from the frame's first one.  Headers are followed up to PKT_OFF_MAX; what
 * lies behind is payload to us (the parser says EXIT_PARSE_DEPTH).  Pointers live until the next
 * call of a hook function that writes the frame, so nobody keeps one.
 *
 * XDP, several buffers a frame: only the first one is looked at.  tc: the parser makes the headers
 * linear (pkt_pull()), and they stay so for the whole run. */
#ifndef MEALY_PKT_CURSOR_H
#define MEALY_PKT_CURSOR_H

#include "hook.h"

enum { PKT_OFF_MAX = 2047 };

/* The outer tag when it is in the frame: type, then its word. */
enum { TAG_OFF = 12, TAG_TCI_OFF = 14, TAG_SIZE = 4 };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PKT_SWAP(bits, v) __builtin_bswap##bits(v)
#else
#define PKT_SWAP(bits, v) (v)
#endif

#ifdef __bpf__
/* VERIFIER: clang splits memcpy() of a pointer without known alignment into bytes; the kernel allows unaligned
 * access to packets where the processor does. */
#define PKT_READ(type, p)     (*(const type *)(p))
#define PKT_WRITE(type, p, v) (*(type *)(p) = (v))
#else
#define PKT_READ(type, p)                                                                                              \
	({                                                                                                             \
		type v_;                                                                                               \
		__builtin_memcpy(&v_, p, sizeof(v_));                                                                  \
		v_;                                                                                                    \
	})
#define PKT_WRITE(type, p, v)                                                                                          \
	do {                                                                                                           \
		type v_ = (v);                                                                                         \
		__builtin_memcpy(p, &v_, sizeof(v_));                                                                  \
	} while (0)
#endif

/* Supplied by pkt_xdp.h, pkt_tc.h, pkt_native.h. */
HOOK_FN void *pkt_begin(struct hook *h);
HOOK_FN void *pkt_end(struct hook *h);
/* Makes more of the frame reachable by pkt_at().  0: try again; else that was all. */
HOOK_FN int pkt_pull(struct hook *h);
/* The outer tag when it lies beside the frame and not in it. */
HOOK_FN bool pkt_vlan_beside(struct hook *h, __u32 *ret_tpid, __u32 *ret_tci);
/* Writes; see pkt_rewrite.h.  Each returns 0, or nonzero if it could not be done.
 *
 * pkt_put() stores 'size' bytes big-endian; 'balanced' says that a checksum in the packet is changed by as much,
 * or that the bytes are under no sum of the device's.  'delta' of a checksum is ~old + new of the bytes it covers,
 * folded. 'none' says that 0 means no checksum (UDP). */
HOOK_FN int pkt_put(struct hook *h, __u32 off, __u32 size, __u64 value, bool balanced);
HOOK_FN int pkt_sum_ip(struct hook *h, __u32 off, __u32 delta);
HOOK_FN int pkt_sum_l4(struct hook *h, __u32 off, __u32 delta, bool pseudo, bool none);
/* The outer tag.  '*ret_move': by how many bytes the headers behind the tags lie later in the frame. */
HOOK_FN int pkt_vlan_set(struct hook *h, __u32 tpid, __u32 tci);
HOOK_FN int pkt_vlan_push(struct hook *h, __u32 tpid, __u32 tci, int *ret_move);
HOOK_FN int pkt_vlan_pop(struct hook *h, int *ret_move);

/* Pointer to 'size' bytes at 'off', or NULL if they are not all reachable. */
HOOK_FN void *pkt_at(struct hook *h, __u64 off, __u32 size)
{
	void *p;

	/* VERIFIER: without this clang compares a copy of the offset and adds another one, unbounded. */
	asm volatile("" : "+r"(off));
	if (off > PKT_OFF_MAX)
		return NULL;
	p = pkt_begin(h) + off;
	if (p + size > pkt_end(h))
		return NULL;
	return p;
}

HOOK_FN __u16 pkt_be16(const void *p)
{
	return PKT_SWAP(16, PKT_READ(__u16, p));
}

HOOK_FN __u32 pkt_be32(const void *p)
{
	return PKT_SWAP(32, PKT_READ(__u32, p));
}

HOOK_FN __u64 pkt_be64(const void *p)
{
	return PKT_SWAP(64, PKT_READ(__u64, p));
}

/* Reads 'size' bytes (1, 2, 4, 6, 8) at 'off' as one big-endian number.  0, or nonzero if they are not reachable. */
HOOK_FN int pkt_get(struct hook *h, __u64 off, __u32 size, __u64 *ret_value)
{
	const __u8 *p;

	switch (size) {
	case 1:
		p = pkt_at(h, off, 1);
		if (!p)
			return -1;
		*ret_value = *p;
		return 0;
	case 2:
		p = pkt_at(h, off, 2);
		if (!p)
			return -1;
		*ret_value = pkt_be16(p);
		return 0;
	case 4:
		p = pkt_at(h, off, 4);
		if (!p)
			return -1;
		*ret_value = pkt_be32(p);
		return 0;
	case 6:
		p = pkt_at(h, off, 6);
		if (!p)
			return -1;
		*ret_value = (__u64)pkt_be16(p) << 32 | pkt_be32(p + 2);
		return 0;
	case 8:
		p = pkt_at(h, off, 8);
		if (!p)
			return -1;
		*ret_value = pkt_be64(p);
		return 0;
	}
	return -1;
}

#if defined(MEALY_HOOK_XDP)
#include "pkt_xdp.h"
#elif defined(MEALY_HOOK_TC)
#include "pkt_tc.h"
#elif !defined(MEALY_HOOK_CONTROL)
#include "pkt_native.h"
#endif

#endif
