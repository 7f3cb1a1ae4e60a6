/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfsm_op - operations on cells.
 *
 * op_value() is pure, and globals are reached without a helper, so both may run under a lock.  What needs more is in
 * xfsm_pre.h. */
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

/* 'first': MEMBER_INDEX() of member 0 of the group, and the word.  A member that is not there has no values: ids from
 * GROUP_MEMBERS on name none. */
HOOK_FN __u64 op_member(struct hook *h, __u64 id, __u64 first)
{
	__u64 at = first + id * MEMBER_WORDS, there = -(__u64)BELOW(id, GROUP_MEMBERS);

	OPAQUE(at);
	return READ(map_groups(h)->member[at & (MEMBERS_ROOM - 1)]) & there;
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

/* ---- globals --------------------------------------------------------------------------------------- *
 *
 * One atomic operation each, also under a flow's lock: who holds that lock does not hold the global. */

/* Returns what the global became; '*ret_done' is false if another CPU was faster.
 *
 * The operand of the atomic operation is a copy: around them gcc 12 otherwise takes the register that holds the value
 * before for the operand ("lock xadd %rcx; add %rcx,%rcx"). */
HOOK_FN __u64 global_write(struct global *global, __u8 code, __u64 value, bool *ret_done)
{
	__u64 operand = value, old;

	OPAQUE(operand);
	switch (code) {
	case OP_GLOBAL_ADD: return FETCH_ADD(&global->value, operand) + value;
	case OP_GLOBAL_AND: return FETCH_AND(&global->value, operand) & value;
	case OP_GLOBAL_OR: return FETCH_OR(&global->value, operand) | value;
	case OP_GLOBAL_SET: WRITE(global->value, value); return value;
	case OP_GLOBAL_MAX:
		old = READ(global->value);
		if (old >= value)
			return old;
		*ret_done = FETCH_CAS(&global->value, old, operand) == old;
		return value;
	}
	return READ(global->value);
}

/* 'once': the packet may come here again, with what it did already done. */
HOOK_FN void op_global(struct hook *h, struct scratch *s, __u64 *cells, const struct op *op, bool once)
{
	struct global *global = map_global(h, op->global);
	bool done = true;
	__u64 value;

	if (once && AGAIN(s->global_done) == op->global + 1u)
		value = s->global_value;
	else
		value = global_write(global, op->code, op->flags & OP_IMM ? op->imm : cells[op->b], &done);
	cells[op->dst] = value;
	if (!done) {
		if (!(op->flags & OP_TRY))
			(void)FETCH_ADD(&global->lost, 1);
	} else if (once) {
		s->global_done = op->global + 1u;
		s->global_value = value;
	}
}

/* An operation of a list that may write globals. */
HOOK_FN void op_run_write(struct hook *h, struct scratch *s, __u64 *cells, const struct op *op, bool once)
{
	if (op->code >= OP_GLOBAL_FIRST)
		op_global(h, s, cells, op, once);
	else
		op_run(cells, op);
}

/* As op_run_list(), for the updates of a packet. */
HOOK_FN void op_run_do(struct hook *h, struct scratch *s, const struct table *t, __u32 first, const __u8 *n)
{
	LOOP
	for (__u32 i = 0; i < OPS_DO_MAX; i++) {
		if (i >= AGAIN(*n))
			break;
		op_run_write(h, s, s->cells, &t->ops[(first + i) & (OPS_MAX - 1)], true);
	}
}

#endif
