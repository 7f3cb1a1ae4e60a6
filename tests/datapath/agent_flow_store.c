// SPDX-License-Identifier: GPL-2.0-or-later
/* Flow tables made, filled, read and emptied through the real control program, with injected time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/counter.h"
#include "agent/event_ring.h"
#include "agent/flow_store.h"
#include "agent/instance.h"
#include "agent_lab.h"

enum {
	INDEX = 5,
	ELEMENT = TABLE_INDEX(0, HOOK_XDP, 0),
	CAPACITY = 500,
	N_REGISTERS = 2,
	STATE_BUSY = 1,
	STATE_BRIEF = 2, /* Falls to BUSY after 10 s, and says so. */
	STATS = COUNTER_RULES,
	TABLE_ID = 77,
};

#define SECOND 1000000000ull
#define START  (1000 * SECOND)

struct bench {
	struct instance *instance;
	struct flow_store *flows;
};

static struct instance *load(void)
{
	const struct instance_options options = {
		.name = lab_switch_name(), .test_clock = true, .hooks = 1u << HOOK_XDP};
	struct instance *instance = NULL;
	char *why = NULL;

	if (instance_load(&options, &instance, &why) < 0)
		fail_msg("instance_load: %s", why);
	assert_int_equal(instance_set_clock(instance, START), 0);
	return instance;
}

/* A table of one key word whose states are FIRST, BUSY (idle 60 s) and BRIEF (hard 10 s). */
static void write_table(struct instance *instance, uint32_t flow_table, enum record_class record_class)
{
	struct table *t = &instance_tables(instance)[ELEMENT];

	memset(t, 0, sizeof(*t));
	t->flags = TABLE_VALID | TABLE_STATEFUL | TABLE_FIRST | TABLE_TIME;
	t->flow_table = flow_table;
	t->stats = STATS;
	t->id = TABLE_ID;
	t->record_class = record_class;
	t->key_words = 1;
	t->n_registers = N_REGISTERS;
	t->n_states = 3;
	t->states[0] = (struct state_def){.flags = STATE_KNOWN};
	t->states[STATE_BUSY] = (struct state_def){.flags = STATE_KNOWN, .idle_ns = 60 * SECOND};
	t->states[STATE_BRIEF] =
		(struct state_def){.flags = STATE_KNOWN | STATE_NOTIFY, .hard_ns = 10 * SECOND, .hard_to = STATE_BUSY};
}

static void create(struct flow_store *flows, unsigned index, unsigned capacity)
{
	const struct flow_spec spec = {.index = index, .capacity = capacity, .record_class = RECORD_64, .key_words = 1};
	char *why = NULL;

	if (flow_store_create(flows, &spec, 1, &why) < 0)
		fail_msg("flow_store_create: %s", why);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	instance_unload(NULL, lab_switch_name(), NULL);
	bench->instance = load();
	write_table(bench->instance, INDEX, RECORD_64);
	assert_int_equal(flow_store_new(bench->instance, &bench->flows), 0);
	create(bench->flows, INDEX, CAPACITY);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	flow_store_free(bench->flows);
	instance_free(bench->instance);
	free(bench);
	return instance_unload(NULL, lab_switch_name(), NULL);
}

static enum control_result set(struct bench *bench, uint64_t key, unsigned state)
{
	const uint64_t registers[N_REGISTERS] = {key * 10, key * 100};
	enum control_result result = CONTROL_NOTHING;

	assert_int_equal(flow_store_set(bench->flows, ELEMENT, &key, 1, state, registers, N_REGISTERS, &result), 0);
	return result;
}

static void fill(struct bench *bench, unsigned n, unsigned state)
{
	for (unsigned key = 1; key <= n; key++)
		assert_int_equal(set(bench, key, state), CONTROL_CREATED);
}

static int sum_keys(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	uint64_t *sum = data;

	assert_int_equal(n_words, 8);
	assert_true(slot >= 1 && slot <= CAPACITY);
	assert_int_equal(words[FLOW_HEAD_WORDS + 1], words[FLOW_HEAD_WORDS] * 10);
	sum[0]++;
	sum[1] += words[FLOW_HEAD_WORDS];
	return 0;
}

static void walked(struct bench *bench, uint64_t *ret_n, uint64_t *ret_sum)
{
	uint64_t sum[2] = {};
	uint32_t cursor = 0;

	assert_int_equal(flow_store_walk(bench->flows, INDEX, &cursor, 0, sum_keys, sum), 0);
	assert_int_equal(cursor, 0);
	*ret_n = sum[0];
	*ret_sum = sum[1];
}

