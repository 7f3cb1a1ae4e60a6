/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../agent/state_dir.h"
#include "../../../agent/version_file.h"

static char path[256];

static int make_path(void **state)
{
	char base[] = "/tmp/mealy-unit-state-XXXXXX";

	assert_non_null(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/a/b", base);
	return 0;
}

static int remove_path(void **state)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -rf '%.*s'", (int)strlen(path) - 4, path);
	return system(command);
}

static struct state_dir *open_dir(void)
{
	struct state_dir *dir;
	char *why = NULL;

	if (state_dir_open(path, &dir, &why) < 0)
		fail_msg("%s", why);
	return dir;
}

static struct desired *some_desired(void)
{
	static const char *ports[] = {"wan0", "lan0"};
	struct msg_setting setting = {"burst", "20"};
	struct deployment d = {.name = "limiter",
			       .version = 7,
			       .file = "limiter.yaml",
			       .text = LIMITER,
			       .setting = &setting,
			       .n_settings = 1,
			       .hook = HOOK_TC_INGRESS,
			       .port = ports,
			       .n_ports = 2,
			       .order = 20,
			       .switches = "edge-*"};
	struct desired *desired = desired_new();

	assert_int_equal(desired_put(desired, &d, false), DESIRED_CHANGED);
	assert_int_equal(desired_remove(desired, "gone", 4), DESIRED_SAME);
	return desired;
}

static void write_version(struct state_dir *dir, uint64_t version)
{
	struct desired *desired = some_desired();
	struct registry *none = registry_new(), *reg = registry_next(none);
	uint32_t index;
	char *why = NULL;

	registry_add_rule(reg, "limiter/police/first", &index);
	registry_seal(reg);
	assert_int_equal(state_dir_write(dir, version, desired, reg, &why), 0);
	registry_free(none);
	registry_free(reg);
	desired_free(desired);
}

static void a_version_comes_back_as_it_was(void **state)
{
	struct state_dir *dir = open_dir();
	struct desired *wanted = some_desired(), *desired;
	struct registry *reg;
	const struct deployment *d;
	char *why = NULL;

	write_version(dir, 12);
	assert_int_equal(state_dir_read(dir, 12, &desired, &reg, &why), 0);
	d = held_get(desired_find(desired, "limiter"));
	assert_string_equal(d->text, LIMITER);
	assert_int_equal(d->version, 7);
	assert_int_equal(d->hook, HOOK_TC_INGRESS);
	assert_string_equal(d->port[1], "lan0");
	assert_true(desired_digest(desired) == desired_digest(wanted));
	assert_int_equal(desired_version(desired, "gone"), 4);
	assert_string_equal(registry_counter_at(reg, 0)->name, "limiter/police/first");
	desired_free(desired);
	desired_free(wanted);
	registry_free(reg);
	state_dir_close(dir);
}

static void a_damaged_version_is_refused_in_words(void **state)
{
	struct desired *desired = some_desired(), *back;
	struct registry *none = registry_new(), *reg;
	uint64_t version;
	char *bytes, *why = NULL;
	size_t size;

	assert_int_equal(version_file_render(3, desired, none, &bytes, &size), 0);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(version_file_parse(bytes, cut, &version, &back, &reg, &why), -EPROTO);
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= 0x20;
		/* The number itself is not under the checksum; state_dir_read() compares it with the name. */
		if (version_file_parse(bytes, size, &version, &back, &reg, &why) == 0) {
			assert_true(i < 40);
			desired_free(back);
			registry_free(reg);
		}
		bytes[i] ^= 0x20;
	}
	bytes[size - 2] ^= 1;
	assert_int_equal(version_file_parse(bytes, size, &version, &back, &reg, &why), -EPROTO);
	assert_text_has(why, "checksum");
	free(bytes);
	free(why);
	desired_free(desired);
	registry_free(none);
}

static void the_name_and_the_number_must_agree(void **state)
{
	struct state_dir *dir = open_dir();
	struct desired *desired = NULL;
	struct registry *reg = NULL;
	char from[300], to[300], *why = NULL;

	write_version(dir, 5);
	snprintf(from, sizeof(from), "%s/version-5", path);
	snprintf(to, sizeof(to), "%s/version-6", path);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(state_dir_read(dir, 6, &desired, &reg, &why), -EPROTO);
	assert_null(desired);
	assert_text_has(why, "version 5");
	assert_int_equal(state_dir_read(dir, 5, &desired, &reg, &why), -ENOENT);
	free(why);
	state_dir_close(dir);
}

