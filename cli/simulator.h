/* SPDX-License-Identifier: GPL-2.0-or-later */
/* simulator - one application on a switch of its own: the datapath's native build.
 *
 * The same source as in the kernel runs the frames; time is what the caller says.  Timeouts fall when
 * a packet meets its flow, and in simulator_expire(). */
#ifndef MEALY_SIMULATOR_H
#define MEALY_SIMULATOR_H

#include "../datapath/native.h"
#include "../proto/message.h"
#include "source.h"

/* Ports by name, numbered in the order in which the application asks for them. */
struct simulator_ports {
	char name[PORTS_MAX + 1][NAME_LEN_MAX + 1]; /* By number; "" is free. */
	unsigned n;
};

/* For source_read(): numbers every new name. */
struct port_names simulator_port_names(struct simulator_ports *ports);
/* By name or number; 0: no such port and no room for another. */
unsigned simulator_port(struct simulator_ports *ports, const char *name);

struct simulator;

/* 'source' has an application and must outlive the simulator.  Returns 0 or an exit code after saying
 * what is wrong. */
int simulator_new(const struct source *source, const struct simulator_ports *ports, uint64_t seed,
		  struct simulator **ret_simulator);
void simulator_free(struct simulator *sim);

/* Runs one frame; see native_run().  The result is the simulator's until the next run. */
const struct native_result *simulator_run(struct simulator *sim, unsigned port, uint64_t now_ns, uint8_t **frame,
					  unsigned size, unsigned room);

/* Explains a step of the last result, for step_print.h: 0 and a step for simulator_explained(), or -ENOMEM. */
struct explanation;
int simulator_explain(struct simulator *sim, const struct native_step *step, struct msg_traced_step *ret_step,
		      struct explanation *ret_owner);

/* Falls and frees what is due at 'now_ns'. */
void simulator_expire(struct simulator *sim, uint64_t now_ns);

/* What was counted.  Tables that lie on another hook are left out. */
struct simulator_table {
	const struct app_table *table;
	uint64_t stat[TABLE_STAT_MAX];
	uint64_t n_flows;
};
bool simulator_table(struct simulator *sim, unsigned index, struct simulator_table *ret_table);
/* 'rule' is an index of the table's rules, RULE_OTHERWISE or RULE_ABSENT. */
struct counter simulator_rule(struct simulator *sim, unsigned table, unsigned rule);
/* A global as the last frame left it. */
uint64_t simulator_global(struct simulator *sim, unsigned index);
struct counter simulator_exit(struct simulator *sim, unsigned port, enum exit_reason reason);

#endif
