// SPDX-License-Identifier: GPL-2.0-or-later
/* Groups: members chosen by a hash, the first that lives, by index, all; changed while flows stay. */
#include "tiers.h"

#include <stdio.h>
#include <string.h>

#define GROUP_OF(type) "app: g\ngroups:\n  g:\n    type: " type "\n    "

static const char select_three[] = GROUP_OF(
	"select") "hash: [ip.src, l4.src]\n"
		  "    size: 1021\n"
		  "    values: [addr ip, service]\n"
		  "    members:\n"
		  "      - {id: 1, port: 2, ip: 10.0.0.1, service: 8001}\n"
		  "      - {id: 2, port: 3, ip: 10.0.0.2, service: 8002}\n"
		  "      - {id: 3, port: 4, ip: 10.0.0.3, service: 8003, weight: 2}\n"
		  "variables: [g m]\n"
		  "tables:\n"
		  "  - name: t\n"
		  "    state:\n"
		  "      lookup: [ip.src, l4.src]\n"
		  "      capacity: 1000\n"
		  "      states: [NEW, BOUND]\n"
		  "      registers: [g s]\n"
		  "    rules:\n"
		  "      - {name: gone, state: BOUND, when: not has(s), next: NEW, action: drop}\n"
		  "      - {name: pick, state: NEW, do: s = select(g), next: BOUND, action: ip.dst = s.ip; l4.dst = "
		  "s.service; output(s.port)}\n"
		  "      - {name: keep, state: BOUND, action: ip.dst = s.ip; l4.dst = s.service; output(s.port)}\n"
		  "    otherwise: deliver\n";

static struct rig_result from(struct rig *rig, unsigned client)
{
	return rig_send(rig, 1, PKT(.ip_src = "192.0.2.1", .ip_dst = "198.51.100.1", .udp_sport = 1000 + client));
}

/* The member that a client has, told by the port it was sent to. */
static unsigned member_of(struct rig *rig, unsigned client)
{
	struct rig_result result = from(rig, client);

	assert_int_equal(result.exit, EXIT_OUTPUT);
	return result.out_port - 1;
}

static void members_get_packets_by_their_weights(void **state)
{
	struct rig *rig = rig_with(select_three, NULL);
	unsigned n[4] = {};

	for (unsigned i = 0; i < 200; i++)
		n[member_of(rig, i)]++;
	assert_in_range(n[1], 30, 70);
	assert_in_range(n[2], 30, 70);
	assert_in_range(n[3], 75, 125);
	for (unsigned id = 1; id <= 3; id++)
		assert_int_equal(rig_member_packets(rig, 0, id), n[id]);
	rig_close(rig);
}

static void values_of_the_member_are_written(void **state)
{
	struct rig *rig = rig_with(select_three, NULL);
	struct rig_result result = from(rig, 1);
	unsigned member = result.out_port - 1;
	struct frame wanted;
	char ip[16];

	snprintf(ip, sizeof(ip), "10.0.0.%u", member);
	wanted = PKT(.ip_src = "192.0.2.1", .ip_dst = ip, .udp_sport = 1001, .udp_dport = 8000 + member);
	assert_frame_equal(wanted.data, wanted.size, result.frame.data, result.frame.size);
	rig_close(rig);
}

static void flows_stay_when_members_come(void **state)
{
	struct rig *rig = rig_with(select_three, NULL);
	unsigned had[100], n_new = 0;

	for (unsigned i = 0; i < 100; i++)
		had[i] = member_of(rig, i);
	rig_change_members(rig, "g 4 port=1 ip=10.0.0.4 service=8004\ng 2 weight=0\n");
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(member_of(rig, i), had[i]);
	for (unsigned i = 100; i < 200; i++) {
		unsigned member = member_of(rig, i);

		assert_int_not_equal(member, 2); /* It drains. */
		n_new += member == 0;
	}
	assert_in_range(n_new, 10, 50);
	rig_close(rig);
}