static void committed_follows_and_old_versions_go(void **state)
{
	struct state_dir *dir = open_dir();
	uint64_t version = 99;
	char *why = NULL;

	assert_int_equal(state_dir_committed(dir, &version, &why), 0);
	assert_int_equal(version, 0);
	for (uint64_t v = 1; v <= 4; v++)
		write_version(dir, v);
	assert_int_equal(state_dir_commit(dir, 4, &why), 0);
	assert_int_equal(state_dir_committed(dir, &version, &why), 0);
	assert_int_equal(version, 4);
	state_dir_prune(dir, 4, 3);
	assert_int_equal(state_dir_before(dir, UINT64_MAX), 4);
	assert_int_equal(state_dir_before(dir, 4), 3);
	assert_int_equal(state_dir_before(dir, 3), 0);
	state_dir_close(dir);
}

static void write_text(const char *name, const char *text)
{
	char file[300];
	FILE *out;

	snprintf(file, sizeof(file), "%s/%s", path, name);
	out = fopen(file, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void a_damaged_committed_is_said(void **state)
{
	static const char *const texts[] = {"", "x\n", "12", "-3\n", "12 \n", "0\n", "99999999999999999999999\n"};
	struct state_dir *dir = open_dir();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t version;
		char *why = NULL;

		write_text("committed", texts[i]);
		assert_int_equal(state_dir_committed(dir, &version, &why), -EPROTO);
		assert_text_has(why, "damaged");
		free(why);
	}
	state_dir_close(dir);
}

static void two_agents_cannot_have_one_directory(void **state)
{
	struct state_dir *dir = open_dir(), *other;
	char *why = NULL;

	assert_int_equal(state_dir_open(path, &other, &why), -EBUSY);
	assert_text_has(why, "another agent");
	assert_int_equal(state_dir_forget(path, &why), -EBUSY);
	free(why);
	state_dir_close(dir);
}

static void port_numbers_come_back(void **state)
{
	const struct port_number wanted[] = {{"wan0", 3}, {"lan0", 1}};
	struct port_number ports[PORTS_MAX];
	struct state_dir *dir = open_dir();
	char *why = NULL;
	size_t n = 99;

	assert_int_equal(state_dir_load_ports(dir, ports, &n, &why), 0);
	assert_int_equal(n, 0);
	assert_int_equal(state_dir_save_ports(dir, wanted, 2, &why), 0);
	assert_int_equal(state_dir_load_ports(dir, ports, &n, &why), 0);
	assert_int_equal(n, 2);
	assert_string_equal(ports[0].name, "wan0");
	assert_int_equal(ports[1].number, 1);
	write_text("ports", "1 wan0\n65 lan0\n");
	assert_int_equal(state_dir_load_ports(dir, ports, &n, &why), -EPROTO);
	assert_text_has(why, "ports:2");
	write_text("ports", "1 wan0\n2 lan0\n1 lan1\n");
	assert_int_equal(state_dir_load_ports(dir, ports, &n, &why), -EPROTO);
	assert_text_has(why, "ports:3: port 1 or interface lan1 is there twice");
	free(why);
	state_dir_close(dir);
}

static void forgetting_leaves_nothing(void **state)
{
	struct state_dir *dir = open_dir();
	char *why = NULL;

	write_version(dir, 1);
	state_dir_commit(dir, 1, &why);
	state_dir_close(dir);
	assert_int_equal(state_dir_forget(path, &why), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(state_dir_forget(path, &why), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_path, remove_path)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_version_comes_back_as_it_was),
		TEST(a_damaged_version_is_refused_in_words),
		TEST(the_name_and_the_number_must_agree),
		TEST(committed_follows_and_old_versions_go),
		TEST(a_damaged_committed_is_said),
		TEST(two_agents_cannot_have_one_directory),
		TEST(port_numbers_come_back),
		TEST(forgetting_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
