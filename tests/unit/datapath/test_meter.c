/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The meter against RFC 2698 as its text says it, in fractions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "datapath/meter.h"

typedef unsigned __int128 exact;

/* Tc and Tp in bytes (or frames) times 'unit', so that nothing is rounded. */
struct executor {
	exact unit, committed, peak;
	uint64_t cir, cbs, pir, pbs, last_ns;
	bool begun;
};

static exact least(exact a, exact b)
{
	return a < b ? a : b;
}

static enum colour execute(struct executor *x, uint64_t now, uint64_t size)
{
	exact cost = size * x->unit, elapsed = x->begun && now > x->last_ns ? now - x->last_ns : 0;

	if (!x->begun) {
		x->committed = x->cbs * x->unit;
		x->peak = x->pbs * x->unit;
	}
	x->begun = true;
	x->committed = least(x->committed + elapsed * x->cir, x->cbs * x->unit);
	x->peak = least(x->peak + elapsed * x->pir, x->pbs * x->unit);
	x->last_ns = now > x->last_ns ? now : x->last_ns;
	if (x->pir && x->peak < cost)
		return COLOUR_RED;
	if (x->pir)
		x->peak -= cost;
	if (x->committed < cost)
		return COLOUR_YELLOW;
	x->committed -= cost;
	return COLOUR_GREEN;
}

static struct meter_rate rate_of(uint64_t rate, uint64_t burst, uint64_t cost)
{
	return (struct meter_rate){rate, burst * cost, rate ? burst * cost / rate + 1 : 0};
}

static uint64_t draw(uint64_t *state)
{
	*state += RANDOM_STEP;
	return random_mix(*state);
}

/* 'bytes': rates in bits a second. */
static void compare(uint64_t cir, uint64_t cbs, uint64_t pir, uint64_t pbs, bool bytes, uint64_t gap_ns)
{
	uint64_t cost = bytes ? METER_COST_BYTES : METER_COST_FRAMES, now = 1ull << 56, seed = cir ^ pbs;
	const struct meter_rates rates = {rate_of(cir, cbs, cost), rate_of(pir, pbs, cost), cost, bytes, 0};
	struct executor x = {.unit = cost, .cir = cir, .cbs = cbs, .pir = pir, .pbs = pbs};
	struct meter_state state = {};
	unsigned n[COLOURS] = {};

	for (unsigned i = 0; i < 5000; i++) {
		uint64_t size = bytes ? 60 + draw(&seed) % 1440 : 1 + draw(&seed) % 3;
		enum colour colour = execute(&x, now, size);

		n[colour]++;
		assert_int_equal(meter_charge(&rates, &state, now, size), colour);
		assert_true(state.committed == x.committed);
		assert_true(!pir || state.peak == x.peak);
		now += draw(&seed) % gap_ns;
		if (i % 100 == 99)
			now -= gap_ns; /* Another CPU was earlier. */
	}
	assert_true(n[COLOUR_GREEN] > 0 && n[COLOUR_YELLOW] > 0 && (!pir || n[COLOUR_RED] > 0));
}

static void it_is_the_rfc_to_the_last_token(void **state)
{
	compare(8000000, 3000, 16000000, 6000, true, 700000);
	compare(7777777, 1501, 9999999, 4001, true, 1000000);
	compare(999999937, 65536, 1000000007, 131072, true, 9000);
	compare(10, 3, 17, 5, false, 200000000);
	compare(3, 4, 0, 0, false, 900000000);
}

static void a_long_rest_fills_it_and_no_more(void **state)
{
	const struct meter_rates rates = {
		rate_of(~0ull >> 8, 1000000000, METER_COST_BYTES), {}, METER_COST_BYTES, 1, 0};
	struct meter_state meter = {1, 0, 1};

	assert_int_equal(meter_charge(&rates, &meter, ~0ull, 1), COLOUR_GREEN);
	assert_true(meter.committed == (1000000000ull - 1) * METER_COST_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_rfc_to_the_last_token),
		cmocka_unit_test(a_long_rest_fills_it_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
