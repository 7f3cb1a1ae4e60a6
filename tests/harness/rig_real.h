/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rig_real - real frames through a tc hook, for what a test run of a tc program cannot show: frames shorter than their
 * headers, tags that the kernel keeps beside the frame, and copies.
 *
 * A frame enters at the far end of a port's veth.  At ingress the switch's root sees it first, and what passes goes
 * back out of the port; at egress it goes back out at once, so the root sees a frame that came in by that port.
 * Whatever leaves a port is seen at its far end. */
#ifndef MEALY_TEST_RIG_REAL_H
#define MEALY_TEST_RIG_REAL_H

#include <stdbool.h>

#include "../../datapath/pipeline.h"
#include "frame.h"

enum { REAL_PORTS_MAX = 8 };

struct rig_real {
	bool open;
	unsigned n_ports;
	unsigned ifindex[REAL_PORTS_MAX + 1];
	int socket[REAL_PORTS_MAX + 1]; /* On the far ends. */
	int hairpin;			/* Program. */
};

/* Puts 'root' on the hook (tc ingress or egress) of ports 1..n_ports, interfaces "portN" with far ends "peerN".  Ends
 * the program on a fault. */
void rig_real_open(struct rig_real *real, enum hook_id hook, int root, unsigned n_ports);
void rig_real_close(struct rig_real *real);

void rig_real_send(struct rig_real *real, unsigned port, const struct frame *frame);
/* Takes a frame that left 'port', a tag beside it put back, waiting at most so long.  False: there is none. */
bool rig_real_take(struct rig_real *real, unsigned port, unsigned wait_ms, struct frame *ret_frame);

#endif
