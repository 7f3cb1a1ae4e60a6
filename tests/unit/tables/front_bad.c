/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bad input: every mistake has its place and its words. */
#include "front.h"

/* Mistakes and what is said to them, side by side. */
/* clang-format off */
#define NOT_YET " is not yet supported\n"

/* ---- rules of one table; the rule under test stands on line 11, column 9 ---- */

#define HEAD                                                                  \
	"app: a\n"                                                            \
	"parameters: {burst: 5, pause: 10ms, net: 10.0.0.0/8, web: [80, 443]}\n" \
	"variables: [lane]\n"                                                 \
	"tables:\n"                                                           \
	"  - name: t\n"                                                       \
	"    state:\n"                                                        \
	"      lookup: [ip.src]\n"                                            \
	"      capacity: 16\n"                                                \
	"      registers: [time start, n, addr peer]\n"                       \
	"    rules:\n"
#define TAIL                                                                  \
	"      - {when: start > now and peer == ip.src and n == lane, do: start = now; peer = ip.src; n += 1; lane = 1}\n" \
	"  - name: u\n    rules: [{}]\n"

struct mistake { const char *rule, *says; };

static void check_rules(const struct mistake *mistakes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *text = NULL, *says = NULL;

		assert_true(asprintf(&text, "%s      - %s\n%s", HEAD, mistakes[i].rule, TAIL) > 0);
		assert_true(asprintf(&says, "t.yaml:11:%s", mistakes[i].says) > 0);
		front_says(text, says);
	}
}

static void test_names(void **state)
{
	static const struct mistake mistakes[] = {
		{"{match: {ip.scr: 10.0.0.1}}", "18: unknown field \"ip.scr\"; did you mean \"ip.src\"?\n"},
		{"{when: ip.proot == tcp}", "16: unknown field \"ip.proot\"; did you mean \"ip.proto\"?\n"},
		{"{when: strat == now}", "16: unknown name \"strat\"; did you mean \"start\"?\n"},
		{"{do: packets = 1}", "14: unknown name \"packets\"\n"},
		{"{when: t.m == 1}", "16: table \"t\" has no register \"m\"\n"},
		{"{when: u.m == 1}", "16: table \"u\" comes later; a packet can only know what earlier tables had\n"},
		{"{when: bad-name.x == 1}", "16: unknown name \"bad-name.x\"; to subtract put blanks around \"-\"\n"},
		{"{when: ip.proto == tpc}", "28: unknown name \"tpc\"; did you mean \"tcp\"?\n"},
		{"{match: {in_port: wan0}}", "27: unknown name \"wan0\"; ports are named by parameters: \"parameters: {wan0: port}\"\n"},
		{"{when: maxx(n) == 3}", "16: unknown helper \"maxx\"; did you mean \"max\"?\n"},
		{"{when: has(tpc)}", "20: unknown header or field \"tpc\"; did you mean \"tcp\"?\n"},
		{"{action: dorp}", "18: unknown step \"dorp\"; did you mean \"drop\"?\n"},
		{"{action: goto(v)}", "23: unknown table \"v\"\n"},
		{"{action: goto(t)}", "23: goto(t) would stay in the same table; goto leads to a later one\n"},
		{"{nmae: x}", "10: unknown key \"nmae\" in a rule; did you mean \"name\"?\n"},
		{"{name: a b}", "16: \"a b\" cannot be the name of a rule: a letter, then letters, digits, \"_\" and \"-\"\n"},
		{"{name: absent}", "16: \"absent\" cannot name a rule: it is what applies when none does\n"},
		{"{next: OPEN}", "16: table \"t\" has no states:, so no state \"OPEN\"\n"},
		{"{refresh: maybe}", "19: \"refresh: maybe\": expected yes or no\n"},
	};

	check_rules(mistakes, ARRAY_SIZE(mistakes));
}

