// SPDX-License-Identifier: GPL-2.0-or-later
/* How flows begin and end: capacity, eviction, chained timeouts. */
#include "tiers.h"

#include <stdio.h>
#include <string.h>

static struct rig *counter_of(unsigned capacity, const char *when_full)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "app: full\ntables:\n  - name: t\n    state: {lookup: [ip.src], capacity: %u, when_full: %s, states: "
		 "[{name: ON, idle: 10s}], registers: [n]}\n"
		 "    rules:\n      - {name: count, do: n += 1, action: deliver}\n",
		 capacity, when_full);
	return rig_with(text, NULL);
}

static enum exit_reason from(struct rig *rig, unsigned host)
{
	char src[32];

	snprintf(src, sizeof(src), "10.9.%u.%u", host / 250, 1 + host % 250);
	return send_one(rig, 1, PKT(.ip_src = src));
}

static void the_declared_capacity_is_reached_exactly(void **state)
{
	struct rig *rig = counter_of(500, "drop");

	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(from(rig, i), EXIT_DELIVER);
	assert_int_equal(from(rig, 500), EXIT_TABLE_FULL);
	assert_int_equal(rig_flows(rig, "full/t", NULL, NULL), 500);
	rig_close(rig);
}

static void a_full_table_passes_or_continues_if_told(void **state)
{
	struct rig *rig = counter_of(1, "pass");

	from(rig, 1);
	assert_int_equal(from(rig, 2), EXIT_TABLE_FULL_PASS);
	rig_close(rig);
	rig = counter_of(1, "continue");
	from(rig, 1);
	assert_int_equal(from(rig, 2), EXIT_DELIVER);
	assert_int_equal(rig_flows(rig, "full/t", NULL, NULL), 1);
	rig_close(rig);
}

static void eviction_takes_the_longest_idle(void **state)
{
	struct rig *rig = counter_of(4, "evict");

	for (unsigned i = 0; i < 4; i++) {
		from(rig, i);
		rig_advance_ms(rig, 10);
	}
	from(rig, 0); /* Now host 1 is the longest idle. */
	rig_advance_ms(rig, 10);
	assert_int_equal(from(rig, 9), EXIT_DELIVER);
	assert_int_equal(rig_flows(rig, "full/t", NULL, NULL), 4);
	assert_null(rig_state(rig, "full/t", "ip.src", "10.9.0.2"));
	assert_non_null(rig_state(rig, "full/t", "ip.src", "10.9.0.1"));
	rig_close(rig);
}

static void an_expired_flow_makes_room_without_the_agent(void **state)
{
	struct rig *rig = counter_of(1, "drop");

	from(rig, 1);
	rig_advance_ms(rig, 10001);
	assert_int_equal(from(rig, 2), EXIT_DELIVER);
	assert_int_equal(rig_register(rig, "full/t", "ip.src", "10.9.0.3", "n"), 1);
	rig_close(rig);
}

static void an_expired_flow_begins_again_from_zero(void **state)
{
	struct rig *rig = counter_of(8, "drop");

	from(rig, 1), from(rig, 1);
	rig_advance_ms(rig, 9999);
	from(rig, 1);
	assert_int_equal(rig_register(rig, "full/t", "ip.src", "10.9.0.2", "n"), 3);
	rig_advance_ms(rig, 10000);
	from(rig, 1);
	assert_int_equal(rig_register(rig, "full/t", "ip.src", "10.9.0.2", "n"), 1);
	rig_close(rig);
}

static const char chain[] = "app: chain\n"
			    "tables:\n"
			    "  - name: t\n"
			    "    state:\n"
			    "      lookup: [ip.src]\n"
			    "      capacity: 8\n"
			    "      states: [OFF, {name: HOT, hard: 1s, hard_to: WARM}, {name: WARM, hard: 2s, hard_to: "
			    "COLD}, {name: COLD, idle: 4s}]\n"
			    "      registers: [n]\n"
			    "    rules:\n"
			    "      - {name: start, state: OFF, next: HOT, do: n = 7, action: pass}\n"
			    "      - {name: hot, state: HOT, action: pass}\n"
			    "      - {name: warm, state: WARM, refresh: no, action: drop}\n"
			    "      - {name: cold, state: COLD, refresh: no, action: deliver}\n";

static void a_late_packet_replays_the_chain_of_timeouts(void **state)
{
	static const struct {
		unsigned ms;
		enum exit_reason exit;
	} late[] = {
		{999, EXIT_PASS}, {1000, EXIT_DROP}, {2999, EXIT_DROP}, {3000, EXIT_DELIVER}, {6999, EXIT_DELIVER},
	};
	struct frame frame = PKT(.ip_src = "192.0.2.1");

	for (unsigned i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
		struct rig *rig = rig_with(chain, NULL);

		send_one(rig, 1, frame);
		rig_advance_ms(rig, late[i].ms);
		assert_int_equal(send_one(rig, 1, frame), late[i].exit);
		assert_int_equal(rig_register(rig, "chain/t", "ip.src", "192.0.2.1", "n"), 7);
		rig_close(rig);
	}
}

static void the_scan_replays_it_too_and_frees_at_the_end(void **state)
{
	struct rig *rig = rig_with(chain, NULL);

	send_one(rig, 1, PKT(.ip_src = "192.0.2.1"));
	rig_advance_ms(rig, 3500);
	rig_expire(rig);
	assert_string_equal(rig_state(rig, "chain/t", "ip.src", "192.0.2.1"), "COLD");
	rig_advance_ms(rig, 3500);
	rig_expire(rig);
	assert_int_equal(rig_flows(rig, "chain/t", NULL, NULL), 0);
	rig_close(rig);
}

TESTS(lifetime, cmocka_unit_test(the_declared_capacity_is_reached_exactly),
      cmocka_unit_test(a_full_table_passes_or_continues_if_told), cmocka_unit_test(eviction_takes_the_longest_idle),
      cmocka_unit_test(an_expired_flow_makes_room_without_the_agent),
      cmocka_unit_test(an_expired_flow_begins_again_from_zero),
      cmocka_unit_test(a_late_packet_replays_the_chain_of_timeouts),
      cmocka_unit_test(the_scan_replays_it_too_and_frees_at_the_end));
