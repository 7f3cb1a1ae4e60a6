/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tables/encode.h"
#include "known.h"

enum { PATTERN_LEN_MAX = 255 };

static int refuse(char **ret_why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(char **ret_why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vasprintf(ret_why, format, args) < 0)
		*ret_why = NULL;
	va_end(args);
	return -EINVAL;
}

static int parse(const struct deployment *d, struct diag_list *diags, struct app **ret_app)
{
	struct setting *settings = calloc(d->n_settings + 1, sizeof(*settings));
	struct app *app;
	int r;

	if (!settings)
		return -ENOMEM;
	for (size_t i = 0; i < d->n_settings; i++)
		settings[i] = (struct setting){.name = d->setting[i].name, .text = d->setting[i].text};
	r = app_parse(d->text, strlen(d->text), settings, d->n_settings, NULL, diags, &app);
	free(settings);
	if (r < 0)
		return r;
	r = encode_check(app, d->hook, diags);
	if (r < 0) {
		app_free(app);
		return r;
	}
	*ret_app = app;
	return 0;
}

int check_app(const struct deployment *d, struct app **ret_app, char **ret_why)
{
	struct diag_list diags;
	int r;

	if (strlen(d->text) > APP_TEXT_MAX)
		return refuse(ret_why, "the application is longer than %d bytes", APP_TEXT_MAX);
	diag_init(&diags, d->file[0] ? d->file : "application");
	r = parse(d, &diags, ret_app);
	if (r < 0)
		*ret_why = diags.n_errors ? diag_text(&diags) : NULL;
	diag_done(&diags);
	return r;
}

static int check_placement(const struct deployment *d, char **ret_why)
{
	if (!known_name_is_valid(d->name))
		return refuse(ret_why, "\"%.80s\" is no name of a deployment: up to %d of A-Z a-z 0-9 . _ -", d->name,
			      NAME_LEN_MAX);
	if (d->hook >= HOOK_MAX)
		return refuse(ret_why, "there is no hook %u", d->hook);
	if (strlen(d->switches) > PATTERN_LEN_MAX)
		return refuse(ret_why, "the pattern of switches is longer than %d characters", PATTERN_LEN_MAX);
	if (d->n_ports > PORTS_MAX)
		return refuse(ret_why, "%zu ports, a switch has at most %d", d->n_ports, PORTS_MAX);
	for (size_t i = 0; i < d->n_ports; i++)
		if (!d->port[i][0] || strlen(d->port[i]) > NAME_LEN_MAX)
			return refuse(ret_why, "\"%.80s\" is no name of a port", d->port[i]);
	if (d->n_settings > APP_PARAMETERS_MAX)
		return refuse(ret_why, "%zu settings, an application has at most %d parameters", d->n_settings,
			      APP_PARAMETERS_MAX);
	return 0;
}

int check_deployment(const struct deployment *d, struct app **ret_app, char **ret_why)
{
	int r;

	r = check_placement(d, ret_why);
	return r < 0 ? r : check_app(d, ret_app, ret_why);
}
