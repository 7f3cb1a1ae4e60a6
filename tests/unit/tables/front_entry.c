/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Match tables: what the checker makes of them, what it says of mistakes, what an entry becomes. */
#include <errno.h>
#include <stdio.h>

#include "front.h"
#include "tables/entry.h"

#define HEAD "app: a\nparameters: {gw: 10.0.0.9, lan: port}\ntables:\n  - name: t\n"

static const struct setting lan = {"lan", "3"};

static struct app *good(const char *rest)
{
	struct app *app;
	_cleanup_free_ char *text = NULL, *messages;

	assert_true(asprintf(&text, HEAD "%s", rest) > 0);
	messages = front_parse(text, &lan, 1, NULL, &app);
	assert_string_equal(messages, "");
	expect_same_again(app, &lan, 1);
	return app;
}

static void says(const char *rest, const char *message)
{
	struct app *app;
	_cleanup_free_ char *text = NULL, *messages;

	assert_true(asprintf(&text, HEAD "%s  - {name: u, rules: [{when: ip.src == gw, action: output(lan)}]}\n",
			     rest) > 0);
	messages = front_parse(text, &lan, 1, NULL, &app);
	app_free(app);
	assert_string_equal(messages, message);
}

static void test_a_table(void **state)
{
	struct app *app = good("    key: {ip.dst: prefix, l4.dst: range, in_port: exact, tcp.flags: ternary}\n"
			       "    capacity: 10\n"
			       "    values: [out, addr via]\n"
			       "    actions: {send: ip.src = via; output(out), drop: drop}\n"
			       "    entries:\n"
			       "      - {ip.dst: 10.0.0.0/8, l4.dst: 80-90, in_port: lan, tcp.flags: +syn-ack, action: "
			       "send, via: gw,\n"
			       "         out: 7, priority: 5, idle: 2s, hard: 1min, name: first}\n"
			       "      - {in_port: 1, action: drop}\n"
			       "    otherwise: pass\n");
	const struct app_table *t = app->table;
	const struct entry *e = t->entry[0].entry;

	assert_true(t->has_entries && t->masked && t->has_actions);
	assert_int_equal(t->n_states, 3);
	assert_string_equal(t->rule[0].name, "send");
	assert_int_equal(t->rule[0].states, 2);
	assert_int_equal(e->action, 1);
	assert_int_equal(e->key[0].mask_lo >> 24, 0xffffffffff);
	assert_int_equal(e->key[1].kind, PATTERN_RANGE);
	assert_int_equal(e->key[2].lo, 3);
	assert_int_equal(e->key[3].mask_lo, 0x12);
	assert_int_equal(e->reg[ENTRY_WORDS], 7);
	assert_true(e->reg[ENTRY_WORDS + 2] == 0x0000ffff0a000009);
	assert_int_equal(e->priority, 5);
	assert_true(e->idle_ns == 2000000000 && e->hard_ns == 60000000000);
	assert_string_equal(e->name, "first");
	assert_true(entry_rank(t, e) > entry_rank(t, t->entry[1].entry));
	assert_true(entry_id(t, e) != entry_id(t, t->entry[1].entry));
	app_free(app);
}

