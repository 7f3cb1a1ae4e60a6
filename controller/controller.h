/* SPDX-License-Identifier: GPL-2.0-or-later */
/* controller - owns every other object of the program: store, the two endpoints, known switches,
 * changes under way, subscribers.
 *
 * Single-threaded: everything runs from callbacks of one libev loop.  Creation order is reverse
 * destruction order; closing an endpoint ends its requests, so their callbacks still find the
 * switches. */
#ifndef MEALY_CONTROLLER_H
#define MEALY_CONTROLLER_H

#include "../common/log.h"
#include "../proto/endpoint.h"
#include "store.h"

/* How long a switch may take: less than a user waits (ENDPOINT_TIMEOUT_MS), so that the user gets an
 * answer with a reason. */
enum { SWITCH_TIMEOUT_MS = 12000, SWITCH_LIST_TIMEOUT_MS = 2000 };

struct config;
struct known;
struct subscriber;
struct kept_bundle;
struct asked;

struct controller {
	struct ev_loop *loop;
	struct store *store;
	struct known **known; /* By name. */
	size_t n_known;
	struct known **forgotten; /* Only to be freed. */
	size_t n_forgotten;
	struct subscriber *subscribers;
	struct kept_bundle *bundles;
	struct asked *asked; /* Changes under way, for the journal. */
	struct endpoint *agents, *users;
	struct keys *keys;	   /* NULL: nothing is sealed. */
	struct log_limit suspects; /* What is said of them. */
};

/* Opens the store and listens.  Returns 0, or a negative errno and '*ret_why' (256 bytes). */
int controller_new(struct ev_loop *loop, const struct config *config, struct controller **ret_controller,
		   char *ret_why);
void controller_free(struct controller *c);

uint64_t unix_ms(void);

#endif
