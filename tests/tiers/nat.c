// SPDX-License-Identifier: GPL-2.0-or-later
/* Static NAT.  Nobody here has a way for what is translated, so it leaves for the kernel as it was written. */
#include "tiers.h"

#include <stdio.h>
#include <string.h>

#define HOST   "192.168.1.2"
#define OTHER  "192.168.1.3"
#define PUBLIC "203.0.113.10"
#define SECOND "203.0.113.11"
#define FAR    "203.0.113.2"

enum { INSIDE = 1, OUTSIDE = 2 };

static void assert_translated(const struct rig_result *r, struct frame wanted)
{
	char why[64] = "";

	assert_int_equal(r->exit, EXIT_ROUTE_KERNEL);
	assert_frame_equal(wanted.data, wanted.size, r->frame.data, r->frame.size);
	if (!frame_verify(r->frame.data, r->frame.size, why, sizeof(why)))
		fail_msg("%s", why);
}

static struct rig *static_nat(void)
{
	struct rig *rig = rig_before_kernel("examples/static-nat.yaml", NULL);

	assert_int_equal(rig_put_entry(rig, "static-nat/outward", "ip.src=" HOST " public=" PUBLIC), 0);
	assert_int_equal(rig_put_entry(rig, "static-nat/inward", "ip.dst=" PUBLIC " host=" HOST), 0);
	assert_int_equal(rig_put_entry(rig, "static-nat/outward", "ip.src=" OTHER " public=" SECOND), 0);
	assert_int_equal(rig_put_entry(rig, "static-nat/inward", "ip.dst=" SECOND " host=" OTHER), 0);
	return rig;
}

static void a_host_has_an_address_of_its_own(void **state)
{
	struct rig *rig = static_nat();
	struct rig_result r = rig_send(rig, INSIDE, PKT(.ip_src = HOST, .ip_dst = FAR, .tcp_dport = 80));

	assert_translated(&r, PKT(.ip_src = PUBLIC, .ip_dst = FAR, .tcp_dport = 80));
	r = rig_send(rig, OUTSIDE, PKT(.ip_src = FAR, .ip_dst = PUBLIC, .udp_dport = 80, .payload_size = 7));
	assert_translated(&r, PKT(.ip_src = FAR, .ip_dst = HOST, .udp_dport = 80, .payload_size = 7));
	r = rig_send(rig, INSIDE, PKT(.ip_src = HOST, .ip_dst = FAR, .udp_no_csum = true));
	assert_translated(&r, PKT(.ip_src = PUBLIC, .ip_dst = FAR, .udp_no_csum = true));
	r = rig_send(rig, OUTSIDE, PKT(.ip_src = FAR, .ip_dst = PUBLIC, .icmp_type = 8));
	assert_translated(&r, PKT(.ip_src = FAR, .ip_dst = HOST, .icmp_type = 8));
	assert_int_equal(rig_entry_packets(rig, "static-nat/outward", "ip.src=" HOST), 2);
	assert_int_equal(rig_entry_packets(rig, "static-nat/inward", "ip.dst=" PUBLIC), 2);
	rig_close(rig);
}

/* An ICMP error that quotes 'quoted' from IP on. */
static struct frame error_about(const char *src, const char *dst, struct frame quoted)
{
	return PKT(.ip_src = src, .ip_dst = dst, .icmp_type = 3, .icmp_code = 3, .icmp_id = FRAME_ZERO,
		   .icmp_seq = FRAME_ZERO, .payload = quoted.data + 14, .payload_size = quoted.size - 14);
}

static void an_error_is_translated_by_what_it_quotes(void **state)
{
	struct rig *rig = static_nat();
	struct frame was = PKT(.ip_src = PUBLIC, .ip_dst = FAR, .udp_dport = 9);
	struct frame will = PKT(.ip_src = HOST, .ip_dst = FAR, .udp_dport = 9);
	struct rig_result r = rig_send(rig, OUTSIDE, error_about(FAR, PUBLIC, was));

	assert_translated(&r, error_about(FAR, HOST, will));
	was = PKT(.ip_src = FAR, .ip_dst = HOST, .tcp_dport = 9);
	will = PKT(.ip_src = FAR, .ip_dst = PUBLIC, .tcp_dport = 9);
	r = rig_send(rig, INSIDE, error_about(HOST, FAR, was));
	assert_translated(&r, error_about(PUBLIC, FAR, will));
	rig_close(rig);
}

static void hosts_reach_each_other_by_public_addresses(void **state)
{
	struct rig *rig = static_nat();
	struct rig_result r = rig_send(rig, INSIDE, PKT(.ip_src = HOST, .ip_dst = SECOND, .tcp_dport = 80));

	assert_translated(&r, PKT(.ip_src = PUBLIC, .ip_dst = OTHER, .tcp_dport = 80));
	assert_int_equal(send_one(rig, INSIDE, PKT(.ip_src = HOST, .ip_dst = OTHER)), EXIT_PASS);
	rig_close(rig);
}

static void who_has_no_entry_passes_or_is_refused(void **state)
{
	struct rig *rig = static_nat();

	assert_int_equal(send_one(rig, INSIDE, PKT(.ip_src = "192.168.1.9", .ip_dst = FAR)), EXIT_PASS);
	assert_int_equal(send_one(rig, OUTSIDE, PKT(.ip_src = FAR, .ip_dst = "203.0.113.99")), EXIT_PASS);
	assert_int_equal(rig_remove_entry(rig, "static-nat/outward", "ip.src=" HOST), 0);
	assert_int_equal(send_one(rig, INSIDE, PKT(.ip_src = HOST, .ip_dst = FAR)), EXIT_PASS);
	rig_close(rig);
	rig = rig_before_kernel("examples/static-nat.yaml", "refused=192.168.1.0/24");
	assert_int_equal(send_one(rig, INSIDE, PKT(.ip_src = HOST, .ip_dst = FAR)), EXIT_DROP);
	assert_int_equal(rig_rule_count(rig, "static-nat/unmapped/unmapped"), 1);
	rig_close(rig);
}

TESTS(nat, cmocka_unit_test(a_host_has_an_address_of_its_own),
      cmocka_unit_test(an_error_is_translated_by_what_it_quotes),
      cmocka_unit_test(hosts_reach_each_other_by_public_addresses),
      cmocka_unit_test(who_has_no_entry_passes_or_is_refused));
