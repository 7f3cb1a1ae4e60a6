/* SPDX-License-Identifier: GPL-2.0-or-later */
/* YAML as a tree: what is read, what is refused and in which words. */
#include "front.h"

static struct arena *arena;
static struct diag_list diags;

static struct yaml_node *load(const char *text, size_t size)
{
	arena = arena_new(16 << 20);
	diag_init(&diags, "t.yaml");
	return yaml_load(arena, text, size, &diags);
}

static void done(void)
{
	diag_done(&diags);
	arena_free(arena);
}

static void refuses(const char *text, const char *messages)
{
	struct yaml_node *root = load(text, strlen(text));
	_cleanup_free_ char *found = diag_text(&diags);

	assert_null(root);
	assert_string_equal(found, messages);
	done();
}

static void test_a_byte_order_mark_is_passed_over(void **state)
{
	const char *text = "\xef\xbb\xbf"
			   "a: 1\nb: 2\n";
	struct yaml_node *root = load(text, strlen(text));

	assert_non_null(root);
	assert_string_equal(yaml_get(root, "b")->text, "2");
	assert_int_equal(yaml_get(root, "b")->loc.line, 2);
	done();
}

static void test_every_scalar_is_text(void **state)
{
	const char *text = "a: NO\nb: 10:20:30:40:50:55\nc: [1, 2.50, ~]\nd: \"x, y\"\ne:\n";
	struct yaml_node *root = load(text, strlen(text));

	assert_non_null(root);
	assert_string_equal(yaml_get(root, "a")->text, "NO");
	assert_string_equal(yaml_get(root, "b")->text, "10:20:30:40:50:55");
	assert_string_equal(yaml_get(root, "c")->item[1]->text, "2.50");
	assert_string_equal(yaml_get(root, "c")->item[2]->text, "~");
	assert_string_equal(yaml_get(root, "d")->text, "x, y");
	assert_true(yaml_get(root, "d")->quoted);
	assert_string_equal(yaml_get(root, "e")->text, "");
	assert_null(yaml_get(root, "f"));
	done();
}

static void assert_place(const struct yaml_node *node, const char *word, unsigned line, unsigned column)
{
	struct loc loc = yaml_place(node, strstr(node->text, word) - node->text);

	assert_int_equal(loc.line, line);
	assert_int_equal(loc.column, column);
}

static void test_places_in_long_texts(void **state)
{
	const char *text =
		"a: one two\nb: \"three four\"\nc: five\n     six\nd: >-\n  seven\n  eight\ne: |\n  nine\n  ten\n";
	struct yaml_node *root = load(text, strlen(text));

	assert_non_null(root);
	assert_place(yaml_get(root, "a"), "two", 1, 8);
	assert_place(yaml_get(root, "b"), "four", 2, 11);
	assert_place(yaml_get(root, "c"), "six", 4, 6);
	assert_place(yaml_get(root, "d"), "eight", 7, 3);
	assert_place(yaml_get(root, "e"), "ten", 10, 3);
	done();
}

static void test_duplicate_keys(void **state)
{
	refuses("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: \"a\" is written twice; first on line 1\n");
	refuses("x: {k: 1, k: 1}\n", "t.yaml:1:11: \"k\" is written twice; first on line 1\n");
}

#define TAG    "a value cannot begin with \"!\" (YAML takes it for a tag): write \"not\", or quote it\n"
#define ANCHOR "a value cannot begin with \"&\" (YAML takes it for an anchor): quote it\n"

