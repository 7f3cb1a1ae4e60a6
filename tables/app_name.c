/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "app_check.h"

static const struct meta {
	const char *name;
	unsigned cell;
	enum value_type type;
	unsigned bits;
} metas[] = {
	{"now", CELL_NOW, TYPE_TIME, 64},	   {"in_port", CELL_IN_PORT, TYPE_PORT, 7},
	{"out_port", CELL_OUT_PORT, TYPE_PORT, 7}, {"length", CELL_LENGTH, TYPE_SIZE, 32},
	{"frames", CELL_FRAMES, TYPE_U64, 16},	   {"direction", CELL_DIRECTION, TYPE_U64, 1},
	{"hook", CELL_HOOK, TYPE_HOOK, 2},
};

/* Words with a meaning of their own: operators, helpers, steps, types; those of later versions too, so that
 * no application breaks when they come. */
static const struct {
	const char *word, *what;
} reserved[] = {
	{"and", "an operator"}, {"or", "an operator"},	{"not", "an operator"}, {"in", "an operator"},
	{"min", "a helper"},	{"max", "a helper"},	{"seq_lt", "a helper"}, {"seq_le", "a helper"},
	{"hash", "a helper"},	{"random", "a helper"}, {"has", "a helper"},	{"avg", "a helper"},
	{"var", "a helper"},	{"ewma", "a helper"},	{"select", "a helper"}, {"meter", "a helper"},
	{"pass", "a step"},	{"deliver", "a step"},	{"drop", "a step"},	{"output", "a step"},
	{"flood", "a step"},	{"reflect", "a step"},	{"goto", "a step"},	{"route", "a step"},
	{"group", "a step"},	{"push", "a step"},	{"pop", "a step"},	{"mirror", "a step"},
	{"become", "a step"},	{"emit", "a step"},	{"notify", "a step"},	{"controller", "a step"},
	{"int", "a type"},	{"addr", "a type"},	{"mac", "a type"},	{"time", "a type"},
};

int name_find_meta(const char *name, unsigned *ret_cell, enum value_type *ret_type, unsigned *ret_bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(metas); i++)
		if (strcmp(metas[i].name, name) == 0) {
			*ret_cell = metas[i].cell;
			*ret_type = metas[i].type;
			*ret_bits = metas[i].bits;
			return 0;
		}
	return -ENOENT;
}

const char *app_meta_at(size_t index, enum value_type *ret_type, unsigned *ret_bits)
{
	if (index >= ARRAY_SIZE(metas))
		return NULL;
	*ret_type = metas[index].type;
	*ret_bits = metas[index].bits;
	return metas[index].name;
}

const char *app_reserved_at(size_t index, const char **ret_what)
{
	if (index >= ARRAY_SIZE(reserved))
		return NULL;
	*ret_what = reserved[index].what;
	return reserved[index].word;
}

int name_find_typed(const struct typed *typed, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(typed[i].name, name) == 0)
			return i;
	return -ENOENT;
}

int name_find_table(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_tables; i++)
		if (strcmp(app->table[i].name, name) == 0)
			return i;
	return -ENOENT;
}

int name_find_global(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_globals; i++)
		if (strcmp(app->global[i].name, name) == 0)
			return i;
	return -ENOENT;
}

int name_find_group(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_groups; i++)
		if (strcmp(app->group[i].name, name) == 0)
			return i;
	return -ENOENT;
}

int name_find_meter(const struct app_meter *meter, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(meter[i].name, name) == 0)
			return i;
	return -ENOENT;
}

int name_find_header(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_headers; i++)
		if (strcmp(app->header[i].name, name) == 0)
			return i;
	return -ENOENT;
}

const struct field *app_find_field(const struct app *app, const char *name)
{
	for (size_t h = 0; h < app->n_headers; h++)
		for (size_t i = 0; i < app->header[h].n_fields; i++)
			if (strcmp(app->header[h].field[i].name, name) == 0)
				return &app->header[h].field[i];
	return field_find(name);
}

