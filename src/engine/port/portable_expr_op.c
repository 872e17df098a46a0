/* engine/port/portable_expr_op.c -- operators of expressions as a graph.
 *
 * Every value is one number, NaN where it is missing; truth is 0 or 1.  Each
 * operator is said by others such that it is missing where frame/expr_kernel.c
 * has it so.  Whole numbers are exact up to 2^53, and none leaves its range; a
 * number that is none, as inf - inf, is not told from one that is missing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "engine/port/portable_expr.h"

/* ---- nodes ---- */

static uint32_t
put(struct saying *w, const struct graph_node *n)
{
    uint32_t id = 0;

    w->can = w->can && w->n++ < SAYING_MAX_NODES;
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

uint32_t
say_where(struct saying *w, uint32_t flag, uint32_t yes, uint32_t no)
{
    uint32_t in[3] = {flag, yes, no};

    return put(w, &(struct graph_node){
                      .op = GRAPH_WHERE, .width = 1, .n_in = 3, .in = in});
}

/* (x - a) b */
uint32_t
say_scaled(struct saying *w, uint32_t x, double a, double b)
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

uint32_t
say_filled(struct saying *w, uint32_t x, double with)
{
    return put(w, &(struct graph_node){.op = GRAPH_FILL,
                                       .width = 1,
                                       .n_in = 1,
                                       .in = &x,
                                       .n_a = 1,
                                       .a = &with});
}

uint32_t
say_number(struct saying *w, double v)
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
uint32_t
say_nothing(struct saying *w)
{
    if (w->none == UINT32_MAX)
        w->none = of_one(w, GRAPH_SQRT, say_number(w, -1), 0);
    return w->none;
}

static uint32_t
say_minus(struct saying *w, uint32_t x)
{
    return say_scaled(w, x, 0, -1);
}

/* 1 where x > c, else 0, also where it is missing. */
static uint32_t
say_over(struct saying *w, uint32_t x, double c)
{
    return of_one(w, GRAPH_STEP, x, c);
}

static uint32_t
say_under(struct saying *w, uint32_t x, double c)
{
    return say_over(w, say_minus(w, x), -c);
}

uint32_t
say_missing(struct saying *w, uint32_t x)
{
    return of_one(w, GRAPH_MISSING, x, 0);
}

/* x, but missing where the flag is set. */
static uint32_t
say_without(struct saying *w, uint32_t flag, uint32_t x)
{
    return say_where(w, flag, say_nothing(w), x);
}

static uint32_t
without_either(struct saying *w, uint32_t x, uint32_t y, uint32_t of)
{
    return say_without(
        w, of_two(w, GRAPH_OR, say_missing(w, x), say_missing(w, y)), of);
}

/* ---- operators ---- */

static uint32_t
say_add(struct saying *w, uint32_t x, uint32_t y)
{
    return of_two(w, GRAPH_ADD, x, y);
}

uint32_t
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
    return say_where(w, y, of_two(w, GRAPH_DIV, x, y), say_nothing(w));
}

/* With the sign of y; of 0 fmod() makes NaN. */
static uint32_t
say_mod(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t r = of_two(w, GRAPH_MOD, x, y);
    uint32_t apart = say_sub(w, say_under(w, r, 0), say_under(w, y, 0));

    return say_where(w, r, say_where(w, apart, say_add(w, r, y), r), r);
}

static uint32_t
say_floordiv(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t q = of_two(w, GRAPH_DIV, say_sub(w, x, say_mod(w, x, y)), y);
    uint32_t whole = of_one(w, GRAPH_FLOOR, q, 0);

    return say_add(w, whole, say_over(w, say_sub(w, q, whole), 0.5));
}

static uint32_t
say_pow(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t none = say_where(w, x, say_number(w, 0), say_under(w, y, 0));
    uint32_t z = say_without(w, none, of_two(w, GRAPH_POW, x, y));

    return without_either(w, x, y, z);
}

/* Differences of numbers are 0 only where these are equal, or infinities of
 * one sign, of which it is NaN. */
uint32_t
say_lt(struct saying *w, uint32_t x, uint32_t y)
{
    return without_either(w, x, y, say_over(w, say_sub(w, y, x), 0));
}

uint32_t
say_gt(struct saying *w, uint32_t x, uint32_t y)
{
    return say_lt(w, y, x);
}

uint32_t
say_not(struct saying *w, uint32_t x)
{
    return say_scaled(w, x, 1, -1);
}

uint32_t
say_le(struct saying *w, uint32_t x, uint32_t y)
{
    return say_not(w, say_lt(w, y, x));
}

uint32_t
say_ge(struct saying *w, uint32_t x, uint32_t y)
{
    return say_not(w, say_lt(w, x, y));
}

static uint32_t
differ(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t d = say_sub(w, x, y);

    return of_two(w, GRAPH_OR, say_over(w, d, 0), say_under(w, d, 0));
}

uint32_t
say_ne(struct saying *w, uint32_t x, uint32_t y)
{
    return without_either(w, x, y, differ(w, x, y));
}

uint32_t
say_eq(struct saying *w, uint32_t x, uint32_t y)
{
    return say_not(w, say_ne(w, x, y));
}

