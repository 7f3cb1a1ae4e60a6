/* SPDX-License-Identifier: GPL-2.0-or-later */
/* again - an application shown as YAML and read again must be the same application. */
#ifndef MEALY_TEST_AGAIN_H
#define MEALY_TEST_AGAIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tables/encode.h"

/* The bytes of every table are equal, or neither can be encoded. */
static inline void expect_equal_bytes(const struct app *a, const struct app *b)
{
	struct placement *p = calloc(1, sizeof(*p));
	struct table *x = malloc(sizeof(*x)), *y = malloc(sizeof(*y));

	assert_int_equal(a->n_tables, b->n_tables);
	for (unsigned i = 0; i < a->n_tables; i++) {
		p->table[i].hook_table = i;
		for (unsigned s = 0; s < STATES_MAX; s++)
			p->table[i].state_id[s] = s;
	}
	for (unsigned i = 0; i < a->n_tables; i++) {
		int r = encode_table(a, i, HOOK_XDP, p, NULL, x);

		assert_int_equal(encode_table(b, i, HOOK_XDP, p, NULL, y), r);
		if (r == 0)
			assert_memory_equal(x, y, sizeof(*x));
	}
	free(p);
	free(x);
	free(y);
}

/* 'app' was read with these settings; those of ports are needed again, the others are in the text. */
static inline void expect_same_again(const struct app *app, const struct setting *settings, size_t n_settings)
{
	char *yaml = app_render_yaml(app), *twice;
	struct app *again = NULL;
	struct diag_list diags;

	assert_non_null(yaml);
	diag_init(&diags, "shown.yaml");
	if (app_parse(yaml, strlen(yaml), settings, n_settings, NULL, &diags, &again) < 0) {
		diag_print(&diags, yaml, stderr);
		fail_msg("what is shown cannot be read:\n%s", yaml);
	}
	diag_done(&diags);
	twice = app_render_yaml(again);
	assert_string_equal(yaml, twice);
	expect_equal_bytes(app, again);
	app_free(again);
	free(yaml);
	free(twice);
}

#endif
