// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs frames through the switch natively: the bodies of the programs, and the loop that stands for tail calls. */
#include <errno.h>

#include "control.h"
#include "learn.h"
#include "match.h"
#include "packet.h"

/* What an earlier packet left in a scratch is rubbish to the next; so that nobody relies on it, make it so. */
enum { RUBBISH = 0x5a };

static int run_programs(struct hook *h, struct scratch *s)
{
	int ret = switch_entry(h, s);

	for (;;) {
		switch (ret) {
		case TAIL_TABLE: ret = switch_table(h, s); break;
		case TAIL_ACTION: ret = switch_action(h, s); break;
		case TAIL_MATCH: ret = switch_match(h, s); break;
		case TAIL_LEARN: ret = switch_learn(h, s); break;
		case TAIL_PACKET: ret = switch_packet(h, s); break;
		default: return ret;
		}
	}
}

int native_run(struct native_switch *sw, enum hook_id hook, unsigned port, uint64_t now_ns, uint8_t **frame,
	       unsigned size, unsigned room, unsigned frames, struct native_result *ret_result)
{
	struct scratch scratch;
	struct hook h = {
		.id = hook,
		.sw = sw,
		.scratch = &scratch,
		.result = ret_result,
		.begin = *frame,
		.end = *frame + size,
		.room_begin = *frame - NATIVE_HEADROOM,
		.room_end = *frame + room,
		.now_ns = now_ns,
		.port = port,
		.frames = frames ? frames : 1,
	};

	if (hook >= HOOK_MAX || port > PORTS_MAX || size > room)
		return -EINVAL;
	memset(&scratch, RUBBISH, sizeof(scratch));
	scratch.cells[CELL_ZERO] = 0;
	scratch.slot = sw->active;
	ret_result->exit = EXIT_NONE;
	ret_result->out_port = 0;
	ret_result->n_steps = 0;
	ret_result->n_events = 0;
	ret_result->copies = 0;
	run_programs(&h, &scratch);
	ret_result->size = h.end - h.begin;
	*frame = h.begin;
	return 0;
}

int native_control(struct native_switch *sw, struct control *control)
{
	struct scratch scratch;
	struct hook h = {.sw = sw, .scratch = &scratch, .now_ns = control->now_ns, .frames = 1};

	memset(&scratch, RUBBISH, sizeof(scratch));
	return switch_control(&h, &scratch, control) ? 0 : -EINVAL;
}
