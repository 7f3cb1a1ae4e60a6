/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applications as text, one rule a line, so that a line, an element of a list or a step can be taken away. */
#include "generate_int.h"

static const char *const verdicts[] = {"pass",	  "drop",      "deliver",   "flood",
				       "reflect", "output(2)", "output(4)", "output(5)"};

/* ---- match ---- */

static void write_match_value(struct writer *w, const char *field)
{
	static const char *const ips[] = {"192.0.2.1",
					  "192.0.2.0/30",
					  "not 192.0.2.0/24",
					  "2001:db8::/32",
					  "10.0.0.0-192.0.2.1",
					  "not 192.0.2.2-192.0.2.200",
					  "2001:db8::2-2001:db8:ffff::1",
					  "not 2001:db8::1",
					  "[192.0.2.1, 10.0.0.0/8, 2001:db8::2]",
					  "0.0.0.1/0.0.0.1",
					  "not [10.1.2.3, 2001:db8::1]"};
	static const char *const ports[] = {
		"1111", "53", "1000-2999", "not 80", "not [53, 80]", "[1111, 2222, 50-90]", "0x10/0x30"};
	static const char *const protos[] = {"tcp", "udp", "[tcp, udp]", "not icmp", "icmpv6", "not [tcp, 50]"};
	static const char *const flags[] = {"+syn", "+syn-ack", "-rst", "+fin+ack", "2"};
	static const char *const macs[] = {"02:00:00:00:00:01", "01:00:00:00:00:00/01:00:00:00:00:00",
					   "not 02:00:00:00:00:02"};
	static const char *const ints[] = {"-5-5", "0", "not -1", "1-1000", "-9000000000000000000--1"};
	static const char *const small[] = {"1",      "2",  "1-3",  "not 1",   "0",
					    "[1, 3]", "64", "1-63", "not 2-5", "0x1/0x3"};

	if (strstr(field, "p.src") || strstr(field, "v4.src") || strstr(field, "v6.") || strstr(field, "arp.spa") ||
	    strstr(field, "ip.dst") || strcmp(field, "w") == 0)
		fputs(DRAW_OF(w->d, ips), w->out);
	else if (strstr(field, "l4.") || strstr(field, "tcp.dst") || strstr(field, "udp.src"))
		fputs(DRAW_OF(w->d, ports), w->out);
	else if (strstr(field, "proto"))
		fputs(DRAW_OF(w->d, protos), w->out);
	else if (strstr(field, "flags"))
		fputs(DRAW_OF(w->d, flags), w->out);
	else if (strncmp(field, "eth.", 4) == 0 && strcmp(field, "eth.type") != 0)
		fputs(DRAW_OF(w->d, macs), w->out);
	else if (strcmp(field, "j") == 0)
		fputs(DRAW_OF(w->d, ints), w->out);
	else
		fputs(DRAW_OF(w->d, small), w->out);
}

static void write_match(struct writer *w)
{
	const char *first = family_word(w, FAMILY_MATCHES), *second = family_word(w, FAMILY_MATCHES);

	fprintf(w->out, ", match: {%s: \"", first);
	write_match_value(w, first);
	if (draw_chance(w->d, 30) && strcmp(first, second) != 0) {
		fprintf(w->out, "\", %s: \"", second);
		write_match_value(w, second);
	}
	fputs("\"}", w->out);
}

/* ---- do and action ---- */

/* One operation, mostly an atomic one. */
static void write_global_update(struct writer *w)
{
	static const char *const ops[] = {"g = ", "g += ", "g += ", "h -= ", "h |= ", "q &= ", "q = "};
	bool max = draw_chance(w->d, 30);

	fputs(max ? "h = max(h, " : DRAW_OF(w->d, ops), w->out);
	write_number(w, 1);
	fputs(max ? ")" : "", w->out);
	w->wrote_global = true;
}

