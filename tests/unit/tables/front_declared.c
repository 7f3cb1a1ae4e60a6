/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an application declares beside tables: globals, headers; and what a timeout does. */
#include "front.h"

/* clang-format off */
#define GLOBALS "globals: {total: 0, quota: {initial: 10, range: 0-60}, pause: {initial: 10ms, range: 1ms-1s}}\n"
#define TABLE                                                                                      \
	"tables:\n  - name: t\n"                                                                   \
	"    state: {lookup: [ip.src], capacity: 16, registers: [n, time start], states: [A, B]}\n" \
	"    rules:\n"                                                                             \
	"      - {when: total < quota and now - start < pause, do: n += 1; start = now, next: B}\n"   \
	"      - {state: B, when: n > 3, next: A}\n"
/* clang-format on */

struct mistake {
	const char *text, *says;
};

static void globals_are_typed_and_bounded(void **state)
{
	struct app *app = front_good("app: a\n" GLOBALS TABLE);

	assert_int_equal(app->n_globals, 3);
	assert_string_equal(app->global[1].name, "quota");
	assert_int_equal(app->global[1].initial, 10);
	assert_int_equal(app->global[1].max, 60);
	assert_int_equal(app->global[2].type, TYPE_DURATION);
	assert_int_equal(app->global[2].initial, 10000000);
	assert_int_equal(app->global[2].min, 1000000);
	assert_int_equal(app->global[0].max, UINT64_MAX);
	app_free(app);
}

static void a_global_that_is_declared_wrongly_is_refused(void **state)
{
	static const struct mistake mistakes[] = {
		{"{total: 10.0.0.1}", "2:18: \"10.0.0.1\" is an address; a global is a number\n"},
		{"{total: -5}", "2:18: \"-5\" is negative; globals are unsigned\n"},
		{"{total: {range: 0-1}}", "2:18: global \"total\" needs \"initial\": the value it begins with\n"},
		{"{total: {initial: 5, range: 6-9}}",
		 "2:38: global \"total\" begins with 5, which is not in its range 6-9\n"},
		{"{total: {initial: 5, range: 9-6}}", "2:38: \"9-6\": the range is backwards\n"},
		{"{total: {initial: 5, range: 9}}", "2:38: \"9\" is no range; it is written like 0-100\n"},
		{"{total: {initial: 5, range: 1s-2s}}",
		 "2:38: \"1s\" is a duration; the range of \"total\" is written like its initial value\n"},
		{"{total: {initial: 5, max: 9}}", "2:31: unknown key \"max\" in a global\n"},
		{"{length: 5}", "2:11: global \"length\" would hide a field of that name\n"},
		{"[total]", "2:10: expected globals as \"NAME: number\" or \"NAME: {initial: number, range: a-b}\"\n"},
	};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		_cleanup_free_ char *text = NULL, *says = NULL;

		assert_true(asprintf(&text, "app: a\nglobals: %s\ntables:\n  - {name: t, rules: [{}]}\n",
				     mistakes[i].text) > 0);
		assert_true(asprintf(&says, "t.yaml:%s", mistakes[i].says) > 0);
		front_says(text, says);
	}
}

/* The rule under test stands on line 8. */
static void check_rule(const char *rule, const char *says)
{
	_cleanup_free_ char *text = NULL;

	assert_true(asprintf(&text, "app: a\n" GLOBALS TABLE "      - %s\n", rule) > 0);
	front_says(text, says);
}

static void a_rule_writes_one_global_once(void **state)
{
	check_rule("{match: {eth.type: 1}, do: total += length; n = total}", "");
	check_rule("{match: {eth.type: 1}, do: 'total = max(total, length)'}", "");
	check_rule("{name: x, match: {eth.type: 1}, do: total += 1; quota -= 1}",
		   "t.yaml:9:57: rule \"x\" writes globals twice (\"total\" and \"quota\"); at most one write to one "
		   "global "
		   "is possible, because each is a single atomic operation\n");
	check_rule("{match: {eth.type: 1}, do: total += 1; total += 1}",
		   "t.yaml:9:48: this rule writes globals twice (\"total\" and \"total\"); at most one write to one "
		   "global is "
		   "possible, because each is a single atomic operation\n");
	check_rule("{match: {eth.type: 1}, do: total = total + 1}",
		   "t.yaml:9:36: warning: \"total\" is read and then written: another packet may have written it in "
		   "between; "
		   "+= -= |= &= and \"total = max(total, x)\" are atomic\n");
	check_rule("{match: {eth.type: 1}, action: total += 1}",
		   "t.yaml:9:40: \"total\" is a global: globals are written in do:\n");
	check_rule("{match: {eth.type: 1}, do: pause = 5 * 5s; ip.ttl = 3}",
		   "t.yaml:9:52: \"ip.ttl\" is a packet field: fields are written in action:\n");
}

