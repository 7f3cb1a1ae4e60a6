// SPDX-License-Identifier: GPL-2.0-or-later
/* Interfaces of a network namespace of its own come, go, change; ports must follow. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/port.h"
#include "agent_lab.h"

enum { LOG_MAX = 16384, SETTLE_MS = 200 };

/* What was reported, e.g. "new a0=1;up a0=1;". */
static char story[LOG_MAX];
static int give_result;
static char given[LOG_MAX];

static void on_event(void *data, enum port_event event, const struct port *port)
{
	static const char *const names[] = {"new", "gone", "up", "down", "changed", "offload", "refused"};
	size_t len = strlen(story);

	snprintf(story + len, sizeof(story) - len, "%s %s=%u;", names[event], port->name, port->number);
}

static int on_give(void *data, const char *name, unsigned number)
{
	size_t len = strlen(given);

	if (give_result == 0)
		snprintf(given + len, sizeof(given) - len, "%s=%u;", name, number);
	return give_result;
}

static struct port_list *open_ports(const struct port_pattern *pattern, size_t n, const struct port_number *number,
				    size_t n_numbers)
{
	const struct port_options options = {.pattern = pattern,
					     .n_patterns = n,
					     .given = number,
					     .n_given = n_numbers,
					     .give = on_give,
					     .event = on_event};
	struct port_list *ports = NULL;
	char *why = NULL;

	story[0] = given[0] = '\0';
	if (port_open(NULL, &options, &ports, &why) < 0)
		fail_msg("port_open: %s", why);
	return ports;
}

static const char *open_fails(const struct port_pattern *pattern, size_t n, const struct port_number *number,
			      size_t n_numbers)
{
	const struct port_options options = {
		.pattern = pattern, .n_patterns = n, .given = number, .n_given = n_numbers};
	static char text[256];
	struct port_list *ports = NULL;
	char *why = NULL;

	assert_int_equal(port_open(NULL, &options, &ports, &why), -EINVAL);
	assert_non_null(why);
	snprintf(text, sizeof(text), "%s", why);
	free(why);
	return text;
}

/* Takes notifications until none has come for a while. */
static void run_ports(struct port_list *ports)
{
	struct pollfd poller = {.fd = port_fd(ports), .events = POLLIN};

	while (poll(&poller, 1, SETTLE_MS) > 0)
		assert_int_equal(port_run(ports), 0);
}

/* Adds a veth, both ends up, no offloads, and forgets the story so far. */
static void add_pair(const char *a, const char *b)
{
	lab_sh("ip link add %s type veth peer name %s && ethtool -K %s tx off >/dev/null && ethtool -K %s tx off "
	       ">/dev/null && "
	       "ip link set %s up && ip link set %s up",
	       a, b, a, b, a, b);
}

static int no_links(void **state)
{
	lab_sh("ip -o link | awk -F'[ :@]+' '$2 ~ /^(a|b|w|d)[0-9]+$/ {print $2}' | "
	       "while read i; do ip link del $i 2>/dev/null; done; true"); /* A peer went with its other end. */
	give_result = 0;
	return 0;
}

static void matching_interfaces_get_the_lowest_numbers(void **state)
{
	const struct port_pattern pattern[] = {{"a*", 0}};
	struct port_list *ports;

	add_pair("a0", "b0");
	add_pair("a1", "b1");
	ports = open_ports(pattern, 1, NULL, 0);
	assert_string_equal(story, "new a0=1;new a1=2;");
	assert_string_equal(given, "a0=1;a1=2;");
	assert_true(port_find(ports, "a0")->up);
	assert_null(port_find(ports, "b0"));
	assert_null(port_get(ports, 3));
	assert_null(port_get(ports, 0));
	assert_null(port_get(ports, 65));
	port_close(ports);
}

