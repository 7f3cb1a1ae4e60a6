/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace - what the live tables would do to packets, without altering anything.
 *
 * The native build of the datapath reads the active version's tables and the mapped records; what it
 * writes goes into an overlay that the frames of one request share, so the second sees what the first
 * did.  Nothing runs in the kernel. */
#ifndef MEALY_TRACE_H
#define MEALY_TRACE_H

#include "sockets.h"

/* Answers a TRACE whose frames enter by port 'port' (at tc egress: leave by it). */
void trace_run(struct request *rq, unsigned port);

#endif