/* [1, 6] of 16 bits is 1, 2-3, 4-5, 6. */
static void test_a_range_is_prefixes(void **state)
{
	static const __u64 first[] = {1, 2, 4, 6}, mask[] = {0xffff, 0xfffe, 0xfffe, 0xffff};
	struct app *app = good("    key: {l4.dst: range}\n    capacity: 10\n    action: ip.dst = gw; output(lan)\n"
			       "    entries: [{l4.dst: 1-6}, {l4.dst: 1-65534}, {l4.dst: 0-65535}]\n");
	struct entry_record *records;
	struct layout layout;
	const char *why;
	size_t n;

	assert_int_equal(layout_make(app, app->table, &layout, &why), 0);
	assert_int_equal(layout.tag_bits, 8);
	assert_int_equal(entry_records(app->table, &layout, app->table->entry[0].entry, &records, &n), 0);
	assert_int_equal(n, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(records[i].key[0], first[i]);
		assert_int_equal(records[i].mask[0], mask[i]);
	}
	free(records);
	assert_int_equal(entry_records(app->table, &layout, app->table->entry[1].entry, &records, &n), 0);
	assert_int_equal(n, 30);
	free(records);
	assert_int_equal(entry_records(app->table, &layout, app->table->entry[2].entry, &records, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(records[0].mask[0], 0);
	free(records);
	app_free(app);
}

#define TABLE                                                                                                          \
	"    key: {ip.dst: exact, l4.dst: range}\n    capacity: 2\n    values: [n]\n"                                  \
	"    actions: {a: output(n), b: drop}\n"

static void test_mistakes_of_entries(void **state)
{
	says(TABLE "    entries: [{l4.dst: 5, action: b}]\n", "t.yaml:9:15: the key needs ip.dst too\n");
	says(TABLE "    entries: [{ip.dst: 10.0.0.1, l4.dst: 9-5, action: b}]\n",
	     "t.yaml:9:42: l4.dst: the range \"9-5\" is backwards\n");
	says(TABLE "    entries: [{ip.dst: 10.0.0.0/8, action: b}]\n",
	     "t.yaml:9:24: ip.dst: \"10.0.0.0/8\" is a prefix, but the table compares the whole address\n");
	says(TABLE "    entries: [{ip.dst: 10.0.0.1, action: c}]\n",
	     "t.yaml:9:42: table t has no action \"c\"; there is a, b\n"
	     "t.yaml:9:15: no action is said; table t has several\n");
	says(TABLE "    entries: [{ip.dst: 10.0.0.1, l4.dst: 65536, action: b}]\n",
	     "t.yaml:9:42: l4.dst: \"65536\" does not fit into 16 bits\n");
	says(TABLE "    entries: [{ip.dst: 10.0.0.1, action: b, m: 5}]\n",
	     "t.yaml:9:48: table t has no part of the key and no value \"m\"\n");
	says(TABLE "    entries: [{ip.dst: 10.0.0.1, action: b, n: 10.0.0.1}]\n",
	     "t.yaml:9:48: n: \"10.0.0.1\" is an address, not a number\n");
	says(TABLE "    entries: [{ip.dst: 10.0.0.1, action: b}, {ip.dst: 10.0.0.1, l4.dst: '*', action: a}]\n",
	     "t.yaml:9:46: two entries have this key; the first is on line 9\n");
	says(TABLE
	     "    entries: [{ip.dst: 10.0.0.1, action: b}, {ip.dst: 10.0.0.2, action: b}, {ip.dst: gw, action: b}]\n",
	     "t.yaml:9:14: 3 entries; the capacity of table \"t\" is 2\n");
}

static void test_mistakes_of_tables(void **state)
{
	says("    key: {ip.dst: exact}\n    capacity: 2\n", "");
	says("    key: {ip.dst: exakt}\n    capacity: 2\n    action: drop\n",
	     "t.yaml:5:19: \"exakt\" is not one of exact, prefix, ternary, range; did you mean \"exact\"?\n");
	says("    key: {l4.dst: prefix}\n    capacity: 2\n    action: drop\n",
	     "t.yaml:5:19: \"l4.dst\" is a number; only addresses have prefixes\n");
	says("    key: {biflow.l4: exact}\n    capacity: 2\n    action: drop\n",
	     "t.yaml:5:11: \"biflow.l4\" cannot be part of a match table's key; fields, variables and TABLE.NAME "
	     "can\n");
	says("    key: {ip.dst: exact}\n    action: drop\n",
	     "t.yaml:4:5: table \"t\" needs a capacity: how many flows it may hold\n");
	says("    key: {ip.dst: exact}\n    capacity: 2\n    action: drop\n    rules: [{}]\n",
	     "t.yaml:8:5: unknown key \"rules\" in a match table\n");
	says("    key: {ip.dst: exact}\n    capacity: 2\n    values: [idle]\n    action: output(idle)\n",
	     "t.yaml:7:14: \"idle\" cannot name a value: entries have it anyway\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_table),
		cmocka_unit_test(test_a_range_is_prefixes),
		cmocka_unit_test(test_mistakes_of_entries),
		cmocka_unit_test(test_mistakes_of_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