static void test_match_values(void **state)
{
	static const struct mistake mistakes[] = {
		{"{match: {ip.src: 80}}", "26: \"80\" is a number; \"ip.src\" is compared with an address or a prefix\n"},
		{"{match: {l4.dst: 10.0.0.1}}", "26: \"10.0.0.1\" is an address; \"l4.dst\" is compared with a number, a range a-b, a constant or a parameter\n"},
		{"{match: {l4.dst: net}}", "26: \"net\" is a prefix; \"l4.dst\" is compared with a number, a range a-b, a constant or a parameter\n"},
		{"{match: {l4.dst: pause}}", "26: \"pause\" is a duration; \"l4.dst\" is compared with a number, a range a-b, a constant or a parameter\n"},
		{"{match: {l4.dst: 70000}}", "26: 70000 does not fit in \"l4.dst\", which has 16 bits (at most 65535)\n"},
		{"{match: {vlan.dei: 2}}", "28: 2 does not fit in \"vlan.dei\", which has 1 bit (at most 1)\n"},
		{"{match: {l4.dst: 90-80}}", "26: \"90-80\": the range is backwards\n"},
		{"{match: {l4.dst: 80-70000}}", "26: 70000 does not fit in \"l4.dst\", which has 16 bits (at most 65535)\n"},
		{"{match: {ip.src: 10.0.0.9-10.0.0.1}}", "26: \"10.0.0.9-10.0.0.1\": the range is backwards\n"},
		{"{match: {ip.src: '10.0.0.1-2001:db8::1'}}", "27: \"10.0.0.1-2001:db8::1\": the range has an IPv4 and an IPv6 end\n"},
		{"{match: {ip.src: 10.0.0.1-net}}", "26: \"10.0.0.1-net\": a range has two addresses\n"},
		{"{match: {eth.src: '02:00:00:00:00:01-5'}}", "28: \"02:00:00:00:00:01-5\": a range has two MACs\n"},
		{"{match: {ip.ttl: 0x1f/0xf0}}", "26: \"0x1f/0xf0\" never matches: the value has bits set that the mask leaves out\n"},
		{"{match: {tcp.flags: +syn-akc}}", "29: \"+syn-akc\" is not understood: flags are written +syn-ack, of fin syn rst psh ack urg ece cwr\n"},
		{"{match: {ip.proto: arp}}", "28: \"arp\" is an ethertype; \"ip.proto\" is compared with a protocol like udp, or a number\n"},
		{"{match: {ip.proto: [tcp, not udp]}}", "34: \"not\" stands before a whole list, not in it: \"not [a, b]\"\n"},
		{"{match: {l4.dst: -5}}", "26: \"-5\" never matches: \"l4.dst\" is never less than 0\n"},
		{"{match: {l4.dst: -5-5}}", "26: \"-5-5\" never matches: \"l4.dst\" is never less than 0\n"},
		{"{match: {l4.dst: []}}", "26: an empty list never matches\n"},
		{"{match: {l4.dst: }}", "26: expected a number, a range a-b, a constant or a parameter, but nothing is written here\n"},
		{"{match: {n: 5}}", "18: \"n\" is no field, variable or global; compare it in when:\n"},
		{"{match: {lane: n}}", "24: \"n\" changes; match: compares with constants only, write it in when:\n"},
		{"{match: [ip.src]}", "17: expected fields and values, like {ip.proto: udp}\n"},
		{"{match: {l4.dst: 80s}}", "26: \"80s\" is a duration; \"l4.dst\" is compared with a number, a range a-b, a constant or a parameter\n"},
		{"{match: {l4.dst: 80x}}", "26: unknown unit \"x\" (expected ns us ms s min h d, B KB KiB MB MiB, pps kpps Mpps, bps kbps Mbps Gbps)\n"},
		{"{match: {eth.src: 5}}", "27: \"5\" is a number; \"eth.src\" is compared with a MAC like \"02:00:00:00:00:01\"\n"},
		{"{match: {hook: xpd}}", "24: unknown name \"xpd\"; did you mean \"xdp\"?\n"},
	};

	check_rules(mistakes, ARRAY_SIZE(mistakes));
}

