/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a rig's programs tell: the kernel's ring, emptied after each frame. */
#include <bpf/libbpf.h>

#include "../../agent/instance.h"
#include "rig_int.h"

static int take(void *data, void *bytes, size_t size)
{
	struct rig *rig = data;

	if (rig->taker && rig->taker->n_events < RIG_EVENTS && size >= sizeof(struct event))
		memcpy(&rig->taker->event[rig->taker->n_events++], bytes, sizeof(struct event));
	return 0;
}

void rig_watch_events(struct rig *rig)
{
	if (rig->native || rig->ring)
		return;
	rig->ring = ring_buffer__new(instance_map_fd(rig->instance, MAP_EVENTS), take, rig, NULL);
	CHECK(rig->ring ? 0 : -1, "ring of events");
	rig_events_take(rig, NULL);
}

void rig_events_take(struct rig *rig, struct rig_result *result)
{
	if (!rig->ring)
		return;
	rig->taker = result;
	CHECK(ring_buffer__consume(rig->ring), "events");
	rig->taker = NULL;
}

void rig_events_close(struct rig *rig)
{
	ring_buffer__free(rig->ring);
	rig->ring = NULL;
}
