/* engine/classic/softmax.c -- Newton steps for several classes at once.
 *
 * The Hessian of k classes has (k p)^2 entries and is never made: conjugate
 * gradients, preconditioned by its diagonal, need only its product with a
 * vector, two passes over the rows.  Vectors lie class by class, p weights and
 * an intercept each.
 * Source: Lin, Weng, Keerthi, "Trust region Newton method for large-scale
 *         logistic regression", JMLR 9, 2008 (the product and the stopping).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "engine/classic/linear_fit.h"

enum { MAX_CG = 1000 };

struct softmax {
    size_t m;     /* k (p + 1) */
    double *prob; /* (k, n) */
    double *u;    /* (k, n): x v, then what goes back through x */
    double *g, *step, *rest, *solved, *along, *product, *diagonal; /* m each */
    double first; /* length of the first gradient */
};

void
softmax_free(struct softmax *s)
{
    if (!s)
        return;
    free(s->prob);
    free(s->u);
    free(s->g);
    free(s);
}

struct softmax *
softmax_new(const struct fitting *f, struct error *err)
{
    struct softmax *s = mem_try_array(1, sizeof *s, err);

    if (!s)
        return NULL;
    s->m = f->k * (f->p + 1);
    /* k n is what eta has already passed. */
    if (!(s->prob = mem_try_array(f->k * f->n, sizeof *s->prob, err)) ||
        !(s->u = mem_try_array(f->k * f->n, sizeof *s->u, err)) ||
        !(s->g = mem_try_array(7 * s->m, sizeof *s->g, err))) {
        softmax_free(s);
        return NULL;
    }
    s->step = s->g + s->m;
    s->rest = s->step + s->m;
    s->solved = s->rest + s->m;
    s->along = s->solved + s->m;
    s->product = s->along + s->m;
    s->diagonal = s->product + s->m;
    return s;
}

/* ---- passes over the rows ---- */

struct pass {
    struct softmax *s;
    struct fitting *f;
    const double *v; /* m */
    double *out;     /* m */
    double t;
};

/* prob, and u = prob - truth. */
static void
prob_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct pass *a = ctx;
    size_t n = a->f->n;

    (void)chunk;
    for (size_t c = 0; c < a->f->k; c++)
        for (size_t i = begin; i < end; i++) {
            double p = fm_exp(a->f->eta[c * n + i] - a->f->lse[i]);

            a->s->prob[c * n + i] = p;
            a->s->u[c * n + i] =
                linear_weight(a->f, i) * (p - ((size_t)a->f->y[i] == c));
        }
}

/* u = x v for rows begin..end-1. */
static void
forward(const struct pass *a, size_t begin, size_t end)
{
    const struct fitting *f = a->f;

    for (size_t c = 0; c < f->k; c++) {
        const double *v = a->v + c * (f->p + 1);
        double *u = a->s->u + c * f->n;

        for (size_t i = begin; i < end; i++)
            u[i] = v[f->p];
        for (size_t j = 0; j < f->p; j++) {
            const double *x = f->x + j * f->n;

            for (size_t i = begin; i < end; i++)
                u[i] += v[j] * x[i];
        }
    }
}

/* u = prob (x v - sum over classes of prob x v). */
static void
curve_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct pass *a = ctx;
    const struct fitting *f = a->f;
    const double *p = a->s->prob;
    double *u = a->s->u;

    (void)chunk;
    for (size_t r = begin; r < end && !linear_stopped(f); r += LINEAR_TILE) {
        size_t stop = end - r < LINEAR_TILE ? end : r + LINEAR_TILE;

        forward(a, r, stop);
        for (size_t i = r; i < stop; i++) {
            double mean = 0;

            for (size_t c = 0; c < f->k; c++)
                mean += p[c * f->n + i] * u[c * f->n + i];
            for (size_t c = 0; c < f->k; c++)
                u[c * f->n + i] = linear_weight(f, i) * p[c * f->n + i] *
                                  (u[c * f->n + i] - mean);
        }
    }
}

