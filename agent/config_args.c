/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/cleanup.h"

enum { KEYS_MAX = 32, FLAG_ROOM = 32 };

/* Options that are no keys of the file. */
enum { OPT_CONFIG = 1000, OPT_CHECK, OPT_PREFLIGHT, OPT_UNLOAD, OPT_FORGET, OPT_HELP, OPT_VERSION };
static const struct option actions[] = {
	{"config", required_argument, NULL, OPT_CONFIG}, {"check", no_argument, NULL, OPT_CHECK},
	{"preflight", no_argument, NULL, OPT_PREFLIGHT}, {"unload", no_argument, NULL, OPT_UNLOAD},
	{"forget", no_argument, NULL, OPT_FORGET},	 {"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
};

/* getopt's list: a flag for each key, and the actions. */
struct flags {
	struct option option[KEYS_MAX + ARRAY_SIZE(actions) + 1];
	char name[KEYS_MAX][FLAG_ROOM];
	struct config_key_info key[KEYS_MAX];
	size_t n_keys;
};

static void flag_name(const char *key, char *ret_name)
{
	snprintf(ret_name, FLAG_ROOM, "%s", key);
	for (char *c = ret_name; *c; c++)
		if (*c == '_')
			*c = '-';
}

static void flags_init(struct flags *flags)
{
	size_t n = 0;

	memset(flags, 0, sizeof(*flags));
	while (n < KEYS_MAX && config_key_at(n, &flags->key[n])) {
		flag_name(flags->key[n].name, flags->name[n]);
		flags->option[n] = (struct option){
			flags->name[n], flags->key[n].argument ? required_argument : no_argument, NULL, (int)n};
		n++;
	}
	flags->n_keys = n;
	memcpy(&flags->option[n], actions, sizeof(actions));
}

void config_print_help(FILE *out)
{
	struct config_key_info key;
	char flag[2 * FLAG_ROOM], name[FLAG_ROOM];

	fputs("Usage: mealy-agent [--config FILE] [OPTIONS]\n"
	      "Runs the switch of this host: loads the datapath, attaches it to the ports, does what the controllers "
	      "say.\n\n"
	      "  --config FILE              configuration; each option below is also a key of it, with '_' for '-'\n"
	      "  --check                    check the configuration and stop\n"
	      "  --preflight                say what this host can do and stop\n"
	      "  --unload                   detach and remove everything of this switch from the kernel and stop\n"
	      "  --forget                   ... and remove the state directory too\n"
	      "  --help, --version\n\n",
	      out);
	for (size_t i = 0; config_key_at(i, &key); i++) {
		flag_name(key.name, name);
		snprintf(flag, sizeof(flag), "--%s%s%s", name, key.argument ? " " : "",
			 key.argument ? key.argument : "");
		fprintf(out, "  %-26s %s\n", flag, key.help);
	}
	fputs("\nExample, /etc/mealy/agent.yaml:\n"
	      "  name: edge-1\n"
	      "  controllers: [\"tcp://127.0.0.1:7440\"]\n"
	      "  insecure: yes\n"
	      "  ports: [wan0, \"lan*\", {name: up0, number: 3}]\n"
	      "\n"
	      "  mealy-agent --config /etc/mealy/agent.yaml\n",
	      out);
}

/* ---- the file ---- */

static int read_text(const char *path, char **ret_text, size_t *ret_size)
{
	_cleanup_file_ FILE *in = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	struct stat st;

	if (!in || fstat(fileno(in), &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	text = malloc(CONFIG_FILE_MAX + 1);
	if (!text)
		return -ENOMEM;
	*ret_size = fread(text, 1, CONFIG_FILE_MAX + 1, in);
	if (ferror(in))
		return -EIO;
	if (*ret_size > CONFIG_FILE_MAX)
		return -EFBIG;
	text[*ret_size] = '\0';
	*ret_text = TAKE_PTR(text);
	return 0;
}

static int load_file(struct config *config, const char *path)
{
	_cleanup_free_ char *text = NULL;
	struct diag_list diags;
	size_t size = 0;
	int r;

	r = read_text(path, &text, &size);
	if (r < 0) {
		fprintf(stderr, "mealy-agent: %s: %s\n", path, strerror(-r));
		return r;
	}
	diag_init(&diags, path);
	r = config_parse(config, text, size, &diags);
	if (r == -EINVAL)
		diag_print(&diags, text, stderr);
	else if (r < 0)
		fprintf(stderr, "mealy-agent: %s: %s\n", path, strerror(-r));
	diag_done(&diags);
	return r;
}

/* ---- the command line ---- */

static int take_action(struct config_command *command, int option)
{
	switch (option) {
	case OPT_CONFIG:
		free(command->file);
		command->file = strdup(optarg);
		return command->file ? 0 : 1;
	case OPT_CHECK: command->action = ACTION_CHECK; return 0;
	case OPT_PREFLIGHT: command->action = ACTION_PREFLIGHT; return 0;
	case OPT_UNLOAD: command->action = ACTION_UNLOAD; return 0;
	case OPT_FORGET:
		command->action = ACTION_UNLOAD;
		command->forget = true;
		return 0;
	case OPT_HELP: command->action = ACTION_HELP; return 0;
	case OPT_VERSION: command->action = ACTION_VERSION; return 0;
	}
	return 2; /* getopt has said what is wrong. */
}

/* First pass: the file and what to do.  Second pass ('config' given): keys. */
static int walk(struct flags *flags, struct config *config, struct config_command *command, int argc, char **argv)
{
	bool cleared[KEYS_MAX] = {};
	char why[256];
	int option, r;

	optind = 0;
	opterr = !config;
	while ((option = getopt_long(argc, argv, "", flags->option, NULL)) != -1) {
		if (option >= (int)flags->n_keys) {
			r = config ? 0 : take_action(command, option);
			if (r)
				return r;
			continue;
		}
		if (!config)
			continue;
		if (!cleared[option])
			config_clear(config, flags->key[option].name);
		cleared[option] = true;
		if (config_set(config, flags->key[option].name, optarg ? optarg : "yes", why) < 0) {
			fprintf(stderr, "mealy-agent: --%s: %s\n", flags->name[option], why);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "mealy-agent: unexpected argument \"%s\"; see --help\n", argv[optind]);
		return 2;
	}
	return 0;
}

int config_from_args(struct config *config, struct config_command *command, int argc, char **argv)
{
	struct flags flags;
	char why[256];
	int r;

	config_init(config);
	*command = (struct config_command){};
	flags_init(&flags);
	r = walk(&flags, NULL, command, argc, argv);
	if (r || command->action == ACTION_HELP || command->action == ACTION_VERSION)
		return r;
	if (command->file && load_file(config, command->file) < 0)
		return 1;
	r = walk(&flags, config, command, argc, argv);
	if (r)
		return r;
	/* Removing and preflight need no ports. */
	r = config_complete(config, why);
	if (r < 0 && !(command->action == ACTION_UNLOAD || command->action == ACTION_PREFLIGHT)) {
		fprintf(stderr, "mealy-agent: %s%s%s\n", command->file ? command->file : "", command->file ? ": " : "",
			why);
		return command->file ? 1 : 2;
	}
	return 0;
}

void config_command_done(struct config_command *command)
{
	free(command->file);
	command->file = NULL;
}
