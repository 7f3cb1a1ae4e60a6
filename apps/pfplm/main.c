/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mealy-pfplm - loss of SRv6 flows, measured by alternate marking. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../common/cleanup.h"
#include "../../tables/literal.h"
#include "../../tables/render.h"
#include "pfplm.h"

#define DEFAULT_CONTROLLER "ipc:///run/mealy/users.sock"

enum { EXIT_USAGE = 2, PATHS_MAX = 64 };

static const char help[] =
	"mealy-pfplm - loss of SRv6 flows by alternate marking (RFC 9341)\n"
	"\n"
	"  mealy-pfplm [OPTION]... load ingress|egress\n"
	"  mealy-pfplm [OPTION]... unload ingress|egress\n"
	"  mealy-pfplm [OPTION]... add-flow|del-flow ingress|egress SEGMENTS\n"
	"  mealy-pfplm [OPTION]... list ingress|egress\n"
	"  mealy-pfplm [OPTION]... stats ingress|egress SEGMENTS COLOUR     packets, one number\n"
	"  mealy-pfplm [OPTION]... set-colour COLOUR\n"
	"  mealy-pfplm [OPTION]... get-colour\n"
	"  mealy-pfplm [OPTION]... run PATH...        registers, colours, and tells what each block lost\n"
	"\n"
	"SEGMENTS  addresses in the order of the path: fcff:3::1,fcff:4::1\n"
	"PATH      NAME=SEGMENTS@FROM-TO: where flows leave and arrive, two switches; a path NAME and a path "
	"NAME/back\n"
	"          are each other's way back, so the mean two-way delay is told without equal clocks\n"
	"\n"
	"  --controller URL, --agent URL   whom to ask (MEALY_CONTROLLER, ipc:///run/mealy/users.sock); an agent has "
	"no names\n"
	"  --insecure           over TCP without sealing; else with the keys in MEALY_KEYS (~/.config/mealy/keys)\n"
	"  --switch NAME        the switch that is meant; with load: a pattern (all)\n"
	"  --ports A,B          load: these ports only (all)\n"
	"  --mark FIELD         load: the field whose two lowest bits are the colour (ipv6.ecn); ipv6.dscp, "
	"ipv6.flow_label\n"
	"  --interval TIME      run: of a block (15s); begins at its multiples of Unix time\n"
	"  --margin TIME        run: from the flip until the colour before is read (3s), at most half of it\n"
	"  --colours A,B        run: taken in turn (1,2)\n"
	"  --blocks N           run: ends after so many\n"
	"  --json               one object a line\n"
	"\n"
	"  mealy-pfplm load egress && mealy-pfplm load ingress\n"
	"  mealy-pfplm run --interval 10s --margin 1s 'east=fcff:3::1,fcff:4::1@s1-s2' 'east/back=fcff:1::1@s2-s1'\n";

struct options {
	const char *url, *at, *ports, *mark;
	bool is_agent, insecure, json;
	struct pfplm_plan plan;
};

static int usage(const char *why, const char *what)
{
	fprintf(stderr, "mealy-pfplm: %s%s (see mealy-pfplm --help)\n", why, what);
	return EXIT_USAGE;
}

static int failed(const struct pfplm *pfplm)
{
	fprintf(stderr, "mealy-pfplm: %s\n", pfplm_error(pfplm));
	return EXIT_FAILURE;
}

/* ---- words of the command line ---- */

static int read_time(const char *text, uint64_t *ret_ns)
{
	char why[LITERAL_ERROR_SIZE];
	struct literal literal;

	if (literal_parse(text, &literal, why) < 0 || literal.type != TYPE_DURATION)
		return usage("a time is written 10s or 500ms, not ", text);
	*ret_ns = literal.lo;
	return 0;
}

static int read_colour(const char *text, unsigned *ret)
{
	if (strlen(text) != 1 || *text < '0' || *text >= '0' + PFPLM_COLOURS)
		return usage("a colour is 0 to 3, not ", text);
	*ret = *text - '0';
	return 0;
}

static int read_direction(const char *text, enum pfplm_direction *ret)
{
	*ret = !strcmp(text, "egress") ? PFPLM_EGRESS : PFPLM_INGRESS;
	return *ret == PFPLM_EGRESS || !strcmp(text, "ingress") ? 0 : usage("expected ingress or egress, not ", text);
}

static int read_colours(const char *text, unsigned *ret)
{
	char first[2] = {text[0]};

	if (strlen(text) != 3 || text[1] != ',')
		return usage("two colours are written 1,2, not ", text);
	return read_colour(first, &ret[0]) ?: read_colour(text + 2, &ret[1]);
}

