/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tiers - the tests of behaviour, run in the tier that main() was told. */
#ifndef MEALY_TEST_TIERS_H
#define MEALY_TEST_TIERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../harness/rig.h"

extern enum rig_tier tier;

/* A rig with one application, committed. */
struct rig *rig_with(const char *path_or_text, const char *setting);

/* Kernel tiers: the inner map of flow table 0, which the caller closes. */
int open_inner_map(struct rig *rig, const char *name);

/* Sends a frame and returns only the way out. */
enum exit_reason send_one(struct rig *rig, unsigned port, struct frame frame);

extern const struct CMUnitTest token_bucket_tests[], port_knocking_tests[], learning_tests[], firewall_tests[],
	counter_tests[], lifetime_tests[], frames_tests[], ways_out_tests[], limits_tests[], clock_tests[],
	unknown_state_tests[], exits_tests[], fold_tests[], elephant_tests[], syn_flood_tests[], small_tables_tests[],
	declared_tests[], loader_tests[], ports_tests[];
extern const size_t n_token_bucket_tests, n_port_knocking_tests, n_learning_tests, n_firewall_tests, n_counter_tests,
	n_lifetime_tests, n_frames_tests, n_ways_out_tests, n_limits_tests, n_clock_tests, n_unknown_state_tests,
	n_exits_tests, n_fold_tests, n_elephant_tests, n_syn_flood_tests, n_small_tables_tests, n_declared_tests,
	n_loader_tests, n_ports_tests;

#define TESTS(noun, ...)                                                                                               \
	const struct CMUnitTest noun##_tests[] = {__VA_ARGS__};                                                        \
	const size_t n_##noun##_tests = sizeof(noun##_tests) / sizeof(noun##_tests[0])

#endif
