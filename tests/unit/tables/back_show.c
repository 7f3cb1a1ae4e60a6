/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applications as text again: YAML that means the same, diagrams, differences. */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "again.h"
#include "back_machine.h"

static const char everything[] =
	"app: every-thing\n"
	"headers:\n"
	"  shim: {after: {udp.dst: ports, ip.ttl: not 1}, fields: [version 4, flags 4, vni 24, id 64, next 8]}\n"
	"  opt: {after: {shim.next: '[7, 9-11]'}, fields: [a 3, b 13, c 48]}\n"
	"parameters: {burst: 5, interval: 1.5s, lan: port, nets: [10.0.0.0/8, '2001:db8::/32'], ports: 1000-2000, who: "
	"'02:00:00:00:00:01',\n"
	"             what: ip.dscp, rate: 10Mbps, room: 64KiB, slow: 90s, low: -5, steps: [-7, -3-2], weight: 0.875, "
	"far: 192.0.2.1-192.0.2.9}\n"
	"variables: [v, addr w, mac m, time t, int sv]\n"
	"globals: {total: 0, quota: {initial: burst * 2, range: 0-1000}, pause: {initial: 10ms, range: 1ms-1s}}\n"
	"tables:\n"
	"  - name: first\n"
	"    let: {cost: length * 8 * 1s / rate, big: 'length > room or ip.ttl < 3'}\n"
	"    rules:\n"
	"      - {match: {ip.src: nets, l4.dst: ports, eth.src: who, in_port: lan, tcp.flags: [+syn-ack, +fin]}, "
	"action: what = 3; drop}\n"
	"      - {match: {ip.proto: not udp, l4.dst: 'not [22, 80-90]'}, when: 'not big and cost > 1us', action: v = "
	"hash(ip.src); goto(last)}\n"
	"      - {name: tag, action: push(vlan); vlan.id = 7; notify; controller}\n"
	"      - {when: 'length in [1, 2-4] and random % 2 == 0', action: pop(vlan); output(lan)}\n"
	"      - {match: {sv: -5--2}, when: 'sv in steps and v - -5 < -(-sv) and sv >= low', action: 'sv = min(sv, -3) "
	">> 2'}\n"
	"      - {match: {sv: [low, steps]}}\n"
	"      - {match: {ip.src: [10.0.0.1-10.0.0.9, '2001:db8::1-2001:db8::9', far], eth.dst: 'not "
	"02:00:00:00:00:01-02:00:00:00:00:09'}, when: 'ip.dst in far or ip.dst >= 2001:db8::'}\n"
	"      - {}\n"
	"    otherwise: deliver\n"
	"  - name: scopes\n"
	"    hook: xdp\n"
	"    state:\n"
	"      lookup: [eth.dst, v]\n"
	"      update: [eth.src, v]\n"
	"      capacity: burst * 1000\n"
	"      when_full: continue\n"
	"      expire_within: 10ms\n"
	"      states: [A, {name: B, idle: slow, idle_to: C, on_timeout: 'total -= n; n = quota; seen = now; notify'}, "
	"{name: C, hard: 'interval * (burst + 1)', hard_to: B, "
	"on_timeout: notify}]\n"
	"      registers: [n, int k, addr a, mac hw, time seen]\n"
	"    rules:\n"
	"      - {name: x, state: [A, C], when: '(n - 1) * 2 == scopes.n and now - seen > slow', do: 'n += 1; seen = "
	"now; a = ip.src; n |= 3; n &= ~1', next: B, refresh: no, action: flood}\n"
	"      - {state: A, do: 'k = var(k, n, v, length); n = avg(n, v, length); v += 1'}\n"
	"      - {state: C, do: 'n = ewma(n, length, weight) + ewma(n, 5, 0.25)'}\n"
	"      - {state: B, do: v = n, next: A, action: reflect}\n"
	"    absent: v = 3; pass\n"
	"  - name: shims\n"
	"    state: {lookup: [shim.vni, opt.b], capacity: 20, registers: [c]}\n"
	"    rules:\n"
	"      - {match: {shim.version: 1, quota: 3-5}, when: 'c < opt.c and has(opt)', do: 'total = max(total, "
	"shim.id); v = total', action: shim.flags = quota; ip.ttl -= 1}\n"
	"      - {when: now - t < pause, do: total = 3}\n"
	"  - name: last\n"
	"    state: {lookup: [biflow.l4, ip.proto], capacity: 10, registers: [c]}\n"
	"    rules:\n"
	"      - {do: c = direction}\n";

