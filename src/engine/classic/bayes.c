/* engine/classic/bayes.c -- naive Bayes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/bayes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "engine/classic/panels.h"
#include "engine/classic/tell.h"

#define FARTHEST (-1e290)
#define LOG_2PI 1.8378770664093454836
enum { TILE = 1024, MAX_LEVELS = 1 << 20 };

struct bayes {
    enum problem problem;
    size_t p, k;   /* columns; classes */
    double *prior; /* k: log share of the rows */
    /* Of column j: a number has mean, precision and offset of each class at
     * part[at[j]..], k of each; a category the log share of each level in each
     * class, (levels, k). */
    size_t *at; /* p + 1 */
    double *part;
    uint32_t *levels; /* p: 0 for a number */
    double *share;    /* p: importance */
};

static void
learner_free(void *learner)
{
    struct bayes *m = learner;

    if (!m)
        return;
    free(m->prior);
    free(m->at);
    free(m->part);
    free(m->levels);
    free(m->share);
    free(m);
}

/* Where each column's numbers stand follows from levels[]. */
static bool
lay_out(struct bayes *m, struct error *err)
{
    size_t at = 0;

    if (!(m->at = mem_try_array(m->p + 1, sizeof *m->at, err)))
        return false;
    for (size_t j = 0; j < m->p; j++) {
        m->at[j] = at;
        at += m->k * (m->levels[j] ? m->levels[j] : 3);
    }
    m->at[m->p] = at;
    return true;
}

static struct bayes *
learner_new(enum problem problem, size_t p, size_t k, struct error *err)
{
    struct bayes *m = mem_try_array(1, sizeof *m, err);

    if (!m)
        return NULL;
    m->problem = problem;
    m->p = p;
    m->k = k;
    if (dense_try(&m->prior, k, 1, err) && dense_try(&m->share, p, 1, err) &&
        (m->levels = mem_try_array(p, sizeof *m->levels, err)))
        return m;
    learner_free(m);
    return NULL;
}

/* ---- fitting ---- */

struct fitting {
    struct bayes *m;
    const struct fit_data *d;
    const struct train *ctx;
    double alpha;
    double *variance; /* p: of all rows */
    double *scratch;  /* p each: count, sum and squares of each class */
};

static double
weight_of(const struct fitting *f, size_t i)
{
    return f->d->y->weight ? f->d->y->weight[i] : 1;
}

/* Sums of a column of numbers by class, k each. */
struct sums {
    double *count, *mean, *squares;
};

static void
add_values(const struct fitting *f, const double *v, size_t r, size_t n,
           const struct sums *to)
{
    for (size_t i = 0; i < n; i++) {
        size_t c = (size_t)f->d->y->y[r + i];
        double w = weight_of(f, r + i);

        if (!isfinite(v[i]))
            continue;
        to->count[c] += w;
        to->mean[c] += w * v[i];
    }
}

static void
add_squares(const struct fitting *f, const double *v, size_t r, size_t n,
            const struct sums *to)
{
    for (size_t i = 0; i < n; i++) {
        size_t c = (size_t)f->d->y->y[r + i];
        double d = v[i] - to->mean[c];

        if (isfinite(v[i]))
            to->squares[c] += weight_of(f, r + i) * d * d;
    }
}

static void
pass_over(const struct fitting *f, size_t j, const struct sums *to,
          void (*add)(const struct fitting *f, const double *v, size_t r,
                      size_t n, const struct sums *to))
{
    size_t n = f->d->y->n;
    double v[TILE];

    for (size_t r = 0; r < n && !progress_stopped(f->ctx->progress);
         r += TILE) {
        size_t end = n - r < TILE ? n : r + TILE;

        design_pull(f->d->train, j, r, end, v);
        add(f, v, r, end - r, to);
    }
}

/* Values of a class around its mean; two passes, so that large means do not
 * eat small deviations. */
