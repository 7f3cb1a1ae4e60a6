/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "../../../agent/flow_key.h"

enum { NOW_NS = 2000000000 };

static struct layout layout = {
	.table = "t",
	.record_class = RECORD_128,
	.key_words = 3,
	.n_registers = 3,
	.n_keys = 2,
	.n_regs = 3,
	.key = {{"ip.src", TYPE_ADDR, FLOW_HEAD_WORDS, 0, 128}, {"l4.dst", TYPE_U64, FLOW_HEAD_WORDS + 2, 16, 16}},
	.reg = {{"count", TYPE_U64, FLOW_HEAD_WORDS + 3, 0, 64},
		{"out", TYPE_PORT, FLOW_HEAD_WORDS + 4, 0, 64},
		{"start", TYPE_TIME, FLOW_HEAD_WORDS + 5, 0, 64}},
};

static int find_port(void *data, const char *name)
{
	return !strcmp(name, "wan0") ? 5 : -ENOENT;
}

static const struct port_names ports = {find_port, NULL};

static void a_key_is_packed_as_the_layout_says(void **state)
{
	struct msg_setting key[] = {{"l4.dst", "53"}, {"ip.src", "10.0.0.7"}};
	struct msg_flow flow = {.key = key, .n_keys = 2};
	uint64_t words[KEY_WORDS_MAX];
	char why[256];

	assert_int_equal(flow_key_parse(&layout, &flow, &ports, words, why), 0);
	assert_true(words[0] == 0);
	assert_true(words[1] == 0x0000ffff0a000007);
	assert_true(words[2] == 53ull << 16);
}

static void a_key_must_be_whole_and_right(void **state)
{
	static const struct {
		struct msg_setting key[3];
		size_t n;
		const char *part;
	} cases[] = {
		{{{"ip.src", "10.0.0.7"}}, 1, "the key needs l4.dst too"},
		{{{"ip.src", "10.0.0.7"}, {"l4.dst", "fish"}}, 2, "\"fish\" is not a number"},
		{{{"ip.src", "10.0.0.7"}, {"l4.dst", "65536"}}, 2, "does not fit into 16 bits"},
		{{{"ip.src", "10.0.0.7"}, {"fish", "1"}}, 2, "no part of the key \"fish\"; there is ip.src, l4.dst"},
		{{{"ip.src", "10.0.0.7"}, {"ip.src", "10.0.0.7"}, {"l4.dst", "1"}}, 3, "twice"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct msg_flow flow = {.key = (struct msg_setting *)cases[i].key, .n_keys = cases[i].n};
		uint64_t words[KEY_WORDS_MAX];
		char why[256];

		assert_int_equal(flow_key_parse(&layout, &flow, &ports, words, why), -EINVAL);
		assert_text_has(why, cases[i].part);
	}
}

static void registers_that_are_not_named_stay(void **state)
{
	struct msg_setting reg = {"out", "wan0"}, wrong = {"fish", "1"};
	struct msg_flow flow = {.reg = &reg, .n_regs = 1};
	uint64_t words[16] = {[FLOW_HEAD_WORDS + 3] = 99};
	char why[256];

	assert_int_equal(flow_key_registers(&layout, &flow, &ports, NOW_NS, words, why), 0);
	assert_true(words[FLOW_HEAD_WORDS + 3] == 99);
	assert_true(words[FLOW_HEAD_WORDS + 4] == 5);
	flow.reg = &wrong;
	assert_int_equal(flow_key_registers(&layout, &flow, &ports, NOW_NS, words, why), -EINVAL);
	assert_text_has(why, "count, out");
}

/* As dumps print them, and as people write them. */
static void times_are_told_from_now(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {{"now", NOW_NS},
		     {"+5 s", NOW_NS + 5000000000},
		     {"+5s", NOW_NS + 5000000000},
		     {"-1.5 s", NOW_NS - 1500000000},
		     {"-200ms", NOW_NS - 200000000},
		     {"77", 77},
		     {"0", 0}};
	static const char *const wrong[] = {"5s", "+5", "-3min", "+", "now+1s", "+5KiB", "+600000d"};
	struct msg_setting reg = {"start", NULL};
	struct msg_flow flow = {.reg = &reg, .n_regs = 1};
	uint64_t words[16] = {};
	char why[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reg.text = cases[i].text;
		assert_int_equal(flow_key_registers(&layout, &flow, &ports, NOW_NS, words, why), 0);
		assert_true(words[FLOW_HEAD_WORDS + 5] == cases[i].ns);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		reg.text = wrong[i];
		assert_int_equal(flow_key_registers(&layout, &flow, &ports, NOW_NS, words, why), -EINVAL);
		assert_text_has(why, "is not a time: now, +5s, -200ms or nanoseconds of the switch's clock");
	}
}

static void a_filter_needs_only_some_parts(void **state)
{
	struct msg_setting key = {"l4.dst", "53"};
	struct msg_flow flow = {.key = &key, .n_keys = 1};
	uint64_t words[16] = {[FLOW_HEAD_WORDS + 2] = 53 << 16};
	struct flow_filter filter;
	char why[256];

	assert_int_equal(flow_filter_make(&layout, &flow, &ports, &filter, why), 0);
	assert_true(flow_filter_matches(&filter, words));
	words[FLOW_HEAD_WORDS + 2] = 54 << 16;
	assert_false(flow_filter_matches(&filter, words));
	flow.n_keys = 0;
	assert_int_equal(flow_filter_make(&layout, &flow, &ports, &filter, why), 0);
	assert_true(flow_filter_matches(&filter, words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_packed_as_the_layout_says), cmocka_unit_test(a_key_must_be_whole_and_right),
		cmocka_unit_test(registers_that_are_not_named_stay),  cmocka_unit_test(times_are_told_from_now),
		cmocka_unit_test(a_filter_needs_only_some_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
