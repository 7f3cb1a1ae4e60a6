/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pin.h"
#include "agent.h"

#include <unistd.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "dispatch.h"
#include "event_out.h"
#include "host.h"
#include "why.h"

/* Soon, but after the answers have left. */
static const double SETTLE_S = 0.005, SETTLE_AGAIN_S = 1.0;

/* ---- events ---- */

void agent_tell(struct agent *agent, const char *kind, const char *port, const char *text, uint64_t count)
{
	struct msg_event event = {.time_ms = unix_now_ms(), .kind = kind, .port = port, .text = text, .count = count};

	notify_add(agent->notify, &event);
}

static void on_port(void *data, enum port_event event, const struct port *port, const char *text)
{
	struct agent *agent = data;

	if (event != PORT_CHANGED)
		agent_tell(agent, "port", port->name, text, 0);
	if (event == PORT_NEW || event == PORT_GONE)
		sockets_update_hello(agent->sockets);
}

static void on_event(void *data, const struct event *event, const uint8_t *packet)
{
	event_out(data, event, packet);
}

static void on_events_lost(void *data, unsigned cpu, uint64_t n)
{
	struct agent *agent = data;

	agent->events_lost += n;
	agent_tell(agent, "lost", NULL, "events were lost by the kernel's ring", n);
}

/* ---- watchers ---- */

static void on_ports(struct ev_loop *loop, ev_io *io, int events)
{
	struct agent *agent = io->data;
	int r = wiring_run(agent->wiring);

	if (r < 0)
		log_error("ports cannot be followed: %s", strerror(-r));
}

static void on_ring(struct ev_loop *loop, ev_io *io, int events)
{
	struct agent *agent = io->data;
	int r = event_ring_run(agent->ring);

	if (r < 0)
		log_error("events cannot be read: %s", strerror(-r));
}

static void on_settle(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct agent *agent = timer->data;

	versions_settle(agent->versions);
	ev_timer_stop(loop, timer);
	if (!versions_is_settled(agent->versions)) {
		ev_timer_set(timer, SETTLE_AGAIN_S, 0.0);
		ev_timer_start(loop, timer);
	}
}

static void on_signal(struct ev_loop *loop, ev_signal *signal, int events)
{
	log_info("stopping; the datapath goes on");
	ev_break(loop, EVBREAK_ALL);
}

void agent_version_changed(struct agent *agent, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "version %" PRIu64 ": %s", versions_plan(agent->versions)->version, what);
	agent_tell(agent, "deployment", NULL, text, 0);
	sockets_update_hello(agent->sockets);
	expiry_version_changed(agent->expiry);
	specialiser_version_changed(agent->specialiser);
	ev_timer_stop(agent->loop, &agent->settle);
	ev_timer_set(&agent->settle, SETTLE_S, 0.0);
	ev_timer_start(agent->loop, &agent->settle);
}

static void start_watchers(struct agent *agent)
{
	ev_io_init(&agent->ports_io, on_ports, wiring_fd(agent->wiring), EV_READ);
	ev_io_init(&agent->ring_io, on_ring, event_ring_fd(agent->ring), EV_READ);
	ev_timer_init(&agent->settle, on_settle, SETTLE_S, 0.0);
	ev_signal_init(&agent->term, on_signal, SIGTERM);
	ev_signal_init(&agent->interrupt, on_signal, SIGINT);
	ev_timer_init(&agent->bundle_due, bundles_on_due, 0.0, 0.0);
	agent->ports_io.data = agent->ring_io.data = agent->settle.data = agent->bundle_due.data = agent;
	ev_io_start(agent->loop, &agent->ports_io);
	ev_io_start(agent->loop, &agent->ring_io);
	ev_timer_start(agent->loop, &agent->settle);
	ev_signal_start(agent->loop, &agent->term);
	ev_signal_start(agent->loop, &agent->interrupt);
}

static void stop_watchers(struct agent *agent)
{
	ev_io_stop(agent->loop, &agent->ports_io);
	ev_io_stop(agent->loop, &agent->ring_io);
	ev_timer_stop(agent->loop, &agent->settle);
	ev_timer_stop(agent->loop, &agent->bundle_due);
	ev_signal_stop(agent->loop, &agent->term);
	ev_signal_stop(agent->loop, &agent->interrupt);
}

