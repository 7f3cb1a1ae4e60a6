/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mealy-controller: options, set up, loop, tear down. */
#include <stdlib.h>
#include <sys/stat.h>

#include "../common/log.h"
#include "config.h"
#include "controller.h"

static void stop(struct ev_loop *loop, ev_signal *signal, int events)
{
	log_info("stopping; switches go on with what they have");
	ev_break(loop, EVBREAK_ALL);
}

static int run(const struct config *config)
{
	struct ev_loop *loop = ev_default_loop(0);
	struct controller *controller = NULL;
	ev_signal interrupt, terminate;
	char why[256];

	if (!loop) {
		log_error("no event loop");
		return EXIT_FAILURE;
	}
	if (controller_new(loop, config, &controller, why) < 0) {
		log_error("%s", why);
		return EXIT_FAILURE;
	}
	ev_signal_init(&interrupt, stop, SIGINT);
	ev_signal_start(loop, &interrupt);
	ev_signal_init(&terminate, stop, SIGTERM);
	ev_signal_start(loop, &terminate);
	log_info("agents at %s, users at %s, %zu switch%s known", config->agents, config->users, controller->n_known,
		 controller->n_known == 1 ? "" : "es");
	log_info("ready");
	ev_run(loop, 0);
	controller_free(controller);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct config config;
	int status;

	switch (config_read(argc, argv, &config)) {
	case CONFIG_DONE: return EXIT_SUCCESS;
	case CONFIG_WRONG: return 2;
	case CONFIG_RUN: break;
	}
	/* What we make, sockets and store, is for the owner and the group. */
	umask(0027);
	log_set_level(config.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	status = run(&config);
	config_done(&config);
	return status;
}
