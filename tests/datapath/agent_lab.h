/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent_lab - what the tests of the agent's kernel side share: root, a network namespace, commands. */
#ifndef MEALY_TESTS_AGENT_LAB_H
#define MEALY_TESTS_AGENT_LAB_H

#include <stdbool.h>

enum { LAB_SKIP = 77 };

/* Exits with LAB_SKIP unless this is root, then moves the process into a network namespace of its own. */
void lab_enter(void);

/* Runs a shell command; the test fails if the command does. */
void lab_sh(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A name for a switch that no other test uses at the same time. */
const char *lab_switch_name(void);

/* True if the kernel's BPF program 'id' is gone, or goes within two seconds (it is freed after grace). */
bool lab_program_goes(unsigned id);

#endif
