/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rights - what a user's key lets it ask of the controller: read, operate, deploy, admin, each with those before it. */
#ifndef MEALY_RIGHTS_H
#define MEALY_RIGHTS_H

#include "controller.h"

/* The right that a request needs.  A deployment that differs from what is desired in parameters and members of groups
 * alone is operating. */
enum key_right rights_needed(struct controller *c, const struct message *request);

/* Answers and returns false if the peer's key does not have it. */
bool rights_check(struct controller *c, struct peer *user, const struct message *request);

#endif
