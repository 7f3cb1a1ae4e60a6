// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of segments: text, order, fingerprints, and the memory that packets look into. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front.h"
#include "tables/segments.h"

static void reads(const char *text, const char *again)
{
	char why[SEGMENTS_WHY], buf[SEGMENTS_TEXT_SIZE];
	struct segments segments;

	assert_int_equal(segments_parse(text, &segments, why), 0);
	assert_string_equal(segments_render(&segments, buf), again);
}

static void refuses(const char *text, const char *because)
{
	char why[SEGMENTS_WHY];
	struct segments segments;

	assert_int_equal(segments_parse(text, &segments, why), -EINVAL);
	assert_string_equal(why, because);
}

static void a_list_is_read_and_written_in_the_order_of_the_path(void **state)
{
	char why[SEGMENTS_WHY];
	struct segments segments;

	reads("fcff:5::1", "fcff:5::1");
	reads("fcff:3::1, FCFF:4::1 ,fcff:0:0:0::1", "fcff:3::1,fcff:4::1,fcff::1");
	segments_parse("1::2,3::4", &segments, why);
	assert_int_equal(segments.n, 2);
	assert_int_equal(segments.word[0] >> 48, 3); /* The last one first. */
	assert_int_equal(segments.word[1], 4);
	assert_int_equal(segments.word[3], 2);
}

static void what_is_no_list_is_refused(void **state)
{
	refuses("", "\"\" is no IPv6 address");
	refuses("1::1,", "\"\" is no IPv6 address");
	refuses("1::1,,1::2", "\"\" is no IPv6 address");
	refuses("192.0.2.1", "\"192.0.2.1\" is no IPv6 address");
	refuses("1::1/64", "\"1::1/64\" is no IPv6 address");
	refuses("1::1 1::2", "segments are addresses with commas between them");
	refuses("1::,1::,1::,1::,1::,1::,1::,1::,1::,1::,1::,1::,1::,1::,1::,1::,1::",
		"a list has at most 16 segments");
}

static struct segments numbered(unsigned i)
{
	struct segments segments = {.n = 1, .word = {0xfc00ull << 48, i}};

	return segments;
}

static void equal_fingerprints_are_equal_lists(void **state)
{
	struct segments a = {.n = 2, .word = {1, 2, 3, 4}}, b = {.n = 2, .word = {3, 4, 1, 2}},
			c = {.n = 3, .word = {1, 2, 3, 4}};

	assert_int_not_equal(segments_fingerprint(&a), segments_fingerprint(&b));
	assert_int_not_equal(segments_fingerprint(&a), segments_fingerprint(&c));
	b = a;
	assert_int_equal(segments_fingerprint(&a), segments_fingerprint(&b));
}

static void lists_are_kept_once_and_a_false_friend_is_refused(void **state)
{
	struct segment_lists *lists = calloc(1, sizeof(*lists));
	struct segments one = numbered(1), found;
	unsigned n = 0;

	assert_int_equal(segments_get(lists, segments_fingerprint(&one), &found), -ENOENT);
	assert_int_equal(segments_put(lists, &one), 0);
	assert_int_equal(segments_put(lists, &one), 0);
	for (unsigned i = 1; i < SEGMENT_LISTS; i++)
		n += lists->at[i].n > 0;
	assert_int_equal(n, 1);
	assert_int_equal(segments_get(lists, segments_fingerprint(&one), &found), 0);
	assert_memory_equal(&found, &one, sizeof(one));
	for (unsigned i = 1; i < SEGMENT_LISTS; i++)
		lists->at[i].word[0] ^= lists->at[i].n;
	assert_int_equal(segments_put(lists, &one), -EEXIST);
	free(lists);
}

static bool is_even(void *data, __u64 fingerprint)
{
	bool *even = data;

	return !(fingerprint & 1) == *even;
}

static void room_comes_back_after_grace_only(void **state)
{
	struct segment_lists *lists = calloc(1, sizeof(*lists));
	struct segments s, found;
	bool even = true;
	unsigned n = 0, left = 0;

	do {
		s = numbered(n++);
	} while (segments_put(lists, &s) == 0);
	/* Nearly all of it can be used, whatever heads the lists share. */
	assert_int_equal(segments_put(lists, &s), -ENOBUFS);
	assert_true(n > SEGMENT_LISTS / 2);
	segments_unlink_unused(lists, is_even, &even);
	for (unsigned i = 0; i + 1 < n; i++) {
		s = numbered(i);
		assert_int_equal(segments_get(lists, segments_fingerprint(&s), &found),
				 segments_fingerprint(&s) & 1 ? -ENOENT : 0);
		left += !(segments_fingerprint(&s) & 1);
	}
	for (unsigned i = 1; i < SEGMENT_LISTS; i++)
		n -= lists->at[i].n > 0;
	assert_int_equal(n, 1); /* None is free yet. */
	segments_reclaim(lists);
	for (unsigned i = 1; i < SEGMENT_LISTS; i++)
		n += lists->at[i].n > 0;
	assert_int_equal(n - 1, left);
	free(lists);
}

#define APP(key, rest) "app: t\ntables:\n  - name: x\n    key: {" key "}\n    capacity: 9\n" rest
#define PASS	       "    action: pass\n"

static void the_language_knows_lists_as_keys_of_entries(void **state)
{
	struct app *app = front_good(APP("srv6.segments: exact", PASS "    entries:\n"
								      "      - {srv6.segments: '1::1, 1::2'}\n"
								      "      - {srv6.segments: ['1::2', '1::1']}\n"
								      "      - {srv6.segments: 1::1}\n"));

	app_free(app);
	front_says(APP("srv6.segments: ternary", PASS),
		   "t.yaml:4:26: \"srv6.segments\": lists of segments are compared whole, so exact\n");
	front_says(APP("srv6.segments: exact", PASS "    entries:\n      - {srv6.segments: '1::1,1::1/64'}\n"),
		   "t.yaml:8:26: srv6.segments: \"1::1/64\" is no IPv6 address\n");
	front_says(APP("srv6.segments: exact", PASS
		       "    entries:\n      - {srv6.segments: '1::1,1::2'}\n      - {srv6.segments: [1::1, '1::2']}\n"),
		   "t.yaml:9:9: two entries have this key; the first is on line 8\n");
	front_says("app: t\ntables:\n  - name: x\n    rules:\n      - {match: {srv6.segments: 1}, action: pass}\n",
		   "t.yaml:5:18: \"srv6.segments\" can only be part of a match table's key\n");
	front_says(
		"app: t\nvariables: [v]\ntables:\n  - name: x\n    rules:\n      - action: v = srv6.segments; pass\n",
		"t.yaml:6:21: \"srv6.segments\" can only be part of a match table's key\n");
	front_says("app: t\ntables:\n  - name: x\n    state: {lookup: [srv6.segments], capacity: 9}\n    rules:\n"
		   "      - action: pass\n",
		   "t.yaml:4:22: \"srv6.segments\" can only be part of a match table's key\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_read_and_written_in_the_order_of_the_path),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(equal_fingerprints_are_equal_lists),
		cmocka_unit_test(lists_are_kept_once_and_a_false_friend_is_refused),
		cmocka_unit_test(room_comes_back_after_grace_only),
		cmocka_unit_test(the_language_knows_lists_as_keys_of_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
