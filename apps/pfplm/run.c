/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A measurement: colours by the clock, counters of the colour before, what they say. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "../../common/cleanup.h"
#include "pfplm_int.h"

/* Counters of a path's both ends for one colour. */
struct counts {
	struct pfplm_stats sent, received;
};

struct run {
	struct pfplm *pfplm;
	const struct pfplm_plan *plan;
	struct counts (*before)[2]; /* By path and turn: when the turn's last block was over. */
	struct pfplm_block *block;  /* By path. */
	int (*report)(void *data, const struct pfplm_block *block);
	void *data;
};

static uint64_t unix_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void wait_until(uint64_t ns)
{
	struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* ---- what counters say ---- */

static struct pfplm_stats since(const struct pfplm_stats *before, const struct pfplm_stats *now)
{
	return (struct pfplm_stats){now->packets - before->packets, now->bytes - before->bytes,
				    now->times - before->times};
}

void pfplm_compute(const struct pfplm_stats *sent_before, const struct pfplm_stats *sent,
		   const struct pfplm_stats *received_before, const struct pfplm_stats *received,
		   struct pfplm_block *block)
{
	block->is_valid = sent->packets >= sent_before->packets && received->packets >= received_before->packets;
	block->has_delay = block->has_two_way = false;
	if (!block->is_valid)
		return;
	block->sent = since(sent_before, sent);
	block->received = since(received_before, received);
	block->lost = block->sent.packets - block->received.packets;
	block->lost_bytes = block->sent.bytes - block->received.bytes;
	block->has_delay = block->lost == 0 && block->sent.packets > 0;
	/* The sums wrap, their difference does not: it is the sum of all delays. */
	if (block->has_delay)
		block->delay_ns = (int64_t)(block->received.times - block->sent.times) / (int64_t)block->sent.packets;
}

static void compute_two_way(struct run *run)
{
	for (size_t i = 0; i < run->plan->n_paths; i++) {
		int back = run->plan->path[i].reverse;
		struct pfplm_block *b = &run->block[i];

		if (back < 0 || !b->has_delay || !run->block[back].has_delay)
			continue;
		b->has_two_way = true;
		b->two_way_ns = b->delay_ns + run->block[back].delay_ns;
	}
}

/* ---- flows ---- */

static int add_if_missing(struct pfplm *pfplm, enum pfplm_direction direction, const char *at, const char *segments)
{
	int r = pfplm_add_flow(pfplm, direction, at, segments);

	return r == -EEXIST ? 0 : r;
}

static int register_flows(struct run *run)
{
	int r = 0;

	for (size_t i = 0; i < run->plan->n_paths && r == 0; i++) {
		const struct pfplm_path *path = &run->plan->path[i];

		r = add_if_missing(run->pfplm, PFPLM_EGRESS, path->from, path->segments);
		if (r == 0)
			r = add_if_missing(run->pfplm, PFPLM_INGRESS, path->to, path->segments);
	}
	return r;
}

static int read_counts(struct run *run, const struct pfplm_path *path, unsigned colour, struct counts *ret)
{
	int r = pfplm_get_stats(run->pfplm, PFPLM_EGRESS, path->from, path->segments, colour, &ret->sent);

	return r < 0 ? r : pfplm_get_stats(run->pfplm, PFPLM_INGRESS, path->to, path->segments, colour, &ret->received);
}

/* ---- blocks ---- */

/* The counters of a turn that is over; with 'is_whole' what they say of block 'number'. */
static int end_turn(struct run *run, unsigned turn, uint64_t number, bool is_whole)
{
	unsigned colour = run->plan->colour[turn];

	for (size_t i = 0; i < run->plan->n_paths; i++) {
		struct counts now, *before = &run->before[i][turn];
		int r = read_counts(run, &run->plan->path[i], colour, &now);

		if (r < 0)
			return r;
		run->block[i] = (struct pfplm_block){.block = number, .path = i, .colour = colour};
		pfplm_compute(&before->sent, &now.sent, &before->received, &now.received, &run->block[i]);
		*before = now;
	}
	compute_two_way(run);
	for (size_t i = 0; i < run->plan->n_paths && is_whole; i++) {
		int r = run->report(run->data, &run->block[i]);

		if (r)
			return r;
	}
	return 0;
}

/* The next block that has the other turn: its boundary is to come, or a late one is made up for. */
static uint64_t next_block(const struct pfplm_plan *plan, uint64_t block)
{
	uint64_t now = unix_ns() / plan->interval_ns;

	block++;
	while (block < now)
		block += 2;
	return block;
}

static int run_blocks(struct run *run)
{
	const struct pfplm_plan *plan = run->plan;
	uint64_t block = unix_ns() / plan->interval_ns, whole = 0;
	int r;

	/* Until the first boundary the colour before it is in use, after it that colour's packets have arrived. */
	r = pfplm_set_colour(run->pfplm, plan->colour[block & 1]);
	if (r == 0)
		wait_until(unix_ns() + plan->margin_ns);
	if (r == 0)
		r = end_turn(run, !(block & 1), 0, false);
	for (bool is_whole = false; r == 0; is_whole = true) {
		uint64_t ended = block;

		block = next_block(plan, block);
		wait_until(block * plan->interval_ns);
		r = pfplm_set_colour(run->pfplm, plan->colour[block & 1]);
		if (r == 0)
			wait_until(unix_ns() + plan->margin_ns);
		if (r == 0)
			r = end_turn(run, ended & 1, ended, is_whole);
		if (r == 0 && is_whole && plan->n_blocks && ++whole == plan->n_blocks)
			return 0;
	}
	return r;
}

static int check_plan(struct pfplm *pfplm, const struct pfplm_plan *plan)
{
	if (!plan->n_paths)
		return pfplm_fail(pfplm, -EINVAL, "no path is to be measured");
	if (!plan->interval_ns || plan->margin_ns > plan->interval_ns / 2)
		return pfplm_fail(pfplm, -EINVAL, "the margin is longer than half of the interval");
	if (plan->colour[0] == plan->colour[1] || plan->colour[0] >= PFPLM_COLOURS || plan->colour[1] >= PFPLM_COLOURS)
		return pfplm_fail(pfplm, -EINVAL, "two different colours of 0 to %d are needed", PFPLM_COLOURS - 1);
	for (size_t i = 0; i < plan->n_paths; i++)
		if (plan->path[i].reverse >= (int)plan->n_paths)
			return pfplm_fail(pfplm, -EINVAL, "path %s: no such path back", plan->path[i].name);
	return 0;
}

int pfplm_run(struct pfplm *pfplm, const struct pfplm_plan *plan,
	      int (*report)(void *data, const struct pfplm_block *block), void *data)
{
	struct run run = {.pfplm = pfplm, .plan = plan, .report = report, .data = data};
	_cleanup_free_ void *before = calloc(plan->n_paths + 1, sizeof(*run.before));
	_cleanup_free_ void *block = calloc(plan->n_paths + 1, sizeof(*run.block));
	int r = check_plan(pfplm, plan);

	if (r < 0)
		return r;
	if (!before || !block)
		return pfplm_fail(pfplm, -ENOMEM, "out of memory");
	run.before = before;
	run.block = block;
	r = register_flows(&run);
	return r < 0 ? r : run_blocks(&run);
}
