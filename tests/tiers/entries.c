// SPDX-License-Identifier: GPL-2.0-or-later
/* Match tables: exact keys, prefixes, ternary keys with priorities, ranges; counters, timeouts, the miss. */
#include <errno.h>
#include <stdio.h>

#include "tiers.h"

#define EXACT                                                                                                          \
	"app: exact\n"                                                                                                 \
	"variables: [seen]\n"                                                                                          \
	"tables:\n"                                                                                                    \
	"  - name: hosts\n"                                                                                            \
	"    key: {ip.dst: exact, l4.dst: exact}\n"                                                                    \
	"    capacity: 64\n"                                                                                           \
	"    values: [out, mac hw, addr via]\n"                                                                        \
	"    actions:\n"                                                                                               \
	"      send: eth.dst = hw; ip.src = via; output(out)\n"                                                        \
	"      refuse: drop\n"                                                                                         \
	"      look: seen = out\n"                                                                                     \
	"    entries:\n"                                                                                               \
	"      - {ip.dst: 10.0.0.1, l4.dst: 80, action: send, out: 2, hw: '02:00:00:00:00:09', via: 10.9.9.9}\n"       \
	"      - {ip.dst: 10.0.0.2, l4.dst: 80, action: refuse}\n"                                                     \
	"      - {ip.dst: 10.0.0.3, l4.dst: 80, action: look, out: 7}\n"                                               \
	"    otherwise: reflect\n"                                                                                     \
	"    absent: deliver\n"                                                                                        \
	"  - name: next\n"                                                                                             \
	"    rules:\n"                                                                                                 \
	"      - {when: seen == 7 and hosts.out == 7, action: flood}\n"

static enum exit_reason to(struct rig *rig, const char *dst, unsigned port)
{
	return send_one(rig, 1, PKT(.ip_dst = dst, .udp_dport = port));
}

static void the_action_of_an_entry_has_its_values(void **state)
{
	struct rig *rig = rig_with(EXACT, NULL);
	struct rig_result r = rig_send(rig, 1, PKT(.ip_dst = "10.0.0.1", .udp_dport = 80));

	assert_int_equal(r.exit, EXIT_OUTPUT);
	assert_int_equal(r.out_port, 2);
	assert_int_equal(r.frame.data[5], 9);
	assert_int_equal(r.frame.data[26], 10);
	assert_int_equal(r.frame.data[29], 9);
	assert_int_equal(to(rig, "10.0.0.2", 80), EXIT_DROP);
	assert_int_equal(to(rig, "10.0.0.3", 80), EXIT_FLOOD);
	assert_int_equal(to(rig, "10.0.0.1", 81), EXIT_REFLECT);
	assert_int_equal(send_one(rig, 1, PKT(.arp_op = 1)), EXIT_DELIVER);
	assert_int_equal(rig_rule_count(rig, "exact/hosts/refuse"), 1);
	assert_int_equal(rig_rule_count(rig, "exact/hosts/otherwise"), 1);
	rig_close(rig);
}

static void entries_come_change_and_go_while_others_count(void **state)
{
	struct rig *rig = rig_with(EXACT, NULL);

	to(rig, "10.0.0.2", 80);
	assert_int_equal(rig_entry_packets(rig, "exact/hosts", "ip.dst=10.0.0.2 l4.dst=80"), 1);
	assert_int_equal(rig_put_entry(rig, "exact/hosts", "ip.dst=10.0.0.9 l4.dst=5 action=refuse"), 0);
	assert_int_equal(to(rig, "10.0.0.9", 5), EXIT_DROP);
	/* What is changed goes on counting. */
	assert_int_equal(rig_put_entry(rig, "exact/hosts", "ip.dst=10.0.0.9 l4.dst=5 action=look out=7"), 0);
	assert_int_equal(to(rig, "10.0.0.9", 5), EXIT_FLOOD);
	assert_int_equal(rig_entry_packets(rig, "exact/hosts", "ip.dst=10.0.0.9 l4.dst=5"), 2);
	assert_int_equal(rig_remove_entry(rig, "exact/hosts", "ip.dst=10.0.0.9 l4.dst=5"), 0);
	assert_int_equal(rig_remove_entry(rig, "exact/hosts", "ip.dst=10.0.0.9 l4.dst=5"), -ENOENT);
	assert_int_equal(to(rig, "10.0.0.9", 5), EXIT_REFLECT);
	assert_int_equal(rig_entry_packets(rig, "exact/hosts", "ip.dst=10.0.0.2 l4.dst=80"), 1);
	rig_close(rig);
}

