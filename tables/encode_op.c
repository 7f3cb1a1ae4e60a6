/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cells, loads and operations; the only file that knows how an operation finds its place. */
#include <string.h>

#include "../common/cleanup.h"
#include "encode_int.h"

/* ---- operands ------------------------------------------------------------------------------- */

struct operand operand_number(uint64_t value)
{
	return (struct operand){.constant = true, .lo = value};
}

struct operand operand_cell(unsigned cell, enum stage stage)
{
	return (struct operand){.cell = cell, .stage = stage};
}

struct operand operand_half(struct operand wide, bool high)
{
	struct operand half = wide;

	if (!wide.wide)
		return wide;
	half.wide = false;
	half.lo = high ? wide.hi : wide.lo;
	half.hi = 0;
	if (!wide.constant && !high)
		half.cell++;
	return half;
}

/* ---- cells ---------------------------------------------------------------------------------- */

static unsigned no_cells(struct enc *e)
{
	enc_error(e, "%s: table %s needs more cells for fields and intermediate results than there are (%d)", e->what,
		  e->at->name, CELL_VAR - CELL_TEMP);
	e->next_cell = CELL_TEMP;
	e->rule_cell = e->rule_top;
	return CELL_TEMP;
}

unsigned enc_cells_new(struct enc *e, unsigned n)
{
	unsigned cell = e->next_cell, end = e->at->update ? e->low_cell : CELL_VAR;

	if (cell + n > end)
		return no_cells(e);
	e->next_cell += n;
	return cell;
}

unsigned enc_rule_cells_new(struct enc *e, unsigned n)
{
	unsigned floor = e->at->update ? e->next_cell : CELL_UPDATE;

	if (e->rule_cell < floor + n)
		return no_cells(e);
	e->rule_cell -= n;
	if (e->rule_cell < e->low_cell)
		e->low_cell = e->rule_cell;
	return e->rule_cell;
}

/* ---- loads ---------------------------------------------------------------------------------- */

/* A metadata word that is the field, without a shift or a mask. */
static bool is_whole_cell(const struct load *load)
{
	static const __u8 whole[] = {CELL_ETH_TYPE,   CELL_IP_PROTO,	CELL_VLAN_TPID,
				     CELL_VLAN2_TPID, CELL_FRAG_OFFSET, CELL_PAYLOAD_LENGTH};

	return load->kind == LOAD_CELL && load->shift == 0 && memchr(whole, load->base, sizeof(whole));
}

void enc_load_at(struct enc *e, const struct field *field, unsigned cell)
{
	struct load *load;

	if (field_is_declared(field)) {
		enc_load_declared(e, field, cell);
		return;
	}
	if (field->type == TYPE_SEGMENTS) {
		enc_append(e, &e->pre, (struct op){.code = OP_SEGMENTS, .dst = cell});
		e->out->flags |= TABLE_SEGMENTS;
		return;
	}
	if (e->out->n_loads + e->n_declared >= LOADS_MAX) {
		enc_error(e, "%s: table %s reads more than %d fields of the packet", e->what, e->at->name, LOADS_MAX);
		return;
	}
	load = &e->out->loads[e->out->n_loads++];
	*load = field->load;
	load->dst = cell;
}

struct operand enc_load(struct enc *e, const struct field *field)
{
	struct operand x = {.wide = field->type == TYPE_ADDR, .stage = STAGE_PRE};

	for (unsigned i = 0; i < e->n_loaded; i++)
		if (e->loaded[i] == field) {
			x.cell = e->loaded_cell[i];
			return x;
		}
	if (is_whole_cell(&field->load)) {
		x.cell = field->load.base;
		return x;
	}
	x.cell = enc_cells_new(e, x.wide ? 2 : 1);
	enc_load_at(e, field, x.cell);
	if (e->n_loaded < ARRAY_SIZE(e->loaded)) {
		e->loaded[e->n_loaded] = field;
		e->loaded_cell[e->n_loaded++] = x.cell;
	}
	return x;
}

/* ---- folding -------------------------------------------------------------------------------- */

static uint64_t fold_division(enum op_code code, uint64_t a, uint64_t b)
{
	if (code == OP_DIV)
		return b ? a / b : a ? ~0ULL : 0;
	return b ? a % b : 0;
}

static uint64_t magnitude(uint64_t a)
{
	return (int64_t)a < 0 ? -a : a;
}

/* Towards 0, as in C; INT64_MIN / -1 wraps. */
static uint64_t fold_signed_division(enum op_code code, uint64_t a, uint64_t b)
{
	uint64_t x = fold_division(code == OP_SDIV ? OP_DIV : OP_MOD, magnitude(a), magnitude(b));

	if (!b)
		return x;
	return (int64_t)(code == OP_SDIV ? a ^ b : a) < 0 ? -x : x;
}

