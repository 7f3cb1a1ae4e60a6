/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quiet - measuring on a machine whose neighbours are loud.
 *
 * A measurement is cut into slices.  A loop of independent operations runs before and after each slice; the
 * slice counts only if both were within QUIET_TOLERANCE of the best seen, because such a loop slows down with the
 * machine (a dependency chain hardly does).  Candidates are interleaved A B C A B C, so what drifts, drifts
 * for all of them. */
#ifndef MEALY_BENCH_QUIET_H
#define MEALY_BENCH_QUIET_H

#include <stdbool.h>
#include <stdint.h>

enum { QUIET_SLICES_MAX = 4096, QUIET_CANDIDATES_MAX = 16 };

struct quiet_candidate {
	const char *name;
	double (*slice)(void *data); /* Runs one slice; ns a packet, negative: it failed. */
	void *data;
	/* Results */
	double median, minimum, plain_median; /* ns: of the kept slices; of all. */
	unsigned n_kept, n_all;
	double all[QUIET_SLICES_MAX];
	double noise[QUIET_SLICES_MAX];
};

/* Runs the candidates in turns for about 'seconds' and fills in their results.  Pins the thread to 'cpu'. */
void quiet_run(struct quiet_candidate *candidates, unsigned n, double seconds, int cpu);

uint64_t quiet_now_ns(void);

#endif
