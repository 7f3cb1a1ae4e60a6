/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>

#include "../common/cleanup.h"

enum { COLUMNS_MAX = 64, NUMBER_SIZE = 24, VALUE_SIZE = 96 };

/* Text rows wait in one buffer until the widths of their columns are known. */
struct columns {
	char *name[COLUMNS_MAX];
	unsigned width[COLUMNS_MAX];
	unsigned n;
	bool printed; /* The header is out, so the widths are fixed. */
};

struct cell {
	size_t begin;
	unsigned width; /* Characters, not bytes. */
};

struct render {
	FILE *out;
	yajl_gen gen; /* NULL: text. */
	struct columns columns;
	struct cell cell[RENDER_WIDTH_ROWS][COLUMNS_MAX];
	unsigned n_cells[RENDER_WIDTH_ROWS];
	unsigned n_rows; /* Complete rows that wait. */
	unsigned n;	 /* Cells of the row under construction. */
	char *text;
	size_t size, room;
	bool anything;
};

/* ---- text: buffer --------------------------------------------------------------------------- */

static bool text_reserve(struct render *r, size_t size)
{
	size_t room = r->room ? r->room : 4096;
	char *text;

	if (r->size + size <= r->room)
		return true;
	while (room < r->size + size)
		room *= 2;
	text = realloc(r->text, room);
	if (!text)
		return false;
	r->text = text;
	r->room = room;
	return true;
}

