/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Good applications: what the checker makes of them. */
#include <errno.h>

#include "front.h"

static const struct app_table *table_of(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_tables; i++)
		if (strcmp(app->table[i].name, name) == 0)
			return &app->table[i];
	fail_msg("no table %s", name);
	return NULL;
}

static void assert_text(const struct expr *e, const char *text)
{
	_cleanup_free_ char *rendered = expr_render(e);

	assert_string_equal(rendered, text);
}

static void test_three_colours(void **state)
{
	struct app *app = front_good(
		"app: colours\n"
		"parameters: {committed: 8Mbps, burst: 32KiB, top: 16Mbps}\n"
		"tables:\n"
		"  - name: shape\n"
		"    let:\n"
		"      cost: length * 8 * 1s / committed\n"
		"      window: burst * 8 * 1s / committed\n"
		"      due: max(paid, now - window) + cost\n"
		"    state:\n"
		"      lookup: [ip.src]\n"
		"      capacity: 1024\n"
		"      states: [FRESH, {name: SEEN, idle: 90s}]\n"
		"      registers: [time paid]\n"
		"    rules:\n"
		"      - {name: ok, when: due <= now, do: paid = due, next: SEEN, action: ip.dscp = 10; pass}\n"
		"      - {name: late, when: due > now and top != 0, action: drop}\n"
		"    absent: deliver\n");
	const struct app_table *t = table_of(app, "shape");

	assert_int_equal(t->n_lets, 3);
	assert_int_equal(t->let[0].expr->type, TYPE_DURATION);
	assert_false(t->let[0].expr->constant);
	assert_true(t->let[1].expr->constant);
	assert_true(t->let[1].expr->value == 32768ULL * 8 * 1000000000 / 8000000);
	assert_int_equal(t->let[2].expr->type, TYPE_TIME);
	assert_text(t->let[2].expr, "max(paid, now - window) + cost");
	assert_text(t->let[0].expr, "length * 8 * 1s / committed");
	assert_true(t->state[1].idle_ns == 90000000000);
	assert_string_equal(t->state[1].idle_text, "90s");
	assert_int_equal(t->absent.item[0].verdict, VERDICT_DELIVER);
	assert_int_equal(t->rule[0].do_.item[0].lhs->ref.kind, REF_REGISTER);
	assert_int_equal(t->rule[0].do_.item[0].value->ref.kind, REF_LET);
	assert_string_equal(t->rule[0].text,
			    "name: ok, when: due <= now, do: paid = due, next: SEEN, action: ip.dscp = 10; pass");
	app_free(app);
}

static const char *const lock =
	"app: lock\n"
	"parameters: {one: 1001, two: 1002, door: 22, quiet: 4}\n"
	"tables:\n"
	"  - name: sequence\n"
	"    state:\n"
	"      lookup: [ip.src]\n"
	"      capacity: 500\n"
	"      when_full: evict\n"
	"      expire_within: 10ms\n"
	"      states:\n"
	"        - SHUT\n"
	"        - {name: HALF, hard: 5s}\n"
	"        - {name: OPEN, idle: (quiet + 1) * 2s, idle_to: HALF, hard: 1min, on_timeout: notify}\n"
	"    rules:\n"
	"      - {match: {ip.proto: [icmp, icmpv6]}, refresh: no, action: pass}\n"
	"      - {state: SHUT, match: {l4.dst: one}, next: HALF, action: drop}\n"
	"      - {state: HALF, match: {l4.dst: two}, next: OPEN, action: notify; drop}\n"
	"      - {state: OPEN, match: {l4.dst: door}, action: pass}\n"
	"      - {next: SHUT, action: drop}\n"
	"    absent: pass\n";

static void test_knocking(void **state)
{
	struct app *app = front_good(lock);
	const struct app_table *t = &app->table[0];

	assert_int_equal(t->n_states, 3);
	assert_int_equal(t->when_full, FULL_EVICT);
	assert_true(t->expire_soon);
	assert_true(t->state[2].idle_ns == 10000000000);
	assert_int_equal(t->state[2].idle_to, 1);
	assert_int_equal(t->state[2].hard_to, 0);
	assert_string_equal(t->state[2].idle_text, "(quiet + 1) * 2s");
	assert_true(t->state[2].notify);
	assert_true(t->rule[0].any_state && t->rule[0].no_refresh);
	assert_int_equal(t->rule[0].match[0].n_alts, 2);
	assert_int_equal(t->rule[2].states, 1 << 1);
	assert_int_equal(t->rule[2].next, 2);
	assert_int_equal(t->rule[2].match[0].alt[0].lo, 1002);
	assert_int_equal(t->rule[4].next, 0);
	app_free(app);
}

