/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups, members and meters: what is understood, what is refused, and changes of members as text. */
#include "front.h"

#include <errno.h>
#include <stdio.h>

#include "tables/group.h"

/* clang-format off */
#define GROUP "groups: {g: {type: select, values: [addr ip, n], members: [{id: 1, ip: 10.0.0.1, n: 5}, {id: 2, ip: 10.0.0.2, n: 6, weight: 3}]}}\n"
#define HEAD "app: a\n" GROUP "meters: {m: {cir: 10pps, cbs: 3}}\nvariables: [g v, c]\n"
#define STATE "    state: {lookup: [ip.src], capacity: 9, registers: [g s], meters: {own: {cir: 1Mbps, cbs: 1500B, pir: 2Mbps, pbs: 3kB}}}\n"
#define RULE(text) HEAD "tables:\n  - name: t\n" STATE "    rules: [{" text "}]\n"
#define GOOD                                                                                                           \
	RULE("do: s = select(g); c = meter(own), action: c = meter(m); v = s; ip.dst = v.ip; output(s.n)")             \
	"  - name: u\n    rules: [{match: {c: [yellow, red]}, action: drop}]\n"
/* clang-format on */

static void groups_and_meters_are_read(void **state)
{
	struct app *app = front_good(GOOD);
	const struct app_table *t = &app->table[0];

	assert_int_equal(app->n_groups, 1);
	assert_int_equal(app->group[0].size, GROUP_SIZE_DEFAULT);
	assert_int_equal(app->group[0].n_members, 2);
	assert_int_equal(app->group[0].member[1].weight, 3);
	assert_int_equal(app->group[0].member[1].word[2], 6);
	assert_int_equal(app->meter[0].rates.committed.burst, 3 * METER_COST_FRAMES);
	assert_int_equal(t->meter[0].rates.peak.rate, 2000000);
	assert_int_equal(t->meter[0].rates.peak.burst, 3000 * METER_COST_BYTES);
	assert_int_equal(t->n_regs, 1 + METER_WORDS);
	app_free(app);
}

static void what_is_shown_is_read_again(void **state)
{
	struct app *app = front_good(GOOD), *again;
	_cleanup_free_ char *yaml = app_render_yaml(app), *second = NULL;

	again = front_good(yaml);
	second = app_render_yaml(again);
	assert_string_equal(yaml, second);
	app_free(app);
	app_free(again);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *text, *says;
	} mistakes[] = {
		{RULE("do: s = select(h)"), "select(h): there is no such group"},
		{RULE("action: ip.dst = s.op"), "members of \"g\" have no value \"op\"; did you mean \"ip\"?"},
		{RULE("do: c = meter(m)"), "\"m\" is a meter of all flows: it is charged in action:"},
		{RULE("action: c = meter(own)"), "\"own\" is a meter of each flow: it is charged in do:"},
		{RULE("do: c = meter(own) + meter(own)"), "2 meters in the do: of one rule"},
		{RULE("when: has(c)"), "unknown header or field \"c\""},
		{"app: a\ngroups: {g: {type: selct}}\n", "did you mean \"select\"?"},
		{"app: a\ngroups: {g: {type: select, size: 65536}}\n", "the size of a group is a prime"},
		{"app: a\ngroups: {g: {type: all, members: [{id: 1, port: 65}]}}\n", "\"65\" is no port"},
		{"app: a\ngroups: {g: {type: all, members: [{id: 1}, {id: 1}]}}\n", "group \"g\" has two members 1"},
		{"app: a\ngroups: {g: {type: all, members: [{id: 256}]}}\n", "the id of a member is at most 255"},
		{"app: a\ngroups: {g: {type: select, values: [addr ip], members: [{id: 1}]}}\n",
		 "member 1 has no \"ip\""},
		{"app: a\ngroups: {g: {type: select, values: [n], members: [{id: 1, n: 10.0.0.1}]}}\n",
		 "\"10.0.0.1\" is an address"},
		{"app: a\nmeters: {m: {cir: 10pps}}\n", "a meter with \"cir\" needs \"cbs\" too"},
		{"app: a\nmeters: {m: {cir: 10pps, cbs: 1, pir: 1Mbps, pbs: 9kB}}\n", "not both"},
		{"app: a\nmeters: {m: {cir: 2Mbps, cbs: 9kB, pir: 1Mbps, pbs: 9kB}}\n", "the peak rate is below"},
		{"app: a\nmeters: {m: {cir: 2Mbps, cbs: 0B}}\n", "a burst is from 1 to"},
		{"app: a\ngroups: {g: {type: all}}\ntables: [{name: t, hook: xdp, rules: [{action: group(g)}]}]\n",
		 "group(g) sends copies, which XDP cannot; put the table on tc-ingress"},
		{"app: a\ngroups: {g: {type: indexed}}\ntables: [{name: t, rules: [{action: group(g)}]}]\n",
		 "a group of type indexed chooses no member"},
	};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct app *app;
		_cleanup_free_ char *messages = front_parse(mistakes[i].text, NULL, 0, NULL, &app);

		if (app || !strstr(messages, mistakes[i].says))
			fail_msg("expected \"%s\", got:\n%s", mistakes[i].says, messages);
	}
}

