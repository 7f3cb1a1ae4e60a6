// SPDX-License-Identifier: GPL-2.0-or-later
/* Use case 21: a switch that answers for a key-value server. */
#include "tiers.h"

#include <stdio.h>
#include <string.h>

#define EXAMPLE "examples/kv-cache.yaml"
#define CLIENT	"192.0.2.1"
#define SERVER	"198.51.100.1"
#define CACHE	"kv-cache/cache"

enum { GET = 1, SET = 2, ANSWER = 3, SERVICE = 9999, CLIENTS_PORT = 1, SERVERS_PORT = 2 };

struct message {
	uint8_t op, pad[7];
	char key[8], value[16];
};

static struct message message(uint8_t op, const char *key, const char *value)
{
	struct message m = {.op = op, .pad = {1, 2, 3, 4, 5, 6, 7}};

	snprintf(m.key, sizeof(m.key), "%s", key);
	snprintf(m.value, sizeof(m.value), "%s", value);
	return m;
}

static struct frame ask(const struct message *m, const char *src, const char *dst)
{
	return PKT(.ip_src = src, .ip_dst = dst, .udp_sport = 4000, .udp_dport = SERVICE, .payload = m,
		   .payload_size = sizeof(*m));
}

static struct rig_result get(struct rig *rig, const char *key)
{
	struct message m = message(GET, key, "");

	return rig_send(rig, CLIENTS_PORT, ask(&m, CLIENT, SERVER));
}

static void answer(struct rig *rig, const char *key, const char *value)
{
	struct message m = message(ANSWER, key, value);
	struct frame frame = PKT(.ip_src = SERVER, .ip_dst = CLIENT, .udp_sport = SERVICE, .udp_dport = 4000,
				 .payload = &m, .payload_size = sizeof(m));

	assert_int_equal(send_one(rig, SERVERS_PORT, frame), EXIT_PASS);
}

static void assert_answered(const struct rig_result *r, const char *key, const char *value)
{
	struct message m = message(ANSWER, key, value);
	struct frame wanted =
		PKT(.eth_src = FRAME_MAC_DST, .eth_dst = FRAME_MAC_SRC, .ip_src = SERVER, .ip_dst = CLIENT,
		    .udp_sport = SERVICE, .udp_dport = 4000, .payload = &m, .payload_size = sizeof(m));

	assert_int_equal(r->out_port, CLIENTS_PORT);
	assert_frame_equal(wanted.data, wanted.size, r->frame.data, r->frame.size);
}

static void what_the_server_answered_is_answered_here(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);
	struct rig_result r;

	assert_int_equal(get(rig, "colour").exit, EXIT_PASS);
	assert_int_equal(rig_flows(rig, CACHE, NULL, NULL), 0); /* Questions cost no memory. */
	answer(rig, "colour", "blue");
	r = get(rig, "colour");
	assert_answered(&r, "colour", "blue");
	assert_int_equal(get(rig, "color").exit, EXIT_PASS);
	answer(rig, "colour", "red");
	r = get(rig, "colour");
	assert_answered(&r, "colour", "red");
	rig_close(rig);
}

static void a_set_goes_to_the_server_and_into_the_cache(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);
	struct message m = message(SET, "colour", "green");
	struct rig_result r;

	assert_int_equal(send_one(rig, CLIENTS_PORT, ask(&m, CLIENT, SERVER)), EXIT_PASS);
	assert_int_equal(get(rig, "colour").exit, EXIT_PASS); /* Only what the server has said is kept. */
	answer(rig, "colour", "blue");
	assert_int_equal(send_one(rig, CLIENTS_PORT, ask(&m, CLIENT, SERVER)), EXIT_PASS);
	r = get(rig, "colour");
	assert_answered(&r, "colour", "green");
	rig_close(rig);
}

static void questions_keep_it_and_silence_ends_it(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);

	answer(rig, "colour", "blue");
	rig_advance_ms(rig, 59000);
	assert_int_equal(get(rig, "colour").exit, EXIT_OUTPUT);
	rig_advance_ms(rig, 59000);
	assert_int_equal(get(rig, "colour").exit, EXIT_OUTPUT);
	rig_advance_ms(rig, 60000);
	assert_int_equal(get(rig, "colour").exit, EXIT_PASS);
	rig_close(rig);
}

static void a_message_that_is_cut_is_none(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);
	struct message m = message(GET, "colour", "");

	answer(rig, "colour", "blue");
	assert_int_equal(send_one(rig, CLIENTS_PORT,
				  PKT(.ip_src = CLIENT, .ip_dst = SERVER, .udp_dport = SERVICE, .payload = &m,
				      .payload_size = sizeof(m) - 1)),
			 EXIT_PASS);
	rig_close(rig);
}

static void over_ipv6_too(void **state)
{
	struct rig *rig = rig_with(EXAMPLE, NULL);
	struct message m = message(GET, "colour", ""), is = message(ANSWER, "colour", "blue");
	struct frame wanted = PKT(.eth_src = FRAME_MAC_DST, .eth_dst = FRAME_MAC_SRC, .ip_src = FRAME_IP6_DST,
				  .ip_dst = FRAME_IP6_SRC, .udp_sport = SERVICE, .udp_dport = 4000, .payload = &is,
				  .payload_size = sizeof(is));
	struct rig_result r;

	answer(rig, "colour", "blue");
	r = rig_send(rig, CLIENTS_PORT, ask(&m, FRAME_IP6_SRC, FRAME_IP6_DST));
	assert_int_equal(r.out_port, CLIENTS_PORT);
	assert_frame_equal(wanted.data, wanted.size, r.frame.data, r.frame.size);
	rig_close(rig);
}

TESTS(kv_cache, cmocka_unit_test(what_the_server_answered_is_answered_here),
      cmocka_unit_test(a_set_goes_to_the_server_and_into_the_cache),
      cmocka_unit_test(questions_keep_it_and_silence_ends_it), cmocka_unit_test(a_message_that_is_cut_is_none),
      cmocka_unit_test(over_ipv6_too));
