/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "../../../agent/registry.h"

static struct registry *next_of(struct registry *old)
{
	struct registry *reg = registry_next(old);

	assert_non_null(reg);
	return reg;
}

static struct layout layout_of(uint64_t hash, const char *const *states, size_t n)
{
	struct layout layout = {.hash = hash, .n_states = n};

	for (size_t i = 0; i < n; i++)
		snprintf(layout.state[i].name, sizeof(layout.state[i].name), "%s", states[i]);
	return layout;
}

#define LAYOUT(hash, ...)                                                                                              \
	layout_of(hash, (const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static const struct registry_flow *add_flow(struct registry *reg, const char *name, struct layout *layout)
{
	const struct registry_flow *flow;

	assert_int_equal(registry_add_flow(reg, name, layout, &flow), 0);
	return flow;
}

static void a_name_keeps_its_counter_and_a_new_one_avoids_those_in_use(void **state)
{
	struct registry *none = registry_new(), *one = next_of(none), *two;
	uint32_t a, b, a2, c, stats;

	assert_int_equal(registry_add_rule(one, "x/t/a", &a), 0);
	assert_int_equal(registry_add_rule(one, "x/t/b", &b), 0);
	assert_int_equal(registry_add_stats(one, "x/t", &stats), 0);
	registry_seal(one);
	assert_true(a >= COUNTER_RULES && a != b);

	two = next_of(one);
	assert_int_equal(registry_add_rule(two, "x/t/c", &c), 0);
	assert_int_equal(registry_add_rule(two, "x/t/a", &a2), 0);
	registry_seal(two);
	assert_int_equal(a2, a);
	assert_true(c != b && c != a);
	assert_false(c >= stats && c < stats + TABLE_STAT_MAX);
	assert_true(registry_counter_at(two, 1)->fresh);
	assert_false(registry_counter_at(two, 0)->fresh);
	registry_free(none);
	registry_free(one);
	registry_free(two);
}

static void what_only_the_version_before_the_last_used_is_free_again(void **state)
{
	struct registry *r0 = registry_new(), *r1 = next_of(r0), *r2, *r3;
	uint32_t a, c;

	registry_add_rule(r1, "a", &a);
	registry_seal(r1);
	r2 = next_of(r1);
	registry_seal(r2);
	r3 = next_of(r2);
	registry_add_rule(r3, "c", &c);
	registry_seal(r3);
	assert_int_equal(a, c);
	assert_true(registry_counter_at(r3, 0)->fresh);
	registry_free(r0);
	registry_free(r1);
	registry_free(r2);
	registry_free(r3);
}

static void table_ids_are_never_given_twice(void **state)
{
	struct registry *r0 = registry_new(), *r1 = next_of(r0), *r2, *r3;
	uint32_t a, b, again;

	registry_add_table(r1, "x/a", &a);
	registry_seal(r1);
	r2 = next_of(r1);
	registry_seal(r2);
	r3 = next_of(r2);
	registry_add_table(r3, "x/b", &b);
	registry_add_table(r3, "x/a", &again);
	registry_seal(r3);
	assert_true(a && b != a && again != a && again != b);
	registry_free(r0);
	registry_free(r1);
	registry_free(r2);
	registry_free(r3);
}

static void the_counters_run_out_with_an_error(void **state)
{
	struct registry *none = registry_new(), *reg = next_of(none);
	uint32_t index, n = 0;
	char name[32];
	int r = 0;

	while (r == 0) {
		snprintf(name, sizeof(name), "r%u", n);
		r = registry_add_rule(reg, name, &index);
		n += r == 0;
	}
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(n, COUNTER_MEMBERS - COUNTER_RULES);
	registry_free(none);
	registry_free(reg);
}

static void flows_are_kept_while_the_layout_is_equal(void **state)
{
	struct registry *r0 = registry_new(), *r1 = next_of(r0), *r2, *r3;
	struct layout same = LAYOUT(7, "A", "B"), other = LAYOUT(8, "A", "B");
	uint32_t first;

	first = add_flow(r1, "x/t", &same)->index;
	registry_seal(r1);
	r2 = next_of(r1);
	assert_false(add_flow(r2, "x/t", &same)->fresh);
	assert_int_equal(registry_find_flow(r2, "x/t")->index, first);
	registry_seal(r2);
	r3 = next_of(r2);
	assert_true(add_flow(r3, "x/t", &other)->fresh);
	assert_int_not_equal(registry_find_flow(r3, "x/t")->index, first);
	registry_seal(r3);
	assert_false(registry_uses_flow(r3, first));
	registry_free(r0);
	registry_free(r1);
	registry_free(r2);
	registry_free(r3);
}

static void a_renewed_flow_table_is_another_one_with_the_ids_of_the_old(void **state)
{
	struct registry *none = registry_new(), *one = next_of(none), *two, *three;
	struct layout layout = LAYOUT(7, "-", "a", "b"), less = LAYOUT(7, "-", "b");
	const struct registry_flow *old = add_flow(one, "x/t", &layout), *fresh;
	uint32_t index = old->index;

	registry_seal(one);
	two = next_of(one);
	assert_int_equal(registry_renew_flow(two, "x/t", &less, &fresh), 0);
	assert_true(fresh->fresh && fresh->index != index);
	assert_int_equal(less.state[1].id, layout.state[2].id);
	assert_true(registry_has_retired(two, fresh->index));
	registry_seal(two);
	three = next_of(two);
	assert_false(add_flow(three, "x/t", &less)->fresh);
	registry_seal(three);
	registry_free(none);
	registry_free(one);
	registry_free(two);
	registry_free(three);
}

static void state_ids_follow_names_and_removed_ones_wait(void **state)
{
	struct registry *r0 = registry_new(), *r1 = next_of(r0), *r2, *r3, *r4;
	struct layout one = LAYOUT(7, "A", "B", "C"), two = LAYOUT(7, "A", "C", "D"), three = LAYOUT(7, "A", "E", "C");
	struct layout four = LAYOUT(7, "A", "F", "C");
	uint32_t index = add_flow(r1, "x/t", &one)->index;

	registry_seal(r1);
	assert_int_equal(one.state[2].id, 2);
	r2 = next_of(r1);
	add_flow(r2, "x/t", &two);
	registry_seal(r2);
	assert_int_equal(two.state[1].id, 2); /* C */
	assert_int_equal(two.state[2].id, 3); /* D, not B's 1 */
	assert_true(registry_has_retired(r2, index));
	r3 = next_of(r2);
	add_flow(r3, "x/t", &three);
	registry_seal(r3);
	assert_int_equal(three.state[1].id, 4); /* 1 and 3 may still be in records. */
	registry_forget_retired(r3, index);
	assert_false(registry_has_retired(r3, index));
	r4 = next_of(r3);
	add_flow(r4, "x/t", &four);
	registry_seal(r4);
	assert_int_equal(four.state[1].id, 1);
	registry_free(r0);
	registry_free(r1);
	registry_free(r2);
	registry_free(r3);
	registry_free(r4);
}

static void a_first_state_that_moves_makes_a_new_flow_table(void **state)
{
	struct registry *r0 = registry_new(), *r1 = next_of(r0), *r2;
	struct layout one = LAYOUT(7, "A", "B"), swapped = LAYOUT(7, "B", "A"), renamed = LAYOUT(7, "Z", "B");

	add_flow(r1, "x/t", &one);
	registry_seal(r1);
	r2 = next_of(r1);
	assert_true(add_flow(r2, "x/t", &swapped)->fresh);
	registry_free(r2);
	r2 = next_of(r1);
	assert_false(add_flow(r2, "x/t", &renamed)->fresh);
	assert_int_equal(renamed.state[0].id, 0);
	registry_free(r2);
	registry_free(r0);
	registry_free(r1);
}

static uint32_t add_global(struct registry *reg, const char *name)
{
	uint32_t index = GLOBALS_MAX;

	assert_int_equal(registry_add_shared(reg, REGISTRY_GLOBAL, name, &index), 0);
	return index;
}

static void a_global_keeps_its_index_and_leaves_it_to_nobody_at_once(void **state)
{
	struct registry *r0 = registry_new(), *r1 = next_of(r0), *r2, *r3;
	uint32_t a, b, c, d;

	a = add_global(r1, "x/a");
	b = add_global(r1, "x/b");
	registry_seal(r1);
	r2 = next_of(r1);
	c = add_global(r2, "y/c");
	assert_int_equal(add_global(r2, "x/a"), a);
	registry_seal(r2);
	assert_true(b != a && c != a && c != b);
	assert_true(registry_find_shared(r2, REGISTRY_GLOBAL, "y/c")->fresh);
	assert_false(registry_find_shared(r2, REGISTRY_GLOBAL, "x/a")->fresh);
	/* Two versions later the name begins again, and its old index is free. */
	r3 = next_of(r2);
	d = add_global(r3, "x/b");
	registry_seal(r3);
	assert_int_equal(d, b);
	assert_true(registry_find_shared(r3, REGISTRY_GLOBAL, "x/b")->fresh);
	registry_free(r0);
	registry_free(r1);
	registry_free(r2);
	registry_free(r3);
}

static void the_globals_run_out_with_an_error(void **state)
{
	struct registry *r0 = registry_new(), *r1 = next_of(r0);
	uint32_t index;
	char name[32];

	for (unsigned i = 0; i < GLOBALS_MAX; i++) {
		snprintf(name, sizeof(name), "x/%u", i);
		assert_int_equal(add_global(r1, name), i);
	}
	assert_int_equal(registry_add_shared(r1, REGISTRY_GLOBAL, "x/more", &index), -ENOSPC);
	registry_free(r0);
	registry_free(r1);
}

static void text_and_back_gives_the_same(void **state)
{
	struct registry *r0 = registry_new(), *r1 = next_of(r0), *back, *r2;
	struct layout one = LAYOUT(0xfeedfacecafebeef, "A", "B"), two = LAYOUT(0xfeedfacecafebeef, "A", "C");
	uint32_t a, stats, id, again;
	char *text, *twice;
	unsigned line;

	registry_add_rule(r1, "x/t/when a \\ b\nc", &a);
	registry_add_stats(r1, "x/t", &stats);
	registry_add_table(r1, "x/t", &id);
	add_global(r1, "x/total");
	add_flow(r1, "x/t", &one);
	registry_seal(r1);
	r2 = next_of(r1);
	add_flow(r2, "x/t", &two);
	add_global(r2, "x/other");
	add_global(r2, "x/total");
	registry_add_rule(r2, "x/t/when a \\ b\nc", &a);
	registry_seal(r2);
	text = registry_render(r2);
	assert_int_equal(registry_parse(text, &back, &line), 0);
	twice = registry_render(back);
	assert_string_equal(text, twice);
	assert_true(registry_has_retired(back, registry_find_flow(back, "x/t")->index));
	registry_free(r1);
	r1 = next_of(back);
	registry_add_rule(r1, "x/t/when a \\ b\nc", &again);
	assert_int_equal(again, a);
	assert_int_equal(add_global(r1, "x/total"), 0);
	free(text);
	free(twice);
	registry_free(r0);
	registry_free(r1);
	registry_free(r2);
	registry_free(back);
}

static void damaged_text_is_refused_with_its_line(void **state)
{
	static const char *const texts[] = {
		"counter 12800 1 a\ncounter 1 1 b\n",
		"counter 12800 1 a\ncounter 99999999 1 b\n",
		"table 1 a\ntable x b\n",
		"table 1 a\nstate 1 A\n",
		"flow 1 00 a\nflow 1 00 b\n",
		"flow 1 00 a\nflow 256 00 b\n",
		"flow 1 00 a\nstate 64 A\n",
		"table 1 a\nfish 1 a\n",
		"table 1 a\ntable 1",
		"table 1 a\ncounter 12800 17 a\n",
		"table 1 a\ntable 1 a\\q\n",
		"table 1 a\ntable -1 b\n",
		"table 1 a\ncounter 65535 2 b\n",
		"table 1 a\ntable 2 \n",
		"table 1 a\ntable 1 b\n",
		"table 1 a\ntable 2 a\n",
		"counter 12800 8 a\ncounter 12807 1 b\n",
		"flow 1 00 a\nflow 2 00 a\n",
		"global 7 x/a\nglobal 7 x/b\n",
		"global 7 x/a\nglobal 1024 x/b\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct registry *reg = NULL;
		unsigned line = 0;

		assert_int_equal(registry_parse(texts[i], &reg, &line), -EPROTO);
		assert_null(reg);
		assert_int_equal(line, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_keeps_its_counter_and_a_new_one_avoids_those_in_use),
		cmocka_unit_test(what_only_the_version_before_the_last_used_is_free_again),
		cmocka_unit_test(table_ids_are_never_given_twice),
		cmocka_unit_test(a_global_keeps_its_index_and_leaves_it_to_nobody_at_once),
		cmocka_unit_test(the_globals_run_out_with_an_error),
		cmocka_unit_test(the_counters_run_out_with_an_error),
		cmocka_unit_test(flows_are_kept_while_the_layout_is_equal),
		cmocka_unit_test(a_renewed_flow_table_is_another_one_with_the_ids_of_the_old),
		cmocka_unit_test(state_ids_follow_names_and_removed_ones_wait),
		cmocka_unit_test(a_first_state_that_moves_makes_a_new_flow_table),
		cmocka_unit_test(text_and_back_gives_the_same),
		cmocka_unit_test(damaged_text_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
