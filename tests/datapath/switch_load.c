// SPDX-License-Identifier: GPL-2.0-or-later
/* Two CPUs on one flow, and versions committed while frames run. */
#include "switch_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SOURCE "192.0.2.1"

enum { EACH = 1000000, COMMITS = 100 };

static void from_two_cpus(struct rig *rig, struct sender senders[2])
{
	for (unsigned i = 0; i < 2; i++) {
		senders[i] = (struct sender){
			.rig = rig, .frame = PKT(.ip_src = SOURCE, .udp_dport = 9), .cpu = i, .n = EACH};
		sender_start(&senders[i]);
	}
	for (unsigned i = 0; i < 2; i++)
		sender_join(&senders[i]);
}

static void two_cpus_count_two_million_in_one_flow(void **state)
{
	static struct sender senders[2];
	struct rig *rig = rig_open(RIG_XDP);

	rig_load(rig, "examples/packet-counter.yaml", NULL);
	rig_commit(rig);
	from_two_cpus(rig, senders);
	assert_int_equal(rig_register(rig, "packet-counter/sources", "ip.src", SOURCE, "packets"), 2 * EACH);
	assert_int_equal(rig_rule_count(rig, "packet-counter/sources/count"), 2 * EACH);
	assert_int_equal(exits_of_port(rig), 2 * EACH);
	assert_int_equal(rig_flows(rig, "packet-counter/sources", NULL, NULL), 1);
	rig_close(rig);
}

/* Time stands still, so the budget is the burst. */
static void two_cpus_get_one_burst(void **state)
{
	static struct sender senders[2];
	struct rig *rig = rig_open(RIG_XDP);

	rig_load(rig, "examples/token-bucket.yaml", "burst=1000", NULL);
	rig_commit(rig);
	from_two_cpus(rig, senders);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_PASS), 1000);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_DROP), 2 * EACH - 1000);
	rig_close(rig);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void two_cpus_get_one_budget_while_time_runs(void **state)
{
	static struct sender senders[2];
	struct rig *rig = rig_open_live(RIG_XDP);
	double begin, most;
	uint64_t passed;

	rig_load(rig, "examples/token-bucket.yaml", "burst=100", "rate=10kpps", NULL);
	rig_commit(rig);
	begin = now_s();
	from_two_cpus(rig, senders);
	most = 100 + (now_s() - begin) * 10000 + 1;
	passed = rig_exit_count(rig, 1, EXIT_PASS);
	assert_true((double)passed <= most);
	assert_true(passed >= 100);
	assert_int_equal(exits_of_port(rig), 2 * EACH);
	rig_close(rig);
}

/* The first table leaves the version's number in a variable, the second says whether it is its own. */
static void load_version(struct rig *rig, unsigned number)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "app: twice\n"
		 "variables: [mark]\n"
		 "tables:\n"
		 "  - name: first\n"
		 "    state: {lookup: [ip.src], capacity: 16, registers: [n]}\n"
		 "    rules:\n"
		 "      - {name: all, do: n += 1; mark = %u}\n"
		 "  - name: second\n"
		 "    rules:\n"
		 "      - {name: mixed, when: mark != %u, action: drop}\n"
		 "      - {name: pure, action: deliver}\n",
		 number, number);
	rig_unload_all(rig);
	rig_load(rig, text, NULL);
	rig_commit(rig);
}

static void a_hundred_commits_lose_and_mix_nothing(void **state)
{
	static struct sender senders[2];
	struct rig *rig = rig_open(RIG_XDP);
	uint64_t sent = 0;

	load_version(rig, 1);
	for (unsigned i = 0; i < 2; i++) {
		senders[i] = (struct sender){.rig = rig, .frame = PKT(.ip_src = SOURCE, .udp_dport = 9), .cpu = i};
		sender_start(&senders[i]);
	}
	for (unsigned i = 0; i < COMMITS; i++) {
		uint64_t before = senders[0].sent;

		load_version(rig, 2 + i);
		while (senders[0].sent == before)
			usleep(100);
	}
	for (unsigned i = 0; i < 2; i++) {
		sender_join(&senders[i]);
		sent += senders[i].sent;
	}
	assert_int_equal(exits_of_port(rig), sent);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_DELIVER), sent);
	assert_int_equal(rig_rule_count(rig, "twice/second/mixed"), 0);
	assert_int_equal(rig_rule_count(rig, "twice/second/pure"), sent);
	assert_int_equal(rig_register(rig, "twice/first", "ip.src", SOURCE, "n"), sent);
	rig_close(rig);
}

static enum exit_reason from(struct rig *rig, unsigned host)
{
	char src[32];

	snprintf(src, sizeof(src), "10.0.0.%u", host);
	return rig_send(rig, 1, PKT(.ip_src = src)).exit;
}

