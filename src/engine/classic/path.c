/* engine/classic/path.c -- ridge, lasso and elastic net along their path.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/linear_fit.h"
#include "engine/classic/path_choose.h"
#include "engine/classic/path_file.h"
#include "engine/classic/path_solve.h"
#include "engine/classic/path_wide.h"
#include "engine/classic/tell.h"

#define FOLD_TOLERANCE 1e-6

struct pathing {
    const struct family *family;
    const struct fit_data *d;
    const struct params *params;
    const struct train *ctx;
    double l1_ratio, tolerance;
    unsigned max_iter;
    size_t n_folds, n_steps;
    uint8_t *fold;
    struct moments moments;
    double *lambda;       /* n_steps, falling */
    double *error;        /* (n_folds, n_steps): mean squared errors */
    double *mean;         /* p + 1: of columns and target */
    double *scratch;      /* a fold each: p + q */
    struct error *failed; /* a fold each, the last: the whole; code 0: none */
    struct linear *l;
};

static void
pathing_fini(struct pathing *f)
{
    free(f->fold);
    free(f->lambda);
    free(f->error);
    free(f->mean);
    free(f->scratch);
    free(f->failed);
    moments_fini(&f->moments);
}

static struct penalty
penalty_of(const struct pathing *f, double lambda)
{
    return (struct penalty){lambda * f->l1_ratio, lambda * (1 - f->l1_ratio),
                            f->tolerance, f->max_iter};
}

/* ---- the path ---- */

/* Where the first weight leaves 0, by the products b with the target; for
 * ridge, where no weight ever is, a thousand times the mean variance of a
 * column. */
static double
largest_lambda(const struct pathing *f, const double *b)
{
    size_t p = f->l->p;
    double most = 0, trace = 0;

    for (size_t j = 0; j < p; j++) {
        most = fmax(most, fabs(b[j]));
        trace += f->l->spread[j] * f->l->spread[j];
    }
    return f->l1_ratio > 0 ? most / f->l1_ratio : 1000 * trace / (double)p;
}

static void
lambdas_choose(struct pathing *f, const double *b)
{
    double most = largest_lambda(f, b);

    if (params_is_set(f->params, "lambda")) {
        f->lambda[0] = params_float(f->params, "lambda");
        return;
    }
    path_lambdas(most, params_float(f->params, "reach"), f->n_steps, f->lambda);
}

static void
fold_run(struct pathing *f, size_t fold, struct problem_of *o)
{
    double *w = f->scratch + fold * (2 * f->moments.q), *v = w + f->moments.q;
    double rows = f->moments.fold[(fold + 1) * f->moments.q * f->moments.q - 1];

    memset(w, 0, f->moments.p * sizeof *w);
    for (size_t i = 0; i < f->n_steps; i++) {
        struct penalty by = penalty_of(f, f->lambda[i]);

        if (progress_stopped(f->ctx->progress))
            return;
        /* An error is flat where it is least: it need not be known as well as
         * the weights. */
        by.tolerance = fmax(by.tolerance, FOLD_TOLERANCE);
        problem_solve(o, &by, f->ctx->progress, w);
        f->error[fold * f->n_steps + i] =
            rows > 0 ? moments_error(&f->moments, o, fold, w, v) / rows : 0;
    }
}

static void
fold_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct pathing *f = ctx;
    struct problem_of o;

    (void)chunk;
    for (size_t k = begin; k < end; k++) {
        if (!problem_make(&o, &f->moments, k, f->l1_ratio == 0,
                          f->ctx->progress, &f->failed[k]))
            continue;
        fold_run(f, k, &o);
        problem_fini(&o);
    }
}

/* Mean squared errors to their roots: the error of a root is that of the
 * square over twice the root. */