static void who_is_gone_or_down_is_forgotten(void **state)
{
	static const char *const changes[] = {"g 2 removed\n", "g 2 health=down\n"};

	for (unsigned i = 0; i < 2; i++) {
		struct rig *rig = rig_with(select_three, NULL);
		unsigned client = 0;

		while (member_of(rig, client) != 2)
			client++;
		rig_change_members(rig, changes[i]);
		assert_int_equal(from(rig, client).exit, EXIT_DROP);
		assert_int_equal(rig_rule_count(rig, "g/t/gone"), 1);
		assert_int_not_equal(member_of(rig, client), 2);
		rig_close(rig);
	}
}

static void an_empty_group_makes_the_rule_not_match(void **state)
{
	struct rig *rig = rig_with(select_three, NULL);

	rig_change_members(rig, "g 1 removed\ng 2 removed\ng 3 weight=0\n");
	assert_int_equal(from(rig, 1).exit, EXIT_DELIVER);
	assert_int_equal(rig_table_stat(rig, "g/t", TABLE_STAT_CREATED), 0);
	rig_close(rig);
}

static void a_group_can_be_the_verdict(void **state)
{
	struct rig *rig =
		rig_with(GROUP_OF("select") "members: [{id: 7, port: 3}]\n"
					    "tables: [{name: t, rules: [{action: group(g)}], otherwise: deliver}]\n",
			 NULL);

	assert_int_equal(from(rig, 1).out_port, 3);
	assert_int_equal(send_one(rig, 1, PKT(.eth_type = 0x88b5)), EXIT_OUTPUT); /* Nothing is asked of the packet. */
	assert_int_equal(rig_member_packets(rig, 0, 7), 2);
	rig_change_members(rig, "g 7 health=down\n");
	assert_int_equal(from(rig, 1).exit, EXIT_DELIVER);
	rig_close(rig);
}

static void the_first_that_lives_gets_all(void **state)
{
	struct rig *rig =
		rig_with(GROUP_OF("first-live") "members: [{id: 5, port: 2}, {id: 1, port: 3}]\n"
						"tables: [{name: t, rules: [{action: group(g)}], otherwise: drop}]\n",
			 NULL);

	assert_int_equal(from(rig, 1).out_port, 2);
	rig_change_members(rig, "g 5 health=down\n");
	assert_int_equal(from(rig, 1).out_port, 3);
	rig_change_members(rig, "g 5 health=down\ng 1 health=down\n");
	assert_int_equal(from(rig, 1).exit, EXIT_DROP);
	rig_change_members(rig, "");
	assert_int_equal(from(rig, 1).out_port, 2);
	rig_close(rig);
}

static void an_index_that_names_nobody_is_no_member(void **state)
{
	struct rig *rig = rig_with(GROUP_OF("indexed") "members: [{id: 0, port: 2}, {id: 1, port: 3}]\n"
						       "globals: {turn: 0}\n"
						       "variables: [g m]\n"
						       "tables: [{name: t, rules: [{do: turn += 1; m = turn % 3, "
						       "action: ip.ttl = 9; output(m.port)}]}]\n",
				   NULL);

	assert_int_equal(from(rig, 1).out_port, 3);
	assert_int_equal(from(rig, 1).exit, EXIT_NO_MEMBER);
	assert_int_equal(from(rig, 1).out_port, 2);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_NO_MEMBER), 1);
	rig_close(rig);
}

