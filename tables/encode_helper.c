/* SPDX-License-Identifier: GPL-2.0-or-later */
/* avg(), var() and ewma(), made of operations.
 *
 * All keep thousandths.  Written so that equal parts are equal operations: var() and avg() of one sample, mean and
 * count share all they can. */
#include <string.h>

#include "encode_int.h"

enum { SCALE = 1000, COUNT_BITS = 24 };

/* The quotient nearest to a / b for b > 0, halves away from 0. */
static struct operand divide_rounded(struct enc *e, struct operand a, struct operand b)
{
	struct operand half = enc_op(e, OP_SHR, b, operand_number(1)), sign = enc_op(e, OP_SAR, a, operand_number(63));

	half = enc_op(e, OP_SUB, enc_op(e, OP_XOR, half, sign), sign);
	return enc_op(e, OP_SDIV, enc_op(e, OP_ADD, a, half), b);
}

/* One sample more. */
struct sample {
	struct operand count; /* This one included, at most 2^24 + 1. */
	struct operand above; /* Sample - mean. */
	struct operand step;  /* Of the mean. */
};

static struct sample sample(struct enc *e, struct operand mean, struct operand n, struct operand x)
{
	struct sample s;

	n = enc_op(e, OP_MIN, n, operand_number(1ULL << COUNT_BITS));
	s.count = enc_op(e, OP_ADD, n, operand_number(1));
	s.above = enc_op(e, OP_SUB, enc_op(e, OP_MUL, x, operand_number(SCALE)), mean);
	s.step = divide_rounded(e, s.above, s.count);
	return s;
}

static struct operand avg(struct enc *e, const struct operand *arg)
{
	return enc_op(e, OP_ADD, arg[0], sample(e, arg[0], arg[1], arg[2]).step);
}

/* Welford: (sample - old mean) * (sample - new mean) is what the sample adds to the sum of squares. */
static struct operand var(struct enc *e, const struct operand *arg)
{
	struct sample s = sample(e, arg[1], arg[2], arg[3]);
	struct operand square = enc_op(e, OP_MUL, s.above, enc_op(e, OP_SUB, s.above, s.step)), over;

	over = enc_op(e, OP_SUB, square, enc_op(e, OP_MUL, arg[0], operand_number(SCALE)));
	s.count = enc_op(e, OP_MUL, s.count, operand_number(SCALE));
	return enc_op(e, OP_ADD, arg[0], divide_rounded(e, over, s.count));
}

static struct operand ewma(struct enc *e, const struct operand *arg)
{
	struct operand above = enc_op(e, OP_SUB, enc_op(e, OP_MUL, arg[1], operand_number(SCALE)), arg[0]);

	above = enc_op(e, OP_MUL, above, operand_number(SCALE - arg[2].lo));
	return enc_op(e, OP_ADD, arg[0], divide_rounded(e, above, operand_number(SCALE)));
}

bool enc_helper(struct enc *e, const struct expr *expr, struct operand *ret_value)
{
	static const struct {
		const char *name;
		struct operand (*encode)(struct enc *e, const struct operand *arg);
	} helpers[] = {{"avg", avg}, {"var", var}, {"ewma", ewma}};
	struct operand arg[4];

	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++) {
		if (strcmp(expr->name, helpers[i].name) != 0)
			continue;
		for (unsigned j = 0; j < expr->n_args && j < 4; j++)
			arg[j] = enc_expr(e, expr->arg[j]);
		*ret_value = helpers[i].encode(e, arg);
		return true;
	}
	return false;
}
