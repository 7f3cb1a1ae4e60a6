/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be present in a packet for a rule to match. */
#include "app_check.h"

static void need_ref(struct needs *needs, const struct ref *ref)
{
	if (ref->kind == REF_FIELD)
		needs->headers |= ref->field->needs;
	if (ref->kind == REF_TABLE_REGISTER || (ref->kind == REF_MEMBER && ref->of == REF_TABLE_REGISTER))
		needs->tables |= 1ULL << ref->table;
}

static void need_expr(const struct app_table *t, struct needs *needs, const struct expr *e)
{
	if (!e || (e->kind == EXPR_CALL && strcmp(e->name, "has") == 0))
		return;
	need_ref(needs, &e->ref);
	if (e->ref.kind == REF_LET)
		need_expr(t, needs, t->let[e->ref.index].expr);
	for (unsigned i = 0; i < e->n_args; i++)
		need_expr(t, needs, e->arg[i]);
}

/* What was just pushed is there to be written and popped. */
static void need_steps(const struct app_table *t, struct needs *needs, const struct stmt_list *list)
{
	uint64_t there = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct stmt *stmt = &list->item[i];

		need_expr(t, needs, stmt->value);
		if (stmt->lhs && (stmt->lhs->ref.kind != REF_FIELD || stmt->op != EOP_NONE))
			need_ref(needs, &stmt->lhs->ref);
		needs->headers |= stmt_asks(stmt, there);
		there = stmt_leaves(stmt, there);
	}
}

/* A header's presence implies that of others. */
static uint64_t implied(uint64_t headers)
{
#define BIT(x) (1ULL << PRESENT_##x)
	if (headers & BIT(VXLAN))
		headers |= BIT(UDP);
	if (headers & BIT(ND_LINK))
		headers |= BIT(ND);
	if (headers & BIT(ND))
		headers |= BIT(ICMPV6);
	if (headers & BIT(SRH))
		headers |= BIT(ROUTING);
	if (headers & (BIT(INNER_TCP) | BIT(INNER_UDP)))
		headers |= BIT(INNER_L4);
	if (headers & (BIT(INNER_L4) | BIT(INNER_ICMP)))
		headers |= BIT(INNER_IP);
	if (headers & BIT(INNER_IP))
		headers |= BIT(IP);
	if (headers & (BIT(TCP) | BIT(UDP)))
		headers |= BIT(L4);
	if (headers & BIT(ICMP))
		headers |= BIT(IPV4);
	if (headers & (BIT(ICMPV6) | BIT(HOPOPTS) | BIT(ROUTING) | BIT(FRAG6) | BIT(DSTOPTS)))
		headers |= BIT(IPV6);
	if (headers & (BIT(IPV4) | BIT(IPV6) | BIT(L4)))
		headers |= BIT(IP);
	if (headers & BIT(VLAN2))
		headers |= BIT(VLAN);
	return headers | BIT(ETH);
#undef BIT
}

static void need_key(struct needs *needs, const struct app_key *key)
{
	need_ref(needs, &key->ref);
	if (key->kind == KEY_BIFLOW_L4)
		needs->headers |= 1ULL << PRESENT_L4 | 1ULL << PRESENT_IP;
	if (key->kind == KEY_BIFLOW_IP)
		needs->headers |= 1ULL << PRESENT_IP;
}

static void need_learn(const struct app_table *t, struct needs *needs, const struct app_learn *learn)
{
	if (!learn)
		return;
	need_expr(t, needs, learn->first);
	for (size_t i = 0; i < learn->n_key; i++)
		need_expr(t, needs, learn->key[i]);
	for (size_t i = 0; i < learn->n_sets; i++)
		need_expr(t, needs, learn->set[i].value);
	need_steps(t, needs, &learn->otherwise);
}

struct needs needs_of_rule(const struct app_table *t, const struct app_rule *rule)
{
	struct needs needs = {};

	for (size_t i = 0; i < rule->n_match; i++)
		need_ref(&needs, &rule->match[i].ref);
	need_expr(t, &needs, rule->when);
	need_steps(t, &needs, &rule->do_);
	need_steps(t, &needs, &rule->action);
	need_learn(t, &needs, rule->learn);
	need_learn(t, &needs, rule->allocate);
	return needs;
}

struct needs needs_with_key(const struct app_table *t, struct needs needs)
{
	for (size_t i = 0; i < t->n_lookup; i++)
		need_key(&needs, &t->lookup[i]);
	needs.headers = implied(needs.headers);
	return needs;
}

const char *needs_conflict(const struct needs *needs)
{
#define PAIR(a, b, text)                                                                                               \
	{                                                                                                              \
		1ULL << PRESENT_##a | 1ULL << PRESENT_##b, text                                                        \
	}
	static const struct {
		uint64_t both;
		const char *text;
	} pairs[] = {
		PAIR(TCP, UDP, "both TCP and UDP"),
		PAIR(IPV4, IPV6, "both IPv4 and IPv6"),
		PAIR(ARP, IP, "both ARP and IP"),
		PAIR(ICMP, L4, "both ICMP and the ports of TCP or UDP"),
		PAIR(ICMPV6, L4, "both ICMPv6 and the ports of TCP or UDP"),
	};
#undef PAIR

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (!(pairs[i].both & ~needs->headers))
			return pairs[i].text;
	return NULL;
}
