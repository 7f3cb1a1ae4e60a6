/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each call of a commit fails once, and everything from it on: the version before still runs, whole, under traffic, and
 * the next commit succeeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"
#include "inject.h"
#include "switch_under_test.h"
#include "tests/datapath/agent_lab.h"

static struct sut sut;

struct tally {
	unsigned calls, refused, survived;
};

/* Commits the next pair with `extra` while call 'n' goes wrong.  False: there are fewer calls. */
static bool commit_with_fault(enum inject_kind kind, unsigned n, enum inject_how how, struct tally *tally)
{
	uint64_t before = versions_plan(sut.versions)->version;
	struct desired *desired = sut_next(&sut, true);
	const char *name;
	char *text = NULL;
	int r;

	inject_arm(kind, n, how);
	r = versions_apply(sut.versions, desired, &text);
	name = inject_disarm();
	if (name && r < 0 && versions_plan(sut.versions)->version != before)
		fail_msg("call %u, %s: refused, but the version changed", n, name);
	if ((!name || how == INJECT_CALL) && r < 0)
		fail_msg("call %u: %s", n, text ? text : "?");
	if (r == 0 && versions_plan(sut.versions)->version != before + 1)
		fail_msg("call %u, %s: no error, and no new version", n, name ? name : "-");
	tally->calls = n;
	tally->refused += r < 0;
	tally->survived += r == 0;
	free(text);
	sut_check(&sut);
	return name;
}

static void say(const char *what, const struct tally *tally)
{
	printf("%s: %u calls, %u refuse the commit, %u do not\n", what, tally->calls - 1, tally->refused,
	       tally->survived - 1);
}

static void every_system_call_fails_once(void **state)
{
	struct tally tally = {};

	for (unsigned n = 1; commit_with_fault(INJECT_SYSTEM, n, INJECT_ONCE, &tally); n++) {
		sut_commit(&sut);
		sut_commit(&sut);
	}
	say("system calls, once", &tally);
	assert_true(tally.refused > 10);
	sut_commit(&sut);
}

/* The agent starts again each time, so the hook that `extra` asks for is not there yet. */
static void every_system_call_fails_for_good(void **state)
{
	struct tally tally = {};

	for (unsigned n = 1; commit_with_fault(INJECT_SYSTEM, n, INJECT_FROM, &tally); n++) {
		sut_commit(&sut);
		sut_restart(&sut);
		sut_check(&sut);
	}
	say("system calls, for good", &tally);
	assert_true(tally.refused > 10);
	sut_commit(&sut);
}

static void memory_is_refused(enum inject_how how, const char *what)
{
	enum { COMMIT_EVERY = 50 };
	struct tally tally = {};

	for (unsigned n = 1; commit_with_fault(INJECT_MEMORY, n, how, &tally); n++)
		if (n % COMMIT_EVERY == 0)
			sut_commit(&sut);
	say(what, &tally);
	assert_true(tally.refused > 50);
	sut_commit(&sut);
}

static void every_allocation_fails_once(void **state)
{
	memory_is_refused(INJECT_ONCE, "memory, once");
}

static void every_allocation_fails_for_good(void **state)
{
	memory_is_refused(INJECT_FROM, "memory, for good");
}

static void a_port_goes_before_every_system_call(void **state)
{
	struct tally tally = {};

	inject_on_hit(sut_drop_port);
	for (unsigned n = 1; commit_with_fault(INJECT_SYSTEM, n, INJECT_CALL, &tally); n++) {
		sut_make_port();
		sut_restart(&sut);
		sut_commit(&sut);
		sut_restart(&sut);
	}
	say("a port that goes", &tally);
	sut_commit(&sut);
}

static int set_up(void **state)
{
	sut_open(&sut);
	return 0;
}

static int tear_down(void **state)
{
	sut_close(&sut);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_system_call_fails_once),
		cmocka_unit_test(every_system_call_fails_for_good),
		cmocka_unit_test(every_allocation_fails_once),
		cmocka_unit_test(every_allocation_fails_for_good),
		cmocka_unit_test(a_port_goes_before_every_system_call),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_set_level(LOG_LEVEL_ERROR); /* Each commit would be a line. */
	lab_enter();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
