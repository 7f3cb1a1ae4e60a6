// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 2: two scopes. */
#include "tiers.h"

#define A     "02:00:00:00:00:0a"
#define B     "02:00:00:00:00:0b"
#define TABLE "mac-learning/stations"

static struct rig_result from_to(struct rig *rig, unsigned port, const char *src, const char *dst)
{
	return rig_send(rig, port, PKT(.eth_src = src, .eth_dst = dst, .udp_dport = 9));
}

static void unknown_destinations_are_flooded_and_sources_learned(void **state)
{
	struct rig *rig = rig_with("examples/mac-learning.yaml", NULL);

	assert_int_equal(from_to(rig, 1, A, B).exit, EXIT_FLOOD);
	assert_int_equal(rig_register(rig, TABLE, "eth.dst", A, "port"), 1);
	assert_null(rig_state(rig, TABLE, "eth.dst", B));
	rig_close(rig);
}

static void a_known_station_is_sent_to_its_port(void **state)
{
	struct rig *rig = rig_with("examples/mac-learning.yaml", NULL);
	struct rig_result result;

	from_to(rig, 2, B, A);
	result = from_to(rig, 1, A, B);
	assert_int_equal(result.exit, EXIT_OUTPUT);
	assert_int_equal(result.out_port, 2);
	rig_close(rig);
}

static void a_station_that_moves_is_followed(void **state)
{
	struct rig *rig = rig_with("examples/mac-learning.yaml", NULL);

	from_to(rig, 2, B, A);
	from_to(rig, 3, B, A);
	assert_int_equal(from_to(rig, 1, A, B).out_port, 3);
	rig_close(rig);
}

static void a_frame_for_its_own_port_is_dropped(void **state)
{
	struct rig *rig = rig_with("examples/mac-learning.yaml", NULL);

	from_to(rig, 1, B, A);
	assert_int_equal(from_to(rig, 1, A, B).exit, EXIT_DROP);
	rig_close(rig);
}

static void a_station_is_forgotten_after_five_minutes(void **state)
{
	struct rig *rig = rig_with("examples/mac-learning.yaml", NULL);

	from_to(rig, 2, B, A);
	rig_advance_ms(rig, 299000);
	assert_int_equal(from_to(rig, 1, A, B).exit, EXIT_OUTPUT); /* A lookup does not refresh B. */
	rig_advance_ms(rig, 1001);
	assert_int_equal(from_to(rig, 1, A, B).exit, EXIT_FLOOD);
	rig_close(rig);
}

static void a_station_that_talks_to_itself_is_one_record(void **state)
{
	struct rig *rig = rig_with("examples/mac-learning.yaml", NULL);

	from_to(rig, 2, B, B);
	from_to(rig, 2, B, B);
	assert_int_equal(rig_flows(rig, TABLE, NULL, NULL), 1);
	rig_close(rig);
}

static void a_full_table_still_forwards(void **state)
{
	static const char text[] = "app: tiny\n"
				   "tables:\n"
				   "  - name: stations\n"
				   "    state: {lookup: [eth.dst], update: [eth.src], capacity: 2, when_full: "
				   "continue, states: [U, K], registers: [port]}\n"
				   "    rules:\n"
				   "      - {state: K, do: port = in_port, next: K, action: output(port)}\n"
				   "      - {do: port = in_port, next: K, action: flood}\n";
	struct rig *rig = rig_with(text, NULL);

	from_to(rig, 1, A, "02:00:00:00:00:01");
	from_to(rig, 2, B, "02:00:00:00:00:02");
	assert_int_equal(from_to(rig, 3, "02:00:00:00:00:0c", A).out_port, 1);
	assert_int_equal(rig_flows(rig, "tiny/stations", NULL, NULL), 2);
	rig_close(rig);
}

TESTS(learning, cmocka_unit_test(unknown_destinations_are_flooded_and_sources_learned),
      cmocka_unit_test(a_known_station_is_sent_to_its_port), cmocka_unit_test(a_station_that_moves_is_followed),
      cmocka_unit_test(a_frame_for_its_own_port_is_dropped),
      cmocka_unit_test(a_station_is_forgotten_after_five_minutes),
      cmocka_unit_test(a_station_that_talks_to_itself_is_one_record), cmocka_unit_test(a_full_table_still_forwards));
