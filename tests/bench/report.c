// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <stdio.h>

static bool as_json;

void report_begin(bool json)
{
	as_json = json;
	if (!json)
		printf("%-12s %-13s %-12s %-11s %9s %8s %8s %8s %7s %7s %8s %9s\n", "case", "program", "tier", "hook",
		       "flows", "ns", "gross", "min", "ratio", "by min", "Mpps", "kept");
}

void report_row(const struct report_row *r)
{
	if (as_json) {
		printf("{\"case\":\"%s\",\"program\":\"%s\",\"tier\":\"%s\",\"hook\":\"%s\",\"flows\":%u,\"ns\":%.2f,"
		       "\"gross_ns\":%.2f,"
		       "\"minimum_ns\":%.2f,\"plain_median_ns\":%.2f,\"ratio\":%.3f,\"ratio_minimum\":%.3f,\"mpps\":%."
		       "3f,\"kept\":%u,\"slices\":%u}\n",
		       r->what, r->program, r->tier, r->hook, r->flows, r->ns, r->gross_ns, r->minimum_ns,
		       r->plain_median_ns, r->ratio, r->ratio_minimum, r->mpps, r->n_kept, r->n_all);
	} else {
		printf("%-12s %-13s %-12s %-11s %9u %8.1f %8.1f %8.1f ", r->what, r->program, r->tier, r->hook,
		       r->flows, r->ns, r->gross_ns, r->minimum_ns);
		r->ratio > 0 ? printf("%7.2f %7.2f ", r->ratio, r->ratio_minimum) : printf("%7s %7s ", "-", "-");
		r->mpps > 0 ? printf("%8.2f ", r->mpps) : printf("%8s ", "-");
		printf("%4u/%-4u\n", r->n_kept, r->n_all);
	}
	fflush(stdout);
}

void report_figure(const char *what, double value, const char *unit)
{
	if (as_json)
		printf("{\"case\":\"%s\",\"tier\":\"interpreter\",\"hook\":\"xdp\",\"flows\":0,\"ns\":0,\"ratio\":0,"
		       "\"value\":%.3f,\"unit\":\"%s\"}\n",
		       what, value, unit);
	else
		printf("%-40s %14.1f %s\n", what, value, unit);
	fflush(stdout);
}