static const struct setting settings[] = {{"lan", "3"}, {"burst", "7"}};

static struct app *parse(const char *yaml)
{
	struct diag_list diags;
	struct app *app = NULL;

	diag_init(&diags, "test.yaml");
	if (app_parse(yaml, strlen(yaml), settings, 2, NULL, &diags, &app) < 0) {
		diag_print(&diags, yaml, stderr);
		fail_msg("does not parse:\n%s", yaml);
	}
	diag_done(&diags);
	return app;
}

static void yaml_means_the_same_again(void **state)
{
	struct app *app = parse(everything);

	expect_same_again(app, settings, 2);
	app_free(app);
}

/* Ports that an example asks for are numbered in any way. */
static int any_port(void *data, const char *name)
{
	return 1 + name[0] % PORTS_MAX;
}

static void expect_example_again(const char *path)
{
	static const struct port_names ports = {.find = any_port};
	static const struct setting all[][2] = {{}, {{"inside", "1"}, {"outside", "2"}}, {{"up1", "1"}, {"up2", "2"}}};
	enum { SETS = sizeof(all) / sizeof(all[0]) };
	char yaml[16384];
	struct diag_list diags;
	struct app *app = NULL;
	FILE *f = fopen(path, "r");
	size_t n;
	int r = -EINVAL;

	assert_non_null(f);
	n = fread(yaml, 1, sizeof(yaml) - 1, f);
	yaml[n] = '\0';
	fclose(f);
	for (size_t i = 0; r < 0 && i < SETS; i++) {
		size_t n_settings = i ? 2 : 0;

		diag_init(&diags, path);
		r = app_parse(yaml, n, all[i], n_settings, &ports, &diags, &app);
		if (r == 0 && diags.n_warnings)
			fail_msg("%s: %s", path, diags.item[0].message);
		if (r == 0)
			expect_same_again(app, all[i], n_settings);
		else if (i == SETS - 1)
			diag_print(&diags, yaml, stderr);
		diag_done(&diags);
		app_free(app);
	}
	assert_int_equal(r, 0);
}

