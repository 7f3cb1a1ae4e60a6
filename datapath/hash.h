/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hash - the flow tables' hash, for the datapath and for user space that must find a record.
 *
 * Strongly universal multilinear hashing (Lemire and Kaser, "Strongly universal string hashing is
 * fast", 2013): one 64-bit multiply per 32-bit word, secret multipliers, upper half of the sum.  That alone bounds how
 * often two keys meet, but lays keys that count upwards, as addresses do, at equal distances, which for one secret in
 * 25 fall on few buckets; so the sum is mixed once more. */
#ifndef MEALY_HASH_H
#define MEALY_HASH_H

#include "pipeline.h"

/* A xorshift, an odd multiplier, a xorshift: a permutation. */
static inline __attribute__((always_inline)) __u32 hash_mix(__u32 hash)
{
	hash ^= hash >> 15;
	hash *= 0x85ebca6bu;
	return hash ^ (hash >> 16);
}

static inline __attribute__((always_inline)) __u32 flow_hash(const __u64 *secret, const __u64 *key, unsigned key_words)
{
	__u64 sum = secret[0];

	for (unsigned i = 0; i < KEY_WORDS_MAX; i++) {
		if (i >= key_words)
			break;
		sum += secret[1 + 2 * i] * (key[i] & 0xffffffff);
		sum += secret[2 + 2 * i] * (key[i] >> 32);
	}
	return hash_mix(sum >> 32);
}

/* splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): the number that belongs
 * to a state, which advances by RANDOM_STEP. */
#define RANDOM_STEP 0x9e3779b97f4a7c15ull
static inline __attribute__((always_inline)) __u64 random_mix(__u64 state)
{
	state += RANDOM_STEP;
	state = (state ^ state >> 30) * 0xbf58476d1ce4e5b9ull;
	state = (state ^ state >> 27) * 0x94d049bb133111ebull;
	return state ^ state >> 31;
}

/* Fingerprint of a segment list: begin with the number of segments, mix each word, end.  Whoever finds a list by it
 * compares the list. */
static inline __attribute__((always_inline)) __u64 segments_mix(__u64 sum, __u64 word)
{
	sum = (sum ^ word) * RANDOM_STEP;
	return sum ^ sum >> 32;
}

static inline __attribute__((always_inline)) __u64 segments_end(__u64 sum)
{
	sum = random_mix(sum);
	return sum ? sum : 1;
}

/* Bucket from the low bits, tag from the high ones. */
#define HASH_BUCKET(hash, n_heads) ((hash) & ((n_heads)-1))
#define HASH_TAG(hash)		   ((__u16)((hash) >> 16))

#endif
