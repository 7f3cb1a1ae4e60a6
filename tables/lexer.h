/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lexer - the words of expressions and statements; used by expr.c and stmt.c only. */
#ifndef MEALY_LEXER_H
#define MEALY_LEXER_H

#include "expr.h"
#include "literal.h"

enum token {
	TOKEN_END,
	TOKEN_LITERAL,
	TOKEN_NAME,   /* Also and, or, not, in. */
	TOKEN_OP,     /* 'op' */
	TOKEN_ASSIGN, /* = += -= |= &=; 'op' is EOP_NONE for "=". */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_OPEN_LIST,
	TOKEN_CLOSE_LIST,
	TOKEN_COMMA,
	TOKEN_SEMICOLON,
};

struct lexer {
	const char *text;
	struct loc loc;		      /* Of the first character. */
	const struct yaml_node *node; /* For exact places; may be NULL. */
	struct arena *arena;
	struct diag_list *diags;
	unsigned depth;
	/* The token at hand. */
	enum token token;
	enum expr_op op;
	struct literal literal;
	size_t begin, end; /* Offsets into 'text'. */
	size_t last_end;   /* Where the token before ended. */
};

/* Begins to read 'text' and takes the first token.  Returns 0 or -EINVAL (reported). */
int lexer_init(struct lexer *l, struct arena *arena, const char *text, struct loc loc, const struct yaml_node *node,
	       struct diag_list *diags);

/* Goes to the next token: 0, or -EINVAL (reported). */
int lexer_next(struct lexer *l);

/* Is the token at hand the word 'name'? */
bool lexer_is(const struct lexer *l, const char *name);

/* Takes a token of kind 'token' or says that 'what' was expected. */
int lexer_expect(struct lexer *l, enum token token, const char *what);

/* Goes behind the next ";" that can be found, after a mistake.  False at the end. */
bool lexer_skip_step(struct lexer *l);

char *lexer_word(const struct lexer *l); /* The text of the token at hand. */
struct loc lexer_loc(const struct lexer *l, size_t offset);
void lexer_error(struct lexer *l, const char *expected);

/* An expression from the token at hand on; NULL (reported). */
struct expr *expr_parse_tokens(struct lexer *l);

#endif
