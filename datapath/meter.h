/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meter - two rates, three colours: RFC 2698, colour-blind.
 *
 * Both buckets in whole tokens, without rounding: a packet of B bytes costs 8 * 10^9 * B of them and each nanosecond
 * adds the rate in bits a second.  Without branches, because a meter is charged inside loops of the table program. */
#ifndef MEALY_METER_H
#define MEALY_METER_H

#include "hook.h"

HOOK_FN __u64 meter_choose(__u64 condition, __u64 yes, __u64 no)
{
	return no ^ ((no ^ yes) & -condition);
}

/* 'elapsed' ns after there were 'tokens'.  Below whole_ns neither the product nor the sum wraps. */
HOOK_FN __u64 meter_refill(const struct meter_rate *r, __u64 tokens, __u64 elapsed)
{
	__u64 sum = tokens + elapsed * r->rate;

	return meter_choose(BELOW(elapsed, r->whole_ns) & BELOW(sum, r->burst), sum, r->burst);
}

/* Charges 'amount' bytes or frames at 'now'; returns the colour (enum colour).  Time that runs backwards adds
 * nothing. */
HOOK_FN __u64 meter_charge(const struct meter_rates *rates, struct meter_state *state, __u64 now, __u64 amount)
{
	__u64 first = !state->last_ns, back = BELOW(now, state->last_ns), cost = amount * rates->cost;
	__u64 elapsed = meter_choose(back, 0, now - state->last_ns) | -first;
	__u64 committed = meter_refill(&rates->committed, state->committed, elapsed);
	__u64 peak = meter_refill(&rates->peak, state->peak, elapsed);
	__u64 has_peak = !!rates->peak.rate;
	__u64 red = has_peak & BELOW(peak, cost);
	__u64 yellow = BELOW(committed, cost) & ~red;

	state->committed = committed - (cost & -(__u64) !(red | yellow));
	state->peak = peak - (cost & -(has_peak & ~red));
	state->last_ns = meter_choose(back, state->last_ns, now);
	return red * COLOUR_RED + yellow * COLOUR_YELLOW;
}

/* The same for a meter that all flows share, under its lock. */
HOOK_FN __u64 meter_shared(struct hook *h, struct scratch *s, const struct meter_rates *rates, __u32 index)
{
	__u64 now = s->cells[CELL_NOW], amount = s->cells[rates->bytes ? CELL_LENGTH : CELL_FRAMES], colour;
	struct lock_line *lock = map_lock(h, LOCK_OF_METER(index));
	struct meter *meter = map_meter(h, index);

	if (!lock)
		return COLOUR_RED;
	hook_lock(lock);
	if (meter->seen != READ(meter->reset)) {
		meter->seen = READ(meter->reset);
		meter->state.last_ns = 0;
	}
	colour = meter_charge(rates, &meter->state, now, amount);
	/* Opaque, or clang 19 compares with each colour, from which the verifier of 6.1 learns no bound. */
	OPAQUE(colour);
	if (colour >= COLOURS)
		colour = COLOUR_RED;
	meter->packets[colour] += s->cells[CELL_FRAMES];
	hook_unlock(lock);
	return colour;
}

#endif
