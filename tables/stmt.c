/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statements: the steps of `do` and `action`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/arena.h"
#include "../common/cleanup.h"
#include "lexer.h"
#include "yaml.h"

/* What follows the word of a step. */
enum argument { ARGUMENT_NONE, ARGUMENT_EXPR, ARGUMENT_TABLE, ARGUMENT_HEADER, ARGUMENT_PLANNED };

static const struct step_word {
	const char *name;
	enum stmt_kind kind;
	enum verdict verdict;
	enum argument argument;
} step_words[] = {
	{"pass", STMT_VERDICT, VERDICT_PASS, ARGUMENT_NONE},
	{"deliver", STMT_VERDICT, VERDICT_DELIVER, ARGUMENT_NONE},
	{"drop", STMT_VERDICT, VERDICT_DROP, ARGUMENT_NONE},
	{"output", STMT_VERDICT, VERDICT_OUTPUT, ARGUMENT_EXPR},
	{"flood", STMT_VERDICT, VERDICT_FLOOD, ARGUMENT_NONE},
	{"reflect", STMT_VERDICT, VERDICT_REFLECT, ARGUMENT_NONE},
	{"goto", STMT_VERDICT, VERDICT_GOTO, ARGUMENT_TABLE},
	{"push", STMT_PUSH_VLAN, 0, ARGUMENT_HEADER},
	{"pop", STMT_POP_VLAN, 0, ARGUMENT_HEADER},
	{"notify", STMT_NOTIFY, 0, ARGUMENT_NONE},
	{"controller", STMT_CONTROLLER, 0, ARGUMENT_NONE},
	{"mirror", 0, 0, ARGUMENT_PLANNED},
	{"become", 0, 0, ARGUMENT_PLANNED},
	{"emit", 0, 0, ARGUMENT_PLANNED},
	{"route", 0, 0, ARGUMENT_PLANNED},
	{"group", 0, 0, ARGUMENT_PLANNED},
};

const char *stmt_word_at(size_t index)
{
	return index < ARRAY_SIZE(step_words) ? step_words[index].name : NULL;
}

static const struct step_word *find_word(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(step_words); i++)
		if (strcmp(step_words[i].name, name) == 0)
			return &step_words[i];
	return NULL;
}

static const char *nearest_word(const char *name)
{
	const char *names[ARRAY_SIZE(step_words)];

	for (size_t i = 0; i < ARRAY_SIZE(step_words); i++)
		names[i] = step_words[i].name;
	return diag_nearest(name, names, ARRAY_SIZE(step_words));
}

