/* frame/expr_lex.h -- the tokens of an expression; for expr_*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_EXPR_LEX_H
#define LATHE_FRAME_EXPR_LEX_H

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

struct expr;

enum token_type {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_NAME, /* in backticks */
    TOKEN_TEXT, /* in quotes */
    TOKEN_NUMBER,
    TOKEN_SIGN
};

struct token {
    enum token_type type;
    size_t begin, end; /* bytes */
    struct str text;   /* as it was written; names and texts without quotes */
};

/* Starts zeroed but for e, whose text it reads and whose arena holds what was
 * in quotes, and err. */
struct lexer {
    struct expr *e;
    struct error *err;
    struct token now;
    size_t prev_end; /* of the token before now */
};

/* Read the next token into l->now. */
bool lex_next(struct lexer *l) MUST_USE;
bool lex_is_sign(const struct lexer *l, const char *sign);
/* Case does not count. */
bool lex_is_word(const struct lexer *l, const char *word);
#endif
