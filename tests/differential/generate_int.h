/* SPDX-License-Identifier: GPL-2.0-or-later */
/* generate_int - what the files that write applications share. */
#ifndef MEALY_TEST_GENERATE_INT_H
#define MEALY_TEST_GENERATE_INT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"

enum { TABLES_MAX = 4 };

/* What a rule may name together, so that packets have it all. */
struct family {
	int parent; /* Index; -1: none. */
	unsigned weight;
	const char *names[8], *matches[7], *writes[10], *addresses[3];
};

/* What a table will be, drawn before the first one is written, because rules write the records of others. */
struct plan {
	bool stateful, biflow;
	const char *lookup, *update; /* update: NULL with one scope. */
	bool tight;		     /* Its flows do not all fit. */
	bool has_updates;	     /* Its timeouts do something. */
	bool is_learned;	     /* Other rules write its records. */
	unsigned n_states;
	bool has_states; /* `states:` is written. */
	bool has_registers;
	bool has_meter;		 /* own. */
	unsigned holds, held_by; /* Its rules allocate from that table, or that table's from it; index + 1, 0: no. */
};

/* What the text so far has. */
struct writer {
	struct draw *d;
	FILE *out;
	const struct family *family; /* Of the rule being written. */
	unsigned table, n_tables;
	struct plan plan[TABLES_MAX];
	bool stateful, two_scopes, biflow, tight;
	unsigned n_states, n_lets;
	bool has_registers[TABLES_MAX]; /* a, b, time t, addr d, mac e, int i: all or none of them. */
	bool has_globals;		/* g, h, q. */
	bool has_headers;
	bool has_meters;   /* Shared ones: mp, mb. */
	bool has_updates;  /* The table's timeouts do something. */
	bool wrote_global; /* One write a rule. */
};

/* The headers that families name, as YAML. */
extern const char generate_headers[];

enum family_list { FAMILY_NAMES, FAMILY_MATCHES, FAMILY_WRITES, FAMILY_ADDRESSES };

/* One of the family's words, or of those it has from its parents. */
const char *family_word(struct writer *w, enum family_list list);
const struct family *draw_family(struct writer *w);
/* Of all frames, or of IP. */
const struct family *draw_common_family(struct writer *w);

void write_number(struct writer *w, unsigned depth);
void write_address(struct writer *w);
void write_condition(struct writer *w, unsigned depth);

/* Steps of a rule's action, or of its `else`. */
void write_steps(struct writer *w);

/* "learn: {...}" with the comma in front, or nothing. */
void write_learn(struct writer *w);

/* Two tables of which one allocates from the other, if they can; and "allocate: {...}" of the one. */
void plan_claims(struct writer *w);
void write_allocate(struct writer *w);

#endif
