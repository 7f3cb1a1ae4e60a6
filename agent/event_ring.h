/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event_ring - events from the datapath.
 *
 * Each event carries its CPU and a sequence number of that CPU; a gap is a loss, which is reported
 * before the event that showed it.  The ring is shared by instances of one ABI, so what happened while no
 * agent ran is read by the next one. */
#ifndef MEALY_EVENT_RING_H
#define MEALY_EVENT_RING_H

#include "instance.h"

struct event_ring;

enum { EVENT_RUN_MAX = 1024 }; /* Events of one event_ring_run(). */

struct event_ring_options {
	/* 'packet' has event->packet_size bytes (EVENT_PUNT), else it is NULL.  Both are valid during the call. */
	void (*event)(void *data, const struct event *event, const uint8_t *packet);
	void (*lost)(void *data, unsigned cpu, uint64_t n);
	void *data;
};

int event_ring_open(struct instance *instance, const struct event_ring_options *options, struct event_ring **ret_ring);
void event_ring_close(struct event_ring *ring);

/* For the loop (level-triggered): readable when event_ring_run() has work. */
int event_ring_fd(const struct event_ring *ring);

/* Takes at most EVENT_RUN_MAX events.  Returns how many, or -errno. */
int event_ring_run(struct event_ring *ring);

#endif
