/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "encode.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "encode_int.h"

/* ---- mistakes ------------------------------------------------------------------------------- */

/* The first one of a table is told; those that follow from it are not. */
void enc_error(struct enc *e, const char *format, ...)
{
	char text[256];
	va_list args;

	if (e->failed)
		return;
	e->failed = true;
	if (!e->diags)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	diag_error(e->diags, e->loc, "%s", text);
}

/* ---- order of tables ------------------------------------------------------------------------ */

enum hook_id enc_hook_of(const struct app *app, unsigned table, enum hook_id default_hook)
{
	int hook = app->table[table].hook;

	return hook < 0 ? default_hook : (enum hook_id)hook;
}

int encode_next_on_hook(const struct app *app, unsigned table, enum hook_id default_hook)
{
	enum hook_id hook = enc_hook_of(app, table, default_hook);

	for (unsigned i = table + 1; i < app->n_tables; i++)
		if (enc_hook_of(app, i, default_hook) == hook)
			return i;
	return -1;
}

__u8 encode_target(const struct app *app, const struct placement *placement, unsigned index)
{
	return placement->table[index].hook_table | (app->table[index].masked ? TARGET_MATCH : 0);
}

/* ---- keys ----------------------------------------------------------------------------------- */

struct key_encoder {
	struct enc *e;
	struct key_part *part;
	unsigned n_parts, n_fields; /* Parts written; layout fields done. */
	uint64_t needs;
};

static void add_part(struct key_encoder *k, struct key_part part)
{
	if (k->n_parts >= KEY_PARTS_MAX)
		enc_error(k->e, "table %s: the key has more than %d parts", k->e->at->name, KEY_PARTS_MAX);
	else
		k->part[k->n_parts++] = part;
}

/* The next field of the layout gets the value in 'cell' (two cells for an address). */
static void add_field(struct key_encoder *k, unsigned cell)
{
	const struct layout_field *f = &k->e->layout.key[k->n_fields];
	struct operand half;

	if (k->n_fields >= k->e->layout.n_keys) {
		enc_error(k->e, "table %s: the two scopes are of different length", k->e->at->name);
		return;
	}
	k->n_fields++;
	if (f->bits <= 64) {
		if (f->type == TYPE_ADDR && f->bits < 64)
			cell = enc_op(k->e, OP_SHR, operand_cell(cell, STAGE_PRE), operand_number(64 - f->bits)).cell;
		add_part(k, (struct key_part){cell, f->word - FLOW_HEAD_WORDS, f->shift, f->bits});
		return;
	}
	add_part(k, (struct key_part){cell, f->word - FLOW_HEAD_WORDS, 0, 64});
	half = operand_cell(cell + 1, STAGE_PRE);
	if (f->bits < 128)
		half = enc_op(k->e, OP_SHR, half, operand_number(128 - f->bits));
	add_part(k, (struct key_part){half.cell, f->word + 1 - FLOW_HEAD_WORDS, 0, f->bits - 64});
}

static unsigned biflow_fields(enum key_kind kind)
{
	return kind == KEY_BIFLOW_L4 ? 4 : 2;
}

static void add_biflow(struct key_encoder *k, enum key_kind kind)
{
	uint64_t needs;
	unsigned cell = enc_biflow(k->e, kind, &needs);

	k->needs |= needs;
	for (unsigned i = 0; i < biflow_fields(kind); i++) {
		bool wide = k->n_fields < k->e->layout.n_keys && k->e->layout.key[k->n_fields].bits == 128;

		add_field(k, cell);
		cell += wide ? 2 : 1;
	}
}

static void add_key(struct key_encoder *k, const struct app_key *key)
{
	struct operand x;

	if (key->kind == KEY_BIFLOW_L4 || key->kind == KEY_BIFLOW_IP || key->kind == KEY_BIFLOW_ETH) {
		add_biflow(k, key->kind);
		return;
	}
	x = enc_ref(k->e, &key->ref);
	k->needs |= enc_ref_needs(k->e, &key->ref);
	if (!x.wide && key->prefix_len > 0 && key->prefix_len < key->bits) {
		unsigned drop = key->bits - key->prefix_len;
		uint64_t ones = key->bits >= 64 ? ~0ULL : (1ULL << key->bits) - 1;

		x = enc_op(k->e, OP_AND, x, operand_number(ones & ~0ULL << drop));
	}
	add_field(k, x.cell);
}

