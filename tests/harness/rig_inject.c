/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a rig injects: the time, and the state of the generator of random numbers. */
#include "../../agent/instance.h"
#include "../../datapath/native.h"
#include "rig_int.h"

uint64_t rig_now_ns(struct rig *rig)
{
	return rig->now_ns;
}

void rig_advance_ns(struct rig *rig, uint64_t ns)
{
	rig->now_ns += ns;
	if (rig->instance)
		CHECK(instance_set_clock(rig->instance, rig->now_ns), "clock");
}

void rig_advance_ms(struct rig *rig, uint64_t ms)
{
	rig_advance_ns(rig, ms * 1000000);
}

void rig_set_router(struct rig *rig, native_route_fn route)
{
	native_set_router(rig->native, route, NULL);
}

void rig_set_random(struct rig *rig, uint64_t state)
{
	if (rig->native)
		native_set_seed(rig->native, state);
	else
		CHECK(instance_set_random(rig->instance, state), "random");
}
