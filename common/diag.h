/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diag - mistakes of people, collected and shown as "file:line:column: message".
 *
 * A parser adds as many as it finds; nothing is printed here.  The list owns its strings.
 * Not thread safe. */
#ifndef MEALY_DIAG_H
#define MEALY_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct loc {
	unsigned line, column;
}; /* From 1; 0: the whole file. */

struct diag {
	enum diag_level level;
	struct loc loc;
	unsigned width; /* Characters to underline; 0: none. */
	char *message;
};

struct diag_list {
	char *file; /* As the person wrote it. */
	struct diag *item;
	size_t n, room;
	size_t n_errors, n_warnings;
};

void diag_init(struct diag_list *list, const char *file);
void diag_done(struct diag_list *list);
void diag_error(struct diag_list *list, struct loc loc, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_warn(struct diag_list *list, struct loc loc, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the messages from number 'first' on: whose value they speak of. */
void diag_prefix(struct diag_list *list, size_t first, const char *prefix);

/* Prints each diagnostic and, when 'text' (the whole file) is not NULL, its line with the place
 * underlined; at the end "1 error, 2 warnings". */
void diag_print(const struct diag_list *list, const char *text, FILE *out);

/* All diagnostics as one string, one per line, to be freed by the caller; NULL without memory. */
char *diag_text(const struct diag_list *list);

/* The candidate nearest to 'word' by edit distance, or NULL if none is near. */
const char *diag_nearest(const char *word, const char *const *candidates, size_t n);

#endif