/* Every frame begins its flow or ends it, on both CPUs, while the agent's scan runs. */
static void flows_that_come_and_go_are_neither_lost_nor_leaked(void **state)
{
	enum { SENDERS = 4, CAPACITY = 64, FRAMES = 200000 };
	static struct sender senders[SENDERS];
	struct rig *rig = rig_open(RIG_XDP);
	uint64_t live;

	rig_load(rig,
		 "app: churn\n"
		 "tables:\n"
		 "  - name: t\n"
		 "    state: {lookup: [ip.src], capacity: 64, states: [A, {name: B, idle: 10s}], registers: [n]}\n"
		 "    rules:\n"
		 "      - {name: born, state: A, do: n += 1, next: B, action: deliver}\n"
		 "      - {name: dies, state: B, next: A, action: deliver}\n",
		 NULL);
	rig_commit(rig);
	for (unsigned i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){.rig = rig, .cpu = i / 2, .n = FRAMES};
		senders[i].frame = i % 2 ? PKT(.ip_src = "10.0.0.1") : PKT(.ip_src = "10.0.0.2");
		sender_start(&senders[i]);
	}
	for (unsigned i = 0; i < 50; i++)
		rig_expire(rig);
	for (unsigned i = 0; i < SENDERS; i++)
		sender_join(&senders[i]);
	assert_int_equal(exits_of_port(rig), SENDERS * FRAMES);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_DELIVER) + rig_exit_count(rig, 1, EXIT_CONTENTION),
			 SENDERS * FRAMES);
	assert_true(rig_exit_count(rig, 1, EXIT_CONTENTION) < SENDERS * FRAMES / 100);
	live = rig_flows(rig, "churn/t", NULL, NULL);
	assert_int_equal(rig_rule_count(rig, "churn/t/born") - rig_rule_count(rig, "churn/t/dies"), live);
	/* No slot was lost on the way: the rest of the table can still be filled, to the last one. */
	rig_advance_ms(rig, 11000);
	rig_expire(rig);
	assert_int_equal(rig_flows(rig, "churn/t", NULL, NULL), 0);
	for (unsigned i = 1; i <= CAPACITY; i++)
		assert_int_equal(from(rig, i), EXIT_DELIVER);
	assert_int_equal(from(rig, CAPACITY + 1), EXIT_TABLE_FULL);
	rig_close(rig);
}

/* 200 sources in a table of 32: each new flow takes the place of an old one. */
static void eviction_on_two_cpus_keeps_the_books(void **state)
{
	enum { CAPACITY = 32, FRAMES = 10000, STATS = COUNTER_RULES };
	static struct sender senders[2];
	struct rig *rig = rig_open(RIG_XDP);
	uint64_t gone, live;

	rig_load(rig,
		 "app: evict\n"
		 "tables:\n"
		 "  - name: t\n"
		 "    state: {lookup: [ip.src], capacity: 32, when_full: evict, states: [{name: A, idle: 10s}], "
		 "registers: [n]}\n"
		 "    rules:\n"
		 "      - {name: count, do: n += 1, action: deliver}\n",
		 NULL);
	rig_commit(rig);
	for (unsigned i = 0; i < 2; i++) {
		senders[i] = (struct sender){
			.rig = rig, .cpu = i, .n = FRAMES, .sources = 200, .frame = PKT(.ip_src = "10.0.0.1")};
		sender_start(&senders[i]);
	}
	for (unsigned i = 0; i < 2; i++)
		sender_join(&senders[i]);
	live = rig_flows(rig, "evict/t", NULL, NULL);
	gone = rig_counter(rig, STATS + TABLE_STAT_EVICTED) + rig_counter(rig, STATS + TABLE_STAT_EXPIRED) +
	       rig_counter(rig, STATS + TABLE_STAT_FREED);
	assert_int_equal(exits_of_port(rig), 2 * FRAMES);
	assert_in_range(live, 1, CAPACITY);
	assert_int_equal(rig_counter(rig, STATS + TABLE_STAT_CREATED) - gone, live);
	assert_true(rig_counter(rig, STATS + TABLE_STAT_EVICTED) > 0);
	rig_close(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_cpus_count_two_million_in_one_flow),
		cmocka_unit_test(two_cpus_get_one_burst),
		cmocka_unit_test(two_cpus_get_one_budget_while_time_runs),
		cmocka_unit_test(flows_that_come_and_go_are_neither_lost_nor_leaked),
		cmocka_unit_test(eviction_on_two_cpus_keeps_the_books),
		cmocka_unit_test(a_hundred_commits_lose_and_mix_nothing),
	};

	if (!rig_can(RIG_XDP))
		return RIG_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
