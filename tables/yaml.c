/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "yaml.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>
#include <yaml.h>

#include "../common/arena.h"

/* Owns what libyaml allocates; lives outside the function that catches the arena's jump. */
struct loader {
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_event;
	struct arena *arena;
	struct diag_list *diags;
	const char *text;
	size_t size;
	const char *last; /* Where 'last_mark' lies in 'text'. */
	yaml_mark_t last_mark;
	size_t n_nodes;
	unsigned flow_depth; /* Inside how many {} and []. */
	bool split;	     /* A text with "(" but no ")" was reported; the rest of it follows. */
};

static struct loc loc_of(yaml_mark_t mark)
{
	return (struct loc){mark.line + 1, mark.column + 1};
}

/* Marks count characters; the file is bytes.  Goes on from the last mark asked for, because one walk of
 * the file for each text would be quadratic. */
static const char *byte_at(struct loader *l, yaml_mark_t mark)
{
	const char *p = l->last, *end = l->text + l->size;
	size_t line = l->last_mark.line, column = l->last_mark.column;

	if (mark.line < line || (mark.line == line && mark.column < column)) {
		p = l->text;
		line = column = 0;
	}
	for (; line < mark.line && p < end; line++, column = 0) {
		const char *newline = memchr(p, '\n', end - p);

		p = newline ? newline + 1 : end;
	}
	for (; column < mark.column && p < end; column++) {
		p++;
		while (p < end && ((unsigned char)*p & 0xc0) == 0x80)
			p++;
	}
	l->last = p;
	l->last_mark = mark;
	return p;
}

static const char *line_begin(const struct loader *l, const char *p)
{
	while (p > l->text && p[-1] != '\n')
		p--;
	return p;
}

/* The text between the last ": ", ", ", "{" or "- " before 'p' and 'p' begins with 'c'. */
static bool value_begins_with(const struct loader *l, const char *p, char c)
{
	const char *begin = line_begin(l, p);

	for (p--; p > begin; p--)
		if (*p == c && strchr(" {[", p[-1]))
			return true;
		else if (strchr("{},", *p) || (*p == ':' && p[1] == ' '))
			return false;
	return false;
}

static bool line_has(const struct loader *l, const char *p, const char *what)
{
	const char *begin = line_begin(l, p), *end = memchr(p, '\n', l->text + l->size - p);

	return memmem(begin, (end ? end : l->text + l->size) - begin, what, strlen(what)) != NULL;
}

static bool starts(const struct loader *l, const char *p, const char *what)
{
	size_t left = l->text + l->size - p;

	return left >= strlen(what) && memcmp(p, what, strlen(what)) == 0;
}

/* A sentence for a mistake that people make, or NULL: then libyaml's own words must do. */
static const char *explain(const struct loader *l, const char *p, bool at_end)
{
	if (at_end || p >= l->text + l->size)
		return NULL;
	if (value_begins_with(l, p, '!'))
		return "a value cannot begin with \"!\" (YAML takes it for a tag): write \"not\", or quote it";
	if (value_begins_with(l, p, '&'))
		return "a value cannot begin with \"&\" (YAML takes it for an anchor): quote it";
	if (starts(l, p, "::"))
		return "a value cannot begin with \":\": quote IPv6 addresses and MACs, like \"::1\"";
	switch (*p) {
	case '\t': return "a tab cannot indent: use blanks";
	case '%':
	case '@':
	case '`': return "a value cannot begin with \"%\", \"@\" or \"`\": quote it";
	case '[': return "a \"[\" inside a value: quote the whole value, like \"not [a, b]\"";
	case '{': return "a \"{\" inside a value: quote the whole value";
	case '>':
	case '|':
		return "a value cannot begin with \">\" or \"|\" (YAML's block texts): quote it; a range is written "
		       "a-b";
	case ':':
		if (line_has(l, p, " ? "))
			return "there is no \"a ? b : c\": write two rules";
		return "a \": \" inside a value: quote the whole value";
	default: break;
	}
	if (line_has(l, p, ": > ") || line_has(l, p, ": | "))
		return "a value cannot begin with \">\" or \"|\" (YAML's block texts): quote it; a range is written "
		       "a-b";
	return NULL;
}

