/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_trace - the hook's vocabulary at the kernel's tracepoints: ports and counters, no packet.
 *
 * They are hit wherever a driver flushes, also between load and store of a program that counts: hence atomics. */
#ifndef MEALY_HOOK_TRACE_H
#define MEALY_HOOK_TRACE_H

#include <linux/bpf.h>

struct hook {
	enum hook_id id;
};

#define COLD_PREFIX trace_
#define HOOK_COUNT_ATOMIC
#include "hook_bpf.h"

#endif
