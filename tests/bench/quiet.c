// SPDX-License-Identifier: GPL-2.0-or-later
#include "quiet.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUIET_TOLERANCE 1.06

uint64_t quiet_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Independent operations: bound by throughput, which is what a loud neighbour takes. */
static double calibrate(void)
{
	uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, begin = quiet_now_ns();

	for (unsigned i = 0; i < 100000; i++) {
		a = a * 3 + i;
		b = b * 5 + i;
		c ^= c << 3;
		d += d >> 2;
		e = e * 7 + 1;
		f ^= f >> 5;
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
	}
	return quiet_now_ns() - begin;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_of(double *values, unsigned n)
{
	if (!n)
		return 0;
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void finish(struct quiet_candidate *c, double best)
{
	double kept[QUIET_SLICES_MAX];

	c->n_kept = 0;
	for (unsigned i = 0; i < c->n_all; i++)
		if (c->noise[i] <= best * QUIET_TOLERANCE)
			kept[c->n_kept++] = c->all[i];
	c->median = median_of(kept, c->n_kept);
	c->plain_median = median_of(c->all, c->n_all);
	c->minimum = c->n_all ? c->all[0] : 0;
	if (!c->n_kept)
		c->median = c->plain_median;
}

void quiet_run(struct quiet_candidate *candidates, unsigned n, double seconds, int cpu)
{
	uint64_t end = quiet_now_ns() + seconds * 1e9;
	double best = 1e18, before, after;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (unsigned i = 0; i < n; i++) {
		candidates[i].n_all = 0;
		candidates[i].slice(candidates[i].data); /* Warm: caches, branch targets, the flows themselves. */
	}
	while (quiet_now_ns() < end && candidates[0].n_all < QUIET_SLICES_MAX) {
		for (unsigned i = 0; i < n; i++) {
			struct quiet_candidate *c = &candidates[i];

			before = calibrate();
			c->all[c->n_all] = c->slice(c->data);
			after = calibrate();
			c->noise[c->n_all] = before > after ? before : after;
			best = before < best ? before : best;
			best = after < best ? after : best;
			if (c->all[c->n_all] < 0) {
				fprintf(stderr, "bench: %s failed\n", c->name);
				exit(1);
			}
			c->n_all++;
		}
	}
	for (unsigned i = 0; i < n; i++)
		finish(&candidates[i], best);
}