/* ---- changes as text ---- */

static char *changed(const struct app *app, const char *changes, enum group_verb verb, unsigned id, const char *text)
{
	const struct group_change change = {.verb = verb, .group = "g", .id = id, .text = text};
	char *ret = NULL, *why = NULL;
	int r = group_change(app, NULL, changes, &change, &ret, &why);

	assert_int_equal(r < 0, ret == NULL);
	if (r == 0)
		return ret;
	assert_non_null(why);
	return why;
}

static void changes_lie_over_the_file(void **state)
{
	struct app *app = front_good(GOOD);
	struct members *members = malloc(sizeof(*members));
	_cleanup_free_ char *a = changed(app, "", GROUP_SET, 2, "weight=0 n=7");
	_cleanup_free_ char *b = changed(app, a, GROUP_SET, 2, "health=down weight=1");
	_cleanup_free_ char *c = changed(app, b, GROUP_ADD, 9, "ip=2001:db8::9 n=1");
	_cleanup_free_ char *d = changed(app, c, GROUP_REMOVE, 1, "");
	_cleanup_free_ char *e = changed(app, d, GROUP_REMOVE, 9, "");
	_cleanup_free_ char *f = changed(app, e, GROUP_ADD, 1, "ip=10.0.0.8 n=8");
	_cleanup_free_ char *g = changed(app, f, GROUP_RESET, 0, "");

	assert_string_equal(b, "g 2 n=7 health=down weight=1\n");
	assert_string_equal(e, "g 2 n=7 health=down weight=1\ng 1 removed\n");
	assert_string_equal(g, "");
	group_members(&app->group[0], NULL, c, members);
	assert_int_equal(members->n, 3);
	assert_true(members->item[1].down);
	assert_int_equal(members->item[1].word[2], 7);
	assert_int_equal(members->item[2].word[0], 0x20010db800000000);
	group_members(&app->group[0], NULL, e, members);
	assert_int_equal(members->n, 1);
	/* What the file no longer has is passed over. */
	group_members(&app->group[0], NULL, "g 2 gone=1 n=9\nother 1 n=3\n", members);
	assert_int_equal(members->item[1].word[2], 9);
	free(members);
	app_free(app);
}

static void wrong_changes_are_refused(void **state)
{
	static const struct {
		enum group_verb verb;
		unsigned id;
		const char *text, *says;
	} wrong[] = {
		{GROUP_SET, 7, "n=1", "g has no member 7"},
		{GROUP_SET, 1, "n=x", "n: \"x\" does not fit"},
		{GROUP_SET, 1, "m=1", "a member of g has no \"m\""},
		{GROUP_SET, 1, "n", "written KEY=VALUE"},
		{GROUP_SET, 1, "weight=65536", "weight: \"65536\" does not fit"},
		{GROUP_ADD, 3, "n=1", "a new member of g needs ip=..."},
		{GROUP_ADD, 1, "n=1", "g has a member 1 already"},
		{GROUP_REMOVE, 7, "", "g has no member 7"},
	};
	struct app *app = front_good(GOOD);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		_cleanup_free_ char *why = changed(app, "", wrong[i].verb, wrong[i].id, wrong[i].text);

		if (!strstr(why, wrong[i].says))
			fail_msg("expected \"%s\", got \"%s\"", wrong[i].says, why);
	}
	app_free(app);
}

/* ---- memory ---- */

/* Tables are written beside each other and what they leave is used again. */
static void slots_are_found_and_given_back(void **state)
{
	struct app *app = front_good(GOOD);
	struct groups *groups = calloc(1, sizeof(*groups));
	struct members *members = malloc(sizeof(*members));
	const struct app_group *group = &app->group[0];
	unsigned room = GROUP_SLOTS / GROUP_SIZE_DEFAULT;

	group_members(group, NULL, "", members);
	for (unsigned i = 0; i < room; i++)
		assert_int_equal(group_write(groups, i, group, members), 0);
	assert_int_equal(group_write(groups, room, group, members), -ENOSPC);
	assert_int_equal(GROUP_FIRST(groups->at[room - 1].table), (room - 1) * GROUP_SIZE_DEFAULT);
	group_clear(groups, 3);
	members->item[0].weight = 9;
	assert_int_equal(group_write(groups, 0, group, members), 0);
	assert_int_equal(GROUP_FIRST(groups->at[0].table), 3 * GROUP_SIZE_DEFAULT);
	assert_int_equal(groups->member[MEMBER_INDEX(3, 1, MEMBER_VALID)], 0);
	free(members);
	free(groups);
	app_free(app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_and_meters_are_read), cmocka_unit_test(what_is_shown_is_read_again),
		cmocka_unit_test(mistakes_are_named),	      cmocka_unit_test(changes_lie_over_the_file),
		cmocka_unit_test(wrong_changes_are_refused),  cmocka_unit_test(slots_are_found_and_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
