/* engine/classic/linear.c -- linear and logistic regression with elastic net.
 *
 * One loop serves all three problems: a step (linear_step.c) of each class in
 * turn, the others held still, until the weights rest.  Several classes
 * without an L1 part step together (softmax.c), which converges in a tenth of
 * the time where classes overlap.  The sum of the intercepts is then free; it
 * is set to 0.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/linear_fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "engine/classic/coefficients.h"
#include "engine/classic/path_choose.h"
#include "engine/classic/path_file.h"
#include "engine/explain.h"

void
linear_learner_free(void *learner)
{
    struct linear *l = learner;

    if (!l)
        return;
    free(l->weight);
    free(l->bias);
    free(l->spread);
    free(l->path);
    free(l->path_weight);
    free(l);
}

struct linear *
linear_learner_new(enum problem problem, size_t p, size_t k, struct error *err)
{
    struct linear *l = mem_try_array(1, sizeof *l, err);

    if (!l)
        return NULL;
    l->problem = problem;
    l->p = p;
    l->k = k;
    if ((l->weight = mem_try_array(p * k, sizeof *l->weight, err)) &&
        (l->bias = mem_try_array(k, sizeof *l->bias, err)) &&
        (l->spread = mem_try_array(p, sizeof *l->spread, err)))
        return l;
    linear_learner_free(l);
    return NULL;
}

/* ---- events ---- */

static void
score_finish(enum problem problem, double *row, size_t k)
{
    double top = row[0], sum = 0;

    if (problem == PROBLEM_REGRESSION)
        return;
    if (problem == PROBLEM_BINARY) {
        row[0] = fm_sigmoid(row[0]);
        return;
    }
    for (size_t c = 1; c < k; c++)
        top = row[c] > top ? row[c] : top;
    for (size_t c = 0; c < k; c++)
        sum += row[c] = fm_exp(row[c] - top);
    for (size_t c = 0; c < k; c++)
        row[c] /= sum;
}

static void
emit_score(const struct fitting *f, const char *part, const struct metric *m,
           int64_t step, const struct target *y, const double *p)
{
    char name[64];

    snprintf(name, sizeof name, "%s.%s", part, m->name);
    event_emit(&f->ctx->sink, name, step,
               metric_measure(m, &(struct metric_rows){.problem = f->problem,
                                                       .n = y->n,
                                                       .k = f->k,
                                                       .y = y->y,
                                                       .p = p,
                                                       .weight = y->weight,
                                                       .group = y->group}));
}

/* Metrics after a turn: the first one on the training rows, all on the
 * validation rows. */
static bool
emit_turn(struct fitting *f, const struct linear *l, int64_t step,
          struct error *err)
{
    const struct fit_data *d = f->d;
    size_t n_valid = d->valid ? design_rows(d->valid) : 0;
    double *p;
    bool ok;

    if (!f->ctx->sink.emit || d->n_metrics == 0)
        return true;
    if (!linear_score(l, d->train, f->ctx->pool, f->score, err))
        return false;
    emit_score(f, "train", d->metrics[0], step, d->y, f->score);
    if (n_valid == 0)
        return true;
    if (!(p = mem_try_array(n_valid * f->k, sizeof *p, err)))
        return false;
    ok = linear_score(l, d->valid, f->ctx->pool, p, err);
    for (size_t m = 0; m < d->n_metrics && ok; m++)
        emit_score(f, "valid", d->metrics[m], step, d->y_valid, p);
    free(p);
    return ok;
}

/* ---- fitting ---- */

static void
pull_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct fitting *f = ctx;

    (void)chunk;
    for (size_t j = begin; j < end && !linear_stopped(f); j++) {
        double *x = f->x + j * f->n, mean, sum = 0;

        design_pull(f->d->train, j, 0, f->n, x);
        mean = dense_sum(x, f->n) / (double)f->n;
        for (size_t i = 0; i < f->n; i++)
            sum += (x[i] - mean) * (x[i] - mean);
        f->l->spread[j] = sqrt(sum / (double)f->n);
    }
}