static void a_star_does_not_mean_lo_but_its_name_does(void **state)
{
	const struct port_pattern star[] = {{"*", 0}}, lo[] = {{"lo", 7}};
	struct port_list *ports = open_ports(star, 1, NULL, 0);

	assert_null(port_find(ports, "lo"));
	port_close(ports);
	ports = open_ports(lo, 1, NULL, 0);
	assert_int_equal(port_find(ports, "lo")->number, 7);
	port_close(ports);
}

static void numbers_of_the_past_and_of_the_configuration_are_kept(void **state)
{
	const struct port_pattern pattern[] = {{"a0", 2}, {"a*", 0}};
	const struct port_number before[] = {{"a2", 5}, {"gone", 1}};
	struct port_list *ports;

	add_pair("a0", "b0");
	add_pair("a1", "b1");
	add_pair("a2", "b2");
	ports = open_ports(pattern, 2, before, 2);
	assert_string_equal(story, "new a0=2;new a1=3;new a2=5;"); /* 1 is taken by one that is absent. */
	assert_string_equal(given, "a0=2;a1=3;");
	assert_int_equal(port_get(ports, 1)->ifindex, 0);
	port_close(ports);
}

static void a_configured_number_replaces_the_one_of_the_past(void **state)
{
	const struct port_pattern pattern[] = {{"a0", 9}};
	const struct port_number before[] = {{"a0", 4}};
	struct port_list *ports;

	add_pair("a0", "b0");
	ports = open_ports(pattern, 1, before, 1);
	assert_string_equal(given, "a0=9;");
	assert_null(port_get(ports, 4));
	port_close(ports);
}

static void contradictions_are_refused_in_words(void **state)
{
	const struct port_pattern twice[] = {{"a0", 2}, {"a1", 2}}, star[] = {{"a*", 1}}, far[] = {{"a0", 65}},
				  empty[] = {{"", 0}}, taken[] = {{"a0", 3}};
	const struct port_number other[] = {{"z9", 3}}, double_[] = {{"x", 1}, {"y", 1}};

	assert_non_null(strstr(open_fails(twice, 2, NULL, 0), "2 is configured for a0 and for a1"));
	assert_non_null(strstr(open_fails(star, 1, NULL, 0), "one interface"));
	assert_non_null(strstr(open_fails(far, 1, NULL, 0), "not in 1-64"));
	assert_non_null(strstr(open_fails(empty, 1, NULL, 0), "not a name"));
	assert_non_null(
		strstr(open_fails(taken, 1, other, 1), "3 is configured for a0 but belongs to z9: free it with"));
	assert_non_null(strstr(open_fails(taken, 1, double_, 2), "given twice"));
}

static void links_going_up_and_down_are_followed(void **state)
{
	const struct port_pattern pattern[] = {{"a0", 0}};
	struct port_list *ports;

	add_pair("a0", "b0");
	ports = open_ports(pattern, 1, NULL, 0);
	story[0] = '\0';
	lab_sh("ip link set b0 down");
	run_ports(ports);
	assert_non_null(strstr(story, "down a0=1;"));
	assert_false(port_get(ports, 1)->up);
	lab_sh("ip link set b0 up");
	run_ports(ports);
	assert_true(port_get(ports, 1)->up);
	port_close(ports);
}

static void a_renamed_interface_is_one_gone_and_another_come(void **state)
{
	const struct port_pattern pattern[] = {{"a*", 0}};
	struct port_list *ports;

	add_pair("a0", "b0");
	ports = open_ports(pattern, 1, NULL, 0);
	story[0] = '\0';
	lab_sh("ip link set a0 down && ip link set a0 name a5");
	run_ports(ports);
	assert_non_null(strstr(story, "gone a0=1;new a5=2;"));
	assert_int_equal(port_get(ports, 1)->ifindex, 0);
	lab_sh("ip link set a5 name w5");
	run_ports(ports);
	assert_non_null(strstr(story, "gone a5=2;"));
	lab_sh("ip link set w5 name a0");
	run_ports(ports);
	assert_int_equal(port_find(ports, "a0")->number, 1);
	assert_true(port_find(ports, "a0")->ifindex > 0);
	port_close(ports);
}