static void test_traps(void **state)
{
	refuses("when: !x\n", "t.yaml:1:7: " TAG);
	refuses("{when: !x}\n", "t.yaml:1:10: " TAG);
	refuses("{when: !x > 3}\n", "t.yaml:1:11: " TAG);
	refuses("a: !!int 3\n", "t.yaml:1:4: " TAG);
	refuses("a: !t [1]\n", "t.yaml:1:4: " TAG);
	refuses("when: &x\n", "t.yaml:1:7: " ANCHOR);
	refuses("{when: &x > 3}\n", "t.yaml:1:11: " ANCHOR);
	refuses("a: *b\n", "t.yaml:1:4: a value cannot begin with \"*\" (YAML takes it for an alias): quote it\n");
	refuses("a: %b\n", "t.yaml:1:4: a value cannot begin with \"%\", \"@\" or \"`\": quote it\n");
	refuses("{x: ::1}\n",
		"t.yaml:1:5: a value cannot begin with \":\": quote IPv6 addresses and MACs, like \"::1\"\n");
	refuses("{length: > 100}\n",
		"t.yaml:1:10: a value cannot begin with \">\" or \"|\" (YAML's block texts): quote it; "
		"a range is written a-b\n");
	refuses("length: > 100\n",
		"t.yaml:1:11: a value cannot begin with \">\" or \"|\" (YAML's block texts): quote it; "
		"a range is written a-b\n");
	refuses("when: a ? b : c\n", "t.yaml:1:13: there is no \"a ? b : c\": write two rules\n");
	refuses("{x: not [a, b]}\n",
		"t.yaml:1:9: a \"[\" inside a value: quote the whole value, like \"not [a, b]\"\n");
	refuses("a: b: c\n", "t.yaml:1:5: a \": \" inside a value: quote the whole value\n");
	refuses("a:\n\tb: c\n", "t.yaml:2:1: a tab cannot indent: use blanks\n");
}

static void test_split_call(void **state)
{
	refuses("{do: a = max(b, c), next: X}\n", "t.yaml:1:6: \"(\" without \")\": inside {} or [] a comma ends the "
						  "value, so quote this: \"a = max(b, ...\"\n");
	refuses("[x, seq_lt(a, b)]\n", "t.yaml:1:5: \"(\" without \")\": inside {} or [] a comma ends the value, so "
				       "quote this: \"seq_lt(a, ...\"\n");
	refuses("{when: a)}\n", "t.yaml:1:8: \")\" without \"(\" in \"a)\"\n");
}

static void test_unclosed(void **state)
{
	refuses("a: \"b\nc: d\n", "t.yaml:1:4: the quote that opens here is never closed\n");
	refuses("a: 1\nb: {c: 1\nd: 2\n",
		"t.yaml:2:4: what opens here is not closed, or a \",\" is missing before line 3\n");
}

static void test_not_text(void **state)
{
	refuses("a: 1\nb: \xff\xfe\n", "t.yaml:2: this is not text in UTF-8: invalid leading UTF-8 octet\n");
	refuses("a: \x01\n", "t.yaml:1: this is not text in UTF-8: control characters are not allowed\n");
	refuses("a: \"x\\0y\"\n", "t.yaml:1:4: a text cannot contain the character 0\n");
	refuses("", "t.yaml: the file is empty\n");
	refuses("# only a comment\n", "t.yaml: the file is empty\n");
	refuses("a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document begins here: one file, one application\n");
	refuses("? [a]\n: b\n", "t.yaml:1:3: expected a key, a word followed by \":\"\n");
}

static void test_too_deep(void **state)
{
	char text[64] = "";

	memset(text, '[', 20);
	memset(text + 20, ']', 20);
	refuses(text, "t.yaml:1:17: nested deeper than 16\n");
}

static void test_too_many(void **state)
{
	size_t size = 2 * (YAML_NODES_MAX + 10);
	_cleanup_free_ char *text = malloc(size + 3);
	struct yaml_node *root;

	assert_non_null(text);
	text[0] = '[';
	for (size_t i = 0; i < size / 2; i++)
		memcpy(text + 1 + 2 * i, "1,", 2);
	strcpy(text + 1 + size, "]");
	root = load(text, size + 2);
	assert_null(root);
	assert_string_equal(diags.item[0].message, "more than 100000 values in one file");
	done();
}

/* The arena's jump must pass through the loader without a leak. */
static void test_arena_limit(void **state)
{
	struct arena *small = arena_new(800);
	jmp_buf here;

	diag_init(&diags, "t.yaml");
	arena_catch(small, &here);
	if (setjmp(here) == 0) {
		yaml_load(small, "a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]\n", 55, &diags);
		fail_msg("the limit was not kept");
	}
	assert_true(arena_hit_limit(small));
	diag_done(&diags);
	arena_free(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_scalar_is_text),
		cmocka_unit_test(test_a_byte_order_mark_is_passed_over),
		cmocka_unit_test(test_places_in_long_texts),
		cmocka_unit_test(test_duplicate_keys),
		cmocka_unit_test(test_traps),
		cmocka_unit_test(test_split_call),
		cmocka_unit_test(test_unclosed),
		cmocka_unit_test(test_not_text),
		cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_arena_limit),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