static void test_types(void **state)
{
	static const struct mistake mistakes[] = {
		{"{do: start = 5s}", "22: \"start\" holds a time and cannot become a duration\n"},
		{"{do: start = now + now}", "22: \"+\" between a time and a time makes no sense\n"},
		{"{do: start += now}", "14: \"+\" between a time and a time makes no sense\n"},
		{"{do: peer = 5}", "21: \"peer\" holds an address and cannot become a number\n"},
		{"{do: n = ip.src}", "18: \"n\" holds a number and cannot become an address\n"},
		{"{do: peer += 1}", "14: \"+\" between an address and a number makes no sense\n"},
		{"{when: start > 5s}", "16: \">\" between a time and a duration makes no sense\n"},
		{"{when: ip.src == 80}", "16: \"==\" between an address and a number makes no sense\n"},
		{"{when: ip.src + 1 == ip.dst}", "16: \"+\" between an address and a number makes no sense\n"},
		{"{when: 'ip.src in 10.0.0.9-10.0.0.1'}", "27: the range is backwards\n"},
		{"{when: 'ip.src in 10.0.0.1-2001:db8::1'}", "27: the range has an IPv4 and an IPv6 end\n"},
		{"{when: ip.src == net}", "16: a prefix can only stand behind \"in\", not \"==\"\n"},
		{"{when: n in net}", "21: only an address can be in a prefix\n"},
		{"{when: web == 80}", "16: \"web\" is a list; it can stand in match: and behind \"in\"\n"},
		{"{when: length > pause}", "16: \">\" between a size and a duration makes no sense\n"},
		{"{when: ip.proto == arp}", "16: \"==\" between a protocol and an ethertype makes no sense\n"},
		{"{when: n}", "16: when: needs a condition, but this is a number; a number becomes one by \"!= 0\"\n"},
		{"{when: now}", "16: when: needs a condition, but this is a time\n"},
		{"{when: not n}", "16: \"not\" needs a condition; a number becomes one by \"!= 0\"\n"},
		{"{when: n and n == 1}", "16: \"and\" needs conditions on both sides; a number becomes one by \"!= 0\"\n"},
		{"{when: \"max(now, pause) == now\"}", "17: \"<\" between a time and a duration makes no sense\n"},
		{"{action: output(ip.src)}", "25: output() takes a port, not an address\n"},
		{"{action: output(65)}", "25: port numbers are 1 to 64\n"},
		{"{when: hash(n) == 0}", "21: hash() is drawn before the record is locked: it takes fields, variables and constants, no registers\n"},
		{"{when: \"min(1) == 1\"}", "17: min() takes two values\n"},
		{"{when: ~ip.src == 1}", "16: \"~\" of an address makes no sense\n"},
	};

	check_rules(mistakes, ARRAY_SIZE(mistakes));
}

static void test_overflow(void **state)
{
	static const struct mistake mistakes[] = {
		{"{do: n = 18446744073709551616}", "18: 18446744073709551616 does not fit in 64 bits\n"},
		{"{do: n = 18446744073709551615 + 1}", "18: the result of \"+\" does not fit in 64 bits\n"},
		{"{do: n = 1d * 1000000}", "18: the result of \"*\" does not fit in 64 bits\n"},
		{"{do: n = 1 << 64}", "18: the result of \"<<\" does not fit in 64 bits\n"},
		{"{do: n = burst - 6}", "18: the result of \"-\" is less than 0\n"},
		{"{do: n = 5 / 0}", "18: division by 0\n"},
		{"{do: n = -9223372036854775809}", "18: the result of \"-\" does not fit in 64 bits\n"},
		{"{do: n = -5 - 9223372036854775807}", "18: the result of \"-\" does not fit in 64 bits\n"},
		{"{do: n = -9223372036854775808 / -1}", "18: the result of \"/\" does not fit in 64 bits\n"},
		{"{do: n = -1 << 64}", "18: the result of \"<<\" does not fit in 64 bits\n"},
		{"{do: n = -5 % 0}", "18: division by 0\n"},
		{"{when: length > -1 + 0x8000000000000000}", "30: 9223372036854775808 does not fit in a signed number\n"},
		{"{do: n = 10sec}", "18: unknown unit \"sec\"; did you mean \"s\"?\n"},
		{"{do: n = 0.5}", "18: \"n\" holds a number and cannot become a fraction\n"},
	};

	check_rules(mistakes, ARRAY_SIZE(mistakes));
}

