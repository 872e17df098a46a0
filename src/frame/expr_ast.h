/* frame/expr_ast.h -- the tree behind an expression; for expr_*.c alone.
 *
 * Nodes live in the arena of their expr and never change after parsing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_EXPR_AST_H
#define LATHE_FRAME_EXPR_AST_H

#include "base/arena.h"
#include "base/regex.h"
#include "frame/expr.h"

enum {
    EXPR_MAX_TEXT = 65536, /* bytes */
    EXPR_MAX_NODES = 10000,
    EXPR_MAX_DEPTH = 200 /* of the tree, and of the parser's recursion */
};

enum node_op {
    NODE_COLUMN,
    NODE_NULL,
    NODE_BOOL,
    NODE_INT,
    NODE_FLOAT,
    NODE_TEXT,
    NODE_OR,
    NODE_AND,
    NODE_NOT,
    NODE_EQ,
    NODE_NE,
    NODE_LT,
    NODE_LE,
    NODE_GT,
    NODE_GE,
    NODE_IN,
    NODE_BETWEEN,
    NODE_IS_NULL,
    NODE_MATCHES,
    NODE_ADD,
    NODE_SUB,
    NODE_MUL,
    NODE_DIV,
    NODE_FLOORDIV,
    NODE_MOD,
    NODE_NEG,
    NODE_POW,
    NODE_CALL
};

struct expr_fn;

struct node {
    enum node_op op;
    unsigned depth, n_kids;
    unsigned n_args, n_keys; /* NODE_CALL: kids are its arguments, then the
                                keys of over (...), then what orders rows */
    bool over;
    struct node *kid, *last, *next; /* first and last child; next sibling */
    size_t at;                      /* byte an error about it points at */
    size_t begin, end;              /* bytes of the text it was read from */
    struct str text;                /* NODE_COLUMN, NODE_TEXT */
    int64_t i;                      /* NODE_INT, NODE_BOOL */
    double f;                       /* NODE_FLOAT */
    const struct expr_fn *fn;       /* NODE_CALL */
    struct regex *regex;            /* a pattern; the expr frees it */
    struct node *next_regex;
};

struct expr {
    struct arena mem;
    char *text;
    size_t len;
    struct node *root;
    struct node *regexes; /* nodes that own one */
    const char **column;  /* names, each once */
    bool looks_around;    /* a function of other rows occurs */
    size_t n_columns;
};

/* Fill err with "column N: ", where N is the 1-based character at byte `at`;
 * returns false. */
bool expr_fail(const char *text, size_t len, size_t at, enum error_code code,
               struct error *err, const char *fmt, ...) PRINTF_LIKE(6, 7);
#endif
