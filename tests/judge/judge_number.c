/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge_number.h"

enum { SAMPLES_MAX = 1 << 24, SCALE = 1000 };

static bool less(uint64_t a, uint64_t b, bool is_signed)
{
	return is_signed ? (int64_t)a < (int64_t)b : a < b;
}

static uint64_t divide(uint64_t a, uint64_t b, bool is_signed)
{
	if (a == 0)
		return 0;
	if (b == 0)
		return ~0ULL;
	if (!is_signed)
		return a / b;
	return b == ~0ULL ? -a : (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t modulo(uint64_t a, uint64_t b, bool is_signed)
{
	if (b == 0 || (is_signed && b == ~0ULL))
		return 0;
	return is_signed ? (uint64_t)((int64_t)a % (int64_t)b) : a % b;
}

static uint64_t shift_right(uint64_t a, uint64_t by, bool is_signed)
{
	bool negative = is_signed && (int64_t)a < 0;

	if (by > 63)
		return negative ? ~0ULL : 0;
	return negative ? ~(~a >> by) : a >> by;
}

uint64_t judge_compute(enum expr_op op, uint64_t a, uint64_t b, bool is_signed)
{
	switch (op) {
	case EOP_LT: return less(a, b, is_signed);
	case EOP_LE: return !less(b, a, is_signed);
	case EOP_GT: return less(b, a, is_signed);
	case EOP_GE: return !less(a, b, is_signed);
	case EOP_BOR: return a | b;
	case EOP_BXOR: return a ^ b;
	case EOP_BAND: return a & b;
	case EOP_SHL: return b < 64 ? a << b : 0;
	case EOP_SHR: return shift_right(a, b, is_signed);
	case EOP_ADD: return a + b;
	case EOP_SUB: return a - b;
	case EOP_MUL: return a * b;
	case EOP_DIV: return divide(a, b, is_signed);
	case EOP_MOD: return modulo(a, b, is_signed);
	default: return 0;
	}
}

uint64_t judge_min(uint64_t a, uint64_t b, bool is_signed)
{
	return less(a, b, is_signed) ? a : b;
}

/* The nearest integer to z / by, halves away from 0; z has a sign. */
static uint64_t nearest(uint64_t z, uint64_t by)
{
	uint64_t size = (int64_t)z < 0 ? -z : z;
	uint64_t result = size / by + (size % by * 2 >= by);

	return (int64_t)z < 0 ? -result : result;
}

static uint64_t samples(uint64_t n)
{
	return (n < SAMPLES_MAX ? n : SAMPLES_MAX) + 1;
}

uint64_t judge_avg(uint64_t mean, uint64_t n, uint64_t x)
{
	return mean + nearest(SCALE * x - mean, samples(n));
}

uint64_t judge_var(uint64_t var, uint64_t mean, uint64_t n, uint64_t x)
{
	uint64_t squared = (SCALE * x - mean) * (SCALE * x - judge_avg(mean, n, x));

	return var + nearest(squared - SCALE * var, SCALE * samples(n));
}

uint64_t judge_ewma(uint64_t old, uint64_t x, uint64_t weight)
{
	return old + nearest((SCALE * x - old) * (SCALE - weight), SCALE);
}
