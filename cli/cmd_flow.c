/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow dump: the flows of a table, streamed. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "flow_best.h"
#include "handlers.h"
#include "where.h"

/* What one walk over a table carries along. */
struct walk {
	struct cli *cli;
	struct render *out;
	struct where where;
	struct flow_best *best; /* NULL: not sorted. */
	struct layout layout;
	bool has_layout;
	uint64_t limit; /* 0: none. */
	uint64_t seen, printed, now_ns, total;
	char why[256];
};

/* Ends the walk early without being a failure. */
enum { WALK_ENOUGH = -ECANCELED };

static int take_flow(void *data, const struct layout *layout, const uint64_t *words, uint64_t now_ns, uint64_t total)
{
	struct walk *walk = data;

	if (!walk->has_layout) {
		walk->layout = *layout;
		walk->has_layout = true;
		if (where_resolve(&walk->where, layout, walk->why) < 0)
			return -EINVAL;
	}
	walk->seen++;
	walk->now_ns = now_ns;
	walk->total = total;
	if ((walk->seen & 1023) == 0)
		cli_progress("flows", walk->seen, total);
	if (!where_matches(&walk->where, words, now_ns))
		return 0;
	if (walk->best)
		return flow_best_offer(walk->best, layout, words);
	render_flow(walk->out, layout, words, now_ns);
	walk->printed++;
	if (ferror(stdout))
		return -EIO;
	return walk->limit && walk->printed == walk->limit ? WALK_ENOUGH : 0;
}

static void print_best(struct walk *walk)
{
	size_t n = flow_best_sort(walk->best);

	for (size_t i = 0; i < n; i++)
		render_flow(walk->out, &walk->layout, flow_best_get(walk->best, i), walk->now_ns);
	walk->printed = n;
}

static int read_options(const struct args *args, struct walk *walk)
{
	const char *sort = args_get(args, "sort"), *text;
	size_t at = 0;
	char why[256];

	while ((text = args_next(args, "where", &at)))
		if (where_add(&walk->where, text) < 0)
			return cli_usage("at most %d conditions", WHERE_MAX);
	if (args_number(args, "limit", 0, 1, sort ? FLOW_BEST_MAX : UINT64_MAX, &walk->limit, why) < 0)
		return cli_usage("%s", why);
	if (!sort)
		return 0;
	if (strcmp(sort, "key") && strcmp(sort, "idle"))
		return cli_usage("--sort is key or idle, not \"%s\"", sort);
	if (!walk->limit)
		return cli_usage("--sort needs --limit N (at most %d), because flows are not kept in memory",
				 FLOW_BEST_MAX);
	walk->best = flow_best_new(sort[0] == 'k' ? FLOW_BY_KEY : FLOW_BY_IDLE, walk->limit);
	return walk->best ? 0 : cli_fail("out of memory");
}

static int finish(struct walk *walk, int r)
{
	cli_progress_end();
	if (r == -EINVAL && walk->why[0])
		return cli_usage("%s", walk->why);
	if (r == -ENOMEM || r == -EIO)
		return cli_fail("%s", strerror(-r));
	if (r < 0 && r != WALK_ENOUGH)
		return cli_fail("%s", mealy_error(walk->cli->mealy));
	if (walk->best && walk->has_layout)
		print_best(walk);
	render_note(walk->out, "%" PRIu64 " of %" PRIu64 " flow%s", walk->printed, walk->total,
		    walk->total == 1 ? "" : "s");
	return EXIT_OK;
}

/* Conditions are looked at before the walk, because an empty table gives no record to check them with. */
static int check_where(struct walk *walk, const struct args *args)
{
	const struct layout *layout;
	struct message *tables;
	int r;

	if (!walk->where.n)
		return 0;
	r = cli_layout(walk->cli, args->arg[0], args->arg[1], &tables, &layout);
	if (r)
		return r;
	if (where_resolve(&walk->where, layout, walk->why) < 0)
		r = cli_usage("%s", walk->why);
	message_free(tables);
	return r;
}

int flow_dump(struct cli *cli, const struct args *args)
{
	struct walk walk = {.cli = cli};
	const char *state = args_get(args, "state");
	int r;

	r = read_options(args, &walk);
	if (r == 0)
		r = cli_connect(cli);
	if (r == 0)
		r = check_where(&walk, args);
	if (r == 0)
		walk.out = render_new(stdout, cli->json);
	if (r == 0 && !walk.out)
		r = cli_fail("out of memory");
	if (r == 0)
		r = finish(&walk, mealy_dump(cli->mealy, cli->switch_name, args->arg[0], args->arg[1],
					     state ? state : "", take_flow, &walk));
	render_free(walk.out);
	flow_best_free(walk.best);
	return r;
}
