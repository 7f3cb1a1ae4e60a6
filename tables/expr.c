/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/arena.h"
#include "../common/cleanup.h"
#include "lexer.h"
#include "yaml.h"

/* How tightly operators bind, loosest first. */
enum level {
	LEVEL_OR = 1,
	LEVEL_AND,
	LEVEL_NOT,
	LEVEL_COMPARE,
	LEVEL_BOR,
	LEVEL_BXOR,
	LEVEL_BAND,
	LEVEL_SHIFT,
	LEVEL_ADD,
	LEVEL_MUL,
	LEVEL_SIGN,
	LEVEL_PRIMARY,
};

static const struct {
	const char *text;
	enum level level;
} ops[] = {
	[EOP_NONE] = {"=", 0},
	[EOP_OR] = {"or", LEVEL_OR},
	[EOP_AND] = {"and", LEVEL_AND},
	[EOP_NOT] = {"not", LEVEL_NOT},
	[EOP_EQ] = {"==", LEVEL_COMPARE},
	[EOP_NE] = {"!=", LEVEL_COMPARE},
	[EOP_LT] = {"<", LEVEL_COMPARE},
	[EOP_LE] = {"<=", LEVEL_COMPARE},
	[EOP_GT] = {">", LEVEL_COMPARE},
	[EOP_GE] = {">=", LEVEL_COMPARE},
	[EOP_IN] = {"in", LEVEL_COMPARE},
	[EOP_BOR] = {"|", LEVEL_BOR},
	[EOP_BXOR] = {"^", LEVEL_BXOR},
	[EOP_BAND] = {"&", LEVEL_BAND},
	[EOP_SHL] = {"<<", LEVEL_SHIFT},
	[EOP_SHR] = {">>", LEVEL_SHIFT},
	[EOP_ADD] = {"+", LEVEL_ADD},
	[EOP_SUB] = {"-", LEVEL_ADD},
	[EOP_MUL] = {"*", LEVEL_MUL},
	[EOP_DIV] = {"/", LEVEL_MUL},
	[EOP_MOD] = {"%", LEVEL_MUL},
	[EOP_NEG] = {"-", LEVEL_SIGN},
	[EOP_INV] = {"~", LEVEL_SIGN},
};

const char *expr_op_text(enum expr_op op)
{
	return ops[op].text;
}

enum expr_op expr_op_mirrored(enum expr_op op)
{
	switch (op) {
	case EOP_LT: return EOP_GT;
	case EOP_LE: return EOP_GE;
	case EOP_GT: return EOP_LT;
	case EOP_GE: return EOP_LE;
	default: return op;
	}
}

bool expr_is_signed(enum expr_op op, enum value_type a, enum value_type b)
{
	if (op == EOP_SHL || op == EOP_SHR)
		return a == TYPE_INT;
	return a == TYPE_INT || b == TYPE_INT;
}

unsigned expr_op_level(enum expr_op op)
{
	return ops[op].level;
}

static struct expr *parse_level(struct lexer *l, enum level level);

/* The operator at hand: words are operators too. */
static enum expr_op binary_op(const struct lexer *l)
{
	if (l->token == TOKEN_OP && l->op != EOP_INV)
		return l->op;
	if (lexer_is(l, "or"))
		return EOP_OR;
	if (lexer_is(l, "and"))
		return EOP_AND;
	return lexer_is(l, "in") ? EOP_IN : EOP_NONE;
}

static struct expr *new_expr(struct lexer *l, enum expr_kind kind, size_t begin)
{
	struct expr *e = arena_alloc(l->arena, sizeof(*e));

	e->kind = kind;
	e->loc = lexer_loc(l, begin);
	return e;
}

static struct expr *new_operation(struct lexer *l, enum expr_kind kind, enum expr_op op, struct expr *a, struct expr *b)
{
	struct expr *e = arena_alloc(l->arena, sizeof(*e));

	e->kind = kind;
	e->op = op;
	e->loc = a->loc;
	e->n_args = b ? 2 : 1;
	e->arg = arena_alloc_array(l->arena, e->n_args, sizeof(*e->arg));
	e->arg[0] = a;
	if (b)
		e->arg[1] = b;
	return e;
}