static void test_helpers(void **state)
{
	static const struct mistake mistakes[] = {
		{"{do: n = n + 0.5}", "18: \"+\" between a number and a fraction makes no sense\n"},
		{"{do: n = -0.5}", "18: \"-\" of a fraction makes no sense\n"},
		{"{do: n = avg(n)}", "18: avg() takes mean, count and sample\n"},
		{"{do: 'n = avg(n, n, start)'}", "29: avg() of a time makes no sense\n"},
		{"{do: 'n = var(n, n, peer, n)'}", "29: var() of an address makes no sense\n"},
		{"{do: 'n = ewma(n, n, 7)'}", "30: the weight of ewma() is a constant fraction like 0.875, not a number\n"},
		{"{do: 'n = ewma(n, n, 1.0)'}", "30: the weight of ewma() lies between 0 and 1\n"},
		{"{do: 'n = ewma(n, 0.5, 0.5)'}", "27: ewma() of a fraction makes no sense\n"},
		{"{when: random % 3 in 1-2}", "16: \"random\" cannot stand before \"in\", which looks at it several times: name it with let:\n"},
		{"{when: hash(10.0.0.0/8) == 1}", "21: hash() of a prefix makes no sense\n"},
		{"{match: {lane: 0.5}}", "24: \"0.5\" is a fraction; \"lane\" is compared with a number, a range a-b, a constant or a parameter\n"},
	};

	check_rules(mistakes, ARRAY_SIZE(mistakes));
}

static void test_what_may_be_written(void **state)
{
	static const struct mistake mistakes[] = {
		{"{do: ip.ttl = 5}", "14: \"ip.ttl\" is a packet field: fields are written in action:\n"},
		{"{action: n = 5}", "18: \"n\" is a register: registers are written in do:\n"},
		{"{do: burst = 5}", "14: \"burst\" cannot be written: do: writes registers, variables and globals\n"},
		{"{do: now = 5}", "14: \"now\" cannot be written: do: writes registers, variables and globals\n"},
		{"{do: t.n = 5}", "14: \"t.n\" can only be read; a table writes its own registers\n"},
		{"{action: ip.proto = 5}", "18: \"ip.proto\" can only be read\n"},
		{"{action: ipv4.checksum = 5}", "18: \"ipv4.checksum\" can only be read\n"},
		{"{action: drop; pass}", "24: nothing can follow the verdict; it must be the last step\n"},
		{"{do: n = 5; drop}", "21: \"drop\" belongs into action:, not here\n"},
	};

	check_rules(mistakes, ARRAY_SIZE(mistakes));
}

static void test_not_yet(void **state)
{
	static const struct mistake mistakes[] = {
		{"{when: gre.key == 1}", "16: \"gre.key\"" NOT_YET},
		{"{when: t.n.x == 1}", "16: table \"t\" has no register \"n.x\"; did you mean \"n\"?\n"},
	};

	check_rules(mistakes, ARRAY_SIZE(mistakes));
}

static void test_groups_and_meters(void **state)
{
	static const struct mistake mistakes[] = {
		{"{do: n = meter(m)}", "24: meter(m): there is no such meter\n"},
		{"{action: group(x)}", "24: group(x): there is no such group\n"},
		{"{when: has(n)}", "20: register \"n\" names no member of a group, so it is always there\n"},
	};

	check_rules(mistakes, ARRAY_SIZE(mistakes));
}

static void test_learn(void **state)
{
	static const struct mistake mistakes[] = {
		{"{learn: {table: s, key: [1.2.3.4], else: drop}}", "25: unknown table \"s\"\n"},
		{"{learn: {table: u, key: [1.2.3.4], else: drop}}", "25: table \"u\" has no state:, so it has no records\n"},
		{"{learn: {table: t, else: drop}}", "17: key: is missing: one expression for each part of the key of table \"t\"\n"},
		{"{learn: {table: t, key: [ip.src, n], else: drop}}", "33: the key has 2 parts, that of table \"t\" has 1\n"},
		{"{learn: {table: t, key: [ip.src], set: {m: 5}, else: drop}}", "49: table \"t\" has no register \"m\"\n"},
		{"{learn: {table: t, key: [ip.src], set: {n: 5}}}", "17: else: is missing: what happens to the packet when the record cannot be written\n"},
		{"{allocate: {table: t, key: [ip.src], register: n, from: 1-5, else: drop}}", "20: table \"t\" allocates from itself: a table's records hold records of one other table\n"},
	};

	check_rules(mistakes, ARRAY_SIZE(mistakes));
}