static void assert_flows(struct bench *bench, uint64_t n)
{
	uint64_t walked_n, sum;

	walked(bench, &walked_n, &sum);
	assert_int_equal(walked_n, n);
	assert_int_equal(flow_store_count(bench->flows, INDEX), n);
}

static uint64_t stat(struct bench *bench, enum table_stat stat)
{
	struct counter_store *counters = NULL;
	struct counter counter;

	assert_int_equal(counter_store_new(bench->instance, &counters, NULL), 0);
	assert_int_equal(counter_read(counters, STATS + stat, 1, &counter), 0);
	counter_store_free(counters);
	return counter.packets;
}

static void what_is_set_is_found(void **state)
{
	struct bench *bench = *state;
	uint64_t key = 42, words[32], other = 43;
	struct flow_head head;
	uint32_t slot = 0;

	assert_int_equal(set(bench, key, STATE_BUSY), CONTROL_CREATED);
	assert_int_equal(flow_store_find(bench->flows, INDEX, &key, &slot, words), 0);
	memcpy(&head, words, sizeof(head));
	assert_int_equal(head.state, STATE_BUSY);
	assert_int_equal(head.change & 1, 0);
	assert_int_equal(head.deadline_ns, START + 60 * SECOND);
	assert_int_equal(words[FLOW_HEAD_WORDS], 42);
	assert_int_equal(words[FLOW_HEAD_WORDS + 1], 420);
	assert_int_equal(words[FLOW_HEAD_WORDS + 2], 4200);

	assert_int_equal(flow_store_find(bench->flows, INDEX, &other, &slot, words), -ENOENT);
	assert_int_equal(flow_store_find(bench->flows, INDEX + 1, &key, &slot, words), -ENOENT);
	assert_int_equal(set(bench, key, STATE_BUSY), CONTROL_CHANGED);
	assert_flows(bench, 1);
}

static void the_declared_capacity_is_always_reached(void **state)
{
	struct bench *bench = *state;
	uint64_t n, sum;

	fill(bench, CAPACITY, STATE_BUSY);
	assert_int_equal(set(bench, CAPACITY + 1, STATE_BUSY), CONTROL_FULL);
	walked(bench, &n, &sum);
	assert_int_equal(n, CAPACITY);
	assert_int_equal(sum, CAPACITY * (CAPACITY + 1) / 2);
	assert_int_equal(stat(bench, TABLE_STAT_CREATED), CAPACITY);
}

static void a_deleted_flow_leaves_its_slot_to_the_next(void **state)
{
	struct bench *bench = *state;
	uint64_t key = 7, words[32];
	enum control_result result;
	struct flow_head head;
	uint32_t slot;

	fill(bench, CAPACITY, STATE_BUSY);
	assert_int_equal(flow_store_find(bench->flows, INDEX, &key, &slot, words), 0);
	memcpy(&head, words, sizeof(head));

	assert_int_equal(flow_store_delete(bench->flows, ELEMENT, slot, head.change + 2, &result), 0);
	assert_int_equal(result, CONTROL_NOTHING); /* It was written since, as far as the caller knows. */
	assert_int_equal(flow_store_delete(bench->flows, ELEMENT, slot, head.change, &result), 0);
	assert_int_equal(result, CONTROL_FREED);
	assert_int_equal(flow_store_delete(bench->flows, ELEMENT, slot, 0, &result), 0);
	assert_int_equal(result, CONTROL_NOTHING);
	assert_int_equal(flow_store_find(bench->flows, INDEX, &key, &slot, words), -ENOENT);

	assert_int_equal(set(bench, 9999, STATE_BUSY), CONTROL_CREATED);
	assert_int_equal(set(bench, 10000, STATE_BUSY), CONTROL_FULL);
	assert_flows(bench, CAPACITY);
}

struct stop_after {
	unsigned n, left;
	int result;
};

static int stop(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	struct stop_after *after = data;

	after->n++;
	return --after->left ? 0 : after->result;
}