static struct expr *parse_literal(struct lexer *l)
{
	static const enum expr_kind kinds[TYPE_MAX] = {
		[TYPE_ADDR] = EXPR_ADDRESS,
		[TYPE_PREFIX] = EXPR_PREFIX,
		[TYPE_MAC] = EXPR_MAC,
	};
	struct expr *e = new_expr(l, kinds[l->literal.type], l->begin);

	e->type = l->literal.type;
	e->hi = l->literal.hi;
	e->value = l->literal.lo;
	e->prefix_len = l->literal.prefix_len;
	e->name = lexer_word(l);
	e->width = l->end - l->begin;
	return lexer_next(l) < 0 ? NULL : e;
}

static void add_arg(struct lexer *l, struct expr *e, struct expr *arg)
{
	e->arg = arena_grow(l->arena, e->arg, e->n_args, sizeof(*e->arg));
	e->arg[e->n_args++] = arg;
}

static struct expr *parse_arguments(struct lexer *l, struct expr *call)
{
	call->kind = EXPR_CALL;
	if (lexer_next(l) < 0)
		return NULL;
	while (l->token != TOKEN_CLOSE) {
		struct expr *arg = parse_level(l, LEVEL_OR);

		if (!arg)
			return NULL;
		add_arg(l, call, arg);
		if (l->token == TOKEN_CLOSE)
			break;
		if (lexer_expect(l, TOKEN_COMMA, "\",\" or \")\"") < 0)
			return NULL;
	}
	call->width = 0;
	return lexer_next(l) < 0 ? NULL : call;
}

static struct expr *parse_name(struct lexer *l)
{
	struct expr *e = new_expr(l, EXPR_NAME, l->begin);

	if (lexer_is(l, "and") || lexer_is(l, "or") || lexer_is(l, "in") || lexer_is(l, "not")) {
		lexer_error(l, "a value");
		return NULL;
	}
	e->name = lexer_word(l);
	e->width = l->end - l->begin;
	if (lexer_next(l) < 0)
		return NULL;
	return l->token == TOKEN_OPEN ? parse_arguments(l, e) : e;
}

static struct expr *parse_primary(struct lexer *l)
{
	struct expr *e;

	switch (l->token) {
	case TOKEN_LITERAL: return parse_literal(l);
	case TOKEN_NAME: return parse_name(l);
	case TOKEN_OPEN: break;
	default: lexer_error(l, "a value"); return NULL;
	}
	if (lexer_next(l) < 0)
		return NULL;
	e = parse_level(l, LEVEL_OR);
	return e && lexer_expect(l, TOKEN_CLOSE, "\")\"") == 0 ? e : NULL;
}

/* Behind `in`: "a-b" is a range, not a difference. */
static struct expr *parse_member(struct lexer *l)
{
	struct expr *e = parse_level(l, LEVEL_BOR);

	if (e && e->kind == EXPR_BINARY && e->op == EOP_SUB) {
		e->kind = EXPR_RANGE;
		e->op = EOP_NONE;
	}
	return e;
}

static struct expr *parse_members(struct lexer *l)
{
	struct expr *set;

	if (l->token != TOKEN_OPEN_LIST)
		return parse_member(l);
	set = new_expr(l, EXPR_SET, l->begin);
	if (lexer_next(l) < 0)
		return NULL;
	for (;;) {
		struct expr *member = parse_member(l);

		if (!member)
			return NULL;
		add_arg(l, set, member);
		if (l->token == TOKEN_CLOSE_LIST)
			return lexer_next(l) < 0 ? NULL : set;
		if (lexer_expect(l, TOKEN_COMMA, "\",\" or \"]\"") < 0)
			return NULL;
	}
}

static struct expr *parse_comparison(struct lexer *l)
{
	struct expr *a = parse_level(l, LEVEL_BOR), *b;
	enum expr_op op = binary_op(l);

	if (!a || ops[op].level != LEVEL_COMPARE)
		return a;
	if (lexer_next(l) < 0)
		return NULL;
	b = op == EOP_IN ? parse_members(l) : parse_level(l, LEVEL_BOR);
	if (!b)
		return NULL;
	if (ops[binary_op(l)].level == LEVEL_COMPARE) {
		diag_error(l->diags, lexer_loc(l, l->begin),
			   "a comparison cannot follow a comparison: write \"a < b and b < c\"");
		return NULL;
	}
	return new_operation(l, EXPR_BINARY, op, a, b);
}