/* What is missing counts only where the other one does not decide. */
uint32_t
say_and(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t open = say_mul(w, say_filled(w, x, 1), say_filled(w, y, 1));

    return say_where(w, open, say_mul(w, x, y), say_number(w, 0));
}

uint32_t
say_or(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t yes =
        of_two(w, GRAPH_OR, say_filled(w, x, 0), say_filled(w, y, 0));

    return say_where(w, yes, say_number(w, 1), say_add(w, x, y));
}

static uint32_t
say_coalesce(struct saying *w, uint32_t x, uint32_t y)
{
    return say_where(w, say_missing(w, x), y, x);
}

static uint32_t
say_min(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t less = say_where(w, say_over(w, say_sub(w, x, y), 0), y, x);

    return without_either(w, x, y, less);
}

static uint32_t
say_max(struct saying *w, uint32_t x, uint32_t y)
{
    uint32_t more = say_where(w, say_over(w, say_sub(w, y, x), 0), y, x);

    return without_either(w, x, y, more);
}

/* ---- of one ---- */

static uint32_t
say_same(struct saying *w, uint32_t x)
{
    (void)w;
    return x;
}

static uint32_t
say_abs(struct saying *w, uint32_t x)
{
    return say_where(w, say_under(w, x, 0), say_minus(w, x), x);
}

static uint32_t
say_floor(struct saying *w, uint32_t x)
{
    return of_one(w, GRAPH_FLOOR, x, 0);
}

static uint32_t
say_ceil(struct saying *w, uint32_t x)
{
    return say_minus(w, say_floor(w, say_minus(w, x)));
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
    return say_where(w, say_over(w, x, 0), of_one(w, GRAPH_LOG, x, 0),
                     say_nothing(w));
}

/* The quotient of logarithms misses powers of ten by a last bit. */
static uint32_t
say_log10(struct saying *w, uint32_t x)
{
    uint32_t ten = say_number(w, 10);
    uint32_t q = of_two(w, GRAPH_DIV, say_log(w, x), say_number(w, log(10)));
    uint32_t whole = of_one(w, GRAPH_WHOLE, q, 0);
    uint32_t off = differ(w, of_two(w, GRAPH_POW, ten, whole), x);

    return say_where(w, off, q, whole);
}

/* Towards 0; missing where 64 bits do not hold it. */
static uint32_t
say_int(struct saying *w, uint32_t x)
{
    double end = 9223372036854775808.0;
    uint32_t high = say_over(w, x, nextafter(end, 0)),
             low = say_under(w, x, -end);
    uint32_t z =
        say_where(w, say_over(w, x, 0), say_floor(w, x), say_ceil(w, x));

    return say_without(w, of_two(w, GRAPH_OR, high, low), z);
}

static uint32_t
say_bool(struct saying *w, uint32_t x)
{
    return say_without(w, say_missing(w, x), of_two(w, GRAPH_OR, x, x));
}

/* ---- with a number that stands in the expression ---- */

/* By squaring, in the order of the kernel. */
uint32_t
say_power(struct saying *w, uint32_t x, int64_t exponent)
{
    uint64_t n = (uint64_t)(exponent < 0 ? -exponent : exponent);
    uint32_t out = 0, square = x;
    bool any = false;

    if (n == 0)
        return say_without(w, say_missing(w, x), say_number(w, 1));
    for (; n > 0; n >>= 1) {
        if (n & 1)
            out = any ? say_mul(w, out, square) : square;
        any = any || n & 1;
        square = n > 1 ? say_mul(w, square, square) : square;
    }
    return exponent < 0 ? say_where(w, x, say_div(w, say_number(w, 1), out),
                                    say_nothing(w))
                        : out;
}

/* What is not finite times a power of ten is left as it is. */
uint32_t
say_round(struct saying *w, uint32_t x, int64_t digits)
{
    double scale = 1;
    uint32_t by, wide, z;

    if (digits == 0)
        return of_one(w, GRAPH_WHOLE, x, 0);
    for (int64_t d = digits < 0 ? -digits : digits; d > 0; d--)
        scale *= 10;
    by = say_number(w, scale);
    wide = of_two(w, digits < 0 ? GRAPH_DIV : GRAPH_MUL, x, by);
    z = of_two(w, digits < 0 ? GRAPH_MUL : GRAPH_DIV,
               of_one(w, GRAPH_WHOLE, wide, 0), by);
    return say_where(w, of_one(w, GRAPH_MISSING, wide, 1), x, z);
}

/* ---- by their words ---- */

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
    {"-", say_minus},       {"not", say_not},    {"abs", say_abs},
    {"floor", say_floor},   {"ceil", say_ceil},  {"sqrt", say_sqrt},
    {"exp", say_exp},       {"log", say_log},    {"log10", say_log10},
    {"int", say_int},       {"float", say_same}, {"bool", say_bool},
    {"coalesce", say_same}, {"min", say_same},   {"max", say_same},
};

pair_fn *
say_pair_of(const char *word)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(pairs[i].word, word) == 0)
            return pairs[i].say;
    return NULL;
}

one_fn *
say_one_of(const char *word)
{
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++)
        if (strcmp(ones[i].word, word) == 0)
            return ones[i].say;
    return NULL;
}
