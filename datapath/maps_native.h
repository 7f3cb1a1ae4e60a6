/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maps_native - the maps of the switch as ordinary memory.
 *
 * Own memory: what BPF maps hold, with spin locks of C11 atomics; any number of threads run frames while tables,
 * chains and ports stay as they are.
 *
 * A source (native_new()): tables, chains, descriptors, records and buckets are read from it.  The first touch of a
 * record, a line or a descriptor copies it to the overlay, and from then on the copy is meant: what frames write is
 * seen by later frames of the same switch and by nobody else.  One thread. */
#ifndef MEALY_MAPS_NATIVE_H
#define MEALY_MAPS_NATIVE_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "native.h"

struct lock_line {
	atomic_uint taken;
	__u8 zero[60];
};
_Static_assert(sizeof(struct lock_line) == 64, "one lock a cache line");

/* Slots given back, first in first out. */
struct native_queue {
	pthread_mutex_t mutex;
	__u32 *slot;
	unsigned room, first, n;
};

struct native_flows {
	bool valid;
	struct flow_desc desc;
	__u64 *records; /* capacity + 1 of them; slots start at 1. */
	struct bucket *buckets;
	struct native_queue returned;
	struct match_desc *match; /* NULL: no masks. */
};

enum overlay_kind { OVERLAY_DESC, OVERLAY_RECORD, OVERLAY_BUCKET };
enum { OVERLAY_LISTS = 1024 };

struct overlay_item {
	struct overlay_item *next;
	enum overlay_kind kind;
	__u32 flow_table, index;
	__u64 bytes[];
};

struct native_switch {
	struct native_source source;
	bool has_source;
	struct table *table[TABLE_ELEMENTS];
	struct chain chain[VERSIONS * HOOK_MAX];
	struct native_flows flows[FLOW_TABLES_MAX];
	struct overlay_item *overlay[OVERLAY_LISTS];
	unsigned active;
	bool port_up[PORTS_MAX + 1];
	struct template *template_[TEMPLATE_ELEMENTS];
	native_route_fn route;
	void *route_data;
	__u64 seed;
	_Atomic __u64 random; /* State of the generator. */
	struct globals *globals;
	struct groups *groups;
	struct meters *meters;
	struct segment_lists *segments; /* NULL: no list was written, or those of the source. */
	_Atomic __u64 events;
	struct punt_limit punt_limit;
	struct lock_line *locks;
	struct counter *counters;
};

/* Cold halves, in native.c. */
__u64 *native_overlay(struct native_switch *sw, enum overlay_kind kind, __u32 flow_table, __u32 index);
__u32 native_overlay_slot(struct native_switch *sw, __u32 flow_table);
__u64 native_random(struct native_switch *sw);
__u32 native_queue_pop(struct native_queue *queue);
void native_queue_push(struct native_queue *queue, __u32 slot);
/* The overlay's copy of a descriptor, or own memory's; NULL: no such flow table. */
struct flow_desc *native_desc(struct native_switch *sw, __u32 flow_table);
/* The masks of a match table; NULL: it has none. */
const struct match_desc *native_match(struct native_switch *sw, __u32 flow_table);

#endif
