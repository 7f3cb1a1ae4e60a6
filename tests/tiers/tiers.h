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

/* The same before a kernel whose neighbours do not answer: `route` leaves a packet to it as it was written. */
struct rig *rig_before_kernel(const char *path_or_text, const char *setting);

/* A rig whose only rule does 'action', before a kernel that knows ways for `route`; see routes.c. */
struct rig *rig_routing(const char *action);

/* Kernel tiers: the inner map of flow table 0, which the caller closes. */
int open_inner_map(struct rig *rig, const char *name);

/* Sends a frame and returns only the way out. */
enum exit_reason send_one(struct rig *rig, unsigned port, struct frame frame);

/* Name, name for people, also specialised: there each application is compiled, which takes a second a table, so those
 * that say most; all of them with MEALY_LONG. */
#define TIER_GROUPS(X)                                                                                                 \
	X(token_bucket, "token bucket", true)                                                                          \
	X(port_knocking, "port knocking", true)                                                                        \
	X(learning, "MAC learning", true)                                                                              \
	X(firewall, "UDP firewall", true)                                                                              \
	X(elephant, "elephant flows", false)                                                                           \
	X(syn_flood, "SYN flood", false)                                                                               \
	X(small_tables, "small tables", false)                                                                         \
	X(counter, "packet counter", false)                                                                            \
	X(lifetime, "lifetime of flows", false)                                                                        \
	X(frames, "frames", false)                                                                                     \
	X(ways_out, "ways out", false)                                                                                 \
	X(limits, "limits", false)                                                                                     \
	X(clock, "clock", false)                                                                                       \
	X(unknown_state, "unknown states", true)                                                                       \
	X(ports, "ports", false)                                                                                       \
	X(exits, "exits", false)                                                                                       \
	X(declared, "globals, headers and timeouts", false)                                                            \
	X(groups, "groups", false)                                                                                     \
	X(meters, "meters", false)                                                                                     \
	X(group_examples, "examples of groups and meters", false)                                                      \
	X(loader, "LOADER", false)                                                                                     \
	X(learn, "learn and allocate", false)                                                                          \
	X(entries, "match tables", false)                                                                              \
	X(forwarding, "forwarding by entries", true)                                                                   \
	X(tcp_track, "TCP connections", false)                                                                         \
	X(optimistic_ack, "optimistic acknowledgements", false)                                                        \
	X(kv_cache, "key-value cache", false)                                                                          \
	X(flowlet, "flowlets", false)                                                                                  \
	X(spider, "SPIDER", false)                                                                                     \
	X(paxos, "Paxos", false)                                                                                       \
	X(nat, "NAT", false)                                                                                           \
	X(napt, "NAPT", false)                                                                                         \
	X(balancer, "load balancers", false)                                                                           \
	X(routes, "routes", false)                                                                                     \
	X(segments, "segment lists", false)                                                                            \
	X(packets, "packets", false)                                                                                   \
	X(fold, "fold", true)

#define TIER_GROUP(noun, name, specialised)                                                                            \
	extern const struct CMUnitTest noun##_tests[];                                                                 \
	extern const size_t n_##noun##_tests;
TIER_GROUPS(TIER_GROUP)
#undef TIER_GROUP

#define TESTS(noun, ...)                                                                                               \
	const struct CMUnitTest noun##_tests[] = {__VA_ARGS__};                                                        \
	const size_t n_##noun##_tests = sizeof(noun##_tests) / sizeof(noun##_tests[0])

#endif
