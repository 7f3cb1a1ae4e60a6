/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch_under_test - the agent's side of one switch without its loop, and packets that never stop.
 *
 * The application `pair` has two tables that both have the number of their version: a packet that meets the tables of
 * two versions, or a half-built one, is dropped by the rule `mixed`.  The first counts every packet in one flow.  The
 * application `extra` has a flow table and asks for a hook of its own. */
#ifndef MEALY_TESTS_FAULTS_SWITCH_UNDER_TEST_H
#define MEALY_TESTS_FAULTS_SWITCH_UNDER_TEST_H

#include "agent/counter.h"
#include "agent/flow_store.h"
#include "agent/instance.h"
#include "agent/state_dir.h"
#include "agent/version.h"
#include "agent/wiring.h"

#define SUT_PORT "fault0"

struct sut {
	struct config config;
	struct instance *instance;
	struct flow_store *flows;
	struct counter_store *counters;
	struct state_dir *dir;
	struct wiring *wiring;
	struct versions *versions;
	unsigned number; /* Of the last pair that was asked for. */
};

/* Loads the programs, makes the port and commits the first pair; packets begin to run on their own thread. */
void sut_open(struct sut *sut);
/* Stops the packets and checks the books: none lost, none mixed, each in its flow. */
void sut_close(struct sut *sut);

/* Drops what the agent holds in memory and recovers from pins and files, in the same load of the programs. */
void sut_restart(struct sut *sut);

void sut_make_port(void);
void sut_drop_port(void);

/* A set to apply: the next pair, with `extra` or without. */
struct desired *sut_next(struct sut *sut, bool extra);

/* Commits the next pair without `extra`; must succeed, and leave exactly the flow tables that it names. */
void sut_commit(struct sut *sut);

/* What runs is one whole version: chains, file and plan agree, packets go on and none was mixed. */
void sut_check(struct sut *sut);

#endif
