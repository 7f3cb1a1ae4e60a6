/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config - what the controller is told: flags, and a YAML file of the same names.
 *
 * Flags win over the file.  The structure owns its strings. */
#ifndef MEALY_CONTROLLER_CONFIG_H
#define MEALY_CONTROLLER_CONFIG_H

#include <stdbool.h>

struct config {
	char *agents;  /* URL to listen on for switches. */
	char *users;   /* ... for people and programs. */
	char *state;   /* Folder of the store. */
	bool insecure; /* tcp:// without sealing is allowed. */
	bool verbose;
};

enum config_result { CONFIG_RUN, CONFIG_DONE, CONFIG_WRONG };

/* Reads flags and the file they name.  CONFIG_DONE after --help or --version, CONFIG_WRONG after
 * one line on stderr that says what is wrong. */
enum config_result config_read(int argc, char **argv, struct config *ret_config);

/* Reads 'text' of the file 'name' into the members that are not set yet.
 * Returns 0, or -EINVAL with '*ret_why' (256 bytes) as "file:line: message", or -ENOMEM. */
int config_parse(const char *text, const char *name, struct config *config, char *ret_why);
void config_done(struct config *config);

#endif