static void a_walk_goes_on_where_it_stopped(void **state)
{
	struct bench *bench = *state;
	struct stop_after after = {.left = 10, .result = 1};
	uint32_t cursor = 0;
	unsigned rounds = 0;

	fill(bench, 100, STATE_BUSY);
	assert_int_equal(flow_store_walk(bench->flows, INDEX, &cursor, 0, stop, &after), 0);
	assert_int_equal(after.n, 10);
	assert_int_equal(cursor, 11);

	/* An error keeps the record for the next walk. */
	after = (struct stop_after){.left = 1, .result = -ENOSPC};
	assert_int_equal(flow_store_walk(bench->flows, INDEX, &cursor, 0, stop, &after), -ENOSPC);
	assert_int_equal(cursor, 11);

	after = (struct stop_after){.left = UINT32_MAX};
	do
		assert_int_equal(flow_store_walk(bench->flows, INDEX, &cursor, 7, stop, &after), 0);
	while (cursor && ++rounds < 100);
	assert_int_equal(after.n, 90);
	assert_int_equal(rounds, 12);
	assert_int_equal(flow_store_walk(bench->flows, 200, &cursor, 0, stop, &after), -ENOENT);
}

static void only_what_is_due_expires(void **state)
{
	struct bench *bench = *state;
	struct flow_scan scan;

	fill(bench, 300, STATE_BUSY);
	instance_set_clock(bench->instance, START + 30 * SECOND);
	for (uint64_t key = 1; key <= 20; key++)
		assert_int_equal(set(bench, key, STATE_BUSY), CONTROL_CHANGED); /* Used again. */

	assert_int_equal(flow_store_expire(bench->flows, INDEX, ELEMENT, START + 59 * SECOND, &scan), 0);
	assert_int_equal(scan.scanned, 300);
	assert_int_equal(scan.due, 0);
	instance_set_clock(bench->instance, START + 61 * SECOND);
	assert_int_equal(flow_store_expire(bench->flows, INDEX, ELEMENT, instance_now_ns(bench->instance), &scan), 0);
	assert_int_equal(scan.due, 280);
	assert_int_equal(scan.freed, 280);
	assert_int_equal(scan.again, 0);
	assert_flows(bench, 20);
	assert_int_equal(stat(bench, TABLE_STAT_EXPIRED), 280);
}

struct told {
	unsigned n;
	uint64_t lost;
	struct event last;
};

static void on_event(void *data, const struct event *event, const uint8_t *packet)
{
	struct told *told = data;

	assert_null(packet);
	told->n++;
	told->last = *event;
}

static void on_lost(void *data, unsigned cpu, uint64_t n)
{
	((struct told *)data)->lost += n;
}

static void a_timeout_that_notifies_is_told(void **state)
{
	struct bench *bench = *state;
	struct told told = {};
	const struct event_ring_options options = {.event = on_event, .lost = on_lost, .data = &told};
	struct event_ring *ring = NULL;
	struct flow_scan scan;
	uint64_t key = 3, words[32];
	struct flow_head head;
	uint32_t slot;

	assert_int_equal(event_ring_open(bench->instance, &options, &ring), 0);
	assert_int_equal(set(bench, key, STATE_BRIEF), CONTROL_CREATED);
	instance_set_clock(bench->instance, START + 11 * SECOND);
	assert_int_equal(flow_store_expire(bench->flows, INDEX, ELEMENT, START + 11 * SECOND, &scan), 0);
	assert_int_equal(scan.changed, 1);

	assert_int_equal(event_ring_run(ring), 1);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.last.kind, EVENT_TIMEOUT);
	assert_int_equal(told.last.table, TABLE_ID);
	assert_int_equal(told.last.old_state, STATE_BRIEF);
	assert_int_equal(told.last.new_state, STATE_BUSY);
	assert_int_equal(told.last.words[FLOW_HEAD_WORDS], key);
	assert_int_equal(flow_store_find(bench->flows, INDEX, &key, &slot, words), 0);
	memcpy(&head, words, sizeof(head));
	assert_int_equal(head.state, STATE_BUSY);
	event_ring_close(ring);
}

