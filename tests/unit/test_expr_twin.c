/* The expression engine beside a twin that does one value at a time.
 *
 * Random trees are written as text for the engine and walked here for each
 * row, by the rules of frame/expr.h: missing spreads, logic is three-valued,
 * what does not exist is missing.  Two batches of rows, so that their seam is
 * crossed.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/builder.h"
#include "frame/expr.h"

enum { N_ROWS = 4500, N_TREES = 600, MAX_NODES = 64, MAX_KIDS = 3 };

static const char *const names[] = {"i", "j", "x", "y", "p", "q", "s", "t"};
static const enum col_type types[] = {COL_INT64,   COL_INT64, COL_FLOAT64,
                                      COL_FLOAT64, COL_BOOL,  COL_BOOL,
                                      COL_TEXT,    COL_TEXT};
enum { N_COLS = 8 };

enum kind { BOOL, INT, FLOAT, TEXT };

struct value {
    bool there;
    int64_t i; /* BOOL, INT */
    double f;
    struct str s;
};

enum op {
    COLUMN,
    LITERAL,
    ADD,
    SUB,
    MUL,
    DIV,
    FLOORDIV,
    MOD,
    NEG,
    LT,
    EQ,
    GE,
    AND,
    OR,
    NOT,
    IS_NULL,
    BETWEEN,
    IF,
    COALESCE,
    LEAST,
    ABS,
    LENGTH,
    CONTAINS
};

struct tree {
    enum op op;
    enum kind kind;
    size_t col;
    struct value literal;
    struct tree *kid[MAX_KIDS];
};

struct maker {
    struct tree tree[MAX_NODES];
    size_t n;
    uint64_t stream, draws;
};

static uint64_t
draw(struct maker *m, uint64_t n)
{
    return rng_below(4, m->stream, m->draws++, n);
}

/* ---- the table ------------------------------------------------------- */

static struct frame *
table(void)
{
    static const char *const words[] = {"", "a", "ab", "b", "\xc3\xa9", "aa"};
    struct error err = {0};
    struct builder *b = builder_new(N_COLS, names, types, &err);
    bool ok = b;

    for (size_t r = 0; ok && r < N_ROWS; r++) {
        for (size_t c = 0; ok && c < N_COLS; c++) {
            uint64_t v = rng_below(8, c, r, 12);

            if (rng_below(9, c, r, 6) == 0)
                continue;
            if (types[c] == COL_TEXT)
                ok = builder_text(b, c, str_of(words[v % 6]), &err);
            else if (types[c] == COL_FLOAT64)
                ok = builder_f64(b, c, v == 11 ? NAN : ((double)v - 5) / 2,
                                 &err);
            else if (types[c] == COL_BOOL)
                ok = builder_i64(b, c, v % 2, &err);
            else
                ok = builder_i64(b, c,
                                 v == 11   ? INT64_MAX
                                 : v == 10 ? INT64_MIN
                                           : (int64_t)v - 4,
                                 &err);
        }
        ok = ok && builder_end_row(b, &err);
    }
    assert_true(ok);
    return builder_finish(b, &err);
}

/* ---- trees ----------------------------------------------------------- */

static struct tree *make(struct maker *m, enum kind kind, unsigned depth);

static struct tree *
leaf(struct maker *m, enum kind kind)
{
    struct tree *t = &m->tree[m->n++];

    t->kind = kind;
    t->op = draw(m, 3) ? COLUMN : LITERAL;
    t->col = (kind == INT     ? 0
              : kind == FLOAT ? 2
              : kind == BOOL  ? 4
                              : 6) +
             draw(m, 2);
    t->literal.there = draw(m, 5) > 0 || kind != BOOL;
    t->literal.i = kind == BOOL ? (int64_t)draw(m, 2) : (int64_t)draw(m, 5);
    t->literal.f = (double)draw(m, 7) / 4;
    t->literal.s = draw(m, 2) ? STR("a") : STR("ab");
    return t;
}

