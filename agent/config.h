/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config - what agent.yaml and the flags say.
 *
 * Each key of the file has a flag of the same name (with '-' for '_') that wins over it.  Strings are
 * owned by the configuration. */
#ifndef MEALY_CONFIG_H
#define MEALY_CONFIG_H

#include "../common/diag.h"
#include "attach.h"
#include "port.h"

enum { CONFIG_CONTROLLERS_MAX = 8, CONFIG_FILE_MAX = 1 << 20 };

enum fail_mode { FAIL_SECURE, FAIL_STANDALONE };

struct config {
	char *name; /* Of the switch. */
	char *controller[CONFIG_CONTROLLERS_MAX];
	size_t n_controllers;
	bool insecure;
	struct port_pattern port[PORTS_MAX];
	size_t n_ports;
	unsigned hooks; /* Bit h: the programs of hook h are loaded.  0: those of all. */
	enum xdp_mode xdp;
	enum tc_mode tc;
	char *state;  /* Folder. */
	char *pin;    /* Folder under <bpffs>/mealy; the switch's name unless given. */
	char *bpffs;  /* NULL: the usual place. */
	char *socket; /* For local users; "" is none. */
	bool local_write;
	uint64_t flows_max;  /* Of all tables together. */
	uint64_t memory_max; /* Bytes of flow tables. */
	enum fail_mode fail_mode;
	uint64_t standalone_after_ns;
	enum verdict parse_verdict; /* VERDICT_DROP or VERDICT_PASS. */
	unsigned punt_rate_pps, punt_burst;
	bool specialise;	  /* Compile tables in the background ... */
	char *clang;		  /* ... with this: a path, or a name in PATH ... */
	char *sources;		  /* ... from the datapath's sources in this folder ... */
	uint64_t compile_time_ns; /* ... within these limits; 0: the usual ones. */
	uint64_t compile_memory;
	bool verbose;
	bool test_clock;
	unsigned test_flow_format; /* 0: this build's own. */
};

/* What the command line asks for instead of running. */
enum config_action { ACTION_RUN, ACTION_CHECK, ACTION_PREFLIGHT, ACTION_UNLOAD, ACTION_HELP, ACTION_VERSION };

struct config_command {
	enum config_action action;
	bool forget; /* With ACTION_UNLOAD: the state directory too. */
	char *file;  /* NULL: none given. */
};

void config_init(struct config *config);
void config_done(struct config *config);

/* Reads 'text', as agent.yaml has it, on top of 'config'.  -EINVAL with errors in 'diags'; -ENOMEM. */
int config_parse(struct config *config, const char *text, size_t size, struct diag_list *diags);

/* Sets one key as a flag does.  -EINVAL with a sentence in 'ret_why' (256 bytes): unknown key, wrong value. */
int config_set(struct config *config, const char *key, const char *text, char *ret_why);

/* Empties a key that is a list. */
void config_clear(struct config *config, const char *key);

/* The keys there are, for flags and help; false behind the last. */
struct config_key_info {
	const char *name;
	const char *argument; /* NULL: a switch. */
	const char *help;
};
bool config_key_at(size_t i, struct config_key_info *ret_info);

/* Fills in what was not given and checks the whole.  -EINVAL with a sentence; -ENOMEM. */
int config_complete(struct config *config, char *ret_why);

/* The whole command line, the file included.  Messages go to stderr.  Returns 0, or the exit code:
 * 2 for a mistake of the command line, 1 for one of the file. */
int config_from_args(struct config *config, struct config_command *command, int argc, char **argv);
void config_command_done(struct config_command *command);

void config_print_help(FILE *out);

#endif