/* ---- start ---- */

static int load_datapath(struct agent *agent, char **ret_why)
{
	const struct config *config = agent->config;
	struct instance_options options = {
		.bpffs = config->bpffs,
		.name = config->pin,
		.test_clock = config->test_clock,
		.hooks = config->hooks,
		.flow_format = config->test_flow_format,
		.no_program_drop = config->fail_mode == FAIL_SECURE,
	};
	int r;

	host_raise_memlock();
	r = instance_load(&options, &agent->instance, ret_why);
	if (r < 0)
		return r;
	r = instance_set_punt_limit(agent->instance, config->punt_rate_pps, config->punt_burst);
	if (r == 0)
		r = flow_store_new(agent->instance, &agent->flows);
	if (r < 0)
		return why_set(ret_why, r, "the datapath's maps cannot be used: %s", strerror(-r));
	return counter_store_new(agent->instance, &agent->counters, ret_why);
}

static int start_switch(struct agent *agent, char **ret_why)
{
	struct version_parts parts;
	int r;

	agent->notify = notify_new(agent->loop);
	if (!agent->notify)
		return -ENOMEM;
	r = wiring_open(agent->config, agent->instance, agent->dir, on_port, agent, &agent->wiring, ret_why);
	if (r < 0)
		return r;
	parts = (struct version_parts){agent->config,	agent->instance, agent->flows,
				       agent->counters, agent->dir,	 agent->wiring};
	r = versions_new(&parts, &agent->versions);
	if (r < 0)
		return r;
	return versions_recover(agent->versions, ret_why);
}

static int start_service(struct agent *agent, char **ret_why)
{
	struct event_ring_options options = {on_event, on_events_lost, agent};
	int r;

	r = event_ring_open(agent->instance, &options, &agent->ring);
	if (r < 0)
		return why_set(ret_why, r, "the ring of events cannot be read: %s", strerror(-r));
	agent->expiry = expiry_new(agent);
	agent->changes = changes_new(agent);
	agent->bundles = bundles_new();
	if (!agent->expiry || !agent->changes || !agent->bundles)
		return -ENOMEM;
	r = specialiser_new(agent->config, agent->loop, agent->instance, agent->versions, &agent->specialiser);
	if (r < 0)
		return why_set(ret_why, r, "%s/objects: cannot be made: %s", agent->config->state, strerror(-r));
	start_watchers(agent);
	return sockets_open(agent, &agent->sockets, ret_why);
}

int agent_new(const struct config *config, struct ev_loop *loop, struct agent **ret_agent, char **ret_why)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	int r;

	if (!agent)
		return -ENOMEM;
	agent->config = config;
	agent->loop = loop;
	agent->pin_lock = -1;
	if (getrandom(&agent->process, sizeof(agent->process), 0) != sizeof(agent->process))
		agent->process = host_monotonic_ns();
	r = state_dir_open(config->state, &agent->dir, ret_why);
	if (r == 0)
		r = pin_lock(config->bpffs, config->pin,
			     config->test_flow_format ? config->test_flow_format : FLOW_FORMAT_VERSION,
			     &agent->pin_lock, ret_why);
	if (r == 0)
		r = load_datapath(agent, ret_why);
	if (r == 0)
		r = start_switch(agent, ret_why);
	if (r == 0)
		r = start_service(agent, ret_why);
	if (r < 0) {
		agent_free(agent);
		return r;
	}
	*ret_agent = agent;
	return 0;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;
	sockets_close(agent->sockets);
	stop_watchers(agent);
	bundles_free(agent->bundles);
	changes_free(agent->changes);
	specialiser_free(agent->specialiser);
	expiry_free(agent->expiry);
	event_ring_close(agent->ring);
	versions_free(agent->versions);
	wiring_close(agent->wiring);
	notify_free(agent->notify);
	counter_store_free(agent->counters);
	flow_store_free(agent->flows);
	instance_free(agent->instance);
	if (agent->pin_lock >= 0)
		close(agent->pin_lock);
	state_dir_close(agent->dir);
	free(agent);
}