static struct tree *
node(struct maker *m, enum op op, enum kind kind, enum kind of, unsigned n,
     unsigned depth)
{
    struct tree *t = &m->tree[m->n++];

    t->op = op;
    t->kind = kind;
    for (unsigned k = 0; k < n; k++)
        t->kid[k] = make(m, of, depth + 1);
    return t;
}

static struct tree *
make_bool(struct maker *m, unsigned depth)
{
    static const enum kind any[] = {INT, FLOAT, TEXT};
    static const enum op compares[] = {LT, EQ, GE};

    switch (draw(m, 7)) {
    case 0:
        return node(m, AND, BOOL, BOOL, 2, depth);
    case 1:
        return node(m, OR, BOOL, BOOL, 2, depth);
    case 2:
        return node(m, NOT, BOOL, BOOL, 1, depth);
    case 3:
        return node(m, IS_NULL, BOOL, any[draw(m, 3)], 1, depth);
    case 4:
        return node(m, BETWEEN, BOOL, any[draw(m, 3)], 3, depth);
    case 5:
        return node(m, CONTAINS, BOOL, TEXT, 2, depth);
    default:
        return node(m, compares[draw(m, 3)], BOOL, any[draw(m, 3)], 2, depth);
    }
}

static struct tree *
make_choice(struct maker *m, enum kind kind, unsigned depth)
{
    struct tree *t;

    switch (draw(m, 3)) {
    case 0:
        t = node(m, IF, kind, BOOL, 1, depth);
        t->kid[1] = make(m, kind, depth + 1);
        t->kid[2] = make(m, kind, depth + 1);
        return t;
    case 1:
        return node(m, COALESCE, kind, kind, 2, depth);
    default:
        return node(m, LEAST, kind, kind, 2, depth);
    }
}

static struct tree *
make_number(struct maker *m, enum kind kind, unsigned depth)
{
    static const enum op ints[] = {ADD, SUB, MUL, FLOORDIV, MOD};
    static const enum op floats[] = {ADD, SUB, MUL, DIV, MOD};

    switch (draw(m, 6)) {
    case 0:
        return make_choice(m, kind, depth);
    case 1:
        return node(m, NEG, kind, kind, 1, depth);
    case 2:
        return kind == INT && draw(m, 2) ? node(m, LENGTH, INT, TEXT, 1, depth)
                                         : node(m, ABS, kind, kind, 1, depth);
    default:
        return node(m, kind == INT ? ints[draw(m, 5)] : floats[draw(m, 5)],
                    kind, kind, 2, depth);
    }
}

static struct tree *
make(struct maker *m, enum kind kind, unsigned depth)
{
    if (depth >= 4 || m->n + 8 * MAX_KIDS > MAX_NODES || draw(m, 5) == 0)
        return leaf(m, kind);
    if (kind == BOOL)
        return make_bool(m, depth);
    if (kind == TEXT)
        return make_choice(m, TEXT, depth);
    return make_number(m, kind, depth);
}

/* ---- as text --------------------------------------------------------- */

static void
write_literal(const struct tree *t, struct buf *out)
{
    if (!t->literal.there)
        buf_puts(out, "bool(null)");
    else if (t->kind == BOOL)
        buf_puts(out, t->literal.i ? "true" : "false");
    else if (t->kind == INT)
        buf_printf(out, "%d", (int)t->literal.i);
    else if (t->kind == FLOAT)
        buf_printf(out, "%.2f", t->literal.f);
    else
        buf_printf(out, "'%.*s'", (int)t->literal.s.n, t->literal.s.p);
}

static void
write_tree(const struct tree *t, struct buf *out)
{
    static const char *const shapes[] = {
        [ADD] = "(# + #)",
        [SUB] = "(# - #)",
        [MUL] = "(# * #)",
        [DIV] = "(# / #)",
        [FLOORDIV] = "(# // #)",
        [MOD] = "(# % #)",
        [NEG] = "(- #)",
        [LT] = "(# < #)",
        [EQ] = "(# = #)",
        [GE] = "(# >= #)",
        [AND] = "(# and #)",
        [OR] = "(# or #)",
        [NOT] = "(not #)",
        [IS_NULL] = "(# is null)",
        [BETWEEN] = "(# between # and #)",
        [IF] = "if(#, #, #)",
        [COALESCE] = "coalesce(#, #)",
        [LEAST] = "min(#, #)",
        [ABS] = "abs(#)",
        [LENGTH] = "length(#)",
        [CONTAINS] = "contains(#, #)",
    };
    size_t k = 0;

    if (t->op == COLUMN) {
        buf_puts(out, names[t->col]);
    } else if (t->op == LITERAL) {
        write_literal(t, out);
    } else {
        for (const char *p = shapes[t->op]; *p; p++)
            if (*p == '#')
                write_tree(t->kid[k++], out);
            else
                buf_putc(out, *p);
    }
}

