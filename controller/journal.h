/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal - who changed what, when, and what became of it: a row of the store for each request of a user that changes
 * something, written when it is answered (or when its user has gone before). */
#ifndef MEALY_JOURNAL_H
#define MEALY_JOURNAL_H

#include "controller.h"

void journal_asked(struct controller *c, struct peer *user, const struct message *request);
void journal_answered(struct controller *c, struct peer *user, uint64_t request_id, const struct message *reply);
void journal_user_gone(struct controller *c, uint64_t user);
void journal_free(struct controller *c);

#endif
