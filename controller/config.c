/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "../common/cleanup.h"

enum { CONFIG_SIZE_MAX = 64 << 10 };

#define DEFAULT_AGENTS "ipc:///run/mealy/agents.sock"
#define DEFAULT_USERS  "ipc:///run/mealy/users.sock"
#define DEFAULT_STATE  "/var/lib/mealy-controller"

static const char help[] =
	"mealy-controller - holds what every switch should run, and brings them there\n"
	"\n"
	"  mealy-controller [--agents URL] [--users URL] [--state DIR] [--config FILE] [--insecure]\n"
	"\n"
	"  --agents URL    where agents connect (default " DEFAULT_AGENTS ")\n"
	"  --users URL     where people and programs connect (default " DEFAULT_USERS ")\n"
	"  --state DIR     folder of the store (default " DEFAULT_STATE ")\n"
	"  --config FILE   YAML with the same names: agents, users, state, insecure; flags win\n"
	"  --insecure      tcp:// without keys: neither sealed nor authenticated\n"
	"  --verbose       log more\n"
	"  --version       print the version\n"
	"\n"
	"It stays in the foreground, logs to stderr and says \"ready\" once. An ipc:// socket lies in a\n"
	"folder of mode 0750, made if missing: who may enter the folder may use the socket. tcp:// is\n"
	"sealed; who is let in stands in DIR/keys: mealy key list --keys DIR/keys.\n"
	"\n"
	"Example: mealy-controller --agents tcp://127.0.0.1:7440 --state /tmp/controller\n";

static int set_string(char **to, const char *text)
{
	if (*to)
		return 0;
	*to = strdup(text);
	return *to ? 0 : -ENOMEM;
}

static int parse_bool(const char *text, bool *ret_value)
{
	if (!strcmp(text, "yes") || !strcmp(text, "true"))
		*ret_value = true;
	else if (!strcmp(text, "no") || !strcmp(text, "false"))
		*ret_value = false;
	else
		return -EINVAL;
	return 0;
}

static int set_key(struct config *config, const char *key, const char *value, char *ret_why, size_t room)
{
	bool insecure;

	if (!strcmp(key, "agents"))
		return set_string(&config->agents, value);
	if (!strcmp(key, "users"))
		return set_string(&config->users, value);
	if (!strcmp(key, "state"))
		return set_string(&config->state, value);
	if (!strcmp(key, "insecure")) {
		if (parse_bool(value, &insecure) < 0) {
			snprintf(ret_why, room, "insecure is yes or no, not \"%.40s\"", value);
			return -EINVAL;
		}
		config->insecure |= insecure;
		return 0;
	}
	snprintf(ret_why, room, "unknown key \"%.40s\" (there are agents, users, state, insecure)", key);
	return -EINVAL;
}

struct pairs {
	struct config *config;
	char *key; /* NULL: a key comes next. */
	unsigned depth;
};

/* Takes one event of a flat mapping of scalars; anything else is refused. */
static int take_event(struct pairs *p, const yaml_event_t *event, char *why, size_t room)
{
	const char *text;
	int r;

	switch (event->type) {
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT: return 0;
	case YAML_MAPPING_START_EVENT:
		if (p->depth++ == 0)
			return 0;
		break;
	case YAML_MAPPING_END_EVENT: p->depth--; return 0;
	case YAML_SCALAR_EVENT:
		text = (const char *)event->data.scalar.value;
		if (p->depth != 1)
			break;
		if (!p->key) {
			p->key = strdup(text);
			return p->key ? 0 : -ENOMEM;
		}
		r = set_key(p->config, p->key, text, why, room);
		free(TAKE_PTR(p->key));
		return r;
	default: break;
	}
	snprintf(why, room, "expected lines \"key: value\"");
	return -EINVAL;
}

