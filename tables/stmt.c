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
enum argument {
	ARGUMENT_NONE,
	ARGUMENT_EXPR,
	ARGUMENT_NAME,
	ARGUMENT_HEADER,
	ARGUMENT_TEMPLATE,
	ARGUMENT_TEMPLATE_PORT,
	ARGUMENT_PLANNED,
};

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
	{"goto", STMT_VERDICT, VERDICT_GOTO, ARGUMENT_NAME},
	{"push", STMT_PUSH_VLAN, 0, ARGUMENT_HEADER},
	{"pop", STMT_POP_VLAN, 0, ARGUMENT_HEADER},
	{"notify", STMT_NOTIFY, 0, ARGUMENT_NONE},
	{"controller", STMT_CONTROLLER, 0, ARGUMENT_NONE},
	{"next_segment", STMT_NEXT_SEGMENT, 0, ARGUMENT_NONE},
	{"mirror", STMT_MIRROR, 0, ARGUMENT_EXPR},
	{"become", STMT_BECOME, 0, ARGUMENT_TEMPLATE},
	{"emit", STMT_EMIT, 0, ARGUMENT_TEMPLATE_PORT},
	{"route", STMT_VERDICT, VERDICT_ROUTE, ARGUMENT_NONE},
	{"group", STMT_VERDICT, VERDICT_GROUP, ARGUMENT_NAME},
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
static int parse_name(struct lexer *l, struct stmt *stmt)
{
	size_t len = strspn(l->text + l->begin, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	if (!len) {
		lexer_error(l, stmt->verdict == VERDICT_GROUP ? "the name of a group" : "the name of a table");
		return -EINVAL;
	}
	stmt->name = arena_strndup(l->arena, l->text + l->begin, len);
	stmt->loc = lexer_loc(l, l->begin);
	l->end = l->begin + len;
	return lexer_next(l);
}

static const char *const push_names[PUSH_MAX] = {"mpls", "ipip", "vxlan", "srv6", "srh"};

const char *stmt_header_name(enum push_header header)
{
	return push_names[header];
}

/* ", 4" or ", 6" behind ipip and vxlan. */
static int parse_family(struct lexer *l, struct stmt *stmt)
{
	stmt->family = 4;
	if (l->token != TOKEN_COMMA)
		return 0;
	if (lexer_next(l) < 0)
		return -EINVAL;
	if (strcmp(lexer_word(l), "4") != 0 && strcmp(lexer_word(l), "6") != 0) {
		lexer_error(l, "4 or 6, the family of the outer IP header");
		return -EINVAL;
	}
	stmt->family = strcmp(lexer_word(l), "4") == 0 ? 4 : 6;
	return lexer_next(l);
}

/* ", address" once or more: each becomes a step of its own before the push. */
static int parse_segments(struct lexer *l, struct stmt *stmt, struct stmt_list *list)
{
	stmt->family = 6;
	while (l->token == TOKEN_COMMA) {
		struct stmt segment = {.kind = STMT_SEGMENT, .implicit = true};

		if (lexer_next(l) < 0)
			return -EINVAL;
		segment.loc = lexer_loc(l, l->begin);
		segment.value = expr_parse_tokens(l);
		if (!segment.value)
			return -EINVAL;
		list->item = arena_grow(l->arena, list->item, list->n, sizeof(*list->item));
		list->item[list->n++] = segment;
		stmt->target++;
	}
	for (unsigned i = 1; i <= stmt->target; i++)
		list->item[list->n - i].target = stmt->target;
	if (stmt->target)
		return 0;
	lexer_error(l, "\",\" and the segments in the order of the path");
	return -EINVAL;
}

static int parse_header(struct lexer *l, struct stmt *stmt, struct stmt_list *list)
{
	bool is_push = stmt->kind == STMT_PUSH_VLAN;

	if (l->token != TOKEN_NAME) {
		lexer_error(l, "the name of a header");
		return -EINVAL;
	}
	if (lexer_is(l, "vlan"))
		return lexer_next(l);
	for (stmt->header = 0; stmt->header < PUSH_MAX && !lexer_is(l, push_names[stmt->header]);)
		stmt->header++;
	if (stmt->header == PUSH_MAX) {
		diag_error(l->diags, lexer_loc(l, l->begin),
			   "\"%s\" cannot be pushed or popped, only vlan, mpls, ipip, vxlan, srv6 and srh",
			   lexer_word(l));
		return -EINVAL;
	}
	stmt->kind = is_push ? STMT_PUSH : STMT_POP;
	if (lexer_next(l) < 0)
		return -EINVAL;
	if (is_push && (stmt->header == PUSH_IPIP || stmt->header == PUSH_VXLAN))
		return parse_family(l, stmt);
	return is_push && (stmt->header == PUSH_SRV6 || stmt->header == PUSH_SRH) ? parse_segments(l, stmt, list) : 0;
}

static int parse_template(struct lexer *l, const struct step_word *word, struct stmt *stmt)
{
	if (l->token != TOKEN_NAME) {
		lexer_error(l, "the name of a template");
		return -EINVAL;
	}
	stmt->name = lexer_word(l);
	if (lexer_next(l) < 0)
		return -EINVAL;
	if (word->argument == ARGUMENT_TEMPLATE)
		return 0;
	if (lexer_expect(l, TOKEN_COMMA, "\",\" and a port") < 0)
		return -EINVAL;
	stmt->value = expr_parse_tokens(l);
	return stmt->value ? 0 : -EINVAL;
}

static int parse_argument(struct lexer *l, const struct step_word *word, struct stmt *stmt, struct stmt_list *list)
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
	if (word->argument == ARGUMENT_NAME && parse_name(l, stmt) < 0)
		return -EINVAL;
	if (word->argument == ARGUMENT_HEADER && parse_header(l, stmt, list) < 0)
		return -EINVAL;
	if ((word->argument == ARGUMENT_TEMPLATE || word->argument == ARGUMENT_TEMPLATE_PORT) &&
	    parse_template(l, word, stmt) < 0)
		return -EINVAL;
	if (word->argument == ARGUMENT_EXPR) {
		stmt->value = expr_parse_tokens(l);
		if (!stmt->value)
			return -EINVAL;
	}
	return lexer_expect(l, TOKEN_CLOSE, "\")\"");
}

