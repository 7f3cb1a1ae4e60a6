/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake - agents and users of a controller, all in one loop, for tests: no kernel, no root.
 *
 * A fake agent keeps deployments as a real one does (versions, digests, synchronisation) and can be
 * told to refuse, to be silent, or to answer requests with canned replies. */
#ifndef MEALY_TEST_FAKE_H
#define MEALY_TEST_FAKE_H

#include "controller/config.h"
#include "controller/controller.h"
#include "controller/deployment.h"

struct bench {
	struct ev_loop *loop;
	char dir[64];
	struct config config;
	struct controller *controller; /* NULL while it is dead. */
};

struct fake_agent {
	struct bench *bench;
	struct endpoint *endpoint;
	struct peer *controller; /* NULL: not connected. */
	const char *name;
	struct deployment_list have;
	struct deployment_list wanted; /* Of a synchronisation: got so far. */
	bool syncing;
	const char *refuses; /* Refuses deployments whose text has this, NULL: none. */
	bool silent;	     /* Answers nothing. */
	unsigned n_deploys, n_syncs, n_commits, n_requests;
	enum message_kind last_request;
};

struct fake_user {
	struct bench *bench;
	struct endpoint *endpoint;
	struct peer *controller;
	struct message *reply; /* Of the last call. */
	int status;
	bool done;
	bool stalls; /* Does not answer events until user_release(). */
	uint64_t unanswered[64];
	unsigned n_unanswered;
	unsigned n_events, n_batches;
	uint64_t n_lost;
	char log[4096]; /* "kind switch text;" of each event. */
};

void bench_open(struct bench *bench);
void bench_close(struct bench *bench);
void bench_start(struct bench *bench); /* The controller ... */
void bench_kill(struct bench *bench);  /* ... forgotten as by kill -9: nothing is written at the end. */

/* Runs the loop until '*flag' is set or a few seconds pass, which fails the test. */
void bench_wait(struct bench *bench, const volatile bool *flag, const char *what);
void bench_run_ms(struct bench *bench, unsigned ms);
#define bench_until(bench, condition)                                                                                  \
	do {                                                                                                           \
		for (int left_ = 800; !(condition); left_--) {                                                         \
			if (!left_)                                                                                    \
				fail_msg("waited in vain for " #condition);                                            \
			bench_run_ms(bench, 10);                                                                       \
		}                                                                                                      \
	} while (0)

struct fake_agent *agent_open(struct bench *bench, const char *name);
void agent_close(struct fake_agent *agent);
/* The digest of what it has, as its hello says. */
void agent_update_hello(struct fake_agent *agent);
void agent_connected(struct fake_agent *agent);
void agent_send_event(struct fake_agent *agent, const char *kind, const char *text, uint64_t lost);

struct fake_user *user_open(struct bench *bench);
void user_close(struct fake_user *user);
/* Asks and waits; the answer is the user's until the next call. */
const struct message *user_call(struct fake_user *user, struct message *request);
void user_send(struct fake_user *user, struct message *request);
const struct message *user_wait(struct fake_user *user);
void user_release(struct fake_user *user);

#endif
