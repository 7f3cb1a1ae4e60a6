// SPDX-License-Identifier: GPL-2.0-or-later
/* Eight threads on one flow table, under ThreadSanitizer: nothing is lost, nothing counted twice, no race.
 *
 * A packet may give up with EXIT_CONTENTION after RESTARTS_MAX beginnings; then it has counted nothing. */
#include <pthread.h>
#include <stdio.h>

#include "tables_by_hand.h"

enum { THREADS = 8, PACKETS = 10000 };

struct worker {
	struct hand *hand;
	pthread_t thread;
	unsigned number;
	unsigned sources; /* Flows that it sends on. */
	uint64_t step_ns; /* Time between two packets. */
	uint64_t passed, contended, full;
};

/* Frames that differ in the last bytes of the source address only. */
static void *send_packets(void *data)
{
	struct worker *w = data;
	struct frame frame = PKT(.udp_no_csum = true);
	struct native_result *result = calloc(1, sizeof(*result));

	assert_non_null(result);
	for (unsigned i = 0; i < PACKETS; i++) {
		unsigned source = (i * 7919 + w->number * 31) % w->sources;
		uint8_t *at = frame.data;

		frame.data[28] = source >> 8;
		frame.data[29] = source;
		if (native_run(w->hand->sw, HOOK_XDP, HAND_PORT, BEGIN + i * w->step_ns, &at, frame.size, FRAME_ROOM, 1,
			       result))
			abort();
		w->passed += result->exit == EXIT_PASS;
		w->contended += result->exit == EXIT_CONTENTION;
		w->full += result->exit == EXIT_TABLE_FULL;
	}
	free(result);
	return NULL;
}

static struct worker run_workers(struct hand *hand, unsigned sources, uint64_t step_ns)
{
	struct worker w[THREADS], sum = {0};

	for (unsigned i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.hand = hand, .number = i, .sources = sources, .step_ns = step_ns};
		assert_int_equal(pthread_create(&w[i].thread, NULL, send_packets, &w[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		sum.passed += w[i].passed;
		sum.contended += w[i].contended;
		sum.full += w[i].full;
	}
	assert_int_equal(sum.passed + sum.contended + sum.full, THREADS * PACKETS);
	return sum;
}

static void one_flow_counts_every_packet(void **state)
{
	struct hand hand;
	struct worker sum;

	hand_open(&hand, hand_counting_table(), 16);
	sum = run_workers(&hand, 1, 1);
	assert_int_equal(hand_find(&hand, 0).n, 1);
	assert_int_equal(hand_find(&hand, 0).sum, sum.passed);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_CREATED), 1);
	assert_int_equal(hand_exits(&hand, EXIT_PASS), sum.passed);
	hand_close(&hand);
}

static void many_flows_count_every_packet(void **state)
{
	struct hand hand;
	struct worker sum;

	hand_open(&hand, hand_counting_table(), 4096);
	sum = run_workers(&hand, 3000, 1);
	assert_int_equal(sum.full, 0);
	assert_int_equal(hand_find(&hand, 0).n, 3000);
	assert_int_equal(hand_find(&hand, 0).sum, sum.passed);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_CREATED), 3000);
	hand_close(&hand);
}

static void flows_in_one_bucket_count_every_packet(void **state)
{
	struct hand hand;
	struct worker sum;

	hand_open(&hand, hand_counting_table(), 4);
	sum = run_workers(&hand, 4, 1);
	assert_int_equal(hand_find(&hand, 0).sum, sum.passed);
	hand_close(&hand);
}

/* Every second packet of a flow ends it, so slots are freed and taken all the time. */
static void creations_equal_endings_and_the_living(void **state)
{
	struct table *t = hand_counting_table();
	struct hand hand;
	struct worker sum;

	t->rules[1].flags |= RULE_NEXT;
	t->rules[1].next = 0;
	hand_open(&hand, t, 64);
	sum = run_workers(&hand, 24, 1);
	assert_int_equal(hand_counter(&hand, HAND_RULES) + hand_counter(&hand, HAND_RULES + 1), sum.passed);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_CREATED), hand_counter(&hand, HAND_RULES));
	assert_int_equal(hand_stat(&hand, TABLE_STAT_FREED), hand_counter(&hand, HAND_RULES + 1));
	assert_int_equal(hand_stat(&hand, TABLE_STAT_CREATED) - hand_stat(&hand, TABLE_STAT_FREED),
			 hand_find(&hand, 0).n);
	hand_close(&hand);
}

static void evictions_lose_no_slot(void **state)
{
	struct table *t = hand_counting_table();
	struct hand hand;

	t->when_full = FULL_EVICT;
	hand_open(&hand, t, 32);
	run_workers(&hand, 200, 1);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_CREATED) - hand_stat(&hand, TABLE_STAT_EVICTED),
			 hand_find(&hand, 0).n);
	assert_in_range(hand_find(&hand, 0).n, 1, 32);
	hand_close(&hand);
}

/* ---- with the agent at work --------------------------------------------------------------------------- */

struct agent {
	struct hand *hand;
	pthread_t thread;
	unsigned capacity;
	_Atomic bool stop;
	uint64_t freed;
};

/* Hands every slot to the control program, over and over. */
static void *expire_all(void *data)
{
	struct agent *a = data;

	while (!a->stop) {
		struct control c = {.magic = CONTROL_MAGIC, .op = CONTROL_EXPIRE, .table = TABLE_INDEX(0, HOOK_XDP, 0)};

		c.now_ns = BEGIN + PACKETS;
		for (c.n = 0; c.n < a->capacity && c.n < CONTROL_SLOTS_MAX; c.n++)
			c.item[c.n].slot = c.n + 1;
		if (native_control(a->hand->sw, &c))
			abort();
		a->freed += c.freed;
		sched_yield();
	}
	return NULL;
}