/* The ":" at 'p' follows the first word of its line: rather the key of a new entry than part of a value. */
static bool begins_entry(const struct loader *l, const char *p)
{
	const char *begin = line_begin(l, p);

	return *p == ':' && !memmem(begin, p - begin, ": ", 2);
}

static void report_parser(struct loader *l)
{
	const yaml_parser_t *p = &l->parser;
	bool opened_elsewhere = p->context && p->context_mark.line != p->problem_mark.line;
	const char *at = byte_at(l, p->problem_mark), *hint;
	struct loc loc = loc_of(p->problem_mark);

	if (p->error == YAML_MEMORY_ERROR)
		arena_give_up(l->arena);
	if (p->error == YAML_READER_ERROR) {
		const char *bad = l->text + (p->problem_offset < l->size ? p->problem_offset : l->size);
		unsigned line = 1;

		for (const char *c = l->text; c < bad; c++)
			line += *c == '\n';
		diag_error(l->diags, (struct loc){line, 0}, "this is not text in UTF-8: %s", p->problem);
		return;
	}
	if (opened_elsewhere && p->context && strstr(p->context, "quoted")) {
		diag_error(l->diags, loc_of(p->context_mark), "the quote that opens here is never closed");
		return;
	}
	hint = explain(l, at, opened_elsewhere && (at >= l->text + l->size || begins_entry(l, at)));
	if (hint)
		diag_error(l->diags, loc, "%s", hint);
	else if (opened_elsewhere && p->context && strstr(p->context, "flow"))
		diag_error(l->diags, loc_of(p->context_mark),
			   "what opens here is not closed, or a \",\" is missing before line %u%s", loc.line,
			   line_has(l, byte_at(l, p->context_mark), " #") ? " (\" #\" begins a comment)" : "");
	else
		diag_error(l->diags, loc, "this is not YAML: %s", p->problem ? p->problem : "unknown mistake");
}

static void drop_event(struct loader *l)
{
	if (l->has_event)
		yaml_event_delete(&l->event);
	l->has_event = false;
}

static int next_event(struct loader *l)
{
	drop_event(l);
	if (!yaml_parser_parse(&l->parser, &l->event)) {
		report_parser(l);
		return -EINVAL;
	}
	l->has_event = true;
	return 0;
}

static void check_marks(struct loader *l, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct loc loc = loc_of(l->event.start_mark);

	if (anchor)
		diag_error(l->diags, loc, "a value cannot begin with \"&\" (YAML takes it for an anchor): quote it");
	if (tag)
		diag_error(l->diags, loc,
			   "a value cannot begin with \"!\" (YAML takes it for a tag): write \"not\", or quote it");
}

/* Inside {} and [] a comma ends a text, so a call with two arguments falls apart. */
static void check_parentheses(struct loader *l, const struct yaml_node *node)
{
	int depth = 0, lowest = 0;

	if (node->quoted || !l->flow_depth)
		return;
	for (const char *p = node->text; *p; p++) {
		depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
		lowest = depth < lowest ? depth : lowest;
	}
	if (depth > 0) {
		diag_error(l->diags, node->loc,
			   "\"(\" without \")\": inside {} or [] a comma ends the value, so quote this: \"%s, ...\"",
			   node->text);
		l->split = true;
	} else if (lowest < 0 && !l->split) {
		diag_error(l->diags, node->loc, "\")\" without \"(\" in \"%s\"", node->text);
	}
}

static struct yaml_node *new_node(struct loader *l, enum yaml_kind kind)
{
	struct yaml_node *node = arena_alloc(l->arena, sizeof(*node));

	node->kind = kind;
	node->loc = loc_of(l->event.start_mark);
	return node;
}

