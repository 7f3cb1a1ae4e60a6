// SPDX-License-Identifier: GPL-2.0-or-later
/* Registers that count, chained applications, and the books of the switch. */
#include "tiers.h"

static void packets_and_bytes_are_exact(void **state)
{
	struct rig *rig = rig_with("examples/packet-counter.yaml", NULL);
	struct frame frame = PKT(.ip_src = "192.0.2.1", .payload_size = 58);

	rig_repeat(rig, 1, frame, 1000);
	assert_int_equal(rig_register(rig, "packet-counter/sources", "ip.src", "192.0.2.1", "packets"), 1000);
	assert_int_equal(rig_register(rig, "packet-counter/sources", "ip.src", "192.0.2.1", "bytes"),
			 1000 * frame.size);
	assert_int_equal(rig_rule_count(rig, "packet-counter/sources/count"), 1000);
	rig_close(rig);
}

static void every_packet_has_exactly_one_exit(void **state)
{
	struct rig *rig = rig_open(tier);
	struct frame cut = PKT(.tcp_dport = 1);
	uint64_t sum = 0;

	rig_load(rig, "examples/token-bucket.yaml", NULL);
	rig_load(rig, "examples/mac-learning.yaml", NULL);
	rig_commit(rig);
	cut.size = 40;
	for (unsigned i = 0; i < 50; i++) {
		send_one(rig, 1, PKT(.ip_src = "192.0.2.1"));
		send_one(rig, 1, PKT(.arp_op = 1));
		send_one(rig, 1, cut);
	}
	for (unsigned r = 0; r < EXIT_REASON_MAX; r++)
		sum += rig_exit_count(rig, 1, r);
	assert_int_equal(sum, 150);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_DROP), 45);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_PARSE_SHORT), 50);
	rig_close(rig);
}

static void pass_hands_over_to_the_next_application(void **state)
{
	struct rig *rig = rig_open(tier);

	rig_load(rig, "examples/packet-counter.yaml", NULL);
	rig_load(rig, "examples/token-bucket.yaml", NULL);
	rig_load(rig, "examples/mac-learning.yaml", NULL);
	rig_commit(rig);
	for (unsigned i = 0; i < 10; i++)
		send_one(rig, 1, PKT(.ip_src = "192.0.2.1"));
	assert_int_equal(rig_rule_count(rig, "packet-counter/sources/count"), 10);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_FLOOD), 5);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_DROP), 5);
	rig_close(rig);
}

static void variables_and_registers_are_carried_from_table_to_table(void **state)
{
	static const char text[] = "app: carry\n"
				   "variables: [twice]\n"
				   "tables:\n"
				   "  - name: count\n"
				   "    state: {lookup: [ip.src], capacity: 16, registers: [n]}\n"
				   "    rules:\n"
				   "      - {name: all, do: n += 1; twice = n * 2}\n"
				   "  - name: judge\n"
				   "    rules:\n"
				   "      - {name: third, when: count.n == 3 and twice == 6, action: drop}\n"
				   "      - {name: other, action: pass}\n";
	struct rig *rig = rig_with(text, NULL);
	struct frame frame = PKT(.ip_src = "192.0.2.1");

	assert_int_equal(send_one(rig, 1, frame), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, frame), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, frame), EXIT_DROP);
	assert_int_equal(send_one(rig, 1, frame), EXIT_PASS);
	rig_close(rig);
}

TESTS(counter, cmocka_unit_test(packets_and_bytes_are_exact), cmocka_unit_test(every_packet_has_exactly_one_exit),
      cmocka_unit_test(pass_hands_over_to_the_next_application),
      cmocka_unit_test(variables_and_registers_are_carried_from_table_to_table));
