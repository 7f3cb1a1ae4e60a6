/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_bpf - the part of the hook's vocabulary that is the same for every BPF program.
 *
 * The including header has defined 'struct hook' with 'id', and COLD_PREFIX. */
#ifndef MEALY_HOOK_BPF_H
#define MEALY_HOOK_BPF_H

#include "maps.h"

/* Set before the load; the verifier then drops what is not used. */
extern const volatile struct switch_config switch_config SEC(".rodata.config");

/* ---- cold paths ----------------------------------------------------------------------------------- *
 *
 * Global functions: the verifier looks at each once and not once a call.  They get the scratch only, so
 * they know a hook by its number and cannot touch the packet. */
#define COLD_PASTE2(a, b)     a##b
#define COLD_PASTE(a, b)      COLD_PASTE2(a, b)
#define COLD_NAME(name)	      COLD_PASTE(COLD_PREFIX, name)
#define COLD_FN(name)	      __attribute__((noinline)) int COLD_NAME(name)(struct scratch * s)
#define COLD_CALL(name, h, s) COLD_NAME(name)(s)
#define COLD_BEGIN                                                                                                     \
	if (!s)                                                                                                        \
		return -1;                                                                                             \
	struct hook cold_hook = {.id = s->hook};                                                                       \
	struct hook *h = &cold_hook;

/* ---- clock, random, CPU ----------------------------------------------------------------------------- */

HOOK_FN __u64 hook_test_clock(void)
{
	__u32 zero = 0;
	struct test_input *input = bpf_map_lookup_elem(&test_clock, &zero);

	return input ? READ(input->now_ns) : 0;
}

HOOK_FN __u64 hook_test_random(void)
{
	__u32 zero = 0;
	struct test_input *input = bpf_map_lookup_elem(&test_clock, &zero);

	return input ? random_mix(FETCH_ADD(&input->random, RANDOM_STEP)) : 0;
}

HOOK_FN __u64 hook_now_ns(struct hook *h)
{
	if (switch_config.test_clock)
		return hook_test_clock();
	return bpf_ktime_get_ns() + (1ull << TIME_BASE_NS_SHIFT);
}

HOOK_FN __u64 hook_coarse_ns(struct hook *h)
{
	if (switch_config.test_clock)
		return hook_test_clock();
	return bpf_ktime_get_coarse_ns() + (1ull << TIME_BASE_NS_SHIFT);
}

HOOK_FN __u64 hook_random(struct hook *h)
{
	if (switch_config.test_clock)
		return hook_test_random();
	return ((__u64)bpf_get_prandom_u32() << 32) | bpf_get_prandom_u32();
}

HOOK_FN __u32 hook_cpu(struct hook *h)
{
	return bpf_get_smp_processor_id();
}

/* ---- counters and events -------------------------------------------------------------------------------- */

HOOK_FN void hook_count(struct hook *h, __u32 index, __u64 packets, __u64 bytes)
{
	struct counter *counter = bpf_map_lookup_elem(&counters, &index);

	if (!counter)
		return;
#ifdef HOOK_COUNT_ATOMIC
	(void)__sync_fetch_and_add(&counter->packets, packets);
	(void)__sync_fetch_and_add(&counter->bytes, bytes);
#else
	counter->packets += packets;
	counter->bytes += bytes;
#endif
}

HOOK_FN __u64 hook_event_sequence(struct hook *h)
{
	__u32 zero = 0;
	__u64 *sequence = bpf_map_lookup_elem(&event_seq, &zero);

	return sequence ? FETCH_ADD(sequence, 1) + 1 : 0;
}

HOOK_FN int hook_event(struct hook *h, void *event, __u32 size)
{
	return bpf_ringbuf_output(&events, event, size, 0);
}

/* ---- maps ---------------------------------------------------------------------------------------------------- */

HOOK_FN __u32 map_active(struct hook *h)
{
	__u32 zero = 0;
	__u32 *slot = bpf_map_lookup_elem(&active, &zero);

	return slot ? READ_ACQUIRE(*slot) : 0;
}

