/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wiring.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "why.h"

struct wiring {
	struct instance *instance;
	struct state_dir *dir;
	struct port_list *ports;
	struct attach *attach; /* NULL until the takeover. */
	enum xdp_mode xdp;
	enum tc_mode tc;
	unsigned hooks;
	struct port_number given[PORTS_MAX];
	size_t n_given;
	char *warning[PORTS_MAX + 1]; /* Why a port is not attached. */
	bool offload[PORTS_MAX + 1];
	wiring_event_fn event;
	void *data;
};

/* ---- numbers ---- */

static int give_number(void *data, const char *name, unsigned number)
{
	struct wiring *w = data;
	_cleanup_free_ char *why = NULL;
	int r;

	if (w->n_given == PORTS_MAX)
		return -ENOSPC;
	snprintf(w->given[w->n_given].name, sizeof(w->given[0].name), "%s", name);
	w->given[w->n_given].number = number;
	r = state_dir_save_ports(w->dir, w->given, w->n_given + 1, &why);
	if (r < 0) {
		log_error("port %s is refused: %s", name, why ? why : strerror(-r));
		return r;
	}
	w->n_given++;
	return 0;
}

int wiring_forget(struct wiring *w, unsigned number, char **ret_why)
{
	const struct port *port = port_get(w->ports, number);
	struct port_number left[PORTS_MAX];
	size_t n = 0;
	int r;

	if (!port)
		return -ENOENT;
	if (port->ifindex)
		return why_set(ret_why, -EBUSY, "port %s is here; only one that is gone can be forgotten", port->name);
	for (size_t i = 0; i < w->n_given; i++)
		if (w->given[i].number != number)
			left[n++] = w->given[i];
	r = state_dir_save_ports(w->dir, left, n, ret_why);
	if (r < 0)
		return r;
	memcpy(w->given, left, n * sizeof(left[0]));
	w->n_given = n;
	return port_forget(w->ports, number);
}

int wiring_find(void *data, const char *name)
{
	const struct wiring *w = data;
	const struct port *port = w->ports ? port_find(w->ports, name) : NULL;

	if (port)
		return port->number;
	for (size_t i = 0; i < w->n_given; i++)
		if (!strcmp(w->given[i].name, name))
			return w->given[i].number;
	return -ENOENT;
}

const struct port *wiring_port(const struct wiring *w, unsigned number)
{
	return port_get(w->ports, number);
}

struct port_list *wiring_ports(struct wiring *w)
{
	return w->ports;
}

void wiring_count(const struct wiring *w, unsigned *ret_up, unsigned *ret_down)
{
	*ret_up = *ret_down = 0;
	for (unsigned n = 1; n <= PORTS_MAX; n++) {
		const struct port *port = port_get(w->ports, n);

		if (port)
			*(port->ifindex && port->up ? ret_up : ret_down) += 1;
	}
}

/* ---- attaching ---- */

static void set_warning(struct wiring *w, unsigned number, char *why)
{
	free(w->warning[number]);
	w->warning[number] = why;
}

/* On failure the port keeps its warning; '*ret_why' is a copy. */
static int attach_port(struct wiring *w, const struct port *port, unsigned hooks, char **ret_why)
{
	char name[IF_NAMESIZE];
	char *why = NULL;
	int r;

	r = attach_set(w->attach, port->ifindex, hooks, &why);
	if (r < 0 && !if_indextoname(port->ifindex, name)) { /* Just gone; netlink will say so. */
		free(why);
		return 0;
	}
	if (r < 0) {
		log_error("port %s: not attached: %s", port->name, why ? why : strerror(-r));
		why_set(ret_why, r, "port %s: %s", port->name, why ? why : strerror(-r));
	}
	set_warning(w, port->number, r < 0 ? why : NULL);
	return r;
}

static const char *event_text(enum port_event event)
{
	switch (event) {
	case PORT_NEW: return "new";
	case PORT_GONE: return "gone";
	case PORT_UP: return "up";
	case PORT_DOWN: return "down";
	case PORT_CHANGED: return "changed";
	case PORT_OFFLOAD: return "its peer has transmit checksum offload on";
	case PORT_REFUSED: return "refused: no port number is free or it cannot be kept on disk";
	}
	return "";
}

