/* engine/classic/linear_step.c -- one proximal Newton step.
 *
 * The loss is replaced by its second-order model around the weights at hand
 * (exact for squares; for the logistic loss this is IRLS), the intercept is
 * removed by a Schur complement, model plus penalty are minimised, and the
 * step is halved until the objective does not rise.  Without an L1 part the
 * minimum is a Cholesky solve; with one, or where columns are collinear,
 * coordinate descent on the same p x p matrix, so that a sweep costs p^2
 * whatever the number of rows.  Where p is large there is no such matrix:
 * linear_wide.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/linear_fit.h"

#include <math.h>
#include <string.h>

#include "base/fmath.h"

enum { MAX_SWEEPS = 10000 };

/* ---- the loss ---- */

/* log(1 + exp(-m)) */
static double
softplus_neg(double m)
{
    return m > 0 ? fm_log1p(fm_exp(-m)) : fm_log1p(fm_exp(m)) - m;
}

/* log of the sum of exp over the classes, that of class c being v. */
static double
row_lse(const struct fitting *f, size_t i, size_t c, double v)
{
    double top = v, sum = 0;

    for (size_t j = 0; j < f->k; j++)
        if (j != c && f->eta[j * f->n + i] > top)
            top = f->eta[j * f->n + i];
    for (size_t j = 0; j < f->k; j++)
        sum += fm_exp((j == c ? v : f->eta[j * f->n + i]) - top);
    return top + fm_log(sum);
}

/* Loss of row i when eta of class c is v. */
static double
row_loss(const struct fitting *f, size_t i, size_t c, double v)
{
    size_t y;

    switch (f->problem) {
    case PROBLEM_REGRESSION:
        return 0.5 * (v - f->y[i]) * (v - f->y[i]);
    case PROBLEM_BINARY:
        return softplus_neg(f->y[i] != 0 ? v : -v);
    case PROBLEM_MULTICLASS:
    case PROBLEM_NONE:
        break;
    }
    y = (size_t)f->y[i];
    return row_lse(f, i, c, v) - (y == c ? v : f->eta[y * f->n + i]);
}

struct trial {
    const struct fitting *f;
    size_t c;
    double t; /* share of the step */
};

static void
trial_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct trial *a = ctx;
    const double *eta = a->f->eta + a->c * a->f->n;
    double sum = 0;

    for (size_t i = begin; i < end; i++)
        sum += linear_weight(a->f, i) *
               row_loss(a->f, i, a->c, eta[i] + a->t * a->f->move[i]);
    a->f->partial[chunk] = sum;
}

/* The objective with a share t of the step taken in class c. */
static double
objective(const struct fitting *f, size_t c, double t)
{
    struct trial a = {f, c, t};
    double sum = 0, l1 = 0, l2 = 0;

    pool_for(f->ctx->pool, f->n, LINEAR_ROWS, trial_chunk, &a);
    for (size_t i = 0; i < pool_chunks(f->n, LINEAR_ROWS); i++)
        sum += f->partial[i];
    for (size_t j = 0; j < f->k * f->p; j++) {
        double w = f->l->weight[j];

        if (j / f->p == c)
            w += t * f->step[j % f->p];
        l1 += fabs(w);
        l2 += w * w;
    }
    return sum / f->total + f->l1 * l1 + 0.5 * f->l2 * l2;
}

/* ---- the quadratic model ---- */

static void
derive_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct trial *a = ctx;
    const struct fitting *f = a->f;
    const double *eta = f->eta + a->c * f->n;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        double p, w = linear_weight(f, i);

        if (f->problem == PROBLEM_REGRESSION) {
            f->curve[i] = w;
            f->rest[i] = w * (eta[i] - f->y[i]);
            continue;
        }
        p = f->problem == PROBLEM_BINARY ? fm_sigmoid(eta[i])
                                         : fm_exp(eta[i] - f->lse[i]);
        f->curve[i] = w * (p * (1 - p));
        f->rest[i] = w * (p - (f->problem == PROBLEM_BINARY
                                   ? f->y[i]
                                   : (double)((size_t)f->y[i] == a->c)));
    }
}

/* Row j of the lower triangle of h, and g and mean of column j. */
static void
gram_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct fitting *f = ctx;
    double curved[LINEAR_TILE];

    (void)chunk;
    for (size_t j = begin; j < end; j++) {
        double *h = f->h + j * f->p;

        memset(h, 0, (j + 1) * sizeof *h);
        f->g[j] = f->mean[j] = 0;
        for (size_t r = 0; r < f->n && !linear_stopped(f); r += LINEAR_TILE) {
            size_t m = f->n - r < LINEAR_TILE ? f->n - r : LINEAR_TILE;
            const double *x = f->x + j * f->n + r;

            for (size_t i = 0; i < m; i++)
                curved[i] = f->curve[r + i] * x[i];
            for (size_t k = 0; k <= j; k++)
                h[k] += dense_dot(curved, f->x + k * f->n + r, m);
            f->g[j] += dense_dot(f->rest + r, x, m);
            f->mean[j] += dense_dot(f->curve + r, x, m);
        }
    }
}

/* g, h around the weights of class c, the intercept minimised out.  False
 * when every row is certain: there is nothing left to learn; and when the work
 * is stopped. */
