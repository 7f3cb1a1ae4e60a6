/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loader - the embedded BPF object on its way into the kernel.
 *
 * Maps of three groups (flow tables, counters, events) are shared between instances through pins in the
 * switch's flow folder: a group is reused when all of its maps are there with equal type, sizes and flags,
 * otherwise it starts anew as a whole.  All other maps and the programs belong to this load. */
#ifndef MEALY_LOADER_H
#define MEALY_LOADER_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_object;
struct pin;

struct loader_options {
	const struct pin *pin;
	bool test_clock;
	bool fault_drop;
	unsigned hooks; /* Bit h: load the programs of hook h. */
	unsigned instance;
	uint64_t netns_cookie;
};

struct loader_result {
	struct bpf_object *object;     /* The caller closes it. */
	bool flows, counters, globals; /* Reused. */
	char *lost;		       /* What was there and could not be reused, in words; the caller frees. */
	char *blind;		       /* Why the programs that watch the kernel were left out; the caller frees. */
};

/* Opens, configures, loads.  Nothing is pinned yet.  On failure '*ret_why' has the verifier's log if it
 * was the verifier who refused.  A kernel that takes the switch but not the programs at its tracepoints (no BTF) gets
 * the switch without them. */
int loader_load(const struct loader_options *options, struct loader_result *ret_result, char **ret_why);

/* Fills the program arrays of the hooks that were loaded, so that their roots find the interpreter. */
int loader_fill_arrays(struct bpf_object *object, unsigned hooks, char **ret_why);

/* Pins shared maps that are new into the flow folder (replacing what could not be reused) and all others
 * into 'folder'. */
int loader_pin(struct bpf_object *object, const struct pin *pin, const char *folder, char **ret_why);

/* Name of the program of a hook, e.g. "xdp_root". */
const char *loader_program_name(unsigned hook, const char *role, char *buf, unsigned size);

#endif
