/* engine/classic/path_dual.c -- ridge of few rows and many columns.
 *
 * The weights are a sum of rows, so that the products of the rows say all there
 * is: they are made once, and each problem has its part of them.  Errors of the
 * rows that are left out need no weights at all.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/block.h"
#include "engine/classic/eigen.h"
#include "engine/classic/gram.h"
#include "engine/classic/panels.h"
#include "engine/classic/path_choose.h"
#include "engine/classic/path_wide.h"

enum {
    TILE = 128, /* columns that are multiplied at once */
    STRIP = 64, /* rows of the product that a thread makes */
    ASIDE = 4,  /* columns whose weights are found together */
    PADDING = 8 /* keeps columns of a tile from the same lines of a cache */
};

struct dual {
    struct wide *w;
    double *tile; /* (TILE, stride) */
    size_t stride, first, n_tile;
    double *gram;   /* (n, n): products of the rows */
    double *own;    /* (m, m): those of a problem, then its eigenvectors */
    double *along;  /* n: their means with the others of a problem */
    double *value;  /* n: eigenvalues */
    double *part;   /* (n_steps, m): in eigenvectors */
    double *row;    /* (n_steps, m): how much of each row a solution is */
    double *turned; /* (m, n_steps): the same */
    size_t m;       /* rows of the problem */
    uint32_t *on;   /* m: which */
};

/* ---- products of the rows ---- */

static void
tile_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct dual *s = ctx;

    (void)chunk;
    for (size_t j = begin; j < end && !wide_stopped(s->w); j++)
        wide_column(s->w, s->first + j, s->tile + j * s->stride);
}

static void
strip_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct dual *s = ctx;

    (void)chunk;
    if (!wide_stopped(s->w))
        gram_add_rows(&(struct gram_product){s->tile, s->tile, s->n_tile,
                                             s->w->n, s->stride, s->gram},
                      begin, end);
}

static bool
gram_of_rows(struct dual *s, struct error *err)
{
    struct wide *w = s->w;

    for (s->first = 0; s->first < w->p; s->first += TILE) {
        s->n_tile = w->p - s->first < TILE ? w->p - s->first : TILE;
        pool_for(w->ctx->pool, s->n_tile, 1, tile_chunk, s);
        pool_for(w->ctx->pool, w->n, STRIP, strip_chunk, s);
        if (w->ctx->progress && !progress_check(w->ctx->progress, err))
            return false;
    }
    gram_mirror(s->gram, w->n);
    return true;
}

/* ---- a problem ---- */

static void
rows_take(struct dual *s, size_t k)
{
    struct wide_rows out = wide_left_out(s->w, k);

    s->m = 0;
    for (size_t i = 0; i < s->w->n; i++)
        if (i < out.from || i >= out.to)
            s->on[s->m++] = (uint32_t)i;
}

/* Its products, less the means of the columns among its rows. */
static void
own_make(struct dual *s, size_t k)
{
    const struct wide *w = s->w;
    double total = w->total[k], mean = 0;

    for (size_t i = 0; i < w->n; i++)
        s->along[i] = wide_dot(w, k, s->gram + i * w->n, w->root) / total;
    mean = wide_dot(w, k, s->along, w->root) / total;
    for (size_t a = 0; a < s->m && !wide_stopped(w); a++) {
        size_t i = s->on[a];
        double *row = s->own + a * s->m;

        for (size_t b = 0; b < s->m; b++) {
            size_t j = s->on[b];

            row[b] = s->gram[i * w->n + j] - s->along[i] * w->root[j] -
                     w->root[i] * (s->along[j] - mean * w->root[j]);
        }
    }
}

static double
target_of(const struct dual *s, size_t k, size_t a)
{
    size_t i = s->on[a];

    return s->w->y[i] - s->w->root[i] * s->w->y_mean[k];
}

/* For one lambda, where no direction is without a penalty. */
static bool
solve_alone(struct dual *s, size_t k)
{
    double penalty = s->w->lambda[0] * s->w->total[k];

    for (size_t a = 0; a < s->m; a++) {
        s->own[a * s->m + a] += penalty;
        s->row[a] = target_of(s, k, a);
    }
    if (!(penalty > 0) || !cholesky(s->own, s->m, s->w->ctx->progress))
        return false;
    cholesky_solve(s->own, s->m, s->row);
    return true;
}

static void
steps_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct dual *s = ctx;

    (void)chunk;
    if (wide_stopped(s->w))
        return;
    memset(s->row + begin * s->m, 0, (end - begin) * s->m * sizeof *s->row);
    block_kernels()->product(&(struct block){.a = s->part + begin * s->m,
                                             .a_row = s->m,
                                             .a_col = 1,
                                             .n_a = end - begin,
                                             .b = s->own,
                                             .b_row = s->m,
                                             .n_b = s->m,
                                             .p = s->m,
                                             .out = s->row + begin * s->m,
                                             .out_row = s->m});
}

/* For all lambdas.  Without a penalty, directions without spread have no
 * weight: the shortest of all solutions. */
