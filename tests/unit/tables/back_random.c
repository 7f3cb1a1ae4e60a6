/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random conditions and updates: the encoded operations against the source's trees.
 *
 * A generator writes applications as text; each packet's choice and registers, as the encoded tables
 * give them, must be what explain_eval computes from the expressions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "back_machine.h"
#include "tables/explain_eval.h"

enum { APPS = 150, PACKETS = 40, RULES = 3, NAMES = 12, NUMBERS = 10 };

static uint64_t seed;

static unsigned draw(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

/* ---- text ---- */

static const char *const names[NAMES] = {"length", "frames", "l4.dst", "ip.ttl", "v", "a",
					 "b",	   "x",	     "y",      "t.a",	 "i", "j"};
static const char *const numbers[NUMBERS] = {"0", "1", "2", "3", "7", "64", "0xff", "1000", "-1", "-7"};
static const char *const addresses[] = {"ip.src", "ip.dst", "w", "z", "10.0.0.1", "2001:db8::1"};

static void write_number(FILE *out, unsigned depth)
{
	static const char *const ops[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"};
	unsigned kind = draw(depth > 0 ? 7 : 2);

	if (kind == 0) {
		fputs(numbers[draw(NUMBERS)], out);
	} else if (kind == 1) {
		fputs(names[draw(NAMES)], out);
	} else if (kind == 2) {
		fprintf(out, "%s(", draw(2) ? "min" : "max");
		write_number(out, depth - 1);
		fputs(", ", out);
		write_number(out, depth - 1);
		fputs(")", out);
	} else if (kind == 6) {
		fputs(draw(2) ? "(random & 0xff)" : "hash(ip.src, v)", out);
	} else {
		/* A name first: constants alone may overflow, which the checker refuses. */
		fprintf(out, "(%s %s ", names[draw(NAMES)], ops[draw(10)]);
		write_number(out, depth - 1);
		fputs(")", out);
	}
}

static void write_condition(FILE *out, unsigned depth)
{
	static const char *const compare[] = {"==", "!=", "<", "<=", ">", ">="};
	unsigned kind = draw(depth > 0 ? 9 : 3);

	if (kind == 0) {
		fprintf(out, "%s %s %s", addresses[draw(4)], compare[draw(6)], addresses[draw(6)]);
	} else if (kind == 1) {
		fprintf(out, "has(%s)", draw(2) ? "tcp" : "ipv4");
	} else if (kind == 2 || kind == 3) {
		fprintf(out, "%s %s ", names[draw(NAMES)], compare[draw(6)]);
		write_number(out, depth);
	} else if (kind == 8) {
		fprintf(out, "%s(%s, ", draw(2) ? "seq_lt" : "seq_le", names[draw(NAMES)]);
		write_number(out, depth - 1);
		fputs(")", out);
	} else if (kind == 4) {
		fputs("not (", out);
		write_condition(out, depth - 1);
		fputs(")", out);
	} else {
		fputs("(", out);
		write_condition(out, depth - 1);
		fputs(draw(2) ? ") and (" : ") or (", out);
		write_condition(out, depth - 1);
		fputs(")", out);
	}
}

/* What each kind of target may be. */
static const struct target {
	const char *name, *value[9];
} targets[] = {
	{"l4.dst", {"7", "1-64", "0-1000", "0x40/0xf0", "1000", "3-6", "0/1", "2-2", "64-1000"}},
	{"ip.ttl", {"1", "2", "0-7", "7/7", "64", "3-63", "1/1", "0", "1-2"}},
	{"v", {"0", "1", "0-1000", "7/0xff", "udp", "5-6", "0/1", "1-0xffffffffffffffff", "64"}},
	{"j", {"0", "-1", "-7-7", "-8/-8", "3", "-7--1", "0/1", "-100-0", "1-1000"}},
	{"ip.src",
	 {"10.0.0.1", "10.0.0.0/8", "10.0.0.1-10.0.0.2", "10.0.0.1/255.0.0.255", "2001:db8::1", "2001:db8::/32",
	  "2001:db8::1-2001:db8::2", "2001:db7::-2001:db8::1", "::1/::3"}},
	{"w",
	 {"10.0.0.1", "10.0.0.0/8", "10.0.0.1-10.0.0.2", "::", "::-::1", "::/0", "2001:db8::1-2001:db8::2",
	  "2001:db7::-2001:db8::1", "::1/::3"}},
	{"ip.proto", {"tcp", "udp", "6-17", "icmp", "17", "0-5", "1/1", "6", "gre"}},
};

static void write_match(FILE *out, const struct target *target)
{
	unsigned n = 1 + draw(2);

	fprintf(out, "%s: \"%s%s", target->name, draw(3) ? "" : "not ", n > 1 ? "[" : "");
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? ", " : "", target->value[draw(9)]);
	fprintf(out, "%s\"", n > 1 ? "]" : "");
}

static void write_matches(FILE *out)
{
	unsigned first = draw(7), second = draw(7);

	fputs(", match: {", out);
	write_match(out, &targets[first]);
	if (second != first) {
		fputs(", ", out);
		write_match(out, &targets[second]);
	}
	fputs("}", out);
}

static void write_updates(FILE *out)
{
	static const char *const lhs[] = {"a", "b", "v", "i", "j"}, *const ops[] = {"=", "+=", "-=", "|=", "&="};

	for (unsigned i = 0, n = 1 + draw(3); i < n; i++) {
		fprintf(out, "%s%s %s ", i ? "; " : "", lhs[draw(5)], ops[draw(5)]);
		write_number(out, 2);
	}
	if (draw(2))
		fprintf(out, "; z = %s", addresses[draw(6)]);
}

static char *write_app(void)
{
	char *yaml = NULL;
	size_t size;
	FILE *out = open_memstream(&yaml, &size);

	/* Lets that are no constants: the checker would refuse what overflows. */
	fprintf(out, "app: random\nvariables: [v, int j, addr w]\ntables:\n  - name: t\n    let:\n      x: \"v %s ",
		draw(2) ? "+" : "^");
	write_number(out, 2);
	if (draw(2))
		fprintf(out, "\"\n      y: \"%s", draw(2) ? "t.a" : "b");
	else
		fputs("\"\n      y: \"a * b", out);
	fputs("\"\n    state: {lookup: [ip.proto], capacity: 16, registers: [a, b, int i, addr z]}\n    rules:\n", out);
	for (unsigned i = 0; i < RULES; i++) {
		fprintf(out, "      - {name: r%u", i);
		if (i == 0) /* Of all rules they would take more operations than there are before the lock. */
			write_matches(out);
		fputs(", when: \"", out);
		write_condition(out, 3);
		fputs("\", do: \"", out);
		write_updates(out);
		fputs("\", action: drop}\n", out);
	}
	fclose(out);
	/* Lets that would name each other or themselves. */
	for (char *p = strstr(yaml, "    let:"), *end = strstr(yaml, "    state:"); p < end; p++)
		if ((*p == 'x' || *p == 'y') && p[1] != ':' && (p[-1] == '(' || p[-1] == ' ' || p[-1] == '"') &&
		    strchr(" ,)\"", p[1]))
			*p = 'v';
	return yaml;
}

/* ---- judge ---- */

struct judge {
	struct enc enc;
	struct table table;
};

static struct judge *judge_new(const struct machine *m)
{
	struct judge *j = malloc(sizeof(*j));

	assert_non_null(j);
	assert_int_equal(enc_init(&j->enc, m->app, 0, HOOK_TC_INGRESS, &m->placement, NULL, &j->table), 0);
	assert_int_equal(enc_run(&j->enc), 0);
	return j;
}

static void judge_free(struct judge *j)
{
	enc_done(&j->enc);
	free(j);
}

static unsigned judge_rule(const struct judge *j, const struct native_step *step)
{
	const struct eval eval = {&j->enc, step->cells, CELL_LOOKUP, 0, NULL};
	const struct app_table *at = j->enc.at;

	for (unsigned i = 0; i < at->n_rules; i++) {
		uint64_t needs = enc_match_needs(&j->enc, &at->rule[i]) |
				 enc_action_needs(&j->enc, &at->rule[i].do_, &at->rule[i].action);
		struct eval_value value;

		if ((step->cells[CELL_PRESENT] & needs) != needs)
			continue;
		value = eval_expr(&eval, at->rule[i].when);
		assert_true(value.known);
		for (size_t m = 0; m < at->rule[i].n_match; m++)
			value.lo &= eval_match(&at->rule[i].match[m], eval_ref(&eval, &at->rule[i].match[m].ref));
		if (value.lo)
			return i;
	}
	return RULE_OTHERWISE;
}

/* Lets keep their values from before. */
static struct eval_value judge_value(const struct judge *j, const struct eval *now, const struct eval *before,
				     const struct expr *expr)
{
	struct eval_value value;
	struct expr copy = *expr;
	struct expr args[2], *arg[2];
	unsigned cell;

	if (enc_drawn(&j->enc, expr, &cell))
		return eval_expr(now, expr);
	if (expr->constant || expr->kind != EXPR_NAME) {
		if (expr->constant || expr->n_args != 2)
			return eval_expr(now, expr);
		/* Both sides first, then the operation on their values. */
		for (unsigned i = 0; i < 2; i++) {
			value = judge_value(j, now, before, expr->arg[i]);
			args[i] = (struct expr){.kind = EXPR_NUMBER,
						.type = expr->arg[i]->type,
						.constant = true,
						.hi = value.hi,
						.value = value.lo};
			arg[i] = &args[i];
		}
		copy.arg = arg;
		return eval_expr(now, &copy);
	}
	return eval_expr(expr->ref.kind == REF_LET ? before : now, expr);
}

static void judge_updates(const struct judge *j, const struct app_rule *rule, __u64 *cells, const __u64 *before_cells)
{
	const struct eval now = {&j->enc, cells, CELL_LOOKUP, 0, NULL},
			  before = {&j->enc, before_cells, CELL_LOOKUP, 0, NULL};

	for (size_t i = 0; i < rule->do_.n; i++) {
		struct stmt stmt = rule->do_.item[i];
		struct eval_value value = judge_value(j, &now, &before, stmt.value);
		struct expr constant = {.kind = EXPR_NUMBER,
					.type = stmt.value->type,
					.constant = true,
					.hi = value.hi,
					.value = value.lo};
		unsigned cell = CELL_VAR;

		stmt.value = &constant;
		value = eval_assigned(&now, &stmt);
		if (stmt.lhs->ref.kind == REF_VARIABLE)
			cell = CELL_VAR + j->enc.app->var[stmt.lhs->ref.index].word;
		else
			cell = CELL_LOOKUP + j->enc.layout.reg[stmt.lhs->ref.index].word;
		if (stmt.lhs->type == TYPE_ADDR)
			cells[cell++] = value.hi;
		cells[cell] = value.lo;
	}
}

static void send_random(struct machine *m)
{
	static const uint64_t lengths[] = {0, 1, 2, 7, 64, 1000}, his[] = {0, 0x20010db800000000ULL};
	unsigned family = draw(2), same = draw(2);
	struct part part[] = {
		{"ip.proto", 0, draw(2) ? 6 : 17},
		{"length", 0, lengths[draw(6)]},
		{"frames", 0, draw(3)},
		{"ip.ttl", 0, lengths[draw(5)]},
		{"ip.src", his[family], family ? 1 : 0xffff0a000001ULL},
		{"ip.dst", his[family], (family ? 1 : 0xffff0a000001ULL) + !same},
		{"l4.dst", 0, lengths[draw(6)]},
	};

	machine_send(m, part, draw(8) ? 7 : 6);
}

static void try_packet(struct machine *m, const struct judge *j, const char *yaml)
{
	const struct native_step *step = &m->step[0];
	__u64 cells[CELLS];
	unsigned rule;

	send_random(m);
	rule = judge_rule(j, step);
	if (m->rule[0] != rule)
		fail_msg("rule %u instead of %u:\n%s", m->rule[0], rule, yaml);
	if (rule >= RULES)
		return;
	memcpy(cells, step->cells, sizeof(cells));
	judge_updates(j, &m->app->table[0].rule[rule], cells, step->cells);
	for (size_t i = 0; i < j->enc.layout.n_regs; i++) {
		const struct layout_field *f = &j->enc.layout.reg[i];

		if (memcmp(&m->cells[f->word], &cells[f->word], f->bits / 8) != 0)
			fail_msg("rule %u, register %s: %llx instead of %llx:\n%s", rule, f->name,
				 (unsigned long long)m->cells[f->word], (unsigned long long)cells[f->word], yaml);
	}
	for (unsigned i = CELL_VAR; i < CELL_VAR + 2; i++)
		if (m->cells[i] != cells[i])
			fail_msg("rule %u, variable %c: %llx instead of %llx (was %llx, a %llx):\n%s", rule,
				 "vj"[i - CELL_VAR], (unsigned long long)m -> cells[i], (unsigned long long)cells[i],
				 (unsigned long long)step -> cells[i],
				 (unsigned long long)step -> cells[CELL_LOOKUP + 5], yaml);
}

static void encoded_tables_mean_what_the_source_says(void **state)
{
	unsigned n_chosen = 0;

	for (unsigned i = 0; i < APPS; i++) {
		struct machine *m;
		struct judge *j;
		char *yaml;

		seed = 0x1234567 + i;
		yaml = write_app();
		m = machine_new(yaml, NULL, 0);
		j = judge_new(m);
		for (unsigned p = 0; p < PACKETS; p++) {
			try_packet(m, j, yaml);
			n_chosen += m->rule[0] < RULES;
		}
		judge_free(j);
		machine_free(m);
		free(yaml);
	}
	assert_true(n_chosen > APPS * PACKETS / 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encoded_tables_mean_what_the_source_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
