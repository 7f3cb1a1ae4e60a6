/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/log.h"

static uint64_t next_instance = 1000;

/* ---- bench ---------------------------------------------------------------------------------------- */

void bench_open(struct bench *bench)
{
	char text[128];

	memset(bench, 0, sizeof(*bench));
	log_set_level(LOG_LEVEL_ERROR);
	strcpy(bench->dir, "/tmp/mealy-bench-XXXXXX");
	assert_non_null(mkdtemp(bench->dir));
	bench->loop = ev_loop_new(EVFLAG_AUTO);
	snprintf(text, sizeof(text), "ipc://%s/run/agents.sock", bench->dir);
	bench->config.agents = strdup(text);
	snprintf(text, sizeof(text), "ipc://%s/run/users.sock", bench->dir);
	bench->config.users = strdup(text);
	snprintf(text, sizeof(text), "%s/state", bench->dir);
	bench->config.state = strdup(text);
	bench_start(bench);
}

void bench_start(struct bench *bench)
{
	char why[256];

	if (controller_new(bench->loop, &bench->config, &bench->controller, why) < 0)
		fail_msg("%s", why);
}

void bench_kill(struct bench *bench)
{
	controller_free(bench->controller);
	bench->controller = NULL;
}

void bench_close(struct bench *bench)
{
	char command[128];

	bench_kill(bench);
	config_done(&bench->config);
	ev_loop_destroy(bench->loop);
	snprintf(command, sizeof(command), "rm -r %s", bench->dir);
	assert_int_equal(system(command), 0);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	ev_break(loop, EVBREAK_ALL);
}

void bench_run_ms(struct bench *bench, unsigned ms)
{
	ev_timer timer;

	ev_timer_init(&timer, on_timer, ms / 1000.0, 0.0);
	ev_timer_start(bench->loop, &timer);
	ev_run(bench->loop, 0);
	ev_timer_stop(bench->loop, &timer);
}

void bench_wait(struct bench *bench, const volatile bool *flag, const char *what)
{
	for (int left = 2000; !*flag; left--) {
		if (!left)
			fail_msg("waited in vain for %s", what);
		bench_run_ms(bench, 10);
	}
}

/* ---- agent ---------------------------------------------------------------------------------------- */

static enum error_code agent_up(void *data, struct peer *peer, const struct msg_hello *hello)
{
	struct fake_agent *agent = data;

	agent->controller = peer;
	agent->syncing = false;
	return ERROR_NONE;
}

static void agent_down(void *data, struct peer *peer, const char *why)
{
	((struct fake_agent *)data)->controller = NULL;
}

static bool refuses(const struct fake_agent *agent, const struct deployment *d)
{
	return agent->refuses && strstr(d->text, agent->refuses);
}

static void put(struct deployment_list *list, const struct deployment *d)
{
	struct deployment copy;

	assert_int_equal(deployment_copy(d, &copy), 0);
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->item[i].name, d->name))
			continue;
		deployment_done(&list->item[i]);
		list->item[i] = copy;
		return;
	}
	assert_int_equal(deployment_list_take(list, &copy), 0);
}

static void drop(struct deployment_list *list, size_t i)
{
	deployment_done(&list->item[i]);
	list->item[i] = list->item[--list->n];
}

static void on_deploy(struct fake_agent *agent, struct peer *peer, const struct message *request)
{
	agent->n_deploys++;
	if (refuses(agent, &request->deploy)) {
		peer_reply_error(peer, request->id, ERROR_INVALID, "there is no port \"nowhere\"");
		return;
	}
	put(agent->syncing ? &agent->wanted : &agent->have, &request->deploy);
	agent->n_commits += !agent->syncing;
	peer_reply_ok(peer, request->id, "on the interpreter", request->deploy.version, 0);
}

