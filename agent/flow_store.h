/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_store - the flow tables of the switch, by index 0..FLOW_TABLES_MAX - 1.
 *
 * A flow table outlives versions, instances and agents: it is found again by the pinned outer maps.
 * Records and buckets are mapped read-only here; who changes a record is a packet or the control
 * program, so reading takes a copy between two equal, even change numbers and believes it only if the
 * record's bucket names it while that number is still the same.  Images have RECORD_WORDS(record_class) words: head,
 * key, registers.
 *
 * F1. An index is given to another flow table only after flow_store_release(), which must follow the
 *     grace of the last version that used it.
 * F2. A pointer from flow_store_records() or flow_store_buckets() is valid until the release.
 *
 * One thread; flow_store_create() uses helper threads and returns when they are done. */
#ifndef MEALY_FLOW_STORE_H
#define MEALY_FLOW_STORE_H

#include <stddef.h>

#include "instance.h"

struct flow_store;

struct flow_spec {
	unsigned index;
	unsigned capacity; /* Flows; 1..FLOW_CAPACITY_MAX. */
	enum record_class record_class;
	unsigned key_words; /* 1..KEY_WORDS_MAX */
};

enum { FLOW_CAPACITY_MAX = 1 << 26 };

/* Finds the flow tables that are there.  'instance' must outlive the store. */
int flow_store_new(struct instance *instance, struct flow_store **ret_store);
/* Unmaps; the flow tables stay in the kernel. */
void flow_store_free(struct flow_store *store);

/* Creates 'n' empty flow tables, all or none, with secrets of their own.  Each map put in place waits
 * for a grace period, so all of them wait at once.
 *
 *   -EINVAL  a spec is out of its limits;   -EEXIST  an index is in use;
 *   -ENOMEM or -E2BIG  the kernel gives no memory: the text says how much was asked. */
int flow_store_create(struct flow_store *store, const struct flow_spec *spec, size_t n, char **ret_why);

/* Removes flow tables and their memory; unknown indices are ignored.  What the kernel refuses to remove is still there
 * for the next call. */
int flow_store_release(struct flow_store *store, const unsigned *index, size_t n);

/* NULL: no such flow table.  'fresh' and 'n_overflow' in it are of the moment of the call. */
const struct flow_desc *flow_store_desc(struct flow_store *store, unsigned index);
const void *flow_store_records(struct flow_store *store, unsigned index);
const struct bucket *flow_store_buckets(struct flow_store *store, unsigned index);

struct instance *flow_store_instance(struct flow_store *store);

/* Bytes of kernel memory that a flow table of this spec takes. */
size_t flow_store_memory(const struct flow_spec *spec);

/* ---- reading -------------------------------------------------------------------------------- */

/* 'words' is a consistent copy.  Return 0 to go on, 1 to stop after this record, a negative errno to stop
 * before it (it comes again at the next walk from the cursor). */
typedef int (*flow_fn)(void *data, uint32_t slot, const uint64_t *words, unsigned n_words);

/* Walks the live records from '*cursor' (0 at the beginning) over at most 'n_slots' slots (0: all) and
 * moves the cursor; it is 0 again when the walk is complete.  Records whose time is up at 'now_ns' but
 * not yet expired are shown too.  A record that changes all the time is skipped after a bounded number
 * of attempts.  Returns 0, what the callback returned if negative, or -ENOENT. */
int flow_store_walk(struct flow_store *store, unsigned index, uint32_t *cursor, uint32_t n_slots, flow_fn flow,
		    void *data);

/* Finds the record of 'key' (key_words of it): 0, -ENOENT. 'ret_words' has room for 32 words. */
int flow_store_find(struct flow_store *store, unsigned index, const uint64_t *key, uint32_t *ret_slot,
		    uint64_t *ret_words);

/* Live records, by a quick look that may miss those being written. */
uint64_t flow_store_count(struct flow_store *store, unsigned index);

/* Bits of the state ids that live records have. */
uint64_t flow_store_states(struct flow_store *store, unsigned index);

/* ---- writing, all through the control program -------------------------------------------------- */

/* 'element' is the table's place in `tables` of the active slot; the program takes timeouts and counters
 * from there.  Results are enum control_result. */
int flow_store_set(struct flow_store *store, unsigned element, const uint64_t *key, unsigned key_words, unsigned state,
		   const uint64_t *registers, unsigned n_registers, enum control_result *ret_result);
/* The same for an entry of a match table, whose hard timeout is at 'hard_ns' on the switch's clock (0: none). */
int flow_store_set_entry(struct flow_store *store, unsigned element, const uint64_t *key, unsigned key_words,
			 unsigned state, const uint64_t *registers, unsigned n_registers, uint64_t hard_ns,
			 enum control_result *ret_result);
/* The same for one that is there: its counters of packets and bytes grow by what 'registers' say; all else must be as
 * it is.  0 also if there is none. */
int flow_store_count_entry(struct flow_store *store, unsigned element, const uint64_t *key, unsigned key_words,
			   unsigned state, const uint64_t *registers, unsigned n_registers, uint64_t hard_ns);
int flow_store_delete(struct flow_store *store, unsigned element, uint32_t slot, uint32_t change,
		      enum control_result *ret_result);

struct flow_scan {
	uint64_t scanned, due, freed, changed, again; /* Slots. */
};

/* Runs the control program over every slot whose deadline is at or before 'now_ns'. */
int flow_store_expire(struct flow_store *store, unsigned index, unsigned element, uint64_t now_ns,
		      struct flow_scan *ret_scan);

/* Deletes every record for which 'match' returns true (NULL: all). */
typedef bool (*flow_match_fn)(void *data, const uint64_t *words);
int flow_store_delete_matching(struct flow_store *store, unsigned index, unsigned element, flow_match_fn match,
			       void *data, struct flow_scan *ret_scan);

/* Records whose state id has no bit in 'known' become records of the first state, which frees them. */
int flow_store_renumber(struct flow_store *store, unsigned index, unsigned element, uint64_t known,
			struct flow_scan *ret_scan);

/* With `when_full: evict`: deletes the longest idle records until 'percent' of the capacity is free. */
int flow_store_make_room(struct flow_store *store, unsigned index, unsigned element, unsigned percent,
			 struct flow_scan *ret_scan);

#endif
