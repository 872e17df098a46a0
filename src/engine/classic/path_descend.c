/* engine/classic/path_descend.c -- lasso and elastic net of many columns.
 *
 * At each lambda only the columns that the strong rule leaves are gone through,
 * along the residuals: a dot product, and where the weight moves the column is
 * taken from the residuals.  Once these rest, the slopes of all columns are
 * found in one pass, for all problems at once; those that would leave 0 join,
 * until there are none.  The slopes say what is left at the next lambda.  Where
 * lambdas are far apart there are steps between them, which are not told.
 *
 * The mean of the residuals is kept as a number apart, so that columns need not
 * be centred anew for each problem.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/eigen.h"
#include "engine/classic/panels.h"
#include "engine/classic/path_choose.h"
#include "engine/classic/path_solve.h"
#include "engine/classic/path_wide.h"

enum {
    LEAP_EVERY = 10, /* turns, at least */
    LEAP_SHARE = 8,  /* turns cost as much as a leap where they are an eighth of
                        the weights */
    LEAP_MOST = 2048 /* weights */
};
#define STEP_BETWEEN 0.7   /* a lambda is at least this share of the last */
#define LEAST_BETWEEN 1e-6 /* of the largest: below it there are none between */
#define BETWEEN_TOLERANCE 1e-4

struct descent {
    const struct wide *w;
    size_t k;                    /* which problem */
    const double *slope;         /* (p, q): of all problems */
    const double *mean, *square; /* (p, q) */
    double *weight;              /* p */
    double *rest;                /* n: errors less their mean */
    double shift;                /* that mean, over root */
    uint8_t *in;                 /* p: is it gone through? */
    uint32_t *set;               /* those that are, in order */
    size_t n_set;
    size_t most;
    double *leap; /* (most + 1, most) */
    size_t *on;   /* most */
    double l1, l2, still;
    bool joined; /* did columns join? */
};

struct descending {
    struct wide *w;
    double *mean, *square, *slope; /* (p, q) */
    double *rest;                  /* (n, q): of the rows learnt from */
    struct descent *of;            /* k */
    double lambda, before, loosest;
};

static double
mean_of(const struct descent *o, size_t j)
{
    return o->mean[j * o->w->q + o->k];
}

static double
square_of(const struct descent *o, size_t j)
{
    return o->square[j * o->w->q + o->k];
}

/* What is left of the product with the errors, their mean taken out. */
static double
slope_of(const struct descent *o, size_t j, double product)
{
    double total = o->w->total[o->k];

    return product / total + o->shift * mean_of(o, j);
}

static double
slope_now(const struct descent *o, size_t j)
{
    return slope_of(o, j, wide_dot(o->w, o->k, o->w->x + j * o->w->n, o->rest));
}

static double
slope_known(const struct descent *o, size_t j)
{
    return slope_of(o, j, o->slope[j * o->w->q + o->k]);
}

static void
move_weight(struct descent *o, size_t j, double by)
{
    const double *x = o->w->x + j * o->w->n;

    for (size_t i = 0; i < o->w->n; i++)
        o->rest[i] -= by * x[i];
    o->shift += by * mean_of(o, j);
}

/* One coordinate; how far it moved, in deviations of the target. */
static double
descend(struct descent *o, size_t j)
{
    double h = square_of(o, j), v, move;

    if (!(h + o->l2 > 0))
        return 0;
    v = dense_shrink(slope_now(o, j) + h * o->weight[j], o->l1) / (h + o->l2);
    move = v - o->weight[j];
    if (move == 0)
        return 0;
    move_weight(o, j, move);
    o->weight[j] = v;
    return fabs(move) * sqrt(h);
}

/* ---- leaps ---- */

/* Which weights are not 0; more than `most` where there are too many. */
static size_t
weights_on(const struct descent *o)
{
    size_t n = 0;

    for (size_t s = 0; s < o->n_set; s++) {
        if (o->weight[o->set[s]] == 0)
            continue;
        if (n == o->most)
            return o->most + 1;
        o->on[n++] = o->set[s];
    }
    return n;
}

static bool
leap_build(struct descent *o, size_t n, double *step)
{
    const struct wide *w = o->w;

    for (size_t i = 0; i < n; i++) {
        size_t j = o->on[i];

        for (size_t k = 0; k <= i && !wide_stopped(w); k++)
            o->leap[i * n + k] =
                wide_dot(w, o->k, w->x + j * w->n, w->x + o->on[k] * w->n) /
                    w->total[o->k] -
                mean_of(o, j) * mean_of(o, o->on[k]);
        o->leap[i * n + i] += o->l2;
        step[i] = slope_now(o, j) - o->l2 * o->weight[j] -
                  copysign(o->l1, o->weight[j]);
    }
    return cholesky(o->leap, n, w->ctx->progress);
}

