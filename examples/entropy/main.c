// SPDX-License-Identifier: GPL-2.0-or-later
/* mealy-entropy - a controller application: tells attacks by the entropy of addresses and ports, and blocks them.
 *
 * Once a window: reads the six tables of the application `entropy`, forgets what they have counted, judges, and, if it
 * is told to, writes an entry of the table `blocked` that ends by itself. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../common/cleanup.h"
#include "../../lib/mealy.h"
#include "../../tables/field.h"
#include "monitor.h"

enum { CONNECT_MS = 5000, REGISTER_WORDS = 1 };

struct program {
	const char *url, *deployment, *switch_name;
	const char *block; /* How long an entry lasts; NULL: none is written. */
	unsigned window_s; /* 0: a line on standard input ends a window. */
	struct mealy *mealy;
	struct monitor monitor;
};

static const char usage[] = "mealy-entropy [OPTIONS] - watch the application `entropy` and tell attacks\n\n"
			    "  --controller URL   as `mealy` has it: a controller ...\n"
			    "  --agent URL        ... or one agent\n"
			    "  --switch NAME      which switch; may be left out when only one is connected\n"
			    "  --app NAME         name of the application (entropy)\n"
			    "  --window SECONDS   4; 0: a line on standard input ends a window\n"
			    "  --training N       20 windows say what is usual\n"
			    "  --sigmas N         3 standard deviations from the mean are unusual\n"
			    "  --block TIME       drop what attacks for so long, e.g. 60s; without it, only tell\n";

/* ---- one window ---- */

/* A record of a table whose only key is an address or a port, and whose only register is the count. */
static int take_record(void *data, const struct layout *layout, const uint64_t *words, uint64_t now_ns, uint64_t total)
{
	struct counts *counts = data;
	const __u64 *image = (const __u64 *)words;
	__u64 hi, lo, zero, packets;
	char text[64];

	(void)total;
	if (layout->n_keys != 1 || layout->n_regs != REGISTER_WORDS)
		return -EPROTO;
	layout_get(&layout->key[0], image, &hi, &lo);
	layout_get(&layout->reg[0], image, &zero, &packets);
	value_render(layout->key[0].type, hi, lo, now_ns, text, sizeof(text));
	counts_add(counts, text, packets);
	return 0;
}

static int call(struct program *p, struct message *request)
{
	enum error_code code;
	struct message *reply;
	int r;

	request->switch_name = p->switch_name;
	r = mealy_call(p->mealy, request, &reply, &code);
	if (r == 0)
		message_free(reply);
	return r;
}

/* What comes between the two is forgotten uncounted. */
static int read_and_forget(struct program *p, enum feature feature, struct counts *counts)
{
	const char *table = feature_name(feature);
	struct message flush = {.kind = MSG_FLOW,
				.flow = {.op = FLOW_FLUSH, .deployment = p->deployment, .table = table, .state = ""}};
	int r = mealy_dump(p->mealy, p->switch_name, p->deployment, table, "", take_record, counts);

	return r ? r : call(p, &flush);
}

/* Who sends most to where most goes; of many sources, whoever sends there. */
static int block(struct program *p, enum verdict_of_window verdict, const struct counts *counts)
{
	static const char *column[] = {"ip.dst", "hard", "ip.src"};
	bool many = verdict == WINDOW_DDOS || verdict == WINDOW_ICMP_DDOS;
	char row[256];
	struct message set = {.kind = MSG_ENTRIES,
			      .entries = {.op = ENTRY_SET,
					  .deployment = p->deployment,
					  .table = "blocked",
					  .column = column,
					  .n_columns = many ? 2 : 3,
					  .rows = row}};

	snprintf(row, sizeof(row), "%s,%s%s%s\n", counts[DST].top, p->block, many ? "" : ",",
		 many ? "" : counts[SRC].top);
	return call(p, &set);
}

static void tell(const struct program *p, enum verdict_of_window verdict, const struct counts *counts)
{
	printf("%s", verdict_name(verdict));
	for (unsigned i = 0; i < FEATURES; i++)
		if (counts[i].packets)
			printf(" %s=%.3f%s", feature_name(i), counts_entropy(&counts[i]),
			       p->monitor.way[i] < 0   ? "-"
			       : p->monitor.way[i] > 0 ? "+"
						       : "");
	if (verdict >= WINDOW_DDOS)
		printf(" most-from=%s most-to=%s", counts[SRC].top, counts[DST].top);
	printf("\n");
	fflush(stdout);
}

static int run_window(struct program *p)
{
	struct counts counts[FEATURES] = {};
	enum verdict_of_window verdict;
	int r = 0;

	for (unsigned i = 0; i < FEATURES && r == 0; i++)
		r = read_and_forget(p, i, &counts[i]);
	if (r < 0)
		return r;
	verdict = monitor_judge(&p->monitor, counts);
	tell(p, verdict, counts);
	if (p->block && verdict >= WINDOW_DDOS && verdict <= WINDOW_SCAN)
		return block(p, verdict, counts);
	return 0;
}

/* ---- the program ---- */

/* False: standard input has ended. */
static bool wait_window(const struct program *p)
{
	struct timespec left = {.tv_sec = p->window_s};
	char line[16];

	if (!p->window_s)
		return fgets(line, sizeof(line), stdin);
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
	return true;
}

static bool read_options(int argc, char **argv, struct program *p)
{
	static const struct option options[] = {{"controller", 1, NULL, 'c'}, {"agent", 1, NULL, 'a'},
						{"switch", 1, NULL, 's'},     {"app", 1, NULL, 'n'},
						{"window", 1, NULL, 'w'},     {"training", 1, NULL, 't'},
						{"sigmas", 1, NULL, 'g'},     {"block", 1, NULL, 'b'},
						{"help", 0, NULL, 'h'},	      {}};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (option) {
		case 'c':
		case 'a': p->url = optarg; break;
		case 's': p->switch_name = optarg; break;
		case 'n': p->deployment = optarg; break;
		case 'w': p->window_s = atoi(optarg); break;
		case 't': p->monitor.training = atoi(optarg); break;
		case 'g': p->monitor.sigmas = atof(optarg); break;
		case 'b': p->block = optarg; break;
		default: return false;
		}
	return optind == argc && p->url;
}

int main(int argc, char **argv)
{
	struct program p = {.deployment = "entropy",
			    .switch_name = "",
			    .url = getenv("MEALY_CONTROLLER"),
			    .window_s = 4,
			    .monitor = {.training = 20, .sigmas = 3, .least = 0.05, .packets = 50}};
	int r;

	if (!read_options(argc, argv, &p)) {
		fputs(usage, stderr);
		return 2;
	}
	r = mealy_open(p.url, false, "entropy", CONNECT_MS, &p.mealy);
	while (r == 0 && wait_window(&p))
		r = run_window(&p);
	if (r < 0)
		fprintf(stderr, "mealy-entropy: %s\n", p.mealy ? mealy_error(p.mealy) : strerror(-r));
	mealy_close(p.mealy);
	return r < 0;
}
