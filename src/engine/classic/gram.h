/* engine/classic/gram.h -- products of the columns of a design.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_GRAM_H
#define LATHE_ENGINE_CLASSIC_GRAM_H

#include "base/pool.h"
#include "base/progress.h"
#include "engine/encode.h"

/* The mean of each column.  ERR_CANCELLED. */
bool gram_means(const struct design *d, struct pool *pool, double *mean,
                struct error *err) MUST_USE;
/* out (p, p), both halves: sum over the rows of (x_i - mean_i)(x_j - mean_j).
 * y may be NULL; else xy (p): that of the columns with y - y_mean.
 * ERR_CANCELLED, ERR_NOMEM. */
struct gram {
    const struct design *d;
    const double *mean;
    const double *y; /* or NULL */
    double y_mean;
    double *out, *xy;
    struct pool *pool;
    struct progress *progress;
};
bool gram_make(const struct gram *g, struct error *err) MUST_USE;
/* out += x' x, its upper half: x is (n, p), rows one after another. */
void gram_add(const double *x, size_t n, size_t p, double *out);
/* out (p, p) += x' y: x and y are (n, p), their rows `stride` apart. */
struct gram_product {
    const double *x, *y;
    size_t n, p, stride;
    double *out;
};
/* Its upper half, rows begin..end-1 of out.  Each cell is one sum over the rows
 * of x as they come, however the work is cut. */
void gram_add_rows(const struct gram_product *g, size_t begin, size_t end);
/* The lower half from the upper one. */
void gram_mirror(double *a, size_t p);
#endif