/* 60 fits in the six bits of a DSCP, and the number of flows does not. */
static void a_range_says_that_a_narrow_field_is_wide_enough(void **state)
{
	check_rule("{match: {eth.type: 0x800}, action: ip.dscp = quota}", "");
	check_rule("{match: {eth.type: 0x800}, action: ip.dscp = total}",
		   "t.yaml:9:54: warning: \"ip.dscp\" has 6 bits and this may be more; the low bits are written\n");
}

/* ---- headers -------------------------------------------------------------------------------- */

static const char telemetry[] =
	"app: a\n"
	"parameters: {port: 9000}\n"
	"headers:\n"
	"  shim: {after: {udp.dst: [port, 9010-9020]}, fields: [version 4, flags 4, vni 24, id 64, next 8]}\n"
	"  more: {after: {shim.next: 7}, fields: [a 3, b 13, c 48]}\n"
	"  tun: {after: {ip.proto: 47}, fields: [flags 16, proto 16]}\n"
	"  own: {after: {eth.type: 0x88b5}, fields: [x 8]}\n"
	"tables:\n"
	"  - name: t\n"
	"    state: {lookup: [shim.vni], capacity: 16, registers: [n]}\n"
	"    rules:\n"
	"      - {match: {shim.version: 1}, when: 'has(more) and n < more.c', do: n += more.a, action: 'shim.flags = "
	"3'}\n"
	"      - {when: has(tun) or has(own.x)}\n";

static void fields_of_a_header_lie_one_behind_the_other(void **state)
{
	struct app *app = front_good(telemetry);
	const struct field *vni = app_find_field(app, "shim.vni"), *b = app_find_field(app, "more.b"),
			   *gre = app_find_field(app, "tun.proto"), *own = app_find_field(app, "own.x");

	assert_int_equal(vni->needs, 1ULL << PRESENT_CUSTOM);
	assert_int_equal(vni->load.base, BASE_PAYLOAD);
	/* Three bytes: loaded as four, one byte earlier. */
	assert_int_equal(vni->load.off, 0);
	assert_int_equal(vni->load.size, 4);
	assert_int_equal(vni->load.shift, 0);
	assert_int_equal(vni->load.mask, 0xffffff);
	assert_int_equal(vni->step.csum, CSUM_L4);
	/* Behind the 13 bytes of the first header. */
	assert_int_equal(b->load.off, 13);
	assert_int_equal(b->load.size, 2);
	assert_int_equal(b->load.mask, 0x1fff);
	assert_int_equal(b->load.need, PRESENT_CUSTOM + 1);
	assert_int_equal(app->header[1].parent, 0);
	assert_int_equal(gre->load.base, BASE_L4);
	assert_int_equal(gre->load.off, 2);
	assert_int_equal(own->load.base, BASE_L3);
	assert_int_equal(own->step.csum, CSUM_NONE);
	assert_null(app_find_field(app, "shim.missing"));
	app_free(app);
}