static struct expr *parse_unary(struct lexer *l, enum expr_op op, enum level level)
{
	struct loc loc = lexer_loc(l, l->begin);
	struct expr *e;

	if (lexer_next(l) < 0)
		return NULL;
	e = parse_level(l, level);
	if (!e)
		return NULL;
	e = new_operation(l, EXPR_UNARY, op, e, NULL);
	e->loc = loc;
	return e;
}

static struct expr *parse_chain(struct lexer *l, enum level level)
{
	struct expr *a = parse_level(l, level + 1);

	while (a && ops[binary_op(l)].level == level) {
		enum expr_op op = binary_op(l);
		struct expr *b;

		if (lexer_next(l) < 0)
			return NULL;
		b = parse_level(l, level + 1);
		if (!b)
			return NULL;
		a = new_operation(l, EXPR_BINARY, op, a, b);
	}
	return a;
}

static struct expr *parse_operators(struct lexer *l, enum level level)
{
	switch (level) {
	case LEVEL_NOT: return lexer_is(l, "not") ? parse_unary(l, EOP_NOT, LEVEL_NOT) : parse_comparison(l);
	case LEVEL_SIGN:
		if (l->token == TOKEN_OP && (l->op == EOP_SUB || l->op == EOP_INV))
			return parse_unary(l, l->op == EOP_SUB ? EOP_NEG : EOP_INV, LEVEL_SIGN);
		return parse_primary(l);
	default: return parse_chain(l, level);
	}
}

/* Every way to nest leads here from LEVEL_OR ("(", arguments) or from a sign. */
static struct expr *parse_level(struct lexer *l, enum level level)
{
	struct expr *e;

	if (level != LEVEL_OR && level != LEVEL_NOT && level != LEVEL_SIGN)
		return parse_operators(l, level);
	if (l->depth >= 3 * EXPR_DEPTH_MAX) {
		diag_error(l->diags, lexer_loc(l, l->begin), "nested too deeply");
		return NULL;
	}
	l->depth++;
	e = parse_operators(l, level);
	l->depth--;
	return e;
}

struct expr *expr_parse_tokens(struct lexer *l)
{
	return parse_level(l, LEVEL_OR);
}

static struct expr *parse_whole(struct lexer *l)
{
	struct expr *e = expr_parse_tokens(l);

	if (e && l->token != TOKEN_END) {
		lexer_error(l, "an operator or the end");
		return NULL;
	}
	return e;
}

struct expr *expr_parse(struct arena *arena, const char *text, struct loc loc, struct diag_list *diags)
{
	struct lexer l;

	return lexer_init(&l, arena, text, loc, NULL, diags) < 0 ? NULL : parse_whole(&l);
}

struct expr *expr_parse_yaml(struct arena *arena, const struct yaml_node *node, struct diag_list *diags)
{
	struct lexer l;

	return lexer_init(&l, arena, node->text, node->loc, node, diags) < 0 ? NULL : parse_whole(&l);
}

/* ---- text again ---- */

static void render_level(const struct expr *e, enum level level, FILE *out);

static void render_list(const struct expr *e, FILE *out)
{
	for (unsigned i = 0; i < e->n_args; i++) {
		if (i)
			fputs(", ", out);
		render_level(e->arg[i], LEVEL_OR, out);
	}
}

