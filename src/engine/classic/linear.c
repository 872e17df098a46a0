/* engine/classic/linear.c -- linear and logistic regression with elastic net.
 *
 * One loop serves all three problems.  Each turn replaces the loss by its
 * second-order model around the weights at hand (exact for squares; for the
 * logistic loss this is IRLS), removes the intercept by a Schur complement,
 * minimises model plus penalty, and halves the step until the objective does
 * not rise.  Without an L1 part the minimum is a Cholesky solve; with one, or
 * where columns are collinear, coordinate descent on the same p x p matrix, so
 * that a sweep costs p^2 whatever the number of rows.
 *
 * Several classes: softmax, one class after the other with the rest held
 * still, as glmnet does.  Only the sum of the intercepts is then free; it is
 * set to 0.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/linear.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"

enum {
    ROWS = 4096, /* rows a chunk */
    TILE = 512,  /* rows of a column that stay in cache */
    MAX_COLS = 4096,
    MAX_SWEEPS = 10000,
    MAX_HALVINGS = 40
};

struct linear {
    enum problem problem;
    size_t p, k;    /* columns; 1 or n_classes */
    double *weight; /* (k, p) */
    double *bias;   /* k */
    double *spread; /* p: deviation in training, for importance */
};

/* The state of a fit.  Per-class arrays are (k, n) so that one class is
 * contiguous. */
struct fitting {
    const struct fit_data *d;
    const struct train *ctx;
    struct linear *l;
    enum problem problem;
    size_t n, p, k;
    const double *y; /* regression: scaled */
    double l1, l2;   /* the penalty's two parts */
    double tolerance;
    int64_t max_iter;
    double *x;            /* (p, n) */
    double *eta;          /* (k, n): x w + b */
    double *lse;          /* n: log of the sum of exp(eta), softmax only */
    double *move;         /* n: what the step adds to eta */
    double *curve, *rest; /* n: second and first derivative in eta */
    double *h, *solved;   /* (p, p): the quadratic part; its Cholesky factor */
    double *g, *mean, *step, *pull; /* p each */
    double *partial;                /* a chunk each */
    double *score;                  /* (n, k) row-major, for events */
    double g_bias, h_bias;
};

static void
learner_free(void *learner)
{
    struct linear *l = learner;

    if (!l)
        return;
    free(l->weight);
    free(l->bias);
    free(l->spread);
    free(l);
}

static struct linear *
learner_new(enum problem problem, size_t p, size_t k, struct error *err)
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
    learner_free(l);
    return NULL;
}

/* Four running sums: the order is fixed, and the adds need not wait for each
 * other. */
static double
dot(const double *a, const double *b, size_t n)
{
    double s[4] = {0};
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        s[0] += a[i] * b[i];
        s[1] += a[i + 1] * b[i + 1];
        s[2] += a[i + 2] * b[i + 2];
        s[3] += a[i + 3] * b[i + 3];
    }
    for (; i < n; i++)
        s[0] += a[i] * b[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

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
        sum += row_loss(a->f, i, a->c, eta[i] + a->t * a->f->move[i]);
    a->f->partial[chunk] = sum;
}

/* The objective with a share t of the step taken in class c. */
static double
objective(const struct fitting *f, size_t c, double t)
{
    struct trial a = {f, c, t};
    double sum = 0, l1 = 0, l2 = 0;

    pool_for(f->ctx->pool, f->n, ROWS, trial_chunk, &a);
    for (size_t i = 0; i < pool_chunks(f->n, ROWS); i++)
        sum += f->partial[i];
    for (size_t j = 0; j < f->k * f->p; j++) {
        double w = f->l->weight[j];

        if (j / f->p == c)
            w += t * f->step[j % f->p];
        l1 += fabs(w);
        l2 += w * w;
    }
    return sum / (double)f->n + f->l1 * l1 + 0.5 * f->l2 * l2;
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
        double p;

        if (f->problem == PROBLEM_REGRESSION) {
            f->curve[i] = 1;
            f->rest[i] = eta[i] - f->y[i];
            continue;
        }
        p = f->problem == PROBLEM_BINARY ? fm_sigmoid(eta[i])
                                         : fm_exp(eta[i] - f->lse[i]);
        f->curve[i] = p * (1 - p);
        f->rest[i] = p - (f->problem == PROBLEM_BINARY
                              ? f->y[i]
                              : (double)((size_t)f->y[i] == a->c));
    }
}