/* Twelve thousand events of 320 bytes do not fit a ring of one MiB. */
static void a_full_ring_is_a_counted_loss(void **state)
{
	struct bench *bench = *state;
	struct told told = {};
	const struct event_ring_options options = {.event = on_event, .lost = on_lost, .data = &told};
	struct event_ring *ring = NULL;
	struct counter_store *counters = NULL;
	struct counter lost_there, lost_before;
	uint64_t now = START;
	struct flow_scan scan;
	unsigned fallen = 0;
	int n;

	assert_int_equal(event_ring_open(bench->instance, &options, &ring), 0);
	assert_int_equal(counter_store_new(bench->instance, &counters, NULL), 0);
	assert_int_equal(counter_read(counters, COUNTER_EVENT_LOST, 1, &lost_before), 0);
	fill(bench, CAPACITY, STATE_BRIEF);
	for (int round = 0; round < 12; round++) {
		now += 11 * SECOND;
		instance_set_clock(bench->instance, now);
		assert_int_equal(flow_store_expire(bench->flows, INDEX, ELEMENT, now, &scan), 0);
		assert_int_equal(scan.changed, CAPACITY);
		fallen += scan.changed;
		for (uint64_t key = 1; key <= CAPACITY; key++)
			set(bench, key, STATE_BRIEF);
	}
	do {
		n = event_ring_run(ring);
		assert_true(n >= 0 && n <= EVENT_RUN_MAX);
	} while (n > 0);

	assert_int_equal(counter_read(counters, COUNTER_EVENT_LOST, 1, &lost_there), 0);
	assert_true(lost_there.packets > lost_before.packets);
	assert_int_equal(told.n + lost_there.packets - lost_before.packets, fallen);

	/* The gap shows with the next event; test runs are all on this CPU or another, so allow for either. */
	now += 11 * SECOND;
	instance_set_clock(bench->instance, now);
	assert_int_equal(flow_store_expire(bench->flows, INDEX, ELEMENT, now, &scan), 0);
	assert_true(event_ring_run(ring) > 0);
	assert_true(told.lost > 0);
	counter_store_free(counters);
	event_ring_close(ring);
}

static void states_that_are_no_longer_known_are_freed(void **state)
{
	struct bench *bench = *state;
	struct flow_scan scan;

	fill(bench, 10, STATE_BUSY);
	for (uint64_t key = 100; key < 130; key++)
		set(bench, key, STATE_BRIEF);
	assert_int_equal(flow_store_states(bench->flows, INDEX), 1u << STATE_BUSY | 1u << STATE_BRIEF);

	instance_tables(bench->instance)[ELEMENT].states[STATE_BRIEF].flags = 0;
	assert_int_equal(flow_store_renumber(bench->flows, INDEX, ELEMENT, 1u << 0 | 1u << STATE_BUSY, &scan), 0);
	assert_int_equal(scan.due, 30);
	assert_int_equal(scan.freed, 30);
	assert_int_equal(flow_store_states(bench->flows, INDEX), 1u << STATE_BUSY);
	assert_flows(bench, 10);
}

static bool is_even(void *data, const uint64_t *words)
{
	return words[FLOW_HEAD_WORDS] % 2 == 0;
}

static void matching_flows_are_deleted(void **state)
{
	struct bench *bench = *state;
	struct flow_scan scan;

	fill(bench, 401, STATE_BUSY);
	assert_int_equal(flow_store_delete_matching(bench->flows, INDEX, ELEMENT, is_even, NULL, &scan), 0);
	assert_int_equal(scan.freed, 200);
	assert_flows(bench, 201);
	assert_int_equal(flow_store_delete_matching(bench->flows, INDEX, ELEMENT, NULL, NULL, &scan), 0);
	assert_int_equal(scan.freed, 201);
	assert_flows(bench, 0);
}

static void the_longest_idle_make_room(void **state)
{
	struct bench *bench = *state;
	struct flow_scan scan;
	uint64_t key, words[32];
	uint32_t slot;

	for (key = 1; key <= CAPACITY; key++) {
		instance_set_clock(bench->instance, START + key * SECOND / 100);
		assert_int_equal(set(bench, key, STATE_BUSY), CONTROL_CREATED);
	}
	assert_int_equal(flow_store_make_room(bench->flows, INDEX, ELEMENT, 2, &scan), 0);
	assert_int_equal(scan.freed, CAPACITY * 2 / 100);
	for (key = 1; key <= CAPACITY; key++)
		assert_int_equal(flow_store_find(bench->flows, INDEX, &key, &slot, words), key <= 10 ? -ENOENT : 0);
	assert_int_equal(flow_store_make_room(bench->flows, INDEX, ELEMENT, 2, &scan), 0);
	assert_int_equal(scan.freed, 0);
	assert_int_equal(flow_store_make_room(bench->flows, INDEX, ELEMENT, 100, &scan), 0);
	assert_flows(bench, 0);
}

static void another_instance_finds_every_flow(void **state)
{
	struct bench *bench = *state;
	uint64_t key = 17, words[32];
	uint32_t slot;

	fill(bench, 100, STATE_BUSY);
	flow_store_free(bench->flows);
	instance_free(bench->instance);

	bench->instance = load();
	write_table(bench->instance, INDEX, RECORD_64);
	assert_int_equal(flow_store_new(bench->instance, &bench->flows), 0);
	assert_flows(bench, 100);
	assert_int_equal(flow_store_find(bench->flows, INDEX, &key, &slot, words), 0);
	assert_int_equal(set(bench, key, STATE_BUSY), CONTROL_CHANGED);
	assert_int_equal(set(bench, 101, STATE_BUSY), CONTROL_CREATED);
}

