/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_format - records, buckets and descriptors of a flow table, as they lie in memory.
 *
 * FLOW_FORMAT_VERSION changes with any layout here, with struct counter, and with the hash that places flows (hash.h):
 * two builds of one format take over each other's flows and counters, two of different formats say what is lost. */
#ifndef MEALY_FLOW_FORMAT_H
#define MEALY_FLOW_FORMAT_H

#include <linux/types.h>

enum {
	FLOW_FORMAT_VERSION = 2,
	KEY_WORDS_MAX = 5, /* 40 bytes. */
};

/* The head of every record; words 0..3 of its image.  Written only under the lock of its slot;
 * user space reads it through a mapping, between two equal and even change numbers, and
 * believes it only if its bucket names it while they are still the same. */
struct flow_head {
	__u16 alive;  /* 0: the slot belongs to nobody. */
	__u16 state;  /* An id that follows the state's name. */
	__u32 change; /* Odd while being written; goes on when a slot is reused. */
	__u64 last_used_ns;
	__u64 hard_deadline_ns; /* 0: none. */
	__u64 deadline_ns;	/* The earlier of idle and hard, for the scan; 0: never. */
};
_Static_assert(sizeof(struct flow_head) == 32, "bump FLOW_FORMAT_VERSION");

/* Key words follow the head, registers follow the key. */
enum { FLOW_HEAD_WORDS = 4 };
enum record_class { RECORD_64, RECORD_128, RECORD_256, RECORD_CLASS_MAX };
#define RECORD_WORDS(class) (8u << (class))
#define RECORD_SIZE(class)  (64u << (class))
#define RECORD_LINES(class) (1u << (class))
enum { RECORD_LINE_SIZE = 64, RECORD_LINE_WORDS = 8, RECORD_LINES_MAX = 4 };

struct record_64 {
	struct flow_head head;
	__u64 word[4];
};
struct record_128 {
	struct flow_head head;
	__u64 word[12];
};
struct record_256 {
	struct flow_head head;
	__u64 word[28];
};
_Static_assert(sizeof(struct record_256) == 256, "bump FLOW_FORMAT_VERSION");

/* One cache line.  Entry e names slot s when slot[e] == s; 0 is a hole (slots start at 1). */
enum { BUCKET_ENTRIES = 8 };
struct bucket {
	__u32 version; /* Of the chain; only the head's counts. */
	__u32 next;    /* Overflow bucket, 0: none. */
	__u16 tag[BUCKET_ENTRIES];
	__u32 slot[BUCKET_ENTRIES];
	__u64 zero;
};
_Static_assert(sizeof(struct bucket) == 64, "bump FLOW_FORMAT_VERSION");

/* One element a flow table, permanent: secret, sizes, allocation. */
enum { HASH_WORDS = KEY_WORDS_MAX * 2 + 1 };
struct flow_desc {
	__u64 secret[HASH_WORDS]; /* Multilinear hashing (Lemire and Kaser 2013). */
	__u32 capacity;		  /* Records; slots 1..capacity. */
	__u32 n_heads;		  /* A power of two. */
	__u32 n_buckets;	  /* Heads and overflow: indices n_heads..n_buckets - 1. */
	__u32 record_class;
	__u32 key_words;
	__u32 valid;
	__u64 fresh;	    /* Slots handed out that were never used before. */
	__u64 n_overflow;   /* Overflow buckets taken. */
	__u64 told_full_ns; /* When EVENT_TABLE_FULL was last sent: one a second. */
};
_Static_assert(sizeof(struct flow_desc) == 136, "bump FLOW_FORMAT_VERSION");

#define FLOW_HEADS(capacity_pow2) ((capacity_pow2) / 4)

#endif
