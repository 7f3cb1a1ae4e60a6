/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person sees of a mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/diag.h"

static void test_print(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct diag_list list;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	diag_init(&list, "knock.yaml");
	diag_error(&list, (struct loc){2, 9}, "state \"%s\" is not declared", "OPNE");
	diag_warn(&list, (struct loc){3, 1}, "never reached");
	diag_error(&list, (struct loc){}, "the whole file");
	diag_print(&list, "a: 1\n\tnext: \xc3\xa4OPNE, x\nb\n", out);
	diag_done(&list);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "knock.yaml:2:9: state \"OPNE\" is not declared\n"
				  "    2 |  next: \xc3\xa4OPNE, x\n"
				  "      |         ^~~~\n"
				  "knock.yaml:3:1: warning: never reached\n"
				  "    3 | b\n"
				  "      | ^\n"
				  "knock.yaml: the whole file\n"
				  "2 errors, 1 warning\n");
}

/* A place that the text does not have (it changed meanwhile) is no reason to fall. */
static void test_places_outside(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct diag_list list;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	diag_init(&list, NULL);
	diag_error(&list, (struct loc){99, 1}, "a");
	diag_error(&list, (struct loc){1, 99}, "b");
	diag_print(&list, "x\n", out);
	diag_done(&list);
	diag_done(&list);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "-:99:1: a\n"));
}

static void test_floods_are_counted(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct diag_list list;

	diag_init(&list, "f");
	for (unsigned i = 0; i < 10000; i++)
		diag_error(&list, (struct loc){i + 1, 1}, "bad");
	assert_int_equal(list.n_errors, 10000);
	assert_true(list.n <= 200);
	text = diag_text(&list);
	assert_non_null(text);
	diag_done(&list);
}

static void test_nearest(void **state)
{
	static const char *const words[] = {"OPEN", "CLOSED", "ip.src", NULL, "burst"};

	assert_string_equal(diag_nearest("OPNE", words, ARRAY_SIZE(words)), "OPEN");
	assert_string_equal(diag_nearest("ip.scr", words, ARRAY_SIZE(words)), "ip.src");
	assert_string_equal(diag_nearest("brust", words, ARRAY_SIZE(words)), "burst");
	assert_null(diag_nearest("zebra", words, ARRAY_SIZE(words)));
	assert_null(diag_nearest("", words, ARRAY_SIZE(words)));
	assert_null(diag_nearest("x", words, ARRAY_SIZE(words)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_places_outside),
		cmocka_unit_test(test_floods_are_counted),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