static void
take_roots(struct pathing *f)
{
    for (size_t i = 0; i < f->n_steps; i++) {
        double *row = f->l->path + i * LINEAR_PATH_COLS;
        double root = sqrt(row[PATH_LOSS]);

        row[PATH_ERROR] = root > 0 ? row[PATH_ERROR] / (2 * root) : 0;
        row[PATH_LOSS] = root;
    }
}

/* The weights of every step on all rows. */
static bool
path_run(struct pathing *f, struct problem_of *o, struct error *err)
{
    size_t p = f->moments.p;
    double *w = f->scratch;

    memset(w, 0, p * sizeof *w);
    for (size_t i = 0; i < f->n_steps; i++) {
        struct penalty by = penalty_of(f, f->lambda[i]);

        problem_solve(o, &by, f->ctx->progress, w);
        if (f->ctx->progress && !progress_check(f->ctx->progress, err))
            return false;
        memcpy(f->l->path_weight + i * p, w, p * sizeof *w);
    }
    return true;
}

static bool
folds_run(struct pathing *f, struct error *err)
{
    pool_for(f->ctx->pool, f->n_folds, 1, fold_chunk, f);
    if (f->ctx->progress && !progress_check(f->ctx->progress, err))
        return false;
    for (size_t k = 0; k < f->n_folds; k++)
        if (f->failed[k].message[0]) {
            *err = f->failed[k];
            return false;
        }
    return true;
}

static void
measures_take(struct pathing *f, const struct problem_of *o)
{
    for (size_t j = 0; j < o->p; j++)
        f->l->spread[j] = sqrt(fmax(o->a[j * o->p + j], 0));
    for (size_t j = 0; j <= o->p; j++)
        f->mean[j] = f->moments.mean[j] + o->mean[j];
}

/* What each step is, in the table. */
static void
steps_tell(struct pathing *f)
{
    size_t p = f->l->p;

    for (size_t i = 0; i < f->n_steps; i++) {
        double *row = f->l->path + i * LINEAR_PATH_COLS;

        row[PATH_LAMBDA] = f->lambda[i];
        for (size_t j = 0; j < p; j++)
            row[PATH_COUNT] += f->l->path_weight[i * p + j] != 0;
    }
    if (f->n_folds > 1)
        path_sum(f->error, f->n_folds, f->n_steps, f->l->path);
}

static void
solution_take(struct pathing *f, size_t step)
{
    struct linear *l = f->l;
    const double *w = l->path_weight + step * l->p;

    memcpy(l->weight, w, l->p * sizeof *w);
    l->bias[0] = f->mean[l->p];
    for (size_t j = 0; j < l->p; j++)
        l->bias[0] -= w[j] * f->mean[j];
}

static bool
pathing_init(struct pathing *f, struct error *err)
{
    size_t p = design_cols(f->d->train);
    bool chosen = !params_is_set(f->params, "lambda");

    if (p > LINEAR_MAX_COLS)
        return error_set(err, ERR_LIMIT,
                         "%zu columns after encoding, %s takes %d", p,
                         f->family->name, LINEAR_MAX_COLS);
    f->n_steps = chosen ? (size_t)params_int(f->params, "steps") : 1;
    f->n_folds = chosen ? (size_t)params_int(f->params, "folds") : 1;
    if (chosen && f->d->y->n < f->n_folds)
        return error_set(err, ERR_RANGE,
                         "%zu folds of %zu rows; set lambda, or fewer folds",
                         f->n_folds, f->d->y->n);
    return (f->n_folds == 1 || (f->fold = path_folds(f->d->y->n, f->n_folds,
                                                     f->ctx->seed, err))) &&
           dense_try(&f->lambda, f->n_steps, 1, err) &&
           dense_try(&f->error, f->n_folds, f->n_steps, err) &&
           dense_try(&f->mean, p + 1, 1, err) &&
           (f->l = linear_learner_new(PROBLEM_REGRESSION, p, 1, err)) &&
           dense_try(&f->l->path, f->n_steps, LINEAR_PATH_COLS, err) &&
           dense_try(&f->l->path_weight, f->n_steps, p, err);
}