static void an_interface_that_comes_back_gets_its_number_back(void **state)
{
	const struct port_pattern pattern[] = {{"a*", 0}};
	struct port_list *ports;

	add_pair("a0", "b0");
	add_pair("a1", "b1");
	ports = open_ports(pattern, 1, NULL, 0);
	lab_sh("ip link del a0");
	run_ports(ports);
	assert_int_equal(port_get(ports, 1)->ifindex, 0);
	add_pair("a2", "b2");
	add_pair("a0", "b0");
	run_ports(ports);
	assert_int_equal(port_find(ports, "a2")->number, 3);
	assert_int_equal(port_find(ports, "a0")->number, 1);
	port_close(ports);
}

static void deleted_and_made_again_between_two_looks_is_gone_and_new(void **state)
{
	const struct port_pattern pattern[] = {{"a*", 0}};
	struct port_list *ports;

	lab_sh("ip link add a0 index 4242 type bridge");
	ports = open_ports(pattern, 1, NULL, 0);
	story[0] = '\0';
	lab_sh("ip link del a0 && ip link add a0 index 4242 type bridge");
	run_ports(ports);
	assert_non_null(strstr(story, "gone a0=1;new a0=1;"));
	port_close(ports);
}

static void an_interface_that_moves_to_another_namespace_is_gone(void **state)
{
	const struct port_pattern pattern[] = {{"a*", 0}};
	struct port_list *ports;

	add_pair("a0", "b0");
	ports = open_ports(pattern, 1, NULL, 0);
	story[0] = '\0';
	lab_sh("ip link set a0 netns 1");
	lab_sh("ip link del b0");
	run_ports(ports);
	assert_non_null(strstr(story, "gone a0=1;"));
	port_close(ports);
}

static void lost_notifications_cost_nothing(void **state)
{
	const struct port_pattern pattern[] = {{"a*", 0}};
	struct port_list *ports;

	add_pair("a0", "b0");
	ports = open_ports(pattern, 1, NULL, 0);
	/* More than the socket holds. */
	lab_sh("f=$(mktemp); for i in $(seq 1500); do echo link set b0 mtu 140$((i %% 10)); done >$f; ip -batch $f; rm "
	       "$f");
	lab_sh("ip link set b0 down && ip link add a7 type bridge");
	run_ports(ports);
	assert_false(port_find(ports, "a0")->up);
	assert_int_equal(port_find(ports, "a7")->number, 2);
	port_close(ports);
}

static void a_peer_that_offloads_checksums_is_warned_of(void **state)
{
	const struct port_pattern pattern[] = {{"a0", 0}};
	struct port_list *ports;

	lab_sh("ip link add a0 type veth peer name b0");
	ports = open_ports(pattern, 1, NULL, 0);
	assert_string_equal(story, "new a0=1;offload a0=1;");
	lab_sh("ethtool -K b0 tx off >/dev/null");
	run_ports(ports);
	/* b0's change alone need not be told for a0. */
	lab_sh("ip link set b0 up");
	run_ports(ports);
	assert_false(port_get(ports, 1)->peer_offloads);
	port_close(ports);
}

static void the_sixty_fifth_interface_is_refused_once(void **state)
{
	const struct port_pattern pattern[] = {{"d*", 0}};
	struct port_list *ports;
	const char *first;

	lab_sh("for i in $(seq 66); do echo link add d$i type bridge; done | ip -batch -");
	ports = open_ports(pattern, 1, NULL, 0);
	first = strstr(story, "refused d65=0;");
	assert_non_null(first);
	assert_non_null(strstr(story, "refused d66=0;"));
	lab_sh("ip link set d65 up");
	run_ports(ports);
	assert_null(strstr(first + 1, "refused d65=0;"));
	lab_sh("for i in $(seq 66); do echo link del d$i; done | ip -batch -");
	port_close(ports);
}