static bool
solve_along(struct dual *s, size_t k, struct error *err)
{
    const struct wide *w = s->w;
    double *y = s->turned, least;

    if (!eigen_symmetric(s->own, s->m, s->value, w->ctx->pool, w->ctx->progress,
                         err))
        return false;
    least = s->value[0] * 1e-13 * (double)s->m;
    for (size_t a = 0; a < s->m; a++)
        y[a] = target_of(s, k, a);
    for (size_t c = 0; c < s->m; c++) {
        double along = dense_dot(s->own + c * s->m, y, s->m);

        for (size_t i = 0; i < w->n_steps; i++) {
            double h = fmax(s->value[c], 0) + w->lambda[i] * w->total[k];

            s->part[i * s->m + c] = h > least ? along / h : 0;
        }
    }
    pool_for(w->ctx->pool, w->n_steps, ASIDE, steps_chunk, s);
    return true;
}

static bool
problem_solve_rows(struct dual *s, size_t k, struct error *err)
{
    const struct wide *w = s->w;

    rows_take(s, k);
    own_make(s, k);
    if (w->n_steps > 1 || !solve_alone(s, k)) {
        if (w->n_steps == 1)
            own_make(s, k);
        if (!solve_along(s, k, err))
            return false;
    }
    return !w->ctx->progress || progress_check(w->ctx->progress, err);
}

/* ---- what comes of it ---- */

static void
judge(const struct dual *s, size_t k, size_t step)
{
    const struct wide *w = s->w;
    const double *row = s->row + step * s->m;
    struct wide_rows out = wide_left_out(w, k);
    double mean = 0, squares = 0;

    for (size_t a = 0; a < s->m; a++)
        mean += row[a] * s->along[s->on[a]];
    for (size_t i = out.from; i < out.to; i++) {
        const double *products = s->gram + i * w->n;
        double e = w->y[i] - w->root[i] * (w->y_mean[k] - mean) -
                   dense_dot(products, row, out.from) -
                   dense_dot(products + out.to, row + out.from, w->n - out.to);

        squares += e * e;
    }
    wide_judge(w, k, step, squares);
}

struct judging {
    const struct dual *s;
    size_t k;
};

static void
judge_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct judging *j = ctx;

    (void)chunk;
    for (size_t i = begin; i < end && !wide_stopped(j->s->w); i++)
        judge(j->s, j->k, i);
}

/* Of all rows, so that they lie here as they do in a column. */
static void
weight_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct dual *s = ctx;
    const struct wide *w = s->w;
    double x[ASIDE * WIDE_FEW_ROWS], out[ASIDE * PATH_MAX_STEPS] = {0};

    (void)chunk;
    if (wide_stopped(w))
        return;
    for (size_t j = begin; j < end; j++)
        wide_column(w, j, x + (j - begin) * w->n);
    block_kernels()->product(&(struct block){.a = x,
                                             .a_row = w->n,
                                             .a_col = 1,
                                             .n_a = end - begin,
                                             .b = s->turned,
                                             .b_row = w->n_steps,
                                             .n_b = w->n_steps,
                                             .p = w->n,
                                             .out = out,
                                             .out_row = w->n_steps});
    for (size_t j = begin; j < end; j++)
        for (size_t i = 0; i < w->n_steps; i++)
            w->weight[i * w->p + j] = out[(j - begin) * w->n_steps + i];
}

static bool
weights_make(struct dual *s, struct error *err)
{
    const struct wide *w = s->w;

    for (size_t i = 0; i < w->n_steps; i++)
        for (size_t a = 0; a < s->m; a++)
            s->turned[a * w->n_steps + i] = s->row[i * s->m + a];
    pool_for(w->ctx->pool, w->p, ASIDE, weight_chunk, s);
    return !w->ctx->progress || progress_check(w->ctx->progress, err);
}

static bool
dual_init(struct dual *s, struct error *err)
{
    size_t n = s->w->n, steps = s->w->n_steps;

    s->stride = n + PADDING;
    return dense_try(&s->tile, TILE, s->stride, err) &&
           dense_try(&s->gram, n, n, err) && dense_try(&s->own, n, n, err) &&
           dense_try(&s->along, n, 1, err) && dense_try(&s->value, n, 1, err) &&
           dense_try(&s->part, n, steps, err) &&
           dense_try(&s->row, n, steps, err) &&
           dense_try(&s->turned, n, steps, err) &&
           (s->on = mem_try_array(n, sizeof *s->on, err));
}

static void
dual_fini(struct dual *s)
{
    free(s->tile);
    free(s->gram);
    free(s->own);
    free(s->along);
    free(s->value);
    free(s->part);
    free(s->row);
    free(s->turned);
    free(s->on);
}

bool
wide_dual(struct wide *w, struct error *err)
{
    struct dual s = {.w = w};
    bool ok = dual_init(&s, err) && gram_of_rows(&s, err);

    for (size_t k = 0; k < w->k && ok; k++) {
        struct judging j = {&s, k};

        if (!(w->total[k] > 0))
            continue;
        ok = problem_solve_rows(&s, k, err);
        if (ok && k + 1 < w->k)
            pool_for(w->ctx->pool, w->n_steps, 1, judge_chunk, &j);
        else if (ok)
            ok = weights_make(&s, err);
    }
    dual_fini(&s);
    return ok;
}