static unsigned encode_scope(struct enc *e, const struct app_key *key, size_t n, struct key_part *part,
			     __u64 *ret_needs)
{
	struct key_encoder k = {.e = e, .part = part};

	for (size_t i = 0; i < n; i++)
		add_key(&k, &key[i]);
	*ret_needs = k.needs;
	return k.n_parts;
}

static void encode_keys(struct enc *e)
{
	struct table *out = e->out;

	e->what = "the key";
	e->context = IN_SHARED;
	out->n_lookup = encode_scope(e, e->at->lookup, e->at->n_lookup, out->lookup, &out->key_needs);
	if (!e->at->update)
		return;
	out->flags |= TABLE_TWO_SCOPES;
	out->n_update = encode_scope(e, e->at->update, e->at->n_update, out->update, &out->update_needs);
}

/* ---- rules ---------------------------------------------------------------------------------- */

/* The actions of a rule whose learn or allocate failed, as rules behind those of the file that no search finds. */
static void encode_elses(struct enc *e, const struct app_rule *rule)
{
	unsigned index = e->at->n_rules + e->n_elses;

	if (e->failed)
		return;
	if (rule->learn && rule->allocate)
		enc_rule_action(e, index - 2, NULL, &rule->learn->otherwise);
	else if (rule->learn)
		enc_rule_action(e, index - 1, NULL, &rule->learn->otherwise);
	if (rule->allocate)
		enc_rule_action(e, index - 1, NULL, &rule->allocate->otherwise);
}

static void encode_rules(struct enc *e)
{
	char what[NAME_LEN_MAX + 16];

	for (unsigned i = 0; i < e->at->n_rules && !e->failed; i++) {
		const struct app_rule *rule = &e->at->rule[i];

		if (rule->name)
			snprintf(what, sizeof(what), "rule %s", rule->name);
		else
			snprintf(what, sizeof(what), "rule %u", i + 1);
		e->what = what;
		e->loc = rule->loc;
		enc_rule_rows(e, i);
		enc_rule_action(e, i, rule, &rule->action);
		encode_elses(e, rule);
	}
	e->loc = e->at->loc;
	e->what = "otherwise";
	enc_rule_action(e, RULE_OTHERWISE, NULL, &e->at->otherwise);
	e->what = "absent";
	e->absent = true;
	enc_rule_action(e, RULE_ABSENT, NULL, &e->at->absent);
	e->absent = false;
}

static void encode_states(struct enc *e)
{
	char what[NAME_LEN_MAX + 16];
	struct table *out = e->out;

	if (!e->at->stateful) {
		out->n_states = 1;
		out->states[0].flags = STATE_KNOWN;
		enc_search(e, &out->states[0], 0);
		return;
	}
	for (unsigned i = 0; i < e->at->n_states && i < STATES_MAX; i++) {
		const struct app_state *state = &e->at->state[i];
		unsigned id = e->place->state_id[i];
		struct state_def *def = &out->states[id % STATES_MAX];

		def->idle_ns = state->idle_ns;
		def->hard_ns = e->at->has_entries && i ? HARD_OF_ENTRY : state->hard_ns;
		def->idle_to = e->place->state_id[state->idle_to];
		def->hard_to = e->place->state_id[state->hard_to];
		def->flags = STATE_KNOWN | (state->notify ? STATE_NOTIFY : 0);
		if (state->idle_ns || state->hard_ns)
			out->flags |= TABLE_TIME;
		if (id + 1 > out->n_states)
			out->n_states = id + 1;
		enc_search(e, def, i);
		snprintf(what, sizeof(what), "state %s", state->name);
		e->what = what;
		e->loc = state->loc;
		enc_on_timeout(e, def, state);
		if (def->n_timeout)
			out->flags |= TABLE_UPDATES;
	}
	e->loc = e->at->loc;
}

/* ---- the table ------------------------------------------------------------------------------ */

static unsigned append_ops(struct enc *e, const struct op_list *list)
{
	unsigned at = e->n_ops;

	if (at + list->n > OPS_MAX) {
		enc_error(e, "table %s needs more than %d operations", e->at->name, OPS_MAX);
		return 0;
	}
	memcpy(&e->out->ops[at], list->item, list->n * sizeof(list->item[0]));
	e->n_ops += list->n;
	return at;
}