static bool seq_less(uint64_t a, uint64_t b)
{
	return (int32_t)((uint32_t)a - (uint32_t)b) < 0;
}

/* The datapath's arithmetic; operations that never get constants are not here. */
uint64_t op_fold(enum op_code code, uint64_t a, uint64_t b)
{
	switch ((unsigned)code) {
	case OP_MOV: return b;
	case OP_ADD: return a + b;
	case OP_SUB: return a - b;
	case OP_MUL: return a * b;
	case OP_DIV:
	case OP_MOD: return fold_division(code, a, b);
	case OP_AND: return a & b;
	case OP_OR: return a | b;
	case OP_XOR: return a ^ b;
	case OP_SHL: return b < 64 ? a << b : 0;
	case OP_SHR: return b < 64 ? a >> b : 0;
	case OP_MIN: return a < b ? a : b;
	case OP_MAX: return a > b ? a : b;
	case OP_EQ: return a == b;
	case OP_NE: return a != b;
	case OP_LT: return a < b;
	case OP_LE: return a <= b;
	case OP_SLT: return (int64_t)a < (int64_t)b;
	case OP_SLE: return (int64_t)a <= (int64_t)b;
	case OP_SMIN: return (int64_t)a < (int64_t)b ? a : b;
	case OP_SMAX: return (int64_t)a > (int64_t)b ? a : b;
	case OP_SAR: return (int64_t)a >> (b < 63 ? b : 63);
	case OP_SDIV:
	case OP_SMOD: return fold_signed_division(code, a, b);
	case OP_SEQ_LT: return seq_less(a, b);
	case OP_SEQ_LE: return seq_less(a, b) || (uint32_t)a == (uint32_t)b;
	}
	return 0;
}

/* ---- operations ----------------------------------------------------------------------------- */

static bool commutes(enum op_code code)
{
	return code == OP_ADD || code == OP_MUL || code == OP_AND || code == OP_OR || code == OP_XOR ||
	       code == OP_MIN || code == OP_MAX || code == OP_SMIN || code == OP_SMAX || code == OP_EQ || code == OP_NE;
}

void enc_append(struct enc *e, struct op_list *list, struct op op)
{
	if (list == &e->rule && e->stepping) {
		enc_step_op(e, op);
		return;
	}
	if (list->n >= list->max) {
		enc_error(e, "%s: more than %u operations %s", e->what, list->max, list->name);
		return;
	}
	list->item[list->n++] = op;
}

/* The operation without its destination. */
static struct op op_make(enum op_code code, struct operand a, struct operand b)
{
	struct op op = {.code = code};

	if (a.constant) {
		struct operand swap = a;

		if (!commutes(code))
			op.flags |= OP_SWAP;
		a = b;
		b = swap;
	}
	op.a = a.cell;
	if (b.constant) {
		op.flags |= OP_IMM;
		op.imm = b.lo;
	} else {
		op.b = b.cell;
	}
	return op;
}

static bool op_same(const struct op *x, const struct op *y)
{
	return x->code == y->code && x->flags == y->flags && x->a == y->a && x->b == y->b && x->imm == y->imm;
}

static const struct op *find_op(const struct op_list *list, const struct op *op)
{
	for (unsigned i = 0; i < list->n; i++)
		if (op_same(&list->item[i], op))
			return &list->item[i];
	return NULL;
}

/* Appends to 'pre' or 'let', or finds the cell that has it already.  What no longer fits before the lock is
 * computed behind it. */
static struct operand op_shared(struct enc *e, struct op op, enum stage stage)
{
	const struct op *same = stage == STAGE_PRE ? find_op(&e->pre, &op) : NULL;

	if (same)
		return operand_cell(same->dst, STAGE_PRE);
	if (e->pre.n >= e->pre.max)
		stage = STAGE_LET;
	same = stage == STAGE_LET ? find_op(&e->let, &op) : NULL;
	if (same)
		return operand_cell(same->dst, STAGE_LET);
	op.dst = enc_cells_new(e, 1);
	enc_append(e, stage == STAGE_PRE ? &e->pre : &e->let, op);
	return operand_cell(op.dst, stage);
}

static bool op_reads(const struct op *op, unsigned cell)
{
	return op->a == cell || (!(op->flags & OP_IMM) && op->b == cell);
}

static bool is_overwritten(const struct op_list *list, unsigned cell, unsigned from)
{
	for (unsigned i = from; i < list->n; i++)
		if (list->item[i].dst == cell)
			return true;
	return false;
}

/* The same operation earlier in the rule, if neither what it reads nor what it made has changed since. */
static const struct op *find_in_rule(const struct op_list *list, const struct op *op)
{
	for (unsigned i = list->n; i-- > 0;) {
		const struct op *same = &list->item[i];

		if (op_reads(op, same->dst))
			return NULL;
		if (op_same(same, op) && !is_overwritten(list, same->dst, i + 1))
			return same;
	}
	return NULL;
}

