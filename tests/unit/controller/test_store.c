/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store: what was put in is there again after closing, versions only grow, damage is said. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "controller/store.h"

struct fixture {
	char dir[64];
	struct store *store;
	char why[256];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/mealy-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(store_open(f->dir, &f->store, f->why), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	store_close(f->store);
	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void reopen(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(store_open(f->dir, &f->store, f->why), 0);
}

static struct deployment sample(const char *name)
{
	static struct msg_setting setting[] = {{"burst", "20"}, {"rate", "10pps"}};
	static const char *port[] = {"wan0", "lan0"};

	return (struct deployment){.name = name,
				   .file = "limiter.yaml",
				   .text = "app: limiter # 'quoted' \"twice\"\n",
				   .setting = setting,
				   .n_settings = 2,
				   .hook = 1,
				   .port = port,
				   .n_ports = 2,
				   .order = 4000000000u,
				   .switches = "edge-*",
				   .members = "g 1 weight=0\n"};
}

static void what_was_put_in_is_there_after_reopening(void **state)
{
	struct fixture *f = *state;
	struct deployment d = sample("limiter");
	struct deployment_list list;
	uint64_t version;

	assert_int_equal(store_put_deployment(f->store, &d, &version), 0);
	assert_int_equal(version, 1);
	reopen(f);
	assert_int_equal(store_get_deployments(f->store, NULL, &list), 0);
	assert_int_equal(list.n, 1);
	assert_true(deployment_equal(&list.item[0], &d));
	assert_string_equal(list.item[0].file, d.file);
	assert_int_equal(list.item[0].version, 1);
	deployment_list_done(&list);
}

static void versions_grow_over_changes_removals_and_restarts(void **state)
{
	struct fixture *f = *state;
	struct deployment d = sample("a");
	uint64_t version;

	assert_int_equal(store_put_deployment(f->store, &d, &version), 0);
	assert_int_equal(store_remove_deployment(f->store, "a", &version), 0);
	assert_int_equal(version, 2);
	reopen(f);
	assert_int_equal(store_put_deployment(f->store, &d, &version), 0);
	assert_int_equal(version, 3);
	d.name = "b";
	assert_int_equal(store_put_deployment(f->store, &d, &version), 0);
	assert_int_equal(version, 4);
}

static void replacing_leaves_nothing_of_the_old(void **state)
{
	struct fixture *f = *state;
	struct deployment d = sample("a");
	struct deployment_list list;
	uint64_t version;

	assert_int_equal(store_put_deployment(f->store, &d, &version), 0);
	d.n_settings = d.n_ports = 1;
	assert_int_equal(store_put_deployment(f->store, &d, &version), 0);
	assert_int_equal(store_get_deployments(f->store, "a", &list), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.item[0].n_settings, 1);
	assert_int_equal(list.item[0].n_ports, 1);
	deployment_list_done(&list);
}

static void removing_what_is_not_there_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct deployment d = sample("a");
	uint64_t version = 77;

	assert_int_equal(store_remove_deployment(f->store, "a", &version), -ENOENT);
	assert_int_equal(version, 77);
	assert_int_equal(store_put_deployment(f->store, &d, &version), 0);
	assert_int_equal(version, 1);
}

static void deployments_come_in_the_order_of_names(void **state)
{
	struct fixture *f = *state;
	const char *names[] = {"zeta", "alpha", "mid"};
	struct deployment_list list;
	uint64_t version;

	for (int i = 0; i < 3; i++) {
		struct deployment d = sample(names[i]);

		assert_int_equal(store_put_deployment(f->store, &d, &version), 0);
	}
	assert_int_equal(store_get_deployments(f->store, NULL, &list), 0);
	assert_string_equal(list.item[0].name, "alpha");
	assert_string_equal(list.item[2].name, "zeta");
	deployment_list_done(&list);
	assert_int_equal(store_get_deployments(f->store, "none", &list), 0);
	assert_int_equal(list.n, 0);
}

static int count(void *data, const struct known_switch *sw)
{
	assert_string_equal(sw->name, "edge-1");
	assert_int_equal(sw->seen_ms, 2000);
	assert_string_equal(sw->kernel, "6.12");
	++*(int *)data;
	return 0;
}

static void a_switch_is_known_once_with_its_last_sight(void **state)
{
	struct fixture *f = *state;
	struct known_switch sw = {.name = "edge-1", .address = "", .build = "b", .kernel = "6.1", .seen_ms = 1000};
	int n = 0;

	assert_int_equal(store_put_switch(f->store, &sw), 0);
	sw.kernel = "6.12";
	sw.seen_ms = 2000;
	assert_int_equal(store_put_switch(f->store, &sw), 0);
	reopen(f);
	assert_int_equal(store_each_switch(f->store, count, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(store_remove_switch(f->store, "nobody"), 0);
	assert_int_equal(store_remove_switch(f->store, sw.name), 0);
	reopen(f);
	n = 0;
	assert_int_equal(store_each_switch(f->store, count, &n), 0);
	assert_int_equal(n, 0);
}

static void a_second_controller_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *other = NULL;

	assert_int_equal(store_open(f->dir, &other, f->why), -EBUSY);
	assert_null(other);
	assert_non_null(strstr(f->why, "another controller"));
}

static void damage_swap(struct fixture *f, const char *name, const char *bytes, size_t size)
{
	char path[128];
	FILE *file;

	store_close(f->store);
	f->store = NULL;
	snprintf(path, sizeof(path), "%s/desired.sqlite-wal", f->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	file = fopen(path, "w");
	fwrite(bytes, 1, size, file);
	fclose(file);
}

static void a_damaged_store_is_refused_with_a_reason(void **state)
{
	struct fixture *f = *state;
	char junk[8192];

	memset(junk, 'x', sizeof(junk));
	damage_swap(f, "desired.sqlite", junk, sizeof(junk));
	assert_int_equal(store_open(f->dir, &f->store, f->why), -EUCLEAN);
	assert_null(f->store);
	assert_non_null(strstr(f->why, f->dir));
}

static void the_store_of_a_later_version_is_refused(void **state)
{
	struct fixture *f = *state;
	char command[256];

	store_close(f->store);
	f->store = NULL;
	snprintf(command, sizeof(command),
		 "python3 -c \"import sqlite3; d = sqlite3.connect('%s/desired.sqlite'); "
		 "d.execute('PRAGMA user_version = 99'); d.commit()\"",
		 f->dir);
	if (system(command) != 0)
		skip();
	assert_int_equal(store_open(f->dir, &f->store, f->why), -EPROTO);
	assert_non_null(strstr(f->why, "schema 99"));
}

static void a_folder_that_cannot_be_made_is_said(void **state)
{
	struct store *store = NULL;
	char why[256];

	assert_true(store_open("/proc/none/state", &store, why) < 0);
	assert_null(store);
	assert_non_null(strstr(why, "/proc/none/state"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_put_in_is_there_after_reopening), TEST(versions_grow_over_changes_removals_and_restarts),
		TEST(replacing_leaves_nothing_of_the_old),	TEST(removing_what_is_not_there_changes_nothing),
		TEST(deployments_come_in_the_order_of_names),	TEST(a_switch_is_known_once_with_its_last_sight),
		TEST(a_second_controller_is_refused),		TEST(a_damaged_store_is_refused_with_a_reason),
		TEST(the_store_of_a_later_version_is_refused),	cmocka_unit_test(a_folder_that_cannot_be_made_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
