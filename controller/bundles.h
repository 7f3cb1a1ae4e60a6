/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundles - what users put into bundles of switches, kept until a switch commits them: then their entries are stored.
 *
 * The switch decides (agent/bundle.h); here is only the copy.  One that the switch gave up is forgotten when it cannot
 * be open any more. */
#ifndef MEALY_BUNDLES_H
#define MEALY_BUNDLES_H

#include "controller.h"

/* May 'request' (MSG_BUNDLE of a user) go to switch 'name'?  0, or an error code and in 'ret_why' (256 bytes) why not.
 */
enum error_code bundles_check(struct controller *c, const char *name, const struct message *request, char *ret_why);

/* It was answered.  0, or what the store says of the entries that the switch committed. */
int bundles_answered(struct controller *c, const char *name, const struct message *request,
		     const struct message *reply);

void bundles_free(struct controller *c);

#endif
