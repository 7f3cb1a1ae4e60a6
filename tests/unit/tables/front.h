/* SPDX-License-Identifier: GPL-2.0-or-later */
/* front - what the tests of the language share: parse a text, look at its messages. */
#ifndef MEALY_TEST_FRONT_H
#define MEALY_TEST_FRONT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "again.h"
#include "tables/app.h"
#include "tables/yaml.h"

/* Parses 'text' as "t.yaml".  Returns all messages, to be freed; *ret_app is NULL after an error. */
static inline char *front_parse(const char *text, const struct setting *settings, size_t n_settings,
				const struct port_names *ports, struct app **ret_app)
{
	struct diag_list diags;
	char *messages;
	int r;

	*ret_app = NULL;
	diag_init(&diags, "t.yaml");
	r = app_parse(text, strlen(text), settings, n_settings, ports, &diags, ret_app);
	assert_int_equal(r == 0, diags.n_errors == 0);
	assert_int_equal(r == 0, *ret_app != NULL);
	messages = diag_text(&diags);
	diag_done(&diags);
	assert_non_null(messages);
	return messages;
}

/* The application of a text that must be good and cause no warning. */
static inline struct app *front_good(const char *text)
{
	struct app *app;
	_cleanup_free_ char *messages = front_parse(text, NULL, 0, NULL, &app);

	assert_string_equal(messages, "");
	expect_same_again(app, NULL, 0);
	return app;
}

/* 'messages' must be exactly what parsing says. */
static inline void front_says(const char *text, const char *messages)
{
	struct app *app;
	_cleanup_free_ char *found = front_parse(text, NULL, 0, NULL, &app);

	app_free(app);
	assert_string_equal(found, messages);
}

#endif
