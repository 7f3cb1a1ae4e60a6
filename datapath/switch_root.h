/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch_root - the permanent program of a port's hook: which version is active, once per run. */
#ifndef MEALY_SWITCH_ROOT_H
#define MEALY_SWITCH_ROOT_H

#include "switch.h"
/* Around a constant table these programs stay the interpreter's. */
#ifndef MEALY_SPECIALISED
#include "learn.h"
#include "match.h"
#include "packet.h"
#endif

HOOK_FN int switch_root(struct hook *h)
{
	struct scratch *s = map_scratch(h);
	__u32 slot = map_active(h) ? 1 : 0;

	if (!s)
		return hook_fault(h);
	if (s->in_copy)
		return switch_nested(h);
	s->slot = slot;
	hook_tail_version(h, slot);
	entry_begin(h, s);
	return switch_fault(h, s, EXIT_NO_PROGRAM);
}

/* The programs of a hook.  'section' is the type for the loader. */
#define SWITCH_PROGRAMS(prefix, section, context, hook_id)                                                             \
	SEC(section) int prefix##_root(struct context *ctx)                                                            \
	{                                                                                                              \
		struct hook h = {.id = hook_id, .ctx = ctx};                                                           \
                                                                                                                       \
		return switch_root(&h);                                                                                \
	}                                                                                                              \
	SWITCH_PROGRAM(prefix, section, context, hook_id, entry)                                                       \
	SWITCH_PROGRAM(prefix, section, context, hook_id, table)                                                       \
	SWITCH_PROGRAM(prefix, section, context, hook_id, action)                                                      \
	SWITCH_PROGRAM(prefix, section, context, hook_id, match)                                                       \
	SWITCH_PROGRAM(prefix, section, context, hook_id, learn)                                                       \
	SWITCH_PROGRAM(prefix, section, context, hook_id, packet)

#define SWITCH_PROGRAM(prefix, section, context, hook_id, what)                                                        \
	SEC(section) int prefix##_##what(struct context *ctx)                                                          \
	{                                                                                                              \
		struct hook h = {.id = hook_id, .ctx = ctx};                                                           \
		struct scratch *s = map_scratch(&h);                                                                   \
                                                                                                                       \
		return s ? switch_##what(&h, s) : hook_fault(&h);                                                      \
	}

#endif
