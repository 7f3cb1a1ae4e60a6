/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gather - what switches say of themselves, put together with what the controller knows of them. */
#ifndef MEALY_GATHER_H
#define MEALY_GATHER_H

#include "known.h"

/* Answers with MSG_SWITCHES of all known switches; one that does not answer within
 * SWITCH_LIST_TIMEOUT_MS is shown by what is known of it. */
void gather_all(struct controller *c, struct peer *user, uint64_t request_id);
/* Answers with MSG_SWITCH of one, connected or not. */
void gather_one(struct controller *c, struct peer *user, uint64_t request_id, struct known *k);

#endif