static void on_sync_begin(struct fake_agent *agent, struct peer *peer, const struct message *request)
{
	struct msg_digest need[64];
	struct message reply = {.kind = MSG_SYNC_NEED, .switch_name = "", .sync = {.item = need}};

	agent->n_syncs++;
	agent->syncing = true;
	for (size_t i = 0; i < request->sync.n; i++) {
		const struct deployment *d = deployment_list_find(&agent->have, request->sync.item[i].name);

		if (!d || deployment_digest(d) != request->sync.item[i].digest)
			need[reply.sync.n++] = request->sync.item[i];
	}
	peer_reply(peer, request->id, &reply);
}

static void on_sync_end(struct fake_agent *agent, struct peer *peer, const struct message *request)
{
	for (size_t i = 0; i < agent->have.n;) {
		size_t j = 0;

		while (j < request->sync.n && strcmp(request->sync.item[j].name, agent->have.item[i].name))
			j++;
		if (j == request->sync.n)
			drop(&agent->have, i);
		else
			i++;
	}
	for (size_t i = 0; i < agent->wanted.n; i++)
		put(&agent->have, &agent->wanted.item[i]);
	deployment_list_done(&agent->wanted);
	agent->syncing = false;
	agent->n_commits++;
	peer_reply_ok(peer, request->id, "", 0, 0);
}

static void on_get_switch(struct fake_agent *agent, struct peer *peer, const struct message *request)
{
	struct msg_switch sw = {.name = agent->name,
				.connected = true,
				.address = "",
				.build = "fake",
				.kernel = "none",
				.version = 42,
				.n_flows = 7,
				.fail_mode = "secure",
				.problem = ""};
	struct message reply = {.kind = MSG_SWITCH, .switch_name = "", .switches = {.item = &sw, .n = 1}};

	peer_reply(peer, request->id, &reply);
}

static void agent_request(void *data, struct peer *peer, const struct message *request)
{
	struct fake_agent *agent = data;

	agent->n_requests++;
	agent->last_request = request->kind;
	if (agent->silent)
		return;
	assert_string_equal(request->switch_name, "");
	switch (request->kind) {
	case MSG_DEPLOY: on_deploy(agent, peer, request); return;
	case MSG_REMOVE:
		for (size_t i = 0; i < agent->have.n; i++)
			if (!strcmp(agent->have.item[i].name, request->remove.name))
				drop(&agent->have, i);
		peer_reply_ok(peer, request->id, "", request->remove.version, 0);
		return;
	case MSG_SYNC_BEGIN: on_sync_begin(agent, peer, request); return;
	case MSG_SYNC_END: on_sync_end(agent, peer, request); return;
	case MSG_GET_SWITCH: on_get_switch(agent, peer, request); return;
	case MSG_DIFF: peer_reply_ok(peer, request->id, "2 flows are kept\n1 flow is lost", 1, 1); return;
	default: peer_reply_error(peer, request->id, ERROR_UNKNOWN, "%s has none of that", agent->name);
	}
}

static const struct endpoint_ops agent_ops = {.up = agent_up, .down = agent_down, .request = agent_request};

static struct msg_hello agent_hello(const struct fake_agent *agent)
{
	struct msg_hello hello = {.role = ROLE_AGENT,
				  .name = agent->name,
				  .instance = next_instance++,
				  .wire_version = WIRE_VERSION,
				  .build = "fake",
				  .kernel = "none",
				  .n_ports = 2};

	for (size_t i = 0; i < agent->have.n; i++)
		hello.state_digest = state_digest_add(hello.state_digest, deployment_digest(&agent->have.item[i]));
	return hello;
}

struct fake_agent *agent_open(struct bench *bench, const char *name)
{
	static const struct endpoint_timings fast = {.backoff_min_ms = 20, .backoff_max_ms = 50};
	struct fake_agent *agent = calloc(1, sizeof(*agent));
	struct msg_hello hello;
	char why[256];

	agent->bench = bench;
	agent->name = name;
	hello = agent_hello(agent);
	if (endpoint_dial(bench->loop, bench->config.agents, false, &hello, &agent_ops, agent, &agent->endpoint, why) <
	    0)
		fail_msg("%s", why);
	endpoint_set_timings(agent->endpoint, &fast);
	return agent;
}

