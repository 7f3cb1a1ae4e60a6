// SPDX-License-Identifier: GPL-2.0-or-later
/* A clock that jumps: time never runs backwards within a flow, and no jump loses a flow, a packet or a budget. */
#include "tiers.h"

#include <stdlib.h>

#define A "192.0.2.1"
#define B "192.0.2.2"

enum { JUMP_MS = 360 * 1000 };
static const uint64_t CENTURY_NS = 100ull * 365 * 86400 * 1000000000;

static unsigned passed_of(struct rig *rig, const char *src, unsigned n)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++)
		passed += send_one(rig, 1, PKT(.ip_src = src, .udp_dport = 9)) == EXIT_PASS;
	return passed;
}

static void backwards_gives_and_takes_no_tokens(void **state)
{
	struct rig *rig = rig_with("examples/token-bucket.yaml", NULL);

	assert_int_equal(passed_of(rig, A, 3), 3);
	rig_advance_ms(rig, -(uint64_t)JUMP_MS);
	rig_expire(rig);
	assert_int_equal(rig_flows(rig, "token-bucket/police", NULL, NULL), 1);
	assert_int_equal(passed_of(rig, A, 10), 2);
	assert_int_equal(passed_of(rig, B, 10), 5); /* A flow that begins now has the time of now. */
	rig_advance_ms(rig, JUMP_MS);
	assert_int_equal(passed_of(rig, A, 10), 0);
	rig_advance_ms(rig, 1000);
	assert_int_equal(passed_of(rig, A, 10), 1);
	rig_close(rig);
}

static void a_century_ahead_ends_what_is_due_and_only_that(void **state)
{
	struct rig *rig = rig_with("examples/token-bucket.yaml", NULL);

	rig_load(rig, "examples/packet-counter.yaml", NULL);
	rig_commit(rig);
	assert_int_equal(passed_of(rig, A, 10), 5);
	assert_int_equal(passed_of(rig, B, 10), 5);
	rig_advance_ns(rig, CENTURY_NS);
	assert_int_equal(passed_of(rig, A, 10), 5);
	rig_expire(rig);
	assert_int_equal(rig_flows(rig, "token-bucket/police", NULL, NULL), 1);
	assert_int_equal(rig_register(rig, "packet-counter/sources", "ip.src", A, "packets"), 10);
	/* Back: the flow that was there keeps its time, others are not held up by it. */
	rig_advance_ns(rig, -CENTURY_NS);
	assert_int_equal(passed_of(rig, A, 10), 0);
	assert_int_equal(passed_of(rig, B, 10), 5);
	rig_close(rig);
}

static void jumps_at_random_lose_no_packet_of_a_flow(void **state)
{
	enum { JUMPS = 200 };
	struct rig *rig = rig_with("app: steps\n"
				   "tables:\n"
				   "  - name: t\n"
				   "    state: {lookup: [ip.src], capacity: 16, registers: [n, time last, early]}\n"
				   "    rules:\n"
				   "      - {name: back, when: now < last, do: n += 1; early += 1, action: pass}\n"
				   "      - {name: on, do: n += 1; last = now, action: pass}\n",
				   NULL);

	srandom(4);
	for (unsigned i = 0; i < JUMPS; i++) {
		assert_int_equal(passed_of(rig, A, 1), 1);
		rig_advance_ns(rig, (uint64_t)(random() % 2 ? 1 : -1) * (random() % 500000000));
		if (i % 8 == 0)
			rig_expire(rig);
	}
	assert_int_equal(rig_register(rig, "steps/t", "ip.src", A, "n"), JUMPS);
	assert_int_equal(rig_register(rig, "steps/t", "ip.src", A, "early"), 0);
	assert_int_equal(rig_flows(rig, "steps/t", NULL, NULL), 1);
	rig_close(rig);
}

TESTS(clock, cmocka_unit_test(backwards_gives_and_takes_no_tokens),
      cmocka_unit_test(a_century_ahead_ends_what_is_due_and_only_that),
      cmocka_unit_test(jumps_at_random_lose_no_packet_of_a_flow));
