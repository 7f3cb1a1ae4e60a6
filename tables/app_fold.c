/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types of operations, and operations on constants. */
#include <inttypes.h>

#include "app_check.h"

/* Small numbers that mean what their field says; they mix with plain numbers. */
static bool is_word(enum value_type type)
{
	return type == TYPE_PORT || type == TYPE_PROTO || type == TYPE_ETHERTYPE || type == TYPE_FLAGS ||
	       type == TYPE_HOOK || type == TYPE_COLOUR;
}

static bool is_neutral(enum value_type type)
{
	return type == TYPE_U64 || type == TYPE_INT || type == TYPE_BOOL;
}

bool type_is_plain(enum value_type type)
{
	return is_neutral(type) || is_word(type);
}

static bool is_number(enum value_type type)
{
	return type_is_plain(type) || type == TYPE_TIME || type == TYPE_DURATION || type == TYPE_RATE ||
	       type == TYPE_SIZE || type == TYPE_MAC;
}

bool type_assignable(enum value_type to, enum value_type from)
{
	if (to == from || (is_number(to) && is_neutral(from)))
		return true;
	if (to == TYPE_ADDR || from == TYPE_ADDR || from == TYPE_PREFIX || from == TYPE_LIST)
		return false;
	if (is_neutral(to))
		return is_number(from);
	return is_word(to) && is_word(from) && to != TYPE_HOOK;
}

const char *type_noun(enum value_type type)
{
	switch (type) {
	case TYPE_ADDR: return "an address";
	case TYPE_ETHERTYPE: return "an ethertype";
	case TYPE_INT: return "a signed number";
	case TYPE_MAC: return "a MAC";
	case TYPE_FLAGS: return "a set of flags";
	case TYPE_U64: return "a number";
	case TYPE_BOOL: return "a condition";
	case TYPE_TIME: return "a time";
	case TYPE_DURATION: return "a duration";
	case TYPE_RATE: return "a rate";
	case TYPE_SIZE: return "a size";
	case TYPE_PREFIX: return "a prefix";
	case TYPE_PORT: return "a port";
	case TYPE_PROTO: return "a protocol";
	case TYPE_HOOK: return "a hook";
	case TYPE_COLOUR: return "a colour";
	case TYPE_FRACTION: return "a fraction";
	case TYPE_LIST: return "a list";
	case TYPE_FIELD: return "a field";
	case TYPE_SEGMENTS: return "a list of segments";
	case TYPE_MAX: break;
	}
	return "?";
}

static enum value_type mismatch(struct checker *c, const struct expr *e, enum expr_op op, enum value_type a,
				enum value_type b)
{
	ERROR(c, e->loc, "\"%s\" between %s and %s makes no sense", op == EOP_NONE ? "=" : expr_op_text(op),
	      type_noun(a), type_noun(b));
	return TYPE_MAX;
}

static enum value_type combine_compare(struct checker *c, const struct expr *e, enum expr_op op, enum value_type a,
				       enum value_type b)
{
	if (a == TYPE_PREFIX || b == TYPE_PREFIX) {
		ERROR(c, e->loc, "a prefix can only stand behind \"in\", not \"%s\"", expr_op_text(op));
		return TYPE_MAX;
	}
	if (a != b && !(is_neutral(a) && is_number(b)) && !(is_neutral(b) && is_number(a)))
		return mismatch(c, e, op, a, b);
	return TYPE_BOOL;
}

static enum value_type combine_add(struct checker *c, const struct expr *e, enum expr_op op, enum value_type a,
				   enum value_type b)
{
	if (a == TYPE_TIME && b == TYPE_TIME)
		return op == EOP_SUB ? TYPE_DURATION : mismatch(c, e, op, a, b);
	if (a == TYPE_TIME && b == TYPE_DURATION)
		return TYPE_TIME;
	if (a == TYPE_DURATION && b == TYPE_TIME && op == EOP_ADD)
		return TYPE_TIME;
	if (type_is_plain(a) && type_is_plain(b))
		return TYPE_U64;
	if (type_is_plain(b) || a == b)
		return a == TYPE_MAC ? TYPE_U64 : a;
	if (type_is_plain(a))
		return b == TYPE_MAC ? TYPE_U64 : b;
	return mismatch(c, e, op, a, b);
}