static void a_number_that_cannot_be_kept_is_not_given(void **state)
{
	const struct port_pattern pattern[] = {{"a0", 0}};
	struct port_list *ports;

	add_pair("a0", "b0");
	give_result = -EROFS;
	ports = open_ports(pattern, 1, NULL, 0);
	assert_string_equal(story, "refused a0=0;");
	port_close(ports);
}

static void a_number_can_be_forgotten_when_the_port_is_absent(void **state)
{
	const struct port_pattern pattern[] = {{"a*", 0}};
	struct port_list *ports;

	add_pair("a0", "b0");
	ports = open_ports(pattern, 1, NULL, 0);
	assert_int_equal(port_forget(ports, 1), -EBUSY);
	assert_int_equal(port_forget(ports, 2), -ENOENT);
	lab_sh("ip link del a0");
	run_ports(ports);
	assert_int_equal(port_forget(ports, 1), 0);
	add_pair("a9", "b9");
	run_ports(ports);
	assert_int_equal(port_find(ports, "a9")->number, 1);
	port_close(ports);
}

static void a_frame_goes_out_of_a_port(void **state)
{
	const struct port_pattern pattern[] = {{"a0", 0}};
	unsigned char frame[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5, 42}, got[64];
	struct sockaddr_ll from = {.sll_family = AF_PACKET, .sll_protocol = htons(0x88b5)};
	struct port_list *ports;
	struct pollfd poller = {.events = POLLIN};

	add_pair("a0", "b0");
	poller.fd = socket(AF_PACKET, SOCK_RAW, htons(0x88b5));
	from.sll_ifindex = if_nametoindex("b0");
	assert_int_equal(bind(poller.fd, (struct sockaddr *)&from, sizeof(from)), 0);
	ports = open_ports(pattern, 1, NULL, 0);
	run_ports(ports);

	assert_int_equal(port_send(ports, 2, frame, sizeof(frame)), -ENOENT);
	assert_int_equal(port_send(ports, 1, frame, 13), -EMSGSIZE);
	assert_int_equal(port_send(ports, 1, frame, sizeof(frame)), 0);
	assert_int_equal(poll(&poller, 1, 1000), 1);
	assert_int_equal(recv(poller.fd, got, sizeof(got), 0), sizeof(frame));
	assert_memory_equal(got, frame, sizeof(frame));
	lab_sh("ip link set b0 down");
	run_ports(ports);
	assert_int_equal(port_send(ports, 1, frame, sizeof(frame)), -ENETDOWN);
	close(poller.fd);
	port_close(ports);
}

#define CASE(name) cmocka_unit_test_setup(name, no_links)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(matching_interfaces_get_the_lowest_numbers),
		CASE(a_star_does_not_mean_lo_but_its_name_does),
		CASE(numbers_of_the_past_and_of_the_configuration_are_kept),
		CASE(a_configured_number_replaces_the_one_of_the_past),
		CASE(contradictions_are_refused_in_words),
		CASE(links_going_up_and_down_are_followed),
		CASE(a_renamed_interface_is_one_gone_and_another_come),
		CASE(an_interface_that_comes_back_gets_its_number_back),
		CASE(deleted_and_made_again_between_two_looks_is_gone_and_new),
		CASE(an_interface_that_moves_to_another_namespace_is_gone),
		CASE(lost_notifications_cost_nothing),
		CASE(a_peer_that_offloads_checksums_is_warned_of),
		CASE(the_sixty_fifth_interface_is_refused_once),
		CASE(a_number_that_cannot_be_kept_is_not_given),
		CASE(a_number_can_be_forgotten_when_the_port_is_absent),
		CASE(a_frame_goes_out_of_a_port),
	};

	lab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
