// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 23: bursts of a flow take the uplink whose load was told to be less.  XDP: a label cannot be taken off at
 * tc. */
#include "tiers.h"

#include <arpa/inet.h>
#include <string.h>

enum { HOSTS = 1, UP1 = 2, UP2 = 3, BOTTOM = 0x100 };

static bool at_tc(void)
{
	return tier == RIG_TC_INGRESS || tier == RIG_TC_EGRESS;
}

static struct rig *leaf(void)
{
	struct rig *rig = rig_open(tier);

	rig_load(rig, "examples/flowlet.yaml", "up1=port2", "up2=port3", NULL);
	rig_commit(rig);
	return rig;
}

static struct frame data(unsigned sport)
{
	return PKT(.ip_src = "10.1.0.5", .ip_dst = "10.2.0.7", .udp_sport = sport, .payload_size = 958);
}

/* The frame under a label. */
static struct frame labelled(struct frame inner, unsigned label, unsigned tc)
{
	uint32_t entry = htonl(label << 12 | tc << 9 | BOTTOM | 64);

	memmove(inner.data + 18, inner.data + 14, inner.size - 14);
	memcpy(inner.data + 14, &entry, sizeof(entry));
	inner.data[12] = 0x88;
	inner.data[13] = 0x47;
	inner.size += 4;
	return inner;
}

/* Leaf 2 tells that its uplink, which ends here at 'port', has that load: the packet goes on without the label. */
static void tell(struct rig *rig, unsigned port, unsigned load)
{
	struct frame plain = PKT(.ip_src = "10.2.0.7", .ip_dst = "10.1.0.5", .udp_dport = 9);
	struct rig_result r = rig_send(rig, port, labelled(plain, load, 2));

	assert_int_equal(r.exit, EXIT_PASS);
	assert_frame_equal(plain.data, plain.size, r.frame.data, r.frame.size);
}

static unsigned way(struct rig *rig, unsigned sport)
{
	return rig_send(rig, HOSTS, data(sport)).out_port;
}

static void a_new_burst_takes_the_better_uplink(void **state)
{
	struct rig *rig;

	if (at_tc())
		skip();
	rig = leaf();
	tell(rig, UP1, 100);
	tell(rig, UP2, 50);
	assert_int_equal(rig_global(rig, "flowlet/l2u1"), 100);
	assert_int_equal(way(rig, 1), UP2);
	tell(rig, UP1, 40);
	rig_advance_ms(rig, 59);
	assert_int_equal(way(rig, 1), UP2); /* The same burst. */
	assert_int_equal(way(rig, 2), UP1); /* Another flow. */
	rig_advance_ms(rig, 59);
	assert_int_equal(way(rig, 1), UP2);
	rig_advance_ms(rig, 60);
	assert_int_equal(way(rig, 1), UP1);
	rig_close(rig);
}

static void every_twentieth_packet_of_an_uplink_tells_its_load(void **state)
{
	struct rig *rig = leaf();
	struct rig_result r = {};

	for (unsigned i = 0; i < 19; i++) {
		r = rig_send(rig, HOSTS, data(i));
		assert_int_equal(r.out_port, UP1);
		assert_int_equal(r.frame.data[12], 0x08);
	}
	r = rig_send(rig, HOSTS, data(19));
	struct frame wanted = labelled(data(19), 996, 1); /* 1000 bytes, smoothed from 0. */

	assert_frame_equal(wanted.data, wanted.size, r.frame.data, r.frame.size);
	assert_int_equal(rig_send(rig, HOSTS, data(20)).frame.data[12], 0x08);
	rig_close(rig);
}

static void what_is_for_here_or_unknown_passes(void **state)
{
	struct rig *rig = leaf();

	assert_int_equal(send_one(rig, UP1, PKT(.ip_dst = "10.1.0.5", .udp_dport = 9)), EXIT_PASS);
	assert_int_equal(send_one(rig, HOSTS, PKT(.ip_dst = "10.3.0.5", .udp_dport = 9)), EXIT_PASS);
	assert_int_equal(send_one(rig, HOSTS, PKT(.arp_op = 1)), EXIT_PASS);
	rig_close(rig);
}

/* At tc the way is found all the same; a packet whose label should be taken off leaves with the reason. */
static void at_tc_a_label_cannot_be_taken_off(void **state)
{
	struct rig *rig;

	if (!at_tc())
		skip();
	rig = leaf();
	assert_int_equal(way(rig, 1), UP1);
	assert_int_equal(send_one(rig, UP1, labelled(data(5), 1, 2)), EXIT_PUSH_FAILED);
	rig_close(rig);
}

TESTS(flowlet, cmocka_unit_test(a_new_burst_takes_the_better_uplink),
      cmocka_unit_test(every_twentieth_packet_of_an_uplink_tells_its_load),
      cmocka_unit_test(what_is_for_here_or_unknown_passes), cmocka_unit_test(at_tc_a_label_cannot_be_taken_off));
