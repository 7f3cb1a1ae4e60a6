/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `learn` and `allocate` as text: records of any table whose key can be computed. */
#include "generate_int.h"

static bool is_writable(const struct plan *p)
{
	return p->stateful && !p->biflow && !strchr(p->lookup, '/');
}

static bool is_address(const char *field)
{
	return strstr(field, "ip.src") || strstr(field, "ip.dst") || strstr(field, "arp.");
}

static void write_mac(struct writer *w)
{
	static const char *const macs[] = {"eth.src", "eth.dst"};

	fputs(draw_chance(w->d, 70) ? DRAW_OF(w->d, macs) : DRAW_OF(w->d, generate_mac), w->out);
}

/* Often what a packet has there, so that records are found. */
static void write_part(struct writer *w, const char *field)
{
	static const char *const constants[] = {"1", "2", "3", "6", "17", "80", "1111", "0x800"};

	if (is_address(field))
		write_address(w);
	else if (strncmp(field, "eth.s", 5) == 0 || strncmp(field, "eth.d", 5) == 0)
		write_mac(w);
	else if (draw_chance(w->d, 50))
		fputs(field, w->out);
	else if (draw_chance(w->d, 50))
		fputs(DRAW_OF(w->d, constants), w->out);
	else
		write_number(w, 1);
}

/* 'claimed': the register that gets the value, in place of the first number; NULL: none. */
static void write_key(struct writer *w, const char *lookup, const char *claimed)
{
	char *copy = strdup(lookup), *rest = copy, *field;
	const char *between = "";

	fputs(", key: [", w->out);
	while ((field = strsep(&rest, ","))) {
		field += *field == ' ';
		fprintf(w->out, "%s\"", between);
		if (claimed && !is_address(field)) {
			fputs(claimed, w->out);
			claimed = NULL;
		} else {
			write_part(w, field);
		}
		fputs("\"", w->out);
		between = ", ";
	}
	fputs("]", w->out);
	free(copy);
}

static void write_sets(struct writer *w)
{
	static const char *const numbers[] = {"a", "b", "i"};

	fprintf(w->out, ", set: {%s: \"", DRAW_OF(w->d, numbers));
	write_number(w, 2);
	if (draw_chance(w->d, 30)) {
		fputs("\", d: \"", w->out);
		write_address(w);
	}
	fputs(draw_chance(w->d, 20) ? "\", t: \"now\"}" : "\"}", w->out);
}

/* Names table, key, state and registers of a record; state 'first' or later. */
static void write_record(struct writer *w, const struct plan *p, unsigned first, const char *claimed)
{
	unsigned state = first + draw_below(w->d, p->n_states - first);

	fprintf(w->out, "table: t%u", (unsigned)(p - w->plan));
	write_key(w, p->lookup, claimed);
	if (p->has_states)
		fprintf(w->out, ", state: S%u", state);
	if (p->has_registers && (state || !p->has_states) && draw_chance(w->d, 70))
		write_sets(w);
	fputs(", else: \"", w->out);
	write_steps(w);
	fputs("\"", w->out);
}

void write_learn(struct writer *w)
{
	const struct plan *p = &w->plan[draw_below(w->d, w->n_tables)];

	if (!is_writable(p) || !p->is_learned || p->held_by)
		return;
	fputs(", learn: {", w->out);
	write_record(w, p, p->n_states > 1 && draw_chance(w->d, 75), NULL);
	fputs("}", w->out);
}

/* ---- allocate -------------------------------------------------------------------------------- */

static bool has_number(const char *lookup)
{
	return strstr(lookup, "l4.") || strstr(lookup, "proto") || strstr(lookup, "vlan") ||
	       strstr(lookup, "in_port") || strstr(lookup, "eth.") || strchr(lookup, 'v') == lookup;
}

static bool can_claim(const struct plan *holder, const struct plan *held)
{
	return holder != held && is_writable(held) && !held->update && has_number(held->lookup) &&
	       (!held->has_states || held->n_states > 1) && holder->stateful && !holder->update &&
	       holder->has_registers;
}

void plan_claims(struct writer *w)
{
	enum { ATTEMPTS = 20 };

	for (unsigned i = 0; i < ATTEMPTS; i++) {
		unsigned from = draw_below(w->d, w->n_tables), by = draw_below(w->d, w->n_tables);

		if (!can_claim(&w->plan[by], &w->plan[from]))
			continue;
		w->plan[by].holds = from + 1;
		w->plan[from].held_by = by + 1;
		return;
	}
}

void write_allocate(struct writer *w)
{
	static const char *const ranges[] = {"1-3", "1-6", "2-2", "50-90", "1111-1113", "0-65535"};
	static const char *const firsts[] = {"v", "l4.dst", "in_port", "a", "u + 1", "l4.src", "b"};
	const char *claimed = draw_chance(w->d, 70) ? "a" : "b";
	const struct plan *from = &w->plan[w->plan[w->table].holds - 1];

	fprintf(w->out, ", allocate: {register: %s, from: %s", claimed, DRAW_OF(w->d, ranges));
	if (draw_chance(w->d, 60))
		fprintf(w->out, ", first: \"%s\"", DRAW_OF(w->d, firsts));
	fputs(", ", w->out);
	write_record(w, from, from->has_states, claimed);
	fputs("}", w->out);
}
