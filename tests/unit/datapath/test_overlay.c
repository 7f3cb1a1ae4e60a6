// SPDX-License-Identifier: GPL-2.0-or-later
/* A native switch over the maps of another one, as `trace` has it: it says what the other would do, and changes
 * nothing. */
#include "datapath/maps_native.h"

#include "tables_by_hand.h"

#include <stdio.h>

/* ---- the live switch as a source -------------------------------------------------------------- */

static const struct table *read_table(void *data, unsigned element)
{
	return ((struct native_switch *)data)->table[element];
}

static const struct chain *read_chain(void *data, unsigned element)
{
	return &((struct native_switch *)data)->chain[element];
}

static const struct flow_desc *read_desc(void *data, unsigned flow_table)
{
	struct native_flows *flows = &((struct native_switch *)data)->flows[flow_table];

	return flows->valid ? &flows->desc : NULL;
}

static const void *read_records(void *data, unsigned flow_table)
{
	return ((struct native_switch *)data)->flows[flow_table].records;
}

static const struct bucket *read_buckets(void *data, unsigned flow_table)
{
	return ((struct native_switch *)data)->flows[flow_table].buckets;
}

static void hand_over(struct hand *over, const struct hand *live)
{
	const struct native_source source = {.data = live->sw,
					     .table = read_table,
					     .chain = read_chain,
					     .flow_desc = read_desc,
					     .records = read_records,
					     .buckets = read_buckets};

	memset(over, 0, sizeof(*over));
	over->now_ns = live->now_ns;
	assert_int_equal(native_new(&source, &over->sw), 0);
}

/* All that packets write but counters. */
static __u64 checksum(const struct hand *live)
{
	const struct native_flows *flows = &live->sw->flows[HAND_FLOWS];
	__u64 sum = flows->desc.fresh * 31 + flows->desc.n_overflow + flows->returned.n * 17;
	size_t n_words = (flows->desc.capacity + 1) * RECORD_WORDS(flows->desc.record_class);

	for (size_t i = 0; i < n_words; i++)
		sum = sum * 31 + flows->records[i];
	n_words = flows->desc.n_buckets * sizeof(struct bucket) / sizeof(__u64);
	for (size_t i = 0; i < n_words; i++)
		sum = sum * 31 + ((const __u64 *)flows->buckets)[i];
	return sum;
}

static const char *address(unsigned i)
{
	static char text[32];

	snprintf(text, sizeof(text), "10.0.0.%u", i);
	return text;
}

/* Two packets, then over: state 0 -> 1 -> 0; idle 1 s. */
static struct table *coming_and_going(void)
{
	struct table *t = hand_table();

	hand_row(t, 0, 0);
	hand_row(t, 1, 1);
	hand_counting(t, 0, 1);
	hand_counting(t, 1, 0);
	hand_state(t, 1)->idle_ns = SECOND;
	t->when_full = FULL_EVICT;
	return t;
}

static void a_prediction_comes_true(void **state)
{
	static struct native_result predicted;
	struct hand live, over;
	unsigned seed = 1;

	hand_open(&live, coming_and_going(), 6);
	for (unsigned i = 0; i < 400; i++) {
		unsigned source = rand_r(&seed) % 12;
		__u64 before;

		live.now_ns += rand_r(&seed) % (SECOND / 3);
		hand_over(&over, &live);
		before = checksum(&live);
		hand_send(&over, .ip_src = address(source));
		predicted = over.result;
		assert_true(checksum(&live) == before);
		hand_close(&over);

		hand_send(&live, .ip_src = address(source));
		assert_int_equal(predicted.exit, live.result.exit);
		assert_int_equal(predicted.n_steps, live.result.n_steps);
		assert_int_equal(predicted.step[0].rule, live.result.step[0].rule);
		assert_int_equal(predicted.step[0].found, live.result.step[0].found);
		assert_int_equal(predicted.step[0].created, live.result.step[0].created);
		assert_int_equal(predicted.step[0].freed, live.result.step[0].freed);
		assert_int_equal(predicted.step[0].new_state, live.result.step[0].new_state);
		assert_int_equal(predicted.step[0].n_after, live.result.step[0].n_after);
		/* The change number goes with the slot, and that may be another. */
		predicted.step[0].after[0] = live.result.step[0].after[0];
		assert_memory_equal(predicted.step[0].after, live.result.step[0].after,
				    predicted.step[0].n_after * sizeof(__u64));
	}
	hand_close(&live);
}

static void later_frames_see_what_earlier_ones_wrote(void **state)
{
	struct hand live, over;
	__u64 before;

	hand_open(&live, coming_and_going(), 6);
	hand_send(&live);
	before = checksum(&live);
	hand_over(&over, &live);
	hand_expect(&over, CLIENT, 1, 1);
	hand_send(&over);
	hand_expect_none(&over, CLIENT);
	for (unsigned i = 0; i < 20; i++)
		hand_send(&over, .ip_src = address(i));
	hand_send(&over);
	hand_expect(&over, CLIENT, 1, 1);
	assert_true(checksum(&live) == before);
	hand_expect(&live, CLIENT, 1, 1);
	hand_close(&over);
	hand_close(&live);
}

static void what_the_source_lacks_has_a_reason(void **state)
{
	struct hand live, over;

	hand_open(&live, coming_and_going(), 6);
	hand_over(&over, &live);
	over.sw->source.flow_desc = NULL;
	assert_int_equal(hand_send(&over), EXIT_NO_TABLE);
	over.sw->source.flow_desc = read_desc;
	over.sw->source.buckets = NULL;
	assert_int_not_equal(hand_send(&over), EXIT_NONE);
	assert_int_equal(native_set_table(over.sw, 0, live.sw->table[0]), -22);
	assert_int_equal(native_add_flow_table(over.sw, 0, RECORD_64, 1, 1), -22);
	hand_close(&over);
	hand_close(&live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prediction_comes_true),
		cmocka_unit_test(later_frames_see_what_earlier_ones_wrote),
		cmocka_unit_test(what_the_source_lacks_has_a_reason),
	};

	return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
