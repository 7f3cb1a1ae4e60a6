/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maps - the BPF maps of the switch.  Names and roles: README.md; element types: pipeline.h.
 *
 * Weak, so that each of the three compilation units defines the same map and the linker of BPF
 * objects keeps one.  The agent pins by name and reuses what is pinned.  The inner maps below
 * are patterns: BPF_F_INNER_MAP lets each flow table have its own number of elements. */
#ifndef MEALY_MAPS_H
#define MEALY_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "pipeline.h"
#include "scratch.h"

#define MAP(name) name __attribute__((weak)) SEC(".maps")

struct lock_line {
	struct bpf_spin_lock lock;
	__u8 zero[60];
};
_Static_assert(sizeof(struct lock_line) == 64, "one lock a cache line");

enum { RETURNED_PATTERN = 1, PORT_HASH_MAX = 4 * PORTS_MAX, EVENT_RING_BYTES = 1 << 20 };

#define ARRAY_MAP(name, element, n, flags)                                                                             \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                                      \
		__uint(max_entries, n);                                                                                \
		__uint(map_flags, flags);                                                                              \
		__type(key, __u32);                                                                                    \
		__type(value, element);                                                                                \
	} MAP(name)

#define PERCPU_MAP(name, element, n)                                                                                   \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                                               \
		__uint(max_entries, n);                                                                                \
		__type(key, __u32);                                                                                    \
		__type(value, element);                                                                                \
	} MAP(name)

#define PROGRAM_MAP(name, n)                                                                                           \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY);                                                                 \
		__uint(max_entries, n);                                                                                \
		__uint(key_size, 4);                                                                                   \
		__uint(value_size, 4);                                                                                 \
	} MAP(name)

/* One inner ARRAY, mappable, for each flow table.  By sizes: clang 14 forgets the type of an inner element
 * that the unit does not use by value. */
#define FLOW_MAP(name, size)                                                                                           \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                                              \
		__uint(max_entries, FLOW_TABLES_MAX);                                                                  \
		__type(key, __u32);                                                                                    \
		__array(                                                                                               \
			values, struct {                                                                               \
				__uint(type, BPF_MAP_TYPE_ARRAY);                                                      \
				__uint(max_entries, 1);                                                                \
				__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);                                   \
				__uint(key_size, 4);                                                                   \
				__uint(value_size, size);                                                              \
			});                                                                                            \
	} MAP(name)

ARRAY_MAP(active, __u32, 1, BPF_F_MMAPABLE);
ARRAY_MAP(chains, struct chain, VERSIONS *HOOK_MAX, BPF_F_MMAPABLE);
ARRAY_MAP(tables, struct table, TABLE_ELEMENTS, BPF_F_MMAPABLE);
PERCPU_MAP(scratch, struct scratch, HOOK_MAX + 1);

/* Reached by address and not by lookup, so also under a lock.  Each defined once, in switch_control.bpf.c: the linker
 * of BPF objects keeps every copy of data, weak or not. */
extern struct globals globals SEC(".data.globals");
extern struct groups groups SEC(".data.groups");
extern struct meters meters SEC(".data.meters");

ARRAY_MAP(templates, struct template, TEMPLATE_ELEMENTS, BPF_F_MMAPABLE);

PROGRAM_MAP(root_xdp, VERSIONS);
PROGRAM_MAP(root_tci, VERSIONS);
PROGRAM_MAP(root_tce, VERSIONS);
PROGRAM_MAP(interp_xdp, INTERP_MAX);
PROGRAM_MAP(interp_tci, INTERP_MAX);
PROGRAM_MAP(interp_tce, INTERP_MAX);
#ifdef MEALY_SPECIALISED
PROGRAM_MAP(special, SPECIAL_PROGRAMS);
#else
PROGRAM_MAP(special_xdp0, SPECIAL_PROGRAMS);
PROGRAM_MAP(special_xdp1, SPECIAL_PROGRAMS);
PROGRAM_MAP(special_tci0, SPECIAL_PROGRAMS);
PROGRAM_MAP(special_tci1, SPECIAL_PROGRAMS);
PROGRAM_MAP(special_tce0, SPECIAL_PROGRAMS);
PROGRAM_MAP(special_tce1, SPECIAL_PROGRAMS);
#endif

FLOW_MAP(records, RECORD_LINE_SIZE);
FLOW_MAP(buckets, sizeof(struct bucket));
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FLOW_TABLES_MAX);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_QUEUE);
			__uint(max_entries, RETURNED_PATTERN);
			__uint(key_size, 0);
			__uint(value_size, 4);
		});
} MAP(returned);
ARRAY_MAP(flow_desc, struct flow_desc, FLOW_TABLES_MAX, BPF_F_MMAPABLE);
ARRAY_MAP(match, struct match_desc, FLOW_TABLES_MAX, BPF_F_MMAPABLE);
ARRAY_MAP(segments, struct segment_lists, 1, BPF_F_MMAPABLE);
ARRAY_MAP(locks, struct lock_line, LOCKS, 0);

PERCPU_MAP(counters, struct counter, COUNTERS);
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENT_RING_BYTES);
} MAP(events);
PERCPU_MAP(event_seq, __u64, 1);
ARRAY_MAP(watcher, __u32, 1, 0);
ARRAY_MAP(punt_limit, struct punt_limit, 1, BPF_F_MMAPABLE);

ARRAY_MAP(port_of_if, struct port_line, PORT_LINES, 0);
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PORT_HASH_MAX);
	__type(key, __u32);
	__type(value, __u32);
} MAP(port_hash);
ARRAY_MAP(ports, struct port_info, PORTS_MAX + 1, BPF_F_MMAPABLE);
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, PORTS_MAX + 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} MAP(tx_ports);

ARRAY_MAP(test_clock, struct test_input, 1, BPF_F_MMAPABLE);
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(max_entries, 1);
			__type(key, __u32);
			__type(value, __u32);
		});
} MAP(grace);

#endif
