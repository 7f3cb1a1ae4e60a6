/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>

#include "app_check.h"

static size_t count(const char *const *names)
{
	size_t n = 0;

	while (names && names[n])
		n++;
	return n;
}

static bool is_among(const char *word, const char *const *names)
{
	for (; names && *names; names++)
		if (strcmp(word, *names) == 0)
			return true;
	return false;
}

const char *did_you_mean(struct checker *c, const char *word, const char *const *candidates, size_t n)
{
	const char *nearest = diag_nearest(word, candidates, n);

	return nearest ? arena_printf(c->arena, "; did you mean \"%s\"?", nearest) : "";
}

bool node_check_keys(struct checker *c, const struct yaml_node *map, const char *what, const char *const *known,
		     const char *const *planned)
{
	if (map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected %s with \"key: value\"", what);
		return false;
	}
	for (size_t i = 0; i < map->n; i++) {
		const char *key = map->key[i]->text;

		if (is_among(key, planned)) {
			ERROR(c, map->key[i]->loc, "\"%s\" in %s is not yet supported", key, what);
			c->planned = true;
		} else if (!is_among(key, known))
			ERROR(c, map->key[i]->loc, "unknown key \"%s\" in %s%s", key, what,
			      did_you_mean(c, key, known, count(known)));
	}
	return true;
}

const char *node_text(struct checker *c, const struct yaml_node *node, const char *what)
{
	if (node->kind != YAML_TEXT) {
		ERROR(c, node->loc, "expected %s, but found a %s", what, node->kind == YAML_LIST ? "list" : "map");
		return NULL;
	}
	if (!*node->text) {
		ERROR(c, node->loc, "expected %s, but nothing is written here", what);
		return NULL;
	}
	return node->text;
}

static bool is_name(const char *text, bool with_dash)
{
	if (!isalpha((unsigned char)*text))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && *text != '_' && !(with_dash && *text == '-'))
			return false;
	return true;
}

char *node_name(struct checker *c, const struct yaml_node *node, const char *what, bool with_dash)
{
	const char *text = node_text(c, node, what);

	if (!text)
		return NULL;
	if (strlen(text) > NAME_LEN_MAX) {
		ERROR(c, node->loc, "%s is longer than %d characters", what, NAME_LEN_MAX);
		return NULL;
	}
	if (!is_name(text, with_dash)) {
		ERROR(c, node->loc, "\"%s\" cannot be %s: a letter, then letters, digits%s", text, what,
		      with_dash ? ", \"_\" and \"-\"" : " and \"_\"");
		return NULL;
	}
	return arena_strdup(c->arena, text);
}

bool node_is_list(struct checker *c, const struct yaml_node *node, const char *what)
{
	if (node->kind == YAML_LIST)
		return true;
	ERROR(c, node->loc, "expected a list of %s, like [a, b]", what);
	return false;
}

/* Joined in one go: a list may be long. */
char *node_flat(struct checker *c, const struct yaml_node *node)
{
	size_t size = 3, used = 0;
	char *text;

	if (node->kind == YAML_TEXT)
		return node->text;
	if (node->kind == YAML_MAP)
		return "{...}";
	for (size_t i = 0; i < node->n; i++)
		size += 2 + (node->item[i]->kind == YAML_TEXT ? strlen(node->item[i]->text) : 5);
	text = arena_alloc(c->arena, size);
	text[used++] = '[';
	for (size_t i = 0; i < node->n; i++) {
		const char *item = node->item[i]->kind == YAML_TEXT ? node->item[i]->text : "{...}";

		used += sprintf(text + used, "%s%s", i ? ", " : "", item);
	}
	strcpy(text + used, "]");
	return text;
}