/* As leap() of path_solve.c does. */
static void
leap(struct descent *o)
{
    double *step = o->leap + o->most * o->most, share;
    size_t n = weights_on(o), first;

    if (n == 0 || n > o->most || !leap_build(o, n, step))
        return;
    cholesky_solve(o->leap, n, step);
    share = path_reach(o->weight, o->on, step, n, &first);
    for (size_t i = 0; i < n && !wide_stopped(o->w); i++) {
        size_t j = o->on[i];
        double move = j == first ? -o->weight[j] : share * step[i];

        move_weight(o, j, move);
        o->weight[j] = j == first ? 0 : o->weight[j] + move;
    }
}

/* ---- one lambda ---- */

static double
turn(struct descent *o, bool all)
{
    double most = 0;

    for (size_t s = 0; s < o->n_set; s++) {
        if (wide_stopped(o->w))
            return 0;
        if (all || o->weight[o->set[s]] != 0)
            most = fmax(most, descend(o, o->set[s]));
    }
    return most;
}

/* Through the weights that are not 0 until they rest, then through the set;
 * rest these too, it is done. */
static void
set_solve(struct descent *o)
{
    unsigned since = 0;

    for (unsigned i = 0; i < o->w->max_iter; i++) {
        if (turn(o, true) <= o->still)
            return;
        while (i++ < o->w->max_iter && turn(o, false) > o->still) {
            size_t n;

            if (++since < LEAP_EVERY)
                continue;
            n = weights_on(o);
            if (n <= o->most && since < n / LEAP_SHARE)
                continue;
            leap(o);
            since = 0;
        }
        if (wide_stopped(o->w))
            return;
    }
}

static void
solve_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct descending *s = ctx;

    (void)chunk;
    for (size_t k = begin; k < end; k++)
        if (s->of[k].joined)
            set_solve(&s->of[k]);
}

static void
set_take(struct descent *o)
{
    o->n_set = 0;
    for (size_t j = 0; j < o->w->p; j++)
        if (o->in[j])
            o->set[o->n_set++] = (uint32_t)j;
}

/* Which columns may have a weight at lambda, by the slopes before. */
static void
screen_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct descending *s = ctx;
    double ratio = s->w->l1_ratio, least = ratio * (2 * s->lambda - s->before);

    (void)chunk;
    for (size_t k = begin; k < end; k++) {
        struct descent *o = &s->of[k];
        double loose = fmax(wide_tolerance(s->w, k), s->loosest);

        o->l1 = s->lambda * ratio;
        o->l2 = s->lambda * (1 - ratio);
        o->still = loose * wide_target(s->w, k);
        o->joined = s->w->total[k] > 0;
        for (size_t j = 0; j < s->w->p && o->joined; j++)
            o->in[j] = o->weight[j] != 0 || fabs(slope_known(o, j)) >= least;
        set_take(o);
    }
}

static bool
would_move(const struct descent *o, size_t j)
{
    double h = square_of(o, j), over = fabs(slope_known(o, j)) - o->l1;

    return over > 0 && h > 0 && over / (h + o->l2) * sqrt(h) > o->still;
}

static void
join_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct descending *s = ctx;

    (void)chunk;
    for (size_t k = begin; k < end; k++) {
        struct descent *o = &s->of[k];
        bool looked = o->joined;

        o->joined = false;
        for (size_t j = 0; j < s->w->p && looked; j++)
            if (!o->in[j] && would_move(o, j)) {
                o->in[j] = 1;
                o->joined = true;
            }
        if (o->joined)
            set_take(o);
    }
}

static void
slopes_find(struct descending *s)
{
    const struct wide *w = s->w;

    for (size_t k = 0; k < w->k; k++) {
        struct wide_rows out = wide_left_out(w, k);

        for (size_t i = 0; i < w->n; i++)
            s->rest[i * w->q + k] =
                i < out.from || i >= out.to ? s->of[k].rest[i] : 0;
    }
    wide_back(w, s->rest, s->slope);
}