static void write_update(struct writer *w, bool registers)
{
	static const char *const ops[] = {"=", "+=", "-=", "|=", "&="};
	static const char *const times[] = {"t = now", "t += 100ms", "t = now + 1s", "x = now", "x = t"};
	unsigned kind = draw_below(w->d, registers ? 8 : 2);

	if (kind == 0) {
		fprintf(w->out, "%c %s ", "vvvuuj"[draw_below(w->d, 6)], DRAW_OF(w->d, ops));
		write_number(w, 2);
	} else if (kind == 1) {
		fputs("w = ", w->out);
		write_address(w);
	} else if (kind == 2) {
		fputs("d = ", w->out);
		write_address(w);
	} else if (kind == 3) {
		fputs(DRAW_OF(w->d, times), w->out);
	} else if (kind == 4) {
		fprintf(w->out, "e = %s", draw_chance(w->d, 50) ? "eth.src" : "eth.dst");
	} else {
		fprintf(w->out, "%c %s ", "aaabbi"[draw_below(w->d, 6)], DRAW_OF(w->d, ops));
		write_number(w, 2);
	}
}

static void write_field_write(struct writer *w)
{
	static const char *const targets[] = {"ip.ttl",	 "l4.dst",  "ip.tos", "tcp.window",
					      "ipv4.id", "vlan.id", "l4.src"};

	if (draw_chance(w->d, 85)) {
		fputs(family_word(w, FAMILY_WRITES), w->out);
		return;
	}
	fprintf(w->out, "%s %s ", DRAW_OF(w->d, targets), draw_chance(w->d, 60) ? "=" : "+=");
	write_number(w, 2);
}

static void write_verdict(struct writer *w)
{
	unsigned kind = draw_below(w->d, 12);

	if (kind == 0 && w->has_registers[w->table])
		fputs("output(a)", w->out);
	else if (kind == 1)
		fputs("output(v & 7)", w->out);
	else if (kind < 5 && w->table + 1 < w->n_tables)
		fprintf(w->out, "goto(t%u)", w->table + 1 + draw_below(w->d, w->n_tables - w->table - 1));
	else
		fputs(draw_chance(w->d, 40) ? "pass" : DRAW_OF(w->d, verdicts), w->out);
}

void write_steps(struct writer *w)
{
	unsigned n = draw_below(w->d, 3);
	const char *between = "";

	for (unsigned i = 0; i < n; i++, between = "; ") {
		fputs(between, w->out);
		if (draw_chance(w->d, 20))
			write_update(w, false);
		else if (draw_chance(w->d, 20))
			fputs("notify", w->out);
		else if (w->has_meters && draw_chance(w->d, 30))
			fprintf(w->out, "%c = meter(m%c)", "vuj"[draw_below(w->d, 3)], "pb"[draw_below(w->d, 2)]);
		else
			write_field_write(w);
	}
	if (!n || draw_chance(w->d, 70)) {
		fputs(between, w->out);
		write_verdict(w);
	}
}

/* ---- rules ---- */

static void write_states(struct writer *w)
{
	if (w->n_states < 2 || draw_chance(w->d, 40))
		return;
	if (draw_chance(w->d, 60)) {
		fprintf(w->out, ", state: S%u", draw_below(w->d, w->n_states));
		return;
	}
	fputs(", state: [", w->out);
	for (unsigned i = 0, n = 0; i < w->n_states; i++)
		if (i + 1 == w->n_states ? !n : draw_chance(w->d, 50))
			fprintf(w->out, "%sS%u", n++ ? ", " : "", i);
	fputs("]", w->out);
}

static void write_updates(struct writer *w)
{
	w->wrote_global = false;
	fputs(", do: \"", w->out);
	for (unsigned i = 0, n = 1 + draw_below(w->d, 3); i < n; i++) {
		fputs(i ? "; " : "", w->out);
		if (w->has_globals && !w->wrote_global && draw_chance(w->d, 40))
			write_global_update(w);
		else
			write_update(w, w->has_registers[w->table]);
	}
	/* Last, because the colour cannot be read in `do`. */
	if (w->plan[w->table].has_meter && draw_chance(w->d, 50))
		fprintf(w->out, "; %c = meter(own)", "vuj"[draw_below(w->d, 3)]);
	fputs("\"", w->out);
}

