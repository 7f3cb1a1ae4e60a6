/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/arena.h"
#include "../common/cleanup.h"
#include "../tables/literal.h"
#include "../tables/yaml.h"

enum { WHY_SIZE = 256, CONFIG_ARENA_MAX = 16 << 20 };

void config_init(struct config *config)
{
	*config = (struct config){
		.flows_max = 4000000,
		.memory_max = 2ull << 30,
		.standalone_after_ns = 30000000000ull,
		.parse_verdict = VERDICT_DROP,
		.punt_rate_pps = 1000,
		.punt_burst = 100,
	};
}

static void clear_controllers(struct config *config)
{
	for (size_t i = 0; i < config->n_controllers; i++)
		free(config->controller[i]);
	config->n_controllers = 0;
}

static void clear_ports(struct config *config)
{
	for (size_t i = 0; i < config->n_ports; i++)
		free((char *)config->port[i].pattern);
	config->n_ports = 0;
}

static void clear_hooks(struct config *config)
{
	config->hooks = 0;
}

void config_done(struct config *config)
{
	clear_controllers(config);
	clear_ports(config);
	free(config->name);
	free(config->state);
	free(config->pin);
	free(config->bpffs);
	free(config->socket);
	free(config->clang);
	free(config->sources);
	*config = (struct config){};
}

/* ---- one value ---- */