static void the_agent_expires_what_packets_use(void **state)
{
	struct table *t = hand_counting_table();
	struct hand hand;
	struct agent agent = {.hand = &hand, .capacity = 64};
	uint64_t created, gone;

	hand_state(t, 1)->idle_ns = 100;
	hand_open(&hand, t, 64);
	assert_int_equal(pthread_create(&agent.thread, NULL, expire_all, &agent), 0);
	run_workers(&hand, 24, 1);
	agent.stop = true;
	pthread_join(agent.thread, NULL);
	created = hand_stat(&hand, TABLE_STAT_CREATED);
	gone = hand_stat(&hand, TABLE_STAT_EXPIRED);
	assert_true(agent.freed > 0);
	assert_int_equal(created - gone, hand_find(&hand, 0).n);
	hand_close(&hand);
}

/* ---- with the agent that reads, deletes and sets ------------------------------------------------------- */

enum { OWN_SOURCE = 5000 };

struct keeper {
	struct hand *hand;
	pthread_t thread;
	_Atomic bool stop;
	struct control set; /* Of a flow that no packet belongs to. */
	uint64_t carried;   /* Packets counted in flows that were deleted. */
	uint64_t deleted, rounds;
};

static __u64 count_in(const __u64 *words)
{
	return words[FLOW_HEAD_WORDS + 2];
}

/* The delete names the change number of the copy, so what it frees is the copy. */
static int delete_as_read(void *data, unsigned slot, const __u64 *words)
{
	const struct flow_head *head = (const struct flow_head *)words;
	struct keeper *k = data;
	struct control c = {.magic = CONTROL_MAGIC, .op = CONTROL_DELETE, .table = TABLE_INDEX(0, HOOK_XDP, 0), .n = 1};

	c.now_ns = BEGIN + PACKETS;
	c.item[0] = (struct control_item){slot, head->change};
	if (native_control(k->hand->sw, &c))
		abort();
	if (c.item[0].slot != CONTROL_FREED)
		return 0;
	k->deleted++;
	if (words[FLOW_HEAD_WORDS + 1] != k->set.key[1])
		k->carried += count_in(words);
	else if (count_in(words) != k->set.registers[0])
		abort();
	return 0;
}

static void *read_delete_and_set(void *data)
{
	struct keeper *k = data;

	while (!k->stop) {
		k->set.registers[0] = ++k->rounds;
		k->set.result = CONTROL_AGAIN;
		while (k->set.result == CONTROL_AGAIN)
			if (native_control(k->hand->sw, &k->set))
				abort();
		if (k->set.result != CONTROL_CREATED)
			abort();
		native_flows(k->hand->sw, HAND_FLOWS, delete_as_read, k);
		sched_yield();
	}
	return NULL;
}

static int key_of(void *data, unsigned slot, const __u64 *words)
{
	struct control *set = data;

	memcpy(set->key, words + FLOW_HEAD_WORDS, 2 * sizeof(words[0]));
	set->state = ((const struct flow_head *)words)->state;
	return 0;
}

/* The command that sets the flow of OWN_SOURCE, by the record that a packet of it makes. */
static void own_flow(struct keeper *k)
{
	struct frame frame = PKT(.udp_no_csum = true);
	uint8_t *at = frame.data;

	frame.data[28] = OWN_SOURCE >> 8;
	frame.data[29] = OWN_SOURCE & 0xff;
	k->set = (struct control){.magic = CONTROL_MAGIC, .op = CONTROL_SET, .table = TABLE_INDEX(0, HOOK_XDP, 0)};
	k->set.now_ns = BEGIN + PACKETS;
	assert_int_equal(
		native_run(k->hand->sw, HOOK_XDP, HAND_PORT, BEGIN, &at, frame.size, FRAME_ROOM, 1, &k->hand->result),
		0);
	assert_int_equal(native_flows(k->hand->sw, HAND_FLOWS, key_of, &k->set), 0);
	k->set.registers[0] = 1;
	assert_int_equal(native_flows(k->hand->sw, HAND_FLOWS, delete_as_read, k), 0);
	assert_int_equal(k->deleted, 1);
}

static void what_is_deleted_and_what_lives_is_every_packet(void **state)
{
	struct keeper keeper = {0};
	struct worker sum;
	struct hand hand;

	hand_open(&hand, hand_counting_table(), 64);
	keeper.hand = &hand;
	own_flow(&keeper);
	assert_int_equal(pthread_create(&keeper.thread, NULL, read_delete_and_set, &keeper), 0);
	sum = run_workers(&hand, 24, 1);
	keeper.stop = true;
	pthread_join(keeper.thread, NULL);
	assert_true(keeper.carried > 0);
	assert_int_equal(hand_find(&hand, 0).sum + keeper.carried, sum.passed);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_CREATED) - keeper.deleted, hand_find(&hand, 0).n);
	assert_int_equal(hand_stat(&hand, TABLE_STAT_FREED), keeper.deleted);
	hand_close(&hand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_flow_counts_every_packet),
		cmocka_unit_test(many_flows_count_every_packet),
		cmocka_unit_test(flows_in_one_bucket_count_every_packet),
		cmocka_unit_test(creations_equal_endings_and_the_living),
		cmocka_unit_test(evictions_lose_no_slot),
		cmocka_unit_test(the_agent_expires_what_packets_use),
		cmocka_unit_test(what_is_deleted_and_what_lives_is_every_packet),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