static bool
numbers_check(const struct pathing *f, struct error *err)
{
    size_t cells = f->n_folds * f->moments.q * f->moments.q;

    for (size_t i = 0; i < cells; i++)
        if (!isfinite(f->moments.fold[i]))
            return error_set(err, ERR_RANGE, "the values are too far apart");
    return true;
}

/* By the products of the columns. */
static bool
run_products(struct pathing *f, struct error *err)
{
    struct problem_of o = {0};
    bool ok =
        dense_try(&f->scratch, f->n_folds, 2 * (f->l->p + 2), err) &&
        (f->failed = mem_try_array(f->n_folds, sizeof *f->failed, err)) &&
        moments_make(&f->moments, f->d, f->fold, f->n_folds, f->ctx, err) &&
        numbers_check(f, err) &&
        problem_make(&o, &f->moments, f->n_folds, f->l1_ratio == 0,
                     f->ctx->progress, err);

    if (ok) {
        measures_take(f, &o);
        lambdas_choose(f, o.b);
        ok = (f->n_folds == 1 || folds_run(f, err)) && path_run(f, &o, err);
    }
    problem_fini(&o);
    return ok;
}

/* Of more columns than that. */
static bool
run_wide(struct pathing *f, struct error *err)
{
    struct wide w = {.d = f->d,
                     .ctx = f->ctx,
                     .fold = f->fold,
                     .n_folds = f->n_folds,
                     .n_steps = f->n_steps,
                     .l1_ratio = f->l1_ratio,
                     .tolerance = f->tolerance,
                     .max_iter = f->max_iter,
                     .few = WIDE_FEW_ROWS,
                     .lambda = f->lambda,
                     .error = f->error,
                     .weight = f->l->path_weight};
    size_t p = f->l->p;
    bool ok = wide_init(&w, err);

    if (ok) {
        memcpy(f->l->spread, w.spread, p * sizeof *w.spread);
        memcpy(f->mean, w.mean, (p + 1) * sizeof *w.mean);
        lambdas_choose(f, w.pull);
        ok = wide_run(&w, err);
    }
    wide_fini(&w);
    return ok;
}

static bool
pathing_run(struct pathing *f, struct json_writer *chosen, struct error *err)
{
    size_t step = 0;

    if (!pathing_init(f, err))
        return false;
    progress_begin(f->ctx->progress, "fitting", f->n_steps);
    f->l->n_path = f->n_steps;
    if (f->l->p > LINEAR_GRAM_COLS ? !run_wide(f, err) : !run_products(f, err))
        return false;
    steps_tell(f);
    if (f->n_folds > 1)
        step = path_choose(f->l->path, f->n_steps,
                           strcmp(params_text(f->params, "choose"), "simple") ==
                               0);
    take_roots(f);
    solution_take(f, step);
    json_name(chosen, "lambda");
    json_put_double(chosen, f->lambda[step]);
    return true;
}

static void *
path_fit(const struct family *family, double l1_ratio, const struct fit_data *d,
         const struct params *p, const struct train *ctx,
         struct json_writer *chosen, struct error *err)
{
    struct pathing f = {.family = family,
                        .d = d,
                        .params = p,
                        .ctx = ctx,
                        .l1_ratio = l1_ratio,
                        .tolerance = params_float(p, "tolerance"),
                        .max_iter = (unsigned)params_int(p, "max_iter")};
    bool ok = pathing_run(&f, chosen, err) &&
              tell_scores(family, f.l, d, ctx, true, err);

    pathing_fini(&f);
    if (ok)
        return f.l;
    linear_learner_free(f.l);
    return NULL;
}

static void *
ridge_fit(const struct fit_data *d, const struct params *p,
          const struct train *ctx, struct json_writer *chosen,
          struct error *err)
{
    return path_fit(&ridge_family, 0, d, p, ctx, chosen, err);
}

