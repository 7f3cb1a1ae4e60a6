/* SPDX-License-Identifier: GPL-2.0-or-later */
/* back_machine - runs encoded tables on packets given as fields, in the plainest way.
 *
 * Knows nothing of buckets, locks or verifiers: loads, operations, rows and steps as pipeline.h
 * describes them, records in a list.  One machine is one application alone on its hook. */
#ifndef BACK_MACHINE_H
#define BACK_MACHINE_H

#include "datapath/native.h"
#include "tables/encode.h"

enum { MACHINE_RECORDS = 64, MACHINE_WRITES = 16 };
#define MACHINE_START ((1ULL << TIME_BASE_NS_SHIFT) + 1000000000000ULL)

#define MACHINE_SEED 0x123456789abcdefULL

struct record {
	bool alive;
	unsigned table;
	__u64 words[32];
};

/* One field of a packet; in_port and frames too. */
struct part {
	const char *name;
	uint64_t hi, lo;
};

struct machine {
	struct app *app;
	struct placement placement;
	struct table *table[APP_TABLES_MAX];
	struct layout layout[APP_TABLES_MAX];
	struct record record[MACHINE_RECORDS];
	uint64_t now_ns;
	uint64_t n_draws; /* The first `random` is 1, the next one 2, and so on. */
	uint64_t global[GLOBALS_MAX];
	/* Of the last packet: */
	__u64 cells[CELLS];
	unsigned rule[APP_TABLES_MAX]; /* By table; RULES_ROOM: not visited. */
	__u64 key[APP_TABLES_MAX][KEY_WORDS_MAX];
	struct native_step step[APP_TABLES_MAX];
	enum verdict verdict;
	unsigned out_port;
	const struct table *at; /* Being run, on this packet. */
	const struct part *part;
	size_t n_parts;
	unsigned n_writes;
	struct {
		const char *field;
		uint64_t hi, lo;
	} write[MACHINE_WRITES];
};

/* Parses and encodes; fails the test on any mistake. */
struct machine *machine_new(const char *yaml, const struct setting *settings, size_t n_settings);
/* ... of a table "t" of rules only; 'rules' are the lines of the list, the first one named "hit". */
struct machine *machine_with_rules(const char *rules);
/* ... of one rule "hit" with that match, or that condition. */
struct machine *machine_with_match(const char *match);
struct machine *machine_with_when(const char *when);
/* True if the last packet met rule "hit". */
bool machine_hit(const struct machine *m);
void machine_free(struct machine *m);

/* One word more in a hash. */
uint64_t machine_hash(uint64_t hash, uint64_t word);

void machine_send(struct machine *m, const struct part *part, size_t n);
#define SEND(m, ...)                                                                                                   \
	machine_send(m, (struct part[]){__VA_ARGS__}, sizeof((struct part[]){__VA_ARGS__}) / sizeof(struct part))

/* Name of the rule chosen by 'table' for the last packet: "otherwise", "absent", "-" when not visited. */
const char *machine_rule(const struct machine *m, const char *table);
/* The record of the key that the last packet looked up in 'table', or NULL. */
struct record *machine_record(struct machine *m, const char *table);
uint64_t machine_register(struct machine *m, const char *table, const char *name);
/* Of the map, by name. */
uint64_t *machine_global(struct machine *m, const char *name);
unsigned machine_count(const struct machine *m, const char *table);

#define IP4(a, b, c, d) 0, (0xffff00000000ULL | (uint64_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
/* An address of 2001:db8::/64. */
#define V6(last) 0x20010db800000000ULL, (uint64_t)(last)

#endif