static void test_yaml_in_rules(void **state)
{
	static const struct mistake mistakes[] = {
		{"{when: !n}", "18: a value cannot begin with \"!\" (YAML takes it for a tag): write \"not\", or quote it\n"},
		{"{do: n = max(n, 5)}", "14: \"(\" without \")\": inside {} or [] a comma ends the value, so quote this: \"n = max(n, ...\"\n"},
		{"{next: A, next: B}", "19: \"next\" is written twice; first on line 11\n"},
		{"{when: n == 1 ? 2 : 3}", "27: there is no \"a ? b : c\": write two rules\n"},
		{"{when: n == 1 && lane == 2}", "23: \"&&\" is not an operator: write \"and\"\n"},
	};

	check_rules(mistakes, ARRAY_SIZE(mistakes));
}

/* ---- whole files ---- */

static void test_files(void **state)
{
	front_says("", "t.yaml: the file is empty\n");
	front_says("hello\n", "t.yaml:1:1: expected an application with \"key: value\"\n");
	front_says("app: a\n", "t.yaml:1:1: \"tables:\" is missing\n");
	front_says("tables: [{name: t, rules: [{}]}]\n", "t.yaml:1:1: \"app: NAME\" is missing\n");
	front_says("app: a\ntables: []\n", "t.yaml:2:9: an application needs at least one table\n");
	front_says("app: a\ntabels: []\ntables: [{name: t, rules: [{}]}]\n",
		   "t.yaml:2:1: unknown key \"tabels\" in an application; did you mean \"tables\"?\n");
}

static void test_tables(void **state)
{
	front_says("app: a\ntables:\n  - {name: t, rules: [{}]}\n  - {name: t, rules: [{}]}\n",
		   "t.yaml:4:12: two tables are named \"t\"; the first is on line 3\n");
	front_says("app: a\ntables:\n  - {name: t, rules: [{}]}\n  - {name: u, rules: [{action: goto(t)}]}\n",
		   "t.yaml:4:37: goto(t) leads backwards (line 3); goto leads to a later table, so that every packet ends\n");
	front_says("app: a\ntables:\n  - {name: t, hook: xdp, rules: [{action: goto(u)}]}\n  - {name: u, hook: tc-egress, rules: [{}]}\n",
		   "t.yaml:3:48: goto(u) leads to another hook: this table runs at xdp, that one at tc-egress\n");
	front_says("app: a\ntables:\n  - {name: t, hook: xpd, rules: [{}]}\n",
		   "t.yaml:3:21: unknown hook \"xpd\"; did you mean \"xdp\"?\n");
	front_says("app: a\ntables:\n  - {name: t}\n", "t.yaml:3:5: table \"t\" has no rules:\n");
	front_says("app: a\ntables:\n  - {rules: [{}]}\n", "t.yaml:3:5: a table without name\n");
}

static char *many_rules(unsigned n)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fputs("app: a\ntables:\n  - name: t\n    rules:\n", out);
	for (unsigned i = 1; i <= n; i++)
		fprintf(out, "      - {match: {l4.dst: %u}, action: drop}\n", i);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_256_rules(void **state)
{
	_cleanup_free_ char *fit = many_rules(256), *too_many = many_rules(257);
	struct app *app = front_good(fit);

	assert_int_equal(app->table[0].n_rules, 256);
	app_free(app);
	front_says(too_many, "t.yaml:261:9: table \"t\" has 257 rules; at most 256 fit\n");
}

#define STATE(body) "app: a\ntables:\n  - name: t\n    rules: [{next: A}]\n    state: {lookup: [ip.src], capacity: 16, states: " body "}\n"

