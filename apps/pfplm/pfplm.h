/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pfplm - loss of SRv6 flows by alternate marking (RFC 9341), for programs: a controller application on libmealy.
 *
 * The switches run examples/srv6-loss-out.yaml where flows leave and srv6-loss-in.yaml where they arrive.  A flow is a
 * list of segments in the order of the path, "fcff:3::1,fcff:4::1"; a colour is 0 to 3.
 *
 * Functions return 0 or a negative errno, after which pfplm_error() has one sentence:
 *
 *   -EINVAL    no list of segments, a colour above 3, two segments lists too long
 *   -ENOENT    no such flow, switch or deployment      -EEXIST   the flow is registered already
 *   -EREMOTEIO a switch or the controller refused it   others    the connection, as of mealy_open()
 *
 * 'at' names a switch; "" is all of them where a change is meant, and the switch itself where the connection goes
 * straight to one agent.  One thread. */
#ifndef MEALY_PFPLM_H
#define MEALY_PFPLM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pfplm;

enum pfplm_direction { PFPLM_INGRESS, PFPLM_EGRESS };
enum { PFPLM_COLOURS = 4 };

/* 'url' as of mealy_open(), of a controller or ('is_agent') of one agent; over tcp:// the connection is sealed by the
 * keys in MEALY_KEYS or ~/.config/mealy/keys, unless 'insecure'.  Also after a failure *ret_pfplm is set (but for
 * -ENOMEM), to be asked and closed. */
int pfplm_open(const char *url, bool is_agent, bool insecure, struct pfplm **ret_pfplm);
void pfplm_close(struct pfplm *pfplm);
const char *pfplm_error(const struct pfplm *pfplm);

/* Puts the application on ports (a comma list; "": all) of the switches that the pattern 'at' matches ("": all), or
 * another setting of it in its place; flows stay.  'mark': the field whose two lowest bits are the colour, NULL:
 * ipv6.ecn.  An interface that has a foreign program is refused by the switch unless its operator says otherwise
 * (agent.yaml). */
int pfplm_load(struct pfplm *pfplm, enum pfplm_direction direction, const char *at, const char *ports,
	       const char *mark);
/* Also 0 if it was not there. */
int pfplm_unload(struct pfplm *pfplm, enum pfplm_direction direction);

/* What is sent from now on, on all switches. */
int pfplm_set_colour(struct pfplm *pfplm, unsigned colour);
int pfplm_get_colour(struct pfplm *pfplm, const char *at, unsigned *ret_colour);

int pfplm_add_flow(struct pfplm *pfplm, enum pfplm_direction direction, const char *at, const char *segments);
int pfplm_del_flow(struct pfplm *pfplm, enum pfplm_direction direction, const char *at, const char *segments);
/* Calls 'flow' with each list. */
int pfplm_list_flows(struct pfplm *pfplm, enum pfplm_direction direction, const char *at,
		     void (*flow)(void *data, const char *segments), void *data);

struct pfplm_stats {
	uint64_t packets, bytes;
	uint64_t times; /* Sum of the moments at which they were counted, ns on the switch's clock, modulo 2^64. */
};

/* What was counted since the flow was registered first; 0 if nothing of that colour was.  All CPUs together. */
int pfplm_get_stats(struct pfplm *pfplm, enum pfplm_direction direction, const char *at, const char *segments,
		    unsigned colour, struct pfplm_stats *ret_stats);

/* ---- a measurement ---- */

struct pfplm_path {
	const char *name, *segments;
	const char *from, *to; /* Switches where it is coloured and counted, and where it is counted again. */
	int reverse;	       /* The path back, as an element of the same array; -1: none. */
};

/* One path in one block. */
struct pfplm_block {
	uint64_t block; /* Unix time at its begin, divided by the interval. */
	unsigned path, colour;
	bool is_valid; /* false: counters were begun anew, nothing below means anything. */
	struct pfplm_stats sent, received;
	int64_t lost, lost_bytes; /* Below 0: there were more than were sent. */
	bool has_delay;		  /* Nothing was lost, and something was sent. */
	int64_t delay_ns;	  /* Mean, by the clocks of both switches as they are. */
	bool has_two_way;	  /* The same of the path back, so that clocks cancel out. */
	int64_t two_way_ns;	  /* There and back. */
};

struct pfplm_plan {
	const struct pfplm_path *path;
	size_t n_paths;
	uint64_t interval_ns; /* Of a block; begins at its multiples of Unix time, so all controllers agree. */
	uint64_t margin_ns;   /* From the flip until the counters of the colour before are read; below interval / 2. */
	unsigned colour[2];   /* Taken in turn. */
	uint64_t n_blocks;    /* 0: without end. */
};

/* Registers the flows where they are not yet, flips the colour by the clock and calls 'report' for each path of each
 * whole block until it returns nonzero, which is returned.  The first block begins at the second boundary at the
 * latest. */
int pfplm_run(struct pfplm *pfplm, const struct pfplm_plan *plan,
	      int (*report)(void *data, const struct pfplm_block *block), void *data);

/* What the counts before and after a block say.  Pure. */
void pfplm_compute(const struct pfplm_stats *sent_before, const struct pfplm_stats *sent,
		   const struct pfplm_stats *received_before, const struct pfplm_stats *received,
		   struct pfplm_block *block);

#endif
