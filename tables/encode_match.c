/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `match` and `when` -> rows of terms.
 *
 * A rule gives one row for each combination of the alternatives of its sets.  What a term can say (one
 * word, masked, in a range) becomes a term; anything else becomes an operation that makes 0 or 1
 * and a term that looks at it. */
#include <string.h>

#include "../common/cleanup.h"
#include "encode_int.h"

#define NEED(x) (1ULL << PRESENT_##x)

/* ---- terms ---------------------------------------------------------------------------------- */

static void add_term(struct row *d, struct term term)
{
	if (d->n_terms < ROW_ROOM)
		d->term[d->n_terms] = term;
	d->n_terms++;
}

static void add_equal(struct row *d, unsigned cell, uint64_t mask, uint64_t value, bool negate)
{
	add_term(d, (struct term){.cell = cell, .invert = negate, .mask = mask, .low = value & mask});
}

/* low <= cell <= high */
static void add_range(struct row *d, unsigned cell, uint64_t low, uint64_t high, bool negate)
{
	if (high - low == ~0ULL) {
		d->never |= negate;
		return;
	}
	add_term(d, (struct term){.cell = cell, .invert = negate, .mask = ~0ULL, .low = low, .range = high - low});
}

static void add_constant(struct row *d, bool holds)
{
	d->never |= !holds;
}

static void add_bool(struct row *d, struct operand x, bool negate)
{
	if (x.constant)
		add_constant(d, (x.lo != 0) != negate);
	else
		add_equal(d, x.cell, ~0ULL, negate ? 0 : 1, false);
}

/* ---- addresses ------------------------------------------------------------------------------ */

static bool is_ipv4(const struct pattern *p)
{
	return p->mask_hi == ~0ULL && p->hi == 0 && p->mask_lo >> 32 == 0xffffffff && p->lo >> 32 == 0xffff;
}

/* All ones if the address is no IPv4 one, else its low half: so one term can deny an IPv4 prefix. */
static struct operand ipv4_or_ones(struct enc *e, struct operand x)
{
	struct operand other = enc_op(e, OP_NE, operand_half(x, true), operand_number(0));

	other = enc_op(e, OP_SUB, operand_number(0), other);
	return enc_op(e, OP_OR, operand_half(x, false), other);
}

static void deny_address(struct enc *e, struct row *d, struct operand x, const struct pattern *p, bool always_ipv4)
{
	struct operand low;

	if (is_ipv4(p)) {
		low = always_ipv4 ? operand_half(x, false) : ipv4_or_ones(e, x);
		add_equal(d, low.cell, p->mask_lo, p->lo, true);
	} else if (p->mask_lo == 0) {
		add_equal(d, x.cell, p->mask_hi, p->hi, true);
	} else {
		add_bool(d, enc_masked_equal(e, x, p), true);
	}
}

static void want_address(struct row *d, struct operand x, const struct pattern *p, enum load_kind kind)
{
	bool known = is_ipv4(p) && (kind == LOAD_ADDR || kind == LOAD_ADDR4);

	/* An IPv6 packet never holds a mapped address, so being IPv4 says all about the high half. */
	if (known && kind == LOAD_ADDR)
		d->needs |= NEED(IPV4);
	if (!known && p->mask_hi)
		add_equal(d, x.cell, p->mask_hi, p->hi, false);
	if (known ? (__u32)p->mask_lo != 0 : p->mask_lo != 0)
		add_equal(d, x.cell + 1, p->mask_lo, p->lo, false);
}

/* An IPv6 packet never holds a mapped address, so being IPv4 says all about the high half. */
static void add_address_range(struct enc *e, struct row *d, struct operand x, const struct pattern *p, bool negate,
			      enum load_kind kind)
{
	bool ipv4 = p->hi == 0 && p->lo >> 32 == 0xffff;
	struct operand low = operand_half(x, false);

	if (ipv4 && negate && kind != LOAD_ADDR4)
		low = ipv4_or_ones(e, x);
	if (!ipv4 && (negate || p->hi != p->last_hi)) {
		add_bool(d, enc_in_range(e, x, p), negate);
		return;
	}
	if (ipv4 && !negate && kind == LOAD_ADDR)
		d->needs |= NEED(IPV4);
	else if (!negate && kind != LOAD_ADDR4)
		add_equal(d, x.cell, ~0ULL, p->hi, false);
	add_range(d, low.cell, p->lo, p->last, negate);
}

