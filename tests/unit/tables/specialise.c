// SPDX-License-Identifier: GPL-2.0-or-later
/* What is printed as C is what was given: compiled by the host's compiler and compared. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tables/specialise.h"

typedef const struct table *(*table_fn)(void);
typedef __u32 (*next_fn)(__u32 port, __u32 app);

struct printed {
	void *library;
	table_fn table;
	next_fn next;
};

enum { APP = 3 };

static struct table tables[2];
static struct chain chain;
static const struct specialise_hook hook = {.id = HOOK_TC_INGRESS, .table = tables, .n_tables = 2, .chain = &chain};

static struct printed compile(unsigned i)
{
	char dir[] = "/tmp/mealy-specialise-XXXXXX", source[64], library[64], command[512];
	struct printed p;
	FILE *out;

	assert_non_null(mkdtemp(dir));
	snprintf(source, sizeof(source), "%s/p.c", dir);
	snprintf(library, sizeof(library), "%s/p.so", dir);
	out = fopen(source, "w");
	assert_non_null(out);
	assert_int_equal(specialise_print(out, &hook, i), 0);
	fprintf(out, "const struct table *get(void);\nconst struct table *get(void) { return &specialised_table; }\n"
		     "__u32 next(__u32 port, __u32 app);\n"
		     "__u32 next(__u32 port, __u32 app) { return specialised_next(port, app); }\n");
	assert_int_equal(fclose(out), 0);
	snprintf(command, sizeof(command), "cc -shared -fPIC -I%s/datapath %s -o %s", MEALY_TOP, source, library);
	assert_int_equal(system(command), 0);
	p.library = dlopen(library, RTLD_NOW);
	assert_non_null(p.library);
	p.table = (table_fn)dlsym(p.library, "get");
	p.next = (next_fn)dlsym(p.library, "next");
	unlink(source);
	unlink(library);
	rmdir(dir);
	return p;
}

/* No byte is zero, but those that nobody reads. */
static void fill(void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((__u8 *)bytes)[i] = 1 + random() % 255;
}

static void zero_padding(struct table *t)
{
	for (unsigned i = 0; i < MEMBER_LOADS_MAX; i++)
		memset(t->members[i].zero, 0, sizeof(t->members[i].zero));
	for (unsigned i = 0; i < TABLE_METERS_MAX; i++)
		t->meters[i].zero = 0;
	for (unsigned i = 0; i < APP_GLOBALS_MAX; i++)
		t->globals[i].zero = 0;
	for (unsigned i = 0; i < LOADS_MAX; i++)
		memset(t->loads[i].zero, 0, sizeof(t->loads[i].zero));
	for (unsigned i = 0; i < STATES_MAX; i++) {
		t->states[i].zero = 0;
		memset(t->states[i].zero2, 0, sizeof(t->states[i].zero2));
	}
	for (unsigned i = 0; i <= RULES_ROOM; i++)
		t->rules[i].zero = 0;
	for (unsigned i = 0; i < OPS_MAX; i++)
		t->ops[i].zero = 0;
	for (unsigned i = 0; i < TESTS_MAX; i++)
		memset(t->tests[i].zero, 0, sizeof(t->tests[i].zero));
}

#define EXPECT_SAME(member) assert_memory_equal(&got->member, &tables[0].member, sizeof(got->member))

static void every_field_but_the_learns_is_printed(void **state)
{
	const struct table *got;
	struct printed p;

	memset(&chain, CHAIN_END, sizeof(chain));
	fill(&tables[0], sizeof(tables[0]));
	zero_padding(&tables[0]);
	tables[0].app = APP;
	tables[0].n_tests = TESTS_MAX;
	p = compile(0);
	got = p.table();
	assert_memory_equal(got, &tables[0], offsetof(struct table, n_members) + 1);
	EXPECT_SAME(members);
	EXPECT_SAME(meters);
	EXPECT_SAME(globals);
	EXPECT_SAME(lookup);
	EXPECT_SAME(update);
	EXPECT_SAME(loads);
	EXPECT_SAME(states);
	EXPECT_SAME(rules);
	EXPECT_SAME(ops);
	EXPECT_SAME(steps);
	EXPECT_SAME(tests);
	dlclose(p.library);
	memset(&tables[0], 0, sizeof(tables[0]));
}

/* Ports 1 and 2 have two applications, the others one, port 9 none. */
static void make_chain(void)
{
	memset(&chain, CHAIN_END, sizeof(chain));
	chain.valid = 1;
	for (unsigned port = 0; port <= PORTS_MAX; port++)
		chain.next_app[port][0] = port == 9 ? CHAIN_END : 0;
	chain.next_app[1][1] = chain.next_app[2][1] = 1 | TARGET_MATCH;
	tables[0] = (struct table){.flags = TABLE_VALID, .app = 0};
	tables[1] = (struct table){.flags = TABLE_VALID | TABLE_MASKED, .app = 1};
}

static void the_chain_is_the_same_for_every_port(void **state)
{
	make_chain();
	for (unsigned i = 0; i < 2; i++) {
		struct printed p = compile(i);

		for (unsigned port = 0; port <= PORTS_MAX; port++) {
			assert_int_equal(p.next(port, 0), chain.next_app[port][0]);
			assert_int_equal(p.next(port, i + 1), chain.next_app[port][i + 1]);
		}
		dlclose(p.library);
	}
}

#define PROGRAM(what) (1u << INTERP_##what)

static void an_object_has_the_programs_that_somebody_comes_to(void **state)
{
	make_chain();
	assert_int_equal(specialise_entry_table(&hook), 0);
	assert_int_equal(specialise_programs(&hook, 0), PROGRAM(ENTRY));
	assert_int_equal(specialise_programs(&hook, 1), PROGRAM(TABLE) | PROGRAM(MATCH));
	tables[0].flags |= TABLE_TWO_SCOPES;
	tables[1].rules[7].n_steps = 1;
	assert_int_equal(specialise_programs(&hook, 0), PROGRAM(ENTRY) | PROGRAM(TABLE));
	assert_int_equal(specialise_programs(&hook, 1), PROGRAM(TABLE) | PROGRAM(MATCH) | PROGRAM(ACTION));
	chain.valid = 0;
	assert_int_equal(specialise_entry_table(&hook), -1);
}

/* The name of an object is the hash of this text, so it may not depend on what does not matter. */
static void equal_tables_are_printed_alike(void **state)
{
	char *text[2];
	size_t size;

	make_chain();
	for (unsigned i = 0; i < 2; i++) {
		FILE *out = open_memstream(&text[i], &size);

		chain.version = i + 1;
		tables[0].learns[3].n_sets = i;
		assert_int_equal(specialise_print(out, &hook, 0), 0);
		fclose(out);
	}
	assert_string_equal(text[0], text[1]);
	free(text[0]);
	free(text[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_but_the_learns_is_printed),
		cmocka_unit_test(the_chain_is_the_same_for_every_port),
		cmocka_unit_test(an_object_has_the_programs_that_somebody_comes_to),
		cmocka_unit_test(equal_tables_are_printed_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