static void many_tables_are_put_in_place_at_once(void **state)
{
	struct bench *bench = *state;
	struct flow_spec spec[24];
	unsigned index[24];

	for (unsigned i = 0; i < 24; i++) {
		index[i] = 100 + i;
		spec[i] = (struct flow_spec){index[i], 10 + i, i % RECORD_CLASS_MAX, 1};
	}
	assert_int_equal(flow_store_create(bench->flows, spec, 24, NULL), 0);
	for (unsigned i = 0; i < 24; i++) {
		const struct flow_desc *desc = flow_store_desc(bench->flows, index[i]);

		assert_non_null(desc);
		assert_int_equal(desc->capacity, 10 + i);
		assert_non_null(flow_store_records(bench->flows, index[i]));
	}
	assert_memory_not_equal(flow_store_desc(bench->flows, 100)->secret, flow_store_desc(bench->flows, 101)->secret,
				sizeof(((struct flow_desc *)0)->secret));
	assert_int_equal(flow_store_release(bench->flows, index, 24), 0);
	assert_null(flow_store_desc(bench->flows, 100));
}

static void an_index_can_be_used_again_after_the_release(void **state)
{
	struct bench *bench = *state;
	const unsigned index[] = {INDEX, 9, 100000};

	fill(bench, 50, STATE_BUSY);
	assert_int_equal(flow_store_release(bench->flows, index, 3), 0);
	assert_int_equal(flow_store_count(bench->flows, INDEX), 0);
	create(bench->flows, INDEX, 300);
	assert_flows(bench, 0);
	fill(bench, 300, STATE_BUSY);
	assert_int_equal(set(bench, 301, STATE_BUSY), CONTROL_FULL);
}

static void a_spec_out_of_limits_creates_nothing(void **state)
{
	struct bench *bench = *state;
	const struct flow_spec wrong[] = {
		{FLOW_TABLES_MAX, 10, RECORD_64, 1},
		{20, 0, RECORD_64, 1},
		{20, FLOW_CAPACITY_MAX + 1, RECORD_64, 1},
		{20, 10, RECORD_CLASS_MAX, 1},
		{20, 10, RECORD_64, 0},
		{20, 10, RECORD_128, KEY_WORDS_MAX + 1},
		{20, 10, RECORD_64, 5},
	};
	const struct flow_spec taken = {INDEX, 10, RECORD_64, 1}, good = {21, 10, RECORD_64, 1};
	char *why = NULL;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct flow_spec both[] = {good, wrong[i]};

		assert_int_equal(flow_store_create(bench->flows, both, 2, &why), -EINVAL);
		assert_null(flow_store_desc(bench->flows, 21));
		assert_null(flow_store_desc(bench->flows, 20));
	}
	assert_int_equal(flow_store_create(bench->flows, &taken, 1, &why), -EEXIST);
	assert_non_null(strstr(why, "exists"));
	free(why);
}

static void a_command_for_a_table_that_is_not_there_does_nothing(void **state)
{
	struct bench *bench = *state;
	enum control_result result = CONTROL_CREATED;
	uint64_t key = 1;
	int r;

	r = flow_store_set(bench->flows, ELEMENT + 1, &key, 1, STATE_BUSY, NULL, 0, &result);
	assert_true(r < 0 || result == CONTROL_NOTHING);
	r = flow_store_set(bench->flows, TABLE_ELEMENTS, &key, 1, STATE_BUSY, NULL, 0, &result);
	assert_true(r < 0 || result == CONTROL_NOTHING);
	assert_flows(bench, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_set_is_found),
		CASE(the_declared_capacity_is_always_reached),
		CASE(a_deleted_flow_leaves_its_slot_to_the_next),
		CASE(a_walk_goes_on_where_it_stopped),
		CASE(only_what_is_due_expires),
		CASE(a_timeout_that_notifies_is_told),
		CASE(a_full_ring_is_a_counted_loss),
		CASE(states_that_are_no_longer_known_are_freed),
		CASE(matching_flows_are_deleted),
		CASE(the_longest_idle_make_room),
		CASE(another_instance_finds_every_flow),
		CASE(many_tables_are_put_in_place_at_once),
		CASE(an_index_can_be_used_again_after_the_release),
		CASE(a_spec_out_of_limits_creates_nothing),
		CASE(a_command_for_a_table_that_is_not_there_does_nothing),
	};

	lab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
