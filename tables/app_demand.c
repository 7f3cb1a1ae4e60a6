/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a rule demands of a packet: for each thing compared, the set of its values. */
#include <stdlib.h>

#include "app_check.h"
#include "literal.h"

/* Longer sets are compared as text only; fields up to so many bits have their masks written out. */
enum { SPANS_MAX = 64, ENUMERATED_BITS_MAX = 10 };

static span_number number(uint64_t hi, uint64_t lo)
{
	return (span_number)hi << 64 | lo;
}

/* Signed numbers in their order: the least one becomes 0. */
static uint64_t ordered(enum value_type type, uint64_t value)
{
	return type == TYPE_INT ? value ^ 1ULL << 63 : value;
}

/* The same value under another name: whoever has the first has the second. */
static const char *common_name(const struct field *field)
{
	static const char *const alias[][2] = {
		{"tcp.src", "l4.src"},	  {"tcp.dst", "l4.dst"},	{"udp.src", "l4.src"},
		{"udp.dst", "l4.dst"},	  {"ipv4.src", "ip.src"},	{"ipv4.dst", "ip.dst"},
		{"ipv6.src", "ip.src"},	  {"ipv6.dst", "ip.dst"},	{"ipv4.ttl", "ip.ttl"},
		{"ipv4.dscp", "ip.dscp"}, {"ipv6.hop_limit", "ip.ttl"}, {"ipv6.dscp", "ip.dscp"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(alias); i++)
		if (strcmp(alias[i][0], field->name) == 0)
			return alias[i][1];
	return field->name;
}

/* Every value that a field, or anything else of 'type', may have. */
static struct span_set all_values(struct checker *c, const struct ref *ref, enum value_type type)
{
	span_number mapped = (span_number)0xffff << 32;
	unsigned bits = type == TYPE_ADDR ? 128 : 64;

	if (ref->kind == REF_FIELD && ref->field->load.kind == LOAD_ADDR4)
		return span_range(c->arena, mapped, mapped | 0xffffffff);
	if (ref->kind == REF_FIELD)
		bits = ref->field->bits;
	return span_range(c->arena, 0, ~(span_number)0 >> (128 - bits));
}

/* ---- match ---- */

/* False: the mask has holes, so the values are no few spans. */
static bool mask_spans(struct checker *c, const struct match *m, const struct pattern *p, struct span_set *set)
{
	span_number all = ~(span_number)0 >> (128 - m->bits), mask = number(p->mask_hi, p->mask_lo) & all;
	span_number rest = all & ~mask, value = number(p->hi, p->lo);

	if ((rest & (rest + 1)) == 0) {
		span_add(c->arena, set, (struct span){value, value | rest});
		return true;
	}
	for (span_number i = 0; m->bits <= ENUMERATED_BITS_MAX && i <= all; i++)
		if ((i & mask) == value)
			span_add(c->arena, set, (struct span){i, i});
	return m->bits <= ENUMERATED_BITS_MAX;
}

static bool match_spans(struct checker *c, const struct match *m, struct span_set *ret_set)
{
	struct span_set set = {};

	if (m->n_alts > SPANS_MAX)
		return false;
	for (size_t i = 0; i < m->n_alts; i++) {
		const struct pattern *p = &m->alt[i];

		/* A port that only a switch knows reads as 0. */
		if (m->type == TYPE_PORT && !p->lo)
			return false;
		if (p->kind == PATTERN_RANGE) {
			span_add(c->arena, &set,
				 (struct span){number(p->hi, ordered(m->type, p->lo)),
					       number(p->last_hi, ordered(m->type, p->last))});
		} else if (m->type == TYPE_INT && p->kind == PATTERN_VALUE) {
			span_add(c->arena, &set, (struct span){ordered(m->type, p->lo), ordered(m->type, p->lo)});
		} else if (m->type == TYPE_INT || !mask_spans(c, m, p, &set)) {
			return false;
		}
	}
	*ret_set = m->negate ? span_without(c->arena, all_values(c, &m->ref, m->type), set) : set;
	return true;
}

/* ---- when ---- */

/* The same text drawn twice gives two answers. */
static bool draws(const struct app_table *t, const struct expr *e)
{
	if (e->kind == EXPR_CALL && strcmp(e->name, "random") == 0)
		return true;
	if (e->ref.kind == REF_LET)
		return draws(t, t->let[e->ref.index].expr);
	for (unsigned i = 0; i < e->n_args; i++)
		if (draws(t, e->arg[i]))
			return true;
	return false;
}

static const char *text_of(struct checker *c, const struct expr *e)
{
	char *text, *copy;

	if (e->ref.kind == REF_FIELD)
		return common_name(e->ref.field);
	text = expr_render(e);
	if (!text)
		arena_give_up(c->arena);
	copy = arena_strdup(c->arena, text);
	free(text);
	return copy;
}

static bool op_spans(struct checker *c, enum expr_op op, span_number value, struct span_set all, struct span_set *ret)
{
	span_number max = ~(span_number)0;

	switch (op) {
	case EOP_EQ: *ret = span_range(c->arena, value, value); break;
	case EOP_NE: *ret = span_without(c->arena, all, span_range(c->arena, value, value)); break;
	case EOP_LT: *ret = value ? span_range(c->arena, 0, value - 1) : (struct span_set){}; break;
	case EOP_LE: *ret = span_range(c->arena, 0, value); break;
	case EOP_GT: *ret = value < max ? span_range(c->arena, value + 1, max) : (struct span_set){}; break;
	case EOP_GE: *ret = span_range(c->arena, value, max); break;
	default: return false;
	}
	*ret = span_intersection(c->arena, all, *ret);
	return true;
}

static bool is_comparable(const struct expr *e)
{
	return e->type != TYPE_BOOL && !(e->constant && e->type == TYPE_PORT);
}

static bool comparison_spans(struct checker *c, const struct expr *e, struct demand *ret)
{
	const struct expr *a = e->arg[0], *b = e->arg[1];
	enum expr_op op = e->op;

	if (a->constant) {
		op = expr_op_mirrored(op);
		a = e->arg[1];
		b = e->arg[0];
	}
	if (a->constant || (op != EOP_IN && !b->constant) || !is_comparable(a) || !is_comparable(b) ||
	    (b->type == TYPE_INT && a->type != TYPE_INT))
		return false;
	ret->all = all_values(c, &a->ref, a->type);
	ret->key = text_of(c, a);
	if (op == EOP_IN && b->kind == EXPR_PREFIX) {
		struct span_set prefix;
		uint64_t mask_hi, mask_lo;

		literal_mask(b->prefix_len, &mask_hi, &mask_lo);
		prefix = span_range(c->arena, number(b->hi, b->value),
				    number(b->hi, b->value) | ~number(mask_hi, mask_lo));
		ret->set = span_intersection(c->arena, ret->all, prefix);
		return true;
	}
	return op_spans(c, op, number(b->type == TYPE_ADDR ? b->hi : 0, ordered(a->type, b->value)), ret->all,
			&ret->set);
}

/* A condition on one thing as the set of its values; false when it is more than that. */
static bool expr_spans(struct checker *c, const struct app_table *t, const struct expr *e, struct demand *ret)
{
	struct demand other = {};

	if (e->ref.kind == REF_LET && e->type == TYPE_BOOL)
		return expr_spans(c, t, t->let[e->ref.index].expr, ret);
	if (e->kind != EXPR_BINARY)
		return false;
	if (e->op != EOP_OR && e->op != EOP_AND)
		return comparison_spans(c, e, ret);
	if (!expr_spans(c, t, e->arg[0], ret) || !expr_spans(c, t, e->arg[1], &other) ||
	    strcmp(ret->key, other.key) != 0)
		return false;
	if (e->op == EOP_AND)
		ret->set = span_intersection(c->arena, ret->set, other.set);
	else
		span_add_all(c->arena, &ret->set, other.set);
	return ret->set.n <= SPANS_MAX;
}

/* ---- the whole rule ---- */

static void add(struct checker *c, struct demands *demands, struct demand demand)
{
	for (size_t i = 0; i < demands->n; i++) {
		struct demand *have = &demands->item[i];

		if (have->opaque || demand.opaque || strcmp(have->key, demand.key) != 0)
			continue;
		have->set = span_intersection(c->arena, have->set, demand.set);
		return;
	}
	GROW(c, demands->item, demands->n);
	demands->item[demands->n++] = demand;
}

static void add_match(struct checker *c, struct demands *demands, const struct match *m)
{
	struct demand demand = {};

	if (match_spans(c, m, &demand.set)) {
		demand.key = m->ref.kind == REF_FIELD ? common_name(m->ref.field)
						      : arena_strndup(c->arena, m->text, strcspn(m->text, ":"));
		demand.all = all_values(c, &m->ref, m->type);
	} else {
		demand.opaque = true;
		demand.key = m->text;
	}
	add(c, demands, demand);
}

static void add_condition(struct checker *c, const struct app_table *t, struct demands *demands, const struct expr *e)
{
	struct demand demand = {};

	if (e->constant) {
		demands->never |= !e->value;
		return;
	}
	if (e->kind == EXPR_CALL && strcmp(e->name, "has") == 0 && e->arg[0]->ref.kind != REF_MEMBER) {
		demands->needs.headers |= e->value;
		return;
	}
	if (e->ref.kind == REF_LET) {
		add_condition(c, t, demands, t->let[e->ref.index].expr);
		return;
	}
	if (e->op == EOP_AND) {
		add_condition(c, t, demands, e->arg[0]);
		add_condition(c, t, demands, e->arg[1]);
		return;
	}
	demand.drawn = draws(t, e);
	if (demand.drawn || !expr_spans(c, t, e, &demand))
		demand = (struct demand){.key = text_of(c, e), .opaque = true, .drawn = demand.drawn};
	add(c, demands, demand);
}

/* The member must be there; "server.ip" and "server.port" ask for the same. */
static void add_member(struct checker *c, struct demands *demands, const char *name)
{
	const char *dot = strrchr(name, '.');

	add(c, demands,
	    (struct demand){.key = arena_printf(c->arena, "has(%.*s)", (int)(dot ? dot - name : 0), name),
			    .opaque = true});
}

static void add_group(struct checker *c, struct demands *demands, unsigned index)
{
	const struct app_group *group = &c->app->group[index];

	for (size_t i = 0; !group->default_hash && i < group->n_hash; i++)
		if (group->hash[i].kind == REF_FIELD)
			demands->needs.headers |= group->hash[i].field->needs;
	if (group->type != GROUP_ALL)
		add(c, demands,
		    (struct demand){.key = arena_printf(c->arena, "select(%s)", group->name), .opaque = true});
}

/* What a rule names of members must be there. */
static void add_members(struct checker *c, const struct app_table *t, struct demands *demands, const struct expr *e)
{
	if (!e || (e->kind == EXPR_CALL && strcmp(e->name, "has") == 0))
		return;
	if (e->ref.kind == REF_LET)
		add_members(c, t, demands, t->let[e->ref.index].expr);
	if (e->ref.kind == REF_MEMBER)
		add_member(c, demands, e->name);
	if (e->kind == EXPR_CALL && strcmp(e->name, "select") == 0)
		add_group(c, demands, e->value);
	for (unsigned i = 0; i < e->n_args; i++)
		add_members(c, t, demands, e->arg[i]);
}

static void add_members_of_steps(struct checker *c, const struct app_table *t, struct demands *demands,
				 const struct stmt_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		add_members(c, t, demands, list->item[i].value);
		if (list->item[i].kind == STMT_VERDICT && list->item[i].verdict == VERDICT_GROUP)
			add_group(c, demands, list->item[i].target);
	}
}

