/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../tables/encode.h"

static const char *const hook_names[] = {
	[HOOK_XDP] = "xdp", [HOOK_TC_INGRESS] = "tc-ingress", [HOOK_TC_EGRESS] = "tc-egress"};
_Static_assert(ARRAY_SIZE(hook_names) == HOOK_MAX, "every hook has a name");

int hook_find(const char *name)
{
	for (unsigned i = 0; i < HOOK_MAX; i++)
		if (!strcmp(hook_names[i], name))
			return i;
	return -1;
}

const char *hook_name(unsigned hook)
{
	return hook < HOOK_MAX ? hook_names[hook] : "?";
}

int source_set(struct source *source, const char *pair)
{
	const char *equals = strchr(pair, '=');
	struct setting *setting;
	char **owned, *copy;

	if (!equals || equals == pair)
		return cli_usage("a setting is NAME=VALUE, not \"%s\"", pair);
	setting = realloc(source->setting, (source->n_settings + 1) * sizeof(*setting));
	if (setting)
		source->setting = setting;
	owned = realloc(source->owned, (source->n_settings + 1) * sizeof(*owned));
	if (owned)
		source->owned = owned;
	copy = strdup(pair);
	if (!setting || !owned || !copy) {
		free(copy);
		return cli_fail("out of memory");
	}
	copy[equals - pair] = '\0';
	owned[source->n_settings] = copy;
	setting[source->n_settings++] = (struct setting){.name = copy, .text = copy + (equals - pair) + 1};
	return 0;
}

int source_init(struct source *source, const struct args *args)
{
	const char *hook = args_get(args, "hook"), *pair;
	size_t at = 0;
	int r = 0;

	memset(source, 0, sizeof(*source));
	if (hook) {
		int found = hook_find(hook);

		if (found < 0)
			return cli_usage("there is no hook \"%s\": xdp, tc-ingress, tc-egress", hook);
		source->hook = found;
	}
	while (r == 0 && (pair = args_next(args, "set", &at)))
		r = source_set(source, pair);
	return r;
}

int source_read(struct source *source, const char *path, const struct port_names *ports)
{
	int r;

	source->path = path;
	r = cli_read_file(path, APP_TEXT_MAX, &source->text, &source->size);
	if (r)
		return r;
	diag_init(&source->diags, path);
	r = app_parse(source->text, source->size, source->setting, source->n_settings, ports, &source->diags,
		      &source->app);
	if (r == 0) {
		r = encode_check(source->app, source->hook, &source->diags);
		if (r < 0) {
			app_free(source->app);
			source->app = NULL;
		}
	} else {
		source->app = NULL;
	}
	if (r < 0 && !source->diags.n_errors)
		return cli_fail("%s: %s", path, strerror(-r));
	return 0;
}

void source_done(struct source *source)
{
	for (size_t i = 0; i < source->n_settings; i++)
		free(source->owned[i]);
	free(source->owned);
	free(source->setting);
	if (source->path)
		diag_done(&source->diags);
	app_free(source->app);
	free(source->text);
	memset(source, 0, sizeof(*source));
}

void source_print_diags(const struct source *source)
{
	if (!source->diags.n)
		return;
	fflush(stdout);
	diag_print(&source->diags, source->text, stderr);
}
