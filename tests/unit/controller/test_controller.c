/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The controller with fake agents and users, over real sockets, in one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake.h"

static const char counter_app[] = "app: counter\n"
				  "parameters: {limit: 10}\n"
				  "tables:\n"
				  "  - name: all\n"
				  "    rules:\n"
				  "      - {name: long, when: length > limit, action: pass}\n"
				  "      - {name: other, action: drop}\n";

static int set_up(void **state)
{
	struct bench *bench = malloc(sizeof(*bench));

	bench_open(bench);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	bench_close(*state);
	free(*state);
	return 0;
}

static struct message load(const char *name, const char *text, const char *switches)
{
	return (struct message){
		.kind = MSG_DEPLOY,
		.deploy = {.name = name, .file = "counter.yaml", .text = text, .order = 100, .switches = switches}};
}

static const struct msg_applied_switch *on_switch(const struct message *reply, const char *name)
{
	assert_int_equal(reply->kind, MSG_APPLIED);
	for (size_t i = 0; i < reply->applied.n; i++)
		if (!strcmp(reply->applied.item[i].name, name))
			return &reply->applied.item[i];
	fail_msg("no result for %s", name);
	return NULL;
}

static void expect_error(const struct message *reply, enum error_code code, const char *said)
{
	assert_int_equal(reply->kind, MSG_ERROR);
	if (!strstr(reply->error.text, said))
		fail_msg("\"%s\" does not say \"%s\"", reply->error.text, said);
	assert_int_equal(reply->error.code, code);
}

static void a_deployment_reaches_every_matching_switch(void **state)
{
	struct bench *bench = *state;
	struct fake_agent *a = agent_open(bench, "edge-1"), *b = agent_open(bench, "edge-2"),
			  *c = agent_open(bench, "core");
	struct fake_user *user = user_open(bench);
	struct message msg = load("counter", counter_app, "edge-*");
	const struct message *reply;

	agent_connected(a);
	agent_connected(b);
	agent_connected(c);
	reply = user_call(user, &msg);
	assert_int_equal(reply->kind, MSG_APPLIED);
	assert_int_equal(reply->applied.n, 2);
	assert_string_equal(reply->applied.name, "counter");
	assert_int_equal(reply->applied.version, 1);
	assert_int_equal(on_switch(reply, "edge-1")->status, APPLIED_ACTIVE);
	assert_string_equal(on_switch(reply, "edge-2")->text, "on the interpreter");
	assert_int_equal(a->have.n, 1);
	assert_int_equal(b->have.item[0].version, 1);
	assert_int_equal(c->have.n, 0);
	user_close(user);
	agent_close(a);
	agent_close(b);
	agent_close(c);
}

static void what_the_checker_refuses_is_not_stored(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct message bad =
		load("counter",
		     "app: x\ntables:\n  - name: t\n    rules:\n      - {match: {ipv4.sorc: 1}, action: drop}\n", "*");
	struct message bad_name = load("a b", counter_app, "*");
	struct message list = {.kind = MSG_GET_DEPLOYMENTS, .get = {.filter = ""}};

	expect_error(user_call(user, &bad), ERROR_INVALID, "counter.yaml:5:");
	expect_error(user_call(user, &bad_name), ERROR_INVALID, "a b");
	assert_int_equal(user_call(user, &list)->deployments.n, 0);
	user_close(user);
}

static void a_refusing_switch_keeps_its_version_and_is_shown(void **state)
{
	struct bench *bench = *state;
	struct fake_agent *a = agent_open(bench, "edge-1"), *b = agent_open(bench, "edge-2");
	struct fake_user *user = user_open(bench);
	struct message first = load("counter", counter_app, "*"), second,
		       show = {.kind = MSG_GET_SWITCH, .switch_name = "edge-2"};
	const struct message *reply;
	char text[sizeof(counter_app) + 32];

	agent_connected(a);
	agent_connected(b);
	user_call(user, &first);
	b->refuses = "# second";
	snprintf(text, sizeof(text), "# second\n%s", counter_app);
	second = load("counter", text, "*");
	reply = user_call(user, &second);
	assert_int_equal(on_switch(reply, "edge-1")->status, APPLIED_ACTIVE);
	assert_int_equal(on_switch(reply, "edge-2")->status, APPLIED_REFUSED);
	assert_string_equal(on_switch(reply, "edge-2")->text, "there is no port \"nowhere\"");
	assert_int_equal(b->have.item[0].version, 1);
	reply = user_call(user, &show);
	assert_int_equal(reply->switches.item[0].n_pending, 1);
	assert_non_null(strstr(reply->switches.item[0].problem, "nowhere"));
	user_close(user);
	agent_close(a);
	agent_close(b);
}

