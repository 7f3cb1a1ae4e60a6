/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows for people and for scripts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tables/render.h"

#define NOW ((1ULL << TIME_BASE_NS_SHIFT) + 100000000000ULL)

static char *text;
static size_t size;
static FILE *out;
static struct render *r;

static void begin(bool json)
{
	out = open_memstream(&text, &size);
	r = render_new(out, json);
	assert_non_null(r);
}

static void expect(const char *want)
{
	render_free(r);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static void row(const char *name, uint64_t packets)
{
	render_row_begin(r);
	render_string(r, "rule_name", name);
	render_u64(r, "packets", packets);
	render_row_end(r);
}

static void text_is_aligned_columns(void **state)
{
	begin(false);
	row("first", 7);
	row("over-the-rate", 12345);
	render_note(r, "%d rules", 2);
	expect("rule name      packets\n"
	       "first          7\n"
	       "over-the-rate  12345\n"
	       "2 rules\n");
}

static void json_is_one_object_a_line(void **state)
{
	begin(true);
	row("fi\"rst", UINT64_MAX);
	render_row_begin(r);
	render_bool(r, "up", true);
	render_i64(r, "delta", -3);
	render_ns(r, "idle", 12345678);
	render_note(r, "not for scripts");
	render_value(r, "src", TYPE_ADDR, 0, 0xffff0a000001ULL, 0);
	render_value(r, "mac", TYPE_MAC, 0, 0x0200000000ff, 0);
	render_value(r, "proto", TYPE_PROTO, 0, 17, 0);
	render_value(r, "start", TYPE_TIME, 0, NOW, NOW);
	render_row_end(r);
	expect("{\"rule_name\":\"fi\\\"rst\",\"packets\":18446744073709551615}\n"
	       "{\"up\":true,\"delta\":-3,\"idle_ns\":12345678,\"src\":\"10.0.0.1\",\"mac\":\"02:00:00:00:00:ff\","
	       "\"proto\":17,"
	       "\"start\":72057694037927936}\n");
}

static void other_columns_begin_a_new_table(void **state)
{
	begin(false);
	row("a", 1);
	render_row_begin(r);
	render_string(r, "rule_name", "b");
	render_string(r, "port", "");
	render_row_end(r);
	row("c", 2);
	render_row_begin(r);
	render_string(r, "rule_name", "d");
	render_row_end(r);
	expect("rule name  packets\na          1\n\nrule name  port\nb          -\n\nrule name  packets\nc          "
	       "2\n\nrule name\nd\n");
}

static void many_rows_need_no_memory_and_keep_their_columns(void **state)
{
	unsigned lines = 0;

	begin(false);
	for (unsigned i = 0; i < 1000; i++)
		row(i == 900 ? "a-name-longer-than-those-before" : "x", i);
	render_free(r);
	fclose(out);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 1001);
	assert_non_null(strstr(text, "\nx          999\n"));
	assert_non_null(strstr(text, "\na-name-longer-than-those-before  900\n"));
	free(text);
}

static struct layout police(void)
{
	struct layout l = {.n_keys = 1, .n_regs = 2, .n_states = 2, .key_words = 2};

	l.key[0] = (struct layout_field){"ip.src", TYPE_ADDR, 4, 0, 128};
	l.reg[0] = (struct layout_field){"start_at", TYPE_TIME, 6, 0, 64};
	l.reg[1] = (struct layout_field){"n", TYPE_U64, 7, 0, 64};
	strcpy(l.state[0].name, "NEW");
	strcpy(l.state[1].name, "METERED");
	l.state[1].id = 3;
	return l;
}

static void a_flow_reads_well_and_exactly(void **state)
{
	struct layout l = police();
	uint64_t words[8] = {0, 0, 0, 0, 0, 0xffff0a000007ULL, NOW - 3200000000ULL, 5};
	struct flow_head head = {
		.alive = 1, .state = 3, .last_used_ns = NOW - 12000000, .deadline_ns = NOW + 59900000000ULL};

	memcpy(words, &head, sizeof(head));
	begin(false);
	render_flow(r, &l, words, NOW);
	head.deadline_ns = 0;
	head.state = 0;
	memcpy(words, &head, sizeof(head));
	render_flow(r, &l, words, NOW);
	expect("ip.src    state    start_at  n  idle   expires in\n"
	       "10.0.0.7  METERED  -3.2 s    5  12 ms  59.9 s\n"
	       "10.0.0.7  NEW      -3.2 s    5  12 ms  -\n");
	begin(true);
	render_flow(r, &l, words, NOW);
	expect("{\"key\":{\"ip.src\":\"10.0.0.7\"},\"state\":\"NEW\",\"registers\":{\"start_at\":72057690837927936,"
	       "\"n\":5},"
	       "\"idle_ns\":12000000,\"expires_in_ns\":null}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_aligned_columns),
		cmocka_unit_test(json_is_one_object_a_line),
		cmocka_unit_test(other_columns_begin_a_new_table),
		cmocka_unit_test(many_rows_need_no_memory_and_keep_their_columns),
		cmocka_unit_test(a_flow_reads_well_and_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
