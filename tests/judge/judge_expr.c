/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expressions, matches and keys. */
#include <stdlib.h>
#include <string.h>

#include "judge_int.h"
#include "judge_number.h"

static struct judge_value number(uint64_t value)
{
	return (struct judge_value){.lo = value};
}

static bool equal(struct judge_value a, struct judge_value b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

/* ---- names ----------------------------------------------------------------------------------- */

static uint64_t metadata(const struct run *run, const struct visit *v, unsigned cell)
{
	switch (cell) {
	case CELL_NOW: return v->now_ns;
	case CELL_IN_PORT: return run->in_port;
	case CELL_OUT_PORT: return run->out_port;
	case CELL_LENGTH: return v->entered.frame.size;
	case CELL_FRAMES: return 1;
	case CELL_HOOK: return run->judge->hook;
	case CELL_DIRECTION: return run->direction;
	}
	return 0;
}

struct judge_value judge_ref(const struct visit *v, const struct ref *ref)
{
	const struct judge_flow *own = v->in_do && v->app->update ? &v->updated : &v->looked_up;

	switch (ref->kind) {
	case REF_FIELD: return judge_get(v->run, &v->entered, ref->field->name);
	case REF_META: return number(metadata(v->run, v, ref->cell));
	case REF_REGISTER: return own->reg[ref->index];
	case REF_TABLE_REGISTER:
		return ref->table == v->table ? v->looked_up.reg[ref->index] : v->run->left[ref->table][ref->index];
	case REF_VARIABLE: return v->run->var[ref->index];
	case REF_LET: return v->let[ref->index];
	case REF_GLOBAL: return number(v->global[ref->index]);
	case REF_MEMBER: /* Groups are not judged. */
	case REF_NONE:
	case REF_CONSTANT: break;
	}
	return number(0);
}

bool judge_ref_is_there(const struct visit *v, const struct ref *ref)
{
	switch (ref->kind) {
	case REF_FIELD: return judge_has(v->run, &v->entered, ref->field->name);
	case REF_META:
		return (ref->cell != CELL_IN_PORT || v->run->in_port) &&
		       (ref->cell != CELL_OUT_PORT || v->run->out_port);
	case REF_TABLE_REGISTER: return ref->table == v->table || v->run->ran[ref->table];
	case REF_LET: return judge_is_there(v, v->app->let[ref->index].expr);
	case REF_REGISTER:
	case REF_VARIABLE:
	case REF_GLOBAL:
	case REF_MEMBER: /* Groups are not judged. */
	case REF_NONE:
	case REF_CONSTANT: break;
	}
	return true;
}

bool judge_is_there(const struct visit *v, const struct expr *e)
{
	if (!e || e->constant || (e->kind == EXPR_CALL && strcmp(e->name, "has") == 0))
		return true;
	if (e->kind == EXPR_NAME)
		return judge_ref_is_there(v, &e->ref);
	for (unsigned i = 0; i < e->n_args; i++)
		if (!judge_is_there(v, e->arg[i]))
			return false;
	return true;
}

static bool is_before(struct judge_value a, struct judge_value b)
{
	return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo;
}

/* ---- operators ------------------------------------------------------------------------------- */

static bool in_prefix(struct judge_value x, const struct expr *prefix)
{
	for (unsigned bit = 0; bit < prefix->prefix_len; bit++) {
		uint64_t word = bit < 64 ? x.hi : x.lo, other = bit < 64 ? prefix->hi : prefix->value;

		if ((word ^ other) >> (63 - bit % 64) & 1)
			return false;
	}
	return true;
}

static bool is_shift(enum expr_op op)
{
	return op == EOP_SHL || op == EOP_SHR;
}

/* What takes an int is signed; of a shift only the left side counts. */
static bool is_signed(const struct visit *v, const struct expr *e)
{
	if (e->constant || e->kind == EXPR_NAME || e->kind == EXPR_UNARY)
		return e->type == TYPE_INT;
	if (e->kind == EXPR_BINARY && is_shift(e->op))
		return is_signed(v, e->arg[0]);
	if (e->type == TYPE_BOOL ||
	    (e->kind == EXPR_CALL && (strcmp(e->name, "hash") == 0 || strcmp(e->name, "var") == 0)))
		return false;
	for (unsigned i = 0; i < e->n_args; i++)
		if (is_signed(v, e->arg[i]))
			return true;
	return false;
}

/* As numbers of 128 bits. */
static bool compare_addresses(enum expr_op op, struct judge_value a, struct judge_value b)
{
	switch (op) {
	case EOP_LT: return is_before(a, b);
	case EOP_LE: return !is_before(b, a);
	case EOP_GT: return is_before(b, a);
	default: return !is_before(a, b);
	}
}

static struct judge_value binary(const struct visit *v, const struct expr *e)
{
	struct judge_value a = judge_eval(v, e->arg[0]), b;

	switch (e->op) {
	case EOP_OR: return number(a.lo || judge_eval(v, e->arg[1]).lo);
	case EOP_AND: return number(a.lo && judge_eval(v, e->arg[1]).lo);
	case EOP_IN: return number(in_prefix(a, e->arg[1]));
	default: break;
	}
	b = judge_eval(v, e->arg[1]);
	if (e->op == EOP_EQ || e->op == EOP_NE)
		return number(equal(a, b) == (e->op == EOP_EQ));
	if (e->arg[0]->type == TYPE_ADDR)
		return number(compare_addresses(e->op, a, b));
	return number(judge_compute(e->op, a.lo, b.lo,
				    is_signed(v, e->arg[0]) || (!is_shift(e->op) && is_signed(v, e->arg[1]))));
}

static struct judge_value unary(const struct visit *v, const struct expr *e)
{
	uint64_t a = judge_eval(v, e->arg[0]).lo;

	return number(e->op == EOP_NOT ? !a : e->op == EOP_NEG ? -a : ~a);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool has(const struct visit *v, const char *name)
{
	const struct app *app = v->run->judge->app;

	for (size_t i = 0; i < app->n_params; i++)
		if (strcmp(app->param[i].name, name) == 0 && app->param[i].value.field)
			name = app->param[i].value.field->name;
	if (strcmp(name, "in_port") == 0 || strcmp(name, "out_port") == 0)
		return *name == 'i' ? v->run->in_port : v->run->out_port;
	return judge_has(v->run, &v->entered, name);
}

static uint64_t drawn(const struct visit *v, const struct expr *e)
{
	for (unsigned i = 0; i < v->n_draws; i++)
		if (v->draw[i].call == e)
			return v->draw[i].value;
	return 0;
}

static uint64_t call(const struct visit *v, const struct expr *e)
{
	uint64_t x[4] = {};
	bool has_int = false;

	if (strcmp(e->name, "has") == 0)
		return has(v, e->arg[0]->name);
	if (strcmp(e->name, "hash") == 0 || strcmp(e->name, "random") == 0 || strcmp(e->name, "meter") == 0)
		return drawn(v, e);
	for (unsigned i = 0; i < e->n_args && i < 4; i++) {
		x[i] = judge_eval(v, e->arg[i]).lo;
		has_int |= is_signed(v, e->arg[i]);
	}
	if (strcmp(e->name, "min") == 0)
		return judge_min(x[0], x[1], has_int);
	if (strcmp(e->name, "max") == 0)
		return judge_min(x[0], x[1], has_int) == x[0] ? x[1] : x[0];
	/* RFC 1982: a lies less than half of the circle of 32 bits before b. */
	if (strcmp(e->name, "seq_lt") == 0)
		return (uint32_t)(x[0] - x[1]) >> 31;
	if (strcmp(e->name, "seq_le") == 0)
		return (uint32_t)x[0] == (uint32_t)x[1] || (uint32_t)(x[0] - x[1]) >> 31;
	if (strcmp(e->name, "avg") == 0)
		return judge_avg(x[0], x[1], x[2]);
	if (strcmp(e->name, "var") == 0)
		return judge_var(x[0], x[1], x[2], x[3]);
	if (strcmp(e->name, "ewma") == 0)
		return judge_ewma(x[0], x[1], x[2]);
	abort();
}

struct judge_value judge_eval(const struct visit *v, const struct expr *e)
{
	if (e->constant)
		return (struct judge_value){e->hi, e->value};
	switch (e->kind) {
	case EXPR_NAME: return judge_ref(v, &e->ref);
	case EXPR_UNARY: return unary(v, e);
	case EXPR_BINARY: return binary(v, e);
	case EXPR_CALL: return number(call(v, e));
	default: return (struct judge_value){e->hi, e->value};
	}
}

struct judge_value judge_assigned(const struct visit *v, const struct stmt *stmt)
{
	struct judge_value value = judge_eval(v, stmt->value);

	if (stmt->op == EOP_NONE)
		return value;
	return number(judge_compute(stmt->op, judge_ref(v, &stmt->lhs->ref).lo, value.lo, false));
}

/* `G op= x` and `G = max(G, x)` are one operation on the global as it is; any other `G = x` writes what was computed of
 * what the packet knows. */
uint64_t judge_assigned_global(const struct visit *v, const struct stmt *stmt, uint64_t is)
{
	const struct expr *e = stmt->value;
	uint64_t value = judge_eval(v, e).lo, other;
	bool max = e->kind == EXPR_CALL && !e->constant && strcmp(e->name, "max") == 0 && !is_signed(v, e);

	if (stmt->op != EOP_NONE)
		return judge_compute(stmt->op, is, value, false);
	for (unsigned i = 0; max && i < 2; i++)
		if (e->arg[i]->kind == EXPR_NAME && e->arg[i]->ref.kind == REF_GLOBAL &&
		    e->arg[i]->ref.index == stmt->lhs->ref.index) {
			other = judge_eval(v, e->arg[!i]).lo;
			return is > other ? is : other;
		}
	return value;
}

/* ---- match ----------------------------------------------------------------------------------- */

static bool pattern_holds(const struct pattern *p, struct judge_value x, enum value_type type)
{
	switch (p->kind) {
	case PATTERN_VALUE: return x.hi == p->hi && x.lo == p->lo;
	case PATTERN_RANGE:
		if (type == TYPE_INT)
			return (int64_t)x.lo >= (int64_t)p->lo && (int64_t)x.lo <= (int64_t)p->last;
		return !is_before(x, (struct judge_value){p->hi, p->lo}) &&
		       !is_before((struct judge_value){p->last_hi, p->last}, x);
	case PATTERN_PREFIX:
	case PATTERN_MASK: break;
	}
	return (x.hi & p->mask_hi) == p->hi && (x.lo & p->mask_lo) == p->lo;
}

bool judge_matches(const struct visit *v, const struct match *m)
{
	struct judge_value x = judge_ref(v, &m->ref);
	bool any = false;

	for (size_t i = 0; i < m->n_alts; i++)
		any |= pattern_holds(&m->alt[i], x, m->type);
	return any != m->negate;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static struct judge_value first_bits(struct judge_value x, const struct app_key *key)
{
	unsigned drop = key->bits - key->prefix_len;

	if (drop >= 64)
		return (struct judge_value){drop >= 128 ? 0 : x.hi >> (drop - 64) << (drop - 64), 0};
	x.lo = x.lo >> drop << drop;
	return x;
}

/* One end of a conversation. */
struct end {
	struct judge_value address;
	uint64_t port;
};

static bool is_after(const struct end *a, const struct end *b)
{
	if (a->address.hi != b->address.hi)
		return a->address.hi > b->address.hi;
	if (a->address.lo != b->address.lo)
		return a->address.lo > b->address.lo;
	return a->port > b->port;
}

/* Both ends, the lower one first; addresses, then ports. */
static bool biflow(struct visit *v, enum key_kind kind, struct judge_flow *flow)
{
	static const char *const names[][4] = {
		[KEY_BIFLOW_L4] = {"ip.src", "ip.dst", "l4.src", "l4.dst"},
		[KEY_BIFLOW_IP] = {"ip.src", "ip.dst", "ip.src", "ip.dst"},
		[KEY_BIFLOW_ETH] = {"eth.src", "eth.dst", "eth.src", "eth.dst"},
	};
	struct end end[2];

	for (unsigned i = 0; i < 4; i++)
		if (!judge_packet_has(&v->entered, names[kind][i]))
			return false;
	for (unsigned i = 0; i < 2; i++) {
		end[i].address = judge_packet_get(&v->entered, names[kind][i]);
		end[i].port = kind == KEY_BIFLOW_L4 ? judge_packet_get(&v->entered, names[kind][i + 2]).lo : 0;
	}
	v->run->direction = is_after(&end[0], &end[1]);
	for (unsigned i = 0; i < 2; i++)
		flow->key[flow->n_key++] = end[i ^ v->run->direction].address;
	for (unsigned i = 0; i < 2 && kind == KEY_BIFLOW_L4; i++)
		flow->key[flow->n_key++] = number(end[i ^ v->run->direction].port);
	return true;
}

bool judge_key(struct visit *v, const struct app_key *key, size_t n, struct judge_flow *ret_flow)
{
	for (size_t i = 0; i < n; i++) {
		if (key[i].kind >= KEY_BIFLOW_L4) {
			if (!biflow(v, key[i].kind, ret_flow))
				return false;
			continue;
		}
		if (!judge_ref_is_there(v, &key[i].ref))
			return false;
		ret_flow->key[ret_flow->n_key++] = first_bits(judge_ref(v, &key[i].ref), &key[i]);
	}
	return true;
}
