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
#define ELEMENTS(member, print)                                                              \
	do {                                                                                 \
		fprintf(out, "\t." #member "={");                                            \
		for (size_t i_ = 0; i_ < sizeof(t->member) / sizeof(t->member[0]); i_++) {   \
			if (is_zero(&t->member[i_], sizeof(t->member[i_])))                  \
				continue;                                                    \
			fprintf(out, "[%zu]={", i_);                                         \
			print(out, &t->member[i_]);                                          \
			fprintf(out, "},");                                                  \
		}                                                                            \
		fprintf(out, "},\n");                                                        \
	} while (0)

static void print_part(FILE *out, const struct key_part *x)
{
	NUMBER(cell), NUMBER(word), NUMBER(shift), NUMBER(bits);
}

static void print_load(FILE *out, const struct load *x)
{
	NUMBER(kind), NUMBER(dst), NUMBER(base), NUMBER(size), NUMBER(need), NUMBER(shift), NUMBER(off), NUMBER(off6);
	NUMBER(mask), NUMBER(size6), NUMBER(shift6);
}

static void print_state(FILE *out, const struct state_def *x)
{
	NUMBER(idle_ns), NUMBER(hard_ns), NUMBER(idle_to), NUMBER(hard_to), NUMBER(flags), NUMBER(first_test), NUMBER(n_tests);
	NUMBER(timeout_op), NUMBER(n_timeout_ops);
}

static void print_rule(FILE *out, const struct rule *x)
{
	NUMBER(counter), NUMBER(flags), NUMBER(next), NUMBER(verdict), NUMBER(arg), NUMBER(target), NUMBER(n_do), NUMBER(n_post);
	NUMBER(n_steps), NUMBER(first_do), NUMBER(first_post), NUMBER(first_step);
}

static void print_op(FILE *out, const struct op *x)
{
	NUMBER(code), NUMBER(flags), NUMBER(dst), NUMBER(a), NUMBER(b), NUMBER(imm);
}

static void print_test(FILE *out, const struct test *x)
{
	NUMBER(mask), NUMBER(low), NUMBER(range), NUMBER(cell);
	fprintf(out, ".next={%u,%u},", x->next[0], x->next[1]);
}

static void print_step(FILE *out, const struct step *x)
{
	NUMBER(code), NUMBER(cell), NUMBER(base), NUMBER(size), NUMBER(size6), NUMBER(off), NUMBER(off6), NUMBER(shift);
	NUMBER(shift6), NUMBER(csum), NUMBER(csum6), NUMBER(need), NUMBER(imm), NUMBER(mask);
}

static void print_table(FILE *out, const struct table *t)
{
	const struct table *x = t;

	fprintf(out, "{\n\t");
	NUMBER(key_needs), NUMBER(update_needs), NUMBER(flags), NUMBER(flow_table), NUMBER(stats), NUMBER(app), NUMBER(id);
	NUMBER(record_class), NUMBER(key_words), NUMBER(n_registers), NUMBER(when_full), NUMBER(n_loads), NUMBER(n_lookup);
	NUMBER(n_update), NUMBER(n_pre), NUMBER(n_let), NUMBER(n_states), NUMBER(first_pre), NUMBER(first_let), NUMBER(n_tests);
	fprintf(out, "\n");
	ELEMENTS(lookup, print_part);
	ELEMENTS(update, print_part);
	ELEMENTS(loads, print_load);
	ELEMENTS(states, print_state);
	ELEMENTS(rules, print_rule);
	ELEMENTS(ops, print_op);
	ELEMENTS(steps, print_step);
	ELEMENTS(tests, print_test);
	fprintf(out, "},\n");
}

int specialise_print(FILE *out, const char *name, const struct table *tables, unsigned n)
{
	fprintf(out, "enum { %s_n = %u };\nstatic const struct table %s[%u] = {\n", name, n, name, n);
	for (unsigned i = 0; i < n; i++)
		print_table(out, &tables[i]);
	fprintf(out, "};\n");
	return ferror(out) ? -EIO : 0;
}
