// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 25: a peer that falls silent is asked, and then gone around.  tc ingress, for the copies. */
#include "tiers.h"

#define EXAMPLE "examples/spider.yaml"

enum { HOSTS = 1, PRIMARY = 2, BACKUP = 3, DATA = 16, DETOUR = 17, ASK = 20, BEAT = 21, PATH = 22 };

static struct rig *node(void)
{
	struct rig *rig;

	if (tier != RIG_TC_INGRESS)
		skip();
	rig = rig_with(EXAMPLE, NULL);
	assert_int_equal(rig_put_entry(rig, "spider/routes", "ip.dst=10.2.0.0/16 primary=2 second=3"), 0);
	return rig;
}

static struct frame tagged(int tag)
{
	return PKT(.ip_src = "10.1.0.1", .ip_dst = "10.2.0.1", .vlan_id = tag, .udp_dport = 9);
}

/* A packet for the primary port must leave by 'port' with 'tag'. */
static void assert_way(struct rig *rig, unsigned port, int tag)
{
	struct rig_result r = rig_send(rig, HOSTS, tagged(DATA));
	struct frame wanted = tagged(tag);

	assert_int_equal(r.exit, EXIT_OUTPUT);
	assert_int_equal(r.out_port, port);
	assert_frame_equal(wanted.data, wanted.size, r.frame.data, r.frame.size);
}

/* The peer at the primary port sends something. */
static void peer_lives(struct rig *rig)
{
	assert_int_equal(send_one(rig, PRIMARY, tagged(BEAT)), EXIT_DROP);
}

static void assert_left(struct rig *rig, const struct rig_result *r, unsigned port, int tag)
{
	struct frame wanted = tagged(tag);

	assert_true(r->left >> port & 1);
	assert_frame_equal(wanted.data, wanted.size, rig_left(rig, port)->data, rig_left(rig, port)->size);
}

static void a_peer_that_speaks_is_not_asked(void **state)
{
	struct rig *rig = node();

	for (unsigned i = 0; i < 5; i++) {
		peer_lives(rig);
		assert_way(rig, PRIMARY, DATA);
		rig_advance_ms(rig, 49);
	}
	assert_way(rig, PRIMARY, DATA);
	rig_close(rig);
}

static void one_that_is_silent_is_asked_once(void **state)
{
	struct rig *rig = node();

	peer_lives(rig);
	rig_advance_ms(rig, 50);
	assert_way(rig, PRIMARY, ASK);
	assert_way(rig, PRIMARY, DATA);
	rig_advance_ms(rig, 49);
	assert_way(rig, PRIMARY, DATA);
	peer_lives(rig); /* It answers in time. */
	rig_advance_ms(rig, 49);
	assert_way(rig, PRIMARY, DATA);
	rig_advance_ms(rig, 1);
	assert_way(rig, PRIMARY, ASK);
	rig_close(rig);
}

static void one_that_does_not_answer_is_gone_around_and_probed(void **state)
{
	struct rig *rig = node();
	struct rig_result r;

	peer_lives(rig);
	rig_advance_ms(rig, 50);
	assert_way(rig, PRIMARY, ASK);
	rig_advance_ms(rig, 50);
	r = rig_send_real(rig, HOSTS, tagged(DATA));
	assert_int_equal(r.exit, EXIT_OUTPUT);
	assert_int_equal(r.left, 1 << PRIMARY | 1 << BACKUP);
	assert_left(rig, &r, PRIMARY, PATH);
	assert_left(rig, &r, BACKUP, DETOUR);
	assert_way(rig, BACKUP, DETOUR);
	rig_advance_ms(rig, 4999);
	assert_way(rig, BACKUP, DETOUR);
	assert_int_equal(rig_rule_count(rig, "spider/health/probe"), 1);
	rig_advance_ms(rig, 1);
	assert_way(rig, BACKUP, DETOUR); /* With another probe. */
	assert_int_equal(rig_rule_count(rig, "spider/health/probe"), 2);
	peer_lives(rig);
	assert_way(rig, PRIMARY, DATA);
	rig_close(rig);
}

static void who_is_asked_answers_and_sends_the_data_on(void **state)
{
	struct rig *rig = node();
	struct rig_result r;

	peer_lives(rig);
	r = rig_send_real(rig, HOSTS, tagged(ASK));
	assert_int_equal(r.exit, EXIT_OUTPUT);
	assert_int_equal(r.left, 1 << HOSTS | 1 << PRIMARY);
	assert_left(rig, &r, HOSTS, BEAT);
	assert_left(rig, &r, PRIMARY, DATA);
	r = rig_send_real(rig, HOSTS, tagged(PATH));
	assert_int_equal(r.exit, EXIT_REFLECT);
	assert_int_equal(r.left, 1 << HOSTS);
	assert_left(rig, &r, HOSTS, BEAT);
	rig_close(rig);
}

static void a_peer_that_is_given_up_is_told_of(void **state)
{
	struct rig *rig = node();
	struct rig_result r;

	rig_watch_events(rig);
	assert_way(rig, PRIMARY, ASK);
	rig_advance_ms(rig, 50);
	r = rig_send(rig, HOSTS, tagged(DATA));
	assert_int_equal(r.out_port, BACKUP);
	assert_int_equal(r.n_events, 1);
	assert_int_equal(r.event[0].kind, EVENT_TIMEOUT);
	rig_close(rig);
}

TESTS(spider, cmocka_unit_test(a_peer_that_speaks_is_not_asked), cmocka_unit_test(one_that_is_silent_is_asked_once),
      cmocka_unit_test(one_that_does_not_answer_is_gone_around_and_probed),
      cmocka_unit_test(who_is_asked_answers_and_sends_the_data_on),
      cmocka_unit_test(a_peer_that_is_given_up_is_told_of));