static void test_settings(void **state)
{
	const struct setting good[] = {{"one", "7000"}, {"quiet", "9"}}, bad[] = {{"one", "5s"}, {"tow", "1"}};
	_cleanup_free_ char *messages = NULL, *mistakes = NULL;
	struct app *app;

	messages = front_parse(lock, good, 2, NULL, &app);
	assert_string_equal(messages, "");
	assert_int_equal(app->table[0].rule[1].match[0].alt[0].lo, 7000);
	assert_true(app->table[0].state[2].idle_ns == 20000000000);
	assert_true(app->param[0].is_set && app->param[0].has_default);
	app_free(app);
	mistakes = front_parse(lock, bad, 2, NULL, &app);
	assert_string_equal(mistakes, "t.yaml: parameter \"one\" is a number (like 5), but was set to \"5s\"\n"
				      "t.yaml: there is no parameter \"tow\" to set; did you mean \"two\"?\n");
}

static void test_two_scopes(void **state)
{
	struct app *app = front_good(
		"app: bridge\n"
		"tables:\n"
		"  - name: sane\n"
		"    rules:\n"
		"      - {match: {eth.src: \"01:00:00:00:00:00/01:00:00:00:00:00\"}, action: drop}\n"
		"  - name: where\n"
		"    state:\n"
		"      lookup: [eth.dst]\n"
		"      update: [eth.src]\n"
		"      capacity: 100\n"
		"      when_full: continue\n"
		"      states: [NOWHERE, {name: HERE, idle: 5min}]\n"
		"      registers: [seen]\n"
		"    rules:\n"
		"      - {state: HERE, when: seen == in_port, do: seen = in_port, next: HERE, action: drop}\n"
		"      - {state: HERE, do: seen = in_port, next: HERE, action: output(seen)}\n"
		"      - {do: seen = in_port; seen = where.seen, next: HERE, action: flood}\n");
	const struct app_table *t = table_of(app, "where");
	const struct pattern *mac = &app->table[0].rule[0].match[0].alt[0];

	assert_int_equal(mac->kind, PATTERN_MASK);
	assert_true(mac->lo == 1ULL << 40 && mac->mask_lo == 1ULL << 40);
	assert_int_equal(t->n_update, 1);
	assert_int_equal(t->lookup[0].bits, 48);
	assert_int_equal(t->rule[1].action.item[0].verdict, VERDICT_OUTPUT);
	assert_int_equal(t->rule[1].action.item[0].value->ref.kind, REF_REGISTER);
	assert_int_equal(t->rule[2].do_.item[1].value->ref.kind, REF_TABLE_REGISTER);
	assert_int_equal(t->rule[2].do_.item[1].value->ref.table, 1);
	app_free(app);
}

static int find_port(void *data, const char *name)
{
	return strcmp(name, "lan0") == 0 ? 3 : strcmp(name, "wan0") == 0 ? 7 : -ENOENT;
}

static void test_firewall_with_ports(void **state)
{
	const char *text = "app: wall\n"
			   "parameters: {lan: port, wan: port, quiet: 20s}\n"
			   "tables:\n"
			   "  - name: talks\n"
			   "    state:\n"
			   "      lookup: [biflow.l4, ip.proto]\n"
			   "      capacity: 1000\n"
			   "      states: [NONE, {name: ASKED, idle: quiet}]\n"
			   "    rules:\n"
			   "      - {match: {ip.proto: not udp}, refresh: no, action: pass}\n"
			   "      - {state: NONE, match: {in_port: wan}, refresh: no, action: drop}\n"
			   "      - {match: {in_port: lan}, next: ASKED, action: output(wan)}\n"
			   "      - {match: {in_port: wan}, refresh: no, action: output(lan)}\n"
			   "    absent: pass\n";
	const struct setting settings[] = {{"lan", "lan0"}, {"wan", "wan0"}},
			     wrong[] = {{"lan", "lan0"}, {"wan", "wan9"}};
	const struct port_names ports = {.find = find_port};
	struct app *app;
	_cleanup_free_ char *on_switch = front_parse(text, settings, 2, &ports, &app), *off = NULL, *missing = NULL,
			    *unset = NULL;

	assert_string_equal(on_switch, "");
	assert_int_equal(app->table[0].lookup[0].kind, KEY_BIFLOW_L4);
	assert_int_equal(app->table[0].rule[1].match[0].alt[0].lo, 7);
	assert_int_equal(app->table[0].rule[2].action.item[0].value->value, 7);
	assert_true(app->table[0].rule[0].match[0].negate);
	app_free(app);
	/* Where nobody knows the ports they read as 0, and are still told apart. */
	off = front_parse(text, settings, 2, NULL, &app);
	assert_string_equal(off, "");
	assert_string_equal(app->param[0].value.text, "lan0");
	app_free(app);
	missing = front_parse(text, wrong, 2, &ports, &app);
	assert_string_equal(missing, "t.yaml: parameter \"wan\": port \"wan9\" does not exist on this switch\n");
	unset = front_parse(text, settings, 1, &ports, &app);
	assert_string_equal(
		unset, "t.yaml:2:25: parameter \"wan\" has no value: set it with --set wan=..., the name of a port\n");
}