static void
fitting_fini(struct fitting *f)
{
    free(f->x);
    free(f->eta);
    free(f->lse);
    free(f->move);
    free(f->curve);
    free(f->rest);
    free(f->h);
    free(f->solved);
    free(f->g);
    free(f->mean);
    free(f->step);
    free(f->pull);
    free(f->partial);
    free(f->score);
}

static bool
fitting_init(struct fitting *f, struct error *err)
{
    size_t n = f->n, p = f->p;
    bool wide = p > LINEAR_GRAM_COLS;

    return dense_try(&f->x, n, p, err) && dense_try(&f->eta, n, f->k, err) &&
           (f->problem != PROBLEM_MULTICLASS ||
            dense_try(&f->lse, n, 1, err)) &&
           dense_try(&f->move, n, 1, err) && dense_try(&f->curve, n, 1, err) &&
           dense_try(&f->rest, n, 1, err) &&
           dense_try(&f->h, p, wide ? 4 : p, err) &&
           dense_try(&f->solved, wide ? n : p, wide ? 1 : p, err) &&
           dense_try(&f->g, p, 1, err) && dense_try(&f->mean, p, 1, err) &&
           dense_try(&f->step, p, 1, err) && dense_try(&f->pull, p, 1, err) &&
           dense_try(&f->partial, pool_chunks(n, LINEAR_ROWS), 1, err) &&
           dense_try(&f->score, n, f->k, err);
}

/* Softmax leaves the common part of the intercepts free, and without penalty
 * that of the weights too: 0. */
static void
centre(double *v, size_t stride, size_t k)
{
    double sum = 0;

    for (size_t c = 0; c < k; c++)
        sum += v[c * stride];
    for (size_t c = 0; c < k; c++)
        v[c * stride] -= sum / (double)k;
}

static void
softmax_centre(struct fitting *f)
{
    centre(f->l->bias, 1, f->k);
    for (size_t j = 0; j < f->p && f->l1 == 0; j++)
        centre(f->l->weight + j, f->p, f->k);
}

static double
turn_take(struct fitting *f, struct softmax *together)
{
    double moved = 0;

    if (together)
        return softmax_step(together, f);
    for (size_t c = 0; c < f->k && !progress_stopped(f->ctx->progress); c++)
        moved = fmax(moved, linear_step(f, c));
    return moved;
}

/* Turn until the weights rest.  Stopped after a finished turn: what there
 * is. */
static bool
fitting_run(struct fitting *f, struct softmax *together, struct error *err)
{
    struct progress *progress = f->ctx->progress;

    if (progress)
        progress_begin(progress, "fitting", (uint64_t)f->max_iter);
    for (int64_t turn = 1; turn <= f->max_iter; turn++) {
        double moved = turn_take(f, together);

        if (progress_stopped(progress))
            return turn > 1 || progress_check(progress, err);
        if (progress)
            progress_set(progress, (uint64_t)turn);
        if (f->problem != PROBLEM_REGRESSION && !emit_turn(f, f->l, turn, err))
            return false;
        if (moved <= f->tolerance)
            return true;
    }
    return true;
}

/* Regression is solved for a target of mean 0 and deviation 1, so that the
 * tolerance means the same in dollars and in cents. */
static bool
run_regression(struct fitting *f, struct error *err)
{
    double mean = 0, squares = 0, sd;
    double *y;
    bool ok;

    for (size_t i = 0; i < f->n; i++)
        mean += linear_weight(f, i) * f->y[i];
    mean /= f->total;
    for (size_t i = 0; i < f->n; i++)
        squares += linear_weight(f, i) * (f->y[i] - mean) * (f->y[i] - mean);
    sd = sqrt(squares / f->total);
    if (sd == 0)
        return error_set(err, ERR_RANGE,
                         "the target has one value only: there is nothing to "
                         "learn");
    if (!isfinite(sd))
        return error_set(err, ERR_RANGE,
                         "the target's values are too far apart");
    if (!dense_try(&y, f->n, 1, err))
        return false;
    for (size_t i = 0; i < f->n; i++)
        y[i] = (f->y[i] - mean) / sd;
    f->y = y;
    f->l1 /= sd;
    ok = fitting_run(f, NULL, err);
    for (size_t j = 0; j < f->p; j++)
        f->l->weight[j] *= sd;
    f->l->bias[0] = f->l->bias[0] * sd + mean;
    free(y);
    return ok && emit_turn(f, f->l, 1, err);
}

