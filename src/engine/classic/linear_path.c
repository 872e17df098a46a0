/* engine/classic/linear_path.c -- logistic regression along a path of lambdas.
 *
 * Each lambda begins where the one before it ended.  A fold's rows are held out
 * by giving them no weight; what they lose tells how well a lambda predicts.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "engine/classic/linear_fit.h"
#include "engine/classic/path_choose.h"

#define LEAST_RATIO 0.001 /* ridge has no lambda where all weights are 0 */
#define FOLD_TOLERANCE 1e-5

struct tracing {
    struct fitting *f;
    const struct linear_path *by;
    const double *weight; /* of the rows, as they are */
    double *held;         /* n: the weights without a fold */
    uint8_t *fold;
    double *lambda, *loss; /* (folds, steps) */
    double *bias;          /* (steps, k) */
};

/* ---- the rows of a fold ---- */

static double
weight_of(const struct tracing *t, size_t i)
{
    return t->weight ? t->weight[i] : 1;
}

/* Rows of all folds but one; past the last: of all. */
static void
take_rows(struct tracing *t, size_t left_out)
{
    struct fitting *f = t->f;

    f->total = 0;
    for (size_t i = 0; i < f->n; i++) {
        t->held[i] = t->fold[i] == left_out ? 0 : weight_of(t, i);
        f->total += t->held[i];
    }
    f->weight = t->held;
}

static double
row_loss(const struct fitting *f, size_t i)
{
    double z = f->eta[i];

    if (f->problem == PROBLEM_MULTICLASS)
        return f->lse[i] - f->eta[(size_t)f->y[i] * f->n + i];
    z = f->y[i] != 0 ? -z : z;
    return fmax(z, 0) + fm_log1p(fm_exp(-fabs(z)));
}

static double
loss_of(const struct tracing *t, size_t fold)
{
    double sum = 0, total = 0;

    for (size_t i = 0; i < t->f->n; i++)
        if (t->fold[i] == fold) {
            sum += weight_of(t, i) * row_loss(t->f, i);
            total += weight_of(t, i);
        }
    return total > 0 ? sum / total : 0;
}

/* ---- the path ---- */

/* Where the first weight leaves 0: the steepest slope of the loss where only
 * the intercepts are learnt. */
static double
largest_lambda(const struct tracing *t)
{
    const struct fitting *f = t->f;
    double most = 0;

    for (size_t c = 0; c < f->k; c++) {
        double share = 0;

        for (size_t i = 0; i < f->n; i++) {
            f->move[i] = f->k == 1 ? f->y[i] != 0 : (size_t)f->y[i] == c;
            share += linear_weight(f, i) * f->move[i] / f->total;
        }
        for (size_t i = 0; i < f->n; i++)
            f->move[i] = linear_weight(f, i) * (f->move[i] - share);
        for (size_t j = 0; j < f->p; j++)
            most = fmax(most, fabs(dense_dot(f->x + j * f->n, f->move, f->n)) /
                                  f->total);
    }
    return most / fmax(t->by->l1_ratio, LEAST_RATIO);
}

static bool
solve(struct tracing *t, double lambda, struct error *err)
{
    t->f->l1 = lambda * t->by->l1_ratio;
    t->f->l2 = lambda - t->f->l1;
    return linear_run_classes(t->f, err) &&
           progress_check(t->f->ctx->progress, err);
}

static bool
run_folds(struct tracing *t, struct error *err)
{
    size_t steps = t->by->n_steps;
    double tolerance = t->f->tolerance;

    t->f->tolerance = fmax(tolerance, FOLD_TOLERANCE);
    for (size_t k = 0; k < t->by->n_folds; k++) {
        take_rows(t, k);
        linear_reset(t->f);
        for (size_t i = 0; i < steps; i++) {
            if (!solve(t, t->lambda[i], err))
                return false;
            t->loss[k * steps + i] = loss_of(t, k);
        }
    }
    t->f->tolerance = tolerance;
    return true;
}

static bool
run_all(struct tracing *t, struct error *err)
{
    struct linear *l = t->f->l;
    size_t cells = l->p * l->k;

    take_rows(t, t->by->n_folds);
    linear_reset(t->f);
    for (size_t i = 0; i < t->by->n_steps; i++) {
        double *row = l->path + i * LINEAR_PATH_COLS;

        if (!solve(t, t->lambda[i], err))
            return false;
        row[PATH_LAMBDA] = t->lambda[i];
        memcpy(l->path_weight + i * cells, l->weight, cells * sizeof(double));
        memcpy(t->bias + i * l->k, l->bias, l->k * sizeof(double));
        for (size_t j = 0; j < cells; j++)
            row[PATH_COUNT] += l->weight[j] != 0;
    }
    return true;
}

bool
linear_trace(struct fitting *f, const struct linear_path *by, double *lambda,
             struct error *err)
{
    struct tracing t = {.f = f, .by = by, .weight = f->weight};
    struct train quiet = *f->ctx;
    const struct train *ctx = f->ctx;
    struct linear *l = f->l;
    size_t steps = by->n_steps, step = 0;
    bool ok;

    quiet.sink = (struct event_sink){0};
    f->ctx = &quiet;
    ok = dense_try(&t.held, f->n, 1, err) &&
         dense_try(&t.lambda, steps, 1, err) &&
         dense_try(&t.loss, by->n_folds, steps, err) &&
         dense_try(&t.bias, steps, l->k, err) &&
         dense_try(&l->path, steps, LINEAR_PATH_COLS, err) &&
         dense_try(&l->path_weight, steps, l->p * l->k, err) &&
         (t.fold = path_folds(f->n, by->n_folds, ctx->seed, err));
    if (ok) {
        l->n_path = steps;
        path_lambdas(largest_lambda(&t), by->reach, steps, t.lambda);
        ok = run_folds(&t, err) && run_all(&t, err);
    }
    if (ok) {
        path_sum(t.loss, by->n_folds, steps, l->path);
        step = path_choose(l->path, steps, by->simple);
        memcpy(l->weight, l->path_weight + step * l->p * l->k,
               l->p * l->k * sizeof *l->weight);
        memcpy(l->bias, t.bias + step * l->k, l->k * sizeof *l->bias);
        *lambda = t.lambda[step];
    }
    f->ctx = ctx;
    f->weight = t.weight;
    free(t.held);
    free(t.fold);
    free(t.lambda);
    free(t.loss);
    free(t.bias);
    return ok;
}
