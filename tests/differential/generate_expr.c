/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expressions as text. */
#include "generate_int.h"

static const char *ip_of(struct writer *w)
{
	return draw_chance(w->d, 60) ? DRAW_OF(w->d, generate_ip4) : DRAW_OF(w->d, generate_ip6);
}

static void write_constant(struct writer *w)
{
	static const char *const numbers[] = {"0",    "1",    "2",	    "3",    "7", "64",
					      "0xff", "1000", "0xffffffff", "1111", "80"};

	fputs(DRAW_OF(w->d, numbers), w->out);
}

static void write_name(struct writer *w)
{
	unsigned kind = draw_below(w->d, 10);

	static const char *const globals[] = {"g", "h", "q"};
	static const char *const registers[] = {"a", "b", "a", "b", "i"}, *const variables[] = {"v", "u", "v", "u",
												"j"};

	if (kind < 3 && w->has_registers[w->table])
		fputs(DRAW_OF(w->d, registers), w->out);
	else if (kind < 5)
		fputs(DRAW_OF(w->d, variables), w->out);
	else if (kind == 5 && w->n_lets)
		fprintf(w->out, "l%u", draw_below(w->d, w->n_lets));
	else if (kind == 6 && w->table && w->has_registers[w->table - 1])
		fprintf(w->out, "t%u.%s", w->table - 1, draw_chance(w->d, 50) ? "a" : "b");
	else if (kind == 6 && w->two_scopes && w->has_registers[w->table])
		fprintf(w->out, "t%u.a", w->table);
	else if (kind == 7 && w->biflow)
		fputs("direction", w->out);
	else if (kind == 8 && w->has_globals)
		fputs(DRAW_OF(w->d, globals), w->out);
	else
		fputs(family_word(w, FAMILY_NAMES), w->out);
}

/* hash() takes what is known before the record. */
static void write_hash(struct writer *w)
{
	fprintf(w->out, "hash(%s, %s, %s)", family_word(w, FAMILY_NAMES), family_word(w, FAMILY_ADDRESSES),
		draw_chance(w->d, 50) ? "v" : "77");
}

/* avg, var and ewma of registers that anything may have been written to. */
static void write_statistic(struct writer *w)
{
	static const char *const names[] = {"a", "b", "i", "v", "j"};
	const char *m = DRAW_OF(w->d, names), *n = DRAW_OF(w->d, names), *x = family_word(w, FAMILY_NAMES);

	switch (w->has_registers[w->table] ? draw_below(w->d, 3) : 3) {
	case 0: fprintf(w->out, "avg(%s, %s, %s)", m, n, x); break;
	case 1: fprintf(w->out, "var(%s, %s, %s, %s)", DRAW_OF(w->d, names), m, n, x); break;
	case 2: fprintf(w->out, "ewma(%s, %s, 0.%u)", m, x, 1 + draw_below(w->d, 999)); break;
	default: fprintf(w->out, "avg(v, u, %s)", x); break;
	}
}

static void write_call(struct writer *w, unsigned depth)
{
	static const char *const randoms[] = {"(random & 3)", "(random % 5)", "(random >> 60)", "random"};

	if (draw_chance(w->d, 15)) {
		fputs(DRAW_OF(w->d, randoms), w->out);
		return;
	}
	if (draw_chance(w->d, 20)) {
		write_hash(w);
		return;
	}
	if (draw_chance(w->d, 25)) {
		write_statistic(w);
		return;
	}
	fputs(draw_chance(w->d, 50) ? "min(" : "max(", w->out);
	write_number(w, depth - 1);
	fputs(", ", w->out);
	write_number(w, depth - 1);
	fputs(")", w->out);
}

void write_number(struct writer *w, unsigned depth)
{
	static const char *const ops[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"};
	unsigned kind = draw_below(w->d, depth ? 8 : 2);

	if (kind == 0) {
		write_constant(w);
	} else if (kind < 3) {
		write_name(w);
	} else if (kind == 3) {
		write_call(w, depth);
	} else if (kind == 4) {
		fputs(draw_chance(w->d, 50) ? "~(" : "-(", w->out);
		write_name(w);
		fputc(')', w->out);
	} else {
		/* A name first: the checker refuses constants that overflow. */
		fputc('(', w->out);
		write_name(w);
		fprintf(w->out, " %s ", DRAW_OF(w->d, ops));
		write_number(w, depth - 1);
		fputc(')', w->out);
	}
}

void write_address(struct writer *w)
{
	unsigned kind = draw_below(w->d, 6);

	if (kind == 0)
		fputs(ip_of(w), w->out);
	else if (kind < 3 && w->has_registers[w->table])
		fputs("d", w->out);
	else
		fputs(family_word(w, FAMILY_ADDRESSES), w->out);
}

static void write_time(struct writer *w)
{
	static const char *const times[] = {"now - t < 1s", "now < t + 50ms", "t + 5s >= now", "t == 0",
					    "now - t >= 1ms"};
	static const char *const others[] = {"x < now", "x == 0", "now - x > 1ms"};

	fputs(w->has_registers[w->table] ? DRAW_OF(w->d, times) : DRAW_OF(w->d, others), w->out);
}

static void write_test(struct writer *w)
{
	static const char *const compare[] = {"==", "!=", "<", "<=", ">", ">="};
	static const char *const has[] = {"tcp",  "ipv6",    "vlan",	"fragment", "l4",     "arp",
					  "icmp", "tcp.dst", "hopopts", "udp",	    "in_port"};
	static const char *const declared[] = {"shim", "opt", "tail.x", "tun", "beside", "seg.m", "echo"};
	static const char *const in[] = {"10.0.0.0/8", "192.0.2.0/30", "2001:db8::/32", "192.0.2.2-198.51.100.1",
					 "[192.0.2.1, 2001:db8::1]"};
	static const char *const sets[] = {"[1111, 3333]", "1-100", "[53, 2000-4000]"};

	switch (draw_below(w->d, 10)) {
	case 0:
		fprintf(w->out, "has(%s)",
			w->has_headers && draw_chance(w->d, 60) ? DRAW_OF(w->d, declared) : DRAW_OF(w->d, has));
		break;
	case 1:
		write_address(w);
		fputs(draw_chance(w->d, 70) ? " == " : DRAW_OF(w->d, compare), w->out);
		write_address(w);
		break;
	case 2: fprintf(w->out, "%s in %s", family_word(w, FAMILY_ADDRESSES), DRAW_OF(w->d, in)); break;
	case 3: write_time(w); break;
	case 4:
		write_name(w);
		fprintf(w->out, " in %s", DRAW_OF(w->d, sets));
		break;
	case 5:
		fprintf(w->out, "seq_l%c(%s, %s)", draw_chance(w->d, 50) ? 't' : 'e', family_word(w, FAMILY_NAMES),
			draw_chance(w->d, 50) ? "3" : "v");
		break;
	default:
		write_name(w);
		fprintf(w->out, " %s ", DRAW_OF(w->d, compare));
		write_number(w, 2);
	}
}

void write_condition(struct writer *w, unsigned depth)
{
	unsigned kind = draw_below(w->d, depth ? 6 : 1);

	if (kind < 3) {
		write_test(w);
		return;
	}
	fputs(kind == 3 ? "not (" : "(", w->out);
	write_condition(w, depth - 1);
	if (kind > 3) {
		fputs(kind == 4 ? ") and (" : ") or (", w->out);
		write_condition(w, depth - 1);
	}
	fputs(")", w->out);
}