/* ---- `match` -------------------------------------------------------------------------------- */

static void add_pattern(struct enc *e, struct row *d, const struct match *m, const struct pattern *p)
{
	enum load_kind kind = m->ref.kind == REF_FIELD ? m->ref.field->load.kind : LOAD_NONE;
	struct operand x = enc_ref(e, &m->ref);

	if (x.constant)
		add_constant(d, ((x.lo & p->mask_lo) == (p->lo & p->mask_lo)) != m->negate);
	else if (x.wide && p->kind == PATTERN_RANGE)
		add_address_range(e, d, x, p, m->negate, kind);
	else if (x.wide && m->negate)
		deny_address(e, d, x, p, kind == LOAD_ADDR4);
	else if (x.wide)
		want_address(d, x, p, kind);
	else if (p->kind == PATTERN_RANGE)
		add_range(d, x.cell, p->lo, p->last, m->negate);
	else
		add_equal(d, x.cell, p->mask_lo, p->lo, m->negate);
}

uint64_t enc_match_needs(const struct enc *e, const struct app_rule *rule)
{
	uint64_t needs = enc_needs(e, rule->when);

	for (size_t i = 0; i < rule->n_match; i++)
		needs |= enc_ref_needs(e, &rule->match[i].ref);
	return needs;
}

/* ---- `when` --------------------------------------------------------------------------------- */

struct comparison {
	enum expr_op op;
	bool is_signed;
	unsigned cell;
	uint64_t mask, value;
};

/* cell OP constant.  A signed order is the unsigned one turned round: what is less than INT64_MAX + 1 begins at
 * INT64_MIN, and the differences wrap. */
static void add_comparison(struct row *d, const struct comparison *x, bool negate)
{
	uint64_t least = x->is_signed ? 1ULL << 63 : 0, most = least - 1;

	switch (x->op) {
	case EOP_EQ: add_equal(d, x->cell, x->mask, x->value, negate); break;
	case EOP_NE: add_equal(d, x->cell, x->mask, x->value, !negate); break;
	case EOP_LT:
		if (x->value == least)
			add_constant(d, negate);
		else
			add_range(d, x->cell, least, x->value - 1, negate);
		break;
	case EOP_LE: add_range(d, x->cell, least, x->value, negate); break;
	case EOP_GT:
		if (x->value == most)
			add_constant(d, negate);
		else
			add_range(d, x->cell, x->value + 1, most, negate);
		break;
	case EOP_GE: add_range(d, x->cell, x->value, most, negate); break;
	default: break;
	}
}

static bool is_comparison(enum expr_op op)
{
	return op == EOP_EQ || op == EOP_NE || op == EOP_LT || op == EOP_LE || op == EOP_GT || op == EOP_GE;
}

/* x & constant, compared for equality: the constant becomes the term's mask. */
static const struct expr *masked_side(const struct expr *expr, enum expr_op op, uint64_t c, uint64_t *ret_mask)
{
	if ((op != EOP_EQ && op != EOP_NE) || expr->kind != EXPR_BINARY || expr->op != EOP_BAND)
		return NULL;
	for (unsigned i = 0; i < 2; i++)
		if (expr->arg[i]->constant && !expr->arg[!i]->constant && !(c & ~expr->arg[i]->value)) {
			*ret_mask = expr->arg[i]->value;
			return expr->arg[!i];
		}
	return NULL;
}

static bool try_comparison(struct enc *e, struct row *d, const struct expr *expr, bool negate)
{
	const struct expr *side = expr->arg[0], *other = expr->arg[1], *masked;
	struct comparison comparison = {.op = expr->op, .mask = ~0ULL};
	struct operand x;

	if (side->constant) {
		side = expr->arg[1];
		other = expr->arg[0];
		comparison.op = expr_op_mirrored(expr->op);
	}
	if (!other->constant || side->constant || side->type == TYPE_ADDR)
		return false;
	masked = masked_side(side, comparison.op, other->value, &comparison.mask);
	x = enc_expr(e, masked ? masked : side);
	if (x.constant)
		return false;
	comparison.is_signed = expr_is_signed(expr->op, side->type, other->type);
	comparison.cell = x.cell;
	comparison.value = other->value;
	add_comparison(d, &comparison, negate);
	return true;
}

