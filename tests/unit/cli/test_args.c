/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: commands, options anywhere, mistakes in one exact line; the table of commands. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/cmd.h"

enum { WORDS_MAX = 32 };

struct line {
	char *text;
	char *argv[WORDS_MAX];
	struct args args;
	char why[256];
	int r;
};

static struct line parse(const char *text)
{
	struct line line = {.text = strdup(text)};
	int argc = 0;

	for (char *rest = line.text, *word; (word = strsep(&rest, " "));)
		line.argv[argc++] = word;
	line.r = args_parse(argc, line.argv, &line.args, line.why);
	return line;
}

static void done(struct line *line)
{
	args_done(&line->args);
	free(line->text);
}

static void expect_wrong(const char *text, const char *said)
{
	struct line line = parse(text);

	assert_int_equal(line.r, -EINVAL);
	if (!strstr(line.why, said))
		fail_msg("\"%s\" does not say \"%s\"", line.why, said);
	done(&line);
}

static void options_may_stand_anywhere(void **state)
{
	struct line line =
		parse("mealy --json app --insecure load --set a=1 x.yaml --order=7 --set b=2 --switch edge-*");
	size_t at = 0;

	assert_int_equal(line.r, 0);
	assert_string_equal(line.args.cmd->verb, "load");
	assert_int_equal(line.args.n_args, 1);
	assert_string_equal(line.args.arg[0], "x.yaml");
	assert_true(args_has(&line.args, "json"));
	assert_true(args_has(&line.args, "insecure"));
	assert_string_equal(args_get(&line.args, "switch"), "edge-*");
	assert_string_equal(args_next(&line.args, "set", &at), "a=1");
	assert_string_equal(args_next(&line.args, "set", &at), "b=2");
	assert_null(args_next(&line.args, "set", &at));
	done(&line);
}

static void two_dashes_end_options(void **state)
{
	struct line line = parse("mealy app check -- --odd.yaml -x");

	assert_int_equal(line.r, 0);
	assert_int_equal(line.args.n_args, 2);
	assert_string_equal(line.args.arg[0], "--odd.yaml");
	done(&line);
}

static void one_word_commands_take_arguments(void **state)
{
	struct line line = parse("mealy trace --port wan0 udp.dst=53 ipv4.src=1.2.3.4");

	assert_int_equal(line.r, 0);
	assert_null(line.args.cmd->verb);
	assert_int_equal(line.args.n_args, 2);
	done(&line);
}

static void a_single_dash_is_an_argument(void **state)
{
	struct line line = parse("mealy app check -");

	assert_int_equal(line.r, 0);
	assert_string_equal(line.args.arg[0], "-");
	done(&line);
}

static void mistakes_are_said_exactly(void **state)
{
	expect_wrong("mealy", "say what to do");
	expect_wrong("mealy app", "say what to do with app");
	expect_wrong("mealy ap load x", "did you mean \"app\"?");
	expect_wrong("mealy app laod x", "did you mean \"load\"?");
	expect_wrong("mealy app load", "expected: mealy app load FILE");
	expect_wrong("mealy app load a b", "\"b\" is too much");
	expect_wrong("mealy app load x --prots a", "did you mean --ports?");
	expect_wrong("mealy app load x --qqqqqqqqqqq", "unknown option --qqqqqqqqqqq");
	expect_wrong("mealy app load x --order", "option --order needs a value: N");
	expect_wrong("mealy app load x --json=1", "option --json takes no value");
	expect_wrong("mealy app check -Z x", "unknown option -Z");
	expect_wrong("mealy --ports a app load x", "unknown option --ports");
	expect_wrong("mealy flow get a b", "expected: mealy flow get");
}

static void help_needs_nothing_else(void **state)
{
	const char *const lines[] = {"mealy --help", "mealy app --help",    "mealy app load --help",
				     "mealy help",   "mealy help app load", "mealy flow get -h"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct line line = parse(lines[i]);

		assert_int_equal(line.r, 0);
		assert_true(line.args.help);
		done(&line);
	}
}

static void numbers_are_checked(void **state)
{
	struct line line = parse("mealy app load x --order 12x");
	uint64_t number;

	assert_int_equal(args_number(&line.args, "order", 1, 0, 100, &number, line.why), -EINVAL);
	assert_non_null(strstr(line.why, "from 0 to 100"));
	assert_int_equal(args_number(&line.args, "limit", 77, 0, 100, &number, line.why), 0);
	assert_int_equal(number, 77);
	done(&line);
	line = parse("mealy app load x --order -5");
	assert_int_equal(args_number(&line.args, "order", 1, 0, 100, &number, line.why), -EINVAL);
	done(&line);
	line = parse("mealy app load x --order 101");
	assert_int_equal(args_number(&line.args, "order", 1, 0, 100, &number, line.why), -EINVAL);
	done(&line);
}

static void too_many_options_are_refused(void **state)
{
	char *argv[2 * ARGS_OPTIONS_MAX + 16] = {"mealy", "app", "load", "x"};
	struct args args;
	char why[256];
	int argc = 4;

	while (argc < 2 * ARGS_OPTIONS_MAX + 8) {
		argv[argc++] = "--set";
		argv[argc++] = "a=1";
	}
	assert_int_equal(args_parse(argc, argv, &args, why), -EINVAL);
	assert_non_null(strstr(why, "more than"));
	args_done(&args);
}

static void every_command_is_explained_with_an_example(void **state)
{
	for (size_t i = 0; i < n_commands; i++) {
		const struct cmd *cmd = &commands[i];
		char example[64];

		snprintf(example, sizeof(example), "Example: mealy %s%s%s", cmd->object, cmd->verb ? " " : "",
			 cmd->verb ? cmd->verb : "");
		if (!strstr(cmd->help, example) || !cmd->summary[0] || !cmd->run || cmd->args_min > cmd->args_max)
			fail_msg("%s %s", cmd->object, cmd->verb ? cmd->verb : "");
		assert_ptr_equal(cmd_find(cmd->object, cmd->verb), cmd);
		for (const struct option_def *o = cmd->options; o && o->name; o++)
			for (const struct option_def *g = global_options; g->name; g++)
				assert_string_not_equal(o->name, g->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(two_dashes_end_options),
		cmocka_unit_test(one_word_commands_take_arguments),
		cmocka_unit_test(a_single_dash_is_an_argument),
		cmocka_unit_test(mistakes_are_said_exactly),
		cmocka_unit_test(help_needs_nothing_else),
		cmocka_unit_test(numbers_are_checked),
		cmocka_unit_test(too_many_options_are_refused),
		cmocka_unit_test(every_command_is_explained_with_an_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