/* Row j of the lower triangle of h, and g and mean of column j. */
static void
gram_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct fitting *f = ctx;
    double curved[TILE];

    (void)chunk;
    for (size_t j = begin; j < end; j++) {
        double *h = f->h + j * f->p;

        memset(h, 0, (j + 1) * sizeof *h);
        f->g[j] = f->mean[j] = 0;
        for (size_t r = 0; r < f->n; r += TILE) {
            size_t m = f->n - r < TILE ? f->n - r : TILE;
            const double *x = f->x + j * f->n + r;

            for (size_t i = 0; i < m; i++)
                curved[i] = f->curve[r + i] * x[i];
            for (size_t k = 0; k <= j; k++)
                h[k] += dot(curved, f->x + k * f->n + r, m);
            f->g[j] += dot(f->rest + r, x, m);
            f->mean[j] += dot(f->curve + r, x, m);
        }
    }
}

static double
sum_of(const double *x, size_t n)
{
    double sum = 0;

    for (size_t r = 0; r < n; r += TILE) {
        double part = 0;

        for (size_t i = r; i < n && i < r + TILE; i++)
            part += x[i];
        sum += part;
    }
    return sum;
}

/* g, h around the weights of class c, the intercept minimised out.  False
 * when every row is certain: there is nothing left to learn. */
static bool
model_build(struct fitting *f, size_t c)
{
    struct trial a = {f, c, 0};
    double n = (double)f->n;
    const double *w = f->l->weight + c * f->p;

    pool_for(f->ctx->pool, f->n, ROWS, derive_chunk, &a);
    pool_for(f->ctx->pool, f->p, 1, gram_chunk, f);
    f->g_bias = sum_of(f->rest, f->n) / n;
    f->h_bias = sum_of(f->curve, f->n) / n;
    if (!(f->h_bias > 1e-300))
        return false;
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

/* step = -h^-1 g; false when h is not positive definite. */
static bool
solve_cholesky(struct fitting *f)
{
    size_t p = f->p;
    double *a = f->solved, *s = f->step;

    for (size_t j = 0; j < p; j++) {
        double *row = a + j * p;

        for (size_t k = 0; k < j; k++)
            row[k] = (f->h[j * p + k] - dot(row, a + k * p, k)) / a[k * p + k];
        row[j] = f->h[j * p + j] - dot(row, row, j);
        if (!(row[j] > 1e-12 * f->h[j * p + j]))
            return false;
        row[j] = sqrt(row[j]);
        s[j] = (-f->g[j] - dot(row, s, j)) / row[j];
    }
    for (size_t j = p; j-- > 0;) {
        s[j] /= a[j * p + j];
        for (size_t k = 0; k < j; k++)
            s[k] -= a[j * p + k] * s[j];
    }
    return true;
}

static double
soft(double x, double by)
{
    return x > by ? x - by : x < -by ? x + by : 0;
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
            v = soft(h * (w[j] + f->step[j]) - f->g[j] - f->pull[j], f->l1) / h;
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

    pool_for(f->ctx->pool, f->n, ROWS, accept_chunk, &a);
    for (size_t j = 0; j < f->p; j++)
        w[j] += t * f->step[j];
    f->l->bias[c] += t * bias;
}

/* One step of class c; returns the largest change of a weight, relative to
 * the largest weight where that is over 1. */
static double
step_take(struct fitting *f, size_t c)
{
    const double *w = f->l->weight + c * f->p;
    double bias, before, t = 1, moved = 0, most = 1;
    unsigned halvings = 0;

    if (!model_build(f, c))
        return 0;
    if (f->l1 > 0 || !solve_cholesky(f))
        solve_descent(f, w);
    bias = -(f->g_bias + dot(f->mean, f->step, f->p)) / f->h_bias;
    for (size_t i = 0; i < f->n; i++)
        f->move[i] = bias;
    pool_for(f->ctx->pool, f->n, ROWS, move_chunk, f);
    before = objective(f, c, 0);
    /* Rounding may lift the objective by a last digit at the minimum. */
    while (!(objective(f, c, t) <= before + 1e-13 * (1 + fabs(before))))
        if (++halvings > MAX_HALVINGS)
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
               metric_score(m->kind, f->problem, y->y, p, y->n, f->k));
}