static bool
go_to(struct descending *s, double lambda, double loosest, struct error *err)
{
    struct pool *pool = s->w->ctx->pool;
    bool more = true;

    s->lambda = lambda;
    s->loosest = loosest;
    pool_for(pool, s->w->k, 1, screen_chunk, s);
    while (more) {
        pool_for(pool, s->w->k, 1, solve_chunk, s);
        slopes_find(s);
        if (s->w->ctx->progress && !progress_check(s->w->ctx->progress, err))
            return false;
        pool_for(pool, s->w->k, 1, join_chunk, s);
        more = false;
        for (size_t k = 0; k < s->w->k; k++)
            more |= s->of[k].joined;
    }
    s->before = lambda;
    return true;
}

/* ---- the path ---- */

static void
step_take(const struct descending *s, size_t step)
{
    const struct wide *w = s->w;

    for (size_t k = 0; k + 1 < w->k; k++) {
        const struct descent *o = &s->of[k];
        struct wide_rows out = wide_left_out(w, k);
        double squares = 0;

        for (size_t i = out.from; i < out.to; i++) {
            double e = o->rest[i] + o->shift * w->root[i];

            squares += e * e;
        }
        wide_judge(w, k, step, squares);
    }
    memcpy(w->weight + step * w->p, s->of[w->k - 1].weight,
           w->p * sizeof *w->weight);
}

static bool
descent_init(struct descent *o, const struct descending *s, size_t k,
             struct error *err)
{
    const struct wide *w = s->w;
    size_t most = w->p < w->n ? w->p : w->n;

    *o = (struct descent){.w = w,
                          .k = k,
                          .slope = s->slope,
                          .mean = s->mean,
                          .square = s->square,
                          .shift = -w->y_mean[k],
                          .most = most < LEAP_MOST ? most : LEAP_MOST};
    if (!dense_try(&o->weight, w->p, 1, err) ||
        !dense_try(&o->rest, w->n, 1, err) ||
        !(o->in = mem_try_array(w->p, 1, err)) ||
        !(o->set = mem_try_array(w->p, sizeof *o->set, err)) ||
        !(o->on = mem_try_array(o->most, sizeof *o->on, err)) ||
        !dense_try(&o->leap, o->most + 1, o->most, err))
        return false;
    memcpy(o->rest, w->y, w->n * sizeof *o->rest);
    return true;
}

static void
descending_fini(struct descending *s)
{
    for (size_t k = 0; k < s->w->k && s->of; k++) {
        free(s->of[k].weight);
        free(s->of[k].rest);
        free(s->of[k].in);
        free(s->of[k].set);
        free(s->of[k].on);
        free(s->of[k].leap);
    }
    free(s->of);
    free(s->mean);
    free(s->square);
    free(s->slope);
    free(s->rest);
}

static bool
descending_init(struct descending *s, struct error *err)
{
    struct wide *w = s->w;

    if (!dense_try(&s->mean, w->p, w->q, err) ||
        !dense_try(&s->square, w->p, w->q, err) ||
        !dense_try(&s->slope, w->p, w->q, err) ||
        !dense_try(&s->rest, w->n, w->q, err) ||
        !(s->of = mem_try_array(w->k, sizeof *s->of, err)))
        return false;
    for (size_t k = 0; k < w->k; k++)
        if (!descent_init(&s->of[k], s, k, err))
            return false;
    if (!wide_means(w, s->mean, s->square, err))
        return false;
    slopes_find(s);
    return true;
}

static double
largest_lambda(const struct descending *s)
{
    double most = 0;

    for (size_t k = 0; k < s->w->k; k++)
        for (size_t j = 0; j < s->w->p && s->w->total[k] > 0; j++)
            most = fmax(most, fabs(slope_known(&s->of[k], j)));
    return most / s->w->l1_ratio;
}

static bool
path_go(struct descending *s, struct error *err)
{
    struct wide *w = s->w;
    double most = s->before = largest_lambda(s);

    for (size_t i = 0; i < w->n_steps; i++) {
        while (w->lambda[i] < STEP_BETWEEN * s->before &&
               s->before > LEAST_BETWEEN * most)
            if (!go_to(s, STEP_BETWEEN * s->before, BETWEEN_TOLERANCE, err))
                return false;
        if (!go_to(s, w->lambda[i], 0, err))
            return false;
        step_take(s, i);
        if (w->ctx->progress)
            progress_set(w->ctx->progress, i + 1);
    }
    return true;
}

bool
wide_descend(struct wide *w, struct error *err)
{
    struct descending s = {.w = w};
    bool ok = descending_init(&s, err) && path_go(&s, err);

    descending_fini(&s);
    return ok;
}