static enum value_type combine_multiply(struct checker *c, const struct expr *e, enum expr_op op, enum value_type a,
					enum value_type b)
{
	if (op == EOP_MUL && (a == TYPE_TIME || b == TYPE_TIME))
		return mismatch(c, e, op, a, b);
	if (op == EOP_MOD && a == TYPE_TIME)
		return TYPE_DURATION;
	/* length * 8 * 1s / rate, 1s / rate: what rates and sizes do to a duration leaves one. */
	if (op == EOP_MUL && (a == TYPE_DURATION) != (b == TYPE_DURATION))
		return TYPE_DURATION;
	if (op != EOP_MUL && a == TYPE_DURATION)
		return op == EOP_DIV && b == TYPE_DURATION ? TYPE_U64 : TYPE_DURATION;
	if (op == EOP_MUL && type_is_plain(a))
		return type_is_plain(b) || b == TYPE_MAC ? TYPE_U64 : b;
	if (type_is_plain(b) && (a == TYPE_SIZE || a == TYPE_RATE))
		return a;
	return TYPE_U64;
}

/* Numbers of which the sign would be another thing. */
static bool fits_signed(struct checker *c, const struct expr *e)
{
	if (!e->constant || e->type == TYPE_INT || e->type == TYPE_BOOL || e->value <= INT64_MAX)
		return true;
	ERROR(c, e->loc, "%" PRIu64 " does not fit in a signed number", e->value);
	return false;
}

static bool is_bitwise(enum expr_op op)
{
	return op == EOP_BOR || op == EOP_BXOR || op == EOP_BAND || op == EOP_SHL || op == EOP_SHR;
}

/* An int on one side makes the operation signed and its result an int, whatever the other side measures. */
static enum value_type combine_signed(struct checker *c, const struct expr *e, enum expr_op op, const struct expr *a,
				      const struct expr *b)
{
	if (!is_bitwise(op) && (!fits_signed(c, a) || !fits_signed(c, b)))
		return TYPE_MAX;
	if (op == EOP_MUL && (a->type == TYPE_TIME || b->type == TYPE_TIME))
		return mismatch(c, e, op, a->type, b->type);
	return TYPE_INT;
}

static enum value_type combine_logic(struct checker *c, const struct expr *e, enum expr_op op, enum value_type a,
				     enum value_type b)
{
	if (a == TYPE_BOOL && b == TYPE_BOOL)
		return TYPE_BOOL;
	ERROR(c, e->loc, "\"%s\" needs conditions on both sides; a number becomes one by \"!= 0\"", expr_op_text(op));
	return TYPE_MAX;
}

enum value_type expr_combine(struct checker *c, const struct expr *e, enum expr_op op, const struct expr *a,
			     const struct expr *b)
{
	switch (op) {
	case EOP_OR:
	case EOP_AND: return combine_logic(c, e, op, a->type, b->type);
	case EOP_EQ:
	case EOP_NE:
	case EOP_LT:
	case EOP_LE:
	case EOP_GT:
	case EOP_GE:
		if (expr_is_signed(op, a->type, b->type) && (!fits_signed(c, a) || !fits_signed(c, b)))
			return TYPE_MAX;
		return combine_compare(c, e, op, a->type, b->type);
	default: break;
	}
	if (!is_number(a->type) || !is_number(b->type))
		return mismatch(c, e, op, a->type, b->type);
	if (expr_is_signed(op, a->type, b->type))
		return combine_signed(c, e, op, a, b);
	switch (op) {
	case EOP_ADD:
	case EOP_SUB: return combine_add(c, e, op, a->type, b->type);
	case EOP_MUL:
	case EOP_DIV:
	case EOP_MOD: return combine_multiply(c, e, op, a->type, b->type);
	default: return TYPE_U64;
	}
}

static bool overflow(struct checker *c, const struct expr *e)
{
	ERROR(c, e->loc, "the result of \"%s\" does not fit in 64 bits", expr_op_text(e->op));
	return false;
}

static bool fold_arithmetic(struct checker *c, const struct expr *e, uint64_t a, uint64_t b, uint64_t *ret)
{
	switch (e->op) {
	case EOP_ADD: return __builtin_add_overflow(a, b, ret) ? overflow(c, e) : true;
	case EOP_MUL: return __builtin_mul_overflow(a, b, ret) ? overflow(c, e) : true;
	case EOP_SUB:
		*ret = a - b;
		if (a >= b)
			return true;
		ERROR(c, e->loc, "the result of \"-\" is less than 0");
		return false;
	case EOP_DIV:
	case EOP_MOD:
		if (!b) {
			ERROR(c, e->loc, "division by 0");
			return false;
		}
		*ret = e->op == EOP_DIV ? a / b : a % b;
		return true;
	case EOP_SHL: *ret = b < 64 ? a << b : 0; return a && (b >= 64 || *ret >> b != a) ? overflow(c, e) : true;
	default: break;
	}
	return false;
}

