/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expiry - what the agent does by the clock: scans deadlines, keeps room in tables that evict, and
 * falls back to plain pass when the configuration says so and no controller is there. */
#ifndef MEALY_EXPIRY_H
#define MEALY_EXPIRY_H

#include <ev.h>

struct agent;
struct expiry;

struct expiry *expiry_new(struct agent *agent);
void expiry_free(struct expiry *expiry);

/* After a commit: other tables, perhaps faster ones. */
void expiry_version_changed(struct expiry *expiry);

/* How many controllers are connected now. */
void expiry_controller(struct expiry *expiry, unsigned n_connected);

#endif