void
linear_reset(struct fitting *f)
{
    memset(f->l->weight, 0, f->p * f->k * sizeof *f->l->weight);
    memset(f->l->bias, 0, f->k * sizeof *f->l->bias);
    memset(f->eta, 0, f->n * f->k * sizeof *f->eta);
    for (size_t i = 0; f->lse && i < f->n; i++)
        f->lse[i] = fm_log((double)f->k);
}

bool
linear_run_classes(struct fitting *f, struct error *err)
{
    struct softmax *together = NULL;
    bool ok;

    if (f->problem == PROBLEM_BINARY)
        return fitting_run(f, NULL, err);
    if (f->l1 == 0 && !(together = softmax_new(f, err)))
        return false;
    ok = fitting_run(f, together, err);
    softmax_free(together);
    if (ok)
        softmax_centre(f);
    return ok;
}

/* Weights past any double: columns of raw huge numbers. */
static bool
weights_check(const struct linear *l, struct error *err)
{
    for (size_t j = 0; j < l->p * l->k; j++)
        if (!isfinite(l->weight[j]))
            return error_set(err, ERR_RANGE, "the fit did not converge");
    for (size_t c = 0; c < l->k; c++)
        if (!isfinite(l->bias[c]))
            return error_set(err, ERR_RANGE, "the fit did not converge");
    return true;
}

/* One lambda, or a path where folds are asked for. */
static bool
penalty_read(struct fitting *f, const struct params *p, double *lambda,
             struct linear_path *path, struct error *err)
{
    bool given = params_is_set(p, "lambda");
    bool classes = f->problem != PROBLEM_REGRESSION;
    double ratio = params_float(p, "l1_ratio");

    *lambda = given ? params_float(p, "lambda") : 1 / (double)f->n;
    f->l1 = *lambda * ratio;
    f->l2 = *lambda - f->l1;
    *path = (struct linear_path){.l1_ratio = ratio};
    if (!classes || params_int(p, "folds") == 0)
        return true;
    path->n_folds = (size_t)params_int(p, "folds");
    path->n_steps = (size_t)params_int(p, "steps");
    path->reach = params_float(p, "reach");
    path->simple = strcmp(params_text(p, "choose"), "simple") == 0;
    if (given)
        return error_set(err, ERR_USAGE,
                         "lambda=%g, or folds=%zu to find it: which one?",
                         *lambda, path->n_folds);
    return (path->n_folds > 1 && path->n_folds <= f->n) ||
           error_set(err, ERR_RANGE, "%zu folds of %zu rows", path->n_folds,
                     f->n);
}

static bool
run(struct fitting *f, const struct linear_path *path, double *lambda,
    struct error *err)
{
    if (f->problem == PROBLEM_REGRESSION)
        return run_regression(f, err);
    linear_reset(f);
    if (path->n_folds == 0)
        return linear_run_classes(f, err);
    return linear_trace(f, path, lambda, err) && emit_turn(f, f->l, 1, err);
}

static void *
linear_fit(const struct fit_data *d, const struct params *p,
           const struct train *ctx, struct json_writer *chosen,
           struct error *err)
{
    struct fitting f = {
        .d = d,
        .ctx = ctx,
        .problem = d->y->problem,
        .n = d->y->n,
        .p = design_cols(d->train),
        .k = d->y->problem == PROBLEM_MULTICLASS ? d->y->n_classes : 1,
        .y = d->y->y,
        .weight = d->y->weight,
        .total = target_total(d->y),
        .tolerance = params_float(p, "tolerance"),
        .max_iter = params_int(p, "max_iter")};
    double lambda;
    struct linear_path path;
    bool ok = false;