/* What an earlier table bound, a later one names; conditions on values too. */
static void later_tables_name_members(void **state)
{
	struct rig *rig = rig_with(GROUP_OF("indexed") "values: [cost, addr ip]\n"
						       "    members: [{id: 0, port: 2, cost: 5, ip: 10.0.0.1}, {id: 9, "
						       "port: 3, cost: 7, ip: '2001:db8::9'}]\n"
						       "tables:\n"
						       "  - name: a\n"
						       "    state: {lookup: [ip.src], capacity: 10, registers: [g s]}\n"
						       "    rules: [{do: s = l4.src - 1000}]\n"
						       "  - name: b\n"
						       "    rules:\n"
						       "      - {when: not has(a.s), action: reflect}\n"
						       "      - {when: a.s.cost > 6, action: drop}\n"
						       "      - {when: a.s.ip == 10.0.0.1, action: output(a.s.port)}\n",
				   NULL);

	assert_int_equal(from(rig, 0).out_port, 2);
	assert_int_equal(from(rig, 9).exit, EXIT_DROP);
	assert_int_equal(from(rig, 1).exit, EXIT_REFLECT);
	assert_int_equal(from(rig, 300).exit, EXIT_REFLECT);
	rig_close(rig);
}

/* A record under the address of the member that this packet was given. */
static void a_learned_key_names_the_member(void **state)
{
	struct rig *rig = rig_with(
		GROUP_OF("select") "hash: [ip.src]\n"
				   "    values: [addr ip]\n"
				   "    members: [{id: 4, ip: 10.0.0.4}]\n"
				   "tables:\n"
				   "  - name: back\n"
				   "    state: {lookup: [ip.src], capacity: 10, states: [NO, YES], registers: [n]}\n"
				   "    rules: [{state: YES, action: reflect}]\n"
				   "  - name: to\n"
				   "    state: {lookup: [ip.src], capacity: 10, states: [NEW, BOUND], registers: [g "
				   "s]}\n"
				   "    rules:\n"
				   "      - {state: NEW, do: s = select(g), learn: {table: back, key: [s.ip], state: "
				   "YES, set: {n: 5}, else: drop}, next: BOUND, action: ip.dst = s.ip}\n",
		NULL);

	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "10.0.0.4", .udp_dport = 1)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "192.0.2.7", .udp_dport = 1)), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, PKT(.ip_src = "10.0.0.4", .udp_dport = 1)), EXIT_REFLECT);
	rig_close(rig);
}

/* Copies leave by ports, which a test run of tc cannot show: the rig sends a real frame. */
static void all_get_copies_but_who_sent_it(void **state)
{
	static const char text[] =
		GROUP_OF("all") "members: [{id: 1, port: 1}, {id: 2, port: 2}, {id: 3, port: 3}]\n"
				"tables: [{name: t, rules: [{match: {ip.proto: udp}, action: group(g)}]}]\n";
	struct rig *rig;

	if (tier != RIG_TC_INGRESS)
		skip();
	rig = rig_with(text, NULL);
	assert_int_equal(rig_send_real(rig, 1, PKT(.udp_dport = 5)).left, 1u << 2 | 1u << 3);
	assert_int_equal(rig_exit_count(rig, 1, EXIT_GROUP), 1);
	assert_int_equal(rig_member_packets(rig, 0, 1), 0);
	assert_int_equal(rig_member_packets(rig, 0, 3), 1);
	rig_change_members(rig, "g 3 health=down\n");
	assert_int_equal(rig_send_real(rig, 1, PKT(.udp_dport = 5)).left, 1u << 2);
	rig_close(rig);
}

TESTS(groups, cmocka_unit_test(members_get_packets_by_their_weights),
      cmocka_unit_test(values_of_the_member_are_written), cmocka_unit_test(flows_stay_when_members_come),
      cmocka_unit_test(who_is_gone_or_down_is_forgotten), cmocka_unit_test(an_empty_group_makes_the_rule_not_match),
      cmocka_unit_test(a_group_can_be_the_verdict), cmocka_unit_test(the_first_that_lives_gets_all),
      cmocka_unit_test(an_index_that_names_nobody_is_no_member), cmocka_unit_test(later_tables_name_members),
      cmocka_unit_test(a_learned_key_names_the_member), cmocka_unit_test(all_get_copies_but_who_sent_it));