static int read_option(struct options *o, int option, const char *text)
{
	char *end = NULL;

	switch (option) {
	case 'c':
	case 'a':
		o->url = text;
		o->is_agent = option == 'a';
		return 0;
	case 'I': o->insecure = true; return 0;
	case 's': o->at = text; return 0;
	case 'p': o->ports = text; return 0;
	case 'm': o->mark = text; return 0;
	case 'i': return read_time(text, &o->plan.interval_ns);
	case 'M': return read_time(text, &o->plan.margin_ns);
	case 'C': return read_colours(text, o->plan.colour);
	case 'n':
		o->plan.n_blocks = strtoull(text, &end, 10);
		return *end || !o->plan.n_blocks ? usage("a number of blocks is needed, not ", text) : 0;
	case 'j': o->json = true; return 0;
	}
	return usage("not understood", "");
}

static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{"controller", 1, NULL, 'c'},
		{"agent", 1, NULL, 'a'},
		{"insecure", 0, NULL, 'I'},
		{"switch", 1, NULL, 's'},
		{"ports", 1, NULL, 'p'},
		{"mark", 1, NULL, 'm'},
		{"interval", 1, NULL, 'i'},
		{"margin", 1, NULL, 'M'},
		{"colours", 1, NULL, 'C'},
		{"blocks", 1, NULL, 'n'},
		{"json", 0, NULL, 'j'},
		{"help", 0, NULL, 'h'},
		{},
	};
	int option, r = 0;

	while (r == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			exit(EXIT_SUCCESS);
		}
		r = read_option(o, option, optarg);
	}
	return r;
}

/* "NAME=SEGMENTS@FROM-TO", cut in place. */
static int read_path(char *text, struct pfplm_path *ret)
{
	char *equals = strchr(text, '='), *at = equals ? strchr(equals, '@') : NULL,
	     *dash = at ? strchr(at, '-') : NULL;

	if (!dash)
		return usage("a path is NAME=SEGMENTS@FROM-TO, not ", text);
	*equals = *at = *dash = '\0';
	*ret = (struct pfplm_path){.name = text, .segments = equals + 1, .from = at + 1, .to = dash + 1, .reverse = -1};
	return 0;
}

static void find_ways_back(struct pfplm_path *path, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			size_t len = strlen(path[i].name);

			if (strncmp(path[j].name, path[i].name, len) || strcmp(path[j].name + len, "/back"))
				continue;
			path[i].reverse = j;
			path[j].reverse = i;
		}
}

/* ---- verbs ---- */

struct output {
	struct render *render;
	const struct pfplm_path *path;
};

static void print_json(struct render *out, const struct pfplm_path *path, const struct pfplm_block *b)
{
	render_row_begin(out);
	render_string(out, "path", path->name);
	render_u64(out, "block", b->block);
	render_u64(out, "colour", b->colour);
	render_bool(out, "valid", b->is_valid);
	if (b->is_valid) {
		render_u64(out, "sent", b->sent.packets);
		render_u64(out, "received", b->received.packets);
		render_i64(out, "lost", b->lost);
		render_u64(out, "sent_bytes", b->sent.bytes);
		render_u64(out, "received_bytes", b->received.bytes);
		render_i64(out, "lost_bytes", b->lost_bytes);
	}
	if (b->has_delay)
		render_i64(out, "delay_ns", b->delay_ns);
	if (b->has_two_way)
		render_i64(out, "two_way_ns", b->two_way_ns);
	render_row_end(out);
}

static void print_text(const struct pfplm_path *path, const struct pfplm_block *b)
{
	if (!b->is_valid) {
		printf("%s block %" PRIu64 ": counters were begun anew\n", path->name, b->block);
		return;
	}
	printf("%s block %" PRIu64 " colour %u: sent %" PRIu64 ", received %" PRIu64 ", lost %" PRId64 " (%" PRId64
	       " bytes); ",
	       path->name, b->block, b->colour, b->sent.packets, b->received.packets, b->lost, b->lost_bytes);
	if (b->has_two_way)
		printf("%.3f us there and back\n", b->two_way_ns / 1000.0);
	else if (b->has_delay)
		printf("%.3f us one way, if both clocks are equal\n", b->delay_ns / 1000.0);
	else
		printf("no delay: %s\n", b->sent.packets ? "packets were lost" : "nothing was sent");
}