struct operand enc_op(struct enc *e, enum op_code code, struct operand a, struct operand b)
{
	enum stage stage = STAGE_PRE;
	const struct op *same;
	struct operand found;
	struct op op;

	if (a.constant && b.constant)
		return operand_number(op_fold(code, a.lo, b.lo));
	if (!a.constant)
		stage = a.stage;
	if (!b.constant && b.stage > stage)
		stage = b.stage;
	op = op_make(code, a, b);
	if (e->context == IN_SHARED)
		return op_shared(e, op, stage);
	same = e->stepping ? NULL : find_in_rule(&e->rule, &op);
	if (same) {
		/* Somebody else's: not to be made elsewhere, and gone when its cell is written. */
		found = operand_cell(same->dst, STAGE_RULE);
		found.mutable_ = true;
		return found;
	}
	op.dst = enc_rule_cells_new(e, 1);
	enc_append(e, &e->rule, op);
	return operand_cell(op.dst, STAGE_RULE);
}

static void move_word(struct enc *e, unsigned dst, struct operand value)
{
	struct op op = {.code = OP_MOV, .dst = dst};
	struct op *last = e->rule.n > 0 && !e->stepping ? &e->rule.item[e->rule.n - 1] : NULL;

	if (value.constant) {
		op.flags = OP_IMM;
		op.imm = value.lo;
	} else if (value.cell == dst) {
		return;
	} else if (value.stage == STAGE_RULE && !value.mutable_ && last && last->dst == value.cell) {
		last->dst = dst; /* The value was made for this place. */
		if (e->rule_cell == value.cell)
			e->rule_cell++;
		return;
	} else {
		op.b = value.cell;
	}
	enc_append(e, &e->rule, op);
}

void enc_move(struct enc *e, unsigned dst, struct operand value)
{
	if (!value.wide) {
		move_word(e, dst, value);
		return;
	}
	move_word(e, dst, operand_half(value, true));
	move_word(e, dst + 1, operand_half(value, false));
}

unsigned enc_settle(struct enc *e, struct operand value)
{
	bool variable = value.cell >= CELL_VAR && value.cell < CELL_META && value.mutable_, stepping = e->stepping;
	unsigned cell;

	if (!value.constant && !variable)
		return value.cell;
	cell = enc_rule_cells_new(e, value.wide ? 2 : 1);
	/* A constant is there from the beginning; a variable has the value of this moment. */
	e->stepping = stepping && !value.constant;
	enc_move(e, cell, value);
	e->stepping = stepping;
	return cell;
}

/* ---- biflow --------------------------------------------------------------------------------- */

struct biflow {
	enum op_code code;
	const char *field[4];
	unsigned n_fields, n_cells;
};

static const struct biflow biflow_l4 = {OP_BIFLOW_L4, {"ip.src", "ip.dst", "l4.src", "l4.dst"}, 4, 6};
static const struct biflow biflow_ip = {OP_BIFLOW_IP, {"ip.src", "ip.dst"}, 2, 4};
static const struct biflow biflow_eth = {OP_BIFLOW_ETH, {"eth.src", "eth.dst"}, 2, 2};

static bool remember_load(struct enc *e, const struct field *field, unsigned cell)
{
	for (unsigned i = 0; i < e->n_loaded; i++)
		if (e->loaded[i] == field)
			return false;
	if (e->n_loaded >= ARRAY_SIZE(e->loaded))
		return false;
	e->loaded[e->n_loaded] = field;
	e->loaded_cell[e->n_loaded++] = cell;
	return true;
}

unsigned enc_biflow(struct enc *e, enum key_kind kind, uint64_t *ret_needs)
{
	const struct biflow *b = kind == KEY_BIFLOW_L4 ? &biflow_l4 : kind == KEY_BIFLOW_IP ? &biflow_ip : &biflow_eth;
	struct op op = {.code = b->code};
	unsigned cell;

	*ret_needs = 0;
	for (unsigned i = 0; i < b->n_fields; i++)
		*ret_needs |= field_find(b->field[i])->needs;
	for (unsigned i = 0; i < e->pre.n; i++)
		if (e->pre.item[i].code == b->code)
			return e->pre.item[i].dst;
	/* Keys are encoded first, so these loads serve everybody else too. */
	op.a = cell = enc_cells_new(e, b->n_cells);
	for (unsigned i = 0; i < b->n_fields; i++) {
		const struct field *field = field_find(b->field[i]);

		enc_load_at(e, field, cell);
		remember_load(e, field, cell);
		cell += field->type == TYPE_ADDR ? 2 : 1;
	}
	op.dst = enc_cells_new(e, b->n_cells);
	enc_append(e, &e->pre, op);
	return op.dst;
}
