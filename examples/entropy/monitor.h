/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor - what the entropy of addresses and ports says of the traffic.
 *
 * Only the decision is here: no switch, no clock.  Of each window, the caller adds the counts of each feature's table
 * and asks monitor_judge().  The first 'training' windows say what is usual, all later ones are held against that.
 *
 *                 'training' windows
 *     TRAINING ------------------------> WATCHING --+ a window: usual, or an alarm
 *                                           ^-------+
 *
 * Entropy is normalised: 0 when all packets have one value, 1 when all values are equally frequent. */
#ifndef MEALY_ENTROPY_MONITOR_H
#define MEALY_ENTROPY_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

enum feature { SRC, DST, TCP_SRC, TCP_DST, UDP_SRC, UDP_DST, FEATURES };

/* The counts of one feature in one window: zeroed by the caller, then count_add() for each value. */
struct counts {
	uint64_t packets, values;
	double n_log_n; /* Sum over the values. */
	uint64_t most;	/* Packets of the most frequent value ... */
	char top[64];	/* ... and its text. */
};

void counts_add(struct counts *counts, const char *value, uint64_t packets);
double counts_entropy(const struct counts *counts);

/* What was usual: Welford's running mean and sum of squares. */
struct usual {
	unsigned windows;
	double mean, squares;
};

enum verdict_of_window {
	WINDOW_EMPTY, /* Too few packets to say anything. */
	WINDOW_TRAINED,
	WINDOW_USUAL,
	WINDOW_DDOS,	  /* Many to one service: destinations and their ports are fewer than usual. */
	WINDOW_ICMP_DOS,  /* One to one. */
	WINDOW_ICMP_DDOS, /* Many to one. */
	WINDOW_SCAN,	  /* One destination, many ports. */
	WINDOW_UNUSUAL,	  /* None of these. */
	WINDOW_VERDICTS
};

struct monitor {
	unsigned training; /* Windows. */
	double sigmas;	   /* So many standard deviations are unusual, ... */
	double least;	   /* ... and less than so much never is. */
	uint64_t packets;  /* A window with fewer is empty. */
	unsigned trained;  /* Windows so far. */
	struct usual usual[FEATURES];
	int way[FEATURES]; /* Of the last window: -1 lower than usual, 1 higher, 0. */
};

/* Takes a window; 'counts' has FEATURES elements. */
enum verdict_of_window monitor_judge(struct monitor *monitor, const struct counts *counts);

const char *feature_name(enum feature feature); /* Of the table: "tcp-dst". */
const char *verdict_name(enum verdict_of_window verdict);

#endif