static void add_members_of_learn(struct checker *c, const struct app_table *t, struct demands *demands,
				 const struct app_learn *learn)
{
	if (!learn)
		return;
	add_members(c, t, demands, learn->first);
	for (size_t i = 0; i < learn->n_key; i++)
		add_members(c, t, demands, learn->key[i]);
	for (size_t i = 0; i < learn->n_sets; i++)
		add_members(c, t, demands, learn->set[i].value);
	add_members_of_steps(c, t, demands, &learn->otherwise);
}

struct demands demands_of_rule(struct checker *c, const struct app_table *t, const struct app_rule *rule)
{
	struct demands demands = {.needs = needs_of_rule(t, rule)};

	for (size_t i = 0; i < rule->n_match; i++)
		add_match(c, &demands, &rule->match[i]);
	if (rule->when)
		add_condition(c, t, &demands, rule->when);
	add_members(c, t, &demands, rule->when);
	add_members_of_steps(c, t, &demands, &rule->do_);
	add_members_of_steps(c, t, &demands, &rule->action);
	add_members_of_learn(c, t, &demands, rule->learn);
	add_members_of_learn(c, t, &demands, rule->allocate);
	for (size_t i = 0; i < demands.n; i++)
		if (!demands.item[i].opaque && !demands.item[i].set.n && !demands.impossible)
			demands.impossible = demands.item[i].key;
	return demands;
}