    if (f.p > LINEAR_MAX_COLS) {
        error_set(err, ERR_LIMIT,
                  "%zu columns after encoding, a linear model takes %d", f.p,
                  LINEAR_MAX_COLS);
        return NULL;
    }
    if (!penalty_read(&f, p, &lambda, &path, err))
        return NULL;
    if ((f.l = linear_learner_new(f.problem, f.p, f.k, err)) &&
        fitting_init(&f, err)) {
        ok = pool_try(ctx->pool, f.p, 1, pull_chunk, &f, err) &&
             progress_check(ctx->progress, err) &&
             run(&f, &path, &lambda, err) && weights_check(f.l, err);
    }
    json_name(chosen, "lambda");
    json_put_double(chosen, lambda);
    fitting_fini(&f);
    if (ok)
        return f.l;
    linear_learner_free(f.l);
    return NULL;
}

/* ---- the fitted model ---- */

struct linear_weights
linear_weights_of(const void *learner)
{
    const struct linear *l = learner;

    return (struct linear_weights){l->p, l->k, l->weight, l->bias};
}

struct scoring {
    const struct linear *l;
    const struct design *d;
    const struct pool *pool;
    double *out;
    bool finish; /* or margins */
};

/* Every row is summed in column order, alone or among others: the same bits
 * for a request of one row and for a file. */
static void
score_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct scoring *s = ctx;
    size_t k = s->l->k, p = s->l->p;
    double x[LINEAR_TILE];

    (void)chunk;
    for (size_t r = begin; r < end && !pool_stopped(s->pool);
         r += LINEAR_TILE) {
        size_t m = end - r < LINEAR_TILE ? end - r : LINEAR_TILE;
        double *out = s->out + r * k;

        for (size_t i = 0; i < m; i++)
            for (size_t c = 0; c < k; c++)
                out[i * k + c] = s->l->bias[c];
        for (size_t j = 0; j < p; j++) {
            design_pull(s->d, j, r, r + m, x);
            for (size_t i = 0; i < m; i++)
                for (size_t c = 0; c < k; c++)
                    out[i * k + c] += s->l->weight[c * p + j] * x[i];
        }
        for (size_t i = 0; s->finish && i < m; i++)
            score_finish(s->l->problem, out + i * k, k);
    }
}

static bool
score_rows(const struct linear *l, const struct design *d, struct pool *pool,
           bool finish, double *out, struct error *err)
{
    struct scoring s = {l, d, pool, out, finish};

    if (design_cols(d) != l->p)
        return error_set(err, ERR_STATE, "%zu columns, the model has %zu",
                         design_cols(d), l->p);
    return pool_try(pool, design_rows(d), LINEAR_ROWS, score_chunk, &s, err);
}

bool
linear_score(const void *learner, const struct design *d, struct pool *pool,
             double *out, struct error *err)
{
    return score_rows(learner, d, pool, true, out, err);
}

bool
linear_margin(const void *learner, const struct design *d, struct pool *pool,
              double *out, struct error *err)
{
    return score_rows(learner, d, pool, false, out, err);
}

bool
linear_attribute(const void *learner, const struct attribution *a,
                 struct error *err)
{
    const struct linear *l = learner;

    if (design_cols(a->rows) != l->p)
        return error_set(err, ERR_STATE, "%zu columns, the model has %zu",
                         design_cols(a->rows), l->p);
    return explain_linear(a, l->weight, l->bias, l->k, err);
}

/* How far a deviation of each column moves the score. */
void
linear_importance(const void *learner, double *out)
{
    const struct linear *l = learner;
    double sum = 0;

    for (size_t j = 0; j < l->p; j++) {
        out[j] = 0;
        for (size_t c = 0; c < l->k; c++)
            out[j] += fabs(l->weight[c * l->p + j]) * l->spread[j];
        sum += out[j];
    }
    /* Of weights beyond all measure there is no telling. */
    for (size_t j = 0; j < l->p; j++)
        out[j] = sum > 0 && isfinite(sum) ? out[j] / sum : 1 / (double)l->p;
}

