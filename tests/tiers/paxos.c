// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 22: coordinator, acceptors and learner of Paxos as three applications. */
#include "tiers.h"

#include <arpa/inet.h>
#include <string.h>

#define ACCEPTOR "paxos-acceptor/acceptor"
#define LEARNER	 "paxos-learner/learner"

enum { SERVICE = 8888, REQUEST = 0, P1A, P1B, P2A, P2B };

struct message {
	uint8_t type, acceptor;
	uint16_t round;
	uint32_t instance;
	uint16_t vround, pad;
	char value[8];
};

static struct message message(unsigned type, unsigned round, unsigned instance, const char *value)
{
	struct message m = {.type = type, .round = htons(round), .instance = htonl(instance)};

	strncpy(m.value, value, sizeof(m.value));
	return m;
}

static struct frame frame_of(const struct message *m)
{
	return PKT(.ip_dst = "198.51.100.1", .udp_sport = 5, .udp_dport = SERVICE, .payload = m,
		   .payload_size = sizeof(*m));
}

static void assert_says(const struct rig_result *r, struct message wanted)
{
	struct frame frame = frame_of(&wanted);

	assert_int_equal(r->exit, EXIT_FLOOD);
	assert_frame_equal(frame.data, frame.size, r->frame.data, r->frame.size);
}

static void the_coordinator_numbers_requests(void **state)
{
	struct rig *rig = rig_with("examples/paxos-coordinator.yaml", "round=7");

	for (unsigned i = 1; i <= 3; i++) {
		struct message m = message(REQUEST, 0, 0, "value");
		struct rig_result r = rig_send(rig, 1, frame_of(&m));

		assert_says(&r, message(P2A, 7, i, "value"));
	}
	struct message vote = message(P2B, 7, 3, "value");

	assert_int_equal(send_one(rig, 1, frame_of(&vote)), EXIT_PASS);
	assert_int_equal(rig_global(rig, "paxos-coordinator/turn"), 3);
	rig_close(rig);
}

/* ---- acceptor ---- */

static struct rig_result tell(struct rig *rig, struct message m)
{
	return rig_send(rig, 1, frame_of(&m));
}

static void an_acceptor_promises_and_never_less(void **state)
{
	struct rig *rig = rig_with("examples/paxos-acceptor.yaml", "me=2");
	struct message promise = message(P1B, 5, 1, "");
	struct rig_result r = tell(rig, message(P1A, 5, 1, ""));

	promise.acceptor = 2;
	assert_says(&r, promise);
	assert_int_equal(tell(rig, message(P1A, 4, 1, "")).exit, EXIT_DROP);
	assert_int_equal(tell(rig, message(P2A, 4, 1, "x")).exit, EXIT_DROP);
	assert_int_equal(rig_register(rig, ACCEPTOR, "paxos.instance", "1", "promised"), 5);
	assert_int_equal(tell(rig, message(P2A, 4, 2, "x")).exit, EXIT_FLOOD); /* Another instance. */
	rig_close(rig);
}

static void an_acceptor_votes_and_tells_what_it_voted(void **state)
{
	struct rig *rig = rig_with("examples/paxos-acceptor.yaml", "me=2");
	struct message vote = message(P2B, 5, 1, "blue"), promise = message(P1B, 6, 1, "blue");
	struct rig_result r;

	tell(rig, message(P1A, 5, 1, ""));
	r = tell(rig, message(P2A, 5, 1, "blue"));
	vote.acceptor = 2;
	vote.vround = htons(5);
	assert_says(&r, vote);
	r = tell(rig, message(P1A, 6, 1, ""));
	promise.acceptor = 2;
	promise.vround = htons(5);
	assert_says(&r, promise);
	assert_int_equal(tell(rig, message(P2A, 5, 1, "red")).exit, EXIT_DROP);
	rig_close(rig);
}

/* ---- learner ---- */

static enum exit_reason vote(struct rig *rig, unsigned acceptor, unsigned round)
{
	struct message m = message(P2B, round, 9, "blue");

	m.acceptor = acceptor;
	return send_one(rig, 1, frame_of(&m));
}

static void a_learner_hears_a_value_once(void **state)
{
	struct rig *rig = rig_with("examples/paxos-learner.yaml", "majority=3");

	assert_int_equal(vote(rig, 0, 1), EXIT_DROP);
	assert_int_equal(vote(rig, 0, 1), EXIT_DROP); /* Counts once. */
	assert_int_equal(vote(rig, 4, 1), EXIT_DROP);
	assert_int_equal(vote(rig, 2, 1), EXIT_PASS);
	assert_int_equal(vote(rig, 1, 1), EXIT_DROP);
	assert_int_equal(vote(rig, 5, 1), EXIT_DROP);
	assert_int_equal(rig_rule_count(rig, LEARNER "/learned"), 1);
	rig_close(rig);
}

static void votes_of_a_higher_round_count_anew(void **state)
{
	struct rig *rig = rig_with("examples/paxos-learner.yaml", NULL);

	assert_int_equal(vote(rig, 0, 1), EXIT_DROP);
	assert_int_equal(vote(rig, 1, 2), EXIT_DROP);
	assert_int_equal(vote(rig, 0, 1), EXIT_DROP); /* Old. */
	assert_int_equal(vote(rig, 0, 2), EXIT_PASS);
	rig_close(rig);
	rig = rig_with("examples/paxos-learner.yaml", "majority=3");
	assert_int_equal(vote(rig, 5, 1), EXIT_DROP); /* A stranger. */
	assert_int_equal(rig_flows(rig, LEARNER, NULL, NULL), 0);
	vote(rig, 0, 1);
	vote(rig, 1, 2);
	assert_int_equal(vote(rig, 2, 2), EXIT_DROP); /* The first one was of an older round. */
	assert_int_equal(vote(rig, 0, 2), EXIT_PASS);
	rig_close(rig);
}

TESTS(paxos, cmocka_unit_test(the_coordinator_numbers_requests), cmocka_unit_test(an_acceptor_promises_and_never_less),
      cmocka_unit_test(an_acceptor_votes_and_tells_what_it_voted), cmocka_unit_test(a_learner_hears_a_value_once),
      cmocka_unit_test(votes_of_a_higher_round_count_anew));
