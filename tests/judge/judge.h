/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge - what an application does to packets, as the language means it.
 *
 * Executes the checked application itself, its expressions as trees and its flows in a list.  It knows no encoding, no
 * bucket, no lock and no other packet at the same time, and includes nothing of the datapath but names of ways out.
 * What it says is what tables/README.md and the reference of the language say. */
#ifndef MEALY_JUDGE_H
#define MEALY_JUDGE_H

#include "../../tables/app.h"
#include "judge_packet.h"

enum { JUDGE_REGISTERS = 28, JUDGE_KEY_PARTS = 24, JUDGE_EVENTS = 32 };

/* What a flow holds of another table (allocate): the record with this key. */
struct judge_claim {
	bool held;
	struct judge_value key[JUDGE_KEY_PARTS];
};

struct judge_meter {
	uint64_t committed, peak; /* Tokens. */
	uint64_t last_ns;	  /* 0: never charged, both buckets are full. */
};

struct judge_flow {
	struct judge_value key[JUDGE_KEY_PARTS]; /* In the order of the key, a biflow as its ends: see judge_key(). */
	unsigned n_key;
	unsigned state; /* Index in app_table.state. */
	uint64_t last_used_ns;
	uint64_t hard_ns; /* When its hard timeout falls due, 0: none armed. */
	struct judge_value reg[JUDGE_REGISTERS];
	struct judge_claim claim;
};

struct judge_table {
	const struct app_table *app;
	struct judge_flow *flow;
	unsigned n_flows;
	uint64_t rule[RULES_ROOM]; /* Packets by rule, RULE_OTHERWISE and RULE_ABSENT too. */
	uint64_t created, expired, evicted, freed, full, learned, tries, failed;
	uint64_t told_full_ns;
	/* A flow that was due made room.  Which one, of several, the language leaves open. */
	bool was_tight;
};

struct judge_event {
	enum event_kind kind;
	unsigned table, old_state, new_state;
	unsigned rule; /* RULES_ROOM: none. */
};

struct judge_result {
	enum exit_reason exit;
	unsigned out_port;
	struct frame frame;
	bool retagged; /* A tag was pushed, popped or written. */
	unsigned n_events;
	struct judge_event event[JUDGE_EVENTS];
};

struct judge {
	const struct app *app;
	enum hook_id hook;
	unsigned n_ports; /* 1..n_ports are there. */
	uint64_t random;  /* State of the generator that `random` draws from; the caller sets it. */
	uint64_t global[APP_GLOBALS_MAX];
	struct judge_meter meter[APP_METERS_MAX];
	struct judge_table table[APP_TABLES_MAX];
};

/* 'app' must live as long as the judge.  All its tables run at 'hook'. */
struct judge *judge_new(const struct app *app, enum hook_id hook, unsigned n_ports);
void judge_free(struct judge *j);

/* One packet.  Time must not run backwards. */
struct judge_result judge_send(struct judge *j, unsigned port, const struct frame *frame, uint64_t now_ns);

/* A copy of the flow as a packet at 'now_ns' would find it.  False: it would not. */
bool judge_flow_now(const struct judge *j, unsigned table, const struct judge_flow *flow, uint64_t now_ns,
		    struct judge_flow *ret_flow);

/* What the application has that the judge does not execute ("groups"), or NULL. */
const char *judge_lacks(const struct app *app);

#endif