static void examples_are_free_of_warnings_and_mean_the_same_again(void **state)
{
	glob_t found;

	assert_int_equal(glob(MEALY_TOP "/examples/*.yaml", 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 12);
	for (size_t i = 0; i < found.gl_pathc; i++)
		expect_example_again(found.gl_pathv[i]);
	globfree(&found);
}

static void yaml_of_a_set_parameter_shows_its_value(void **state)
{
	struct app *app = parse(everything);
	char *yaml = app_render_yaml(app);

	assert_non_null(strstr(yaml, "\n  burst: 7\n"));
	assert_non_null(strstr(yaml, "\n  lan: port\n"));
	assert_non_null(strstr(yaml, "idle_to: C"));
	assert_non_null(strstr(yaml, "capacity: burst * 1000"));
	free(yaml);
	app_free(app);
}

static void a_diagram_has_a_cluster_for_each_table(void **state)
{
	struct app *app = parse(everything);
	char *dot = app_render_dot(app);

	assert_non_null(strstr(dot, "digraph \"every-thing\""));
	assert_non_null(strstr(dot, "subgraph cluster_1"));
	assert_non_null(strstr(
		dot, "t1s1 -> t1s2 [label=\"idle 90 s\\n/ total -= n; n = quota; seen = now; notify\", style=dashed]"));
	assert_non_null(strstr(dot, "label=\"C\\nhard 12 s\""));
	/* Two scopes: the flow that changes may be in any state. */
	assert_non_null(strstr(dot, "label=\"scopes\\nlooked up by eth.dst, v\\nwritten under eth.src, v\""));
	assert_non_null(strstr(dot, "t1any -> t1s1 [label=\"x\\nlooked up in A or C\\n"));
	assert_null(strstr(dot, "t1s0 -> t1s1"));
	free(dot);
	app_free(app);
}

/* 'everything' with one text replaced. */
static struct app *changed(const char *what, const char *by)
{
	const char *at = strstr(everything, what);
	char *yaml = NULL;
	struct app *app;

	assert_non_null(at);
	assert_true(asprintf(&yaml, "%.*s%s%s", (int)(at - everything), everything, by, at + strlen(what)) > 0);
	app = parse(yaml);
	free(yaml);
	return app;
}

static void a_difference_names_what_changed(void **state)
{
	static const struct {
		const char *what, *by, *lines[2];
	} cases[] = {
		{"interval: 1.5s", "interval: 2s", {"parameter interval: 1.5s -> 2s\n", "flows of scopes are kept\n"}},
		{"next: B, refresh: no",
		 "next: C, refresh: no",
		 {"rule scopes/x changed\n  was {name: x, ",
		  "now; a = ip.src; n |= 3; n &= ~1, next: C, refresh: no, action: flood}\n"}},
		{"      - {}\n",
		 "      - {action: drop}\n",
		 {"rule first/action: drop added\n", "rule first/{} removed\n"}},
		{"mac hw, time seen]",
		 "mac hw, time seen, more]",
		 {"mac hw, time seen] -> [", "time seen, more]\nflows of scopes are lost"}},
		{"capacity: 10,", "capacity: 11,", {"capacity of last: 10 -> 11\n", "flows of last are lost"}},
		{"idle: slow, ", "idle: 80s, ", {"timeouts of state scopes/B: idle ", " -> idle 80 s"}},
		{"otherwise: deliver",
		 "otherwise: drop",
		 {"otherwise of first: deliver -> drop\n", "flows of last are kept\n"}},
		{"cost > 1us", "cost > 2us", {"removed\n", "added\n"}},
		{"  - name: last\n",
		 "  - name: extra\n    rules:\n      - {action: drop}\n  - name: last\n",
		 {"table extra added\n", "flows of last are kept\n"}},
		{"{name: C, hard",
		 "{name: D, idle: 1s}, {name: C, hard",
		 {"state scopes/D added\n", "flows of scopes are kept\n"}},
		{"range: 0-1000",
		 "range: 0-2000",
		 {"range of global quota: 0-1000 -> 0-2000\n", "flows of last are kept\n"}},
		{"{total: 0,",
		 "{more: 4, total: 7,",
		 {"global more added: 4\n", "global total begins with 7 instead of 0: the value it has is kept\n"}},
		{"id 64, next 8", "id 64, next 16", {"next 8] -> {", "flows of shims are lost"}},
		{"seen = now; notify", "seen = now", {"seen = now; notify -> ", "flows of scopes are kept\n"}},
		{"lookup: [biflow.l4, ip.proto]",
		 "lookup: [biflow.l4]",
		 {"lookup of last: [biflow.l4, ip.proto] -> [biflow.l4]\n", "flows of last are lost"}},
	};
	struct app *app = parse(everything);
	bool same;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct app *other = changed(cases[i].what, cases[i].by);
		char *text = app_diff(app, other, &same);

		assert_false(same);
		for (unsigned l = 0; l < 2; l++)
			if (!strstr(text, cases[i].lines[l]))
				fail_msg("%s -> %s: no \"%s\" in:\n%s", cases[i].what, cases[i].by, cases[i].lines[l],
					 text);
		free(text);
		app_free(other);
	}
	app_free(app);
}

static void nothing_changed_is_the_same(void **state)
{
	struct app *app = parse(everything), *other = changed("      - {}\n", "      - {} # comment\n");
	bool same = false;
	char *text = app_diff(app, other, &same);

	assert_true(same);
	assert_string_equal(text, "flows of scopes are kept\nflows of shims are kept\nflows of last are kept\n");
	free(text);
	app_free(app);
	app_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_means_the_same_again),
		cmocka_unit_test(examples_are_free_of_warnings_and_mean_the_same_again),
		cmocka_unit_test(yaml_of_a_set_parameter_shows_its_value),
		cmocka_unit_test(a_diagram_has_a_cluster_for_each_table),
		cmocka_unit_test(a_difference_names_what_changed),
		cmocka_unit_test(nothing_changed_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
