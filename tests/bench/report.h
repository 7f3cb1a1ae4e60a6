/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report - rows of the benchmark, as a table for people or one JSON object a line. */
#ifndef MEALY_BENCH_REPORT_H
#define MEALY_BENCH_REPORT_H

#include <stdbool.h>

struct report_row {
	const char *what;    /* "one-flow", "many-flows", "create", "live" */
	const char *program; /* "hand-written", "mealy", "empty", "nftables" */
	const char *tier, *hook;
	unsigned flows;
	double ns; /* Median of quiet slices, less the floor; gross beside it. */
	double gross_ns, minimum_ns, plain_median_ns;
	double ratio; /* To hand-written, by median; 0: none. */
	double ratio_minimum;
	double mpps; /* 0: not a rate. */
	unsigned n_kept, n_all;
};

void report_begin(bool json);
void report_row(const struct report_row *row);
/* Anything with a unit of its own: "bytes a flow", "ms from load to first packet". */
void report_figure(const char *what, double value, const char *unit);

#endif