/* 'stays': not to the first state. */
static void write_next(struct writer *w, bool stays)
{
	unsigned next = draw_chance(w->d, 20) ? 0 : draw_below(w->d, w->n_states);

	fprintf(w->out, ", next: S%u", stays && !next ? 1 : next);
}

static void write_rule(struct writer *w, unsigned index, bool is_last)
{
	bool holds = w->plan[w->table].holds, allocates;
	bool match = draw_chance(w->d, holds ? 30 : 60), when = draw_chance(w->d, holds ? 20 : 40);

	w->family = draw_family(w);
	fprintf(w->out, "      - {name: r%u", index);
	write_states(w);
	if (match || (!when && !is_last && !holds))
		write_match(w);
	if (when) {
		fputs(", when: \"", w->out);
		write_condition(w, 2);
		fputs("\"", w->out);
	}
	if (draw_chance(w->d, 60))
		write_updates(w);
	allocates = w->plan[w->table].holds && draw_chance(w->d, 75);
	if (allocates)
		write_allocate(w);
	if (w->n_states > 1 && draw_chance(w->d, 55))
		write_next(w, allocates || w->plan[w->table].held_by);
	if (draw_chance(w->d, 15))
		fputs(", refresh: no", w->out);
	if (!allocates && draw_chance(w->d, 35))
		write_learn(w);
	fputs(", action: \"", w->out);
	write_steps(w);
	fputs("\"}\n", w->out);
}

/* ---- tables ---- */

static void plan_keys(struct writer *w, struct plan *p)
{
	static const char *const one[] = {"ip.src",
					  "ip.src, ip.dst",
					  "eth.src",
					  "ip.proto",
					  "l4.dst, ip.src",
					  "ipv4.src/24",
					  "ipv6.src/64, ip.proto",
					  "ip.src/120",
					  "tcp.dst/8",
					  "vlan.id",
					  "in_port",
					  "v",
					  "biflow.l4, ip.proto",
					  "biflow.ip",
					  "biflow.eth",
					  "biflow.l4",
					  "eth.src, vlan.id",
					  "arp.spa",
					  "ip.src, l4.src, v",
					  "eth.type",
					  "ip.dst, ip.src, l4.dst, l4.src, ip.proto"};
	static const char *const two[][2] = {{"ip.dst", "ip.src"},
					     {"eth.dst", "eth.src"},
					     {"ip.src, ip.dst", "ip.dst, ip.src"},
					     {"l4.dst", "l4.src"},
					     {"arp.tpa", "arp.spa"},
					     {"v", "u"},
					     {"ip.src", "arp.spa"},
					     {"ip.dst/120", "ip.src/120"},
					     {"l4.src", "tcp.dst"},
					     {"eth.dst, vlan.id", "eth.src, vlan.id"}};
	unsigned i;

	if (draw_chance(w->d, 30)) {
		i = draw_below(w->d, sizeof(two) / sizeof(two[0]));
		p->lookup = two[i][0];
		p->update = two[i][1];
		return;
	}
	p->lookup = DRAW_OF(w->d, one);
	p->biflow = strstr(p->lookup, "biflow");
}

static struct plan draw_plan(struct writer *w)
{
	struct plan p = {.stateful = draw_chance(w->d, 80), .n_states = 1};

	if (!p.stateful)
		return p;
	plan_keys(w, &p);
	p.tight = draw_chance(w->d, 30);
	p.has_registers = draw_chance(w->d, 70);
	p.has_meter = draw_chance(w->d, 20);
	p.has_updates = draw_chance(w->d, 40);
	p.n_states = draw_chance(w->d, p.has_updates ? 100 : 75) ? 2 + draw_below(w->d, 3) : 1;
	p.is_learned = draw_chance(w->d, 60);
	p.has_states = p.n_states > 1 || draw_chance(w->d, 50);
	return p;
}