void
linear_save(const void *learner, struct st_writer *w, struct json_writer *m)
{
    const struct linear *l = learner;
    const uint64_t shape[] = {l->k, l->p};

    (void)m;
    st_add(w, "linear.weight", ST_F64, shape, 2, l->weight);
    st_add1(w, "linear.bias", ST_F64, l->k, l->bias);
    st_add1(w, "linear.spread", ST_F64, l->p, l->spread);
}

/* Deviations, which importances are made of. */
static bool
spread_check(const struct linear *l, struct error *err)
{
    for (size_t j = 0; j < l->p; j++)
        if (l->spread[j] < 0)
            return error_set(err, ERR_CORRUPT,
                             "tensor 'linear.spread' holds a negative number");
    return true;
}

void *
linear_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
            enum problem problem, size_t n_classes, struct error *err)
{
    size_t k = problem == PROBLEM_MULTICLASS ? n_classes : 1;
    struct linear *l;

    (void)manifest;
    if (n_cols > LINEAR_MAX_COLS) {
        error_set(err, ERR_CORRUPT, "%zu columns", n_cols);
        return NULL;
    }
    if (!(l = linear_learner_new(problem, n_cols, k, err)))
        return NULL;
    if (dense_load(f, "linear.weight", l->weight, n_cols * k, err) &&
        dense_load(f, "linear.bias", l->bias, k, err) &&
        dense_load(f, "linear.spread", l->spread, n_cols, err) &&
        spread_check(l, err))
        return l;
    linear_learner_free(l);
    return NULL;
}

#define LINEAR_PARAMS                                             \
    {"lambda",                                                    \
     PARAM_FLOAT,                                                 \
     0,                                                           \
     1e6,                                                         \
     NULL,                                                        \
     NULL,                                                        \
     "penalty on the weights of scaled columns; auto: 1 / rows"}, \
        {"l1_ratio",                                              \
         PARAM_FLOAT,                                             \
         0,                                                       \
         1,                                                       \
         "0",                                                     \
         NULL,                                                    \
         "share of the penalty that is L1: 0 ridge, 1 lasso"},    \
        {"tolerance",                                             \
         PARAM_FLOAT,                                             \
         1e-14,                                                   \
         1,                                                       \
         "1e-08",                                                 \
         NULL,                                                    \
         "stop when no weight moves by more than this share"},    \
    {                                                             \
        "max_iter", PARAM_INT, 1, 100000, "500", NULL,            \
            "stop after this many turns at the latest"            \
    }

static const struct param params[] = {
    LINEAR_PARAMS,
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

static const struct param logistic_params[] = {
    LINEAR_PARAMS,
    {"folds", PARAM_INT, 0, PATH_MAX_FOLDS, "0", NULL,
     "find lambda on a path by cross-validation in so many folds; 0: do not"},
    {"steps", PARAM_INT, 2, PATH_MAX_STEPS, "30", NULL,
     "folds: lambdas that are tried"},
    {"reach", PARAM_FLOAT, 1e-12, 1, "0.0001", NULL,
     "folds: the least of them, as a share of the largest"},
    {"choose", PARAM_CHOICE, 0, 0, "best", "best|simple",
     "folds: the lambda that predicts best, or the largest within its error"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

const struct family linear_family = {
    .name = "linear",
    .title = "linear regression",
    .params = params,
    .style = PREPARE_DENSE,
    .weighs = true,
    .problems = 1u << PROBLEM_REGRESSION,
    .fit = linear_fit,
    .free = linear_learner_free,
    .score = linear_score,
    .importance = linear_importance,
    .tables = coefficient_tables,
    .table = coefficients_table,
    .save = linear_save,
    .load = linear_load,
    .margin = linear_margin,
    .attribute = linear_attribute,
};

const struct family logistic_family = {
    .name = "logistic",
    .title = "logistic regression",
    .params = logistic_params,
    .style = PREPARE_DENSE,
    .weighs = true,
    .problems = 1u << PROBLEM_BINARY | 1u << PROBLEM_MULTICLASS,
    .fit = linear_fit,
    .free = linear_learner_free,
    .score = linear_score,
    .importance = linear_importance,
    .tables = path_tables,
    .table = path_table,
    .save = path_save,
    .load = path_load,
    .margin = linear_margin,
    .attribute = linear_attribute,
};