static void test_states(void **state)
{
	front_says(STATE("[A, {name: A}]"), "t.yaml:5:64: state \"A\" is declared twice\n");
	front_says(STATE("[A, {name: B, idle: 5}]"), "t.yaml:5:73: expected a duration like 10ms, but \"5\" is a number\n");
	front_says(STATE("[A, {name: B, idel: 5s}]"), "t.yaml:5:67: unknown key \"idel\" in a state; did you mean \"idle\"?\n");
	front_says(STATE("[A, {name: B, idle: 0s}]"), "t.yaml:5:73: a time-out of 0; leave it out for none\n");
	front_says(STATE("[A, {name: B, hard_to: A}]"), "t.yaml:5:76: \"hard_to\" without \"hard\": when would it happen?\n");
	front_says(STATE("[A, {name: B, hard: 1s, hard_to: C}]"), "t.yaml:5:86: state \"C\" is not declared\n");
	front_says(STATE("[A, {name: B, on_timeout: notify}]"),
		   "t.yaml:5:79: state \"B\" has neither \"idle\" nor \"hard\", so it never times out\n");
	front_says(STATE("[A, {name: B, idle: 1s, on_timeout: route}]"),
		   "t.yaml:5:89: there is no packet when a state times out: on_timeout: has assignments and notify, no "
		   "\"route\"\n");
	front_says(STATE("[A, {name: B, every: 1s}]"), "t.yaml:5:67: \"every\" in a state" NOT_YET);
	front_says(STATE("[]"), "t.yaml:5:53: no state; leave \"states\" out, and the table has one without name\n"
				"t.yaml:4:20: state \"A\" is not declared\n");
}

static void test_unknown_state_with_hint(void **state)
{
	front_says("app: a\ntables:\n  - name: t\n    state: {lookup: [ip.src], capacity: 16, states: [SHUT, {name: OPEN, idle: 5s}]}\n"
		   "    rules:\n      - {state: OPNE, next: OPEN}\n",
		   "t.yaml:6:17: state \"OPNE\" is not declared; did you mean \"OPEN\"?\n");
}

#define KEYS(body) "app: a\nvariables: [v]\ntables:\n  - name: t\n    rules: [{do: v = 1}]\n    state: {" body "}\n"

static void test_scopes(void **state)
{
	front_says(KEYS("lookup: [ip.src, ip.dst, arp.spa], capacity: 16"), "t.yaml:6:21: the key has 48 bytes; at most 40 fit\n");
	front_says(KEYS("lookup: [ip.src], capacity: 0"), "t.yaml:6:41: capacity 0; it must be 1 to 16777216\n");
	front_says(KEYS("lookup: [ip.src], capacity: 16777217"), "t.yaml:6:41: capacity 16777217; it must be 1 to 16777216\n");
	front_says(KEYS("lookup: [ip.src], capacity: 5s"), "t.yaml:6:41: expected a number, but \"5s\" is a duration\n");
	front_says(KEYS("lookup: [ip.src], capacity: v"),
		   "t.yaml:6:41: \"v\" is no constant: only numbers, parameters and arithmetic on them can stand here\n");
	front_says(KEYS("lookup: [ip.src]"), "t.yaml:6:12: table \"t\" needs a capacity: how many flows it may hold\n");
	front_says(KEYS("capacity: 16"), "t.yaml:6:12: table \"t\" needs \"lookup\": the fields that name a flow\n");
	front_says(KEYS("lookup: [], capacity: 16"), "t.yaml:6:21: a key needs at least one field\n");
	front_says(KEYS("lookup: [ip.src, ip.src], capacity: 16"), "t.yaml:6:30: \"ip.src\" is twice in the key\n");
	front_says(KEYS("lookup: [ip.src/24], capacity: 16"),
		   "t.yaml:6:22: \"ip.src\" holds IPv4 and IPv6: write \"ipv4.src/24\", or \"ip.src/120\" (an IPv4 address ends at bit 128)\n");
	front_says(KEYS("lookup: [ipv4.src/33], capacity: 16"), "t.yaml:6:22: \"ipv4.src/33\": a prefix of ipv4.src has 1 to 32 bits\n");
	front_says(KEYS("lookup: [biflow.l5], capacity: 16"),
		   "t.yaml:6:22: unknown \"biflow.l5\" (expected biflow.l4, biflow.ip or biflow.eth)\n");
	front_says(KEYS("lookup: [now], capacity: 16"),
		   "t.yaml:6:22: \"now\" cannot be part of a key: fields, variables, TABLE.REGISTER and biflow can\n");
	front_says(KEYS("lookup: [eth.dst], update: [ip.src], capacity: 16"),
		   "t.yaml:6:40: lookup and update must have parts of the same widths in the same order\n");
	front_says(KEYS("lookup: [ip.src], capacity: 16, when_full: evit"),
		   "t.yaml:6:56: \"evit\" is not one of drop, pass, evict, continue; did you mean \"evict\"?\n");
}

