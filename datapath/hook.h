/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook - the one vocabulary that every place where packets run supplies.
 *
 * switch.h, flow_table.h and xfsm_*.h are written in these names only, so the same source runs at
 * XDP, at tc, in the control program and as native code.  A hook is chosen at compile time:
 *
 *     MEALY_HOOK_XDP      hook_xdp.h      + maps.h          switch_xdp.bpf.c
 *     MEALY_HOOK_TC       hook_tc.h       + maps.h          switch_tc.bpf.c (ingress and egress)
 *     MEALY_HOOK_CONTROL  hook_control.h  + maps.h          switch_control.bpf.c
 *     MEALY_HOOK_TRACE    hook_trace.h    + maps.h          switch_trace.bpf.c
 *     none of these       hook_native.h   + maps_native.h   native.c
 *
 * Each of these headers defines 'struct hook' (members: at least 'id', enum hook_id, a constant in
 * BPF) and every function below.  The prototypes here make the compiler hold them to it.  All are
 * inlined: in BPF a hook is a structure that never reaches memory.
 *
 * Tail calls.  switch_entry(), switch_table(), switch_action(), switch_match(), switch_learn() and switch_packet() are
 * the bodies of the programs of a hook.  Each returns a verdict of the hook (what hook_pass() and its fellows return).
 * They end in "go on with program P" by returning hook_tail(): in BPF it does not return, unless
 * it failed: then TAIL_FAILED, and the caller leaves with a counted reason.  Native code cannot tail call: there
 * hook_tail() returns the TAIL_* of the program, the body returns that to its caller, and the
 * caller's loop runs the body it names with the same scratch:
 *
 *     int ret = switch_entry(h, s, slot);
 *     while (ret is a TAIL_*)
 *             ret = the body that ret names (h, s);
 *
 * switch.h keeps the budget of tail calls itself (scratch.tails), so the loop ends.
 *
 * Between hook_lock() and hook_unlock() nothing of this header may be called but atomics
 * and the READ/WRITE macros of order.h. */
#ifndef MEALY_HOOK_H
#define MEALY_HOOK_H

#include "hash.h"
#include "pipeline.h"
#include "scratch.h"
#include "order.h"

#define HOOK_FN static inline __attribute__((always_inline, unused))

/* ---- loops --------------------------------------------------------------------------------------- *
 *
 * The interpreter keeps its loops; around constant tables (MEALY_SPECIALISED) those over what a table lists unroll and
 * fold, and those over what a packet finds stay loops. */
#define KEEP_LOOP _Pragma("clang loop unroll(disable)")
#ifdef MEALY_SPECIALISED
#define LOOP	    _Pragma("clang loop unroll(full)")
#define OPAQUE(x)   ((void)0)
#define AGAIN(x)    (x)
#define BELOW(a, b) ((__u64)(a) < (__u64)(b))
#else
#define LOOP	    _Pragma("clang loop unroll(disable)")
/* The compiler may not reason about where 'x' came from. */
#define OPAQUE(x)   __asm__ volatile("" : "+r"(x))
/* Reads a bound of a loop from its table once more: a copy kept in a register would collect what the verifier learns
 * about it, differently on each path, and no two paths would ever be alike again. */
#define AGAIN(x)    (*(const volatile __typeof__(x) *)&(x))
/* a < b without a branch: the borrow of a - b.  A branch would cost the processor a guess and the verifier a path. */
#define BELOW(a, b) (((~(a) & (b)) | ((~(a) | (b)) & ((a) - (b)))) >> 63)
#endif

struct hook;
struct lock_line;

/* Never a verdict of any hook. */
enum tail { TAIL_FAILED = 0x10000, TAIL_TABLE, TAIL_ACTION, TAIL_MATCH, TAIL_LEARN, TAIL_PACKET };

/* ---- the packet's surroundings ------------------------------------------------------------ */