/* The first table of the application reads what any of its tables on this hook wants to know. */
static void encode_globals(struct enc *e)
{
	uint64_t read = 0;

	for (unsigned i = 0; i < e->app->n_tables; i++)
		if (enc_hook_of(e->app, i, e->default_hook) == e->place->hook)
			read |= carry_uses(e->app, i).globals;
	for (unsigned i = 0; i < e->app->n_globals; i++)
		if (read >> i & 1)
			e->out->globals[e->out->n_globals++] =
				(struct global_load){e->placement->global[i], e->carry.global + i, 0};
}

static bool reads_packet(const struct op_list *pre)
{
	for (unsigned i = 0; i < pre->n; i++)
		if (pre->item[i].code == OP_HEADER || pre->item[i].code == OP_LOAD || pre->item[i].code == OP_SEGMENTS)
			return true;
	return false;
}

static void encode_head(struct enc *e)
{
	struct table *out = e->out;

	out->flags |= TABLE_VALID;
	out->rules[RULE_IDLE].flags = RULE_NO_REFRESH;
	out->flags |= e->place->first_on_hook ? TABLE_FIRST : 0;
	out->flags |= e->reads_time ? TABLE_TIME : 0;
	out->flags |= e->n_var_words == 0 ? TABLE_CLEAN : 0;
	out->flags |= reads_packet(&e->pre) ? TABLE_PACKET : 0;
	out->app = e->place->app_index;
	out->id = e->place->id;
	out->n_pre = e->pre.n;
	out->n_let = e->let.n;
	out->first_pre = append_ops(e, &e->pre);
	out->first_let = append_ops(e, &e->let);
	out->stats = e->place->stats;
	if (e->place->first_on_hook)
		encode_globals(e);
	if (!e->at->stateful)
		return;
	out->flags |= TABLE_STATEFUL | (e->at->expire_soon ? TABLE_SOON : 0);
	/* An entry that is due falls by FREE, so that the table program need not know of entries. */
	out->flags |= e->at->has_entries ? TABLE_ENTRIES | TABLE_UPDATES : 0;
	out->flags |= e->at->masked ? TABLE_MASKED : 0;
	out->flow_table = e->place->flow_table;
	out->record_class = e->layout.record_class;
	out->key_words = e->layout.key_words;
	out->n_registers = e->layout.n_registers;
	out->when_full = e->at->when_full;
	if (e->at->claims_from) {
		/* FREE alone lets such a flow fall, because it frees what the flow holds. */
		out->flags |= TABLE_CLAIMS | TABLE_UPDATES;
		out->claim_table = e->placement->table[e->at->claims_from - e->app->table].hook_table;
	}
	if (e->at->claimed)
		out->flags |= TABLE_CLAIMED;
	out->claim_word = e->layout.claim_word;
}

int enc_init(struct enc *e, const struct app *app, unsigned index, enum hook_id default_hook,
	     const struct placement *placement, struct diag_list *diags, struct table *out)
{
	size_t n_lets = app->table[index].n_lets;

	memset(e, 0, sizeof(*e));
	memset(out, 0, sizeof(*out));
	e->app = app;
	e->at = &app->table[index];
	e->index = index;
	e->default_hook = default_hook;
	e->placement = placement;
	e->place = &placement->table[index];
	e->diags = diags;
	e->out = out;
	e->loc = e->at->loc;
	e->what = "the table";
	e->next_cell = CELL_TEMP;
	/* Without a second scope its image is room for the rules' temporaries. */
	e->rule_top = e->at->update ? CELL_VAR : CELL_TEMP;
	e->rule_cell = e->low_cell = e->rule_top;
	e->pre.max = OPS_PRE_MAX;
	e->pre.name = "before the flow is looked up";
	e->let.max = OPS_LET_MAX;
	e->let.name = "in the table's conditions";
	e->let_value = calloc(n_lets + 1, sizeof(*e->let_value));
	e->let_done = calloc(n_lets + 1, sizeof(*e->let_done));
	e->row = calloc(ROWS_MAX, sizeof(*e->row));
	if (!e->let_value || !e->let_done || !e->row || enc_search_init(e) < 0) {
		enc_done(e);
		return -ENOMEM;
	}
	return 0;
}

void enc_done(struct enc *e)
{
	free(e->let_value);
	free(e->let_done);
	free(e->row);
	free(e->memo);
	e->let_value = NULL;
	e->let_done = NULL;
	e->row = NULL;
	e->memo = NULL;
}