/* The order of two cells, each of one word: a <= b is a test, a < b the opposite of b <= a. */
static bool try_order(struct enc *e, struct row *d, const struct expr *expr, bool negate)
{
	bool mirror = expr->op == EOP_LT || expr->op == EOP_GE, strict = expr->op == EOP_LT || expr->op == EOP_GT;
	bool is_signed = expr_is_signed(expr->op, expr->arg[0]->type, expr->arg[1]->type);
	uint64_t turn = is_signed ? 1ULL << 63 : 0; /* Signed: a + 2^63 <= b + 2^63. */
	struct operand a, b;

	if (expr->op == EOP_EQ || expr->op == EOP_NE || expr->arg[0]->type == TYPE_ADDR)
		return false;
	a = enc_expr(e, expr->arg[mirror]);
	b = enc_expr(e, expr->arg[!mirror]);
	if (a.constant || b.constant || b.cell == 0)
		return false;
	add_term(d, (struct term){.cell = a.cell,
				  .limit = b.cell,
				  .invert = strict != negate,
				  .mask = ~0ULL,
				  .low = turn,
				  .range = turn});
	return true;
}

static struct pattern pattern_of(const struct expr *c)
{
	struct pattern p = {.kind = PATTERN_PREFIX, .hi = c->hi, .lo = c->value, .mask_hi = ~0ULL, .mask_lo = ~0ULL};
	unsigned len = c->prefix_len;

	if (c->type != TYPE_PREFIX)
		return p;
	p.mask_hi = len == 0 ? 0 : len >= 64 ? ~0ULL : ~0ULL << (64 - len);
	p.mask_lo = len <= 64 ? 0 : ~0ULL << (128 - len);
	return p;
}

/* Name == address, Name in prefix: the same as a match. */
static bool try_address(struct enc *e, struct row *d, const struct expr *expr, bool negate)
{
	const struct expr *side = expr->arg[0], *other = expr->arg[1];
	struct pattern p;
	struct match m = {.alt = &p, .n_alts = 1};

	if (expr->op != EOP_EQ && expr->op != EOP_NE && expr->op != EOP_IN)
		return false;
	if (side->constant && expr->op != EOP_IN) {
		side = expr->arg[1];
		other = expr->arg[0];
	}
	if (side->type != TYPE_ADDR || side->kind != EXPR_NAME || side->ref.kind == REF_LET || side->constant)
		return false;
	if (!other->constant && other->kind != EXPR_PREFIX)
		return false;
	p = pattern_of(other);
	m.ref = side->ref;
	m.type = side->type;
	m.negate = negate != (expr->op == EOP_NE);
	add_pattern(e, d, &m, &p);
	return true;
}

static bool has_call(const struct expr *expr)
{
	if (expr->kind == EXPR_CALL && strcmp(expr->name, "has") != 0)
		return true;
	for (unsigned i = 0; i < expr->n_args; i++)
		if (has_call(expr->arg[i]))
			return true;
	return false;
}

static bool is_call(const struct expr *expr, const char *name)
{
	return expr->kind == EXPR_CALL && strcmp(expr->name, name) == 0;
}

static void add_has(struct row *d, uint64_t bits, bool negate)
{
	if (!negate)
		d->needs |= bits;
	else
		add_equal(d, CELL_PRESENT, bits, bits, true);
}

/* Adds "expr holds" (or its opposite) as terms as far as that goes. */
static void add_when(struct enc *e, struct row *d, const struct expr *expr, bool negate)
{
	const struct expr *named = NULL;

	if (expr->kind == EXPR_NAME && expr->ref.kind == REF_LET)
		named = e->at->let[expr->ref.index].expr;
	if (expr->constant) {
		add_constant(d, (expr->value != 0) != negate);
	} else if (expr->kind == EXPR_UNARY && expr->op == EOP_NOT) {
		add_when(e, d, expr->arg[0], !negate);
	} else if (expr->kind == EXPR_BINARY && expr->op == (negate ? EOP_OR : EOP_AND)) {
		add_when(e, d, expr->arg[0], negate);
		add_when(e, d, expr->arg[1], negate);
	} else if (is_call(expr, "has") && expr->arg[0]->ref.kind != REF_MEMBER) {
		add_has(d, enc_has(e, expr), negate);
	} else if (named && named->type == TYPE_BOOL && !has_call(named)) {
		add_when(e, d, named, negate);
	} else if (expr->kind == EXPR_BINARY && try_address(e, d, expr, negate)) {
		return;
	} else if (expr->kind == EXPR_BINARY && is_comparison(expr->op) &&
		   (try_comparison(e, d, expr, negate) || try_order(e, d, expr, negate))) {
		return;
	} else {
		add_bool(d, enc_bool(e, expr), negate);
	}
}