/* The text of "|" and ">" begins on the next line, indented. */
static void skip_block_header(struct yaml_node *node, const char *end)
{
	const char *newline = memchr(node->source, '\n', end - node->source);

	if (!newline)
		return;
	node->source = newline + 1;
	node->loc = (struct loc){node->loc.line + 1, 1};
	while (node->source < end && *node->source == ' ') {
		node->source++;
		node->loc.column++;
	}
}

static struct yaml_node *load_text(struct loader *l)
{
	struct yaml_node *node = new_node(l, YAML_TEXT);
	const char *value = (const char *)l->event.data.scalar.value;
	size_t size = l->event.data.scalar.length;
	yaml_scalar_style_t style = l->event.data.scalar.style;
	const char *begin = byte_at(l, l->event.start_mark), *end = byte_at(l, l->event.end_mark);

	check_marks(l, l->event.data.scalar.anchor, l->event.data.scalar.tag);
	if (memchr(value, '\0', size)) {
		diag_error(l->diags, node->loc, "a text cannot contain the character 0");
		size = strlen(value);
	}
	node->text = arena_strndup(l->arena, value, size);
	node->source = begin;
	node->quoted = style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	if (node->quoted) {
		node->loc.column++;
		node->source++;
	}
	if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE)
		skip_block_header(node, end);
	node->source_size = end > node->source ? end - node->source : 0;
	node->cut = style == YAML_PLAIN_SCALAR_STYLE && starts(l, end, " #");
	check_parentheses(l, node);
	return node;
}

static struct yaml_node *load_node(struct loader *l, unsigned depth);

static struct yaml_node *load_list(struct loader *l, unsigned depth)
{
	struct yaml_node *node = new_node(l, YAML_LIST);
	bool flow = l->event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;

	check_marks(l, l->event.data.sequence_start.anchor, l->event.data.sequence_start.tag);
	l->flow_depth += flow;
	for (;;) {
		struct yaml_node *item;

		if (next_event(l) < 0)
			return NULL;
		if (l->event.type == YAML_SEQUENCE_END_EVENT)
			break;
		item = load_node(l, depth + 1);
		if (!item)
			return NULL;
		node->item = arena_grow(l->arena, node->item, node->n, sizeof(*node->item));
		node->item[node->n++] = item;
	}
	l->flow_depth -= flow;
	l->split = false;
	return node;
}

static void add_entry(struct loader *l, struct yaml_node *map, struct yaml_node *key, struct yaml_node *value)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->key[i]->text, key->text) == 0) {
			diag_error(l->diags, key->loc, "\"%s\" is written twice; first on line %u", key->text,
				   map->key[i]->loc.line);
			return;
		}
	map->key = arena_grow(l->arena, map->key, map->n, sizeof(*map->key));
	map->item = arena_grow(l->arena, map->item, map->n, sizeof(*map->item));
	map->key[map->n] = key;
	map->item[map->n++] = value;
}

static struct yaml_node *load_map(struct loader *l, unsigned depth)
{
	struct yaml_node *node = new_node(l, YAML_MAP);
	bool flow = l->event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;

	check_marks(l, l->event.data.mapping_start.anchor, l->event.data.mapping_start.tag);
	l->flow_depth += flow;
	for (;;) {
		struct yaml_node *key, *value;

		if (next_event(l) < 0)
			return NULL;
		if (l->event.type == YAML_MAPPING_END_EVENT)
			break;
		if (l->event.type != YAML_SCALAR_EVENT) {
			diag_error(l->diags, loc_of(l->event.start_mark), "expected a key, a word followed by \":\"");
			return NULL;
		}
		key = load_node(l, depth + 1);
		if (!key || next_event(l) < 0)
			return NULL;
		value = load_node(l, depth + 1);
		if (!value)
			return NULL;
		if (node->n >= YAML_ENTRIES_MAX) {
			diag_error(l->diags, key->loc, "more than %d keys", YAML_ENTRIES_MAX);
			return NULL;
		}
		add_entry(l, node, key, value);
	}
	l->flow_depth -= flow;
	l->split = false;
	return node;
}

/* NULL: a mistake after which the rest makes no sense.  Lesser ones are only reported. */
static struct yaml_node *load_node(struct loader *l, unsigned depth)
{
	struct loc loc = loc_of(l->event.start_mark);

