/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_control - the hook's vocabulary in the control program: flow tables and events, no packet.
 *
 * It is of XDP's type because that can be run without a device; its frame is a struct control.  Kernel 6.1 lets packets
 * interrupt it, so it counts with atomics and has a scratch of its own. */
#ifndef MEALY_HOOK_CONTROL_H
#define MEALY_HOOK_CONTROL_H

#include <linux/bpf.h>

struct hook {
	enum hook_id id; /* Of the table worked on. */
};

#define COLD_PREFIX control_
#define HOOK_COUNT_ATOMIC
#include "hook_bpf.h"

HOOK_FN struct scratch *map_scratch(struct hook *h)
{
	__u32 index = HOOK_MAX;

	return bpf_map_lookup_elem(&scratch, &index);
}

#endif
