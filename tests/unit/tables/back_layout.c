/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How records are laid out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "back_machine.h"

/* A table with this state: section, parsed; the caller frees. */
static struct app *parse(const char *state_section)
{
	struct diag_list diags;
	struct app *app = NULL;
	char yaml[4096];

	snprintf(yaml, sizeof(yaml),
		 "app: test\ntables:\n  - name: t\n    state: {%s}\n    rules:\n      - {action: drop}\n",
		 state_section);
	diag_init(&diags, "test.yaml");
	if (app_parse(yaml, strlen(yaml), NULL, 0, NULL, &diags, &app) < 0)
		diag_print(&diags, yaml, stderr);
	diag_done(&diags);
	assert_non_null(app);
	return app;
}

static struct layout layout_of(const char *state_section)
{
	struct app *app = parse(state_section);
	struct layout layout;
	const char *why;

	assert_int_equal(layout_make(app, &app->table[0], &layout, &why), 0);
	app_free(app);
	return layout;
}

static void a_source_address_and_two_registers_fit_the_smallest_record(void **state)
{
	struct layout l = layout_of("lookup: [ip.src], capacity: 8, registers: [time a, b]");

	assert_int_equal(l.record_class, RECORD_64);
	assert_int_equal(l.key_words, 2);
	assert_int_equal(l.key[0].word, 4);
	assert_int_equal(l.key[0].bits, 128);
	assert_int_equal(l.reg[0].word, 6);
	assert_int_equal(l.reg[1].word, 7);
	assert_int_equal(l.reg[0].type, TYPE_TIME);
}

static void a_five_tuple_has_room_for_eight_registers_and_more(void **state)
{
	struct layout l = layout_of(
		"lookup: [ip.src, l4.src, ip.dst, l4.dst, ip.proto], capacity: 8, registers: [a, b, c, d, e, f, g, h]");

	assert_int_equal(l.key_words, 5);
	assert_int_equal(l.record_class, RECORD_256);
	assert_int_equal(l.n_registers, 8);
	/* Ports and protocol share the last word, none over another. */
	for (unsigned i = 0; i < l.n_keys; i++)
		for (unsigned j = 0; j < i; j++)
			if (l.key[i].word == l.key[j].word && l.key[i].bits <= 64 && l.key[j].bits <= 64)
				assert_true(l.key[i].shift + l.key[i].bits <= l.key[j].shift ||
					    l.key[j].shift + l.key[j].bits <= l.key[i].shift);
	l = layout_of("lookup: [ipv4.src/24, l4.src], capacity: 8");
	assert_int_equal(l.key[0].bits, 120);
	assert_int_equal(l.key_words, 3);
}

static void small_fields_share_a_word(void **state)
{
	struct layout l = layout_of("lookup: [eth.src, l4.src, ip.proto, vlan.id], capacity: 8");

	assert_int_equal(l.key_words, 2);
	assert_int_equal(l.record_class, RECORD_64);
	assert_int_equal(l.key[0].word, l.key[1].word);
}

static void what_is_put_comes_back(void **state)
{
	struct layout l = layout_of(
		"lookup: [ip.src, ipv6.dst/40, ip.proto, eth.src, l4.src], capacity: 8, registers: [addr a, mac m]");
	__u64 words[32] = {}, hi, lo;

	for (unsigned i = 0; i < l.n_keys; i++)
		layout_put(&l.key[i], words, 0x1122334455000000ULL, 0xabcdef * (i + 1));
	layout_put(&l.reg[0], words, 7, 8);
	layout_put(&l.reg[1], words, 0, 9);
	for (unsigned i = 0; i < l.n_keys; i++) {
		layout_get(&l.key[i], words, &hi, &lo);
		if (l.key[i].bits == 40)
			assert_true(hi == 0x1122334455000000ULL && lo == 0);
		else if (l.key[i].bits == 128)
			assert_true(hi == 0x1122334455000000ULL && lo == 0xabcdef * (i + 1));
		else
			assert_true(lo == ((0xabcdef * (i + 1)) & ((1ULL << l.key[i].bits) - 1)));
	}
	layout_get(&l.reg[0], words, &hi, &lo);
	assert_true(hi == 7 && lo == 8);
	layout_get(&l.reg[1], words, &hi, &lo);
	assert_true(lo == 9);
}

static void equal_layouts_have_equal_hashes_and_others_not(void **state)
{
	static const char *const others[] = {
		"lookup: [ip.dst], capacity: 8, registers: [a, time b]",
		"lookup: [ip.src], capacity: 9, registers: [a, time b]",
		"lookup: [ip.src], capacity: 8, registers: [a, b]",
		"lookup: [ip.src], capacity: 8, registers: [time b, a]",
		"lookup: [ip.src], capacity: 8, registers: [a, time c]",
		"lookup: [ip.src], update: [ip.dst], capacity: 8, registers: [a, time b]",
		"lookup: [ip.src, ip.proto], capacity: 8, registers: [a, time b]",
	};
	__u64 hash = layout_of("lookup: [ip.src], capacity: 8, registers: [a, time b]").hash;

	assert_true(
		hash ==
		layout_of("lookup: [ip.src], capacity: 4 * 2, states: [A, {name: B, idle: 1s}], registers: [a, time b]")
			.hash);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_true(hash != layout_of(others[i]).hash);
}

static void what_does_not_fit_is_refused_with_numbers(void **state)
{
	struct app *app = parse("lookup: [ip.src, ip.dst], capacity: 8, registers: [a]");
	struct app_key key[3] = {app->table[0].lookup[0], app->table[0].lookup[1], app->table[0].lookup[0]};
	struct app_table table = app->table[0];
	struct typed reg[25] = {};
	struct layout layout;
	const char *why;

	table.lookup = key;
	table.n_lookup = 3;
	assert_int_equal(layout_make(app, &table, &layout, &why), -E2BIG);
	assert_string_equal(why, "key too long: 384 bits (48 bytes) packed into words of 64, room for 40 bytes");
	table.n_lookup = 2;
	for (unsigned i = 0; i < 25; i++)
		reg[i] = (struct typed){.name = "r", .word = i};
	table.reg = reg;
	table.n_regs = 25;
	assert_int_equal(layout_make(app, &table, &layout, &why), -E2BIG);
	assert_string_equal(why, "registers do not fit: 4 words of key and 25 of registers, a record has room for 28");
	table.n_regs = 24;
	assert_int_equal(layout_make(app, &table, &layout, &why), 0);
	assert_int_equal(layout.record_class, RECORD_256);
	app_free(app);
}

static void an_unknown_state_reads_as_the_first(void **state)
{
	struct layout l = layout_of("lookup: [ip.src], capacity: 8, states: [NEW, {name: OLD, idle: 1s}]");

	l.state[1].id = 9;
	assert_string_equal(layout_state_name(&l, 9), "OLD");
	assert_string_equal(layout_state_name(&l, 1), "NEW");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_address_and_two_registers_fit_the_smallest_record),
		cmocka_unit_test(a_five_tuple_has_room_for_eight_registers_and_more),
		cmocka_unit_test(small_fields_share_a_word),
		cmocka_unit_test(what_is_put_comes_back),
		cmocka_unit_test(equal_layouts_have_equal_hashes_and_others_not),
		cmocka_unit_test(what_does_not_fit_is_refused_with_numbers),
		cmocka_unit_test(an_unknown_state_reads_as_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
