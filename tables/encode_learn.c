/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `learn` and `allocate` of a rule -> struct learn, its operations, and the rule of its else. */
#include <stdlib.h>

#include "../common/cleanup.h"
#include "encode_int.h"

static uint64_t learn_needs(const struct enc *e, const struct app_learn *learn)
{
	uint64_t needs = 0;

	if (!learn)
		return 0;
	needs |= enc_needs(e, learn->first);
	for (size_t i = 0; i < learn->n_key; i++)
		needs |= enc_needs(e, learn->key[i]);
	for (size_t i = 0; i < learn->n_sets; i++)
		needs |= enc_needs(e, learn->set[i].value);
	return needs | enc_action_needs(e, NULL, &learn->otherwise);
}

uint64_t enc_learn_needs(const struct enc *e, const struct app_rule *rule)
{
	return learn_needs(e, rule->learn) | learn_needs(e, rule->allocate);
}

/* ---- key and registers ------------------------------------------------------------------------ */

/* A cell with the value, two for an address. */
static unsigned settle(struct enc *e, const struct expr *expr, bool wide)
{
	struct operand value = enc_expr(e, expr);

	if (value.wide != wide) {
		enc_error(e, "%s: an address and a number do not fit", e->what);
		return CELL_ZERO;
	}
	return enc_settle(e, value);
}

static void add_part(struct enc *e, struct learn *out, struct key_part part)
{
	if (out->n_parts >= KEY_PARTS_MAX)
		enc_error(e, "%s: the key has more than %d parts", e->what, KEY_PARTS_MAX);
	else
		out->part[out->n_parts++] = part;
}

static void encode_key(struct enc *e, struct learn *out, const struct app_learn *learn, const struct layout *to)
{
	for (size_t i = 0; i < learn->n_key && i < to->n_keys; i++) {
		const struct layout_field *f = &to->key[i];
		unsigned cell = settle(e, learn->key[i], f->bits == 128), word = f->word - FLOW_HEAD_WORDS;

		add_part(e, out, (struct key_part){cell, word, f->shift, f->bits > 64 ? 64 : f->bits});
		if (f->bits > 64)
			add_part(e, out, (struct key_part){cell + 1, word + 1, 0, f->bits - 64});
	}
}

static void add_set(struct enc *e, struct learn *out, unsigned word, unsigned cell)
{
	if (out->n_sets >= LEARN_SETS_MAX)
		enc_error(e, "%s: more than %d words of registers are set", e->what, LEARN_SETS_MAX);
	else
		out->set[out->n_sets++] = (struct learn_set){word, cell};
}

static void encode_sets(struct enc *e, struct learn *out, const struct app_learn *learn, const struct app_table *to)
{
	for (size_t i = 0; i < learn->n_sets; i++) {
		const struct typed *reg = &to->reg[learn->set[i].reg];
		bool wide = reg->type == TYPE_ADDR;
		unsigned cell = settle(e, learn->set[i].value, wide);

		add_set(e, out, reg->word, cell);
		if (wide)
			add_set(e, out, reg->word + 1, cell + 1);
	}
}

/* ---- both --------------------------------------------------------------------------------------- */

static struct learn *learn_new(struct enc *e, __u8 *ret_number)
{
	if (e->n_learns >= LEARNS_MAX) {
		enc_error(e, "%s: table %s has more than %d learn: and allocate:", e->what, e->at->name, LEARNS_MAX);
		return NULL;
	}
	*ret_number = e->n_learns + 1;
	return &e->out->learns[e->n_learns++];
}

static void encode_record(struct enc *e, struct learn *out, const struct app_learn *learn)
{
	_cleanup_free_ struct layout *to = malloc(sizeof(*to));
	const struct app_table *table = &e->app->table[learn->table];
	const struct table_placement *place = &e->placement->table[learn->table];
	const char *why;

	if (enc_hook_of(e->app, learn->table, e->default_hook) != e->place->hook)
		enc_error(e, "%s: table %s is on another hook", e->what, table->name);
	if (!to || layout_make(e->app, table, to, &why) < 0) {
		enc_error(e, "%s: the records of table %s have no layout", e->what, table->name);
		return;
	}
	out->table = place->hook_table;
	out->state = place->state_id[learn->state];
	out->flags |= learn->ends ? LEARN_END : 0;
	encode_key(e, out, learn, to);
	encode_sets(e, out, learn, table);
}

static void place_else(struct enc *e, struct learn *out)
{
	out->else_rule = e->at->n_rules + e->n_elses++;
	if (out->else_rule >= RULES_MAX)
		enc_error(e, "table %s has more than %d rules, an else: counted as one", e->at->name, RULES_MAX);
}

/* ---- learn -------------------------------------------------------------------------------------- */

void enc_learn(struct enc *e, struct rule *rule, const struct app_learn *learn)
{
	struct learn *out = learn_new(e, &rule->learn);

	if (!out)
		return;
	enc_begin_learn(e);
	encode_record(e, out, learn);
	out->n_ops = e->rule.n;
	out->first_op = enc_place_rule_ops(e);
	place_else(e, out);
}

/* ---- allocate ------------------------------------------------------------------------------------- */

/* The end of `do`, CLAIM_MOVES: the register gets the value, the record the slot. */
void enc_claim_do(struct enc *e, const struct app_learn *learn)
{
	struct ref reg = {.kind = REF_REGISTER, .index = learn->reg};

	e->claim_value = enc_rule_cells_new(e, 1);
	enc_move(e, enc_ref(e, &reg).cell,
		 (struct operand){.cell = e->claim_value, .mutable_ = true, .stage = STAGE_RULE});
	enc_move(e, CELL_LOOKUP + e->layout.claim_word,
		 (struct operand){.cell = CELL_CLAIM, .mutable_ = true, .stage = STAGE_RULE});
}

void enc_claim(struct enc *e, struct rule *rule, const struct app_learn *learn)
{
	struct learn *out = learn_new(e, &rule->claim);
	struct ref reg = {.kind = REF_REGISTER, .index = learn->reg};

	if (!out)
		return;
	enc_begin_learn(e);
	out->flags = LEARN_CLAIM;
	out->value = e->claim_value;
	out->from = learn->from;
	out->n_values = learn->to - learn->from + 1;
	if (learn->first) {
		struct operand first = {.cell = settle(e, learn->first, false), .mutable_ = true, .stage = STAGE_RULE};

		/* A copy, because it may be the register that gets each value tried. */
		out->flags |= LEARN_FIRST;
		out->first = enc_rule_cells_new(e, 1);
		enc_move(e, out->first, first);
	}
	/* The next value tried: key and registers may name it. */
	enc_move(e, enc_ref(e, &reg).cell,
		 (struct operand){.cell = e->claim_value, .mutable_ = true, .stage = STAGE_RULE});
	encode_record(e, out, learn);
	out->n_ops = e->rule.n;
	out->first_op = enc_place_rule_ops(e);
	place_else(e, out);
}