#define WITHIN(flows, time)                                                                                            \
	"app: a\ntables:\n  - name: t\n    rules: [{}]\n    state: {lookup: [ip.src], capacity: " flows ", expire_within: " time "}\n"

static void test_expire_within(void **state)
{
	front_says(WITHIN("10000", "10ms"), "");
	front_says(WITHIN("10001", "1s"), "");
	front_says(WITHIN("10001", "10ms"),
		   "t.yaml:5:63: expire_within: 10ms is for tables of at most 10000 flows, not 10001\n");
	front_says(WITHIN("10", "5ms"), "t.yaml:5:60: \"5ms\" is not 1s or 10ms\n");
}

static void test_records(void **state)
{
	front_says("app: a\ntables:\n  - name: t\n    rules: [{}]\n    state: {lookup: [ip.src, ip.dst], capacity: 4, registers: [\n"
		   "      a01, a02, a03, a04, a05, a06, a07, a08, a09, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, "
		   "addr b01, b02]}\n",
		   "t.yaml:5:12: table \"t\": key and registers need 29 words of 64 bits; a record has 28\n");
}

static void test_one_name_space(void **state)
{
	front_says("app: a\nparameters: {now: 3, tcp: 4, max: 5, drop: 6, p: 1}\nvariables: [p, x, x, int y, foo z, 9a, time]\n"
		   "tables: [{name: t, rules: [{}]}]\n",
		   "t.yaml:2:14: parameter \"now\" would hide a field of that name\n"
		   "t.yaml:2:22: parameter \"tcp\" would hide a constant of that name\n"
		   "t.yaml:2:30: parameter \"max\" would hide a helper of that name\n"
		   "t.yaml:2:38: parameter \"drop\" would hide a step of that name\n"
		   "t.yaml:3:13: variable \"p\" would hide a parameter of that name\n"
		   "t.yaml:3:19: variable \"x\" is declared twice\n"
		   "t.yaml:3:29: unknown type \"foo\" (expected int, addr, mac, time or the name of a group)\n"
		   "t.yaml:3:36: \"9a\" cannot be the name of a variable: a letter, then letters, digits and \"_\"\n"
		   "t.yaml:3:40: variable \"time\" would hide a type of that name\n");
	front_says("app: a\ntables:\n  - name: ip\n    let: {n: 1}\n    state: {lookup: [eth.src], capacity: 9, registers: [ttl, n]}\n"
		   "    rules: [{}]\n",
		   "t.yaml:5:57: \"ip.ttl\" would hide the field of that name; rename table or register\n"
		   "t.yaml:4:11: let \"n\" would hide a register of that name\n");
}

static void test_int_parameters(void **state)
{
	static const char text[] = "app: a\nparameters: {low: -5, high: int, n: 5}\nvariables: [int i]\n"
				   "tables:\n  - name: t\n    rules:\n      - {match: {i: low-high, ip.ttl: n}, action: i = low}\n";
	const struct setting good[] = {{"low", "3"}, {"high", "7"}}, bad[] = {{"low", "0x8000000000000000"}, {"n", "-5"}};
	struct app *app;
	_cleanup_free_ char *messages = front_parse(text, good, 2, NULL, &app), *wrong;

	assert_string_equal(messages, "");
	assert_int_equal(app->param[0].value.lo, 3);
	assert_int_equal(app->param[0].type, TYPE_INT);
	app_free(app);
	wrong = front_parse(text, bad, 2, NULL, &app);
	assert_string_equal(wrong, "t.yaml: parameter \"low\" is a signed number (like -5), but was set to \"0x8000000000000000\"\n"
				   "t.yaml: parameter \"n\" is a number (like 5), but was set to \"-5\"\n"
				   "t.yaml:2:23: parameter \"high\" has no value: set it with --set high=..., like -5\n");
}

