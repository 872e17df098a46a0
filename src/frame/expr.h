/* frame/expr.h -- the expression language: one evaluator for filters,
 * derived columns, queries and gates.
 *
 * Types: bool, int, float, text, date, timestamp; every value may be missing
 * and boolean logic is three-valued.  Operators by rising precedence:
 *   or   and   not   = == != <> < <= > >= in between is [not] null matches
 *   + -   * / // %   unary -   ^   ( ) call column 'text' 12 1.5 true null
 * A column name that is not a plain word is written `in backticks`; a dot
 * between letters belongs to the word (valid.auc).  Keywords and functions may
 * be written in capitals; "text" may stand for 'text', and a doubled quote
 * inside stands for itself.  In e'text' \\ \n \r \t and \x0a are escapes.
 *
 * What does not exist is missing: division by zero, an integer that leaves its
 * range, sqrt(-1), a text that cannot be cast.  So no row can stop a column.
 * x // y rounds down and x % y has the sign of y; / and ^ give floats.  bool
 * counts as 0 or 1 beside numbers.  A text literal beside a date or timestamp
 * is read as one; date - date is days, timestamp - timestamp seconds, and what
 * is added to them counts in the same units.  if() takes the last branch where
 * its condition is missing.
 *
 * Over other rows: f(x) over (a, b) is an aggregate of the rows that have the
 * same a and b, f(x) over () one of all: count, sum, mean, min, max, sd, median,
 * distinct, missing, share, first, last.  Along the rows of a group run
 *   row_number() lag(x, n) lead(x, n) cumsum(x) cummin(x) cummax(x) cummean(x)
 * over (a order by x, -y), -y being downwards; without `order by` as they stand,
 * without `over` through all rows.  rank(x) and dense_rank(x) go by x.  They
 * may stand anywhere in an expression and contain others.
 *
 * Functions of one row: expr_functions() lists them all.
 *
 * An error points at the character and names the nearest column:
 *   "character 5: no column 'tenur' (did you mean 'tenure'?)".
 * Bounds: 64 KiB of text, 10,000 parts, 200 levels, texts of 1 MiB, the limits
 * of base/regex for patterns (which must be literals): ERR_LIMIT.
 *
 * Threads: an expr is immutable after parsing; evaluation uses its own
 * scratch.  Cost: typed kernels over batches of 4,096 rows on the pool; what
 * depends on one text column alone is computed once for each entry of its
 * dictionary.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_EXPR_H
#define LATHE_FRAME_EXPR_H

#include "base/pool.h"
#include "frame/frame.h"

struct expr;
struct expr_function {
    const char *name, *usage, *help;
};

struct expr *expr_parse(struct str text, struct error *err) MUST_USE;
void expr_free(struct expr *e);
const char *expr_text(const struct expr *e); /* as it was written */
/* The type it would have over these columns; fails as expr_eval would. */
bool expr_check(const struct expr *e, const struct frame *f,
                enum col_type *type, struct error *err) MUST_USE;
/* One value a row. */
struct column *expr_eval(const struct expr *e, const struct frame *f,
                         struct pool *pool, struct error *err) MUST_USE;
/* Ids of the rows where it is true (not false, not missing), ascending; the
 * caller frees *rows. */
bool expr_where(const struct expr *e, const struct frame *f, struct pool *pool,
                uint32_t **rows, size_t *n, struct error *err) MUST_USE;
/* Does the value of a row depend on that row alone?  Only then may rows be left
 * out before it is evaluated. */
bool expr_is_rowwise(const struct expr *e);
/* Column names it reads, in order of appearance: up to max are stored,
 * borrowed from e; returns how many there are. */
size_t expr_columns(const struct expr *e, const char **names, size_t max);
const struct expr_function *expr_functions(size_t *n);

/* The first call of a function of other rows whose parts contain no other, for
 * those who compute it by other means: rows come in streams. */
struct expr_around {
    size_t begin, end; /* its bytes of expr_text() */
    bool aggregates;
    int kind;      /* enum aggregate_kind, or enum window_kind */
    int64_t shift; /* lag: rows back */
    size_t n_values, n_keys, n_order;
    char **text; /* expressions: of the value (0 or 1), keys, what orders */
    bool *descending; /* of what orders */
};
/* *found is false where there is none; the caller calls expr_around_fini, also
 * after a failure. */
bool expr_around_find(const struct expr *e, struct expr_around *out,
                      bool *found, struct error *err) MUST_USE;
void expr_around_fini(struct expr_around *a);
/* A column's name as an expression writes it, in backticks where it must. */
void expr_put_name(const char *name, struct buf *out);
/* The value of a row as a literal that is equal to it beside its column; null
 * when it is missing. */
void expr_put_value(const struct column *c, size_t row, struct buf *out);
/* Its text with another name for a column. */
void expr_rename(const struct expr *e, const char *from, const char *to,
                 struct buf *out);

/* Its tree, for those who say it in another language; borrowed from e. */
struct node;
enum expr_kind {
    EXPR_COLUMN,
    EXPR_NULL,
    EXPR_BOOL,
    EXPR_WHOLE,
    EXPR_REAL,
    EXPR_TEXT,
    EXPR_APPLY /* of an operator or a function to n nodes */
};
struct expr_part {
    enum expr_kind kind;
    struct str text;  /* a column's name, a text */
    int64_t whole;    /* EXPR_BOOL, EXPR_WHOLE */
    double real;      /* EXPR_REAL */
    const char *word; /* EXPR_APPLY: "+", "and", "is null", "if" ...; "-" of
                         one is the sign */
    size_t n;
};
const struct node *expr_root(const struct expr *e);
void expr_part_get(const struct node *n, struct expr_part *out);
/* What it is applied to, one after the other; NULL: there is none. */
const struct node *expr_first(const struct node *n);
const struct node *expr_next(const struct node *n);
#endif
