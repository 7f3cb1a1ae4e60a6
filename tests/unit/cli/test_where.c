/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions on flows, and the first N of an order. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/flow_best.h"
#include "cli/where.h"

static const char police[] = "app: limiter\n"
			     "tables:\n"
			     "  - name: police\n"
			     "    state:\n"
			     "      lookup: [ip.src, l4.dst]\n"
			     "      capacity: 100\n"
			     "      states: [NEW, {name: METERED, idle: 60s}]\n"
			     "      registers: [time start, count]\n"
			     "    rules:\n"
			     "      - {do: start = now; count += 1, next: METERED, action: pass}\n";

static const uint64_t NOW = 1ull << 56;

struct fixture {
	struct app *app;
	struct layout layout;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct diag_list diags;
	const char *why;

	diag_init(&diags, "police.yaml");
	if (app_parse(police, strlen(police), NULL, 0, NULL, &diags, &f->app) < 0)
		fail_msg("%s", diag_text(&diags));
	diag_done(&diags);
	assert_int_equal(layout_make(f->app, &f->app->table[0], &f->layout, &why), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	app_free(f->app);
	free(f);
	return 0;
}

static void put(const struct layout_field *field, size_t n, const char *name, uint64_t *words, uint64_t hi, uint64_t lo)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(field[i].name, name))
			layout_put(&field[i], (__u64 *)words, hi, lo);
}

/* A flow of 10.0.0.<host>, port 53, METERED, used 'idle' seconds ago, start a second ago, count 'count'. */
static void make_flow(const struct layout *layout, uint64_t *words, unsigned host, unsigned idle_s, uint64_t count)
{
	struct flow_head head = {.alive = 1, .state = 1, .change = 2, .last_used_ns = NOW - idle_s * 1000000000ull};

	memset(words, 0, RECORD_SIZE(RECORD_256));
	memcpy(words, &head, sizeof(head));
	put(layout->key, layout->n_keys, "ip.src", words, 0, 0x0000ffff0a000000ull + host);
	put(layout->key, layout->n_keys, "l4.dst", words, 0, 53);
	put(layout->reg, layout->n_regs, "start", words, 0, NOW - 1000000000ull);
	put(layout->reg, layout->n_regs, "count", words, 0, count);
}

static bool matches(const struct layout *layout, const char *text, const uint64_t *words)
{
	struct where where = {};
	char why[256];

	assert_int_equal(where_add(&where, text), 0);
	if (where_resolve(&where, layout, why) < 0)
		fail_msg("%s: %s", text, why);
	return where_matches(&where, words, NOW);
}

static void conditions_hold_or_not(void **state)
{
	static const struct {
		const char *text;
		bool holds;
	} cases[] = {
		{"ip.src=10.0.0.7", true},
		{"ip.src = 10.0.0.8", false},
		{"ip.src != 10.0.0.8", true},
		{"ip.src=10.0.0.0/8", true},
		{"ip.src=11.0.0.0/8", false},
		{"ip.src!=10.0.0.0/24", false},
		{"ip.src=10.0.0.7/32", true},
		{"ip.src=0.0.0.0/0", true},
		{"ip.src=::/0", true},
		{"ip.src=2001:db8::/32", false},
		{"l4.dst=53", true},
		{"l4.dst>53", false},
		{"l4.dst>=53", true},
		{"l4.dst<54", true},
		{"l4.dst<=52", false},
		{"state == METERED", true},
		{"state=NEW", false},
		{"state!=NEW", true},
		{"idle<10s", true},
		{"idle>10s", false},
		{"idle>=5s", true},
		{"count=9", true},
		{"count>8", true},
		{"start<-500ms", true},
		{"start>-2s", true},
		{"start>+1s", false},
	};
	struct fixture *f = *state;
	uint64_t words[RECORD_WORDS(RECORD_256)];

	make_flow(&f->layout, words, 7, 5, 9);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (matches(&f->layout, cases[i].text, words) != cases[i].holds)
			fail_msg("%s", cases[i].text);
}

static void mistakes_name_what_there_is(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"ip.scr=10.0.0.1", "did you mean \"ip.src\""},
		{"zzz=1", "there are ip.src, l4.dst"},
		{"ip.src", "FIELD = VALUE"},
		{"=5", "FIELD = VALUE"},
		{"count=", "FIELD = VALUE"},
		{"count=ten", "no number"},
		{"ip.src=10.0.0.0/33", "no prefix"},
		{"ip.src<10.0.0.0/8", "can only be"},
		{"state=METERD", "did you mean \"METERED\""},
		{"state<NEW", "can only be"},
		{"idle=x", "no duration"},
		{"start=-x", "offset"},
		{"count!5", "FIELD = VALUE"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct where where = {};
		char why[256];

		where_add(&where, cases[i].text);
		assert_int_equal(where_resolve(&where, &f->layout, why), -EINVAL);
		if (!strstr(why, cases[i].said))
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].text, why, cases[i].said);
	}
}

static void there_is_an_end_to_conditions(void **state)
{
	struct where where = {};

	for (int i = 0; i < WHERE_MAX; i++)
		assert_int_equal(where_add(&where, "count=1"), 0);
	assert_int_equal(where_add(&where, "count=1"), -E2BIG);
}

static void the_first_flows_of_an_order_are_kept(void **state)
{
	enum { N = 1000, LIMIT = 10 };
	struct fixture *f = *state;
	struct flow_best *busiest = flow_best_new(FLOW_BY_IDLE, LIMIT), *lowest = flow_best_new(FLOW_BY_KEY, LIMIT);
	uint64_t words[RECORD_WORDS(RECORD_256)];
	struct flow_head head;

	for (unsigned i = 0; i < N; i++) {
		unsigned mixed = (i * 617 + 3) % N;

		make_flow(&f->layout, words, N - mixed, mixed, 0);
		assert_int_equal(flow_best_offer(busiest, &f->layout, words), 0);
		assert_int_equal(flow_best_offer(lowest, &f->layout, words), 0);
	}
	assert_int_equal(flow_best_sort(busiest), LIMIT);
	assert_int_equal(flow_best_sort(lowest), LIMIT);
	for (unsigned i = 0; i < LIMIT; i++) {
		memcpy(&head, flow_best_get(busiest, i), sizeof(head));
		assert_int_equal(head.last_used_ns, NOW - i * 1000000000ull);
		memcpy(&head, flow_best_get(lowest, i), sizeof(head));
		assert_int_equal(head.last_used_ns, NOW - (N - 1 - i) * 1000000000ull);
	}
	flow_best_free(busiest);
	flow_best_free(lowest);
}

static void fewer_flows_than_the_limit_are_all_kept(void **state)
{
	struct fixture *f = *state;
	struct flow_best *best = flow_best_new(FLOW_BY_KEY, 1000);
	uint64_t words[RECORD_WORDS(RECORD_256)];

	for (unsigned i = 0; i < 3; i++) {
		make_flow(&f->layout, words, 3 - i, 0, i);
		flow_best_offer(best, &f->layout, words);
	}
	assert_int_equal(flow_best_sort(best), 3);
	assert_true(matches(&f->layout, "ip.src=10.0.0.1", flow_best_get(best, 0)));
	flow_best_free(best);
	best = flow_best_new(FLOW_BY_KEY, 5);
	assert_int_equal(flow_best_sort(best), 0);
	flow_best_free(best);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(conditions_hold_or_not),
		TEST(mistakes_name_what_there_is),
		TEST(there_is_an_end_to_conditions),
		TEST(the_first_flows_of_an_order_are_kept),
		TEST(fewer_flows_than_the_limit_are_all_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
