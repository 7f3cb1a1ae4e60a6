/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle: what it takes, how much, for how long. */
#include <errno.h>
#include <string.h>

#include "../../../agent/bundle.h"
#include "unit.h"

static int add(struct bundle *bundle, uint64_t now_ms, const struct message *msg, char *why)
{
	uint8_t *bytes;
	size_t size;
	int r;

	assert_int_equal(message_pack(msg, &bytes, &size), 0);
	r = bundle_add(bundle, now_ms, bytes, size, why);
	free(bytes);
	return r;
}

static struct message entries(const char *rows)
{
	static const char *column[] = {"ip.dst"};

	return (struct message){.kind = MSG_ENTRIES,
				.switch_name = "",
				.entries = {.op = ENTRY_SET,
					    .deployment = "router",
					    .table = "routes",
					    .column = column,
					    .n_columns = 1,
					    .rows = rows}};
}

static void it_takes_changes_and_counts_their_rows(void **state)
{
	struct bundles *bundles = bundles_new();
	struct message two = entries("10.0.0.1\n10.0.0.2"), other = {.kind = MSG_BARRIER, .switch_name = ""};
	struct bundle *bundle;
	char why[256];

	assert_int_equal(bundle_open(bundles, 0, 0, &bundle), 0);
	assert_int_equal(add(bundle, 1, &two, why), 0);
	assert_int_equal(bundle->n_rows, 2);
	assert_int_equal(add(bundle, 1, &other, why), -EOPNOTSUPP);
	assert_int_equal(bundle_add(bundle, 1, (const uint8_t *)"\xff\xff", 2, why), -EPROTO);
	assert_int_equal(bundle->n, 1);
	assert_string_equal(bundle->member[0]->entries.rows, "10.0.0.1\n10.0.0.2");
	bundles_free(bundles);
}

static void it_has_limits(void **state)
{
	struct bundles *bundles = bundles_new();
	struct bundle *bundle;
	struct message many;
	char why[256], rows[20001];
	unsigned n = 0;

	memset(rows, '\n', sizeof(rows) - 1);
	rows[sizeof(rows) - 1] = '\0';
	many = entries(rows);
	assert_int_equal(bundle_open(bundles, 0, 0, &bundle), 0);
	assert_int_equal(add(bundle, 0, &many, why), 0);
	assert_int_equal(add(bundle, 0, &many, why), 0);
	assert_int_equal(add(bundle, 0, &many, why), -E2BIG);
	assert_int_equal(bundle->n_rows, 40000);
	while (bundle_open(bundles, 0, 0, &bundle) == 0)
		n++;
	assert_int_equal(n, BUNDLES_MAX - 1);
	assert_int_equal(bundle_open(bundles, 0, 0, &bundle), -EBUSY);
	bundles_free(bundles);
}

static void it_is_due_when_nothing_came_for_its_time(void **state)
{
	struct bundles *bundles = bundles_new();
	struct message one = entries("10.0.0.1");
	struct bundle *a, *b;
	uint64_t next;
	char why[256];

	assert_int_equal(bundle_open(bundles, 1000, 500, &a), 0);
	assert_int_equal(bundle_open(bundles, 1000, 0, &b), 0);
	assert_null(bundle_next_due(bundles, 1499, &next));
	assert_int_equal(next, 1500);
	assert_int_equal(add(a, 1400, &one, why), 0);
	assert_null(bundle_next_due(bundles, 1899, &next));
	assert_ptr_equal(bundle_next_due(bundles, 1900, &next), a);
	bundle_close(bundles, a);
	assert_null(bundle_next_due(bundles, 1900, &next));
	assert_int_equal(next, 1000 + BUNDLE_TIMEOUT_MS);
	assert_null(bundle_find(bundles, 1));
	assert_ptr_equal(bundle_at(bundles, 0), b);
	/* A number is not given twice. */
	assert_int_equal(bundle_open(bundles, 1900, 0, &a), 0);
	assert_int_equal(a->id, 3);
	bundles_free(bundles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_takes_changes_and_counts_their_rows),
		cmocka_unit_test(it_has_limits),
		cmocka_unit_test(it_is_due_when_nothing_came_for_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