static void a_new_text_leaves_other_entries_alone(void **state)
{
	struct rig *rig = rig_with(EXACT, NULL);

	to(rig, "10.0.0.2", 80);
	rig_put_entry(rig, "exact/hosts", "ip.dst=10.0.0.9 l4.dst=5 action=refuse");
	rig_unload_all(rig);
	rig_load(rig,
		 "app: exact\n"
		 "tables:\n"
		 "  - name: hosts\n"
		 "    key: {ip.dst: exact, l4.dst: exact}\n"
		 "    capacity: 64\n"
		 "    values: [out, mac hw, addr via]\n"
		 "    actions: {send: output(out), refuse: drop, look: eth.dst = hw; ip.dst = via}\n"
		 "    entries:\n"
		 "      - {ip.dst: 10.0.0.1, l4.dst: 80, action: refuse}\n"
		 "      - {ip.dst: 10.0.0.2, l4.dst: 80, action: refuse}\n"
		 "      - {ip.dst: 10.0.0.4, l4.dst: 80, action: send, out: 3}\n"
		 "    otherwise: reflect\n",
		 NULL);
	rig_commit(rig);
	assert_int_equal(to(rig, "10.0.0.1", 80), EXIT_DROP);
	assert_int_equal(to(rig, "10.0.0.3", 80), EXIT_REFLECT);
	assert_int_equal(to(rig, "10.0.0.4", 80), EXIT_OUTPUT);
	assert_int_equal(to(rig, "10.0.0.9", 5), EXIT_DROP);
	assert_int_equal(rig_entry_packets(rig, "exact/hosts", "ip.dst=10.0.0.2 l4.dst=80"), 1);
	rig_close(rig);
}

static void an_entry_ends_by_its_own_time(void **state)
{
	struct rig *rig = rig_with(EXACT, NULL);

	rig_put_entry(rig, "exact/hosts", "ip.dst=10.0.0.7 l4.dst=1 action=refuse idle=2s");
	rig_put_entry(rig, "exact/hosts", "ip.dst=10.0.0.7 l4.dst=2 action=refuse hard=3s");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(to(rig, "10.0.0.7", 1), EXIT_DROP);
		assert_int_equal(to(rig, "10.0.0.7", 2), EXIT_DROP);
		rig_advance_ms(rig, 1500);
	}
	assert_int_equal(to(rig, "10.0.0.7", 1), EXIT_DROP);
	assert_int_equal(to(rig, "10.0.0.7", 2), EXIT_REFLECT);
	rig_advance_ms(rig, 1999);
	rig_expire(rig);
	assert_int_equal(rig_entry_packets(rig, "exact/hosts", "ip.dst=10.0.0.7 l4.dst=1"), 3);
	rig_advance_ms(rig, 1);
	rig_expire(rig);
	assert_true(rig_entry_packets(rig, "exact/hosts", "ip.dst=10.0.0.7 l4.dst=1") == ~0ull);
	assert_int_equal(to(rig, "10.0.0.2", 80), EXIT_DROP);
	rig_close(rig);
}

#define ROUTER                                                                                                         \
	"app: lpm\n"                                                                                                   \
	"tables:\n"                                                                                                    \
	"  - name: first\n"                                                                                            \
	"    rules: [{match: {ip.ttl: 0-1}, action: deliver}]\n"                                                       \
	"  - name: routes\n"                                                                                           \
	"    key: {ip.dst: prefix}\n"                                                                                  \
	"    capacity: 1000\n"                                                                                         \
	"    values: [out]\n"                                                                                          \
	"    action: ip.ttl -= 1; output(out)\n"                                                                       \
	"    entries:\n"                                                                                               \
	"      - {ip.dst: 10.0.0.0/8, out: 1}\n"                                                                       \
	"      - {ip.dst: 10.1.0.0/16, out: 2}\n"                                                                      \
	"      - {ip.dst: 10.1.2.0/24, out: 3}\n"                                                                      \
	"      - {ip.dst: 10.1.2.3, out: 4}\n"                                                                         \
	"      - {ip.dst: '2001:db8::/32', out: 2}\n"                                                                  \
	"      - {ip.dst: '2001:db8:1::/48', out: 3}\n"                                                                \
	"    otherwise: drop\n"

