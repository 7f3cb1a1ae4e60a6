/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flags and the configuration file of the controller. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "controller/config.h"

static void a_file_fills_what_flags_left_open(void **state)
{
	struct config config = {};
	char why[256];

	config.users = strdup("ipc:///tmp/flag.sock");
	assert_int_equal(config_parse("agents: \"tcp://127.0.0.1:7440\"\nusers: ipc:///tmp/file.sock\ninsecure: yes\n",
				      "c.yaml", &config, why),
			 0);
	assert_string_equal(config.agents, "tcp://127.0.0.1:7440");
	assert_string_equal(config.users, "ipc:///tmp/flag.sock");
	assert_true(config.insecure);
	config_done(&config);
}

static void expect_refused(const char *text, const char *said)
{
	struct config config = {};
	char why[256] = "";

	assert_int_equal(config_parse(text, "c.yaml", &config, why), -EINVAL);
	if (!strstr(why, said))
		fail_msg("\"%s\" does not say \"%s\"", why, said);
	config_done(&config);
}

static void mistakes_are_said_with_their_line(void **state)
{
	expect_refused("agents: a\nagnets: b\n", "c.yaml:2: unknown key \"agnets\"");
	expect_refused("insecure: maybe\n", "c.yaml:1: insecure is yes or no");
	expect_refused("agents: [a, b]\n", "c.yaml:1: expected lines");
	expect_refused("- a\n", "expected lines");
	expect_refused("just text\n", "expected lines");
	expect_refused("a: *x\n", "expected lines");
	expect_refused("a: {b: [\n", "c.yaml:");
	expect_refused("users: \"\x01\"\n", "not YAML");
}

static void nothing_is_a_file_too(void **state)
{
	struct config config = {};
	char why[256];

	assert_int_equal(config_parse("", "c.yaml", &config, why), 0);
	assert_int_equal(config_parse("# a comment\n", "c.yaml", &config, why), 0);
	config_done(&config);
}

static enum config_result read_flags(int argc, char **argv)
{
	struct config config = {};
	enum config_result result = config_read(argc, argv, &config);

	config_done(&config);
	return result;
}

static void flags_are_read_and_wrong_ones_refused(void **state)
{
	char *good[] = {"c", "--agents", "ipc:///a", "--users=ipc:///b", "--state", "/s", "--insecure", NULL};
	char *argument[] = {"c", "start", NULL};
	char *same[] = {"c", "--agents", "ipc:///a", "--users", "ipc:///a", NULL};
	char *no_file[] = {"c", "--config", "/nonexistent/c.yaml", NULL};
	char *help[] = {"c", "--help", NULL};

	assert_int_equal(read_flags(7, good), CONFIG_RUN);
	assert_int_equal(read_flags(2, argument), CONFIG_WRONG);
	assert_int_equal(read_flags(5, same), CONFIG_WRONG);
	assert_int_equal(read_flags(3, no_file), CONFIG_WRONG);
	assert_int_equal(read_flags(2, help), CONFIG_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_fills_what_flags_left_open),
		cmocka_unit_test(mistakes_are_said_with_their_line),
		cmocka_unit_test(nothing_is_a_file_too),
		cmocka_unit_test(flags_are_read_and_wrong_ones_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
