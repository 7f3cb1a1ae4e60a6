// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "proto/pending.h"

static void add(struct pending *pending, uint64_t id, uint64_t deadline_ms)
{
	struct pending_request request = {.id = id, .deadline_ms = deadline_ms};

	assert_int_equal(pending_reserve(pending), 0);
	pending_add(pending, &request);
}

static void requests_are_taken_once_in_any_order(void **state)
{
	struct pending_request request;
	struct pending pending;
	unsigned seed = 1;

	pending_init(&pending);
	for (uint64_t round = 0; round < 20; round++) {
		uint64_t first = round * 1000 + 1;

		for (uint64_t i = 0; i < 100; i++)
			add(&pending, first + i, UINT64_MAX);
		for (unsigned i = 0; i < 300; i++) {
			uint64_t id = first + rand_r(&seed) % 100;
			bool there = pending_take(&pending, id, &request);

			assert_true(!there || request.id == id);
			assert_false(pending_take(&pending, id, &request));
		}
		while (pending_take_any(&pending, &request))
			assert_true(request.id >= first);
	}
	assert_int_equal(pending_count(&pending), 0);
	pending_done(&pending);
}

static void deadlines_are_met_whatever_their_order(void **state)
{
	struct pending_request request;
	struct pending pending;

	pending_init(&pending);
	assert_false(pending_take_expired(&pending, UINT64_MAX - 1, &request));
	add(&pending, 1, 300);
	add(&pending, 2, 100);
	add(&pending, 3, UINT64_MAX);
	add(&pending, 4, 200);
	assert_true(pending.earliest_ms <= 100);
	assert_false(pending_take_expired(&pending, 99, &request));
	assert_true(pending_take_expired(&pending, 200, &request));
	assert_int_equal(request.id, 2);
	assert_true(pending_take_expired(&pending, 200, &request));
	assert_int_equal(request.id, 4);
	assert_false(pending_take_expired(&pending, 200, &request));
	assert_int_equal(pending.earliest_ms, 300);
	assert_true(pending_take_expired(&pending, 1000, &request));
	assert_false(pending_take_expired(&pending, 1000, &request));
	assert_int_equal(pending_count(&pending), 1);
	pending_done(&pending);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_taken_once_in_any_order),
		cmocka_unit_test(deadlines_are_met_whatever_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
