/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <unistd.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "agent.h"
#include "preflight.h"
#include "pin.h"
#include "../datapath/pipeline.h"

/* Interfaces come and go, so a pattern that matches none is allowed; often it is a mistake. */
static void say_unmatched(const struct agent *agent)
{
	for (size_t i = 0; i < agent->config->n_ports; i++) {
		const char *pattern = agent->config->port[i].pattern;
		bool found = false;

		for (unsigned n = 1; n <= PORTS_MAX && !found; n++) {
			const struct port *port = wiring_port(agent->wiring, n);

			found = port && port->ifindex &&
				(!strcmp(pattern, port->name) || fnmatch(pattern, port->name, 0) == 0);
		}
		if (!found)
			log_warn("ports: no interface matches \"%s\" yet", pattern);
	}
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static int check(const struct config *config)
{
	printf("%s: %zu controller%s, %zu port%s, state %s, local users %s (%s)\n", config->name, config->n_controllers,
	       plural(config->n_controllers), config->n_ports, plural(config->n_ports), config->state,
	       config->socket[0] ? config->socket : "none", config->local_write ? "read and write" : "read only");
	return 0;
}

static int preflight(const struct config *config)
{
	const char *names[PORTS_MAX];
	struct preflight_options options = {
		.bpffs = config->bpffs, .interface = names, .n_interfaces = config->n_ports};
	struct preflight found;
	int r;

	for (size_t i = 0; i < config->n_ports; i++)
		names[i] = config->port[i].pattern;
	r = preflight_run(&options, &found);
	if (r < 0) {
		fprintf(stderr, "mealy-agent: %s\n", strerror(-r));
		return 1;
	}
	for (size_t i = 0; i < found.n; i++) {
		const struct preflight_line *line = &found.line[i];

		printf("%-16s %s%s%s\n", line->subject,
		       line->level >= PREFLIGHT_WARNING ? preflight_level_name(line->level) : "",
		       line->level >= PREFLIGHT_WARNING ? ": " : "", line->text);
		if (line->fix)
			printf("%-16s Fix: %s\n", "", line->fix);
	}
	if (found.n_errors)
		printf("not ready: %zu error%s, %zu warning%s\n", found.n_errors, plural(found.n_errors),
		       found.n_warnings, plural(found.n_warnings));
	else
		puts("ready");
	r = found.n_errors ? 1 : 0;
	preflight_done(&found);
	return r;
}

/* Takes what a running agent holds; one that was just told to stop gets a moment. */
static int hold(const struct config *config, struct state_dir **ret_dir, int *ret_lock, char **ret_why)
{
	int r = 0;

	for (unsigned tries = 0; tries < 50; tries++) {
		free(*ret_why);
		*ret_why = NULL;
		r = 0;
		if (!*ret_dir && access(config->state, F_OK) == 0)
			r = state_dir_open(config->state, ret_dir, ret_why);
		if (r == 0)
			r = pin_lock(config->bpffs, config->pin, FLOW_FORMAT_VERSION, ret_lock, ret_why);
		if (r != -EBUSY)
			return r;
		usleep(100000);
	}
	return r;
}

/* Holds the switch meanwhile, so that no agent runs. */
static int unload(const struct config *config, bool forget)
{
	_cleanup_free_ char *why = NULL;
	struct state_dir *dir = NULL;
	struct pin pin;
	int lock = -1, r;

	if (!config->state) {
		fprintf(stderr, "mealy-agent: which switch? give its configuration or name\n");
		return 2;
	}
	if (access(config->state, F_OK) < 0 &&
	    pin_find(config->bpffs, config->pin, FLOW_FORMAT_VERSION, &pin, NULL) == -ENOENT) {
		fprintf(stderr, "mealy-agent: nothing of a switch \"%s\" is here\n", config->name);
		return 1;
	}
	r = hold(config, &dir, &lock, &why);
	if (r == 0)
		r = instance_unload(config->bpffs, config->pin, &why);
	if (lock >= 0)
		close(lock);
	state_dir_close(dir);
	if (r == 0 && forget)
		r = state_dir_forget(config->state, &why);
	if (r < 0) {
		fprintf(stderr, "mealy-agent: %s\n", why ? why : strerror(-r));
		return 1;
	}
	printf("%s: unloaded%s\n", config->name, forget ? " and forgotten" : "; the state directory stays");
	return 0;
}

static int run(const struct config *config)
{
	_cleanup_free_ char *why = NULL;
	struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
	struct agent *agent;
	int r;

	if (!loop) {
		log_error("no event loop");
		return 1;
	}
	r = agent_new(config, loop, &agent, &why);
	if (r < 0) {
		log_error("%s", why ? why : strerror(-r));
		return 1;
	}
	log_info("switch %s, version %" PRIu64 ", %zu deployment%s", config->name,
		 versions_plan(agent->versions)->version, versions_plan(agent->versions)->n_apps,
		 plural(versions_plan(agent->versions)->n_apps));
	say_unmatched(agent);
	log_info("ready");
	ev_run(loop, 0);
	agent_free(agent);
	ev_loop_destroy(loop);
	return 0;
}

static int act(const struct config *config, const struct config_command *command)
{
	switch (command->action) {
	case ACTION_RUN: return run(config);
	case ACTION_CHECK: return check(config);
	case ACTION_PREFLIGHT: return preflight(config);
	case ACTION_UNLOAD: return unload(config, command->forget);
	case ACTION_HELP: config_print_help(stdout); return 0;
	case ACTION_VERSION: printf("mealy-agent %s\n", MEALY_VERSION); return 0;
	}
	return 2;
}

int main(int argc, char **argv)
{
	struct config_command command;
	struct config config;
	int r;

	r = config_from_args(&config, &command, argc, argv);
	if (r == 0) {
		log_set_level(config.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
		r = act(&config, &command);
	}
	config_done(&config);
	config_command_done(&command);
	return r;
}
