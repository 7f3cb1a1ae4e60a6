// SPDX-License-Identifier: GPL-2.0-or-later
/* Ten million frames of a few flows on two CPUs, while the control program deletes, sets and expires them: every frame
 * is in a record, or was in one that was deleted.
 *
 * A delete names the change number of the copy it was decided on, so what it freed is known to the frame.  What an
 * expiry frees is not: the second table, whose flows expire, must balance in flows. */
#include "switch_lab.h"

#include <stdio.h>
#include <string.h>

enum { EACH = 5000000, SOURCES = 12, IN_A_ROW = 250, OWN = 200, STATS = COUNTER_RULES };

static const char app[] =
	"app: books\n"
	"tables:\n"
	"  - name: sums\n"
	"    state: {lookup: [ip.src], capacity: 16, registers: [n]}\n"
	"    rules:\n"
	"      - {name: count, do: n += 1}\n"
	"  - name: brief\n"
	"    state: {lookup: [ip.src], capacity: 16, states: [{name: A, idle: 2ms}], registers: [n]}\n"
	"    rules:\n"
	"      - {name: count, do: n += 1, action: deliver}\n";

struct sum {
	uint64_t frames;
	uint64_t own; /* Flows that no frame belongs to, and what was set there. */
	uint64_t n_own;
};

static uint64_t count_of(const struct layout *layout, const uint64_t *words)
{
	__u64 hi, n;

	layout_get(&layout->reg[0], (const __u64 *)words, &hi, &n);
	return n;
}

static bool is_own(const struct layout *layout, const uint64_t *words)
{
	__u64 hi, lo;

	layout_get(&layout->key[0], (const __u64 *)words, &hi, &lo);
	return (lo & 0xff) == OWN;
}

static void add(void *data, const struct layout *layout, const uint64_t *words)
{
	struct sum *sum = data;

	if (is_own(layout, words)) {
		sum->own = count_of(layout, words);
		sum->n_own++;
	} else {
		sum->frames += count_of(layout, words);
	}
}

static void keep_own(void *data, const struct layout *layout, const uint64_t *words)
{
	if (is_own(layout, words))
		memcpy(data, words, sizeof(uint64_t) * (FLOW_HEAD_WORDS + layout->key_words + layout->n_registers));
}

/* A flow that only the control program knows: what is set is what is deleted. */
static void set_and_delete(struct rig *rig, uint64_t *own, uint64_t value, struct sum *sum)
{
	own[FLOW_HEAD_WORDS + 2] = value;
	rig_set_flow(rig, "books/sums", own);
	sum->n_own = 0;
	rig_delete_flows(rig, "books/sums", add, sum);
	assert_int_equal(sum->n_own, 1);
	assert_int_equal(sum->own, value);
}

static void start(struct rig *rig, struct sender senders[2])
{
	for (unsigned i = 0; i < 2; i++) {
		senders[i] = (struct sender){.rig = rig, .cpu = i, .n = EACH, .sources = SOURCES, .in_a_row = IN_A_ROW};
		senders[i].frame = PKT(.ip_src = "10.0.0.1");
		sender_start(&senders[i]);
	}
}

static void every_frame_of_ten_million_is_in_the_books(void **state)
{
	static struct sender senders[2];
	struct rig *rig = rig_open(RIG_XDP);
	struct sum sum = {0}, gone;
	uint64_t own[FLOW_HEAD_WORDS + 4] = {0}, deletes, rounds = 0, live;

	rig_load(rig, app, NULL);
	rig_commit(rig);
	assert_int_equal(rig_send(rig, 1, PKT(.ip_src = "10.0.0.200")).exit, EXIT_DELIVER);
	rig_flows(rig, "books/sums", keep_own, own);
	assert_int_equal(own[FLOW_HEAD_WORDS + 2], 1);

	start(rig, senders);
	while (senders[0].sent + senders[1].sent < 2 * EACH) {
		set_and_delete(rig, own, ++rounds, &sum);
		rig_advance_ms(rig, 1);
		rig_expire(rig);
	}
	for (unsigned i = 0; i < 2; i++)
		sender_join(&senders[i]);

	deletes = rig_table_stat(rig, "books/sums", TABLE_STAT_FREED);
	gone = sum;
	live = rig_flows(rig, "books/sums", add, &sum);
	printf("%llu rounds; %llu flows deleted with %llu frames, %llu expired\n", (unsigned long long)rounds,
	       (unsigned long long)deletes, (unsigned long long)gone.frames,
	       (unsigned long long)rig_table_stat(rig, "books/brief", TABLE_STAT_EXPIRED));
	assert_true(gone.frames > 0);
	assert_int_equal(sum.frames + 1, rig_rule_count(rig, "books/sums/count"));
	assert_int_equal(rig_table_stat(rig, "books/sums", TABLE_STAT_CREATED) - deletes, live);
	assert_true(rig_table_stat(rig, "books/brief", TABLE_STAT_EXPIRED) > 0);
	assert_int_equal(rig_table_stat(rig, "books/brief", TABLE_STAT_CREATED) -
				 rig_table_stat(rig, "books/brief", TABLE_STAT_EXPIRED),
			 rig_flows(rig, "books/brief", NULL, NULL));
	assert_int_equal(exits_of_port(rig), 2 * EACH + 1);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_DELIVER), rig_rule_count(rig, "books/brief/count"));
	assert_int_equal(rig_exit_count(rig, 1, EXIT_DELIVER) + rig_exit_count(rig, 1, EXIT_CONTENTION), 2 * EACH + 1);
	rig_close(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_frame_of_ten_million_is_in_the_books),
	};

	if (!rig_can(RIG_XDP))
		return RIG_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