HOOK_FN const struct chain *map_chain(struct hook *h, __u32 element)
{
	return bpf_map_lookup_elem(&chains, &element);
}

#ifdef MEALY_SPECIALISED
/* Compiled around one table: whoever asks for the table that the packet is at means this one. */
HOOK_FN const struct table *map_table(struct hook *h, __u32 element)
{
	return &specialised_table;
}
#else
HOOK_FN const struct table *map_table(struct hook *h, __u32 element)
{
	return bpf_map_lookup_elem(&tables, &element);
}
#endif

HOOK_FN const struct table *map_other_table(struct hook *h, __u32 element)
{
	return bpf_map_lookup_elem(&tables, &element);
}

HOOK_FN struct global *map_global(struct hook *h, __u32 global)
{
	return &globals.at[global & (GLOBALS_MAX - 1)];
}

HOOK_FN const struct template *map_template(struct hook *h, __u32 element)
{
	return bpf_map_lookup_elem(&templates, &element);
}

HOOK_FN const struct groups *map_groups(struct hook *h)
{
	return &groups;
}

HOOK_FN struct meter *map_meter(struct hook *h, __u32 meter)
{
	return &meters.at[meter & (METERS_MAX - 1)];
}

HOOK_FN struct punt_limit *map_punt_limit(struct hook *h)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&punt_limit, &zero);
}

HOOK_FN struct flow_desc *map_flow_desc(struct hook *h, __u32 flow_table)
{
	return bpf_map_lookup_elem(&flow_desc, &flow_table);
}

HOOK_FN const struct match_desc *map_match(struct hook *h, __u32 flow_table)
{
	return bpf_map_lookup_elem(&match, &flow_table);
}

HOOK_FN const struct segment_lists *map_segments(struct hook *h)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&segments, &zero);
}

HOOK_FN struct bucket *map_bucket(struct hook *h, __u32 flow_table, __u32 index)
{
	void *inner = bpf_map_lookup_elem(&buckets, &flow_table);

	return inner ? bpf_map_lookup_elem(inner, &index) : NULL;
}

HOOK_FN __u64 *map_record_line(struct hook *h, __u32 flow_table, __u32 class_, __u32 slot, __u32 line)
{
	void *inner = bpf_map_lookup_elem(&records, &flow_table);
	__u32 index = (slot << (class_ & 3)) + line;

	return inner ? bpf_map_lookup_elem(inner, &index) : NULL;
}

HOOK_FN __u32 map_slot_pop(struct hook *h, __u32 flow_table)
{
	void *inner = bpf_map_lookup_elem(&returned, &flow_table);
	__u32 slot = 0;

	if (!inner || bpf_map_pop_elem(inner, &slot))
		return 0;
	return slot;
}

HOOK_FN void map_slot_push(struct hook *h, __u32 flow_table, __u32 slot)
{
	void *inner = bpf_map_lookup_elem(&returned, &flow_table);

	if (inner)
		bpf_map_push_elem(inner, &slot, 0);
}

HOOK_FN __u32 map_port_of_ifindex(__u32 ifindex)
{
	__u32 index = ifindex & (PORT_LINES - 1);
	struct port_line *line = bpf_map_lookup_elem(&port_of_if, &index);
	__u32 *port;

	if (line && line->ifindex == ifindex)
		return line->port;
	port = bpf_map_lookup_elem(&port_hash, &ifindex);
	return port ? *port : 0;
}

/* ---- locks ------------------------------------------------------------------------------------------------------ */

HOOK_FN struct lock_line *map_lock(struct hook *h, __u32 index)
{
	return bpf_map_lookup_elem(&locks, &index);
}

HOOK_FN void hook_lock(struct lock_line *lock)
{
	bpf_spin_lock(&lock->lock);
}

HOOK_FN void hook_unlock(struct lock_line *lock)
{
	bpf_spin_unlock(&lock->lock);
}

#endif