/* ---- the twin -------------------------------------------------------- */

static const struct value missing = {0};

static struct value
truth(bool x)
{
    return (struct value){.there = true, .i = x};
}

static struct value
whole(__int128_t x)
{
    return x < INT64_MIN || x > INT64_MAX
               ? missing
               : (struct value){.there = true, .i = (int64_t)x};
}

static struct value
real(double x)
{
    return (struct value){.there = true, .f = x};
}

static struct value
load(const struct frame *f, const struct tree *t, size_t row)
{
    const struct column *c = frame_column(f, t->col);
    struct value v = {.there = column_is_valid(c, row)};

    if (!v.there)
        return v;
    if (t->kind == INT)
        v.i = column_int64s(c)[row];
    else if (t->kind == BOOL)
        v.i = column_bools(c)[row];
    else if (t->kind == FLOAT)
        v.f = column_float64s(c)[row];
    else
        v.s = column_text(c, row);
    return v;
}

static struct value
int_arithmetic(enum op op, __int128_t a, __int128_t b)
{
    __int128_t q;

    switch (op) {
    case ADD:
        return whole(a + b);
    case SUB:
        return whole(a - b);
    case MUL: /* INT64_MIN as a product is given up */
        return a * b == INT64_MIN && !(a >= INT32_MIN && a <= INT32_MAX &&
                                       b >= INT32_MIN && b <= INT32_MAX)
                   ? missing
                   : whole(a * b);
    default:
        break;
    }
    if (b == 0)
        return missing;
    q = a / b - (a % b != 0 && (a < 0) != (b < 0));
    return op == FLOORDIV ? whole(q) : whole(a - q * b);
}

static struct value
float_arithmetic(enum op op, double a, double b)
{
    double r;

    switch (op) {
    case ADD:
        return real(a + b);
    case SUB:
        return real(a - b);
    case MUL:
        return real(a * b);
    default:
        break;
    }
    if (b == 0)
        return missing;
    if (op == DIV)
        return real(a / b);
    r = fmod(a, b);
    return real(r != 0 && (r < 0) != (b < 0) ? r + b : r);
}

/* -1, 0, 1, or 2 where NaN is one of them. */
static int
order(enum kind kind, struct value a, struct value b)
{
    if (kind == TEXT)
        return str_cmp(a.s, b.s) < 0 ? -1 : !str_eq(a.s, b.s);
    if (kind == FLOAT)
        return isnan(a.f) || isnan(b.f) ? 2 : (a.f > b.f) - (a.f < b.f);
    return (a.i > b.i) - (a.i < b.i);
}

static struct value
compare(enum op op, enum kind kind, struct value a, struct value b)
{
    int c = order(kind, a, b);

    if (!a.there || !b.there)
        return missing;
    return truth(op == LT ? c == -1 : op == EQ ? c == 0 : c == 0 || c == 1);
}

static struct value
both(struct value a, struct value b)
{
    if ((a.there && !a.i) || (b.there && !b.i))
        return truth(false);
    return a.there && b.there ? truth(true) : missing;
}

static struct value
walk(const struct frame *f, const struct tree *t, size_t row);

