// SPDX-License-Identifier: GPL-2.0-or-later
/* What the programs tell the agent: events in order, what is lost, and packets to the controller by their rate. */
#include "switch_lab.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

struct heard {
	uint64_t n[EVENT_PUNT + 1];
	uint64_t last_sequence, gaps;
	struct event last;
	unsigned last_size;
};

static int on_event(void *data, void *bytes, size_t size)
{
	const struct event *event = bytes;
	struct heard *heard = data;

	assert_true(size >= offsetof(struct event, words));
	assert_in_range(event->kind, EVENT_STATE, EVENT_PUNT);
	heard->n[event->kind]++;
	if (heard->last_sequence)
		heard->gaps += event->sequence - heard->last_sequence - 1;
	heard->last_sequence = event->sequence;
	memset(&heard->last, 0, sizeof(heard->last));
	memcpy(&heard->last, event, size < sizeof(heard->last) ? size : sizeof(heard->last));
	heard->last_size = size;
	return 0;
}

static void listen_once(struct rig *rig, struct heard *heard)
{
	struct ring_buffer *ring = ring_buffer__new(rig_map_fd(rig, MAP_EVENTS), on_event, heard, NULL);

	assert_non_null(ring);
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
}

static struct rig *rig_of(const char *text)
{
	struct rig *rig = rig_open(RIG_XDP);
	struct heard old = {};

	rig_load(rig, text, NULL);
	rig_commit(rig);
	listen_once(rig, &old);
	return rig;
}

static const char notifying[] = "app: told\n"
				"tables:\n"
				"  - name: t\n"
				"    state: {lookup: [ip.src], capacity: 16, states: [A, {name: B, idle: 1s, "
				"on_timeout: notify}], registers: [n]}\n"
				"    rules:\n"
				"      - {name: all, do: n += 1, next: B, action: notify; deliver}\n";

static void a_change_of_state_is_told_with_its_record(void **state)
{
	struct rig *rig = rig_of(notifying);
	struct heard heard = {};

	rig_repeat(rig, 1, PKT(.ip_src = "192.0.2.1"), 3);
	listen_once(rig, &heard);
	assert_int_equal(heard.n[EVENT_STATE], 3);
	assert_int_equal(heard.last.new_state, 1);
	assert_int_equal(heard.last.port, 1);
	assert_true(heard.last.n_words > FLOW_HEAD_WORDS);
	rig_advance_ms(rig, 2000);
	rig_expire(rig);
	listen_once(rig, &heard);
	assert_int_equal(heard.n[EVENT_TIMEOUT], 1);
	assert_int_equal(heard.last.old_state, 1);
	rig_close(rig);
}

static void what_the_ring_has_no_room_for_is_counted(void **state)
{
	enum { FRAMES = 30000 };
	struct rig *rig = rig_of(notifying);
	uint64_t lost = rig_counter(rig, COUNTER_EVENT_LOST);
	struct sender sender = {.rig = rig, .frame = PKT(.ip_src = "192.0.2.1"), .n = FRAMES};
	struct heard heard = {};

	sender_start(&sender);
	sender_join(&sender);
	lost = rig_counter(rig, COUNTER_EVENT_LOST) - lost;
	listen_once(rig, &heard);
	assert_true(lost > 0);
	assert_int_equal(heard.n[EVENT_STATE] + lost, FRAMES);
	/* One more event shows the gap to whoever reads the sequence; it may come from another CPU. */
	sender = (struct sender){.rig = rig, .frame = sender.frame, .n = 1};
	sender_start(&sender);
	sender_join(&sender);
	listen_once(rig, &heard);
	assert_int_equal(heard.gaps, lost);
	rig_close(rig);
}

static void packets_reach_the_controller_at_their_rate(void **state)
{
	struct rig *rig =
		rig_of("app: punt\ntables:\n  - name: t\n    rules:\n      - {name: all, action: controller; drop}\n");
	struct frame frame = PKT(.udp_dport = 7, .payload_size = 100);
	struct heard heard = {};

	rig_set_punt_limit(rig, 10, 5);
	rig_advance_ms(rig, 10000);
	rig_repeat(rig, 1, frame, 100);
	listen_once(rig, &heard);
	assert_int_equal(heard.n[EVENT_PUNT], 5);
	assert_int_equal(rig_counter(rig, COUNTER_PUNT), 5);
	assert_int_equal(rig_counter(rig, COUNTER_PUNT_LIMITED), 95);
	assert_int_equal(heard.last.frame_size, frame.size);
	assert_int_equal(heard.last.packet_size, frame.size);
	rig_advance_ms(rig, 300);
	rig_repeat(rig, 1, frame, 100);
	listen_once(rig, &heard);
	assert_int_equal(heard.n[EVENT_PUNT], 8);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_DROP), 200);
	rig_close(rig);
}

static void a_rate_of_zero_lets_nothing_through(void **state)
{
	struct rig *rig =
		rig_of("app: punt\ntables:\n  - name: t\n    rules:\n      - {name: all, action: controller; drop}\n");
	struct heard heard = {};

	rig_set_punt_limit(rig, 0, 1);
	rig_repeat(rig, 1, PKT(.udp_dport = 7), 10);
	listen_once(rig, &heard);
	assert_int_equal(heard.n[EVENT_PUNT], 0);
	rig_close(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_of_state_is_told_with_its_record),
		cmocka_unit_test(what_the_ring_has_no_room_for_is_counted),
		cmocka_unit_test(packets_reach_the_controller_at_their_rate),
		cmocka_unit_test(a_rate_of_zero_lets_nothing_through),
	};

	if (!rig_can(RIG_XDP))
		return RIG_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
