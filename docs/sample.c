/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"

/* Names that the examples may use. */
static const char frame[] =
	"app: sample\n"
	"parameters: {limit: 100, lan: port}\n"
	"groups: {servers: {type: select, values: [addr ip], members: [{id: 1, port: 2, ip: 10.0.0.1}]}}\n"
	"meters: {slow: {cir: 10pps, cbs: 10}}\n"
	"variables: [v, addr peer, servers s]\n"
	"templates: {answer: {bytes: 000000000000 000000000000 88b5, set: {eth.dst: eth.src}}}\n"
	"tables:\n"
	"  - name: before\n"
	"    state: {lookup: [ip.src], capacity: 16, registers: [seen]}\n"
	"    rules: [{do: seen += 1}]\n"
	"  - name: sample\n"
	"    state:\n"
	"      lookup: [ip.dst]\n"
	"      capacity: 16\n"
	"      states: [NEW, {name: KNOWN, idle: 30s}]\n"
	"      registers: [n, mean, square, rate, time start, addr server, mac station]\n"
	"    rules:\n"
	"      - {%s}\n"
	"  - {name: later, rules: [{}]}\n";

static struct app *check(const char *yaml, size_t n_settings, struct diag_list *diags)
{
	static const struct setting settings[] = {{"lan", "1"}};
	struct app *app = NULL;

	diag_init(diags, "sample");
	app_parse(yaml, strlen(yaml), settings, n_settings, NULL, diags, &app);
	return app;
}

enum sample sample_rule(const char *rule)
{
	_cleanup_free_ char *yaml = NULL, *text = NULL;
	struct diag_list diags;
	enum sample result = SAMPLE_GOOD;
	struct app *app;

	if (asprintf(&yaml, frame, rule) < 0)
		abort();
	app = check(yaml, 1, &diags);
	text = diag_text(&diags);
	if (!app && text && strstr(text, "not yet"))
		result = SAMPLE_PLANNED;
	else if (!app)
		result = SAMPLE_BAD;
	if (result == SAMPLE_BAD)
		diag_print(&diags, yaml, stderr);
	diag_done(&diags);
	app_free(app);
	return result;
}

bool sample_value(const char *expr, char *ret_text, size_t size)
{
	_cleanup_free_ char *yaml = NULL;
	struct diag_list diags;
	struct app *app;
	const struct expr *value;
	bool good;

	if (asprintf(&yaml, "app: a\ntables:\n  - name: t\n    let: {x: \"%s\"}\n    rules: [{when: x == x}]\n", expr) <
	    0)
		abort();
	app = check(yaml, 0, &diags);
	value = app ? app->table[0].let[0].expr : NULL;
	good = value && value->constant;
	if (good)
		value_render(value->type, value->hi, value->value, 0, ret_text, size);
	else
		diag_print(&diags, yaml, stderr);
	diag_done(&diags);
	app_free(app);
	return good;
}
