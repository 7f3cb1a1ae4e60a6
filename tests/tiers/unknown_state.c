// SPDX-License-Identifier: GPL-2.0-or-later
/* A packet of one version meets a record in a state that only another version knows. */
#include "tiers.h"

#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE "192.0.2.1"

enum { ELSEWHERE = 9, SLOT = 1 };

static struct rig *rig_with_flow(void)
{
	struct rig *rig =
		rig_with("app: states\n"
			 "tables:\n"
			 "  - name: t\n"
			 "    state: {lookup: [ip.src], capacity: 16, states: [NEW, ON], registers: [n]}\n"
			 "    rules:\n"
			 "      - {name: look, state: NEW, match: {udp.dst: 1}, action: deliver}\n"
			 "      - {name: count, state: NEW, match: {udp.dst: 2}, do: n += 1, action: deliver}\n"
			 "      - {name: move, state: NEW, do: n += 1, next: ON, action: deliver}\n"
			 "      - {name: on, state: ON, action: drop}\n",
			 NULL);

	send_one(rig, 1, PKT(.ip_src = SOURCE, .udp_dport = 3));
	return rig;
}

/* State of the record in the first slot that a flow gets; at first 'set' is written. */
static unsigned record_state(struct rig *rig, int set)
{
	int fd = open_inner_map(rig, MAP_RECORDS);
	__u64 line[RECORD_LINE_WORDS];
	struct flow_head *head = (struct flow_head *)line;
	__u32 slot = SLOT;

	assert_int_equal(bpf_map_lookup_elem(fd, &slot, line), 0);
	assert_true(head->alive);
	if (set >= 0) {
		head->state = set;
		assert_int_equal(bpf_map_update_elem(fd, &slot, line, BPF_ANY), 0);
	}
	close(fd);
	return head->state;
}

static void it_reads_as_a_new_flow_and_stays_unless_a_rule_writes(void **state)
{
	struct rig *rig;

	if (tier == RIG_NATIVE)
		return;
	rig = rig_with_flow();
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = SOURCE, .udp_dport = 1)), EXIT_DROP); /* It is in ON. */
	record_state(rig, ELSEWHERE);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = SOURCE, .udp_dport = 1)), EXIT_DELIVER);
	assert_int_equal(record_state(rig, -1), ELSEWHERE);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = SOURCE, .udp_dport = 2)), EXIT_DELIVER);
	assert_int_equal(record_state(rig, -1), 0);
	assert_int_equal(rig_register(rig, "states/t", "ip.src", SOURCE, "n"), 1);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = SOURCE, .udp_dport = 3)), EXIT_DELIVER);
	assert_int_equal(record_state(rig, -1), 1);
	assert_int_equal(rig_register(rig, "states/t", "ip.src", SOURCE, "n"), 2);
	rig_close(rig);
}

TESTS(unknown_state, cmocka_unit_test(it_reads_as_a_new_flow_and_stays_unless_a_rule_writes));
