/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Declared headers: operations before the lock find out whether each is there, then load its fields.
 *
 * A packet's CELL_PRESENT goes from table to table and from application to application, and these bits mean
 * something else in each; so every table that names a header finds out for itself, before anything asks. */
#include "encode_int.h"

/* ---- presence ------------------------------------------------------------------------------- */

static struct operand pattern_holds(struct enc *e, struct operand x, const struct pattern *p)
{
	if (p->kind != PATTERN_RANGE)
		return enc_masked_equal(e, x, p);
	if (x.wide)
		return enc_in_range(e, x, p);
	x = enc_op(e, OP_SUB, x, operand_number(p->lo));
	return enc_op(e, OP_LE, x, operand_number(p->last - p->lo));
}

/* 0 or 1: one of the patterns holds. */
static struct operand any_pattern(struct enc *e, const struct match *m)
{
	struct operand x = enc_ref(e, &m->ref), any = operand_number(0);

	for (size_t i = 0; i < m->n_alts; i++) {
		struct operand one = pattern_holds(e, x, &m->alt[i]);

		any = i ? enc_op(e, OP_OR, any, one) : one;
	}
	return m->negate ? enc_op(e, OP_EQ, any, operand_number(0)) : any;
}

/* 0 or 1: the packet has what the header follows. */
static struct operand follows(struct enc *e, const struct app_header *header)
{
	uint64_t needs = 0;
	struct operand all;

	for (size_t i = 0; i < header->n_after; i++)
		needs |= enc_ref_needs(e, &header->after[i].ref);
	all = enc_op(e, OP_HAS, operand_cell(CELL_PRESENT, STAGE_PRE), operand_number(needs));
	for (size_t i = 0; i < header->n_after; i++)
		all = enc_op(e, OP_AND, all, any_pattern(e, &header->after[i]));
	/* Later fragments begin with something else. */
	if (header->base == BASE_L4 && header->parent < 0)
		all = enc_op(e, OP_AND, all,
			     enc_op(e, OP_EQ, operand_cell(CELL_FRAG_OFFSET, STAGE_PRE), operand_number(0)));
	return all;
}

void enc_headers(struct enc *e)
{
	uint64_t used = carry_uses(e->app, e->index).headers;

	e->what = "headers";
	e->context = IN_SHARED;
	for (unsigned i = 0; i < e->app->n_headers; i++) {
		const struct app_header *header = &e->app->header[i];
		struct operand there;

		if (!(used >> (PRESENT_CUSTOM + i) & 1))
			continue;
		there = follows(e, header);
		if (there.stage != STAGE_PRE)
			enc_error(
				e,
				"table %s: too many operations before the flow is looked up, for the headers it names",
				e->at->name);
		enc_append(e, &e->pre,
			   (struct op){.code = OP_HEADER,
				       .a = there.cell,
				       .b = PRESENT_CUSTOM + i,
				       .imm = HEADER_IMM(header->base, header->off, header->size)});
	}
}

/* ---- fields --------------------------------------------------------------------------------- */

void enc_load_declared(struct enc *e, const struct field *field, unsigned cell)
{
	struct load *load;

	if (e->out->n_loads + e->n_declared >= LOADS_MAX) {
		enc_error(e, "%s: table %s reads more than %d fields of the packet", e->what, e->at->name, LOADS_MAX);
		return;
	}
	/* Its number among all loads is known at the end. */
	enc_append(e, &e->pre, (struct op){.code = OP_LOAD, .imm = e->n_declared});
	load = &e->declared[e->n_declared++];
	*load = field->load;
	load->dst = cell;
}

void enc_headers_done(struct enc *e)
{
	for (unsigned i = 0; i < e->n_declared && e->out->n_loads + i < LOADS_MAX; i++)
		e->out->loads[e->out->n_loads + i] = e->declared[i];
	for (unsigned i = 0; i < e->pre.n; i++)
		if (e->pre.item[i].code == OP_LOAD)
			e->pre.item[i].imm += e->out->n_loads;
}
