/* SPDX-License-Identifier: GPL-2.0-or-later */
/* instance - one load of the datapath's programs with version maps of their own.
 *
 * Every start of an agent is a takeover and takes the same steps, whether the host is fresh, an
 * agent was killed, another build runs or the host was rebooted:
 *
 *     instance_load()       programs and version maps new, flow maps found by their pins
 *     flow_store_new()      flow tables found again
 *     (agent)               builds the version instance_found() names into slot 0 of the new maps
 *     instance_commit()
 *     attach_new()          links of the older instance found
 *     port_open()           ports get their numbers; on each: attach_set() replaces the root in place
 *     attach_settle()       roots on interfaces that are no ports any more go
 *     instance_settle()     the older instances go
 *
 * I1. Until attach_set() no packet has met the new instance; until instance_settle() the older one is whole.
 * I2. Freeing an instance closes what this process holds and changes nothing in the kernel.
 * I3. The programs read `active` once per run; instance_commit() is one store to it.
 *
 * One thread.  Logs nothing. */
#ifndef MEALY_INSTANCE_H
#define MEALY_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "../datapath/pipeline.h"

struct bpf_object;
struct instance;
struct pin;

struct instance_options {
	const char *bpffs;    /* NULL: /sys/fs/bpf */
	const char *name;     /* Of the switch. */
	bool no_program_drop; /* What happens to packets when the switch itself fails (no program, no scratch): drop,
				 else pass. */
	bool test_clock;      /* Programs read the injected clock; for tests. */
	unsigned hooks;	      /* Bit h: the programs of hook h are loaded; 0: those of all. */
	unsigned flow_format; /* 0: FLOW_FORMAT_VERSION; tests pretend another. */
};

/* What the older instance left. */
struct instance_found {
	unsigned number;  /* Of its folder; 0: none was there. */
	uint64_t version; /* struct chain.version of its active slot; 0: none committed. */
	bool flows;	  /* Flow tables were taken over. */
	bool counters, globals;
	char *lost;  /* In words, what could not be taken over; NULL: nothing. */
	char *blind; /* In words, why failed redirects are not counted; NULL: they are. */
};

/* Loads the embedded programs.  '*ret_why' holds the verifier's log in full when they are refused.
 * Errors are those of pin_open() and of the kernel (-EPERM, -ENOMEM, -EACCES and -EINVAL from the verifier). */
int instance_load(const struct instance_options *options, struct instance **ret_instance, char **ret_why);
void instance_free(struct instance *instance);

const struct instance_found *instance_found(const struct instance *instance);
unsigned instance_number(const struct instance *instance);

/* The version maps, writable: TABLE_ELEMENTS tables by TABLE_INDEX() and VERSIONS * HOOK_MAX chains by
 * CHAIN_INDEX().  Write only those of the slot that is not active, and only after instance_grace()
 * followed the commit that left that slot. */
struct table *instance_tables(const struct instance *instance);
/* By TEMPLATE_INDEX(). */
struct template *instance_templates(const struct instance *instance);
struct chain *instance_chains(const struct instance *instance);

unsigned instance_active(const struct instance *instance);
void instance_commit(struct instance *instance, unsigned slot);

/* Returns when every packet that had read the old `active` is through (8-30 ms).  0 or -errno. */
int instance_grace(struct instance *instance);

/* The switch's clock as CELL_NOW has it: monotonic + 2^56, or the injected one. */
uint64_t instance_now_ns(const struct instance *instance);
/* Injects a time as CELL_NOW shall read it; -ENOTSUP without the test clock. */
int instance_set_clock(struct instance *instance, uint64_t now_ns);
/* Injects the state of the generator that `random` draws from; -ENOTSUP without the test clock. */
int instance_set_random(struct instance *instance, uint64_t state);
/* The global registers of the switch, shared with the programs: access them with atomics only. */
struct globals *instance_globals(struct instance *instance);
/* The masks of match tables, by flow table; written by entry_store only. */
struct match_desc *instance_match(struct instance *instance);
/* The same of groups, written by group_write() only, and of shared meters, of which user space writes 'reset' only. */
struct groups *instance_groups(struct instance *instance);
/* Lists of segments in keys of entries, written by segments_put() only. */
struct segment_lists *instance_segments(struct instance *instance);
struct meters *instance_meters(struct instance *instance);

/* Packets to the controller per second, and how many at once (at least 1); a rate of 0 lets none through.
 * A new instance has no limit until this is called. */
int instance_set_punt_limit(struct instance *instance, unsigned rate_pps, unsigned burst);

/* Removes the folders of all older instances, and flow maps of other formats.  After this the older
 * programs are gone unless somebody else holds them. */
int instance_settle(struct instance *instance);

/* Removes everything of the switch 'name': links, filters, programs, maps.  Needs no instance; call it
 * in the network namespace of the ports.  0 also when nothing is there. */
int instance_unload(const char *bpffs, const char *name, char **ret_why);

/* Said by attach_new(): from now on packets may meet this instance, so a later one must not remove it before it
 * has replaced the roots, and redirects that fail are counted by this instance. */
int instance_mark_attached(struct instance *instance);

/* For the other files of the agent that touch the kernel. */
const struct pin *instance_pin(const struct instance *instance);
struct bpf_object *instance_object(const struct instance *instance);
int instance_map_fd(const struct instance *instance, const char *name); /* -ENOENT */
int instance_root_fd(const struct instance *instance, enum hook_id hook);
int instance_control_fd(const struct instance *instance);

#endif
