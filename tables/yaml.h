/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yaml - a YAML file as a tree of texts with places.
 *
 * Every scalar is text: nothing becomes a number, a date or null here.  Tags, anchors, aliases,
 * duplicate keys and a second document are refused, and the traps of the notation (a comma inside
 * a call in {}, a value that begins with ! & * %) are answered with what to quote. */
#ifndef MEALY_YAML_H
#define MEALY_YAML_H

#include "../common/diag.h"

struct arena;

enum { YAML_DEPTH_MAX = 16, YAML_NODES_MAX = 100000, YAML_ENTRIES_MAX = 1024 };

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	struct loc loc; /* Of the first character, behind an opening quote. */
	char *text;	/* YAML_TEXT; "" when nothing was written. */
	bool quoted;
	bool cut;	    /* A plain text that " #" may have cut short. */
	const char *source; /* Where the text lies in the file, ... */
	size_t source_size; /* ... for yaml_place(). */
	size_t n;
	struct yaml_node **item; /* YAML_LIST, and the values of YAML_MAP ... */
	struct yaml_node **key;	 /* ... with their keys, all YAML_TEXT. */
};

/* Reads one document.  The tree lives in 'arena' and points into 'text'.  Returns NULL with at least one
 * error in 'diags'; without memory it jumps as arena.h says. */
struct yaml_node *yaml_load(struct arena *arena, const char *text, size_t size, struct diag_list *diags);

/* The value of 'key', or NULL. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* Where the character 'offset' of the text of 'node' stands in the file, also in texts of several lines. */
struct loc yaml_place(const struct yaml_node *node, size_t offset);

#endif