static void
measure_number(struct fitting *f, size_t j)
{
    struct bayes *m = f->m;
    size_t k = m->k;
    double *count = f->scratch + j * 2 * k, *squares = count + k;
    double *mean = m->part + m->at[j], all = 0, whole = 0, between = 0;
    const struct sums to = {count, mean, squares};

    pass_over(f, j, &to, add_values);
    for (size_t c = 0; c < k; c++)
        mean[c] = count[c] > 0 ? mean[c] / count[c] : 0;
    pass_over(f, j, &to, add_squares);
    for (size_t c = 0; c < k; c++) {
        all += count[c];
        whole += count[c] * mean[c];
    }
    for (size_t c = 0; c < k; c++) {
        double d = all > 0 ? mean[c] - whole / all : 0;

        between += count[c] * d * d;
        f->variance[j] += squares[c] + count[c] * d * d;
        mean[k + c] = count[c] > 0 ? squares[c] / count[c] : -1;
    }
    /* What the classes explain of the column's variance. */
    m->share[j] = f->variance[j] > 0 ? between / f->variance[j] : 0;
    f->variance[j] = all > 0 ? f->variance[j] / all : 0;
}

/* Mutual information of level and class over the entropy of the class. */
static double
explained(const double *count, const double *of_class, size_t levels, size_t k)
{
    double all = 0, shared = 0, own = 0;

    for (size_t c = 0; c < k; c++)
        all += of_class[c];
    for (size_t c = 0; c < k && all > 0; c++)
        if (of_class[c] > 0)
            own -= of_class[c] / all * fm_log(of_class[c] / all);
    for (size_t l = 0; l < levels; l++) {
        double of_level = 0;

        for (size_t c = 0; c < k; c++)
            of_level += count[l * k + c];
        for (size_t c = 0; c < k; c++)
            if (count[l * k + c] > 0)
                shared +=
                    count[l * k + c] / all *
                    fm_log(count[l * k + c] * all / (of_level * of_class[c]));
    }
    return own > 0 ? fmax(shared / own, 0) : 0;
}

static void
measure_category(struct fitting *f, size_t j)
{
    struct bayes *m = f->m;
    size_t n = f->d->y->n, k = m->k, levels = m->levels[j];
    double *count = m->part + m->at[j], *of_class = f->scratch + j * 2 * k;
    double v[TILE];

    for (size_t r = 0; r < n && !progress_stopped(f->ctx->progress);
         r += TILE) {
        size_t end = n - r < TILE ? n : r + TILE;

        design_pull(f->d->train, j, r, end, v);
        for (size_t i = 0; i < end - r; i++) {
            size_t c = (size_t)f->d->y->y[r + i];

            if (isnan(v[i]))
                continue;
            count[(size_t)v[i] * k + c] += weight_of(f, r + i);
            of_class[c] += weight_of(f, r + i);
        }
    }
    m->share[j] = explained(count, of_class, levels, k);
    for (size_t l = 0; l < levels; l++)
        for (size_t c = 0; c < k; c++)
            count[l * k + c] =
                fm_log((count[l * k + c] + f->alpha) /
                       (of_class[c] + f->alpha * (double)levels));
}

static void
measure_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct fitting *f = ctx;

    (void)chunk;
    for (size_t j = begin; j < end; j++)
        if (f->m->levels[j])
            measure_category(f, j);
        else
            measure_number(f, j);
}

/* Variances to what scoring needs: 1 / (2 var) and -log(2 pi var) / 2. */
static void
finish(struct fitting *f, double smoothing)
{
    struct bayes *m = f->m;
    double most = 0, sum = 0;

    for (size_t j = 0; j < m->p; j++)
        most = fmax(most, f->variance[j]);
    for (size_t j = 0; j < m->p; j++) {
        double *v = m->part + m->at[j];

        sum += m->share[j];
        for (size_t c = 0; c < m->k && !m->levels[j]; c++) {
            double var = v[m->k + c] + smoothing * most;

            /* A class without a value in this column says nothing by it. */
            if (v[m->k + c] < 0 || !(var > 0)) {
                v[m->k + c] = v[2 * m->k + c] = 0;
                continue;
            }
            v[m->k + c] = 0.5 / var;
            v[2 * m->k + c] = -0.5 * (LOG_2PI + fm_log(var));
        }
    }
    for (size_t j = 0; j < m->p; j++)
        m->share[j] = sum > 0 ? m->share[j] / sum : 1 / (double)m->p;
}