int enc_run(struct enc *e)
{
	const char *why = "";

	if (e->at->stateful && layout_make(e->app, e->at, &e->layout, &why) < 0)
		enc_error(e, "table %s: %s", e->at->name, why);
	if (carry_plan(e->app, &e->carry, &e->n_var_words) < 0)
		enc_error(e, "variables and registers read by later tables take %u words, the limit is %d",
			  e->n_var_words, CELL_META - CELL_VAR);
	if (e->at->n_rules > RULES_MAX)
		enc_error(e, "table %s has %zu rules, the limit is %d", e->at->name, e->at->n_rules, RULES_MAX);
	if (e->failed)
		return -E2BIG;
	enc_headers(e);
	enc_draw(e);
	if (e->at->stateful)
		encode_keys(e);
	encode_rules(e);
	encode_states(e);
	enc_search_done(e);
	enc_headers_done(e);
	encode_head(e);
	return e->failed ? -E2BIG : 0;
}

int encode_table(const struct app *app, unsigned index, enum hook_id default_hook, const struct placement *placement,
		 struct diag_list *diags, struct table *ret_table)
{
	struct enc *e = malloc(sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	r = enc_init(e, app, index, default_hook, placement, diags, ret_table);
	if (r == 0) {
		r = enc_run(e);
		enc_done(e);
	}
	free(e);
	return r;
}

/* ---- checks --------------------------------------------------------------------------------- */

unsigned encode_steps(const struct table *table)
{
	unsigned steps = 1;

	if (table->flags & (TABLE_TWO_SCOPES | TABLE_MASKED))
		steps++;
	if (table->flags & TABLE_PACKET)
		steps += 2;
	for (unsigned i = 0; i < LEARNS_MAX; i++)
		if (table->learns[i].n_parts) {
			/* What is claimed is claimed before the table, which then begins again. */
			steps += table->flags & TABLE_CLAIMS ? 2 : 1;
			break;
		}
	for (unsigned i = 0; i < RULES_ROOM; i++)
		if (table->rules[i].n_steps > 0)
			return steps + 1 + 2 * encode_big_steps(table);
	return steps;
}

void enc_made_up_placement(const struct app *app, enum hook_id default_hook, struct placement *ret_placement)
{
	unsigned n_on[HOOK_MAX] = {};

	memset(ret_placement, 0, sizeof(*ret_placement));
	ret_placement->hash_seed = encode_hash_seed(app->name);
	for (unsigned i = 0; i < app->n_tables; i++) {
		struct table_placement *place = &ret_placement->table[i];

		place->hook = enc_hook_of(app, i, default_hook);
		place->hook_table = n_on[place->hook]++;
		place->first_on_hook = place->hook_table == 0;
		for (unsigned s = 0; s < STATES_MAX; s++)
			place->state_id[s] = s;
	}
	for (unsigned i = 0; i < app->n_globals; i++)
		ret_placement->global[i] = i;
	for (unsigned i = 0; i < app->n_groups; i++)
		ret_placement->group[i] = i;
	for (unsigned i = 0; i < app->n_meters; i++)
		ret_placement->meter[i] = i;
}

int encode_check(const struct app *app, enum hook_id default_hook, struct diag_list *diags)
{
	_cleanup_free_ struct placement *placement = malloc(sizeof(*placement));
	_cleanup_free_ struct table *table = malloc(sizeof(*table));
	unsigned steps[HOOK_MAX] = {};
	int r = 0;

	if (!placement || !table)
		return -ENOMEM;
	enc_made_up_placement(app, default_hook, placement);
	for (unsigned i = 0; i < app->n_tables; i++) {
		int r_table = encode_table(app, i, default_hook, placement, diags, table);

		if (r_table < 0)
			r = r_table;
		else
			steps[placement->table[i].hook] += encode_steps(table);
	}
	for (unsigned hook = 0; hook < HOOK_MAX && r == 0; hook++) {
		if (steps[hook] <= HOOK_TABLES_MAX)
			continue;
		diag_error(diags, (struct loc){},
			   "the tables take %u steps on one hook (a table with two scopes, masks or packet "
			   "writes takes one more), the limit is %d",
			   steps[hook], HOOK_TABLES_MAX);
		r = -E2BIG;
	}
	return r;
}