/* "1500ms": the largest unit that divides the number, so that it reads back the same. */
static void render_number(const struct expr *e, FILE *out)
{
	static const struct {
		enum value_type type;
		const char *unit;
		uint64_t factor;
	} units[] = {
		{TYPE_DURATION, "d", 86400000000000},
		{TYPE_DURATION, "h", 3600000000000},
		{TYPE_DURATION, "min", 60000000000},
		{TYPE_DURATION, "s", 1000000000},
		{TYPE_DURATION, "ms", 1000000},
		{TYPE_DURATION, "us", 1000},
		{TYPE_DURATION, "ns", 1},
		{TYPE_SIZE, "MiB", 1 << 20},
		{TYPE_SIZE, "KiB", 1 << 10},
		{TYPE_SIZE, "B", 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (units[i].type == e->type &&
		    (units[i].factor == 1 || (e->value && e->value % units[i].factor == 0))) {
			fprintf(out, "%" PRIu64 "%s", e->value / units[i].factor, units[i].unit);
			return;
		}
	if (e->type == TYPE_FRACTION)
		fprintf(out, "%" PRIu64 ".%03" PRIu64, e->value / 1000, e->value % 1000);
	else if (e->type == TYPE_INT)
		fprintf(out, "%" PRId64, (int64_t)e->value);
	else
		fprintf(out, "%" PRIu64, e->value);
}

static void render_constant(const struct expr *e, FILE *out)
{
	char buf[64];

	if (e->name)
		fputs(e->name, out);
	else if (e->kind == EXPR_NUMBER)
		render_number(e, out);
	else
		fputs(value_render(e->kind == EXPR_MAC ? TYPE_MAC : TYPE_ADDR, e->hi, e->value, 0, buf, sizeof(buf)),
		      out);
	if (!e->name && e->kind == EXPR_PREFIX)
		fprintf(out, "/%u",
			e->hi == 0 && e->value >> 32 == 0xffff && e->prefix_len >= 96 ? e->prefix_len - 96
										      : e->prefix_len);
}

static void render_binary(const struct expr *e, FILE *out)
{
	enum level level = ops[e->op].level;

	/* Comparisons do not chain, so both sides bind tighter; the others are left-associative. */
	render_level(e->arg[0], level == LEVEL_COMPARE ? level + 1 : level, out);
	fprintf(out, " %s ", ops[e->op].text);
	render_level(e->arg[1], level + 1, out);
}

static bool begins_with_minus(const struct expr *e)
{
	if (e->kind == EXPR_NUMBER)
		return !e->name && e->type == TYPE_INT && (int64_t)e->value < 0;
	return e->kind == EXPR_UNARY && e->op == EOP_NEG;
}

/* "-(-x)": "--" is no operator. */
static void render_unary(const struct expr *e, FILE *out)
{
	bool apart = e->op == EOP_NEG && begins_with_minus(e->arg[0]);

	fprintf(out, "%s%s", ops[e->op].text, e->op == EOP_NOT ? " " : "");
	render_level(e->arg[0], apart ? LEVEL_PRIMARY : ops[e->op].level, out);
}

static enum level level_of(const struct expr *e)
{
	if (begins_with_minus(e))
		return LEVEL_SIGN;
	switch (e->kind) {
	case EXPR_UNARY:
	case EXPR_BINARY: return ops[e->op].level;
	case EXPR_RANGE: return LEVEL_ADD;
	default: return LEVEL_PRIMARY;
	}
}

static void render_level(const struct expr *e, enum level level, FILE *out)
{
	bool parentheses = level_of(e) < level && e->kind != EXPR_RANGE;

	if (parentheses)
		fputc('(', out);
	switch (e->kind) {
	case EXPR_NUMBER:
	case EXPR_ADDRESS:
	case EXPR_PREFIX:
	case EXPR_MAC: render_constant(e, out); break;
	case EXPR_NAME: fputs(e->name, out); break;
	case EXPR_UNARY: render_unary(e, out); break;
	case EXPR_BINARY: render_binary(e, out); break;
	case EXPR_CALL:
		fprintf(out, "%s(", e->name);
		render_list(e, out);
		fputc(')', out);
		break;
	case EXPR_SET:
		fputc('[', out);
		render_list(e, out);
		fputc(']', out);
		break;
	case EXPR_RANGE:
		render_level(e->arg[0], LEVEL_MUL, out);
		fputc('-', out);
		render_level(e->arg[1], LEVEL_MUL, out);
		break;
	}
	if (parentheses)
		fputc(')', out);
}

static char *finish(FILE *out, char **text)
{
	bool failed = ferror(out);

	if (fclose(out) || failed) {
		free(*text);
		return NULL;
	}
	return *text;
}

char *expr_render(const struct expr *expr)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	render_level(expr, LEVEL_OR, out);
	return finish(out, &text);
}
