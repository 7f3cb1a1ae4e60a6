/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_run - runs the control program, the only writer of flow records besides packets.
 *
 * On kernel 6.1 test runs may interrupt each other, so one thread of the agent makes them all, with
 * repeat 1. */
#ifndef MEALY_CONTROL_RUN_H
#define MEALY_CONTROL_RUN_H

#include "instance.h"

/* Runs 'control' (magic is filled in) and stores what came back in it.  0, or -errno of the test run, or
 * -EIO when the program did not answer. */
int control_run(struct instance *instance, struct control *control);

#endif
