// SPDX-License-Identifier: GPL-2.0-or-later
/* The compiler as a process: what it may use, and what is said when it fails. */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/compiler.h"

static char dir[] = "/tmp/mealy-compiler-XXXXXX";

/* A program that calls itself clang and then does 'script'. */
static char *fake(const char *script)
{
	char *path = NULL;
	FILE *out;

	assert_true(asprintf(&path, "%s/clang", dir) > 0);
	unlink(path);
	out = fopen(path, "w");
	assert_non_null(out);
	fprintf(out, "#!/bin/sh\n[ \"$1\" = --version ] && { echo clang version 0; exit 0; }\n%s\n", script);
	fclose(out);
	assert_int_equal(chmod(path, 0700), 0);
	return path;
}

/* What becomes of a run of 'script'; '*ret_why' is to be freed. */
static int run(const char *script, struct compile_limits limits, char **ret_why)
{
	char *path = fake(script);
	struct compiler compiler = {};
	struct compile compile;
	int r;

	assert_int_equal(compiler_open(path, MEALY_TOP "/datapath", &compiler, ret_why), 0);
	assert_string_equal(compiler.version, "clang version 0");
	assert_int_equal(compile_start(&compiler, "h", "hash", "o", &limits, &compile), 0);
	r = compile_wait(&compile, ret_why);
	assert_int_equal(compile.pid, 0);
	compiler_close(&compiler);
	free(path);
	return r;
}

static void expect(const char *script, struct compile_limits limits, int r, const char *text)
{
	char *why = NULL;

	assert_int_equal(run(script, limits, &why), r);
	if (!text)
		assert_null(why);
	else if (!why || !strstr(why, text))
		fail_msg("\"%s\" lacks \"%s\"", why ?: "", text);
	free(why);
}

static const struct compile_limits usual = {.cpu_s = 5, .wall_s = 10, .memory_bytes = 1ull << 30};

static void it_ends_well_or_says_why_not(void **state)
{
	expect("exit 0", usual, 0, NULL);
	expect("echo 'p.h:1: no such thing' >&2; echo more; exit 1", usual, -EINVAL, "p.h:1: no such thing");
	expect("kill -11 $$", usual, -EINVAL, "signal 11");
	/* More than is kept does not stop it. */
	expect("head -c 200000 /dev/zero", usual, 0, NULL);
}

static void it_is_ended_at_its_limits(void **state)
{
	expect("sleep 100", (struct compile_limits){.cpu_s = 5, .wall_s = 1, .memory_bytes = 1ull << 30}, -ETIMEDOUT,
	       "longer than 1 s");
	expect("while :; do :; done", (struct compile_limits){.cpu_s = 1, .wall_s = 60, .memory_bytes = 1ull << 30},
	       -ETIMEDOUT, "1 s of processor time");
	expect("[ \"$(ulimit -v)\" = 65536 ] || exit 1", (struct compile_limits){5, 10, 64ull << 20}, 0, NULL);
	expect("[ \"$(nice)\" = 19 ] || exit 1", usual, 0, NULL);
}

static void sources_of_another_build_are_refused(void **state)
{
	struct compiler compiler = {};
	char *path = fake("exit 0"), *why = NULL;

	assert_int_equal(compiler_open(path, MEALY_TOP "/tables", &compiler, &why), -EPROTO);
	assert_non_null(strstr(why, "of another build"));
	assert_int_equal(compiler_open(path, "/nonexistent", &compiler, &why), -ENOENT);
	assert_int_equal(compiler_open("/nonexistent/clang", MEALY_TOP "/datapath", &compiler, &why), -ENOENT);
	assert_non_null(strstr(why, "there is no compiler"));
	assert_int_equal(compiler_open("/bin/true", MEALY_TOP "/datapath", &compiler, &why), -EPROTO);
	assert_non_null(strstr(why, "is no clang"));
	free(why);
	free(path);
}

static void the_name_follows_all_that_an_object_is_made_from(void **state)
{
	struct compiler compiler = {.version = "clang 1", .source_hash = "a"};
	char name[4][SHA256_TEXT];

	compiler_made_from(&compiler, "text", name[0]);
	compiler_made_from(&compiler, "text", name[1]);
	assert_string_equal(name[0], name[1]);
	compiler_made_from(&compiler, "Text", name[1]);
	strcpy(compiler.version, "clang 2");
	compiler_made_from(&compiler, "text", name[2]);
	strcpy(compiler.version, "clang 1");
	strcpy(compiler.source_hash, "b");
	compiler_made_from(&compiler, "text", name[3]);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(name[i], name[j]);
}

static int make_folder(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char *path = NULL;

	if (asprintf(&path, "%s/clang", dir) > 0)
		unlink(path);
	free(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_well_or_says_why_not),
		cmocka_unit_test(it_is_ended_at_its_limits),
		cmocka_unit_test(sources_of_another_build_are_refused),
		cmocka_unit_test(the_name_follows_all_that_an_object_is_made_from),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
