/* engine/port/portable_expr.c -- derived columns as a graph.
 *
 * Every value is one number, NaN where it is missing; truth is 0 or 1.  Each
 * operator is said by others such that it is missing where frame/expr_kernel.c
 * has it so.  Whole numbers are exact up to 2^53, and none leaves its range; a
 * number that is none, as inf - inf, is not told from one that is missing.
 * What has no counterpart -- texts, dates -- is said by no node: the column is
 * an input.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/portable_steps.h"

enum {
    MAX_NODES = 4096, /* of one column */
    SMALL = 16        /* whole exponents that are products */
};

/* The nodes that a column is made of. */
struct saying {
    struct stepping *s; /* NULL: can it be said? */
    const struct prepare *from;
    const bool *said; /* of the derived columns before it */
    size_t which;
    uint32_t flag; /* a node that is never missing */
    uint32_t none; /* one that always is, or UINT32_MAX */
    size_t n;
    bool can, ok;
    struct error *err;
};

/* ---- nodes ---- */

static uint32_t
put(struct saying *w, const struct graph_node *n)
{
    uint32_t id = 0;

    w->can = w->can && w->n++ < MAX_NODES;
    w->ok = w->ok && (!w->s || graph_add(w->s->g, n, &id, w->err));
    return id;
}

static uint32_t
of_one(struct saying *w, enum graph_op op, uint32_t x, double c)
{
    return put(w, &(struct graph_node){
                      .op = op, .width = 1, .n_in = 1, .in = &x, .c = c});
}

static uint32_t
of_two(struct saying *w, enum graph_op op, uint32_t x, uint32_t y)
{
    uint32_t in[2] = {x, y};

    return put(w,
               &(struct graph_node){.op = op, .width = 1, .n_in = 2, .in = in});
}

static uint32_t
where(struct saying *w, uint32_t flag, uint32_t yes, uint32_t no)
{
    uint32_t in[3] = {flag, yes, no};

    return put(w, &(struct graph_node){
                      .op = GRAPH_WHERE, .width = 1, .n_in = 3, .in = in});
}

/* (x - a) b */
static uint32_t
scaled(struct saying *w, uint32_t x, double a, double b)
{
    return put(w, &(struct graph_node){.op = GRAPH_SCALE,
                                       .width = 1,
                                       .n_in = 1,
                                       .in = &x,
                                       .n_a = 1,
                                       .a = &a,
                                       .n_b = 1,
                                       .b = &b});
}

static uint32_t
filled(struct saying *w, uint32_t x, double with)
{
    return put(w, &(struct graph_node){.op = GRAPH_FILL,
                                       .width = 1,
                                       .n_in = 1,
                                       .in = &x,
                                       .n_a = 1,
                                       .a = &with});
}

static uint32_t
number(struct saying *w, double v)
{
    double none = 0;

    w->can = w->can && isfinite(v);
    return put(w, &(struct graph_node){.op = GRAPH_DENSE,
                                       .width = 1,
                                       .n_in = 1,
                                       .in = &w->flag,
                                       .n_a = 1,
                                       .a = &none,
                                       .n_b = 1,
                                       .b = &v});
}

/* No node holds a number that is none: it is computed. */
static uint32_t
nothing(struct saying *w)
{
    if (w->none == UINT32_MAX)
        w->none = of_one(w, GRAPH_SQRT, number(w, -1), 0);
    return w->none;
}

static uint32_t
minus(struct saying *w, uint32_t x)
{
    return scaled(w, x, 0, -1);
}

/* 1 where x > c, else 0, also where it is missing. */
static uint32_t
over(struct saying *w, uint32_t x, double c)
{
    return of_one(w, GRAPH_STEP, x, c);
}

static uint32_t
under(struct saying *w, uint32_t x, double c)
{
    return over(w, minus(w, x), -c);
}

static uint32_t
missing(struct saying *w, uint32_t x)
{
    return of_one(w, GRAPH_MISSING, x, 0);
}

/* x, but missing where the flag is set. */
static uint32_t
without(struct saying *w, uint32_t flag, uint32_t x)
{
    return where(w, flag, nothing(w), x);
}

static uint32_t
without_either(struct saying *w, uint32_t x, uint32_t y, uint32_t of)
{
    return without(w, of_two(w, GRAPH_OR, missing(w, x), missing(w, y)), of);
}