static void test_tcp_and_tables(void **state)
{
	struct app *app = front_good(
		"app: windows\n"
		"variables: [left, right]\n"
		"tables:\n"
		"  - name: first-look\n"
		"    let: {mine: direction == opener}\n"
		"    state: {lookup: [biflow.l4], capacity: 10, states: [A, {name: B, idle: 60s}], registers: [opener, "
		"due]}\n"
		"    rules:\n"
		"      - {state: A, match: {tcp.flags: +syn-ack}, do: opener = direction; due = tcp.seq + 1, next: B}\n"
		"      - {state: B, when: \"mine and seq_lt(tcp.ack, due)\", do: left = due; right = due + "
		"tcp.window}\n"
		"    otherwise: drop\n"
		"  - name: second\n"
		"    let: {inside: \"seq_le(left, tcp.seq) and seq_le(tcp.seq, right)\"}\n"
		"    rules:\n"
		"      - {when: not inside or first-look.opener == 1, action: drop}\n"
		"      - {match: {tcp.flags: [+fin, +rst]}, action: goto(last)}\n"
		"  - name: last\n"
		"    rules: [{action: pass}]\n");
	const struct app_table *t = table_of(app, "second");

	assert_int_equal(app->table[0].let[0].expr->type, TYPE_BOOL);
	assert_int_equal(t->rule[1].action.item[0].target, 2);
	assert_int_equal(t->rule[1].match[0].alt[1].mask_lo, 0x04);
	assert_false(t->stateful);
	assert_int_equal(t->rule[0].when->arg[1]->arg[0]->ref.kind, REF_TABLE_REGISTER);
	app_free(app);
}

static void test_sets_become_comparisons(void **state)
{
	struct app *app = front_good(
		"app: sets\n"
		"parameters: {web: [80, 443, 8000-8080], nets: [10.0.0.0/8, \"2001:db8::/32\"], high: 1024-65535}\n"
		"tables:\n"
		"  - name: t\n"
		"    rules:\n"
		"      - {when: tcp.src in web, action: drop}\n"
		"      - {when: ip.dst in nets, action: drop}\n"
		"      - {when: \"l4.dst in [1, 5-9]\", action: drop}\n"
		"      - {match: {l4.dst: web, l4.src: high, ip.src: nets}, action: pass}\n");
	const struct app_rule *rule = app->table[0].rule;

	assert_string_equal(rule[0].when_text,
			    "tcp.src == 80 or tcp.src == 443 or tcp.src >= 8000 and tcp.src <= 8080");
	assert_string_equal(rule[1].when_text, "ip.dst in 10.0.0.0/8 or ip.dst in 2001:db8::/32");
	assert_string_equal(rule[2].when_text, "l4.dst == 1 or l4.dst >= 5 and l4.dst <= 9");
	assert_int_equal(rule[3].match[0].n_alts, 3);
	assert_int_equal(rule[3].match[0].alt[2].kind, PATTERN_RANGE);
	assert_int_equal(rule[3].match[1].alt[0].last, 65535);
	assert_int_equal(rule[3].match[2].alt[0].kind, PATTERN_PREFIX);
	assert_true(rule[3].match[2].alt[0].mask_hi == ~0ULL);
	assert_true(rule[3].match[2].alt[0].mask_lo == 0xffffffffff000000);
	app_free(app);
}