static void
priors(struct fitting *f)
{
    struct bayes *m = f->m;
    double n = 0;

    for (size_t i = 0; i < f->d->y->n; i++) {
        m->prior[(size_t)f->d->y->y[i]] += weight_of(f, i);
        n += weight_of(f, i);
    }
    /* A class without rows is never the answer. */
    for (size_t c = 0; c < m->k; c++)
        m->prior[c] = m->prior[c] > 0 ? fm_log(m->prior[c] / n) : -1e300;
}

static bool
numbers_check(const struct bayes *m, struct error *err)
{
    for (size_t i = 0; i < m->at[m->p]; i++)
        if (!isfinite(m->part[i]))
            return error_set(err, ERR_RANGE,
                             "the values of a column are too far apart");
    for (size_t c = 0; c < m->k; c++)
        if (!isfinite(m->prior[c]))
            return error_set(err, ERR_RANGE,
                             "the weights of the rows are too large to add up");
    return true;
}

static bool
fit_run(struct fitting *f, double smoothing, struct error *err)
{
    struct bayes *m = f->m;

    for (size_t j = 0; j < m->p; j++)
        m->levels[j] = design_column(f->d->train, j)->n_levels;
    if (!lay_out(m, err) || !dense_try(&m->part, m->at[m->p], 1, err) ||
        !dense_try(&f->variance, m->p, 1, err) ||
        !dense_try(&f->scratch, m->p, 2 * m->k, err))
        return false;
    progress_begin(f->ctx->progress, "fitting", 1);
    priors(f);
    pool_for(f->ctx->pool, m->p, 1, measure_chunk, f);
    if (f->ctx->progress && !progress_check(f->ctx->progress, err))
        return false;
    finish(f, smoothing);
    return numbers_check(m, err);
}

static void *
bayes_fit(const struct fit_data *d, const struct params *p,
          const struct train *ctx, struct json_writer *chosen,
          struct error *err)
{
    struct fitting f = {.d = d, .ctx = ctx, .alpha = params_float(p, "alpha")};
    bool ok;

    (void)chosen;
    f.m =
        learner_new(d->y->problem, design_cols(d->train), d->y->n_classes, err);
    ok = f.m && fit_run(&f, params_float(p, "var_smoothing"), err) &&
         tell_scores(&naive_bayes_family, f.m, d, ctx, true, err);
    free(f.variance);
    free(f.scratch);
    if (ok)
        return f.m;
    learner_free(f.m);
    return NULL;
}

/* ---- the fitted model ---- */

struct bayes_parts
bayes_parts(const void *learner)
{
    const struct bayes *m = learner;

    return (struct bayes_parts){.p = m->p,
                                .k = m->k,
                                .prior = m->prior,
                                .part = m->part,
                                .at = m->at,
                                .levels = m->levels};
}

struct scoring {
    const struct bayes *m;
    double *out;
};

/* What a value of column j says of each class. */
static void
add_level(const struct bayes *m, size_t j, double value, double *row)
{
    const double *v = m->part + m->at[j];

    if (!(value >= 0 && value < (double)m->levels[j]))
        return;
    for (size_t c = 0; c < m->k; c++)
        row[c] += v[(size_t)value * m->k + c];
}

static void
add_number(const struct bayes *m, size_t j, double value, double *row)
{
    const double *v = m->part + m->at[j];
    size_t k = m->k;

    if (!isfinite(value))
        return;
    for (size_t c = 0; c < k; c++) {
        double d = value - v[c];

        /* Beyond all measure for one class is so for others. */
        row[c] += fmax(v[2 * k + c] - d * d * v[k + c], FARTHEST);
    }
}