static void a_switch_that_comes_late_is_brought_up_to_date(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct message msg = load("counter", counter_app, "*"), other = load("other", counter_app, "core-*");
	struct fake_agent *a;
	struct deployment leftover = {.name = "leftover", .file = "", .text = "x", .switches = "*"}, copy;

	assert_int_equal(user_call(user, &msg)->applied.n, 0);
	user_call(user, &other);
	a = agent_open(bench, "edge-1");
	assert_int_equal(deployment_copy(&leftover, &copy), 0);
	assert_int_equal(deployment_list_take(&a->have, &copy), 0);
	agent_update_hello(a);
	bench_until(bench, a->n_commits == 1);
	assert_int_equal(a->n_syncs, 1);
	assert_int_equal(a->have.n, 1);
	assert_string_equal(a->have.item[0].name, "counter");
	user_close(user);
	agent_close(a);
}

static void an_equal_digest_synchronises_nothing(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct fake_agent *a = agent_open(bench, "edge-1");
	struct message msg = load("counter", counter_app, "*"), show = {.kind = MSG_GET_SWITCHES};
	const struct message *reply;

	agent_connected(a);
	user_call(user, &msg);
	agent_update_hello(a);
	bench_kill(bench);
	bench_until(bench, !a->controller);
	bench_start(bench);
	agent_connected(a);
	user_close(user);
	user = user_open(bench);
	reply = user_call(user, &show);
	assert_int_equal(a->n_syncs, 0);
	assert_int_equal(a->n_deploys, 1);
	assert_int_equal(reply->switches.n, 1);
	assert_int_equal(reply->switches.item[0].n_pending, 0);
	assert_int_equal(reply->switches.item[0].version, 42);
	user_close(user);
	agent_close(a);
}

static void removing_takes_it_off_and_versions_go_on(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct fake_agent *a = agent_open(bench, "edge-1");
	struct message msg = load("counter", counter_app, "*"),
		       remove = {.kind = MSG_REMOVE, .remove = {.name = "counter"}};

	agent_connected(a);
	user_call(user, &msg);
	assert_int_equal(user_call(user, &remove)->applied.version, 2);
	assert_int_equal(a->have.n, 0);
	expect_error(user_call(user, &remove), ERROR_UNKNOWN, "no deployment \"counter\"");
	assert_int_equal(user_call(user, &msg)->applied.version, 3);
	user_close(user);
	agent_close(a);
}

static void another_pattern_takes_it_off_where_it_no_longer_matches(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct fake_agent *a = agent_open(bench, "edge-1"), *b = agent_open(bench, "core-1");
	struct message everywhere = load("counter", counter_app, "*"), edges = load("counter", counter_app, "edge-*");
	const struct message *reply;

	agent_connected(a);
	agent_connected(b);
	user_call(user, &everywhere);
	assert_int_equal(b->have.n, 1);
	reply = user_call(user, &edges);
	assert_int_equal(b->have.n, 0);
	assert_int_equal(a->have.item[0].version, 2);
	assert_non_null(strstr(reply->applied.text, "switches: * -> edge-*"));
	user_close(user);
	agent_close(a);
	agent_close(b);
}

static void loading_the_same_again_is_no_new_version(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct message msg = load("counter", counter_app, "*");

	assert_int_equal(user_call(user, &msg)->applied.version, 1);
	assert_int_equal(user_call(user, &msg)->applied.version, 1);
	user_close(user);
}