/* ---- rows ----------------------------------------------------------------------------------- */

static bool is_set(const struct match *m)
{
	return !m->negate && m->n_alts > 1;
}

/* What holds for every combination. */
static void add_fixed(struct enc *e, struct row *d, const struct app_rule *rule)
{
	for (size_t i = 0; i < rule->n_match; i++) {
		const struct match *m = &rule->match[i];

		for (size_t a = 0; !is_set(m) && a < m->n_alts; a++)
			add_pattern(e, d, m, &m->alt[a]);
	}
}

static void commit_row(struct enc *e, const struct row *d, unsigned rule)
{
	if (d->never)
		return;
	if (d->n_terms > ROW_TERMS_MAX) {
		enc_error(e, "%s: %u comparisons at once, the limit is %d; split it into several rules", e->what,
			  d->n_terms, ROW_TERMS_MAX);
		return;
	}
	if (e->n_rows >= ROWS_MAX) {
		enc_error(e, "%s: its sets make more rows than table %s has room for (%d)", e->what, e->at->name,
			  ROWS_MAX);
		return;
	}
	e->row[e->n_rows] = *d;
	e->row[e->n_rows++].rule = rule;
}

/* Next combination; false after the last. */
static bool advance(const struct app_rule *rule, size_t *choice)
{
	for (size_t i = rule->n_match; i-- > 0;) {
		if (!is_set(&rule->match[i]))
			continue;
		if (++choice[i] < rule->match[i].n_alts)
			return true;
		choice[i] = 0;
	}
	return false;
}

static void add_choice(struct enc *e, struct row *d, const struct app_rule *rule, const size_t *choice)
{
	for (size_t i = 0; i < rule->n_match; i++)
		if (is_set(&rule->match[i]))
			add_pattern(e, d, &rule->match[i], &rule->match[i].alt[choice[i]]);
}

/* Terms of the longest combination, `when` as terms. */
static unsigned longest(const struct row *fixed, const struct app_rule *rule)
{
	unsigned n = fixed->n_terms;

	for (size_t i = 0; i < rule->n_match; i++)
		if (is_set(&rule->match[i]))
			n += rule->match[i].bits == 128 ? 2 : 1;
	return n;
}

enum { MATCHES_MAX = 32 };

void enc_rule_rows(struct enc *e, unsigned index)
{
	const struct app_rule *rule = &e->at->rule[index];
	struct row base = {.needs = enc_match_needs(e, rule) | e->out->update_needs |
				    enc_action_needs(e, &rule->do_, &rule->action) | enc_learn_needs(e, rule)};
	size_t choice[MATCHES_MAX] = {};
	__u8 member[MEMBERS_ASKED_MAX];
	struct row fixed;
	unsigned n;

	e->context = IN_SHARED;
	if (rule->n_match > MATCHES_MAX) {
		enc_error(e, "%s: matches %zu fields, the limit is %d", e->what, rule->n_match, MATCHES_MAX);
		return;
	}
	add_fixed(e, &base, rule);
	n = enc_rule_members(e, rule, member, MEMBERS_ASKED_MAX);
	for (unsigned i = 0; i < n; i++)
		add_equal(&base, member[i], ~0ULL, 1, false);
	fixed = base;
	if (rule->when) {
		add_when(e, &fixed, rule->when, false);
		/* Too long as terms: the whole condition as one operation. */
		if (longest(&fixed, rule) > ROW_TERMS_MAX) {
			fixed = base;
			add_bool(&fixed, enc_bool(e, rule->when), false);
		}
	}
	do {
		struct row row = fixed;

		add_choice(e, &row, rule, choice);
		commit_row(e, &row, index);
	} while (!e->failed && advance(rule, choice));
}
