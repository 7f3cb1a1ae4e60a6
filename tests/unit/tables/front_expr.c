/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expressions and statements: precedence, rendering, mistakes. */
#include "front.h"

/* Parses, renders; the caller frees. */
static char *again(const char *text)
{
	struct arena *arena = arena_new(1 << 20);
	struct diag_list diags;
	struct expr *e;
	char *rendered;

	diag_init(&diags, "t");
	e = expr_parse(arena, text, (struct loc){1, 1}, &diags);
	rendered = e ? expr_render(e) : diag_text(&diags);
	diag_done(&diags);
	arena_free(arena);
	assert_non_null(rendered);
	return rendered;
}

static void becomes(const char *text, const char *expected)
{
	_cleanup_free_ char *found = again(text), *twice = NULL;

	assert_string_equal(found, expected);
	twice = again(found);
	assert_string_equal(twice, expected);
}

static void says(const char *text, const char *message)
{
	_cleanup_free_ char *found = again(text);

	assert_string_equal(found, message);
}

static void test_fewest_parentheses(void **state)
{
	becomes("a+b*c", "a + b * c");
	becomes("(a+b)*c", "(a + b) * c");
	becomes("a-(b-c)", "a - (b - c)");
	becomes("(a-b)-c", "a - b - c");
	becomes("((a))", "a");
	becomes("a & b == c", "a & b == c");
	becomes("a & (b == c)", "a & (b == c)");
	becomes("not (a and b)", "not (a and b)");
	becomes("not a and b", "not a and b");
	becomes("(a or b) and c", "(a or b) and c");
	becomes("a or (b and c)", "a or b and c");
	becomes("-(a + b)", "-(a + b)");
	becomes("a == - t.n", "a == -t.n"); /* No name begins with "-". */
	becomes("~a << 2", "~a << 2");
	becomes("-(-a)", "-(-a)");
	becomes("a - -5", "a - -5");
	becomes("-~-a", "-~-a");
	becomes("a | b ^ c & d", "a | b ^ c & d");
	becomes("(a == b) == c", "(a == b) == c");
	becomes("a in [ 1,2 , 4-6 ]", "a in [1, 2, 4-6]");
	becomes("ip.src in 10.0.0.0/8", "ip.src in 10.0.0.0/8");
	becomes("max( a , min(b,c) )", "max(a, min(b, c))");
	becomes("10Mbps / 1s + 0x2a", "10Mbps / 1s + 0x2a");
	becomes("eth.src == 02:00:00:00:00:01", "eth.src == 02:00:00:00:00:01");
	becomes("ip.src == 2001:db8::1 or ip.src == ::1", "ip.src == 2001:db8::1 or ip.src == ::1");
}

static void test_names_with_dashes(void **state)
{
	becomes("a-b", "a - b");
	becomes("a-1", "a - 1");
	becomes("tcp-src.n + 1", "tcp-src.n + 1");
	becomes("hook == tc-ingress", "hook == tc-ingress");
}

static void test_mistakes(void **state)
{
	says("a +", "t:1:4: expected a value, but the text ends here\n");
	says("a = 1", "t:1:3: expected an operator or the end, but found \"=\" (to compare write \"==\")\n");
	says("a && b", "t:1:3: \"&&\" is not an operator: write \"and\"\n");
	says("!a", "t:1:1: \"!\" is not an operator: write \"not\"\n");
	says("a ? b : c", "t:1:3: \"?\" is not an operator: there is no \"a ? b : c\": write two rules\n");
	says("a < b < c", "t:1:7: a comparison cannot follow a comparison: write \"a < b and b < c\"\n");
	says("(a", "t:1:3: expected \")\", but the text ends here\n");
	says("f(a, ", "t:1:6: expected a value, but the text ends here\n");
	says("f(a b)", "t:1:5: expected \",\" or \")\", but found \"b\"\n");
	says("and", "t:1:1: expected a value, but found \"and\"\n");
	says("a $ b", "t:1:3: \"$\" has no meaning here\n");
	says("1sec + 2", "t:1:1: unknown unit \"sec\"; did you mean \"s\"?\n");
	says("a\xc3\xa9", "t:1:2: a character that has no meaning here\n");
	says("", "t:1:1: expected a value, but the text ends here\n");
}