/* Where timeouts do something, or may be made up for by a rule that learns, they lead to later states only, so that
 * few are due at once. */
static unsigned timeout_target(struct writer *w, unsigned state)
{
	if (!w->has_updates && !w->plan[w->table].is_learned)
		return draw_below(w->d, w->n_states);
	return state + 1 < w->n_states ? state + 1 + draw_below(w->d, w->n_states - state - 1) : 0;
}

static void write_timeout(struct writer *w, const char *kind, unsigned state)
{
	static const char *const times[] = {"1ms", "50ms", "1s", "5s", "10s", "400us"};

	fprintf(w->out, ", %s: %s", kind, DRAW_OF(w->d, times));
	/* In a tight table whatever falls makes room. */
	if (!w->tight && draw_chance(w->d, w->has_updates ? 80 : 50))
		fprintf(w->out, ", %s_to: S%u", kind, timeout_target(w, state));
}

/* Which of several flows falls first in a tight table is not known, so there it changes nothing for others. */
static void write_on_timeout(struct writer *w)
{
	static const char *const registers[] = {"a += 1",	   "t = now", "b = a",	   "i -= 1",	      "a = 0",
						"d = 2001:db8::9", "b += 3",  "t += 50ms", "a = avg(a, b, 7)"};
	static const char *const globals[] = {"g += 1", "g -= 1", "h = max(h, 9)", "q |= 4", "q = 3", "g += h"};
	const char *between = "";

	fputs(", on_timeout: \"", w->out);
	if (draw_chance(w->d, 50)) {
		fputs("notify", w->out);
		between = "; ";
	}
	for (unsigned i = 0, n = 1 + draw_below(w->d, 2); i < n && w->has_registers[w->table]; i++, between = "; ")
		fprintf(w->out, "%s%s", between, DRAW_OF(w->d, registers));
	if (w->has_globals && !w->tight && (!*between || draw_chance(w->d, 50)))
		fprintf(w->out, "%s%s", between, DRAW_OF(w->d, globals));
	else if (!*between)
		fputs("notify", w->out);
	fputs("\"", w->out);
}

static void write_state_list(struct writer *w)
{
	if (!w->plan[w->table].has_states)
		return;
	fputs("      states:\n", w->out);
	for (unsigned i = 0; i < w->n_states; i++) {
		/* Which of several due flows makes room would decide what is free for others. */
		bool ends = !w->plan[w->table].held_by && !(w->plan[w->table].holds && w->tight);
		bool idle = ends && draw_chance(w->d, i ? 45 + 20 * w->has_updates : 15);
		bool hard = ends && i && draw_chance(w->d, 35);

		fprintf(w->out, "        - {name: S%u", i);
		if (idle)
			write_timeout(w, "idle", i);
		if (hard)
			write_timeout(w, "hard", i);
		if ((idle || hard) && w->has_updates && draw_chance(w->d, 80))
			write_on_timeout(w);
		else if ((idle || hard) && draw_chance(w->d, 40))
			fputs(", on_timeout: notify", w->out);
		fputs("}\n", w->out);
	}
}

static const char *const rates[] = {"cir: 1kpps, cbs: 2", "cir: 10pps, cbs: 5, pir: 100pps, pbs: 9",
				    "cir: 100kbps, cbs: 1000B", "cir: 9kbps, cbs: 300B, pir: 4Mbps, pbs: 2kB"};

