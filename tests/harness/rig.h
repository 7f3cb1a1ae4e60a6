/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rig - a switch without daemons: applications from YAML, run frame by frame with injected time.
 *
 * One interface over all tiers, so that a test of behaviour is written once and run in each: the
 * real programs through BPF_PROG_TEST_RUN at XDP, tc ingress and tc egress, and the native build.
 *
 *     struct rig *rig = rig_open(RIG_XDP);
 *     rig_load(rig, "examples/port-knocking.yaml", NULL);
 *     rig_commit(rig);
 *     struct rig_result r = rig_send(rig, 1, PKT(.ip_src = CLIENT, .tcp_dport = 1111));
 *     assert_int_equal(r.exit, EXIT_DROP);
 *     rig_advance_ms(rig, 60000);
 *
 * The kernel tiers need root and live in a network namespace of the test program's own, with
 * RIG_PORTS veths as ports 1..RIG_PORTS.  A fault of the rig itself ends the program. */
#ifndef MEALY_TEST_RIG_H
#define MEALY_TEST_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "../../datapath/native.h"
#include "../../tables/app.h"
#include "../../tables/layout.h"
#include "frame.h"

/* RIG_SPECIALISED: at XDP, with the same source compiled around each table (needs clang at test time). */
enum rig_tier { RIG_XDP, RIG_TC_INGRESS, RIG_TC_EGRESS, RIG_NATIVE, RIG_SPECIALISED, RIG_TIER_MAX };
enum { RIG_PORTS = 4, RIG_SKIP = 77, RIG_EVENTS = 16 };

struct rig;

const char *rig_tier_name(enum rig_tier tier);
bool rig_can(enum rig_tier tier); /* False: no root. */

struct rig *rig_open(enum rig_tier tier);
/* The same on the machine's clock instead of the injected one, for the benchmark. */
struct rig *rig_open_live(enum rig_tier tier);
void rig_close(struct rig *rig);

/* Adds an application to the version being prepared: a path from the top of the tree, or YAML text that
 * begins with "app:".  Then NULL-terminated "name=value" settings; ports are named "port1".. */
void rig_load(struct rig *rig, const char *path_or_text, ...);
/* Builds all loaded applications into the slot that is not active and commits; flow tables are kept
 * when name and layout are equal.  rig_unload_all() begins again with none. */
void rig_commit(struct rig *rig);
void rig_unload_all(struct rig *rig);

struct rig_result {
	enum exit_reason exit; /* The one exit counter that went up; EXIT_NONE: none or several. */
	unsigned out_port;     /* Whose tx counter went up, 0: none. */
	struct frame frame;    /* As it left the program. */
	unsigned left;	       /* rig_send_real() at tc: bits of the ports it left by. */
	unsigned n_events;     /* Of this frame; rig_send() only. */
	struct event event[RIG_EVENTS];
};

struct rig_result rig_send(struct rig *rig, unsigned port, struct frame frame);

/* The same with a real frame on the devices where a test run cannot show it (tc): see rig_real.h.  What passes leaves
 * by the port it came from. */
struct rig_result rig_send_real(struct rig *rig, unsigned port, struct frame frame);

/* The last frame that left 'port' after rig_send_real() at tc; result.left says whether one did. */
const struct frame *rig_left(struct rig *rig, unsigned port);

/* From now on rig_send() tells in its result what the programs told; the native tier always does. */
void rig_watch_events(struct rig *rig);

/* Runs one frame 'times' times without looking at results. */
void rig_repeat(struct rig *rig, unsigned port, struct frame frame, unsigned times);

/* Injected time: begins at 1000 s, moves only here. */
uint64_t rig_now_ns(struct rig *rig);
void rig_advance_ms(struct rig *rig, uint64_t ms);
void rig_advance_ns(struct rig *rig, uint64_t ns);

/* The state of the generator that `random` draws from; see datapath/hash.h. */
void rig_set_random(struct rig *rig, uint64_t state);

/* Native tier only: who answers `route`. */
void rig_set_router(struct rig *rig, native_route_fn route);

/* Runs the agent's part of expiry on every table. */
void rig_expire(struct rig *rig);

/* The global "app/name"; a person's write. */
uint64_t rig_global(struct rig *rig, const char *name);
void rig_set_global(struct rig *rig, const char *name, uint64_t value);
/* Makes the members of the first application's groups what 'changes' (tables/group.h) leaves of them. */
void rig_change_members(struct rig *rig, const char *changes);
/* Packets given to a member; groups count from 0 in the order of the file. */
uint64_t rig_member_packets(struct rig *rig, unsigned group, unsigned id);

/* Packets counted by "app/table/rule" (rule by name, "otherwise" or "absent"). */
uint64_t rig_rule_count(struct rig *rig, const char *name);
uint64_t rig_table_count(struct rig *rig, const char *table, enum table_stat stat);
uint64_t rig_exit_count(struct rig *rig, unsigned port, enum exit_reason reason);

/* By its index of pipeline.h. */
uint64_t rig_counter(struct rig *rig, unsigned index);
/* A counter of "app/table". */
uint64_t rig_table_stat(struct rig *rig, const char *table, enum table_stat stat);

/* Live flows of "app/table".  'flow' gets the layout and a copy of the record. */
typedef void (*rig_flow_fn)(void *data, const struct layout *layout, const uint64_t *words);
unsigned rig_flows(struct rig *rig, const char *table, rig_flow_fn flow, void *data);
/* State name of the flow whose key field 'key' renders as 'value', or NULL; and a register of it. */
const char *rig_state(struct rig *rig, const char *table, const char *key, const char *value);
uint64_t rig_register(struct rig *rig, const char *table, const char *key, const char *value, const char *reg);

/* Entries of the match table "app/table", written "COLUMN=TEXT COLUMN=TEXT": put there (errors are returned), taken
 * away, and how many packets one has counted (~0: there is none). */
int rig_put_entry(struct rig *rig, const char *table, const char *cells);
int rig_remove_entry(struct rig *rig, const char *table, const char *cells);
uint64_t rig_entry_packets(struct rig *rig, const char *table, const char *cells);
/* The memory in which packets find lists of segments. */
struct segment_lists *rig_segments(struct rig *rig);

/* Kernel tiers only.  Deletes the live flows of "app/table" whose records have not changed since they were read; 'flow'
 * gets exactly what was deleted. */
unsigned rig_delete_flows(struct rig *rig, const char *table, rig_flow_fn flow, void *data);
/* Kernel tiers only.  Gives the flow that 'words' is a record of its state and registers; it is created if needed. */
void rig_set_flow(struct rig *rig, const char *table, const uint64_t *words);

/* Kernel tiers only. */
int rig_map_fd(struct rig *rig, const char *name);
void rig_set_punt_limit(struct rig *rig, unsigned rate_pps, unsigned burst);

/* For bench: the root program of the tier's hook, and the interface of a port. */
int rig_root_fd(struct rig *rig);
unsigned rig_ifindex(struct rig *rig, unsigned port);

/* Machine code of the version's programs in bytes: the interpreter's (entry, table, action), or the specialised one of
 * the first table, with its read-only data; and whether that uses a map of the instance. */
unsigned rig_interpreter_size(struct rig *rig);
unsigned rig_special_size(struct rig *rig, unsigned *ret_rodata);
bool rig_special_uses(struct rig *rig, const char *map);

#endif