/* Characters of UTF-8: bytes that do not continue one. */
static unsigned text_width(const char *text)
{
	unsigned width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void print_padded(FILE *out, const char *text, unsigned width, unsigned column, bool last)
{
	unsigned gap = (width < column ? column - width : 0) + 2;

	fputs(text, out);
	for (; !last && gap > 0; gap--)
		fputc(' ', out);
}

static void print_header(struct render *r)
{
	struct columns *c = &r->columns;

	if (r->anything)
		fputc('\n', r->out);
	for (unsigned i = 0; i < c->n; i++)
		print_padded(r->out, c->name[i], text_width(c->name[i]), c->width[i], i + 1 == c->n);
	fputc('\n', r->out);
	c->printed = true;
	r->anything = true;
}

static void print_row(struct render *r, unsigned row)
{
	unsigned n = r->n_cells[row];

	for (unsigned i = 0; i < n; i++) {
		const struct cell *cell = &r->cell[row][i];

		print_padded(r->out, r->text + cell->begin, cell->width, r->columns.width[i], i + 1 == n);
	}
	fputc('\n', r->out);
}

static void measure(struct render *r)
{
	struct columns *c = &r->columns;

	for (unsigned i = 0; i < c->n; i++)
		c->width[i] = text_width(c->name[i]);
	for (unsigned row = 0; row < r->n_rows; row++)
		for (unsigned i = 0; i < r->n_cells[row] && i < c->n; i++)
			if (r->cell[row][i].width > c->width[i])
				c->width[i] = r->cell[row][i].width;
}

static void flush_rows(struct render *r)
{
	if (r->n_rows > 0 && !r->columns.printed) {
		measure(r);
		print_header(r);
	}
	for (unsigned row = 0; row < r->n_rows; row++)
		print_row(r, row);
	r->n_rows = 0;
	r->size = 0;
}

static void forget_columns(struct render *r)
{
	for (unsigned i = 0; i < r->columns.n; i++)
		free(r->columns.name[i]);
	memset(&r->columns, 0, sizeof(r->columns));
}

/* ---- text: cells ---------------------------------------------------------------------------- */

/* Moves the row under construction to the front, as the only one. */
static void keep_current(struct render *r, unsigned row, size_t begin)
{
	memmove(r->text, r->text + begin, r->size - begin);
	for (unsigned i = 0; i < r->n; i++) {
		r->cell[0][i] = r->cell[row][i];
		r->cell[0][i].begin -= begin;
	}
	r->size -= begin;
}

/* A row with other columns than those before: what waits goes out, and a new header begins. */
static void change_columns(struct render *r)
{
	char *name[COLUMNS_MAX];
	unsigned row = r->n_rows, n = r->n;
	size_t begin = n > 0 ? r->cell[row][0].begin : r->size, size = r->size;

	memcpy(name, r->columns.name, n * sizeof(name[0]));
	flush_rows(r);
	r->size = size;
	keep_current(r, row, begin);
	for (unsigned i = n; i < r->columns.n; i++)
		free(r->columns.name[i]);
	memset(&r->columns, 0, sizeof(r->columns));
	memcpy(r->columns.name, name, n * sizeof(name[0]));
	r->columns.n = n;
}

static bool column_is(const char *column, const char *key, bool exact)
{
	if (exact)
		return strcmp(column, key) == 0;
	for (; *column && *key; column++, key++)
		if (*column != (*key == '_' ? ' ' : *key))
			return false;
	return *column == *key;
}

static bool column_add(struct render *r, const char *key, bool exact)
{
	char *name = strdup(key);

	if (!name)
		return false;
	for (char *p = name; *p && !exact; p++)
		if (*p == '_')
			*p = ' ';
	r->columns.name[r->columns.n++] = name;
	return true;
}

/* 'exact' names are those of people; others are ours, with "_" for a blank. */
static void text_cell(struct render *r, const char *key, bool exact, const char *text)
{
	struct columns *c = &r->columns;
	size_t size = strlen(text) + 1;

	if (r->n >= COLUMNS_MAX || !text_reserve(r, size))
		return;
	if (r->n < c->n && !column_is(c->name[r->n], key, exact))
		change_columns(r);
	if (r->n == c->n) {
		if (c->printed || r->n_rows > 0)
			change_columns(r);
		if (!column_add(r, key, exact))
			return;
	}
	r->cell[r->n_rows][r->n] = (struct cell){r->size, text_width(text)};
	memcpy(r->text + r->size, text, size);
	r->size += size;
	r->n++;
}

static void text_row_end(struct render *r)
{
	if (r->n == 0)
		return;
	if (r->n < r->columns.n)
		change_columns(r);
	r->n_cells[r->n_rows++] = r->n;
	r->n = 0;
	if (r->columns.printed || r->n_rows == RENDER_WIDTH_ROWS)
		flush_rows(r);
}

/* ---- both ----------------------------------------------------------------------------------- */

struct render *render_new(FILE *out, bool json)
{
	struct render *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->out = out;
	if (json) {
		r->gen = yajl_gen_alloc(NULL);
		if (!r->gen) {
			free(r);
			return NULL;
		}
	}
	return r;
}

void render_free(struct render *r)
{
	if (!r)
		return;
	if (r->gen)
		yajl_gen_free(r->gen);
	else
		flush_rows(r);
	fflush(r->out);
	forget_columns(r);
	free(r->text);
	free(r);
}

void render_row_begin(struct render *r)
{
	if (r->gen)
		yajl_gen_map_open(r->gen);
	r->n = 0;
}

static void json_row_end(struct render *r)
{
	const unsigned char *bytes;
	size_t size;

	yajl_gen_map_close(r->gen);
	yajl_gen_get_buf(r->gen, &bytes, &size);
	fwrite(bytes, 1, size, r->out);
	fputc('\n', r->out);
	yajl_gen_clear(r->gen);
	yajl_gen_reset(r->gen, NULL);
}

void render_row_end(struct render *r)
{
	if (r->gen)
		json_row_end(r);
	else
		text_row_end(r);
}

static void json_string(struct render *r, const char *text)
{
	yajl_gen_string(r->gen, (const unsigned char *)text, strlen(text));
}

/* Decimal digits at the end of 'buf'; returns where they begin. */
static char *decimal(uint64_t value, char buf[NUMBER_SIZE])
{
	char *p = buf + NUMBER_SIZE - 1;

	*p = '\0';
	do {
		*--p = '0' + value % 10;
		value /= 10;
	} while (value);
	return p;
}

static void json_u64(struct render *r, uint64_t value)
{
	char buf[NUMBER_SIZE], *digits = decimal(value, buf);

	yajl_gen_number(r->gen, digits, buf + NUMBER_SIZE - 1 - digits);
}

void render_u64(struct render *r, const char *key, uint64_t value)
{
	char buf[NUMBER_SIZE];

	if (r->gen) {
		json_string(r, key);
		json_u64(r, value);
	} else {
		text_cell(r, key, false, decimal(value, buf));
	}
}

void render_i64(struct render *r, const char *key, int64_t value)
{
	char buf[NUMBER_SIZE];

	if (r->gen) {
		json_string(r, key);
		yajl_gen_integer(r->gen, value);
		return;
	}
	snprintf(buf, sizeof(buf), "%" PRId64, value);
	text_cell(r, key, false, buf);
}

void render_bool(struct render *r, const char *key, bool value)
{
	if (r->gen) {
		json_string(r, key);
		yajl_gen_bool(r->gen, value);
	} else {
		text_cell(r, key, false, value ? "yes" : "no");
	}
}

void render_string(struct render *r, const char *key, const char *text)
{
	if (r->gen) {
		json_string(r, key);
		json_string(r, text ? text : "");
	} else {
		text_cell(r, key, false, text && *text ? text : "-");
	}
}

void render_ns(struct render *r, const char *key, uint64_t ns)
{
	char buf[VALUE_SIZE];

	if (r->gen) {
		snprintf(buf, sizeof(buf), "%s_ns", key);
		json_string(r, buf);
		json_u64(r, ns);
	} else {
		text_cell(r, key, false, value_render(TYPE_DURATION, 0, ns, 0, buf, sizeof(buf)));
	}
}

void render_note(struct render *r, const char *format, ...)
{
	va_list args;

	if (r->gen)
		return;
	flush_rows(r);
	va_start(args, format);
	vfprintf(r->out, format, args);
	va_end(args);
	fputc('\n', r->out);
	r->anything = true;
}

/* ---- values --------------------------------------------------------------------------------- */

static char *put_octet(char *p, unsigned value)
{
	if (value >= 100)
		*p++ = '0' + value / 100;
	if (value >= 10)
		*p++ = '0' + value / 10 % 10;
	*p++ = '0' + value % 10;
	return p;
}

static const char *render_ipv4(uint32_t addr, char *buf)
{
	char *p = buf;

	for (int shift = 24; shift >= 0; shift -= 8) {
		p = put_octet(p, addr >> shift & 0xff);
		*p++ = shift ? '.' : '\0';
	}
	return buf;
}

static const char *render_mac(uint64_t mac, char *buf)
{
	static const char digits[] = "0123456789abcdef";
	char *p = buf;

	for (int shift = 44; shift >= 0; shift -= 4) {
		*p++ = digits[mac >> shift & 0xf];
		if (shift % 8 == 0)
			*p++ = shift ? ':' : '\0';
	}
	return buf;
}

/* The common types without printf: a dump prints millions of them. */
static const char *value_text(enum value_type type, uint64_t hi, uint64_t lo, uint64_t now_ns, char *buf)
{
	if (type == TYPE_ADDR && hi == 0 && lo >> 32 == 0xffff)
		return render_ipv4(lo, buf);
	if (type == TYPE_MAC)
		return render_mac(lo, buf);
	if (type == TYPE_U64 || type == TYPE_PORT)
		return decimal(lo, buf);
	return value_render(type, hi, lo, now_ns, buf, VALUE_SIZE);
}

/* Numbers stay numbers for scripts, protocols and flags too; only what has no number is a string. */
static void json_value(struct render *r, enum value_type type, uint64_t hi, uint64_t lo)
{
	char buf[VALUE_SIZE];

	switch (type) {
	case TYPE_ADDR:
	case TYPE_PREFIX:
	case TYPE_MAC:
	case TYPE_HOOK:
	case TYPE_COLOUR: json_string(r, value_text(type, hi, lo, 0, buf)); break;
	case TYPE_BOOL: yajl_gen_bool(r->gen, lo != 0); break;
	case TYPE_INT: yajl_gen_integer(r->gen, (int64_t)lo); break;
	default: json_u64(r, lo); break;
	}
}

static void emit_value(struct render *r, const char *key, bool exact, enum value_type type, uint64_t hi, uint64_t lo,
		       uint64_t now_ns)
{
	char buf[VALUE_SIZE];

	if (r->gen) {
		json_string(r, key);
		json_value(r, type, hi, lo);
	} else {
		text_cell(r, key, exact, value_text(type, hi, lo, now_ns, buf));
	}
}

void render_value(struct render *r, const char *key, enum value_type type, uint64_t hi, uint64_t lo, uint64_t now_ns)
{
	emit_value(r, key, false, type, hi, lo, now_ns);
}

/* ---- flows ---------------------------------------------------------------------------------- */

/* An object of its own in JSON, so no register can be mistaken for something else. */
static void render_fields(struct render *r, const char *group, const struct layout_field *f, size_t n,
			  const uint64_t *words, uint64_t now_ns)
{
	if (r->gen) {
		json_string(r, group);
		yajl_gen_map_open(r->gen);
	}
	for (size_t i = 0; i < n; i++) {
		__u64 hi, lo;

		layout_get(&f[i], (const __u64 *)words, &hi, &lo);
		emit_value(r, f[i].name, true, f[i].type, hi, lo, now_ns);
	}
	if (r->gen)
		yajl_gen_map_close(r->gen);
}

static void render_expiry(struct render *r, const struct flow_head *head, uint64_t now_ns)
{
	if (head->deadline_ns) {
		render_ns(r, "expires_in", head->deadline_ns > now_ns ? head->deadline_ns - now_ns : 0);
	} else if (r->gen) {
		json_string(r, "expires_in_ns");
		yajl_gen_null(r->gen);
	} else {
		text_cell(r, "expires_in", false, "-");
	}
}

void render_flow(struct render *r, const struct layout *layout, const uint64_t *words, uint64_t now_ns)
{
	struct flow_head head;
	const char *state;

	memcpy(&head, words, sizeof(head));
	render_row_begin(r);
	render_fields(r, "key", layout->key, layout->n_keys, words, now_ns);
	state = layout_state_name(layout, head.state);
	if (*state)
		render_string(r, "state", state);
	render_fields(r, "registers", layout->reg, layout->n_regs, words, now_ns);
	render_ns(r, "idle", now_ns > head.last_used_ns ? now_ns - head.last_used_ns : 0);
	render_expiry(r, &head, now_ns);
	render_row_end(r);
}

void render_record(struct render *r, const struct layout *layout, const uint64_t *words)
{
	render_fields(r, "record", layout->key, layout->n_keys, words, 0);
	render_fields(r, "registers", layout->reg, layout->n_regs, words, 0);
}
