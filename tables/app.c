/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "app.h"

#include <setjmp.h>
#include <stdlib.h>

#include "app_check.h"

/* A hundred times more than the largest sensible application. */
enum { ARENA_LIMIT_BYTES = 64 << 20 };

static const char *const app_keys[] = {"app",	 "parameters", "headers",   "variables", "globals",
				       "groups", "meters",     "templates", "tables",	 NULL};

static void check_app(struct checker *c, const struct yaml_node *root)
{
	struct yaml_node *node;

	if (!node_check_keys(c, root, "an application", app_keys, NULL))
		return;
	node = yaml_get(root, "app");
	if (node)
		c->app->name = node_name(c, node, "the name of an application", true);
	else
		ERROR(c, root->loc, "\"app: NAME\" is missing");
	app_check_parameters(c, yaml_get(root, "parameters"));
	node = yaml_get(root, "headers");
	if (node)
		app_check_headers(c, node);
	node = yaml_get(root, "groups");
	if (node)
		app_declare_groups(c, node);
	node = yaml_get(root, "variables");
	if (node)
		name_parse_typed_list(c, node, "variable", &c->app->var, &c->app->n_vars, APP_VARIABLES_MAX);
	node = yaml_get(root, "globals");
	if (node)
		app_check_globals(c, node);
	node = yaml_get(root, "groups");
	if (node)
		app_check_groups(c, node);
	node = yaml_get(root, "meters");
	if (node)
		app_check_meters(c, node, &c->app->meter, &c->app->n_meters, APP_METERS_MAX);
	node = yaml_get(root, "templates");
	if (node)
		app_check_templates(c, node);
	node = yaml_get(root, "tables");
	if (node)
		app_check_tables(c, node);
	else
		ERROR(c, root->loc, "\"tables:\" is missing");
}

/* The arena jumps back here when memory runs out; nothing else is owned in between. */
static int check_guarded(struct checker *c, const char *text, size_t size)
{
	size_t n_errors = c->diags->n_errors;
	struct yaml_node *root;
	jmp_buf here;

	arena_catch(c->arena, &here);
	if (setjmp(here)) {
		if (!arena_hit_limit(c->arena))
			return -ENOMEM;
		ERROR(c, (struct loc){}, "this application needs more than %d MiB of memory to be read",
		      ARENA_LIMIT_BYTES >> 20);
		return -EINVAL;
	}
	c->app = arena_alloc(c->arena, sizeof(*c->app));
	c->app->arena = c->arena;
	c->app->text = arena_strndup(c->arena, text, size);
	root = yaml_load(c->arena, c->app->text, size, c->diags);
	if (root)
		check_app(c, root);
	if (c->diags->n_errors == n_errors)
		app_warn(c);
	arena_catch(c->arena, NULL);
	return c->diags->n_errors == n_errors ? 0 : -EINVAL;
}

int app_parse(const char *text, size_t size, const struct setting *settings, size_t n_settings,
	      const struct port_names *ports, struct diag_list *diags, struct app **ret_app)
{
	struct checker c = {.diags = diags, .settings = settings, .n_settings = n_settings, .ports = ports};
	int r;

	if (size > APP_TEXT_MAX) {
		diag_error(diags, (struct loc){}, "larger than %d KiB", APP_TEXT_MAX >> 10);
		return -EINVAL;
	}
	c.arena = arena_new(ARENA_LIMIT_BYTES);
	if (!c.arena)
		return -ENOMEM;
	r = check_guarded(&c, text, size);
	if (r < 0) {
		arena_free(c.arena);
		return r;
	}
	*ret_app = c.app;
	return 0;
}

void app_free(struct app *app)
{
	if (app)
		arena_free(app->arena);
}
