/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that no packet reaches, because the ones before take all of theirs.
 *
 * Only what is certain is reported: sets of values are compared where a condition is about one thing, whole
 * conditions by their text, and a header that an earlier rule needs must be one that the later rule needs too. */
#include "app_check.h"

/* Only so many rules are put together: the others take the packets of single values. */
enum { TOGETHER_MAX = 32 };

/* The update scope must be present too, for rules that write. */
static bool writes_elsewhere(const struct app_table *t, const struct app_rule *rule)
{
	return t->n_update && (rule->do_.n || rule->next >= 0);
}

/* What one earlier rule leaves of a later one. */
struct rest {
	enum { REST_ALL, REST_SOME, REST_NONE } kind;
	const struct demand *demand; /* REST_SOME: what of this one does not include. */
};

static bool is_met(const struct demand *demand, const struct demands *later)
{
	for (size_t i = 0; i < later->n; i++) {
		const struct demand *other = &later->item[i];

		if (other->opaque == demand->opaque && !demand->drawn && strcmp(other->key, demand->key) == 0)
			return demand->opaque || span_includes(demand->set, other->set);
	}
	return false;
}

/* 'first' and 'later' were found with the table's key only in 'later'. */
static struct rest find_rest(const struct demands *first, const struct demands *later)
{
	struct rest rest = {.kind = REST_NONE};

	if (first->needs.headers & ~later->needs.headers || first->needs.tables & ~later->needs.tables)
		return (struct rest){.kind = REST_ALL};
	for (size_t i = 0; i < first->n; i++) {
		if (is_met(&first->item[i], later))
			continue;
		if (rest.kind == REST_SOME || first->item[i].opaque)
			return (struct rest){.kind = REST_ALL};
		rest = (struct rest){REST_SOME, &first->item[i]};
	}
	return rest;
}

/* The rules that together take everything of one rule, as bits. */
struct takers {
	uint64_t bits[(RULES_MAX + 63) / 64];
};

static void takers_add(struct takers *takers, size_t rule)
{
	takers->bits[rule / 64] |= 1ULL << rule % 64;
}

static bool in_state(const struct app_rule *rule, unsigned state)
{
	return rule->any_state || rule->states >> state & 1;
}

static struct span_set wanted(const struct demands *later, const struct demand *like)
{
	for (size_t i = 0; i < later->n; i++)
		if (!later->item[i].opaque && strcmp(later->item[i].key, like->key) == 0)
			return later->item[i].set;
	return like->all;
}

/* Do the rules with the same open question as number 'at' leave nothing between them?  'sum' is scratch. */
static bool taken_together(struct checker *c, const struct app_table *t, const struct rest *rest, size_t at,
			   const struct demands *later, unsigned state, struct span_set *sum, struct takers *takers)
{
	struct takers found = {};
	unsigned n = 0;

	sum->n = 0;
	for (size_t i = 0; i <= at && n < TOGETHER_MAX; i++) {
		if (rest[i].kind != REST_SOME || !in_state(&t->rule[i], state) ||
		    strcmp(rest[i].demand->key, rest[at].demand->key) != 0)
			continue;
		span_add_all(c->arena, sum, rest[i].demand->set);
		takers_add(&found, i);
		n++;
	}
	if (!span_includes(*sum, wanted(later, rest[at].demand)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(found.bits); i++)
		takers->bits[i] |= found.bits[i];
	return true;
}

static bool is_taken(struct checker *c, const struct app_table *t, const struct rest *rest, size_t n,
		     const struct demands *later, unsigned state, struct takers *takers)
{
	struct span_set sum = {};
	unsigned tries = 0;

	for (size_t i = 0; i < n; i++)
		if (rest[i].kind == REST_NONE && in_state(&t->rule[i], state)) {
			takers_add(takers, i);
			return true;
		}
	for (size_t i = 0; i < n && tries < TOGETHER_MAX; i++)
		if (rest[i].kind == REST_SOME && in_state(&t->rule[i], state)) {
			if (taken_together(c, t, rest, i, later, state, &sum, takers))
				return true;
			tries++;
		}
	return false;
}

/* One rule for all states is a better reason than several. */
static bool taken_by_one(const struct app_table *t, const struct rest *rest, size_t n, const struct app_rule *later,
			 struct takers *takers)
{
	for (size_t i = 0; i < n; i++)
		if (rest[i].kind == REST_NONE &&
		    (t->rule[i].any_state || (!later->any_state && !(later->states & ~t->rule[i].states)))) {
			takers_add(takers, i);
			return true;
		}
	return false;
}

static const char *lines_of(struct checker *c, const struct app_table *t, const struct takers *takers)
{
	unsigned n = 0, seen = 0;
	char *text = "";

	for (size_t i = 0; i < t->n_rules; i++)
		n += takers->bits[i / 64] >> i % 64 & 1;
	for (size_t i = 0; i < t->n_rules; i++) {
		if (!(takers->bits[i / 64] >> i % 64 & 1))
			continue;
		seen++;
		text = arena_printf(c->arena, "%s%s%u", text,
				    seen == 1	? ""
				    : seen == n ? " and "
						: ", ",
				    t->rule[i].loc.line);
	}
	return n == 1 ? arena_printf(c->arena, "the one on line %s already matches", text)
		      : arena_printf(c->arena, "those on lines %s already match", text);
}

static void warn_rule(struct checker *c, const struct app_table *t, struct demands *demands, size_t n,
		      const struct app_rule *later, const char *what)
{
	struct rest *rest = arena_alloc_array(c->arena, n + 1, sizeof(*rest));
	struct demands needed = demands[n];
	struct takers takers = {};

	if (needed.never || needed.impossible) {
		WARN(c, later->loc, "%s never matches: %s", what,
		     needed.never ? "its condition is always false"
				  : arena_printf(c->arena, "no \"%s\" meets all of its conditions", needed.impossible));
		return;
	}
	needed.needs = needs_with_key(t, needed.needs);
	if (needs_conflict(&needed.needs)) {
		WARN(c, later->loc, "%s never matches: no packet has %s", what, needs_conflict(&needed.needs));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		rest[i] = find_rest(&demands[i], &needed);
		if (demands[i].never || demands[i].impossible ||
		    (writes_elsewhere(t, &t->rule[i]) && !writes_elsewhere(t, later)))
			rest[i].kind = REST_ALL;
	}
	if (!taken_by_one(t, rest, n, later, &takers))
		for (unsigned s = 0; s < t->n_states; s++)
			if (in_state(later, s) && !is_taken(c, t, rest, n, &needed, s, &takers))
				return;
	WARN(c, later->loc, "%s is never reached: %s all of its packets", what, lines_of(c, t, &takers));
}

void app_warn_reach(struct checker *c, const struct app_table *t)
{
	struct demands *demands = arena_alloc_array(c->arena, t->n_rules + 1, sizeof(*demands));

	for (size_t i = 0; i < t->n_rules; i++) {
		demands[i] = demands_of_rule(c, t, &t->rule[i]);
		warn_rule(c, t, demands, i, &t->rule[i], "this rule");
	}
	if (t->otherwise.n) {
		const struct app_rule rest = {.any_state = true, .loc = t->otherwise.item[0].loc};

		demands[t->n_rules] = (struct demands){};
		warn_rule(c, t, demands, t->n_rules, &rest, "\"otherwise\"");
	}
}
