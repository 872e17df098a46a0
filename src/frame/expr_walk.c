/* The parts of an expression, for those who say it in another language.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/expr_plan.h"

const struct node *
expr_root(const struct expr *e)
{
    return e->root;
}

const struct node *
expr_first(const struct node *n)
{
    return n->kid;
}

const struct node *
expr_next(const struct node *n)
{
    return n->next;
}

static const char *
word_of(const struct node *n)
{
    static const char *const words[] = {[NODE_OR] = "or",
                                        [NODE_AND] = "and",
                                        [NODE_NOT] = "not",
                                        [NODE_EQ] = "=",
                                        [NODE_NE] = "!=",
                                        [NODE_LT] = "<",
                                        [NODE_LE] = "<=",
                                        [NODE_GT] = ">",
                                        [NODE_GE] = ">=",
                                        [NODE_IN] = "in",
                                        [NODE_BETWEEN] = "between",
                                        [NODE_IS_NULL] = "is null",
                                        [NODE_MATCHES] = "matches",
                                        [NODE_ADD] = "+",
                                        [NODE_SUB] = "-",
                                        [NODE_MUL] = "*",
                                        [NODE_DIV] = "/",
                                        [NODE_FLOORDIV] = "//",
                                        [NODE_MOD] = "%",
                                        [NODE_NEG] = "-",
                                        [NODE_POW] = "^"};

    return n->op == NODE_CALL ? expr_fn_name(n->fn) : words[n->op];
}

void
expr_part_get(const struct node *n, struct expr_part *out)
{
    static const enum expr_kind kinds[] = {
        [NODE_COLUMN] = EXPR_COLUMN, [NODE_NULL] = EXPR_NULL,
        [NODE_BOOL] = EXPR_BOOL,     [NODE_INT] = EXPR_WHOLE,
        [NODE_FLOAT] = EXPR_REAL,    [NODE_TEXT] = EXPR_TEXT};
    bool leaf = n->op <= NODE_TEXT;

    *out = (struct expr_part){.kind = leaf ? kinds[n->op] : EXPR_APPLY,
                              .text = n->text,
                              .whole = n->i,
                              .real = n->f,
                              .word = leaf ? NULL : word_of(n),
                              .n = n->n_kids};
}