/* ---- operators ---- */

typedef uint32_t pair_fn(struct saying *w, uint32_t x, uint32_t y);

static uint32_t
say_add(struct saying *w, uint32_t x, uint32_t y)
{
    return of_two(w, GRAPH_ADD, x, y);
}

static uint32_t
say_sub(struct saying *w, uint32_t x, uint32_t y)
{
    return of_two(w, GRAPH_SUB, x, y);
}

static uint32_t
say_mul(struct saying *w, uint32_t x, uint32_t y)
{
    return of_two(w, GRAPH_MUL, x, y);
}

/* Nothing is divided by 0. */
static uint32_t
say_div(struct saying *w, uint32_t x, uint32_t y)
{
    return where(w, y, of_two(w, GRAPH_DIV, x, y), nothing(w));
}

/* With the sign of y; of 0 fmod() makes NaN. */
static uint32_t
say_mod(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t r = of_two(w, GRAPH_MOD, x, y);
    uint32_t apart = say_sub(w, under(w, r, 0), under(w, y, 0));

    return where(w, r, where(w, apart, say_add(w, r, y), r), r);
}

static uint32_t
say_floordiv(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t q = of_two(w, GRAPH_DIV, say_sub(w, x, say_mod(w, x, y)), y);
    uint32_t whole = of_one(w, GRAPH_FLOOR, q, 0);

    return say_add(w, whole, over(w, say_sub(w, q, whole), 0.5));
}

static uint32_t
say_pow(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t none = where(w, x, number(w, 0), under(w, y, 0));
    uint32_t z = without(w, none, of_two(w, GRAPH_POW, x, y));

    return without_either(w, x, y, z);
}

/* Differences of numbers are 0 only where these are equal, or infinities of
 * one sign, of which it is NaN. */
static uint32_t
say_lt(struct saying *w, uint32_t x, uint32_t y)
{
    return without_either(w, x, y, over(w, say_sub(w, y, x), 0));
}

static uint32_t
say_gt(struct saying *w, uint32_t x, uint32_t y)
{
    return say_lt(w, y, x);
}

static uint32_t
say_not(struct saying *w, uint32_t x)
{
    return scaled(w, x, 1, -1);
}

static uint32_t
say_le(struct saying *w, uint32_t x, uint32_t y)
{
    return say_not(w, say_lt(w, y, x));
}

static uint32_t
say_ge(struct saying *w, uint32_t x, uint32_t y)
{
    return say_not(w, say_lt(w, x, y));
}

static uint32_t
differ(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t d = say_sub(w, x, y);

    return of_two(w, GRAPH_OR, over(w, d, 0), under(w, d, 0));
}

static uint32_t
say_ne(struct saying *w, uint32_t x, uint32_t y)
{
    return without_either(w, x, y, differ(w, x, y));
}

static uint32_t
say_eq(struct saying *w, uint32_t x, uint32_t y)
{
    return say_not(w, say_ne(w, x, y));
}

/* What is missing counts only where the other one does not decide. */
static uint32_t
say_and(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t open = say_mul(w, filled(w, x, 1), filled(w, y, 1));

    return where(w, open, say_mul(w, x, y), number(w, 0));
}

static uint32_t
say_or(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t yes = of_two(w, GRAPH_OR, filled(w, x, 0), filled(w, y, 0));

    return where(w, yes, number(w, 1), say_add(w, x, y));
}

static uint32_t
say_coalesce(struct saying *w, uint32_t x, uint32_t y)
{
    return where(w, missing(w, x), y, x);
}

static uint32_t
say_min(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t less = where(w, over(w, say_sub(w, x, y), 0), y, x);

    return without_either(w, x, y, less);
}

static uint32_t
say_max(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t more = where(w, over(w, say_sub(w, y, x), 0), y, x);

    return without_either(w, x, y, more);
}

/* ---- of one ---- */

typedef uint32_t one_fn(struct saying *w, uint32_t x);

static uint32_t
say_same(struct saying *w, uint32_t x)
{
    (void)w;
    return x;
}

static uint32_t
say_abs(struct saying *w, uint32_t x)
{
    return where(w, under(w, x, 0), minus(w, x), x);
}

static uint32_t
say_floor(struct saying *w, uint32_t x)
{
    return of_one(w, GRAPH_FLOOR, x, 0);
}

