/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of cells: taken apart, written, and the same again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/csv.h"

static void rows_are_taken_apart(void **state)
{
	char text[] = "# a comment\n\n a , \"b, \"\"c\"\"\" ,\r\nlast";
	char *at = text, *cell[3];

	assert_int_equal(csv_row(&at, cell, 3), 3);
	assert_string_equal(cell[0], "a");
	assert_string_equal(cell[1], "b, \"c\"");
	assert_string_equal(cell[2], "");
	assert_int_equal(csv_row(&at, cell, 3), 1);
	assert_string_equal(cell[0], "last");
	assert_int_equal(csv_row(&at, cell, 3), 0);
}

static void more_cells_than_there_is_room_are_counted(void **state)
{
	char text[] = "1,2,3\n4", open[] = "\"never closed";
	char *at = text, *cell[2];

	assert_int_equal(csv_row(&at, cell, 2), 3);
	assert_int_equal(csv_row(&at, cell, 2), 1);
	assert_string_equal(cell[0], "4");
	at = open;
	assert_int_equal(csv_row(&at, cell, 2), -EINVAL);
}

static void what_is_written_is_read_again(void **state)
{
	static const char *const texts[] = {"plain", "with, comma", "a \"quote\"", "two\nlines", "# no comment", ""};
	char *text = NULL, *at, *cell[6];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (int i = 0; i < 6; i++)
		csv_print(out, i == 0, texts[i]);
	fclose(out);
	at = text;
	assert_int_equal(csv_row(&at, cell, 6), 6);
	for (int i = 0; i < 6; i++)
		assert_string_equal(cell[i], texts[i]);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_taken_apart),
		cmocka_unit_test(more_cells_than_there_is_room_are_counted),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