static int wrong(char *ret_why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int wrong(char *ret_why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret_why, WHY_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}

static int set_string(char **to, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

static int set_bool(bool *to, const char *text, char *ret_why)
{
	if (!strcmp(text, "yes") || !strcmp(text, "true"))
		*to = true;
	else if (!strcmp(text, "no") || !strcmp(text, "false"))
		*to = false;
	else
		return wrong(ret_why, "\"%s\" is neither yes nor no", text);
	return 0;
}

/* One of 'words' (NULL at the end); stores its place. */
static int set_word(unsigned *to, const char *const *words, const char *text, char *ret_why)
{
	size_t used = 0;
	char list[128] = "";

	for (unsigned i = 0; words[i]; i++) {
		if (!strcmp(words[i], text)) {
			*to = i;
			return 0;
		}
		used += snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", words[i]);
	}
	return wrong(ret_why, "\"%s\" is none of: %s", text, list);
}

/* A literal of the application language: a plain number or one with a unit of 'type'. */
static int set_number(uint64_t *to, enum value_type type, uint64_t min, uint64_t max, const char *text, char *ret_why)
{
	char error[LITERAL_ERROR_SIZE] = "";
	struct literal literal;

	if (literal_parse(text, &literal, error) < 0)
		return wrong(ret_why, "\"%s\" is not a %s%s%s", text, value_type_name(type), error[0] ? ": " : "",
			     error);
	if (literal.type != type && !(literal.type == TYPE_U64 && type != TYPE_DURATION))
		return wrong(ret_why, "\"%s\" is a %s, not a %s", text, value_type_name(literal.type),
			     value_type_name(type));
	if (literal.lo < min || literal.lo > max)
		return wrong(ret_why, "\"%s\" is out of range", text);
	*to = literal.lo;
	return 0;
}

static int set_unsigned(unsigned *to, uint64_t max, const char *text, char *ret_why)
{
	uint64_t value;
	int r = set_number(&value, TYPE_U64, 0, max, text, ret_why);

	if (r == 0)
		*to = value;
	return r;
}

/* ---- keys ---- */

static int key_name(struct config *c, const char *text, char *ret_why)
{
	size_t len = strlen(text);

	if (!len || len > 63)
		return wrong(ret_why, "a name has 1 to 63 characters");
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_')
			return wrong(ret_why, "\"%s\": a name has letters, digits, '-' and '_'", text);
	return set_string(&c->name, text);
}

static int key_pin(struct config *c, const char *text, char *ret_why)
{
	struct config probe = {};
	int r = key_name(&probe, text, ret_why);

	free(probe.name);
	return r < 0 ? r : set_string(&c->pin, text);
}

static int key_controllers(struct config *c, const char *text, char *ret_why)
{
	if (strncmp(text, "ipc://", 6) && strncmp(text, "tcp://", 6))
		return wrong(ret_why, "\"%s\" is no ipc:// or tcp:// address", text);
	if (c->n_controllers == CONFIG_CONTROLLERS_MAX)
		return wrong(ret_why, "more than %d controllers", CONFIG_CONTROLLERS_MAX);
	c->controller[c->n_controllers] = NULL;
	if (set_string(&c->controller[c->n_controllers], text) < 0)
		return -ENOMEM;
	c->n_controllers++;
	return 0;
}

static int add_port(struct config *c, const char *pattern, unsigned number, char *ret_why)
{
	char *copy;

	if (!pattern[0] || strlen(pattern) > 63)
		return wrong(ret_why, "\"%s\" is no interface name or pattern", pattern);
	if (strchr(pattern, ','))
		return wrong(ret_why,
			     "\"%s\": one interface or pattern each; repeat the option, or give a list in the file",
			     pattern);
	if (c->n_ports == PORTS_MAX)
		return wrong(ret_why, "more than %d ports", PORTS_MAX);
	copy = strdup(pattern);
	if (!copy)
		return -ENOMEM;
	c->port[c->n_ports++] = (struct port_pattern){copy, number};
	return 0;
}

/* "wan0", "lan*"; as a flag also "up0=3". */
static int key_ports(struct config *c, const char *text, char *ret_why)
{
	_cleanup_free_ char *copy = strdup(text);
	unsigned number = 0;
	char *equals;
	int r;

	if (!copy)
		return -ENOMEM;
	equals = strchr(copy, '=');
	if (equals) {
		*equals = '\0';
		r = set_unsigned(&number, PORTS_MAX, equals + 1, ret_why);
		if (r < 0)
			return r;
		if (!number)
			return wrong(ret_why, "port numbers are 1 to %d", PORTS_MAX);
	}
	return add_port(c, copy, number, ret_why);
}

static int key_insecure(struct config *c, const char *text, char *ret_why)
{
	return set_bool(&c->insecure, text, ret_why);
}
static int key_local_write(struct config *c, const char *text, char *ret_why)
{
	return set_bool(&c->local_write, text, ret_why);
}
static int key_verbose(struct config *c, const char *text, char *ret_why)
{
	return set_bool(&c->verbose, text, ret_why);
}
static int key_test_clock(struct config *c, const char *text, char *ret_why)
{
	return set_bool(&c->test_clock, text, ret_why);
}
static int key_specialise(struct config *c, const char *text, char *ret_why)
{
	return set_bool(&c->specialise, text, ret_why);
}
static int key_clang(struct config *c, const char *text, char *ret_why)
{
	return set_string(&c->clang, text);
}
static int key_sources(struct config *c, const char *text, char *ret_why)
{
	return set_string(&c->sources, text);
}
static int key_compile_time(struct config *c, const char *text, char *ret_why)
{
	return set_number(&c->compile_time_ns, TYPE_DURATION, 1000000000, 3600000000000ull, text, ret_why);
}
static int key_compile_memory(struct config *c, const char *text, char *ret_why)
{
	return set_number(&c->compile_memory, TYPE_SIZE, 1 << 20, 1ull << 48, text, ret_why);
}
static int key_state(struct config *c, const char *text, char *ret_why)
{
	return set_string(&c->state, text);
}
static int key_bpffs(struct config *c, const char *text, char *ret_why)
{
	return set_string(&c->bpffs, text);
}

static int key_socket(struct config *c, const char *text, char *ret_why)
{
	if (text[0] && strncmp(text, "ipc://", 6))
		return wrong(ret_why, "\"%s\" is no ipc:// address", text);
	return set_string(&c->socket, text);
}

static int key_hooks(struct config *c, const char *text, char *ret_why)
{
	static const char *const words[] = {[HOOK_XDP] = "xdp",
					    [HOOK_TC_INGRESS] = "tc-ingress",
					    [HOOK_TC_EGRESS] = "tc-egress",
					    [HOOK_MAX] = NULL};
	unsigned hook;
	int r = set_word(&hook, words, text, ret_why);

	if (r == 0)
		c->hooks |= 1u << hook;
	return r;
}

static int key_xdp(struct config *c, const char *text, char *ret_why)
{
	static const char *const words[] = {"auto", "native", "generic", NULL};
	unsigned i;
	int r = set_word(&i, words, text, ret_why);

	if (r == 0)
		c->xdp = (enum xdp_mode[]){XDP_MODE_AUTO, XDP_MODE_NATIVE, XDP_MODE_GENERIC}[i];
	return r;
}

static int key_tc(struct config *c, const char *text, char *ret_why)
{
	static const char *const words[] = {"auto", "tcx", "filter", NULL};
	unsigned i;
	int r = set_word(&i, words, text, ret_why);

	if (r == 0)
		c->tc = (enum tc_mode[]){TC_MODE_AUTO, TC_MODE_TCX, TC_MODE_FILTER}[i];
	return r;
}

static int key_fail_mode(struct config *c, const char *text, char *ret_why)
{
	static const char *const words[] = {"secure", "standalone", NULL};
	unsigned i;
	int r = set_word(&i, words, text, ret_why);

	if (r == 0)
		c->fail_mode = i ? FAIL_STANDALONE : FAIL_SECURE;
	return r;
}

static int key_parse_verdict(struct config *c, const char *text, char *ret_why)
{
	static const char *const words[] = {"drop", "pass", NULL};
	unsigned i;
	int r = set_word(&i, words, text, ret_why);

	if (r == 0)
		c->parse_verdict = i ? VERDICT_PASS : VERDICT_DROP;
	return r;
}

static int key_standalone_after(struct config *c, const char *text, char *ret_why)
{
	return set_number(&c->standalone_after_ns, TYPE_DURATION, 0, UINT64_MAX / 2, text, ret_why);
}

static int key_flows_max(struct config *c, const char *text, char *ret_why)
{
	return set_number(&c->flows_max, TYPE_U64, 1, 1ull << 32, text, ret_why);
}

static int key_memory_max(struct config *c, const char *text, char *ret_why)
{
	return set_number(&c->memory_max, TYPE_SIZE, 4096, 1ull << 48, text, ret_why);
}

static int key_test_flow_format(struct config *c, const char *text, char *ret_why)
{
	uint64_t format;
	int r = set_number(&format, TYPE_U64, 1, 9999, text, ret_why);

	if (r == 0)
		c->test_flow_format = format;
	return r;
}

static int key_punt_rate(struct config *c, const char *text, char *ret_why)
{
	return set_unsigned(&c->punt_rate_pps, 1000000, text, ret_why);
}

static int key_punt_burst(struct config *c, const char *text, char *ret_why)
{
	return set_unsigned(&c->punt_burst, 100000, text, ret_why);
}

static const struct config_key {
	const char *name;
	int (*set)(struct config *config, const char *text, char *ret_why);
	void (*clear)(struct config *config); /* A list: what the file gave goes when a flag is used. */
	const char *argument, *help;	      /* NULL: a switch that means "yes". */
} keys[] = {
	{"name", key_name, NULL, "NAME", "name of the switch (the host's name)"},
	{"controllers", key_controllers, clear_controllers, "URL",
	 "ipc:// or tcp:// address of a controller; may be repeated"},
	{"insecure", key_insecure, NULL, NULL, "tcp:// without keys: neither sealed nor authenticated"},
	{"ports", key_ports, clear_ports, "NAME",
	 "interface or pattern, NAME=NUMBER fixes its number; may be repeated"},
	{"hooks", key_hooks, clear_hooks, "HOOK",
	 "xdp, tc-ingress or tc-egress: load the programs of these hooks only; may be repeated (all)"},
	{"xdp", key_xdp, NULL, "MODE", "auto, native or generic (auto)"},
	{"tc", key_tc, NULL, "MODE", "auto, tcx or filter (auto)"},
	{"state", key_state, NULL, "DIR", "state directory (/var/lib/mealy/NAME)"},
	{"pin", key_pin, NULL, "NAME", "folder under BPFFS/mealy (the switch's name)"},
	{"bpffs", key_bpffs, NULL, "DIR", "where the BPF file system is (/sys/fs/bpf)"},
	{"socket", key_socket, NULL, "URL",
	 "ipc:// address for local users, \"\" for none (ipc:///run/mealy/NAME/agent.sock)"},
	{"local_write", key_local_write, NULL, NULL, "let local users change things, not only look"},
	{"flows_max", key_flows_max, NULL, "N", "flows of all tables together (4000000)"},
	{"memory_max", key_memory_max, NULL, "SIZE", "memory of all flow tables together (2GiB)"},
	{"fail_mode", key_fail_mode, NULL, "MODE",
	 "without a controller: secure (keep the tables) or standalone (plain pass)"},
	{"standalone_after", key_standalone_after, NULL, "TIME", "... after so long (30s)"},
	{"parse_verdict", key_parse_verdict, NULL, "VERDICT", "frames that cannot be parsed: drop or pass (drop)"},
	{"punt_rate", key_punt_rate, NULL, "N", "packets a second to the controller (1000)"},
	{"punt_burst", key_punt_burst, NULL, "N", "... in a burst (100)"},
	{"specialise", key_specialise, NULL, NULL, "compile each table in the background, and run that (no)"},
	{"clang", key_clang, NULL, "PROGRAM", "... with this compiler (clang)"},
	{"sources", key_sources, NULL, "DIR", "... from the datapath's sources there (" MEALY_SOURCES ")"},
	{"compile_time", key_compile_time, NULL, "TIME", "... within this time (20s of a processor, 60s in all)"},
	{"compile_memory", key_compile_memory, NULL, "SIZE", "... and so much memory (2GiB)"},
	{"verbose", key_verbose, NULL, NULL, "log more"},
	{"test_clock", key_test_clock, NULL, NULL, "programs read a clock that tests set; only for tests"},
	{"test_flow_format", key_test_flow_format, NULL, "N", "pretend to be of another record format; only for tests"},
};

static const struct config_key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

int config_set(struct config *config, const char *key, const char *text, char *ret_why)
{
	const struct config_key *k = find_key(key);

	if (!k)
		return wrong(ret_why, "unknown key \"%s\"", key);
	return k->set(config, text, ret_why);
}

void config_clear(struct config *config, const char *key)
{
	const struct config_key *k = find_key(key);

	if (k && k->clear)
		k->clear(config);
}

bool config_key_at(size_t i, struct config_key_info *ret_info)
{
	if (i >= ARRAY_SIZE(keys))
		return false;
	*ret_info = (struct config_key_info){keys[i].name, keys[i].argument, keys[i].help};
	return true;
}

/* ---- the file ---- */

static const char *nearest_key(const char *name)
{
	const char *names[ARRAY_SIZE(keys)];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		names[i] = keys[i].name;
	return diag_nearest(name, names, ARRAY_SIZE(keys));
}

/* {name: up0, number: 3} */
static int parse_port(struct config *config, const struct yaml_node *node, struct diag_list *diags)
{
	struct yaml_node *name = yaml_get(node, "name"), *number = yaml_get(node, "number");
	char why[WHY_SIZE] = "";
	unsigned n = 0;
	int r;

	for (size_t i = 0; i < node->n; i++)
		if (strcmp(node->key[i]->text, "name") && strcmp(node->key[i]->text, "number"))
			diag_error(diags, node->key[i]->loc, "a port has `name` and `number`, not \"%s\"",
				   node->key[i]->text);
	if (!name || name->kind != YAML_TEXT || (number && number->kind != YAML_TEXT)) {
		diag_error(diags, node->loc, "a port is a name or {name: NAME, number: NUMBER}");
		return 0;
	}
	r = number ? set_unsigned(&n, PORTS_MAX, number->text, why) : 0;
	if (r == 0 && number && !n)
		r = wrong(why, "port numbers are 1 to %d", PORTS_MAX);
	if (r == 0)
		r = add_port(config, name->text, n, why);
	if (r == -EINVAL)
		diag_error(diags, number ? number->loc : name->loc, "%s", why);
	return r == -ENOMEM ? r : 0;
}

static int parse_value(struct config *config, const struct config_key *key, const struct yaml_node *node,
		       struct diag_list *diags)
{
	char why[WHY_SIZE] = "";
	int r;

	if (node->kind == YAML_MAP && key->set == key_ports)
		return parse_port(config, node, diags);
	if (node->kind != YAML_TEXT) {
		diag_error(diags, node->loc, "%s: a single value is expected", key->name);
		return 0;
	}
	r = key->set(config, node->text, why);
	if (r == -EINVAL)
		diag_error(diags, node->loc, "%s: %s", key->name, why);
	return r == -ENOMEM ? r : 0;
}

static int parse_entry(struct config *config, const struct yaml_node *name, const struct yaml_node *node,
		       struct diag_list *diags)
{
	const struct config_key *key = find_key(name->text);
	const char *near;
	int r = 0;

	if (!key) {
		near = nearest_key(name->text);
		diag_error(diags, name->loc, "unknown key \"%s\"%s%s%s", name->text, near ? "; did you mean \"" : "",
			   near ? near : "", near ? "\"?" : "");
		return 0;
	}
	if (node->kind != YAML_LIST || !key->clear)
		return parse_value(config, key, node, diags);
	for (size_t i = 0; r == 0 && i < node->n; i++)
		r = parse_value(config, key, node->item[i], diags);
	return r;
}

static int parse_tree(struct config *config, const struct yaml_node *root, struct diag_list *diags)
{
	int r = 0;

	if (root->kind != YAML_MAP) {
		diag_error(diags, root->loc, "a configuration is a list of KEY: VALUE");
		return -EINVAL;
	}
	for (size_t i = 0; r == 0 && i < root->n; i++)
		r = parse_entry(config, root->key[i], root->item[i], diags);
	return r;
}

int config_parse(struct config *config, const char *text, size_t size, struct diag_list *diags)
{
	struct arena *arena = arena_new(CONFIG_ARENA_MAX);
	struct yaml_node *root;
	jmp_buf where;
	int r;

	if (!arena)
		return -ENOMEM;
	if (setjmp(where)) {
		arena_free(arena);
		return -ENOMEM;
	}
	arena_catch(arena, &where);
	root = yaml_load(arena, text, size, diags);
	arena_catch(arena, NULL);
	r = root ? parse_tree(config, root, diags) : -EINVAL;
	arena_free(arena);
	return r < 0 ? r : diags->n_errors ? -EINVAL : 0;
}

/* ---- the whole ---- */

static int default_name(struct config *config, char *ret_why)
{
	char host[64] = "";

	if (gethostname(host, sizeof(host) - 1) < 0)
		return wrong(ret_why, "no name given, and the host has none: %m");
	host[strcspn(host, ".")] = '\0';
	return key_name(config, host, ret_why);
}

static int default_path(char **to, const char *format, const char *name)
{
	if (*to)
		return 0;
	if (asprintf(to, format, name) < 0) {
		*to = NULL;
		return -ENOMEM;
	}
	return 0;
}

int config_complete(struct config *config, char *ret_why)
{
	int r = config->name ? 0 : default_name(config, ret_why);

	if (r < 0)
		return r;
	if (default_path(&config->state, "/var/lib/mealy/%s", config->name) < 0 ||
	    default_path(&config->socket, "ipc:///run/mealy/%s/agent.sock", config->name) < 0 ||
	    default_path(&config->pin, "%s", config->name) < 0 || default_path(&config->clang, "%s", "clang") < 0 ||
	    default_path(&config->sources, "%s", MEALY_SOURCES) < 0)
		return -ENOMEM;
	if (!config->n_ports)
		return wrong(ret_why, "no ports; give interfaces or patterns with `ports:` or --ports");
	return 0;
}
