/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries - the entries of match tables that people wrote, as desired state of each switch.
 *
 * What a switch accepted is stored; a switch that connects gets it again, which changes nothing where it is so already.
 * Entries of the applications' texts come with the texts. */
#ifndef MEALY_ENTRIES_H
#define MEALY_ENTRIES_H

#include "known.h"

/* 'request' (MSG_ENTRIES) was answered by 'reply' (MSG_OK) of switch 'name'.  0 or what the store says. */
int entries_accepted(struct controller *c, const char *name, const struct message *request,
		     const struct message *reply);

/* Within store_begin() and store_end(): stores what a switch accepted; '*ids' are the numbers of the rows' keys, a line
 * each, and moves behind those that were used. */
int entries_store(struct controller *c, const char *name, const struct msg_entries *msg, char **ids);

/* Is there anything for this switch? */
bool entries_has(struct known *k);

/* Sends it all, piece by piece, then calls 'done', with what went wrong or NULL. */
void entries_send(struct known *k, void (*done)(struct known *k, const char *problem));
/* The connection is gone. */
void entries_forget(struct known *k);

#endif