static bool fold_signed_arithmetic(struct checker *c, const struct expr *e, int64_t a, int64_t b, int64_t *ret)
{
	switch (e->op) {
	case EOP_ADD: return __builtin_add_overflow(a, b, ret) ? overflow(c, e) : true;
	case EOP_SUB: return __builtin_sub_overflow(a, b, ret) ? overflow(c, e) : true;
	case EOP_MUL: return __builtin_mul_overflow(a, b, ret) ? overflow(c, e) : true;
	case EOP_DIV:
	case EOP_MOD:
		if (!b) {
			ERROR(c, e->loc, "division by 0");
			return false;
		}
		if (b == -1) {
			*ret = 0;
			return e->op == EOP_DIV && __builtin_sub_overflow(0, a, ret) ? overflow(c, e) : true;
		}
		*ret = e->op == EOP_DIV ? a / b : a % b;
		return true;
	case EOP_SHL:
		*ret = b >= 0 && b < 64 ? (int64_t)((uint64_t)a << b) : 0;
		return a && (b < 0 || b >= 64 || *ret >> b != a) ? overflow(c, e) : true;
	default: break;
	}
	return false;
}

/* What differs from fold_binary() when a side is an int. */
static bool fold_signed(struct checker *c, struct expr *e)
{
	int64_t a = e->arg[0]->value, b = e->arg[1]->value, value = 0;

	switch (e->op) {
	case EOP_LT: value = a < b; break;
	case EOP_LE: value = a <= b; break;
	case EOP_GT: value = a > b; break;
	case EOP_GE: value = a >= b; break;
	case EOP_EQ: value = a == b; break;
	case EOP_NE: value = a != b; break;
	case EOP_BOR: value = a | b; break;
	case EOP_BXOR: value = a ^ b; break;
	case EOP_BAND: value = a & b; break;
	case EOP_SHR: value = a >> (b < 0 || b > 63 ? 63 : b); break;
	default:
		if (!fold_signed_arithmetic(c, e, a, b, &value))
			return false;
	}
	e->value = value;
	e->constant = true;
	return true;
}

static bool fold_binary(struct checker *c, struct expr *e)
{
	const struct expr *left = e->arg[0], *right = e->arg[1];
	uint64_t a = left->value, b = right->value;
	bool equal = a == b && left->hi == right->hi;
	bool less = left->hi != right->hi ? left->hi < right->hi : a < b;

	switch (e->op) {
	case EOP_OR: e->value = a || b; break;
	case EOP_AND: e->value = a && b; break;
	case EOP_EQ: e->value = equal; break;
	case EOP_NE: e->value = !equal; break;
	case EOP_LT: e->value = less; break;
	case EOP_LE: e->value = less || equal; break;
	case EOP_GT: e->value = !less && !equal; break;
	case EOP_GE: e->value = !less; break;
	case EOP_BOR: e->value = a | b; break;
	case EOP_BXOR: e->value = a ^ b; break;
	case EOP_BAND: e->value = a & b; break;
	case EOP_SHR: e->value = b < 64 ? a >> b : 0; break;
	case EOP_IN: return true; /* A constant in a constant prefix: left to the datapath. */
	default:
		if (!fold_arithmetic(c, e, a, b, &e->value))
			return false;
	}
	e->constant = true;
	return true;
}

static bool fold_unary(struct checker *c, struct expr *e)
{
	uint64_t a = e->arg[0]->value;

	switch (e->op) {
	case EOP_NOT: e->value = !a; break;
	case EOP_INV: e->value = ~a; break;
	default:
		if (e->arg[0]->type == TYPE_INT ? a == 1ULL << 63 : a > 1ULL << 63)
			return overflow(c, e);
		e->value = -a;
	}
	e->constant = true;
	return true;
}

/* min, max, seq_lt, seq_le */
static void fold_pair(struct expr *e)
{
	uint64_t a = e->arg[0]->value, b = e->arg[1]->value;
	bool is_signed = expr_is_signed(EOP_LT, e->arg[0]->type, e->arg[1]->type);
	bool less = is_signed ? (int64_t)a < (int64_t)b : a < b;
	uint32_t behind = (uint32_t)a - (uint32_t)b;

	if (strcmp(e->name, "min") == 0)
		e->value = less ? a : b;
	else if (strcmp(e->name, "max") == 0)
		e->value = less ? b : a;
	else if (strcmp(e->name, "seq_lt") == 0)
		e->value = behind >> 31;
	else if (strcmp(e->name, "seq_le") == 0)
		e->value = behind >> 31 || !behind;
	else
		return;
	e->constant = true;
}

bool expr_fold(struct checker *c, struct expr *e)
{
	for (unsigned i = 0; i < e->n_args; i++)
		if (!e->arg[i]->constant)
			return true;
	if (e->kind == EXPR_UNARY)
		return fold_unary(c, e);
	if (e->kind == EXPR_BINARY)
		return expr_is_signed(e->op, e->arg[0]->type, e->arg[1]->type) ? fold_signed(c, e) : fold_binary(c, e);
	if (e->kind == EXPR_CALL && e->n_args == 2)
		fold_pair(e);
	return true;
}