static void
forward_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct pass *a = ctx;

    (void)chunk;
    for (size_t r = begin; r < end && !linear_stopped(a->f); r += LINEAR_TILE)
        forward(a, r, end - r < LINEAR_TILE ? end : r + LINEAR_TILE);
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

/* out = x' u / n + l2 v, a column at a time; column p is the intercept. */
static void
back_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct pass *a = ctx;
    const struct fitting *f = a->f;

    (void)chunk;
    for (size_t j = begin; j < end; j++)
        for (size_t c = 0; c < f->k && !linear_stopped(f); c++) {
            const double *u = a->s->u + c * f->n;
            size_t at = c * (f->p + 1) + j;

            if (j == f->p)
                a->out[at] = dense_sum(u, f->n) / f->total;
            else
                a->out[at] = dot_tiled(f->x + j * f->n, u, f->n) / f->total +
                             f->l2 * a->v[at];
        }
}

static void
diagonal_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct pass *a = ctx;
    const struct fitting *f = a->f;

    (void)chunk;
    for (size_t j = begin; j < end; j++)
        for (size_t c = 0; c < f->k && !linear_stopped(f); c++) {
            const double *p = a->s->prob + c * f->n, *x = f->x + j * f->n;
            double sum = 0;

            for (size_t i = 0; i < f->n; i++) {
                double v = j == f->p ? 1 : x[i];

                sum += linear_weight(f, i) * p[i] * (1 - p[i]) * v * v;
            }
            a->out[c * (f->p + 1) + j] =
                sum / f->total + (j == f->p ? 0 : f->l2);
        }
}

/* ---- conjugate gradients ---- */

static void
weights_gather(const struct fitting *f, double *v)
{
    for (size_t c = 0; c < f->k; c++) {
        memcpy(v + c * (f->p + 1), f->l->weight + c * f->p, f->p * sizeof *v);
        v[c * (f->p + 1) + f->p] = 0;
    }
}

/* The gradient and the diagonal of the Hessian at the weights at hand. */
static void
gradient(struct softmax *s, struct fitting *f)
{
    struct pass a = {.s = s, .f = f, .v = s->along, .out = s->g};

    weights_gather(f, s->along);
    pool_for(f->ctx->pool, f->n, LINEAR_ROWS, prob_chunk, &a);
    pool_for(f->ctx->pool, f->p + 1, 1, back_chunk, &a);
    a.out = s->diagonal;
    pool_for(f->ctx->pool, f->p + 1, 1, diagonal_chunk, &a);
}

static double
precondition(struct softmax *s)
{
    for (size_t i = 0; i < s->m; i++)
        s->solved[i] =
            s->diagonal[i] > 0 ? s->rest[i] / s->diagonal[i] : s->rest[i];
    return dense_dot(s->rest, s->solved, s->m);
}

/* step ~ -h^-1 g, the closer the shorter g has become.  False when g is down
 * to what rounding leaves of it, and when the work is stopped. */
static bool
solve(struct softmax *s, struct fitting *f)
{
    struct pass a = {.s = s, .f = f, .v = s->along, .out = s->product};
    double length = sqrt(dense_dot(s->g, s->g, s->m)), now, goal;

    if (s->first == 0)
        s->first = length;
    if (length <= 1e-14 * s->first)
        return false;
    goal = length * fmax(1e-3, fmin(0.1, sqrt(length / s->first)));
    for (size_t i = 0; i < s->m; i++) {
        s->step[i] = 0;
        s->rest[i] = -s->g[i];
    }
    now = precondition(s);
    memcpy(s->along, s->solved, s->m * sizeof *s->along);
    for (unsigned i = 0; i < MAX_CG; i++) {
        double curve, t, before = now;

        if (dense_dot(s->rest, s->rest, s->m) <= goal * goal)
            break;
        pool_for(f->ctx->pool, f->n, LINEAR_ROWS, curve_chunk, &a);
        pool_for(f->ctx->pool, f->p + 1, 1, back_chunk, &a);
        if (linear_stopped(f))
            return false;
        curve = dense_dot(s->along, s->product, s->m);
        if (!(curve > 0))
            break;
        t = now / curve;
        for (size_t j = 0; j < s->m; j++) {
            s->step[j] += t * s->along[j];
            s->rest[j] -= t * s->product[j];
        }
        now = precondition(s);
        for (size_t j = 0; j < s->m; j++)
            s->along[j] = s->solved[j] + now / before * s->along[j];
    }
    return true;
}

