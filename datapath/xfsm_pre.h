/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfsm_pre - operations before the lock: those that need a helper, the packet, or several cells. */
#ifndef MEALY_XFSM_PRE_H
#define MEALY_XFSM_PRE_H

#include "pkt_load.h"
#include "xfsm_op.h"

/* One of several cells that lie together; wraps instead of leaving the array. */
#define CELL_AT(cells, first, i) ((cells)[((first) + (i)) & (CELLS - 1)])

/* Mixes a word into a hash that is equal on every switch: multiply, fold, multiply (the finaliser of MurmurHash3). */
HOOK_FN __u64 op_hash_add(__u64 hash, __u64 word)
{
	hash ^= word;
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdull;
	hash ^= hash >> 33;
	hash *= 0xc4ceb9fe1a85ec53ull;
	return hash ^ (hash >> 33);
}

/* Order of two ends of three words each, the first one counting most: true if the ends must change places. */
HOOK_FN bool op_ends_swap(__u64 a0, __u64 a1, __u64 a2, __u64 b0, __u64 b1, __u64 b2)
{
	if (a0 != b0)
		return a0 > b0;
	if (a1 != b1)
		return a1 > b1;
	return a2 > b2;
}

HOOK_FN void op_biflow_l4(__u64 *cells, __u32 a, __u32 dst)
{
	__u64 src_hi = CELL_AT(cells, a, 0), src_lo = CELL_AT(cells, a, 1), sport = CELL_AT(cells, a, 4);
	__u64 dst_hi = CELL_AT(cells, a, 2), dst_lo = CELL_AT(cells, a, 3), dport = CELL_AT(cells, a, 5);
	bool swap = op_ends_swap(src_hi, src_lo, sport, dst_hi, dst_lo, dport);

	CELL_AT(cells, dst, 0) = swap ? dst_hi : src_hi;
	CELL_AT(cells, dst, 1) = swap ? dst_lo : src_lo;
	CELL_AT(cells, dst, 2) = swap ? src_hi : dst_hi;
	CELL_AT(cells, dst, 3) = swap ? src_lo : dst_lo;
	CELL_AT(cells, dst, 4) = swap ? dport : sport;
	CELL_AT(cells, dst, 5) = swap ? sport : dport;
	cells[CELL_DIRECTION] = swap;
}

HOOK_FN void op_biflow_ip(__u64 *cells, __u32 a, __u32 dst)
{
	__u64 src_hi = CELL_AT(cells, a, 0), src_lo = CELL_AT(cells, a, 1);
	__u64 dst_hi = CELL_AT(cells, a, 2), dst_lo = CELL_AT(cells, a, 3);
	bool swap = op_ends_swap(src_hi, src_lo, 0, dst_hi, dst_lo, 0);

	CELL_AT(cells, dst, 0) = swap ? dst_hi : src_hi;
	CELL_AT(cells, dst, 1) = swap ? dst_lo : src_lo;
	CELL_AT(cells, dst, 2) = swap ? src_hi : dst_hi;
	CELL_AT(cells, dst, 3) = swap ? src_lo : dst_lo;
	cells[CELL_DIRECTION] = swap;
}

HOOK_FN void op_biflow_eth(__u64 *cells, __u32 a, __u32 dst)
{
	__u64 from = CELL_AT(cells, a, 0), to = CELL_AT(cells, a, 1);

	CELL_AT(cells, dst, 0) = from > to ? to : from;
	CELL_AT(cells, dst, 1) = from > to ? from : to;
	cells[CELL_DIRECTION] = from > to;
}

/* Whether a declared header is there: it lies in the packet as the lengths tell, and where programs can reach it.  A
 * later fragment has nothing behind IP. */
HOOK_FN bool op_has_header(struct hook *h, const struct scratch *s, const struct op *op)
{
	__u32 base = HEADER_BASE(op->imm);
	__u64 end = s->off[base & (BASE_ROOM - 1)] + HEADER_END(op->imm);

	if (!s->cells[op->a] || end > s->off[BASE_PAYLOAD] + s->cells[CELL_PAYLOAD_LENGTH])
		return false;
	if (base >= BASE_L4 && s->cells[CELL_FRAG_OFFSET])
		return false;
	return pkt_at(h, end - 1, 1) || (!pkt_pull(h) && pkt_at(h, end - 1, 1));
}

HOOK_FN void op_header(struct hook *h, struct scratch *s, const struct op *op)
{
	__u64 bit = 1ull << (op->b & 63);

	if (op_has_header(h, s, op))
		s->cells[CELL_PRESENT] |= bit;
	else
		s->cells[CELL_PRESENT] &= ~bit;
}

/* The member that the group's table of slots names for a hash. */
HOOK_FN __u64 op_select(struct hook *h, __u64 hash, __u64 group)
{
	const struct groups *groups = map_groups(h);
	__u64 table = READ_ACQUIRE(groups->at[group & (GROUPS_MAX - 1)].table);
	__u32 slot = GROUP_FIRST(table) + ((hash >> 32) * GROUP_SIZE(table) >> 32);

	if (!GROUP_SIZE(table))
		return MEMBER_NONE;
	return READ(groups->slot[slot & (GROUP_SLOTS - 1)]);
}

/* What needs no packet. */
HOOK_FN void op_run_pure(struct hook *h, struct scratch *s, const struct op *op)
{
	__u64 *cells = s->cells, b = op->flags & OP_IMM ? op->imm : cells[op->b];

	switch (op->code) {
	case OP_RANDOM: cells[op->dst] = hook_random(h); break;
	case OP_HASH_INIT: cells[op->dst] = b; break;
	case OP_HASH_ADD: cells[op->dst] = op_hash_add(cells[op->a], b); break;
	case OP_BIFLOW_L4: op_biflow_l4(cells, op->a, op->dst); break;
	case OP_BIFLOW_IP: op_biflow_ip(cells, op->a, op->dst); break;
	case OP_BIFLOW_ETH: op_biflow_eth(cells, op->a, op->dst); break;
	case OP_MEMBER: cells[op->dst] = op_member(h, cells[op->a], op->imm); break;
	case OP_SEGMENTS: cells[op->dst] = s->segments; break;
	case OP_SELECT: cells[op->dst] = op_select(h, cells[op->a], op->imm); break;
	default: op_run(cells, op);
	}
}

/* What may need it; encode_head() in tables/encode.c knows these codes too (TABLE_PACKET). */
HOOK_FN void op_run_pre(struct hook *h, struct scratch *s, const struct table *t, const struct op *op)
{
	switch (op->code) {
	case OP_HEADER: op_header(h, s, op); break;
	case OP_LOAD: pkt_load(h, s, &t->loads[op->imm & (LOADS_MAX - 1)]); break;
	default: op_run_pure(h, s, op);
	}
}

#endif
