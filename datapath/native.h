/* SPDX-License-Identifier: GPL-2.0-or-later */
/* native - the datapath as an ordinary library: same source, no kernel, no root.
 *
 * For `mealy simulate`, unit tests, fuzzing and thread sanitizers (own memory), and for `trace` in
 * the agent (the live switch's maps underneath, all writes in an overlay). */
#ifndef MEALY_NATIVE_H
#define MEALY_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline.h"

/* Where maps come from.  NULL members: own memory.  A trace sets the readers, and then nothing is
 * written but the overlay. */
struct native_source {
	void *data;
	const struct table *(*table)(void *data, unsigned element);
	const struct chain *(*chain)(void *data, unsigned element);
	const struct flow_desc *(*flow_desc)(void *data, unsigned flow_table);
	/* Pointers into mappings of the flow table's arrays; NULL if it has none. */
	const void *(*records)(void *data, unsigned flow_table);
	const struct bucket *(*buckets)(void *data, unsigned flow_table);
	const struct match_desc *(*match)(void *data, unsigned flow_table);
	const struct globals *globals; /* As they are now; NULL: all 0.  Copied, and so the two below. */
	const struct groups *groups;
	const struct meters *meters;
	const struct template *(*template_)(void *data, unsigned element);
	const struct segment_lists *segments; /* Read where they are. */
};

/* What `route` asks the kernel of the switch's host.  Addresses are in the order of the wire, IPv4's in the first four
 * bytes. */
struct native_route {
	bool is_ipv6;
	uint8_t src[16], dst[16];
	uint8_t tos, proto;
	unsigned size; /* Of the IP packet. */
	unsigned in_port;
};
struct native_way {
	unsigned port; /* 0: an interface that is no port of the switch. */
	uint64_t src_mac, dst_mac;
};
/* EXIT_ROUTE and the way, EXIT_ROUTE_KERNEL or EXIT_ROUTE_NONE. */
typedef enum exit_reason (*native_route_fn)(void *data, const struct native_route *ask, struct native_way *ret_way);

struct native_switch;

int native_new(const struct native_source *source, struct native_switch **ret_switch);
void native_free(struct native_switch *sw);

/* Own memory only.  Copies of what is given; a flow table is created empty. */
int native_set_table(struct native_switch *sw, unsigned element, const struct table *table);
int native_set_chain(struct native_switch *sw, unsigned element, const struct chain *chain);
int native_set_template(struct native_switch *sw, unsigned element, const struct template *template_);
int native_add_flow_table(struct native_switch *sw, unsigned flow_table, enum record_class class_, unsigned key_words,
			  unsigned capacity);
/* Masks of the entries of a match table. */
int native_set_masks(struct native_switch *sw, unsigned flow_table, const struct match_masks *masks);
void native_set_active(struct native_switch *sw, unsigned slot);
void native_set_port(struct native_switch *sw, unsigned port, bool up);
void native_set_seed(struct native_switch *sw, uint64_t seed); /* Secrets and random(). */
/* Who answers `route`; without one each packet that may be routed is, and its hardware addresses stay. */
void native_set_router(struct native_switch *sw, native_route_fn route, void *data);
/* Globals by index (MAP_GLOBALS); of a trace: as its packets left them. */
void native_set_global(struct native_switch *sw, unsigned global, uint64_t value);
uint64_t native_global(struct native_switch *sw, unsigned global);
/* Of the switch, to be written by group_write(); live as long as it. */
struct groups *native_groups(struct native_switch *sw);
/* The same for segments_put(); NULL: no memory, or they are the source's. */
struct segment_lists *native_segments(struct native_switch *sw);
const struct meter *native_meter(struct native_switch *sw, unsigned meter);

/* What one table did, for trace and simulate; cells are a snapshot taken when the rule was chosen,
 * before `do`; 'after' is the update record's image when the table was done. */
/* Whose else was taken. */
enum native_else { ELSE_NOT, ELSE_OF_LEARN, ELSE_OF_ALLOCATE };

struct native_step {
	unsigned element; /* Of `tables`. */
	bool absent, found, created, freed, fell;
	bool was_there; /* A record, in 'stored_state': the flow fell if 'old_state' is another. */
	unsigned stored_state, old_state, new_state;
	unsigned rule; /* RULE_OTHERWISE and RULE_ABSENT too. */
	unsigned verdict;
	enum native_else else_of;
	unsigned slot;
	__u64 key[KEY_WORDS_MAX]; /* Lookup scope. */
	__u64 cells[CELLS];
	__u64 after[32];
	unsigned n_after; /* Words; 0: no record. */
};

struct native_result {
	enum exit_reason exit;
	unsigned out_port; /* OUTPUT, REFLECT, ROUTE. */
	uint64_t copies;   /* Ports that got a copy or an emitted packet, bit port - 1. */
	unsigned size;	   /* Of the frame as it leaves; the bytes are in the caller's buffer. */
	unsigned n_steps;
	struct native_step step[HOOK_TABLES_MAX + 1];
	unsigned n_events;
	struct event event[16];
};

/* As much as XDP has in front of a frame. */
enum { NATIVE_HEADROOM = 256 };

/* Runs one frame through a hook.  'frame' points to the first byte, with NATIVE_HEADROOM writable
 * bytes before it and 'room' bytes from it on; after a push or pop *frame moves.  'now_ns' is the
 * switch's clock (CELL_NOW).  Thread safe with own memory: each thread uses a context of its own
 * made by the call.  Returns 0 or -EINVAL. */
int native_run(struct native_switch *sw, enum hook_id hook, unsigned port, uint64_t now_ns, uint8_t **frame,
	       unsigned size, unsigned room, unsigned frames, struct native_result *ret_result);

/* Runs the control program on 'control', as BPF_PROG_TEST_RUN would; there is no clock here, so now_ns must be set.
 * Returns 0, or -EINVAL if it is not a command. */
int native_control(struct native_switch *sw, struct control *control);

/* Direct readers for tests and dumps. */
void native_counter(struct native_switch *sw, unsigned index, struct counter *ret_counter);
typedef int (*native_flow_fn)(void *data, unsigned slot, const __u64 *words);
int native_flows(struct native_switch *sw, unsigned flow_table, native_flow_fn flow, void *data);

#endif