static void test_helpers(void **state)
{
	struct app *app = front_good(
		"app: helpers\n"
		"parameters: {mark: ip.dscp}\n"
		"tables:\n"
		"  - name: t\n"
		"    rules:\n"
		"      - {when: \"hash(ip.src, l4.src) % 4 == 0\", action: mark = 7}\n"
		"      - {when: random() % 100 < 3, action: drop}\n"
		"      - {when: random % 100 < 3, action: drop}\n"
		"      - {when: has(tcp) and not has(vlan.id) and mark == 1, action: \"ip.ttl = min(ip.ttl, 5)\"}\n"
		"      - {match: {mark: 3}, action: push(vlan); vlan.id = 12; controller; reflect}\n");
	const struct app_rule *rule = app->table[0].rule;

	assert_int_equal(rule[0].action.item[0].lhs->ref.kind, REF_FIELD);
	assert_string_equal(rule[0].action.item[0].lhs->ref.field->name, "ip.dscp");
	assert_true(rule[3].when->arg[0]->arg[0]->value == 1ULL << PRESENT_TCP);
	assert_int_equal(rule[1].when->arg[0]->arg[0]->kind, EXPR_CALL);
	assert_string_equal(rule[2].when_text, "random() % 100 < 3");
	assert_int_equal(rule[4].action.item[0].kind, STMT_PUSH_VLAN);
	app_free(app);
}

static void test_key_parts(void **state)
{
	struct app *app = front_good("app: keys\n"
				     "variables: [lane, addr client]\n"
				     "tables:\n"
				     "  - name: a\n"
				     "    state: {lookup: [ipv4.src/24, in_port, vlan.id], capacity: 2MiB / 1MiB, "
				     "registers: [addr who, n]}\n"
				     "    rules: [{do: who = ip.src; n += 1; lane = n; client = who}]\n"
				     "  - name: b\n"
				     "    state: {lookup: [a.n, lane, client], capacity: 16, registers: [n]}\n"
				     "    rules: [{do: n += a.n}]\n");
	const struct app_table *a = &app->table[0], *b = &app->table[1];

	assert_int_equal(a->lookup[0].prefix_len, 120);
	assert_int_equal(a->lookup[0].bits, 128);
	assert_int_equal(a->lookup[1].ref.kind, REF_META);
	assert_int_equal(a->capacity, 2);
	assert_string_equal(a->capacity_text, "2MiB / 1MiB");
	assert_int_equal(a->reg[1].word, 2);
	assert_false(a->has_states);
	assert_int_equal(a->n_states, 1);
	assert_int_equal(b->lookup[0].kind, KEY_TABLE_REGISTER);
	assert_int_equal(b->lookup[1].kind, KEY_VARIABLE);
	assert_int_equal(b->lookup[2].bits, 128);
	app_free(app);
}

/* Counters follow the text of a rule, so writing it differently must not change it. */
static void test_rule_texts(void **state)
{
	struct app *one = front_good(
		"app: a\ntables: [{name: t, rules: [{match: {ip.ttl: 1}, action: \"ip.ttl=  (2)+1;drop\"}]}]\n");
	struct app *two =
		front_good("app: a\ntables:\n  - name: t\n    rules:\n      - action: ip.ttl = 2 + 1; drop  # why\n"
			   "        match:\n          ip.ttl: '1'\n");
	_cleanup_free_ char *messages = NULL;
	struct app *same;

	assert_string_equal(one->table[0].rule[0].text, two->table[0].rule[0].text);
	app_free(one);
	app_free(two);
	messages = front_parse("app: a\ntables: [{name: t, rules: [{}, {}, {}]}]\n", NULL, 0, NULL, &same);
	assert_string_equal(same->table[0].rule[0].text, "{}");
	assert_string_equal(same->table[0].rule[1].text, "{} #2");
	assert_string_equal(same->table[0].rule[2].text, "{} #3");
	app_free(same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_colours),
		cmocka_unit_test(test_knocking),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_two_scopes),
		cmocka_unit_test(test_firewall_with_ports),
		cmocka_unit_test(test_tcp_and_tables),
		cmocka_unit_test(test_sets_become_comparisons),
		cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_key_parts),
		cmocka_unit_test(test_rule_texts),
	};

	return cmocka_run_group_tests_name("app", tests, NULL, NULL);
}
