// SPDX-License-Identifier: GPL-2.0-or-later
#include "specialise.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define NUMBER(field) fprintf(out, ".%s=%lluull,", #field, (unsigned long long)x->field)

static bool is_zero(const void *bytes, size_t size)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < size; i++)
		if (b[i])
			return false;
	return true;
}

/* Prints the elements that are not zero as designated initialisers of 'member'. */
#define ELEMENTS(member, print)                                                                                        \
	do {                                                                                                           \
		fprintf(out, "\t." #member "={");                                                                      \
		for (size_t i_ = 0; i_ < sizeof(t->member) / sizeof(t->member[0]); i_++) {                             \
			if (is_zero(&t->member[i_], sizeof(t->member[i_])))                                            \
				continue;                                                                              \
			fprintf(out, "[%zu]={", i_);                                                                   \
			print(out, &t->member[i_]);                                                                    \
			fprintf(out, "},");                                                                            \
		}                                                                                                      \
		fprintf(out, "},\n");                                                                                  \
	} while (0)

static void print_member(FILE *out, const struct member_load *x)
{
	NUMBER(first), NUMBER(cell), NUMBER(dst);
}

static void print_meter(FILE *out, const struct meter_rates *x)
{
	NUMBER(committed.rate), NUMBER(committed.burst), NUMBER(committed.whole_ns);
	NUMBER(peak.rate), NUMBER(peak.burst), NUMBER(peak.whole_ns), NUMBER(cost), NUMBER(bytes);
}

static void print_part(FILE *out, const struct key_part *x)
{
	NUMBER(cell), NUMBER(word), NUMBER(shift), NUMBER(bits);
}

static void print_load(FILE *out, const struct load *x)
{
	NUMBER(kind), NUMBER(dst), NUMBER(base), NUMBER(size), NUMBER(need), NUMBER(shift), NUMBER(off), NUMBER(off6);
	NUMBER(mask), NUMBER(size6), NUMBER(shift6);
}

static void print_global(FILE *out, const struct global_load *x)
{
	NUMBER(global), NUMBER(cell);
}

static void print_state(FILE *out, const struct state_def *x)
{
	NUMBER(idle_ns), NUMBER(hard_ns), NUMBER(idle_to), NUMBER(hard_to), NUMBER(flags), NUMBER(first_test),
		NUMBER(n_tests);
	NUMBER(first_timeout), NUMBER(n_timeout);
}

static void print_rule(FILE *out, const struct rule *x)
{
	NUMBER(counter), NUMBER(flags), NUMBER(next), NUMBER(verdict), NUMBER(arg), NUMBER(target), NUMBER(n_do),
		NUMBER(n_post);
	NUMBER(n_steps), NUMBER(first_do), NUMBER(first_post), NUMBER(first_step), NUMBER(meter), NUMBER(meter_cell),
		NUMBER(colour);
}

static void print_op(FILE *out, const struct op *x)
{
	NUMBER(code), NUMBER(flags), NUMBER(dst), NUMBER(a), NUMBER(b), NUMBER(global), NUMBER(imm);
}

static void print_test(FILE *out, const struct test *x)
{
	NUMBER(mask), NUMBER(low), NUMBER(range), NUMBER(cell), NUMBER(limit);
	fprintf(out, ".next={%u,%u},", x->next[0], x->next[1]);
}

static void print_step(FILE *out, const struct step *x)
{
	NUMBER(code), NUMBER(cell), NUMBER(base), NUMBER(size), NUMBER(size6), NUMBER(off), NUMBER(off6), NUMBER(shift);
	NUMBER(shift6), NUMBER(csum), NUMBER(csum6), NUMBER(need), NUMBER(imm), NUMBER(mask);
}

/* Around a constant table each rule that there is and each state gets code of its own. */
static void print_rules(FILE *out, const struct table *t)
{
	fprintf(out, "#define SPECIALISED_RULES(X, ...)");
	for (size_t i = 0; i < RULES_ROOM; i++)
		if (i != RULE_OTHERWISE && !is_zero(&t->rules[i], sizeof(t->rules[i])))
			fprintf(out, " X(%zu, __VA_ARGS__)", i);
	fprintf(out, "\n");
}

static void print_states(FILE *out, const struct table *t)
{
	fprintf(out, "#define SPECIALISED_STATES(X, ...)");
	for (unsigned i = 1; i < t->n_states; i++)
		fprintf(out, " X(%u, __VA_ARGS__)", i);
	fprintf(out, "\n");
}

/* Whether a packet may have anything to tell: a rule or a timeout that notifies. */
static bool has_notes(const struct table *t)
{
	for (size_t i = 0; i < RULES_ROOM; i++)
		if (t->rules[i].flags & RULE_NOTIFY)
			return true;
	for (unsigned i = 0; i < STATES_MAX; i++)
		if (t->states[i].flags & STATE_NOTIFY)
			return true;
	return false;
}

int specialise_print(FILE *out, const char *name, const struct table *t)
{
	const struct table *x = t;

	print_rules(out, t);
	print_states(out, t);
	fprintf(out, "enum { SPECIALISED_NOTES = %d };\n", has_notes(t));
	fprintf(out, "static const struct table %s = {\n\t", name);
	NUMBER(key_needs), NUMBER(update_needs), NUMBER(flags), NUMBER(flow_table), NUMBER(stats), NUMBER(app),
		NUMBER(id);
	NUMBER(record_class), NUMBER(key_words), NUMBER(n_registers), NUMBER(when_full), NUMBER(n_loads),
		NUMBER(n_lookup);
	NUMBER(n_update), NUMBER(n_pre), NUMBER(n_let), NUMBER(n_states), NUMBER(first_pre), NUMBER(first_let),
		NUMBER(n_tests), NUMBER(n_globals), NUMBER(n_members);
	fprintf(out, "\n");
	ELEMENTS(globals, print_global);
	ELEMENTS(members, print_member);
	ELEMENTS(meters, print_meter);
	ELEMENTS(lookup, print_part);
	ELEMENTS(update, print_part);
	ELEMENTS(loads, print_load);
	ELEMENTS(states, print_state);
	ELEMENTS(rules, print_rule);
	ELEMENTS(ops, print_op);
	ELEMENTS(steps, print_step);
	ELEMENTS(tests, print_test);
	fprintf(out, "};\n");
	return ferror(out) ? -EIO : 0;
}