	if (depth > YAML_DEPTH_MAX) {
		diag_error(l->diags, loc, "nested deeper than %d", YAML_DEPTH_MAX);
		return NULL;
	}
	if (++l->n_nodes > YAML_NODES_MAX) {
		diag_error(l->diags, loc, "more than %d values in one file", YAML_NODES_MAX);
		return NULL;
	}
	switch (l->event.type) {
	case YAML_SCALAR_EVENT: return load_text(l);
	case YAML_SEQUENCE_START_EVENT: return load_list(l, depth);
	case YAML_MAPPING_START_EVENT: return load_map(l, depth);
	default: break;
	}
	diag_error(l->diags, loc, "a value cannot begin with \"*\" (YAML takes it for an alias): quote it");
	return NULL;
}

static struct yaml_node *load_document(struct loader *l)
{
	struct yaml_node *root;

	do {
		if (next_event(l) < 0)
			return NULL;
		if (l->event.type == YAML_STREAM_END_EVENT) {
			diag_error(l->diags, (struct loc){}, "the file is empty");
			return NULL;
		}
	} while (l->event.type == YAML_STREAM_START_EVENT || l->event.type == YAML_DOCUMENT_START_EVENT);
	root = load_node(l, 1);
	if (!root)
		return NULL;
	do {
		if (next_event(l) < 0)
			return NULL;
		if (l->event.type == YAML_DOCUMENT_START_EVENT) {
			diag_error(l->diags, loc_of(l->event.start_mark),
				   "a second document begins here: one file, one application");
			return NULL;
		}
	} while (l->event.type != YAML_STREAM_END_EVENT);
	return root;
}

/* Sees to it that libyaml's memory is released also when the arena jumps. */
static struct yaml_node *load_guarded(struct loader *l)
{
	jmp_buf here, *before = arena_catch(l->arena, &here);
	struct yaml_node *root;

	if (setjmp(here)) {
		drop_event(l);
		yaml_parser_delete(&l->parser);
		arena_catch(l->arena, before);
		arena_give_up(l->arena);
	}
	root = load_document(l);
	arena_catch(l->arena, before);
	return root;
}

struct yaml_node *yaml_load(struct arena *arena, const char *text, size_t size, struct diag_list *diags)
{
	/* libyaml takes a byte order mark for content when it is told the encoding. */
	size_t mark = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	struct loader l = {
		.arena = arena, .diags = diags, .text = text + mark, .size = size - mark, .last = text + mark};
	size_t n_errors = diags->n_errors;
	struct yaml_node *root;

	if (!yaml_parser_initialize(&l.parser))
		arena_give_up(arena);
	yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&l.parser, (const unsigned char *)l.text, l.size);
	root = load_guarded(&l);
	drop_event(&l);
	yaml_parser_delete(&l.parser);
	return diags->n_errors == n_errors ? root : NULL;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->n; i++)
		if (strcmp(map->key[i]->text, key) == 0)
			return map->item[i];
	return NULL;
}

struct loc yaml_place(const struct yaml_node *node, size_t offset)
{
	const char *p = node->source, *end = p + node->source_size, *text = node->text;
	struct loc loc = node->loc;

	if (!p || !memchr(p, '\n', node->source_size))
		return (struct loc){loc.line, loc.column + offset};
	/* Line breaks and the blanks around them became one blank (or one newline) of the text. */
	for (; offset && *text && p < end; offset--, text++) {
		bool blank = *text == ' ' || *text == '\n';

		do {
			loc.column = *p == '\n' ? 1 : loc.column + 1;
			loc.line += *p == '\n';
			p++;
		} while (p < end && blank && strchr(" \t\r\n", *p) && text[1] != *p);
	}
	while (p < end && strchr(" \t\r\n", *p) && *text && !strchr(" \n", *text)) {
		loc.column = *p == '\n' ? 1 : loc.column + 1;
		loc.line += *p == '\n';
		p++;
	}
	return loc;
}
