/* SPDX-License-Identifier: GPL-2.0-or-later */
/* render - one emitter for text and JSON: each value is named once and printed either way.
 *
 * JSON (yajl) prints one object a line; text prints aligned columns (tables are buffered for
 * at most RENDER_WIDTH_ROWS rows to find the widths, so a million rows need no memory).
 * Keys of JSON carry units and never change meaning: "idle_ns", "packets".  Values with a number stay numbers
 * for scripts (times and durations in ns, protocols, ports, flags); addresses and MACs are strings.
 * A "_" in a key is a blank in a text column. */
#ifndef MEALY_RENDER_H
#define MEALY_RENDER_H

#include <stdio.h>

#include "layout.h"

enum { RENDER_WIDTH_ROWS = 64 };

struct render;

struct render *render_new(FILE *out, bool json);
void render_free(struct render *r); /* Flushes. */

/* A row is an object in JSON and a line of columns in text. */
void render_row_begin(struct render *r);
void render_row_end(struct render *r);
void render_u64(struct render *r, const char *key, uint64_t value);
void render_i64(struct render *r, const char *key, int64_t value);
void render_bool(struct render *r, const char *key, bool value);
void render_string(struct render *r, const char *key, const char *text);
/* Text for people beside the exact number for scripts: "12 ms" and "idle_ns": 12345678. */
void render_ns(struct render *r, const char *key, uint64_t ns);
void render_value(struct render *r, const char *key, enum value_type type, uint64_t hi, uint64_t lo, uint64_t now_ns);
/* A line only people see; nothing in JSON. */
void render_note(struct render *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One record: keys, state, registers, idle, expires in.  In JSON the keys and the registers are objects of
 * their own ("key", "registers"), so no register's name can be mistaken; "expires_in_ns" is null for never. */
void render_flow(struct render *r, const struct layout *layout, const uint64_t *words, uint64_t now_ns);

/* Within a row: key and registers of a record, as render_flow() shows them; the key is called "record". */
void render_record(struct render *r, const struct layout *layout, const uint64_t *words);

#endif
