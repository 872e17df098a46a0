/* engine/port/portable_expr.h -- nodes that a derived column is made of, for
 * portable_expr*.c alone.
 *
 * Each function adds what it says and returns the node; where nothing is added,
 * for it is only asked whether it can be said, that is 0.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_PORTABLE_EXPR_H
#define LATHE_ENGINE_PORT_PORTABLE_EXPR_H

#include "engine/port/portable_steps.h"

enum { SAYING_MAX_NODES = 4096 }; /* of one column */

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

typedef uint32_t pair_fn(struct saying *w, uint32_t x, uint32_t y);
typedef uint32_t one_fn(struct saying *w, uint32_t x);

/* An operator of two, or of one, by its word; NULL: it is none that is said. */
pair_fn *say_pair_of(const char *word);
one_fn *say_one_of(const char *word);

uint32_t say_where(struct saying *w, uint32_t flag, uint32_t yes, uint32_t no);
uint32_t say_scaled(struct saying *w, uint32_t x, double a, double b);
uint32_t say_filled(struct saying *w, uint32_t x, double with);
uint32_t say_number(struct saying *w, double v);
uint32_t say_nothing(struct saying *w);
uint32_t say_missing(struct saying *w, uint32_t x);
uint32_t say_sub(struct saying *w, uint32_t x, uint32_t y);
uint32_t say_lt(struct saying *w, uint32_t x, uint32_t y);
uint32_t say_gt(struct saying *w, uint32_t x, uint32_t y);
uint32_t say_not(struct saying *w, uint32_t x);
uint32_t say_le(struct saying *w, uint32_t x, uint32_t y);
uint32_t say_ge(struct saying *w, uint32_t x, uint32_t y);
uint32_t say_ne(struct saying *w, uint32_t x, uint32_t y);
uint32_t say_eq(struct saying *w, uint32_t x, uint32_t y);
uint32_t say_and(struct saying *w, uint32_t x, uint32_t y);
uint32_t say_or(struct saying *w, uint32_t x, uint32_t y);
uint32_t say_power(struct saying *w, uint32_t x, int64_t exponent);
uint32_t say_round(struct saying *w, uint32_t x, int64_t digits);
#endif