static void a_change_based_on_an_old_version_is_refused(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct msg_setting setting = {"limit", "20"};
	struct message msg = load("counter", counter_app, "*"), set = load("counter", counter_app, "*");

	user_call(user, &msg);
	set.deploy.version = 1;
	set.deploy.setting = &setting;
	set.deploy.n_settings = 1;
	assert_int_equal(user_call(user, &set)->applied.version, 2);
	setting.text = "30";
	expect_error(user_call(user, &set), ERROR_REFUSED, "newer");
	user_close(user);
}

static void the_only_switch_need_not_be_named(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct fake_agent *a, *b;
	struct message ports = {.kind = MSG_GET_PORTS}, of_b = {.kind = MSG_GET_PORTS, .switch_name = "edge-2"};
	struct message unknown = {.kind = MSG_GET_PORTS, .switch_name = "nobody"};

	expect_error(user_call(user, &ports), ERROR_NO_SWITCH, "no switch has connected");
	a = agent_open(bench, "edge-1");
	agent_connected(a);
	expect_error(user_call(user, &ports), ERROR_UNKNOWN, "edge-1 has none of that");
	b = agent_open(bench, "edge-2");
	agent_connected(b);
	expect_error(user_call(user, &ports), ERROR_INVALID, "edge-1, edge-2");
	expect_error(user_call(user, &of_b), ERROR_UNKNOWN, "edge-2 has none of that");
	expect_error(user_call(user, &unknown), ERROR_UNKNOWN, "no switch \"nobody\"");
	agent_close(b);
	bench_until(bench, strstr(user_call(user, &of_b)->error.text, "not connected since"));
	assert_int_equal(user->reply->error.code, ERROR_NO_SWITCH);
	user_close(user);
	agent_close(a);
}

static void a_user_who_leaves_is_not_answered(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench), *other = user_open(bench);
	struct fake_agent *a = agent_open(bench, "edge-1");
	struct message ports = {.kind = MSG_GET_PORTS}, list = {.kind = MSG_GET_SWITCHES};

	agent_connected(a);
	a->silent = true;
	user_send(user, &ports);
	bench_until(bench, a->n_requests >= 1);
	user_close(user);
	a->silent = false;
	agent_close(a);
	bench_run_ms(bench, 50);
	assert_int_equal(user_call(other, &list)->switches.n, 1);
	user_close(other);
}

static void a_lost_connection_makes_changes_pending(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct fake_agent *a = agent_open(bench, "edge-1");
	struct message msg = load("counter", counter_app, "*");
	const struct message *reply;

	agent_connected(a);
	a->silent = true;
	user_send(user, &msg);
	bench_until(bench, a->last_request == MSG_DEPLOY);
	agent_close(a);
	reply = user_wait(user);
	assert_int_equal(on_switch(reply, "edge-1")->status, APPLIED_PENDING);
	reply = user_call(user, &msg);
	assert_int_equal(on_switch(reply, "edge-1")->status, APPLIED_PENDING);
	assert_true(on_switch(reply, "edge-1")->since_ms > 0);
	user_close(user);
}

static void events_reach_subscribers_with_the_switchs_name(void **state)
{
	struct bench *bench = *state;
	struct fake_user *all = user_open(bench), *some = user_open(bench), *none = user_open(bench);
	struct fake_agent *a = agent_open(bench, "edge-1");
	struct message everything = {.kind = MSG_SUBSCRIBE, .subscribe = {.kinds = ""}};
	struct message timeouts = {
		.kind = MSG_SUBSCRIBE, .switch_name = "edge-*", .subscribe = {.kinds = "timeout,port"}};
	struct message elsewhere = {.kind = MSG_SUBSCRIBE, .switch_name = "core-*", .subscribe = {.kinds = ""}};

	agent_connected(a);
	assert_int_equal(user_call(all, &everything)->kind, MSG_OK);
	user_call(some, &timeouts);
	user_call(none, &elsewhere);
	agent_send_event(a, "state", "one", 0);
	agent_send_event(a, "timeout", "two", 5);
	bench_until(bench, all->n_events >= 3 && some->n_events >= 2);
	assert_non_null(strstr(all->log, "state edge-1 one;"));
	assert_non_null(strstr(all->log, "lost edge-1 ;timeout edge-1 two;"));
	assert_null(strstr(some->log, "one"));
	assert_non_null(strstr(some->log, "timeout edge-1 two;"));
	agent_close(a);
	bench_until(bench, strstr(all->log, "switch edge-1 "));
	assert_int_equal(none->n_events, 0);
	user_close(all);
	user_close(some);
	user_close(none);
}