/* The switch's clock: monotonic ns + 2^TIME_BASE_NS_SHIFT, or the injected one of tests. */
HOOK_FN __u64 hook_now_ns(struct hook *h);
/* The same clock at the kernel's tick, for the last use of flows whose table reads no time. */
HOOK_FN __u64 hook_coarse_ns(struct hook *h);
/* 64 random bits. */
HOOK_FN __u64 hook_random(struct hook *h);
HOOK_FN __u32 hook_cpu(struct hook *h);
/* Bytes of the frame from Ethernet on, a VLAN tag kept beside the frame included. */
HOOK_FN __u32 hook_length(struct hook *h);
/* 1, or the segments of an aggregated frame. */
HOOK_FN __u32 hook_frames(struct hook *h);
/* Number of the switch's port that the hook sits on: 1..PORTS_MAX, or 0. */
HOOK_FN __u32 hook_port(struct hook *h);
/* Port the frame came in by: the same at XDP and tc ingress; at tc egress where it came from, or 0. */
HOOK_FN __u32 hook_in_port(struct hook *h);
/* True for a copy that the switch itself made at tc egress; takes its mark off. */
HOOK_FN bool hook_is_copy(struct hook *h);
/* Copies the first 'size' bytes of the frame, 1..PUNT_BYTES_MAX.  0, or nonzero if it has fewer. */
HOOK_FN int hook_read(struct hook *h, void *buf, __u32 size);

/* ---- ways out ---------------------------------------------------------------------------------- *
 *
 * Each returns the hook's verdict.  Those that may fail say in '*reason' what became of the frame:
 * EXIT_OUTPUT, EXIT_FLOOD, EXIT_REFLECT, or EXIT_NO_PORT, EXIT_REDIRECT_FAILED (the verdict is a drop then).
 * After hook_flood() and hook_copies() the scratch belongs to somebody else: nested runs may have used it. */
HOOK_FN int hook_pass(struct hook *h);
HOOK_FN int hook_deliver(struct hook *h);
HOOK_FN int hook_drop(struct hook *h);
/* What the agent configured for packets that met a fault of the switch itself. */
HOOK_FN int hook_fault(struct hook *h);
HOOK_FN int hook_output(struct hook *h, __u32 port, enum exit_reason *reason);
/* Copies to all ports in 'ports' (bit port - 1) but 'port'; tc only. */
HOOK_FN int hook_copies(struct hook *h, __u64 ports, __u32 port, enum exit_reason *reason);
HOOK_FN int hook_flood(struct hook *h, __u32 port, enum exit_reason *reason);
HOOK_FN int hook_reflect(struct hook *h, enum exit_reason *reason);
HOOK_FN int hook_tail(struct hook *h, enum interp_prog prog);

/* ---- counters and events ----------------------------------------------------------------------- */

/* Adds to counter 'index' of this CPU; an index out of range is ignored. */
HOOK_FN void hook_count(struct hook *h, __u32 index, __u64 packets, __u64 bytes);
/* Next number of this CPU's sequence of events, from 1. */
HOOK_FN __u64 hook_event_sequence(struct hook *h);
/* Hands 'size' bytes to the agent.  Nonzero if the ring was full. */
HOOK_FN int hook_event(struct hook *h, void *event, __u32 size);

/* ---- maps -------------------------------------------------------------------------------------- *
 *
 * Pointers are NULL if the index is out of range or nothing is there. */
HOOK_FN struct scratch *map_scratch(struct hook *h);
HOOK_FN __u32 map_active(struct hook *h);
/* By CHAIN_INDEX(), TABLE_INDEX(). */
HOOK_FN const struct chain *map_chain(struct hook *h, __u32 element);
HOOK_FN const struct table *map_table(struct hook *h, __u32 element);
/* One that the packet is not at. */
HOOK_FN const struct table *map_other_table(struct hook *h, __u32 element);
/* Never NULL, and allowed under a lock. */
HOOK_FN struct global *map_global(struct hook *h, __u32 global);
HOOK_FN const struct groups *map_groups(struct hook *h);
HOOK_FN const struct segment_lists *map_segments(struct hook *h);
HOOK_FN struct meter *map_meter(struct hook *h, __u32 meter); /* Its state only under its lock. */
HOOK_FN struct punt_limit *map_punt_limit(struct hook *h);
/* By TEMPLATE_INDEX(). */
HOOK_FN const struct template *map_template(struct hook *h, __u32 element);

