/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wanted.h"

#include <stdlib.h>
#include <string.h>

static int cut_ports(struct wanted *w, const char *option)
{
	if (!option)
		return 0;
	w->ports = strdup(option);
	if (!w->ports)
		return cli_fail("out of memory");
	for (char *rest = w->ports, *name; (name = strsep(&rest, ","));) {
		if (!name[0])
			return cli_usage("--ports is a comma list of names, not \"%s\"", option);
		if (w->deployment.n_ports == PORTS_MAX)
			return cli_usage("--ports names more than %d ports", PORTS_MAX);
		w->port[w->deployment.n_ports++] = name;
	}
	w->deployment.port = w->port;
	return 0;
}

static int copy_settings(struct wanted *w)
{
	size_t n = w->source.n_settings;

	w->setting = calloc(n + 1, sizeof(*w->setting));
	if (!w->setting)
		return cli_fail("out of memory");
	for (size_t i = 0; i < n; i++)
		w->setting[i] =
			(struct msg_setting){.name = w->source.setting[i].name, .text = w->source.setting[i].text};
	w->deployment.setting = w->setting;
	w->deployment.n_settings = n;
	return 0;
}

static int read_all(struct cli *cli, const struct args *args, struct wanted *w)
{
	const char *name = args_get(args, "name"), *slash;
	uint64_t order;
	char why[256];
	int r;

	r = source_init(&w->source, args);
	if (r == 0 && args_number(args, "order", ORDER_DEFAULT, 0, UINT32_MAX, &order, why) < 0)
		r = cli_usage("%s", why);
	if (r == 0)
		r = cut_ports(w, args_get(args, "ports"));
	if (r == 0)
		r = copy_settings(w);
	if (r == 0)
		r = source_read(&w->source, args->arg[0], NULL);
	if (r)
		return r;
	source_print_diags(&w->source);
	if (!w->source.app)
		return EXIT_FAILED;
	slash = strrchr(args->arg[0], '/');
	w->deployment.name = name ? name : w->source.app->name;
	w->deployment.file = slash ? slash + 1 : args->arg[0];
	w->deployment.text = w->source.text;
	w->deployment.hook = w->source.hook;
	w->deployment.order = order;
	w->deployment.switches = cli->is_agent ? "*" : cli->switch_name[0] ? cli->switch_name : "*";
	return 0;
}

int wanted_read(struct cli *cli, const struct args *args, struct wanted *ret_wanted)
{
	int r;

	memset(ret_wanted, 0, sizeof(*ret_wanted));
	r = read_all(cli, args, ret_wanted);
	if (r)
		wanted_done(ret_wanted);
	return r;
}

void wanted_done(struct wanted *wanted)
{
	source_done(&wanted->source);
	free(wanted->setting);
	free(wanted->ports);
	memset(wanted, 0, sizeof(*wanted));
}