static void a_slow_subscriber_is_bounded_and_told(void **state)
{
	struct bench *bench = *state;
	struct fake_user *slow = user_open(bench);
	struct fake_agent *a = agent_open(bench, "edge-1");
	struct message everything = {.kind = MSG_SUBSCRIBE, .subscribe = {.kinds = "state"}};
	const unsigned n = 50;

	agent_connected(a);
	user_call(slow, &everything);
	slow->stalls = true;
	for (unsigned i = 0; i < n; i++)
		agent_send_event(a, "state", "x", 0);
	bench_until(bench, slow->n_events >= 16);
	bench_run_ms(bench, 100);
	assert_int_equal(slow->n_events, 16);
	user_release(slow);
	bench_until(bench, slow->n_lost == n - 16);
	agent_send_event(a, "state", "y", 0);
	bench_until(bench, strstr(slow->log, "y;"));
	assert_int_equal(slow->n_lost, n - 16);
	user_close(slow);
	agent_close(a);
}

static void strangers_are_refused_at_each_address(void **state)
{
	struct bench *bench = *state;
	struct fake_agent *bad = agent_open(bench, "no good name");
	struct fake_user *user = user_open(bench);
	struct message list = {.kind = MSG_GET_SWITCHES}, sync = {.kind = MSG_SYNC_END};

	bench_run_ms(bench, 200);
	assert_null(bad->controller);
	assert_int_equal(user_call(user, &list)->switches.n, 0);
	expect_error(user_call(user, &sync), ERROR_UNKNOWN, "does not answer");
	user_close(user);
	agent_close(bad);
}

static void known_switches_survive_the_controller(void **state)
{
	struct bench *bench = *state;
	struct fake_agent *a = agent_open(bench, "edge-1");
	struct fake_user *user;
	struct message list = {.kind = MSG_GET_SWITCHES}, msg = load("counter", counter_app, "*");

	agent_connected(a);
	agent_close(a);
	bench_run_ms(bench, 50);
	bench_kill(bench);
	bench_start(bench);
	user = user_open(bench);
	assert_int_equal(user_call(user, &list)->switches.n, 1);
	assert_false(user->reply->switches.item[0].connected);
	assert_string_equal(user->reply->switches.item[0].build, "fake");
	assert_int_equal(on_switch(user_call(user, &msg), "edge-1")->status, APPLIED_PENDING);
	user_close(user);
}

static void a_switch_that_is_away_can_be_forgotten(void **state)
{
	struct bench *bench = *state;
	struct fake_agent *a = agent_open(bench, "edge-1");
	struct fake_user *user = user_open(bench);
	struct message forget = {.kind = MSG_FORGET_SWITCH, .switch_name = "edge-1"};
	struct message list = {.kind = MSG_GET_SWITCHES};

	agent_connected(a);
	expect_error(user_call(user, &forget), ERROR_BUSY, "edge-1 is connected");
	agent_close(a);
	bench_until(bench, !user_call(user, &list)->switches.item[0].connected);
	assert_int_equal(user_call(user, &forget)->kind, MSG_OK);
	assert_int_equal(user_call(user, &list)->switches.n, 0);
	expect_error(user_call(user, &forget), ERROR_UNKNOWN, "there is no switch \"edge-1\"");
	user_close(user);
	bench_kill(bench);
	bench_start(bench);
	user = user_open(bench);
	assert_int_equal(user_call(user, &list)->switches.n, 0);
	a = agent_open(bench, "edge-1");
	agent_connected(a);
	assert_int_equal(user_call(user, &list)->switches.n, 1);
	agent_close(a);
	user_close(user);
}