void agent_update_hello(struct fake_agent *agent)
{
	struct msg_hello hello = agent_hello(agent);

	endpoint_set_hello(agent->endpoint, &hello);
}

void agent_close(struct fake_agent *agent)
{
	endpoint_close(agent->endpoint);
	deployment_list_done(&agent->have);
	deployment_list_done(&agent->wanted);
	free(agent);
}

void agent_connected(struct fake_agent *agent)
{
	bench_until(agent->bench, agent->controller);
}

void agent_send_event(struct fake_agent *agent, const char *kind, const char *text, uint64_t lost)
{
	static uint64_t sequence;
	struct msg_event event = message_event(kind, text);
	struct message msg = {.kind = MSG_EVENTS,
			      .switch_name = "",
			      .events = {.sequence = ++sequence, .lost = lost, .item = &event, .n = 1}};

	assert_int_equal(peer_request(agent->controller, &msg, 0, NULL, NULL), 0);
}

/* ---- user ----------------------------------------------------------------------------------------- */

static enum error_code user_up(void *data, struct peer *peer, const struct msg_hello *hello)
{
	((struct fake_user *)data)->controller = peer;
	return ERROR_NONE;
}

static void user_down(void *data, struct peer *peer, const char *why)
{
	((struct fake_user *)data)->controller = NULL;
}

static void user_request(void *data, struct peer *peer, const struct message *request)
{
	struct fake_user *user = data;

	assert_int_equal(request->kind, MSG_EVENTS);
	user->n_batches++;
	user->n_lost += request->events.lost;
	for (size_t i = 0; i < request->events.n; i++) {
		const struct msg_event *e = &request->events.item[i];
		size_t used = strlen(user->log);

		user->n_events++;
		snprintf(user->log + used, sizeof(user->log) - used, "%s %s %s;", e->kind, e->switch_name, e->text);
	}
	if (user->stalls)
		user->unanswered[user->n_unanswered++] = request->id;
	else
		peer_reply_ok(peer, request->id, "", 0, 0);
}

void user_release(struct fake_user *user)
{
	user->stalls = false;
	while (user->n_unanswered)
		peer_reply_ok(user->controller, user->unanswered[--user->n_unanswered], "", 0, 0);
}

static const struct endpoint_ops user_ops = {.up = user_up, .down = user_down, .request = user_request};

struct fake_user *user_open(struct bench *bench)
{
	struct fake_user *user = calloc(1, sizeof(*user));
	struct msg_hello hello = {.role = ROLE_USER,
				  .name = "test",
				  .instance = next_instance++,
				  .wire_version = WIRE_VERSION,
				  .build = "",
				  .kernel = ""};
	char why[256];

	user->bench = bench;
	if (endpoint_dial(bench->loop, bench->config.users, false, &hello, &user_ops, user, &user->endpoint, why) < 0)
		fail_msg("%s", why);
	bench_until(bench, user->controller);
	return user;
}

void user_close(struct fake_user *user)
{
	endpoint_close(user->endpoint);
	message_free(user->reply);
	free(user);
}

static void user_answered(void *data, int status, const struct message *reply)
{
	struct fake_user *user = data;

	user->done = true;
	user->status = status;
	if (status == 0)
		assert_int_equal(message_copy(reply, &user->reply), 0);
}

void user_send(struct fake_user *user, struct message *request)
{
	if (!request->switch_name)
		request->switch_name = "";
	message_free(user->reply);
	user->reply = NULL;
	user->done = false;
	assert_int_equal(peer_request(user->controller, request, 0, user_answered, user), 0);
}

const struct message *user_wait(struct fake_user *user)
{
	bench_wait(user->bench, &user->done, "an answer");
	assert_int_equal(user->status, 0);
	return user->reply;
}

const struct message *user_call(struct fake_user *user, struct message *request)
{
	user_send(user, request);
	return user_wait(user);
}
