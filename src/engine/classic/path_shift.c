/* engine/classic/path_shift.c -- ridge of many rows and many columns.
 *
 * Conjugate gradients for the least lambda; all others are that matrix with
 * more on its diagonal, whose solutions lie in the same spaces: their steps
 * follow from those of the first by three numbers, without a product of their
 * own.  Vectors have length p for the problem of all rows.  Of the others only
 * what they say of the rows that they leave out is kept: a number for each row
 * and lambda.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/panels.h"
#include "engine/classic/path_choose.h"
#include "engine/classic/path_wide.h"

/* A lambda of a problem. */
struct shifted {
    double shift;       /* over the least lambda */
    double scale, last; /* its rest over that of the least lambda; over the one
                           before */
    double back;        /* how much of the last direction is in the next */
    bool done;
};

struct gradients {
    double rest, before; /* squares of the rest, now and one turn ago */
    double step, step_before, back;
    double still; /* the rest, over the root of lambda, where it is done */
    double mean;  /* of the direction, through the means of the columns */
    bool done;
};

struct shifting {
    struct wide *w;
    double *mean;            /* (p, q) */
    double *way, *rest, *by; /* (p, q): directions, rests, products */
    double *seen;            /* (n, q): products of the rows with directions */
    double *held, *held_before; /* n: of each row, by the problem that leaves
                                   it out */
    double *told, *told_way;    /* (n_steps, n): what is said of them */
    double *weight_way;         /* (n_steps, p) */
    double *all;                /* p: rest of the last problem */
    struct gradients *of;       /* k */
    struct shifted *at;         /* (k, n_steps) */
};

static struct shifted *
shifted_of(const struct shifting *s, size_t k, size_t step)
{
    return s->at + k * s->w->n_steps + step;
}

static double
least_lambda(const struct wide *w)
{
    return w->lambda[w->n_steps - 1];
}

/* ---- products ---- */

/* What the rows see of the directions, less its mean; then only those that a
 * problem learns from. */
static void
rows_see(struct shifting *s)
{
    const struct wide *w = s->w;

    wide_forward(w, s->way, s->seen);
    for (size_t k = 0; k < w->k; k++)
        s->of[k].mean = 0;
    for (size_t j = 0; j < w->p; j++)
        for (size_t k = 0; k < w->k; k++)
            s->of[k].mean += s->mean[j * w->q + k] * s->way[j * w->q + k];
    for (size_t k = 0; k < w->k; k++) {
        struct wide_rows out = wide_left_out(w, k);

        for (size_t i = 0; i < w->n; i++)
            s->seen[i * w->q + k] -= s->of[k].mean * w->root[i];
        for (size_t i = out.from; i < out.to; i++) {
            double now = s->seen[i * w->q + k];

            /* Of the rest: the direction is that, and a part of the last. */
            s->held[i] = now - s->of[k].back * s->held_before[i];
            s->held_before[i] = now;
            s->seen[i * w->q + k] = 0;
        }
    }
}

/* How far to go. */
static void
steps_find(struct shifting *s)
{
    const struct wide *w = s->w;
    double curve[PATH_MAX_FOLDS + 1] = {0}, length[PATH_MAX_FOLDS + 1] = {0};

    for (size_t i = 0; i < w->n; i++)
        for (size_t k = 0; k < w->k; k++)
            curve[k] += s->seen[i * w->q + k] * s->seen[i * w->q + k];
    for (size_t j = 0; j < w->p; j++)
        for (size_t k = 0; k < w->k; k++)
            length[k] += s->way[j * w->q + k] * s->way[j * w->q + k];
    for (size_t k = 0; k < w->k; k++) {
        struct gradients *g = &s->of[k];
        double h =
            g->done ? 0 : curve[k] / w->total[k] + least_lambda(w) * length[k];

        g->step_before = g->step;
        g->step = h > 0 ? g->rest / h : 0;
        g->done |= !(h > 0);
    }
}

static void
rests_find(struct shifting *s)
{
    const struct wide *w = s->w;
    double sum[PATH_MAX_FOLDS + 1] = {0}, least = least_lambda(w);

    for (size_t j = 0; j < w->p; j++)
        s->all[j] = s->rest[j * w->q + w->k - 1];
    wide_back(w, s->seen, s->by);
    for (size_t j = 0; j < w->p; j++)
        for (size_t k = 0; k < w->k; k++) {
            size_t c = j * w->q + k;
            double by =
                s->of[k].done ? 0 : s->by[c] / w->total[k] + least * s->way[c];

            s->rest[c] -= s->of[k].step * by;
            sum[k] += s->rest[c] * s->rest[c];
        }
    for (size_t k = 0; k < w->k; k++) {
        s->of[k].before = s->of[k].rest;
        s->of[k].rest = sum[k];
    }
}

static void
ways_turn(struct shifting *s)
{
    const struct wide *w = s->w;

    for (size_t k = 0; k < w->k; k++)
        s->of[k].back = s->of[k].done ? 0 : s->of[k].rest / s->of[k].before;
    for (size_t j = 0; j < w->p; j++)
        for (size_t k = 0; k < w->k; k++) {
            size_t c = j * w->q + k;

            s->way[c] = s->rest[c] + s->of[k].back * s->way[c];
        }
}

/* ---- all lambdas ---- */

/* way = scale rest + back way; at += step way. */
static void
vectors_move(const struct shifted *a, double step, const double *rest,
             double *way, double *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        way[i] = a->scale * rest[i] + a->back * way[i];
        at[i] += step * way[i];
    }
}