/* Of flow table 'flow_table': */
HOOK_FN struct flow_desc *map_flow_desc(struct hook *h, __u32 flow_table);
HOOK_FN struct bucket *map_bucket(struct hook *h, __u32 flow_table, __u32 index);
/* Line 'line' of the record of a slot (1..capacity): RECORD_LINE_WORDS words. */
HOOK_FN __u64 *map_record_line(struct hook *h, __u32 flow_table, __u32 class_, __u32 slot, __u32 line);
/* Returned slots: a queue.  Pop gives 0 when it is empty. */
HOOK_FN __u32 map_slot_pop(struct hook *h, __u32 flow_table);
HOOK_FN void map_slot_push(struct hook *h, __u32 flow_table, __u32 slot);

/* ---- locks ------------------------------------------------------------------------------------- */

/* One of the LOCKS lines, by LOCK_OF_SLOT() or LOCK_OF_BUCKET(). */
HOOK_FN struct lock_line *map_lock(struct hook *h, __u32 index);
HOOK_FN void hook_lock(struct lock_line *lock);
HOOK_FN void hook_unlock(struct lock_line *lock);

/* Neighbouring slots and neighbouring tables fall on different lines. */
#define LOCK_OF_SLOT(flow_table, slot)	 (((slot) + (flow_table)*2654435761u) & (LOCKS - 1))
#define LOCK_OF_BUCKET(flow_table, head) ((~(head) + (flow_table)*2654435761u) & (LOCKS - 1))
#define LOCK_OF_METER(meter)		 (((meter)*40503u) & (LOCKS - 1))

/* ---- what happened -------------------------------------------------------------------------------- *
 *
 * For trace and simulate: native code keeps it, BPF does nothing, so they may be called under a lock too.
 * A table that begins again calls them again; what counts is the last time. */

enum saw { SAW_CREATED = 1, SAW_FREED = 2, SAW_FELL = 4 };

/* A flow was found; 'image' is its record as it lies there, timeouts not looked at. */
HOOK_FN void hook_saw_flow(struct hook *h, const struct scratch *s, const __u64 *image);
/* The rule is chosen (s->rule, RULE_OTHERWISE and RULE_ABSENT too), before its `do`: the cells are those it was
 * chosen on.  'slot' is the looked-up record, 0: there was none. */
HOOK_FN void hook_saw_rule(struct hook *h, const struct scratch *s, const struct table *t, __u32 slot);
/* What the rule learns or allocates could not be written: s->rule is now the one of its else. */
HOOK_FN void hook_saw_else(struct hook *h, const struct scratch *s, const struct table *t, bool allocate);
/* The table is done with the record of its update scope; 'image': its words now.  'what': bits of enum saw. */
HOOK_FN void hook_saw_record(struct hook *h, const struct scratch *s, const struct table *t, __u32 slot,
			     const __u64 *image, __u32 what);

/* A copy goes to a port. */
HOOK_FN void hook_saw_copy(struct hook *h, __u64 port);

#ifdef __bpf__
HOOK_FN void hook_saw_flow(struct hook *h, const struct scratch *s, const __u64 *image) {}

HOOK_FN void hook_saw_copy(struct hook *h, __u64 port) {}

HOOK_FN void hook_saw_rule(struct hook *h, const struct scratch *s, const struct table *t, __u32 slot) {}

HOOK_FN void hook_saw_else(struct hook *h, const struct scratch *s, const struct table *t, bool allocate) {}

HOOK_FN void hook_saw_record(struct hook *h, const struct scratch *s, const struct table *t, __u32 slot,
			     const __u64 *image, __u32 what)
{
}
#endif

#if defined(MEALY_HOOK_XDP)
#include "hook_xdp.h"
#elif defined(MEALY_HOOK_TC)
#include "hook_tc.h"
#elif defined(MEALY_HOOK_CONTROL)
#include "hook_control.h"
#elif defined(MEALY_HOOK_TRACE)
#include "hook_trace.h"
#else
#include "hook_native.h"
#endif

/* ---- cold paths --------------------------------------------------------------------------------- *
 *
 * A path that few packets take is a function of its own.  Declared COLD_FN(name), called
 * COLD_CALL(name, h, s); its body begins with COLD_BEGIN and then has 'h' and 's'.  It returns an int and works on
 * the scratch only: in BPF 'h' is there without the packet. */
#ifndef __bpf__
#define COLD_FN(name)	      static inline __attribute__((unused)) int name(struct hook *h, struct scratch *s)
#define COLD_CALL(name, h, s) name(h, s)
#define COLD_BEGIN
#endif

#endif
