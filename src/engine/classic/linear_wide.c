/* engine/classic/linear_wide.c -- the quadratic model of a step where there are
 * too many columns for a matrix of their products.
 *
 * Only products of the matrix with a vector are made, from the rows: two passes
 * over them.  Without an L1 part conjugate gradients need no more; with one,
 * coordinates are cycled over, each at the price of a pass over its column, and
 * nearly all stay at 0.  Which of these would leave it is asked of all at once.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "engine/classic/linear_fit.h"

enum { MAX_CG = 1000, MAX_TURNS = 1000, MAX_SWEEPS = 10000, ROWS = 256 };

/* Of f->h: rows of p values. */
enum { DIAGONAL, REST, ALONG, PRODUCT };

static double *
row_of(const struct fitting *f, unsigned which)
{
    return f->h + which * f->p;
}

static double
dot_tiled(const double *a, const double *b, size_t n)
{
    double sum = 0;

    for (size_t r = 0; r < n; r += LINEAR_TILE)
        sum +=
            dense_dot(a + r, b + r, n - r < LINEAR_TILE ? n - r : LINEAR_TILE);
    return sum;
}

/* ---- the model ---- */

static void
sum_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct fitting *f = ctx;
    double curved[LINEAR_TILE];

    (void)chunk;
    for (size_t j = begin; j < end; j++) {
        double h = 0, mean = 0;

        for (size_t r = 0; r < f->n && !linear_stopped(f); r += LINEAR_TILE) {
            size_t m = f->n - r < LINEAR_TILE ? f->n - r : LINEAR_TILE;
            const double *x = f->x + j * f->n + r;

            for (size_t i = 0; i < m; i++)
                curved[i] = f->curve[r + i] * x[i];
            h += dense_dot(curved, x, m);
            mean += dense_sum(curved, m);
        }
        row_of(f, DIAGONAL)[j] = h;
        f->mean[j] = mean;
        f->g[j] = dot_tiled(f->rest, f->x + j * f->n, f->n);
    }
}

void
wide_build(struct fitting *f, const double *w)
{
    double n = f->total, *h = row_of(f, DIAGONAL);

    pool_for(f->ctx->pool, f->p, ROWS, sum_chunk, f);
    for (size_t j = 0; j < f->p; j++) {
        double mean = f->mean[j] /= n;

        f->g[j] = f->g[j] / n + f->l2 * w[j] - mean * f->g_bias / f->h_bias;
        h[j] = fmax(h[j] / n - mean * mean / f->h_bias, 0) + f->l2;
    }
}

/* ---- conjugate gradients ---- */

/* solved = x v, for n rows. */
static void
forward_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct fitting *f = ctx;
    const double *v = row_of(f, ALONG);
    double *u = f->solved;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        u[i] = 0;
    for (size_t j = 0; j < f->p && !linear_stopped(f); j++) {
        const double *x = f->x + j * f->n;

        for (size_t i = begin; i < end; i++)
            u[i] += v[j] * x[i];
    }
}

static void
back_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct fitting *f = ctx;
    double *out = row_of(f, PRODUCT);

    (void)chunk;
    for (size_t j = begin; j < end && !linear_stopped(f); j++)
        out[j] = dot_tiled(f->x + j * f->n, f->solved, f->n) / f->total +
                 f->l2 * row_of(f, ALONG)[j];
}

/* product = h along. */
static void
multiply(struct fitting *f)
{
    double mean = dense_dot(f->mean, row_of(f, ALONG), f->p) / f->h_bias;

    pool_for(f->ctx->pool, f->n, ROWS, forward_chunk, f);
    for (size_t i = 0; i < f->n; i++)
        f->solved[i] = f->curve[i] * (f->solved[i] - mean);
    pool_for(f->ctx->pool, f->p, ROWS, back_chunk, f);
}