static int print_block(void *data, const struct pfplm_block *block)
{
	struct output *output = data;
	const struct pfplm_path *path = &output->path[block->path];

	if (output->render)
		print_json(output->render, path, block);
	else
		print_text(path, block);
	return fflush(stdout) ? -EIO : 0;
}

static int run(struct pfplm *pfplm, const struct options *o, char **arg, int n)
{
	struct pfplm_path path[PATHS_MAX];
	struct pfplm_plan plan = o->plan;
	struct output output = {.path = path};
	int r = n > PATHS_MAX ? usage("too many paths", "") : 0;

	for (int i = 0; i < n && r == 0; i++)
		r = read_path(arg[i], &path[i]);
	if (r)
		return r;
	find_ways_back(path, n);
	plan.path = path;
	plan.n_paths = n;
	if (o->json && !(output.render = render_new(stdout, true)))
		return usage("out of memory", "");
	r = pfplm_run(pfplm, &plan, print_block, &output);
	render_free(output.render);
	return r < 0 ? failed(pfplm) : 0;
}

static void print_flow(void *data, const char *segments)
{
	const struct options *o = data;

	printf(o->json ? "{\"segments\":\"%s\"}\n" : "%s\n", segments);
}

static int print_stats(struct pfplm *pfplm, const struct options *o, enum pfplm_direction direction, char **arg)
{
	struct pfplm_stats stats;
	unsigned colour;

	if (read_colour(arg[1], &colour))
		return EXIT_USAGE;
	if (pfplm_get_stats(pfplm, direction, o->at, arg[0], colour, &stats) < 0)
		return failed(pfplm);
	if (o->json)
		printf("{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", stats.packets, stats.bytes);
	else
		printf("%" PRIu64 "\n", stats.packets);
	return 0;
}

static int with_direction(struct pfplm *pfplm, struct options *o, const char *verb, char **arg, int n)
{
	enum pfplm_direction direction;
	int r;

	if (read_direction(arg[0], &direction))
		return EXIT_USAGE;
	if (!strcmp(verb, "load") && n == 1)
		r = pfplm_load(pfplm, direction, o->at, o->ports, o->mark);
	else if (!strcmp(verb, "unload") && n == 1)
		r = pfplm_unload(pfplm, direction);
	else if (!strcmp(verb, "add-flow") && n == 2)
		r = pfplm_add_flow(pfplm, direction, o->at, arg[1]);
	else if (!strcmp(verb, "del-flow") && n == 2)
		r = pfplm_del_flow(pfplm, direction, o->at, arg[1]);
	else if (!strcmp(verb, "list") && n == 1)
		r = pfplm_list_flows(pfplm, direction, o->at, print_flow, o);
	else if (!strcmp(verb, "stats") && n == 3)
		return print_stats(pfplm, o, direction, arg + 1);
	else
		return usage("not understood: ", verb);
	return r < 0 ? failed(pfplm) : 0;
}

static int do_verb(struct pfplm *pfplm, struct options *o, const char *verb, char **arg, int n)
{
	unsigned colour;

	if (!strcmp(verb, "run"))
		return n ? run(pfplm, o, arg, n) : usage("which paths?", "");
	if (!strcmp(verb, "set-colour") && n == 1) {
		if (read_colour(arg[0], &colour))
			return EXIT_USAGE;
		return pfplm_set_colour(pfplm, colour) < 0 ? failed(pfplm) : 0;
	}
	if (!strcmp(verb, "get-colour") && n == 0) {
		if (pfplm_get_colour(pfplm, o->at, &colour) < 0)
			return failed(pfplm);
		printf(o->json ? "{\"colour\":%u}\n" : "%u\n", colour);
		return 0;
	}
	return n ? with_direction(pfplm, o, verb, arg, n) : usage("not understood: ", verb);
}

int main(int argc, char **argv)
{
	const char *controller = getenv("MEALY_CONTROLLER");
	struct options o = {.url = controller && *controller ? controller : DEFAULT_CONTROLLER,
			    .at = "",
			    .ports = "",
			    .plan = {.interval_ns = 15000000000, .margin_ns = 3000000000, .colour = {1, 2}}};
	struct pfplm *pfplm = NULL;
	int status = read_options(argc, argv, &o);

	if (status)
		return status;
	if (optind == argc)
		return usage("what is to be done?", "");
	if (pfplm_open(o.url, o.is_agent, o.insecure, &pfplm) < 0)
		status = pfplm ? failed(pfplm) : EXIT_FAILURE;
	else
		status = do_verb(pfplm, &o, argv[optind], argv + optind + 1, argc - optind - 1);
	pfplm_close(pfplm);
	return status;
}
