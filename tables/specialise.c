// SPDX-License-Identifier: GPL-2.0-or-later
#include "specialise.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Only what is not zero: the rest is so anyway, and the text is for people too. */
static void print_number(FILE *out, const char *field, unsigned long long value)
{
	if (value)
		fprintf(out, ".%s=%lluull,", field, value);
}
#define NUMBER(field) print_number(out, #field, x->field)

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
	NUMBER(mask), NUMBER(size6), NUMBER(shift6), NUMBER(inner);
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
	NUMBER(n_steps), NUMBER(first_do), NUMBER(first_post), NUMBER(first_step), NUMBER(learn), NUMBER(claim);
	NUMBER(meter), NUMBER(meter_cell), NUMBER(colour);
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

/* ---- the table -------------------------------------------------------------------------------------------- */

static void print_table(FILE *out, const struct table *t)
{
	const struct table *x = t;

	fprintf(out, "static const struct table specialised_table = {\n\t");
	NUMBER(key_needs);
	NUMBER(update_needs);
	NUMBER(flags);
	NUMBER(flow_table);
	NUMBER(stats);
	NUMBER(app);
	NUMBER(id);
	NUMBER(record_class);
	NUMBER(key_words);
	NUMBER(n_registers);
	NUMBER(when_full);
	NUMBER(n_loads);
	NUMBER(n_lookup);
	NUMBER(n_update);
	NUMBER(n_pre);
	NUMBER(n_let);
	NUMBER(n_states);
	NUMBER(first_pre);
	NUMBER(first_let);
	NUMBER(n_tests);
	NUMBER(n_globals);
	NUMBER(claim_table);
	NUMBER(claim_word);
	NUMBER(n_members);
	fprintf(out, "\n");
	ELEMENTS(members, print_member);
	ELEMENTS(meters, print_meter);
	ELEMENTS(globals, print_global);
	ELEMENTS(lookup, print_part);
	ELEMENTS(update, print_part);
	ELEMENTS(loads, print_load);
	ELEMENTS(states, print_state);
	ELEMENTS(rules, print_rule);
	ELEMENTS(ops, print_op);
	ELEMENTS(steps, print_step);
	ELEMENTS(tests, print_test);
	fprintf(out, "};\n");
}

static bool has_claims(const struct table *t)
{
	for (size_t i = 0; i < RULES_ROOM; i++)
		if (t->rules[i].claim)
			return true;
	return false;
}

/* Around a constant table each rule that there is and each state gets code of its own. */
static void print_rules(FILE *out, const struct table *t)
{
	fprintf(out, "#define SPECIALISED_RULES(X, ...)");
	for (size_t i = 0; i < RULES_ROOM; i++)
		if (i != RULE_OTHERWISE && !is_zero(&t->rules[i], sizeof(t->rules[i])))
			fprintf(out, " X(%zu, __VA_ARGS__)", i);
	if (has_claims(t))
		fprintf(out, " X(%d, __VA_ARGS__)", RULE_IDLE);
	fprintf(out, "\n");
}

static void print_states(FILE *out, const struct table *t)
{
	fprintf(out, "#define SPECIALISED_STATES(X, ...)");
	for (unsigned i = 1; i < t->n_states; i++)
		fprintf(out, " X(%u, __VA_ARGS__)", i);
	fprintf(out, "\n");
}

/* ---- what a table uses --------------------------------------------------------------------------------------- */

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

static bool has_steps(const struct table *t)
{
	for (size_t i = 0; i < RULES_ROOM; i++)
		if (t->rules[i].n_steps)
			return true;
	return false;
}

/* Header bits that the table may look at; all of them where it may do so in ways that are not listed.  Steps write the
 * packet or lead to the interpreter's programs, which may look at any. */