static void *
lasso_fit(const struct fit_data *d, const struct params *p,
          const struct train *ctx, struct json_writer *chosen,
          struct error *err)
{
    return path_fit(&lasso_family, 1, d, p, ctx, chosen, err);
}

static void *
elastic_net_fit(const struct fit_data *d, const struct params *p,
                const struct train *ctx, struct json_writer *chosen,
                struct error *err)
{
    return path_fit(&elastic_net_family, params_float(p, "l1_ratio"), d, p, ctx,
                    chosen, err);
}

/* ---- the families ---- */

/* The L2 part of a penalty does not go with the scale of the target, so that
 * its path must reach far. */
#define PATH_PARAMS(reach)                                                   \
    {"lambda",                                                               \
     PARAM_FLOAT,                                                            \
     0,                                                                      \
     1e6,                                                                    \
     NULL,                                                                   \
     NULL,                                                                   \
     "penalty on the weights of scaled columns; auto: by cross-validation"}, \
        {"steps",                                                            \
         PARAM_INT,                                                          \
         2,                                                                  \
         PATH_MAX_STEPS,                                                     \
         "100",                                                              \
         NULL,                                                               \
         "lambdas that are tried"},                                          \
        {"reach",                                                            \
         PARAM_FLOAT,                                                        \
         1e-12,                                                              \
         1,                                                                  \
         reach,                                                              \
         NULL,                                                               \
         "the least of them, as a share of the largest"},                    \
        {"folds",                                                            \
         PARAM_INT,                                                          \
         2,                                                                  \
         PATH_MAX_FOLDS,                                                     \
         "5",                                                                \
         NULL,                                                               \
         "of the cross-validation"},                                         \
        {"choose",                                                           \
         PARAM_CHOICE,                                                       \
         0,                                                                  \
         0,                                                                  \
         "best",                                                             \
         "best|simple",                                                      \
         "the lambda that predicts best, or the largest within its error"},  \
        {"tolerance",                                                        \
         PARAM_FLOAT,                                                        \
         1e-14,                                                              \
         1,                                                                  \
         "1e-09",                                                            \
         NULL,                                                               \
         "stop when no weight moves the answer by more, in deviations"},     \
        {"max_iter",                                                         \
         PARAM_INT,                                                          \
         1,                                                                  \
         1000000,                                                            \
         "100000",                                                           \
         NULL,                                                               \
         "stop after this many turns at the latest"},                        \
    {                                                                        \
        NULL, PARAM_INT, 0, 0, NULL, NULL, NULL                              \
    }

static const struct param ridge_params[] = {PATH_PARAMS("1e-08")};
static const struct param lasso_params[] = {PATH_PARAMS("0.001")};
static const struct param elastic_net_params[] = {
    {"l1_ratio", PARAM_FLOAT, 0.001, 1, "0.5", NULL,
     "share of the penalty that is L1"},
    PATH_PARAMS("1e-06")};

#define PATH_FAMILY                                                    \
    .style = PREPARE_DENSE, .weighs = true,                            \
    .problems = 1u << PROBLEM_REGRESSION, .free = linear_learner_free, \
    .score = linear_score, .importance = linear_importance,            \
    .tables = path_tables, .table = path_table, .save = path_save,     \
    .load = path_load, .margin = linear_margin, .attribute = linear_attribute

const struct family ridge_family = {
    .name = "ridge",
    .title = "ridge regression",
    .params = ridge_params,
    .fit = ridge_fit,
    PATH_FAMILY,
};

const struct family lasso_family = {
    .name = "lasso",
    .title = "lasso",
    .params = lasso_params,
    .fit = lasso_fit,
    PATH_FAMILY,
};

const struct family elastic_net_family = {
    .name = "elastic_net",
    .title = "elastic net",
    .params = elastic_net_params,
    .fit = elastic_net_fit,
    PATH_FAMILY,
};