static unsigned routed(struct rig *rig, const char *dst)
{
	struct rig_result r = rig_send(rig, 4, PKT(.ip_dst = dst, .udp_dport = 9));

	return r.exit == EXIT_OUTPUT ? r.out_port : 0;
}

static unsigned routed6(struct rig *rig, const char *dst)
{
	struct rig_result r = rig_send(rig, 4, PKT(.ip_src = "2001:db8:9::1", .ip_dst = dst, .udp_dport = 9));

	return r.exit == EXIT_OUTPUT ? r.out_port : 0;
}

static void the_longest_prefix_wins(void **state)
{
	struct rig *rig = rig_with(ROUTER, NULL);

	assert_int_equal(routed(rig, "10.9.9.9"), 1);
	assert_int_equal(routed(rig, "10.1.9.9"), 2);
	assert_int_equal(routed(rig, "10.1.2.9"), 3);
	assert_int_equal(routed(rig, "10.1.2.3"), 4);
	assert_int_equal(routed(rig, "11.0.0.1"), 0);
	assert_int_equal(routed6(rig, "2001:db8:2::1"), 2);
	assert_int_equal(routed6(rig, "2001:db8:1::1"), 3);
	assert_int_equal(routed6(rig, "2001:db9::1"), 0);
	assert_int_equal(rig_entry_packets(rig, "lpm/routes", "ip.dst=10.1.2.0/24"), 1);
	rig_close(rig);
}

static void the_next_best_entry_takes_over(void **state)
{
	struct rig *rig = rig_with(ROUTER, NULL);

	rig_put_entry(rig, "lpm/routes", "ip.dst=10.1.2.128/25 out=1 hard=1s");
	assert_int_equal(routed(rig, "10.1.2.200"), 1);
	rig_advance_ms(rig, 1000);
	assert_int_equal(routed(rig, "10.1.2.200"), 3);
	rig_remove_entry(rig, "lpm/routes", "ip.dst=10.1.2.0/24");
	assert_int_equal(routed(rig, "10.1.2.200"), 2);
	rig_put_entry(rig, "lpm/routes", "ip.dst=0.0.0.0/0 out=4");
	assert_int_equal(routed(rig, "11.0.0.1"), 4);
	assert_int_equal(routed6(rig, "2001:db9::1"), 0);
	rig_close(rig);
}

#define ACL                                                                                                            \
	"app: acl\n"                                                                                                   \
	"tables:\n"                                                                                                    \
	"  - name: rules\n"                                                                                            \
	"    key: {ip.src: ternary, tcp.dst: range, tcp.flags: ternary, in_port: ternary}\n"                           \
	"    capacity: 1000\n"                                                                                         \
	"    actions: {permit: pass, deny: drop, bounce: reflect}\n"                                                   \
	"    otherwise: deliver\n"

static enum exit_reason tcp(struct rig *rig, const char *src, unsigned dport, unsigned flags)
{
	return send_one(rig, 1, PKT(.ip_src = src, .tcp_dport = dport, .tcp_flags = flags));
}

static void priorities_decide_between_ternary_entries(void **state)
{
	struct rig *rig = rig_with(ACL, NULL);

	rig_put_entry(rig, "acl/rules", "ip.src=10.0.0.0/8 action=deny priority=10");
	rig_put_entry(rig, "acl/rules", "ip.src=10.0.0.5 action=permit priority=20");
	rig_put_entry(rig, "acl/rules", "tcp.flags=+syn-ack action=bounce priority=15");
	assert_int_equal(tcp(rig, "10.0.0.4", 80, 0x10), EXIT_DROP);
	assert_int_equal(tcp(rig, "10.0.0.4", 80, 0x02), EXIT_REFLECT);
	assert_int_equal(tcp(rig, "10.0.0.5", 80, 0x02), EXIT_PASS);
	assert_int_equal(tcp(rig, "11.0.0.5", 80, 0x12), EXIT_DELIVER);
	rig_put_entry(rig, "acl/rules", "tcp.flags=+syn-ack action=bounce priority=25");
	assert_int_equal(tcp(rig, "10.0.0.5", 80, 0x02), EXIT_REFLECT);
	rig_close(rig);
}