static uint32_t
say_ceil(struct saying *w, uint32_t x)
{
    return minus(w, say_floor(w, minus(w, x)));
}

static uint32_t
say_sqrt(struct saying *w, uint32_t x)
{
    return of_one(w, GRAPH_SQRT, x, 0);
}

static uint32_t
say_exp(struct saying *w, uint32_t x)
{
    return of_one(w, GRAPH_EXP, x, 0);
}

static uint32_t
say_log(struct saying *w, uint32_t x)
{
    return where(w, over(w, x, 0), of_one(w, GRAPH_LOG, x, 0), nothing(w));
}

/* The quotient of logarithms misses powers of ten by a last bit. */
static uint32_t
say_log10(struct saying *w, uint32_t x)
{
    uint32_t ten = number(w, 10);
    uint32_t q = of_two(w, GRAPH_DIV, say_log(w, x), number(w, log(10)));
    uint32_t whole = of_one(w, GRAPH_WHOLE, q, 0);
    uint32_t off = differ(w, of_two(w, GRAPH_POW, ten, whole), x);

    return where(w, off, q, whole);
}

/* Towards 0; missing where 64 bits do not hold it. */
static uint32_t
say_int(struct saying *w, uint32_t x)
{
    double end = 9223372036854775808.0;
    uint32_t high = over(w, x, nextafter(end, 0)), low = under(w, x, -end);
    uint32_t z = where(w, over(w, x, 0), say_floor(w, x), say_ceil(w, x));

    return without(w, of_two(w, GRAPH_OR, high, low), z);
}

static uint32_t
say_bool(struct saying *w, uint32_t x)
{
    return without(w, missing(w, x), of_two(w, GRAPH_OR, x, x));
}

/* ---- with a number that stands in the expression ---- */

static bool
is_whole(const struct node *n, int64_t *out)
{
    struct expr_part p;
    bool sign;

    expr_part_get(n, &p);
    sign = p.kind == EXPR_APPLY && p.n == 1 && strcmp(p.word, "-") == 0;
    if (sign)
        expr_part_get(expr_first(n), &p);
    *out = sign ? -p.whole : p.whole;
    return p.kind == EXPR_WHOLE && (!sign || p.whole > 0);
}

/* By squaring, in the order of the kernel. */
static uint32_t
say_power(struct saying *w, uint32_t x, int64_t exponent)
{
    uint64_t n = (uint64_t)(exponent < 0 ? -exponent : exponent);
    uint32_t out = 0, square = x;
    bool any = false;

    if (n == 0)
        return without(w, missing(w, x), number(w, 1));
    for (; n > 0; n >>= 1) {
        if (n & 1)
            out = any ? say_mul(w, out, square) : square;
        any = any || n & 1;
        square = n > 1 ? say_mul(w, square, square) : square;
    }
    return exponent < 0 ? where(w, x, say_div(w, number(w, 1), out), nothing(w))
                        : out;
}

/* What is not finite times a power of ten is left as it is. */
static uint32_t
say_round(struct saying *w, uint32_t x, int64_t digits)
{
    double scale = 1;
    uint32_t by, wide, z;

    if (digits == 0)
        return of_one(w, GRAPH_WHOLE, x, 0);
    for (int64_t d = digits < 0 ? -digits : digits; d > 0; d--)
        scale *= 10;
    by = number(w, scale);
    wide = of_two(w, digits < 0 ? GRAPH_DIV : GRAPH_MUL, x, by);
    z = of_two(w, digits < 0 ? GRAPH_MUL : GRAPH_DIV,
               of_one(w, GRAPH_WHOLE, wide, 0), by);
    return where(w, of_one(w, GRAPH_MISSING, wide, 1), x, z);
}

/* ---- the tree ---- */

static uint32_t say(struct saying *w, const struct node *n);

/* The column that a name stands for: a derived one before it, or an input;
 * n_inputs + n_derived where there is none. */
static size_t
source_of(const struct prepare *from, const char *name, size_t before)
{
    size_t i = prepare_derived_find(from, name, before);

    if (i < before)
        return from->n_inputs + i;
    i = prepare_input_find(from, name);
    return i < from->n_inputs ? i : from->n_inputs + from->n_derived;
}