/* The name of a table may have "-" in it, so it is read as text. */
static int parse_table_name(struct lexer *l, struct stmt *stmt)
{
	size_t len = strspn(l->text + l->begin, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	if (!len) {
		lexer_error(l, "the name of a table");
		return -EINVAL;
	}
	stmt->name = arena_strndup(l->arena, l->text + l->begin, len);
	stmt->loc = lexer_loc(l, l->begin);
	l->end = l->begin + len;
	return lexer_next(l);
}

static int parse_header_name(struct lexer *l)
{
	if (l->token != TOKEN_NAME) {
		lexer_error(l, "the name of a header");
		return -EINVAL;
	}
	if (!lexer_is(l, "vlan")) {
		diag_error(l->diags, lexer_loc(l, l->begin),
			   "push and pop of \"%s\" are not yet supported, only of vlan", lexer_word(l));
		return -EINVAL;
	}
	return lexer_next(l);
}

static int parse_argument(struct lexer *l, const struct step_word *word, struct stmt *stmt)
{
	if (word->argument == ARGUMENT_NONE) {
		if (l->token != TOKEN_OPEN)
			return 0;
		diag_error(l->diags, lexer_loc(l, l->begin), "\"%s\" takes no argument", word->name);
		return -EINVAL;
	}
	if (l->token != TOKEN_OPEN) {
		lexer_error(l, "\"(\"");
		return -EINVAL;
	}
	/* The token behind "(" may be a table's name, which the lexer must not take apart. */
	if (lexer_next(l) < 0)
		return -EINVAL;
	if (word->argument == ARGUMENT_TABLE && parse_table_name(l, stmt) < 0)
		return -EINVAL;
	if (word->argument == ARGUMENT_HEADER && parse_header_name(l) < 0)
		return -EINVAL;
	if (word->argument == ARGUMENT_EXPR) {
		stmt->value = expr_parse_tokens(l);
		if (!stmt->value)
			return -EINVAL;
	}
	return lexer_expect(l, TOKEN_CLOSE, "\")\"");
}

static int parse_step_word(struct lexer *l, const struct step_word *word, bool is_action, struct stmt *stmt)
{
	if (word->argument == ARGUMENT_PLANNED) {
		diag_error(l->diags, stmt->loc, "\"%s\" is not yet supported", word->name);
		return -EINVAL;
	}
	if (!is_action) {
		diag_error(l->diags, stmt->loc, "\"%s\" belongs into action:, not here", word->name);
		return -EINVAL;
	}
	stmt->kind = word->kind;
	stmt->verdict = word->verdict;
	return parse_argument(l, word, stmt);
}

static int parse_assignment(struct lexer *l, struct expr *lhs, bool is_action, struct stmt *stmt)
{
	if (l->token != TOKEN_ASSIGN) {
		const char *nearest = is_action ? nearest_word(lhs->name) : NULL;

		if (!is_action || (l->token != TOKEN_END && l->token != TOKEN_SEMICOLON && l->token != TOKEN_OPEN))
			lexer_error(l, "one of = += -= |= &=");
		else if (nearest)
			diag_error(l->diags, lhs->loc, "unknown step \"%s\"; did you mean \"%s\"?", lhs->name, nearest);
		else
			diag_error(l->diags, lhs->loc, "unknown step \"%s\"", lhs->name);
		return -EINVAL;
	}
	stmt->kind = STMT_ASSIGN;
	stmt->lhs = lhs;
	stmt->op = l->op;
	if (lexer_next(l) < 0)
		return -EINVAL;
	stmt->value = expr_parse_tokens(l);
	return stmt->value ? 0 : -EINVAL;
}

static int parse_step(struct lexer *l, bool is_action, struct stmt *stmt)
{
	const struct step_word *word;
	struct expr *lhs;

	stmt->loc = lexer_loc(l, l->begin);
	if (l->token != TOKEN_NAME) {
		lexer_error(l,
			    is_action ? "a step, like \"drop\" or \"ip.ttl -= 1\"" : "an assignment, like \"n += 1\"");
		return -EINVAL;
	}
	lhs = arena_alloc(l->arena, sizeof(*lhs));
	*lhs = (struct expr){.kind = EXPR_NAME, .loc = stmt->loc, .width = l->end - l->begin, .name = lexer_word(l)};
	if (lexer_next(l) < 0)
		return -EINVAL;
	word = l->token == TOKEN_ASSIGN ? NULL : find_word(lhs->name);
	if (word)
		return parse_step_word(l, word, is_action, stmt);
	return parse_assignment(l, lhs, is_action, stmt);
}

static bool check_last(struct lexer *l, const struct stmt_list *list)
{
	const struct stmt *last = list->n ? &list->item[list->n - 1] : NULL;

	if (!last || last->kind != STMT_VERDICT)
		return true;
	diag_error(l->diags, lexer_loc(l, l->begin), "nothing can follow the verdict; it must be the last step");
	return false;
}

static int parse_steps(struct lexer *l, bool is_action, struct stmt_list *ret_list)
{
	struct stmt_list list = {};
	int result = 0;

	for (;;) {
		struct stmt stmt = {};

		if (!check_last(l, &list))
			return -EINVAL;
		if (parse_step(l, is_action, &stmt) < 0) {
			result = -EINVAL;
			if (!lexer_skip_step(l))
				return result;
			continue;
		}
		list.item = arena_grow(l->arena, list.item, list.n, sizeof(*list.item));
		list.item[list.n++] = stmt;
		if (l->token == TOKEN_END)
			break;
		if (lexer_expect(l, TOKEN_SEMICOLON, "\";\" or the end") < 0)
			return -EINVAL;
	}
	*ret_list = list;
	return result;
}

int stmt_parse(struct arena *arena, const char *text, struct loc loc, bool is_action, struct diag_list *diags,
	       struct stmt_list *ret_list)
{
	struct lexer l;

	if (lexer_init(&l, arena, text, loc, NULL, diags) < 0)
		return -EINVAL;
	return parse_steps(&l, is_action, ret_list);
}

int stmt_parse_yaml(struct arena *arena, const struct yaml_node *node, bool is_action, struct diag_list *diags,
		    struct stmt_list *ret_list)
{
	struct lexer l;

	if (lexer_init(&l, arena, node->text, node->loc, node, diags) < 0)
		return -EINVAL;
	return parse_steps(&l, is_action, ret_list);
}

const char *stmt_word(const struct stmt *stmt)
{
	for (size_t i = 0; i < ARRAY_SIZE(step_words); i++)
		if (step_words[i].argument != ARGUMENT_PLANNED && step_words[i].kind == stmt->kind &&
		    (stmt->kind != STMT_VERDICT || step_words[i].verdict == stmt->verdict))
			return step_words[i].name;
	return "?";
}

/* Returns -ENOMEM when a part could not be rendered. */
static int render_step(const struct stmt *stmt, FILE *out)
{
	_cleanup_free_ char *value = stmt->value ? expr_render(stmt->value) : NULL;

	if (stmt->value && !value)
		return -ENOMEM;
	if (stmt->kind == STMT_ASSIGN)
		fprintf(out, "%s %s%s %s", stmt->lhs->name, stmt->op == EOP_NONE ? "" : expr_op_text(stmt->op), "=",
			value);
	else
		fputs(stmt_word(stmt), out);
	if (stmt->kind == STMT_PUSH_VLAN || stmt->kind == STMT_POP_VLAN)
		fputs("(vlan)", out);
	if (stmt->kind == STMT_VERDICT && stmt->verdict == VERDICT_OUTPUT)
		fprintf(out, "(%s)", value);
	if (stmt->kind == STMT_VERDICT && stmt->verdict == VERDICT_GOTO)
		fprintf(out, "(%s)", stmt->name);
	return 0;
}

char *stmt_render(const struct stmt_list *list)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; i < list->n && r == 0; i++) {
		if (i)
			fputs("; ", out);
		r = render_step(&list->item[i], out);
	}
	if (fclose(out) || r < 0) {
		free(text);
		return NULL;
	}
	return text;
}
