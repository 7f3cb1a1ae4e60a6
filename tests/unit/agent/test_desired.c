/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "../../../agent/desired.h"

static int put(struct desired *set, const char *name, uint64_t version, const char *text, bool force)
{
	struct deployment d = {.name = name, .version = version, .file = "f.yaml", .text = text, .switches = ""};

	return desired_put(set, &d, force);
}

static const char *text_of(const struct desired *set, const char *name)
{
	const struct held *held = desired_find(set, name);

	return held ? held_get(held)->text : NULL;
}

static void doing_it_twice_changes_nothing(void **state)
{
	struct desired *set = desired_new();

	assert_int_equal(put(set, "a", 1, "x", false), DESIRED_CHANGED);
	assert_int_equal(put(set, "a", 1, "x", false), DESIRED_SAME);
	assert_int_equal(set->n, 1);
	desired_free(set);
}

static void what_is_older_is_refused(void **state)
{
	struct desired *set = desired_new();

	put(set, "a", 5, "x", false);
	assert_int_equal(put(set, "a", 4, "y", false), -ESTALE);
	assert_string_equal(text_of(set, "a"), "x");
	assert_int_equal(desired_remove(set, "a", 4), -ESTALE);
	assert_int_equal(put(set, "a", 4, "y", true), DESIRED_CHANGED);
	assert_string_equal(text_of(set, "a"), "y");
	desired_free(set);
}

static void what_was_removed_does_not_come_back_late(void **state)
{
	struct desired *set = desired_new();

	put(set, "a", 5, "x", false);
	assert_int_equal(desired_remove(set, "a", 6), DESIRED_CHANGED);
	assert_int_equal(desired_remove(set, "a", 6), DESIRED_SAME);
	assert_null(desired_find(set, "a"));
	assert_int_equal(put(set, "a", 5, "x", false), -ESTALE);
	assert_int_equal(put(set, "a", 6, "x", false), -ESTALE);
	assert_int_equal(put(set, "a", 7, "x", false), DESIRED_CHANGED);
	assert_int_equal(set->n_removed, 0);
	desired_free(set);
}

static void a_local_change_keeps_the_number_and_the_controller_wins(void **state)
{
	struct desired *set = desired_new();

	put(set, "a", 8, "x", false);
	assert_int_equal(put(set, "a", 0, "local", false), DESIRED_CHANGED);
	assert_int_equal(desired_version(set, "a"), 8);
	assert_int_equal(put(set, "a", 8, "x", false), DESIRED_CHANGED);
	assert_int_equal(desired_remove(set, "a", 0), DESIRED_CHANGED);
	assert_int_equal(put(set, "a", 0, "again", false), DESIRED_CHANGED);
	assert_int_equal(put(set, "a", 9, "y", false), DESIRED_CHANGED);
	assert_int_equal(desired_remove(set, "never", 0), DESIRED_SAME);
	assert_int_equal(set->n_removed, 0);
	desired_free(set);
}

static void a_copy_is_a_set_of_its_own_in_order_of_names(void **state)
{
	struct desired *set = desired_new(), *copy;

	put(set, "c", 1, "3", false);
	put(set, "a", 1, "1", false);
	put(set, "b", 1, "2", false);
	copy = desired_copy(set);
	put(copy, "a", 2, "other", false);
	desired_remove(copy, "b", 2);
	assert_string_equal(text_of(set, "a"), "1");
	assert_int_equal(set->n, 3);
	assert_int_equal(copy->n, 2);
	assert_string_equal(held_get(set->item[0])->name, "a");
	assert_string_equal(held_get(set->item[2])->name, "c");
	desired_free(set);
	assert_string_equal(text_of(copy, "c"), "3");
	desired_free(copy);
}

static void the_digest_tells_content_not_order(void **state)
{
	struct desired *x = desired_new(), *y = desired_new();

	assert_int_equal(desired_digest(x), 0);
	put(x, "a", 1, "1", false);
	put(x, "b", 1, "2", false);
	put(y, "b", 7, "2", false);
	put(y, "a", 9, "1", false);
	assert_true(desired_digest(x) == desired_digest(y));
	put(y, "a", 10, "1+", false);
	assert_true(desired_digest(x) != desired_digest(y));
	desired_free(x);
	desired_free(y);
}

static void there_is_an_end_to_how_many(void **state)
{
	struct desired *set = desired_new();
	char name[16];

	for (unsigned i = 0; i < DEPLOYMENTS_MAX; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		assert_int_equal(put(set, name, 1, "x", false), DESIRED_CHANGED);
	}
	assert_int_equal(put(set, "more", 1, "x", false), -ENOSPC);
	for (unsigned i = 0; i < 2 * REMOVED_MAX; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		assert_int_equal(desired_remove(set, name, 3), DESIRED_SAME);
	}
	assert_int_equal(set->n_removed, REMOVED_MAX);
	desired_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doing_it_twice_changes_nothing),
		cmocka_unit_test(what_is_older_is_refused),
		cmocka_unit_test(what_was_removed_does_not_come_back_late),
		cmocka_unit_test(a_local_change_keeps_the_number_and_the_controller_wins),
		cmocka_unit_test(a_copy_is_a_set_of_its_own_in_order_of_names),
		cmocka_unit_test(the_digest_tells_content_not_order),
		cmocka_unit_test(there_is_an_end_to_how_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