static bool linear_score(const void *learner, const struct design *d,
                         struct pool *pool, double *out, struct error *err);

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
    for (size_t j = begin; j < end; j++) {
        double *x = f->x + j * f->n, mean, sum = 0;

        design_pull(f->d->train, j, 0, f->n, x);
        mean = sum_of(x, f->n) / (double)f->n;
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
try_doubles(double **out, size_t a, size_t b, struct error *err)
{
    size_t n;

    if (!mem_mul(a, b, &n))
        return error_set(err, ERR_NOMEM, "%zu x %zu numbers are too many", a,
                         b);
    *out = mem_try_array(n, sizeof **out, err);
    return *out != NULL;
}

static bool
fitting_init(struct fitting *f, struct error *err)
{
    size_t n = f->n, p = f->p;

    return try_doubles(&f->x, n, p, err) &&
           try_doubles(&f->eta, n, f->k, err) &&
           (f->problem != PROBLEM_MULTICLASS ||
            try_doubles(&f->lse, n, 1, err)) &&
           try_doubles(&f->move, n, 1, err) &&
           try_doubles(&f->curve, n, 1, err) &&
           try_doubles(&f->rest, n, 1, err) && try_doubles(&f->h, p, p, err) &&
           try_doubles(&f->solved, p, p, err) &&
           try_doubles(&f->g, p, 1, err) && try_doubles(&f->mean, p, 1, err) &&
           try_doubles(&f->step, p, 1, err) &&
           try_doubles(&f->pull, p, 1, err) &&
           try_doubles(&f->partial, pool_chunks(n, ROWS), 1, err) &&
           try_doubles(&f->score, n, f->k, err);
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

/* Turn until the weights rest.  Stopped after a finished turn: what there is.
 * `report` is the learner whose scores are told (weights in the units of the
 * target). */
static bool
fitting_run(struct fitting *f, struct error *err)
{
    struct progress *progress = f->ctx->progress;

    if (progress)
        progress_begin(progress, "fitting", (uint64_t)f->max_iter);
    for (int64_t turn = 1; turn <= f->max_iter; turn++) {
        double moved = 0;

        for (size_t c = 0; c < f->k; c++) {
            if (progress_stopped(progress))
                return turn > 1 || progress_check(progress, err);
            moved = fmax(moved, step_take(f, c));
        }
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
    double n = (double)f->n, mean = sum_of(f->y, f->n) / n, squares = 0, sd;
    double *y;
    bool ok;

    for (size_t i = 0; i < f->n; i++)
        squares += (f->y[i] - mean) * (f->y[i] - mean);
    sd = sqrt(squares / n);
    if (!isfinite(sd) || !(sd > 0))
        return error_set(err, ERR_RANGE,
                         "the target's values are too far apart");
    if (!try_doubles(&y, f->n, 1, err))
        return false;
    for (size_t i = 0; i < f->n; i++)
        y[i] = (f->y[i] - mean) / sd;
    f->y = y;
    f->l1 /= sd;
    ok = fitting_run(f, err);
    for (size_t j = 0; j < f->p; j++)
        f->l->weight[j] *= sd;
    f->l->bias[0] = f->l->bias[0] * sd + mean;
    free(y);
    return ok && emit_turn(f, f->l, 1, err);
}

static bool
run_classes(struct fitting *f, struct error *err)
{
    if (f->lse)
        for (size_t i = 0; i < f->n; i++)
            f->lse[i] = fm_log((double)f->k);
    if (!fitting_run(f, err))
        return false;
    if (f->problem == PROBLEM_MULTICLASS)
        softmax_centre(f);
    return true;
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
        .tolerance = params_float(p, "tolerance"),
        .max_iter = params_int(p, "max_iter")};
    double lambda = params_is_set(p, "lambda") ? params_float(p, "lambda")
                                               : 1 / (double)f.n;
    bool ok = false;

    if (f.p > MAX_COLS) {
        error_set(err, ERR_LIMIT,
                  "%zu columns after encoding, a linear model takes %d", f.p,
                  MAX_COLS);
        return NULL;
    }
    f.l1 = lambda * params_float(p, "l1_ratio");
    f.l2 = lambda - f.l1;
    json_name(chosen, "lambda");
    json_put_double(chosen, lambda);
    if ((f.l = learner_new(f.problem, f.p, f.k, err)) &&
        fitting_init(&f, err)) {
        pool_for(ctx->pool, f.p, 1, pull_chunk, &f);
        ok = (f.problem == PROBLEM_REGRESSION ? run_regression(&f, err)
                                              : run_classes(&f, err)) &&
             weights_check(f.l, err);
    }
    fitting_fini(&f);
    if (ok)
        return f.l;
    learner_free(f.l);
    return NULL;
}

/* ---- the fitted model ---- */

struct scoring {
    const struct linear *l;
    const struct design *d;
    double *out;
};

/* Every row is summed in column order, alone or among others: the same bits
 * for a request of one row and for a file. */
static void
score_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct scoring *s = ctx;
    size_t k = s->l->k, p = s->l->p;
    double x[TILE];

    (void)chunk;
    for (size_t r = begin; r < end; r += TILE) {
        size_t m = end - r < TILE ? end - r : TILE;
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
        for (size_t i = 0; i < m; i++)
            score_finish(s->l->problem, out + i * k, k);
    }
}

static bool
linear_score(const void *learner, const struct design *d, struct pool *pool,
             double *out, struct error *err)
{
    const struct linear *l = learner;
    struct scoring s = {l, d, out};

    if (design_cols(d) != l->p)
        return error_set(err, ERR_STATE, "%zu columns, the model has %zu",
                         design_cols(d), l->p);
    pool_for(pool, design_rows(d), ROWS, score_chunk, &s);
    return true;
}

/* How far a deviation of each column moves the score. */
static void
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
    for (size_t j = 0; j < l->p; j++)
        out[j] = sum > 0 ? out[j] / sum : 1 / (double)l->p;
}

