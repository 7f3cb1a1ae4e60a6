/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "monitor.h"

#include <math.h>
#include <stdio.h>

void counts_add(struct counts *counts, const char *value, uint64_t packets)
{
	if (!packets)
		return;
	counts->packets += packets;
	counts->values++;
	counts->n_log_n += packets * log2(packets);
	if (packets > counts->most) {
		counts->most = packets;
		snprintf(counts->top, sizeof(counts->top), "%s", value);
	}
}

/* -sum p log p, with p = n / packets, over log(values). */
double counts_entropy(const struct counts *counts)
{
	if (counts->values < 2)
		return 0;
	return (log2(counts->packets) - counts->n_log_n / counts->packets) / log2(counts->values);
}

static void learn(struct usual *usual, double entropy)
{
	double off = entropy - usual->mean;

	usual->windows++;
	usual->mean += off / usual->windows;
	usual->squares += off * (entropy - usual->mean);
}

/* -1, 0 or 1.  A feature that training never saw has no usual. */
static int way_of(const struct monitor *monitor, const struct usual *usual, const struct counts *counts)
{
	double entropy = counts_entropy(counts), room;

	if (!usual->windows || counts->packets < monitor->packets)
		return 0;
	room = fmax(monitor->sigmas * sqrt(usual->squares / usual->windows), monitor->least);
	if (fabs(entropy - usual->mean) <= room)
		return 0;
	return entropy < usual->mean ? -1 : 1;
}

static enum verdict_of_window verdict_of(const int *way)
{
	if (way[DST] < 0) {
		if (way[TCP_DST] > 0 || way[UDP_DST] > 0)
			return WINDOW_SCAN;
		if (way[TCP_DST] < 0 || way[UDP_DST] < 0)
			return WINDOW_DDOS;
		if (way[SRC])
			return way[SRC] > 0 ? WINDOW_ICMP_DDOS : WINDOW_ICMP_DOS;
	}
	for (unsigned i = 0; i < FEATURES; i++)
		if (way[i])
			return WINDOW_UNUSUAL;
	return WINDOW_USUAL;
}

enum verdict_of_window monitor_judge(struct monitor *monitor, const struct counts *counts)
{
	if (counts[SRC].packets < monitor->packets)
		return WINDOW_EMPTY;
	if (monitor->trained < monitor->training) {
		for (unsigned i = 0; i < FEATURES; i++)
			if (counts[i].packets)
				learn(&monitor->usual[i], counts_entropy(&counts[i]));
		monitor->trained++;
		return WINDOW_TRAINED;
	}
	for (unsigned i = 0; i < FEATURES; i++)
		monitor->way[i] = way_of(monitor, &monitor->usual[i], &counts[i]);
	return verdict_of(monitor->way);
}

const char *feature_name(enum feature feature)
{
	static const char *const names[] = {"src", "dst", "tcp-src", "tcp-dst", "udp-src", "udp-dst"};

	_Static_assert(sizeof(names) / sizeof(names[0]) == FEATURES, "a name for each");
	return names[feature];
}

const char *verdict_name(enum verdict_of_window verdict)
{
	static const char *const names[] = {"empty",	"trained",   "usual",	  "ddos",
					    "icmp-dos", "icmp-ddos", "port-scan", "unusual"};

	_Static_assert(sizeof(names) / sizeof(names[0]) == WINDOW_VERDICTS, "a name for each");
	return names[verdict];
}
