// SPDX-License-Identifier: GPL-2.0-or-later
/* fuzz_app - the language: any text is an application or is refused with words, and nothing else happens.
 *
 * Inputs are of two kinds: YAML as it is, and, when the first byte is WORDS, a string of indices into the
 * vocabulary of the language, so that expressions and steps are reached that bytes would hardly spell.
 * Whatever is accepted must be rendered and read again to the same rules, and must encode or be refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "fuzz.h"
#include "tables/encode.h"

enum { WORDS = 1, TEXT_MAX = 16384 };

/* clang-format off */
static const char *const vocabulary[] = {
	"n", "start", "peer", "v", "p", "list", "net", "mark", "c", "l", "1", "0", "5s", "64KiB", "10Mbps", "0xffffffffffffffff",
	"10.0.0.0/8", "10.0.0.1", "2001:db8::1", "02:00:00:00:00:01", "ip.src", "ip.dst", "ip.ttl", "l4.dst", "tcp.flags", "eth.src",
	"ip.proto", "tcp", "arp", "syn", "now", "in_port", "length", "direction", "t.n", "u.n", "first-one.n", " + ", " - ", " * ", " / ",
	" % ", " & ", " | ", " ^ ", " << ", " >> ", " == ", " != ", " < ", " <= ", " in ", " and ", " or ", "not ", "-", "~", "(", ")",
	"[", "]", ", ", "max(", "hash(", "seq_lt(", "has(", "random", "; ", " = ", " += ", " -= ", "drop", "pass", "output(", "goto(u)",
	"push(vlan)", "vlan.id", "notify", "+syn-ack", "80-90", "/", "A", "B", " ",
};

static const char *const examples[] = {
	"app: a\nparameters: {burst: 5, interval: 1s}\ntables:\n  - name: police\n    state:\n      lookup: [ip.src]\n      capacity: 64\n"
	"      states: [NEW, {name: METERED, idle: (burst + 1) * interval}]\n      registers: [time start, time end]\n    rules:\n"
	"      - {name: first, state: NEW, do: start = now - (burst - 1) * interval; end = now + interval, next: METERED, action: pass}\n"
	"      - {when: now < start, action: drop}\n      - {when: now <= end, do: start += interval * frames, action: pass}\n    absent: pass\n",
	"app: b\nparameters: {lan: 1, wan: 2, web: [80, 443, 1000-2000], net: 10.0.0.0/8}\nvariables: [v, addr w]\ntables:\n  - name: t\n"
	"    let: {x: max(v, 5) + length, y: direction == n}\n    hook: xdp\n    state: {lookup: [biflow.l4, ip.proto], capacity: 16,\n"
	"      when_full: evict, states: [A, {name: B, idle: 5s, hard: 60s, hard_to: A, on_timeout: notify}], registers: [n, addr peer]}\n"
	"    rules:\n      - {match: {ip.proto: not [tcp, udp], l4.dst: web, tcp.flags: [+syn-ack, +rst], ip.src: net}, refresh: no, action: goto(u)}\n"
	"      - {state: [A, B], when: y and ip.src in net or l4.dst in web, do: n |= 4; peer = ip.src; v = hash(ip.src), next: B, action: output(wan)}\n"
	"    otherwise: drop\n  - name: u\n    rules: [{when: t.n == 3, action: ip.ttl -= 1; eth.dst = eth.src; push(vlan); vlan.id = 5; flood}]\n",
	"app: c\ntables:\n- name: m\n  state:\n    lookup: [eth.dst]\n    update: [eth.src]\n    capacity: 8\n    when_full: continue\n"
	"    states: [U, {name: K, idle: 300s}]\n    registers: [port]\n  rules:\n  - when: >-\n      port == in_port and\n      not has(vlan)\n"
	"    state: K\n    do: |\n      port = in_port\n    next: K\n    action: drop\n  - {do: port = in_port, next: K, action: flood}\n",
};
/* clang-format on */

void fuzz_begin(void)
{
	uint8_t words[64];

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		fuzz_example(examples[i], strlen(examples[i]));
	for (unsigned seed = 0; seed < 8; seed++) {
		for (size_t i = 0; i < sizeof(words); i++)
			words[i] = seed * 37 + i * 11;
		words[0] = WORDS;
		words[1] = seed;
		fuzz_example(words, 16 + 6 * seed);
	}
}

/* One rule made of words, in a table that has a bit of everything. */
static int spell(const uint8_t *data, size_t size, char *text, size_t room)
{
	static const char *const places[] = {
		"when", "do", "action", "match: {ip.src", "match: {l4.dst", "match: {tcp.flags"};
	unsigned place = size ? data[0] % ARRAY_SIZE(places) : 0;
	int used;

	used = snprintf(text, room,
			"app: a\nparameters: {p: 5, list: [1, 2-9], net: 10.0.0.0/8, mark: ip.dscp}\nvariables: "
			"[v]\ntables:\n  - name: t\n"
			"    let: {c: now > 5, l: p * 2}\n    state: {lookup: [ip.src], capacity: 4, states: [A, "
			"{name: B, idle: 5s}],\n"
			"      registers: [n, time start, addr peer]}\n    rules:\n      - {%s: \"",
			places[place]);
	for (size_t i = 1; i < size && used < (int)room - 100; i++)
		used += snprintf(text + used, room - used, "%s", vocabulary[data[i] % ARRAY_SIZE(vocabulary)]);
	used += snprintf(text + used, room - used, "\"%s}\n  - {name: u, rules: [{}]}\n",
			 strchr(places[place], '{') ? "}" : "");
	return used;
}

static struct app *parse(const char *text, size_t size)
{
	struct diag_list diags;
	struct app *app = NULL;
	_cleanup_free_ char *messages = NULL;
	int r;

	diag_init(&diags, "f.yaml");
	r = app_parse(text, size, NULL, 0, NULL, &diags, &app);
	if ((r == 0) != (diags.n_errors == 0) || (r == 0) != (app != NULL))
		abort();
	messages = diag_text(&diags);
	if (!messages || (r < 0 && !*messages))
		abort();
	diag_done(&diags);
	return app;
}

static void check_same(const struct app *a, const struct app *b)
{
	if (a->n_tables != b->n_tables)
		abort();
	for (size_t t = 0; t < a->n_tables; t++) {
		if (a->table[t].n_rules != b->table[t].n_rules || a->table[t].n_states != b->table[t].n_states)
			abort();
		for (size_t i = 0; i < a->table[t].n_rules; i++)
			if (strcmp(a->table[t].rule[i].text, b->table[t].rule[i].text) != 0)
				abort();
	}
}

static void check_again(const struct app *app)
{
	_cleanup_free_ char *yaml = app_render_yaml(app);
	struct app *again = yaml ? parse(yaml, strlen(yaml)) : NULL;

	if (!again)
		abort();
	check_same(app, again);
	app_free(again);
}

static void check_encodes(const struct app *app)
{
	struct diag_list diags;

	diag_init(&diags, "f.yaml");
	if ((encode_check(app, HOOK_XDP, &diags) == 0) != (diags.n_errors == 0))
		abort();
	diag_done(&diags);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];
	struct app *app;

	if (size && data[0] == WORDS) {
		size = spell(data + 1, size - 1, text, sizeof(text));
		app = parse(text, size);
	} else {
		app = parse((const char *)data, size);
	}
	if (!app)
		return;
	check_again(app);
	check_encodes(app);
	app_free(app);
}

void fuzz_end(void) {}