/* Log of prior times likelihood, (PANEL, k) in sum. */
static void
panel_sums(const struct bayes *m, const double *x, double *sum)
{
    size_t k = m->k;

    for (size_t i = 0; i < PANEL; i++)
        memcpy(sum + i * k, m->prior, k * sizeof *sum);
    for (size_t j = 0; j < m->p; j++)
        for (size_t i = 0; i < PANEL; i++)
            (m->levels[j] ? add_level : add_number)(m, j, x[j * PANEL + i],
                                                    sum + i * k);
}

static void
score_panel(void *ctx, size_t first, size_t n, const double *x, double *sum)
{
    const struct scoring *s = ctx;
    size_t k = s->m->k;

    panel_sums(s->m, x, sum);
    for (size_t i = 0; i < n; i++) {
        double *row = sum + i * k, top = row[0], all = 0;

        if (s->m->problem == PROBLEM_BINARY) {
            s->out[first + i] = fm_sigmoid(row[1] - row[0]);
            continue;
        }
        for (size_t c = 1; c < k; c++)
            top = row[c] > top ? row[c] : top;
        for (size_t c = 0; c < k; c++)
            all += row[c] = fm_exp(row[c] - top);
        for (size_t c = 0; c < k; c++)
            s->out[(first + i) * k + c] = row[c] / all;
    }
}

static bool
bayes_score(const void *learner, const struct design *d, struct pool *pool,
            double *out, struct error *err)
{
    const struct bayes *m = learner;
    struct scoring s = {m, out};

    return panels_each(d, pool, PANEL * m->k, score_panel, &s, err);
}

static void
bayes_importance(const void *learner, double *out)
{
    const struct bayes *m = learner;

    memcpy(out, m->share, m->p * sizeof *out);
}

static void
bayes_save(const void *learner, struct st_writer *w, struct json_writer *j)
{
    const struct bayes *m = learner;

    (void)j;
    st_add1(w, "naive_bayes.prior", ST_F64, m->k, m->prior);
    st_add1(w, "naive_bayes.levels", ST_U32, m->p, m->levels);
    st_add1(w, "naive_bayes.part", ST_F64, m->at[m->p], m->part);
    st_add1(w, "naive_bayes.share", ST_F64, m->p, m->share);
}

static bool
levels_read(struct bayes *m, const struct st_file *f, struct error *err)
{
    struct st_tensor t;

    if (!st_need(f, "naive_bayes.levels", ST_U32, (int64_t)m->p, &t, err))
        return false;
    memcpy(m->levels, t.data, m->p * sizeof *m->levels);
    for (size_t j = 0; j < m->p; j++)
        if (m->levels[j] > MAX_LEVELS)
            return error_set(err, ERR_CORRUPT, "a column of %u levels",
                             m->levels[j]);
    return lay_out(m, err);
}

static void *
bayes_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
           enum problem problem, size_t n_classes, struct error *err)
{
    struct bayes *m = learner_new(problem, n_cols, n_classes, err);

    (void)manifest;
    if (m && levels_read(m, f, err) &&
        dense_load(f, "naive_bayes.prior", m->prior, m->k, err) &&
        dense_take(f, "naive_bayes.part", &m->part, m->at[m->p], 1, err) &&
        dense_load(f, "naive_bayes.share", m->share, m->p, err))
        return m;
    learner_free(m);
    return NULL;
}

static const struct param params[] = {
    {"var_smoothing", PARAM_FLOAT, 0, 1, "1e-09", NULL,
     "share of the largest variance that is added to all"},
    {"alpha", PARAM_FLOAT, 1e-10, 1e6, "1", NULL,
     "rows of each level that are added to those of a class"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

const struct family naive_bayes_family = {
    .name = "naive_bayes",
    .title = "naive Bayes",
    .params = params,
    .style = PREPARE_TREES,
    .problems = 1u << PROBLEM_BINARY | 1u << PROBLEM_MULTICLASS,
    .weighs = true,
    .fit = bayes_fit,
    .free = learner_free,
    .score = bayes_score,
    .importance = bayes_importance,
    .save = bayes_save,
    .load = bayes_load,
};
