/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps that change which headers a packet has, or send something besides it. */
#include <string.h>

#include "encode_int.h"

static enum step_code push_code(const struct stmt *stmt)
{
	switch (stmt->header) {
	case PUSH_MPLS: return STEP_PUSH_MPLS;
	case PUSH_IPIP: return stmt->family == 6 ? STEP_PUSH_IP6 : STEP_PUSH_IP4;
	case PUSH_VXLAN: return STEP_PUSH_VXLAN;
	case PUSH_SRV6: return STEP_PUSH_SRV6;
	case PUSH_SRH: return STEP_INSERT_SRV6;
	case PUSH_MAX: break;
	}
	return STEP_NONE;
}

static enum step_code pop_code(const struct stmt *stmt)
{
	switch (stmt->header) {
	case PUSH_MPLS: return STEP_POP_MPLS;
	case PUSH_IPIP:
	case PUSH_SRV6: return STEP_POP_IP;
	case PUSH_VXLAN: return STEP_POP_VXLAN;
	case PUSH_SRH: return STEP_POP_SRV6;
	case PUSH_MAX: break;
	}
	return STEP_NONE;
}

/* Segments are collected in neighbouring cells, those of one list. */
static void add_segment(struct enc *e, const struct stmt *stmt, struct steps *steps)
{
	struct operand value = enc_expr(e, stmt->value);
	unsigned cell;

	if (!value.wide || stmt->target > SEGMENTS_MAX) {
		enc_error(e, "%s: a segment list has up to %d IPv6 addresses", e->what, SEGMENTS_MAX);
		return;
	}
	/* Cells of a rule go downwards, so the list's come at once. */
	if (!steps->n_segments)
		steps->segments = enc_rule_cells_new(e, 2 * stmt->target);
	cell = steps->segments + 2 * steps->n_segments++;
	enc_move(e, cell, value);
}

static void add_push(struct enc *e, const struct stmt *stmt, struct steps *steps)
{
	bool list = stmt->header == PUSH_SRV6 || stmt->header == PUSH_SRH;

	enc_add_step(e, steps,
		     (struct step){.code = push_code(stmt),
				   .cell = list ? steps->segments : 0,
				   .imm = list ? stmt->target : stmt->family});
	steps->n_segments = 0;
}

/* To a port besides the packet. */
static void add_beside(struct enc *e, const struct stmt *stmt, struct steps *steps, enum step_code code)
{
	if (e->place->hook == HOOK_XDP) {
		enc_error(e, "%s: %s() sends something besides the packet, which XDP cannot", e->what,
			  code == STEP_MIRROR ? "mirror" : "emit");
		return;
	}
	enc_add_step(e, steps, (struct step){.code = code, .cell = enc_settle(e, enc_expr(e, stmt->value))});
}

static void add_template(struct enc *e, const struct stmt *stmt, struct steps *steps)
{
	enc_add_step(e, steps,
		     (struct step){.code = stmt->kind == STMT_EMIT ? STEP_EMIT_BEGIN : STEP_BECOME,
				   .imm = e->placement->first_template[e->place->hook] + stmt->target});
}

bool enc_packet_step(struct enc *e, const struct stmt *stmt, struct steps *steps)
{
	switch (stmt->kind) {
	case STMT_SEGMENT: add_segment(e, stmt, steps); return true;
	case STMT_PUSH: add_push(e, stmt, steps); return true;
	case STMT_POP: enc_add_step(e, steps, (struct step){.code = pop_code(stmt)}); return true;
	case STMT_NEXT_SEGMENT: enc_add_step(e, steps, (struct step){.code = STEP_END_SRV6}); return true;
	case STMT_MIRROR: add_beside(e, stmt, steps, STEP_MIRROR); return true;
	case STMT_EMITTED: add_beside(e, stmt, steps, STEP_EMIT); return true;
	case STMT_BECOME:
	case STMT_EMIT: add_template(e, stmt, steps); return true;
	default: return false;
	}
}

/* ---- templates ---- */

void encode_template(const struct app *app, unsigned index, struct template *ret_template)
{
	const struct app_template *t = &app->template_[index];

	*ret_template = (struct template){.size = t->size};
	memcpy(ret_template->bytes, t->bytes, t->size);
}

unsigned encode_templates_on(const struct app *app, enum hook_id hook, enum hook_id default_hook)
{
	for (unsigned i = 0; i < app->n_tables; i++)
		if (enc_hook_of(app, i, default_hook) == hook)
			return app->n_templates;
	return 0;
}

unsigned encode_big_steps(const struct table *table)
{
	unsigned most = 0;

	for (unsigned i = 0; i < RULES_ROOM; i++) {
		const struct rule *rule = &table->rules[i];
		unsigned n = 0;

		for (unsigned s = 0; s < rule->n_steps; s++)
			n += table->steps[rule->first_step + s].code >= STEP_MIRROR;
		if (n > most)
			most = n;
	}
	return most;
}