static void
shift_move(struct shifting *s, size_t k, size_t step)
{
    const struct wide *w = s->w;
    const struct gradients *g = &s->of[k];
    struct shifted *a = shifted_of(s, k, step);
    struct wide_rows out = wide_left_out(w, k);
    size_t at = step * w->n + out.from;
    double ratio = 1 + a->shift * g->step, next;

    if (a->done || g->done)
        return;
    if (g->step_before > 0)
        ratio += g->step * g->back / g->step_before * (1 - a->last);
    next = 1 / ratio;
    if (k + 1 == w->k)
        vectors_move(a, g->step * next, s->all, s->weight_way + step * w->p,
                     w->weight + step * w->p, w->p);
    else
        vectors_move(a, g->step * next, s->held + out.from, s->told_way + at,
                     s->told + at, out.to - out.from);
    a->scale *= next;
    a->last = next;
    a->back = g->rest / g->before * next * next;
    a->done = fabs(a->scale) * sqrt(g->rest) <=
              g->still * sqrt(fmax(w->lambda[step], 1e-12));
}

static void
shift_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct shifting *s = ctx;

    (void)chunk;
    for (size_t i = begin; i < end && !wide_stopped(s->w); i++)
        for (size_t k = 0; k < s->w->k; k++)
            shift_move(s, k, i);
}

static bool
all_done(struct shifting *s)
{
    bool all = true;

    for (size_t k = 0; k < s->w->k; k++) {
        bool done = true;

        for (size_t i = 0; i < s->w->n_steps; i++)
            done &= shifted_of(s, k, i)->done;
        s->of[k].done |= done || !(s->of[k].rest > 0);
        all &= s->of[k].done;
    }
    return all;
}

/* ---- the whole ---- */

static void
shifts_begin(struct shifting *s)
{
    const struct wide *w = s->w;

    for (size_t k = 0; k < w->k; k++) {
        struct gradients *g = &s->of[k];

        g->still = wide_tolerance(w, k) * wide_target(w, k);
        g->done = !(w->total[k] > 0);
        for (size_t i = 0; i < w->n_steps; i++)
            *shifted_of(s, k, i) = (struct shifted){
                .shift = w->lambda[i] - least_lambda(w), .scale = 1, .last = 1};
    }
}

/* Rests at weights of 0: products with what is learnt. */
static void
rests_begin(struct shifting *s)
{
    const struct wide *w = s->w;

    for (size_t k = 0; k < w->k; k++) {
        struct wide_rows out = wide_left_out(w, k);

        for (size_t i = 0; i < w->n; i++)
            s->seen[i * w->q + k] = i < out.from || i >= out.to
                                        ? w->y[i] - w->root[i] * w->y_mean[k]
                                        : 0;
    }
    wide_back(w, s->seen, s->rest);
    for (size_t j = 0; j < w->p; j++)
        for (size_t k = 0; k < w->k; k++) {
            size_t c = j * w->q + k;

            s->rest[c] = s->of[k].done ? 0 : s->rest[c] / w->total[k];
            s->of[k].rest += s->rest[c] * s->rest[c];
        }
    memcpy(s->way, s->rest, w->p * w->q * sizeof *s->way);
}

static void
tell(const struct shifting *s)
{
    const struct wide *w = s->w;

    for (size_t k = 0; k + 1 < w->k; k++)
        for (size_t i = 0; i < w->n_steps; i++) {
            struct wide_rows out = wide_left_out(w, k);
            double squares = 0;

            for (size_t r = out.from; r < out.to; r++) {
                double e =
                    w->y[r] - w->root[r] * w->y_mean[k] - s->told[i * w->n + r];

                squares += e * e;
            }
            wide_judge(w, k, i, squares);
        }
}

static bool
turns_run(struct shifting *s, struct error *err)
{
    const struct wide *w = s->w;

    for (unsigned turn = 0; turn < w->max_iter && !all_done(s); turn++) {
        rows_see(s);
        steps_find(s);
        rests_find(s);
        pool_for(w->ctx->pool, w->n_steps, 1, shift_chunk, s);
        ways_turn(s);
        if (w->ctx->progress && !progress_check(w->ctx->progress, err))
            return false;
    }
    return true;
}

static bool
shifting_init(struct shifting *s, struct error *err)
{
    const struct wide *w = s->w;
    size_t told = w->k > 1 ? w->n : 0;

    return dense_try(&s->mean, w->p, w->q, err) &&
           dense_try(&s->way, w->p, w->q, err) &&
           dense_try(&s->rest, w->p, w->q, err) &&
           dense_try(&s->by, w->p, w->q, err) &&
           dense_try(&s->seen, w->n, w->q, err) &&
           dense_try(&s->held, w->n, 1, err) &&
           dense_try(&s->held_before, w->n, 1, err) &&
           dense_try(&s->told, w->n_steps, told, err) &&
           dense_try(&s->told_way, w->n_steps, told, err) &&
           dense_try(&s->weight_way, w->n_steps, w->p, err) &&
           dense_try(&s->all, w->p, 1, err) &&
           (s->of = mem_try_array(w->k, sizeof *s->of, err)) &&
           (s->at = mem_try_array(w->k * w->n_steps, sizeof *s->at, err)) &&
           wide_means(w, s->mean, NULL, err);
}

static void
shifting_fini(struct shifting *s)
{
    free(s->mean);
    free(s->way);
    free(s->rest);
    free(s->by);
    free(s->seen);
    free(s->held);
    free(s->held_before);
    free(s->told);
    free(s->told_way);
    free(s->weight_way);
    free(s->all);
    free(s->of);
    free(s->at);
}

bool
wide_shift(struct wide *w, struct error *err)
{
    struct shifting s = {.w = w};
    bool ok = shifting_init(&s, err);

    if (ok) {
        shifts_begin(&s);
        rests_begin(&s);
        ok = turns_run(&s, err);
    }
    if (ok)
        tell(&s);
    shifting_fini(&s);
    return ok;
}
