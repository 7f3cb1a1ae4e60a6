/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lexer.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "../common/arena.h"
#include "../common/cleanup.h"
#include "yaml.h"

/* clang-format off */
static const struct symbol {
	const char *text;
	enum token token;
	enum expr_op op;
} symbols[] = {                   /* Longer ones first. */
	{"==", TOKEN_OP, EOP_EQ}, {"!=", TOKEN_OP, EOP_NE}, {"<=", TOKEN_OP, EOP_LE}, {">=", TOKEN_OP, EOP_GE},
	{"<<", TOKEN_OP, EOP_SHL}, {">>", TOKEN_OP, EOP_SHR},
	{"+=", TOKEN_ASSIGN, EOP_ADD}, {"-=", TOKEN_ASSIGN, EOP_SUB},
	{"|=", TOKEN_ASSIGN, EOP_BOR}, {"&=", TOKEN_ASSIGN, EOP_BAND},
	{"<", TOKEN_OP, EOP_LT}, {">", TOKEN_OP, EOP_GT}, {"|", TOKEN_OP, EOP_BOR}, {"^", TOKEN_OP, EOP_BXOR},
	{"&", TOKEN_OP, EOP_BAND}, {"+", TOKEN_OP, EOP_ADD}, {"-", TOKEN_OP, EOP_SUB}, {"*", TOKEN_OP, EOP_MUL},
	{"/", TOKEN_OP, EOP_DIV}, {"%", TOKEN_OP, EOP_MOD}, {"~", TOKEN_OP, EOP_INV}, {"=", TOKEN_ASSIGN, EOP_NONE},
	{"(", TOKEN_OPEN, EOP_NONE}, {")", TOKEN_CLOSE, EOP_NONE}, {"[", TOKEN_OPEN_LIST, EOP_NONE},
	{"]", TOKEN_CLOSE_LIST, EOP_NONE}, {",", TOKEN_COMMA, EOP_NONE}, {";", TOKEN_SEMICOLON, EOP_NONE},
};

/* What people write who know other languages. */
static const struct { const char *text, *hint; } strangers[] = {
	{"&&", "write \"and\""}, {"||", "write \"or\""}, {"?", "there is no \"a ? b : c\": write two rules"},
	{"*=", "only = += -= |= &= assign"}, {"/=", "only = += -= |= &= assign"}, {"^=", "only = += -= |= &= assign"},
	{"%=", "only = += -= |= &= assign"}, {"++", "write \"+= 1\""}, {"--", "write \"-= 1\""},
};
/* clang-format on */

struct loc lexer_loc(const struct lexer *l, size_t offset)
{
	return l->node ? yaml_place(l->node, offset) : (struct loc){l->loc.line, l->loc.column + offset};
}

char *lexer_word(const struct lexer *l)
{
	return arena_strndup(l->arena, l->text + l->begin, l->end - l->begin);
}

bool lexer_is(const struct lexer *l, const char *name)
{
	return l->token == TOKEN_NAME && l->end - l->begin == strlen(name) &&
	       memcmp(l->text + l->begin, name, strlen(name)) == 0;
}

void lexer_error(struct lexer *l, const char *expected)
{
	struct loc loc = lexer_loc(l, l->begin);

	if (l->token == TOKEN_END)
		diag_error(l->diags, loc, "expected %s, but the text ends here%s", expected,
			   l->node && l->node->cut ? " (\" #\" begins a comment: quote the whole value)" : "");
	else if (l->token == TOKEN_ASSIGN && l->op == EOP_NONE)
		diag_error(l->diags, loc, "expected %s, but found \"=\" (to compare write \"==\")", expected);
	else
		diag_error(l->diags, loc, "expected %s, but found \"%s\"", expected, lexer_word(l));
}

int lexer_expect(struct lexer *l, enum token token, const char *what)
{
	if (l->token != token) {
		lexer_error(l, what);
		return -EINVAL;
	}
	return lexer_next(l);
}

bool lexer_skip_step(struct lexer *l)
{
	const char *semicolon = strchr(l->text + l->begin, ';');

	if (!semicolon)
		return false;
	l->end = semicolon - l->text + 1;
	return lexer_next(l) == 0 || lexer_skip_step(l);
}

static size_t word_len(const char *p)
{
	size_t n = 0;

	if (!isalpha((unsigned char)*p) && *p != '_')
		return 0;
	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	return n;
}

/* ip.src, connections.server.ip; and tcp-src.n, because tables may have "-" in their names: a "-" between
 * letters belongs to the name when ".word" follows, otherwise it subtracts. */
static size_t name_len(const char *p)
{
	size_t n = word_len(p), more;

	if (strncmp(p, "tc-ingress", 10) == 0 || strncmp(p, "tc-egress", 9) == 0)
		return p[3] == 'i' ? 10 : 9;
	for (more = n; n && p[more] == '-' && word_len(p + more + 1);)
		more += 1 + word_len(p + more + 1);
	if (more > n && p[more] == '.' && word_len(p + more + 1))
		n = more;
	while (n && p[n] == '.' && word_len(p + n + 1))
		n += 1 + word_len(p + n + 1);
	return n;
}

static int scan_symbol(struct lexer *l, const char *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++)
		if (strncmp(p, strangers[i].text, strlen(strangers[i].text)) == 0) {
			diag_error(l->diags, lexer_loc(l, l->begin), "\"%s\" is not an operator: %s", strangers[i].text,
				   strangers[i].hint);
			return -EINVAL;
		}
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
		if (strncmp(p, symbols[i].text, strlen(symbols[i].text)) == 0) {
			l->token = symbols[i].token;
			l->op = symbols[i].op;
			l->end = l->begin + strlen(symbols[i].text);
			return 0;
		}
	if (*p == '!')
		diag_error(l->diags, lexer_loc(l, l->begin), "\"!\" is not an operator: write \"not\"");
	else if (*p > ' ' && *p < 0x7f)
		diag_error(l->diags, lexer_loc(l, l->begin), "\"%c\" has no meaning here", *p);
	else
		diag_error(l->diags, lexer_loc(l, l->begin), "a character that has no meaning here");
	return -EINVAL;
}

int lexer_next(struct lexer *l)
{
	char error[LITERAL_ERROR_SIZE];
	const char *p;
	size_t len;
	int r;

	l->last_end = l->end;
	l->begin = l->end + strspn(l->text + l->end, " \t\r\n");
	l->end = l->begin;
	p = l->text + l->begin;
	l->token = TOKEN_END;
	l->op = EOP_NONE;
	if (!*p)
		return 0;
	r = literal_scan(p, &l->literal, &len, error);
	if (r == -EINVAL) {
		diag_error(l->diags, lexer_loc(l, l->begin), "%s", error);
		l->end = l->begin + len;
		return r;
	}
	if (r == 0) {
		l->token = TOKEN_LITERAL;
		l->end = l->begin + len;
		return 0;
	}
	len = name_len(p);
	if (!len)
		return scan_symbol(l, p);
	l->token = TOKEN_NAME;
	l->end = l->begin + len;
	return 0;
}

int lexer_init(struct lexer *l, struct arena *arena, const char *text, struct loc loc, const struct yaml_node *node,
	       struct diag_list *diags)
{
	*l = (struct lexer){.text = text, .loc = loc, .node = node, .arena = arena, .diags = diags};
	if (strlen(text) > EXPR_TEXT_MAX) {
		diag_error(diags, loc, "longer than %d characters", EXPR_TEXT_MAX);
		return -EINVAL;
	}
	return lexer_next(l);
}