static bool
model_build(struct fitting *f, size_t c)
{
    struct trial a = {f, c, 0};
    double n = f->total;
    const double *w = f->l->weight + c * f->p;

    pool_for(f->ctx->pool, f->n, LINEAR_ROWS, derive_chunk, &a);
    if (f->p <= LINEAR_GRAM_COLS)
        pool_for(f->ctx->pool, f->p, 1, gram_chunk, f);
    f->g_bias = dense_sum(f->rest, f->n) / n;
    f->h_bias = dense_sum(f->curve, f->n) / n;
    if (!(f->h_bias > 1e-300) || linear_stopped(f))
        return false;
    if (f->p > LINEAR_GRAM_COLS) {
        wide_build(f, w);
        return true;
    }
    for (size_t j = 0; j < f->p; j++)
        f->mean[j] /= n;
    for (size_t j = 0; j < f->p; j++) {
        f->g[j] =
            f->g[j] / n + f->l2 * w[j] - f->mean[j] * f->g_bias / f->h_bias;
        for (size_t k = 0; k <= j; k++) {
            double h =
                f->h[j * f->p + k] / n - f->mean[j] * f->mean[k] / f->h_bias;

            f->h[j * f->p + k] = f->h[k * f->p + j] = h;
        }
        f->h[j * f->p + j] += f->l2;
    }
    return true;
}

/* step = -h^-1 g; false when h is not positive definite, or the work is
 * stopped. */
static bool
solve_cholesky(struct fitting *f)
{
    size_t p = f->p;
    double *a = f->solved, *s = f->step;

    for (size_t j = 0; j < p; j++) {
        double *row = a + j * p;

        if (linear_stopped(f))
            return false;
        for (size_t k = 0; k < j; k++)
            row[k] =
                (f->h[j * p + k] - dense_dot(row, a + k * p, k)) / a[k * p + k];
        row[j] = f->h[j * p + j] - dense_dot(row, row, j);
        if (!(row[j] > 1e-12 * f->h[j * p + j]))
            return false;
        row[j] = sqrt(row[j]);
        s[j] = (-f->g[j] - dense_dot(row, s, j)) / row[j];
    }
    for (size_t j = p; j-- > 0;) {
        s[j] /= a[j * p + j];
        for (size_t k = 0; k < j; k++)
            s[k] -= a[j * p + k] * s[j];
    }
    return true;
}

/* Minimise g's + s'hs/2 + l1 |w + s| by cycling over the coordinates; pull is
 * h s. */
static void
solve_descent(struct fitting *f, const double *w)
{
    size_t p = f->p;
    double moved = 1, most = 1;

    memset(f->step, 0, p * sizeof *f->step);
    memset(f->pull, 0, p * sizeof *f->pull);
    for (unsigned sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        moved = most = 0;
        for (size_t j = 0; j < p; j++) {
            double h = f->h[j * p + j], v, by;

            if (!(h > 0))
                continue;
            v = dense_shrink(h * (w[j] + f->step[j]) - f->g[j] - f->pull[j],
                             f->l1) /
                h;
            by = v - w[j] - f->step[j];
            if (by == 0)
                continue;
            f->step[j] += by;
            for (size_t k = 0; k < p; k++)
                f->pull[k] += by * f->h[j * p + k];
            moved = fmax(moved, fabs(by));
            most = fmax(most, fabs(v));
        }
        if (moved <= 1e-3 * f->tolerance * (1 + most) ||
            progress_stopped(f->ctx->progress))
            return;
    }
}

/* ---- one step ---- */

static void
move_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct fitting *f = ctx;

    (void)chunk;
    for (size_t j = 0; j < f->p; j++) {
        const double *x = f->x + j * f->n;
        double s = f->step[j];

        if (s == 0)
            continue;
        for (size_t i = begin; i < end; i++)
            f->move[i] += s * x[i];
    }
}

static void
accept_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct trial *a = ctx;
    const struct fitting *f = a->f;
    double *eta = f->eta + a->c * f->n;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        eta[i] += a->t * f->move[i];
        if (f->lse)
            f->lse[i] = row_lse(f, i, a->c, eta[i]);
    }
}

static void
step_accept(struct fitting *f, size_t c, double t, double bias)
{
    struct trial a = {f, c, t};
    double *w = f->l->weight + c * f->p;

    pool_for(f->ctx->pool, f->n, LINEAR_ROWS, accept_chunk, &a);
    for (size_t j = 0; j < f->p; j++)
        w[j] += t * f->step[j];
    f->l->bias[c] += t * bias;
}

double
linear_step(struct fitting *f, size_t c)
{
    const double *w = f->l->weight + c * f->p;
    double bias, before, t = 1, moved = 0, most = 1;
    unsigned halvings = 0;

    if (!model_build(f, c))
        return 0;
    if (f->p > LINEAR_GRAM_COLS)
        wide_solve(f, w);
    else if (f->l1 > 0 || !solve_cholesky(f))
        solve_descent(f, w);
    if (linear_stopped(f))
        return 0;
    bias = -(f->g_bias + dense_dot(f->mean, f->step, f->p)) / f->h_bias;
    for (size_t i = 0; i < f->n; i++)
        f->move[i] = bias;
    pool_for(f->ctx->pool, f->n, LINEAR_ROWS, move_chunk, f);
    before = objective(f, c, 0);
    /* Rounding may lift the objective by a last digit at the minimum. */
    while (!(objective(f, c, t) <= before + 1e-13 * (1 + fabs(before))))
        if (++halvings > LINEAR_MAX_HALVINGS || linear_stopped(f))
            return 0;
        else
            t /= 2;
    step_accept(f, c, t, bias);
    moved = fabs(t * bias);
    for (size_t j = 0; j < f->p; j++) {
        moved = fmax(moved, fabs(t * f->step[j]));
        most = fmax(most, fabs(w[j]));
    }
    return moved / most;
}
