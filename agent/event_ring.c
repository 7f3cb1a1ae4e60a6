// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "../common/cleanup.h"
#include "event_ring.h"

enum { STOP = -ECANCELED }; /* Returned to libbpf when a run has taken its share. */

struct event_ring {
	struct event_ring_options options;
	struct ring_buffer *ring;
	unsigned n_cpus;
	uint64_t *expected; /* Next sequence of each CPU; 0: none seen yet. */
	unsigned taken;
};

static bool event_holds(const struct event_ring *ring, const struct event *event, size_t size)
{
	if (size < sizeof(*event) || event->cpu >= ring->n_cpus || event->n_words > EVENT_WORDS_MAX)
		return false;
	return event->packet_size <= PUNT_BYTES_MAX && event->packet_size <= size - sizeof(*event);
}

static void check_sequence(struct event_ring *ring, const struct event *event)
{
	uint64_t *expected = &ring->expected[event->cpu];

	/* A nested run may commit its event before the one it interrupted: a number from the past is no loss. */
	if (*expected && event->sequence < *expected)
		return;
	if (*expected && event->sequence > *expected) {
		if (ring->options.lost)
			ring->options.lost(ring->options.data, event->cpu, event->sequence - *expected);
	}
	*expected = event->sequence + 1;
}

static int take(void *data, void *bytes, size_t size)
{
	struct event_ring *ring = data;
	const struct event *event = bytes;

	ring->taken++;
	if (event_holds(ring, event, size)) {
		check_sequence(ring, event);
		ring->options.event(ring->options.data, event,
				    event->packet_size ? (const uint8_t *)bytes + sizeof(*event) : NULL);
	}
	return ring->taken < EVENT_RUN_MAX ? 0 : STOP;
}

int event_ring_open(struct instance *instance, const struct event_ring_options *options, struct event_ring **ret_ring)
{
	struct event_ring *ring = calloc(1, sizeof(*ring));
	int n_cpus = libbpf_num_possible_cpus(), r = -ENOMEM;

	if (!ring)
		return -ENOMEM;
	if (n_cpus < 0) {
		r = n_cpus;
		goto fail;
	}
	ring->options = *options;
	ring->n_cpus = n_cpus;
	ring->expected = calloc(n_cpus, sizeof(*ring->expected));
	if (!ring->expected)
		goto fail;
	ring->ring = ring_buffer__new(instance_map_fd(instance, MAP_EVENTS), take, ring, NULL);
	if (!ring->ring) {
		r = -errno;
		goto fail;
	}
	*ret_ring = ring;
	return 0;
fail:
	event_ring_close(ring);
	return r;
}

void event_ring_close(struct event_ring *ring)
{
	if (!ring)
		return;
	ring_buffer__free(ring->ring);
	free(ring->expected);
	free(ring);
}

int event_ring_fd(const struct event_ring *ring)
{
	return ring_buffer__epoll_fd(ring->ring);
}

int event_ring_run(struct event_ring *ring)
{
	int r;

	ring->taken = 0;
	r = ring_buffer__consume(ring->ring);
	return r < 0 && r != STOP ? r : (int)ring->taken;
}