static struct value
walk_one(const struct tree *t, struct value a)
{
    if (t->op == IS_NULL)
        return truth(!a.there);
    if (!a.there)
        return missing;
    if (t->op == NOT)
        return truth(!a.i);
    if (t->op == LENGTH) {
        size_t n = 0;

        for (size_t i = 0; i < a.s.n; i++)
            n += ((unsigned char)a.s.p[i] & 0xc0) != 0x80;
        return whole((__int128_t)n);
    }
    if (t->kind == FLOAT)
        return real(t->op == NEG ? -a.f : fabs(a.f));
    return whole(t->op == NEG || a.i < 0 ? -(__int128_t)a.i : a.i);
}

static struct value
walk_two(const struct tree *t, struct value a, struct value b)
{
    enum kind kind = t->kid[0]->kind;
    struct value x;

    switch (t->op) {
    case AND:
        return both(a, b);
    case OR: /* de Morgan */
        x = both(a.there ? truth(!a.i) : a, b.there ? truth(!b.i) : b);
        return x.there ? truth(!x.i) : x;
    case LT:
    case EQ:
    case GE:
        return compare(t->op, kind, a, b);
    case COALESCE:
        return a.there ? a : b;
    default:
        break;
    }
    if (!a.there || !b.there)
        return missing;
    if (t->op == LEAST)
        return order(kind, b, a) == -1 ? b : a;
    if (t->op == CONTAINS)
        return truth(!b.s.n || (a.s.n && memmem(a.s.p, a.s.n, b.s.p, b.s.n)));
    return kind == INT ? int_arithmetic(t->op, a.i, b.i)
                       : float_arithmetic(t->op, a.f, b.f);
}

static struct value
walk(const struct frame *f, const struct tree *t, size_t row)
{
    struct value kid[MAX_KIDS] = {{0}};

    if (t->op == COLUMN)
        return load(f, t, row);
    if (t->op == LITERAL)
        return t->literal;
    for (size_t k = 0; k < MAX_KIDS && t->kid[k]; k++)
        kid[k] = walk(f, t->kid[k], row);
    if (t->op == IF)
        return kid[0].there && kid[0].i ? kid[1] : kid[2];
    if (t->op == BETWEEN)
        return both(compare(GE, t->kid[0]->kind, kid[0], kid[1]),
                    compare(GE, t->kid[0]->kind, kid[2], kid[0]));
    return t->kid[1] ? walk_two(t, kid[0], kid[1]) : walk_one(t, kid[0]);
}

/* ---- both ------------------------------------------------------------ */

static bool
agree(const struct column *c, enum kind kind, struct value v, size_t row)
{
    if (column_is_valid(c, row) != v.there)
        return false;
    if (!v.there)
        return true;
    if (kind == INT)
        return column_int64s(c)[row] == v.i;
    if (kind == BOOL)
        return column_bools(c)[row] == v.i;
    if (kind == TEXT)
        return str_eq(column_text(c, row), v.s);
    return column_float64s(c)[row] == v.f ||
           (isnan(column_float64s(c)[row]) && isnan(v.f));
}

static void
check(const struct frame *f, uint64_t stream, struct pool *pool)
{
    static const enum kind kinds[] = {BOOL, INT, FLOAT, TEXT};
    struct maker *m = mem_new(sizeof *m);
    struct error err = {0};
    struct tree *t;
    struct column *c = NULL;
    struct expr *e;
    struct buf text;

    m->stream = stream;
    t = make(m, kinds[stream % 4], 0);
    buf_init(&text);
    write_tree(t, &text);
    if (!(e = expr_parse((struct str){text.data, text.len}, &err)) ||
        !(c = expr_eval(e, f, pool, &err)))
        fail_msg("%s: %s", text.data, err.message);
    for (size_t row = 0; row < N_ROWS; row++)
        if (!agree(c, t->kind, walk(f, t, row), row))
            fail_msg("%s: row %zu differs", text.data, row);
    column_unref(c);
    expr_free(e);
    buf_fini(&text);
    free(m);
}

static void
test_random_expressions_agree_with_a_walk_of_their_tree(void **state)
{
    struct frame *f = table();
    struct pool *pool = pool_new(2);

    (void)state;
    for (uint64_t i = 0; i < N_TREES; i++)
        check(f, i, i % 2 ? pool : NULL);
    pool_free(pool);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_random_expressions_agree_with_a_walk_of_their_tree),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