static int parse_step_word(struct lexer *l, const struct step_word *word, bool is_action, struct stmt *stmt,
			   struct stmt_list *list)
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
	return parse_argument(l, word, stmt, list);
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

static int parse_step(struct lexer *l, bool is_action, struct stmt *stmt, struct stmt_list *list)
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
		return parse_step_word(l, word, is_action, stmt, list);
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
		if (parse_step(l, is_action, &stmt, &list) < 0) {
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
	if (stmt->kind == STMT_PUSH || stmt->kind == STMT_POP)
		return stmt->kind == STMT_PUSH ? "push" : "pop";
	for (size_t i = 0; i < ARRAY_SIZE(step_words); i++)
		if (step_words[i].argument != ARGUMENT_PLANNED && step_words[i].kind == stmt->kind &&
		    (stmt->kind != STMT_VERDICT || step_words[i].verdict == stmt->verdict))
			return step_words[i].name;
	return "?";
}

static int render_expr(const char *before, const struct expr *expr, FILE *out)
{
	_cleanup_free_ char *text = expr_render(expr);

	if (!text)
		return -ENOMEM;
	fprintf(out, "%s%s", before, text);
	return 0;
}

/* What stands in the parentheses of push() and pop(). */
static int render_header(const struct stmt_list *list, size_t i, FILE *out)
{
	const struct stmt *stmt = &list->item[i];
	int r = 0;

	fprintf(out, "(%s", push_names[stmt->header]);
	if (stmt->kind == STMT_PUSH && stmt->family == 6 && (stmt->header == PUSH_IPIP || stmt->header == PUSH_VXLAN))
		fputs(", 6", out);
	for (size_t s = i - (i < stmt->target ? i : stmt->target); r == 0 && s < i; s++)
		r = render_expr(", ", list->item[s].value, out);
	fputc(')', out);
	return r;
}

static int render_argument(const struct stmt_list *list, size_t i, FILE *out)
{
	const struct stmt *stmt = &list->item[i];
	int r = 0;

	switch (stmt->kind) {
	case STMT_PUSH_VLAN:
	case STMT_POP_VLAN: fputs("(vlan)", out); return 0;
	case STMT_PUSH:
	case STMT_POP: return render_header(list, i, out);
	case STMT_BECOME: fprintf(out, "(%s)", stmt->name); return 0;
	case STMT_EMIT: fprintf(out, "(%s, ", stmt->name); break;
	case STMT_VERDICT:
		if (stmt->verdict == VERDICT_GOTO || stmt->verdict == VERDICT_GROUP)
			fprintf(out, "(%s)", stmt->name);
		if (stmt->verdict != VERDICT_OUTPUT)
			return 0;
		fputc('(', out);
		break;
	case STMT_MIRROR: fputc('(', out); break;
	default: return 0;
	}
	r = render_expr("", stmt->value, out);
	fputc(')', out);
	return r;
}

/* Returns -ENOMEM when a part could not be rendered. */
static int render_step(const struct stmt_list *list, size_t i, FILE *out)
{
	const struct stmt *stmt = &list->item[i];

	if (stmt->kind == STMT_ASSIGN) {
		fprintf(out, "%s %s%s", stmt->lhs->name, stmt->op == EOP_NONE ? "" : expr_op_text(stmt->op), "=");
		return render_expr(" ", stmt->value, out);
	}
	fputs(stmt_word(stmt), out);
	return render_argument(list, i, out);
}

static char *render(const struct stmt_list *list, bool implicit)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool begun = false;
	int r = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; i < list->n && r == 0; i++) {
		if (list->item[i].implicit && !implicit)
			continue;
		fputs(begun ? "; " : "", out);
		begun = true;
		r = render_step(list, i, out);
	}
	if (fclose(out) || r < 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *stmt_render(const struct stmt_list *list)
{
	return render(list, false);
}

char *stmt_render_all(const struct stmt_list *list)
{
	return render(list, true);
}