/* The mask of the best entry is searched first, and what a packet finds there may be the worst. */
static void a_later_mask_may_have_the_better_entry(void **state)
{
	struct rig *rig = rig_with(ACL, NULL);

	rig_put_entry(rig, "acl/rules", "ip.src=10.0.0.1 action=deny priority=100");
	rig_put_entry(rig, "acl/rules", "ip.src=10.0.0.2 action=deny priority=1");
	rig_put_entry(rig, "acl/rules", "tcp.dst=80 action=permit priority=50");
	assert_int_equal(tcp(rig, "10.0.0.1", 80, 2), EXIT_DROP);
	assert_int_equal(tcp(rig, "10.0.0.2", 80, 2), EXIT_PASS);
	assert_int_equal(tcp(rig, "10.0.0.2", 81, 2), EXIT_DROP);
	rig_close(rig);
}

static void a_range_has_its_ends_and_no_more(void **state)
{
	struct rig *rig = rig_with(ACL, NULL);

	rig_put_entry(rig, "acl/rules", "tcp.dst=1000-2000 action=deny priority=1");
	rig_put_entry(rig, "acl/rules", "tcp.dst=1500-1600 action=permit priority=2");
	rig_put_entry(rig, "acl/rules", "tcp.dst=1536-1551 action=bounce priority=2");
	assert_int_equal(tcp(rig, "10.0.0.1", 999, 2), EXIT_DELIVER);
	assert_int_equal(tcp(rig, "10.0.0.1", 1000, 2), EXIT_DROP);
	assert_int_equal(tcp(rig, "10.0.0.1", 1499, 2), EXIT_DROP);
	assert_int_equal(tcp(rig, "10.0.0.1", 1500, 2), EXIT_PASS);
	assert_int_equal(tcp(rig, "10.0.0.1", 1600, 2), EXIT_PASS);
	assert_int_equal(tcp(rig, "10.0.0.1", 1601, 2), EXIT_DROP);
	assert_int_equal(tcp(rig, "10.0.0.1", 2000, 2), EXIT_DROP);
	assert_int_equal(tcp(rig, "10.0.0.1", 2001, 2), EXIT_DELIVER);
	assert_int_equal(rig_remove_entry(rig, "acl/rules", "tcp.dst=1500-1600"), 0);
	assert_int_equal(tcp(rig, "10.0.0.1", 1500, 2), EXIT_DROP);
	assert_int_equal(tcp(rig, "10.0.0.1", 1540, 2), EXIT_REFLECT);
	rig_close(rig);
}

static void masks_come_free_again(void **state)
{
	struct rig *rig = rig_with(ACL, NULL);
	char cells[128];

	for (unsigned i = 1; i <= MASKS_MAX + 1; i++) {
		snprintf(cells, sizeof(cells), "ip.src=10.0.0.0/%u tcp.flags=%s in_port=%s action=deny", 8 + i % 24,
			 i / 24 % 2 ? "+syn" : "*", i / 48 ? "1" : "*");
		assert_int_equal(rig_put_entry(rig, "acl/rules", cells), i <= MASKS_MAX ? 0 : -EDQUOT);
	}
	assert_int_equal(rig_remove_entry(rig, "acl/rules", "ip.src=10.0.0.0/10"), 0);
	assert_int_equal(rig_put_entry(rig, "acl/rules", cells), 0);
	rig_close(rig);
}

TESTS(entries, cmocka_unit_test(the_action_of_an_entry_has_its_values),
      cmocka_unit_test(entries_come_change_and_go_while_others_count),
      cmocka_unit_test(a_new_text_leaves_other_entries_alone), cmocka_unit_test(an_entry_ends_by_its_own_time),
      cmocka_unit_test(the_longest_prefix_wins), cmocka_unit_test(the_next_best_entry_takes_over),
      cmocka_unit_test(priorities_decide_between_ternary_entries),
      cmocka_unit_test(a_later_mask_may_have_the_better_entry), cmocka_unit_test(a_range_has_its_ends_and_no_more),
      cmocka_unit_test(masks_come_free_again));