static unsigned long long headers_of(const struct table *t)
{
	unsigned long long bits = t->key_needs | t->update_needs;

	if (t->flags & TABLE_SEGMENTS)
		bits |= 1ull << PRESENT_SRH;
	for (unsigned i = 0; i < LOADS_MAX; i++)
		if (t->loads[i].kind)
			bits |= 1ull << (t->loads[i].need & 63) | (t->loads[i].inner ? ~0ull : 0) |
				(t->loads[i].kind == LOAD_CELL && t->loads[i].base == CELL_PRESENT ? ~0ull : 0);
	for (unsigned i = 0; i < OPS_MAX; i++) {
		const struct op *op = &t->ops[i];

		if (op->code == OP_HAS)
			bits |= op->flags & OP_IMM ? op->imm : ~0ull;
		else if (op->a == CELL_PRESENT || (!(op->flags & OP_IMM) && op->b == CELL_PRESENT))
			bits = ~0ull;
	}
	for (unsigned i = 0; i < t->n_tests; i++)
		if (t->tests[i].cell == CELL_PRESENT || t->tests[i].limit == CELL_PRESENT)
			bits |= t->tests[i].limit == CELL_PRESENT ? ~0ull : t->tests[i].mask;
	return has_steps(t) ? ~0ull : bits;
}

/* All tables of a hook see what one parser found. */
static unsigned long long headers_of_hook(const struct specialise_hook *hook)
{
	unsigned long long bits = 0;

	for (unsigned i = 0; i < hook->n_tables; i++)
		bits |= headers_of(&hook->table[i]);
	return bits;
}

/* Members of groups are megabytes of data, so an object that reads none has none. */
static bool has_groups(const struct table *t)
{
	bool found = t->n_members;

	for (size_t i = 0; i < OPS_MAX; i++)
		found = found || t->ops[i].code == OP_SELECT || t->ops[i].code == OP_MEMBER;
	for (size_t i = 0; i < STEPS_MAX; i++)
		found = found || t->steps[i].code == STEP_MEMBER;
	for (size_t i = 0; i < RULES_ROOM; i++)
		found = found || t->rules[i].verdict == VERDICT_GROUP;
	return found;
}

/* ---- what leads to it and from it ------------------------------------------------------------------------------ */

static unsigned next_of(const struct specialise_hook *hook, unsigned port, unsigned app)
{
	return hook->chain->next_app[port][app];
}

/* Where most ports go on. */
static unsigned most_common(const struct specialise_hook *hook, unsigned app)
{
	unsigned n[CHAIN_END + 1] = {}, best = CHAIN_END;

	for (unsigned port = 0; port <= PORTS_MAX; port++)
		n[next_of(hook, port, app)]++;
	for (unsigned i = 0; i < CHAIN_END; i++)
		if (n[i] && (best == CHAIN_END || n[i] > n[best]))
			best = i;
	return best;
}

static void print_next_of(FILE *out, const struct specialise_hook *hook, unsigned app)
{
	unsigned usual = most_common(hook, app);

	fprintf(out, "\tcase %u:\n\t\tswitch (port) {\n", app);
	for (unsigned port = 0; port <= PORTS_MAX; port++)
		if (next_of(hook, port, app) != usual)
			fprintf(out, "\t\tcase %u: return %u;\n", port, next_of(hook, port, app));
	fprintf(out, "\t\tdefault: return %u;\n\t\t}\n", usual);
}

/* Like struct chain.next_app, but ports that are alike need not be told apart. */
static void print_next(FILE *out, const struct specialise_hook *hook, unsigned i)
{
	unsigned app = hook->table[i].app;

	fprintf(out, "static inline __attribute__((always_inline)) __u32 specialised_next(__u32 port, __u32 app)\n{\n"
		     "\tswitch (app) {\n");
	print_next_of(out, hook, 0);
	print_next_of(out, hook, app + 1);
	fprintf(out, "\t}\n\treturn CHAIN_END;\n}\n");
}

static bool is_masked(const struct specialise_hook *hook, unsigned i)
{
	return hook->table[i].flags & TABLE_MASKED;
}