static void a_header_that_cannot_be_is_refused(void **state)
{
	static const struct mistake mistakes[] = {
		{"x: {after: {udp.dst: 1}, fields: [a 4]}",
		 "3:36: header \"x\" has 4 bits; a header ends with a whole byte\n"},
		{"x: {after: {udp.dst: 1}, fields: [a 4, b 64, c 4]}",
		 "3:42: \"x.b\" begins within a byte and would straddle 9; declare it as two fields\n"},
		{"x: {after: {udp.dst: 1}, fields: [a 24]}",
		 "3:37: \"x.a\" fills a header of 3 bytes; declare it as two fields\n"},
		{"x: {after: {udp.dst: 1}, fields: [a 65]}",
		 "3:37: \"a 65\": a field is written with its bits, 1 to 64, like \"version 4\"\n"},
		{"x: {after: {udp.dst: 1}, fields: [a]}",
		 "3:37: \"a\": a field is written with its bits, 1 to 64, like \"version 4\"\n"},
		{"x: {after: {udp.dst: 1}, fields: [a 4, a 4]}", "3:42: field \"x.a\" is declared twice\n"},
		{"x: {fields: [a 8]}", "3:3: header \"x\" needs \"after\"\n"},
		{"x: {after: {in_port: 1}, fields: [a 8]}",
		 "3:14: \"after\" must say what the header follows, like {udp.dst: 4789}, {ip.proto: 47} or {eth.type: "
		 "0x88b5}\n"},
		{"x: {after: {eth.type: 0x800}, fields: [a 8]}",
		 "3:15: \"eth.type: 0x800\": what follows this ethertype is IP, which has fields of its own (ip.src, "
		 "...)\n"},
		{"x: {after: {arp.op: 1}, fields: [a 8]}", "3:15: \"arp.op: 1\": nothing follows ARP\n"},
		{"x: {after: {x.a: 1}, fields: [a 8]}", "3:15: unknown field \"x.a\"\n"},
		{"ip: {after: {udp.dst: 1}, fields: [a 8]}",
		 "3:3: header \"ip\" would hide the language's own of that name\n"},
		{"t: {after: {udp.dst: 1}, fields: [a 8]}", "5:12: table \"t\" would hide the header of that name\n"},
	};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		_cleanup_free_ char *text = NULL, *says = NULL;

		assert_true(asprintf(&text, "app: a\nheaders:\n  %s\ntables:\n  - {name: t, rules: [{}]}\n",
				     mistakes[i].text) > 0);
		assert_true(asprintf(&says, "t.yaml:%s", mistakes[i].says) > 0);
		front_says(text, says);
	}
}

/* ---- on_timeout ------------------------------------------------------------------------------ */

static void check_timeout(const char *on_timeout, const char *says)
{
	_cleanup_free_ char *text = NULL;

	assert_true(asprintf(&text,
			     "app: a\nvariables: [v]\nglobals: {total: 0}\n"
			     "tables:\n  - name: t\n    let: {big: length > 5}\n"
			     "    state:\n      lookup: [ip.src]\n      capacity: 16\n      registers: [n, time end]\n"
			     "      states: [A, {name: B, idle: 1s, on_timeout: '%s'}]\n"
			     "    rules:\n"
			     "      - {state: A, when: big, do: n += 1; v = 1, next: B}\n"
			     "      - {state: B, when: v == 0 and end < now and n == 0 and total == 0, next: A}\n",
			     on_timeout) > 0);
	front_says(text, says);
}

static void a_timeout_knows_the_record_and_no_packet(void **state)
{
	static const char *const packet[] = {"length", "ip.ttl", "v", "big", "random", "in_port", "hash"};

	check_timeout("notify; end = now", "");
	check_timeout("end = now; n = 0; total -= n; notify", "");
	for (size_t i = 0; i < sizeof(packet) / sizeof(packet[0]); i++) {
		_cleanup_free_ char *steps = NULL, *says = NULL;

		assert_true(asprintf(&steps, "end = now; n = %s%s", packet[i], i == 6 ? "(n)" : "") > 0);
		assert_true(
			asprintf(&says,
				 "t.yaml:11:67: \"%s\": there is no packet when a state times out; on_timeout: knows "
				 "registers, globals, constants and now\n",
				 packet[i]) > 0);
		check_timeout(steps, says);
	}
	check_timeout("end = now; drop", "t.yaml:11:63: there is no packet when a state times out: on_timeout: has "
					 "assignments and notify, no \"drop\"\n");
	check_timeout(
		"end = now; total += 1; total += n",
		"t.yaml:11:75: state \"B\" writes globals twice (\"total\" and \"total\"); at most one write to one "
		"global is possible, because each is a single atomic operation\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globals_are_typed_and_bounded),
		cmocka_unit_test(a_global_that_is_declared_wrongly_is_refused),
		cmocka_unit_test(a_rule_writes_one_global_once),
		cmocka_unit_test(a_range_says_that_a_narrow_field_is_wide_enough),
		cmocka_unit_test(fields_of_a_header_lie_one_behind_the_other),
		cmocka_unit_test(a_header_that_cannot_be_is_refused),
		cmocka_unit_test(a_timeout_knows_the_record_and_no_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
