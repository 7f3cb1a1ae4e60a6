/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench - a loop, a directory for a socket, and running the loop until something holds. */
#ifndef MEALY_TEST_PROTO_BENCH_H
#define MEALY_TEST_PROTO_BENCH_H

#include <ev.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct place {
	struct ev_loop *loop;
	char directory[64];	 /* Exists. */
	char run[80];		 /* In it; does not. */
	char path[96], url[128]; /* Of the socket in 'run'. */
};

static inline void place_init(struct place *place)
{
	*place = (struct place){.loop = ev_loop_new(0), .directory = "/tmp/mealy-proto-XXXXXX"};
	assert_non_null(mkdtemp(place->directory));
	snprintf(place->run, sizeof(place->run), "%s/run", place->directory);
	snprintf(place->path, sizeof(place->path), "%s/socket", place->run);
	snprintf(place->url, sizeof(place->url), "ipc://%s", place->path);
}

static inline void place_done(struct place *place)
{
	unlink(place->path);
	rmdir(place->run);
	assert_int_equal(rmdir(place->directory), 0);
	ev_loop_destroy(place->loop);
}

/* Counts down the rounds of a wait, and wakes the loop for conditions that it does not watch. */
static inline void place_on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	--*(unsigned *)timer->data;
}

enum { TICK_MS = 5 };

/* Runs the loop until the condition holds; false after 'ms'. */
#define RUN_UNTIL(place, ms, condition)                                                                                \
	({                                                                                                             \
		unsigned ticks_ = (ms) / TICK_MS;                                                                      \
		bool met_;                                                                                             \
		ev_timer tick_;                                                                                        \
		ev_now_update((place)->loop);                                                                          \
		ev_timer_init(&tick_, place_on_tick, TICK_MS / 1e3, TICK_MS / 1e3);                                    \
		tick_.data = &ticks_;                                                                                  \
		ev_timer_start((place)->loop, &tick_);                                                                 \
		while (!(met_ = (condition)) && ticks_)                                                                \
			ev_run((place)->loop, EVRUN_ONCE);                                                             \
		ev_timer_stop((place)->loop, &tick_);                                                                  \
		met_;                                                                                                  \
	})

#endif