static bool
is_number(const struct saying *w, size_t source)
{
    enum col_type type;

    if (source >= w->from->n_inputs)
        return source < w->from->n_inputs + w->from->n_derived &&
               w->said[source - w->from->n_inputs];
    type = w->from->input[source].type;
    return type == COL_BOOL || type == COL_INT64 || type == COL_FLOAT64;
}

static uint32_t
say_column(struct saying *w, struct str name)
{
    char *text = mem_try_array(name.n + 1, 1, w->err);
    struct known *k;
    uint32_t id = 0;

    w->ok = w->ok && text;
    if (text)
        memcpy(text, name.p, name.n);
    if (w->ok && !w->s)
        w->can = w->can && is_number(w, source_of(w->from, text, w->which));
    else if (w->ok)
        w->ok = steps_need(w->s, text, false, &k) && steps_node(w->s, k, &id);
    free(text);
    return id;
}

static const struct {
    const char *word;
    pair_fn *say; /* of more than two: from left to right */
} pairs[] = {
    {"+", say_add},       {"-", say_sub},
    {"*", say_mul},       {"/", say_div},
    {"//", say_floordiv}, {"%", say_mod},
    {"^", say_pow},       {"=", say_eq},
    {"!=", say_ne},       {"<", say_lt},
    {"<=", say_le},       {">", say_gt},
    {">=", say_ge},       {"and", say_and},
    {"or", say_or},       {"coalesce", say_coalesce},
    {"min", say_min},     {"max", say_max},
};
static const struct {
    const char *word;
    one_fn *say;
} ones[] = {
    {"-", minus},           {"not", say_not},
    {"is null", missing},   {"is_missing", missing},
    {"abs", say_abs},       {"floor", say_floor},
    {"ceil", say_ceil},     {"sqrt", say_sqrt},
    {"exp", say_exp},       {"log", say_log},
    {"log10", say_log10},   {"int", say_int},
    {"float", say_same},    {"bool", say_bool},
    {"coalesce", say_same}, {"min", say_same},
    {"max", say_same},
};

static uint32_t
say_one(struct saying *w, const char *word, uint32_t x)
{
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++)
        if (strcmp(ones[i].word, word) == 0)
            return ones[i].say(w, x);
    w->can = false;
    return 0;
}

static uint32_t
say_pairs(struct saying *w, const char *word, const struct node *kid)
{
    pair_fn *fn = NULL;
    uint32_t x;

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(pairs[i].word, word) == 0)
            fn = pairs[i].say;
    w->can = w->can && fn;
    x = say(w, kid);
    for (kid = expr_next(kid); kid && fn && w->can && w->ok;
         kid = expr_next(kid))
        x = fn(w, x, say(w, kid));
    return x;
}

static uint32_t
say_in(struct saying *w, const struct node *kid)
{
    uint32_t x = say(w, kid), any;

    kid = expr_next(kid);
    any = say_eq(w, x, say(w, kid));
    for (kid = expr_next(kid); kid && w->can && w->ok; kid = expr_next(kid))
        any = say_or(w, any, say_eq(w, x, say(w, kid)));
    return any;
}

static uint32_t
say_three(struct saying *w, const char *word, const struct node *kid)
{
    uint32_t x = say(w, kid), y = say(w, kid = expr_next(kid));
    uint32_t z = say(w, expr_next(kid));

    return strcmp(word, "if") == 0
               ? where(w, filled(w, x, 0), y, z)
               : say_and(w, say_ge(w, x, y), say_le(w, x, z));
}

static uint32_t
say_applied(struct saying *w, const struct expr_part *p, const struct node *kid)
{
    const struct node *second = kid ? expr_next(kid) : NULL;
    int64_t whole = 0;

    if (!kid || strcmp(p->word, "matches") == 0) {
        w->can = false;
        return 0;
    }
    if (strcmp(p->word, "round") == 0 && p->n <= 2) {
        w->can = w->can && (!second || is_whole(second, &whole));
        return say_round(w, say(w, kid), whole);
    }
    if (strcmp(p->word, "^") == 0 && is_whole(second, &whole) &&
        whole >= -SMALL && whole <= SMALL)
        return say_power(w, say(w, kid), whole);
    if (strcmp(p->word, "in") == 0)
        return say_in(w, kid);
    if (p->n == 3 &&
        (strcmp(p->word, "if") == 0 || strcmp(p->word, "between") == 0))
        return say_three(w, p->word, kid);
    return p->n == 1 ? say_one(w, p->word, say(w, kid))
                     : say_pairs(w, p->word, kid);
}

