/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle_commit - several changes as one version: packets see all of them or none.
 *
 * Match tables that get, change or lose entries are copied into flow tables of their own, changed there and put in
 * place by the store that makes the version active, together with what is deployed and removed.  Globals, which packets
 * write too, are set right after it, one store each; that cannot fail any more. */
#ifndef MEALY_BUNDLE_COMMIT_H
#define MEALY_BUNDLE_COMMIT_H

#include "../proto/message.h"

struct agent;

struct bundle_result {
	char *ids;	  /* As OK of MSG_ENTRIES has them, of all members. */
	uint64_t changed; /* Entries. */
	char *why;	  /* What failed, which member, which row; or notes. */
	enum error_code code;
};

/* ENTRIES, SET_GLOBAL, DEPLOY and REMOVE.  A negative errno: nothing has changed. */
int bundle_commit(struct agent *agent, const struct message *const *member, size_t n, struct bundle_result *ret_result);
void bundle_result_done(struct bundle_result *result);

#endif