int config_parse(const char *text, const char *name, struct config *config, char *ret_why)
{
	struct pairs pairs = {.config = config};
	char why[160] = "out of memory";
	yaml_parser_t parser;
	bool done = false;
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	while (r == 0 && !done) {
		yaml_event_t event;
		unsigned line;

		if (!yaml_parser_parse(&parser, &event)) {
			snprintf(why, sizeof(why), "not YAML: %.100s", parser.problem ? parser.problem : "?");
			snprintf(ret_why, 256, "%.80s:%zu: %s", name, parser.problem_mark.line + 1, why);
			r = -EINVAL;
			break;
		}
		line = event.start_mark.line + 1;
		r = take_event(&pairs, &event, why, sizeof(why));
		done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		if (r < 0)
			snprintf(ret_why, 256, "%.80s:%u: %s", name, line, why);
	}
	free(pairs.key);
	yaml_parser_delete(&parser);
	return r;
}

static int read_file(const char *path, struct config *config)
{
	_cleanup_file_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	char why[256];
	size_t n;

	if (!file) {
		fprintf(stderr, "mealy-controller: %s: %s\n", path, strerror(errno));
		return -EINVAL;
	}
	text = calloc(1, CONFIG_SIZE_MAX + 1);
	if (!text)
		return -ENOMEM;
	n = fread(text, 1, CONFIG_SIZE_MAX + 1, file);
	if (ferror(file) || n > CONFIG_SIZE_MAX || strlen(text) != n) {
		fprintf(stderr, "mealy-controller: %s: cannot be read, is too long or no text\n", path);
		return -EINVAL;
	}
	if (config_parse(text, path, config, why) < 0) {
		fprintf(stderr, "mealy-controller: %s\n", why);
		return -EINVAL;
	}
	return 0;
}

static int set_defaults(struct config *config)
{
	if (set_string(&config->agents, DEFAULT_AGENTS) < 0 || set_string(&config->users, DEFAULT_USERS) < 0 ||
	    set_string(&config->state, DEFAULT_STATE) < 0)
		return -ENOMEM;
	if (!strcmp(config->agents, config->users)) {
		fprintf(stderr, "mealy-controller: --agents and --users cannot be the same address\n");
		return -EINVAL;
	}
	return 0;
}

/* Sets a flag's string; the last one given counts. */
static int set_flag(char **to, const char *text)
{
	free(TAKE_PTR(*to));
	return set_string(to, text);
}

static enum config_result read_flags(int argc, char **argv, struct config *config, const char **ret_file)
{
	static const struct option options[] = {
		{"agents", required_argument, NULL, 'a'},
		{"users", required_argument, NULL, 'u'},
		{"state", required_argument, NULL, 's'},
		{"config", required_argument, NULL, 'c'},
		{"insecure", no_argument, NULL, 'i'},
		{"verbose", no_argument, NULL, 'v'},
		{"debug", no_argument, NULL, 'v'}, /* Its name once. */
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	int c, r = 0;

	optind = 0; /* Begin anew, so that it may be called twice. */
	while (r == 0 && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'a': r = set_flag(&config->agents, optarg); break;
		case 'u': r = set_flag(&config->users, optarg); break;
		case 's': r = set_flag(&config->state, optarg); break;
		case 'c': *ret_file = optarg; break;
		case 'i': config->insecure = true; break;
		case 'v': config->verbose = true; break;
		case 'V': puts("mealy-controller " MEALY_VERSION); return CONFIG_DONE;
		case 'h': fputs(help, stdout); return CONFIG_DONE;
		default: return CONFIG_WRONG;
		}
	}
	if (r == 0 && optind < argc) {
		fprintf(stderr, "mealy-controller: takes no arguments, but got \"%s\" (try --help)\n", argv[optind]);
		return CONFIG_WRONG;
	}
	return r < 0 ? CONFIG_WRONG : CONFIG_RUN;
}

enum config_result config_read(int argc, char **argv, struct config *ret_config)
{
	struct config config = {};
	const char *file = NULL;
	enum config_result result;

	result = read_flags(argc, argv, &config, &file);
	if (result == CONFIG_RUN && file && read_file(file, &config) < 0)
		result = CONFIG_WRONG;
	if (result == CONFIG_RUN && set_defaults(&config) < 0)
		result = CONFIG_WRONG;
	if (result != CONFIG_RUN) {
		config_done(&config);
		return result;
	}
	*ret_config = config;
	return CONFIG_RUN;
}

void config_done(struct config *config)
{
	free(config->agents);
	free(config->users);
	free(config->state);
	memset(config, 0, sizeof(*config));
}
