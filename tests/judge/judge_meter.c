/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Meters: two rates, three colours (RFC 2698, colour-blind), in whole tokens. */
#include <string.h>

#include "judge_int.h"

/* What a bucket holds that gains 'rate' tokens each nanosecond and has seen nobody for 'elapsed'. */
static __uint128_t filled(uint64_t tokens, uint64_t rate, uint64_t burst, uint64_t elapsed)
{
	__uint128_t sum = tokens + (__uint128_t)rate * elapsed;

	return sum > burst ? burst : sum;
}

static uint64_t charge(const struct app_meter *meter, struct judge_meter *m, const struct visit *v)
{
	const struct meter_rates *rates = &meter->rates;
	/* A frame is a second at one a second; a byte is eight bits of them. */
	uint64_t cost = rates->bytes ? v->entered.frame.size * 8000000000ULL : 1000000000ULL;
	uint64_t elapsed = v->now_ns - m->last_ns;
	bool full = !m->last_ns;

	m->committed = full ? rates->committed.burst
			    : filled(m->committed, rates->committed.rate, rates->committed.burst, elapsed);
	m->peak = full ? rates->peak.burst : filled(m->peak, rates->peak.rate, rates->peak.burst, elapsed);
	m->last_ns = v->now_ns;
	if (meter->pir_text && m->peak < cost)
		return COLOUR_RED;
	m->peak -= meter->pir_text ? cost : 0;
	if (m->committed < cost)
		return COLOUR_YELLOW;
	m->committed -= cost;
	return COLOUR_GREEN;
}

/* A flow's own lies in its hidden registers. */
static uint64_t charge_own(const struct app_meter *meter, struct judge_flow *flow, const struct visit *v)
{
	struct judge_value *reg = &flow->reg[meter->reg];
	struct judge_meter m = {reg[0].lo, reg[1].lo, reg[2].lo};
	uint64_t colour = charge(meter, &m, v);

	reg[0].lo = m.committed;
	reg[1].lo = m.peak;
	reg[2].lo = m.last_ns;
	return colour;
}

void judge_charge(struct visit *v, struct judge_flow *flow, const struct expr *e)
{
	uint64_t colour;

	for (unsigned i = 0; e && i < e->n_args; i++)
		judge_charge(v, flow, e->arg[i]);
	if (!e || e->kind != EXPR_CALL || strcmp(e->name, "meter") != 0)
		return;
	colour = flow ? charge_own(&v->app->meter[e->value], flow, v)
		      : charge(&v->run->judge->app->meter[e->value], &v->run->judge->meter[e->value], v);
	judge_remember(v, e, colour);
}

bool judge_has_meter(const struct expr *e)
{
	for (unsigned i = 0; e && i < e->n_args; i++)
		if (judge_has_meter(e->arg[i]))
			return true;
	return e && e->kind == EXPR_CALL && strcmp(e->name, "meter") == 0;
}