/* ---- the step ---- */

static double
row_lse(const struct pass *a, size_t i)
{
    const struct fitting *f = a->f;
    double top = -(double)INFINITY, sum = 0;

    for (size_t c = 0; c < f->k; c++)
        top = fmax(top, f->eta[c * f->n + i] + a->t * a->s->u[c * f->n + i]);
    for (size_t c = 0; c < f->k; c++)
        sum +=
            fm_exp(f->eta[c * f->n + i] + a->t * a->s->u[c * f->n + i] - top);
    return top + fm_log(sum);
}

static void
loss_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct pass *a = ctx;
    const struct fitting *f = a->f;
    double sum = 0;

    for (size_t i = begin; i < end; i++) {
        size_t at = (size_t)f->y[i] * f->n + i;

        sum += linear_weight(f, i) *
               (row_lse(a, i) - f->eta[at] - a->t * a->s->u[at]);
    }
    f->partial[chunk] = sum;
}

static double
objective(const struct pass *a)
{
    const struct fitting *f = a->f;
    double sum = 0, squares = 0;

    pool_for(f->ctx->pool, f->n, LINEAR_ROWS, loss_chunk, (void *)(uintptr_t)a);
    for (size_t i = 0; i < pool_chunks(f->n, LINEAR_ROWS); i++)
        sum += f->partial[i];
    for (size_t c = 0; c < f->k; c++)
        for (size_t j = 0; j < f->p; j++) {
            double w = f->l->weight[c * f->p + j] +
                       a->t * a->s->step[c * (f->p + 1) + j];

            squares += w * w;
        }
    return sum / f->total + 0.5 * f->l2 * squares;
}

static void
accept_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct pass *a = ctx;
    struct fitting *f = a->f;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        f->lse[i] = row_lse(a, i);
        for (size_t c = 0; c < f->k; c++)
            f->eta[c * f->n + i] += a->t * a->s->u[c * f->n + i];
    }
}

/* Move the weights; the largest change, relative as in linear_step(). */
static double
accept(const struct pass *a)
{
    struct fitting *f = a->f;
    double moved = 0, most = 1;

    pool_for(f->ctx->pool, f->n, LINEAR_ROWS, accept_chunk,
             (void *)(uintptr_t)a);
    for (size_t c = 0; c < f->k; c++)
        for (size_t j = 0; j <= f->p; j++) {
            double by = a->t * a->s->step[c * (f->p + 1) + j];
            double *w = j < f->p ? &f->l->weight[c * f->p + j] : &f->l->bias[c];

            *w += by;
            moved = fmax(moved, fabs(by));
            most = fmax(most, fabs(*w));
        }
    return moved / most;
}

double
softmax_step(struct softmax *s, struct fitting *f)
{
    struct pass a = {.s = s, .f = f, .v = s->step};
    double before;

    gradient(s, f);
    if (linear_stopped(f) || !solve(s, f))
        return 0;
    pool_for(f->ctx->pool, f->n, LINEAR_ROWS, forward_chunk, &a);
    before = objective(&a);
    a.t = 1;
    for (unsigned i = 0; i <= LINEAR_MAX_HALVINGS && !linear_stopped(f);
         i++, a.t /= 2)
        if (objective(&a) <= before + 1e-13 * (1 + fabs(before)))
            return accept(&a);
    return 0;
}