static void test_parameters(void **state)
{
	front_says("app: a\nparameters: {a: duration, b: foo, c: ip.srx, d: 9-5, e: 10.0.0.256, f: []}\n"
		   "tables: [{name: t, rules: [{}]}]\n",
		   "t.yaml:2:30: \"foo\" is neither a number, an address nor a known constant\n"
		   "t.yaml:2:38: unknown field \"ip.srx\"; did you mean \"ip.src\"?\n"
		   "t.yaml:2:49: \"9-5\": the range is backwards\n"
		   "t.yaml:2:57: \"10.0.0.256\" is not an IPv4 address\n"
		   "t.yaml:2:72: an empty list would never match\n"
		   "t.yaml:2:14: parameter \"a\" has no value: set it with --set a=..., like 10ms\n");
}

static void test_lets(void **state)
{
	front_says("app: a\ntables:\n  - name: t\n    let: {b: c + 1, c: 2, d: d}\n    rules: [{when: b == c}]\n",
		   "t.yaml:4:14: unknown name \"c\"\n"
		   "t.yaml:4:30: unknown name \"d\"\n");
}

/* Four lines that would be a million operations. */
static void test_let_that_grows(void **state)
{
	char text[4096], *p = text;

	p += sprintf(p, "app: a\ntables:\n  - name: t\n    rules: [{}]\n    let:\n      a0: length + 1\n");
	for (unsigned i = 1; i < 9; i++)
		p += sprintf(p, "      a%u: a%u + a%u\n", i, i - 1, i - 1);
	front_says(text, "t.yaml:13:7: let \"a7\" is too large: more than 512 operations with the lets it names written out\n");
}

static void test_too_many(void **state)
{
	char text[4096], *p = text;

	p += sprintf(p, "app: a\nvariables: [v0");
	for (unsigned i = 1; i < 25; i++)
		p += sprintf(p, ", v%u", i);
	sprintf(p, "]\ntables: [{name: t, rules: [{}]}]\n");
	front_says(text, "t.yaml:2:12: 25 variables; at most 24 fit\n");
}

static void test_several_at_once(void **state)
{
	front_says("app: a\ntables:\n  - name: t\n    rules:\n      - {match: {ip.scr: 1, l4.dst: x}, when: n ==, action: dorp; fly}\n"
		   "      - {next: X, state: Y}\n    otherwise: goto(q)\n",
		   "t.yaml:5:18: unknown field \"ip.scr\"; did you mean \"ip.src\"?\n"
		   "t.yaml:5:37: unknown name \"x\"\n"
		   "t.yaml:5:51: expected a value, but the text ends here\n"
		   "t.yaml:5:61: unknown step \"dorp\"; did you mean \"drop\"?\n"
		   "t.yaml:5:67: unknown step \"fly\"\n"
		   "t.yaml:6:26: table \"t\" has no state:, so a rule cannot ask for one\n"
		   "t.yaml:6:16: table \"t\" has no state:, so a rule cannot change it\n"
		   "t.yaml:7:21: unknown table \"q\"\n");
}
/* clang-format on */

static void test_too_large(void **state)
{
	_cleanup_free_ char *text = malloc(APP_TEXT_MAX + 2), *found = NULL;
	struct app *app;

	assert_non_null(text);
	memset(text, '#', APP_TEXT_MAX + 1);
	text[APP_TEXT_MAX + 1] = '\0';
	found = front_parse(text, NULL, 0, NULL, &app);
	assert_string_equal(found, "t.yaml: larger than 1024 KiB\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_match_values),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_what_may_be_written),
		cmocka_unit_test(test_not_yet),
		cmocka_unit_test(test_groups_and_meters),
		cmocka_unit_test(test_learn),
		cmocka_unit_test(test_yaml_in_rules),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_256_rules),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_unknown_state_with_hint),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_expire_within),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_one_name_space),
		cmocka_unit_test(test_int_parameters),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_lets),
		cmocka_unit_test(test_let_that_grows),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_several_at_once),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests_name("bad input", tests, NULL, NULL);
}