static void
linear_save(const void *learner, struct st_writer *w, struct json_writer *m)
{
    const struct linear *l = learner;
    const uint64_t shape[] = {l->k, l->p};

    (void)m;
    st_add(w, "linear.weight", ST_F64, shape, 2, l->weight);
    st_add1(w, "linear.bias", ST_F64, l->k, l->bias);
    st_add1(w, "linear.spread", ST_F64, l->p, l->spread);
}

static bool
tensor_copy(const struct st_file *f, const char *name, double *out, size_t n,
            struct error *err)
{
    struct st_tensor t;
    const double *v;

    if (!st_need(f, name, ST_F64, (int64_t)n, &t, err))
        return false;
    v = t.data;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return error_set(err, ERR_CORRUPT,
                             "tensor '%s' holds what is not a number", name);
    memcpy(out, v, n * sizeof *out);
    return true;
}

static void *
linear_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
            enum problem problem, size_t n_classes, struct error *err)
{
    size_t k = problem == PROBLEM_MULTICLASS ? n_classes : 1;
    struct linear *l;

    (void)manifest;
    if (n_cols > MAX_COLS) {
        error_set(err, ERR_CORRUPT, "%zu columns", n_cols);
        return NULL;
    }
    if (!(l = learner_new(problem, n_cols, k, err)))
        return NULL;
    if (tensor_copy(f, "linear.weight", l->weight, n_cols * k, err) &&
        tensor_copy(f, "linear.bias", l->bias, k, err) &&
        tensor_copy(f, "linear.spread", l->spread, n_cols, err))
        return l;
    learner_free(l);
    return NULL;
}

static const struct param params[] = {
    {"lambda", PARAM_FLOAT, 0, 1e6, NULL, NULL,
     "penalty on the weights of scaled columns; auto: 1 / rows"},
    {"l1_ratio", PARAM_FLOAT, 0, 1, "0", NULL,
     "share of the penalty that is L1: 0 ridge, 1 lasso"},
    {"tolerance", PARAM_FLOAT, 1e-14, 1, "1e-08", NULL,
     "stop when no weight moves by more than this share"},
    {"max_iter", PARAM_INT, 1, 100000, "500", NULL,
     "stop after this many turns at the latest"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

const struct family linear_family = {
    .name = "linear",
    .title = "linear regression",
    .params = params,
    .style = PREPARE_DENSE,
    .problems = 1u << PROBLEM_REGRESSION,
    .fit = linear_fit,
    .free = learner_free,
    .score = linear_score,
    .importance = linear_importance,
    .save = linear_save,
    .load = linear_load,
};

const struct family logistic_family = {
    .name = "logistic",
    .title = "logistic regression",
    .params = params,
    .style = PREPARE_DENSE,
    .problems = 1u << PROBLEM_BINARY | 1u << PROBLEM_MULTICLASS,
    .fit = linear_fit,
    .free = learner_free,
    .score = linear_score,
    .importance = linear_importance,
    .save = linear_save,
    .load = linear_load,
};
