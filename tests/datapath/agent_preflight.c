// SPDX-License-Identifier: GPL-2.0-or-later
/* What preflight says of a network namespace made for it. */
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/preflight.h"
#include "agent_lab.h"

static struct preflight run(const char *pattern)
{
	const char *const interface[] = {pattern};
	const struct preflight_options options = {.interface = interface, .n_interfaces = pattern ? 1 : 0};
	struct preflight preflight = {};

	assert_int_equal(preflight_run(&options, &preflight), 0);
	return preflight;
}

/* The first line of 'subject' that says 'text'. */
static const struct preflight_line *find(const struct preflight *preflight, const char *subject, const char *text)
{
	for (size_t i = 0; i < preflight->n; i++)
		if (strcmp(preflight->line[i].subject, subject) == 0 && strstr(preflight->line[i].text, text))
			return &preflight->line[i];
	return NULL;
}

static void the_host_that_runs_these_tests_is_fit(void **state)
{
	static const char *const subjects[] = {"rights", "kernel", "BTF",  "JIT",  "features",
					       "bpffs",	 "memory", "CPUs", "clang"};
	struct preflight preflight = run(NULL);

	assert_int_equal(preflight.n_errors, 0);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		assert_non_null(find(&preflight, subjects[i], ""));
	preflight_done(&preflight);
	preflight_done(&preflight);
}

static void a_veth_is_native_and_its_offloading_peer_is_warned_of(void **state)
{
	const struct preflight_line *line;
	struct preflight preflight;

	lab_sh("ip link add a0 type veth peer name b0");
	preflight = run("a*");
	line = find(&preflight, "a0", "veth");
	assert_non_null(line);
	assert_non_null(strstr(line->text, "XDP in the driver"));
	line = find(&preflight, "a0", "checksums");
	assert_non_null(line);
	assert_int_equal(line->level, PREFLIGHT_WARNING);
	assert_string_equal(line->fix, "ethtool -K b0 tx off");
	preflight_done(&preflight);

	lab_sh("ethtool -K b0 tx off >/dev/null");
	preflight = run("a*");
	assert_null(find(&preflight, "a0", "checksums"));
	preflight_done(&preflight);
	lab_sh("ip link del a0");
}

static void a_name_that_nothing_has_is_a_warning(void **state)
{
	struct preflight preflight = run("wan7");

	assert_int_equal(find(&preflight, "wan7", "no interface")->level, PREFLIGHT_WARNING);
	preflight_done(&preflight);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_that_runs_these_tests_is_fit),
		cmocka_unit_test(a_veth_is_native_and_its_offloading_peer_is_warned_of),
		cmocka_unit_test(a_name_that_nothing_has_is_a_warning),
	};

	lab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
