/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch_control - the control program: its frame is a struct control, its verdict XDP_PASS (done) or XDP_DROP
 * (not a command). */
#define MEALY_HOOK_CONTROL
#include "hook.h"
#include "control.h"

/* Read-only for the programs of all three units; the agent sets it before the load. */
const volatile struct switch_config switch_config SEC(".rodata.config");
/* Shared with user space, and with the agent that comes next. */
struct globals globals SEC(".data.globals");
struct groups groups SEC(".data.groups");
struct meters meters SEC(".data.meters");

SEC("xdp") int control(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct hook h = {.id = HOOK_XDP};
	struct scratch *s = map_scratch(&h);

	if (!s || data + CONTROL_FRAME_SIZE > data_end)
		return XDP_DROP;
	return switch_control(&h, s, data + CONTROL_OFFSET) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