int name_find_let(const struct app_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_lets; i++)
		if (strcmp(table->let[i].name, name) == 0)
			return i;
	return -ENOENT;
}

struct parameter *name_find_parameter(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_params; i++)
		if (strcmp(app->param[i].name, name) == 0)
			return &app->param[i];
	return NULL;
}

struct parameter *name_use_parameter(const struct app *app, const char *name)
{
	struct parameter *param = name_find_parameter(app, name);

	if (param)
		param->used = true;
	return param;
}

int name_find_constant(enum value_type hint, const char *name, enum value_type *ret_type, uint64_t *ret_value)
{
	static const enum value_type types[] = {TYPE_PROTO, TYPE_ETHERTYPE, TYPE_FLAGS,
						TYPE_HOOK,  TYPE_COLOUR,    TYPE_BOOL};

	if (hint != TYPE_U64 && value_name_find(hint, name, ret_value) == 0) {
		*ret_type = hint;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (value_name_find(types[i], name, ret_value) == 0) {
			*ret_type = types[i];
			return 0;
		}
	return -ENOENT;
}

static const char *find_hidden(struct checker *c, const char *name)
{
	enum value_type type;
	uint64_t value;
	unsigned cell, bits;

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (strcmp(reserved[i].word, name) == 0)
			return reserved[i].what;
	if (name_find_meta(name, &cell, &type, &bits) == 0)
		return "a field";
	if (name_find_constant(TYPE_U64, name, &type, &value) == 0)
		return "a constant";
	if (name_find_parameter(c->app, name))
		return "a parameter";
	if (name_find_typed(c->app->var, c->app->n_vars, name) >= 0)
		return "a variable";
	if (name_find_global(c->app, name) >= 0)
		return "a global";
	if (name_find_header(c->app, name) >= 0)
		return "a header";
	if (name_find_group(c->app, name) >= 0)
		return "a group";
	if (name_find_meter(c->app->meter, c->app->n_meters, name) >= 0 ||
	    (c->table && name_find_meter(c->table->meter, c->table->n_meters, name) >= 0))
		return "a meter";
	if (c->table && name_find_let(c->table, name) >= 0)
		return "a let";
	if (c->table && name_find_typed(c->table->reg, c->table->n_regs, name) >= 0)
		return "a register";
	return NULL;
}

bool name_check_free(struct checker *c, struct loc loc, const char *name, const char *what)
{
	const char *hidden = find_hidden(c, name);

	if (!hidden)
		return true;
	if (strstr(hidden, what))
		ERROR(c, loc, "%s \"%s\" is declared twice", what, name);
	else
		ERROR(c, loc, "%s \"%s\" would hide %s of that name", what, name, hidden);
	return false;
}

static void add_candidate(struct checker *c, const char ***names, size_t *n, const char *name)
{
	GROW(c, *names, *n);
	(*names)[(*n)++] = name;
}

static const char **all_names(struct checker *c, size_t *ret_n)
{
	const char **names = NULL;
	size_t n = 0;

	for (size_t i = 0; i < n_fields; i++)
		add_candidate(c, &names, &n, fields[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(metas); i++)
		add_candidate(c, &names, &n, metas[i].name);
	for (size_t i = 0; i < c->app->n_params; i++)
		add_candidate(c, &names, &n, c->app->param[i].name);
	for (size_t i = 0; i < c->app->n_vars; i++)
		add_candidate(c, &names, &n, c->app->var[i].name);
	for (size_t i = 0; i < c->app->n_globals; i++)
		add_candidate(c, &names, &n, c->app->global[i].name);
	for (size_t h = 0; h < c->app->n_headers; h++)
		for (size_t i = 0; i < c->app->header[h].n_fields; i++)
			add_candidate(c, &names, &n, c->app->header[h].field[i].name);
	for (size_t i = 0; c->table && i < c->table->n_regs; i++)
		add_candidate(c, &names, &n, c->table->reg[i].name);
	for (size_t i = 0; c->table && i < c->table->n_lets; i++)
		add_candidate(c, &names, &n, c->table->let[i].name);
	*ret_n = n;
	return names;
}

static bool names_register_elsewhere(struct checker *c, struct loc loc, const char *name)
{
	for (size_t i = 0; i < c->app->n_tables; i++)
		if (name_find_typed(c->app->table[i].reg, c->app->table[i].n_regs, name) >= 0) {
			ERROR(c, loc, "unknown name \"%s\"; the register of table \"%s\" is written \"%s.%s\"", name,
			      c->app->table[i].name, c->app->table[i].name, name);
			return true;
		}
	return false;
}

void name_report_unknown(struct checker *c, struct loc loc, const char *name)
{
	const char **names, *hint;
	bool dotted = strchr(name, '.') != NULL;
	size_t n;

	if (field_is_planned(name)) {
		ERROR(c, loc, "\"%s\" is not yet supported", name);
		return;
	}
	if (strchr(name, '-')) {
		ERROR(c, loc, "unknown name \"%s\"; to subtract put blanks around \"-\"", name);
		return;
	}
	if (!dotted && names_register_elsewhere(c, loc, name))
		return;
	names = all_names(c, &n);
	hint = did_you_mean(c, name, names, n);
	if (!*hint && !dotted) {
		const char *constant = value_name_nearest(TYPE_U64, name);

		hint = constant ? arena_printf(c->arena, "; did you mean \"%s\"?", constant) : "";
	}
	ERROR(c, loc, "unknown %s \"%s\"%s", dotted ? "field" : "name", name, hint);
}

/* A type, or a group: then the name is one of its members'. */
static bool parse_type(struct checker *c, struct loc loc, const char *word, struct typed *typed)
{
	static const struct {
		const char *word;
		enum value_type type;
	} types[] = {
		{"int", TYPE_INT},
		{"addr", TYPE_ADDR},
		{"mac", TYPE_MAC},
		{"time", TYPE_TIME},
	};
	int group = name_find_group(c->app, word);
	const char *words[ARRAY_SIZE(types) + APP_GROUPS_MAX];
	size_t n = 0;

	if (group >= 0) {
		typed->group = group + 1;
		typed->group_name = c->app->group[group].name;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].word, word) == 0) {
			typed->type = types[i].type;
			return true;
		}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		words[n++] = types[i].word;
	for (size_t i = 0; i < c->app->n_groups; i++)
		words[n++] = c->app->group[i].name;
	ERROR(c, loc, "unknown type \"%s\" (expected int, addr, mac, time or the name of a group)%s", word,
	      did_you_mean(c, word, words, n));
	return false;
}