static void test_hostile_sizes(void **state)
{
	char text[EXPR_TEXT_MAX + 10];

	memset(text, '(', 3000);
	text[3000] = '\0';
	says(text, "t:1:65: nested too deeply\n");
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	says(text, "t:1:1: longer than 4096 characters\n");
	for (size_t i = 0; i + 2 < EXPR_TEXT_MAX; i += 2)
		memcpy(text + i, "a+", 3);
	says(text, "t:1:4095: expected a value, but the text ends here\n");
}

static char *steps_again(const char *text, bool is_action)
{
	struct arena *arena = arena_new(1 << 20);
	struct stmt_list list;
	struct diag_list diags;
	char *rendered;

	diag_init(&diags, "t");
	rendered = stmt_parse(arena, text, (struct loc){1, 1}, is_action, &diags, &list) == 0 ? stmt_render(&list)
											      : diag_text(&diags);
	diag_done(&diags);
	arena_free(arena);
	assert_non_null(rendered);
	return rendered;
}

static void steps_become(const char *text, bool is_action, const char *expected)
{
	_cleanup_free_ char *found = steps_again(text, is_action);

	assert_string_equal(found, expected);
}

static void test_steps(void **state)
{
	steps_become("a=1;b += 2 ; c|=4; d&=~8;e-=1", false, "a = 1; b += 2; c |= 4; d &= ~8; e -= 1");
	steps_become("ip.ttl-=1;output( port )", true, "ip.ttl -= 1; output(port)");
	steps_become("push(vlan);vlan.id=5;notify;controller;pop( vlan );goto(next-one)", true,
		     "push(vlan); vlan.id = 5; notify; controller; pop(vlan); goto(next-one)");
	steps_become("drop", true, "drop");
	steps_become("group( g )", true, "group(g)");
}

static void test_step_mistakes(void **state)
{
	steps_become("dorp", true, "t:1:1: unknown step \"dorp\"; did you mean \"drop\"?\n");
	steps_become("drop; pass", true, "t:1:7: nothing can follow the verdict; it must be the last step\n");
	steps_become("n = 1; drop", false, "t:1:8: \"drop\" belongs into action:, not here\n");
	steps_become("n = 1;", false, "t:1:7: expected an assignment, like \"n += 1\", but the text ends here\n");
	steps_become("n *= 2", false, "t:1:3: \"*=\" is not an operator: only = += -= |= &= assign\n");
	steps_become("output", true, "t:1:7: expected \"(\", but the text ends here\n");
	steps_become("drop(1)", true, "t:1:5: \"drop\" takes no argument\n");
	steps_become("push(gre)", true,
		     "t:1:6: \"gre\" cannot be pushed or popped, only vlan, mpls, ipip, vxlan, srv6 and srh\n");
	steps_become("push(ipip, 5)", true,
		     "t:1:12: expected 4 or 6, the family of the outer IP header, but found \"5\"\n");
	steps_become("push(srv6)", true,
		     "t:1:10: expected \",\" and the segments in the order of the path, but found \")\"\n");
	steps_become("emit(t)", true, "t:1:7: expected \",\" and a port, but found \")\"\n");
	/* One mistake does not hide the next. */
	steps_become("a = ; b = 1 +; drop", true,
		     "t:1:5: expected a value, but found \";\"\nt:1:14: expected a value, but found \";\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fewest_parentheses),
		cmocka_unit_test(test_names_with_dashes),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_hostile_sizes),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_step_mistakes),
	};

	return cmocka_run_group_tests_name("expr", tests, NULL, NULL);
}
