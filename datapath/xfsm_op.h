/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfsm_op - operations on cells.
 *
 * op_value() is pure, so it may run under a lock.  What needs a helper or several cells runs before the lock only
 * (op_run_pre). */
#ifndef MEALY_XFSM_OP_H
#define MEALY_XFSM_OP_H

#include "hook.h"

/* The kernel's compilers of 6.1 know no signed division. */
HOOK_FN __u64 op_magnitude(__u64 a)
{
	return (__s64)a < 0 ? -a : a;
}

HOOK_FN __u64 op_sdiv(__u64 a, __u64 b)
{
	__u64 q;

	if (!b)
		return a ? ~0ull : 0;
	q = op_magnitude(a) / op_magnitude(b);
	return (__s64)(a ^ b) < 0 ? -q : q;
}

HOOK_FN __u64 op_smod(__u64 a, __u64 b)
{
	__u64 r;

	if (!b)
		return 0;
	r = op_magnitude(a) % op_magnitude(b);
	return (__s64)a < 0 ? -r : r;
}

HOOK_FN __u64 op_div(__u64 a, __u64 b)
{
	if (!b)
		return a ? ~0ull : 0;
	return a / b;
}

HOOK_FN __u64 op_sar(__u64 a, __u64 b)
{
	return (__u64)((__s64)a >> (b > 63 ? 63 : b));
}

HOOK_FN __u64 op_value(__u8 code, __u64 a, __u64 b, __u64 present)
{
	switch (code) {
	case OP_MOV: return b;
	case OP_ADD: return a + b;
	case OP_SUB: return a - b;
	case OP_MUL: return a * b;
	case OP_DIV: return op_div(a, b);
	case OP_MOD: return b ? a % b : 0;
	case OP_AND: return a & b;
	case OP_OR: return a | b;
	case OP_XOR: return a ^ b;
	case OP_SHL: return b > 63 ? 0 : a << b;
	case OP_SHR: return b > 63 ? 0 : a >> b;
	case OP_MIN: return a < b ? a : b;
	case OP_MAX: return a > b ? a : b;
	case OP_EQ: return a == b;
	case OP_NE: return a != b;
	case OP_LT: return a < b;
	case OP_LE: return a <= b;
	case OP_SLT: return (__s64)a < (__s64)b;
	case OP_SLE: return (__s64)a <= (__s64)b;
	case OP_SDIV: return op_sdiv(a, b);
	case OP_SMOD: return op_smod(a, b);
	case OP_SAR: return op_sar(a, b);
	case OP_SMIN: return (__s64)a < (__s64)b ? a : b;
	case OP_SMAX: return (__s64)a > (__s64)b ? a : b;
	case OP_SEQ_LT: return (__s32)((__u32)a - (__u32)b) < 0;
	case OP_SEQ_LE: return (__s32)((__u32)a - (__u32)b) <= 0;
	case OP_HAS: return (present & b) == b;
	}
	return 0;
}

HOOK_FN void op_run(__u64 *cells, const struct op *op)
{
	__u64 a = cells[op->a], b = op->flags & OP_IMM ? op->imm : cells[op->b];

	if (op->code == OP_NOP)
		return;
	if (op->flags & OP_SWAP) {
		__u64 swap = a;

		a = b;
		b = swap;
	}
	cells[op->dst] = op_value(op->code, a, b, cells[CELL_PRESENT]);
}

/* Runs '*n' ops from 'first' on, at most 'max'. */
HOOK_FN void op_run_list(__u64 *cells, const struct table *t, __u32 first, const __u8 *n, __u32 max)
{
	LOOP
	for (__u32 i = 0; i < max; i++) {
		if (i >= AGAIN(*n))
			break;
		op_run(cells, &t->ops[(first + i) & (OPS_MAX - 1)]);
	}
}

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

HOOK_FN void op_run_pre(struct hook *h, __u64 *cells, const struct op *op)
{
	__u64 b = op->flags & OP_IMM ? op->imm : cells[op->b];

	switch (op->code) {
	case OP_RANDOM: cells[op->dst] = hook_random(h); break;
	case OP_HASH_INIT: cells[op->dst] = b; break;
	case OP_HASH_ADD: cells[op->dst] = op_hash_add(cells[op->a], b); break;
	case OP_BIFLOW_L4: op_biflow_l4(cells, op->a, op->dst); break;
	case OP_BIFLOW_IP: op_biflow_ip(cells, op->a, op->dst); break;
	case OP_BIFLOW_ETH: op_biflow_eth(cells, op->a, op->dst); break;
	default: op_run(cells, op);
	}
}

#endif