static void print_tables(FILE *out, const struct specialise_hook *hook)
{
	fprintf(out, "#define SPECIALISED_TABLES(X, ...)");
	for (unsigned i = 0; i < hook->n_tables; i++)
		fprintf(out, " X(%u, %s, __VA_ARGS__)", i, is_masked(hook, i) ? "INTERP_MATCH" : "INTERP_TABLE");
	fprintf(out, "\n");
}

int specialise_entry_table(const struct specialise_hook *hook)
{
	unsigned first = hook->chain->valid ? most_common(hook, 0) : CHAIN_END;

	return first == CHAIN_END ? -1 : (int)(first & TARGET_TABLE);
}

static bool leads_to(const struct table *t, unsigned i)
{
	for (size_t j = 0; j < RULES_ROOM; j++)
		if (t->rules[j].verdict == VERDICT_GOTO && (t->rules[j].target & TARGET_TABLE) == i)
			return true;
	return false;
}

/* Whether packets come to a table otherwise than by the hook's entry.  A table begun again does not count: that is
 * seldom, so the interpreter's program will do. */
static bool is_reached(const struct specialise_hook *hook, unsigned i)
{
	for (unsigned port = 0; port <= PORTS_MAX; port++)
		for (unsigned app = 1; app <= HOOK_APPS_MAX; app++)
			if (next_of(hook, port, app) == i)
				return true;
	for (unsigned j = 0; j < i; j++)
		if (leads_to(&hook->table[j], i))
			return true;
	return hook->table[i].flags & (TABLE_TWO_SCOPES | TABLE_MASKED);
}

unsigned specialise_programs(const struct specialise_hook *hook, unsigned i)
{
	unsigned programs = 0;

	if (specialise_entry_table(hook) == (int)i)
		programs |= 1u << INTERP_ENTRY;
	if (!programs || is_reached(hook, i))
		programs |= 1u << INTERP_TABLE;
	if (is_masked(hook, i))
		programs |= 1u << INTERP_MATCH;
	if (has_steps(&hook->table[i]))
		programs |= 1u << INTERP_ACTION;
	return programs;
}

int specialise_print(FILE *out, const struct specialise_hook *hook, unsigned i)
{
	const struct table *t = &hook->table[i];
	unsigned programs = specialise_programs(hook, i);

	fprintf(out, "#include \"pipeline.h\"\n");
	fprintf(out, "#define SPECIALISED_XDP %d\n", hook->id == HOOK_XDP);
	fprintf(out, "#define SPECIALISED_INGRESS %d\n", hook->id == HOOK_TC_INGRESS);
	fprintf(out, "#define SPECIALISED_TABLE %u\n", i);
	fprintf(out, "#define SPECIALISED_ENTRY %d\n", !!(programs & 1u << INTERP_ENTRY));
	fprintf(out, "#define SPECIALISED_REACHED %d\n", !!(programs & 1u << INTERP_TABLE));
	fprintf(out, "#define SPECIALISED_ACTION %d\n", !!(programs & 1u << INTERP_ACTION));
	fprintf(out, "#define SPECIALISED_MATCH %d\n", !!(programs & 1u << INTERP_MATCH));
	fprintf(out, "#define SPECIALISED_NOTES %d\n", has_notes(t));
	fprintf(out, "#define SPECIALISED_GROUPS %d\n", has_groups(t));
	fprintf(out, "#define SPECIALISED_PARSE_VERDICT %u\n", hook->chain->parse_verdict);
	fprintf(out, "#define SPECIALISED_HEADERS 0x%llxull\n",
		programs & 1u << INTERP_ENTRY ? headers_of_hook(hook) : ~0ull);
	print_tables(out, hook);
	print_rules(out, t);
	print_states(out, t);
	print_next(out, hook, i);
	print_table(out, t);
	return ferror(out) ? -EIO : 0;
}