static void write_state(struct writer *w)
{
	static const char *const full[] = {"drop", "pass", "evict", "continue", "continue"};
	const struct plan *p = &w->plan[w->table];

	fprintf(w->out, "    state:\n      lookup: [%s]\n", p->lookup);
	if (p->update)
		fprintf(w->out, "      update: [%s]\n", p->update);
	/* Four flows are one bucket, so which is unused for longest is known; or there is room for all. */
	fprintf(w->out, "      capacity: %u\n", w->tight ? 1 + draw_below(w->d, 4) : 256);
	if (draw_chance(w->d, 70))
		fprintf(w->out, "      when_full: %s\n", full[draw_below(w->d, p->held_by ? 2 : p->holds ? 3 : 5)]);
	write_state_list(w);
	if (w->has_registers[w->table])
		fputs("      registers: [a, b, time t, addr d, mac e, int i]\n", w->out);
	if (p->has_meter)
		fprintf(w->out, "      meters: {own: {%s}}\n", DRAW_OF(w->d, rates));
}

static void write_lets(struct writer *w)
{
	unsigned n = draw_below(w->d, 3);

	if (!n)
		return;
	w->family = draw_common_family(w);
	fputs("    let:\n", w->out);
	for (unsigned i = 0; i < n; i++) {
		fprintf(w->out, "      l%u: \"", i);
		write_number(w, 2);
		fputs("\"\n", w->out);
		w->n_lets = i + 1;
	}
}

static void write_default(struct writer *w, const char *key)
{
	static const char *const steps[] = {"v += 1", "u = length", "notify", "j = random % 7; notify",
					    "w = 192.0.2.9"};

	fprintf(w->out, "    %s: \"", key);
	if (draw_chance(w->d, 40))
		fprintf(w->out, "%s; ", DRAW_OF(w->d, steps));
	fprintf(w->out, "%s\"\n", DRAW_OF(w->d, verdicts));
}

static void write_table(struct writer *w)
{
	const struct plan *p = &w->plan[w->table];

	w->stateful = p->stateful;
	w->two_scopes = p->update;
	w->biflow = p->biflow;
	w->tight = p->tight;
	w->has_updates = p->has_updates;
	w->n_states = p->n_states;
	w->n_lets = 0;
	fprintf(w->out, "  - name: t%u\n", w->table);
	if (w->stateful)
		write_state(w);
	write_lets(w);
	fputs("    rules:\n", w->out);
	for (unsigned i = 0, n = 1 + draw_below(w->d, 6); i < n; i++)
		write_rule(w, i, i + 1 == n);
	if (draw_chance(w->d, 40))
		write_default(w, "otherwise");
	if (w->stateful && draw_chance(w->d, 40))
		write_default(w, "absent");
}

char *generate_app(struct draw *d)
{
	char *yaml = NULL;
	size_t size;
	struct writer w = {.d = d, .out = open_memstream(&yaml, &size)};

	if (!w.out)
		abort();
	w.n_tables = draw_chance(d, 50) ? 1 : 2 + draw_below(d, TABLES_MAX - 1);
	w.has_globals = draw_chance(d, 50);
	w.has_headers = draw_chance(d, 40);
	w.has_meters = draw_chance(d, 30);
	fputs("app: generated\nvariables: [v, u, addr w, time x, int j]\n", w.out);
	if (w.has_globals)
		fputs("globals: {g: 5, h: {initial: 7, range: 0-1000}, q: 0xffff}\n", w.out);
	fputs(w.has_headers ? generate_headers : "", w.out);
	if (w.has_meters)
		fprintf(w.out, "meters: {mp: {%s}, mb: {%s}}\n", rates[draw_below(d, 2)], rates[2 + draw_below(d, 2)]);
	fputs("tables:\n", w.out);
	for (unsigned i = 0; i < w.n_tables; i++) {
		w.plan[i] = draw_plan(&w);
		w.has_registers[i] = w.plan[i].has_registers;
	}
	if (w.n_tables > 1 && draw_chance(d, 80))
		plan_claims(&w);
	for (w.table = 0; w.table < w.n_tables; w.table++)
		write_table(&w);
	fclose(w.out);
	return yaml;
}