static void on_port(void *data, enum port_event event, const struct port *port)
{
	struct wiring *w = data;

	if (event == PORT_OFFLOAD)
		log_warn("port %s: its peer leaves checksums to the device: frames that XDP sends on carry wrong ones. "
			 "Fix: ethtool -K <peer> tx off",
			 port->name);
	if (event == PORT_REFUSED)
		log_error("interface %s: %s", port->name, event_text(event));
	w->offload[port->number] = event != PORT_GONE && port->peer_offloads;
	if (w->attach && event == PORT_NEW)
		attach_port(w, port, w->hooks, NULL);
	if (w->attach && event == PORT_GONE) {
		attach_drop(w->attach, port->ifindex);
		set_warning(w, port->number, NULL);
	}
	if (event == PORT_NEW || event == PORT_GONE || event == PORT_UP || event == PORT_DOWN)
		log_info("port %u (%s): %s", port->number, port->name, event_text(event));
	if (w->event && w->attach)
		w->event(w->data, event, port, event_text(event));
}

int wiring_take_over(struct wiring *w, unsigned hooks, char **ret_why)
{
	int r = attach_new(w->instance, w->xdp, w->tc, &w->attach);

	if (r < 0)
		return why_set(ret_why, r, "the roots' links cannot be read: %s", strerror(-r));
	w->hooks = hooks;
	for (unsigned n = 1; n <= PORTS_MAX; n++) {
		const struct port *port = port_get(w->ports, n);

		if (port && port->ifindex)
			attach_port(w, port, hooks, NULL);
	}
	attach_settle(w->attach);
	return 0;
}

static int attach_all(struct wiring *w, unsigned hooks, char **ret_why)
{
	int r = 0;

	for (unsigned n = 1; n <= PORTS_MAX; n++) {
		const struct port *port = port_get(w->ports, n);
		int one = port && port->ifindex ? attach_port(w, port, hooks, r == 0 ? ret_why : NULL) : 0;

		if (one < 0 && r == 0)
			r = one;
	}
	return r;
}

int wiring_add_hooks(struct wiring *w, unsigned hooks, char **ret_why)
{
	unsigned before = w->hooks;
	int r;

	if ((hooks | before) == before)
		return 0;
	r = attach_all(w, hooks | before, ret_why);
	if (r < 0) {
		attach_all(w, before, NULL);
		return r;
	}
	w->hooks = hooks | before;
	return 0;
}

const char *wiring_warning(const struct wiring *w, unsigned number)
{
	if (w->warning[number])
		return w->warning[number];
	return w->offload[number]
		       ? "its peer has transmit checksum offload on; frames that XDP sends on carry wrong checksums"
		       : "";
}

const char *wiring_mode(const struct wiring *w, unsigned number)
{
	const struct port *port = port_get(w->ports, number);
	struct attach_state state;

	if (!port || !port->ifindex || !w->attach || attach_get(w->attach, port->ifindex, &state) < 0 || !state.hooks)
		return "-";
	if (!(state.hooks & 1u << HOOK_XDP))
		return "tc";
	return state.generic ? "generic" : "native";
}

/* ---- the whole ---- */

int wiring_open(const struct config *config, struct instance *instance, struct state_dir *dir, wiring_event_fn event,
		void *data, struct wiring **ret_wiring, char **ret_why)
{
	struct wiring *w = calloc(1, sizeof(*w));
	struct port_options options;
	int r;

	if (!w)
		return -ENOMEM;
	w->instance = instance;
	w->dir = dir;
	w->xdp = config->xdp;
	w->tc = config->tc;
	w->event = event;
	w->data = data;
	r = state_dir_load_ports(dir, w->given, &w->n_given, ret_why);
	if (r == 0) {
		options = (struct port_options){
			.pattern = config->port,
			.n_patterns = config->n_ports,
			.given = w->given,
			.n_given = w->n_given,
			.give = give_number,
			.event = on_port,
			.data = w,
		};
		r = port_open(instance, &options, &w->ports, ret_why);
	}
	if (r < 0) {
		wiring_close(w);
		return r;
	}
	*ret_wiring = w;
	return 0;
}

void wiring_close(struct wiring *w)
{
	if (!w)
		return;
	attach_free(w->attach);
	port_close(w->ports);
	for (unsigned n = 0; n <= PORTS_MAX; n++)
		free(w->warning[n]);
	free(w);
}

int wiring_fd(const struct wiring *w)
{
	return port_fd(w->ports);
}

int wiring_run(struct wiring *w)
{
	return port_run(w->ports);
}
