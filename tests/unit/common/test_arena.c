/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arena: zeroed, aligned, limited, and what happens at the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/arena.h"

static void test_memory(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	char *big;

	for (size_t size = 0; size < 100; size++) {
		char *p = arena_alloc(arena, size);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
	big = arena_alloc(arena, 100000);
	assert_int_equal(big[99999], 0);
	assert_string_equal(arena_printf(arena, "%s-%d", "a", 5), "a-5");
	assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
	arena_free(arena);
	arena_free(NULL);
}

static void test_grow(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	unsigned *array = NULL;

	for (unsigned i = 0; i < 1000; i++) {
		array = arena_grow(arena, array, i, sizeof(*array));
		array[i] = i;
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(array[i], i);
	arena_free(arena);
}

static void test_limit(void **state)
{
	struct arena *arena = arena_new(1000);
	jmp_buf here;

	assert_null(arena_catch(arena, &here));
	if (setjmp(here) == 0) {
		for (;;)
			arena_alloc(arena, 100);
	}
	assert_true(arena_hit_limit(arena));
	if (setjmp(here) == 0) {
		arena_alloc_array(arena, SIZE_MAX / 2, 16);
		fail();
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
