// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of segments as keys, beyond what single packets show: false friends, and room that comes back. */
#include <stdio.h>
#include <string.h>

#include "tiers.h"

#define LISTS                                                                                                          \
	"app: lists\n"                                                                                                 \
	"tables:\n"                                                                                                    \
	"  - name: t\n"                                                                                                \
	"    key: {srv6.segments: exact}\n"                                                                            \
	"    capacity: 64\n"                                                                                           \
	"    action: drop\n"                                                                                           \
	"    otherwise: pass\n"

/* IPv6 with a segment routing header of 'n' segments, of which segment i of the path is fc00::i, and UDP. */
static struct frame routed(unsigned n)
{
	struct frame frame = PKT(.ip_src = "2001:db8::1", .udp_dport = 7);
	unsigned srh = 8 + 16 * n, l4 = frame.size - 54;
	uint8_t *ip = frame.data + 14;

	memmove(ip + 40 + srh, ip + 40, l4);
	memset(ip + 40, 0, srh);
	memcpy(ip + 40, (uint8_t[]){ip[6], 2 * n, 4, 0, n - 1}, 5);
	ip[4] = (l4 + srh) >> 8;
	ip[5] = l4 + srh;
	ip[6] = 43;
	for (unsigned i = 0; i < n; i++) {
		ip[48 + 16 * i] = 0xfc;
		ip[48 + 16 * i + 15] = n - i;
	}
	frame.size += srh;
	return frame;
}

static struct segment_list *find_list(struct rig *rig, unsigned n)
{
	struct segment_lists *lists = rig_segments(rig);

	for (unsigned i = 1; i < SEGMENT_LISTS; i++)
		if (lists->at[i].n == n)
			return &lists->at[i];
	fail_msg("no list of %u segments", n);
	return NULL;
}

/* Two lists of one fingerprint cannot be made, so the list in memory is changed behind its fingerprint. */
static void a_list_of_the_same_fingerprint_is_another(void **state)
{
	struct rig *rig = rig_with(LISTS, NULL);
	struct segment_list *list;

	assert_int_equal(rig_put_entry(rig, "lists/t", "srv6.segments=fc00::1,fc00::2,fc00::3"), 0);
	assert_int_equal(rig_put_entry(rig, "lists/t", "srv6.segments=fc00::1"), 0);
	assert_int_equal(send_one(rig, 1, routed(3)), EXIT_DROP);
	list = find_list(rig, 3);
	for (unsigned i = 0; i < 6; i++) {
		list->word[i] ^= 1ull << 60;
		assert_int_equal(send_one(rig, 1, routed(3)), EXIT_PASS);
		list->word[i] ^= 1ull << 60;
	}
	list->n = 2;
	assert_int_equal(send_one(rig, 1, routed(3)), EXIT_PASS);
	list->n = 3;
	assert_int_equal(send_one(rig, 1, routed(3)), EXIT_DROP);
	assert_int_equal(send_one(rig, 1, routed(1)), EXIT_DROP);
	assert_int_equal(rig_entry_packets(rig, "lists/t", "srv6.segments=fc00::1,fc00::2,fc00::3"), 2);
	assert_int_equal(rig_remove_entry(rig, "lists/t", "srv6.segments=fc00::1"), 0);
	assert_int_equal(send_one(rig, 1, routed(1)), EXIT_PASS);
	rig_close(rig);
}

/* More lists come and go than there is room for at once. */
static void lists_that_no_entry_has_make_room(void **state)
{
	struct rig *rig;
	char cells[64];

	if (tier != RIG_XDP)
		return; /* Room is the agent's, whatever hook reads it. */
	rig = rig_with(LISTS, NULL);
	assert_int_equal(rig_put_entry(rig, "lists/t", "srv6.segments=fc00::1"), 0);
	for (unsigned i = 0; i < SEGMENT_LISTS + 100; i++) {
		snprintf(cells, sizeof(cells), "srv6.segments=fd00::%x:%x", i >> 16, i & 0xffff);
		assert_int_equal(rig_put_entry(rig, "lists/t", cells), 0);
		assert_int_equal(rig_remove_entry(rig, "lists/t", cells), 0);
	}
	assert_int_equal(send_one(rig, 1, routed(1)), EXIT_DROP);
	rig_close(rig);
}

/* ---- examples/srv6-loss-*.yaml ---- */

static unsigned traffic_class(const struct frame *frame)
{
	return (frame->data[14] & 15) << 4 | frame->data[15] >> 4;
}

static void sent_is_the_colour_that_was_written(void **state)
{
	struct rig *rig = rig_with("examples/srv6-loss-out.yaml", NULL);
	struct frame frame = routed(3);
	struct rig_result r;

	frame.data[14] |= 0x0b; /* Traffic class 0xb8. */
	frame.data[15] |= 0x80;
	assert_int_equal(rig_put_entry(rig, "srv6-loss-out/outgoing", "srv6.segments=fc00::1,fc00::2,fc00::3 flow=5"),
			 0);
	for (unsigned colour = 0; colour < 4; colour++) {
		rig_set_global(rig, "srv6-loss-out/active", colour);
		for (unsigned i = 0; i <= colour; i++) {
			r = rig_send(rig, 1, frame);
			assert_int_equal(r.exit, EXIT_PASS);
			assert_int_equal(traffic_class(&r.frame), 0xb8 | colour);
			r.frame.data[15] = frame.data[15];
			assert_frame_equal(frame.data, frame.size, r.frame.data, r.frame.size);
		}
	}
	r = rig_send(rig, 1, routed(2));
	assert_int_equal(r.exit, EXIT_PASS);
	assert_int_equal(traffic_class(&r.frame), 0);
	assert_int_equal(rig_flows(rig, "srv6-loss-out/sent", NULL, NULL), 4);
	for (unsigned colour = 0; colour < 4; colour++) {
		char text[8];

		snprintf(text, sizeof(text), "%u", colour);
		assert_int_equal(rig_register(rig, "srv6-loss-out/sent", "colour", text, "packets"), colour + 1);
		assert_int_equal(rig_register(rig, "srv6-loss-out/sent", "colour", text, "bytes"),
				 (colour + 1) * frame.size);
	}
	rig_close(rig);
}

static void received_is_the_colour_that_came(void **state)
{
	struct rig *rig = rig_with("examples/srv6-loss-in.yaml", "mark=ipv6.dscp");
	struct frame frame = routed(3);

	assert_int_equal(rig_put_entry(rig, "srv6-loss-in/incoming", "srv6.segments=fc00::1,fc00::2,fc00::3 flow=5"),
			 0);
	frame.data[14] |= 0x0b;
	frame.data[15] |= 0xb0; /* Code point 46, whose lowest bits are 2; congestion beside them. */
	assert_int_equal(send_one(rig, 1, frame), EXIT_PASS);
	assert_int_equal(send_one(rig, 1, routed(2)), EXIT_PASS);
	assert_int_equal(rig_flows(rig, "srv6-loss-in/received", NULL, NULL), 1);
	assert_int_equal(rig_register(rig, "srv6-loss-in/received", "colour", "2", "packets"), 1);
	rig_close(rig);
}

TESTS(segments, cmocka_unit_test(sent_is_the_colour_that_was_written),
      cmocka_unit_test(received_is_the_colour_that_came), cmocka_unit_test(a_list_of_the_same_fingerprint_is_another),
      cmocka_unit_test(lists_that_no_entry_has_make_room));