static void two_agents_of_one_name_are_told(void **state)
{
	struct bench *bench = *state;
	struct fake_agent *a = agent_open(bench, "edge-1"), *b;
	struct fake_user *user = user_open(bench);
	struct message everything = {.kind = MSG_SUBSCRIBE, .subscribe = {.kinds = ""}};
	struct message list = {.kind = MSG_GET_SWITCHES};
	static const char told[] = "two agents with this name take the switch from each other";

	agent_connected(a);
	user_call(user, &everything);
	b = agent_open(bench, "edge-1");
	agent_connected(b);
	bench_until(bench, strstr(user->log, told));
	assert_non_null(strstr(user_call(user, &list)->switches.item[0].problem, told));
	agent_close(a);
	agent_close(b);
	user_close(user);
}

static void an_agent_that_was_started_again_is_no_second_one(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct message list = {.kind = MSG_GET_SWITCHES};

	for (int i = 0; i < 3; i++) {
		struct fake_agent *a = agent_open(bench, "edge-1");

		agent_connected(a);
		assert_string_equal(user_call(user, &list)->switches.item[0].problem, "");
		agent_close(a);
	}
	user_close(user);
}

static void a_difference_is_told_without_storing(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct message msg = load("counter", counter_app, "*"), diff = msg;
	struct msg_setting setting = {"limit", "99"};

	diff.kind = MSG_DIFF;
	expect_error(user_call(user, &diff), ERROR_UNKNOWN, "no deployment");
	user_call(user, &msg);
	assert_int_equal(user_call(user, &diff)->ok.count, 0);
	diff.deploy.setting = &setting;
	diff.deploy.n_settings = 1;
	assert_int_equal(user_call(user, &diff)->ok.count, 1);
	assert_int_equal(user->reply->ok.version, 1);
	user_close(user);
}

static void switches_that_run_it_tell_what_becomes_of_flows(void **state)
{
	struct bench *bench = *state;
	struct fake_user *user = user_open(bench);
	struct fake_agent *edge = agent_open(bench, "edge-1"), *core = agent_open(bench, "core-1");
	struct message msg = load("counter", counter_app, "edge-*"), diff = msg;
	struct msg_setting setting = {"limit", "99"};

	agent_connected(edge);
	agent_connected(core);
	user_call(user, &msg);
	diff.kind = MSG_DIFF;
	assert_string_equal(user_call(user, &diff)->ok.text, ""); /* Nothing changes: nobody is asked. */
	diff.deploy.setting = &setting;
	diff.deploy.n_settings = 1;
	user_call(user, &diff);
	assert_non_null(strstr(user->reply->ok.text, "edge-1: 2 flows are kept\nedge-1: 1 flow is lost\n"));
	assert_null(strstr(user->reply->ok.text, "core-1"));
	assert_int_not_equal(core->last_request, MSG_DIFF);
	agent_close(edge);
	agent_close(core);
	user_close(user);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_deployment_reaches_every_matching_switch),
		TEST(what_the_checker_refuses_is_not_stored),
		TEST(a_refusing_switch_keeps_its_version_and_is_shown),
		TEST(a_switch_that_comes_late_is_brought_up_to_date),
		TEST(an_equal_digest_synchronises_nothing),
		TEST(removing_takes_it_off_and_versions_go_on),
		TEST(another_pattern_takes_it_off_where_it_no_longer_matches),
		TEST(loading_the_same_again_is_no_new_version),
		TEST(a_change_based_on_an_old_version_is_refused),
		TEST(the_only_switch_need_not_be_named),
		TEST(a_user_who_leaves_is_not_answered),
		TEST(a_lost_connection_makes_changes_pending),
		TEST(events_reach_subscribers_with_the_switchs_name),
		TEST(a_slow_subscriber_is_bounded_and_told),
		TEST(strangers_are_refused_at_each_address),
		TEST(known_switches_survive_the_controller),
		TEST(a_switch_that_is_away_can_be_forgotten),
		TEST(two_agents_of_one_name_are_told),
		TEST(an_agent_that_was_started_again_is_no_second_one),
		TEST(a_difference_is_told_without_storing),
		TEST(switches_that_run_it_tell_what_becomes_of_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
