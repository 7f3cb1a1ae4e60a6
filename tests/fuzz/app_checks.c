// SPDX-License-Identifier: GPL-2.0-or-later
#include "app_checks.h"

#include <string.h>

#include "common/cleanup.h"
#include "fuzz.h"
#include "tables/encode.h"

static int port_find(void *data, const char *name)
{
	return name[0] == 'l' ? 1 : name[0] == 'w' ? 2 : -1;
}

static struct app *parse(const char *text, size_t size)
{
	const struct port_names ports = {.find = port_find};
	_cleanup_free_ char *messages = NULL;
	struct diag_list diags;
	struct app *app = NULL;
	int r;

	diag_init(&diags, "f.yaml");
	r = app_parse(text, size, NULL, 0, &ports, &diags, &app);
	CHECK((r == 0) == (diags.n_errors == 0) && (r == 0) == (app != NULL));
	messages = diag_text(&diags);
	CHECK(messages && (r == 0 || *messages));
	diag_done(&diags);
	return app;
}

static void check_same(const struct app *a, const struct app *b)
{
	CHECK(a->n_tables == b->n_tables);
	for (size_t t = 0; t < a->n_tables; t++) {
		CHECK(a->table[t].n_rules == b->table[t].n_rules && a->table[t].n_states == b->table[t].n_states);
		for (size_t i = 0; i < a->table[t].n_rules; i++)
			CHECK(strcmp(a->table[t].rule[i].text, b->table[t].rule[i].text) == 0);
	}
}

/* Printed and read again it is the same application, and printed once more the same text. */
static void check_again(const struct app *app)
{
	_cleanup_free_ char *yaml = app_render_yaml(app), *twice = NULL, *changes = NULL;
	struct app *again = yaml ? parse(yaml, strlen(yaml)) : NULL;
	bool same;

	CHECK(again);
	check_same(app, again);
	twice = app_render_yaml(again);
	CHECK(twice && strcmp(yaml, twice) == 0);
	changes = app_diff(app, again, &same);
	CHECK(changes && same);
	app_free(again);
}

static void check_encodes(const struct app *app)
{
	struct diag_list diags;

	for (enum hook_id hook = 0; hook < HOOK_MAX; hook++) {
		diag_init(&diags, "f.yaml");
		CHECK((encode_check(app, hook, &diags) == 0) == (diags.n_errors == 0));
		diag_done(&diags);
	}
}

void app_check_text(const char *text, size_t size)
{
	_cleanup_free_ char *dot = NULL;
	struct app *app = parse(text, size);

	if (!app)
		return;
	check_again(app);
	check_encodes(app);
	dot = app_render_dot(app);
	CHECK(dot);
	app_free(app);
}
