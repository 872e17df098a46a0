/* frame/sketch_quantile.h -- any quantile of many keys.
 *
 * Buffers of `width` keys; a key of level h stands for 2^h values.  A full
 * buffer is sorted, and every other key of it goes one level up: the odd or the
 * even ones, as a coin says that is thrown by number.  That moves no rank by
 * more than 2^h, so that the sum of these steps bounds the error of every rank
 * for certain: at most n * log2(n / width) / width, 0.35 % of n at 4,096 keys
 * and 100 million values.  As the coins cancel each other, about a tenth of
 * that is seen.  Exact while all keys fit into one buffer.
 * Source: Manku, Rajagopalan & Lindsay, SIGMOD 1998 (buffers of one size);
 *         Agarwal et al., "Mergeable summaries", PODS 2012 (coins).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SKETCH_QUANTILE_H
#define LATHE_FRAME_SKETCH_QUANTILE_H

#include <stddef.h>

#include "frame/sketch.h"

enum { SKETCH_LEVELS = 60 };

struct sketch_level {
    uint64_t *key; /* width of them; NULL until one comes */
    size_t n;
    size_t run; /* of them in order, and so are those behind */
    bool mixed; /* neither */
};

struct sketch_quantile {
    struct sketch_level level[SKETCH_LEVELS];
    uint64_t *scratch;
    size_t width;
    uint64_t n;     /* values */
    uint64_t moved; /* no rank is off by more */
    uint64_t coins, seed;
};

/* width: even, at least 8.  seed: of the coins. */
bool sketch_quantile_init(struct sketch_quantile *q, size_t width,
                          uint64_t seed, struct error *err) MUST_USE;
void sketch_quantile_fini(struct sketch_quantile *q);
/* n <= width keys in order. */
bool sketch_quantile_add_sorted(struct sketch_quantile *q, const uint64_t *key,
                                size_t n, struct error *err) MUST_USE;
/* A key so many times. */
bool sketch_quantile_add(struct sketch_quantile *q, uint64_t key,
                         uint64_t weight, struct error *err) MUST_USE;
/* What it holds, in order of the keys; weights add up to n.  The caller frees
 * it. */
struct sketch_point *
sketch_quantile_points(const struct sketch_quantile *q, size_t *n_points,
                       struct error *err) MUST_USE;
/* Share of n that no rank is off by more than. */
double sketch_quantile_error(const struct sketch_quantile *q);
#endif