static uint32_t
say(struct saying *w, const struct node *n)
{
    struct expr_part p;

    if (!w->can || !w->ok)
        return 0;
    expr_part_get(n, &p);
    switch (p.kind) {
    case EXPR_COLUMN:
        return say_column(w, p.text);
    case EXPR_NULL:
        return nothing(w);
    case EXPR_BOOL:
    case EXPR_WHOLE:
        return number(w, (double)p.whole);
    case EXPR_REAL:
        return number(w, p.real);
    case EXPR_TEXT:
        w->can = false;
        return 0;
    case EXPR_APPLY:
        break;
    }
    return say_applied(w, &p, expr_first(n));
}

bool
steps_take_derived(struct stepping *s, size_t i)
{
    const struct derived *d = &s->from->derived[i];
    struct saying w = {.s = s,
                       .from = s->from,
                       .which = i,
                       .none = UINT32_MAX,
                       .can = true,
                       .ok = true,
                       .err = s->err};
    const char *name;
    uint32_t id;

    (void)expr_columns(d->expr, &name, 1);
    w.flag = say_column(&w, str_of(name));
    w.flag = missing(&w, w.flag);
    id = say(&w, expr_root(d->expr));
    s->p->wide = true;
    return w.ok && steps_put_number(s, d->name, id, 0);
}

/* ---- what stands at the beginning ---- */

/* Mark what a column is made of, up to that. */
static bool
want_columns(const struct prepare *from, size_t i, bool *wanted,
             struct error *err)
{
    size_t n = expr_columns(from->derived[i].expr, NULL, 0);
    const char **name = mem_try_array(n, sizeof *name, err);

    if (!name)
        return false;
    (void)expr_columns(from->derived[i].expr, name, n);
    for (size_t k = 0; k < n; k++)
        wanted[source_of(from, name[k], i)] = true;
    free(name);
    return true;
}

/* One more than there are columns: for what steps make. */
static bool
want_all(const struct prepare *from, const bool *said, bool *wanted,
         struct error *err)
{
    size_t all = from->n_derived;
    bool ok = true;

    for (size_t i = 0; i < from->n_features; i++)
        wanted[source_of(from, from->feature[i].name, all)] = true;
    for (size_t k = 0; k < from->n_steps; k++)
        for (size_t c = 0; c < from->step[k].n; c++)
            wanted[source_of(from, from->step[k].column[c].name, all)] = true;
    for (size_t i = all; i-- > 0 && ok;)
        if (said[i] && wanted[from->n_inputs + i])
            ok = want_columns(from, i, wanted, err);
    return ok;
}

static bool
can_say(const struct prepare *from, const bool *said, size_t i, bool *can,
        struct error *err)
{
    const struct expr *e = from->derived[i].expr;
    struct saying w = {.from = from,
                       .said = said,
                       .which = i,
                       .none = UINT32_MAX,
                       .can = expr_columns(e, NULL, 0) > 0,
                       .ok = true,
                       .err = err};

    (void)say(&w, expr_root(e));
    *can = w.can && w.ok;
    return w.ok;
}

bool
portable_sources_find(const struct prepare *from, bool exprs,
                      struct portable_sources *out, struct error *err)
{
    size_t n = from->n_inputs + from->n_derived;
    bool *wanted = mem_try_array(n + 1, sizeof *wanted, err);
    bool ok;

    *out = (struct portable_sources){
        .computed = from->n_steps > 0,
        .column = mem_try_array(n, sizeof *out->column, err),
        .said = mem_try_array(from->n_derived, sizeof *out->said, err)};
    ok = wanted && out->column && out->said;
    for (size_t i = 0; exprs && i < from->n_derived && ok; i++)
        ok = can_say(from, out->said, i, &out->said[i], err);
    ok = ok && want_all(from, out->said, wanted, err);
    for (size_t i = 0; i < n && ok; i++) {
        bool said = i >= from->n_inputs && out->said[i - from->n_inputs];

        if (said) {
            out->said[i - from->n_inputs] = wanted[i];
            out->computed = out->computed || wanted[i];
        } else if (wanted[i]) {
            out->column[out->n++] = i;
        }
    }
    free(wanted);
    return ok;
}

void
portable_sources_fini(struct portable_sources *s)
{
    free(s->column);
    free(s->said);
}