bool name_parse_typed(struct checker *c, const struct yaml_node *node, const char *what, struct typed *ret_typed)
{
	const char *text = node_text(c, node, what), *blank;
	struct yaml_node name = *node;

	if (!text)
		return false;
	*ret_typed = (struct typed){.type = TYPE_U64, .loc = node->loc};
	blank = strchr(text, ' ');
	if (blank) {
		char *word = arena_strndup(c->arena, text, blank - text);

		if (!parse_type(c, node->loc, word, ret_typed))
			return false;
		name.text += blank - text + strspn(blank, " ");
		name.loc.column += name.text - text;
		ret_typed->loc = name.loc;
	}
	ret_typed->name = node_name(c, &name, arena_printf(c->arena, "the name of a %s", what), false);
	return ret_typed->name && name_check_free(c, ret_typed->loc, ret_typed->name, what);
}

void name_parse_typed_list(struct checker *c, const struct yaml_node *node, const char *what, struct typed **ret_typed,
			   size_t *ret_n, unsigned max)
{
	unsigned words = 0;

	if (!node_is_list(c, node, arena_printf(c->arena, "%ss", what)))
		return;
	if (node->n > max) {
		ERROR(c, node->loc, "%zu %ss; at most %u fit", node->n, what, max);
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		struct typed typed;

		if (!name_parse_typed(c, node->item[i], what, &typed))
			continue;
		typed.word = words;
		words += typed.type == TYPE_ADDR ? 2 : 1;
		GROW(c, *ret_typed, *ret_n);
		(*ret_typed)[(*ret_n)++] = typed;
	}
}
