/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wiring - the switch's ports with their numbers on disk and the roots on their hooks.
 *
 * Roots are attached to every present port, on each hook that some version needed since the agent
 * started: taking a program off an interface can cost packets, so nothing is taken off while the agent
 * runs.  A port that cannot be attached keeps the reason as its warning. */
#ifndef MEALY_WIRING_H
#define MEALY_WIRING_H

#include "../tables/app.h"
#include "attach.h"
#include "config.h"
#include "port.h"
#include "state_dir.h"

struct wiring;

typedef void (*wiring_event_fn)(void *data, enum port_event event, const struct port *port, const char *text);

/* Gives the ports their numbers; attaches nothing yet.  'event' (may be NULL) is told of what happens
 * from wiring_attach() on. */
int wiring_open(const struct config *config, struct instance *instance, struct state_dir *dir, wiring_event_fn event,
		void *data, struct wiring **ret_wiring, char **ret_why);
/* Closes; roots stay attached. */
void wiring_close(struct wiring *wiring);

/* Puts the roots of this instance on 'hooks' of every port, replacing those of an older instance; what an
 * older instance left elsewhere goes.  A port that fails has a warning. */
int wiring_take_over(struct wiring *wiring, unsigned hooks, char **ret_why);

/* Attaches further hooks.  The first failure, with the port in its text, is returned; then no port keeps a
 * hook it did not have. */
int wiring_add_hooks(struct wiring *wiring, unsigned hooks, char **ret_why);

int wiring_fd(const struct wiring *wiring);
int wiring_run(struct wiring *wiring);

/* Number of a port that exists or existed: for applications. */
int wiring_find(void *wiring, const char *name);

/* Frees the number of a port whose interface is absent, on disk first.  -ENOENT: nobody has it; -EBUSY: the interface
 * is here. */
int wiring_forget(struct wiring *wiring, unsigned number, char **ret_why);

/* By number; NULL: never given. */
const struct port *wiring_port(const struct wiring *wiring, unsigned number);
const char *wiring_warning(const struct wiring *wiring, unsigned number); /* "": none. */
/* "native", "generic", "tc" or "-" when nothing is attached. */
const char *wiring_mode(const struct wiring *wiring, unsigned number);
struct port_list *wiring_ports(struct wiring *wiring);
void wiring_count(const struct wiring *wiring, unsigned *ret_up, unsigned *ret_down);

#endif
