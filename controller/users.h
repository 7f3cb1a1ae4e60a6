/* SPDX-License-Identifier: GPL-2.0-or-later */
/* users - requests of people and programs: answered here (desired state, known switches), or
 * passed on to a switch and its answer passed back.
 *
 * U1. Each request gets one answer, also when its switch is unknown, away or silent.
 * U2. A user that vanishes leaves nothing behind: answers for it are dropped when they come. */
#ifndef MEALY_USERS_H
#define MEALY_USERS_H

#include "controller.h"

void users_request(struct controller *c, struct peer *user, const struct message *request);

#endif
