/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "../../../agent/config.h"

static int parse(struct config *config, const char *text, char **ret_text)
{
	struct diag_list diags;
	int r;

	config_init(config);
	diag_init(&diags, "agent.yaml");
	r = config_parse(config, text, strlen(text), &diags);
	*ret_text = diags.n ? diag_text(&diags) : NULL;
	diag_done(&diags);
	return r;
}

static void every_key_is_read(void **state)
{
	static const char text[] =
		"name: edge-1\ncontrollers: [\"tcp://127.0.0.1:7440\", \"ipc:///run/c.sock\"]\ninsecure: yes\n"
		"ports: [wan0, \"lan*\", {name: up0, number: 3}]\nhooks: [xdp, tc-egress]\nxdp: generic\ntc: "
		"filter\nstate: /s\npin: p\nbpffs: "
		"/b\n"
		"socket: \"ipc:///run/x/agent.sock\"\nlocal_write: yes\nflows_max: 1000\nmemory_max: 64MiB\nfail_mode: "
		"standalone\n"
		"standalone_after: 2s\nparse_verdict: pass\npunt_rate: 7\npunt_burst: 9\nverbose: no\ntest_clock: "
		"yes\n";
	struct config c;
	char *why, sentence[256];

	assert_int_equal(parse(&c, text, &why), 0);
	assert_int_equal(config_complete(&c, sentence), 0);
	assert_string_equal(c.name, "edge-1");
	assert_int_equal(c.n_controllers, 2);
	assert_true(c.insecure && c.local_write && c.test_clock && !c.verbose);
	assert_int_equal(c.n_ports, 3);
	assert_string_equal(c.port[1].pattern, "lan*");
	assert_int_equal(c.port[2].number, 3);
	assert_int_equal(c.hooks, 1u << HOOK_XDP | 1u << HOOK_TC_EGRESS);
	assert_int_equal(c.xdp, XDP_MODE_GENERIC);
	assert_int_equal(c.tc, TC_MODE_FILTER);
	assert_int_equal(c.memory_max, 64 << 20);
	assert_int_equal(c.flows_max, 1000);
	assert_int_equal(c.fail_mode, FAIL_STANDALONE);
	assert_true(c.standalone_after_ns == 2000000000ull);
	assert_int_equal(c.parse_verdict, VERDICT_PASS);
	assert_int_equal(c.punt_rate_pps, 7);
	config_done(&c);
}

static void what_is_not_given_has_its_default(void **state)
{
	struct config c;
	char *why, sentence[256];

	assert_int_equal(parse(&c, "name: s1\nports: p1\n", &why), 0);
	assert_int_equal(config_complete(&c, sentence), 0);
	assert_string_equal(c.state, "/var/lib/mealy/s1");
	assert_string_equal(c.socket, "ipc:///run/mealy/s1/agent.sock");
	assert_string_equal(c.pin, "s1");
	assert_int_equal(c.parse_verdict, VERDICT_DROP);
	assert_int_equal(c.fail_mode, FAIL_SECURE);
	assert_false(c.local_write);
	config_done(&c);
}

static void mistakes_are_told_with_their_line(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"name: s1\nprots: [a]\n", "agent.yaml:2:1: unknown key \"prots\"; did you mean \"ports\"?"},
		{"name: s1\nxdp: fast\n", "agent.yaml:2:6: xdp: \"fast\" is none of: auto, native, generic"},
		{"name: a.b\n", "agent.yaml:1:7: name:"},
		{"controllers: [http://x]\n", "is no ipc:// or tcp:// address"},
		{"insecure: maybe\n", "neither yes nor no"},
		{"ports: [{name: a, number: 65}]\n", "out of range"},
		{"ports: [{name: a, number: 0}]\n", "port numbers are 1 to 64"},
		{"ports: [{nam: a}]\n", "a port has `name` and `number`"},
		{"ports: [[a]]\n", "a single value is expected"},
		{"memory_max: 10ms\n", "is a duration, not a size"},
		{"flows_max: many\n", "is not a number"},
		{"hooks: [xdp, tc]\n", "tc-ingress"},
		{"standalone_after: 10\n", "not a duration"},
		{"- a\n", "a configuration is a list of KEY: VALUE"},
		{"name: s1\nname: s2\n", "agent.yaml:2"},
		{"name: [a\n", "agent.yaml:"},
		{"socket: tcp://x:1\n", "no ipc:// address"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config c;
		char *why;

		assert_int_equal(parse(&c, cases[i].text, &why), -EINVAL);
		assert_text_has(why, cases[i].part);
		free(why);
		config_done(&c);
	}
}

static void tcp_is_sealed_unless_it_says_insecure(void **state)
{
	struct config c;
	char *why, sentence[256];

	parse(&c, "name: s1\nports: p1\ncontrollers: [\"tcp://127.0.0.1:7440\"]\n", &why);
	assert_int_equal(config_complete(&c, sentence), 0);
	assert_false(c.insecure);
	config_done(&c);
}

static void a_switch_needs_ports(void **state)
{
	struct config c;
	char *why, sentence[256];

	parse(&c, "name: s1\n", &why);
	assert_int_equal(config_complete(&c, sentence), -EINVAL);
	assert_text_has(sentence, "no ports");
	config_done(&c);
}

static void flags_win_over_the_file(void **state)
{
	char file[] = "/tmp/mealy-unit-config-XXXXXX";
	char *argv[] = {"mealy-agent", "--config",	file,	 "--ports", "x0", "--ports",
			"y0=9",	       "--local-write", "--xdp", "native",  NULL};
	struct config_command command;
	struct config c;
	FILE *out = fdopen(mkstemp(file), "w");

	fputs("name: s1\nports: [a, b, c]\nxdp: generic\n", out);
	fclose(out);
	assert_int_equal(config_from_args(&c, &command, 10, argv), 0);
	assert_int_equal(c.n_ports, 2);
	assert_string_equal(c.port[1].pattern, "y0");
	assert_int_equal(c.port[1].number, 9);
	assert_true(c.local_write);
	assert_int_equal(c.xdp, XDP_MODE_NATIVE);
	config_done(&c);
	config_command_done(&command);
	remove(file);
}

static int run_args(int argc, char **argv, enum config_action *ret_action)
{
	struct config_command command;
	struct config c;
	int r = config_from_args(&c, &command, argc, argv);

	*ret_action = command.action;
	config_done(&c);
	config_command_done(&command);
	return r;
}

static void the_command_line_is_checked(void **state)
{
	char *wrong_value[] = {"mealy-agent", "--xdp", "fast", NULL},
	     *stray[] = {"mealy-agent", "--ports", "a", "b", NULL};
	char *missing[] = {"mealy-agent", "--config", "/nowhere/agent.yaml", NULL},
	     *folder[] = {"mealy-agent", "--config", "/tmp", NULL};
	char *unload[] = {"mealy-agent", "--forget", "--name", "s1", NULL};
	enum config_action action;

	assert_int_equal(run_args(3, wrong_value, &action), 2);
	assert_int_equal(run_args(4, stray, &action), 2);
	assert_int_equal(run_args(3, missing, &action), 1);
	assert_int_equal(run_args(3, folder, &action), 1);
	assert_int_equal(run_args(4, unload, &action), 0);
	assert_int_equal(action, ACTION_UNLOAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(what_is_not_given_has_its_default),
		cmocka_unit_test(mistakes_are_told_with_their_line),
		cmocka_unit_test(tcp_is_sealed_unless_it_says_insecure),
		cmocka_unit_test(a_switch_needs_ports),
		cmocka_unit_test(flags_win_over_the_file),
		cmocka_unit_test(the_command_line_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