/* pull = rest over the diagonal; the product of both. */
static double
precondition(struct fitting *f)
{
    const double *rest = row_of(f, REST), *h = row_of(f, DIAGONAL);

    for (size_t j = 0; j < f->p; j++)
        f->pull[j] = h[j] > 0 ? rest[j] / h[j] : 0;
    return dense_dot(rest, f->pull, f->p);
}

static void
solve_gradients(struct fitting *f)
{
    double *rest = row_of(f, REST), *along = row_of(f, ALONG), now, goal;
    const double *product = row_of(f, PRODUCT);

    memset(f->step, 0, f->p * sizeof *f->step);
    for (size_t j = 0; j < f->p; j++)
        rest[j] = -f->g[j];
    now = precondition(f);
    goal = 1e-6 * now;
    memcpy(along, f->pull, f->p * sizeof *along);
    for (unsigned i = 0; i < MAX_CG && now > goal; i++) {
        double before = now, curve, t;

        if (progress_stopped(f->ctx->progress))
            return;
        multiply(f);
        curve = dense_dot(along, product, f->p);
        if (!(curve > 0))
            return;
        t = now / curve;
        for (size_t j = 0; j < f->p; j++) {
            f->step[j] += t * along[j];
            rest[j] -= t * product[j];
        }
        now = precondition(f);
        for (size_t j = 0; j < f->p; j++)
            along[j] = f->pull[j] + now / before * along[j];
    }
}

/* ---- coordinates ---- */

struct descent {
    struct fitting *f;
    const double *w;
    double mean;  /* of the step, through the means of the columns */
    double *move; /* n: curve times x step */
};

/* Where coordinate j is best, the others held still. */
static double
best_of(const struct descent *d, size_t j)
{
    const struct fitting *f = d->f;
    double h = row_of(f, DIAGONAL)[j], pull, at = d->w[j] + f->step[j];

    if (!(h > 0))
        return at;
    pull = dot_tiled(f->x + j * f->n, d->move, f->n) / f->total -
           f->mean[j] * d->mean / f->h_bias + f->l2 * f->step[j];
    return dense_shrink(h * at - f->g[j] - pull, f->l1) / h;
}

/* Which would move?  In f->pull. */
static void
ask_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct descent *d = ctx;

    (void)chunk;
    for (size_t j = begin; j < end; j++)
        d->f->pull[j] = d->w[j] + d->f->step[j] != 0 || best_of(d, j) != 0;
}

/* Through those that are asked for; how far they moved, relative as in
 * linear_step(). */
static double
sweep(struct descent *d)
{
    struct fitting *f = d->f;
    double moved = 0, most = 0;

    for (size_t j = 0; j < f->p && !linear_stopped(f); j++) {
        const double *x = f->x + j * f->n;
        double to, by;

        if (f->pull[j] == 0)
            continue;
        to = best_of(d, j);
        by = to - d->w[j] - f->step[j];
        most = fmax(most, fabs(to));
        if (by == 0)
            continue;
        f->step[j] += by;
        d->mean += by * f->mean[j];
        for (size_t i = 0; i < f->n; i++)
            d->move[i] += by * f->curve[i] * x[i];
        moved = fmax(moved, fabs(by));
    }
    return moved / (1 + most);
}

static void
solve_descent(struct fitting *f, const double *w)
{
    struct descent d = {f, w, 0, f->solved};
    double rest = 1e-3 * f->tolerance;

    memset(f->step, 0, f->p * sizeof *f->step);
    memset(d.move, 0, f->n * sizeof *d.move);
    for (unsigned turn = 0; turn < MAX_TURNS; turn++) {
        pool_for(f->ctx->pool, f->p, ROWS, ask_chunk, &d);
        if (progress_stopped(f->ctx->progress) || sweep(&d) <= rest)
            return;
        for (unsigned i = 0; i < MAX_SWEEPS && sweep(&d) > rest; i++)
            if (progress_stopped(f->ctx->progress))
                return;
    }
}

void
wide_solve(struct fitting *f, const double *w)
{
    if (f->l1 > 0)
        solve_descent(f, w);
    else
        solve_gradients(f);
}
